"""The boxes of a drawing, as HTML-like labels of Graphviz."""

from __future__ import annotations

import re
from html import escape

from ..core.summary import align_points, shorten
from .theme import Paint, Theme

LONGEST = 44
"""Longest text in a box, in characters."""
SMALL = 10
FIGURE_SPACE = "\u2007"
"""A space as wide as a digit."""


def words(text: str, longest: int = LONGEST) -> str:
    """Text in a label: on one line, shortened, and with nothing in it that Graphviz would read as markup."""
    shown = shorten(text, longest)
    shown = re.sub(r"^ | $|(?<= ) ", "\u00a0", shown)  # spaces that markup would swallow
    return escape(shown.replace("\\", "\\\\"))  # Graphviz puts the node's name for \\N even here


def tip(text: str) -> str:
    """Text that appears under the mouse."""
    # Graphviz undoes escapes here once or twice, depending on its version: a backslash look-alike survives both.
    return escape(text).replace("\\", "\u2216").replace("\n", "&#10;")


def muted(text: str, theme: Theme) -> str:
    """Text in a quieter colour."""
    return f'<FONT COLOR="{theme.muted}">{text}</FONT>'


def value_box(
    title: str, kind: str, rows: list[tuple[str, str]], ports: list[str], paint: Paint, theme: Theme, sideways: bool
) -> str:
    """A box: a band with what the node is called and how it was made, rows of facts, and an entry for each argument.

    Parameters
    ----------
    title, kind : str
        The name and the op; a node without a name is called by its op alone.
    rows : list of (str, str)
        Facts: ``("value", "6.0")``.
    ports : list of str
        Names of the arguments, if edges are to end at them.
    sideways : bool
        Whether edges enter from the left; else from above.
    """
    left = f"<B>{words(title)}</B>" if title else words(kind)
    heading = f'<TD ALIGN="LEFT">{left}</TD>'
    if title:
        heading += f'<TD ALIGN="RIGHT">{muted(words(kind), theme)}</TD>'
    band = f'BGCOLOR="{paint.band}"'
    inner = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4"'
    body = f'<TR><TD COLSPAN="2" CELLPADDING="0" {band}><TABLE {inner}><TR>{heading}</TR></TABLE></TD></TR>'
    for (fact, _), text in zip(rows, align_points([text for _, text in rows]), strict=True):
        text = escape(text.rstrip()) + FIGURE_SPACE * (len(text) - len(text.rstrip()))
        body += f'<TR><TD ALIGN="LEFT">{muted(fact, theme)}</TD><TD ALIGN="RIGHT">{text}</TD></TR>'
    frame = f'BORDER="1" CELLBORDER="0" CELLSPACING="0" COLOR="{paint.frame}" BGCOLOR="{theme.box}"'
    if not ports:
        return f'<<TABLE {frame} CELLPADDING="4">{body}</TABLE>>'
    entries = [
        f'<TD PORT="{i}"><FONT POINT-SIZE="{SMALL}">{muted(words(p, 12), theme)}</FONT></TD>'
        for i, p in enumerate(ports)
    ]
    main = f"<TABLE {inner}>{body}</TABLE>"
    if sideways:
        column = "".join(f"<TR>{entry}</TR>" for entry in entries)
        entry = f'<TD CELLPADDING="0" {band}><TABLE {inner}>{column}</TABLE></TD>'
        return f'<<TABLE {frame} CELLPADDING="0"><TR>{entry}<TD>{main}</TD></TR></TABLE>>'
    entry = f"<TR><TD {band}><TABLE {inner}><TR>{''.join(entries)}</TR></TABLE></TD></TR>"
    return f'<<TABLE {frame} CELLPADDING="0">{entry}<TR><TD>{main}</TD></TR></TABLE>>'


def constant_box(name: str, fact: str, theme: Theme) -> str:
    """A constant: plain text, its name in front."""
    text = f"<B>{words(name)}</B>&#160; {muted(words(fact), theme)}" if name else words(fact)
    return (
        f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" STYLE="ROUNDED" '
        f'COLOR="{theme.module.frame}" BGCOLOR="{theme.box}"><TR><TD>{text}</TD></TR></TABLE>>'
    )
