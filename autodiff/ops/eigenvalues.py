r"""Eigenvalues and eigenvectors.

With :math:`T = V^{-1} \dot X V` and :math:`F_{ij} = 1 / (\lambda_j - \lambda_i)`, 0 on the diagonal [1]_,

.. math:: \dot\lambda = \operatorname{diag} T, \quad \dot V = V (F \circ T),

up to a factor for each column of :math:`V`, which is not determined by :math:`X`.  NumPy makes the columns unit vectors
and one entry of each real; the derivative is that of this very choice, so that it can be compared with differences.  A
function to which the phase of an eigenvector makes no difference has the derivative that it has for every choice.

Eigenvectors of eigenvalues that are equal up to rounding are not determined, and have nan for a derivative.  That of
the eigenvalues, and of other eigenvectors, is right all the same.

References
----------
.. [1] M. B. Giles, "Collected matrix derivative results", Advances in Automatic Differentiation (2008) 35-44.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.linalg._linalg import EighResult, EigResult

from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, imag, real
from .broadcast import is_plain
from .checked import of_one_kind
from .families import conjugated, contracted
from .matrices import (
    adjoint,
    diagonal_of,
    draw,
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
from .reduce import argmax, sum
from .select import equal, greater, not_equal, where
from .shape import expand_dims, matrix_transpose
from .solving import inv_or_nan

__all__ = ["eig", "eigh", "eigvals", "eigvalsh"]


def gaps(eigenvalues: Array) -> Array:
    """``1 / (eigenvalue j - eigenvalue i)``; 0 on the diagonal, nan where the two are equal up to rounding."""
    n = shape_of(eigenvalues)[-1]
    size = sum(absolute(eigenvalues), -1, keepdims=True)
    d = expand_dims(eigenvalues, -2) - expand_dims(eigenvalues, -1)
    return where(np.eye(n, dtype=bool), 0, reciprocal_or_nan(d, rounding(eigenvalues, n) * expand_dims(size, -1)))


def leading_entries(v: Array, last: bool = False) -> Array:
    """Where the first (or last) entry of each column stands that is not negligible."""
    n = shape_of(v)[-2]
    rank = np.arange(1, n + 1)[:: 1 if last else -1, None]
    large = greater(absolute(v), float(np.sqrt(np.finfo(v.dtype).eps)))
    return top_entries(where(large, rank, 0))


def real_entries(v: Array) -> Array:
    """Where the largest entry of each column stands whose imaginary part is exactly 0."""
    return top_entries(where(equal(imag(v), 0), absolute(v), 0) if is_complex(v) else absolute(v))


def top_entries(score: Array) -> Array:
    """Where the largest entry of each column stands."""
    n = shape_of(score)[-2]
    return equal(np.arange(n)[:, None], argmax(score, -2, keepdims=True)) if n else greater(score, 0)


def turned(raw: Array, v: Array, pinned: Array) -> Array:
    """The change ``raw`` of the columns ``v``, each turned in the complex plane so that its pinned entry stays real."""
    if not is_complex(v):
        return raw
    angle = sum(where(pinned, imag(raw), 0), -2, keepdims=True) / sum(where(pinned, real(v), 0), -2, keepdims=True)
    return raw - v * (angle * 1j)


def turned_back(g: Array, v: Array, pinned: Array) -> Array:
    """The adjoint of :func:`turned`."""
    if not is_complex(v):
        return g
    turn = imag(sum(conjugated(v) * g, -2, keepdims=True)) / sum(where(pinned, real(v), 0), -2, keepdims=True)
    return g - where(pinned, turn * 1j, 0)


def push_hermitian(t: Array, eigenvalues: Array, v: Array, pinned: Array) -> tuple[Array, Array]:
    """Changes of eigenvalues and eigenvectors of a Hermitian matrix that changes by ``t``."""
    inside = adjoint(v) @ t @ v
    return real(diagonal_of(inside)), turned(v @ if_used(t, inside * gaps(eigenvalues)), v, pinned)


def pull_hermitian(g: Array, g_v: Array, eigenvalues: Array, v: Array, pinned: Array) -> Array:
    """The adjoint of :func:`push_hermitian`."""
    inner = paired(adjoint(v) @ turned_back(g_v, v, pinned), gaps(eigenvalues), used_columns(g_v))
    inner = on_diagonal(real(g), inner)
    v = touched(v, inner)
    return v @ inner @ adjoint(v)


def is_upper(UPLO: Any) -> bool:  # noqa: N803 - NumPy's name
    """Whether the upper triangle is read."""
    return bool(UPLO.upper() == "U")


@primitive(
    formula=r"X = V \Lambda V^{\mathsf H}, \quad \dot\Lambda = \operatorname{diag} T, \; \dot V = V (F \circ T),"
    r" \; T = V^{\mathsf H} \dot X V, \; F_{ij} = \tfrac{1}{\lambda_j - \lambda_i}"
)
def eigh_parts(x: ArrayLike, /, UPLO: Any = "L") -> Array:  # noqa: N803
    """Eigenvalues and eigenvectors of Hermitian matrices, side by side."""
    return pack(np.ndim(x) - 2, *np.linalg.eigh(x, UPLO))


def eigh_factors(y: Array, x: Array) -> tuple[Array, Array]:
    """The real eigenvalues, and the eigenvectors, of what ``eigh_parts`` returned."""
    n = shape_of(x)[-1]
    eigenvalues, v = unpack(y, (n,), (n, n))
    return real(eigenvalues) if is_complex(y) else eigenvalues, v


@eigh_parts.def_vjp
def eigh_parts_vjp(g: Array, x: Array, y: Array, UPLO: Any) -> Array:  # noqa: N803
    eigenvalues, v = eigh_factors(y, x)
    g_values, g_v = eigh_factors(g, x)
    x_bar = pull_hermitian(g_values, g_v, eigenvalues, v, leading_entries(v, is_upper(UPLO)))
    return spread_triangle(x_bar, x, is_upper(UPLO))


@eigh_parts.def_jvp
def eigh_parts_jvp(x_dot: Array, x: Array, y: Array, UPLO: Any) -> Array:  # noqa: N803
    eigenvalues, v = eigh_factors(y, x)
    t = read_triangle(x_dot, x, is_upper(UPLO))
    return pack(len(shape_of(x)) - 2, *push_hermitian(t, eigenvalues, v, leading_entries(v, is_upper(UPLO))))


def hermitian_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Square matrices, of which one triangle is read; at Hermitian ones differences would read one triangle too."""
    yield from square_samples(rng)
    yield sample(draw(rng, 3, 3), UPLO="U")
    yield sample(draw(rng, 3, 3, imaginary=True), UPLO="u")
    yield sample(np.diag([1.0, 2.0, 2.0]), order=0)


