"""Multipliers: which limits hold a minimizer, by how much they pull, and how it moves with them.

References
----------
.. [1] J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed., Springer (2006): section 12.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ops.joining import concatenate
from .constraints import Constraint
from .implicit import implicit_result, value_and_jacobian
from .objective import Array, Objective, value_and_gradient
from .projections import NEAR, Region

WEAK = 1e-7
"""A limit that takes up a smaller part of the gradient does not hold the point."""


@dataclass(frozen=True)
class Balance:
    """What holds a point: ``g + (sum of multipliers times gradients of what is active)`` is nearly 0 along free ways.

    Attributes
    ----------
    held : ndarray of bool
        The unknowns that are held at a bound.
    active : list of (Constraint, ndarray of bool, ndarray of bool)
        The constraints; which of the values of each hold, and which values do so at their upper limit.
    multipliers : ndarray
        Of all values that hold, in their order.
    way : ndarray
        Where what they leave over of the gradient leads.
    outside : float
        How far the point is beyond a constraint, in units of ``x``.
    """

    held: Array
    active: list[tuple[Constraint, Array, Array]]
    multipliers: Array
    way: Array
    outside: float


def balance(limits: list[Constraint], where: Region, x: Array, g: Array) -> Balance:
    """The limits near to ``x`` that hold it where the gradient is ``g``: those whose multipliers push inwards [1]_."""
    from scipy.optimize import lsq_linear  # there, since only its methods take constraints

    near = NEAR * max(1.0, float(np.max(np.abs(x), initial=0.0)))
    outside = 0.0
    rows, lower, upper = [np.eye(x.size)], [x - where.lower <= near], [where.upper - x <= near]
    for c in limits:
        y, jacobian = value_and_jacobian(c.of_flat, x)
        low, high = c.limits(y.shape)
        units = np.linalg.norm(jacobian, axis=1)
        outside = max(outside, float(np.max(np.maximum(low - y, y - high) / np.maximum(units, WEAK), initial=0.0)))
        room = np.where(low == high, np.inf, near * units)
        rows.append(jacobian)
        lower.append(y - low <= room)
        upper.append(high - y <= room)
    if where.total is not None:
        rows.append(np.ones((1, x.size)))
        lower.append(np.array([True]))
        upper.append(np.array([True]))
    matrix, at_lower, at_upper = (np.concatenate(parts) for parts in (rows, lower, upper))
    on = at_lower | at_upper
    pulls = np.zeros(len(on))  # an upper limit pushes one way only, a lower one the other, an equation both
    pulls[on] = lsq_linear(
        matrix[on].T, -g, (np.where(at_lower, -np.inf, 0.0)[on], np.where(at_upper, np.inf, 0.0)[on]), method="bvls"
    ).x
    sizes = np.linalg.norm(matrix, axis=1)
    on &= (at_lower & at_upper) | (np.abs(pulls) * sizes > WEAK * np.max(np.abs(g), initial=0.0))
    held = on[: x.size].copy()
    basis = where.free(held)
    free = np.eye(x.size) if basis is None else basis
    along = matrix @ free
    on &= np.linalg.norm(along, axis=1) > WEAK * sizes  # others are settled by what is held
    active, at = [], x.size
    for c, flags in zip(limits, upper[1:], strict=False):
        active.append((c, on[at : at + flags.size], flags & (pulls[at : at + flags.size] >= 0)))
        at += flags.size
    chosen = along[x.size : at][on[x.size : at]]
    multipliers = np.linalg.lstsq(chosen.T, -(free.T @ g), rcond=None)[0]
    return Balance(held, active, multipliers, -(free @ (free.T @ g + chosen.T @ multipliers)), outside)


def moved_by_limits(objective: Objective, where: Region, limits: list[Constraint], x: Array, g: Array) -> Any:
    """The flat minimizer by the equations of Lagrange: the gradients balance, and values at a limit stay there."""
    found = balance(limits, where, x, g)
    shift, basis = where.shift(x, found.held), where.free(found.held)
    n, count = x.size, found.multipliers.size

    def residual(z: Any) -> Any:
        y = z[:n] if shift is None else z[:n] + shift
        weights = z[n:]

        def total(y: Any) -> Any:
            values = [c.of_flat(y)[on] for c, on, _ in found.active]
            return objective.of_flat(y) + (concatenate(values) * weights).sum()

        beyond = [c.beyond(y, upper)[on] for c, on, upper in found.active]
        return concatenate([value_and_gradient(total, y, create_graph=True)[1], *beyond])

    free = None
    if basis is not None:
        free = np.block([[basis, np.zeros((n, count))], [np.zeros((count, basis.shape[1])), np.eye(count)]])
    z = implicit_result("minimize", residual, np.concatenate([x, found.multipliers]), free)
    return z[:n] if shift is None else z[:n] + shift
