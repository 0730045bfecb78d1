"""What is minimized, as a function of one flat vector: its value, gradient, Hessian and Hessian products, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..core.errors import DivergenceError, KindError, NotFiniteError, ShapeError, SingularError
from ..core.modes import no_grad
from ..core.node import Node, shape_of
from ..core.numbers import is_foreign
from ..core.summary import kind_text, number_text, repr_text
from ..ops.joining import concatenate
from ..ops.shape import reshape
from ..transforms.composite import older
from ..transforms.first_order import one
from ..transforms.lift import Call, require_function
from .implicit import value_and_jacobian
from .solving import plain_data

Array = Any


class Point(NamedTuple):
    """A point of the search: where, the value there, and the gradient."""

    x: Array
    f: float
    g: Array


class Shape:
    """How a flat vector of float64 stands for a number, an array, or a nested structure of both.

    Parameters
    ----------
    what : str
        Who asks, for messages.
    like : number, array_like or nested structure
        Lists of numbers count as arrays.
    """

    def __init__(self, what: str, like: Any) -> None:
        try:
            whole = is_array_like(like) or isinstance(like, range)
            self.like = tree.tree_map(_real, np.asarray(like) if whole else like)
            leaves = [_real(None)] if like is None else tree.flatten(self.like)
        except (TypeError, ValueError):
            raise KindError(f"{what} got {repr_text(like)} to start from; it is made of real numbers.") from None
        arrays = [np.asarray(leaf) for leaf in leaves]
        self.what = what
        self.single = len(leaves) == 1 and leaves[0] is self.like
        self.shapes = [None if not hasattr(leaf, "shape") else a.shape for leaf, a in zip(leaves, arrays)]
        self.sizes = [a.size for a in arrays]
        self.size = sum(self.sizes)
        self.start = np.concatenate([a.ravel().astype(float) for a in arrays]) if arrays else np.zeros(0)

    def unpack(self, flat: Any) -> Any:
        """The structure that a flat vector stands for; of plain vectors the caller's own arrays, and plain numbers."""
        if self.single and self.shapes[0] == flat.shape:
            return flat if isinstance(flat, Node) else flat.copy()
        if shape_of(flat) != (self.size,):
            raise ShapeError(f"{self.what} got x of shape {shape_of(flat)}; it has shape ({self.size},), as its start.")
        parts, at = [], 0
        for shape, size in zip(self.shapes, self.sizes, strict=True):
            piece = flat[at : at + size]
            if isinstance(flat, Node):
                parts.append(reshape(piece, shape or ()))
            else:
                parts.append(float(piece[0]) if shape is None else piece.reshape(shape).copy())
            at += size
        return tree.unflatten(self.like, iter(parts))

    def pack(self, structure: Any) -> Any:
        """The flat vector of a structure of nodes or plain data."""
        parts = [reshape(leaf, -1) for leaf in tree.flatten(structure)]
        return concatenate(parts) if parts else np.zeros(0)


def _real(x: Any) -> Any:
    """The plain array or number of a leaf, of one of NumPy's kinds."""
    x = plain_data(x)
    kind = np.asarray(x).dtype.kind
    if x is None or kind not in "fiuO":
        raise TypeError
    return x if kind != "O" else np.asarray(x, float) if isinstance(x, np.ndarray) else float(x)


def is_array_like(x: Any) -> bool:
    """Whether ``x`` is a list or tuple of plain numbers, or of such lists."""
    return (
        isinstance(x, list | tuple)
        and not hasattr(x, "_fields")
        and bool(x)
        and all(is_array_like(y) or isinstance(y, int | float | np.number) or is_foreign(y) for y in x)
    )


def value_and_gradient(f: Callable[[Any], Any], x: Any, create_graph: bool = False) -> tuple[Any, Any]:
    """The value of ``f`` at ``x`` and its gradient; what ``f`` closes over is not swept, though it may be tracked."""
    call = Call(f, (x,), (0,))
    y = require_number(call.result)
    if not isinstance(y, Node) or not y.tracked:
        return y, np.zeros(shape_of(x))
    behind = {a.index for own in call.inputs for a in own.args}
    call.inputs.extend(p for p in older((y,), call.start) if p.index not in behind)  # where the sweep stops
    return y, call.pull([one(y)], create_graph)[0]


def require_number(y: Any) -> Any:
    """Raise unless a function returned a single real number."""
    data = plain_data(y)
    if isinstance(data, list | tuple | dict) or np.asarray(data).dtype.kind not in "fiu":
        found = f"numbers of type {data.dtype}" if isinstance(data, np.ndarray) else kind_text(data)
        raise KindError(f"The function to minimize returned {found}; it returns one real number.")
    if np.size(data) != 1:
        raise ShapeError(
            f"The function to minimize returned shape {np.shape(data)}; it returns one number. Reduce it, for example "
            "with .sum()."
        )
    return y


