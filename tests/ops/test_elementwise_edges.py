"""Derivatives of entry-by-entry ops where formulas overflow, cancel, or do not apply; and in the complex plane."""

import math

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing import check_gradients

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")

inf, nan, pi = math.inf, math.nan, math.pi


def slopes(f, *args):
    """The gradients in reverse; forward mode gives the same, a hard zero stays 0, and neighbours change nothing."""
    args = [np.array(a) for a in args]
    y, pull = ad.vjp(f, *args)
    found = [np.asarray(c) for c in pull(np.ones_like(y))]
    for k, c in enumerate(found):
        tangents = tuple(np.ones_like(a) if i == k else np.zeros_like(a) for i, a in enumerate(args))
        np.testing.assert_array_equal(ad.jvp(f, tuple(args), tangents)[1], c)
    assert all(np.all(c == 0) for c in pull(np.zeros_like(y)))
    beside = ad.vjp(f, *(np.array([a, 0.7]) for a in args))[1](np.array([1.0, 1.0]))
    np.testing.assert_array_equal([c[0] for c in beside], found)
    return [c.item() for c in found]


ONE = [
    ("sqrt", 0.0, inf),
    ("sqrt", inf, 0),
    ("cbrt", 0.0, inf),
    ("cbrt", -0.0, inf),
    ("cbrt", -8.0, 1 / 12),
    ("cbrt", -inf, 0),
    ("log", 0.0, inf),
    ("log", inf, 0),
    ("log1p", -1.0, inf),
    ("log2", 1e308, 1 / math.log(2) / 1e308),
    ("log10", 1e308, 1 / math.log(10) / 1e308),
    ("exp", -inf, 0),
    ("exp", 1000.0, inf),
    ("tanh", 1000.0, 0),
    ("tanh", -inf, 0),
    ("sinh", 1000.0, inf),
    ("cosh", -1000.0, -inf),
    ("arcsin", 1.0, inf),
    ("arcsin", -1.0, inf),
    ("arccos", 1.0, -inf),
    ("arccos", -1.0, -inf),
    ("arcsin", 1 - 2**-53, 1 / math.sqrt(2**-53 * (2 - 2**-53))),
    ("arctanh", 1.0, inf),
    ("arctanh", -1.0, inf),
    ("arctanh", 2**-53 - 1, 1 / (2**-53 * (2 - 2**-53))),
    ("arctan", inf, 0),
    ("arctan", 1e200, 0),
    ("arcsinh", 1e200, 1e-200),
    ("arcsinh", -1e200, 1e-200),
    ("arcsinh", inf, 0),
    ("arccosh", 1.0, inf),
    ("arccosh", 1e200, 1e-200),
    ("arccosh", inf, 0),
    ("absolute", 0.0, 0),
    ("absolute", -0.0, 0),
    ("absolute", -inf, -1),
    ("fabs", -0.0, 0),
    ("sign", -3.0, 0),
    ("reciprocal", 0.0, -inf),
    ("reciprocal", 1e200, 0),
    ("sinc", 0.0, 0),
    ("sinc", 1.0, -1),
    ("sinc", 1e-8, -pi * pi / 3 * 1e-8),
    ("sinc", 1e6, 1e-6),
    ("relu", 0.0, 0),
    ("relu", inf, 1),
    ("sigmoid", 1000.0, 0),
    ("sigmoid", -inf, 0),
    ("log_sigmoid", -1000.0, 1),
    ("log_sigmoid", -inf, 1),
    ("log_sigmoid", inf, 0),
    ("softplus", 0.0, 0.5),
    ("softplus", inf, 1),
    ("softplus", -1000.0, 0),
    ("silu", inf, 1),
    ("silu", -inf, 0),
    ("silu", -1000.0, 0),
    ("gelu", inf, 1),
    ("gelu", -inf, 0),
    ("gelu", 1e200, 1),
    ("elu", 0.0, 1),
    ("elu", -40.0, math.exp(-40)),
    ("elu", inf, 1),
    ("elu", -inf, 0),
    ("leaky_relu", 0.0, 0.01),
    ("nan_to_num", nan, 0),
    ("nan_to_num", inf, 0),
    ("modf", -2.5, 1),
    ("floor", inf, 0),
]


