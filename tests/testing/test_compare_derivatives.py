"""The derivative in every way, and in 50 digits: compare_derivatives and in_digits."""

import math
import sys
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy as sp

import autodiff as ad
from autodiff.calculus.taylor import taylor
from autodiff.core.errors import ArgumentError, KindError, MissingExtraError, NotFiniteError, ShapeError
from autodiff.testing import compare_derivatives, in_digits

METHODS = {"reverse", "forward", "complex step", "central difference", "Richardson", "SymPy", "mpmath"}


def summed(x):
    total = 0
    for k in range(1, 30):
        total = total + ad.sin(k * x) / k**2
    return total


@pytest.mark.parametrize(
    ("f", "x", "analytic"),
    [
        (lambda x: x**2 + 2 * x + 1, 3.0, lambda x: 2 * x + 2),
        (lambda x: ad.exp(-(x**2)), 0.7, lambda x: -2 * x * math.exp(-(x**2))),
        (lambda x: ad.log(x) / ad.sqrt(x), 40.0, lambda x: (1 - math.log(x) / 2) / x**1.5),
        (summed, 0.3, lambda x: sum(math.cos(k * x) / k for k in range(1, 30))),
    ],
)
def test_every_method_agrees(f, x, analytic):
    table = compare_derivatives(f, x, analytic)
    assert set(table.values) == METHODS | {"analytic"}
    assert table.missing == {}
    assert table.best == "mpmath"
    for method, bound in {"reverse": 1e-13, "forward": 1e-13, "analytic": 1e-13, "SymPy": 1e-30}.items():
        assert table.errors[method][0] < bound
    for method, bound in {"complex step": 1e-13, "Richardson": 1e-9, "central difference": 1e-8}.items():
        assert table.errors[method][0] < bound
    table.require()


def test_an_array_by_each_entry():
    x = np.array([[0.5, 1.5], [2.0, -1.0]])
    table = compare_derivatives(lambda x: (x**2).sum() * x[0, 1] / x[1, 0], x)
    assert table.entries == ["x[0, 0]", "x[0, 1]", "x[1, 0]", "x[1, 1]"]
    assert set(table.values) == METHODS
    table.require()
    np.testing.assert_allclose([float(d) for d in table.values["mpmath"]], [0.75, 6, 0.1875, -1.5])


@pytest.mark.parametrize(
    ("f", "in_sympy"),
    [
        (
            lambda x: (ad.sin(x) * ad.exp(-(x**2))).sum(),
            lambda a, b: sp.sin(a) * sp.exp(-a * a) + sp.sin(b) * sp.exp(-b * b),
        ),
        (lambda x: ad.log(ad.sqrt(x) @ x), lambda a, b: sp.log(sp.sqrt(a) * a + sp.sqrt(b) * b)),
        (
            lambda x: ad.prod(np.tanh(x)) / ad.sqrt(ad.dot(x, x)),
            lambda a, b: sp.tanh(a) * sp.tanh(b) / sp.sqrt(a * a + b * b),
        ),
        (lambda x: ad.sum(ad.cumsum(x), keepdims=True), lambda a, b: 2 * a + b),
    ],
)
def test_functions_of_arrays_in_every_way(f, in_sympy):
    """Symbols and mpmath numbers in an array are given to the functions of NumPy as well: to 40 digits."""
    a, b = sp.symbols("a b", positive=True)
    at = {a: sp.Rational(1, 2), b: sp.Rational(5, 4)}
    table = compare_derivatives(f, np.array([0.5, 1.25]))
    assert set(table.values) == METHODS
    table.require()
    for k, s in enumerate((a, b)):
        exact = sp.diff(in_sympy(a, b), s).subs(at).evalf(50)
        with mpmath.workdps(50):
            for method in ("SymPy", "mpmath"):
                assert abs(mpmath.mpf(table.values[method][k]) - mpmath.mpf(exact)) < mpmath.mpf(10) ** -40


def test_of_a_tensor_and_at_tiny_numbers():
    assert compare_derivatives(lambda x: (x**2).sum(), ad.Tensor([3.0, 1.0])).values["mpmath"] == [6, 2]
    assert compare_derivatives(ad.log, 1e-60).errors["reverse"][0] < 1e-15
    assert "beside x it is complex" in compare_derivatives(ad.sqrt, 0.0).missing["mpmath"]


