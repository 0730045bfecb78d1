"""How circuits look: round gates, and wires with the value above and the gradient below."""

from __future__ import annotations

from ...core.summary import shorten
from ..layout import Point
from ..scene import Box
from ..theme import Theme
from .boxes import sketch_box
from .fonts import width_of
from .shapes import LINE, LONGEST, SIZE, Path, Rect, Shape, Sketch, Text

RADIUS = 16.0
SIGN = 15.0
"""Size of a sign on a gate."""
SPREAD = 0.5
"""How far from the middle of a gate its outermost wires enter, over the radius."""
WIRE = 14.0
"""Least length of a wire, and what it has beyond its text."""


def sketch_gate(box: Box, theme: Theme, sideways: bool) -> Sketch:
    """How a box looks in a circuit: constants and folded modules as anywhere else."""
    return Gate(box, theme, sideways) if box.is_gate else sketch_box(box, theme, sideways)


class Gate(Sketch):
    """A gate, or the name of a leaf, and the beginning of the wire that leaves it."""

    def __init__(self, box: Box, theme: Theme, sideways: bool) -> None:
        self.theme = theme
        self.sideways = sideways
        self.paint = theme.paint_of(box.kind)
        self.is_leaf = box.label == "leaf"
        self.sign = shorten(box.sign, LONGEST)
        self.size = SIGN if len(self.sign) <= 2 else SIZE
        self.name = "" if box.sign == box.name else shorten(box.name, LONGEST)
        self.value, self.grad = shorten(box.value, LONGEST), shorten(box.grad, LONGEST)
        wide = width_of(self.sign, self.size, bold=self.is_leaf)
        self.gate = max(2 * RADIUS, wide + 18)
        self.name_width = width_of(self.name, SIZE, bold=True) + 6 if self.name else 0.0
        text = max(self.name_width + width_of(self.value, SIZE), width_of(self.grad, SIZE))
        if sideways:
            self.wire = text + WIRE
            super().__init__(self.gate + self.wire, 2 * RADIUS + 4, self._ports(2 * RADIUS + 4, len(box.ports)))
        else:
            self.wire = 2 * SIZE + WIRE
            width = max(self.gate, 2 * (text + 8))
            super().__init__(width, 2 * RADIUS + self.wire, self._ports(width, len(box.ports)))

    def _ports(self, side: float, n: int) -> list[float]:
        return [side / 2 + RADIUS * SPREAD * (2 * k / (n - 1) - 1) for k in range(n)]

    def shapes(self, x: float, y: float) -> list[Shape]:
        """The shapes, with the upper left corner at a place."""
        theme = self.theme
        if self.sideways:
            middle = Point(x + self.gate / 2, y + self.height / 2)
            start, end = Point(x + self.gate, middle.y), Point(x + self.width, middle.y)
            at, anchor, value, grad = start.x + WIRE / 2, "start", middle.y - 5, middle.y + 14
        else:
            middle = Point(x + self.width / 2, y + RADIUS)
            start, end = Point(middle.x, y + 2 * RADIUS), Point(middle.x, y + self.height)
            at, anchor, value, grad = middle.x + 7, "start", start.y + 14, start.y + 29
        colour, width = self.line or (theme.edge, LINE)
        drawn: list[Shape] = [Path([("M", [start]), ("L", [end])], stroke=colour, width=width)]
        if not self.is_leaf:
            corner = middle.x - self.gate / 2, middle.y - RADIUS
            drawn.append(Rect(*corner, self.gate, 2 * RADIUS, RADIUS, self.paint.band, self.paint.frame))
        ink = self.paint.frame if self.is_leaf else theme.text
        drawn.append(
            Text(middle.x, middle.y + 0.36 * self.size, self.sign, ink, self.size, self.is_leaf, anchor="middle")
        )
        if self.name:
            drawn.append(Text(at, value, self.name, theme.text, bold=True, anchor=anchor))
        drawn.append(Text(at + self.name_width, value, self.value, theme.value, anchor=anchor))
        if self.grad:
            drawn.append(Text(at, grad, self.grad, theme.grad, anchor=anchor))
        return drawn

    def entry(self, end: Point, x: float, y: float) -> Point:
        """Where a wire meets the round gate."""
        if self.sideways:
            off = abs(end.y - (y + self.height / 2))
            return Point(x + RADIUS - (RADIUS**2 - min(off, RADIUS) ** 2) ** 0.5, end.y)
        off = max(abs(end.x - (x + self.width / 2)) - (self.gate / 2 - RADIUS), 0)
        return Point(end.x, y + RADIUS - (RADIUS**2 - min(off, RADIUS) ** 2) ** 0.5)
