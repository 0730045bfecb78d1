"""Folding: from a view of thousands of nodes to a few dozen boxes.

A scope can be *open*, its contents drawn in a frame; *folded*, drawn as one box; and a repeated block can be drawn
*once*: its first member stands for all.  What is hidden is mapped onto what is drawn, and edges with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..core.errors import ArgumentError
from .scopes import MADE, Scope
from .view import View, ViewEdge, ViewNode

MOST_BOXES = 60
"""With more boxes than this a drawing is folded, unless the user forbids it."""
MOST_PORTS = 6
"""An op with more arguments than this is drawn without an entry for each."""


@dataclass(slots=True)
class FoldedBox:
    """One box: a node, or a scope that is folded.

    Attributes
    ----------
    order : int
        Position of the first node inside.
    frame : Scope or None
        The innermost frame around it.
    """

    id: str
    order: int
    frame: Scope | None
    node: ViewNode | None = None
    scope: Scope | None = None


@dataclass(slots=True)
class FoldedLink:
    """One link, and the edges that it stands for.  Between two nodes each argument has its own."""

    source: str
    target: str
    argument: int | None
    edges: list[ViewEdge] = field(default_factory=list)


@dataclass(slots=True)
class Folded:
    """What is left to draw.

    Attributes
    ----------
    frames : list of Scope
        Open scopes that are drawn as frames, outer ones first.
    """

    boxes: dict[str, FoldedBox]
    links: list[FoldedLink]
    frames: list[Scope]


def is_module(scope: Scope) -> bool:
    """Whether a scope is a module of the program, and neither the root nor a group that was made for the eye."""
    return scope.parent is not None and scope.kind not in MADE


def inner_scopes(scope: Scope) -> list[Scope]:
    """The scopes directly inside."""
    return [member for member in scope.members if isinstance(member, Scope)]


@dataclass
class Plan:
    """Which scopes are folded, and which repeated blocks are drawn once; all others are open."""

    folded: set[str] = field(default_factory=set)
    once: set[str] = field(default_factory=set)

    def shown(self, scope: Scope) -> Sequence[Scope | int]:
        """The members of an open scope that are drawn."""
        return scope.members[:1] if scope.id in self.once else scope.members

    def seen_scopes(self, root: Scope) -> Iterator[Scope]:
        """The scopes inside one that are open or folded, and not hidden; outer ones first."""
        stack = [root]
        while stack:
            scope = stack.pop()
            yield scope
            if scope.id not in self.folded:
                stack.extend(m for m in reversed(self.shown(scope)) if isinstance(m, Scope))

    def open_scopes(self, root: Scope) -> list[Scope]:
        """Those whose contents are drawn."""
        return [scope for scope in self.seen_scopes(root) if scope.id not in self.folded]


def plan_of(view: View, collapse: str | Iterable[str] | None, depth: int | None) -> Plan:
    """Decide what is folded.

    Parameters
    ----------
    view : View
    collapse : str, sequence of str or None
        ``"auto"``, ``"repeats"``, or titles of scopes, in which ``*`` stands for anything.
    depth : int or None
        Modules inside more modules than this are folded.
    """
    plan = Plan()
    if depth is not None:
        for scope in view.scopes:
            if is_module(scope) and _module_depth(scope) == depth + 1:
                plan.folded.add(scope.id)
    if collapse == "auto":
        _fold_until_it_fits(view, plan)
    elif collapse == "repeats":
        plan.once.update(scope.id for scope in view.scopes if scope.kind == "repeat")
    elif collapse is not None:
        patterns = [collapse] if isinstance(collapse, str) else list(collapse)
        for pattern in patterns:
            for scope in _matching(view, pattern):
                plan.folded.add(scope.id)
    for scope in view.scopes:
        if scope.id in plan.once and any(inner.id in plan.folded for inner in inner_scopes(scope)[:1]):
            plan.folded.add(scope.id)
    return plan


def _module_depth(scope: Scope) -> int:
    depth, around = 0, scope
    while around.parent is not None:
        depth += is_module(around)
        around = around.parent
    return depth


def _matching(view: View, pattern: str) -> list[Scope]:
    """The modules that a pattern names, by their titles with or without the number of the call."""
    glob = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    modules = [scope for scope in view.scopes if is_module(scope)]
    found = [s for s in modules if glob.fullmatch(s.title) or glob.fullmatch(s.title.partition(" (call ")[0])]
    if not found:
        raise ArgumentError(f"draw(collapse={pattern!r}): {_no_such_module(pattern, [s.title for s in modules])}")
    return found


def _no_such_module(pattern: str, titles: list[str]) -> str:
    if not titles:
        return "this tape has no modules to fold. Record it inside `with ad.trace():`, or leave collapse away."
    import difflib

    near = difflib.get_close_matches(pattern, titles, 1, 0.5)
    if near:
        return f"no module has such a title. Did you mean {near[0]!r}?"
    return f"no module has such a title. The modules are {', '.join([*titles[:6], '…'] if titles[6:] else titles)}."


def _fold_until_it_fits(view: View, plan: Plan) -> None:
    """Draw repeated blocks once; then fold scopes, the deepest first and alike ones together, until they are few."""
    count = _counter(plan, _numbers_beside(view))
    if count(view.root) <= MOST_BOXES:
        return
    plan.once.update(scope.id for scope in view.scopes if scope.kind == "repeat")
    while (drawn := count(view.root)) > MOST_BOXES:
        scopes = [s for s in plan.open_scopes(view.root) if s.parent is not None and s.parent.id not in plan.once]
        if not scopes:
            return
        deepest = max(s.depth for s in scopes)
        groups = _alike(s for s in scopes if s.depth == deepest)
        saved = {key: sum(count(scope) - 1 for scope in group) for key, group in groups.items()}
        for key in sorted(groups, key=lambda key: -saved[key]):
            plan.folded.update(scope.id for scope in groups[key])
            drawn -= saved[key]
            if drawn <= MOST_BOXES:
                break
    _open_while_it_fits(view, plan, count)


def _open_while_it_fits(view: View, plan: Plan, count: Callable[[Scope], int]) -> None:
    """Open modules and repeated blocks again for which there is room after all."""

    def worth_opening(scopes: Iterable[Scope]) -> dict[tuple[str, int], list[Scope]]:
        folded = [s for s in scopes if s.id in plan.folded and s.kind != "run"]
        return _alike(s for s in folded if all(inner.kind != "run" for inner in inner_scopes(s)))

    waiting = worth_opening(plan.seen_scopes(view.root))
    while waiting:
        _, scopes = waiting.popitem()
        plan.folded.difference_update(scope.id for scope in scopes)
        if count(view.root) > MOST_BOXES:
            plan.folded.update(scope.id for scope in scopes)
        else:
            waiting |= worth_opening(inner for scope in scopes for inner in plan.seen_scopes(scope))


def _alike(scopes: Iterable[Scope]) -> dict[tuple[str, int], list[Scope]]:
    """Scopes in groups that are folded together."""
    groups: dict[tuple[str, int], list[Scope]] = {}
    for scope in scopes:
        groups.setdefault((scope.kind, scope.size), []).append(scope)
    return groups


def _numbers_beside(view: View) -> dict[str, int]:
    """How many constants stand in each scope."""
    beside: dict[str, int] = {}
    for node in view.nodes.values():
        if node.kind == "constant" and node.scope.parent is not None:
            beside[node.scope.id] = beside.get(node.scope.id, 0) + 1
    return beside


def _counter(plan: Plan, beside: dict[str, int]) -> Callable[[Scope], int]:
    """A function that counts the boxes that a scope is drawn as."""

    def count(scope: Scope) -> int:
        total = 0
        stack: list[Scope | int] = [scope]
        while stack:
            member = stack.pop()
            if isinstance(member, int) or member.id in plan.folded:
                total += 1
            else:
                total += beside.get(member.id, 0)
                stack.extend(plan.shown(member))
        return total

    return count


def fold(view: View, plan: Plan, constants: bool = True) -> Folded:
    """Draw what a plan says: boxes for nodes and folded scopes, links between them, frames around them."""
    return _Folding(view, plan, constants).result


class _Folding:
    def __init__(self, view: View, plan: Plan, with_constants: bool) -> None:
        self.view = view
        self.plan = plan
        self.box_of: dict[int, str] = {}  # by position: nodes that are drawn, alone or in a folded scope
        self.stands_for: dict[int, int] = {}  # nodes of hidden members, by the node of the first member instead
        self.member: dict[int, dict[str, int]] = {}  # which member of which repeated blocks a node is in
        self.result = Folded({}, [], [])
        self._place(view.root, None)
        constants = self._constants() if with_constants else {}
        links: dict[tuple[str, str, int | None], FoldedLink] = {}
        for edge in view.edges.values():
            ends = self._ends(edge, constants)
            if ends is not None and ends[0] != ends[1]:
                single = ends[1] in view.nodes and (ends[0] in view.nodes or self._has_ports(ends[1]))
                argument = edge.argument if single else None
                link = links.setdefault((*ends, argument), FoldedLink(*ends, argument))
                link.edges.append(edge)
        self.result.links = list(links.values())

    def _has_ports(self, key: str) -> bool:
        return len(self.view.edges_into(key)) <= MOST_PORTS

    def _place(self, root: Scope, outermost: Scope | None) -> None:
        """Give every drawn node its box, from the outside in."""
        stack: list[tuple[Scope | int, Scope | None]] = [(root, outermost)]
        while stack:
            member, frame = stack.pop()
            if isinstance(member, int):
                key = f"n{member}"
                self.box_of[member] = key
                self.result.boxes[key] = FoldedBox(key, member, frame, node=self.view.nodes[key])
            elif member.id in self.plan.folded:
                positions = member.positions()
                self.box_of.update(dict.fromkeys(positions, member.id))
                self.result.boxes[member.id] = FoldedBox(member.id, positions[0], frame, scope=member)
            else:
                once = member.id in self.plan.once
                first_of_block = member.parent is not None and member.parent.id in self.plan.once
                if once or (is_module(member) and not first_of_block):
                    self.result.frames.append(member)
                    frame = member
                if once:
                    self._stand_for(member)
                stack.extend((inner, frame) for inner in reversed(self.plan.shown(member)))

    def _stand_for(self, block: Scope) -> None:
        """Map the nodes of all members of a block onto those of the first: ops in order, leaves by who uses them."""
        members = [member.positions() for member in inner_scopes(block)]
        ops = [[i for i in member if self.view.tape[i].rule is not None] for member in members]
        for k, positions in enumerate(members):
            for i in positions:
                self.member.setdefault(i, {})[block.id] = k
        for k in range(1, len(members)):
            inside = set(members[k])
            for first, other in zip(ops[0], ops[k], strict=True):
                self.stands_for[other] = first
                edges = zip(self.view.edges_into(f"n{first}"), self.view.edges_into(f"n{other}"), strict=True)
                for theirs, ours in edges:
                    leaf, instead = _position(ours.source), _position(theirs.source)
                    if leaf in inside and instead is not None and self.view.tape[leaf].rule is None:
                        self.stands_for.setdefault(leaf, instead)
            for i in members[k]:
                if i not in self.stands_for:  # a leaf without a counterpart
                    key = self.box_of[i] = f"n{i}"
                    self.result.boxes[key] = FoldedBox(key, i, block, node=self.view.nodes[key])

    def _constants(self) -> dict[str, str]:
        """The box of each constant that is drawn, or in a folded scope."""
        uses: dict[str, dict[str, None]] = {}  # the boxes that use each, in order
        for edge in self.view.edges.values():
            if edge.source.startswith("c"):
                target = int(edge.target[1:])
                if target not in self.stands_for:
                    uses.setdefault(edge.source, {})[self.box_of[target]] = None
        found: dict[str, str] = {}
        alone: list[str] = []
        boxes = self.result.boxes
        for key, users in uses.items():
            node = self.view.nodes[key]
            (only, *others) = users
            folded = boxes[only].scope if not others else None
            beside = node.scope.parent is not None  # a number, which stands beside its only use
            if folded is not None and (beside or node.name is None or not is_module(folded)):
                found[key] = only
                continue
            found[key] = key
            boxes[key] = FoldedBox(key, boxes[only].order, boxes[only].frame if beside else None, node=node)
            alone.append(key)
        if len(boxes) > MOST_BOXES and self.plan.folded:
            for key in alone:
                if len(uses[key]) == 1 and boxes[next(iter(uses[key]))].scope is not None:
                    found[key] = next(iter(uses[key]))
                    del boxes[key]
        return found

    def _ends(self, edge: ViewEdge, constants: dict[str, str]) -> tuple[str, str] | None:
        """The boxes that an edge joins; None if its like is drawn already, or it joins two members of a block."""
        source, target = _position(edge.source), int(edge.target[1:])
        if source is None:
            while target in self.stands_for:
                target = self.stands_for[target]
            box = constants.get(edge.source)
            return None if box is None else (box, self.box_of[target])
        while True:
            ours, theirs = self.member.get(source, {}), self.member.get(target, {})
            shared = ours.keys() & theirs.keys()
            is_shared = self.view.tape[source].rule is None and all(ours[block] == 0 for block in shared)
            if not is_shared and any(ours[block] != theirs[block] or ours[block] > 0 for block in shared):
                return None  # a parameter that all members use is linked to each of them
            if source in self.stands_for:
                source = self.stands_for[source]
            elif target in self.stands_for:
                target = self.stands_for[target]
            else:
                return self.box_of[source], self.box_of[target]


def _position(key: str) -> int | None:
    """The position on the tape of the node with an id; None for a constant."""
    return int(key[1:]) if key.startswith("n") else None
