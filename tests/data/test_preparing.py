"""Standardising, one-hot rows, moved and mirrored images, and the stratified split at its edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff import data
from autodiff.core.errors import ArgumentError, KindError, ShapeError


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, int, bool])
def test_standardised_features_have_mean_0_and_deviation_1(dtype):
    X = (np.random.default_rng(0).normal(size=(3000, 2, 3)) * 50 + 100).astype(dtype)
    X[0] = 0  # no feature is constant, of truth values either
    standardize = data.Standardizer(X)
    Z = standardize(X)
    assert Z.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert np.allclose(Z.mean(axis=0, dtype=float), 0, atol=1e-5)
    assert np.allclose(Z.std(axis=0, dtype=float), 1, atol=1e-5)
    assert np.allclose(standardize.mean, X.mean(axis=0, dtype=float))
    assert np.allclose(standardize.std, X.std(axis=0, dtype=float))
    assert np.allclose(standardize.inverse(Z), X, atol=1e-3 if dtype == np.float32 else 1e-10)


def test_means_of_single_precision_are_summed_in_double():
    """NumPy's own mean over the first axis adds up row by row in single precision, and is off by 1e-4 here."""
    X = np.full((300_000, 2), 0.1, np.float32)
    X[:, 1] += np.arange(300_000) % 2
    standardize = data.Standardizer(X)
    assert standardize.mean == pytest.approx([0.1, 0.6], rel=1e-6)
    assert standardize.std.tolist() == pytest.approx([1.0, 0.5], rel=1e-6)


def test_a_constant_feature_is_0_and_not_a_rounding_error():
    X = np.full((10, 1), 0.1)  # whose deviation NumPy gives as 1.4e-17
    standardize = data.Standardizer(X)
    assert standardize.std.tolist() == [1.0]
    assert np.allclose(standardize(X), 0, atol=1e-15)
    assert data.Standardizer([[3.0, 1.0]])([[3.0, 1.0]]).tolist() == [[0.0, 0.0]]  # one row


def test_standardizer_refuses():
    with pytest.raises(ArgumentError, match=r"Standardizer got nan at index 1, 0\. Leave out such rows, or fill them"):
        data.Standardizer([[1.0, 2.0], [np.nan, 3.0]])
    with pytest.raises(ArgumentError, match="inf at index 0"):
        data.Standardizer([np.inf, 1.0])
    with pytest.raises(ShapeError, match=r"\(0, 2\), which have no rows"):
        data.Standardizer(np.ones((0, 2)))
    with pytest.raises(KindError, match="dtype <U1; it takes numbers"):
        data.Standardizer(["a", "b"])
    standardize = data.Standardizer(np.ones((4, 3)))
    for call in (standardize, standardize.inverse):
        with pytest.raises(ShapeError, match=r"shape \(2, 4\); it was made of rows of shape \(3,\)"):
            call(np.ones((2, 4)))
    assert repr(standardize) == "Standardizer(rows of shape (3,))"


def test_standardizing_is_that_of_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X, _ = data.iris()
    assert np.allclose(data.Standardizer(X)(X), preprocessing.StandardScaler().fit_transform(X), atol=1e-14)


@given(st.lists(st.integers(0, 6)), st.integers(7, 9))
def test_one_hot_rows_have_their_1_at_the_label(labels, n):
    hot = data.one_hot(labels, n)
    assert hot.shape == (len(labels), n)
    assert hot.argmax(axis=1).tolist() == labels
    assert hot.sum() == len(labels)


def test_one_hot_shapes_and_dtypes():
    assert data.one_hot([[0, 1], [2, 2]], dtype=np.float32).shape == (2, 2, 3)
    assert data.one_hot([1], dtype=bool).tolist() == [[False, True]]
    assert data.one_hot(2).tolist() == [0, 0, 1]
    assert data.one_hot([]).shape == (0, 0)
    assert data.one_hot([], 4).shape == (0, 4)
    assert data.one_hot(np.array([49_999], np.uint16)).sum() == 1  # without a table of all classes


def test_one_hot_refuses():
    with pytest.raises(KindError, match=r"dtype float64; they are whole numbers\. Use labels.astype\(int\)"):
        data.one_hot([0.0, 1.0])
    with pytest.raises(ArgumentError, match="labels from -1 to 2; they are from 0 to 2"):
        data.one_hot([-1, 2])
    with pytest.raises(ArgumentError, match="labels from 0 to 3; they are from 0 to 2"):
        data.one_hot([0, 3], 3)
    for bad in (0, -1, 2.5):
        with pytest.raises(ArgumentError, match=f"one_hot got n_classes={bad}; it is a whole number of at least 1"):
            data.one_hot([], bad)


