"""Laws that hold for every function: checked on drawn ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autodiff as ad
from autodiff.testing import check_gradients

settings.register_profile("laws", deadline=None, database=None)
settings.load_profile("laws")

ENTRIES = st.floats(-2, 2).map(lambda x: round(x, 3))
SEEDS = st.integers(0, 2**32 - 1)


def arrays(shape):
    return hnp.arrays(float, shape, elements=ENTRIES)


@st.composite
def broadcast_pairs(draw):
    """An array, and a shape that it broadcasts to."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    kept = draw(st.integers(0, len(shape)))
    small = tuple(1 if draw(st.booleans()) else n for n in shape[len(shape) - kept :])
    return draw(arrays(small)), shape


@given(broadcast_pairs(), SEEDS)
def test_sum_to_is_the_adjoint_of_broadcast_to(pair, seed):
    """<g, broadcast_to(x)> == <sum_to(g), x> for every array and shape that it broadcasts to."""
    x, shape = pair
    g = np.random.default_rng(seed).normal(size=shape)
    assert np.sum(g * ad.broadcast_to(x, shape)) == pytest.approx(np.sum(ad.sum_to(g, x.shape) * x), abs=1e-12)
    t = ad.Tensor(x)
    ad.broadcast_to(t, shape).backward(g)
    np.testing.assert_allclose(t.grad, ad.sum_to(g, x.shape), atol=1e-12)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3), SEEDS)
@pytest.mark.parametrize("op", [ad.add, ad.subtract, ad.multiply, ad.divide, ad.hypot, ad.logaddexp])
def test_broadcast_operands_get_gradients_of_their_own_shape(op, shapes, seed):
    """A gradient has the shape of its argument, and equals that of the argument broadcast by hand, summed back."""
    rng = np.random.default_rng(seed)
    a, b = (rng.uniform(0.5, 2, size=shape) for shape in shapes.input_shapes)
    g = rng.normal(size=shapes.result_shape)
    _, pull = ad.vjp(op, a, b)
    _, pull_whole = ad.vjp(op, np.broadcast_to(a, g.shape), np.broadcast_to(b, g.shape))
    for x, c, whole in zip((a, b), pull(g), pull_whole(g), strict=True):
        assert c.shape == x.shape
        np.testing.assert_allclose(c, ad.sum_to(whole, x.shape), atol=1e-12)


UNARY = {
    "sin": ad.sin,
    "tanh": ad.tanh,
    "sigmoid": ad.sigmoid,
    "softplus": lambda x: ad.softplus(x) - 1,
    "exp of the tamed": lambda x: ad.exp(-(x**2)),
    "sqrt": lambda x: ad.sqrt(1 + x * x),
    "log": lambda x: ad.log(2 + ad.cos(x)),
    "arctan": ad.arctan,
    "gelu": lambda x: ad.tanh(ad.gelu(x)),
    "negative": lambda x: -x,
    "cube": lambda x: ad.tanh(x) ** 3,
    "flip": lambda x: ad.flip(x, -1),
    "transpose": ad.transpose,
    "cumsum": lambda x: ad.cumsum(x, axis=0) / 3,
    "softmax": ad.softmax,
    "log_softmax": lambda x: ad.log_softmax(x) / 3,
    "centred": lambda x: x - ad.mean(x, axis=-1, keepdims=True),
    "rows": lambda x: ad.sum(x, axis=0, keepdims=True) / 3 + x,
    "logsumexp": lambda x: ad.logsumexp(x, axis=1, keepdims=True) + x,
    "var": lambda x: ad.tanh(ad.var(x, axis=0) + x),
    "gather": lambda x: x[[0, 0, 2]],
    "reshape": lambda x: x.reshape(9)[::-1].reshape(3, 3),
}
BINARY = {
    "add": lambda a, b: (a + b) / 2,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: ad.tanh(a) * ad.sin(b),
    "divide": lambda a, b: a / (2 + ad.cos(b)),
    "matmul": lambda a, b: ad.tanh(a) @ ad.tanh(b) / 3,
    "einsum": lambda a, b: ad.einsum("ij,kj->ki", ad.sin(a), ad.sin(b)) / 3,
    "logaddexp": lambda a, b: ad.logaddexp(a, b) - 1,
    "stack": lambda a, b: ad.concatenate([a[:1], b[1:]]),
}


