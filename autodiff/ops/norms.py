"""Norms of vectors and matrices, and the condition number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.batched import Batched
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Axis, Node, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute, power, real, sign
from .families import conjugated, is_finite, times
from .matrices import adjoint, scale_columns
from .products import in_plane
from .reduce import axis_samples, keep, reduced_axes, sum, tie_weights
from .select import equal, greater, less, logical_and, where
from .shape import dtype_of, expand_dims, moveaxis
from .singular_values import svd
from .solving import inv_or_nan

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]


@primitive(
    formula=(
        r"y = x |x|^{q - 1}, \quad "
        r"\bar x = |x|^{q - 1} (\bar y + (q - 1) s \operatorname{Re}(s^* \bar y)), \; s = x / |x|"
    )
)
def signed_power(x: ArrayLike, /, q: float) -> Array:
    """``x * abs(x) ** (q - 1)``, entry by entry: a power with the sign, or the direction, of its base.  0 at 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x == 0, 0, np.sign(x) * np.abs(x) ** q)


def signed_power_turn(v: Array, x: Array, q: float) -> Array:
    """How a change ``v`` of ``x`` changes the result, and in reverse too: the map is its own transpose."""
    direction = sign(x)
    slope = power(absolute(x), q - 1)
    if q < 0:
        slope = where(equal(x, 0), 0, slope)
    return times(v + (q - 1) * direction * real(conjugated(direction) * v), slope)


@signed_power.def_vjp
def signed_power_vjp(g: Array, x: Array, q: float) -> Array:
    return signed_power_turn(g, x, q)


@signed_power.def_jvp
def signed_power_jvp(x_dot: Array, x: Array, q: float) -> Array:
    return signed_power_turn(x_dot, x, q)


@signed_power.def_samples
def signed_power_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for q in (2, 1.5, 0.5, -0.5, -2.0):
        yield sample(rng.uniform(0.5, 2, size=(2, 3)) * np.array([1, -1, 1]), q=q)
    yield sample(np.array(-0.5), q=3)
    yield sample(rng.normal(size=(0, 2)), q=1.5)
    yield sample(np.array([0.0, 1.0])[::-1], q=3)
    yield sample(in_plane(rng, 4), q=1.5)


@primitive(formula=r"y = 2^{\lfloor \log_2 \max_i |x_i| \rfloor}", differentiable=False)
def magnitude(x: ArrayLike, /, axis: Axis, smallest: bool) -> Array:
    """The power of two below the largest size of an entry, or the smallest, over ``axis``.  Never tracked."""
    size = np.abs(x)
    top = (
        np.min(size, axis, keepdims=True, initial=np.inf) if smallest else np.max(size, axis, keepdims=True, initial=0)
    )
    exponent = np.frexp(np.where(np.isfinite(top) & (top > 0), top, 1))[1]
    return np.ldexp(np.ones_like(top), exponent - 1)


def has_room(y: Array, p: float) -> tuple[bool, Array]:
    """Whether the powers that were summed to the norms ``y`` neither overflowed nor lost digits near 0; and ``y``."""
    limits = np.finfo(dtype_of(y))
    low, high = limits.tiny / limits.eps, limits.max * limits.eps
    if compiler() is not None and isinstance(y, Node):  # what is returned is infinite where there is no room
        with np.errstate(all="ignore"):
            total = power(y, p)
        marked = y + where(logical_and(greater(total, low), less(total, high)), 0, math.inf)
        return (True, marked) if is_finite(marked) else (False, y)
    data = data_of(y)
    while isinstance(data, Batched):
        data = data_of(data.array)
    with np.errstate(all="ignore"):
        total = data**p
    return bool(np.all((total > low) & (total < high))), y


