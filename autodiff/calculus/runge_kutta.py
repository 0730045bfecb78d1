"""Explicit Runge–Kutta methods: their coefficients, one step, and the step backwards.

A step of size ``h`` from ``y`` asks ``f`` for rates ``k[i]`` at ``y + h sum_j a[i, j] k[j]``, and goes to
``y + h sum_i b[i] k[i]``.  Between the two ends weights that are polynomials of ``(t - t_n) / h`` take the place of
``b``.

References
----------
.. [1] J. R. Dormand and P. J. Prince, J. Comp. Appl. Math. 6 (1980) 19-26.
.. [2] L. F. Shampine, "Some practical Runge-Kutta formulas", Math. Comp. 46 (1986) 135-150.
.. [3] E. Hairer, S. P. Nørsett and G. Wanner, Solving Ordinary Differential Equations I, 2nd ed. (1993), II.1 and II.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ops.joining import stack
from .dense import Step
from .ode_system import System
from .pullback import Pullback


@dataclass(frozen=True)
class Tableau:
    """The coefficients of a method.

    Attributes
    ----------
    order : int
        The error of a step of size h is O(h ** (order + 1)).
    c : ndarray, shape (s,)
        Times of the stages, in units of the step.
    a : ndarray, shape (s, s)
        Strictly lower triangular.
    b : ndarray, shape (s,)
        Weights of the result.
    between : ndarray, shape (d, s)
        Weights of the result within the step: row ``j`` belongs to the power ``j + 1``.
    error : ndarray, shape (s,) or None
        ``b`` minus the weights of the embedded method, of one order less.
    reuses_last : bool
        Whether the last stage is the first one of the next step.
    """

    name: str
    order: int
    c: Any
    a: Any
    b: Any
    between: Any
    error: Any = None
    reuses_last: bool = False


def _lower(rows: list[list[float]]) -> Any:
    a = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        a[i, : len(row)] = row
    return a


def _dormand_prince() -> Tableau:
    """Dormand and Prince's pair of orders 5 and 4 [1]_, with Shampine's interpolant of order 4 [2]_."""
    b = np.array([35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0])
    embedded = np.array([5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40])
    rows = [
        [],
        [1 / 5],
        [3 / 40, 9 / 40],
        [44 / 45, -56 / 15, 32 / 9],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
        list(b[:6]),
    ]
    # The cubic through both ends with their slopes, and a quartic that vanishes there with its slope.
    quartic = np.array(
        [
            -12715105075 / 11282082432,
            0,
            87487479700 / 32700410799,
            -10690763975 / 1880347072,
            701980252875 / 199316789632,
            -1453857185 / 822651844,
            69997945 / 29380423,
        ]
    )
    first, last = np.eye(7)[[0, 6]]
    slope = first - b
    bend = b - last - slope
    between = np.array([first, bend - slope + quartic, -bend - 2 * quartic, quartic])
    c = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
    return Tableau("dopri5", 5, c, _lower(rows), b, between, b - embedded, reuses_last=True)


DOPRI5 = _dormand_prince()
RK4 = Tableau(
    "rk4",
    4,
    np.array([0, 1 / 2, 1 / 2, 1]),
    _lower([[], [1 / 2], [0, 1 / 2], [0, 0, 1]]),
    np.array([1, 2, 2, 1]) / 6,
    np.array([[1, 0, 0, 0], [-3 / 2, 1, 1, -1 / 2], [2 / 3, -2 / 3, -2 / 3, 2 / 3]]),
)
"""Kutta's method of order 4, with the interpolant of order 3 that its stages give [3]_."""


