"""The pane on the right: formulas with names, numbers, heat maps that light each other, and the what-if."""

import json

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import autodiff as ad
from autodiff.viz.latex import escaped


def lit(page):
    """How many entries are lit in each heat map of the pane."""
    return page.tab.evaluate("[...document.querySelectorAll('#detail figure.map')].map(e => e.dataset.lit)")


def text(page, selector):
    return page.tab.inner_text(f"#detail {selector}")


def number(page, selector):
    """The number, or the statistics, behind a part of the pane."""
    return json.loads(page.tab.get_attribute(f"#detail {selector}", "data-number"))


def settled(page):
    """Wait until the pane has been drawn anew."""
    page.tab.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def step_to(page, wanted):
    """Step on until the pane says what is wanted."""
    for _ in range(page.n_steps):
        page.press("ArrowRight")
        if page.tab.locator("#detail .step-card").count() and wanted in text(page, ".step-card"):
            return
    raise AssertionError(f"no step says {wanted!r}")


@pytest.fixture
def scalar(opened):
    a, b = ad.Value(2.0, name="a"), ad.Value(-3.0, name="b")
    with ad.trace():
        d = a * b
        result = d * a + ad.sin(a)
    return opened(ad.debug(result))


@pytest.fixture
def dense(opened):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(8, 3)), ad.Tensor(rng.normal(size=(3, 5)), name="W"), ad.Tensor(np.zeros(5), name="bias")
    with ad.trace():
        h = ad.tanh(x @ w + b)
        p = ad.softmax(h[:, 1:4])
        loss = -ad.mean(ad.log(p[np.arange(8), [0, 1, 2, 0, 1, 2, 0, 0]]))
    return opened(ad.debug(loss)), loss


def test_a_product_of_numbers(scalar):
    """Upstream times local is the contribution, and the total runs."""
    step_to(scalar, "b of multiply")
    product = ".step-card .factor"
    numbers = scalar.tab.evaluate(
        "[...document.querySelectorAll('#detail .step-card .factor')].map(e => Number(e.dataset.number))"
    )
    assert numbers == [1.0, -6.0, -6.0]
    assert text(scalar, product).split() == ["upstream", "1.0"]
    assert text(scalar, ".step-card .running").replace("\n", " ").split() == [
        "a.grad:",
        "–",
        "→",
        "−0.4161",
        "→",
        "−6.416",
        "→",
        "…",
    ]
    assert "d" in scalar.tab.inner_html("#detail .step-card math")
    scalar.press("End")
    scalar.tab.evaluate(
        "document.querySelector('[data-box=n0]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    found = scalar.tab.evaluate(
        "[...document.querySelectorAll('#detail .running [data-total]')].map(e => Number(e.dataset.total))"
    )
    assert found == pytest.approx([np.cos(2.0), np.cos(2.0) - 6, np.cos(2.0) - 12])


def test_who_hears_the_pane_hears_words_apart(scalar):
    """The heading with its chip, the summary with what was changed; and no gradient is called so."""
    scalar.press("ArrowRight")
    assert scalar.tab.text_content("#detail h2") == "d, op"
    assert scalar.tab.get_attribute("[data-box=n2]", "aria-label").endswith("value −6.0, no gradient yet, this step")
    scalar.tab.click("#what-if summary")
    drag(scalar, 2.5)
    assert scalar.tab.text_content("#what-if summary") == "What if? a = 2.5"


def test_formulas_have_the_names_of_the_program(scalar):
    """In MathML and in LaTeX, which a button copies."""
    scalar.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    scalar.press("ArrowRight")
    assert text(scalar, "h2").startswith("d")
    assert scalar.tab.evaluate("[...document.querySelectorAll('#detail .formula math')].map(e => e.textContent)") == [
        "d=ab",
        "−6.0=2.0·(−3.0)",
    ]
    button = scalar.tab.locator("#detail .copy").first
    button.click()
    scalar.tab.wait_for_selector("#detail .copy[data-copied]", state="attached")  # once it is in the clipboard
    assert scalar.tab.evaluate("document.querySelector('#detail .copy').dataset.copied") == "d = a b"
    scalar.tab.wait_for_function("() => document.querySelector('#detail .said').textContent === 'copied'")


