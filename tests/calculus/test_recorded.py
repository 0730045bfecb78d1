"""A function recorded at many states at once: its parts against the function at one state after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.recorded import Part, Recorded
from autodiff.core.node import Node
from autodiff.transforms.vmap import CannotBatchError, batch_of, inside_batch

STATES = np.random.default_rng(0).normal(size=(6, 4))
TIMES = np.linspace(0.1, 0.6, 6)
WEIGHT = ad.Tensor(np.random.default_rng(1).normal(size=(4, 4)), name="weight")
RATE = ad.Value(0.7, name="rate")


def straight(t: Any, y: Any) -> Any:
    return ad.tanh(WEIGHT @ y) * ad.exp(-RATE * t) - y**2


def nested(t: Any, y: Any) -> Any:
    shared = ad.softplus(WEIGHT * RATE)
    return ad.stack([ad.where(y[0] > 0, y[1] * y[2], y[3]), (shared @ y).sum(), t * y.mean(), ad.max(y)])


def unmoved(t: Any, y: Any) -> Any:
    return ad.tanh(WEIGHT[0] * t)


def everywhere_the_same(t: Any, y: Any) -> Any:
    return ad.tanh(WEIGHT[0] * RATE)


def recorded(f: Any) -> Recorded:
    leaf: Node = ad.Tensor(batch_of(STATES))
    times = ad.Tensor(batch_of(TIMES), requires_grad=False)
    with inside_batch():
        y = f(times, leaf)
    return Recorded(leaf, y, len(TIMES))


@pytest.mark.parametrize("f", [straight, nested, unmoved, everywhere_the_same])
def test_a_part_is_the_function_at_one_state(f: Any) -> None:
    part, g = Part(recorded(f)), np.arange(1.0, 5.0)
    for i in (4, 0, 5):
        _, pull = ad.vjp(lambda y, i=i: f(TIMES[i], y), STATES[i])
        pushed = ad.jvp(lambda y, i=i: f(TIMES[i], y), (STATES[i],), (g,))[1]
        found = part.pull(i, g), part.push(i, g)
        for x, expected in zip(found, (pull(g)[0], pushed), strict=True):
            np.testing.assert_allclose(np.zeros(4) if x is None else x, ad.stop_gradient(expected), rtol=1e-12)


@pytest.mark.parametrize("f", [straight, nested, unmoved, everywhere_the_same])
def test_what_is_shared_gets_the_sum_over_the_states(f: Any) -> None:
    g = np.random.default_rng(2).normal(size=STATES.shape)
    found = {x.name: c for x, c in recorded(f).pull_shared(g, (WEIGHT, RATE))}
    total = sum((f(t, y) * c).sum() for t, y, c in zip(TIMES, STATES, g, strict=True))
    for x in (WEIGHT, RATE):
        x.grad = None
    total.backward()
    for x in (WEIGHT, RATE):
        assert (x.grad is None) == (x.name not in found)
        if x.grad is not None:
            np.testing.assert_allclose(found[x.name], x.grad, rtol=1e-12)


def test_batches_of_another_level_are_refused() -> None:
    leaf: Node = ad.Tensor(batch_of(STATES))
    with inside_batch():
        y = leaf * ad.Tensor(batch_of(TIMES), requires_grad=False)
        with pytest.raises(CannotBatchError, match="another vmap"):
            Recorded(leaf, y, len(TIMES))


def test_a_computation_that_is_one_node_is_refused() -> None:
    with pytest.raises(CannotBatchError, match="its own arguments"):
        recorded(lambda t, y: ad.checkpoint(ad.sin)(y))
