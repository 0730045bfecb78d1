"""Each classic mistake is named with its line, and right programs are left alone."""

import warnings

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn, optim
from autodiff.core.modes import watching
from autodiff.diagnosis.lint import Lint, LintWarning


@pytest.fixture
def x(rng):
    return rng.normal(size=(6, 3))


def caught_in(run):
    """The names of the mistakes that a program is warned of."""
    with warnings.catch_warnings(record=True) as caught, ad.lint():
        warnings.simplefilter("always")
        run()
    assert all(w.category is LintWarning and w.filename == __file__ for w in caught)
    return [str(w.message).split("]")[0][1:] for w in caught]


def train(x, steps=2, zero=True):
    w = ad.Tensor(np.ones(3), name="w")
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(steps):
        if zero:
            optimizer.zero_grad()
        ((x @ w) ** 2).mean().backward()
        optimizer.step()


def test_a_right_training_loop_is_left_alone(x):
    assert caught_in(lambda: train(x)) == []
    assert caught_in(lambda: ad.grad(lambda w: ((x @ w) ** 2).sum())(np.ones(3))) == []


def test_gradients_that_were_not_zeroed(x):
    assert caught_in(lambda: train(x, zero=False)) == ["gradients-not-zeroed"]


def test_gradients_may_be_accumulated_between_steps(x):
    def run():
        w = ad.Tensor(np.ones(3))
        for part in np.split(x, 3):
            (part @ w).sum().backward()
        w.data = w.data - w.grad

    assert caught_in(run) == []


@pytest.mark.parametrize("squash", [ad.softmax, ad.sigmoid])
def test_softmax_before_cross_entropy(x, squash):
    labels = np.zeros(6, int)
    assert caught_in(lambda: ad.cross_entropy(squash(ad.Tensor(x)), labels)) == ["softmax-before-cross-entropy"]
    assert caught_in(lambda: ad.cross_entropy(ad.Tensor(x), labels)) == []


def test_parameters_that_the_loss_does_not_reach(x):
    w, unused = ad.Tensor(np.ones(3)), ad.Tensor(np.ones(2), name="unused")

    def run(params):
        optimizer = optim.SGD(params, lr=0.1)
        (x @ w).sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    assert caught_in(lambda: run([w, unused])) == ["unreached-parameters"]
    assert caught_in(lambda: run([unused])) == ["unreached-loss"]
    w.grad = None
    with ad.lint(), pytest.warns(LintWarning, match="does not depend on unused"):
        run([w, unused])
    assert caught_in(lambda: ad.grad(lambda a, b: a * a, (0, 1))(1.0, 2.0)) == ["unreached-parameters"]


def test_double_precision_that_creeps_in(x):
    w = ad.Tensor(np.ones(3, np.float32))
    with ad.lint(), pytest.warns(LintWarning, match=r"w is float32, x is float64.*astype"):
        x @ w
    assert caught_in(lambda: x.astype(np.float32) @ w) == []
    assert caught_in(lambda: 2.0 * w) == []


def test_a_sum_of_losses_that_keeps_every_tape(x):
    def run(read, first):
        w, total = ad.Tensor(np.ones(3)), 0.0
        for _ in range(3):
            loss = ((x @ w) ** 2).sum()
            if first:
                loss.backward()
            total = total + read(loss)
            if not first:
                loss.backward()
        return total

    for first in (True, False):
        found = caught_in(lambda first=first: run(lambda loss: loss, first))
        assert found
        assert set(found) == {"tape-kept-alive"}
        assert caught_in(lambda first=first: run(lambda loss: loss.item(), first)) == []


def test_a_loss_that_broadcasts(x):
    prediction, target = ad.Tensor(x[:, :1]), x[:, 1]
    assert caught_in(lambda: ((prediction - target) ** 2).mean()) == ["broadcast-loss"]
    assert caught_in(lambda: ((prediction - target[:, None]) ** 2).mean()) == []
    points = ad.Tensor(target)
    assert caught_in(lambda: points[:, None] - points) == []


def test_an_array_written_to_behind_the_tapes_back(x):
    w = ad.Tensor(np.ones(3))
    with ad.lint():
        loss = (x @ w).sum()
        x[0] = 7
        with pytest.raises(ad.errors.StaleDataError, match=r"The array x was written to after matmul used it"):
            loss.backward()


def test_an_index_array_written_to():
    x, i = ad.Tensor(np.arange(3.0)), np.array([0, 1])
    with ad.lint():
        y = x[i].sum()
        i += 1
        with pytest.raises(ad.errors.StaleDataError, match="The array i was written to after getitem used it"):
            y.backward()


def test_raw_data_of_a_leaf_written_to():
    w = ad.Tensor(np.ones(3))
    with ad.lint():
        loss = (w * w).sum()
        w.data[0] = 5
        with pytest.raises(ad.errors.StaleDataError, match="The array w was written to after multiply"):
            loss.backward()
    assert w.grad is None


def test_a_small_net_is_left_alone(rng):
    model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.Tanh(), nn.Linear(8, 3, rng=0))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    x, y = rng.normal(size=(16, 2)), rng.integers(0, 3, 16)

    def run():
        for _ in range(3):
            optimizer.zero_grad()
            ad.cross_entropy(model(x), y).backward()
            optimizer.step()

    assert caught_in(run) == []


def test_nothing_is_kept_of_tapes_that_are_gone(x):
    w = ad.Tensor(np.ones(3))
    with watching(Lint()) as watcher:
        for _ in range(5):
            (x @ w).sum().backward()
    assert not watcher.used


def test_gradients_set_to_zero_and_transforms_between_steps_are_no_mistake(x):
    w = ad.Tensor(np.ones(3))

    def run():
        for _ in range(2):
            w.grad = np.zeros(3)
            (x @ w).sum().backward()
            w.data = w.data - 0.1 * w.grad
            ad.grad(lambda b: ((x @ w) * b).sum())(2.0)

    assert caught_in(run) == []


def test_a_written_result_is_stale_too(x):
    w = ad.Tensor(np.ones(3))
    with ad.lint():
        h = ad.exp(w)
        y = (h * h).sum()
        h.data[0] = 7.0
        with pytest.raises(ad.errors.StaleDataError, match="h was written to"):
            y.backward()
