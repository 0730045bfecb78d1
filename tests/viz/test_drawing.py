import gc
import subprocess
import sys
import weakref
import xml.etree.ElementTree as ET

import pytest
from graphviz import Digraph

import autodiff as ad
from autodiff.viz import Drawing


@pytest.fixture
def drawing():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b
    c.backward()
    return ad.draw(c)


@pytest.fixture
def without_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


MAGIC = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.mark.parametrize("format", MAGIC)
def test_saving_as_a_picture(drawing, tmp_path, format):
    path = drawing.save(tmp_path / f"graph.{format}")
    assert path.read_bytes().startswith(MAGIC[format])
    assert [p.name for p in tmp_path.iterdir()] == [f"graph.{format}"]  # nothing else is left behind


def test_saving_by_a_string_and_with_capitals(drawing, tmp_path):
    assert drawing.save(str(tmp_path / "GRAPH.SVG")).exists()


def test_a_png_is_sharp_unless_another_resolution_was_asked_for(drawing, tmp_path):
    def width(path):
        return int.from_bytes(path.read_bytes()[16:20], "big")

    sharp = width(drawing.save(tmp_path / "a.png"))
    drawing.dot.attr("graph", dpi="48")
    assert width(drawing.save(tmp_path / "b.png")) == pytest.approx(sharp / 3, abs=2)


def test_saving_as_dot_is_the_text_and_can_be_drawn(drawing, tmp_path):
    path = drawing.save(tmp_path / "graph.dot")
    assert path.read_text(encoding="utf-8") == str(drawing)
    subprocess.run(["dot", "-Tsvg", str(path)], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["graph.bmp", "graph", "svg", ".png"])
def test_an_unknown_suffix_is_refused_with_those_that_work(drawing, tmp_path, name):
    with pytest.raises(ValueError, match=r"can end in \.svg, \.png, \.pdf or \.dot\.$") as caught:
        drawing.save(tmp_path / name)
    assert isinstance(caught.value, ad.AutodiffError)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / name).exists()


def test_without_the_program_dot_text_still_works(drawing, tmp_path, without_dot):
    assert drawing.save(tmp_path / "graph.dot").read_text(encoding="utf-8").startswith("digraph tape {")


@pytest.mark.parametrize("format", MAGIC)
def test_without_the_program_dot_pictures_say_how_to_get_it(drawing, tmp_path, without_dot, format):
    with pytest.raises(
        ad.AutodiffError, match="apt install graphviz, brew install graphviz or conda install"
    ) as caught:
        drawing.save(tmp_path / f"graph.{format}")
    assert "\n" not in str(caught.value)
    assert "save as .dot" in str(caught.value)
    assert not (tmp_path / f"graph.{format}").exists()
    assert caught.value.__suppress_context__


def test_a_notebook_gets_the_picture(drawing):
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert ET.fromstring(bundle["image/svg+xml"]).tag.endswith("svg")
    assert bundle["text/plain"] == repr(drawing)
    assert drawing._repr_svg_() == bundle["image/svg+xml"]


def test_a_notebook_without_the_program_dot_gets_the_text(drawing, without_dot):
    assert drawing._repr_svg_() is None
    (text,) = drawing._repr_mimebundle_().values()
    hint, source = text.split("\n", 1)
    assert hint.startswith("// ")
    assert "apt install graphviz" in hint
    assert source == str(drawing)


def test_ipython_shows_it(drawing):
    from IPython.core.formatters import DisplayFormatter

    data, _ = DisplayFormatter().format(drawing)
    assert "<svg" in data["image/svg+xml"]


def test_ipython_shows_text_without_the_program_dot(drawing, without_dot, capsys):
    from IPython.core.formatters import DisplayFormatter

    data, _ = DisplayFormatter().format(drawing)
    assert set(data) == {"text/plain"}
    assert "digraph" in data["text/plain"]
    assert capsys.readouterr().err == ""


def test_its_text_and_its_source(drawing):
    assert isinstance(drawing, Drawing)
    assert isinstance(drawing.dot, Digraph)
    assert str(drawing) == drawing.dot.source
    assert repr(drawing) == '<Drawing of 3 nodes: .save("graph.svg") writes it to a file, a notebook shows it>'


def test_a_failure_of_the_program_is_one_line():
    broken = Drawing(Digraph("tape", body=["\tn0 [label=<<B>]\n"]), 1)
    with pytest.raises(ad.AutodiffError, match="could not draw this tape of 1 nodes as svg") as caught:
        broken._render("svg")
    assert "\n" not in str(caught.value)
    assert broken._repr_svg_() is None


def test_a_drawing_does_not_keep_the_tape_alive():
    gc.disable()
    try:
        a = ad.Value(2.0)
        y = a * a
        gone = weakref.ref(y)
        drawing = ad.draw(y)
        del y
        assert gone() is None
        assert "multiply" in str(drawing)
    finally:
        gc.enable()


def test_graphviz_is_imported_only_for_drawing():
    code = (
        "import sys, autodiff as ad, autodiff.viz\n"
        "assert 'graphviz' not in sys.modules\n"
        "ad.draw(ad.Value(1.0) * 2)\n"
        "assert 'graphviz' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
