"""Rounding, what it leaves, steps and signs, and finite numbers in place of others."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.looking import numbers_of
from ..core.node import Array, ArrayLike, data_of
from ..core.numbers import function_for, is_foreign, like, of_library, to_float, whole
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, floor_divide, imag, real, sign
from .families import complex_samples, elementwise
from .index import array_of
from .select import equal, is_infinite, isfinite, signbit, where

__all__ = [
    "around",
    "ceil",
    "copysign",
    "fabs",
    "fix",
    "floor",
    "fmod",
    "heaviside",
    "ldexp",
    "modf",
    "nan_to_num",
    "real_if_close",
    "rint",
    "round",
    "trunc",
]


def _floor_of_number(x: Any) -> Any:
    if is_infinite(x) or x != x:
        return x
    library = function_for(type(x), "floor") if is_foreign(x) else None
    q = library(x) if library else x // 1
    return q - 1 if hasattr(x, "adjusted") and q > x else q  # Decimal's // rounds towards 0


def _ceil_of_number(x: Any) -> Any:
    return -_floor_of_number(-x)


def _round_number(x: Any, decimals: int) -> Any:
    """To the nearest, halves to even: as NumPy does for Python's numbers, exactly for others."""
    if not is_foreign(x):
        return np.round(x, decimals).item()
    nearest = function_for(type(x), "nint") or builtins.round
    scale = whole(x, 10) ** builtins.abs(decimals)
    if decimals < 0:
        return whole(x, 1) * nearest(x / scale) * scale
    return whole(x, 1) * nearest(x * scale) / scale


@elementwise(0, formula=r"y = \lfloor x \rfloor, \quad y' = 0", domain=(0.1, 0.9), number=_floor_of_number)
def floor(x: ArrayLike, /) -> Array:
    """Round down, entry by entry.  Derivative 0."""
    return np.floor(x)


@elementwise(0, formula=r"y = \lceil x \rceil, \quad y' = 0", domain=(0.1, 0.9), number=_ceil_of_number)
def ceil(x: ArrayLike, /) -> Array:
    """Round up, entry by entry.  Derivative 0."""
    return np.ceil(x)


@elementwise(
    0,
    formula=r"y = x \text{ without its fraction}, \quad y' = 0",
    domain=(0.1, 0.9),
    number=lambda x: _floor_of_number(x) if x > 0 else _ceil_of_number(x),
)
def trunc(x: ArrayLike, /) -> Array:
    """Round towards 0, entry by entry.  Derivative 0."""
    return np.trunc(x)


@elementwise(
    0,
    formula=r"y = \operatorname{round}(x), \quad y' = 0",
    domain=(0.1, 0.4),
    number=lambda x: _round_number(x, 0),
    holomorphic=True,
)
def rint(x: ArrayLike, /) -> Array:
    """Round to the nearest whole number, halves to even, entry by entry.  Derivative 0."""
    return np.rint(x)


@elementwise(
    0,
    formula=r"y = 10^{-n} \operatorname{round}(10^n x), \quad y' = 0",
    domain=(0.1, 0.4),
    number=lambda x, decimals, out: _round_number(x, decimals),
    holomorphic=True,
)
def round(x: ArrayLike, /, decimals: int = 0, out: None = None) -> Array:
    """Round to so many decimals, halves to even, entry by entry; before the point if negative.  Derivative 0."""
    return np.round(x, decimals)


@elementwise(
    1,
    formula=r"y = x - \operatorname{trunc}(x), \quad y' = 1",
    domain=(0.1, 0.9),
    number=lambda x: copysign(0 * x, x) if is_infinite(x) else x - trunc(x),
)
def fraction(x: ArrayLike, /) -> Array:
    """What rounding towards 0 leaves, with the sign of ``x``, entry by entry.  Derivative taken between the jumps."""
    return np.modf(x)[0]


@elementwise(
    0,
    formula=r"y = \operatorname{trunc}(x), \quad y' = 0",
    domain=(0.1, 0.9),
    number=lambda x: trunc(x),
)
def whole_part(x: ArrayLike, /) -> Array:
    """:func:`trunc` as a floating-point number, entry by entry.  Derivative 0."""
    return np.modf(x)[1]


def modf(x: ArrayLike, /, **options: Any) -> tuple[Array, Array]:
    """``(fraction, whole part)``, both with the sign of ``x``, entry by entry."""
    part = fraction(x, **options)
    return part, whole_part(x, **options)


