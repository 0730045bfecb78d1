"""Solvers and transforms inside of what a solver is given: derivatives, errors and Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import calculus
from autodiff.core.errors import ConvergenceError, InterruptedSolverError, NotFiniteError


def fixed(a: Any) -> Any:
    """Where ``y = a y / 2 + 1``, the right side being the derivative of a function that closes over ``y``."""
    return calculus.fixed_point(lambda y: ad.grad(lambda z: a * z * y / 2 + z)(y), 1.0)


def lowest(a: Any) -> Any:
    """The minimum of ``y^2 - a y``, the last term being the derivative of a function that closes over ``y``."""
    return calculus.minimize(lambda y: y * y - ad.grad(lambda z: a * z * y)(0.3), 1.0).fun


SECOND = [
    ad.hessian,
    lambda f: ad.grad(ad.grad(f)),
    lambda f: lambda a: ad.jvp(ad.grad(f), (a,), (1.0,))[1],
    lambda f: ad.grad(lambda a: ad.jvp(f, (a,), (1.0,))[1]),
]


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize(
    ("f", "slope", "curvature"),
    [(fixed, lambda a: 2 / (2 - a) ** 2, lambda a: 4 / (2 - a) ** 3), (lowest, lambda a: -a / 2, lambda a: -0.5)],
)
def test_a_sweep_inside_stops_at_its_own_inputs(
    second: Callable[[Any], Any],
    f: Callable[[Any], Any],
    slope: Callable[[float], float],
    curvature: Callable[[float], float],
) -> None:
    assert ad.grad(f)(0.5) == pytest.approx(slope(0.5), rel=1e-12)
    assert second(f)(0.5) == pytest.approx(curvature(0.5), rel=1e-10)


def test_each_solver_differentiates_by_its_own_variable() -> None:
    """In each, the inner one sees the variable of the outer one as a constant: ``x d(x + y)/dy = x``."""

    def inside(x: Any) -> Any:
        return x * calculus.derivative(lambda y: x + y, 1.0)

    assert calculus.derivative(inside, 3.0) == 1
    assert calculus.taylor(inside, 3.0, 2) == [3, 1, 0]
    assert calculus.root(lambda x: inside(x) - 2, 0.5) == pytest.approx(2, rel=1e-15)
    assert calculus.integrate(inside, 0, 2) == pytest.approx(2, rel=1e-14)
    assert calculus.minimize(lambda x: inside(x) ** 2 - 2 * x, 0.5).x == pytest.approx(1, rel=1e-8)
    np.testing.assert_allclose(calculus.odeint(lambda t, x: inside(x), 1.0, [0, 1], rtol=1e-10)[-1], np.e, rtol=1e-8)


@pytest.mark.parametrize("method", ["bfgs", "L-BFGS-B"])
def test_minimize_leaves_the_account_of_a_solver_inside(method: str) -> None:
    with pytest.raises(ConvergenceError, match="root: ") as caught:
        calculus.minimize(lambda y: y * y + calculus.root(lambda z: z * z + 1 + 0 * y, 0.5), 1.0, method=method)
    assert isinstance(caught.value.reached, calculus.iteration.Iteration)


@pytest.mark.parametrize(
    "solve",
    [
        lambda f: calculus.root(f, 0.3),
        lambda f: calculus.root(f, bracket=(-1, 1)),
        lambda f: calculus.fixed_point(f, 0.3),
    ],
)
def test_what_a_solver_inside_says_at_the_start_is_said(solve: Callable[[Any], Any]) -> None:
    with pytest.raises(NotFiniteError, match="integrate: the function returned nan"):
        solve(lambda y: y + calculus.integrate(lambda z: np.float64(np.nan), 0, 1))


def test_ctrl_c_inside_keeps_the_work_of_the_solver_outside() -> None:
    calls = 0

    def interrupted(z: Any, y: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 500:
            raise KeyboardInterrupt
        return z + y

    def rate(t: float, y: Any) -> Any:
        return calculus.root(lambda z: interrupted(z, y), 0.0)

    with pytest.raises(InterruptedSolverError, match=r"odeint was interrupted at t = ") as caught:
        calculus.odeint(rate, 1.0, [0, 0.01, 100], rtol=1e-9)
    np.testing.assert_allclose(caught.value.reached.y, np.exp(-caught.value.reached.t), rtol=1e-8)
