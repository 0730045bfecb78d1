"""Indexing, its transpose (adding into an array of zeros), and assignment as a function."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.dispatch import joined
from ..core.errors import ArgumentError
from ..core.looking import MASKS, numbers_of
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of, shape_of, size_of
from ..core.op import primitive, refuse_out
from ..core.placed import Placed
from ..core.rule import Sample, sample
from .broadcast import sum_to
from .families import linear
from .select import equal, where

__all__ = ["getitem", "put_along_axis", "scatter_add", "setitem", "take", "take_along_axis"]


@linear(
    lambda g, x, key: scatter_add(g, shape_of(x), key),
    formula=r"y = x[k], \quad \bar x = \textstyle\sum \bar y \text{ at the places } k \text{, 0 elsewhere}",
)
def getitem(x: ArrayLike, /, key: Any) -> Array:
    """``x[key]`` for every form of NumPy key.  An index that occurs twice collects both gradients."""
    return x[plain_key(key)]


INTP = np.dtype(np.intp)


def refuse_masks(x: Array, key: Any) -> None:
    """Raise while compiling if a recorded mask picks entries."""
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, Node) and getattr(k._data, "dtype", INTP).kind == "b":
            numbers_of(k, "indexing with the mask", MASKS)


getitem.rule.refuses = refuse_masks


def pull_slice(g: Any, node: Node, pending: dict[int, Any]) -> None:
    """What a sweep does for ``x[key]``: of the zeros around ``g`` it writes out none before they are needed."""
    x, key = node._a, plain_key(node.params["key"])  # type: ignore[index]
    plain = x._data.__class__ is np.ndarray and isinstance(g, np.ndarray | np.generic) and g.dtype == x._data.dtype
    if not plain or may_repeat(key):
        getitem.rule.pull(g, node, pending)
        return
    c, i = Placed(x._data, key, g), x.index
    pending[i] = pending[i] + c if i in pending else c


getitem.rule.pull_on = pull_slice


@getitem.def_samples
def getitem_samples(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4))
    yield sample(x, key=1)
    yield sample(x, key=(slice(None, None, -2), -1))
    yield sample(x, key=(..., None, slice(1, 3)))
    yield sample(x, key=np.array([0, 0, 2]))  # repeated: accumulates
    yield sample(x, key=(np.array([[0], [2]]), np.array([1, 1])))
    yield sample(rng.normal(size=(2, 3, 2)), key=([1, 0, 1], slice(None), np.array([0, 0, -2])))  # transposes
    yield sample(x, key=x > 0)
    yield sample(x, key=(slice(None), np.array([True, False, True, False])))
    yield sample(x, key=(np.array([True, False, True]), [3, 3]))
    yield sample(x, key=(True, 0))
    yield sample(x, key=[])
    yield sample(x, key=())
    yield sample(rng.normal(size=(0, 2)), key=slice(None))
    yield sample(rng.normal(size=(3, 0)), key=[0, 0])
    yield sample(rng.normal(size=()), key=None)
    yield sample(rng.normal(size=()), key=np.array(False))
    yield sample(rng.normal(size=(4, 6)).T[::2], key=(np.array([1, -1]), slice(2)))


@linear(
    lambda g, key: getitem(g, key),
    formula=r"y = 0, \; y[k] \mathrel{+=} x, \quad \bar x = \bar y[k]",
)
def scatter_add(x: ArrayLike, /, shape: tuple[int, ...], key: Any) -> Array:
    """Zeros of ``shape`` with ``x`` added at ``key``: the transpose of ``getitem``, and ``np.add.at`` as a function."""
    x = np.asarray(x)
    y = np.zeros(shape, dtype=x.dtype)
    key = plain_key(key)
    if may_repeat(key):
        rows, width = rows_at(y.shape, key)
        n, cut = math.prod(width), y.ndim - len(width)
        x = np.broadcast_to(x, rows.shape + width)
        add_rows(y.reshape(math.prod(y.shape[:cut]), n), rows.ravel(), x.reshape(rows.size, n))
    else:
        y[key] = x
    return y


def add_rows(y: Array, rows: Array, x: Array) -> None:
    """Add the rows of ``x`` to those rows of the matrix ``y`` whose numbers, which may repeat, are ``rows``.

    ``np.add.at`` takes one entry after the other.  Where there are many, in long rows, it is faster to sort them: then
    a place that many fall on gets their sum from BLAS, and the others get their first rows at once, their second...
    """
    width = x.shape[1]
    if x.size < MANY or width < LONG or x.dtype.char not in "fdFD":
        at = rows if width == 1 else (rows[:, None] * width + np.arange(width)).ravel()
        np.add.at(y.reshape(-1), at, x.ravel())
        return
    order = np.argsort(rows.astype(np.uint16) if len(y) <= 1 << 16 else rows, kind="stable")  # short ones sort faster
    rows = rows[order]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    counts, rows = np.diff(starts, append=len(rows)), rows[starts]
    ones, often = np.ones(counts.max(), x.dtype), counts >= OFTEN
    for row, start, n in zip(*(v[often].tolist() for v in (rows, starts, counts)), strict=True):
        ones[:n].dot(x[order[start : start + n]], out=y[row])
    left = ~often
    while left.any():
        rows, starts, counts = rows[left], starts[left], counts[left]
        y[rows] += x[order[starts]]
        left = counts > 1
        starts, counts = starts + 1, counts - 1


MANY, LONG, OFTEN = 1 << 17, 64, 8
"""From how many entries, in rows of which length, sorting pays; and how many rows are worth a call of BLAS."""


@scatter_add.def_samples
def scatter_add_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(3, 2)), shape=(4, 2), key=np.array([0, 0, 3]))
    yield sample(rng.normal(size=(3,)), shape=(4, 2), key=(np.array([0, 0, 3]), [1, 1, -1]))
    yield sample(rng.normal(size=(2,)), shape=(4, 2), key=(slice(None, None, 3), 0))
    yield sample(rng.normal(size=()), shape=(3,), key=1)
    yield sample(rng.normal(size=(0, 2)), shape=(3, 2), key=slice(0, 0))
    yield sample(rng.normal(size=(2, 4))[:, ::2], shape=(4, 2), key=slice(1, 3))


@primitive(
    formula=r"y = x, \; y[k] = v, \quad \bar x = \bar y \text{ but 0 at } k, \; "
    r"\bar v = \bar y[k] \text{ where } v \text{ was not overwritten}",
    quiet=True,
)
def setitem(x: ArrayLike, value: ArrayLike, /, key: Any) -> Array:
    """A copy of ``x`` with ``x[key] = value``.  Where ``key`` names a place twice the last value stands.

    ``value`` is broadcast to ``x[key]`` and cast to the dtype of ``x``; it gets no gradient through whole numbers.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.setitem(np.array([1.0, 2.0, 3.0]), [8.0, 9.0], [0, 0])
    array([9., 2., 3.])
    """
    y = np.array(x, order="C")
    key = plain_key(key)
    if may_repeat(key):  # in an order of our own: NumPy's follows the memory layout
        at = places(y.shape, key)
        spread = np.empty(at.shape, y.dtype)
        spread[...] = value
        y.reshape(-1)[at.ravel()] = spread.ravel()
    else:
        y[key] = value
    return y


@setitem.def_vjp(wrt="x")
def setitem_vjp_x(g: Array, key: Any) -> Array:
    return setitem(g, 0, key)


@setitem.def_vjp(wrt="value")
def setitem_vjp_value(g: Array, y: Array, value: Array, key: Any) -> Array:
    shape = shape_of(value)
    if y.dtype.kind not in "fc":
        return np.zeros(shape)
    if compiler() is not None and math.prod(shape) == 1 and isinstance(key, Node) and key._data.dtype == bool:
        return sum_to(where(reshaped_mask(key, y), g, 0), (1,) * y.ndim).reshape(shape)
    c = getitem(g, key)
    if may_repeat(plain_key(key)):
        order = np.arange(size_of(c)).reshape(shape_of(c))
        last = getitem(setitem(np.zeros(y.shape, int), order, key), key)
        c = where(equal(last, order), c, 0)
    extra = len(shape) - len(shape_of(c))
    return sum_to(c, shape[extra:]).reshape(shape) if extra > 0 else c  # NumPy drops leading axes of length 1


def reshaped_mask(mask: Array, y: Array) -> Array:
    """A mask of leading axes, in a shape that broadcasts with ``y``."""
    return mask.reshape(mask.shape + (1,) * (y.ndim - mask.ndim))


@setitem.def_jvp(wrt="x")
def setitem_jvp_x(x_dot: Array, key: Any) -> Array:
    return setitem(x_dot, 0, key)


@setitem.def_jvp(wrt="value")
def setitem_jvp_value(value_dot: Array, y: Array, key: Any) -> Array:
    zeros = np.zeros(y.shape, y.dtype)
    if y.dtype.kind not in "fc":
        return zeros
    return setitem(zeros, value_dot if y.dtype.kind == "c" else value_dot.real, key)


@setitem.def_samples
def setitem_samples(rng: np.random.Generator) -> Iterator[Sample]:
    x = rng.normal(size=(3, 4))
    yield sample(x, rng.normal(size=(4,)), key=1)
    yield sample(x, rng.normal(size=()), key=(slice(None, None, -2), -1))
    yield sample(x, rng.normal(size=(1, 1, 2, 1)), key=(slice(2), slice(1, 3)))
    yield sample(x, rng.normal(size=(3, 4)), key=np.array([0, 0, 2]))  # repeated: the last one stands
    yield sample(x, rng.normal(size=(1, 2)), key=(np.array([[0], [2]]), np.array([1, 1])))
    yield sample(x, rng.normal(size=(x > 0).sum()), key=x > 0)
    yield sample(x, rng.normal(size=(1, 4)), key=...)
    yield sample(x, rng.normal(size=(0,)), key=([], 0))
    yield sample(rng.normal(size=()), rng.normal(size=()), key=())
    yield sample(rng.normal(size=(0, 2)), rng.normal(size=(2,)), key=slice(None))
    yield sample(rng.normal(size=(4, 6)).T[::2], rng.normal(size=(4, 2)).T, key=(np.array([1, -1]),))
    yield sample(x + 1j, rng.normal(size=(3, 4)) - 2j, key=np.array([1, 0, 1]))
    yield sample(x + 1j, rng.normal(size=(4,)), key=0)


def plain_key(key: Any) -> Any:
    """An index with tensors in it as an index of plain arrays."""
    return tuple([data_of(k) for k in key]) if isinstance(key, tuple) else data_of(key)


def may_repeat(key: Any) -> bool:
    """Whether an index can name one place twice: only an array of whole numbers can."""
    for k in key if isinstance(key, tuple) else (key,):
        if not (k is None or k is ... or isinstance(k, slice | int | np.generic)):
            k = np.asarray(k)
            if k.size > 1 and k.dtype.kind in "iu":
                return True
    return False


def rows_at(shape: tuple[int, ...], key: Any) -> tuple[Array, tuple[int, ...]]:
    """Which rows of an array of ``shape`` an index names, and the shape of a row.

    Indices that are arrays of whole numbers leave whole rows: what stands behind the axes that they are for.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if not all(np.asarray(k).dtype.kind in "iu" for k in keys):
        return np.arange(math.prod(shape)).reshape(shape)[key], ()
    lead = shape[: len(keys)]
    if len(keys) == len(lead) == 1:
        return np.arange(*lead)[key], shape[1:]
    rows = np.broadcast_to(0, lead)[key]  # in the right shape, or NumPy's own error
    for n, k in zip(lead, keys, strict=True):
        rows = rows * n + np.arange(n)[k]
    return rows, shape[len(keys) :]


