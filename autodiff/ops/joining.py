"""Joining arrays, and cutting them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.errors import KindError, ShapeError, UnsupportedError
from ..core.looking import PLAIN, numbers_of
from ..core.node import Array, ArrayLike, shape_of, size_of
from ..core.rule import Sample, sample
from .families import linear
from .index import getitem, scatter_add
from .shape import atleast_1d, atleast_2d, atleast_3d, reshape, transpose

__all__ = [
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "row_stack",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]


def place(arrays: Sequence[Array], i: int, axis: int | None) -> Any:
    """The key under which array ``i`` stands in the joined one."""
    if axis is None:
        start = sum([size_of(a) for a in arrays[:i]])
        return slice(start, start + size_of(arrays[i]))
    shape = shape_of(arrays[i])
    start = sum([shape_of(a)[axis] for a in arrays[:i]])
    return (slice(None),) * (axis % len(shape)) + (slice(start, start + shape[axis]),)


def lasting(name: str, arrays: Sequence[Array], y: Array) -> Array:
    """The result ``y`` of an op that was given a dtype, if it can hold a derivative where the arrays can."""
    if y.dtype.kind in "biu" and any([a.dtype.kind in "fc" for a in arrays]):
        raise UnsupportedError(
            f"{name} was asked for dtype={y.dtype}, in which a derivative is lost silently. "
            f"Use astype({name}(...), {y.dtype}), whose result is not tracked."
        )
    return y


@linear(formula=r"y = (x_1, x_2, \dots) \text{ joined}, \quad \bar x_i = \text{its part of } \bar y")
def concatenate(
    *arrays: ArrayLike, axis: int | None = 0, out: None = None, dtype: Any = None, casting: Any = "same_kind"
) -> Array:
    """Join arrays along an existing axis; flattened first if ``axis`` is None."""
    if dtype is None and casting == "same_kind":
        return np.concatenate(arrays, axis)
    return lasting("concatenate", arrays, np.concatenate(arrays, axis, dtype=dtype, casting=casting))


@concatenate.def_vjp
def concatenate_vjp(g: Array, i: int, arrays: Sequence[Array], axis: int | None) -> Array:
    part = g[place(arrays, i, axis)]
    return reshape(part, shape_of(arrays[i])) if axis is None else part


@concatenate.def_jvp
def concatenate_jvp(arrays_dot: Array, i: int, y: Array, arrays: Sequence[Array], axis: int | None) -> Array:
    part = reshape(arrays_dot, -1) if axis is None else arrays_dot
    return scatter_add(part, y.shape, place(arrays, i, axis))


@concatenate.def_samples
def concatenate_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 1)), axis=-1)
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(2,)), axis=None)
    yield sample(rng.normal(size=(2, 3)), np.asarray(rng.normal()), np.zeros((0, 2)), axis=None)
    yield sample(rng.normal(size=(6, 2)).T[:, ::2], rng.normal(size=(1, 3)))
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), dtype=complex)
    yield sample(rng.normal(size=2), np.array([1 + 2j]))
    yield sample(rng.normal(size=2), np.array([1, 2]), np.array([True]))


@linear(formula=r"y = (x_1, x_2, \dots) \text{ along a new axis}, \quad \bar x_i = \bar y_i")
def stack(*arrays: ArrayLike, axis: int = 0, out: None = None, dtype: Any = None, casting: Any = "same_kind") -> Array:
    """Join arrays of one shape along a new axis."""
    if dtype is None and casting == "same_kind":
        return np.stack(arrays, axis)
    return lasting("stack", arrays, np.stack(arrays, axis, dtype=dtype, casting=casting))


@stack.def_vjp
def stack_vjp(g: Array, i: int, axis: int) -> Array:
    return g[(slice(None),) * (axis % g.ndim) + (i,)]


@stack.def_jvp
def stack_jvp(arrays_dot: Array, i: int, y: Array, axis: int) -> Array:
    return scatter_add(arrays_dot, y.shape, (slice(None),) * (axis % y.ndim) + (i,))


@stack.def_samples
def stack_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2,)), rng.normal(size=(2,)), rng.normal(size=(2,)), axis=-1)
    yield sample(rng.normal(size=()), rng.normal(size=()))
    yield sample(rng.normal(size=(0, 2)), rng.normal(size=(0, 2)), axis=1)
    yield sample(rng.normal(size=(4, 3)).T[::2], rng.normal(size=(2, 4)), dtype=complex)
    yield sample(rng.normal(size=2), np.array([1 + 2j, 3]), np.array([1, 2]))


def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    """Join arrays as rows, one above the other; 1-d arrays are single rows."""
    return concatenate([atleast_2d(a) for a in tup], 0, dtype=dtype, casting=casting)


def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    """Join arrays side by side: along axis 1, 1-d arrays along their only axis."""
    arrays = [atleast_1d(a) for a in tup]
    axis = 0 if arrays and len(shape_of(arrays[0])) == 1 else 1
    return concatenate(arrays, axis, dtype=dtype, casting=casting)


def dstack(tup: Any) -> Array:
    """Join arrays along axis 2; ``(m, n)`` counts as ``(m, n, 1)``, and ``(n,)`` as ``(1, n, 1)``."""
    return concatenate([atleast_3d(a) for a in tup], 2)


def column_stack(tup: Any) -> Array:
    """Join arrays side by side; 1-d arrays are single columns."""
    return concatenate([a if len(shape_of(a)) > 1 else transpose(atleast_2d(a)) for a in tup], 1)


def depth_of(nested: Any) -> int:
    """How deep the lists of ``block`` are nested."""
    if isinstance(nested, tuple):
        raise KindError("block got a tuple; only lists are nested blocks. Write [a, b] instead of (a, b).")
    if not isinstance(nested, list):
        return 0
    depths = {depth_of(part) for part in nested}
    if len(depths) != 1:
        found = f"depths {sorted(depths)} side by side" if depths else "an empty list"
        raise ShapeError(f"block got {found}; all lists must be nested equally deep, and none may be empty.")
    return 1 + depths.pop()


def block(arrays: Any) -> Array:
    """Put a matrix together from nested lists of blocks, as ``np.block``.

    Parameters
    ----------
    arrays : nested lists of array_like
        Blocks of an innermost list are joined along the last axis, those of the next along the last but one, and so on.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.block([[x, 0], [np.ones((1, 2)), 1]])[0].sum())(np.ones((1, 2)))
    array([[1., 1.]])
    """
    depth = depth_of(arrays)

    def ndim_of(part: Any) -> int:
        return max(map(ndim_of, part)) if isinstance(part, list) else len(shape_of(part))

    ndim = max(ndim_of(arrays), depth)

    def join(part: Any, axis: int) -> Array:
        if isinstance(part, list):
            return concatenate([join(inner, axis + 1) for inner in part], axis)
        shape = shape_of(part)
        return reshape(part, (1,) * (ndim - len(shape)) + shape)

    return join(arrays, -depth)


def array_split(x: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut along an axis at the given positions, or into sections whose lengths differ by 1 at most."""
    n = shape_of(x)[axis]
    try:
        cuts = [0, *numbers_of(indices_or_sections, "cutting at the places", PLAIN), n]
    except TypeError:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ShapeError(f"array_split into {sections} sections; there must be one or more.") from None
        length, longer = divmod(n, sections)
        cuts = [k * length + min(k, longer) for k in range(sections + 1)]
    lead = (slice(None),) * (axis % len(shape_of(x)))
    return [getitem(x, (*lead, slice(start, stop))) for start, stop in pairwise(cuts)]


