"""Averages, covariances and quantiles: NumPy's values for every form of argument, and gradients in all of them."""

import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

rng = np.random.default_rng(11)
X = rng.normal(size=(3, 4))
Z = X + 1j * rng.normal(size=(3, 4))
W = rng.uniform(0.2, 1, size=(3, 4))
NAN = np.where(W < 0.4, np.nan, X)
METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]


def same(found, expected, tolerance=1e-12):
    """Fail unless values, shapes and dtypes agree, of arrays or of pairs of them."""
    if isinstance(expected, tuple):
        for a, b in zip(found, expected, strict=True):
            same(a, b, tolerance)
        return
    data, expected = np.asarray(found.data if isinstance(found, ad.Tensor) else found), np.asarray(expected)
    assert (data.shape, data.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(data, expected, rtol=tolerance, atol=tolerance)


def compare_with_numpy(name, x, *args, **options):
    """``ad.f`` of an array and of a tensor, and ``np.f`` of a tensor, are ``np.f`` of the array."""
    ours, theirs = getattr(ad, name), getattr(np, name)
    expected = theirs(x, *args, **options)
    tolerance = 1e-5 if np.asarray(x).dtype == np.float32 else 1e-12
    for f, given in ((ours, x), (ours, ad.Tensor(x)), (theirs, ad.Tensor(x))):
        same(f(given, *args, **options), expected, tolerance)


AVERAGES = [
    {},
    {"axis": 0},
    {"axis": (1, 0), "keepdims": True},
    {"weights": W},
    {"axis": 1, "weights": W[0], "keepdims": True},
    {"axis": (1, 0), "weights": W.T},
    {"axis": 1, "weights": W[0], "returned": True},
    {"axis": 0, "returned": True},
    {"weights": np.arange(12).reshape(3, 4), "returned": True},
]


@pytest.mark.parametrize("options", AVERAGES)
@pytest.mark.parametrize("x", [X, Z, X.astype(np.float32)])
def test_average(x, options):
    compare_with_numpy("average", x, **options)
    check_gradients(lambda x: ad.average(x, **options), x)
    if isinstance(options.get("weights"), np.ndarray) and options["weights"].dtype == float:
        rest = {k: v for k, v in options.items() if k != "weights"}
        check_gradients(lambda w: ad.average(x.astype(np.result_type(x, 0.0)), weights=w, **rest), options["weights"])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"weights": np.zeros((3, 4))}, ZeroDivisionError),
        ({"weights": W[0]}, TypeError),
        ({"axis": 0, "weights": W[0]}, ValueError),
        ({"axis": 3}, np.exceptions.AxisError),
    ],
)
def test_averages_that_numpy_refuses(options, error):
    for x in (X, ad.Tensor(X)):
        with pytest.raises(error):
            ad.average(x, **options)


COVARIANCES = [
    {},
    {"rowvar": False},
    {"y": X[::-1]},
    {"y": X[0], "bias": True},
    {"ddof": 0},
    {"fweights": [1, 2, 0, 3]},
    {"aweights": W[0], "ddof": 1},
    {"fweights": [1, 2, 0, 3], "aweights": W[0]},
    {"dtype": np.float32},
]


@pytest.mark.parametrize("options", COVARIANCES)
@pytest.mark.parametrize("x", [X, Z, X[0], X.astype(np.float32)], ids=["real", "complex", "vector", "single"])
def test_cov(x, options):
    if options.get("dtype") is not None and np.iscomplexobj(x):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of single numbers
        expected = np.cov(x, **options)
        for given in (x, ad.Tensor(x)):
            same(ad.cov(given, **options), expected, 1e-5 if options.get("dtype") else 1e-12)
        if np.all(np.isfinite(expected)) and "dtype" not in options:
            check_gradients(lambda x: ad.cov(x, **options), x)


