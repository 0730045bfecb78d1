"""Minima: by methods of the package's own, or by SciPy's with exact derivatives; the answer is differentiable.

References
----------
.. [1] J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed., Springer (2006).
.. [2] A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., SIAM (2008): section 15.1, implicit functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..core.checks import is_finite, require_whole
from ..core.errors import ArgumentError, ConvergenceError, DivergenceError, SolverError
from ..core.modes import is_recording
from ..core.node import Node
from ..core.summary import data_text, number_text, repr_text
from ..ops.joining import concatenate
from . import scipy_methods
from .bfgs import bfgs
from .constraints import Constraint, constraints_of
from .descent import gradient_descent
from .implicit import implicit_result
from .newton import newton
from .objective import Objective, Point, place, value_and_gradient
from .paths_plot import plot_paths
from .projections import NEAR, Region, region
from .solving import refuse_compiling, require_choice, watching

OWN = {"gradient descent": gradient_descent, "newton": newton, "bfgs": bfgs}
GTOL = 1e-8
MAX_STEPS = 20_000
FAR = 1e15
"""How much further away or lower than the start a search may get before it is said to diverge."""
PATIENCE = 20
"""So many steps without a lower value or a smaller gradient end a search: rounding hides the rest."""
ROUGH = 1e-6
"""The gradient, relative to the value, that rounding may leave over."""


@dataclass(frozen=True)
class Minimum:
    """Where a function is lowest, and how that was found; the names are SciPy's.

    Attributes
    ----------
    x : number, array, node or nested structure
        Of the structure of ``x0``; nodes where the function closes over what is tracked.
    fun : float or node
        The value there.
    jac
        The gradient there, of the structure of ``x0``.
    nit : int
        Steps.
    nfev, njev, nhev : int
        Evaluations of the value, the gradient, and the Hessian or its products with vectors.
    success : bool
    message : str
        Why it ended.
    method : str
    path : ndarray of shape (nit + 1, n)
        The points that were visited, flat; the first is the start.
    """

    x: Any
    fun: Any
    jac: Any
    nit: int
    nfev: int
    njev: int
    nhev: int
    success: bool
    message: str
    method: str
    path: Any = field(repr=False)
    value: Callable[[Any], float] = field(repr=False, compare=False)
    """The function of a flat vector."""

    def __str__(self) -> str:
        x = data_text(self.x, 6) if isinstance(self.x, Node | np.ndarray | float) else repr_text(self.x)
        return (
            f"{self.method}: f = {number_text(_plain(self.fun), 6)} at x = {x}\n"
            f"{self.nit} steps; {self.nfev} values, {self.njev} gradients, {self.nhev} Hessians or products\n"
            f"{self.message}"
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the path over contours of the function, of two unknowns; returns the axes."""
        return plot_paths(self, ax=ax)