class Explicit:
    """One explicit method on one system, step after step."""

    forgets = True

    def __init__(self, tableau: Tableau, system: System) -> None:
        self.tableau = tableau
        self.system = system
        self.error_order = tableau.order - 1
        s = len(tableau.b)
        self.last = s - 1 if tableau.reuses_last else s  # stages that the result depends on
        self.k = np.empty((s, system.size), system.dtype)
        self.scaled = np.empty((s, s), system.dtype)
        self.rows = [(self.scaled[i, :i], self.k[:i]) for i in range(s)]
        self.a = tableau.a.astype(system.dtype)
        self.b = tableau.b.astype(system.dtype)
        self.between = tableau.between.astype(system.dtype)
        self.e = None if tableau.error is None else tableau.error.astype(system.dtype)
        self.c: list[float] = tableau.c.tolist()
        self.near_end: Any = None
        self.first: Any = None

    def begin(self, t: float, y: Any) -> Any:
        """The rate of change at the start of a step."""
        if self.first is None:
            self.first = self.system(t, y).copy()  # f may fill the same array each time
        return self.first

    def step(self, t: float, h: float, y: Any) -> Any:
        """The state after a step of size ``h``, tried."""
        k, c, system = self.k, self.c, self.system
        k[0] = self.begin(t, y)
        np.multiply(self.a, h, out=self.scaled)
        for i in range(1, self.last):
            weights, earlier = self.rows[i]
            point = y + weights @ earlier
            k[i] = system(t + c[i] * h, point)
        self.near_end = point
        if not self.tableau.reuses_last:
            return y + (self.b * h) @ k
        weights, earlier = self.rows[self.last]
        y1 = y + weights @ earlier
        k[self.last] = system(t + h, y1)
        return y1

    def error(self, h: float) -> Any:
        """What the embedded method says the error of the step is."""
        return h * (self.e @ self.k)

    def accept(self) -> None:
        """Go on from the step tried last."""
        self.first = self.k[-1].copy() if self.tableau.reuses_last else None

    def memory(self) -> Any:
        """What the way back needs to know of the step tried last."""
        return self.k.copy()

    def weights(self, share: float) -> Any:
        """Weights of the rates within the step."""
        return share ** np.arange(1, len(self.between) + 1) @ self.between

    def polynomial(self, h: float, k: Any) -> Any:
        """Coefficients of the powers 1, 2, ... of ``(t - t_n) / h`` of what is added to the state within the step."""
        return h * (self.between @ k)

    def stretch(self, h: float, y1: Any) -> float:
        """About ``h`` times the largest eigenvalue of the Jacobian, from two stages at the end of the step."""
        apart = float(np.linalg.norm(y1 - self.near_end))
        return abs(h) * float(np.linalg.norm(self.k[-1] - self.k[-2])) / apart if apart else 0.0

    def remember(self, t: float, h: float, y: Any) -> Any:
        """:meth:`memory` of a step that was taken before."""
        self.first = None
        self.step(t, h, y)
        return self.memory()

    def record(self, t: Any, h: Any, y: Any, memory: Any = None) -> tuple[Any, Any]:
        """The step recorded: the state after it, and the rates that :meth:`record_between` weighs.

        ``t`` and ``h`` may be nodes too.
        """
        rates: list[Any] = []
        for i in range(len(self.c)):
            point = y + h * (self.a[i, :i] @ stack(rates)) if i else y
            rates.append(self.system.record(t + self.c[i] * h, point))
        k = stack(rates)
        return y + h * (self.b @ k), k

    def record_between(self, share: float, h: float, y: Any, k: Any) -> Any:
        """The state at ``t + share * h``, recorded."""
        return y + (h * self.weights(share)).astype(self.system.dtype) @ k

    def pull(self, step: Step, k: Any, g: Any, inner: list[tuple[float, Any]], back: Pullback) -> Any:
        """The cotangent of the state before a step, from those after it and within it (with their shares of the step).

        Those of the tensors that the system closes over are added to ``back``.
        """
        t, h, y = step.t, step.h, step.y

        def rate(i: int, c: Any) -> Any:
            return back.rate(t + self.c[i] * h, y + h * (self.a[i, :i] @ k[:i]), c)

        return self.pull_stages(h, g, inner, rate)[0]

    def pull_stages(
        self, h: float, g: Any, inner: list[tuple[float, Any]], rate: Callable[[int, Any], Any]
    ) -> tuple[Any, Any]:
        """The cotangents of the state before a step and of its rates.

        ``rate(i, c)`` gives the cotangent of the state of stage ``i`` from that of its rate, or None for zero.
        """
        if not inner and not g.any():
            return g, np.zeros_like(self.k)
        starts = (h * self.b)[:, None] * g
        for share, c in inner:
            starts += (h * self.weights(share))[:, None] * c
        moved = np.zeros_like(starts)  # cotangents of the states of the stages
        later = (h * self.a).T
        for i in reversed(range(len(self.c) if inner else self.last)):
            starts[i] += later[i, i + 1 :] @ moved[i + 1 :]
            c = rate(i, starts[i])
            if c is not None:
                moved[i] = c
        return sum((c for _, c in inner), g + moved.sum(0)), starts
