"""Nested structures of unknowns as one vector, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import Node, shape_of
from ..core.summary import repr_text
from ..ops.joining import concatenate
from ..ops.shape import reshape
from .solving import plain_data


class Unknowns:
    """The layout of a nested structure of numbers and arrays in one vector.

    Parameters
    ----------
    what : str
        Who asks, for messages.
    start : nested structure of numbers and arrays

    Examples
    --------
    >>> import numpy as np
    >>> layout = Unknowns("here", {"a": 1.0, "b": np.array([2.0, 3.0])})
    >>> layout.start
    array([1., 2., 3.])
    >>> layout.unpack(layout.start * 2)
    {'a': 2.0, 'b': array([4., 6.])}
    """

    def __init__(self, what: str, start: Any) -> None:
        self.what = what
        self.like = start
        leaves = [plain_data(leaf) for leaf in tree.flatten(start)]
        for leaf in leaves:
            if isinstance(leaf, bool | str | bytes) or np.asarray(leaf).dtype.kind not in "fiu":
                raise KindError(f"{what} got {repr_text(leaf)} among its unknowns; they are real numbers.")
        self.shapes = [shape_of(leaf) for leaf in leaves]
        self.numbers = [not isinstance(leaf, np.ndarray) for leaf in leaves]
        self.start = self._vector(leaves)

    def _vector(self, leaves: list[Any]) -> Any:
        return np.concatenate([np.zeros(0), *(np.asarray(leaf, float).ravel() for leaf in leaves)])

    def unpack(self, x: Any) -> Any:
        """The vector ``x``, a plain one or a node, in the structure of the start."""
        parts, at = [], 0
        for shape, number in zip(self.shapes, self.numbers, strict=True):
            n = int(np.prod(shape))
            part = reshape(x[at : at + n], shape)
            parts.append(part.item() if number and not isinstance(part, Node) else part)
            at += n
        return tree.unflatten(self.like, iter(parts))

    def bounds(self, bounds: Any) -> tuple[Any, Any]:
        """Lower and upper bounds as vectors: each given as a number for all, or in the structure of the start."""
        if bounds is None:
            return np.full(self.start.size, -np.inf), np.full(self.start.size, np.inf)
        if not isinstance(bounds, tuple | list) or len(bounds) != 2:
            raise ArgumentError(f"{self.what} got bounds={repr_text(bounds)}; they are a pair, (lower, upper).")
        low, high = (self._one_bound(bound) for bound in bounds)
        if not np.all(low < high):
            raise ArgumentError(f"{self.what} got bounds={repr_text(bounds)}; each lower one is below its upper one.")
        return low, high

    def _one_bound(self, bound: Any) -> Any:
        if np.ndim(bound) == 0 and not isinstance(bound, dict):
            return np.full(self.start.size, float(bound))
        leaves = tree.flatten(bound)
        if len(leaves) == 1 == len(self.shapes) or len(leaves) == len(self.shapes):
            return self._vector([np.broadcast_to(b, s) for b, s in zip(leaves, self.shapes, strict=True)])
        found = np.asarray(leaves, float).ravel()
        if found.size != self.start.size:
            raise ShapeError(
                f"{self.what} got bounds for {found.size} unknowns, of which there are {self.start.size}. Give one "
                "number for all, or one for each."
            )
        return found


def in_one_vector(y: Any) -> Any:
    """All numbers of a nested structure end to end, a node if some of them are nodes."""
    leaves = tree.flatten(y)
    if len(leaves) == 1:
        return reshape(leaves[0] if isinstance(leaves[0], Node) else np.asarray(leaves[0]), -1)
    if any(isinstance(leaf, Node) for leaf in leaves):
        return concatenate([reshape(leaf if isinstance(leaf, Node) else np.asarray(leaf), -1) for leaf in leaves])
    return np.concatenate([np.zeros(0), *(np.ravel(leaf) for leaf in leaves)])
