"""``integrate``: values and error estimates on families of test integrals, the formula itself, options and errors."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.special

import autodiff as ad
from autodiff.calculus.gauss_kronrod import G7K15, G10K21, estimate, product
from autodiff.calculus.integrate import integrate
from autodiff.core import errors

INF = math.inf

# After QUADPACK (1983), section 4, and Kahaner (1971): what adaptive integrators are tried on.
PROBLEMS = {
    "log power": (lambda x: x**1.5 * math.log(1 / x), 0, 1, 1 / 2.5**2),
    "sharp peak": (
        lambda x: 0.01 / ((x - math.pi / 4) ** 2 + 1e-4),
        0,
        1,
        math.atan((4 - math.pi) * 25) + math.atan(math.pi * 25),
    ),
    "bessel": (lambda x: math.cos(8 * math.sin(x)), 0, math.pi, math.pi * scipy.special.j0(8)),
    "square root": (math.sqrt, 0, 1, 2 / 3),
    "one over root": (lambda x: 1 / math.sqrt(x), 0, 1, 2),
    "logarithm": (math.log, 0, 1, -1),
    "oscillating exponential": (lambda x: math.exp(20 * (x - 1)) * math.sin(8 * x), 0, 1, None),
    "exponential": (math.exp, 0, 1, math.e - 1),
    "half of a step": (lambda x: float(x > 0.3), 0, 1, 0.7),
    "kink": (lambda x: abs(x - 1 / 3), 0, 1, 5 / 18),
    "quartic hill": (lambda x: 1 / (x**4 + x**2 + 0.9), -1, 1, 1.5822329637296729),
    "cosh less cos": (lambda x: 23 / 25 * math.cosh(x) - math.cos(x), -1, 1, 46 / 25 * math.sinh(1) - 2 * math.sin(1)),
    "periodic": (lambda x: 1 / (1 + 0.5 * math.sin(10 * math.pi * x)), 0, 1, 2 / math.sqrt(3)),
    "fermi": (lambda x: 1 / (math.exp(x) + 1), 0, 1, 1 - math.log((1 + math.e) / 2)),
    "gaussian, both ends far": (lambda x: math.exp(-x * x), -INF, INF, math.sqrt(math.pi)),
    "gaussian aside": (lambda x: math.exp(-((x - 3) ** 2)), -INF, INF, math.sqrt(math.pi)),
    "gamma": (lambda x: x**1.5 * math.exp(-x), 0, INF, math.gamma(2.5)),
    "slow tail": (lambda x: 1 / (1 + x * x), 1, INF, math.pi / 4),
    "from far left": (math.exp, -INF, 1, math.e),
    "both singular and far": (lambda x: 1 / (math.sqrt(x) * (1 + x)), 0, INF, math.pi),
    "odd": (lambda x: x**3 * math.exp(-x * x), -INF, INF, 0.0),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_error_estimate_bounds_the_true_error(name):
    f, a, b, exact = PROBLEMS[name]
    if exact is None:
        with mpmath.workdps(30):
            exact = float(mpmath.quad(lambda x: mpmath.exp(20 * (x - 1)) * mpmath.sin(8 * x), [0, 0.5, 1]))
    found = integrate(f, a, b, full_output=True)
    assert abs(found.value - exact) <= found.error
    assert found.error <= max(1e-8 * abs(exact), 1e-13)
    assert integrate(f, b, a) == -found.value


def test_a_peak_between_the_nodes_must_be_pointed_at():
    """Kahaner's 21st problem, whose narrowest peak is a thousandth wide."""

    def f(x):
        return sum(math.cosh(c * (x - t)) ** -p for c, t, p in ((10, 0.2, 2), (100, 0.4, 4), (1000, 0.6, 6)))

    found = integrate(f, 0, 1, points=[0.6], full_output=True)
    assert abs(found.value - 0.21080273550054928) <= found.error


