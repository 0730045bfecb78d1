"""Scans: results that run along an axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .families import conjugated, linear, times
from .joining import concatenate
from .options import NUMPY, as_dtype, is_plain, otherwise
from .reduce import complex_sample
from .shape import flip, reshape

__all__ = ["cumprod", "cumsum", "cumulative_prod", "cumulative_sum"]


def cumsum_in(x: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """``cumsum`` with ``dtype``."""
    refuse_out("cumsum", out)
    return NUMPY.cumsum(x, axis, dtype) if is_plain(x) else as_dtype(cumsum(as_dtype(x, dtype), axis), dtype)


@otherwise(cumsum_in)
@linear(formula=r"y_k = \sum_{i \le k} x_i, \quad \bar x_i = \sum_{k \ge i} \bar y_k")
def cumsum(x: ArrayLike, /, axis: int | None = None) -> Array:
    """Running sum along ``axis``; of the flattened array if None."""
    return np.cumsum(x, axis)


@cumsum.def_vjp
def cumsum_vjp(g: Array, x: Array, axis: int | None) -> Array:
    along = 0 if axis is None else axis
    return reshape(flip(cumsum(flip(g, along), along), along), shape_of(x))


def scan_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Every form of ``axis``."""
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=-1)
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(0, 3)), axis=0)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=0)
    yield complex_sample(rng, 3, 2, axis=0)


cumsum.def_samples(scan_samples)


def shifted(y: Array, axis: int, first: float) -> Array:
    """``y`` moved one place up along ``axis``, with ``first`` in front; the last entry drops out."""
    shape, along = list(shape_of(y)), axis % len(shape_of(y))
    if shape[along] == 0:
        return y
    shape[along] = 1
    return concatenate([np.full(shape, first, y.dtype), y[(slice(None),) * along + (slice(-1),)]], axis=axis)


@primitive(
    formula=(
        r"y_k = a_k y_{k-1} + b_k, \quad \bar b_k = \bar y_k + a_{k+1}^* \bar b_{k+1}, \; "
        r"\bar a_k = y_{k-1}^* \bar b_k"
    )
)
def recurrence(a: ArrayLike, b: ArrayLike, /, axis: int = -1) -> Array:
    """Solve ``y[k] = a[k] * y[k - 1] + b[k]`` along ``axis``, from 0: the derivative of a running product.

    Spans of doubling length are combined, log2(n) rounds in all; if that overflows, entry after entry.
    """
    a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    factor, y, span = a.copy(), b.astype(np.result_type(a, b)), 1
    with np.errstate(all="ignore"):
        while span < b.shape[-1]:
            y[..., span:] += factor[..., span:] * y[..., :-span]
            factor[..., span:] *= factor[..., :-span].copy()
            span *= 2
        if not np.all(np.isfinite(y)):
            y[...] = b
            for k in range(1, b.shape[-1]):
                before, factor = y[..., k - 1], a[..., k]
                y[..., k] += np.where((before == 0) | (factor == 0), 0, factor * before)
    return np.moveaxis(y, -1, axis)


@recurrence.def_vjp(wrt="b")
def recurrence_vjp_b(g: Array, a: Array, axis: int) -> Array:
    return flip(recurrence(shifted(flip(conjugated(a), axis), axis, 0), flip(g, axis), axis), axis)


@recurrence.def_vjp(wrt="a")
def recurrence_vjp_a(g: Array, a: Array, y: Array, axis: int) -> Array:
    return times(recurrence_vjp_b(g, a, axis), conjugated(shifted(y, axis, 0)))


@recurrence.def_jvp(wrt="b")
def recurrence_jvp_b(b_dot: Array, a: Array, axis: int) -> Array:
    return recurrence(a, b_dot, axis)


@recurrence.def_jvp(wrt="a")
def recurrence_jvp_a(a_dot: Array, a: Array, y: Array, axis: int) -> Array:
    return recurrence(a, times(a_dot, shifted(y, axis, 0)), axis)


