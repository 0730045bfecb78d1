"""Taylor coefficients: against SymPy and mpmath, of every row of the table and kind of number, recorded and nested."""

import math
import time
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

import autodiff as ad
from autodiff.calculus.derivatives import directional_derivative
from autodiff.calculus.series import Sweep
from autodiff.calculus.taylor import taylor
from autodiff.core.node import Node
from autodiff.core.rule import TABLE
from autodiff.ops.families import draw_samples

ad.ops.public.names()  # load every topic

ORDER = 20

# Each in ad's ops and in mpmath's functions.
FUNCTIONS = {
    "exp of sin": (lambda x: ad.exp(ad.sin(x)), lambda x: mpmath.exp(mpmath.sin(x))),
    "sin of sin of sin": (lambda x: ad.sin(ad.sin(ad.sin(x))), lambda x: mpmath.sin(mpmath.sin(mpmath.sin(x)))),
    "tan": (ad.tan, mpmath.tan),
    "tanh to the power -3": (lambda x: ad.tanh(x) ** -3, lambda x: mpmath.tanh(x) ** -3),
    "real power": (lambda x: x**2.5, lambda x: x**2.5),
    "root of a quotient": (lambda x: ad.sqrt((1 + x) / (2 - x)), lambda x: mpmath.sqrt((1 + x) / (2 - x))),
    "x to the x": (lambda x: x**x, lambda x: x**x),
    "a power as exponent": (lambda x: 3 ** (x * x), lambda x: mpmath.mpf(3) ** (x * x)),
    "far pole": (lambda x: 1 / (1 + x**20), lambda x: 1 / (1 + x**20)),
    "whole power by recurrence": (lambda x: (1 + x) ** 200, lambda x: (1 + x) ** 200),
    "reciprocal": (lambda x: ad.reciprocal(1 + x * x), lambda x: 1 / (1 + x * x)),
    "square": (lambda x: ad.square(ad.log(1 + x)), lambda x: mpmath.log(1 + x) ** 2),
    "log over root": (
        lambda x: ad.log(2 + x) / ad.sqrt(1 + x * x),
        lambda x: mpmath.log(2 + x) / mpmath.sqrt(1 + x * x),
    ),
    "arcsin": (lambda x: ad.arcsin(x / 2), lambda x: mpmath.asin(x / 2)),
    "arccos": (lambda x: ad.arccos(x / 2), lambda x: mpmath.acos(x / 2)),
    "arctan times cosh": (lambda x: ad.arctan(x) * ad.cosh(x), lambda x: mpmath.atan(x) * mpmath.cosh(x)),
    "arcsinh": (ad.arcsinh, mpmath.asinh),
    "arccosh": (lambda x: ad.arccosh(2 + x), lambda x: mpmath.acosh(2 + x)),
    "arctanh": (lambda x: ad.arctanh(x / 2), lambda x: mpmath.atanh(x / 2)),
    "cube root": (ad.cbrt, mpmath.cbrt),
    "expm1 and log1p": (lambda x: ad.expm1(ad.log1p(x) ** 2), lambda x: mpmath.expm1(mpmath.log1p(x) ** 2)),
    "error function": (ad.erf, mpmath.erf),
    "Bessel J": (ad.j0, lambda x: mpmath.besselj(0, x)),
    "Bessel I": (ad.i0, lambda x: mpmath.besseli(0, x)),
    "sigmoid": (ad.sigmoid, lambda x: 1 / (1 + mpmath.exp(-x))),
    "softplus": (ad.softplus, lambda x: mpmath.log(1 + mpmath.exp(x))),
    "gelu": (ad.gelu, lambda x: x * mpmath.ncdf(x)),
    "arctan2": (lambda x: ad.arctan2(x, 1 + x * x), lambda x: mpmath.atan(x / (1 + x * x))),
    "hypot": (lambda x: ad.hypot(x, 2 + x), lambda x: mpmath.sqrt(x * x + (2 + x) ** 2)),
    "logaddexp": (lambda x: ad.logaddexp(x, x * x), lambda x: mpmath.log(mpmath.exp(x) + mpmath.exp(x * x))),
    "absolute and sign": (lambda x: ad.abs(x - 3) * ad.sign(x - 2), lambda x: x - 3),
    "piecewise": (lambda x: ad.where(x > 0.5, ad.sin(x), ad.cos(x)) + ad.floor(x), mpmath.sin),
    "remainder": (lambda x: ad.remainder(5 + x * x, 2 - x / 4), lambda x: 5 + x * x - 3 * (2 - x / 4)),
    "maximum": (lambda x: ad.maximum(x**2, x / 10) + ad.clip(ad.exp(x), 0, 5), lambda x: x**2 + mpmath.exp(x)),
}
POINT = 0.7