@pytest.mark.parametrize("x", [1e-100, 1e-20, 1e-8, 1e-3, 0.3, 2.0, 1e6])
@pytest.mark.parametrize(
    ("f", "right"),
    [
        (lambda x: 1 / x, lambda x: -1 / x**2),  # changes on the scale of x
        (lambda x: 1 + ad.sin(x), lambda x: math.cos(x)),  # on that of 1
        (lambda x: ad.sqrt(x + 1e-6), lambda x: 0.5 / math.sqrt(x + 1e-6)),  # on one between
    ],
)
def test_steps_fit_the_scale_of_the_function(f, right, x):
    table = compare_derivatives(f, x)
    assert float(table.values["mpmath"][0]) == pytest.approx(right(x), rel=1e-13)
    assert len(table.values) == len(METHODS)
    table.require(1e-7)


def test_what_is_missing_is_said():
    table = compare_derivatives(ad.linalg.det, np.eye(2))
    assert table.best == "reverse"
    assert "no SymPy: f takes no symbols" in str(table)
    assert "no mpmath: f takes no mpmath numbers" in str(table)
    table = compare_derivatives(lambda x: ad.real(x) ** 2, 2.0)
    assert "f takes no complex numbers (KindError: it dropped the imaginary part)" in table.missing["complex step"]
    table = compare_derivatives(lambda x: math.sin(x), 2.0)
    assert "f cannot be recorded" in table.missing["reverse"]
    assert table.best == "Richardson"


def test_a_wrong_formula_is_seen():
    with pytest.raises(AssertionError, match=r"Derivatives disagree: analytic and mpmath\.\nderivative by"):
        compare_derivatives(ad.sin, 1.0, 0.54).require()
    with pytest.raises(AssertionError, match="Derivatives disagree: complex step and mpmath"):
        compare_derivatives(lambda x: ad.abs(x) * x, 2.0).require()


def test_without_the_packages(monkeypatch):
    for package in ("sympy", "mpmath"):
        monkeypatch.setitem(sys.modules, package, None)
    table = compare_derivatives(ad.sin, 1.0)
    assert table.missing["SymPy"] == "the package sympy is not installed"
    assert table.missing["mpmath"] == "the package mpmath is not installed"
    with pytest.raises(MissingExtraError, match=r"autodiff-tape\[mpmath\]"):
        in_digits(ad.sin, 1.0)


def test_errors_of_compare_derivatives():
    with pytest.raises(ShapeError, match=r"one real number, it returned shape \(2,\)"):
        compare_derivatives(ad.sin, np.ones(2))
    with pytest.raises(ShapeError, match=r"x has shape \(\), analytic has shape \(2,\)"):
        compare_derivatives(ad.sin, 1.0, [1.0, 2.0])
    with pytest.raises(KindError, match="it takes a real number or an array of them"):
        compare_derivatives(ad.sin, 1j)
    for nothing, text in ((None, "None"), ("1", "a str"), ([1.0], "a list"), (1j, "a complex")):
        with pytest.raises(ShapeError, match=f"one real number, it returned {text}"):
            compare_derivatives(lambda x, nothing=nothing: nothing, 1.0)
    for formula in (2j, "2", lambda x: None):
        with pytest.raises(KindError, match=r"compare_derivatives got analytic=.*; it is made of real numbers"):
            compare_derivatives(ad.sin, 1.0, formula)
    with pytest.raises(NotFiniteError, match=r"f is nan at x\. Give a point"):
        compare_derivatives(lambda x: x * math.nan, 1.0)
    with pytest.raises(NotFiniteError, match=r"the function raised ValueError .* at x = 0.0\. Give a point"):
        compare_derivatives(ad.log, 0.0)
    with pytest.raises(KindError, match="compare_derivatives was given a int; it takes a function"):
        compare_derivatives(3, 1.0)
    with pytest.raises(ArgumentError, match="every entry must be finite"):
        compare_derivatives(ad.sin, math.nan)


