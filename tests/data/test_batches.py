"""Batches and the split for testing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import data
from autodiff.core.errors import ArgumentError, LeavingTapeError, ShapeError


@given(st.integers(1, 50), st.integers(1, 60), st.booleans(), st.booleans())
def test_an_epoch_sees_every_row_once_and_keeps_rows_together(n, batch_size, shuffle, drop_last):
    if drop_last and n < batch_size:
        return
    X = np.arange(2 * n).reshape(n, 2)
    portions = data.batches(X, X[:, 0], batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, rng=0)
    seen = list(portions)
    assert len(seen) == len(portions)
    assert all(np.array_equal(x[:, 0], y) for x, y in seen)
    rows = np.concatenate([y for _, y in seen])
    assert len(set(rows.tolist())) == len(rows) == (n - n % batch_size if drop_last else n)
    assert all(len(y) == batch_size for _, y in seen[:-1])
    if not shuffle:
        assert np.array_equal(rows, X[: len(rows), 0])


def test_every_epoch_has_an_order_of_its_own_given_by_the_seed():
    X = np.arange(100)
    portions = data.batches(X, batch_size=100, rng=5)
    (first,), (second,) = next(iter(portions)), next(iter(portions))
    assert not np.array_equal(first, second)
    ((again,),) = data.batches(X, batch_size=100, rng=5)
    assert np.array_equal(first, again)


def test_lists_are_data():
    assert [b[0].tolist() for b in data.batches([1, 2, 3], batch_size=2, shuffle=False)] == [[1, 2], [3]]


def test_batches_refuse():
    with pytest.raises(
        ShapeError, match=r"batches got arrays of shapes \(3, 2\), \(4,\); they must have the same number"
    ):
        data.batches(np.ones((3, 2)), np.ones(4), batch_size=1)
    with pytest.raises(ShapeError, match=r"arrays of shapes \(0, 2\), which have no rows"):
        data.batches(np.ones((0, 2)), batch_size=1)
    with pytest.raises(ArgumentError, match=r"batches got no arrays\. Give it the data first: batches\(X, y, \.\.\.\)"):
        data.batches(batch_size=1)
    for bad in (0, -1, 2.5):
        with pytest.raises(ArgumentError, match=f"batches got batch_size={bad}; it is a whole number of at least 1"):
            data.batches(np.ones(3), batch_size=bad)
    with pytest.raises(
        ArgumentError, match=r"3 rows and batch_size=4 with drop_last=True, which leaves no batch. Use batch"
    ):
        data.batches(np.ones(3), batch_size=4, drop_last=True)
    with pytest.raises(LeavingTapeError):
        data.batches(ad.Tensor([1.0]), batch_size=1)


@given(st.integers(5, 200), st.floats(0.15, 0.8), st.integers(1, 4))
def test_a_split_loses_nothing_and_keeps_the_proportions(n, test, classes):
    rng = np.random.default_rng(n)
    y = rng.integers(classes, size=n)
    X = np.stack([np.arange(n), y], axis=1)
    X_train, X_test, y_train, y_test = data.train_test_split(X, y, test=test, rng=rng)
    assert sorted([*X_train[:, 0], *X_test[:, 0]]) == list(range(n))
    assert np.array_equal(X_train[:, 1], y_train)
    assert np.array_equal(X_test[:, 1], y_test)
    assert len(y_test) == round(n * test)
    for label in range(classes):
        share = np.sum(y == label) * len(y_test) / n
        assert abs(np.sum(y_test == label) - share) < 1


def test_a_split_is_given_by_the_seed():
    X, y = data.moons(100, rng=0)
    first, again, other = (data.train_test_split(X, y, rng=seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_real_targets_can_be_split():
    X_train, _, _, y_test = data.train_test_split(np.ones((10, 2)), np.linspace(0, 1, 10), test=0.3)
    assert X_train.shape == (7, 2)
    assert y_test.shape == (3,)


@pytest.mark.parametrize("test", [0, 1, -0.5, 30, 0.01, float("nan")])
def test_a_split_leaves_rows_on_both_sides(test):
    with pytest.raises(
        ArgumentError, match=f"train_test_split got test={test} for 10 rows; it is the part that is held"
    ):
        data.train_test_split(np.ones((10, 1)), np.ones(10), test=test)


def test_a_split_needs_equal_lengths():
    with pytest.raises(ShapeError, match=r"train_test_split got arrays of shapes \(3,\), \(4,\)"):
        data.train_test_split(np.ones(3), np.ones(4))
