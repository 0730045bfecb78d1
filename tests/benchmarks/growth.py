"""How time and memory of a step grow with the batch, the width and depth of a net, and the length of a tape."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autodiff as ad

from . import mlp, mlp_peers
from .harness import Row, Step, installed, leave_out_failing
from .memory import peak_of_numpy, peak_of_torch
from .updates import F32

Makers = dict[str, Callable[[], Step]]
SECONDS = 0.3
"""About so long each point is timed."""


@dataclass
class Curve:
    """One question: what is changed, through which sizes, and who takes part at each."""

    name: str
    question: str
    along: str
    sizes: Sequence[int]
    makers: Callable[[int], Makers]


@dataclass
class Grown:
    """What was found, by contestant: seconds and peak bytes of a step at each size, None where it does not run."""

    curve: Curve
    seconds: dict[str, list[float | None]] = field(default_factory=dict)
    bytes: dict[str, list[int | None]] = field(default_factory=dict)
    failed: dict[tuple[str, int], str] = field(default_factory=dict)


def net(sizes: Sequence[int], batch: int) -> Makers:
    """Ways to take a training step of a relu net."""
    task = mlp.task(sizes, batch, "relu", "cross_entropy", "momentum", 1e-3)
    return {
        "NumPy by hand": lambda: mlp.by_hand_relu(task),
        "autodiff": lambda: mlp.ours(task),
        "autodiff compiled": lambda: mlp.ours(task, compiled=True),
        "PyTorch": lambda: mlp_peers.torch(task),
    }


def chain(n: int) -> Makers:
    """Ways to differentiate a chain of ``n`` tanhs of a thousand numbers."""
    x = np.linspace(-1, 1, 1000, dtype=F32)

    def by_hand() -> Step:
        def step() -> Any:
            values = [x]
            for _ in range(n):
                values.append(np.tanh(values[-1]))
            g = np.ones_like(x)
            for y in reversed(values[1:]):
                g = g * (1 - y * y)
            return g[0]

        return step

    def ours(compiled: bool) -> Step:
        leaf = ad.Tensor(x)

        def last() -> Any:
            y = leaf
            for _ in range(n):
                y = ad.tanh(y)
            return y.sum()

        last = ad.compile(last) if compiled else last

        def step() -> Any:
            leaf.grad = None
            last().backward()
            return leaf.grad[0]

        return step

    def torch() -> Step:
        import torch

        leaf = torch.tensor(x, requires_grad=True)

        def step() -> Any:
            leaf.grad = None
            y = leaf
            for _ in range(n):
                y = torch.tanh(y)
            y.sum().backward()
            return leaf.grad[0]

        return step

    return {
        "NumPy by hand": by_hand,
        "autodiff": lambda: ours(compiled=False),
        "autodiff compiled": lambda: ours(compiled=True),
        "PyTorch": torch,
    }


CURVES = [
    Curve("batch", "MLP 64-128-10", "batch", [1, 4, 16, 64, 256, 1024, 4096], lambda n: net([64, 128, 10], n)),
    Curve(
        "width", "MLP n-n-n-10, batch 128", "width", [8, 16, 32, 64, 128, 256, 512], lambda n: net([n, n, n, 10], 128)
    ),
    Curve(
        "depth",
        "MLP of n layers of 64, batch 32",
        "layers",
        [1, 2, 4, 8, 16, 32, 64],
        lambda n: net([64] * n + [10], 32),
    ),
    Curve("nodes", "a chain of n tanhs of 1,000 numbers", "operations", [1, 4, 16, 64, 256, 1024], chain),
]


def seconds_of(contestants: dict[str, Step], clock: Callable[[], float]) -> dict[str, float]:
    """Median time of a step of each, interleaved."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    end = time.perf_counter() + SECONDS * len(contestants)
    while time.perf_counter() < end or len(times[next(iter(times))]) < 3:
        for name, step in contestants.items():
            step()
            start = clock()
            step()
            times[name].append(clock() - start)
    return {name: statistics.median(t) for name, t in times.items()}


def grow(curve: Curve, clock: Callable[[], float] = time.perf_counter) -> Grown:
    """Measure one curve."""
    grown = Grown(curve)
    for k, size in enumerate(curve.sizes):
        makers = curve.makers(size)
        row = Row(curve.name, curve.question, "", installed(makers))
        leave_out_failing(row)
        grown.failed |= {(name, size): why for name, why in row.failed.items()}
        for name, found in seconds_of(row.contestants, clock).items():
            grown.seconds.setdefault(name, [None] * len(curve.sizes))[k] = found
            peak = (peak_of_torch if name == "PyTorch" else peak_of_numpy)(makers[name])
            grown.bytes.setdefault(name, [None] * len(curve.sizes))[k] = peak
    return grown
