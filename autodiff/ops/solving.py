"""Linear equations: inverses and solutions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .families import conjugated, contracted
from .matrices import adjoint, draw, square_samples
from .shape import expand_dims, ravel, reshape, squeeze, transpose

__all__ = ["inv", "solve", "tensorinv", "tensorsolve"]


@primitive(formula=r"Y = X^{-1}, \quad \dot Y = -Y \dot X Y, \quad \bar X = -Y^{\mathsf H} \bar Y Y^{\mathsf H}")
def inv(x: ArrayLike, /) -> Array:
    """Inverse of square matrices.  Raises ``LinAlgError`` for a singular one [1]_.

    References
    ----------
    .. [1] M. B. Giles, "Collected matrix derivative results", Advances in Automatic Differentiation (2008) 35-44.
    """
    return np.linalg.inv(x)


@inv.def_vjp
def inv_vjp(g: Array, y: Array) -> Array:
    back = adjoint(y)
    return contracted(lambda g, back: -(back @ g @ back), g, back)


@inv.def_jvp
def inv_jvp(x_dot: Array, y: Array) -> Array:
    return contracted(lambda x_dot, y: -(y @ x_dot @ y), x_dot, y)


def inv_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for point in square_samples(rng):
        yield point._replace(args=(point.args[0] + 2 * np.eye(point.args[0].shape[-1]),))


inv.def_samples(inv_samples)


@primitive(
    formula=r"Y = X^{-1} \text{, nan where } X \text{ is singular}, \quad \bar X = -Y^{\mathsf H} \bar Y Y^{\mathsf H}"
)
def inv_or_nan(x: ArrayLike, /) -> Array:
    """Inverse, nan for singular matrices: for derivatives, where what is not used must be 0 instead of an error."""
    try:
        return np.linalg.inv(x)
    except LinAlgError:
        if x.ndim == 2:
            return np.full_like(x, math.nan)
        return np.stack([inv_or_nan.rule.forward(matrix) for matrix in x])


inv_or_nan.def_vjp(inv_vjp)
inv_or_nan.def_jvp(inv_jvp)


@inv_or_nan.def_samples
def inv_or_nan_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from inv_samples(rng)
    yield sample(np.array([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]]), order=0)


@primitive(
    formula=r"Y = A^{-1} B, \quad \bar A = -A^{-\mathsf H} \bar Y Y^{\mathsf H}, \; \bar B = A^{-\mathsf H} \bar Y"
)
def solve(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The ``y`` with ``a @ y = b``: ``b`` is a vector if it has one axis, else matrices.

    Raises ``LinAlgError`` if ``a`` is singular, or not square.
    """
    return np.linalg.solve(a, b)


def solve_for(a: Array, b: Array, rhs: Array) -> Array:
    """``a^{-1} rhs``, where ``rhs`` is a change of a solution whose right-hand side was ``b``."""
    return squeeze(solve(a, expand_dims(rhs, -1)), -1) if b.ndim == 1 else solve(a, rhs)


@solve.def_vjp(wrt="a")
def solve_vjp_a(g: Array, a: Array, b: Array, y: Array) -> Array:
    b_bar = solve_for(adjoint(a), b, g)
    if b.ndim == 1:
        return -expand_dims(b_bar, -1) * conjugated(expand_dims(y, -2))
    return -(b_bar @ adjoint(y))


@solve.def_vjp(wrt="b")
def solve_vjp_b(g: Array, a: Array, b: Array) -> Array:
    return solve_for(adjoint(a), b, g)


@solve.def_jvp(wrt="a")
def solve_jvp_a(a_dot: Array, a: Array, b: Array, y: Array) -> Array:
    change = squeeze(a_dot @ expand_dims(y, -1), -1) if b.ndim == 1 else a_dot @ y
    return -solve_for(a, b, change)


@solve.def_jvp(wrt="b")
def solve_jvp_b(b_dot: Array, a: Array) -> Array:
    return solve(a, b_dot)


@solve.def_samples
def solve_samples(rng: np.random.Generator) -> Iterator[Sample]:
    shapes: list[tuple[Any, Any]] = [
        ((3, 3), (3, 2)),
        ((3, 3), (3,)),
        ((2, 3, 3), (3,)),
        ((2, 3, 3), (3, 1)),
        ((3, 3), (2, 3, 1)),
        ((4, 1, 2, 2), (3, 2, 2)),
        ((2, 0, 0), (0,)),
        ((0, 2, 2), (2, 1)),
        ((2, 2), (2, 0)),
    ]
    for a, b in shapes:
        yield sample(draw(rng, *a) + 2 * np.eye(a[-1]), draw(rng, *b))
    yield sample(draw(rng, 6, 6)[::-2, 1::2].T + 2 * np.eye(3), draw(rng, 2, 6).T[::2])
    yield sample(draw(rng, 2, 2, imaginary=True), draw(rng, 2, imaginary=True))
    yield sample(draw(rng, 2, 2, imaginary=True), draw(rng, 2, 3))
    yield sample(draw(rng, 2, 2), draw(rng, 3, 2, 1, imaginary=True))


def tensorinv(a: ArrayLike, ind: int = 2) -> Array:
    """The inverse of ``a`` for ``tensordot(a, x, ind)``: the first ``ind`` axes are its rows, as in NumPy."""
    shape = shape_of(a)
    if not ind > 0:
        raise ArgumentError(f"Invalid ind argument: tensorinv got {ind}, which must be at least 1.")
    matrix = reshape(a, (math.prod(shape[ind:]), -1))
    return reshape(inv(matrix), shape[ind:] + shape[:ind])


def tensorsolve(a: ArrayLike, b: ArrayLike, axes: Any = None) -> Array:
    """The ``x`` with ``tensordot(a, x, x.ndim) = b``; ``axes`` of ``a`` are moved to its end first, as in NumPy."""
    ndim = len(shape_of(a))
    if axes is not None:
        order = list(range(ndim))
        for k in axes:
            order.remove(k)
            order.insert(ndim, k)
        a = transpose(a, order)
    shape = shape_of(a)
    unknowns = shape[-(ndim - len(shape_of(b))) :]
    n = math.prod(unknowns)
    if math.prod(shape) != n**2:
        raise LinAlgError(
            f"tensorsolve got shapes {shape} and {shape_of(b)}: it needs "
            "prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])."
        )
    return reshape(solve(reshape(a, (n, n)), ravel(b)), unknowns)
