"""What SciPy and others call what is here, and what to give in place of their keywords and methods."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..core.errors import UnsupportedError

F = TypeVar("F", bound=Callable[..., Any])

EXACT = "leave it out, derivatives are exact and come from the tape"
STEP = "here it is step=, for the methods of fixed steps"

NAMES = {
    "approx_fprime": "ad.grad(f)(x), which takes no step",
    "bisect": 'calculus.root(f, bracket=(a, b), method="bisection")',
    "brentq": "calculus.root(f, bracket=(a, b))",
    "check_gradients": "autodiff.testing.check_gradients",
    "compare_derivatives": "autodiff.testing.compare_derivatives",
    "cumtrapz": "calculus.cumulative_trapezoid",
    "dblquad": "calculus.integrate(f, [a, c], [b, d]), of a box",
    "differentiate": "calculus.derivative(f, x)",
    "fmin": "calculus.minimize(f, x0)",
    "from_sympy": "autodiff.interop.sympy.from_sympy",
    "fsolve": "calculus.root(f, x0)",
    "in_digits": "autodiff.testing.in_digits",
    "jacfwd": "ad.jacobian(f)",
    "jacrev": "ad.jacobian(f)",
    "leastsq": "calculus.least_squares(residuals, x0)",
    "minimize_scalar": "calculus.minimize(f, x0)",
    "newton": "calculus.root(f, x0)",
    "nquad": "calculus.integrate(f, [a, c], [b, d]), of a box",
    "odeint_adjoint": 'calculus.odeint(f, y0, times, gradient="adjoint")',
    "quad": "calculus.integrate(f, a, b)",
    "quad_vec": "calculus.integrate(f, a, b)",
    "root_scalar": "calculus.root(f, x0), or calculus.root(f, bracket=(a, b))",
    "solve_ivp": "calculus.odeint(f, y0, times, full_output=True)",
    "to_sympy": "autodiff.interop.sympy.to_sympy",
    "trapezoid": "ad.trapezoid(y, x)",
}

METHODS = {
    "BDF": "radau",
    "LSODA": "radau",
    "RK45": "dopri5",
    "bisect": "bisection",
    "brentq": "newton",
    "em": "euler-maruyama",
    "euler": "euler-maruyama",
    "gd": "gradient descent",
    "hybr": "newton",
    "implicit": "radau",
    "iteration": "plain",
    "lbfgs": "L-BFGS-B",
    "mc": "monte carlo",
    "picard": "plain",
    "quad": "adaptive",
    "secant": "newton",
    "tsit5": "dopri5",
    "verlet": "leapfrog",
}

KEYWORDS = {
    "adjoint": 'here it is gradient="adjoint"',
    "args": "let the function close over them, as in lambda x: f(x, a)",
    "callback": "leave it out, progress=True shows how far it is, and the result keeps its path",
    "degree": "here it is order=",
    "dense_output": "here it is full_output=True, whose result can be called with any time",
    "derivative.order": "here it is n=, how often to differentiate; there are no points to choose",
    "Dfun": EXACT,
    "difference_table.h": "here they are steps=",
    "direction": "here it is v=",
    "dt": STEP,
    "dx": EXACT,
    "epsabs": "here it is atol=",
    "epsrel": "here it is rtol=",
    "fprime": EXACT,
    "fprime2": EXACT,
    "ftol": "the answer is sought until the gradient vanishes, see gtol=",
    "generator": "here it is rng=",
    "h": STEP,
    "hess": EXACT,
    "hessp": EXACT,
    "hmax": STEP,
    "jac": EXACT,
    "learning_rate": "leave it out, each step is as long as it helps",
    "limit": "here it is max_evaluations=, of the function",
    "loss": "leave it out, or minimize a loss of your own with calculus.minimize",
    "lr": "leave it out, each step is as long as it helps",
    "max_nfev": "here it is max_steps=",
    "max_step": STEP,
    "maxfev": "here it is max_steps=",
    "maxiter": "here it is max_steps=",
    "method": "leave it out, there is one",
    "minimize.tol": "here it is gtol=, of the gradient",
    "mxstep": "here it is max_steps=",
    "n_samples": "here it is n=",
    "random_state": "here it is rng=",
    "samples": "here it is n=",
    "seed": "here it is rng=",
    "step_size": STEP,
    "t": "here they are times=, the first that of y0",
    "t_eval": "here they are times=, the first that of y0",
    "t_span": "here it is the first and the last of times=",
    "tfirst": "here f always takes the time first, f(t, y)",
    "taylor.n": "here it is order=",
    "tol": "here it is rtol=",
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
                answer = KEYWORDS.get(f"{f.__name__}.{name}") or KEYWORDS.get(name) or f"it takes {', '.join(takes)}"
                raise UnsupportedError(f"{f.__name__} got the keyword {name}=, which it does not have: {answer}.")
        return f(*args, **options)

    return cast(F, checked)


def meant(given: Any, known: tuple[Any, ...]) -> str:
    """Which of ``known`` was meant, as a sentence; nothing if that is unclear.

    Examples
    --------
    >>> print(meant("Monte_Carlo", ("adaptive", "monte carlo")), meant("RK45", ("dopri5", "radau")))
     Did you mean 'monte carlo'?  Did you mean 'dopri5'?
    """
    names = {_plain(k): k for k in known if isinstance(k, str)}
    names |= {_plain(theirs): ours for theirs, ours in METHODS.items() if ours in known and _plain(theirs) not in names}
    name = names.get(_plain(given)) if isinstance(given, str) else None
    return f" Did you mean {name!r}?" if name else ""


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()
