"""Results in given memory: for some rows a second form of the forward function, which writes into an array ``out``.

A compiled program calls it where the result has a place in the memory that it planned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

INTO: dict[Callable[..., Any], Callable[..., Any]] = {}
"""That form, by forward function: it takes the same arguments, and ``out=``, an array laid out as the result is."""


def into(op: Any) -> Callable[[F], F]:
    """Declare that form of the forward function of a row."""

    def declare(function: F) -> F:
        INTO[op.rule.forward] = function
        return function

    return declare
