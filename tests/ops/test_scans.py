"""Scans and differences along an axis: NumPy's values for every form of argument, and gradients in all of them."""

import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

rng = np.random.default_rng(13)
X = rng.normal(size=(3, 4))
Z = X + 1j * rng.normal(size=(3, 4))
ARRAYS = {
    "double": X,
    "single": X.astype(np.float32),
    "half": X.astype(np.float16),
    "complex": Z,
    "strided": rng.normal(size=(4, 6))[::-2, ::2],
    "vector": X[0],
    "int": np.arange(12).reshape(3, 4) ** 2,
    "bool": X > 0,
    "empty": np.zeros((2, 0)),
    "number": np.array(1.5),
}


def outcome(f, *args, **options):
    """What a call returns, or its error."""
    try:
        return f(*args, **options)
    except Exception as error:
        return error


def require_same(found, expected):
    """Fail unless two outcomes are alike: values with their shapes and dtypes, or errors."""
    if isinstance(expected, Exception):
        kinds = (np.exceptions.AxisError, IndexError, ValueError, TypeError)
        assert isinstance(found, next(kind for kind in kinds if isinstance(expected, kind))), (found, expected)
    elif isinstance(expected, tuple):
        assert isinstance(found, tuple)
        for a, b in zip(found, expected, strict=True):
            require_same(a, b)
    else:
        assert not isinstance(found, Exception), found
        data, expected = np.asarray(found.data if isinstance(found, ad.Tensor) else found), np.asarray(expected)
        assert (data.shape, data.dtype) == (expected.shape, expected.dtype)
        coarse = {np.float16: 5e-3, np.float32: 1e-5}.get(expected.dtype.type, 1e-12)
        np.testing.assert_allclose(data, expected, rtol=coarse, atol=coarse)


def compare_with_numpy(name, x, *args, **options):
    """The outcomes of ``ad.f`` on an array, of ``ad.f`` and ``np.f`` on a tensor, against that of ``np.f``."""
    ours, theirs = getattr(ad, name), getattr(np, name)
    tensor = ad.Tensor(x, requires_grad=x.dtype.kind in "fc")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = outcome(theirs, x, *args, **options)
        for f, given in ((ours, x), (ours, tensor), (theirs, tensor)):
            require_same(outcome(f, given, *args, **options), expected)


SCANS = [{}, {"axis": 0}, {"axis": -1}, {"axis": 2}, {"axis": 0, "dtype": np.float32}, {"dtype": complex}]
CUMULATIVE = [{"include_initial": True}, {"axis": 0, "include_initial": True}, {"axis": -1}, {"axis": 5}, {}]
FORMS = {
    **dict.fromkeys(["cumsum", "cumprod", "nancumsum", "nancumprod"], SCANS),
    **dict.fromkeys(["cumulative_sum", "cumulative_prod"], CUMULATIVE),
    "diff": [{}, {"n": 2}, {"axis": 0}, {"n": 0}, {"n": -1}, {"axis": 4}, {"prepend": 1.5}, {"append": 2, "n": 3}],
    "ediff1d": [{}, {"to_end": [1, 2]}, {"to_begin": 1.5, "to_end": [[1], [2]]}, {"to_begin": 1j}],
    "gradient": [{}, {"axis": -1}, {"axis": (1, 0), "edge_order": 2}, {"edge_order": 3}, {"axis": 7}, {"axis": ()}],
    "trapezoid": [{}, {"dx": 0.5}, {"axis": 0}, {"axis": 3}],
    "unwrap": [{}, {"axis": 0, "period": 1.0}, {"discont": 2.0}, {"axis": 3}],
}


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_argument(name, kind):
    for options in FORMS[name]:
        compare_with_numpy(name, ARRAYS[kind], **options)


T = np.array([0.1, 0.4, 1.1, 1.3])
GRIDS = [(0.5,), (0.5, 2.0), (np.arange(3.0), T), (np.arange(3), 2), (1.0, 2.0, 3.0), (T, T), (np.ones((2, 2)), 1.0)]


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_gradient_on_a_grid(grid, edge_order):
    for kind in ("double", "single", "complex", "int"):
        compare_with_numpy("gradient", ARRAYS[kind], *grid, edge_order=edge_order)


