"""The picture in the docs: what a training step of the toy net compiles to, word for word."""

import os
from pathlib import Path

import numpy as np

import autodiff as ad
from autodiff import nn

GOLDEN = Path(__file__).parent / "golden" / "toy_mlp.py"


def toy_mlp():
    rng = np.random.default_rng(0)
    model = nn.MLP([2, 16, 16, 1], nn.Tanh, dtype=np.float32, rng=0)

    def loss_of(X, target):
        prediction = model(X)
        return nn.functional.mse_loss(prediction, target)

    X = rng.normal(size=(100, 2)).astype(np.float32)
    compiled = ad.compile(loss_of)
    compiled(X, np.sign(X[:, :1]))
    return compiled.source


def test_the_source_of_the_toy_net():
    found = toy_mlp()
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(found)
    assert found == GOLDEN.read_text(), (
        "The toy net compiles to other source than in tests/compiler/golden. Is it better? Then run "
        "WRITE_GOLDEN=1 python -m pytest tests/compiler/test_golden.py and look at what git diff shows."
    )
    assert sum(bool(line.strip()) for line in found.splitlines()) < 40
    assert max(map(len, found.splitlines())) <= 120