def minimize(
    f: Callable[[Any], Any],
    x0: Any,
    *,
    method: str = "bfgs",
    bounds: Any = None,
    simplex: float | None = None,
    constraints: Any = None,
    gtol: float = GTOL,
    max_steps: int = MAX_STEPS,
    options: dict[str, Any] | None = None,
    progress: bool = False,
) -> Minimum:
    """Find a local minimum of ``f`` with exact derivatives, as a differentiable function of what ``f`` closes over.

    Parameters
    ----------
    f : callable
        Returns one real number.  It may close over tracked tensors.
    x0 : number, array_like or nested structure
        The start.  Its numbers are taken as float64; a list of numbers counts as an array.
    method : str
        The package's own, in small letters: "gradient descent" (order 1: linear), "newton" (order 2: quadratic, takes
        the Hessian) or "bfgs" (superlinear).  Or one of ``scipy.optimize.minimize`` as SciPy spells it: "CG", "BFGS",
        "L-BFGS-B", "TNC", "SLSQP" (superlinear, but CG and TNC linear in general), and with Hessians or their products
        "Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr" (quadratic where solved
        tightly; "trust-constr" stays a little inside its bounds).  So "bfgs" is the package's and "BFGS" is SciPy's.
    bounds : pair or sequence of pairs, optional
        ``(lower, upper)`` for all unknowns or one pair for each; None is no bound.  SciPy's ``Bounds`` too.  The
        package's own methods project onto them.
    simplex : float, optional
        The unknowns are not negative and add up to this.  Own methods project; of SciPy's, "SLSQP" and "trust-constr".
    constraints : optional
        SciPy's, for "SLSQP" and "trust-constr"; their Jacobians and Hessians are computed, too.
    gtol : float
        It ends when no entry of the gradient (within bounds: of the projected gradient) is larger, in units of ``f``
        per unit of ``x``.
    max_steps : int
    options : dict, optional
        Further options of a method of SciPy.
    progress : bool
        Show a bar.

    Returns
    -------
    Minimum

    Raises
    ------
    ArgumentError, KindError, ShapeError
        If an argument or what ``f`` returns does not fit.
    ConvergenceError
        If ``max_steps`` are taken, or the method is stuck.
    DivergenceError
        If ``f`` falls without end.
    NotFiniteError
        If ``f`` or its gradient is nan or infinite where the search starts or arrives.
    InterruptedSolverError
        On Ctrl-C.  All of these but the first keep the result so far in ``reached``.
    SingularError
        When the answer is differentiated where the Hessian has no inverse.
    MissingExtraError
        If SciPy is needed and not installed.

    Notes
    -----
    The derivatives of ``x`` are those of the equation "the gradient is 0" [2]_, along the ways that no bound holds, so
    they are as accurate as ``x`` is: the search is not recorded.  A saddle where the gradient is 0 ends it, too.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> found = minimize(lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, [-1.2, 1.0], method="newton")
    >>> found.x.round(6), found.success
    (array([1., 1.]), True)
    >>> ad.grad(lambda a: minimize(lambda x: (x - a) ** 2 + x**4, 0.5).x)(1.0)  # 2 / (2 + 12 x²)
    0.3239...
    """
    what = "minimize"
    refuse_compiling(what)
    require_choice(what, method=(method, (*OWN, *scipy_methods.METHODS)))
    require_whole(what, max_steps=max_steps)
    if not is_finite(gtol) or gtol <= 0:
        raise ArgumentError(f"{what} got gtol={repr_text(gtol)}; it is a number above 0.")
    if options and method in OWN:
        raise ArgumentError(
            f"{what} got options={repr_text(options)}, which are for SciPy's methods; {method!r} has none."
        )
    objective = Objective(what, f, x0)
    where = region(what, objective.shape.size, bounds, simplex)
    limits = constraints_of(what, constraints, objective.shape)
    if limits and method in OWN:
        raise ArgumentError(f"{what} got constraints, which {method!r} does not take; 'SLSQP' and 'trust-constr' do.")
    search = Search(objective, where, method, gtol, max_steps)
    with watching(what, None, progress, search.result, search.state) as bar:
        search.advance = bar.advance
        try:
            if method in OWN:
                search.run_own()
            else:
                search.run_scipy(limits, options or {})
        except SolverError as error:
            error.reached = search.result() if search.path else None
            raise
    return recorded(search.result(True), objective, where, limits)


class Search:
    """One search: the points so far, and when it ends."""

    def __init__(self, objective: Objective, where: Region, method: str, gtol: float, max_steps: int) -> None:
        self.objective = objective
        self.where = where
        self.method = method
        self.gtol = gtol
        self.max_steps = max_steps
        self.path: list[Any] = []
        self.point = Point(objective.shape.start, np.inf, np.zeros(objective.shape.size))
        self.message = "it was not finished"
        self.advance: Callable[[str], None] = lambda note: None

    def state(self) -> str:
        """How far it is."""
        return f"step {max(len(self.path) - 1, 0)}, f = {number_text(self.point.f, 6)}"

    def result(self, success: bool = False) -> Minimum:
        """The account of it, with plain numbers."""
        o, p = self.objective, self.point
        unpack = o.shape.unpack
        path = np.array(self.path).reshape(len(self.path), o.shape.size)
        steps = max(len(path) - 1, 0)
        return Minimum(
            unpack(p.x),
            p.f,
            unpack(p.g),
            steps,
            o.nfev,
            o.njev,
            o.nhev,
            success,
            self.message,
            self.method,
            path,
            o.plain,
        )

    def run_own(self) -> None:
        """Follow a method of the package's own until the gradient is small."""
        start = self.objective.require_point(self.where.project(self.objective.shape.start))
        lowest, smallest, idle = np.inf, np.inf, 0
        for point in OWN[self.method](self.objective, self.where, start):
            self.visit(point)
            steepness = self.where.steepness(point.x, point.g)
            if steepness <= self.gtol:
                self.message = f"the gradient is {steepness:.1e}, within gtol"
                return
            self.require_bounded(start)
            idle = 0 if point.f < lowest or steepness < 0.9 * smallest else idle + 1
            lowest, smallest = min(lowest, point.f), min(smallest, steepness)
            if idle >= PATIENCE:
                break
            if len(self.path) > self.max_steps:
                raise ConvergenceError(
                    f"minimize(method={self.method!r}) took {self.max_steps} steps, and the gradient is still "
                    f"{steepness:.2e}, above gtol={self.gtol:g}; f = {number_text(point.f, 6)} at {place(point.x)}. "
                    "Take more steps (max_steps), a larger gtol, another method, or scale the unknowns."
                )
        self.end("no step lowers the value any further")

    def run_scipy(self, limits: list[Constraint], options: dict[str, Any]) -> None:
        """Let SciPy search, and judge where it ends."""
        start = self.objective.require_point(self.objective.shape.start)
        self.visit(start)

        def visit(x: Any) -> None:
            if not np.array_equal(x, self.path[-1]):
                self.visit(self.objective.point(x))
                self.require_bounded(start)

        found = scipy_methods.run(
            "minimize",
            self.method,
            self.objective,
            self.where,
            limits,
            start.x,
            self.gtol,
            self.max_steps,
            visit,
            options,
        )
        visit(np.asarray(found.x, float))
        self.objective.require_point(self.point.x)
        said = str(found.message).strip().rstrip(".")
        if scipy_methods.METHODS[self.method].constraints:
            if not found.success:
                raise ConvergenceError(self._stuck(f"SciPy says: {said}"))
            self.message = said
        elif self.where.steepness(self.point.x, self.point.g) <= self.gtol:
            self.message = said
        else:
            self.end(f"SciPy says: {said}")

    def visit(self, point: Point) -> None:
        """Keep one more point."""
        self.point = point
        self.path.append(point.x)
        self.advance(f"f = {number_text(point.f, 4)}")

    def require_bounded(self, start: Point) -> None:
        """Raise if the search has gone so far that there is no minimum."""
        p = self.point
        if p.f < start.f - FAR * (1 + abs(start.f)) or np.max(np.abs(p.x), initial=0) > FAR * (
            1 + np.max(np.abs(start.x))
        ):
            raise DivergenceError(
                f"minimize(method={self.method!r}) reached f = {number_text(p.f, 4)} at {place(p.x)} after "
                f"{len(self.path) - 1} steps, and it goes on falling: there is no minimum. Give bounds, or check "
                "the sign of f."
            )

    def end(self, why: str) -> None:
        """It can do no better: well enough if only rounding is left, else an error."""
        p = self.point
        steepness = self.where.steepness(p.x, p.g)
        if steepness > ROUGH * max(1.0, abs(p.f)) and steepness > self.gtol:
            raise ConvergenceError(self._stuck(why))
        self.message = f"{why}: the gradient is {steepness:.1e}, and rounding hides the rest"

    def _stuck(self, why: str) -> str:
        p = self.point
        bad = self.objective.not_finite
        hint = f" f was {bad[0]} at {place(bad[1])}." if bad is not None else ""
        return (
            f"minimize(method={self.method!r}) is stuck at {place(p.x)} after {len(self.path) - 1} steps, f = "
            f"{number_text(p.f, 6)}, where the gradient is {self.where.steepness(p.x, p.g):.2e}. "
            f"{why[0].upper() + why[1:]}.{hint} f may have a kink or a jump there, or its derivative may be "
            "wrong; try another start or method."
        )


