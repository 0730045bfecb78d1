"""Statistics of the entries along axes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..core.errors import KindError, ShapeError, UnsupportedError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Axis, Node, data_of, shape_of, size_of
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .arithmetic import conj, divide, imag, multiply, real, sqrt, subtract
from .broadcast import broadcast_to
from .checked import checked
from .extremum import maximum
from .families import conjugated, times
from .index import array_of, getitem
from .joining import concatenate
from .options import NOT_GIVEN, NUMPY, as_dtype, constant, is_plain, mask_for, otherwise
from .products import matmul
from .reduce import (
    any,
    axis_samples,
    complex_sample,
    count_in,
    divide_by,
    keep,
    max,
    mean,
    min,
    reduced_axes,
    reduced_size,
    sum,
)
from .rounding import rint
from .select import equal, greater, greater_equal, less, less_equal, logical_and, not_equal
from .select import where as choose
from .shape import astype, dtype_of, reshape, squeeze, transpose

__all__ = ["average", "corrcoef", "cov", "std", "var"]


def freedom(ddof: Any, correction: Any) -> Any:
    """What is taken off the number of entries: ``correction`` is another name for ``ddof``."""
    if correction is NOT_GIVEN:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction


def spread(x: Array, mask: Array, centre: Any, axis: Axis, ddof: Any, keepdims: bool, infinite: bool = True) -> Array:
    """The mean square distance from ``centre`` of the entries that the mask lets in; from their mean if not given.

    Where these are ``ddof`` or less it is nan, or ``infinite`` if they differ, and so is the derivative.
    """
    kept, count = choose(mask, x, 0), count_in(mask, x, axis, True)
    total = sum(kept, axis, keepdims=True)
    if centre is NOT_GIVEN:
        centre = divide_by(total, count)
    d = choose(mask, subtract(x, centre), 0)
    y = divide_by(sum(real(multiply(d, conjugated(d))), axis, keepdims=True), maximum(subtract(count, ddof), 0))
    lacking = less_equal(count, ddof)
    if compiler() is None and any(lacking):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
    y = choose(logical_and(lacking, not_equal(y, y)) if infinite else lacking, multiply(real(total), math.nan), y)
    return y if keepdims else squeeze(y, reduced_axes(x, axis))


def root(v: Array) -> Array:
    """The square root, with slope 0 where ``v`` is 0."""
    nothing = equal(v, 0)
    return choose(nothing, v, sqrt(choose(nothing, 1, v)))


def var_where(
    x: ArrayLike,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = NOT_GIVEN,
    correction: Any = NOT_GIVEN,
) -> Array:
    """``var`` with ``where``, ``mean`` and ``correction``."""
    refuse_out("var", out)
    ddof = freedom(ddof, correction)
    if is_plain(x, where, mean):
        return NUMPY.var(x, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    refuse_dtype("var", x, dtype)
    x = as_dtype(x, dtype)
    if where is True and (mean is NOT_GIVEN or mean is None):
        return as_dtype(var(x, axis, ddof=ddof, keepdims=keepdims), dtype)
    return as_dtype(spread(x, mask_for(x, where), mean, axis, ddof, keepdims), dtype)


def refuse_dtype(name: str, x: Array, dtype: Any) -> None:
    """Raise for a dtype in which NumPy computes half of a variance, and half in that of ``x``."""
    kind = "f" if dtype is None else np.dtype(dtype).kind
    if kind not in "fc" or (kind == "f" and dtype is not None and dtype_of(x).kind == "c"):
        raise UnsupportedError(
            f"{name} of {dtype_of(x)} got dtype={np.dtype(dtype)}, in which it has no derivative. "
            "Convert the result, with astype, or the argument."
        )


@otherwise(var_where)
@primitive(formula=r"y = \frac{1}{n - d} \sum_i |x_i - \mu|^2, \quad \bar x_i = \frac{2 (x_i - \mu)}{n - d}\,\bar y")
def var(x: ArrayLike, /, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """Variance over ``axis``: the mean square deviation, with ``n - ddof`` in the denominator.

    With ``where`` that of the entries where it is true; with ``mean`` the deviation from that, which may be recorded.
    """
    return np.var(x, axis, ddof=ddof, keepdims=keepdims)


def deviation(x: Array, axis: Axis) -> Array:
    return x - mean(x, axis, keepdims=True)


def share(x: Array, axis: Axis, ddof: float) -> float:
    """``1 / (n - d)``, infinite if that is not positive."""
    n = float(reduced_size(x, axis) - ddof)
    return 1 / n if n > 0 else math.inf


@var.def_vjp
def var_vjp(g: Array, x: Array, axis: Axis, ddof: float) -> Array:
    return times(keep(g, x, axis), deviation(x, axis) * (2 * share(x, axis, ddof)))


@var.def_jvp
def var_jvp(x_dot: Array, x: Array, axis: Axis, ddof: float, keepdims: bool) -> Array:
    slope = conjugated(deviation(x, axis) * (2 * share(x, axis, ddof)))
    return sum(real(times(x_dot, slope)), axis, keepdims=keepdims)


@var.def_samples
def var_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    yield sample(rng.normal(size=(4, 3)), axis=0, ddof=1)
    yield sample(rng.normal(size=(3, 0)).T, axis=1)
    yield complex_sample(rng, 2, 3)


def std_where(
    x: ArrayLike,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = NOT_GIVEN,
    correction: Any = NOT_GIVEN,
) -> Array:
    """``std`` with ``where``, ``mean`` and ``correction``."""
    refuse_out("std", out)
    ddof = freedom(ddof, correction)
    if is_plain(x, where, mean):
        return NUMPY.std(x, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    refuse_dtype("std", x, dtype)
    x = as_dtype(x, dtype)
    if where is True and (mean is NOT_GIVEN or mean is None):
        return as_dtype(std(x, axis, ddof=ddof, keepdims=keepdims), dtype)
    return as_dtype(root(spread(x, mask_for(x, where), mean, axis, ddof, keepdims)), dtype)


def std_slope(x: Array, y: Array, axis: Axis, ddof: float) -> Array:
    """``(x - mean) / ((n - ddof) std)``, and 0 for a constant, whose computed mean may be off by a rounding."""
    d, part = deviation(x, axis), share(x, axis, ddof)
    if not math.isfinite(part):
        return d * math.nan
    constant = equal(max(x, axis, keepdims=True), min(x, axis, keepdims=True))
    return d * choose(constant, 0, part / keep(y, x, axis))


@otherwise(std_where)
@primitive(formula=r"y = \sqrt{\operatorname{var} x}, \quad \bar x_i = \frac{x_i - \mu}{(n - d)\,y}\,\bar y")
def std(x: ArrayLike, /, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Array:
    """Standard deviation over ``axis``, with ``n - ddof`` in the denominator.  Derivative 0 for a constant.

    Options are those of ``var``.
    """
    return np.std(x, axis, ddof=ddof, keepdims=keepdims)


@std.def_vjp
def std_vjp(g: Array, x: Array, y: Array, axis: Axis, ddof: float) -> Array:
    return times(keep(g, x, axis), std_slope(x, y, axis, ddof))


@std.def_jvp
def std_jvp(x_dot: Array, x: Array, y: Array, axis: Axis, ddof: float, keepdims: bool) -> Array:
    slope = conjugated(std_slope(x, y, axis, ddof))
    return sum(real(times(x_dot, slope)), axis, keepdims=keepdims)


@std.def_samples
def std_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(2, 3)), axis=0)
    yield sample(rng.normal(size=(2, 3, 2)), axis=(0, -1), keepdims=True, ddof=1)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, axis=-1)
    yield sample(rng.normal(size=(3, 0)).T, axis=1)
    yield complex_sample(rng, 2, 3)


def weights_along(a: Array, weights: ArrayLike, axis: tuple[int, ...] | None) -> Array:
    """Weights in a shape that broadcasts to that of ``a``; those of another shape belong to ``axis``."""
    shape, given = shape_of(a), shape_of(weights)
    if given == shape:
        return weights
    if axis is None:
        raise KindError(f"average got weights of shape {given} for an array of shape {shape}. Give their axis too.")
    if given != tuple(shape[i] for i in axis):
        raise ShapeError(
            f"average got weights of shape {given} over axis {axis} of shape {shape}; they must have the shape of "
            "the array or of those axes."
        )
    order = tuple(np.argsort(axis).tolist())
    return reshape(transpose(weights, order), tuple(n if i in axis else 1 for i, n in enumerate(shape)))


def average(
    a: ArrayLike,
    axis: Axis = None,
    weights: ArrayLike = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """Weighted mean over ``axis``, as ``np.average``; differentiable in ``weights`` too.

    With ``returned`` a pair: the mean and the sum of the weights.

    Raises
    ------
    ZeroDivisionError
        If weights sum to 0.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda w: ad.average(np.array([1.0, 3.0]), weights=w))(np.array([1.0, 1.0]))
    array([-0.5,  0.5])
    """
    if is_plain(a, weights):
        return NUMPY.average(a, axis, weights, returned, keepdims=keepdims)
    a = array_of(a)
    if axis is not None:
        axis = normalize_axis_tuple(axis, len(shape_of(a)), "axis")
    total: Array
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        total = np.asarray(size_of(a) / size_of(y), y.dtype)
    else:
        w = weights_along(a, array_of(weights), axis)
        kinds = [dtype_of(a), dtype_of(w)]
        dtype = np.result_type(*kinds, *["f8"] * (kinds[0].kind in "biu"))
        total = sum(w, axis, dtype=dtype, keepdims=keepdims)
        if np.any(np.equal(data_of(total), 0)):
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        total = checked(total, lambda total: not_equal(total, 0))
        y = divide(sum(multiply(astype(a, dtype), astype(w, dtype)), axis, keepdims=keepdims), total)
    if not returned:
        return y
    return y, total if shape_of(total) == shape_of(y) else broadcast_to(total, shape_of(y))


def observations(m: ArrayLike, dtype: Any, by_row: bool) -> Array:
    """A table with one variable a row."""
    if len(shape_of(m)) > 2:
        raise ShapeError(f"cov takes variables by observations, got shape {shape_of(m)}.")
    x = astype(m, dtype)
    if len(shape_of(x)) < 2:
        x = reshape(x, (1, -1))
    return x if by_row else transpose(x)


def weights_of_observations(weights: ArrayLike, n: int, name: str) -> Array:
    """``fweights`` or ``aweights``, checked."""
    weights = astype(weights, float)
    shape = shape_of(weights)
    if len(shape) > 1:
        raise RuntimeError(f"cannot handle multidimensional {name}")
    if shape != (n,):
        raise RuntimeError(f"incompatible numbers of samples and {name}")
    if np.any(np.less(data_of(weights), 0)):
        raise ValueError(f"{name} cannot be negative")
    return checked(weights, lambda weights: greater_equal(weights, 0))


def cov(
    m: ArrayLike,
    y: ArrayLike = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: ArrayLike = None,
    aweights: ArrayLike = None,
    *,
    dtype: Any = None,
) -> Array:
    """Covariance matrix of the rows of ``m``, and of ``y``, as ``np.cov``; differentiable in ``aweights`` too.

    The result is of double precision at least, unless ``dtype`` says otherwise.
    """
    if is_plain(m, y, fweights, aweights):
        return NUMPY.cov(m, y, rowvar, bias, ddof, fweights, aweights, dtype=dtype)
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    given = [m] if y is None else [m, y]
    if dtype is None:
        dtype = np.result_type(*[dtype_of(array_of(x)) for x in given], np.float64)
    x = observations(m, dtype, by_row=bool(rowvar) or len(shape_of(m)) == 1)
    if shape_of(x)[0] == 0:
        return np.zeros((0, 0))
    if y is not None:
        more = observations(y, dtype, by_row=bool(rowvar) or len(shape_of(y)) < 2 or shape_of(y)[0] == 1)
        x = concatenate([x, more], axis=0)
    n = shape_of(x)[1]
    if ddof is None:
        ddof = int(bias == 0)
    w: Any = None
    if fweights is not None:
        fweights = constant(fweights, "fweights=")
        if not np.all(np.asarray(data_of(fweights), float) == np.around(data_of(fweights))):
            raise TypeError("fweights must be integer")
        fweights = checked(fweights, lambda n: equal(n, rint(n)))
        w = weights_of_observations(fweights, n, "fweights")
    if aweights is not None:
        aweights = weights_of_observations(aweights, n, "aweights")
        w = aweights if w is None else multiply(w, aweights)
    centre, total = average(x, axis=1, weights=w, returned=True)
    total = total[0]
    if w is None:
        factor: Any = n - ddof
    elif ddof == 0 or aweights is None:
        factor = total - ddof
    else:
        factor = total - ddof * sum(multiply(w, aweights)) / total
    if isinstance(factor, Node) and compiler() is not None:
        factor = choose(less_equal(factor, 0), 0.0, factor)
    elif factor <= 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        factor = 0.0
    d = x - reshape(centre, (-1, 1))
    weighted = d if w is None else multiply(d, w)
    c = matmul(d, conj(transpose(weighted)))
    return squeeze(astype(multiply(c, divide(np.asarray(1.0), factor)), dtype_of(c)))


def within_one(c: Array) -> Array:
    """``c`` where it is not beyond -1 or 1, which a rounding can carry it to."""
    return choose(greater(c, 1), 1, choose(less(c, -1), -1, c))


def corrcoef(x: ArrayLike, y: ArrayLike = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    """Correlation coefficients of the rows of ``x``, and of ``y``, as ``np.corrcoef``."""
    if is_plain(x, y):
        return NUMPY.corrcoef(x, y, rowvar, dtype=dtype)
    c = cov(x, y, rowvar, dtype=dtype)
    n = len(shape_of(c)) and shape_of(c)[0]
    if not n:
        return c / c
    own = sqrt(real(getitem(c, (np.arange(n), np.arange(n)))))
    c = c / reshape(own, (n, 1)) / own
    return within_one(real(c)) + 1j * within_one(imag(c)) if np.iscomplexobj(data_of(c)) else within_one(c)
