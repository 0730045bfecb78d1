"""Calls beside calls: which gradient goes where, and what a compiled function is in other hands."""

import numpy as np
import pytest
from alike import assert_close, assert_same, moved

import autodiff as ad

A = np.random.default_rng(0).normal(size=(3, 4))
B = moved(A)
v = np.random.default_rng(1).normal(size=4)


def bent(x):
    return ad.sum(ad.exp(x) * x)


def gradient(f, *arrays):
    found = []
    for a in arrays:
        x = ad.Tensor(a)
        f(x).backward()
        found.append(x.grad)
    return found


def in_both(work):
    """What ``work`` gives with ``ad.compile`` and without."""
    return work(ad.compile), work(lambda f: f)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0, 1, 1), (1, 0, 1)])
@pytest.mark.usefixtures("never_eagerly")
def test_two_losses_at_once_and_backward_in_any_order(order):
    def work(compile):
        f = compile(bent)
        xs = ad.Tensor(A), ad.Tensor(B)
        losses = [f(x) for x in xs]
        for k in order:
            losses[k].backward()
        return losses, [x.grad for x in xs]

    assert_same(*in_both(work))


@pytest.mark.usefixtures("never_eagerly")
def test_gradients_accumulate_and_losses_combine():
    def work(compile):
        w = ad.Tensor(v)
        f = compile(lambda x: ad.sum(ad.tanh(x @ w)))
        for x in (A, B, A):
            f(x).backward()
        first = w.grad
        w.grad = None
        total = f(A) + 3 * f(B)
        total.backward()
        return first, w.grad, total

    found, expected = in_both(work)
    for a, b in zip(found, expected, strict=True):
        assert_close(a, b)


@pytest.mark.usefixtures("never_eagerly")
def test_several_results_each_differentiated():
    def f(x):
        y = ad.exp(x)
        return ad.sum(x * x), {"y": y, "again": [y, y]}, x > 0, ad.sum(ad.sin(x)), 7

    def work(compile):
        x = ad.Tensor(A)
        a, more, mask, b, seven = compile(f)(x)
        found = []
        for part in (b, a, more["y"], b, more["again"][1], a):
            part.backward(np.ones(part.shape))
            found.append(x.grad.copy())
        return found, mask, seven, more

    assert_same(*in_both(work))


@pytest.mark.usefixtures("never_eagerly")
def test_one_tensor_given_twice_gets_one_gradient():
    def work(compile):
        w = ad.Tensor(v)
        f = compile(lambda x, y: ad.sum(x * y * w))
        f(w, w).backward()
        x = ad.Tensor(2 * v)
        f(x, x).backward()
        return w.grad, x.grad

    for a, b in zip(*in_both(work), strict=True):
        assert_close(a, b)


@pytest.mark.usefixtures("never_eagerly")
def test_an_array_given_once_as_argument_and_once_as_constant():
    k = v.copy()

    def work(compile):
        f = compile(lambda x: x * k)
        return f(k), f(2 * k)

    assert_same(*in_both(work))


@pytest.mark.usefixtures("never_eagerly")
def test_inside_and_around_what_is_not_compiled():
    def work(compile):
        inner = compile(lambda x: ad.sin(x) * x)
        outer = compile(lambda x: ad.sum(inner(x) ** 2))
        eager = lambda x: ad.sum(inner(ad.exp(x)) ** 2)  # noqa: E731
        whole = compile(lambda x: ad.sum(ad.checkpoint(lambda x: ad.sin(x) * x)(x)))
        many = compile(ad.vmap(lambda x: ad.sum(ad.sin(x))))
        return [gradient(f, A, B) for f in (outer, eager, whole)], many(A), many(B)

    assert_same(*in_both(work))


def test_in_other_hands():
    def work(compile):
        f = compile(bent)
        x = ad.Tensor(A)
        with ad.trace():
            traced = f(x)
        with ad.lint():
            linted = f(x)
            linted.backward()
        traced.backward()
        checked = ad.checkpoint(f)(x)
        checked.backward()
        z = 2 * x
        loss = f(z)
        loss.backward()
        return traced, linted, checked, loss, loss.grad, z.grad, x.grad, ad.vmap(f)(A)

    found, expected = in_both(work)
    for a, b in zip(found, expected, strict=True):
        assert_close(a, b)


CURVED = {
    "grad of grad": lambda f: ad.grad(lambda x: ad.sum(ad.grad(f)(x) ** 2)),
    "hessian": lambda f: ad.hessian(f),
    "hvp": lambda f: lambda x: ad.hvp(f, (x,), (x,)),
    "jvp": lambda f: lambda x: ad.jvp(f, (x,), (x,)),
    "vjp": lambda f: lambda x: ad.vjp(f, x)[1](2.0),
    "jacobian": lambda f: ad.jacobian(f),
    "value_and_grad": lambda f: ad.value_and_grad(f),
    "grad of jvp": lambda f: ad.grad(lambda x: ad.jvp(f, (x,), (v,))[1]),
}


@pytest.mark.parametrize("name", CURVED)
def test_derivatives_of_what_is_compiled_and_compiled_derivatives(name):
    def f(x):
        return ad.sum(ad.sin(x) * x[::-1])

    transform = CURVED[name]
    inside, outside = transform(ad.compile(f)), ad.compile(transform(f))
    for x in (v, 2 * v):
        expected = ad.core.tree.flatten(transform(f)(x))
        for found in (inside(x), outside(x)):
            for a, b in zip(ad.core.tree.flatten(found), expected, strict=True):
                assert_close(a, b)


def test_a_gradient_that_is_differentiated_again():
    def work(compile):
        x = ad.Tensor(v)
        y = compile(lambda x: ad.sum(x**3))(x)
        y.backward(create_graph=True)
        once, x.grad = x.grad, None
        ad.sum(once).backward()
        return once, x.grad

    assert_same(*in_both(work))


def test_a_tape_that_was_freed():
    x = ad.Tensor(v)
    loss = ad.compile(bent)(x)
    loss.backward(free=True)
    with pytest.raises(ad.AutodiffError, match="freed"):
        loss.backward()
