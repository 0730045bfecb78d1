import gc
import sys
import types
import weakref
from collections import OrderedDict, namedtuple
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff.core import names
from autodiff.core.names import find_names
from autodiff.core.summary import (
    text_width,
)
from tests.models import MLP

NAN, INF = np.nan, np.inf


class Bag:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


# The tape as a sequence


def test_a_tape_is_a_sequence_of_nodes_oldest_first():
    a, b = ad.Value(2.0), ad.Value(3.0)
    c = a * b
    d = c + a
    tape = ad.Tape(d)
    assert len(tape) == 4
    assert [node.index for node in tape] == sorted(node.index for node in tape)
    assert tape[0] is a
    assert tape[-1] is d
    assert [x is y for x, y in zip(tape[1:3], [b, c], strict=True)] == [True, True]
    assert next(reversed(tape)) is d


def test_membership_and_position_are_by_identity_not_by_value():
    a = ad.Tensor([1.0, 2.0])
    y = (a * a).sum()
    tape = ad.Tape(y)
    assert a in tape
    assert ad.Tensor([1.0, 2.0]) not in tape
    assert 1.0 not in tape
    assert tape.index(y) == tape.index(y, -1) == tape.index(y, 1, 3) == 2
    with pytest.raises(ValueError, match="not on the tape"):
        tape.index(y, 0, 2)
    assert tape.count(a) == 1
    with pytest.raises(ValueError, match="not on the tape"):
        tape.index(ad.Tensor([1.0, 2.0]))


def test_a_tape_of_several_outputs_and_of_a_leaf():
    a = ad.Value(2.0)
    assert len(ad.Tape(a * 2, a * 3)) == 3
    assert len(ad.Tape(a, a)) == 1


def test_a_tape_needs_something_that_was_recorded():
    with pytest.raises(ad.AutodiffError, match=r"Tape\(\) needs a result that was recorded, got a plain float"):
        ad.Tape(3.0)
    with pytest.raises(ad.AutodiffError, match="requires_grad=False"):
        ad.Tape(ad.Tensor([1.0], requires_grad=False))
    with pytest.raises(ValueError, match="given nothing"):
        ad.Tape()


def test_a_freed_tape_says_so():
    a = ad.Value(2.0)
    y = a * a
    y.backward(free=True)
    with pytest.raises(ad.AutodiffError, match="freed"):
        ad.Tape(y)


def test_a_tape_whose_values_were_freed_is_printed_nevertheless():
    a = ad.Tensor(np.ones((2, 2)))
    y = (ad.exp(a) @ a).sum()
    tape, other = ad.Tape(y), ad.Tape((ad.exp(a) @ a).sum())
    y.backward(free=True)
    header, _, exp, product, result, note = [line.split() for line in str(tape).splitlines()]
    assert header[:4] == ["index", "name", "op", "arguments"]
    assert exp == ["%1", "freed", "freed", "-"]
    assert product == ["%2", "freed", "freed", "-"]
    assert result[:5] == ["%3", "y", "freed", "()", "21.75"]
    assert " ".join(note) == "freed: backward(free=True) has let go of these ops and values"
    assert "has let go" in tape._repr_html_()
    assert len(tape.find(shape=(2, 2))) == 1
    for here, there in ((tape, other), (other, tape)):
        with pytest.raises(
            ad.errors.TapeError, match=r"tape\.diff compares values, and backward\(free=True\) has let go"
        ):
            here.diff(there)


@pytest.mark.parametrize("i", ["a", 1.5, None, (1, 2), ad.Value(1.0), slice("a", None), slice(None, None, 0)])
def test_what_is_no_position(i):
    with pytest.raises(ad.errors.KindError, match=r"a tape takes a position, tape\[3\], or a slice"):
        ad.Tape(ad.Value(2.0) * 2)[i]


