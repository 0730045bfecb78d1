"""The page ``docs/benchmarks.md``: what was measured, on what, and which bars are missed."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

from .growth import Grown
from .harness import Bar, Result
from .memory import BARS

PACKAGES = ("numpy", "scipy", "numba", "torch", "jax", "autograd", "mygrad", "micrograd")
NOTES = Path(__file__).with_name("notes.md")

PREFACE = """# Benchmarks

Made by `python -m tests.benchmarks --save docs/benchmarks.md` on an idle machine.

All contestants of a row start from the same numbers and must compute the same losses before a clock runs. Then they
are interleaved round by round. What counts is the median, over rounds, of the ratio of two times in one round. Each
step waits for its loss. float32, except for single numbers and in the rows of calculus.

- **NumPy by hand** is clean NumPy with the derivatives worked out on paper.
- **NumPy, buffers** is what an expert does next: no array is made in a step, all parameters are one vector.
- **autodiff** is this package as it is; **autodiff compiled** the same program with its loss in `ad.compile`.
- **PyTorch** is eager and written as its users write it. **torch.compile** compiles the loss. **jax.jit** is the whole
  step, update included, in one function that takes over the old parameters.
"""

MEMORY = """Peak bytes of one step, of all that a contestant holds: parameters, optimizer state, gradients, buffers and
what the step makes. Arrays of NumPy are counted by `tracemalloc`, tensors of PyTorch by its profiler, both from before
the contestant is made; the training data do not count. What a library takes past its own allocator, such as the
scratch space of oneDNN, is not seen: PyTorch's numbers are a little too good.
"""


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """The model of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def environment(threads: int, cpu_time: bool) -> list[str]:
    """The machine, the versions, the thread counts, the clock."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    clock = "processor time, summed over threads" if cpu_time else "time on the clock"
    return [
        f"Processor: {processor()}, {os.cpu_count()} cores. Every library has {threads} "
        f"thread{'s' * (threads > 1)} and as many cores. Measured: {clock}. Python {platform.python_version()}; "
        f"{versions}.",
        "",
    ]


def notes() -> dict[str, str]:
    """What ``notes.md`` says about each row."""
    _, *sections = NOTES.read_text().split("\n## ")
    return {name.strip(): text.strip() for name, _, text in (section.partition("\n") for section in sections)}


def verdict(bar: Bar, found: float | None) -> str:
    """A line about one bar."""
    line = f"- {bar.contestant} ≤ {bar.ratio:g} × {bar.rival}: "
    if found is None:
        return line + "**missed**, it does not run."
    return line + f"{found:.3g}, " + ("holds." if found <= bar.ratio else "**missed**.")


def verdicts(name: str, bars: Iterable[Bar], found: Mapping[str, float | None]) -> list[str]:
    """What holds, and what is said of what does not."""
    lines = [verdict(bar, found.get(f"{bar.contestant}/{bar.rival}")) for bar in bars]
    missed = any("**missed**" in line for line in lines)
    note = notes().get(name)
    return [*lines, "", *([note, ""] if note and missed else [])]


def time(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs" if seconds < 0.01 else f"{seconds * 1e3:,.1f} ms"


def table(result: Result) -> list[str]:
    """One row: times, ratios and bars."""
    row = result.row
    lines = [f"### {row.name}: {row.question}", "", f"| contestant | median | × {row.reference} |", "|---|---:|---:|"]
    lines += [f"| {name} | {time(result.seconds[name])} | {result.ratios[name]:.3g} |" for name in row.contestants]
    lines += [f"| {name} | does not run: {why} | |" for name, why in row.failed.items()]
    there = [bar for bar in row.bars if bar.rival in row.contestants]
    ratios = {
        f"{b.contestant}/{b.rival}": result.ratio(b.contestant, b.rival)
        for b in there
        if b.contestant in row.contestants
    }
    return [*lines, "", *verdicts(row.name, there, ratios)]


def chain_table(results: Mapping[int, Result]) -> list[str]:
    """Time per operation against the length of the chain."""
    names = list(next(iter(results.values())).row.contestants)
    lines = ["### chain: additions of single numbers, forward and backward, time per operation", ""]
    lines += [f"| operations | {' | '.join(names)} |", f"|---:|{'---:|' * len(names)}"]
    for n, result in results.items():
        lines.append(f"| {n:,} | {' | '.join(f'{result.seconds[name] / n * 1e6:.2f} µs' for name in names)} |")
    slowest = max(result.seconds["autodiff"] / n * 1e6 for n, result in results.items())
    found = "holds" if slowest <= 4 else "**missed**"
    return [*lines, "", f"- autodiff ≤ 4 µs an operation: {slowest:.2f}, {found}.", ""]


def import_line(ours: float, numpy: float, ratio: float) -> list[str]:
    found = "holds" if ratio <= 1.3 else "**missed**"
    return [
        "### import",
        "",
        f"`import autodiff` takes {ours * 1e3:.0f} ms, `import numpy` {numpy * 1e3:.0f} ms.",
        "",
        f"- autodiff ≤ 1.3 × NumPy: {ratio:.2f}, {found}.",
        "",
    ]


def memory_tables(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Peak bytes of the rows ``deep`` and ``cnn``."""
    lines = ["## Memory", "", *MEMORY.splitlines(), ""]
    for name, peaks in found.items():
        rival = peaks.get("PyTorch")
        lines += [f"### {name}", "", "| contestant | peak | × PyTorch |", "|---|---:|---:|"]
        for contestant, peak in peaks.items():
            ratio = f"{peak / rival:.2f}" if rival else ""
            lines.append(f"| {contestant} | {peak / 1e6:.2f} MB | {ratio} |")
        ratios = {f"{b.contestant}/{b.rival}": peaks[b.contestant] / rival for b in BARS} if rival else {}
        lines += ["", *(verdicts(f"memory of {name}", BARS, ratios) if rival else [])]
    return lines


def growth_section(grown: Grown, picture: str | None) -> list[str]:
    """One curve: its picture, and the numbers."""
    curve = grown.curve
    lines = [f"### {curve.name}: {curve.question}", ""]
    if picture:
        lines += [f"![Time and memory against {curve.along}]({picture})", ""]
    lines += [f"| {curve.along} | {' | '.join(grown.seconds)} |", f"|---:|{'---:|' * len(grown.seconds)}"]
    for k, size in enumerate(curve.sizes):
        cells = []
        for name in grown.seconds:
            seconds, peak = grown.seconds[name][k], grown.bytes[name][k]
            cells.append("" if seconds is None or peak is None else f"{time(seconds)}, {peak / 1e6:.2f} MB")
        lines.append(f"| {size:,} | {' | '.join(cells)} |")
    return [*lines, "", *(f"- {name} does not run at {n:,}: {why}" for (name, n), why in grown.failed.items()), ""]