@pytest.mark.parametrize("rtol", [1e-2, 1e-4, 1e-8])
def test_jumps_and_kinks_anywhere(rtol):
    """Also between the last node of an interval and its end, which happens to one in twenty of them."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        c, rate = rng.uniform(0.01, 0.99), 10 ** rng.uniform(0, 2)
        kink = (2 - math.exp(-rate * c) - math.exp(-rate * (1 - c))) / rate
        for f, exact in (
            (lambda x, c=c: float(x > c) + 0.1, 1.1 - c),
            (lambda x, c=c, rate=rate: math.exp(-rate * abs(x - c)), kink),
        ):
            found = integrate(f, 0, 1, rtol=rtol, full_output=True)
            assert abs(found.value - exact) <= max(found.error, 1e-15)


def test_loose_tolerances_are_not_met_by_accident():
    """Kronrod less Gauss alone hides the kink of one of these in fifteen."""
    rng = np.random.default_rng(5)
    for _ in range(100):
        a, u = rng.uniform(0.5, 3), rng.uniform(0.01, 0.99)
        found = integrate(lambda x, a=a, u=u: math.exp(-a * abs(x - u)), 0, 1, rtol=1e-2, full_output=True)
        exact = (2 - math.exp(-a * u) - math.exp(-a * (1 - u))) / a
        assert abs(found.value - exact) <= found.error


def test_jumps_of_a_symmetric_step():
    """The range is cut at the jump."""
    assert integrate(lambda x: math.copysign(1.0, x - 1000), 999, 1001) == 0.0


@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-10, 1e-12])
def test_the_tolerance_is_met(rtol):
    found = integrate(lambda x: math.sqrt(abs(x - 0.3)), 0, 1, rtol=rtol, full_output=True)
    exact = 2 / 3 * (0.3**1.5 + 0.7**1.5)
    assert abs(found.value - exact) <= found.error <= rtol * exact * 1.001
    loose = integrate(lambda x: math.sqrt(abs(x - 0.3)), 0, 1, atol=1e-2, full_output=True)
    assert loose.evaluations < found.evaluations or rtol == 1e-3


def genz(name, d, rng):
    """One of the six families of Genz (1984): function and exact integral over the unit box, with random parameters."""
    u, a = rng.uniform(0.2, 0.8, d), rng.uniform(1, 3, d) / d
    if name == "oscillatory":
        exact = (np.exp(2j * np.pi * u[0]) * np.prod((np.exp(1j * a) - 1) / (1j * a))).real
        return lambda x: math.cos(2 * math.pi * u[0] + a @ x), exact
    if name == "product peak":
        return lambda x: 1 / np.prod(a**-2 + (x - u) ** 2), np.prod(a * (np.arctan(a * (1 - u)) + np.arctan(a * u)))
    if name == "corner peak":
        exact = 0.0
        for corner in np.ndindex(*[2] * d):
            exact += (-1) ** sum(corner) / (1 + a @ np.array(corner))
        return lambda x: (1 + a @ x) ** -(d + 1), exact / (math.factorial(d) * np.prod(a))
    if name == "gaussian":
        parts = math.sqrt(math.pi) / (2 * a) * (scipy.special.erf(a * (1 - u)) + scipy.special.erf(a * u))
        return lambda x: math.exp(-((a * (x - u)) @ (a * (x - u)))), np.prod(parts)
    if name == "continuous":
        return lambda x: math.exp(-(a @ np.abs(x - u))), np.prod((2 - np.exp(-a * u) - np.exp(-a * (1 - u))) / a)
    inside = (np.exp(a * u) - 1) / a
    return lambda x: math.exp(a @ x) if np.all(x < u) else 0.0, np.prod(inside)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize(
    "name", ["oscillatory", "product peak", "corner peak", "gaussian", "continuous", "discontinuous"]
)
def test_the_families_of_genz(name, d):
    f, exact = genz(name, d, np.random.default_rng(d))
    rtol = {"continuous": 1e-3, "discontinuous": 0.05}.get(name, 1e-8) if d > 1 else 1e-8
    found = integrate(f, np.zeros(d), np.ones(d), rtol=rtol, full_output=True)
    assert abs(found.value - exact) <= found.error <= rtol * abs(exact) * 1.001


@pytest.mark.parametrize(("pair", "gauss"), [(G7K15, 13), (G10K21, 19)])
def test_the_degree_of_exactness(pair, gauss):
    """Powers are integrated exactly up to the degree stated, and no further; Gauss' formula up to 2 n - 1."""
    nodes = [mpmath.mpf(x) for x in pair.nodes]
    for weights, degree in ((pair.kronrod, pair.degree), (pair.gauss, gauss)):

        def error(k, weights=weights):
            return abs(mpmath.fsum(mpmath.mpf(w) * x**k for w, x in zip(weights, nodes)) - mpmath.mpf(2) / (k + 1))

        assert all(error(k) < 1e-15 for k in range(0, degree + 1, 2))
        assert error(degree + 1) > 1e-14  # odd powers of nodes on both sides of 0 cancel, so the degree is odd
    assert np.count_nonzero(pair.gauss) == (gauss + 1) // 2
    assert pair.kronrod.sum() == pytest.approx(2, abs=1e-15)


