"""Asking a function at many points, and finding what tracked nodes it closes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import KindError, NotFiniteError, ShapeError
from ..core.modes import is_recording
from ..core.node import Node, next_index
from ..core.summary import number_text, repr_text
from ..ops.shape import reshape
from ..tensor import Tensor
from ..transforms.composite import older
from .solving import plain_data, require_finite


class Sampler:
    """Values of a function at many points, as rows of plain numbers.

    Parameters
    ----------
    f : callable
    boxed : bool
        Whether it takes points of shape ``(axes,)``, or single numbers.
    vectorized : bool
        Whether it takes many at once.
    what : str
        Who asks, for messages.

    Attributes
    ----------
    shape, dtype
        Of a value; None before the first.
    tensors, nodes : bool
        Whether the function returned a tensor, or a node of any kind.
    closed : dict of Node
        What the function closes over, by index.
    first : pair
        The first point and the value there.
    """

    def __init__(self, f: Callable[..., Any], boxed: bool, vectorized: bool, what: str) -> None:
        self.f = f
        self.boxed = boxed
        self.vectorized = vectorized
        self.what = what
        self.start = next_index()
        self.shape: Any = None
        self.dtype: Any = None
        self.tensors = self.nodes = False
        self.closed: dict[int, Node] = {}
        self.first: Any = None
        self.report: Callable[[], Any] = lambda: None

    def at(self, x: Any) -> Any:
        """The function at one point, which may be a node."""
        if not self.vectorized:
            return self.f(x)
        y = self.f(reshape(x, (1, -1) if self.boxed else (1,)))
        return y[0]

    def __call__(self, x: Any, ends: bool = False) -> Any:
        """The values at ``x`` of shape ``(n, axes)``, of shape ``(n, size)``; not checked for nan at ``ends``."""
        points = x if self.boxed else x[:, 0]
        y = self._many(points) if self.vectorized else self._one_by_one(points)
        if y.dtype.kind not in "fc":
            if y.dtype.kind not in "biuO" or any(x is None for x in y.flat):
                raise KindError(
                    f"{self.what}: the function returned {repr_text(y[0])} at {self.place(points[0])}; it must return "
                    "a number or an array."
                )
            y = y.astype(float)
        if self.shape is None:
            self.shape, self.dtype, self.first = y.shape[1:], y.dtype, (points[0], y[0])
        elif y.shape[1:] != self.shape:
            raise ShapeError(
                f"{self.what}: the function returned shape {self.shape} at {self.place(self.first[0])} and shape "
                f"{y.shape[1:]} at {self.place(points[0])}. It must return the same shape everywhere."
            )
        elif y.dtype != self.dtype:
            self.dtype = np.result_type(self.dtype, y.dtype)
        if not ends and not np.isfinite(y).all():
            bad = int(np.argmin(np.isfinite(y.reshape(len(x), -1)).all(axis=1)))
            require_finite(self.what, y[bad], self.place(points[bad]), self.report())
        return y.reshape(len(x), -1)

    def _many(self, points: Any) -> Any:
        found = self.f(points)
        y = np.asarray(plain_data(found))
        if not y.shape or len(y) != len(points):
            raise ShapeError(
                f"{self.what}: with vectorized=True the function was given {len(points)} points, along the first axis, "
                f"and returned shape {y.shape}. It must return one value for each, along the first axis."
            )
        if isinstance(found, Node):
            self._look([found])
        return y

    def _one_by_one(self, points: Any) -> Any:
        f, found = self.f, []
        asked = points if self.boxed else points.tolist()
        try:
            for x in asked:
                found.append(f(x))
        except (ZeroDivisionError, OverflowError) as error:
            place = self.place(points[len(found)])
            raise NotFiniteError(
                f"{self.what}: the function raised {type(error).__name__} ({error}) at {place}. Give it values that "
                "are finite where it is asked; a singular point may stand in points=[...], where it is never asked.",
                self.report(),
            ) from error
        values = found
        if any(issubclass(kind, Node) for kind in set(map(type, found))):
            self._look(found)
            values = [plain_data(y) for y in found]
        try:
            return np.array(values)
        except ValueError:
            raise self._uneven(points, values) from None

    def _uneven(self, points: Any, values: list[Any]) -> Exception:
        """The error for results that make no array together."""
        try:
            shapes = [np.shape(y) for y in values]
        except ValueError:
            return KindError(
                f"{self.what}: the function returned {repr_text(values[0])} at {self.place(points[0])}; it must "
                "return a number or an array."
            )
        other = next(i for i, shape in enumerate(shapes) if shape != shapes[0])
        return ShapeError(
            f"{self.what}: the function returned shape {shapes[0]} at {self.place(points[0])} and shape "
            f"{shapes[other]} at {self.place(points[other])}. It must return the same shape everywhere."
        )

    def _look(self, found: list[Any]) -> None:
        """Note what kind of results these are, and what they depend on."""
        self.nodes = True
        self.tensors = self.tensors or any(isinstance(y, Tensor) for y in found)
        if is_recording():
            self.closed.update((x.index, x) for x in older(found, self.start))

    def place(self, x: Any) -> str:
        """A point in a message."""
        if np.ndim(x):
            return f"x = [{', '.join(number_text(float(c), 8) for c in x)}]"
        return f"x = {number_text(float(x), 8)}"
