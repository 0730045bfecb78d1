"""Brownian paths: the law of what is drawn, and that the answers do not depend on the questions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import autodiff as ad
from autodiff.calculus.brownian import BrownianPath
from autodiff.core.errors import ArgumentError, KindError

TIMES = [0.0, 0.1, 0.3, 0.5, 0.625, 1.0, 1.7]


def test_covariance_is_the_earlier_time():
    n = 40_000
    path = BrownianPath([0, 1, 2], n, rng=0)
    found = np.cov([path(t) for t in TIMES[1:]])
    wanted = np.minimum.outer(TIMES[1:], TIMES[1:])
    spread = np.sqrt((wanted**2 + np.outer(np.diag(wanted), np.diag(wanted))) / n)
    assert np.all(np.abs(found - wanted) < 4 * spread)


def test_increments_of_one_path_are_independent_and_normal():
    path = BrownianPath([0, 1], rng=1)
    w = np.array([path(k / 4096) for k in range(4097)])
    steps = np.diff(w) * 64
    assert stats.kstest(steps, "norm").pvalue > 0.01
    assert abs(np.corrcoef(steps[:-1], steps[1:])[0, 1]) < 4 / 64
    assert_allclose(np.sum(np.diff(w) ** 2), 1, atol=4 * np.sqrt(2 / 4096))  # the quadratic variation


def test_the_order_of_questions_does_not_matter():
    asked = np.random.default_rng(0).uniform(0, 2, 50)
    one, other = (BrownianPath([0, 0.7, 2], (2, 3), rng=5) for _ in range(2))
    there = {t: np.array(one(t)) for t in asked}
    for t in asked[::-1]:
        assert_array_equal(other(t), there[t])


@pytest.mark.parametrize(("start", "end"), [(2.0**50, 2.0**50 + 25), (1e9, 1e9 + 1e-5), (1 - 2.0**-48, 1.0)])
def test_the_order_does_not_matter_among_the_last_floats(start, end):
    asked = start + (end - start) * np.arange(65) / 64
    for seed in range(5):
        path = BrownianPath([start, end], rng=seed)
        for t in np.random.default_rng(seed).permutation(asked):
            assert path(t) == BrownianPath([start, end], rng=seed)(t)
        assert path(end) != 0


def test_arrays_of_times():
    path = BrownianPath([0, 1, 2], (2, 3), rng=5)
    found = path([[0.3, 1.7], [0.3, 0]])
    assert found.shape == (2, 2, 2, 3)
    assert_array_equal(found, [[path(0.3), path(1.7)], [path(0.3), np.zeros((2, 3))]])
    assert path([]).shape == (0, 2, 3)
    with pytest.raises(ArgumentError, match=r"asked at t = 2\.5"):
        path([0.3, 2.5])


def test_a_refined_grid_keeps_its_points():
    path, again = (BrownianPath([0, 1], rng=5) for _ in range(2))
    coarse = [float(path(k / 8)) for k in range(9)]
    fine = [float(again(k / 64)) for k in range(65)]
    assert_array_equal(fine[::8], coarse)


def test_rounded_times_are_the_same_times():
    path = BrownianPath([0.1, 0.7], rng=2)
    a, b = path.times
    for k in range(1, 16):
        exact = path(a + (b - a) * k / 16)
        for t in np.nextafter(a + (b - a) * k / 16, [0, 1]):
            assert_array_equal(path(t), exact)


def test_neighbours_are_near():
    """Times that are no halvings are reached to the spacing of floats."""
    path = BrownianPath([0, 1], 100, rng=3)
    assert np.abs(path(1 / 3) - path(1 / 3 + 1e-12)).max() < 5e-6
    assert np.abs(path(1 / 3) - path(1 / 3 + 1e-4)).max() > 1e-2


def test_seeds():
    def end(rng):
        return float(BrownianPath([0, 1], rng=rng)(0.5))

    assert end(3) == end(3) == end(np.random.default_rng(3)) != end(4)
    rng = np.random.default_rng(3)
    assert end(rng) != end(rng)
    assert end(None) != end(None)


def test_answers_cannot_be_changed():
    path = BrownianPath([0, 1], 2, rng=3)
    for t in (0.0, 0.5, 1.0):
        with pytest.raises(ValueError, match="read-only"):
            path(t)[0] = 1


def test_the_start_is_0_and_shapes():
    assert BrownianPath([2, 3], (2, 0), rng=0)(2.5).shape == (2, 0)
    assert_array_equal(BrownianPath([2, 3], 4, rng=0)(2), np.zeros(4))
    assert repr(BrownianPath([0, 1.5], 4)) == "BrownianPath of shape (4,) from t = 0.0 to 1.5"


def test_plot():
    ax = BrownianPath([0, 2], 3, rng=0).plot()
    assert len(ax.lines) == 3
    assert ax.get_xlabel() == "t"
    assert len(BrownianPath([0, 2], 100, rng=0).plot(points=9).lines) == 53


@pytest.mark.parametrize(
    ("times", "shape", "kind", "text"),
    [
        ([0], (), ArgumentError, "two or more finite numbers that increase"),
        ([0, 0], (), ArgumentError, "two or more finite numbers that increase"),
        ([0, np.inf], (), ArgumentError, "two or more finite numbers that increase"),
        ([-1e308, 1e308], (), ArgumentError, "too far apart for floats"),
        (["a", "b"], (), KindError, "real numbers"),
        ([0, 1], -1, ArgumentError, "shape=-1; it is a tuple of sizes"),
        ([0, 1], "a", ArgumentError, "shape='a'"),
    ],
)
def test_arguments(times, shape, kind, text):
    with pytest.raises(kind, match=text):
        BrownianPath(times, shape)


def test_asked_at_what_is_no_plain_time():
    path = BrownianPath([0, 1])
    for t in (ad.Value(0.5), ad.Tensor([0.5]), [ad.Value(0.5)]):
        with pytest.raises(KindError, match="tracked t, but a path of chance has no slope in time"):
            path(t)
    for t in ("a", None, 1j):
        with pytest.raises(KindError, match="real numbers"):
            path(t)
    assert_array_equal(path(ad.Tensor(0.5, requires_grad=False)), path(0.5))


def test_asked_outside():
    with pytest.raises(ArgumentError, match=r"asked at t = 2\.0, but goes from 0\.0 to 1\.0"):
        BrownianPath([0, 1])(2)
    with pytest.raises(ArgumentError, match="asked at t = nan"):
        BrownianPath([0, 1])(float("nan"))
