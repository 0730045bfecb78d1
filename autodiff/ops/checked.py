"""Checks that a compiled function makes again at each call.

An op that raises for bad numbers looks at them when it is called, and a compiled function does not call it.  Where
NumPy would not raise by itself, the check is recorded too, as a row that what is checked passes through.  It may say
little: when a compiled function raises, the function itself is called, and says what is wrong.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from ..core.errors import ArgumentError, KindError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node
from ..core.op import Op, primitive
from ..core.rule import Sample, sample

__all__: list[str] = []


@primitive(formula=r"y = x \text{ if all } c_i, \quad \bar x = \bar y", quiet=True)
def provided(x: ArrayLike, holds: ArrayLike, /) -> Array:
    """``x`` as it is, if ``holds`` is true everywhere.

    Raises
    ------
    ArgumentError
        If it is not.
    """
    if not holds.all():
        raise ArgumentError("A check that was recorded failed.")
    return x


@provided.def_vjp(wrt="x")
def provided_vjp(g: Array) -> Array:
    return g


@provided.def_jvp(wrt="x")
def provided_jvp(x_dot: Array) -> Array:
    return x_dot


@provided.def_samples
def provided_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), np.array([True, True]))
    yield sample(rng.normal(size=()), np.array(True))
    yield sample(rng.normal(size=(0, 2)), np.zeros(0, bool))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, np.array([[True]]))
    yield sample(rng.normal(size=3) + 1j * rng.normal(size=3), np.array(True))


@primitive(formula=r"k = k \text{ if all } k_i \ge 0", differentiable=False)
def from_zero_up(k: ArrayLike, /) -> Array:
    """Whole numbers as they are, if none is negative: what ``provided`` does, faster.  Never tracked."""
    if k.size and np.minimum.reduce(k, axis=None) < 0:
        raise ArgumentError("A check that was recorded failed.")
    return k


@from_zero_up.def_samples
def from_zero_up_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(np.array([[0, 2], [1, 1]]))
    yield sample(np.array(3))
    yield sample(np.zeros((0, 2), int))
    yield sample(np.arange(24).reshape(6, 4)[::-2, 1::2].T)


@primitive(formula=r"y = x, \quad \bar x = \bar y", quiet=True)
def in_kind(x: ArrayLike, /, kind: str) -> Array:
    """``x`` as it is, if its dtype is of this kind.

    Raises
    ------
    KindError
        If it is not.
    """
    if np.asarray(x).dtype.kind != kind:  # a compiler that knows the dtype beforehand must not decide this
        raise KindError(f"An array of {x.dtype} was found, and one of kind {kind!r} recorded.")
    return x


@in_kind.def_vjp
def in_kind_vjp(g: Array) -> Array:
    return g


@in_kind.def_jvp
def in_kind_jvp(x_dot: Array) -> Array:
    return x_dot


@in_kind.def_samples
def in_kind_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)), kind="f")
    yield sample(rng.normal(size=()), kind="f")
    yield sample(rng.normal(size=(0, 2)), kind="f")
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, kind="f")
    yield sample(rng.normal(size=3) + 1j * rng.normal(size=3), kind="c")


def of_one_kind(op: Op[..., Any]) -> Op[..., Any]:
    """Decorate an op whose result is real or complex as the numbers have it: compiled, it is the same at every call."""

    @functools.wraps(op)
    def call(*args: Any, **options: Any) -> Array:
        y = op(*args, **options)
        return in_kind(y, y._data.dtype.kind) if isinstance(y, Node) and compiler() is not None else y

    return cast("Op[..., Any]", call)


def checked(x: Array, *holds: Callable[[Any], Array], of: Any = None) -> Array:
    """``x``, and while compiling ``x`` provided that each of ``holds`` is true of it, or of ``of``, at every call."""
    of = x if of is None else of
    if compiler() is None or not isinstance(of, Node):
        return x
    for condition in holds:
        y = provided(x, condition(of))
        x = x._fit_tangent(y) if isinstance(x, Node) else y  # a number stays one
    return x
