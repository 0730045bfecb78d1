"""One step of a chain rule: what a node gets back from each of its uses, in symbols and in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..core.edges import Contribution, contributions
from ..core.node import Node, data_of, shape_of
from ..core.rule import Rule
from ..core.summary import data_text
from ..transforms.composite import Composite
from .chain import Chain, Use, is_single, number_of, pulled, slopes, times
from .formula import BAR, Formula, apart, barred, bracketed, formula_of, name_part, number_part
from .latex import Atom, Part, Row, Slot, escaped
from .mathml import roles, to_text

EQUALS = Atom("relation", "=")
PLUS = Atom("operator", "+")
DOTS = Atom("identifier", "…", r"\dots")
MAX_TERMS = 8
"""Longer sums are written without their middle."""
DOT = Atom("operator", "·", r"\cdot")


@dataclass(frozen=True, eq=False)
class Term:
    """What one use of a node sends back to it.

    Attributes
    ----------
    user : Node
        The node that was computed from it.
    position : int
        At which place among the arguments of ``user`` it stands.
    local : number or None
        The partial derivative of ``user`` there, if both are single real numbers.
    value : ndarray or number
        The contribution: the cotangent of ``user`` pulled through this argument.
    """

    user: Node
    position: int
    local: Any
    value: Any
    _rule: Rule
    _formula: Formula
    _names: dict[str, Any]
    _numbers: dict[str, Any] | str | None
    """What to put in for numbers; shapes as a text; or None if the formula holds letters that nothing is known of."""
    _g: Any

    @cached_property
    def _sides(self) -> tuple[Part, Part]:
        return sides(self._formula.filled(self._latex, self._names))

    @property
    def _latex(self) -> str:
        return self._formula.pulled[input_of(self._rule, self.position)]

    @property
    def left(self) -> Part:
        """The cotangent of the node, perhaps with an index, as the left side of the formula."""
        return self._sides[0]

    @property
    def symbols(self) -> Part:
        """The contribution as a formula."""
        return self._sides[1]

    @cached_property
    def numbers(self) -> Part:
        """The same with numbers put in; of arrays, the shapes that meet."""
        if isinstance(self._numbers, str):
            return Atom("text", self._numbers)
        if self._numbers is None:
            return product(number_of(self._g), self.local)
        return sides(self._formula.filled(self._latex, self._numbers))[1]

    def again(self, g: Any) -> Any:
        """The contribution computed anew from a cotangent of ``user``."""
        if self.local is None:
            return pulled(self.user, self.position, g)
        data = data_of(self.user.args[self.position])
        multiplied = times(number_of(g), self.local)
        return np.asarray(multiplied, data.dtype) if isinstance(data, np.ndarray) else multiplied


class Beside(NamedTuple):
    """An array that a step uses, and that does not depend on what the derivation is about."""

    name: str
    op: str
    """What made it."""
    data: str
    """What it holds, in a few characters."""

    @property
    def forward(self) -> Part:
        """How it was computed, in short."""
        made = Row((Atom("function", self.op, rf"\operatorname{{{escaped(self.op)}}}"), bracketed(DOTS)))
        return Row((name_part(self.name), EQUALS, made))


@dataclass(frozen=True, eq=False)
class Step:
    """The cotangent of one node: the sum of what its uses send back.

    Attributes
    ----------
    node : Node
    name : str
        What the formulas call it.
    terms : tuple of Term
        One for each use on the way to the result; empty for the result itself.
    value : ndarray or number
        The cotangent: how the result changes with this node.
    data : str
        What the node holds, in a few characters.
    beside : tuple of Beside
        What it was computed from besides, that has no name of the user's and that no earlier step has used.
    """

    node: Node
    name: str
    terms: tuple[Term, ...]
    value: Any
    data: str
    beside: tuple[Beside, ...]
    _formula: Formula | None
    _names: dict[str, Any]

    @cached_property
    def forward(self) -> Part:
        """How the node was computed; of the node that the derivation is about, and of a leaf, only the name."""
        return self._formula.filled(self._formula.forward, self._names) if self._formula else name_part(self.name)

    @property
    def bar(self) -> Part:
        """The sign of the cotangent: the name with a bar."""
        return barred(name_part(self.name))

    @property
    def left(self) -> Part:
        """The same, perhaps with an index.  The step reads ``left = symbols = numbers = result``."""
        if len(self.terms) == 1 and not self.terms[0]._rule.variadic:
            return self.terms[0].left
        return self.bar

    @property
    def symbols(self) -> Part | None:
        """The sum as a formula; None for the result itself."""
        return total([term.symbols for term in few(self.terms)], self._hidden) if self.terms else None

    @property
    def _hidden(self) -> int:
        return len(self.terms) - len(few(self.terms))

    @property
    def numbers(self) -> Part | None:
        """The sum with numbers put in, or a text of shapes; None if that says no more than the result of the step."""
        terms = [term.numbers for term in few(self.terms)]
        if not terms:
            return None
        if any(isinstance(term, Atom) for term in terms):
            text = " + ".join(map(to_text, terms))
            return Atom("text", text) if text.strip("()+ ") else None  # complex numbers have no shapes to show
        numbers = total(terms, self._hidden)
        return numbers if to_text(numbers) != to_text(self.result) else None

    @property
    def result(self) -> Part:
        """The cotangent as a number, or as a text of its range."""
        return number_part(number_of(self.value)) if is_single(self.value) else Atom("text", data_text(self.value, 2))


class Passed(NamedTuple):
    """A node that the walk has passed, and what the terms of its arguments need to know of it."""

    rule: Rule
    formula: Formula
    names: dict[str, Any]
    slopes: list[Any]
    """The partial derivatives where they are single real numbers, else None."""
    g: Any
    contributions: list[Contribution | None]


def steps_of(chain: Chain) -> list[Step]:
    """The steps from the result back to ``x``.

    Names and numbers are looked up on the way: data may be changed, and the tape freed, before a step is printed.
    """
    steps: list[Step] = []
    passed: dict[int, Passed] = {}
    first_use = {id(a): node.index for node in reversed(chain.nodes[1:]) for a in node.args}
    beside: dict[int, list[Beside]] = {}
    for a in chain.beside:
        beside.setdefault(first_use[id(a)], []).append(_beside(chain, a))
    with np.errstate(all="ignore"):
        for node in reversed(chain.nodes):
            terms = tuple([_term(use, passed[use[0].index], chain.names[id(node)]) for use in chain.uses[node.index]])
            value = terms[0].value if terms else chain.start
            for term in terms[1:]:
                value = value + term.value
            formula, names = None, dict[str, Any]()
            if node is not chain.x:
                here = passed[node.index] = _pass(chain, node, value)
                formula, names = here.formula, here.names
            data, others = data_text(node, 2), tuple(beside.get(node.index, ()))
            steps.append(Step(node, chain.names[id(node)], terms, value, data, others, formula, names))
    return steps


def _beside(chain: Chain, a: Node) -> Beside:
    rule: Any = a.rule
    return Beside(chain.names[id(a)], rule.name, data_text(a, 2))


def _pass(chain: Chain, node: Node, g: Any) -> Passed:
    rule: Any = node.rule
    real = is_real(node)
    found = slopes(node) if rule.entrywise and real else [None] * len(node.args)
    return Passed(rule, formula_of(rule, real), names_for(chain, node), found, g, contributions(node, g))


def _term(use: Use, passed: Passed, name: str) -> Term:
    """What one use sends back to the node of this name."""
    user, position = use
    rule, formula = passed.rule, passed.formula
    part, local, wrt = passed.contributions[position], passed.slopes[position], input_of(rule, position)
    assert part is not None
    numbers: dict[str, Any] | str | None = None
    if local is None:
        numbers = shapes_text(user, wrt, passed.g, part)
    elif formula.local[wrt] is not None and not rule.options and r"\text" not in formula.pulled[wrt]:
        numbers = {name: number_of(a) for name, a in zip(rule.inputs, user.args, strict=True)}
        numbers |= {"y": number_of(user), f"y{BAR}": number_of(passed.g)}
    names = passed.names | ({wrt: name} if isinstance(rule, Composite) else {})
    return Term(user, position, local, part.fitted, rule, formula, names, numbers, passed.g)


def input_of(rule: Rule, position: int) -> str:
    """The name of the input at a position among the arguments."""
    return rule.inputs[0 if rule.variadic else position]


def names_for(chain: Chain, node: Node) -> dict[str, Any]:
    """What to put into the slots of the formula of the op that made ``node``."""
    rule: Any = node.rule
    names = {"y": chain.names[id(node)]}
    if isinstance(rule, Composite):
        symbols = [chain.symbol(a) for a in node.args]
        names |= {rule.inputs[0]: ", ".join(symbols)} if all(isinstance(s, str) for s in symbols) else {}
    elif not rule.variadic:
        given = {name: chain.symbol(a) for name, a in zip(rule.inputs, node.args, strict=True)}
        names |= {name: symbol for name, symbol in given.items() if symbol is not None}
    return names


def is_real(node: Node) -> bool:
    """Whether there is no complex number in a node and its arguments."""
    return not any(np.iscomplexobj(data_of(a)) for a in (node, *node.args))


def sides(tree: Part) -> tuple[Part, Part]:
    """The left and the right side of an equation."""
    parts = tree.parts if isinstance(tree, Row) else (tree,)
    at = parts.index(EQUALS)
    return Row(parts[:at]), Row(parts[at + 1 :])


def product(g: Any, factor: Any) -> Row:
    """Two numbers multiplied."""
    return Row(tuple(apart((Slot("", number_part(g)), DOT, Slot("", number_part(factor))))))


def few(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms that are written out."""
    return terms if len(terms) <= MAX_TERMS else (*terms[: MAX_TERMS - 2], terms[-1])


