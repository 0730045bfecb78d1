"""Power series of ops that stand for loops: each coefficient solves the recurrence of the op itself.

A JVP would do too, but it asks for the same recurrence anew: a sweep by JVPs takes twice as long for each order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.node import Node
from ..ops.arithmetic import add, multiply
from ..ops.families import times
from ..ops.fused import product
from ..ops.matrix_functions import exponential_coefficient
from ..ops.recurrent import linear_recurrence, neighbours
from ..ops.scan import factors, recurrence, shifted

Coefficient = Any
"""Of a series: an array, a number or a node; None for one that is zero whatever the numbers are."""

Coefficients = Callable[[Any, int], Coefficient]
"""Coefficient ``k`` of a node, or of a constant."""

Rest = Callable[[int], Coefficient]
"""Coefficient ``k``, from 1 up; asked for one after another."""


def total(terms: Iterable[Any]) -> Coefficient:
    """The sum of what there is, leaving out None; None of nothing."""
    found = None
    for term in terms:
        if term is not None:
            found = term if found is None else add(found, term)
    return found


def combined(op: Callable[[Any, Any], Any], a: Coefficient, b: Coefficient) -> Coefficient:
    """``op``, linear in both, of two coefficients."""
    return None if a is None or b is None else op(a, b)


def _scan(at: Coefficients, node: Node, a: Any, b: Any, axis: int, first: float) -> Rest:
    """Of ``y[i] = a[i] * y[i - 1] + b[i]``, with ``first`` before all; ``a`` and ``b`` give coefficients."""

    def before(a_j: Any, j: int, k: int) -> Coefficient:
        return combined(lambda a, y: times(a, shifted(y, axis, first if j == k else 0)), a_j, at(node, k - j))

    def rest(k: int) -> Coefficient:
        added = total([b(k), *(before(a(j), j, k) for j in range(1, k + 1))])
        return None if added is None else recurrence(a(0), added, axis)

    return rest


def _recurrence(at: Coefficients, node: Node) -> Rest:
    a, b = node.args
    return _scan(at, node, lambda k: at(a, k), lambda k: at(b, k), node.params["axis"], 0)  # type: ignore[index]


def _running_product(at: Coefficients, node: Node) -> Rest:
    axis = node.params["axis"]  # type: ignore[index]
    along = factors(node._a, axis)[1]

    def factor(k: int) -> Coefficient:
        x = at(node._a, k)
        return None if x is None else factors(x, axis)[0]

    return _scan(at, node, factor, lambda k: None, along, 1)


def _linear_recurrence(at: Coefficients, node: Node) -> Rest:
    """Of ``y[t] = s[t] * w[t]`` with ``w[t] = x[t] + y[t - 1] @ u.T``, of which the coefficients are kept."""
    x, s, u = node.args
    backwards = node.params["backwards"]  # type: ignore[index]
    known: list[Coefficient] = []

    def through(u: Any, y: Any) -> Any:
        return product(neighbours(y, backwards), u if backwards else u.T)

    def entering(k: int, start: int) -> Coefficient:
        """Coefficient ``k`` of ``w``, by those of ``u`` from ``start`` on."""
        return total([at(x, k), *(combined(through, at(u, j), at(node, k - j)) for j in range(start, k + 1))])

    def rest(k: int) -> Coefficient:
        known.append(entering(k - 1, 0))
        added = total(combined(multiply, at(s, j), known[k - j]) for j in range(1, k + 1))
        new = total([entering(k, 1), combined(through, at(u, 0), added)])
        return total([added, None if new is None else linear_recurrence(new, at(s, 0), at(u, 0), backwards)])

    return rest


def _exponential(at: Coefficients, node: Node) -> Rest:
    return lambda k: exponential_coefficient([at(node._a, j) for j in range(k + 1)])


LOOPS: dict[str, Callable[[Coefficients, Node], Rest]] = {
    "recurrence": _recurrence,
    "cumprod": _running_product,
    "linear_recurrence": _linear_recurrence,
    "expm": _exponential,
}
"""By name of the rule.  The derivative of ``tanh_recurrence`` is a ``linear_recurrence``."""
