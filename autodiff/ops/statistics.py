"""Statistics of the entries along axes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.node import Array, ArrayLike, Axis
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import real
from .families import conjugated, times
from .reduce import axis_samples, complex_sample, keep, mean, reduced_size, sum
from .select import equal, where

__all__ = ["std", "var"]


@primitive(formula=r"y = \frac{1}{n - d} \sum_i |x_i - \mu|^2, \quad \bar x_i = \frac{2 (x_i - \mu)}{n - d}\,\bar y")
def var(x: ArrayLike, /, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """Variance over ``axis``: the mean square deviation, with ``n - ddof`` in the denominator."""
    return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)


@var.def_vjp
def var_vjp(g: Array, x: Array, axis: Axis, ddof: float) -> Array:
    deviation = x - mean(x, axis, keepdims=True)
    return times(keep(g, x, axis), deviation * (2 / np.float64(reduced_size(x, axis) - ddof)).item())


@var.def_jvp
def var_jvp(x_dot: Array, x: Array, axis: Axis, ddof: float, keepdims: bool) -> Array:
    deviation = x - mean(x, axis, keepdims=True)
    along = sum(real(times(x_dot, conjugated(deviation))), axis, keepdims)
    return along * (2 / np.float64(reduced_size(x, axis) - ddof)).item()


@var.def_samples
def var_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(4, 3)), axis=0, ddof=1)
    yield sample(rng.normal(size=(3, 0)).T, axis=1)
    yield complex_sample(rng, 2, 3)


def std_slope(x: Array, y: Array, axis: Axis, ddof: float) -> Array:
    """``(x - mean) / ((n - ddof) std)``, and 0 for a constant."""
    y = keep(y, x, axis)
    deviation = x - mean(x, axis, keepdims=True)
    return where(equal(y, 0), 0, deviation / (where(equal(y, 0), 1, y) * (reduced_size(x, axis) - ddof)))


@primitive(formula=r"y = \sqrt{\operatorname{var} x}, \quad \bar x_i = \frac{x_i - \mu}{(n - d)\,y}\,\bar y")
def std(x: ArrayLike, /, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """Standard deviation over ``axis``, with ``n - ddof`` in the denominator.  Derivative 0 for a constant."""
    return np.std(x, axis=axis, ddof=ddof, keepdims=keepdims)


@std.def_vjp
def std_vjp(g: Array, x: Array, y: Array, axis: Axis, ddof: float) -> Array:
    return times(keep(g, x, axis), std_slope(x, y, axis, ddof))


@std.def_jvp
def std_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, ddof: float, keepdims: bool) -> Array:
    return sum(real(times(x_dot, conjugated(std_slope(x, y, axis, ddof)))), axis, keepdims)


@std.def_samples
def std_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=0)
    yield sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True, ddof=1)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=-1)
    yield sample(rng.normal(size=(3, 0)).T, axis=1)
    yield complex_sample(rng, 2, 3)


class StatisticsMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    var = var
    std = std
