"""Differences and sums over a grid: numerical calculus."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import Array, ArrayLike, Node, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import subtract
from .broadcast import broadcast_to
from .index import array_of
from .joining import concatenate
from .options import NOT_GIVEN, NUMPY, constant, is_plain
from .reduce import sum
from .select import not_equal
from .shape import astype, dtype_of, reshape

__all__ = ["diff", "ediff1d", "gradient", "trapezoid", "unwrap"]


def along(x: Array, axis: int, part: Any) -> Array:
    """The entries ``part`` of one axis."""
    return x[(slice(None),) * axis + (part,)]


def diff(
    a: ArrayLike, n: int = 1, axis: int = -1, prepend: ArrayLike = NOT_GIVEN, append: ArrayLike = NOT_GIVEN
) -> Array:
    """Differences of neighbours along ``axis``, ``n`` times over, as ``np.diff``.

    Differentiable in ``prepend`` and ``append`` too, which are joined to the ends first.
    """
    if is_plain(a, prepend, append):
        return NUMPY.diff(a, n, axis, prepend, append)
    if n == 0:
        return a
    if n < 0:
        raise ArgumentError(f"order must be non-negative but got {n!r}")
    a = array_of(a)
    shape = list(shape_of(a))
    if not shape:
        raise ShapeError("diff requires input that is at least one dimensional")
    axis = normalize_axis_index(axis, len(shape))
    shape[axis] = 1
    ends = [None if end is NOT_GIVEN else array_of(end) for end in (prepend, append)]
    front, back = (broadcast_to(e, shape) if e is not None and not shape_of(e) else e for e in ends)
    parts = [part for part in (front, a, back) if part is not None]
    if len(parts) > 1:
        a = concatenate(parts, axis=axis)
    for _ in range(n):
        step = not_equal if dtype_of(a).kind == "b" else subtract
        a = step(along(a, axis, slice(1, None)), along(a, axis, slice(None, -1)))
    return a


def ediff1d(ary: ArrayLike, to_end: ArrayLike = None, to_begin: ArrayLike = None) -> Array:
    """Differences of neighbours in the flattened array, with what is given at the ends, as ``np.ediff1d``."""
    if is_plain(ary, to_end, to_begin):
        return NUMPY.ediff1d(ary, to_end, to_begin)
    flat = reshape(ary, -1)
    dtype = dtype_of(flat)
    parts = [along(flat, 0, slice(1, None)) - along(flat, 0, slice(None, -1))]
    for name, end in (("to_begin", to_begin), ("to_end", to_end)):
        if end is not None:
            end = reshape(end, -1)
            if not np.can_cast(dtype_of(end), dtype, casting="same_kind"):
                raise KindError(f"{name} of dtype {dtype_of(end)} cannot be joined to differences of {dtype}.")
            parts.insert(0 if name == "to_begin" else len(parts), astype(end, dtype))
    return concatenate(parts) if len(parts) > 1 else parts[0]


def spacings(f: Array, axes: tuple[int, ...], given: tuple[Any, ...]) -> list[Array]:
    """For each axis the spacing of its grid: one number, or the steps between its points."""
    if not given:
        return [1.0] * len(axes)
    if len(given) == 1 and not shape_of(given[0]):
        return list(given) * len(axes)
    if len(given) != len(axes):
        raise KindError(f"gradient got {len(given)} spacings for {len(axes)} axes; it takes one, or one for each.")
    steps: list[Array] = []
    for x, axis in zip(given, axes):
        shape = shape_of(x)
        if len(shape) > 1:
            raise ShapeError("distances must be either scalars or 1d")
        if shape and shape[0] != shape_of(f)[axis]:
            raise ShapeError("when 1d, distances must match the length of the corresponding dimension")
        step = (
            diff(x if isinstance(x, Node) else np.asarray(x, float if np.asarray(x).dtype.kind in "iu" else None))
            if shape
            else x
        )
        # NumPy has a shorter formula for equal steps, which says nothing of what unequal ones would do
        steps.append(step[0] if shape and is_plain(x) and (step == step[0]).all() else step)
    return steps


def slopes(f: Array, axis: int, h: Array, edge_order: int) -> Array:
    """The derivative of ``f`` along one axis, by central differences."""
    n = shape_of(f)[axis]
    if n < edge_order + 1:
        raise ShapeError(
            f"gradient along axis {axis} of length {n}: it takes at least edge_order + 1 = {edge_order + 1} points."
        )

    def at(part: Any) -> Array:
        return along(f, axis, slice(part, part + 1 or None) if isinstance(part, int) else part)

    before, middle, after = at(slice(None, -2)), at(slice(1, -1)), at(slice(2, None))
    uniform = not shape_of(h)
    if uniform:
        inside = (after - before) / (2.0 * h)
    else:
        shape = [-1 if i == axis else 1 for i in range(len(shape_of(f)))]
        left, right = reshape(h[:-1], shape), reshape(h[1:], shape)
        inside = (
            -right / (left * (left + right)) * before
            + (right - left) / (left * right) * middle
            + left / (right * (left + right)) * after
        )
    if edge_order == 1:
        first = (at(1) - at(0)) / (h if uniform else h[0])
        last = (at(-1) - at(-2)) / (h if uniform else h[-1])
    else:
        near, far = (h, h) if uniform else (h[0], h[1])
        first = edge(at(0), at(1), at(2), near, far)
        near, far = (h, h) if uniform else (h[-1], h[-2])
        last = -edge(at(-1), at(-2), at(-3), near, far)
    return astype(concatenate([first, inside, last], axis=axis), dtype_of(f))


def edge(f0: Array, f1: Array, f2: Array, near: Array, far: Array) -> Array:
    """The slope at an end of the parabola through the last three points, by the two steps inwards."""
    both = near + far
    return -(both + near) / (near * both) * f0 + both / (near * far) * f1 - near / (far * both) * f2


def gradient(f: ArrayLike, *varargs: ArrayLike, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes of sampled values along each axis, as ``np.gradient``: an array for one axis, a tuple for several.

    Differentiable in the spacings, or in the coordinates of the points, too.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.gradient(np.array([1.0, 2.0, 4.0]), 0.5)
    array([2., 3., 4.])
    """
    if is_plain(f, *varargs):
        return NUMPY.gradient(f, *varargs, axis=axis, edge_order=edge_order)
    f = array_of(f)
    axes = tuple(range(len(shape_of(f)))) if axis is None else normalize_axis_tuple(axis, len(shape_of(f)))
    steps = spacings(f, axes, varargs)
    if edge_order > 2:
        raise ArgumentError("'edge_order' greater than 2 not supported")
    if dtype_of(f).kind in "iu":
        f = astype(f, float)
    results = tuple(slopes(f, i, h, edge_order) for i, h in zip(axes, steps))
    return results[0] if len(axes) == 1 else results


