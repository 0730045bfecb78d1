"""Radau IIA of order 5: an implicit method for stiff problems.

The three stages ``z[i]`` of a step satisfy ``z[i] = h sum_j a[i, j] f(t + c[j] h, y + z[j])``, and the last is what the
step adds to ``y``.  The method is L-stable: what decays fast is gone after a step, however long [1]_.

References
----------
.. [1] E. Hairer and G. Wanner, Solving Ordinary Differential Equations II, 2nd ed. (1996), IV.5 and IV.8.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import KindError
from ..core.node import Node
from ..ops.joining import concatenate, stack
from ..ops.shape import reshape
from .dense import Step
from .implicit import implicit_result, value_and_jacobian
from .ode_system import System
from .pullback import Pullback

S6 = math.sqrt(6)
C = np.array([(4 - S6) / 10, (4 + S6) / 10, 1])
A = np.array(
    [
        [(88 - 7 * S6) / 360, (296 - 169 * S6) / 1800, (-2 + 3 * S6) / 225],
        [(296 + 169 * S6) / 1800, (88 + 7 * S6) / 360, (-2 - 3 * S6) / 225],
        [(16 - S6) / 36, (16 + S6) / 36, 1 / 9],
    ]
)
ERROR = np.array([-13 - 7 * S6, -13 + 7 * S6, -1]) / 3
"""Weights of the stages in the difference to a method of order 3."""
BETWEEN = np.linalg.inv(C[:, None] ** np.arange(1, 4))
"""From the stages to the powers of the polynomial through them."""
ROTATED, TURN = np.linalg.eig(np.linalg.inv(A))  # a real eigenvalue and a pair: three small systems in place of one
TURN_BACK = np.linalg.inv(TURN)
REAL = int(np.argmin(np.abs(ROTATED.imag)))
MOST_ITERATIONS = 10
CLOSE = 1e-3
"""How exactly the stages are solved for, in units of the tolerance."""


class Radau:
    """The method on one system, step after step."""

    forgets = False
    error_order = 3

    def __init__(self, system: System, rtol: float, atol: float) -> None:
        if system.dtype.itemsize > 8:
            raise KindError(
                f"odeint got y0 of {system.dtype}, for which NumPy solves no linear systems, as method='radau' does. "
                "Take y0.astype(float), or method='dopri5'."
            )
        self.system = system
        self.rtol = rtol
        self.atol = atol
        self.rate: Any = None
        self.jacobian: Any = None
        self.z: Any = None
        self.before: Any = None
        self.solvers: Any = None
        self.tried = 0.0

    def begin(self, t: float, y: Any) -> Any:
        """The rate of change at the start of a step."""
        if self.rate is None:
            self.rate = self.system(t, y).copy()
        return self.rate

    def step(self, t: float, h: float, y: Any) -> Any:
        """The state after a step of size ``h``, tried; None if the stages were not found."""
        self.begin(t, y)
        n = self.system.size
        if self.jacobian is None:
            _, self.jacobian = value_and_jacobian(lambda y: self.system.record(t, y), y)
        if not np.isfinite(self.jacobian).all():
            self.z = None
            return np.full(n, np.nan)
        self.tried = h
        try:
            self.solvers = np.linalg.inv((ROTATED / h)[:, None, None] * np.eye(n) - self.jacobian)
        except np.linalg.LinAlgError:  # not with another step
            return None
        z = np.zeros((3, n), self.system.dtype)
        if self.before is not None:  # the polynomial of the step before goes on a while
            h_before, polynomial = self.before
            shares = 1 + C * (h / h_before)
            z += (shares[:, None] ** np.arange(1, 4) - 1) @ polynomial
        rates = np.empty_like(z)
        scale = self.atol + self.rtol * np.abs(y)
        size_before: float | None = None
        for _ in range(MOST_ITERATIONS):  # Newton's, with the Jacobian at the start for all stages and rounds
            for i, c in enumerate(C.tolist()):
                rates[i] = self.system(t + c * h, y + z[i])
            if not np.isfinite(rates).all():
                self.z = None
                return np.full(n, np.nan)
            turned = TURN_BACK @ rates - (ROTATED / h)[:, None] * (TURN_BACK @ z)
            dz = (TURN @ (self.solvers @ turned[..., None])[..., 0]).real
            z = z + dz
            size = float(np.sqrt(np.mean((dz / scale) ** 2))) if n else 0.0
            slope = size / size_before if size_before else None
            if size == 0 or (slope is not None and slope < 1 and slope / (1 - slope) * size < CLOSE):
                self.z = z.astype(self.system.dtype)
                return y + self.z[2]
            if slope is not None and slope >= 1:
                break
            size_before = size
        return None

    def error(self, h: float) -> Any:
        """An estimate of the error, damped where the problem is stiff."""
        if self.z is None:
            return np.full(self.system.size, np.nan)
        return (self.solvers[REAL] @ (self.rate + (ERROR / h) @ self.z)).real

    def stretch(self, h: float, y1: Any) -> float:
        """Zero: any step is stable."""
        return 0.0

    def accept(self) -> None:
        """Go on from the step tried last."""
        self.before = (self.tried, BETWEEN @ self.z)
        self.rate = self.jacobian = None

    def memory(self) -> Any:
        """The stages of the step tried last."""
        return self.z

    def polynomial(self, h: float, z: Any) -> Any:
        """The polynomial through the start and the stages."""
        return (BETWEEN @ z).astype(self.system.dtype)

    def record(self, t: Any, h: Any, y: Any, memory: Any) -> tuple[Any, Any]:
        """The step recorded: its stages are given by their equations."""
        n = self.system.size

        def residual(z: Any) -> Any:
            stages = reshape(z, (3, n))
            rates = [self.system.record(t + c * h, y + stages[i]) for i, c in enumerate(C.tolist())]
            if not any(isinstance(rate, Node) for rate in rates):
                rates = [rate + 0 * z[:n] for rate in rates]
            moved = stack(rates)
            return z - concatenate([h * (A[i].astype(self.system.dtype) @ moved) for i in range(3)])

        z = reshape(implicit_result("radau_stages", residual, memory.reshape(-1)), (3, n))
        return y + z[2], z

    def record_between(self, share: float, h: float, y: Any, z: Any) -> Any:
        """The state at ``t + share * h``, recorded."""
        return y + (share ** np.arange(1, 4) @ BETWEEN).astype(self.system.dtype) @ z

    def pull(self, step: Step, memory: Any, g: Any, inner: list[tuple[float, Any]], back: Pullback) -> Any:
        """The cotangent of the state before a step."""
        return back.step(self, step, memory, g, inner)
