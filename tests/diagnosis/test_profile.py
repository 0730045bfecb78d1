"""``ad.profile`` says where the time goes: told by a clock that only moves when the tests say so."""

import gc
import json
import threading
import weakref
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import optim
from autodiff.core import op, tape
from autodiff.core.dispatch import Forwards
from autodiff.core.errors import ArgumentError, KindError
from autodiff.core.listing_table import MAX_WIDTH
from autodiff.core.modes import watchers
from autodiff.diagnosis import timing

ENGINE = (tape.pull_watched, op._bind, optim.SGD.update, optim.Adam.update)


@pytest.fixture
def passes(monkeypatch):
    """Lets so many microseconds pass; without it no time passes at all."""
    now = 0

    def passes(microseconds):
        nonlocal now
        now += int(1000 * microseconds)

    monkeypatch.setattr(timing, "clock", lambda: now)
    return passes


@pytest.fixture
def slow(passes):
    """An op that doubles, in 10 µs forward and 30 µs backward."""

    @ad.custom_rule
    def slow(x):
        passes(10)
        return x * 2

    @slow.def_vjp
    def slow_vjp(g):
        passes(30)
        return g * 2

    return slow


@pytest.fixture(autouse=True)
def engine_is_left_alone():
    """After each test the engine is what it was."""
    yield
    assert "__getitem__" not in vars(Forwards)
    assert (tape.pull_watched, op._bind, optim.SGD.update, optim.Adam.update) == ENGINE
    assert watchers() == ()


def times(report):
    """Microseconds by part and op."""
    found = {}
    for row in report.rows:
        found[row.part, row.op] = round(found.get((row.part, row.op), 0) + row.seconds * 1e6, 6)
    return {key: t for key, t in found.items() if t}


def ops(report, part="forward"):
    return {row.op: row.calls for row in report.rows if row.part == part}


def test_each_op_takes_the_time_of_its_forward_and_of_its_derivative(slow, passes):
    x = ad.Tensor([1.0, 2.0])

    def f():
        y = slow(slow(x)).sum()
        passes(5)
        return y

    report = ad.profile(f)
    assert times(report) == {("forward", "slow"): 20, ("backward", "slow"): 60, ("outside", ""): 5}
    assert report.unwatched == pytest.approx(85e-6)
    assert report.seconds == pytest.approx(85e-6)
    first, second = report.rows[:2]
    assert (first.part, first.op, first.calls, first.share) == ("backward", "slow", 2, pytest.approx(60 / 85))
    assert (second.part, second.op, second.calls, second.share) == ("forward", "slow", 2, pytest.approx(20 / 85))
    assert sum(row.share for row in report.rows) == pytest.approx(1)


def test_a_block_is_timed_once_with_its_optimizer(slow, passes):
    class Slow(optim.SGD):
        def update(self, p, g, state):
            passes(7)
            super().update(p, g, state)

    plain = Slow.update
    x = ad.Tensor([1.0, 2.0])
    optimizer = Slow([x], lr=0.1)
    with ad.profile() as report:
        for _ in range(3):
            loss = slow(x).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert times(report) == {("forward", "slow"): 30, ("backward", "slow"): 90, ("optimizer", "Slow.update"): 21}
    assert ops(report, "optimizer") == {"Slow.update": 3}
    assert report.unwatched is None
    assert Slow.update is plain
    np.testing.assert_allclose(x.data, [0.4, 1.4])


def test_medians_are_taken_over_the_calls(slow, passes):
    durations = iter([0, 0, *[t for t in (4, 900, 5, 3, 6) for _ in "ab"]])
    report = ad.profile(lambda: passes(next(durations)), repeats=5)
    assert report.calls == 5
    assert times(report) == {("outside", ""): 5}
    assert report.unwatched == pytest.approx(5e-6)


def test_rows_know_the_line_also_on_the_way_back(slow):
    x = ad.Tensor(np.ones((2, 3)))
    report = ad.profile(lambda: slow(x).sum())
    for row in report.rows:
        if row.op == "slow":
            assert row.line.filename == __file__
            assert "slow(x).sum()" in row.line.text
            assert row.shape == (2, 3)
    assert {row.part for row in report.rows if row.op == "slow"} == {"forward", "backward"}


