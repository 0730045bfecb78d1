"""One number of any kind, and its derivatives in that kind."""

import math
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.rule import TABLE
from autodiff.testing.checks import _apply


def gradient(f, *args):
    values = [ad.Value(a) for a in args]
    y = f(*values)
    y.backward()
    return [v.grad for v in values]


def rational(x, y):
    return (x * y - 3 * x / y) ** 2 + (1 - x) / (2 * y) - -x + y**-2


def test_fractions_stay_exact():
    x, y = Fraction(1, 3), Fraction(-2, 7)
    c = gradient(rational, x, y)
    inner = x * y - 3 * x / y
    assert c[0] == 2 * inner * (y - 3 / y) - 1 / (2 * y) + 1
    assert c[1] == 2 * inner * (x + 3 * x / y**2) - (1 - x) / (2 * y**2) - 2 * y**-3
    assert all(type(g) is Fraction for g in c)


@pytest.mark.parametrize("f", [ad.maximum, ad.minimum])
def test_extremes_of_fractions_stay_exact(f):
    a, b = Fraction(1, 3), Fraction(1, 7)
    assert gradient(lambda a, b: Fraction(1, 3) * f(a, b), a, b) in ([Fraction(1, 3), 0], [0, Fraction(1, 3)])
    assert gradient(lambda a, b: Fraction(1, 3) * f(a, b), a, a) == [Fraction(1, 6)] * 2


def test_decimals_keep_their_precision():
    x = Decimal("0.1")
    (c,) = gradient(lambda x: x**3 + ad.exp(x) + ad.log(x) + ad.sqrt(x) + abs(x), x)
    getcontext().prec = 28
    expected = 3 * x**2 + x.exp() + 1 / x + 1 / (2 * x.sqrt()) + 1
    assert type(c) is Decimal
    assert abs(c - expected) < Decimal("1e-25")
    assert gradient(ad.maximum, Decimal(2), Decimal(2)) == [Decimal("0.5")] * 2


def test_complex_numbers():
    z = 0.3 - 0.4j
    y, pull = ad.vjp(lambda z: ad.exp(z) * ad.sin(z) / z, z)
    h = 1e-6
    f = lambda z: np.exp(z) * np.sin(z) / z  # noqa: E731
    slope = (f(z + h) - f(z - h)) / (2 * h)
    assert y == pytest.approx(f(z))
    assert pull(1.0)[0] == pytest.approx(slope.conjugate(), rel=1e-8)
    assert ad.jvp(lambda z: z**3, (z,), (1.0,))[1] == pytest.approx(3 * z * z)
    assert ad.grad(lambda z: (z * z.conjugate()).real)(z) == pytest.approx(2 * z)


def test_real_numbers_that_meet_complex_ones_have_real_gradients():
    (c,) = gradient(lambda x: (x * (1 + 2j)).imag, 3.0)
    assert c == 2.0
    assert type(c) is float


def test_mpmath_to_fifty_digits():
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        x = mpmath.mpf("0.7")
        for ours, theirs in [
            (ad.exp, mpmath.exp),
            (ad.sin, mpmath.sin),
            (ad.arctan, mpmath.atan),
            (ad.log1p, mpmath.log1p),
            (ad.tanh, mpmath.tanh),
            (ad.arcsinh, mpmath.asinh),
            (ad.erf, mpmath.erf),
            (lambda x: ad.sqrt(x) ** x, lambda x: mpmath.sqrt(x) ** x),
        ]:
            (c,) = gradient(ours, x)
            with mpmath.workdps(80):
                exact = mpmath.diff(theirs, x)
            assert abs(c - exact) < mpmath.mpf("1e-48"), theirs


def test_sympy_expressions():
    sympy = pytest.importorskip("sympy")
    x, y = sympy.symbols("x y", positive=True)
    f = lambda sin, exp, log, x, y: sin(x * y) + exp(x) ** 2 * log(y) + x**y / 3  # noqa: E731
    c = gradient(lambda x, y: f(ad.sin, ad.exp, ad.log, x, y), x, y)
    expected = f(sympy.sin, sympy.exp, sympy.log, x, y)
    assert sympy.simplify(c[0] - sympy.diff(expected, x)) == 0
    assert sympy.simplify(c[1] - sympy.diff(expected, y)) == 0


def test_an_int_is_given_a_gradient_of_numbers():
    x = ad.Value(3)
    (x * x / 2).backward()
    assert x.grad == 3


