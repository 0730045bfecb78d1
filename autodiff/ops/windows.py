"""Windows that slide over an array: as a view, added up again, and where they stand in convolution and pooling."""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..core.errors import ArgumentError, KindError, ShapeError, UnsupportedError
from ..core.node import Array, ArrayLike, Axis, shape_of
from ..core.rule import Sample, sample
from .families import linear
from .shape import expand_dims, squeeze

__all__ = ["overlap_add", "sliding_window_view"]

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


@linear(
    lambda g, x, axis: overlap_add(g, tuple(range(len(shape_of(x)))) if axis is None else axis),
    formula=r"y_{p,i} = x_{p+i}, \quad \bar x_q = \sum_{p+i=q} \bar y_{p,i}",
)
def sliding_window_view(
    x: ArrayLike,
    /,
    window_shape: Any,
    axis: Axis = None,
    *,
    subok: bool = False,
    writeable: bool = False,
) -> Array:
    """Every window of ``window_shape``, as ``np.lib.stride_tricks.sliding_window_view``: a view, read-only.

    The windows stand along ``axis``, what they see on new last axes.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.sliding_window_view(np.arange(4.0), 3)
    array([[0., 1., 2.],
           [1., 2., 3.]])
    """
    if writeable:
        raise UnsupportedError(
            "sliding_window_view got writeable=True: writing into an array cannot be recorded. Leave it away."
        )
    return np.lib.stride_tricks.sliding_window_view(x, window_shape, axis, subok=subok)


@sliding_window_view.def_samples
def sliding_window_view_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=5), window_shape=3)
    yield sample(rng.normal(size=(4, 3)), window_shape=(2, 2))
    yield sample(rng.normal(size=(2, 4)), window_shape=4, axis=-1)
    yield sample(rng.normal(size=(5, 2, 3)), window_shape=(2, 3), axis=(2, 0))
    yield sample(rng.normal(size=(5, 2)), window_shape=(2, 3), axis=(0, 0))  # windows of windows
    yield sample(rng.normal(size=(0, 3)), window_shape=2, axis=1)
    yield sample(rng.normal(size=3), window_shape=0)
    yield sample(rng.normal(size=()), window_shape=())
    yield sample(rng.normal(size=(6, 8))[::-2, 1::2].T, window_shape=2, axis=0)


def overlap_add_vjp(g: Array, x: Array, axis: Axis) -> Array:
    n = len(axis) if isinstance(axis, tuple | list) else 1
    shape = shape_of(x)
    return sliding_window_view(g, shape[len(shape) - n :], axis)


@linear(
    overlap_add_vjp,
    formula=r"y_q = \sum_{p+i=q} x_{p,i}, \quad \bar x_{p,i} = \bar y_{p+i}",
)
def overlap_add(x: ArrayLike, /, axis: Axis) -> Array:
    """Put windows back where ``sliding_window_view`` took them from, and add where they overlap: its transpose.

    What the windows see is on the last axes of ``x``, one for each of ``axis``, along which they stand.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.overlap_add(np.ones((3, 2)), axis=0)
    array([1., 2., 2., 1.])
    """
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    for a in reversed(normalize_axis_tuple(axes, x.ndim - len(axes), "axis", allow_duplicate=True)):
        count, size = x.shape[a], x.shape[-1]
        moved = np.moveaxis(x, a, 0)  # windows first, what they see last
        y = np.zeros((count + size - 1, *moved.shape[1:-1]), x.dtype)
        if count < size:
            for p in range(count):
                y[p : p + size] += np.moveaxis(moved[p], -1, 0)
        else:
            for i in range(size):
                y[i : i + count] += moved[..., i]
        x = np.moveaxis(y, 0, a)
    return x


@overlap_add.def_samples
def overlap_add_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(3, 2)), axis=0)
    yield sample(rng.normal(size=(2, 4)), axis=(-1,))
    yield sample(rng.normal(size=(2, 3, 2, 2)), axis=(1, 0))
    yield sample(rng.normal(size=(2, 2, 3)), axis=(0, 0))
    yield sample(rng.normal(size=(0, 2, 2)), axis=(1,))
    yield sample(rng.normal(size=()), axis=())
    yield sample(rng.normal(size=(6, 8))[::-2, 1::2].T, axis=(0,))


