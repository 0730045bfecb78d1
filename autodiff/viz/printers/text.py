"""Text: a tree of what was computed from what, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.summary import align_points, shorten, text_width
from ..scene import Box, Link, Scene

LONGEST = 60
"""Longest heading of a box."""
FACTS = ("index", "nodes", "ops", "parameters", "shape", "dtype", "value", "grad", "line")
"""The columns, in their order."""
NUMBERS = ("value", "grad")
"""Facts that stand in columns aligned at their decimal points."""


def text_of(scene: Scene) -> str:
    """A tree from the results down to what they were computed from; what is used twice stands once.

    An op with one argument has that below itself, behind "of"; several branch off.
    """
    rows = list(_rows(scene))
    found = {fact for _, box in rows if box is not None for fact, _ in facts_of(box)}
    facts = [fact for fact in FACTS if fact in found]
    columns = [["", *(tree for tree, _ in rows)]]
    for fact in facts:
        texts = [dict(facts_of(box)).get(fact, "") if box is not None else "" for _, box in rows]
        columns.append([fact, *(align_points(texts) if fact in NUMBERS else texts)])
    for k, (fact, column) in enumerate(zip(["", *facts], columns, strict=True)):
        width = max(map(text_width, column))
        pads = [" " * (width - text_width(text)) for text in column]
        columns[k] = [f"{p}{t}" if fact in NUMBERS else f"{t}{p}" for p, t in zip(pads, column, strict=True)]
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))


def facts_of(box: Box) -> list[tuple[str, str]]:
    """What stands in a box, or beside the wire of a gate."""
    beside = [(fact, text) for fact, text in (("value", box.value), ("grad", box.grad)) if text]
    return box.rows or beside


def _rows(scene: Scene) -> Iterable[tuple[str, Box | None]]:
    """Each line of the tree, and the box that it shows for the first time."""
    boxes = {box.id: box for box in scene.boxes}
    into: dict[str, list[Link]] = {}
    for link in scene.links:
        into.setdefault(link.target, []).append(link)
    for links in into.values():
        links.sort(key=lambda link: -1 if link.port is None else link.port)
    titles = {frame.id: frame.title for frame in scene.frames}
    used = {link.source for link in scene.links if link.source != link.target}
    ends = [box for box in scene.boxes if box.kind == "output" or box.id not in used]
    seen: set[str] = set()
    # (what stands before the line, before the lines below it, what joins it to the line above, the box, the label)
    stack: list[tuple[str, str, str, str]] = [("", "", "", box.id) for box in reversed(ends)]
    while stack:
        before, below, how, key = stack.pop()
        box = boxes[key]
        if key in seen:
            yield f"{before}{how}{_call(box)}, see above", None
            continue
        seen.add(key)
        where = f"  in {titles[box.frame]}" if box.frame in titles else ""
        yield f"{before}{how}{_heading(box)}{where}", box
        links = into.get(key, [])
        if len(links) == 1:
            stack.append((below, below, _how(links[0], "of "), links[0].source))
            continue
        for k, link in reversed(list(enumerate(links))):
            last = k == len(links) - 1
            name = f"{box.ports[link.port]}: " if box.ports and link.port is not None else ""
            branch, gap = ("└─ ", "   ") if last else ("├─ ", "│  ")
            stack.append((below + branch, below + gap, _how(link, name), link.source))


def _how(link: Link, name: str) -> str:
    return f"{link.label} {name}" if link.label else name


def _heading(box: Box) -> str:
    return "  ".join(shorten(text, LONGEST) for text in (box.name, box.label) if text)


def _call(box: Box) -> str:
    return shorten(box.name, LONGEST) if box.name else f"{shorten(box.label, LONGEST)} {_place(box)}".rstrip()


def _place(box: Box) -> str:
    return f"%{box.id[1:]}" if box.id.startswith("n") else ""
