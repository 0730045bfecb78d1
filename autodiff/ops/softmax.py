"""Sums of exponentials, and the normalisations built from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, Axis, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, add, multiply, real, sign
from .constant import stop_gradient
from .exponential import exp, log
from .families import conjugated, is_finite, times
from .index import array_of
from .options import otherwise
from .reduce import add_reduce, axis_samples, complex_sample, keep, max, maximum_reduce, reduced_axes, sum, tie_weights
from .rows import exp_into, in_rows, row_sums, row_tops
from .select import equal, isfinite
from .select import where as choose
from .shape import squeeze

__all__ = ["log_softmax", "logsumexp", "softmax"]


def logsumexp_weighted(
    x: ArrayLike, axis: Axis = None, b: ArrayLike = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """``logsumexp`` with weights, or with the sign of the sum."""
    if b is None and not return_sign:
        return logsumexp(x, axis, keepdims=keepdims)
    x, b = array_of(x), array_of(1.0 if b is None else b)
    x = add(x, multiply(b, 0))  # in the shape of both
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        top = stop_gradient(max(choose(equal(b, 0), -math.inf, real(x)), axis, keepdims=True, initial=-math.inf))
        top = choose(isfinite(top), top, 0)
        total = sum(times(b, exp(x - top)), axis, keepdims=True)
        y = add(top, log(absolute(total) if return_sign else total))
    if not keepdims:
        axes = reduced_axes(x, axis)
        y, total = squeeze(y, axes), squeeze(total, axes)
    return (y, sign(total)) if return_sign else y


@otherwise(logsumexp_weighted)
@primitive(formula=r"y = \ln \sum_i e^{x_i}, \quad \bar x_i = {e^{x_i - y}}^*\,\bar y")
def logsumexp(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Logarithm of a sum of exponentials over ``axis``.  Never overflows.

    With weights ``b``, which may be recorded, of ``b * exp(x)``; with ``return_sign`` a pair of the logarithm of the
    size of the sum and its sign.  Infinite entries share the derivative evenly.
    """
    top = maximum_reduce(x.real, axis, None, None, True, *[] if x.size else [-np.inf])
    top = np.where(np.isfinite(top), top, 0)  # an infinite top must not meet itself: inf - inf
    with np.errstate(divide="ignore"):  # the logarithm of a fully masked row is -inf, and meant
        y = top + np.log(add_reduce(np.exp(x - top), axis, None, None, True))
    return y if keepdims else np.squeeze(y, axis=reduced_axes(x, axis))


def share(x: Array, y: Array, axis: Axis) -> Array:
    """The softmax of ``x``; 0 for a row that is fully masked with -inf."""
    y = keep(y, x, axis)
    return exp(x - choose(equal(y, -math.inf), 0, y))


def times_share(c: Array, d: Array, x: Array, y: Array, axis: Axis) -> Array:
    """``c * d`` for the share ``d``, which infinite entries divide evenly."""
    product = c * d
    return product if is_finite(product) else times(c, choose(equal(x, math.inf), tie_weights(x, y, axis), d))


@logsumexp.def_vjp
def logsumexp_vjp(g: Array, x: Array, y: Array, axis: Axis) -> Array:
    return times_share(keep(g, x, axis), conjugated(share(x, y, axis)), x, y, axis)


@logsumexp.def_jvp
def logsumexp_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times_share(x_dot, share(x, y, axis), x, y, axis), axis, keepdims=keepdims)


@logsumexp.def_samples
def logsumexp_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(1e3 + rng.normal(size=(4,)))  # overflows without the shift
    yield sample(np.array([[-np.inf, 1.0, 2.0], [-np.inf, -np.inf, -np.inf]]), axis=1)  # masked: gradient 0
    yield sample(np.array([[np.inf, 1.0, 2.0], [np.inf, -np.inf, np.inf]]), axis=1)
    yield sample(rng.normal(size=(0, 2)), axis=0)
    yield complex_sample(rng, 3)


def softmax_of_rows(x: Array) -> Array:
    """The softmax of every row of a matrix, as a new array."""
    e = exp_into(x - row_tops(x))
    e /= row_sums(e)
    return e


@primitive(
    formula=r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}, \quad \bar x_i = y_i^* \big(\bar y_i - \sum_j \bar y_j y_j^*\big)"
)
def softmax(x: ArrayLike, /, axis: Axis = -1) -> Array:
    """Exponentials scaled to sum to 1 along ``axis``.  Never overflows."""
    if x.size and x.ndim and axis in (-1, x.ndim - 1):
        return softmax_of_rows(in_rows(x)).reshape(x.shape)
    e = np.exp(x - maximum_reduce(x, axis=axis, keepdims=True))
    return e / add_reduce(e, axis=axis, keepdims=True)


