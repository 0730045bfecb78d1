"""Schedules along a curve: a straight line up, half a cosine, and one cycle up and down."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...core.errors import ArgumentError
from ..optimizer import Optimizer
from ..settings import at_least_0, below_1
from .schedule import Schedule, for_each_group, require_count, require_optimizer


class LinearLR(Schedule):
    """Warm-up: from ``start_factor`` times the first rate evenly to ``end_factor`` times, within ``total_iters`` steps.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        From 0 to 1, the first above 0.
    total_iters : int

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> schedule = optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=2)
    >>> opt.lr, *[(schedule.step(), opt.lr)[1] for _ in range(3)]
    (0.5, 0.75, 1.0, 1.0)
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        require_count("LinearLR", total_iters=total_iters)
        if not (0 < start_factor <= 1 and 0 <= end_factor <= 1):
            raise ArgumentError(
                f"LinearLR got start_factor={start_factor!r} and end_factor={end_factor!r}; they are from 0 to 1, the "
                "first above 0."
            )
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer)

    def start(self, lr: float, base: float) -> float:
        """The rate before the first step."""
        return lr * self.start_factor

    def rate(self, t: int, lr: float, base: float) -> float:
        """``lr`` times the quotient of two neighbouring factors."""
        if t > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (1 + rise / (self.total_iters * self.start_factor + (t - 1) * rise))


