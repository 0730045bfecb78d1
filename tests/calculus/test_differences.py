"""Difference quotients: orders of convergence, the rounding they end in, and how they are shown."""

import math
from decimal import Decimal
from fractions import Fraction

import matplotlib
import mpmath
import numpy as np
import pytest

import autodiff as ad
from autodiff.calculus.differences import difference_table

matplotlib.use("agg")


def f(x):
    return ad.exp(ad.sin(x))


def slope(table, method, low, high):
    """Of the logarithm of the error over that of the step, between two steps."""
    h = np.array([float(step) for step in table.steps])
    error = np.array(table.errors[method])
    chosen = (h >= low) & (h <= high)
    return np.polyfit(np.log(h[chosen]), np.log(error[chosen]), 1)[0]


def test_orders_are_those_that_are_stated():
    table = difference_table(f, 1.0, steps=np.geomspace(1e-3, 0.05, 8))
    assert slope(table, "forward", 0, 1) == pytest.approx(1, abs=0.05)
    assert slope(table, "central", 0, 1) == pytest.approx(2, abs=0.05)
    assert slope(table, "complex step", 0, 1) == pytest.approx(2, abs=0.05)
    wide = difference_table(f, 1.0, steps=np.geomspace(0.02, 0.2, 8))
    assert slope(wide, "Richardson", 0, 1) == pytest.approx(4, abs=0.1)


def test_errors_follow_the_series_and_then_the_rounding():
    table = difference_table(f, 1.0)
    assert table.steps == pytest.approx([10.0**-k for k in range(1, 17)])
    second, third = table.coefficients[2:]
    for k in (2, 3):
        assert table.errors["forward"][k] == pytest.approx(abs(second) * table.steps[k], rel=0.02)
        assert table.errors["central"][k] == pytest.approx(abs(third) * table.steps[k] ** 2, rel=0.02)
    assert slope(table, "forward", 1e-15, 1e-9) == pytest.approx(-1, abs=0.25)
    assert table.best("complex step")[1] <= 1e-15
    assert 1e-9 <= table.best("forward")[0] <= 1e-7
    assert table.exact == pytest.approx(math.cos(1) * math.exp(math.sin(1)), rel=1e-15)


def test_the_example_of_the_article():
    table = difference_table(lambda x: x**2 + 2 * x + 1, 3)
    assert table.exact == 8
    assert table.values["forward"][0] == pytest.approx(8.1)
    assert table.errors["complex step"] == [0] * 16


def test_fractions_have_no_rounding():
    table = difference_table(lambda x: x**3, Fraction(3))
    assert table.exact == 27
    assert table.values["forward"] == [27 + 9 * h + h * h for h in table.steps]
    assert table.values["central"] == [27 + h * h for h in table.steps]
    assert table.values["Richardson"] == [27] * 16
    assert "complex step left out: it is for floats, and x is a Fraction." in str(table)


@pytest.mark.parametrize("x", [Decimal(3), mpmath.mpf(3)])
def test_other_kinds(x):
    table = difference_table(lambda x: x**2, x, steps=[0.5])
    assert type(table.exact) is type(x)
    assert table.values["forward"] == [type(x)("6.5")]
    assert "6.5" in str(table)


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda x: ad.floor(x) + x, "the function takes no complex numbers"),
        (lambda x: ad.abs(x) ** 2, "the function gives real numbers of complex ones"),
    ],
)
def test_the_complex_step_is_left_out_with_a_word(f, text):
    table = difference_table(f, 2.5)
    assert list(table.values) == ["forward", "central", "Richardson"]
    assert text in str(table)
    assert str(table).splitlines()[1].split()[-1] == "error"


def test_where_the_function_has_no_value_beside_the_point():
    table = difference_table(ad.log, 0.05, steps=[0.1, 0.01])
    assert math.isnan(table.values["central"][0])
    assert table.best("central")[0] == 0.01
    assert "nan" in str(table)
    table.plot()
    for root in (lambda x: x**0.5, np.sqrt):  # a complex number, and nan with a warning
        table = difference_table(root, 0.05, steps=[0.1, 0.01])
        assert math.isnan(table.errors["central"][0])
        assert math.isfinite(table.errors["central"][1])


def test_it_prints_as_a_table():
    table = difference_table(f, 1.0, steps=[0.1, 1e-8])
    lines = str(table).splitlines()
    assert lines[0] == "derivative at x = 1.0: 1.253380767493447"
    assert lines[1].split() == ["step", *(w for m in table.values for w in (*m.split(), "error"))]
    assert lines[2].split()[:3] == ["1e-01", "1.1829468", "7.0e-02"]
    assert lines[-1].split()[:4] == ["best", "h", "1e-08", "9.5e-09"]
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_the_plot(style):
    from matplotlib import pyplot as plt

    with plt.style.context(style):
        _, ax = plt.subplots()
        assert difference_table(f, 1.0).plot(ax) is ax
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["forward", "central", "Richardson", "complex step"]
        assert {text.get_text() for text in ax.texts} >= {"order 1", "order 2", "rounding / h", "0"}
        assert ax.get_xscale() == ax.get_yscale() == "log"
        assert ax.get_title() == "derivative at x = 1: 1.25338"
        drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
        np.testing.assert_array_equal(drawn["forward"], difference_table(f, 1.0).errors["forward"])
        plt.close("all")


def test_plots_of_what_is_exact():
    for x in (Fraction(3), 3.0):
        ax = difference_table(lambda x: 2 * x + 1, x, steps=[0.5, 0.25]).plot()
        assert ax.get_ylim()[0] > 0


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: difference_table(f, 1j), ad.errors.KindError, "a complex as x; it takes one real number"),
        (lambda: difference_table(f, np.ones(2)), ad.errors.KindError, "it takes one real number"),
        (lambda: difference_table(f, True), ad.errors.KindError, "it takes one real number"),
        (lambda: difference_table(f, math.nan), ad.errors.ArgumentError, "x=nan, which is not finite"),
        (
            lambda: difference_table(f, 1.0, [0.0]),
            ad.errors.ArgumentError,
            "a step 0.0; each is a finite number above 0",
        ),
        (lambda: difference_table(f, 1.0, [math.inf]), ad.errors.ArgumentError, "a step inf"),
        (lambda: difference_table(ad.sqrt, 0.0), ad.errors.NotFiniteError, "difference_table: coefficient 1 is inf"),
        (
            lambda: difference_table(lambda x: ad.stack([x, x]), 1.0),
            ad.errors.ShapeError,
            r"a function that returns one real number; it returned shape \(2,\)",
        ),
        (lambda: difference_table(lambda x: ad.exp(1j * x), 1.0), ad.errors.ShapeError, "it returned a complex"),
        (
            lambda: difference_table(lambda x: None, 1.0),
            ad.errors.KindError,
            "difference_table needs f .* returned None",
        ),
        (lambda: difference_table(f, 1.0, []), ad.errors.ArgumentError, r"steps=\[\]; give a list"),
        (lambda: difference_table(f, 1.0, 0.1), ad.errors.ArgumentError, "steps=0.1; give a list"),
        (lambda: difference_table(f, 1.0, ["a"]), ad.errors.ArgumentError, "a step 'a'; each is"),
        (lambda: difference_table(f, 1.0, [1j]), ad.errors.ArgumentError, "a step 1j; each is"),
        (lambda: difference_table(3, 1.0), ad.errors.KindError, "difference_table was given a int"),
        (lambda: difference_table(f, 1.0).plot("ax"), ad.errors.KindError, "DifferenceTable.plot got a str as ax"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
