"""``ad.profile`` of compiled functions: they run compiled, and there is a row for each statement."""

import sys
from collections import deque

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.diagnosis import timing


def ops(report, part="forward"):
    return {row.op: row.calls for row in report.rows if row.part == part}


def model_and_data():
    model = nn.MLP([2, 5, 1], activation=nn.Tanh, rng=0)
    rng = np.random.default_rng(0)
    return model, rng.normal(size=(7, 2)), rng.normal(size=(7, 1))


def test_a_compiled_function_runs_compiled_with_a_row_for_each_statement():
    model, X, Y = model_and_data()
    calls = deque()  # a list would be a setting that the function changes

    def loss_of(X, Y):
        calls.append(X)
        return nn.functional.mse_loss(model(X), Y)

    compiled = ad.compile(loss_of)
    report = ad.profile(compiled, X, Y)
    assert len(calls) == 1
    lines = {line.strip().partition("  # ")[0] for line in compiled.source.splitlines()}
    printed = [row for row in report.rows if row.shape is None and row.part != "outside"]
    assert {row.op for row in printed} <= lines
    assert len(printed) > 15
    assert {row.op.startswith("np.tanh(") for row in printed if row.part == "forward"} == {True, False}
    assert any(row.op.startswith("return g_") for row in printed if row.part == "backward")
    assert {row.part for row in report.rows if row.op == "compiled_loss_of"} == {"forward", "backward"}
    assert sum(row.share for row in report.rows) == pytest.approx(1)

    def gradients():
        for p in model.parameters():
            p.grad = None
        compiled(X, Y).backward()
        return [p.grad for p in model.parameters()]

    plain = gradients()
    with ad.profile() as block:
        timed = gradients()
    assert all((a == b).all() for a, b in zip(plain, timed, strict=True))
    assert ops(block)["compiled_loss_of"] == 1


def test_the_time_of_a_statement_is_its_own(monkeypatch):
    now = deque([0])
    monkeypatch.setattr(timing, "clock", lambda: now[0])

    @ad.custom_rule
    def tried(x):
        try:  # so that a program calls it by name
            now[0] += 10_000
        finally:
            x = x * 2
        return x

    @tried.def_vjp
    def tried_vjp(g):
        return g * 2

    compiled = ad.compile(lambda x: (tried(x) * 3).sum())
    with ad.profile() as first:  # compiles
        compiled(ad.Tensor([1.0, 2.0]))
    assert ops(first)["compiled_lambda"] == 1
    assert "tried" not in ops(first)
    (row,) = [row for row in ad.profile(compiled, ad.Tensor([1.0, 2.0])).rows if row.seconds]
    assert (row.part, row.seconds, row.share) == ("forward", pytest.approx(10e-6), 1)
    assert "tried(x)" in row.op
    assert row.line.text.startswith(row.op)


def test_a_compiled_function_is_shown_as_written_where_others_watch_too():
    compiled = ad.compile(lambda x: ad.tanh(x).sum())
    with ad.trace(), ad.profile() as report:
        compiled(ad.Tensor([1.0]))
    assert ops(report) == {"tanh": 1, "sum": 1}


def test_compiled_numbers_and_derivatives():
    compiled = ad.compile(lambda a, b: ad.sin(a * b) + a)
    a, b = ad.Value(2.0), ad.Value(3.0)
    report = ad.profile(compiled, a, b)
    assert any("sin(" in row.op for row in report.rows)
    many = ad.profile(ad.compile(lambda: sum((ad.tanh(a * k + b) ** 3 for k in range(40)), a)))
    assert {row.part for row in many.rows} == {"forward", "backward", "outside"}
    assert "multiply" not in ops(many)
    slope = ad.profile(ad.grad(compiled), 2.0, 3.0)
    assert "compiled_lambda" in ops(slope, "backward")
    assert ad.grad(compiled)(2.0, 3.0) == pytest.approx(3 * np.cos(6) + 1)


def test_a_tracer_is_there_again_afterwards():
    def tracer(frame, event, arg):
        return None

    compiled = ad.compile(lambda x: ad.tanh(x).sum())
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        ad.profile(compiled, ad.Tensor([1.0]), repeats=1)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
