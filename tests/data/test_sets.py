"""Generated and stored sets: geometry, seeds, and the stored numbers."""

import zlib
from importlib.resources import files

import numpy as np
import pytest

from autodiff import data
from autodiff.core.errors import ArgumentError

CHECKSUM = 3097341608
GENERATORS = [data.moons, data.circles, data.spirals, data.blobs]


@pytest.mark.parametrize("make", GENERATORS)
@pytest.mark.parametrize("n", [10, 101])
def test_shapes_kinds_and_classes(make, n):
    X, y = make(n, rng=0)
    assert X.shape == (n, 2)
    assert X.dtype == float
    assert y.shape == (n,)
    assert y.dtype.kind == "i"
    counts = np.bincount(y)
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("make", GENERATORS)
def test_the_seed_decides(make):
    a, b, c = (make(50, rng=seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("make", GENERATORS)
def test_noise_is_the_standard_deviation_of_what_is_added(make):
    clean, _ = make(4000, noise=0.0, rng=3)
    noisy, _ = make(4000, noise=0.25, rng=3)
    assert np.std(noisy - clean) == pytest.approx(0.25, rel=0.05)


def test_moons_are_two_half_circles():
    X, y = data.moons(200, noise=0.0, rng=0)
    upper, lower = X[y == 0], X[y == 1]
    assert np.allclose(np.hypot(*upper.T), 1)
    assert np.allclose(np.hypot(*(lower - [1, 0.5]).T), 1)
    assert upper[:, 1].min() == pytest.approx(0)
    assert lower[:, 1].max() == pytest.approx(0.5)


def test_moons_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.datasets")
    theirs, labels = sklearn.make_moons(200, noise=None, shuffle=False)
    ours, y = data.moons(200, noise=0.0, rng=0)
    for label in (0, 1):
        assert np.allclose(np.sort(ours[y == label], axis=0), np.sort(theirs[labels == label], axis=0))


def test_circles_have_their_radii():
    X, y = data.circles(100, noise=0.0, factor=0.3, rng=0)
    assert np.allclose(np.hypot(*X.T), np.where(y == 1, 0.3, 1.0))


def test_spiral_arms_are_turned_copies_of_each_other():
    X, y = data.spirals(300, noise=0.0, arms=3, rng=0)
    turn = 2 * np.pi / 3
    turned = X[y == 0] @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    assert np.allclose(np.sort(turned, axis=0), np.sort(X[y == 1], axis=0))
    assert np.hypot(*X.T).max() == pytest.approx(1)


def test_blobs_lie_around_their_centers():
    X, y = data.blobs(600, noise=0.5, centers=4, rng=0)
    assert np.bincount(y).tolist() == [150] * 4
    assert all(np.allclose(X[y == label].std(axis=0), 0.5, rtol=0.2) for label in range(4))


def test_generators_refuse():
    with pytest.raises(ArgumentError, match="moons got n=1 points for 2 classes; give each class at least one"):
        data.moons(1)
    with pytest.raises(ArgumentError, match=r"moons got n=2.5; it is a whole number of at least 1"):
        data.moons(2.5)
    with pytest.raises(ArgumentError, match="spirals got classes=0; it is a whole number of at least 1"):
        data.spirals(arms=0)
    with pytest.raises(ArgumentError, match="blobs got noise=-1; it is a standard deviation, at least 0"):
        data.blobs(noise=-1)
    with pytest.raises(
        ArgumentError, match="circles got factor=1; it is the radius of the inner circle, between 0 and 1"
    ):
        data.circles(factor=1)


def test_digits_are_the_stored_numbers():
    """The checksum was taken of scikit-learn's load_digits() when the file was written."""
    X, y = data.digits(scale=False)
    assert X.shape == (1797, 64)
    assert X.dtype == float
    assert (X.min(), X.max()) == (0, 16)
    assert y.dtype.kind == "i"
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert zlib.crc32(X.astype(np.uint8).tobytes() + y.astype(np.uint8).tobytes()) == CHECKSUM
    assert np.array_equal(data.digits()[0] * 16, X)


def test_the_credit_travels_with_the_data():
    text = files("autodiff.data").joinpath("digits.LICENSE.txt").read_text()
    assert "Alpaydin" in text
    assert "10.24432/C50P49" in text
    assert "CC BY 4.0" in text
