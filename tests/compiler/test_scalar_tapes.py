"""Tapes of single numbers, compiled: every bit as in the eager sweep, whatever is recorded and whatever comes later."""

import functools
import math
import operator
import threading

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Value, nn
from autodiff.compiler.scalar.units import SPECIAL, topic_of
from autodiff.core.errors import AutodiffError, CompileError
from autodiff.core.rule import TABLE

BITWISE = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "bitwise_count"}
NO_FLOATS = BITWISE | {"gcd", "lcm"}
TRUTHS = {r.name for r in TABLE.values() if r.entrywise and not r.differentiable}
FLOATS = [
    r
    for r in TABLE.values()
    if r.entrywise and r.name not in TRUTHS | NO_FLOATS | {"where", "ldexp"} and topic_of(r) not in SPECIAL
]
TESTS = [TABLE[name] for name in ("greater", "less_equal", "equal", "logical_and", "isfinite")]


def is_levelled(compiled):
    return "calls on arrays" in compiled.source


def outcome(f, params, *args):
    """What a call gives and leaves: its results and gradients to the last bit, or its error."""
    for p in params:
        p.grad = None
    try:
        y = f(*args)
        y.backward()
    except (ArithmeticError, ValueError, AutodiffError) as error:
        return type(error).__name__
    return repr(y.item()), [repr(p.grad) for p in params]


def assert_same(f, compiled, params, *args):
    assert outcome(compiled, params, *args) == outcome(f, params, *args)


def random_program(seed, width=24, layers=16, params=9):
    """Layers of one op each, of arguments that are drawn from all that was computed before, constants among them."""
    rng = np.random.default_rng(seed)
    plan = []
    for layer in range(layers):
        rule = FLOATS[rng.integers(len(FLOATS))]
        sources = rng.integers(params + layer * width, size=(width, len(rule.inputs)))
        constants = rng.uniform(0.2, 0.9, size=sources.shape)
        constant = rng.uniform(size=len(rule.inputs)) < 0.15
        if constant.all():
            constant[0] = False
        plan.append((rule, sources, constants, constant, TESTS[rng.integers(len(TESTS))], rng.uniform() < 0.3))

    def program(values):
        values = list(values)
        for rule, sources, constants, constant, test, choose in plan:
            made = []
            for k in range(width):
                picked = zip(sources[k], constants[k].tolist(), constant, strict=True)
                args = [c if fixed else values[i] for i, c, fixed in picked]
                y = rule.op(*args)
                if choose:
                    other = values[sources[k][0]]
                    y = ad.where(test.op(*[y, other][: len(test.inputs)]), y, other)
                made.append(0.2 + 0.6 * ad.sigmoid(y))  # where every function is defined
            values += made
        return sum(values)

    return program


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=3441)  # the logarithm of a constant, at every place of a level
def test_random_programs_give_the_bits_of_the_eager_sweep(seed):
    """f, f' compiled == f, f' eager, on the numbers that were recorded and on two other sets."""
    rng = np.random.default_rng(seed)
    params = [Value(x) for x in rng.uniform(0.2, 0.9, size=9).tolist()]
    program = random_program(seed)

    def f():
        return program(params)

    compiled = ad.compile(f)
    for scale in (1.0, 0.9, -3.0):
        assert_same(f, compiled, params)
        for p in params:
            p.data = p.item() * scale + rng.normal() * 1e-3


def wide(op, n=400):
    """A sum of one op of many pairs of numbers: the smallest program that becomes a few calls on arrays."""

    def f(xs, ys):
        terms = (op(x, y) * 1.5 for x, y in zip(xs, ys, strict=True))
        # From Python 3.12 on the sum() of plain floats is rounded once, at the end.
        return functools.reduce(operator.add, terms, 0) + 0.0 * xs[0]

    return f


AWKWARD = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-300, -5e-324, 1e200, 1e-8, 30.0, -745.2, 1 / 3, 1.5, -1.5]