def test_the_latex_of_odd_names_is_that_of_derive(opened):
    """It is valid, and no markup where nobody escapes it again."""
    name = "<b> &lt; a_b^~"
    page = opened(ad.debug(ad.Value(2.0, name=name) * 3.0))
    page.press("ArrowRight")
    page.tab.locator("#detail .copy").first.click()
    copied = page.tab.evaluate("document.querySelector('#detail .copy').dataset.copied")
    assert rf"\mathit{{{escaped(name)}}}" in copied


def test_shapes_stand_on_the_formula_of_a_matrix_product(opened):
    """The cotangent (32, 10) @ Wᵀ (10, 64) for the one, and Aᵀ (64, 32) @ the cotangent for the other."""
    rng = np.random.default_rng(0)
    h, w = ad.Tensor(rng.normal(size=(32, 64)), name="h"), ad.Tensor(rng.normal(size=(64, 10)), name="W")
    page = opened(ad.debug(ad.sum(h @ w)))
    step_to(page, "a of matmul")
    assert text(page, ".product").split("\n") == [
        "g",
        "(32, 10)",
        "@",
        "Wᵀ",
        "(10, 64)",
        "=",
        "contribution",
        "(32, 64)",
    ]
    assert "(10, 64)" in page.tab.evaluate("document.querySelector('#detail .step-card math').textContent")
    step_to(page, "b of matmul")
    assert text(page, ".product").split("\n") == [
        "hᵀ",
        "(64, 32)",
        "@",
        "g",
        "(32, 10)",
        "=",
        "contribution",
        "(64, 10)",
    ]


def test_of_a_large_array_every_so_many_rows_are_shown(opened):
    """With their numbers, and words that say so."""
    x = ad.Tensor(np.random.default_rng(0).normal(size=(400, 6)), name="x")
    page = opened(ad.debug(ad.sum(ad.tanh(x))))
    page.press("ArrowRight")
    assert text(page, "[data-value] .map-note") == "every 3rd row shown"
    page.tab.locator("#detail [data-value] canvas").focus()
    page.press("ArrowDown")
    assert text(page, "[data-value] .reading").startswith("[3, 0] = ")


def test_un_broadcasting_and_scattering_are_steps_of_their_own(dense):
    """With what was there before and after."""
    page, _ = dense
    step_to(page, "Scatter into")
    assert "(8,)" in text(page, ".product")
    assert "(8, 3)" in text(page, ".product")
    assert page.tab.locator("#detail .before-after canvas").count() == 2
    step_to(page, "Un-broadcast to")
    assert "(8, 5)" in text(page, ".product")
    assert "(5,)" in text(page, ".product")


def test_the_numbers_are_those_of_the_engine(dense):
    """Value and cotangent of each node that is chosen, at the end."""
    page, loss = dense
    page.press("End")
    loss.backward()
    for i, node in enumerate(ad.Tape(loss)):
        page.tab.evaluate(
            f"document.querySelector('[data-box=n{i}]').dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
        )
        for what, expected in (("value", node.data), ("cotangent", node.grad)):
            found = json.loads(page.tab.get_attribute(f"#detail [data-{what}]", f"data-{what}"))
            if np.ndim(expected):
                assert [found["min"], found["max"]] == pytest.approx([expected.min(), expected.max()], abs=1e-12)
            else:
                assert found == pytest.approx(float(expected), rel=1e-12)


def test_hovering_an_entry_lights_what_it_depends_on(dense):
    """An entry of a product: a row of the one, a column of the other; the pointer gone, nothing is lit."""
    page, _ = dense
    step_to(page, "b of matmul")
    maps = page.tab.locator("#detail figure.map canvas")
    page.tab.locator("#detail [data-value] canvas").hover(position={"x": 100, "y": 50})
    assert text(page, "[data-value] .reading").startswith("[1, 1] = ")
    counts = {n for n in lit(page) if n}
    assert counts == {"1", "3"}  # the entry in value and cotangent; a row of x, a column of W and of its contribution
    page.tab.mouse.move(5, 5)
    assert set(lit(page)) == {""}
    assert maps.count() >= 5


def test_walking_over_a_heat_map_with_the_keys(dense):
    """Arrow keys move over entries and not over steps, once the map has the focus."""
    page, _ = dense
    step_to(page, "x of softmax")
    before = page.step
    page.tab.locator("#detail [data-value] canvas").focus()
    page.press("ArrowDown", "ArrowDown", "ArrowRight")
    assert text(page, "[data-value] .reading").startswith("[2, 1] = ")
    assert page.step == before
    assert "3" in lit(page)  # a row of the argument
    page.press("End", "Home")
    assert text(page, "[data-value] .reading").startswith("[0, 0] = ")


