"""Reductions along axes: sums, means, products, extremes, and truths about all entries."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..core.errors import ArgumentError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Axis, data_of, shape_of, size_of
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .arithmetic import add, divide, multiply, subtract
from .broadcast import broadcast_to
from .extremum import maximum
from .families import conjugated, linear, times
from .joining import concatenate, stack
from .options import NOT_GIVEN, NUMPY, as_dtype, constant, is_plain, mask_for, otherwise, real_dtype
from .select import equal, logical_and, logical_not, logical_or
from .select import where as choose
from .shape import astype, dtype_of, moveaxis, reshape

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "sum",
]

# NumPy's stubs do not take a variable for keepdims; and a wrapper less is a microsecond less.
add_reduce: Any = np.add.reduce

multiply_reduce: Any = np.multiply.reduce

maximum_reduce: Any = np.maximum.reduce

minimum_reduce: Any = np.minimum.reduce


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
    """A result ``y`` of reducing ``x``, with its reduced axes back, of length 1: it broadcasts against ``x``."""
    shape = shape_of(x)
    if len(shape_of(y)) in (0, len(shape)):
        return y
    axes = reduced_axes(x, axis)
    return reshape(y, tuple(1 if i in axes else n for i, n in enumerate(shape)))


def on_last(x: Array, axis: Axis) -> Array:
    """``x`` with its reduced axes joined into one, the last."""
    axes = reduced_axes(x, axis)
    moved = moveaxis(x, axes, tuple(range(-len(axes), 0)))
    return reshape(moved, (*shape_of(moved)[: len(shape_of(x)) - len(axes)], reduced_size(x, axis)))


def off_last(flat: Array, x: Array, axis: Axis) -> Array:
    """The reverse of :func:`on_last`: an array of the shape of ``x``."""
    axes, shape = reduced_axes(x, axis), shape_of(x)
    moved = [n for i, n in enumerate(shape) if i not in axes] + [shape[i] for i in axes]
    return moveaxis(reshape(flat, tuple(moved)), tuple(range(-len(axes), 0)), axes)


def axis_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Every form of ``axis`` and ``keepdims``."""
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=0)
    yield sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True)
    yield sample(rng.normal(size=(2, 3)), axis=())
    yield sample(rng.normal(size=()))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=-1)


def complex_sample(rng: np.random.Generator, *shape: int, **params: Any) -> Sample:
    """A point in the complex plane, where a conjugate that a VJP forgets shows."""
    return sample(rng.normal(size=shape) + 1j * rng.normal(size=shape), **params)


