"""Mermaid, text and HTML."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from drawn import NASTY

import autodiff as ad
from autodiff.core.summary import shorten
from tests.models import MLP


@pytest.fixture
def loss():
    model, X = MLP(), np.ones((5, 2))
    loss = ad.cross_entropy(model(X), np.array([0, 1, 2, 0, 1]))
    loss.backward()
    return ad.draw(loss)


# Mermaid


def read(mermaid):
    """The labels of a flowchart by box, as Mermaid decodes them."""
    found = re.findall(r'^\s*(\w+)(?:\(\[|\[\[|\[)"(.*)"(?:\]\)|\]\]|\]):::\w+$', mermaid, re.MULTILINE)
    decode = re.compile(r"#(\d+);")
    return {key: decode.sub(lambda m: chr(int(m[1])), re.sub(r"</?b>", "", label)) for key, label in found}


def test_mermaid_has_boxes_frames_and_links(loss):
    lines = loss.mermaid.splitlines()
    assert lines[0] == "flowchart LR"
    boxes = read(loss.mermaid)
    assert boxes["n0"].startswith("model.layers.0.weight leaf<br/>shape (4, 2)<br/>value [-1.0 .. 1.0]<br/>grad [")
    assert set(boxes) == {box.id for box in loss.scene.boxes}
    assert lines.count('    subgraph s1["model.layers.0"]') == 1
    assert [line.split()[0] for line in lines].count("subgraph") == [line.strip() for line in lines].count("end") == 3
    links = re.findall(r'^  (\w+) (-->|-\.->)\|"(\w+)"\| (\w+)$', loss.mermaid, re.MULTILINE)
    assert ("n0", "-->", "weight", "n4") in links
    assert ("c0", "-.->", "x", "n4") in links


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_mermaid_gets_nothing_that_it_could_read_as_markup(name):
    a = ad.Value(2.0, name=name)
    text = ad.draw(a * 2.0).mermaid
    (line,) = [line for line in text.splitlines() if line.strip().startswith("n0[")]
    inside = re.fullmatch(r'\s*n0\["(.*)"\]:::leaf_box', line)[1]
    assert not set('"`\\$<>&{}|;').intersection(re.sub(r"</?b>|<br/>|#\d+;", "", inside))
    wanted = shorten(name, 44).replace("\\", "\u2216").replace("$", "\ufe69")
    assert read(text)["n0"] == f"{wanted} leaf<br/>value 2.0"


def test_mermaid_shows_the_flow_and_the_circuit():
    a = ad.Value(2.0)
    y = a * 3.0 + a
    y.backward()
    assert len(re.findall(r"^  linkStyle \d stroke:#\w+,", ad.draw(y, show="flow").mermaid, re.MULTILINE)) == 3
    assert read(ad.draw(y, style="circuit").mermaid)["n1"] == "×<br/>value 6.0<br/>grad 1.0"


# Text


def test_text_is_a_tree_in_which_what_is_used_twice_stands_once():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b + ad.sin(a)
    c.backward()
    assert ad.draw(c).text.splitlines() == [
        "                      value    grad",
        "c  add              -5.091    1.0",
        "├─ a: multiply      -6.0      1.0",
        "│  ├─ a: a  leaf     2.0     -3.416",
        "│  └─ b: b  leaf    -3.0      2.0",
        "└─ b: sin            0.9093   1.0",
        "   of a, see above",
    ]


def test_text_of_one_argument_after_the_other_does_not_move_to_the_right():
    y = ad.Value(1.0)
    for _ in range(50):
        y = ad.tanh(y)
    lines = ad.draw(y).text.splitlines()
    assert len(lines) == 52
    assert max(map(len, lines)) < 30
    assert lines[-1].startswith("of leaf")


def test_text_of_several_results_and_of_modules(loss):
    a = ad.Value(2.0)
    b, c = a * 2, a * 3
    starts = [line.split()[0] for line in ad.draw([b, c]).text.splitlines()]
    assert starts == ["value", "b", "├─", "└─", "c", "├─", "└─"]
    assert "weight: model.layers.0.weight  leaf  in model.layers.0" in loss.text
    assert "x: X  (5, 2)" in loss.text


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_text_keeps_its_lines(name):
    a = ad.Value(2.0, name=name)
    text = ad.draw(a * 2.0).text
    assert len(text.splitlines()) == 4
    assert shorten(name, 60).rstrip() in text


# HTML


class Reader(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("engine", ["dot", "builtin"])
def test_html_needs_no_script_and_asks_for_nothing(engine):
    a = ad.Value(2.0, name="<script>alert(1)</script>")
    html = ad.draw(a * a, engine=engine).html
    page = Reader(html)
    tags = {tag for tag, _ in page.tags}
    assert "script" not in tags
    assert {"svg", "details"} <= tags
    assert not [v for _, attributes in page.tags for k, v in attributes.items() if k in ("src", "href", "style")]
    policy = next(attributes["content"] for tag, attributes in page.tags if tag == "meta" and "content" in attributes)
    assert "default-src 'none'; script-src 'none';" in policy
    assert "<script>alert(1)</script>" in page.text


def test_the_policy_of_the_page_lets_the_dark_theme_pass():
    import base64
    import hashlib

    a = ad.Value(2.0)
    html = ad.draw(a * a).html
    styles = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert len(styles) == 3  # of the page, of the width of this drawing, and of the drawing
    for style in styles:
        assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in html
    assert '<main class="dark">' in ad.draw(a * a, theme="dark").html
