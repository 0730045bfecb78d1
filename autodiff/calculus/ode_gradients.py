"""The solution of a differential equation as one node: its derivatives go back over the accepted steps.

The sizes of the steps count as given: how the solver chose them is not differentiated.  So what is differentiated is
the numbers that were computed, and the gradient is exact to rounding for these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.batched import Batched
from ..core.modes import no_grad
from ..core.node import Node
from ..core.tape import pull_back, push_forward
from ..ops.joining import stack
from ..transforms.checkpoint import checkpoint
from ..transforms.composite import Composite
from ..transforms.vmap import CannotBatchError
from .dense import Step
from .linearized import Inside, Stages, split
from .ode_system import System
from .pullback import Pullback
from .runge_kutta import Explicit
from .stepping import Walk

WINDOW = 2**20
"""How many numbers the stages may have together that are computed again at a time."""


class Solved(Composite):
    """The rule of a solution whose derivative goes over its steps.

    Parameters
    ----------
    system : System
    method : Method
    walk : Walk
        With the steps kept.
    y0 : Node or ndarray
        The vector it started from.
    stages : Stages or None
        The right-hand side at all stages at once, where that was recorded.
    forget : bool
        Whether to compute what is inside a step again, from the state before it.
    """

    def __init__(self, system: System, method: Any, walk: Walk, y0: Any, stages: Stages | None, forget: bool) -> None:
        super().__init__("odeint", r"\frac{dy}{dt} = f(t, y, w)")
        self.system = system
        self.method = method
        self.path = walk.path
        self.end = walk.y
        self.inside: list[list[tuple[int, float]]] = [[] for _ in walk.path]
        self.at_start = []
        for k, (i, share) in enumerate(walk.places):
            if i < 0:
                self.at_start.append(k)
            else:
                self.inside[i].append((k, share))
        self.y0 = y0
        self.stages = stages
        self.forget = forget

    def cotangents(self, g: Any, node: Node, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        """Those of a sweep backwards over the steps."""
        if create_graph:
            return pull_back((self._replay(),), (g,), node.args, True)
        require_single(g)
        back = Pullback(self.system, tuple(x for x in node.args if x is not self.y0))
        at = np.zeros(self.system.size, self.system.dtype)
        for steps, inside, stages in self._windows(backwards=True):
            before = None if stages is None else stages.pull(inside, g, at, back)
            at = self._one_by_one(steps, inside, g, at, back) if before is None else before
        for k in self.at_start:
            at = at + g[k]
        if isinstance(self.y0, Node):
            return [*back.found.values(), (self.y0, at)]
        return list(back.found.values())

    def _one_by_one(self, steps: Sequence[Step], inside: Inside, g: Any, at: Any, back: Pullback) -> Any:
        self._require_as_before()
        for step, rows in zip(reversed(steps), reversed(inside), strict=True):
            ends, inner = split(rows, g)
            moved = self.method.pull(step, step.memory, sum(ends, at), inner, back)
            at = np.zeros_like(at) if moved is None else moved
        return at

    def _windows(self, backwards: bool = False) -> Iterator[tuple[Sequence[Step], Inside, Stages | None]]:
        """The steps with what the method remembers of them: all where that was kept, else a window at a time."""
        if not (self.forget and isinstance(self.method, Explicit)):
            yield self.path, self.inside, self.stages
            return
        size = max(1, WINDOW // max(1, self.method.k.size))
        starts = range(0, len(self.path), size)
        for first in reversed(starts) if backwards else starts:
            steps = self._again(first, first + size)
            yield steps, self.inside[first : first + size], Stages(self.method, steps, self.system)

    def _again(self, first: int, last: int) -> Sequence[Step]:
        """Steps of an explicit method with what it remembers of them, computed again."""
        method = Explicit(self.method.tableau, self.system)  # its own: another thread may be at the same
        with no_grad():
            steps = [replace(step, memory=method.remember(step.t, step.h, step.y)) for step in self.path[first:last]]
        ends = np.stack([*(step.y for step in self.path[first + 1 : first + len(steps) + 1]), self.end][: len(steps)])
        moved = np.stack([step.h * step.memory for step in steps])
        self.system.require_same(np.stack([step.y for step in steps]) + method.b @ moved, ends, moved)
        return steps

    def _require_as_before(self) -> None:
        """Make sure, on the last step, that the function computes what it did."""
        if self.path and isinstance(self.method, Explicit):
            self._again(len(self.path) - 1, len(self.path))

    def tangent(self, tangents: dict[int, Any], node: Node, create_graph: bool) -> Any:
        """That of a sweep forwards over the steps."""
        given = [x for x in node.args if x.index in tangents]
        rows = None if create_graph else self._pushed(tangents, [x for x in given if x is not self.y0])
        if rows is not None:
            return rows
        return push_forward((self._replay(),), given, [tangents[x.index] for x in given], create_graph)[0]

    def _pushed(self, tangents: dict[int, Any], closed: list[Node]) -> Any:
        """The tangent by all steps at once; None where that cannot be."""
        for t in tangents.values():
            require_single(t)
        at = np.zeros(self.system.size, self.system.dtype)
        if isinstance(self.y0, Node) and self.y0.index in tangents:
            at = at + tangents[self.y0.index]
        rows = np.empty((len(self.at_start) + sum(map(len, self.inside)), self.system.size), self.system.dtype)
        rows[self.at_start] = at
        for _, inside, stages in self._windows():
            pushed = None if stages is None else stages.push(inside, at, closed, [tangents[x.index] for x in closed])
            if pushed is None:
                return None
            at, found = pushed
            for k, row in found:
                rows[k] = row
        return rows

    def _replay(self) -> Any:
        """The steps again, recorded."""
        self._require_as_before()
        y = self.y0
        rows: dict[int, Any] = dict.fromkeys(self.at_start, y)
        for step, inside in zip(self.path, self.inside, strict=True):

            def forward(y: Any, step: Step = step, inside: Any = inside) -> list[Any]:
                y1, rates = self.method.record(step.t, step.h, y, step.memory)
                inner = [self.method.record_between(s, step.h, y, rates) for _, s in inside if s != 1.0]
                return [y1, *inner]

            before = y
            y, *inner = (checkpoint(forward) if self.forget else forward)(before)
            left = iter(inner)
            for k, share in inside:
                rows[k] = y if share == 1.0 else next(left)
        return stack([rows[k] for k in sorted(rows)])


def require_single(derivative: Any) -> None:
    """Refuse many derivatives at once: here they take longer than one after another."""
    if isinstance(derivative, Batched):
        raise CannotBatchError("odeint's derivatives go over its steps one at a time")
