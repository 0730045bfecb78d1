"""Choosing among arrays, and putting entries in, taking them out and replacing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core.dispatch import gathered
from ..core.errors import ArgumentError, KindError
from ..core.looking import PLAIN, numbers_of
from ..core.node import Array, ArrayLike, Axis, Node, data_of, shape_of, size_of
from ..core.numbers import is_foreign
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .families import linear
from .index import array_of, flat, getitem, index_within, setitem, take, whole
from .joining import concatenate, stack
from .select import equal, logical_not, logical_or, not_equal, where
from .shape import astype, copy, dtype_of, expand_dims, moveaxis, reshape
from .sorting import flatnonzero

__all__ = [
    "append",
    "apply_along_axis",
    "apply_over_axes",
    "choose",
    "compress",
    "delete",
    "extract",
    "insert",
    "isin",
    "ix_",
    "piecewise",
    "place",
    "put",
    "putmask",
    "select",
    "trim_zeros",
]


def in_dtype(x: ArrayLike, dtype: Any, casting: Any = "unsafe") -> Array:
    """``x`` in another dtype: off the tape if that is one of whole numbers."""
    x = gathered(x)
    if not isinstance(x, Node):
        return x.astype(dtype, casting=casting) if isinstance(x, np.ndarray) else np.asarray(x, dtype)
    if not np.can_cast(dtype_of(x), dtype, casting):
        raise KindError(f"A tensor of {dtype_of(x)} was to be put into an array of {dtype}. Convert it with astype.")
    return astype(x, dtype, copy=False)


def weight(x: ArrayLike) -> Any:
    """What ``x`` has to say about the dtype of a result; Python's numbers only their kind."""
    data = data_of(x)
    if is_foreign(data):
        return 0.0
    return data if type(data) in (bool, int, float, complex) else dtype_of(array_of(x))


def select(condlist: Sequence[ArrayLike], choicelist: Sequence[ArrayLike], default: ArrayLike = 0) -> Array:
    """Entries from the first of ``choicelist`` whose condition is true there, else ``default``, as ``np.select``."""
    if len(condlist) != len(choicelist):
        raise ArgumentError(f"select got {len(condlist)} conditions and {len(choicelist)} choices; give one of each.")
    if not len(condlist):
        raise ArgumentError("select with an empty condition list is not possible.")
    for i, condition in enumerate(condlist):
        if dtype_of(array_of(condition)).kind != "b":
            raise KindError(f"invalid entry {i} in condlist: should be boolean ndarray")
    choices = [*choicelist, default]
    dtype = np.result_type(*map(weight, choices))
    *choices, y = [in_dtype(choice, dtype) for choice in choices]
    for condition, choice in zip(reversed(list(condlist)), reversed(choices), strict=True):
        y = where(condition, choice, y)
    return y


@linear(formula=r"y_i = x_{k_i, i}, \quad \bar x_{j, i} = \bar y_i\,[k_i = j]")
def chosen(*choices: ArrayLike, index: Any, mode: Any = "raise") -> Array:
    """Entries from the array that ``index`` names, entry by entry."""
    return np.choose(data_of(index), choices, mode=mode)


@chosen.def_vjp
def chosen_vjp(g: Array, i: int, choices: Sequence[Array], index: Any, mode: Any) -> Array:
    return where(equal(index_within(index, len(choices), mode), i), g, 0)


@chosen.def_jvp
def chosen_jvp(choices_dot: Array, i: int, choices: Sequence[Array], index: Any, mode: Any) -> Array:
    return where(equal(index_within(index, len(choices), mode), i), choices_dot, 0)


@chosen.def_samples
def chosen_samples(rng: np.random.Generator) -> Iterator[Sample]:
    index = np.array([[0, 1, 2], [2, 0, 0]])
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=()), index=index)
    yield sample(rng.normal(size=(2, 1)), rng.normal(size=(2, 1)), index=3 * index - 2, mode="wrap")
    yield sample(rng.normal(size=(2, 1)), rng.normal(size=(2, 1)), index=index - 1, mode="clip")
    yield sample(rng.normal(size=(3, 0)), rng.normal(size=(1, 1)), index=np.array(1))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, np.ones(()), index=index[:, ::-1] > 0)


def choose(a: ArrayLike, choices: Any, out: None = None, mode: Any = "raise") -> Array:
    """Entry by entry, one from the array of ``choices`` that the whole number in ``a`` names, as ``np.choose``."""
    refuse_out("choose", out)
    choices = list(choices)
    if not choices:
        raise ArgumentError("choose got no choices.")
    dtype = np.result_type(*map(weight, choices))
    return chosen([in_dtype(choice, dtype) for choice in choices], index=array_of(a), mode=mode)


