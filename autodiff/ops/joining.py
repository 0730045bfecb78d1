"""Joining arrays, and cutting them apart."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.rule import Sample, sample
from .families import linear
from .index import getitem
from .shape import reshape

__all__ = ["concat", "concatenate", "split", "stack"]


def zeros_at(a: Array) -> Array:
    return np.zeros(shape_of(a), getattr(data_of(a), "dtype", float))


@linear(formula=r"y = (x_1, x_2, \dots) \text{ joined}, \quad \bar x_i = \text{its part of } \bar y")
def concatenate(*arrays: ArrayLike, axis: int | None = 0) -> Array:
    """Join arrays along an existing axis; flattened first if ``axis`` is None."""
    return np.concatenate(arrays, axis)


@concatenate.def_vjp
def concatenate_vjp(g: Array, i: int, arrays: Sequence[Array], axis: int | None) -> Array:
    if axis is None:
        start = builtins.sum(np.size(data_of(a)) for a in arrays[:i])
        return reshape(g[start : start + np.size(data_of(arrays[i]))], shape_of(arrays[i]))
    start = builtins.sum(shape_of(a)[axis] for a in arrays[:i])
    return g[(slice(None),) * (axis % g.ndim) + (slice(start, start + shape_of(arrays[i])[axis]),)]


@concatenate.def_jvp
def concatenate_jvp(arrays_dot: Array, i: int, arrays: Sequence[Array], axis: int | None) -> Array:
    return concatenate([arrays_dot if k == i else zeros_at(a) for k, a in enumerate(arrays)], axis)


@concatenate.def_samples
def concatenate_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(1, 3)), rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 1)), axis=-1)
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(2,)), axis=None)
    yield sample(rng.normal(size=(6, 2)).T[:, ::2], rng.normal(size=(1, 3)))


@linear(formula=r"y = (x_1, x_2, \dots) \text{ along a new axis}, \quad \bar x_i = \bar y_i")
def stack(*arrays: ArrayLike, axis: int = 0) -> Array:
    """Join arrays of one shape along a new axis."""
    return np.stack(arrays, axis)


@stack.def_vjp
def stack_vjp(g: Array, i: int, axis: int) -> Array:
    return g[(slice(None),) * (axis % g.ndim) + (i,)]


@stack.def_jvp
def stack_jvp(arrays_dot: Array, i: int, arrays: Sequence[Array], axis: int) -> Array:
    return stack([arrays_dot if k == i else zeros_at(a) for k, a in enumerate(arrays)], axis)


@stack.def_samples
def stack_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2,)), rng.normal(size=(2,)), rng.normal(size=(2,)), axis=-1)
    yield sample(rng.normal(size=()), rng.normal(size=()))
    yield sample(rng.normal(size=(0, 2)), rng.normal(size=(0, 2)), axis=1)


def split(x: ArrayLike, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Cut along an axis, into equal sections or at the given positions, as ``np.split``.

    Raises
    ------
    ShapeError
        If the length is not a multiple of the number of sections.
    """
    shape = shape_of(x)
    n = shape[axis]
    try:
        sections = operator.index(indices_or_sections)
    except TypeError:
        cuts = [int(c) for c in indices_or_sections]
    else:
        if sections < 1 or n % sections:
            raise ShapeError(
                f"split of shape {shape} into {sections} sections: length {n} of axis {axis} is not a multiple. "
                "Give the positions of the cuts instead."
            )
        cuts = list(range(n // sections, n, n // sections)) if n else [0] * (sections - 1)
    lead = (slice(None),) * (axis % len(shape))
    return [getitem(x, (*lead, slice(a, b))) for a, b in zip([0, *cuts], [*cuts, n], strict=True)]


concat = concatenate


class JoiningMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    split = split
