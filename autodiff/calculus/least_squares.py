"""Nonlinear least squares by the method of Levenberg and Marquardt, with exact Jacobians, itself differentiable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.checks import require_from_zero, require_whole
from ..core.errors import ConvergenceError
from ..core.summary import data_text, number_text
from ..ops.reduce import sum as sum_of
from ..transforms.first_order import grad
from ..transforms.lift import require_function
from .implicit import implicit_result, value_and_jacobian
from .iteration import plain_call
from .solving import refuse_compiling, require_finite, watching
from .unknowns import Unknowns, in_one_vector

POLISHING = 4
"""How many of Newton's steps at the end bring the gradient to zero to all digits: the cost itself is flat there."""
RTOL = GTOL = 1e-10


@dataclass(frozen=True)
class LeastSquares:
    """What :func:`least_squares` found.

    Attributes
    ----------
    x : structure of the start
        The parameters; nodes if the residuals close over something tracked.
    fun : ndarray
        The residuals there, in one vector of ``m``.
    cost : float
        Half the sum of their squares.
    jac : ndarray
        Their Jacobian, ``(m, n)``.
    covariance : ndarray
        Of the ``n`` parameters in one vector: ``(J^T J)^-1`` times ``2 cost / (m - n)``, the variance of the residuals.
        Infinite if the data do not determine all parameters.
    std : structure of the start
        The standard errors: the roots of its diagonal.
    active : ndarray
        Which parameters, in one vector, are held at a bound.
    nit, nfev : int
        Steps, and evaluations of the residuals, those of their Jacobian included.
    message : str
    path : list of ndarray
        The points visited, in one vector each.
    """

    x: Any
    fun: Any
    cost: float
    jac: Any
    covariance: Any
    std: Any
    active: Any
    nit: int
    nfev: int
    message: str
    path: list[Any] = field(repr=False)

    def __str__(self) -> str:
        return (
            f"cost {number_text(self.cost, 6)} of {len(self.fun)} residuals after {self.nit} steps and {self.nfev} "
            f"evaluations: {self.message}.\nx {data_text(self.path[-1])}"
        )


def least_squares(
    residuals: Callable[[Any], Any],
    x0: Any,
    *,
    bounds: Any = None,
    rtol: float = RTOL,
    gtol: float = GTOL,
    max_steps: int = 200,
    progress: bool = False,
) -> LeastSquares:
    """The parameters that make the sum of the squares of ``residuals`` least: Levenberg's and Marquardt's method.

    Between Gauss-Newton steps, of order 2 where the residuals vanish and 1 elsewhere, and steepest descent [1]_, with
    the exact Jacobian.  At the end a few steps of Newton's method, of order 2, make the gradient vanish.

    The answer can be differentiated by everything that ``residuals`` closes over, such as the data, to any order: by
    the implicit function theorem on ``J^T r = 0``, with the exact Hessian.

    Parameters
    ----------
    residuals : callable
        Of the parameters; returns an array, or a nested structure of them.
    x0 : number, array or nested structure of them
        Where to start.
    bounds : pair, optional
        ``(lower, upper)``, each one number for all parameters or in the structure of ``x0``.  The start
        and the steps are projected on them.  A parameter that ends at a bound is constant there.
    rtol : float
        Done when a step is below it times the size of ``x``, each entry measured by its column of the Jacobian.
    gtol : float
        Done when the cosine of the angle between the residuals and each column of the Jacobian is below it.
    max_steps : int
    progress : bool
        Show a bar.

    Raises
    ------
    ConvergenceError
        If ``max_steps`` are too few.
    NotFiniteError
        If a residual is not finite at the start, or at every step from a point.
    SingularError
        When the answer is differentiated, if the Hessian has no inverse.
    InterruptedSolverError
        On Ctrl-C.  All of these keep what was found in ``reached``.

    References
    ----------
    .. [1] K. Madsen, H. B. Nielsen and O. Tingleff, "Methods for Non-Linear Least Squares Problems" (2004).

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff.calculus import least_squares
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> y = np.array([2.0, 1.2, 0.75, 0.44])
    >>> fit = least_squares(lambda p: p["a"] * ad.exp(-p["k"] * t) - y, {"a": 1.0, "k": 1.0})
    >>> print(f"{fit.x['k']:.4f} +- {fit.std['k']:.4f}")
    0.4998 +- 0.0072
    """
    require_function(residuals, "least_squares")
    refuse_compiling("least_squares")
    require_whole("least_squares", 1, max_steps=max_steps)
    require_from_zero("least_squares", rtol=rtol, gtol=gtol)
    layout = Unknowns("least_squares", x0)
    low, high = layout.bounds(bounds)
    search = Search("least_squares", lambda x: in_one_vector(residuals(layout.unpack(x))), layout, low, high)
    with watching("least_squares", max_steps, progress, search.account, search.state) as bar:
        search.run(rtol, gtol, max_steps, bar)
    return search.account(search.recorded())


