"""Choosing: comparisons, tests and logic, which have no derivative, and ``where``."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.dispatch import is_array_like
from ..core.errors import KindError
from ..core.node import Array, ArrayLike, Node, data_of
from ..core.numbers import is_number, to_float
from ..core.op import primitive
from ..core.rule import Sample, sample

__all__ = [
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "gcd",
    "greater",
    "greater_equal",
    "invert",
    "isclose",
    "iscomplex",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "left_shift",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "right_shift",
    "signbit",
    "where",
]


@primitive(formula=r"y = a > b", entrywise=True, differentiable=False, number=lambda a, b: a > b)
def greater(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a > b``, entry by entry.  Never tracked."""
    return np.greater(a, b)


@primitive(formula=r"y = a \ge b", entrywise=True, differentiable=False, number=lambda a, b: a >= b)
def greater_equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a >= b``, entry by entry.  Never tracked."""
    return np.greater_equal(a, b)


@primitive(formula=r"y = a < b", entrywise=True, differentiable=False, number=lambda a, b: a < b)
def less(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a < b``, entry by entry.  Never tracked."""
    return np.less(a, b)


@primitive(formula=r"y = a \le b", entrywise=True, differentiable=False, number=lambda a, b: a <= b)
def less_equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a <= b``, entry by entry.  Never tracked."""
    return np.less_equal(a, b)


@primitive(formula=r"y = (a = b)", entrywise=True, differentiable=False, number=lambda a, b: a == b)
def equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a == b``, entry by entry.  Never tracked."""
    return np.equal(a, b)


@primitive(formula=r"y = (a \ne b)", entrywise=True, differentiable=False, number=lambda a, b: a != b)
def not_equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a != b``, entry by entry.  Never tracked."""
    return np.not_equal(a, b)


@primitive(formula=r"y = a \wedge b", entrywise=True, differentiable=False, number=lambda a, b: bool(a and b))
def logical_and(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether both are true, entry by entry.  Never tracked."""
    return np.logical_and(a, b)


