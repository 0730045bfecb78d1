"""Where in the user's program something happens."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from types import FrameType
from typing import NamedTuple

PACKAGE = str(Path(__file__).parent.parent)


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


def user_frame() -> FrameType:
    """The innermost running frame outside the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame


def user_line() -> Line:
    """The line of the user's program that is being run."""
    frame = user_frame()
    return Line(frame.f_code.co_filename, frame.f_lineno)
