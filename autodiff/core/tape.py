"""The tape and its two sweeps, which are the whole engine.

A tape is the list of nodes that some outputs depend on, oldest first (a Wengert list [1]_).  Since every node takes the
next number when it is made, sorting what is reachable by that number puts arguments before results: no recursion, and
no graph search beyond one walk.

References
----------
.. [1] R. E. Wengert, "A simple automatic derivative evaluation program", Comm. ACM 7 (1964) 463-464.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy import ndarray

from .errors import StaleDataError, TapeError
from .modes import Watcher, compiler, is_recording, watchers
from .node import Node, describe, version_before
from .placed import Placed

NOWHERE: frozenset[int] = frozenset()

FREED: Any = SimpleNamespace(name="an op that backward(free=True) has let go of", many=True)
"""Stands where the rule of a node was whose tape was freed."""


def collect(
    outputs: Iterable[Node], stop: Collection[int] = (), stale_allowed: bool = False
) -> tuple[list[Node], dict[int, Node]]:
    """What ``outputs`` depend on: the nodes that rules made, oldest first, and the leaves by index.

    The walk does not pass the nodes whose indices are in ``stop``; they count as leaves.  With ``stale_allowed`` the
    tape is only looked at: it may have been overtaken by a change of its leaves.

    Raises
    ------
    StaleDataError
        If an argument was changed after it was used.
    TapeError
        If part of the tape was freed.
    """
    made: dict[int, Node] = {}
    leaves: dict[int, Node] = {}
    stack = []
    for y in outputs:
        if y.tracked and y.index not in made:
            if y.rule is None or y.index in stop:
                leaves[y.index] = y
            else:
                made[y.index] = y
                stack.append(y)
    while stack:
        node = stack.pop()
        if node.rule is FREED:
            raise TapeError(
                "This tape was freed by backward(free=True) and cannot be swept again. "
                "Leave free=True away, or compute the result anew."
            )
        index = node.index
        for parent in node._a if node.rule.many else (node._a, node._b):  # type: ignore[union-attr]
            if isinstance(parent, Node):
                i = parent.index
                if i > index:
                    parent = argument_before(node, parent, stale_allowed)
                    i = parent.index
                if not parent.tracked:
                    continue
                if parent.rule is None or i in stop:
                    leaves[i] = parent
                elif i not in made:
                    made[i] = parent
                    stack.append(parent)
    return [made[index] for index in sorted(made)], leaves


def argument_before(node: Node, parent: Node, stale_allowed: bool) -> Node:
    """An argument that was changed after ``node`` used it, as it was; the node holds that version from now on."""
    meant = version_before(parent, node.index)
    if meant is None:
        if stale_allowed:
            return parent
        raise stale(parent, node)
    if node.rule.many:  # type: ignore[union-attr]
        node._a = tuple([meant if x is parent else x for x in node._a])
    else:
        node._a, node._b = (meant if x is parent else x for x in (node._a, node._b))
    return meant


def pull_back(
    outputs: Sequence[Node],
    cotangents: Sequence[Any],
    inputs: Iterable[Node] = (),
    create_graph: bool = False,
    stop: Collection[int] = (),
) -> Iterator[tuple[Node, Any]]:
    """Walk the tape backwards with VJPs; yield each node with its finished cotangent, newest first, leaves last.

    A cotangent is left where it was asked for: the walk stops at ``inputs``, or at the nodes whose indices are in
    ``stop``.  With ``create_graph`` the derivatives are computed on nodes instead of on data, and so are recorded
    themselves.
    """
    wanted = stop or ({x.index for x in inputs} if inputs else NOWHERE)
    nodes, leaves = collect(outputs, wanted)
    pending: dict[int, Any] = {}
    for y, g in zip(outputs, cotangents, strict=True):
        pending[y.index] = pending[y.index] + g if y.index in pending else g
    watching = () if is_recording() is True else watchers()
    for watcher in watching if not wanted else ():
        watcher.swept(outputs, leaves)
    with silence(nodes):
        while nodes:
            node = nodes.pop()  # so that a caller who lets go of values as they pass can
            g = pending.pop(node.index, None)
            rule: Any = node.rule
            if g.__class__ is not ndarray:
                if g is None:
                    continue
                if g.__class__ is Placed:
                    g = g.written_out()
            if not rule.fresh and g.__class__ is ndarray:
                g.setflags(
                    write=False
                )  # the rule may hand it on as it is, or a view of it, which then is read-only too
            if watching:
                pull_watched(watching, rule.pull_nodes if create_graph else rule.pull, g, node, pending)
            else:
                (rule.pull_nodes if create_graph else rule.pull_on)(g, node, pending)
            yield node, g
    for index, leaf in leaves.items():
        if index in pending:
            g = pending[index]
            yield leaf, g.written_out() if g.__class__ is Placed else g


def pull_watched(watching: Iterable[Watcher], pull: Any, g: Any, node: Node, pending: dict[int, Any]) -> None:
    """One step of the sweep, with what it found shown to those who watch before it is added up."""
    found: dict[int, Any] = {} if compiler() is None else pending  # a program must add up as an eager sweep does
    pull(g, node, found)
    for watcher in watching:
        watcher.pulled(node, g, found)
    if found is not pending:
        for i, c in found.items():
            pending[i] = pending[i] + c if i in pending else c


def push_forward(
    outputs: Sequence[Node],
    inputs: Sequence[Node],
    tangents: Sequence[Any],
    create_graph: bool = False,
    stop: Collection[int] = (),
) -> list[Any]:
    """Walk the tape forwards with JVPs; return the tangent of each output, None where no input reaches it.

    The walk leaves out what is reached through the inputs, or the nodes whose indices are in ``stop``.
    """
    pushed: dict[int, Any] = {x.index: t for x, t in zip(inputs, tangents, strict=True)}
    nodes, _ = collect(outputs, stop or set(pushed))
    with silence(nodes):
        for node in nodes:
            rule: Any = node.rule
            t = (rule.push_nodes if create_graph else rule.push)(pushed, node)
            if t is not None:
                pushed[node.index] = node._fit_tangent(t)
    return [pushed.get(y.index) for y in outputs]


NOTHING = nullcontext()


def silence(nodes: list[Node]) -> AbstractContextManager[None]:
    """Keep NumPy from warning of infinite slopes: they are answers.  Where every rule is quiet there are none."""
    for node in nodes:
        if not node.rule.quiet:  # type: ignore[union-attr]
            return np.errstate(all="ignore")
    return NOTHING  # entering errstate takes as long as a small derivative


def stale(parent: Node, node: Node) -> StaleDataError:
    """The error for an argument that changed after it was used."""
    made = node.rule.name if node.rule is not None else "an op"
    return StaleDataError(
        f"The data of {describe(parent)} was changed after {made} used it, so the tape no longer matches what was "
        "computed. Compute the loss again after the change, or differentiate before it."
    )


def require_tracked(y: Any, doing: str) -> Node:
    """``y`` if it is on a tape, else an error that says what to do."""
    if not isinstance(y, Node) or not y.tracked:
        raise TapeError(
            f"{doing} needs a result that was recorded, got "
            f"{describe(y) + ' with requires_grad=False' if isinstance(y, Node) else 'a plain ' + type(y).__name__}. "
            "Compute it from a tensor that requires a gradient, outside no_grad()."
        )
    return y
