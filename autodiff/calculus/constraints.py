"""Functions of several numbers, with exact Jacobians and Hessians, and constraints made of them for SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, MissingExtraError, ShapeError
from ..core.modes import no_grad
from ..core.node import Node, is_complex
from ..core.summary import kind_text, repr_text
from ..ops.select import where
from ..ops.shape import reshape
from .implicit import value_and_jacobian
from .objective import Array, Shape, place, value_and_gradient
from .solving import joined, plain_data, require_finite


class VectorFunction:
    """A function of one flat vector that returns several numbers, with its exact derivatives.

    Parameters
    ----------
    f : callable
        Of what ``shape`` describes; returns a number, an array or a list of numbers.
    shape : Shape
    """

    word = "function"

    def __init__(self, f: Callable[[Any], Any], shape: Shape) -> None:
        self.f = f
        self.shape = shape

    def of_flat(self, x: Any) -> Any:
        """The values as a vector, of a node or a plain vector."""
        y = joined(self.f(self.shape.unpack(x)))
        if isinstance(y, dict) or not (isinstance(y, Node) or np.asarray(y).dtype.kind in "fiub") or is_complex(y):
            raise KindError(f"{self.shape.what}: the {self.word} returned {kind_text(y)}; it returns real numbers.")
        return reshape(y, -1)

    def value(self, x: Array) -> Array:
        """The plain values."""
        with no_grad(), np.errstate(all="ignore"):
            return np.asarray(plain_data(self.of_flat(np.asarray(x, float))), float)

    def jacobian(self, x: Array) -> Array:
        """The matrix of the derivatives: a row a value, a column an unknown."""
        return value_and_jacobian(self.of_flat, np.array(x, float))[1]

    def hessian(self, x: Array, v: Array) -> Array:
        """The Hessian of the sum of the values weighted by ``v``."""

        def slopes(z: Any) -> Any:
            return value_and_gradient(lambda y: (self.of_flat(y) * v).sum(), z, create_graph=True)[1]

        return value_and_jacobian(slopes, np.array(x, float))[1]


class Constraint(VectorFunction):
    """``lower <= f(x) <= upper``; an equation where both are the same."""

    word = "constraint"

    def __init__(self, f: Callable[[Any], Any], shape: Shape, lower: Any, upper: Any) -> None:
        super().__init__(f, shape)
        self.not_finite: tuple[Array, Array] | None = None
        try:
            self.lower, self.upper = (x if isinstance(x, Node) else np.asarray(x, float) for x in (lower, upper))
            ordered = bool(np.all(plain_data(self.lower) <= plain_data(self.upper)))
        except (TypeError, ValueError):
            ordered = False
        if not ordered:
            raise ArgumentError(
                f"{shape.what} got a constraint between {repr_text(lower)} and {repr_text(upper)}; these are numbers, "
                "the lower limit first."
            )

    def value(self, x: Array) -> Array:
        """The plain values; the last place where they are not finite is kept."""
        y = super().value(x)
        if not np.all(np.isfinite(y)):
            self.not_finite = x, y
        return y

    def require_start(self, x: Array) -> None:
        """Raise unless the values at ``x`` are finite and as many as the limits."""
        y = self.value(x)
        self.require_finite()
        try:
            self.limits(y.shape)
        except ValueError:
            raise ShapeError(
                f"{self.shape.what} got a constraint of {y.size} values between {repr_text(self.lower)} and "
                f"{repr_text(self.upper)}; each limit is one number, or one for each value."
            ) from None

    def require_finite(self) -> None:
        """Raise if values were not finite somewhere."""
        if self.not_finite is not None:
            x, y = self.not_finite
            require_finite(f"{self.shape.what}, a constraint", y, place(x))

    def for_scipy(self, second: bool = True) -> Any:
        """SciPy's NonlinearConstraint, with an exact Jacobian, and Hessians if they are wanted."""
        try:
            from scipy.optimize import NonlinearConstraint
        except ImportError:
            raise MissingExtraError("a constraint for SciPy", "scipy", "scipy") from None
        hessian = {"hess": self.hessian} if second else {}
        lower, upper = (plain_data(side) for side in (self.lower, self.upper))
        return NonlinearConstraint(self.value, lower, upper, jac=self.jacobian, **hessian)

    def limits(self, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """The plain lower and upper limits of values of this shape."""
        lower, upper = (
            np.broadcast_to(np.asarray(plain_data(side), float), shape) for side in (self.lower, self.upper)
        )
        return lower, upper

    def beyond(self, x: Any, upper: Array) -> Any:
        """The values at ``x`` less their limits, the upper ones where ``upper`` is true; nodes if anything is."""
        return self.of_flat(x) - where(upper, self.upper, self.lower)


def constraints_of(what: str, given: Any, shape: Shape) -> list[Constraint]:
    """SciPy's constraints of any kind, or a list of them, each with exact derivatives."""
    several = given if isinstance(given, list | tuple) else [] if given is None else [given]
    return [_constraint(what, one, shape) for one in several]


def _constraint(what: str, given: Any, shape: Shape) -> Constraint:
    if isinstance(given, Constraint):
        return given
    kind = given.get("type") if isinstance(given, dict) else None
    if kind in ("eq", "ineq") and callable(given.get("fun")) and set(given) <= {"type", "fun", "jac"}:
        return Constraint(given["fun"], shape, 0.0, 0.0 if kind == "eq" else np.inf)
    if hasattr(given, "lb") and hasattr(given, "ub"):
        if callable(getattr(given, "fun", None)):
            inner = getattr(given.fun, "__self__", None)
            if isinstance(inner, Constraint):
                return Constraint(inner.f, shape, inner.lower, inner.upper)
            f = inner.f if isinstance(inner, VectorFunction) else given.fun
            return Constraint(f, shape, given.lb, given.ub)
        if hasattr(given, "A"):
            matrix = given.A.toarray() if hasattr(given.A, "toarray") else np.asarray(given.A, float)
            return Constraint(lambda x: np.atleast_2d(matrix) @ shape.pack(x), shape, given.lb, given.ub)
    raise ArgumentError(
        f"{what} got the constraint {repr_text(given)}; it is a NonlinearConstraint or LinearConstraint of "
        "scipy.optimize, or a dict of 'type' ('eq' or 'ineq') and 'fun'."
    )
