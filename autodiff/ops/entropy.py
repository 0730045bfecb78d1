"""Products with a logarithm, as entropies are made of, and log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, data_of
from .activation import log_sigmoid
from .double import in_double, log_ratio, of_numbers
from .exponential import log, log1p, matched
from .families import elementwise
from .select import equal, less_equal, logical_and, where

__all__ = ["entr", "kl_div", "log_expit", "logit", "rel_entr", "xlog1py", "xlogy"]

Doubles = Any


def _xlogy(x: Doubles, a: Doubles) -> Doubles:
    return np.where((x == 0) & ~np.isnan(a), 0, x * np.log(a))


def _xlog1py(x: Doubles, a: Doubles) -> Doubles:
    return np.where((x == 0) & ~np.isnan(a), 0, x * np.log1p(a))


def _divergence(x: Doubles, a: Doubles, elsewhere: Doubles) -> Doubles:
    """``elsewhere`` outside the quadrant where entropies are finite."""
    inside = np.where((x == 0) & (a >= 0), elsewhere, np.inf)
    return np.where(np.isnan(x) | np.isnan(a), np.nan, inside)


def _rel_entr(x: Doubles, a: Doubles) -> Doubles:
    return np.where((x > 0) & (a > 0), x * log_ratio(x, a), _divergence(x, a, 0))


def _kl_div(x: Doubles, a: Doubles) -> Doubles:
    return np.where((x > 0) & (a > 0), x * log_ratio(x, a) - x + a, _divergence(x, a, a))


def _entr(x: Doubles) -> Doubles:
    return np.where(x == 0, 0, np.where(x < 0, -np.inf, -x * np.log(x)))


def _logit(x: Doubles) -> Doubles:
    twice = 2 * (x - 0.5)
    near = np.abs(twice) < 0.4
    return np.where(near, np.log1p(twice) - np.log1p(-twice), np.log(x / (1 - x)))


# Where x and its partner both are 0, the slopes have no limit, and are 0: an outcome that cannot happen says nothing.


def _nonzero(a: Array, x: Array) -> Array:
    """``a`` as a divisor of ``x``: 0 / 0 is 0, and there is no negative zero."""
    return where(logical_and(equal(a, 0), equal(x, 0)), 1, a + 0)


@elementwise(
    lambda x, a: where(logical_and(equal(x, 0), less_equal(a, 0)), 0, log(matched(a, data_of(x)))),
    lambda x, a: x / _nonzero(a, x),
    formula=r"y = x \ln a, \quad \bar x = \bar y \ln a, \; \bar a = \bar y\,x / a",
    domain=[(-2, 2), (0.5, 3)],
    number=of_numbers("xlogy", _xlogy, lambda x, a: x * log(a) if x != 0 else x * 0),
)
def xlogy(x: ArrayLike, a: ArrayLike, /) -> Array:
    """``x * log(a)``, entry by entry, and 0 where ``x`` is 0.  Derivatives are 0 where both are 0.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda p: ad.xlogy(p, p).sum())(np.array([0.0, 1.0]))
    array([0., 1.])
    """
    return in_double("xlogy", _xlogy, x, a)


@elementwise(
    lambda x, a: where(logical_and(equal(x, 0), less_equal(a, -1)), 0, log1p(matched(a, data_of(x)))),
    lambda x, a: x / _nonzero(1 + a, x),
    formula=r"y = x \ln(1 + a), \quad \bar x = \bar y \ln(1 + a), \; \bar a = \bar y\,x / (1 + a)",
    domain=[(-2, 2), (-0.5, 3)],
    number=of_numbers("xlog1py", _xlog1py, lambda x, a: x * log1p(a) if x != 0 else x * 0),
)
def xlog1py(x: ArrayLike, a: ArrayLike, /) -> Array:
    """``x * log(1 + a)``, entry by entry, and 0 where ``x`` is 0.  Derivatives are 0 at ``x = 0, a = -1``."""
    return in_double("xlog1py", _xlog1py, x, a)


@elementwise(
    lambda x: -log(x) - 1,
    formula=r"y = -x \ln x, \quad y' = -\ln x - 1",
    domain=(0.2, 3),
    number=of_numbers("entr", _entr, lambda x: -x * log(x) if x != 0 else x),
)
def entr(x: ArrayLike, /) -> Array:
    """``-x * log(x)``, entry by entry: 0 at 0, -inf below.  Slope inf at 0, unless its cotangent is 0."""
    return in_double("entr", _entr, x, narrow=True)


@elementwise(
    lambda x: 1 / (x + 0),
    lambda a: -1 / (a + 0),
    formula=r"y = \ln\frac{x}{a}, \quad \bar x = \bar y / x, \; \bar a = -\bar y / a",
    domain=[(0.5, 3), (0.5, 3)],
    number=of_numbers("log_quotient", log_ratio, lambda x, a: log(x / a)),
)
def log_quotient(x: ArrayLike, a: ArrayLike, /) -> Array:
    """``log(x / a)``, entry by entry, exact where the two are close, without overflow."""
    return in_double("log_quotient", log_ratio, x, a, narrow=True)


@elementwise(
    lambda x, a: where(logical_and(equal(x, 0), equal(a, 0)), 0, log_quotient(x, _nonzero(a, x)) + 1),
    lambda x, a: -x / _nonzero(a, x),
    formula=r"y = x \ln\frac{x}{a}, \quad \bar x = \bar y\,(\ln\frac{x}{a} + 1), \; \bar a = -\bar y\,x / a",
    domain=[(0.5, 3), (0.5, 3)],
    number=of_numbers("rel_entr", _rel_entr, lambda x, a: x * log(x / a)),
)
def rel_entr(x: ArrayLike, a: ArrayLike, /) -> Array:
    """Relative entropy ``x * log(x / a)``, entry by entry: 0 at ``x = 0``, inf outside the quadrant.

    Derivatives are 0 where both are 0.
    """
    return in_double("rel_entr", _rel_entr, x, a, narrow=True)


@elementwise(
    lambda x, a: where(logical_and(equal(x, 0), equal(a, 0)), 0, log_quotient(x, _nonzero(a, x))),
    lambda x, a: 1 - x / _nonzero(a, x),
    formula=r"y = x \ln\frac{x}{a} - x + a, \quad \bar x = \bar y \ln\frac{x}{a}, \; \bar a = \bar y\,(1 - x / a)",
    domain=[(0.5, 3), (0.5, 3)],
    number=of_numbers("kl_div", _kl_div, lambda x, a: x * log(x / a) - x + a),
)
def kl_div(x: ArrayLike, a: ArrayLike, /) -> Array:
    """``x * log(x / a) - x + a``, entry by entry: ``a`` at ``x = 0``, inf outside the quadrant.

    The derivative in ``x`` is 0 where both are 0.
    """
    return in_double("kl_div", _kl_div, x, a, narrow=True)


@elementwise(
    lambda x: 1 / x + 1 / (1 - x),
    formula=r"y = \ln\frac{x}{1 - x}, \quad y' = \frac{1}{x} + \frac{1}{1 - x}",
    domain=(0.05, 0.95),
    number=of_numbers("logit", _logit, lambda x: log(x / (1 - x))),
)
def logit(x: ArrayLike, /) -> Array:
    """Log-odds ``log(x / (1 - x))``, entry by entry: -inf at 0, inf at 1, nan beyond."""
    return in_double("logit", _logit, x)


log_expit = log_sigmoid
