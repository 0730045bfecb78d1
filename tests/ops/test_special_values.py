"""Special functions: values against MPmath to a few units in the last place, SciPy's special points, dtypes, errors."""

import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.errors import KindError, MissingExtraError

mpmath = pytest.importorskip("mpmath")
special = pytest.importorskip("scipy.special")
mp = mpmath.mp.clone()
mp.dps = 40

RNG = np.random.default_rng(5)
REAL = np.concatenate([RNG.uniform(-6, 6, 25), RNG.uniform(-26, 26, 10), 10.0 ** RNG.uniform(-200, 0, 5)])
TAILS = np.concatenate([REAL, [0.46875, 4.0, -4.0, -37.0, -30.0]])
POSITIVE = np.concatenate([RNG.uniform(0, 3, 20), RNG.uniform(0, 40, 20), 10.0 ** RNG.uniform(-100, 100, 10)])
NEAR = np.concatenate([POSITIVE, 1 + 10.0 ** -np.arange(2, 15, 3), 2 - 10.0 ** -np.arange(2, 15, 3)])
NEGATIVE = -np.concatenate([RNG.uniform(0, 30, 20), 10.0 ** RNG.uniform(-10, 4, 5)])
UNIT = np.concatenate([RNG.uniform(0, 1, 20), 10.0 ** RNG.uniform(-200, 0, 10), 1 - 10.0 ** RNG.uniform(-15, 0, 10)])


def log_ndtr(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) if x < 0 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)


def ndtri(p):
    y = mp.mpf(float(special.ndtri(float(p))))
    for _ in range(3):
        y -= (mp.ncdf(y) - p) / mp.npdf(y)
    return y


UNARY = {
    "erf": (mp.erf, REAL, 1e-15),
    "erfc": (mp.erfc, REAL, 1e-15),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), np.append(REAL[np.abs(REAL) < 26], [1e3, 1e5]), 1e-15),
    "erfinv": (mp.erfinv, np.concatenate([UNIT, -UNIT]), 1e-15),
    "erfcinv": (lambda x: -ndtri(x / 2) / mp.sqrt(2), 2 * UNIT, 2e-15),
    "ndtr": (mp.ncdf, TAILS, 1e-15),
    "log_ndtr": (log_ndtr, np.append(TAILS, [-100.0, -1e3, 9.0]), 1e-15),
    "ndtri": (ndtri, UNIT, 2e-15),
    "gammaln": (lambda x: mp.log(abs(mp.gamma(x))) if x < 1e6 else mp.loggamma(x), NEAR, 1e-15),
    "gammaln below 0": (lambda x: mp.log(abs(mp.gamma(x))), NEGATIVE, 1e-14),
    "gamma": (mp.gamma, np.append(NEAR[NEAR < 170], [100.3, 171.6]), 1e-15),
    "gamma below 0": (mp.gamma, np.append(NEGATIVE[NEGATIVE > -160], -160.7), 2e-14),
    "digamma": (mp.digamma, np.append(NEAR, 1.4616321449683623 + 10.0 ** -np.arange(2, 15, 3)), 3e-15),
    "digamma below 0": (mp.digamma, NEGATIVE, 1e-13),
    "entr": (lambda x: -x * mp.log(x), POSITIVE, 1e-15),
    "logit": (lambda x: mp.log(x / (1 - x)), UNIT, 1e-14),
    "i0": (lambda x: mp.besseli(0, x), REAL, 1e-15),
    "i1": (lambda x: mp.besseli(1, x), REAL, 3e-15),
    "i0e": (lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), np.append(REAL, 1e4), 3e-15),
    "i1e": (lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), np.append(REAL, 1e4), 3e-15),
}


def assert_exact(found, expected, tolerance):
    for y, e in zip(found, expected, strict=True):
        assert abs(mp.mpf(float(y)) - e) <= tolerance * abs(e), (y, mp.nstr(e, 20))


@pytest.mark.parametrize("name", UNARY)
def test_values_are_exact(name):
    exact, x, tolerance = UNARY[name]
    found = getattr(ad, name.partition(" ")[0])(x)
    assert_exact(found, [exact(mp.mpf(float(v))) for v in x], tolerance)


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