def test_what_is_not_finite_is_said(opened):
    """How many entries are nan and infinite, of value and cotangent."""
    x = ad.Tensor(np.array([1.0, 0.0, -1.0]), name="x")
    with ad.trace(), np.errstate(all="ignore"):
        y = ad.sum(ad.log(x))
    page = opened(ad.debug(y))
    page.press("ArrowRight")
    assert "1 of 3" in text(page, "[data-value] .bad")
    assert "1 nan" in text(page, "[data-value] .ramp-legend")
    assert "1 inf" in text(page, "[data-value] .ramp-legend")


def drag(page, x):
    page.tab.fill("#what-if-number", str(x))
    settled(page)


def test_what_if_a_leaf_were_another_number(scalar):
    """All numbers follow; the prediction is the tangent; reset brings everything back exactly."""
    scalar.press("End")
    before = scalar.state()
    scalar.tab.click("#what-if summary")
    drag(scalar, 2.5)
    f = lambda a: -3 * a * a + np.sin(a)  # noqa: E731
    assert float(scalar.data("n5")["value"]) == pytest.approx(f(2.5), rel=1e-12)
    assert float(scalar.data("n0")["cotangent"]) == pytest.approx(-15 + np.cos(2.5), rel=1e-12)
    report = scalar.tab.evaluate(
        "[...document.querySelectorAll('.what-if-report [data-number]')].map(e => Number(e.dataset.number))"
    )
    assert report == pytest.approx([0.5, 0.5 * (-12 + np.cos(2.0)), f(2.5) - f(2.0)], rel=1e-12)
    assert scalar.tab.locator(".what-if-plot .curve").count() == 1
    scalar.tab.locator("#what-if-slider").focus()
    step = scalar.step
    scalar.press("ArrowRight", "ArrowRight")
    assert scalar.step == step
    assert float(scalar.data("n0")["value"]) == pytest.approx(2.6)  # the slider moves over a grid
    scalar.tab.click("#what-if-reset")
    settled(scalar)
    scalar.tab.evaluate("document.activeElement.blur()")
    assert scalar.state() == before


def test_what_if_an_entry_were_another_number(dense):
    """Of an array: the loss is what the engine computes with that entry changed."""
    page, loss = dense
    page.press("End")
    page.tab.click("#what-if summary")
    page.tab.select_option("#what-if-leaf", label="W")
    page.tab.select_option("#what-if-entry", label="[1, 2]")
    drag(page, 0.75)
    w = next(n for n in ad.Tape(loss) if n.name == "W")
    data = w.data.copy()
    data[1, 2] = 0.75
    product = next(n for n in ad.Tape(loss) if n.rule is not None and n.rule.name == "matmul")
    e = np.exp(np.tanh(product.args[0] @ data)[:, 1:4])
    p = e / e.sum(1, keepdims=True)
    expected = -np.mean(np.log(p[np.arange(8), [0, 1, 2, 0, 1, 2, 0, 0]]))
    assert float(page.data(f"n{len(ad.Tape(loss)) - 1}")["value"]) == pytest.approx(expected, rel=1e-12)


def test_what_if_is_refused_politely(opened):
    """Where a row has no kernel, the panel names it."""
    inverse = ad.linalg.inv(ad.Tensor(np.eye(2) + 0.5, name="x"))
    page = opened(ad.debug(ad.sum(inverse)))
    page.tab.click("#what-if summary")
    assert "This page has no JavaScript form of inv, which made inverse." in page.tab.inner_text("#what-if")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_pane(opened, scheme):
    """With the what-if open and in use, a card of a step, heat maps, and entries that are nan."""
    x = ad.Tensor(np.array([1.0, 0.0, 2.0]), name="x")
    with ad.trace(), np.errstate(all="ignore"):
        loss = ad.sum(ad.log(x) * x[[0, 0, 1]])
    page = opened(ad.debug(loss), color_scheme=scheme)
    step_to(page, "Scatter into")
    page.tab.click("#what-if summary")
    drag(page, 1.5)
    found = Axe().run(page.tab, context="#detail").response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")] == []