def test_one_op_at_two_lines_or_of_two_shapes_makes_two_rows():
    def f(x):
        y = ad.exp(x)
        z = ad.exp(x[:1])
        return ad.exp(y), z

    report = ad.profile(f, ad.Tensor([1.0, 2.0]))
    assert sorted((row.shape, row.calls) for row in report.rows if row.op == "exp") == [((1,), 1), ((2,), 1), ((2,), 1)]


def test_bytes_are_those_of_arrays_that_were_made_and_not_of_views():
    x = ad.Tensor(np.ones((50, 20)))

    def f():
        y = ad.exp(x)
        return (y.T.reshape(1000) + y[:0].sum()).sum()

    report = ad.profile(f)
    made = {(row.part, row.op): row.bytes for row in report.rows}
    assert made["forward", "exp"] == 8000
    assert made["forward", "transpose"] == 0
    assert made["forward", "reshape"] == 8000  # of a transposed array it copies
    assert made["forward", "getitem"] == 0
    assert made["backward", "reshape"] == 0
    assert made["backward", "transpose"] == 8000  # added to what the other use of y has sent
    assert made["backward", "exp"] == 8000
    assert made["outside", ""] == 0


def test_gradients_are_afterwards_what_they_were_and_no_tape_is_kept():
    x = ad.Tensor([1.0, 2.0])
    x.grad = np.array([7.0, 8.0])
    seen = []

    def f():
        y = (x * x).sum()
        seen.append(weakref.ref(y))
        return y

    gc.disable()
    try:
        report = ad.profile(f)
        with ad.profile() as block:
            f().backward()
            assert seen[-1]() is None
    finally:
        gc.enable()
    assert not [ref for ref in seen if ref() is not None]
    assert ops(report, "backward") == ops(block, "backward") == {"sum": 1, "multiply": 1}
    np.testing.assert_array_equal(x.grad, [7.0 + 2, 8.0 + 4])  # of the block alone


def test_a_function_that_sweeps_itself_is_not_swept_again(slow):
    x = ad.Tensor([1.0])

    def step():
        loss = slow(x).sum()
        loss.backward()
        return loss

    assert ops(ad.profile(step), "backward") == {"sum": 1, "slow": 1}
    assert ops(ad.profile(ad.grad(lambda x: slow(x).sum()), np.ones(2)), "backward") == {"sum": 1, "slow": 1}


@pytest.mark.parametrize("result", [lambda x: ad.exp(x), lambda x: None, lambda x: x, lambda x: [ad.exp(x).sum()]])
def test_what_is_no_single_computed_number_is_not_differentiated(result):
    report = ad.profile(result, ad.Tensor([1.0, 2.0]))
    assert ops(report, "backward") == {}


def test_programs_of_numbers():
    a, b = ad.Value(Fraction(1, 2)), ad.Value(3.0)
    report = ad.profile(lambda: a * a + a)
    assert ops(report) == {"multiply": 1, "add": 1}
    assert ops(report, "backward") == {"multiply": 1, "add": 1}
    assert a.grad is None
    assert all(row.bytes == 0 and row.shape in ((), None) for row in report.rows)
    assert ops(ad.profile(lambda: ad.sin(b) * b)) == {"sin": 1, "multiply": 1}


def test_gradients_are_the_same_to_the_last_bit():
    x = np.random.default_rng(0).normal(size=1000)

    def gradient():
        return ad.grad(lambda x: (x * x * x - x).sum())(x)

    with ad.profile():
        timed = gradient()
    np.testing.assert_array_equal(timed, gradient(), strict=True)


def test_lists_of_arrays_and_options():
    x = ad.Tensor([1.0, 2.0])
    report = ad.profile(lambda: ad.sum(ad.stack([x, x]), axis=0))
    assert ops(report) == {"stack": 1, "sum": 1}


def test_what_is_not_tracked_is_timed_too_and_plain_arrays_are_outside(slow):
    def f():
        slow(np.ones(2))
        with ad.no_grad():
            return slow(ad.Tensor([1.0]))

    assert times(ad.profile(f)) == {("forward", "slow"): 10, ("outside", ""): 10}


