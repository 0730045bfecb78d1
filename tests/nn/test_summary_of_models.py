"""What a model is made of, counted by hand."""

from dataclasses import dataclass

import numpy as np
import pytest

import autodiff as ad
from autodiff import nn
from autodiff.core.errors import ArgumentError, ShapeError

N = 2  # the batch
# Model, shapes of its inputs, parameters, multiply-adds.
COUNTS = {
    "Linear": (nn.Linear(3, 4), [(N, 5, 3)], 3 * 4 + 4, N * 5 * 3 * 4),
    "Linear without bias": (nn.Linear(3, 4, bias=False), [(3,)], 3 * 4, 3 * 4),
    "Conv1d": (nn.Conv1d(3, 4, 5), [(N, 3, 9)], 4 * 3 * 5 + 4, N * 4 * 5 * (3 * 5)),
    "Conv2d": (nn.Conv2d(3, 4, (5, 2), padding="same"), [(N, 3, 6, 7)], 4 * 30 + 4, N * 4 * 42 * 30),
    "Conv2d with steps": (nn.Conv2d(3, 4, 3, stride=2), [(N, 3, 7, 7)], 4 * 27 + 4, N * 4 * 9 * 27),
    "Conv2d in groups": (nn.Conv2d(4, 6, 3, groups=2), [(N, 4, 5, 5)], 6 * 2 * 9 + 6, N * 6 * 9 * (2 * 9)),
    "Conv2d of one image": (nn.Conv2d(3, 4, 3), [(3, 5, 5)], 4 * 27 + 4, 4 * 9 * 27),
    "ConvTranspose2d": (nn.ConvTranspose2d(4, 6, 2, 2), [(N, 4, 3, 3)], 4 * 6 * 4 + 6, N * 4 * 9 * (6 * 4)),
    "ConvTranspose2d in groups": (nn.ConvTranspose2d(4, 6, 2, groups=2), [(N, 4, 3, 3)], 54, N * 4 * 9 * (3 * 4)),
    "BatchNorm2d": (nn.BatchNorm2d(3), [(N, 3, 4, 4)], 6, 0),
    "LayerNorm": (nn.LayerNorm((3, 4)), [(N, 3, 4)], 24, 0),
    "GroupNorm": (nn.GroupNorm(3, 6), [(N, 6, 4)], 12, 0),
    "RMSNorm": (nn.RMSNorm(4), [(N, 3, 4)], 4, 0),
    "MaxPool2d": (nn.MaxPool2d(2), [(N, 3, 4, 4)], 0, 0),
    "RNN": (nn.RNN(3, 5), [(7, N, 3)], 5 * (3 + 5 + 2), 7 * N * 5 * (3 + 5)),
    "GRU": (nn.GRU(3, 5, bias=False), [(7, N, 3)], 15 * (3 + 5), 7 * N * 15 * (3 + 5)),
    "LSTM": (
        nn.LSTM(3, 5, 2, bidirectional=True),
        [(7, N, 3)],
        2 * 20 * (3 + 5 + 2) + 2 * 20 * (10 + 5 + 2),
        7 * N * 2 * 20 * ((3 + 5) + (10 + 5)),
    ),
    "LSTMCell": (nn.LSTMCell(3, 5), [(N, 3)], 20 * (3 + 5 + 2), N * 20 * (3 + 5)),
    "MultiheadAttention": (
        nn.MultiheadAttention(8, 2, batch_first=True),
        [(N, 4, 8), (N, 6, 8), (N, 6, 8)],
        4 * (8 * 8 + 8),
        N * (4 + 6 + 6) * 64 + N * 2 * (4 * 6 * 4) * 2 + N * 4 * 64,  # three maps, scores and means, the last map
    ),
    "TransformerEncoderLayer": (
        nn.TransformerEncoderLayer(8, 2, 16),
        [(6, N, 8)],
        4 * (64 + 8) + (8 * 16 + 16) + (16 * 8 + 8) + 4 * 8,
        N * 6 * 4 * 64 + N * 2 * (6 * 6 * 4) * 2 + N * 6 * 2 * (8 * 16),
    ),
}


@pytest.mark.parametrize(("model", "shapes", "parameters", "products"), COUNTS.values(), ids=COUNTS)
def test_counts(model, shapes, parameters, products):
    found = model.summary(*shapes)
    assert found.parameters == parameters == sum(p.size for p in model.parameters())
    assert found.products == products
    assert found.parameter_bytes == 8 * parameters


