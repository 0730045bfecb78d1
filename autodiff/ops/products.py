"""Products of vectors, matrices and stacks of matrices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .arithmetic import multiply
from .broadcast import sum_to
from .families import conjugated, contracted, times
from .shape import expand_dims, moveaxis, reshape, squeeze

__all__ = ["dot", "inner", "matmul", "matvec", "outer", "vdot", "vecdot", "vecmat"]


numpy_vecdot: Any = np.vecdot  # NumPy's stubs forget its axis


@primitive(formula=r"Y = A B, \quad \bar A = \bar Y B^{\mathsf H}, \; \bar B = A^{\mathsf H} \bar Y")
def matmul(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Matrix product ``a @ b``; vectors, stacks of matrices and broadcasting as in NumPy."""
    try:
        return a.dot(b) if a.ndim == b.ndim == 2 else np.matmul(a, b)  # on small matrices dot takes half the time
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
        if g.__class__ is b.__class__ is np.ndarray and g.ndim == b.ndim == 2:
            return g.dot(b.T)
        if a.ndim == 1:
            return b @ g if b.ndim == 2 else squeeze(b @ expand_dims(g, -1), -1)
        return g @ b.mT

    return contracted(pull, g, conjugated(b))


@matmul.def_vjp(wrt="b")
def matmul_vjp_b(g: Array, a: Array, b: Array) -> Array:
    def pull(g: Array, a: Array) -> Array:
        if a.ndim == 1:
            return a * g if b.ndim == 1 else expand_dims(a, -1) * expand_dims(g, -2)
        if g.__class__ is a.__class__ is np.ndarray and g.ndim == a.ndim == 2:
            return a.T.dot(g)
        if b.ndim == 1:
            return g @ a if a.ndim == 2 else squeeze(a.mT @ expand_dims(g, -1), -1)
        return a.mT @ g

    return contracted(pull, g, conjugated(a))


@matmul.def_jvp(wrt="a")
def matmul_jvp_a(a_dot: Array, b: Array) -> Array:
    return contracted(matmul, a_dot, b)


@matmul.def_jvp(wrt="b")
def matmul_jvp_b(b_dot: Array, a: Array) -> Array:
    return contracted(lambda b_dot, a: matmul(a, b_dot), b_dot, a)


def in_plane(rng: np.random.Generator, *shape: int) -> Array:
    """A random array of complex numbers."""
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


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
    yield sample(in_plane(rng, 2, 3), rng.normal(size=(3, 2)) * (1 + 2j))
    for a, b in [((3,), (3,)), ((3,), (2, 3, 4)), ((5, 2, 3), (3,))]:
        yield sample(in_plane(rng, *a), in_plane(rng, *b))
    yield sample(rng.normal(size=(2, 3)), in_plane(rng, 3, 2))


