"""Expressions of the command line, ``x*y + sin(x)``, computed part by part.  Python is never given one to run."""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from fractions import Fraction
from types import EllipsisType
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, AutodiffError, KindError
from ..core.modes import Watcher, watching
from ..core.node import Node, data_of
from ..core.op import UFUNC_OPTIONS
from ..core.origin import Origin
from ..core.summary import data_text, repr_text, shorten
from ..ops import public
from ..tensor import Tensor
from ..value import Value
from .syntax import CONSTANTS, OPERATORS, keywords_of, names_in, op_called, statements_of
from .text import Text

MOST_BITS = 4096
"""How long whole numbers and fractions may become: ``9**9**9`` would fill the memory."""
GROWING = {"power", "pow", "left_shift", "bitwise_left_shift", "ldexp"}
"""Ops whose result can be far longer than both arguments together."""
RESULTS = ("f", "y", "F", "result")
"""What the result is called: the first of these that is free."""

ON_NUMBERS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "positive": operator.pos,
    "negative": operator.neg,
}


def compute(
    expression: str, variables: Mapping[str, Node], exact: bool = False, traced: bool = False
) -> tuple[Node, dict[str, Any]]:
    """Compute an expression, and record it.

    Parameters
    ----------
    expression : str
        One expression; before it, with ``;`` in between, as many intermediate results ``a = x*y`` as you like.
    variables : mapping of str to node
        What the names stand for.
    exact : bool
        Whether numbers such as ``0.1`` are fractions rather than floats.
    traced : bool
        Whether nodes remember which part of the expression made them, as inside ``ad.trace()``.

    Returns
    -------
    result : node
    names : dict of str to node
        The variables, the intermediate results and the result.

    Raises
    ------
    ArgumentError
        If something stands there that is not allowed, a name has no value, or an op refuses its arguments.

    Examples
    --------
    >>> y, names = compute("a = x*x; a + sin(x)", {"x": Value(0.0, name="x")})
    >>> y.backward()
    >>> names["x"].grad
    1.0
    """
    text = Text(expression, "expression")
    statements = statements_of(text, text.parse(), variables)
    text.remember()
    machine = Machine(text, variables, exact)
    with watching(machine.place) if traced else nullcontext():
        for statement in statements:
            y = machine.value(statement.value)
            if isinstance(statement, ast.Assign):
                machine.names[statement.targets[0].id] = y  # type: ignore[attr-defined]
    if not isinstance(y, Node) or not y.tracked:
        raise text.refuse(_not_recorded(y), statements[-1].value)
    if isinstance(statements[-1], ast.Expr):
        machine.names[next(name for name in RESULTS if name not in machine.names or name == RESULTS[-1])] = y
    return y, machine.names


def _not_recorded(y: Any) -> str:
    if isinstance(y, list | tuple):
        return f"The result is a {type(y).__name__} of {len(y)} entries. Take one of them, with [0] at the end."
    return f"The result, {data_text(y)}, does not depend on a variable in a way that has a derivative."


def read_values(given: Iterable[str], exact: bool = False) -> dict[str, Node]:
    """The variables of ``x=2,y=[1,2]``: a :class:`Value` for each number, a :class:`Tensor` for each list.

    Raises
    ------
    ArgumentError
        If a text is not of this form, or a name is given twice.

    Examples
    --------
    >>> read_values(["x=2,y=[1/2,3]"])
    {'x': Value(data=2.0, grad=None, name='x'), 'y': Tensor([0.5, 3. ], name='y')}
    """
    variables: dict[str, Node] = {}
    for values in given:
        text = Text(values, "value of --at", before="at(", after="\n)")
        match text.parse().body:
            case [ast.Expr(value=ast.Call(func=ast.Name(id="at")) as call)]:
                pass
            case _:
                raise ArgumentError(f"--at {shorten(values, 40)!r}: expected names with values, such as x=2,y=3.")
        if call.args or not call.keywords:
            raise text.refuse("Expected a name with a value, such as x=2.", [*call.args, call][0])
        machine = Machine(text, {}, exact)
        for name, keyword in keywords_of(text, call):
            for used in names_in(text, keyword.value):
                if used.id not in CONSTANTS:
                    raise text.refuse(f"A value is made of numbers, and {used.id} is a name.", used)
            if name in variables:
                raise text.refuse(f"{name} is given a value twice.", keyword)
            if name.startswith("_"):
                raise text.refuse(f"A name begins with a letter, which {name} does not.", keyword)
            statements_of(text, ast.Module([ast.Expr(keyword.value)], []), ())
            variables[name] = _variable(machine, name, keyword.value)
    return variables


