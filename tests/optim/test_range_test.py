"""The learning-rate range test: what it suggests, that it leaves no trace, its picture, and what it refuses."""

import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.core.errors import ArgumentError, KindError, MissingExtraError

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X @ [1.0, -2.0, 0.5]


def problem(make=optim.SGD, **options):
    model = nn.Sequential(nn.Linear(3, 8, rng=0), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1, rng=1))
    optimizer = make(model.parameters(), **options)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(X)[:, 0], Y)
        loss.backward()
        return loss

    return model, optimizer, closure


def bowl(curvature=2.0, **options):
    """``w -> curvature / 2 * w**2``: plain descent converges below ``2 / curvature``."""
    w = ad.Tensor([1.0])
    optimizer = optim.SGD([w], **options)

    def closure():
        optimizer.zero_grad()
        loss = (curvature / 2 * w * w).sum()
        loss.backward()
        return loss

    return optimizer, closure


@pytest.mark.parametrize("curvature", [0.5, 2.0, 50.0])
def test_the_suggestion_scales_with_the_curvature(curvature):
    found = optim.lr_range_test(*bowl(curvature), end=100.0, steps=200)
    assert 0.005 < found.suggestion * curvature < 1
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 200


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.RMSprop, optim.Lion])
def test_a_training_at_the_suggestion_gets_far(make):
    _, optimizer, closure = problem(make)
    before = closure().item()
    optimizer.lr = optim.lr_range_test(optimizer, closure).suggestion
    for _ in range(100):
        optimizer.step(closure)
    assert closure().item() < 0.1 * before


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.NAdam])
def test_nothing_is_left_behind(make):
    (model, optimizer, closure), (other, untouched, again) = problem(make, lr=0.01), problem(make, lr=0.01)
    for _ in range(3):
        optimizer.step(closure)
        untouched.step(again)
    optim.lr_range_test(optimizer, closure, model=model)
    assert [p.grad for p in model.parameters()] == [None] * 6
    for _ in range(3):
        optimizer.step(closure)
        untouched.step(again)
    found, expected = model.state_dict(), other.state_dict()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert optimizer.lr == 0.01


def test_nothing_is_left_behind_by_one_that_fails():
    model, optimizer, closure = problem(lr=0.01)
    before, calls = model.state_dict(), []

    def failing():
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return closure()

    with pytest.raises(KeyboardInterrupt):
        optim.lr_range_test(optimizer, failing, model=model)
    assert all(np.array_equal(model.state_dict()[name], x) for name, x in before.items())
    assert optimizer.lr == 0.01


def test_groups_keep_the_ratios_of_their_rates():
    a, b = ad.Tensor([1.0]), ad.Tensor([1.0])
    optimizer = optim.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.4}])
    seen = []

    def closure():
        seen.append([group.lr for group in optimizer.param_groups])
        optimizer.zero_grad()
        loss = (a * a + b * b).sum()
        loss.backward()
        return loss

    found = optim.lr_range_test(optimizer, closure, start=1e-3, end=0.1, steps=10)
    np.testing.assert_allclose(seen, np.outer(found.rates, [0.25, 1]))
    assert [group.lr for group in optimizer.param_groups] == [0.1, 0.4]


def test_the_picture():
    found = optim.lr_range_test(*bowl())
    ax = found.plot()
    assert (ax.get_xscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "learning rate", "loss")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["loss of a batch", "smoothed", f"suggestion: {found.suggestion:.2g}"]
    assert repr(found).startswith("RangeTest(")
    assert f"suggestion {found.suggestion:.2g})" in repr(found)
    assert found.plot(ax) is ax


def test_the_picture_without_matplotlib(monkeypatch):
    found = optim.lr_range_test(*bowl())
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(
        MissingExtraError, match=r"Plotting needs the package matplotlib.*pip install 'autodiff-tape\[pl"
    ):
        found.plot()


def test_a_loss_that_never_falls():
    optimizer, closure = bowl()
    optimizer.maximize = True
    found = optim.lr_range_test(optimizer, closure)
    with pytest.raises(ArgumentError, match=r"found no rate from 1e-06 to .* at which the loss falls\. Try a smaller"):
        found.suggestion  # noqa: B018
    assert "suggestion" not in repr(found)
    assert len(found.plot().lines) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": 1.0, "end": 0.1}, ArgumentError, "got start=1.0 and end=0.1; they are above 0, and start is less"),
        ({"start": 0}, ArgumentError, "got start=0 and end=10.0; they are above 0"),
        ({"steps": 1}, ArgumentError, "got steps=1; a curve takes at least 2"),
        ({"steps": 2.5}, ArgumentError, "got steps=2.5; it must be a whole number"),
        ({"smoothing": 1.0}, ArgumentError, "got smoothing=1.0; it must be at least 0 and less than 1"),
        ({"closure": 3}, KindError, r"got 3 as closure; it is a function that calls zero_grad\(\), computes the loss"),
        ({"closure": lambda: None}, KindError, "got a closure that returned NoneType; it returns the loss, a single"),
        ({"closure": lambda: float("nan")}, ArgumentError, "found a loss that is infinite or nan after 0 steps"),
        ({"model": 3}, KindError, r"got a int as model; it needs state_dict\(\) and load_state_dict\(\)"),
        ({"optimizer": [1]}, KindError, "lr_range_test got a list; it takes an optimizer first"),
    ],
)
def test_what_is_refused(options, error, message):
    optimizer, closure = bowl(lr=0.3)
    with pytest.raises(error, match=message):
        optim.lr_range_test(**{"optimizer": optimizer, "closure": closure, **options})
    assert optimizer.lr == 0.3
