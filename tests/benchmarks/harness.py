"""Fair timing: check that all contestants compute the same, then interleave them round by round."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Step = Callable[[], float]


@dataclass
class Bar:
    """What must hold: a contestant takes at most ``ratio`` times as long as another."""

    contestant: str
    rival: str
    ratio: float


@dataclass
class Row:
    """One question: contestants by name, each a step that returns its loss."""

    name: str
    question: str
    reference: str
    contestants: dict[str, Step]
    rounds: int = 200
    inner: int = 5
    tolerance: float = 1e-3
    collect: bool = False
    bars: list[Bar] = field(default_factory=list)


@dataclass
class Result:
    """Median time of each contestant, and medians of its per-round ratios to the reference."""

    row: Row
    seconds: dict[str, float]
    ratios: dict[str, float]
    times: dict[str, list[float]]

    def ratio(self, contestant: str, rival: str) -> float:
        """The median over rounds of one contestant's time in units of another's."""
        return statistics.median(a / b for a, b in zip(self.times[contestant], self.times[rival]))


def check(row: Row, steps: int = 3) -> None:
    """Raise unless every contestant's losses agree with the reference's over a few steps."""
    losses = {name: [step() for _ in range(steps)] for name, step in row.contestants.items()}
    expected = losses[row.reference]
    for name, found in losses.items():
        for a, b in zip(found, expected):
            if abs(a - b) > row.tolerance * max(1.0, abs(b)):
                raise AssertionError(f"{row.name}: {name} computes {found}, {row.reference} computes {expected}")


def measure(row: Row) -> Result:
    """Time all contestants, interleaved."""
    check(row)
    gc.collect()
    gc.freeze()  # modules and models are left out of the collections below
    times: dict[str, list[float]] = {name: [] for name in row.contestants}
    for _ in range(row.rounds):
        for name, step in row.contestants.items():
            if row.collect:
                gc.collect()  # nobody pays for another contestant's garbage
            step()
            start = time.perf_counter()
            for _ in range(row.inner):
                step()
            times[name].append((time.perf_counter() - start) / row.inner)
    reference = times[row.reference]
    return Result(
        row,
        {name: statistics.median(t) for name, t in times.items()},
        {name: statistics.median(a / b for a, b in zip(t, reference)) for name, t in times.items()},
        times,
    )
