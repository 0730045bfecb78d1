import numpy as np
import pytest
from scipy import optimize

import autodiff as ad
from autodiff.calculus.projections import project_box, project_simplex
from autodiff.core.errors import ArgumentError, ShapeError


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


def test_projections_are_differentiable():
    x = np.array([0.3, 0.9, -0.4, 0.5])
    ad.testing.check_gradients(project_simplex, x)
    ad.testing.check_gradients(lambda x, t: project_simplex(x, t), x, 2.0)
    ad.testing.check_gradients(lambda x, a: project_box(x, a, 0.8), x, np.array([0.0, 0.1, 0.2, 0.7]))
    assert project_box(x).tolist() == x.tolist()


def test_wrong_arguments():
    with pytest.raises(ShapeError, match=r"project_simplex got shape \(\)"):
        project_simplex(1.0)
    with pytest.raises(ArgumentError, match="total=0; it is a number above 0"):
        project_simplex(np.ones(2), 0)
