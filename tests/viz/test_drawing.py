"""Saving and showing drawings, with and without the programs that can draw them."""

import base64
import gc
import os
import re
import subprocess
import sys
import weakref
import xml.etree.ElementTree as ET

import pytest
from graphviz import Digraph

import autodiff as ad
from autodiff.viz import Drawing
from autodiff.viz.drawing import MOST_LINKS_FOR_DOT
from autodiff.viz.printers import dot
from autodiff.viz.printers.dot import rendered
from autodiff.viz.printers.svg import svg_of
from autodiff.viz.saving import writable
from autodiff.viz.scene import Scene


@pytest.fixture
def drawing():
    a, b = ad.Value(2.0), ad.Value(-3.0)
    c = a * b
    c.backward()
    return ad.draw(c)


@pytest.fixture
def without_dot(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


BEGINNINGS = {
    "svg": b"<svg",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "html": b"<!DOCTYPE html>",
    "dot": b"digraph tape {",
    "mmd": b"flowchart LR",
    "txt": b" ",
}


@pytest.mark.parametrize("engine", ["auto", "dot", "builtin"])
@pytest.mark.parametrize("format", BEGINNINGS)
def test_saving_in_every_format(drawing, tmp_path, format, engine):
    drawing.engine = engine
    path = drawing.save(tmp_path / f"graph.{format}")
    assert path.read_bytes().startswith(BEGINNINGS[format])
    assert [p.name for p in tmp_path.iterdir()] == [f"graph.{format}"]  # nothing else is left behind


def test_saving_by_a_string_and_with_capitals(drawing, tmp_path):
    assert drawing.save(str(tmp_path / "GRAPH.SVG")).exists()


def width_of_png(path):
    return int.from_bytes(path.read_bytes()[16:20], "big")


def test_a_png_is_sharp_unless_another_resolution_was_asked_for(drawing, tmp_path):
    sharp = width_of_png(drawing.save(tmp_path / "a.png"))
    drawing.dot.attr("graph", dpi="48")
    assert width_of_png(drawing.save(tmp_path / "b.png")) == pytest.approx(sharp / 3, abs=2)


def test_a_png_of_our_own_has_the_size_of_the_svg(drawing, tmp_path):
    drawing.engine = "builtin"
    width = float(ET.fromstring(drawing.svg).get("width"))
    assert width_of_png(drawing.save(tmp_path / "a.png")) == pytest.approx(width * 1.5, abs=2)


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_a_picture_of_our_own_is_the_same_each_time_and_of_any_text(tmp_path, format):
    a = ad.Tensor([1.0, 2.0, 3.0, 4.0], name="$x$ <b> 日本 🙂 \\frac{1}{2} שלום")
    y = a * a
    drawing = ad.draw(y, engine="builtin", show=["value", "flow"], style="circuit")
    assert drawing.save(tmp_path / f"a.{format}").read_bytes() == drawing.save(tmp_path / f"b.{format}").read_bytes()


def test_saving_as_dot_is_the_text_and_can_be_drawn(drawing, tmp_path):
    path = drawing.save(tmp_path / "graph.dot")
    assert path.read_text(encoding="utf-8") == str(drawing)
    subprocess.run(["dot", "-Tsvg", str(path)], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["graph.bmp", "graph", "svg", ".png"])
def test_an_unknown_suffix_is_refused_with_those_that_work(drawing, tmp_path, name):
    message = r"can end in \.svg, \.png, \.pdf, \.html, \.dot, \.mmd or \.txt\.$"
    with pytest.raises(ValueError, match=message) as caught:
        drawing.save(tmp_path / name)
    assert isinstance(caught.value, ad.AutodiffError)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("path", [3, None, b"graph.svg", ["graph.svg"]])
def test_what_is_no_path_is_refused(drawing, path):
    with pytest.raises(ad.errors.KindError, match=r"cannot be saved as .*of type.*such as 'drawing\.svg'\.$"):
        drawing.save(path)


@pytest.mark.parametrize("format", BEGINNINGS)
def test_a_missing_folder_is_named(drawing, tmp_path, format):
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*nowhere'\. Make it first, or save") as caught:
        drawing.save(tmp_path / "nowhere" / f"graph.{format}")
    assert isinstance(caught.value, ad.AutodiffError)
    assert not list(tmp_path.iterdir())


def test_what_the_system_refuses_is_said(drawing, tmp_path):
    (tmp_path / "d.svg").mkdir()
    cases = {
        tmp_path / "a\0b.svg": r"the system says embedded null byte\. Give it another name",
        tmp_path / f"{300 * 'x'}.svg": r"xxx\.svg': the system says File name too long",
        tmp_path / (300 * "x") / "a.svg": "File name too long",
        tmp_path / "d.svg": "d.svg': this is a folder; name a file in it",
    }
    for path, message in cases.items():
        with pytest.raises(ad.AutodiffError, match=message) as caught:
            drawing.save(path)
        assert isinstance(caught.value, OSError)
    assert [p.name for p in tmp_path.iterdir()] == ["d.svg"]


def test_asking_whether_a_file_can_be_written_leaves_it_as_it_was(tmp_path):
    (tmp_path / "old.svg").write_text("old")
    assert writable("drawing", tmp_path / "old.svg", ["svg"]).read_text() == "old"
    assert not writable("drawing", tmp_path / "new.svg", ["svg"]).exists()


# When the program is slow


@pytest.fixture
def slow_dot(monkeypatch, tmp_path):
    """A program ``dot`` that writes down each call, and is never done."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "dot").write_text(f"#!/bin/sh\necho called >> '{folder}/calls'\nexec /bin/sleep 60\n")
    (folder / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(dot, "MOST_SECONDS", 0.5)
    return folder / "calls"


def test_auto_waits_once_for_a_slow_program_and_then_draws_itself(drawing, slow_dot):
    assert drawing.svg == svg_of(drawing.scene)
    assert drawing._painted("png").startswith(b"\x89PNG")
    assert slow_dot.read_text() == "called\n"


def test_the_engine_dot_says_that_it_is_too_slow(drawing, slow_dot):
    drawing.engine = "dot"
    message = r"this tape of 3 nodes as svg, and was not done after 0\.5 seconds\. Draw it with engine='builtin'"
    with pytest.raises(dot.SlowProgramError, match=message) as caught:
        _ = drawing.svg
    assert isinstance(caught.value, ad.AutodiffError)
    assert isinstance(caught.value, TimeoutError)


def test_auto_does_not_ask_the_program_for_many_links(slow_dot):
    y = ad.Value(1.0)
    for _ in range(60):
        y = y * y
    drawing = ad.draw(y, collapse=None)
    assert len(drawing.scene.links) > MOST_LINKS_FOR_DOT
    assert "<svg" in drawing.svg
    assert not slow_dot.exists()


# Without the program, without the package


@pytest.mark.parametrize("format", BEGINNINGS)
def test_without_the_program_dot_every_format_works(drawing, tmp_path, without_dot, format):
    assert drawing.save(tmp_path / f"graph.{format}").read_bytes().startswith(BEGINNINGS[format])


def test_the_engine_dot_says_how_to_get_it(drawing, tmp_path, without_dot):
    drawing.engine = "dot"
    with pytest.raises(
        ad.AutodiffError, match="apt install graphviz, brew install graphviz or conda install"
    ) as caught:
        drawing.save(tmp_path / "graph.svg")
    assert isinstance(caught.value, OSError)
    assert "\n" not in str(caught.value)
    assert "leave engine away" in str(caught.value)
    assert not (tmp_path / "graph.svg").exists()
    assert caught.value.__suppress_context__


def test_with_nothing_installed_five_formats_work_and_the_others_name_both_repairs(tmp_path):
    code = f"""
import sys, pathlib
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("matplotlib", "IPython", "scipy", "sympy", "mpmath", "tqdm"):
            raise ImportError(name)
sys.meta_path.insert(0, Block())
import autodiff as ad
a, b = ad.Value(2.0), ad.Value(-3.0)
c = a * b
c.backward()
here = pathlib.Path({str(tmp_path)!r})
for style in "graph", "circuit":
    drawing = ad.draw(c, style=style, show=["value", "grad", "flow", "constants"])
    for format in "svg", "html", "mmd", "dot", "txt":
        assert drawing.save(here / f"graph.{{format}}").stat().st_size > 50
    drawing._repr_mimebundle_()
    for format in "png", "pdf":
        try:
            drawing.save(here / f"graph.{{format}}")
        except ad.AutodiffError as error:
            assert "apt install graphviz" in str(error) and "pip install 'autodiff-tape[plot]'" in str(error)
        else:
            raise AssertionError(format)
assert "matplotlib" not in sys.modules
"""
    environment = {**os.environ, "PATH": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".dot", ".html", ".mmd", ".svg", ".txt"]


# Notebooks


@pytest.mark.parametrize("dot_is_there", [True, False])
def test_a_notebook_gets_the_picture_and_the_text(drawing, request, dot_is_there):
    if not dot_is_there:
        request.getfixturevalue("without_dot")
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert ET.fromstring(bundle["image/svg+xml"]).tag.endswith("svg")
    assert bundle["text/plain"] == drawing.text
    assert drawing._repr_svg_() == bundle["image/svg+xml"]
    image = ET.fromstring(re.sub("<img(.*?)>", r"<img\1/>", bundle["text/html"])).find("img")
    data = image.get("src").removeprefix("data:image/svg+xml;base64,")
    assert base64.b64decode(data).decode() == bundle["image/svg+xml"]
    assert image.get("alt") == drawing.scene.title


@pytest.mark.parametrize("engine", ["dot", "builtin"])
def test_a_wide_drawing_shrinks_to_the_width_of_a_page_but_not_to_nothing(engine):
    y = ad.Value(1.0)
    for _ in range(10):
        y = ad.tanh(y)
    drawing = ad.draw(y, engine=engine)
    width = float(ET.fromstring(drawing.svg).get("viewBox").split()[2])
    for html in (drawing._repr_mimebundle_()["text/html"], drawing.html):
        least = int(re.search(r"min-width: ?(\d+)px", html)[1])
        assert least == pytest.approx(0.55 * width, abs=1)
        assert re.search(r"max-width: ?100%", html)
        assert re.search(r"height: ?auto", html)
        assert re.search(r"overflow(-x)?: ?auto", html)


def test_in_a_notebook_the_right_end_fades_beside_what_fits(drawing):
    html = drawing._repr_mimebundle_()["text/html"]
    assert "padding-right:24px;mask-image:linear-gradient(to left,transparent,#000 24px)" in html


def test_ipython_shows_it(drawing, without_dot, capsys):
    from IPython.core.formatters import DisplayFormatter

    data, _ = DisplayFormatter().format(drawing)
    assert "<svg" in data["image/svg+xml"]
    assert "c  multiply" in data["text/plain"]
    assert capsys.readouterr().err == ""


def test_a_saved_notebook_keeps_the_picture(drawing):
    import nbformat
    from nbconvert import HTMLExporter

    def output(d):
        return nbformat.v4.new_output("display_data", d._repr_mimebundle_())

    other = ad.draw(ad.Value(1.0) * 2.0, theme="dark", engine="builtin")
    cells = [nbformat.v4.new_code_cell("ad.draw(c)", outputs=[output(d)]) for d in (drawing, other)]
    html, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    pictures = [base64.b64decode(data) for data in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)]
    assert [ET.fromstring(p).get("aria-label") for p in pictures] == [drawing.scene.title, other.scene.title]


# The object


def test_its_text_and_its_source(drawing):
    assert isinstance(drawing, Drawing)
    assert isinstance(drawing.dot, Digraph)
    assert str(drawing) == drawing.dot.source
    assert repr(drawing) == '<Drawing of 3 nodes: .save("graph.svg") writes it to a file, a notebook shows it>'


def test_a_failure_of_the_program_is_one_line():
    with pytest.raises(ad.AutodiffError, match="could not draw this tape of 1 nodes as svg") as caught:
        rendered(Digraph("tape", body=["\tn0 [label=<<B>]\n"]), "svg", 1)
    assert "\n" not in str(caught.value)
    empty = Drawing(Scene("nothing", 0), "builtin")
    assert ET.fromstring(empty.svg) is not None


def test_a_drawing_does_not_keep_the_tape_alive():
    gc.disable()
    try:
        a = ad.Value(2.0)
        y = a * a
        gone = weakref.ref(y)
        drawing = ad.draw(y, show=["value", "flow"])
        del y
        assert gone() is None
        assert "multiply" in str(drawing)
    finally:
        gc.enable()


def test_nothing_that_draws_is_imported_before_it_is_needed():
    code = (
        "import sys, autodiff as ad, autodiff.viz\n"
        "assert not {'graphviz', 'matplotlib'} & set(sys.modules)\n"
        "drawing = ad.draw(ad.Value(1.0) * 2, engine='builtin')\n"
        "drawing.svg, drawing.text, drawing.html, drawing.mermaid\n"
        "assert not {'graphviz', 'matplotlib'} & set(sys.modules)\n"
        "drawing.dot\n"
        "assert 'graphviz' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
