"""Solutions of differential equations: against closed forms, SciPy at tight tolerance, and orders of convergence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import autodiff as ad
from autodiff.calculus.ode_system import System
from autodiff.calculus.odeint import odeint
from autodiff.calculus.radau import REAL, ROTATED, Radau
from autodiff.calculus.runge_kutta import DOPRI5, RK4, Explicit
from autodiff.core.errors import ArgumentError, CompileError, KindError, ShapeError, StepTooSmallError


def exponential(t: Any, y: Any) -> Any:
    return -0.5 * y


def logistic(t: Any, y: Any) -> Any:
    return y / 4 * (1 - y / 20)


def harmonic(t: Any, y: Any) -> Any:
    return np.stack([y[1], -y[0]])


def two_body(t: Any, y: Any) -> Any:
    r3 = (y[0] ** 2 + y[1] ** 2) ** 1.5
    return np.stack([y[2], y[3], -y[0] / r3, -y[1] / r3])


def lotka_volterra(t: Any, y: Any) -> Any:
    return np.stack([1.5 * y[0] - y[0] * y[1], y[0] * y[1] - 3 * y[1]])


def brusselator(t: Any, y: Any) -> Any:
    return np.stack([1 + y[0] ** 2 * y[1] - 4 * y[0], 3 * y[0] - y[0] ** 2 * y[1]])


PROBLEMS = {
    "exponential": (exponential, [1.0], 10.0),
    "logistic": (logistic, [1.0], 20.0),
    "harmonic": (harmonic, [1.0, 0.0], 20.0),
    "two_body": (two_body, [0.5, 0.0, 0.0, np.sqrt(3)], 10.0),
    "lotka_volterra": (lotka_volterra, [10.0, 5.0], 8.0),
    "brusselator": (brusselator, [1.5, 3.0], 10.0),
}


def reference(f: Any, y0: Any, times: Any) -> Any:
    """SciPy's method of order 8 at the tightest tolerance."""
    found = solve_ivp(f, (times[0], times[-1]), y0, "DOP853", times, rtol=1e-13, atol=1e-14)
    return found.y.T


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_the_error_is_bounded_by_the_tolerance(name: str, method: str) -> None:
    f, y0, end = PROBLEMS[name]
    times = np.linspace(0, end, 23)
    exact = reference(f, y0, times)
    before = np.inf
    for rtol in (1e-4, 1e-6) if method == "radau" else (1e-4, 1e-6, 1e-8, 1e-10):
        found = odeint(f, np.array(y0), times, method=method, rtol=rtol, atol=rtol)
        error = np.max(np.abs(found - exact))
        grown = {"exponential": 10, "harmonic": 20, "logistic": 100}.get(name, 1000)  # errors of steps grow on the way
        assert error < grown * rtol
        assert error < before / 10
        before = error


@pytest.mark.parametrize("method", ["dopri5", "radau"])
@pytest.mark.parametrize("name", ["logistic", "harmonic", "brusselator"])
def test_between_the_steps_the_error_is_as_small(name: str, method: str) -> None:
    f, y0, end = PROBLEMS[name]
    times = np.linspace(0, end, 301)
    trajectory = odeint(f, np.array(y0), [0, end], method=method, full_output=True)
    assert trajectory.steps < 200
    np.testing.assert_allclose(trajectory(times), reference(f, y0, times), rtol=0, atol=1e-4)
    np.testing.assert_allclose(trajectory(trajectory.mesh)[-1], trajectory.y[-1], rtol=0, atol=1e-12)


def slope(errors: list[float]) -> float:
    """The order by which errors fall as the step is halved."""
    return float(np.log2(errors[0] / errors[-1]) / (len(errors) - 1))


def take_steps(method: Any, y: Any, end: float, n: int) -> Any:
    t, h = 0.0, end / n
    for _ in range(n):
        y1 = method.step(t, h, y)
        method.accept()
        t, y = t + h, y1
    return y


