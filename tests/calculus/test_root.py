"""Roots: against closed forms, mpmath and SciPy; their order, their derivatives, their errors."""

import decimal
import re
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import scipy.optimize

import autodiff as ad
from autodiff.calculus.root import root
from autodiff.core.errors import (
    ArgumentError,
    BracketError,
    CompileError,
    ConvergenceError,
    DivergenceError,
    KindError,
    NotFiniteError,
    ShapeError,
    SingularError,
)
from autodiff.testing import check_gradients


def test_square_roots_have_all_their_derivatives():
    def square_root(a):
        return root(lambda x: x * x - a, 1.0)

    exact = [2**0.5, 0.5 * 2**-0.5, -0.25 * 2**-1.5, 3 / 8 * 2**-2.5, -15 / 16 * 2**-3.5, 105 / 32 * 2**-4.5]
    for n, expected in enumerate(exact):
        assert ad.derivative(square_root, 2.0, n=n) == pytest.approx(expected, rel=1e-12)
    assert ad.grad(ad.grad(ad.grad(square_root)))(2.0) == pytest.approx(exact[3], rel=1e-12)
    assert ad.grad(lambda a: ad.derivative(square_root, a))(2.0) == pytest.approx(exact[2], rel=1e-12)


@pytest.mark.parametrize("options", [{"x0": 1.0}, {"bracket": (-10.0, 10.0)}, {"bracket": (0, 3), "x0": 2.5}])
def test_gradients_of_a_number(options):
    check_gradients(lambda a, b: root(lambda x: b * x**5 + x - a, **options), 3.0, 0.7)


def test_gradients_of_a_system_by_numbers_and_arrays():
    def answer(a, b):
        return root(lambda x: [x[0] * x[1] - a[0], x[0] + ad.exp(x[1]) * b - a[1]], np.ones(2))

    check_gradients(answer, np.array([1.0, 4.0]), 1.1)


def test_gradients_of_a_matrix():
    m = np.array([[3.0, 0.4], [0.2, 2.0]])
    check_gradients(lambda a: root(lambda x: x @ x + 0.1 * ad.sin(x) - a, np.eye(2)), m)


def test_gradients_of_a_complex_number():
    check_gradients(lambda a: root(lambda z: z**3 - a, 1 + 1j), 3.0 + 1j)


def test_all_derivatives_of_a_system_at_once():
    a = np.array([[3.0, 1.0], [0.5, 2.0]])
    found = ad.jacobian(lambda b: root(lambda x: a @ x - b, np.zeros(2)))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(found, np.linalg.inv(a), rtol=1e-12)


def test_backward_reaches_what_older_ops_made():
    w = ad.Tensor([1.0, 2.0])
    a = (w * w).sum()
    y = root(lambda x: x**3 - a, 1.0)
    assert len(ad.Tape(y)) < 6
    y.backward()
    np.testing.assert_allclose(w.grad, 2 * w.data / (3 * 5 ** (2 / 3)), rtol=1e-12)


def test_a_vmap_takes_one_after_another():
    found = ad.vmap(lambda a: root(lambda x: x * x - a, np.array(1.0)))(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found, np.sqrt([1.0, 2.0, 3.0]), rtol=1e-15)


def test_kepler():
    def anomaly(mean, e):
        return root(lambda x: x - e * ad.sin(x) - mean, mean)

    mean, e = 0.8, 0.6
    x = anomaly(mean, e)
    assert x - e * np.sin(x) == pytest.approx(mean, rel=1e-15)
    by_mean, by_e = ad.grad(anomaly, argnums=(0, 1))(mean, e)
    assert by_mean == pytest.approx(1 / (1 - e * np.cos(x)), rel=1e-13)
    assert by_e == pytest.approx(np.sin(x) / (1 - e * np.cos(x)), rel=1e-13)


