"""Newton's method for minima, with an exact Hessian that is repaired where it is not positive definite.

References
----------
.. [1] J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed., Springer (2006): chapter 3.4.
.. [2] D. P. Bertsekas, "Projected Newton methods for optimization problems with simple constraints", SIAM J. Control
   and Optimization 20 (1982) 221-246.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..core.errors import NotFiniteError
from .descent import backtrack
from .objective import Array, Objective, Point, place
from .projections import Region

SMALLEST = 1e-12
"""Curvatures are taken as at least this part of the largest, and of the slope: steps are no longer than 1e12."""


def newton(objective: Objective, region: Region, point: Point) -> Iterator[Point]:
    """Points by damped Newton steps, projected onto the region; converges quadratically where the Hessian is regular.

    Negative curvatures are taken by their size, so that a step leads away from saddles [1]_.  Entries that are held at
    a bound stay out of the step [2]_.
    """
    yield point
    while True:
        matrix = objective.hessian(point.x)
        if not np.all(np.isfinite(matrix)):
            raise NotFiniteError(f"{objective.what}: the Hessian of the function is not finite at {place(point.x)}.")
        found = backtrack(objective, region, point, free_step(region, point, matrix, repaired_solve))
        found = found or backtrack(objective, region, point, -point.g)
        if not found:
            return
        point = found[1]
        yield point


def repaired_solve(matrix: Array, g: Array) -> Array:
    """``matrix^-1 g``, with the curvatures of ``matrix`` made positive."""
    curvatures, ways = np.linalg.eigh(matrix)
    sizes = np.abs(curvatures)
    steepest = float(np.max(np.abs(g), initial=0.0))
    sizes = np.maximum(sizes, max(SMALLEST * max(np.max(sizes, initial=0.0), steepest), 1e-300))
    return ways @ ((ways.T @ g) / sizes)


def free_step(region: Region, point: Point, matrix: Array, solve: Callable[[Array, Array], Array]) -> Array:
    """The step to the minimum of a quadratic model, along the ways that no bound holds."""
    held = region.held(point.x, point.g)
    while True:
        basis = region.free(held)
        if basis is None:
            step = -solve(matrix, point.g)
        else:
            step = -(basis @ solve(basis.T @ matrix @ basis, basis.T @ point.g))
        more = region.leaving(point.x, step) & ~held
        if not more.any():
            return step
        held = held | more
