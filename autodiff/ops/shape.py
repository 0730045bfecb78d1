"""Rearranging entries: every row is linear, and its transpose puts the entries back."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.dispatch import gathered
from ..core.errors import ArgumentError, KindError
from ..core.looking import PLAIN, numbers_of
from ..core.node import Array, ArrayLike, Axis, data_of, shape_of
from ..core.numbers import to_float
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import real
from .broadcast import broadcast_to, is_plain
from .families import linear
from .index import getitem

__all__ = [
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "copy",
    "expand_dims",
    "flip",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "repeat",
    "reshape",
    "rollaxis",
    "squeeze",
    "swapaxes",
    "tile",
    "transpose",
]


IN_ORDER = 'How arrays lie in memory differs from call to call. Read them in the order "C" or "F".'


def order_of(x: Array, order: str) -> str:
    """``order`` as "C" or "F": "A" asks how ``x`` lies in memory, and its derivatives may lie otherwise."""
    if order in ("A", "a"):
        data = data_of(x)
        return "F" if isinstance(data, np.ndarray) and data.flags.fnc else "C"
    return order


def in_shape_of(g: Array, x: Array) -> Array:
    """``g`` in the shape of ``x``, its entries in C order."""
    return reshape(g, shape_of(x))


@linear(formula=r"y = x \text{ in another shape}, \quad \bar x = \bar y \text{ in the shape of } x")
def reshape(x: ArrayLike, /, shape: Any, order: Any = "C", copy: bool | None = None) -> Array:
    """The entries of ``x`` in another shape; one length may be -1.  ``order`` says in which order they are read."""
    if order == "C" and copy is None:
        return x.reshape(shape)
    return np.reshape(x, shape, order) if copy is None else np.reshape(x, shape, order, copy=copy)


def refuse_memory_order(x: Array, shape: Any, order: str, copy: Any) -> None:
    """Raise while compiling if entries are read as they lie in memory."""
    if order in ("A", "a"):
        numbers_of(x, f"reading in the order {order!r} of memory", IN_ORDER)


reshape.rule.refuses = refuse_memory_order


@reshape.def_vjp
def reshape_vjp(g: Array, x: Array, order: str) -> Array:
    shape = x.shape if x.__class__ is np.ndarray else shape_of(x)
    return reshape(g, shape) if order == "C" else reshape(g, shape, order_of(x, order))


@reshape.def_jvp
def reshape_jvp(x_dot: Array, x: Array, shape: Any, order: str) -> Array:
    return reshape(x_dot, shape, order_of(x, order))


@reshape.def_samples
def reshape_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 6)), shape=(3, -1))
    yield sample(rng.normal(size=(2, 3)).T, shape=6)
    yield sample(rng.normal(size=()), shape=(1, 1))
    yield sample(rng.normal(size=(0, 2)), shape=(4, 0))
    yield Sample((rng.normal(size=(2, 3, 2)),), {"shape": (4, -1), "order": "F"}, 2)
    yield sample(rng.normal(size=(2, 6))[:, ::-2], shape=[3, 2], copy=True)


def inverse_permutation(axes: Any) -> tuple[int, ...] | None:
    """The permutation that undoes ``axes``."""
    if axes is None:
        return None
    axes = np.ravel(axes)  # one axis may stand alone
    return tuple(np.argsort(axes % len(axes)).tolist())


@linear(
    lambda g, axes: transpose(g, inverse_permutation(axes)),
    formula=r"y = x \text{ with its axes permuted}, \quad \bar x = \bar y \text{ with them permuted back}",
)
def transpose(x: ArrayLike, /, axes: Sequence[int] | None = None) -> Array:
    """Permute the axes; reverse them if ``axes`` is None."""
    return x.transpose(axes)


@transpose.def_samples
def transpose_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 4)))
    yield sample(rng.normal(size=(2, 3, 4)), axes=(1, 2, 0))
    yield sample(rng.normal(size=(2, 3, 4)), axes=[-1, 0, 1])
    yield sample(rng.normal(size=3), axes=0)
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(0, 2)))
    yield sample(rng.normal(size=(4, 6))[::2, ::-1])


@linear(
    lambda g, axis1, axis2: swapaxes(g, axis1, axis2),
    formula=r"y = x \text{ with two axes swapped}, \quad \bar x = \bar y \text{ with them swapped back}",
)
def swapaxes(x: ArrayLike, /, axis1: int, axis2: int) -> Array:
    """Swap two axes."""
    return np.swapaxes(x, axis1, axis2)


@swapaxes.def_samples
def swapaxes_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 4)), axis1=0, axis2=-1)
    yield sample(rng.normal(size=(0, 3)), axis1=0, axis2=1)


@linear(
    lambda g, source, destination: moveaxis(g, destination, source),
    formula=r"y = x \text{ with axes moved}, \quad \bar x = \bar y \text{ with them moved back}",
)
def moveaxis(x: ArrayLike, /, source: Any, destination: Any) -> Array:
    """Move axes to other positions."""
    return np.moveaxis(x, source, destination)


@moveaxis.def_samples
def moveaxis_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 4)), source=0, destination=-1)
    yield sample(rng.normal(size=(2, 3, 4)), source=(0, 2), destination=(1, 0))
    yield sample(rng.normal(size=(0, 2)), source=1, destination=0)


@linear(
    in_shape_of, formula=r"y = x \text{ without axes of length 1}, \quad \bar x = \bar y \text{ in the shape of } x"
)
def squeeze(x: ArrayLike, /, axis: Axis = None) -> Array:
    """Drop axes of length 1."""
    return x.squeeze(axis)


@squeeze.def_samples
def squeeze_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(1, 3, 1)))
    yield sample(rng.normal(size=(1, 3, 1)), axis=-1)
    yield sample(rng.normal(size=(1, 0, 1)), axis=(0, 2))


@linear(
    in_shape_of, formula=r"y = x \text{ with new axes of length 1}, \quad \bar x = \bar y \text{ in the shape of } x"
)
def expand_dims(x: ArrayLike, /, axis: Any) -> Array:
    """Insert axes of length 1."""
    return np.expand_dims(x, axis)


@expand_dims.def_samples
def expand_dims_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), axis=1)
    yield sample(rng.normal(size=()), axis=(0, 1))
    yield sample(rng.normal(size=(0,)), axis=-1)


@linear(lambda g, axis: flip(g, axis), formula=r"y = x \text{ reversed}, \quad \bar x = \bar y \text{ reversed}")
def flip(x: ArrayLike, /, axis: Axis = None) -> Array:
    """Reverse the order along axes, along all of them if ``axis`` is None."""
    return np.flip(x, axis)


@flip.def_samples
def flip_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=-1)
    yield sample(rng.normal(size=(2, 3)), axis=(0, 1))
    yield sample(rng.normal(size=(0, 3)), axis=0)


def dtype_of(x: Array) -> np.dtype[Any]:
    """The dtype of a node or array; of a number of any kind that of the array it would become."""
    data = data_of(x)
    dtype: np.dtype[Any] = data.dtype if hasattr(data, "dtype") else np.asarray(to_float(data)).dtype
    return dtype


def cast_vjp(g: Array, x: Array) -> Array:
    dtype = dtype_of(x)
    return cast(g if dtype.kind == "c" else real(g), dtype)


@linear(cast_vjp, formula=r"y = x \text{ in another dtype}, \quad \bar x = \bar y \text{ in the dtype of } x")
def cast(x: ArrayLike, /, dtype: Any) -> Array:
    """Convert to another floating-point or complex dtype."""
    return x.astype(dtype)


@cast.def_samples
def cast_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), dtype=np.complex128)
    yield sample(rng.normal(size=(2, 6))[:, ::-2].T, dtype=np.complex128)
    yield sample(rng.normal(size=()), dtype=np.complex128)
    yield sample(rng.normal(size=(0,)), dtype=np.complex128)


@primitive(formula=r"y = x \text{ in a dtype of whole numbers or truth values}", differentiable=False)
def discretized(x: ArrayLike, /, dtype: Any) -> Array:
    """Convert to whole numbers or truth values.  Never tracked."""
    return x.astype(dtype)


def astype(x: ArrayLike, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    """Convert to another dtype; a conversion to whole numbers or truth values is not tracked.

    Parameters
    ----------
    x : array_like
    dtype : dtype
    copy : bool
        False to have ``x`` itself if it is of this dtype already.
    device : None or "cpu"

    Raises
    ------
    KindError
        If a tensor is to hold something other than numbers.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.astype(x, complex).imag.sum() + ad.astype(x, int).sum())(np.ones(2))
    array([0., 0.])
    """
    dtype = np.dtype(dtype)
    if device not in (None, "cpu"):
        raise ArgumentError(f"astype got device={device!r}; all data is on the CPU.")
    x = gathered(x)
    if is_plain(x):
        return np.asarray(x).astype(dtype, copy=copy)
    found = dtype_of(x)
    if dtype == found and not copy:
        return x
    if dtype.kind in "biu":
        return discretized(x, dtype)
    if dtype.kind not in "fc":
        raise KindError(f"astype was asked for dtype {dtype}; a tensor holds numbers.")
    if found.kind == "c" and dtype.kind == "f":
        warnings.warn(
            "Casting complex values to real discards the imaginary part", np.exceptions.ComplexWarning, stacklevel=2
        )
        x = real(x)
    return cast(x, dtype)


@linear(lambda g: g, formula=r"y = x, \quad \bar x = \bar y")
def copy(x: ArrayLike, /, order: Any = "K", subok: bool = False) -> Array:
    """A copy, with an identity of its own on the tape."""
    return x.copy(order)


@copy.def_samples
def copy_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield Sample((rng.normal(size=(6, 4))[::-2, 1::2].T,), {"order": "F"}, 2)
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(0, 2)))


def matrix_transpose(x: ArrayLike, /) -> Array:
    """Swap the last two axes."""
    return swapaxes(x, -1, -2)


def ravel(a: ArrayLike, order: str = "C") -> Array:
    """The entries of ``a`` on one axis, in C or F order, or as they lie in memory ("K"; "A": as F if they do)."""
    if order in ("K", "k"):
        lying = numbers_of(a, f"reading in the order {order!r} of memory", IN_ORDER)
        steps = getattr(lying, "strides", ())  # all but arrays lie in C order
        a = transpose(a, sorted(range(len(steps)), key=lambda axis: -abs(steps[axis]))) if steps else a
        order = "C"
    return reshape(a, -1, order)


def rollaxis(a: ArrayLike, axis: int, start: int = 0) -> Array:
    """Move ``axis`` to where it stands before the axis ``start``; ``moveaxis`` is easier to read."""
    n = len(shape_of(a))
    axis = normalize_axis_index(axis, n)
    start = start + n if start < 0 else start
    if not 0 <= start <= n:
        raise np.exceptions.AxisError(f"rollaxis got start={start} for {n} axes.")
    return moveaxis(a, axis, start - (axis < start))


def at_least(arrays: Sequence[ArrayLike], shape_for: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Any:
    """Each array in the shape that ``shape_for`` makes of its own; one alone, several as a tuple."""
    results = []
    for a in arrays:
        a = gathered(a)
        a = np.asanyarray(a) if is_plain(a) else a
        shape = shape_for(shape_of(a))
        results.append(a if len(shape) == len(shape_of(a)) else reshape(a, shape))
    return results[0] if len(results) == 1 else tuple(results)


def atleast_1d(*arys: ArrayLike) -> Any:
    """Each argument with one axis or more: a number becomes an array of length 1."""
    return at_least(arys, lambda shape: shape or (1,))


def atleast_2d(*arys: ArrayLike) -> Any:
    """Each argument with two axes or more, new ones in front."""
    return at_least(arys, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*arys: ArrayLike) -> Any:
    """Each argument with three axes or more: ``(n,)`` becomes ``(1, n, 1)``, and ``(m, n)`` becomes ``(m, n, 1)``."""
    return at_least(arys, lambda shape: ((1,) * (2 - len(shape)) + shape + (1,))[: max(3, len(shape))])


def repeat(a: ArrayLike, repeats: Any, axis: int | None = None) -> Array:
    """Repeat each entry, or each slice along ``axis``, as ``np.repeat``.

    Parameters
    ----------
    a : array_like
    repeats : int or array of int
        How often, for all or for each.
    axis : int, optional
        The flattened array if not given.
    """
    a = gathered(a)
    if is_plain(a):
        return np.repeat(a, repeats, axis)
    if axis is None or not shape_of(a):
        axis, a = axis or 0, reshape(a, -1)
    shape, counts = shape_of(a), numbers_of(repeats, "repeating as often as the entries", PLAIN)
    axis = normalize_axis_index(axis, len(shape))
    before, n, after = shape[:axis], shape[axis], shape[axis + 1 :]
    if np.size(counts) != 1:
        return getitem(a, (slice(None),) * axis + (np.repeat(np.arange(n), counts),))
    times = np.repeat(np.arange(n)[:1], counts).size
    apart = broadcast_to(reshape(a, (*before, n, 1, *after)), (*before, n, times, *after))
    return reshape(apart, (*before, n * times, *after))


def tile(x: ArrayLike, reps: Any) -> Array:
    """Repeat the whole array along each axis, as ``np.tile``."""
    x = gathered(x)
    if is_plain(x):
        return np.tile(x, reps)
    counts = tuple(map(operator.index, reps if np.iterable(reps) else (reps,)))
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

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Array:
        """See :func:`autodiff.reshape`."""
        return reshape(self, shape[0] if len(shape) == 1 else shape, order, copy)

    def transpose(self, *axes: Any) -> Array:
        """See :func:`autodiff.transpose`."""
        if len(axes) == 1 and not isinstance(axes[0], int | np.integer):
            return transpose(self, axes[0])
        return transpose(self, axes or None)

    def copy(self, order: str = "C") -> Array:
        """See :func:`autodiff.copy`."""
        return copy(self, order)

    @property
    def T(self) -> Array:  # noqa: N802 - NumPy's name
        """All axes reversed."""
        return transpose(self)

    @property
    def mT(self) -> Array:  # noqa: N802 - NumPy's name
        """The last two axes swapped."""
        return matrix_transpose(self)
