"""``layout``: the steps one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from ...core.errors import ArgumentError
from .clusters import Sides, Tree, home_of, refuse_repeated, sides_of
from .columns import Placed, place_rectangles
from .coordinates import place_across
from .frames import Gaps
from .layers import assign_layers, closing_pairs
from .model import Box, Cluster, Layout, Link, Point, Rect
from .net import Net, bundles_of, cut_into_pieces, short_enough
from .ordering import order_layers
from .routing import Curve, Router

DIRECTIONS = ("LR", "TB")


def layout(
    boxes: Iterable[Box],
    links: Iterable[Link],
    clusters: Iterable[Cluster] = (),
    *,
    direction: str = "LR",
    gap: float = 18.0,
    layer_gap: float = 44.0,
    margin: float = 12.0,
    padding: float = 10.0,
) -> Layout:
    """Place boxes in layers, so that links point one way, are short and straight, and cross little.

    Boxes do not overlap, no link meets a box on its way, links between the same two boxes are distinct, and a cluster
    holds its own boxes and no others.  Links that close a cycle go back round the outside.

    Parameters
    ----------
    boxes, links, clusters : iterable of Box, Link and Cluster
    direction : str
        ``"LR"``: links leave on the right and enter on the left; ``"TB"``: below and above.
    gap : float
        Between boxes of one layer.
    layer_gap : float
        Between layers; more where links are steep or frames need room.
    margin : float
        Around the whole.
    padding : float
        Between a cluster's frame and what it holds.

    Returns
    -------
    Layout

    Raises
    ------
    ArgumentError
        If ids repeat or are not known, a size or a gap is no positive number, or there is no such direction.

    Examples
    --------
    >>> drawn = layout([Box("a", 40, 20), Box("b", 40, 20)], [Link("a to b", "a", "b")])
    >>> drawn.boxes["b"]
    Rect(x=96.0, y=12.0, width=40, height=20.0)
    >>> drawn.links["a to b"][0], drawn.links["a to b"][-1]
    (Point(x=52.0, y=22.0), Point(x=96.0, y=22.0))
    """
    if direction not in DIRECTIONS:
        raise ArgumentError(f"There is no direction {direction!r}; the directions are 'LR' and 'TB'.")
    if not (0 < gap < inf and 0 < layer_gap < inf and 0 <= margin < inf and 0 <= padding < inf):
        raise ArgumentError(
            f"The layout was asked for gap={gap}, layer_gap={layer_gap}, margin={margin}, padding={padding}; "
            "gaps must be positive, and nothing may be negative or infinite."
        )
    boxes, links, tree, sideways = list(boxes), list(links), Tree(list(clusters)), direction == "LR"
    check_boxes(boxes)
    homes = [home_of(box, tree) for box in boxes]
    along, across = [box.width for box in boxes], [box.height for box in boxes]
    if not sideways:
        along, across = across, along
    spacing = gap / 3

    bundles = bundles_of(ends_of(links, boxes, across), across, spacing)
    pairs = [(b.source, b.target) for b in bundles]
    closing = closing_pairs(len(boxes), pairs)
    layer = assign_layers(homes, [pair for pair in pairs if pair not in closing], tree)
    tree.span(homes, layer)

    net = Net(len(boxes), [size / 2 for size in across], [size / 2 for size in across], layer, homes)
    for bundle in bundles:
        if bundle.source == bundle.target:
            net.after[bundle.source] += gap / 2 + spacing * len(bundle.links)
    led = short_enough(bundles, layer)
    cut_into_pieces(net, led, tree, spacing)
    order_layers(net, tree)

    sides = [sides_of(cluster, padding, sideways) for cluster in tree.clusters]
    y, frames = place_across(net, tree, Gaps(gap, gap / 2), sides)
    bends = [bend for bundle in led for bend in bundle.bends]
    placed = place_rectangles(net, tree, along, y, frames, bends, sides, gap, layer_gap)
    if sideways and widen_for_titles(tree, sides, placed.clusters, padding):
        placed = place_rectangles(net, tree, along, y, frames, bends, sides, gap, layer_gap)
    curves = Router(net, placed, y, spacing, layer_gap).draw(bundles, led)
    return picture(boxes, links, tree, placed, curves, sideways, margin)


def check_boxes(boxes: Sequence[Box]) -> None:
    """Refuse boxes that cannot be placed."""
    refuse_repeated("boxes", [box.id for box in boxes])
    for box in boxes:
        if not (0 < box.width < inf and 0 < box.height < inf):
            raise ArgumentError(
                f"The box {box.id!r} is {box.width} wide and {box.height} high; both must be positive and finite."
            )


def ends_of(links: Sequence[Link], boxes: Sequence[Box], across: Sequence[float]) -> list[tuple[int, int, float]]:
    """The source and the target of each link, by number, and where it enters that, from the middle of the side."""
    refuse_repeated("links", [link.id for link in links])
    number = {box.id: i for i, box in enumerate(boxes)}
    ends = []
    for link in links:
        for end in (link.source, link.target):
            if end not in number:
                raise ArgumentError(f"The link {link.id!r} ends at {end!r}, which is not among the boxes.")
        target = number[link.target]
        ports, size = boxes[target].ports, across[target]
        entry = 0.0
        if link.port is not None and ports:
            if not 0 <= link.port < len(ports):
                raise ArgumentError(
                    f"The link {link.id!r} enters {link.target!r} at port {link.port}; "
                    f"that box has {len(ports)}, counted from 0."
                )
            entry = min(max(ports[link.port], 0.0), size) - size / 2
        ends.append((number[link.source], target, entry))
    return ends


def widen_for_titles(tree: Tree, sides: Sequence[Sides], clusters: dict[int, Rect], padding: float) -> bool:
    """Give clusters that are too short for their titles more room along the layers; whether there was any."""
    short = False
    for c, rect in clusters.items():
        missing = tree.clusters[c].label_width + 2 * padding - rect.width
        if missing > 0:
            sides[c].before += missing / 2
            sides[c].after += missing / 2
            short = True
    return short


def picture(
    boxes: Sequence[Box],
    links: Sequence[Link],
    tree: Tree,
    placed: Placed,
    curves: dict[int, Curve],
    sideways: bool,
    margin: float,
) -> Layout:
    """The layout, turned the way that it was asked for, with a margin around it."""
    rects = [*placed.boxes, *placed.clusters.values()]
    points = [point for curve in curves.values() for point in curve]
    x0 = min([*(r.x for r in rects), *(p.x for p in points)], default=0.0) - margin
    y0 = min([*(r.y for r in rects), *(p.y for p in points)], default=0.0) - margin
    x1 = max([*(r.x + r.width for r in rects), *(p.x for p in points)], default=0.0) + margin
    y1 = max([*(r.y + r.height for r in rects), *(p.y for p in points)], default=0.0) + margin

    def turned(rect: Rect) -> Rect:
        x, y, width, height = rect.x - x0, rect.y - y0, rect.width, rect.height
        return Rect(x, y, width, height) if sideways else Rect(y, x, height, width)

    def led(curve: Curve) -> list[Point]:
        return [Point(x - x0, y - y0) if sideways else Point(y - y0, x - x0) for x, y in curve]

    return Layout(
        x1 - x0 if sideways else y1 - y0,
        y1 - y0 if sideways else x1 - x0,
        {box.id: turned(rect) for box, rect in zip(boxes, placed.boxes)},
        {tree.clusters[c].id: turned(placed.clusters[c]) for c in sorted(placed.clusters)},
        {link.id: led(curves[i]) for i, link in enumerate(links)},
    )
