"""Ctrl-C inside of a function that a solver asks: what was found so far is in the error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import calculus
from autodiff.core.errors import InterruptedSolverError


def stopping(f: Callable[..., Any], call: int) -> Callable[..., Any]:
    """``f``, with Ctrl-C pressed at one of its calls, the first being 1, and at all after it."""
    calls = 0

    def stops(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= call:
            raise KeyboardInterrupt
        return f(*args)

    return stops


def rosenbrock(x: Any) -> Any:
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def valley(x: Any) -> Any:
    return ad.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def root(call: int) -> Any:
    return calculus.root(stopping(lambda x: x * x - 2, call), 1.0)


def fixed_point(call: int) -> Any:
    return calculus.fixed_point(stopping(ad.cos, call), 1.0)


def least_squares(call: int) -> Any:
    return calculus.least_squares(stopping(valley, call), np.array([-1.2, 1.0]))


def curve_fit(call: int) -> Any:
    return calculus.curve_fit(stopping(lambda t, a: a * t, call), [1.0, 2.0], [2.0, 4.0], [1.0])


def integrate(call: int, **options: Any) -> Any:
    return calculus.integrate(stopping(math.sqrt, call), 0, 1, **options)


def odeint(call: int, **options: Any) -> Any:
    return calculus.odeint(stopping(lambda t, y: -y, call), 1.0, [0.0, 0.01, 100.0], full_output=True, **options)


def sdeint(call: int) -> Any:
    drift = stopping(lambda t, y: y, call)
    return calculus.sdeint(drift, lambda t, y: 0.2 * y, ad.Tensor([1.0]), [0, 0.5, 1], step=0.25, rng=0)


@pytest.mark.parametrize(
    ("solve", "call", "where", "kept"),
    [
        (root, 8, r"root was interrupted at step \d, x = 1\.4", lambda it: len(it.path) >= 3),
        (root, 1, r"root was interrupted at step 0, x = 1\.0", lambda it: str(it).endswith("equations not known")),
        (
            fixed_point,
            2,
            r"fixed_point was interrupted at step 1, x = 0\.5403",
            lambda it: it.value == pytest.approx(math.cos(1)),
        ),
        (least_squares, 9, "least_squares was interrupted at step", lambda fit: 0 < fit.cost < 12.1),
        (curve_fit, 1, "curve_fit was interrupted at step 0", lambda fit: "0 steps: not done" in str(fit)),
        (
            integrate,
            151,
            "integrate was interrupted at 105 evaluations, with 4 intervals",
            lambda found: found.value == pytest.approx(2 / 3, abs=1e-3),
        ),
        (
            lambda call: integrate(call, method="monte carlo", rng=0),
            151,
            "integrate was interrupted at 0 of 10000 points",
            lambda found: found is None,
        ),
        (
            sdeint,
            5,
            r"sdeint was interrupted at t = 0\.75",
            lambda way: way.times.tolist() == [0, 0.5] and way.y.shape == (2, 1) and way.steps == 3,
        ),
    ],
)
def test_what_was_found_is_kept(
    solve: Callable[[int], Any], call: int, where: str, kept: Callable[[Any], bool]
) -> None:
    with pytest.raises(InterruptedSolverError, match=where) as caught:
        solve(call)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert kept(caught.value.reached)


@pytest.mark.parametrize("method", ["bfgs", "newton", "gradient descent", "L-BFGS-B"])
def test_minimize_keeps_the_path(method: str) -> None:
    with pytest.raises(InterruptedSolverError, match=r"minimize was interrupted at step \d+, f = ") as caught:
        calculus.minimize(stopping(rosenbrock, 40), [-1.2, 1.0], method=method)
    assert len(caught.value.reached.path) > 3
    assert caught.value.reached.message == "it was not finished"


@pytest.mark.parametrize("options", [{}, {"method": "rk4", "step": 0.01}, {"method": "radau"}], ids=str)
def test_odeint_keeps_the_trajectory(options: dict[str, Any]) -> None:
    with pytest.raises(InterruptedSolverError, match=r"odeint was interrupted at t = .* of 100.0") as caught:
        odeint(60, **options)
    reached = caught.value.reached
    assert len(reached.t) == 3
    assert 0.01 < reached.t[-1] < 100
    np.testing.assert_allclose(reached.y, np.exp(-reached.t), rtol=1e-4)
    np.testing.assert_allclose(reached(reached.t[-1] / 2), np.exp(-reached.t[-1] / 2), rtol=1e-4)
