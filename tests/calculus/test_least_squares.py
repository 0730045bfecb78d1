"""Least squares and curve fits: against SciPy and closed forms; derivatives, uncertainties, errors."""

import re

import numpy as np
import pytest
import scipy.optimize

import autodiff as ad
from autodiff.calculus.curve_fit import curve_fit
from autodiff.calculus.least_squares import least_squares
from autodiff.core.errors import (
    ArgumentError,
    CompileError,
    ConvergenceError,
    DivergenceError,
    KindError,
    NotFiniteError,
    ShapeError,
    SingularError,
)
from autodiff.testing import check_gradients

rng = np.random.default_rng(0)
T = np.linspace(0, 4, 20)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.05 * rng.normal(size=20)
SIGMA = 0.02 + 0.1 * rng.random(20)
MIXED = rng.normal(size=(20, 20)) * 0.05
COVARIANCE = MIXED @ MIXED.T + 0.01 * np.eye(20)
BOUNDS = ([0, 0, 0], [3, 1.2, 1])
EXACT = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}


def decay(t, a, k, c):
    return a * ad.exp(-k * t) + c


@pytest.mark.parametrize("sigma", [None, SIGMA, COVARIANCE], ids=["none", "sigma", "covariance"])
@pytest.mark.parametrize("absolute", [False, True])
def test_parameters_and_covariance_are_those_of_scipy(sigma, absolute):
    x, covariance = curve_fit(decay, T, Y, [1, 1, 1], sigma=sigma, absolute_sigma=absolute)
    expected, its = scipy.optimize.curve_fit(decay, T, Y, [1, 1, 1], sigma=sigma, absolute_sigma=absolute, **EXACT)
    np.testing.assert_allclose(x, expected, rtol=1e-7)
    np.testing.assert_allclose(covariance, its, rtol=1e-6)


def test_bounds_are_kept_as_scipy_keeps_them():
    fit = curve_fit(decay, T, Y, [1, 1, 1], bounds=BOUNDS)
    expected, its = scipy.optimize.curve_fit(decay, T, Y, [1, 1, 1], bounds=BOUNDS, **EXACT)
    np.testing.assert_allclose(fit.x, expected, rtol=1e-7)
    np.testing.assert_allclose(fit.covariance, its, rtol=1e-6)
    assert fit.active.tolist() == [False, True, False]


def test_no_point_is_beyond_a_bound_by_a_rounding():
    visited = []

    def f(x):
        visited.append(x.item())
        return x + 1

    assert least_squares(f, 0.7, bounds=(0.1, 2)).x == 0.1  # 0.7 + (0.1 - 0.7) is less
    assert min(visited) == 0.1


def test_gradients_by_the_data():
    check_gradients(lambda y: curve_fit(decay, T, y, [1.0, 1, 1]).x, Y)
    check_gradients(lambda t: curve_fit(decay, t, Y, [1.0, 1, 1]).x, T)
    check_gradients(lambda s: curve_fit(decay, T, Y, [1.0, 1, 1], sigma=s).x, SIGMA, order=1)
    check_gradients(lambda a: curve_fit(decay, T, Y, [1.0, 1, 1], sigma=a * COVARIANCE + np.eye(20)).x, 2.0, order=1)


def test_what_is_at_a_bound_does_not_move():
    def fitted(y):
        return curve_fit(decay, T, y, [1.0, 1, 1], bounds=BOUNDS).x

    check_gradients(fitted, Y)
    assert not ad.jacobian(fitted)(Y)[1].any()


def test_gradients_by_what_the_model_closes_over():
    def fitted(offset):
        return least_squares(lambda p: p["a"] * ad.exp(-p["k"] * T) + offset - Y, {"a": 1.0, "k": 1.0}).x

    check_gradients(fitted, 0.4)


