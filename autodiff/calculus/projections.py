"""The nearest point of a box or a simplex, and which ways are free there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.checks import is_finite
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import Node, shape_of
from ..core.summary import repr_text
from ..ops.extremum import maximum, minimum
from ..ops.reduce import max as largest
from ..ops.scan import cumsum
from ..ops.shape import flip
from ..ops.sorting import sort

Array = Any
NEAR = 1e-5
"""How near to a bound, in units of it, a method that stays inside ends if the bound holds it."""


def project_box(x: Any, lower: Any = None, upper: Any = None) -> Any:
    """The point of a box that is nearest to ``x``: every entry between its bounds.

    Parameters
    ----------
    x, lower, upper : array_like
        Broadcast together; a bound of None is none.  Differentiable in all three; at a bound half of the derivative
        goes to each.

    Examples
    --------
    >>> import numpy as np
    >>> project_box(np.array([-1.0, 0.5, 3.0]), 0.0, 1.0)
    array([0. , 0.5, 1. ])
    """
    if lower is not None:
        x = maximum(x, lower)
    return x if upper is None else minimum(x, upper)


def project_simplex(x: Any, total: Any = 1.0) -> Any:
    """The point that is nearest to ``x`` among those with entries that are not negative and add up to ``total``.

    It is ``maximum(x - t, 0)``, where ``t`` is the largest mean excess of the largest entries [1]_.

    Parameters
    ----------
    x : array_like
        Of at least one dimension; each row along the last axis is projected.
    total : float
        Above 0.

    References
    ----------
    .. [1] M. Held, P. Wolfe and H. P. Crowder, "Validation of subgradient optimization", Math. Programming 6 (1974).

    Examples
    --------
    >>> import numpy as np
    >>> project_simplex(np.array([0.5, 1.0, -2.0]))
    array([0.25, 0.75, 0.  ])
    """
    shape = shape_of(x)
    if not shape or not shape[-1]:
        raise ShapeError(f"project_simplex got shape {shape}; it takes at least one number along the last axis.")
    if not isinstance(total, Node | np.ndarray) and (not is_finite(total) or total <= 0):
        raise ArgumentError(f"project_simplex got total={repr_text(total)}; it is a number above 0.")
    n = shape[-1]
    excess = (cumsum(flip(sort(x, axis=-1), axis=-1), axis=-1) - total) / np.arange(1.0, n + 1.0)
    return maximum(x - largest(excess, axis=-1, keepdims=True), 0.0)


@dataclass(frozen=True)
class Region:
    """Where a flat ``x`` may be: in a box, which may be the whole space, or on a simplex.

    Attributes
    ----------
    lower, upper : ndarray
        With infinite entries where there is no bound.
    total : float or None
        What the entries add up to.
    """

    lower: Array
    upper: Array
    total: float | None

    @property
    def bounded(self) -> bool:
        """Whether there is any constraint."""
        return self.total is not None or bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def project(self, x: Array) -> Array:
        """The nearest point that is allowed."""
        if self.total is not None:
            return project_simplex(x, self.total)
        return project_box(x, self.lower, self.upper)

    def steepness(self, x: Array, g: Array) -> float:
        """How far the gradient moves ``x`` within the region: the largest entry, 0 at a minimum."""
        return float(np.max(np.abs(self.project(x - g) - x), initial=0.0)) if self.bounded else _largest(g)

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


def region(what: str, size: int, bounds: Any, simplex: Any) -> Region:
    """What the arguments ``bounds`` and ``simplex`` of a solver allow."""
    if simplex is not None:
        if bounds is not None:
            raise ArgumentError(f"{what} got bounds and simplex; entries of a simplex have the bounds 0 and its total.")
        if isinstance(simplex, Node):
            raise KindError(
                f"{what} got a tracked simplex={simplex!r}; it is a plain number. Scale x inside f instead."
            )
        if not is_finite(simplex) or simplex <= 0 or not size:
            raise ArgumentError(f"{what} got simplex={repr_text(simplex)}; it is what the entries add up to, above 0.")
        return Region(np.zeros(size), np.full(size, np.inf), float(simplex))
    if bounds is None:
        return Region(np.full(size, -np.inf), np.full(size, np.inf), None)
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        pairs = [bounds.lb, bounds.ub]
    elif isinstance(bounds, tuple | list) and len(bounds) == 2 and not any(map(np.ndim, filter(_given, bounds))):
        pairs = list(bounds)
    else:
        _refuse_tracked(what, bounds)
        table = np.array(bounds, dtype=object)
        if table.ndim < 2 or table.shape[-1] != 2 or table.size != 2 * size:
            raise ArgumentError(
                f"{what} got bounds={repr_text(bounds)} for {size} unknowns; they are one pair (lower, upper) for all, "
                "or a pair for each, with None for no bound."
            )
        pairs = list(table.reshape(size, 2).T)
    _refuse_tracked(what, pairs)
    try:
        lower, upper = (
            np.broadcast_to(np.array([_or(x, limit) for x in np.ravel(np.array(side, dtype=object))], float), size)
            for side, limit in zip(pairs, (-np.inf, np.inf), strict=True)
        )
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{what} got bounds={repr_text(bounds)} for {size} unknowns; they are one pair (lower, upper) for all, or "
            "a pair for each, with None for no bound."
        ) from None
    wrong = np.flatnonzero(~(lower <= upper))
    if wrong.size:
        i = int(wrong[0])
        raise ArgumentError(f"{what} got the bounds {lower[i]} and {upper[i]} for entry {i}; the lower comes first.")
    return Region(lower, upper, None)


def _refuse_tracked(what: str, bounds: Any) -> None:
    if any(
        isinstance(x, Node) and x.tracked
        for side in bounds
        for x in (side if isinstance(side, tuple | list) else [side])
    ):
        raise KindError(
            f"{what} got a tracked bound, by which the answer has no derivative here. Give x.detach(), or let f take "
            "lower + z with z bounded by 0."
        )


def _given(x: Any) -> bool:
    return x is not None


def _or(x: Any, limit: float) -> float:
    return limit if x is None else float(x)


def _largest(g: Array) -> float:
    return float(np.max(np.abs(g), initial=0.0))
