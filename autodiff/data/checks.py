"""Checks of arguments that the functions of this package share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError


def require_whole(what: str, **settings: Any) -> None:
    """Raise if a setting is not a whole number of at least 1."""
    for name, number in settings.items():
        if not isinstance(number, int | np.integer) or number < 1:
            raise ArgumentError(f"{what} got {name}={number!r}; it is a whole number of at least 1.")


def require_rows(what: str, *arrays: Any) -> list[Any]:
    """The arguments as arrays, if they have equally many rows."""
    if not arrays:
        raise ArgumentError(f"{what} got no arrays. Give it the data first: {what}(X, y, ...).")
    found = [np.asarray(a) for a in arrays]
    shapes = ", ".join(str(a.shape) for a in found)
    if any(a.ndim == 0 for a in found) or len({len(a) for a in found}) > 1:
        raise ShapeError(f"{what} got arrays of shapes {shapes}; they must have the same number of rows (first axis).")
    if len(found[0]) == 0:
        raise ShapeError(f"{what} got arrays of shapes {shapes}, which have no rows.")
    return found
