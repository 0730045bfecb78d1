"""Single numbers: micrograd's net on its hundred points, and a long chain."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np

from autodiff import Value

from .harness import Bar, Row, Step


def scalar_net(make: Any, X: Any, y: Any) -> Step:
    """One step of an MLP 2-16-16-1 on Values, max-margin loss, written as micrograd's demo is."""
    random.seed(0)
    sizes = [2, 16, 16, 1]
    layers = [
        [([make(random.uniform(-1, 1)) for _ in range(n_in)], make(0.0)) for _ in range(n_out)]
        for n_in, n_out in pairwise(sizes)
    ]
    params = [p for layer in layers for weights, bias in layer for p in [*weights, bias]]

    def score(x: Any) -> Any:
        for depth, layer in enumerate(layers):
            x = [sum((w * a for w, a in zip(weights, x)), bias) for weights, bias in layer]
            x = [a.relu() for a in x] if depth < 2 else x
        return x[0]

    def step() -> float:
        losses = [(1 + -t * score(x)).relu() for x, t in zip(X, y)]
        loss = sum(losses) * (1.0 / len(losses))
        for p in params:
            p.grad = 0.0
        loss.backward()
        for p in params:
            p.data -= 0.01 * p.grad
        return float(loss.data)

    return step


def scalar() -> Row:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2)).tolist()
    y = [1 if a > 0 else -1 for a, _ in X]
    contestants = {"autodiff": scalar_net(Value, X, y)}
    bars = []
    try:
        from micrograd.engine import Value as MicrogradValue
    except ImportError:
        pass
    else:
        contestants["micrograd"] = scalar_net(MicrogradValue, X, y)
        bars = [Bar("autodiff", "micrograd", 0.2)]
    return Row(
        "scalar",
        "MLP 2-16-16-1 on single numbers, 100 points (65,000 nodes): one step",
        "autodiff",
        contestants,
        rounds=15,
        inner=1,
        tolerance=1e-9,
        collect=True,  # micrograd's tapes are cycles
        bars=bars,
    )


def chain_of(n: int, make: Any, item: Any) -> Step:
    """Forward and backward through a chain of ``n`` additions."""

    def step() -> float:
        x = make(1.0)
        y = x
        for _ in range(n):
            y = y + 1.0
        y.backward()
        return float(item(x.grad))

    return step


def chain(n: int) -> Row:
    """A chain of ``n`` additions on Values, next to PyTorch."""
    contestants = {"autodiff": chain_of(n, lambda x: Value(x), lambda g: g)}
    try:
        import torch
    except ImportError:
        pass
    else:
        contestants["PyTorch"] = chain_of(n, lambda x: torch.tensor(x, requires_grad=True), lambda g: g.item())
    rounds = {1_000: 100, 10_000: 30, 100_000: 7, 1_000_000: 3}[n]
    question = f"a chain of {n:,} additions, forward and backward"
    return Row(f"chain{n}", question, "autodiff", contestants, rounds=rounds, inner=1, collect=True)