@pytest.mark.parametrize(
    ("make", "order"),
    [(lambda s: Explicit(DOPRI5, s), 5), (lambda s: Explicit(RK4, s), 4), (lambda s: Radau(s, 1e-12, 1e-14), 5)],
)
def test_order_of_convergence_of_fixed_steps(make: Any, order: int) -> None:
    y0 = np.array([1.0, 0.0])
    exact = np.array([np.cos(2.0), -np.sin(2.0)])
    errors = []
    for n in (10, 20, 40):
        system = System(harmonic, y0)
        errors.append(float(np.max(np.abs(take_steps(make(system), y0, 2.0, n) - exact))))
    assert slope(errors) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize(
    ("make", "order"),
    [(lambda s: Explicit(DOPRI5, s), 5), (lambda s: Explicit(RK4, s), 4), (lambda s: Radau(s, 1e-12, 1e-14), 4)],
)
def test_order_of_the_interpolant(make: Any, order: int) -> None:
    """A step's interpolant of order p errs by h ** (p + 1)."""
    y0, errors = np.array([1.5, 3.0]), []
    for h in (0.1, 0.05, 0.025):
        method = make(System(brusselator, y0))
        method.step(0.0, h, y0)
        q = method.polynomial(h, method.memory())
        shares = np.linspace(0.1, 0.9, 9)
        found = y0 + (shares[:, None] ** np.arange(1, len(q) + 1)) @ q
        exact = reference(brusselator, y0, [0, *(shares * h)])[1:]
        errors.append(float(np.max(np.abs(found - exact))))
    assert slope(errors) == pytest.approx(order, abs=0.35)


def test_rk4_and_leapfrog_converge_by_their_order() -> None:
    def motion(t: Any, state: Any) -> Any:
        q, v = state
        return v, -q / (q @ q) ** 1.5

    y0 = (np.array([0.5, 0.0]), np.array([0.0, np.sqrt(3)]))
    exact = reference(two_body, [0.5, 0.0, 0.0, np.sqrt(3)], [0, 2.0])[-1]
    for method, order in (("rk4", 4), ("leapfrog", 2)):
        errors = []
        for step in (0.01, 0.005, 0.0025):
            q, v = odeint(motion, y0, [0, 2.0], method=method, step=step)
            errors.append(float(np.max(np.abs(np.concatenate([q[-1], v[-1]]) - exact))))
        assert slope(errors) == pytest.approx(order, abs=0.2)


def test_leapfrog_keeps_the_energy_over_fifty_thousand_steps() -> None:
    def pendulum(t: Any, state: Any) -> Any:
        return state[1], -np.sin(state[0])

    times = np.linspace(0, 5_000, 501)
    q, v = odeint(pendulum, (1.5, 0.0), times, method="leapfrog", step=0.1)
    energy = v**2 / 2 - np.cos(q)
    assert np.max(np.abs(energy - energy[0])) < 2e-3
    assert abs(energy[-100:].mean() - energy[1:101].mean()) < 2e-6  # it swings, and does not drift


def test_leapfrog_goes_back_where_it_came_from() -> None:
    def pendulum(t: Any, state: Any) -> Any:
        return state[1], -np.sin(state[0])

    q, v = odeint(pendulum, (1.5, 0.0), [0, 7.0], method="leapfrog", step=0.1)
    back = odeint(pendulum, (q[-1], v[-1]), [7.0, 0], method="leapfrog", step=0.1)
    np.testing.assert_allclose([back[0][-1], back[1][-1]], [1.5, 0.0], atol=1e-12)


def test_lotka_volterra_keeps_its_invariant() -> None:
    y = odeint(lotka_volterra, np.array([10.0, 5.0]), np.linspace(0, 20, 50), rtol=1e-9, atol=1e-12)
    kept = y[:, 0] - 3 * np.log(y[:, 0]) + y[:, 1] - 1.5 * np.log(y[:, 1])
    np.testing.assert_allclose(kept, kept[0], rtol=1e-6)


