"""What makes no sense is refused with a typed error that names it: in every function of calculus, and beside it."""

import math

import numpy as np
import pytest

import autodiff as ad
from autodiff import calculus
from autodiff.interop import scipy as in_scipy
from autodiff.interop import sympy as in_sympy
from autodiff.testing import compare_derivatives, in_digits

V = np.array([1.0, 2.0])
T = np.array([0.0, 0.5, 1.0])


def square(x):
    return x * x


def total(x):
    return (x**2).sum()


def rate(t, y):
    return -y


ODD = {
    "None": None,
    "text": "a",
    "bytes": b"x",
    "set": set(),
    "object": object(),
    "type": int,
    "slice": slice(2),
    "ellipsis": ...,
    "array of text": np.array(["a"]),
    "array of objects": np.array([object()]),
    "rows of different lengths": [1.0, [2.0]],
    "dict": {"a": "b"},
    "generator": (x for x in [1.0]),
    "complex": 1j,
    "nan": math.nan,
    "negative": -1,
}
NO_NUMBERS = [name for name in ODD if name not in ("complex", "nan", "negative")]
NO_DEFAULT = [name for name in ODD if name != "None"]
NO_SEEDS = [name for name in NO_DEFAULT if name not in ("array of objects", "dict")]
RETURNED = ["None", "text", "set", "object", "array of text", "generator"]

ASKED = {
    "derivative of f": (lambda odd: calculus.derivative(lambda x: odd, 1.0), RETURNED),
    "derivative at x": (lambda odd: calculus.derivative(square, odd), NO_NUMBERS),
    "derivative n": (lambda odd: calculus.derivative(square, 1.0, odd), list(ODD)),
    "taylor of f": (lambda odd: calculus.taylor(lambda x: odd, 1.0, 2), RETURNED),
    "taylor at x": (lambda odd: calculus.taylor(square, odd, 2), [*NO_NUMBERS, "nan"]),
    "taylor order": (lambda odd: calculus.taylor(square, 1.0, odd), list(ODD)),
    "directional v": (
        lambda odd: calculus.directional_derivative(square, 1.0, odd),
        [n for n in NO_NUMBERS if n not in ("rows of different lengths", "array of text", "array of objects")],
    ),
    "directional x": (lambda odd: calculus.directional_derivative(square, odd, 1.0), ["None", "text", "set"]),
    "divergence of f": (lambda odd: calculus.divergence(lambda x: odd, V), [*RETURNED, "rows of different lengths"]),
    "divergence at x": (lambda odd: calculus.divergence(square, odd), [*NO_NUMBERS, "negative"]),
    "laplacian at x": (lambda odd: calculus.laplacian(total, odd), [*NO_NUMBERS, "negative"]),
    "condition of f": (
        lambda odd: calculus.condition_number(lambda x: odd, V),
        [*RETURNED, "rows of different lengths"],
    ),
    "condition at x": (lambda odd: calculus.condition_number(square, odd), NO_NUMBERS),
    "condition norm": (lambda odd: calculus.condition_number(square, V, norm=odd), NO_DEFAULT),
    "differences of f": (
        lambda odd: calculus.difference_table(lambda x: odd, 1.0),
        [*RETURNED, "complex", "rows of different lengths"],
    ),
    "differences at x": (lambda odd: calculus.difference_table(square, odd), [*NO_NUMBERS, "complex", "nan"]),
    "difference steps": (
        lambda odd: calculus.difference_table(square, 1.0, odd),
        [n for n in NO_DEFAULT if n not in ("generator", "bytes")],
    ),
    "fixed point": (lambda odd: calculus.fixed_point(ad.cos, odd), NO_NUMBERS),
    "fixed point rtol": (lambda odd: calculus.fixed_point(ad.cos, 1.0, rtol=odd), NO_DEFAULT),
    "root": (lambda odd: calculus.root(lambda x: x**2 - 2, odd), NO_NUMBERS),
    "root atol": (lambda odd: calculus.root(lambda x: x**2 - 2, 1.0, atol=odd), NO_DEFAULT),
    "root method": (lambda odd: calculus.root(lambda x: x**2 - 2, 1.0, method=odd), list(ODD)),
    "minimum": (lambda odd: calculus.minimize(total, odd), NO_NUMBERS),
    "minimum gtol": (lambda odd: calculus.minimize(total, V, gtol=odd), list(ODD)),
    "fit of residuals": (lambda odd: calculus.least_squares(lambda x: x - 1, odd), NO_NUMBERS),
    "sigma": (lambda odd: calculus.curve_fit(lambda x, a: a * x, V, V, [1.0], sigma=odd), NO_DEFAULT),
    "integrand": (lambda odd: calculus.integrate(lambda x: odd, 0.0, 1.0), [*RETURNED, "dict"]),
    "limit": (lambda odd: calculus.integrate(ad.exp, odd, 1.0), NO_NUMBERS),
    "points": (
        lambda odd: calculus.integrate(ad.exp, 0.0, 1.0, points=odd),
        ["None", "text", "object", "nan", "negative"],
    ),
    "Monte Carlo": (lambda odd: calculus.integrate(ad.exp, 0.0, 1.0, method="monte carlo", n=9, rng=odd), NO_SEEDS),
    "axis": (lambda odd: calculus.cumulative_trapezoid(T, axis=odd), [name for name in ODD if name != "negative"]),
    "Brownian path": (lambda odd: calculus.BrownianPath(T, rng=odd), NO_SEEDS),
    "random": (lambda odd: ad.random.normal(size=2, rng=odd), NO_SEEDS),
    "ODE times": (lambda odd: calculus.odeint(rate, 1.0, odd), list(ODD)),
    "SDE": (lambda odd: calculus.sdeint(rate, rate, 1.0, T, step=0.5, rng=odd), NO_SEEDS),
    "box": (lambda odd: calculus.project_box(odd, 0.0, 1.0), [*NO_NUMBERS, "complex"]),
    "lower": (lambda odd: calculus.project_box(V, odd, 1.0), [*NO_DEFAULT[:-2]]),
    "simplex": (lambda odd: calculus.project_simplex(odd), [*NO_NUMBERS, "complex"]),
    "simplex total": (lambda odd: calculus.project_simplex(V, odd), list(ODD)),
    "comparison of f": (lambda odd: compare_derivatives(lambda x: odd, 1.0), [*RETURNED, "complex", "nan"]),
    "comparison at x": (lambda odd: compare_derivatives(square, odd), [*NO_NUMBERS, "complex", "nan"]),
    "comparison with": (lambda odd: compare_derivatives(square, 1.0, odd), [n for n in NO_DEFAULT[:-2] if n != "type"]),
    "digits": (lambda odd: in_digits(square, 1.0, digits=odd), list(ODD)),
    "digits at x": (lambda odd: in_digits(square, odd), ["text", "object", "array of text", "complex"]),
    "SciPy's objective": (lambda odd: in_scipy.objective(total, odd), NO_NUMBERS),
    "SciPy's residuals": (lambda odd: in_scipy.residuals(square, odd), NO_NUMBERS),
    "SciPy's operator": (lambda odd: in_scipy.linear_operator(square, odd), NO_NUMBERS),
    "SymPy's symbols": (lambda odd: in_sympy.to_sympy(square, 1.0, symbols=odd), NO_DEFAULT),
    "SymPy's leaves": (lambda odd: in_sympy.leaf_symbols(odd), list(ODD)),
}


