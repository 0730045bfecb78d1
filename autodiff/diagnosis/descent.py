"""What was computed from a node, on a tape or off it, and where it was cut off.

Untracked results forget what they were made of.  What is known of them comes from two places: the history that
``with ad.trace():`` keeps, and the nodes that are alive.  Where neither has seen the way, an array or a number on the
tape that equals what was computed from the node tells it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..core.history import Step, mark_of, step_of
from ..core.node import Node, data_of
from ..core.tape import FREED

PLAIN = frozenset(
    hash(sign * i / unit)
    for sign in (1, -1)
    for unit, most in ((1, 1000), (4, 12), *((10**k, 9) for k in range(1, 12)))
    for i in range(most + 1)
)
"""Marks of numbers such as 3.0, -0.25 or 1e-4: that two of them are equal says nothing."""


class Cut(NamedTuple):
    """Where what was computed from a node stopped being tracked: the last tracked step, the step after it, and how."""

    how: str
    before: Step | None
    after: Step | None


class Constant(NamedTuple):
    """An argument of an op on the tape that no gradient goes to."""

    user: Node
    k: int
    x: Any


def live_nodes() -> list[Node]:
    """Every node in memory, oldest first."""
    found = [x for x in gc.get_objects() if issubclass(type(x), Node) and getattr(x, "rule", FREED) is not FREED]
    return sorted(found, key=lambda node: node.index)


def constants_of(tape: Iterable[Node]) -> Iterator[Constant]:
    """The arguments on a tape that are not tracked, newest first; indices are among them."""
    for node in reversed(list(tape)):
        options = tree.flatten(list((node.params or {}).values()))
        for k, x in enumerate([*node.args, *(x for x in options if isinstance(x, Node))]):
            if not (isinstance(x, Node) and x.tracked) and x is not None:
                yield Constant(node, k, x)


def steps_known(nodes: Iterable[Node]) -> list[Step]:
    """What is known of what happened: of the nodes that are alive, and of the histories that they hold."""
    steps: dict[int, Step] = {}
    histories = {id(node.origin.history): node.origin.history for node in nodes if node.origin is not None}
    for history in histories.values():
        steps |= {step.number: step for step in history.steps}
    for node in nodes:
        if node.rule is not None and node.tracked and node.args and node.index not in steps:
            place = node.origin.place if node.origin is not None else None
            steps[node.index] = step_of(node, node.args, place, True)
    return [steps[index] for index in sorted(steps)]


class Descent:
    """What was computed from ``p``, on the tape or off it.

    Attributes
    ----------
    used : list of Step
        Every step that depends on ``p``, oldest first.
    cuts : dict of int to Cut or None
        Of each of them by creation number, how it was cut off; None if a gradient comes through.
    """

    def __init__(self, p: Node, steps: list[Step]) -> None:
        self.p = p
        self.used: list[Step] = []
        self.cuts: dict[int, Cut | None] = {}
        self.marks: dict[int, Step | None] = {}
        mark = mark_of(p._data)
        if mark is not None and mark not in PLAIN:
            self.marks[mark] = None
        self.steps = {step.number: step for step in steps}
        by_index: dict[int, Step] = {}
        for step in steps:
            cut = self._cut(step, by_index)
            if cut is False:
                continue
            by_index[step.number] = step
            self.used.append(step)
            self.cuts[step.number] = cut or None
            if step.mark is not None and step.mark not in PLAIN:
                self.marks.setdefault(step.mark, step)

    def _cut(self, step: Step, by_index: dict[int, Step]) -> Any:
        """How a step is cut off from ``p``; False if it does not depend on it, None if it is tracked."""
        direct = any(leaf() is self.p for leaf in step.leaves) or self.p.index in step.sources
        sources = [index for index in step.sources if index in self.cuts]
        open_ends = [index for index in sources if self.cuts[index] is None]
        if step.tracked and (direct or open_ends):
            return None
        if direct or open_ends:
            before = by_index[open_ends[-1]] if open_ends else None
            how = "discrete" if not step.differentiable else "no_grad" if not step.recording else "untracked"
            return Cut(how, before, step)
        if sources:
            return self.cuts[sources[-1]]
        for mark in step.constants:
            if mark in self.marks:
                return Cut("detached", self.marks[mark], step)
        return False

    def knows(self, node: Node) -> bool:
        """Whether all that a result was made of is known, back to the leaves that are tracked."""
        wanted, seen = [node.index], set[int]()
        while wanted:
            index = wanted.pop()
            step = self.steps.get(index)
            if step is None:
                return False
            leaves = [leaf() for leaf in step.leaves]
            if any(leaf is None or not leaf.tracked for leaf in leaves):
                return False
            sources = set(step.sources) - {leaf.index for leaf in leaves if leaf is not None} - seen
            seen |= sources
            wanted += sources
        return True

    def cut_at(self, constant: Constant) -> Cut | None:
        """How a constant on the tape was cut off from ``p``; None if it does not come from it."""
        x = constant.x
        if x is self.p:
            return Cut("untracked", None, None)
        if isinstance(x, Node) and x.rule is not None and x.index in self.cuts:
            return self.cuts[x.index]
        data = data_of(x)
        if (
            isinstance(data, np.ndarray)
            and isinstance(self.p._data, np.ndarray)
            and np.may_share_memory(data, self.p._data)
        ):
            return Cut("detached", None, None)
        mark = mark_of(data)
        return Cut("detached", self.marks[mark], None) if mark is not None and mark in self.marks else None


def ancestors(p: Node) -> set[int]:
    """The creation numbers of everything that ``p`` was computed from."""
    found: set[int] = set()
    stack = [p]
    while stack:
        for x in stack.pop().args:
            if isinstance(x, Node) and x.tracked and x.index not in found:
                found.add(x.index)
                stack.append(x)
    return found
