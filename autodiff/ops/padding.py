"""Borders around arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import UnsupportedError
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.rule import Sample, sample
from .families import linear
from .index import getitem
from .shape import reshape

__all__ = ["pad"]


def _pad_widths(ndim: int, pad_width: Any) -> tuple[tuple[int, int], ...]:
    pairs = np.broadcast_to(np.asarray(pad_width), (ndim, 2))
    return tuple((int(before), int(after)) for before, after in pairs)


@linear(formula=r"y = x \text{ with a border of zeros}, \quad \bar x = \bar y \text{ without the border}")
def pad_zeros(x: ArrayLike, /, pad_width: Any) -> Array:
    """Surround with zeros."""
    return np.pad(x, pad_width)


@pad_zeros.def_vjp
def pad_zeros_vjp(g: Array, x: Array, pad_width: Any) -> Array:
    shape = x.shape
    widths = _pad_widths(len(shape), pad_width)
    return g[tuple(slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True))]


@pad_zeros.def_samples
def pad_zeros_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), pad_width=1)
    yield sample(rng.normal(size=(2, 3)), pad_width=((0, 1), (2, 0)))
    yield sample(rng.normal(size=(0, 3)), pad_width=(1, 2))
    yield sample(rng.normal(size=(6, 2)).T[:, ::2], pad_width=1)


COPYING_PADS = ("edge", "reflect", "symmetric", "wrap")


def pad(x: ArrayLike, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Array:
    """Surround an array with a border, as ``np.pad``: a constant, or copies of entries.

    Parameters
    ----------
    x : array_like
    pad_width : int or pairs of int
        Entries added before and after, for all axes or for each.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}
    constant_values : number or pairs of numbers
        Fills the border in mode "constant".

    Raises
    ------
    UnsupportedError
        For another mode.
    """
    if mode == "constant":
        padded = pad_zeros(x, pad_width)
        if np.all(np.equal(constant_values, 0)):
            return padded
        zeros = np.zeros(shape_of(x), dtype=np.result_type(data_of(x)))
        return padded + np.pad(zeros, pad_width, constant_values=constant_values)
    if mode not in COPYING_PADS:
        raise UnsupportedError(
            f"pad has no rule for mode={mode!r}; it has 'constant', {', '.join(map(repr, COPYING_PADS))}."
        )
    shape = shape_of(x)
    positions = np.pad(np.arange(int(np.prod(shape))).reshape(shape), pad_width, mode=mode)  # type: ignore[call-overload]
    return getitem(reshape(x, -1), positions)
