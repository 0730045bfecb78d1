"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import numpy as np

from ..core.node import Array, ArrayLike
from .arithmetic import sqrt
from .families import elementwise
from .select import equal, where

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "hypot",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


@elementwise(lambda x: cos(x), formula=r"y = \sin x, \quad y' = \cos x", holomorphic=True)
def sin(x: ArrayLike, /) -> Array:
    """Sine of an angle in radians, entry by entry."""
    return np.sin(x)


@elementwise(lambda x: -sin(x), formula=r"y = \cos x, \quad y' = -\sin x", holomorphic=True)
def cos(x: ArrayLike, /) -> Array:
    """Cosine of an angle in radians, entry by entry."""
    return np.cos(x)


@elementwise(lambda y: 1 + y * y, formula=r"y = \tan x, \quad y' = 1 + y^2", domain=(-1, 1), holomorphic=True)
def tan(x: ArrayLike, /) -> Array:
    """Tangent of an angle in radians, entry by entry."""
    return np.tan(x)


@elementwise(
    lambda x: 1 / sqrt(1 - x * x),
    formula=r"y = \arcsin x, \quad y' = \frac{1}{\sqrt{1 - x^2}}",
    domain=(-0.8, 0.8),
    holomorphic=True,
)
def arcsin(x: ArrayLike, /) -> Array:
    """Inverse sine in radians, entry by entry."""
    return np.arcsin(x)


@elementwise(
    lambda x: -1 / sqrt(1 - x * x),
    formula=r"y = \arccos x, \quad y' = \frac{-1}{\sqrt{1 - x^2}}",
    domain=(-0.8, 0.8),
    holomorphic=True,
)
def arccos(x: ArrayLike, /) -> Array:
    """Inverse cosine in radians, entry by entry."""
    return np.arccos(x)


@elementwise(lambda x: 1 / (1 + x * x), formula=r"y = \arctan x, \quad y' = \frac{1}{1 + x^2}", holomorphic=True)
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
    """Hyperbolic tangent, entry by entry."""
    return np.tanh(x)


@elementwise(
    lambda x: 1 / sqrt(x * x + 1),
    formula=r"y = \operatorname{arsinh} x, \quad y' = \frac{1}{\sqrt{x^2 + 1}}",
    holomorphic=True,
)
def arcsinh(x: ArrayLike, /) -> Array:
    """Inverse hyperbolic sine, entry by entry."""
    return np.arcsinh(x)


@elementwise(
    lambda x: 1 / (sqrt(x - 1) * sqrt(x + 1)),
    formula=r"y = \operatorname{arcosh} x, \quad y' = \frac{1}{\sqrt{x - 1}\sqrt{x + 1}}",
    domain=(1.5, 3),
    holomorphic=True,
)
def arccosh(x: ArrayLike, /) -> Array:
    """Inverse hyperbolic cosine, entry by entry."""
    return np.arccosh(x)


@elementwise(
    lambda x: 1 / (1 - x * x),
    formula=r"y = \operatorname{artanh} x, \quad y' = \frac{1}{1 - x^2}",
    domain=(-0.8, 0.8),
    holomorphic=True,
)
def arctanh(x: ArrayLike, /) -> Array:
    """Inverse hyperbolic tangent, entry by entry."""
    return np.arctanh(x)


def _over_square(numerator: Array, a: Array, b: Array) -> Array:
    """``numerator / (a² + b²)``, and 0 at the origin."""
    squared = a * a + b * b
    return numerator / where(equal(squared, 0), 1, squared)


@elementwise(
    lambda a, b: _over_square(b, a, b),
    lambda a, b: -_over_square(a, a, b),
    formula=r"y = \operatorname{atan2}(a, b), \quad \bar a = \frac{b}{r^2} \bar y, \; \bar b = -\frac{a}{r^2} \bar y",
    domain=[(0.5, 2), (0.5, 2)],
)
def arctan2(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Angle in radians of the point with height ``a`` and width ``b``, entry by entry.  Derivative 0 at the origin."""
    return np.arctan2(a, b)


@elementwise(
    lambda a, y: a / where(equal(y, 0), 1, y),
    lambda b, y: b / where(equal(y, 0), 1, y),
    formula=r"y = \sqrt{a^2 + b^2}, \quad \bar a = \frac{a}{y}\bar y, \; \bar b = \frac{b}{y}\bar y",
    domain=[(0.5, 2), (0.5, 2)],
)
def hypot(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Length of the hypotenuse, entry by entry, without overflow.  Derivative 0 at the origin."""
    return np.hypot(a, b)


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