def van_der_pol(t: Any, y: Any) -> Any:
    return np.stack([y[1], 1000 * (1 - y[0] ** 2) * y[1] - y[0]])


def robertson(t: Any, y: Any) -> Any:
    a, b, c = 0.04 * y[0], 3e7 * y[1] ** 2, 1e4 * y[1] * y[2]
    return np.stack([c - a, a - b - c, b])


def test_radau_on_van_der_pol() -> None:
    times = [0.0, 500.0, 1000.0, 2000.0]
    trajectory = odeint(van_der_pol, np.array([2.0, 0.0]), times, method="radau", rtol=1e-6, full_output=True)
    exact = solve_ivp(van_der_pol, (0, 2000), [2.0, 0.0], "LSODA", times, rtol=1e-12, atol=1e-13).y.T
    np.testing.assert_allclose(trajectory.y, exact, rtol=1e-4)
    assert trajectory.steps < 2000


def test_radau_on_robertson() -> None:
    times = [0.0, 0.4, 40.0, 4000.0, 4e5]
    y = odeint(robertson, np.array([1.0, 0.0, 0.0]), times, method="radau", rtol=1e-6, atol=1e-10)
    exact = solve_ivp(robertson, (0, 4e5), [1.0, 0.0, 0.0], "Radau", times, rtol=1e-10, atol=1e-14).y.T
    np.testing.assert_allclose(y, exact, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(y.sum(1), 1.0, rtol=1e-9)  # mass is kept
    assert y[1, 0] == pytest.approx(0.98517, rel=1e-5)  # published
    assert y[2, 0] == pytest.approx(0.71583, rel=1e-5)


def hires(t: Any, y: Any) -> Any:
    """Schäfer's eight reactions of a plant's growth, a test problem of Hairer and Wanner, IV.10."""
    a = 280 * y[5] * y[7]
    return [
        -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
        1.71 * y[0] - 8.75 * y[1],
        -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
        8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
        -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
        -a + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
        a - 1.81 * y[6],
        1.81 * y[6] - a,
    ]


def test_radau_on_hires() -> None:
    y0 = np.array([1, 0, 0, 0, 0, 0, 0, 0.0057])
    y = odeint(hires, y0, [0.0, 321.8122], method="radau", rtol=1e-5, atol=1e-9)[-1]
    published = [7.371312573326e-4, 1.442485726316e-4, 5.888729740968e-5, 1.175651343283e-3]
    published += [2.386356198831e-3, 6.238968252743e-3, 2.849998395186e-3, 2.850001604814e-3]
    np.testing.assert_allclose(y, published, rtol=1e-5)


def test_radau_takes_another_step_where_the_linear_system_has_no_solution() -> None:
    y0 = np.ones(1)
    assert Radau(System(lambda t, y: y, y0), 1e-6, 1e-9).step(0.0, float(ROTATED[REAL].real), y0) is None


def test_times_may_go_down_and_repeat() -> None:
    times = [1.0, 0.5, 0.5, -1.0]
    np.testing.assert_allclose(odeint(lambda t, y: y, np.e, times), np.exp(times), rtol=1e-5)
    np.testing.assert_array_equal(odeint(lambda t, y: y, 3.0, [2.0]), [3.0])
    np.testing.assert_array_equal(odeint(lambda t, y: y, 3.0, [2.0, 2.0], method="rk4", step=0.1), [3.0, 3.0])


@pytest.mark.parametrize("method", ["dopri5", "radau"])
@pytest.mark.parametrize("times", [[1.0, 1 + 1e-15], [1e9, 1e9 + 1e-6], [0.0, 1e-300]], ids=str)
def test_times_that_are_near(times: Any, method: str) -> None:
    """Nearer than the smallest step otherwise: one step goes from one to the other."""
    y = odeint(lambda t, y: -y, 1.0, times, method=method)
    assert y[-1] == pytest.approx(np.exp(times[0] - times[1]), rel=1e-15)


@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_no_absolute_tolerance_and_entries_of_zero(method: str) -> None:
    y = odeint(lambda t, y: -y, np.array([0.0, 1.0]), [0.0, 1.0], method=method, atol=0.0)
    np.testing.assert_allclose(y[-1], [0, np.exp(-1)], rtol=1e-6)
    assert odeint(lambda t, y: y * 0 + 1, 0.0, [0.0, 1.0], atol=0.0)[-1] == pytest.approx(1)


def test_rates_that_overflow_when_squared() -> None:
    assert odeint(lambda t, y: y * 0 + 1e200, 1.0, [0.0, 1.0])[-1] == pytest.approx(1e200)
    y = odeint(lambda t, y: -1e150 * y, 1.0, [0.0, 1.0], method="radau")
    assert y[-1] == pytest.approx(0, abs=1e-9)


STEPPED: list[dict[str, Any]] = [{}, {"method": "rk4", "step": 0.1}, {"method": "radau"}]


@pytest.mark.parametrize("options", STEPPED, ids=str)
def test_a_function_may_write_into_its_state(options: Any) -> None:
    def f(t: Any, y: Any) -> Any:
        y *= -1
        return y

    start = np.array([1.0, 2.0])
    expected = odeint(lambda t, y: -y, start, [0.0, 0.5, 1.0], **options)
    np.testing.assert_array_equal(odeint(f, start, [0.0, 0.5, 1.0], **options), expected)
    np.testing.assert_array_equal(start, [1.0, 2.0])


@pytest.mark.parametrize("options", STEPPED[1:], ids=str)
def test_a_function_may_fill_the_same_array_each_time(options: Any) -> None:
    same = np.empty(2)

    def f(t: Any, y: Any) -> Any:
        if isinstance(y, np.ndarray):
            same[:] = brusselator(t, y)
            return same
        return brusselator(t, y)  # for the Jacobian

    y0 = np.array([1.5, 3.0])
    np.testing.assert_array_equal(odeint(f, y0, [0.0, 1.0], **options), odeint(brusselator, y0, [0.0, 1.0], **options))


@pytest.mark.parametrize("options", STEPPED, ids=str)
def test_lists_of_lists_of_numbers_and_tensors(options: Any) -> None:
    def last(rate: Any) -> Any:
        y = odeint(lambda t, y: [[-rate * y[0, 0], 0], [y[1, 1], rate]], np.ones((2, 2)), [0.0, 1.0], **options)
        return y[-1]

    wanted = [[np.exp(-0.5), 1], [2.25, 1.5]]
    np.testing.assert_allclose(last(0.5), wanted, rtol=1e-6)
    slope_by_rate = [[-np.exp(-0.5), 0], [0.5, 1]]
    np.testing.assert_allclose(ad.jacobian(last)(0.5), slope_by_rate, rtol=1e-5, atol=1e-12)


def test_half_precision_is_computed_in_double() -> None:
    y = odeint(lambda t, y: -y, np.ones(2, np.float16), [0.0, 1.0])
    assert y.dtype == float
    np.testing.assert_allclose(y[-1], np.exp(-1), rtol=1e-6)


def test_the_state_may_be_nested_and_of_any_shape() -> None:
    def f(t: Any, state: Any) -> Any:
        return {"a": -state["a"], "b": (state["b"][0] * 2, [state["a"].sum()])}

    state = {"a": np.ones((2, 3)), "b": (1.0, [0.0])}
    y = odeint(f, state, [0.0, 0.5, 1.0])
    assert y["a"].shape == (3, 2, 3)
    assert y["b"][0].shape == (3,)
    np.testing.assert_allclose(y["a"][-1], np.exp(-1), rtol=1e-5)
    np.testing.assert_allclose(y["b"][0], np.exp([0, 1, 2]), rtol=1e-5)
    np.testing.assert_allclose(y["b"][1][0], 6 * (1 - np.exp([0, -0.5, -1])), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"method": "rk4", "step": 0.1}, {"method": "radau"}])
