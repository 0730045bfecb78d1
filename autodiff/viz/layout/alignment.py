"""Which nodes stand on one line across the layers: long links become straight, and boxes stand opposite a neighbour.

The method of Brandes and Köpf [1]_, where the frames of clusters count as links that nothing may bend.

References
----------
.. [1] U. Brandes, B. Köpf, "Fast and Simple Horizontal Coordinate Assignment", Graph Drawing 2001.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from .frames import Frames
from .net import Net, is_bend

LEVEL = 1e-6
"""Links whose ends differ by less than this are level."""


def longest_rising(values: Sequence[int]) -> list[int]:
    """Which entries of a list form its longest rising part.

    Examples
    --------
    >>> longest_rising([3, 0, 1, 4, 2])
    [1, 2, 4]
    """
    ends: list[int] = []  # ends[k]: the entry with the least value that k entries before it can rise to
    least: list[int] = []
    before: list[int] = []
    for i, value in enumerate(values):
        k = bisect_left(least, value)
        before.append(ends[k - 1] if k else -1)
        if k == len(ends):
            ends.append(i)
            least.append(value)
        else:
            ends[k], least[k] = i, value
    chosen: list[int] = []
    i = ends[-1] if ends else -1
    while i >= 0:
        chosen.append(i)
        i = before[i]
    return chosen[::-1]


@dataclass(slots=True)
class Straight:
    """Pieces of links below one layer that will be straight, in order, by the places of their ends; no two cross."""

    starts: list[int]
    ends: list[int]

    def cross(self, start: int, end: int) -> bool:
        """Whether a piece of a link crosses one of these."""
        i, j = bisect_left(self.starts, start), bisect_right(self.starts, start)
        return (i > 0 and self.ends[i - 1] > end) or (j < len(self.ends) and self.ends[j] < end)


def straight_pieces(net: Net, place: Sequence[int], row: Sequence[int], frames: Frames) -> Straight:
    """The pieces below a layer that will be straight: frames, and as many of those between two bends as can be."""
    fixed = [(place[u], place[net.targets[u][0]]) for u in row if u >= frames.first and net.targets[u]]
    straight = Straight([u for u, _ in fixed], [v for _, v in fixed])
    inner = []
    for u in row:
        if net.boxes <= u < frames.first and net.targets[u] and is_bend(net, net.targets[u][0]):
            piece = place[u], place[net.targets[u][0]]
            if not straight.cross(*piece):
                inner.append(piece)
    both = sorted(fixed + [inner[i] for i in longest_rising([end for _, end in inner])])
    return Straight([start for start, _ in both], [end for _, end in both])


def giving_way(net: Net, place: Sequence[int], straight: Sequence[Straight]) -> set[tuple[int, int]]:
    """The pieces that nothing is lined up along, from either end.

    Those that cross a straight one, and those that come from a leaf where another comes from further back, or go to a
    dead end where another goes on: the main road is straight, and what joins it stands beside it.
    """
    giving: set[tuple[int, int]] = set()
    for row, below in zip(net.rows, straight):
        for u in row:
            onwards = [bool(net.targets[v]) for v in net.targets[u]]
            for v, goes_on in zip(net.targets[u], onwards):
                beside = not net.sources[u] and any([net.sources[w] for w in net.sources[v]])
                if beside or (not goes_on and any(onwards)) or below.cross(place[u], place[v]):
                    giving |= {(u, v), (v, u)}
    return giving


@dataclass(slots=True)
class Aligned:
    """For each node the one that its line begins at, and how far it stands from the line."""

    root: list[int]
    shift: list[float]


def align(
    layers: Sequence[Sequence[int]],
    near: Sequence[Sequence[int]],
    place: Sequence[int],
    giving: set[tuple[int, int]],
    entry: Mapping[tuple[int, int], float],
) -> Aligned:
    """Line up each node with the middle one of its neighbours in the layer before, so that their link is straight.

    Of two lines that would cross, the first comes about.
    """
    root, shift = list(range(len(near))), [0.0] * len(near)
    for row in layers:
        last = -inf
        for v in row:
            free = sorted([u for u in near[v] if (u, v) not in giving], key=place.__getitem__)
            for u in free[(len(free) - 1) // 2 : len(free) // 2 + 1]:  # one or two in the middle
                if place[u] > last:
                    root[v] = root[u]
                    shift[v] = shift[u] - entry.get((u, v), 0.0) + entry.get((v, u), 0.0)
                    last = place[u]
                    break
    return Aligned(root, shift)


def straight_lines(net: Net, straight: Sequence[Straight]) -> Aligned:
    """Lines along the straight pieces alone."""
    root = list(range(len(net.layer)))
    for row, next_row, below in zip(net.rows, net.rows[1:], straight):
        for start, end in zip(below.starts, below.ends):
            root[next_row[end]] = root[row[start]]
    return Aligned(root, [0.0] * len(root))


def level_lines(net: Net, straight: Aligned, y: Sequence[float]) -> Aligned:
    """Lines along the straight pieces and along every link that happens to be level."""
    root = list(range(len(net.layer)))
    for row in net.rows:
        for v in row:
            if straight.root[v] != v:
                root[v] = root[straight.root[v]]
            else:
                level = [u for u in net.sources[v] if abs(y[v] + net.entry.get((u, v), 0.0) - y[u]) < LEVEL]
                root[v] = root[level[0]] if level else v
    return Aligned(root, [y[v] - y[line] for v, line in enumerate(root)])
