"""Scans: results that run along an axis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.node import Array, ArrayLike, shape_of
from ..core.rule import Sample, sample
from .families import linear
from .shape import flip, reshape

__all__ = ["cumsum"]


@linear(formula=r"y_k = \sum_{i \le k} x_i, \quad \bar x_i = \sum_{k \ge i} \bar y_k")
def cumsum(x: ArrayLike, /, axis: int | None = None) -> Array:
    """Running sum along ``axis``; of the flattened array if None."""
    return np.cumsum(x, axis=axis)


@cumsum.def_vjp
def cumsum_vjp(g: Array, x: Array, axis: int | None) -> Array:
    along = 0 if axis is None else axis
    return reshape(flip(cumsum(flip(g, along), along), along), shape_of(x))


@cumsum.def_samples
def cumsum_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=-1)
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(0, 3)), axis=0)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=0)


class ScanMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    cumsum = cumsum
