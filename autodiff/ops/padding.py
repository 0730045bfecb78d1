"""Borders around arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ..core.dispatch import gathered
from ..core.errors import ArgumentError, KindError, ShapeError, UnsupportedError
from ..core.looking import PLAIN, numbers_of
from ..core.node import Array, ArrayLike, Node, data_of, shape_of, size_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from . import public
from .broadcast import broadcast_to, is_plain
from .families import linear
from .index import getitem
from .joining import concatenate
from .shape import astype, dtype_of, flip, reshape

__all__ = ["pad"]

Pair = tuple[Any, Any]
"""What belongs to the two ends of an axis: how much is added there, or how."""


@linear(formula=r"y = x \text{ with a border of zeros}, \quad \bar x = \bar y \text{ without the border}")
def pad_zeros(x: ArrayLike, /, pad_width: Any) -> Array:
    """Surround with zeros."""
    return np.pad(x, pad_width)


@pad_zeros.def_vjp
def pad_zeros_vjp(g: Array, x: Array, pad_width: Any) -> Array:
    shape = shape_of(x)
    widths = pairs_of(pad_width, len(shape))
    return g[tuple([slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True)])]


@pad_zeros.def_samples
def pad_zeros_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), pad_width=1)
    yield sample(rng.normal(size=(2, 3)), pad_width=((0, 1), (2, 0)))
    yield sample(rng.normal(size=(0, 3)), pad_width=(1, 2))
    yield sample(rng.normal(size=()), pad_width=1)
    yield sample(rng.normal(size=(6, 2)).T[:, ::2], pad_width=1)


@primitive(formula=r"y = x \text{ with a border}", differentiable=False)
def pad_discrete(x: ArrayLike, /, pad_width: Any, mode: str, options: dict[str, Any]) -> Array:
    """Surround whole numbers or truth values.  Never tracked."""
    return np.pad(x, pad_width, mode, **{name: data_of(value) for name, value in options.items()})  # type: ignore[call-overload]


def pairs_of(values: Any, ndim: int) -> list[Pair]:
    """An option of ``pad`` for both ends of each axis: given for all, for the two ends, or for each axis."""
    if values is None:
        return [(None, None)] * ndim
    if not isinstance(values, Node):
        values = np.asarray(values)
    shape = shape_of(values)
    if len(shape) < 3 and size_of(values) <= 2 and shape != (2, 1):
        values = reshape(values, (1, -1))
    pairs = broadcast_to(values, (ndim, 2))
    return [(pairs[axis, 0], pairs[axis, 1]) for axis in range(ndim)]


def width_pairs(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """How much to add at both ends of each axis."""
    if isinstance(pad_width, dict):
        widths: list[Any] = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            widths[axis] = (width, width) if np.ndim(width) == 0 else tuple(width)
        pad_width = widths
    given = np.asarray(numbers_of(pad_width, "padding by the widths", PLAIN))
    if given.dtype.kind != "i":
        raise KindError(f"pad got a pad_width of dtype {given.dtype}; lengths are whole numbers.")
    if np.any(given < 0):
        raise ShapeError(f"pad got pad_width={pad_width}; no length may be negative. To cut off use x[1:-1].")
    return [(int(before), int(after)) for before, after in pairs_of(given, ndim)]


def slab(x: Array, axis: int, start: int, stop: int | None) -> Array:
    """What lies between two positions on an axis."""
    return getitem(x, (slice(None),) * axis + (slice(start, stop),))


def edge(x: Array, axis: int, end: int) -> Array:
    """The first or the last entry on an axis; ``end`` is 0 or 1."""
    return slab(x, axis, -end, None if end else 1)


def in_length(part: Array, x: Array, axis: int, n: int) -> Array:
    """``part`` repeated to the shape of ``x``, but of length ``n`` on an axis."""
    shape = shape_of(x)
    return broadcast_to(part, (*shape[:axis], n, *shape[axis + 1 :]))


def constant_part(x: Array, axis: int, end: int, n: int, value: Any) -> Array:
    dtype = dtype_of(x)
    if not isinstance(value, Node):
        plain = np.empty((), dtype)
        plain[...] = value  # converts as NumPy does
        return in_length(plain, x, axis, n)
    return in_length(astype(value, dtype), x, axis, n)


def edge_part(x: Array, axis: int, end: int, n: int, option: None) -> Array:
    return in_length(edge(x, axis, end), x, axis, n)


def ramp_part(x: Array, axis: int, end: int, n: int, value: Any) -> Array:
    steps = np.arange(n).reshape((n,) + (1,) * (len(shape_of(x)) - axis - 1))
    ramp = (flip(steps) if end else steps) * ((edge(x, axis, end) - value) / n) + value
    return astype(ramp, dtype_of(x))


def statistic_part(statistic: str, x: Array, axis: int, end: int, n: int, length: int | None) -> Array:
    longest = shape_of(x)[axis]
    length = longest if length is None or length > longest else round(length)
    some = slab(x, axis, longest - length if end else 0, longest if end else length)
    return in_length(getattr(public, statistic)(some, axis=axis, keepdims=True), x, axis, n)


def filled(part: Callable[..., Array], x: Array, axis: int, widths: Pair, options: Pair) -> Array:
    """Extend an axis at both ends by what ``part`` makes of ``x``."""
    before, after = ([part(x, axis, end, n, options[end])] if n else [] for end, n in enumerate(widths))
    return concatenate([*before, x, *after], axis)


def echo_part(mode: str, most: int, x: Array, axis: int, end: int, n: int, kind: str) -> Array:
    length, skip = shape_of(x)[axis], int(mode == "reflect")
    if mode == "wrap":
        start = length - most if end else most - n
        return slab(x, axis, start, start + n)
    start = length - skip - n if end else skip
    image = flip(slab(x, axis, start, start + n), axis)
    return 2 * edge(x, axis, end) - image if kind == "odd" else image


def echoed(mode: str, x: Array, axis: int, widths: Pair, options: Pair) -> Array:
    """Extend an axis by copies or mirror images of itself, again and again if it is shorter than what is added."""
    overlap = int(mode == "reflect")
    period = shape_of(x)[axis] - overlap
    if shape_of(x)[axis] == 1:
        return filled(edge_part, x, axis, widths, options)
    before, after = widths
    while before or after:
        most = (shape_of(x)[axis] - overlap) // period * period  # what has grown since is a part of a period
        now = min(before, most), min(after, most)
        x = filled(partial(echo_part, mode, most), x, axis, now, options)
        before, after = before - now[0], after - now[1]
    return x


MODES: dict[str, tuple[str | None, Any, Callable[..., Array]]] = {
    "constant": ("constant_values", 0, partial(filled, constant_part)),
    "linear_ramp": ("end_values", 0, partial(filled, ramp_part)),
    "edge": (None, None, partial(filled, edge_part)),
    "wrap": (None, None, partial(echoed, "wrap")),
    "reflect": ("reflect_type", "even", partial(echoed, "reflect")),
    "symmetric": ("reflect_type", "even", partial(echoed, "symmetric")),
    "maximum": ("stat_length", None, partial(filled, partial(statistic_part, "max"))),
    "minimum": ("stat_length", None, partial(filled, partial(statistic_part, "min"))),
    "mean": ("stat_length", None, partial(filled, partial(statistic_part, "mean"))),
    "median": ("stat_length", None, partial(filled, partial(statistic_part, "median"))),
}
"""For each mode its option, what that is if not given, and what extends one axis."""


def pad(x: ArrayLike, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Array:
    """Surround an array with a border, as ``np.pad``.

    Parameters
    ----------
    x : array_like
    pad_width : int, pairs of int or dict
        Entries added before and after, for all axes, for each, or by axis.
    mode : str
        "constant" (with ``constant_values``), "linear_ramp" (to ``end_values``), "edge", "wrap", "reflect" and
        "symmetric" (with ``reflect_type``, "even" or "odd"), "maximum", "minimum", "mean" and "median" (of
        ``stat_length`` entries).
    constant_values, end_values : number, tensor or pairs of them
        0 if not given.  Differentiable.
    stat_length : int or pairs of int
        All entries of an axis if not given.
    reflect_type : {"even", "odd"}

    Raises
    ------
    UnsupportedError
        For the mode "empty", whose border is not defined, and for a function as mode, which would write into it.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: (ad.pad(x, (1, 2), "edge") * [1, 2, 3, 4, 5]).sum())(np.array([0.1, 0.2]))
    array([ 3., 12.])
    """
    x, kwargs = gathered(x), {name: gathered(value) for name, value in kwargs.items()}
    if all([is_plain(a) for a in (x, *kwargs.values())]):
        return np.pad(x, pad_width, mode, **kwargs)  # type: ignore[call-overload]
    x = np.asarray(x) if is_plain(x) else x
    shape = shape_of(x)
    widths = width_pairs(pad_width, len(shape))
    if callable(mode) or mode == "empty":
        raise UnsupportedError(f"pad got mode={mode!r}, whose border has no derivative. Use mode='constant'.")
    if mode not in MODES:
        raise ArgumentError(f"pad got mode={mode!r}; it has {', '.join(MODES)}.")
    name, default, extend = MODES[mode]
    if kwargs.keys() - {name}:
        raise ArgumentError(f"pad got the options {', '.join(kwargs)}; mode={mode!r} takes {name or 'none'}.")
    option = kwargs.get(name or "", default)
    if dtype_of(x).kind in "biu":
        return pad_discrete(x, widths or 0, mode, kwargs)
    empty = [axis for axis, pair in enumerate(widths) if shape[axis] == 0 and any(pair)]
    if mode != "constant" and empty:
        raise ShapeError(f"pad got shape {shape}; mode={mode!r} cannot extend the empty axis {empty[0]}.")
    pairs = [(option, option)] * len(shape) if name == "reflect_type" else pairs_of(option, len(shape))
    if name == "stat_length" and option is not None and np.any(np.less(option, mode in ("maximum", "minimum"))):
        raise ArgumentError(f"pad got stat_length={option}; there is no {mode} of so few entries.")
    zeros = not isinstance(option, Node) and not np.any(option) if mode == "constant" else size_of(x) == 0
    if zeros:
        return pad_zeros(x, widths or 0)
    for axis, pair in enumerate(widths):
        if any(pair):
            x = extend(x, axis, pair, pairs[axis])
    return x
