"""Special functions: derivatives against MPmath, at the edges, and of what is refused."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import UnsupportedError
from autodiff.ops.bessel import bessel_i
from autodiff.ops.families import draw_samples
from autodiff.ops.gammas import gamma, gammaln, polygamma_step
from autodiff.ops.incomplete import beta_density, gamma_density, gamma_transport
from autodiff.testing import check_gradients

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp.clone()
mp.dps = 50


def slopes(f, x, orders=2):
    """``f`` at ``x`` differentiated once, twice, ..."""
    found = []
    for _ in range(orders):
        f = ad.grad(lambda x, f=f: f(x).sum())
        found.append(f(np.asarray(x)))
    return found


SLOPES = {
    "erf": (mp.erf, [-25.0, -3.0, 0.0, 0.3, 5.0]),
    "erfc": (mp.erfc, [-3.0, 0.0, 0.4, 5.0, 25.0]),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), [-5.0, 0.0, 0.4, 3.9, 4.1, 30.0, 300.0]),
    "erfinv": (mp.erfinv, [-0.99, 0.0, 1e-8, 0.5, 0.9999]),
    "ndtr": (mp.ncdf, [-37.0, -5.0, 0.0, 2.0, 9.0]),
    "log_ndtr": (lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), [-1e4, -50.0, -5.0, 0.0, 2.0, 9.0]),
    "gammaln": (lambda x: mp.log(abs(mp.gamma(x))), [-3.5, -0.5, 1e-5, 0.7, 1.0, 2.0, 7.0, 1e3]),
    "gamma": (mp.gamma, [-3.5, -0.5, 1e-5, 0.7, 1.0, 2.0, 7.0, 100.0]),
    "digamma": (mp.digamma, [-3.5, -0.5, 1e-3, 1.4616, 2.0, 7.0, 1e6]),
    "entr": (lambda x: -x * mp.log(x), [1e-9, 0.5, 1.0, 30.0]),
    "logit": (lambda x: mp.log(x / (1 - x)), [1e-9, 0.1, 0.5, 0.999]),
    "i0": (lambda x: mp.besseli(0, x), [-30.0, -1.0, 0.0, 1e-6, 3.0, 24.9, 25.1]),
    "i1": (lambda x: mp.besseli(1, x), [-30.0, -1.0, 0.0, 1e-6, 3.0, 24.9, 25.1]),
    "j0": (lambda x: mp.besselj(0, x), [-30.0, -1.0, 0.0, 1e-6, 3.0]),
    "j1": (lambda x: mp.besselj(1, x), [-30.0, -1.0, 0.0, 1e-6, 3.0]),
}


@pytest.mark.parametrize("name", SLOPES)
def test_first_and_second_derivatives_are_exact(name):
    exact, points = SLOPES[name]
    first, second = slopes(getattr(ad, name), points)
    for x, one, two in zip(points, first, second, strict=True):
        d1, d2 = (mp.diff(exact, mp.mpf(x), n) for n in (1, 2))
        assert abs(mp.mpf(float(one)) - d1) <= 1e-12 * abs(d1) + 1e-30
        assert abs(mp.mpf(float(two)) - d2) <= 1e-9 * abs(d2) + 1e-25


def test_higher_derivatives_at_zero():
    for order in (1, 2, 3, 4, 5):
        expected = float(mp.diff(lambda x: mp.besseli(1, x), 0, order))
        assert slopes(ad.i1, 0.0, order)[-1] == pytest.approx(expected, abs=1e-12)
        expected = float(mp.diff(lambda x: mp.besselj(1, x), 0, order))
        assert slopes(ad.j1, 0.0, order)[-1] == pytest.approx(expected, abs=1e-12)


def grad(f, *args, i=0):
    y, pull = ad.vjp(f, *map(np.asarray, args))
    return pull(np.ones_like(y))[i]


def no_use(f, *args, i=0):
    """The gradient of a result that is not used."""
    y, pull = ad.vjp(f, *map(np.asarray, args))
    return pull(np.zeros_like(y))[i]


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (ad.erfinv, 0.0, np.sqrt(np.pi) / 2),
        (ad.erfinv, 1.0, np.inf),
        (ad.erfinv, -1.0, np.inf),
        (ad.erfcinv, 0.0, -np.inf),
        (ad.ndtri, 0.0, np.inf),
        (ad.ndtri, 1.0, np.inf),
        (ad.logit, 0.0, np.inf),
        (ad.logit, 1.0, np.inf),
        (ad.entr, 0.0, np.inf),
        (ad.entr, -1.0, np.nan),
        (ad.i0, 0.0, 0.0),
        (ad.i1, 0.0, 0.5),
        (ad.i0e, 0.0, 0.0),  # a kink: the subgradient of smallest norm
        (ad.i1e, 0.0, 0.5),
        (ad.gammaln, 0.0, -np.inf),
        (ad.gammaln, -1.0, np.nan),
        (ad.gamma, 0.0, -np.inf),
        (ad.gamma, 172.0, np.inf),
        (ad.digamma, 0.0, np.inf),
        (ad.y0, 0.0, np.inf),
        (ad.k0, 0.0, -np.inf),
        (ad.log_ndtr, np.inf, 0.0),
        (ad.log_ndtr, 40.0, 0.0),
        (ad.erfcx, np.inf, 0.0),
    ],
)
def test_slopes_at_the_edges(f, x, slope):
    assert grad(f, x) == pytest.approx(slope, nan_ok=True)
    assert no_use(f, x) == 0


@pytest.mark.parametrize(
    ("f", "x", "a", "slope_x", "slope_a"),
    [
        (ad.xlogy, 0.0, 0.0, 0, 0),
        (ad.xlogy, 0.0, 2.0, np.log(2), 0),
        (ad.xlogy, 1.0, 0.0, -np.inf, np.inf),
        (ad.xlog1py, 0.0, -1.0, 0, 0),
        (ad.xlog1py, 0.0, 1.0, np.log(2), 0),
        (ad.rel_entr, 0.0, 0.0, 0, 0),
        (ad.rel_entr, 0.0, 1.0, -np.inf, 0),
        (ad.rel_entr, 1.0, 0.0, np.inf, -np.inf),
        (ad.rel_entr, 1.0, -0.0, np.inf, -np.inf),
        (ad.kl_div, 0.0, 0.0, 0, 1),
        (ad.kl_div, 0.0, 1.0, -np.inf, 1),
        (ad.kl_div, 2.0, 2.0, 0, 0),
        (ad.betaln, 1.0, 1e-300, -(np.pi**2) / 6e300, -1e300),
        (ad.beta, 1.0, 1e-20, -(np.pi**2) / 6, -1e40),
        (ad.betaln, 1e8, 1.0, -1e-8, -18.998_125_0),
        (ad.gammainc, 2.0, 0.0, 0, 0),
        (ad.gammainc, 1.0, 0.0, 0, 1),
        (ad.gammainc, 0.5, 0.0, 0, np.inf),
        (ad.gammaincc, 2.0, np.inf, 0, 0),
    ],
)
def test_slopes_of_pairs_at_the_edges(f, x, a, slope_x, slope_a):
    if f is ad.betaln and x > 1:
        slope_a = float(mp.digamma(1) - mp.digamma(x + 1))
    assert grad(f, x, a) == pytest.approx(slope_x, rel=1e-9, abs=0)
    assert grad(f, x, a, i=1) == pytest.approx(slope_a, rel=1e-9, abs=0)
    assert no_use(f, x, a) == no_use(f, x, a, i=1) == 0


def test_the_mixed_derivative_of_xlogy_at_zero():
    for f, a in ((ad.xlogy, 2.0), (ad.xlog1py, 1.0), (ad.rel_entr, -2.0)):
        mixed = ad.grad(lambda x, f=f, a=a: ad.grad(lambda a: f(x, a))(np.array(abs(a))).sum())(np.array(0.0))
        assert mixed == pytest.approx(1 / (1 + a) if f is ad.xlog1py else 1 / a)


def test_second_slopes_of_incomplete_functions_at_zero():
    for a, second in ((1.0, -1), (2.0, 1), (3.0, 0), (1.5, np.inf)):
        assert slopes(lambda x, a=a: ad.gammainc(a, x), 0.0)[1] == pytest.approx(second)
    for a, b, x, second in ((2, 3, 0.0, 12), (1, 3, 0.0, -6), (3, 2, 1.0, -12), (3, 1, 1.0, 6), (1, 1, 0.0, 0)):
        assert slopes(lambda x, a=a, b=b: ad.betainc(a, b, x), x)[1] == pytest.approx(second)


@pytest.mark.parametrize("a", [1e-2, 0.3, 1.0, 2.5, 40.0, 1e4])
def test_incomplete_gamma_functions_with_respect_to_their_parameter(a):
    for x in (a * 0.2, a * (1 - 1e-3), a + 2 * np.sqrt(a), a * 3 + 1):
        exact = mp.diff(lambda s, x=x: mp.gammainc(s, 0, x, regularized=True), mp.mpf(a))
        assert grad(ad.gammainc, a, x) == pytest.approx(float(exact), rel=1e-11, abs=1e-300)
        assert grad(ad.gammaincc, a, x) == pytest.approx(-float(exact), rel=1e-11, abs=1e-300)


def test_densities_are_exact_for_large_parameters():
    for a, x in ((1e7, 1.001e7), (300.0, 200.0), (19.9, 30.0), (0.01, 5.0), (1e3, 1e-3)):
        exact = mp.exp((mp.mpf(a) - 1) * mp.log(x) - x - mp.loggamma(a))
        assert gamma_density(a, x) == pytest.approx(float(exact), rel=1e-11)
    for a, b, x in ((1e7, 3.0, 1 - 1e-7), (3.0, 1e7, 1e-7), (1e6, 1e6, 0.5001), (0.1, 1e5, 1e-6), (2.0, 3.0, 0.1)):
        a, b, x = map(mp.mpf, (a, b, x))
        exact = mp.exp((a - 1) * mp.log(x) + (b - 1) * mp.log(1 - x) - mp.log(mp.beta(a, b)))
        assert beta_density(float(a), float(b), float(x)) == pytest.approx(float(exact), rel=1e-11)


def test_differences_of_polygammas_do_not_cancel():
    for order in (0, 1, 3):
        for a, b in ((5.0, 1e-12), (1e9, 1.0), (0.01, 3.0), (2.0, -1.5), (-0.5, 0.2)):
            exact = mp.psi(order, mp.mpf(a) + mp.mpf(b)) - mp.psi(order, mp.mpf(a))
            assert polygamma_step(a, b, order) == pytest.approx(float(exact), rel=1e-13)


def test_transport_keeps_the_probability_below():
    x = np.array([1e-3, 0.2, 1.0, 7.0, 30.0])
    y = gamma_transport(x, 2.0, 5.0)
    np.testing.assert_allclose(ad.gammaincc(5.0, y), ad.gammaincc(2.0, x), rtol=1e-12)
    np.testing.assert_allclose(ad.gammainc(5.0, y), ad.gammainc(2.0, x), rtol=1e-12)
    assert gamma_transport(x, 2.0, 2.0).tolist() == x.tolist()


@pytest.mark.parametrize(
    ("f", "about"),
    [
        (lambda n: ad.polygamma(n, 2.0), "polygamma was to be differentiated with respect to the order"),
        (lambda x: ad.zeta(x, 2.0), "zeta was to be differentiated with respect to x"),
        (lambda a: ad.betainc(a, 2.0, 0.5), "betainc was to be differentiated with respect to a"),
        (lambda b: ad.betainc(2.0, b, 0.5), "betainc was to be differentiated with respect to b"),
        (lambda v: ad.jv(v, 2.0), "jv was to be differentiated with respect to the order"),
        (lambda v: ad.kve(v, 2.0), "kve was to be differentiated with respect to the order"),
    ],
)
def test_what_has_no_derivative_is_refused(f, about):
    assert np.isfinite(f(2.0))
    for x in (np.array(2.0), 2.0):
        with pytest.raises(UnsupportedError, match=f"{about}.*plain number or array"):
            ad.grad(f)(x)
        with pytest.raises(UnsupportedError, match=about):
            ad.jvp(f, (x,), (1.0,))


def test_the_rest_can_be_differentiated_beside_what_cannot():
    x = np.array([0.2, 0.7])
    check_gradients(lambda x: ad.polygamma([[1], [2]], x), x)
    check_gradients(lambda x: ad.betainc(2, 3.5, x), x)
    check_gradients(lambda q: ad.zeta(3, q), x)
    check_gradients(lambda x: ad.jn(2, x) + ad.yn(1, x) + ad.kn(1, x), x)
    check_gradients(lambda x: ad.iv(0.5, x) + ad.jv(2.5, x), x)
    check_gradients(lambda a: ad.multigammaln(a, 3), x + 3)


def test_odd_functions_of_negative_numbers():
    check_gradients(lambda x: ad.i0e(x) + ad.i1e(x) + bessel_i(x, 3), np.array([-2.0, -0.5, 1.5]))


def test_halves_and_whole_numbers():
    x = ad.Tensor(np.array([0.5, 2.0], np.float16))
    y = gammaln(x)
    y.sum().backward()
    assert y.dtype == np.float64
    assert x.grad.dtype == np.float16
    assert gamma([3, 4]).tolist() == [2.0, 6.0]
    assert gamma(ad.Tensor([3, 4], requires_grad=False)).data.tolist() == [2.0, 6.0]


def test_samples_of_constants_are_whole():
    assert all(point.args[0].dtype.kind == "i" for point in draw_samples(ad.jv.rule))
