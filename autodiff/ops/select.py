"""Choosing: comparisons and logic, which have no derivative, and ``where``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.dispatch import is_array_like
from ..core.errors import KindError
from ..core.node import Array, ArrayLike, Node, data_of
from ..core.numbers import is_number
from ..core.op import primitive
from ..core.rule import Sample, sample

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "not_equal",
    "where",
]


@primitive(formula=r"y = a > b", entrywise=True, differentiable=False, number=lambda a, b: a > b)
def greater(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a > b``, entry by entry.  Never tracked."""
    return np.greater(a, b)


@primitive(formula=r"y = a \ge b", entrywise=True, differentiable=False, number=lambda a, b: a >= b)
def greater_equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a >= b``, entry by entry.  Never tracked."""
    return np.greater_equal(a, b)


@primitive(formula=r"y = a < b", entrywise=True, differentiable=False, number=lambda a, b: a < b)
def less(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a < b``, entry by entry.  Never tracked."""
    return np.less(a, b)


@primitive(formula=r"y = a \le b", entrywise=True, differentiable=False, number=lambda a, b: a <= b)
def less_equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a <= b``, entry by entry.  Never tracked."""
    return np.less_equal(a, b)


@primitive(formula=r"y = (a = b)", entrywise=True, differentiable=False, number=lambda a, b: a == b)
def equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a == b``, entry by entry.  Never tracked."""
    return np.equal(a, b)


@primitive(formula=r"y = (a \ne b)", entrywise=True, differentiable=False, number=lambda a, b: a != b)
def not_equal(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether ``a != b``, entry by entry.  Never tracked."""
    return np.not_equal(a, b)


@primitive(formula=r"y = a \wedge b", entrywise=True, differentiable=False, number=lambda a, b: bool(a and b))
def logical_and(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether both are true, entry by entry.  Never tracked."""
    return np.logical_and(a, b)


@primitive(formula=r"y = a \vee b", entrywise=True, differentiable=False, number=lambda a, b: bool(a or b))
def logical_or(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Whether either is true, entry by entry.  Never tracked."""
    return np.logical_or(a, b)


@primitive(formula=r"y = \neg x", entrywise=True, differentiable=False, number=lambda x: not x)
def logical_not(x: ArrayLike, /) -> Array:
    """Whether ``x`` is false, entry by entry.  Never tracked."""
    return np.logical_not(x)


@primitive(formula=r"y = x \text{ is neither nan nor infinite}", entrywise=True, differentiable=False)
def isfinite(x: ArrayLike, /) -> Array:
    """Whether ``x`` is neither nan nor infinite, entry by entry.  Never tracked."""
    return np.isfinite(x)


@primitive(
    formula=r"y = a \text{ where } c, \; b \text{ elsewhere}, \quad \bar a = \bar y\,[c], \; \bar b = \bar y\,[\neg c]",
    entrywise=True,
    number=lambda condition, a, b: a if condition else b,
)
def where(condition: ArrayLike, a: ArrayLike, b: ArrayLike, /) -> Array:
    """``a`` where ``condition`` is true, else ``b``.  The branch not taken gets a gradient of exactly 0.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: ad.where(x > 0, ad.sqrt(x), 0.0).sum())(np.array([0.0, 4.0]))
    array([0.  , 0.25])
    """
    return np.where(condition, a, b)


@where.def_vjp(wrt="a")
def where_vjp_a(g: Array, condition: Array) -> Array:
    return where(condition, g, 0)


@where.def_vjp(wrt="b")
def where_vjp_b(g: Array, condition: Array) -> Array:
    return where(condition, 0, g)


@where.def_jvp(wrt="a")
def where_jvp_a(a_dot: Array, condition: Array) -> Array:
    return where(condition, a_dot, 0)


@where.def_jvp(wrt="b")
def where_jvp_b(b_dot: Array, condition: Array) -> Array:
    return where(condition, 0, b_dot)


@where.def_samples
def where_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(2, 3)) > 0, rng.normal(size=(2, 3)), rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(4, 1, 3)) > 0, rng.normal(size=(2, 1)), rng.normal(size=()))
    yield sample(np.zeros((0, 2), bool), np.ones((0, 2)), np.ones(2))
    strided = rng.normal(size=(6, 4))[::-2, 1::2].T
    yield sample(strided > 0, strided, -strided)


def is_comparable(kind: type) -> bool:
    """Whether a node can equal a value of this type: any other is simply not equal."""
    return issubclass(kind, (Node, np.generic)) or is_number(kind) or is_array_like(kind)


def truths(x: ArrayLike, operator: str) -> ArrayLike:
    """``x``, if it holds truth values: on whole numbers NumPy's operator works bit by bit, which is something else."""
    if np.asarray(data_of(x)).dtype.kind != "b":
        raise KindError(
            f"The operator {operator} was used on {type(x).__name__} data that are not truth values. "
            "Compare first, as in (x > 0) & (x < 1), or use ad.logical_and, ad.logical_or, ad.logical_not."
        )
    return x


class SelectMethods:
    """Comparison and logic operators."""

    __slots__ = ()

    __gt__ = greater
    __ge__ = greater_equal
    __lt__ = less
    __le__ = less_equal

    def __and__(self, other: ArrayLike) -> Array:
        return logical_and(truths(self, "&"), truths(other, "&"))

    def __or__(self, other: ArrayLike) -> Array:
        return logical_or(truths(self, "|"), truths(other, "|"))

    def __invert__(self) -> Array:
        return logical_not(truths(self, "~"))

    __rand__ = __and__
    __ror__ = __or__

    def __eq__(self, other: object) -> Any:
        return equal(self, other) if is_comparable(type(other)) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return not_equal(self, other) if is_comparable(type(other)) else NotImplemented

    __hash__ = object.__hash__  # equality is entry by entry, identity is what a dict of nodes needs
