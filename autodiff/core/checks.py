"""Checks of arguments that functions all over the package share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import ArgumentError
from .summary import repr_text


def require_whole(doing: str, least: int = 1, **settings: Any) -> None:
    """Raise if a setting is not a whole number of at least ``least``.

    Examples
    --------
    >>> require_whole("record()", every=1.5)
    Traceback (most recent call last):
    autodiff.core.errors.ArgumentError: record() got every=1.5; it is a whole number of at least 1.
    """
    for name, x in settings.items():
        if isinstance(x, bool) or not isinstance(x, int | np.integer) or x < least:
            raise ArgumentError(f"{doing} got {name}={repr_text(x)}; it is a whole number of at least {least}.")


def require_from_zero(doing: str, **settings: Any) -> None:
    """Raise if a setting is not a finite number of at least 0."""
    for name, x in settings.items():
        if not is_finite(x) or x < 0:
            raise ArgumentError(f"{doing} got {name}={repr_text(x)}; it is a finite number of at least 0.")


def is_finite(x: Any) -> bool:
    """Whether ``x`` is a single real number that a float can hold, neither infinite nor nan."""
    try:
        return isinstance(x, int | float | np.integer | np.floating) and math.isfinite(x)
    except OverflowError:
        return False
