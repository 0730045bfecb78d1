"""What an iteration towards an answer shares with others: its numbers, its tolerances, the account it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import getcontext
from typing import Any

import numpy as np

from ..core import numbers
from ..core.axes import ink, palette
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.figures import axes_for
from ..core.modes import no_grad
from ..core.node import Node, shape_of, size_of
from ..core.summary import data_text, repr_text
from ..ops.joining import stack
from .solving import plain_data, require_finite


@dataclass(frozen=True)
class Iteration:
    """How an answer was found, step by step.

    Attributes
    ----------
    value : ndarray, number or node
        The answer.
    fun : ndarray or number
        The function there: what is left of its equations.
    error : float
        The size of the last step, an estimate of the error of the point before it.
    steps : int
    evaluations : int
        How often the function was called, its derivatives included.
    message : str
        Why it stopped.
    path : list
        The points visited.
    left : list of float
        The size of what was left of the equations at each.
    """

    value: Any
    fun: Any
    error: float
    steps: int
    evaluations: int
    message: str
    path: list[Any] = field(repr=False)
    left: list[float] = field(repr=False)

    @property
    def rate(self) -> float:
        """By which factor what is left of the equations shrank a step, over the last five: 0 if it is gone at once."""
        last = [r for r in self.left[-6:] if r > 0]
        return (last[-1] / last[0]) ** (1 / (len(last) - 1)) if len(last) > 1 else 0.0

    def __str__(self) -> str:
        return (
            f"{data_text(self.value)} after {self.steps} steps and {self.evaluations} evaluations: {self.message}.\n"
            f"last step {self.error:.1e}, left of the equations {self.left[-1]:.1e}"
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw what was left of the equations at each step, on a logarithmic axis; returns the axes."""
        ax = axes_for("Iteration.plot", ax)
        shown = [(k, r) for k, r in enumerate(self.left) if r > 0]
        ax.semilogy(*zip(*shown, strict=True), "o-", color=palette(ax, 1)[0], markersize=4)
        ax.set_xlabel("step", color=ink(ax))
        ax.set_ylabel("left of the equations", color=ink(ax))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.3)
        return ax


def start_of(what: str, x: Any, name: str = "x0") -> Any:
    """A start as the array or number to compute with: of floats, and the caller's own."""
    x = plain_data(x)
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, bool | str | bytes) or callable(x) or x is None:
        raise KindError(f"{what} got {name}={repr_text(x)}; it is a number or an array of numbers.")
    if numbers.is_number(type(x)):
        return float(x) if type(x) is int else x
    array = np.array(x)
    if array.dtype.kind not in "fciu":
        raise KindError(f"{what} got {name}={repr_text(x)}; it is a number or an array of numbers.")
    return array.astype(float) if array.dtype.kind in "iu" else array


def as_one(y: Any) -> Any:
    """What a function returned as one array or number: a list or tuple of numbers is stacked."""
    if not isinstance(y, list | tuple):
        return y
    return stack(list(y)) if any(isinstance(part, Node) for part in y) else np.asarray(y)


def plain_call(f: Callable[[Any], Any], x: Any) -> Any:
    """``f(x)`` with nothing recorded, as an array or a number; nan where Python's numbers have no value to give."""
    with no_grad(), np.errstate(all="ignore"):
        try:
            y = plain_data(as_one(f(x)))
        except ArithmeticError:  # math raises it where NumPy gives an infinite number or nan
            if not isinstance(x, float):
                raise
            return np.nan
        except ValueError as error:
            if not isinstance(x, float) or not str(error).startswith(("math domain error", "expected a")):
                raise
            return np.nan
    return np.asarray(y) if isinstance(x, np.ndarray) else y.item() if isinstance(y, np.ndarray | np.generic) else y


def require_same_shape(what: str, y: Any, x: Any, repair: str) -> None:
    """Raise unless a function returned as many numbers as it was given."""
    if size_of(y) != size_of(x) or (shape_of(y) != shape_of(x) and size_of(x) > 1):
        raise ShapeError(f"{what}: the function returned shape {shape_of(y)} for x of shape {shape_of(x)}. {repair}")


def spacing(x: Any) -> Any:
    """The relative distance of neighbouring numbers of the kind of ``x``; exact kinds are taken for floats."""
    if isinstance(x, np.ndarray):
        return float(np.finfo(x.dtype).eps)
    if hasattr(x, "context"):  # of mpmath
        return x.context.eps
    if hasattr(x, "adjusted"):  # a Decimal
        return type(x)(10) ** (1 - getcontext().prec)
    return numbers.like(x.real if isinstance(x, complex) else x, float(np.finfo(float).eps))


def size(x: Any) -> Any:
    """The largest entry of an array, or the absolute value of a number, in its own kind."""
    if isinstance(x, np.ndarray):
        return float(np.max(np.abs(x), initial=0.0))
    return abs(x)


def is_finite(y: Any) -> bool:
    """Whether all of it is finite, of any kind of number."""
    if isinstance(y, np.ndarray | float | complex):
        return bool(np.all(np.isfinite(y)))
    number = numbers.to_float(y) if not hasattr(y, "context") else y
    return bool(abs(number) < float("inf"))


def not_finite(what: str, y: Any, place: str, reached: object) -> None:
    """Raise the error for a value, of any kind of number, that is not finite."""
    require_finite(what, y if isinstance(y, np.ndarray) else numbers.to_float(y), place, reached)


class Tolerance:
    """When a step is small enough: ``atol + rtol |x|``, or a few roundings of the largest point visited.

    Parameters
    ----------
    what : str
    x : ndarray or number
        The start.
    rtol, atol : float or None
        ``rtol=None`` stands for ``spacing(x) ** power``.
    power : float
    """

    def __init__(self, what: str, x: Any, rtol: Any, atol: Any, power: float = 1.0) -> None:
        for name, given in (("rtol", rtol), ("atol", atol)):
            if given is not None and not (numbers.is_number(type(given)) and given >= 0):
                raise ArgumentError(f"{what} got {name}={repr_text(given)}; it is a number, zero or more.")
        self.eps = spacing(x)
        self.rtol = self.eps ** self._like(self.eps, power) if rtol is None else self._like(self.eps, rtol)
        self.atol = self._like(self.eps, 0 if atol is None else atol)
        self.largest = size(x)

    @staticmethod
    def _like(eps: Any, x: Any) -> Any:
        return x if isinstance(eps, float) else numbers.like(eps, x)

    def at(self, x: Any) -> Any:
        """How long a step that ends in ``x`` may be."""
        self.largest = max(self.largest, size(x))
        return self.atol + self.rtol * size(x) + self.eps * self.largest