def sum_where(
    x: ArrayLike,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """``sum`` with ``where`` and ``initial``."""
    refuse_out("sum", out)
    if is_plain(x, initial, where):
        return NUMPY.sum(x, axis, dtype, None, keepdims, initial, where)
    x = as_dtype(x, dtype)
    y = as_dtype(sum(x if where is True else choose(mask_for(x, where), x, 0), axis, keepdims=keepdims), dtype)
    return y if initial is NOT_GIVEN or initial is None else add(y, astype(initial, y.dtype))


@otherwise(sum_where)
@linear(
    lambda g, x, axis: broadcast_to(keep(g, x, axis), shape_of(x)), formula=r"y = \sum_i x_i, \quad \bar x_i = \bar y"
)
def sum(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Sum over ``axis``; of the entries where ``where`` is true, and ``initial``, if these are given."""
    return add_reduce(x, axis, None, None, keepdims)


@sum.def_samples
def sum_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(0, 2)), axis=0)


def mean_where(
    x: ArrayLike, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Array:
    """``mean`` with ``where`` and ``dtype``."""
    refuse_out("mean", out)
    if is_plain(x, where):
        return NUMPY.mean(x, axis, dtype, None, keepdims, where=where)
    if where is True:
        return as_dtype(mean(as_dtype(x, dtype), axis, keepdims=keepdims), dtype)
    half = dtype is None and dtype_of(x) == np.float16  # is summed in single
    x, mask = as_dtype(x, np.float32 if half else dtype), mask_for(x, where)
    y = masked_mean(x, mask, axis, keepdims)
    return as_dtype(y, np.float16 if half else dtype)


def count_in(mask: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    """How many entries of ``x`` the mask lets into each result of a reduction."""
    return sum(broadcast_to(mask, shape_of(x)), axis, keepdims=keepdims)


def divide_by(total: Array, count: Array) -> Array:
    """``total / count`` in the dtype of the total, if that is inexact; nan for nothing of nothing."""
    dtype = dtype_of(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        return divide(total, astype(count, dtype) if dtype.kind in "fc" else count)


def masked_mean(x: Array, mask: Array, axis: Axis, keepdims: bool) -> Array:
    """The mean of the entries that the mask lets in."""
    count = count_in(mask, x, axis, keepdims)
    if compiler() is None and not all(count):
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=3)
    return divide_by(sum(choose(mask, x, 0), axis, keepdims=keepdims), count)


@otherwise(mean_where)
@linear(
    lambda g, x, axis: broadcast_to(keep(g, x, axis) / (reduced_size(x, axis) or 1), shape_of(x)),
    formula=r"y = \frac{1}{n} \sum_i x_i, \quad \bar x_i = \bar y / n",
)
def mean(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Arithmetic mean over ``axis``; of the entries where ``where`` is true, if that is given."""
    if x.dtype.kind not in "fc" or x.itemsize < 4 or not x.size:
        return np.mean(x, axis, None, None, keepdims)  # half precision is summed in single
    return add_reduce(x, axis, None, None, keepdims) / reduced_size(x, axis)


@mean.def_jvp
def mean_jvp(x_dot: Array, axis: Axis, keepdims: bool) -> Array:
    return (mean if size_of(x_dot) else sum)(x_dot, axis, keepdims=keepdims)  # the mean of nothing is a constant, nan


@mean.def_samples
def mean_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(0, 2)), axis=1)


def tie_weights(x: Array, y: Array, axis: Axis, mask: Any = True, least: int = 0) -> Array:
    """1 at the entries of ``x`` that equal their extreme ``y``, split evenly where several do.

    Where none does the split divides by ``least``.
    """
    chosen = equal(x, keep(y, x, axis))
    if mask is not True:
        chosen = logical_and(chosen, mask)
    chosen = astype(chosen, real_dtype(x))
    total = sum(chosen, axis, keepdims=True)
    return chosen / (maximum(total, least) if least else total)


@primitive(formula=r"y = \max_{i \in m} x_i, \quad \bar x_i = \bar y\,[x_i = y] / \#\{j \in m : x_j = y\}")
def extreme(
    x: ArrayLike, mask: ArrayLike, /, kind: str, axis: Axis = None, keepdims: bool = False, initial: Any = NOT_GIVEN
) -> Array:
    """``np.maximum``, ``minimum``, ``fmax`` or ``fmin`` of the entries that ``mask`` lets in, and of ``initial``.

    Ties share the derivative evenly; a tie with ``initial`` leaves them half of it.
    """
    where = True if mask.ndim == 0 and mask else mask
    y = getattr(np, kind).reduce(x, axis, None, None, keepdims, data_of(initial), where)
    if kind[0] == "f" and np.any(np.isnan(y)):
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=2)
    return y


def extreme_slope(x: Array, mask: Array, y: Array, axis: Axis, initial: Any) -> Array:
    weights = tie_weights(x, y, axis, mask, least=1)
    if initial is NOT_GIVEN or initial is None:
        return weights
    return choose(equal(keep(y, x, axis), initial), weights / 2, weights)


@extreme.def_vjp(wrt="x")
def extreme_vjp(g: Array, x: Array, mask: Array, y: Array, axis: Axis, initial: Any) -> Array:
    return times(keep(g, x, axis), extreme_slope(x, mask, y, axis, initial))


