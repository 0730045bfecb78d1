"""What a person does in the debugger: fold, search, jump, break, walk with the keyboard."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

import autodiff as ad


@pytest.fixture
def expression(opened, run_program):
    return opened(run_program("expression")["page"])


@pytest.fixture
def attention(opened, run_program):
    return opened(run_program("attention")["page"])


def caption(page):
    return page.tab.inner_text("#caption")


def heard(page):
    """What was said last to who does not see the page."""
    live = page.tab.locator("#announced")
    assert live.get_attribute("role") == "status"
    return live.text_content()


def boxes(page):
    return page.tab.evaluate("[...document.querySelectorAll('.box')].map(e => e.dataset.box)")


def overlapping(page):
    """Pairs of boxes and titles that overlap, and those that a line goes through which does not end there."""
    return page.tab.evaluate(
        """() => {
          const place = (e) => e.querySelector(".frame").getBoundingClientRect();
          const boxes = [...document.querySelectorAll(".box")].map((e) => [e.dataset.box, place(e)]);
          const titles = [...document.querySelectorAll(".head-of .title")];
          const all = [...boxes, ...titles.map((e) => [e.textContent, e.getBoundingClientRect()])];
          const apart = (a, b) => a.left >= b.right - 1 || a.top >= b.bottom - 1;
          const meet = (a, b) => !apart(a, b) && !apart(b, a);
          const inside = (p, r) => p.x > r.left + 2 && p.x < r.right - 2 && p.y > r.top + 2 && p.y < r.bottom - 2;
          const bad = [];
          all.forEach(([a, p], i) => all.slice(i + 1).forEach(([b, q]) => meet(p, q) && bad.push([a, b])));
          for (const wire of document.querySelectorAll(".wire")) {
            const line = wire.querySelector(".line");
            const m = line.getScreenCTM();
            const n = line.getTotalLength();
            for (let s = 0; s <= n; s += 3) {
              const p = line.getPointAtLength(s).matrixTransform(m);
              for (const [id, r] of all) if (inside(p, r)) bad.push([wire.dataset.wire, id]);
            }
          }
          return bad;
        }"""
    )


def test_the_start_and_the_end(expression):
    expression.press("End")
    assert expression.step == expression.n_steps
    assert expression.tab.is_disabled("#next")
    expression.press("Home")
    assert expression.step == 0
    assert expression.tab.is_disabled("#back")
    assert expression.tab.get_attribute("#scrubber", "aria-valuetext").startswith("Start")


def test_buttons_and_the_scrubber_step_too(expression):
    tab = expression.tab
    tab.click("#next")
    tab.click("#next")
    tab.click("#back")
    assert expression.step == 1
    tab.fill("#scrubber", "7")
    assert expression.step == 7
    assert tab.get_attribute("#scrubber", "aria-valuetext").startswith("Backward step 3 of 8: ")


def test_play_stops_at_the_end(expression):
    tab = expression.tab
    tab.select_option("#speed", "100")
    tab.click("#play")
    expect(tab.locator("body")).to_have_attribute("data-step", str(expression.n_steps))
    assert tab.inner_text("#play") == "Play"


def test_a_line_lights_its_nodes_and_chooses_them(expression):
    tab = expression.tab
    line = tab.locator("li[data-line='10'] .code")
    line.hover()
    lit = tab.evaluate("[...document.querySelectorAll('.box.lit .title')].map(e => e.textContent)")
    assert sorted(lit) == ["f", "multiply", "tanh"]
    line.click()
    assert tab.text_content(".box.chosen .title") == "f"
    line.click()
    assert tab.text_content(".box.chosen .title") == "tanh"
    tab.locator("[data-node='n3']").hover()
    assert tab.locator("li.lit").get_attribute("data-line") == "9"


def test_search_by_name_op_and_line(attention):
    tab = attention.tab

    def found(query):
        tab.fill("#search", query)
        return tab.locator("#found li b").all_inner_texts()

    assert found("op:softmax") == ["weights", "loss"]
    assert found("weights") == ["weights"]
    line = tab.locator("#source li", has_text="q @ k.mT").get_attribute("data-line")
    assert found(f"line:{line}")[-1] == "scores"
    assert found("op:nothing") == []
    assert "No such node" in tab.inner_text("#found")
    assert found("op:linear mix") == ["%31 linear"]
    tab.keyboard.press("Enter")
    second = found("op:matmul")[1]
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert tab.locator("#found").is_hidden()
    assert second == f"%{tab.get_attribute('.box.chosen', 'data-node')[1:]} matmul"


def test_what_a_search_finds_is_heard(attention):
    """How many nodes as one types, and which was chosen; the same is said again."""
    tab = attention.tab
    tab.fill("#search", "op:softmax")
    assert heard(attention) == "2 nodes found"
    tab.fill("#search", "op:nothing")
    assert heard(attention) == "No such node"
    tab.evaluate("""() => {
      window.again = 0;
      new MutationObserver(() => (window.again += 1)).observe(document.getElementById("announced"), {childList: true});
    }""")
    tab.fill("#search", "op:nothin")
    assert (heard(attention), tab.evaluate("window.again")) == ("No such node", 1)
    tab.fill("#search", "weights")
    assert heard(attention) == "1 node found"
    tab.keyboard.press("Enter")
    assert tab.get_attribute("#caption", "role") == "status"
    assert re.fullmatch(r"weights, softmax, line \d+ is chosen\.", caption(attention))


def test_jumps(opened, run_program):
    page = opened(run_program("nan")["page"])
    page.tab.click("#jumps summary")
    page.tab.click("text=First nan")
    assert page.tab.text_content(".box.current .title") == "sqrt"
    assert re.search(r"made by %\d+ sqrt", caption(page))
    assert "ad.sqrt(variance)" in page.tab.inner_text("li.now mark")


def test_jump_to_dead_units_and_to_the_largest_gradient(opened):
    x = ad.Tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    w = ad.Tensor([[1.0, -1.0, 0.5], [1.0, -1.0, 0.0]], name="w")
    loss = ad.sum(ad.relu(x @ w) * 3.0)
    page = opened(ad.debug(loss))
    page.tab.click("#jumps summary")
    page.tab.click("text=Dead units")
    assert "1 of 3 units are zero" in caption(page)
    page.tab.click("#jumps summary")
    page.tab.click("text=Largest gradient")
    assert "of w: 18.0" in caption(page)
    assert page.data("n1")["cotangent"]


def test_next_step_of_the_chosen_node(expression):
    expression.tab.click("[data-node='n3']")
    seen = []
    for _ in range(4):
        expression.press("n")
        seen.append(expression.step)
    assert seen == [1, 9, 11, 12]
    expression.press("n")
    assert expression.step == 1


@pytest.mark.parametrize(
    ("condition", "steps"),
    [
        ("op == tanh", [3, 8]),
        ("tanh", [3, 8]),
        ("name == q", [1, 9]),
        ("|g| > 3.5 and name == x", [11]),
        ("not (phase == forward) and op ~ mult", [9, 10]),
        ("value < -12.5", [4]),
        ("line == 9", [1, 11, 12]),
        ("nan or inf", []),
        ("step >= 12", [12]),
        ("name == 'q' or name == \"f\" and not (op == add and phase == forward)", [1, 5, 9]),
    ],
)
def test_breakpoints(expression, condition, steps):
    tab = expression.tab
    tab.click("#breakpoints summary")
    tab.fill("#breakpoint", condition)
    tab.keyboard.press("Enter")
    n = len(steps)
    assert tab.inner_text("#breakpoint-list .go") == f"{condition} {n} {'step' if n == 1 else 'steps'}"
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.textContent").startswith("Breakpoints")
    for t in steps:
        expression.press("Control+ArrowRight")
        assert expression.step == t
    expression.press("Control+ArrowRight")
    assert expression.step == expression.n_steps
    for t in reversed([t for t in steps if t < expression.n_steps]):
        expression.press("Control+ArrowLeft")
        assert expression.step == t


def test_play_stops_at_a_breakpoint(expression):
    tab = expression.tab
    tab.click("#breakpoints summary")
    tab.fill("#breakpoint", "op == tanh")
    tab.click("#breakpoint-form button")
    tab.select_option("#speed", "100")
    tab.click("#play")
    expect(tab.locator("#play")).to_have_text("Play")
    assert expression.step == 3


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("", "Write a name"),
        ("op ==", "Nothing stands after =="),
        ("(nan", "closing bracket"),
        ("size > 3", "There is no size to compare; there is op, name"),
        ("constructor == 3", "There is no constructor to compare"),
        ("nan nan", "Did not understand nan"),
        ("== 3", "Expected a name or a condition, found =="),
        ("|g > 3", "Did not understand |g > 3"),
        ("w9", "No node has the name w9, and no op has it."),
        ("constructor", "No node has the name constructor"),
        ("q or w9", "No node has the name w9"),
        ("name == w9", "No node has the name w9."),
        ("name ~ w9", "No node has w9 in its name."),
        ("op == matmul", "No node has the op matmul."),
        ("phase == back", "No step has the phase back."),
        ("name > 3", "The name is a text: compare it with ==, != or ~."),
        ("|g| > ten", "The |g| is compared with a number, and ten is none"),
        ("value == nan", "nan and inf stand alone"),
    ],
)
def test_a_wrong_condition_says_what_is_wrong(expression, condition, problem):
    """To who sees it and to who hears it; nothing is kept, and the panel forgets it when it is closed."""
    tab = expression.tab
    tab.click("#breakpoints summary")
    tab.fill("#breakpoint", condition)
    tab.keyboard.press("Enter")
    assert problem in tab.inner_text("#breakpoint-error")
    assert problem in heard(expression)
    assert tab.get_attribute("#breakpoint", "aria-invalid") == "true"
    assert tab.locator("#breakpoint-list li").count() == 0
    tab.keyboard.press("Escape")
    expect(tab.locator("#breakpoint-error")).to_be_empty()
    tab.click("#breakpoints summary")
    assert tab.inner_text("#breakpoint-error") == ""
    assert tab.get_attribute("#breakpoint", "aria-invalid") is None


def test_a_breakpoint_is_heard(expression):
    tab = expression.tab
    tab.click("#breakpoints summary")
    tab.fill("#breakpoint", "op == tanh")
    tab.keyboard.press("Enter")
    assert heard(expression) == "op == tanh stops at 2 steps"
    tab.click("[aria-label='Remove op == tanh']")
    assert heard(expression) == "op == tanh is removed"


def test_folding_and_unfolding(attention):
    tab = attention.tab
    before = len(boxes(attention))
    fold(attention, "attention.mix")
    folded = tab.locator(".box.folded")
    assert folded.get_attribute("aria-expanded") == "false"
    assert "attention.mix" in folded.text_content()
    assert len(boxes(attention)) == before - 2
    assert overlapping(attention) == []
    # Folded by hand it stays folded, and says what happens inside.
    while "now: linear" not in folded.text_content():
        attention.press("ArrowRight")
    assert "1 of 1 computed" in folded.get_attribute("aria-label")
    folded.click()
    assert len(boxes(attention)) == before


def fold(page, title):
    """Walk to the frame of a module with the keyboard, and fold it."""
    page.press("g", *["ArrowUp"] * 80)
    while not page.tab.evaluate("document.activeElement.getAttribute('aria-label')").startswith(f"{title}, "):
        page.press("ArrowDown")
    page.press("Enter")


def test_fold_all_then_a_step_unfolds_what_it_needs(attention):
    tab = attention.tab
    tab.click("#fold-all")
    few = len(boxes(attention))
    assert few < 25
    attention.press(*["ArrowRight"] * 5)
    assert len(boxes(attention)) > few
    assert tab.locator(".box.current[data-node]").count() == 1
    assert overlapping(attention) == []


@pytest.mark.parametrize("name", ["expression", "mlp", "convnet", "attention", "nan"])
@pytest.mark.parametrize("turned", [False, True])
def test_no_box_overlaps_another_and_no_line_goes_through_a_box(opened, run_program, name, turned):
    page = opened(run_program(name)["page"])
    if turned:
        page.press("r")
    page.press("f")
    assert overlapping(page) == []


@pytest.mark.parametrize("turned", [False, True])
def test_what_flows_is_written_beside_the_boxes(opened, run_program, turned):
    page = opened(run_program("nan")["page"])
    page.press("f", *["r"] * turned)
    covered = """() => {
      const label = document.querySelector(".flow .frame")?.getBoundingClientRect();
      const boxes = [...document.querySelectorAll(".box .frame")].map((e) => e.getBoundingClientRect());
      const across = (b) => label.left < b.right && b.left < label.right;
      const down = (b) => label.top < b.bottom && b.top < label.bottom;
      return label ? boxes.filter((b) => across(b) && down(b)).length : 0;
    }"""
    for _ in range(page.n_steps):
        page.press("ArrowRight")
        assert page.tab.evaluate(covered) == 0, caption(page)


def test_parallel_edges_are_distinct(opened):
    x = ad.Value(3.0, name="x")
    page = opened(ad.debug(x * x))
    lines = page.tab.evaluate("[...document.querySelectorAll('.wire .line')].map(e => e.getAttribute('d'))")
    assert len(set(lines)) == 2


def test_with_the_keyboard_only(attention):
    """Tab leads through the page; arrows walk through the graph and the source; everything can be done."""
    tab = attention.tab
    focused = lambda what: tab.evaluate(f"document.activeElement.{what}")  # noqa: E731
    order = []
    for _ in range(40):
        attention.press("Tab")
        order.append(focused("closest('header, main > section, footer, body').id"))
    places = [place for k, place in enumerate(order) if k == 0 or place != order[k - 1]]
    assert places[:5] == ["top", "source", "graph", "detail", "transport"]

    attention.press("g")
    first = focused("dataset.box")
    attention.press("ArrowDown")
    assert focused("dataset.box") != first
    attention.press("ArrowUp")
    assert focused("dataset.box") == first
    assert focused("getAttribute('aria-label')")
    attention.press("Shift+ArrowDown", "Shift+ArrowRight")
    while not focused("dataset.node"):
        attention.press("ArrowDown")
    attention.press("Enter")
    assert tab.locator(".box.chosen").get_attribute("data-node") == focused("dataset.node")
    while focused("getAttribute('aria-expanded')") != "true":
        attention.press("ArrowDown")
    scope = focused("dataset.scope")
    attention.press("Enter")
    assert (focused("dataset.scope"), focused("getAttribute('aria-expanded')")) == (scope, "false")
    attention.press("Enter")
    assert (focused("dataset.scope"), focused("getAttribute('aria-expanded')")) == (scope, "true")

    attention.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert attention.step == 1
    attention.press("PageDown")
    assert attention.step == 9
    attention.press("/")
    assert focused("id") == "search"
    tab.keyboard.type("op:gelu")
    attention.press("Enter")
    assert tab.locator(".box.chosen .title").text_content() == "gelu"
    attention.press("Escape", "Tab", "?")
    assert tab.locator("#help").is_visible()
    attention.press("Escape")
    assert not tab.locator("#help").is_visible()
    attention.press("t")
    assert tab.get_attribute("html", "data-theme") == "dark"


def test_zoom_pan_fit(expression):
    tab = expression.tab
    view = lambda: tab.get_attribute("#drawing .content", "transform")  # noqa: E731
    start = view()
    expression.press("f")
    fitted = view()
    expression.press("+", "d")
    assert view() != fitted
    expression.press("f")
    assert view() == fitted == start
    tab.mouse.move(600, 600)
    tab.mouse.wheel(0, -300)
    zoomed = float(re.search(r"scale\((.*)\)", view())[1])
    assert zoomed > float(re.search(r"scale\((.*)\)", start)[1])
    tab.mouse.down()
    tab.mouse.move(650, 610)
    tab.mouse.up()
    assert view() != start


def test_the_theme_follows_the_system(opened, run_program):
    page = opened(run_program("expression")["page"], color_scheme="dark")
    assert page.tab.get_attribute("html", "data-theme") == "dark"
    page.tab.click("#theme")
    assert page.tab.get_attribute("html", "data-theme") == "light"


def test_constants_and_what_is_not_reached(opened):
    x, mask = ad.Tensor([1.0, 2.0], name="x"), np.array([0.0, 1.0])
    page = opened(ad.debug(ad.sum(x * mask * 2.0)))
    page.press("End")
    assert page.data("c0")["value"]
    assert "cotangent" not in page.data("c0")
