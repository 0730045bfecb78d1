"""Derivatives to full relative precision where plain formulas cancel or overflow, and no warnings of nan."""

import math

import numpy as np
import pytest

import autodiff as ad

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp.clone()
mp.dps = 80

inf, nan = math.inf, math.nan


def sech_square(x):
    return 1 / mp.cosh(x) ** 2


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def tail(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


TANH_GELU = [mp.sqrt(2 / mp.pi), mp.mpf("0.044715")]


def gelu_tanh(x):
    root, cubic = TANH_GELU
    return x / (1 + mp.exp(-2 * root * (x + cubic * x**3)))


FAR = [-300.0, -40.0, -20.0, -7.0, -1e-9, 1e-9, 0.3, 7.0, 20.0, 40.0, 300.0]
EXACT = {  # the first and the second derivative
    "gelu": (lambda x: tail(x) + x * density(x), lambda x: (2 - x * x) * density(x), [-30.0, -10.0, -5.0, 0.0, 5.0]),
    "logit": (lambda x: 1 / x + 1 / (1 - x), lambda x: 1 / (1 - x) ** 2 - 1 / x**2, [1e-150, 1e-9, 0.3, 1 - 1e-9]),
    "k1": (lambda x: -mp.besselk(0, x) - mp.besselk(1, x) / x, None, [1e-9, 0.5, 30.0, 700.0]),
}


ROUNDED = {
    "tanh": (sech_square, lambda x: -2 * mp.tanh(x) * sech_square(x)),
    "sigmoid": (lambda x: sech_square(x / 2) / 4, lambda x: -mp.tanh(x / 2) * sech_square(x / 2) / 4),
    "softplus": (lambda x: 1 / (1 + mp.exp(-x)), lambda x: sech_square(x / 2) / 4),
    "log_sigmoid": (lambda x: 1 / (1 + mp.exp(x)), lambda x: -sech_square(x / 2) / 4),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_slopes_are_exact_to_a_rounding_of_one(name):
    first, second = ROUNDED[name]
    x, op = np.array(FAR), getattr(ad, name)
    once = ad.grad(lambda x: op(x).sum())
    np.testing.assert_allclose(once(x), [float(first(mp.mpf(v))) for v in FAR], atol=3e-16)
    twice = ad.grad(lambda x: once(x).sum())(x)
    np.testing.assert_allclose(twice, [float(second(mp.mpf(v))) for v in FAR], atol=3e-16)


@pytest.mark.parametrize("name", EXACT)
def test_slopes_are_exact_in_the_tails(name):
    if name == "k1":
        pytest.importorskip("scipy")
    op = getattr(ad, name)
    first, second, points = EXACT[name]
    x = np.array(points)
    once = ad.grad(lambda x: op(x).sum())
    np.testing.assert_allclose(once(x), [float(first(mp.mpf(v))) for v in points], rtol=1e-12)
    np.testing.assert_allclose(ad.jvp(op, (x,), (np.ones_like(x),))[1], once(x), rtol=1e-14)
    if second is not None:
        twice = ad.grad(lambda x: once(x).sum())
        np.testing.assert_allclose(twice(x), [float(second(mp.mpf(v))) for v in points], rtol=1e-11, atol=1e-300)
        single = np.array([v for v in points if 1e-30 < abs(v) < 50 and abs(v - 1) > 0.01], np.float32)
        found = once(single)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, [float(first(mp.mpf(float(v)))) for v in single], rtol=1e-5, atol=1e-44)


def test_values_of_gelu_in_the_tail():
    x = np.array([-30.0, -10.0, -5.0, -0.1, 3.0])
    for options, exact in (((), lambda v: v * tail(v)), (("tanh",), gelu_tanh)):
        expected = [float(exact(mp.mpf(v))) for v in x]
        np.testing.assert_allclose(ad.gelu(x, *options), expected, rtol=1e-12)
        single = ad.gelu(x.astype(np.float32), *options)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, expected, rtol=2e-5, atol=1e-44)
        slopes = ad.grad(lambda t, options=options: ad.gelu(t, *options).sum())(x)
        np.testing.assert_allclose(slopes, [float(mp.diff(exact, mp.mpf(v))) for v in x], rtol=1e-11)


