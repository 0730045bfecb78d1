r"""Singular values and vectors.

With :math:`T = U^H \dot X V`, split into its Hermitian part :math:`H` and the rest :math:`K`, and [1]_ [2]_

.. math:: D_{ij} = \frac{H_{ij}}{s_j - s_i}, \quad E_{ij} = \frac{K_{ij}}{s_i + s_j}, \quad
    \dot s = \operatorname{Re} \operatorname{diag} T, \quad
    \dot U = U (D + E) + (1 - U U^H) \dot X V S^{-1}, \quad
    \dot V = V (D - E) + (1 - V V^H) \dot X^H U S^{-1},

where :math:`D` is 0 on its diagonal, up to a phase that each pair of columns has in common.  NumPy makes one entry of
each column of :math:`V` real, or of :math:`U` if that has fewer rows, and the derivative is that of this very choice.

A derivative that does not exist is nan: of vectors, between singular values that are equal up to rounding, or next to
one that is 0 in a matrix that is not square.  A singular value that is 0 up to rounding is at the kink of an absolute
value, and :func:`svd` and :func:`svdvals` give it the derivative 0.

References
----------
.. [1] M. B. Giles, "Collected matrix derivative results", Advances in Automatic Differentiation (2008) 35-44.
.. [2] M. Seeger et al., "Auto-differentiating linear algebra", arXiv 1710.08717 (2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.linalg._linalg import SVDResult

from ..core.errors import UnsupportedError
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, real, sign
from .broadcast import broadcast_to, is_plain
from .checked import checked
from .constant import stop_gradient
from .eigenvalues import leading_entries, pull_hermitian, push_hermitian, turned, turned_back
from .families import conjugated, times
from .joining import concatenate
from .matrices import (
    adjoint,
    diagonal_of,
    draw,
    hermitian_part,
    if_used,
    is_complex,
    on_diagonal,
    pack,
    paired,
    read_triangle,
    reciprocal_or_nan,
    rounding,
    scale_columns,
    spread_triangle,
    square_samples,
    touched,
    unpack,
    used_columns,
)
from .reduce import sum
from .select import equal, greater, not_equal, where
from .shape import expand_dims, matrix_transpose

__all__ = ["matrix_rank", "svd", "svdvals"]

svd_of_arrays: Any = np.linalg.svd  # NumPy's stubs do not take variables for its options


def svd_shapes(x: Array, full_matrices: bool = False) -> tuple[tuple[int, ...], ...]:
    """The shapes of the factors of each matrix."""
    m, n = shape_of(x)[-2:]
    k = min(m, n)
    return (m, m if full_matrices else k), (k,), (n if full_matrices else k, n)


def svd_factors(y: Array, x: Array, full_matrices: bool = False) -> tuple[Array, Array, Array]:
    """The left vectors, real values and right vectors that ``svd_parts`` returned."""
    u, s, vh = unpack(y, *svd_shapes(x, full_matrices))
    return u, real(s) if is_complex(y) else s, vh


def zero_for(x: Array, s: Array) -> Array:
    """Up to what size a singular value may be 0 but for rounding.  NumPy computes them in double precision."""
    return max(shape_of(x)[-2:]) * float(np.finfo(float).eps) * s[..., :1]


def divisors(x: Array, s: Array) -> tuple[Array, Array]:
    """``1 / (s_j - s_i)``, 0 on the diagonal, and ``1 / (s_i + s_j)``, also 0 there unless in the complex plane."""
    row, column, eye = expand_dims(s, -2), expand_dims(s, -1), np.eye(shape_of(s)[-1], dtype=bool)
    tied = rounding(s, max(shape_of(x)[-2:])) * row[..., :1]
    sums = reciprocal_or_nan(row + column, expand_dims(zero_for(x, s), -1))
    return where(eye, 0, reciprocal_or_nan(row - column, tied)), sums if is_complex(x) else where(eye, 0, sums)


def beside(v: Array, w: Array) -> Array:
    """``w`` without the part that lies in the span of the columns ``v``."""
    return w - v @ (adjoint(v) @ w)


def svd_frame(x: Array, y: Array, full_matrices: bool) -> tuple[Array, Array, Array, Array]:
    """What the derivatives need.

    The vectors that belong to singular values, as columns ``u`` and ``v``, the values ``s``, and which entry in each
    column of ``u`` above ``v`` is real by NumPy's choice.
    """
    u, s, vh = svd_factors(y, x, full_matrices)
    k = shape_of(s)[-1]
    u, v = u[..., :k], adjoint(vh[..., :k, :])
    m, n = shape_of(x)[-2:]
    others = np.zeros((*shape_of(x)[:-2], max(m, n), k), dtype=bool)
    pinned = concatenate([others, leading_entries(v)] if m >= n else [leading_entries(u), others], -2)
    return u, s, v, pinned


@primitive(
    formula=(
        r"X = U S V^{\mathsf H}, \; T = U^{\mathsf H} \dot X V, \quad "
        r"\dot S = \operatorname{Re} \operatorname{diag} T, \; \dot U = U (D + E), \; \dot V = V (D - E), \; "
        r"D_{ij} = \tfrac{T_{ij} + T_{ji}^*}{2 (s_j - s_i)}, \; "
        r"E_{ij} = \tfrac{T_{ij} - T_{ji}^*}{2 (s_i + s_j)}"
    )
)
def svd_parts(x: ArrayLike, /, full_matrices: bool = True) -> Array:
    """Left singular vectors, singular values and right singular vectors, side by side."""
    return pack(np.ndim(x) - 2, *np.linalg.svd(x, full_matrices))


@svd_parts.def_vjp
def svd_parts_vjp(g: Array, x: Array, y: Array, full_matrices: bool) -> Array:
    u, s, v, pinned = svd_frame(x, y, full_matrices)
    g_u, g_s, g_vh = svd_factors(g, x, full_matrices)
    x = refuse_undetermined(g_u, g_vh, x)
    (m, k), n = shape_of(u)[-2:], shape_of(v)[-2]
    g_uv = turned_back(concatenate([g_u[..., :k], adjoint(g_vh[..., :k, :])], -2), concatenate([u, v], -2), pinned)
    g_u, g_v = g_uv[..., :m, :], g_uv[..., m:, :]
    used = used_columns(g_uv)
    in_u, in_v = adjoint(u) @ g_u, adjoint(v) @ g_v
    differences, sums = divisors(x, s)
    d, e = paired(in_u + in_v, differences, used), paired(in_u - in_v, sums, used)
    t = hermitian_part(d) + e - hermitian_part(e) + on_diagonal(g_s)
    x_bar = touched(u, t) @ t @ adjoint(touched(v, t))
    inverse = expand_dims(reciprocal_or_nan(s, zero_for(x, s)), -2)
    if m > k:
        x_bar = x_bar + beside(if_used(g_u, u), times(g_u, inverse)) @ adjoint(if_used(g_u, v))
    if n > k:
        x_bar = x_bar + if_used(g_v, u) @ adjoint(beside(if_used(g_v, v), times(g_v, inverse)))
    return x_bar


def refuse_undetermined(g_u: Array, g_vh: Array, x: Array) -> Array:
    """``x``; raise if a derivative is asked for of columns that only complete ``u`` or ``vh`` to a square matrix."""
    k = min(shape_of(x)[-2:])
    rest = g_u[..., k:], g_vh[..., k:, :]
    if any(np.any(data_of(g)) for g in rest):
        raise UnsupportedError(
            f"svd of shape {shape_of(x)} with full_matrices=True: the columns of U, or rows of Vh, after the first {k} "
            "may be any basis, and have no derivative. Use full_matrices=False, or only those first."
        )
    for g in rest:
        x = checked(x, lambda g: equal(g, 0), of=g)
    return x


@svd_parts.def_jvp
def svd_parts_jvp(x_dot: Array, x: Array, y: Array, full_matrices: bool) -> Array:
    u, s, v, pinned = svd_frame(x, y, full_matrices)
    (m, k), n = shape_of(u)[-2:], shape_of(v)[-2]
    t = adjoint(u) @ x_dot @ v
    differences, sums = divisors(x, s)
    d, e = if_used(x_dot, hermitian_part(t) * differences), if_used(x_dot, (t - hermitian_part(t)) * sums)
    u_dot, v_dot = u @ (d + e), v @ (d - e)
    inverse = expand_dims(reciprocal_or_nan(s, zero_for(x, s)), -2)
    if m > k:
        u_dot = u_dot + times(beside(u, x_dot @ v), inverse)
    if n > k:
        v_dot = v_dot + times(beside(v, adjoint(x_dot) @ u), inverse)
    uv_dot = turned(concatenate([u_dot, v_dot], -2), concatenate([u, v], -2), pinned)
    u_dot, vh_dot = uv_dot[..., :m, :], adjoint(uv_dot[..., m:, :])
    if full_matrices and m != n:
        unknown = times(sum(absolute(x_dot), (-2, -1), keepdims=True), np.nan)
        lead = shape_of(x)[:-2]
        if m > n:
            u_dot = concatenate([u_dot, broadcast_to(unknown, (*lead, m, m - k))], -1)
        else:
            vh_dot = concatenate([vh_dot, broadcast_to(unknown, (*lead, n - k, n))], -2)
    return pack(len(shape_of(x)) - 2, u_dot, real(diagonal_of(t)), vh_dot)


def svd_parts_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from square_samples(rng)
    for shape in ((4, 2), (2, 4), (2, 3, 1), (0, 2, 3), (2, 0), (1, 0, 3)):
        yield sample(draw(rng, *shape), full_matrices=False)
    yield sample(draw(rng, 3, 2, imaginary=True), full_matrices=False)
    yield sample(draw(rng, 2, 2, 3, imaginary=True), full_matrices=False)
    yield sample(np.diag([2.0, 2.0, 1.0]), order=0)


svd_parts.def_samples(svd_parts_samples)


@primitive(
    formula=r"X = U \operatorname{diag}(y) V^{\mathsf H}, \quad \bar X = U \operatorname{diag}(\bar y) V^{\mathsf H}"
)
def svdvals(x: ArrayLike, /) -> Array:
    """Singular values, in descending order."""
    return np.linalg.svdvals(x)


@svdvals.def_vjp
def svdvals_vjp(g: Array, x: Array, y: Array) -> Array:
    u, _, vh = svd_factors(svd_parts(x, False), x)
    g = where(greater(y, zero_for(x, y)), g, 0)
    used = not_equal(g, 0)  # the other vectors may have nan for their own derivatives
    return scale_columns(where(expand_dims(used, -2), u, 0), g) @ where(expand_dims(used, -1), vh, 0)


@svdvals.def_jvp
def svdvals_jvp(x_dot: Array, x: Array, y: Array) -> Array:
    u, _, vh = svd_factors(svd_parts(x, False), x)
    change = real(sum(conjugated(u) * (x_dot @ adjoint(vh)), -2))
    return where(greater(y, zero_for(x, y)), change, 0)


@svdvals.def_samples
def svdvals_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for point in svd_parts_samples(rng):
        if point.order:
            yield sample(*point.args)
    yield sample(np.diag([2.0, 2.0, 1.0]), order=0)


@primitive(
    formula=r"X = U \Lambda U^{\mathsf H}, \; S = |\Lambda|, \; V = U \operatorname{sign} \Lambda, \quad"
    r" \dot U = U (F \circ U^{\mathsf H} \dot X U), \; F_{ij} = \tfrac{1}{\lambda_j - \lambda_i}"
)
def svd_hermitian_parts(x: ArrayLike, /) -> Array:
    """Singular vectors and values of Hermitian matrices, from their eigenvalues, side by side."""
    return pack(np.ndim(x) - 2, *np.linalg.svd(x, hermitian=True))


def signs(u: Array, vh: Array) -> Array:
    """The sign of the eigenvalue that each singular value of a Hermitian matrix comes from."""
    return sign(real(sum(u * matrix_transpose(vh), -2)))


@svd_hermitian_parts.def_vjp
def svd_hermitian_parts_vjp(g: Array, x: Array, y: Array) -> Array:
    u, s, vh = svd_factors(y, x)
    g_u, g_s, g_vh = svd_factors(g, x)
    flips = signs(u, vh)
    g_u = g_u + scale_columns(adjoint(g_vh), flips)
    x_bar = pull_hermitian(g_s * flips, g_u, s * flips, u, leading_entries(u))
    return spread_triangle(x_bar, x)


@svd_hermitian_parts.def_jvp
def svd_hermitian_parts_jvp(x_dot: Array, x: Array, y: Array) -> Array:
    u, s, vh = svd_factors(y, x)
    flips = signs(u, vh)
    t = read_triangle(x_dot, x)
    values_dot, u_dot = push_hermitian(t, s * flips, u, leading_entries(u))
    return pack(len(shape_of(x)) - 2, u_dot, values_dot * flips, adjoint(scale_columns(u_dot, flips)))


svd_hermitian_parts.def_samples(square_samples)


def svd(a: ArrayLike, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition ``U * S @ Vh``, as ``np.linalg.svd``.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
    full_matrices : bool
        Complete ``U`` and ``Vh`` to square matrices.  What is added may be any basis, so that it has no derivative: to
        use it in a loss raises; forwards it is nan.
    compute_uv : bool
        False for the values alone.
    hermitian : bool
        Whether ``a`` is Hermitian: then its lower triangle is read, as by :func:`eigh`.

    Returns
    -------
    SVDResult
        ``(U, S, Vh)``; without ``compute_uv`` the array ``S``, in descending order.

    Raises
    ------
    UnsupportedError
        In a derivative of the columns of ``U`` or rows of ``Vh`` that ``full_matrices`` added.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda a: ad.linalg.svd(a)[1].sum())(np.array([[3.0, 0.0], [0.0, -2.0]]))
    array([[ 1.,  0.],
           [ 0., -1.]])
    """
    if is_plain(a):
        return svd_of_arrays(a, full_matrices, compute_uv, hermitian)
    if not compute_uv and not hermitian:
        return svdvals(a)
    full = full_matrices and not hermitian
    u, s, vh = svd_factors(svd_hermitian_parts(a) if hermitian else svd_parts(a, full), a, full)
    # The rows follow a value through 0, where the vectors turn smoothly, and it would become negative.
    s = where(greater(s, zero_for(a, s)), s, stop_gradient(s))
    return SVDResult(u, s, vh) if compute_uv else s


@primitive(formula=r"y = \#\{i : s_i > \text{tol}\}", differentiable=False)
def matrix_rank(x: ArrayLike, /, tol: ArrayLike = None, hermitian: bool = False, *, rtol: ArrayLike = None) -> Array:
    """The number of singular values that are not 0 but for rounding.  Never tracked."""
    return np.linalg.matrix_rank(x, tol, hermitian, rtol=rtol)
