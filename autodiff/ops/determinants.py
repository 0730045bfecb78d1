"""Determinants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.linalg._linalg import SlogdetResult

from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import imag, multiply, real
from .broadcast import is_plain
from .constant import stop_gradient
from .diagonals import trace
from .families import conjugated, contracted
from .joining import concatenate
from .matrices import adjoint, draw, is_complex, pack, scale_columns, square_samples
from .reduce import sum
from .select import greater, isfinite, less_equal, logical_or, where
from .shape import expand_dims, matrix_transpose
from .singular_values import svd_factors, svd_parts, zero_for
from .solving import inv, inv_or_nan

__all__ = ["det", "slogdet"]


def adjugate(x: Array) -> Array:
    r"""The matrix :math:`A` with :math:`A x = \det(x)\, 1`, also of a singular ``x``; it has derivatives there too.

    The three smallest singular values of ``x`` are raised to the size of the next by a constant matrix
    :math:`P Q^H` of three columns.  Then :math:`B = x + P Q^H` is well conditioned, and

    .. math:: \operatorname{adj} x = \det B\,(\det M\,B^{-1} + B^{-1} P \operatorname{adj} M\, Q^H B^{-1}),
        \quad M = 1 - Q^H B^{-1} P,

    where the small :math:`M` is left to a recursion without division.  If more than three singular values are 0, then
    so are the adjugate and its first two derivatives.
    """
    n = shape_of(x)[-1]
    if n == 0:
        return x
    k = min(n, 3)
    fixed = stop_gradient(x)
    u, s, vh = svd_factors(svd_parts(where(isfinite(fixed), fixed, 0), False), x)
    zero = zero_for(x, s)
    level = s[..., n - k - 1 : n - k] if n > k else s[..., :1]
    enough = greater(level, zero)
    raised = where(logical_or(np.arange(n) >= n - k, less_equal(s, zero)), where(enough, level, 1) - s, 0)
    p = scale_columns(u, raised)
    b = x + p @ vh
    inverse = inv(b)
    p, qh = p[..., n - k :], vh[..., n - k :, :]
    m_adjugate, m_determinant = faddeev_leverrier(np.eye(k, dtype=x.dtype) - qh @ inverse @ p)
    y = m_determinant * inverse + inverse @ p @ m_adjugate @ qh @ inverse
    y = expand_dims(det(b), (-2, -1)) * y
    return y if n == k else where(expand_dims(enough, -1), y, 0)


def faddeev_leverrier(m: Array) -> tuple[Array, Array]:
    """Adjugate, and determinant with two axes of length 1, of small matrices: sums of products of entries [1]_.

    References
    ----------
    .. [1] D. K. Faddeev and V. N. Faddeeva, Computational Methods of Linear Algebra (1963) 260-265.
    """
    n = shape_of(m)[-1]
    one = np.eye(n, dtype=m.dtype)
    y = one
    for i in range(1, n):
        product = m @ y
        y = product - one * expand_dims(trace(product, 0, -2, -1) / i, (-2, -1))
    determinant = expand_dims(trace(m @ y, 0, -2, -1), (-2, -1)) / n
    return (y, determinant) if n % 2 else (-y, -determinant)


@primitive(formula=r"y = \det X, \quad \dot y = \operatorname{tr}(\operatorname{adj}(X) \dot X)")
def det(x: ArrayLike, /) -> Array:
    """Determinant of square matrices.  The derivative is right for singular ones too.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(ad.linalg.det)(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12)
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
    formula=r"y = (s, \ln |\det X|), \; s = \tfrac{\det X}{|\det X|},"
    r" \quad \dot s / s + \dot y_2 = \operatorname{tr}(X^{-1} \dot X)"
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
