"""Broadcasting and its transpose, summing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from ..core.batched import Batched
from ..core.dispatch import NotAnArray, gathered
from ..core.node import Array, ArrayLike, Node, shape_of
from ..core.rule import Sample, sample
from .families import linear

__all__ = ["broadcast_arrays", "broadcast_to", "sum_to"]


@linear(formula=r"y = x \text{ repeated to a shape}, \quad \bar x = \textstyle\sum \bar y \text{ over the repeats}")
def broadcast_to(x: ArrayLike, /, shape: Any, subok: bool = False) -> Array:
    """``x`` with the given shape, repeated along new axes and along axes of length 1."""
    if x.ndim == 0:
        return np.full(shape, x)  # a fifth of the time, and what follows reads every entry anyway
    return np.broadcast_to(x, shape)


@broadcast_to.def_vjp
def broadcast_to_vjp(g: Array, x: Array) -> Array:
    return sum_to(g, shape_of(x))


@broadcast_to.def_samples
def broadcast_to_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(3, 1)), shape=(2, 3, 4))
    yield sample(rng.normal(size=()), shape=(2,))
    yield sample(rng.normal(size=(1, 3)), shape=(0, 3))
    yield sample(rng.normal(size=(4, 2)).T[:, ::2], shape=(2, 2))


@linear(
    lambda g, x: broadcast_to(g, x.shape),
    formula=r"y = \textstyle\sum x \text{ over what broadcasting repeated}, \quad \bar x = \bar y \text{ repeated}",
)
def sum_to(x: ArrayLike, /, shape: tuple[int, ...]) -> Array:
    """Sum ``x`` over the axes along which an array of ``shape`` was broadcast to it: the transpose of broadcasting."""
    if x.ndim == 2 and len(shape) == 1 and x.shape[1] == shape[0]:
        return sum_rows(x)
    extra = x.ndim - len(shape)
    axes = [i for i in range(x.ndim) if i < extra or (shape[i - extra] == 1 and x.shape[i] != 1)]
    return np.add.reduce(x, axis=tuple(axes)).reshape(shape)


@sum_to.def_samples
def sum_to_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 4)), shape=(3, 1))
    yield sample(rng.normal(size=(2, 3)), shape=(3,))
    yield sample(rng.normal(size=(2, 3)), shape=())
    yield sample(rng.normal(size=(0, 3)), shape=(1, 3))
    yield sample(rng.normal(size=()), shape=())
    yield sample(rng.normal(size=(4, 6)).T[::2], shape=(4,))


def sum_rows(x: Array) -> Array:
    """Sum the rows of a plain matrix.  BLAS does it several times as fast as ``np.add.reduce``."""
    char = x.dtype.char
    if char not in "fd":
        return np.add.reduce(x, axis=0)
    try:
        return ones(len(x), char).dot(x)
    except NotAnArray:  # the function, which takes longer, lets a compiler see it
        return np.dot(ones(len(x), char), x)


@cache
def ones(n: int, char: str) -> np.ndarray[Any, Any]:
    """A vector of ones, always the same."""
    vector = np.ones(n, char)
    vector.flags.writeable = False
    return vector


def is_plain(x: ArrayLike) -> bool:
    """Whether ``x`` is NumPy's or Python's alone: neither a node nor what ``vmap`` puts in the place of an array."""
    return not isinstance(x, (Node, Batched))


def broadcast_arrays(*args: ArrayLike, subok: bool = False) -> tuple[Array, ...]:
    """Every argument in the shape that they broadcast to together, as ``np.broadcast_arrays``."""
    args = tuple([gathered(a) for a in args])
    if all([is_plain(a) for a in args]):
        return np.broadcast_arrays(*args, subok=subok)
    shape = np.broadcast_shapes(*map(shape_of, args))
    return tuple(a if not is_plain(a) and shape_of(a) == shape else broadcast_to(a, shape) for a in args)


class BroadcastMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    broadcast_to = broadcast_to
