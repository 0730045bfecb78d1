"""The rows of the table of conventions that are about matrices."""

import math

import numpy as np
import pytest

import autodiff as ad
from tests.test_conventions import forward_gradient, gradient, second

inf = math.inf


def test_the_determinant_of_a_singular_matrix():
    det = ad.linalg.det
    np.testing.assert_allclose(gradient(det, [[1, 2], [2, 4]])[0], [[4, -2], [-2, 1]], atol=1e-12)
    np.testing.assert_allclose(forward_gradient(det, [[1, 2], [2, 4]])[0], [[4, -2], [-2, 1]], atol=1e-12)
    hessian = second(det, [[1, 2], [2, 4]])
    turn = np.array([[0, 1], [-1, 0]])
    expected = np.einsum("ik,jl->ijkl", turn, turn)
    np.testing.assert_allclose(hessian, expected, atol=1e-12)
    np.testing.assert_array_equal(gradient(det, np.zeros((3, 3)))[0], np.zeros((3, 3)))


@pytest.mark.parametrize("f", [ad.linalg.inv, lambda a: ad.linalg.solve(a, np.ones(2))])
def test_a_singular_matrix_raises(f):
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        f(ad.Tensor([[1.0, 2.0], [2.0, 4.0]]))


def test_repeated_eigenvalues():
    a = np.eye(3)
    slopes = gradient(lambda a: ad.linalg.eigh(a)[0].sum(), a)[0]
    np.testing.assert_allclose(slopes, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(gradient(lambda a: ad.linalg.eigvalsh(a).sum(), a)[0], np.eye(3), atol=1e-12)
    vectors = gradient(lambda a: (ad.linalg.eigh(a)[1] * np.arange(9.0).reshape(3, 3)).sum(), a)[0]
    assert not np.all(np.isfinite(vectors))


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, inf, -inf])
def test_matrix_norms_at_zero(ord):
    np.testing.assert_array_equal(gradient(lambda x: ad.linalg.norm(x, ord), np.zeros((2, 3)))[0], np.zeros((2, 3)))
