"""The solution of a differential equation as one node whose derivatives are differential equations themselves.

The cotangent ``a`` of the state runs backwards in time by ``da/dt = -a f_y``, and that of what ``f`` closes over
gathers ``a f_p`` on the way [1]_.  Nothing is kept of the steps: only the states at the times asked for.

References
----------
.. [1] L. S. Pontryagin et al., The Mathematical Theory of Optimal Processes (1962).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.modes import no_grad
from ..core.node import Node, data_of
from ..core.tape import pull_back, push_forward
from ..transforms.composite import Composite
from ..transforms.lift import lift, zeros
from .ode_system import System


class Adjoint(Composite):
    """The rule of a solution whose derivatives solve the adjoint equation, or the equation of variations.

    Parameters
    ----------
    system : System
    times : list of float
    y0 : Node or ndarray
        The vector it started from.
    end : ndarray
        The vector at the last time.
    solve : callable
        Solves ``dy/dt = f(t, y)``, given ``f``, ``y0`` and times.
    """

    def __init__(self, system: System, times: list[float], y0: Any, end: Any, solve: Callable[..., Any]) -> None:
        super().__init__("odeint", r"\frac{dy}{dt} = f(t, y, w)")
        self.system = system
        self.times = times
        self.y0 = y0
        self.solve = solve
        self.rate = self._rate(end)

    def _rate(self, end: Any) -> Any:
        with no_grad(), np.errstate(all="ignore"):
            return self.system.note(self.times[-1], end).copy()

    def _require_as_before(self, node: Any) -> None:
        """Make sure, at the last time, that the function computes what it did."""
        self.system.require_same(self._rate(node._data[-1]), self.rate)

    def cotangents(self, g: Any, node: Node, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        """Those that the adjoint equation gives, solved from each time back to the one before."""
        self._require_as_before(node)
        closed = [x for x in node.args if x is not self.y0]
        rows: Any = node if create_graph else node._data

        def backwards(t: Any, state: Any) -> Any:
            y, a, *_ = state
            leaf = lift(y)
            leaf.tracked = True
            dy = self.system.record(t, leaf)
            if not isinstance(dy, Node) or not dy.tracked:
                return (data_of(dy), *(zeros(x) for x in state[1:]))
            found = {x.index: c for x, c in pull_back((dy,), (a,), (leaf, *closed), create_graph)}
            parts = [-found[x.index] if x.index in found else zeros(x) for x in (leaf, *closed)]
            return (dy if create_graph else dy._data, *parts)

        a = g[len(self.times) - 1]
        gathered = [zeros(x) for x in closed]
        for k in range(len(self.times) - 1, 0, -1):
            state = (rows[k], a, *gathered)
            _, a, *gathered = (x[-1] for x in self.solve(backwards, state, [self.times[k], self.times[k - 1]]))
            a = a + g[k - 1]
        pairs = list(zip(closed, gathered, strict=True))
        return [*pairs, (self.y0, a)] if isinstance(self.y0, Node) else pairs

    def tangent(self, tangents: dict[int, Any], node: Node, create_graph: bool) -> Any:
        """That which the equation of variations gives, solved along with the state."""
        self._require_as_before(node)
        given = [x for x in node.args if x.index in tangents and x is not self.y0]
        along = [tangents[x.index] for x in given]
        y0 = self.y0 if create_graph else data_of(self.y0)
        start = tangents[self.y0.index] if isinstance(self.y0, Node) and self.y0.index in tangents else zeros(y0)

        def forwards(t: Any, state: Any) -> Any:
            y, v = state
            leaf = lift(y)
            leaf.tracked = True
            dy = self.system.record(t, leaf)
            if not isinstance(dy, Node):
                return dy, zeros(y)
            dv = push_forward((dy,), (leaf, *given), (v, *along), create_graph)[0]
            return (dy if create_graph else dy._data), (zeros(y) if dv is None else dv)

        return self.solve(forwards, (y0, start), self.times)[1]