@pytest.mark.parametrize("rule", [r for r in FLOATS if len(r.inputs) < 3], ids=lambda r: r.name)
def test_every_rule_at_awkward_numbers(rule):
    """One node at a time would be slow: each pair is a column of a wide program, where errors and infinities are left
    out so that the others are not done eagerly on their account.
    """
    rng = np.random.default_rng(1)
    n = len(rule.inputs)
    pairs = (
        [(a, b) for a in AWKWARD for b in AWKWARD]
        + rng.normal(size=(200, 2)).tolist()
        + rng.uniform(1, 9, (200, 2)).tolist()
    )
    defined = []
    for pair in pairs:
        args = [Value(x) for x in pair[:n]]
        try:
            y = rule.op(*args)
            y.backward()
            fine = isinstance(y.item(), int | float) and all(map(math.isfinite, [y.item(), *[a.grad for a in args]]))
        except (ArithmeticError, TypeError, ValueError, AutodiffError):
            fine = False
        if fine and abs(y.item()) < 1e100 and all(abs(a.grad) < 1e100 for a in args):
            defined.append(pair)
    columns = [[Value(p[k]) for p in defined] for k in range(n)]
    params = [x for column in columns for x in column]

    def f():
        return sum((rule.op(*row) * 0.5 for row in zip(*columns, strict=True)), Value(0.0))

    compiled = ad.compile(f)
    assert_same(f, compiled, params)
    order = rng.permutation(len(defined))
    for column, k in zip(columns, range(n), strict=True):
        for x, j in zip(column, order, strict=True):
            x.data = defined[j][k]
    assert_same(f, compiled, params)
    assert is_levelled(compiled)


