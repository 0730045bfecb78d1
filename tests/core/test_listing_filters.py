"""Parts of a tape: by op, name, line, scope, shape, or any question."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn


def ops_of(tape):
    return [node.rule.name if node.rule is not None else "leaf" for node in tape]


@pytest.fixture
def tape():
    x, w, b = np.ones((5, 2)), ad.Tensor(np.ones((2, 3)), name="weight"), ad.Tensor(np.zeros(3), name="bias")
    return ad.Tape(ad.tanh(x @ w + b).sum())


def test_by_op_also_as_a_pattern(tape):
    assert ops_of(tape.find(op="matmul")) == ["matmul"]
    assert ops_of(tape.find("*m*")) == ["matmul", "sum"]
    assert ops_of(tape.find("leaf")) == ["leaf", "leaf"]
    assert len(tape.find("conv")) == 0


def test_by_name_also_of_variables():
    first, second = nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=0)
    model = nn.Sequential(first, second)
    tape = ad.Tape(model(np.ones((3, 2))).sum())
    assert len(tape.find(name="model.*.weight")) == 2
    assert tape.find(name="model.0.bias").nodes == [first.bias]
    hidden = ad.exp(first.weight)
    assert ad.Tape(hidden.sum()).find(name="hidden")[0] is hidden


def test_by_shape_with_any_length(tape):
    assert ops_of(tape.find(shape=(5, 3))) == ["matmul", "add", "tanh"]
    assert ops_of(tape.find(shape=(None, 3))) == ["leaf", "matmul", "add", "tanh"]
    assert ops_of(tape.find(shape=())) == ["sum"]
    with pytest.raises(ad.AutodiffError, match=r"shape=3; it is a tuple, such as \(None, 10\)"):
        tape.find(shape=3)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"op": 3}, "tape.find got op=3; it is text that a name is or looks like"),
        ({"name": 3}, "tape.find got name=3; it is text"),
        ({"scope": ["model"]}, r"tape.find got scope=\['model'\]; it is text"),
        ({"line": 1.5}, "tape.find got line=1.5; it is a number, such as 12, or text"),
        ({"line": True}, "tape.find got line=True"),
        ({"shape": (None, "a")}, r"shape=\(None, 'a'\); it is a tuple"),
    ],
)
def test_what_is_no_question(tape, question, message):
    with pytest.raises(ad.errors.KindError, match=message):
        tape.find(**question)


@pytest.mark.parametrize("predicate", [3, None, "grad"])
def test_what_is_no_predicate(tape, predicate):
    with pytest.raises(ad.errors.KindError, match=r"tape.where got .*; it takes a function of a node"):
        tape.where(predicate)


def test_several_at_once_must_all_fit(tape):
    assert ops_of(tape.find("t*", shape=(5, 3))) == ["tanh"]
    assert ops_of(tape.find("t*", shape=(5, 4))) == []


def test_by_line_and_scope():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Sequential(nn.Linear(3, 1, rng=0)))
    with ad.trace():
        y = model(np.ones((4, 2)))
        loss = (y * y).sum()
    tape = ad.Tape(loss)
    line = loss.origin.place.line.number
    assert ops_of(tape.find(line=line)) == ["multiply", "sum"]
    assert ops_of(tape.find(line=f"test_listing_filters.py:{line}")) == ["multiply", "sum"]
    assert ops_of(tape.find(line=f"{__file__}:{line}")) == ["multiply", "sum"]
    assert ops_of(tape.find(line=f"other.py:{line}")) == []
    assert ops_of(tape.find(scope="model.0")) == ["linear"]
    assert ops_of(tape.find(scope="model.2")) == ["linear"]
    assert ops_of(tape.find(scope="model")) == ["linear", "tanh", "linear"]
    assert ops_of(tape.find(scope="*.1")) == ["tanh"]
    assert len(ad.Tape((model(np.ones((4, 2)))).sum()).find(line=line)) == 0


def test_by_any_question(tape):
    assert len(tape.where(lambda node: node.grad is None)) == len(tape)
    tape[-1].backward()
    assert len(tape.where(lambda node: node.grad is None)) == 0
    assert tape.where(lambda node: node.is_leaf).nodes == tape[:2].nodes


def test_a_part_prints_with_the_positions_of_the_whole_and_can_be_filtered_again(tape):
    part = tape.find(shape=(5, 3))
    assert isinstance(part, ad.Tape)
    assert [line.split()[0] for line in str(part).splitlines()] == ["index", "%2", "%3", "%4"]
    assert "%2, %1" in str(part)
    assert ops_of(part.find("add")[:1]) == ["add"]
    assert "%3" in part._repr_html_()
    assert str(tape.find("conv")).split() == ["index", "name", "op", "arguments", "shape", "value", "grad"]


def test_lines_are_a_column_only_where_nodes_know_them():
    a = ad.Value(2.0)
    with ad.trace():
        y = a * a
    z = ad.sin(y)
    header, *rows = str(ad.Tape(z)).splitlines()
    assert header.split()[-1] == "line"
    assert rows[1].split()[-1] == f"test_listing_filters.py:{y.origin.place.line.number}"
    assert rows[2].split()[-1] == "-"
    assert max(map(len, rows)) <= 120
    assert "test_listing_filters.py" in ad.Tape(z)._repr_html_()
    assert "line" not in str(ad.Tape(z)[-1:])


def test_a_long_tape_is_filtered_quickly():
    y = ad.Value(1.0)
    for _ in range(50_000):
        y = ad.sin(y) * 1.0001
    tape = ad.Tape(y)
    assert len(tape.find("sin")) == 50_000
    assert len(str(tape.find("sin")).splitlines()) == 52
    assert len(tape.where(lambda node: node.data > 2)) == 0


@pytest.mark.parametrize("question", [lambda n: n.data > 0, lambda n: n * 1, lambda n: np.array([])])
def test_an_answer_that_is_neither_true_nor_false(tape, question):
    with pytest.raises(ad.errors.ShapeError, match=r"array of shape \(.*such as lambda n: \(n.data > 0\).any\(\)"):
        tape.where(question)
    assert len(tape.where(lambda n: (n.data > 0).any())) == 5
    assert len(tape.where(lambda n: np.array([True]))) == len(tape)


@pytest.mark.parametrize("x", [3, None, "loss"])
def test_what_has_no_arguments(tape, x):
    with pytest.raises(ad.errors.KindError, match=r"tape.arguments_of got .*; it takes a node"):
        tape.arguments_of(x)
