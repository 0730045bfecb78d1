"""Packing: arrays that are needed at different times lie in the same bytes of one block, whatever their shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

LARGE = 2**14
"""Bytes from which on an array is packed: a smaller one has memory of its own, which is easier to read."""
WORTH = 2**16
"""Bytes that packing must save."""
LINE = 64
"""Bytes of a cache line, at the start of one of which each array lies in the block."""


class Span(NamedTuple):
    """Some bytes that are needed from one instruction to another, both included."""

    size: int
    first: int
    last: int


def lay_out(spans: Sequence[Span]) -> list[int]:
    """An offset for each span: the bytes of two that are needed at one time do not overlap.

    The largest come first, and each gets the lowest place that is free.  To find the least memory for all is a problem
    for which no fast way is known; this rule mostly comes near [1]_.

    References
    ----------
    .. [1] Y. Pisarchyk and J. Lee, "Efficient memory management for deep neural net inference" (2020),
       arXiv:2001.03288.
    """
    offsets = np.zeros(len(spans), int)
    size, first, last = np.array(spans, int).reshape(-1, 3).T
    largest_first = sorted(range(len(spans)), key=lambda k: (-spans[k].size, spans[k].first))
    placed = np.array(largest_first, int)
    for n, k in enumerate(largest_first):
        others = placed[:n]
        others = others[(first[others] <= last[k]) & (first[k] <= last[others])]
        for other in others[np.argsort(offsets[others], kind="stable")]:
            if offsets[k] + size[k] <= offsets[other]:
                break
            offsets[k] = max(offsets[k], -(-(offsets[other] + size[other]) // LINE) * LINE)
    return [int(offset) for offset in offsets]


def bytes_of(v: Any) -> int:
    """The memory that a variable takes."""
    return int(math.prod(v.shape) * v.dtype.itemsize)