@recurrence.def_samples
def recurrence_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for shape, axis in (((2, 5), 1), ((3, 2), 0), ((0, 2), 0), ((1,), -1), ((2, 0), 0)):
        yield sample(rng.normal(size=shape), rng.normal(size=shape), axis=axis)
    yield sample(np.array([1.0, 0.0, 2.0, 0.0]), rng.normal(size=4))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, rng.normal(size=(2, 3)), axis=0)
    yield sample(rng.normal(size=3) + 1j * rng.normal(size=3), rng.normal(size=3) - 2j)


def cumprod_in(x: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """``cumprod`` with ``dtype``."""
    refuse_out("cumprod", out)
    return NUMPY.cumprod(x, axis, dtype) if is_plain(x) else as_dtype(cumprod(as_dtype(x, dtype), axis), dtype)


@otherwise(cumprod_in)
@primitive(formula=r"y_k = \prod_{i \le k} x_i, \quad \bar x_i = \sum_{k \ge i} \bar y_k \prod_{i \ne j \le k} x_j^*")
def cumprod(x: ArrayLike, /, axis: int | None = None) -> Array:
    """Running product along ``axis``; of the flattened array if None.

    The derivative is right with any number of zeros: it solves a recurrence instead of dividing by ``x``.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.cumprod(x).sum())(np.array([2.0, 0.0, 3.0]))
    array([1., 8., 0.])
    """
    return np.cumprod(x, axis)


def factors(x: Array, axis: int | None) -> tuple[Array, int]:
    """What is multiplied, and along which axis."""
    return (reshape(x, -1), 0) if axis is None or not shape_of(x) else (x, axis)


@cumprod.def_vjp
def cumprod_vjp(g: Array, x: Array, y: Array, axis: int | None) -> Array:
    factor, along = factors(x, axis)
    c = times(recurrence_vjp_b(g, factor, along), conjugated(shifted(y, along, 1)))
    return reshape(c, shape_of(x))


@cumprod.def_jvp
def cumprod_jvp(x_dot: Array, x: Array, y: Array, axis: int | None) -> Array:
    factor, along = factors(x, axis)
    return recurrence(factor, times(factors(x_dot, axis)[0], shifted(y, along, 1)), along)


@cumprod.def_samples
def cumprod_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from scan_samples(rng)
    yield sample(np.array([2.0, 0.0, 3.0, 0.0, 4.0]))
    yield sample(rng.normal(size=(4, 9)), axis=1)


def cumulative(scan: Any, first: int, x: ArrayLike, axis: int | None, dtype: Any, include_initial: bool) -> Array:
    """A scan with the signature of the array API."""
    if not shape_of(x):
        x = reshape(x, 1)
    shape = list(shape_of(x))
    if axis is None and len(shape) > 1:
        name = scan.__name__.replace("cum", "cumulative_")
        raise ArgumentError(f"{name} of an array of shape {tuple(shape)} needs its axis.")
    along = normalize_axis_index(0 if axis is None else axis, len(shape))
    y = scan(x, along, dtype=dtype)
    if not include_initial:
        return y
    shape[along] = 1
    return concatenate([np.full(shape, first, y.dtype), y], axis=along)


def cumulative_sum(
    x: ArrayLike, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
) -> Array:
    """Running sum along ``axis``, as ``np.cumulative_sum``; with ``include_initial`` it starts from 0."""
    refuse_out("cumulative_sum", out)
    return cumulative(cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: ArrayLike, /, *, axis: int | None = None, dtype: Any = None, out: None = None, include_initial: bool = False
) -> Array:
    """Running product along ``axis``, as ``np.cumulative_prod``; with ``include_initial`` it starts from 1."""
    refuse_out("cumulative_prod", out)
    return cumulative(cumprod, 1, x, axis, dtype, include_initial)