def test_any_number():
    with mpmath.workdps(50):
        x = root(lambda x: ad.cos(x) - x, mpmath.mpf(1))
        assert abs(x - mpmath.findroot(lambda x: mpmath.cos(x) - x, 0.7)) < mpmath.mpf(10) ** -49
        slope = ad.derivative(lambda a: root(lambda x: x * x - a, mpmath.mpf(1)), mpmath.mpf(2))
        assert abs(slope - 1 / (2 * mpmath.sqrt(2))) < mpmath.mpf(10) ** -49
    with decimal.localcontext() as context:
        context.prec = 40
        assert abs(root(lambda x: x * x - 2, decimal.Decimal(1)) - decimal.Decimal(2).sqrt()) < decimal.Decimal("1e-38")
    found = root(lambda x: 4 * x * x - 9, Fraction(1))
    assert isinstance(found, Fraction)
    assert abs(found - Fraction(3, 2)) < 1e-20
    assert root(lambda x: 2 * x - 3, Fraction(1)) == Fraction(3, 2)
    assert root(lambda z: z * z + 1, 1 + 1j) == pytest.approx(1j, abs=1e-15)
    single = root(lambda x: x * x - 2, np.array([1.0], np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, 2**0.5, rtol=1e-6)


def test_the_kind_of_the_start_is_kept():
    assert isinstance(root(lambda x: x * x - 4, 1), float)
    assert root(lambda x: x * x - 4, np.array([[1.0], [-1.0]])).shape == (2, 1)
    assert root(lambda x: x, np.zeros((0, 2))).shape == (0, 2)
    assert root(lambda x: [x[0] - 1, x[1] - 2], [0, 0]).tolist() == [1.0, 2.0]
    assert root(lambda x: [[x[0, 0] - 1, x[0, 1] - 2]], [[ad.Value(0.0), 0]]).tolist() == [[1.0, 2.0]]
    single = root(lambda x: x * x - 2, np.array(1.0, np.float32))
    assert (type(single), single.dtype, single.shape) == (np.ndarray, np.float32, ())


def test_a_function_may_change_the_array_that_it_is_given():
    def f(x):
        x -= 1.0
        return x * x - 4

    start = np.array([5.0, -5.0])
    np.testing.assert_allclose(root(f, start), [3, -1], rtol=1e-15)
    assert start.tolist() == [5.0, -5.0]


def test_newton_is_of_second_order():
    with mpmath.workdps(400):
        found = root(lambda x: ad.exp(x) - 3, mpmath.mpf(1), full_output=True)
        errors = [abs(x - mpmath.log(3)) for x in found.path]
        errors = [e for e in errors if e > mpmath.mpf(10) ** -390]
        orders = [float(mpmath.log(b) / mpmath.log(a)) for a, b in pairwise(errors[3:])]
    assert len(orders) >= 3
    assert orders[-1] == pytest.approx(2, abs=0.02)


def test_newton_is_of_first_order_at_a_double_root():
    found = root(lambda x: (x - 1) ** 2, 2.0, full_output=True)
    errors = np.array([x - 1 for x in found.path[1:10]])
    np.testing.assert_allclose(errors[1:] / errors[:-1], 0.5, rtol=1e-6)


def test_bisection_gains_one_bit_a_step():
    found = root(lambda x: ad.exp(x) - 5, bracket=(0, 10), method="bisection", full_output=True)
    assert found.value == pytest.approx(np.log(5), rel=1e-14)
    assert 48 <= found.steps <= 54


FUNCTIONS = {
    "cubic": (lambda x: x**3 - 2 * x - 5, (2, 3)),
    "flat": (lambda x: x**9, (-1, 3)),
    "steep": (lambda x: ad.tanh(50 * (x - 0.3)), (-10, 10)),
    "log": (lambda x: ad.log(x), (1e-6, 50)),
    "exp": (lambda x: x * ad.exp(-x) - 0.1, (2, 50)),
    "cycle": (lambda x: x**3 - 2 * x + 2, (-5, 1)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_brackets_find_what_brent_finds(name):
    f, bracket = FUNCTIONS[name]
    found = root(f, bracket=bracket, full_output=True)
    expected = scipy.optimize.brentq(lambda x: float(f(x)), *bracket, xtol=1e-15, maxiter=500)
    assert found.value == pytest.approx(expected, rel=1e-13, abs=1e-13)
    assert found.steps < 110


@pytest.mark.parametrize("method", ["newton", "bisection"])
def test_a_jump_is_no_root_however_steep_f_is_beside_it(method):
    with pytest.raises(BracketError, match=r"it is no root: f jumps from -1\.0 to 1\.0 there"):
        root(lambda x: ad.where(x < 0, 1000 * x - 1, 1000 * x + 1), bracket=(-1, 1.7), method=method)


@pytest.mark.parametrize("method", ["newton", "bisection"])
def test_steep_roots_and_roots_beside_an_end_are_no_jumps(method):
    assert root(lambda x: x * x - 2, bracket=(1.414213562373095, 2), method=method) == pytest.approx(2**0.5, rel=1e-15)
    assert root(lambda x: ad.sign(x) * ad.abs(x) ** (1 / 9), bracket=(-1, 1.7), method=method) == pytest.approx(0)
    assert root(lambda x: x - 1, bracket=(1, 3), method=method) == 1


def test_a_bracket_may_be_as_wide_as_floats_go():
    assert root(lambda x: x - 1, bracket=(-1.7e308, 1.7e308)) == 1


def rosenbrock(x):
    return [10 * (x[1] - x[0] ** 2), 1 - x[0]]


def powell_badly_scaled(x):
    return [1e4 * x[0] * x[1] - 1, ad.exp(-x[0]) + ad.exp(-x[1]) - 1.0001]


def brown_almost_linear(x):
    return [*(x[i] + x.sum() - 6 for i in range(4)), x.prod() - 1]


def broyden_tridiagonal(x):
    before, after = np.concatenate([[0.0], x[:-1]]), np.concatenate([x[1:], [0.0]])
    return (3 - 2 * x) * x - before - 2 * after + 1


def helical_valley(x):
    turn = ad.arctan2(x[1], x[0]) / (2 * np.pi)
    return [10 * (x[2] - 10 * turn), 10 * (ad.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]]


SYSTEMS = {
    "rosenbrock": (rosenbrock, [-1.2, 1.0]),
    "powell": (powell_badly_scaled, [0.0, 1.0]),
    "brown": (brown_almost_linear, [0.5] * 5),
    "broyden": (broyden_tridiagonal, [-1.0] * 10),
    "helical valley": (helical_valley, [-1.0, 0.1, 0.0]),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_systems_have_the_roots_that_scipy_finds(name):
    f, start = SYSTEMS[name]
    found = root(f, np.array(start), full_output=True)
    expected = scipy.optimize.root(lambda x: np.asarray(f(x), float), found.value + 1e-4, tol=1e-13)
    assert expected.success
    np.testing.assert_allclose(found.value, expected.x, rtol=1e-7, atol=1e-12)
    assert np.abs(found.fun).max() < 1e-10
    assert found.steps <= 60


UNEVEN = {
    "a large and a small unknown": (lambda x: [x[0] - 1e10, x[1] ** 3 - 1e-30], [1.0, 1.0], [1e10, 1e-10]),
    "a large and a small equation": (lambda x: [1e-20 * (x[0] ** 2 - 9), x[1] - 1], [1.0, 2.0], [3.0, 1.0]),
    "both": (lambda x: [1e10 * x[0] * x[1] - 1, x[0] - 1e-15], [1e-14, 2.0], [1e-15, 1e5]),
    "rows that need a pivot": (lambda x: [x[0] + 1e20 * x[1] - 1e20, x[0] + x[1] - 2], [5.0, 5.0], [1.0, 1.0]),
}


@pytest.mark.parametrize("name", UNEVEN)
def test_unknowns_and_equations_may_be_of_any_size(name):
    f, start, expected = UNEVEN[name]
    np.testing.assert_allclose(root(f, np.array(start)), expected, rtol=1e-9)


def test_derivatives_do_not_depend_on_units():
    def answer(a):
        return root(lambda x: [1e-25 * (x[0] * x[1] - a[0]), 1e8 * (x[0] - 1e-3 * a[1])], np.array([1.0, 1.0]))

    # x0 = a1 / 1000, x1 = 1000 a0 / a1
    found = ad.jacobian(answer)(np.array([2.0, 5.0]))
    np.testing.assert_allclose(found, [[0, 1e-3], [200, -80]], rtol=1e-12, atol=1e-15)


def test_powells_singular_function_is_found_at_first_order():
    def f(x):
        return [x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2]

    found = root(f, np.array([3.0, -1.0, 0.0, 1.0]), full_output=True)
    assert np.abs(found.value).max() < 1e-6
    assert found.rate == pytest.approx(0.25, abs=0.05)


def test_the_account():
    found = root(lambda x: x * x - 2, 1.0, full_output=True)
    assert re.fullmatch(
        r"1.414 after 5 steps and 11 evaluations: the step is within the tolerance.\n"
        r"last step 1.6e-12, left of the equations 4.4e-16",
        str(found),
    )
    assert found.plot().get_ylabel() == "left of the equations"
    assert root(lambda x: x - 1, 1.0, full_output=True).plot().get_xlabel() == "step"
    a = ad.Value(2.0)
    found = root(lambda x: x * x - a, 1.0, full_output=True)
    found.value.backward()
    assert a.grad == pytest.approx(8**-0.5)


ERRORS = [
    (lambda: root(lambda x: x * x + 1, bracket=(-1, 1.5)), BracketError, "f(-1.0) = 2.0 and f(1.5) = 3.25"),
    (lambda: root(lambda x: 1 / x, bracket=(-1, 1.5)), BracketError, "but it is no root: f jumps from"),
    (lambda: root(lambda x: x * x + 1, 0.5), ConvergenceError, "it may have a minimum there that is no root"),
    (lambda: root(lambda x: x * x - 2, 1e6, max_steps=3), ConvergenceError, "no root within max_steps=3: x = "),
    (lambda: root(lambda x: x, bracket=(-1, 2), max_steps=1, method="bisection"), ConvergenceError, "it is between"),
    (lambda: root(lambda x: x / (1 + x * x), 2.0), DivergenceError, "the points go away without bound: x = "),
    (lambda: root(lambda x: x * x - 2, 0.0), SingularError, "the derivative of f is 0 at x = 0.0, where f = -2.0"),
    (lambda: root(lambda x: 0 * x + 1, np.ones(2)), SingularError, "the Jacobian has no inverse at x = [1.0, 1.0]"),
    (lambda: root(lambda x: ad.log(x), -1.0), NotFiniteError, "the function returned nan at the start x = -1.0"),
    (lambda: root(ad.log, np.array([-1.0])), NotFiniteError, "the function returned nan at the start x = -1.0"),
    (lambda: root(ad.log, bracket=(-1, 2)), NotFiniteError, "the function returned nan at x = -1.0, an end of"),
    (lambda: root(lambda x: x), ArgumentError, "it needs a start x0, or bracket=(a, b)"),
    (lambda: root(lambda x: x, 1.0, method="bisection"), ArgumentError, "method='bisection' needs bracket=(a, b)"),
    (lambda: root(lambda x: x, 1.0, method="brent"), ArgumentError, "root got method='brent'; there are 'newton'"),
    (lambda: root(lambda x: x, bracket=3), ArgumentError, "root got bracket=3; it is a pair of numbers."),
    (lambda: root(lambda x: x, 5.0, bracket=(0, 1)), ArgumentError, "root got x0=5.0, which is not inside"),
    (lambda: root(lambda x: x, bracket=([1, 2], 3)), KindError, "a bracket is for one real number"),
    (lambda: root(lambda x: x, [[1], [1, 2]]), KindError, "root got x0=[[1], [1, 2]]; it is a number or an array of"),
    (lambda: root(lambda x: x, "a"), KindError, "root got x0='a'; it is a number or an array of numbers."),
    (lambda: root(lambda x: x - 1, bracket=(0, np.inf)), ArgumentError, "root got inf beside or in a bracket; take"),
    (lambda: root(lambda x: x, np.ones(2, np.float16)), KindError, "root got x0 of float16, in which NumPy solves no"),
    (lambda: root(lambda x: None, 1.0), KindError, "root: the function returned None; it returns a number or an array"),
    (lambda: root(lambda x: x > 0, 1.0), KindError, "root: the function returned True; it returns a number or an"),
    (
        lambda: root(lambda x: [x, x], bracket=(-1, 1)),
        ShapeError,
        "shape (2,) for x of shape (). It returns one number",
    ),
    (lambda: root(lambda x: x + 1j, np.ones(2)), KindError, "root: the function returned the complex |z| all 1.4"),
    (lambda: root(3, 1.0), KindError, "root was given a int; it takes a function."),
    (lambda: root(lambda x: x[:1], np.ones(2)), ShapeError, "returned shape (1,) for x of shape (2,)."),
    (lambda: root(lambda x: x, 1.0, rtol=-1), ArgumentError, "root got rtol=-1; it is a number, zero or more."),
    (lambda: root(lambda x: x, 1.0, max_steps=0), ArgumentError, "root got max_steps=0; it is a whole number"),
    (
        lambda: ad.compile(lambda a: root(lambda x: x - a, 1.0))(ad.Tensor([1.0])),
        CompileError,
        "root cannot be compiled",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        call()


def test_a_step_into_where_f_is_not_finite_is_cut():
    assert root(lambda x: ad.log(x) + 3, 3.0) == pytest.approx(np.exp(-3), rel=1e-14)
    with pytest.raises(NotFiniteError, match=re.escape("all along the step to it")):
        root(lambda x: ad.where(x == 1.0, x, np.nan), np.array([1.0]))


def test_a_double_root_has_no_derivative():
    with pytest.raises(
        SingularError, match=r"the answer has no derivative, since the derivative of the equation is 0\.0"
    ):
        ad.grad(lambda a: root(lambda x: (x - a) ** 2, 1.0))(1.0)
    flat = np.array([[1.0, 2.0], [2.0, 4.0]])
    with pytest.raises(SingularError, match="the Jacobian of its 2 equations has no inverse, whatever their units"):
        ad.jacobian(lambda b: root(lambda x: flat @ x - b, np.zeros(2)))(np.array([1.0, 2.0]))
