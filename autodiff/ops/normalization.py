"""Entries brought to mean 0 and variance 1: what layer, group and batch normalisation have in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.errors import KindError
from ..core.node import Array, ArrayLike, Axis, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import sqrt
from .broadcast import broadcast_to
from .families import linear
from .reduce import mean, reduced_axes
from .rows import row_sums

__all__ = ["standardize"]


@linear(
    lambda g, x: broadcast_to(g / shape_of(x)[-1], shape_of(x)),
    formula=r"y = \frac{1}{n} \sum_i x_i \text{ over the last axis}, \quad \bar x_i = \bar y / n",
)
def row_mean(x: ArrayLike, /) -> Array:
    """The mean over the last axis, which stays, of length 1: as a product, which is faster on short rows."""
    return row_sums(x) / x.shape[-1]


@row_mean.def_samples
def row_mean_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for shape in [(2, 3), (4,), (2, 1, 3), (3, 1), (0, 2)]:
        yield sample(rng.normal(size=shape))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T)


def mean_over(x: Array, axis: Axis) -> Array:
    """The mean over ``axis``, which stays, of length 1."""
    shape = shape_of(x)
    rows = x.dtype.kind in "fc" and shape[-1:] != (0,) and reduced_axes(x, axis) == (len(shape) - 1,)
    return row_mean(x) if rows else mean(x, axis, keepdims=True)


def scale_over(x: Array, axis: Axis, eps: float) -> Array:
    """``1 / sqrt(variance + eps)`` over ``axis``."""
    centred = x - mean_over(x, axis)
    return 1 / sqrt(mean_over(centred * centred, axis) + eps)


@primitive(
    formula=(
        r"y = r\,(x - \mu), \; r = (\sigma^2 + \epsilon)^{-1/2}, \quad "
        r"\bar x = r\,\big(\bar y - \operatorname{mean} \bar y - y \operatorname{mean}(y\,\bar y)\big)"
    )
)
def standardize(x: ArrayLike, /, axis: Axis = -1, eps: float = 1e-5) -> Array:
    """``x`` less its mean over ``axis``, divided by the square root of its variance, plus ``eps``, there.

    The variance is that of the entries themselves, divided by their number.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, ICML (2015), arXiv:1502.03167: over the batch.
    .. [2] J. L. Ba, J. R. Kiros and G. E. Hinton (2016), arXiv:1607.06450: over the features.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.standardize(np.array([[1.0, 2.0, 3.0], [10.0, 10.0, 10.0]])).round(3)
    array([[-1.225,  0.   ,  1.225],
           [ 0.   ,  0.   ,  0.   ]])
    """
    if x.dtype.kind == "c":
        raise KindError("standardize got complex numbers; the variance that it divides by is that of real ones.")
    y = x - mean_over(x, axis)
    y /= np.sqrt(mean_over(y * y, axis) + eps)
    return y


@standardize.def_vjp
def standardize_vjp(g: Array, x: Array, y: Array, axis: Axis, eps: float) -> Array:
    return scale_over(x, axis, eps) * (g - mean_over(g, axis) - y * mean_over(y * g, axis))


@standardize.def_jvp
def standardize_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, eps: float) -> Array:
    return standardize_vjp(x_dot, x, y, axis, eps)  # it is its own transpose


@standardize.def_samples
def standardize_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(10 + rng.normal(size=(4, 2, 3)), axis=(0, 2))
    yield sample(rng.normal(size=(3, 4)), axis=0, eps=0.1)
    yield sample(rng.normal(size=(4,)), axis=None)
    yield sample(np.full((2, 3), 2.0), eps=1.0)  # of variance 0
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T)
    yield sample(rng.normal(size=(0, 3)))
