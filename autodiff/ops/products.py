"""Products of vectors, matrices and stacks of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import multiply
from .families import conjugated, contracted
from .shape import expand_dims, moveaxis, reshape, squeeze

__all__ = ["dot", "matmul", "outer"]


@primitive(formula=r"Y = A B, \quad \bar A = \bar Y B^{\mathsf H}, \; \bar B = A^{\mathsf H} \bar Y")
def matmul(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Matrix product ``a @ b``; vectors, stacks of matrices and broadcasting as in NumPy."""
    try:
        return np.matmul(a, b)
    except ValueError:
        _refuse_lengths(np.shape(a), np.shape(b))
        raise


def _refuse_lengths(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Say which lengths do not meet; return if NumPy has another complaint."""
    if not a or not b:
        raise ShapeError(f"matmul got shapes {a} and {b}; a single number has no rows or columns. Use * instead.")
    meets = b[-2] if len(b) > 1 else b[0]
    if a[-1] != meets:
        repair = " Did you mean a @ b.mT?" if len(b) > 1 and a[-1] == b[-1] else ""
        raise ShapeError(
            f"matmul got shapes {a} and {b}: rows of length {a[-1]} cannot meet columns of length {meets}.{repair}"
        )


@matmul.def_vjp(wrt="a")
def matmul_vjp_a(g: Array, a: Array, b: Array) -> Array:
    def pull(g: Array, b: Array) -> Array:  # what was broadcast is summed by the sweep
        if b.ndim == 1:
            return expand_dims(g, -1) * b
        return squeeze(b @ expand_dims(g, -1), -1) if a.ndim == 1 else g @ b.mT

    return contracted(pull, g, conjugated(b))


@matmul.def_vjp(wrt="b")
def matmul_vjp_b(g: Array, a: Array, b: Array) -> Array:
    def pull(g: Array, a: Array) -> Array:
        if a.ndim == 1:
            return a * g if b.ndim == 1 else expand_dims(a, -1) * expand_dims(g, -2)
        return squeeze(a.mT @ expand_dims(g, -1), -1) if b.ndim == 1 else a.mT @ g

    return contracted(pull, g, conjugated(a))


@matmul.def_jvp(wrt="a")
def matmul_jvp_a(a_dot: Array, b: Array) -> Array:
    return contracted(matmul, a_dot, b)


@matmul.def_jvp(wrt="b")
def matmul_jvp_b(b_dot: Array, a: Array) -> Array:
    return contracted(lambda b_dot, a: matmul(a, b_dot), b_dot, a)


@matmul.def_samples
def matmul_samples(rng: np.random.Generator) -> Iterator[Sample]:
    shapes: list[tuple[Any, Any]] = [
        ((2, 3), (3, 4)),
        ((3,), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((5, 2, 3), (5, 3, 4)),
        ((2, 3), (5, 3, 4)),
        ((4, 1, 2, 3), (5, 3, 2)),
        ((3,), (5, 3, 4)),
        ((5, 2, 3), (3,)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
    ]
    for a, b in shapes:
        yield sample(rng.normal(size=a), rng.normal(size=b))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, rng.normal(size=(4, 3)).T[:, ::2].T.T)
    yield sample(rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)), rng.normal(size=(3, 2)) * (1 + 2j))


def dot(a: ArrayLike, b: ArrayLike) -> Array:
    """Product of numbers, vectors or matrices, as ``np.dot``: the last axis of ``a`` with the last but one of ``b``."""
    m, n = len(shape_of(a)), len(shape_of(b))
    if m == 0 or n == 0:
        return multiply(a, b)
    if n <= 2:
        return matmul(a, b)
    rows = reshape(a, (-1, shape_of(a)[-1]))
    columns = reshape(moveaxis(b, -2, 0), (shape_of(b)[-2], -1))
    return reshape(matmul(rows, columns), shape_of(a)[:-1] + shape_of(b)[:-2] + shape_of(b)[-1:])


def outer(a: ArrayLike, b: ArrayLike) -> Array:
    """Every product of an entry of ``a`` with an entry of ``b``, both flattened: shape ``(a.size, b.size)``."""
    return multiply(reshape(a, (-1, 1)), reshape(b, (1, -1)))


class ProductMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    __matmul__ = matmul
    matmul = matmul
    dot = dot
    outer = outer

    def __rmatmul__(self, other: ArrayLike) -> Array:
        return matmul(other, self)
