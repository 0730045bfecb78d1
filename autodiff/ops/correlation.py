"""Convolution and correlation of two sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.node import Array, ArrayLike, size_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .families import contracted
from .index import scatter_add
from .shape import reshape

__all__ = ["convolve", "correlate"]


@primitive(
    formula=(
        r"y_k = \sum_i a_{k-i} v_i, \quad \bar a_j = \sum_k \bar y_k v_{k-j}^*, \; "
        r"\bar v_i = \sum_k \bar y_k a_{k-i}^*"
    )
)
def convolve(a: ArrayLike, v: ArrayLike, /, mode: Any = "full") -> Array:
    """Convolution of two sequences, as ``np.convolve``: all of it, or only where they overlap ("same", "valid")."""
    return np.convolve(a, v, mode)


@primitive(
    formula=(
        r"y_k = \sum_i a_{k+i} v_i^*, \quad \bar a_j = \sum_k \bar y_k v_{j-k}, \; "
        r"\bar v_i = \sum_k \bar y_k^* a_{k+i}"
    )
)
def correlate(a: ArrayLike, v: ArrayLike, /, mode: Any = "valid") -> Array:
    """Correlation of two sequences, the second conjugated, as ``np.correlate``: modes "valid", "same" and "full"."""
    return np.correlate(a, v, mode)


def in_full(g: Array, a: Array, v: Array, from_right: bool = False) -> Array:
    """A cotangent in the length of mode "full": 0 where another mode cut the result off, evenly at both ends."""
    n = size_of(a) + size_of(v) - 1
    start = (n - size_of(g) + from_right) // 2
    return scatter_add(g, (n,), slice(start, start + size_of(g)))


@convolve.def_vjp(wrt="a")
def convolve_vjp_a(g: Array, a: Array, v: Array) -> Array:
    return contracted(lambda g, v: correlate(in_full(g, a, v), v), g, reshape(v, -1))  # it may be a single number


@convolve.def_vjp(wrt="v")
def convolve_vjp_v(g: Array, a: Array, v: Array) -> Array:
    return convolve_vjp_a(g, v, a)


@convolve.def_jvp(wrt="a")
def convolve_jvp_a(a_dot: Array, v: Array, mode: Any) -> Array:
    return contracted(lambda a_dot, v: convolve(a_dot, v, mode), a_dot, v)


@convolve.def_jvp(wrt="v")
def convolve_jvp_v(v_dot: Array, a: Array, mode: Any) -> Array:
    return convolve_jvp_a(v_dot, a, mode)


def correlate_in_full(g: Array, a: Array, v: Array) -> Array:
    return in_full(g, a, v, from_right=size_of(a) < size_of(v))  # NumPy then swaps them, and reverses the result


@correlate.def_vjp(wrt="a")
def correlate_vjp_a(g: Array, a: Array, v: Array) -> Array:
    return contracted(lambda g, v: convolve(correlate_in_full(g, a, v), v, "valid"), g, v)


@correlate.def_vjp(wrt="v")
def correlate_vjp_v(g: Array, a: Array, v: Array) -> Array:
    return contracted(lambda g, a: correlate(a, correlate_in_full(g, a, v)), g, a)


@correlate.def_jvp(wrt="a")
def correlate_jvp_a(a_dot: Array, v: Array, mode: Any) -> Array:
    return contracted(lambda a_dot, v: correlate(a_dot, v, mode), a_dot, v)


@correlate.def_jvp(wrt="v")
def correlate_jvp_v(v_dot: Array, a: Array, mode: Any) -> Array:
    return contracted(lambda v_dot, a: correlate(a, v_dot, mode), v_dot, a)


def sequence_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for n, m in [(5, 3), (3, 5), (6, 2), (2, 6), (4, 4), (3, 1), (1, 2)]:
        yield sample(rng.normal(size=n), rng.normal(size=m))
        for mode in ("full", "same", "valid"):
            yield sample(rng.normal(size=n), rng.normal(size=m), mode=mode)
    yield sample(rng.normal(size=9)[::-2], rng.normal(size=6)[1::3], mode="same")
    for mode in ("full", "same", "valid"):
        yield sample(rng.normal(size=4) + 1j * rng.normal(size=4), rng.normal(size=2) * (1 - 2j), mode=mode)
        yield sample(rng.normal(size=2), rng.normal(size=5) + 1j * rng.normal(size=5), mode=mode)


@convolve.def_samples
def convolve_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from sequence_samples(rng)
    yield sample(rng.normal(size=()), rng.normal(size=3))
    yield sample(rng.normal(size=1), rng.normal(size=()), mode="same")


correlate.def_samples(sequence_samples)
