"""Numbers, arrays and names as text."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff.core import listing
from autodiff.core.listing_table import text_table
from autodiff.core.summary import (
    align_points,
    constant_text,
    data_text,
    number_text,
    option_text,
    options_of,
    shorten,
    text_width,
)

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (6.0, "6.0"),
        (-0.70710678, "-0.7071"),
        (0.30000000000000004, "0.3"),
        (-0.0, "0.0"),
        (12345.678, "12346"),
        (12345.0, "12345.0"),
        (1e10, "1e10"),
        (1.23456e-7, "1.235e-7"),
        (NAN, "nan"),
        (-INF, "-inf"),
        (3, "3"),
        (True, "True"),
        (np.float32(0.1), "0.1"),
        (np.int64(7), "7"),
        (1.5 - 2j, "1.5-2.0j"),
        (Fraction(2, 3), "2/3"),
        (10**30, "100000000000…00000000000"),
        (Decimal(1) / 3, "0.3333"),
        (Decimal("1.5"), "1.5"),
        (Fraction(10**20, 3 * 10**20 + 1), "0.3333"),
    ],
)
def test_numbers(x, text):
    assert number_text(x) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "-"),
        (2.0, "2.0"),
        (np.array(2.0), "2.0"),
        (np.array([[2.0]]), "2.0"),
        (np.array([1.0, 2.5]), "[1.0, 2.5]"),
        (np.arange(10), "[0 .. 9] mean 4.5"),
        (np.zeros((3, 3)), "all 0.0"),
        (np.zeros((0, 3)), "empty"),
        (np.array([1, NAN, 2, INF]), "[1.0 .. 2.0] 1 nan, 1 inf"),
        (np.full(5, NAN), "all nan"),
        (np.full(5, INF), "all inf"),
        (np.array([NAN, INF, NAN, NAN]), "3 nan, 1 inf"),
        (np.array([True, False, True, True]), "3 of 4 true"),
        (np.array([3 + 4j, 0, 0, 1]), "|z| [0.0 .. 5.0]"),
        (np.full(4, 6e4, np.float16), "all 60000.0"),
        (np.array([6e4, 6e4, 6e4, 0], np.float16), "[0.0 .. 60000.0] mean 45000.0"),
        (ad.Tensor([1.0, 2.0]), "[1.0, 2.0]"),
    ],
)
def test_arrays(data, text):
    assert data_text(data) == text


def test_less_detail():
    data = np.linspace(-1.23456, 3.45678, 10)
    assert [data_text(data, detail) for detail in (3, 2, 1, 0)] == [
        "[-1.235 .. 3.457] mean 1.111",
        "[-1.235 .. 3.457]",
        "[-1.23..3.46] mean 1.11",
        "[-1.23..3.46]",
    ]


def test_a_number_kind_that_cannot_be_printed():
    assert number_text(10**5000) == "int"  # Python refuses: too many digits

    class Mute:
        def __str__(self):
            raise RuntimeError

    assert number_text(Mute()) == "Mute"


def test_options_and_constants():
    assert option_text((slice(None), 0, ..., None, slice(1, 9, 2))) == "(:, 0, ..., None, 1:9:2)"
    assert option_text(np.arange(3)) == "array(3,)"
    assert option_text((2,)) == "(2,)"
    assert option_text([1, 2]) == "[1, 2]"
    assert option_text(np.random.default_rng(0)) == "Generator"
    assert option_text(np.float32) == "float32"
    assert constant_text([1.0, 2.0]) == "list(2)"
    assert constant_text(np.array(2.0), "t") == "t=2.0"
    x = ad.Tensor(np.ones((2, 3)))
    assert options_of(x) == []
    assert options_of(x.sum()) == []
    assert options_of(x.sum(axis=1, keepdims=True)) == ["axis=1", "keepdims=True"]


def test_names_on_one_line():
    assert shorten("a\nb\tc\x00\x1b[31m", 40) == r"a\nb\tc\x00\x1b[31m"
    assert shorten("\ud800", 40) == r"\ud800"
    assert shorten("\u202egnp", 40) == r"\u202egnp"  # would turn the rest of the line round
    assert shorten("👨‍👩‍👧", 40) == "👨‍👩‍👧"
    assert len(shorten("x" * 10**6, 40)) == 40
    assert text_width(shorten("日本語" * 100, 41)) <= 41
    assert text_width("日本") == 4
    assert text_width("e\u0301") == 1


def test_decimal_points_stand_below_each_other():
    padded = align_points(["2.0", "-0.7071", "12", "[1.0 .. 2.0]", "1.5e-7"])
    points = {len(text) - text.index(".") for text in (padded[0], padded[1], padded[4])}
    assert len(points) == 1
    assert padded[3] == "[1.0 .. 2.0]"


def test_the_columns_can_always_be_narrowed():
    row = ["x" * 200] * len(listing.COLUMNS)
    lines = text_table(listing.COLUMNS, [row], narrow=True)
    assert max(map(len, lines)) == 120