def numeric_points():
    for rule in TABLE.values():
        if rule.entrywise and rule.differentiable and rule.samples and rule.name != "where":
            for point in rule.samples(np.random.default_rng(5)):
                if all(np.ndim(a) == 0 and not np.iscomplexobj(a) for a in point.args):
                    yield pytest.param(rule, point, id=rule.name)


@pytest.mark.parametrize(("rule", "point"), list(numeric_points()))
def test_every_entrywise_op_on_a_value_is_what_it_is_on_a_tensor(rule, point):
    args = [np.asarray(a) for a in point.args]
    values = [ad.Value(a.item()) if a.dtype.kind == "f" else a.item() for a in args]  # others have no derivative
    tensors = [ad.Tensor(a) if a.dtype.kind == "f" else a for a in args]
    y, z = _apply(rule, values, point.params), _apply(rule, tensors, point.params)
    assert type(y) is ad.Value
    assert type(z) is ad.Tensor
    assert type(y.data) in (float, int, complex)
    assert y.data == pytest.approx(z.item(), rel=1e-13, abs=1e-15)
    if rule.name not in ("real", "imag"):
        y.backward()
        z.backward()
        for v, t in ((v, t) for v, t in zip(values, tensors) if isinstance(v, ad.Value)):
            assert v.grad == pytest.approx(t.grad.item(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (lambda x: 2 + x, 2.5),
        (lambda x: 2 - x, 1.5),
        (lambda x: 2 * x, 1.0),
        (lambda x: 2 / x, 4.0),
        (lambda x: 2**x, math.sqrt(2)),
        (lambda x: x // 0.2, 2.0),
        (lambda x: 2 % x, 0.0),
        (lambda x: 2 // x, 4.0),
        (lambda x: -x, -0.5),
        (lambda x: +x, 0.5),
        (lambda x: abs(-x), 0.5),
        (lambda x: x % 0.3, 0.2),
    ],
)
def test_operators_on_both_sides(f, exact):
    for make in (ad.Value, ad.Tensor):
        assert f(make(0.5)).item() == pytest.approx(exact)


def test_comparing_values_gives_a_plain_bool():
    x = ad.Value(2.0)
    assert (x > 1) is True
    assert (1 > x) is False  # noqa: SIM300
    assert (x == 2.0) is True
    assert (x != ad.Value(2.0)) is False
    assert (x == "text") is False
    assert sorted([ad.Value(3.0), x], key=lambda v: v.data)[0] is x
    assert max(ad.Value(3.0), x).data == 3
    assert {x: 1}[x] == 1


@pytest.mark.parametrize("kind", [float, Fraction, Decimal])
def test_a_value_beside_a_tensor_counts_as_0_d_and_keeps_its_kind(kind):
    v, t = ad.Value(kind(2)), ad.Tensor([1.0, 2.0, 3.0])
    y = v * t
    assert isinstance(y, ad.Tensor)
    y.sum().backward()
    assert v.grad == 6
    assert type(v.grad) is kind
    np.testing.assert_array_equal(t.grad, [2, 2, 2])


def test_a_value_and_an_array():
    v = ad.Value(2.0)
    for y in (v * np.array([1.0, 2.0]), np.array([1.0, 2.0]) * v):
        assert isinstance(y, ad.Tensor)
        v.grad = None
        y.sum().backward()
        assert v.grad == 3.0
        assert type(v.grad) is float


def test_a_value_and_a_numpy_scalar():
    v = ad.Value(2.0)
    for y in (v * np.float64(3), np.float64(3) * v, v + np.int64(1)):
        assert y.shape == ()
        y.backward()
    assert v.grad == 7


def test_a_value_pushed_through_a_mixed_program():
    assert ad.jvp(lambda v: (v * np.array([1.0, 2.0])).sum() * v, (3.0,), (1.0,))[1] == pytest.approx(18)
    y = ad.Value(1.5)
    ad.stack([y, y * y]).sum().backward()
    assert y.grad == 4


def test_where_python_raises_and_ieee_is_infinite():
    assert gradient(ad.sqrt, 0.0) == [math.inf]
    assert gradient(lambda x, y: x**y, -2.0, 2.0)[0] == -4
    assert math.isnan(gradient(lambda x, y: x**y, -2.0, 2.0)[1])
    assert gradient(ad.arctan2, 0.0, 0.0) == [0, 0]


def test_reading_a_value():
    x = ad.Value(3.25, name="x")
    assert f"{x:.1f}" == "3.2"
    assert f"{x}" == repr(x) == "Value(data=3.25, grad=None, name='x')"
    assert x.item() == 3.25
    assert x.shape == ()
    assert x.ndim == 0
    assert bool(x)
    assert not ad.Value(0.0)
    assert x.detach().requires_grad is False
    assert x.numpy().shape == ()
    assert float(x.detach()) == 3.25


@pytest.mark.parametrize("op", [ad.divide, ad.multiply, ad.power, ad.subtract])
def test_a_decimal_beside_an_array_where_python_refuses_floats(op):
    """A Decimal times a float raises in Python; beside an array it counts as a float."""
    a = np.array([1.5, 2.5])
    for swap in (False, True):
        d, t = ad.Value(Decimal("2.5")), ad.Tensor(a)
        f = (lambda x, y: op(y, x)) if swap else op
        f(d, t).sum().backward()
        expected = ad.grad(lambda x, y, f=f: f(x, y).sum(), argnums=(0, 1))(2.5, a)
        assert type(d.grad) is Decimal
        assert float(d.grad) == pytest.approx(expected[0], rel=1e-12)
        np.testing.assert_allclose(t.grad, expected[1])


def test_constants_of_slopes_are_as_exact_as_the_number():
    mpmath, sympy = pytest.importorskip("mpmath"), pytest.importorskip("sympy")
    with mpmath.workdps(40):
        (c,) = gradient(ad.log10, mpmath.mpf(3))
        assert abs(c - 1 / (3 * mpmath.log(10))) < mpmath.mpf("1e-39")
    x = sympy.Symbol("x", positive=True)
    assert gradient(ad.exp2, x)[0] == 2**x * sympy.log(2)
    assert gradient(ad.sqrt, x)[0] == 1 / (2 * sympy.sqrt(x))
    assert gradient(ad.erf, x)[0] == 2 * sympy.exp(-(x**2)) / sympy.sqrt(sympy.pi)
    assert gradient(ad.exp2, Decimal(3))[0] == pytest.approx(8 * Decimal(2).ln(), rel=Decimal("1e-27"))


def test_a_quotient_by_a_whole_number_stays_exact():
    sympy = pytest.importorskip("sympy")
    assert gradient(lambda x: x / 3, Fraction(1, 2)) == [Fraction(1, 3)]
    assert gradient(lambda x: x / 3, Decimal(1)) == [Decimal(1) / 3]
    assert gradient(lambda x: x / 3, sympy.Symbol("x")) == [sympy.Rational(1, 3)]
    assert gradient(lambda x, n: x / n, Fraction(1, 2), 3)[0] == Fraction(1, 3)


@pytest.mark.parametrize("number", [Fraction(1, 2), Decimal("0.5"), 0.5, 3, 2j, np.float64(0.5)], ids=repr)
def test_a_value_equals_its_number(number):
    assert ad.Value(number) == number
    assert number == ad.Value(number)
    assert (ad.Value(number) != number) is False
    assert ad.Value(number) != number + 1
    assert (ad.Value(number) == "text", ad.Value(number) == None) == (False, False)  # noqa: E711


def test_rounding_numbers_up_and_down():
    assert ad.floor(ad.Value(Decimal("-1.5"))).data == -2
    assert ad.ceil(ad.Value(Decimal("1.5"))).data == 2
    assert ad.floor(ad.Value(math.inf)).data == math.inf
    assert ad.ceil(ad.Value(-math.inf)).data == -math.inf
    assert ad.floor(ad.Value(Fraction(-3, 2))).data == -2


@pytest.mark.parametrize("op", [ad.maximum, ad.minimum])
def test_nan_wins_among_numbers_as_in_numpy(op):
    assert math.isnan(op(ad.Value(1.0), math.nan).data)
    assert math.isnan(op(math.nan, ad.Value(1.0)).data)
    assert math.isnan(ad.sign(ad.Value(math.nan)).data)


def test_numbers_of_other_kinds_join_arrays_as_floats():
    x = ad.Value(Fraction(1, 2))
    y = ad.stack([x, Fraction(1, 4), 2.0])
    assert y.dtype == float
    y.sum().backward()
    assert x.grad == 1
    assert np.array_equal(ad.jvp(lambda x, y: ad.stack([x, y]), (Fraction(1, 2), 2.0), (Fraction(1), 0.0))[1], [1, 0])


def test_sympy_leaves_its_operators_to_values():
    import sympy

    x, n = sympy.symbols("x n")
    assert sympy.simplify(ad.derivative(lambda x: x**n, x, 2) - n * (n - 1) * x ** (n - 2)) == 0
    v = ad.Value(x)
    (n * v - n / v).backward()
    assert sympy.simplify(v.grad - n - n / x**2) == 0
