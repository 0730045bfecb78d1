"""The derivatives of ``integrate``: by its limits and by what the function closes over, in both modes, to any order."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
import scipy.special
import sympy

import autodiff as ad
from autodiff.calculus.integrate import integrate
from autodiff.core import errors
from autodiff.testing import check_gradients

INF = math.inf
W = np.array([1.0, 2.0, 0.5])

INTEGRALS = {
    "parameter": (lambda w: integrate(lambda x: ad.sin(w * x), 0.0, 1.0), 2.0),
    "limits": (lambda a, b: integrate(lambda x: ad.exp(-x * x), a, b), 0.3, 1.4),
    "all three": (lambda a, b, w: integrate(lambda x: ad.exp(-w * x * x) * x, a, b), 0.3, 1.4, 1.2),
    "backwards": (lambda a, b, w: integrate(lambda x: ad.exp(-w * x), b, a), 0.3, 1.4, 1.2),
    "nothing to integrate": (lambda a, w: integrate(lambda x: ad.exp(-w * x), a, a), 0.3, W),
    "vectors": (lambda a, b, w: integrate(lambda x: ad.exp(-w * x), a, b), 0.3, 1.4, W),
    "to infinity": (lambda a, w: integrate(lambda x: ad.exp(-w * x), a, INF), 0.3, W),
    "from infinity": (lambda b, w: integrate(lambda x: ad.exp(w * x), -INF, b), 0.3, 1.3),
    "everywhere": (lambda w: integrate(lambda x: ad.exp(-w * (x - 0.2) ** 2), -INF, INF), 1.3),
    "singular": (lambda b, w: integrate(lambda x: ad.log(w * x), 0.0, b, rtol=1e-10), 0.7, 1.3),
    "vectorized": (lambda a, b, w: integrate(lambda x: ad.exp(-w * x), a, b, vectorized=True), 0.3, 1.4, 1.2),
    "complex": (lambda a, b, w: integrate(lambda x: ad.exp(1j * w * x), a, b), 0.3, 1.4, 1.2),
    "complex parameter": (lambda b, w: integrate(lambda x: ad.exp(w * x), 0.0, b), 1.4, 1.2 + 0.4j),
    "box": (
        lambda a, b, w: integrate(lambda x: ad.exp(-w * x[0]) * ad.cos(x[1] * w), a, b),
        np.array([0.3, 0.1]),
        np.array([1.4, 0.8]),
        1.3,
    ),
    "box of one axis": (lambda b, w: integrate(lambda x: ad.exp(-w * x[0]), [0.3], b), np.array([1.4]), 1.3),
    "vectorized box": (
        lambda b, w: integrate(lambda x: ad.exp(-w * x[:, 0] * x[:, 1]), [0, 0], b, vectorized=True),
        np.array([1.0, 0.5]),
        1.2,
    ),
    "nested": (
        lambda w, b: integrate(lambda y: integrate(lambda x: ad.exp(-w * x * y), 0.0, y), 0.0, b),
        1.2,
        1.0,
    ),
    "a derivative inside": (lambda w, b: integrate(lambda y: ad.grad(lambda z: ad.sin(w * z))(y), 0.0, b), 1.2, 1.0),
    "pieces": (
        lambda w, v: integrate(lambda x: ad.sin(w * x) if x < 0.5 else ad.cos(v * x), 0.0, 1.0, points=[0.5]),
        1.2,
        0.8,
    ),
    "constant on one side": (
        lambda w: integrate(lambda x: ad.sin(w * x) if x < 0.5 else 0.0, 0.0, 1.0, points=[0.5]),
        1.2,
    ),
    "monte carlo": (
        lambda a, b, w: integrate(lambda x: ad.exp(-w * x), a, b, method="monte carlo", n=30, rng=0),
        0.3,
        1.4,
        1.2,
    ),
    "monte carlo box": (
        lambda b, w: integrate(
            lambda x: ad.exp(-w * x[:, 0] * x[:, 1]), [0, 0], b, method="monte carlo", n=1500, rng=0, vectorized=True
        ),
        np.array([1.0, 0.5]),
        1.2,
    ),
}


@pytest.mark.parametrize("name", INTEGRALS)
def test_gradients(name):
    f, *args = INTEGRALS[name]
    takes_long = name in ("nested", "box", "vectorized box", "singular")
    check_gradients(f, *args, order=1 if takes_long else 2)


def test_leibniz():
    a, b = ad.Value(0.5), ad.Value(1.5)
    integrate(lambda x: math.exp(-x * x), a, b).backward()
    assert a.grad == -math.exp(-0.25)
    assert b.grad == math.exp(-2.25)
    far = ad.Value(INF)
    integrate(lambda x: math.exp(-x), a, far).backward()
    assert far.grad == 0.0


def test_the_incomplete_gamma_function_by_its_order():
    """Against mpmath, for the derivative has no closed form."""

    def lower(s, x):
        return integrate(lambda t: ad.exp((s - 1) * math.log(t) - t), 0.0, x, rtol=1e-10)

    value, (by_s, by_x) = ad.value_and_grad(lower, (0, 1))(2.5, 3.0)
    assert value == pytest.approx(scipy.special.gammainc(2.5, 3) * math.gamma(2.5), rel=1e-10)
    with mpmath.workdps(20):
        exact = mpmath.quad(lambda t: t**1.5 * mpmath.exp(-t) * mpmath.log(t), [0, 1, 3])
    assert by_s == pytest.approx(float(exact), rel=1e-9)
    assert by_x == pytest.approx(3**1.5 * math.exp(-3), rel=1e-14)


def test_the_hessian_of_limits_and_parameter():
    """F = (exp(w b) - exp(w a)) / w."""

    def exact(v):
        return (ad.exp(v[2] * v[1]) - ad.exp(v[2] * v[0])) / v[2]

    v = np.array([0.3, 1.2, 0.8])
    found = ad.hessian(lambda v: integrate(lambda x: ad.exp(v[2] * x), v[0], v[1]))(v)
    np.testing.assert_allclose(found, ad.hessian(exact)(v), rtol=1e-9)


def test_the_hessian_of_the_corners_of_a_box():
    """F = w (b0² - a0²) (b1² - a1²) / 4."""

    def exact(v):
        return v[4] * (v[2] ** 2 - v[0] ** 2) * (v[3] ** 2 - v[1] ** 2) / 4

    def found(v):
        return integrate(lambda x: v[4] * x[0] * x[1], v[:2], v[2:4])

    v = np.array([0.3, 0.2, 1.2, 0.8, 1.5])
    np.testing.assert_allclose(ad.grad(found)(v), ad.grad(exact)(v), rtol=1e-12)
    np.testing.assert_allclose(ad.hessian(found)(v), ad.hessian(exact)(v), rtol=1e-12)
    np.testing.assert_allclose(ad.jacobian(ad.grad(found))(v), ad.hessian(exact)(v), rtol=1e-12)


def test_a_moving_center():
    """Integrals of odd functions, which are 0: only rounding can say when it is enough."""
    slopes = ad.grad(lambda m: integrate(lambda x: ad.exp(-((x - m) ** 2)), -INF, INF))(0.2)
    assert slopes == pytest.approx(0, abs=1e-12)


def test_third_derivatives():
    third = ad.grad(ad.grad(ad.grad(lambda w: integrate(lambda x: ad.exp(w * x), 0.0, 1.0))))(0.7)
    with mpmath.workdps(20):
        assert third == pytest.approx(float(mpmath.quad(lambda x: x**3 * mpmath.exp(0.7 * x), [0, 1])), rel=1e-9)


@pytest.mark.parametrize("end", ["b", "2b", "-b", "b squared"])
def test_limits_made_of_what_the_function_closes_over(end):
    """To the third order, in every mixture of modes: what the function closes over is apart from where it is asked."""
    at = {"b": lambda b: b, "2b": lambda b: 2 * b, "-b": lambda b: -b, "b squared": lambda b: b * b}[end]
    x, b = sympy.symbols("x b")
    closed = sympy.integrate(sympy.exp(b * x), (x, 0, at(b)))

    def forward(f):
        return lambda v: ad.jvp(f, (v,), (1.0,))[1]

    for modes in itertools.product((ad.grad, forward), repeat=3):
        f, exact = (lambda b: integrate(lambda x: ad.exp(b * x), 0.0, at(b))), closed
        for mode in modes:
            f, exact = mode(f), sympy.diff(exact, b)
            assert f(0.7) == pytest.approx(float(exact.subs(b, 0.7)), rel=1e-8)


def test_the_derivative_is_refined_where_it_needs_it():
    """The value is easy, the derivative has a peak that the value lacks: its intervals are its own."""
    w = ad.Value(0.0)
    y = integrate(lambda x: 1.0 + ad.sin(w / ((x - 0.3) ** 2 + 1e-4)), 0.0, 1.0)
    y.backward()
    assert w.grad == pytest.approx(100 * (math.atan(70) + math.atan(30)), rel=1e-8)
    first = w.grad
    y.backward()
    assert w.grad == 2 * first  # the intervals of the value are still what they were


def test_a_derivative_is_asked_at_many_points_at_once():
    """Where the function takes them; else one by one, and to the same end."""
    calls, w = [], ad.Tensor(W)

    def smooth(x):
        calls.append(x)
        return ad.exp(-w * x) * np.sqrt(x)

    def by_math(x):
        return ad.exp(-w * x) * math.sqrt(x)

    def by_kind(x):
        return ad.exp(-w * x) * np.sqrt(x) * (1.0 if isinstance(x, float) else 2.0)

    def by_half(x):
        return ad.exp(-w * x) * np.sqrt(x) * (1.0 if isinstance(x, float) else np.sign(1.0 - x))

    found = []
    for f in (smooth, by_math, by_kind, by_half):
        y = integrate(f, 0.0, 2.0).sum()
        w.grad = None
        before = len(calls)
        y.backward()
        found.append(w.grad)
        assert f is not smooth or len(calls) < before + 20
    exact = [-scipy.special.gamma(2.5) * scipy.special.gammainc(2.5, 2 * c) * c**-2.5 for c in W]
    np.testing.assert_allclose(found, [exact] * 4, rtol=1e-8)


def test_each_parameter_meets_the_tolerance_by_itself():
    small, large = ad.Value(1e-12), ad.Value(1.0)
    integrate(lambda x: large * x * 1e12 + ad.sin(small * abs(x - 0.3) ** 0.5), 0.0, 1.0).backward()
    assert large.grad == pytest.approx(5e11, rel=1e-12)
    assert small.grad == pytest.approx(2 / 3 * (0.3**1.5 + 0.7**1.5), rel=1e-8)


def test_kinds():
    w = ad.Tensor(np.array([2.0, 1.0], np.float32))
    y = integrate(lambda x: ad.sin(w * x), 0, 1)
    y.sum().backward()
    assert y.dtype == w.grad.dtype == np.float32
    exact = [math.sin(2) / 2 - (1 - math.cos(2)) / 4, math.sin(1) + math.cos(1) - 1]
    np.testing.assert_allclose(w.grad, exact, rtol=1e-5)
    v = ad.Value(2.0)
    assert isinstance(integrate(lambda x: v * x, 0, 1), ad.Value)
    assert isinstance(integrate(lambda x: x, 0, v), ad.Value)
    assert isinstance(integrate(lambda x: x, 0, ad.Tensor(2.0)), ad.Tensor)
    assert integrate(lambda x: x[0], [0, v], [1, 3]).item() == pytest.approx(0.5)
    mixed = integrate(lambda x: w.sum() * v * x, 0, 1)
    mixed.backward()
    assert v.grad == pytest.approx(1.5)
    with ad.no_grad():
        y = integrate(lambda x: v * x, 0, 1)
    assert y.item() == pytest.approx(1.0)
    assert not y.requires_grad
    empty = ad.Tensor(np.zeros(0))
    y = integrate(lambda x: v * x + empty.sum(), 0, 1)
    y.backward()
    assert empty.grad.shape == (0,)
    v.grad = None
    integrate(lambda x: v * x, 0, 1, full_output=True).value.backward()
    assert v.grad == pytest.approx(0.5)


def test_one_node_stands_for_the_integral():
    w = ad.Value(2.0)
    y = integrate(lambda x: ad.sin(w * x), 0.0, 1.0)
    assert len(ad.Tape(y)) == 2
    assert [node.rule.name for node in ad.Tape(y) if node.rule] == ["integrate"]


def test_vmap_takes_one_after_another():
    found = ad.vmap(lambda w: integrate(lambda x: ad.sin(w * x), 0.0, 1.0))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(found, [1 - math.cos(1), (1 - math.cos(2)) / 2], rtol=1e-12)
    found = ad.vmap(lambda b: integrate(math.sin, 0.0, b))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(found, [1 - math.cos(1), 1 - math.cos(2)], rtol=1e-12)


def test_monte_carlo_gradients_are_those_of_its_points():
    def price(w):
        return integrate(lambda x: ad.exp(w * x), 0.0, 1.0, method="monte carlo", n=4000, rng=1)

    u = np.random.default_rng(1).random(4000)
    assert ad.grad(price)(0.5) == pytest.approx(np.mean(u * np.exp(0.5 * u)), rel=1e-12)
    assert ad.grad(ad.grad(price))(0.5) == pytest.approx(np.mean(u**2 * np.exp(0.5 * u)), rel=1e-12)


# What could be silently wrong.


def test_what_was_changed_since_is_an_error():
    w = ad.Tensor([1.0, 2.0])
    y = integrate(lambda x: (w * x).sum(), 0.0, 1.0)
    w.data = np.array([3.0, 4.0])
    with pytest.raises(errors.StaleDataError):
        y.backward()
    v = w * 1.0
    y = integrate(lambda x: (v * x).sum(), 0.0, 1.0)
    v[0] = 7.0
    with pytest.raises(errors.StaleDataError, match="closes over was changed after"):
        y.backward()


def test_a_variable_that_means_something_else_is_an_error():
    w = ad.Value(2.0)
    y = integrate(lambda x: x * w, 0.0, 1.0)
    kept, w = w, ad.Value(2.0)
    with pytest.raises(errors.TapeError, match="uses a tracked value that it did not use before"):
        y.backward()
    factor = 1.0
    y = integrate(lambda x: x * kept * factor, 0.0, 1.0)
    factor = 2.0
    with pytest.raises(errors.TapeError, match=r"gave another result at x = .* when it was asked again"):
        y.backward()


def test_a_jump_that_moves_is_an_error():
    """Its part of the derivative is not in the function's; two integrals that meet there have it."""

    def at_once(c):
        return integrate(lambda x: 3.0 * c if x > c else c, 0.0, 1.0, points=[c])

    def in_two(c):
        return integrate(lambda x: c, 0.0, c) + integrate(lambda x: 3.0 * c, c, 1.0)

    with pytest.raises(errors.ArgumentError, match=r"points=\[\.\.\.\] with a tracked one, .* Give two integrals"):
        ad.grad(at_once)(0.3)
    assert ad.grad(in_two)(0.3) == pytest.approx(3 - 4 * 0.3, rel=1e-12)  # of 3 c - 2 c²