def micrograd_net(x_of=lambda row: row):
    """The demo of micrograd: its net, its max-margin loss, its regularization."""
    rng = np.random.default_rng(0)
    model = nn.scalar.MLP(2, [8, 8, 1])
    X = rng.normal(size=(12, 2)).tolist()
    labels = [1 if a > 0 else -1 for a, _ in X]

    def loss_of(X):
        scores = [model(list(map(x_of, row))) for row in X]
        losses = [(1 + -yi * score).relu() for yi, score in zip(labels, scores, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())

    return model, X, loss_of


@pytest.mark.parametrize("x_of", [lambda x: x, lambda x: x * 1.0], ids=["floats", "products"])
def test_micrograds_demo_trains_to_the_same_bits(x_of):
    model, X, loss_of = micrograd_net(x_of)
    params = model.parameters()
    compiled = ad.compile(loss_of)
    start = [p.item() for p in params]
    runs = []
    for f in (loss_of, compiled):
        for p, x in zip(params, start, strict=True):
            p.data = x  # a bias starts as the int 0, and is a float after the first step
        losses = []
        for _ in range(5):
            model.zero_grad()
            loss = f(X)
            loss.backward()
            for p in params:
                p.data -= 0.05 * p.grad
            losses.append(loss.item())
        runs.append((losses, [p.item() for p in params]))
    assert runs[0] == runs[1]
    assert is_levelled(compiled)


def test_values_that_are_made_inside_are_constants():
    model, X, _ = micrograd_net()

    def f():
        return sum(model([Value(a) for a in row]) for row in X)

    compiled = ad.compile(f)
    assert_same(f, compiled, model.parameters())
    assert is_levelled(compiled)


def test_arguments_may_be_values_and_floats_and_lists_of_them():
    f = wide(lambda x, y: x * y)
    compiled = ad.compile(f)
    rng = np.random.default_rng(0)
    for _ in range(3):
        xs = [Value(x) for x in rng.normal(size=400).tolist()]
        ys = rng.normal(size=400).tolist()
        assert_same(f, compiled, xs, xs, ys)
    assert is_levelled(compiled)
    assert len(compiled._special) == 1


def test_only_floats_as_arguments_give_a_float():
    f = wide(lambda x, y: x / y)
    compiled = ad.compile(f)
    xs, ys = (np.random.default_rng(k).uniform(1, 2, 400).tolist() for k in (0, 1))
    y = compiled(xs, ys)
    assert type(y) is float
    assert y == f(xs, ys)
    assert compiled(ys, xs) == f(ys, xs)


@pytest.mark.parametrize(
    "op",
    [
        lambda x, y: x * x,
        lambda x, y: x + x - y,
        lambda x, y: x * x * x - x,
        lambda x, y: (x + 1) * (1 - y) / 3 + x**2 - 2**y + x**3.0 + x**-1,
        lambda x, y: ad.relu(x) + abs(y) + ad.maximum(x, y) + ad.minimum(x, 0.0) + ad.clip(y, -1.0, 1.0),
        lambda x, y: ad.where(x > y, x * y, ad.exp(y)) + ad.where(x <= 0, 0.0, y),
        lambda x, y: ad.stop_gradient(x) * y,
        lambda x, y: ad.sign(x) * y + ad.floor_divide(x, 0.3) + x % 0.7,
        lambda x, y: ad.tanh(ad.sin(x) * ad.cos(y)) + ad.softplus(x) + ad.gelu(y) + ad.leaky_relu(x, 0.2),
        lambda x, y: (x * 1 + 0) * True + y * 2 + y * 3,
    ],
    ids=["square", "twice", "cube", "whole", "kinks", "where", "stopped", "jumps", "transcendental", "constants"],
)
def test_programs_with(op):
    f = wide(op)
    compiled = ad.compile(f)
    rng = np.random.default_rng(2)
    for _ in range(3):
        xs, ys = ([Value(x) for x in rng.normal(size=400).tolist()] for _ in range(2))
        assert_same(f, compiled, [*xs, *ys], xs, ys)
    assert is_levelled(compiled)


def test_kinks_where_both_sides_meet():
    f = wide(lambda x, y: ad.relu(x) + abs(x) + ad.maximum(x, y) + ad.where(x > y, x, y) + ad.fmin(x, y))
    compiled = ad.compile(f)
    xs, ys = ([Value(v) for v in (choice * 100)] for choice in ([0.0, -0.0, 1.0, -1.0], [-0.0, 0.0, 1.0, -1.0]))
    assert_same(f, compiled, [*xs, *ys], xs, ys)
    assert_same(f, compiled, [*xs, *ys], ys, xs)


def test_unused_inputs_and_parts_of_the_tape_that_nothing_depends_on():
    def f(xs, ys):
        lost = [x * 2.0 for x in xs]
        assert len(lost) == 400
        return sum(x.exp() for x in xs)

    compiled = ad.compile(f)
    xs, ys = ([Value(x) for x in np.random.default_rng(k).normal(size=400).tolist()] for k in (0, 1))
    assert_same(f, compiled, [*xs, *ys], xs, ys)
    assert ys[0].grad is None
    assert is_levelled(compiled)


def test_a_value_that_is_used_ten_thousand_times():
    a, b = Value(0.3), Value(-1.7)

    def f():
        return sum((a * (k * 0.001) + b).tanh() for k in range(10_000))

    compiled = ad.compile(f)
    assert_same(f, compiled, [a, b])
    a.data = -0.7
    assert_same(f, compiled, [a, b])
    assert is_levelled(compiled)


def test_several_results_have_sweeps_of_their_own():
    def f(xs):
        squares = [x * x for x in xs]
        return {"sum": sum(squares), "odd": sum(squares[1::2]) * xs[0], "none": 3.0, "least": squares[7]}

    compiled = ad.compile(f)
    xs = [Value(x) for x in np.random.default_rng(0).normal(size=400).tolist()]
    for name in ("sum", "odd", "least"):
        assert_same(lambda xs, k=name: f(xs)[k], lambda xs, k=name: compiled(xs)[k], xs, xs)
    assert compiled(xs)["none"] == 3.0
    assert is_levelled(compiled)


def test_backward_twice_and_with_a_cotangent():
    f = wide(lambda x, y: x * y.exp())
    compiled = ad.compile(f)
    xs, ys = ([Value(x) for x in np.random.default_rng(k).normal(size=400).tolist()] for k in (0, 1))
    found = []
    for function in (f, compiled):
        for x in (*xs, *ys):
            x.grad = None
        first, second = function(xs, ys), function(ys, xs)
        first.backward(2.5)
        second.backward()
        first.backward()
        found.append([x.grad for x in (*xs, *ys)])
    assert found[0] == found[1]


def test_second_derivatives():
    f = wide(lambda x, y: x**3 * y)
    compiled = ad.compile(f)
    xs, ys = ([Value(x) for x in np.random.default_rng(k).normal(size=400).tolist()] for k in (0, 1))
    found = []
    for function in (f, compiled):
        for x in (*xs, *ys):
            x.grad = None
        function(xs, ys).backward(create_graph=True)
        slope = sum(x.grad for x in xs)
        for x in (*xs, *ys):
            x.grad = None
        slope.backward()
        found.append([x.grad for x in (*xs, *ys)])
    assert found[0] == found[1]


def test_a_compiled_gradient():
    f = wide(lambda x, y: x.tanh() * y + x * x)
    xs, ys = (np.random.default_rng(k).normal(size=400).tolist() for k in (0, 1))
    eager = ad.value_and_grad(f)([Value(x) for x in xs], ys)
    compiled = ad.compile(ad.value_and_grad(f))([Value(x) for x in xs], ys)
    assert repr(compiled) == repr(eager)


# What is no float, or no finite one.


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e200, 0.0])
def test_infinities_and_errors_are_those_of_the_eager_sweep(bad):
    f = wide(lambda x, y: ad.where(x > 0, x * y, ad.exp(x)) / x + x.exp())
    compiled = ad.compile(f)
    xs, ys = ([Value(x) for x in np.random.default_rng(k).normal(size=400).tolist()] for k in (0, 1))
    assert_same(f, compiled, [*xs, *ys], xs, ys)
    xs[7].data = bad
    assert_same(f, compiled, [*xs, *ys], xs, ys)
    xs[7].data = 0.5
    assert_same(f, compiled, [*xs, *ys], xs, ys)
    assert is_levelled(compiled)