def places(shape: tuple[int, ...], key: Any) -> Array:
    """Where in the flattened array the entries of ``x[key]`` stand, for an ``x`` of ``shape``."""
    rows, width = rows_at(shape, key)
    n = math.prod(width)
    return (rows[..., None] * n + np.arange(n)).reshape(rows.shape + width)


@primitive(formula=r"y = k \text{ within } 0 \dots n - 1", differentiable=False)
def index_within(indices: ArrayLike, /, n: int, mode: str) -> Array:
    """Indices of an axis of length ``n``, brought inside as ``mode`` says.  Never tracked."""
    if mode not in ("raise", "wrap", "clip"):
        raise ArgumentError(f"mode={mode!r} was given for indices; it is 'raise', 'wrap' or 'clip'.")
    k = indices.astype(np.intp, casting="same_kind")
    if not n and k.size:
        raise IndexError("cannot do a non-empty take from an empty axes.")
    return k if mode == "raise" else k % max(n, 1) if mode == "wrap" else np.clip(k, 0, n - 1)


def whole(indices: ArrayLike) -> Array:
    """Indices as an array of whole numbers.  A tensor of them stays one, so that a replayed tape can follow it."""
    return indices if isinstance(indices, Node | np.ndarray) else np.asarray(indices, np.intp)


