"""A step length that satisfies the strong Wolfe conditions: far enough down, and with a slope that is nearly flat.

References
----------
.. [1] J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed., Springer (2006): algorithms 3.5 and 3.6, and the
   interpolation of equation 3.59.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

Array = Any


class Point(NamedTuple):
    """A point on the line: how far, the value there, its gradient, and the slope along the line."""

    t: float
    f: float
    g: Array
    slope: float


Look = Callable[[float], Point]


def search(
    look: Look,
    start: Point,
    t: float,
    longest: float,
    *,
    max_looks: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
) -> tuple[Point, int]:
    """A point that satisfies the conditions, or the best that was found, and how many were looked at.

    Parameters
    ----------
    look : callable
        The point at ``t``.
    start : Point
        At 0, where the slope is negative.
    t : float
        The first guess.
    longest : float
        The largest entry of the direction.
    max_looks : int
        After the first.
    c1, c2 : float
        How far down is far enough, and how flat is flat.
    tolerance : float
        A bracket in which no entry moves by more than this is not cut further.
    """

    def too_high(p: Point) -> bool:
        return p.f > start.f + c1 * p.t * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -c2 * start.slope

    before, now, looks = start, look(t), 0
    while True:
        if looks == max_looks:
            return (start if start.f <= now.f else now), looks + 1
        if too_high(now) or (looks > 1 and now.f >= before.f):
            break
        if flat(now):
            return now, looks + 1
        if now.slope >= 0:
            break
        shortest, furthest = now.t + 0.01 * (now.t - before.t), 10 * now.t
        before, now = now, look(lowest(before, now, shortest, furthest))
        looks += 1

    # The bracket: a point that is far enough down, and another beyond a minimum.
    ends, stuck = [before, now], False
    low = 0 if before.f <= now.f else 1
    while looks < max_looks:
        left, right = sorted([ends[0].t, ends[1].t])
        if (right - left) * longest < tolerance:
            break
        t = lowest(ends[0], ends[1], left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # too near to an end to learn much
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = look(t)
        looks += 1
        if too_high(now) or now.f >= ends[low].f:
            ends[1 - low] = now
            low = 0 if ends[0].f <= ends[1].f else 1
            continue
        done = flat(now)
        if not done and now.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = now
        if done:
            break
    return ends[low], looks + 1


def lowest(a: Point, b: Point, left: float, right: float) -> float:
    """Where the cubic through two points and their slopes is lowest, between ``left`` and ``right``."""
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not 0 <= square < math.inf:
        return (left + right) / 2
    d2 = math.sqrt(square)
    first, last = (a, b) if a.t <= b.t else (b, a)
    if last.slope - first.slope + 2 * d2 == 0:  # a parabola that bends down
        return (left + right) / 2
    t = last.t - (last.t - first.t) * ((last.slope + d2 - d1) / (last.slope - first.slope + 2 * d2))
    return min(max(t, left), right)
