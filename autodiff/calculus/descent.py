"""Gradient descent, and the line search that it shares with the other methods.

References
----------
.. [1] D. P. Bertsekas, "On the Goldstein-Levitin-Polyak gradient projection method", IEEE Trans. Automatic Control 21
   (1976) 174-184.
.. [2] W. W. Hager and H. Zhang, SIAM J. Optimization 16 (2005) 170-192: the test by slopes, where values are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .objective import Array, Objective, Point
from .projections import Region

ENOUGH = 1e-4
"""The part of what the slope promises that a step must lower the value by (Armijo's condition)."""
HALVINGS = 60
"""How often a step is cut in half before the search gives up."""
ROUNDING = 4 * float(np.finfo(float).eps)


def gradient_descent(objective: Objective, region: Region, point: Point) -> Iterator[Point]:
    """Points down the gradient, each projected onto the region; converges linearly.

    The step is halved until Armijo's condition holds along the projected path [1]_, and doubled for the next time.
    """
    t = 1 / max(1.0, float(np.max(np.abs(point.g), initial=0.0)))
    yield point
    while found := backtrack(objective, region, point, -point.g, 2 * t):
        t, point = found
        yield point


def backtrack(
    objective: Objective, region: Region, point: Point, step: Array, t: float = 1.0
) -> tuple[float, Point] | None:
    """The first of ``t``, ``t / 2``, ... at which the projected step is far enough down, and the point there.

    None if there is none: the step does not lead down, or the value cannot be lowered any further in floats.
    """
    scale = ROUNDING * abs(point.f)
    for _ in range(HALVINGS):
        x = region.project(point.x + t * step)
        moved = x - point.x
        slope = float(point.g @ moved)
        if not moved.any():
            return None
        if slope < 0:
            f = objective.value(x)
            if f < point.f and f <= point.f + ENOUGH * slope:
                return t, objective.require_point(x)
            if f <= point.f + scale:  # rounded: the slope there tells more [2]_
                there = objective.require_point(x)
                if float(there.g @ moved) <= (2 * ENOUGH - 1) * slope and region.steepness(
                    x, there.g
                ) < region.steepness(point.x, point.g):
                    return t, there
        t /= 2
    return None
