"""Aligned columns of text: how tapes, and differences of tapes, are printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from .node import Node
from .numbers import is_number
from .summary import align_points, shorten, text_width
from .tape import FREED

MAX_WIDTH = 120
"""How wide a printed table may be."""


class Column(NamedTuple):
    """One column: its heading, how wide it may be before it gives way to others, and whether it holds numbers."""

    heading: str
    comfortable: int
    right: bool = False


FREE = "freed"
"""What stands for an op or a value that ``backward(free=True)`` has let go of."""
LINE = Column("line", 18)
"""The last column, where nodes know the line of source that made them."""


def op_of(node: Node) -> str:
    """The name of the op that made a node; ``leaf`` if none did, ``freed`` if the tape has let go of it."""
    if node.rule is FREED:
        return FREE
    return node.rule.name if node.rule is not None else "leaf"


def line_of(node: Node) -> str:
    """The line of source that made a node, as ``model.py:12``; empty if that is not known."""
    return node.origin.place.line.where if node.origin is not None else ""


def is_freed(node: Node) -> bool:
    """Whether ``backward(free=True)`` has let go of the value of a node; that of the output it keeps."""
    return node.rule is FREED and not isinstance(node._data, np.ndarray) and not is_number(type(node._data))


def text_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], narrow: bool = False) -> list[str]:
    """Rows as aligned lines below their headings; with ``narrow``, columns are cut until the lines fit.

    Examples
    --------
    >>> for line in text_table([Column("op", 8), Column("value", 8, right=True)], [("add", "1.5"), ("exp", "12.25")]):
    ...     print(line)
    op   value
    add   1.5
    exp  12.25
    """
    cells = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
    for column, texts in zip(columns, cells, strict=True):
        if column.right:
            texts[:] = align_points(texts)
        texts.insert(0, column.heading)
    widths = [max(map(text_width, texts)) for texts in cells]
    while narrow and sum(widths) + 2 * (len(widths) - 1) > MAX_WIDTH:
        excess = [width - column.comfortable for width, column in zip(widths, columns, strict=True)]
        widths[excess.index(max(excess))] -= 1
    for column, texts, width in zip(columns, cells, widths, strict=True):
        for i, text in enumerate(texts):
            if text_width(text) > width:
                text = shorten(text.rstrip(), width)
            pad = " " * (width - text_width(text))
            texts[i] = pad + text if column.right else text + pad
    return ["  ".join(line).rstrip() for line in zip(*cells, strict=True)]


def html_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """Rows as a table for a notebook.  A row of a single text goes across all columns."""
    lines = [_html_row("th", columns, [column.heading for column in columns])]
    for row in rows:
        lines.append(_html_row("td", columns, row) if len(row) > 1 else _html_note(row[0], len(columns)))
    return f"<table>{''.join(lines)}</table>"


def _html_row(tag: str, columns: Sequence[Column], cells: Sequence[str]) -> str:
    from html import escape  # only a notebook needs it

    styled = (
        f'<{tag} style="text-align: {"right" if column.right else "left"}">{escape(text)}</{tag}>'
        for column, text in zip(columns, cells, strict=True)
    )
    return f"<tr>{''.join(styled)}</tr>"


def _html_note(text: str, width: int) -> str:
    from html import escape  # only a notebook needs it

    return f'<tr><td></td><td colspan="{width - 1}">{escape(text)}</td></tr>'
