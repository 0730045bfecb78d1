"""Losses: numbers from PyTorch, both tails, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import ArgumentError, KindError, ShapeError
from autodiff.nn import functional

PAIRS = [
    (functional.mse_loss, nn.MSELoss(), "mse_loss", "predictions"),
    (functional.binary_cross_entropy_with_logits, nn.BCEWithLogitsLoss(), "binary_cross_entropy_with_logits", "logits"),
    (functional.hinge_loss, nn.HingeLoss(), "hinge_loss", "scores"),
]


def test_binary_cross_entropy_agrees_with_pytorch():
    """The value and gradient that torch 2.13 gives; at z = 40, t = 1, it gives a slope of 0, and we exp(-40)."""
    z = ad.Tensor([[0.5, -2.0], [40.0, -40.0], [0.0, 1.5]])
    loss = functional.binary_cross_entropy_with_logits(z, np.array([[1.0, 0.0], [1.0, 0.0], [0.25, 1.0]]))
    loss.backward()
    assert loss.item() == pytest.approx(0.24926090896096284, rel=1e-14)
    expected = [
        [-0.0629234447996909, 0.019867153670352924],
        [-np.exp(-40) / 6, 7.080590425485981e-19],
        [0.041666666666666664, -0.030404253967726058],
    ]
    assert np.allclose(z.grad, expected, rtol=1e-14, atol=0)


def test_cross_entropy_agrees_with_pytorch():
    """Numbers from torch 2.13."""
    z = ad.Tensor([[0.5, -2.0, 1.0], [4.0, -4.0, 0.0]])
    loss = nn.CrossEntropyLoss()(z, [2, 0])
    loss.backward()
    assert loss.item() == pytest.approx(0.2615381024684705, rel=1e-14)
    expected = [
        [0.1830961081409001, 0.015029443784787011, -0.1981255519256871],
        [-0.009154803587247684, 0.00016466021948194638, 0.008990143367765777],
    ]
    assert np.allclose(z.grad, expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("sign", [1, -1])
def test_binary_cross_entropy_is_exact_in_both_tails(sign):
    z = ad.Tensor([40.0 * sign, 1000.0 * sign])
    t = [(1 + sign) // 2] * 2
    assert functional.binary_cross_entropy_with_logits(z, t).item() == pytest.approx(np.exp(-40) / 2, rel=1e-12)
    assert functional.binary_cross_entropy_with_logits(-z, t).item() == pytest.approx(520)


@given(st.floats(-30, 30), st.floats(0, 1))
def test_the_slope_of_binary_cross_entropy_is_probability_minus_target(z, t):
    x = ad.Tensor([z])
    functional.binary_cross_entropy_with_logits(x, [t]).backward()
    assert x.grad[0] == pytest.approx(1 / (1 + np.exp(-z)) - t, abs=1e-14)


def test_hinge_loss_is_the_mean_shortfall():
    s = ad.Tensor([2.0, 0.5, -1.0, 1.0])
    loss = nn.HingeLoss()(s, [1, 1, 1, 1])
    loss.backward()
    assert loss.item() == (0 + 0.5 + 2 + 0) / 4
    assert s.grad.tolist() == [0, -0.25, -0.25, 0]  # 0 at the kink, as relu
    assert functional.hinge_loss(ad.Tensor([0.5]), [-1]).item() == 1.5


def test_mean_squared_error():
    p = ad.Tensor([1.0, 2.0])
    loss = functional.mse_loss(p, [1.0, 4.0])
    loss.backward()
    assert loss.item() == 2.0
    assert p.grad.tolist() == [0.0, -2.0]


@pytest.mark.parametrize(("loss", "module", "name", "what"), PAIRS)
def test_a_module_is_its_function(loss, module, name, what):
    s = ad.Tensor([0.5, -0.5])
    assert module(s, np.array([1.0, 1.0])).item() == loss(s, np.array([1.0, 1.0])).item()
    assert repr(module).endswith("Loss()")


@pytest.mark.parametrize(("loss", "module", "name", "what"), PAIRS)
@pytest.mark.parametrize("given_as", [np.asarray, np.ndarray.tolist], ids=["array", "list"])
def test_a_column_against_a_row_raises(loss, module, name, what, given_as):
    """PyTorch broadcasts (N, 1) against (N,) and trains on nonsense."""
    with pytest.raises(ShapeError) as error:
        loss(ad.Tensor(np.ones((5, 1))), given_as(np.ones(5)))
    assert str(error.value) == (
        f"{name} got {what} of shape (5, 1) and targets of shape (5,): they must be equal, for broadcasting would pair "
        f"each of the {what} with several targets. Did you mean targets.reshape((5, 1))?"
    )
    with pytest.raises(
        ShapeError, match=rf"shape \(5,\) and targets of shape \(4,\).*Give one target for each of the {what}"
    ):
        loss(ad.Tensor(np.ones(5)), given_as(np.ones(4)))


@pytest.mark.parametrize(("loss", "module", "name", "what"), PAIRS)
def test_nothing_has_no_mean(loss, module, name, what):
    with pytest.raises(ShapeError, match=rf"{name} got {what} of shape \(0, 2\): the mean over nothing is not defined"):
        loss(ad.Tensor(np.ones((0, 2))), np.ones((0, 2)))


@pytest.mark.parametrize(("loss", "module", "name", "what"), PAIRS)
@pytest.mark.parametrize("kind", [int, np.float32, float])
def test_single_precision_stays_with_labels_of_any_kind(loss, module, name, what, kind):
    s = ad.Tensor(np.ones(3, np.float32))
    y = loss(s, np.array([1, 1, 1], kind))
    y.backward()
    assert s.grad.dtype == np.float32
    if loss is not functional.mse_loss:
        assert y.dtype == np.float32


def test_truth_values_are_labels():
    z = ad.Tensor([0.5, -0.5])
    assert functional.binary_cross_entropy_with_logits(z, np.array([True, False])).item() == pytest.approx(
        0.47407698418010663
    )


@pytest.mark.parametrize("bad", [-0.5, 1.5, float("nan")])
def test_binary_targets_are_probabilities(bad):
    with pytest.raises(
        ArgumentError,
        match=rf"_with_logits got target {bad} at index 0, 1; targets are probabilities, from 0 to 1\. "
        r"For labels -1 and 1 use \(targets \+ 1\) / 2",
    ):
        functional.binary_cross_entropy_with_logits(ad.Tensor([[0.0, 0.0]]), np.array([[1.0, bad]]))


@pytest.mark.parametrize("bad", [0.0, 2.0, float("nan")])
def test_hinge_targets_are_signs(bad):
    with pytest.raises(
        ArgumentError,
        match=rf"hinge_loss got target {bad} at index 1; targets are -1 or 1\. For labels 0 and 1 use 2 \* targets - 1",
    ):
        functional.hinge_loss(ad.Tensor([0.0, 0.0]), np.array([1.0, bad]))


def test_class_labels_are_whole_numbers_in_range():
    logits = ad.Tensor(np.zeros((2, 3)))
    with pytest.raises(KindError, match="nan at row 1"):
        functional.cross_entropy(logits, [0.0, float("nan")])
    with pytest.raises(ArgumentError, match="class 3 in row 1; the logits have 3 classes"):
        functional.cross_entropy(logits, [0, 3])
    with pytest.raises(ShapeError, match="class numbers, not one-hot rows"):
        functional.cross_entropy(logits, np.zeros((2, 3), int))


def test_a_single_value_has_a_loss():
    s = ad.Value(0.5)
    functional.hinge_loss(s, 1).backward()
    assert s.grad == -1.0
    z = ad.Value(0.0)
    functional.binary_cross_entropy_with_logits(z, 1).backward()
    assert z.grad == -0.5


def test_what_is_ignored_may_be_impossible():
    """0 times an infinite loss would be nan."""
    log_p = ad.Tensor([[0.0, -np.inf], [-np.inf, 0.0]])
    loss = functional.nll_loss(log_p, np.array([0, -100]))
    loss.backward()
    assert loss.item() == 0
    assert log_p.grad.tolist() == [[-1, 0], [0, 0]]


@pytest.mark.parametrize("shape", [(7,), (2, 4, 3), (4,)])
@pytest.mark.parametrize("name", ["weight", "pos_weight"])
def test_weights_that_do_not_broadcast(name, shape):
    z, t = ad.Tensor(np.zeros((4, 3))), np.ones((4, 3))
    with pytest.raises(ShapeError) as caught:
        functional.binary_cross_entropy_with_logits(z, t, **{name: np.ones(shape)})
    assert f"got {name} of shape {shape}; it must broadcast to (4, 3)." in str(caught.value)


def test_weights_leave_single_precision():
    z = ad.Tensor(np.zeros((4, 3), np.float32))
    w, labels = np.array([0.5, 1.0, 2.0]), np.array([0, 1, 2, -100])
    shares = np.full((4, 3), 1 / 3)
    for loss in [
        functional.cross_entropy(z, labels, w),
        functional.cross_entropy(z, labels, w, label_smoothing=0.1),
        functional.cross_entropy(z, shares, w),
        functional.nll_loss(ad.log_softmax(z), labels, w),
        functional.binary_cross_entropy(ad.sigmoid(z), shares, w),
        functional.binary_cross_entropy_with_logits(z, shares, w, pos_weight=w),
    ]:
        assert loss.dtype == np.float32


def test_the_divergence_of_single_numbers():
    loss = functional.kl_div(ad.Tensor(-1.0), np.array(0.5), reduction="batchmean")
    assert loss.item() == pytest.approx(0.5 * (np.log(0.5) + 1))
