"""Derivatives handed to SciPy: against its own by hand, closed forms and published answers; errors."""

import numpy as np
import pytest
from scipy import optimize
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import LinearOperator, lsqr

import autodiff as ad
from autodiff.core.errors import ArgumentError, KindError, MissingExtraError, ShapeError
from autodiff.interop import scipy as exact


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


X = np.array([0.3, -0.7, 1.2])


def test_an_objective_has_scipys_own_derivatives():
    f = exact.objective(rosenbrock, X)
    assert f.fun(X) == pytest.approx(optimize.rosen(X))
    np.testing.assert_allclose(f.jac(X), optimize.rosen_der(X), rtol=1e-13)
    np.testing.assert_allclose(f.hess(X), optimize.rosen_hess(X), rtol=1e-13)
    for v in np.eye(3):
        np.testing.assert_allclose(f.hessp(X, v), optimize.rosen_hess_prod(X, v), rtol=1e-13)
    found = optimize.minimize(f.fun, X, jac=f.jac, hessp=f.hessp, method="trust-ncg", options={"gtol": 1e-9})
    np.testing.assert_allclose(found.x, 1.0, atol=1e-5)


def test_an_objective_of_a_structure_is_flat():
    f = exact.objective(lambda p: (p["w"] ** 2).sum() * p["b"], {"w": np.zeros((2, 2)), "b": 1.0})
    np.testing.assert_allclose(f.jac([1, 2, 3, 4, 5]), [10, 20, 30, 40, 30])


def test_an_objective_follows_what_it_closes_over():
    target = np.ones(3)
    f = exact.objective(lambda x: ((x - target) ** 4).sum(), X)
    for value in (1.0, 2.0):
        target[:] = value
        np.testing.assert_allclose(f.jac(X), 4 * (X - value) ** 3, rtol=1e-14)
        np.testing.assert_allclose(f.hessp(X, np.ones(3)), 12 * (X - value) ** 2, rtol=1e-14)


def test_residuals():
    t = np.linspace(0, 2, 9)
    y = 3 * np.exp(-1.5 * t)
    f = exact.residuals(lambda p: p[0] * np.exp(-p[1] * t) - y, [1.0, 1.0])
    found = optimize.least_squares(f.fun, [1.0, 1.0], jac=f.jac)
    np.testing.assert_allclose(found.x, [3.0, 1.5], atol=1e-7)
    expected = np.stack([np.exp(-t), -2 * t * np.exp(-t)], 1)
    np.testing.assert_allclose(f.jac([2.0, 1.0]), expected, rtol=1e-13)
    g = exact.residuals(lambda p: [p[0] ** 2 + p[1] - 3, p[0] - p[1]], [1.0, 1.0])
    np.testing.assert_allclose(optimize.root(g.fun, [1.0, 1.0], jac=g.jac).x, (np.sqrt(13) - 1) / 2, atol=1e-9)


def test_constraints():
    g = exact.nonlinear_constraint(lambda x: [x[0] ** 2 + x[1] ** 2, x[0] * x[2]], X, [0, -1], [1, 1])
    assert isinstance(g, optimize.NonlinearConstraint)
    np.testing.assert_allclose(g.fun(X), [0.58, 0.36])
    np.testing.assert_allclose(g.jac(X), [[0.6, -1.4, 0], [1.2, 0, 0.3]])
    np.testing.assert_allclose(g.hess(X, np.array([2.0, 5.0])), [[4, 0, 5], [0, 4, 0], [5, 0, 0]])
    f = exact.objective(rosenbrock, X)
    found = optimize.minimize(f.fun, X * 0.1, jac=f.jac, hess=f.hess, constraints=g, method="trust-constr")
    assert f.jac(found.x).shape == (3,)
    assert found.constr_violation < 1e-8
    from autodiff.calculus.minimize import minimize

    np.testing.assert_allclose(minimize(rosenbrock, X * 0.1, method="SLSQP", constraints=g).x, found.x, atol=1e-4)


def test_a_right_hand_side():
    robertson = exact.rhs(
        lambda t, y: [
            -0.04 * y[0] + 1e4 * y[1] * y[2],
            0.04 * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2,
            3e7 * y[1] ** 2,
        ]
    )
    found = solve_ivp(robertson.fun, (0, 40), [1.0, 0, 0], method="BDF", jac=robertson.jac, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.y[:, -1], [0.7158270688, 9.185534765e-6, 0.2841637457], rtol=1e-5)  # published


def test_a_right_hand_side_with_arguments():
    decay = exact.rhs(lambda t, y, k: -k * y)
    found = solve_ivp(decay.fun, (0, 1), [1.0, 2.0], args=(2.0,), method="Radau", jac=decay.jac, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.y[:, -1], np.array([1, 2]) * np.exp(-2), rtol=1e-7)


def test_a_linear_operator():
    operator = exact.linear_operator(lambda x: np.sin(x[:-1]) * x[1:], X)
    assert isinstance(operator, LinearOperator)
    matrix = ad.jacobian(lambda x: np.sin(x[:-1]) * x[1:])(X)
    np.testing.assert_allclose(operator @ np.eye(3), matrix, rtol=1e-14)
    np.testing.assert_allclose(operator.T @ np.eye(2), matrix.T, rtol=1e-14)
    b = np.array([1.0, 2.0])
    np.testing.assert_allclose(lsqr(operator, b, atol=1e-14, btol=1e-14)[0], np.linalg.pinv(matrix) @ b, rtol=1e-8)


def test_wrong_arguments(monkeypatch):
    with pytest.raises(KindError, match="it takes a function"):
        exact.residuals(3, [1.0])
    for returned in (None, {"a": 1.0}, 1j * X):
        with pytest.raises(KindError, match=r"residuals: the function returned .*; it returns real numbers"):
            exact.residuals(lambda x, y=returned: y, X).fun(X)
    for wrong in (np.ones(2), np.ones(4), np.ones((3, 1)), 1.0):
        with pytest.raises(ShapeError, match=r"objective got x of shape .*; it has shape \(3,\), as its start"):
            exact.objective(rosenbrock, X).jac(wrong)
    for f, y in ((lambda t, y: y[0], np.ones(2)), (lambda t, y: y, np.ones((2, 2)))):
        for called in exact.rhs(f):
            with pytest.raises(ShapeError, match="it returns one for each of a vector"):
                called(0.0, y)
    with pytest.raises(KindError, match=r"x=.* it is made of real numbers"):
        exact.linear_operator(np.sin, 1j * X)
    with pytest.raises(KindError, match="it returns an array of real numbers"):
        exact.linear_operator(lambda x: 1j * x, X)
    with pytest.raises(ArgumentError, match="a constraint between 1 and 0; these are numbers, the lower limit first"):
        exact.nonlinear_constraint(np.sin, X, 1, 0)
    with pytest.raises(KindError, match="it returns an array"):
        exact.linear_operator(lambda x: (x, x), X)
    monkeypatch.setitem(__import__("sys").modules, "scipy.optimize", None)
    monkeypatch.setitem(__import__("sys").modules, "scipy.sparse.linalg", None)
    for build in (lambda: exact.linear_operator(np.sin, X), lambda: exact.nonlinear_constraint(np.sin, X)):
        with pytest.raises(MissingExtraError, match="scipy"):
            build()
