"""Stepping through five programs: every step is reached, says what the engine says, and is restored on the way back."""

import json
import math

import numpy as np
import pytest

import autodiff as ad

NAMES = ["expression", "mlp", "convnet", "attention", "nan"]


@pytest.fixture(scope="module", params=NAMES)
def program(request, run_program):
    return run_program(request.param)


def close(shown, x):
    """Whether a data attribute says what the engine has: a number, or the description of an array."""
    x = np.asarray(x, dtype=float)
    if x.ndim == 0:
        return math.isclose(float(shown), float(x), rel_tol=1e-6) or (math.isnan(float(shown)) and np.isnan(x))
    about = json.loads(shown)
    assert about["nan"] == np.isnan(x).sum()
    assert about["inf"] == np.isinf(x).sum()
    finite = x[np.isfinite(x)]
    if not finite.size:
        return True
    found = [about["min"], about["max"], about["mean"]]
    return np.allclose(found, [finite.min(), finite.max(), finite.mean()], rtol=1e-6, atol=1e-12)


def test_every_step_is_reached_and_restored(program, opened):
    """→ reaches every step; ← restores every state exactly."""
    page = opened(program["page"])
    states = []
    for t in range(page.n_steps + 1):
        assert page.step == t
        states.append(page.state())
        page.press("ArrowRight")
    assert page.step == page.n_steps
    assert len({json.dumps(state) for state in states}) == page.n_steps + 1
    for t in reversed(range(page.n_steps + 1)):
        assert page.state() == states[t]
        page.press("ArrowLeft")
    assert page.step == 0


def test_numbers_are_the_engines(program, opened):
    """At the end every value and every gradient is what ``backward`` leaves on the tape; at the start there is none."""
    loss = program["f" if "f" in program else "loss"]
    with np.errstate(all="ignore"):
        loss.backward()
    page = opened(program["page"])
    tape = ad.Tape(loss)
    for i, node in enumerate(tape):
        at_start = page.data(f"n{i}")
        assert ("value" in at_start) == node.is_leaf
        assert "cotangent" not in at_start
    page.press("End")
    for i, node in enumerate(tape):
        shown = page.data(f"n{i}")
        assert close(shown["value"], node._data)
        assert close(shown["cotangent"], node.grad)


@pytest.mark.parametrize("name", ["expression", "mlp"])
def test_contributions_add_up(opened, run_program, name):
    """What the edges are shown to bring to a number is what it is shown to have."""
    page = opened(run_program(name)["page"])
    sums = {}
    for _ in range(page.n_steps):
        page.press("ArrowRight")
        found = page.tab.evaluate(
            """() => { const wire = document.querySelector("[data-contribution]");
                 const box = document.querySelector(".box.current");
                 return wire && [wire.dataset.contribution, box.dataset.node, box.dataset.cotangent]; }"""
        )
        if not found:
            continue
        contribution, node, total = found
        if contribution.startswith("{") or "nan" in contribution.lower():
            continue
        sums[node] = sums.get(node, 0) + float(contribution)
        assert math.isclose(sums[node], float(total), rel_tol=1e-6)


def test_the_expression_of_the_lectures(opened, run_program):
    """At a fan-out the gradient runs: first what one use sends, then the sum of both."""
    page = opened(run_program("expression")["page"])
    seen = []
    for _ in range(page.n_steps):
        page.press("ArrowRight")
        x = page.data("n0").get("cotangent")
        if x not in seen:
            seen.append(x)
    slope = 1 - math.tanh(-2.0) ** 2
    assert seen[0] is None
    assert [float(x) for x in seen[1:]] == [pytest.approx(slope, rel=1e-6), pytest.approx(slope - 4, rel=1e-6)]
    page.press("Home", *["ArrowRight"] * 9)
    caption = page.tab.inner_text("#caption")
    assert caption.startswith("Backward step 5 of 8")
    assert "multiply sends -4.0 to q; q.grad is now -4.0" in caption.replace("−", "-")
    assert page.tab.inner_text("li.now mark") == "q * z"
