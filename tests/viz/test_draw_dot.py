"""DOT, and pictures by the program ``dot``."""

import re
import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest
from drawn import NASTY, SVG, XLINK, by_dot, extent, groups, text_of, words

import autodiff as ad
from autodiff.core.summary import shorten
from autodiff.viz.theme import THEMES
from tests.models import MLP


def nodes_of(drawing):
    return dict(groups(by_dot(drawing), "node"))


def test_boxes_links_and_entries():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = b - a
    c.backward()
    drawing = ad.draw(c)
    assert text_of(nodes_of(drawing)["n0"]) == "a leaf value 2.0 grad -1.0"
    assert text_of(nodes_of(drawing)["n2"]) == "a b c subtract value -5.0 grad 1.0"
    assert "n1:e -> n2:0:w" in str(drawing)
    assert "n0:e -> n2:1:w" in str(drawing)
    assert "n0:s -> n2:1:n" in str(ad.draw(c, direction="TB"))


def test_parallel_links_stay_apart():
    a = ad.Value(3.0)
    drawing = ad.draw(a + a)
    titles = Counter(title for title, _ in groups(by_dot(drawing), "edge"))
    assert titles == {"n0:e->n1:w": 2}
    assert set(re.findall(r"n0:e -> n1:(\d):w", str(drawing))) == {"0", "1"}


def test_frames_stand_inside_each_other():
    model, X = MLP(), np.ones((5, 2))
    loss = model(X).sum()
    frames = [g for _, g in groups(by_dot(ad.draw(loss)), "cluster")]
    box = {text_of(g): extent(g) for g in frames}
    outer, inner = box["model.layers"], box["model.layers.0"]
    assert outer[0] < inner[0] < inner[2] < outer[2]
    assert outer[1] < inner[1] < inner[3] < outer[3]


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("where", ["node", "constant", "module", "gate"])
def test_names_of_any_kind_are_drawn(name, where):
    a = ad.Tensor([1.0, 2.0, 3.0, 4.0], name=name, requires_grad=where != "constant")
    if where == "module":
        a.name = f"{name[:30]}.weight"
    y = ad.Tensor(np.ones(4)) * a
    y.backward(np.ones(4))
    svg = by_dot(ad.draw(y, style="circuit" if where == "gate" else "graph"))
    seen = [" ".join(text.replace("\u00a0", " ").split()) for text in words(svg)]
    assert " ".join(shorten(a.name, 44).split()) in seen


def test_tooltips_have_the_longer_text():
    a = ad.Value(2.0, name='<a> & "b" \\N ' + "y" * 100)
    y = a * a
    y.backward()
    tips = [e.get(f"{XLINK}title") for e in by_dot(ad.draw(y)).iter(f"{SVG}a")]
    assert any(tip.startswith(f'%0 leaf <a> & "b" \u2216N {"y" * 100}') for tip in tips)
    assert any("grad 1.0" in tip for tip in tips)


def test_circuits_and_flows_are_drawn_too():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b + a
    c.backward()
    svg = by_dot(ad.draw(c, style="circuit", show=["grad", "flow"]))
    assert {text_of(g) for _, g in groups(svg, "node")} >= {"a", "b", "×", "+"}
    assert any("flows back" in text for text in words(svg))
    wires = [text_of(g) for _, g in groups(svg, "edge")]
    assert "-6.0 1.0" in wires
    assert "c -4.0 1.0" in wires


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_the_legend_stretches_nothing(direction):
    """It stands below the boxes, which are placed as without it."""
    x, y = ad.Value(2.0), ad.Value(3.0)
    z = ad.tanh(x * y + ad.sin(x)) * x
    z.backward()

    def places(show):
        boxes = [extent(g) for _, g in groups(by_dot(ad.draw(z, show=show, direction=direction)), "node")]
        left, top = min(b[0] for b in boxes), min(b[1] for b in boxes)
        return np.array(boxes) - (left, top, left, top)

    np.testing.assert_allclose(places(["value", "flow"]), places("value"), atol=0.1)
    svg = by_dot(ad.draw(z, show=["value", "flow"], direction=direction))
    below = max(extent(g)[3] for _, g in groups(svg, "node"))
    (title,) = [t for t in svg.iter(f"{SVG}text") if t.text.replace("\u00a0", " ").startswith("flows back")]
    assert float(title.get("y")) > below


def test_all_text_has_a_colour_of_the_theme():
    """Graphviz writes black where none is set, which a dark page swallows."""
    a = ad.Value(2.0)
    b = a * 3.0
    c = b + a
    c.backward()
    for style in ("graph", "circuit"):
        svg = by_dot(ad.draw(c, style=style, theme="dark", show=["value", "grad", "flow", "constants"]))
        assert {t.get("fill", "black") for t in svg.iter(f"{SVG}text")} <= set(THEMES["dark"].colours())


def test_two_pictures_on_one_page_share_no_id():
    a = ad.Value(2.0)
    text = ad.draw(a * a, engine="dot").svg
    assert text.startswith("<svg ")
    assert not re.search(r'\sid="', text)
    assert ET.fromstring(text).get("aria-label") == "Tape of multiply: 2 nodes"