@pytest.mark.parametrize("shape", [(200, 5, 6), (200, 2, 5, 6)])
def test_shifted_images_are_the_images_elsewhere(shape):
    images = np.random.default_rng(0).integers(1, 9, shape).astype(np.uint8)
    moved = data.shifted(images, by=2, rng=1)
    assert moved.dtype == images.dtype
    assert moved.shape == images.shape
    offsets = set()
    for before, after in zip(images, moved, strict=True):
        around = np.pad(before, [(0, 0)] * (before.ndim - 2) + [(2, 2)] * 2)
        fits = [(i, j) for i in range(5) for j in range(5) if np.array_equal(around[..., i : i + 5, j : j + 6], after)]
        assert len(fits) == 1  # all channels together
        offsets |= set(fits)
    assert len(offsets) == 25
    assert np.array_equal(moved, data.shifted(images, by=2, rng=1))
    assert not np.array_equal(moved, data.shifted(images, by=2, rng=2))
    assert np.array_equal(data.shifted(images, by=0, rng=1), images)


def test_flipped_images_are_mirrored_left_to_right():
    images = np.random.default_rng(0).random((400, 1, 3, 4), np.float32)
    before = images.copy()
    flipped = data.flipped(images, rng=0)
    assert flipped.dtype == np.float32
    mirrored = np.array([np.array_equal(a, b[..., ::-1]) for a, b in zip(flipped, images, strict=True)])
    same = np.array([np.array_equal(a, b) for a, b in zip(flipped, images, strict=True)])
    assert (mirrored ^ same).all()
    assert 150 < mirrored.sum() < 250
    assert np.array_equal(flipped, data.flipped(images, rng=0))
    assert np.array_equal(data.flipped(images, p=1), images[..., ::-1])
    assert np.array_equal(data.flipped(images, p=0), images)
    assert np.array_equal(images, before)


def test_changes_of_images_refuse():
    for change in (data.shifted, data.flipped):
        with pytest.raises(ShapeError, match=r"got images of shape \(3, 64\); it takes \(n, \.\.\., height, width\)"):
            change(np.ones((3, 64)))
        assert change(np.ones((0, 2, 2))).shape == (0, 2, 2)
    for bad in (-1, 1.5):
        with pytest.raises(ArgumentError, match=f"shifted got by={bad}; it is a whole number"):
            data.shifted(np.ones((1, 2, 2)), by=bad)
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ArgumentError, match=f"flipped got p={bad}; it is a probability, from 0 to 1"):
            data.flipped(np.ones((1, 2, 2)), p=bad)


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y,
        lambda y: y.astype(float),
        lambda y: y.astype(float)[:, None],
        lambda y: y == 1,
        lambda y: np.array(["rare", "common"])[y],
        lambda y: np.array(["rare", "common"], object)[y],
    ],
    ids=["whole", "float", "column", "bool", "names", "objects"],
)
def test_classes_of_any_dtype_are_split_in_proportion(labels):
    y = np.repeat([0, 1], [10, 90])
    for seed in range(20):
        X_train, X_test, y_train, y_test = data.train_test_split(np.arange(100), labels(y), rng=seed)
        assert np.sum(X_test < 10) == 2
        assert np.array_equal(labels(y)[X_test], y_test)
        assert np.array_equal(labels(y)[X_train], y_train)


def test_a_class_of_one_row_is_on_one_side():
    y = np.array([0, 1, 1, 1, 1, 1, 2])
    for seed in range(10):
        _, _, y_train, y_test = data.train_test_split(np.arange(7), y, test=0.3, rng=seed)
        assert sorted([*y_train, *y_test]) == y.tolist()
        assert len(y_test) == 2
        assert 1 in y_train


def test_real_and_missing_targets_are_split_as_they_come():
    for y in (np.linspace(0, 1, 50), np.append(np.zeros(49), np.nan), np.zeros((50, 2))):
        X_train, X_test, _, y_test = data.train_test_split(np.arange(50), y, rng=0)
        assert sorted([*X_train, *X_test]) == list(range(50))
        assert np.array_equal(y[X_test], y_test, equal_nan=True)


def test_what_is_split_is_copied():
    X = np.zeros((4, 2))
    X_train, X_test, _, _ = data.train_test_split(X, np.zeros(4), test=0.5, rng=0)
    X_train += 1
    X_test += 1
    assert not X.any()