@primitive(
    formula=(
        r"y_i = p_i \big(c_i - \sum_j c_j p_j\big), \quad "
        r"\bar c_i = p_i^* \big(\bar y_i - \sum_j \bar y_j p_j^*\big), \; "
        r"\bar p_i = \bar y_i (c_i - \sum_j c_j p_j)^* - c_i^* \sum_j \bar y_j p_j^*"
    ),
    quiet=True,
)
def about_share(c: ArrayLike, p: ArrayLike, /, axis: Axis = -1) -> Array:
    """How far ``c`` is above its mean of weights ``p`` along ``axis``, times ``p``: what softmax does to a change.

    Axes are counted from the end.
    """
    y = c - (row_sums(c * p) if axis == -1 else add_reduce(c * p, axis=axis, keepdims=True))
    y *= p
    return y


@about_share.def_vjp(wrt="c")
def about_share_vjp_c(g: Array, p: Array, axis: Axis) -> Array:
    return about_share(g, conjugated(p), axis)


@about_share.def_vjp(wrt="p")
def about_share_vjp_p(g: Array, c: Array, p: Array, axis: Axis) -> Array:
    c, p = conjugated(c), conjugated(p)
    return g * (c - sum(c * p, axis, keepdims=True)) - c * sum(g * p, axis, keepdims=True)


@about_share.def_jvp(wrt="c")
def about_share_jvp_c(c_dot: Array, p: Array, axis: Axis) -> Array:
    return about_share(c_dot, p, axis)


@about_share.def_jvp(wrt="p")
def about_share_jvp_p(p_dot: Array, c: Array, p: Array, axis: Axis) -> Array:
    return p_dot * (c - sum(c * p, axis, keepdims=True)) - p * sum(c * p_dot, axis, keepdims=True)


@about_share.def_samples
def about_share_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in [(2, 3), (4,), (0, 3), (2, 3, 2)]:
        yield sample(rng.normal(size=shape), rng.normal(size=shape))
    yield sample(rng.normal(size=()), rng.normal(size=()), axis=())
    yield sample(rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3, 2)), axis=(-3, -1))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, rng.normal(size=(2, 3)), axis=-2)
    yield sample(*complex_sample(rng, 2, 3).args, *complex_sample(rng, 2, 3).args)


def through_share(c: Array, p: Array, axis: Axis) -> Array:
    """:func:`about_share` with hard zeros."""
    ndim = len(shape_of(p))
    axis = -1 if ndim and axis in (-1, ndim - 1) else tuple([a - ndim for a in reduced_axes(p, axis)])
    y = about_share(c, p, axis)
    return y if is_finite(y) else times(c - sum(times(c, p), axis, keepdims=True), p)


@softmax.def_vjp
def softmax_vjp(g: Array, y: Array, axis: Axis) -> Array:
    return through_share(g, conjugated(y), axis)


@softmax.def_jvp
def softmax_jvp(x_dot: Array, y: Array, axis: Axis) -> Array:
    return through_share(x_dot, y, axis)  # the matrix diag(y) - y y^T is its own transpose


@softmax.def_samples
def softmax_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3, 2)), axis=1)
    yield sample(rng.normal(size=(2, 3, 2)), axis=(0, -1))
    yield sample(rng.normal(size=(2, 2)), axis=None)
    yield sample(rng.normal(size=()))
    yield sample(1e3 + rng.normal(size=(4,)))
    yield sample(np.array([[-np.inf, 1.0, 2.0]]))
    yield sample(rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T)
    yield complex_sample(rng, 2, 3)


@primitive(formula=r"y_i = x_i - \ln \sum_j e^{x_j}, \quad \bar x_i = \bar y_i - {e^{y_i}}^* \sum_j \bar y_j")
def log_softmax(x: ArrayLike, /, axis: Axis = -1) -> Array:
    """Logarithm of the softmax along ``axis``.  Never overflows."""
    return x - logsumexp(x, axis, keepdims=True)


@log_softmax.def_vjp
def log_softmax_vjp(g: Array, y: Array, axis: Axis) -> Array:
    return g - times(sum(g, axis, keepdims=True), conjugated(exp(y)))


@log_softmax.def_jvp
def log_softmax_jvp(x_dot: Array, y: Array, axis: Axis) -> Array:
    return x_dot - sum(times(x_dot, exp(y)), axis, keepdims=True)


@log_softmax.def_samples
def log_softmax_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3, 2)), axis=1)
    yield sample(rng.normal(size=(2, 3, 2)), axis=(0, -1))
    yield sample(rng.normal(size=(2, 2)), axis=None)
    yield sample(rng.normal(size=()))
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
