"""Functions of several numbers, with exact Jacobians and Hessians, and constraints made of them for SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, MissingExtraError
from ..core.modes import no_grad
from ..core.summary import repr_text
from ..ops.shape import reshape
from .implicit import value_and_jacobian
from .iteration import as_one
from .objective import Array, Shape, value_and_gradient
from .solving import plain_data


class VectorFunction:
    """A function of one flat vector that returns several numbers, with its exact derivatives.

    Parameters
    ----------
    f : callable
        Of what ``shape`` describes; returns a number, an array or a list of numbers.
    shape : Shape
    """

    def __init__(self, f: Callable[[Any], Any], shape: Shape) -> None:
        self.f = f
        self.shape = shape

    def of_flat(self, x: Any) -> Any:
        """The values as a vector, of a node or a plain vector."""
        return reshape(as_one(self.f(self.shape.unpack(x))), -1)

    def value(self, x: Array) -> Array:
        """The plain values."""
        with no_grad():
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

    def __init__(self, f: Callable[[Any], Any], shape: Shape, lower: Any, upper: Any) -> None:
        super().__init__(f, shape)
        self.lower = lower
        self.upper = upper

    def for_scipy(self, second: bool = True) -> Any:
        """SciPy's NonlinearConstraint, with an exact Jacobian, and Hessians if they are wanted."""
        try:
            from scipy.optimize import NonlinearConstraint
        except ImportError:
            raise MissingExtraError("a constraint for SciPy", "scipy", "scipy") from None
        hessian = {"hess": self.hessian} if second else {}
        return NonlinearConstraint(self.value, self.lower, self.upper, jac=self.jacobian, **hessian)

    def active(self, x: Array, near: float) -> tuple[Array, Array]:
        """Which values are at one of their limits, and the limits."""
        y = self.value(x)
        lower, upper = (np.broadcast_to(np.asarray(side, float), y.shape) for side in (self.lower, self.upper))
        at_lower, at_upper = np.abs(y - lower) <= near, np.abs(y - upper) <= near
        return at_lower | at_upper, np.where(at_lower, lower, upper)


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
            f = inner.f if isinstance(inner, VectorFunction) else given.fun
            return Constraint(f, shape, given.lb, given.ub)
        if hasattr(given, "A"):
            matrix = given.A.toarray() if hasattr(given.A, "toarray") else np.asarray(given.A, float)
            return Constraint(lambda x: np.atleast_2d(matrix) @ shape.pack(x), shape, given.lb, given.ub)
    raise ArgumentError(
        f"{what} got the constraint {repr_text(given)}; it is a NonlinearConstraint or LinearConstraint of "
        "scipy.optimize, or a dict of 'type' ('eq' or 'ineq') and 'fun'."
    )
