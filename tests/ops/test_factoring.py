"""Cholesky and QR: which triangle has the gradient, every mode and shape, and what is refused."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients


def total(x):
    """A sum with weights that show every entry."""
    return ad.real(x * np.arange(1.0, x.size + 1).reshape(x.shape)).sum()


@pytest.mark.parametrize("imaginary", [0, 1j])
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_of_a_hermitian_matrix_has_a_hermitian_gradient(rng, upper, imaginary):
    a = rng.normal(size=(3, 3)) + imaginary * rng.normal(size=(3, 3))
    p = a @ a.conj().T + np.eye(3)
    p = (p + p.conj().T) / 2
    f = lambda p: total(ad.linalg.cholesky(p, upper=upper))  # noqa: E731
    g = ad.grad(f)(p)
    np.testing.assert_array_equal(g, g.conj().T)
    check_gradients(lambda a: ad.linalg.cholesky(a + ad.conj(a.mT), upper=upper), p / 2)
    one_sided = p + (np.tril(a, -1) if upper else np.triu(a, 1))  # what is not read makes no difference
    half = ad.grad(f)(one_sided)
    np.testing.assert_array_equal(f(p), f(one_sided))
    assert not (np.tril(half, -1) if upper else np.triu(half, 1)).any()
    np.testing.assert_allclose((half + half.conj().T) / 2, g)


def test_cholesky_refuses_what_is_not_positive():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        ad.linalg.cholesky(ad.Tensor([[1.0, 2.0], [2.0, 1.0]]))


@pytest.mark.parametrize("imaginary", [0, 1j])
@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 5, 1), (2, 1, 3)], ids=str)
def test_qr(rng, shape, mode, imaginary):
    check_gradients(lambda a: ad.linalg.qr(a, mode), rng.normal(size=shape) + imaginary * rng.normal(size=shape))


def test_qr_of_a_singular_square_matrix(rng):
    """The last column of Q is what the others leave: only they must be independent."""
    a = rng.normal(size=(3, 3))
    a[:, 2] = a[:, 0] - 2 * a[:, 1]
    check_gradients(ad.linalg.qr, a)
    a[:, 1] = 0
    assert np.isnan(ad.grad(lambda a: total(ad.linalg.qr(a).Q))(a)).any()


def test_qr_of_a_dependent_matrix_in_a_stack_that_is_not_used(rng):
    stack = np.stack([np.zeros((3, 2)), rng.normal(size=(3, 2))])
    g = ad.grad(lambda a: total(ad.linalg.qr(a, "complete").Q[1]))(stack)
    assert not g[0].any()
    np.testing.assert_allclose(g[1], ad.grad(lambda a: total(ad.linalg.qr(a, "complete").Q))(stack[1]))


def test_the_raw_form_is_refused():
    a = ad.Tensor(np.eye(2))
    with pytest.raises(ad.errors.UnsupportedError, match=r"qr with mode='raw' .* no derivative. Use mode='reduced'"):
        ad.linalg.qr(a, "raw")
    np.testing.assert_equal(ad.linalg.qr(a.detach(), "raw"), np.linalg.qr(np.eye(2), "raw"))
    with pytest.warns(DeprecationWarning, match="'full' option"):
        ad.linalg.qr(a, "full")
