"""Determinants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.linalg._linalg import SlogdetResult

from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, imag, multiply, real
from .broadcast import is_plain
from .constant import stop_gradient
from .exponential import exp2, log2
from .families import conjugated, contracted
from .joining import concatenate
from .matrices import adjoint, draw, is_complex, pack, rounding, scale_columns, square_samples
from .reduce import max, sum
from .rounding import rint
from .select import greater, isfinite, less_equal, logical_or, where
from .shape import expand_dims, matrix_transpose
from .singular_values import svd_factors, svd_parts
from .solving import inv, inv_or_nan

__all__ = ["det", "slogdet"]


NEARLY_SINGULAR = 1e-5
"""Up to what ratio of its extreme singular values the adjugate of a matrix is computed without its inverse."""


def adjugate(x: Array) -> Array:
    r"""The matrix :math:`A` with :math:`A x = \det(x)\, 1`, also of a singular ``x``; it has derivatives there too.

    It is :math:`\det(x)\, x^{-1}`, unless ``x`` is nearly singular, after its rows and columns were scaled to one size.
    """
    n = shape_of(x)[-1]
    if n <= 3:
        return adjugate_by_minors(x)
    fixed = stop_gradient(x)
    fixed = where(isfinite(fixed), fixed, 0)
    rows = magnitudes(fixed, -1)
    columns = magnitudes(fixed * exp2(-rows), -2)
    size = exp2(-rows - columns)
    x = x * size
    factors = svd_factors(svd_parts(fixed * size, False), x)
    s = factors[1]
    regular = greater(s[..., -1:], NEARLY_SINGULAR * s[..., :1])
    y = where(
        expand_dims(regular, -1), expand_dims(det(x), (-2, -1)) * inv_or_nan(x), adjugate_by_deflation(x, *factors)
    )
    total = sum(rows, -2, keepdims=True) + sum(columns, -1, keepdims=True)
    return y * exp2(total - matrix_transpose(rows) - matrix_transpose(columns))


def magnitudes(x: Array, axis: int) -> Array:
    """The power of 2 nearest to the largest entry along an axis, that is its exponent."""
    largest = max(absolute(x), axis, keepdims=True)
    return rint(log2(where(greater(largest, 0), largest, 1)))


def adjugate_by_minors(m: Array) -> Array:
    """The adjugate of a matrix of side 0 to 3, in products of its entries."""
    n = shape_of(m)[-1]
    if n < 2:
        return np.ones(shape_of(m), m.dtype)
    if n == 2:
        return matrix_transpose(m[..., ::-1, ::-1]) * np.array([[1, -1], [-1, 1]], m.dtype)
    i, j = np.ogrid[:3, :3]
    k, l = (i + 1) % 3, (i + 2) % 3
    return m[..., (j + 1) % 3, k] * m[..., (j + 2) % 3, l] - m[..., (j + 1) % 3, l] * m[..., (j + 2) % 3, k]


def adjugate_by_deflation(x: Array, u: Array, s: Array, vh: Array) -> Array:
    r"""The adjugate of a matrix of side 4 or more, whose singular values and vectors are given as constants.

    The three smallest singular values are raised to the size of the next by a constant matrix :math:`P Q^H` of three
    columns.  Then :math:`B = x + P Q^H` has an inverse, and

    .. math:: \operatorname{adj} x = \det B\,(\det M\,B^{-1} + B^{-1} P \operatorname{adj} M\, Q^H B^{-1}),
        \quad M = 1 - Q^H B^{-1} P.

    If more than three singular values are 0, then so are the adjugate and its first two derivatives.
    """
    zero, top = rounding(s, shape_of(s)[-1]) * s[..., :1], where(greater(s[..., :1], 0), s[..., :1], 1)
    enough = greater(s[..., -4:-3], zero)
    last = np.arange(shape_of(s)[-1]) >= shape_of(s)[-1] - 3
    p = scale_columns(u, where(logical_or(last, less_equal(s, zero)), where(enough, s[..., -4:-3], top) - s, 0))
    b = x + p @ vh
    inverse = inv(b)
    p, qh = p[..., -3:], vh[..., -3:, :]
    m = np.eye(3, dtype=x.dtype) - qh @ inverse @ p
    m_adjugate = adjugate_by_minors(m)
    m_determinant = sum(m[..., :1, :] * matrix_transpose(m_adjugate[..., :1]), (-2, -1), keepdims=True)
    y = m_determinant * inverse + inverse @ p @ m_adjugate @ qh @ inverse
    return where(expand_dims(enough, -1), expand_dims(det(b), (-2, -1)) * y, 0)


@primitive(formula=r"y = \det X, \quad \bar X = \bar y\,\operatorname{adj}(X)^{\mathsf H}")
def det(x: ArrayLike, /) -> Array:
    """Determinant of square matrices.  The derivative is right for singular ones too.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(ad.linalg.det)(np.array([[1.0, 2.0], [2.0, 4.0]]))
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    return np.linalg.det(x)


