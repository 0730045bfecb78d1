"""Reductions: gradients with every option, at ties, at nan, and behind masks."""

import math
import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

inf, nan = math.inf, math.nan
rng = np.random.default_rng(5)
X = rng.normal(size=(3, 4))
Z = X + 1j * rng.normal(size=(3, 4))
MASK = np.array([[True, True, False, True], [True, False, True, True], [False, True, True, False]])
NAN = np.where(MASK, X, nan)
GRADIENTS = {
    "sum where": lambda x: ad.sum(x, 1, where=MASK, initial=2.0),
    "sum complex dtype": lambda x: ad.sum(x, 0, complex),
    "mean where": lambda x: ad.mean(x, axis=0, where=MASK, keepdims=True),
    "mean dtype": lambda x: ad.mean(x, 1, complex),
    "prod where": lambda x: ad.prod(x, axis=1, where=MASK, initial=-3.0),
    "var where": lambda x: ad.var(x, axis=1, where=MASK, ddof=0.5),
    "var correction": lambda x: ad.var(x, 1, correction=1),
    "std where": lambda x: ad.std(x, axis=0, where=MASK, keepdims=True),
    "nansum": lambda x: ad.nansum(ad.where(MASK, x, nan), 0),
    "nanmean": lambda x: ad.nanmean(ad.where(MASK, x, nan), 1, keepdims=True),
    "nanprod": lambda x: ad.nanprod(ad.where(MASK, x, nan), 0),
    "nanvar": lambda x: ad.nanvar(ad.where(MASK, x, nan), 1, ddof=1),
    "nanstd": lambda x: ad.nanstd(ad.where(MASK, x, nan), where=X < 1),
    "nancumsum": lambda x: ad.nancumsum(ad.where(MASK, x, nan), 0),
    "nancumprod": lambda x: ad.nancumprod(ad.where(MASK, x, nan)),
}
REAL = {
    "max where": lambda x: ad.max(x, axis=1, initial=-9.0, where=MASK),
    "min where": lambda x: ad.min(x, axis=0, initial=0.1, where=MASK, keepdims=True),
    "nanmax": lambda x: ad.nanmax(ad.where(MASK, x, nan), 0),
    "nanmin initial": lambda x: ad.nanmin(ad.where(MASK, x, nan), (0, 1), initial=0.5, where=X > -1),
    "ptp": lambda x: ad.ptp(x, 1),
    "nanmedian": lambda x: ad.nanmedian(ad.where(MASK, x, nan), 1),
}


@pytest.mark.parametrize("f", [*GRADIENTS.values(), *REAL.values()], ids=[*GRADIENTS, *REAL])
def test_gradients(f):
    check_gradients(f, X)


@pytest.mark.parametrize("f", GRADIENTS.values(), ids=list(GRADIENTS))
def test_complex_gradients(f):
    check_gradients(f, Z)


def test_a_given_mean_is_differentiated_too():
    for f in (ad.var, ad.std, ad.nanvar, ad.nanstd):
        check_gradients(lambda x, m, f=f: f(x, axis=1, mean=m, ddof=1), X, X[:, :1] + 0.3)
        whole = ad.hessian(lambda x, f=f: f(x, mean=ad.mean(x, keepdims=True)))(X[0])
        np.testing.assert_allclose(whole, ad.hessian(f)(X[0]), atol=1e-12)


def test_a_recorded_start_is_differentiated_too():
    check_gradients(lambda x, i: ad.sum(x, axis=0, initial=i), X, 2.0)
    check_gradients(lambda x, i: ad.nanprod(x, axis=0, initial=i), X, 2.0)


def both_modes(f, x):
    """The gradient of the sum of the results in reverse mode; the same in forward mode, entry by entry."""
    x = np.array(x, float)
    y, pull = ad.vjp(f, x)
    (c,) = pull(np.ones(np.shape(y)))
    pushed = np.array([np.sum(ad.jvp(f, (x,), (np.eye(x.size)[i].reshape(x.shape),))[1]) for i in range(x.size)])
    return c, pushed.reshape(x.shape)


