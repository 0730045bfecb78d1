"""What a drawing shows, whoever prints it: boxes, links between them, frames around them, and a legend.

A scene holds text and numbers only.  It keeps no node alive, and printers need nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .theme import THEMES, Theme


@dataclass(slots=True)
class Box:
    """A box, or a gate of a circuit.

    Attributes
    ----------
    id : str
        That of the node, the constant or the scope.
    kind : str
        ``"leaf"``, ``"op"``, ``"output"``, ``"constant"`` or ``"module"``.
    name : str
        What the program calls it; may be empty.
    label : str
        The op and its options, the class of a module, or the constant itself.
    rows : list of (str, str)
        Facts: ``("value", "6.0")``.
    ports : list of str
        Names of the arguments, where links end at them.
    frame : str or None
        The frame that it stands in.
    tip : str
        Text, in several lines, that appears under the mouse.
    is_gate : bool
        Whether it is a gate of a circuit.
    value, grad : str
        What stands beside the wire that leaves a gate; empty where there is none.
    """

    id: str
    kind: str
    name: str
    label: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    frame: str | None = None
    tip: str = ""
    is_gate: bool = False
    value: str = ""
    grad: str = ""

    @property
    def heading(self) -> tuple[str, str]:
        """What stands in bold, and what in grey beside it."""
        return (self.name, self.label) if self.name else (self.label, "")

    @property
    def sign(self) -> str:
        """What stands on a gate; a leaf has its name there."""
        return self.name if self.kind == "leaf" and self.name else self.label


@dataclass(slots=True)
class Link:
    """An arrow from one box to another.

    Attributes
    ----------
    port : int or None
        The entry of the target that it ends at.
    label : str
        ``× 12`` where it stands for several.
    dashed : bool
        Whether it comes from a constant.
    level : int or None
        How much flows back along it, as a step of the legend; None where that was not asked for, or nothing is known.
    odd : bool
        Whether what flows back has a nan or an infinite number in it.
    """

    id: str
    source: str
    target: str
    port: int | None = None
    label: str = ""
    dashed: bool = False
    level: int | None = None
    odd: bool = False
    tip: str = ""


@dataclass(slots=True)
class Frame:
    """A frame around boxes and other frames."""

    id: str
    title: str
    parent: str | None = None
    tip: str = ""


@dataclass(slots=True)
class Legend:
    """What the colours of links mean: a text for each step, from little to much."""

    title: str
    steps: list[str]


@dataclass(slots=True)
class Scene:
    """All that is drawn.

    Attributes
    ----------
    title : str
        One line that says what it is, for who cannot see it.
    size : int
        How many nodes the tape has.
    direction : str
        ``"LR"`` or ``"TB"``.
    theme : str
        ``"light"``, ``"dark"`` or ``"auto"``.
    style : str
        ``"graph"`` or ``"circuit"``.
    """

    title: str
    size: int
    direction: str = "LR"
    theme: str = "auto"
    style: str = "graph"
    boxes: list[Box] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    legend: Legend | None = None

    @property
    def sideways(self) -> bool:
        """Whether links run from left to right."""
        return self.direction == "LR"

    @property
    def look(self) -> Theme:
        """The colours; of ``"auto"``, the light ones."""
        return THEMES["light" if self.theme == "auto" else self.theme]

    def inside(self, frame: str | None) -> tuple[list[Box], list[Frame]]:
        """The boxes and the frames directly inside a frame, or in none."""
        return [b for b in self.boxes if b.frame == frame], [f for f in self.frames if f.parent == frame]
