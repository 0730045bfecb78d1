"""The contestants of the benchmarks compute the same, at small sizes; nothing is timed."""

import importlib.util
import math

import numpy as np
import pytest

from tests.benchmarks import (
    calculus_integrate,
    calculus_ode,
    cnn,
    curvature,
    growth,
    memory,
    mlp,
    page,
    plots,
    rnn,
    scalar,
    transformer,
)
from tests.benchmarks.harness import Bar, Row, check, leave_out_failing, measure
from tests.benchmarks.rows import ROWS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # they concern its own code
SMALL = {
    "toy": lambda: mlp.toy(batch=7),
    "digits": lambda: mlp.digits(batch=5),
    "deep": lambda: mlp.deep([6, 5, 4, 3], batch=8),
    "cnn": lambda: cnn.cnn(batch=3, side=13),
    "rnn": lambda: rnn.rnn(steps=5, batch=3, hidden=4),
    "transformer": lambda: transformer.transformer(layers=2, width=8, length=6, batch=3, heads=2, characters=11),
    "hvp": lambda: curvature.hvp(n=9),
    "hessian": lambda: curvature.hessian(n=5),
    "scalar": lambda: scalar.scalar(points=2),
    "integral": calculus_integrate.number,
    "integral_vector": calculus_integrate.vector,
    "integral_grad": calculus_integrate.gradient,
    "ode": calculus_ode.ode,
    "ode_lorenz": calculus_ode.ode_lorenz,
    "ode_network": lambda: calculus_ode.ode_network(n=5),
    "ode_gradient": lambda: calculus_ode.ode_gradient(end=0.5),
    "ode_network_gradient": lambda: calculus_ode.ode_network_gradient(n=3, end=0.5),
}
UNCOMPILED = (
    "integral",
    "integral_vector",
    "integral_grad",
    "ode",
    "ode_lorenz",
    "ode_network",
    "ode_gradient",
    "ode_network_gradient",
)  # they go round by numbers
SLOW = "torch.compile"  # to compile, not to run


def test_every_row_is_tested():
    assert set(SMALL) == set(ROWS)


@pytest.mark.parametrize("name", SMALL)
def test_contestants_compute_the_same_losses(name):
    """Whoever is installed agrees with NumPy by hand, also after updates of the parameters."""
    row = SMALL[name]()
    row.contestants.pop(SLOW, None)
    assert {"autodiff", *(() if name in UNCOMPILED else ("autodiff compiled",))} <= set(row.contestants)
    row.tolerance = min(row.tolerance, 2e-5)
    check(row, steps=6)


def test_losses_change_from_step_to_step():
    """So that the check above sees wrong gradients, not only wrong losses."""
    for name in ("toy", "digits", "deep", "cnn", "rnn", "transformer", "scalar"):
        step = SMALL[name]().contestants["autodiff"]
        assert len({float(step()) for _ in range(3)}) == 3


def test_check_tells_who_computes_something_else():
    row = Row("row", "", "right", {"right": lambda: 1.0, "wrong": lambda: 1.1})
    with pytest.raises(AssertionError, match="row: wrong computes"):
        check(row)
    with pytest.raises(AssertionError):  # an array where a number is expected
        check(Row("row", "", "right", {"right": lambda: 1.0, "wrong": lambda: np.ones(2)}))


def test_who_raises_is_left_out_with_the_reason():
    row = Row("row", "", "right", {"right": lambda: 1.0, "broken": lambda: math.sqrt(-1.0)})
    leave_out_failing(row)
    assert set(row.contestants) == {"right"}
    assert row.failed["broken"].startswith("ValueError: ")


def test_page_says_which_bars_are_missed():
    bars = [Bar("a", "b", 0.5), Bar("b", "a", 100.0), Bar("gone", "a", 1.0)]
    contestants = {"a": lambda: sum(range(20_000)), "b": lambda: sum(range(20_000)), "gone": lambda: 1 // 0}
    row = Row("row", "What?", "a", contestants, rounds=3, bars=bars)
    text = "\n".join(page.table(measure(row)))
    assert "a ≤ 0.5 × b" in text
    assert "holds." in text
    assert "gone ≤ 1 × a: **missed**, it does not run." in text
    assert "ZeroDivisionError" in text


def test_notes_are_put_under_missed_bars(monkeypatch, tmp_path):
    notes = tmp_path / "notes.md"
    notes.write_text("# Why\n\nText.\n\n## row\n\nBLAS is slow here.\n\n## other\n\nNo.\n")
    monkeypatch.setattr(page, "NOTES", notes)
    assert page.notes() == {"row": "BLAS is slow here.", "other": "No."}
    assert "BLAS is slow here." in page.verdicts("row", [Bar("a", "b", 1.0)], {"a/b": 2.0})
    assert "BLAS is slow here." not in page.verdicts("row", [Bar("a", "b", 1.0)], {"a/b": 0.5})


def test_notes_belong_to_rows():
    assert set(page.notes()) <= {*ROWS, "chain", "import", *(f"memory of {name}" for name in memory.TABLES)}


@pytest.mark.parametrize("library", [name for name in ("numpy", "torch") if importlib.util.find_spec(name)])
def test_peak_memory_counts_what_is_alive_at_once(library):
    arrays = importlib.import_module(library)

    def make():
        kept = arrays.zeros(100_000, dtype=arrays.uint8)

        def step():
            for _ in range(3):
                made = arrays.zeros(1_000_000, dtype=arrays.uint8)
                made[: len(kept)] += kept
                del made

        return step

    peak_of = {"numpy": memory.peak_of_numpy, "torch": memory.peak_of_torch}[library]
    assert 1_100_000 <= peak_of(make) < 1_150_000


def test_growth_curve_is_measured_and_drawn(monkeypatch, tmp_path):
    monkeypatch.setattr(growth, "SECONDS", 0.0)
    grown = growth.grow(growth.Curve("nodes", "a chain", "operations", [1, 3], growth.chain))
    for name in ("NumPy by hand", "autodiff", "autodiff compiled"):
        assert all(s > 0 for s in grown.seconds[name])
        assert grown.bytes[name][0] < grown.bytes[name][1]
    plots.draw_curve(grown, tmp_path / "curve.svg")
    assert "milliseconds a step" in (tmp_path / "curve.svg").read_text()
    assert any("![" in line for line in page.growth_section(grown, "pictures/curve.svg"))
