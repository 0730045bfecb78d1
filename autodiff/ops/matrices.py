"""What the rows of linear algebra share: packed parts, triangles, reciprocals that may not exist.

One node holds one array.  A factorisation has several results, so its row returns them side by side in one array of
shape ``(*batch, total)``, each flattened, and the public function cuts that up again with recorded ops.  The cotangent
of a part that is not used is then exactly 0, and the row's derivatives unpack it in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.node import Array, shape_of
from ..core.rule import Sample, sample
from .arithmetic import absolute
from .diagonals import diagonal
from .families import conjugated
from .joining import concatenate
from .reduce import sum
from .select import less_equal, logical_or, not_equal, where
from .shape import expand_dims, matrix_transpose, reshape

__all__: list[str] = []

Shape = tuple[int, ...]


def pack(batch: int, *parts: Array) -> Array:
    """Parts that share their first ``batch`` axes, flattened behind those and laid side by side."""
    shapes = [shape_of(part) for part in parts]
    flat = [reshape(p, (*shape[:batch], math.prod(shape[batch:]))) for p, shape in zip(parts, shapes, strict=True)]
    return concatenate(flat, -1)


def unpack(y: Array, *shapes: Shape) -> list[Array]:
    """The parts that :func:`pack` laid side by side, whose shapes behind the batch are ``shapes``."""
    parts, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        parts.append(reshape(y[..., start:stop], shape_of(y)[:-1] + shape))
        start = stop
    return parts


def is_complex(x: Array) -> bool:
    """Whether the entries are complex."""
    return bool(x.dtype.kind == "c")


def adjoint(x: Array) -> Array:
    """The conjugate transpose of matrices."""
    return conjugated(matrix_transpose(x))


def diagonal_of(x: Array) -> Array:
    """The diagonals of matrices."""
    return diagonal(x, 0, -2, -1)


def on_diagonal(d: Array, rest: Array = 0) -> Array:
    """Matrices with ``d`` on the diagonal and the entries of ``rest`` beside it."""
    return where(np.eye(shape_of(d)[-1], dtype=bool), expand_dims(d, -2), rest)


def scale_columns(x: Array, d: Array) -> Array:
    """``x @ diag(d)``."""
    return x * expand_dims(d, -2)


def rounding(x: Array, n: int) -> float:
    """How large, relative to a matrix of side ``n``, a number may be that is 0 but for rounding."""
    return float(n * np.finfo(x.dtype).eps)


def reciprocal_or_nan(d: Array, negligible: Array) -> Array:
    """``1 / d``, and nan where ``d`` is ``negligible``, or smaller: a derivative that does not exist there."""
    lost = less_equal(absolute(d), negligible)
    return where(lost, math.nan, 1 / where(lost, 1, d))


def used_columns(g: Array) -> Array:
    """Which columns of a cotangent differ from 0.  What is not used must not meet a nan."""
    return not_equal(sum(absolute(g), -2), 0)


def if_used(g: Array, c: Array) -> Array:
    """``c``, and 0 for matrices whose cotangent ``g`` is 0."""
    return where(not_equal(sum(absolute(g), (-2, -1), keepdims=True), 0), c, 0)


def paired(t: Array, d: Array, used: Array) -> Array:
    """``t * d``, and 0 where of a pair of columns neither is used."""
    return where(logical_or(expand_dims(used, -1), expand_dims(used, -2)), t * d, 0)


def touched(v: Array, t: Array) -> Array:
    """``v``, and 0 in columns that ``t`` has no use for in ``v @ t @ v^H``: their own derivatives may be nan."""
    size = absolute(t)
    return where(expand_dims(not_equal(sum(size, -1) + sum(size, -2), 0), -2), v, 0)


def triangle_weights(x: Array, upper: bool = False) -> Array:
    """How often each entry of ``x`` counts in a function of Hermitian matrices that reads one triangle.

    It is 2 in the triangle, 1 on the diagonal and 0 beyond.  A matrix that is Hermitian may as well be read from both
    triangles, and then each entry counts once.
    """
    n, dtype = shape_of(x)[-1], np.finfo(x.dtype).dtype
    triangle = 2 * np.tri(n, k=-1, dtype=dtype) + np.eye(n, dtype=dtype)
    return where(is_hermitian(x), 1, triangle.T if upper else triangle)


def is_hermitian(x: Array) -> Array:
    """Whether each matrix equals its conjugate transpose, but for rounding.  Never tracked."""
    off, size = (sum(absolute(m), (-2, -1), keepdims=True) for m in (x - adjoint(x), x))
    return less_equal(off, rounding(x, shape_of(x)[-1]) * size)


def hermitian_part(x: Array) -> Array:
    """``(x + x^H) / 2``."""
    return (x + adjoint(x)) / 2


def read_triangle(t: Array, x: Array, upper: bool = False) -> Array:
    """The Hermitian matrix, or change of one, that NumPy reads from a triangle of ``t``, at a point ``x``."""
    return hermitian_part(triangle_weights(x, upper) * t)


def spread_triangle(g: Array, x: Array, upper: bool = False) -> Array:
    """The adjoint of :func:`read_triangle`."""
    return triangle_weights(x, upper) * hermitian_part(g)


def draw(rng: np.random.Generator, *shape: int, imaginary: bool = False) -> Any:
    """An array of normal random numbers, complex if ``imaginary``."""
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if imaginary else x


def square_samples(rng: np.random.Generator, **params: Any) -> Iterator[Sample]:
    """Square matrices of every kind: plain, stacked, of no matrices, without entries, strided, complex."""
    yield sample(draw(rng, 3, 3), **params)
    yield sample(draw(rng, 2, 1, 2, 2), **params)
    yield sample(draw(rng, 1, 1), **params)
    yield sample(draw(rng, 0, 2, 2), **params)
    yield sample(draw(rng, 2, 0, 0), **params)
    yield sample(draw(rng, 6, 6)[::-2, 1::2].T, **params)
    yield sample(draw(rng, 2, 3, 3, imaginary=True), **params)
