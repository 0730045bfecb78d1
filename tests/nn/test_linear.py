"""Affine layers, containers, and the layers that only change shape."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import ArgumentError, KindError, ShapeError


def test_linear_is_its_formula(rng):
    layer = nn.Linear(3, 2, rng=0)
    x = rng.normal(size=(4, 5, 3))
    assert layer.weight.shape == (2, 3)
    assert layer.bias.shape == (2,)
    assert np.allclose(layer(x).data, x @ layer.weight.data.T + layer.bias.data)
    assert np.allclose(nn.Linear(3, 2, False, rng=0)(x).data, x @ layer.weight.data.T)


def test_linear_starts_within_the_bound_and_by_the_seed():
    layer = nn.Linear(100, 50, rng=7)
    assert 0.095 < np.abs(layer.weight.data).max() <= 0.1
    assert abs(layer.weight.data.mean()) < 0.005
    assert np.array_equal(layer.weight.data, nn.Linear(100, 50, rng=7).weight.data)
    single = nn.Linear(100, 50, rng=7, dtype=np.float32)
    assert single.bias.dtype == np.float32
    assert np.array_equal(single.weight.data, layer.weight.data.astype(np.float32))
    assert not np.array_equal(layer.weight.data, nn.Linear(100, 50).weight.data)


def test_single_precision_stays():
    layer = nn.Linear(2, 2, dtype=np.float32)
    y = layer(np.ones((3, 2), np.float32))
    y.sum().backward()
    assert y.dtype == layer.weight.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            nn.Linear(3, 1),
            (5, 4),
            "Linear(3, 1) got an input of shape (5, 4): its last axis has length 4, the layer expects 3.\n"
            "Did you mean Linear(4, 1)?",
        ),
        (
            nn.Linear(1, 2, bias=False),
            (5,),
            "Linear(1, 2, bias=False) got an input of shape (5,): its last axis has length 5, the layer expects 1.\n"
            "Did you mean x.reshape(5, 1)?",
        ),
        (
            nn.Linear(64, 2),
            (5, 8, 8),
            "Linear(64, 2) got an input of shape (5, 8, 8): its last axis has length 8, the layer expects 64.\n"
            "Did you mean to put nn.Flatten() before it?",
        ),
        (
            nn.Linear(2, 2),
            (),
            "Linear(2, 2) got an input of shape (): it has no axis, the layer expects one of length 2.",
        ),
    ],
)
def test_a_wrong_width_is_named(layer, shape, message):
    for x in (np.ones(shape), ad.Tensor(np.ones(shape)), np.ones(shape).tolist()):
        if shape or not isinstance(x, float):
            with pytest.raises(ShapeError) as error:
                layer(x)
            assert str(error.value) == message


@pytest.mark.parametrize("size", [0, -1, 2.5, "3", None])
def test_linear_refuses_sizes_that_are_none(size):
    with pytest.raises(ArgumentError, match=r"Linear got in_features=.*; it is a whole number of at least 1\."):
        nn.Linear(size, 1)


def test_linear_refuses_whole_number_parameters():
    with pytest.raises(KindError, match="gradients need floating-point"):
        nn.Linear(2, 1, dtype=int)


def test_flatten():
    x = ad.Tensor(np.arange(24.0).reshape(2, 3, 4))
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0)(x).shape == (24,)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Flatten()(np.ones((0, 8, 8))).shape == (0, 64)
    assert repr(nn.Flatten()) == "Flatten()"
    assert repr(nn.Flatten(0, 1)) == "Flatten(start_dim=0, end_dim=1)"
    with pytest.raises(
        ShapeError, match=r"input of shape \(8,\), which has 1 axes and none to flatten from. Give it a"
    ):
        nn.Flatten()(np.ones(8))
    with pytest.raises(
        ArgumentError,
        match=r"Flatten\(start_dim=2, end_dim=1\) got an input of shape \(2, 3, 4\): there axis 2 comes after",
    ):
        nn.Flatten(2, 1)(x)


def test_identity_stands_in_for_any_layer():
    assert nn.Identity(3, bias=False)("anything") == "anything"


def test_sequential_behaves_like_a_list():
    layers = [nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1)]
    model = nn.Sequential(layers)
    assert len(model) == 3
    assert list(model) == layers
    assert model[1] is layers[1]
    assert model[-1] is layers[-1]
    assert isinstance(model[:2], nn.Sequential)
    assert list(model[:2]) == layers[:2]
    x = np.ones((4, 2))
    assert np.array_equal(model(x).data, nn.Sequential(*layers)(x).data)
    assert np.array_equal(model(x).data, layers[2](np.tanh(layers[0](x).data)).data)
    assert nn.Sequential()(3.0) == 3.0
    assert bool(nn.Sequential())


def test_sequential_names_are_pytorchs_and_grow():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    shapes = {name: x.shape for name, x in model.state_dict().items()}
    assert shapes == {"0.weight": (3, 2), "0.bias": (3,), "2.weight": (1, 3), "2.bias": (1,)}  # printed by torch 2.13
    assert "3.weight" in model.append(nn.Linear(1, 1)).state_dict()


def test_a_subclass_of_sequential_keeps_its_own_parameters():
    model = nn.Sequential(nn.Linear(1, 1, bias=False))
    model.scale = ad.Tensor(1.0)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "scale"]


def test_sequential_refuses_what_cannot_be_called():
    with pytest.raises(
        ArgumentError, match=r"Sequential got 3 as layer 1, which cannot be called\. Give it modules such"
    ):
        nn.Sequential(nn.Tanh(), 3)
    with pytest.raises(ArgumentError, match=r"got the class Tanh as layer 0\. Give it an instance: nn\.Tanh\(\.\.\.\)"):
        nn.Sequential(nn.Tanh)


def test_mlp_is_linear_layers_with_activations_between():
    model = nn.MLP([2, 5, 4, 1], nn.Tanh, rng=0, dtype=np.float32)
    assert [type(layer).__name__ for layer in model] == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert not np.array_equal(model[0].bias.data[:4], model[2].bias.data)  # one generator feeds all layers
    assert type(nn.MLP([2, 3, 1])[1]) is nn.ReLU
    assert nn.MLP((2, 3, 1), ad.tanh)[1] is ad.tanh
    assert nn.MLP(range(2, 5), nn.LeakyReLU(0.3), bias=False)[1].negative_slope == 0.3
    assert len(nn.MLP([2, 1])) == 1


def test_mlp_refuses_sizes_that_are_no_list():
    with pytest.raises(
        ArgumentError, match=r"MLP got sizes=784; it takes one list of the widths .*MLP\(\[784, 128, 10\]\)"
    ):
        nn.MLP(784, 128)
    with pytest.raises(ArgumentError, match=r"MLP got sizes=\[3\]"):
        nn.MLP([3])
    with pytest.raises(ArgumentError, match=r"MLP got sizes\[1\]=0; it is a whole number of at least 1"):
        nn.MLP([3, 0, 1])


@pytest.mark.parametrize(
    ("layer", "op", "text"),
    [
        (nn.ReLU(), ad.relu, "ReLU()"),
        (nn.LeakyReLU(0.2), lambda x: ad.leaky_relu(x, 0.2), "LeakyReLU(0.2)"),
        (nn.ELU(0.5), lambda x: ad.elu(x, 0.5), "ELU(0.5)"),
        (nn.GELU(), ad.gelu, "GELU()"),
        (nn.GELU("tanh"), lambda x: ad.gelu(x, "tanh"), "GELU(approximate='tanh')"),
        (nn.SiLU(), ad.silu, "SiLU()"),
        (nn.Tanh(), ad.tanh, "Tanh()"),
        (nn.Sigmoid(), ad.sigmoid, "Sigmoid()"),
        (nn.LogSigmoid(), ad.log_sigmoid, "LogSigmoid()"),
        (nn.Softplus(), ad.softplus, "Softplus()"),
        (nn.Softmax(), ad.softmax, "Softmax(dim=-1)"),
        (nn.LogSoftmax(0), lambda x: ad.log_softmax(x, 0), "LogSoftmax(dim=0)"),
    ],
)
def test_activation_layers_are_their_ops(layer, op, text, rng):
    x = ad.Tensor(rng.normal(size=(3, 4)))
    y = layer(x)
    assert y.requires_grad
    assert np.array_equal(y.data, op(x).data)
    assert repr(layer) == text


@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax])
def test_softmax_says_how_axis_is_spelt(layer):
    with pytest.raises(ad.AutodiffError, match=rf"{layer.__name__} got the keyword axis=.*: here it is dim="):
        layer(axis=1)


def test_everything_is_exported():
    assert all(hasattr(nn, name) for name in nn.__all__)
    assert all(hasattr(nn.functional, name) for name in nn.functional.__all__)
