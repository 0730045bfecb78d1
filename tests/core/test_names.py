"""Parameters of a model by name, whatever the model is."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.names import named_in


def test_a_module_by_its_own_names():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Tanh())
    assert list(named_in("plot", model)) == ["0.weight", "0.bias"]


def test_containers_by_place_and_by_the_callers_variables():
    w, b = ad.Value(1.0), ad.Value(0.0)
    assert list(named_in("plot", [w, b])) == ["w", "b"]
    assert list(named_in("plot", {"layer": (w, [b])})) == ["layer.0", "layer.1.0"]
    assert list(named_in("plot", [("weight", w), ("bias", b)])) == ["weight", "bias"]
    assert list(named_in("plot", w)) == ["w"]
    assert len(named_in("plot", [ad.Value(1.0, name="x"), ad.Value(2.0, name="x")])) == 2  # none hides another


def test_only_what_was_asked_for():
    given = {"node": ad.Value(1.0), "array": np.ones(2), "number": 3.0}
    assert list(named_in("plot", given)) == ["node"]
    assert list(named_in("plot", given, (ad.Value, np.ndarray))) == ["node", "array"]


@pytest.mark.parametrize("model", [3, None, "abc", [], {"a": 3.0}, nn.MLP])
def test_where_there_are_none(model):
    with pytest.raises(
        ad.errors.ArgumentError, match=r"plot got .* in which there are no parameters. Give it the model"
    ):
        named_in("plot", model)
