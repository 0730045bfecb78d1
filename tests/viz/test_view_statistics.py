"""What an array is like, in few numbers."""

import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from autodiff.viz.statistics import array_form, number_form, steps_of


def test_numbers_of_all_kinds():
    """Floats as themselves, everything else with its text."""
    assert number_form(0.1) == 0.1
    assert number_form(np.float32(0.1)) == float(np.float32(0.1))
    assert number_form(1 / 3, 7) == 0.3333333
    assert [number_form(x) for x in (float("nan"), float("inf"), -float("inf"))] == ["nan", "inf", "-inf"]
    assert number_form(True) == {"text": "True", "number": 1.0}
    assert number_form(Decimal("1.5")) == {"text": "1.5", "number": 1.5}
    assert number_form(Fraction(2, 3))["number"] == 2 / 3
    assert number_form(1 - 2j) == {"text": "1.0-2.0j"}
    assert number_form(10**400)["text"]


@pytest.mark.parametrize("dtype", [float, np.float32, int, bool, complex])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1), (2, 3, 4), (0, 3), (3, 0)])
def test_statistics_are_those_of_numpy(shape, dtype, rng):
    """Of every dtype and shape; an empty array has a shape alone."""
    x = (3 * rng.normal(size=shape)).astype(dtype)
    form = array_form(x, 1000)
    json.dumps(form, allow_nan=False)
    assert form["shape"] == list(shape)
    if not x.size:
        assert set(form) <= {"shape", "kind"}
        return
    real = np.abs(x) if dtype is complex else x.astype(float)
    for what in ("min", "max", "mean", "std"):
        assert form[what] == pytest.approx(getattr(real.astype(float), what)(), rel=1e-12)
    assert form.get("zeros", 0) == np.count_nonzero(x == 0)
    assert sum(form["histogram"]) == x.size
    assert len(form["data"]) == x.size
    if dtype not in (complex,):
        np.testing.assert_array_equal(np.array(form["data"], float), x.ravel().astype(float))


def test_what_is_not_finite_is_counted():
    """And left out of the statistics."""
    form = array_form(np.array([np.nan, np.inf, -np.inf, 0.0, 2.0]), 10)
    assert (form["nan"], form["inf"], form["zeros"], form["max"], form["mean"]) == (1, 2, 1, 2.0, 1.0)
    form = array_form(np.full((2, 2), np.nan), 10)
    assert "min" not in form
    assert "histogram" not in form
    assert form["data"] == ["nan"] * 4


def test_the_histogram():
    """Twelve bars from the smallest to the largest; one for a constant."""
    assert array_form(np.arange(13.0), 20)["histogram"] == [1] * 11 + [2]
    assert array_form(np.full(5, 2.0), 20)["histogram"] == [5]
    assert sum(array_form(np.array([-1e308, 1e308]), 20)["histogram"]) == 2


@pytest.mark.parametrize("shape", [(1000, 10), (10, 1000), (7, 9), (1, 5000), (5000, 1), (100, 100), (33, 65)])
@pytest.mark.parametrize("most", [16, 100, 1024])
def test_the_part_that_is_listed(shape, most):
    """Every so many rows and columns, from the first, and not more entries than are allowed."""
    step = steps_of(*shape, most)
    x = np.arange(np.prod(shape), dtype=float).reshape(shape)
    form = array_form(x, most)
    assert form["data"] == x[:: step[0], :: step[1]].ravel().tolist()
    assert len(form["data"]) <= most
    assert len(form["data"]) >= min(x.size, most) / 4
    assert form.get("step", [1, 1]) == list(step)


def test_brief():
    """Only the extremes, where there are very many arrays."""
    assert array_form(np.arange(4.0), 16, 7, brief=True) == {
        "shape": [4],
        "zeros": 1,
        "min": 0.0,
        "max": 3.0,
        "mean": 1.5,
    }


def test_arrays_of_objects():
    """Fractions and symbols are described in words."""
    assert "object" in array_form(np.array([Fraction(1, 2)] * 5, dtype=object), 10)["text"]
