"""Drawings in a browser: no name runs as a script, the dark theme comes by itself, two on a page keep to themselves."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import autodiff as ad
from autodiff.viz.page import Page
from autodiff.viz.theme import THEMES

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests of drawings share their names there
from drawn import NASTY


@pytest.mark.parametrize("engine", ["dot", "builtin"])
@pytest.mark.parametrize("style", ["graph", "circuit"])
def test_no_name_is_read_as_markup(opened, engine, style):
    y = sum(ad.Value(1.0, name=name) for name in NASTY)
    drawing = ad.draw(y, engine=engine, style=style, collapse=None)
    page = opened(drawing).tab
    seen = page.locator("svg").text_content()
    assert "<script>alert(1)</script>" in seen
    assert "<img src=x onerror=alert(1)>" in seen
    assert page.locator("svg script, svg img, svg foreignObject, main img").count() == 0
    assert page.get_by_role("img", name="Tape of y").count() == 1


@pytest.mark.parametrize("engine", ["dot", "builtin"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_automatic_theme_follows_the_screen(opened, engine, scheme):
    a = ad.Value(2.0)
    y = a * 3.0
    fill = "([tag, colour]) => getComputedStyle(document.querySelector(`svg ${tag}[fill='${colour}']`)).fill"
    for theme in ("auto", "light"):
        page = opened(ad.draw(y, engine=engine, theme=theme), color_scheme=scheme).tab
        expected = THEMES[scheme if theme == "auto" else "light"].text
        red, green, blue = (int(expected[i : i + 2], 16) for i in (1, 3, 5))
        assert page.evaluate(fill, ["text", THEMES["light"].text]) == f"rgb({red}, {green}, {blue})"


def test_two_drawings_on_one_page_do_not_change_each_other(opened):
    a = ad.Value(2.0)
    fixed, automatic = ad.draw(a * a, engine="builtin", theme="light"), ad.draw(a * a, engine="dot")
    page = opened(Page("both", f"<p fill='#1a1a1a'>{fixed.svg}{automatic.svg}"), color_scheme="dark").tab
    fills = page.evaluate(
        "[...document.querySelectorAll('svg')].map(s => getComputedStyle(s.querySelector('text')).fill)"
    )
    assert fills == ["rgb(26, 26, 26)", "rgb(242, 242, 242)"]
    assert page.evaluate("[...document.querySelectorAll('[id]')].length") == 0


@pytest.mark.parametrize("engine", ["dot", "builtin"])
@pytest.mark.parametrize(("ops", "scrolls"), [(1, False), (12, False), (40, True)])
def test_a_wide_drawing_shrinks_to_the_page_as_far_as_it_can_be_read_and_then_scrolls(opened, engine, ops, scrolls):
    y = ad.Value(1.0)
    for _ in range(ops):
        y = ad.tanh(y)
    drawing = ad.draw(y, engine=engine)
    notebook = Page("notebook", f"<!DOCTYPE html>{drawing._repr_mimebundle_()['text/html']}")
    for page, box, image in ((drawing, "figure", "figure svg"), (notebook, "div", "img")):
        tab = opened(page).tab
        wide, narrow = (
            tab.evaluate(f"document.querySelector('{box}').{width}") for width in ("scrollWidth", "clientWidth")
        )
        assert (wide > narrow) == scrolls
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        width, height = tab.evaluate(
            f"(r => [r.width, r.height])(document.querySelector('{image}').getBoundingClientRect())"
        )
        _, _, whole, high = map(float, ET.fromstring(drawing.svg).get("viewBox").split())
        assert width / height == pytest.approx(whole / high, rel=0.02)
        assert width >= 0.55 * whole - 1