def array_of(x: ArrayLike) -> Array:
    """A node as it is, anything else as an array."""
    return x if isinstance(x, Node) else joined(x)


def flat(x: ArrayLike) -> Array:
    """The entries of ``x`` on one axis."""
    return array_of(x).reshape(-1)


def take(a: ArrayLike, indices: ArrayLike, axis: int | None = None, out: None = None, mode: str = "raise") -> Array:
    """Entries, or slices along ``axis``, at ``indices``, as ``np.take``."""
    refuse_out("take", out)
    if axis is None or not shape_of(a):
        a, axis = flat(a), axis or 0
    shape = shape_of(a)
    axis = normalize_axis_index(axis, len(shape))
    return getitem(a, (slice(None),) * axis + (index_within(whole(indices), shape[axis], mode),))


def key_along(shape: tuple[int, ...], indices: Array, axis: int) -> tuple[Any, ...]:
    """The key that matches 1-d slices of ``indices`` with those of an array of ``shape`` along ``axis``."""
    if data_of(indices).dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if len(shape_of(indices)) != len(shape):
        raise ArgumentError(
            f"indices of shape {shape_of(indices)} were given for an array of shape {shape}: "
            "both must have the same number of axes."
        )
    one = (1,) * len(shape)
    grid: list[Any] = [np.arange(n).reshape((*one[:i], n, *one[i + 1 :])) for i, n in enumerate(shape)]
    return (*grid[:axis], indices, *grid[axis + 1 :])


def take_along_axis(arr: ArrayLike, indices: ArrayLike, axis: int | None = -1) -> Array:
    """Match 1-d slices of ``indices`` with those of ``arr`` along ``axis``, as ``np.take_along_axis``."""
    if axis is None:
        arr, axis = flat(arr), 0
    indices = array_of(indices)
    shape = shape_of(arr)
    return getitem(arr, key_along(shape, indices, normalize_axis_index(axis, len(shape))))


def put_along_axis(arr: ArrayLike, indices: ArrayLike, values: ArrayLike, axis: int | None) -> Array:
    """A copy of ``arr`` with ``values`` put where ``take_along_axis`` would take them from.

    ``np.put_along_axis`` writes into ``arr`` instead.
    """
    shape = shape_of(arr)
    if axis is None:
        arr, axis = flat(arr), 0
    indices = array_of(indices)
    along = shape_of(arr)
    return setitem(arr, values, key_along(along, indices, normalize_axis_index(axis, len(along)))).reshape(shape)


class IndexMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    __getitem__ = getitem
    take = take
