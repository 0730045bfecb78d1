"""What goes wrong on the way: each with its own error, and with the solution so far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.odeint import odeint
from autodiff.core.errors import (
    ConvergenceError,
    LeavingTapeError,
    NotFiniteError,
    StepTooSmallError,
    StiffnessError,
)


@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_a_solution_that_blows_up(method: str) -> None:
    with pytest.raises(StepTooSmallError, match=r"the step fell below .* at t = 1\.0") as caught:
        odeint(lambda t, y: y * y, 1.0, [0.0, 0.5, 2.0], method=method)
    reached = caught.value.reached
    np.testing.assert_allclose(reached.t, [0, 0.5, 1], atol=1e-4)
    np.testing.assert_allclose(reached.y[:2], [1, 2], rtol=1e-5)


def test_a_stiff_problem() -> None:
    with pytest.raises(StiffnessError, match=r"stability, not accuracy, .* Take method='radau'") as caught:
        odeint(lambda t, y: -2000 * (y - ad.cos(t)), 0.0, [0.0, 10.0])
    assert 0.5 < caught.value.reached.mesh[-1] < 10
    y = odeint(lambda t, y: -2000 * (y - ad.cos(t)), 0.0, [0.0, 10.0], method="radau")
    assert y[-1] == pytest.approx((2000**2 * np.cos(10) + 2000 * np.sin(10)) / (2000**2 + 1), rel=1e-7)


def test_a_long_smooth_problem_is_not_called_stiff() -> None:
    y = odeint(lambda t, y: np.stack([y[1], -y[0]]), np.array([1.0, 0.0]), [0.0, 1000.0], rtol=1e-8)
    np.testing.assert_allclose(y[-1], [np.cos(1000), -np.sin(1000)], atol=1e-4)


def test_nan_at_the_start() -> None:
    with pytest.raises(NotFiniteError, match=r"the function returned nan at t = 0\.0") as caught:
        odeint(lambda t, y: y * np.nan, 1.0, [0.0, 1.0])
    np.testing.assert_array_equal(caught.value.reached.y, [1.0, 1.0])
    with pytest.raises(NotFiniteError, match=r"the function returned nan at t = 0\.0"):
        odeint(lambda t, s: (s[1], s[0] * np.nan), (1.0, 0.0), [0.0, 1.0], method="leapfrog", step=0.1)
    with pytest.raises(NotFiniteError, match="the function returned inf at y0"):
        odeint(lambda t, y: y, np.inf, [0.0, 1.0])


@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_nan_on_the_way(method: str) -> None:
    def f(t: Any, y: Any) -> Any:
        return y * 0 + 1 if t <= 1 else y * np.nan

    with pytest.raises(
        NotFiniteError, match=r"returns nan or infinite numbers right after t = (1\.0|0\.9999)"
    ) as caught:
        odeint(f, 1.0, [0.0, 0.5, 2.0], method=method)
    assert caught.value.reached.y[-1] == pytest.approx(2.0)


def test_a_derivative_that_is_infinite() -> None:
    with pytest.raises(NotFiniteError, match="or 'radau' finds its derivative to be"):
        odeint(lambda t, y: ad.sqrt(y), 0.0, [0.0, 1.0], method="radau", max_steps=1000)


def test_time_too_far_from_0() -> None:
    with pytest.raises(StepTooSmallError, match="or t is too far from 0 for so fast a change"):
        odeint(lambda t, y: -y, 1.0, [1e15, 1e15 + 10])


def test_nan_with_fixed_steps() -> None:
    with pytest.raises(NotFiniteError, match=r"not finite after t = .* Take a smaller step") as caught:
        odeint(lambda t, y: y**3, 2.0, [0.0, 5.0], method="rk4", step=0.5)
    assert caught.value.reached.steps >= 1


def test_too_many_steps() -> None:
    with pytest.raises(
        ConvergenceError, match=r"odeint took 3 steps to t = .* of 20.0; .* max_steps=3 do not"
    ) as caught:
        odeint(lambda t, y: -y, 1.0, [0.0, 20.0], max_steps=3)
    assert caught.value.reached.steps == 3
    for step in (0.1, 1e-320):
        with pytest.raises(ConvergenceError, match=r"with step=.*, max_steps=3"):
            odeint(lambda t, y: -y, 1.0, [0.0, 20.0], max_steps=3, method="rk4", step=step)


@pytest.mark.parametrize("options", [{}, {"method": "rk4", "step": 0.1}, {"method": "radau"}], ids=str)
@pytest.mark.parametrize("when", [0.0, 0.5])
def test_leaving_the_tape_is_an_error(options: Any, when: float) -> None:
    def last(rate: Any) -> Any:
        return odeint(lambda t, y: -y if t < when else -float(2 * rate) * y, 1.0, [0.0, 1.0], **options)[-1]

    with pytest.raises(LeavingTapeError, match=r"float\(\) of a Value"):
        ad.grad(last)(2.0)


def test_what_f_raises_comes_through() -> None:
    def f(t: Any, y: Any) -> Any:
        raise LookupError("no such table")

    with pytest.raises(LookupError, match="no such table"):
        odeint(f, 1.0, [0.0, 1.0])


def test_progress_is_no_trouble_without_a_terminal() -> None:
    assert odeint(lambda t, y: -y, 1.0, [0.0, 1.0], progress=True).shape == (2,)