def compress(condition: ArrayLike, a: ArrayLike, axis: int | None = None, out: None = None) -> Array:
    """Slices along ``axis`` where ``condition`` is true, entries of the flattened array if None."""
    refuse_out("compress", out)
    if len(shape_of(condition)) != 1:
        raise ArgumentError("condition must be a 1-d array")
    return take(a, flatnonzero(condition), axis)


def extract(condition: ArrayLike, arr: ArrayLike) -> Array:
    """The entries of ``arr`` where ``condition`` is true, on one axis."""
    return take(arr, flatnonzero(condition))


def on_axis(arr: ArrayLike, axis: int | None) -> tuple[Array, int]:
    """An array and the axis to work along: the only one of the flattened array if None."""
    arr = flat(arr) if axis is None else array_of(arr)
    return arr, normalize_axis_index(axis or 0, len(shape_of(arr)))


def insert(arr: ArrayLike, obj: Any, values: ArrayLike, axis: int | None = None) -> Array:
    """A copy with ``values`` before the places ``obj`` along ``axis``, as ``np.insert``; in the dtype of ``arr``."""
    arr, axis = on_axis(arr, axis)
    values = in_dtype(values, dtype_of(arr))
    n, shape = size_of(arr), shape_of(values)
    new = np.arange(n, n + size_of(values)).reshape(shape)
    at = numbers_of(obj, "inserting at the places", PLAIN)
    source = np.insert(np.arange(n).reshape(shape_of(arr)), at, new, axis)
    return getitem(concatenate([flat(arr), flat(values)]), source)


def delete(arr: ArrayLike, obj: Any, axis: int | None = None) -> Array:
    """A copy without the slices at ``obj`` along ``axis``, as ``np.delete``."""
    arr, axis = on_axis(arr, axis)
    n = shape_of(arr)[axis]
    kept = np.zeros(n, bool)
    kept[np.delete(np.arange(n), numbers_of(obj, "deleting at the places", PLAIN))] = True
    return getitem(arr, (slice(None),) * axis + (kept,))


def append(arr: ArrayLike, values: ArrayLike, axis: int | None = None) -> Array:
    """``values`` joined to the end of ``arr`` along ``axis``, both flattened if None."""
    if axis is None:
        arr, values, axis = flat(arr), flat(values), 0
    return concatenate([arr, values], axis)


def put(a: ArrayLike, ind: ArrayLike, v: ArrayLike, mode: str = "raise") -> Array:
    """A copy of ``a`` with ``v``, over and over, at the places ``ind`` of the flattened array; the last one stands.

    ``np.put`` writes into ``a`` instead.
    """
    return _put(a, whole(ind), in_dtype(v, dtype_of(array_of(a))), mode)


def _put(a: Array, ind: Array, v: Array, mode: str) -> Array:
    ind = index_within(ind, size_of(a), mode)
    if not size_of(v):
        return copy(a)
    again = getitem(flat(v), np.arange(size_of(ind)) % size_of(v))
    return setitem(flat(a), again, flat(ind)).reshape(shape_of(a))


def same_size(name: str, a: ArrayLike, mask: ArrayLike, values: ArrayLike) -> tuple[Array, Array, Array]:
    """The arguments of ``putmask`` and ``place``: ``a``, a mask of as many entries, and ``values`` in its dtype."""
    a, mask = array_of(a), array_of(mask)
    if size_of(a) != size_of(mask):
        raise ArgumentError(f"{name}: mask and data must be the same size")
    return a, mask, in_dtype(values, dtype_of(a), "safe")


def place(arr: ArrayLike, mask: ArrayLike, vals: ArrayLike) -> Array:
    """A copy of ``arr`` with ``vals``, one after the other and over again, where ``mask`` is true.

    ``np.place`` writes into ``arr`` instead.
    """
    arr, mask, vals = same_size("place", arr, mask, vals)
    at = flatnonzero(mask)
    if size_of(at) and not size_of(vals):
        raise ArgumentError("Cannot insert from an empty array!")
    return _put(arr, at, vals, "raise")


def putmask(a: ArrayLike, /, mask: ArrayLike, values: ArrayLike) -> Array:
    """A copy of ``a`` with the entries of ``values``, repeated to its size, where ``mask`` is true.

    ``np.putmask`` writes into ``a`` instead.
    """
    a, mask, values = same_size("putmask", a, mask, values)
    if not size_of(values):
        return copy(a)
    shape = shape_of(a)
    spread = getitem(flat(values), np.arange(size_of(a)) % size_of(values))
    return where(reshape(mask, shape), reshape(spread, shape), a)