def test_every_layer_has_its_row():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    rows = model.summary((5, 1, 4, 4)).layers
    assert [(r.name, r.kind, r.depth) for r in rows] == [
        ("", "Sequential", 0),
        ("0", "Conv2d", 1),
        ("1", "ReLU", 1),
        ("2", "Flatten", 1),
        ("3", "Linear", 1),
    ]
    assert [r.shapes for r in rows] == [[(5, 3)], [(5, 2, 2, 2)], [(5, 2, 2, 2)], [(5, 8)], [(5, 3)]]
    assert [r.parameters for r in rows] == [0, 20, 0, 0, 27]
    assert [r.bytes for r in rows] == [0, 8 * 40, 8 * 40, 0, 8 * 15]  # to flatten makes a view


def test_names_are_those_within_the_layer_around():
    model = nn.Module()
    model.blocks = [nn.Sequential(nn.Linear(2, 3), nn.Tanh()), nn.Sequential(nn.Linear(3, 2))]
    model.forward = lambda x: model.blocks[1](model.blocks[0](x))
    assert [line.split("  (")[0].rstrip() for line in str(model.summary((4, 2))).splitlines()[2:8]] == [
        "Module",
        "  blocks.0: Sequential",
        "    0: Linear",
        "    1: Tanh",
        "  blocks.1: Sequential",
        "    0: Linear",
    ]


def test_single_precision_takes_half():
    model = nn.Linear(3, 4).astype(np.float32)
    found = model.summary((2, 3))
    assert (found.parameter_bytes, found.bytes) == (4 * 16, 4 * 8)


def test_a_shared_layer_counts_once_and_works_twice():
    layer = nn.Linear(3, 3)
    found = nn.Sequential(layer, nn.Tanh(), layer).summary((2, 3))
    assert found.parameters == 12
    assert found.products == 2 * 18
    assert [r.parameters for r in found.layers] == [0, 12, 0, 0]


class Own(nn.Module):
    """Parameters in a list and a dict, a number, and a layer that nobody calls."""

    def __init__(self):
        self.scales = [ad.Tensor(np.ones(3)), {"deep": ad.Tensor(np.ones((2, 2)))}]
        self.number = ad.Value(2.0)
        self.used, self.spare = nn.Linear(2, 3), nn.Sequential(nn.Linear(4, 4))

    def forward(self, x):
        return self.used(x) * self.scales[0]


def test_parameters_wherever_they_sit():
    found = Own().summary((5, 2))
    assert found.parameters == (3 + 4 + 1) + 9 + 20
    assert [(r.name, r.parameters, r.shapes) for r in found.layers] == [
        ("", 8, [(5, 3)]),
        ("used", 9, [(5, 3)]),
        ("spare.0", 20, []),
    ]
    assert "\n  spare.0: Linear  not called " in str(found)


def test_frozen_parameters_are_told_apart():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    model.freeze("0.*")
    found = model.summary((5, 2))
    assert (found.parameters, found.frozen) == (4, 9)
    assert "4 trained parameters, 9 frozen, 104 B" in str(found)
    assert found.products == 5 * (6 + 3)


def test_nothing_is_left_behind():
    """Running averages, modes, gradients and the model's attributes are as before."""
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5, rng=0), nn.Linear(3, 2))
    model[1].eval()
    before = model.state_dict()
    model.summary((4, 3))
    assert [m.training for m in model] == [True, False, True]
    assert all(np.array_equal(x, before[name]) for name, x in model.state_dict().items())
    assert all("forward" not in vars(m) for _, m in model.named_modules())
    with pytest.raises(ShapeError, match=r"it takes \(N, 3\) or \(N, 3, L\)"):
        model.summary((4, 5))
    assert [m.training for m in model] == [True, False, True]
    assert all("forward" not in vars(m) for _, m in model.named_modules())
    model[2].forward = lambda x: x  # somebody's own
    model.summary((4, 3))
    assert model[2](7) == 7


def test_modules_that_cannot_be_looked_up():
    @dataclass
    class Net(nn.Module):  # of equal fields is equal, and so has no hash
        layer: nn.Module

        def forward(self, x):
            return self.layer(x)

    assert Net(nn.Linear(2, 3)).summary((4, 2)).parameters == 9


def test_whole_numbers_as_input():
    model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2))
    assert model.summary((5, 7), dtype=int).layers[-1].shapes == [(5, 7, 2)]


@pytest.mark.parametrize("shape", [5, "5", (5, 2.0)])
def test_what_is_no_shape(shape):
    with pytest.raises(ArgumentError, match=r"summary of Linear got .*; it takes the shape of an input, batch and all"):
        nn.Linear(2, 3).summary(shape)
