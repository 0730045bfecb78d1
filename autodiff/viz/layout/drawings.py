"""Two first drawings, to be improved: one that is narrow, and one in which many links are straight."""

from __future__ import annotations

from collections.abc import Sequence

from .alignment import Aligned, Straight, align, giving_way
from .frames import Distances, Frames
from .lines import Lines
from .net import Net


def mirrored(apart: Distances) -> Distances:
    """The distances, read from the other side."""
    return {(v, u): distance for (u, v), distance in apart.items()}


def packed(aligned: Aligned, apart: Distances) -> list[float]:
    """Everything as low as can be and as high as can be, and then the mean of both."""
    every = set(aligned.root)
    low = Lines(aligned, apart).pack(every)
    high = Lines(Aligned(aligned.root, [-shift for shift in aligned.shift]), mirrored(apart)).pack(every)
    return [(a - b) / 2 for a, b in zip(low, high)]


def balanced(net: Net, frames: Frames, apart: Distances, place: list[int], straight: Sequence[Straight]) -> list[float]:
    """The mean of four drawings that lean into one corner each: the method of Brandes and Köpf."""
    return balance(four_drawings(net, frames, apart, place, straight))


def four_drawings(
    net: Net, frames: Frames, apart: Distances, place: list[int], straight: Sequence[Straight]
) -> list[list[float]]:
    """A place for each node in four drawings: leaning to either side, lined up from either end of the links."""
    entry = net.entry
    giving = giving_way(net, place, straight)
    drawings = []
    for turned in (False, True):
        rows, fixed, sign = net.rows, frames.highs, 1
        if turned:
            rows, fixed, sign = [row[::-1] for row in rows], frames.lows, -1
            place = [-i for i in place]
            entry = {piece: -y for piece, y in entry.items()}
            apart = mirrored(apart)
        for layers, near in ((rows, net.sources), (rows[::-1], net.targets)):
            aligned = align(layers, near, place, giving, entry)
            drawings.append([sign * x for x in Lines(aligned, apart).pack({aligned.root[v] for v in fixed})])
    return drawings


def balance(drawings: Sequence[list[float]]) -> list[float]:
    """Shift the drawings to the sides of the narrowest, and take the mean of the middle two places of each node.

    What keeps a distance in each of them keeps it in the result.
    """
    if not drawings[0]:
        return []
    narrowest = min(drawings, key=lambda x: max(x) - min(x))
    low, high = min(narrowest), max(narrowest)
    shifts = [low - min(x) if i < 2 else high - max(x) for i, x in enumerate(drawings)]
    shifted = [[place + shift for place in x] for x, shift in zip(drawings, shifts)]
    middle = []
    for places in zip(*shifted):
        _, a, b, _ = sorted(places)
        middle.append((a + b) / 2)
    return middle