@pytest.mark.parametrize(("name", "x", "slope"), ONE)
def test_of_one_argument(name, x, slope):
    op = getattr(ad, name)
    f = (lambda x: op(x)[0]) if name == "modf" else op
    np.testing.assert_allclose(slopes(f, x), [slope], rtol=4e-16 if np.isfinite(slope) else 0, atol=0)


TWO = [
    ("power", (0.0, 0.0), (0, 0)),
    ("power", (0.0, 1.0), (1, 0)),
    ("power", (0.0, 2.0), (0, 0)),
    ("power", (0.0, 0.5), (inf, 0)),
    ("power", (0.0, -1.0), (-inf, -inf)),
    ("power", (-2.0, 3.0), (12, nan)),
    ("power", (inf, 0.0), (0, inf)),
    ("power", (inf, 2.0), (inf, inf)),
    ("power", (inf, -1.0), (0, 0)),
    ("power", (0.5, inf), (0, 0)),
    ("power", (2.0, -inf), (0, 0)),
    ("power", (nan, 0.0), (0, nan)),
    ("divide", (1.0, 0.0), (inf, -inf)),
    ("divide", (1.0, -inf), (0, 0)),
    ("divide", (1e-200, 1e-200), (1e200, -1e200)),
    ("remainder", (-5.0, 3.0), (1, 2)),
    ("remainder", (1.0, inf), (1, 0)),
    ("remainder", (1.0, 0.0), (1, -inf)),
    ("fmod", (-5.0, 3.0), (1, 1)),
    ("fmod", (5.0, -3.0), (1, 1)),
    ("fmod", (1.0, 0.1), (1, -9)),
    ("fmod", (1.0, inf), (1, 0)),
    ("fmod", (1.0, 0.0), (1, -inf)),
    ("floor_divide", (1.0, 0.0), (0, 0)),
    ("maximum", (nan, 1.0), (1, 0)),
    ("minimum", (1.0, nan), (0, 1)),
    ("maximum", (0.0, -0.0), (0.5, 0.5)),
    ("fmax", (nan, 1.0), (0, 1)),
    ("fmin", (1.0, nan), (1, 0)),
    ("fmax", (2.0, 2.0), (0.5, 0.5)),
    ("fmin", (nan, nan), (0.5, 0.5)),
    ("hypot", (0.0, 0.0), (0, 0)),
    ("hypot", (inf, 1.0), (1, 0)),
    ("hypot", (1.0, -inf), (0, -1)),
    ("hypot", (inf, inf), (0.5, 0.5)),
    ("hypot", (3e200, -4e200), (0.6, -0.8)),
    ("hypot", (3e-200, 4e-200), (0.6, 0.8)),
    ("arctan2", (0.0, 0.0), (0, 0)),
    ("arctan2", (3e200, 4e200), (1.6e-201, -1.2e-201)),
    ("arctan2", (3e-200, 4e-200), (1.6e199, -1.2e199)),
    ("arctan2", (1.0, inf), (0, 0)),
    ("arctan2", (-inf, 1.0), (0, 0)),
    ("arctan2", (-0.0, -1.0), (-1, 0)),
    ("logaddexp", (inf, 1.0), (1, 0)),
    ("logaddexp", (inf, inf), (0.5, 0.5)),
    ("logaddexp", (-inf, -inf), (0, 0)),
    ("logaddexp", (-inf, 1.0), (0, 1)),
    ("logaddexp", (1e9 + 1, 1e9), (1 / (1 + math.exp(-1)), 1 / (1 + math.e))),
    ("logaddexp2", (inf, inf), (0.5, 0.5)),
    ("logaddexp2", (-50.0, 0.0), (1 / (1 + 2.0**50), 1 / (1 + 2.0**-50))),
    ("copysign", (0.0, -1.0), (0, 0)),
    ("copysign", (2.0, -0.0), (-1, 0)),
    ("copysign", (-2.0, -3.0), (1, 0)),
    ("heaviside", (0.0, 0.5), (0, 1)),
    ("heaviside", (2.0, 0.5), (0, 0)),
]


