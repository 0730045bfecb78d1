"""Lines that must keep their distances: a node stands for each, the first of those that stand on it."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from .alignment import Aligned
from .layers import in_order


class Lines:
    """What stands before and after each line, and at which distance.

    Attributes
    ----------
    aligned : Aligned
        Which line each node stands on.
    before, after : dict of int to dict of int to float
        The neighbours of each line on either side, with the least distance from it.
    order : list of int
        The lines, each after all that stand before it.
    """

    def __init__(self, aligned: Aligned, apart: Mapping[tuple[int, int], float]) -> None:
        root, shift = aligned.root, aligned.shift
        self.aligned = aligned
        self.before: dict[int, dict[int, float]] = {b: {} for b in dict.fromkeys(root)}
        self.after: dict[int, dict[int, float]] = {b: {} for b in self.before}
        for (u, v), distance in apart.items():
            a, b = root[u], root[v]
            distance += shift[u] - shift[v]
            if distance > self.before[b].get(a, -inf):
                self.before[b][a] = self.after[a][b] = distance
        self.order = in_order(self.before, self.after)

    def pack(self, fixed: set[int]) -> list[float]:
        """Places that are as low as can be; then, where a line is not fixed, as near as can be to what stands after it.

        Returns the place of each node.
        """
        x: dict[int, float] = {}
        for b in self.order:
            x[b] = max([x[a] + distance for a, distance in self.before[b].items()], default=0.0)
        for b in reversed(self.order):
            if self.after[b] and b not in fixed:
                x[b] = min([x[a] - distance for a, distance in self.after[b].items()])
        return [x[b] + shift for b, shift in zip(self.aligned.root, self.aligned.shift)]
