"""From a scene to shapes with coordinates, which the printers of SVG, PNG and PDF only have to write down."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.summary import shorten
from .. import layout as placing
from ..layout import Layout, Point
from ..scene import Frame, Legend, Link, Scene
from ..theme import Theme
from .boxes import sketch_box
from .fonts import width_of
from .gates import sketch_gate
from .shapes import FLOW_LINES, LONGEST, SIZE, SMALL, Group, Path, Picture, Rect, Shape, Sketch, Text, line_of

ARROW = 7.0
"""Length of the head of an arrow."""


def picture_of(scene: Scene) -> Picture:
    """Place everything, in the colours of the scene's theme; of ``"auto"``, in light ones."""
    theme = scene.look
    sketch = sketch_gate if scene.style == "circuit" else sketch_box
    sketches = {box.id: sketch(box, theme, scene.sideways) for box in scene.boxes}
    for link in sorted(scene.links, key=_strength):
        sketches[link.source].line = line_of(link, theme)  # a wire begins as the strongest that branches off it
    placed = _place(scene, sketches)
    frames = [frame for frame in scene.frames if frame.id in placed.clusters]
    groups = [_frame(frame, placed, theme) for frame in frames]
    groups += [_link(link, placed, sketches[link.target], theme, scene) for link in scene.links]
    groups += [_title(frame, placed, theme) for frame in frames]
    for box in scene.boxes:
        at = placed.boxes[box.id]
        groups.append(Group("node", box.id, box.tip, sketches[box.id].shapes(at.x, at.y)))
    picture = Picture(placed.width, placed.height, groups)
    if scene.legend is not None:
        _add_legend(picture, scene.legend, theme, scene.sideways)
    return picture


def _place(scene: Scene, sketches: dict[str, Sketch]) -> Layout:
    boxes = [
        placing.Box(box.id, sketch.width, sketch.height, box.frame, sketch.ports)
        for box, sketch in ((box, sketches[box.id]) for box in scene.boxes)
    ]
    links = [
        placing.Link(link.id, link.source, link.target, link.port if sketches[link.target].ports else None)
        for link in scene.links
    ]
    clusters = [
        placing.Cluster(frame.id, frame.parent, width_of(shorten(frame.title, LONGEST), SIZE) + 8, 20)
        for frame in scene.frames
    ]
    return placing.layout(boxes, links, clusters, direction=scene.direction)


def _frame(frame: Frame, placed: Layout, theme: Theme) -> Group:
    at = placed.clusters[frame.id]
    return Group("cluster", frame.id, frame.tip, [Rect(*at, 6, theme.module.band, theme.module.frame)])


def _title(frame: Frame, placed: Layout, theme: Theme) -> Group:
    """The title of a frame, on a ground of its own, because links may pass below it."""
    x, y, _, _ = placed.clusters[frame.id]
    title = shorten(frame.title, LONGEST)
    ground = Rect(x + 5, y + 4, width_of(title, SIZE) + 8, 18, 3, theme.module.band)
    return Group("title", frame.id, frame.tip, [ground, Text(x + 9, y + 17, title, theme.muted)])


def _strength(link: Link) -> tuple[bool, int]:
    """A key that sorts links by what flows back along them."""
    return link.odd, -1 if link.level is None else link.level


def _link(link: Link, placed: Layout, target: Sketch, theme: Theme, scene: Scene) -> Group:
    colour, width = line_of(link, theme)
    points = list(placed.links[link.id])
    at = placed.boxes[link.target]
    points[-1] = target.entry(points[-1], at.x, at.y)
    shapes: list[Shape] = []
    if scene.style == "graph":
        length = max(ARROW, 2.2 * width)
        end = points[-1]
        while len(points) > 4 and abs(points[-4].x - end.x) + abs(points[-4].y - end.y) < length:
            points[-4:] = [end]  # a last piece that the head would hide
        points[-1] = Point(end.x - length, end.y) if scene.sideways else Point(end.x, end.y - length)
        shapes.append(_head(points[-1], end, colour))
    steps = [("M", points[:1]), *(("C", points[k : k + 3]) for k in range(1, len(points), 3))]
    shapes.insert(0, Path(steps, stroke=colour, width=width, dashed=link.dashed))
    if link.label:
        shapes += _label(link.label, points, theme)
    return Group("edge", link.id, link.tip, shapes)


def _head(base: Point, end: Point, colour: str) -> Path:
    """The head of an arrow, which enters its box level or from right above."""
    side = 0.42
    dx, dy = (end.x - base.x) * side, (end.y - base.y) * side
    corners = Point(base.x - dy, base.y + dx), end, Point(base.x + dy, base.y - dx)
    return Path([(step, [corner]) for step, corner in zip("MLL", corners, strict=True)] + [("Z", [])], fill=colour)


def _label(text: str, points: Sequence[Point], theme: Theme) -> list[Shape]:
    """A text on the middle of the longest piece of a curve."""
    starts = range(0, len(points) - 1, 3)
    k = max(starts, key=lambda k: abs(points[k + 3].x - points[k].x) + abs(points[k + 3].y - points[k].y))
    a, b, c, d = points[k : k + 4]
    x, y = ((p + 3 * q + 3 * r + s) / 8 for p, q, r, s in zip(a, b, c, d, strict=True))
    width = width_of(text, SMALL) + 6
    return [
        Rect(x - width / 2, y - 7, width, 14, 4, theme.page),
        Text(x, y + 3.5, text, theme.muted, SMALL, anchor="middle"),
    ]


def _add_legend(picture: Picture, legend: Legend, theme: Theme, sideways: bool) -> None:
    """Put the scale below everything else: in a row, or in a column where the drawing is narrow."""
    left = x = 14.0
    y = picture.height + 14
    shapes: list[Shape] = [Text(x, y + 4, legend.title, theme.muted, SMALL)]
    end = x + width_of(legend.title, SMALL) + 16
    for colour, width, text in zip(theme.flow, FLOW_LINES, legend.steps, strict=True):
        if not text:
            continue
        x, y = (end, y) if sideways else (left, y + 16)
        shapes.append(Path([("M", [Point(x, y)]), ("L", [Point(x + 26, y)])], stroke=colour, width=width))
        shapes.append(Text(x + 32, y + 4, text, theme.text, SMALL))
        end = max(end, x + 32 + width_of(text, SMALL) + 16)
    picture.groups.append(Group("legend", "legend", "", shapes))
    picture.width = max(picture.width, end)
    picture.height = y + 16