def expected(f, x, order=ORDER):
    with mpmath.workdps(80):
        return [mpmath.mpf(c) for c in mpmath.taylor(f, mpmath.mpf(x), order)]


def largest_error(found, right, radius=0.3):
    """Of the terms, at a distance at which the series still converges: a small coefficient may be all rounding."""
    terms = [abs(float(c)) * radius**k for k, c in enumerate(right)]
    return max(abs(float(a - b)) * radius**k for k, (a, b) in enumerate(zip(found, right, strict=True))) / max(terms)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_coefficients_are_those_of_mpmath(name):
    f, in_mpmath = FUNCTIONS[name]
    right = expected(in_mpmath, POINT)
    found = taylor(f, POINT, ORDER)
    assert all(type(c) is float for c in found)
    assert largest_error(found, right) < 1e-14
    of_array = taylor(f, np.array([[POINT, 0.6]]), ORDER)
    assert of_array.shape == (ORDER + 1, 1, 2)
    np.testing.assert_allclose(of_array[:, 0, 0], found, rtol=1e-12, atol=1e-12 * np.abs(found).max())
    np.testing.assert_allclose(of_array[:, 0, 1], taylor(f, 0.6, ORDER), rtol=1e-12, atol=1e-12 * np.abs(found).max())


def test_the_gamma_family():
    """The derivatives of its logarithm are polygammas, of which each is a rule of its own."""
    x = mpmath.mpf(POINT) + 1
    psi = [mpmath.polygamma(k, x) / mpmath.factorial(k) for k in range(ORDER + 1)]
    assert largest_error(taylor(lambda x: ad.digamma(1 + x), POINT, ORDER), psi) < 1e-13
    right = [mpmath.loggamma(x), *(c / k for k, c in enumerate(psi[:-1], 1))]
    assert largest_error(taylor(lambda x: ad.gammaln(1 + x), POINT, ORDER), right) < 1e-14
    by_exp = taylor(lambda x: ad.exp(ad.gammaln(1 + x)), POINT, ORDER)
    assert largest_error(taylor(lambda x: ad.gamma(1 + x), POINT, ORDER), by_exp) < 1e-13


@pytest.mark.parametrize("name", ["exp of sin", "real power", "log over root", "x to the x", "arcsin", "cube root"])
def test_mpmath_numbers_keep_all_their_digits(name):
    f, in_mpmath = FUNCTIONS[name]
    with mpmath.workdps(50):
        found = taylor(f, mpmath.mpf(POINT), ORDER)
        right = expected(in_mpmath, POINT)
        assert max(abs(a - b) / abs(b) for a, b in zip(found, right, strict=True) if b) < mpmath.mpf(10) ** -45


