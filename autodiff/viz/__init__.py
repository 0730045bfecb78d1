"""Looking at a tape: pictures of it."""

from .draw import draw
from .drawing import Drawing, MissingProgramError

__all__ = ["Drawing", "MissingProgramError", "draw"]
