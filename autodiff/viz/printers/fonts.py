"""How wide text is, without drawing it: the advance widths of Helvetica and Arial, which are the same."""

from __future__ import annotations

import unicodedata

REGULAR = """
    278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584
    584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667
    611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500
    722 500 500 500 334 260 334 584
"""
"""Of the characters from the space to the tilde, in thousandths of the size."""
BOLD = """
    278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584
    584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667
    611 333 278 333 584 556 333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556
    778 556 556 500 389 280 389 584
"""
OTHERS = {"…": 1000, "×": 584, "÷": 584, "−": 584, "·": 333, "√": 549, "²": 333, "ᵖ": 400, "\u00a0": 278}
WIDE, USUAL = 1000, 611
"""Of characters that are not in the tables: those that fill a square, and the rest."""


def table(widths: str) -> dict[str, int]:
    """Widths by character."""
    return {chr(32 + i): int(width) for i, width in enumerate(widths.split())} | OTHERS


WIDTHS = {False: table(REGULAR), True: table(BOLD)}


def width_of(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in the unit of ``size``.

    Examples
    --------
    >>> width_of("tanh", 10), width_of("tanh", 10, bold=True)
    (19.46, 21.11)
    """
    known = WIDTHS[bold]
    return round(sum(known[c] if c in known else _guess(c) for c in text) * size / 1000, 2)


def is_certain(text: str) -> bool:
    """Whether the width of a text is known, and not guessed."""
    return all(c in WIDTHS[False] for c in text)


def _guess(c: str) -> int:
    if unicodedata.combining(c) or c in "\u200d\ufe0f":
        return 0
    return WIDE if unicodedata.east_asian_width(c) in "WF" else USUAL