def test_nothing_happens():
    with ad.profile() as report:
        assert str(report) == "Nothing was profiled yet: a block is when it is over."
        assert report.rows == []
        with pytest.raises(ArgumentError, match=r"has begun before"), report:
            pass
    assert [row.part for row in report.rows] == ["outside"]
    assert "outside of ops" in str(report)
    assert [row.part for row in ad.profile(lambda: None).rows] == ["outside"]


def test_a_profile_within_a_profile_sees_its_part(slow, passes):
    x = ad.Tensor([1.0, 2.0])
    with ad.profile() as outer:
        y = slow(x)
        with ad.profile() as inner:
            slow(y)
            passes(1)
        report = ad.profile(lambda: slow(y))
        passes(2)
    assert times(inner) == {("forward", "slow"): 10, ("outside", ""): 1}
    assert times(report) == {("forward", "slow"): 10}
    assert times(outer) == {("forward", "slow"): 10 * (2 + 1 + 1 + 20), ("outside", ""): 3}


def test_an_error_passes_through_and_what_was_before_is_there(slow, passes):
    @ad.custom_rule
    def broken(x):
        return x + 1

    @broken.def_vjp
    def broken_vjp(g):
        passes(4)
        raise RuntimeError("in the derivative")

    x = ad.Tensor([1.0])
    with pytest.raises(RuntimeError, match="in the derivative"), ad.profile() as report:
        broken(slow(x)).sum().backward()
    assert times(report) == {("forward", "slow"): 10, ("backward", "broken"): 4}
    with pytest.raises(ZeroDivisionError):
        ad.profile(lambda: 1 / 0)


def test_sweeps_inside_of_a_derivative_belong_to_it(slow):
    x = np.ones(2)
    second = ad.profile(ad.grad(lambda x: ad.grad(lambda x: (slow(x) ** 3).sum())(x).sum()), x)
    assert sum(row.share for row in second.rows) == pytest.approx(1)
    assert times(second) == {("forward", "slow"): 10, ("backward", "slow"): 60}
    batch = ad.profile(ad.vmap(lambda x: slow(x) * 2), np.ones((3, 2)))
    assert ("forward", "multiply") in {(row.part, row.op) for row in batch.rows}


def test_what_is_computed_again_inside_of_a_checkpoint_has_rows_of_its_own(slow):
    x = ad.Tensor([1.0])
    report = ad.profile(lambda: ad.checkpoint(lambda x: slow(slow(x)))(x).sum())
    assert times(report) == {("forward", "slow"): 40, ("backward", "slow"): 60}
    assert ops(report) == {"slow": 4, "sum": 1}


def test_other_threads_compute_as_ever_and_are_not_timed(slow):
    x = ad.Tensor([1.0])
    found = []

    def elsewhere():
        y = ad.stack([slow(x), ad.exp(x)]).sum()
        y.backward()
        found.append(y.item())

    with ad.profile() as report:
        ad.tanh(x)
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert found == [pytest.approx(2 + np.e)]
    assert ops(report) == {"tanh": 1}


def test_two_threads_profile_at_once():
    both = threading.Barrier(2)
    found = {}

    def work(name, f):
        with ad.profile() as report:
            both.wait()
            for _ in range(50):
                f(ad.Tensor([0.5, 0.25])).sum().backward()
        both.wait()
        found[name] = ops(report), ops(report, "backward")

    threads = [threading.Thread(target=work, args=(f.__name__, f)) for f in (ad.exp, ad.tanh)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: ({name: 50, "sum": 50},) * 2 for name in ("exp", "tanh")}


