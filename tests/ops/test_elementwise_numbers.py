"""Entry-by-entry ops of single numbers: exact where the kind of number is, to its last digit where it has digits."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.numbers import like

F = Fraction


def gradient(f, *args):
    values = [ad.Value(a) for a in args]
    y = f(*values)
    y.backward()
    return [v.grad for v in values]


def ten_ops(m, x, y):
    """A program of every kind of function, in the names of the library ``m``."""
    a = m.exp(-x * y) + m.sin(x) * m.atan2(y, x)
    b = m.log(1 + a * a) / m.sqrt(x + y)
    c = m.tanh(b) ** 3 - m.asin(b / 10) * m.cosh(x)
    return c / (1 + m.exp(-c)) + m.erf(a) - m.atan(x * c)


OURS = SimpleNamespace(
    exp=ad.exp, sin=ad.sin, atan2=ad.atan2, log=ad.log, sqrt=ad.sqrt, tanh=ad.tanh, asin=ad.asin, cosh=ad.cosh,
    erf=ad.erf, atan=ad.atan,
)  # fmt: skip


def test_a_program_to_fifty_digits():
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        x, y = mpmath.mpf("0.7"), mpmath.mpf("1.3")
        found = gradient(lambda x, y: ten_ops(OURS, x, y), x, y)
        second = ad.grad(lambda x: ad.grad(lambda x: ten_ops(OURS, x, y))(x))(x)
        pushed = ad.jvp(lambda x, y: ten_ops(OURS, x, y), (x, y), (mpmath.mpf(1), mpmath.mpf(2)))[1]
        with mpmath.workdps(80):
            f = lambda x, y: ten_ops(mpmath, x, y)  # noqa: E731
            exact = [mpmath.diff(f, (x, y), n) for n in ((1, 0), (0, 1), (2, 0))]
        for one, other in zip([*found, second, pushed], [*exact, exact[0] + 2 * exact[1]], strict=True):
            assert type(one) is mpmath.mpf
            assert abs(one - other) < mpmath.mpf("1e-47") * (1 + abs(other))


def test_a_program_of_symbols():
    sympy = pytest.importorskip("sympy")
    x, y = sympy.symbols("x y", positive=True)
    found = gradient(lambda x, y: ten_ops(OURS, x, y), x, y)
    expected = ten_ops(sympy, x, y)
    assert not any(c.atoms(sympy.Float) for c in found)
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        both = sympy.lambdify((x, y), [*found, sympy.diff(expected, x), sympy.diff(expected, y)], "mpmath")
        by_x, by_y, exact_by_x, exact_by_y = both(mpmath.mpf("0.7"), mpmath.mpf("1.3"))
        assert abs(by_x - exact_by_x) + abs(by_y - exact_by_y) < mpmath.mpf("1e-55")


SYMBOLIC = {
    "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "sinh": "sinh",
    "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "exp": "exp",
    "log": "log", "sqrt": "sqrt", "erf": "erf", "absolute": "Abs", "deg2rad": "rad", "rad2deg": "deg",
    "exp2": lambda x: 2**x, "log2": lambda x: math_of(x).log(x, 2), "log10": lambda x: math_of(x).log(x, 10),
    "expm1": lambda x: math_of(x).exp(x) - 1, "log1p": lambda x: math_of(x).log(1 + x), "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x, "sigmoid": lambda x: 1 / (1 + math_of(x).exp(-x)),
    "softplus": lambda x: math_of(x).log(1 + math_of(x).exp(x)),
    "silu": lambda x: x / (1 + math_of(x).exp(-x)),
    "gelu": lambda x: x * math_of(x).erfc(-x / math_of(x).sqrt(2)) / 2,
}  # fmt: skip


def root_eight_over_pi(x):
    return math_of(x).sqrt(8 / math_of(x).pi)


def math_of(x):
    return pytest.importorskip(type(x).__module__.partition(".")[0])


@pytest.mark.parametrize("name", SYMBOLIC)
def test_derivatives_are_those_of_sympy_exactly(name):
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x", positive=True)
    f = SYMBOLIC[name]
    expected = (getattr(sympy, f) if isinstance(f, str) else f)(x)
    y = ad.Value(x)
    z = getattr(ad, name)(y)
    z.backward()
    assert sympy.simplify(z.data - expected) == 0
    assert sympy.simplify(y.grad - sympy.diff(expected, x)) == 0


MORE = {
    "sinc": "sincpi", "cbrt": "cbrt", "logaddexp": lambda x: math_of(x).log(1 + math_of(x).exp(x)),
    "log_sigmoid": lambda x: -math_of(x).log(1 + math_of(x).exp(-x)), "elu": lambda x: x,
    "gelu tanh": lambda x: x / (1 + math_of(x).exp(-root_eight_over_pi(x) * (x + x**3 * 44715 / 10**6))),
}  # fmt: skip


@pytest.mark.parametrize("name", [*SYMBOLIC, *MORE])
def test_derivatives_to_forty_digits(name):
    mpmath = pytest.importorskip("mpmath")
    theirs = (SYMBOLIC | MORE)[name]
    theirs = {"Abs": "fabs", "rad": "radians", "deg": "degrees"}.get(theirs, theirs)
    options = {"gelu tanh": {"approximate": "tanh"}}.get(name, {})
    op = getattr(ad, name.split()[0])
    f = (lambda x: op(x, 0)) if name == "logaddexp" else (lambda x: op(x, **options))
    with mpmath.workdps(40):
        x = mpmath.mpf("1.3") if name == "arccosh" else mpmath.mpf("0.3")
        (found,) = gradient(f, x)
        with mpmath.workdps(80):
            exact = mpmath.diff(getattr(mpmath, theirs) if isinstance(theirs, str) else theirs, x)
        assert abs(found - exact) < mpmath.mpf("1e-38") * abs(exact)


FRACTIONS = [
    (lambda x: ad.remainder(x, F(2, 3)) * x, F(-7, 2), F(-7, 2) + F(1, 2)),
    (lambda x: ad.fmod(x, F(2, 3)) * x, F(-7, 2), F(-7, 2) - F(1, 6)),
    (lambda x: ad.floor(x) * x, F(-7, 2), -4),
    (lambda x: ad.ceil(x) * x, F(-7, 2), -3),
    (lambda x: ad.trunc(x) * x, F(-7, 2), -3),
    (lambda x: ad.rint(x) * x, F(-7, 2), -4),
    (lambda x: ad.round(x, 1) * x, F(1, 3), F(3, 10)),
    (lambda x: ad.round(x, -1) * x, F(251, 10), F(30)),
    (lambda x: ad.modf(x)[0] * ad.modf(x)[1], F(-7, 2), -3),
    (lambda x: ad.copysign(x, -1), F(-7, 2), 1),
    (lambda x: ad.fabs(x) * abs(x), F(-7, 2), -7),
    (lambda x: ad.ldexp(x, -3), F(1, 3), F(1, 8)),
    (lambda x: ad.heaviside(0, x), F(1, 3), 1),
    (lambda x: ad.clip(x, 0, F(1, 2)) * x, F(1, 3), F(2, 3)),
    (lambda x: ad.clip(x, 0, F(1, 4)) * x, F(1, 3), F(1, 4)),
    (lambda x: ad.fmax(x, F(1, 3)), F(1, 3), F(1, 2)),
    (lambda x: ad.relu(x) * x, F(1, 3), F(2, 3)),
    (lambda x: ad.nan_to_num(x) * x, F(1, 3), F(2, 3)),
    (lambda x: ad.where(x > 0, x * x, 0), F(1, 3), F(2, 3)),
    (lambda x: divmod(x, 2)[1] * x, F(-7, 2), -3),
]


@pytest.mark.parametrize(("f", "x", "expected"), FRACTIONS)
def test_fractions_stay_exact(f, x, expected):
    (found,) = gradient(f, x)
    assert found == expected
    assert type(found) is Fraction


def test_decimals():
    with localcontext() as context:
        context.prec = 30
        x = Decimal("-3.5")
        assert [y.data for y in divmod(ad.Value(x), 2)] == [-2, Decimal("0.5")]  # Python's own round towards 0
        assert ad.fmod(ad.Value(x), 2).data == Decimal("-1.5")
        assert gradient(ad.remainder, x, Decimal(2)) == [1, 2]
        assert ad.round(ad.Value(Decimal("0.125")), 2).data == Decimal("0.12")
        tiny = Decimal("1e-40")
        assert ad.expm1(ad.Value(tiny)).data == tiny + tiny**2 / 2
        assert ad.log1p(ad.Value(tiny)).data == tiny - tiny**2 / 2
        two = Decimal(2)
        assert gradient(ad.log2, two)[0] == pytest.approx(1 / (two * two.ln()), rel=Decimal("1e-28"))
        assert gradient(ad.hypot, Decimal(3), Decimal(4)) == [Decimal("0.6"), Decimal("0.8")]
        assert gradient(ad.leaky_relu, Decimal(-1)) == [+Decimal.from_float(0.01)]
        assert gradient(ad.imag, two) == [0]
        assert gradient(ad.logaddexp, two, two) == [Decimal("0.5")] * 2


def test_numbers_of_mpmath():
    mpmath = pytest.importorskip("mpmath")
    x = mpmath.mpf("-3.5")
    assert [y.data for y in divmod(ad.Value(x), 2)] == [-2, 0.5]
    assert (ad.floor(ad.Value(x)).data, ad.ceil(ad.Value(x)).data, ad.rint(ad.Value(x)).data) == (-4, -3, -4)
    assert gradient(ad.cbrt, mpmath.mpf(-8)) == [mpmath.mpf(1) / 12]
    assert gradient(ad.tanh, mpmath.inf) == [0]
    assert gradient(ad.exp2, -mpmath.inf) == [0]


def test_sympys_numbers():
    sympy = pytest.importorskip("sympy")
    x = sympy.Rational(-7, 2)
    assert (ad.floor(ad.Value(x)).data, ad.ceil(ad.Value(x)).data, ad.rint(ad.Value(x)).data) == (-4, -3, -4)
    assert ad.round(ad.Value(sympy.Rational(1, 3)), 1).data == sympy.Rational(3, 10)
    assert gradient(ad.cbrt, sympy.Integer(-8)) == [sympy.Rational(1, 12)]
    assert gradient(ad.maximum, x, x) == [sympy.Rational(1, 2)] * 2
    assert gradient(ad.elu, x) == [sympy.exp(x)]
    s = sympy.Symbol("s")
    assert ad.real(ad.Value(s)).data == sympy.re(s)
    assert gradient(abs, s) == [sympy.sign(s)]


LACKING = [
    (ad.exp2, F(1, 2)),
    (ad.cbrt, F(1, 2)),
    (ad.log1p, F(1, 2)),
    (ad.deg2rad, F(1, 2)),
    (ad.deg2rad, Decimal(1)),
    (ad.sinc, F(1, 2)),
    (ad.arctan2, F(1, 2)),
    (ad.gelu, Decimal(1)),
    (ad.cbrt, 1j),
]


@pytest.mark.parametrize(("op", "x"), LACKING)
def test_a_kind_that_cannot_be_exact_raises_and_names_one_that_can(op, x):
    with pytest.raises(ad.errors.KindError, match=r"Kinds that have it: .*float"):
        op(ad.Value(x), x) if op is ad.arctan2 else op(ad.Value(x))


@pytest.mark.parametrize("op", [ad.maximum, ad.relu, ad.floor, ad.heaviside, ad.hypot, ad.softplus, ad.fabs])
def test_complex_numbers_are_treated_as_in_arrays(op):
    n = 2 if op in (ad.maximum, ad.heaviside, ad.hypot) else 1
    try:
        expected = op(*[np.array(1 + 1j)] * n)
    except TypeError:
        with pytest.raises(TypeError):
            op(*[ad.Value(1 + 1j)] * n)
    else:
        assert op(*[ad.Value(1 + 1j)] * n).data == expected


def test_numbers_are_brought_to_a_kind():
    assert like(Decimal(1), F(1, 4)) == Decimal("0.25")
    assert like(F(1), Decimal("0.25")) == F(1, 4)
    assert like(2.0, 3 + 4j) == like(F(2), 3 + 4j) == 3
    mpmath = pytest.importorskip("mpmath")
    assert (
        like(mpmath.mpf(1), F(1, 4)) == like(mpmath.mpf(1), mpmath.mpc(0.25, 3)) == like(1.0, mpmath.mpf(0.25)) == 0.25
    )
    assert type(like(mpmath.mpc(1), 0.25)) is mpmath.mpc


def test_python_numbers_where_math_lacks_the_function():
    assert ad.Value(8.0).cbrt().data == 2
    assert ad.Value(3.0).exp2().data == 8
    assert ad.logaddexp(ad.Value(0.0), 0).data == pytest.approx(math.log(2))
    assert ad.isfinite(ad.Value(Decimal("inf"))) is False
    assert ad.isposinf(ad.Value(math.inf)) is True
    assert ad.signbit(ad.Value(-0.0)) is True


def test_a_slope_that_python_cannot_divide_by_has_slopes_again():
    """Where ``float`` raises, derivatives of derivatives are those of an array: infinite, nan or 0."""
    for f, x, second in (
        (ad.sqrt, 0.0, -math.inf),
        (lambda x: x**0.5, 0.0, -math.inf),
        (lambda x: ad.arccos(1 - x), 0.0, -math.inf),
        (lambda y: 0.0**y, 0.3, 0.0),
        (lambda y: 0.0**y, 0.0, 0.0),
        (lambda y: (-2.0) ** y, 2.0, math.nan),
    ):
        by_reverse, by_forward = ad.grad(ad.grad(f))(x), ad.derivative(f, x, 2)
        np.testing.assert_equal([by_reverse, float(by_forward)], [second, second])
        assert type(by_reverse) is float
    with pytest.raises(ZeroDivisionError):
        ad.grad(ad.grad(ad.reciprocal))(F(0))


def test_a_gradient_inside_another_stays_of_its_kind():
    def pulled(x, g):
        return ad.vjp(lambda x: x + np.array([1 + 2j, 3]), x)[1](g)

    (value,), (slope,) = ad.jvp(pulled, (1.5, np.array([1 + 1j, 2j])), (1.0, np.array([1 + 1j, 2j])))
    assert (value, slope) == (1, 1)
    assert type(value) is type(slope) is float
    (_,), (slope,) = ad.jvp(lambda x, g: ad.vjp(ad.real, x)[1](g), (1.5 + 2j, 1.0), (1.0, 2.0))
    assert slope == 2
    assert type(slope) is complex
    _, pull = ad.vjp(lambda a: ad.sum(a * a), np.array([1.0, 2.0]))
    assert ad.grad(lambda g: ad.sum(pull(g)[0]))(1.0) == 6  # a Value as the cotangent of a tensor of shape ()
    assert ad.Value(F(1)).size == 1
