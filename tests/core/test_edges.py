"""The sweep taken apart: contributions along edges, before they are added."""

from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.edges import contributions, pull_apart


def test_parallel_edges_are_kept_apart():
    x = ad.Value(3.0)
    assert [c.fitted for c in contributions(x * x, 1.0)] == [3.0, 3.0]


def test_constants_get_nothing():
    x = ad.Value(3.0)
    assert contributions(x * 2.0, 1.0)[1] is None


def test_numbers_of_any_kind_stay_exact():
    x = ad.Value(Fraction(1, 3))
    first, second = contributions(x / (x + 1), Fraction(1))
    assert first.fitted == Fraction(3, 4)
    assert second.fitted == -Fraction(3, 16)


def test_what_broadcasting_repeated_is_seen_before_and_after_it_is_summed():
    x, b = ad.Tensor(np.ones((4, 3))), ad.Tensor(np.ones(3))
    to_x, to_b = contributions(x + b, np.full((4, 3), 2.0))
    assert to_b.raw.shape == (4, 3)
    np.testing.assert_array_equal(to_b.fitted, np.full(3, 8.0))
    assert to_x.fitted is to_x.raw or to_x.fitted.shape == (4, 3)


def test_what_was_promoted_is_cast_back():
    x = ad.Tensor(np.ones(2, np.float32))
    (part, _) = contributions(x * np.ones(2), np.ones(2))
    assert (part.raw.dtype, part.fitted.dtype) == (np.float64, np.float32)


def test_entries_of_a_list_are_arguments():
    a, b = ad.Tensor([1.0, 2.0]), ad.Tensor([3.0])
    joined = ad.concatenate([a, b, a])
    parts = contributions(joined, np.arange(5.0))
    assert [p.fitted.tolist() for p in parts] == [[0.0, 1.0], [2.0], [3.0, 4.0]]


def test_infinite_slopes_are_answers_without_a_warning():
    x = ad.Tensor([0.0, 4.0])
    (part,) = contributions(ad.sqrt(x), np.array([1.0, 1.0]))
    np.testing.assert_array_equal(part.fitted, [np.inf, 0.25])


def programs():
    rng = np.random.default_rng(0)
    model = nn.MLP([3, 4, 2], activation=nn.Tanh, rng=0)
    yield nn.functional.cross_entropy(model(rng.normal(size=(5, 3))), np.array([0, 1, 1, 0, 1]))
    x = ad.Tensor(rng.normal(size=(3, 2)))
    yield ad.sum(ad.softmax(x @ x.T, axis=-1) @ x[[0, 0, 2]])
    a = ad.Value(2.0)
    b = a + a
    yield b * b + ad.sin(a)
    t = ad.Tensor(rng.normal(size=(3, 2))).copy()
    t[0] = t[1] * 2
    yield ad.sum(t * t)


@pytest.mark.parametrize("y", list(programs()), ids=["classifier", "attention", "scalars", "assigned"])
def test_added_up_they_are_the_gradients_of_backward(y):
    seed = np.ones(()) if isinstance(y, ad.Tensor) else 1.0
    found = {id(node): g for node, g, _ in pull_apart([y], [seed])}
    tape = list(ad.Tape(y))
    assert all(node.grad is None for node in tape)  # nobody's gradient was touched
    y.backward()
    for node in tape:
        np.testing.assert_array_equal(found[id(node)], node.grad)


def test_several_outputs_and_one_that_is_asked_for_twice():
    x = ad.Value(2.0)
    y, z = x * x, 3 * x
    last = list(pull_apart([y, z, y], [1.0, 1.0, 10.0]))[-1]
    assert last.node is x
    assert last.g == 11 * 4.0 + 3.0


def test_only_what_is_wanted_gets_anything():
    x, w = ad.Value(2.0), ad.Value(5.0)
    y = ad.sin(x * w) + w
    wanted = {node.index: node for node in ad.Tape(y) if node is not w}
    assert [node for node, _, _ in pull_apart([y], [1.0], wanted)] == list(wanted.values())[::-1]
    assert [len([p for p in parts if p]) for _, _, parts in pull_apart([y], [1.0], wanted)] == [1, 1, 1, 0]


def test_a_checkpoint_gives_to_its_inputs_whatever_was_made_before():
    ad.Value(0.0), ad.Value(0.0)
    x = ad.Tensor([1.0, 2.0])
    y = ad.sum(ad.checkpoint(lambda v: ad.sin(v) * v)(x))
    found = {id(node): g for node, g, _ in pull_apart([y], [np.ones(())])}
    y.backward()
    np.testing.assert_array_equal(found[id(x)], x.grad)


def test_rules_of_ones_own():
    @ad.custom_rule
    def cube(x):
        return x**3

    @cube.def_vjp
    def cube_vjp(g, x):
        return g * 3 * x * x

    ad.Value(0.0)
    x = ad.Tensor([1.0, 2.0])
    (part,) = contributions(cube(x), np.ones(2))
    np.testing.assert_array_equal(part.fitted, [3.0, 12.0])
