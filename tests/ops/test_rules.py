"""Every row of the table, at every one of its samples."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.rule import TABLE, sample
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


HOLOMORPHIC = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "negative",
    "positive",
    "power",
    "square",
    "reciprocal",
    "sqrt",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "sigmoid",
    "silu",
]


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_holomorphic_rows_at_complex_points(name, rng):
    """Where a conjugate that a VJP forgets shows."""
    shapes = [(3,), (2, 1)][: len(TABLE[name].inputs)]
    point = sample(*(rng.normal(size=shape) + 1j * rng.normal(size=shape) for shape in shapes))
    for check in (check_dtype, check_jvp, check_vjp, check_second_order):
        check(TABLE[name], point)
    if name != "sigmoid":  # SciPy's takes real numbers only
        check_forward(TABLE[name], point)
    check_numbers(TABLE[name], sample(*(np.asarray(a.flat[0]) for a in point.args)))


REAL_ONLY = [
    "cbrt",
    "floor",
    "ceil",
    "trunc",
    "remainder",
    "floor_divide",
    "logaddexp",
    "softplus",
    "log_sigmoid",
    "erf",
    "gelu",
    "arctan2",
    "hypot",
]


@pytest.mark.parametrize("name", REAL_ONLY)
def test_rows_for_real_numbers_refuse_complex_ones(name):
    z = ad.Tensor(np.array([1 + 2j]))
    with pytest.raises(TypeError):
        getattr(ad, name)(*[z] * len(TABLE[name].inputs))


@pytest.mark.parametrize("rule", [r for r in ROWS if not r.differentiable], ids=lambda r: r.name)
def test_a_row_without_derivative_has_none(rule):
    assert not rule.vjps
    assert not rule.jvps
    assert "Never tracked" in rule.forward.__doc__
