"""Checks of arguments, and how they quote what was given."""

import numpy as np
import pytest

import autodiff as ad
from autodiff.core.checks import require_from_zero, require_whole
from autodiff.core.summary import repr_text
from autodiff.viz import plots


class Broken:
    """An object that cannot even be shown."""

    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize("x", [0, -1, 1.0, True, "a", None, np.array([1, 2])])
def test_what_is_no_whole_number(x):
    with pytest.raises(ad.errors.ArgumentError, match=r"f got n=.*; it is a whole number of at least 1"):
        require_whole("f", n=x)


@pytest.mark.parametrize("x", [-1, np.nan, np.inf, "a", None, 1j, 10**400])
def test_what_is_no_number_from_zero(x):
    with pytest.raises(ad.errors.ArgumentError, match=r"f got x=.*; it is a finite number of at least 0"):
        require_from_zero("f", x=x)


def test_numbers_of_numpy_are_numbers():
    require_whole("f", n=np.int64(3))
    require_from_zero("f", x=np.float32(0.5))


def test_what_is_quoted_is_on_one_line_and_short():
    assert repr_text("a\n") == r"'a\n'"
    assert len(repr_text("a" * 10_000)) == 40
    assert repr_text(Broken()) == "a Broken"


@pytest.mark.parametrize(
    "do",
    [
        lambda x: require_whole("f", n=x),
        lambda x: require_from_zero("f", x=x),
        lambda x: ad.Tape(ad.Value(2.0) * 3)[x],
        lambda x: ad.Tape(ad.Value(2.0) * 3).find(x),
        lambda x: ad.Tape(ad.Value(2.0) * 3).find(line=x),
        lambda x: ad.Tape(ad.Value(2.0) * 3).find(shape=x),
        lambda x: ad.Tape(ad.Value(2.0) * 3).where(x),
        lambda x: ad.training.Demo(x),
        lambda x: ad.training.Demo(hidden=x),
        lambda x: ad.record([ad.Value(1.0)], keep=x).__enter__(),
        lambda x: ad.record([ad.Value(1.0)], keep=[x]).__enter__(),
        lambda x: plots.new_axes(x),
        lambda x: plots.loss_curve({"a": [1.0]}, x),
        lambda x: plots.confusion_matrix([[1]], x),
        lambda x: plots.decision_grid(len, [[0.0, 1.0]], x),
        lambda x: plots.loss_landscape(lambda: 1.0, [ad.Value(1.0)], steps=x),
        lambda x: plots.loss_landscape(lambda: x, [ad.Value(1.0)]),
    ],
)
def test_an_object_whose_repr_raises_is_called_by_its_kind(do):
    with pytest.raises(ad.AutodiffError, match="a Broken"):
        do(Broken())