def test_a_slope_that_is_infinite():
    f = wide(lambda x, y: ad.sqrt(x) * y)
    compiled = ad.compile(f)
    xs, ys = ([Value(x) for x in np.random.default_rng(k).uniform(1, 2, 400).tolist()] for k in (0, 1))
    assert_same(f, compiled, [*xs, *ys], xs, ys)
    xs[3].data, xs[4].data, ys[4].data = 0.0, 0.0, 0.0  # slopes inf, and 0 * inf
    assert_same(f, compiled, [*xs, *ys], xs, ys)


@pytest.mark.parametrize("kind", ["int", "Fraction", "Decimal", "complex"])
def test_numbers_of_another_kind_stay_in_it(kind):
    from decimal import Decimal
    from fractions import Fraction

    make = {"int": int, "Fraction": lambda k: Fraction(k, 7), "Decimal": Decimal, "complex": lambda k: k + 2j}[kind]

    def f(xs):
        return sum((x * x + x for x in xs), make(0)) * xs[0]

    compiled = ad.compile(f)
    xs = [Value(make(k + 1)) for k in range(200)]
    y, z = f(xs), compiled(xs)
    assert (type(z.item()), z.item()) == (type(y.item()), y.item())
    assert not is_levelled(compiled)


def test_a_parameter_that_becomes_a_number_of_another_kind():
    from fractions import Fraction

    w = Value(0.5)

    def f():
        return sum((w * (k + 0.5)).relu() + w for k in range(200))

    compiled = ad.compile(f)
    assert_same(f, compiled, [w])
    assert is_levelled(compiled)
    w.data = 3  # an int where a float was recorded
    assert_same(f, compiled, [w])
    w.data = 1 + 0j
    assert compiled().item() == f().item()
    w.data = Fraction(1, 2)
    assert_same(f, compiled, [w])


def test_short_and_narrow_tapes_are_printed_line_by_line():
    def chain(x):
        for _ in range(400):
            x = (x * 1.01).sin()
        return x

    for f in (chain, lambda x: x * x):
        compiled, x = ad.compile(f), Value(0.4)
        assert_same(f, compiled, [x], x)
        assert not is_levelled(compiled)


def test_a_chain_of_ten_thousand_sums():
    xs = [Value(x) for x in np.random.default_rng(0).normal(size=10_000).tolist()]

    def f():
        return sum(xs)

    compiled = ad.compile(f)
    assert_same(f, compiled, xs)
    xs[5_000].data = 1e16  # after which the order of the sum shows
    assert_same(f, compiled, xs)
    assert is_levelled(compiled)


def test_a_comparison_in_an_if_is_refused():
    xs = [Value(1.0)] * 400
    with pytest.raises(CompileError, match=r"the truth of .* was asked for while compiling"):
        ad.compile(lambda xs: sum(x if x > 0 else -x for x in xs))(xs)


def test_eight_threads_share_one_compiled_function():
    f = wide(lambda x, y: (x * y).tanh())
    compiled = ad.compile(f)
    failures = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            xs, ys = ([Value(x) for x in rng.normal(size=400).tolist()] for _ in range(2))
            found, expected = outcome(compiled, xs, xs, ys), outcome(f, xs, xs, ys)
            failures.extend([] if found == expected else [seed])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_powers_are_those_of_the_c_library():
    """``x ** 2`` and ``x * x`` differ in the last bit for one number in a thousand."""
    rng = np.random.default_rng(3)
    xs = [Value(x) for x in rng.normal(size=6_000).tolist()]
    compiled = ad.compile(lambda xs: sum(x**2 for x in xs))
    assert_same(lambda xs: sum(x**2 for x in xs), compiled, xs, xs)
    for x, new in zip(xs, rng.normal(size=6_000).tolist(), strict=True):
        x.data = new
    assert_same(lambda xs: sum(x**2 for x in xs), compiled, xs, xs)
    assert is_levelled(compiled)


# Not to the last bit.


def test_inexact_sums_and_functions_are_right_to_rounding():
    model, X, loss_of = micrograd_net(lambda x: x * 1.0)

    def f():
        return loss_of(X) + sum(p.tanh() * p.exp() for p in model.parameters())

    params = model.parameters()
    compiled = ad.compile(f, exact=False)
    for _ in range(2):
        grads = []
        for function in (f, compiled):
            for p in params:
                p.grad = None
            y = function()
            y.backward()
            grads.append([y.item(), *[p.grad for p in params]])
        np.testing.assert_allclose(grads[1], grads[0], rtol=1e-11, atol=1e-13)
        for p in params:
            p.data = p.item() * 1.5 + 0.01
    assert is_levelled(compiled)
