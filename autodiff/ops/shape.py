"""Rearranging entries: every row is linear, and its transpose puts the entries back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, Axis, shape_of
from ..core.rule import Sample, sample
from .arithmetic import real
from .broadcast import broadcast_to
from .families import linear
from .index import getitem

__all__ = [
    "astype",
    "expand_dims",
    "flip",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "repeat",
    "reshape",
    "squeeze",
    "swapaxes",
    "tile",
    "transpose",
]


@linear(lambda g, x: reshape(g, x.shape), formula=r"y = x \text{ in another shape}")
def reshape(x: ArrayLike, /, shape: Any) -> Array:
    """The entries of ``x``, in C order, in another shape; one length may be -1."""
    return np.reshape(x, shape)


@reshape.def_samples
def reshape_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 6)), shape=(3, -1))
    yield sample(rng.normal(size=(2, 3)).T, shape=6)
    yield sample(rng.normal(size=()), shape=(1, 1))
    yield sample(rng.normal(size=(0, 2)), shape=(4, 0))


def inverse_permutation(axes: Any) -> tuple[int, ...] | None:
    """The permutation that undoes ``axes``."""
    if axes is None:
        return None
    n = len(axes)
    return tuple(int(i) for i in np.argsort([a % n for a in axes]))


@linear(lambda g, axes: transpose(g, inverse_permutation(axes)), formula=r"y = x \text{ with its axes permuted}")
def transpose(x: ArrayLike, /, axes: Sequence[int] | None = None) -> Array:
    """Permute the axes; reverse them if ``axes`` is None."""
    return np.transpose(x, axes)


@transpose.def_samples
def transpose_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 4)))
    yield sample(rng.normal(size=(2, 3, 4)), axes=(1, 2, 0))
    yield sample(rng.normal(size=(2, 3, 4)), axes=(-1, 0, 1))
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(0, 2)))
    yield sample(rng.normal(size=(4, 6))[::2, ::-1])


@linear(lambda g, axis1, axis2: swapaxes(g, axis1, axis2), formula=r"y = x \text{ with two axes swapped}")
def swapaxes(x: ArrayLike, /, axis1: int, axis2: int) -> Array:
    """Swap two axes."""
    return np.swapaxes(x, axis1, axis2)


@swapaxes.def_samples
def swapaxes_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 4)), axis1=0, axis2=-1)
    yield sample(rng.normal(size=(0, 3)), axis1=0, axis2=1)


@linear(lambda g, source, destination: moveaxis(g, destination, source), formula=r"y = x \text{ with axes moved}")
def moveaxis(x: ArrayLike, /, source: Any, destination: Any) -> Array:
    """Move axes to other positions."""
    return np.moveaxis(x, source, destination)


@moveaxis.def_samples
def moveaxis_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 4)), source=0, destination=-1)
    yield sample(rng.normal(size=(2, 3, 4)), source=(0, 2), destination=(1, 0))
    yield sample(rng.normal(size=(0, 2)), source=1, destination=0)


@linear(lambda g, x: reshape(g, x.shape), formula=r"y = x \text{ without axes of length 1}")
def squeeze(x: ArrayLike, /, axis: Axis = None) -> Array:
    """Drop axes of length 1."""
    return np.squeeze(x, axis)


@squeeze.def_samples
def squeeze_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(1, 3, 1)))
    yield sample(rng.normal(size=(1, 3, 1)), axis=-1)
    yield sample(rng.normal(size=(1, 0, 1)), axis=(0, 2))


@linear(lambda g, x: reshape(g, x.shape), formula=r"y = x \text{ with new axes of length 1}")
def expand_dims(x: ArrayLike, /, axis: Any) -> Array:
    """Insert axes of length 1."""
    return np.expand_dims(x, axis)


@expand_dims.def_samples
def expand_dims_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), axis=1)
    yield sample(rng.normal(size=()), axis=(0, 1))
    yield sample(rng.normal(size=(0,)), axis=-1)


@linear(lambda g, axis: flip(g, axis), formula=r"y = x \text{ reversed}")
def flip(x: ArrayLike, /, axis: Axis = None) -> Array:
    """Reverse the order along axes, along all of them if ``axis`` is None."""
    return np.flip(x, axis)


@flip.def_samples
def flip_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=-1)
    yield sample(rng.normal(size=(2, 3)), axis=(0, 1))
    yield sample(rng.normal(size=(0, 3)), axis=0)


def astype_vjp(g: Array, x: Array) -> Array:
    return astype(g if x.dtype.kind == "c" else real(g), x.dtype)


@linear(astype_vjp, formula=r"y = x \text{ in another dtype}")
def astype(x: ArrayLike, /, dtype: Any) -> Array:
    """Convert to another floating-point or complex dtype; a conversion to whole numbers is not tracked."""
    return np.asarray(x).astype(dtype)


@astype.def_samples
def astype_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), dtype=np.complex128)
    yield sample(rng.normal(size=(2, 3)), dtype=np.float64)
    yield sample(rng.normal(size=(0,)), dtype=np.complex128)


def matrix_transpose(x: ArrayLike) -> Array:
    """Swap the last two axes."""
    return swapaxes(x, -1, -2)


def ravel(x: ArrayLike) -> Array:
    """The entries of ``x``, in C order, on one axis."""
    return reshape(x, -1)


def repeat(x: ArrayLike, repeats: Any, axis: int | None = None) -> Array:
    """Repeat each entry, or each slice along ``axis``, as ``np.repeat``."""
    if axis is None:
        x, axis = reshape(x, -1), 0
    positions = np.repeat(np.arange(shape_of(x)[axis]), repeats)
    return getitem(x, (slice(None),) * (axis % len(shape_of(x))) + (positions,))


def tile(x: ArrayLike, reps: Any) -> Array:
    """Repeat the whole array along each axis, as ``np.tile``."""
    counts = tuple(int(r) for r in np.atleast_1d(reps))
    shape = shape_of(x)
    ndim = max(len(shape), len(counts))
    shape, counts = (1,) * (ndim - len(shape)) + shape, (1,) * (ndim - len(counts)) + counts
    apart = reshape(x, [length for n in shape for length in (1, n)])
    repeated = broadcast_to(apart, tuple(length for n, r in zip(shape, counts, strict=True) for length in (r, n)))
    return reshape(repeated, tuple(n * r for n, r in zip(shape, counts, strict=True)))


permute_dims = transpose


class ShapeMethods:
    """The rows of this file as methods; ``reshape`` and ``transpose`` also take their lengths and axes one by one."""

    __slots__ = ()

    swapaxes = swapaxes
    moveaxis = moveaxis
    squeeze = squeeze
    expand_dims = expand_dims
    flip = flip
    ravel = ravel
    flatten = ravel
    repeat = repeat

    def reshape(self, *shape: Any) -> Array:
        """See :func:`autodiff.reshape`."""
        return reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Array:
        """See :func:`autodiff.transpose`."""
        if len(axes) == 1 and not isinstance(axes[0], int):
            axes = axes[0]
        return transpose(self, axes or None)

    @property
    def T(self) -> Array:  # noqa: N802 - NumPy's name
        """All axes reversed."""
        return transpose(self)

    @property
    def mT(self) -> Array:  # noqa: N802 - NumPy's name
        """The last two axes swapped."""
        return matrix_transpose(self)
