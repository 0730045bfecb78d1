"""Random draws: NumPy's numbers, the right distribution, and gradients along the path of a draw."""

import math

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import UnsupportedError
from autodiff.ops import draws
from autodiff.testing import check_gradients

random = ad.random

DISTRIBUTIONS = {
    "normal": (1.0, 2.0),
    "uniform": (1.0, 3.0),
    "exponential": (2.0,),
    "gamma": (2.5, 2.0),
    "laplace": (1.0, 2.0),
    "gumbel": (1.0, 2.0),
    "logistic": (1.0, 2.0),
    "lognormal": (0.5, 0.6),
    "rayleigh": (2.0,),
    "weibull": (1.5,),
    "pareto": (2.5,),
    "power": (2.5,),
    "standard_gamma": (1.2,),
    "chisquare": (3.0,),
}
OF_OUR_OWN = {"beta": (0.6, 2.0), "standard_t": (5.0,)}
ALL = DISTRIBUTIONS | OF_OUR_OWN


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("size", [None, 5, (2, 3), (), (0, 2)])
def test_a_seed_gives_the_numbers_of_numpy(name, size):
    parameters = DISTRIBUTIONS[name]
    expected = getattr(np.random.default_rng(3), name)(*parameters, size=size)
    for kind in (float, np.float64, ad.Tensor, ad.Value):
        found = getattr(random, name)(*map(kind, parameters), size=size, rng=3)
        assert isinstance(found, ad.Tensor) == (kind in (ad.Tensor, ad.Value))
        assert np.shape(found) == np.shape(expected)
        np.testing.assert_allclose(ad.stop_gradient(found), expected, rtol=1e-14)


@pytest.mark.parametrize("name", ALL)
def test_parameters_broadcast_and_keep_their_precision(name):
    first, *rest = ALL[name]
    f = getattr(random, name)
    column = np.full((3, 1), first)
    spread = f(ad.Tensor(column), *(np.full(2, p) for p in rest), rng=0)
    assert spread.shape == ((3, 2) if rest else (3, 1))
    assert f([first, first], *rest, size=(4, 2), rng=0).shape == (4, 2)
    single = ad.Tensor(column, dtype=np.float32)
    y = f(single, *rest, size=(3, 4), rng=0)
    y.sum().backward()
    assert y.dtype == single.grad.dtype == np.float32
    np.testing.assert_allclose(y.data, f(column, *rest, size=(3, 4), rng=0), rtol=2e-4)
    assert f(ad.Tensor(column, dtype=np.float32), *map(np.float64, rest), rng=0).dtype == (float if rest else "f4")


@pytest.mark.parametrize("name", ALL)
def test_sizes_that_do_not_fit_are_refused(name):
    _, *rest = ALL[name]
    f = getattr(random, name)
    for size in (3, (2, 1), (3, 2, 3)):
        with pytest.raises(ValueError, match=r"size=|broadcast"):
            f(np.ones((2, 2)), *rest, size=size)
    with pytest.raises(ValueError, match="negative dimensions are not allowed"):
        f(1.0, *rest, size=-1)
    with pytest.raises(TypeError):
        f(1.0, *rest, size=1.5)
    with pytest.raises(TypeError, match="are real"):
        f(1j, *rest)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("normal", (0, -1)),
        ("normal", (0, [1, -0.0])),
        ("laplace", (0, -1)),
        ("gumbel", (0, -1)),
        ("logistic", (0, -1)),
        ("lognormal", (0, -1)),
        ("exponential", (-1,)),
        ("rayleigh", (-1,)),
        ("weibull", (-1,)),
        ("gamma", (-1,)),
        ("gamma", (1, -1)),
        ("uniform", (1, 0)),
        ("uniform", (0, math.inf)),
        ("uniform", (0, math.nan)),
        ("uniform", (-1e308, 1e308)),
        ("pareto", (0,)),
        ("power", (0,)),
        ("beta", (0, 1)),
        ("beta", (1, -1)),
        ("chisquare", (0,)),
        ("standard_t", (0,)),
        ("dirichlet", ([1, -1],)),
    ],
)
def test_parameters_out_of_range_raise_what_numpy_raises(name, parameters):
    with pytest.raises((ValueError, OverflowError)) as numpys:
        getattr(np.random.default_rng(0), name)(*parameters)
    for given in (parameters, [ad.Tensor(p, dtype=float) for p in parameters]):
        with pytest.raises(numpys.type, match=f"random.{name} got"):
            getattr(random, name)(*given)


