"""sdeint against exact solutions on the same path, the laws of what it samples, closed gradients, and its errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autodiff as ad
from autodiff.calculus.brownian import BrownianPath
from autodiff.calculus.sdeint import METHODS, sdeint
from autodiff.core.errors import (
    ArgumentError,
    CompileError,
    KindError,
    NotFiniteError,
    ShapeError,
)

MU, SIGMA = 0.5, 0.7


def drift(t, y):
    return MU * y


def diffusion(t, y):
    return SIGMA * y


def exact(w, y0=1.0, mu=MU, sigma=SIGMA):
    """Geometric Brownian motion at time 1 where the Brownian path ends at w."""
    return y0 * np.exp(mu - sigma**2 / 2 + sigma * w)


def slope(steps, errors):
    return np.polyfit(np.log(steps), np.log(errors), 1)[0]


STEPS = 2.0 ** -np.arange(3, 9)


@pytest.mark.parametrize(("method", "order"), [("euler-maruyama", 0.5), ("milstein", 1.0)])
def test_strong_order(method, order):
    path = BrownianPath([0, 1], 2000, rng=1)
    errors = [
        np.abs(sdeint(drift, diffusion, np.ones(2000), [0, 1], method=method, step=h, path=path)[-1] - exact(path(1.0)))
        for h in STEPS
    ]
    assert_allclose(slope(STEPS, np.mean(errors, 1)), order, atol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_weak_order(method):
    """The error of the mean of y at 1, with the exact answer on the same paths taken off, whose mean is known."""
    path = BrownianPath([0, 1], 40_000, rng=2)
    coarse = 2.0 ** -np.arange(3, 8)
    gaps, spread = [], []
    for h in coarse:
        y = sdeint(lambda t, y: 2 * y, lambda t, y: 0.1 * y, np.ones(40_000), [0, 1], method=method, step=h, path=path)
        gap = exact(path(1.0), 1.0, 2.0, 0.1) - y[-1]
        gaps.append(gap.mean())
        spread.append(gap.std() / 200)
    discrete = np.exp(2) - (1 + 2 * coarse) ** (1 / coarse)  # the mean of either method obeys y + 2 h y
    assert np.all(np.abs(gaps - discrete) < 4 * np.array(spread))
    assert_allclose(slope(coarse, gaps), 1, atol=0.1)


def test_additive_noise_has_strong_order_1():
    """The exact answer of dy = -y dt + dW is that of a fine grid."""
    path = BrownianPath([0, 1], 1000, rng=3)

    def at(h):
        return sdeint(lambda t, y: -y, lambda t, y: 1.0, np.ones(1000), [0, 1], step=h, path=path)[-1]

    fine = at(2.0**-12)
    errors = [np.abs(at(h) - fine).mean() for h in STEPS[:-1]]
    assert_allclose(slope(STEPS[:-1], errors), 1, atol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_ornstein_uhlenbeck_mean_and_variance(method):
    theta, mu, sigma, n = 1.5, 2.0, 0.6, 20_000
    times = np.linspace(0, 2, 5)
    y = sdeint(
        lambda t, y: theta * (mu - y), lambda t, y: sigma, np.zeros(n), times, method=method, step=2.0**-9, rng=4
    )
    mean = mu * (1 - np.exp(-theta * times[1:]))
    variance = sigma**2 / (2 * theta) * (1 - np.exp(-2 * theta * times[1:]))
    assert y.shape == (5, n)
    assert_array_equal(y[0], 0)
    assert np.all(np.abs(y[1:].mean(1) - mean) < 4 * np.sqrt(variance / n))
    assert np.all(np.abs(y[1:].var(1, ddof=1) - variance) < 4 * variance * np.sqrt(2 / n))


def test_general_noise_has_the_covariance_of_its_matrix():
    effects = np.array([[1.0, 0.5, 0.0], [0.0, -0.3, 2.0]])
    y = sdeint(
        lambda t, y: 0 * y, lambda t, y: effects, np.zeros((20_000, 2)), [0, 0.5], step=0.25, noise="general", rng=5
    )
    wanted = effects @ effects.T / 2
    assert_allclose(np.cov(y[-1].T), wanted, atol=4 * np.sqrt(2 / 20_000) * wanted.max())


def test_general_noise_agrees_with_diagonal_noise():
    one = sdeint(drift, diffusion, np.ones(3), [0, 1], step=0.01, rng=6)
    other = sdeint(
        drift, lambda t, y: np.eye(3) * diffusion(t, y), np.ones(3), [0, 1], step=0.01, rng=6, noise="general"
    )
    assert_allclose(other, one, rtol=1e-13)


def test_general_noise_has_gradients():
    effects = np.array([[0.3, 0.1], [0.2, 0.4]])

    def end(y0, effects):
        return sdeint(lambda t, y: -y, lambda t, y: ad.sin(y)[:, None] * effects, y0, [0, 1], step=0.25, rng=0,
                      noise="general")[-1]  # fmt: skip

    ad.testing.check_gradients(end, np.array([1.0, 2.0]), effects, order=2)


@pytest.mark.parametrize("gradient", ["tape", "checkpoint"])
@pytest.mark.parametrize("method", METHODS)
def test_pathwise_gradients(method, gradient):
    """Against differences on the same path, and forward mode against reverse."""

    def end(y0, mu, sigma):
        return sdeint(
            lambda t, y: mu * y, lambda t, y: sigma * y, y0, [0, 1], method=method, step=1 / 4, rng=7, gradient=gradient
        )[-1]

    ad.testing.check_gradients(end, 1.0, MU, SIGMA, order=2)
    pushed = ad.jvp(end, (1.0, MU, SIGMA), (0.3, -0.2, 0.5))[1]
    assert_allclose(pushed, np.dot(ad.grad(end, (0, 1, 2))(1.0, MU, SIGMA), [0.3, -0.2, 0.5]), rtol=1e-12)


@pytest.mark.parametrize(("method", "order"), [("euler-maruyama", 0.5), ("milstein", 1.0)])
def test_pathwise_gradients_near_the_closed_form(method, order):
    """By y0, mu and sigma, on each of many paths, at the strong order of the method."""
    path = BrownianPath([0, 1], 2000, rng=8)
    w = path(1.0)
    y = exact(w)
    closed = np.array([y, y, y * (w - SIGMA)])

    def errors(h):
        def end(y0, mu, sigma):
            return sdeint(lambda t, y: mu * y, lambda t, y: sigma * y, y0, [0, 1], method=method, step=h, path=path)[-1]

        _y, pull = ad.vjp(end, np.ones(2000), np.full(2000, MU), np.full(2000, SIGMA))
        return np.abs(pull(np.ones(2000)) - closed).mean(1)

    steps = 2.0 ** -np.arange(5, 9)
    measured = np.array([errors(h) for h in steps])
    for k in range(3):
        assert_allclose(slope(steps, measured[:, k]), order, atol=0.08)


def test_tape_and_checkpoints_agree_and_checkpoints_keep_less():
    mu = ad.Tensor(MU)

    def end(gradient):
        return sdeint(lambda t, y: mu * y, diffusion, np.ones(2), [0, 0.5, 1], step=2.0**-7, rng=9, gradient=gradient)[
            -1
        ].sum()

    found = []
    for gradient in ("tape", "checkpoint"):
        y = end(gradient)
        found.append((len(ad.Tape(y)), y.item()))
        mu.grad = None
        y.backward()
        found[-1] += (float(mu.grad),)
    assert_allclose(found[0][1:], found[1][1:], rtol=1e-13)
    assert found[1][0] < 30 < 500 < found[0][0]


def test_what_comes_in_plain_goes_out_plain():
    assert type(sdeint(drift, diffusion, 1.0, [0, 1], rng=0)) is np.ndarray
    assert type(sdeint(drift, diffusion, ad.Value(1.0), [0, 1], rng=0)) is ad.Tensor
    with ad.no_grad():
        assert type(sdeint(drift, diffusion, ad.Tensor([1.0]), [0, 1], rng=0)) is np.ndarray
    x = ad.Value(2.0)
    sdeint(drift, lambda t, y: 0.0, x, [0, 1])[-1].backward()
    assert x.grad == 1 + MU
    assert sdeint(drift, diffusion, np.ones((0, 3)), [0, 1, 2], rng=0).shape == (3, 0, 3)


@pytest.mark.parametrize("method", METHODS)
def test_float32_stays(method):
    y0 = np.ones(3, np.float32)
    y = sdeint(lambda t, y: np.float64(MU) * y, diffusion, y0, [0, 1], step=0.1, rng=0, method=method)
    assert y.dtype == np.float32
    assert_allclose(y, sdeint(drift, diffusion, np.ones(3), [0, 1], step=0.1, rng=0, method=method), rtol=1e-5)
    g = ad.grad(lambda y0: sdeint(drift, diffusion, y0, [0, 1], step=0.1, rng=0, method=method)[-1].sum())(y0)
    assert g.dtype == np.float32


@pytest.mark.parametrize("method", METHODS)
def test_lists_are_taken(method):
    """Of numbers and tensors: as the start, and as what the functions return."""

    def end(x):
        return sdeint(
            lambda t, y: [y[1], -x], lambda t, y: [x * y[0], 0.1], [x, 2.0], [0, 1], step=0.25, rng=0, method=method
        )[-1]

    def stacked(x):
        return sdeint(
            lambda t, y: ad.stack([y[1], -x]),
            lambda t, y: ad.stack([x * y[0], 0.1]),
            ad.stack([x, 2.0]),
            [0, 1],
            step=0.25,
            rng=0,
            method=method,
        )[-1]

    assert_allclose(end(0.3), stacked(0.3), rtol=1e-14)
    assert_allclose(ad.jacobian(end)(0.3), ad.jacobian(stacked)(0.3), rtol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_functions_may_write_into_the_state(method):
    def twice(t, y):
        y *= 2
        return y

    def end(drift, diffusion):
        return sdeint(drift, diffusion, np.ones(2), [0, 0.5, 1], rng=0, method=method)

    assert_array_equal(end(twice, twice), end(lambda t, y: 2 * y, lambda t, y: 2 * y))


def test_time_reaches_the_functions():
    y = sdeint(lambda t, y: 2 * t, lambda t, y: 0.0, 0.0, [1, 2], step=2.0**-10)
    assert_allclose(y[-1], 3, atol=1e-3)
    seen = []
    sdeint(lambda t, y: seen.append(t) or 0.0, lambda t, y: 0.0, 0.0, [0, 0.5, 2], step=0.3)
    assert_allclose(seen, [0, 0, 0.25, 0.5, 0.6875, 0.875, 1.0625, 1.25, 1.4375, 1.625, 1.8125])


def test_vmap_takes_the_same_path_for_each():
    def end(y0):
        return sdeint(drift, diffusion, y0, [0, 1], step=0.25, rng=0)[-1]

    assert_array_equal(ad.vmap(end)(np.array([1.0, 2.0])), [end(1.0), end(2.0)])


def test_full_output():
    times = np.linspace(0, 1, 5)
    solution = sdeint(drift, diffusion, np.ones(3), times, step=0.125, rng=1, full_output=True)
    assert str(solution) == "euler-maruyama from t = 0.0 to 1.0: 8 steps, 9 evaluations, 5 times of shape (3,)"
    again = sdeint(drift, diffusion, np.ones(3), times, step=0.125, path=solution.path)
    assert_array_equal(solution.y, again)
    assert_array_equal(solution.times, times)
    assert solution != sdeint(drift, diffusion, np.ones(3), times, step=0.125, rng=1, full_output=True)


@pytest.mark.parametrize("count", [2, 12])
def test_pictures(count):
    solution = sdeint(drift, diffusion, np.ones(count), np.linspace(0, 1, 9), rng=1, full_output=True)
    ax = solution.plot()
    assert len(ax.lines) == (2 if count == 2 else 15)
    assert len(solution.path.plot(ax=ax, points=5).lines) == 2 * len(ax.lines) - len(ax.lines)


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"method": "euler"}, ArgumentError, "there are 'euler-maruyama', 'milstein'"),
        ({"noise": "scalar"}, ArgumentError, "there are 'diagonal', 'general'"),
        ({"gradient": "adjoint"}, ArgumentError, "there are 'tape', 'checkpoint'"),
        ({"noise": "general", "method": "milstein"}, ArgumentError, "needs noise='diagonal'"),
        ({"noise": "general", "y0": 1.0}, ShapeError, "give it an axis"),
        ({"noise": "general"}, ShapeError, r"With noise='general' it is \(2, 'm'\)"),
        ({"step": 0}, ArgumentError, "step=0; it is a finite number above 0"),
        ({"step": 1e-9}, ArgumentError, "more than max_steps=1,000,000. Take a longer step"),
        ({"max_steps": 0}, ArgumentError, "max_steps=0"),
        ({"times": [0]}, ArgumentError, "two or more finite numbers that increase"),
        ({"times": [1, 0]}, ArgumentError, "two or more finite numbers that increase"),
        ({"times": ad.Tensor([0.0, 1.0])}, KindError, "no slope in time"),
        ({"y0": [1j, 2]}, KindError, "real numbers"),
        ({"y0": [np.nan, 2]}, ArgumentError, "made of finite numbers"),
        ({"drift": 1}, KindError, "takes a function"),
        ({"diffusion": None}, KindError, "takes a function"),
        ({"drift": lambda t, y: np.ones(3)}, ShapeError, r"drift returned shape \(3,\) for y of shape \(2,\)"),
        ({"diffusion": lambda t, y: np.ones((2, 2))}, ShapeError, "pass noise='general'"),
        (
            {"diffusion": lambda t, y: np.ones(2 if t == 0 else (2, 2)), "step": 0.5},
            ShapeError,
            "the same shapes at all",
        ),
        ({"path": 3}, ArgumentError, "path=3; it is a BrownianPath"),
        ({"path": BrownianPath([0, 1], 2), "rng": 0}, ArgumentError, "has its own seed"),
        ({"path": BrownianPath([0, 1], 3)}, ShapeError, r"path of shape \(3,\), but the noise has shape \(2,\)"),
        ({"path": BrownianPath([0, 0.5], 2)}, ArgumentError, "times from 0 to 1, but BrownianPath of shape"),
        ({"method": "milstein", "diffusion": lambda t, y: y[::-1]}, ArgumentError, "depends on another entry"),
        (
            {"method": "milstein", "step": 0.125, "diffusion": lambda t, y: y if t < 0.5 else y[::-1]},
            ArgumentError,
            "depends on another entry of y, as at t = 0.5",
        ),
        (
            {
                "method": "milstein",
                "y0": [0.0, 0.0],
                "drift": lambda t, y: 1.0,
                "times": [0, 1, 2],
                "diffusion": lambda t, y: y * y[::-1],
            },
            ArgumentError,
            "as at t = 1.0",
        ),
        ({"step": 1e-320}, ArgumentError, "would take inf steps, more than max_steps"),
        ({"times": [-1e308, 1e308]}, ArgumentError, "too far apart for floats"),
        ({"times": [ad.Value(0.0), 1.0]}, KindError, "tracked times"),
        ({"times": [[0], [1, 2]]}, ShapeError, "rows of different lengths"),
        ({"y0": [[1], [1, 2]]}, ShapeError, "rows of different lengths"),
        ({"y0": ad.Tensor([np.nan, 2])}, ArgumentError, "made of finite numbers"),
        ({"drift": lambda t, y: None}, KindError, "drift=None; it is made of real numbers"),
        ({"diffusion": lambda t, y: 1j * y}, KindError, "diffusion=.* it is made of real numbers"),
        (
            {"drift": lambda t, y: y * (1j if t else 1), "times": [0, 1, 2]},
            KindError,
            "y=.* it is made of real numbers",
        ),
    ],
)
def test_arguments(options, kind, text):
    given = {"drift": drift, "diffusion": diffusion, "y0": [1.0, 2.0], "times": [0, 1]} | options
    with pytest.raises(kind, match=text):
        sdeint(given.pop("drift"), given.pop("diffusion"), given.pop("y0"), given.pop("times"), **given)


def test_nan_inside_keeps_what_was_reached():
    def stops(t, y):
        return y if t < 1 else np.nan * y

    with pytest.raises(NotFiniteError, match=r"sdeint, drift: the function returned nan at t = 1\.0") as caught:
        sdeint(stops, diffusion, 1.0, [0, 0.5, 1, 1.5], rng=0)
    assert_array_equal(caught.value.reached.times, [0, 0.5, 1])
    with pytest.raises(NotFiniteError, match=r"sdeint, diffusion: the function returned inf at t = 0"):
        sdeint(drift, lambda t, y: np.inf, 1.0, [0, 1])
    with pytest.raises(NotFiniteError, match=r"overflowed in the step from t = 0\.5") as caught:
        sdeint(lambda t, y: 1e308, lambda t, y: 0.0, 1e308, [0, 0.5, 1, 1.5, 2], rng=0)
    assert_array_equal(caught.value.reached.times, [0, 0.5])


def test_compiling_is_refused():
    with pytest.raises(CompileError, match="sdeint cannot be compiled"):
        ad.compile(lambda y0: sdeint(drift, diffusion, y0, [0, 1])[-1])(1.0)