def test_the_nodes_are_those_of_numpy_and_between_them():
    for pair, n in ((G7K15, 7), (G10K21, 10)):
        x, w = np.polynomial.legendre.leggauss(n)
        np.testing.assert_allclose(pair.nodes[pair.gauss > 0], x, atol=1e-15)
        np.testing.assert_allclose(pair.gauss[pair.gauss > 0], w, atol=1e-15)
        assert np.all(np.diff(pair.nodes) > 0)


def test_the_measured_order_of_the_formula():
    """On n intervals the error falls as n**-32."""
    formula = product(1)

    def error(n):
        edges = np.linspace(0, 20, n + 1)
        t = (edges[:-1, None] + edges[1:, None]) / 2 + (20 / n / 2) * formula.nodes[:, 0]
        with mpmath.workdps(40):
            total = mpmath.fsum(
                mpmath.mpf(float(w)) * mpmath.cos(mpmath.mpf(float(x)) * 5)
                for row in t
                for x, w in zip(row, formula.weights)
            )
            return float(abs(total * (10 / mpmath.mpf(n)) - mpmath.sin(100) / 5))

    slope = math.log(error(4) / error(5)) / math.log(5 / 4)
    assert 29 < slope < 36


@pytest.mark.parametrize(("a", "b"), [(0, 2), (0.5, INF), (-INF, INF), (-INF, 1)])
def test_vectors_agree_with_scipy(a, b):
    rates = np.linspace(0.5, 3, 30).reshape(5, 6)

    def f(x):
        return np.exp(-rates * x * x)

    found = integrate(f, a, b, full_output=True)
    expected, _ = scipy.integrate.quad_vec(f, a, b, epsrel=1e-12)
    assert found.value.shape == (5, 6)
    assert np.max(np.abs(found.value - expected)) <= found.error


def test_vectorized_is_the_same_in_fewer_calls():
    calls = []

    def f(x):
        calls.append(x.shape)
        return np.sqrt(np.abs(x - 0.3))

    found = integrate(f, 0, 1, vectorized=True, full_output=True)
    one_by_one = integrate(lambda x: math.sqrt(abs(x - 0.3)), 0, 1, full_output=True)
    assert found.value == pytest.approx(one_by_one.value, rel=1e-14)
    assert sum(shape[0] for shape in calls) == found.evaluations > 10 * len(calls)
    box = integrate(lambda x: x[:, 0] * x[:, 1] ** 2, [0, 0], [1, 2], vectorized=True)
    assert box == pytest.approx(4 / 3, rel=1e-13)
    pair = integrate(lambda x: np.stack([x, x * x], axis=1), 0, 1, vectorized=True)
    np.testing.assert_allclose(pair, [1 / 2, 1 / 3], rtol=1e-13)


def test_few_and_many_intervals_are_estimated_alike():
    """Plain numbers and arrays: the same formula."""
    y = np.random.default_rng(0).normal(size=(12, 21, 1))
    volumes = np.linspace(1, 2, 12)
    many = estimate(product(1), y, volumes)
    for k in range(12):
        few = estimate(product(1), y[k : k + 1], volumes[k : k + 1])
        np.testing.assert_allclose(few[0], many[0][k : k + 1], rtol=1e-13)
        np.testing.assert_allclose(few[1], many[1][k : k + 1], rtol=1e-12)


