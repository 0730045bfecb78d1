r"""Recurrences over the first axis, time: the loop of a recurrent layer as one row.

The products of the inputs do not depend on what came before, so a layer takes them in one product of matrices, and only
the products of its states are left to the loop.  With :math:`s_t = 1 - y_t^2` both directions of the derivative of
:math:`y_t = \tanh(z_t + y_{t-1} U^{\mathsf T})` are linear recurrences, one of them backwards in time, and so are all
derivatives of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import KindError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .fused import product
from .index import scatter_add
from .joining import concatenate
from .shape import reshape

__all__ = ["tanh_recurrence"]


def require_states(name: str, z: Any, u: Any) -> None:
    """Raise unless ``z`` has a step of states for each time and ``u`` takes states to states."""
    if z.ndim < 2 or u.shape != (z.shape[-1], z.shape[-1]):
        raise ShapeError(
            f"{name} got inputs of shape {z.shape} and a matrix of shape {u.shape}; they must be (time, ..., n) and "
            "(n, n)."
        )
    if "c" in (z.dtype.kind, u.dtype.kind):
        raise KindError(f"{name} got complex numbers; its states are real.")


def earlier(y: Array, first: Array) -> Array:
    """What stood at each time one step before: ``first``, and all but the last of ``y``."""
    return concatenate([reshape(first, (1, *shape_of(first))), y[:-1]])


def over_time(p: Array, q: Array) -> Array:
    """``p.T @ q``, added up over time and what else counts the rows."""
    rows = [reshape(x, (-1, shape_of(x)[-1])) for x in (p, q)]
    return product(rows[0].T, rows[1])


@primitive(
    formula=(
        r"y_t = s_t (x_t + y_{t-1} U^{\mathsf T}), \quad \bar x_t = s_t (\bar y_t + \bar x_{t+1} U), \; "
        r"\bar s_t = (\bar y_t + \bar x_{t+1} U)(x_t + y_{t-1} U^{\mathsf T}), \; "
        r"\bar U = \textstyle\sum (s_t (\bar y_t + \bar x_{t+1} U))^{\mathsf T} y_{t-1}"
    ),
    quiet=True,
)
def linear_recurrence(x: ArrayLike, s: ArrayLike, u: ArrayLike, /, backwards: bool = False) -> Array:
    """States ``y[t] = s[t] * (x[t] + y[t - 1] @ u.T)``; backwards in time ``s[t] * (x[t] + y[t + 1] @ u)``."""
    require_states("linear_recurrence", x, u)
    y = np.multiply(x, s)
    times, step, w = (range(len(x) - 2, -1, -1), 1, u) if backwards else (range(1, len(x)), -1, u.T)
    for t in times:
        y[t] += s[t] * y[t + step].dot(w)
    return y


def neighbours(y: Array, backwards: bool) -> Array:
    """The states that those of each time were computed from, 0 before the first."""
    shape = shape_of(y)
    return scatter_add(y[1:], shape, slice(None, -1)) if backwards else scatter_add(y[:-1], shape, slice(1, None))


@linear_recurrence.def_vjp(wrt="x")
def linear_recurrence_vjp_x(g: Array, s: Array, u: Array, backwards: bool) -> Array:
    return linear_recurrence(g, s, u, not backwards)


@linear_recurrence.def_vjp(wrt="s")
def linear_recurrence_vjp_s(g: Array, x: Array, s: Array, u: Array, y: Array, backwards: bool) -> Array:
    pulled = linear_recurrence(g, s, u, not backwards)
    into = x + product(neighbours(y, backwards), u if backwards else u.T)
    return (g + product(neighbours(pulled, not backwards), u.T if backwards else u)) * into


@linear_recurrence.def_vjp(wrt="u")
def linear_recurrence_vjp_u(g: Array, s: Array, u: Array, y: Array, backwards: bool) -> Array:
    pulled = linear_recurrence(g, s, u, not backwards)
    total = over_time(pulled, neighbours(y, backwards))
    return total.T if backwards else total


@linear_recurrence.def_jvp(wrt="x")
def linear_recurrence_jvp_x(x_dot: Array, s: Array, u: Array, backwards: bool) -> Array:
    return linear_recurrence(x_dot, s, u, backwards)


@linear_recurrence.def_jvp(wrt="s")
def linear_recurrence_jvp_s(s_dot: Array, x: Array, s: Array, u: Array, y: Array, backwards: bool) -> Array:
    into = x + product(neighbours(y, backwards), u if backwards else u.T)
    # What s_dot adds to y[t] is not scaled by s[t] again.
    added = s_dot * into
    return added + linear_recurrence(product(neighbours(added, backwards), u if backwards else u.T), s, u, backwards)


@linear_recurrence.def_jvp(wrt="u")
def linear_recurrence_jvp_u(u_dot: Array, s: Array, u: Array, y: Array, backwards: bool) -> Array:
    return linear_recurrence(product(neighbours(y, backwards), u_dot if backwards else u_dot.T), s, u, backwards)


@linear_recurrence.def_samples
def linear_recurrence_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for backwards in (False, True):
        yield sample(
            rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 2, 3)), rng.normal(size=(3, 3)), backwards=backwards
        )
    yield sample(rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=(2, 2)))
    yield sample(rng.normal(size=(1, 2, 2)), rng.normal(size=(1, 2, 2)), rng.normal(size=(2, 2)))
    yield sample(rng.normal(size=(4, 6)).T[::2], rng.normal(size=(3, 4)), rng.normal(size=(4, 4)).T)
    yield sample(rng.normal(size=(2, 0, 2)), rng.normal(size=(2, 0, 2)), rng.normal(size=(2, 2)))


@primitive(
    formula=(
        r"y_t = \tanh(z_t + y_{t-1} U^{\mathsf T}), \quad \bar z_t = (1 - y_t^2) (\bar y_t + \bar z_{t+1} U), \; "
        r"\bar U = \textstyle\sum ((1 - y_t^2) (\bar y_t + \bar z_{t+1} U))^{\mathsf T} y_{t-1}, \; "
        r"\bar h = ((1 - y_0^2) (\bar y_0 + \bar z_1 U))\,U"
    ),
    quiet=True,
)
def tanh_recurrence(z: ArrayLike, u: ArrayLike, h: ArrayLike, /) -> Array:
    """States ``y[t] = tanh(z[t] + y[t - 1] @ u.T)``, from ``h`` on: the loop of a recurrent layer.

    Shapes ``(time, ..., n)``, ``(n, n)`` and ``(..., n)``.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.tanh_recurrence(np.ones((3, 1)), np.eye(1), np.zeros(1)).round(3).ravel()
    array([0.762, 0.943, 0.96 ])
    """
    require_states("tanh_recurrence", z, u)
    if h.shape != z.shape[1:]:
        raise ShapeError(f"tanh_recurrence got first states of shape {h.shape}; for these inputs it is {z.shape[1:]}.")
    y = np.empty(z.shape, np.result_type(z, u, h))
    before, w = h, u.T
    for t in range(len(z)):
        before = np.tanh(np.add(before.dot(w), z[t], out=y[t]), out=y[t])
    return y


def slopes(y: Array) -> Array:
    """The derivative of tanh, given its value."""
    return 1 - y * y


@tanh_recurrence.def_vjp(wrt="z")
def tanh_recurrence_vjp_z(g: Array, y: Array, u: Array) -> Array:
    return linear_recurrence(g, slopes(y), u, True)


@tanh_recurrence.def_vjp(wrt="u")
def tanh_recurrence_vjp_u(g: Array, y: Array, u: Array, h: Array) -> Array:
    return over_time(linear_recurrence(g, slopes(y), u, True), earlier(y, h))


@tanh_recurrence.def_vjp(wrt="h")
def tanh_recurrence_vjp_h(g: Array, y: Array, u: Array) -> Array:
    return product(linear_recurrence(g, slopes(y), u, True)[0], u)


@tanh_recurrence.def_jvp(wrt="z")
def tanh_recurrence_jvp_z(z_dot: Array, y: Array, u: Array) -> Array:
    return linear_recurrence(z_dot, slopes(y), u)


@tanh_recurrence.def_jvp(wrt="u")
def tanh_recurrence_jvp_u(u_dot: Array, y: Array, u: Array, h: Array) -> Array:
    return linear_recurrence(product(earlier(y, h), u_dot.T), slopes(y), u)


@tanh_recurrence.def_jvp(wrt="h")
def tanh_recurrence_jvp_h(h_dot: Array, y: Array, u: Array) -> Array:
    return linear_recurrence(scatter_add(product(h_dot, u.T), shape_of(y), 0), slopes(y), u)


@tanh_recurrence.def_samples
def tanh_recurrence_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(4, 2, 3)), 0.5 * rng.normal(size=(3, 3)), rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(3, 2)), rng.normal(size=(2, 2)), rng.normal(size=2))
    yield sample(rng.normal(size=(1, 1, 2)), rng.normal(size=(2, 2)), rng.normal(size=(1, 2)))
    yield sample(rng.normal(size=(4, 6)).T[::2], rng.normal(size=(4, 4)).T, rng.normal(size=8)[::2])
    yield sample(rng.normal(size=(2, 0, 2)), rng.normal(size=(2, 2)), rng.normal(size=(0, 2)))
