"""Minima: against SciPy and closed forms; derivatives of the answer, bounds, constraints, paths."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize

import autodiff as ad
from autodiff.calculus.minimize import OWN, minimize
from autodiff.calculus.scipy_methods import METHODS
from autodiff.core.errors import ArgumentError, KindError, SingularError


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def beale(p):
    x, y = p[0], p[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def himmelblau(p):
    return (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2


def powell(x):
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


def booth(p):
    return (p[0] + 2 * p[1] - 7) ** 2 + (2 * p[0] + p[1] - 5) ** 2


def rastrigin(x):
    return np.sum(x**2 - 10 * np.cos(2 * np.pi * x) + 10)


def quartic(x):
    """Convex, with the minimum at 0 and curvatures from 2 to 20."""
    return np.sum(np.linspace(1, 10, 5) * x**2) + np.sum(x) ** 4 + 0.1 * np.sum(x**3)


PROBLEMS = {
    "beale": (beale, [1.0, 1.0], [3.0, 0.5], 1e-6),
    "himmelblau": (himmelblau, [2.0, 2.5], [3.0, 2.0], 1e-8),
    "booth": (booth, [-4.0, 7.0], [1.0, 3.0], 1e-8),
    "powell": (powell, [3.0, -1.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], 3e-2),  # of fourth order: flat
    "rastrigin": (rastrigin, [0.1, -0.2, 0.05], [0.0, 0.0, 0.0], 1e-8),
    "quartic": (quartic, [1.0, -1.0, 0.5, 2.0, 0.3], [0.0] * 5, 1e-8),
}


@pytest.mark.parametrize(
    ("problem", "method"),
    [(p, m) for p in PROBLEMS for m in OWN if (p, m) != ("powell", "gradient descent")],  # that takes a million steps
)
def test_own_methods_find_published_minima(problem, method):
    f, x0, expected, tolerance = PROBLEMS[problem]
    gtol = 1e-5 if problem == "powell" else 1e-8
    found = minimize(f, x0, method=method, gtol=gtol)
    assert found.success
    assert np.abs(found.x - expected).max() < tolerance
    assert np.abs(found.jac).max() <= gtol
    assert found.fun == pytest.approx(f(found.x), abs=1e-15)
    assert found.path.shape == (found.nit + 1, len(x0))
    np.testing.assert_array_equal(found.path[0], x0)
    np.testing.assert_array_equal(found.path[-1], found.x)


@pytest.mark.parametrize("method", ["newton", "bfgs"])
@pytest.mark.parametrize("n", [2, 5, 20])
def test_rosenbrock_in_many_dimensions(n, method):
    x0 = np.zeros(n)  # elsewhere there is another minimum, near (-1, 1, ..., 1)
    found = minimize(rosenbrock, x0, method=method)
    assert np.abs(found.jac).max() <= 1e-8
    reference = optimize.minimize(rosenbrock, x0, method="BFGS", jac=optimize.rosen_der, options={"gtol": 1e-8})
    np.testing.assert_allclose(found.x, reference.x, atol=1e-6)
    assert found.nfev <= 2 * reference.nfev


@pytest.mark.parametrize("method", METHODS)
def test_scipys_methods_get_exact_derivatives(method):
    found = minimize(rosenbrock, [-1.2, 1.0, 0.8], method=method)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-6)
    assert found.success
    assert found.method == method
    assert found.nfev < 400
    assert (found.nhev > 1) == bool(METHODS[method].second)  # one tells what is rounding
    assert len(found.path) > 5


@pytest.mark.parametrize("method", ["CG", "BFGS", "L-BFGS-B", "Newton-CG", "trust-ncg", "trust-exact", "dogleg"])
def test_as_many_evaluations_as_scipy_with_derivatives_by_hand(method):
    start = [0.9, 0.7] if method == "dogleg" else [-1.2, 1.0]
    found = minimize(rosenbrock, start, method=method, gtol=1e-6)
    second = {"products": {"hessp": optimize.rosen_hess_prod}, "matrix": {"hess": optimize.rosen_hess}, "": {}}
    reference = optimize.minimize(
        optimize.rosen,
        start,
        method=method,
        jac=optimize.rosen_der,
        options={name: of(1e-6) for name, of in METHODS[method].tolerances.items()},
        **second[METHODS[method].second],
    )
    assert found.nfev == reference.nfev
    np.testing.assert_allclose(found.x, reference.x, atol=1e-9)


def errors(method):
    found = minimize(quartic, [0.5, -0.4, 0.3, 0.2, 0.1], method=method, gtol=1e-9)
    return np.linalg.norm(found.path, axis=1)


def test_gradient_descent_converges_linearly():
    e = errors("gradient descent")[5:]
    ratio = (e[-1] / e[0]) ** (1 / (len(e) - 1))
    assert 0.2 < ratio < 0.95
    halves = np.log(e[len(e) // 2] / e[0]), np.log(e[-1] / e[len(e) // 2])
    assert 0.5 < halves[0] / halves[1] < 2  # the same factor in the first half as in the second


def test_newton_converges_quadratically():
    e = errors("newton")
    e = e[(e > 1e-14) & (e < 0.3)]
    slopes = np.log(e[2:] / e[1:-1]) / np.log(e[1:-1] / e[:-2])
    assert slopes[-1] == pytest.approx(2.0, abs=0.25)


def test_bfgs_converges_superlinearly():
    e = errors("bfgs")
    ratios = e[1:] / e[:-1]
    assert ratios[-1] < 0.1
    assert ratios[-1] < ratios[-2] < 0.5 * ratios[:3].max()


def test_newton_gets_past_an_indefinite_hessian():
    found = minimize(lambda x: x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2, [0.1, 1.0], method="newton")
    np.testing.assert_allclose(np.abs(found.x), [1.0, 0.0], atol=1e-8)


def test_least_norm():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 6)), rng.normal(size=3)
    found = minimize(
        lambda x: (x**2).sum(), np.ones(6), method="SLSQP", constraints={"type": "eq", "fun": lambda x: a @ x - b}
    )
    np.testing.assert_allclose(found.x, np.linalg.pinv(a) @ b, atol=1e-8)


RNG = np.random.default_rng(1)
M = RNG.normal(size=(6, 6))
Q = M @ M.T + np.eye(6)
C = RNG.normal(size=6) * 5


def bowl(x):
    return 0.5 * x @ Q @ x - C @ x + 0.1 * np.sum(x**4)


@pytest.mark.parametrize("method", OWN)
@pytest.mark.parametrize("limits", [{"bounds": (-0.2, 0.5)}, {"simplex": 1.0}, {"simplex": 3.0}, {"bounds": (0, None)}])
def test_box_and_simplex_beside_slsqp(limits, method):
    found = minimize(bowl, np.full(6, 0.2), method=method, **limits)
    total = limits.get("simplex")
    bounds = [(0, None)] * 6 if total else [limits["bounds"]] * 6
    reference = optimize.minimize(
        bowl,
        np.full(6, 0.2),
        method="SLSQP",
        bounds=bounds,
        constraints={"type": "eq", "fun": lambda x: x.sum() - total} if total else (),
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(found.x, reference.x, atol=1e-5)
    assert found.fun <= reference.fun + 1e-12
    held = (found.x == 0) | (found.x == -0.2) | (found.x == 0.5)
    assert held.any()
    if total:
        assert found.x.sum() == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP", "trust-constr"])
def test_bounds_are_passed_through(method):
    found = minimize(bowl, np.full(6, 0.2), method=method, bounds=(-0.2, 0.5))
    np.testing.assert_allclose(found.x, minimize(bowl, np.full(6, 0.2), bounds=(-0.2, 0.5)).x, atol=1e-4)
    assert found.fun == pytest.approx(minimize(bowl, np.full(6, 0.2), bounds=(-0.2, 0.5)).fun, rel=1e-4)


@pytest.mark.parametrize("bounds", [(0.0, 0.25), [(0, 0.25), (0, 0.25)], optimize.Bounds([0, 0], [0.25, 0.25])])
def test_spellings_of_bounds(bounds):
    np.testing.assert_allclose(minimize(rosenbrock, [0.1, 0.1], bounds=bounds).x, [0.25, 0.0625], atol=1e-8)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints_get_exact_derivatives(method):
    disc = optimize.NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, -np.inf, 1.0)
    line = optimize.LinearConstraint([[1.0, -1.0]], 0.2, 0.2)
    found = minimize(rosenbrock, [0.7, 0.5], method=method, constraints=[disc, line])
    t = optimize.minimize_scalar(lambda t: rosenbrock(np.array([t, t - 0.2])), bounds=(0.5, 0.8), method="bounded").x
    np.testing.assert_allclose(found.x, [t, t - 0.2], atol=1e-4)


# The structure of the unknowns


def test_numbers_arrays_and_structures():
    assert minimize(lambda x: (x - 2) ** 2 + 1, 0).x == pytest.approx(2.0, abs=1e-8)
    assert type(minimize(lambda x: (x - 2) ** 2 + 1, 0).x) is float
    target = np.arange(6.0).reshape(2, 3)
    found = minimize(lambda x: ((x - target) ** 2).sum(), np.zeros((2, 3)))
    np.testing.assert_allclose(found.x, target, atol=1e-8)
    assert found.jac.shape == (2, 3)
    found = minimize(lambda p: ((p["w"] - 1) ** 2).sum() + (p["b"] - p["w"][0]) ** 2, {"w": np.zeros(2), "b": 3.0})
    np.testing.assert_allclose(found.x["w"], [1, 1], atol=1e-8)
    assert found.x["b"] == pytest.approx(1.0, abs=1e-8)


def test_single_precision_and_other_kinds_of_numbers():
    found = minimize(lambda x: ((x - 1) ** 2).sum(), np.zeros(3, np.float32))
    assert found.x.dtype == np.float64
    np.testing.assert_allclose(found.x, 1.0, atol=1e-8)
    for x0 in (Fraction(1, 2), Decimal(3), np.float32(2), ad.Value(2.0), np.array(0)):
        assert minimize(lambda x: (x - 1) ** 2, x0).x == pytest.approx(1.0, abs=1e-8)
    np.testing.assert_allclose(minimize(lambda x: (x**2).sum(), [Fraction(1, 2), Decimal(3)]).x, [0, 0], atol=1e-8)


@pytest.mark.parametrize("method", [*OWN, *METHODS])
def test_no_unknowns(method):
    empty = minimize(lambda x: (x**2).sum() + 3.0, np.zeros(0), method=method)
    assert empty.x.shape == (0,)
    assert empty.fun == 3.0


@pytest.mark.parametrize("method", [*OWN, "L-BFGS-B", "TNC", "SLSQP", "trust-constr"])
def test_a_start_outside_is_moved_inside(method):
    found = minimize(lambda x: (x - np.log(x)).sum(), [-9.0, 5.0], method=method, bounds=(0.5, None))
    np.testing.assert_allclose(found.x, [1.0, 1.0], atol=1e-6)
    np.testing.assert_array_equal(found.path[0], [0.5, 5.0])


# Implicit differentiation

A = np.array([0.3, 1.0, -0.2])


def coupled(x, a):
    return ((x - a) ** 2).sum() + (x**4).sum() + x[0] * x[1] * a[2]


LIMITS = {
    "free": {},
    "box": {"bounds": (0.0, 0.4)},
    "simplex": {"simplex": 1.0},
}


@pytest.mark.parametrize("method", ["newton", "bfgs"])
@pytest.mark.parametrize("limits", LIMITS)
def test_the_minimizer_is_differentiable_twice(limits, method):
    def answer(a):
        found = minimize(lambda x: coupled(x, a), [0.3, 0.3, 0.4], method=method, gtol=1e-11, **LIMITS[limits])
        return found.x, found.fun

    if limits != "free":
        assert {0.0, 0.4} & {*answer(A)[0].tolist()}
    ad.testing.check_gradients(answer, A, order=2 if method == "newton" else 1)


def test_the_minimizer_by_closed_form():
    q = ad.Tensor(Q)
    c = ad.Tensor(C)
    x = minimize(lambda x: 0.5 * x @ q @ x - c @ x, np.zeros(6), method="newton").x
    weights = np.arange(6.0)
    (x * weights).sum().backward()
    w = np.linalg.solve(Q, weights)
    np.testing.assert_allclose(c.grad, w, rtol=1e-8)
    solution = np.linalg.solve(Q, C)
    np.testing.assert_allclose(q.grad, -(np.outer(w, solution) + np.outer(solution, w)) / 2, rtol=1e-7, atol=1e-10)


def test_the_lowest_value_has_the_derivative_of_the_envelope():
    a = ad.Value(1.5)
    found = minimize(lambda x: (x - a) ** 2 + x**2 * a, 0.0)
    found.fun.backward()
    x = 1.5 / 2.5
    assert a.grad == pytest.approx(-2 * (x - 1.5) + x**2, rel=1e-8)


def test_structures_are_differentiable():
    def answer(a):
        found = minimize(
            lambda p: ((p["w"] - a) ** 2).sum() + (p["b"] - p["w"][0] * a[1]) ** 2,
            {"w": np.zeros(2), "b": 3.0},
            method="newton",
            gtol=1e-11,
        )
        return found.x

    ad.testing.check_gradients(answer, np.array([0.5, 1.5]))


def test_limits_of_constraints_move_the_minimizer():
    def answer(a):
        limit = optimize.NonlinearConstraint(lambda x: (x**2).sum() - a[0], -np.inf, 0.0)
        return minimize(lambda x: ((x - a) ** 2).sum(), [0.1, 0.2], method="SLSQP", constraints=limit, gtol=1e-11).x

    a = np.array([1.0, 2.0])
    np.testing.assert_allclose(answer(a), a / np.sqrt(5), atol=1e-8)  # the nearest point of the circle
    n = np.sqrt(5)
    expected = np.eye(2) / n - np.outer(a, a) / n**3 + np.outer(a, [1, 0]) / (2 * n)
    np.testing.assert_allclose(ad.jacobian(answer)(a), expected, atol=1e-6)


def test_a_flat_minimum_has_no_derivative():
    a = ad.Value(0.0)
    found = minimize(lambda x: (x[0] - a) ** 2 + 0 * x[1], [1.0, 1.0])
    with pytest.raises(SingularError, match="minimize: the answer has no derivative"):
        found.x.sum().backward()


# How it is shown


def test_it_tells_what_was_done():
    text = str(minimize(rosenbrock, [-1.2, 1.0], method="newton"))
    assert text.startswith("newton: f = ")
    assert "21 steps; " in text
    assert "within gtol" in text


def test_paths_are_drawn():
    from autodiff.calculus.paths_plot import plot_paths

    results = [minimize(rosenbrock, x0, method=m) for x0, m in (([-1.2, 1.0], "newton"), ([0.0, 2.0], "bfgs"))]
    ax = plot_paths(*results)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [f"{r.method}, {r.nit} steps" for r in results]
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), results[0].path)
    starts, ends = ([line for line in ax.lines if line.get_marker() == m and len(line.get_xdata()) == 1] for m in "o*")
    np.testing.assert_array_equal([line.get_xydata()[0] for line in starts], [r.path[0] for r in results])
    np.testing.assert_array_equal([line.get_xydata()[0] for line in ends], [r.path[-1] for r in results])
    assert results[0].plot(ax=ax) is ax
    with pytest.raises(ArgumentError, match="3 unknowns; contours are drawn of two"):
        minimize(rosenbrock, [0.0, 0.0, 0.0]).plot()
    with pytest.raises(KindError, match="plot_paths got a list; it draws results of minimize"):
        plot_paths(results)
    with pytest.raises(ArgumentError, match="plot_paths got no result"):
        plot_paths()
    with pytest.raises(ArgumentError, match="plot_paths got 1 labels for 2 results"):
        plot_paths(*results, labels=["a"])