def test_points_are_not_asked_and_help():
    step = integrate(lambda x: float(x > 0.3), 0, 1, points=[0.3, 7.0], full_output=True)
    assert step.value == pytest.approx(0.7, abs=1e-14)
    assert step.evaluations == 42
    assert integrate(lambda x: 1 / math.sqrt(abs(x - 0.3)), 0, 1, points=[0.3], rtol=1e-6) == pytest.approx(
        2 * (math.sqrt(0.3) + math.sqrt(0.7)), rel=1e-6
    )
    for a, b in ((-INF, INF), (0.1, INF), (-INF, 0.9)):
        exact = scipy.special.ndtr(b) - scipy.special.ndtr(max(a, 0.5)) if b > 0.5 else 0.0

        def tail(x):
            return math.exp(-x * x / 2) / math.sqrt(2 * math.pi) if x > 0.5 else 0.0

        assert integrate(tail, a, b, points=[0.5, -2.0]) == pytest.approx(exact, rel=1e-8)


def test_boxes():
    assert integrate(lambda x: x[0] * x[1] * x[2], [0, 0, 0], [1, 2, 3]) == pytest.approx(4.5, rel=1e-14)
    assert integrate(lambda x: x[0] * x[1], [1, 0], [0, 2]) == pytest.approx(-1, rel=1e-14)
    assert integrate(lambda x: 1.0, [1, 2], [0, 0]) == pytest.approx(2, rel=1e-14)
    assert integrate(lambda x: 2.0, [0, 0], 3) == pytest.approx(18, rel=1e-14)
    gauss = integrate(lambda x: math.exp(-(x @ x)), [-INF, 0], [INF, INF])
    assert gauss == pytest.approx(math.pi / 2, rel=1e-8)
    bell = integrate(lambda x: np.exp(-(x * x).sum(axis=1)), [-INF] * 3, [INF] * 3, vectorized=True, full_output=True)
    assert abs(bell.value - math.pi**1.5) <= bell.error <= 1e-7
    values = integrate(lambda x: np.array([x[0], x[1] ** 2]), [0, 0], [1, 3])
    np.testing.assert_allclose(values, [1.5, 9], rtol=1e-13)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = scipy.integrate.dblquad(lambda y, x: math.exp(x * y) / (1 + x), 0, 1, 0, 2, epsabs=1e-12)[0]
    assert integrate(lambda x: math.exp(x[0] * x[1]) / (1 + x[0]), [0, 0], [1, 2]) == pytest.approx(expected, rel=1e-8)


def test_complex_values():
    found = integrate(lambda x: np.exp(1j * x), 0, 2)
    assert found == pytest.approx((np.exp(2j) - 1) / 1j, rel=1e-12)
    assert isinstance(found, complex)
    assert integrate(lambda x: x * 1j, 0, 1) == pytest.approx(0.5j)


def test_kinds_and_shapes():
    assert isinstance(integrate(math.sin, 0, 1), float)
    assert isinstance(integrate(lambda x: 1, 0, 3), float)
    assert integrate(lambda x: [x, 2 * x], 0, 1).tolist() == pytest.approx([0.5, 1.0])
    assert integrate(lambda x: [1, 2], 0, 3, method="monte carlo").tolist() == [3.0, 6.0]
    assert integrate(lambda x: x, 0, Fraction(1, 2)) == pytest.approx(0.125)
    half = ad.Value(Fraction(1, 2))
    found = integrate(lambda x: 3 * x * x, 0, half)
    found.backward()
    assert found.item() == pytest.approx(0.125)
    assert half.grad == Fraction(3, 4)
    tensor = ad.Tensor(2.0)
    np.testing.assert_allclose(integrate(lambda x: [tensor * x, x], 0, 1).data, [1.0, 0.5], rtol=1e-13)
    single = integrate(lambda x: np.float32(2) * np.ones(3, np.float32) * x, 0, 1)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, np.ones(3), rtol=1e-6)
    assert type(integrate(lambda x: np.float32(x), 0, 1)) is np.float32
    assert integrate(lambda x: np.zeros((0, 2)), 0, 1).shape == (0, 2)
    assert integrate(lambda x: np.zeros((0, 2)), [0, 0], [1, 1]).shape == (0, 2)
    assert integrate(lambda x: np.ones((2, 3)), 1, 1).tolist() == np.zeros((2, 3)).tolist()
    assert integrate(lambda x: 1 / x if x else INF, 0, 0) == 0.0
    assert integrate(math.exp, -INF, -INF) == 0.0
    assert integrate(lambda x: x[0], [0, 1], [2, 1]) == 0.0


