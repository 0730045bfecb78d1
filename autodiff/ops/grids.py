"""Grids and tables: spaces, meshes, interpolation, polynomials."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError, UnsupportedError
from ..core.looking import numbers_of
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of, shape_of, size_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, imag, power, real, sign
from .broadcast import broadcast_to
from .checked import checked
from .choosing import in_dtype, weight
from .correlation import convolve
from .extremum import maximum, minimum
from .families import conjugated, contracted, is_finite, times
from .index import array_of, getitem, scatter_add
from .joining import concatenate, stack
from .products import matmul
from .reduce import sum
from .rounding import floor
from .select import equal, greater, less, less_equal, logical_not, logical_or, not_equal, where
from .shape import atleast_1d, dtype_of, expand_dims, flip, reshape
from .sorting import argsort, searchsorted

__all__ = [
    "geomspace",
    "indices",
    "interp",
    "linspace",
    "logspace",
    "meshgrid",
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "roots",
    "vander",
]


def steps(y: Array, num: int, endpoint: bool, axis: int) -> Array:
    """How far along each entry of ``y``, a space on ``axis``, stands: from 0 at its start to 1 at its stop."""
    t = np.linspace(0, 1, num, endpoint, dtype=y.dtype)
    return t.reshape([num if k == axis % y.ndim else 1 for k in range(y.ndim)])


def spread(x: Array, y: Array, axis: int) -> Array:
    """An end of the space ``y`` in its shape, with length 1 on ``axis``."""
    shape = shape_of(x)
    return expand_dims(reshape(x, (1,) * (y.ndim - 1 - len(shape)) + shape), axis)


@primitive(
    formula=(
        r"y_k = (1 - t_k)\,a + t_k\,b, \; t_k = k / n, \quad \bar a = \sum_k (1 - t_k)\,\bar y_k, \; "
        r"\bar b = \sum_k t_k\,\bar y_k"
    ),
    quiet=True,
)
def evenly_spaced(start: ArrayLike, stop: ArrayLike, /, num: int, endpoint: bool = True, axis: int = 0) -> Array:
    """``num`` numbers from ``start`` to ``stop`` at equal distances, on ``axis``."""
    return np.linspace(start, stop, num, endpoint, axis=axis)


@evenly_spaced.def_vjp(wrt="start")
def evenly_spaced_vjp_start(g: Array, num: int, endpoint: bool, axis: int) -> Array:
    return sum(g * (1 - steps(g, num, endpoint, axis)), axis)


@evenly_spaced.def_vjp(wrt="stop")
def evenly_spaced_vjp_stop(g: Array, num: int, endpoint: bool, axis: int) -> Array:
    return sum(g * steps(g, num, endpoint, axis), axis)


@evenly_spaced.def_jvp(wrt="start")
def evenly_spaced_jvp_start(start_dot: Array, y: Array, num: int, endpoint: bool, axis: int) -> Array:
    return spread(start_dot, y, axis) * (1 - steps(y, num, endpoint, axis))


@evenly_spaced.def_jvp(wrt="stop")
def evenly_spaced_jvp_stop(stop_dot: Array, y: Array, num: int, endpoint: bool, axis: int) -> Array:
    return spread(stop_dot, y, axis) * steps(y, num, endpoint, axis)


def space_samples(rng: np.random.Generator) -> Iterator[Sample]:
    def draw(*shape: int) -> Array:
        return rng.uniform(0.5, 2.0, shape)

    yield sample(draw(), draw(), num=5)
    yield sample(draw(2, 3), draw(3), num=4, endpoint=False, axis=1)
    yield sample(draw(), draw(2, 1), num=3, axis=-1)
    yield sample(draw(3), draw(), num=1)
    yield sample(draw(2), draw(2), num=0)
    yield sample(draw(0, 2), draw(2), num=3)
    yield sample(draw(6, 4)[::-2, 1::2].T, draw(3), num=2)
    yield sample(draw(2) + 1j * draw(2), draw(2), num=4)


evenly_spaced.def_samples(space_samples)


@primitive(
    formula=(
        r"y_k = a^{1 - t_k} b^{t_k}, \; t_k = k / n, \quad "
        r"\bar a = \sum_k (1 - t_k)\,(y_k / a)^*\,\bar y_k, \; \bar b = \sum_k t_k\,(y_k / b)^*\,\bar y_k"
    )
)
def geometrically_spaced(start: ArrayLike, stop: ArrayLike, /, num: int, endpoint: bool = True, axis: int = 0) -> Array:
    """``num`` numbers from ``start`` to ``stop`` with equal ratios, on ``axis``."""
    return np.geomspace(start, stop, num, endpoint, np.result_type(start, stop), axis)


def geometric_slope(y: Array, end: Array, t: Array, axis: int) -> Array:
    return times(t, y / spread(end, y, axis))


@geometrically_spaced.def_vjp(wrt="start")
def geometrically_spaced_vjp_start(g: Array, y: Array, start: Array, num: int, endpoint: bool, axis: int) -> Array:
    slope = geometric_slope(y, start, 1 - steps(y, num, endpoint, axis), axis)
    return sum(times(g, conjugated(slope)), axis)


@geometrically_spaced.def_vjp(wrt="stop")
def geometrically_spaced_vjp_stop(g: Array, y: Array, stop: Array, num: int, endpoint: bool, axis: int) -> Array:
    slope = geometric_slope(y, stop, steps(y, num, endpoint, axis), axis)
    return sum(times(g, conjugated(slope)), axis)


@geometrically_spaced.def_jvp(wrt="start")
def geometrically_spaced_jvp_start(
    start_dot: Array, y: Array, start: Array, num: int, endpoint: bool, axis: int
) -> Array:
    slope = geometric_slope(y, start, 1 - steps(y, num, endpoint, axis), axis)
    return times(spread(start_dot, y, axis), slope)


@geometrically_spaced.def_jvp(wrt="stop")
def geometrically_spaced_jvp_stop(stop_dot: Array, y: Array, stop: Array, num: int, endpoint: bool, axis: int) -> Array:
    return times(spread(stop_dot, y, axis), geometric_slope(y, stop, steps(y, num, endpoint, axis), axis))


geometrically_spaced.def_samples(space_samples)


def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """``num`` numbers from ``start`` to ``stop`` at equal distances, as ``np.linspace``; with ``retstep`` the step too.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.jacobian(lambda stop: ad.linspace(0.0, stop, 3))(1.0)
    array([0. , 0.5, 1. ])
    """
    if device not in (None, "cpu"):
        raise ArgumentError(f"linspace got device={device!r}; all data is on the CPU.")
    num, endpoint = operator.index(num), bool(endpoint)
    found = np.result_type(weight(start), weight(stop), 0.0)
    start, stop = in_dtype(start, found), in_dtype(stop, found)
    y = evenly_spaced(start, stop, num, endpoint, axis)
    if dtype is not None:
        y = in_dtype(floor(y) if np.dtype(dtype).kind in "iu" else y, dtype)
    if not retstep:
        return y
    return y, (stop - start) / (num - endpoint) if num > endpoint else np.nan


def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: Any = 50,
    endpoint: bool = True,
    base: ArrayLike = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """``base`` to the power of ``num`` numbers from ``start`` to ``stop`` at equal distances, as ``np.logspace``."""
    ndim = len(shape_of(base))
    if ndim:
        ndim = len(np.broadcast_shapes(*map(shape_of, (start, stop, base))))
        start, stop, base = (reshape(x, (1,) * (ndim - len(shape_of(x))) + shape_of(x)) for x in (start, stop, base))
        base = expand_dims(base, axis)
    y = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else in_dtype(y, dtype)


def geomspace(
    start: ArrayLike, stop: ArrayLike, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Array:
    """``num`` numbers from ``start`` to ``stop`` with equal ratios, as ``np.geomspace``, which gives float64."""
    start, stop = array_of(start), array_of(stop)
    if np.any(data_of(start) == 0) or np.any(data_of(stop) == 0):
        raise ArgumentError("Geometric sequence cannot include zero")
    found = np.result_type(dtype_of(start), dtype_of(stop), 0.0, np.dtype(dtype))
    y = geometrically_spaced(in_dtype(start, found), in_dtype(stop, found), operator.index(num), bool(endpoint), axis)
    return y if dtype is None else in_dtype(y, dtype)


def meshgrid(*xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Array, ...]:
    """Coordinates of a grid from those along its axes, an array for each, as ``np.meshgrid``."""
    if indexing not in ("xy", "ij"):
        raise ArgumentError("Valid values for `indexing` are 'xy' and 'ij'.")
    n = len(xi)
    axes = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    grid = [reshape(x, [-1 if k == axis else 1 for k in range(n)]) for x, axis in zip(xi, axes, strict=True)]
    if not sparse:
        shape = np.broadcast_shapes(*map(shape_of, grid))
        grid = [broadcast_to(x, shape) for x in grid]
    return tuple([x.copy() if copy and isinstance(x, np.ndarray) else x for x in grid])


def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """The indices of an array of shape ``dimensions``, as ``np.indices``: a plain array."""
    return np.indices(dimensions, dtype, sparse)  # type: ignore[call-overload]


def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Array:  # noqa: N803 - NumPy's name
    """The powers of ``x``, a column for each: ``N`` of them, the lowest first if ``increasing``."""
    x = array_of(x)
    if len(shape_of(x)) != 1:
        raise ArgumentError(f"vander takes x of one axis, got shape {shape_of(x)}.")
    count = size_of(x) if N is None else N
    if count < 0:
        raise ArgumentError("negative dimensions are not allowed")
    rising = powers(in_dtype(x, np.promote_types(dtype_of(x), int)), count)
    return rising if increasing else flip(rising, 1)


def powers(x: Array, count: int) -> Array:
    """The first ``count`` powers of ``x``, along a new last axis; products, so that 0 is no exception."""
    found = [np.ones(shape_of(x), dtype_of(x)), x]
    while len(found) < count:
        found.append(found[-1] * x)
    return getitem(stack(found, axis=-1), (..., slice(count)))


def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    left: ArrayLike | None = None,
    right: ArrayLike | None = None,
    period: ArrayLike | None = None,
) -> Array:
    """The values at ``x`` of the broken line through the points ``(xp, fp)``, as ``np.interp``.

    Differentiable in all but the order of the points.  At a knot the slope is the flatter one of the two that meet
    there, 0 if one rises and one falls; beyond the ends the line is level, so that it is 0 at the first and last knot.
    """
    x, xp, fp = array_of(x), array_of(xp), array_of(fp)
    if dtype_of(fp).kind == "c":
        lines = [
            interp(
                x, xp, part(fp), left if left is None else part(left), right if right is None else part(right), period
            )
            for part in (real, imag)
        ]
        return lines[0] + 1j * lines[1]
    x, xp, fp = (in_dtype(a, float, "safe") for a in (x, xp, fp))
    if len(shape_of(xp)) != 1 or len(shape_of(fp)) != 1:
        raise ShapeError(f"interp takes points on one axis, got xp of shape {shape_of(xp)} and fp of {shape_of(fp)}.")
    if shape_of(xp) != shape_of(fp):
        raise ShapeError("fp and xp are not of the same length.")
    if not size_of(xp):
        raise ArgumentError("array of sample points is empty")
    if period is not None:
        if data_of(period) == 0:
            raise ArgumentError("period must be a non-zero value")
        left = right = None
        period = absolute(period)
        x = checked(x, lambda period: greater(period, 0), of=period)
        x, xp = x % period, xp % period
        order = argsort(xp)
        xp, fp = getitem(xp, order), getitem(fp, order)
        xp = concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = concatenate([fp[-1:], fp, fp[:1]])
    left, right = (in_dtype(end if y is None else y, float) for y, end in ((left, fp[0]), (right, fp[-1])))
    with np.errstate(all="ignore"):  # of lines that nothing is on
        y = broken_line(x, xp, fp)
    return where(less(x, xp[0]), left, where(greater(x, xp[-1]), right, y))


def broken_line(x: Array, xp: Array, fp: Array) -> Array:
    """``interp`` between the first knot and the last, of real numbers."""
    level = np.zeros(1)
    slopes = concatenate([level, (fp[1:] - fp[:-1]) / (xp[1:] - xp[:-1]), level])
    k = maximum(searchsorted(xp, x, "right") - 1, 0)  # the knot before x, or at it
    x0, y0, before, after = getitem(xp, k), getitem(fp, k), getitem(slopes, k), getitem(slopes, k + 1)
    at_knot = equal(x, x0)
    flatter = where(equal(sign(before), sign(after)), where(less(absolute(before), absolute(after)), before, after), 0)
    y = (x - x0) * where(at_knot, flatter, after) + y0
    if not is_finite(y):  # an infinite knot is approached from the next one, if that is not the same
        beyond = minimum(k + 1, size_of(xp) - 1)
        x1, y1 = getitem(xp, beyond), getitem(fp, beyond)
        y = where(equal(y, y), y, where(logical_or(at_knot, equal(y0, y1)), y0 + (x - x), (x - x1) * after + y1))
    return y


def polyval(p: ArrayLike, x: ArrayLike) -> Array:
    """The polynomial of coefficients ``p``, the highest power first, at ``x``."""
    x = array_of(x)
    y: Array = np.zeros(shape_of(x), dtype_of(x))
    for c in array_of(p):
        y = y * x + c
    return y


def aligned(a1: ArrayLike, a2: ArrayLike) -> tuple[Array, Array]:
    """The coefficients of two polynomials, the shorter ones with zeros in front."""
    a1, a2 = atleast_1d(a1), atleast_1d(a2)
    n = max(shape_of(a1)[0], shape_of(a2)[0])
    return lengthened(a1, n), lengthened(a2, n)


def lengthened(a: Array, n: int) -> Array:
    missing = n - shape_of(a)[0]
    return concatenate([np.zeros(missing, dtype_of(a)), a]) if missing else a


def polyadd(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The coefficients of the sum of two polynomials."""
    a1, a2 = aligned(a1, a2)
    return a1 + a2


