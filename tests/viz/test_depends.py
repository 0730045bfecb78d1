"""Which entries depend on which: every form that is claimed, against the engine, on the samples of the whole table."""

import json
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.edges import contributions
from autodiff.core.rule import TABLE
from autodiff.ops.families import draw_samples
from autodiff.testing.compare import draw_like, is_continuous
from autodiff.viz.depends import dependences
from autodiff.viz.view import view_of

ad.ops.public.names()
DRAWS = 500
"""Where one entry wins, as in a maximum, it takes a while until each has won."""
SINGLE = {"var", "std", "softmax", "log_softmax"}
"""Of one entry alone they are constant: there the formula mentions an entry that does not matter."""


def node_of(rule, args, params):
    """The node that a rule makes of tensors."""
    given = [ad.Tensor(a) if is_continuous(a) else a for a in args]
    return rule.op(given, **params) if rule.variadic else rule.op(*given, **params)


def pattern(node, k):
    """Which entries of argument ``k`` get something back from which of the result: a matrix of truths."""
    y, x = node.data, node.args[k].data
    found = np.zeros((y.size, x.size), bool)
    for j in range(y.size):
        g = np.zeros(y.shape, y.dtype)
        g.flat[j] = 1
        part = contributions(node, g)[k]
        if part is not None:
            found[j] = np.broadcast_to(np.nan_to_num(np.abs(part.fitted), nan=1), x.shape).ravel() != 0
    return found


def predicted(form, y, x):
    """The same from a form, entry by entry."""
    found = np.zeros((int(np.prod(y)), int(np.prod(x))), bool)
    for j in range(found.shape[0]):
        for i in range(found.shape[1]):
            found[j, i] = related(form, np.unravel_index(j, y), j, np.unravel_index(i, form.get("view", x)), i, y, x)
    return found


def related(form, at, j, where, i, y, x):
    if "y" in form:
        x = form.get("view", x)
        upto = form.get("upto")
        for b, label in enumerate(form["x"]):
            first = form["x"].index(label)
            if first < b and where[first] != where[b]:
                return False
            if label in form["y"]:
                a = form["y"].index(label)
                if y[a] > 1 and x[b] > 1 and not (where[b] <= at[a] if label == upto else where[b] == at[a]):
                    return False
        return True
    if "from" in form:
        start, strides = form["from"]
        return start + sum(s * k for s, k in zip(strides, at)) == i
    if "to" in form:
        start, strides = form["to"]
        return start + sum(s * k for s, k in zip(strides, where)) == j
    if "map" in form:
        return form["map"][j] == i
    return through_window(form["windows"], at, where, y, x)


def through_window(w, at, where, y, x):
    axes = range(len(w["size"]))
    seen = [
        [at[2 + a] * w["stride"][a] + m * w["dilation"][a] - w["before"][a] for m in range(w["size"][a])] for a in axes
    ]
    if w["of"] == "weight":
        return where[0] == at[1] and all(0 <= seen[a][where[2 + a]] < w["image"][a] for a in axes)
    same_group = where[1] // (x[1] // w["groups"]) == at[1] // (y[1] // w["groups"])
    return where[0] == at[0] and same_group and all(where[2 + a] in seen[a] for a in axes)


POINTS = [
    pytest.param(rule, point, id=f"{rule.name}-{n}")
    for rule in TABLE.values()
    if rule.differentiable and not rule.entrywise and rule.forward.__module__.startswith("autodiff.ops")
    for n, point in enumerate(draw_samples(rule))
    if any(is_continuous(a) and np.size(a) for a in point.args)
]


@pytest.mark.parametrize(("rule", "point"), POINTS)
def test_a_form_says_what_the_engine_does(rule, point, rng):
    """Entry j depends on entry i exactly if, at some point, the VJP of the unit cotangent of j is not 0 at i."""
    with np.errstate(all="ignore"):
        node = node_of(rule, point.args, point.params)
        for k in range(len(point.args)):
            form = dependences(node)[k] if is_continuous(point.args[k]) else None
            if form is None or node.size * np.size(point.args[k]) > 5000:
                continue
            assert json.loads(json.dumps(form)) == form
            claimed = predicted(form, node.shape, np.shape(point.args[k]))
            found = np.zeros_like(claimed)
            for n in range(DRAWS):
                args = [draw_like(a, rng) if is_continuous(a) else a for a in map(np.asarray, point.args)]
                found |= pattern(node_of(rule, args, point.params), k)
                assert not np.any(found & ~claimed), f"{rule.name}, argument {k}: {form} leaves out entries"
                if np.array_equal(found, claimed) or (rule.name in SINGLE and n > 5 and not found.any()):
                    break
            else:
                raise AssertionError(f"{rule.name}, argument {k}: {form} claims too much")


def test_what_is_claimed():
    """The rows that people meet have a form; an entry-by-entry one needs none."""
    x, w, b = (ad.Tensor(np.ones(s)) for s in ((4, 3), (5, 3), (5,)))
    h = ad.linear(x, w, b)
    assert dependences(h) == [
        {"y": [1, 0], "x": [1, 2]},
        {"y": [1, 0], "x": [0, 2]},
        {"y": [1, 0], "x": [0]},
    ]
    assert dependences(ad.tanh(x))[0] is None
    assert dependences(x[::-1])[0] == {"from": [9, [-3, 1]]}
    assert dependences(x[[0, 0, 2], 1])[0] == {"map": [1, 1, 7]}
    assert dependences(ad.concatenate([x, x]))[1] == {"to": [12, [3, 1]]}
    assert dependences(ad.cumsum(x))[0] == {"y": [0], "x": [0], "upto": 0, "view": [12]}


def test_a_long_map_is_left_out(rng):
    """An index of many entries that follow no rule costs nothing."""
    x = ad.Tensor(rng.normal(size=10_000))
    y = x[rng.permutation(10_000)]
    assert dependences(y)[0] is None
    assert dependences(x[:5000])[0] == {"from": [0, [1]]}


def test_freed_and_constant_arguments_are_no_trouble():
    """A view of a tape with constants, lists and empty arrays."""
    x = ad.Tensor(np.zeros((0, 3)))
    y = ad.sum(ad.concatenate([x, np.ones((1, 3))]) @ np.ones((3, 2)))
    view = view_of([y], sys._getframe(), "debug")
    for edge in view.edges.values():
        dependences(view.nodes[edge.target].node)


def test_an_op_of_many_arguments_is_run_once(monkeypatch):
    """Not once for each of them: a list of thousands of numbers would take as many times as long."""
    t = [ad.Tensor(np.ones(2)) for _ in range(300)]
    y, runs = ad.stack(t), []
    forward = y.rule.forward
    monkeypatch.setattr(y.rule, "forward", lambda *args, **options: runs.append(1) or forward(*args, **options))
    assert dependences(y)[7] == {"to": [14, [1]]}
    assert len(runs) == 1
