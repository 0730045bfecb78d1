"""Colours of drawings, from the palette of Okabe and Ito, which colour-blind readers can tell apart [1]_.

References
----------
.. [1] M. Okabe and K. Ito, "Color Universal Design" (2002), https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FONT = "Helvetica,Arial,Liberation Sans,sans-serif"


@dataclass(frozen=True)
class Paint:
    """Colours of one kind of box: its frame, and the band that its name stands on."""

    frame: str
    band: str


@dataclass(frozen=True)
class Theme:
    """Colours of a whole drawing.

    Two parts of a drawing that differ in one theme differ in every other: so a picture can change its theme by
    replacing colours.

    Attributes
    ----------
    value, grad : str
        Of numbers beside the wires of a circuit.
    flow : tuple of str
        Of links, from those along which little flows back to those along which much does.
    odd : str
        Of what is nan or infinite.
    """

    page: str
    box: str
    text: str
    muted: str
    edge: str
    leaf: Paint
    op: Paint
    output: Paint
    module: Paint
    value: str
    grad: str
    flow: tuple[str, ...]
    odd: str

    def paint_of(self, kind: str) -> Paint:
        """The colours of a kind of box."""
        return {"leaf": self.leaf, "output": self.output}.get(kind, self.op)

    def colours(self) -> Iterator[str]:
        """All colours, in one order for all themes."""
        yield from (self.page, self.box, self.text, self.muted, self.edge, self.value, self.grad, *self.flow, self.odd)
        for paint in (self.leaf, self.op, self.output, self.module):
            yield from (paint.frame, paint.band)


THEMES = {
    "light": Theme(
        page="#ffffff",
        box="#fefefe",
        text="#1a1a1a",
        muted="#626262",
        edge="#767676",
        leaf=Paint("#0072b2", "#d3e8f5"),
        op=Paint("#8c8c8c", "#ececec"),
        output=Paint("#d98200", "#fde3b3"),
        module=Paint("#c4c4c4", "#f7f7f7"),
        value="#0062a3",
        grad="#b34700",
        flow=("#b3c1cd", "#7fadd0", "#4189c2", "#0f5f9e", "#07305a"),
        odd="#c83c00",
    ),
    "dark": Theme(
        page="#16181d",
        box="#22252c",
        text="#f2f2f2",
        muted="#a9adb5",
        edge="#9a9ea6",
        leaf=Paint("#56b4e9", "#14405e"),
        op=Paint("#7d828c", "#373b45"),
        output=Paint("#e69f00", "#4d3700"),
        module=Paint("#4a4f5a", "#1b1e24"),
        value="#6cbcf0",
        grad="#f5a05a",
        flow=("#4d5a6b", "#54789f", "#5c9bd3", "#8fc7ef", "#dcf1ff"),
        odd="#ff7a3d",
    ),
}
