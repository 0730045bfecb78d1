import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest

import autodiff as ad
from autodiff.viz.modules import find_scopes, scope_of, shared
from autodiff.viz.theme import THEMES

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"


class Linear:
    def __init__(self, n_in, n_out):
        self.weight = ad.Tensor(np.linspace(-1, 1, n_in * n_out).reshape(n_out, n_in))
        self.bias = ad.Tensor(np.zeros(n_out))

    def named_parameters(self):
        yield "weight", self.weight
        yield "bias", self.bias

    def __call__(self, x):
        return ad.linear(x, self.weight, self.bias)


class MLP:
    def __init__(self):
        self.layers = [Linear(2, 4), Linear(4, 3)]

    def named_parameters(self):
        for i, layer in enumerate(self.layers):
            for name, p in layer.named_parameters():
                yield f"layers.{i}.{name}", p

    def __call__(self, x):
        return self.layers[1](ad.tanh(self.layers[0](x)))


def drawn(drawing):
    """The picture as ``dot`` draws it, parsed: it is well-formed XML if this succeeds."""
    return ET.fromstring(drawing._render("svg"))


def groups(svg, kind):
    """The drawn nodes, edges or clusters by title."""
    return [(g.find(f"{SVG}title").text, g) for g in svg.iter(f"{SVG}g") if g.get("class") == kind]


def words(element):
    """What can be read in part of a picture, line by line."""
    return [t.text for t in element.iter(f"{SVG}text")]


def text_of(element):
    return " ".join(" ".join(words(element)).split())  # without the spaces that align


def nodes_of(drawing):
    return dict(groups(drawn(drawing), "node"))


def edges_of(drawing):
    return Counter(title for title, _ in groups(drawn(drawing), "edge"))


def members(drawing):
    """The nodes inside each frame, frames inside it included, by the label of the frame."""
    inside, stack = {}, []
    for line in str(drawing).splitlines():
        line = line.strip()
        if line.startswith("subgraph cluster_"):
            stack.append("")
        elif stack and not stack[-1]:
            stack[-1] = re.search(r"label=<<FONT[^>]*>(.*?)</FONT>>", line)[1]
            inside[stack[-1]] = set()
        elif line == "}" and stack:
            stack.pop()
        elif node := re.match(r"([nc]\d+) \[", line):
            for name in stack:
                inside[name].add(node[1])
    return inside


# What is drawn


def test_a_box_has_name_op_value_and_gradient():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b
    c.backward()
    boxes = nodes_of(ad.draw(c))
    assert text_of(boxes["n0"]) == "a leaf value 2.0 grad -3.0"
    assert text_of(boxes["n2"]) == "a b c multiply value -6.0 grad 1.0"


def test_gradients_are_not_shown_before_there_are_any():
    a = ad.Value(2.0)
    y = a * 3.0
    assert "grad" not in str(ad.draw(y))
    y.backward()
    assert str(ad.draw(y)).count("grad 1.0") == 1  # in the tooltip, as one text
    assert str(ad.draw(y, values=False)).count("grad") == 0


def test_a_tensor_is_summarised_and_has_its_shape():
    x = ad.Tensor(np.linspace(-1.5, 2.5, 12).reshape(3, 4))
    y = (x * 2.0).sum(axis=0)
    boxes = nodes_of(ad.draw(y))
    assert text_of(boxes["n0"]) == "x leaf shape (3, 4) value [-1.5 .. 2.5]"
    assert "sum axis=0" in text_of(boxes["n2"])


def test_an_argument_that_is_used_twice_has_two_edges():
    a = ad.Value(3.0)
    drawing = ad.draw(a + a)
    assert edges_of(drawing) == {"n0:e->n1:w": 2}
    assert set(re.findall(r"n0:e -> n1:(\d):w", str(drawing))) == {"0", "1"}


def test_the_edges_tell_which_argument_is_which():
    a, b = ad.Value(3.0), ad.Value(5.0)
    drawing = ad.draw(b - a)
    assert "n1:e -> n2:0:w" in str(drawing)
    assert "n0:e -> n2:1:w" in str(drawing)
    assert words(nodes_of(drawing)["n2"])[:2] == ["a", "b"]


