"""Derivatives of inverses, solutions, pseudo-inverses, least squares and determinants, where they are not obvious."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])


def total(x):
    """A sum with weights that show every entry."""
    return (x * np.arange(1.0, x.size + 1).reshape(x.shape)).sum()


def test_a_singular_matrix_raises():
    for f in (ad.linalg.inv, lambda a: ad.linalg.solve(a, np.ones(2)), lambda a: ad.linalg.matrix_power(a, -1)):
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            f(ad.Tensor(SINGULAR))


@pytest.mark.parametrize("imaginary", [0, 1j])
def test_solve_of_a_stack_of_matrices_and_one_vector(rng, imaginary):
    a = rng.normal(size=(2, 3, 3)) + imaginary * rng.normal(size=(2, 3, 3))
    check_gradients(ad.linalg.solve, a, rng.normal(size=3))
    check_gradients(ad.linalg.solve, a, rng.normal(size=(2, 3, 1)))


def test_tensors_as_matrices(rng):
    check_gradients(lambda a: ad.linalg.tensorinv(a), rng.normal(size=(2, 3, 6)))
    check_gradients(ad.linalg.tensorsolve, rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3)))
    moved = rng.normal(size=(6, 2, 3))
    check_gradients(lambda a, b: ad.linalg.tensorsolve(a, b, axes=(0,)), moved, rng.normal(size=(2, 3)))


@pytest.mark.parametrize("imaginary", [0, 1j])
@pytest.mark.parametrize(("m", "n"), [(3, 3), (4, 2), (2, 3)])
def test_at_constant_rank(rng, m, n, imaginary):
    """Along products of thin factors the pseudo-inverse of a matrix that lacks full rank is smooth."""
    left, right = (rng.normal(size=s) + imaginary * rng.normal(size=s) for s in ((m, 1), (1, n)))
    b = rng.normal(size=m)
    check_gradients(lambda u, v: ad.linalg.pinv(u @ v, rcond=1e-8), left, right)
    check_gradients(lambda u, v, b: ad.linalg.lstsq(u @ v, b, rcond=1e-8)[0], left, right, b)


@pytest.mark.parametrize("imaginary", [0, 1j])
@pytest.mark.parametrize("columns", [(), (2,)])
@pytest.mark.parametrize(("m", "n"), [(4, 2), (2, 4), (3, 3)])
def test_every_part_of_least_squares(rng, m, n, columns, imaginary):
    def parts(a, b):
        x, residuals, rank, s = ad.linalg.lstsq(a, b)
        assert rank == min(m, n)
        assert residuals.shape == ((columns or (1,)) if m > n else (0,))
        return x, residuals, s

    a = rng.normal(size=(m, n)) + imaginary * rng.normal(size=(m, n))
    check_gradients(parts, a, rng.normal(size=(m, *columns)))


def test_a_hermitian_pseudo_inverse_reads_the_lower_triangle(rng):
    a = np.tril(rng.normal(size=(3, 3)))
    g = ad.grad(lambda a: total(ad.linalg.pinv(a, hermitian=True)))(a)
    assert not np.triu(g, 1).any()
    whole = a + np.tril(a, -1).T
    g = ad.grad(lambda a: total(ad.linalg.pinv(a, hermitian=True)))(whole)
    np.testing.assert_array_equal(g, g.T)


def test_determinant_of_singular_matrices():
    slope, curvature = ad.grad(ad.linalg.det), ad.hessian(ad.linalg.det)
    swap = np.array([[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]]).reshape(2, 2, 2, 2)
    np.testing.assert_array_equal(slope(SINGULAR), [[4, -2], [-2, 1]])
    for x in (SINGULAR, np.zeros((2, 2)), np.eye(2)):
        np.testing.assert_array_equal(curvature(x), swap)
    np.testing.assert_allclose(slope(np.diag([1.0, 2, 3, 4, 0])), np.diag([0, 0, 0, 0, 24]), atol=1e-12)
    np.testing.assert_allclose(slope(np.diag([1.0, 2, 3, 0, 0])), 0, atol=1e-12)
    np.testing.assert_array_equal(slope(np.zeros((5, 5))), 0)
    assert slope(np.array([[0.0]])) == 1
    assert slope(np.zeros((2, 0, 0)).sum(0)).shape == (0, 0)


@pytest.mark.parametrize("rank", [5, 4, 3, 2, 1, 0])
def test_determinant_of_integers_at_every_rank(rng, rank):
    """The derivative of the adjugate along ``e`` is a polynomial: a difference at whole numbers gives it exactly."""
    a = (rng.integers(-3, 4, (5, rank)) @ rng.integers(-3, 4, (rank, 5))).astype(float)
    e = rng.integers(-2, 3, (5, 5)).astype(float)
    slope = ad.grad(ad.linalg.det)
    minors = [
        [np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) * (-1) ** (i + j) for j in range(5)] for i in range(5)
    ]
    np.testing.assert_allclose(slope(a), minors, atol=1e-9)
    steps = np.arange(-2, 3.0)
    at = np.array(
        [
            [[np.linalg.det(np.delete(np.delete(a + t * e, i, 0), j, 1)) for j in range(5)] for i in range(5)]
            for t in steps
        ]
    )
    signs = (-1.0) ** np.add.outer(np.arange(5), np.arange(5))
    exact = np.tensordot([1, -8, 0, 8, -1], at, 1) / 12 * signs  # of a polynomial of degree 4
    np.testing.assert_allclose(ad.jvp(slope, (a,), (e,))[1], exact, atol=1e-8 * max(1, np.abs(exact).max()))


def test_determinant_of_rows_of_very_different_size():
    sizes = np.array([1e60, 1e20, 1.0, 1e-20, 1e-60])
    np.testing.assert_allclose(np.diag(ad.grad(ad.linalg.det)(np.diag(sizes))), 1 / sizes, rtol=1e-12)


def test_sign_of_a_complex_determinant(rng):
    check_gradients(lambda a: tuple(ad.linalg.slogdet(a)), rng.normal(size=(2, 3, 3)) + 1j * rng.normal(size=(2, 3, 3)))
    a = rng.normal(size=(3, 3))
    assert not ad.grad(lambda a: ad.linalg.slogdet(a).sign)(a).any()


def test_a_singular_matrix_in_a_stack_that_is_not_used():
    stack = np.stack([SINGULAR, np.diag([1.0, 2.0])])
    g = ad.grad(lambda a: ad.linalg.slogdet(a).logabsdet[1])(stack)
    np.testing.assert_array_equal(g, [np.zeros((2, 2)), np.diag([1, 0.5])])
    assert np.isnan(ad.grad(lambda a: ad.linalg.slogdet(a).logabsdet[0])(stack)[0]).all()