A, B = 10.0 ** RNG.uniform(-3, 3, 40), 10.0 ** RNG.uniform(-3, 8, 40)
BINARY = {
    "xlogy": (lambda x, y: x * mp.log(y), 1e-15),
    "xlog1py": (lambda x, y: x * mp.log1p(y), 1e-15),
    "rel_entr": (lambda x, y: x * mp.log(x / y), 1e-14),
    "kl_div": (lambda x, y: x * mp.log(x / y) - x + y, 1e-14),
    "betaln": (log_beta, 2e-14),
}


@pytest.mark.parametrize("name", BINARY)
def test_values_of_two_arguments_are_exact(name):
    exact, tolerance = BINARY[name]
    found = getattr(ad, name)(A, B)
    assert_exact(found, [exact(mp.mpf(a), mp.mpf(b)) for a, b in zip(A.tolist(), B.tolist(), strict=True)], tolerance)


def test_the_beta_function_is_exact():
    a, b = RNG.uniform(0, 90, 40), RNG.uniform(0, 300, 40)
    expected = [mp.beta(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert_exact(ad.beta(a, b), expected, 2e-13)
    assert_exact(ad.beta(-a, b), [mp.beta(-x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)], 1e-12)
    assert_exact(ad.beta([-0.5], [1e300]), [mp.gamma(-0.5) * mp.mpf(10) ** 150], 1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 5, 30])
def test_polygamma_is_exact(order):
    x = NEAR[(NEAR > 1e-3) & (NEAR < 1e3)]
    assert_exact(ad.polygamma(order, x), [mp.psi(order, mp.mpf(v)) for v in x.tolist()], 3e-15)
    x = NEGATIVE[NEGATIVE < -1e-3]
    assert_exact(ad.polygamma(order, x), [mp.psi(order, mp.mpf(v)) for v in x.tolist()], 1e-13)


EDGES = np.array([0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, np.inf, -np.inf, np.nan, 5e-324, 40, -40, 171.7, 1e300, -180.5])
NAMES_OF_ONE = [
    "erf", "erfc", "erfcx", "erfinv", "erfcinv", "gammaln", "gamma", "digamma", "psi", "gammasgn", "entr", "logit",
    "ndtr", "log_ndtr", "ndtri", "i0e", "i1e", "j0", "j1", "y0", "y1", "k0", "k1", "k0e", "k1e",
]  # fmt: skip
SINGLE_FOR_HALF = {"erfinv", "erfcinv", "ndtri", "entr", "rel_entr", "kl_div", "jv", "yv", "iv", "kv", "ive", "kve"}
OUR_LIMITS = {("gammaln", 5e-324), ("erfinv", 5e-324), ("i1e", 5e-324)}  # SciPy's overflows or underflows there


@pytest.mark.parametrize("name", NAMES_OF_ONE)
def test_special_points_are_those_of_scipy(name):
    x = np.array([v for v in EDGES if (name, v) not in OUR_LIMITS])
    np.testing.assert_allclose(getattr(ad, name)(x), getattr(special, name)(x), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py", "rel_entr"])
def test_special_pairs_are_those_of_scipy(name):
    x, y = np.meshgrid(EDGES, EDGES)
    np.testing.assert_allclose(getattr(ad, name)(x, y), getattr(special, name)(x, y), rtol=1e-13, atol=0)


def test_kl_div_and_beta_at_special_pairs():
    x, y = np.meshgrid([0.0, 1, -1, 2, 0.5, np.inf, np.nan], [0.0, 1, -1, 2, np.inf, np.nan])
    np.testing.assert_allclose(ad.kl_div(x, y), special.kl_div(x, y), rtol=1e-13)
    a, b = np.array([(-3, 2), (-3, 5), (-3, 1.5), (-0.5, 0.5), (0, 1), (0, 0), (np.inf, 1), (-3, 3), (-3, 0), (1, 1)]).T
    np.testing.assert_allclose(ad.beta(a, b), special.beta(a, b), rtol=1e-13)
    np.testing.assert_allclose(ad.betaln(a, b), special.betaln(a, b), rtol=1e-13)


def test_factorials_are_exact():
    assert ad.gamma(np.arange(1.0, 20)).tolist() == [float(mpmath.factorial(n)) for n in range(19)]


@pytest.mark.parametrize("name", NAMES_OF_ONE)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "bool"])
def test_dtypes_are_those_of_scipy(name, dtype):
    ours, theirs = getattr(ad, name), getattr(special, name)
    x = np.ones(3, dtype)
    assert ours(x).dtype == theirs(x).dtype
    assert np.ndim(ours(x[0])) == 0
    assert ours(1.0) == pytest.approx(theirs(1.0))


