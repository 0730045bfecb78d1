"""The source of a tape of single numbers: what it says, and that it runs alone."""

import random
import subprocess
import sys

import numpy as np

import autodiff as ad
from autodiff import Value, nn


def test_the_source_says_what_every_level_computes_and_where():
    random.seed(0)
    model = nn.scalar.MLP(2, [8, 8, 1])
    X = np.random.default_rng(0).normal(size=(12, 2)).tolist()

    def loss_of(X):
        return sum((1 - model(row)).relu() for row in X)

    compiled = ad.compile(loss_of)
    compiled(X)
    source = compiled.source
    assert "ops on single numbers as" in source
    assert "# Level 1: 192 × multiply. scalar.py:" in source or "# Level 1: 192 × multiply. test_scalar" in source
    assert "# Level 2: 96 × add of 3." in source
    assert "# Cotangents of 96 × relu, level 3" in source
    assert ".take(" not in source.split("def backward")[0]  # everything lies in order
    assert len(source.splitlines()) < 200


def test_a_saved_module_runs_alone(tmp_path):
    def f(xs, ys):
        return sum((x * y).tanh() + ad.relu(x) + y**3 for x, y in zip(xs, ys, strict=True))

    compiled = ad.compile(f)
    xs, ys = ([Value(x) for x in np.random.default_rng(k).normal(size=400).tolist()] for k in (0, 1))
    loss = compiled(xs, ys)
    loss.backward()
    compiled.save(tmp_path / "tape.py")
    alone = f"""
import sys
sys.modules["autodiff"] = None
sys.path.insert(0, {str(tmp_path)!r})
import tape
data = {[x.item() for x in (*xs, *ys)]}
assert tape.forward(*data) == ({loss.item()!r},)
assert tape.backward(1.0, *data) == {[x.grad for x in (*xs, *ys)]}
"""
    subprocess.run([sys.executable, "-c", alone], check=True)
