"""Where in the user's program something happens."""

from __future__ import annotations

import linecache
import os
import sys
from pathlib import Path
from types import FrameType
from typing import NamedTuple

PACKAGE = str(Path(__file__).parent.parent) + os.sep


class Line(NamedTuple):
    """A line of source."""

    filename: str
    number: int

    @property
    def text(self) -> str:
        """What stands there."""
        return linecache.getline(self.filename, self.number).strip()

    def __str__(self) -> str:
        return f"{Path(self.filename).name}:{self.number}" + (f": {self.text}" if self.text else "")


class Place(NamedTuple):
    """An expression in the source: its first line, the function around it, and where on its lines it begins and ends.

    Columns count from 0, in bytes of UTF-8, as Python's own; they are None where Python does not know them.
    """

    line: Line
    function: str
    last: int
    column: int | None
    end_column: int | None


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
