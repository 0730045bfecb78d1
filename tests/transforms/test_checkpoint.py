"""Checkpoints give the same derivatives for less memory; ``linearize`` records once and pushes often."""

import tracemalloc

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients


def twist(x, w):
    return ad.sin(x * w) + x


def test_the_gradients_are_the_same_also_of_what_is_closed_over(rng):
    x, w = rng.normal(size=3), rng.normal(size=3)
    results = []
    for wrap in (lambda f: f, ad.checkpoint):
        tx, tw = ad.Tensor(x), ad.Tensor(w)
        step = wrap(lambda x, tw=tw: twist(x, tw))
        (step(step(tx)) ** 2).sum().backward()
        results.append((tx.grad, tw.grad))
    np.testing.assert_allclose(results[0], results[1])


def test_every_mode_and_order(rng):
    step = ad.checkpoint(twist)
    check_gradients(lambda x, w: step(step(x, w), w), rng.normal(size=3), rng.normal(size=3), order=3)


def test_nested_results_and_constants(rng):
    f = ad.checkpoint(lambda x: {"a": ad.exp(x), "b": (2 * x[0], 7, np.ones(2))})
    y = f(ad.Tensor(np.zeros(2)))
    assert y["b"][1] == 7
    check_gradients(lambda x: f(x)["a"] * f(x)["b"][0], rng.normal(size=3))
    g = ad.checkpoint(lambda x: x)
    check_gradients(lambda x: g(x) * x, rng.normal(size=3))


def test_numbers_of_any_kind():
    f = ad.checkpoint(lambda x: x * x * x)
    from fractions import Fraction

    x = ad.Value(Fraction(1, 2))
    f(x).backward()
    assert x.grad == Fraction(3, 4)


def test_memory_grows_with_the_root_of_the_number_of_steps():
    size, steps, piece = 5000, 1024, 32

    def peak(checkpointed):
        x = ad.Tensor(np.full(size, 0.5))

        def steps_of_one_piece(y):
            for _ in range(piece):
                y = ad.sin(y)
            return y

        run = ad.checkpoint(steps_of_one_piece) if checkpointed else steps_of_one_piece
        tracemalloc.start()
        y = x
        for _ in range(steps // piece):
            y = run(y)
        y.sum().backward(free=True)
        arrays = tracemalloc.get_traced_memory()[1] / (8 * size)
        tracemalloc.stop()
        return arrays, x.grad

    (whole, g), (little, h) = peak(False), peak(True)
    np.testing.assert_allclose(g, h)
    assert whole > steps
    assert little < 4 * np.sqrt(steps)


def test_outside_of_recording_it_is_the_function():
    f = ad.checkpoint(twist)
    assert type(f(np.ones(2), 1.0)) is np.ndarray
    with ad.no_grad():
        assert not f(ad.Tensor([1.0]), 1.0).requires_grad


def test_another_result_the_second_time_raises():
    rng = np.random.default_rng(0)
    f = ad.checkpoint(lambda x: x * rng.normal(size=2))
    with pytest.raises(ad.errors.TapeError, match=r"another result when it was computed again.*seed them"):
        ad.grad(lambda x: f(x).sum())(np.ones(2))
    seeded = ad.checkpoint(lambda x: ad.dropout(x, rng=3))
    x = np.ones(50)
    np.testing.assert_array_equal(ad.grad(lambda x: seeded(x).sum())(x), ad.dropout(x, rng=3))


def test_outputs_of_different_dtypes_raise():
    f = ad.checkpoint(lambda x: (x, x.astype(np.float32)))
    with pytest.raises(ad.errors.TapeError, match="different dtypes"):
        f(ad.Tensor([1.0]))


def test_linearize_records_once_and_pushes_often(rng):
    calls = []

    def f(x):
        calls.append(1)
        return ad.sin(x) * x[0]

    x = rng.normal(size=3)
    y, push = ad.linearize(f, x)
    np.testing.assert_allclose(y, np.sin(x) * x[0])
    columns = [push(e) for e in np.eye(3)]
    assert len(calls) == 1
    np.testing.assert_allclose(np.stack(columns, 1), ad.jacobian(f)(x))
    with pytest.raises(ValueError, match="2 tangents for 1 inputs"):
        push(x, x)
    np.testing.assert_allclose(ad.grad(lambda v: ad.linearize(f, x)[1](v).sum())(x), ad.jacobian(f)(x).sum(0))


@pytest.mark.parametrize("chunk", [None, 1, 2, 100])
def test_jacobians_in_chunks(chunk, rng):
    w = rng.normal(size=(3, 4))
    f = lambda x: ad.tanh(w @ x)  # noqa: E731
    x = rng.normal(size=4)
    expected = (1 - np.tanh(w @ x) ** 2)[:, None] * w
    np.testing.assert_allclose(ad.jacobian(f, chunk=chunk)(x), expected)
    np.testing.assert_allclose(ad.jacobian(lambda x: f(x)[:2], chunk=chunk)(x), expected[:2])
    np.testing.assert_allclose(
        ad.jacobian(lambda x: ad.concatenate([f(x)] * 2), chunk=chunk)(x), np.tile(expected, (2, 1))
    )


def test_stop_gradient():
    assert ad.grad(lambda x: x * ad.stop_gradient(x))(3.0) == 3.0
    x = ad.Tensor([1.0, 2.0])
    assert not ad.stop_gradient(x).requires_grad
    assert type(ad.stop_gradient(np.ones(2))) is np.ndarray
    np.testing.assert_array_equal(ad.jvp(lambda x: x * ad.stop_gradient(x), (np.ones(2),), (np.ones(2),))[1], [1, 1])