@pytest.mark.parametrize("i", [2, 99, -3])
def test_a_position_that_is_not_there(i):
    tape = ad.Tape(ad.Value(2.0) * 2)
    with pytest.raises(IndexError, match=rf"tape\[{i}\]: this tape has no such node; it has 2, from 0 to 1") as found:
        tape[i]
    assert isinstance(found.value, ad.errors.PositionError)
    with pytest.raises(IndexError, match="it is empty"):
        tape[:0][0]


# The table


def test_the_table_of_a_small_expression():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b
    loss = ad.tanh(c + 7)
    loss.backward()
    assert str(ad.Tape(loss)).splitlines() == [
        "index  name  op        arguments  shape    value     grad",
        "   %0  a     leaf                 ()      2.0     -1.26",
        "   %1  b     leaf                 ()     -3.0      0.8399",
        "   %2  c     multiply  %0, %1     ()     -6.0      0.42",
        "   %3        add       %2, 7      ()      1.0      0.42",
        "   %4  loss  tanh      %3         ()      0.7616   1.0",
    ]


def test_gradients_that_are_not_there_yet_are_a_dash():
    a = ad.Value(2.0)
    y = a * a
    assert all(line.endswith("  -") for line in str(ad.Tape(y)).splitlines()[1:])


def test_constants_and_options_stand_among_the_arguments():
    x, w = np.ones((5, 2)), ad.Tensor(np.ones((2, 3)))
    frozen = ad.Tensor(np.ones(3), requires_grad=False)
    y = (x @ w * np.ones((5, 3)) + frozen).sum(axis=1)[2:4]
    text = str(ad.Tape(y))
    assert "x(5, 2), %0" in text
    assert "array(5, 3)" in text
    assert "frozen(3,)" in text
    assert "%3, axis=1" in text
    assert "key=2:4" in text
    assert "keepdims" not in text


def test_untracked_results_are_shown_by_their_op():
    h = ad.Tensor(np.ones((8, 4)))
    assert "dropout_mask(8, 4)" in str(ad.Tape(ad.dropout(h, rng=0)))


def test_many_arguments_are_elided():
    xs = [ad.Tensor([float(i)]) for i in range(50)]
    assert "%0, %1, %2, %3, … 45 more, %49, axis=" not in str(ad.Tape(ad.concatenate(xs)))
    assert "%0, %1, %2, %3, … 45 more, %49" in str(ad.Tape(ad.concatenate(xs)))


def test_no_line_is_wider_than_the_limit():
    model, X = MLP(), np.ones((100, 2))
    first, second = model.layers
    h = ad.tanh(ad.linear(X, first.weight, first.bias))
    loss = ad.cross_entropy(ad.linear(ad.dropout(h, rng=0), second.weight, second.bias), np.zeros(100, int))
    loss.name = "a long name for what is only a loss, with 日本語 in it " * 5
    loss.backward()
    lines = str(ad.Tape(loss)).splitlines()
    assert max(map(text_width, lines)) <= 120
    assert len(lines) == 1 + len(ad.Tape(loss))
    assert "model.layers.0.weight" in lines[1]


def test_numbers_are_aligned_at_the_right():
    x = ad.Tensor(np.linspace(0, 1, 7))
    y = (x * 1000).sum()
    y.backward()
    header, *lines = str(ad.Tape(y)).splitlines()
    end = header.index("value") + len("value")
    assert all(line[end] == " " for line in lines)


def test_a_long_tape_is_printed_without_its_middle():
    x = ad.Value(1.0)
    y = x
    for _ in range(5000):
        y = y * 1.001
    lines = str(ad.Tape(y)).splitlines()
    assert len(lines) == 1 + 25 + 1 + 25
    assert lines[26].split() == ["…", "4951", "more", "nodes,", "not", "printed"]
    assert lines[-1].split()[:3] == ["%5000", "y", "multiply"]
    assert len(str(ad.Tape(y)[:200]).splitlines()) == 201
    assert "4951 more" in ad.Tape(y)._repr_html_()