def test_no_entries(options: Any) -> None:
    assert odeint(lambda t, y: y, np.zeros((0, 2)), [0.0, 1.0, 2.0], **options).shape == (3, 0, 2)


@pytest.mark.parametrize("options", [{}, {"method": "rk4", "step": 0.1}, {"method": "radau", "rtol": 1e-4}])
def test_float32_stays(options: Any) -> None:
    y = odeint(lambda t, y: -y, np.ones(2, np.float32), [0.0, 1.0], **options)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[-1], np.exp(-1), rtol=1e-5)


def test_whole_numbers_become_floats_and_lists_may_be_returned() -> None:
    y = odeint(lambda t, y: [y[1], -y[0]], np.array([1, 0]), [0, 1])
    np.testing.assert_allclose(y[-1], [np.cos(1), -np.sin(1)], rtol=1e-5)


def test_a_trajectory_says_what_it_is() -> None:
    trajectory = odeint(exponential, np.ones(1), [0.0, 4.0], full_output=True)
    assert str(trajectory) == (
        f"dopri5 from t = 0.0 to 4.0: {trajectory.steps} steps, {trajectory.rejected} rejected, "
        f"{trajectory.evaluations} evaluations"
    )
    assert trajectory != odeint(exponential, np.ones(1), [0.0, 4.0], full_output=True)
    assert trajectory(2.0).shape == (1,)
    assert trajectory(np.zeros((2, 3))).shape == (2, 3, 1)
    assert trajectory(np.zeros(0)).shape == (0, 1)
    with pytest.raises(ArgumentError, match=r"asked for t from 4.5 to 4.5; it was solved from 0.0 to 4.0"):
        trajectory(4.5)
    backwards = odeint(exponential, np.ones(1), [4.0, 0.0], full_output=True)
    np.testing.assert_allclose(backwards(1.0), np.exp(1.5), rtol=1e-5)
    for wrong in ("a", None, 1j):
        with pytest.raises(KindError, match="made of real numbers"):
            trajectory(wrong)
    for nowhere in (np.nan, -0.1, [0.0, 5.0]):
        with pytest.raises(ArgumentError, match="was solved from"):
            trajectory(nowhere)
    np.testing.assert_array_equal(odeint(exponential, np.ones(2), [3.0], full_output=True)([3.0]), np.ones((1, 2)))


