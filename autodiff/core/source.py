"""Where in the user's program something happens."""

from __future__ import annotations

import linecache
import os
import sys
from types import FrameType
from typing import Any, NamedTuple

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep  # pathlib takes long to import


class Line(NamedTuple):
    """A line of source."""

    filename: str
    number: int

    @property
    def where(self) -> str:
        """File and number as people say them: ``model.py:12``, or ``cell [5], line 3`` of a notebook."""
        cell = cell_of(self.filename)
        file = os.path.basename(self.filename)
        return f"{file}:{self.number}" if cell is None else f"cell [{cell}], line {self.number}"

    @property
    def text(self) -> str:
        """What stands there."""
        return linecache.getline(self.filename, self.number).strip()

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.text else self.where


class Place(NamedTuple):
    """An expression in the source: its first line, the function around it, and where on its lines it begins and ends.

    Columns count from 0, in bytes of UTF-8, as Python's own; they are None where Python does not know them.
    """

    line: Line
    function: str
    last: int
    column: int | None
    end_column: int | None


def cell_of(filename: str) -> int | None:
    """The number of the notebook cell that was compiled under this name.

    IPython calls a cell by a hash of its text, and keeps the number beside it for its own tracebacks.
    """
    get_ipython: Any = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython is not None else None
    numbers: dict[str, int] = getattr(getattr(shell, "compile", None), "_filename_map", {})
    return numbers.get(filename)


def is_users(frame: FrameType) -> bool:
    """Whether a frame runs code from outside the package."""
    return not frame.f_code.co_filename.startswith(PACKAGE)


def user_frame() -> FrameType:
    """The innermost running frame outside the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and not is_users(frame):
        frame = frame.f_back
    return frame


def user_line() -> Line:
    """The line of the user's program that is being run."""
    frame = user_frame()
    return Line(frame.f_code.co_filename, frame.f_lineno)
