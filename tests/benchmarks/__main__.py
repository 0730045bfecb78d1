"""Run the benchmarks, print a table, and on request write the page of the docs."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import mlp, scalar
from .harness import Result, Row, measure

CHAINS = (1_000, 10_000, 100_000, 1_000_000)
ROWS: dict[str, list[Callable[[], Row]]] = {
    "toy": [mlp.toy],
    "digits": [mlp.digits],
    "deep": [mlp.deep],
    "scalar": [scalar.scalar],
    "chain": [lambda n=n: scalar.chain(n) for n in CHAINS],
}
PACKAGES = ("numpy", "torch", "autograd", "mygrad", "micrograd")


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


def table(result: Result) -> list[str]:
    """A Markdown table of one row."""
    row = result.row
    per_step = [f"{seconds * 1e6:,.1f} µs" for seconds in result.seconds.values()]
    lines = [f"### {row.question}", "", f"| contestant | median | × {row.reference} |", "|---|---:|---:|"]
    lines += [
        f"| {name} | {time} | {result.ratios[name]:.2f} |" for name, time in zip(row.contestants, per_step, strict=True)
    ]
    for bar in row.bars:
        if bar.rival in row.contestants:
            found = result.ratio(bar.contestant, bar.rival)
            verdict = "holds" if found <= bar.ratio else "is missed"
            lines += ["", f"Bar: at most {bar.ratio} × {bar.rival}. Measured {found:.2f}: it {verdict}."]
    return [*lines, ""]


def chain_table(results: list[Result]) -> list[str]:
    """Time per operation against the length of the chain."""
    names = list(results[0].row.contestants)
    lines = ["### A chain of additions, forward and backward: time per operation", ""]
    lines += [f"| operations | {' | '.join(names)} |", f"|---:|{'---:|' * len(names)}"]
    for n, result in zip(CHAINS, results, strict=True):
        lines.append(f"| {n:,} | {' | '.join(f'{result.seconds[name] / n * 1e6:.2f} µs' for name in names)} |")
    return [*lines, ""]


def import_table() -> list[str]:
    """Time of ``import autodiff`` next to ``import numpy``."""

    def seconds(module: str) -> float:
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        return float(done.stdout)

    seconds("autodiff")
    pairs = [(seconds("numpy"), seconds("autodiff")) for _ in range(21)]
    numpy, ours = (float(np.median(column)) for column in zip(*pairs))
    ratio = float(np.median([b / a for a, b in pairs]))
    return [
        "### `import autodiff`",
        "",
        f"{ours * 1e3:.0f} ms next to {numpy * 1e3:.0f} ms for `import numpy`: {ratio:.2f} times as long (bar: 1.3).",
        "",
    ]


def environment() -> list[str]:
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return [
        f"Processor: {processor()}, {os.cpu_count()} cores, threads: {threads}. Python {platform.python_version()}; "
        + ", ".join(f"{p} {version(p)}" for p in PACKAGES)
        + ".",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"rows to run: {', '.join(ROWS)}, import; all if none is given")
    parser.add_argument("--save", type=Path, help="write the page to this file too")
    given = parser.parse_args()
    names = given.names or [*ROWS, "import"]
    unknown = [name for name in names if name not in ROWS and name != "import"]
    if unknown:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(ROWS)}, import")
    lines = environment()
    print("\n".join(lines))
    for name in names:
        if name == "import":
            found = import_table()
        else:
            results = [measure(make()) for make in ROWS[name]]
            found = chain_table(results) if name == "chain" else table(results[0])
        print("\n".join(found), flush=True)
        lines += found
    if given.save:
        given.save.write_text("\n".join([PREFACE, *lines]).rstrip() + "\n")


PREFACE = """# Benchmarks

Made by `python -m tests.benchmarks --save docs/benchmarks.md` on an idle machine. All contestants start from the same
numbers and must compute the same losses before a clock runs; they are interleaved round by round, and what counts is
the median of the ratios within a round. The limit is NumPy written by hand. float32, except for single numbers; each
step waits for its loss.
"""

if __name__ == "__main__":
    main()
