"""Cotangents over one call of a right-hand side, or over one recorded step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.node import Node
from ..core.tape import pull_back
from ..tensor import Tensor
from .dense import Step
from .ode_system import System


class Pullback:
    """Cotangents of what a system closes over, added up from step to step.

    Attributes
    ----------
    found : dict
        Pairs of a node and its cotangent, by the index of the node.
    """

    def __init__(self, system: System, wanted: tuple[Node, ...]) -> None:
        self.system = system
        self.wanted = wanted
        self.indices = {x.index for x in wanted}
        self.found: dict[int, tuple[Node, Any]] = {}

    def sweep(self, outputs: Sequence[Any], cotangents: Sequence[Any], leaf: Node) -> Any:
        """The cotangent of ``leaf``, given those of what was computed of it; None if nothing depends on it."""
        pairs = [(y, g) for y, g in zip(outputs, cotangents, strict=True) if isinstance(y, Node) and y.tracked]
        own = None
        for x, c in pull_back([y for y, _ in pairs], [g for _, g in pairs], (leaf, *self.wanted)):
            if x is leaf:
                own = c
            elif x.index in self.indices:
                self.add(x, c)
        return own

    def add(self, x: Node, c: Any) -> None:
        """One more part of the cotangent of ``x``."""
        self.found[x.index] = (x, self.found[x.index][1] + c if x.index in self.found else c)

    def rate(self, t: float, y: Any, g: Any) -> Any:
        """The cotangent of the state, given that of the rate of change there."""
        leaf: Node = Tensor(y)
        return self.sweep([self.system.record(t, leaf)], [g], leaf)

    def step(self, method: Any, step: Step, memory: Any, g: Any, inner: list[tuple[float, Any]]) -> Any:
        """The cotangent of the state before a step, which is recorded for it."""
        leaf: Node = Tensor(step.y)
        y1, rates = method.record(step.t, step.h, leaf, memory)
        between = [method.record_between(share, step.h, leaf, rates) for share, _ in inner]
        return self.sweep([y1, *between], [g, *(c for _, c in inner)], leaf)
