"""Cumulative integrals of functions and of samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.integrate

import autodiff as ad
from autodiff.calculus.cumulative import cumulative_integral, cumulative_trapezoid
from autodiff.core import errors
from autodiff.testing import check_gradients

TIMES = np.array([0.5, 0.1, 2.0, 2.0])


def test_a_function():
    found = cumulative_integral(math.cos, 0.3, TIMES)
    np.testing.assert_allclose(found, np.sin(TIMES) - math.sin(0.3), rtol=1e-12)
    rates = np.arange(6.0).reshape(2, 3)
    found = cumulative_integral(lambda x: np.exp(-rates * x), 0, [1])
    assert found.shape == (1, 2, 3)
    tail = cumulative_integral(lambda x: math.exp(-x), 0, [1.0, math.inf])
    np.testing.assert_allclose(tail, [1 - math.exp(-1), 1], rtol=1e-9)
    assert cumulative_integral(lambda x: np.ones(3), 0, []).shape == (0, 3)


def test_gradients():
    check_gradients(lambda a, t, w: cumulative_integral(lambda x: ad.exp(-w * x), a, t), 0.3, TIMES[:2], 1.2)
    check_gradients(lambda t: cumulative_integral(lambda x: ad.exp(-x * x), 0.0, [0.5, t]), 1.2)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("initial", [None, 0])
def test_samples(axis, initial):
    rng = np.random.default_rng(0)
    y, x = rng.normal(size=(4, 3)), np.sort(rng.normal(size=(4, 3)), axis=axis)
    for places in (None, x, np.arange(y.shape[axis]) ** 2.0):
        expected = scipy.integrate.cumulative_trapezoid(y, places, dx=0.5, axis=axis, initial=initial)
        np.testing.assert_allclose(cumulative_trapezoid(y, places, 0.5, axis, initial), expected, atol=1e-14)
        tensors = cumulative_trapezoid(ad.Tensor(y), places, 0.5, axis, initial)
        np.testing.assert_allclose(tensors.data, expected, atol=1e-14)
    check_gradients(lambda y, x, d: cumulative_trapezoid(y, x, axis=axis, initial=initial) * d, y, x, 0.5)
    check_gradients(lambda y, d: cumulative_trapezoid(y, None, d, axis=axis), y, 0.5)


def test_the_order_is_two():
    def error(n):
        x = np.linspace(0, 1, n + 1)
        return abs(cumulative_trapezoid(np.exp(x), x)[-1] - (math.e - 1))

    assert math.log2(error(50) / error(100)) == pytest.approx(2, abs=0.01)


def test_whole_numbers_and_lists_of_nodes():
    """Bytes and truth have no differences and sums; lists may hold nodes."""
    for y in ([100, 100, 28], [True, False, True]):
        for dtype in (np.uint8, bool if y[0] is True else int):
            x = np.array([7, 3, 1], np.uint8)
            expected = scipy.integrate.cumulative_trapezoid(np.array(y, float), x.astype(float))
            np.testing.assert_allclose(cumulative_trapezoid(np.array(y, dtype), x), expected)
            found = cumulative_trapezoid(ad.Tensor(np.array(y, dtype), requires_grad=False), x)
            np.testing.assert_allclose(found.data, expected)
    check_gradients(lambda a, b: cumulative_trapezoid([a, b, 2.0], [0.0, b, 3.0]), 1.2, 0.7)


def test_float32_stays():
    assert cumulative_trapezoid(np.ones(3, np.float32), initial=0).dtype == np.float32


def test_errors():
    def bad(kind, text, f, *args, **options):
        with pytest.raises(kind, match=text):
            f(*args, **options)

    bad(errors.KindError, "cumulative_integral was given a list", cumulative_integral, [1.0], 0, [1])
    bad(errors.ShapeError, r"times of shape \(\); a is one number and", cumulative_integral, math.sin, 0, 1)
    bad(errors.ShapeError, r"got a of shape \(1,\)", cumulative_integral, math.sin, [0], [1])
    bad(errors.ArgumentError, "got rtol=-1", cumulative_integral, math.sin, 0, [1], rtol=-1)
    bad(errors.ArgumentError, "got initial=1; it is 0, or left away", cumulative_trapezoid, [1.0], initial=1)
    bad(errors.ArgumentError, r"got initial=array\(", cumulative_trapezoid, [1.0], initial=np.zeros(2))
    bad(errors.ShapeError, r"samples of shape \(\); it needs", cumulative_trapezoid, 1.0)
    bad(errors.ShapeError, r"at places of shape \(3,\); x has shape \(2,\)", cumulative_trapezoid, [1.0, 2], [1, 2, 3])
