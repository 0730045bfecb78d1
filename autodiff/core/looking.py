"""Looking at numbers: what may not be done silently while a function is being compiled.

What is recorded then will run again on other numbers.  Whoever needs the numbers themselves, because the shape of a
result or what is computed at all depends on them, asks for them here, and is refused.
"""

from __future__ import annotations

from typing import Any

from .errors import CompileError
from .modes import compiler
from .node import Node, data_of, describe
from .source import user_line


def depends_on_numbers(node: Node, doing: str, repair: str) -> CompileError:
    """The error for what a compiled function would do for every input as it did for this one."""
    return CompileError(
        f"{doing} of {describe(node)} was asked for while compiling ({user_line()}). It depends on the numbers, "
        f"which differ from call to call, and the compiled function would go on with today's. {repair}"
    )


def numbers_of(x: Any, doing: str, repair: str) -> Any:
    """The plain data of ``x``, for what depends on its numbers.

    Raises
    ------
    CompileError
        While compiling, if ``x`` is a node: its numbers are those of one call.
    """
    if isinstance(x, Node) and compiler() is not None:
        raise depends_on_numbers(x, doing, repair)
    return data_of(x)


MASKS = (
    "The result has as many entries as the mask picks. Keep the shape: write ad.where(mask, x, 0) and, for a mean, "
    "divide by mask.sum(); or leave this part outside of the compiled function."
)
"""The repair where a shape depends on truth values."""

PLAIN = "Pass it as an int, or a list or tuple of ints: these are part of what is compiled."
"""The repair where whole numbers say how a result is laid out."""
