"""What SciPy calls what is here, and what to give in place of its keywords."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..core.errors import UnsupportedError

F = TypeVar("F", bound=Callable[..., Any])

EXACT = "leave it out, derivatives are exact and come from the tape"

NAMES = {
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

KEYWORDS = {
    "args": "let the function close over them, as in lambda x: f(x, a)",
    "dense_output": "here it is full_output=True, whose result can be called with any time",
    "Dfun": EXACT,
    "dx": EXACT,
    "epsabs": "here it is atol=",
    "epsrel": "here it is rtol=",
    "fprime": EXACT,
    "fprime2": EXACT,
    "ftol": "the answer is sought until the gradient vanishes, see gtol=",
    "hess": EXACT,
    "hessp": EXACT,
    "jac": EXACT,
    "limit": "here it is max_evaluations=, of the function",
    "max_nfev": "here it is max_steps=",
    "max_step": "here the methods of fixed steps take step=",
    "maxfev": "here it is max_steps=",
    "maxiter": "here it is max_steps=",
    "mxstep": "here it is max_steps=",
    "order": "leave it out, derivatives take no points",
    "t_eval": "here they are times=, the first that of y0",
    "t_span": "here it is the first and the last of times=",
    "tfirst": "here f always takes the time first, f(t, y)",
    "tol": "here it is rtol= or gtol=",
    "x1": "leave it out, or give a bracket=",
    "xtol": "here it is rtol=",
}


def only_own_keywords(f: F) -> F:
    """Let a function say what to do instead when it gets a keyword that it does not have."""
    takes = inspect.signature(f).parameters

    @functools.wraps(f)
    def checked(*args: Any, **options: Any) -> Any:
        for name in options:
            if name not in takes:
                has = f"it takes {', '.join(takes)}"
                raise UnsupportedError(
                    f"{f.__name__} got the keyword {name}=, which it does not have: {KEYWORDS.get(name, has)}."
                )
        return f(*args, **options)

    return cast(F, checked)
