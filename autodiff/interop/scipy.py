"""Exact derivatives in the forms that SciPy's own functions take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..calculus.constraints import Constraint, VectorFunction
from ..calculus.objective import Array, Objective, Shape
from ..calculus.solving import require_real
from ..core.errors import KindError, MissingExtraError, ShapeError
from ..core.summary import kind_text
from ..transforms.first_order import linearize, vjp
from ..transforms.lift import require_function

Function = Callable[..., Any]


class ScalarCallables(NamedTuple):
    """What ``scipy.optimize.minimize`` takes of a function of a vector."""

    fun: Function
    jac: Function
    hess: Function
    hessp: Function


class VectorCallables(NamedTuple):
    """What SciPy takes of a function that returns several numbers."""

    fun: Function
    jac: Function


def objective(f: Function, x0: Any) -> ScalarCallables:
    """``fun, jac, hess, hessp`` of a function that returns one number, for ``scipy.optimize.minimize``.

    :func:`autodiff.calculus.minimize` hands them over itself, and its answer is differentiable.  Where the function
    returns nan, ``fun`` is inf, so that searches step back.  Products ``hessp`` at one ``x`` share one tape, until
    another of the four is called.

    Parameters
    ----------
    f : callable
    x0 : number, array_like or nested structure
        What ``f`` takes is like this; SciPy sees it as one flat vector.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import minimize
    >>> f = objective(lambda x: ((x - 3) ** 2).sum(), np.zeros(2))
    >>> minimize(f.fun, np.zeros(2), jac=f.jac, hess=f.hess, method="trust-exact").x.round(6)
    array([3., 3.])
    """
    o = Objective("interop.scipy.objective", f, x0)

    def at(method: Function) -> Function:
        def call(x: Any) -> Any:
            o.forget()
            return method(np.asarray(x, float))

        return call

    return ScalarCallables(
        at(o.value), at(o.gradient), at(o.hessian), lambda x, v: o.product(np.asarray(x, float), np.asarray(v, float))
    )


def residuals(f: Function, x0: Any) -> VectorCallables:
    """``fun, jac`` of a function that returns several numbers, for ``least_squares`` and ``root``.

    Parameters
    ----------
    f : callable
    x0 : number, array_like or nested structure
        What ``f`` takes is like this; SciPy sees it as one flat vector.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import root
    >>> f = residuals(lambda x: [x[0] + x[1] - 3, x[0] * x[1] - 2], [0.0, 5.0])
    >>> root(f.fun, [0.0, 5.0], jac=f.jac).x.round(6)
    array([1., 2.])
    """
    require_function(f, "interop.scipy.residuals")
    function = VectorFunction(f, Shape("interop.scipy.residuals", x0))
    return VectorCallables(function.value, function.jacobian)


def nonlinear_constraint(g: Function, x0: Any, lower: Any = -np.inf, upper: Any = np.inf) -> Any:
    """SciPy's ``NonlinearConstraint`` for ``lower <= g(x) <= upper``, with the exact Jacobian and Hessians.

    Parameters
    ----------
    g : callable
    x0 : number, array_like or nested structure
        What ``g`` takes is like this.
    lower, upper : array_like
        Equal for an equation.

    Raises
    ------
    MissingExtraError
        If SciPy is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> circle = nonlinear_constraint(lambda x: (x**2).sum(), np.zeros(2), upper=1.0)
    >>> circle.jac(np.array([1.0, 2.0]))
    array([[2., 4.]])
    """
    require_function(g, "interop.scipy.nonlinear_constraint")
    return Constraint(g, Shape("interop.scipy.nonlinear_constraint", x0), lower, upper).for_scipy()


def rhs(f: Function) -> VectorCallables:
    """``fun, jac`` of the right-hand side ``f(t, y)`` of a differential equation, for ``solve_ivp``.

    Parameters
    ----------
    f : callable
        Of the time, the vector of the state, and SciPy's ``args`` if there are any; returns the rate of change of the
        state, an array or a list of as many numbers.

    Raises
    ------
    ShapeError
        When called, if the state is not a vector, or its rate of change has another size.

    Examples
    --------
    >>> import numpy as np
    >>> decay = rhs(lambda t, y: [-50 * y[0], y[0] - y[1]])
    >>> decay.jac(0.0, np.array([1.0, 2.0]))
    array([[-50.,   0.],
           [  1.,  -1.]])
    """
    require_function(f, "interop.scipy.rhs")

    def of(what: str) -> Function:
        def call(t: float, y: Array, *args: Any) -> Array:
            shape = Shape("interop.scipy.rhs", np.asarray(y))
            found: Array = getattr(VectorFunction(lambda state: f(t, state, *args), shape), what)(y)
            if np.shape(y) != found.shape[:1]:
                raise ShapeError(
                    f"interop.scipy.rhs: the function returned {found.shape[0]} numbers for a state of shape "
                    f"{np.shape(y)}; it returns one for each of a vector."
                )
            return found

        return call

    return VectorCallables(of("value"), of("jacobian"))


def linear_operator(f: Function, x: Any) -> Any:
    """The Jacobian of ``f`` at ``x`` as SciPy's ``LinearOperator``: never formed, only multiplied with.

    A product takes a forward sweep, one with the transpose a reverse sweep; ``f`` is recorded once for each.

    Parameters
    ----------
    f : callable
        Of one array; returns one array.
    x : array_like

    Raises
    ------
    KindError
        If ``x`` is not made of real numbers, or ``f`` does not return an array of them.
    MissingExtraError
        If SciPy is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> jacobian = linear_operator(lambda x: x[:-1] * x[1:], np.array([1.0, 2.0, 3.0]))
    >>> jacobian @ np.array([1.0, 0.0, 0.0]), jacobian.T @ np.array([0.0, 1.0])
    (array([2., 0.]), array([0., 3., 2.]))
    """
    try:
        from scipy.sparse.linalg import LinearOperator
    except ImportError:
        raise MissingExtraError("interop.scipy.linear_operator", "scipy", "scipy") from None
    require_function(f, "interop.scipy.linear_operator")
    require_real("interop.scipy.linear_operator", x=x)
    at = np.array(x, float)
    y, push = linearize(f, at)
    _, pull = vjp(f, at)
    if not hasattr(y, "shape") or y.dtype.kind not in "fiub":
        raise KindError(
            f"interop.scipy.linear_operator: the function returned {kind_text(y)}; it returns an array of real numbers."
        )
    return LinearOperator(
        (y.size, at.size),
        matvec=lambda v: np.asarray(push(np.reshape(v, at.shape))).ravel(),
        rmatvec=lambda g: np.asarray(pull(np.reshape(g, y.shape))[0]).ravel(),
        dtype=float,
    )
