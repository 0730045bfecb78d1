"""Looking at a tape: pictures of it."""

from .draw import draw
from .drawing import Drawing
from .printers.dot import MissingProgramError

__all__ = ["Drawing", "MissingProgramError", "draw"]
