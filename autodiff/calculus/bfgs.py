"""The method of Broyden, Fletcher, Goldfarb and Shanno: Newton's, with curvature learned from gradients.

References
----------
.. [1] J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed., Springer (2006): chapter 6.1, procedure 18.2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core import wolfe
from .descent import ROUNDING, backtrack
from .newton import free_step
from .objective import Array, Objective, Point
from .projections import Region

LOOKS = 30
"""At most so many points of a line are looked at."""
DAMPING = 0.2
"""At least this part of the curvature that was expected along a step is kept (Powell), so that it stays positive."""


def bfgs(objective: Objective, region: Region, point: Point) -> Iterator[Point]:
    """Points by BFGS steps, projected onto the region; converges superlinearly.

    Steps satisfy the strong Wolfe conditions, or Armijo's along the projected path where there are constraints.
    """
    yield point
    matrix, fresh = np.eye(point.x.size), True
    while True:
        step = free_step(region, point, matrix, np.linalg.solve)
        t = min(1.0, 1 / max(float(np.abs(point.g).sum()), 1e-300)) if fresh else 1.0
        search = backtrack if region.bounded else line_search
        found = search(objective, region, point, step, t) or backtrack(objective, region, point, step)
        if not found and not fresh:
            matrix, fresh = np.eye(point.x.size), True
            continue
        if not found:
            return
        matrix = updated(matrix, found[1].x - point.x, found[1].g - point.g, fresh)
        point, fresh = found[1], False
        yield point


def line_search(
    objective: Objective, region: Region, point: Point, step: Array, t: float
) -> tuple[float, Point] | None:
    """A length that satisfies the strong Wolfe conditions, and the point there; None if none lowers the value."""

    def look(t: float) -> wolfe.Point:
        p = objective.point(point.x + t * step)
        return wolfe.Point(t, p.f, p.g, float(p.g @ step))

    start = wolfe.Point(0.0, point.f, point.g, float(point.g @ step))
    if not start.slope < 0:
        return None
    longest = float(np.max(np.abs(step)))
    shortest = ROUNDING * (float(np.max(np.abs(point.x))) + longest)
    found, _ = wolfe.search(look, start, t, longest, max_looks=LOOKS, tolerance=shortest)
    if found.t == 0 or not found.f < point.f:
        return None
    return found.t, objective.require_point(point.x + found.t * step)


def updated(matrix: Array, s: Array, y: Array, fresh: bool) -> Array:
    """The matrix of curvatures after a step ``s`` that changed the gradient by ``y``: positive definite, as damped."""
    along = float(s @ y)
    if fresh and along > 0:
        matrix = np.eye(s.size) * (float(y @ y) / along)
    pushed = matrix @ s
    curvature = float(s @ pushed)
    if not curvature > 0:
        return matrix
    if along < DAMPING * curvature:
        part = (1 - DAMPING) * curvature / (curvature - along)
        y = part * y + (1 - part) * pushed
        along = float(s @ y)
    with np.errstate(all="ignore"):
        new = matrix - np.outer(pushed, pushed) / curvature + np.outer(y, y) / along
    return new if np.all(np.isfinite(new)) else matrix