class Search:
    """The method: the point, its residuals and Jacobian, and the damping."""

    def __init__(self, what: str, f: Callable[[Any], Any], layout: Unknowns, low: Any, high: Any) -> None:
        self.what = what
        self.f = f
        self.layout = layout
        self.low, self.high = low, high
        self.path: list[Any] = []
        self.nfev = 0
        self.message = "not done"
        self.x = np.clip(layout.start, low, high)
        self.r: Any = None
        self.jac: Any = None

    def move(self, x: Any) -> None:
        """Go to a point."""
        self.nfev += 2
        with np.errstate(all="ignore"):
            self.r, self.jac = value_and_jacobian(self.f, x)
        self.x = x
        self.path.append(x)

    @property
    def cost(self) -> float:
        """Half the sum of the squares of the residuals."""
        return float(self.r @ self.r) / 2

    def run(self, rtol: float, gtol: float, max_steps: int, bar: Any) -> None:
        """Go on until one of the tolerances is met."""
        require_finite(self.what, plain_call(self.f, self.x), f"the start x = {data_text(self.x)}")
        self.move(self.x)
        require_finite(self.what, self.jac, f"the start x = {data_text(self.x)}, as its derivative", self.account())
        scale = np.zeros(self.x.size)
        damping, growth = 1e-3, 2.0
        r = self.r
        for _ in range(max_steps):
            lengths = np.linalg.norm(self.jac, axis=0)
            scale = np.maximum(scale, lengths)
            scale[scale == 0] = 1.0
            g = self.jac.T @ self.r
            free = ~self.active(g)
            if np.all(np.abs(g[free]) <= gtol * lengths[free] * np.linalg.norm(self.r)):
                self.message = "the residuals are at right angles to every direction"
                break
            step = self.step(g, free, scale, damping)
            if np.linalg.norm(scale * step) <= rtol * np.linalg.norm(scale * self.x):
                require_finite(self.what, r, f"every step from x = {data_text(self.x)}", self.account())
                self.message = "the step is within the tolerance"
                break
            r = plain_call(self.f, self.x + step)
            self.nfev += 1
            moved = self.jac @ step
            predicted = -(g @ step + moved @ moved / 2)
            with np.errstate(all="ignore"):
                gain = (self.cost - float(r @ r) / 2) / predicted if predicted > 0 else -1.0
            if gain > 1e-4:
                self.move(self.x + step)
                require_finite(self.what, self.jac, f"x = {data_text(self.x)}, as its derivative", self.account())
                damping, growth = damping * max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3), 2.0
            elif predicted <= 1e-15 * self.cost:
                self.message = "the cost does not get smaller by more than its roundings"
                break
            else:
                damping, growth = damping * growth, growth * 2
            bar.advance(f"cost {number_text(self.cost)}")
        else:
            raise ConvergenceError(
                f"{self.what}: no minimum within max_steps={max_steps}: x = {data_text(self.x)} with cost "
                f"{number_text(self.cost)}. Start nearer, scale the parameters alike, or allow more steps.",
                self.account(),
            )
        self.polish()

    def step(self, g: Any, free: Any, scale: Any, damping: float) -> Any:
        """The damped step of the parameters that are free, projected on the bounds."""
        rows = np.concatenate([self.jac[:, free], np.diag(np.sqrt(damping) * scale[free])])
        rhs = np.concatenate([-self.r, np.zeros(np.count_nonzero(free))])
        step = np.zeros(self.x.size)
        step[free] = np.linalg.lstsq(rows, rhs, rcond=None)[0]
        return np.clip(self.x + step, self.low, self.high) - self.x

    def active(self, g: Any) -> Any:
        """Which parameters are at a bound that the gradient pushes them against."""
        return ((self.x <= self.low) & (g > 0)) | ((self.x >= self.high) & (g < 0))

    def gradient(self, x: Any) -> Any:
        """Of the cost."""
        return grad(lambda x: sum_of(self.f(x) ** 2) / 2)(x)

    def polish(self) -> None:
        """Newton's steps with the exact Hessian, as long as they make the gradient smaller."""
        g = self.jac.T @ self.r
        for _ in range(POLISHING):
            free = ~self.active(g)
            rounding = np.finfo(float).eps * np.linalg.norm(self.jac, axis=0) * np.linalg.norm(self.r)
            if np.all(np.abs(g[free]) <= rounding[free]):
                return
            hessian = value_and_jacobian(self.gradient, self.x)[1][np.ix_(free, free)]
            self.nfev += 1
            try:
                np.linalg.cholesky(hessian)
            except np.linalg.LinAlgError:
                return
            x = self.x.copy()
            x[free] = np.clip(x[free] - np.linalg.solve(hessian, g[free]), self.low[free], self.high[free])
            r, jac = value_and_jacobian(self.f, x)
            self.nfev += 2
            better = jac.T @ r
            if not np.linalg.norm(better[free]) < np.linalg.norm(g[free]) or r @ r > (self.r @ self.r) * (1 + 1e-10):
                return
            self.x, self.r, self.jac, g = x, r, jac, better
            self.path.append(x)

    def recorded(self) -> Any:
        """The answer as a function of what the residuals close over."""
        free = ~self.active(self.jac.T @ self.r)
        return implicit_result(self.what, self.gradient, self.x, None if free.all() else free)

    def account(self, x: Any = None) -> LeastSquares:
        """What was found so far; ``x`` is the answer as a node."""
        m, n = (0, self.x.size) if self.jac is None else self.jac.shape
        r = np.zeros(0) if self.r is None else self.r
        determined = m > n  # else nothing is left to tell the variance of the residuals by
        covariance = inverse_square(self.jac if determined else None, n) * (float(r @ r) / (m - n) if determined else 1)
        std = self.layout.unpack(np.sqrt(np.diag(covariance)))
        active = np.zeros(n, bool) if self.jac is None else self.active(self.jac.T @ r)
        nit = max(0, len(self.path) - 1)
        x = self.layout.unpack(self.x if x is None else x)
        cost = float(r @ r) / 2
        return LeastSquares(x, r, cost, self.jac, covariance, std, active, nit, self.nfev, self.message, self.path)

    def state(self) -> str:
        """How far it is."""
        return f"step {len(self.path)}, x = {data_text(self.x)}"


def inverse_square(jac: Any, n: int) -> Any:
    """``(J^T J)^-1``, infinite if there is none."""
    if jac is None or not np.all(np.isfinite(jac)):
        return np.full((n, n), np.inf)
    _, s, v = np.linalg.svd(jac, full_matrices=False)
    if len(s) < n or (n and s[-1] <= np.finfo(float).eps * max(jac.shape) * s[0]):
        return np.full((n, n), np.inf)
    return (v.T / s**2) @ v
