"""What iterations towards an answer share: their numbers, their tolerances, the way they go, the account they give."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import getcontext
from typing import Any

import numpy as np

from ..core import numbers
from ..core.axes import ink, palette
from ..core.errors import ArgumentError, AutodiffError, KindError, ShapeError, SolverError
from ..core.figures import axes_for
from ..core.modes import no_grad
from ..core.node import is_complex, shape_of, size_of
from ..core.spelling import Misspelt
from ..core.summary import data_text, repr_text
from ..transforms.no_value import has_no_value
from .solving import joined, plain_data, require_finite


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

    x = Misspelt("Iteration", "x", "iteration.value")
    root = Misspelt("Iteration", "root", "iteration.value")

    @property
    def rate(self) -> float:
        """By which factor what is left of the equations shrank a step, over the last five: 0 if it is gone at once."""
        last = [r for r in self.left[-6:] if r > 0]
        return (last[-1] / last[0]) ** (1 / (len(last) - 1)) if len(last) > 1 else 0.0

    def __str__(self) -> str:
        left = f"{self.left[-1]:.1e}" if self.left else "not known"
        return (
            f"{data_text(self.value)} after {self.steps} steps and {self.evaluations} evaluations: {self.message}.\n"
            f"last step {self.error:.1e}, left of the equations {left}"
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
    with contextlib.suppress(ValueError):  # rows of different lengths
        x = plain_data(joined(x))
    if isinstance(x, np.generic):
        x = x.item()
    if numbers.is_number(type(x)) and type(x) is not bool:
        return float(x) if type(x) is int else x
    if isinstance(x, np.ndarray):
        array = np.array(x)
        if array.dtype.kind in "iu":
            return array.astype(float)
        if array.dtype.char in "fdFD":
            return array
        if array.dtype.kind in "fc":
            raise KindError(
                f"{what} got {name} of {array.dtype}, in which NumPy solves no equations. Give it float32 or float64, "
                "or complex64 or complex128."
            )
    raise KindError(f"{what} got {name}={repr_text(x)}; it is a number or an array of numbers.")


def plain_call(what: str, f: Callable[[Any], Any], x: Any, first: bool = False) -> Any:
    """``f(x)`` with nothing recorded, like ``x`` an array or a number; nan where Python's numbers have no value.

    At the ``first`` point the error of a solver inside of ``f`` says more than a nan.
    """
    with no_grad(), np.errstate(all="ignore"):
        try:
            y = plain_data(joined(f(x.copy() if isinstance(x, np.ndarray) else x)))
        except (ArithmeticError, ValueError) as error:
            if not isinstance(x, float) or not has_no_value(error) or (first and isinstance(error, AutodiffError)):
                raise
            return np.nan
    if not (y.dtype.kind in "fciu" if hasattr(y, "dtype") else numbers.is_number(type(y)) and type(y) is not bool):
        raise KindError(f"{what}: the function returned {repr_text(y)}; it returns a number or an array of numbers.")
    if isinstance(x, np.ndarray | np.generic):
        y = np.asarray(y)
        return y.reshape(x.shape) if y.size == x.size == 1 else y
    if size_of(y) != 1:
        require_same_shape(what, y, x, "It returns one number.")
    return y.item() if hasattr(y, "dtype") else y


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
            if given is not None and not (numbers.is_number(type(given)) and numbers.is_ordered(given) and given >= 0):
                raise ArgumentError(f"{what} got {name}={repr_text(given)}; it is a number, zero or more.")
        self.eps = spacing(x)
        self.rtol = self.eps ** self._like(self.eps, power) if rtol is None else self._like(self.eps, rtol)
        self.atol = self._like(self.eps, 0 if atol is None else atol)
        self.half = self.eps ** self._like(self.eps, 0.5)
        self.largest = abs(x)

    @staticmethod
    def _like(eps: Any, x: Any) -> Any:
        return x if isinstance(eps, float) else numbers.like(eps, x)

    def at(self, x: Any) -> Any:
        """How long a step that ends in ``x`` may be, entry by entry."""
        largest = np.maximum if isinstance(x, np.ndarray | np.generic) else max
        self.largest = largest(self.largest, abs(x))
        return self.atol + self.rtol * abs(x) + self.eps * self.largest


class Search:
    """An iteration: the point, what is left of the equations there, the way to it, and the account of it.

    Parameters
    ----------
    what : str
        Who asks, for messages.
    f : callable
    x : ndarray or number
        The start.
    tolerance : Tolerance
    """

    def __init__(self, what: str, f: Callable[[Any], Any], x: Any, tolerance: Tolerance) -> None:
        self.what = what
        self.f = f
        self.x = x
        self.y: Any = None
        self.step: Any = None
        self.tolerance = tolerance
        self.path: list[Any] = []
        self.left: list[float] = []
        self.evaluations = 0
        self.message = "not done"

    def call(self, x: Any) -> Any:
        """The plain value at a point; nan for a complex value of real numbers, unless there are no others."""
        self.evaluations += 1
        y = plain_call(self.what, self.f, x, not self.path)
        if not is_complex(y) or is_complex(x):
            return y
        if not self.path:
            raise KindError(
                f"{self.what}: the function returned the complex {data_text(y)} for the real x = {data_text(x)}. Start "
                "from a complex number, such as 1 + 0j, or return real numbers."
            )
        return np.full(y.shape, np.nan) if isinstance(y, np.ndarray) else np.nan

    def arrive(self, x: Any, y: Any) -> None:
        """Go to a point, where ``y`` is left of the equations."""
        self.x = np.asarray(x) if isinstance(x, np.generic) else x
        self.y = y
        self.path.append(self.x)
        self.left.append(float(size(y)))

    def account(self, value: Any = None) -> Iteration:
        """What was found so far; ``value`` is the answer as a node."""
        error = 0.0 if self.step is None else float(size(self.step))
        value = self.x if value is None else value
        steps = max(0, len(self.path) - 1)
        return Iteration(value, self.y, error, steps, self.evaluations, self.message, self.path, self.left)

    def state(self) -> str:
        """How far it is."""
        return f"step {len(self.path)}, x = {data_text(self.x)}"

    def error(self, kind: type[SolverError], text: str) -> SolverError:
        """An error with the way so far in it."""
        return kind(f"{self.what}: {text}", self.account())
