"""Derivatives of solutions: among the three ways, closed forms, differences, jax; to higher orders, in both modes."""

from __future__ import annotations

import math
import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm_frechet

import autodiff as ad
from autodiff.calculus import linearized, recorded
from autodiff.calculus.odeint import odeint
from autodiff.core.tape import push_forward
from autodiff.testing import check_gradients

WAYS = ("tape", "checkpoint", "adjoint")
TIGHT = {"rtol": 1e-9, "atol": 1e-11}
START, RATES = np.array([10.0, 5.0]), np.array([1.5, 1.0, 3.0, 1.0])
TIMES = np.linspace(0, 1, 5)


def final(start: Any, rates: Any, **options: Any) -> Any:
    """Sum of squares of a solution of Lotka and Volterra's equations."""

    def f(t: Any, y: Any) -> Any:
        both = y[0] * y[1]
        return ad.stack([rates[0] * y[0] - rates[1] * both, rates[3] * both - rates[2] * y[1]])

    return (odeint(f, start, TIMES, **options) ** 2).sum()


JAX = ([37.86071230, 15.48344079], [28.08443642, -211.58329056, -58.54821850, 170.70207151])
"""What jax.experimental.ode.odeint gives, at rtol 1e-10, atol 1e-12, in float64."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_gradients_are_those_of_jax(way: str, method: str) -> None:
    options: Any = TIGHT if method == "dopri5" else {"rtol": 1e-7, "atol": 1e-9}
    by_start, by_rates = ad.grad(final, (0, 1))(START, RATES, method=method, gradient=way, **options)
    np.testing.assert_allclose(by_start, JAX[0], rtol=1e3 * options["rtol"])
    np.testing.assert_allclose(by_rates, JAX[1], rtol=1e3 * options["rtol"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "options", [TIGHT, {"method": "rk4", "step": 0.01}, {"method": "radau", "rtol": 1e-5}], ids=str
)
def test_forward_mode_agrees_with_reverse_mode(way: str, options: Any) -> None:
    v = np.array([0.3, -0.2]), np.array([0.1, 0.2, -0.3, 0.4])
    _, pushed = ad.jvp(lambda a, b: final(a, b, gradient=way, **options), (START, RATES), v)
    pulled = ad.grad(final, (0, 1))(START, RATES, gradient=way, **options)
    exact = way != "adjoint"
    assert pushed == pytest.approx(float(pulled[0] @ v[0] + pulled[1] @ v[1]), rel=1e-10 if exact else 1e-3)


@pytest.mark.parametrize("way", ["tape", "checkpoint"])
@pytest.mark.parametrize("options", [{"rtol": 1e-9, "atol": 1e-12}, {"method": "rk4", "step": 0.1}], ids=str)
def test_check_gradients_to_the_second_order(way: str, options: Any) -> None:
    def f(start: Any, rate: Any) -> Any:
        return odeint(lambda t, y: ad.sin(rate * y) - t * y[::-1], start, [0.0, 0.3, 0.7], gradient=way, **options)

    check_gradients(f, np.array([0.5, -0.3]), np.array([1.2, 0.7]))


def test_check_gradients_of_radau_and_of_the_adjoint_equation() -> None:
    def f(start: Any, rate: Any, **options: Any) -> Any:
        return odeint(lambda t, y: ad.sin(rate * y) - t * y[::-1], start, [0.0, 0.4], rtol=1e-9, atol=1e-11, **options)

    check_gradients(lambda a, b: f(a, b, method="radau"), np.array([0.5, -0.3]), np.array([1.2, 0.7]), order=1)
    check_gradients(lambda a, b: f(a, b, gradient="adjoint"), np.array([0.5, -0.3]), np.array([1.2, 0.7]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["dopri5", "radau"])
def test_hessians_are_those_of_the_closed_form(way: str, method: str) -> None:
    def last(start: Any, rate: Any) -> Any:  # y' = rate y²
        options: Any = {"method": method, "gradient": way, "rtol": 1e-8, "atol": 1e-10}
        return odeint(lambda t, y: rate * y * y, start, [0.0, 0.5, 1.0], **options)[-1]

    found = ad.hessian(last, (0, 1))(0.5, 0.8)
    expected = ad.hessian(lambda start, rate: 1 / (1 / start - rate), (0, 1))(0.5, 0.8)
    np.testing.assert_allclose(found, expected, rtol=2e-5)


def test_the_third_derivative() -> None:
    third = ad.derivative(lambda a: odeint(lambda t, y: a * y, 1.0, [0.0, 1.0], **TIGHT)[-1], 0.7, n=3)
    assert third == pytest.approx(np.exp(0.7), rel=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_derivatives_by_the_times(way: str) -> None:
    def last(t0: Any, t1: Any) -> Any:  # y' = t y
        return odeint(lambda t, y: y * t, 1.3, [t0, t1], gradient=way, **TIGHT)[-1]

    def exact(t0: Any, t1: Any) -> Any:
        return 1.3 * ad.exp((t1**2 - t0**2) / 2)

    np.testing.assert_allclose(ad.grad(last, (0, 1))(0.3, 1.1), ad.grad(exact, (0, 1))(0.3, 1.1), rtol=1e-7)
    np.testing.assert_allclose(ad.hessian(last, (0, 1))(0.3, 1.1), ad.hessian(exact, (0, 1))(0.3, 1.1), rtol=1e-5)


def test_the_cotangent_of_each_time_is_the_rate_there() -> None:
    times = np.array([0.5, 1.0, 1.0, 2.0])
    g = np.array([3.0, 5.0, 7.0, 11.0])
    y, pull = ad.vjp(lambda times: odeint(lambda t, y: -y, 2.0, times, **TIGHT), times)
    (found,) = pull(g)
    np.testing.assert_allclose(found[1:], -g[1:] * y[1:], rtol=1e-8)
    assert found[0] == pytest.approx(-found[1:].sum(), rel=1e-7)  # only differences of times matter here


def test_a_gradient_by_all_at_once() -> None:
    def f(start: Any, rate: Any, times: Any) -> Any:
        return odeint(lambda t, y: rate * y, start, times, **TIGHT).sum()

    def exact(start: Any, rate: Any, times: Any) -> Any:
        return (start * ad.exp(rate * (times - times[0])[:, None])).sum()

    point = np.array([1.0, 2.0]), np.array([0.3, -0.4]), np.array([0.0, 0.5, 1.5])
    for found, expected in zip(ad.grad(f, (0, 1, 2))(*point), ad.grad(exact, (0, 1, 2))(*point), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("way", WAYS)
def test_nested_states_and_values(way: str) -> None:
    def f(state: Any, rate: Any) -> Any:
        def flow(t: Any, s: Any) -> Any:
            return {"a": -rate * s["a"], "b": (s["b"][0] * 0 + s["a"].sum(),)}

        y = odeint(flow, state, [0.0, 1.0, 2.0], gradient=way, **TIGHT)
        return y["a"][-1].sum() + y["b"][0][-1]

    a, b = ad.Tensor(np.ones((2, 2))), ad.Value(1.0)
    rate = ad.Value(0.5)
    f({"a": a, "b": (b,)}, rate).backward()
    e = np.exp(-1.0)
    np.testing.assert_allclose(a.grad, np.full((2, 2), e + 2 * (1 - e)), rtol=1e-7)
    assert b.grad == pytest.approx(1.0)
    # 4 (exp(-2 r) + (1 - exp(-2 r)) / r)
    assert rate.grad == pytest.approx(4 * (-2 * e + 2 * e / 0.5 - (1 - e) / 0.25), rel=1e-6)


@pytest.mark.parametrize("way", ["tape", "checkpoint"])
def test_leapfrog(way: str) -> None:
    def last(length: Any, options: Any) -> Any:
        q, v = odeint(lambda t, s: (s[1], -ad.sin(s[0]) / length), (1.0, 0.2), [0.0, 1.0, 2.0], **options)
        return q[-1] + v[1] ** 2

    found = ad.grad(last)(1.5, {"method": "leapfrog", "step": 0.01, "gradient": way})
    assert found == pytest.approx(ad.grad(last)(1.5, TIGHT), rel=2e-4)
    slow = {"method": "leapfrog", "step": 0.1, "gradient": way}
    check_gradients(lambda length: last(length, slow), np.array(1.5))


@pytest.mark.parametrize("way", WAYS)
def test_what_is_used_late_is_not_forgotten(way: str) -> None:
    late = ad.Value(0.5)
    y = odeint(lambda t, y: y if t < 1 else late * y, 1.0, [0.0, 1.0, 2.0], gradient=way, **TIGHT)
    y[-1].backward()
    assert late.grad == pytest.approx(np.exp(1.5), rel=1e-4)


def test_plain_in_plain_out_and_no_grad() -> None:
    a = ad.Value(0.5)
    assert type(odeint(lambda t, y: -y, 1.0, [0.0, 1.0])) is np.ndarray
    with ad.no_grad():
        y = odeint(lambda t, y: -a * y, 1.0, [0.0, 1.0])
    assert type(y) is np.ndarray


def test_one_node_stands_for_it() -> None:
    a = ad.Tensor([0.5, 0.6])
    y = odeint(lambda t, y: -a * y, np.ones(2), [0.0, 10.0])
    assert len(ad.Tape(y)) == 2


@pytest.mark.parametrize("way", WAYS)
def test_the_constant_function_has_zero_gradients(way: str) -> None:
    g = ad.grad(lambda y: odeint(lambda t, y: np.ones(2), y, [0.0, 1.0], gradient=way).sum())(np.zeros(2))
    np.testing.assert_allclose(g, [2.0, 2.0])


@pytest.mark.parametrize("way", WAYS)
def test_float32_gradients(way: str) -> None:
    g = ad.grad(lambda y: odeint(lambda t, y: -y, y, [0.0, 1.0], rtol=1e-4, gradient=way)[-1].sum())(
        np.ones(2, np.float32)
    )
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, np.exp(-1), rtol=1e-5)


def test_steps_are_not_kept_where_nobody_needs_them() -> None:
    plain = odeint(lambda t, y: -y, np.ones(2), [0.0, 1.0])
    trajectory = odeint(lambda t, y: -y, np.ones(2), [0.0, 1.0], full_output=True)
    assert type(plain) is np.ndarray
    assert len(trajectory.path) == trajectory.steps
    rate = ad.Tensor([1.0, 2.0])
    forgetful = odeint(lambda t, y: -rate * y, np.ones(2), [0.0, 1.0], gradient="checkpoint")
    assert all(step.memory is None for step in forgetful.rule.path)


def test_a_function_that_no_batch_can_take() -> None:
    """It asks for a number: the steps then go back one after another."""

    def last(rate: Any, way: str) -> Any:
        def f(t: Any, y: Any) -> Any:
            return ad.stack([-rate * y[0], y[0] if float(t) < 0.5 else 0 * y[0]])

        return odeint(f, np.array([1.0, 0.0]), [0.0, 0.5, 1.0], gradient=way, **TIGHT)[-1].sum()

    assert ad.grad(last)(0.8, "tape") == pytest.approx(ad.grad(last)(0.8, "checkpoint"), rel=1e-12)


def test_a_function_that_uses_vmap_itself() -> None:
    def last(rate: Any) -> Any:
        return odeint(lambda t, y: -ad.vmap(lambda x: x * x)(y) * rate, np.ones(3), [0.0, 1.0], **TIGHT)[-1].sum()

    assert ad.grad(last)(1.0) == pytest.approx(-0.75, rel=1e-6)


def test_a_batch_that_fails_on_the_way_back_leaves_nothing_behind(monkeypatch):
    """The steps one by one then find the whole gradient, and add none of it to what the batch had found."""

    def end(a, b):
        return odeint(lambda t, y: a * y + b, 1.0, [0.0, 1.0])[-1]

    expected = ad.grad(end, argnums=(0, 1))(0.5, 0.3)
    swept, pull_back = [], recorded.pull_back

    def failing(*args):
        swept.extend(pull_back(*args))
        raise RuntimeError

    monkeypatch.setattr(recorded, "pull_back", failing)
    assert ad.grad(end, argnums=(0, 1))(0.5, 0.3) == pytest.approx(expected, rel=1e-12)
    assert swept


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [3, 30])  # below and above the size from where the stages go one by one
def test_the_gradient_of_a_matrix_exponential(n: int, way: str) -> None:
    """The solution of y' = W y ends at expm(W) y0, whose derivative SciPy has too."""
    rng = np.random.default_rng(n)
    weight, y0, c, v = rng.normal(size=(n, n)) / n**0.5, rng.normal(size=n), rng.normal(size=n), rng.normal(size=(n, n))

    def end(y0: Any, weight: Any) -> Any:
        return odeint(lambda t, y: weight @ y, y0, [0.0, 0.4, 1.0], gradient=way, **TIGHT)[-1]

    exact, along = expm_frechet(weight, v)
    by_start, by_weight = ad.grad(lambda *args: c @ end(*args), (0, 1))(y0, weight)
    np.testing.assert_allclose(by_start, exact.T @ c, rtol=0, atol=1e-7)
    np.testing.assert_allclose((by_weight * v).sum(), c @ along @ y0, rtol=1e-6)
    pushed = ad.jvp(end, (y0, weight), (c, v))[1]
    np.testing.assert_allclose(pushed, exact @ c + along @ y0, rtol=0, atol=1e-7)


