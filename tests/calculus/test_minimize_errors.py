"""How a search for a minimum ends where it cannot succeed, or only up to rounding."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.minimize import OWN, minimize
from autodiff.calculus.scipy_methods import METHODS
from autodiff.core.errors import (
    ArgumentError,
    CompileError,
    ConvergenceError,
    DivergenceError,
    KindError,
    MissingExtraError,
    NotFiniteError,
    ShapeError,
    SingularError,
)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def himmelblau(p):
    return (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2


def test_unknown_methods():
    with pytest.raises(
        ArgumentError, match=r"minimize got method='Powell'; there are 'gradient descent', .*'trust-con"
    ):
        minimize(rosenbrock, [0.0, 0.0], method="Powell")


@pytest.mark.parametrize("method", [*OWN, "CG", "L-BFGS-B"])
def test_falling_without_end(method):
    with pytest.raises((DivergenceError, ConvergenceError), match="minimize") as caught:
        minimize(lambda x: -(x[0] ** 2) - x[1], [1.0, 1.0], method=method)
    if method in OWN:
        assert isinstance(caught.value, DivergenceError)
        assert "goes on falling: there is no minimum. Give bounds" in str(caught.value)
    assert caught.value.reached.path.shape[1] == 2


@pytest.mark.parametrize("method", [*OWN, *METHODS])
def test_too_few_steps(method):
    with pytest.raises(ConvergenceError, match=r"took 5 steps, .* above gtol=1e-08.* Take more steps") as caught:
        minimize(rosenbrock, [-1.2, 1.0], method=method, max_steps=5)
    reached = caught.value.reached
    assert not reached.success
    assert 1 < reached.nit <= 6
    assert reached.fun < rosenbrock(np.array([-1.2, 1.0]))


@pytest.mark.parametrize("method", OWN)
def test_a_kink(method):
    with pytest.raises(ConvergenceError, match=r"is stuck at x = .* may have a kink or a jump"):
        minimize(lambda x: np.maximum(3 * x[0] + x[1], x[1] ** 2 - x[0]) + 0.1 * x[0] ** 2, [0.7, 0.4], method=method)


def with_a_jump(x):
    f = ((x - 1) ** 2).sum()
    return f * np.where(f < 1, np.nan, 1.0)


@pytest.mark.parametrize(
    ("f", "x0", "method"),
    [
        (himmelblau, [-0.270845, -0.923039], "dogleg"),  # nearly the maximum
        (with_a_jump, [-3.0, -3.0], "trust-constr"),
        (lambda x: np.log(x).sum(), [0.5, 1.0], "trust-constr"),
        (lambda x: np.maximum(3 * x[0] + x[1], x[1] ** 2 - x[0]) + 0.1 * x[0] ** 2 + 1e7, [0.7, 0.4], "bfgs"),
    ],
)
def test_what_no_method_may_call_a_success(f, x0, method):
    with pytest.raises(ConvergenceError, match="is stuck at x = ") as caught:
        minimize(f, x0, method=method)
    assert not caught.value.reached.success


@pytest.mark.parametrize(
    ("f", "x0", "method"),
    [
        (lambda x: 1e9 + np.sum((x - 1) ** 2 * [1.0, 100.0]), [5.0, -7.0], "bfgs"),
        (lambda x: np.sum(np.logspace(0, 8, 6) * x**2) - x.sum(), np.ones(6), "L-BFGS-B"),  # condition number 1e8
        (lambda x: 1e12 * np.sum((x - 1) ** 2 * [1.0, 100.0]), [5.0, -7.0], "trust-exact"),
    ],
)
def test_what_rounding_hides_is_told(f, x0, method):
    found = minimize(f, x0, method=method, gtol=1e-14)
    assert found.success
    assert "rounding hides the rest" in found.message or np.abs(found.jac).max() <= 1e-14
    h = 1e-4 * np.abs(found.x)
    assert all(found.fun <= f(found.x + s * d) for d in np.diag(h) for s in (1, -1))


@pytest.mark.parametrize("method", ["bfgs", "CG", "SLSQP"])
def test_a_function_that_does_not_depend_on_x(method):
    with pytest.raises(SingularError, match=r"returned the plain number 2.0 at x = .* Compute it from x without .item"):
        minimize(lambda x: ((x - 1) ** 2).sum().item(), np.zeros(2), method=method)


@pytest.mark.parametrize("method", ["bfgs", "CG"])
def test_not_finite_at_the_start(method):
    with pytest.raises(NotFiniteError, match=r"minimize: the function returned nan at x = \[-1.0, 2.0\]"):
        minimize(lambda x: np.log(x).sum(), [-1.0, 2.0], method=method)


@pytest.mark.parametrize("method", OWN)
def test_the_search_steps_back_from_where_there_is_no_value(method):
    found = minimize(lambda x: (x - np.log(x)).sum(), [0.01, 5.0], method=method)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-7)


def test_other_arguments():
    with pytest.raises(ShapeError, match=r"The function to minimize returned shape \(2,\); it returns one number"):
        minimize(lambda x: x**2, [1.0, 2.0])
    with pytest.raises(KindError, match=r"returned .*; it returns one real number"):
        minimize(lambda x: None, 1.0)
    for x0 in ("a", None, True, 1j, [[1.0], [2.0, 3.0]]):
        with pytest.raises(KindError, match="to start from; it is made of real numbers"):
            minimize(lambda x: x, x0)
    with pytest.raises(KindError, match="returned numbers of type complex128; it returns one real number"):
        minimize(lambda x: x[0] * 1j, [1.0, 2.0])
    with pytest.raises(ArgumentError, match=r"options=\[1\]; they are a dict"):
        minimize(rosenbrock, [0.0, 0.0], method="BFGS", options=[1])
    with pytest.raises(
        ArgumentError, match=r"got simplex, which 'L-BFGS-B' does not take; .* 'SLSQP', 'trust-constr' do"
    ):
        minimize(rosenbrock, [0.0, 0.0], method="L-BFGS-B", simplex=1.0)
    for bounds in ("a", "ab", 3, {"a": 1}, (0, 1j), (0, 1, 2), [(0, 1), (0, 1, 2)]):
        with pytest.raises(ArgumentError, match="for 2 unknowns; they are one pair"):
            minimize(rosenbrock, [0.0, 0.0], bounds=bounds)
    with pytest.raises(ArgumentError, match="gtol=0; it is a number above 0"):
        minimize(rosenbrock, [0.0, 0.0], gtol=0)
    with pytest.raises(ArgumentError, match="max_steps=0; it is a whole number"):
        minimize(rosenbrock, [0.0, 0.0], max_steps=0)
    with pytest.raises(ArgumentError, match="which are for SciPy's methods"):
        minimize(rosenbrock, [0.0, 0.0], options={"a": 1})
    with pytest.raises(ArgumentError, match="got constraints, which 'bfgs' does not take"):
        minimize(rosenbrock, [0.0, 0.0], constraints={"type": "eq", "fun": lambda x: x[0]})
    with pytest.raises(ArgumentError, match="'L-BFGS-B', 'TNC', 'SLSQP', 'trust-constr' do"):
        minimize(rosenbrock, [0.0, 0.0], method="CG", bounds=(0, 1))
    with pytest.raises(ArgumentError, match=r"got the bounds 1.0 and 0.0 for entry 0"):
        minimize(rosenbrock, [0.0, 0.0], bounds=(1, 0))
    with pytest.raises(ArgumentError, match="for 2 unknowns; they are one pair"):
        minimize(rosenbrock, [0.0, 0.0], bounds=[(0, 1)] * 3)
    with pytest.raises(ArgumentError, match="bounds and simplex"):
        minimize(rosenbrock, [0.0, 0.0], bounds=(0, 1), simplex=1)
    with pytest.raises(ArgumentError, match="simplex=-1; it is what the entries add up to"):
        minimize(rosenbrock, [0.0, 0.0], simplex=-1)
    with pytest.raises(ArgumentError, match="got the constraint 3; it is a NonlinearConstraint"):
        minimize(rosenbrock, [0.0, 0.0], method="SLSQP", constraints=[3])


def test_it_is_not_compiled():
    with pytest.raises(CompileError, match="minimize cannot be compiled"):
        ad.compile(lambda a: minimize(lambda x: (x - a) ** 2, 0.0).x)(1.0)


def test_a_batch_is_taken_one_by_one():
    found = ad.vmap(lambda a: minimize(lambda x: ((x - a) ** 2).sum(), np.zeros(2)).x)(np.arange(6.0).reshape(3, 2))
    np.testing.assert_allclose(found, np.arange(6.0).reshape(3, 2), atol=1e-8)


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(MissingExtraError, match="scipy"):
        minimize(rosenbrock, [0.0, 0.0], method="CG")
    assert minimize(rosenbrock, [0.0, 0.0]).success
