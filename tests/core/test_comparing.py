"""Two runs side by side."""

import time
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn

X = np.random.default_rng(0).normal(size=(6, 3))


def run(scale=1.0, seed=0, extra=False):
    """A small net, with or without another op in its middle."""
    w, v = (ad.Tensor(np.random.default_rng(s).normal(size=n), name=f"w{s}") for s, n in ((seed, (3, 4)), (9, (4,))))
    h = ad.tanh(X @ w)
    if extra:
        h = ad.relu(h)
    loss = ((h * scale) @ v).sum()
    loss.backward()
    return ad.Tape(loss)


def test_two_equal_runs_are_the_same():
    diff = run().diff(run())
    assert diff.same
    assert diff.first is None
    assert len(diff) == len(diff.rows) == 7
    assert str(diff) == "All 7 nodes are the same; values differ by 0.0 at most."
    assert "All 7 nodes" in diff._repr_html_()


def test_the_first_value_that_differs_is_named():
    diff = run().diff(run(scale=1.5))
    assert not diff.same
    assert diff.first.node.rule.name == "multiply"
    values = [row.value.absolute for row in diff.rows if row.value.differs]
    here, there = diff.first.here.data, diff.first.there.data
    assert diff.first.value.absolute == np.max(np.abs(here - there))
    assert diff.first.value.relative == pytest.approx(np.max(np.abs(here - there) / np.abs(there)))
    assert len(values) == 3
    assert str(diff).splitlines()[0].startswith("7 of 7 nodes differ. The first is %4 (multiply): [")
    assert "which differ by up to" in str(diff)


def test_a_leaf_that_differs_comes_first_with_its_name():
    diff = run().diff(run(seed=1))
    assert diff.first.here.name == "w0"
    assert "%0 w0 (leaf)" in str(diff)


def test_gradients_differ_where_values_do_not():
    x = ad.Value(2.0)
    y = x * 3
    one, other = ad.Tape(y), None
    y.backward()
    z = (again := ad.Value(2.0)) * 3
    other = ad.Tape(z)
    diff = one.diff(other)
    assert diff.first.node is y
    assert "its value is the same, its gradient is 1.0 here, - there" in str(diff)
    z.backward()
    again.grad = 5.0
    diff = one.diff(other)
    assert diff.first.here is x
    assert diff.first.gradient.absolute == 2.0
    assert len(diff.different) == 1


def test_an_op_that_only_one_run_has():
    longer, shorter = run(extra=True), run()
    diff = longer.diff(shorter)
    alone = [row for row in diff.rows if row.there is None]
    assert [row.node.rule.name for row in alone] == ["relu"]
    assert diff.first is alone[0]
    assert "(relu): it is only on this tape" in str(diff)
    assert "it is only on the other tape" in str(shorter.diff(longer))
    matched = [(row.here, row.there) for row in diff.rows if row.there is not None]
    assert all(a.rule is b.rule for a, b in matched)
    assert len(matched) == len(shorter)


def test_programs_with_nothing_in_common():
    a, b = ad.Tape(ad.sin(ad.Value(1.0))), ad.Tape(ad.Tensor(np.ones((2, 2))).sum())
    diff = a.diff(b)
    assert [(row.here is None, row.there is None) for row in diff.rows] == [(False, True)] * 2 + [(True, False)] * 2


def test_another_batch_size_is_matched_by_structure():
    def small(n):
        w = ad.Tensor(np.ones(3))
        return ad.Tape((X[:n] @ w).mean())

    diff = small(6).diff(small(4))
    assert len(diff) == 3
    assert diff.first.node.rule.name == "matmul"
    assert diff.first.value is None
    assert "shape (6,) here, (4,) there" in str(diff)


def test_tolerance():
    one, other = run(), run(scale=1 + 1e-7)
    assert one.diff(other).same
    assert not one.diff(other, rtol=1e-9).same
    assert one.diff(other, rtol=0, atol=1.0).same


def test_nan_equals_nan_and_inf_equals_inf():
    def odd(last):
        return ad.Tape(ad.Tensor([np.nan, np.inf, last]) * 2)

    assert odd(1.0).diff(odd(1.0)).same
    assert odd(1.0).diff(odd(np.nan)).first.value.differs
    assert odd(1.0).diff(odd(-np.inf)).first.value.absolute == np.inf


def test_numbers_of_other_kinds():
    def fraction(n):
        return ad.Tape(ad.Value(Fraction(1, n)) * 2)

    assert fraction(3).diff(fraction(3)).same
    assert not fraction(3).diff(fraction(4)).same


def test_parts_are_compared_too():
    diff = run().find(shape=(6, 4)).diff(run(scale=2.0).find(shape=(6, 4)))
    assert len(diff) == 3
    assert "%4" in str(diff)


def test_lines_are_shown_where_they_are_known():
    def traced(a):
        with ad.trace():
            return ad.Tape(ad.sin(ad.Value(a)))

    text = str(traced(1.0).diff(traced(2.0)))
    assert text.splitlines()[1].split()[-1] == "line"
    assert "test_comparing.py:" in text
    assert max(map(len, text.splitlines()[1:])) <= 120


def test_only_so_many_rows_are_printed():
    def chain(a):
        y = ad.Value(a)
        for _ in range(50):
            y = y * 1.01
        return ad.Tape(y)

    lines = str(chain(1.0).diff(chain(2.0))).splitlines()
    assert len(lines) == 1 + 1 + 20 + 1
    assert lines[-1] == "… 31 more that differ"


def test_a_page_with_names_that_are_markup():
    def named(a):
        return ad.Tape(ad.sin(ad.Value(a, name="<b>")))

    page = named(1.0).diff(named(2.0))._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_what_is_not_a_tape_is_refused():
    tape = run()
    with pytest.raises(ad.AutodiffError, match=r"compares with another tape, got a Tensor: give it ad.Tape\(loss\)"):
        tape.diff(tape[-1])


def test_a_model_before_and_after():
    model = nn.Linear(3, 2, rng=0)

    def forward():
        return ad.Tape((model(X) ** 2).mean())

    before = forward()
    model.bias.data = np.ones(2)
    diff = before.diff(forward())
    assert diff.first.node.rule.name == "linear"


def long(n, odd=()):
    y = ad.Value(1.0)
    for i in range(n):
        y = ad.sin(y) if i % 3 else y + 0.001
        if i in odd:
            y = ad.exp(y)
    return ad.Tape(y)


def test_long_tapes_are_compared_quickly():
    one, same, other = long(100_000), long(100_000), long(100_000, odd={10, 50_000, 99_000})
    start = time.perf_counter()
    assert one.diff(same).same
    diff = one.diff(other)
    assert time.perf_counter() - start < 30
    assert [row.node.rule.name for row in diff.rows if row.here is None] == ["exp"] * 3
    assert sum(row.there is None for row in diff.rows) == 0


@pytest.mark.parametrize("options", [{"rtol": "a"}, {"rtol": -1}, {"atol": np.nan}, {"atol": None}])
def test_what_is_no_tolerance(options):
    tape = ad.Tape(ad.Value(2.0) * 2)
    with pytest.raises(ad.errors.ArgumentError, match=r"tape.diff got .tol=.*; it is a finite number of at least 0"):
        tape.diff(tape, **options)
