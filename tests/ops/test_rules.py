"""Every row of the table, at every one of its samples."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.op import make_op
from autodiff.core.rule import TABLE
from autodiff.ops.families import draw_samples
from autodiff.testing import (
    check_complete,
    check_dtype,
    check_forward,
    check_jvp,
    check_not_mutated,
    check_numbers,
    check_second_order,
    check_vjp,
)
from autodiff.testing.checks import describe

ad.ops.public.names()  # load every topic
ROWS = [rule for rule in TABLE.values() if rule.forward.__module__.startswith("autodiff.")]
for rule in ROWS:
    check_complete(rule)  # while collecting: a row that lacks something must not look like one fewer test

POINTS = [
    pytest.param(rule, point, id=f"{describe(rule, point)}-{i}")
    for rule in ROWS
    if rule.differentiable
    for i, point in enumerate(draw_samples(rule))
]
ELEMENTWISE = [rule for rule in ROWS if rule.entrywise and rule.differentiable]


@pytest.mark.parametrize("check", [check_forward, check_numbers, check_dtype, check_not_mutated])
@pytest.mark.parametrize(("rule", "point"), POINTS)
def test_values(rule, point, check):
    check(rule, point)


@pytest.mark.parametrize("check", [check_jvp, check_vjp, check_second_order])
@pytest.mark.parametrize(("rule", "point"), POINTS)
def test_derivatives(rule, point, check):
    check(rule, point)


@pytest.mark.parametrize("rule", [r for r in ROWS if r.differentiable], ids=lambda r: r.name)
def test_samples_are_the_same_on_every_call(rule):
    for first, second in zip(draw_samples(rule), draw_samples(rule), strict=True):
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first.args, second.args, strict=True))


@pytest.mark.parametrize("rule", [r for r in ROWS if r.differentiable], ids=lambda r: r.name)
def test_every_row_has_a_sample_of_second_order(rule):
    assert any(point.order >= 2 for point in draw_samples(rule))


@pytest.mark.parametrize("rule", ELEMENTWISE, ids=lambda r: r.name)
def test_elementwise_samples_cover_every_kind_of_shape(rule):
    points = [point.args for point in draw_samples(rule)]
    assert any(a.size == 0 for args in points for a in args), "no zero-size sample"
    assert any(a.ndim == 0 for args in points for a in args), "no 0-d sample"
    assert any(a.size > 1 and not a.flags.forc for args in points for a in args), "no non-contiguous sample"
    if len(rule.inputs) > 1:
        assert any(len({a.shape for a in args}) == len(args) for args in points), "no sample that broadcasts"


def takes_complex(rule):
    return any(np.iscomplexobj(a) for point in draw_samples(rule) for a in point.args)


@pytest.mark.parametrize("rule", [r for r in ROWS if r.differentiable and not takes_complex(r)], ids=lambda r: r.name)
def test_a_row_that_is_not_checked_at_complex_points_refuses_them(rule):
    """So that no row can forget a conjugate and go unnoticed."""
    point = next(p for p in draw_samples(rule) if all(np.size(a) for a in p.args))
    args = [np.asarray(a) for a in point.args]
    given = [ad.Tensor(a.astype(complex) + 0.5j) if a.dtype.kind == "f" else a for a in args]
    with pytest.raises(TypeError):
        make_op(rule)(*([given] if rule.variadic else given), **point.params)


@pytest.mark.parametrize("rule", [r for r in ROWS if not r.differentiable], ids=lambda r: r.name)
def test_a_row_without_derivative_has_none(rule):
    assert not rule.vjps
    assert not rule.jvps
    assert "Never tracked" in rule.forward.__doc__