def piecewise(x: ArrayLike, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """Functions (or constants) of the parts of ``x`` where conditions hold, as ``np.piecewise``; later ones win.

    Each function is called with the entries for which its condition is true, and only those: no other gets a gradient
    through it.  One function more than conditions is for all other entries.
    """
    x = array_of(x)
    if is_one_condition(condlist, len(shape_of(x))):
        condlist = [condlist]
    conditions = [not_equal(c, 0) if isinstance(c, Node) else np.asarray(c, bool) for c in condlist]
    n, m = len(conditions), len(funclist)
    if m == n + 1:
        conditions.append(logical_not(reduce(logical_or, conditions)))
    elif m != n:
        raise ArgumentError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    y = setitem(x, 0, ...)
    for condition, function in zip(conditions, funclist, strict=True):
        if not callable(function):
            y = setitem(y, function, condition)
        elif size_of(part := getitem(x, condition)):
            y = setitem(y, function(part, *args, **kw), condition)
    return y


def is_one_condition(condlist: Any, ndim: int) -> bool:
    """Whether ``piecewise`` was given a condition and not a list of them."""
    if isinstance(condlist, Node | np.ndarray):
        return len(shape_of(condlist)) < 1 + (ndim > 0)
    return np.isscalar(condlist) or (ndim > 0 and not isinstance(condlist[0], list | np.ndarray | Node))


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: ArrayLike, *args: Any, **kwargs: Any) -> Array:
    """``func1d(row, *args, **kwargs)`` of each row along ``axis``; its results stand in place of the rows."""
    arr = array_of(arr)
    axis = normalize_axis_index(axis, len(shape_of(arr)))
    rows = moveaxis(arr, axis, -1)
    lead = shape_of(rows)[:-1]
    results = [of_rows(func1d(getitem(rows, (*k, ...)), *args, **kwargs)) for k in np.ndindex(lead)]
    if not results:
        raise ArgumentError("Cannot apply_along_axis when any iteration dimensions are 0")
    dtype, shape = dtype_of(results[0]), shape_of(results[0])
    y = reshape(stack([in_dtype(y, dtype) for y in results]), lead + shape)
    new = range(len(shape))
    return moveaxis(y, [len(lead) + k for k in new], [axis + k for k in new])


def of_rows(result: Any) -> Array:
    """What a function returned, as an array: it may be a list of nodes."""
    listed = isinstance(result, list | tuple) and any(isinstance(y, Node) for y in result)
    return stack(result) if listed else array_of(result)


def apply_over_axes(func: Callable[[Array, int], Any], a: ArrayLike, axes: Axis) -> Array:
    """``func(a, axis)`` for one axis after the other, axes that it drops put back with length 1."""
    y = array_of(a)
    ndim = len(shape_of(y))
    for axis in np.atleast_1d(axes).tolist():
        axis = axis + ndim if axis < 0 else axis
        result = array_of(func(y, axis))
        if len(shape_of(result)) != ndim:
            result = expand_dims(result, axis)
        if len(shape_of(result)) != ndim:
            raise ArgumentError("function is not returning an array of the correct shape")
        y = result
    return y


def trim_zeros(filt: ArrayLike, trim: Any = "fb", axis: Axis = None) -> Array:
    """``filt`` without the zeros at the front ("f") and the back ("b") of each of the axes."""
    if not isinstance(filt, Node):
        return np.trim_zeros(filt, trim, axis)  # which gives a list for a list
    trim, ndim = trim.lower(), len(shape_of(filt))
    if trim not in ("fb", "bf", "f", "b"):
        raise ArgumentError(f"unexpected character(s) in `trim`: {trim!r}")
    data = numbers_of(filt, "trimming the zeros", "Leave the zeros, or trim them outside of the compiled function.")
    key = [slice(None)] * ndim
    for k in range(ndim) if axis is None else normalize_axis_tuple(axis, ndim):
        found = np.nonzero(data)[k]
        if not found.size:
            key[k] = slice(0)
        else:
            key[k] = slice(found.min() if "f" in trim else None, found.max() + 1 if "b" in trim else None)
    return getitem(filt, tuple(key))


@primitive(formula=r"y_i = (x_i \in b)", differentiable=False)
def isin(
    element: ArrayLike,
    test_elements: ArrayLike,
    /,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Array:
    """Whether each entry of ``element`` is among ``test_elements``.  Never tracked."""
    return np.isin(element, test_elements, assume_unique, invert, kind=kind)


def ix_(*args: ArrayLike) -> tuple[Array, ...]:
    """Indices that pick the cross product of several lists of rows, columns and so on, as ``np.ix_``."""
    grid = []
    for k, arg in enumerate(args):
        if len(shape_of(arg)) != 1:
            raise ArgumentError("Cross index must be 1 dimensional")
        places = array_of(arg) if size_of(arg) else whole(arg)
        if dtype_of(places).kind == "b":
            places = flatnonzero(places)
        grid.append(reshape(places, (1,) * k + (size_of(places),) + (1,) * (len(args) - k - 1)))
    return tuple(grid)
