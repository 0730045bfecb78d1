"""A schedule that looks at how well training goes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...core.errors import ArgumentError
from ..optimizer import Optimizer
from ..settings import at_least_0
from .schedule import SetsRates, for_each_group, require_optimizer


class ReduceLROnPlateau(SetsRates):
    """Times ``factor`` when a figure has not got better for more than ``patience`` steps.

    Parameters
    ----------
    optimizer : Optimizer
    mode : "min" or "max"
        Which way is better.
    factor : float
        Below 1.
    patience : int
    threshold : float
        How much better counts.  Relative to the best: what is below ``best * (1 - threshold)``, or above
        ``best * (1 + threshold)``, which is meant for figures above 0.  With ``threshold_mode="abs"``: what is below
        ``best - threshold``, or above ``best + threshold``.
    threshold_mode : "rel" or "abs"
    cooldown : int
        Steps after a change in which nothing is counted.
    min_lr : float, or list of float
        Below which no rate goes: one for all, or one for each group of parameters.
    eps : float
        Changes below this are not made.

    Raises
    ------
    KindError, ArgumentError
        If there is no optimizer, or a setting is out of its range.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> opt = optim.SGD([ad.Tensor(1.0)], lr=1.0)
    >>> schedule = optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    >>> opt.lr
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                f"ReduceLROnPlateau got mode={mode!r} and threshold_mode={threshold_mode!r}; they are 'min' or 'max', "
                "'rel' or 'abs'."
            )
        if not 0 <= factor < 1:
            raise ArgumentError(f"ReduceLROnPlateau got factor={factor!r}; it is below 1, or no rate would fall.")
        self.optimizer = require_optimizer("ReduceLROnPlateau", optimizer)
        for name, number in (("patience", patience), ("threshold", threshold), ("cooldown", cooldown), ("eps", eps)):
            at_least_0("ReduceLROnPlateau", name, number)
        self.mode, self.factor, self.patience, self.threshold = mode, factor, patience, threshold
        self.threshold_mode, self.cooldown, self.eps = threshold_mode, cooldown, eps
        self.min_lr = for_each_group("ReduceLROnPlateau", "min_lr", min_lr, optimizer)
        for low in self.min_lr:
            at_least_0("ReduceLROnPlateau", "min_lr", low)
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_steps = 0
        self.waiting = 0
        self.t = 0

    def step(self, metrics: float) -> None:
        """Look at the figure after an epoch."""
        self.t += 1
        found = float(metrics)
        if self._is_better(found):
            self.best, self.bad_steps = found, 0
        else:
            self.bad_steps += 1
        if self.waiting > 0:
            self.waiting -= 1
            self.bad_steps = 0
        if self.bad_steps > self.patience:
            for group, low in zip(self.optimizer.param_groups, self.min_lr, strict=True):
                lr = max(group.lr * self.factor, low)
                if group.lr - lr > self.eps:
                    group.lr = lr
            self.waiting, self.bad_steps = self.cooldown, 0

    def _is_better(self, found: float) -> bool:
        if self.threshold_mode == "abs":
            goal = self.best - self.threshold if self.mode == "min" else self.best + self.threshold
        else:
            goal = self.best * (1 - self.threshold if self.mode == "min" else 1 + self.threshold)
        return found < goal if self.mode == "min" else found > goal