def test_the_ends_of_the_ranges():
    assert random.gamma(0.0, rng=0) == random.weibull(0.0, rng=0) == random.normal(2.0, 0.0, rng=0) - 2 == 0
    assert random.dirichlet([0.0, 1.0], rng=0).tolist() == [0, 1]
    assert random.bernoulli([0.0, 1.0], rng=0).tolist() == [0, 1]
    assert math.isnan(random.normal(math.nan, 1.0))
    tiny = random.beta(np.full(100, 1e-4), 1e-4, rng=0)
    assert np.all((tiny >= 0) & (tiny <= 1))
    assert np.all(draws.draw_uniform(0.0, 0.0, 10, np.float16, 0) < 1)


@pytest.mark.parametrize("name", ALL)
def test_draws_have_the_right_distribution(name):
    stats = pytest.importorskip("scipy.stats")
    exact = {
        "normal": stats.norm(1, 2),
        "uniform": stats.uniform(1, 2),
        "exponential": stats.expon(scale=2),
        "gamma": stats.gamma(2.5, scale=2),
        "laplace": stats.laplace(1, 2),
        "gumbel": stats.gumbel_r(1, 2),
        "logistic": stats.logistic(1, 2),
        "lognormal": stats.lognorm(0.6, scale=math.exp(0.5)),
        "rayleigh": stats.rayleigh(scale=2),
        "weibull": stats.weibull_min(1.5),
        "pareto": stats.lomax(2.5),
        "power": stats.powerlaw(2.5),
        "standard_gamma": stats.gamma(1.2),
        "chisquare": stats.chi2(3),
        "beta": stats.beta(0.6, 2),
        "standard_t": stats.t(5),
    }[name]
    y = getattr(random, name)(*ALL[name], size=20_000, rng=0)
    assert stats.kstest(y, exact.cdf).pvalue > 1e-3
    mean, variance = exact.stats("mv")
    assert np.mean(y) == pytest.approx(mean, abs=5 * math.sqrt(variance / y.size))