@pytest.mark.parametrize("asked", ASKED)
def test_odd_arguments_are_refused_by_name(asked):
    call, names = ASKED[asked]
    for name in names:
        with pytest.raises(ad.errors.AutodiffError) as caught:
            call(ODD[name])
        assert len(str(caught.value)) > 20, name


@pytest.mark.parametrize(
    "call",
    [
        *(calculus.derivative, calculus.divergence, calculus.laplacian, calculus.condition_number),
        *(calculus.difference_table, calculus.fixed_point, calculus.root, calculus.minimize, calculus.least_squares),
        *(compare_derivatives, in_digits, in_scipy.objective, in_scipy.residuals, in_scipy.linear_operator),
        *(in_scipy.nonlinear_constraint, lambda f, x: in_scipy.rhs(f), lambda f, x: calculus.taylor(f, x, 2)),
        *(lambda f, x: calculus.integrate(f, 0.0, 1.0), lambda f, x: calculus.odeint(f, x, T)),
        *(lambda f, x: calculus.sdeint(f, rate, x, T), lambda f, x: calculus.cumulative_integral(f, 0.0, T)),
        *(lambda f, x: calculus.curve_fit(f, V, V, x), lambda f, x: calculus.directional_derivative(f, x, x)),
    ],
)
def test_what_is_no_function_is_refused(call):
    for odd in (None, 3.0, "f", [square], V):
        with pytest.raises(ad.errors.KindError, match="function"):
            call(odd, V)