def test_random_functions_are_found_out():
    rng, w = np.random.default_rng(0), ad.Value(1.0)
    y = integrate(lambda x: w * rng.random(), 0.0, 1.0, rtol=1.0)
    with pytest.raises(errors.TapeError, match="It may draw random numbers"):
        y.backward()


def test_assigning_from_inside_is_an_error():
    w = ad.Tensor([1.0]) * 1.0

    def f(x):
        w[0] = x
        return w.sum()

    with pytest.raises(errors.TapeError):
        integrate(f, 0.0, 1.0)


@pytest.mark.parametrize("f", [lambda x: 1 / math.sqrt(x), math.log, ad.log])
def test_a_limit_where_the_function_is_singular(f):
    b = ad.Value(0.0)
    y = integrate(f, b, 1.0)
    with pytest.raises(
        errors.NotFiniteError, match=r"by a limit is the value .* which raised .* at x = 0\.0\. Let the"
    ):
        y.backward()


def test_errors_in_a_derivative():
    with pytest.raises(errors.LeavingTapeError, match=r"ad\.sin"):
        ad.grad(ad.grad(lambda b: integrate(math.sin, 0.0, b)))(1.0)
    w = ad.Value(0.0)
    y = integrate(lambda x: 1.0 + ad.sin(w / x), 0.0, 1.0)
    with pytest.raises(errors.ConvergenceError, match="may not be integrable") as caught:
        y.backward()
    assert caught.value.reached.value > 1
