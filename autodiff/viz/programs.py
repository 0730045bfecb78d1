"""The lines of the user's program behind a tape."""

from __future__ import annotations

import linecache
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..core.source import Place, cell_of

AROUND = 6
"""How many lines are listed before the first and after the last that made a node."""
MOST_LINES = 2_000
"""Of a longer stretch only the lines near those that made nodes are listed."""


def listed(places: Iterable[Place]) -> list[dict[str, Any]]:
    """The files behind some places, each with its name and its lines near them, by number.

    Examples
    --------
    >>> listed([])
    []
    """
    lines: dict[str, set[int]] = {}
    for place in places:
        lines.setdefault(place.line.filename, set()).update((place.line.number, place.last))
    files = []
    for filename, wanted in lines.items():
        text = linecache.getlines(filename)
        first, last = max(1, min(wanted) - AROUND), min(len(text), max(wanted) + AROUND)
        shown: Iterable[int] = range(first, last + 1)
        if last - first >= MOST_LINES:
            near = {n for line in wanted for n in range(line - AROUND, line + AROUND + 1)}
            shown = sorted(n for n in near if 1 <= n <= len(text))[:MOST_LINES]
        files.append({"name": _name_of(filename), "lines": [[n, text[n - 1].rstrip("\n")] for n in shown]})
    return files


def _name_of(filename: str) -> str:
    cell = cell_of(filename)
    if cell is not None:
        return f"cell [{cell}]"
    return "In a notebook or a prompt" if filename.startswith("<") else Path(filename).name
