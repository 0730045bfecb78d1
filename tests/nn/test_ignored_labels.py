"""Labels that do not count, eager and compiled, wherever ``ignore_index`` lies."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import ArgumentError, ShapeError
from autodiff.nn import functional

X = np.random.default_rng(0).normal(size=(4, 3))
IGNORED = pytest.mark.parametrize("ignored", [-100, -1, 0, 2, 255])


def by_hand(labels, ignored, reduction):
    """The cross-entropy of the rows that count."""
    rows = np.flatnonzero(labels != ignored)
    losses = np.zeros(len(labels))
    losses[rows] = np.log(np.exp(X[rows]).sum(axis=1)) - X[rows, labels[rows]]
    return {"mean": losses.sum() / max(1, len(rows)), "sum": losses.sum(), "none": losses}[reduction]


@IGNORED
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_compiled_or_not_ignored_labels_do_not_count(ignored, reduction):
    """The first call is recorded with no label to ignore, or with some: later ones are as they are."""

    def loss(x, k):
        return functional.cross_entropy(x, k, ignore_index=ignored, reduction=reduction)

    labels = [np.array(k) for k in ([1, 1, 1, 1], [0, 1, 2, 0], [0, 1, ignored, 1], [ignored, ignored, 1, 1])]
    for order in (labels, labels[::-1]):
        compiled = ad.compile(loss)
        for k in order:
            expected = by_hand(k, ignored, reduction)
            for f in (loss, compiled):
                assert np.allclose(f(ad.Tensor(X), k).data, expected, rtol=1e-14, atol=0)


@IGNORED
def test_compiled_or_not_wrong_labels_raise(ignored):
    compiled = ad.compile(lambda x, k: functional.cross_entropy(x, k, ignore_index=ignored))
    compiled(ad.Tensor(X), np.array([1, 1, 1, ignored]))
    for bad in (3, -7, -2):
        with pytest.raises(ArgumentError, match=rf"class {bad} in row 2; the logits have 3 classes, 0 to 2"):
            compiled(ad.Tensor(X), np.array([1, ignored, bad, 1]))


def test_ignored_rows_have_no_gradient():
    x = ad.Tensor(X)
    functional.cross_entropy(x, [0, -100, 2, -100]).backward()
    assert not x.grad[[1, 3]].any()
    assert x.grad[[0, 2]].all()


@pytest.mark.parametrize("loss", [functional.cross_entropy, functional.nll_loss])
def test_where_nothing_counts_the_sum_is_0_and_the_mean_is_refused(loss):
    nothing = np.full(4, -100)
    assert loss(ad.Tensor(X), nothing, reduction="sum").item() == 0
    assert loss(ad.Tensor(X), nothing, reduction="none").tolist() == [0, 0, 0, 0]
    with pytest.raises(ShapeError, match=r"only labels -100, which are ignored: the mean over an empty batch"):
        loss(ad.Tensor(X), nothing)
