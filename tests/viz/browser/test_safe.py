"""Odd labels, readers without eyes or mouse, frames in notebooks, and very long tapes."""

import re
import time

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import autodiff as ad
from autodiff import nn

LABELS = [
    "<script>document.title = 'hacked'</script>",
    "</script><img src=x onerror=\"document.title='hacked'\">",
    '"><svg onload=alert(1)>',
    "a & b < c > d",
    "\\back\\slash 'quotes' \"quotes\"",
    "two\nlines",
    "👩‍👩‍👧‍👦🎲 émoji",
    "x" * 10_000,
    "🎲" * 3_000,
    "-->",
    "__proto__",
    "=",
]


@pytest.mark.parametrize("label", LABELS, ids=range(len(LABELS)))
def test_labels_cannot_do_anything(opened, label):
    x = ad.Value(2.0, name=label)
    page = opened(ad.debug(x * x + 1.0, title=label))
    tab = page.tab
    title = tab.title()
    assert title != "hacked"
    shown = tab.text_content("[data-node='n0'] .title")
    assert 0 < len(shown) <= 120
    start = label[:8]
    assert shown.startswith(start) or not start.isprintable()
    tab.fill("#search", label[:20])
    tab.click("[data-node='n0']")
    while page.step < page.n_steps:
        page.press("Escape", "End")
    tab.hover("[data-node='n1']")
    assert tab.locator("img, script[src], svg[onload]").count() == 0
    assert tab.title() == title
    assert page.data("n0")["cotangent"] == "4"


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("expression", "light"), ("mlp", "dark"), ("convnet", "dark"), ("attention", "light"), ("nan", "dark")],
)
def test_axe_finds_no_serious_violation(opened, run_program, name, scheme):
    page = opened(run_program(name)["page"], color_scheme=scheme)
    axe = Axe()

    def violations():
        found = axe.run(page.tab).response["violations"]
        return [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]

    assert violations() == []
    page.press(*["PageDown"] * 7)
    assert violations() == []
    page.tab.click("#breakpoints summary")
    page.tab.fill("#breakpoint", "mult ==")
    page.press("Enter")
    page.tab.fill("#search", "op:m")
    assert violations() == []
    page.press("Escape")
    if page.tab.locator("#fold-all").is_visible():
        page.tab.click("#fold-all")
        assert violations() == []
    page.press("?")
    assert violations() == []


def test_each_step_is_announced(opened, run_program):
    """A live region holds the sentence of the step; while playing it keeps silent."""
    page = opened(run_program("expression")["page"])
    live = page.tab.locator("[aria-live=polite]")
    page.press("ArrowRight")
    assert "Forward step 1 of 4 q = add(x, y) is 3.0" in live.inner_text()
    page.press(" ")
    assert page.tab.get_attribute("#caption", "aria-live") == "off"
    page.press(" ")
    assert page.tab.get_attribute("#caption", "aria-live") == "polite"


def test_motion_is_reduced_on_request(opened, run_program):
    animated = "getComputedStyle(document.querySelector('.wire.back .line')).animationName"
    for motion, name in (("reduce", "none"), ("no-preference", "back")):
        page = opened(run_program("expression")["page"], reduced_motion=motion)
        page.press("End")
        assert page.tab.evaluate(animated) == name


