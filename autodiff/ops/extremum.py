"""The larger and the smaller of two, and clipping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.dispatch import gathered
from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike, Node
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .arithmetic import positive
from .families import elementwise_samples
from .select import equal, greater, isnan, less, logical_and, logical_or, where

__all__ = ["clip", "fmax", "fmin", "maximum", "minimum"]


def _key(x: Any) -> Any:
    """What NumPy orders numbers by: complex ones by their real parts, then by their imaginary parts."""
    return (x.real, x.imag) if getattr(x, "imag", 0) else (x, 0)


def _max(a: Any, b: Any) -> Any:
    return a if a != a or (b == b and _key(a) >= _key(b)) else b  # nan wins, as in NumPy


def _min(a: Any, b: Any) -> Any:
    return a if a != a or (b == b and _key(a) <= _key(b)) else b


# The derivative goes to the one that was chosen: the one that equals the result.  Where both do, each gets half.  The
# factor is 1, 1/2 or 0; choosing keeps the kind of the number, multiplying would not.


def where_chosen(g: Array, chosen: Array, other: Array) -> Array:
    return where(chosen, where(other, g / 2, g), 0)


def is_extreme(x: Array, y: Array) -> Array:
    """Whether ``x`` was chosen where nan wins."""
    return logical_or(equal(x, y), isnan(x))


def is_extreme_number(x: Array, y: Array) -> Array:
    """Whether ``x`` was chosen where nan loses to numbers."""
    return logical_or(equal(x, y), logical_and(isnan(x), isnan(y)))


def _chosen_by(op: Any, chosen: Callable[[Array, Array], Array]) -> None:
    """Declare the derivatives of an op that chooses one of two."""

    def vjp_a(g: Array, a: Array, b: Array, y: Array) -> Array:
        return where_chosen(g, chosen(a, y), chosen(b, y))

    def vjp_b(g: Array, a: Array, b: Array, y: Array) -> Array:
        return where_chosen(g, chosen(b, y), chosen(a, y))

    op.def_vjp(vjp_a, wrt="a")
    op.def_vjp(vjp_b, wrt="b")
    op.def_jvp(lambda a_dot, a, b, y: vjp_a(a_dot, a, b, y), wrt="a")
    op.def_jvp(lambda b_dot, a, b, y: vjp_b(b_dot, a, b, y), wrt="b")
    op.def_samples(extremum_samples)


def extremum_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from elementwise_samples(rng, [(-2, 2), (-2, 2)], holomorphic=True)
    yield sample(np.array([np.nan, 0.5, 3.0]), np.array([[1.0], [np.nan]]))


@primitive(
    formula=(
        r"y = \max(a, b), \quad \bar a = \bar y\,([a > b] + \tfrac12 [a = b]), \; "
        r"\bar b = \bar y\,([b > a] + \tfrac12 [a = b])"
    ),
    entrywise=True,
    quiet=True,
    number=_max,
)
def maximum(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The larger of two, entry by entry.  Where they tie, each gets half of the derivative.

    Complex numbers are compared by their real parts, then by their imaginary parts, as everywhere in NumPy.
    """
    return np.maximum(a, b)


