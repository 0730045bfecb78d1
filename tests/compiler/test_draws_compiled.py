"""Random draws stay live in compiled functions: new numbers at each call, the same as eager ones from the same seed."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from tests.compiler.alike import weights

PLAIN = np.array([[1.0, 5.0, 9.0], [2.0, 3.0, 4.0], [7.0, 8.0, 6.0]])

DRAWS = {
    "normal": lambda x, rng: ad.random.normal(x, ad.exp(x), rng=rng),
    "normal of numbers": lambda x, rng: x * ad.random.normal(0.0, 2.0, size=3, rng=rng),
    "laplace": lambda x, rng: ad.random.laplace(x, 2.0, rng=rng),
    "gumbel": lambda x, rng: ad.random.gumbel(x, 2.0, rng=rng),
    "logistic": lambda x, rng: ad.random.logistic(x, 2.0, rng=rng),
    "lognormal": lambda x, rng: ad.random.lognormal(x, 0.3, rng=rng),
    "uniform": lambda x, rng: ad.random.uniform(x, x + 1, rng=rng),
    "exponential": lambda x, rng: ad.random.exponential(ad.exp(x), rng=rng),
    "rayleigh": lambda x, rng: ad.random.rayleigh(ad.exp(x), rng=rng),
    "weibull": lambda x, rng: ad.random.weibull(ad.exp(x), rng=rng),
    "pareto": lambda x, rng: ad.random.pareto(ad.exp(x), rng=rng),
    "power": lambda x, rng: ad.random.power(ad.exp(x), rng=rng),
    "gamma": lambda x, rng: ad.random.gamma(ad.exp(x), 2.0, rng=rng),
    "chisquare": lambda x, rng: ad.random.chisquare(ad.exp(x), rng=rng),
    "bernoulli": lambda x, rng: ad.random.bernoulli(ad.sigmoid(x), rng=rng),
    "bernoulli as a constant": lambda x, rng: x * ad.random.bernoulli(ad.sigmoid(x), False, rng=rng),
    "gumbel_softmax": lambda x, rng: ad.random.gumbel_softmax(x, 0.7, rng=rng),
    "gumbel_softmax hard": lambda x, rng: ad.random.gumbel_softmax(x, 0.7, True, rng=rng),
    "random": lambda x, rng: x * ad.random.random(3, rng=rng),
    "standard_normal": lambda x, rng: x * ad.random.standard_normal(3, rng=rng),
    "standard_exponential": lambda x, rng: x * ad.random.standard_exponential(3, rng=rng),
    "choice": lambda x, rng: ad.random.choice(x, 4, rng=rng),
    "choice of a number": lambda x, rng: x[ad.random.choice(3, 4, rng=rng)],
    "choice of constants": lambda x, rng: x * ad.random.choice(PLAIN[0], 3, p=[0.2, 0.3, 0.5], rng=rng),
    "choice by weights": lambda x, rng: ad.random.choice(x, 2, p=ad.stop_gradient(ad.softmax(x)), rng=rng),
    "permutation": lambda x, rng: ad.random.permutation(x, rng=rng),
    "permutation of a number": lambda x, rng: x * ad.random.permutation(3, rng=rng),
    "permutation of constants": lambda x, rng: x * ad.random.permutation(PLAIN, rng=rng),
    "dropout": lambda x, rng: ad.dropout(x, 0.4, rng=rng),
}
TWICE = {
    "standard_t": lambda x, rng: ad.random.standard_t(ad.exp(x) + 1, rng=rng),
    "beta": lambda x, rng: ad.random.beta(ad.exp(x), 2.0, rng=rng),
    "dirichlet": lambda x, rng: ad.random.dirichlet(ad.exp(x), rng=rng),
}


def four_calls(f):
    """Results and gradients of four calls."""
    found = []
    for call in range(4):
        x = ad.Tensor(np.random.default_rng(call).normal(size=3))
        y = f(x)
        y.backward(weights(y))
        found += [y.data, x.grad]
    return found


def assert_alike(f, ours, theirs):
    for a, b in zip(four_calls(ad.compile(lambda x: f(x, ours))), four_calls(lambda x: f(x, theirs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("f", [*DRAWS.values(), *TWICE.values()], ids=[*DRAWS, *TWICE])
def test_a_generator_goes_on_as_it_would(f, never_eagerly):
    assert_alike(f, np.random.default_rng(1), np.random.default_rng(1))


@pytest.mark.parametrize("f", DRAWS.values(), ids=list(DRAWS))
def test_a_seed_starts_anew(f, never_eagerly):
    assert_alike(f, 7, 7)


def test_no_seed_draws_new_numbers():
    compiled = ad.compile(lambda x: ad.random.normal(x, 1.0))
    assert len({compiled(0.0).item() for _ in range(5)}) == 5


def test_a_probability_that_differs_from_call_to_call():
    compiled = ad.compile(lambda x, p: ad.dropout(x, p, rng=3))
    for p in (0.2, 0.8, 0.0, 1.0):
        np.testing.assert_array_equal(compiled(PLAIN, p), ad.dropout(PLAIN, p, rng=3))


def test_a_layer_that_drops_follows_its_switch():
    ours, theirs = nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)
    compiled = ad.compile(ours)
    for training in (True, True, False, True):
        ours.train(training)
        theirs.train(training)
        np.testing.assert_array_equal(compiled(PLAIN), theirs(PLAIN))


def test_an_error_while_compiling_gives_back_what_was_drawn():
    rng = np.random.default_rng(5)
    with pytest.raises(ad.AutodiffError, match="the truth"):
        ad.compile(lambda x: x if ad.random.normal(x, 1.0, rng=rng).sum() > 0 else -x)(PLAIN)
    assert rng.normal() == np.random.default_rng(5).normal()


def test_a_draw_that_nobody_uses_is_drawn():
    def f(x, rng):
        ad.random.normal(size=3, rng=rng)
        return x + ad.random.normal(size=2, rng=rng)

    one, other = np.random.default_rng(0), np.random.default_rng(0)
    compiled = ad.compile(lambda x: f(x, one))
    for _ in range(3):
        np.testing.assert_array_equal(compiled(np.zeros(2)), f(np.zeros(2), other))
