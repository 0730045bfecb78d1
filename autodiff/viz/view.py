"""The neutral view of a tape, which every drawing and the debugger are printed from.

A view says what there is and what happened: nodes, edges with their place among the arguments, scopes, where in the
program each node was made, and, after a sweep of its own, what each edge contributed.  It knows nothing of boxes or
colours.  Ids depend on the program alone: the same program has the same view.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from ..core import numbers
from ..core.edges import Contribution, contributions, pull_apart
from ..core.errors import TapeError
from ..core.listing import Tape
from ..core.node import Node, data_of, shape_of
from ..core.origin import Origin
from ..core.summary import option_text, options_of
from ..core.tape import require_tracked
from ..ops.windows import Windows
from .scopes import Scope, all_scopes, scope_tree

SCATTERING = frozenset({"getitem"})
"""Rules whose cotangent is put back at the places it came from, with zeros elsewhere: a step of its own."""


@dataclass(slots=True)
class ViewNode:
    """A node of the tape, or a constant that an op used.

    Attributes
    ----------
    id : str
        ``n3`` for the node at position 3 of the tape, ``c0`` for a constant.
    kind : str
        ``"leaf"``, ``"op"`` or ``"constant"``.
    is_output : bool
        Whether the view was asked for it.
    op : str or None
        The name of the rule that made it.
    name : str or None
        What the program calls it.
    options : list of str
        Options of the op that are not its defaults: ``["axis=1"]``.
    data : ndarray or number
    grad : ndarray, number or None
        What ``.grad`` holds.
    cotangent : ndarray, number or None
        What the sweep of the view found; None where it did not come.
    origin : Origin or None
    scope : Scope
    node : Node or None
        None for a constant that is no node.
    """

    id: str
    kind: str
    is_output: bool
    op: str | None
    name: str | None
    options: list[str]
    data: Any
    grad: Any
    origin: Origin | None
    scope: Scope
    node: Node | None
    cotangent: Any = None


@dataclass(slots=True)
class ViewEdge:
    """One argument of one op.

    Attributes
    ----------
    id, source, target : str
        Its own id, and those of the argument and of the result.
    argument : int
        Which argument of the op it is, from 0.
    input : str
        What the rule calls the argument; ``arrays[1]`` where it takes a list.
    parallel : tuple of int
        Which of how many edges between the same two nodes, from 0: ``(1, 2)`` for the second in ``x * x``.
    tracked : bool
        Whether a cotangent can flow back.
    contribution : Contribution or None
        What flowed back in the sweep.
    local : ndarray, number or None
        The local derivative, of ops that work entry by entry.
    """

    id: str
    source: str
    target: str
    argument: int
    input: str
    parallel: tuple[int, int]
    tracked: bool
    contribution: Contribution | None = None
    local: Any = None


@dataclass(slots=True)
class Step:
    """One step of the program or of the sweep back.

    Attributes
    ----------
    kind : str
        ``"forward"``: the op of ``target`` is computed.  ``"seed"``: the sweep starts at ``target``.  ``"pull"``: the
        cotangent of an op is pulled back along ``edge``.  ``"sum"`` and ``"scatter"``: what was pulled back is summed
        to the argument's shape, or put back at the places that were looked up.
    target : str
        The node that gets a value, or a cotangent.
    edge : str or None
    total : ndarray, number or None
        The cotangent of ``target`` so far, if the step adds to it.
    """

    kind: str
    target: str
    edge: str | None = None
    total: Any = None


@dataclass
class View:
    """What there is to see of a tape.

    Attributes
    ----------
    tape : Tape
    outputs : sequence of Node
        What the view was asked for.
    nodes, edges : dict by id
    root : Scope
        The tree of modules and groups; its own title is empty.
    steps : list of Step
        First forward, in the order of the program, then backward, if a sweep was made.
    """

    tape: Tape
    outputs: Sequence[Node]
    nodes: dict[str, ViewNode] = field(default_factory=dict)
    edges: dict[str, ViewEdge] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = scope_tree(self.tape, self.outputs)
        self._scope_at = {i: scope for scope in [self.root, *self.scopes] for i in scope.members if isinstance(i, int)}
        self._constants: dict[int, str] = {}
        self._n_constants = 0
        self._into: dict[str, list[ViewEdge]] = {}
        ends = {id(y) for y in self.outputs}
        for i, node in enumerate(self.tape):
            self._add(f"n{i}", node, node, self._scope_at[i], id(node) in ends)
            self._link(f"n{i}", node)
            if node.rule is not None:
                self.steps.append(Step("forward", f"n{i}"))

    @property
    def scopes(self) -> list[Scope]:
        """Every scope but the root, outer ones first."""
        return list(all_scopes(self.root))

    def edges_into(self, key: str) -> list[ViewEdge]:
        """The edges that end at a node, in the order of the arguments."""
        return self._into.get(key, [])

    def _add(self, key: str, x: Any, node: Node | None, scope: Scope, is_output: bool = False) -> None:
        made = node is not None and node.rule is not None and not key.startswith("c")
        self.nodes[key] = ViewNode(
            id=key,
            kind="constant" if key.startswith("c") else "op" if made else "leaf",
            is_output=is_output,
            op=node.rule.name if node is not None and node.rule is not None else None,
            name=self.tape.name_of(x),
            options=_options_of(node) if node is not None else [],
            data=data_of(x),
            grad=data_of(node.grad) if node is not None else None,
            origin=node.origin if node is not None else None,
            scope=scope,
            node=node,
        )

    def _link(self, key: str, node: Node) -> None:
        sources = [
            f"n{self.tape.position[id(a)]}" if id(a) in self.tape.position else self._constant(a, self.nodes[key].scope)
            for a in node.args
        ]
        uses = Counter(sources) if len(set(sources)) < len(sources) else {}
        before: dict[str, int] = {}
        rule: Any = node.rule
        self._into[key] = []
        for k, (source, a) in enumerate(zip(sources, node.args, strict=True)):
            edge = ViewEdge(
                id=f"e{len(self.edges)}",
                source=source,
                target=key,
                argument=k,
                input=f"{rule.inputs[0]}[{k}]" if rule.variadic else rule.inputs[k],
                parallel=(before.get(source, 0), uses.get(source, 1)),
                tracked=isinstance(a, Node) and a.tracked,
            )
            if uses:
                before[source] = before.get(source, 0) + 1
            self.edges[edge.id] = edge
            self._into[key].append(edge)

    def _constant(self, x: Any, scope: Scope) -> str:
        """The id of a constant: an array stands once, a number beside each op that uses it."""
        is_array = bool(shape_of(x)) and isinstance(data_of(x), np.ndarray)
        if is_array and id(x) in self._constants:
            return self._constants[id(x)]
        key = f"c{self._n_constants}"
        self._n_constants += 1
        if is_array:
            self._constants[id(x)] = key
        self._add(key, x, x if isinstance(x, Node) else None, self.root if is_array else scope)
        return key

    def sweep(self, cotangents: Sequence[Any]) -> View:
        """Sweep back from the outputs, and remember what each edge contributed; nobody's ``.grad`` changes."""
        position = self.tape.position
        for y, g in zip(self.outputs, cotangents, strict=True):
            self.steps.append(Step("seed", f"n{position[id(y)]}", total=g))
        totals: dict[str, Any] = {}
        for node, g, parts in pull_apart(self.outputs, cotangents):
            key = f"n{position[id(node)]}"
            self.nodes[key].cotangent = totals[key] = g
            if node.rule is None:
                continue
            ones = contributions(node, ones_of(node._data)) if node.rule.entrywise else [None] * len(parts)
            for edge, part, local in zip(self._into[key], parts, ones, strict=True):
                if part is None:
                    continue
                edge.contribution = part
                edge.local = local.raw if local is not None else None
                how = _fitting(node, part)
                total = totals.get(edge.source)
                with np.errstate(all="ignore"):
                    total = totals[edge.source] = part.fitted if total is None else total + part.fitted
                self.steps.append(Step("pull", edge.source, edge.id, None if how else total))
                if how:
                    self.steps.append(Step(how, edge.source, edge.id, total))
        return self


