"""The leapfrog method, for motion: positions and velocities take turns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import ArgumentError, ShapeError
from ..core.summary import number_text
from ..ops.joining import concatenate
from .dense import Step
from .ode_system import System
from .pullback import Pullback


class Leapfrog:
    """Half a kick, a drift, half a kick (Störmer and Verlet): order 2, symplectic, and the same backwards in time.

    Where the equation conserves energy, its error stays within O(h ** 2), without drift, for exponentially long [1]_.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner, "Geometric numerical integration illustrated by the Störmer-Verlet
       method", Acta Numerica 12 (2003) 399-450.
    """

    forgets = False

    def __init__(self, system: System) -> None:
        like = system.like
        if not isinstance(like, tuple | list) or len(like) != 2:
            raise ShapeError(
                "odeint with method='leapfrog' needs y0 to be a pair (positions, velocities), each an array or a "
                "nested structure of them, and a function of t and such a pair that returns their rates of change."
            )
        leaves = len(tree.flatten(like[0]))
        self.half = system.pieces[leaves][0] if leaves < len(system.pieces) else system.size
        self.system = system
        self.force: Any = None
        self.force_after: Any = None
        self.tried: Any = None
        self.taken = 0

    def begin(self, t: float, y: Any) -> Any:
        """The rate of change of the velocities; after 0, 1, 2, 4, 8, ... steps it is made sure that it can be one."""
        if self.force is None or self.taken.bit_count() == 1:
            rate = self.system(t, y)
            self.system.require_finite(t, rate)
            self._require_separable(t, y, rate)
            self.force = rate[self.half :]
        return self.force

    def _require_separable(self, t: float, y: Any, rate: Any) -> None:
        """Raise if positions that are moved change their own rate, or velocities theirs."""
        n = self.half
        moved = y + 1e-3 * (1 + np.abs(y))
        other_v, other_q = (np.concatenate(pair) for pair in ((y[:n], moved[n:]), (moved[:n], y[n:])))
        if np.any(self.system(t, other_v)[n:] != rate[n:]) or np.any(self.system(t, other_q)[:n] != rate[:n]):
            raise ArgumentError(
                "odeint with method='leapfrog' needs rates of change that are separable: that of the positions a "
                "function of the velocities, that of the velocities a function of the positions. At t = "
                f"{number_text(t, 6)} one of them depends on more, such as friction does. Take method='dopri5'."
            )

    def step(self, t: float, h: float, y: Any) -> Any:
        """The state after a step."""
        n, system = self.half, self.system
        v = y[n:] + 0.5 * h * self.begin(t, y)
        q = y[:n] + h * system(t + 0.5 * h, np.concatenate((y[:n], v)))[:n]
        self.force_after = system(t + h, np.concatenate((q, v)))[n:]
        y1 = np.concatenate((q, v + 0.5 * h * self.force_after))
        self.tried = (t, h, y, y1)
        return y1

    def accept(self) -> None:
        """Go on from the step tried last."""
        self.force = self.force_after
        self.taken += 1

    def memory(self) -> Any:
        """The step tried last."""
        return self.tried

    def polynomial(self, h: float, memory: Any) -> Any:
        """The cubic through both ends with the rates of change there."""
        t, h, y, y1 = memory
        return np.array(_cubic(h * self.system(t, y), h * self.system(t + h, y1), y1 - y))

    def record(self, t: Any, h: Any, y: Any, memory: Any = None) -> tuple[Any, Any]:
        """The step recorded: the state after it, and what :meth:`record_between` goes by."""
        n, system = self.half, self.system
        v = y[n:] + 0.5 * h * system.record(t, y)[n:]
        q = y[:n] + h * system.record(t + 0.5 * h, concatenate([y[:n], v]))[:n]
        force = system.record(t + h, concatenate([q, v]))[n:]
        y1 = concatenate([q, v + 0.5 * h * force])
        return y1, (t, y1)

    def record_between(self, share: float, h: float, y: Any, inside: Any) -> Any:
        """The state at ``t + share * h``, recorded."""
        t, y1 = inside
        start, end = h * self.system.record(t, y), h * self.system.record(t + h, y1)
        return y + sum(share**k * c for k, c in enumerate(_cubic(start, end, y1 - y), 1))

    def pull(self, step: Step, memory: Any, g: Any, inner: list[tuple[float, Any]], back: Pullback) -> Any:
        """The cotangent of the state before a step."""
        return back.step(self, step, memory, g, inner)


def _cubic(start: Any, end: Any, rise: Any) -> list[Any]:
    """Coefficients of the powers 1, 2, 3 of what rises by ``rise`` from 0 to 1, with these slopes at both ends."""
    return [start, 3 * rise - 2 * start - end, start + end - 2 * rise]