def total(terms: list[Part], hidden: int) -> Part:
    """The sum of some terms; where one begins with a minus, that takes the place of the plus.

    If more are hidden, dots stand before the last.
    """
    parts: list[Part] = []
    for k, term in enumerate(terms):
        inside = term.parts if isinstance(term, Row) else (term,)
        if hidden and k == len(terms) - 1:
            parts += [PLUS, DOTS]
        negative = roles(inside)[:1] == ["sign"]
        parts += [*([PLUS] if parts and not negative else []), *inside]
    return Row(tuple(apart(tuple(parts))))


def shapes_text(user: Node, wrt: str, g: Any, part: Contribution) -> str:
    """The shapes that meet in one contribution of arrays."""
    name = user.rule.name if user.rule is not None else ""
    shape, out = shape_of(part.raw), shape_of(part.fitted)
    sent = " @ ".join(map(str, factors(name, wrt, user, shape_of(g)))) or f"{shape}"
    return sent if shape == out else f"{sent}, summed to {out}"


def factors(name: str, wrt: str, user: Node, g: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes of the matrices that the cotangent of a matrix product is a product of."""
    if len(g) < 2:
        return []
    turned = (*g[:-2], g[-1], g[-2])
    match name, wrt:
        case "matmul", "a" if len(shape_of(user.args[1])) > 1:
            *rest, n, m = shape_of(user.args[1])
            return [g, (*rest, m, n)]
        case "matmul", "b" if len(shape_of(user.args[0])) > 1:
            *rest, n, m = shape_of(user.args[0])
            return [(*rest, m, n), g]
        case "linear", "x":
            return [g, shape_of(user.args[1])]
        case "linear", "weight" if len(g) == 2:
            return [turned, shape_of(user.args[0])]
    return []