def test_gelu_by_tanh_in_every_precision_and_far_out():
    x = np.array([-np.inf, -6e4, -30.0, -1.0, -0.0, 0.0, 1.0, 30.0, 6e4, np.inf])
    f = lambda x: ad.gelu(x, "tanh")  # noqa: E731
    slope = lambda x: ad.grad(lambda x: f(x).sum())(x)  # noqa: E731
    values, slopes = (
        [0, 0, 0, f(-1.0), 0, 0, f(1.0), 30, 6e4, np.inf],
        [0, 0, 0, slope(x)[3], 0.5, 0.5, slope(x)[6], 1, 1, 1],
    )
    for dtype, tolerance in ((np.float64, 1e-15), (np.float32, 1e-6), (np.float16, 2e-3)):
        given = x.astype(dtype)
        for way, expected in ((f, values), (slope, slopes)):
            compiled = ad.compile(way)
            for found in (way(given), compiled(given), compiled(given)):
                assert found.dtype == dtype
                np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
            np.testing.assert_array_equal(compiled(given), way(given))
    assert np.isnan(f(np.array([np.nan]))).all()
    np.testing.assert_allclose(f(np.array([[1, -1]], np.int8)), [[values[6], values[3]]], rtol=1e-15)
    assert f(np.float32(1)).dtype == np.float32
    with pytest.raises(TypeError, match="gelu got complex numbers"):
        f(np.array([1j]))


@pytest.mark.parametrize(("x", "a"), [(1e-200, 1e200), (1e200, 1e-200), (3.0, 1e-300), (1 + 1e-12, 1.0)])
def test_entropies_of_numbers_far_apart_and_close(x, a):
    ratio = mp.log(mp.mpf(x) / mp.mpf(a))
    for op, slope in ((ad.rel_entr, ratio + 1), (ad.kl_div, ratio)):
        np.testing.assert_allclose(ad.grad(op)(x, a), float(slope), rtol=1e-12)
        np.testing.assert_allclose(ad.grad(ad.grad(op))(x, a), 1 / x, rtol=1e-12)
        np.testing.assert_allclose(ad.grad(lambda a, op=op: ad.grad(op)(x, a))(a), -1 / a, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, float])
def test_nan_and_infinity_warn_of_nothing(dtype):  # warnings are errors in tests
    x = np.array([nan, inf, -inf, 0], dtype)
    for op in (ad.softplus, ad.log_sigmoid, ad.sigmoid, ad.tanh):
        y, pull = ad.vjp(op, x)
        (c,) = pull(np.ones_like(y))
        assert y.dtype == c.dtype == dtype
        assert np.isnan(y[0])
        assert np.isnan(c[0])
        assert np.all(np.isfinite(c[1:]))


def test_a_bound_that_is_nan_is_what_clip_returns():
    x, low = np.array([1.0, nan, 3.0]), np.array([nan, 0.0, 0.0])
    y, pull = ad.vjp(lambda x, low: ad.clip(x, low, 2.0), x, low)
    np.testing.assert_array_equal(y, [nan, nan, 2])
    by_x, by_low = pull(np.ones(3))
    np.testing.assert_array_equal(by_x, [0, 1, 0])
    np.testing.assert_array_equal(by_low, [1, 0, 0])
    np.testing.assert_array_equal(ad.grad(lambda x: ad.clip(x, None, nan).sum())(x), [0, 1, 0])


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_a_direction_that_is_not_used_is_a_hard_zero():
    for z in (complex(inf, inf), complex(nan, 1), 0j):
        assert ad.vjp(ad.sign, np.asarray(z))[1](np.asarray(0j))[0] == 0
        assert ad.jvp(ad.sign, (np.asarray(z),), (np.asarray(0j),))[1] == 0


@pytest.mark.parametrize("b", [inf, nan, 0.5])
def test_steps_of_numbers_are_those_of_arrays(b):
    for a in (-2.0, 0.0, 3.0, nan):
        found = ad.heaviside(ad.Value(a), ad.Value(b)).data
        assert type(found) is float
        np.testing.assert_array_equal(found, np.heaviside(a, b))
