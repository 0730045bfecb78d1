"""Looking at a tape: pictures of it."""

from .draw import draw
from .drawing import Drawing
from .printers.dot import MissingProgramError, SlowProgramError
from .saving import MissingFolderError, UnwritableError

__all__ = ["Drawing", "MissingFolderError", "MissingProgramError", "SlowProgramError", "UnwritableError", "draw"]