def test_a_trace_for_chrome(slow, passes, tmp_path):
    """The fields of its complete events and metadata, as the format asks for them."""
    x = ad.Tensor([1.0, 2.0])

    def step():
        passes(2)
        return slow(ad.checkpoint(slow)(x)).sum()

    report = ad.profile(step)
    path = report.save(tmp_path / "trace.json")
    trace = json.loads(path.read_text())
    assert set(trace) == {"traceEvents", "displayTimeUnit"}
    assert trace["displayTimeUnit"] in ("ms", "ns")
    metadata = [e for e in trace["traceEvents"] if e["ph"] == "M"]
    assert {e["name"] for e in metadata} == {"process_name", "thread_name"}
    assert all(isinstance(e["args"]["name"], str) for e in metadata)
    complete = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    assert len(metadata) + len(complete) == len(trace["traceEvents"])
    for e in complete:
        assert set(e) == {"name", "cat", "ph", "ts", "dur", "pid", "tid", "args"}
        assert isinstance(e["pid"], int)
        assert isinstance(e["tid"], int)
        assert e["ts"] >= 0
        assert e["dur"] >= 0
    slow_ones = [(e["cat"], e["ts"], e["dur"]) for e in complete if e["name"] == "slow"]
    # In the derivative of the checkpoint, from 52 to 92, it is computed again and then swept.
    forward = [("forward", 2, 10), ("forward", 12, 10)]
    assert slow_ones == [*forward, ("backward", 22, 30), ("forward", 52, 10), ("backward", 62, 30)]
    whole = complete[0]
    assert (whole["name"], whole["ts"], whole["dur"]) == ("step", 0, 92)
    (again,) = [e for e in complete if e["cat"] == "backward" and (e["ts"], e["dur"]) == (52, 40)]
    assert again["name"] != "slow"
    assert complete[1]["args"]["shape"] == [2]
    assert complete[1]["args"]["line"].startswith("test_profile.py:")


def test_where_a_trace_cannot_be_saved(tmp_path):
    report = ad.profile(lambda: None)
    with pytest.raises(ArgumentError, match=r"cannot be saved as 'trace.txt': it is a Chrome trace. End it in .json"):
        report.save(tmp_path / "trace.txt")
    with pytest.raises(ArgumentError, match=r"there is no such folder. Make it"):
        report.save(tmp_path / "nowhere" / "trace.json")
    with ad.profile() as block, pytest.raises(ArgumentError, match=r"saved before it was over"):
        block.save(tmp_path / "trace.json")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments():
    with pytest.raises(ArgumentError, match=r"repeats=0: a median is taken of at least 1 call"):
        ad.profile(lambda: None, repeats=0)
    with pytest.raises(KindError, match=r"given a Tensor; it takes a function.*not ad.profile\(f\(x\)\)"):
        ad.profile(ad.Tensor([1.0]).sum())
    with pytest.raises(ArgumentError, match=r"arguments and no function"):
        ad.profile(x=1.0)
    report = ad.profile(lambda: None)
    with pytest.raises(ArgumentError, match=r"entered that has begun before. Make a new one"), report:
        pass


def test_the_table(slow, passes):
    x = ad.Tensor([1.0, 2.0])

    def many():
        y = slow(x)
        passes(50)
        for _ in range(30):
            y = ad.concatenate([y, np.ones(1)])
        return y.sum()

    report = ad.profile(many)
    text = str(report)
    assert repr(report) == text
    lines = text.splitlines()
    assert lines[0] == "many: 90.0 µs a call, median of 10; 90.0 µs while its ops are timed"
    assert max(map(len, lines)) <= MAX_WIDTH
    assert lines[2].split() == ["part", "op", "shape", "calls", "time", "µs", "share", "made", "line"]
    assert lines[3].split()[:6] == ["backward", "slow", "(2,)", "1", "30.0", "33.3%"]
    assert any(line.split()[:2] == ["39", "more"] for line in lines)
    assert lines[-4].split() == ["all", "forward", "10.0", "11.1%", *lines[-4].split()[-2:]]
    assert lines[-2].split() == ["outside", "of", "ops", "50.0", "55.6%"]
    assert lines[-1].split()[:3] == ["everything", "90.0", "100.0%"]
    page = report._repr_html_()
    assert page.count("<tr>") == 1 + 2 * 32 + 4  # all rows
    assert "&lt;lambda&gt;" in ad.profile(lambda: slow(x))._repr_html_()


def test_peak_memory():
    def f():
        return ad.sum(ad.exp(np.ones(10**6) * 2.0))  # two arrays of 8 MB at once

    report = ad.profile(f, memory=True, repeats=1)
    assert 16e6 <= report.peak < 17e6
    assert "at most 16.0 MB in use at once" in str(report)
    with ad.profile(memory=True) as block:
        f()
    assert 16e6 <= block.peak < 17e6
    assert ad.profile(f, repeats=1).peak is None