eigh_parts.def_samples(hermitian_samples)


def eigh(a: ArrayLike, UPLO: Any = "L") -> Any:  # noqa: N803
    """Eigenvalues, in ascending order, and eigenvectors of Hermitian matrices, as ``np.linalg.eigh``.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        NumPy reads one triangle of it.  Of a matrix that is Hermitian each entry counts as half of the pair, as in
        PyTorch, and the gradient is Hermitian; of any other matrix the gradient lies in the triangle that is read.
    UPLO : "L" or "U"
        That triangle.

    Returns
    -------
    EighResult
        ``(eigenvalues, eigenvectors)``.  Between repeated eigenvalues the derivative of eigenvectors is nan.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda a: ad.linalg.eigh(a).eigenvalues[-1])(np.array([[2.0, 0.0], [0.0, 1.0]]))
    array([[1., 0.],
           [0., 0.]])
    """
    if is_plain(a):
        return np.linalg.eigh(a, UPLO)
    return EighResult(*eigh_factors(eigh_parts(a, UPLO), a))


@primitive(
    formula=r"X = V \operatorname{diag}(y) V^{\mathsf H}, \quad"
    r" \bar X = V \operatorname{diag}(\bar y) V^{\mathsf H} \text{, in the triangle that is read}"
)
def eigvalsh(x: ArrayLike, /, UPLO: Any = "L") -> Array:  # noqa: N803
    """Eigenvalues of Hermitian matrices, in ascending order.  The gradient's triangle is as in :func:`eigh`."""
    return np.linalg.eigvalsh(x, UPLO)


@eigvalsh.def_vjp
def eigvalsh_vjp(g: Array, x: Array, UPLO: Any) -> Array:  # noqa: N803
    _, v = eigh_factors(eigh_parts(x, UPLO), x)
    v = where(expand_dims(not_equal(g, 0), -2), v, 0)  # the others may have nan for their own derivatives
    return spread_triangle(scale_columns(v, g) @ adjoint(v), x, is_upper(UPLO))


@eigvalsh.def_jvp
def eigvalsh_jvp(x_dot: Array, x: Array, UPLO: Any) -> Array:  # noqa: N803
    _, v = eigh_factors(eigh_parts(x, UPLO), x)
    t = read_triangle(x_dot, x, is_upper(UPLO))
    return real(sum(conjugated(v) * (t @ v), -2))


eigvalsh.def_samples(hermitian_samples)


@primitive(
    formula=r"X V = V \Lambda, \quad \dot\Lambda = \operatorname{diag} T, \; \dot V = V (F \circ T),"
    r" \; T = V^{-1} \dot X V, \; F_{ij} = \tfrac{1}{\lambda_j - \lambda_i}"
)
def eig_parts(x: ArrayLike, /, as_eigvals: bool = False) -> Array:
    """Eigenvalues and eigenvectors of square matrices, side by side; ``as_eigvals`` for the order of ``eigvals``."""
    eigenvalues, v = np.linalg.eig(x)
    if as_eigvals:  # LAPACK orders large matrices in another way when it computes no eigenvectors
        order = nearest(np.linalg.eigvals(x), eigenvalues)
        eigenvalues = np.take_along_axis(eigenvalues, order, -1)
        v = np.take_along_axis(v, order[..., None, :], -1)
    return pack(np.ndim(x) - 2, eigenvalues, v)


