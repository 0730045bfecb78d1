"""What may stand in an expression of the command line.  Everything else is refused before anything is computed."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator
from typing import Any

from ..core.errors import ArgumentError
from ..ops import public
from .text import SIGNS, Text, did_you_mean

MOST_DEEP = 100
"""How deep an expression may be nested."""

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}

PREFIXES = {*["np", "numpy", "ad", "autodiff", "math", "np.linalg", "numpy.linalg", "ad.linalg", "autodiff.linalg"]}
"""What may stand before the name of an op, and a dot."""

ALLOWED = (
    "What may stand in an expression: numbers, names with values, pi, e, + - * / ** @, parentheses, lists, "
    "indices such as x[0], ops such as sin(x) or sum(x, axis=0), and intermediate results, as in a = x*y; a*a."
)

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", "add"),
    ast.Sub: ("-", "subtract"),
    ast.Mult: ("*", "multiply"),
    ast.Div: ("/", "divide"),
    ast.Pow: ("**", "power"),
    ast.MatMult: ("@", "matmul"),
    ast.UAdd: ("+", "positive"),
    ast.USub: ("-", "negative"),
}
"""The sign of each operator, and the op that it stands for."""

PARTS = (
    ast.Expr, ast.Assign, ast.BinOp, ast.UnaryOp, ast.Call, ast.keyword, ast.Constant, ast.Name,
    ast.Subscript, ast.Slice, ast.List, ast.Tuple,
)  # fmt: skip

REFUSED = {
    "Compare": "A comparison",
    "BoolOp": "'and' or 'or'",
    "Not": "'not'",
    "FloorDiv": "//",
    "Mod": "%",
    "BitXor": "^",
    "BitOr": "|",
    "BitAnd": "&",
    "LShift": "<<",
    "RShift": ">>",
    "Invert": "~",
    "Lambda": "A lambda",
    "ListComp": "A comprehension",
    "SetComp": "A comprehension",
    "DictComp": "A comprehension",
    "GeneratorExp": "A comprehension",
    "JoinedStr": "An f-string",
    "TemplateStr": "A t-string",
    "NamedExpr": "An assignment by :=",
    "Starred": "A starred argument",
    "IfExp": "A condition",
    "Dict": "A dictionary",
    "Set": "A set",
    "AugAssign": "An updating assignment",
    "AnnAssign": "An annotation",
    "Await": "'await'",
    "Yield": "'yield'",
    "YieldFrom": "'yield'",
    "Attribute": "An attribute",
    "bytes": "A byte string",
}


def refused(text: Text, kind: type, node: Any, hint: str = "") -> ArgumentError:
    """The error for something that has no place in an expression."""
    words = REFUSED.get(kind.__name__, "A statement")
    return text.refuse(f"{words} cannot be used here.{hint}", node, ALLOWED)


def statements_of(text: Text, tree: ast.Module, given: Iterable[str]) -> list[Any]:
    """The parts of an expression between semicolons, if all of them are allowed and every name has a value.

    Parameters
    ----------
    text : Text
    tree : ast.Module
        The text, read.
    given : iterable of str
        The names that have a value.

    Raises
    ------
    ArgumentError
        If something is not allowed; it points at the place.
    """
    if not tree.body:
        raise ArgumentError(f"The {text.what} is empty. Write one, such as 'x*y + sin(x)'.")
    defined, missing = {*given}, dict[str, ast.Name]()
    for statement in tree.body:
        for name in names_in(text, statement):
            if name.id not in defined and name.id not in CONSTANTS:
                missing.setdefault(name.id, name)
        if isinstance(statement, ast.Assign):
            defined.add(_target(text, statement, defined))
        elif statement is not tree.body[-1]:
            raise text.refuse("Only the last part may be without a name. Write a = ... for this one.", statement)
    if missing:
        raise text.refuse(_no_value([*missing], defined), next(iter(missing.values())))
    return tree.body


def _target(text: Text, statement: ast.Assign, defined: set[str]) -> str:
    target = statement.targets[0]
    if len(statement.targets) > 1 or not isinstance(target, ast.Name) or target.id.startswith("_"):
        raise text.refuse("An intermediate result is one name with one value: a = x*y.", statement)
    if target.id in defined:
        raise text.refuse(f"{target.id} has a value already. Choose another name.", target)
    return target.id


def _no_value(missing: list[str], defined: set[str]) -> str:
    first, names = missing[0], " and ".join([*filter(None, [", ".join(missing[:-1])]), missing[-1]])
    if first in defined:
        return f"{first} gets its value only further on. Write that part first."
    if first in PREFIXES:
        return f"{first} is the name of a library. Write {first}.sin(x), or just sin(x)."
    if signs := [c for c in first if c in SIGNS]:
        return f"There is no value for {first}. Write {SIGNS[signs[0]]} for {signs[0]}."
    if hint := did_you_mean(first, defined):
        return f"There is no value for {_spelt(first)}.{hint}"
    if first in public.names():
        return f"{first} is an op. Write its arguments in parentheses, as in {first}(x)."
    return f"There is no value for {_spelt(first) if len(missing) == 1 else names}. " + (
        f"Add: --at {','.join(f'{name}=1.0' for name in missing)}"
    )


def _spelt(name: str) -> str:
    """A name, with what its letters are called if they may look like others."""
    if name.isascii():
        return name
    import unicodedata  # only what is not ASCII needs it

    letters = [unicodedata.name(c, "an unnamed letter") for c in name if not c.isascii()]
    return f"{name} ({', '.join(letters[:3])})"


def names_in(text: Text, statement: ast.stmt | ast.expr) -> Iterator[ast.Name]:
    """Walk through a part of an expression, from left to right; yield the names whose values it needs."""
    stack: list[tuple[Any, int]] = [(statement, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MOST_DEEP:
            raise text.refuse(f"The {text.what} is nested more than {MOST_DEEP} deep.", node)
        if isinstance(node, ast.Attribute) and _prefix(node) in PREFIXES and node.attr in CONSTANTS:
            continue
        if isinstance(node, ast.Attribute):
            raise refused(text, ast.Attribute, node, _without_dot(node))
        if not isinstance(node, PARTS):
            raise refused(text, type(node), node)
        inside = [*ast.iter_child_nodes(node)]
        match node:
            case ast.Name():
                yield node
                continue
            case ast.BinOp() | ast.UnaryOp() if type(node.op) not in OPERATORS:
                hint = " A power is written **." if isinstance(node.op, ast.BitXor) else ""
                raise refused(text, type(node.op), node, hint)
            case ast.BinOp() | ast.UnaryOp():
                inside = [x for x in inside if x is not node.op]
            case ast.Call():
                op_called(text, node)
                inside = [*node.args, *node.keywords]
            case ast.keyword(arg=None):
                raise refused(text, ast.Starred, node)
            case ast.Constant(value=bytes()):
                raise refused(text, bytes, node)
            case ast.Assign():
                inside = [node.value]
        # A sum of many terms is a chain of sums on the left, but nobody would call it nested.
        stack += [
            (x, depth if isinstance(node, ast.BinOp) and x is node.left and isinstance(x, ast.BinOp) else depth + 1)
            for x in reversed(inside)
            if not isinstance(x, ast.expr_context)
        ]


def op_called(text: Text, call: ast.Call) -> str:
    """The name of the op that is called."""
    function = call.func
    prefix = _prefix(function) if isinstance(function, ast.Attribute) else None
    if isinstance(function, ast.Name):
        name = function.id
    elif isinstance(function, ast.Attribute) and prefix in PREFIXES:
        name = function.attr
    elif isinstance(function, ast.Attribute):
        raise refused(text, ast.Attribute, function, _without_dot(function))
    else:
        raise text.refuse("Only ops can be called. Write a * in between to multiply.", call)
    if name not in public.__all__ and name not in public.names():
        hint = " Did you mean log?" if name == "ln" else did_you_mean(name, public.names())
        if len(name) == 1:
            hint = f" Write {name}*(...) to multiply."
        raise text.refuse(f"There is no op {name}.{hint}", function)
    return name


def _prefix(node: ast.Attribute) -> str | None:
    """What stands before the last dot, if it is short."""
    match node.value:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return f"{name}.{attribute}"
    return None


def _without_dot(node: ast.Attribute) -> str:
    """How to write ``x.sum()`` and ``x.T``."""
    name = "transpose" if node.attr == "T" else node.attr
    return f" Write {name}(x) for x.{node.attr}." if name in public.names() else ""


def keywords_of(text: Text, call: ast.Call) -> Iterator[tuple[str, ast.keyword]]:
    """The keyword arguments of a call, each of which may stand there once."""
    seen = set[str]()
    for keyword in call.keywords:
        if keyword.arg is None:
            raise refused(text, ast.Starred, keyword)
        if keyword.arg in seen:
            raise text.refuse(f"{keyword.arg} stands here twice.", keyword)
        seen.add(keyword.arg)
        yield keyword.arg, keyword
