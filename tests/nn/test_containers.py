"""Containers: names, order, and what can be put in later."""

import copy

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import SpellingError


def test_layers_with_names_of_their_own():
    """As PyTorch's, which takes an ordered dict."""
    model = nn.Sequential({"hidden": nn.Linear(2, 3, rng=0), "ramp": nn.ReLU(), "out": nn.Linear(3, 1, rng=1)})
    assert list(model.state_dict()) == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    assert model.hidden is model[0]
    assert repr(model).splitlines()[1:-1] == ["  (hidden): Linear(2, 3)", "  (ramp): ReLU()", "  (out): Linear(3, 1)"]
    x = np.ones((4, 2))
    assert np.array_equal(model(x).data, nn.Sequential(*model)(x).data)
    model.append(nn.Linear(1, 1))
    model.scale = ad.Tensor(1.0)
    assert list(model.state_dict())[-3:] == ["3.weight", "3.bias", "scale"]
    model.layers.pop()
    model.layers.pop()
    assert list(model.state_dict()) == ["hidden.weight", "hidden.bias", "scale"]
    twin = copy.deepcopy(model)
    assert twin.hidden is not model.hidden
    assert list(twin.state_dict()) == list(model.state_dict())


def test_attributes_that_a_sequential_does_not_have():
    model = nn.Sequential({"hidden": nn.Linear(2, 3)})
    with pytest.raises(AttributeError, match="'Sequential' object has no attribute 'hiden'"):
        model.hiden  # noqa: B018
    with pytest.raises(SpellingError, match="here it is the model itself"):
        model.cuda  # noqa: B018


def test_a_sequential_grows_and_changes():
    model = nn.Sequential(nn.Linear(2, 3))
    model.extend([nn.Tanh(), nn.Linear(3, 4)])
    model[2] = nn.Linear(3, 1)
    assert model(np.ones((5, 2))).shape == (5, 1)
    assert [type(layer).__name__ for layer in model[1:]] == ["Tanh", "Linear"]


def test_a_list_of_modules_behaves_like_a_list():
    layers = nn.ModuleList(nn.Linear(2, 2, bias=False) for _ in range(2))
    layers.insert(0, nn.Tanh())
    layers.append(nn.Linear(1, 1)).extend([nn.ReLU()])
    assert [type(layer).__name__ for layer in layers] == ["Tanh", "Linear", "Linear", "Linear", "ReLU"]
    assert isinstance(layers[1:3], nn.ModuleList)
    assert list(layers[1:3].state_dict()) == ["0.weight", "1.weight"]
    assert layers.pop() is not None
    del layers[0], layers[-1]
    assert list(layers.state_dict()) == ["0.weight", "1.weight"]
    layers[0] = nn.ReLU()
    assert (len(layers), list(layers.state_dict())) == (2, ["1.weight"])
    assert len(nn.ModuleList()) == 0
    layers.scale = ad.Tensor(1.0)
    assert list(layers.state_dict()) == ["1.weight", "scale"]


def test_a_dict_of_modules_behaves_like_a_dict():
    heads = nn.ModuleDict({"mean": nn.Linear(2, 1, bias=False)})
    heads["scale"] = nn.Linear(2, 1, bias=False)
    heads.update({"shape": nn.Tanh()})
    assert list(heads) == list(heads.keys()) == ["mean", "scale", "shape"]
    assert "mean" in heads
    assert heads["shape"] is heads.pop("shape")
    assert [name for name, _ in heads.items()] == ["mean", "scale"]
    assert next(iter(heads.values())) is heads["mean"]
    del heads["mean"]
    assert (len(heads), list(heads.state_dict())) == (1, ["scale.weight"])
    assert len(nn.ModuleDict()) == 0


def test_containers_in_containers_are_a_tree():
    model = nn.ModuleDict({"body": nn.ModuleList([nn.Sequential(nn.Linear(2, 2)), nn.Tanh()])})
    assert repr(model) == "\n".join(
        [
            "ModuleDict(",
            "  (body): ModuleList(",
            "    (0): Sequential(",
            "      (0): Linear(2, 2)",
            "    )",
            "    (1): Tanh()",
            "  )",
            ")",
        ]
    )
    assert not model.eval()["body"][0][0].training
