"""Equations that have no solution, or many: the pseudo-inverse and least squares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.modes import compiler
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import real, square
from .broadcast import is_plain
from .checked import checked
from .families import conjugated
from .matrices import adjoint, draw, is_complex, pack, read_triangle, spread_triangle, unpack
from .reduce import sum
from .select import equal
from .shape import astype, expand_dims, reshape
from .singular_values import svdvals

__all__ = ["lstsq", "pinv"]


@primitive(
    formula=(
        r"Y = X^{+}, \quad "
        r"\bar X = -Y^{\mathsf H} \bar Y Y^{\mathsf H} + (1 - X Y) \bar Y^{\mathsf H} Y Y^{\mathsf H} "
        r"+ Y^{\mathsf H} Y \bar Y^{\mathsf H} (1 - Y X)"
    )
)
def pinv(x: ArrayLike, /, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Array:
    """Pseudo-inverse.  The derivative is that along changes which keep the rank [1]_; others make it jump.

    References
    ----------
    .. [1] G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973) 413-432.
    """
    return np.linalg.pinv(x, rcond, hermitian, rtol=rtol)


@pinv.def_vjp
def pinv_vjp(g: Array, x: Array, y: Array, hermitian: bool) -> Array:
    a, yh, gh = read_triangle(x, x) if hermitian else x, adjoint(y), adjoint(g)
    a_bar = (gh - a @ (y @ gh)) @ y @ yh + yh @ y @ (gh - (gh @ y) @ a) - yh @ g @ yh
    return spread_triangle(a_bar, x) if hermitian else a_bar


@pinv.def_jvp
def pinv_jvp(x_dot: Array, x: Array, y: Array, hermitian: bool) -> Array:
    a, a_dot = (read_triangle(x, x), read_triangle(x_dot, x)) if hermitian else (x, x_dot)
    t, yh = adjoint(a_dot), adjoint(y)
    return y @ yh @ (t - (t @ a) @ y) + (t - y @ (a @ t)) @ yh @ y - y @ a_dot @ y


@pinv.def_samples
def pinv_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in ((3, 3), (4, 2), (2, 3), (2, 3, 1), (0, 2, 3), (0, 3), (2, 0)):
        yield sample(draw(rng, *shape))
    yield sample(draw(rng, 6, 6)[::-2, 1:5:2].T, rcond=1e-3)
    yield sample(draw(rng, 2, 3, 2), rtol=np.array([1e-10, 1e-5]))
    yield sample(draw(rng, 2, 3, imaginary=True))
    yield sample(draw(rng, 3, 2, imaginary=True), rtol=None)
    yield sample(draw(rng, 3, 3), hermitian=True)
    yield sample(draw(rng, 2, 2, imaginary=True), hermitian=True)
    yield sample(np.array([[1.0, 2.0], [2.0, 4.0]]), rcond=1e-10, order=0)


@primitive(
    formula=r"Y = A^{+} B, \quad \dot Y = A^{+} (\dot B - \dot A Y)"
    r" + A^{+} A^{+ \mathsf H} \dot A^{\mathsf H} (B - A Y) + (1 - A^{+} A) \dot A^{\mathsf H} A^{+ \mathsf H} Y"
)
def lstsq_parts(a: ArrayLike, b: ArrayLike, /, rcond: Any = None) -> Array:
    """The shortest ``y`` that makes ``b - a @ y`` shortest, flattened, and the rank of ``a``, side by side."""
    y, _, rank, _ = np.linalg.lstsq(a, b, rcond)
    return pack(0, y, np.asarray(rank, y.dtype))


def inverse_for(a: Array, rcond: float | None) -> Array:
    """The pseudo-inverse that counts the same singular values as 0."""
    eps = float(np.finfo(float).eps)
    if rcond is None:
        return pinv(a, eps * max(shape_of(a)))
    return pinv(a, rcond if rcond >= 0 else eps / 2)


def as_columns(b: Array) -> Array:
    """``b`` as a matrix, if it is a vector."""
    return expand_dims(b, -1) if len(shape_of(b)) == 1 else b


def solution(y: Array, a: Array, b: Array) -> Array:
    """The solution as a matrix, of what ``lstsq_parts`` returned."""
    return unpack(y, (shape_of(a)[1], *shape_of(as_columns(b))[1:]), ())[0]


def beside_rank(y_dot: Array) -> Array:
    """The change of a solution, beside that of the rank, which has none."""
    return pack(0, y_dot, np.zeros((), y_dot.dtype))


@lstsq_parts.def_vjp(wrt="a")
def lstsq_parts_vjp_a(g: Array, a: Array, b: Array, y: Array, rcond: float | None) -> Array:
    p, g, y = inverse_for(a, rcond), solution(g, a, b), solution(y, a, b)
    pg, py = adjoint(p) @ g, adjoint(p) @ y
    return (as_columns(b) - a @ y) @ adjoint(p @ pg) + py @ adjoint(g - p @ (a @ g)) - pg @ adjoint(y)


@lstsq_parts.def_vjp(wrt="b")
def lstsq_parts_vjp_b(g: Array, a: Array, b: Array, rcond: float | None) -> Array:
    return reshape(adjoint(inverse_for(a, rcond)) @ solution(g, a, b), shape_of(b))


@lstsq_parts.def_jvp(wrt="a")
def lstsq_parts_jvp_a(a_dot: Array, a: Array, b: Array, y: Array, rcond: float | None) -> Array:
    p, t, y = inverse_for(a, rcond), adjoint(a_dot), solution(y, a, b)
    s = t @ (adjoint(p) @ y)
    y_dot = p @ (adjoint(p) @ (t @ (as_columns(b) - a @ y)) - a_dot @ y) + s - p @ (a @ s)
    return beside_rank(y_dot)


@lstsq_parts.def_jvp(wrt="b")
def lstsq_parts_jvp_b(b_dot: Array, a: Array, rcond: float | None) -> Array:
    return beside_rank(inverse_for(a, rcond) @ as_columns(b_dot))


@lstsq_parts.def_samples
def lstsq_parts_samples(rng: np.random.Generator) -> Iterator[Sample]:
    shapes: list[tuple[Any, Any]] = [
        ((4, 2), (4,)),
        ((4, 2), (4, 3)),
        ((2, 4), (2,)),
        ((3, 3), (3, 1)),
        ((3, 0), (3,)),
        ((0, 3), (0, 2)),
        ((3, 2), (3, 0)),
    ]
    for a, b in shapes:
        yield sample(draw(rng, *a), draw(rng, *b))
    yield sample(draw(rng, 6, 6)[::-2, 1:5:2], draw(rng, 6)[::2], rcond=-1)
    yield sample(draw(rng, 3, 2, imaginary=True), draw(rng, 3, imaginary=True))
    yield sample(draw(rng, 2, 3, imaginary=True), draw(rng, 2, 2), rcond=1e-10)
    yield sample(draw(rng, 3, 2), draw(rng, 3, imaginary=True))
    yield sample(np.array([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]]), np.ones(3), order=0)


def lstsq(a: ArrayLike, b: ArrayLike, rcond: float | None = None) -> Any:
    """Least-squares solution of ``a @ x = b``, as ``np.linalg.lstsq``.

    Parameters
    ----------
    a : array_like, shape (m, n)
    b : array_like, shape (m,) or (m, k)
    rcond : float, optional
        Singular values up to ``rcond`` times the largest count as 0; the derivative is that at constant rank.

    Returns
    -------
    tuple
        ``(x, residuals, rank, s)``: the solution, the sums of squares of ``b - a @ x`` (none unless ``a`` has more rows
        than columns, and full rank), the rank as a plain number, the singular values of ``a``.

    Examples
    --------
    >>> import autodiff as ad
    >>> a = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> ad.grad(lambda b: ad.linalg.lstsq(a, b)[0][0])(np.array([0.0, 1.0, 3.0])).round(3)
    array([ 0.833,  0.333, -0.167])
    """
    if is_plain(a) and is_plain(b):
        return np.linalg.lstsq(a, b, rcond)
    a, b = (np.asarray(x) if is_plain(x) else x for x in (a, b))
    y = lstsq_parts(a, b, rcond)
    rank = np.int32(data_of(y)[-1].real)
    y = checked(y, lambda y: equal(real(y[-1]), rank))  # which decides on the shape of the residuals
    full = rank == shape_of(a)[1] < shape_of(a)[0]
    x = solution(y, a, b)
    missed = as_columns(b) - a @ x
    residuals = sum(real(missed * conjugated(missed)) if is_complex(missed) else square(missed), 0)
    n = shape_of(a)[1]
    if compiler() is not None:
        rank = astype(real(y[-1]), np.int32)
    s = svdvals(a if a.dtype == x.dtype else astype(a, x.dtype))
    return reshape(x, (n, *shape_of(b)[1:])), residuals if full else residuals[:0], rank, s
