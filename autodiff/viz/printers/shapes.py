"""What a picture is made of: rectangles, lines, curves and text, with coordinates and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..layout import Point
from ..scene import Link
from ..theme import Theme

SIZE, SMALL = 12.0, 10.0
"""Of letters."""
LONGEST = 44
"""Longest text in a box, in characters."""
LINE = 1.1
"""Width of a line."""
FLOW_LINES = (1.1, 1.7, 2.5, 3.5, 4.7)
"""How wide links are for each step of the scale of what flows back."""


def line_of(link: Link, theme: Theme) -> tuple[str, float]:
    """The colour of a link, and its width."""
    if link.odd:
        return theme.odd, FLOW_LINES[-2]
    return (theme.edge, LINE) if link.level is None else (theme.flow[link.level], FLOW_LINES[link.level])


@dataclass(slots=True)
class Rect:
    """A rectangle, with round corners if ``radius`` is not 0."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0
    fill: str = "none"
    stroke: str = "none"


@dataclass(slots=True)
class Path:
    """Straight lines (``L``) and cubic curves (``C``) from a point (``M``), filled or drawn."""

    steps: list[tuple[str, list[Point]]]
    fill: str = "none"
    stroke: str = "none"
    width: float = LINE
    dashed: bool = False


@dataclass(slots=True)
class Text:
    """A line of text on its baseline; ``anchor`` is ``"start"``, ``"middle"`` or ``"end"``."""

    x: float
    y: float
    text: str
    fill: str
    size: float = SIZE
    bold: bool = False
    anchor: str = "start"


Shape = Rect | Path | Text


@dataclass(slots=True)
class Group:
    """The shapes of one thing that is drawn, and what is said when it is pointed at."""

    kind: str
    id: str
    tip: str
    shapes: list[Shape] = field(default_factory=list)


@dataclass(slots=True)
class Picture:
    """Everything that is drawn, the farthest first."""

    width: float
    height: float
    groups: list[Group]


class Sketch:
    """What a box needs, and how it looks: printed by a method that is given its corner.

    Attributes
    ----------
    width, height : float
    ports : tuple of float
        Where links enter, along the side that they enter at.
    line : tuple of str and float, or None
        The colour and the width of the wire that leaves a gate, where a link goes on from it.
    """

    def __init__(self, width: float, height: float, ports: Sequence[float] = ()) -> None:
        self.width = width
        self.height = height
        self.ports = tuple(ports)
        self.line: tuple[str, float] | None = None

    def shapes(self, x: float, y: float) -> list[Shape]:
        """The shapes, with the upper left corner at a place."""
        raise NotImplementedError

    def entry(self, end: Point, x: float, y: float) -> Point:
        """Where a link that the layout ends at the side of the box really ends."""
        return end
