"""Reductions that pass over nan: an entry that is nan is not counted, and gets the gradient 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import KindError
from ..core.node import Array, ArrayLike, Axis
from ..core.op import primitive, refuse_out
from .index import array_of
from .options import NOT_GIVEN, NUMPY, as_dtype, is_plain, mask_for
from .reduce import extreme_where, masked_mean, mean, prod, sum
from .scan import cumprod, cumsum
from .select import equal, logical_and
from .select import where as choose
from .shape import dtype_of
from .statistics import freedom, refuse_dtype, root, spread, var

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def without_nan(a: ArrayLike, instead: float) -> Array:
    """``a`` with another number in place of nan."""
    a = array_of(a)
    return choose(equal(a, a), a, instead) if dtype_of(a).kind in "fc" else a


def counted(a: Array, where: Any) -> Array:
    """The mask of the entries that count."""
    valid = equal(a, a)
    return valid if where is True else logical_and(valid, mask_for(a, where))


def refuse_whole(dtype: Any) -> None:
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise KindError(f"An inexact array needs an inexact dtype=, got {np.dtype(dtype)}.")


def nansum(
    a: ArrayLike,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """Sum over ``axis`` of the entries that are not nan, as ``np.nansum``."""
    return sum(without_nan(a, 0), axis, dtype, out, keepdims, initial, where)


def nanprod(
    a: ArrayLike,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """Product over ``axis`` of the entries that are not nan, as ``np.nanprod``."""
    return prod(without_nan(a, 1), axis, dtype, out, keepdims, initial, where)


def nancumsum(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """Running sum along ``axis`` with nan as 0, as ``np.nancumsum``."""
    return cumsum(without_nan(a, 0), axis, dtype, out)


def nancumprod(a: ArrayLike, axis: int | None = None, dtype: Any = None, out: None = None) -> Array:
    """Running product along ``axis`` with nan as 1, as ``np.nancumprod``."""
    return cumprod(without_nan(a, 1), axis, dtype, out)


def nanmax(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """Largest entry over ``axis`` that is not nan, as ``np.nanmax``.  Ties share the derivative evenly."""
    return extreme_where("fmax", a, axis, out, keepdims, initial, where)


def nanmin(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = NOT_GIVEN,
    where: Any = True,
) -> Array:
    """Smallest entry over ``axis`` that is not nan, as ``np.nanmin``.  Ties share the derivative evenly."""
    return extreme_where("fmin", a, axis, out, keepdims, initial, where)


def nanmean(
    a: ArrayLike, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True
) -> Array:
    """Mean over ``axis`` of the entries that are not nan, as ``np.nanmean``; nan if there are none."""
    refuse_out("nanmean", out)
    if is_plain(a, where):
        return NUMPY.nanmean(a, axis, dtype, None, keepdims, where=where)
    a = array_of(a)
    if dtype_of(a).kind not in "fc":
        return mean(a, axis, dtype, None, keepdims, where=where)
    refuse_whole(dtype)
    return masked_mean(as_dtype(a, dtype), counted(a, where), axis, keepdims)


def nanvar(
    a: ArrayLike,
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
    """Variance over ``axis`` of the entries that are not nan, as ``np.nanvar``; nan if there are ``ddof`` or less."""
    refuse_out("nanvar", out)
    ddof = freedom(ddof, correction)
    if is_plain(a, where, mean):
        given: Any = {} if mean is NOT_GIVEN else {"mean": mean}
        return NUMPY.nanvar(a, axis, dtype, None, ddof, keepdims, where=where, **given)
    a = array_of(a)
    if dtype_of(a).kind not in "fc":
        return var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean)
    refuse_whole(dtype)
    refuse_dtype("nanvar", a, dtype)
    y = spread(as_dtype(a, dtype), counted(a, where), mean, axis, ddof, keepdims, infinite=False)
    return as_dtype(y, dtype)


def nanstd(
    a: ArrayLike,
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
    """Standard deviation over ``axis`` of the entries that are not nan, as ``np.nanstd``.  Derivative 0 at 0."""
    if is_plain(a, where, mean):
        refuse_out("nanstd", out)
        given: Any = {} if mean is NOT_GIVEN else {"mean": mean}
        return NUMPY.nanstd(a, axis, dtype, None, ddof, keepdims, where=where, correction=correction, **given)
    y = root(nanvar(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))
    return as_dtype(y, dtype)


@primitive(formula=r"y = \arg\max_i x_i", differentiable=False)
def nanargmax(x: ArrayLike, /, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the first largest entry along ``axis`` that is not nan.  Never tracked."""
    return np.nanargmax(x, axis, keepdims=keepdims)


@primitive(formula=r"y = \arg\min_i x_i", differentiable=False)
def nanargmin(x: ArrayLike, /, axis: int | None = None, out: None = None, *, keepdims: bool = False) -> Array:
    """Position of the first smallest entry along ``axis`` that is not nan.  Never tracked."""
    return np.nanargmin(x, axis, keepdims=keepdims)
