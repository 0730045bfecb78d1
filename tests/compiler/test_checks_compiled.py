"""Checks are made again at each compiled call, and what numbers decided at the first call is not taken for good."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.nn import functional

X = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6]])
ONES = np.ones(3)
MINUS = np.array([1.0, -1.0, 1.0])
FLAT = np.array([0.5, 0.0, 1.0])

BAD = {
    "cross_entropy below": (lambda x, k: ad.cross_entropy(x, k), (X, np.array([0, 2])), (X, np.array([0, -1]))),
    "cross_entropy above": (lambda x, k: ad.cross_entropy(x, k), (X, np.array([0, 2])), (X, np.array([0, 3]))),
    "binary cross-entropy": (functional.binary_cross_entropy_with_logits, (X, X > 0), (X, 2 * (X > 0))),
    "hinge loss": (functional.hinge_loss, (X, np.sign(X)), (X, 0 * X)),
    "normal": (lambda s: ad.random.normal(0.0, s), (ONES,), (MINUS,)),
    "normal of a number": (lambda s: ad.random.normal(ONES, s), (1.0,), (-1.0,)),
    "lognormal": (lambda s: ad.random.lognormal(0.0, s), (ONES,), (MINUS,)),
    "uniform": (lambda a, b: ad.random.uniform(a, b), (-ONES, ONES), (ONES, MINUS)),
    "uniform without end": (lambda a, b: ad.random.uniform(a, b), (-ONES, ONES), (-ONES, np.inf * ONES)),
    "exponential": (lambda s: ad.random.exponential(s), (ONES,), (MINUS,)),
    "rayleigh": (lambda s: ad.random.rayleigh(s), (ONES,), (MINUS,)),
    "weibull": (lambda a: ad.random.weibull(a), (ONES,), (MINUS,)),
    "pareto": (lambda a: ad.random.pareto(a), (ONES,), (FLAT,)),
    "power": (lambda a: ad.random.power(a), (ONES,), (FLAT,)),
    "gamma": (lambda a, s: ad.random.gamma(a, s), (ONES, ONES), (ONES, MINUS)),
    "chisquare": (lambda a: ad.random.chisquare(a), (ONES,), (FLAT,)),
    "standard_t": (lambda a: ad.random.standard_t(a), (ONES,), (FLAT,)),
    "beta": (lambda a, b: ad.random.beta(a, b), (ONES, ONES), (ONES, FLAT)),
    "dirichlet": (lambda a: ad.random.dirichlet(a), (ONES,), (MINUS,)),
    "bernoulli": (lambda p: ad.random.bernoulli(p), (FLAT,), (2 * FLAT,)),
    "gumbel_softmax": (lambda x, tau: ad.random.gumbel_softmax(x, tau), (X, 0.5), (X, 0.0)),
    "dropout": (lambda x, p: ad.dropout(x, p), (X, 0.5), (X, 1.5)),
    "quantile": (lambda x, q: ad.quantile(x, q), (X, 0.5), (X, 1.5)),
    "average": (lambda x, w: ad.average(x, 1, w), (X, ONES), (X, np.array([1.0, -1.0, 0.0]))),
    "cov": (lambda x, w: ad.cov(x, aweights=w), (X, ONES), (X, MINUS)),
    "cov of parts": (lambda x, n: ad.cov(x, fweights=n), (X, ONES), (X, FLAT)),
    "multigammaln": (lambda a: ad.multigammaln(a, 2), (ONES,), (FLAT,)),
    "interp": (lambda x, p: ad.interp(x, ONES.cumsum(), ONES, period=p), (X, 4.0), (X, 0.0)),
    "geomspace": (lambda a: ad.geomspace(a, 2.0, 3), (ONES,), (FLAT,)),
}


@pytest.mark.parametrize(("f", "good", "bad"), BAD.values(), ids=list(BAD))
def test_a_bad_value_raises_at_a_later_call(f, good, bad):
    compiled = ad.compile(f)
    compiled(*good)
    with pytest.raises(Exception) as expected:
        f(*bad)
    with pytest.raises(type(expected.value)) as found:
        compiled(*bad)
    assert str(found.value) == str(expected.value)
    compiled(*good)


POINTS = {
    "a polynomial with a leading zero": (lambda p: ad.polymul(p, p), ONES, np.array([0.0, 2.0, 1.0])),
    "a remainder of lower degree": (lambda u: ad.polydiv(u, [1.0, 1.0])[1], MINUS, np.array([1.0, 2.0, 1.0])),
    "a number out of reach": (lambda k: ad.bincount(k, minlength=3), np.array([0, 2, 2]), np.array([0, 4, 4])),
    "a lower rank": (lambda b: lstsq(b)[1], np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0])),
    "the rank itself": (lambda b: lstsq(b)[2], np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0])),
    "complex eigenvalues": (lambda b: abs(ad.linalg.eigvals(turning(b))), FLAT, 1 - 3 * FLAT),
    "complex eigenvectors": (lambda b: abs(ad.linalg.eig(turning(b))[1]), FLAT, 1 - 3 * FLAT),
    "a tiny norm": (lambda x: ad.linalg.norm(x, 3), ONES, 1e-105 * MINUS),
    "a sum that overflows": (lambda x: ad.logsumexp(x), ONES, np.array([-np.inf, -np.inf, -np.inf])),
}


def lstsq(b):
    return ad.linalg.lstsq(ad.stack([np.ones(3), b], axis=1), np.arange(3.0))


def turning(b):
    return ad.diag(ad.append(b, b[:1])) + np.diag([1.0, 1.0, 1.0], 1) + ad.diag(b, -1) * 2


@pytest.mark.parametrize(("f", "first", "second"), POINTS.values(), ids=list(POINTS))
def test_another_way_at_a_later_call(f, first, second):
    compiled = ad.compile(f)
    for x in (first, second, first):
        found, expected = compiled(x), f(x)
        assert (np.shape(found), np.asarray(found).dtype) == (np.shape(expected), np.asarray(expected).dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in POINTS if name not in ("a number out of reach", "the rank itself")])
def test_gradients_another_way(name):
    f, first, second = POINTS[name]
    compiled = ad.grad(ad.compile(lambda x: f(x).sum()))
    for x in (first, second, first):
        np.testing.assert_allclose(compiled(x), ad.grad(lambda x: f(x).sum())(x), rtol=1e-12)


def test_a_power_that_turns_complex():
    compiled = ad.compile(lambda x, p: abs(x**p) * 3)
    for x, p in ((4.0, 0.5), (-8.0, 0.5), (-8.0, 2.0), (9.0, 0.5)):
        ours, theirs = (ad.Value(x), ad.Value(p)), (ad.Value(x), ad.Value(p))
        compiled(*ours).backward()
        (abs(theirs[0] ** theirs[1]) * 3).backward()
        assert repr([v.grad for v in ours]) == repr([v.grad for v in theirs])
