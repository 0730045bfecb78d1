"""Arithmetic, powers, signs, and the parts of a complex number."""

from __future__ import annotations

import builtins
import math
import operator
from typing import Any

import numpy as np

from ..core import numbers
from ..core.dispatch import gathered
from ..core.node import Array, ArrayLike, Node, data_of, is_complex
from ..core.numbers import function_for, is_foreign, lacks
from ..core.op import primitive
from .exponential import log, matched
from .families import complex_samples, conjugated, elementwise, is_finite, times
from .select import equal, isnan, logical_and, logical_or, where

__all__ = [
    "abs",
    "absolute",
    "add",
    "cbrt",
    "conj",
    "conjugate",
    "divide",
    "divmod",
    "float_power",
    "floor_divide",
    "imag",
    "mod",
    "multiply",
    "negative",
    "positive",
    "pow",
    "power",
    "real",
    "reciprocal",
    "remainder",
    "sign",
    "sqrt",
    "square",
    "subtract",
    "true_divide",
]


@elementwise(
    1, 1, formula=r"y = a + b, \quad \bar a = \bar y, \; \bar b = \bar y", number=operator.add, holomorphic=True
)
def add(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Sum ``a + b``, entry by entry."""
    return np.add(a, b)


@elementwise(
    1, -1, formula=r"y = a - b, \quad \bar a = \bar y, \; \bar b = -\bar y", number=operator.sub, holomorphic=True
)
def subtract(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Difference ``a - b``, entry by entry."""
    return np.subtract(a, b)


@elementwise(
    lambda b: b,
    lambda a: a,
    formula=r"y = a b, \quad \bar a = b^*\,\bar y, \; \bar b = a^*\,\bar y",
    number=operator.mul,
    holomorphic=True,
)
def multiply(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Product ``a * b``, entry by entry."""
    return np.multiply(a, b)


def _one_over(b: Array, y: Array) -> Array:
    """``1 / b``, as exact as numbers of the kind of ``y`` are: a Fraction over 3 has the slope 1/3."""
    one: Any = data_of(y)
    if data_of(b).__class__ is not int or isinstance(one, (np.ndarray, np.generic, float, int, complex)):
        return 1 / b
    return (one * 0 + 1) / b


@elementwise(
    _one_over,
    lambda b, y: -y / b,
    formula=r"y = a / b, \quad \bar a = \bar y / b^*, \; \bar b = -y^*\,\bar y / b^*",
    domain=[(-2, 2), (0.5, 2)],
    number=operator.truediv,
    holomorphic=True,
)
def divide(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Quotient ``a / b``, entry by entry."""
    return np.divide(a, b)


def _remainder_of_numbers(a: Any, b: Any) -> Any:
    r = a % b
    return r + b if hasattr(r, "adjusted") and r and (r < 0) != (b < 0) else r  # Decimal's % rounds towards 0


def _floor_quotient_of_numbers(a: Any, b: Any) -> Any:
    try:
        q = a // b
    except TypeError:
        nearest = function_for(type(a - b), "nint")  # mpmath has % alone
        if nearest is None:
            raise
        return nearest((a - a % b) / b)
    return q - 1 if hasattr(q, "adjusted") and a % b and (a < 0) != (b < 0) else q


@elementwise(
    1,
    lambda a, b: -floor_divide(a, b),
    formula=r"y = a - b \lfloor a / b \rfloor, \quad \bar a = \bar y, \; \bar b = -\lfloor a / b \rfloor\,\bar y",
    domain=[(3.1, 3.9), (0.8, 1.0)],
    number=_remainder_of_numbers,
)
def remainder(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Remainder ``a % b`` with the sign of ``b``, entry by entry.  Derivative taken between the jumps."""
    return np.remainder(a, b)


@elementwise(
    0,
    0,
    formula=r"y = \lfloor a / b \rfloor, \quad \bar a = 0, \; \bar b = 0",
    domain=[(3.1, 3.9), (0.8, 1.0)],
    number=_floor_quotient_of_numbers,
)
def floor_divide(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Rounded-down quotient ``a // b``, entry by entry.  Derivative 0."""
    return np.floor_divide(a, b)


def divmod(a: ArrayLike, b: ArrayLike, /, **options: Any) -> tuple[Array, Array]:
    """``(a // b, a % b)``, entry by entry."""
    return floor_divide(a, b, **options), remainder(a, b, **options)


@elementwise(-1, formula=r"y = -x, \quad y' = -1", number=operator.neg, holomorphic=True)
def negative(x: ArrayLike, /) -> Array:
    """``-x``, entry by entry."""
    return np.negative(x)


@elementwise(1, formula=r"y = x, \quad y' = 1", number=operator.pos, holomorphic=True)
def positive(x: ArrayLike, /) -> Array:
    """``+x``: a copy of ``x`` as a new node."""
    return np.positive(x)


def power_slope(x: Array, p: Array) -> Array:
    if p.__class__ is int and p != 0:
        return p * power(x, p - 1)
    if not isinstance(p, np.ndarray | Node) and p == 0:
        return times(0, x)  # a number kind may raise on 0 ** -1
    rest = power(x, p - 1)
    slope = p * rest
    if is_finite(slope):
        return slope
    # Only 0 * inf is replaced, not every 0: the derivative of 2 x at 0 is 2, whatever its neighbours are.
    return where(logical_and(isnan(slope), logical_or(equal(p, 0), equal(rest, 0))), 0, slope)


def log_of_base(x: Array, p: Array, y: Array) -> Array:
    """``ln x``, complex if the power ``y`` is, and 0 at ``0 ** 0``."""
    result = data_of(y)
    if is_foreign(result):
        x = where(equal(x, 0), 1, x)  # such numbers need not have the infinity that y = 0 outweighs
        return log(matched(x, result))
    if np.iscomplexobj(result) and not np.iscomplexobj(data_of(x)):
        x = x + 0j
    if isinstance(x, int | float | complex) and x and not isinstance(result, float | complex):
        return np.log(x + 0.0).item()  # math.log raises for negative numbers; an array would widen single precision
    if isinstance(x, int | float) and isinstance(result, float) and x <= 0:  # and for 0 as well
        return where(equal(p, 0), 0.0, -math.inf) if x == 0 else math.nan
    return log(where(logical_and(equal(x, 0), equal(p, 0)), 1, x))


@elementwise(
    power_slope,
    lambda x, p, y: times(y, log_of_base(x, p, y)),
    formula=r"y = x^p, \quad \bar x = p^*\,{x^{p-1}}^*\,\bar y, \; \bar p = y^*\,(\ln x)^*\,\bar y",
    domain=[(0.5, 2), (-2, 2)],
    number=operator.pow,
    holomorphic=True,
)
def power(x: ArrayLike, p: ArrayLike, /) -> Array:
    """``x ** p``, entry by entry.  At ``x = 0`` the derivative in ``p`` is 0, for negative ``p`` -inf."""
    if p.__class__ is int and x.__class__ is np.ndarray and 1 <= p <= 4 and x.dtype.kind != "b":
        square = x * x if p > 1 else x  # np.power takes hundreds of times as long as a product
        return +x if p == 1 else square if p == 2 else square * x if p == 3 else square * square
    return np.power(x, p)


def float_power(x: ArrayLike, p: ArrayLike, /, **options: Any) -> Array:
    """``x ** p`` in double precision at least, entry by entry: also whole numbers have negative powers."""
    x, p = gathered(x), gathered(p)
    if is_foreign(data_of(x)) or is_foreign(data_of(p)):
        return power(x, p, **options)
    if not isinstance(x, Node) and not isinstance(p, Node):
        return np.float_power(x, p, **options)
    zero = np.float64(0)  # a NumPy number widens, and subtracting 0 changes no bit
    return power(subtract(x, zero), subtract(p, zero), **options)


@elementwise(lambda x: 2 * x, formula=r"y = x^2, \quad y' = 2x", number=lambda x: x * x, holomorphic=True)
def square(x: ArrayLike, /) -> Array:
    """``x * x``, entry by entry."""
    return np.square(x)


@elementwise(
    lambda y: -y * y, formula=r"y = 1 / x, \quad y' = -y^2", domain=(0.5, 2), number=lambda x: 1 / x, holomorphic=True
)
def reciprocal(x: ArrayLike, /) -> Array:
    """``1 / x``, entry by entry."""
    return np.reciprocal(x)


@elementwise(lambda y: 1 / (2 * y), formula=r"y = \sqrt x, \quad y' = \frac{1}{2 y}", domain=(0.5, 3), holomorphic=True)
def sqrt(x: ArrayLike, /) -> Array:
    """Square root, entry by entry.  Slope inf at 0, unless its cotangent is 0."""
    return np.sqrt(x)


def _cube_root_of_number(x: Any) -> Any:
    if numbers.is_complex(type(x)):
        raise lacks(type(x), "cbrt")
    for name, *order in (("real_root", 3), ("cbrt",)):  # SymPy's and mpmath's cbrt are complex for negative numbers
        root = function_for(type(x), name)
        if root is not None:
            return -root(-x, *order) if name == "cbrt" and x < 0 else root(x, *order)
    raise lacks(type(x), "cbrt")


@elementwise(
    lambda y: 1 / (3 * y * y),
    formula=r"y = \sqrt[3] x, \quad y' = \frac{1}{3 y^2}",
    domain=(0.5, 3),
    number=_cube_root_of_number,
)
def cbrt(x: ArrayLike, /) -> Array:
    """Real cube root, entry by entry.  Slope inf at 0, unless its cotangent is 0."""
    return np.cbrt(x)


# A function of a complex number that is not holomorphic has no single complex derivative.  With cotangents that point
# in the direction of steepest ascent, the two directions of the sweep are written out for the rows that follow.


@primitive(
    formula=r"y = |x|, \quad \bar x = \operatorname{sign}(x)\,\bar y", entrywise=True, quiet=True, number=builtins.abs
)
def absolute(x: ArrayLike, /) -> Array:
    """Absolute value, entry by entry.  Derivative 0 at 0."""
    return np.absolute(x)


@absolute.def_vjp
def absolute_vjp(g: Array, x: Array) -> Array:
    return times(g, sign(x))


@absolute.def_jvp
def absolute_jvp(x_dot: Array, x: Array) -> Array:
    return real(times(x_dot, conjugated(sign(x))))


absolute.def_samples(complex_samples)


def _sign_of_number(x: Any) -> Any:
    if x != x:
        return x  # nan
    library = function_for(type(x), "sign")
    if library is not None:
        return library(x)
    return np.sign(x).item() if isinstance(x, complex) else (x > 0) - (x < 0)


@primitive(
    formula=r"y = x / |x|, \quad \bar x = (\bar y - y \operatorname{Re}(y^* \bar y)) / |x| \text{, 0 for real } x",
    entrywise=True,
    number=_sign_of_number,
)
def sign(x: ArrayLike, /) -> Array:
    """-1, 0 or 1; for complex ``x`` its direction ``x / |x|``.  Derivative 0 for real ``x``, and at 0."""
    return np.sign(x)


@sign.def_vjp
def sign_vjp(g: Array, x: Array, y: Array) -> Array:
    """A change along ``x`` leaves its direction alone, one across turns it; the map is its own transpose."""
    if not is_complex(x):
        return times(g, 0)
    across = g - times(real(times(g, conjugated(y))), y)
    return times(across, 1 / where(equal(x, 0), math.inf, absolute(x)))


@sign.def_jvp
def sign_jvp(x_dot: Array, x: Array, y: Array) -> Array:
    return sign_vjp(x_dot, x, y)


sign.def_samples(complex_samples)


def _part(x: Any, name: str, in_sympy: str) -> Any:
    if hasattr(x, name):
        return getattr(x, name)
    part: Any = function_for(type(x), in_sympy)
    return part(x)


@primitive(
    formula=r"y = \operatorname{Re} x, \quad \bar x = \bar y",
    entrywise=True,
    quiet=True,
    number=lambda x: _part(x, "real", "re"),
)
def real(x: ArrayLike, /) -> Array:
    """Real part, entry by entry."""
    return np.real(x)


@real.def_vjp
def real_vjp(g: Array) -> Array:
    return g


@real.def_jvp
def real_jvp(x_dot: Array) -> Array:
    return real(x_dot)


real.def_samples(complex_samples)


@primitive(
    formula=r"y = \operatorname{Im} x, \quad \bar x = i\,\bar y \text{, 0 for real } x",
    entrywise=True,
    quiet=True,
    number=lambda x: _part(x, "imag", "im"),
)
def imag(x: ArrayLike, /) -> Array:
    """Imaginary part, entry by entry."""
    return np.imag(x)


@imag.def_vjp
def imag_vjp(g: Array, x: Array) -> Array:
    return g * 1j if is_complex(x) else times(g, 0)


@imag.def_jvp
def imag_jvp(x_dot: Array) -> Array:
    return imag(x_dot)


imag.def_samples(complex_samples)


@primitive(formula=r"y = x^*, \quad \bar x = \bar y^*", entrywise=True, quiet=True, number=lambda x: x.conjugate())
def conj(x: ArrayLike, /) -> Array:
    """Complex conjugate, entry by entry."""
    return np.conjugate(x)


@conj.def_vjp
def conj_vjp(g: Array) -> Array:
    return conj(g)


@conj.def_jvp
def conj_jvp(x_dot: Array) -> Array:
    return conj(x_dot)


conj.def_samples(complex_samples)


abs = absolute
conjugate = conj
mod = remainder
pow = power
true_divide = divide


class ArithmeticMethods:
    """Arithmetic operators, and the rows of this file as methods."""

    __slots__ = ()

    __add__ = add
    __sub__ = subtract
    __mul__ = multiply
    __truediv__ = divide
    __mod__ = remainder
    __floordiv__ = floor_divide
    __divmod__ = divmod
    __pow__ = power
    __neg__ = negative
    __pos__ = positive
    __abs__ = absolute

    def __radd__(self, other: ArrayLike) -> Array:
        return add(other, self)

    def __rsub__(self, other: ArrayLike) -> Array:
        return subtract(other, self)

    def __rmul__(self, other: ArrayLike) -> Array:
        return multiply(other, self)

    def __rtruediv__(self, other: ArrayLike) -> Array:
        return divide(other, self)

    def __rmod__(self, other: ArrayLike) -> Array:
        return remainder(other, self)

    def __rfloordiv__(self, other: ArrayLike) -> Array:
        return floor_divide(other, self)

    def __rdivmod__(self, other: ArrayLike) -> tuple[Array, Array]:
        return divmod(other, self)

    def __rpow__(self, other: ArrayLike) -> Array:
        return power(other, self)

    add = add
    subtract = subtract
    multiply = multiply
    divide = divide
    remainder = remainder
    floor_divide = floor_divide
    power = power
    negative = negative
    positive = positive
    square = square
    reciprocal = reciprocal
    sqrt = sqrt
    cbrt = cbrt
    abs = absolute
    absolute = absolute
    sign = sign
    conj = conj
    conjugate = conj

    @property
    def real(self) -> Array:
        """Real part."""
        return real(self)

    @property
    def imag(self) -> Array:
        """Imaginary part."""
        return imag(self)
