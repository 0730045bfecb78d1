"""What the settings of optimizers may be: each check raises, and says what was found and what is expected."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import Node, describe

Check = Callable[[str, str, Any], None]
"""Called with the name of the optimizer, the name of the setting and what was given."""


def finite(owner: str, name: str, number: Any) -> None:
    """Raise unless it is a finite number."""
    _require(owner, name, number, "a finite number", lambda x: True)


def at_least_0(owner: str, name: str, number: Any) -> None:
    """Raise if a setting is negative, infinite or nan."""
    _require(owner, name, number, "a finite number, at least 0", lambda x: x >= 0)


def below_1(owner: str, name: str, number: Any) -> None:
    """Raise if a setting is not from 0 to 1, 1 excluded."""
    _require(owner, name, number, "at least 0 and less than 1", lambda x: 0 <= x < 1)


def count(owner: str, name: str, number: Any) -> None:
    """Raise unless it is a whole number of at least 1."""
    _require(owner, name, number, "a whole number, at least 1", lambda x: isinstance(x, int | np.integer) and x >= 1)


def flag(owner: str, name: str, given: Any) -> None:
    """Raise unless it is True or False."""
    if not isinstance(given, bool | np.bool_):
        raise ArgumentError(f"{owner} got {name}={given!r}; it is True or False.")


def betas_below_1(owner: str, name: str, betas: Any) -> None:
    """Raise unless it is two numbers from 0 to 1, 1 excluded."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ArgumentError(f"{owner} got {name}={betas!r}; it takes two numbers, such as {name}=(0.9, 0.999).")
    for i, beta in enumerate(betas):
        below_1(owner, f"{name}[{i}]", beta)


def _require(owner: str, name: str, number: Any, expected: str, fits: Any) -> None:
    try:
        right = not isinstance(number, Node) and math.isfinite(number) and fits(number)
    except (TypeError, OverflowError):
        right = False
    if not right:
        found = describe(number) if isinstance(number, Node) else repr(number)
        raise ArgumentError(f"{owner} got {name}={found}; it must be {expected}.")
