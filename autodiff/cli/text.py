"""The text of an expression: read into syntax, and pointed into where something is wrong."""

from __future__ import annotations

import ast
import linecache
import warnings
from collections.abc import Iterable
from typing import Any, NoReturn

from ..core.errors import ArgumentError
from ..core.origin import Origin
from ..core.source import Line, Place
from ..core.summary import printable, shorten, text_width

LONGEST = 10_000
"""How many characters an expression may have."""
AROUND = 40
"""How many characters are shown before and after the place of an error."""

SIGNS = {"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "²": "**2", "³": "**3", "√": "sqrt(...)"}
"""What stands in books for what is typed."""

FILENAME = "expression"
"""What pages call the file in which the operations of an expression stand, though there is none."""


class Text:
    """An expression as it was typed.

    Parameters
    ----------
    given : str
    what : str
        What messages call it.
    before, after : str
        What is put around it to be read as Python.
    """

    def __init__(self, given: str, what: str, before: str = "", after: str = "") -> None:
        self.what = what
        self.before = before
        self.typed = given.strip().replace("\r\n", "\n").replace("\r", "\n")
        self.full = f"{before}{self.typed}{after}"

    def parse(self) -> ast.Module:
        """The syntax tree.

        Raises
        ------
        ArgumentError
            If the text is too long, or does not read as Python.
        """
        if len(self.typed) > LONGEST:
            raise ArgumentError(
                f"The {self.what} has {len(self.typed):,} characters; at most {LONGEST:,} are read. "
                "Write a script, and run it with: autodiff run script.py"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of numbers that touch words, and of odd texts: all are refused later
                return ast.parse(self.full)
        except SyntaxError as error:
            self._unreadable(error)
        except UnicodeEncodeError:
            raise ArgumentError(f"The {self.what} holds what is no text: {shorten(self.typed, AROUND)}") from None
        except (MemoryError, RecursionError):
            raise ArgumentError(f"The {self.what} is too long or nested too deeply to be read.") from None

    def _unreadable(self, error: SyntaxError) -> NoReturn:
        line, offset = error.lineno or 1, max(error.offset or 1, 1) - 1
        end = (error.end_offset or 0) - 1 if error.end_lineno == line else offset + 1
        found = self.full.split("\n")[min(line, self.full.count("\n") + 1) - 1][offset : offset + 1]
        reason = error.msg.split(". ")[0].partition(", perhaps")[0]
        hint = f" Write {SIGNS[found]} for {found}." if found in SIGNS else ""
        if "decimal literal" in reason:
            hint = " Write 2*x for 2 times x; a name begins with a letter."
        raise ArgumentError(
            f"The {self.what} cannot be read: {reason}.{hint}\n{self._point(line, offset, end)}"
        ) from None

    def refuse(self, message: str, node: Any, after: str = "") -> ArgumentError:
        """The error for a part of the expression: the message, below it the place, and what is said after that."""
        line = self.full.split("\n")[node.lineno - 1].encode()
        end = node.end_col_offset if node.end_lineno == node.lineno else len(line)
        start, end = (len(line[:column].decode()) for column in (node.col_offset, end))
        return ArgumentError("\n".join([message, self._point(node.lineno, start, end), *filter(None, [after])]))

    def _point(self, number: int, start: int, end: int) -> str:
        """A line of the text with what stands from ``start`` to ``end`` underlined."""
        lines = self.full.split("\n")[: self.typed.count("\n") + 1]
        if number > len(lines):
            number, start, end = len(lines), len(lines[-1]), 0
        line = lines[number - 1]
        if number == 1:
            line, start, end = line[len(self.before) :], start - len(self.before), end - len(self.before)
        start = min(max(start, 0), len(line))
        end = max(min(end, len(line)), start)
        head, part, tail = (printable(piece) for piece in (line[:start], line[start:end], line[end:]))
        head = f"…{head[-AROUND:]}" if len(head) > AROUND else head
        tail = f"{tail[:AROUND]}…" if len(tail) > AROUND else tail
        part = shorten(part, AROUND)
        return f"    {head}{part}{tail}\n    {' ' * text_width(head)}{'^' * max(text_width(part), 1)}"

    def segment(self, node: Any) -> str:
        """What was typed for a node; of one that goes over several lines, the first."""
        line: bytes = self.full.split("\n")[node.lineno - 1].encode()
        whole = node.end_lineno == node.lineno
        return line[node.col_offset : node.end_col_offset if whole else None].decode() + "…" * (not whole)

    def remember(self) -> None:
        """Let debuggers and drawings show the expression as the source of the program."""
        lines = [f"{line}\n" for line in self.typed.split("\n")]
        linecache.cache[FILENAME] = (len(self.typed), None, lines, FILENAME)

    def origin(self, node: Any) -> Origin:
        """Where the operation of a node stands."""
        place = Place(Line(FILENAME, node.lineno), "<module>", node.end_lineno, node.col_offset, node.end_col_offset)
        return Origin(place, (), ())


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The question whether one of ``names`` was meant, after a space; empty if none is close."""
    from difflib import get_close_matches  # only an error needs it

    by_folded = {n.casefold(): n for n in names}
    close = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.7)
    return f" Did you mean {by_folded[close[0]]}?" if close else ""
