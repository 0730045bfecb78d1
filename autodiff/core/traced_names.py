"""What the program called things where they were made, for nodes that were recorded inside ``with ad.trace():``."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Sequence

from .node import Node


def traced_names(nodes: Sequence[Node]) -> dict[int, str]:
    """Names by ``id``: of results those of the variables they were assigned to, of leaves those of their first use.

    Examples
    --------
    >>> traced_names([])
    {}
    """
    histories = {id(node.origin.history): node.origin.history for node in nodes if node.origin is not None}
    names = assigned_names(nodes) if histories else {}
    for leaf in nodes if histories else ():
        if leaf.rule is None:
            found = [name for h in histories.values() if (name := h.name_of(leaf)) is not None]
            names |= {id(leaf): name for name in found[:1]}
    return names


def assigned_names(nodes: Iterable[Node]) -> dict[int, str]:
    """What the program calls a result, by ``id``, where the whole right-hand side of an assignment made the node.

    ``h = tanh(x @ w)`` names the result of ``tanh``: the last node that was made at that place in the same call.
    """
    names: dict[int, str] = {}
    targets: dict[str, dict[tuple[int, int | None, int, int | None], str]] = {}
    last: Node | None = None
    for node in nodes:
        if node.origin is None:
            continue
        if last is not None and last.origin is not None and last.origin.place in node.origin.via:
            continue  # a step inside the expression that is being computed
        place = node.origin.place
        if place.line.filename not in targets:
            targets[place.line.filename] = _targets(place.line.filename)
        name = targets[place.line.filename].get((place.line.number, place.column, place.last, place.end_column))
        if name is not None:
            same = last is not None and last.origin is not None and last.origin.place is place
            if same and last is not None and not _finished(last, node):
                names.pop(id(last), None)
            names[id(node)] = name
        last = node
    return names


def _finished(before: Node, after: Node) -> bool:
    """Whether ``before`` was the result of a call of a module of its own, and not a step towards ``after``."""
    a, b = before.origin, after.origin
    return a is not None and b is not None and bool(a.scope) and bool(b.scope) and a.scope[:1] != b.scope[:1]


def _targets(filename: str) -> dict[tuple[int, int | None, int, int | None], str]:
    """The variables of a file that one value is assigned to, by the place of the value."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}  # a prompt's magic commands, or a file that changed
    found: dict[tuple[int, int | None, int, int | None], str] = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign | ast.NamedExpr) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name | ast.Attribute):
            place = (value.lineno, value.col_offset, value.end_lineno or value.lineno, value.end_col_offset)
            found[place] = ast.unparse(target)
    return found
