"""Planted wrong rules: each check must catch what it is for."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.op import primitive
from autodiff.core.rule import TABLE, sample
from autodiff.ops.families import elementwise, linear
from autodiff.testing import (
    check_complete,
    check_dtype,
    check_forward,
    check_gradients,
    check_jvp,
    check_not_mutated,
    check_numbers,
    check_rule,
    check_second_order,
    check_vjp,
)


@pytest.fixture(autouse=True)
def table_as_it_was():
    before = dict(TABLE)
    yield
    TABLE.clear()
    TABLE.update(before)


def planted(forward, vjp=None, jvp=None, **options):
    op = primitive("y", **options)(forward)
    if vjp:
        op.def_vjp(vjp)
    if jvp:
        op.def_jvp(jvp)
    op.def_samples(lambda rng: iter([sample(np.arange(1.0, 4.0))]))
    return op


def squared(x, /):
    """``x * x``."""
    return x * x


def right_vjp(g, x):
    return 2 * g * x


def right_jvp(x_dot, x):
    return 2 * x_dot * x


POINT = sample(np.arange(1.0, 4.0))


def test_a_right_rule_passes():
    check_rule(planted(squared, right_vjp, right_jvp))


def test_the_vjp_check_catches_a_missing_factor():
    wrong = planted(squared, lambda g, x: g * x, right_jvp)
    check_jvp(wrong, POINT)
    with pytest.raises(AssertionError, match=r"squared\(float64\[3\]\): the vjp is not the adjoint of the jvp"):
        check_vjp(wrong, POINT)


def test_the_jvp_check_catches_a_missing_factor_in_both_modes():
    wrong = elementwise(lambda x: x, formula="y")(squared)
    check_vjp(wrong, POINT)  # the two agree with each other
    with pytest.raises(AssertionError, match=r"respect to x is not the derivative.\n +analytic: .*\n +numeric") as e:
        check_jvp(wrong, POINT)
    assert "squared(float64[3])" in str(e.value)


def test_a_jvp_that_is_not_the_adjoint_of_a_right_vjp():
    wrong = planted(squared, right_vjp, lambda x_dot, x: 3 * x_dot * x)
    with pytest.raises(AssertionError, match="not the derivative"):
        check_jvp(wrong, POINT)
    with pytest.raises(AssertionError, match="not the adjoint"):
        check_vjp(wrong, POINT)


def test_a_missing_conjugate():
    wrong = planted(squared, right_vjp, right_jvp)
    z = sample(np.array([1 + 2j, 3 - 1j]))
    check_jvp(wrong, z)
    with pytest.raises(AssertionError, match="not the adjoint"):
        check_vjp(wrong, z)


def test_a_wrong_axis():
    def turned(x, /, axis=0):
        """Reversed."""
        return np.flip(x, axis)

    op = linear(lambda g, axis: ad.flip(g, 1 - axis), formula="y")(turned)
    with pytest.raises(AssertionError, match="not the adjoint"):
        check_vjp(op, sample(np.arange(4.0).reshape(2, 2), axis=0))


def test_a_missing_broadcast():
    def total(x, /):
        """Sum."""
        return np.sum(x)

    op = linear(lambda g: g, formula="y")(total)
    with pytest.raises(AssertionError, match="not the adjoint"):
        check_vjp(op, POINT)


def test_a_vjp_that_raises_is_reported_with_its_rule():
    def breaks(g, x):
        raise RuntimeError("boom")

    with pytest.raises(AssertionError, match=r"squared\(float64\[3\]\).*not the adjoint.*RuntimeError: boom"):
        check_vjp(planted(squared, breaks, right_jvp), POINT)


def test_a_derivative_that_is_wrong_only_when_differentiated_again():
    def frozen(g, x):
        return 2 * g * np.asarray(x.detach().data if isinstance(x, ad.Node) else x)

    wrong = planted(squared, frozen, right_jvp)
    check_vjp(wrong, POINT)
    with pytest.raises(AssertionError, match="one order up, on the vjp"):
        check_second_order(wrong, POINT)
    check_second_order(wrong, sample(*POINT.args, order=1))


def test_a_forward_function_that_is_not_numpys():
    def sin(x, /):
        """Not the sine."""
        return np.cos(x)

    del TABLE["sin"]
    with pytest.raises(AssertionError, match=r"the result is not that of numpy\.sin"):
        check_forward(planted(sin), POINT)


def test_a_number_that_differs_from_the_array():
    wrong = planted(squared, right_vjp, right_jvp, entrywise=True, number=lambda x: x + x)
    with pytest.raises(AssertionError, match="Value and Tensor differ"):
        check_numbers(wrong, sample(np.array(3.0)))


def test_single_precision_lost_forward():
    def doubled(x, /):
        """Twice."""
        return x * np.float64(2)

    with pytest.raises(AssertionError, match="the result is float64"):
        check_dtype(planted(doubled), POINT)


@pytest.mark.parametrize("direction", ["vjp", "jvp"])
def test_single_precision_lost_in_a_derivative(direction):
    wrong = {
        "vjp": (lambda g, x: g * np.float64(2) * x, right_jvp),
        "jvp": (right_vjp, lambda x_dot, x: x_dot * np.float64(2) * x),
    }
    with pytest.raises(AssertionError, match=f"the {direction} with respect to x is float64"):
        check_dtype(planted(squared, *wrong[direction]), POINT)


def test_an_input_that_is_written_to():
    def clobber(x, /):
        """Writes."""
        x *= 2
        return x + 0

    with pytest.raises(AssertionError, match="the forward function wrote to its arguments"):
        check_not_mutated(planted(clobber), POINT)


def test_a_cotangent_that_is_written_to():
    def clobber(g, x):
        g *= 2
        return g * x

    with pytest.raises(AssertionError, match="a derivative wrote to its arguments"):
        check_not_mutated(planted(squared, clobber, right_jvp), POINT)


def test_an_input_without_derivative():
    def product(a, b, /):
        """Product."""
        return a * b

    op = primitive("y")(product)
    op.def_samples(lambda rng: iter([sample(np.ones(2), np.ones(2))]))
    op.def_vjp(lambda g, b: g * b, wrt="a")
    op.def_jvp(lambda a_dot, b: a_dot * b, wrt="a")
    with pytest.raises(
        AssertionError, match=r"The row product lacks a vjp with respect to b, a jvp with respect to b\."
    ):
        check_complete(op)


def test_a_row_that_lacks_everything():
    def bare(x, /):
        return x

    with pytest.raises(AssertionError, match="The row bare lacks a formula, a docstring, samples, a vjp, a jvp"):
        check_complete(primitive("")(bare))


def test_a_users_function():
    check_gradients(lambda p, n: (ad.sin(p["w"]) * p["b"] ** n).sum(), {"w": np.ones((2, 2)), "b": 1.5}, 3)
    check_gradients(lambda z: ad.absolute(z * z), np.array([1 + 2j]))
    check_gradients(lambda x: (ad.exp(x), [x * x]), np.float32([0.5, 1.0]))


def test_a_users_function_with_a_detached_part():
    with pytest.raises(AssertionError, match="not the derivative"):
        check_gradients(lambda x: (x.detach() * x).sum() if isinstance(x, ad.Node) else (x * x).sum(), np.ones(3))


def test_a_users_function_of_nothing_differentiable():
    with pytest.raises(AssertionError, match="no argument is a floating-point number or array"):
        check_gradients(lambda n: n, 3)
