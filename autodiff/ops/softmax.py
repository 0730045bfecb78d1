"""Sums of exponentials, and the normalisations built from them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..core.node import Array, ArrayLike, Axis
from ..core.op import primitive
from ..core.rule import Sample, sample
from .exponential import exp
from .families import conjugated, times
from .reduce import add_reduce, axis_samples, complex_sample, keep, maximum_reduce, reduced_axes, sum
from .select import equal, where

__all__ = ["log_softmax", "logsumexp", "softmax"]


@primitive(formula=r"y = \ln \sum_i e^{x_i}, \quad \bar x_i = e^{x_i - y}\,\bar y")
def logsumexp(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Logarithm of a sum of exponentials over ``axis``.  Never overflows."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)  # an infinite top must not meet itself: inf - inf
    with np.errstate(divide="ignore"):  # the logarithm of a fully masked row is -inf, and meant
        y = top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))
    return y if keepdims else np.squeeze(y, axis=reduced_axes(x, axis))


def logsumexp_slope(x: Array, y: Array, axis: Axis) -> Array:
    """The softmax of ``x``; 0 for a row that is fully masked with -inf."""
    y = keep(y, x, axis)
    return exp(x - where(equal(y, -math.inf), 0, y))


@logsumexp.def_vjp
def logsumexp_vjp(g: Array, x: Array, y: Array, axis: Axis) -> Array:
    return times(keep(g, x, axis), conjugated(logsumexp_slope(x, y, axis)))


@logsumexp.def_jvp
def logsumexp_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times(x_dot, logsumexp_slope(x, y, axis)), axis, keepdims)


@logsumexp.def_samples
def logsumexp_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(1e3 + rng.normal(size=(4,)))  # overflows without the shift
    yield sample(np.array([[-np.inf, 1.0, 2.0], [-np.inf, -np.inf, -np.inf]]), axis=1)  # masked: gradient 0
    yield complex_sample(rng, 3)


@primitive(
    formula=r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}, \quad \bar x_i = y_i \big(\bar y_i - \sum_j \bar y_j y_j\big)"
)
def softmax(x: ArrayLike, /, axis: int = -1) -> Array:
    """Exponentials scaled to sum to 1 along ``axis``.  Never overflows."""
    e = np.exp(x - maximum_reduce(x, axis=axis, keepdims=True))
    return e / add_reduce(e, axis=axis, keepdims=True)


@softmax.def_vjp
def softmax_vjp(g: Array, y: Array, axis: int) -> Array:
    y = conjugated(y)
    return times(g - sum(times(g, y), axis, keepdims=True), y)


@softmax.def_jvp
def softmax_jvp(x_dot: Array, y: Array, axis: int) -> Array:
    return times(
        x_dot - sum(times(x_dot, y), axis, keepdims=True), y
    )  # the matrix diag(y) - y y^T is its own transpose


@softmax.def_samples
def softmax_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3, 2)), axis=1)
    yield sample(1e3 + rng.normal(size=(4,)))
    yield sample(np.array([[-np.inf, 1.0, 2.0]]))
    yield sample(rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T)
    yield complex_sample(rng, 2, 3)


@primitive(formula=r"y_i = x_i - \ln \sum_j e^{x_j}, \quad \bar x_i = \bar y_i - e^{y_i} \sum_j \bar y_j")
def log_softmax(x: ArrayLike, /, axis: int = -1) -> Array:
    """Logarithm of the softmax along ``axis``.  Never overflows."""
    return x - logsumexp(x, axis, keepdims=True)


@log_softmax.def_vjp
def log_softmax_vjp(g: Array, y: Array, axis: int) -> Array:
    return g - times(sum(g, axis, keepdims=True), conjugated(exp(y)))


@log_softmax.def_jvp
def log_softmax_jvp(x_dot: Array, y: Array, axis: int) -> Array:
    return x_dot - sum(times(x_dot, exp(y)), axis, keepdims=True)


@log_softmax.def_samples
def log_softmax_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3, 2)), axis=1)
    yield sample(np.array([1000.0, 0.0]))
    yield sample(rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T)
    yield complex_sample(rng, 2, 3)


class SoftmaxMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    logsumexp = logsumexp
    softmax = softmax
    log_softmax = log_softmax