def test_full_output_reads_well():
    found = integrate(math.exp, 0, 1, full_output=True)
    assert str(found) == "1.71828182846, error at most about 2.4e-14: 21 evaluations on 1 intervals"
    with pytest.raises(AttributeError):
        found.value = 3
    chance = integrate(math.exp, 0, 1, method="monte carlo", n=100, rng=0, full_output=True)
    assert "standard error 0.0" in str(chance)
    assert str(chance).endswith(": 100 evaluations")
    assert "[1" in str(integrate(lambda x: np.ones(2), 0, 1, full_output=True))


# Errors.


def bad(kind, text, *args, **options):
    with pytest.raises(kind, match=text) as caught:
        integrate(*args, **options)
    return caught.value


def test_arguments_are_checked_first():
    def never(x):
        raise AssertionError("asked")

    bad(errors.KindError, "integrate was given a float; it takes a function", 3.0, 0, 1)
    bad(errors.KindError, r"integrate got a=1j; it is made of real numbers", never, 1j, 1)
    bad(errors.ArgumentError, "integrate got b=nan; a limit is a number, or infinite", never, 0, math.nan)
    for digits in (Decimal("0.5"), mpmath.mpf("0.5"), ad.Value(mpmath.mpf("0.5"))):
        bad(
            errors.KindError,
            r"got b=.*0\.5.* with floats, of 16 digits. Give float\(b\), or take mpmath",
            never,
            0,
            digits,
        )
    bad(errors.ShapeError, "has rows of different lengths", never, [0, [1]], 1)
    bad(errors.ArgumentError, "limits -1e.308 and 1e.308, .* Did you mean infinite ones", never, -1e308, 1e308)
    bad(
        errors.ShapeError, r"limits of shapes \(2,\) and \(3,\); they are two numbers, or two", never, [0, 0], [1, 1, 1]
    )
    bad(errors.ShapeError, r"limits of shapes \(1, 1\) and \(\)", never, [[0]], 1)
    bad(errors.ArgumentError, 'box of 4 axes; .* Use method="monte carlo"', never, [0] * 4, [1] * 4)
    bad(errors.ArgumentError, "got rtol=-1; it is a number, 0 or above", never, 0, 1, rtol=-1)
    bad(errors.ArgumentError, "got atol=nan; it is a number", never, 0, 1, atol=math.nan)
    bad(errors.ArgumentError, "got max_evaluations=0; it is 1, 2, 3", never, 0, 1, max_evaluations=0)
    bad(
        errors.ArgumentError, "got method='simpson'; there are 'adaptive', 'monte carlo'", never, 0, 1, method="simpson"
    )
    bad(errors.ArgumentError, "got points='a'; they are a sequence of numbers", never, 0, 1, points="a")
    bad(errors.ArgumentError, "for a box; they cut the range of a single number", never, [0], [1], points=[0.5])
    bad(errors.ArgumentError, "got n=1; it is how many points", never, 0, 1, method="monte carlo", n=1)
    bad(errors.ArgumentError, "got b=inf; Monte Carlo needs finite limits", never, 0, INF, method="monte carlo")


