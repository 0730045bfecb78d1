"""Nonlinear least squares by the method of Levenberg and Marquardt, with exact Jacobians, itself differentiable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.checks import require_from_zero, require_whole
from ..core.errors import ArgumentError, ConvergenceError, DivergenceError, SingularError
from ..core.summary import data_text, number_text
from ..ops.reduce import sum as sum_of
from ..transforms.first_order import grad
from ..transforms.lift import Call, require_function
from .implicit import implicit_result, is_singular, jacobian_of, value_and_jacobian
from .solving import plain_data, refuse_compiling, require_finite, watching
from .spelling import only_own_keywords
from .unknowns import Unknowns, in_one_vector

POLISHING = 10
"""How many steps at the end bring the gradient to zero to all digits, at most: the cost itself is flat there."""
LARGEST = 1e140
"""Residuals up to this size, and down to its inverse, have squares that a float holds."""
RTOL = GTOL = 1e-10
MAX_STEPS = 200
LOST = 1e-8
"""A parameter that has grown until doubling it would change the residuals by less than this part of them is lost."""
EPS = float(np.finfo(float).eps)


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


@only_own_keywords
def least_squares(
    residuals: Callable[[Any], Any],
    x0: Any,
    *,
    bounds: Any = None,
    rtol: float = RTOL,
    gtol: float = GTOL,
    max_steps: int = MAX_STEPS,
    progress: bool = False,
) -> LeastSquares:
    """The parameters that make the sum of the squares of ``residuals`` least: Levenberg's and Marquardt's method.

    Between Gauss-Newton steps, of order 2 where the residuals vanish and 1 elsewhere, and steepest descent [1]_, with
    the exact Jacobian.  At the end a few quasi-Newton steps, whose Hessian has learnt from the changes of the gradient
    what ``J^T J`` leaves out [2]_, make the gradient vanish: superlinear.

    The answer can be differentiated by everything that ``residuals`` closes over, such as the data, to any order: by
    the implicit function theorem on ``J^T r = 0``, with the exact Hessian.

    Parameters
    ----------
    residuals : callable
        Of the parameters; returns an array, or a nested structure of them.
    x0 : number, array or nested structure of them
        Where to start; computed with as float64.  A list or tuple of numbers counts as an array.
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
    ConvergenceError, DivergenceError
        If ``max_steps`` are too few; if a parameter goes to where it has no influence.
    NotFiniteError
        If a residual is not finite at the start, or at every step from a point.
    SingularError
        If no residual changes with any parameter at the start; or when the answer is differentiated, if the Hessian
        has no inverse.
    InterruptedSolverError
        On Ctrl-C.  All of these keep what was found in ``reached``.

    References
    ----------
    .. [1] K. Madsen, H. B. Nielsen and O. Tingleff, "Methods for Non-Linear Least Squares Problems" (2004).
    .. [2] J. Nocedal and S. Wright, "Numerical Optimization" (2006), sections 6.2 and 10.3.

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
    require_settings("least_squares", residuals, rtol, gtol, max_steps)
    layout = Unknowns("least_squares", x0)
    search = Search(
        "least_squares", lambda x: in_one_vector("least_squares", residuals(layout.unpack(x))), layout, bounds
    )
    found: LeastSquares = search.result(rtol, gtol, max_steps, progress)
    return found


def require_settings(what: str, f: Any, rtol: Any, gtol: Any, max_steps: Any) -> None:
    """Raise unless a search can be done like this."""
    require_function(f, what)
    refuse_compiling(what)
    require_whole(what, 1, max_steps=max_steps)
    require_from_zero(what, rtol=rtol, gtol=gtol)


