"""How boxes look: a band with what the node is called and how it was made, rows of facts, entries for the arguments."""

from __future__ import annotations

from ...core.summary import align_points, shorten
from ..layout import Point
from ..scene import Box
from ..theme import Theme
from .fonts import width_of
from .shapes import LONGEST, SIZE, SMALL, Path, Rect, Shape, Sketch, Text

BAND, ROW, PAD = 23.0, 17.0, 8.0
"""Heights of the band and of a row; the space beside text."""
RADIUS = 5.0
ENTRY = 15.0
"""Room for the name of an argument."""
BETWEEN = 14.0
"""Between a fact and what it is called, and between a name and the op."""
STACK = 3.0
"""How far the sheet behind a folded box looks out."""
DIGIT, POINT = width_of("0", SIZE), width_of(".", SIZE)


def sketch_box(box: Box, theme: Theme, sideways: bool) -> Sketch:
    """How a box of a graph looks."""
    return ConstantBox(box, theme) if box.kind == "constant" else ValueBox(box, theme, sideways)


class ConstantBox(Sketch):
    """A constant: plain text, its name in front."""

    def __init__(self, box: Box, theme: Theme) -> None:
        self.theme = theme
        self.name, self.fact = shorten(box.name, LONGEST), shorten(box.label, LONGEST)
        self.name_width = width_of(self.name, SIZE, bold=True) + 6 if self.name else 0.0
        super().__init__(self.name_width + width_of(self.fact, SIZE) + 2 * PAD, 22)

    def shapes(self, x: float, y: float) -> list[Shape]:
        """The shapes, with the upper left corner at a place."""
        theme = self.theme
        drawn: list[Shape] = [Rect(x, y, self.width, self.height, 9, theme.box, theme.module.frame)]
        if self.name:
            drawn.append(Text(x + PAD, y + 15, self.name, theme.text, bold=True))
        colour = theme.muted if self.name else theme.text
        drawn.append(Text(x + PAD + self.name_width, y + 15, self.fact, colour))
        return drawn


class ValueBox(Sketch):
    """A node, or a folded module."""

    def __init__(self, box: Box, theme: Theme, sideways: bool) -> None:
        self.theme = theme
        self.paint = theme.paint_of(box.kind)
        self.sideways = sideways
        self.is_stack = box.kind == "module" or not box.id.startswith("n")
        self.name, self.label = (shorten(text, LONGEST) for text in box.heading)
        self.rows = [(fact, shorten(text, LONGEST)) for fact, text in box.rows]
        self.names = [shorten(port, 12) for port in box.ports]
        heading = width_of(self.name, SIZE, bold=True) + (BETWEEN + width_of(self.label, SIZE) if self.label else 0)
        facts = [width_of(fact, SIZE) + BETWEEN + width_of(text, SIZE) + back for fact, text, back in self._aligned()]
        width = max([heading, *facts]) + 2 * PAD
        height = BAND + (ROW * len(self.rows) + 6 if self.rows else 0)
        widths = [width_of(name, SMALL) + 8 for name in self.names]
        ports: list[float] = []
        self.side = 0.0
        if self.names and sideways:
            self.side = max(widths)
            height = max(height, ENTRY * len(self.names) + 4)
            step = height / len(self.names)
            ports = [step * (k + 0.5) for k in range(len(self.names))]
            width += self.side
        elif self.names:
            width = max(width, sum(widths))
            space = (width - sum(widths)) / len(widths)
            for k, own in enumerate(widths):
                ports.append(sum(widths[:k]) + space * (k + 0.5) + own / 2)
            height += ENTRY
        self.face = width, height
        stack = STACK if self.is_stack else 0
        super().__init__(width + stack, height + stack, ports)

    def _aligned(self) -> list[tuple[str, str, float]]:
        """Facts, and how far from the right each ends so that decimal points stand below each other."""
        found = []
        padded = align_points([text for _, text in self.rows])
        for (fact, text), wide in zip(self.rows, padded, strict=True):
            missing = len(wide) - len(text)
            back = missing * DIGIT - (DIGIT - POINT if missing and "." not in text else 0)
            found.append((fact, text, back))
        return found

    def shapes(self, x: float, y: float) -> list[Shape]:
        """The shapes, with the upper left corner at a place."""
        theme, (width, height) = self.theme, self.face
        drawn: list[Shape] = []
        if self.is_stack:
            drawn.append(Rect(x + STACK, y + STACK, width, height, RADIUS, self.paint.band, self.paint.frame))
        drawn.append(Rect(x, y, width, height, RADIUS, theme.box))
        left, top = x + self.side, y
        if self.names and self.sideways:
            drawn.append(_rounded(x, y, self.side, height, self.paint.band, "left"))
        if self.names and not self.sideways:
            top += ENTRY
        band_height = top - y + BAND
        if not self.rows:
            band_height = height
        drawn.append(_rounded(left, y, x + width - left, band_height, self.paint.band, self._corners()))
        drawn.append(Rect(x, y, width, height, RADIUS, stroke=self.paint.frame))
        middle = top + (height - (top - y) if not self.rows else BAND) / 2
        drawn.append(Text(left + PAD, middle + 4.2, self.name, theme.text, bold=True))
        if self.label:
            drawn.append(Text(x + width - PAD, middle + 4.2, self.label, theme.muted, anchor="end"))
        for k, (fact, text, back) in enumerate(self._aligned()):
            base = top + BAND + ROW * k + 15
            drawn.append(Text(left + PAD, base, fact, theme.muted))
            drawn.append(Text(x + width - PAD - back, base, text, theme.text, anchor="end"))
        drawn += self._entries(x, y)
        return drawn

    def _corners(self) -> str:
        return {
            (False, True): "top",
            (True, True): "top right",
            (False, False): "all",
            (True, False): "right",
        }[bool(self.side), bool(self.rows)]

    def _entries(self, x: float, y: float) -> list[Shape]:
        """The names of the arguments, where links enter."""
        if self.sideways:
            places = [(x + self.side / 2, y + port + 3.4) for port in self.ports]
        else:
            places = [(x + port, y + 12) for port in self.ports]
        return [
            Text(*place, name, self.theme.muted, SMALL, anchor="middle")
            for place, name in zip(places, self.names, strict=True)
        ]


ROUND = {
    "left": (True, False, False, True),
    "right": (False, True, True, False),
    "top": (True, True, False, False),
    "top right": (False, True, False, False),
    "all": (True, True, True, True),
}
"""Which corners are round: upper left, upper right, lower right, lower left."""
BEND = 0.4477
"""How far from its corner the control point of a quarter of a circle lies, over the radius."""


def _rounded(x: float, y: float, width: float, height: float, fill: str, corners: str) -> Path:
    """A rectangle of which some corners are round."""
    turns = [(x, y, 0, 1, 1, 0), (x + width, y, -1, 0, 0, 1), (x + width, y + height, 0, -1, -1, 0)]
    turns.append((x, y + height, 1, 0, 0, -1))
    steps: list[tuple[str, list[Point]]] = []
    for (px, py, ax, ay, bx, by), is_round in zip(turns, ROUND[corners], strict=True):
        r = RADIUS if is_round else 0.0
        start, end = Point(px + ax * r, py + ay * r), Point(px + bx * r, py + by * r)
        steps.append(("L" if steps else "M", [start]))
        if is_round:
            near = r * BEND
            steps.append(("C", [Point(px + ax * near, py + ay * near), Point(px + bx * near, py + by * near), end]))
    return Path([*steps, ("Z", [])], fill=fill)
