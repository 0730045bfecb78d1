"""Derivatives of one number, along directions, divergence and Laplacian: against SymPy."""

import math
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy

import autodiff as ad
from autodiff.calculus.derivatives import derivative, directional_derivative, divergence, laplacian

X, Y, Z = XYZ = sympy.symbols("x y z")
POINT = np.array([0.5, 1.2, -0.7])


def at_point(expression):
    return float(expression.subs(dict(zip(XYZ, POINT, strict=True))))


def field(x):
    return ad.stack([x[0] ** 2 * x[1], ad.sin(x[1]) * x[2], ad.exp(x[0] * x[2])])


FIELD = [X**2 * Y, sympy.sin(Y) * Z, sympy.exp(X * Z)]


def test_the_example_of_the_article():
    f = lambda x: x**2 + 2 * x + 1  # noqa: E731
    for x in (3, 3.0, Fraction(3), Decimal(3), mpmath.mpf(3), sympy.Integer(3)):
        assert derivative(f, x) == 8
    assert type(derivative(f, Fraction(3))) is Fraction
    assert type(derivative(f, Decimal(3))) is Decimal
    assert type(derivative(f, mpmath.mpf(3))) is mpmath.mpf


@pytest.mark.parametrize("n", range(9))
def test_any_order_of_any_kind(n):
    t = sympy.Symbol("t")
    right = sympy.diff(sympy.exp(sympy.sin(t)) / (1 + t), t, n)
    f = lambda x: ad.exp(ad.sin(x)) / (1 + x)  # noqa: E731
    assert derivative(f, 0.7, n) == pytest.approx(float(right.subs(t, 0.7)), rel=1e-12)
    np.testing.assert_allclose(
        derivative(f, np.array([0.7, 0.1]), n), [float(right.subs(t, v)) for v in (0.7, 0.1)], rtol=1e-12
    )
    assert sympy.simplify(derivative(lambda x: x**5 / (1 + x), t, n) - sympy.diff(t**5 / (1 + t), t, n)) == 0
    with mpmath.workdps(40):
        found = derivative(f, mpmath.mpf("0.7"), n)
        exact = right.evalf(60, subs={t: sympy.Rational(7, 10)})
        assert abs(found - mpmath.mpf(str(exact))) < abs(found) * mpmath.mpf(10) ** -36
    assert derivative(lambda x: 1 / x, Fraction(2, 3), n) == (-1) ** n * math.factorial(n) * Fraction(3, 2) ** (n + 1)


def test_high_orders():
    assert derivative(ad.exp, 1.0, 30) == pytest.approx(math.e, rel=1e-13)
    assert derivative(lambda x: 1 / (1 - x), Fraction(0), 30) == math.factorial(30)
    assert derivative(ad.sin, np.float32(0.0), 9) == 1
    assert type(derivative(ad.sin, np.float32(0.0), 9)) is np.float32


def test_factorials_that_no_float_holds():
    """171! is above the largest double, 35! above the largest single and 9! above the largest half."""
    assert derivative(ad.exp, 1.0, 400) == pytest.approx(math.e, rel=1e-13)
    assert derivative(ad.exp, np.float32(1), 40) == pytest.approx(math.e, rel=1e-6)
    assert derivative(ad.exp, np.float16(1), 9) == pytest.approx(math.e, rel=1e-3)
    assert derivative(lambda x: 1 / x, 1.0, 150) == pytest.approx(math.factorial(150), rel=1e-13)
    assert derivative(lambda x: ad.sin(x / 10), 0.3, 129) == pytest.approx(math.cos(0.03) * 1e-129, rel=1e-13)
    np.testing.assert_allclose(
        directional_derivative(lambda x: ad.exp(2 * x), np.array([0.1, 0.2]), [1, 3], 180),
        np.exp([0.2, 0.4]) * np.array([2.0, 6.0]) ** 180,
        rtol=1e-12,
    )


def test_a_kink_and_an_infinite_slope_are_answers():
    assert derivative(ad.abs, 0.0) == 0
    assert derivative(ad.abs, 0.0, 2) == 0
    assert derivative(ad.sqrt, 0.0) == np.inf
    assert not np.isfinite(derivative(ad.sqrt, 0.0, 2))


