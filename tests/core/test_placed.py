"""The cotangents of slices are added up without writing each out."""

import gc

import numpy as np
import pytest

import autodiff as ad
from autodiff import testing
from tests.timing import cpu_seconds


def some(*shape, dtype=float):
    return ad.Tensor(np.random.default_rng(0).normal(size=shape).astype(dtype))


def gradient(f, x):
    x.grad = None
    f(x).backward()
    return x.grad


@pytest.mark.parametrize(
    "f",
    [
        lambda x: sum((k + 1) * (x[k] ** 2).sum() for k in range(5)),
        lambda x: (x[1] * x[1]).sum() + (x[1:4] * x[:3]).sum(),
        lambda x: (x[:, ::-2] * x[:, 1::2]).sum() + x[3, 2] * x[-1, -1],
        lambda x: (x**2).sum() + (x[0] * x[1]).sum() + (x**3).sum() + x[0, 0],
        lambda x: (x[0] * x[1]).sum() + (x**3).sum() + x[2, 0] ** 2,
        lambda x: (x[x > 0] ** 2).sum() + (x[[0, 0, 1]] * x[2]).sum(),
        lambda x: (x[np.array([3])] * x[..., None][0, :, 0]).sum(),
        lambda x: (ad.exp(x)[1] * ad.exp(x)[2]).sum() + ad.tanh(x[0])[1],
        lambda x: (x[1:][1:][0] * x.T[0, 1]).sum(),
        lambda x: x[()].sum() * x[0][0] + (x[0:0] * 2).sum(),
    ],
)
def test_sums_of_slices_against_differences(f):
    testing.check_gradients(f, some(5, 4))
    x = some(5, 4)
    with ad.anomaly():  # who watches is shown whole arrays
        watched = gradient(f, x)
    np.testing.assert_allclose(gradient(f, x), watched, rtol=1e-15)


def test_dtypes_stay():
    x = some(3, 2, dtype=np.float32)
    assert gradient(lambda x: (x[0] * np.ones(2)).sum() + x[1, 0], x).dtype == np.float32
    z = ad.Tensor(np.array([1 + 2j, 3.0]))
    assert gradient(lambda z: ad.abs(z[0]) ** 2 + z[1].real, z).tolist() == [2 + 4j, 1]


def test_gradients_are_arrays_of_their_own():
    x = some(4, 3)
    a, b = x[0], x[1]
    y = a + b
    (y.sum() + x.sum()).backward()
    assert type(x.grad) is np.ndarray
    assert x.grad.flags.writeable
    assert not any(np.shares_memory(x.grad, n.grad) for n in (a, b, y))
    before = x.grad.copy()
    y.grad, a.grad = None, None
    assert (x.grad == before).all()


def test_what_was_computed_from_gets_its_gradient_too():
    x = some(3, 2)
    h = ad.tanh(x)
    (h[0] * h[1]).sum().backward()
    np.testing.assert_array_equal(h.grad, [h.data[1], h.data[0], [0, 0]])
    assert type(h.grad) is np.ndarray


def test_second_order_and_inputs_in_the_middle():
    def f(x):
        return (x[0] ** 2 * x[1]).sum() + (x[1] ** 3).sum()

    x = some(2, 2)
    (a, b), (c, d) = x.data
    expected = np.diag([2 * c, 2 * d, 6 * c, 6 * d]) + np.diag([2 * a, 2 * b], 2) + np.diag([2 * a, 2 * b], -2)
    np.testing.assert_allclose(ad.hessian(f)(x.data).reshape(4, 4), expected)
    np.testing.assert_allclose(ad.grad(lambda h: f(h) * 2)(x.data), 2 * ad.grad(f)(x.data))


def test_a_loop_over_slices_is_linear():
    def sweep(n):
        x = ad.Tensor(np.ones((n, 64, 64)))
        loss = sum((x[t, 0, 0] * 2 for t in range(n)), start=0.0)
        return cpu_seconds(lambda: loss.backward())

    gc.collect()
    assert sweep(1600) < 4 * 16 * sweep(100)  # 256 times as long, were each slice written out
