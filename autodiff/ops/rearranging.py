"""Rolling, rotating, repeating and reversing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.dispatch import gathered
from ..core.errors import ShapeError
from ..core.node import Array, ArrayLike, data_of, size_of
from ..core.rule import Sample, sample
from .broadcast import broadcast_to, is_plain
from .families import linear
from .index import getitem
from .joining import concatenate
from .shape import astype, atleast_1d, copy, dtype_of, flip, ravel, reshape

__all__ = ["ascontiguousarray", "asfortranarray", "fliplr", "flipud", "resize", "roll", "rot90"]


@linear(
    lambda g, shift, axis: roll(g, [-int(s) for s in np.ravel(shift)], axis),
    formula=r"y_{i + s} = x_i \text{, around the end}, \quad \bar x_i = \bar y_{i + s}",
)
def roll(x: ArrayLike, /, shift: Any, axis: Any = None) -> Array:
    """Move entries along axes, around the end; in the flattened array if ``axis`` is None."""
    return np.roll(x, shift, axis)


@roll.def_samples
def roll_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), shift=2)
    yield sample(rng.normal(size=(2, 3)), shift=-7, axis=-1)
    yield sample(rng.normal(size=(2, 3)), shift=(1, 2), axis=(0, 1))
    yield sample(rng.normal(size=(2, 5)), shift=(1, 2), axis=1)
    yield sample(rng.normal(size=(2, 3)), shift=np.array([1]), axis=[1, 0])
    yield sample(rng.normal(size=()), shift=3)
    yield sample(rng.normal(size=(0, 2)), shift=1, axis=0)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, shift=1, axis=1)


@linear(
    lambda g, k, axes: rot90(g, -k, axes),
    formula=r"y = x \text{ after } k \text{ quarter turns}, \quad \bar x = \bar y \text{ turned back}",
)
def rot90(x: ArrayLike, /, k: int = 1, axes: Any = (0, 1)) -> Array:
    """Turn the plane of two axes by 90 degrees, ``k`` times, from the first axis towards the second."""
    return np.rot90(x, k, axes)


@rot90.def_samples
def rot90_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), k=-2)
    yield sample(rng.normal(size=(2, 3)), k=7, axes=(1, 0))
    yield sample(rng.normal(size=(2, 3, 4)), axes=[-1, 0])
    yield sample(rng.normal(size=(0, 2)), k=4)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T)


def fliplr(x: ArrayLike) -> Array:
    """Reverse the order along axis 1."""
    return flip(x, 1)


def flipud(x: ArrayLike) -> Array:
    """Reverse the order along axis 0."""
    return flip(x, 0)


def resize(array: ArrayLike, new_shape: Any) -> Array:
    """The entries of ``array`` in C order, over and over, until they fill another shape; zeros if there are none."""
    array = gathered(array)
    if is_plain(array):
        return np.resize(array, new_shape)
    shape = (new_shape,) if isinstance(new_shape, int | np.integer) else tuple(new_shape)
    if any(n < 0 for n in shape):
        raise ShapeError(f"resize got new_shape={new_shape}; no length may be negative.")
    size, given = math.prod(shape), size_of(array)
    flat = ravel(array)
    if given == 0:
        return reshape(concatenate([flat, np.zeros(size, dtype_of(array))]), shape)
    again = reshape(broadcast_to(flat, (-(-size // given), given)), -1)
    return reshape(getitem(again, slice(size)), shape)


def laid_out(a: ArrayLike, dtype: Any, order: str) -> Array:
    """``a`` as an array of one axis or more whose entries lie in C or F order in memory."""
    a = atleast_1d(a if dtype is None else astype(a, dtype, copy=False))
    flags = getattr(data_of(a), "flags", None)
    return a if flags is None or flags[f"{order}_CONTIGUOUS"] else copy(a, order)


def ascontiguousarray(a: ArrayLike, dtype: Any = None) -> Array:
    """``a`` in C order in memory, with one axis or more."""
    return laid_out(a, dtype, "C")


def asfortranarray(a: ArrayLike, dtype: Any = None) -> Array:
    """``a`` in F order in memory, with one axis or more."""
    return laid_out(a, dtype, "F")