def test_zeros_are_of_the_kind_of_the_point():
    for f in (lambda x: 5, ad.floor):
        for x in (Fraction(7, 2), Decimal("3.5")):
            assert {type(c) for c in (*ad.taylor(f, x, 2)[1:], derivative(f, x))} <= {type(x), int}
            assert derivative(f, x, 2) + x == x


def test_of_several_results():
    found = derivative(lambda t: {"a": t**3, "b": ad.stack([t, t * t])}, 2.0, 2)
    assert found["a"] == 12
    np.testing.assert_array_equal(found["b"], [0, 2])


@pytest.mark.parametrize("n", range(5))
def test_along_a_direction(n):
    v, t = np.array([0.3, -1.0, 2.0]), sympy.Symbol("t")
    line = {s: a + t * b for s, a, b in zip(XYZ, POINT, v, strict=True)}
    right = [float(sympy.diff(f.subs(line), t, n).subs(t, 0)) for f in FIELD]
    np.testing.assert_allclose(directional_derivative(field, POINT, v, n), right, rtol=1e-12)


def test_along_a_direction_of_a_structure():
    f = lambda p: p["a"] ** 2 * p["b"].sum()  # noqa: E731
    point, v = {"a": 2.0, "b": np.array([1.0, 3.0])}, {"a": 1.0, "b": np.array([0.5, 0.0])}
    assert directional_derivative(f, point, v) == 2 * 2 * 4 + 4 * 0.5
    assert directional_derivative(f, point, v, 2) == 2 * 4 + 2 * (2 * 2 * 1 * 0.5)
    exact = directional_derivative(
        lambda p: p[0] * p[1] ** 2, (Fraction(1, 2), Fraction(3)), (Fraction(1), Fraction(1, 3)), 2
    )
    assert exact == 2 * (2 * 3 * Fraction(1, 3)) + Fraction(1, 2) * 2 * Fraction(1, 9)


def test_divergence():
    right = sum(sympy.diff(f, s) for f, s in zip(FIELD, XYZ, strict=True))
    found = divergence(field, POINT)
    assert type(found) is float
    assert found == pytest.approx(at_point(right), rel=1e-14)
    assert divergence(lambda x: x**2, np.ones((2, 3))) == 12
    assert divergence(lambda x: x, np.zeros(0)) == 0


def test_laplacian():
    expression = sympy.exp(X * Y) * sympy.sin(Z) + X**4 / (1 + Y**2)
    f = lambda x: ad.exp(x[0] * x[1]) * ad.sin(x[2]) + x[0] ** 4 / (1 + x[1] ** 2)  # noqa: E731
    right = at_point(sum(sympy.diff(expression, s, 2) for s in XYZ))
    found = laplacian(f, POINT)
    assert type(found) is float
    assert found == pytest.approx(right, rel=1e-13)
    assert found == pytest.approx(np.trace(ad.hessian(f)(POINT)), rel=1e-13)
    of_field = [at_point(sum(sympy.diff(f, s, 2) for s in XYZ)) for f in FIELD]
    np.testing.assert_allclose(laplacian(field, POINT), of_field, rtol=1e-13)
    many = np.linspace(0, 1, 150).reshape(3, 50)
    assert laplacian(lambda x: (x**3).sum() + x[0, 0] * x[2, 7], many) == pytest.approx(6 * many.sum(), rel=1e-14)
    assert laplacian(lambda x: {"a": (x**2).sum(), "b": (x[0] ** 2, x)}, POINT)["a"] == 6
    assert laplacian(lambda x: (x**2.5).sum(), POINT**2) == pytest.approx((3.75 * abs(POINT)).sum(), rel=1e-13)
    # Harmonic: 1 / r away from its pole.
    assert laplacian(lambda x: 1 / ad.sqrt((x * x).sum()), POINT) == pytest.approx(0, abs=1e-14)
    assert laplacian(lambda x: (x**2).sum(), np.zeros(0)) == 0
    assert laplacian(lambda x: 3.0, POINT) == 0