def _variable(machine: Machine, name: str, node: ast.expr) -> Node:
    x = machine.value(node)
    if machine.exact and _is_exact(x):
        return Value(Fraction(x), name=name)
    try:
        array = np.asarray(x)
        array = array.astype(complex if array.dtype.kind == "c" else float)
    except (TypeError, ValueError, OverflowError):
        raise machine.text.refuse(f"The value of {name} is neither a number nor a list of numbers.", node) from None
    if array.ndim and machine.exact:
        raise machine.text.refuse(f"{name} is a list, and --exact computes with single numbers. Leave it away.", node)
    return Tensor(array, name=name) if array.ndim else Value(array.item(), name=name)


class Place(Watcher):
    """Tells each node that is recorded which part of the expression made it."""

    def __init__(self) -> None:
        self.origin: Origin | None = None

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """Remember the part that is being computed."""
        node._origin = self.origin


class Machine:
    """Computes the parts of one expression, which have been checked before."""

    def __init__(self, text: Text, names: Mapping[str, Any], exact: bool) -> None:
        self.text = text
        self.names = dict(names)
        self.exact = exact
        self.place = Place()

    def value(self, node: Any) -> Any:
        """What a part of the expression stands for: a node, number, or list."""
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name():
                return self.names[node.id] if node.id in self.names else CONSTANTS[node.id]
            case ast.Attribute():
                return CONSTANTS[node.attr]
            case ast.List():
                return [self.value(x) for x in node.elts]
            case ast.Tuple():
                return tuple([self.value(x) for x in node.elts])
            case ast.UnaryOp():
                return self._operate(node, self.value(node.operand))
            case ast.BinOp():
                return self._chain(node)
            case ast.Call():
                name = op_called(self.text, node)
                self._check_fit(node, getattr(public, name))
                args = [self._argument(x) for x in node.args]
                options = {key: self._argument(keyword.value) for key, keyword in keywords_of(self.text, node)}
                return self._apply(node, name, getattr(public, name), args, options)
            case ast.Subscript():
                return self._entry(node)
        raise AssertionError(f"{type(node).__name__} passed the check")

    def _number(self, node: ast.Constant) -> Any:
        x: Any = node.value
        if isinstance(x, bool) or not isinstance(x, int | float | complex):
            raise self.text.refuse(f"{repr_text(x, 40)} is no number.", node)
        if isinstance(x, float):
            typed = self.text.segment(node).lower().replace("_", "")
            if np.isinf(x) or (x == 0 and re.search("[1-9]", typed.split("e")[0])):
                raise self.text.refuse("This is outside the range of floats, 1e-323 to 1e308.", node)
            x = Fraction(typed) if self.exact else x
        return self._bounded(x, node)

    def _argument(self, node: Any) -> Any:
        """An argument of an op: any value, or a word, truth value or None."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bool | None):
            return node.value
        return self.value(node)

    def _chain(self, node: ast.BinOp) -> Any:
        """A sum or product, however many terms it has."""
        steps = [node]
        while isinstance(steps[-1].left, ast.BinOp):
            steps.append(steps[-1].left)
        x = self.value(steps[-1].left)
        for step in reversed(steps):
            x = self._operate(step, x, self.value(step.right))
        return x

    def _operate(self, node: Any, *args: Any) -> Any:
        sign, name = OPERATORS[type(node.op)]
        function = getattr(public, name)
        if name in ON_NUMBERS and all(isinstance(x, int | float | complex | Fraction) for x in args):
            function = ON_NUMBERS[name]
            if self.exact and name == "divide" and all(map(_is_exact, args)):
                args = (Fraction(args[0]), args[1])
        return self._apply(node, name, function, args, {}, sign)

    def _check_fit(self, call: ast.Call, op: Any) -> None:
        """Refuse what an op without options of its own has no place for."""
        rule = getattr(op, "rule", None)
        if rule is None or rule.options or rule.variadic:
            return
        takes = f"{rule.name} takes {len(rule.inputs)} argument{'s' * (len(rule.inputs) > 1)}"
        if len(call.args) > len(rule.inputs):
            raise self.text.refuse(f"{takes}, and {len(call.args)} stand here.", call)
        for name, keyword in keywords_of(self.text, call):
            if name not in UFUNC_OPTIONS:
                raise self.text.refuse(f"{takes}, and no {name}=.", keyword)

    def _entry(self, node: ast.Subscript) -> Any:
        x = self.value(node.value)
        if not isinstance(x, list | tuple) and not np.ndim(data_of(x)):
            raise self.text.refuse("This is a single number; only lists have entries.", node)
        return self._apply(node, "getitem", operator.getitem, [x, self._key(node.slice)], {})

    def _key(self, node: Any) -> Any:
        """An index: a whole number, ``a:b:c``, ``None``, ``...``, a list of whole numbers, or several of them."""
        match node:
            case ast.Slice():
                return slice(*(part and self._key(part) for part in (node.lower, node.upper, node.step)))
            case ast.Tuple():
                return tuple([self._key(x) for x in node.elts])
            case ast.List():
                return [self._key(x) for x in node.elts]
            case ast.Constant(value=None) | ast.Constant(value=EllipsisType()):
                return node.value
        x = self.value(node)
        if not isinstance(x, int):
            raise self.text.refuse("An index is a whole number, such as the 0 of x[0].", node)
        return x

    def _apply(
        self, node: Any, name: str, function: Any, args: Iterable[Any], options: Mapping[str, Any], sign: str = ""
    ) -> Any:
        """Call an op for a part of the expression; what goes wrong is said with the place."""
        args = [*args]
        if name in GROWING:
            self._check_growth(node, name, args)
        self.place.origin = self.text.origin(node)
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                y = function(*args, **options)
        except AutodiffError as error:
            advice = "Or leave --exact away." if self.exact and isinstance(error, KindError) else ""
            raise self.text.refuse(str(error), node, advice) from error
        except Exception as error:  # an op may be given anything, and each library raises errors of its own
            shown = shorten(self.text.segment(node), 40) if name == "getitem" else _call_text(name, args, sign)
            raise self.text.refuse(f"{shown} cannot be computed: {_reason(error)}.", node) from error
        return self._bounded(y, node)

    def _check_growth(self, node: Any, name: str, args: list[Any]) -> None:
        """Refuse 9**9**9 and its like before it is computed."""
        x, n = [*map(data_of, args), 0, 0][:2]
        if _is_exact(x) and _is_exact(n):
            # How many bits the result is longer for each 1 in n.
            bits = math.log2(max(abs(x.numerator), x.denominator)) if name in ("power", "pow") else 1
            if bits and abs(n) > MOST_BITS / bits:
                raise self.text.refuse(TOO_LONG, node)

    def _bounded(self, y: Any, node: Any) -> Any:
        if _bits(data_of(y)) > 2 * MOST_BITS:
            raise self.text.refuse(TOO_LONG, node)
        return y


TOO_LONG = "This whole number or fraction would have more than 1,000 digits. Write a float, such as 9.0 for 9."


def _is_exact(x: Any) -> bool:
    return isinstance(x, int | Fraction)


def _bits(x: Any) -> int:
    return x.numerator.bit_length() + x.denominator.bit_length() if _is_exact(x) else 0


def _call_text(name: str, args: list[Any], sign: str) -> str:
    texts = [f"a list of {len(x)}" if isinstance(x, list | tuple) else data_text(x) for x in args]
    if sign:
        return f"{texts[0]} {sign} {texts[1]}" if len(texts) == 2 else f"{sign}{texts[0]}"
    return f"{name}({', '.join(texts)})"


def _reason(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "it is a division by zero"
    if isinstance(error, OverflowError):
        return "the result is too large"
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    text = shorten(error, 200).rstrip(".")
    return text or type(error).__name__