def test_a_trajectory_draws_itself() -> None:
    circle = odeint(lambda t, y: {"x": y["v"], "v": -y["x"]}, {"x": 1.0, "v": 0.0}, [0.0, 1.0, 7.0], full_output=True)
    curves = [line.get_xydata() for line in circle.plot(points=29).lines]
    assert [len(curve) for curve in curves] == [29, 29]
    np.testing.assert_allclose(curves[0][:, 1], np.cos(np.linspace(0, 7, 29)), atol=1e-5)
    with pytest.raises(StepTooSmallError) as error:
        odeint(lambda t, y: y**2, 1.0, np.linspace(0, 2, 21))
    broken = error.value.reached
    np.testing.assert_array_equal(broken.plot().lines[0].get_xydata(), np.stack([broken.t, broken.y], axis=1))


@pytest.mark.parametrize("gradient", ["tape", "checkpoint", "adjoint"])
@pytest.mark.parametrize("options", STEPPED, ids=str)
def test_a_trajectory_is_differentiated_between_the_times(options: Any, gradient: str) -> None:
    """By the start, a parameter, the first time and the time that it is asked at; backwards in time too."""
    options = options | ({"step": 0.01} if "step" in options else {"rtol": 1e-9, "atol": 1e-11})

    def f(y0: Any, rate: Any, t0: Any, t: Any, end: float) -> Any:
        trajectory = odeint(lambda t, y: rate * y, y0, [t0, end], full_output=True, gradient=gradient, **options)
        return trajectory([0.7, t, 0.4, t])

    def exact(y0: Any, rate: Any, t0: Any, t: Any, end: float) -> Any:
        return y0 * ad.exp(rate * (ad.stack([0.7, t, 0.4, t]) - t0))

    for t0, end in ((0.1, 1.0), (1.0, 0.1)):
        for found, wanted in zip(
            ad.jacobian(f, (0, 1, 2, 3))(1.3, -0.6, t0, 0.55, end),
            ad.jacobian(exact, (0, 1, 2, 3))(1.3, -0.6, t0, 0.55, end),
            strict=True,
        ):
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


