"""Fixed points: rates, derivatives, errors."""

import re
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.fixed_point import fixed_point
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

DOTTIE = 0.7390851332151606416553
M = np.array([[0.5, 0.4], [0.1, -0.6]])


@pytest.mark.parametrize("method", ["plain", "anderson"])
def test_numbers_and_arrays(method):
    assert fixed_point(ad.cos, 1.0, method=method) == pytest.approx(DOTTIE, rel=3e-15)
    np.testing.assert_allclose(
        fixed_point(lambda x: M @ x + 1, np.zeros(2), method=method), np.linalg.solve(np.eye(2) - M, [1, 1]), rtol=3e-15
    )
    assert fixed_point(lambda x: x, np.zeros((0, 3)), method=method).shape == (0, 3)


@pytest.mark.parametrize("method", ["plain", "anderson"])
def test_gradients(method):
    check_gradients(
        lambda a, b: fixed_point(lambda x: ad.tanh(a @ x) + b, np.zeros(2), method=method), M, np.array([0.3, 0.1])
    )
    check_gradients(lambda a: fixed_point(lambda x: ad.cos(a * x), 1.0, method=method), 0.8, order=3)


def test_the_square_root_of_a_matrix():
    a = np.array([[4.0, 1.0], [1.0, 3.0]])
    check_gradients(lambda a: fixed_point(lambda x: (x + a @ np.linalg.inv(x)) / 2, np.eye(2)), a)


def test_plain_iteration_converges_at_the_rate_of_the_slope():
    found = fixed_point(ad.cos, 1.0, method="plain", full_output=True)
    assert found.rate == pytest.approx(np.sin(DOTTIE), abs=0.05)
    left = np.array(found.left[5:40])
    np.testing.assert_allclose(left[1:] / left[:-1], np.sin(DOTTIE), rtol=0.01)
    assert found.steps > 80
    assert fixed_point(ad.cos, 1.0, full_output=True).steps < 8


def test_anderson_solves_linear_equations_in_as_many_steps_as_unknowns():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 4)), rng.normal(size=4)
    found = fixed_point(lambda x: a @ x + b, np.zeros(4), full_output=True, rtol=1e-10)
    assert np.abs(np.linalg.eigvals(a)).max() > 1
    assert found.steps <= 6
    np.testing.assert_allclose(found.value, np.linalg.solve(np.eye(4) - a, b), rtol=1e-8)


def test_the_shape_and_precision_of_the_start_are_kept():
    assert fixed_point(lambda x: ad.cos(x).reshape(1, 1), np.array([1.0])).shape == (1,)
    assert fixed_point(ad.cos, np.array(1.0, np.float32)).dtype == np.float32
    found = fixed_point(lambda z: 0.3 * ad.exp(z) + 1j, 1j)
    assert found == pytest.approx(0.3 * np.exp(found) + 1j, rel=1e-15)


def test_fractions_stay_fractions():
    found = fixed_point(lambda x: x / 2 + 1, Fraction(0), method="plain")
    assert isinstance(found, Fraction)
    assert abs(found - 2) < 1e-14


ERRORS = [
    (lambda: fixed_point(lambda x: 3 * x + 1, 1.0, method="plain"), DivergenceError, "by a factor of 3.0 a step"),
    (lambda: fixed_point(lambda x: x * x, 2.0, method="plain"), DivergenceError, "the points go away without bound"),
    (lambda: fixed_point(ad.cos, 1.0, method="plain", max_steps=9), ConvergenceError, "after max_steps=9, at x = 0.7"),
    (lambda: fixed_point(lambda x: x + 1, 1.0, max_steps=9), ConvergenceError, "|f(x) - x| is still 1.0"),
    (lambda: fixed_point(lambda x: ad.log(x), 0.5), NotFiniteError, "the function returned nan at x = -0.6931"),
    (lambda: fixed_point(ad.cos, 1.0, method="newton"), ArgumentError, "there are 'anderson', 'plain'."),
    (lambda: fixed_point(ad.cos, 1.0, memory=0), ArgumentError, "fixed_point got memory=0; it is a whole number"),
    (lambda: fixed_point(lambda x: x[:1], np.ones(2)), ShapeError, "returned shape (1,) for x of shape (2,)."),
    (lambda: fixed_point(lambda x: None, 1.0), KindError, "fixed_point: the function returned None; it returns"),
    (lambda: fixed_point(lambda x: x * 1j, 1.0), KindError, "fixed_point: the function returned the complex 0.0+1.0j"),
    (
        lambda: ad.compile(lambda a: fixed_point(lambda x: x * a, 1.0))(ad.Tensor([0.5])),
        CompileError,
        "fixed_point cannot be compiled",
    ),
    (
        lambda: ad.grad(lambda a: fixed_point(lambda x: x + 0 * a, 1.0))(1.0),
        SingularError,
        "the answer has no derivative",
    ),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        call()


def test_what_was_reached_is_kept():
    with pytest.raises(ConvergenceError) as caught:
        fixed_point(ad.cos, 1.0, method="plain", max_steps=9)
    assert caught.value.reached.steps == 9
