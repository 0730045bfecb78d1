"""Projections on boxes and simplices: against SciPy; their derivatives, also at kinks."""

import numpy as np
import pytest
from scipy import optimize

import autodiff as ad
from autodiff.calculus.projections import project_box, project_simplex
from autodiff.core.errors import ArgumentError, KindError, ShapeError


def test_the_nearest_point_of_a_simplex():
    rng = np.random.default_rng(0)
    for n in (1, 2, 5):
        x = rng.normal(size=n) * 2
        p = project_simplex(x, 1.5)
        assert p.min() >= 0
        assert p.sum() == pytest.approx(1.5)
        reference = optimize.minimize(
            lambda y, x=x: ((y - x) ** 2).sum(),
            np.full(n, 1.5 / n),
            method="SLSQP",
            bounds=[(0, None)] * n,
            constraints={"type": "eq", "fun": lambda y: y.sum() - 1.5},
            options={"ftol": 1e-14},
        )
        np.testing.assert_allclose(p, reference.x, atol=1e-6)
        np.testing.assert_allclose(project_simplex(p, 1.5), p, atol=1e-14)


def test_rows_are_projected_one_by_one():
    x = np.random.default_rng(1).normal(size=(3, 4))
    np.testing.assert_array_equal(project_simplex(x), [project_simplex(row) for row in x])
    totals = np.array([[0.5], [1.0], [7.0]])
    expected = [project_simplex(row, t) for row, t in zip(x, totals[:, 0], strict=True)]
    np.testing.assert_array_equal(project_simplex(x, totals), expected)


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8, 1e16])
def test_entries_of_any_size_add_up_to_the_total(size):
    x = size * np.random.default_rng(2).integers(-5, 6, size=(20, 7))  # with ties
    p = project_simplex(x, 0.3)
    np.testing.assert_allclose(p.sum(-1), 0.3, rtol=1e-15)
    assert p.min() >= 0


def test_what_comes_of_other_kinds():
    x = np.array([0.5, 1.0, -2.0], np.float32)
    assert project_simplex(x).dtype == np.float32
    assert project_simplex(np.array([3, 1, 2])).tolist() == [1, 0, 0]
    assert np.isnan(project_simplex(np.array([np.nan, 1.0]))).all()
    assert project_simplex(np.array([-np.inf, 1.0, 1.0])).tolist() == [0, 0.5, 0.5]
    again = ad.compile(project_simplex)
    again(np.array([1.0, 2.0, 3.0]), 1.0)
    other = np.array([0.1, 0.2, 0.3])
    np.testing.assert_array_equal(again(other, 2.0), project_simplex(other, 2.0))


def test_projections_are_differentiable():
    x = np.array([0.3, 0.9, -0.4, 0.5])
    ad.testing.check_gradients(project_simplex, x, order=2)
    ad.testing.check_gradients(lambda x, t: project_simplex(x, t), x, 2.0, order=2)
    ad.testing.check_gradients(lambda x, a: project_box(x, a, 0.8), x, np.array([0.0, 0.1, 0.2, 0.7]))
    assert project_box(x).tolist() == x.tolist()


@pytest.mark.parametrize("x", [[0.5, 0.5, 0.5], [0.75, 0.75, 0.25], [1.0, 0.0, -0.5], [7.0], [2.0, 1.0]])
def test_at_a_kink_the_smallest_derivative_is_taken(x):
    """It projects on the directions in which the entries above 0 can move, and their sum cannot."""
    on = (project_simplex(np.array(x)) > 0).astype(float)
    jacobian = ad.jacobian(project_simplex)(np.array(x))
    np.testing.assert_allclose(jacobian, np.diag(on) - np.outer(on, on) / on.sum(), atol=1e-15)


def test_a_box_without_room_holds_everything():
    x = np.array([0.0, 0.3, 1.0])
    assert not ad.jacobian(lambda x: project_box(x, 0.3, 0.3))(x).any()
    at_bounds = ad.grad(lambda x: project_box(x, 0.0, 1.0).sum())(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]))
    assert at_bounds.tolist() == [0, 0, 1, 0, 0]  # as clip


def test_wrong_arguments():
    with pytest.raises(ShapeError, match=r"project_simplex got shape \(\)"):
        project_simplex(1.0)
    with pytest.raises(KindError, match=r"project_simplex got x=.*; it is made of real numbers"):
        project_simplex(np.array([1j, 2]))
    for total in (0, -1.0, np.nan, "a", None, np.array([-1.0]), ad.Tensor(-1.0)):
        with pytest.raises(ArgumentError, match=r"total=.*; it is a number above 0"):
            project_simplex(np.ones(2), total)
    with pytest.raises(ArgumentError, match=r"got lower=\[0, 2\] above upper=1; the box is empty"):
        project_box(np.ones(2), [0, 2], 1)