@elementwise(
    1,
    lambda a, b: -copysign(floor_divide(absolute(a), absolute(b)), a) * copysign(1, b),
    formula=r"y = a - b q, \quad q = a / b \text{ rounded towards } 0, \quad \bar a = \bar y, \; \bar b = -q\,\bar y",
    domain=[(-3.9, -3.1), (0.8, 1.0)],
    number=lambda a, b: copysign(builtins.abs(a) % builtins.abs(b), a),
)
def fmod(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Remainder of ``a / b`` with the sign of ``a``, as in C, entry by entry.  Derivative taken between the jumps."""
    return np.fmod(a, b)


@elementwise(
    lambda x: sign(x),
    formula=r"y = |x|, \quad y' = \operatorname{sign}(x)",
    domain=(0.2, 2),
    number=of_library("fabs", builtins.abs),
)
def fabs(x: ArrayLike, /) -> Array:
    """Absolute value of real numbers, as floating-point numbers, entry by entry.  Derivative 0 at 0."""
    return np.fabs(x)


@elementwise(
    lambda a, b: sign(a) * copysign(1, b),
    0,
    formula=(
        r"y = |a| \operatorname{sign}(b), \quad "
        r"\bar a = \operatorname{sign}(a) \operatorname{sign}(b)\,\bar y, \; \bar b = 0"
    ),
    domain=[(0.5, 2), (-2, -0.5)],
    number=lambda a, b: -builtins.abs(a) if signbit(b) else builtins.abs(a),
)
def copysign(a: ArrayLike, b: ArrayLike, /) -> Array:
    """``a`` with the sign of ``b``, entry by entry; that of 0.0 and -0.0 counts.  Derivative 0 where ``a`` is 0."""
    return np.copysign(a, b)


@elementwise(
    0,
    lambda a: equal(a, 0),
    formula=r"y = [a > 0] + b\,[a = 0], \quad \bar a = 0, \; \bar b = [a = 0]\,\bar y",
    domain=[(0.5, 2), (-2, 2)],
    number=lambda a, b: a if a != a else b if a == 0 else like(b, int(bool(a > 0))),
)
def heaviside(a: ArrayLike, b: ArrayLike, /) -> Array:
    """0 where ``a`` is negative, 1 where it is positive, ``b`` where it is 0, entry by entry."""
    return np.heaviside(a, b)


@primitive(
    formula=r"y = x\,2^n, \quad \bar x = 2^n\,\bar y",
    entrywise=True,
    quiet=True,
    number=lambda x, n: x * 2**n if n >= 0 else x / 2**-n,
)
def ldexp(x: ArrayLike, n: ArrayLike, /) -> Array:
    """``x * 2**n`` for whole numbers ``n``, entry by entry."""
    return np.ldexp(x, n)


@ldexp.def_vjp(wrt="x")
def ldexp_vjp(g: Array, n: Array) -> Array:
    return ldexp(g, n)


@ldexp.def_jvp(wrt="x")
def ldexp_jvp(x_dot: Array, n: Array) -> Array:
    return ldexp(x_dot, n)


@ldexp.def_samples
def ldexp_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), np.array([0, 3, -2]))
    yield sample(np.asarray(1.5), np.array([[1], [-1]]))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, np.asarray(5))
    yield sample(np.ones((0, 2)), np.array([1, 2]))


def _finite_number(x: Any, copy: bool, nan: Any, posinf: Any, neginf: Any) -> Any:
    if is_foreign(x) and not is_infinite(x) and x == x:
        return x
    return like(x, np.nan_to_num(to_float(x), True, nan, posinf, neginf))


@primitive(
    formula=r"y = x \text{ where finite, a finite number elsewhere}, \quad y' = [|x| < \infty]",
    entrywise=True,
    quiet=True,
    number=_finite_number,
)
def nan_to_num(
    x: ArrayLike, /, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """Finite numbers in place of nan and infinities, entry by entry, which get no derivative.  Never in place."""
    np.array(0.0, copy=copy or None)  # NumPy says what it may be
    return np.nan_to_num(x, True, nan, posinf, neginf)


@nan_to_num.def_vjp
def nan_to_num_vjp(g: Array, x: Array) -> Array:
    if not np.iscomplexobj(data_of(x)):
        return where(isfinite(x), g, 0)
    return where(isfinite(real(x)), real(g), 0) + 1j * where(isfinite(imag(x)), imag(g), 0)


@nan_to_num.def_jvp
def nan_to_num_jvp(x_dot: Array, x: Array) -> Array:
    return nan_to_num_vjp(x_dot, x)


@nan_to_num.def_samples
def nan_to_num_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from complex_samples(rng)
    yield sample(np.array([np.nan, 2.0]), nan=3.0, neginf=-1.0)
    yield sample(np.array([complex(1, np.nan), complex(np.nan, 2), 3 + 4j]), nan=5.0)


def real_if_close(a: ArrayLike, tol: float = 100) -> Array:
    """The real part, if all imaginary parts are smaller than ``tol`` (times the machine epsilon, if above 1).

    Which it is, is decided when this is called: not while compiling.
    """
    a = array_of(a)
    if not np.iscomplexobj(data_of(a)):
        return a
    data = numbers_of(a, "the sizes of the imaginary parts", "Write x.real, or keep it complex.")
    limit = np.finfo(np.asarray(data).dtype).eps * tol if tol > 1 else tol
    return real(a) if np.all(np.abs(np.imag(data)) < limit) else a


around = round
fix = trunc
