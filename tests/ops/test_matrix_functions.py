"""Powers and the exponential of matrices."""

import math

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6, -1, -3])
def test_powers(rng, n):
    check_gradients(lambda a: ad.linalg.matrix_power(a, n), rng.normal(size=(2, 3, 3)))
    check_gradients(lambda a: ad.linalg.matrix_power(a, n), rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))


def test_a_large_power_takes_few_products():
    a = ad.Tensor([[1.0, 1.0], [0.0, 1.0]])
    y = ad.linalg.matrix_power(a, 1000)
    assert len(ad.Tape(y)) < 20
    y[0, 1].backward()
    np.testing.assert_array_equal(a.grad, [[499500, 1000], [166167000, 499500]])


def test_the_power_0_is_on_the_tape():
    a = ad.Tensor([[np.inf, 1.0], [0.0, 1.0]])
    ad.linalg.matrix_power(a, 0).sum().backward()
    np.testing.assert_array_equal(a.grad, np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("a", "n", "error"),
    [
        (np.ones((2, 3)), 2, np.linalg.LinAlgError),
        (np.ones(3), 2, np.linalg.LinAlgError),
        (np.ones((2, 2)), 2.0, TypeError),
        (np.ones((2, 2)), -1, np.linalg.LinAlgError),
    ],
)
def test_bad_powers(a, n, error):
    with pytest.raises(error):
        ad.linalg.matrix_power(ad.Tensor(a), n)


def rotation(t):
    return np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])


def test_exponentials_known_in_closed_form():
    np.testing.assert_array_equal(ad.expm(np.zeros((2, 3, 3))), np.broadcast_to(np.eye(3), (2, 3, 3)))
    np.testing.assert_allclose(ad.expm(np.array([[0, -2.0], [2.0, 0]])), rotation(2.0), rtol=1e-14)
    np.testing.assert_allclose(ad.expm(np.diag([-700.0, 0, 700])), np.diag(np.exp([-700, 0, 700])), rtol=1e-12)
    np.testing.assert_allclose(
        ad.expm(np.array([[1.0, 1e9], [0, -1.0]])), [[math.e, 1e9 * math.sinh(1)], [0, 1 / math.e]]
    )
    assert ad.expm([[0, 1], [0, 0]]).tolist() == [[1, 1], [0, 1]]
    assert np.isnan(ad.expm(np.array([[np.nan, 0], [0, 1]]))).all()
    assert ad.expm(np.zeros((0, 2, 2))).shape == (0, 2, 2)


@pytest.mark.parametrize("size", [1e-9, 1e-3, 1, 30, 300])
def test_exponentials_like_scipy(rng, size):
    linalg = pytest.importorskip("scipy.linalg")
    a = size * rng.normal(size=(4, 3, 3)) / 3
    for x in (a, a - a.mT, np.triu(a), a * 1j):
        np.testing.assert_allclose(ad.expm(x), np.stack([linalg.expm(m) for m in x]), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("size", [1e-100, 1e-9, 1, 1e9, 1e100])
def test_the_derivative_of_an_exponential_is_linear(rng, size):
    """However large or small the cotangent is, it has no say in how the exponential is computed."""
    a, g = rng.normal(size=(2, 3, 3))
    pull = ad.vjp(ad.expm, a)[1]
    np.testing.assert_allclose(pull(g * size)[0] / size, pull(g)[0], rtol=1e-13)
    assert not pull(g * 0)[0].any()


@pytest.mark.parametrize(
    ("dtype", "expected"), [("f4", "f4"), ("f8", "f8"), ("c8", "c8"), ("c16", "c16"), ("i8", "f8"), ("f2", "f4")]
)
def test_dtypes(dtype, expected):
    assert ad.expm(np.eye(2, dtype=dtype)).dtype == expected


def test_the_exponential_of_what_is_not_square():
    with pytest.raises(np.linalg.LinAlgError, match=r"expm got shape \(2, 3\)"):
        ad.expm(ad.Tensor(np.ones((2, 3))))