class Search:
    """The method: the point, its residuals and Jacobian, and the damping.

    Parameters
    ----------
    what : str
        Who asks, for messages.
    f : callable
        Of the parameters in one vector; returns the residuals in one.
    layout : Unknowns
    bounds : pair or None
    """

    def __init__(self, what: str, f: Callable[[Any], Any], layout: Unknowns, bounds: Any) -> None:
        self.what = what
        self.f = f
        self.layout = layout
        self.low, self.high = layout.bounds(bounds)
        self.path: list[Any] = []
        self.nfev = 0
        self.message = "not done"
        self.x = np.clip(layout.start, self.low, self.high)
        self.r: Any = None
        self.jac: Any = None

    def result(self, rtol: float, gtol: float, max_steps: int, progress: bool) -> Any:
        """The account of the search, with the answer as a function of what the residuals close over."""
        with watching(self.what, max_steps, progress, self.account, self.state) as bar, np.errstate(all="ignore"):
            self.run(rtol, gtol, max_steps, bar)
            self.require_determined()
            self.polish()
        free = ~self.active(self.jac.T @ self.r)
        return self.account(
            implicit_result(self.what, self.gradient, self.x, None if free.all() else free, closing_over=self.f)
        )

    def look(self, x: Any) -> tuple[Call, Any]:
        """The residuals at a point, recorded: to go there takes no second call."""
        self.nfev += 1
        call = Call(self.f, (x,), (0,))
        return call, plain_data(call.outputs[0])

    def move(self, x: Any, call: Call, r: Any) -> None:
        """Go to a point that was looked at."""
        self.x, self.r, self.jac = x, r, self.jacobian(call)
        self.path.append(x)
        self.require_finite(self.jac, f"x = {data_text(x)}, as its derivative")

    def jacobian(self, call: Call) -> Any:
        """Of the residuals at a point that was looked at."""
        self.nfev += 1
        return jacobian_of(call)

    def require_finite(self, y: Any, place: str) -> None:
        """Raise, with what was found so far, if a residual or derivative is not finite."""
        if not np.all(np.isfinite(y)):
            require_finite(self.what, y, place, self.account())

    @property
    def cost(self) -> float:
        """Half the sum of the squares of the residuals."""
        return float(self.r @ self.r) / 2

    def start(self) -> None:
        """Go to where to start, if there is somewhere to go from there."""
        call, r = self.look(self.x)
        require_finite(self.what, r, f"the start x = {data_text(self.x)}")
        largest = np.max(np.abs(r), initial=0.0)
        if largest and not 1 / LARGEST < largest < LARGEST:
            raise ArgumentError(
                f"{self.what}: the largest residual at the start is {number_text(float(largest))}, whose square no "
                "float holds. Measure the residuals in another unit."
            )
        self.move(self.x, call, r)
        if largest and self.x.size and not self.jac.any():
            raise SingularError(
                f"{self.what}: no residual changes with any parameter at the start x = {data_text(self.x)}: their "
                "Jacobian is zero. Start elsewhere, and make sure that the residuals are computed from the parameters, "
                "which .item(), .detach() and no_grad() cut off.",
                self.account(),
            )

    def run(self, rtol: float, gtol: float, max_steps: int, bar: Any) -> None:
        """Go on until one of the tolerances is met."""
        self.start()
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
                return
            step = self.step(free, scale, damping)
            if np.linalg.norm(scale * step) <= rtol * np.linalg.norm(scale * self.x):
                self.require_finite(r, f"every step from x = {data_text(self.x)}")
                self.message = "the step is within the tolerance"
                return
            x = np.clip(self.x + step, self.low, self.high)  # the sum may be beyond a bound by a rounding
            call, r = self.look(x)
            moved = self.jac @ step
            predicted = -(g @ step + moved @ moved / 2)
            gain = (self.cost - float(r @ r) / 2) / predicted if predicted > 0 else -1.0
            if gain > 1e-4:
                self.move(x, call, r)
                damping, growth = damping * max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3), 2.0
            elif 0 <= predicted <= 1e-15 * self.cost:
                self.message = "the cost does not get smaller by more than its roundings"
                return
            else:
                damping, growth = damping * growth, growth * 2
            bar.advance(f"cost {number_text(self.cost)}")
        raise ConvergenceError(
            f"{self.what}: no minimum within max_steps={max_steps}: x = {data_text(self.x)} with cost "
            f"{number_text(self.cost)}. Start nearer, or allow more steps.",
            self.account(),
        )

    def require_determined(self) -> None:
        """Raise if a parameter has gone so far that it has no influence any more: the cost is flat there, not least."""
        influence = np.linalg.norm(self.jac, axis=0) * np.abs(self.x)
        gone = (np.abs(self.x) > 10 * np.abs(self.path[0])) & (influence <= LOST * np.linalg.norm(self.r))
        gone &= ~self.active(self.jac.T @ self.r)
        if gone.any():
            k = int(np.argmax(gone))
            raise DivergenceError(
                f"{self.what}: parameter {k} went from {number_text(float(self.path[0][k]))} to "
                f"{number_text(float(self.x[k]))}, where the residuals hardly depend on it any more. Start "
                "elsewhere, or give bounds.",
                self.account(),
            )

    def step(self, free: Any, scale: Any, damping: float) -> Any:
        """The damped step of the parameters that are free; of the others once some of them have come to a bound."""
        step = np.zeros(self.x.size)
        low, high = self.low - self.x, self.high - self.x
        while True:
            n = int(np.count_nonzero(free))
            rows = np.concatenate([self.jac[:, free] / scale[free], np.sqrt(damping) * np.eye(n)])
            rhs = np.concatenate([-self.r - self.jac @ np.where(free, 0, step), np.zeros(n)])
            step[free] = np.linalg.lstsq(rows, rhs, rcond=None)[0] / scale[free]
            out = (step < low) | (step > high)
            if not out.any():
                return step
            step = np.clip(step, low, high)
            free = free & ~out

    def active(self, g: Any) -> Any:
        """Which parameters are at a bound that the gradient pushes them against."""
        return ((self.x <= self.low) & (g > 0)) | ((self.x >= self.high) & (g < 0))

    def gradient(self, x: Any) -> Any:
        """Of the cost."""
        return grad(lambda x: sum_of(self.f(x) ** 2) / 2)(x)

    def polish(self) -> None:
        """Newton's steps with ``J^T J`` for a Hessian, or, where large residuals bend too much, with the exact one."""
        if not self.newton(exact=False):
            self.newton(exact=True)

    def newton(self, exact: bool) -> bool:
        """Steps as long as they halve the gradient; the Hessian learns from each.  False if not even the first does."""
        free = ~self.active(self.jac.T @ self.r)
        scale = np.linalg.norm(self.jac[:, free], axis=0)
        if not scale.all():
            return True
        rows = self.jac[:, free] / scale
        g = rows.T @ self.r
        hessian = rows.T @ rows
        if exact:
            hessian = value_and_jacobian(self.gradient, self.x)[1][np.ix_(free, free)] / np.outer(scale, scale)
        for k in range(POLISHING):
            if is_singular(hessian):
                return True
            x = self.x.copy()
            x[free] = np.clip(x[free] - np.linalg.solve(hessian, g) / scale, self.low[free], self.high[free])
            step = (x - self.x)[free] * scale
            if np.linalg.norm(step) <= EPS * np.linalg.norm(x[free] * scale):
                return True
            call, r = self.look(x)
            jac = self.jacobian(call)
            after = jac[:, free].T @ r / scale
            higher = not r @ r <= (self.r @ self.r) * (1 + 1e-10)
            if higher or not np.linalg.norm(after) <= np.linalg.norm(g) / 2:
                return k > 0
            missed = after - g - hessian @ step
            along = missed @ step
            if abs(along) > 1e-8 * np.linalg.norm(missed) * np.linalg.norm(step):
                hessian = hessian + np.outer(missed, missed) / along
            self.x, self.r, self.jac, g = x, r, jac, after
            self.path.append(x)
        return True

    def account(self, x: Any = None) -> Any:
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
        path = self.path or [self.x]
        return LeastSquares(x, r, cost, self.jac, covariance, std, active, nit, self.nfev, self.message, path)

    def state(self) -> str:
        """How far it is."""
        return f"step {len(self.path)}, x = {data_text(self.x)}"


def inverse_square(jac: Any, n: int) -> Any:
    """``(J^T J)^-1``, infinite if there is none."""
    unknown = np.full((n, n), np.inf)
    if jac is None or not np.all(np.isfinite(jac)):
        return unknown
    scale = np.linalg.norm(jac, axis=0)
    if not scale.all():
        return unknown
    _, s, v = np.linalg.svd(jac / scale, full_matrices=False)
    if len(s) < n or (n and s[-1] <= EPS * max(jac.shape) * s[0]):
        return unknown
    with np.errstate(over="ignore"):
        half = v.T / s / scale[:, None]
        return half @ half.T