@det.def_vjp
def det_vjp(g: Array, x: Array) -> Array:
    return expand_dims(g, (-2, -1)) * adjoint(adjugate(x))


@det.def_jvp
def det_jvp(x_dot: Array, x: Array) -> Array:
    return sum(matrix_transpose(adjugate(x)) * x_dot, (-2, -1))


@det.def_samples
def det_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from square_samples(rng)
    yield sample(np.array([[1.0, 2.0], [2.0, 4.0]]))
    yield sample(np.zeros((2, 2)))
    yield sample(np.stack([np.outer([1, 2, 3.0], [2, 0, 1.0]), np.eye(3), np.diag([1, 2, 0.0])]))
    yield sample(draw(rng, 5, 3) @ draw(rng, 3, 5))
    yield sample(draw(rng, 4, 4) * np.array([1, 1e-3, 1, 1e3]))
    yield sample(np.array([[1, 1j], [1j, -1]]))


@primitive(
    formula=(
        r"y = (s, \ln |\det X|), \; s = \tfrac{\det X}{|\det X|}, \quad "
        r"\bar X = (\operatorname{Re} \bar y_2 + i \operatorname{Im}(s^* \bar y_1))\,X^{-\mathsf H}"
    )
)
def slogdet_parts(x: ArrayLike, /) -> Array:
    """Sign and logarithm of the determinant, side by side."""
    return pack(np.ndim(x) - 2, *np.linalg.slogdet(x))


@slogdet_parts.def_vjp
def slogdet_parts_vjp(g: Array, x: Array, y: Array) -> Array:
    slope = real(g[..., 1:])
    if is_complex(x):  # the sign turns, with the imaginary part of the trace
        slope = slope + imag(g[..., :1] * conjugated(y[..., :1])) * 1j
    return contracted(multiply, expand_dims(slope, -1), adjoint(inv_or_nan(x)))


@slogdet_parts.def_jvp
def slogdet_parts_jvp(x_dot: Array, x: Array, y: Array) -> Array:
    def log_slope(x_dot: Array, inverse: Array) -> Array:
        return sum(matrix_transpose(inverse) * x_dot, (-2, -1), keepdims=True)

    slope = contracted(log_slope, x_dot, inv_or_nan(x))[..., 0]
    return concatenate([y[..., :1] * imag(slope) * 1j if is_complex(x) else y[..., :1] * 0, real(slope)], -1)


@slogdet_parts.def_samples
def slogdet_parts_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from square_samples(rng)
    yield sample(np.array([[1.0, 2.0], [2.0, 4.0]]), order=0)


def slogdet(a: ArrayLike) -> Any:
    """Sign and logarithm of the absolute value of the determinant, as ``np.linalg.slogdet``.

    The sign of a complex matrix is a number on the unit circle, and has a derivative.  At a singular matrix there is
    none: it is nan.
    """
    if is_plain(a):
        return np.linalg.slogdet(a)
    parts = slogdet_parts(a)
    return SlogdetResult(parts[..., 0], real(parts[..., 1]))
