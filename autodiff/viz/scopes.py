"""The scopes of a tape: the modules, and the calls of them, that its nodes belong to, as a tree that folds.

Traced nodes know the calls they were made in; else modules are judged by the names of parameters.  Where one level of
the tree holds more than an eye can take in, it is divided: blocks of one structure become one repeated block, and what
is left is cut into runs, in the order of creation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..core.listing import Tape
from ..core.node import Node, shape_of
from .modules import find_scopes, path_of, scope_of, shared

WIDE = 40
"""More members than this on one level are divided further."""
LONGEST_PERIOD = 12
"""A block that is repeated consists of at most so many modules and ops side by side."""
MADE = frozenset({"repeat", "group", "run"})
"""The kinds of scopes that were made for the eye."""
REPEATED = 3
"""So many blocks of one structure, or more, are one repeated block."""

Path = tuple[tuple[str, str, int], ...]
"""Where a node belongs: for each module around it, outermost first, its step, its class, and the number of the call."""


@dataclass
class Scope:
    """A module, one call of it, or a group that was made for the eye.

    Attributes
    ----------
    id : str
        The same for the same program.
    title : str
        ``model.layers.0``, or what a group holds.
    kind : str
        The class of the module if known; ``"repeat"`` for a block that is repeated, ``"group"`` for one of its rounds
        if that is more than one module, ``"run"`` for nodes in the order of creation.
    parent : Scope or None
    members : list of Scope and int
        Scopes and positions of nodes on the tape, in the order of creation.
    size : int
        How many nodes it holds, at any depth.
    """

    id: str
    title: str
    kind: str
    parent: Scope | None
    members: list[Scope | int] = field(default_factory=list)
    size: int = 0

    @property
    def depth(self) -> int:
        """How many scopes are around it."""
        return 0 if self.parent is None else 1 + self.parent.depth

    def positions(self) -> list[int]:
        """Positions of all nodes inside, in ascending order."""
        found: list[int] = []
        stack: list[Scope | int] = list(self.members)
        while stack:
            member = stack.pop()
            if isinstance(member, Scope):
                stack.extend(member.members)
            else:
                found.append(member)
        return sorted(found)


def scope_tree(tape: Tape, outputs: Sequence[Node]) -> Scope:
    """The scopes of a tape under a root without title; every node stands in exactly one."""
    paths = _paths(tape, outputs)
    root = Scope("s", "", "", None)
    scopes: dict[Path, Scope] = {(): root}
    for i in range(len(tape)):
        path = paths.get(i, ())
        for n in range(1, len(path) + 1):
            if path[:n] not in scopes:
                around = scopes[path[: n - 1]]
                scopes[path[:n]] = inner = Scope("", _title(path[:n]), path[n - 1][1], around)
                around.members.append(inner)
        scopes[path].members.append(i)
    _sort(root, tape)
    _divide(root, _structure(tape))
    _number(root)
    return root


def _paths(tape: Tape, outputs: Sequence[Node]) -> dict[int, Path]:
    if not any(node.origin for node in tape):
        by_name = find_scopes(tape, outputs)
        known = set(by_name.values())
        shown = known | _forks(known)
        path_by_name = {scope: _by_name(scope, shown) for scope in known}
        return {i: path_by_name[scope] for i, scope in by_name.items()}
    paths: dict[int, Path] = {}
    for i, node in enumerate(tape):
        if node.origin:
            paths[i] = tuple((call.step, call.kind, call.number) for call in node.origin.scope)
    _name_calls(tape, outputs, paths)
    users: dict[int, list[Path]] = {}
    for i, node in enumerate(tape):
        for a in node.args:
            k = tape.position.get(id(a))
            if k is not None and k not in paths:
                users.setdefault(k, []).append(paths.get(i, ()))
    for k, found in users.items():  # a parameter belongs where it is used
        if tape[k].rule is None:
            paths[k] = _home(found)
    return paths


def _name_calls(tape: Tape, outputs: Sequence[Node], paths: dict[int, Path]) -> None:
    """Name the outermost calls that no variable names, by the names of the parameters that they use.

    Such are the layers of a model whose class has a ``__call__`` of its own, which hides the call of the model: so what
    lies between its layers belongs to it by names, too.
    """
    nameless = {i: path for i, path in paths.items() if path and path[0][0] == path[0][1]}
    if not nameless:
        return
    homes: dict[tuple[str, str, int], list[tuple[str, ...]]] = {}
    for i, (call, *inner) in nameless.items():
        steps = tuple(step for name, _, _ in inner for step in name.split("."))
        for a in tape[i].args:
            home = scope_of(tape.name_of(a)) if isinstance(a, Node) and a.rule is None else ()
            if home and home[len(home) - len(steps) :] == steps:
                homes.setdefault(call, []).append(home[: len(home) - len(steps)])
    named: dict[tuple[str, str, int], Path] = {}
    calls: dict[tuple[str, ...], int] = {}
    models: set[tuple[str, ...]] = set()
    for call, found in homes.items():  # in the order of the program
        home = shared(found)
        if not home:
            continue
        number = calls[home] = calls.get(home, -1) + 1
        model = [(path_of(home[:-1]), "", 0)] if home[1:] else []
        models.add(home[:-1])
        named[call] = (*model, (home[-1], call[1], number))
    for i, path in nameless.items():
        paths[i] = (*named.get(path[0], path[:1]), *path[1:])
    for i, home in find_scopes(tape, outputs).items() if models - {()} else ():
        if paths.get(i) == () and home in models:
            paths[i] = ((path_of(home), "", 0),)


def _forks(scopes: Iterable[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Where several scopes part that begin alike."""
    after: dict[tuple[str, ...], set[str]] = {}
    for scope in scopes:
        for n, step in enumerate(scope):
            after.setdefault(scope[:n], set()).add(step)
    return {begin for begin, steps in after.items() if len(steps) > 1}