MOMENTS = {
    "normal": lambda loc, scale: (loc, loc**2 + scale**2),
    "uniform": lambda low, high: ((low + high) / 2, (low * low + low * high + high * high) / 3),
    "exponential": lambda scale: (scale, 2 * scale**2),
    "gamma": lambda shape, scale: (shape * scale, shape * (shape + 1) * scale**2),
    "laplace": lambda loc, scale: (loc, loc**2 + 2 * scale**2),
    "gumbel": lambda loc, scale: (
        loc + np.euler_gamma * scale,
        math.pi**2 / 6 * scale**2 + (loc + np.euler_gamma * scale) ** 2,
    ),
    "logistic": lambda loc, scale: (loc, loc**2 + math.pi**2 / 3 * scale**2),
    "lognormal": lambda mean, sigma: (ad.exp(mean + sigma**2 / 2), ad.exp(2 * mean + 2 * sigma**2)),
    "rayleigh": lambda scale: (scale * math.sqrt(math.pi / 2), 2 * scale**2),
    "weibull": lambda a: (ad.gamma(1 + 1 / a), ad.gamma(1 + 2 / a)),
    "power": lambda a: (a / (a + 1), a / (a + 2)),
    "standard_gamma": lambda a: (a, a * (a + 1)),
    "chisquare": lambda df: (df, df * (df + 2)),
    "beta": lambda a, b: (a / (a + b), a * (a + 1) / ((a + b) * (a + b + 1))),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_gradients_of_expectations_are_those_of_the_moments(name):
    parameters, n = ALL[name], 100_000
    rng = np.random.default_rng(1)

    def estimates(*p):
        y = getattr(random, name)(*p, size=n, rng=rng)
        return y.mean(), (y * y).mean()

    for moment in (0, 1):
        for i in range(len(parameters)):
            exact = ad.grad(lambda *p, m=moment: MOMENTS[name](*p)[m], argnums=i)(*parameters)
            found = ad.grad(lambda *p, m=moment: estimates(*p)[m], argnums=i)(*parameters)
            assert found == pytest.approx(exact, rel=0.05, abs=0.03)


def test_the_gradient_of_gamma_draws_is_the_implicit_one():
    """dy/da = -(dP(a, y)/da) / p(y), with the derivative of the distribution function from a central difference."""
    special = pytest.importorskip("scipy.special")
    a = np.concatenate([np.geomspace(0.02, 1e3, 40), np.linspace(0.5, 1.5, 11)])
    shape = ad.Tensor(a)
    y = random.standard_gamma(shape, rng=4)
    y.sum().backward()
    z, h = y.data, 1e-4 * a
    p = special.gammainc
    rise = (8 * (p(a + h, z) - p(a - h, z)) - (p(a + 2 * h, z) - p(a - 2 * h, z))) / (12 * h)
    density = np.exp(special.xlogy(a - 1, z) - z - special.gammaln(a))
    np.testing.assert_allclose(shape.grad, -rise / density, rtol=1e-6)


def test_the_gradient_of_gamma_draws_is_that_of_pytorch():
    """Values of torch._standard_gamma_grad, which is accurate to a few digits, and of jax.lax.random_gamma_grad."""
    a = np.array([0.05, 0.3, 0.7, 1.0, 2.5, 9.0, 40.0, 1e4])
    z = np.array([1e-6, 0.2, 1.3, 0.4, 3.0, 5.0, 52.0, 1.01e4])
    pytorch = [0.000266354, 1.21204, 1.68216, 0.708753, 1.16922, 0.748312, 1.14167, 1.005]
    jax = [
        0.000266353583143835,
        1.2120372612897223,
        1.6820423939530427,
        0.7087529414833842,
        1.1692620067376658,
        0.7482747772330334,
        1.1416512425750494,
        1.0050001660074206,
    ]
    slope = ad.vjp(lambda b: ad.ops.incomplete.gamma_transport(z, a, b), a)[1](np.ones_like(a))[0]
    np.testing.assert_allclose(slope, jax, rtol=1e-12)
    np.testing.assert_allclose(slope, pytorch, rtol=1e-3)


def test_gamma_draws_can_be_differentiated_again():
    """The second derivative of the path, integrated over it, is that of the second moment: E[y²] = a (a + 1)."""
    curvature = ad.grad(ad.grad(lambda a: (random.standard_gamma(a, 30_000, rng=2) ** 2).mean()))
    assert curvature(np.array(1.7)) == pytest.approx(2, rel=0.05)


def test_gamma_draws_that_underflow():
    a = ad.Tensor(np.full(50, 1e-4))
    y = random.standard_gamma(a, rng=0)
    assert np.any(y.data == 0)
    y.sum().backward()
    assert np.all(a.grad[y.data == 0] == 0)
    assert np.all(np.isfinite(a.grad))


def test_bernoulli_passes_gradients_straight_through():
    p = ad.Tensor(np.linspace(0, 1, 7))
    y = random.bernoulli(p, size=(1000, 7), rng=0)
    assert set(np.unique(y.data)) == {0.0, 1.0}
    np.testing.assert_allclose(y.data.mean(0), p.data, atol=0.06)
    (y * np.arange(7)).sum().backward()
    np.testing.assert_array_equal(p.grad, 1000 * np.arange(7))
    assert not random.bernoulli(p, straight_through=False, rng=0).requires_grad
    assert isinstance(random.bernoulli(0.5, size=3), np.ndarray)
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"random.bernoulli got p=.*probabilities are from 0 to 1"):
            random.bernoulli(bad)


def test_gumbel_softmax():
    p = np.array([0.2, 0.5, 0.3])
    logits = ad.Tensor(np.broadcast_to(np.log(p), (20_000, 3)))
    soft = random.gumbel_softmax(logits, 0.7, rng=0)
    np.testing.assert_allclose(soft.data.sum(-1), 1)
    hard = random.gumbel_softmax(logits, 0.7, hard=True, rng=0)
    assert set(np.unique(hard.data)) == {0.0, 1.0}
    np.testing.assert_array_equal(hard.data.argmax(-1), soft.data.argmax(-1))
    np.testing.assert_allclose(hard.data.mean(0), p, atol=0.015)
    weights = np.array([1.0, -2.0, 3.0])
    soft_grad, hard_grad = (
        ad.grad(lambda x, h=h: (random.gumbel_softmax(x, 0.7, hard=h, rng=0) * weights).sum())(logits.data)
        for h in (False, True)
    )
    np.testing.assert_allclose(soft_grad, hard_grad)
    check_gradients(lambda x: random.gumbel_softmax(x, 0.7, axis=0, rng=0), np.log(p)[:, None])
    check_gradients(lambda t: random.gumbel_softmax(np.log(p), t, rng=0), np.array(0.7))
    assert random.gumbel_softmax(logits.data[:2].astype(np.float32), rng=0).dtype == np.float32
    assert isinstance(random.gumbel_softmax(p, hard=True), np.ndarray)
    with pytest.raises(ValueError, match=r"gumbel_softmax got tau=0.*above 0"):
        random.gumbel_softmax(p, 0)
    with pytest.raises(ValueError, match="axis 1 is out of bounds"):
        random.gumbel_softmax(p, axis=1)


