"""Clipping of gradients, and averages of weights, for all kinds of parameters."""

from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.core.errors import ArgumentError, KindError, ShapeError


def test_numbers_are_clipped_as_arrays_are():
    w, numbers = ad.Tensor([3.0, 4.0]), [ad.Value(3), ad.Value(Fraction(4))]
    (w * w).sum().backward()
    sum(x * x for x in numbers).backward()
    assert optim.clip_grad_norm_([w], 1.0) == optim.clip_grad_norm_(numbers, 1.0) == 10.0
    np.testing.assert_allclose([float(x.grad) for x in numbers], w.grad, rtol=1e-15)
    assert [type(x.grad) for x in numbers] == [float, Fraction]
    optim.clip_grad_value_(numbers, 0.5)
    assert [float(x.grad) for x in numbers] == [0.5, 0.5]


def test_one_that_is_given_twice_counts_once():
    w = ad.Tensor([3.0, 4.0])
    w.grad = np.array([3.0, 4.0])
    assert optim.clip_grad_norm_([w, w], 1.0) == 5.0
    np.testing.assert_allclose(w.grad, [0.6, 0.8], rtol=1e-5)


def test_a_model_one_parameter_or_a_generator():
    model = nn.Linear(2, 1, rng=0)
    for given in (lambda: model, lambda: model.weight, lambda: iter(model.parameters())):
        model(np.ones((3, 2))).sum().backward()
        before = model.weight.grad
        assert optim.clip_grad_norm_(given(), 0.1) > 0.1
        assert model.weight.grad is before


def test_single_precision_and_empty_gradients():
    w, empty = ad.Tensor(np.array([3.0, 4.0], np.float32)), ad.Tensor(np.zeros((0, 2)))
    w.grad, empty.grad = np.array([3.0, 4.0], np.float32), np.zeros((0, 2))
    assert optim.clip_grad_norm_([w, empty], 1.0, np.inf) == 4.0
    assert w.grad.dtype == np.float32


@pytest.mark.parametrize("most", [-1.0, float("nan")])
def test_bounds_that_are_refused(most):
    w = ad.Tensor([1.0])
    with pytest.raises(ArgumentError, match=f"clip_grad_norm_ got max_norm={most}; it is at least 0"):
        optim.clip_grad_norm_([w], most)
    with pytest.raises(ArgumentError, match=f"clip_grad_value_ got clip_value={most}; it is at least 0"):
        optim.clip_grad_value_([w], most)


@pytest.mark.parametrize("given", [3, [np.ones(2)], [("w", ad.Tensor([1.0]))]])
def test_what_is_no_parameter_is_refused(given):
    with pytest.raises(KindError, match=r"clip_grad_norm_ got .*; it takes a list of parameters: model\.parameters"):
        optim.clip_grad_norm_(given, 1.0)
    with pytest.raises(KindError, match=r"clip_grad_value_ got .*; it takes a list of parameters: model\.parameters"):
        optim.clip_grad_value_(given, 1.0)


def test_averages_by_hand():
    params = [ad.Tensor([1.0, 2.0]), ad.Tensor(np.ones(2, np.float32)), ad.Value(3), ad.Value(Fraction(1, 2))]
    ema = optim.EMA(params, decay=0.75)
    optimizer = optim.SGD(params[:2], lr=0.1)
    expected = [np.array([1.0, 2.0]), 3.0]
    for _ in range(5):
        for p in params[:2]:
            p.grad = np.ones_like(p.data)
        optimizer.step()
        params[2].data += 1
        ema.update()
        expected = [0.75 * expected[0] + 0.25 * params[0].data, 0.75 * expected[1] + 0.25 * params[2].data]
    before = [p.data for p in params]
    with ema.applied():
        np.testing.assert_allclose(params[0].data, expected[0], rtol=1e-14)
        assert params[1].dtype == np.float32
        assert params[2].data == pytest.approx(expected[1])
        assert params[3].data == Fraction(1, 2)
        params[0].data[...] = 7  # what is written inside is forgotten
    assert all(np.array_equal(p.data, x) for p, x in zip(params, before, strict=True))
    np.testing.assert_allclose(ema.averages[0], expected[0], rtol=1e-14)
    ema.copy_to_params()
    ema.update()
    np.testing.assert_allclose(params[0].data, expected[0], rtol=1e-14)


def test_averages_go_on_and_refuse_what_does_not_fit():
    w = ad.Tensor([1.0, 2.0])
    ema = optim.EMA([w], decay=0.5)
    saved = ema.state_dict()
    w.data = [3.0, 4.0]
    ema.update()
    ema.load_state_dict(saved)
    assert ema.averages[0].tolist() == [1.0, 2.0]
    with pytest.raises(ArgumentError, match="load_state_dict of EMA got 2 averages; it has 1"):
        ema.load_state_dict({"0": np.ones(2), "1": np.ones(2)})
    with pytest.raises(ShapeError, match=r"shape \(3,\) as average 0, which has shape \(2,\)"):
        ema.load_state_dict({"0": np.ones(3)})
    with pytest.raises(ArgumentError, match=r"EMA got decay=1\.0; it must be at least 0 and less than 1"):
        optim.EMA([w], decay=1.0)
    with pytest.raises(ArgumentError, match="EMA got a Linear; it takes a list of parameters"):
        optim.EMA(nn.Linear(1, 1))
