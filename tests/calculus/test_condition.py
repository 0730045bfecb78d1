"""Condition numbers against closed forms."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.condition import condition_number
from autodiff.core.errors import ArgumentError, CompileError, KindError, NotFiniteError, ShapeError


@pytest.mark.parametrize(
    ("f", "x", "closed"),
    [
        (lambda x: x - 1, 1 + 1e-8, lambda x: x / (x - 1)),
        (ad.sqrt, 7.0, lambda x: 0.5),
        (ad.tan, math.pi / 2 - 1e-6, lambda x: x / (math.sin(x) * math.cos(x))),
        (ad.exp, -30.0, lambda x: 30.0),
        (ad.log, 1.001, lambda x: 1 / math.log(x)),
        (lambda x: 1 - ad.cos(x), 1e-3, lambda x: x / math.tan(x / 2)),
        (lambda x: x**5, 3, lambda x: 5.0),
    ],
)
def test_numbers(f, x, closed):
    found = condition_number(f, x)
    assert type(found) is float
    assert found == pytest.approx(closed(x), rel=1e-9)


def test_other_kinds_of_numbers():
    assert condition_number(lambda x: x - 1, Fraction(5, 4)) == 5
    with mpmath.workdps(40):
        x = mpmath.mpf(1) / 3
        assert abs(condition_number(ad.sin, x) - x / mpmath.tan(x)) < mpmath.mpf(10) ** -38
    assert condition_number(lambda z: z * z, 1 + 2j) == pytest.approx(2)


def test_where_the_result_is_zero():
    assert condition_number(lambda x: x - 1, 1.0) == math.inf
    assert condition_number(lambda x: x * 0, 1.0) == 0
    np.testing.assert_array_equal(condition_number(lambda x: x - 1, np.array([1.0, 2.0]), norm=None)[0], [math.inf, 0])


@pytest.mark.parametrize(("norm", "order"), [(1, 1), (2, 2), (math.inf, math.inf)])
def test_a_linear_map_in_each_norm(norm, order):
    rng = np.random.default_rng(0)
    a, x = rng.normal(size=(4, 3)), rng.normal(size=3)
    closed = np.linalg.norm(a, order) * np.linalg.norm(x, order) / np.linalg.norm(a @ x, order)
    assert condition_number(lambda v: a @ v, x, norm=norm) == pytest.approx(closed)
    assert condition_number(lambda v: a @ v, x, norm="fro") >= condition_number(lambda v: a @ v, x)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_linear_system_in_its_worst_direction(n):
    """Solving A x = b has the condition of A where b lies along its largest singular vector: Hilbert matrices."""
    hilbert = 1 / (np.arange(n)[:, None] + np.arange(n) + 1)
    worst = np.linalg.svd(hilbert)[0][:, 0]
    found = condition_number(lambda b: ad.linalg.solve(hilbert, b), worst)
    assert found == pytest.approx(np.linalg.cond(hilbert), rel=1e-6)


def test_the_inverse_of_a_matrix():
    """With the spectral norm of the derivative it is at most cond(A)**2 and at least 1."""
    a = np.random.default_rng(1).normal(size=(3, 3))
    inverse = np.linalg.inv(a)
    closed = np.linalg.norm(np.kron(inverse, inverse.T), 2) * np.linalg.norm(a) / np.linalg.norm(inverse)
    found = condition_number(ad.linalg.inv, a)
    assert found == pytest.approx(closed)
    assert 1 <= found <= 3 * np.linalg.cond(a)


def test_entries_of_a_polynomial_of_roots():
    """D root / d coefficient = -root**k / p'(root): how Wilkinson's roots move with his coefficients."""
    coefficients = np.poly([1.0, 2.0, 3.0, 4.0])
    found = condition_number(lambda c: ad.sort(ad.real(ad.roots(c))), coefficients, norm=None)
    powers = np.arange(4, -1, -1)
    for k, r in enumerate([1.0, 2.0, 3.0, 4.0]):
        closed = np.abs(coefficients * r**powers / np.polyval(np.polyder(coefficients), r) / r)
        np.testing.assert_allclose(found[k], closed, rtol=1e-7)


@pytest.mark.parametrize("norm", [1, 2, math.inf, "fro", None])
def test_it_can_be_differentiated(norm):
    """By the point, and by what the function closes over: never silently zero."""
    a = np.array([[2.0, -0.5], [0.3, 1.0], [0.7, 0.2]])
    ad.testing.check_gradients(
        lambda a, x: condition_number(lambda v: ad.sin(a @ v), x, norm=norm), a, np.array([0.4, 1.1])
    )
    assert ad.grad(lambda x: condition_number(lambda x: x - 1, x))(Fraction(3)) == Fraction(-1, 4)


def test_single_precision_and_zero_sizes():
    assert condition_number(ad.sqrt, np.float32(4)) == pytest.approx(0.5)
    assert condition_number(lambda x: x**2, np.array([], np.float32)) == 0
    assert condition_number(lambda x: x**3, [1, 2]) == pytest.approx(12 * np.sqrt(5 / 65))


def test_errors():
    with pytest.raises(ArgumentError, match="condition_number got norm='max'; there are 1, 2, inf, fro, None"):
        condition_number(ad.sin, np.ones(2), norm="max")
    with pytest.raises(KindError, match="it takes a number, or an array of floats"):
        condition_number(ad.sin, np.array([True]))
    with pytest.raises(NotFiniteError, match=r"condition_number: the function returned -?inf at x ="):
        condition_number(lambda x: ad.exp(x * 1e4), np.array([1.0]))
    with pytest.raises(NotFiniteError, match="in its derivative"):
        condition_number(ad.sqrt, 0.0)
    with pytest.raises(NotFiniteError, match=r"returned nan at x = mpf\('1.0'\)"):
        condition_number(lambda x: x * mpmath.nan, mpmath.mpf(1))
    with pytest.raises(NotFiniteError, match=r"returned inf\+infj at x = array\(\[1\.\+2\.j\]\)"):
        condition_number(lambda z: z * math.inf, np.array([1 + 2j]))
    for nothing in (None, "1"):
        with pytest.raises(KindError, match="condition_number needs f to return numbers or arrays of them"):
            condition_number(lambda x, nothing=nothing: nothing, np.ones(2))
    with pytest.raises(ShapeError, match="condition_number needs f to return one array"):
        condition_number(lambda x: {"a": x}, np.ones(2))
    with pytest.raises(CompileError, match="condition_number cannot be compiled"):
        ad.compile(lambda x: condition_number(ad.sin, x))(np.array([1.0]))
