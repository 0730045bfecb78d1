"""Rearranging entries: every row is linear, and its transpose puts the entries back."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UnsupportedError
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.rule import Sample, sample
from .arithmetic import real
from .broadcast import broadcast_to
from .families import linear
from .index import getitem

Axis = Any  # int, tuple of int or None; NumPy's stubs take no union of them


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
    yield sample(rng.normal(size=(2, 3)), dtype=np.float64)
    yield sample(rng.normal(size=(0,)), dtype=np.complex128)


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


def matrix_transpose(x: ArrayLike) -> Array:
    """Swap the last two axes."""
    return swapaxes(x, -1, -2)


def ravel(x: ArrayLike) -> Array:
    """The entries of ``x``, in C order, on one axis."""
    return reshape(x, -1)


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
    split = split

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