@st.composite
def programs(draw):
    """Six to ten steps; each takes results of steps before it."""
    steps = []
    for k in range(draw(st.integers(6, 10))):
        table = draw(st.sampled_from([UNARY, UNARY, BINARY]))
        name = draw(st.sampled_from(sorted(table)))
        operands = draw(st.lists(st.integers(0, k + 1), min_size=2, max_size=2))
        steps.append((name, operands))
    return steps


def run(program, a, b):
    values = [a, b]
    for name, (i, j) in program:
        values.append(UNARY[name](values[i]) if name in UNARY else BINARY[name](values[i], values[j]))
    return ad.sum(values[-1] * ad.sin(values[-1] + values[-2])) / 9


@settings(max_examples=150)
@given(programs(), arrays((3, 3)), arrays((3, 3)))
def test_reverse_is_forward_is_numeric(program, a, b):
    """For a drawn program both modes agree to ten digits, and with differences."""
    check_gradients(lambda a, b: run(program, a, b), a, b, order=1)


@settings(max_examples=30)
@given(programs(), arrays((3, 3)), arrays((3, 3)))
def test_reverse_is_forward_is_numeric_at_second_order(program, a, b):
    check_gradients(lambda a, b: run(program, a, b), a, b, order=2)


@settings(max_examples=50)
@given(programs(), arrays((3, 3)), arrays((3, 3)), SEEDS)
def test_the_hessian_is_symmetric_in_every_combination_of_modes(program, a, b, seed):
    """Symmetry, u H v == v H u, with the products of H by each of the four combinations."""

    def f(a):
        return run(program, a, b)

    u, v = np.random.default_rng(seed).normal(size=(2, 3, 3))
    uhv = np.sum(u * ad.hvp(f, a, v))
    vhu = np.sum(v * ad.hvp(f, a, u))
    reverse_over_forward = ad.grad(lambda a: ad.jvp(f, (a,), (v,))[1])(a)
    reverse_over_reverse = ad.grad(lambda a: (ad.grad(f)(a) * v).sum())(a)
    forward_over_forward = ad.jvp(lambda a: ad.jvp(f, (a,), (v,))[1], (a,), (u,))[1]
    for other in (vhu, np.sum(u * reverse_over_forward), np.sum(u * reverse_over_reverse), forward_over_forward):
        assert other == pytest.approx(uhv, rel=1e-9, abs=1e-9)


@settings(max_examples=50)
@given(programs(), arrays((3, 3)), arrays((3, 3)))
def test_backward_is_grad(program, a, b):
    """The method and the transform are one sweep."""
    x, y = ad.Tensor(a), ad.Tensor(b)
    loss = run(program, x, y)
    if loss.requires_grad:
        loss.backward()
    for leaf, expected in zip((x, y), ad.grad(lambda a, b: run(program, a, b), argnums=(0, 1))(a, b), strict=True):
        if leaf.grad is None:
            np.testing.assert_array_equal(expected, 0)
        else:
            np.testing.assert_array_equal(leaf.grad, expected)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_gradient_does_not_depend_on_the_order_of_accumulation(order, rng):
    """Four uses of one leaf, recorded in any order, give one gradient up to rounding."""
    a = rng.normal(size=(3, 3))
    uses = [ad.sin, ad.exp, lambda x: x @ x, lambda x: ad.softmax(x)]

    def total(x, order):
        parts = {k: uses[k](x).sum() for k in order}
        return parts[0] + parts[1] * parts[2] + parts[3]

    np.testing.assert_allclose(
        ad.grad(total)(a, order=order), ad.grad(total)(a, order=(0, 1, 2, 3)), rtol=1e-13, atol=1e-13
    )


@given(arrays(3), arrays(3), st.floats(-2, 2), st.floats(-2, 2))
def test_backward_is_linear_in_the_cotangent(g, h, s, t):
    """pull(s g + t h) == s pull(g) + t pull(h)."""
    _, pull = ad.vjp(lambda x: ad.sin(x) * ad.cumsum(x), np.array([0.3, 1.0, -2.0]))
    np.testing.assert_allclose(pull(s * g + t * h)[0], s * pull(g)[0] + t * pull(h)[0], atol=1e-12)


@given(st.integers(-6, 6), st.integers(1, 6), st.integers(0, 5))
def test_derivatives_of_monomials_are_exact_fractions(numerator, denominator, n):
    """The n-th derivative of x^5 is 5!/(5-n)! x^(5-n), with no rounding."""
    from fractions import Fraction
    from math import perm

    x = Fraction(numerator, denominator)
    assert ad.derivative(lambda x: x**5, x, n=n) == perm(5, n) * x ** (5 - n)
