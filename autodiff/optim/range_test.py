"""Which learning rate?  A few steps with larger and larger ones, a curve of the losses, and everything put back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError
from ..core.figures import axes_for
from ..core.node import Array, data_of
from .lr_scheduler.schedule import require_optimizer
from .settings import below_1, count

DIVERGED = 4.0
"""A running average of the losses of this many times its lowest ends the test."""
RUNNING = 0.9
"""How much that average keeps in a step."""
BLUE, ORANGE = "#0072B2", "#D55E00"  # of Okabe and Ito's colours, which the colour-blind can tell apart


@dataclass(frozen=True, repr=False)
class RangeTest:
    """What :func:`lr_range_test` found.

    Attributes
    ----------
    rates, losses : ndarray
        Each learning rate, and the loss of the batch that it was tried on; as many as there were before it diverged.
    smoothed : ndarray
        Averages of the losses of neighbouring rates.
    """

    rates: Array
    losses: Array
    smoothed: Array

    @property
    def suggestion(self) -> float:
        """The rate at which the smoothed loss falls fastest, over the logarithm of the rate, before it is lowest.

        Raises
        ------
        ArgumentError
            If it falls at none.
        """
        lowest = int(np.argmin(self.smoothed))
        if lowest == 0:
            raise ArgumentError(
                f"lr_range_test found no rate from {self.rates[0]:.3g} to {self.rates[-1]:.3g} at which the loss "
                "falls. Try a smaller start, more steps, or see what ad.why says of a gradient."
            )
        slopes = np.gradient(self.smoothed, np.log(self.rates))
        return float(self.rates[np.argmin(slopes[: lowest + 1])])

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the rates, the average through them, and the suggestion.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        KindError
            If ``ax`` is something else.
        MissingExtraError
            If Matplotlib is not installed.
        """
        ax = axes_for("lr_range_test(...).plot()", ax)
        ax.plot(self.rates, self.losses, color=BLUE, alpha=0.35, linewidth=1, label="loss of a batch")
        ax.plot(self.rates, self.smoothed, color=BLUE, linewidth=2, label="smoothed")
        if np.argmin(self.smoothed):
            best = self.suggestion
            label = f"suggestion: {best:.2g}"
            ax.axvline(best, color=ORANGE, linewidth=1, linestyle="--")
            height = self.smoothed[self.rates == best]
            ax.plot([best], height, "o", color=ORANGE, label=label)
        low, high = float(self.losses.min()), float(self.losses[: len(self.losses) // 2 + 1].max())
        room = 0.1 * (high - low) or 0.5
        ax.set_ylim(low - room, high + 4 * room)  # what it diverges to would flatten the rest
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
        ax.grid(alpha=0.3)
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        found = f", suggestion {self.suggestion:.2g}" if np.argmin(self.smoothed) else ""
        return f"RangeTest({len(self.rates)} rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}{found})"


def lr_range_test(
    optimizer: Any,
    closure: Callable[[], Any],
    start: float = 1e-6,
    end: float = 10.0,
    steps: int = 100,
    *,
    smoothing: float = 0.7,
    model: Any = None,
) -> RangeTest:
    """Train for a few steps at learning rates that grow from ``start`` to ``end``, and put everything back [1]_.

    Too small a rate changes nothing, too large a one makes the loss grow; a good one lies where it falls fastest.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups of parameters keep the ratios of their rates; the largest is the one that is tried.
    closure : callable
        Forgets the gradients, computes the loss of the next batch, calls its ``backward`` and returns it.
    start, end : float
        The first rate and the last, if the loss does not become infinite or nan, or four times the lowest, before.
    steps : int
        How many rates.
    smoothing : float
        From 0 to 1: the weight of a loss in the average beside it, and to the ``k``-th power that ``k`` places away.
    model : Module, optional
        Anything with ``state_dict`` and ``load_state_dict`` to put back beside the parameters: a model whose
        normalization counts along.

    Returns
    -------
    RangeTest
        With ``suggestion`` and ``plot()``.

    Raises
    ------
    ArgumentError, KindError
        If an argument is out of its range, or the closure does not return a loss.

    Notes
    -----
    The parameters, the state of the optimizer and its rates are what they were before, however it ends; gradients are
    forgotten.  What the closure draws, batches or random numbers, is drawn.

    References
    ----------
    .. [1] L. N. Smith, "Cyclical learning rates for training neural networks", WACV (2017), arXiv:1506.01186.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor(np.ones(3))
    >>> optimizer = optim.SGD([w])
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (np.array([1.0, 2.0, 3.0]) * w**2).sum()
    ...     loss.backward()
    ...     return loss
    >>> found = optim.lr_range_test(optimizer, closure)
    >>> 0.01 < found.suggestion < 0.3, w.data.tolist()
    (True, [1.0, 1.0, 1.0])
    """
    _check(optimizer, closure, start, end, steps, smoothing, model)
    groups = require_optimizer("lr_range_test", optimizer).param_groups
    largest = max(group.lr for group in groups)
    ratios = [group.lr / largest if largest else 1.0 for group in groups]
    saved = optimizer.state_dict()
    data = [p._data.copy() if isinstance(p._data, np.ndarray) else p._data for p in optimizer.params]
    others = None if model is None else model.state_dict()
    rates, average, lowest = np.geomspace(start, end, steps), 0.0, math.inf
    losses: list[float] = []
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            for k, lr in enumerate(rates.tolist(), start=1):
                for group, ratio in zip(groups, ratios, strict=True):
                    group.lr = lr * ratio
                loss = _number(optimizer.step(closure))
                average = RUNNING * average + (1 - RUNNING) * loss
                running = average / (1 - RUNNING**k)  # it started at 0
                if not math.isfinite(loss) or running > DIVERGED * lowest > 0:
                    break
                lowest = min(lowest, running)
                losses.append(loss)
    finally:
        for p, x in zip(optimizer.params, data, strict=True):
            p.data = x
        if others is not None:
            model.load_state_dict(others)
        optimizer.load_state_dict(saved)
        optimizer.zero_grad()
    if len(losses) < 2:
        raise ArgumentError(
            f"lr_range_test found a loss that is infinite or nan after {len(losses)} steps, at a rate of "
            f"{rates[len(losses)]:.3g}. Try a smaller start, or see whether the loss is finite before any step."
        )
    return RangeTest(rates[: len(losses)], np.array(losses), _smoothed(losses, smoothing))


def _smoothed(losses: list[float], smoothing: float) -> Array:
    """Averages that look both ways, so that the curve is not shifted towards larger rates."""
    n = len(losses)
    weights = smoothing ** np.abs(np.arange(n)[:, None] - np.arange(n))
    return weights @ losses / weights.sum(1)


def _check(optimizer: Any, closure: Any, start: Any, end: Any, steps: Any, smoothing: Any, model: Any) -> None:
    require_optimizer("lr_range_test", optimizer)
    if not callable(closure):
        raise KindError(
            f"lr_range_test got {closure!r:.80} as closure; it is a function that calls zero_grad(), computes the loss "
            "of a batch, calls its backward() and returns it."
        )
    if not 0 < start < end < math.inf:
        raise ArgumentError(f"lr_range_test got start={start!r} and end={end!r}; they are above 0, and start is less.")
    count("lr_range_test", "steps", steps)
    if steps < 2:
        raise ArgumentError("lr_range_test got steps=1; a curve takes at least 2.")
    below_1("lr_range_test", "smoothing", smoothing)
    if model is not None and not (hasattr(model, "state_dict") and hasattr(model, "load_state_dict")):
        raise KindError(
            f"lr_range_test got a {type(model).__name__} as model; it needs state_dict() and load_state_dict()."
        )


def _number(loss: Any) -> float:
    number = data_of(loss)
    if number is None or np.size(number) != 1:
        raise KindError(
            f"lr_range_test got a closure that returned {type(loss).__name__}; it returns the loss, a single number."
        )
    return float(np.asarray(number).item())
