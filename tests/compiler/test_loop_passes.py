"""The passes for loops over rows, each on a program small enough to read: what it was, what it becomes."""

import numpy as np
import pytest
from alike import assert_close
from test_passes import T, Writing, keeps, lines, method

from autodiff.compiler.buffers import plan_buffers
from autodiff.compiler.joined import JOIN, is_puzzle, join, writing
from autodiff.compiler.passes import batch_rows, join_parts, join_slices, multiply_at_once, simplify
from autodiff.compiler.program import Function

N = 8
X = np.random.default_rng(0).normal(size=(N, 2, 3))
W = np.random.default_rng(1).normal(size=(3, 4))
item = Function("item", "item", lambda x, key: x[key])
dot = method("dot")


def scatter(w, x, shape, key):
    """Zeros with ``x`` at ``key``, as an array that is joined of one part."""
    return w.call(JOIN, [x], keys=(key,), shape=shape)


def added(w, terms):
    """``((a + b) + c) + ...``"""
    total, *others = terms
    for term in others:
        total = w.add(total, term)
    return total


def nearly(change, program, *args):
    """The program that a pass makes, which adds up in another order."""
    new = change(program)
    for found, expected in zip(new.run(*args), program.run(*args), strict=True):
        assert_close(found, expected, ulps=8)
    return new


# Products of rows, before the loop.


def rows_of_x(w, n=N):
    return [w.call(item, w.inputs[0], k) for k in range(n)]


def test_products_of_rows_become_one_product():
    """x[0] @ W, x[1] @ W, ...  ->  x.reshape(16, 3) @ W"""
    w = Writing(x=X, W=W)
    y = [w.call(dot, row, w.inputs[1]) for row in rows_of_x(w)]
    new = nearly(batch_rows, w.program(*y), X, W)
    assert [name for name in lines(new) if name != "item"] == ["reshape", "dot", "reshape"]


def test_entrywise_lines_become_one_line_to_the_last_bit():
    w = Writing(x=X, b=np.arange(3.0))
    y = [w.tanh(w.add(row, w.inputs[1])) for row in rows_of_x(w)]
    new = keeps(batch_rows, w.program(*y), X, np.arange(3.0))
    assert [name for name in lines(new) if name != "item"] == ["add", "tanh"]


def test_rows_that_wait_for_each_other_stay():
    """In h = tanh(x[t] + h) only what does not read h could go before the loop, and here nothing does."""
    w = Writing(x=X)
    h = np.zeros((2, 3))
    for row in rows_of_x(w):
        h = w.tanh(w.add(row, h))
    before = w.program(h)
    assert lines(keeps(batch_rows, before, X)) == lines(before)


def test_few_rows_stay():
    w = Writing(x=X, W=W)
    before = w.program(*[w.call(dot, row, w.inputs[1]) for row in rows_of_x(w, 3)])
    assert lines(keeps(batch_rows, before, X, W)) == lines(before)


def test_what_no_step_waits_for_is_computed_after_the_loop():
    """In y = h @ V, y reads every state, h = tanh(x[t] + h) none of the ys."""
    w = Writing(x=X, V=W)
    h, states, outputs = np.zeros((2, 3)), [], []
    for row in rows_of_x(w):
        h = w.tanh(w.add(row, h))
        outputs.append(w.call(dot, h, w.inputs[1]))
        states.append(h)
    stack = w.call(JOIN, states, keys=tuple(range(N)), shape=X.shape)
    new = nearly(batch_rows, w.program(stack, *outputs), X, W)
    names = lines(new)
    assert names.count("dot") == 1
    assert names.index("join") < names.index("dot")


# Sums of products, after the loop.


def test_a_sum_of_products_becomes_one_product():
    """g[0].T @ x[0] + g[1].T @ x[1] + ...  ->  G.T @ X"""
    w = Writing(x=X, g=X[::-1].copy())
    x, g = w.inputs
    terms = [w.call(dot, w.call(T, w.call(item, g, k)), w.call(item, x, k)) for k in range(N)]
    new = nearly(multiply_at_once, w.program(added(w, terms)), X, X[::-1].copy())
    assert lines(simplify(new)) == ["reshape", "reshape", "T", "dot"]