@primitive(formula=r"y = a \vee b", entrywise=True, differentiable=False, number=lambda a, b: bool(a or b))
def logical_or(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether either is true, entry by entry.  Never tracked."""
    return np.logical_or(a, b)


@primitive(formula=r"y = a \oplus b", entrywise=True, differentiable=False, number=lambda a, b: bool(a) != bool(b))
def logical_xor(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether exactly one is true, entry by entry.  Never tracked."""
    return np.logical_xor(a, b)


@primitive(formula=r"y = \neg x", entrywise=True, differentiable=False, number=lambda x: not x)
def logical_not(x: ArrayLike, /) -> Array:
    """Whether ``x`` is false, entry by entry.  Never tracked."""
    return np.logical_not(x)


def _is_finite(x: Any) -> bool:
    try:
        return bool(x - x == 0)
    except ArithmeticError:  # infinite Decimals
        return False


def is_infinite(x: Any) -> bool:
    """Whether a number is infinite."""
    return bool(x == x) and not _is_finite(x)


@primitive(
    formula=r"y = x \text{ is neither nan nor infinite}", entrywise=True, differentiable=False, number=_is_finite
)
def isfinite(x: ArrayLike, /) -> Array:
    """Whether ``x`` is neither nan nor infinite, entry by entry.  Never tracked."""
    return np.isfinite(x)


@primitive(formula=r"y = x \text{ is nan}", entrywise=True, differentiable=False, number=lambda x: bool(x != x))
def isnan(x: ArrayLike, /) -> Array:
    """Whether ``x`` is nan, entry by entry.  Never tracked."""
    return np.isnan(x)


@primitive(formula=r"y = (|x| = \infty)", entrywise=True, differentiable=False, number=is_infinite)
def isinf(x: ArrayLike, /) -> Array:
    """Whether ``x`` is infinite, entry by entry.  Never tracked."""
    return np.isinf(x)


@primitive(
    formula=r"y = (x = \infty)",
    entrywise=True,
    differentiable=False,
    number=lambda x: is_infinite(x) and bool(x > 0),
)
def isposinf(x: ArrayLike, /) -> Array:
    """Whether ``x`` is positive infinity, entry by entry.  Never tracked."""
    return np.isposinf(x)


@primitive(
    formula=r"y = (x = -\infty)",
    entrywise=True,
    differentiable=False,
    number=lambda x: is_infinite(x) and bool(x < 0),
)
def isneginf(x: ArrayLike, /) -> Array:
    """Whether ``x`` is negative infinity, entry by entry.  Never tracked."""
    return np.isneginf(x)


@primitive(
    formula=r"y = (\operatorname{Im} x \ne 0)",
    entrywise=True,
    differentiable=False,
    number=lambda x: bool(getattr(x, "imag", 0) != 0),
)
def iscomplex(x: ArrayLike, /) -> Array:
    """Whether ``x`` has an imaginary part other than 0, entry by entry.  Never tracked."""
    return np.iscomplex(x)


@primitive(
    formula=r"y = (\operatorname{Im} x = 0)",
    entrywise=True,
    differentiable=False,
    number=lambda x: bool(getattr(x, "imag", 0) == 0),
)
def isreal(x: ArrayLike, /) -> Array:
    """Whether ``x`` has no imaginary part other than 0, entry by entry.  Never tracked."""
    return np.isreal(x)


@primitive(
    formula=r"y = \text{the sign bit of } x",
    entrywise=True,
    differentiable=False,
    number=lambda x: math.copysign(1.0, x) < 0,
)
def signbit(x: ArrayLike, /) -> Array:
    """Whether ``x`` is negative, also where it is -0.0, entry by entry.  Never tracked."""
    return np.signbit(x)


@primitive(
    formula=r"y = (|a - b| \le \varepsilon_a + \varepsilon_r |b|)",
    entrywise=True,
    differentiable=False,
    number=lambda a, b, *options: bool(np.isclose(to_float(a), to_float(b), *options)),
)
def isclose(
    a: ArrayLike, b: ArrayLike, /, rtol: ArrayLike = 1e-5, atol: ArrayLike = 1e-8, equal_nan: bool = False
) -> Array:
    """Whether ``a`` and ``b`` agree to within ``atol + rtol * abs(b)``, entry by entry.  Never tracked."""
    return np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


# What follows works on whole numbers and truth values; NumPy refuses all others.


@primitive(formula=r"y = a \mathbin{\&} b", entrywise=True, differentiable=False, number=operator.and_)
def bitwise_and(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Bits that are set in both, entry by entry.  Never tracked."""
    return np.bitwise_and(a, b)


@primitive(formula=r"y = a \mathbin{|} b", entrywise=True, differentiable=False, number=operator.or_)
def bitwise_or(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Bits that are set in either, entry by entry.  Never tracked."""
    return np.bitwise_or(a, b)


@primitive(formula=r"y = a \mathbin{\text{^}} b", entrywise=True, differentiable=False, number=operator.xor)
def bitwise_xor(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Bits that are set in exactly one, entry by entry.  Never tracked."""
    return np.bitwise_xor(a, b)


@primitive(formula=r"y = -x - 1", entrywise=True, differentiable=False, number=operator.invert)
def invert(x: ArrayLike, /) -> Array:
    """Every bit turned over, entry by entry.  Never tracked."""
    return np.invert(x)


@primitive(formula=r"y = a\,2^b", entrywise=True, differentiable=False, number=operator.lshift)
def left_shift(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The bits of ``a`` moved up by ``b`` places, entry by entry.  Never tracked."""
    return np.left_shift(a, b)


@primitive(formula=r"y = \lfloor a\,2^{-b} \rfloor", entrywise=True, differentiable=False, number=operator.rshift)
def right_shift(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The bits of ``a`` moved down by ``b`` places, entry by entry.  Never tracked."""
    return np.right_shift(a, b)


@primitive(
    formula=r"y = \text{the number of ones in } |x|",
    entrywise=True,
    differentiable=False,
    number=lambda x: abs(x).bit_count(),
)
def bitwise_count(x: ArrayLike, /) -> Array:
    """How many bits of ``abs(x)`` are set, entry by entry.  Never tracked."""
    return np.bitwise_count(x)


@primitive(formula=r"y = \gcd(a, b)", entrywise=True, differentiable=False, number=math.gcd)
def gcd(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Greatest common divisor, entry by entry.  Never tracked."""
    return np.gcd(a, b)


@primitive(formula=r"y = \operatorname{lcm}(a, b)", entrywise=True, differentiable=False, number=math.lcm)
def lcm(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Least common multiple, entry by entry.  Never tracked."""
    return np.lcm(a, b)


bitwise_not = bitwise_invert = invert
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift


@primitive(
    formula=r"y = a \text{ where } c, \; b \text{ elsewhere}, \quad \bar a = \bar y\,[c], \; \bar b = \bar y\,[\neg c]",
    entrywise=True,
    quiet=True,
    number=lambda condition, a, b: a if condition else b,
)
def where(condition: ArrayLike, a: ArrayLike, b: ArrayLike, /) -> Array:
    """``a`` where ``condition`` is true, else ``b``.  The branch not taken gets a gradient of exactly 0.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.where(x > 0, ad.sqrt(x), 0.0).sum())(np.array([0.0, 4.0]))
    array([0.  , 0.25])
    """
    return np.where(condition, a, b)


@where.def_vjp(wrt="a")
def where_vjp_a(g: Array, condition: Array) -> Array:
    return where(condition, g, 0)


@where.def_vjp(wrt="b")
def where_vjp_b(g: Array, condition: Array) -> Array:
    return where(condition, 0, g)


@where.def_jvp(wrt="a")
def where_jvp_a(a_dot: Array, condition: Array) -> Array:
    return where(condition, a_dot, 0)


@where.def_jvp(wrt="b")
def where_jvp_b(b_dot: Array, condition: Array) -> Array:
    return where(condition, 0, b_dot)


@where.def_samples
def where_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)) > 0, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(4, 1, 3)) > 0, rng.normal(size=(2, 1)), rng.normal(size=()))
    yield sample(np.zeros((0, 2), bool), np.ones((0, 2)), np.ones(2))
    strided = rng.normal(size=(6, 4))[::-2, 1::2].T
    yield sample(strided > 0, strided, -strided)
    yield sample(np.array([True, False]), rng.normal(size=2) + 1j * rng.normal(size=2), rng.normal(size=(2, 1)))
    yield sample(np.array([[0], [2]]), np.array([0.5, np.nan]), rng.normal(size=2))


def is_comparable(kind: type) -> bool:
    """Whether a node can equal a value of this type: any other is simply not equal."""
    return issubclass(kind, (Node, np.generic)) or is_number(kind) or is_array_like(kind)


def truths(x: ArrayLike, operator: str) -> ArrayLike:
    """``x``, if it holds truth values: on whole numbers NumPy's operator works bit by bit, which is something else."""
    if np.asarray(data_of(x)).dtype.kind != "b":
        raise KindError(
            f"The operator {operator} was used on {type(x).__name__} data that are not truth values. "
            "Compare first, as in (x > 0) & (x < 1), or use ad.logical_and, ad.logical_or, ad.logical_xor, "
            "ad.logical_not; of whole numbers, ad.bitwise_and and so on."
        )
    return x


class SelectMethods:
    """Comparison and logic operators."""

    __slots__ = ()

    __gt__ = greater
    __ge__ = greater_equal
    __lt__ = less
    __le__ = less_equal

    def __and__(self, other: ArrayLike) -> Array:
        return logical_and(truths(self, "&"), truths(other, "&"))

    def __or__(self, other: ArrayLike) -> Array:
        return logical_or(truths(self, "|"), truths(other, "|"))

    def __invert__(self) -> Array:
        return logical_not(truths(self, "~"))

    def __xor__(self, other: ArrayLike) -> Array:
        return logical_xor(truths(self, "^"), truths(other, "^"))

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def __eq__(self, other: object) -> Any:
        return equal(self, other) if is_comparable(type(other)) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return not_equal(self, other) if is_comparable(type(other)) else NotImplemented

    __hash__ = object.__hash__  # equality is entry by entry, identity is what a dict of nodes needs