@pytest.mark.parametrize("name", ["xlogy", "rel_entr", "kl_div", "beta", "betaln", "gammainc", "gammaincc", "jv", "kv"])
def test_dtypes_of_pairs_are_those_of_scipy(name):
    ours, theirs = getattr(ad, name), getattr(special, name)
    for one in ("float16", "float32", "float64", "int8", "int64"):
        for other in (np.ones(3, "float32"), np.ones(3), *([1.0, 1] if name in SINGLE_FOR_HALF else [])):
            x = np.ones(3, one)
            assert ours(x, other).dtype == theirs(x, other).dtype, (one, getattr(other, "dtype", other))
    assert ours(np.ones(3, "float32"), 1.0).dtype == np.float32  # SciPy's own answers differ


@pytest.mark.parametrize("name", NAMES_OF_ONE)
def test_complex_and_extended_numbers_are_refused(name):
    op = getattr(ad, name)
    for x in (1 + 1j, np.array([1j]), ad.Tensor([1j]), ad.Value(1j)):
        with pytest.raises(KindError, match="complex numbers"):
            op(x)
    if np.dtype(np.longdouble).itemsize > 8:
        with pytest.raises(KindError, match="computed in double precision"):
            op(np.ones(2, np.longdouble))
    with pytest.raises(KindError, match="data of dtype"):
        op(np.array(["a"]))


@pytest.mark.parametrize("name", [*NAMES_OF_ONE, "i0", "i1", "expit", "log_expit"])
def test_scipy_speaks_to_tensors_and_values(name):
    x = np.array([0.3, 0.6])
    y = getattr(special, name)(ad.Tensor(x))
    np.testing.assert_allclose(y.data, getattr(special, name)(x), rtol=1e-13)
    y.sum().backward()
    assert getattr(special, name)(ad.Value(0.3)).data == pytest.approx(getattr(special, name)(0.3))


@pytest.mark.parametrize(
    "name",
    ["xlogy", "xlog1py", "rel_entr", "kl_div", "beta", "betaln", "gammainc", "gammaincc", "jv", "jn", "yn", "iv"],
)
def test_scipy_speaks_to_pairs(name):
    x = np.array([0.3, 0.6])
    y = getattr(special, name)(1, ad.Tensor(x))
    np.testing.assert_allclose(y.data, getattr(special, name)(1, x), rtol=1e-13)


WITHOUT_SCIPY = [
    "erf", "erfc", "erfcx", "erfinv", "erfcinv", "gammaln", "gamma", "digamma", "entr", "logit", "expit",
    "log_expit", "ndtr", "log_ndtr", "ndtri", "i0", "i1", "i0e", "i1e",
]  # fmt: skip


def test_the_common_ones_need_no_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    x = np.array([0.2, 0.7])
    for name in WITHOUT_SCIPY:
        ad.hessian(lambda x, name=name: getattr(ad, name)(x).sum())(x)
    for name in ("xlogy", "xlog1py", "rel_entr", "kl_div", "beta", "betaln"):
        ad.hessian(lambda x, name=name: getattr(ad, name)(x, x + 1).sum())(x)
    ad.grad(lambda x: ad.multigammaln(x + 3, 3).sum())(x)
    ad.grad(lambda a: ad.random.gamma(a, rng=0).sum())(x)
    with pytest.raises(MissingExtraError, match=r"ad.gammainc needs the package scipy.*autodiff-tape\[scipy\]"):
        ad.gammainc(1.0, 2.0)


def test_multigammaln():
    a = np.array([[2.5, 3.0], [4.0, 10.0]])
    for d in (1, 2, 4):
        np.testing.assert_allclose(ad.multigammaln(a, d), special.multigammaln(a, d), rtol=1e-13)
    assert ad.multigammaln(a.astype(np.float32), 2).dtype == np.float32
    assert ad.multigammaln([3], 2) == pytest.approx(special.multigammaln([3], 2))
    for bad, d in ((a, 1.5), (a, 0), (a, [1]), (a, 8)):
        with pytest.raises(ValueError, match="multigammaln"):
            ad.multigammaln(bad, d)


