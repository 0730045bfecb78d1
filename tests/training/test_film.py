"""``ad.record``: the statistics of every step."""

import inspect
import json
import re
from itertools import pairwise

import numpy as np
import pytest

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.errors import ArgumentError, KindError
from autodiff.core.figures import label_text
from autodiff.diagnosis import verdicts
from autodiff.training.film import SIGNS, record

X, y = data.moons(60, rng=0)
DATA = re.compile(r'<script type="application/json" id="film">(.*?)</script>')


def train(model, steps, optimizer=None, **options):
    optimizer = optimizer or optim.SGD(model.parameters(), lr=0.1)
    with ad.record(model, **options) as film:
        for _ in range(steps):
            loss = nn.functional.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return film


def test_a_frame_a_step_with_the_loss_before_it():
    model = nn.MLP([2, 4, 2], rng=0)
    first = nn.functional.cross_entropy(model(X), y).item()
    film = train(model, 5)
    assert [f.step for f in film.frames] == [0, 1, 2, 3, 4]
    assert film.frames[0].loss == first
    assert len(film) == film.steps == 5


def test_the_update_is_the_one_that_was_made():
    model = nn.MLP([2, 4, 2], rng=0)
    before = np.concatenate([model[0].weight.numpy().ravel(), model[0].bias.numpy()])
    film = train(model, 1, optim.Adam(model.parameters(), lr=0.01))
    after = np.concatenate([model[0].weight.numpy().ravel(), model[0].bias.numpy()])
    ratio = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert film.frames[0].layers["0"]["update_to_data"] == pytest.approx(ratio, rel=1e-12)


