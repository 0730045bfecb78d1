"""Single numbers: micrograd's net on its hundred points, and a long chain."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np

import autodiff as ad
from autodiff import Value

from .harness import Bar, Row, Step, installed


def scalar_net(make: Any, X: Any, y: Any, compiled: bool = False, backend: str = "numpy") -> Step:
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

    def loss_of() -> Any:
        losses = [(1 + -t * score(x)).relu() for x, t in zip(X, y)]
        return sum(losses) * (1.0 / len(losses))

    loss_of = ad.compile(loss_of, backend=backend) if compiled else loss_of

    def step() -> float:
        loss = loss_of()
        for p in params:
            p.grad = 0.0
        loss.backward()
        for p in params:
            p.data -= 0.01 * p.grad
        return float(loss.data)

    return step


def micrograd(X: Any, y: Any) -> Step:
    """The library whose demo this is."""
    from micrograd.engine import Value as MicrogradValue

    return scalar_net(MicrogradValue, X, y)


def scalar(points: int = 100) -> Row:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(points, 2)).tolist()
    y = [1 if a > 0 else -1 for a, _ in X]
    contestants = installed(
        {
            "autodiff": lambda: scalar_net(Value, X, y),
            "autodiff compiled": lambda: scalar_net(Value, X, y, compiled=True),
            "autodiff numba": lambda: scalar_net(Value, X, y, compiled=True, backend="numba"),
            "micrograd": lambda: micrograd(X, y),
        }
    )
    return Row(
        "scalar",
        f"MLP 2-16-16-1 on single numbers, {points} points, about {points * 650:,} nodes: one step",
        "autodiff",
        contestants,
        rounds=15,
        inner=1,
        tolerance=1e-9,
        collect=True,  # micrograd's tapes are cycles
        bars=[Bar("autodiff", "micrograd", 0.2), Bar("autodiff compiled", "micrograd", 0.001)],
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


def torch_chain(n: int) -> Step:
    """The same in PyTorch."""
    import torch

    return chain_of(n, lambda x: torch.tensor(x, requires_grad=True), lambda g: g.item())


def chain(n: int) -> Row:
    """A chain of ``n`` additions on Values, next to PyTorch."""
    contestants = installed({"autodiff": lambda: chain_of(n, Value, lambda g: g), "PyTorch": lambda: torch_chain(n)})
    rounds = max(3, min(100, 300_000 // n))
    question = f"a chain of {n:,} additions, forward and backward"
    return Row(f"chain{n}", question, "autodiff", contestants, rounds=rounds, inner=1, collect=True)
