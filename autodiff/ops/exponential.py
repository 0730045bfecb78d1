"""Exponentials and logarithms."""

from __future__ import annotations

import math

import numpy as np

from ..core.node import Array, ArrayLike, data_of
from .families import elementwise
from .select import equal, where

__all__ = ["exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "logaddexp"]


def ln(whole: int, x: Array) -> Array:
    """The logarithm of a whole number, as exact as numbers of the kind of ``x`` are."""
    data = data_of(x)
    if isinstance(data, (np.ndarray, np.generic, float, int, complex)):
        return math.log(whole)
    return log(data * 0 + whole)


@elementwise(lambda y: y, formula=r"y = e^x, \quad y' = y", holomorphic=True)
def exp(x: ArrayLike, /) -> Array:
    """Exponential ``e ** x``, entry by entry."""
    return np.exp(x)


@elementwise(lambda y: ln(2, y) * y, formula=r"y = 2^x, \quad y' = y \ln 2", number=lambda x: 2**x, holomorphic=True)
def exp2(x: ArrayLike, /) -> Array:
    """``2 ** x``, entry by entry."""
    return np.exp2(x)


@elementwise(lambda x: exp(x), formula=r"y = e^x - 1, \quad y' = e^x", holomorphic=True)
def expm1(x: ArrayLike, /) -> Array:
    """``e ** x - 1``, entry by entry, accurate near 0."""
    return np.expm1(x)


@elementwise(lambda x: 1 / x, formula=r"y = \ln x, \quad y' = \frac1x", domain=(0.5, 3), holomorphic=True)
def log(x: ArrayLike, /) -> Array:
    """Natural logarithm, entry by entry."""
    return np.log(x)


@elementwise(
    lambda x: 1 / (ln(2, x) * x),
    formula=r"y = \log_2 x, \quad y' = \frac{1}{x \ln 2}",
    domain=(0.5, 3),
    holomorphic=True,
)
def log2(x: ArrayLike, /) -> Array:
    """Logarithm to base 2, entry by entry."""
    return np.log2(x)


@elementwise(
    lambda x: 1 / (ln(10, x) * x),
    formula=r"y = \log_{10} x, \quad y' = \frac{1}{x \ln 10}",
    domain=(0.5, 3),
    holomorphic=True,
)
def log10(x: ArrayLike, /) -> Array:
    """Logarithm to base 10, entry by entry."""
    return np.log10(x)


@elementwise(
    lambda x: 1 / (1 + x), formula=r"y = \ln(1 + x), \quad y' = \frac{1}{1 + x}", domain=(-0.5, 3), holomorphic=True
)
def log1p(x: ArrayLike, /) -> Array:
    """``log(1 + x)``, entry by entry, accurate near 0."""
    return np.log1p(x)


def _share(a: Array, y: Array) -> Array:
    return exp(a - where(equal(y, -math.inf), 0, y))  # 0 where both are -inf, as in logsumexp


@elementwise(
    _share,
    lambda b, y: _share(b, y),
    formula=r"y = \ln(e^a + e^b), \quad \bar a = e^{a - y}\,\bar y, \; \bar b = e^{b - y}\,\bar y",
)
def logaddexp(a: ArrayLike, b: ArrayLike, /) -> Array:
    """``log(e ** a + e ** b)``, entry by entry.  Never overflows."""
    return np.logaddexp(a, b)


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