def test_a_leapfrog_trajectory_is_differentiated_between_the_times() -> None:
    def f(start: Any, stiffness: Any) -> Any:
        swing = odeint(lambda t, s: (s[1], -stiffness * ad.sin(s[0])), (start, 0.1), [0.0, 1.0], method="leapfrog",
                       step=0.05, full_output=True)  # fmt: skip
        return ad.stack(swing([0.33, 0.98]))

    ad.testing.check_gradients(f, 1.0, 2.0, order=2)


def test_a_trajectory_is_recorded_where_recording_is_on() -> None:
    rate = ad.Value(0.5)
    trajectory = odeint(lambda t, y: -rate * y, 1.0, [0.0, 1.0], full_output=True)
    assert trajectory(0.5).requires_grad
    with ad.no_grad():
        assert not trajectory(0.5).requires_grad


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"method": "euler"}, ArgumentError, "odeint got method='euler'; there are 'dopri5', 'rk4', 'leapfrog', 'radau'"),
    ({"gradient": "none"}, ArgumentError, "odeint got gradient='none'; there are 'tape', 'checkpoint', 'adjoint'"),
    ({"rtol": -1}, ArgumentError, "odeint got rtol=-1; tolerances are numbers"),
    ({"rtol": 0, "atol": 0}, ArgumentError, "one of them above"),
    ({"step": 0.1}, ArgumentError, "method='dopri5' sets its own by rtol and atol"),
    ({"method": "rk4"}, ArgumentError, "odeint got no step; method='rk4' takes steps of one size"),
    ({"method": "rk4", "step": 0}, ArgumentError, "odeint got step=0; it is a size of time above 0"),
    ({"max_steps": 0}, ArgumentError, "max_steps=0; it is a whole number"),
    ({"times": []}, ArgumentError, r"times of shape \(0,\)"),
    ({"times": 3.0}, ArgumentError, r"times of shape \(\)"),
    ({"times": [0, 2, 1]}, ArgumentError, "they are finite, and go one way"),
    ({"times": [0, np.nan]}, ArgumentError, "they are finite, and go one way"),
    ({"times": [np.inf]}, ArgumentError, "they are finite, and go one way"),
    ({"times": [-1e308, 1e308]}, ArgumentError, "they are finite, and go one way"),
    ({"times": [[0], [1, 2]]}, KindError, "made of real numbers"),
    ({"y0": "one"}, KindError, "made of real numbers"),
    ({"y0": 1j}, KindError, "made of real numbers"),
    ({"f": 3}, KindError, "odeint was given a int; it takes a function"),
    ({"f": lambda t, y: np.ones(3)}, ShapeError, r"what the function returned has a part of shape \(3,\) where y0 has"),
    ({"f": lambda t, y: y[:, None] * 1j, "y0": np.ones(2)}, ShapeError, r"a part of shape \(2, 1\)"),
    ({"f": lambda t, y: 1j * y, "y0": np.ones((2, 2))}, KindError, "it is to be made of real numbers"),
    ({"f": lambda t, y: [1j, 0]}, KindError, "it is to be made of real numbers"),
    ({"f": lambda t, y: 1j, "y0": 1.0}, KindError, "has the part 1j; it is to be made of real numbers"),
    ({"f": lambda t, y: None, "y0": 1.0}, KindError, "has the part None; it is to be made of real numbers"),
    ({"f": lambda t, y: "ab", "y0": 1.0}, KindError, "has the part 'ab'; it is to be made of real numbers"),
    ({"f": lambda t, y: [[1], [1, 2]]}, ShapeError, "has rows of different lengths"),
    ({"f": lambda t, y: {"a": 1.0}, "y0": {"a": 1.0, "b": 2.0}}, ShapeError, "which is not built as y0"),
    ({"y0": np.ones(2, np.longdouble), "method": "radau"}, KindError, "solves no linear systems"),
    ({"f": lambda t, y: 1j * y}, KindError, "it is to be made of real numbers"),
    ({"method": "leapfrog", "step": 0.1}, ShapeError, "needs y0 to be a pair"),
    ({"method": "leapfrog", "step": 0.1, "gradient": "adjoint"}, ArgumentError, "not separable"),
    (
        {"method": "leapfrog", "step": 0.1, "y0": (1.0, 0.0), "f": lambda t, s: (s[1], -s[0] - s[1])},
        ArgumentError,
        "such as friction does. Take method='dopri5'",
    ),
    (
        {"method": "leapfrog", "step": 0.1, "y0": (1.0, 0.0), "f": lambda t, s: (s[1], -s[0] - max(0, t - 0.1) * s[1])},
        ArgumentError,
        "At t = 0.2 one of them depends on more",
    ),
]