def test_cov_in_its_other_arguments():
    check_gradients(lambda y, w: ad.cov(X, y, aweights=w, fweights=[1, 2, 1, 3]), X[::-1] * 2, W[0])
    check_gradients(lambda x: ad.corrcoef(x, X[::-1] + X**2), X)
    check_gradients(ad.corrcoef, Z)
    for x in (X, Z, X[0]):
        compare_with_numpy("corrcoef", x)
    compare_with_numpy("corrcoef", X, X[::-1] ** 2, False)
    assert np.max(ad.corrcoef(ad.Tensor(np.outer([0.1, 0.3, 0.7], [1.0, 2.0, 3.1]))).data) <= 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"ddof": 0.5}, ValueError),
        ({"fweights": [0.5, 1, 1, 1]}, TypeError),
        ({"aweights": W[:, 0]}, RuntimeError),
        ({"aweights": W}, RuntimeError),
        ({"aweights": -W[0]}, ValueError),
    ],
)
def test_covariances_that_numpy_refuses(options, error):
    for x in (X, ad.Tensor(X)):
        with pytest.raises(error):
            ad.cov(x, **options)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_every_method_of_a_quantile(name, method):
    for q in (0.0, 0.3, 0.5, 1.0, [0.25, 0.75], np.array([[0.1], [0.6]])):
        for options in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}, {"axis": 0, "keepdims": True}):
            compare_with_numpy(name, X, q, method=method, **options)
            compare_with_numpy("percentile" if name == "quantile" else "nanpercentile", X, np.multiply(q, 100.0))
    x = NAN if name == "nanquantile" else X
    check_gradients(lambda x: getattr(ad, name)(x, [0.28, 0.61], axis=1, method=method), x)
    check_gradients(
        lambda x, q: getattr(ad, name)(x, q, axis=1, method=method), x, np.array([[0.28, 0.57], [0.71, 0.9]])
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64])
def test_dtypes_of_quantiles(dtype):
    x = (X * 4).astype(dtype)
    for q in (0.5, 1, np.float32(0.3), np.float64(0.3), [0.2, 0.4], np.array([0.2, 0.4], np.float32)):
        for name, options in (("quantile", {}), ("percentile", {"axis": 0}), ("nanquantile", {"axis": 1})):
            found = getattr(ad, name)(ad.Tensor(x, requires_grad=False), q, **options)
            same(found, getattr(np, name)(x, q, **options))


def test_medians():
    for name in ("median", "nanmedian"):
        for x in (X, NAN, Z, X.astype(np.float16), X[:, :3]):
            for options in ({}, {"axis": 0}, {"axis": (1, 0), "keepdims": True}, {"axis": 1, "overwrite_input": True}):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    compare_with_numpy(name, x.copy(), **options)
        for x in (X, Z):
            check_gradients(lambda x, name=name: getattr(ad, name)(x, axis=1), x)
    x = X.copy()
    ad.median(ad.Tensor(x), overwrite_input=True)
    np.testing.assert_array_equal(x, X)


def test_ties_share_their_places():
    for q, expected in ((0.3, [0, 0.8, 0.1, 0.1, 0]), (0.5, [0, 0, 0.5, 0.5, 0]), (1.0, [0, 0, 0, 0, 1])):
        found = ad.grad(lambda x, q=q: ad.quantile(x, q))(np.array([1.0, 2, 4, 4, 5]))
        np.testing.assert_allclose(found, expected, atol=1e-15)
    weighted = ad.grad(lambda x: ad.quantile(x, 0.5, weights=[1, 0, 1, 5], method="inverted_cdf"))
    assert weighted(np.array([1.0, 4, 4, 4])).tolist() == [0, 0, 0.5, 0.5]


def test_the_slope_of_a_quantile_in_q():
    slope = ad.derivative(lambda q: ad.quantile(np.array([1.0, 2.0, 5.0]), q), np.array([0.2, 0.5, 0.9]))
    np.testing.assert_allclose(slope, [2, 6, 6])  # at an entry, that to its right
    assert ad.derivative(lambda q: ad.quantile(np.array([1.0, 2.0]), q, method="lower"), 0.3) == 0


@pytest.mark.parametrize(
    ("f", "error", "text"),
    [
        (lambda t: ad.quantile(t, 1.5), ValueError, "range"),
        (lambda t: ad.percentile(t, -1), ValueError, "range"),
        (lambda t: ad.quantile(t, 0.5, method="cubic"), ValueError, "cubic"),
        (lambda t: ad.quantile(t, 0.5, weights=W), ValueError, "inverted_cdf"),
        (lambda t: ad.quantile(t, ad.Tensor(1.5)), ValueError, "range"),
        (lambda t: ad.quantile(t + 1j, 0.5), TypeError, "real"),
        (lambda t: ad.quantile(t, 0.5, axis=2), np.exceptions.AxisError, "axis"),
        (lambda t: ad.median(t, out=np.zeros(())), TypeError, "median got out="),
        (lambda t: ad.quantile(t, 0.5, method="inverted_cdf", weights=ad.Tensor(W)), TypeError, "weights= was given"),
    ],
)
def test_quantiles_that_are_refused(f, error, text):
    with pytest.raises(error, match=text):
        f(ad.Tensor(X))


def test_quantiles_of_nothing():
    for f in (lambda x: ad.quantile(x, 0.5, axis=0), lambda x: ad.quantile(x, [0.2, 0.5], axis=0)):
        y, pull = ad.vjp(f, np.zeros((3, 0)))
        assert y.size == 0
        assert pull(y)[0].shape == (3, 0)
    with pytest.raises(IndexError):
        ad.quantile(ad.Tensor(np.zeros(0)), 0.5)
