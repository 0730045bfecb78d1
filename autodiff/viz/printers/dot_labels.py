"""Boxes as HTML-like labels of Graphviz."""

from __future__ import annotations

import re

from ...core.summary import align_points, shorten
from ..scene import Box, Legend
from ..theme import Theme
from .shapes import FLOW_LINES, LONGEST, SMALL

FIGURE_SPACE = "\u2007"
"""A space as wide as a digit."""


def words(text: str, longest: int = LONGEST) -> str:
    """Text in a label: on one line, shortened, and with nothing in it that Graphviz would read as markup."""
    from html import escape

    shown = shorten(text, longest)
    shown = re.sub(r"^ | $|(?<= ) ", "\u00a0", shown)  # spaces that markup would swallow
    return escape(shown.replace("\\", "\\\\"))  # Graphviz puts the node's name for \\N even here


def tip(text: str) -> str:
    """Text that appears under the mouse."""
    from html import escape

    # Graphviz undoes escapes here once or twice, depending on its version: a backslash look-alike survives both.
    return escape(text).replace("\\", "\u2216").replace("\n", "&#10;")


def muted(text: str, theme: Theme) -> str:
    """Text in a quieter colour."""
    return coloured(text, theme.muted)


def coloured(text: str, colour: str) -> str:
    """Text in a colour."""
    return f'<FONT COLOR="{colour}">{text}</FONT>'


def value_box(box: Box, theme: Theme, sideways: bool) -> str:
    """A box: a band with what the node is called and how it was made, rows of facts, and an entry for each argument.

    Links enter from the left, if they run sideways; else from above.
    """
    paint = theme.paint_of(box.kind)
    title, kind = box.heading
    heading = f'<TD ALIGN="LEFT"><B>{words(title)}</B></TD>'
    if kind:
        heading += f'<TD ALIGN="RIGHT">{muted(words(kind), theme)}</TD>'
    band = f'BGCOLOR="{paint.band}"'
    inner = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4"'
    body = f'<TR><TD COLSPAN="2" CELLPADDING="0" {band}><TABLE {inner}><TR>{heading}</TR></TABLE></TD></TR>'
    for (fact, _), text in zip(box.rows, align_points([text for _, text in box.rows]), strict=True):
        text = words(text.rstrip()) + FIGURE_SPACE * (len(text) - len(text.rstrip()))
        body += f'<TR><TD ALIGN="LEFT">{muted(fact, theme)}</TD><TD ALIGN="RIGHT">{text}</TD></TR>'
    frame = f'BORDER="1" CELLBORDER="0" CELLSPACING="0" COLOR="{paint.frame}" BGCOLOR="{theme.box}"'
    if not box.ports:
        return f'<<TABLE {frame} CELLPADDING="4">{body}</TABLE>>'
    entries = [
        f'<TD PORT="{i}"><FONT POINT-SIZE="{SMALL:g}">{muted(words(p, 12), theme)}</FONT></TD>'
        for i, p in enumerate(box.ports)
    ]
    main = f"<TABLE {inner}>{body}</TABLE>"
    if sideways:
        column = "".join(f"<TR>{entry}</TR>" for entry in entries)
        entry = f'<TD CELLPADDING="0" {band}><TABLE {inner}>{column}</TABLE></TD>'
        return f'<<TABLE {frame} CELLPADDING="0"><TR>{entry}<TD>{main}</TD></TR></TABLE>>'
    entry = f"<TR><TD {band}><TABLE {inner}><TR>{''.join(entries)}</TR></TABLE></TD></TR>"
    return f'<<TABLE {frame} CELLPADDING="0">{entry}<TR><TD>{main}</TD></TR></TABLE>>'


def constant_box(box: Box, theme: Theme) -> str:
    """A constant: plain text, its name in front."""
    name, fact = box.name, box.label
    text = f"<B>{words(name)}</B>&#160; {muted(words(fact), theme)}" if name else words(fact)
    return (
        f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" STYLE="ROUNDED" '
        f'COLOR="{theme.module.frame}" BGCOLOR="{theme.box}"><TR><TD>{text}</TD></TR></TABLE>>'
    )


def wire_label(box: Box, theme: Theme, sideways: bool) -> str:
    """What stands beside the wires that leave a gate: the value, and the gradient below it.

    Graphviz puts it right on a wire, so there is some room between.
    """
    name = f"<B>{words(box.name)}</B>&#160; " if box.name and box.name != box.sign else ""
    lines = [name + coloured(words(box.value), theme.value)]
    lines += [coloured(words(box.grad), theme.grad)] if box.grad else []
    if sideways:
        lines.append('<FONT POINT-SIZE="3">&#160;</FONT>')
        return f"<{'<BR/>'.join(lines)}>"
    beside = "".join(f'&#160;{line}<BR ALIGN="LEFT"/>' for line in lines)
    return f"<{beside}>"


def scale(legend: Legend, theme: Theme, sideways: bool) -> str:
    """The legend of a drawing, as one label: a row, or a column where the drawing is narrow."""
    title = f'<TD COLSPAN="2" ALIGN="LEFT">{muted(words(legend.title), theme)}</TD>'
    steps = [
        f'<TD><FONT COLOR="{colour}" POINT-SIZE="{10 + 2 * width:g}">\u2501\u2501</FONT></TD>'
        f'<TD ALIGN="LEFT">{coloured(words(text), theme.text)}</TD>'
        for colour, width, text in zip(theme.flow, FLOW_LINES, legend.steps, strict=True)
        if text
    ]
    rows = "".join([title, *steps]) if sideways else "</TR><TR>".join([title, *steps])
    return f'<<TABLE BORDER="0" CELLSPACING="4" CELLPADDING="0"><TR>{rows}</TR></TABLE>>'
