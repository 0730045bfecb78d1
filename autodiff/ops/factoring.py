"""Triangular factors of matrices: Cholesky and QR."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.linalg._linalg import QRResult

from ..core.errors import UnsupportedError
from ..core.looking import numbers_of
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import imag
from .broadcast import is_plain
from .diagonals import tril, triu
from .families import contracted
from .joining import concatenate
from .matrices import (
    adjoint,
    diagonal_of,
    draw,
    if_used,
    is_complex,
    on_diagonal,
    pack,
    read_triangle,
    spread_triangle,
    unpack,
)
from .products import matmul
from .solving import inv, inv_or_nan

__all__ = ["cholesky", "qr"]


def half_lower(m: Array) -> Array:
    """The lower triangle with half the diagonal: a Hermitian matrix is the sum of that and its adjoint."""
    return (tril(m) + tril(m, -1)) / 2


@primitive(
    formula=r"X = L L^{\mathsf H}, \quad \dot L = L\,\Phi(L^{-1} \dot X L^{-\mathsf H}),"
    r" \; \Phi = \text{lower triangle with half the diagonal}"
)
def cholesky(x: ArrayLike, /, *, upper: bool = False) -> Array:
    """Lower triangular ``L`` with ``L @ L^H == x``; with ``upper`` its adjoint [1]_.

    One triangle of ``x`` is read, the upper one with ``upper``.  Of a matrix that is Hermitian each entry counts as
    half of the pair, as in PyTorch, and the gradient is Hermitian; else it lies in the triangle that is read.

    References
    ----------
    .. [1] S. F. Walter, "Structured higher-order algorithmic differentiation", PhD thesis, HU Berlin (2012).
    """
    return np.linalg.cholesky(x, upper=upper)


@cholesky.def_vjp
def cholesky_vjp(g: Array, x: Array, y: Array, upper: bool) -> Array:
    lower, g = (adjoint(y), adjoint(g)) if upper else (y, g)
    inverse = inv(lower)
    return spread_triangle(adjoint(inverse) @ half_lower(adjoint(lower) @ g) @ inverse, x, upper)


@cholesky.def_jvp
def cholesky_jvp(x_dot: Array, x: Array, y: Array, upper: bool) -> Array:
    lower = adjoint(y) if upper else y
    inverse = inv(lower)
    lower_dot = lower @ half_lower(inverse @ read_triangle(x_dot, x, upper) @ adjoint(inverse))
    return adjoint(lower_dot) if upper else lower_dot


@cholesky.def_samples
def cholesky_samples(rng: np.random.Generator) -> Iterator[Sample]:
    def positive(*shape: int, imaginary: bool = False) -> Any:
        a = draw(rng, *shape, imaginary=imaginary)
        return a @ a.mT.conj() + np.eye(shape[-1]) + np.triu(draw(rng, *shape), 1)  # above the diagonal nothing is read

    yield sample(positive(3, 3))
    yield sample(positive(3, 3).T, upper=True)
    yield sample(positive(2, 1, 2, 2))
    yield sample(positive(1, 1))
    yield sample(positive(0, 2, 2))
    yield sample(positive(2, 0, 0), upper=True)
    yield sample(np.kron(positive(3, 3), np.ones((2, 2)))[::-2, ::-2][::-1, ::-1])
    yield sample(positive(2, 3, 3, imaginary=True))
    yield sample(positive(2, 2, imaginary=True).T, upper=True)
    yield sample(np.array([[2.0, 1.0], [1.0, 3.0]]), order=0)


@primitive(
    formula=r"X = Q R, \; C = Q^{\mathsf H} \dot X R^{-1}, \; \Omega = \text{skew-Hermitian, below its diagonal } C,"
    r" \quad \dot R = Q^{\mathsf H} \dot X - \Omega R, \; \dot Q = Q \Omega + (1 - Q Q^{\mathsf H}) \dot X R^{-1}"
)
def qr_parts(x: ArrayLike, /, mode: Any = "reduced") -> Array:
    """The factors Q and R, side by side [1]_.

    References
    ----------
    .. [1] S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions", arXiv 1001.1654.
    """
    return pack(np.ndim(x) - 2, *np.linalg.qr(x, mode))


def qr_factors(y: Array, x: Array, mode: Any) -> list[Array]:
    """Q and R, of what ``qr_parts`` returned."""
    m, n = shape_of(x)[-2:]
    k = m if mode == "complete" else min(m, n)
    return unpack(y, (m, k), (k, n))


def columns_needed(x: Array) -> int:
    """How many columns of ``x`` the derivative of Q depends on: a last one that is square needs no division."""
    m, n = shape_of(x)[-2:]
    return n if m > n else m if is_complex(x) else max(m - 1, 0)


def skew(c: Array) -> Array:
    """The skew-Hermitian matrix that equals ``c`` below its diagonal."""
    below = tril(c, -1)
    omega = below - adjoint(below)
    return omega + on_diagonal(imag(diagonal_of(c)) * 1j) if is_complex(c) else omega


def skew_back(g: Array) -> Array:
    """The adjoint of :func:`skew`."""
    c_bar = tril(g - adjoint(g), -1)
    return c_bar + on_diagonal(imag(diagonal_of(g)) * 1j) if is_complex(g) else c_bar


def with_columns(m: Array, n: int) -> Array:
    """``m`` with columns of 0 added on the right, ``n`` in all."""
    *lead, k = shape_of(m)
    return concatenate([m, np.zeros((*lead, n - k), m.dtype)], -1) if k < n else m


@qr_parts.def_vjp
def qr_parts_vjp(g: Array, x: Array, y: Array, mode: Any) -> Array:
    (q, r), (g_q, g_r) = qr_factors(y, x, mode), qr_factors(g, x, mode)
    m, n = shape_of(x)[-2:]
    k, used = min(m, n), columns_needed(x)
    if shape_of(q)[-1] > k:
        g_q = g_q[..., :k] + pull_completion(g_q[..., k:], q)
    q, r, g_r = q[..., :k], r[..., :k, :], triu(g_r[..., :k, :])
    inside = adjoint(q) @ g_q
    back = q @ skew_back(inside - g_r @ adjoint(r))[..., :used]
    if m > n:
        back = back + g_q - q @ inside
    return q @ g_r + with_columns(contracted(matmul, back, adjoint(inv_or_nan(r[..., :used, :used]))), n)


@qr_parts.def_jvp
def qr_parts_jvp(x_dot: Array, x: Array, y: Array, mode: Any) -> Array:
    q, r = qr_factors(y, x, mode)
    m, n = shape_of(x)[-2:]
    k, used = min(m, n), columns_needed(x)
    q1, r1 = q[..., :k], r[..., :k, :]
    inverse = inv_or_nan(r1[..., :used, :used])
    t = adjoint(q1) @ x_dot
    omega = skew(with_columns(contracted(matmul, t[..., :used], inverse), k))
    q_dot, r_dot = q1 @ omega, triu(t - omega @ r1)
    if m > n:
        q_dot = q_dot + contracted(matmul, x_dot - q1 @ t, inverse)
    if shape_of(q)[-1] > k:
        q_dot = concatenate([q_dot, push_completion(q_dot, q)], -1)
        r_dot = concatenate([r_dot, np.zeros((*shape_of(x)[:-2], m - k, n), r_dot.dtype)], -2)
    return pack(len(shape_of(x)) - 2, q_dot, r_dot)


def completion(q: Array, n: int) -> tuple[Array, Array, Array]:
    r"""How the first ``n`` columns of a product of ``n`` reflections determine the others.

    :math:`Q = 1 - V T V^H` with :math:`n` columns in :math:`V`, so that with :math:`D = Q_1 - 1` above :math:`D_2`

    .. math:: Q_2 = 1 + D K^H, \quad K = D_2 D_1^{-1}.

    Returns :math:`D`, :math:`D_1^{-1}` and :math:`K`.
    """
    d = q[..., :n] - np.eye(shape_of(q)[-1], n, dtype=q.dtype)
    inverse = inv_or_nan(d[..., :n, :])
    return d, inverse, d[..., n:, :] @ inverse


def push_completion(q1_dot: Array, q: Array) -> Array:
    """The change of the other columns of ``q``."""
    n = shape_of(q1_dot)[-1]
    d, inverse, k = completion(q, n)
    k_dot = (q1_dot[..., n:, :] - k @ q1_dot[..., :n, :]) @ inverse
    return if_used(q1_dot, q1_dot @ adjoint(k) + d @ adjoint(k_dot))


def pull_completion(g: Array, q: Array) -> Array:
    """The adjoint of :func:`push_completion`."""
    n = shape_of(q)[-1] - shape_of(g)[-1]
    d, inverse, k = completion(q, n)
    g_below = adjoint(g) @ d @ adjoint(inverse)
    return if_used(g, g @ k + concatenate([-adjoint(k) @ g_below, g_below], -2))


@qr_parts.def_samples
def qr_parts_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 1), (1, 3), (0, 3, 2), (2, 0, 3), (3, 0), (0, 0)):
        yield sample(draw(rng, *shape))
        yield sample(draw(rng, *shape), mode="complete")
    yield sample(draw(rng, 6, 6)[::-2, 1::2].T)
    for shape in ((2, 3, 3), (3, 2), (2, 3), (4, 1)):
        yield sample(draw(rng, *shape, imaginary=True))
        yield sample(draw(rng, *shape, imaginary=True), mode="complete")
    yield sample(np.array([[1.0, 2.0], [2.0, 4.0]]))  # the last column of a square Q needs no division
    yield sample(np.array([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]]), order=0)


def qr(a: ArrayLike, mode: Any = "reduced") -> Any:
    """QR factorisation, as ``np.linalg.qr``.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Of full rank, where there is to be a derivative; it is nan otherwise.  In a matrix with as many columns as rows,
        or more, the first ``m - 1`` must be independent (``m`` if complex).
    mode : "reduced", "complete", "r" or "raw"
        "complete" for a square ``Q``: the columns that are added have the derivative of NumPy's choice, a product of
        reflections.  "r" for ``R`` alone.  "raw" has no derivative.

    Returns
    -------
    QRResult
        ``(Q, R)``; with mode "r" the array ``R``.

    Raises
    ------
    UnsupportedError
        For the raw form of a tracked tensor.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda a: ad.linalg.qr(a, "r")[0, 0])(np.array([[3.0, 1.0], [4.0, 1.0]]))
    array([[-0.6,  0. ],
           [-0.8,  0. ]])
    """
    if is_plain(a):
        return np.linalg.qr(a, mode)
    if mode in ("raw", "economic", "e"):
        raw = np.linalg.qr(data_of(a), mode)
        compiling = compiler()
        if a.tracked if compiling is None else compiling.tracks(a):
            raise UnsupportedError(
                f"qr with mode={mode!r} returns LAPACK's internal form, which has no derivative. "
                "Use mode='reduced', or qr(a.detach(), ...)."
            )
        numbers_of(a, f"qr with mode={mode!r}", "Use mode='reduced'.")
        return raw
    if mode in ("f", "full"):
        warnings.warn("The 'full' option of qr is deprecated in favor of 'reduced'.", DeprecationWarning, stacklevel=2)
        mode = "reduced"
    q, r = qr_factors(qr_parts(a, "reduced" if mode == "r" else mode), a, mode)
    return r if mode == "r" else QRResult(q, r)
