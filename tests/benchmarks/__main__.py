"""Run the benchmarks, print what is found, and on request write the page of the docs and its pictures."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import page, plots
from .growth import CURVES, grow
from .harness import Result, measure
from .memory import TABLES
from .rows import CHAINS, ROWS
from .scalar import chain

PARTS = [*ROWS, "chain", "import", "memory", "growth"]


def limit(threads: int) -> None:
    """Give every library so many threads, and this process so many cores: start again with that in the environment."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    wanted = dict.fromkeys(names, str(threads))
    if any(os.environ.get(name) != number for name, number in wanted.items()):
        command = [sys.executable, "-m", "tests.benchmarks", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | wanted)


def import_times() -> tuple[float, float, float]:
    """Seconds that ``import autodiff`` and ``import numpy`` take, and the ratio."""

    def seconds(module: str) -> float:
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        return float(done.stdout)

    seconds("autodiff")  # its bytecode is written
    pairs = [(seconds("numpy"), seconds("autodiff")) for _ in range(21)]
    numpy, ours = (statistics.median(column) for column in zip(*pairs))
    return ours, numpy, statistics.median(b / a for a, b in pairs)


def sections(names: list[str], clock: Callable[[], float], pictures: Path | None) -> Iterator[list[str]]:
    """The page, piece by piece, as it is found; pictures go to that folder."""
    results: list[Result] = []
    if "chain" in names:  # first: what other rows leave behind in memory slows millions of small objects down
        yield page.chain_table({n: measure(chain(n), clock) for n in CHAINS})
    for name in [name for name in ROWS if name in names]:
        results.append(measure(ROWS[name](), clock))
        yield page.table(results[-1])
    if "import" in names:
        yield page.import_line(*import_times())
    by_hand = [result for result in results if result.row.reference == "NumPy by hand"]
    if pictures and by_hand:
        plots.draw_rows(by_hand, pictures / "bench-rows.svg")
        yield ["## The rows at a glance", "", f"![Times of all rows]({pictures.name}/bench-rows.svg)", ""]
    if "memory" in names:
        yield page.memory_tables({name: peaks() for name, peaks in TABLES.items()})
    if "growth" in names:
        yield ["## Growth", "", "Time and peak memory of one step.", ""]
        for curve in CURVES:
            grown, picture = grow(curve, clock), f"bench-{curve.name}.svg"
            if pictures:
                plots.draw_curve(grown, pictures / picture)
            yield page.growth_section(grown, f"{pictures.name}/{picture}" if pictures else None)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"what to measure: {', '.join(PARTS)}; all if none is given")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of every library, and cores")
    parser.add_argument("--cpu-time", action="store_true", help="measure processor time: for a machine that is busy")
    parser.add_argument(
        "--save", type=Path, metavar="PAGE", help="write the page, and pictures into a folder beside it"
    )
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in PARTS]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(PARTS)}")
    limit(given.threads)
    lines = page.environment(given.threads, given.cpu_time)
    print("\n".join(lines))
    clock = time.process_time if given.cpu_time else time.perf_counter
    pictures = given.save.parent / "pictures" if given.save else None
    for section in sections(given.names or PARTS, clock, pictures):
        print("\n".join(section), flush=True)
        lines += section
    if given.save:
        given.save.write_text("\n".join([page.PREFACE, *lines]).rstrip() + "\n")


if __name__ == "__main__":
    main()
