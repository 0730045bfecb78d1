"""The right-hand side of a differential equation as a function of one flat vector, and what it closes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import KindError, ShapeError, TapeError
from ..core.node import Node, data_of, next_index, shape_of
from ..core.summary import number_text, repr_text
from ..ops.joining import concatenate
from ..ops.shape import reshape
from ..transforms.composite import older
from .objective import is_array_like
from .solving import joined, plain_data, require_finite, require_real


def one_state(y0: Any) -> Any:
    """A list of numbers, plain or recorded, as the array that it stands for; anything else as it is."""
    return joined(y0) if isinstance(y0, list) and y0 and all(map(_of_numbers, y0)) else y0


def _of_numbers(x: Any) -> bool:
    if isinstance(x, list):
        return bool(x) and all(map(_of_numbers, x))
    return shape_of(x) == () if isinstance(x, Node) else is_array_like([x])


SEEN = 16
"""So many results are held before what they depend on is looked for."""


class System:
    """``dy/dt = f(t, y)`` with the state laid out as one vector.

    Parameters
    ----------
    f : callable
        As the user gave it: of a number and a state.
    y0 : nested structure of arrays or numbers
        A state, which says how the vector is taken apart for ``f``.

    Attributes
    ----------
    evaluations : int
        How often ``f`` was called.
    met : bool
        Whether ``f`` was seen to use any tensor, tracked or not.
    closed : dict of Node by int
        The tracked tensors from outside that ``f`` was seen to use, by index.
    """

    def __init__(self, f: Callable[..., Any], y0: Any) -> None:
        self.f = f
        self.like = tree.tree_map(lambda _: 0, y0)
        leaves = [plain_data(x) for x in tree.flatten(y0)]
        require_real("odeint", **{f"y0[{i}]" if len(leaves) > 1 else "y0": x for i, x in enumerate(leaves)})
        arrays = [np.asarray(x) for x in leaves]
        self.shapes = [x.shape for x in arrays]
        ends = np.cumsum([0, *(x.size for x in arrays)]).tolist()
        self.pieces = list(zip(ends, ends[1:], self.shapes, strict=False))
        self.size: int = ends[-1]
        given = [x.dtype for x, leaf in zip(arrays, leaves, strict=True) if isinstance(leaf, np.ndarray | np.generic)]
        dtype = np.result_type(*given) if given else np.dtype(float)
        self.dtype: Any = dtype if dtype.kind == "f" and dtype.itemsize > 2 else np.dtype(float)  # halves hold no error
        self.vector = self.like == 0 and len(self.shapes[0]) == 1
        self.numbers = all(shape == () for shape in self.shapes)
        self.start = next_index()
        self.evaluations = 0
        self.closed: dict[int, Node] = {}
        self.met = False
        self._seen: list[Node] = []

    def pack(self, state: Any, what: str = "y0") -> Any:
        """A state as a vector: recorded where a part of it is a node.

        Raises
        ------
        ShapeError
            If it is built otherwise than ``y0``.
        KindError
            If a part of it is not made of real numbers.
        """
        leaves = [state] if self.like == 0 else self._leaves(state, what)
        if self.numbers and not any(isinstance(x, Node | list | tuple) for x in leaves):
            row = np.array(leaves)
            if row.shape == (self.size,) and row.dtype.kind in "fiub":
                return row.astype(self.dtype, copy=False)
        leaves = [joined(x) for x in leaves]
        for x, shape in zip(leaves, self.shapes, strict=True):
            if shape_of(x) != shape:
                raise ShapeError(
                    f"odeint: {what} has a part of shape {shape_of(x)} where y0 has {shape}. The function returns the "
                    "rate of change of each entry of the state, in the structure and the shapes of y0."
                )
        if any(isinstance(x, Node) for x in leaves):
            flat = [reshape(x, -1) for x in leaves]
            return flat[0] if len(flat) == 1 else concatenate(flat)
        rows = [self._real(x, what).reshape(-1) for x in leaves]
        return rows[0] if len(rows) == 1 else np.concatenate([*rows, np.zeros(0, self.dtype)])

    def _leaves(self, state: Any, what: str) -> list[Any]:
        try:
            return tree.flatten_like(self.like, state)
        except ShapeError:
            raise ShapeError(
                f"odeint: {what} is {repr_text(state)}, which is not built as y0. The function returns the rate of "
                "change of each entry of the state, in the structure and the shapes of y0."
            ) from None

    def _real(self, x: Any, what: str) -> Any:
        """The array of a part of a state; Python numbers of any real kind are rounded to floats."""
        try:
            array = np.asarray(x)
            if array.dtype.kind == "O" and None not in array.ravel():
                array = array.astype(self.dtype)
            if array.dtype.kind in "fiub":
                return array.astype(self.dtype, copy=False)
        except (TypeError, ValueError):
            pass
        raise KindError(f"odeint: {what} has the part {repr_text(x)}; it is to be made of real numbers.")

    def unpack(self, y: Any) -> Any:
        """The state that a vector, plain or recorded, stands for; rows of vectors give it a leading axis."""
        if self.vector:
            return y
        rows = y.shape[:-1]
        parts = []
        for start, end, shape in self.pieces:
            if not shape and not rows and not isinstance(y, Node):
                parts.append(y[start])  # a NumPy number: faster to compute with than an array of one
            else:
                parts.append(reshape(y[..., start:end], rows + shape))
        return parts[0] if self.like == 0 else tree.unflatten(self.like, iter(parts))

    def __call__(self, t: float, y: Any) -> Any:
        """The rate of change at the plain vector ``y``; what ``f`` closes over is noted, where recording is on.

        It holds until the next call: ``f`` may fill the same array each time.
        """
        self.evaluations += 1
        return self.note(t, y)

    def note(self, t: float, y: Any) -> Any:
        """The same, not counted."""
        own = y.copy()  # f may write into it
        dy = self.f(t, own if self.vector else self.unpack(own))
        if isinstance(dy, Node):
            self.met = True
            if dy.tracked:
                self._see(dy)
            if self.vector:
                dy = plain_data(dy)
        if dy.__class__ is not np.ndarray or not self.vector or dy.shape != y.shape:
            dy = self.pack(dy, "what the function returned")
            if isinstance(dy, Node):
                self.met = True
                if dy.tracked:
                    self._see(dy)
                dy = plain_data(dy)
        return dy if dy.dtype == self.dtype else self._real(dy, "what the function returned")

    def _see(self, dy: Node) -> None:
        self._seen.append(dy)
        if len(self._seen) >= SEEN:
            self.notice()

    def notice(self) -> None:
        """Find what the newest results depend on, and let go of them."""
        self.closed |= {x.index: x for x in older(self._seen, self.start)}
        self._seen.clear()

    def inputs(self) -> tuple[Node, ...]:
        """The tensors from outside that ``f`` was seen to use."""
        self.notice()
        return tuple(x for _, x in sorted(self.closed.items()))

    def record(self, t: Any, y: Any) -> Any:
        """The rate of change at a recorded vector, recorded."""
        dy = self.f(t, self.unpack(y))
        if self.vector and isinstance(dy, Node) and dy._data.shape == data_of(y).shape:
            return dy
        return self.pack(dy, "what the function returned")

    def require_same(self, again: Any, before: Any, *more: Any) -> None:
        """Raise if what was computed again for a derivative is not as before, in the scale of that and of ``more``."""
        scale = max(np.abs(x).max(initial=0) for x in (before, *more))
        if not np.all(np.abs(again - before) <= np.finfo(self.dtype).eps ** 0.5 * scale):
            raise TapeError(
                "odeint: the function gave other rates when it was called again for the derivative. It may draw random "
                "numbers (seed them inside), or use something that was changed since."
            )

    def require_finite(self, t: float, dy: Any, reached: object = None) -> None:
        """Raise if the rate of change at ``t`` is not finite."""
        require_finite("odeint", dy, f"t = {number_text(float(t), 6)}", reached)