def _by_name(scope: tuple[str, ...], shown: set[tuple[str, ...]]) -> Path:
    """The path of a scope that was judged by names: steps that alone lead to one scope that is shown are one."""
    path: list[tuple[str, str, int]] = []
    start = 0
    for n in range(1, len(scope) + 1):
        if scope[:n] in shown:
            path.append((path_of(scope[start:n]), "", 0))
            start = n
    return tuple(path)


def _sort(root: Scope, tape: Tape) -> None:
    """Bring members into the order of their first ops: parameters are made long before they are used."""
    first: dict[int, int] = {}
    for scope in reversed(_all(root)):
        scope.members.sort(key=lambda m: m if isinstance(m, int) else first[id(m)])
        ops = [m if isinstance(m, int) else first[id(m)] for m in scope.members if not _is_leaf(m, tape)]
        first[id(scope)] = min(ops, default=scope.members[0] if isinstance(scope.members[0], int) else 0)


def _is_leaf(member: Scope | int, tape: Tape) -> bool:
    return isinstance(member, int) and tape[member].rule is None


def _home(uses: Sequence[Path]) -> Path:
    """The innermost module that holds all uses of a parameter; if it was called several times, its first call."""
    first = uses[0]
    n = 0
    while n < len(first) and all(len(path) > n and path[n][:2] == first[n][:2] for path in uses):
        n += 1
    return first[:n]


def _title(path: Path) -> str:
    steps = [step for step, _, _ in path]
    title = "".join(step if step.startswith("[") else f".{step}" for step in steps).lstrip(".")
    number = path[-1][2]
    return title if number == 0 else f"{title} (call {number + 1})"


def _structure(tape: Tape) -> Callable[[Scope | int], object]:
    """What two members must share to count as one: their ops, shapes, and how these are linked; None for a leaf.

    Blocks are alike if their names differ in numbers only: ``layers.0`` and ``layers.1``, not ``key`` and ``query``.
    """
    known: dict[int, object] = {}

    def op(i: int, inside: dict[int, int]) -> object:
        node = tape[i]
        args = [(inside.get(tape.position.get(id(a), -1), -1), shape_of(a)) for a in node.args]
        return node.rule.name, shape_of(node), tuple(args)  # type: ignore[union-attr]

    def of(member: Scope | int) -> object:
        if isinstance(member, int):
            return None if _is_leaf(member, tape) else op(member, {})
        if id(member) not in known:
            ops = [i for i in member.positions() if tape[i].rule is not None]
            inside = {i: k for k, i in enumerate(ops)}
            name = re.sub(r"\d+", "", member.title.partition(" (call ")[0])
            known[id(member)] = (name, member.kind, tuple(op(i, inside) for i in ops)) if ops else None
        return known[id(member)]

    return of


def _divide(root: Scope, structure: Callable[[Scope | int], object]) -> None:
    """Gather repeated blocks, and cut what is still too wide into runs, on every level."""
    stack = [root]
    while stack:
        scope = stack.pop()
        if scope.kind not in MADE:
            _gather(scope, structure)
        if len(scope.members) > WIDE and scope.kind != "repeat":
            _cut(scope)
        scope.size = 0
        stack.extend(inner for inner in scope.members if isinstance(inner, Scope))
    for scope in reversed(_all(root)):
        scope.size = sum(m.size if isinstance(m, Scope) else 1 for m in scope.members)