def _plain(fun: Any) -> float:
    return float(np.asarray(fun._data if isinstance(fun, Node) else fun).reshape(()))


def recorded(found: Minimum, objective: Objective, where: Region, limits: list[Constraint]) -> Minimum:
    """The result with ``x`` and ``fun`` as functions of all that ``f`` and the constraints close over."""
    if not is_recording():
        return found
    shape = objective.shape
    flat, g = found.path[-1], np.asarray(shape.pack(found.jac))
    held = where.held(flat, g, NEAR)
    basis = where.free(held)
    if limits:
        x = _with_multipliers(objective, limits, flat, g, basis)
    elif shape.single:
        x = implicit_result(
            "minimize", lambda z: value_and_gradient(objective.f, z, create_graph=True)[1], found.x, basis
        )
    else:
        x = implicit_result(
            "minimize", lambda z: value_and_gradient(objective.of_flat, z, create_graph=True)[1], flat, basis
        )
    if not isinstance(x, Node):
        return found
    x = x if shape.single and not limits else shape.unpack(x)
    return replace(found, x=x, fun=objective.f(x))


def _with_multipliers(objective: Objective, limits: list[Constraint], flat: Any, g: Any, basis: Any) -> Any:
    """The minimizer by the equations of Lagrange: the gradients balance, and what limits it does not move."""
    n = flat.size
    chosen = [(c, *c.active(flat, NEAR)) for c in limits]
    rows = np.concatenate([c.jacobian(flat)[on] for c, on, _ in chosen])
    along = rows if basis is None else rows @ basis
    multipliers = np.linalg.lstsq(along.T, -(g if basis is None else basis.T @ g), rcond=None)[0]

    def residual(z: Any) -> Any:
        x, weights = z[:n], z[n:]

        def balance(y: Any) -> Any:
            total, at = objective.of_flat(y), 0
            for c, on, _ in chosen:
                count = int(on.sum())
                total = total + (c.of_flat(y)[on] * weights[at : at + count]).sum()
                at += count
            return total

        left = [c.of_flat(x)[on] - limit[on] for c, on, limit in chosen]
        return concatenate([value_and_gradient(balance, x, create_graph=True)[1], *left])

    free = None
    if basis is not None:
        k = len(multipliers)
        free = np.block([[basis, np.zeros((n, k))], [np.zeros((k, basis.shape[1])), np.eye(k)]])
    z = implicit_result("minimize", residual, np.concatenate([flat, multipliers]), free)
    return z[:n]