def test_filming_changes_nothing():
    plain, filmed = nn.MLP([2, 4, 2], rng=0), nn.MLP([2, 4, 2], rng=0)
    optimizer = optim.Adam(plain.parameters(), lr=0.05)
    for _ in range(7):
        loss = nn.functional.cross_entropy(plain(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    train(filmed, 7, optim.Adam(filmed.parameters(), lr=0.05))
    for name, array in plain.state_dict().items():
        np.testing.assert_array_equal(array, filmed.state_dict()[name])


def test_a_loop_without_an_optimizer():
    w = ad.Tensor([3.0, -1.0])
    with ad.record([w]) as film:
        for _ in range(4):
            w.grad = None
            ((w - 1) ** 2).sum().backward()
            w.data = w.data - 0.1 * w.grad
    assert [round(f.loss, 4) for f in film.frames] == [8.0, 5.12, 3.2768, 2.0972]
    (layer,) = film.frames[0].layers.values()
    assert layer["gradient"] == pytest.approx(np.hypot(4, 4))


def test_gradients_that_are_accumulated_are_one_step():
    model = nn.Linear(2, 2, rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with ad.record(model) as film:
        for _ in range(3):
            optimizer.zero_grad()
            for half in (slice(0, 30), slice(30, 60)):
                nn.functional.cross_entropy(model(X[half]), y[half]).backward()
            optimizer.step()
    assert film.steps == 3


def test_the_optimizer_of_another_model_takes_no_frame():
    model, other = nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)
    first, second = optim.SGD(model.parameters(), lr=0.1), optim.SGD(other.parameters(), lr=0.1)
    with ad.record(model) as film:
        for _ in range(3):
            for m, optimizer in ((model, first), (other, second)):
                optimizer.zero_grad()
                nn.functional.cross_entropy(m(X), y).backward()
                optimizer.step()
    assert film.steps == 3


def test_memory_is_bounded_and_the_first_and_latest_steps_are_there():
    film = train(nn.Linear(2, 2, rng=0), 75, most=10)
    assert len(film) <= 10
    assert film.steps == 75
    assert film.frames[0].step == 0
    assert [f.step for f in film.frames] == list(range(0, 75, 8))


def test_what_was_found_is_remembered_though_its_frame_was_not_kept():
    model = nn.MLP([2, 4, 2], rng=0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with ad.record(model, every=10) as film:
        for step in range(20):
            if step == 13:
                model[0].bias.data = np.full(4, -100.0)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X), y).backward()
            optimizer.step()
    found = film.first("dead unit")
    assert int(found) == 13
    assert "4 of 4 relu units are 0" in found.verdict.text
    assert repr(found).startswith("step 13: 0: 4 of 4")
    assert film.first("nan") is None
    assert "step 13" in repr(film)


def test_a_nan_is_seen_at_its_step():
    w = ad.Tensor([1.0, 2.0])
    with np.errstate(invalid="ignore"), ad.record({"w": w}) as film:
        for _ in range(3):
            ad.log(w).sum().backward()
            w.data = w.data - 2 * w.grad
            w.grad = None
    assert film.first("nan").step == 1


def test_only_the_statistics_that_were_asked_for():
    film = train(nn.Linear(2, 2, rng=0), 2, keep=["gradient"])
    assert all(set(row) == {"gradient"} for f in film.frames for row in f.layers.values())


def test_diff_is_a_table():
    film = train(nn.MLP([2, 4, 2], rng=0), 30)
    lines = str(film.diff(0, -1)).splitlines()
    assert lines[0] == "step 0 → step 29"
    assert lines[1].split() == ["layer", "statistic", "then", "now", "factor"]
    assert re.match(r" +loss +0\.\d+ +0\.\d+ +× 0\.\d+$", lines[2])
    assert any(line.startswith("2") and "update/data" in line for line in lines)
    (dead,) = [line.split() for line in lines if " dead " in line]
    assert dead[2].isdigit()  # a count


def test_what_was_freed_costs_only_the_activations():
    model = nn.Linear(2, 2, rng=0)
    with ad.record(model) as film:
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward(free=True)
    assert film.frames[0].loss == loss.item()
    assert film.frames[0].layers


def test_scalar_models():
    model = nn.scalar.MLP(2, [3, 1])
    with ad.record(model) as film:
        for _ in range(2):
            model.zero_grad()
            ((model([1.0, -2.0]) - 1) ** 2).backward()
    assert film.steps == 2


def test_a_page_within_its_budget():
    film = train(nn.MLP([2, 16, 16, 2], rng=0), 120)
    assert len(film.page().html) > 100_000
    small = film.page(budget=50_000).html
    assert len(small) < 75_000
    steps = [f["step"] for f in json.loads(DATA.search(small)[1])["frames"]]
    assert (steps[0], steps[-1]) == (0, 119)
    assert "iframe" in film._repr_html_()


def test_a_picture():
    film = train(nn.MLP([2, 4, 2], rng=0), 12)
    ax = film.plot()
    assert [panel.get_ylabel() for panel in ax.child_axes] == ["loss", "gradient norm", "update / data"]
    assert len(ax.child_axes[0].lines[0].get_xdata()) == 12
    assert ax._repr_png_()[0].startswith(b"\x89PNG")  # a notebook shows it
    with pytest.raises(KindError, match="got an int as ax; it is one Matplotlib Axes"):
        film.plot(ax=3)


def test_panels_stand_close_and_are_labelled_by_plain_numbers():
    ax = train(nn.MLP([2, 4, 2], rng=0), 12).plot()
    ax.figure.draw_without_rendering()
    boxes = [panel.get_window_extent() for panel in ax.child_axes]
    assert all(0 < a.y0 - b.y1 < 0.2 * a.height for a, b in pairwise(boxes))
    ticks = [label.get_text() for panel in ax.child_axes for label in panel.get_yticklabels()]
    assert not [text for text in ticks if "$" in text]
    names = ax.child_axes[1].get_legend().get_texts()
    assert [text.get_text() for text in names] == ["0", "2"]


def test_layers_are_named_though_their_gradients_are_not_kept():
    ax = train(nn.MLP([2, 4, 2], rng=0), 3, keep=["update_to_data"]).plot()
    assert [panel.get_ylabel() for panel in ax.child_axes] == ["loss", "update / data"]
    assert [text.get_text() for text in ax.child_axes[1].get_legend().get_texts()] == ["0", "2"]


ODD_NAMES = ["_hidden", r"$\href{a}{x}$", "a^b$ $", "a" * 10_000]


def film_of(names):
    ws = {name: ad.Tensor([1.0, 2.0]) for name in names}
    with ad.record(ws) as film:
        for _ in range(20):
            sum((w * w).sum() for w in ws.values()).backward()
    return film


def test_any_name_of_a_layer_can_be_drawn():
    ax = film_of(ODD_NAMES).plot()
    ax.figure.draw_without_rendering()
    texts = [text.get_text() for text in ax.child_axes[1].get_legend().get_texts()]
    assert texts == list(map(label_text, ODD_NAMES))


def test_long_names_are_short_on_the_page_and_differ():
    names = ["a" * 10_000, "a" * 10_001, "b"]
    html = film_of(names).page().html
    assert len(html) < len(film_of(["a", "c", "b"]).page().html) + 20_000
    (frame, *_) = json.loads(DATA.search(html)[1])["frames"]
    assert len(frame["layers"]) == len(frame["histograms"]) == 3
    assert all(len(name) < 50 for name in frame["histograms"])


def test_the_frame_in_a_notebook_is_as_high_as_what_it_shows():
    small, larger = (train(nn.MLP([2, *[4] * n, 2], rng=0), 2).page().height for n in (0, 1))
    assert small < larger < 650
    assert train(nn.MLP([2, *[4] * 9, 2], rng=0), 2).page().height == 720


def test_a_picture_of_the_loss_alone():
    ax = train(nn.Linear(2, 2, rng=0), 3, keep=[]).plot()
    assert [panel.get_ylabel() for panel in ax.child_axes] == ["loss"]


def test_an_empty_film_says_what_was_missing():
    with ad.record(nn.Linear(2, 2)) as film:
        pass
    with pytest.raises(ArgumentError, match=r"the film is empty. Call loss.backward\(\)"):
        film.plot()
    assert film._repr_html_() is None
    assert repr(film) == "<Film of 0 steps>"


def test_a_step_that_is_not_there():
    film = train(nn.Linear(2, 2, rng=0), 3)
    with pytest.raises(ArgumentError, match="the film has steps 0 to 2"):
        film.diff(0, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, r"record\(\) got every=0; it is a whole number of at least 1"),
        ({"every": 1.5}, r"record\(\) got every=1.5; it is a whole number of at least 1"),
        ({"most": 1}, r"record\(\) got most=1; it is a whole number of at least 2"),
        ({"keep": ["weight"]}, "cannot keep 'weight'; what can be kept is mean, std"),
        ({"keep": "mean"}, "got keep='mean'; it takes a list"),
        ({"keep": None}, "got keep=None; it takes a list"),
    ],
)
def test_odd_settings(options, message):
    with pytest.raises(ad.AutodiffError, match=message), record(nn.Linear(2, 2), **options):
        pass


