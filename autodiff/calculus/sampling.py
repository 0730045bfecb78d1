"""Asking a function at many points, and finding what tracked nodes it closes over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import KindError, NotFiniteError, ShapeError
from ..core.modes import is_recording
from ..core.node import Node, next_index, shape_of
from ..core.summary import number_text, repr_text
from ..ops.shape import reshape
from ..tensor import Tensor
from ..transforms.composite import older
from ..transforms.vmap import CannotBatchError, batch_of, examples_of, inside_batch
from .solving import joined, plain_data, require_finite

log = logging.getLogger("autodiff.calculus")
SIMPLE = {float, np.float64, np.ndarray}
"""Results that need no conversion."""


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
    batched : int
        On how many to try it at once, as ``vmap`` does, where it takes one at a time.

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

    def __init__(self, f: Callable[..., Any], boxed: bool, vectorized: bool, what: str, batched: int = 0) -> None:
        self.f = f
        self.boxed = boxed
        self.vectorized = vectorized
        self.what = what
        self.batched = batched
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
            return joined(self.f(x))
        return joined(self.f(reshape(x, (1, -1) if self.boxed else (1,))))[0]

    def __call__(self, x: Any, ends: bool = False) -> Any:
        """The values at ``x`` of shape ``(n, axes)``, of shape ``(n, size)``; not checked for nan at ``ends``."""
        points = x if self.boxed else x[:, 0]
        y = self._as_batch(points) if self.batched else None
        if y is None:
            found, y = self.many(points) if self.vectorized else self.each(self._single(points), points)
            if not SIMPLE.issuperset(map(type, found)) and any(isinstance(x, Node) for x in found):
                self._look(found)
        return self.checked(y, points, ends).reshape(len(x), -1)

    def checked(self, y: Any, points: Any, ends: bool = False) -> Any:
        """These values at some points, if they are numbers, of one shape, and finite but for those at ``ends``."""
        if y.dtype.kind not in "fc":
            try:
                if y.dtype.kind not in "biuO" or any(x is None for x in y.flat):
                    raise TypeError
                y = y.astype(float)
            except (TypeError, ValueError):
                raise KindError(
                    f"{self.what}: the function returned {repr_text(y[0])} at {self.place(points[0])}; it must return "
                    "a number or an array."
                ) from None
        if self.shape is None:
            self.shape, self.dtype, self.first = y.shape[1:], y.dtype, (points[0], y[0])
        elif y.shape[1:] != self.shape:
            raise ShapeError(
                f"{self.what}: the function returned shape {self.shape} at {self.place(self.first[0])} and shape "
                f"{y.shape[1:]} at {self.place(points[0])}. It must return the same shape everywhere."
            )
        elif y.dtype != self.dtype:
            self.dtype = np.result_type(self.dtype, y.dtype)
        if not ends and not np.logical_and.reduce(np.isfinite(y), axis=None):
            bad = int(np.argmin(np.isfinite(y.reshape(len(y), -1)).all(axis=1)))
            require_finite(self.what, y[bad], self.place(points[bad]), self.report())
        return y

    def _as_batch(self, points: Any) -> Any:
        """The values at all points at once; None where the function cannot be asked so."""
        try:
            y = np.concatenate([self._batch(points[i : i + self.batched]) for i in range(0, len(points), self.batched)])
            middle = slice(len(points) // 2, len(points) // 2 + 1)
            _, one = self.each(self._single(points[middle]), points[middle])
            apart, size = abs(y[middle] - one).max(initial=0), abs(one).max(initial=0)
            if one.shape[1:] != y.shape[1:] or not apart <= np.finfo(y.dtype).eps ** 0.5 * size:
                raise CannotBatchError("the function gives something else for many points at once")
        except Exception as error:  # if it is not the batch's fault, it is raised again where points come one by one
            log.debug("%s: one point after another, since %s: %s", self.what, type(error).__name__, error)
            self.batched = 0
            return None
        return y

    def _batch(self, points: Any) -> Any:
        x = Tensor(batch_of(points), requires_grad=False)
        with inside_batch():
            y = self.f(x)
        return examples_of(y, len(points))

    def many(self, x: Any) -> tuple[list[Any], Any]:
        """What the function returns for many points, which may be a node; and its numbers."""
        found = joined(self.f(x))
        y = np.asarray(plain_data(found))
        if y.shape[:1] != shape_of(x)[:1]:
            raise ShapeError(
                f"{self.what}: with vectorized=True the function was given {len(x)} points, along the first axis, "
                f"and returned shape {y.shape}. It must return one value for each, along the first axis."
            )
        return [found], y

    def each(self, asked: Any, points: Any) -> tuple[list[Any], Any]:
        """What the function returns at each point, which may be nodes and so stand for ``points``; and its numbers."""
        f, found = self.f, []
        try:
            for x in asked:
                found.append(f(x))
        except (ZeroDivisionError, OverflowError) as error:
            if isinstance(error, OverflowError) and type(asked[len(found)]) is float:
                with np.errstate(over="ignore"):  # where Python's numbers raise NumPy's are infinite: x / exp(x) is 0
                    return self.each(points, points)
            place = self.place(points[len(found)])
            raise NotFiniteError(
                f"{self.what}: the function raised {type(error).__name__} ({error}) at {place}. Give it values that "
                "are finite where it is asked; a singular point may stand in points=[...], where it is never asked.",
                self.report(),
            ) from error
        try:
            if SIMPLE.issuperset(map(type, found)):
                return found, np.array(found)
            found = [joined(y) for y in found]
            return found, np.array([plain_data(y) for y in found])
        except ValueError:
            raise self._uneven(points, found) from None

    def _uneven(self, points: Any, found: list[Any]) -> Exception:
        """The error for results that make no array together."""
        try:
            shapes = [shape_of(y) for y in found]
        except ValueError:
            return KindError(
                f"{self.what}: the function returned {repr_text(found[0])} at {self.place(points[0])}; it must "
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

    def _single(self, points: Any) -> Any:
        """Points as the function takes one at a time."""
        return points if self.boxed else points.tolist()

    def place(self, x: Any) -> str:
        """A point in a message."""
        if np.ndim(x):
            return f"x = [{', '.join(number_text(float(c), 8) for c in x)}]"
        return f"x = {number_text(float(x), 8)}"
