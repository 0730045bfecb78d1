r"""Truncated power series along a tape: a third sweep, beside those of tangents and of cotangents.

Each node stands for a series :math:`y(t) = y_0 + y_1 t + y_2 t^2 + \dots` in the parameter of its inputs.  Sums, and
all that is linear, act on the coefficients one by one; products, quotients and powers have recurrences [1]_.  Every
other rule has its JVP, and that is a differential equation for its series: :math:`\dot y = J(x, y)\,\dot x`, so that
:math:`k\,y_k` is coefficient :math:`k - 1` of what the JVP computes.  The JVP is written with the package's own ops;
recorded once, it is a short tape whose nodes are series again.  Where it uses what is there already, as the slope of
``exp`` and those of ``sin`` and ``cos`` do, the series is shared, and the chain closes.

References
----------
.. [1] A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed. (2008), chapter 13.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..core.modes import compiler
from ..core.node import Node
from ..core.rule import Rule, Written
from ..core.tape import collect
from ..ops.arithmetic import divide, multiply, subtract
from ..ops.products import matmul
from ..ops.shape import expand_dims, squeeze
from ..ops.solving import solve_for
from ..transforms.lift import lift, zeros
from .series_loops import LOOPS, Coefficient, total
from .solving import plain_data

PRODUCTS = {
    *("multiply", "matmul", "matvec", "vecmat", "vecdot", "contract"),
    *("conv", "conv_input", "conv_weight", "convolve", "correlate"),
}
"""Rules that are linear in each input: coefficients of the result are sums of what the op makes of coefficients."""

LINEAR = {"setitem"}
"""Rules that are linear in all inputs together, though their JVPs ask for the result, of which they use the shape."""

LARGEST_PRODUCT = 64
"""Powers up to this one are products of whole series: exact wherever products are, and accurate next to 0 too."""

SMALL = 64
"""Constant arrays up to this size are told apart by their numbers, as those that derivatives make anew."""


class Series:
    """The coefficients of one node, each computed when it is first asked for.

    Parameters
    ----------
    first : array, number or node
        Coefficient 0.
    rest : callable
        ``rest(k)`` is coefficient ``k``; those below may be asked for.
    """

    __slots__ = ("known", "rest")

    def __init__(self, first: Any, rest: Callable[[int], Coefficient]) -> None:
        self.known: list[Coefficient] = [first]
        self.rest = rest

    def __getitem__(self, k: int) -> Coefficient:
        while len(self.known) <= k:
            self.known.append(self.rest(len(self.known)))
        return self.known[k]


class Sweep:
    """The series of all nodes that depend on some inputs.

    Parameters
    ----------
    start : int
        Nodes of a smaller creation number depend on no input.
    recorded : bool
        Whether the coefficients are to be nodes that can be differentiated again.
    """

    def __init__(self, start: int, recorded: bool) -> None:
        self.start = start
        self.recorded = recorded
        self.series: dict[int, Series | None] = {}
        """By creation number of the node; None for what depends on no input."""
        self.shared: dict[Any, Series | None] = {}
        """By what was computed: rule, arguments and options."""
        self.kept: list[Node] = []
        """Of small tapes: while they are here, no other array has the id of one of their constants."""

    def __contains__(self, index: object) -> bool:
        """Whether a walk along the tape stops at this node."""
        return index in self.series or index < self.start  # type: ignore[operator]

    def __iter__(self) -> Iterator[int]:
        return iter(self.series)

    def __len__(self) -> int:
        return len(self.series)

    def begin(self, node: Node, direction: Any) -> None:
        """Let the series of an input be itself, and ``direction`` times the parameter."""
        self.series[node.index] = Series(self._value(node), lambda k: direction if k == 1 else None)

    def expand(self, outputs: Iterable[Any], order: int) -> list[list[Coefficient]]:
        """The coefficients 0 to ``order`` of each output, for the caller's inputs."""
        outputs = list(outputs)
        nodes = [y for y in outputs if isinstance(y, Node)]
        with np.errstate(all="ignore"):  # infinite slopes are answers
            found = self._walk(nodes)
            for k in range(1, order + 1):
                for series in found:  # oldest first, so that none has to call another
                    series[k]
            return [[self.at(y, k) for k in range(order + 1)] for y in outputs]

    def of(self, x: Any) -> Series | None:
        """The series of an argument; None if it does not depend on the inputs."""
        return self.series.get(x.index) if isinstance(x, Node) else None

    def _value(self, x: Any) -> Any:
        return x._data if isinstance(x, Node) and not self.recorded else x

    def at(self, x: Any, k: int) -> Coefficient:
        """Coefficient ``k`` of an argument."""
        series = self.of(x)
        if series is not None:
            return series[k]
        return None if k else self._value(x)

    def _walk(self, outputs: list[Node]) -> list[Series]:
        """Give every node behind ``outputs`` its series; those that are new, oldest first."""
        tape, _ = collect(outputs, self)
        self.kept += tape
        found = []
        for node in tape:
            key = self._key(node)
            if key is not None and key in self.shared:
                self.series[node.index] = self.shared[key]
                continue
            rest = self._rest(node)
            series = None if rest is None else Series(self._value(node), rest)
            self.series[node.index] = series
            if series is not None:
                found.append(series)
            if key is not None:
                self.shared[key] = series
        return found

    def _key(self, node: Node) -> Any:
        """What two nodes have in common that compute the same; None if that cannot be told."""
        key = node.rule, *map(self._identity, node.args), *(node.params or {}).items()
        try:
            hash(key)
        except TypeError:
            return None
        return key

    def _identity(self, x: Any) -> Any:
        if isinstance(x, Node):
            series = self.of(x)
            return -x.index if series is None else id(series)
        if isinstance(x, float | complex):
            return type(x), str(x)  # a zero has a sign
        if isinstance(x, np.ndarray):
            return (x.dtype, x.shape, x.tobytes()) if x.size <= SMALL else id(x)
        return type(x), x

    def _rest(self, node: Node) -> Callable[[int], Coefficient] | None:
        """How the coefficients of a node follow; None if it depends on no input, or is constant between jumps."""
        rule: Any = node.rule
        active = [name for name, x in named(node) if self.of(x) is not None]
        if not active or all(is_flat(rule, name) for name in active):
            return None
        if all(self._is_linear(node, name, active) for name in active):
            return lambda k: self._pushed(node, k)
        if rule.name in PRODUCTS:
            return lambda k: self._product(node, k)
        if rule.name == "divide":
            return lambda k: self._quotient(node, node._a, node._b, k, multiply, divided_by)
        if rule.name == "reciprocal":
            return lambda k: self._quotient(node, None, node._a, k, multiply, divided_by)
        if rule.name == "solve":
            vector = node._b.ndim == 1
            product = (lambda a, y: squeeze(matmul(a, expand_dims(y, -1)), -1)) if vector else matmul
            return lambda k: self._quotient(node, node._b, node._a, k, product, lambda a, y: solve_for(a, node._b, y))
        if rule.name == "square":
            return lambda k: fitted(node, self._convolved(multiply, [node._a, node._a], k))
        if rule.name == "power" and active == ["x"]:
            return self._power(node)
        if rule.name in LOOPS:
            loop = LOOPS[rule.name](self.at, node)
            return lambda k: fitted(node, loop(k))
        return self._by_jvp(node)

    def _is_linear(self, node: Node, wrt: str, active: list[str]) -> bool:
        """Whether the JVP of an input uses nothing that changes with the inputs of the sweep."""
        rule: Any = node.rule
        rule.push  # noqa: B018 - a rule of the user's own works out now which derivatives it has
        written: Written | None = rule.jvps.get(wrt)
        if rule.linear or rule.name in LINEAR:
            return True
        if written is None or rule.variadic:
            return False
        asked: Any = () if written.function is None else inspect.signature(written.function).parameters
        return not any(name in asked for name in active) and ("y" not in asked or "y" in rule.inputs)

    def _pushed(self, node: Node, k: int) -> Coefficient:
        """Of a rule that is linear in what depends on the inputs: its JVP takes coefficients to coefficients."""
        tangents = {x.index: self.at(x, k) for _, x in named(node) if self.of(x) is not None}
        tangents = {i: t for i, t in tangents.items() if t is not None}
        if not tangents:
            return None
        rule: Any = node.rule
        return fitted(node, (rule.push_nodes if self.recorded else rule.push)(tangents, node))

    def _product(self, node: Node, k: int) -> Coefficient:
        rule: Any = node.rule
        params = node.params or {}
        op = (lambda *xs: rule.op(xs, **params)) if rule.variadic else lambda *xs: rule.op(*xs, **params)
        return fitted(node, self._convolved(op, list(node.args), k))

    def _convolved(self, op: Callable[..., Any], args: list[Any], k: int) -> Coefficient:
        """Coefficient ``k`` of a product: the products of coefficients whose numbers add up to ``k`` (Cauchy)."""
        return total(op(*factors) for factors in self._factors(args, k))

    def _factors(self, args: list[Any], k: int) -> Iterator[tuple[Any, ...]]:
        first, *others = args
        if not others:
            c = self.at(first, k)
            if c is not None:
                yield (c,)
            return
        for j in range(k + 1) if self.of(first) is not None else (0,):
            c = self.at(first, j)
            if c is not None:
                for factors in self._factors(others, k - j):
                    yield c, *factors

    def _quotient(
        self, node: Node, a: Any, b: Any, k: int, product: Callable[..., Any], solved: Callable[..., Any]
    ) -> Coefficient:
        """Of the ``y`` with ``b y = a``, or ``b y = 1`` if ``a`` is None; ``solved`` gives it for a constant ``b``."""
        found = self.at(a, k) if a is not None else None
        taken = total(
            product(b_j, y)
            for j in range(1, k + 1)
            if (b_j := self.at(b, j)) is not None and (y := self.at(node, k - j)) is not None
        )
        if taken is not None:
            found = -taken if found is None else subtract(found, taken)
        return None if found is None else fitted(node, solved(self.at(b, 0), found))

    def _power(self, node: Node) -> Callable[[int], Coefficient]:
        """Of ``y = x ** p`` for a constant ``p``: by products, from ``x y' = p x' y``, or by the JVP."""
        x, p = node.args
        data = p._data if isinstance(p, Node) else p
        if isinstance(data, int) and 1 <= data <= LARGEST_PRODUCT and not isinstance(p, Node):
            return self._whole_power(node, data)
        if compiler() is not None or not np.all(plain_data(x) != 0):  # what is compiled may meet a 0 later
            return self._by_jvp(node)

        def rest(k: int) -> Coefficient:
            terms = (
                multiply(multiply(subtract(multiply(self._value(p), j), k - j), x_j), y)
                for j in range(1, k + 1)
                if (x_j := self.at(x, j)) is not None and (y := self.at(node, k - j)) is not None
            )
            found = total(terms)
            return None if found is None else fitted(node, divide(divide(found, k), self.at(x, 0)))

        return rest

    def _whole_power(self, node: Node, p: int) -> Callable[[int], Coefficient]:
        """By squaring: the series of ``x``, ``x ** 2``, ``x ** 4`` and so on, and of the products of those needed."""

        def of_product(a: Series, b: Series) -> Series:
            return Series(
                multiply(a[0], b[0]),
                lambda k: total(
                    multiply(a_j, b_j)
                    for j in range(k + 1)
                    if (a_j := a[j]) is not None and (b_j := b[k - j]) is not None
                ),
            )

        square: Any = self.of(node._a)
        result = None
        while p:
            if p % 2:
                result = square if result is None else of_product(result, square)
            p //= 2
            square = of_product(square, square) if p else None
        return lambda k: fitted(node, result[k])  # type: ignore[index]

    def _by_jvp(self, node: Node) -> Callable[[int], Coefficient]:
        """Of any rule: ``k`` times coefficient ``k`` is coefficient ``k - 1`` of its JVP along its inputs' rates."""
        slope: Node | None = None
        behind: list[Series] = []

        def begin() -> Node:
            rates: dict[int, Node] = {}
            for _, x in named(node):
                series = self.of(x)
                if series is not None and x.index not in rates:
                    rates[x.index] = self._rate(x, series)
            rule: Any = node.rule
            c = rule.push_nodes(rates, node)
            found: Node = c if isinstance(c, Node) else lift(c)
            behind.extend(self._walk([found]))
            return found

        def rest(k: int) -> Coefficient:
            nonlocal slope
            if slope is None:
                slope = begin()
            for series in behind:
                series[k - 1]
            c = self.at(slope, k - 1)
            return None if c is None else fitted(node, divide(c, k) if k > 1 else c)

        return rest

    def _rate(self, x: Node, series: Series) -> Node:
        """A fresh node for the rate of change of ``x``, whose series is the derivative of that of ``x``."""
        first = series[1]
        node = lift(zeros(x) if first is None else first)
        node.tracked = True
        self.kept.append(node)

        def rest(k: int) -> Coefficient:
            c = series[k + 1]
            return None if c is None else multiply(c, k + 1)

        self.series[node.index] = Series(self._value(node), rest)
        return node


def named(node: Node) -> list[tuple[str, Any]]:
    """The arguments of a node, each with the name of its input."""
    rule: Rule = node.rule  # type: ignore[assignment]
    names = rule.inputs * len(node.args) if rule.variadic else rule.inputs
    return list(zip(names, node.args, strict=False)) or [("", x) for x in node.args]


def is_flat(rule: Rule, wrt: str) -> bool:
    """Whether a rule declares that its slope in this input is 0: it is constant between jumps."""
    written = rule.jvps.get(wrt)
    return written is not None and written.function is None and written.call.endswith(", 0)")


def divided_by(b: Any, a: Any) -> Any:
    """``a / b``."""
    return divide(a, b)


def fitted(node: Node, c: Coefficient) -> Coefficient:
    """A coefficient in the kind and shape of its node."""
    return None if c is None else node._fit_tangent(c)