class CosineAnnealingLR(Schedule):
    r"""From the first rate to ``eta_min`` along half a cosine of ``T_max`` steps, and back [1]_.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        Steps down.
    eta_min : float
        The lowest rate.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR (2017),
       arXiv:1608.03983.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> schedule = optim.lr_scheduler.CosineAnnealingLR(opt, T_max=2)
    >>> [(schedule.step(), round(opt.lr, 6))[1] for _ in range(4)]
    [0.5, 0.0, 0.5, 1.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:  # noqa: N803 - PyTorch's
        require_count("CosineAnnealingLR", T_max=T_max)
        at_least_0("CosineAnnealingLR", "eta_min", eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer)

    def rate(self, t: int, lr: float, base: float) -> float:
        """``lr`` moved along the cosine."""
        low, n = self.eta_min, self.T_max
        if (t - 1 - n) % (2 * n) == 0:  # at the bottom, where there is nothing to scale
            return lr + (base - low) * (1 - math.cos(math.pi / n)) / 2
        return (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n)) * (lr - low) + low


class OneCycleLR(Schedule):
    """Up to ``max_lr`` and down to nearly nothing, once [1]_.  Step it after each step of the optimizer.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or list of float
        One for all, or one for each group of parameters.
    total_steps : int, optional
        Or ``epochs`` times ``steps_per_epoch``.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        Which part of the steps goes up, from 0 to 1.
    anneal_strategy : "cos" or "linear"
    cycle_momentum : bool
        Whether momentum, or the first of the betas, goes the other way: down from ``max_momentum`` to
        ``base_momentum``, and up again.
    base_momentum, max_momentum : float, or list of float
    div_factor, final_div_factor : float
        It starts at ``max_lr / div_factor`` and ends at that over ``final_div_factor``.
    three_phase : bool
        Whether it goes down to the start as evenly as it went up, and then to the end.

    Raises
    ------
    ArgumentError
        If a number is out of its range, the number of steps is not given, or the optimizer has no momentum to cycle.

    References
    ----------
    .. [1] L. N. Smith and N. Topin (2017), arXiv:1708.07120.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0, momentum=0.9)
    >>> schedule = optim.lr_scheduler.OneCycleLR(opt, max_lr=1.0, total_steps=5, pct_start=0.4)
    >>> pairs = [(opt.lr, opt.momentum), *[(schedule.step(), (opt.lr, opt.momentum))[1] for _ in range(4)]]
    >>> [(round(lr, 3), round(momentum, 3)) for lr, momentum in pairs]
    [(0.04, 0.95), (1.0, 0.85), (0.75, 0.875), (0.25, 0.925), (0.0, 0.95)]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        require_optimizer("OneCycleLR", optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError("OneCycleLR needs total_steps=, or epochs= and steps_per_epoch=.")
            require_count("OneCycleLR", epochs=epochs, steps_per_epoch=steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        require_count("OneCycleLR", total_steps=total_steps)
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(f"OneCycleLR got anneal_strategy={anneal_strategy!r}; it is 'cos' or 'linear'.")
        if not 0 <= pct_start <= 1:
            raise ArgumentError(f"OneCycleLR got pct_start={pct_start!r}; it is from 0 to 1.")
        for name, factor in (("div_factor", div_factor), ("final_div_factor", final_div_factor)):
            if not factor > 0:
                raise ArgumentError(f"OneCycleLR got {name}={factor!r}; it is above 0.")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        up = pct_start * total_steps - 1
        self.ends = [up, 2 * up, total_steps - 1] if three_phase else [up, total_steps - 1]
        self.corners = []
        for top in for_each_group("OneCycleLR", "max_lr", max_lr, optimizer):
            at_least_0("OneCycleLR", "max_lr", top)
            first = top / div_factor
            last = first / final_div_factor
            self.corners.append([first, top, first, last] if three_phase else [first, top, last])
        self.momenta = []
        if cycle_momentum:
            self.momenta = self._momenta(optimizer, base_momentum, max_momentum, three_phase)
        super().__init__(optimizer)

    def _momenta(self, optimizer: Optimizer, base_momentum: Any, max_momentum: Any, three_phase: bool) -> list[Any]:
        """The corners of the momentum's curve, for each group."""
        if not {"momentum", "betas"} & set(optimizer.settings):
            raise ArgumentError(
                f"OneCycleLR got {type(optimizer).__name__}, which has no momentum to cycle. Pass cycle_momentum=False."
            )
        lows = for_each_group("OneCycleLR", "base_momentum", base_momentum, optimizer)
        highs = for_each_group("OneCycleLR", "max_momentum", max_momentum, optimizer)
        for low, high in zip(lows, highs, strict=True):
            below_1("OneCycleLR", "base_momentum", low)
            below_1("OneCycleLR", "max_momentum", high)
        return [[high, low, high, high][: 3 + three_phase] for low, high in zip(lows, highs, strict=True)]

    def begin(self, rates: Sequence[float]) -> list[float]:
        """Count from nought; the rates at the start of the cycle."""
        self.t = 0
        return self.rates(0, rates)

    def rates(self, t: int, rates: Sequence[float]) -> list[float]:
        """The rates after ``t`` steps; the momenta are set beside."""
        if t > self.total_steps:
            raise ArgumentError(f"OneCycleLR was stepped {t} times; it was made for total_steps={self.total_steps}.")
        self._set_momenta(t)
        return [self._between(t, corners) for corners in self.corners]

    def _set_momenta(self, t: int) -> None:
        for group, corners in zip(self.optimizer.param_groups, self.momenta):
            momentum = self._between(t, corners)
            if "betas" in group.settings:
                group.betas = (momentum, *group.betas[1:])
            else:
                group.momentum = momentum

    def _between(self, t: int, corners: Sequence[float]) -> float:
        """A point on the curve through ``corners``."""
        begin = 0.0
        for k, end in enumerate(self.ends):
            if t <= end or k == len(self.ends) - 1:
                break
            begin = end
        part = min((t - begin) / (end - begin), 1.0)  # the step that follows the last one stays at the end
        first, last = corners[k], corners[k + 1]
        if self.anneal_strategy == "linear":
            return (last - first) * part + first
        return last + (first - last) / 2 * (1 + math.cos(math.pi * part))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where such a cycle stopped, with the rates and momenta that it had set."""
        super().load_state_dict(state)
        self._set_momenta(self.t)