def test_digits_of_a_cancelling_program():
    table = in_digits(lambda x: (1 - ad.cos(x)) / x**2, 1e-6)
    with mpmath.workdps(50):
        x = mpmath.mpf(1e-6)
        assert abs(table.exact[0] - (1 - mpmath.cos(x)) / x**2) < mpmath.mpf(10) ** -36
        assert abs(table.exact[1] - mpmath.diff(lambda t: 2 * (mpmath.sin(t / 2) / t) ** 2, x)) < 1e-25
    assert table.right[0] < 6
    stable = in_digits(lambda x: 2 * (ad.sin(x / 2) / x) ** 2, 1e-6)
    assert stable.right[0] > 15
    assert "all" in str(in_digits(lambda x: x * 2, 0.5))


def solved(a, b):
    """Gaussian elimination on lists of numbers, without pivots."""
    a, b = [list(row) for row in a], list(b)
    n = len(b)
    for k in range(n):
        for i in range(k + 1, n):
            m = a[i][k] / a[k][k]
            a[i] = [x - m * y for x, y in zip(a[i], a[k], strict=True)]
            b[i] = b[i] - m * b[k]
    for k in reversed(range(n)):
        for j in range(k + 1, n):
            b[k] = b[k] - a[k][j] * b[j]
        b[k] = b[k] / a[k][k]
    return b


def test_linear_algebra_of_lists_in_50_digits():
    """The gradient of an entry of a solution of a Hilbert system, against inv(A) of mpmath: 48 digits."""
    n = 6
    rows = [[1 / (i + j + 1) for j in range(n)] for i in range(n)]
    table = in_digits(lambda b, a: solved(a, b)[0], [1.0] * n, rows)
    with mpmath.workdps(60):
        first = mpmath.inverse(mpmath.matrix([[mpmath.mpf(v) for v in row] for row in rows]))[0, :]
        for j in range(n):
            assert abs(table.exact[1 + j] / first[j] - 1) < mpmath.mpf(10) ** -42
    assert all(6 < digits < 17 for digits in table.right[:7])


def test_the_transforms_keep_50_digits():
    """Value, derivative, jvp, grad, vjp and second derivatives of loops and special functions on mpf."""

    def f(x):
        for _ in range(3):
            x = ad.sin(x) + ad.exp(-x) / 3
        return x * ad.erf(x) + ad.gammaln(x + 2) + ad.log1p(x)

    def reference(x):
        for _ in range(3):
            x = mpmath.sin(x) + mpmath.exp(-x) / 3
        return x * mpmath.erf(x) + mpmath.loggamma(x + 2) + mpmath.log1p(x)

    with mpmath.workdps(50):
        x = mpmath.mpf(2) / 3
        first, second = (mpmath.diff(reference, x, n) for n in (1, 2))
        leaf = ad.Value(x)
        f(leaf).backward()
        near = mpmath.mpf(10) ** -45
        assert abs(f(leaf).item() - reference(x)) < near
        for slope in (leaf.grad, ad.grad(f)(x), ad.jvp(f, (x,), (mpmath.mpf(1),))[1], ad.derivative(f, x)):
            assert isinstance(slope, mpmath.mpf)
            assert abs(slope - first) < near
        for ours, theirs in zip(taylor(f, x, 3), mpmath.taylor(reference, x, 3), strict=True):
            assert abs(ours - theirs) < mpmath.mpf(10) ** -35
        for curvature in (ad.grad(ad.grad(f))(x), ad.derivative(f, x, 2)):
            assert abs(curvature - second) < mpmath.mpf(10) ** -40


def test_errors_of_in_digits():
    with pytest.raises(KindError, match=r"mpmath has no arrays\. Give a list of numbers"):
        in_digits(ad.sum, np.ones(3))
    for digits in (10, 30.5, "30"):
        with pytest.raises(ArgumentError, match="a whole number from 20"):
            in_digits(ad.sin, 1.0, digits=digits)
    for x in (1j, "a"):
        with pytest.raises(KindError, match=r"in_digits got a (complex|str), .*; it takes real numbers"):
            in_digits(ad.sin, x)
    with pytest.raises(KindError, match="turned mpmath numbers into a float on its way"):
        in_digits(lambda x: float(x.item()), 1.0)
    assert in_digits(lambda a, b: a * b, 2.0, Fraction(1, 2)).names == ["value", "by argument 0", "by argument 1"]
