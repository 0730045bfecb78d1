"""Differential equations: solutions beside SciPy's at the same tolerances, and gradients beside the solution."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad
from autodiff.calculus.odeint import odeint

from .harness import Bar, Row, Step, installed

TOLERANCES: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-9}
TIMES = np.linspace(0.0, 10.0, 21)


def predators(rates: Any) -> Any:
    """Lotka and Volterra's equations."""
    born, eaten, starved, fed = rates

    def f(t: float, y: Any) -> Any:
        both = y[0] * y[1]
        return np.stack([born * y[0] - eaten * both, fed * both - starved * y[1]])

    return f


def lorenz(t: float, y: Any) -> Any:
    """Lorenz's equations."""
    return np.array([10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]])


def network(weight: Any) -> Any:
    """A recurrent network of a hundred units in continuous time."""
    return lambda t, y: np.tanh(weight @ y) - y


def scipy_solve(f: Any, y0: Any, times: Any) -> Step:
    """SciPy's RK45, the same pair of methods."""
    from scipy.integrate import solve_ivp

    return lambda: solve_ivp(f, (times[0], times[-1]), y0, t_eval=times, **TOLERANCES).y.T


def solution(name: str, question: str, f: Any, y0: Any, times: Any) -> Row:
    contestants = installed(
        {
            "SciPy solve_ivp": lambda: scipy_solve(f, y0, times),
            "autodiff": lambda: lambda: odeint(f, y0, times, **TOLERANCES),
        }
    )
    bars = [Bar("autodiff", "SciPy solve_ivp", 3.0)]
    reference = next(iter(contestants))
    return Row(name, question, reference, contestants, rounds=20, inner=1, tolerance=1e-2, bars=bars)


RATES = np.array([1.5, 1.0, 3.0, 1.0])
PAIR = np.array([10.0, 5.0])


def units(n: int) -> tuple[Any, Any]:
    """A weight and a state."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, n)) * 1.5 / n**0.5, rng.normal(size=n)


def ode() -> Row:
    return solution("ode", "Lotka and Volterra's equations to t = 10", predators(RATES), PAIR, TIMES)


def ode_lorenz() -> Row:
    return solution("ode_lorenz", "Lorenz's equations to t = 2", lorenz, np.array([1.0, 1.0, 20.0]), TIMES / 5)


def ode_network(n: int = 100) -> Row:
    weight, y0 = units(n)
    return solution("ode_network", f"{n} units, y' = tanh(W y) - y, to t = 10", network(weight), y0, TIMES)


def gradient(
    name: str, question: str, f: Any, y0: Any, parameters: Any, bars: list[Bar], end: float = TIMES[-1]
) -> Row:
    times = TIMES * (end / TIMES[-1])

    def loss(y0: Any, parameters: Any, way: str = "tape") -> Any:
        return (odeint(f(parameters), y0, times, gradient=way, **TOLERANCES) ** 2).sum()

    def derivative(way: str) -> Step:
        both = ad.value_and_grad(lambda y0, parameters: loss(y0, parameters, way), (0, 1))
        return lambda: both(y0, parameters)[0]

    contestants = {
        "solution": lambda: loss(y0, parameters),
        "autodiff": derivative("tape"),
        "checkpoint": derivative("checkpoint"),
        "adjoint": derivative("adjoint"),
    }
    return Row(name, question, "solution", contestants, rounds=7, inner=1, bars=bars)


def ode_gradient(end: float = TIMES[-1]) -> Row:
    question = "Gradient of a solution of Lotka and Volterra's equations by its start and 4 rates"
    return gradient("ode_gradient", question, predators, PAIR, RATES, [Bar("autodiff", "solution", 5.0)], end)


def ode_network_gradient(n: int = 100, end: float = TIMES[-1]) -> Row:
    """So many entries go back stage by stage, and W gets its 10,000 slopes from all of them at once."""
    weight, y0 = units(n)
    question = f"Gradient of a solution of y' = tanh(W y) - y by its start of {n} units and by W"
    bars = [Bar("autodiff", "solution", 5.0)]
    return gradient("ode_network_gradient", question, network, y0, weight, bars, end)