def nearest(wanted: Any, found: Any) -> Any:
    """For each plain number wanted, along the last axis, the place of the nearest that is found and not taken yet."""
    places = np.arange(found.shape[-1])
    if np.array_equal(wanted, found):
        return np.broadcast_to(places, found.shape)
    if found.ndim > 1:
        return np.stack([nearest(w, f) for w, f in zip(wanted, found, strict=True)])
    distances = np.abs(wanted[:, None] - found)
    for i in range(len(places)):
        places[i] = distances[i].argmin()
        distances[:, places[i]] = np.inf
    return places


def eig_factors(y: Array, x: Array) -> list[Array]:
    """The eigenvalues, and the eigenvectors, of what ``eig_parts`` returned."""
    n = shape_of(x)[-1]
    return unpack(y, (n,), (n, n))


@eig_parts.def_vjp
def eig_parts_vjp(g: Array, x: Array, y: Array) -> Array:
    eigenvalues, v = eig_factors(y, x)
    g_values, g_v = eig_factors(g, x)
    growth = real(sum(conjugated(v) * g_v, -2))  # eigenvectors stay of length 1
    g_raw = turned_back(g_v, v, real_entries(v)) - scale_columns(v, growth)
    inner = paired(adjoint(v) @ g_raw, conjugated(gaps(eigenvalues)), used_columns(g_v))
    return before_inverse(on_diagonal(g_values, inner) @ adjoint(v), v, x)


def before_inverse(m: Array, v: Array, x: Array) -> Array:
    """``v^{-H} m``, real if ``x`` is."""
    x_bar = contracted(lambda m, inverse: adjoint(inverse) @ m, m, inv_or_nan(v))
    return x_bar if is_complex(x) else real(x_bar)


@eig_parts.def_jvp
def eig_parts_jvp(x_dot: Array, x: Array, y: Array) -> Array:
    eigenvalues, v = eig_factors(y, x)
    t = contracted(lambda m, inverse: inverse @ m, x_dot @ v, inv_or_nan(v))
    raw = v @ if_used(x_dot, t * gaps(eigenvalues))
    growth = real(sum(conjugated(v) * raw, -2))
    v_dot = turned(raw, v, real_entries(v)) - scale_columns(v, growth)
    return pack(len(shape_of(x)) - 2, diagonal_of(t), v_dot)


def eig_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from square_samples(rng)
    yield sample(np.array([[1.0, -2.0], [1.0, 1.0]]))  # complex eigenvalues of a real matrix
    yield sample(np.array([[1.0, -2.0, 0.5], [1.0, 1.0, 0.1], [0.2, 0.3, 3.0]]))


@eig_parts.def_samples
def eig_parts_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from eig_samples(rng)
    yield sample(draw(rng, 3, 3), as_eigvals=True)


def eig(a: ArrayLike) -> Any:
    """Eigenvalues and eigenvectors of square matrices, as ``np.linalg.eig``; complex if one eigenvalue of them is.

    Returns
    -------
    EigResult
        ``(eigenvalues, eigenvectors)``.  Between repeated eigenvalues the derivative of eigenvectors is nan.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda a: ad.linalg.eig(a).eigenvalues.imag[0])(np.array([[0.0, -1.0], [1.0, 0.0]]))
    array([[ 0. , -0.5],
           [ 0.5,  0. ]])
    """
    if is_plain(a):
        return np.linalg.eig(a)
    return EigResult(*eig_factors(of_one_kind(eig_parts)(a), a))


@of_one_kind
@primitive(
    formula=r"X V = V \operatorname{diag}(y), \quad"
    r" \bar X = V^{-\mathsf H} \operatorname{diag}(\bar y) V^{\mathsf H}"
)
def eigvals(x: ArrayLike, /) -> Array:
    """Eigenvalues of square matrices; complex if one of them is."""
    return np.linalg.eigvals(x)


@eigvals.def_vjp
def eigvals_vjp(g: Array, x: Array) -> Array:
    _, v = eig_factors(eig_parts(x, True), x)
    return before_inverse(expand_dims(g, -1) * adjoint(v), v, x)


@eigvals.def_jvp
def eigvals_jvp(x_dot: Array, x: Array) -> Array:
    _, v = eig_factors(eig_parts(x, True), x)
    return contracted(lambda m, inverse: sum(inverse * matrix_transpose(m), -1), x_dot @ v, inv_or_nan(v))


eigvals.def_samples(eig_samples)