def split(x: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut along an axis, into equal sections or at the given positions, as ``np.split``.

    Raises
    ------
    ShapeError
        If the length is not a multiple of the number of sections.
    """
    shape, sections = shape_of(x), numbers_of(indices_or_sections, "cutting at the places", PLAIN)
    if not np.ndim(sections) and shape[axis] % sections:
        raise ShapeError(
            f"split of shape {shape} into {sections} sections: length {shape[axis]} of axis {axis} is not a multiple. "
            "Give the positions of the cuts instead, or use array_split."
        )
    return array_split(x, sections, axis)


def vsplit(x: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """Cut along axis 0, as ``np.vsplit``."""
    return split(enough_axes("vsplit", x, 2), indices_or_sections, 0)


def hsplit(x: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """Cut along axis 1, a 1-d array along its only axis, as ``np.hsplit``."""
    return split(enough_axes("hsplit", x, 1), indices_or_sections, min(1, len(shape_of(x)) - 1))


def dsplit(x: ArrayLike, indices_or_sections: Any) -> list[Array]:
    """Cut along axis 2, as ``np.dsplit``."""
    return split(enough_axes("dsplit", x, 3), indices_or_sections, 2)


def enough_axes(name: str, x: ArrayLike, least: int) -> ArrayLike:
    """``x``, if it has ``least`` axes or more."""
    if len(shape_of(x)) < least:
        raise ShapeError(f"{name} got shape {shape_of(x)}; it needs {least} or more axes.")
    return x


def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices along an axis, which is gone from each: what ``stack`` puts together."""
    shape = shape_of(enough_axes("unstack", x, 1))
    lead = (slice(None),) * normalize_axis_index(axis, len(shape))
    return tuple(getitem(x, (*lead, i)) for i in range(shape[axis]))


concat = concatenate
row_stack = vstack


class JoiningMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    split = split