@primitive(
    formula=(
        r"y = \min(a, b), \quad \bar a = \bar y\,([a < b] + \tfrac12 [a = b]), \; "
        r"\bar b = \bar y\,([b < a] + \tfrac12 [a = b])"
    ),
    entrywise=True,
    quiet=True,
    number=_min,
)
def minimum(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The smaller of two, entry by entry.  Where they tie, each gets half of the derivative."""
    return np.minimum(a, b)


@primitive(
    formula=(
        r"y = \max(a, b) \text{ of those that are not nan}, \quad "
        r"\bar a = \bar y\,[y = a] / (1 + [a = b]), \; \bar b = \bar y\,[y = b] / (1 + [a = b])"
    ),
    entrywise=True,
    quiet=True,
    number=lambda a, b: b if a != a else a if b != b else _max(a, b),
)
def fmax(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The larger of two, or the one that is not nan, entry by entry.  It gets the derivative; ties share it."""
    return np.fmax(a, b)


@primitive(
    formula=(
        r"y = \min(a, b) \text{ of those that are not nan}, \quad "
        r"\bar a = \bar y\,[y = a] / (1 + [a = b]), \; \bar b = \bar y\,[y = b] / (1 + [a = b])"
    ),
    entrywise=True,
    quiet=True,
    number=lambda a, b: b if a != a else a if b != b else _min(a, b),
)
def fmin(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The smaller of two, or the one that is not nan, entry by entry.  It gets the derivative; ties share it."""
    return np.fmin(a, b)


_chosen_by(maximum, is_extreme)
_chosen_by(minimum, is_extreme)
_chosen_by(fmax, is_extreme_number)
_chosen_by(fmin, is_extreme_number)


def _is_whole(x: Any) -> bool:
    """Whether to leave bounds to ``np.clip``, which knows of those that the dtype of ``x`` cannot hold."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "iub"


@primitive(
    formula=r"y = \max(x, l), \quad \bar x = \bar y\,[x > l], \; \bar l = \bar y\,[x \le l]",
    entrywise=True,
    quiet=True,
    number=_max,
)
def clip_below(x: ArrayLike, bound: ArrayLike, /) -> Array:
    """``x``, but not below ``bound``, entry by entry.  At the bound the derivative goes to the bound."""
    return np.clip(x, bound, None) if _is_whole(x) else np.maximum(x, bound)


@primitive(
    formula=r"y = \min(x, h), \quad \bar x = \bar y\,[x < h], \; \bar h = \bar y\,[x \ge h]",
    entrywise=True,
    quiet=True,
    number=_min,
)
def clip_above(x: ArrayLike, bound: ArrayLike, /) -> Array:
    """``x``, but not above ``bound``, entry by entry.  At the bound the derivative goes to the bound."""
    return np.clip(x, None, bound) if _is_whole(x) else np.minimum(x, bound)


def _limited(op: Any, inside: Callable[[Array, Array], Array]) -> None:
    """Declare the derivatives of an op that returns ``x`` where it is inside of its bound, or nan, else the bound."""

    def kept(x: Array, bound: Array) -> Array:
        return logical_or(inside(x, bound), isnan(x))

    op.def_vjp(lambda g, x, bound: where(kept(x, bound), g, 0), wrt="x")
    op.def_vjp(lambda g, x, bound: where(kept(x, bound), 0, g), wrt="bound")
    op.def_jvp(lambda x_dot, x, bound: where(kept(x, bound), x_dot, 0), wrt="x")
    op.def_jvp(lambda bound_dot, x, bound: where(kept(x, bound), 0, bound_dot), wrt="bound")
    op.def_samples(extremum_samples)


_limited(clip_below, greater)
_limited(clip_above, less)


def clip(
    x: ArrayLike,
    a_min: ArrayLike = None,
    a_max: ArrayLike = None,
    out: None = None,
    *,
    min: ArrayLike = None,
    max: ArrayLike = None,
    **options: Any,
) -> Array:
    """``x`` limited to an interval, as ``np.clip``; a bound that is None does not limit.

    At a bound the derivative is 0: of the slopes 0 and 1 that meet there, the one of smallest size.  The bound, if it
    is a tensor, gets what ``x`` does not.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.clip(x, 0.0, 1.0).sum())(np.array([-1.0, 0.5, 1.0]))
    array([0., 1., 0.])
    """
    refuse_out("clip", out)
    if (min is not None or max is not None) and (a_min is not None or a_max is not None):
        raise ArgumentError("clip got min= or max= beside a_min or a_max, which mean the same. Give one pair.")
    x, low, high = gathered(x), gathered(min if a_min is None else a_min), gathered(max if a_max is None else a_max)
    if isinstance(x, np.ndarray | np.generic | list) and not any(isinstance(a, Node) for a in (low, high)):
        return np.clip(x, low, high, **options)
    if low is None and high is None:
        return positive(x, **options)
    if low is not None:
        x = clip_below(x, low, **options)
    return x if high is None else clip_above(x, high, **options)


class ExtremumMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    maximum = maximum
    minimum = minimum

    def clip(self, min: ArrayLike = None, max: ArrayLike = None, out: None = None, **options: Any) -> Array:
        """See :func:`autodiff.clip`."""
        return clip(self, out=out, min=min, max=max, **options)
