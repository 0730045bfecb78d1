"""Eigenvalues and singular values: repeated ones, zeros, phases, triangles, and orders."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

linalg = ad.linalg


def draw(rng, *shape, imaginary=0):
    return rng.normal(size=shape) + imaginary * rng.normal(size=shape)


def blocks(a, b):
    """The matrix with two blocks."""
    right, left = np.zeros((a.shape[0], b.shape[1])), np.zeros((b.shape[0], a.shape[1]))
    return ad.concatenate([ad.concatenate([a, right], 1), ad.concatenate([left, b], 1)], 0)


def hermitian(a):
    return a + ad.conj(a.mT)


@pytest.mark.parametrize("imaginary", [0, 1j])
def test_a_hermitian_matrix_has_a_hermitian_gradient(rng, imaginary):
    h = np.asarray(hermitian(draw(rng, 3, 3, imaginary=imaginary)))
    for f in (linalg.eigvalsh, lambda a: linalg.eigh(a).eigenvalues, lambda a: linalg.eigvalsh(a, "U")):
        g = ad.grad(lambda a, f=f: (f(a) * [1, 2, 4]).sum())(h)
        np.testing.assert_array_equal(g, g.conj().T)
    v = np.linalg.eigh(h).eigenvectors
    np.testing.assert_allclose(g, v @ np.diag([1, 2, 4]) @ v.conj().T, atol=1e-12)
    g = ad.grad(lambda a: (linalg.eigvalsh(a) * [1, 2, 4]).sum())(np.tril(h))
    assert not np.triu(g, 1).any()
    g = ad.grad(lambda a: linalg.eigvalsh(a)[0])(h + np.triu(h, 1) * 2.0**-52)  # Hermitian but for rounding
    np.testing.assert_array_equal(g, g.conj().T)
    check_gradients(lambda a: linalg.eigh(hermitian(a)), h)
    check_gradients(lambda a: linalg.svd(hermitian(a), hermitian=True), h)
    check_gradients(lambda a: linalg.svd(hermitian(a), compute_uv=False, hermitian=True), h)


@pytest.mark.parametrize("which", ["L", "U"])
@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 1), (2, 3)])
def test_the_phase_of_eigenvectors_is_numpys(rng, which, m, n):
    """Also where the entry is 0 that NumPy makes real as a rule: then it is the next."""
    a, b = draw(rng, m, m, imaginary=1j), draw(rng, n, n, imaginary=1j)
    check_gradients(lambda a, b: linalg.eigh(blocks(hermitian(a), hermitian(b)), which), a, b)


@pytest.mark.parametrize(("left", "right"), [((1, 1), (1, 1)), ((2, 1), (2, 2)), ((2, 2), (2, 3)), ((2, 2), (3, 2))])
def test_the_phase_of_singular_vectors_is_numpys(rng, left, right):
    a, b = 5 * draw(rng, *left, imaginary=1j), draw(rng, *right, imaginary=1j)
    check_gradients(lambda a, b: linalg.svd(blocks(a, b), full_matrices=False), a, b)


def test_repeated_eigenvalues():
    x = np.diag([1.0, 1.0, 3.0])
    np.testing.assert_array_equal(ad.grad(lambda a: linalg.eigh(a)[0].sum())(x), np.eye(3))
    np.testing.assert_array_equal(ad.grad(lambda a: linalg.eigvals(a).sum())(x), np.eye(3))
    assert np.isnan(ad.grad(lambda a: linalg.eigh(a)[1][0, 0])(x)).all()
    assert np.isnan(ad.grad(lambda a: linalg.eig(a)[1][0, 0])(x)).all()
    other = ad.grad(lambda a: linalg.eigh(a)[1][0, 2])(x)  # an eigenvector that is determined
    np.testing.assert_allclose(other, [[0, 0, 0.25], [0, 0, 0], [0.25, 0, 0]])
    push = ad.jvp(lambda a: tuple(linalg.eigh(a)), (x,), (np.ones((3, 3)),))[1]
    np.testing.assert_array_equal(push[0], [1, 1, 1])
    np.testing.assert_array_equal(np.isnan(push[1]), [[True, True, False]] * 3)


def test_repeated_singular_values():
    np.testing.assert_array_equal(ad.grad(lambda a: linalg.svd(a)[1].sum())(np.eye(2)), np.eye(2))
    assert np.isnan(ad.grad(lambda a: linalg.svd(a)[0][0, 0])(np.eye(2))).all()


def test_singular_values_that_are_zero_are_at_a_kink():
    """As everywhere, the subgradient of smallest norm."""
    np.testing.assert_array_equal(ad.grad(lambda a: linalg.svdvals(a).sum())(np.zeros((2, 3))), 0)
    for f in (linalg.svdvals, lambda a: linalg.svd(a).S, lambda a: linalg.svd(a, hermitian=True).S):
        np.testing.assert_allclose(ad.grad(lambda a, f=f: f(a).sum())(np.ones((2, 2))), 0.5)
        small = np.diag([1e4, 1e-4]).astype(np.float32)  # not 0: single precision is computed in double
        np.testing.assert_array_equal(ad.grad(lambda a, f=f: f(a).sum())(small), np.eye(2))


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda a: linalg.eigvalsh(hermitian(a))[-1], np.diag([1.0, 1, 3])),
        (lambda a: linalg.eigh(hermitian(a))[0][-1], np.diag([1.0, 1, 3])),
        (lambda a: linalg.svdvals(a)[0], np.ones((3, 4))),
        (lambda a: linalg.svd(a).S[0], np.ones((4, 3))),
        (lambda a: linalg.svd(hermitian(a), hermitian=True).S[0], np.ones((3, 3))),
    ],
)
def test_second_order_of_the_largest_where_the_others_are_repeated(f, x):
    check_gradients(f, x)
    assert np.isfinite(ad.hessian(f)(x)).all()


def test_a_square_matrix_that_lacks_one_rank_has_singular_vectors(rng):
    a = draw(rng, 3, 2) @ draw(rng, 2, 3)
    check_gradients(lambda a: [p[..., :2] for p in (linalg.svd(a).U, linalg.svd(a).S, linalg.svd(a).Vh.mT)], a)


def test_what_full_matrices_adds_has_no_derivative(rng):
    for shape in ((4, 2), (2, 4)):
        a = draw(rng, *shape)
        k = min(shape)
        check_gradients(lambda a, k=k: (linalg.svd(a).U[:, :k], linalg.svd(a).S, linalg.svd(a).Vh[:k]), a)
        u, _, vh = ad.jvp(lambda a: tuple(linalg.svd(a)), (a,), (a,))[1]
        assert np.isnan(u[:, k:]).all()
        assert np.isnan(vh[k:]).all()
        with pytest.raises(ad.errors.UnsupportedError, match=r"may be any basis.* Use full_matrices=False"):
            ad.grad(lambda a: linalg.svd(a).U.sum() + linalg.svd(a).Vh.sum())(a)


def test_a_matrix_in_a_stack_that_is_not_used(rng):
    stack = np.stack([np.eye(3), draw(rng, 3, 3)])
    for f in (linalg.eigh, linalg.eig, linalg.svd):
        g = ad.grad(lambda a, f=f: ad.real(f(a)[0][1, 0]).sum())(stack)
        assert not g[0].any()
        assert np.isfinite(g).all()


@pytest.mark.parametrize("imaginary", [0, 1j])
def test_eigenvectors_of_any_matrix_compose_to_it(rng, imaginary):
    def again(a):
        values, v = linalg.eig(a)
        return (v * values) @ linalg.inv(v)

    a = draw(rng, 3, 3, imaginary=imaginary)
    g = ad.grad(lambda a: ad.real(again(a) * np.arange(9).reshape(3, 3)).sum())(a)
    np.testing.assert_allclose(g, np.arange(9).reshape(3, 3), atol=1e-10)


def test_the_order_of_many_eigenvalues(rng):
    """LAPACK's order depends on whether it computes eigenvectors.  Along the matrix itself eigenvalues grow like it."""
    a = draw(rng, 150, 150)
    values, push = ad.jvp(linalg.eigvals, (a + a.T,), (a + a.T,))
    assert not np.array_equal(values, np.linalg.eig(a + a.T)[0])
    np.testing.assert_allclose(push, values, rtol=1e-10)


def test_repeated_up_to_rounding(rng):
    q = np.linalg.qr(draw(rng, 3, 3)).Q
    a = q @ np.diag([1.0, 1.0, 2.0]) @ q.T
    g = ad.grad(lambda a: linalg.eigh(a)[1][0, 0])((a + a.T) / 2)
    assert np.isnan(g).all()
