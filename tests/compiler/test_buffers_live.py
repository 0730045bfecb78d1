"""Running averages stay live in compiled functions: read and set at each call, once, as in the function itself."""

import threading

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.node import data_of
from autodiff.core.tree import flatten
from autodiff.ops.buffer import Buffer
from tests.compiler.alike import assert_same


class Standard(nn.Module):
    """Batch normalisation as a student writes it."""

    def __init__(self):
        self.scale = ad.Tensor(np.array([1.0, 2.0, 0.5]))
        self.mean, self.var, self.count = Buffer(np.zeros(3)), Buffer(np.ones(3)), Buffer(np.array(0))

    def forward(self, x):
        if not self.training:
            return (x - self.mean.data) / np.sqrt(self.var.data + 1e-5) * self.scale
        mean, var = x.mean(0), x.var(0)
        self.count.data = self.count.data + 1
        share = 1 / self.count.data
        self.mean.data = (1 - share) * self.mean.data + share * mean
        self.var.data = (1 - share) * self.var.data + share * var
        return (x - mean) / np.sqrt(var + 1e-5) * self.scale

    def state(self):
        return [b.data.copy() for b in (self.mean, self.var, self.count)]


def batches(n):
    rng = np.random.default_rng(0)
    return [rng.normal(k, 1 + k, size=(5, 3)) for k in range(n)]


def loss_of(model):
    return lambda x: (model(x) ** 3).sum()


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_training_and_then_evaluating(backend):
    a, b = Standard(), Standard()
    eager, compiled = loss_of(a), ad.compile(loss_of(b), backend=backend)
    close = assert_same if backend == "numpy" else lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-13)
    for training in (True, False, True):
        a.train(training), b.train(training)
        for x in batches(4):
            losses = eager(x), compiled(x)
            for model, loss in zip((a, b), losses, strict=True):
                model.scale.grad = None
                loss.backward()
            close(losses[1].item(), losses[0].item())
            close(b.scale.grad, a.scale.grad)
            for found, expected in zip(b.state(), a.state(), strict=True):
                close(found, expected)
    assert a.count.data == 8


@pytest.mark.parametrize("transform", [ad.value_and_grad, ad.hessian, lambda f: lambda x: ad.jvp(f, (x,), (x,))])
def test_transforms_set_them_once_a_call(transform):
    a, b = Standard(), Standard()
    eager, compiled = transform(loss_of(a)), ad.compile(transform(loss_of(b)))
    for x in batches(3):
        for found, expected in zip(flatten(compiled(x)), flatten(eager(x)), strict=True):
            np.testing.assert_allclose(data_of(found), data_of(expected), rtol=1e-12, atol=1e-12)
        assert_same(b.state(), a.state())


def test_what_is_set_from_outside_is_read():
    model = Standard().eval()
    compiled = ad.compile(model)
    (x,) = batches(1)
    compiled(x)
    model.mean.data, model.var.data = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    assert_same(compiled(x).data, model(x).data)


def test_a_call_that_meets_infinities_sets_them_once():
    a, b = Standard(), Standard()
    eager, compiled = loss_of(a), ad.compile(loss_of(b))
    x, y = batches(2)
    compiled(x), eager(x)
    y[0, 0] = np.inf
    with np.errstate(all="ignore"):
        for f, model in ((eager, a), (compiled, b)):
            model.scale.grad = None
            f(y).backward()
    assert_same(b.state(), a.state())
    assert_same(b.scale.grad, a.scale.grad)


def test_a_program_that_fails_leaves_them_to_the_function(monkeypatch):
    a, b = Standard(), Standard()
    compiled = ad.compile(loss_of(b))
    x, y = batches(2)
    compiled(x), loss_of(a)(x)
    (special,) = compiled._special.values()

    def broken(*args):
        b.count.data = np.array(99)
        raise FloatingPointError

    monkeypatch.setattr(special.fast, "take", lambda k: (broken, None))
    compiled(y), loss_of(a)(y)
    assert_same(b.state(), a.state())


def test_compiling_that_fails_leaves_them_alone():
    model = Standard()

    def f(x):
        y = model(x).sum()
        return y if y.item() > 0 else -y

    with pytest.raises(ad.errors.CompileError):
        ad.compile(f)(batches(1)[0])
    assert_same(model.state(), Standard().state())


def test_writing_into_one_raises_compiled_or_not():
    b = Buffer(np.zeros(3))

    def f(x):
        held = b.data
        held[0] = x
        return x + held[0]

    for g in (f, ad.compile(f)):
        with pytest.raises(ValueError, match="assignment destination is read-only"):
            g(1.0)
    assert_same(b.data, np.zeros(3))


def test_a_shape_that_does_not_fit_raises_while_compiling_too():
    b = Buffer(np.zeros(3))

    def f(x):
        b.data = x
        return x.sum()

    for g in (f, ad.compile(f)):
        with pytest.raises(ad.errors.ShapeError, match=r"A buffer of shape \(3,\) was set to an array of shape \(4,\)"):
            g(np.zeros(4))


def test_another_buffer_in_its_place_is_taken():
    model = Standard().eval()
    compiled = ad.compile(model)
    (x,) = batches(1)
    compiled(x)
    model.mean = Buffer(np.full(3, 7.0))
    assert_same(compiled(x).data, model(x).data)


def test_threads_that_only_read_them():
    model = Standard().eval()
    compiled = ad.compile(model)
    xs = batches(8)
    found = [None] * len(xs)

    def call(k):
        for _ in range(50):
            found[k] = compiled(xs[k]).data

    threads = [threading.Thread(target=call, args=(k,)) for k in range(len(xs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for x, y in zip(xs, found, strict=True):
        assert_same(y, model(x).data)


def test_a_derivative_it_was_not_compiled_for_raises():
    compiled = ad.compile(loss_of(Standard()))
    with pytest.raises(ad.errors.CompileError, match=r"or sets buffers.*ad\.compile\(ad\.grad\(f\)\)"):
        ad.grad(ad.grad(lambda x: compiled(x)))(batches(1)[0])
