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
SINGLE_STEP = (
    2e-2  # where results are rounded to single precision: errors near 1e-5 from rounding, 1e-7 from truncation
)
SINGLE_TOLERANCE = 1e-3
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


def is_single(y: Any) -> bool:
    """Whether any result is in single (or half) precision."""
    return any(np.asarray(data_of(leaf)).dtype in (np.float16, np.float32, np.complex64) for leaf in tree.flatten(y))


def scaled(v: Any, x: Any) -> Any:
    """A direction ``v`` in proportion to the tiny and the huge entries of ``x``, so that a step suits them."""
    size = np.where(np.isfinite(x), np.abs(x), 0)
    return np.where(((size > 0) & (size < 1)) | (size > 1e6), v * size, v)


def central_difference(f: Function, xs: Sequence[Any], vs: Sequence[Any], step: float = STEP) -> Arrays:
    """The derivative of ``f`` at ``xs`` along ``vs``, by a central difference of fourth order."""

    def at(t: float) -> Arrays:
        moved = f(*(np.asarray(x + t * v) for x, v in zip(xs, vs, strict=True)))
        return [np.asarray(data_of(y)) for y in tree.flatten(moved)]

    with np.errstate(all="ignore"):
        points = zip(at(-2 * step), at(-step), at(step), at(2 * step), strict=True)
        return [(8 * (near - back) - (far - far_back)) / (12 * step) for far_back, back, near, far in points]


def compare_push(f: Function, xs: Sequence[Any], where: str, names: Sequence[str]) -> None:
    """Fail unless the JVP of ``f`` is its central difference, along a random direction of one argument at a time."""
    rng = np.random.default_rng(1)
    for i, x in enumerate(xs):
        vs = [scaled(draw_like(x, rng), x) if k == i else np.zeros_like(other) for k, other in enumerate(xs)]
        about = f"{where}: the jvp with respect to {names[i]}"
        y, y_dot = explained(f"{about} cannot be computed", jvp, f, tuple(xs), tuple(vs))
        step, tolerance = (SINGLE_STEP, SINGLE_TOLERANCE) if is_single(y) else (STEP, NUMERIC_TOLERANCE)
        numeric = central_difference(f, xs, vs, step)
        for value, pushed, n in zip(tree.flatten(y), tree.flatten(y_dot), numeric, strict=True):
            value, pushed = np.asarray(data_of(value)), np.asarray(data_of(pushed))
            if pushed.shape != value.shape:
                raise AssertionError(f"{about} has shape {pushed.shape}, the result has {value.shape}.")
            finite = np.isfinite(value)
            pushed, n = np.where(finite, pushed, 0), np.where(finite, n, 0)
            error = np.abs(pushed - n)
            if not np.all(error <= tolerance * (1 + np.max(np.abs(n), initial=0))):
                raise AssertionError(
                    f"{about} is not the derivative.\n  analytic: {shown(pushed)}\n  numeric:  {shown(n)}"
                )


def compare_pull(f: Function, xs: Sequence[Any], where: str, names: Sequence[str]) -> None:
    """Fail unless ``<g, jvp(v)> == <vjp(g), v>`` for random ``g`` and ``v``, one argument at a time."""
    rng = np.random.default_rng(2)
    about = f"{where}: the vjp is not the adjoint of the jvp"
    y, pull = explained(about, vjp, f, *xs)
    gs = tree.tree_map(lambda value: draw_like(data_of(value), rng), y)
    single = is_single(y)
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
        tolerance = (SINGLE_TOLERANCE * (1 + size + size_back)) if single else ADJOINT_TOLERANCE * (size + size_back)
        if not abs(pushed - back) <= tolerance + ROUNDING:
            raise AssertionError(
                f"{about} with respect to {names[i]}.\n"
                f"  <g, jvp(v)> = {pushed!r}\n  <vjp(g), v> = {back!r}\n  vjp(g) = {shown(pulled[i])}"
            )


def inner(left: Sequence[Any], right: Sequence[Any]) -> tuple[float, float]:
    """The real inner product of two lists of arrays, and the sum of the sizes of its terms."""
    total = size = 0.0
    for a, b in zip(map(data_of, left), map(data_of, right), strict=True):
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