def test_what_the_function_returns_is_checked():
    bad(
        errors.KindError,
        r"the function returned .*'a'.* at x = 0\.00217.*; it must return a number",
        lambda x: "a",
        0,
        1,
    )
    bad(errors.KindError, "the function returned .*None", lambda x: None, 0, 1)
    bad(errors.KindError, r"the function returned \(0\.00217.*; it must return", lambda x: (x, [x]), 0, 1)
    text = r"was given 10 points, .* returned shape \(\)"
    bad(errors.ShapeError, text, lambda x: 1.0, 0, 1, vectorized=True, method="monte carlo", n=10)
    bad(errors.ShapeError, r"shape \(1,\) at x = .* and shape \(2,\) at", lambda x: [0.0] * (1 + (x > 0.5)), 0, 1)
    bad(
        errors.ShapeError,
        "was given 21 points, along the first axis, and returned shape",
        lambda x: 1.0,
        0,
        1,
        vectorized=True,
    )
    error = bad(errors.NotFiniteError, r"returned nan at x = 0\.9978", lambda x: np.nan if x > 0.99 else 1.0, 0, 1)
    assert error.reached is None
    bad(
        errors.NotFiniteError,
        r"returned inf at x = \[0\.5, 0\.5\]",
        lambda x: INF if x[0] == 0.5 == x[1] else 1.0,
        [0, 0],
        [1, 1],
    )
    bad(errors.NotFiniteError, r"raised ZeroDivisionError \(.*\) at x = 0\.0", lambda x: 1 / x, -1, 1)
    bad(errors.NotFiniteError, "returned nan at x", lambda x: np.nan * x, 0, 1, method="monte carlo")
    with pytest.raises(errors.NotFiniteError) as caught:
        integrate(lambda x: 1 / math.sqrt(x) if x > 1e-3 else np.nan, 0, 1)
    assert caught.value.reached.value == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("f", [lambda x: 1e308, lambda x: np.array([1.0, 1e308]), lambda x: 1e308 if x > 3 else -1e308])
def test_sums_that_overflow_are_an_error(f):
    bad(errors.NotFiniteError, "its sums are too large for floats. Give it in larger units", f, 0, 1000)


def test_no_convergence():
    error = bad(errors.ConvergenceError, r"cannot halve the range \[0\.0, .*not be integrable", lambda x: 1 / x, 0, 1)
    assert error.reached.value > 100
    error = bad(
        errors.ConvergenceError,
        r"has evaluated the function \d+ times, of 200 allowed by max_evaluations, and its error is estimated as "
        r"[\d.e-]+, where 9\.99e-9 is allowed\. Most of it comes from \[.*\]\. Cut the range",
        lambda x: float(x > 0.3) + 0.3,
        0,
        1,
        max_evaluations=200,
    )
    assert error.reached.value == pytest.approx(1, abs=0.05)
    assert error.reached.evaluations <= 200
    for b, text in ((INF, r"comes from \[0\.0, 1\.0\] × \[3\.0, inf\]"), (-INF, r"× \[-inf, 1\.0\]")):
        bad(errors.ConvergenceError, text, lambda x: 1 / (1 + abs(x[1])), [0, 2], [1, b], max_evaluations=700)
    text = r"comes from \[-inf, -?[\d.]+\]|comes from \[-?[\d.]+, inf\]"
    bad(errors.ConvergenceError, text, lambda x: 1 / (1 + abs(x)), -INF, INF, max_evaluations=500)


def test_it_cannot_be_compiled():
    with pytest.raises(errors.CompileError, match="integrate cannot be compiled"):
        ad.compile(lambda b: integrate(lambda x: x * b, 0.0, 1.0))(2.0)


def test_where_numbers_of_python_overflow_those_of_numpy_go_on() -> None:
    got = integrate(lambda x: x**3 / ad.expm1(x), 0, np.inf)  # Planck's law: pi^4 / 15
    np.testing.assert_allclose(got, np.pi**4 / 15, rtol=1e-12)
    with pytest.raises(errors.NotFiniteError, match="OverflowError"):
        integrate(lambda x: 1 / math.exp(x), 0, np.inf)


def test_a_function_of_several_numbers_over_a_box_is_told_to_take_an_array() -> None:
    for method in ("adaptive", "monte carlo"):
        with pytest.raises(
            errors.ArgumentError, match=r"missing a required argument: 'y'.*lambda x: f\(x\[0\], x\[1\]\)"
        ):
            integrate(lambda x, y: x * y, [0, 0], [1, 1], method=method)


def test_an_integral_comes_apart() -> None:
    value, error = integrate(np.cos, 0, 1, full_output=True)
    assert abs(value - np.sin(1)) <= error < 1e-12
