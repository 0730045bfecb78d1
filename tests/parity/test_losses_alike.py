"""Losses with all their options."""

import numpy as np
import pytest
import torch
from torch import nn as torch_nn

from autodiff import nn

from .compare import draw, in_torch, near, one_call

RNG = np.random.default_rng(0)
LABELS = np.array([0, 2, 1, 2, -100])
WEIGHT = np.array([0.2, 1.0, 3.0])
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
A, B, C = draw(4, 3), draw(4, 3, seed=1), draw(4, 3, seed=2)
P, Q = RNG.uniform(size=(4, 3)), RNG.uniform(size=(4, 3))


def same(name, options, *inputs):
    one_call(getattr(nn, name)(**options), getattr(torch_nn, name)(**in_torch(options)), inputs)


CLASSES = [{}, {"weight": WEIGHT}, {"ignore_index": 2}]
SMOOTHED = [{"label_smoothing": 0.1}, {"weight": WEIGHT, "label_smoothing": 0.2}]


@REDUCTIONS
@pytest.mark.parametrize("options", CLASSES + SMOOTHED, ids=lambda options: " ".join(options))
def test_cross_entropy(options, reduction):
    options = {"reduction": reduction, **options}
    labels = np.maximum(LABELS, 0) if "ignore_index" in options else LABELS
    same("CrossEntropyLoss", options, draw(5, 3), labels)
    same("CrossEntropyLoss", options, draw(2, 3, 4), RNG.integers(0, 3, (2, 4)))
    same("CrossEntropyLoss", options, draw(3), np.array(1))
    if "ignore_index" not in options:
        same("CrossEntropyLoss", options, draw(5, 3), RNG.dirichlet(np.ones(3), size=5))
        spread = RNG.dirichlet(np.ones(3), size=(2, 4)).transpose(0, 2, 1).copy()
        same("CrossEntropyLoss", options, draw(2, 3, 4), spread)


@REDUCTIONS
@pytest.mark.parametrize("options", CLASSES, ids=lambda options: " ".join(options))
def test_negative_log_likelihood(options, reduction):
    labels = np.maximum(LABELS, 0) if "ignore_index" in options else LABELS
    same("NLLLoss", {"reduction": reduction, **options}, draw(5, 3), labels)
    same("NLLLoss", {"reduction": reduction, **options}, draw(2, 3, 4), RNG.integers(0, 2, (2, 4)))


@REDUCTIONS
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MSELoss", {}),
        ("L1Loss", {}),
        ("SmoothL1Loss", {}),
        ("SmoothL1Loss", {"beta": 0.3}),
        ("HuberLoss", {"delta": 0.4}),
    ],
)
def test_differences(name, options, reduction):
    same(name, {"reduction": reduction, **options}, A, B)


@REDUCTIONS
def test_two_outcomes(reduction):
    same("BCELoss", {"reduction": reduction}, P, Q)
    same("BCELoss", {"reduction": reduction, "weight": WEIGHT}, P, Q)
    edges, truth = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    expected = torch_nn.BCELoss(reduction=reduction)(torch.tensor(edges), torch.tensor(truth))
    near(nn.BCELoss(reduction=reduction)(edges, truth), expected, "edges")
    same("BCEWithLogitsLoss", {"reduction": reduction}, A, Q)
    same("BCEWithLogitsLoss", {"reduction": reduction, "weight": WEIGHT, "pos_weight": WEIGHT[::-1].copy()}, A, Q)


@REDUCTIONS
@pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
def test_divergence(reduction):
    same("KLDivLoss", {"reduction": reduction}, np.log(P), Q)
    same("KLDivLoss", {"reduction": reduction, "log_target": True}, np.log(P), np.log(Q))


def test_divergence_of_a_batch():
    same("KLDivLoss", {"reduction": "batchmean"}, np.log(P), Q)


@REDUCTIONS
def test_embeddings(reduction):
    options = {"reduction": reduction, "margin": 0.2}
    same("CosineEmbeddingLoss", options, A, B, np.array([1, -1, -1, 1]))
    for more in ({}, {"p": 3.0}, {"swap": True, "margin": 2.0}, {"eps": 0.1}):
        same("TripletMarginLoss", {"reduction": reduction, **more}, A, B, C)