class Objective:
    """A function of one vector with its exact derivatives, and how often each was asked for.

    Parameters
    ----------
    what : str
        Who asks, for messages.
    f : callable
        Of what ``x0`` is like; returns one real number.
    x0 : number, array_like or nested structure

    Attributes
    ----------
    nfev, njev, nhev : int
        Evaluations of the value, of the gradient, and of the Hessian or its products.
    """

    def __init__(self, what: str, f: Callable[[Any], Any], x0: Any) -> None:
        require_function(f, what)
        self.what = what
        self.f = f
        self.shape = Shape(what, x0)
        self.nfev = self.njev = self.nhev = 0
        self.not_finite: tuple[float, Array] | None = None
        self._last: Point | None = None
        self._pushes: tuple[Array, Any] | None = None
        self._tracked = True

    def of_flat(self, x: Any) -> Any:
        """``f`` of what the flat ``x`` stands for."""
        return self.f(self.shape.unpack(x))

    def value(self, x: Array) -> float:
        """The plain value, inf where there is none."""
        self.nfev += 1
        return self._finite(self.plain(x), x)

    def plain(self, x: Array) -> float:
        """The value, not counted."""
        with np.errstate(all="ignore"), no_grad():
            y = self.of_flat(x)
        return float(np.asarray(plain_data(require_number(y))).reshape(()))

    def point(self, x: Array) -> Point:
        """The value and the gradient."""
        if self._last is None or not np.array_equal(self._last.x, x):
            self.nfev += 1
            self.njev += 1
            with np.errstate(all="ignore"):
                y, g = value_and_gradient(self.of_flat, x)
            self._tracked = isinstance(y, Node) and y.tracked
            f = self._finite(float(np.asarray(plain_data(y)).reshape(())), x)
            self._last = Point(np.array(x), f, np.asarray(plain_data(g), float))
        return self._last

    def gradient(self, x: Array) -> Array:
        """The gradient."""
        return self.point(x).g.copy()

    def forget(self) -> None:
        """Keep nothing of the last point: the function may have changed since."""
        self._last = self._pushes = None

    def hessian(self, x: Array) -> Array:
        """The Hessian, symmetric: every column by a forward sweep over the reverse one."""
        self.nhev += 1
        with np.errstate(all="ignore"):
            _, matrix = value_and_jacobian(self._gradient, np.array(x))
        return (matrix + matrix.T) / 2

    def product(self, x: Array, v: Array) -> Array:
        """The product of the Hessian at ``x`` with ``v``, without the Hessian; one tape serves all ``v``."""
        self.nhev += 1
        with np.errstate(all="ignore"):
            if self._pushes is None or not np.array_equal(self._pushes[0], x):
                x = np.array(x, float)
                self._pushes = x, Call(self._gradient, (x,), (0,))
            return np.asarray(self._pushes[1].push([np.array(v, float)], False)[0])

    def _gradient(self, x: Any) -> Any:
        return value_and_gradient(self.of_flat, x, create_graph=True)[1]

    def _finite(self, f: float, x: Array) -> float:
        if f == -np.inf:
            raise DivergenceError(
                f"{self.what}: the function is -inf at {place(x)}: it has no lowest value. Give bounds, "
                "or check its sign."
            )
        if np.isfinite(f):
            return f
        self.not_finite = f, np.array(x)
        return np.inf

    def require_point(self, x: Array) -> Point:
        """The point at ``x``; raise if the value or an entry of the gradient is not finite there."""
        p = self.point(x)
        if not (np.isfinite(p.f) and np.all(np.isfinite(p.g))):
            found = self.not_finite[0] if self.not_finite is not None and not np.isfinite(p.f) else None
            which = "function returned" if found is not None else "gradient of the function holds"
            bad = found if found is not None else p.g[~np.isfinite(p.g)][0]
            raise NotFiniteError(
                f"{self.what}: the {which} {number_text(float(bad))} at {place(x)}. Give it values that are finite "
                "where it is asked: another start, bounds, a substitution."
            )
        return p

    def require_start(self, x: Array) -> Point:
        """The point at ``x``; raise if it is not finite, or the function does not depend on ``x`` there."""
        p = self.require_point(x)
        if x.size and not self._tracked:
            raise SingularError(
                f"{self.what}: the function returned the plain number {number_text(p.f)} at {place(x)}, which does not "
                "depend on x. Compute it from x without .item(), .detach() and no_grad(), or start elsewhere."
            )
        return p


def place(x: Array) -> str:
    """A flat vector, in a message."""
    shown: Any = np.round(x, 6).tolist()
    return f"x = {repr_text(shown[0] if len(shown) == 1 else shown, 60)}"