def test_a_notebook_shows_it_in_a_narrow_frame(browser, run_program, tmp_path):
    """The inline form works in a frame of 800 pixels that may not reach the notebook around it."""
    page = run_program("mlp")["page"]
    notebook = tmp_path / "notebook.html"
    notebook.write_text(
        f"<!DOCTYPE html><title>notebook</title><body><div>{page._repr_html_()}</div>", encoding="utf-8"
    )
    tab = browser.new_context(viewport={"width": 816, "height": 760}).new_page()
    errors = []
    tab.on("console", lambda message: errors.append(message.text))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(notebook.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator("#next").click()
    frame.locator("#next").click()
    assert frame.locator("body").get_attribute("data-step") == "2"
    for pane in ("#source", "#graph", "#detail", "#transport", "#caption"):
        box = frame.locator(pane).bounding_box()
        assert box["width"] > 200
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 816
        assert box["y"] + box["height"] <= 760
    assert errors == []
    tab.context.close()


SCALE = "() => Number(/scale\\((.*)\\)/.exec(document.querySelector('#drawing .content').getAttribute('transform'))[1])"
OUTSIDE = """() => {
  const view = document.getElementById("drawing").getBoundingClientRect();
  const boxes = [...document.querySelectorAll(".box .frame")].map((e) => e.getBoundingClientRect());
  const inside = (b) => b.left >= view.left && b.right <= view.right && b.top >= view.top && b.bottom <= view.bottom;
  return boxes.filter((b) => !inside(b)).length;
}"""


@pytest.mark.parametrize("hidden", [False, True])
def test_in_a_frame_the_whole_graph_is_seen_first(browser, run_program, tmp_path, hidden):
    """Also if the frame gets its size later; from the first step on boxes can be read, unless all was asked for."""
    notebook = tmp_path / "notebook.html"
    frame = run_program("mlp")["page"]._repr_html_()
    notebook.write_text(
        f"<!DOCTYPE html><div id='cell' {'hidden' if hidden else ''}>{frame}</div><div>{frame}</div>", encoding="utf-8"
    )
    tab = browser.new_context(viewport={"width": 816, "height": 1500}).new_page()
    tab.goto(notebook.as_uri())
    first, second = tab.frames[1:]
    for shown in (first, second):
        shown.wait_for_function("() => document.body.dataset.steps")
    tab.evaluate("document.getElementById('cell').hidden = false")
    first.wait_for_function(f"() => innerWidth > 700 && !({OUTSIDE})()")
    assert first.evaluate(SCALE) < 0.5
    first.click("#next")
    assert first.evaluate(SCALE) == 0.85
    second.click("#fit")
    second.click("#next")
    assert second.evaluate(SCALE) < 0.5
    tab.context.close()


def test_a_saved_notebook_keeps_it(browser, run_program, tmp_path):
    """A notebook made into a web page still steps."""
    import nbformat
    from nbconvert import HTMLExporter

    html = run_program("expression")["page"]._repr_html_()
    output = nbformat.v4.new_output("execute_result", {"text/html": html, "text/plain": "<Page>"})
    cell = nbformat.v4.new_code_cell("ad.debug(loss)", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    saved = tmp_path / "saved.html"
    saved.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    context = browser.new_context()
    context.route(re.compile("^https?:"), lambda route: route.abort())  # what the exporter's own page asks for
    tab = context.new_page()
    tab.goto(saved.as_uri())
    frame = tab.frame_locator("iframe")
    frame.locator("#next").click()
    assert frame.locator("body").get_attribute("data-step") == "1"
    context.close()


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (800, 720)])
def test_it_fits_the_screen(opened, run_program, size):
    page = opened(run_program("convnet")["page"], viewport={"width": size[0], "height": size[1]})
    page.press(*["PageDown"] * 6)
    scrolls = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert page.tab.evaluate(scrolls) == list(size)
    graph = page.tab.locator("#graph").bounding_box()
    current = page.tab.locator(".box.current .frame").bounding_box()
    assert graph["x"] <= current["x"]
    assert current["x"] + current["width"] <= graph["x"] + graph["width"]
    assert graph["y"] <= current["y"]
    assert current["y"] + current["height"] <= graph["y"] + graph["height"]


@pytest.mark.parametrize("size", [(390, 844), (320, 640), (844, 390)])
def test_on_a_phone_panes_stand_below_each_other(opened, run_program, size):
    """The page scrolls down and never to the side, whatever is open."""
    page = opened(run_program("convnet")["page"], viewport={"width": size[0], "height": size[1]})
    tab = page.tab

    def fits():
        wide = tab.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
        return wide == [size[0], size[0]]

    assert fits()
    page.press(*["PageDown"] * 6)
    assert fits()
    for menu in ("#jumps", "#breakpoints", "#what-if"):
        tab.click(f"{menu} summary")
        assert fits()
    tab.fill("#search", "a")
    assert fits()
    page.press("Escape", "Tab", "?")
    assert fits()
    page.press("Escape")
    tops = [tab.locator(pane).bounding_box()["y"] for pane in ("#caption", "#graph", "#detail", "#source")]
    assert tops == sorted(tops)
    assert tab.locator("#transport").bounding_box()["y"] + 40 < size[1]
    found = Axe().run(tab).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_300_nodes_stay_under_a_megabyte(opened):
    model = nn.MLP([16] * 76, nn.Tanh, rng=0)
    with ad.trace():
        loss = ad.mean(model(np.ones((64, 16))) ** 2)
    assert len(ad.Tape(loss)) > 300
    page = ad.debug(loss)
    assert len(page.html.encode()) < 1e6
    shown = opened(page)
    assert shown.tab.locator(".box").count() <= 120


def test_20000_nodes_neither_take_long_nor_freeze(opened):
    w, h = ad.Tensor(np.full((3, 3), 0.1), name="w"), ad.Tensor(np.ones((2, 3)), name="x")
    for _ in range(6_700):
        h = ad.tanh(h @ w) + h
    loss = ad.sum(h)
    assert len(ad.Tape(loss)) > 20_000
    start = time.perf_counter()
    made = ad.debug(loss)
    assert len(made.html) < 1.5e6
    page = opened(made)
    assert page.tab.locator(".box").count() <= 120
    page.press(*["ArrowRight"] * 30, "PageDown", "End", *["ArrowLeft"] * 10)
    assert page.step == page.n_steps - 10
    assert page.tab.locator(".box").count() <= 120
    assert page.tab.locator(".box.current[data-node]").count() == 1
    assert time.perf_counter() - start < 60
