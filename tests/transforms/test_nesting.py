"""Transforms inside transforms, in every mixture of modes."""

import itertools

import numpy as np
import pytest

import autodiff as ad


def by_reverse(f):
    return ad.grad(f)


def by_forward(f):
    def slope(x):
        one = np.ones(np.shape(x.data if isinstance(x, ad.Node) else x))
        return ad.jvp(f, (x,), (one if one.ndim else 1.0,))[1]

    return slope


MODES = [by_reverse, by_forward]
PAIRS = list(itertools.product(MODES, MODES))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
@pytest.mark.parametrize("at", [3.0, np.array(3.0), ad.Value(3.0), ad.Tensor(3.0)], ids=repr)
def test_no_perturbation_confusion(outer, inner, at):
    """d/dx [x d/dy (x + y)] at y = 1 is 1 (Siskind and Pearlmutter 2005)."""
    slope = outer(lambda x: x * inner(lambda y: x + y)(1.0))(at)
    assert float(slope.item() if isinstance(slope, ad.Node) else slope) == 1


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_an_inner_derivative_at_the_outer_argument(outer, inner):
    """d/dx [x d/dy (x y²) at y = x] = d/dx 2x³ = 6x²."""
    assert outer(lambda x: x * inner(lambda y: x * y * y)(x))(2.0) == 24


@pytest.mark.parametrize("modes", list(itertools.product(MODES, repeat=3)))
def test_third_derivative_of_a_fifth_power(modes):
    f = lambda x: x**5  # noqa: E731
    for mode in modes:
        f = mode(f)
    assert f(2.0) == 240
    assert f(np.array(2.0)) == 240


def test_ten_derivatives():
    assert ad.derivative(ad.exp, 1.0, n=10) == pytest.approx(np.e, rel=1e-13)
    f = ad.sin
    for _ in range(8):
        f = ad.grad(f)
    assert f(0.3) == pytest.approx(np.sin(0.3), rel=1e-13)


def test_backward_inside_a_function_that_is_differentiated():
    def f(x):
        y = ad.Tensor(2.0)
        (y * x * y).backward(create_graph=True)
        return y.grad * x  # 2 x y x

    assert ad.grad(f)(3.0) == 24


def test_backward_twice_by_create_graph():
    x = ad.Tensor([1.0, 2.0])
    (x**3).sum().backward(create_graph=True)
    first, x.grad = x.grad, None
    assert isinstance(first, ad.Tensor)
    np.testing.assert_array_equal(first.data, [3, 12])
    first.sum().backward()
    np.testing.assert_array_equal(x.grad.data if isinstance(x.grad, ad.Node) else x.grad, [6, 12])


def test_backward_reaches_the_parameters_through_a_transform():
    w = ad.Tensor(2.0)
    penalty = ad.grad(lambda x: w * x**2)(3.0)  # 2 w x
    penalty.backward()
    assert w.grad == 6


@pytest.mark.parametrize("mode", MODES)
def test_a_tracked_constant_from_outside_survives(mode):
    w = ad.Value(2.0)
    y = mode(lambda x: w * w * x)(1.0)
    y.backward()
    assert w.grad == 4


def test_a_transform_under_no_grad_works_inside_and_records_nothing_outside():
    w = ad.Value(2.0)
    with ad.no_grad():
        slope = ad.grad(lambda x: w * x * x)(3.0)
    assert slope == 12
    assert not isinstance(slope, ad.Node)


def test_a_hessian_of_a_quadratic_form(rng):
    a = rng.normal(size=(4, 4))
    np.testing.assert_allclose(ad.hessian(lambda x: x @ a @ x)(rng.normal(size=4)), a + a.T, atol=1e-14)


def test_rosenbrock_in_every_second_order_way(rng):
    optimize = pytest.importorskip("scipy.optimize")

    def f(x):
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    x, v = rng.normal(size=(2, 6))
    np.testing.assert_allclose(ad.grad(f)(x), optimize.rosen_der(x), rtol=1e-12)
    np.testing.assert_allclose(ad.hessian(f)(x), optimize.rosen_hess(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ad.hvp(f, x, v), optimize.rosen_hess_prod(x, v), rtol=1e-11)


def test_a_jacobian_both_ways(rng):
    a = rng.normal(size=(2, 5))
    for matrix in (a, a.T):
        np.testing.assert_allclose(ad.jacobian(lambda x, m=matrix: m @ x)(rng.normal(size=matrix.shape[1])), matrix)


def test_a_jacobian_of_structures():
    j = ad.jacobian(lambda p: {"s": p["a"] * p["b"], "t": p["b"]})({"a": np.array([1.0, 2.0]), "b": 3.0})
    np.testing.assert_array_equal(j["s"]["a"], [[3, 0], [0, 3]])
    np.testing.assert_array_equal(j["s"]["b"], [1, 2])
    np.testing.assert_array_equal(j["t"]["a"], [0, 0])
    assert j["t"]["b"] == 1


def test_a_jacobian_inside_grad():
    """d/dx of the squared Frobenius norm of the Jacobian of sin: 2 cos(x) (-sin(x))."""
    x = np.array([0.3, 1.0])
    c = ad.grad(lambda x: (ad.jacobian(ad.sin)(x) ** 2).sum())(x)
    np.testing.assert_allclose(c, -2 * np.cos(x) * np.sin(x))


def test_results_belong_to_the_caller():
    x = np.ones(3)
    y, g = ad.value_and_grad(lambda x: x.sum())(x)
    g[0] = 7
    assert x[0] == 1
    y, pull = ad.vjp(lambda x: x, x)
    y[0] = 7
    assert x[0] == 1
    seed = np.ones(3)
    pull(seed)[0][0] = 7
    assert seed[0] == 1


def test_an_argument_that_is_not_used_gets_zeros():
    np.testing.assert_array_equal(
        ad.grad(lambda a, b: a.sum(), argnums=1)(np.ones(2), np.ones((2, 3))), np.zeros((2, 3))
    )
    assert ad.jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)
    assert ad.grad(lambda x: 3.0)(1.0) == 0


def test_aux_and_argnums():
    value, aux = ad.grad(lambda a, b: (a * b, {"b": b}), argnums=(0, 1), has_aux=True)(2.0, 3.0)
    assert value == (3, 2)
    assert aux == {"b": 3}
    assert ad.grad(lambda a, b: a * b, argnums=-1)(2.0, 3.0) == 2
