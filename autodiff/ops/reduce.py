"""Reductions along axes, scans, and the normalisations built from them (``softmax``, ``log_softmax``)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ShapeError, UnsupportedError
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, power, real, sign
from .broadcast import broadcast_to
from .exponential import exp
from .families import conjugated, linear, times
from .select import equal, where
from .shape import astype, concatenate, flip, moveaxis, reshape, stack

# NumPy's stubs do not take a variable for keepdims; and a wrapper less is a microsecond less.
add_reduce: Any = np.add.reduce
multiply_reduce: Any = np.multiply.reduce
maximum_reduce: Any = np.maximum.reduce
minimum_reduce: Any = np.minimum.reduce

Axis = Any  # int, tuple of int or None; NumPy's stubs take no union of them


def reduced_axes(x: Array, axis: Axis) -> tuple[int, ...]:
    """The axes that a reduction runs over, none of them negative."""
    ndim = len(shape_of(x))
    if axis is None or ndim == 0:  # NumPy takes axis 0 of a single number
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple | list) else (axis,)))


def reduced_size(x: Array, axis: Axis) -> int:
    """How many entries go into each result of a reduction."""
    return math.prod(shape_of(x)[a] for a in reduced_axes(x, axis))


def keep(y: Array, x: Array, axis: Axis) -> Array:
    """A result ``y`` of reducing ``x``, with its reduced axes back, of length 1."""
    shape = shape_of(x)
    if len(shape_of(y)) == len(shape):
        return y
    axes = reduced_axes(x, axis)
    return reshape(y, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def axis_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Every form of ``axis`` and ``keepdims``."""
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=0)
    yield sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True)
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=-1)


def complex_sample(rng: np.random.Generator, *shape: int) -> Sample:
    """A point in the complex plane, where a conjugate that a VJP forgets shows."""
    return sample(rng.normal(size=shape) + 1j * rng.normal(size=shape))


@linear(lambda g, x, axis: broadcast_to(keep(g, x, axis), x.shape), formula=r"y = \sum_i x_i, \quad \bar x_i = \bar y")
def sum(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum over ``axis``."""
    return add_reduce(x, axis=axis, keepdims=keepdims)


@sum.def_samples
def sum_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(0, 2)), axis=0)


@linear(
    lambda g, x, axis: broadcast_to(keep(g, x, axis) / reduced_size(x, axis), x.shape),
    formula=r"y = \frac1n \sum_i x_i, \quad \bar x_i = \bar y / n",
)
def mean(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Arithmetic mean over ``axis``."""
    if x.dtype.kind not in "fc" or x.itemsize < 4:
        return np.mean(x, axis=axis, keepdims=keepdims)  # half precision is summed in single
    return add_reduce(x, axis=axis, keepdims=keepdims) / reduced_size(x, axis)


@mean.def_samples
def mean_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(0, 2)), axis=1)


def tie_weights(x: Array, y: Array, axis: Axis) -> Array:
    """1 at the entries of ``x`` that equal their extreme ``y``, split evenly where several do."""
    chosen = astype(equal(x, keep(y, x, axis)), x.dtype)
    return chosen / sum(chosen, axis, keepdims=True)


