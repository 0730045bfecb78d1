"""Frames of clusters as nodes of the net, and how far apart nodes must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .clusters import Sides, Tree
from .net import Net, is_bend

Distances = dict[tuple[int, int], float]
"""How far apart the middles of two nodes must be, at the least."""


@dataclass(slots=True)
class Gaps:
    """The room between things across the layers."""

    boxes: float
    bends: float


@dataclass(slots=True)
class Frames:
    """The two sides of each cluster, as nodes of the net: one for each layer; ``first`` is the first such node."""

    first: int
    low: list[list[int]]
    high: list[list[int]]

    @property
    def lows(self) -> set[int]:
        """All nodes of low sides."""
        return {v for side in self.low for v in side}

    @property
    def highs(self) -> set[int]:
        """All nodes of high sides."""
        return {v for side in self.high for v in side}


def add_frames(net: Net, tree: Tree) -> Frames:
    """Put a node at each side of each cluster in each layer, and join those of one side."""
    frames = Frames(len(net.layer), [[] for _ in tree.clusters], [[] for _ in tree.clusters])

    def put(side: list[int], i: int, c: int, row: list[int]) -> None:
        v = net.add(i, c, 0.0)
        net.sources.append(side[-1:])
        net.targets.append([])
        if side:
            net.targets[side[-1]].append(v)
        side.append(v)
        row.append(v)

    for i, row in enumerate(net.rows):
        framed: list[int] = []
        inside: tuple[int, ...] = ()
        for v in [*row, None]:
            around = () if v is None else tree.path_of(net.home[v])
            shared = 0
            while shared < min(len(inside), len(around)) and inside[shared] == around[shared]:
                shared += 1
            for c in reversed(inside[shared:]):
                put(frames.high[c], i, c, framed)
            for c in around[shared:]:
                put(frames.low[c], i, c, framed)
            inside = around
            if v is not None:
                framed.append(v)
        net.rows[i] = framed
    return frames


def distances(net: Net, frames: Frames, gaps: Gaps, sides: Sequence[Sides]) -> Distances:
    """How far apart neighbours in a layer must be, and the two sides of each cluster."""
    low = {v: c for c, side in enumerate(frames.low) for v in side}
    high = {v: c for c, side in enumerate(frames.high) for v in side}

    def gap(u: int, v: int) -> float:
        if u in low:
            return sides[low[u]].above
        if v in high:
            return sides[high[v]].below
        if u in high or v in low:
            return gaps.boxes
        bends = is_bend(net, u) + is_bend(net, v)
        return (gaps.boxes * (2 - bends) + gaps.bends * bends) / 2

    apart = {(u, v): net.after[u] + gap(u, v) + net.before[v] for row in net.rows for u, v in pairwise(row)}
    for low_side, high_side, room in zip(frames.low, frames.high, sides):
        if low_side:
            ends = low_side[0], high_side[0]
            apart[ends] = max(room.least, apart.get(ends, 0.0))
    return apart