def test_one_edge_per_argument_even_of_an_op_of_many():
    xs = [ad.Tensor([float(i)]) for i in range(20)]
    assert sum(edges_of(ad.draw(ad.concatenate(xs))).values()) == 20


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
    assert list(nodes_of(ad.draw((a,)))) == ["n0"]
    assert len(nodes_of(ad.draw(a))) == 1


def test_names_of_the_caller_are_found():
    def inner():
        local = ad.Value(1.0)
        return str(ad.draw(local * 2))

    assert "<B>local</B>" in inner()


def test_values_of_other_kinds():
    from fractions import Fraction

    import sympy

    x, s, z = ad.Value(Fraction(1, 3)), ad.Value(sympy.Symbol("s") ** 2), ad.Value(1 + 2j)
    for node, text in ((x * 2, "2/3"), (s * 2, "2*s**2"), (z * 2, "2.0+4.0j")):
        assert text in text_of(drawn(ad.draw(node)))


def test_odd_arrays():
    for data in (np.zeros((0, 3)), np.array([[np.nan, np.inf], [1.0, 2.0]]), np.array([[1j, 2], [3, 4]])):
        x = ad.Tensor(data)
        assert drawn(ad.draw(x * 2.0)) is not None


def test_a_recorded_gradient():
    x = ad.Value(3.0)
    y = x * x
    y.backward(create_graph=True)
    assert text_of(nodes_of(ad.draw(y))["n0"]) == "x leaf value 3.0 grad 6.0"
    assert drawn(ad.draw(x.grad)) is not None


# Modules


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
    frames = dict(groups(drawn(mlp), "cluster"))
    assert {text_of(g) for g in frames.values()} == {"model.layers", "model.layers.0", "model.layers.1"}
    box = {text_of(g): extent(g) for g in frames.values()}
    outer, inner = box["model.layers"], box["model.layers.0"]
    assert outer[0] < inner[0] < inner[2] < outer[2]
    assert outer[1] < inner[1] < inner[3] < outer[3]


def corners(element):
    """Left, top, right and bottom of a drawn shape."""
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", element.get("points") or element.get("d"))]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def extent(group):
    """The same of all shapes of a group together."""
    shapes = [corners(e) for e in group.iter() if e.tag in (f"{SVG}polygon", f"{SVG}path")]
    return tuple(pick(shape[i] for shape in shapes) for i, pick in enumerate((min, min, max, max)))


def test_no_two_boxes_overlap_and_none_is_cut_off(mlp):
    svg = drawn(mlp)
    boxes = [extent(g) for _, g in groups(svg, "node")]
    assert len(boxes) == 10
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    page = corners(next(svg.iter(f"{SVG}polygon")))
    assert all(page[0] <= a[0] and a[2] <= page[2] and page[1] <= a[1] and a[3] <= page[3] for a in boxes)


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


def test_a_shared_parameter_belongs_to_what_its_users_share():
    a, b = ad.Value(1.0, name="net.left.w"), ad.Value(2.0, name="net.right.w")
    y = a * b
    tape = ad.Tape(y * 2.0)
    assert find_scopes(tape, [])[2] == ("net",)
    assert shared([("net", "left"), ("net", "right")]) == ("net",)
    assert shared([("a",), ("b",)]) == ()


def test_scopes_of_names():
    assert scope_of("model.layers.0.weight") == ("model", "layers", "0")
    assert scope_of("layers[0].weight") == ("layers", "[0]")
    assert scope_of("mlp.layers[1].neurons[0].w[2]") == ("mlp", "layers", "[1]", "neurons", "[0]")
    assert scope_of("mlp.w.0") == ("mlp",)
    assert scope_of("0.weight") == ("0",)
    for name in (None, "w", "w[0]", "params['w1']", "3.14", "", "...", "a b.c"):
        assert scope_of(name) == ()


# Labels