def test_a_slice_keeps_the_positions_of_the_whole():
    a = ad.Value(2.0)
    y = ad.exp(ad.sin(a * 3))
    part = ad.Tape(y)[-2:]
    assert [line.split()[0] for line in str(part).splitlines()] == ["index", "%2", "%3"]
    assert repr(part) == str(part)


def test_the_table_for_a_notebook_is_escaped():
    a = ad.Value(2.0, name="<script>alert('&')</script>")
    page = ad.Tape(a * 2)._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<tr>") == 3


def test_values_of_other_kinds_are_printed_in_their_kind():
    import sympy

    x, s = ad.Value(Fraction(1, 3)), ad.Value(sympy.Symbol("s"))
    y, z = x * x, s * s
    y.backward()
    z.backward()
    assert "1/9" in str(ad.Tape(y))
    assert "2/3" in str(ad.Tape(y))
    assert "2*s" in str(ad.Tape(z))
    c = ad.Value(1 + 2j)
    assert "-3.0+4.0j" in str(ad.Tape(c * c))


def test_a_recorded_gradient_is_printed_as_its_number():
    x = ad.Value(3.0)
    y = x * x
    y.backward(create_graph=True)
    assert "6.0" in str(ad.Tape(y)).splitlines()[1]


# Names


def test_names_of_variables_lists_dicts_and_objects():
    x = ad.Value(1.0)
    ws = [ad.Value(2.0), ad.Value(3.0)]
    bag = Bag(inner=Bag(theta=ad.Value(4.0)))
    batch = {"target": np.ones(3), 3: ad.Value(5.0)}
    Point = namedtuple("Point", "a b")
    point = Point(ad.Value(6.0), ad.Value(7.0))
    ordered = OrderedDict(k=ad.Value(8.0))
    found = find_names(sys._getframe())
    assert found[id(x)] == "x"
    assert found[id(ws[1])] == "ws[1]"
    assert found[id(bag.inner.theta)] == "bag.inner.theta"
    assert found[id(batch["target"])] == "batch['target']"
    assert found[id(batch[3])] == "batch[3]"
    assert found[id(point.b)] == "point.b"
    assert found[id(ordered["k"])] == "ordered['k']"


def test_the_nearest_and_shortest_name_wins_then_the_first():
    longer = loss = ad.Value(1.0)
    q = p = ad.Value(2.0)
    inside = [ad.Value(3.0)]
    variable = inside[0]
    found = find_names(sys._getframe())
    assert found[id(longer)] == found[id(loss)] == "loss"
    assert found[id(p)] == found[id(q)] == "q"
    assert found[id(variable)] == "variable"


def test_a_parameter_is_called_by_its_module_even_where_a_loop_left_a_variable():
    model = MLP()
    for _, p in model.named_parameters():
        p.zero_grad()
    assert find_names(sys._getframe())[id(p)] == "model.layers.1.bias"


def test_parameters_named_by_their_layer_get_the_whole_path():
    model = MLP()
    for name, parameter in model.named_parameters():
        parameter.name = name.rpartition(".")[2]
    y = model.layers[0].weight.sum()
    assert "model.layers.0.weight" in str(ad.Tape(y))


def test_a_given_name_wins():
    variable = ad.Value(1.0, name="given")
    y = variable * 2
    assert "given" in str(ad.Tape(y))
    assert "variable" not in str(ad.Tape(y))


GLOBAL = ad.Value(1.0)
_hidden = ad.Value(1.0)


def test_locals_come_before_globals_and_underscores_are_not_names():
    y = GLOBAL * _hidden
    found = find_names(sys._getframe())
    assert found[id(GLOBAL)] == "GLOBAL"
    assert id(_hidden) not in found
    mine = GLOBAL
    assert find_names(sys._getframe())[id(mine)] == "mine"
    assert found[id(y)] == "y"


def test_names_at_module_level():
    space = {"ad": ad}
    exec("x = ad.Value(2.0)\ny = x * x\ntext = str(ad.Tape(y))", space)
    assert [line.split()[1] for line in space["text"].splitlines()[1:]] == ["x", "y"]