@primitive(formula=r"y = \max_i x_i, \quad \bar x_i = \bar y\,[x_i = y] / \#\{j : x_j = y\}")
def max(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest entry over ``axis``.  Ties share the derivative evenly."""
    return maximum_reduce(x, axis=axis, keepdims=keepdims)


@max.def_vjp
def max_vjp(g: Array, x: Array, y: Array, axis: Axis) -> Array:
    return times(keep(g, x, axis), tie_weights(x, y, axis))


@max.def_jvp
def max_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times(x_dot, tie_weights(x, y, axis)), axis, keepdims)


max.def_samples(axis_samples)


@primitive(formula=r"y = \min_i x_i, \quad \bar x_i = \bar y\,[x_i = y] / \#\{j : x_j = y\}")
def min(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest entry over ``axis``.  Ties share the derivative evenly."""
    return minimum_reduce(x, axis=axis, keepdims=keepdims)


min.def_vjp(max_vjp)
min.def_jvp(max_jvp)
min.def_samples(axis_samples)


def products_of_others(x: Array) -> Array:
    """For each entry of the last axis, the product of all the others.  No division, so zeros are no exception.

    Pair the entries up; the others of one are its partner and the others of the pair: log2(n) rounds.
    """
    *lead, n = shape_of(x)
    if n <= 1:
        return np.ones_like(data_of(x))
    if n % 2:
        x = concatenate([x, np.ones_like(data_of(x), shape=(*lead, 1))], axis=-1)
    first, second = x[..., 0::2], x[..., 1::2]
    outside = products_of_others(first * second)
    both = stack([outside * second, outside * first], axis=-1)
    return reshape(both, (*lead, n + n % 2))[..., :n]


def product_slope(x: Array, axis: Axis) -> Array:
    """The derivative of a product over ``axis``, in the shape of ``x``."""
    axes = reduced_axes(x, axis)
    last = tuple(range(-len(axes), 0))
    moved = moveaxis(x, axes, last)
    shape = shape_of(moved)
    flat = reshape(moved, (*shape[: len(shape) - len(axes)], reduced_size(x, axis)))
    return moveaxis(reshape(products_of_others(flat), shape), last, axes)


@primitive(formula=r"y = \prod_i x_i, \quad \bar x_i = \bar y \prod_{j \ne i} x_j")
def prod(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Product over ``axis``.  The derivative is right with any number of zeros."""
    return multiply_reduce(x, axis=axis, keepdims=keepdims)


@prod.def_vjp
def prod_vjp(g: Array, x: Array, axis: Axis) -> Array:
    return times(keep(g, x, axis), conjugated(product_slope(x, axis)))


@prod.def_jvp
def prod_jvp(x_dot: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times(x_dot, product_slope(x, axis)), axis, keepdims)


@prod.def_samples
def prod_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(np.array([2.0, 0.0, 3.0, 1.5, -1.0]))
    yield sample(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 4.0]]), axis=1)
    yield sample(rng.normal(size=(0, 2)), axis=0)
    yield complex_sample(rng, 4)


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


def vector_norm_slope(x: Array, y: Array, ord: float, axis: Axis) -> Array:
    """The derivative of a vector norm: 0 where the norm is 0, shared evenly where entries tie for an extreme."""
    y = keep(y, x, axis)
    if ord in (math.inf, -math.inf):
        return sign(x) * tie_weights(absolute(x), y, axis)
    if ord == 0:
        return x * 0
    if ord == 1:
        return sign(x)
    safe = where(equal(y, 0), 1, y)
    if ord == 2:
        return where(equal(y, 0), 0, x / safe)
    return where(equal(y, 0), 0, times(sign(x), power(absolute(x) / safe, ord - 1)))


@primitive(
    formula=r"y = \big(\sum_i |x_i|^p\big)^{1/p}, \quad \bar x_i = \operatorname{sign}(x_i) (|x_i| / y)^{p-1}\,\bar y"
)
def vector_norm(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """Norm of order ``ord`` (any number, inf or -inf) of the entries over ``axis``.  Derivative 0 at 0."""
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


@vector_norm.def_vjp
def vector_norm_vjp(g: Array, x: Array, y: Array, ord: float, axis: Axis) -> Array:
    return times(keep(g, x, axis), vector_norm_slope(x, y, ord, axis))


@vector_norm.def_jvp
def vector_norm_jvp(x_dot: Array, x: Array, y: Array, ord: float, axis: Axis, keepdims: bool) -> Array:
    return sum(real(times(x_dot, conjugated(vector_norm_slope(x, y, ord, axis)))), axis, keepdims)


@vector_norm.def_samples
def vector_norm_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    for ord in (0, 1, 2.5, 3, -1, math.inf, -math.inf):
        yield sample(rng.uniform(0.5, 2, size=(2, 3)) * np.array([1, -1, 1]), ord=ord, axis=1)
    yield sample(rng.normal(size=(0, 3)), axis=0)
    yield complex_sample(rng, 2, 3)


def norm(x: ArrayLike, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Norm of a vector or a matrix, as ``np.linalg.norm``.

    Parameters
    ----------
    x : array_like
    ord : None, number, inf, -inf or "fro"
        None is the root of the sum of squares.  Of a matrix, 1 and -1 are the largest and smallest column sum, inf and
        -inf the largest and smallest row sum.
    axis : int, pair of int, or None
        The axis of the vectors, or the axes of the matrices; None is all of ``x``.

    Raises
    ------
    UnsupportedError
        For the matrix norms that need a singular value decomposition: 2, -2 and "nuc".
    """
    ndim = len(shape_of(x))
    axes = reduced_axes(x, axis)
    if ord is None or len(axes) == 1 or (axis is None and ndim == 0):
        return vector_norm(
            x, axis if axis is None or isinstance(axis, int) else axes, keepdims, 2 if ord is None else ord
        )
    if len(axes) != 2:
        raise ShapeError(f"norm with ord={ord!r} over {len(axes)} axes: it takes one (vectors) or two (matrices).")
    if ord == "fro":
        return vector_norm(x, axes, keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        row, column = axes if abs(ord) == 1 else axes[::-1]
        sums = sum(absolute(x), row, keepdims=True)
        extreme = max if ord > 0 else min
        kept = extreme(sums, column, keepdims=True)
        return kept if keepdims else reshape(kept, tuple(n for i, n in enumerate(shape_of(x)) if i not in axes))
    raise UnsupportedError(f"norm has no rule for the matrix norm ord={ord!r}; it has 'fro', 1, -1, inf and -inf.")


@linear(formula=r"y_k = \sum_{i \le k} x_i, \quad \bar x_i = \sum_{k \ge i} \bar y_k")
def cumsum(x: ArrayLike, /, axis: int | None = None) -> Array:
    """Running sum along ``axis``; of the flattened array if None."""
    return np.cumsum(x, axis=axis)


@cumsum.def_vjp
def cumsum_vjp(g: Array, x: Array, axis: int | None) -> Array:
    along = 0 if axis is None else axis
    return reshape(flip(cumsum(flip(g, along), along), along), shape_of(x))


@cumsum.def_samples
def cumsum_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=-1)
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(0, 3)), axis=0)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=0)


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


@primitive(formula=r"y = \arg\max_i x_i", differentiable=False)
def argmax(x: ArrayLike, /, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the first largest entry along ``axis``.  Never tracked."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@primitive(formula=r"y = \arg\min_i x_i", differentiable=False)
def argmin(x: ArrayLike, /, axis: int | None = None, keepdims: bool = False) -> Array:
    """Position of the first smallest entry along ``axis``.  Never tracked."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


class ReduceMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    sum = sum
    mean = mean
    max = max
    min = min
    prod = prod
    var = var
    std = std
    norm = norm
    cumsum = cumsum
    logsumexp = logsumexp
    softmax = softmax
    log_softmax = log_softmax
    argmax = argmax
    argmin = argmin