def trapezoid(y: ArrayLike, x: ArrayLike = None, dx: ArrayLike = 1.0, axis: int = -1) -> Array:
    """Integral along ``axis`` by the trapezoidal rule, as ``np.trapezoid``; differentiable in ``x`` and ``dx`` too."""
    if is_plain(y, x, dx):
        return NUMPY.trapezoid(y, x, dx, axis)
    y = array_of(y)
    ndim = len(shape_of(y))
    axis = normalize_axis_index(axis, ndim)
    steps: Array = dx
    if x is not None:
        if len(shape_of(x)) == 1:
            steps = reshape(diff(x), [-1 if i == axis else 1 for i in range(ndim)])
        else:
            steps = diff(x, axis=axis)
    return sum(steps * (along(y, axis, slice(1, None)) + along(y, axis, slice(None, -1))) / 2.0, axis)


@primitive(
    formula=r"y_k = x_k + T \cdot \text{the whole number that makes the steps small}, \quad \bar x = \bar y", quiet=True
)
def unwrap(x: ArrayLike, /, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Array:
    """Angles without jumps along ``axis``: whole periods are added, which do not change the derivative."""
    discont, period = data_of(constant(discont, "discont=")), data_of(constant(period, "period="))
    return np.unwrap(x, discont, axis, period=period)


@unwrap.def_vjp
def unwrap_vjp(g: Array) -> Array:
    return g


@unwrap.def_jvp
def unwrap_jvp(x_dot: Array) -> Array:
    return x_dot


@unwrap.def_samples
def unwrap_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.uniform(-9, 9, size=(2, 5)))
    yield sample(rng.uniform(-9, 9, size=(5, 2)), axis=0, period=3.0)
    yield sample(rng.uniform(-9, 9, size=6), discont=4.0)
    yield sample(rng.uniform(-9, 9, size=(6, 4))[::-2, 1::2].T)
    yield sample(rng.normal(size=(0, 2)))
