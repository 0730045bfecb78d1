"""What is drawn: boxes, facts, links, frames, names."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction

import numpy as np
import pytest
from drawn import SVG, ends_of, extent, groups, members, nodes_of, parsed, text_of, words

import autodiff as ad
from autodiff.viz.theme import THEMES
from tests.models import MLP, Linear

# Boxes


def test_a_box_has_name_op_value_and_gradient():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b
    c.backward()
    boxes = nodes_of(ad.draw(c))
    assert text_of(boxes["n0"]) == "a leaf value 2.0 grad -3.0"
    assert text_of(boxes["n2"]) == "c multiply value -6.0 grad 1.0 a b"


def test_gradients_are_not_shown_before_there_are_any():
    a = ad.Value(2.0)
    y = a * 3.0
    for style in ("graph", "circuit"):
        drawing = ad.draw(y, style=style)
        assert "grad" not in drawing.svg + drawing.text + drawing.mermaid + str(drawing)
    y.backward()
    assert text_of(nodes_of(ad.draw(y))["n0"]) == "a leaf value 2.0 grad 3.0"


def test_what_is_shown_can_be_chosen():
    a = ad.Tensor([1.0, 2.0], dtype=np.float32)
    with ad.trace():
        y = (a * 2.0).sum()
    y.backward()
    assert text_of(nodes_of(ad.draw(y, show="value"))["n0"]) == "a leaf value [1.0, 2.0]"
    everything = text_of(nodes_of(ad.draw(y, show=["index", "dtype", "shape", "grad", "line"]))["n1"])
    assert everything.startswith("multiply index %1 shape (2,) dtype float32 grad [1.0, 1.0] line test_draw.py:")
    assert set(nodes_of(ad.draw(y, show=[]))) == {"n0", "n1", "n2"}  # constants were not asked for
    assert text_of(nodes_of(ad.draw(y, show=()))["n2"]) == "y sum"


def test_a_tensor_is_summarised_and_has_its_shape():
    x = ad.Tensor(np.linspace(-1.5, 2.5, 12).reshape(3, 4))
    y = (x * 2.0).sum(axis=0)
    boxes = nodes_of(ad.draw(y))
    assert text_of(boxes["n0"]) == "x leaf shape (3, 4) value [-1.5 .. 2.5]"
    assert "sum axis=0" in text_of(boxes["n2"])


def test_an_argument_that_is_used_twice_has_two_links_to_two_entries():
    a = ad.Value(3.0)
    drawing = ad.draw(a + a)
    assert ends_of(drawing) == {("n0", "n1"): 2}
    assert [link.port for link in drawing.scene.links] == [0, 1]
    paths = {ET.tostring(g) for _, g in groups(parsed(drawing), "edge")}
    assert len(paths) == 2


def test_the_links_tell_which_argument_is_which():
    a, b = ad.Value(3.0), ad.Value(5.0)
    drawing = ad.draw(b - a)
    assert {(link.source, link.port) for link in drawing.scene.links} == {("n1", 0), ("n0", 1)}
    assert drawing.scene.boxes[2].ports == ["a", "b"]


def test_one_link_per_argument_even_of_an_op_of_many():
    xs = [ad.Tensor([float(i)]) for i in range(20)]
    drawing = ad.draw(ad.concatenate(xs))
    assert len(drawing.scene.links) == 20
    assert not drawing.scene.boxes[-1].ports


def test_constants_are_small_boxes_arrays_once_numbers_where_they_are_used():
    x = np.ones((100, 2))
    w = ad.Tensor(np.ones((100, 2)))
    y = (w * x + x) * 2.0 + 2.0
    boxes = nodes_of(ad.draw(y))
    constants = sorted(text_of(g) for name, g in boxes.items() if name.startswith("c"))
    assert constants == ["2.0", "2.0", "x (100, 2)"]
    assert text_of(nodes_of(ad.draw(w + np.zeros((100, 2))))["c0"]) == "array (100, 2)"
    assert text_of(nodes_of(ad.draw(w + np.array([1.5, 2.0])))["c0"]) == "[1.5, 2.0]"


def test_untracked_nodes_are_constants_called_by_name_or_op():
    frozen = ad.Tensor(np.ones((8, 4)), requires_grad=False)
    h = ad.Tensor(np.ones((8, 4)))
    texts = [text_of(g) for g in nodes_of(ad.draw(ad.dropout(h * frozen, rng=0))).values()]
    assert "frozen (8, 4)" in texts
    assert "dropout_mask (8, 4)" in texts


def test_several_outputs_and_a_single_leaf():
    a = ad.Value(2.0)
    b, c = a * 2, a * 3
    drawing = ad.draw([b, c])
    orange = THEMES["light"].output.frame
    assert [name for name, g in nodes_of(drawing).items() if orange in ET.tostring(g, "unicode")] == ["n1", "n2"]
    assert drawing.scene.title == "Tape of b, c: 3 nodes"
    assert list(nodes_of(ad.draw((a,)))) == ["n0"]
    assert len(nodes_of(ad.draw(a))) == 1


def test_names_of_the_caller_are_found():
    def inner():
        local = ad.Value(1.0)
        return nodes_of(ad.draw(local * 2))["n0"]

    assert words(inner())[0] == "local"


def test_values_of_other_kinds():
    import sympy

    x, s, z = ad.Value(Fraction(1, 3)), ad.Value(sympy.Symbol("s") ** 2), ad.Value(1 + 2j)
    for node, text in ((x * 2, "2/3"), (s * 2, "2*s**2"), (z * 2, "2.0+4.0j")):
        for show in ("value", "flow"):
            drawing = ad.draw(node, show=["value", show])
            assert text in text_of(parsed(drawing))


def test_odd_arrays():
    for data in (np.zeros((0, 3)), np.array([[np.nan, np.inf], [1.0, 2.0]]), np.array([[1j, 2], [3, 4]])):
        x = ad.Tensor(data)
        for show in ("value", "flow"):
            assert parsed(ad.draw(x * 2.0, show=show)) is not None


def test_a_recorded_gradient():
    x = ad.Value(3.0)
    y = x * x
    y.backward(create_graph=True)
    assert text_of(nodes_of(ad.draw(y))["n0"]) == "x leaf value 3.0 grad 6.0"
    assert parsed(ad.draw(x.grad)) is not None


# Frames


@pytest.fixture
def mlp():
    model, X = MLP(), np.ones((5, 2))
    logits = model(X)
    loss = ad.cross_entropy(logits, np.array([0, 1, 2, 0, 1]))
    loss.backward()
    return ad.draw(loss)


def test_parameters_stand_in_frames_with_the_op_that_uses_them(mlp):
    # n0 to n3 are weight, bias, weight, bias; n4 linear, n5 tanh, n6 linear, n7 the loss
    assert members(mlp) == {
        "model.layers": {"n0", "n1", "n2", "n3", "n4", "n5", "n6"},
        "model.layers.0": {"n0", "n1", "n4"},
        "model.layers.1": {"n2", "n3", "n6"},
    }


def test_frames_are_drawn_with_their_paths_inside_each_other(mlp):
    svg = parsed(mlp)
    assert [text_of(g) for _, g in groups(svg, "title")] == ["model.layers", "model.layers.0", "model.layers.1"]
    frames = {name: extent(g) for name, g in groups(svg, "cluster")}
    outer, inner = frames["s0"], frames["s1"]
    assert outer[0] < inner[0] < inner[2] < outer[2]
    assert outer[1] < inner[1] < inner[3] < outer[3]


def test_traced_modules_make_frames_with_what_the_names_could_not_tell():
    from autodiff import nn

    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())
    with ad.trace():
        y = model(np.ones((4, 2)))
    assert members(ad.draw(y)) == {"model": {"n0", "n1", "n2", "n3"}, "model.0": {"n0", "n1", "n2"}, "model.1": {"n3"}}


def test_dotted_names_that_were_given_make_frames_too():
    w, b = ad.Tensor([1.0, 2.0], name="layers.0.weight"), ad.Tensor([0.0, 0.0], name="layers.0.bias")
    y = (w * np.array([3.0, 4.0]) + b).sum()
    assert members(ad.draw(y)) == {"layers.0": {"n0", "n1", "n2", "n3"}}


def test_what_is_computed_from_parameters_alone_stays_with_them():
    model = Linear(3, 2)
    y = np.ones((5, 3)) @ model.weight.T + model.bias
    z = ad.tanh(y)
    assert members(ad.draw(z)) == {"model": {"n0", "n1", "n2", "n3", "n4"}}


def test_a_penalty_on_weights_does_not_draw_the_loss_into_the_layer():
    model = Linear(3, 2)
    loss = model(np.ones((5, 3))).sum() + 0.1 * (model.weight**2).sum()
    tape = ad.Tape(loss)
    inside = members(ad.draw(loss * 1.0))["model"]
    assert f"n{len(tape) - 1}" not in inside


def test_plain_variables_make_no_frames():
    w = [ad.Value(1.0), ad.Value(2.0)]
    assert members(ad.draw(w[0] * w[1])) == {}
    assert members(ad.draw(ad.Value(1.0, name="3.14") * 2)) == {}
    assert members(ad.draw(ad.Value(1.0, name="a." * 5000 + "b") * 2)) == {}
    assert members(ad.draw(ad.Value(1.0, name="Mr. X. Y") * 2)) == {}


# What flows back


def test_the_flow_is_on_every_link_with_a_legend():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    y = a * b + 1000.0 * a
    drawing = ad.draw(y, show="flow")
    flows = {(link.source, link.target): link.tip.partition("flows back ")[2] for link in drawing.scene.links}
    assert flows == {("n0", "n2"): "3.0", ("n1", "n2"): "2.0", ("n0", "n3"): "1000.0", ("n2", "n4"): "1.0"} | {
        ("n3", "n4"): "1.0"
    }
    levels = {(link.source, link.target): link.level for link in drawing.scene.links}
    assert levels[("n0", "n3")] == 4
    assert levels[("n2", "n4")] == 0
    legend = dict(groups(parsed(drawing), "legend"))["legend"]
    assert words(legend)[:4] == ["flows back (root mean square)", "1.0 … 4.0", "4.0 … 16.0", "16.0 … 63.0"]
    widths = {g.find(f"{SVG}path").get("stroke-width") for _, g in groups(parsed(drawing), "edge")}
    assert widths == {"1.1", "4.7"}


def test_rounding_errors_do_not_stretch_the_scale():
    """What is zero but for rounding, as the gradient of a key's bias, would make everything else look the same."""
    a, b, c = ad.Value(1.0), ad.Value(1.0), ad.Value(1.0)
    drawing = ad.draw(a * 2.0 + b * 200.0 + c * 1e-17, show="flow")
    levels = {link.source: link.level for link in drawing.scene.links if link.source in ("n0", "n1", "n2")}
    assert sorted(levels.values()) == [0, 0, 4]
    assert drawing.scene.legend.steps[0] == "below 2.9"
    alone = ad.draw(a * 2.0 + c * 1e-17 * 2.0, show="flow")
    assert alone.scene.legend.steps == ["below 1.1", "1.1 … 1.3", "1.3 … 1.5", "1.5 … 1.7", "1.7 … 2.0"]