@pytest.mark.parametrize(("name", "at", "expected"), TWO)
def test_of_two_arguments(name, at, expected):
    np.testing.assert_allclose(slopes(getattr(ad, name), *at), expected, rtol=4e-16, atol=0)


@pytest.mark.parametrize("alpha", [-0.5, 0.0, 0.5, 2.0])
def test_kinks_have_the_slope_of_smallest_size(alpha):
    expected = min(max(alpha, 0), 1)
    assert slopes(lambda x: ad.leaky_relu(x, alpha), 0.0) == [expected]
    assert slopes(lambda x: ad.elu(x, alpha), 0.0) == [expected]


CLIPPED = [(-1.0, 0, 1, 0), (0.0, 0, 1, 0), (0.5, 1, 0, 0), (1.0, 0, 0, 1), (2.0, 0, 0, 1)]


@pytest.mark.parametrize(("x", "slope", "low", "high"), CLIPPED)
def test_bounds_get_what_the_clipped_number_does_not(x, slope, low, high):
    assert slopes(ad.clip, x, 0.0, 1.0) == [slope, low, high]
    assert slopes(lambda x, low: ad.clip(x, low, None), x, 0.0) == [1 - low, low]
    assert slopes(lambda x, high: ad.clip(x, None, high), x, 1.0) == [1 - high, high]
    assert slopes(lambda x: ad.clip(x, x, x), x) == [1]
    assert slopes(ad.clip, x, 3.0, 1.5) == [0, 0, 1]  # the upper bound wins


POWERS = [(0, 0, 0), (1, 0, 0), (2, 2, 0), (3, 0, 6), (4, 0, 0)]


@pytest.mark.parametrize(("p", "second", "third"), POWERS)
@pytest.mark.parametrize("kind", [int, float])
def test_higher_derivatives_of_a_power_at_zero(p, second, third, kind):
    f = lambda x: x ** kind(p)  # noqa: E731
    assert ad.derivative(f, 0.0, n=2) == second
    assert ad.derivative(f, 0.0, n=3) == third
    assert np.array_equal(ad.hessian(f)(np.array(0.0)), second)


def test_second_derivatives_of_powers_do_not_depend_on_their_neighbours():
    p = np.arange(5)
    hessian = ad.hessian(lambda x: (x**p).sum())(np.zeros(5))
    np.testing.assert_array_equal(np.diag(hessian), [0, 0, 2, 0, 0])


def test_powers_with_huge_whole_exponents_and_constant_bases():
    assert slopes(lambda x: x ** (10**20), 1.0) == [1e20]
    assert ad.grad(lambda p: (-2.0) ** p)(np.array(2.0)) != ad.grad(lambda p: (-2.0) ** p)(np.array(2.0))
    p = ad.Tensor(np.float32([1.5, 2.5]))
    (2.0**p).sum().backward()
    assert p.grad.dtype == np.float32
    np.testing.assert_allclose(p.grad, np.log(2) * 2 ** np.array([1.5, 2.5]), rtol=1e-6)


def test_derivatives_of_sinc():
    assert ad.derivative(ad.sinc, 0.0, n=1) == 0
    assert ad.derivative(ad.sinc, 0.0, n=2) == pytest.approx(-(pi**2) / 3, rel=1e-15)
    assert ad.derivative(ad.sinc, 0.0, n=3) == 0
    assert ad.derivative(ad.sinc, 0.0, n=4) == pytest.approx(pi**4 / 5, rel=1e-15)
    mpmath = pytest.importorskip("mpmath")
    x = np.array([1e-12, 1e-4, 0.3, 0.63, 0.64, 0.95, 0.96, 1.27, 1.28, 5.25, 1e4 + 0.25])
    with mpmath.workdps(40):
        for n in (1, 2, 3):
            exact = [float(mpmath.diff(mpmath.sincpi, mpmath.mpf(float(v)), n)) for v in x]
            f = ad.sinc
            for _ in range(n):
                f = ad.grad(lambda x, f=f: f(x).sum())
            np.testing.assert_allclose(f(x), exact, rtol=2e-13, atol=1e-15)


