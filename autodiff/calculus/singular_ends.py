"""Integrals up to a singular end: the limit of integrals that reach ever nearer to it.

Floats are dense near 0 only.  Near any other end, what a singular function has beyond the last of them counts:
``(1 - x)**-0.9`` has a third of its integral over [0, 1] beyond the last box that can be halved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .boxes import Boxes

FIRST = 8
"""A limit is looked for from this piece on, the one farthest from the end being 0 ..."""
LAST = 64
"""... up to this one."""
COLUMNS = 8
"""So many orders of estimates are tried."""
SHARE = 0.25
"""The error of a limit may be this share of what is allowed: both ends may be singular."""
EPS = float(np.finfo(float).eps)


def settle(boxes: Boxes, box: int, largest: Callable[[Any], Any], allowed: Any) -> bool:
    """Put the limit in place of what the boxes nearest to a singular end hold; tell whether that was possible.

    Parameters
    ----------
    boxes : Boxes
        Along one axis.
    box : int
        The one that cannot be halved any more.
    largest : callable
        The size of the largest entry of each part.
    allowed : ndarray
        How large the error may be, for each part.
    """
    low, high = boxes.low[:, 0], boxes.high[:, 0]
    end = min(boxes.ends, key=lambda t: abs(t - low[box]))
    way = 1 if low[box] >= end else -1
    if (end, way) in boxes.settled:
        return False
    # Boxes next to the end were halved time and again, so that some edges are at powers of two from it.  Between these
    # lie the pieces of a sum whose limit is wanted, the farthest first.
    reach = way * ((high if way == 1 else low) - end)
    order = np.flatnonzero(reach > 0)
    order = order[reach[order].argsort()]
    doublings = np.log2(reach[order] / reach[order[0]])
    places = np.flatnonzero(abs(doublings - doublings.round()) < 0.003)  # edges near the end are rounded that much
    places = places[: int((np.diff(doublings[places].round()) == 1).cumprod().sum()) + 1]
    if len(places) <= FIRST:
        return False
    near, rows = places[:-1], order[: places[-1] + 1]
    pieces = np.add.reduceat(boxes.values[rows], near + 1)[::-1]
    rounding = np.add.reduceat(boxes.errors[rows, 1], near + 1)[::-1]
    coarse = 4 * EPS * (abs(end) + boxes.ranges.offset(0, end + way)) / reach[order[near]][::-1]
    found = _limit(pieces, (rounding + coarse[:, None] * largest(pieces)).cumsum(axis=0), largest, SHARE * allowed)
    if found is None:
        return False
    n, rest, error = found
    inside = order[: near[len(near) - 1 - n] + 1]
    boxes.values[inside], boxes.errors[inside], boxes.rims[inside] = 0, 0, 0
    boxes.values[inside[0]], boxes.errors[inside[0]] = rest, error  # as rounding: it does not get less
    boxes.settled.append((end, way))
    boxes.ends.append(float((low if way == -1 else high)[inside[-1]]))
    return True


def _limit(pieces: Any, noise: Any, largest: Callable[[Any], Any], allowed: Any) -> Any:
    """Which piece to add up last, what remains then up to the limit, and its error; None if there is no such limit.

    Wynn's epsilon algorithm [1]_, which is exact for sums of a few powers of the distance, times logarithms too.  Its
    error is how far the last estimates of two orders are apart; it finds a limit of divergent sums as well, which grow.

    References
    ----------
    .. [1] P. Wynn, Math. Tables Aids Comput. 10 (1956) 91-96.
    """
    sums, sizes = pieces.cumsum(axis=0), abs(pieces)
    tables = [_estimates(sums[max(0, n - 2 * COLUMNS) : n + 1]) for n in range(min(len(sums), LAST))]
    best, share = None, 1.0
    for n in range(FIRST, len(tables)):
        if np.any((sizes[n] > sizes[n - 1]) & (sizes[n] > EPS * abs(sums[n]))):
            continue
        for order in range(2, len(tables[n - 2])):
            value = tables[n][order]
            others = np.array([tables[k][j] for k in (n, n - 1, n - 2) for j in (order - 1, order)])
            error = largest(abs(others - value).max(axis=0)) + noise[n]
            if (worst := float((error / allowed).max())) < share:
                best, share = (n, value - sums[n], error), worst
    return best


def _estimates(sums: Any) -> list[Any]:
    """The last estimate of the limit by each order: the sequence's own last, and every second column of the table."""
    before, now, found = np.zeros((len(sums) + 1, *sums.shape[1:])), sums, [sums[-1]]
    with np.errstate(all="ignore"):
        while len(now) > 2:
            between = before[1:-1] + 1 / np.diff(now, axis=0)
            after = now[1:-1] + 1 / np.diff(between, axis=0)
            before, now = between, np.where(np.isfinite(after), after, now[2:])  # what does not change has arrived
            found.append(now[-1])
    return found