def test_the_legend_is_a_row_below_a_wide_drawing_and_a_column_below_a_narrow_one():
    a = ad.Value(2.0)
    y = ad.exp(a * 3.0)
    for direction, is_row in (("LR", True), ("TB", False)):
        svg = parsed(ad.draw(y, show="flow", direction=direction))
        texts = list(dict(groups(svg, "legend"))["legend"].iter(f"{SVG}text"))
        assert len(texts) > 2
        assert len({t.get("y") for t in texts}) == (1 if is_row else len(texts))
        bottoms = [extent(g)[3] for _, g in groups(svg, "node")]
        assert max(bottoms) < min(float(t.get("y")) for t in texts)
        assert max(float(t.get("y")) for t in texts) < float(svg.get("height"))


def test_a_wire_of_a_circuit_is_as_wide_where_it_begins_as_the_strongest_that_branches_off():
    a, b = ad.Value(2.0), ad.Value(5.0)
    y = a * 1000.0 + a * b
    drawing = ad.draw(y, show="flow", style="circuit")
    wire = nodes_of(drawing)["n0"].find(f"{SVG}path")
    light = THEMES["light"]
    assert (wire.get("stroke"), wire.get("stroke-width")) == (light.flow[4], "4.7")
    assert nodes_of(ad.draw(y, style="circuit"))["n0"].find(f"{SVG}path").get("stroke") == light.edge


