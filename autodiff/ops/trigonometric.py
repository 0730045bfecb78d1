"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.dispatch import gathered
from ..core.node import Array, ArrayLike, data_of, is_complex
from ..core.numbers import function_for, is_foreign, lacks, of_library, whole
from .arithmetic import imag, real, sign, sqrt
from .families import elementwise
from .select import equal, isinf, logical_or, signbit, where

__all__ = [
    "acos",
    "acosh",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "hypot",
    "rad2deg",
    "radians",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


@elementwise(lambda x: cos(x), formula=r"y = \sin x, \quad y' = \cos x", quiet=True, holomorphic=True)
def sin(x: ArrayLike, /) -> Array:
    """Sine of an angle in radians, entry by entry."""
    return np.sin(x)


@elementwise(lambda x: -sin(x), formula=r"y = \cos x, \quad y' = -\sin x", quiet=True, holomorphic=True)
def cos(x: ArrayLike, /) -> Array:
    """Cosine of an angle in radians, entry by entry."""
    return np.cos(x)


@elementwise(lambda y: 1 + y * y, formula=r"y = \tan x, \quad y' = 1 + y^2", domain=(-1, 1), holomorphic=True)
def tan(x: ArrayLike, /) -> Array:
    """Tangent of an angle in radians, entry by entry."""
    return np.tan(x)


# The slopes of the inverse functions are written with differences of x and constants, which are exact where they are
# small.  In the complex plane these have branch cuts, and the sign of a zero says on which side of the cut x lies: so
# constants are subtracted there, never subtracted from, since 1 - x and x + 1 are of imaginary part +0 on both sides.


@elementwise(
    lambda x: -2 * x, formula=r"y = 1 - x^2, \quad y' = -2 x", number=lambda x: (1 - x) * (1 + x), holomorphic=True
)
def one_minus_square(x: ArrayLike, /) -> Array:
    """``1 - x**2``, entry by entry, accurate near 1 and -1."""
    return (1 - x) * (1 + x)


def root_of_one_minus_square(x: Array) -> Array:
    """``sqrt(1 - x**2)`` without overflow."""
    if np.iscomplexobj(data_of(x)):
        return sqrt(-(x - 1)) * sqrt(x - -1)
    return sqrt(one_minus_square(x))


def root_of_square_plus_one(x: Array) -> Array:
    """``sqrt(x**2 + 1)`` without overflow."""
    data = data_of(x)
    if is_foreign(data):
        return sqrt(x * x + 1)
    if not np.iscomplexobj(data):
        return hypot(1, x)
    left = signbit(real(x))
    below, above = x - 1j, x - complex(0, -1)
    return sqrt(where(left, -below, below)) * sqrt(where(left, -above, above))


@elementwise(
    lambda x: 1 / root_of_one_minus_square(x),
    formula=r"y = \arcsin x, \quad y' = \frac{1}{\sqrt{1 - x^2}}",
    domain=(-0.8, 0.8),
    holomorphic=True,
)
def arcsin(x: ArrayLike, /) -> Array:
    """Inverse sine in radians, entry by entry."""
    return np.arcsin(x)


@elementwise(
    lambda x: -1 / root_of_one_minus_square(x),
    formula=r"y = \arccos x, \quad y' = \frac{-1}{\sqrt{1 - x^2}}",
    domain=(-0.8, 0.8),
    holomorphic=True,
)
def arccos(x: ArrayLike, /) -> Array:
    """Inverse cosine in radians, entry by entry."""
    return np.arccos(x)


def _arctan_slope(x: Array) -> Array:
    return 1 / (x - 1j) / (x + 1j) if np.iscomplexobj(data_of(x)) else 1 / (1 + x * x)


@elementwise(_arctan_slope, formula=r"y = \arctan x, \quad y' = \frac{1}{1 + x^2}", holomorphic=True)
def arctan(x: ArrayLike, /) -> Array:
    """Inverse tangent in radians, entry by entry."""
    return np.arctan(x)


@elementwise(lambda x: cosh(x), formula=r"y = \sinh x, \quad y' = \cosh x", holomorphic=True)
def sinh(x: ArrayLike, /) -> Array:
    """Hyperbolic sine, entry by entry."""
    return np.sinh(x)


@elementwise(lambda x: sinh(x), formula=r"y = \cosh x, \quad y' = \sinh x", holomorphic=True)
def cosh(x: ArrayLike, /) -> Array:
    """Hyperbolic cosine, entry by entry."""
    return np.cosh(x)


@elementwise(lambda y: 1 - y * y, formula=r"y = \tanh x, \quad y' = 1 - y^2", quiet=True, holomorphic=True)
def tanh(x: ArrayLike, /) -> Array:
    """Hyperbolic tangent, entry by entry.  The slope is exact to a rounding of 1: 0 in the far tails."""
    return np.tanh(x)


@elementwise(
    lambda x: 1 / root_of_square_plus_one(x),
    formula=r"y = \operatorname{arsinh} x, \quad y' = \frac{1}{\sqrt{x^2 + 1}}",
    holomorphic=True,
)
def arcsinh(x: ArrayLike, /) -> Array:
    """Inverse hyperbolic sine, entry by entry."""
    return np.arcsinh(x)


@elementwise(
    lambda x: 1 / (sqrt(x - 1) * sqrt(x - -1)),
    formula=r"y = \operatorname{arcosh} x, \quad y' = \frac{1}{\sqrt{x - 1}\sqrt{x + 1}}",
    domain=(1.5, 3),
    holomorphic=True,
)
def arccosh(x: ArrayLike, /) -> Array:
    """Inverse hyperbolic cosine, entry by entry."""
    return np.arccosh(x)


def _arctanh_slope(x: Array) -> Array:
    return 1 / (1 - x) / (1 + x) if np.iscomplexobj(data_of(x)) else 1 / one_minus_square(x)


@elementwise(
    _arctanh_slope,
    formula=r"y = \operatorname{artanh} x, \quad y' = \frac{1}{1 - x^2}",
    domain=(-0.8, 0.8),
    holomorphic=True,
)
def arctanh(x: ArrayLike, /) -> Array:
    """Inverse hyperbolic tangent, entry by entry."""
    return np.arctanh(x)


def _over_square(numerator: Array, a: Array, b: Array) -> Array:
    """``numerator / (a² + b²)`` without overflow, and 0 at the origin and at infinity."""
    r = hypot(a, b)
    flat = logical_or(equal(r, 0), isinf(r))
    r = where(flat, 1, r)
    return where(flat, 0, numerator / r / r)


@elementwise(
    lambda a, b: _over_square(b, a, b),
    lambda a, b: -_over_square(a, a, b),
    formula=(
        r"y = \operatorname{atan2}(a, b), \quad \bar a = \frac{b}{a^2 + b^2} \bar y, \; "
        r"\bar b = -\frac{a}{a^2 + b^2} \bar y"
    ),
    domain=[(0.5, 2), (0.5, 2)],
)
def arctan2(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Angle in radians of the point with height ``a`` and width ``b``, entry by entry.  Derivative 0 at the origin."""
    return np.arctan2(a, b)


def _direction(a: Array, b: Array, y: Array) -> Array:
    """``a / y``, the cosine of the angle between the hypotenuse and ``a``: 0 at the origin.

    Of two infinite sides, each has the slope 1/2: the subgradient of smallest norm.
    """
    zero, far = equal(y, 0), isinf(a)
    steep = where(isinf(b), sign(a) / 2, sign(a))
    return where(far, steep, where(zero, 0, a / where(zero, 1, y)))


@elementwise(
    lambda a, b, y: _direction(a, b, y),
    lambda a, b, y: _direction(b, a, y),
    formula=r"y = \sqrt{a^2 + b^2}, \quad \bar a = \frac{a}{y}\bar y, \; \bar b = \frac{b}{y}\bar y",
    domain=[(0.5, 2), (0.5, 2)],
    number=of_library("hypot", lambda a, b: sqrt(a * a + b * b)),
)
def hypot(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Length of the hypotenuse, entry by entry, without overflow.  Derivative 0 at the origin."""
    return np.hypot(a, b)


def angle(x: ArrayLike, deg: bool = False) -> Array:
    """Angle of complex numbers in radians, or in degrees, entry by entry.  Derivative 0 at 0, and for real numbers."""
    x = gathered(x)
    y = arctan2(imag(x), real(x)) if is_complex(x) else arctan2(0, x)
    return y * _of_one(rad2deg, y, 180 / math.pi) if deg else y


def _of_one(convert: Any, x: Array, factor: float) -> Array:
    """What a unit is converted to, as exact as numbers of the kind of ``x`` are."""
    data = data_of(x)
    return convert(whole(data, 1)) if is_foreign(data) else factor


@elementwise(
    lambda x: _of_one(deg2rad, x, math.pi / 180),
    formula=r"y = \frac{\pi}{180} x, \quad y' = \frac{\pi}{180}",
    quiet=True,
)
def deg2rad(x: ArrayLike, /) -> Array:
    """Degrees as radians, entry by entry."""
    return np.deg2rad(x)


@elementwise(
    lambda x: _of_one(rad2deg, x, 180 / math.pi),
    formula=r"y = \frac{180}{\pi} x, \quad y' = \frac{180}{\pi}",
    quiet=True,
)
def rad2deg(x: ArrayLike, /) -> Array:
    """Radians as degrees, entry by entry."""
    return np.rad2deg(x)


@elementwise(
    lambda x: sinc_derivative(x, 1),
    formula=r"y = \frac{\sin \pi x}{\pi x}, \quad y' = \frac{\cos \pi x - y}{x}",
    holomorphic=True,
)
def sinc(x: ArrayLike, /) -> Array:
    """``sin(pi * x) / (pi * x)``, entry by entry; 1 at 0."""
    return np.sinc(x)


def _sinc_series(t: Any, n: int) -> Any:
    """The derivative of ``sin(t) / t`` of order ``n``, by its Taylor series."""
    first = (n + 1) // 2
    total = np.zeros_like(t)
    for k in reversed(range(first, first + 20 + n)):
        total = total * (t * t) + (-1) ** k / ((2 * k + 1) * math.factorial(2 * k - n))
    return total * t ** (n % 2)


def _sinc_recurrence(t: Any, s: Any, c: Any, n: int) -> Any:
    """The same by Leibniz's rule for ``t * (sin(t) / t)``, from the sine and cosine of ``t``."""
    y = s / t
    for m in range(1, n + 1):
        y = ((s, c, -s, -c)[m % 4] - m * y) / t
    return y


def _sinc_derivative_of_number(x: Any, n: int) -> Any:
    if not is_foreign(x):
        return sinc_derivative(np.asarray(x), n).item()
    diff, function = function_for(type(x), "diff"), function_for(type(x), "sinc")
    if diff is None or function is None:
        raise lacks(type(x), "sinc")
    return diff(function, x, n)


@elementwise(
    lambda x, n: sinc_derivative(x, n + 1),
    formula=r"y = \operatorname{sinc}^{(n)}(x), \quad y' = \operatorname{sinc}^{(n + 1)}(x)",
    holomorphic=True,
    number=_sinc_derivative_of_number,
)
def sinc_derivative(x: ArrayLike, /, n: int = 1) -> Array:
    """The derivative of :func:`sinc` of order ``n``, entry by entry: accurate also where the formula cancels."""
    t = math.pi * x
    near = np.abs(t) <= n + 1
    phase = math.pi * (x - 2 * np.rint(np.real(x) / 2))  # exact for large x, unlike t
    far = _sinc_recurrence(np.where(near, n + 1, t), np.sin(phase), np.cos(phase), n)
    return math.pi**n * np.where(near, _sinc_series(np.where(near, t, 0), n), far)


acos = arccos
acosh = arccosh
asin = arcsin
asinh = arcsinh
atan = arctan
atan2 = arctan2
atanh = arctanh
degrees = rad2deg
radians = deg2rad


class TrigonometricMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    sin = sin
    cos = cos
    tan = tan
    arcsin = arcsin
    arccos = arccos
    arctan = arctan
    sinh = sinh
    cosh = cosh
    tanh = tanh
    arcsinh = arcsinh
    arccosh = arccosh
    arctanh = arctanh
    arctan2 = arctan2
    hypot = hypot