def polysub(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The coefficients of the difference of two polynomials."""
    a1, a2 = aligned(a1, a2)
    return a1 - a2


def polymul(a1: ArrayLike, a2: ArrayLike) -> Array:
    """The coefficients of the product of two polynomials, without the zeros that they begin with."""
    return convolve(without_leading_zeros(a1), without_leading_zeros(a2))


def without_leading_zeros(a: ArrayLike) -> Array:
    a = atleast_1d(a)
    if len(shape_of(a)) != 1:
        raise ArgumentError("Polynomial must be 1d only.")
    if not size_of(a):
        return np.zeros(1, dtype_of(a))
    if compiler() is not None and isinstance(a, Node):
        return checked(a, lambda a: not_equal(a[0], 0))
    used = np.flatnonzero(data_of(a))
    return a[used[0] if used.size else -1 :]


def polyder(p: ArrayLike, m: int = 1) -> Array:
    """The coefficients of the ``m``-th derivative of a polynomial."""
    m, p = int(m), array_of(p)
    if m < 0:
        raise ArgumentError("Order of derivative must be positive (see polyint)")
    for _ in range(m):
        p = np.arange(len(p) - 1, 0, -1) * p[:-1]
    return p


def polyint(p: ArrayLike, m: int = 1, k: ArrayLike | None = None) -> Array:
    """The coefficients of the ``m``-th integral of a polynomial, with the constants of integration ``k``."""
    m, p = int(m), array_of(p)
    if m < 0:
        raise ArgumentError("Order of integral must be positive (see polyder)")
    k = atleast_1d(np.zeros(m) if k is None else k)
    if len(k) == 1 and m > 1:
        k = k[0] * np.ones(m)
    if len(k) < m:
        raise ArgumentError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for i in range(m):
        p = concatenate([p / np.arange(len(p), 0, -1), k[i : i + 1]])
    return p


def polydiv(u: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
    """The coefficients of the quotient of two polynomials and of the remainder."""
    u, v = atleast_1d(u) + 0.0, atleast_1d(v) + 0.0
    dtype = np.result_type(dtype_of(u), dtype_of(v))
    n = len(v)
    rest, quotient = in_dtype(u, dtype), []
    for k in range(len(u) - n + 1):
        quotient.append(1.0 / v[0] * rest[k])
        rest = rest - scatter_add(quotient[-1] * v, shape_of(rest), slice(k, k + n))
    while len(rest) > 1 and np.allclose(data_of(rest[0]), 0, rtol=1e-14):
        rest = checked(rest, lambda rest: is_negligible(rest[0]))[1:]
    if len(rest) > 1:
        rest = checked(rest, lambda rest: logical_not(is_negligible(rest[0])))
    return stack(quotient) if quotient else np.zeros(1, dtype), rest


def is_negligible(x: Array) -> Array:
    return less_equal(absolute(x), 1e-8)  # as allclose has it


def poly(seq_of_zeros: ArrayLike) -> Array:
    """The coefficients of the polynomial with the given roots and leading coefficient 1."""
    zeros = atleast_1d(seq_of_zeros)
    if len(shape_of(zeros)) != 1:
        raise UnsupportedError("poly of a matrix has no rule. Use the eigenvalues: ad.poly(ad.linalg.eigvals(a)).")
    if not size_of(zeros):
        return 1.0
    zeros = in_dtype(zeros, np.mintypecode(dtype_of(zeros).char))
    a: Array = np.ones(1, dtype_of(zeros))
    for zero in zeros:
        a = convolve(a, stack([np.ones((), dtype_of(zeros)), -zero]))
    if dtype_of(zeros).kind != "c":
        return a
    roots = numbers_of(zeros, "poly of complex roots, whose coefficients may be real", "Give it real ones.")
    return real(a) if np.array_equal(np.sort(roots), np.sort(roots.conj())) else a


@primitive(formula=r"p(y) = 0, \quad \bar p_i = -\sum_j (y_j^{n - i} / p'(y_j))^*\,\bar y_j")
def roots(p: ArrayLike, /) -> Array:
    """The roots of the polynomial with coefficients ``p``, the highest power first.  Repeated ones have no slope."""
    return np.roots(p)


def roots_slope(p: Array, y: Array) -> Array:
    """The derivative of each root, a row, in each coefficient."""
    rising = powers(y, size_of(p))
    orders = np.arange(1, size_of(p), dtype=data_of(y).real.dtype)
    steepness = matmul(rising[:, :-1], flip(p, 0)[1:] * orders)
    return -flip(rising, 1) / expand_dims(steepness, 1)


def refuse_roots(p: Array) -> None:
    """Raise while compiling: how many roots there are, and whether they are complex, is known from the numbers."""
    numbers_of(p, "finding the roots", "Leave this part outside of the compiled function.")


roots.rule.refuses = refuse_roots


@roots.def_vjp
def roots_vjp(g: Array, p: Array, y: Array) -> Array:
    return contracted(matmul, g, conjugated(roots_slope(p, y)))


@roots.def_jvp
def roots_jvp(p_dot: Array, p: Array, y: Array) -> Array:
    return contracted(lambda p_dot, slope: matmul(slope, p_dot), p_dot, roots_slope(p, y))


@roots.def_samples
def roots_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(np.array([1.0, -3.5, 1.0, 1.5]))
    yield sample(np.array([2.0, 1.0, 3.0, -1.0, 0.5]))  # complex
    yield sample(np.array([0.5, -1.0, 0.0]))
    yield sample(rng.normal(size=6)[::-2])
    yield sample(rng.normal(size=4) + 1j * rng.normal(size=4))
