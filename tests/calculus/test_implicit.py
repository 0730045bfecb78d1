"""Derivatives of answers by their equations: against closed forms and differences, inside of other computations."""

import gc
import weakref

import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.implicit import implicit_result
from autodiff.calculus.root import root
from autodiff.core.errors import SingularError, TapeError
from autodiff.core.node import data_of
from autodiff.testing import check_gradients

H = np.array([[3.0, 1.0, 0.2], [1.0, 2.0, 0.1], [0.2, 0.1, 1.5]])
B = np.array([1.0, 2.0, 3.0])


def solved(h, b, x, free=None):
    return implicit_result("minimum", lambda x: h @ x + 0.1 * x**3 - b, x, free)


def minimum(h, b, free=None):
    """Of x.Hx / 2 + x^4 / 40 - b.x along the free directions, by many Newton steps."""
    h, b = data_of(h), data_of(b)
    basis = np.eye(3) if free is None else np.eye(3)[:, free] if free.dtype == bool else free
    x = np.full(3, 1 / 3)
    for _ in range(60):
        g = h @ x + 0.1 * x**3 - b
        x = x - basis @ np.linalg.solve(basis.T @ (h + np.diag(0.3 * x**2)) @ basis, basis.T @ g)
    return x


SIMPLEX = np.linalg.svd(np.ones((1, 3)))[2][1:].T
FREE = {"all": None, "mask": np.array([True, False, True]), "simplex": SIMPLEX, "none": np.zeros(3, bool)}


@pytest.mark.parametrize("name", FREE)
def test_gradients_along_free_directions(name):
    free = FREE[name]
    check_gradients(lambda h, b: solved(h, b, minimum(h, b, free), free), H, B)


def test_constraints_hold_for_the_derivatives():
    by_b = ad.jacobian(lambda b: solved(H, b, minimum(H, b, SIMPLEX), SIMPLEX))(B)
    np.testing.assert_allclose(by_b.sum(axis=0), 0, atol=1e-14)
    mask = FREE["mask"]
    by_b = ad.jacobian(lambda b: solved(H, b, minimum(H, b, mask), mask))(B)
    assert not by_b[1].any()
    assert not by_b[:, 1].any()


def test_the_answer_is_plain_where_nothing_is_recorded():
    x = minimum(H, B)
    assert solved(H, B, x) is x
    with ad.no_grad():
        assert solved(H, ad.Tensor(B), x) is x


def test_one_node_stands_on_the_tape_and_vanishes_with_it():
    gc.disable()
    try:
        b = ad.Tensor(B)
        scaled = b * 1.0
        y = solved(H, scaled, minimum(H, B))
        assert [node.rule.name for node in ad.Tape(y) if node.rule] == ["multiply", "minimum"]
        y.sum().backward()
        gone = weakref.ref(y)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_numbers_and_arrays_mix():
    check_gradients(lambda a: root(lambda x: x * a - B, B), 2.0)
    check_gradients(lambda b: root(lambda x: (b * x).sum() - 1, 1.0), B)
    check_gradients(lambda b: root(lambda x: (b * x).sum() - 1, np.array([1.0])), B)
    check_gradients(lambda b: root(lambda x: (b * x).sum() - 1, np.array(1.0)), B)


def test_roots_of_roots():
    def inner(a, x):
        return root(lambda y: y**3 + y - a * x, 1.0)

    check_gradients(lambda a: root(lambda x: x + inner(a, x) - 3, 1.0), 2.0)


def test_roots_of_derivatives():
    check_gradients(lambda a: root(ad.grad(lambda x: (x - a) ** 2 + 0.1 * x**4), 1.0), 2.0)


def test_inside_of_a_checkpoint():
    check_gradients(ad.checkpoint(lambda a: root(lambda x: x**3 + x - a, 1.0)), 2.0)


def test_both_modes_nest():
    def f(a):
        return root(lambda x: x**3 + x - a, 1.0)

    forward_reverse = ad.derivative(lambda a: ad.grad(f)(a), 2.0)
    reverse_forward = ad.grad(lambda a: ad.derivative(f, a))(2.0)
    # At x = 1: x' = 1 / (3 x^2 + 1) and x'' = -6 x x'^3
    assert forward_reverse == pytest.approx(-6 / 64, rel=1e-13)
    assert reverse_forward == pytest.approx(-6 / 64, rel=1e-13)


def test_perturbations_are_not_confused():
    slope = ad.grad(lambda a: a * ad.grad(lambda b: root(lambda x: x * 1.0 - a - b, 0.0))(1.0))
    assert slope(3.0) == pytest.approx(1.0)


def test_gradients_accumulate_over_two_uses():
    a = ad.Tensor(np.array(2.0))
    y = root(lambda x: x * x - a, 1.0)
    (y * y + a).backward()
    assert a.grad == pytest.approx(2.0)
    (y * y).backward()
    assert a.grad == pytest.approx(3.0)


def test_single_precision_stays_single():
    a = ad.Tensor(np.array([2.0, 3.0], np.float32))
    y = root(lambda x: x * x - a, np.ones(2, np.float32))
    assert y.dtype == np.float32
    y.sum().backward()
    assert a.grad.dtype == np.float32
    np.testing.assert_allclose(a.grad, 0.5 / np.sqrt([2.0, 3.0]), rtol=1e-6)


def test_no_equations_at_all():
    a = ad.Tensor(1.0)
    y = root(lambda x: x * a, np.zeros((0, 2)))
    assert y.shape == (0, 2)
    y.sum().backward()
    assert a.grad == 0


def test_what_changed_since_is_noticed():
    b = ad.Tensor(B)
    scale = np.ones(3)
    y = root(lambda x: scale * x - b, np.ones(3))
    scale *= 2
    with pytest.raises(TapeError, match="root: the function gave another result at the answer"):
        y.sum().backward()


def test_a_jacobian_that_is_not_finite():
    with pytest.raises(SingularError, match="the Jacobian of its equations is not finite"):
        ad.jacobian(lambda a: implicit_result("answer", lambda x: ad.sqrt(x) * a, np.zeros(2)))(1.0)
