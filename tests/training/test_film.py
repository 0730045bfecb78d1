"""``ad.record``: the statistics of every step."""

import json
import re

import numpy as np
import pytest

import autodiff as ad
from autodiff import data, nn, optim
from autodiff.core.errors import ArgumentError
from autodiff.training.film import record

X, y = data.moons(60, rng=0)


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
    found = re.search(r'<script type="application/json" id="film">(.*?)</script>', small)
    steps = [f["step"] for f in json.loads(found[1])["frames"]]
    assert (steps[0], steps[-1]) == (0, 119)
    assert "iframe" in film._repr_html_()


def test_a_picture():
    film = train(nn.MLP([2, 4, 2], rng=0), 12)
    ax = film.plot()
    assert [panel.get_ylabel() for panel in ax.child_axes] == ["loss", "gradient norm", "update / data"]
    assert len(ax.child_axes[0].lines[0].get_xdata()) == 12


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


@pytest.mark.parametrize("options", [{"every": 0}, {"most": 1}, {"keep": ["weight"]}])
def test_odd_settings(options):
    with pytest.raises(ArgumentError, match="what can be kept is mean, std"), record(nn.Linear(2, 2), **options):
        pass


def test_a_model_without_parameters():
    with pytest.raises(ArgumentError, match="no parameters"), record([]):
        pass
