"""Where a group's arguments lie in order: index arrays as slices and strided views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.intp]]

LONG = 8
"""The shortest run for which walking with strides beats gathering."""
AXES = 4


class View(NamedTuple):
    """Places ``start + i * strides[0] + j * strides[1] + ...`` of a flat array; strides count entries."""

    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def in_order(start: int, shape: tuple[int, ...]) -> View:
    """Places side by side, as an array of some shape has its entries."""
    return View(start, shape, tuple(np.cumprod((1, *shape[:0:-1]))[::-1].tolist()))


def views_of(indices: Sequence[Ints]) -> list[View] | None:
    """Index arrays of one length as views of one shape, or None where they have no such order.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.arange(40).reshape(4, 10)
    >>> views_of([table.ravel() + 7, np.repeat([3, 5, 7, 9], 10)])
    [View(start=7, shape=(4, 10), strides=(10, 1)), View(start=3, shape=(4, 10), strides=(2, 0))]
    """
    n = len(indices[0])
    starts = [int(index[0]) for index in indices]
    shape: list[int] = []
    strides: list[list[int]] = [[] for _ in indices]
    while n > 1:
        run = _common_run(indices)
        if run is None or len(shape) == AXES or (not shape and run < min(LONG, n)):
            return None
        for index, found in zip(indices, strides, strict=True):
            found.insert(0, int(index[1] - index[0]))
        shape.insert(0, run)
        indices = [index[::run] for index in indices]
        n //= run
    if not shape:
        shape, strides = [1], [[1] for _ in strides]
    return [View(a, tuple(shape), tuple(s)) for a, s in zip(starts, strides, strict=True)]


def _common_run(indices: Sequence[Ints]) -> int | None:
    """The longest length of run such that every index array consists of runs of it with one stride."""
    n = len(indices[0])
    steps = [np.diff(index) for index in indices]
    breaks = [np.flatnonzero(d != d[0]) for d in steps]
    run = int(np.gcd.reduce([n, *[int(b[0]) + 1 for b in breaks if len(b)]]))
    if run < 2:
        return None
    inside = np.arange(1, n) % run != 0
    return run if all((d[inside] == d[0]).all() for d in steps) else None
