"""Relatives of the error function: scaled, inverted, in logarithms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike
from .arithmetic import square
from .double import in_double, of_numbers
from .exponential import exp, log
from .families import elementwise
from .special import (
    NEAR,
    erf_near_zero,
    erfc,
    exp_of_square,
    ndtr,
    normal_density,
    normal_distribution,
    root_of,
    scaled_complement,
    tail_rest,
    two_over_root_pi,
)

__all__ = ["erfcinv", "erfcx", "erfinv", "log_ndtr", "ndtri"]

Doubles = Any


def _erfcx(x: Doubles) -> Doubles:
    far = np.maximum(np.abs(x), NEAR)
    tail, near = scaled_complement(far), np.clip(x, -NEAR, NEAR)
    left = np.where(x < 0, 2 * exp_of_square(1, far) - tail, tail)
    return np.where(np.abs(x) <= NEAR, np.exp(near * near) * (1 - erf_near_zero(near)), left)


def _erfcx_rest(x: Doubles) -> Doubles:
    far = np.maximum(x, 4)
    near = np.minimum(x, 4)
    return np.where(x >= 4, tail_rest(1 / (far * far)), 1 / math.sqrt(math.pi) - near * _erfcx(near))


# Coefficients of M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Appl. Statist. 37
# (1988) 477-484, PPND16, highest power first: in the middle, in the tail, and far out.
_CENTRE = (
    [2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0],
    [5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0],
)  # fmt: skip
_OUTSIDE = (
    [7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0],
    [1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0],
)  # fmt: skip
_FAR_OUT = (
    [2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0],
    [2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0],
)  # fmt: skip


def _quantile(offset: Doubles, tail: Doubles) -> Doubles:
    """Where the normal distribution function is ``1/2 + offset``; ``tail`` is the smaller of that and what lacks to 1.

    Both are given, since each is exact where it is small.
    """
    central = np.abs(offset) <= 0.425
    middle = np.where(central, offset, 0)
    r = np.sqrt(-np.log(np.where(central, 0.05, tail)))
    outside: Any = np.where(r <= 5, _ratio(_OUTSIDE, np.minimum(r, 5) - 1.6), _ratio(_FAR_OUT, np.clip(r, 5, 40) - 5))
    outside = np.where(tail == 0, np.inf, outside)
    return np.where(central, middle * _ratio(_CENTRE, 0.180625 - middle * middle), np.copysign(outside, offset))


def _ratio(coefficients: tuple[list[float], list[float]], x: Doubles) -> Doubles:
    return np.polyval(coefficients[0], x) / np.polyval(coefficients[1], x)


def _within(low: float, x: Doubles, high: float, y: Doubles) -> Doubles:
    """``y`` where ``x`` lies between the bounds, else nan."""
    return np.where((x >= low) & (x <= high), y, np.nan)


def _erfinv(x: Doubles) -> Doubles:
    return _within(-1, x, 1, _quantile(x / 2, (1 - np.abs(x)) / 2) / math.sqrt(2))


def _erfcinv(x: Doubles) -> Doubles:
    return _within(0, x, 2, -_quantile((x - 1) / 2, np.minimum(x, 2 - x) / 2) / math.sqrt(2))


def _ndtri(x: Doubles) -> Doubles:
    return _within(0, x, 1, _quantile(x - 0.5, np.minimum(x, 1 - x)))


def _log_ndtr(x: Doubles) -> Doubles:
    left = np.minimum(x, -1)
    below = -left * left / 2 + np.log(_erfcx(-left / math.sqrt(2)) / 2)
    return np.where(x < -1, below, np.log1p(-normal_distribution(-np.maximum(x, -1))))


@elementwise(
    lambda x: -2 * erfcx_rest(x),
    formula=r"y = e^{x^2} \operatorname{erfc} x, \quad y' = 2 x y - \frac{2}{\sqrt\pi}",
    number=of_numbers("erfcx", _erfcx, lambda x: exp(square(x)) * erfc(x)),
)
def erfcx(x: ArrayLike, /) -> Array:
    """Scaled complement of the error function, ``exp(x**2) * erfc(x)``, entry by entry."""
    return in_double("erfcx", _erfcx, x)


@elementwise(
    lambda x, y: 2 * x * y - erfcx(x),
    formula=r"y = \pi^{-1/2} - x\,e^{x^2} \operatorname{erfc} x, \quad y' = 2 x y - e^{x^2} \operatorname{erfc} x",
    number=of_numbers("erfcx_rest", _erfcx_rest, lambda x: two_over_root_pi(x) / 2 - x * erfcx(x)),
)
def erfcx_rest(x: ArrayLike, /) -> Array:
    """``1 / sqrt(pi) - x * erfcx(x)``, entry by entry, which is small for large ``x``."""
    return in_double("erfcx_rest", _erfcx_rest, x)


@elementwise(
    lambda x, y: exp(square(y)) / two_over_root_pi(x),
    formula=r"\operatorname{erf} y = x, \quad y' = \frac{\sqrt\pi}{2} e^{y^2}",
    domain=(-0.95, 0.95),
)
def erfinv(x: ArrayLike, /) -> Array:
    """Inverse of the error function, entry by entry: inf at 1, nan beyond."""
    return in_double("erfinv", _erfinv, x, narrow=True)


@elementwise(
    lambda x, y: -exp(square(y)) / two_over_root_pi(x),
    formula=r"\operatorname{erfc} y = x, \quad y' = -\frac{\sqrt\pi}{2} e^{y^2}",
    domain=(0.05, 1.95),
    number=of_numbers("erfcinv", _erfcinv, lambda x: erfinv(1 - x)),
)
def erfcinv(x: ArrayLike, /) -> Array:
    """Inverse of ``erfc``, entry by entry: inf at 0, nan below."""
    return in_double("erfcinv", _erfcinv, x, narrow=True)


@elementwise(
    lambda x: two_over_root_pi(x) / (root_of(2, x) * erfcx(-x / root_of(2, x))),
    formula=r"y = \ln \Phi(x), \quad y' = \varphi(x) / \Phi(x)",
    number=of_numbers("log_ndtr", _log_ndtr, lambda x: log(ndtr(x))),
)
def log_ndtr(x: ArrayLike, /) -> Array:
    """Logarithm of the normal distribution function, entry by entry.  Value and derivative are exact in both tails."""
    return in_double("log_ndtr", _log_ndtr, x)


@elementwise(
    lambda y: 1 / normal_density(y),
    formula=r"\Phi(y) = x, \quad y' = 1 / \varphi(y)",
    domain=(0.05, 0.95),
    number=of_numbers("ndtri", _ndtri, lambda x: root_of(2, x) * erfinv(2 * x - 1)),
)
def ndtri(x: ArrayLike, /) -> Array:
    """Inverse of the normal distribution function, entry by entry: -inf at 0, inf at 1, nan beyond."""
    return in_double("ndtri", _ndtri, x, narrow=True)
