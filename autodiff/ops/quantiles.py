"""Order statistics: medians, quantiles, percentiles.

All are blends of two neighbours in the sorted order, so the derivative goes to the entries that stand there.  Entries
that tie for a place share it evenly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Axis, Node, data_of, shape_of, size_of
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from .broadcast import broadcast_to
from .checked import checked
from .constant import stop_gradient
from .extremum import maximum, minimum
from .families import times
from .options import constant, real_dtype
from .reduce import complex_sample, off_last, on_last, reduced_axes, sum
from .rounding import ceil, floor, rint
from .select import equal, greater_equal, less_equal, logical_and, not_equal
from .select import where as choose
from .shape import astype, dtype_of, expand_dims, moveaxis, reshape
from .statistics import weights_along

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

CONTINUOUS = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "median_unbiased": (1 / 3.0, 1 / 3.0),
    "normal_unbiased": (3 / 8.0, 3 / 8.0),
}
"""The constants by which the methods of Hyndman and Fan (1996) place a quantile between the entries."""


def places(q: Array, n: Any, method: str) -> tuple[Array, Array | None, Array]:
    """Where the quantiles ``q`` of ``n`` entries stand: the two ranks, and how far between them.

    The second is None for a method that takes one entry as it is.
    """
    last = maximum(n - 1, 0)

    def ranks(k: Array) -> Array:
        return astype(minimum(maximum(k, 0), last), np.intp)

    at = (n - 1) * q
    if method in ("lower", "higher", "nearest"):
        return ranks({"lower": floor, "higher": ceil, "nearest": rint}[method](at)), None, at
    if method == "midpoint":
        return ranks(floor(at)), ranks(ceil(at)), at * 0 + 0.5
    if method in CONTINUOUS:
        a, b = CONTINUOUS[method]
        at = n * q + (a + q * (1 - a - b)) - 1
    elif method != "linear":
        at = n * q - (1.5 if method == "closest_observation" else 1)
    below = floor(at)
    between = at - below
    if method == "inverted_cdf":
        return ranks(ceil(at)), None, between
    if method == "closest_observation":
        stays = logical_and(equal(between, 0), equal(below % 2, 1))
        return ranks(choose(stays, below, below + 1)), None, between
    if method == "averaged_inverted_cdf":
        between = choose(equal(between, 0), 0.5, 1.0)
    elif method not in CONTINUOUS and method != "linear":
        raise ArgumentError(f"method={method!r} is not one of NumPy's methods of a quantile.")
    return ranks(below), ranks(below + 1), between


def ties(x: Array, value: Array, skip_nan: bool, mask: Any = True) -> Array:
    """1 at the entries on the last axis that equal each value, split evenly where several do."""
    chosen = equal(expand_dims(x, -2), expand_dims(value, -1))
    if mask is not True:
        chosen = logical_and(chosen, expand_dims(mask, -2))
    chosen = astype(chosen, real_dtype(x))
    total = sum(chosen, -1, keepdims=True)
    return chosen / (maximum(total, 1) if skip_nan else total)


def pull(g: Array, weights: Array) -> Array:
    return sum(times(expand_dims(g, -1), weights), -2)


def push(x_dot: Array, weights: Array) -> Array:
    return sum(times(expand_dims(x_dot, -2), weights), -1)


@primitive(formula=r"y_k = x_{(r_k)}, \quad \bar x_i = \sum_k \bar y_k\,[x_i = y_k] / \#\{j : x_j = y_k\}")
def order_statistics(x: ArrayLike, ranks: ArrayLike, /, skip_nan: bool) -> Array:
    """The entries of the given ranks in the sorted last axis, counted from 0.

    A nan makes all of them nan, or with ``skip_nan`` ranks last.
    """
    shape = (*x.shape[:-1], ranks.shape[-1])
    if not x.shape[-1]:
        return np.full(shape, np.nan, x.dtype)
    ordered = np.sort(x, axis=-1)
    y = np.take_along_axis(ordered, np.broadcast_to(ranks, shape), -1)
    return y if skip_nan else np.where(np.isnan(ordered[..., -1:]), np.nan, y).astype(x.dtype)


@order_statistics.def_vjp(wrt="x")
def order_statistics_vjp(g: Array, x: Array, y: Array, skip_nan: bool) -> Array:
    return pull(g, ties(x, y, skip_nan))


@order_statistics.def_jvp(wrt="x")
def order_statistics_jvp(x_dot: Array, x: Array, y: Array, skip_nan: bool) -> Array:
    return push(x_dot, ties(x, y, skip_nan))


@order_statistics.def_samples
def order_statistics_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 4)), np.array([0, 3, 1]), skip_nan=False)
    yield sample(rng.normal(size=(2, 4)), np.array([[0, 3], [1, 1]]), skip_nan=False)
    yield sample(np.array([2.0, np.nan, 1.0]), np.array([0]), skip_nan=True)
    yield sample(rng.normal(size=(0, 3)), np.array([1]), skip_nan=False)
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, np.array([1]), skip_nan=False)
    yield sample(rng.normal(size=3) + 1j * rng.normal(size=3), np.array([1, 0]), skip_nan=False)


@primitive(
    formula=(
        r"y = (1 - \gamma) x_{(j)} + \gamma\,x_{(j + 1)}, \quad \bar x_{(j)} = (1 - \gamma)\,\bar y, \; "
        r"\bar x_{(j + 1)} = \gamma\,\bar y"
    )
)
def quantiles(
    x: ArrayLike,
    /,
    name: str,
    q: Any = 0.5,
    axis: Axis = None,
    keepdims: bool = False,
    method: str = "linear",
    weights: Any = None,
) -> Array:
    """NumPy's function of the order statistics called ``name``."""
    if axis == () and np.ndim(q) > 1:
        name = name.removeprefix("nan")  # NumPy would put the axes of the result in another order
    function: Any = getattr(np, name)
    if name.endswith("median"):
        return function(x, axis, keepdims=keepdims)
    return function(x, data_of(q), axis, method=method, keepdims=keepdims, weights=data_of(weights))


