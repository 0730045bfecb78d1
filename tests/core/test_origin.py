"""``ad.trace()``: where nodes come from."""

import copy
import pickle
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.modes import watchers
from autodiff.core.node import Node


def place_of(node):
    return node.origin.place


def test_outside_nobody_pays():
    x = ad.Value(2.0)
    y = x * x
    assert y.origin is None
    assert not hasattr(y, "_origin")  # the slot is empty, not filled with None
    assert watchers() == ()


def test_a_node_remembers_its_expression():
    x = ad.Value(2.0)
    with ad.trace():
        y = 3 * ad.sin(x) + x
    sine, product, total = list(ad.Tape(y))[1:]
    texts = [
        n.origin.place.line.text[n.origin.place.column - 8 : n.origin.place.end_column - 8]
        for n in (sine, product, total)
    ]
    assert texts == ["ad.sin(x)", "3 * ad.sin(x)", "3 * ad.sin(x) + x"]
    assert place_of(y).function == "test_a_node_remembers_its_expression"
    assert place_of(y).line.filename == __file__


def test_a_cell_of_a_notebook_is_called_by_its_number(monkeypatch):
    from IPython.core.compilerop import CachingCompiler

    compiler = CachingCompiler()
    shell = SimpleNamespace(compile=compiler)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    cell = "x = ad.Value(2.0)\nwith ad.trace():\n    y = ad.sin(x)\n"
    space = {"ad": ad}
    exec(compile(cell, compiler.cache(cell, number=5), "exec"), space)
    line = place_of(space["y"]).line
    assert str(line) == "cell [5], line 3: y = ad.sin(x)"
    tape = ad.Tape(space["y"])
    assert str(tape).splitlines()[-1].endswith("cell [5], line 3")
    assert len(tape.find(line="cell [5], line 3")) == 1
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))  # imported by a script
    assert line.where == f"{line.filename}:3"


def test_an_expression_of_several_lines():
    x = ad.Value(2.0)
    with ad.trace():
        y = (
            x
            + 1
        )  # fmt: skip
    assert place_of(y).last == place_of(y).line.number + 1


def square(x):
    return x * x


def test_the_calls_that_led_there():
    x = ad.Value(2.0)
    with ad.trace():
        y = square(x)
    assert place_of(y).function == "square"
    assert [p.function for p in y.origin.via] == ["test_the_calls_that_led_there"]
    assert y.origin.via[0].line.text == "y = square(x)"


class Block(nn.Module):
    def __init__(self):
        self.first = nn.Linear(2, 2, rng=0)
        self.act = nn.Tanh()

    def forward(self, x):
        return x + self.act(self.first(x))


class Net(nn.Module):
    def __init__(self):
        self.blocks = [Block(), Block()]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_modules_by_the_names_they_have_in_one_another():
    model = Net()
    with ad.trace():
        y = ad.sum(model(np.ones((1, 2))))
    scopes = [[(call.step, call.kind) for call in n.origin.scope] for n in ad.Tape(y) if n.origin]
    assert scopes[:3] == [
        [("model", "Net"), ("blocks.0", "Block"), ("first", "Linear")],
        [("model", "Net"), ("blocks.0", "Block"), ("act", "Tanh")],
        [("model", "Net"), ("blocks.0", "Block")],
    ]
    assert scopes[3][1] == ("blocks.1", "Block")
    assert scopes[-1] == []


def test_calls_of_one_module_are_numbered():
    cell = nn.Linear(2, 2, rng=0)
    x = np.ones((1, 2))
    with ad.trace():
        for _ in range(3):
            x = cell(x)
    numbers = [n.origin.scope[0].number for n in ad.Tape(x) if n.origin]
    assert numbers == [0, 1, 2]


def test_results_that_are_not_tracked_remember_too():
    x = ad.Tensor([1.0, -1.0])
    with ad.trace(), ad.no_grad():
        y = x * 2
    assert place_of(y).line.text == "y = x * 2"


def test_assigning_into_a_tensor_is_where_its_new_value_comes_from():
    x = ad.Tensor([1.0, 2.0])
    with ad.trace():
        t = x.copy()
        t[0] = x[1]
        y = ad.sum(t)
    assert place_of(t).line.text == "t[0] = x[1]"
    (before,) = [n for n in ad.Tape(y) if n.rule is not None and n.rule.name == "copy"]
    assert place_of(before).line.text == "t = x.copy()"


def test_copies_and_pickles_keep_it():
    x = ad.Value(2.0)
    with ad.trace():
        y = x * x
    assert copy.deepcopy(y).origin[:3] == y.origin[:3]
    assert pickle.loads(pickle.dumps(y)).origin[:3] == y.origin[:3]
    assert pickle.loads(pickle.dumps(x)).origin is None


def test_it_ends_with_its_block_also_when_that_raises():
    x = ad.Value(2.0)

    with pytest.raises(KeyError), ad.trace():
        raise KeyError
    assert (x * x).origin is None


def test_other_threads_are_not_traced():
    x = ad.Value(2.0)
    found = []
    with ad.trace():
        thread = threading.Thread(target=lambda: found.append(x * x))
        thread.start()
        thread.join()
    assert found[0].origin is None


def test_no_frame_is_kept_alive():
    x = ad.Value(2.0)

    class Token:
        pass

    import weakref

    def program():
        token = Token()
        seen.append(weakref.ref(token))
        return nn.Tanh()(ad.Tensor([1.0])).sum() + x

    seen = []
    with ad.trace():
        y = program()
    assert y.origin is not None
    assert seen[0]() is None


def test_with_arguments_it_is_the_sum_of_a_diagonal():
    a = np.arange(6.0).reshape(2, 3)
    assert ad.trace(a) == np.trace(a) == 4.0
    t = ad.Tensor(a)
    assert ad.trace(t, 1).item() == np.trace(a, 1)
    assert ad.trace.rule.name == "trace"
    assert isinstance(np.trace(t), Node)