@pytest.mark.parametrize("n", [2, 25])
@pytest.mark.parametrize("options", [TIGHT, {"method": "rk4", "step": 0.05}], ids=str)
def test_the_steps_together_give_what_they_give_one_by_one(n: int, options: Any, monkeypatch: Any) -> None:
    """With rows at the ends of steps and within them, of what is used as it is, and of what is computed of it first."""
    rng = np.random.default_rng(1)
    point = rng.normal(size=n), rng.normal(size=(n, n)) / n**0.5, rng.normal(size=n), 0.7

    def rows(y0: Any, weight: Any, shift: Any, rate: Any) -> Any:
        def f(t: Any, y: Any) -> Any:
            return ad.softplus(weight) @ y / n - rate * y * ad.cos(t) + ad.where(y > 0, shift * y, y[::-1] * y)

        return odeint(f, y0, [0.0, 0.1, 0.1, 0.32, 1.0], **options)

    g, tangents = rng.normal(size=(5, n)), (np.ones(n), np.ones((n, n)), np.arange(n) / n, 0.3)
    derivatives = [lambda: ad.vjp(rows, *point)[1](g), lambda: ad.jvp(rows, point, tangents)[1:]]
    together = [derivative() for derivative in derivatives]
    monkeypatch.setattr(linearized, "LARGEST", -1)
    for found, derivative in zip(together, derivatives, strict=True):
        for x, expected in zip(found, derivative(), strict=True):
            np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
