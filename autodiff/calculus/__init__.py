"""Calculus for real problems: derivatives, integrals, equations, chance and optimisation, all differentiable."""

from typing import Any

from ..core.spelling import missing
from .brownian import BrownianPath
from .condition import condition_number
from .cumulative import cumulative_integral, cumulative_trapezoid
from .curve_fit import curve_fit
from .derivatives import derivative, directional_derivative, divergence, laplacian
from .differences import difference_table
from .fixed_point import fixed_point
from .integrate import integrate
from .least_squares import least_squares
from .minimize import minimize
from .odeint import odeint
from .paths_plot import plot_paths
from .projections import project_box, project_simplex
from .root import root
from .sdeint import sdeint
from .taylor import taylor

__all__ = [
    "BrownianPath",
    "condition_number",
    "cumulative_integral",
    "cumulative_trapezoid",
    "curve_fit",
    "derivative",
    "difference_table",
    "directional_derivative",
    "divergence",
    "fixed_point",
    "integrate",
    "laplacian",
    "least_squares",
    "minimize",
    "odeint",
    "plot_paths",
    "project_box",
    "project_simplex",
    "root",
    "sdeint",
    "taylor",
]

_SPELLINGS = {
    "approx_fprime": "ad.grad(f)(x), which takes no step",
    "brentq": "calculus.root(f, bracket=(a, b))",
    "cumtrapz": "calculus.cumulative_trapezoid",
    "dblquad": "calculus.integrate(f, [a, c], [b, d]), of a box",
    "fmin": "calculus.minimize(f, x0)",
    "fsolve": "calculus.root(f, x0)",
    "leastsq": "calculus.least_squares(residuals, x0)",
    "minimize_scalar": "calculus.minimize(f, x0)",
    "newton": "calculus.root(f, x0)",
    "nquad": "calculus.integrate(f, [a, c], [b, d]), of a box",
    "quad": "calculus.integrate(f, a, b)",
    "quad_vec": "calculus.integrate(f, a, b)",
    "root_scalar": "calculus.root(f, x0), or calculus.root(f, bracket=(a, b))",
    "solve_ivp": "calculus.odeint(f, y0, times, full_output=True)",
}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("calculus", name, __all__, _SPELLINGS)