class Windows(NamedTuple):
    """Where the windows of a convolution or a pooling stand, along each axis of an image.

    Window p covers the entries ``stride * p + dilation * i``, for i below ``size``, of the image with a border of
    ``padding`` entries before and after it; a negative one cuts off.
    """

    size: Ints
    stride: Ints
    padding: Pairs
    dilation: Ints

    def span(self) -> Ints:
        """How far a window reaches along each axis, from the first entry that it sees to the last."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.size))

    def number(self, shape: Ints) -> Ints:
        """How many windows fit along each axis of an image of this shape."""
        lengths = self.bordered_shape(shape)
        return tuple((n - span) // s + 1 for n, span, s in zip(lengths, self.span(), self.stride))

    @property
    def overlap(self) -> bool:
        """Whether two windows may see the same entry."""
        return any(s < span for s, span in zip(self.stride, self.span()))

    def from_row(self, top: int) -> Windows:
        """The same windows without the first ``top`` along the first axis."""
        (before, after), *others = self.padding
        return self._replace(padding=((before - top * self.stride[0], after), *others))

    def bordered_shape(self, shape: Ints) -> Ints:
        """The shape of an image with its border."""
        return tuple(n + sum(around) for n, around in zip(shape, self.padding))


class Place(NamedTuple):
    """Where an entry of a window is found, with an axis more in front of all.

    Attributes
    ----------
    at : index
        The windows that have it inside the image.
    within : index
        The entry of those, in an array with the axes of a window before those of the windows.
    seen : index
        The same in the image.
    """

    at: Any
    within: Any
    seen: Any


@functools.lru_cache(maxsize=256)
def places(windows: Windows, count: Ints, shape: Ints) -> list[Place]:
    """For each entry of a window where ``count`` windows have it in an image of ``shape``, which has no border."""
    found = []
    for offset in itertools.product(*map(range, windows.size)):
        at, seen = [], []
        for i, number, length, stride, (before, _), dilation in zip(offset, count, shape, *windows[1:]):
            start = i * dilation - before  # where the first window has it, which may be outside
            low = max(0, -(start // stride))
            high = max(low, min(number, -((start - length) // stride)))
            at.append(slice(low, high))
            seen.append(slice(max(0, start + low * stride), max(0, start + (high - 1) * stride + 1), stride))
        everywhere = [(a.start, a.stop) for a in at] == [(0, number) for number in count]
        within = (slice(None), *offset, *([] if everywhere else at))
        found.append(Place(... if everywhere else (slice(None), *at), within, (slice(None), *seen)))
    return found


def images_last(x: Array) -> Array:
    """An array ``(N, C, ...)`` as ``(C, ..., N)``, one image beside the other in memory: no copy if it lies so already.

    Convolution and pooling compute in this order and return views ``(N, C, ...)`` of it.  Operations entry by entry
    keep it, so that nothing is rearranged between layers.
    """
    return np.ascontiguousarray(x.transpose(*range(1, x.ndim), 0))


def images_first(x: Array) -> Array:
    """An array ``(C, ..., N)`` as a view ``(N, C, ...)``."""
    return x.transpose(-1, *range(x.ndim - 1))


def per_axis(value: Any, ndim: int, name: str, low: int) -> Ints:
    """An option of a convolution or a pooling for each axis: from one whole number for all, or one for each."""
    many = value if isinstance(value, tuple | list) else (value,)
    try:
        numbers = tuple(map(operator.index, many))
    except TypeError:
        raise KindError(f"{name}={value!r} is neither a whole number nor a tuple of whole numbers.") from None
    if len(numbers) not in (1, ndim):
        raise ArgumentError(f"{name}={value!r} has {len(numbers)} entries: give one, or one for each of {ndim} axes.")
    if min(numbers) < low:
        raise ArgumentError(f"{name}={value!r} must not be below {low}.")
    return numbers if len(numbers) == ndim else numbers * ndim


def image_shape(name: str, x: ArrayLike, ndim: int) -> Ints:
    """The shape of a stack of images, or of a single one, with ``ndim`` axes besides the channels."""
    shape = shape_of(x)
    if len(shape) not in (ndim + 1, ndim + 2):
        axes = ", ".join("DHW"[-ndim:]) if ndim > 1 else "L"
        repair = ""
        if len(shape) == ndim:
            repair = " Did you mean x[None], with one channel?"
        raise ShapeError(f"{name} got x of shape {shape}; it takes (N, C, {axes}), or (C, {axes}) for one.{repair}")
    return shape


def of_stack(compute: Callable[[Array], Array], x: ArrayLike, ndim: int) -> Array:
    """``compute`` of images, or of a single one as a stack of one, with ``ndim`` axes besides the channels."""
    return compute(x) if len(shape_of(x)) == ndim + 2 else squeeze(compute(expand_dims(x, 0)), 0)


def area(size: Ints) -> int:
    """The number of entries of a window."""
    return math.prod(size)