NASTY = [
    '<b>&amp;"quoted"</b>',
    'it\'s `quoted` "too"',
    "a\nb\r\tc",
    r"back\slash \N \G \L \E \l \r \n",
    "\\",
    "émoji 🙂 👨‍👩‍👧",
    "日本語の名前",
    "  two  spaces ",
    " ",
    "{a|b} <p0>",
    "%s %(x)s ${x} {x}",
    "\x00\x07\x1b[31m\x7f",
    "\ud800",
    "\u202eright to left",
    "&#60;&lt;&nbsp;",
    "-->]]>",
    "<i>all</i>",
    "<>",
    ">",
    "x" * 10_000,
    "<" * 10_000,
    "&" * 10_000,
    "\\" * 10_000,
]


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("where", ["node", "constant", "module"])
def test_names_of_any_kind_are_drawn(name, where):
    from autodiff.core.summary import shorten

    a = ad.Tensor([1.0, 2.0, 3.0, 4.0], name=name, requires_grad=where != "constant")
    if where == "module":
        a.name = f"{name[:30]}.weight"
    y = ad.Tensor(np.ones(4)) * a
    y.backward(np.ones(4))
    svg = drawn(ad.draw(y))
    seen = [" ".join(text.replace("\u00a0", " ").split()) for text in words(svg)]
    assert " ".join(shorten(a.name, 44).split()) in seen
    assert {title for title, _ in groups(svg, "edge")} >= {"n0:e->n1:w" if where == "constant" else "n0:e->n2:w"}


def test_tooltips_have_the_longer_text():
    a = ad.Value(2.0, name='<a> & "b" \\N ' + "y" * 100)
    y = a * a
    y.backward()
    svg = drawn(ad.draw(y))
    tips = [e.get(f"{XLINK}title") for e in svg.iter(f"{SVG}a")]
    assert any(tip.startswith(f'%0 leaf <a> & "b" \u2216N {"y" * 100}') for tip in tips)
    assert any("grad 1.0" in tip for tip in tips)


# Looks


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_themes_and_directions(theme, direction):
    a, b = ad.Value(2.0), ad.Value(3.0)
    c = a * b
    svg = drawn(ad.draw(c, theme=theme, direction=direction))
    assert THEMES[theme].page in ET.tostring(svg, "unicode")
    box = {title: extent(g) for title, g in groups(svg, "node")}
    axis = 0 if direction == "LR" else 1
    assert box["n0"][axis] < box["n2"][axis]
    assert box["n0"][1 - axis] < box["n1"][1 - axis]  # the first argument comes first


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_all_text_can_be_read(theme):
    """At least 4.5 to 1, what WCAG asks of text, on everything that text stands on."""
    for ground in (theme.page, theme.box, theme.leaf.band, theme.op.band, theme.output.band, theme.module.band):
        assert contrast(theme.text, ground) >= 4.5
        assert contrast(theme.muted, ground) >= 4.5
    assert contrast(theme.edge, theme.page) >= 3


def test_drawing_twice_gives_the_same():
    a = ad.Value(2.0)
    y = ad.exp(a * a)
    y.backward()
    assert str(ad.draw(y)) == str(ad.draw(y))
    assert ad.draw(y)._render("svg") == ad.draw(y)._render("svg")


def test_the_source_does_not_depend_on_the_hash_seed_or_on_what_ran_before():
    code = (
        "import autodiff as ad, numpy as np\n"
        "for i in range({}): ad.Value(1.0)\n"
        "w = {{'b': ad.Tensor([1.0, 2.0]), 'a': ad.Tensor([3.0, 4.0])}}\n"
        "y = (w['a'] * w['b'] * np.ones((2, 2))).sum()\n"
        "y.backward()\n"
        "print(ad.draw(y))"
    )

    def source(i):
        import os

        environment = {**os.environ, "PYTHONHASHSEED": str(i), "PYTHONPATH": os.pathsep.join(sys.path)}
        run = [sys.executable, "-c", code.format(i)]
        return subprocess.run(run, capture_output=True, text=True, check=True, env=environment).stdout

    assert source(1) == source(2)
    assert "<B>w['a']" in source(1).replace("&#x27;", "'")


def test_a_long_chain_is_drawn():
    x = ad.Value(1.0)
    for _ in range(300):
        x = x * 1.01
    drawing = ad.draw(x)
    assert repr(drawing).startswith("<Drawing of 301 nodes")
    assert len(nodes_of(drawing)) == 601


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
    a = ad.Value(2.0)
    y = a * a
    y.backward(free=True)
    with pytest.raises(ad.AutodiffError, match="freed"):
        ad.draw(y)


def test_unknown_looks_are_refused():
    a = ad.Value(2.0)
    with pytest.raises(ValueError, match="the directions are 'LR' and 'TB'"):
        ad.draw(a, direction="RL")
    with pytest.raises(ValueError, match="the themes are 'light' and 'dark'"):
        ad.draw(a, theme="blue")
