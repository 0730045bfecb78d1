"""Pooling: the largest entry, or the mean, of each window of an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .families import is_finite, linear
from .index import getitem
from .into import into
from .joining import concatenate
from .reduce import mean
from .shape import astype
from .strips import blocks, inside, room
from .windows import Ints, Windows, area, image_shape, images_last, of_stack, per_axis, places

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "max_pool1d",
    "max_pool2d",
]


@linear(
    lambda g, x, windows: window_spread(g, windows, shape_of(x)[2:]),
    formula=r"y_p = \sum_i x_{sp+di}, \quad \bar x_q = \textstyle\sum \bar y_p \text{ over the windows that see } q",
)
def window_sum(x: ArrayLike, /, windows: Windows) -> Array:
    """Sum of what each window sees, shape ``(N, C, ...)``."""
    return window_sum_into(x, windows, room(x.shape[:2], windows.number(x.shape[2:]), x.dtype))


@into(window_sum)
def window_sum_into(x: Array, windows: Windows, out: Array) -> Array:
    """Write it into ``out``."""
    fold(np.add, 0, images_last(x), windows, inside(out))
    return out


def fold(combine: np.ufunc, start: float, x: Array, windows: Windows, y: Array) -> None:
    """Combine all that each window sees of ``x``, and of a border of ``start``; write it into ``y``."""
    first, *others = places(windows, y.shape[1:-1], x.shape[1:-1])
    if any(map(any, windows.padding)):  # the first entry of some windows may lie outside
        y.fill(start)
        others.insert(0, first)
    else:
        np.copyto(y, x[first.seen])
    for at, _, seen in others:
        combine(y[at], x[seen], out=y[at])


@linear(
    lambda g, windows: window_sum(g, windows),
    formula=r"y_q = \textstyle\sum x_p \text{ over the windows that see } q, \quad \bar x_p = \sum_i \bar y_{sp+di}",
)
def window_spread(x: ArrayLike, /, windows: Windows, shape: Ints) -> Array:
    """One number for each window, added to all that the window sees of an image of ``shape``."""
    return window_spread_into(x, windows, shape, room(x.shape[:2], shape, x.dtype))


@into(window_spread)
def window_spread_into(x: Array, windows: Windows, shape: Ints, out: Array) -> Array:
    """Write it into ``out``."""
    x, y = images_last(x), inside(out)
    y.fill(0)
    for at, _, seen in places(windows, x.shape[1:-1], shape):
        y[seen] += x[at]
    return out


@primitive(formula=r"y_p = \max_i x_{sp+di}, \quad \bar x_q = \textstyle\sum \bar y_p \text{ over windows won by } q")
def max_pool(x: ArrayLike, /, windows: Windows) -> Array:
    """Largest entry that each window sees, shape ``(N, C, ...)``.  Ties share the derivative evenly."""
    if x.dtype.kind not in "iuf":
        raise KindError(f"max_pool was given {x.dtype} data: only real numbers have a largest one.")
    return max_pool_into(x, windows, room(x.shape[:2], windows.number(x.shape[2:]), x.dtype))


@into(max_pool)
def max_pool_into(x: Array, windows: Windows, out: Array) -> Array:
    """Write it into ``out``."""
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    fold(np.maximum, lowest, images_last(x), windows, inside(out))
    return out


@max_pool.def_vjp
def max_pool_vjp(g: Array, x: Array, y: Array, windows: Windows) -> Array:
    return max_spread(g, x, y, windows)


@max_pool.def_jvp
def max_pool_jvp(x_dot: Array, x: Array, y: Array, windows: Windows) -> Array:
    return max_pick(x_dot, x, y, windows)


@primitive(
    formula=(
        r"y_q = \sum_p t_p\,[x_q = m_p] / \#\{i : x_{sp+di} = m_p\}, \quad "
        r"\bar t_p = \sum_i \bar y_{sp+di}\,[x_{sp+di} = m_p] / \#\{i : x_{sp+di} = m_p\}"
    )
)
def max_spread(t: ArrayLike, x: ArrayLike, top: ArrayLike, /, windows: Windows) -> Array:
    """One number for each window, given to the entries of ``x`` that are its largest, ``top``; ties share it."""
    return max_spread_into(t, x, top, windows, room(x.shape[:2], x.shape[2:], type_of_share(t, windows)))


@into(max_spread)
def max_spread_into(t: Array, x: Array, top: Array, windows: Windows, out: Array) -> Array:
    """Write it into ``out``."""
    t, x, top, whole = images_last(t), images_last(x), images_last(top), inside(out)
    for some in blocks(x):
        wins, n = winners(x[some], top[some], windows)
        share, y = over(t[some], n), whole[some]
        where_won = np.multiply if is_finite(share) else zero_unless
        y.fill(0)
        for won, at, seen in wins:
            if windows.overlap:
                y[seen] += where_won(won, share[at])
            else:
                where_won(won, share[at], out=y[seen])
        y += 0  # makes 0 of -0
    return out


@primitive(
    formula=(
        r"y_p = \sum_i t_{sp+di}\,[x_{sp+di} = m_p] / \#\{i : x_{sp+di} = m_p\}, \quad "
        r"\bar t_q = \sum_p \bar y_p\,[x_q = m_p] / \#\{i : x_{sp+di} = m_p\}"
    )
)
def max_pick(t: ArrayLike, x: ArrayLike, top: ArrayLike, /, windows: Windows) -> Array:
    """The entry of ``t`` where ``x`` is the largest of each window, ``top``; the mean of several."""
    return max_pick_into(t, x, top, windows, room(top.shape[:2], top.shape[2:], type_of_share(t, windows)))


@into(max_pick)
def max_pick_into(t: Array, x: Array, top: Array, windows: Windows, out: Array) -> Array:
    """Write it into ``out``."""
    t, x, top, y = images_last(t), images_last(x), images_last(top), inside(out)
    for some in blocks(x):
        wins, n = winners(x[some], top[some], windows)
        picked = np.zeros(n.shape, t.dtype)
        where_won = np.multiply if is_finite(t[some]) else zero_unless
        for won, at, seen in wins:
            picked[at] += where_won(won, t[some][seen])
        y[some] = over(picked, n)
    return out


# What wins does not change nearby, so the derivatives of these two are with respect to t alone.


@max_spread.def_vjp(wrt="t")
def max_spread_vjp(g: Array, x: Array, top: Array, windows: Windows) -> Array:
    return max_pick(g, x, top, windows)


@max_spread.def_jvp(wrt="t")
def max_spread_jvp(t_dot: Array, x: Array, top: Array, windows: Windows) -> Array:
    return max_spread(t_dot, x, top, windows)


@max_pick.def_vjp(wrt="t")
def max_pick_vjp(g: Array, x: Array, top: Array, windows: Windows) -> Array:
    return max_spread(g, x, top, windows)


@max_pick.def_jvp(wrt="t")
def max_pick_jvp(t_dot: Array, x: Array, top: Array, windows: Windows) -> Array:
    return max_pick(t_dot, x, top, windows)


def winners(x: Array, top: Array, windows: Windows) -> tuple[list[Any], Array]:
    """For each entry of a window, which windows have their largest there; and how many such entries each window has.

    The first is a mask for the windows that have the entry inside the image, with their place and that of the entries.
    All entries win a window with a nan among them, and have a share of nan.
    """
    found = places(windows, top.shape[1:-1], x.shape[1:-1])
    wins = [(x[seen] == top[at], at, seen) for at, _, seen in found]
    n = np.zeros(top.shape, np.min_scalar_type(len(wins)))
    for won, at, _ in wins:
        n[at] += won.view(np.uint8)
    if np.all(n):
        return wins, n
    unsure = np.isnan(top)
    n = np.where(unsure, np.nan, np.maximum(n, 1)).astype(top.dtype)
    return [(won | unsure[at], at, seen) for won, at, seen in wins], n


def type_of_share(t: Array, windows: Windows) -> np.dtype[Any]:
    """The dtype of ``t`` over a number of entries."""
    return np.result_type(t, np.min_scalar_type(area(windows.size)), np.float16)


def over(share: Array, n: Array) -> Array:
    """A share of ``n``; of 0 it is 0, also where ``n`` is nan."""
    return share / n if n.dtype.kind == "u" else np.where(share == 0, 0, share / n)


def zero_unless(won: Array, share: Array, out: Array | None = None) -> Array:
    """``share`` where ``won``, else 0, also where it is infinite."""
    return np.positive(np.where(won, share, 0), out=out)


def pooled(rng: np.random.Generator) -> Iterator[tuple[Array, Windows]]:
    """Images and windows of every kind."""
    apart = Windows((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    yield rng.normal(size=(2, 2, 5, 4)), apart
    yield rng.normal(size=(2, 1, 5, 4)), Windows((3, 2), (1, 2), ((1, 2), (1, 0)), (1, 2))  # they overlap, and dilate
    yield rng.normal(size=(0, 1, 5, 4)), apart
    yield rng.normal(size=(6, 4, 4)).T[:, ::2, ::-1], Windows((2,), (3,), ((0, 1),), (1,))


def image_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for x, windows in pooled(rng):
        yield sample(x, windows=windows)


@window_spread.def_samples
def window_spread_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for x, windows in pooled(rng):
        yield sample(window_sum(x, windows), windows=windows, shape=x.shape[2:])


window_sum.def_samples(image_samples)
max_pool.def_samples(image_samples)


@max_spread.def_samples
def max_spread_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for x, windows in pooled(rng):
        x = np.round(x).astype(int)  # with ties
        top = max_pool(x, windows)
        t = rng.normal(size=top.shape)
        yield sample(t, x, top, windows=windows)
        yield sample(t * (1 - 2j), x, top, windows=windows)


@max_pick.def_samples
def max_pick_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for t, windows in pooled(rng):
        x = np.round(t).astype(int)
        yield sample(t, x, max_pool(x, windows), windows=windows)
        yield sample(t * (1 - 2j), x, max_pool(x, windows), windows=windows)


def max_pool1d(
    x: ArrayLike, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Array:
    """Largest entry of each window of sequences: ``max_pool2d`` with one axis, of length L, in place of two."""
    windows = pooling("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode)
    return of_stack(lambda x: max_pool(x, windows), x, 1)


def max_pool2d(
    x: ArrayLike, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Array:
    """Largest entry of each window of images.  Ties share the derivative evenly.

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
        Images, or one.
    kernel_size : int or pair of int
        Height and width of a window.
    stride : int or pair of int, optional
        Steps from one window to the next; ``kernel_size`` if not given, so that windows do not overlap.
    padding : int or pair of int
        Entries of minus infinity added before and after, at most half a window.
    dilation : int or pair of int
        Steps from one entry to the next within a window.
    ceil_mode : bool
        Whether windows may reach over the end, as long as they start before it.

    Returns
    -------
    array_like, shape (N, C, H', W') or (C, H', W')

    Raises
    ------
    ShapeError
        If no window fits.
    ArgumentError, KindError
        If an option cannot be used, or the numbers are complex.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.max_pool2d([[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 0.0, 1.0]]], 2)
    array([[[5., 2.]]])
    """
    windows = pooling("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode)
    return of_stack(lambda x: max_pool(x, windows), x, 2)


def avg_pool1d(
    x: ArrayLike,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Mean of each window of sequences: ``avg_pool2d`` with one axis, of length L, in place of two."""
    return averages("avg_pool1d", 1, x, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    x: ArrayLike,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """Mean of each window of images.

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
        Images, or one.
    kernel_size, stride, ceil_mode
        As in ``max_pool2d``.
    padding : int or pair of int
        Zeros added before and after, at most half a window.
    count_include_pad : bool
        Whether the zeros count as entries.
    divisor_override : int, optional
        What to divide the sums by instead.

    Returns
    -------
    array_like, shape (N, C, H', W') or (C, H', W')

    Raises
    ------
    ShapeError
        If no window fits.
    ArgumentError, KindError
        If an option cannot be used.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.avg_pool2d([[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 0.0, 1.0]]], 2)
    array([[[3.25, 0.75]]])
    """
    return averages("avg_pool2d", 2, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def adaptive_avg_pool1d(x: ArrayLike, output_size: Any) -> Array:
    """Means of ``output_size`` equal parts of sequences: ``adaptive_avg_pool2d`` with one axis in place of two."""
    return adaptive("adaptive_avg_pool1d", 1, x, output_size)


def adaptive_avg_pool2d(x: ArrayLike, output_size: Any) -> Array:
    """Means of equal parts of images, however large these are: the result has the height and width ``output_size``.

    Parameters
    ----------
    x : array_like, shape (N, C, H, W) or (C, H, W)
        Images, or one.
    output_size : int or pair of int or None
        None keeps the length.  Where it does not divide the length, neighbouring parts have an entry in common.

    Returns
    -------
    array_like, shape (N, C, *output_size) or (C, *output_size)

    Raises
    ------
    ShapeError
        If the images are empty.
    ArgumentError, KindError
        If the size cannot be used.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.adaptive_avg_pool2d([[[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 0.0, 1.0]]], 1)
    array([[[2.]]])
    """
    return adaptive("adaptive_avg_pool2d", 2, x, output_size)


def pooling(
    name: str, ndim: int, x: ArrayLike, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Windows:
    """The windows of a pooling over the last ``ndim`` axes."""
    shape = image_shape(name, x, ndim)
    size = per_axis(kernel_size, ndim, "kernel_size", 1)
    strides = size if stride is None else per_axis(stride, ndim, "stride", 1)
    borders, dilations = per_axis(padding, ndim, "padding", 0), per_axis(dilation, ndim, "dilation", 1)
    windows = Windows(size, strides, tuple((p, p) for p in borders), dilations)
    if any(p > k // 2 for p, k in zip(borders, size)):
        raise ArgumentError(
            f"{name} got padding={padding!r} and kernel_size={kernel_size!r}; it takes at most half of a window: "
            "some windows would see nothing else."
        )
    if ceil_mode:
        windows = windows._replace(padding=tuple(map(reached, shape[-ndim:], borders, windows.span(), strides)))
    if min(windows.number(shape[-ndim:])) < 1:
        raise ShapeError(
            f"{name} got x of shape {shape}: a window spans {windows.span()}, the image with its border "
            f"{windows.bordered_shape(shape[-ndim:])}. Use a smaller kernel_size."
        )
    return windows


def reached(length: int, border: int, span: int, stride: int) -> tuple[int, int]:
    """The border that all windows together reach over, if the last may reach over the end."""
    steps = -((span - length - 2 * border) // stride)
    if steps * stride >= length + border:
        steps -= 1  # the last would start behind the end
    return border, steps * stride + span - length - border


def averages(
    name: str,
    ndim: int,
    x: ArrayLike,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: Any,
) -> Array:
    """The sum of each window over the last ``ndim`` axes, over ``divisor`` or the number of entries."""
    windows = pooling(name, ndim, x, kernel_size, stride, padding, 1, ceil_mode)
    if divisor is not None and divisor == 0:
        raise ArgumentError(f"{name} got divisor_override=0. Give what to divide the sums by.")
    y = of_stack(lambda x: window_sum(x, windows), as_float(x), ndim)
    return y / (entry_counts(shape_of(x)[-ndim:], windows, count_include_pad, y.dtype) if divisor is None else divisor)


def entry_counts(shape: Ints, windows: Windows, with_border: bool, dtype: Any) -> Any:
    """How many entries each window sees of an image, or of one with the border that was asked for before and after."""
    counts: Any = 1
    for length, number, size, stride, (border, _) in zip(shape, windows.number(shape), *windows[:3]):
        start = np.arange(number) * stride - border
        low, high = (-border, length + border) if with_border else (0, length)
        along = np.minimum(start + size, high) - np.maximum(start, low)
        counts = np.multiply.outer(counts, along)
    return int(counts.flat[0]) if np.ptp(counts) == 0 else counts.astype(dtype)


def adaptive(name: str, ndim: int, x: ArrayLike, output_size: Any) -> Array:
    """Means of equal parts along each of the last ``ndim`` axes."""
    shape = image_shape(name, x, ndim)[-ndim:]
    if 0 in shape:
        raise ShapeError(f"{name} got x of shape {shape_of(x)}: the mean over nothing is not defined.")
    wanted = output_size if isinstance(output_size, tuple | list) else (output_size,) * ndim
    if len(wanted) != ndim:
        raise ArgumentError(
            f"{name} got output_size={output_size!r}; it takes one number, or one for each of {ndim} axes."
        )
    sizes = per_axis([n if size is None else size for n, size in zip(shape, wanted)], ndim, "output_size", 1)
    if not any(n % size for n, size in zip(shape, sizes)):
        kernel = tuple(n // size for n, size in zip(shape, sizes))
        return averages(name, ndim, x, kernel, None, 0, False, True, None)
    y = as_float(x)
    for axis, (n, size) in enumerate(zip(shape, sizes), start=-ndim):
        behind = (slice(None),) * (-1 - axis)
        parts = [slice(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]
        y = concatenate([mean(getitem(y, (..., part, *behind)), axis, keepdims=True) for part in parts], axis=axis)
    return y


def as_float(x: ArrayLike) -> Array:
    """Whole numbers as floating-point ones, as a mean has them."""
    data = data_of(x)
    return x if (data if hasattr(data, "dtype") else np.asarray(data)).dtype.kind in "fc" else astype(x, float)
