"""The fourth step: where each node stands across the layers.

Two first drawings are improved, by moving nodes in turn to where their links are shortest.  The better one is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import itemgetter
from typing import NamedTuple

from .alignment import LEVEL, Aligned, level_lines, straight_lines, straight_pieces
from .clusters import Sides, Tree
from .drawings import balanced, packed
from .frames import Frames, Gaps, add_frames, distances
from .lines import Lines
from .net import Net, is_bend

ROUNDS = 3
"""How often lines move there and back to where their links are shortest, before others are chosen."""
BENT = 20.0
"""A link that is not level counts like one that goes so much further."""
SMALL = 3_000
"""Nets with more nodes are drawn from one first drawing only."""


def place_across(net: Net, tree: Tree, gaps: Gaps, room: Sequence[Sides]) -> tuple[list[float], Frames]:
    """Where the middle of each node stands across the layers, the sides of clusters among them."""
    frames = add_frames(net, tree)
    place = [0] * len(net.layer)
    for row in net.rows:
        for i, v in enumerate(row):
            place[v] = i
    straight = [straight_pieces(net, place, row, frames) for row in net.rows]
    apart = distances(net, frames, gaps, room)
    aligned = straight_lines(net, straight)
    lines = Lines(aligned, apart)
    small = len(net.layer) < SMALL
    improved = []
    for y in [packed(aligned, apart), *([balanced(net, frames, apart, place, straight)] if small else [])]:
        y = shorten(net, frames, lines, y)
        for _ in range(2 if small else 1):
            y = shorten(net, frames, Lines(level_lines(net, aligned, y), apart), y)
            y = shorten(net, frames, lines, y)
        improved.append(y)
    return min(improved, key=lambda y: cost(net, y)), frames


def weight_of(net: Net, u: int, v: int) -> int:
    """How much it matters that a piece of a link is level: more for long links, less for those of leaves."""
    return (1 + is_bend(net, u) + is_bend(net, v)) * (3 if net.sources[u] else 1)


def cost(net: Net, y: Sequence[float]) -> float:
    """How far all links go across the layers, and how many are not level, by weight."""
    total = 0.0
    for v, near in enumerate(net.sources):
        for u in near:
            rise = abs(y[v] + net.entry.get((u, v), 0.0) - y[u])
            total += weight_of(net, u, v) * (rise + (BENT if rise > LEVEL else 0.0))
    return total


class Pull(NamedTuple):
    """A link of a line: where it would be level, as a distance from another line, how much it matters, and its side."""

    line: int
    shift: float
    weight: int
    ahead: bool


def pulls_of(net: Net, aligned: Aligned) -> dict[int, list[Pull]]:
    """What pulls each line.  Links of leaves pull less than others: the main road is straight."""
    root, shift = aligned.root, aligned.shift
    pulls: dict[int, list[Pull]] = {b: [] for b in root}
    for v, near in enumerate(net.sources):
        for u in near:
            if root[u] != root[v]:
                rise = shift[v] + net.entry.get((u, v), 0.0) - shift[u]
                weight = weight_of(net, u, v)
                pulls[root[u]].append(Pull(root[v], rise, weight, True))
                pulls[root[v]].append(Pull(root[u], -rise, weight, False))
    return pulls


def shorten(net: Net, frames: Frames, lines: Lines, places: Sequence[float]) -> list[float]:
    """Move lines in turn to where their links are shortest, as far as what stands beside them lets them.

    Frames make way first, and close up again at the end.
    """
    root, shift = lines.aligned.root, lines.aligned.shift
    x = {b: places[b] for b in lines.order}
    pulls = pulls_of(net, lines.aligned)
    highs = {root[v] for v in frames.highs}
    sides = highs | {root[v] for v in frames.lows}
    for i in range(2 * ROUNDS):
        for b in reversed(lines.order) if i % 2 else lines.order:
            low = max([x[a] + distance for a, distance in lines.before[b].items()], default=-inf)
            high = min([x[a] - distance for a, distance in lines.after[b].items()], default=inf)
            if b in sides:
                x[b] = high if i % 2 else low
            elif pulls[b]:
                x[b] = min(max(middle_of([(x[p.line] + p.shift, p) for p in pulls[b]], x[b]), low), high)
    for b in lines.order:
        if b in highs:
            x[b] = max([x[a] + distance for a, distance in lines.before[b].items()])
    return [x[b] + away for b, away in zip(root, shift)]


def middle_of(places: list[tuple[float, Pull]], now: float) -> float:
    """The weighted median of the places that a line is pulled to.

    Between two on one side of it that is half way; between one behind and one ahead, the nearer: one link is straight.
    """
    if len(places) == 1:
        return places[0][0]
    places.sort(key=itemgetter(0))
    half = sum([pull.weight for _, pull in places]) / 2
    total = 0
    for i, (place, pull) in enumerate(places):
        total += pull.weight
        if total > half:
            break
        if total == half:
            other, other_pull = places[i + 1]
            if pull.ahead == other_pull.ahead:
                return (place + other) / 2
            return place if now - place < other - now else other
    return place
