import runpy
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

PROGRAMS = Path(__file__).parents[3] / "docs" / "pictures" / "programs"


@pytest.fixture(scope="session")
def run_program():
    """What a program of the pictures defines: its ``loss`` and its ``page``."""
    return lambda name: runpy.run_path(str(PROGRAMS / f"{name}.py"))


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Opened:
    """A page in the browser, and all that went wrong or was asked for."""

    def __init__(self, browser, path, **context):
        self.requests, self.errors = [], []
        self.tab = browser.new_context(**({"viewport": {"width": 1280, "height": 720}} | context)).new_page()
        self.tab.set_default_timeout(20_000)
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("console", lambda message: self.errors.append(message.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.goto(path.as_uri())
        self.tab.wait_for_function("() => !document.getElementById('transport') || document.body.dataset.steps")
        self.path = path

    def press(self, *keys):
        for key in keys:
            self.tab.keyboard.press(key)

    @property
    def step(self):
        return int(self.tab.evaluate("document.body.dataset.step"))

    @property
    def n_steps(self):
        return int(self.tab.evaluate("document.body.dataset.steps"))

    def data(self, key, what="node"):
        """The data of one element, by name."""
        return self.tab.evaluate(
            "([a, k]) => ({...document.querySelector(`[data-${a}='${k}']`)?.dataset})", [what, key]
        )

    def state(self):
        """Every data attribute and label of the page, and its sentence."""
        return self.tab.evaluate(
            """() => {
              const all = [...document.querySelectorAll("body, [data-node], [data-wire]")];
              const shown = (e) => [{...e.dataset}, e.getAttribute("aria-label"), [...e.classList].sort()];
              const caption = document.getElementById("caption").textContent;
              return [caption, ...all.map((e) => JSON.stringify(shown(e))).sort()];
            }"""
        )

    def check(self):
        """Nothing was asked for but the page itself, and nothing went wrong."""
        assert self.requests == [self.path.as_uri()]
        assert self.errors == []
        self.tab.context.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page, and check after the test that nothing went wrong in it."""
    pages = []

    def open_page(page, **context):
        pages.append(Opened(browser, page.save(tmp_path / f"page{len(pages)}.html"), **context))
        return pages[-1]

    yield open_page
    for page in pages:
        page.check()