EDGES = [
    ("max ties", ad.max, [1, 3, 3], [0, 0.5, 0.5]),
    ("max of -inf", ad.max, [-inf, -inf], [0.5, 0.5]),
    ("ptp of a constant", ad.ptp, [2, 2, 2], [0, 0, 0]),
    ("ptp ties", ad.ptp, [1, 3, 3, 1], [-0.5, 0.5, 0.5, -0.5]),
    ("max ties with initial", lambda x: ad.max(x, initial=3.0), [1, 3], [0, 0.5]),
    ("max below initial", lambda x: ad.max(x, initial=9.0), [1, 3], [0, 0]),
    ("max of nothing", lambda x: ad.max(x, initial=-inf, where=[False, False]), [1, nan], [0, 0]),
    ("max beside a masked nan", lambda x: ad.max(x, initial=-inf, where=[True, False, True]), [1, nan, 3], [0, 0, 1]),
    ("nanmax ties", ad.nanmax, [1, nan, 3, 3], [0, 0, 0.5, 0.5]),
    ("nanmax of -inf", ad.nanmax, [-inf, nan, -inf], [0.5, 0, 0.5]),
    ("nanmax of nan", ad.nanmax, [nan, nan], [0, 0]),
    ("sum beside a masked nan", lambda x: ad.sum(x, where=[True, False]), [1, nan], [1, 0]),
    ("mean beside a masked inf", lambda x: ad.mean(x, where=[True, False]), [1, inf], [1, 0]),
    ("mean of nothing", lambda x: ad.mean(x, where=[False, False]), [1, nan], [0, 0]),
    ("prod with zeros", ad.prod, [2, 0, 3], [0, 6, 0]),
    ("prod with two zeros", ad.prod, [0, 0, 3], [0, 0, 0]),
    ("prod beside a masked nan", lambda x: ad.prod(x, where=[True, False, True]), [2, nan, 3], [3, 0, 2]),
    ("prod from 0", lambda x: ad.prod(x, initial=0), [2, 3], [0, 0]),
    ("nanmean of nan", ad.nanmean, [nan, nan], [0, 0]),
    ("nanprod", ad.nanprod, [nan, 2, 3], [0, 3, 2]),
    ("nanvar of nan", ad.nanvar, [nan, nan], [0, 0]),
    ("nanvar of one", lambda x: ad.nanvar(x, ddof=1), [nan, 2], [0, nan]),
    ("nanstd of a constant", ad.nanstd, [0.1, nan, 0.1, 0.1], [0, 0, 0, 0]),
    ("var beside a masked nan", lambda x: ad.var(x, where=[True, False, True]), [1, nan, 3], [-1, 0, 1]),
    ("std of a constant", ad.std, [2, 2, 2], [0, 0, 0]),
    ("std of a rounded constant", ad.std, [0.1, 0.1, 0.1], [0, 0, 0]),
    ("std of one", lambda x: ad.std(x, ddof=1), [3], [nan]),
    ("var of one, masked", lambda x: ad.var(x, ddof=1, where=[True, False]), [3, 4], [nan, 0]),
    ("median ties", ad.median, [1, 2, 2, 3], [0, 0.5, 0.5, 0]),
    ("median of three ties", ad.median, [1, 2, 2], [0, 0.5, 0.5]),
    ("median of nan", ad.median, [1, nan, 2], [nan, nan, nan]),
    ("nanmedian", ad.nanmedian, [1, nan, 2], [0.5, 0, 0.5]),
    ("nanmedian of nan", ad.nanmedian, [nan, nan], [0, 0]),
    ("logsumexp masked", ad.logsumexp, [-inf, -inf], [0, 0]),
    ("logsumexp of one inf", ad.logsumexp, [inf, 1], [1, 0]),
    ("logsumexp of two inf", ad.logsumexp, [inf, inf, 3], [0.5, 0.5, 0]),
    ("logsumexp rows", lambda x: ad.logsumexp(x, axis=1), [[inf, 1], [-inf, -inf]], [[1, 0], [0, 0]]),
    ("logsumexp without weight", lambda x: ad.logsumexp(x, b=[1, 0]), [0, 2000], [1, 0]),
    ("logsumexp of an inf without weight", lambda x: ad.logsumexp(x, b=[1, 0]), [2, inf], [1, 0]),
]


@pytest.mark.parametrize(("f", "x", "expected"), [e[1:] for e in EDGES], ids=[e[0] for e in EDGES])
def test_edges(f, x, expected):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for found in both_modes(f, x):
            np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.mark.parametrize("f", [ad.max, ad.std, ad.logsumexp, ad.median, ad.ptp])
@pytest.mark.parametrize("x", [[0.1, 0.1, 0.1], [2.0, 2.0, 5.0]])
def test_second_derivatives_are_finite_at_ties(f, x):
    assert np.all(np.isfinite(ad.hessian(f)(np.array(x))))


def test_second_derivatives_beyond_infinity_are_0():
    for x in ([inf, 1.0], [-inf, -inf], [inf, inf]):
        assert not np.any(ad.hessian(ad.logsumexp)(np.array(x)))
    assert not np.any(ad.hessian(ad.std)(np.full(3, 0.1)))


def test_the_curvature_of_a_product_with_zeros():
    assert ad.hessian(ad.prod)(np.array([0.0, 0.0, 3.0])).tolist() == [[0, 3, 0], [3, 0, 0], [0, 0, 0]]


def test_weights_of_a_logsumexp():
    special = pytest.importorskip("scipy.special")
    b = np.abs(X[0]) + 0.1
    for options in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}):
        np.testing.assert_allclose(ad.logsumexp(X, b=b, **options), special.logsumexp(X, b=b, **options), rtol=1e-13)
        check_gradients(lambda x, b, options=options: ad.logsumexp(x, b=b, **options), X, b)
    found, sign = ad.logsumexp(ad.Tensor([1.0, 2.0]), b=[1, -3], return_sign=True)
    expected = special.logsumexp([1.0, 2.0], b=[1, -3], return_sign=True)
    np.testing.assert_allclose([found.data, sign.data], expected, rtol=1e-14)
    assert ad.logsumexp(np.zeros(0)) == -inf
    np.testing.assert_allclose(ad.logsumexp(Z + 3j), special.logsumexp(Z + 3j), rtol=1e-13)  # the principal value


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
@pytest.mark.parametrize("f", [*GRADIENTS.values(), ad.max, ad.median], ids=[*GRADIENTS, "max", "median"])
def test_single_precision_stays(f, dtype):
    x = X.astype(dtype)
    y, pull = ad.vjp(f, x)
    if "complex" not in f.__code__.co_names:  # is not asked for
        assert y.dtype in (np.float32, np.complex64)
    assert pull(np.ones_like(y))[0].dtype == dtype


def test_vmap_sees_one_example():
    for f in (ad.nanstd, ad.nanmax, ad.median, lambda x: ad.mean(x, where=x > 0), lambda x: ad.logsumexp(x, b=x**2)):
        np.testing.assert_allclose(ad.vmap(f)(X), [f(x) for x in X], rtol=1e-13)