@pytest.mark.parametrize(("given", "error", "message"), BAD, ids=[message for *_, message in BAD])
def test_bad_arguments(given: dict[str, Any], error: type[Exception], message: str) -> None:
    options = {"f": lambda t, y: -y, "y0": np.ones(2), "times": [0.0, 1.0]} | given
    with pytest.raises(error, match=message):
        odeint(options.pop("f"), options.pop("y0"), options.pop("times"), **options)


def test_it_is_not_compiled() -> None:
    with pytest.raises(CompileError, match="odeint cannot be compiled"):
        ad.compile(lambda y: odeint(lambda t, y: -y, y, [0.0, 1.0]))(np.ones(2))


def test_vmap_takes_one_after_another() -> None:
    starts = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = ad.vmap(lambda y: odeint(lambda t, y: -y, y, [0.0, 1.0])[-1])(starts)
    np.testing.assert_allclose(found, starts * np.exp(-1), rtol=1e-5)


@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_a_list_of_numbers_is_an_array(method: str) -> None:
    times = np.linspace(0.0, 1.0, 4)
    for f in (lambda t, y: [y[1], -y[0]], lambda t, y: (y[1], -y[0]), lambda t, y: y[::-1] * np.array([1.0, -1.0])):
        y = odeint(f, [1, 0], times, method=method, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(y, np.stack([np.cos(times), -np.sin(times)], axis=1), rtol=1e-7, atol=1e-8)
    rows = odeint(lambda t, y: -y, [[1.0, 2.0], [3.0, 4.0]], times, method=method)
    assert rows.shape == (4, 2, 2)
    tracked = odeint(lambda t, y: -y, [[ad.Value(1.0), 2.0], [3.0, 4.0]], times, method=method)
    np.testing.assert_array_equal(tracked.numpy(), rows)
    slope = ad.grad(lambda a: odeint(lambda t, y: -y, [a, 0.0], [0.0, 1.0], rtol=1e-9, method=method)[-1, 0])
    np.testing.assert_allclose(slope(2.0), np.exp(-1.0), rtol=1e-7)


def test_a_list_of_arrays_stays_a_list() -> None:
    y = odeint(lambda t, y: [-y[0], y[1]], [np.ones(2), 1.0], [0.0, 1.0])
    assert type(y) is list
    assert [part.shape for part in y] == [(2, 2), (2,)]