@pytest.mark.parametrize(
    ("f", "in_mpmath"),
    [
        (lambda x: 2**x, lambda x: mpmath.mpf(2) ** x),
        (lambda x: ad.power(0.5, x), lambda x: mpmath.mpf(0.5) ** x),
        (lambda x: ad.logaddexp(x, 2), lambda x: mpmath.log(mpmath.exp(x) + mpmath.exp(2))),
        (lambda x: ad.logaddexp2(0.5, x), lambda x: mpmath.log(2**x + mpmath.sqrt(2), 2)),
        (lambda x: ad.arctan2(0.5, x), lambda x: mpmath.atan2(0.5, x)),
        (lambda x: ad.hypot(x, 0.1), lambda x: mpmath.sqrt(x * x + mpmath.mpf(0.1) ** 2)),
        (lambda x: ad.xlogy(x, 3), lambda x: x * mpmath.log(3)),
        (lambda x: ad.xlog1py(x, 0.1), lambda x: x * mpmath.log(1 + mpmath.mpf(0.1))),
    ],
)
def test_constants_of_python_take_no_digits(f, in_mpmath):
    with mpmath.workdps(50):
        x, near = mpmath.mpf(POINT), mpmath.mpf(10) ** -45
        right = expected(in_mpmath, POINT, 4)
        assert max(abs(a - b) for a, b in zip(taylor(f, x, 4), right, strict=True)) < near
        assert abs(f(x) - right[0]) < near
        assert abs(ad.grad(f)(x) - right[1]) < near


def test_powers_of_a_number_in_decimal_and_sympy():
    t = sympy.Symbol("t")
    assert taylor(lambda x: 2**x, t, 2) == [2**t, 2**t * sympy.log(2), 2**t * sympy.log(2) ** 2 / 2]
    assert ad.grad(lambda x: 2**x)(Decimal(3)) == 8 * Decimal(2).ln()
    assert ad.heaviside(sympy.Integer(2), sympy.Rational(1, 2)) == 1


