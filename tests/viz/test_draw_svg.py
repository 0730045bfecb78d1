"""SVG of our own: well-formed, readable, nothing overlaps, nothing leaks into the page around it."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from drawn import NASTY, SVG, contrast, corners, extent, groups, parsed, words

import autodiff as ad
from autodiff.core.summary import shorten
from autodiff.viz.printers.fonts import is_certain, width_of
from autodiff.viz.theme import THEMES
from tests.models import MLP


@pytest.fixture(params=["graph", "circuit"])
def mlp(request):
    model, X = MLP(), np.ones((5, 2))
    loss = ad.cross_entropy(model(X), np.array([0, 1, 2, 0, 1]))
    loss.backward()
    return ad.draw(loss, style=request.param)


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("where", ["node", "constant", "module", "gate"])
def test_names_of_any_kind_are_drawn(name, where):
    a = ad.Tensor([1.0, 2.0, 3.0, 4.0], name=name, requires_grad=where != "constant")
    if where == "module":
        a.name = f"{name[:30]}.weight"
    y = ad.Tensor(np.ones(4)) * a
    y.backward(np.ones(4))
    svg = parsed(ad.draw(y, style="circuit" if where == "gate" else "graph"))
    seen = [" ".join(text.replace("\u00a0", " ").split()) for text in words(svg)]
    assert " ".join(shorten(a.name, 44).split()) in seen
    tags = {element.tag.removeprefix(SVG) for element in svg.iter()}
    assert tags <= {"svg", "style", "g", "title", "rect", "path", "text"}
    assert not [key for element in svg.iter() for key in element.attrib if key.startswith("on") or "href" in key]


def test_tooltips_have_the_longer_text():
    a = ad.Value(2.0, name='<a> & "b" \\N ' + "y" * 100)
    with ad.trace():
        y = a * a
    y.backward()
    tips = [e.text for e in parsed(ad.draw(y)).iter(f"{SVG}title")]
    assert any(tip.startswith(f'%0 leaf <a> & "b" \\N {"y" * 100}') for tip in tips)
    assert any(re.search(r"grad 1\.0\nline test_draw_svg\.py:\d+: y = a \* a", tip) for tip in tips)


def test_no_two_boxes_overlap_and_none_is_cut_off(mlp):
    svg = parsed(mlp)
    boxes = [extent(g) for _, g in groups(svg, "node")]
    assert len(boxes) == 10
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    page = corners(svg.find(f"{SVG}rect"))
    assert all(page[0] <= a[0] and a[2] <= page[2] and page[1] <= a[1] and a[3] <= page[3] for a in boxes)


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_text_stays_inside_its_box(direction):
    model, X = MLP(), np.ones((5, 2))
    loss = ad.cross_entropy(model(X), np.array([0, 1, 2, 0, 1]))
    loss.backward()
    for _, group in groups(parsed(ad.draw(loss, direction=direction)), "node"):
        left, top, right, bottom = extent(group)
        for text in group.iter(f"{SVG}text"):
            width = width_of(text.text, float(text.get("font-size")), text.get("font-weight") == "bold")
            x, y = float(text.get("x")), float(text.get("y"))
            start = x - {"end": width, "middle": width / 2}.get(text.get("text-anchor"), 0)
            assert left <= start
            assert start + width <= right
            assert top < y < bottom


def test_decimal_points_stand_below_each_other():
    a, b = ad.Value(2.0), ad.Value(0.25)
    y = a * b
    y.backward(-123.25)
    (box,) = [g for name, g in groups(parsed(ad.draw(y)), "node") if name == "n2"]
    points = []
    for text in box.iter(f"{SVG}text"):
        if text.get("text-anchor") == "end" and "." in text.text:
            points.append(float(text.get("x")) - width_of("." + text.text.partition(".")[2], 12))
    assert len(points) == 2
    assert points[0] == pytest.approx(points[1], abs=0.1)


def test_links_end_at_the_boxes_that_they_join():
    model, X = MLP(), np.ones((5, 2))
    loss = ad.cross_entropy(model(X), np.array([0, 1, 2, 0, 1]))
    drawing = ad.draw(loss)
    svg = parsed(drawing)
    boxes = {name: extent(g) for name, g in groups(svg, "node")}
    drawn = dict(groups(svg, "edge"))
    for link in drawing.scene.links:
        shaft, head = drawn[link.id].iter(f"{SVG}path")
        first = tuple(map(float, re.match(r"M(-?[\d.]+),(-?[\d.]+)", shaft.get("d")).groups()))
        tip = corners(head)
        assert first[0] == pytest.approx(boxes[link.source][2], abs=0.1)
        assert boxes[link.source][1] < first[1] < boxes[link.source][3]
        assert tip[2] == pytest.approx(boxes[link.target][0], abs=0.1)
        assert boxes[link.target][1] < tip[1] < boxes[link.target][3]
        assert tip[2] - tip[0] == pytest.approx(7, abs=0.1)


def test_it_says_what_it_is_and_holds_no_ids():
    loss = ad.Value(2.0) * 3.0
    text = ad.draw(loss, engine="builtin").svg
    svg = ET.fromstring(text)
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == "Tape of loss: 2 nodes"
    assert not re.search(r'\sid="', text)
    assert "url(" not in text


# Themes


@pytest.mark.parametrize("engine", ["dot", "builtin"])
def test_the_automatic_theme_has_a_dark_colour_for_every_light_one_and_styles_nothing_else(engine):
    a = ad.Value(2.0)
    y = (a * 3.0 + np.inf) * 0.5
    y.backward()
    text = ad.draw(y, engine=engine, show=["value", "grad", "flow", "constants"]).svg
    style = re.search(r"<style>@media \(prefers-color-scheme:dark\)\{(.*)\}</style>", text)[1]
    rules = re.findall(r"(\S+) \[(fill|stroke)='(#\w+)'\]\{(fill|stroke):(#\w+)\}", style)
    assert {scope for scope, *_ in rules} == {".autodiff-drawing-auto"}
    light = {(what, colour) for _, what, colour, _, _ in rules}
    used = set(re.findall(r' (fill|stroke)="(#\w+|\w+)"', text.replace(style, "")))
    assert {found for found in used if found[1] not in ("none", "transparent")} <= light
    assert 'class="autodiff-drawing autodiff-drawing-auto"' in text
    for theme in ("light", "dark"):
        fixed = ad.draw(y, engine=engine, theme=theme).svg
        assert "<style>" not in fixed
        assert "autodiff-drawing-auto" not in fixed


def test_no_colour_stands_for_two_things():
    light, dark = (list(THEMES[theme].colours()) for theme in ("light", "dark"))
    assert len(set(light)) == len(light) == len(dark)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_all_text_can_be_read(theme):
    """At least 4.5 to 1, what WCAG asks of text, on everything that text stands on."""
    for ground in (theme.page, theme.box, theme.leaf.band, theme.op.band, theme.output.band, theme.module.band):
        assert contrast(theme.text, ground) >= 4.5
        assert contrast(theme.muted, ground) >= 4.5
    for ground in (theme.page, theme.module.band):
        assert contrast(theme.value, ground) >= 4.5
        assert contrast(theme.grad, ground) >= 4.5
        assert contrast(theme.leaf.frame, ground) >= 4.5
        assert contrast(theme.edge, ground) >= 3
        assert contrast(theme.odd, ground) >= 3


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_scale_of_what_flows_back_is_told_apart_by_lightness_alone(theme):
    steps = [contrast(colour, theme.page) for colour in theme.flow]
    assert all(b / a > 1.2 for a, b in pairwise(steps))


# Widths


def test_widths_are_those_of_helvetica():
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font, LoadFlags

    path = findfont(FontProperties(family="DejaVu Sans"))
    font = FT2Font(path)
    font.set_size(100, 72)
    ours = [width_of(c, 100) for c in "aimMW0.["]
    theirs = [font.load_char(ord(c), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 for c in "aimMW0.["]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.97  # another sans serif, but no other order of widths
    assert {width_of(digit, 10) for digit in "0123456789"} == {5.56}


def test_unknown_characters_have_a_guessed_width_to_which_they_are_held():
    assert width_of("日本", 10) == 20
    assert width_of("e\u0301", 10) == width_of("e", 10)
    assert is_certain("tanh … × 3")
    assert not is_certain("🙂")
    a = ad.Value(1.0, name="🙂 日本")
    (text,) = [t for t in parsed(ad.draw(a * 2)).iter(f"{SVG}text") if t.text == "🙂 日本"]
    assert text.get("textLength") == f"{width_of('🙂 日本', 12, bold=True):.2f}".rstrip("0").rstrip(".")
