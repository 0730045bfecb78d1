"""The methods of ``scipy.optimize.minimize`` that take derivatives, handed exact ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, MissingExtraError
from .constraints import Constraint
from .objective import Array, Objective
from .projections import Region


@dataclass(frozen=True)
class Method:
    """What a method of SciPy takes.

    Attributes
    ----------
    second : str
        "products" of the Hessian, the "matrix", or "" if it takes none.
    tolerances : dict
        Its options that say when to stop, as functions of ``gtol``.
    bounds, constraints : bool
    steps : str
        Its option that limits the steps.
    within : float
        The part of ``gtol`` that it is given where there are limits: larger ones end it far inside.
    """

    second: str = ""
    tolerances: dict[str, Callable[[float], float]] | None = None
    bounds: bool = False
    constraints: bool = False
    steps: str = "maxiter"
    within: float = 1.0


def _same(gtol: float) -> float:
    return gtol


def _tiny(gtol: float) -> float:
    return min(gtol * gtol, 1e-14) if gtol < 1 else gtol


def _slack(gtol: float) -> float:
    return max(gtol * gtol, 1e-14)  # of the value: less is rounding


METHODS = {
    "CG": Method(tolerances={"gtol": _same}),
    "BFGS": Method(tolerances={"gtol": _same}),
    "Newton-CG": Method("products", {"xtol": _tiny}),
    "L-BFGS-B": Method(tolerances={"gtol": _same, "ftol": lambda _: 0.0, "maxfun": lambda _: 10**9}, bounds=True),
    "TNC": Method(
        tolerances={"gtol": _same, "ftol": lambda _: 0.0, "xtol": lambda _: 0.0}, bounds=True, steps="maxfun"
    ),
    "SLSQP": Method(tolerances={"ftol": _slack}, bounds=True, constraints=True),
    "dogleg": Method("matrix", {"gtol": _same}),
    "trust-ncg": Method("products", {"gtol": _same}),
    "trust-krylov": Method("products", {"gtol": _same}),
    "trust-exact": Method("matrix", {"gtol": _same}),
    "trust-constr": Method(
        "products",
        {
            "gtol": _same,
            "xtol": lambda _: 1e-15,
            "barrier_tol": _tiny,
            "initial_barrier_parameter": _same,
            "initial_barrier_tolerance": _same,
        },
        bounds=True,
        constraints=True,
        within=1e-4,
    ),
}


def require_taken(what: str, name: str, own: tuple[str, ...], **given: bool) -> None:
    """Raise unless a method takes what is given of "bounds", "simplex" and "constraints", and SciPy is there for it."""
    bounded = [k for k, method in METHODS.items() if method.bounds]
    constrained = [k for k, method in METHODS.items() if method.constraints]
    takers = {"bounds": [*own, *bounded], "simplex": [*own, *constrained], "constraints": constrained}
    for limit, is_given in given.items():
        if is_given and name not in takers[limit]:
            raise ArgumentError(
                f"{what} got {limit}, which {name!r} does not take; {', '.join(map(repr, takers[limit]))} do."
            )
    if name not in own and find_spec("scipy") is None:
        raise MissingExtraError(f"{what}(method={name!r})", "scipy", "scipy")


def run(
    name: str,
    objective: Objective,
    region: Region,
    constraints: list[Constraint],
    start: Array,
    gtol: float,
    max_steps: int,
    visit: Callable[[Array], None],
    options: dict[str, Any],
) -> Any:
    """SciPy's own result; ``visit`` is called with every point reached."""
    method = METHODS[name]
    from scipy import optimize

    def value_and_gradient(x: Array) -> tuple[float, Array]:
        p = objective.point(x)
        return p.f, p.g.copy()

    def visited(x: Array, state: Any = None) -> None:
        visit(np.array(x, float))

    given: dict[str, Any] = {}
    if method.second:
        given |= {"hess": objective.hessian} if method.second == "matrix" else {"hessp": objective.product}
    handed = [c.for_scipy(bool(method.second)) for c in constraints]
    if region.total is not None:
        handed.append(optimize.LinearConstraint(np.ones((1, start.size)), region.total, region.total))
    if handed:
        given["constraints"] = handed
    if region.bounded:
        given["bounds"] = optimize.Bounds(region.lower, region.upper)
    if handed or region.bounded:
        gtol *= method.within
    wanted = {option: of(gtol) for option, of in (method.tolerances or {}).items()} | {method.steps: max_steps}
    with np.errstate(all="ignore"):
        return optimize.minimize(
            value_and_gradient, start, jac=True, method=name, callback=visited, options=wanted | options, **given
        )


def out_of_steps(name: str, found: Any, max_steps: int) -> bool:
    """Whether SciPy's result is that of a search that took all steps."""
    return bool((found.nfev if METHODS[name].steps == "maxfun" else found.nit) >= max_steps)
