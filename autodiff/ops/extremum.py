"""The larger and the smaller of two, and clipping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike
from ..core.op import primitive
from ..core.rule import Sample
from .families import elementwise, elementwise_samples
from .select import equal, greater, greater_equal, less, logical_and, logical_or, where

__all__ = ["clip", "maximum", "minimum"]


def _max(a: Any, b: Any) -> Any:
    return a if a >= b or a != a else b  # nan wins, as in NumPy


def _min(a: Any, b: Any) -> Any:
    return a if a <= b or a != a else b


@primitive(formula=r"y = \max(a, b), \quad \bar a = \bar y\,([a > b] + \tfrac12 [a = b])", entrywise=True, number=_max)
def maximum(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The larger of two, entry by entry.  Where they tie, each gets half of the derivative."""
    return np.maximum(a, b)


@primitive(formula=r"y = \min(a, b), \quad \bar a = \bar y\,([a < b] + \tfrac12 [a = b])", entrywise=True, number=_min)
def minimum(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The smaller of two, entry by entry.  Where they tie, each gets half of the derivative."""
    return np.minimum(a, b)


# Both modes scale by one factor, 1, 1/2 or 0; choosing keeps the kind of the number, multiplying would not.


def where_greater(g: Array, a: Array, b: Array) -> Array:
    return where(greater(a, b), g, where(equal(a, b), g / 2, 0))


def where_less(g: Array, a: Array, b: Array) -> Array:
    return where(less(a, b), g, where(equal(a, b), g / 2, 0))


maximum.def_vjp(where_greater, wrt="a")
maximum.def_vjp(where_less, wrt="b")
minimum.def_vjp(where_less, wrt="a")
minimum.def_vjp(where_greater, wrt="b")


@maximum.def_jvp(wrt="a")
def maximum_jvp_a(a_dot: Array, a: Array, b: Array) -> Array:
    return where_greater(a_dot, a, b)


@maximum.def_jvp(wrt="b")
def maximum_jvp_b(b_dot: Array, a: Array, b: Array) -> Array:
    return where_less(b_dot, a, b)


@minimum.def_jvp(wrt="a")
def minimum_jvp_a(a_dot: Array, a: Array, b: Array) -> Array:
    return where_less(a_dot, a, b)


@minimum.def_jvp(wrt="b")
def minimum_jvp_b(b_dot: Array, a: Array, b: Array) -> Array:
    return where_greater(b_dot, a, b)


def extremum_samples(rng: np.random.Generator) -> Iterator[Sample]:
    return elementwise_samples(rng, [(-2, 2), (-2, 2)])


maximum.def_samples(extremum_samples)
minimum.def_samples(extremum_samples)


@elementwise(
    lambda x, low, high: logical_and(greater(x, low), less(x, high)),
    lambda x, low, high: logical_and(less(x, low), less(low, high)),
    lambda x, low, high: logical_or(greater(x, high), greater_equal(low, high)),
    formula=r"y = \min(\max(x, l), h), \quad \bar x = \bar y\,[l < x < h]",
    domain=[(-2, 2), (-1, -0.5), (0.5, 1)],
    number=lambda x, low, high: min(max(x, low), high),
)
def clip_between(x: ArrayLike, low: ArrayLike, high: ArrayLike, /) -> Array:
    """``x`` limited to an interval, entry by entry.  Derivative 0 at a bound: the subgradient of smallest norm."""
    return np.minimum(np.maximum(x, low), high)


def clip(
    x: ArrayLike,
    a_min: ArrayLike = None,
    a_max: ArrayLike = None,
    *,
    min: ArrayLike = None,
    max: ArrayLike = None,
) -> Array:
    """``x`` limited to an interval, as ``np.clip``; a bound that is None does not limit.

    At a bound the derivative is 0: of the slopes 0 and 1 that meet there, the one of smallest size.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.clip(x, 0.0, 1.0).sum())(np.array([-1.0, 0.5, 1.0]))
    array([0., 1., 0.])
    """
    low, high = a_min if a_min is not None else min, a_max if a_max is not None else max
    return clip_between(x, -np.inf if low is None else low, np.inf if high is None else high)


class ExtremumMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    maximum = maximum
    minimum = minimum
    clip = clip