def test_smooth_functions_of_the_tails():
    x = np.array([-800.0, -40.0, -3.0, 0.0, 3.0, 40.0, 800.0])
    for op in (ad.sigmoid, ad.log_sigmoid, ad.softplus, ad.silu, ad.gelu, ad.elu, lambda x: ad.gelu(x, "tanh")):
        assert np.all(np.isfinite(ad.grad(lambda x, op=op: op(x).sum())(x)))
        assert np.all(np.isfinite(ad.hessian(lambda x, op=op: op(x).sum())(x)))
    np.testing.assert_array_equal(ad.silu(np.array([-inf, inf])), [0, inf])
    np.testing.assert_array_equal(ad.gelu(np.array([-inf, inf])), [0, inf])
    np.testing.assert_array_equal(ad.gelu(np.array([-inf, inf]), "tanh"), [0, inf])
    np.testing.assert_array_equal(ad.sigmoid(np.array([5], np.uint8)), ad.sigmoid(np.array([5.0])))
    np.testing.assert_array_equal(ad.log_sigmoid(np.array([5], np.uint8)), ad.log_sigmoid(np.array([5.0])))


def on_the_cut(re, im):
    """A complex number with the signs of zero that were asked for."""
    z = np.empty((), complex)
    z.real, z.imag = re, im
    return z


CUTS = [(x, zero) for x in (-3.0, -0.5, 0.5, 3.0) for zero in (0.0, -0.0)]
ANALYTIC = """sqrt log log2 log10 log1p arcsin arccos arctan arcsinh arccosh arctanh exp exp2 expm1 sin cos tan sinh
    cosh tanh reciprocal sigmoid silu sinc"""


@pytest.mark.parametrize("name", ANALYTIC.split())
def test_slopes_on_both_sides_of_a_branch_cut(name):
    """Along the cut the function is smooth; the sign of zero says on which side of it a point lies."""
    op, h = getattr(ad, name), 1e-5
    for x, zero in CUTS:
        for point, step in ((on_the_cut, 1), (lambda x, zero: on_the_cut(zero, x), 1j)):
            numeric = (op(point(x + h, zero)) - op(point(x - h, zero))) / (2 * h * step)
            pushed = ad.jvp(op, (point(x, zero),), (np.array(1 + 0j),))[1]
            np.testing.assert_allclose(pushed, numeric, rtol=1e-8, err_msg=f"{name} at {point(x, zero)}")
            pulled = ad.vjp(op, point(x, zero))[1](np.array(1 + 0j))[0]
            np.testing.assert_allclose(pulled, np.conj(pushed), rtol=1e-14)


INVERSES = {
    "arcsin": lambda z, sqrt: 1 / (sqrt(1 - z) * sqrt(1 + z)),
    "arccos": lambda z, sqrt: -1 / (sqrt(1 - z) * sqrt(1 + z)),
    "arctan": lambda z, sqrt: 1 / (1 + z * z),
    "arcsinh": lambda z, sqrt: 1 / (sqrt(1 + 1j * z) * sqrt(1 - 1j * z)),
    "arccosh": lambda z, sqrt: 1 / (sqrt(z - 1) * sqrt(z + 1)),
    "arctanh": lambda z, sqrt: 1 / (1 - z * z),
}


