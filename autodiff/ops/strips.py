"""The memory of convolution and pooling: results with the images last, and what is made on the way, in strips."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..core.node import Array
from .windows import Ints, Place, Windows, area, images_first, places

# Images make arrays of megabytes, which glibc's malloc hands back to the system at the end of each step, to ask for
# them again, page by page, in the next: half of the time of a small net.  It keeps what it frees up to twice the size
# of the largest block that it ever gave back (32 MB at most): here is one, of which no page is touched.
np.empty(31 * 2**20, np.uint8)

STRIP = 2**17
"""About so many numbers are laid out or compared at a time: what fits into a core's own cache."""


def room(stack: Ints, shape: Ints, dtype: Any) -> Array:
    """New memory for a result ``(N, C, ...)``, ``stack`` being N and C, with the images last."""
    images, channels = stack
    return images_first(np.empty((channels, *shape, images), dtype))


def inside(out: Array) -> Array:
    """The memory of a result, to be written in: ``(C, ..., N)``, without a gap."""
    y: Array = out.transpose(*range(1, out.ndim), 0)
    assert y.flags.c_contiguous, "the images of a result lie last in memory"
    return y


def in_groups(a: Array, groups: int) -> Array:
    """An array ``(channels, ...)`` as one matrix for each group, with a row for each channel."""
    return a.reshape(groups, len(a) // groups, area(a.shape[1:]))


def blocks(x: Array) -> Iterator[slice]:
    """Where to cut an array ``(C, ..., N)``: a few channels at a time."""
    some = max(1, STRIP * len(x) // max(1, x.size))
    return (slice(k, k + some) for k in range(0, len(x), some))


class Strip(NamedTuple):
    """A few rows of windows, and one column for each of them and each image.

    Attributes
    ----------
    columns : int
        How many columns.
    place : slice
        Where they are among all.
    number : tuple of int
        How many windows along each axis.
    places : list of Place
        Where the entries of these windows are.
    blank : bool
        Whether some are outside of the image, and not just those of the strip before.
    """

    columns: int
    place: slice
    number: Ints
    places: list[Place]
    blank: bool


def cut(windows: Windows, count: Ints, x: Array) -> list[Strip]:
    """Cut images ``(C, ..., N)``, which ``count`` windows look at, into strips.  The first is the largest."""
    return cut_at(windows, count, x.shape, STRIP)


@functools.lru_cache(maxsize=64)
def cut_at(windows: Windows, count: Ints, shape: Ints, most: int) -> list[Strip]:
    """Cut images of a shape so that the windows of a strip see about ``most`` numbers."""
    row = area(count[1:]) * shape[-1]
    height = max(1, most // max(1, shape[0] * area(windows.size) * row))
    found, before = [], None
    for top in range(0, count[0], height):
        bottom = min(top + height, count[0])
        number = bottom - top, *count[1:]
        seen = places(windows.from_row(top), number, shape[1:-1])
        written = number, [place.within for place in seen]
        blank = any(map(any, windows.padding)) and written != before
        before = written
        found.append(Strip((bottom - top) * row, slice(top * row, bottom * row), number, seen, blank))
    return found


def strips(x: Array, windows: Windows, count: Ints, groups: int) -> Iterator[tuple[slice, Array]]:
    """What ``count`` windows see of images ``(C, ..., N)``, a strip at a time, each written over the one before it.

    Its columns, with a row for each entry of a window, come with their place among all.
    """
    parts = cut(windows, count, x)
    rows = len(x) * area(windows.size)
    memory: Array = np.empty(rows * parts[0].columns, x.dtype)
    for part in parts:
        columns = memory[: rows * part.columns]
        if part.blank:
            columns.fill(0)
        strip = columns.reshape(len(x), *windows.size, *part.number, x.shape[-1])
        for _, within, seen in part.places:
            strip[within] = x[seen]
        yield part.place, columns.reshape(groups, rows // groups, part.columns)
