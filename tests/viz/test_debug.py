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


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: 3.0, ad.errors.AutodiffError, "debug"),
        (lambda: ad.Tensor([1.0, 2.0]) * 2.0, ValueError, "only a single number has a gradient"),
    ],
)
def test_what_it_refuses(make, error, text):
    with pytest.raises(error, match=text):
        ad.debug(make())


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ad.errors.AutodiffError, match=r"shape \(3,\); it must be \(2,\)"):
        ad.debug(ad.Tensor([1.0, 2.0]) * 2.0, gradient=np.ones(3))


def test_a_leaf_alone_is_a_page():
    assert view_in(ad.debug(ad.Value(2.0, name="x")))["nodes"][0]["name"] == "x"