@pytest.mark.parametrize(
    ("f", "in_mpmath"),
    [(ad.abs, abs), (ad.angle, mpmath.arg), (lambda z: ad.real(ad.sign(z)), lambda z: mpmath.re(mpmath.sign(z)))],
)
def test_what_is_not_holomorphic_of_mpmath_numbers(f, in_mpmath):
    z = mpmath.mpc(1, 2)
    right = mpmath.taylor(lambda t: in_mpmath(z + t), 0, 4)
    found = taylor(f, z, 4)
    np.testing.assert_allclose([complex(c) for c in found], [complex(c) for c in right], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(
    ("f", "in_sympy"),
    [
        (lambda x: ad.exp(ad.sin(x)), lambda x: sympy.exp(sympy.sin(x))),
        (lambda x: ad.log(1 + x) / (1 - x), lambda x: sympy.log(1 + x) / (1 - x)),
        (lambda x: ad.sqrt(1 + x + x**3), lambda x: sympy.sqrt(1 + x + x**3)),
        (lambda x: ad.arctan(x) ** 2, lambda x: sympy.atan(x) ** 2),
        (lambda x: ad.tan(ad.tanh(x)), lambda x: sympy.tan(sympy.tanh(x))),
    ],
)
def test_coefficients_are_those_of_sympy(f, in_sympy):
    t, order = sympy.Symbol("t"), 9
    series = sympy.series(in_sympy(t), t, 0, order + 1).removeO()
    right = [series.coeff(t, k) for k in range(order + 1)]
    assert taylor(f, sympy.Integer(0), order) == right
    np.testing.assert_allclose(taylor(f, 0.0, order), np.array(right, float), rtol=1e-14, atol=1e-16)


def test_a_symbol_is_a_point_too():
    t = sympy.Symbol("t")
    found = taylor(lambda x: ad.exp(2 * x) / x, t, 4)
    for k, c in enumerate(found):
        assert sympy.simplify(c - sympy.diff(sympy.exp(2 * t) / t, t, k) / sympy.factorial(k)) == 0


@pytest.mark.parametrize("kind", [Fraction, Decimal, mpmath.mpf, sympy.Rational, float, complex])
def test_polynomials_and_quotients_are_exact_in_every_kind(kind):
    x = kind(3)
    found = taylor(lambda x: x**2 + 2 * x + 1, x, 4)
    assert found == [16, 8, 1, 0, 0]
    assert {type(c) for c in found} <= {type(x), type(x * 1 + 0), *map(type, [kind(0), kind(1), kind(8), kind(16)])}
    assert taylor(lambda x: 1 / x, kind(1), 7) == [(-1) ** k for k in range(8)]
    assert taylor(lambda x: x**-2, kind(1), 5) == [(-1) ** k * (k + 1) for k in range(6)]
    assert taylor(lambda x: x**5, kind(0), 6) == [0, 0, 0, 0, 0, 1, 0]
    assert taylor(lambda x: kind(7), x, 2) == [7, 0, 0]


def test_a_rational_function_of_fractions():
    """Against the same recurrence by hand: (x + 1) / (x^2 + 2) at 1/3, multiplied out."""
    x = Fraction(1, 3)
    c = taylor(lambda x: (x + 1) / (x * x + 2), x, 30)
    assert all(type(c_k) is Fraction for c_k in c)
    low = [x * x + 2, 2 * x, Fraction(1)]
    product = [sum(low[j] * c[k - j] for j in range(min(k, 2) + 1)) for k in range(31)]
    assert product == [x + 1, 1, *[0] * 29]


def test_complex_points():
    z = 0.4 - 0.3j
    found = taylor(lambda z: ad.exp(z) / (1 + z * z), z, ORDER)
    with mpmath.workdps(60):
        right = mpmath.taylor(lambda z: mpmath.exp(z) / (1 + z * z), mpmath.mpc(z), ORDER)
    np.testing.assert_allclose(found, [complex(c) for c in right], rtol=1e-12)


def rows(entrywise):
    every = (rule for rule in TABLE.values() if rule.differentiable and rule.samples is not None and not rule.random)
    return [rule for rule in every if rule.entrywise == entrywise]


@pytest.mark.parametrize("rule", rows(entrywise=True), ids=lambda rule: rule.name)
def test_every_entrywise_row_agrees_with_nested_sweeps(rule):
    """Along each input that can be tracked, to order 2 as its samples allow."""
    point = draw_samples(rule)[0]
    for k, x in enumerate(point.args):
        if np.asarray(x).dtype.kind not in "fc" or rule.inputs[k] not in rule.jvps:
            continue

        def f(x, k=k):
            args = [x if j == k else a for j, a in enumerate(point.args)]
            return rule.op(*args, **point.params)

        try:
            nested = once = ad.jvp(f, (x,), (np.ones(x.shape, x.dtype),))[1]
        except ad.errors.AutodiffError as error:
            with pytest.raises(type(error)):
                taylor(f, x, 2)
            continue
        if point.order > 1:
            slope = lambda x: ad.jvp(f, (x,), (np.ones(x.shape, x.dtype),))[1]  # noqa: E731
            nested = ad.jvp(slope, (x,), (np.ones(x.shape, x.dtype),))[1]
            np.testing.assert_allclose(taylor(f, x, 2)[2] * 2, nested, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(taylor(f, x, 1)[1], once, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rule", rows(entrywise=False), ids=lambda rule: rule.name)
def test_every_other_row_agrees_with_nested_sweeps(rule, rng):
    """To order 2, along a random direction of all inputs at once."""
    point = next((p for p in draw_samples(rule) if p.order > 1 and all(np.size(a) for a in p.args)), None)
    assert point is not None
    wanted = [k for k, a in enumerate(point.args) if np.asarray(a).dtype.kind in "fc"]
    wanted = [k for k in wanted if rule.variadic or rule.inputs[k] in rule.jvps]
    xs = tuple(np.asarray(point.args[k]) for k in wanted)
    vs = tuple(rng.normal(size=x.shape).astype(x.dtype) for x in xs)

    def f(xs):
        args = list(point.args)
        for k, x in zip(wanted, xs, strict=True):
            args[k] = x
        return rule.op(args, **point.params) if rule.variadic else rule.op(*args, **point.params)

    second = ad.jvp(lambda xs: ad.jvp(f, (xs,), (vs,))[1], (xs,), (vs,))[1]
    found = directional_derivative(f, xs, vs, n=2)
    np.testing.assert_allclose(found, second, rtol=1e-8, atol=1e-8 * (1 + np.abs(second).max()))


def test_of_arrays_of_another_shape():
    x = np.array([0.5, 1.5])
    c = taylor(lambda x: ad.sum(ad.exp(x)), x, 3)
    np.testing.assert_allclose(c, [np.exp(x).sum() / math.factorial(k) for k in range(4)])
    c = taylor(lambda t: ad.stack([ad.sin(t), t * t]), 0.5, 2)
    np.testing.assert_allclose(c, [[np.sin(0.5), 0.25], [np.cos(0.5), 1.0], [-np.sin(0.5) / 2, 1.0]])
    assert taylor(ad.exp, np.zeros((0, 2)), 3).shape == (4, 0, 2)
    assert taylor(ad.exp, np.float32([0.5]), 3).dtype == np.float32
    assert taylor(ad.exp, np.array(0.5), 3).shape == (4,)
    assert [type(c) for c in taylor(ad.exp, np.float32(0.5), 2)] == [np.float32] * 3
    both = taylor(lambda t: {"a": t**2, "b": (t, 5.0)}, 3.0, 2)
    assert both == {"a": [9.0, 6.0, 1.0], "b": ([3.0, 1.0, 0.0], [5.0, 0.0, 0.0])}


def test_matrix_functions_along_a_line():
    """inv(A + tB) = A' - t A' B A' + ..., with A' the inverse; the determinant is a polynomial in t."""
    a, b = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([[0.3, -0.2], [0.7, 0.1]])
    found = taylor(lambda t: ad.linalg.inv(a + t * b), 0.0, 6)
    inverse = np.linalg.inv(a)
    right = inverse
    for c in found:
        np.testing.assert_allclose(c, right, atol=1e-14)
        right = -right @ b @ inverse
    found = taylor(lambda t: ad.linalg.det(a + t * b), 0.0, 4)
    np.testing.assert_allclose(found[[0, 2]], [np.linalg.det(a), np.linalg.det(b)])
    np.testing.assert_allclose(found[3:], 0, atol=1e-14)


@pytest.mark.parametrize("shape", [(2,), (2, 3)])
def test_solutions_of_equations_along_a_line(shape, rng):
    """(A + tB) y = c + t^2 d, order by order."""
    a, b = rng.normal(size=(2, 2)) + 3 * np.eye(2), rng.normal(size=(2, 2))
    c, d = rng.normal(size=shape), rng.normal(size=shape)
    y = taylor(lambda t: ad.linalg.solve(a + t * b, c + t * t * d), 0.0, 30)
    for k in range(31):
        right = c if k == 0 else d if k == 2 else 0
        np.testing.assert_allclose(a @ y[k] + (b @ y[k - 1] if k else 0), right + 0 * c, atol=1e-14)


def test_assignment_and_control_flow():
    def f(t):
        y = ad.stack([t, t, t])
        y[0] = ad.sin(t)
        for k in range(2):
            y[k + 1] = y[k] * t
        return y.sum()

    right = expected(lambda t: mpmath.sin(t) * (1 + t + t * t), 0.4, 8)
    np.testing.assert_allclose(taylor(f, 0.4, 8), np.array(right, float), rtol=1e-13)


def test_through_checkpoints_and_rules_of_ones_own():
    @ad.custom_rule
    def cube(x):
        return x**3

    @cube.def_vjp
    def cube_vjp(g, x):
        return g * 3 * x**2

    inner = ad.checkpoint(lambda x: ad.exp(ad.sin(x)))
    x = np.array([0.3, 0.8])
    np.testing.assert_allclose(taylor(inner, x, 8), taylor(lambda x: ad.exp(ad.sin(x)), x, 8), rtol=1e-13)
    np.testing.assert_allclose(taylor(cube, x, 4), taylor(lambda x: x**3, x, 4), atol=1e-14)


# Powers at zero, where the quotient of the recurrence has no value.


@pytest.mark.parametrize(
    ("p", "right"), [(3, [0, 0, 0, 1, 0]), (2.0, [0, 0, 1, 0, 0]), (1, [0, 1, 0, 0, 0]), (0, [1, 0, 0, 0, 0])]
)
def test_whole_powers_at_zero(p, right):
    assert taylor(lambda x: x**p, 0.0, 4) == right
    np.testing.assert_array_equal(taylor(lambda x: x**p, np.array([0.0, 1.0]), 4)[:, 0], right)


def test_high_whole_powers_at_zero_and_next_to_it():
    assert taylor(lambda x: (x * ad.cos(x)) ** 20, 0.0, 21)[20:] == [1.0, 0.0]
    assert taylor(lambda x: x**70, 0.0, 71)[69:] == [0.0, 1.0, 0.0]
    near = taylor(lambda x: ad.sin(x) ** 12, 1e-6, 13)
    assert near[12] == pytest.approx(1, rel=1e-9)


# Recorded.


def test_coefficients_can_be_differentiated():
    a = ad.Value(1.5)
    c = taylor(lambda x: ad.exp(a * x) / a, 0.0, 4)  # a^(k-1) / k!
    for k in range(5):
        assert ad.grad(lambda a, k=k: taylor(lambda x: ad.exp(a * x) / a, 0.0, 4)[k])(1.5) == pytest.approx(
            (k - 1) * 1.5 ** (k - 2) / math.factorial(k), rel=1e-13
        )
    assert all(isinstance(c_k, Node) for c_k in c)
    c[4].backward()
    assert a.grad == pytest.approx(3 * 1.5**2 / 24)


def test_nested_in_every_mode_without_confusion():
    """d/dx of the third coefficient of exp(x t) at t = x, x^3 exp(x^2) / 6."""

    def third(x):
        return taylor(lambda t: ad.exp(x * t), x, 3)[3]

    x = 0.8
    right = (3 * x**2 + 2 * x**4) * np.exp(x * x) / 6
    assert ad.grad(third)(x) == pytest.approx(right, rel=1e-13)
    assert ad.jvp(third, (x,), (1.0,))[1] == pytest.approx(right, rel=1e-13)
    assert taylor(third, x, 1)[1] == pytest.approx(right, rel=1e-13)
    assert ad.derivative(lambda x: x * ad.derivative(lambda y: x + y, 1.0, 1), 2.0, 2) == 0.0
    assert ad.derivative(lambda x: x * ad.derivative(lambda y: x * y**3, x, 2), 2.0, 2) == pytest.approx(36 * 2.0)
    hessian = ad.hessian(lambda x: taylor(lambda t: ad.exp(x[0] * t) * x[1], 1.0, 2)[2])(np.array([0.3, 0.7]))
    a, b = 0.3, 0.7
    e = np.exp(a) / 2
    np.testing.assert_allclose(hessian, [[b * e * (2 + 4 * a + a * a), e * (2 * a + a * a)], [e * (2 * a + a * a), 0]])


def test_gradients_of_coefficients_are_checked(rng):
    def f(w, x):
        return taylor(lambda x: ad.tanh(w * x) ** 2 / (1 + x * x), x, 4)

    ad.testing.check_gradients(f, rng.normal(size=3), rng.uniform(0.2, 1, size=3))


def test_compiled_on_other_numbers():
    f = ad.compile(lambda x: ad.derivative(lambda t: t**3 * ad.exp(t) + t**2.5, x, 3))
    for x in (np.array([0.5, 1.0]), np.array([2.0, 0.25])):
        t = sympy.Symbol("t")
        third = sympy.diff(t**3 * sympy.exp(t) + t ** sympy.Rational(5, 2), t, 3)
        np.testing.assert_allclose(f(x).numpy(), [float(third.subs(t, v)) for v in x], rtol=1e-12)


def test_one_by_one_under_vmap():
    x = np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(
        ad.vmap(lambda x: ad.derivative(lambda t: t**2.5 * ad.sin(t), x, 3))(x),
        ad.derivative(lambda t: t**2.5 * ad.sin(t), x, 3),
        rtol=1e-13,
    )


# Cost.


def nodes_of_series(f, order):
    seen = []
    init = Sweep.__init__

    def watch(self, *args):
        init(self, *args)
        seen.append(self)

    Sweep.__init__ = watch
    try:
        taylor(f, 0.5, order)
    finally:
        Sweep.__init__ = init
    return len(seen[0].series)


def test_chains_of_derivatives_close():
    """sin, cos, sin, ...: no more series for a higher order."""
    f = FUNCTIONS["sin of sin of sin"][0]
    assert nodes_of_series(f, 40) == nodes_of_series(f, 6)
    f = lambda t: ad.linalg.solve(np.eye(2) + t, np.ones(2))  # noqa: E731
    assert nodes_of_series(f, 40) == nodes_of_series(f, 6)
    f = lambda t: ad.jv(np.array([0.0, 1.0]), 1 + t)  # noqa: E731
    assert nodes_of_series(f, 12) < 3 * nodes_of_series(f, 6)  # one more Bessel function at either end for each order


def test_high_orders_are_quick():
    start = time.thread_time()
    ad.derivative(lambda x: ad.exp(ad.sin(x)), 0.7, 30)
    ad.derivative(ad.gamma, 1.7, 30)
    assert time.thread_time() - start < 2


def test_long_tapes_take_no_recursion():
    def f(x):
        for _ in range(3000):
            x = ad.sin(x)
        return x

    c = taylor(f, 1.0, 3)
    assert c[1] == pytest.approx(ad.derivative(f, 1.0), rel=1e-12)
    assert len(taylor(lambda x: ad.exp(ad.sin(x)), 0.5, 300)) == 301


# Errors.


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: taylor(ad.sin, 1.0, -1), ad.errors.ArgumentError, r"taylor got order=-1: how often .* is 0, 1, 2"),
        (lambda: taylor(ad.sin, 1.0, 1.5), ad.errors.ArgumentError, r"order=1.5"),
        (lambda: taylor(ad.sin, math.nan, 2), ad.errors.ArgumentError, r"taylor got x=nan, which is not finite"),
        (lambda: taylor(ad.sin, np.array([1, np.inf]), 2), ad.errors.ArgumentError, r"not finite"),
        (lambda: taylor(ad.sin, Decimal("Infinity"), 2), ad.errors.ArgumentError, r"not finite"),
        (lambda: taylor(ad.sin, mpmath.mpf("nan"), 2), ad.errors.ArgumentError, r"not finite"),
        (lambda: taylor(ad.sin, "1", 2), ad.errors.KindError, r"taylor got a str as x; it takes a number"),
        (lambda: taylor(ad.sin, None, 2), ad.errors.KindError, r"taylor got None as x"),
        (lambda: taylor(ad.sin, True, 2), ad.errors.KindError, r"as x; it takes a number"),
        (lambda: taylor(ad.sin, np.array([1, 2]), 2), ad.errors.KindError, r"an array of int64 as x.*astype\(float\)"),
        (
            lambda: taylor(lambda x: None, 1.0, 2),
            ad.errors.KindError,
            r"taylor needs f to return numbers .* returned None",
        ),
        (lambda: taylor(3.0, 1.0, 2), ad.errors.KindError, r"taylor was given a float; it takes a function"),
        (
            lambda: taylor(ad.sqrt, 0.0, 2),
            ad.errors.NotFiniteError,
            r"coefficient 1 is inf.*order 2 at x = 0.0.*Expand",
        ),
        (
            lambda: taylor(ad.sqrt, np.array([1.0, 0.0]), 2),
            ad.errors.NotFiniteError,
            r"coefficient 1 is inf in entry \[1\]",
        ),
        (lambda: taylor(ad.log, 0.0, 3), ad.errors.NotFiniteError, r"function raised ValueError .* at x = 0.0. Give"),
        (lambda: taylor(lambda x: 1 / x, Fraction(0), 3), ad.errors.NotFiniteError, r"ZeroDivisionError .* at x = Fra"),
        (lambda: taylor(ad.log, np.array([0.0, 1.0]), 3), ad.errors.NotFiniteError, r"coefficient 0 is -inf"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_what_was_reached_before_a_coefficient_failed():
    with pytest.raises(ad.errors.NotFiniteError) as caught:
        taylor(lambda x: x**1.5, 0.0, 4)
    assert caught.value.reached == [0.0, 0.0]


def test_whole_numbers_and_lists_count_as_floats():
    assert taylor(lambda x: x**2, 3, 2) == [9.0, 6.0, 1.0]
    np.testing.assert_array_equal(taylor(lambda x: x**2, [1, 2], 2), [[1, 4], [2, 4], [1, 1]])
