"""Weights go to PyTorch and back unchanged."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn as torch_nn

from autodiff import nn
from autodiff.core.errors import ArgumentError, KindError, ShapeError
from autodiff.interop.torch import from_torch, to_torch

MODELS = {
    "MLP": lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2, bias=False)),
    "convolutions": lambda nn: nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 2, 2), nn.GroupNorm(1, 2)
    ),
    "lines": lambda nn: nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4, momentum=None)),
    "RNN": lambda nn: nn.RNN(3, 4, 2, bidirectional=True),
    "GRU": lambda nn: nn.GRU(3, 4),
    "LSTM": lambda nn: nn.LSTM(3, 4, 2, proj_size=2),
    "cells": lambda nn: nn.Sequential(nn.RNNCell(3, 4), nn.GRUCell(3, 4), nn.LSTMCell(3, 4)),
    "embedding": lambda nn: nn.Sequential(nn.Embedding(9, 4), nn.RMSNorm(4), nn.LayerNorm(4)),
    "attention": lambda nn: nn.MultiheadAttention(8, 2),
    "attention to others": lambda nn: nn.MultiheadAttention(8, 2, kdim=3, vdim=5),
    "norms without bias": lambda nn: nn.Sequential(nn.BatchNorm1d(4, bias=False), nn.LayerNorm(4, bias=False)),
    "named layers": lambda nn: nn.Sequential(OrderedDict(first=nn.Linear(2, 3), ramp=nn.ReLU(), last=nn.Linear(3, 1))),
    "transformer": lambda nn: nn.Sequential(*[nn.TransformerEncoderLayer(8, 2, 16) for _ in range(2)]),
    "lists": lambda nn: nn.ModuleList([nn.Linear(2, 3), nn.ModuleDict({"a": nn.Linear(3, 1)})]),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_there_and_back(make):
    ours, theirs = make(nn), make(torch_nn)
    before = ours.state_dict()
    assert to_torch(ours, theirs) is theirs
    assert {name: tuple(t.shape) for name, t in theirs.state_dict().items()} == {n: a.shape for n, a in before.items()}
    back = from_torch(theirs)
    assert list(back) == list(before)
    for name, a in before.items():
        assert back[name].dtype == a.dtype
        np.testing.assert_array_equal(back[name], a)
    other = make(nn)
    assert from_torch(theirs.state_dict(), other) is other
    for name, a in other.state_dict().items():
        np.testing.assert_array_equal(a, before[name])


FIRST = {
    "Linear": lambda nn: nn.Linear(200, 100),
    "Conv1d": lambda nn: nn.Conv1d(20, 40, 5, groups=2),
    "Conv2d": lambda nn: nn.Conv2d(20, 40, 5),
    "ConvTranspose2d": lambda nn: nn.ConvTranspose2d(20, 40, 5, groups=2),
    "Embedding": lambda nn: nn.Embedding(200, 50, padding_idx=3),
    "norms": lambda nn: nn.Sequential(nn.BatchNorm2d(9), nn.LayerNorm(9), nn.GroupNorm(3, 9), nn.RMSNorm(9)),
    "GRU": lambda nn: nn.GRU(50, 60, 2, bidirectional=True),
    "LSTM": lambda nn: nn.LSTM(50, 60, proj_size=30),
    "RNNCell": lambda nn: nn.RNNCell(100, 90),
    "MultiheadAttention": lambda nn: nn.MultiheadAttention(96, 2),
    "attention to others": lambda nn: nn.MultiheadAttention(96, 2, kdim=30, vdim=200),
    "TransformerEncoderLayer": lambda nn: nn.TransformerEncoderLayer(64, 2, 256),
}


@pytest.mark.parametrize("make", FIRST.values(), ids=FIRST)
def test_parameters_start_alike(make):
    """The same constants, or draws of the same spread and the same range, as far as chance allows."""
    there = make(torch_nn).state_dict()
    for name, x in make(nn).state_dict().items():
        t, n = there[name].numpy(), x.size
        if t.std() == 0:
            np.testing.assert_array_equal(x, t, err_msg=name)
            continue
        assert abs(x.std() / t.std() - 1) < 6 / np.sqrt(n), name
        assert abs(x.mean() - t.mean()) < 6 * t.std() * np.sqrt(2 / n), name
        if np.abs(t).max() < 2 * t.std():  # drawn evenly
            assert abs(np.abs(x).max() / np.abs(t).max() - 1) < 20 / n, name


def test_gains():
    for name in [*nn.init.GAINS, "leaky_relu"]:
        assert nn.init.calculate_gain(name) == torch_nn.init.calculate_gain(name)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == torch_nn.init.calculate_gain("leaky_relu", 0.3)


class Tied:
    """Embeddings that are used again to tell tokens apart."""

    def __init__(self, nn):
        self.embedding = nn.Embedding(9, 4)
        self.head = nn.Linear(4, 9, bias=False)
        self.head.weight = self.embedding.weight


def test_tied_weights():
    class Ours(Tied, nn.Module):
        pass

    class Theirs(Tied, torch_nn.Module):
        def __init__(self):
            torch_nn.Module.__init__(self)
            super().__init__(torch_nn)

    ours, theirs = Ours(nn), Theirs()
    to_torch(ours, theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert theirs.head.weight is theirs.embedding.weight
    np.testing.assert_array_equal(theirs.head.weight.detach(), ours.embedding.weight.data)
    assert len(ours.parameters()) == len(list(theirs.parameters())) == 1
    back = from_torch(theirs, Ours(nn))
    assert back.head.weight is back.embedding.weight
    np.testing.assert_array_equal(back.head.weight.data, ours.head.weight.data)


def test_running_averages_go_too():
    ours, theirs = nn.BatchNorm1d(3), torch_nn.BatchNorm1d(3)
    for k in range(3):
        ours(np.random.default_rng(k).normal(size=(5, 3)))
    to_torch(ours, theirs)
    assert theirs.num_batches_tracked.item() == 3
    back = from_torch(theirs, nn.BatchNorm1d(3))
    for name, a in ours.state_dict().items():
        np.testing.assert_array_equal(back.state_dict()[name], a)
        assert back.state_dict()[name].dtype == a.dtype


def test_single_precision_stays():
    theirs = torch_nn.Linear(3, 2, dtype=torch.float32)
    ours = from_torch(theirs, nn.Linear(3, 2, dtype=np.float32))
    assert ours.weight.dtype == np.float32
    np.testing.assert_array_equal(ours.weight.data, theirs.weight.detach().numpy())
    assert to_torch(ours)["weight"].dtype == torch.float32
    wider = from_torch(theirs, nn.Linear(3, 2))
    np.testing.assert_array_equal(wider.weight.data, theirs.weight.detach().numpy())


def test_halved_precision_is_widened():
    theirs = torch_nn.Linear(3, 2, dtype=torch.bfloat16)
    found = from_torch(theirs)["weight"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, theirs.weight.detach().float().numpy())


def test_weights_that_do_not_fit():
    ours = nn.Linear(3, 2)
    before = ours.state_dict()
    with pytest.raises(ArgumentError, match="load_state_dict of Linear got other names than the model has; missing: b"):
        from_torch(torch_nn.Linear(3, 2, bias=False), ours)
    with pytest.raises(ShapeError, match=r"got an array of shape \(2, 4\) for weight, which has shape \(2, 3\)"):
        from_torch(torch_nn.Linear(4, 2), ours)
    for name, a in ours.state_dict().items():
        np.testing.assert_array_equal(a, before[name])
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        to_torch(ours, torch_nn.Linear(4, 2))


def test_copies():
    ours = nn.Linear(2, 1)
    tensors = to_torch(ours)
    tensors["weight"].zero_()
    assert ours.weight.data.any()
    theirs = torch_nn.Linear(2, 1)
    from_torch(theirs)["weight"][:] = 0
    assert theirs.weight.any()


def test_what_is_no_state():
    with pytest.raises(KindError, match=r"from_torch got a list; it takes a module of PyTorch, or its state_dict\(\)"):
        from_torch([1])
