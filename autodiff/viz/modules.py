"""Which module of a model each node belongs to, judged by the names of the parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..core.listing import Tape
from ..core.node import Node, shape_of

Scope = tuple[str, ...]
"""The steps of a dotted path: ``model.layers[0]`` is ``("model", "layers", "[0]")``."""

DEEPEST = 16
"""Steps of a path beyond so many are left away."""


def scope_of(name: str | None) -> Scope:
    """The module that a parameter belongs to by its name; empty if it is not part of one.

    Examples
    --------
    >>> scope_of("layers.0.weight"), scope_of("mlp.layers[1].w[2]"), scope_of("w"), scope_of("w[0]")
    (('layers', '0'), ('mlp', 'layers', '[1]'), (), ())
    """
    if name is None or len(name) > 200 or not re.fullmatch(r"\w+(\.\w+|\[[^\[\]]*\])+", name):
        return ()
    steps = re.findall(r"\[[^\]]*\]|\w+", name)
    while steps and (steps[-1].isdigit() or steps[-1].startswith("[")):
        steps.pop()  # w.0 and w[0] are entries of the attribute w
    return tuple(steps[:-1][:DEEPEST])


def meets_data(node: Node) -> bool:
    """Whether what an op makes of parameters is no longer theirs.

    An array is data for parameters that are arrays, a number for those that are numbers; and a number made of arrays is
    a penalty on weights, which belongs to the loss.
    """
    if not shape_of(node) and any(map(shape_of, node.args)):
        return True
    constants = [a for a in node.args if not (isinstance(a, Node) and a.tracked)]
    return any(len(shape_of(a)) == len(shape_of(node)) or shape_of(a) for a in constants)


def path_of(scope: Scope) -> str:
    """The scope as it is written in code."""
    return "".join(step if step.startswith("[") else f".{step}" for step in scope).lstrip(".")


def find_scopes(tape: Tape, outputs: Sequence[Node]) -> dict[int, Scope]:
    """The scope of each node that has one, by position on the tape.

    A parameter and what is computed from parameters alone belong to the parameter's module, and so does the op that
    they meet data in.  A module that holds others also holds what lies between them.
    """
    ends = {id(y) for y in outputs}
    arguments = [[tape.position[id(a)] for a in node.args if id(a) in tape.position] for node in tape]
    scopes: dict[int, Scope] = {}
    from_parameters: dict[int, Scope] = {}
    for i, (node, args) in enumerate(zip(tape, arguments, strict=True)):
        if node.rule is None:
            scope = scope_of(tape.name_of(node))
            if scope:
                scopes[i] = from_parameters[i] = scope
            continue
        met = [from_parameters[a] for a in args if a in from_parameters]
        if met and id(node) not in ends:
            scopes[i] = shared(met)
            if len(met) == len(args) and not meets_data(node):
                from_parameters[i] = scopes[i]
        elif len({*args}) > 1 and len({scopes.get(a) for a in args}) == 1 and id(node) not in ends:
            scopes[i] = scopes.get(args[0], ())
    _fill_between(arguments, scopes)
    return {i: scope for i, scope in scopes.items() if scope}


def _fill_between(arguments: list[list[int]], scopes: dict[int, Scope]) -> None:
    for scope in sorted(parents(scopes.values()), key=len, reverse=True):
        inside = {i for i, s in scopes.items() if s[: len(scope)] == scope}
        after: set[int] = set()
        before: set[int] = set()
        for i, args in enumerate(arguments):
            if any(a in inside or a in after for a in args):
                after.add(i)
        for i in reversed(range(len(arguments))):
            if i in inside or i in before:
                before.update(arguments[i])
        for i in after & before - inside:
            if scopes.get(i, ()) == scope[: len(scopes.get(i, ()))]:
                scopes[i] = scope


def parents(scopes: Iterable[Scope]) -> list[Scope]:
    """The scopes that hold more than one other, themselves included where something belongs to them directly."""
    own = {scope for scope in scopes if scope}
    steps: dict[Scope, set[str]] = {}
    for scope in own:
        for n in range(1, len(scope)):
            steps.setdefault(scope[:n], set()).add(scope[n])
    return sorted(scope for scope, inner in steps.items() if len(inner) > 1 or scope in own)


def shared(scopes: Sequence[Scope]) -> Scope:
    """The innermost scope that holds all of these."""
    first = scopes[0]
    n = 0
    while n < len(first) and all(scope[n : n + 1] == first[n : n + 1] for scope in scopes):
        n += 1
    return first[:n]
