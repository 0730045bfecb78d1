"""Dropout: the share that is dropped, the seed, and the switch."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import ArgumentError


def test_dropout_keeps_the_expected_value():
    y = nn.Dropout(0.25, rng=0)(np.ones(100_000))
    assert set(y.tolist()) == {0.0, 1 / 0.75}
    assert y.mean() == pytest.approx(1, abs=0.01)


def test_the_gradient_goes_through_what_was_kept():
    x = ad.Tensor(np.ones(100, np.float32))
    y = nn.Dropout(0.5, rng=0)(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float32
    assert np.array_equal(x.grad, y.data)


def test_dropout_is_off_in_evaluation():
    x = ad.Tensor([1.0, 2.0])
    assert nn.Dropout(0.9).eval()(x) is x


def test_the_generator_belongs_to_the_layer():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 - it is the global state that must not change
    a, b = nn.Dropout(rng=3), nn.Dropout(rng=3)
    first, second = a(np.ones(64)), a(np.ones(64))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, b(np.ones(64)))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_threads_can_share_a_layer():
    """No draw is made twice."""
    layer = nn.Dropout(0.5, rng=0)
    with ThreadPoolExecutor(8) as pool:
        masks = list(pool.map(lambda _: layer(np.ones(64)).tobytes(), range(400)))
    assert len(set(masks)) == 400


def test_the_ends_of_the_range():
    assert nn.Dropout(0)(np.ones(3)).tolist() == [1, 1, 1]
    assert nn.Dropout(1)(np.ones(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ArgumentError, match=rf"Dropout got p={p}; it is the probability to drop an entry, from 0 to 1"):
        nn.Dropout(p)