def vector_slope(x: Array, y: Array, ord: float, axis: Axis) -> Array:
    """The derivative of a vector norm: 0 where the norm is 0, shared evenly where entries tie for an extreme."""
    y = keep(y, x, axis)
    if ord in (math.inf, -math.inf):
        return sign(x) * tie_weights(absolute(x), y, axis)
    if ord == 0:
        return x * 0
    if ord == 1:
        return sign(x)
    p = float(ord)
    room, y = has_room(y, p)
    if not room:  # the slope does not depend on the scale of x
        x = x / magnitude(x, axis=reduced_axes(x, axis), smallest=p < 0)
        y = vector_norm(x, axis=axis, keepdims=True, ord=p)
    ratio = x / where(equal(y, 0), 1, y)
    return where(equal(y, 0), 0, ratio if p == 2 else signed_power(ratio, p - 1))


def along_slope(x_dot: Array, slope: Array, axis: Axis, keepdims: bool) -> Array:
    """The change of a real function of ``x``, from its direction of steepest ascent."""
    return sum(real(times(x_dot, conjugated(slope))), axis, keepdims=keepdims)


@primitive(
    formula=r"y = \big(\sum_i |x_i|^p\big)^{1/p}, \quad \bar x_i = \operatorname{sign}(x_i) (|x_i| / y)^{p-1}\,\bar y"
)
def vector_norm(x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Array:
    """Norm of order ``ord`` (any number, inf or -inf) of the entries over ``axis``.  Derivative 0 at 0."""
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


@vector_norm.def_vjp
def vector_norm_vjp(g: Array, x: Array, y: Array, ord: float, axis: Axis) -> Array:
    return times(keep(g, x, axis), vector_slope(x, y, ord, axis))


@vector_norm.def_jvp
def vector_norm_jvp(x_dot: Array, x: Array, y: Array, ord: float, axis: Axis, keepdims: bool) -> Array:
    return along_slope(x_dot, vector_slope(x, y, ord, axis), axis, keepdims=keepdims)


@vector_norm.def_samples
def vector_norm_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from axis_samples(rng)
    for ord in (0, 1, 2.5, 3, 1.5, 0.5, -1, -2, math.inf, -math.inf):
        yield sample(rng.uniform(0.5, 2, size=(2, 3)) * np.array([1, -1, 1]), ord=ord, axis=1)
        yield sample(in_plane(rng, 3, 2), ord=ord, axis=0, keepdims=True)
    yield sample(np.array([0.0, 3.0, -4.0]), ord=3)
    yield sample(rng.normal(size=(0, 3)), axis=0)
    yield sample(in_plane(rng, 2, 3))


@primitive(
    formula=r"w_i = 1 \text{ for the singular values that the norm is made of, shared by ties}", differentiable=False
)
def singular_weights(s: ArrayLike, /, ord: Any, longest: int, cut: bool) -> Array:
    """The derivative of a norm with respect to singular values, which are in descending order.  Never tracked.

    Values are tied, or with ``cut`` are 0, if they differ by no more than rounding makes them differ.
    """
    top, low = (f(s, axis=-1, keepdims=True) if s.shape[-1] else 0 for f in (np.max, np.min))
    noise = top * longest * np.finfo(s.dtype).eps
    zero = noise if cut else 0
    if ord == "nuc":
        return (s > zero).astype(s.dtype)
    chosen = (s >= top - noise) & (top > 0) if ord == 2 else (s <= low + noise) & (low > zero)
    return chosen / np.maximum(np.sum(chosen, axis=-1, keepdims=True, dtype=s.dtype), 1)


@primitive(
    formula=(
        r"Y = \sum_i w_i u_i v_i^{\mathsf H}, \quad "
        r"\bar X = U \Big(\frac{w_i - w_j}{\sigma_i - \sigma_j} "
        r"\cdot \frac{M + M^{\mathsf H}}{2} "
        r"+ \frac{w_i + w_j}{\sigma_i + \sigma_j} \cdot \frac{M - M^{\mathsf H}}{2}\Big) V^{\mathsf H} + \dots, \; "
        r"M = U^{\mathsf H} \bar Y V"
    )
)
def singular_part(x: ArrayLike, /, ord: Any, cut: bool = True) -> Array:
    """The derivative of the norm 2, -2 or "nuc" of matrices: the singular vectors that it is made of, multiplied."""
    if not x.size:
        return x * 0
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    w = singular_weights(s, ord=ord, longest=max(x.shape[-2:]), cut=cut)
    return scale_columns(u, w) @ vh


def singular_part_turn(x_dot: Array, x: Array, ord: Any, cut: bool) -> Array:
    """How a change of ``x`` changes its singular part; in reverse too, since the map is its own transpose.

    A function of the eigenvalues of [[0, X], [X^H, 0]] that is odd, by the formula of Daleckii and Krein.
    """
    if 0 in shape_of(x):
        return x_dot * 0
    u, s, vh = svd(x, full_matrices=False)
    v = adjoint(vh)
    *_, rows, columns = shape_of(x)
    w = singular_weights(s, ord=ord, longest=max(rows, columns), cut=cut)
    w_i, s_i, w_j, s_j = expand_dims(w, -1), expand_dims(s, -1), expand_dims(w, -2), expand_dims(s, -2)
    m = adjoint(u) @ x_dot @ v
    inside = quotient(w_i - w_j, s_i - s_j) * (m + adjoint(m)) + quotient(w_i + w_j, s_i + s_j) * (m - adjoint(m))
    y = u @ (inside / 2) @ vh
    outside = quotient(w, s)
    if rows > columns:
        y = y + scale_columns(x_dot @ v - u @ m, outside) @ vh
    if columns > rows:
        y = y + scale_columns(u, outside) @ (adjoint(u) @ x_dot - m @ vh)
    return y


def quotient(a: Array, b: Array) -> Array:
    """``a / b``, and 0 where ``a`` is 0."""
    return where(equal(a, 0), 0, a / where(equal(a, 0), 1, b))


@singular_part.def_vjp
def singular_part_vjp(g: Array, x: Array, ord: Any, cut: bool) -> Array:
    return singular_part_turn(g, x, ord, cut)


@singular_part.def_jvp
def singular_part_jvp(x_dot: Array, x: Array, ord: Any, cut: bool) -> Array:
    return singular_part_turn(x_dot, x, ord, cut)


@singular_part.def_samples
def singular_part_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for ord in (2, -2, "nuc"):
        yield sample(rng.normal(size=(3, 3)), ord=ord)
        yield sample(rng.normal(size=(2, 2, 4)), ord=ord)
        yield sample(in_plane(rng, 4, 2), ord=ord, cut=False)
        yield sample(in_plane(rng, 3, 3), ord=ord)
        yield sample(rng.normal(size=(0, 3)), ord=ord)


def matrix_slope(x: Array, y: Array, ord: Any, axes: tuple[int, int]) -> Array:
    """The derivative of a norm of matrices that lie along two axes."""
    if ord in (2, -2, "nuc"):
        return moveaxis(singular_part(moveaxis(x, axes, (-2, -1)), ord), (-2, -1), axes)
    along, across = axes if abs(ord) == 1 else axes[::-1]
    sums = sum(absolute(x), along, keepdims=True)
    return sign(x) * tie_weights(sums, y, across)


def norm_slope(x: Array, y: Array, ord: Any, axis: Axis) -> Array:
    axes = reduced_axes(x, axis)
    if len(axes) == 2 and ord not in (None, "f", "fro"):
        return matrix_slope(x, keep(y, x, axes), ord, axes)
    return vector_slope(x, y, 2 if ord in (None, "f", "fro") else ord, axes)


@primitive(formula=r"y = \lVert x \rVert, \quad \bar x = \bar y\,\frac{\partial y}{\partial x}")
def norm(x: ArrayLike, /, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Array:
    """Norm of vectors or matrices, as ``np.linalg.norm``.

    Parameters
    ----------
    x : array_like
    ord : None, number, inf, -inf, "fro" or "nuc"
        None is the root of the sum of squares.  Of a matrix, 1 and -1 are the largest and smallest column sum, inf and
        -inf the largest and smallest row sum, 2 and -2 the largest and smallest singular value, "nuc" is the sum of
        them.
    axis : int, pair of int, or None
        The axis of the vectors, or the axes of the matrices; None is all of ``x``.

    Notes
    -----
    Where the norm has a kink the derivative is the subgradient of smallest norm, or an average: 0 at 0, and shared
    evenly by entries, rows, columns or singular values that tie.
    """
    return np.linalg.norm(x, ord, axis, keepdims=keepdims)


@norm.def_vjp
def norm_vjp(g: Array, x: Array, y: Array, ord: Any, axis: Axis) -> Array:
    return times(keep(g, x, axis), norm_slope(x, y, ord, axis))


@norm.def_jvp
def norm_jvp(x_dot: Array, x: Array, y: Array, ord: Any, axis: Axis, keepdims: bool) -> Array:
    return along_slope(x_dot, norm_slope(x, y, ord, axis), axis, keepdims=keepdims)


@norm.def_samples
def norm_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3, 2)))
    yield sample(np.array(-2.0))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, ord="fro", keepdims=True)
    for p in (3, -1, 0, math.inf):
        yield sample(rng.normal(size=(2, 3)), ord=p, axis=-1)
    for ord in (1, -1, 2, -2, math.inf, -math.inf, "nuc", "fro", None):
        yield sample(rng.normal(size=(2, 4, 3)), ord=ord, axis=(-1, 0), keepdims=True)
        yield sample(in_plane(rng, 3, 2), ord=ord)
    yield sample(rng.normal(size=(0, 3)), ord=2)
    yield sample(np.diag([3.0, 1.0, 1.0]), ord=2)
    yield sample(np.diag([3.0, 1.0, 1.0]) + np.eye(3, k=1), ord="nuc")


