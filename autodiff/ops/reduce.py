"""Reductions along axes, scans, and the normalisations built from them (``softmax``, ``log_softmax``)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, Axis, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .broadcast import broadcast_to
from .families import conjugated, linear, times
from .joining import concatenate, stack
from .select import equal
from .shape import astype, moveaxis, reshape

__all__ = ["amax", "amin", "argmax", "argmin", "max", "mean", "min", "prod", "sum"]

# NumPy's stubs do not take a variable for keepdims; and a wrapper less is a microsecond less.
add_reduce: Any = np.add.reduce

multiply_reduce: Any = np.multiply.reduce

maximum_reduce: Any = np.maximum.reduce

minimum_reduce: Any = np.minimum.reduce


def reduced_axes(x: Array, axis: Axis) -> tuple[int, ...]:
    """The axes that a reduction runs over, none of them negative."""
    ndim = len(shape_of(x))
    if axis is None or ndim == 0:  # NumPy takes axis 0 of a single number
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple | list) else (axis,)))


def reduced_size(x: Array, axis: Axis) -> int:
    """How many entries go into each result of a reduction."""
    return math.prod(shape_of(x)[a] for a in reduced_axes(x, axis))


def keep(y: Array, x: Array, axis: Axis) -> Array:
    """A result ``y`` of reducing ``x``, with its reduced axes back, of length 1."""
    shape = shape_of(x)
    if len(shape_of(y)) == len(shape):
        return y
    axes = reduced_axes(x, axis)
    return reshape(y, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def axis_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Every form of ``axis`` and ``keepdims``."""
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=0)
    yield sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True)
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=-1)


def complex_sample(rng: np.random.Generator, *shape: int) -> Sample:
    """A point in the complex plane, where a conjugate that a VJP forgets shows."""
    return sample(rng.normal(size=shape) + 1j * rng.normal(size=shape))


@linear(lambda g, x, axis: broadcast_to(keep(g, x, axis), x.shape), formula=r"y = \sum_i x_i, \quad \bar x_i = \bar y")
def sum(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum over ``axis``."""
    return add_reduce(x, axis=axis, keepdims=keepdims)


@sum.def_samples
def sum_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(0, 2)), axis=0)


@linear(
    lambda g, x, axis: broadcast_to(keep(g, x, axis) / reduced_size(x, axis), x.shape),
    formula=r"y = \frac1n \sum_i x_i, \quad \bar x_i = \bar y / n",
)
def mean(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Arithmetic mean over ``axis``."""
    if x.dtype.kind not in "fc" or x.itemsize < 4:
        return np.mean(x, axis=axis, keepdims=keepdims)  # half precision is summed in single
    return add_reduce(x, axis=axis, keepdims=keepdims) / reduced_size(x, axis)


@mean.def_samples
def mean_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(0, 2)), axis=1)


def tie_weights(x: Array, y: Array, axis: Axis) -> Array:
    """1 at the entries of ``x`` that equal their extreme ``y``, split evenly where several do."""
    chosen = astype(equal(x, keep(y, x, axis)), x.dtype)
    return chosen / sum(chosen, axis, keepdims=True)


@primitive(formula=r"y = \max_i x_i, \quad \bar x_i = \bar y\,[x_i = y] / \#\{j : x_j = y\}")
def max(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest entry over ``axis``.  Ties share the derivative evenly."""
    return maximum_reduce(x, axis=axis, keepdims=keepdims)


@max.def_vjp
def max_vjp(g: Array, x: Array, y: Array, axis: Axis) -> Array:
    return times(keep(g, x, axis), tie_weights(x, y, axis))


@max.def_jvp
def max_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times(x_dot, tie_weights(x, y, axis)), axis, keepdims)


max.def_samples(axis_samples)


@primitive(formula=r"y = \min_i x_i, \quad \bar x_i = \bar y\,[x_i = y] / \#\{j : x_j = y\}")
def min(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest entry over ``axis``.  Ties share the derivative evenly."""
    return minimum_reduce(x, axis=axis, keepdims=keepdims)


min.def_vjp(max_vjp)

min.def_jvp(max_jvp)

min.def_samples(axis_samples)


def products_of_others(x: Array) -> Array:
    """For each entry of the last axis, the product of all the others.  No division, so zeros are no exception.

    Pair the entries up; the others of one are its partner and the others of the pair: log2(n) rounds.
    """
    *lead, n = shape_of(x)
    if n <= 1:
        return np.ones_like(data_of(x))
    if n % 2:
        x = concatenate([x, np.ones_like(data_of(x), shape=(*lead, 1))], axis=-1)
    first, second = x[..., 0::2], x[..., 1::2]
    outside = products_of_others(first * second)
    both = stack([outside * second, outside * first], axis=-1)
    return reshape(both, (*lead, n + n % 2))[..., :n]


def product_slope(x: Array, axis: Axis) -> Array:
    """The derivative of a product over ``axis``, in the shape of ``x``."""
    axes = reduced_axes(x, axis)
    last = tuple(range(-len(axes), 0))
    moved = moveaxis(x, axes, last)
    shape = shape_of(moved)
    flat = reshape(moved, (*shape[: len(shape) - len(axes)], reduced_size(x, axis)))
    return moveaxis(reshape(products_of_others(flat), shape), last, axes)


@primitive(formula=r"y = \prod_i x_i, \quad \bar x_i = \bar y \prod_{j \ne i} x_j")
def prod(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Product over ``axis``.  The derivative is right with any number of zeros."""
    return multiply_reduce(x, axis=axis, keepdims=keepdims)


@prod.def_vjp
def prod_vjp(g: Array, x: Array, axis: Axis) -> Array:
    return times(keep(g, x, axis), conjugated(product_slope(x, axis)))


@prod.def_jvp
def prod_jvp(x_dot: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times(x_dot, product_slope(x, axis)), axis, keepdims)


@prod.def_samples
def prod_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(np.array([2.0, 0.0, 3.0, 1.5, -1.0]))
    yield sample(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 4.0]]), axis=1)
    yield sample(rng.normal(size=(0, 2)), axis=0)
    yield complex_sample(rng, 4)


@primitive(formula=r"y = \arg\max_i x_i", differentiable=False)
def argmax(x: ArrayLike, /, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the first largest entry along ``axis``.  Never tracked."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@primitive(formula=r"y = \arg\min_i x_i", differentiable=False)
def argmin(x: ArrayLike, /, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the first smallest entry along ``axis``.  Never tracked."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


amax = max
amin = min


class ReduceMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    sum = sum
    mean = mean
    max = max
    min = min
    prod = prod
    argmax = argmax
    argmin = argmin
