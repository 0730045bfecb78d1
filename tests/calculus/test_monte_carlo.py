"""``integrate`` by Monte Carlo: its standard error, its order, what it counts, and errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.integrate import integrate
from autodiff.core import errors


def test_the_standard_error_of_monte_carlo():
    """Of 200 runs, 68 in a hundred are within one standard error, nearly all within three."""
    exact = math.e - 1
    runs = [integrate(math.exp, 0, 1, method="monte carlo", n=100, rng=k, full_output=True) for k in range(200)]
    away = np.array([abs(r.value - exact) / r.error for r in runs])
    assert 0.58 < np.mean(away < 1) < 0.78
    assert np.mean(away < 3) > 0.98
    assert runs[0].value == integrate(math.exp, 0, 1, method="monte carlo", n=100, rng=0)


def test_monte_carlo_counts():
    """What is true adds up as 1, also in NumPy, and whole numbers of few bits do not run over."""

    def inside(x):
        return (x**2).sum(axis=-1) < 1

    u = np.random.default_rng(0).random((500, 2))
    for f, vectorized in ((inside, False), (inside, True), (lambda x: inside(ad.Tensor(x)), False)):
        share = integrate(f, [0, 0], [1, 1], method="monte carlo", n=500, rng=0, vectorized=vectorized)
        assert share == np.mean(inside(u))
    assert integrate(lambda x: np.int8(100), 0, 2, method="monte carlo", n=50) == 200
    assert integrate(inside, [0, 0], [1, 1], rtol=0.05) == pytest.approx(math.pi / 4, rel=0.05)


def test_the_order_of_monte_carlo():
    """Four times as many points halve the standard error."""
    sizes = [
        integrate(np.exp, 0, 1, method="monte carlo", n=n, rng=1, vectorized=True, full_output=True).error
        for n in (5000, 20000)
    ]
    assert sizes[0] / sizes[1] == pytest.approx(2, rel=0.1)


def test_monte_carlo_over_a_box_of_five_axes():
    found = integrate(
        lambda x: np.stack([x.sum(axis=1), x[:, 0] ** 2], axis=1),
        np.zeros(5),
        np.full(5, 2.0),
        method="monte carlo",
        n=20000,
        vectorized=True,
        rng=0,
        full_output=True,
    )
    assert found.error.shape == (2,)
    assert np.all(np.abs(found.value - [32 * 5, 32 * 4 / 3]) < 3 * found.error)
    one = integrate(lambda x: x[0] * x[1], [0, 0], [1, -1], method="monte carlo", n=2500, rng=0, full_output=True)
    assert abs(one.value - 0.25) < 3 * one.error
    many = np.random.default_rng(3).random((2500, 2)) * [1, -1]
    same = integrate(lambda x: x[0] * x[1], [0, 0], [1, -1], method="monte carlo", n=2500, rng=3, full_output=True)
    assert same.value == pytest.approx(-np.mean(many.prod(axis=1)), rel=1e-12)
    assert same.error == pytest.approx(np.std(many.prod(axis=1), ddof=1) / 50, rel=1e-12)


def test_monte_carlo_checks_what_is_returned():
    def chance(kind, text, f):
        with pytest.raises(kind, match=text):
            integrate(f, 0, 1, method="monte carlo", n=10, rng=0)

    chance(errors.KindError, "the function returned None at x = 0", lambda x: None)
    chance(errors.ShapeError, r"shape \(2,\) at x = .* and shape \(1,\) at", lambda x: [0.0] * (1 + (x > 0.5)))
    chance(errors.NotFiniteError, r"raised ZeroDivisionError \(.*\) at x = 0", lambda x: 1 / 0)