@primitive(formula=r"y_m = \sum_n A_{mn} b_n, \quad \bar A_{mn} = \bar y_m b_n^*, \; \bar b = A^{\mathsf H} \bar y")
def matvec(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Matrices times vectors, shapes ``(..., m, n)`` and ``(..., n)``; what stands before is broadcast."""
    return np.matvec(a, b)


@matvec.def_vjp(wrt="a")
def matvec_vjp_a(g: Array, b: Array) -> Array:
    return times(expand_dims(g, -1), expand_dims(conjugated(b), -2))


@matvec.def_vjp(wrt="b")
def matvec_vjp_b(g: Array, a: Array) -> Array:
    return contracted(lambda g, a: matvec(a.mT, g), g, conjugated(a))


@matvec.def_jvp(wrt="a")
def matvec_jvp_a(a_dot: Array, b: Array) -> Array:
    return contracted(matvec, a_dot, b)


@matvec.def_jvp(wrt="b")
def matvec_jvp_b(b_dot: Array, a: Array) -> Array:
    return contracted(lambda b_dot, a: matvec(a, b_dot), b_dot, a)


@matvec.def_samples
def matvec_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for a, b in [((2, 3), (3,)), ((4, 1, 2, 3), (5, 3)), ((2, 3), (4, 3)), ((0, 3), (3,)), ((2, 0), (0,))]:
        yield sample(rng.normal(size=a), rng.normal(size=b))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, rng.normal(size=6)[::2])
    yield sample(in_plane(rng, 2, 3), in_plane(rng, 4, 3))


@primitive(
    formula=r"y_m = \sum_n a_n^* B_{nm}, \quad \bar a_n = \sum_m \bar y_m^* B_{nm}, \; \bar B_{nm} = a_n \bar y_m"
)
def vecmat(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Conjugated vectors times matrices, shapes ``(..., n)`` and ``(..., n, m)``; what stands before is broadcast."""
    return np.vecmat(a, b)


@vecmat.def_vjp(wrt="a")
def vecmat_vjp_a(g: Array, b: Array) -> Array:
    return contracted(lambda g, b: matvec(b, g), conjugated(g), b)


@vecmat.def_vjp(wrt="b")
def vecmat_vjp_b(g: Array, a: Array) -> Array:
    return times(expand_dims(g, -2), expand_dims(a, -1))


@vecmat.def_jvp(wrt="a")
def vecmat_jvp_a(a_dot: Array, b: Array) -> Array:
    return contracted(vecmat, a_dot, b)


@vecmat.def_jvp(wrt="b")
def vecmat_jvp_b(b_dot: Array, a: Array) -> Array:
    return contracted(lambda b_dot, a: vecmat(a, b_dot), b_dot, a)


@vecmat.def_samples
def vecmat_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for a, b in [((3,), (3, 2)), ((5, 3), (4, 1, 3, 2)), ((4, 3), (3, 2)), ((3,), (3, 0)), ((0,), (0, 2))]:
        yield sample(rng.normal(size=a), rng.normal(size=b))
    yield sample(rng.normal(size=6)[::2], rng.normal(size=(6, 4))[::-2, 1::2])
    yield sample(in_plane(rng, 4, 3), in_plane(rng, 3, 2))


@primitive(formula=r"y = \sum_i a_i^* b_i, \quad \bar a_i = \bar y^*\,b_i, \; \bar b_i = a_i\,\bar y")
def vecdot(
    a: ArrayLike, b: ArrayLike, /, out: None = None, *, axis: int = -1, keepdims: bool = False, dtype: Any = None
) -> Array:
    """Sums of conjugated entries of ``a`` times entries of ``b`` along ``axis``; the other axes are broadcast."""
    return numpy_vecdot(a, b, axis=axis, keepdims=keepdims, dtype=dtype)


def along_vectors(g: Array, other: Array, x: Array, axis: int, keepdims: bool) -> Array:
    """The cotangent of ``x``: each entry of ``other`` times the ``g`` of the vector that it belongs to."""
    g = expand_dims(squeeze(g, axis) if keepdims else g, -1)
    shape = shape_of(moveaxis(x, axis, -1))
    return moveaxis(sum_to(times(g, moveaxis(other, axis, -1)), shape), -1, axis)


@vecdot.def_vjp(wrt="a")
def vecdot_vjp_a(g: Array, a: Array, b: Array, axis: int, keepdims: bool) -> Array:
    return along_vectors(conjugated(g), b, a, axis, keepdims)


@vecdot.def_vjp(wrt="b")
def vecdot_vjp_b(g: Array, a: Array, b: Array, axis: int, keepdims: bool) -> Array:
    return along_vectors(g, a, b, axis, keepdims)


@vecdot.def_jvp(wrt="a")
def vecdot_jvp_a(a_dot: Array, b: Array, axis: int, keepdims: bool) -> Array:
    return contracted(lambda a_dot, b: vecdot(a_dot, b, axis=axis, keepdims=keepdims), a_dot, b)


@vecdot.def_jvp(wrt="b")
def vecdot_jvp_b(b_dot: Array, a: Array, axis: int, keepdims: bool) -> Array:
    return contracted(lambda b_dot, a: vecdot(a, b_dot, axis=axis, keepdims=keepdims), b_dot, a)


@vecdot.def_samples
def vecdot_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=3), rng.normal(size=3))
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=3))
    yield sample(rng.normal(size=(3, 4, 1)), rng.normal(size=(3, 2)), axis=0)
    yield sample(rng.normal(size=(4, 3, 1)), rng.normal(size=(3, 2)), axis=-2, keepdims=True)
    yield sample(rng.normal(size=(0, 3)), rng.normal(size=(1, 3)))
    yield sample(rng.normal(size=(2, 0)), rng.normal(size=(2, 0)))
    halves = rng.integers(-9, 9, size=(6, 4)) / 2  # the order in which NumPy adds depends on the strides
    yield sample(halves[::-2, 1::2].T, halves[::2, 0])
    yield sample(in_plane(rng, 2, 3), in_plane(rng, 3))


def dot(a: ArrayLike, b: ArrayLike, out: None = None) -> Array:
    """Product of numbers, vectors or matrices, as ``np.dot``: the last axis of ``a`` with the last but one of ``b``."""
    refuse_out("dot", out)
    m, n = len(shape_of(a)), len(shape_of(b))
    if m == 0 or n == 0:
        return multiply(a, b)
    if n <= 2:
        return matmul(a, b)
    return product_of_last(a, moveaxis(b, -2, -1))


def inner(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Sums of products along the last axes of both, as ``np.inner``; nothing is conjugated."""
    if not shape_of(a) or not shape_of(b):
        return multiply(a, b)
    return product_of_last(a, b)


def product_of_last(a: ArrayLike, b: ArrayLike) -> Array:
    """Every vector along the last axis of ``a`` times every one along the last axis of ``b``."""
    (*rows, m), (*columns, n) = shape_of(a), shape_of(b)
    if not rows and not columns:
        return matmul(a, b)
    y = matmul(reshape(a, (math.prod(rows), m)), reshape(b, (math.prod(columns), n)).T)
    return reshape(y, (*rows, *columns))


def vdot(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Sum of the products of conjugated entries of ``a`` with entries of ``b``, both flattened."""
    return vecdot(reshape(a, -1), reshape(b, -1))


def outer(a: ArrayLike, b: ArrayLike, out: None = None) -> Array:
    """Every product of an entry of ``a`` with an entry of ``b``, both flattened: shape ``(a.size, b.size)``."""
    refuse_out("outer", out)
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
