"""The page of a film, driven in a browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe

import autodiff as ad
from autodiff import data, nn, optim


@pytest.fixture(scope="module")
def film():
    X, y = data.moons(40, rng=0)
    model = nn.MLP([2, 8, 2], rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.3)
    with ad.record(model) as film:
        for step in range(12):
            if step == 6:
                model[0].bias.data = model[0].bias.numpy() - 100
            loss = nn.functional.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return film


@pytest.fixture
def tab(film, browser, tmp_path):
    page = browser.new_page()
    page.troubles = []
    page.on("console", lambda message: page.troubles.append(message.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("request", lambda request: page.troubles.append(request.url) if "film.html" not in request.url else None)
    page.goto(film.save(tmp_path / "film.html").as_uri())
    yield page
    page.close()


def shown(tab):
    return tab.evaluate("[Number(document.body.dataset.step), Number(document.body.dataset.loss)]")


def test_keys_walk_over_every_step_and_back(film, tab):
    seen = [shown(tab)]
    for _ in range(11):
        tab.keyboard.press("ArrowRight")
        seen.append(shown(tab))
    assert [step for step, _ in seen] == list(range(12))
    assert [loss for _, loss in seen] == pytest.approx([f.loss for f in film.frames], rel=1e-3)
    for expected in reversed(seen[:-1]):
        tab.keyboard.press("ArrowLeft")
        assert shown(tab) == expected
    tab.keyboard.press("End")
    assert shown(tab) == seen[-1]
    assert tab.troubles == []


def test_what_was_found_is_a_click_away(tab):
    tab.get_by_role("button", name="dead units: step 6").click()
    assert shown(tab)[0] == 6
    assert "8 of 8 relu units are 0" in tab.locator("#verdicts").inner_text()
    assert tab.locator("#layers tbody tr").count() == 2
    assert tab.locator("#layers tbody tr").first.locator("td").nth(3).inner_text() == "8"  # a count, not 8.0
    assert tab.locator("#histograms figure").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(tab, scheme):
    tab.emulate_media(color_scheme=scheme)
    found = Axe().run(tab).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