def test_dirichlet():
    alpha = ad.Tensor([0.5, 1.0, 3.0])
    y = random.dirichlet(alpha, 20_000, rng=0)
    assert y.shape == (20_000, 3)
    np.testing.assert_allclose(y.data.sum(-1), 1)
    np.testing.assert_allclose(y.data.mean(0), alpha.data / 4.5, atol=0.01)
    slopes = ad.jacobian(lambda a: random.dirichlet(a, 20_000, rng=0).mean(0))(alpha.data)
    np.testing.assert_allclose(slopes, ad.jacobian(lambda a: a / a.sum())(alpha.data), atol=0.01)
    assert random.dirichlet([1, 2], (2, 3)).shape == (2, 3, 2)
    with pytest.raises(ValueError, match=r"alpha of shape \(1, 2\)"):
        random.dirichlet([[1, 2]])


def test_standard_draws_are_those_of_numpy():
    rng = np.random.default_rng
    assert random.random(3, rng=1).tolist() == rng(1).random(3).tolist()
    assert random.standard_normal((2, 2), rng=1).tolist() == rng(1).standard_normal((2, 2)).tolist()
    assert random.standard_exponential(3, rng=1).tolist() == rng(1).standard_exponential(3).tolist()
    assert random.standard_normal(3, np.float32).dtype == np.float32
    shared = rng(0)
    assert random.normal(rng=shared) != random.normal(rng=shared)


@pytest.mark.parametrize("replace", [True, False])
def test_choice(replace):
    x = np.arange(10.0).reshape(2, 5)
    expected = np.random.default_rng(0).choice(x, 3, replace, axis=1)
    np.testing.assert_array_equal(random.choice(x, 3, replace, axis=1, rng=0), expected)
    np.testing.assert_array_equal(random.choice(ad.Tensor(x), 3, replace, axis=1, rng=0).data, expected)
    np.testing.assert_array_equal(random.choice(5, 3, replace, rng=0), np.random.default_rng(0).choice(5, 3, replace))
    p = [0.1, 0.2, 0.3, 0.2, 0.2]
    expected = np.random.default_rng(0).choice(x, 3, replace, p, axis=1)
    np.testing.assert_array_equal(random.choice(ad.Tensor(x), 3, replace, p, axis=1, rng=0).data, expected)
    check_gradients(lambda x: random.choice(x, 4, axis=1, rng=0), x)
    with pytest.raises(UnsupportedError, match="which entry is drawn has no derivative"):
        random.choice(x, 3, p=ad.Tensor([0.5, 0.5]))


def test_permutation():
    x = np.arange(10.0).reshape(5, 2)
    expected = np.random.default_rng(0).permutation(x)
    np.testing.assert_array_equal(random.permutation(x, rng=0), expected)
    np.testing.assert_array_equal(random.permutation(ad.Tensor(x), rng=0).data, expected)
    assert sorted(random.permutation(ad.Tensor(x), axis=1, rng=0).data[0]) == [0, 1]
    assert sorted(random.permutation(4)) == [0, 1, 2, 3]
    check_gradients(lambda x: random.permutation(x, rng=0), x)
    with pytest.raises(ValueError, match="axis"):
        random.permutation(ad.Tensor(1.0))


def test_a_draw_is_one_row_that_is_never_tracked():
    loc, scale = ad.Tensor([1.0, 2.0]), ad.Tensor(3.0)
    _, spread = random.normal(loc, scale, rng=0).args
    scale_too, z = spread.args
    assert scale_too is scale
    assert z.rule.name == "draw_normal"
    assert not z.requires_grad


def test_draws_under_vmap():
    x = np.linspace(1, 2, 4)
    rng = np.random.default_rng(0)
    y = ad.vmap(lambda a: random.normal(a, 1.0, rng=rng))(x)
    np.testing.assert_allclose(y - x, np.random.default_rng(0).standard_normal(4), rtol=1e-12)


def test_dropout_of_whole_numbers_and_its_probability():
    np.testing.assert_allclose(np.unique(ad.dropout(np.full(50, 3), 0.25, rng=0)), [0, 4])
    assert ad.dropout_mask(np.zeros(9, np.float32), 0.3).dtype == np.float32
    np.testing.assert_array_equal(ad.dropout(ad.Tensor([1.0]), ad.Tensor(1.0, requires_grad=False)).data, 0)
    for f in (ad.dropout, ad.dropout_mask):
        with pytest.raises(ValueError, match=rf"{f.__name__} got p=1.5; it is a probability"):
            f(np.ones(3), 1.5)
        with pytest.raises(UnsupportedError, match="what is dropped has no derivative"):
            f(np.ones(3), ad.Tensor(0.5))