def matrix_norm(x: ArrayLike, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """Norm of the matrices in the last two axes: see :func:`norm`."""
    return norm(x, ord, (-2, -1), keepdims)


@primitive(formula=r"y = \lVert X \rVert \, \lVert X^{-1} \rVert, \quad \bar X = \bar y\,\frac{\partial y}{\partial X}")
def cond(x: ArrayLike, /, p: Any = None) -> Array:
    """Condition number of the matrices in the last two axes: the norm ``p`` of each times that of its inverse.

    ``p`` is None or 2 (the ratio of the extreme singular values), -2 (its inverse), or any norm of a matrix.  Of a
    singular matrix the condition number is inf, and its derivative nan.
    """
    return np.linalg.cond(x, p)


def cond_slope(x: Array, y: Array, p: Any) -> Array:
    y = y[..., None, None]
    if p in (None, 2, -2):
        size = norm(x, 2, (-2, -1), True)
        largest, smallest = singular_part(x, 2), singular_part(x, -2, False)
        return (smallest - y * largest) / size if p == -2 else (largest - y * smallest) * (y / size)
    inverse = inv_or_nan(x)
    size, size_of_inverse = norm(x, p, (-2, -1), True), norm(inverse, p, (-2, -1), True)
    back = adjoint(inverse)
    slope = norm_slope(x, size, p, (-2, -1)) * size_of_inverse
    return slope - back @ norm_slope(inverse, size_of_inverse, p, (-2, -1)) @ back * size


@cond.def_vjp
def cond_vjp(g: Array, x: Array, y: Array, p: Any) -> Array:
    return times(g[..., None, None], cond_slope(x, y, p))


@cond.def_jvp
def cond_jvp(x_dot: Array, x: Array, y: Array, p: Any) -> Array:
    return along_slope(x_dot, cond_slope(x, y, p), (-2, -1), False)


@cond.def_samples
def cond_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for p in (None, 2, -2, 1, -1, math.inf, -math.inf, "fro", "nuc"):
        yield sample(rng.normal(size=(2, 3, 3)), p=p)
        yield sample(in_plane(rng, 3, 3), p=p)
    yield sample(rng.normal(size=(4, 3)))
    yield sample(rng.normal(size=(0, 2, 2)))
