"""The neutral view: nodes, edges, steps, and the sweep that is taken apart."""

import sys
from fractions import Fraction

import numpy as np

import autodiff as ad
from autodiff.viz.view import ones_of, view_of


def seen(*outputs):
    return view_of(outputs, sys._getframe(1), "test")


def test_nodes_and_edges_of_an_expression():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b - 1.0
    view = seen(c)
    assert [(n.id, n.kind, n.op, n.name) for n in view.nodes.values()] == [
        ("n0", "leaf", None, "a"),
        ("n1", "leaf", None, "b"),
        ("n2", "op", "multiply", None),
        ("n3", "op", "subtract", "c"),
        ("c0", "constant", None, None),
    ]
    assert [(e.source, e.target, e.argument, e.input, e.tracked) for e in view.edges.values()] == [
        ("n0", "n2", 0, "a", True),
        ("n1", "n2", 1, "b", True),
        ("n2", "n3", 0, "a", True),
        ("c0", "n3", 1, "b", False),
    ]
    assert [n.id for n in view.nodes.values() if n.is_output] == ["n3"]
    assert [(s.kind, s.target) for s in view.steps] == [("forward", "n2"), ("forward", "n3")]


def test_parallel_edges_are_numbered():
    x = ad.Value(3.0)
    view = seen(x * x)
    assert [e.parallel for e in view.edges.values()] == [(0, 2), (1, 2)]
    xs = [ad.Tensor([1.0]), ad.Tensor([2.0])]
    view = seen(ad.concatenate([xs[0], xs[1], xs[0]]))
    assert [(e.source, e.input, e.parallel) for e in view.edges.values()] == [
        ("n0", "arrays[0]", (0, 2)),
        ("n1", "arrays[1]", (0, 1)),
        ("n0", "arrays[2]", (1, 2)),
    ]


def test_the_sweep_keeps_contributions_apart_and_adds_them_up():
    x = ad.Value(3.0)
    y = x * x
    view = seen(y).sweep([1.0])
    assert [e.contribution.fitted for e in view.edges.values()] == [3.0, 3.0]
    assert [(s.kind, s.target, s.total) for s in view.steps[1:]] == [
        ("seed", "n1", 1.0),
        ("pull", "n0", 3.0),
        ("pull", "n0", 6.0),
    ]
    assert view.nodes["n0"].cotangent == 6.0
    assert x.grad is None


def test_summing_over_what_was_broadcast_and_scattering_are_steps_of_their_own():
    x, b = ad.Tensor(np.ones((4, 3))), ad.Tensor(np.zeros(3))
    y = (x + b)[0].sum()
    view = seen(y).sweep([np.float64(1.0)])
    back = [(s.kind, s.target) for s in view.steps if s.kind != "forward"]
    assert ("scatter", "n2") in back
    assert ("sum", "n1") in back
    (edge,) = [e for e in view.edges.values() if e.source == "n1"]
    assert edge.contribution.raw.shape == (4, 3)
    assert edge.contribution.fitted.tolist() == [1.0, 1.0, 1.0]


def test_ones_are_of_the_kind_of_the_data():
    import sympy

    assert isinstance(ones_of(Fraction(1, 3)), Fraction)
    assert ones_of(sympy.Symbol("s") ** 2) == 1
    assert ones_of(np.zeros((2, 3), np.float32)).dtype == np.float32
    assert ones_of(2.5) == 1.0
    s = ad.Value(sympy.Symbol("s"))
    view = seen(s * s).sweep([ones_of((s * s)._data)])
    assert view.nodes["n0"].cotangent == 2 * sympy.Symbol("s")


def test_options_of_windows_are_short_and_their_defaults_left_away():
    x, w, b = ad.Tensor(np.ones((1, 2, 8, 8))), ad.Tensor(np.ones((2, 2, 3, 3))), ad.Tensor(np.zeros(2))

    def options(y):
        return view_of([y], sys._getframe(), "test").nodes["n3" if y.rule.name == "conv_layer" else "n1"].options

    assert options(ad.conv2d(x, w, b, padding=1)) == ["3×3", "padding=1"]
    assert options(ad.conv2d(x, w, b, stride=(1, 2), dilation=2)) == ["3×3", "stride=(1, 2)", "dilation=2"]
    assert options(ad.max_pool2d(x, 2)) == ["2×2", "stride=2"]
