"""Where the fast program was recorded on a promise that does not hold, the careful one takes over; draws stay live."""

import numpy as np
import pytest
from alike import assert_same, swept

import autodiff as ad
from autodiff import nn

BROKEN = {
    "log": (lambda x: ad.sum(ad.where(x > 0, ad.log(x), 0.0)), [[1.0, 2.0], [1.0, 0.0], [-1.0, 0.0], [np.nan, 1.0]]),
    "sqrt": (lambda x: ad.sum(ad.sqrt(x) * (x > 0)), [[1.0, 4.0], [0.0, 1.0], [0.0, 0.0], [np.inf, 4.0]]),
    "power": (lambda x: ad.sum(x**0.5 + x**2.5 + 2.0**x), [[1.0, 2.0], [0.0, 1.0], [np.inf, 1.0], [-1.0, 0.0]]),
    "division": (lambda x: ad.sum(ad.where(x != 0, 1 / x, x)), [[1.0, 2.0], [0.0, 1.0], [np.inf, np.nan]]),
    "entropy": (lambda x: -ad.sum(x * ad.log(x)), [[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]]),
    "norm": (lambda x: ad.linalg.norm(x), [[3.0, 4.0], [0.0, 0.0], [np.inf, 1.0]]),
    "mask": (lambda x: ad.sum(ad.softmax(ad.where(x > 0, x, -np.inf)) ** 2), [[1.0, 2.0], [-1.0, 2.0], [-1.0, -2]]),
    "matmul": (lambda x: ad.sum(ad.relu(x @ np.array([[1.0, -1], [2, 0]]))), [[1.0, 2.0], [np.inf, 0], [0, np.nan]]),
    "arccos": (lambda x: ad.sum(ad.arccos(x) * (abs(x) < 1)), [[0.1, 0.2], [1.0, 0.5], [-1.0, 1.0]]),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.usefixtures("never_eagerly")
def test_infinities_where_the_compiler_was_promised_none(name, dtype):
    f, points = BROKEN[name]
    if dtype is np.complex128:
        f = lambda x, f=f: ad.real(f(ad.real(x)))  # noqa: E731
    compiled = ad.compile(f)
    with np.errstate(all="ignore"):
        for point in [*points, *points[::-1]]:
            x = np.array(point, dtype)
            assert_same(swept(compiled, ad.Tensor(x)), swept(f, ad.Tensor(x)))


@pytest.mark.usefixtures("never_eagerly")
def test_large_finite_numbers_are_no_infinities_to_the_result():
    f = lambda x: ad.sum(ad.where(x > 0, ad.log(x), 0.0) * x)  # noqa: E731
    compiled = ad.compile(f)
    for x in ([1.0, 2.0], [1e30, -1e30]):  # whose squares overflow in single precision
        x = np.array(x, np.float32)
        with np.errstate(all="ignore"):
            assert_same(swept(compiled, ad.Tensor(x)), swept(f, ad.Tensor(x)))


@pytest.mark.parametrize("p", [0.5, 0.0])
def test_dropout_draws_anew_and_backward_has_the_same_mask(p):
    layer = nn.Dropout(p, rng=0)
    compiled = ad.compile(lambda x: ad.sum(layer(x) * 3))
    masks = []
    for _ in range(4):
        x = ad.Tensor(np.ones((4, 5)))
        loss = compiled(x)
        loss.backward()
        once = x.grad.copy()
        assert loss.item() == pytest.approx(once.sum())
        loss.backward()
        np.testing.assert_array_equal(x.grad, 2 * once)
        masks.append(once)
    assert set(np.unique(masks)) <= {0.0, 3.0, 6.0}
    assert (len({m.tobytes() for m in masks}) > 1) == (p > 0)


def test_dropout_where_the_promise_is_broken_has_the_same_mask_too():
    layer = nn.Dropout(0.5, rng=0)
    compiled = ad.compile(lambda x: ad.sum(ad.sqrt(layer(x))))
    for scale in (1.0, 0.0, 1.0):
        x = ad.Tensor(np.where(np.arange(40) % 3, 1.0, scale))
        with np.errstate(all="ignore"):
            loss = compiled(x)
            loss.backward()
            once = x.grad.copy()
            loss.backward()
        kept = np.isfinite(once) & (once > 0)
        np.testing.assert_array_equal(x.grad, 2 * once)
        np.testing.assert_allclose(loss.item(), np.sqrt(2) * np.sum(kept), rtol=1e-12)


def test_dropout_with_several_results_has_one_mask():
    layer = nn.Dropout(0.5, rng=0)

    def f(x):
        y = layer(x)
        return ad.sum(y), ad.sum(y * y)

    x = ad.Tensor(np.ones(40))
    a, b = ad.compile(f)(x)
    b.backward()
    second, x.grad = x.grad, None
    a.backward()
    np.testing.assert_array_equal(second, 4 * x.grad)  # d(m x)^2 = 2 m^2 x with m = 2, against m
    assert a.item() == x.grad.sum()
