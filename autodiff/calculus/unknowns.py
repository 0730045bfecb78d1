"""Nested structures of unknowns as one vector, with bounds, and what is computed from them as another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import data_of, shape_of
from ..core.summary import repr_text
from ..ops.joining import concatenate
from ..ops.shape import reshape
from .objective import Shape, is_array_like
from .solving import plain_data


class Unknowns(Shape):
    """The layout of a nested structure of numbers and arrays in one vector, in which bounds can be given too.

    Examples
    --------
    >>> import numpy as np
    >>> layout = Unknowns("here", {"a": 1.0, "b": np.array([2.0, 3.0])})
    >>> layout.start
    array([1., 2., 3.])
    >>> layout.unpack(layout.start * 2)
    {'a': 2.0, 'b': array([4., 6.])}
    >>> layout.bounds((0, {"a": 9, "b": [4, 5]}))
    (array([0., 0., 0.]), array([9., 4., 5.]))
    """

    def __init__(self, what: str, start: Any) -> None:
        if start is None:
            raise KindError(f"{what} got None to start from; it is made of real numbers.")
        super().__init__(what, start)
        self.what = what

    def bounds(self, bounds: Any) -> tuple[Any, Any]:
        """Lower and upper bounds as vectors: each given as a number for all, or in the structure of the start."""
        if bounds is None:
            return np.full(self.size, -np.inf), np.full(self.size, np.inf)
        if not isinstance(bounds, tuple | list) or len(bounds) != 2:
            raise ArgumentError(f"{self.what} got bounds={repr_text(bounds)}; they are a pair, (lower, upper).")
        low, high = (self._one_bound(bound) for bound in bounds)
        if not np.all(low < high):
            raise ArgumentError(f"{self.what} got bounds={repr_text(bounds)}; each lower one is below its upper one.")
        return low, high

    def _one_bound(self, bound: Any) -> Any:
        if is_array_like(bound) or not isinstance(bound, tuple | list | dict):
            return self._filled(bound, (self.size,))
        try:
            parts = tree.flatten_like(self.like, bound)
        except ShapeError:
            raise ShapeError(
                f"{self.what} got {repr_text(bound)} among its bounds, for unknowns like {repr_text(self.like)}. Give "
                "one number for all, or the same structure."
            ) from None
        return np.concatenate([self._filled(part, shape or ()) for part, shape in zip(parts, self.shapes, strict=True)])

    def _filled(self, bound: Any, shape: tuple[int, ...]) -> Any:
        values = np.asarray(plain_data(bound))
        if values.dtype.kind not in "fiu":
            raise KindError(
                f"{self.what} got {repr_text(bound)} among its bounds; they are real numbers, with inf for none."
            )
        if values.ndim and values.size != math.prod(shape):
            raise ShapeError(
                f"{self.what} got bounds for {values.size} unknowns, of which there are {math.prod(shape)}. Give one "
                "number for all, or one for each."
            )
        return np.full(math.prod(shape), values.ravel(), float)


def in_one_vector(what: str, y: Any) -> Any:
    """All numbers of a nested structure that a function returned end to end, a node if some of them are nodes."""
    leaves = tree.flatten(y)
    for leaf in leaves if y is not None else [None]:
        data = data_of(leaf)
        if (data if hasattr(data, "dtype") else np.asarray(data)).dtype.kind not in "fiub":
            raise KindError(f"{what}: the function returned {repr_text(data)}; it returns real numbers.")
    vectors = [leaf if len(shape_of(leaf)) == 1 else reshape(leaf, -1) for leaf in leaves]
    return vectors[0] if len(vectors) == 1 else concatenate(vectors) if vectors else np.zeros(0)