def test_its_factors_are_computed_as_rows_of_one_array():
    """In g = tanh(x[t] * g) each g is written into its row of G, and joining them takes no statement."""
    w = Writing(x=X)
    g, states = np.ones((2, 3)), []
    for row in rows_of_x(w):
        g = w.tanh(w.multiply(row, g))
        states.append(g)
    terms = [w.call(dot, w.call(T, g), row) for g, row in zip(states, rows_of_x(w), strict=True)]
    new = simplify(w.program(added(w, terms[::-1])))
    plan = plan_buffers(new)
    (rows,) = [i.out for i in new.instructions if i.function is JOIN]
    assert rows.shape == X.shape
    assert [(part.within, part.key) for part in plan.parts] == [(rows, k) for k in range(N)]


def test_sums_over_the_batch_become_one_product():
    """From ones @ g[0] + ones @ g[1] + ... to ones @ G."""
    w = Writing(g=X)
    ones = np.ones(2)
    terms = [w.call(dot, ones, row) for row in rows_of_x(w)]
    new = nearly(multiply_at_once, w.program(added(w, terms)), X)
    assert lines(new).count("dot") == 1
    assert lines(simplify(new)) == ["reshape", "dot"]


# Gradients of slices.


def test_gradients_of_rows_become_one_array():
    """T arrays of zeros with one row each, and their sum  ->  an array that is written row by row"""
    w = Writing(g=X)
    new = keeps(join_slices, w.program(added(w, [scatter(w, g, X.shape, k) for k, g in enumerate(rows_of_x(w))])), X)
    last = new.instructions[-1]
    assert last.function is JOIN
    assert last.options["keys"] == tuple(range(N))


def test_slices_that_overlap_are_added_to_what_else_is_added():
    w = Writing(g=X, h=np.ones(5))
    g, h = w.inputs
    parts = [w.call(item, g, (k, 0)) for k in range(3)]
    terms = [scatter(w, part, (5,), slice(k, k + 3)) for k, part in enumerate(parts)]
    new = keeps(join_slices, w.program(added(w, [*terms, h])), X, np.ones(5))
    assert lines(new)[-1] == "join"
    assert new.instructions[-1].options["keys"] == (slice(0, 3), slice(1, 4), slice(2, 5), slice(None))


def test_slices_at_one_place_are_added_before():
    """From zeros with a at k, and zeros with b at k to zeros with a + b at k."""
    w = Writing(g=X)
    a, b, c = rows_of_x(w, 3)
    terms = [scatter(w, a, (4, 3), slice(0, 2)), scatter(w, b, (4, 3), slice(2, 4)), scatter(w, c, (4, 3), slice(0, 2))]
    new = keeps(join_slices, w.program(added(w, terms)), X)
    assert lines(new)[-2:] == ["add", "join"]


@pytest.mark.parametrize(
    ("keys", "shape", "how", "zeros"),
    [
        ((0, 1, 2), (3, 2), "= = =", False),
        ((0, 2), (3, 2), "= =", True),
        ((slice(0, 2), slice(1, 3)), (3,), "= +=", True),
        ((slice(0, 3), slice(1, 3)), (3,), "= +=", False),
        (((slice(None), slice(0, 2)), (slice(None), slice(2, 5))), (2, 5), "= =", False),
        ((slice(0, 0),), (3,), "=", True),
    ],
)
def test_how_parts_are_written(keys, shape, how, zeros):
    assert writing(keys, shape) == (how.split(), zeros)
    assert is_puzzle(keys, shape) == (not zeros and "+=" not in how)


def test_join_adds_what_overlaps():
    np.testing.assert_array_equal(join([np.ones(2), np.ones(2)], (slice(0, 2), slice(1, 3)), (4,)), [1, 2, 1, 0])


# Stacks and concatenations.


def test_stacks_of_what_is_computed_are_joined_in_place():
    w = Writing(x=X)
    a, b = w.exp(w.inputs[0]), w.sin(w.inputs[0])
    stack = w.call(Function("numpy", "stack", np.stack), (a, b), 1)
    both = w.call(Function("numpy", "concatenate", np.concatenate), (a, b), axis=0)
    new = keeps(join_parts, w.program(stack, both), X)
    assert [i.options.get("keys") for i in new.instructions[2:]] == [
        ((slice(None), 0), (slice(None), 1)),
        (slice(0, N), slice(N, 2 * N)),
    ]


def test_of_what_is_given_numpy_keeps_the_order_in_memory():
    w = Writing(x=X)
    before = w.program(w.call(Function("numpy", "stack", np.stack), (w.inputs[0], w.inputs[0])))
    assert lines(keeps(join_parts, before, X)) == ["stack"]