def fraction(name: str, q: ArrayLike) -> Array:
    """``q`` as an array of fractions, on one axis."""
    q = reshape(q if isinstance(q, Node) else np.asarray(q), -1)
    return q / 100 if name.endswith("percentile") else q


def neighbours(name: str, flat: Array, q: Array, method: str) -> tuple[Array, Array | None, Array]:
    """The entries between which the quantiles stand, and how far between."""
    skip_nan, n = name.startswith("nan"), shape_of(flat)[-1]
    count: Any = n
    if skip_nan:
        kind = dtype_of(q)
        count = astype(sum(equal(flat, flat), -1, keepdims=True), kind if kind.kind == "f" else float)
    lower, upper, between = places(q, count, method)
    return (
        order_statistics(flat, lower, skip_nan),
        None if upper is None else order_statistics(flat, upper, skip_nan),
        between,
    )


def blend_weights(x: Array, y: Array, name: str, q: Any, axis: Axis, method: str, weights: Any) -> Array:
    """The derivative of each quantile with respect to each entry: axes as in ``x``, then quantiles, then entries."""
    flat, skip_nan = on_last(x, axis), name.startswith("nan")
    if weights is not None:
        axes = None if axis is None else reduced_axes(x, axis)
        counted = on_last(broadcast_to(not_equal(weights_along(x, weights, axes), 0), shape_of(x)), axis)
        return ties(flat, by_entry(y, x, q, axis), skip_nan, counted)
    low, high, between = neighbours(name, flat, fraction(name, q), method)
    weights_low = ties(flat, low, skip_nan)
    if high is None:
        return weights_low
    share = expand_dims(astype(between, dtype_of(weights_low)), -1)
    return weights_low * (1 - share) + ties(flat, high, skip_nan) * share


def by_entry(y: Array, x: Array, q: Any, axis: Axis) -> Array:
    """Quantiles, which stand on the first axes, moved to one last axis."""
    axes = reduced_axes(x, axis)
    return moveaxis(reshape(y, (size_of(q), *[n for i, n in enumerate(shape_of(x)) if i not in axes])), 0, -1)


@quantiles.def_vjp
def quantiles_vjp(g: Array, x: Array, y: Array, name: str, q: Any, axis: Axis, method: str, weights: Any) -> Array:
    if not size_of(x):
        return np.zeros(shape_of(x), dtype_of(x))
    return off_last(pull(by_entry(g, x, q, axis), blend_weights(x, y, name, q, axis, method, weights)), x, axis)


@quantiles.def_jvp
def quantiles_jvp(x_dot: Array, x: Array, y: Array, name: str, q: Any, axis: Axis, method: str, weights: Any) -> Array:
    if not size_of(x):
        return np.zeros(shape_of(y), dtype_of(y))
    y_dot = push(on_last(x_dot, axis), blend_weights(x, y, name, q, axis, method, weights))
    return reshape(moveaxis(y_dot, -1, 0), shape_of(y))


