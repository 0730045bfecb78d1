"""Indexing, and its transpose: adding into an array of zeros."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.rule import Sample, sample
from .families import linear

__all__ = ["getitem", "scatter_add", "take", "take_along_axis"]


@linear(
    lambda g, x, key: scatter_add(g, x.shape, key),
    formula=r"y = x[k], \quad \bar x = \textstyle\sum \bar y \text{ at the places } k \text{, 0 elsewhere}",
)
def getitem(x: ArrayLike, /, key: Any) -> Array:
    """``x[key]`` for every form of NumPy key.  An index that occurs twice collects both gradients."""
    return np.asarray(x)[plain_key(key)]


@getitem.def_samples
def getitem_samples(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4))
    yield sample(x, key=1)
    yield sample(x, key=(slice(None, None, -2), -1))
    yield sample(x, key=(..., None, slice(1, 3)))
    yield sample(x, key=np.array([0, 0, 2]))  # repeated: accumulates
    yield sample(x, key=(np.array([[0], [2]]), np.array([1, 1])))
    yield sample(x, key=x > 0)
    yield sample(x, key=(slice(None), np.array([True, False, True, False])))
    yield sample(x, key=[])
    yield sample(x, key=())
    yield sample(rng.normal(size=(0, 2)), key=slice(None))
    yield sample(rng.normal(size=()), key=None)
    yield sample(rng.normal(size=(4, 6)).T[::2], key=(np.array([1, -1]), slice(2)))


@linear(
    lambda g, key: getitem(g, key),
    formula=r"y = 0, \; y[k] \mathrel{+}= x, \quad \bar x = \bar y[k]",
)
def scatter_add(x: ArrayLike, /, shape: tuple[int, ...], key: Any) -> Array:
    """Zeros of ``shape`` with ``x`` added at ``key``: the transpose of ``getitem``."""
    y = np.zeros(shape, dtype=np.asarray(x).dtype)
    key = plain_key(key)
    if may_repeat(key):
        np.add.at(y, key, x)
    else:
        y[key] = x
    return y


@scatter_add.def_samples
def scatter_add_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(3, 2)), shape=(4, 2), key=np.array([0, 0, 3]))
    yield sample(rng.normal(size=(2,)), shape=(4, 2), key=(slice(None, None, 3), 0))
    yield sample(rng.normal(size=()), shape=(3,), key=1)
    yield sample(rng.normal(size=(0, 2)), shape=(3, 2), key=slice(0, 0))
    yield sample(rng.normal(size=(2, 4))[:, ::2], shape=(4, 2), key=slice(1, 3))


def plain_key(key: Any) -> Any:
    """An index with tensors in it as an index of plain arrays."""
    return tuple(data_of(k) for k in key) if isinstance(key, tuple) else data_of(key)


def may_repeat(key: Any) -> bool:
    """Whether an index can name one place twice: only an array of whole numbers can."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(
        isinstance(k, list | tuple | np.ndarray) and np.ndim(k) > 0 and np.asarray(k).dtype.kind in "iu" for k in parts
    )


def _flat(x: ArrayLike) -> Array:
    return x.reshape(-1) if hasattr(x, "reshape") else np.asarray(x).reshape(-1)


def take(x: ArrayLike, indices: ArrayLike, axis: int | None = None) -> Array:
    """Entries, or slices along ``axis``, at ``indices``, as ``np.take``."""
    indices = np.asarray(data_of(indices))
    if axis is None:
        return getitem(_flat(x), indices)
    return getitem(x, (slice(None),) * (axis % len(shape_of(x))) + (indices,))


def take_along_axis(x: ArrayLike, indices: ArrayLike, axis: int | None) -> Array:
    """Match 1-d slices of ``indices`` with those of ``x`` along ``axis``, as ``np.take_along_axis``."""
    indices = np.asarray(data_of(indices))
    if axis is None:
        return getitem(_flat(x), indices)
    shape = shape_of(x)
    axis %= len(shape)
    grid = [
        indices if i == axis else np.arange(n).reshape([-1 if k == i else 1 for k in range(len(shape))])
        for i, n in enumerate(shape)
    ]
    return getitem(x, tuple(grid))


class IndexMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    __getitem__ = getitem
    take = take
