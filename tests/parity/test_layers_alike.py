"""Convolutions, pooling, norms, embeddings and activations."""

import numpy as np
import pytest
import torch
from torch import nn as torch_nn

from autodiff import nn

from .compare import draw, same

LINES, IMAGES = draw(3, 4, 7), draw(2, 4, 9, 8)


def both(name, *args, **options):
    return getattr(nn, name)(*args, **options), getattr(torch_nn, name)(*args, **options)


CONVOLUTIONS = [
    {},
    {"stride": 2, "padding": 1},
    {"padding": "same", "dilation": 2},
    {"padding": "valid"},
    {"groups": 2, "bias": False},
    {"padding": 2, "padding_mode": "reflect"},
    {"padding": 2, "padding_mode": "circular"},
    {"padding": 1, "padding_mode": "replicate", "stride": 2},
    {"padding": "same", "padding_mode": "circular"},
]


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize(("name", "x"), [("Conv1d", LINES), ("Conv2d", IMAGES)], ids=["1d", "2d"])
def test_convolutions(name, x, options):
    same(*both(name, 4, 6, 3, **options), x)
    same(*both(name, 4, 6, 3, **options), x[0])


def test_pairs_of_options():
    same(*both("Conv2d", 4, 6, (3, 2), (2, 1), (1, 0), (1, 2)), IMAGES)
    same(*both("Linear", 8, 3), IMAGES)
    same(*both("Linear", 8, 3, bias=False), IMAGES[0, 0, 0])


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"dilation": 2, "groups": 2}, {"bias": False, "stride": 3}],
    ids=str,
)
def test_transposed_convolutions(options):
    same(*both("ConvTranspose2d", 4, 6, 3, **options), IMAGES)


@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"padding": 1}, {"ceil_mode": True}], ids=str)
@pytest.mark.parametrize("kind", ["Max", "Avg"])
def test_pooling(kind, options):
    same(*both(f"{kind}Pool1d", 3, **options), LINES)
    same(*both(f"{kind}Pool2d", 3, **options), IMAGES)


def test_odd_options_of_pooling():
    same(*both("MaxPool2d", 2, dilation=2), IMAGES)
    same(*both("AvgPool2d", 3, 2, 1, False, False, 4), IMAGES)
    same(*both("AvgPool2d", 3, 2, 1, count_include_pad=False), IMAGES)
    for size in (1, (3, 2), (None, 4)):
        same(*both("AdaptiveAvgPool2d", size), IMAGES)


@pytest.mark.parametrize(
    "options", [{"scale_factor": 2}, {"scale_factor": 1.5}, {"size": 5}, {"size": 20}, {"scale_factor": 0.7}], ids=str
)
def test_upsampling(options):
    same(*both("Upsample", **options), LINES)
    same(*both("Upsample", **options), IMAGES)


BATCH_NORMS = [
    {},
    {"momentum": None},
    {"affine": False},
    {"track_running_stats": False},
    {"momentum": 0.3, "eps": 1e-2},
]


@pytest.mark.parametrize("options", BATCH_NORMS, ids=str)
def test_batch_norms(options):
    same(*both("BatchNorm1d", 4, **options), LINES)
    same(*both("BatchNorm1d", 4, **options), draw(5, 4))
    same(*both("BatchNorm2d", 4, **options), IMAGES)


@pytest.mark.parametrize("options", [{}, {"momentum": None}, {"momentum": 0.9, "affine": False}], ids=str)
def test_running_averages_of_several_batches(options):
    """In between it is switched off, which leaves them as they are."""
    ours, theirs = both("BatchNorm2d", 4, **options)
    for k in range(4):
        x = (k + 1) * draw(2 + k, 4, 3, 3, seed=k) + k
        same(ours, theirs, x, modes=(True,), calls=1)
        same(ours, theirs, x, modes=(False,), calls=1)
    assert int(ours.num_batches_tracked.data) == 4


@pytest.mark.parametrize("options", [{}, {"elementwise_affine": False}, {"eps": 1e-2}], ids=str)
@pytest.mark.parametrize("name", ["LayerNorm", "RMSNorm"])
@pytest.mark.parametrize("shape", [7, (4, 7)])
def test_norms_of_rows(name, shape, options):
    same(*both(name, shape, **options), LINES)


def test_other_norms():
    same(*both("LayerNorm", 7, bias=False), LINES)
    for options in ({}, {"affine": False}, {"eps": 0.1}):
        same(*both("GroupNorm", 2, 4, **options), IMAGES)


def test_embeddings():
    indices = np.array([[1, 2, 2], [8, 0, 1]])
    same(*both("Embedding", 9, 3), indices)
    same(*both("Embedding", 9, 3, padding_idx=2), indices)


@pytest.mark.parametrize(
    "name",
    ["ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Mish", "Tanh", "Sigmoid", "Softplus", "LogSigmoid", "Flatten"],
)
def test_layers_without_parameters(name):
    same(*both(name), LINES)


def test_options_of_activations():
    same(*both("LeakyReLU", 0.3), LINES)
    same(*both("ELU", 0.7), LINES)
    same(*both("GELU", "tanh"), LINES)
    same(nn.Softmax(1), torch_nn.Softmax(1), LINES)
    same(nn.LogSoftmax(1), torch_nn.LogSoftmax(1), LINES)


def test_a_model_of_many_kinds():
    def model(nn):
        return nn.Sequential(
            nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(54, 5)
        )

    same(model(nn), model(torch_nn), IMAGES)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_upsampling_picks_the_same_entries(kind):
    """Where a place falls between two entries, rounding decides."""
    for n in range(1, 12):
        x = draw(1, 1, n).astype(kind)
        for size in range(1, 40):
            found, expected = nn.Upsample(size)(x), torch_nn.Upsample(size)(torch.tensor(x))
            np.testing.assert_array_equal(found, expected, err_msg=f"{n} to {size}")
        for factor in (0.5, 0.7, 1.1, 1.3, 1.5, 1.9, 2, 2.3, 3, 10 / 3, 7):
            for again in (None, True):
                if int(n * factor) >= 1:
                    options = {"scale_factor": factor, "recompute_scale_factor": again}
                    found, expected = nn.Upsample(**options)(x), torch_nn.Upsample(**options)(torch.tensor(x))
                    np.testing.assert_array_equal(found, expected, err_msg=f"{n} by {factor}")
