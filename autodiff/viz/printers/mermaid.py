"""Mermaid, which GitHub, GitLab and many notebooks draw."""

from __future__ import annotations

import re

from ...core.summary import shorten
from ..scene import Box, Link, Scene
from .shapes import LONGEST, line_of

MARKUP = re.compile(r"[^\w .,:()+\-=…×÷−√²]|(?<=\s)\s|_(?=_)|s(?=tyle)|c(?=lassDef)")
"""What Mermaid might read as markup or, of a whole line, as a statement; everything else stands as it is."""
LOOK_ALIKES = {"\\": "\u2216", "$": "\ufe69"}
"""What Mermaid reads as markup even as a code: line breaks ``\\n``, and mathematics between ``$$``."""
BRACKETS = {"constant": ("([", "])"), "module": ("[[", "]]")}
"""What stands around the label of each kind of box."""


def mermaid_of(scene: Scene) -> str:
    """The drawing as a Mermaid flowchart."""
    theme = scene.look
    lines = [f"flowchart {scene.direction}", *_inside(scene, None, "  ")]
    ports = {box.id: box.ports for box in scene.boxes}
    for link in scene.links:
        entry = "" if link.port is None or scene.style == "circuit" else ports[link.target][link.port]
        lines.append(f"  {_link(link, ' '.join(filter(None, [entry, link.label])))}")
    for k, link in enumerate(scene.links):
        if link.odd or link.level is not None:
            colour, width = line_of(link, theme)
            lines.append(f"  linkStyle {k} stroke:{colour},stroke-width:{width}px")
    for kind in sorted({box.kind for box in scene.boxes}):
        paint = theme.paint_of(kind)
        lines.append(f"  classDef {kind}_box fill:{paint.band},stroke:{paint.frame},color:{theme.text}")
    for frame in scene.frames:
        lines.append(f"  style {frame.id} fill:{theme.module.band},stroke:{theme.module.frame},color:{theme.muted}")
    return "\n".join(lines) + "\n"


def _inside(scene: Scene, frame: str | None, indent: str) -> list[str]:
    boxes, frames = scene.inside(frame)
    lines = [indent + _box(box) for box in boxes]
    for inner in frames:
        lines.append(f'{indent}subgraph {inner.id}["{words(inner.title)}"]')
        lines += _inside(scene, inner.id, f"{indent}  ")
        lines.append(f"{indent}end")
    return lines


def _box(box: Box) -> str:
    bold, grey = box.heading
    head = f"<b>{words(bold)}</b>" + (f" {words(grey)}" if grey else "")
    facts = [f"{fact} {words(text)}" for fact, text in box.rows]
    if box.is_gate:
        facts = [words(f"{what} {text}") for what, text in (("value", box.value), ("grad", box.grad)) if text]
    if box.kind == "constant":
        head = words(" ".join(filter(None, [box.name, box.label])))
    opening, closing = BRACKETS.get(box.kind, ("[", "]"))
    return f'{box.id}{opening}"{"<br/>".join([head, *facts])}"{closing}:::{box.kind}_box'


def _link(link: Link, label: str) -> str:
    arrow = "-.->" if link.dashed else "-->"
    beside = f'|"{words(label)}"|' if label else ""
    return f"{link.source} {arrow}{beside} {link.target}"


def words(text: str) -> str:
    """Text in a label: on one line, shortened, with a code for everything that Mermaid might read as markup."""
    shown = shorten(text, LONGEST)
    for sign, like in LOOK_ALIKES.items():
        shown = shown.replace(sign, like)
    return MARKUP.sub(lambda m: f"#{ord(m[0])};", shown) or "#160;"