@extreme.def_jvp(wrt="x")
def extreme_jvp(x_dot: Array, x: Array, mask: Array, y: Array, axis: Axis, keepdims: bool, initial: Any) -> Array:
    return sum(times(x_dot, extreme_slope(x, mask, y, axis, initial)), axis, keepdims=keepdims)


@extreme.def_samples
def extreme_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for kind in ("maximum", "minimum", "fmax", "fmin"):
        x = rng.normal(size=(2, 3))
        yield sample(x, x < 0.5, kind=kind, axis=0, initial=0.1)
        x[1, 1] = np.nan if kind[0] == "f" else x[1, 1]
        yield sample(x, np.asarray(True), kind=kind, axis=(1,), keepdims=True)
    yield sample(rng.normal(size=(0, 2)), np.ones((1, 2), bool), kind="maximum", axis=0, initial=1.0)
    yield sample(rng.normal(size=()), np.asarray(True), kind="minimum")
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, np.asarray(True), kind="fmax", axis=-1)
    z = rng.normal(size=4) + 1j * rng.normal(size=4)
    yield sample(z, np.array([True, True, False, True]), kind="fmin", initial=5 + 0j)


def extreme_where(kind: str, a: Any, axis: Axis, out: None, keepdims: bool, initial: Any, where: Any) -> Array:
    """``max`` and its like with ``where`` and ``initial``."""
    refuse_out(f"the {kind}", out)
    if where is not True and initial is NOT_GIVEN:
        if axis is not None:
            normalize_axis_tuple(axis, len(shape_of(a)))
        raise ArgumentError(f"The {kind} of what where= lets in may be that of nothing: give initial= too.")
    return extreme(a, mask_for(a, where), kind, axis, keepdims, constant(initial, "initial="))