def test_nobodys_gradient_changes_when_the_flow_is_drawn():
    a = ad.Value(2.0)
    y = a * a
    ad.draw(y, show="flow")
    assert a.grad is None
    y.backward()
    ad.draw(y, show=["flow", "grad"])
    assert a.grad == 4.0


def test_zeros_and_infinite_numbers_that_flow_back_are_told_apart():
    x = ad.Tensor([-1.0, -2.0])
    y = ad.relu(x).sum() + ad.Tensor(2.0) * np.inf
    drawing = ad.draw(y, show="flow")
    by_source = {link.source: link for link in drawing.scene.links}
    assert by_source["n0"].label == "0"
    assert by_source["n0"].level == 0
    odd = [link for link in drawing.scene.links if link.odd]
    assert len(odd) == 1
    assert "flows back inf" in odd[0].tip
    assert THEMES["light"].odd in drawing.svg


def test_a_result_of_many_entries_sends_back_its_gradient_or_ones():
    x = ad.Tensor([1.0, 2.0, 3.0])
    y = x * 2.0
    assert "flows back 2.0" in ad.draw(y, show="flow").scene.links[0].tip
    y.backward(np.full(3, 5.0))
    assert "flows back 10.0" in ad.draw(y, show="flow").scene.links[0].tip