def test_zeta():
    x = np.array([0.5, 0.0, -2.5, 2.0, 30.0])
    np.testing.assert_allclose(ad.zeta(x), special.zeta(x))
    np.testing.assert_allclose(ad.zeta([2, 3.5], [0.5, 7]), special.zeta([2, 3.5], [0.5, 7]))
    with pytest.raises(ad.errors.UnsupportedError, match="no formula for its derivative with respect to x"):
        ad.zeta(ad.Tensor(x))


def test_numbers_of_mpmath_stay_exact():
    with mpmath.workdps(30):
        x = mpmath.mpf(1) / 3
        for name, exact in {
            "erf": mpmath.erf,
            "erfc": mpmath.erfc,
            "erfcx": lambda x: mpmath.exp(x * x) * mpmath.erfc(x),
            "erfinv": mpmath.erfinv,
            "erfcinv": lambda x: mpmath.erfinv(1 - x),
            "ndtr": mpmath.ncdf,
            "log_ndtr": lambda x: mpmath.log(mpmath.ncdf(x)),
            "ndtri": lambda x: mpmath.sqrt(2) * mpmath.erfinv(2 * x - 1),
            "gammaln": mpmath.loggamma,
            "gamma": mpmath.gamma,
            "digamma": mpmath.digamma,
            "entr": lambda x: -x * mpmath.log(x),
            "logit": lambda x: mpmath.log(x / (1 - x)),
            "i0": lambda x: mpmath.besseli(0, x),
            "i1": lambda x: mpmath.besseli(1, x),
            "i0e": lambda x: mpmath.exp(-x) * mpmath.besseli(0, x),
            "j0": mpmath.j0,
            "j1": mpmath.j1,
            "y0": lambda x: mpmath.bessely(0, x),
            "k1": lambda x: mpmath.besselk(1, x),
            "k1e": lambda x: mpmath.exp(x) * mpmath.besselk(1, x),
        }.items():
            v = ad.Value(x)
            y = getattr(ad, name)(v)
            y.backward()
            assert abs(y.data - exact(x)) < 1e-28 * abs(exact(x)), name
            assert abs(v.grad - mpmath.diff(exact, x)) < 1e-20 * abs(mpmath.diff(exact, x)), name


def test_pairs_of_mpmath_numbers_stay_exact():
    with mpmath.workdps(30):
        x, q = mpmath.mpf(1) / 3, mpmath.mpf(5) / 7
        for name, exact in {
            "xlogy": lambda x, q: x * mpmath.log(q),
            "xlog1py": lambda x, q: x * mpmath.log1p(q),
            "rel_entr": lambda x, q: x * mpmath.log(x / q),
            "kl_div": lambda x, q: x * mpmath.log(x / q) - x + q,
            "beta": mpmath.beta,
            "betaln": lambda a, b: mpmath.log(mpmath.beta(a, b)),
        }.items():
            a, b = ad.Value(x), ad.Value(q)
            y = getattr(ad, name)(a, b)
            y.backward()
            assert abs(y.data - exact(x, q)) < 1e-28, name
            assert abs(a.grad - mpmath.diff(exact, (x, q), (1, 0))) < 1e-20, name
            assert abs(b.grad - mpmath.diff(exact, (x, q), (0, 1))) < 1e-20, name
        for name, exact in {
            "polygamma": lambda x: mpmath.psi(2, x),
            "jv": lambda x: mpmath.besselj(2, x),
            "yv": lambda x: mpmath.bessely(2, x),
            "iv": lambda x: mpmath.besseli(2, x),
            "kv": lambda x: mpmath.besselk(2, x),
            "zeta": lambda x: mpmath.zeta(2, x),
            "gammainc": lambda x: mpmath.gammainc(2, 0, x, regularized=True),
            "gammaincc": lambda x: mpmath.gammainc(2, x, regularized=True),
        }.items():
            v = ad.Value(x)
            y = getattr(ad, name)(2, v)
            assert abs(y.data - exact(x)) < 1e-28 * abs(exact(x)), name


def test_numbers_of_sympy_stay_symbolic():
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x", positive=True)
    for name in ("erf", "erfc", "erfcx", "erfinv", "erfcinv", "ndtr", "gammaln", "gamma", "digamma", "entr", "logit"):
        v = ad.Value(x)
        y = getattr(ad, name)(v)
        y.backward()
        assert sympy.simplify(v.grad - sympy.diff(y.data, x)).subs(x, sympy.Rational(1, 3)).n() == pytest.approx(0), (
            name
        )
