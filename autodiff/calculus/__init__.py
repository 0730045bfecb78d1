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
from .spelling import NAMES as _SPELLINGS
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


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("calculus", name, __all__, _SPELLINGS)
