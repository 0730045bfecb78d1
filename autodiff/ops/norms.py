"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UnsupportedError
from ..core.node import Array, ArrayLike, Axis, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, power, real, sign
from .families import conjugated, times
from .reduce import axis_samples, complex_sample, keep, max, min, reduced_axes, sum, tie_weights
from .select import equal, where
from .shape import reshape

__all__ = ["norm", "vector_norm"]


def vector_norm_slope(x: Array, y: Array, ord: float, axis: Axis) -> Array:
    """The derivative of a vector norm: 0 where the norm is 0, shared evenly where entries tie for an extreme."""
    y = keep(y, x, axis)
    if ord in (math.inf, -math.inf):
        return sign(x) * tie_weights(absolute(x), y, axis)
    if ord == 0:
        return x * 0
    if ord == 1:
        return sign(x)
    safe = where(equal(y, 0), 1, y)
    if ord == 2:
        return where(equal(y, 0), 0, x / safe)
    return where(equal(y, 0), 0, times(sign(x), power(absolute(x) / safe, ord - 1)))


@primitive(
    formula=r"y = \big(\sum_i |x_i|^p\big)^{1/p}, \quad \bar x_i = \operatorname{sign}(x_i) (|x_i| / y)^{p-1}\,\bar y"
)
def vector_norm(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """Norm of order ``ord`` (any number, inf or -inf) of the entries over ``axis``.  Derivative 0 at 0."""
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


@vector_norm.def_vjp
def vector_norm_vjp(g: Array, x: Array, y: Array, ord: float, axis: Axis) -> Array:
    return times(keep(g, x, axis), vector_norm_slope(x, y, ord, axis))


@vector_norm.def_jvp
def vector_norm_jvp(x_dot: Array, x: Array, y: Array, ord: float, axis: Axis, keepdims: bool) -> Array:
    return sum(real(times(x_dot, conjugated(vector_norm_slope(x, y, ord, axis)))), axis, keepdims)


@vector_norm.def_samples
def vector_norm_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    for ord in (0, 1, 2.5, 3, -1, math.inf, -math.inf):
        yield sample(rng.uniform(0.5, 2, size=(2, 3)) * np.array([1, -1, 1]), ord=ord, axis=1)
    yield sample(rng.normal(size=(0, 3)), axis=0)
    yield complex_sample(rng, 2, 3)


def norm(x: ArrayLike, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Norm of a vector or a matrix, as ``np.linalg.norm``.

    Parameters
    ----------
    x : array_like
    ord : None, number, inf, -inf or "fro"
        None is the root of the sum of squares.  Of a matrix, 1 and -1 are the largest and smallest column sum, inf and
        -inf the largest and smallest row sum.
    axis : int, pair of int, or None
        The axis of the vectors, or the axes of the matrices; None is all of ``x``.

    Raises
    ------
    UnsupportedError
        For the matrix norms that need a singular value decomposition: 2, -2 and "nuc".
    """
    ndim = len(shape_of(x))
    axes = reduced_axes(x, axis)
    if ord is None or len(axes) == 1 or (axis is None and ndim == 0):
        return vector_norm(
            x, axis if axis is None or isinstance(axis, int) else axes, keepdims, 2 if ord is None else ord
        )
    if len(axes) != 2:
        raise ShapeError(f"norm with ord={ord!r} over {len(axes)} axes: it takes one (vectors) or two (matrices).")
    if ord == "fro":
        return vector_norm(x, axes, keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        row, column = axes if abs(ord) == 1 else axes[::-1]
        sums = sum(absolute(x), row, keepdims=True)
        extreme = max if ord > 0 else min
        kept = extreme(sums, column, keepdims=True)
        return kept if keepdims else reshape(kept, tuple(n for i, n in enumerate(shape_of(x)) if i not in axes))
    raise UnsupportedError(f"norm has no rule for the matrix norm ord={ord!r}; it has 'fro', 1, -1, inf and -inf.")