def test_the_flow_of_changed_data_is_refused():
    x = ad.Tensor([1.0])
    y = x * x
    x.data = np.array([5.0])
    assert ad.draw(y).scene.size == 2
    with pytest.raises(ad.AutodiffError, match="was changed after"):
        ad.draw(y, show="flow")


# Looks


@pytest.mark.parametrize("style", ["graph", "circuit"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_themes_and_directions(theme, direction, style):
    a, b = ad.Value(2.0), ad.Value(3.0)
    c = a * b
    svg = parsed(ad.draw(c, theme=theme, direction=direction, style=style))
    assert THEMES[theme].page in ET.tostring(svg, "unicode")
    box = {title: extent(g) for title, g in groups(svg, "node")}
    axis = 0 if direction == "LR" else 1
    assert box["n0"][axis] < box["n2"][axis]
    assert box["n0"][1 - axis] < box["n1"][1 - axis]  # the first argument comes first


def test_a_circuit_has_signs_on_gates_values_above_wires_and_gradients_below():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b + 1.0
    c.backward()
    svg = parsed(ad.draw(c, style="circuit"))
    boxes = dict(groups(svg, "node"))
    assert words(boxes["n0"]) == ["a", "2.0", "-3.0"]
    assert words(boxes["n2"]) == ["×", "-6.0", "1.0"]
    assert words(boxes["n3"]) == ["+", "c", "-5.0", "1.0"]
    sign, value, grad = boxes["n2"].iter(f"{SVG}text")
    assert float(value.get("y")) < float(sign.get("y")) < float(grad.get("y"))
    light = THEMES["light"]
    assert (value.get("fill"), grad.get("fill")) == (light.value, light.grad)


def test_arrays_in_a_circuit_have_shapes_and_ranges():
    x = ad.Tensor(np.arange(6.0).reshape(2, 3))
    y = ad.tanh(x)
    assert words(nodes_of(ad.draw(y, style="circuit"))["n0"]) == ["x", "(2, 3) [0.0 .. 5.0]"]


def test_drawing_twice_gives_the_same():
    a = ad.Value(2.0)
    y = ad.exp(a * a)
    y.backward()
    for engine in ("dot", "builtin"):
        assert str(ad.draw(y)) == str(ad.draw(y))
        assert ad.draw(y, engine=engine).svg == ad.draw(y, engine=engine).svg


def test_the_drawing_does_not_depend_on_the_hash_seed_or_on_what_ran_before():
    code = (
        "import autodiff as ad, numpy as np\n"
        "for i in range({}): ad.Value(1.0)\n"
        "w = {{'b': ad.Tensor([1.0, 2.0]), 'a': ad.Tensor([3.0, 4.0])}}\n"
        "y = (w['a'] * w['b'] * np.ones((2, 2))).sum()\n"
        "y.backward()\n"
        "d = ad.draw(y, engine='builtin')\n"
        "print(d, d.svg, d.text, d.mermaid)"
    )

    def source(i):
        environment = {**os.environ, "PYTHONHASHSEED": str(i), "PYTHONPATH": os.pathsep.join(sys.path)}
        run = [sys.executable, "-c", code.format(i)]
        return subprocess.run(run, capture_output=True, text=True, check=True, env=environment).stdout

    assert source(1) == source(2)
    assert "<B>w['a']" in source(1).replace("&#x27;", "'")


# Errors


def test_what_cannot_be_drawn_says_how_to_repair_it():
    with pytest.raises(ad.AutodiffError, match=r"draw\(\) needs .* got a plain float\. Compute it from"):
        ad.draw(3.0)
    with pytest.raises(ad.AutodiffError, match="requires_grad=False"):
        ad.draw(ad.Tensor([1.0], requires_grad=False))
    with ad.no_grad():
        hidden = ad.Value(2.0) * 3
    with pytest.raises(ad.AutodiffError, match="outside no_grad"):
        ad.draw(hidden)
    with pytest.raises(ad.AutodiffError, match="plain ndarray"):
        ad.draw([ad.Value(2.0), np.ones(3)])
    with pytest.raises(ValueError, match="given nothing"):
        ad.draw([])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "RL"}, r"draw\(direction='RL'\): the directions are 'LR' and 'TB'\."),
        ({"theme": "darc"}, r"the themes are 'light', 'dark' and 'auto'\. Did you mean 'dark'\?"),
        ({"style": "circle"}, r"the styles are 'graph' and 'circuit'\. Did you mean 'circuit'\?"),
        ({"engine": "neato"}, r"the engines are 'auto', 'dot' and 'builtin'\."),
        ({"show": "gradient"}, r"draw\(show='gradient'\): the words are .*Did you mean 'grad'\?"),
        ({"direction": np.ones(2)}, r"draw\(direction=array\(\[1\., 1\.\]\)\): the directions are"),
        ({"theme": 3}, r"draw\(theme=3\): the themes are 'light', 'dark' and 'auto'\."),
        ({"depth": -1}, r"draw\(\) got depth=-1; it is a whole number of at least 0\."),
        ({"depth": "all"}, "got depth='all'"),
        ({"depth": True}, "got depth=True"),
        ({"depth": 1.5}, r"got depth=1\.5"),
        ({"depth": np.ones(2)}, "got depth=array"),
        ({"collapse": "model.*"}, "this tape has no modules to fold. Record it inside `with ad.trace"),
    ],
)
def test_unknown_looks_are_refused(options, message):
    a = ad.Value(2.0)
    with pytest.raises(ad.errors.ArgumentError, match=message):
        ad.draw(a * a, **options)


