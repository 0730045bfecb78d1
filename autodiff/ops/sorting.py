"""Sorting, and searching what is sorted.

Sorting permutes, and so do its derivatives, with a permutation that is recorded too: equal entries keep their order.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import KindError, ShapeError
from ..core.looking import MASKS, numbers_of
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of, shape_of, size_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .checked import checked
from .index import array_of, getitem, index_within, scatter_add, take_along_axis, whole
from .reduce import complex_sample
from .select import greater_equal, less, logical_and
from .shape import dtype_of, reshape

__all__ = [
    "argpartition",
    "argsort",
    "argwhere",
    "bincount",
    "digitize",
    "flatnonzero",
    "lexsort",
    "nonzero",
    "partition",
    "searchsorted",
    "sort",
    "sort_complex",
]


@primitive(formula=r"y = \text{the } k \text{ that sort } a", differentiable=False)
def argsort(
    a: ArrayLike, /, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
) -> Array:
    """Indices that sort along ``axis``; equal entries keep their order, unless ``kind`` is given.  Never tracked."""
    return np.argsort(a, axis, kind, order, stable=True if kind is None and stable is None else stable)


@primitive(formula=r"y = \text{the } k \text{ that partition } a", differentiable=False)
def argpartition(
    a: ArrayLike, /, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None
) -> Array:
    """Indices that bring the ``kth`` smallest entries to their places along ``axis``.  Never tracked."""
    return np.argpartition(a, data_of(kth), axis, kind, order)


@primitive(formula=r"y = (a_{k_1}, a_{k_2}, \dots) \text{ ascending}, \quad \bar a_{k_i} = \bar y_i", quiet=True)
def sort(
    a: ArrayLike, /, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
) -> Array:
    """A sorted copy along ``axis``, or of the flattened array if None.  Equal entries keep their order."""
    return np.sort(a, axis, kind, order, stable=stable)


@sort.def_vjp
def sort_vjp(g: Array, a: Array, axis: int | None) -> Array:
    return put_back(g, a, argsort(a, axis), axis)


@sort.def_jvp
def sort_jvp(a_dot: Array, a: Array, axis: int | None) -> Array:
    return take_along_axis(a_dot, argsort(a, axis), axis)


def sort_samples(rng: np.random.Generator, **options: Any) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 5)), **options)
    yield sample(rng.normal(size=(4, 2, 2)), axis=0, **options)
    yield sample(rng.normal(size=(2, 3)), axis=None, **options)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=-2, **options)
    yield sample(rng.normal(size=(0, 3)), **options)
    yield complex_sample(rng, 2, 4)._replace(params=options)


sort.def_samples(sort_samples)


@primitive(formula=r"y = \text{a permutation of } a, \quad \bar a = \bar y \text{ permuted back}", quiet=True)
def partition(a: ArrayLike, /, kth: Any, axis: int | None = -1, kind: Any = "introselect", order: Any = None) -> Array:
    """A copy with the ``kth`` smallest entry in its sorted place along ``axis``, smaller ones before, larger after."""
    return np.partition(a, data_of(kth), axis, kind, order)


@partition.def_vjp
def partition_vjp(g: Array, a: Array, y: Array, axis: int | None) -> Array:
    return put_back(g, a, sources(a, y, axis), axis)


@partition.def_jvp
def partition_jvp(a_dot: Array, a: Array, y: Array, axis: int | None) -> Array:
    return take_along_axis(a_dot, sources(a, y, axis), axis)


@partition.def_samples
def partition_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from sort_samples(rng, kth=1)
    yield sample(rng.normal(size=(9,)), kth=(2, -3))


def sources(a: Array, y: Array, axis: int | None) -> Array:
    """Where the entries of ``y``, a permutation of ``a`` along ``axis``, come from: both sorted, they are paired."""
    ranks = argsort(argsort(y, axis), -1 if axis is None else axis)
    return take_along_axis(argsort(a, axis), ranks, -1 if axis is None else axis)


def put_back(g: Array, a: Array, order: Array, axis: int | None) -> Array:
    """``g`` of a permuted ``a``, permuted back."""
    along = -1 if axis is None else axis
    return reshape(take_along_axis(g, argsort(order, along), along), shape_of(a))


def sort_complex(a: ArrayLike) -> Array:
    """A sorted copy along the last axis as complex numbers, by real part, then by imaginary part."""
    y = sort(a)
    dtype = dtype_of(y)
    narrow = {"b": "F", "h": "F", "B": "F", "H": "F", "g": "G"}
    return y if dtype.kind == "c" else y.astype(narrow.get(dtype.char, "D"))


def lexsort(keys: Any, axis: int = -1) -> Array:
    """Indices that sort by several keys, the last one first, as ``np.lexsort``.  Never tracked."""
    if not isinstance(keys, Node) and not any(isinstance(key, Node) for key in keys):
        return np.lexsort(keys, axis)
    first, *rest = keys
    if any(shape_of(key) != shape_of(first) for key in rest):
        raise ShapeError(f"lexsort got keys of shapes {', '.join(str(shape_of(key)) for key in keys)}: all must agree.")
    order = argsort(first, axis)
    for key in rest:
        order = take_along_axis(order, argsort(take_along_axis(key, order, axis), axis), axis)
    return order


@primitive(formula=r"y_i = \#\{j : a_j < v_i\}", differentiable=False)
def insertion_points(a: ArrayLike, v: ArrayLike, /, side: Any, sorter: Any) -> Array:
    """Where ``v`` would have to be inserted to keep ``a`` sorted.  Never tracked."""
    return np.searchsorted(a, v, side, data_of(sorter))


def searchsorted(a: ArrayLike, v: ArrayLike, side: Any = "left", sorter: Any = None) -> Array:
    """Where ``v`` would have to be inserted to keep ``a`` sorted, as ``np.searchsorted``.  Never tracked."""
    return insertion_points(on_one_axis("searchsorted", a), v, side, sorter)


@primitive(formula=r"y_i = \#\{j : b_j \le x_i\}", differentiable=False)
def bin_numbers(x: ArrayLike, bins: ArrayLike, /, right: bool) -> Array:
    """The number of the bin that each entry of ``x`` is in.  Never tracked."""
    return np.digitize(x, bins, right)


def digitize(x: ArrayLike, bins: ArrayLike, right: bool = False) -> Array:
    """The number of the bin that each entry of ``x`` is in; ``bins`` ascend or descend.  Never tracked."""
    return bin_numbers(x, on_one_axis("digitize", bins), right)


def on_one_axis(name: str, a: ArrayLike) -> ArrayLike:
    """``a``, checked to be a sequence of numbers."""
    if len(shape_of(a)) != 1:
        raise ShapeError(f"{name} searches an array of one axis, and was given one of shape {shape_of(a)}.")
    return a


@primitive(formula=r"y_i = \#\{j : x_j = i\}", differentiable=False)
def counts(x: ArrayLike, /, minlength: int) -> Array:
    """How often each whole number occurs.  Never tracked."""
    return np.bincount(x, minlength=minlength)


def bincount(x: ArrayLike, /, weights: ArrayLike | None = None, minlength: int = 0) -> Array:
    """How often each whole number occurs, or the sum of its ``weights``, in which it is differentiable."""
    if compiler() is None or not isinstance(x, Node):
        n = len(np.bincount(data_of(x), minlength=minlength))  # raises what NumPy raises
    elif n := operator.index(minlength):
        x = checked(x, lambda k: logical_and(greater_equal(k, 0), less(k, n)))
    else:
        numbers_of(x, "counting", "Say how many numbers there are: minlength=10.")
    x = index_within(whole(x), n, "raise")
    if weights is None or not size_of(x):
        return counts(x, n)
    weights = array_of(weights)
    if not np.can_cast(dtype_of(weights), float):
        raise KindError(f"bincount adds up its weights in float64, and got them as {dtype_of(weights)}.")
    if shape_of(x) != shape_of(weights):
        raise ShapeError(f"bincount got weights of shape {shape_of(weights)} for numbers of shape {shape_of(x)}.")
    return scatter_add(weights.astype(float), (n,), x)


@primitive(formula=r"y = \{k : a_k \ne 0\}", differentiable=False)
def argwhere(a: ArrayLike, /) -> Array:
    """Indices of the entries that are not zero, a row for each.  Never tracked."""
    return np.argwhere(a)


@primitive(formula=r"y = \{k : a_k \ne 0\} \text{ of the flattened } a", differentiable=False)
def flatnonzero(a: ArrayLike, /) -> Array:
    """Indices of the entries of the flattened array that are not zero.  Never tracked."""
    return np.flatnonzero(a)


def refuse_to_find(a: ArrayLike) -> None:
    """Raise while compiling: nobody knows how many there will be."""
    numbers_of(a, "finding the entries that are not zero", MASKS)


argwhere.rule.refuses = flatnonzero.rule.refuses = refuse_to_find


def nonzero(a: ArrayLike) -> tuple[Array, ...]:
    """Indices of the entries that are not zero, an array for each axis.  Never tracked."""
    ndim = len(shape_of(a))
    if not ndim:
        np.nonzero(np.asarray(0))  # raises: a single number has no axes
    at = argwhere(a)
    return tuple([getitem(at, (slice(None), k)) for k in range(ndim)])