def test_rates_that_changed_since_are_refused(way: str) -> None:
    scale = np.ones(2)
    rate = ad.Tensor([0.3, 0.4])

    def f(t: Any, y: Any) -> Any:
        return -rate * scale * math.cos(t) * y  # math.cos takes one time: no record of all stages is kept

    y = odeint(f, np.ones(2), [0.0, 1.0], gradient=way)
    scale[:] = 2
    with pytest.raises(ad.errors.TapeError, match="other rates when it was called again"):
        y[-1].sum().backward()
    with pytest.raises(ad.errors.TapeError, match="other rates when it was called again"):
        push_forward([y], [rate], [np.ones(2)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [3, 30])
def test_a_function_that_draws_is_refused(n: int, way: str) -> None:
    rng = np.random.default_rng(0)

    def end(rate: Any) -> Any:
        f = lambda t, y: -rate * rng.uniform(0.9, 1.1) * y  # noqa: E731
        return odeint(f, np.ones(n), [0.0, 1.0], method="rk4", step=0.1, gradient=way)[-1].sum()

    for derivative in (ad.grad(end), ad.grad(ad.grad(end))):
        with pytest.raises(ad.errors.TapeError, match="may draw random numbers"):
            derivative(0.7)


def test_two_threads_may_differentiate_one_checkpointed_solution() -> None:
    rate, others = ad.Tensor(0.7), []

    def f(t: Any, y: Any) -> Any:
        if others and t == 0.625:  # in the middle of a step that is computed again
            other = others.pop()
            other.start()
            other.join()
        return -rate * y * y

    def end(gradient: str) -> Any:
        return odeint(f, 1.0, [0.0, 1.0, 2.0], method="rk4", step=0.25, gradient=gradient)[-1]

    end("tape").backward()
    expected, rate.grad, y = rate.grad, None, end("checkpoint")
    others.append(threading.Thread(target=y.backward))
    y.backward()
    assert rate.grad == pytest.approx(2 * expected, rel=1e-12)


@pytest.mark.parametrize("way", ["tape", "checkpoint"])
def test_what_is_far_larger_than_the_state_is_not_recorded_at_all_stages(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, w = 100, np.full((100, 100), 1 / 100)
    monkeypatch.setattr(linearized, "LARGEST", 2**18)

    def total(rate: Any) -> Any:  # exp(-rate) in each entry
        f = lambda t, y: -rate * (w * y).sum(1)  # noqa: E731
        return odeint(f, np.ones(n), [0.0, 1.0], method="rk4", step=0.02, gradient=way)[-1].sum()

    tracemalloc.start()
    try:
        found = ad.grad(total)(0.7)
        assert tracemalloc.get_traced_memory()[1] < 5e6  # all stages at once would take 16e6 for each product
    finally:
        tracemalloc.stop()
    assert found == pytest.approx(-n * math.exp(-0.7), rel=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_a_state_of_no_entries(way: str) -> None:
    def total(y0: Any, w: Any) -> Any:
        return odeint(lambda t, y: ad.tanh(w @ y) - y, y0, [0.0, 0.3, 1.0], gradient=way).sum()

    by_start, by_weights = ad.grad(total, (0, 1))(np.zeros(0), np.zeros((0, 0)))
    assert by_start.shape == (0,)
    assert by_weights.shape == (0, 0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [3, 30])
def test_a_rate_that_depends_on_parameters_alone(n: int, way: str) -> None:
    def end(rate: Any) -> Any:
        return odeint(lambda t, y: rate * 1.0, np.zeros(n), [0.0, 0.5, 1.0], gradient=way)[-1].sum()

    np.testing.assert_allclose(ad.grad(end)(np.arange(1.0, n + 1)), np.ones(n), rtol=1e-12)


def test_jacobians_of_many_columns_and_of_many_rows() -> None:
    rates = np.linspace(0.1, 0.6, 6)

    def ends(rates: Any) -> Any:
        return odeint(lambda t, y: -rates * y, np.ones(6), [0.0, 0.5, 1.0], **TIGHT)[1:]

    def some(rates: Any) -> Any:
        return ends(rates)[1, :5]

    exact = -np.exp(-rates)
    np.testing.assert_allclose(ad.jacobian(ends)(rates)[1], np.diag(exact), atol=1e-8)
    np.testing.assert_allclose(ad.jacobian(some)(rates), np.diag(exact)[:5], atol=1e-8)