def max_where(
    x: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """``max`` with ``where`` and ``initial``."""
    return extreme_where("maximum", x, axis, out, keepdims, initial, where)


def min_where(
    x: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """``min`` with ``where`` and ``initial``."""
    return extreme_where("minimum", x, axis, out, keepdims, initial, where)


@otherwise(max_where)
@primitive(formula=r"y = \max_i x_i, \quad \bar x_i = \bar y\,[x_i = y] / \#\{j : x_j = y\}")
def max(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Largest entry over ``axis``.  Ties share the derivative evenly.

    With ``where`` only of the entries where it is true; ``initial`` takes part too, and in a tie has half of the
    derivative.  Complex numbers are compared by their real parts, then by their imaginary parts.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(ad.max)(np.array([1.0, 3.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    return maximum_reduce(x, axis, None, None, keepdims)


@max.def_vjp
def max_vjp(g: Array, x: Array, y: Array, axis: Axis) -> Array:
    return times(keep(g, x, axis), tie_weights(x, y, axis))


@max.def_jvp
def max_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times(x_dot, tie_weights(x, y, axis)), axis, keepdims=keepdims)


def max_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(2, 0)), axis=0)
    yield complex_sample(rng, 2, 3, axis=1)


max.def_samples(max_samples)


@otherwise(min_where)
@primitive(formula=r"y = \min_i x_i, \quad \bar x_i = \bar y\,[x_i = y] / \#\{j : x_j = y\}")
def min(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Smallest entry over ``axis``.  Ties share the derivative evenly.  Options are those of ``max``."""
    return minimum_reduce(x, axis, None, None, keepdims)


min.def_vjp(max_vjp)

min.def_jvp(max_jvp)

min.def_samples(max_samples)


def ptp(a: ArrayLike, axis: Axis = None, out: None = None, keepdims: bool = False) -> Array:
    """Largest less smallest entry over ``axis``, as ``np.ptp``.  Ties share the derivative evenly."""
    refuse_out("ptp", out)
    return subtract(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


def products_of_others(x: Array) -> Array:
    """For each entry of the last axis, the product of all the others.  No division, so zeros are no exception.

    Pair the entries up; the others of one are its partner and the others of the pair: log2(n) rounds.
    """
    *lead, n = shape_of(x)
    if n <= 1:
        return np.ones(shape_of(x), x.dtype)
    if n % 2:
        x = concatenate([x, np.ones((*lead, 1), x.dtype)], axis=-1)
    first, second = x[..., 0::2], x[..., 1::2]
    outside = products_of_others(first * second)
    both = stack([outside * second, outside * first], axis=-1)
    return reshape(both, (*lead, n + n % 2))[..., :n]


def product_slope(x: Array, axis: Axis) -> Array:
    """The derivative of a product over ``axis``, in the shape of ``x``."""
    return off_last(products_of_others(on_last(x, axis)), x, axis)


def prod_where(
    x: ArrayLike,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """``prod`` with ``where`` and ``initial``."""
    refuse_out("prod", out)
    if is_plain(x, initial, where):
        return NUMPY.prod(x, axis, dtype, None, keepdims, initial, where)
    x = as_dtype(x, dtype)
    y = as_dtype(prod(x if where is True else choose(mask_for(x, where), x, 1), axis, keepdims=keepdims), dtype)
    return y if initial is NOT_GIVEN or initial is None else multiply(y, astype(initial, y.dtype))


@otherwise(prod_where)
@primitive(formula=r"y = \prod_i x_i, \quad \bar x_i = \bar y \prod_{j \ne i} x_j^*")
def prod(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Product over ``axis``.  The derivative is right with any number of zeros.

    Of the entries where ``where`` is true, and ``initial``, if these are given.
    """
    return multiply_reduce(x, axis, None, None, keepdims)


@prod.def_vjp
def prod_vjp(g: Array, x: Array, axis: Axis) -> Array:
    return times(keep(g, x, axis), conjugated(product_slope(x, axis)))


@prod.def_jvp
def prod_jvp(x_dot: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
    return sum(times(x_dot, product_slope(x, axis)), axis, keepdims=keepdims)


@prod.def_samples
def prod_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(np.array([2.0, 0.0, 3.0, 1.5, -1.0]))
    yield sample(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 4.0]]), axis=1)
    yield sample(rng.normal(size=(0, 2)), axis=0)
    yield complex_sample(rng, 4)


def any_where(x: ArrayLike, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = True) -> Array:
    """``any`` with ``where``."""
    refuse_out("any", out)
    return any(x if where is True else logical_and(x, mask_for(x, where)), axis, keepdims=keepdims)


@otherwise(any_where)
@primitive(formula=r"y = \bigvee_i x_i", differentiable=False)
def any(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether any entry is true, over ``axis``.  Never tracked."""
    return np.any(x, axis, None, keepdims)


def all_where(x: ArrayLike, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = True) -> Array:
    """``all`` with ``where``."""
    refuse_out("all", out)
    return all(x if where is True else logical_or(x, logical_not(mask_for(x, where))), axis, keepdims=keepdims)


@otherwise(all_where)
@primitive(formula=r"y = \bigwedge_i x_i", differentiable=False)
def all(x: ArrayLike, /, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether all entries are true, over ``axis``.  Never tracked."""
    return np.all(x, axis, None, keepdims)


@primitive(formula=r"y = \#\{i : x_i \ne 0\}", differentiable=False)
def count_nonzero(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Number of entries that are not 0, over ``axis``.  Never tracked."""
    return np.count_nonzero(x, axis, keepdims=keepdims)


@primitive(formula=r"y = \arg\max_i x_i", differentiable=False)
def argmax(x: ArrayLike, /, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the first largest entry along ``axis``.  Never tracked."""
    return np.argmax(x, axis, keepdims=keepdims)


@primitive(formula=r"y = \arg\min_i x_i", differentiable=False)
def argmin(x: ArrayLike, /, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the first smallest entry along ``axis``.  Never tracked."""
    return np.argmin(x, axis, keepdims=keepdims)


amax = max
amin = min


class ReduceMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    sum = sum
    mean = mean
    max = max
    min = min
    prod = prod
    argmax = argmax
    argmin = argmin
    any = any
    all = all
