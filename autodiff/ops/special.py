"""Special functions that NumPy lacks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, data_of
from ..core.numbers import is_foreign, whole
from .arithmetic import sqrt, square
from .double import in_double, of_numbers
from .exponential import exp
from .families import elementwise
from .trigonometric import arctan

__all__ = ["erf", "erfc", "ndtr"]

# Coefficients of W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969) 631-637,
# highest power first: near 0, in the middle, and in the tail.
_NEAR = (
    [1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3],
    [1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
)  # fmt: skip
_MIDDLE = (
    [2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3],
    [1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3],
)  # fmt: skip
_TAIL = (
    [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4],
    [1.0, 2.56852019228982242e0, 1.87295284992346047e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3],
)  # fmt: skip


def _ratio(coefficients: tuple[list[float], list[float]], x: Any) -> Any:
    top, bottom = (np.polyval(np.asarray(c, dtype=x.dtype), x) for c in coefficients)
    return top / bottom


NEAR = 0.46875  # where the first of the three approximations ends


def erf_near_zero(x: Any) -> Any:
    """The error function for ``|x| <= NEAR``, in NumPy."""
    return x * _ratio(_NEAR, x * x)


def scaled_complement(x: Any) -> Any:
    """``e**(x**2) * (1 - erf(x))`` for ``x >= NEAR``, in NumPy."""
    t = np.maximum(x, 4)
    inverse = 1 / (t * t)
    tail = (1 / math.sqrt(math.pi) - tail_rest(inverse)) / t
    return np.where(x <= 4, _ratio(_MIDDLE, np.minimum(x, 4)), tail)


def tail_rest(inverse: Any) -> Any:
    """``1 / sqrt(pi) - x * scaled_complement(x)`` for ``x >= 4``, of ``inverse = 1 / x**2``, in NumPy."""
    return inverse * _ratio(_TAIL, inverse)


def _erf(x: Any) -> Any:
    """The error function in NumPy, to a few units in the last place."""
    size = np.minimum(np.abs(x), 6)  # beyond, erf is 1 to the last bit
    far = np.maximum(size, NEAR)
    y = np.where(size <= NEAR, erf_near_zero(np.minimum(size, NEAR)), 1 - np.exp(-far * far) * scaled_complement(far))
    return np.copysign(np.where(np.isnan(x), x, y), x)


def exp_of_square(factor: float, x: Any) -> Any:
    """``exp(factor * x**2)``, its exponent in two parts: the first is exact, the second small."""
    x = np.minimum(np.abs(x), 60)  # beyond, the result is 0 or inf
    head = np.trunc(16 * x) / 16
    return np.exp(factor * head * head) * np.exp(factor * (x - head) * (x + head))


def _erfc(x: Any) -> Any:
    far = np.maximum(np.abs(x), NEAR)
    tail = exp_of_square(-1, far) * scaled_complement(far)
    near = 1 - erf_near_zero(np.clip(x, -NEAR, NEAR))
    return np.where(np.abs(x) <= NEAR, near, np.where(x < 0, 2 - tail, tail))


def normal_distribution(x: Any) -> Any:
    """The normal distribution function in NumPy."""
    z = x / math.sqrt(2)  # its rounding error would show in the exponential of its square, and does not in what is left
    far = np.maximum(np.abs(z), NEAR)
    tail = 0.5 * exp_of_square(-0.5, x) * scaled_complement(far)
    near = 0.5 + 0.5 * erf_near_zero(np.clip(z, -NEAR, NEAR))
    return np.where(np.abs(z) <= NEAR, near, np.where(x < 0, tail, 1 - tail))


def two_over_root_pi(x: Array) -> Array:
    """As exact as numbers of the kind of ``x`` are."""
    data = data_of(x)
    return 1 / sqrt(arctan(whole(data, 1))) if is_foreign(data) else 2 / math.sqrt(math.pi)


@elementwise(
    lambda x: exp(-square(x)) * two_over_root_pi(x),
    formula=r"y = \frac{2}{\sqrt\pi} \int_0^x e^{-t^2} dt, \quad y' = \frac{2}{\sqrt\pi} e^{-x^2}",
)
def erf(x: ArrayLike, /) -> Array:
    """Error function of real numbers, entry by entry."""
    return _erf(x) if getattr(x, "dtype", None) == np.float32 else in_double("erf", _erf, x)


@elementwise(
    lambda x: -exp(-square(x)) * two_over_root_pi(x),
    formula=r"y = 1 - \operatorname{erf} x, \quad y' = -\frac{2}{\sqrt\pi} e^{-x^2}",
)
def erfc(x: ArrayLike, /) -> Array:
    """Complement of the error function, ``1 - erf(x)``, entry by entry.  Exact in the tail."""
    return in_double("erfc", _erfc, x)


def root_of(n: int, x: Array) -> Array:
    """The square root of a whole number, as exact as numbers of the kind of ``x`` are."""
    data = data_of(x)
    return sqrt(whole(data, n)) if is_foreign(data) else math.sqrt(n)


def normal_density(x: Array) -> Array:
    """The density of the normal distribution."""
    return exp(-square(x) / 2) * (two_over_root_pi(x) / root_of(8, x))


@elementwise(
    lambda x: normal_density(x),
    formula=r"y = \Phi(x) = \frac{1}{\sqrt{2\pi}} \int_{-\infty}^x e^{-t^2/2} dt, \quad y' = \varphi(x)",
    number=of_numbers("ndtr", normal_distribution, lambda x: erfc(-x / root_of(2, x)) / 2),
)
def ndtr(x: ArrayLike, /) -> Array:
    """Normal distribution function, entry by entry.  Exact in the lower tail."""
    if getattr(x, "dtype", None) == np.float32:
        return normal_distribution(x)
    return in_double("ndtr", normal_distribution, x)


class SpecialMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    erf = erf
    erfc = erfc
    ndtr = ndtr