def test_they_can_be_differentiated(rng):
    """Of a parameter that is closed over, and of the point."""
    w = ad.Tensor(rng.normal(size=3))
    y = divergence(lambda x: w * ad.sin(x), POINT) + laplacian(lambda x: (w * x**3).sum(), POINT)
    y.backward()
    np.testing.assert_allclose(w.grad, np.cos(POINT) + 6 * POINT, rtol=1e-13)
    found = ad.grad(lambda x: laplacian(lambda x: (x**4).sum(), x))(POINT)
    np.testing.assert_allclose(found, 24 * POINT, rtol=1e-13)
    ad.testing.check_gradients(lambda x: laplacian(lambda x: ad.exp(ad.sin(x).sum()), x), POINT)
    ad.testing.check_gradients(lambda x, v: directional_derivative(field, x, v, 2), POINT, rng.normal(size=3))
    ad.testing.check_gradients(lambda x: divergence(field, x), POINT)


def test_perturbations_are_not_confused():
    """d/dx [x d/dy (x + y)] = 1, and its likes of higher orders."""
    assert derivative(lambda x: x * derivative(lambda y: x + y, 1.0), 1.0) == 1
    assert derivative(lambda x: x * derivative(lambda y: (x + y) ** 3, 1.0, 2), 1.0, 2) == 12
    assert ad.grad(lambda x: x * derivative(lambda y: (x * y) ** 3, 1.0, 3))(2.0) == 4 * 6 * 8
    assert derivative(lambda x: ad.grad(lambda y: x**4 * y**2)(1.0), 1.0, 3) == 48


def test_inside_vmap_and_compile():
    points = np.array([POINT, 2 * POINT])
    found = ad.vmap(lambda x: laplacian(lambda x: (x**4).sum(), x))(points)
    np.testing.assert_allclose(found, 12 * (points**2).sum(1))
    compiled = ad.compile(lambda x: laplacian(lambda x: (x**4).sum(), x) + divergence(field, x))
    for x in points:
        right = 12 * (x**2).sum() + divergence(field, x)
        assert compiled(x).item() == pytest.approx(right)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: derivative(ad.sin, 1.0, -1), ad.errors.ArgumentError, "derivative got n=-1: how often"),
        (lambda: derivative(ad.sin, 1.0, 1.5), ad.errors.ArgumentError, "n=1.5"),
        (lambda: derivative(ad.sin, "a"), ad.errors.KindError, "derivative got a str as x"),
        (lambda: derivative(ad.sin, {"a": 1.0}), ad.errors.KindError, "derivative got a dict as x"),
        (lambda: derivative(ad.sin, np.arange(3)), ad.errors.KindError, "an array of int64"),
        (lambda: derivative(lambda x: None, 1.0), ad.errors.KindError, "derivative needs f to return .* returned None"),
        (lambda: derivative(lambda x: "1", 1.0, 2), ad.errors.KindError, "it returned a str"),
        (lambda: laplacian(lambda x: None, POINT), ad.errors.KindError, "laplacian needs f .* returned None"),
        (
            lambda: directional_derivative(ad.sin, POINT, np.ones(2), 0),
            ad.errors.ShapeError,
            r"direction of shape \(2,\) was given",
        ),
        (lambda: directional_derivative(ad.sin, 1.0, 1.0, -1), ad.errors.ArgumentError, "n=-1"),
        (
            lambda: directional_derivative(ad.sin, POINT, np.ones(2), 2),
            ad.errors.ShapeError,
            r"direction of shape \(2,\) was given for a value of shape \(3,\)",
        ),
        (lambda: directional_derivative(ad.sin, (1.0, 2.0), (1.0,), 2), ad.errors.ShapeError, "must agree"),
        (
            lambda: divergence(lambda x: x.sum(), POINT),
            ad.errors.ShapeError,
            r"takes shape \(3,\) and returns shape \(\)",
        ),
        (lambda: divergence(ad.sin, 1.0), ad.errors.KindError, r"a float as x; it takes an array.*derivative\(f, x\)"),
        (lambda: divergence(3, POINT), ad.errors.KindError, "divergence was given a int"),
        (lambda: laplacian(ad.sin, 1.0), ad.errors.KindError, r"it takes an array.*derivative\(f, x, 2\)"),
        (lambda: laplacian(ad.sin, np.arange(3)), ad.errors.KindError, "an array of int64"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_directions_may_be_lists() -> None:
    for x in ([1.0, 2.0], np.array([1.0, 2.0])):
        assert directional_derivative(lambda x: (x**3).sum(), x, [1, 0]) == 3.0
        assert directional_derivative(lambda x: (x**3).sum(), x, [0, 1.0], n=2) == 12.0