def test_more_arguments():
    for options in ({"prepend": X[:, :2]}, {"append": X[:1], "axis": 0}, {"prepend": np.zeros((3, 0)), "append": 0.0}):
        compare_with_numpy("diff", X, **options)
    for x, axis in ((T, -1), (T[:3], 0), (np.sort(X, 0), 0), (np.sort(X, 1), 1)):
        compare_with_numpy("trapezoid", X, x, axis=axis)
    for shape in ((2, 3), (3, 1)):
        assert ad.cumsum(ad.Tensor(np.ones(shape)), 1).shape == ad.Tensor(np.ones(shape)).cumprod(1).shape == shape


def sums(x, **options):
    return ad.cumulative_sum(x, include_initial=True, **options)


GRADIENTS = {
    "cumsum complex": lambda x: ad.cumsum(x, 0, complex),
    "cumulative_sum": lambda x: sums(x, axis=1),
    "cumulative_prod": lambda x: ad.cumulative_prod(x, axis=0, include_initial=True),
    "cumprod flat": ad.cumprod,
    "nancumprod": lambda x: ad.nancumprod(ad.where(X > 0.5, np.nan, x), 1),
    "diff": lambda x: ad.diff(x, 2, 0),
    "ediff1d": ad.ediff1d,
    "gradient": lambda x: ad.gradient(x, edge_order=2),
    "trapezoid": lambda x: ad.trapezoid(x, axis=0, dx=0.3),
}


@pytest.mark.parametrize("f", GRADIENTS.values(), ids=list(GRADIENTS))
def test_gradients(f):
    check_gradients(f, X)
    check_gradients(f, Z)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradients_in_the_grid(edge_order):
    check_gradients(lambda f, t: ad.gradient(f, t, axis=1, edge_order=edge_order), X, T)
    check_gradients(lambda f, t: ad.gradient(f, t, axis=1, edge_order=edge_order), X, np.arange(4.0))  # equal steps
    check_gradients(lambda f, h, t: ad.gradient(f, h, t, edge_order=edge_order), X, 0.7, T)


def test_gradients_in_the_ends_and_the_points():
    check_gradients(lambda a, p, q: ad.diff(a, 2, 1, p, q), X, X[:, :2] + 1, 0.5)
    check_gradients(lambda a, p, q: ad.ediff1d(a, p, q), X, np.array([0.3, 0.2]), 0.5)
    check_gradients(lambda y, x: ad.trapezoid(y, x), X, T)
    check_gradients(lambda y, x: ad.trapezoid(y, x, axis=0), Z, np.sort(X, 0))
    check_gradients(lambda y, dx: ad.trapezoid(y, dx=dx), X, 0.3)


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0, 0.0, 1.0], [1e-300, 1e200, 1e200, 0.0, 1.0]])
def test_cumprod_with_zeros(x):
    x, n = np.array(x), len(x)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = [[0 if j > k else np.prod(np.delete(x[: k + 1], j)) for j in range(n)] for k in range(n)]
    np.testing.assert_allclose(ad.jacobian(ad.cumprod)(x)[:, 1:], np.array(expected)[:, 1:], rtol=1e-14)
    if np.max(x) < 9:
        check_gradients(ad.cumprod, x)


def test_cumprod_by_hand():
    assert ad.grad(lambda x: ad.cumprod(x).sum())(np.array([2.0, 0.0, 3.0])).tolist() == [1, 8, 0]
    assert ad.grad(lambda x: ad.cumprod(x)[0])(np.array([2.0, np.inf, 3.0])).tolist() == [1, 0, 0]
    long = ad.grad(lambda x: ad.cumprod(x)[-1])(np.full(1000, 1.001))
    np.testing.assert_allclose(long, 1.001**999, rtol=1e-12)


def test_unwrap_adds_constants():
    x = rng.uniform(-20, 20, size=9)
    assert ad.grad(lambda x: ad.unwrap(x).sum())(x).tolist() == [1] * 9
    with pytest.raises(TypeError, match="period= was given"):
        ad.unwrap(ad.Tensor(x), period=ad.Tensor(3.0))


def test_cumulative_needs_an_axis():
    with pytest.raises(ValueError, match="needs its axis"):
        sums(ad.Tensor(X))