class Weird:
    """Everything that a user's class could do to somebody who looks at it."""

    def __init__(self):
        self.__dict__["kept"] = ad.Value(1.0)

    def __getattr__(self, name):
        raise RuntimeError(name)

    @property
    def prop(self):
        raise SystemError("property")

    def __eq__(self, other):
        raise RuntimeError("eq")

    def __hash__(self):
        raise RuntimeError("hash")

    def __bool__(self):
        raise RuntimeError("bool")

    def __len__(self):
        raise RuntimeError("len")

    def __iter__(self):
        raise RuntimeError("iter")

    @property
    def __class__(self):
        raise RuntimeError("class")

    def named_parameters(self):
        yield "first", 3
        raise RuntimeError("named_parameters")


class Secretive:
    @property
    def __dict__(self):
        raise RuntimeError("dict")


class LoudDict(dict):
    def items(self):
        raise RuntimeError("items")


class LoudList(list):
    def __iter__(self):
        raise RuntimeError("iter")


class Endless:
    def named_parameters(self):
        i = 0
        while True:
            yield f"p{i}", self
            i += 1


class Meta(type):
    def __getattr__(cls, name):
        raise RuntimeError(name)

    def __instancecheck__(cls, x):
        raise RuntimeError("instancecheck")


def test_weird_objects_are_survived():
    weird, secretive, endless, meta = Weird(), Secretive(), Endless(), Meta("WithMeta", (), {})()
    loud, louder = LoudDict(a=ad.Value(1.0)), LoudList([ad.Value(2.0)])
    arrays = np.array([object(), None], dtype=object)
    module, broadcast = types.ModuleType("m"), np.ones(3)
    cycle = [ad.Value(3.0)]
    cycle.append(cycle)
    bag = Bag()
    bag.me = bag
    found = find_names(sys._getframe())
    assert found[id(weird.__dict__["kept"])] == "weird.kept"
    assert found[id(dict.__getitem__(loud, "a"))] == "loud['a']"
    assert found[id(louder[0])] == "louder[0]"
    assert found[id(cycle[0])] == "cycle[0]"
    assert [type(x).__name__ for x in (secretive, endless, meta, arrays, module, broadcast)]


def test_the_search_is_bounded(monkeypatch):
    visited = []
    inside = names._inside
    monkeypatch.setattr(names, "_inside", lambda x: visited.append(x) or inside(x))
    huge = [[[float(i)] for i in range(100)] for _ in range(1000)]
    x = ad.Value(1.0)
    found = find_names(sys._getframe())
    assert found[id(x)] == "x"
    assert len(huge) == 1000
    assert len(visited) <= 10_000


def test_a_list_that_is_too_long_does_not_hide_the_rest():
    numbers = [0.0] * 100_000
    later = [ad.Value(1.0)]
    assert find_names(sys._getframe())[id(later[0])] == "later[0]"
    assert len(numbers) == 100_000


def test_looking_for_names_leaves_nothing_behind():
    """`del loss` must still free the tape at once, in a function too, with the garbage collector off."""
    gc.disable()
    try:
        x = ad.Value(1.0)
        loss = x * 2
        gone = weakref.ref(loss)
        text = str(ad.Tape(loss))
        del loss
        assert gone() is None
        assert "loss" in text
    finally:
        gc.enable()


def test_a_kept_dict_of_locals_is_not_emptied():
    x = ad.Value(1.0)
    mine = locals()
    find_names(sys._getframe())
    assert mine["x"] is x


def test_what_the_package_keeps_gives_no_names():
    def program():
        inner = ad.Value(2.0)
        return inner * inner + 1

    y = program()
    derivation = ad.derive(y, wrt=ad.Tape(y)[0])
    assert derivation is not None
    tape = ad.Tape(y)
    assert [tape.name_of(node) for node in tape] == [None, None, "y"]