def _gather(scope: Scope, structure: Callable[[Scope | int], object]) -> None:
    """Put what repeats, module after module or group after group of members, into one repeated block.

    Leaves stand between the members without breaking a repetition: they are recorded when they are made.
    """
    if len(scope.members) < REPEATED or not any(isinstance(m, Scope) for m in scope.members):
        return
    kinds: dict[object, int] = {}
    order = [(m, kinds.setdefault(structure(m), len(kinds))) for m in scope.members if structure(m) is not None]
    members, keys = [m for m, _ in order], [key for _, key in order]
    blocks: dict[int, Scope] = {}
    gone: set[int] = set()
    i = 0
    while i < len(members):
        period, times = _repetition(keys, i)
        groups = [members[k : k + period] for k in range(i, i + period * times, period)]
        if times < REPEATED:
            i += 1
            continue
        if not any(isinstance(m, Scope) for m in groups[0]):  # ops alone; a block of scopes can begin near their end
            i = max(i + 1, i + period * times - LONGEST_PERIOD + 1)
            continue
        blocks[_key(members[i])] = _block(scope, groups)
        gone.update(_key(m) for group in groups for m in group)
        i += period * times
    scope.members = [blocks.get(_key(m), m) for m in scope.members if _key(m) in blocks or _key(m) not in gone]


def _key(member: Scope | int) -> int:
    return member if isinstance(member, int) else -id(member)


def _repetition(keys: Sequence[int], start: int) -> tuple[int, int]:
    """The period, and how many times it comes, of the longest repetition that begins at a place."""
    best = (1, 1)
    for period in range(1, min(LONGEST_PERIOD, (len(keys) - start) // REPEATED) + 1):
        end = start + period
        while end < len(keys) and keys[end] == keys[end - period]:
            end += 1
        times = (end - start) // period
        if times >= REPEATED and times * period > best[0] * best[1]:
            best = (period, times)
    return best


def _block(scope: Scope, groups: list[list[Scope | int]]) -> Scope:
    """A repeated block of groups of members; a group of one scope is that scope."""
    block = Scope("", "", "repeat", scope)
    titles = []
    for group in groups:
        scopes = [m for m in group if isinstance(m, Scope)]
        titles.append(scopes[0].title)
        if len(group) == 1:
            around = block
            block.members.append(scopes[0])
        else:
            around = Scope("", ", ".join(s.title for s in scopes), "group", block, list(group))
            block.members.append(around)
        for inner in scopes:
            inner.parent = around
    block.title = title_of_all(titles)
    return block


def title_of_all(titles: Sequence[str]) -> str:
    """One title for several: their common parts, around the number in which they differ.

    Examples
    --------
    >>> title_of_all(["layers.0.norm", "layers.1.norm", "layers.2.norm"])
    'layers.0 … 2.norm × 3'
    >>> title_of_all(["cell", "cell (call 2)", "cell (call 3)"])
    'cell × 3'
    """
    parts = [re.split(r"(\d+)", title.partition(" (call ")[0]) for title in titles]
    found = [sorted(set(column), key=lambda part: (len(part), part)) for column in zip(*parts, strict=False)]
    several = [column for column in found if len(column) > 1]
    one_differs = len(several) == 1 and len(set(map(len, parts))) == 1
    shown = [
        f"{column[0]} … {column[-1]}" if one_differs and column[1:] else part for column, part in zip(found, parts[0])
    ]
    return f"{''.join(shown)} × {len(titles)}"


def _cut(scope: Scope) -> None:
    """Cut the members of a scope into runs: at most ``WIDE``, and about as many as there are members in each."""
    n = len(scope.members)
    length = -(-n // min(WIDE, math.isqrt(n) + 1))
    runs: list[Scope | int] = []
    for start in range(0, len(scope.members), length):
        run = Scope("", "", "run", scope, scope.members[start : start + length])
        for member in run.members:
            if isinstance(member, Scope):
                member.parent = run
        positions = run.positions()
        run.title = f"%{positions[0]} … %{positions[-1]}"
        runs.append(run)
    scope.members = runs


def _all(root: Scope) -> list[Scope]:
    """A scope and all inside it, outer ones first, in the order of creation."""
    found: list[Scope] = []
    stack = [root]
    while stack:
        scope = stack.pop()
        found.append(scope)
        stack.extend(m for m in reversed(scope.members) if isinstance(m, Scope))
    return found


def _number(root: Scope) -> None:
    for k, scope in enumerate(all_scopes(root)):
        scope.id = f"s{k}"


def all_scopes(root: Scope) -> Iterable[Scope]:
    """Every scope below the root, outer ones first."""
    return _all(root)[1:]
