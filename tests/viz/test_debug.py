"""``ad.debug``: what it takes, what it makes, what it refuses."""

import json
import re

import numpy as np
import pytest

import autodiff as ad
from autodiff.viz.page import STATIC, Page


def view_in(page):
    return json.loads(re.search(r'<script type="application/json" id="view">(.*?)</script>', page.html, re.DOTALL)[1])


def test_names_are_those_of_the_caller():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b
    page = ad.debug(c)
    assert isinstance(page, Page)
    assert page.title == "c"
    assert [node.get("name") for node in view_in(page)["nodes"]] == ["a", "b", "c"]


def test_nobodys_gradient_changes():
    x = ad.Value(3.0)
    y = x * x
    y.backward()
    ad.debug(y)
    assert x.grad == 6.0
    assert y.grad == 1.0


def test_it_is_saved_where_it_should_be(tmp_path):
    x = ad.Value(3.0)
    page = ad.debug(x * x, tmp_path / "debug.html", title="A square")
    assert (tmp_path / "debug.html").read_text(encoding="utf-8") == page.html
    assert "<title>A square</title>" in page.html


def test_a_gradient_may_be_given():
    x = ad.Tensor([1.0, 2.0], name="x")
    page = ad.debug(x * x, gradient=[1.0, 10.0])
    assert any(a.get("data") == [2.0, 40.0] for a in view_in(page)["arrays"])


def test_the_same_program_makes_the_same_page():
    def make():
        x = ad.Tensor(np.arange(3.0), name="x")
        with ad.trace():
            loss = ad.sum(ad.exp(x) * x)
        return ad.debug(loss).html

    assert make() == make()


def test_the_licence_of_the_layout_goes_with_it():
    page = ad.debug(ad.Value(3.0) * 2.0)
    assert (STATIC / "dagre" / "LICENSE").read_text(encoding="utf-8").strip() in page.html


def two():
    return ad.Tensor([1.0, 2.0]) * 2.0


def one():
    return ad.Value(2.0) * 2.0


REFUSED = [
    (lambda: ad.debug(3.0), ad.errors.TapeError, "debug() needs a result that was recorded, got a plain float."),
    (lambda: ad.debug([one()]), ad.errors.TapeError, "debug() needs a result that was recorded, got a plain list."),
    (lambda: ad.debug(two()), ad.errors.ShapeError, "or give debug(gradient=) an array of the same shape."),
    (lambda: ad.debug(two(), gradient=np.ones(3)), ad.errors.ShapeError, "of shape (3,); it must be (2,)."),
    (lambda: ad.debug(two(), gradient=[[1], [2, 3]]), ad.errors.ShapeError, "debug(gradient=) of a Tensor"),
    (lambda: ad.debug(one(), gradient=[1.0, 2.0]), ad.errors.ShapeError, "of shape (2,); it must be ()."),
    (lambda: ad.debug(two(), gradient="a"), ad.errors.KindError, "got 'a', which is no number; it must have the shape"),
    (lambda: ad.debug(one(), gradient={}), ad.errors.KindError, "debug(gradient=) of a Value (made by multiply) got {"),
    (lambda: ad.debug(one(), title=3), ad.errors.KindError, "debug(title=3): the title is of type int, and a text was"),
    (lambda: ad.debug(one(), 3), ad.errors.KindError, "A page cannot be saved as 3, which is of type int."),
    (lambda: ad.debug(one(), b"x.html"), ad.errors.KindError, "Give the name of a file, such as 'page.html'."),
    (lambda: ad.debug(one(), "x.txt"), ad.errors.ArgumentError, "as 'x.txt'. The name can end in .html or .htm."),
    (lambda: ad.debug(one(), "no folder/x.html"), FileNotFoundError, "there is no folder 'no folder'. Make it first"),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSED, ids=range(len(REFUSED)))
def test_what_it_refuses(call, error, text, tmp_path, monkeypatch):
    """With an error that says what was given and what to do; nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=re.escape(text)) as found:
        call()
    assert isinstance(found.value, ad.errors.AutodiffError)
    assert "backward" not in str(found.value)
    assert list(tmp_path.iterdir()) == []


def test_either_suffix_will_do(tmp_path):
    for name in ("a.html", "b.HTM"):
        ad.debug(one(), tmp_path / name)
        assert (tmp_path / name).exists()


def test_a_leaf_alone_is_a_page():
    assert view_in(ad.debug(ad.Value(2.0, name="x")))["nodes"][0]["name"] == "x"
