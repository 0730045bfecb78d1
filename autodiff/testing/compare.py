"""The two comparisons that every check is made of: pushed against numeric, pulled against pushed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import tree
from ..core.node import data_of
from ..transforms.first_order import jvp, vjp

Arrays = list[Any]
Function = Callable[..., Any]

STEP = 1e-4  # with a difference of fourth order: errors near 1e-12 from rounding and 1e-16 from truncation
NUMERIC_TOLERANCE = 1e-6
ADJOINT_TOLERANCE = 1e-10
ROUNDING = 1e-13  # of sums of a few numbers of size 1 that cancel


def is_continuous(x: Any) -> bool:
    """Whether ``x`` is floating-point or complex data, which can have a derivative."""
    return np.asarray(data_of(x)).dtype.kind in "fc"


def draw_like(x: Any, rng: np.random.Generator) -> Any:
    """A random array of the shape and kind of ``x``; 0 where ``x`` is not finite, since nothing moves there."""
    x = np.asarray(x)
    v = rng.normal(size=x.shape)
    if x.dtype.kind == "c":
        v = v + 1j * rng.normal(size=x.shape)
    return np.where(np.isfinite(x), v, 0).astype(x.dtype)


def central_difference(f: Function, xs: Sequence[Any], vs: Sequence[Any]) -> Arrays:
    """The derivative of ``f`` at ``xs`` along ``vs``, by a central difference of fourth order."""

    def at(t: float) -> Arrays:
        moved = f(*(np.asarray(x + t * v) for x, v in zip(xs, vs, strict=True)))
        return [np.asarray(data_of(y)) for y in tree.flatten(moved)]

    with np.errstate(all="ignore"):
        points = zip(at(-2 * STEP), at(-STEP), at(STEP), at(2 * STEP), strict=True)
        return [(8 * (near - back) - (far - far_back)) / (12 * STEP) for far_back, back, near, far in points]


def compare_push(f: Function, xs: Sequence[Any], where: str, names: Sequence[str]) -> None:
    """Fail unless the JVP of ``f`` is its central difference, along a random direction of one argument at a time."""
    rng = np.random.default_rng(1)
    for i, x in enumerate(xs):
        vs = [draw_like(x, rng) if k == i else np.zeros_like(other) for k, other in enumerate(xs)]
        about = f"{where}: the jvp with respect to {names[i]}"
        y, y_dot = explained(f"{about} cannot be computed", jvp, f, tuple(xs), tuple(vs))
        numeric = central_difference(f, xs, vs)
        for value, pushed, n in zip(tree.flatten(y), tree.flatten(y_dot), numeric, strict=True):
            value, pushed = np.asarray(value), np.asarray(pushed)
            if pushed.shape != value.shape:
                raise AssertionError(f"{about} has shape {pushed.shape}, the result has {value.shape}.")
            finite = np.isfinite(value)
            pushed, n = np.where(finite, pushed, 0), np.where(finite, n, 0)
            error = np.abs(pushed - n)
            if not np.all(error <= NUMERIC_TOLERANCE * (1 + np.max(np.abs(n), initial=0))):
                raise AssertionError(
                    f"{about} is not the derivative.\n  analytic: {shown(pushed)}\n  numeric:  {shown(n)}"
                )


def compare_pull(f: Function, xs: Sequence[Any], where: str, names: Sequence[str]) -> None:
    """Fail unless ``<g, jvp(v)> == <vjp(g), v>`` for random ``g`` and ``v``, one argument at a time."""
    rng = np.random.default_rng(2)
    about = f"{where}: the vjp is not the adjoint of the jvp"
    y, pull = explained(about, vjp, f, *xs)
    gs = tree.tree_map(lambda value: draw_like(value, rng), y)
    pulled = explained(about, pull, gs)
    for i, x in enumerate(xs):
        vs = [draw_like(x, rng) if k == i else np.zeros_like(other) for k, other in enumerate(xs)]
        _, y_dot = explained(about, jvp, f, tuple(xs), tuple(vs))
        if np.shape(pulled[i]) != np.shape(x):
            raise AssertionError(
                f"{about} with respect to {names[i]}: "
                f"it has shape {np.shape(pulled[i])}, the argument has {np.shape(x)}."
            )
        pushed, size = inner(tree.flatten(gs), tree.flatten(y_dot))
        back, size_back = inner([pulled[i]], [vs[i]])
        if not abs(pushed - back) <= ADJOINT_TOLERANCE * (size + size_back) + ROUNDING:
            raise AssertionError(
                f"{about} with respect to {names[i]}.\n"
                f"  <g, jvp(v)> = {pushed!r}\n  <vjp(g), v> = {back!r}\n  vjp(g) = {shown(pulled[i])}"
            )


def inner(left: Sequence[Any], right: Sequence[Any]) -> tuple[float, float]:
    """The real inner product of two lists of arrays, and the sum of the sizes of its terms."""
    total = size = 0.0
    for a, b in zip(left, right, strict=True):
        terms = np.real(np.conj(a) * b)
        total += float(np.sum(terms))
        size += float(np.sum(np.abs(terms)))
    return total, size


def explained(about: str, compute: Function, *args: Any) -> Any:
    """What ``compute(*args)`` returns; an error inside it becomes a failed check that says where."""
    try:
        return compute(*args)
    except Exception as error:
        raise AssertionError(f"{about}: {type(error).__name__}: {error}") from error


def shown(x: Any) -> str:
    """A short print of an array."""
    return np.array2string(np.asarray(x), precision=10, threshold=20, prefix=" " * 12)