@quantiles.def_samples
def quantiles_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for name in ("median", "nanmedian"):
        yield sample(rng.normal(size=(2, 3)), name=name)
        yield sample(rng.normal(size=(4, 3)), name=name, axis=0, keepdims=True)
        yield sample(rng.normal(size=(2, 3, 2)), name=name, axis=(0, -1))
    q = np.array([0, 0.3, 0.62, 1], np.float32)  # as an array of doubles it would make the result double
    for method in (*CONTINUOUS, "linear", "lower", "higher", "nearest", "midpoint"):
        yield sample(rng.normal(size=(5, 2)), name="quantile", q=q, axis=0, method=method)
    for method in ("inverted_cdf", "averaged_inverted_cdf", "closest_observation"):
        yield sample(rng.normal(size=(2, 5)), name="quantile", q=q[None, 1:3], axis=-1, method=method, keepdims=True)
    with_nan = np.where(rng.normal(size=(3, 4)) > 0.8, np.nan, rng.normal(size=(3, 4)))
    yield sample(with_nan, name="nanquantile", q=q[1:], axis=1)
    yield sample(with_nan, name="nanpercentile", q=35)
    yield sample(with_nan, name="nanmedian", axis=0)
    yield sample(rng.normal(size=(3, 0)), name="quantile", q=q, axis=0)
    yield sample(rng.normal(size=()), name="median")
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, name="percentile", q=40.0, axis=-1)
    weights = np.array([1.0, 0.0, 2.0, 1.0])
    yield sample(rng.normal(size=(2, 4)), name="quantile", q=0.6, axis=1, method="inverted_cdf", weights=weights)
    yield complex_sample(rng, 2, 4, name="median", axis=1)


def of_order(
    name: str, a: Any, q: Any, axis: Axis, out: None, keepdims: bool, method: str = "linear", weights: Any = None
) -> Array:
    """The row for constant ``q``; its composition for a ``q`` that is recorded."""
    refuse_out(name, out)
    weights = constant(weights, "weights=")
    compiling = compiler()
    if not isinstance(q, Node) or (compiling is not None and not compiling.tracks(q)):
        return quantiles(a, name, q, axis, keepdims, method, weights)
    if not size_of(a):
        return quantiles(a, name, q._data, axis, keepdims, method, weights)  # nothing to differentiate
    if weights is not None or not q.tracked:
        return quantiles(a, name, constant(q, "q with weights="), axis, keepdims, method, weights)
    quantiles(stop_gradient(a), name, q._data, axis, keepdims, method)  # refuses what NumPy refuses
    top = 100 if name.endswith("percentile") else 1
    q = checked(q, lambda q: logical_and(greater_equal(q, 0), less_equal(q, top)))
    flat = on_last(a, axis)
    low, high, between = neighbours(name, flat, fraction(name, q), method)
    if high is None:
        y = low + between * 0
    else:
        gap = high - low
        y = choose(greater_equal(between, 0.5), high - gap * (1 - between), low + gap * between)
    axes = reduced_axes(a, axis)
    kept = [1 if i in axes else n for i, n in enumerate(shape_of(a)) if keepdims or i not in axes]
    return reshape(moveaxis(y, -1, 0), (*shape_of(q), *kept))


def median(
    a: ArrayLike, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    """Median over ``axis``, as ``np.median``.  Entries that tie for the middle share the derivative evenly."""
    return of_order("median", a, 0.5, axis, out, keepdims)


def nanmedian(
    a: ArrayLike, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Array:
    """Median over ``axis`` of the entries that are not nan, as ``np.nanmedian``."""
    return of_order("nanmedian", a, 0.5, axis, out, keepdims)


def quantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike = None,
) -> Array:
    """Quantiles over ``axis``, as ``np.quantile``: those of all ``q`` stand on the first axes of the result.

    Entries that tie for a place share its derivative evenly.  Differentiable in ``q`` too: the slope between two
    entries, that to the right of an entry.  ``weights`` are constants; the result jumps where they change it.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.quantile(x, 0.25))(np.array([4.0, 1.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    return of_order("quantile", a, q, axis, out, keepdims, method, weights)


def percentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike = None,
) -> Array:
    """Percentiles over ``axis``, as ``np.percentile``: quantiles with ``q`` in hundredths."""
    return of_order("percentile", a, q, axis, out, keepdims, method, weights)


def nanquantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike = None,
) -> Array:
    """Quantiles over ``axis`` of the entries that are not nan, as ``np.nanquantile``."""
    return of_order("nanquantile", a, q, axis, out, keepdims, method, weights)


def nanpercentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike = None,
) -> Array:
    """Percentiles over ``axis`` of the entries that are not nan, as ``np.nanpercentile``."""
    return of_order("nanpercentile", a, q, axis, out, keepdims, method, weights)
