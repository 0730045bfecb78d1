"""Exponentials and logarithms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, data_of
from ..core.numbers import cancelling, is_foreign, lacks, of_library, whole
from .families import elementwise
from .select import equal, isfinite, less, logical_and, logical_not, where

__all__ = ["exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2"]


def ln(n: int, x: Array) -> Array:
    """The logarithm of a whole number, as exact as numbers of the kind of ``x`` are."""
    data = data_of(x)
    return log(whole(data, n)) if is_foreign(data) else math.log(n)


def matched(x: Array, number: Any) -> Array:
    """``x`` as exact as a foreign ``number`` that it stands beside: the logarithm of a float has but 16 digits."""
    return x * whole(number, 1) if is_foreign(number) and not is_foreign(data_of(x)) else x


@elementwise(lambda y: y, formula=r"y = e^x, \quad y' = y", holomorphic=True)
def exp(x: ArrayLike, /) -> Array:
    """Exponential ``e ** x``, entry by entry."""
    return np.exp(x)


def _two_to(x: Any) -> Any:
    y = whole(x, 2) ** x
    if isinstance(y, float):
        raise lacks(type(x), "exp2")  # a Fraction of which Python makes a float
    return y


@elementwise(
    lambda y: ln(2, y) * y,
    formula=r"y = 2^x, \quad y' = y \ln 2",
    number=of_library("exp2", _two_to),
    holomorphic=True,
)
def exp2(x: ArrayLike, /) -> Array:
    """``2 ** x``, entry by entry."""
    return np.exp2(x)


@elementwise(
    lambda x: exp(x),
    formula=r"y = e^x - 1, \quad y' = e^x",
    holomorphic=True,
    number=of_library("expm1", cancelling(lambda x: exp(x) - 1)),
)
def expm1(x: ArrayLike, /) -> Array:
    """``e ** x - 1``, entry by entry, accurate near 0."""
    return np.expm1(x)


@elementwise(lambda x: 1 / x, formula=r"y = \ln x, \quad y' = \frac{1}{x}", domain=(0.5, 3), holomorphic=True)
def log(x: ArrayLike, /) -> Array:
    """Natural logarithm, entry by entry."""
    return np.log(x)


def _log_slope(base: int, x: Array) -> Array:
    """``1 / (x * ln(base))``, where the product would overflow before the quotient is 0."""
    return 1 / ln(base, x) / x


def _log_to_base(base: int) -> Callable[[Any], Any]:
    return lambda x: log(x) / log(whole(x, base))


@elementwise(
    lambda x: _log_slope(2, x),
    formula=r"y = \log_2 x, \quad y' = \frac{1}{x \ln 2}",
    domain=(0.5, 3),
    number=of_library("log2", _log_to_base(2)),
    holomorphic=True,
)
def log2(x: ArrayLike, /) -> Array:
    """Logarithm to base 2, entry by entry."""
    return np.log2(x)


@elementwise(
    lambda x: _log_slope(10, x),
    formula=r"y = \log_{10} x, \quad y' = \frac{1}{x \ln 10}",
    domain=(0.5, 3),
    number=of_library("log10", _log_to_base(10)),
    holomorphic=True,
)
def log10(x: ArrayLike, /) -> Array:
    """Logarithm to base 10, entry by entry."""
    return np.log10(x)


@elementwise(
    lambda x: 1 / (1 + x),
    formula=r"y = \ln(1 + x), \quad y' = \frac{1}{1 + x}",
    domain=(-0.5, 3),
    number=of_library("log1p", cancelling(lambda x: log(1 + x))),
    holomorphic=True,
)
def log1p(x: ArrayLike, /) -> Array:
    """``log(1 + x)``, entry by entry, accurate near 0."""
    return np.log1p(x)


def _share(power: Callable[[Array], Array], a: Array, b: Array) -> Array:
    """The share of ``a`` in a sum of powers; of two infinities each has half, and of nothing nobody has anything."""
    gap = b - a
    if is_foreign(data_of(gap)):
        return 1 / (1 + power(gap))
    equally_infinite = logical_and(equal(a, b), logical_not(isfinite(a)))
    gap = where(equally_infinite, 0, gap)
    gap = where(logical_and(equally_infinite, less(a, 0)), math.inf, gap)
    smaller = power(where(gap > 0, -gap, gap))
    return where(gap > 0, smaller, 1) / (1 + smaller)


def _sum_of(power: Callable[[Any], Any], log: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: log(power(a) + power(b))


@elementwise(
    lambda a, b: _share(exp, a, b),
    lambda a, b: _share(exp, b, a),
    formula=r"y = \ln(e^a + e^b), \quad \bar a = \bar y / (1 + e^{b - a}), \; \bar b = \bar y / (1 + e^{a - b})",
    number=of_library("logaddexp", _sum_of(exp, log)),
)
def logaddexp(a: ArrayLike, b: ArrayLike, /) -> Array:
    """``log(e ** a + e ** b)``, entry by entry.  Never overflows.  Derivative 0 where both are -inf."""
    return np.logaddexp(a, b)


@elementwise(
    lambda a, b: _share(exp2, a, b),
    lambda a, b: _share(exp2, b, a),
    formula=r"y = \log_2(2^a + 2^b), \quad \bar a = \bar y / (1 + 2^{b - a}), \; \bar b = \bar y / (1 + 2^{a - b})",
    number=of_library("logaddexp2", _sum_of(exp2, log2)),
)
def logaddexp2(a: ArrayLike, b: ArrayLike, /) -> Array:
    """``log2(2 ** a + 2 ** b)``, entry by entry.  Never overflows.  Derivative 0 where both are -inf."""
    return np.logaddexp2(a, b)


class ExponentialMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    exp = exp
    exp2 = exp2
    expm1 = expm1
    log = log
    log2 = log2
    log10 = log10
    log1p = log1p
    logaddexp = logaddexp
