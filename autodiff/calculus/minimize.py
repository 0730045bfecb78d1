"""Minima: by methods of the package's own, or by SciPy's with exact derivatives; the answer is differentiable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..core.checks import is_finite, require_whole
from ..core.errors import ArgumentError, AutodiffError, ConvergenceError, DivergenceError, SolverError
from ..core.modes import is_recording
from ..core.node import Node
from ..core.summary import data_text, number_text, repr_text
from . import scipy_methods
from .bfgs import bfgs
from .constraints import Constraint, constraints_of
from .descent import gradient_descent
from .implicit import implicit_result
from .lagrange import balance, moved_by_limits
from .newton import newton
from .objective import Array, Objective, Point, place, value_and_gradient
from .paths_plot import plot_paths
from .projections import NEAR, Region, region
from .solving import refuse_compiling, require_choice, watching
from .spelling import only_own_keywords

OWN = {"gradient descent": gradient_descent, "newton": newton, "bfgs": bfgs}
GTOL = 1e-8
MAX_STEPS = 20_000
FAR = 1e15
"""How much further away or lower than the start a search may get before it is said to diverge."""
PATIENCE = 20
"""So many steps without a lower value or a smaller gradient end a search: rounding hides the rest."""
ROUNDING = 1e3 * float(np.finfo(float).eps)
"""A promise to lower the value by this part of it is lost in rounding."""
UNBALANCED = 1e-3
"""The part of the gradient that the multipliers of constraints may leave over where a method of SciPy ends."""


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


@only_own_keywords
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
        The start, moved into the bounds.  Its numbers are taken as float64; a list of numbers counts as an array.
    method : str
        The package's own [1]_, in small letters: "gradient descent" (order 1: linear), "newton" (order 2: quadratic,
        takes the Hessian) or "bfgs" (superlinear).  Or one of ``scipy.optimize.minimize`` as SciPy spells it: "CG",
        "BFGS", "L-BFGS-B", "TNC", "SLSQP" (superlinear, but CG and TNC linear in general), and with Hessians or their
        products "Newton-CG", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr" (quadratic where
        solved tightly; "trust-constr" stays a little inside its bounds).  So "bfgs" is the package's and "BFGS" is
        SciPy's.
    bounds : pair or sequence of pairs, optional
        ``(lower, upper)`` for all unknowns or one pair for each; None is no bound.  SciPy's ``Bounds`` too.  The
        package's own methods project onto them.  They may be tracked: the answer moves with those that hold it.
    simplex : float, optional
        The unknowns are not negative and add up to this, which may be tracked.  Own methods project; of SciPy's,
        "SLSQP" and "trust-constr".
    constraints : optional
        SciPy's, for "SLSQP" and "trust-constr"; their Jacobians and Hessians are computed, too.  The limits of a
        ``NonlinearConstraint`` may be tracked.
    gtol : float
        It ends when no entry of the gradient (within bounds: of the projected gradient) is larger, in units of ``f``
        per unit of ``x``; or where what a parabola promises further down is lost in rounding.
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
        On Ctrl-C.  All of these but the first keep the result so far in ``reached``, or None if there is none.
    SingularError
        If ``f`` does not depend on ``x`` at the start; or when the answer is differentiated where the Hessian has no
        inverse.
    MissingExtraError
        If SciPy is needed and not installed.

    Notes
    -----
    The derivatives of ``x`` are those of the equation "the gradient is 0" [2]_, along the ways that no bound holds, so
    they are as accurate as ``x`` is: the search is not recorded.  With constraints they are those of Lagrange's
    equations, in which the constraints hold ``x`` whose multipliers are not 0.  A saddle where the gradient is 0 ends
    the search, too.

    References
    ----------
    .. [1] J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed., Springer (2006).
    .. [2] A. Griewank and A. Walther, Evaluating Derivatives, 2nd ed., SIAM (2008): section 15.1, implicit functions.

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
    if options is not None and not isinstance(options, dict):
        raise ArgumentError(f"{what} got options={repr_text(options)}; they are a dict.")
    if options and method in OWN:
        raise ArgumentError(
            f"{what} got options={repr_text(options)}, which are for SciPy's methods; {method!r} has none. "
            "How long it goes on is said by max_steps= and gtol=."
        )
    objective = Objective(what, f, x0)
    where = region(what, objective.shape.size, bounds, simplex)
    limits = constraints_of(what, constraints, objective.shape)
    scipy_methods.require_taken(
        what,
        method,
        tuple(OWN),
        bounds=where.bounded and where.total is None,
        simplex=where.total is not None,
        constraints=bool(limits),
    )
    for limit in limits:
        limit.require_start(where.project(objective.shape.start))
    search = Search(objective, where, method, gtol, max_steps)
    with watching(what, None, progress, search.result, search.state) as bar:
        search.advance = bar.advance
        try:
            if method in OWN:
                search.run_own()
            else:
                search.run_scipy(limits, options or {})
        except SolverError as error:
            if error.reached is None and search.path:  # else it is that of a solver inside of f
                error.reached = search.result()
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
        self.near = 0.0 if method in OWN else NEAR  # some of SciPy's stay inside the bounds
        self.path: list[Any] = []
        self.point = Point(objective.shape.start, np.inf, np.zeros(objective.shape.size))
        self.message = "it was not finished"
        self.advance: Callable[[str], None] = lambda note: None

    def steepness(self) -> float:
        """The largest entry of the gradient that a step within the region could follow."""
        return self.where.steepness(self.point.x, self.point.g, self.near)

    def state(self) -> str:
        """How far it is."""
        return f"step {max(len(self.path) - 1, 0)}, f = {number_text(self.point.f, 6)}"

    def result(self, success: bool = False) -> Minimum:
        """The account of it, with plain numbers."""
        o, p = self.objective, self.point
        unpack = o.shape.unpack
        path = np.array(self.path).reshape(len(self.path), o.shape.size)
        steps = max(len(path) - 1, 0)
        counts = (steps, o.nfev, o.njev, o.nhev)
        return Minimum(unpack(p.x), p.f, unpack(p.g), *counts, success, self.message, self.method, path, o.plain)

    def run_own(self) -> None:
        """Follow a method of the package's own until the gradient is small."""
        start = self.objective.require_start(self.where.project(self.objective.shape.start))
        lowest, smallest, idle = np.inf, np.inf, 0
        for point in OWN[self.method](self.objective, self.where, start):
            self.visit(point)
            steepness = self.steepness()
            if steepness <= self.gtol:
                self.message = f"the gradient is {steepness:.1e}, within gtol"
                return
            self.require_bounded(start)
            idle = 0 if point.f < lowest or steepness < 0.9 * smallest else idle + 1
            lowest, smallest = min(lowest, point.f), min(smallest, steepness)
            if idle >= PATIENCE:
                break
            if len(self.path) > self.max_steps:
                raise self._out_of_steps()
        self.end("no step lowers the value any further")

    def run_scipy(self, limits: list[Constraint], options: dict[str, Any]) -> None:
        """Let SciPy search, and judge where it ends."""
        start = self.objective.require_start(self.where.project(self.objective.shape.start))
        self.visit(start)
        if not start.x.size:
            self.message = "there are no unknowns"
            return

        def visit(x: Any) -> None:
            if not np.array_equal(x, self.path[-1]):
                self.visit(self.objective.point(x))
                self.require_bounded(start)

        try:
            found = scipy_methods.run(
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
        except ValueError:  # so SciPy says that a matrix is not finite
            for limit in limits:
                limit.require_finite()
            raise
        visit(np.asarray(found.x, float))
        self.objective.require_point(self.point.x)
        self.message = str(found.message).strip().rstrip(".")
        if limits:
            at = balance(limits, self.where, self.point.x, self.point.g)
            largest = max(self.gtol, UNBALANCED * float(np.max(np.abs(self.point.g)))) if found.success else self.gtol
            balanced = float(np.max(np.abs(at.way))) <= largest or self.promise(at.way) <= ROUNDING
            if balanced and found.success:
                return
            if balanced and at.outside <= ROUNDING * max(1.0, float(np.max(np.abs(self.point.x)))):
                self.message = f"SciPy says: {self.message}; the constraints hold and balance the gradient"
                return
        elif self.steepness() <= self.gtol:
            return
        if scipy_methods.out_of_steps(self.method, found, self.max_steps):
            raise self._out_of_steps()
        if limits:
            raise self._stuck(f"SciPy says: {self.message}", "The constraints may contradict each other.")
        self.end(f"SciPy says: {self.message}")

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
        way = self.where.downhill(p.x, p.g, self.near)
        if self.promise(way) > ROUNDING:
            raise self._stuck(why)
        self.message = f"{why}: the gradient is {np.max(np.abs(way)):.1e}, and rounding hides the rest"

    def promise(self, way: Array) -> float:
        """By how much a parabola along a way lowers the value, relative to it or to 1."""
        p = self.point
        try:
            slope, curvature = float(p.g @ way), float(way @ self.objective.product(p.x, way))
        except AutodiffError:  # f has no second derivative
            return np.inf
        return slope * slope / (2 * curvature * max(1.0, abs(p.f))) if curvature > 0 else np.inf

    def _out_of_steps(self) -> ConvergenceError:
        p = self.point
        return ConvergenceError(
            f"minimize(method={self.method!r}) took {self.max_steps} steps, and the gradient is still "
            f"{self.steepness():.2e}, above gtol={self.gtol:g}; f = {number_text(p.f, 6)} at "
            f"{place(p.x)}. Take more steps (max_steps), a larger gtol, another method, or scale the unknowns."
        )

    def _stuck(self, why: str, hint: str = "") -> ConvergenceError:
        p, bad = self.point, self.objective.not_finite
        parts = [
            f"minimize(method={self.method!r}) is stuck at {place(p.x)} after {len(self.path) - 1} steps, f = "
            f"{number_text(p.f, 6)}, where the gradient is {self.steepness():.2e}.",
            f"{why[0].upper() + why[1:]}.",
            hint,
            f"f was {bad[0]} at {place(bad[1])}." if bad is not None else "",
            "f may have a kink or a jump there, or its derivative may be wrong; try another start or method.",
        ]
        return ConvergenceError(" ".join(filter(None, parts)))


def _plain(fun: Any) -> float:
    return float(np.asarray(fun._data if isinstance(fun, Node) else fun).reshape(()))


def recorded(found: Minimum, objective: Objective, where: Region, limits: list[Constraint]) -> Minimum:
    """The result with ``x`` and ``fun`` as functions of all that ``f`` and its limits close over."""
    if not is_recording():
        return found
    shape, flat = objective.shape, found.path[-1]
    g = np.asarray(shape.pack(found.jac))
    if limits:
        as_given = False
        x = moved_by_limits(objective, where, limits, flat, g)
    else:
        held = where.held(flat, g, NEAR)
        basis, shift = where.free(held), where.shift(flat, held)
        as_given = shape.single and basis is None and shift is None  # else a vector, as the limits are
        f = objective.f if as_given else objective.of_flat
        x = implicit_result(
            "minimize",
            lambda z: value_and_gradient(f, z if shift is None else z + shift, create_graph=True)[1],
            found.x if as_given else flat,
            basis,
        )
        x = x if shift is None else x + shift
    if not isinstance(x, Node):
        return found
    x = x if as_given else shape.unpack(x)
    return replace(found, x=x, fun=objective.f(x))
