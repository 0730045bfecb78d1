"""What holds a minimizer, and how it moves with that."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

import autodiff as ad
from autodiff.calculus.minimize import OWN, minimize
from autodiff.calculus.projections import project_simplex
from autodiff.core.errors import ArgumentError, ConvergenceError, KindError, NotFiniteError, ShapeError

CONSTRAINED = ["SLSQP", "trust-constr"]
A = np.array([0.3, 1.0, -0.2, 0.4, 0.05])


def coupled(x, a):
    return ((x - a[:3]) ** 2).sum() + (x**4).sum() + x[0] * x[1] * a[2]


@pytest.mark.parametrize(
    ("limits", "held"),
    [
        (lambda a: {"bounds": (a[4], a[3])}, 2),
        (lambda a: {"bounds": [(None, a[3]), (None, a[4]), (0.0, None)]}, 2),
        (lambda a: {"bounds": [(a[4], a[4]), (None, None), (a[2], None)]}, 1),  # no room in the first
        (lambda a: {"bounds": [(a[3], a[3] + 1), (None, a[4]), (2 * a[4], None)]}, 3),  # each is held
        (lambda a: {"bounds": (a[4] - 9, a[3] + 9)}, 0),
        (lambda a: {"simplex": a[3]}, 2),
        (lambda a: {"simplex": 5 * a[3]}, 0),
    ],
)
def test_limits_that_hold_the_minimizer_move_it(limits, held):
    def answer(a):
        found = minimize(lambda x: coupled(x, a), [0.3, 0.3, 0.4], method="newton", gtol=1e-12, **limits(a))
        return found.x, found.fun

    plain = minimize(lambda x: coupled(x, A), [0.3, 0.3, 0.4], method="newton", gtol=1e-12, **limits(A)).x
    np.testing.assert_array_equal(answer(ad.Tensor(A))[0].numpy(), plain)
    ad.testing.check_gradients(answer, A, order=2)
    ends = [b for pair in limits(A).get("bounds", ()) for b in np.atleast_1d(pair) if b is not None]
    assert np.isin(plain, [0.0, *ends]).sum() == held


@pytest.mark.parametrize("method", [*OWN, "L-BFGS-B", "TNC", *CONSTRAINED])
def test_a_number_at_its_bound_moves_with_it_alone(method):
    def answer(a, b):
        return minimize(lambda x: (x - a) ** 2, 0.0, method=method, bounds=(None, b)).x

    np.testing.assert_allclose(ad.grad(answer, (0, 1))(1.0, 0.5), (0, 1), atol=1e-12)
    np.testing.assert_allclose(ad.grad(answer, (0, 1))(0.2, 0.5), (1, 0), atol=1e-12)


@pytest.mark.parametrize("method", [*OWN, *CONSTRAINED])
@pytest.mark.parametrize("total", [0.3, 1.0, 2.5])
def test_the_nearest_point_of_a_simplex_is_its_projection(total, method):
    a = np.array([1.0, 0.2, 0.8])

    def answer(a, t):
        return minimize(lambda x: ((x - a) ** 2).sum(), np.ones(3) / 3, method=method, simplex=t, gtol=1e-9).x

    np.testing.assert_allclose(answer(a, total), project_simplex(a, total), atol=1e-6)
    for wrt in (0, 1):
        expected = ad.jacobian(project_simplex, wrt)(a, total)
        np.testing.assert_allclose(ad.jacobian(answer, wrt)(a, total), expected, atol=1e-9)


@pytest.mark.parametrize("method", CONSTRAINED)
def test_bounds_beside_an_equation(method):
    """Here the last entry is held although the gradient of the function alone leads inwards."""
    a = np.array([1.0, 1.0, 0.2])

    def answer(a):
        whole = {"type": "eq", "fun": lambda x: x.sum() - 1}
        f = lambda x: ((x - a) ** 2).sum()  # noqa: E731
        return minimize(f, np.ones(3) / 3, method=method, bounds=(0, None), constraints=whole, gtol=1e-10).x

    np.testing.assert_allclose(answer(a), [0.5, 0.5, 0.0], atol=1e-8)
    np.testing.assert_allclose(ad.jacobian(answer)(a), ad.jacobian(project_simplex)(a), atol=1e-9)


@pytest.mark.parametrize("method", CONSTRAINED)
@pytest.mark.parametrize("unit", [1e-7, 1.0, 1e3])
def test_a_far_limit_does_not_hold_in_whatever_unit(unit, method):
    def answer(a):
        far = {"type": "ineq", "fun": lambda x: unit * (x[0] + 9)}
        return minimize(lambda x: ((x - a) ** 2).sum(), [0.1, 0.2], method=method, constraints=far).x

    np.testing.assert_allclose(ad.jacobian(answer)(np.array([1.0, 2.0])), np.eye(2), atol=1e-12)


@pytest.mark.parametrize("method", CONSTRAINED)
def test_limits_of_constraints_may_be_tracked(method):
    a = np.array([1.0, 2.0])

    def answer(r):
        disc = NonlinearConstraint(lambda x: (x**2).sum(), -np.inf, r)
        return minimize(lambda x: ((x - a) ** 2).sum(), [0.1, 0.2], method=method, constraints=disc, gtol=1e-10).x

    np.testing.assert_allclose(ad.jacobian(answer)(0.5), a / np.sqrt(5) / (2 * np.sqrt(0.5)), atol=1e-6)
    np.testing.assert_allclose(ad.jacobian(answer)(9.0), [0, 0], atol=1e-12)


def test_what_the_bounds_settle_is_no_equation_twice():
    def answer(a):
        first = {"type": "eq", "fun": lambda x: x[0] - 0.3}
        f = lambda x: ((x - a) ** 2).sum()  # noqa: E731
        return minimize(f, [0.1, 0.2], method="SLSQP", bounds=[(0.3, 0.3), (None, None)], constraints=first).x

    np.testing.assert_allclose(ad.jacobian(answer)(np.array([1.0, 2.0])), [[0, 0], [0, 1]], atol=1e-9)


@pytest.mark.parametrize("method", CONSTRAINED)
def test_an_equation_that_is_flat_where_it_holds(method):
    def answer(a):
        equal = {"type": "eq", "fun": lambda x: (x[0] - x[1]) ** 2}
        return minimize(lambda x: ((x - a) ** 2).sum(), [0.1, 0.2], method=method, constraints=equal).x

    np.testing.assert_allclose(answer(np.array([1.0, 2.0])), [1.5, 1.5], atol=1e-6)
    np.testing.assert_allclose(ad.jacobian(answer)(np.array([1.0, 2.0])), np.full((2, 2), 0.5), atol=1e-6)


def test_slsqp_may_call_a_minimum_a_failure():
    """In large units its line search ends in rounding; the answer is that of the equations of Lagrange."""
    rng = np.random.default_rng(0)
    a, c, rows = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(2, 3))
    q = a @ a.T + np.eye(3)
    limit = LinearConstraint(1e3 * rows, -np.inf, -100.0)
    found = minimize(lambda x: x @ q @ x / 2 - c @ x, np.zeros(3), method="SLSQP", constraints=limit)
    both = np.block([[q, rows.T], [rows, np.zeros((2, 2))]])
    x, multipliers = np.split(np.linalg.solve(both, np.concatenate([c, [-0.1, -0.1]])), [3])
    assert multipliers.min() > 0
    np.testing.assert_allclose(found.x, x, atol=1e-9)


def test_spellings_of_tracked_bounds():
    def f(x):
        return ((x - 1) ** 2).sum()

    table = np.array([[0.0, 0.5], [2.0, 3.0], [-1.0, 4.0]])
    gradient = ad.grad(lambda b: minimize(f, np.zeros(3), bounds=b).x.sum())
    np.testing.assert_array_equal(gradient(table), [[0, 1], [1, 0], [0, 0]])
    np.testing.assert_array_equal(gradient(np.array([0.0, 0.5])), [0, 3])
    for spelling in (np.array([0.0, 0.5]), Bounds(0.0, 0.5), [[(0, 0.5)] * 3]):
        np.testing.assert_array_equal(minimize(f, np.zeros(3), bounds=spelling).x, [0.5] * 3)
    each = ad.vmap(lambda b: minimize(f, np.zeros(2), bounds=(None, b)).x)(np.array([0.1, 3.0]))
    np.testing.assert_allclose(each, [[0.1, 0.1], [1, 1]], atol=1e-8)


# What goes wrong


def held_by(constraint, method="SLSQP", x0=(0.1, 0.2)):
    return minimize(lambda x: ((x - [1.0, 2.0]) ** 2).sum(), x0, method=method, constraints=constraint).x


@pytest.mark.parametrize(
    ("constraint", "error", "words"),
    [
        ({"type": "eq", "fun": lambda x: None}, KindError, "the constraint returned None; it returns real numbers"),
        ({"type": "eq", "fun": lambda x: x * 1j}, KindError, "it returns real numbers"),
        ({"type": "eq", "fun": lambda x: x / 0.0}, NotFiniteError, "a constraint: the function returned inf at x = "),
        ({"type": "le", "fun": lambda x: x[0]}, ArgumentError, "it is a NonlinearConstraint or LinearConstraint"),
        (NonlinearConstraint(lambda x: x, [0, 0, 0], 1), ShapeError, "a constraint of 2 values between"),
        (NonlinearConstraint(lambda x: x, 1, 0), ArgumentError, "between 1 and 0; these are numbers, the lower limit"),
        (NonlinearConstraint(lambda x: x, np.nan, 0), ArgumentError, "between nan and 0"),
    ],
)
@pytest.mark.parametrize("method", CONSTRAINED)
def test_wrong_constraints(constraint, error, words, method):
    with pytest.raises(error, match=words):
        held_by(constraint, method)


@pytest.mark.parametrize("method", CONSTRAINED)
@pytest.mark.filterwarnings("ignore:Singular Jacobian matrix")
def test_constraints_that_contradict_each_other(method):
    with pytest.raises(ConvergenceError, match="The constraints may contradict each other") as caught:
        held_by([LinearConstraint([[1, 0]], 1, np.inf), LinearConstraint([[1, 0]], -np.inf, 0)], method)
    assert caught.value.reached.path.shape[1] == 2


def test_a_point_that_no_multipliers_balance_is_no_minimum():
    def with_a_jump(x):
        f = ((x - 1) ** 2).sum()
        return f * np.where(f < 1, np.nan, 1.0)

    far = {"type": "ineq", "fun": lambda x: x[0] + 9}
    with pytest.raises(ConvergenceError, match=r"is stuck at x = .* f was nan at x = "):  # SciPy calls it a success
        minimize(with_a_jump, [-3.0, -3.0], method="trust-constr", constraints=far)


def test_a_search_goes_on_beyond_where_a_constraint_has_no_value():
    found = minimize(
        lambda x: (x[0] - 30) ** 2 + x[1] ** 2,
        [0.5, 0.5],
        method="SLSQP",
        constraints=NonlinearConstraint(lambda x: np.log(3 - x[0]), 0.1, np.inf),
    )
    np.testing.assert_allclose(found.x, [3 - np.exp(0.1), 0.0], atol=1e-8)
