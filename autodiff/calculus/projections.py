"""The nearest point of a box or a simplex, and which ways are free there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.batched import Batched
from ..core.checks import is_finite
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import Node, data_of, shape_of
from ..core.numbers import is_number, is_ordered
from ..core.summary import repr_text
from ..ops.arithmetic import subtract
from ..ops.constant import stop_gradient
from ..ops.extremum import clip
from ..ops.joining import stack
from ..ops.reduce import max as largest
from ..ops.reduce import sum as sum_of
from ..ops.scan import cumsum
from ..ops.select import equal, greater, less_equal, where
from ..ops.shape import flip, reshape
from ..ops.sorting import sort
from .solving import joined, plain_data

Array = Any
NEAR = 1e-5
"""How near to a bound, in units of it, a method that stays inside ends if the bound holds it."""


def project_box(x: Any, lower: Any = None, upper: Any = None) -> Any:
    """The point of a box that is nearest to ``x``: every entry between its bounds.

    Parameters
    ----------
    x, lower, upper : array_like
        Broadcast together; a bound of None is none.  Differentiable in all three, as :func:`autodiff.clip`: at a bound
        the derivative goes to the bound.

    Raises
    ------
    ArgumentError
        If a lower bound is above the upper one.

    Examples
    --------
    >>> import numpy as np
    >>> project_box(np.array([-1.0, 0.5, 3.0]), 0.0, 1.0)
    array([0. , 0.5, 1. ])
    """
    _require_reals(
        "project_box", x=x, lower=-np.inf if lower is None else lower, upper=np.inf if upper is None else upper
    )
    crossed = False if lower is None or upper is None else data_of(greater(lower, upper))
    if not isinstance(crossed, Batched) and np.any(crossed):
        raise ArgumentError(
            f"project_box got lower={repr_text(data_of(lower))} above upper={repr_text(data_of(upper))}; the box is "
            "empty. Swap them."
        )
    return clip(x, lower, upper)


def project_simplex(x: Any, total: Any = 1.0) -> Any:
    """The point that is nearest to ``x`` among those with entries that are not negative and add up to ``total``.

    It is ``maximum(x - t, 0)``, where ``t`` is the largest mean excess of the largest entries [1]_.

    Parameters
    ----------
    x : array_like
        Of at least one dimension; each row along the last axis is projected.
    total : float or array_like
        Above 0; an array of one for each row has a last axis of length 1.

    Raises
    ------
    ShapeError, ArgumentError, KindError
        If ``x`` has no numbers along the last axis, if ``total`` is not above 0, or if ``x`` is complex.

    Notes
    -----
    Differentiable in both.  Where an entry has just come down to 0 it stays there: of the derivatives on both sides the
    smaller.

    References
    ----------
    .. [1] M. Held, P. Wolfe and H. P. Crowder, "Validation of subgradient optimization", Math. Programming 6 (1974).

    Examples
    --------
    >>> import numpy as np
    >>> project_simplex(np.array([0.5, 1.0, -2.0]))
    array([0.25, 0.75, 0.  ])
    """
    if not _are_all(total, lambda a: np.isfinite(a) & (a > 0)):
        raise ArgumentError(f"project_simplex got total={repr_text(data_of(total))}; it is a number above 0.")
    _require_reals("project_simplex", x=x, total=total)
    shape = shape_of(x)
    if not shape or not shape[-1]:
        raise ShapeError(f"project_simplex got shape {shape}; it takes at least one number along the last axis.")
    x = subtract(x, stop_gradient(largest(x, axis=-1, keepdims=True)))  # where all are large no digits are lost
    counts = np.arange(1, shape[-1] + 1, dtype=x.dtype if x.dtype.kind == "f" else float)
    excess = (cumsum(flip(sort(x, axis=-1), axis=-1), axis=-1) - total) / counts
    off = less_equal(x, largest(excess, axis=-1, keepdims=True))
    last = equal(counts, shape[-1] - sum_of(off, axis=-1, keepdims=True))
    return where(off, 0, x - sum_of(where(last, excess, 0), axis=-1, keepdims=True))


def _require_reals(what: str, **values: Any) -> None:
    """Raise unless these are real numbers, or arrays of them, that broadcast together; a batch is not asked."""
    found = {name: data_of(joined(x)) for name, x in values.items()}
    for name, x in found.items():
        if isinstance(x, Batched):
            return
        array = np.asarray(x)
        if array.dtype.kind not in "biuf" and not (array.dtype.kind == "O" and all(map(_is_real, array.flat))):
            raise KindError(f"{what} got {name}={repr_text(x)}; it is made of real numbers, which have an order.")
    try:
        np.broadcast_shapes(*map(np.shape, found.values()))
    except ValueError:
        shapes = ", ".join(f"{name} of shape {np.shape(x)}" for name, x in found.items())
        raise ShapeError(f"{what} got {shapes}; they must broadcast together.") from None


def _is_real(x: Any) -> bool:
    return is_number(type(x)) and is_ordered(x)


def _are_all(x: Any, holds: Callable[[Array], Array]) -> bool:
    """Whether all of ``x`` are real numbers for which something holds; a batch is not asked."""
    data = data_of(joined(x))
    if isinstance(data, Batched):
        return True
    data = np.asarray(data)
    return data.dtype.kind in "fiu" and bool(np.all(holds(data)))


@dataclass(frozen=True)
class Region:
    """Where a flat ``x`` may be: in a box, which may be the whole space, or on a simplex.

    Attributes
    ----------
    lower, upper : ndarray
        With infinite entries where there is no bound.
    total : float or None
        What the entries add up to.
    moves : node or None
        Zeros by which tracked limits move: a row of lower and one of upper bounds, or the total.
    """

    lower: Array
    upper: Array
    total: float | None = None
    moves: Any = None

    @property
    def bounded(self) -> bool:
        """Whether there is any constraint."""
        return self.total is not None or bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def project(self, x: Array) -> Array:
        """The nearest point that is allowed."""
        if self.total is not None:
            return project_simplex(x, self.total)
        return np.clip(x, self.lower, self.upper)

    def downhill(self, x: Array, g: Array, near: float = 0.0) -> Array:
        """The way that the gradient leads from ``x`` within the region: 0 at a minimum.

        What is held by a bound that is ``near`` counts as being at it.
        """
        if not self.bounded:
            return -g
        if near:
            basis = self.free(self.held(x, g, near))
            return -g if basis is None else -(basis @ (basis.T @ g))
        return self.project(x - g) - x

    def steepness(self, x: Array, g: Array, near: float = 0.0) -> float:
        """The largest entry of :meth:`downhill`, in size."""
        return float(np.max(np.abs(self.downhill(x, g, near)), initial=0.0))

    def held(self, x: Array, g: Array, near: float = 0.0) -> Array:
        """Which entries are at a bound, or near to one, that downhill leads beyond."""
        if not self.bounded:
            return np.zeros(x.shape, bool)
        ahead = self.project(x - g)
        margin = near * np.maximum(1.0, np.abs(x))
        return ((x - self.lower <= margin) & (ahead <= self.lower)) | (
            (self.upper - x <= margin) & (ahead >= self.upper)
        )

    def leaving(self, x: Array, step: Array) -> Array:
        """Which entries are at a bound that the step would cross."""
        return ((x <= self.lower) & (step < 0)) | ((x >= self.upper) & (step > 0))

    def free(self, held: Array) -> Array | None:
        """The ways that are free: None for all, else an orthonormal basis, a column each."""
        if self.total is None:
            return np.eye(held.size)[:, ~held] if held.any() else None
        count = int((~held).sum())
        basis = np.zeros((held.size, max(count - 1, 0)))
        if count > 1:
            basis[~held] = np.linalg.qr(np.ones((count, 1)), mode="complete")[0][:, 1:]
        return basis

    def shift(self, x: Array, held: Array) -> Any:
        """Zeros by which tracked limits move ``x``, aside from the free ways; None if no limit is tracked."""
        if self.moves is None:
            return None
        if self.total is not None:
            return self.moves * (~held / np.count_nonzero(~held))
        return where(held, where(x - self.lower < self.upper - x, self.moves[0], self.moves[1]), 0.0)


def region(what: str, size: int, bounds: Any, simplex: Any) -> Region:
    """What the arguments ``bounds`` and ``simplex`` of a solver allow."""
    if simplex is not None:
        if bounds is not None:
            raise ArgumentError(f"{what} got bounds and simplex; entries of a simplex have the bounds 0 and its total.")
        total = _item(simplex)
        if not is_finite(total) or total <= 0 or not size:
            raise ArgumentError(f"{what} got simplex={repr_text(simplex)}; it is what the entries add up to, above 0.")
        return Region(np.zeros(size), np.full(size, np.inf), float(total), _moves([simplex], ()))
    if bounds is None:
        return Region(np.full(size, -np.inf), np.full(size, np.inf))
    try:
        given = _pairs(bounds)
        if len(given) == 1:
            given *= size
        lower, upper = (
            np.array([limit if pair[k] is None else _item(pair[k]) for pair in given], float)
            for k, limit in enumerate((-np.inf, np.inf))
        )
        if len(given) != size:
            raise ValueError
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{what} got bounds={repr_text(bounds)} for {size} unknowns; they are one pair (lower, upper) for all, or "
            "a pair for each, with None for no bound."
        ) from None
    wrong = np.flatnonzero(~(lower <= upper))
    if wrong.size:
        i = int(wrong[0])
        raise ArgumentError(f"{what} got the bounds {lower[i]} and {upper[i]} for entry {i}; the lower comes first.")
    return Region(lower, upper, None, _moves([pair[k] for k in (0, 1) for pair in given], (2, size)))


def _pairs(bounds: Any) -> list[tuple[Any, Any]]:
    """The pairs of SciPy's bounds, or of a nested sequence."""
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        return list(np.broadcast(bounds.lb, bounds.ub))
    parts = list(bounds)
    if len(parts) == 2 and not any(isinstance(part, list | tuple) or np.ndim(part) for part in parts):
        return [(parts[0], parts[1])]
    return [pair for part in parts if not isinstance(part, str) for pair in _pairs(part)]


def _item(x: Any) -> Any:
    """A plain number of a node or an array that holds one."""
    x = plain_data(x)
    return x.item() if np.shape(x) == () and isinstance(x, np.ndarray) else x


def _moves(limits: list[Any], shape: tuple[int, ...]) -> Any:
    """Each tracked limit less its plain value and 0 for the others; None if none of them is tracked."""
    moves = [x - _item(x) if isinstance(x, Node) and x.tracked and is_finite(_item(x)) else 0.0 for x in limits]
    return reshape(stack(moves), shape) if any(isinstance(x, Node) for x in moves) else None
