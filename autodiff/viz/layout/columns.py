"""Where each layer begins and ends along the links' direction, and the rectangles of boxes and clusters.

In this module x runs along the links' direction and y across, whichever way the drawing is turned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from .clusters import NOWHERE, Sides, Tree
from .frames import Frames
from .model import Rect
from .net import Net

STEEP = 8.0
"""A link that goes further across than this times the gap between two layers widens it..."""
WIDEST = 2.0
"""... to this many times the least gap."""


@dataclass(slots=True)
class Columns:
    """Where layers begin and end."""

    start: list[float]
    end: list[float]


def widths_of(net: Net, along: Sequence[float]) -> list[float]:
    """The width of each layer: that of its widest box."""
    widths = [0.0] * len(net.rows)
    for v, size in enumerate(along):
        widths[net.layer[v]] = max(widths[net.layer[v]], size)
    return widths


def frame_room(tree: Tree, sides: Sequence[Sides], layers: int, gap: float) -> list[float]:
    """How much room frames need in the gap before each layer, for those that close there and those that open."""
    opening, closing = [s.before for s in sides], [s.after for s in sides]
    room = [[0.0, 0.0] for _ in range(layers + 1)]
    for c in reversed(range(len(sides))):
        first, last, parent = tree.first[c], tree.last[c], tree.parent[c]
        if first > last:
            continue
        room[first][1] = max(room[first][1], opening[c])
        room[last + 1][0] = max(room[last + 1][0], closing[c])
        if parent != NOWHERE and tree.first[parent] == first:
            opening[parent] = max(opening[parent], opening[c] + sides[parent].before)
        if parent != NOWHERE and tree.last[parent] == last:
            closing[parent] = max(closing[parent], closing[c] + sides[parent].after)
    return [after + gap + before for after, before in room]


def place_along(net: Net, widths: Sequence[float], y: Sequence[float], room: Sequence[float], gap: float) -> Columns:
    """Put layers one after the other, with gaps that are wider where links are steep."""
    columns = Columns([], [])
    x = 0.0
    for i, (row, width) in enumerate(zip(net.rows, widths)):
        if i:
            steepest = max([abs(y[u] - y[v]) for v in row for u in net.sources[v]], default=0.0)
            x += max(gap, min(steepest / STEEP, WIDEST * gap), room[i])
        columns.start.append(x)
        x += width
        columns.end.append(x)
    return columns


def place_boxes(net: Net, columns: Columns, along: Sequence[float], y: Sequence[float]) -> list[Rect]:
    """The rectangle of each box, in the middle of its layer."""
    rects = []
    for v, size in enumerate(along):
        middle = (columns.start[net.layer[v]] + columns.end[net.layer[v]]) / 2
        rects.append(Rect(middle - size / 2, y[v] - net.before[v], size, 2 * net.before[v]))
    return rects


def place_clusters(
    net: Net,
    tree: Tree,
    boxes: Sequence[Rect],
    bends: Iterable[int],
    y: Sequence[float],
    frames: Frames,
    sides: Sequence[Sides],
) -> dict[int, Rect]:
    """The rectangle of each cluster that holds a box: around its boxes and its own links."""
    count = len(tree.clusters)
    left, right, top, bottom = [inf] * count, [-inf] * count, [inf] * count, [-inf] * count

    def hold(c: int, x0: float, x1: float, y0: float, y1: float) -> None:
        if c != NOWHERE:
            left[c], right[c] = min(left[c], x0), max(right[c], x1)
            top[c], bottom[c] = min(top[c], y0), max(bottom[c], y1)

    for v, box in enumerate(boxes):
        hold(net.home[v], box.x, box.x + box.width, y[v] - net.before[v], y[v] + net.after[v])
    for v in bends:
        hold(net.home[v], inf, -inf, y[v] - net.before[v], y[v] + net.after[v])
    rects = {}
    for c in reversed(range(count)):
        if tree.first[c] <= tree.last[c]:
            x0, x1 = left[c] - sides[c].before, right[c] + sides[c].after
            y0, y1 = top[c] - sides[c].above, bottom[c] + sides[c].below
            y1 = max(y1, min(y0 + sides[c].least, y[frames.high[c][0]]))
            y0 = min(y0, y1 - sides[c].least)
            rects[c] = Rect(x0, y0, x1 - x0, y1 - y0)
            hold(tree.parent[c], x0, x1, y0, y1)
    return rects


@dataclass(slots=True)
class Placed:
    """What has its final place: the layers, boxes and clusters."""

    columns: Columns
    boxes: list[Rect]
    clusters: dict[int, Rect]


def place_rectangles(
    net: Net,
    tree: Tree,
    along: Sequence[float],
    y: Sequence[float],
    frames: Frames,
    bends: Sequence[int],
    sides: Sequence[Sides],
    gap: float,
    layer_gap: float,
) -> Placed:
    """Place the layers, the boxes and the clusters."""
    columns = place_along(net, widths_of(net, along), y, frame_room(tree, sides, len(net.rows), gap), layer_gap)
    boxes = place_boxes(net, columns, along, y)
    return Placed(columns, boxes, place_clusters(net, tree, boxes, bends, y, frames, sides))
