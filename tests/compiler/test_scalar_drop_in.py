"""Tapes of single numbers, compiled: what goes in and comes out is what it is where nothing is compiled."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.compiler.naming import Names
from autodiff.compiler.scalar.printing import Page
from autodiff.core.rule import TABLE


def numbers(n=400, seed=0):
    return [Value(x) for x in np.random.default_rng(seed).uniform(0.2, 0.9, size=n).tolist()]


def is_levelled(compiled):
    return "calls on arrays" in compiled.source


def gradients(f, params, *args):
    """The result and what a sweep leaves, to the last bit."""
    for p in params:
        p.grad = None
    y = f(*args)
    if isinstance(y, Value | Tensor) and y.requires_grad:
        y.backward()
    return type(y).__name__.removeprefix("Compiled"), repr(getattr(y, "data", y)), [repr(p.grad) for p in params]


CONSTANTS = [math.inf, -math.inf, math.nan, 3, True, None, "it's", Fraction(1, 3), np.float64("nan"), 2 - 0j]


def test_constants_are_returned_as_they_are():
    def f(xs):
        return sum(x * x * 1.5 for x in xs), CONSTANTS, np.array([1.0, math.nan]), np.arange(40)

    compiled = ad.compile(f)
    xs = numbers()
    y, constants, short, long = compiled(xs)
    assert y.item() == f(xs)[0].item()
    assert repr(constants) == repr(CONSTANTS)
    np.testing.assert_array_equal(short, [1.0, math.nan])
    short[0] = long[0] = 7  # the caller's own
    _, _, short, long = compiled(xs)
    assert short[0] == 1
    assert long[0] == 0
    assert is_levelled(compiled)


def test_infinite_constants():
    def f(xs):
        return sum(ad.minimum(x, math.inf) + x**math.inf + ad.where(x > 2.0, math.nan, x) for x in xs)

    compiled = ad.compile(f)
    xs = numbers()
    assert gradients(compiled, xs, xs) == gradients(f, xs, xs)
    assert is_levelled(compiled)


def test_a_chain_of_sums_with_an_infinity_in_it():
    def f(xs):
        return sum(sum([x, math.inf, math.inf]) * 0.5 for x in xs)

    xs = numbers()
    assert gradients(ad.compile(f), xs, xs) == gradients(f, xs, xs)


def test_options_that_are_equal_and_not_the_same():
    """``0.0 == -0.0``, but a slope of -0.0 turns the sign of a zero."""

    def f(xs):
        flat = [(ad.leaky_relu(-x, 0.0), ad.leaky_relu(-x, -0.0)) for x in xs]
        return sum(ad.copysign(x, a) + ad.copysign(2 * x, b) for x, (a, b) in zip(xs, flat, strict=True))

    compiled = ad.compile(f)
    xs = numbers()
    assert gradients(compiled, xs, xs) == gradients(f, xs, xs)
    assert is_levelled(compiled)


def test_equal_constants_of_two_shapes_are_two():
    page, x = Page(), np.arange(6.0)
    assert page.constant("x", x) == page.constant("x", x.copy()) != page.constant("x", x.reshape(2, 3))


def test_a_value_that_is_given_twice_adds_up_as_it_does_eagerly():
    def f(xs):
        return sum((x * (0.1 * k)).tanh() for k, x in enumerate(xs))

    compiled = ad.compile(f)
    a, b = numbers(2)
    for xs in ([a] * 400, [a, b] * 200, [b] * 399 + [a], numbers()):
        assert gradients(compiled, [a, b], xs) == gradients(f, [a, b], xs)
    assert is_levelled(compiled)


def test_a_tensor_that_is_given_twice_adds_up_as_it_does_eagerly():
    def f(x, y, z):
        return (ad.tanh(x @ y) * z * x + ad.exp(y)).sum()

    compiled = ad.compile(f)
    t, u = (Tensor(np.random.default_rng(k).normal(size=(3, 3))) for k in (0, 1))
    for args in ((t, t, t), (t, u, t), (u, t, t), (t, u, u), (t, t, u), (t, t, t)):
        assert gradients(compiled, [t, u], *args) == gradients(f, [t, u], *args)
    assert len(compiled._special) == 4


def test_nothing_warns_while_rules_are_tried():
    compiled = ad.compile(lambda xs: sum(x * np.float64(1 / 3) for x in xs))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled(numbers())
    assert is_levelled(compiled)


@pytest.mark.parametrize("rule", [r for r in TABLE.values() if r.entrywise], ids=lambda r: r.name)
def test_every_rule_of_one_number(rule):
    """Whatever a rule makes of a number, a node or a plain answer, and of whichever kind, or that it refuses it."""

    def f(x):
        return rule.op(*[x] * len(rule.inputs))

    for number in (0.5, 2.0, -1.3, 3):
        x = Value(number)
        try:
            expected = gradients(f, [x], x)
        except Exception as error:
            with pytest.raises(type(error)):
                gradients(ad.compile(f), [x], x)
        else:
            assert gradients(ad.compile(f), [x], x) == expected


def test_a_branch_that_was_not_recorded_gives_a_gradient_of_the_same_kind():
    f = ad.compile(lambda x: ad.where(x > 0, x, 2.0))
    assert gradients(f, [x := Value(1.0)], x)[2] == ["1.0"]
    assert gradients(f, [x := Value(-1.0)], x)[2] == ["0.0"]


def test_what_is_detached_is_a_value_and_what_is_stopped_a_number():
    compiled = ad.compile(lambda x: (x.detach(), ad.stop_gradient(x), x > 0))
    detached, stopped, positive = compiled(Value(0.5))
    assert (type(detached), type(stopped), positive) == (Value, float, True)


@pytest.mark.parametrize("p", [math.inf, -math.inf, math.nan])
def test_a_power_of_one_number_to_what_is_no_number(p):
    x = Value(0.5)
    assert gradients(ad.compile(lambda x: x**p), [x], x) == gradients(lambda x: x**p, [x], x)


def test_names_are_numbered_on():
    names = Names()
    assert [names.unused("x") for _ in range(3)] == ["x", "x2", "x3"]
    assert [names.unused("x", numbered=True) for _ in range(2)] == ["x1", "x4"]
    assert names.unused("np") == "np2"