def _options_of(node: Node) -> list[str]:
    """Options that are not the defaults; of the windows of a convolution or a pooling, each part for itself."""
    windows = (node.params or {}).get("windows")
    if not isinstance(windows, Windows):
        return options_of(node)
    parts = {
        "stride": _common(windows.stride),
        "padding": _common(tuple(before if before == after else (before, after) for before, after in windows.padding)),
        "dilation": _common(windows.dilation),
    }
    usual = {"stride": 1, "padding": 0, "dilation": 1}
    given = [f"{name}={option_text(part)}" for name, part in parts.items() if part != usual[name]]
    others = [text for text in options_of(node) if not text.startswith("windows=") and text != "groups=1"]
    return ["×".join(map(str, windows.size)), *given, *others]


def _common(parts: tuple[Any, ...]) -> Any:
    """What is the same along each axis, once; else all parts."""
    return parts[0] if len(set(parts)) == 1 else parts


def ones_of(data: Any) -> Any:
    """Ones in the shape and kind of some data: the cotangent of a sweep that starts there."""
    return np.ones_like(data) if isinstance(data, np.ndarray) else numbers.like(data, 1)


def _fitting(node: Node, part: Contribution) -> str | None:
    """The step of its own that brings what was pulled back to the shape of the argument."""
    if node.rule is not None and node.rule.name in SCATTERING:
        return "scatter"
    return "sum" if shape_of(part.raw) != shape_of(part.fitted) else None


def view_of(outputs: Sequence[Any], frame: FrameType, what: str) -> View:
    """The view of the tape of some results, with the names that the variables of ``frame`` give.

    Raises
    ------
    TapeError
        If a result was not recorded, or its tape was freed; the message speaks of ``what``.
    """
    for y in outputs:
        require_tracked(y, f"{what}()")
    try:
        tape = Tape.seen_from(frame, outputs, what)
    except TapeError:  # all of it was recorded, so part of it was freed
        raise TapeError(
            f"{what}() was given a result whose tape was freed: backward(free=True) let go of its values and of what "
            f"they were computed from. Leave free=True away, call {what}() before that backward, or compute the result "
            "anew."
        ) from None
    return View(tape, outputs)
