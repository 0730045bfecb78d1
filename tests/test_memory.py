"""No reference cycles: a tape is gone with its last holder, the garbage collector off."""

import contextlib
import gc
import sys
import weakref

import numpy as np
import pytest

import autodiff as ad


@pytest.fixture(autouse=True)
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def nodes_alive():
    return sum(issubclass(type(o), ad.Node) for o in gc.get_objects())


def step(w, b, x):
    loss = ((ad.tanh(x @ w + b) - 1) ** 2).mean()
    loss.backward()
    for p in (w, b):
        p.data = p.data - 0.1 * p.grad
        p.grad = None
    return loss


def test_a_thousand_steps_leak_nothing(rng):
    w, b, x = ad.Tensor(rng.normal(size=(3, 2))), ad.Tensor(np.zeros(2)), rng.normal(size=(5, 3))
    step(w, b, x)
    before = nodes_alive(), len(gc.get_objects())
    for _ in range(1000):
        step(w, b, x)
    assert nodes_alive() == before[0]
    assert len(gc.get_objects()) <= before[1] + 50


def test_letting_go_of_a_loss_frees_its_tape_at_once():
    x = ad.Tensor(np.ones(3))
    middle = ad.exp(x)
    loss = (middle * middle).sum()
    loss.backward()
    held = weakref.ref(middle)
    del middle
    assert held() is not None
    del loss
    assert held() is None


@pytest.mark.parametrize(
    "work",
    [
        lambda x: ad.grad(lambda x: (ad.sin(x) ** 2).sum())(x),
        lambda x: ad.jvp(lambda x: ad.exp(x), (x,), (x,)),
        lambda x: ad.hessian(lambda x: (x**3).sum())(x),
        lambda x: ad.vjp(lambda x: ad.cumsum(x), x)[1](x),
        lambda x: ad.grad(lambda x: ad.grad(lambda y: (x * y * y).sum())(x).sum())(x),
        lambda x: ad.concatenate([ad.Tensor(x), x]).sum().backward(),
    ],
)
def test_transforms_leave_nothing_behind(work):
    x = np.array([0.5, 1.0])
    work(x)
    before = nodes_alive()
    for _ in range(5):
        work(x)
    assert nodes_alive() == before


def test_a_recorded_gradient_is_a_cycle_that_the_collector_finds():
    x = ad.Tensor([1.0, 2.0])
    loss = (x**3).sum()
    loss.backward(create_graph=True)
    held = weakref.ref(loss)
    x.grad = None
    del loss
    gc.enable()
    gc.collect()
    assert held() is None


def test_an_error_in_backward_leaves_nothing_behind():
    x = ad.Tensor([1.0, 2.0])
    before = nodes_alive()
    for _ in range(3):
        y = x * 2
        with contextlib.suppress(ValueError):
            y.backward()
        del y
    assert nodes_alive() == before


def test_a_node_is_small():
    assert sys.getsizeof(ad.Value(1.0)) <= 160
    with pytest.raises(AttributeError):
        ad.Value(1.0).anything = 1
