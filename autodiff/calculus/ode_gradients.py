"""The solution of a differential equation as one node: its derivatives go back over the accepted steps.

The sizes of the steps count as given: how the solver chose them is not differentiated.  So what is differentiated is
the numbers that were computed, and the gradient is exact to rounding for these.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.modes import no_grad
from ..core.node import Node
from ..core.tape import pull_back, push_forward
from ..ops.joining import stack
from ..transforms.checkpoint import checkpoint
from ..transforms.composite import Composite
from .dense import Step
from .linearized import Stages
from .ode_system import System
from .pullback import Pullback
from .stepping import Walk


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
        The right-hand side at all stages at once, for a method that has them.
    forget : bool
        Whether to compute what is inside a step again, from the state before it.
    """

    def __init__(self, system: System, method: Any, walk: Walk, y0: Any, stages: Stages | None, forget: bool) -> None:
        super().__init__("odeint", r"\dot y = f(t, y)")
        self.system = system
        self.method = method
        self.path = walk.path
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
        back = Pullback(self.system, tuple(x for x in node.args if x is not self.y0))
        at = None
        if self.stages is not None:
            at = self.stages.pull(self.inside, g, back)
        if at is None:
            at = self._one_by_one(g, back)
        for k in self.at_start:
            at = at + g[k]
        if isinstance(self.y0, Node):
            return [*back.found.values(), (self.y0, at)]
        return list(back.found.values())

    def _one_by_one(self, g: Any, back: Pullback) -> Any:
        at = np.zeros(self.system.size, self.system.dtype)
        for step, inside in zip(reversed(self.path), reversed(self.inside), strict=True):
            for k, share in inside:
                if share == 1.0:
                    at = at + g[k]
            inner = [(share, g[k]) for k, share in inside if share != 1.0]
            moved = self.method.pull(step, self._memory(step), at, inner, back)
            at = np.zeros_like(at) if moved is None else moved
        return at

    def _memory(self, step: Step) -> Any:
        if not self.forget or not self.method.forgets:
            return step.memory
        with no_grad():
            return self.method.remember(step.t, step.h, step.y)

    def tangent(self, tangents: dict[int, Any], node: Node, create_graph: bool) -> Any:
        """That of a sweep forwards over the steps."""
        given = [x for x in node.args if x.index in tangents]
        return push_forward((self._replay(),), given, [tangents[x.index] for x in given], create_graph)[0]

    def _replay(self) -> Any:
        """The steps again, recorded."""
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
