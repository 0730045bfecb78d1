"""Fair timing: check that all contestants compute the same, then interleave them round by round."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Step = Callable[[], Any]
"""What is timed: it returns its loss, or whatever it computes, as a number or an array of any library."""


@dataclass
class Bar:
    """What must hold: a contestant takes at most ``ratio`` times as long as another."""

    contestant: str
    rival: str
    ratio: float


@dataclass
class Row:
    """One question: contestants by name, each a step; and why others do not run."""

    name: str
    question: str
    reference: str
    contestants: dict[str, Step]
    rounds: int = 200
    inner: int = 5
    tolerance: float = 1e-3
    collect: bool = False
    bars: list[Bar] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


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


def installed(makers: Mapping[str, Callable[[], Step]]) -> dict[str, Step]:
    """The contestants whose libraries are there."""
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError:
            continue
    return found


def check(row: Row, steps: int = 3) -> None:
    """Raise unless all contestants compute what the reference does, over a few steps."""
    results = {name: [np.asarray(step()).copy() for _ in range(steps)] for name, step in row.contestants.items()}
    expected = results[row.reference]
    for name, found in results.items():
        for a, b in zip(found, expected):
            if a.shape != b.shape or not np.all(np.abs(a - b) <= row.tolerance * max(1.0, np.max(np.abs(b)))):
                raise AssertionError(f"{row.name}: {name} computes {found}, {row.reference} computes {expected}")


def leave_out_failing(row: Row) -> None:
    """Take out contestants that raise in their first step; the others go on from there."""
    for name, step in list(row.contestants.items()):
        try:
            step()
        except Exception as error:
            del row.contestants[name]
            row.failed[name] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"


def measure(row: Row, clock: Callable[[], float] = time.perf_counter) -> Result:
    """Time all contestants that run, interleaved."""
    leave_out_failing(row)
    check(row)
    gc.collect()
    gc.freeze()  # modules and models are left out of the collections below
    times: dict[str, list[float]] = {name: [] for name in row.contestants}
    for _ in range(row.rounds):
        for name, step in row.contestants.items():
            if row.collect:
                gc.collect()  # nobody pays for another contestant's garbage
            step()
            start = clock()
            for _ in range(row.inner):
                step()
            times[name].append((clock() - start) / row.inner)
    reference = times[row.reference]
    return Result(
        row,
        {name: statistics.median(t) for name, t in times.items()},
        {name: statistics.median(a / b for a, b in zip(t, reference)) for name, t in times.items()},
        times,
    )