def test_linear_fits_are_those_of_a_closed_form():
    a = rng.normal(size=(12, 3))
    b = rng.normal(size=12)
    fit = least_squares(lambda x: a @ x - b, np.zeros(3))
    np.testing.assert_allclose(fit.x, np.linalg.lstsq(a, b, rcond=None)[0], rtol=1e-12)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(a.T @ a) * (fit.fun @ fit.fun) / 9, rtol=1e-12)
    np.testing.assert_allclose(fit.std, np.sqrt(np.diag(fit.covariance)))
    by_b = ad.jacobian(lambda b: least_squares(lambda x: a @ x - b, np.zeros(3)).x)(b)
    np.testing.assert_allclose(by_b, np.linalg.pinv(a), atol=1e-12)
    assert fit.cost == pytest.approx(fit.fun @ fit.fun / 2)


PROBLEMS = {
    "rosenbrock": (lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], [-1.2, 1.0]),
    "freudenstein": (
        lambda x: [x[0] - 13 + ((5 - x[1]) * x[1] - 2) * x[1], x[0] - 29 + ((x[1] + 1) * x[1] - 14) * x[1]],
        [0.5, -2.0],
    ),
    "jennrich": (
        lambda x: np.stack([2 + 2 * i - np.exp(i * x[0]) - np.exp(i * x[1]) for i in range(1, 11)]),
        [0.3, 0.4],
    ),
    "beale": (
        lambda x: np.stack([y - x[0] * (1 - x[1] ** i) for i, y in ((1, 1.5), (2, 2.25), (3, 2.625))]),
        [1.0, 1.0],
    ),
    "box": (
        lambda x: np.stack(
            [
                np.exp(-0.1 * i * x[0]) - np.exp(-0.1 * i * x[1]) - x[2] * (np.exp(-0.1 * i) - np.exp(-1.0 * i))
                for i in range(1, 8)
            ]
        ),
        [0.0, 10.0, 20.0],
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_known_problems_have_the_minima_that_scipy_finds(name):
    f, start = PROBLEMS[name]

    fit = least_squares(f, np.array(start))
    expected = scipy.optimize.least_squares(lambda x: np.asarray(f(x)), start, method="lm", **EXACT)
    assert fit.cost == pytest.approx(expected.cost, rel=1e-9, abs=1e-20)
    assert fit.nit < 60


def test_published_minimum_of_jennrich_and_sampson():
    f, start = PROBLEMS["jennrich"]
    fit = least_squares(f, np.array(start))
    assert 2 * fit.cost == pytest.approx(124.362, abs=5e-4)
    np.testing.assert_allclose(fit.x, 0.2578, atol=5e-5)


def test_the_gradient_vanishes_to_all_digits():
    fit = least_squares(lambda p: decay(T, *p) - Y, [1.0, 1.0, 1.0])
    assert np.abs(fit.jac.T @ fit.fun).max() < 1e-14


@pytest.mark.parametrize(
    ("bend", "bounded"),
    [
        (lambda z: np.exp(z / 2), True),
        (lambda z: 2 * np.tanh(z) + 0.3 * z, True),
        (lambda z: 2 * np.tanh(z) + 0.3 * z, False),
        (np.square, True),
        (np.square, False),
    ],
)
def test_nothing_leads_further_down(bend, bounded):
    """With large residuals, and bounds that many parameters come to on the way."""
    for seed in range(8):
        draws = np.random.default_rng(seed)
        a, b, start = draws.normal(size=(6, 3)), draws.normal(size=6), draws.normal(size=3)
        low, high = (start - 1.5 * draws.random(3), start + 1.5 * draws.random(3)) if bounded else (-np.inf, np.inf)
        fit = least_squares(lambda x, a=a, b=b: bend(a @ x) - b, start, bounds=(low, high), max_steps=500)
        downhill = -fit.jac.T @ fit.fun
        moved = np.clip(fit.x + downhill, low, high) - fit.x
        assert np.abs(moved).max() < 1e-12


def test_a_step_into_where_a_residual_is_not_finite_is_shortened():
    fit = least_squares(lambda x: ad.log(x) + 3, np.array([3.0]))
    np.testing.assert_allclose(fit.x, np.exp(-3), rtol=1e-12)


def test_structures_and_numbers():
    fit = least_squares(lambda p: [p["a"] - np.array([1.0, 2.0]), p["b"] * 2 - 6], {"a": np.zeros(2), "b": 1})
    np.testing.assert_allclose(fit.x["a"], [1, 2])
    assert fit.x["b"] == pytest.approx(3)
    assert isinstance(fit.x["b"], float)
    assert np.isinf(fit.std["b"])
    one = least_squares(lambda x: x * x - 2, 1.0, bounds=(0, 10))
    assert one.x == pytest.approx(2**0.5)
    held = least_squares(lambda p: [p["a"] - 1, p["b"] - 2], {"a": 0.0, "b": 0.0}, bounds=(0, {"a": 0.5, "b": 9}))
    assert held.x == pytest.approx({"a": 0.5, "b": 2.0})
    assert least_squares(lambda x: np.ones(3), np.zeros(0)).cost == 1.5


@pytest.mark.parametrize("units", [(1e10, 1e-8), (1e-20, 1e3), (1e20, 1e-20)])
def test_parameters_may_be_measured_in_any_units(units):
    def fitted(y, units):
        return least_squares(lambda p: p[0] / units[0] * ad.exp(-p[1] / units[1] * T) - y, np.array(units))

    expected, found = fitted(Y, (1.0, 1.0)), fitted(Y, units)
    np.testing.assert_allclose(found.x / units, expected.x, rtol=1e-12)
    np.testing.assert_allclose(found.std / units, expected.std, rtol=1e-12)
    by_y = [ad.jacobian(lambda y, u=u: fitted(y, u).x / u)(Y) for u in ((1.0, 1.0), units)]
    np.testing.assert_allclose(by_y[1], by_y[0], rtol=1e-10)


def test_bounds_of_a_dict_go_by_its_keys():
    fit = least_squares(lambda p: [p["a"] - 5, p["b"] - 7], {"a": 1.0, "b": 1.0}, bounds=(0, {"b": 9, "a": 2}))
    assert fit.x == pytest.approx({"a": 2.0, "b": 7.0})


MISRA = """10.07 77.6 14.73 114.9 17.94 141.1 23.93 190.8 29.61 239.9 35.18 289.0 40.02 332.8 44.82 378.4 50.76 434.8
55.05 477.3 61.01 536.8 66.40 593.1 75.47 689.1 81.78 760.0"""
KOWALIK = """0.1957 4 0.1947 2 0.1735 1 0.1600 0.5 0.0844 0.25 0.0627 0.167 0.0456 0.125 0.0342 0.1 0.0323 0.0833
0.0235 0.0714 0.0246 0.0625"""
BOX_BOD = "109 1 149 2 149 3 191 5 213 7 224 10"
RATKOWSKY = "8.930 9 10.800 14 18.590 21 22.330 28 39.350 42 56.110 57 61.730 63 64.620 70 67.080 79"
DAN_WOOD = "2.138 1.309 3.421 1.471 3.597 1.490 4.340 1.565 4.882 1.611 5.660 1.680"
CERTIFIED = {
    "Misra1a": (
        lambda x, a, b: a * (1 - ad.exp(-b * x)),
        MISRA,
        [[500, 1e-4], [250, 5e-4]],
        [2.3894212918e02, 5.5015643181e-04],
        [2.7070075241, 7.2668688436e-06],
        1.2455138894e-01,
    ),
    "BoxBOD": (
        lambda x, a, b: a * (1 - ad.exp(-b * x)),
        BOX_BOD,
        [[100, 0.75]],
        [2.1380940889e02, 5.4723748542e-01],
        [1.2354515176e01, 1.0455993237e-01],
        1.1680088766e03,
    ),
    "Rat42": (
        lambda x, a, b, c: a / (1 + ad.exp(b - c * x)),
        RATKOWSKY,
        [[100, 1, 0.1], [75, 2.5, 0.07]],
        [7.2462237576e01, 2.6180768402, 6.7359200066e-02],
        [1.7340283401, 8.8295217536e-02, 3.4465663377e-03],
        8.0565229338,
    ),
    "MGH09": (
        lambda x, a, b, c, d: a * (x * x + b * x) / (x * x + c * x + d),
        KOWALIK,
        [[25, 39, 41.5, 39], [0.25, 0.39, 0.415, 0.39]],
        [1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01],
        [1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02],
        3.0750560385e-04,
    ),
    "DanWood": (
        lambda x, a, b: a * x**b,
        DAN_WOOD,
        [[1, 5], [0.7, 4]],
        [7.6886226176e-01, 3.8604055871],
        [1.8281973860e-02, 5.1726610913e-02],
        4.3173084083e-03,
    ),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_certified_values_of_nist(name):
    f, table, starts, x, std, squares = CERTIFIED[name]
    y, t = np.array(table.split(), float).reshape(-1, 2).T
    for start in starts:
        fit = curve_fit(f, t, y, start)
        np.testing.assert_allclose(fit.x, x, rtol=2e-10)
        np.testing.assert_allclose(fit.std, std, rtol=2e-10)
        assert 2 * fit.cost == pytest.approx(squares, rel=2e-10)


def test_a_parameter_that_loses_its_influence_is_not_fitted():
    y, t = np.array(BOX_BOD.split(), float).reshape(-1, 2).T
    with pytest.raises(DivergenceError, match=r"curve_fit: parameter 1 went from 1\.0 to 1\d\d\.\d") as caught:
        curve_fit(CERTIFIED["BoxBOD"][0], t, y, [1, 1])
    assert caught.value.reached.std[1] > 1e8


def test_a_vmap_fits_one_after_another():
    def line(y):
        return curve_fit(lambda t, a, b: a + b * t, T, y, [0.0, 0.0]).x

    found = ad.vmap(line)(np.stack([1 + T, 2 - 3 * T]))
    np.testing.assert_allclose(found, [[1, 1], [2, -3]], atol=1e-14)


def test_predictions_have_the_errors_of_a_straight_line():
    y = 1 + 2 * T + 0.1 * rng.normal(size=20)
    fit = curve_fit(lambda t, a, b: a + b * t, T, y, [0, 0])
    value, error = fit.predict(np.array([1.0, 6.0]))
    s2 = 2 * fit.cost / 18
    spread = ((T - T.mean()) ** 2).sum()
    np.testing.assert_allclose(error, np.sqrt(s2 * (1 / 20 + (np.array([1.0, 6.0]) - T.mean()) ** 2 / spread)))
    np.testing.assert_allclose(value, fit.x[0] + fit.x[1] * np.array([1.0, 6.0]))
    assert fit.predict(1.0)[1] == pytest.approx(error[0])
    assert curve_fit(lambda t, a, b: a * t, T, y, [0, 0]).predict(T)[1].tolist() == [np.inf] * 20


def test_the_errors_are_those_of_repeated_draws():
    draws = np.random.default_rng(1)
    clean = decay(T, 2.5, 1.3, 0.5)
    found = []
    for _ in range(60):
        fit = curve_fit(decay, T, clean + 0.05 * draws.normal(size=20), [2, 1, 0], sigma=0.05, absolute_sigma=True)
        found.append(fit.x)
    np.testing.assert_allclose(np.std(found, axis=0), fit.std, rtol=0.35)


def test_the_table_and_the_plot():
    fit = curve_fit(decay, T, Y, [1, 1, 1])
    lines = str(fit).splitlines()
    assert lines[0].split() == ["parameter", "value", "error"]
    assert re.fullmatch(r"k +1\.\d+ ± 0\.\d+", lines[2])
    assert lines[4].startswith("20 points, cost 0.0")
    ax = fit.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["± 2 errors", "fit", "data"]
    assert str(least_squares(lambda x: x - 1, 0.0)).startswith("cost 0.0 of 1 residuals after 4 steps")


def slow(x):
    return ad.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


ERRORS = [
    (
        lambda: least_squares(slow, np.array([-1.2, 1.0]), max_steps=3),
        ConvergenceError,
        "no minimum within max_steps=3",
    ),
    (
        lambda: least_squares(lambda x: ad.log(x), np.array([-1.0])),
        NotFiniteError,
        "returned nan at the start x = -1.0",
    ),
    (
        lambda: least_squares(lambda x: ad.where(x == 1.0, x, np.nan), np.array([1.0])),
        NotFiniteError,
        "returned nan at every step from x = 1.0",
    ),
    (lambda: least_squares(lambda x: x, "a"), KindError, "least_squares got 'a' to start from; it is made of real"),
    (lambda: least_squares(lambda x: x, 1.0, bounds=(2, 1)), ArgumentError, "each lower one is below its upper one"),
    (lambda: least_squares(lambda x: x, 1.0, bounds=3), ArgumentError, "they are a pair, (lower, upper)."),
    (lambda: least_squares(lambda x: x, np.ones(2), bounds=([1, 2, 3], 9)), ShapeError, "bounds for 3 unknowns, of"),
    (lambda: least_squares(lambda x: x, 1.0, rtol=-1), ArgumentError, "least_squares got rtol=-1; it is a finite"),
    (lambda: least_squares(lambda x: x, None), KindError, "least_squares got None to start from"),
    (lambda: least_squares(lambda x: None, 1.0), KindError, "the function returned None; it returns real numbers."),
    (lambda: least_squares(lambda x: x * 1j, 1.0), KindError, "returned array(0.+1.j); it returns real numbers."),
    (lambda: least_squares(lambda x: x, 1.0, bounds=(None, 2)), KindError, "got None among its bounds; they are real"),
    (lambda: least_squares(lambda p: p["a"], {"a": 1.0}, bounds=(0, {"b": 1})), ShapeError, "or the same structure."),
    (lambda: least_squares(lambda x: 1e200 * x, 1.0), ArgumentError, "the largest residual at the start is 1e200"),
    (lambda: least_squares(lambda x: 1e-200 * x, 1.0), ArgumentError, "the largest residual at the start is 1e-200"),
    (lambda: least_squares(lambda x: x * x - 1, 0.0), SingularError, "no residual changes with any parameter at the"),
    (lambda: least_squares(3, 1.0), KindError, "least_squares was given a int; it takes a function."),
    (lambda: curve_fit(lambda t, a: a, T, Y, [1.0]), ShapeError, "f returned shape (), but ydata has shape (20,)"),
    (lambda: curve_fit(decay, T, Y, []), ArgumentError, "it is a start for each parameter"),
    (lambda: curve_fit(decay, T, Y, [1, 1]), ArgumentError, "f cannot be called with xdata and the 2 parameters of"),
    (lambda: curve_fit(decay, [], [], [1, 1, 1]), ArgumentError, "curve_fit got no data: ydata is empty."),
    (lambda: curve_fit(decay, T, Y, [1, 1, 1], sigma="a"), KindError, "curve_fit got sigma='a'; it is made of real"),
    (
        lambda: curve_fit(decay, T, Y, [1, 1, 1], sigma=-COVARIANCE),
        SingularError,
        "sigma that is not positive definite",
    ),
    (lambda: curve_fit(decay, T, Y, [1, 1, 1], sigma=MIXED), ArgumentError, "a matrix sigma that is not symmetric"),
    (lambda: curve_fit(lambda t, a: a * t[0], [T, T], Y, [1]).plot(), ShapeError, "draws one curve over an xdata of"),
    (lambda: curve_fit(decay, T, Y, [1, 1, 1], sigma=np.ones(3)), ShapeError, "got sigma of shape (3,) for ydata"),
    (lambda: curve_fit(decay, T, Y, [1, 1, 1], sigma=-1.0), ArgumentError, "got a sigma that is not positive"),
    (lambda: curve_fit(decay, T, Y * np.nan, [1, 1, 1]), NotFiniteError, "nan at ydata"),
    (
        lambda: ad.compile(lambda y: curve_fit(decay, T, y, [1, 1, 1]).x)(ad.Tensor(Y)),
        CompileError,
        "curve_fit cannot be compiled",
    ),
    (
        lambda: ad.jacobian(lambda y: least_squares(lambda x: x.sum() - y, np.zeros(2)).x)(1.0),
        SingularError,
        "the answer has no derivative",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        call()


def test_the_fit_so_far_is_a_fit():
    with pytest.raises(ConvergenceError) as caught:
        curve_fit(decay, T, Y, [1, 1, 1], max_steps=2)
    assert str(caught.value.reached).startswith("parameter")
