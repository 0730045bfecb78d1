"""Results and gradients are the caller's own: no input, no constant, no view of one another, no buffer."""

import numpy as np
import pytest
from alike import moved, outline

import autodiff as ad

A = np.random.default_rng(0).normal(size=(3, 4))
B = moved(A)
v = np.random.default_rng(1).normal(size=4)


@pytest.mark.usefixtures("never_eagerly")
def test_results_and_gradients_are_the_callers_own():
    k = np.arange(4.0)
    w = ad.Tensor(v.copy())

    def f(x):
        y = ad.tanh(x * w)
        return ad.sum(y), y, y, y[1:], y.T, x, x[::2], k, w * 1, x.reshape(-1)

    compiled = ad.compile(f)
    given = A.copy()
    first = outline(f(given))
    for _ in range(3):
        found = compiled(given)
        assert outline(found) == first
        arrays = [y.data if isinstance(y, ad.Tensor) else y for y in found]
        for a in range(len(arrays)):
            assert not any(np.shares_memory(arrays[a], arrays[b]) for b in range(a))
            assert not any(np.shares_memory(arrays[a], other) for other in (given, k, w.data))
        for a in arrays:
            a[...] = 9.0
        found[0].backward()
        np.testing.assert_allclose(w.grad, np.sum((1 - np.tanh(A * v) ** 2) * A, axis=0), rtol=1e-14)
        w.grad[...] = 9.0
        w.grad = None
    np.testing.assert_array_equal(given, A)


@pytest.mark.usefixtures("never_eagerly")
def test_gradients_do_not_share_memory():
    g = np.ones((3, 4))
    x, y = ad.Tensor(A), ad.Tensor(B)
    ad.compile(lambda x, y: x + y)(x, y).backward(g)
    arrays = x.grad, y.grad, g
    assert not any(np.shares_memory(arrays[a], arrays[b]) for a in range(3) for b in range(a))
    assert x.grad.flags.writeable
    assert y.grad.flags.writeable