@pytest.mark.parametrize("name", INVERSES)
@pytest.mark.parametrize("z", [1e200 + 1e200j, -1e200 + 3j, 2 - 1e160j, 1 + 1e-9j, 1e-9 + 1j, -1 - 1e-9j])
def test_slopes_of_inverse_functions_far_out_and_near_branch_points(name, z):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        exact = complex(INVERSES[name](mpmath.mpc(z), mpmath.sqrt))
    found = ad.jvp(getattr(ad, name), (np.array(z),), (np.array(1 + 0j),))[1]
    np.testing.assert_allclose(found, exact, rtol=1e-14, atol=1e-300)


PARTS = [
    ("absolute", 0j, 0),
    ("absolute", 3 + 4j, 0.6 + 0.8j),
    ("absolute", 3e200 - 4e200j, 0.6 - 0.8j),
    ("angle", 0j, 0),
    ("angle", 3 + 4j, -0.16 + 0.12j),
    ("angle", 3e-200 + 4e-200j, -1.6e199 + 1.2e199j),
    ("real", 1 + 2j, 1),
    ("imag", 1 + 2j, 1j),
    ("sign", 0j, 0),
]


@pytest.mark.parametrize(("name", "z", "expected"), PARTS)
def test_parts_of_complex_numbers(name, z, expected):
    y, pull = ad.vjp(getattr(ad, name), np.array(z))
    np.testing.assert_allclose(pull(np.ones_like(y))[0], expected, rtol=4e-16)


def test_complex_numbers_in_numpys_order():
    a, b = np.array([1 + 2j, 1 + 2j, 0 - 1j]), np.array([1 + 1j, 1 + 2j, 2j])
    for op, at_a in ((ad.maximum, [1, 0.5, 0]), (ad.minimum, [0, 0.5, 1]), (ad.fmax, [1, 0.5, 0])):
        _, pull = ad.vjp(op, a, b)
        by_a, by_b = pull(np.ones(3, complex))
        np.testing.assert_array_equal(by_a, at_a)
        np.testing.assert_array_equal(by_b, 1 - by_a)
        assert op(ad.Value(1 + 2j), 1 + 1j).data == op(a, b)[0]
    assert ad.clip(ad.Value(3 + 4j), 0, 2).data == np.clip(3 + 4j, 0, 2)
    z = np.array([1 + 1j, -1 + 1j])
    for f in (ad.relu, ad.elu, ad.leaky_relu, lambda z: ad.clip(z, -2, 0.5), lambda z: ad.where([True, False], z, 0)):
        check_gradients(f, z)


@pytest.mark.parametrize("x", [-2.0, -0.5, 0.5])
def test_real_numbers_to_complex_powers(x):
    check_gradients(lambda x, p: x**p, np.array([x]), np.array([0.5 + 0.3j]), order=1)
    check_gradients(lambda p: x**p, np.array([0.5 + 0.3j]))


def test_complex_powers_of_zero():
    for p, slope in ((0j, 0), (1 + 0j, 1), (2 + 0j, 0)):
        _, pull = ad.vjp(ad.power, np.array(0j), np.array(p))
        assert [complex(c) for c in pull(np.array(1 + 0j))] == [slope, 0]


COMPOSED = {
    "divmod": lambda x: ad.divmod(x, 0.3)[1] * x,
    "float_power": lambda x: ad.float_power(x, 1.7),
    "modf": lambda x: ad.modf(x)[0] * ad.modf(x)[1],
    "clip": lambda x: ad.clip(x, 0.3, x * x) * x,
    "angle in degrees": lambda x: ad.angle(x + 1j * x * x, deg=True),
    "nan_to_num": lambda x: ad.nan_to_num(x) ** 2,
    "ldexp": lambda x: ad.ldexp(ad.sin(x), np.array([1, -2, 3])),
    "round": lambda x: ad.round(x, 1) * x,
}


@pytest.mark.parametrize("f", COMPOSED.values(), ids=list(COMPOSED))
def test_composed_functions(f):
    check_gradients(f, np.array([1.23, 0.57, 2.41]))
    y = f(ad.Tensor(np.float32([1.23, 0.57, 2.41])))
    assert y.dtype == (np.float64 if f is COMPOSED["float_power"] else np.float32)
