"""Colours of drawings, from the palette of Okabe and Ito, which colour-blind readers can tell apart [1]_.

References
----------
.. [1] M. Okabe and K. Ito, "Color Universal Design" (2002), https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = "Helvetica,Arial,sans-serif"


@dataclass(frozen=True)
class Paint:
    """Colours of one kind of box: its frame, and the band that its name stands on."""

    frame: str
    band: str


@dataclass(frozen=True)
class Theme:
    """Colours of a whole drawing."""

    page: str
    box: str
    text: str
    muted: str
    edge: str
    leaf: Paint
    op: Paint
    output: Paint
    module: Paint


THEMES = {
    "light": Theme(
        page="#ffffff",
        box="#ffffff",
        text="#1a1a1a",
        muted="#666666",
        edge="#767676",
        leaf=Paint("#0072b2", "#d3e8f5"),
        op=Paint("#8c8c8c", "#ececec"),
        output=Paint("#d98200", "#fde3b3"),
        module=Paint("#c4c4c4", "#f8f8f8"),
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
    ),
}
