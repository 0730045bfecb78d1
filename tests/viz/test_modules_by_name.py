"""Modules judged by the names of parameters."""

import autodiff as ad
from autodiff.viz.modules import find_scopes, scope_of, shared
from tests.models import MLP


def test_a_shared_parameter_belongs_to_what_its_users_share():
    a, b = ad.Value(1.0, name="net.left.w"), ad.Value(2.0, name="net.right.w")
    y = a * b
    tape = ad.Tape(y * 2.0)
    assert find_scopes(tape, [])[2] == ("net",)
    assert shared([("net", "left"), ("net", "right")]) == ("net",)
    assert shared([("a",), ("b",)]) == ()


def test_scopes_of_names():
    assert scope_of("model.layers.0.weight") == ("model", "layers", "0")
    assert scope_of("layers[0].weight") == ("layers", "[0]")
    assert scope_of("mlp.layers[1].neurons[0].w[2]") == ("mlp", "layers", "[1]", "neurons", "[0]")
    assert scope_of("mlp.w.0") == ("mlp",)
    assert scope_of("0.weight") == ("0",)
    for name in (None, "w", "w[0]", "params['w1']", "3.14", "", "...", "a b.c"):
        assert scope_of(name) == ()


def test_what_lies_between_two_layers_belongs_to_what_holds_both():
    model = MLP()
    y = model([[1.0, 2.0]]).sum()
    scopes = find_scopes(ad.Tape(y), [y])
    assert scopes[5] == ("model", "layers")  # tanh