@pytest.mark.parametrize("option", ["show", "collapse"])
@pytest.mark.parametrize(
    ("given", "found"),
    [
        (3, "3): found int, expected such as '"),
        (True, "True): found bool, expected such as '"),
        (b"value", "found bytes with int in it"),
        (["value", 3], "['value', 3]): found list with int in it, expected such as '"),
        (np.zeros(1000), "found ndarray with float64 in it"),
        (ad.Value(1.0), "found Value, expected"),
    ],
    ids=str,
)
def test_what_is_shown_and_folded_is_given_as_text(option, given, found):
    a = ad.Value(2.0)
    with pytest.raises(ad.errors.KindError) as caught:
        ad.draw(a * a, **{option: given})
    assert str(caught.value).startswith(f"draw({option}=")
    assert found in str(caught.value)
    assert len(str(caught.value)) < 200


def test_depth_is_any_whole_number():
    a = ad.Value(2.0)
    for depth in (0, 10**9, np.int64(1)):
        assert len(ad.draw(a * a, depth=depth).scene.boxes) == 2


@pytest.mark.parametrize("through", [lambda y: y, lambda y: y * 2.0])
def test_a_freed_tape_says_that_it_cannot_be_drawn_and_why(through):
    a = ad.Value(2.0)
    y = a * a
    y.backward(free=True)
    with pytest.raises(
        ad.errors.TapeError, match=r"draw\(\) was given a result whose tape was freed: backward\(free="
    ) as caught:
        ad.draw(through(y))
    assert "Leave free=True away, call draw() before that backward, or compute the result anew." in str(caught.value)
    assert caught.value.__suppress_context__