@pytest.mark.parametrize("sign", ["nonsense", "", 3, "dead units of layer 2"])
def test_a_verdict_that_there_is_not(sign):
    film = train(nn.Linear(2, 2, rng=0), 1)
    with pytest.raises(ArgumentError, match=r"there is no such verdict. Those of ad\.health are nan, not reached, "):
        film.first(sign)


def test_the_verdicts_that_can_be_asked_for_are_those_of_health():
    source = inspect.getsource(verdicts)
    assert set(re.findall(r'Verdict\(\s*"([^"]+)"', source)) == set(SIGNS)


@pytest.mark.parametrize("step", ["a", 0.5, None, slice(0, 2)])
def test_what_is_no_step(step):
    film = train(nn.Linear(2, 2, rng=0), 3)
    with pytest.raises(KindError, match=r"a step is a whole number, such as film\[0\]"):
        film.diff(step, 1)


def test_a_film_is_walked_over_frame_by_frame():
    film = train(nn.Linear(2, 2, rng=0), 5, every=2)
    assert [f.step for f in film] == [0, 2, 4]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("film.txt", {}, "'film.txt'. The name can end in .html or .htm"),
        ("film.html", {"budget": "a"}, "got budget='a'; it is a number of bytes above 0"),
        ("film.html", {"budget": 0}, "got budget=0; it is a number of bytes above 0"),
    ],
)
def test_where_a_film_cannot_be_saved(tmp_path, path, options, message):
    film = train(nn.Linear(2, 2, rng=0), 1)
    with pytest.raises(ArgumentError, match=message):
        film.save(tmp_path / path, **options)
    assert not list(tmp_path.iterdir())


def test_a_model_without_parameters():
    with pytest.raises(ArgumentError, match="no parameters"), record([]):
        pass
