"""Where the time goes: ``ad.profile(f)``, a table of ops with the lines that called them."""

from __future__ import annotations

import json
import math
import os
import threading
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, median_low
from types import TracebackType
from typing import Any

from ..core.errors import ArgumentError, KindError
from ..core.listing_table import Column, html_table, text_table
from ..core.node import Node, size_of
from ..core.source import Line
from ..core.summary import number_text, shape_text
from ..core.tape import collect
from . import timing
from .timing import Event, Stretch, timed

SHOWN = 25
"""How many rows are printed."""
OUTSIDE = "outside"
"""The part that no op belongs to."""
PARTS = {"forward": "all forward", "backward": "all backward", "optimizer": "all optimizer", OUTSIDE: "outside of ops"}
"""What the sum of each part is called."""


@dataclass(frozen=True)
class Row:
    """What one op took at one line, in one call of the function or in the whole block.

    Attributes
    ----------
    part : str
        ``"forward"``, ``"backward"``, ``"optimizer"`` or ``"outside"``.
    op : str
        The name of the op, and for a compiled function a line of its source; empty outside of ops.
    shape : tuple of int or None
        Of the result of the op, which is that of the cotangent in the backward part.
    line : Line or None
        Of your program, where the op was called; in the backward part too.
    calls : int
    seconds : float
    share : float
        Of the time of all rows.
    bytes : int
        The size of the arrays that were made, where they are not views of others.
    """

    part: str
    op: str
    shape: tuple[int, ...] | None
    line: Line | None
    calls: int
    seconds: float
    share: float
    bytes: int


class Profile:
    """What :func:`profile` measured.  Printed, it is a table, the slowest first.

    Attributes
    ----------
    rows : list of Row
        The slowest first; the row of ``"outside"`` is what was not spent in ops.
    calls : int
        How many calls the medians are taken of.
    unwatched : float or None
        Seconds that a call takes where nobody takes the time of ops; None for a block.
    peak : int or None
        How many bytes more than before were in use at once, if ``memory=True``.
    """

    def __init__(self, title: str = "", memory: bool = False) -> None:
        self.title = title
        self.unwatched: float | None = None
        self.peak: int | None = None
        self._memory = memory
        self._begun = bool(title)
        self._stretches: list[Stretch] = []
        self._around = ExitStack()

    def __enter__(self) -> Profile:
        if self._begun:
            raise ArgumentError(
                "A profile was entered that has begun before. Make a new one: with ad.profile() as report."
            )
        self._begun = True
        if self._memory:
            self._around.enter_context(PeakOf(self))
        self._around.enter_context(timed(self._stretches.append))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._around.__exit__(kind, error, trace)

    @property
    def calls(self) -> int:
        """How many calls the medians are taken of."""
        return len(self._stretches)

    @property
    def seconds(self) -> float:
        """The time of all rows together."""
        return sum(row.seconds for row in self.rows)

    @property
    def rows(self) -> list[Row]:
        """What each op took at each line, the slowest first."""
        spent: dict[Key, list[int]] = defaultdict(list)
        found: dict[Key, list[Event]] = {}
        for stretch in self._stretches:
            for key, events in _by_op(stretch.events).items():
                spent[key].append(sum(event.own for event in events))
                found[key] = events
        n = self.calls
        times = {key: median([*own, *[0] * (n - len(own))]) / 1e9 for key, own in spent.items()}
        outside = median([stretch.outside for stretch in self._stretches]) / 1e9 if n else 0.0
        total = sum(times.values()) + outside or 1.0
        rows = []
        for key, events in found.items():
            part, op, shape, line = key
            size = sum(event.bytes for event in events)
            rows.append(Row(part, op, shape, line, len(events), times[key], times[key] / total, size))
        if n:
            rows.append(Row(OUTSIDE, "", None, None, 1, outside, outside / total, 0))
        return sorted(rows, key=lambda row: -row.seconds)

    def __str__(self) -> str:
        rows = self.rows
        if not rows:
            return "Nothing was profiled yet: a block is when it is over."
        seconds = sum(row.seconds for row in rows)
        unit, factor = _unit(seconds)
        ops = [row for row in rows if row.part != OUTSIDE]
        cells = [_cells(row, factor) for row in ops[:SHOWN]]
        rest = ops[SHOWN:]
        lines = text_table(_columns(unit), [*cells, *_sums(rows, rest, factor)], narrow=True)
        return "\n".join([*self._said(seconds, unit, factor), *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table for a notebook, with all rows."""
        from html import escape  # only a notebook needs it

        rows = self.rows
        if not rows:
            return f"<p>{escape(str(self))}</p>"
        seconds = sum(row.seconds for row in rows)
        unit, factor = _unit(seconds)
        cells = [_cells(row, factor) for row in rows if row.part != OUTSIDE]
        said = "".join(f"<p>{escape(line)}</p>" for line in self._said(seconds, unit, factor) if line)
        return said + html_table(_columns(unit), [*cells, *_sums(rows, [], factor)])

    def _said(self, seconds: float, unit: str, factor: float) -> list[str]:
        """What stands above the table."""
        said = []
        if self.unwatched is not None:
            said.append(
                f"{self.title}: {number_text(self.unwatched * factor)} {unit} a call, median of {self.calls}; "
                f"{number_text(seconds * factor)} {unit} while its ops are timed"
            )
        if self.peak is not None:
            said.append(f"at most {_bytes_text(self.peak)} in use at once")
        return [*said, ""] if said else []

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write what happened, one event after the other, as a trace that Chrome and Perfetto show.

        Open ``chrome://tracing`` or https://ui.perfetto.dev and load the file.  Of many calls it is one whose time is
        the median.  The time that the profile itself took is cut out.

        Parameters
        ----------
        path : path
            Ends in ``.json``.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        ArgumentError
            If the name ends otherwise, if its folder does not exist, or if the block is not over.
        """
        path = Path(path)
        if path.suffix.lower() != ".json":
            raise ArgumentError(f"A profile cannot be saved as {path.name!r}: it is a Chrome trace. End it in .json.")
        if not path.parent.is_dir():
            raise ArgumentError(f"A profile cannot be saved in {str(path.parent)!r}: there is no such folder. Make it.")
        if not self._stretches:
            raise ArgumentError("A profile was saved before it was over. Save it after the with block.")
        path.write_text(json.dumps(self._trace(), indent=1) + "\n", encoding="utf-8")
        return path

    def _trace(self) -> dict[str, Any]:
        """One stretch in the trace event format: complete events, in microseconds."""
        times = [stretch.end - stretch.start for stretch in self._stretches]
        stretch = self._stretches[times.index(median_low(times))]
        where = {"pid": os.getpid(), "tid": threading.get_native_id()}
        whole = Event("call", self.title or "block", None, None, stretch.start, stretch.end, 0, 0)
        events: list[dict[str, Any]] = [
            {"name": "process_name", "ph": "M", **where, "args": {"name": "autodiff"}},
            {"name": "thread_name", "ph": "M", **where, "args": {"name": threading.current_thread().name}},
        ]
        for event in sorted([whole, *stretch.events], key=lambda e: (e.start, -e.end)):
            about: dict[str, Any] = {} if event.shape is None else {"shape": list(event.shape)}
            about |= {"bytes": event.bytes} if event.bytes else {}
            about |= {} if event.line is None else {"line": str(event.line)}
            times_of = {"ts": (event.start - stretch.start) / 1e3, "dur": (event.end - event.start) / 1e3}
            events.append({"name": event.op, "cat": event.part, "ph": "X", **times_of, **where, "args": about})
        return {"traceEvents": events, "displayTimeUnit": "ns"}


class PeakOf:
    """Sees how much memory is in use at once inside."""

    def __init__(self, report: Profile) -> None:
        self.report = report
        self.ours = False
        self.before = 0

    def __enter__(self) -> None:
        self.ours = not tracemalloc.is_tracing()
        if self.ours:
            tracemalloc.start()
        tracemalloc.reset_peak()
        self.before = tracemalloc.get_traced_memory()[0]

    def __exit__(self, *error: object) -> None:
        self.report.peak = max(tracemalloc.get_traced_memory()[1] - self.before, 0)
        if self.ours:
            tracemalloc.stop()


Key = tuple[str, str, tuple[int, ...] | None, Line | None]
"""Part, op, shape and line: what the events of one row have in common."""


def _by_op(events: Iterable[Event]) -> dict[Key, list[Event]]:
    found: dict[Key, list[Event]] = defaultdict(list)
    for event in events:
        found[event.part, event.op, event.shape, event.line].append(event)
    return found


def _columns(unit: str) -> list[Column]:
    return [
        Column("part", 9),
        Column("op", 29),
        Column("shape", 14),
        Column("calls", 6, right=True),
        Column(f"time {unit}", 8, right=True),
        Column("share", 6, right=True),
        Column("made", 8, right=True),
        Column("line", 26),
    ]


def _cells(row: Row, factor: float) -> tuple[str, ...]:
    shape = "" if row.shape is None else shape_text(row)
    line = "" if row.line is None else str(row.line)
    if row.line is not None and row.line.filename.startswith(timing.PRINTED):
        line = f"{row.line.filename.strip('<>')}:{row.line.number}"
    return (row.part, row.op, shape, str(row.calls), *_amounts([row], factor), line)


def _amounts(rows: list[Row], factor: float) -> tuple[str, str, str]:
    """Time, share and bytes of rows together."""
    size = sum(row.bytes for row in rows)
    seconds, share = sum(row.seconds for row in rows), sum(row.share for row in rows)
    return f"{seconds * factor:.1f}", f"{share:.1%}", _bytes_text(size) if size else ""


def _sums(rows: list[Row], rest: list[Row], factor: float) -> list[tuple[str, ...]]:
    """The rows at the end of the table: what was not shown, each part, and everything."""
    groups = {f"{len(rest)} more": rest}
    groups |= {name: [row for row in rows if row.part == part] for part, name in PARTS.items()}
    groups["everything"] = rows
    return [("", name, "", "", *_amounts(group, factor), "") for name, group in groups.items() if group]


def _unit(seconds: float) -> tuple[str, float]:
    """In what times are printed, and how many of it make a second."""
    return ("µs", 1e6) if seconds < 0.01 else ("ms", 1e3) if seconds < 10 else ("s", 1.0)


def _bytes_text(n: float) -> str:
    power = min(int(math.log10(max(n, 1)) / 3), 3)
    return f"{n / 1000**power:.{1 if power else 0}f} {('B', 'kB', 'MB', 'GB')[power]}"


def profile(
    f: Callable[..., Any] | None = None, /, *args: Any, repeats: int = 10, memory: bool = False, **kwargs: Any
) -> Profile:
    """Where the time of a function, or of a block, goes: a row for each op and line of your program.

    ``ad.profile(f, *args, **kwargs)`` calls ``f`` to warm up and then several times, by turns as it is and with its ops
    timed, and gives medians.  If it returns a single tracked number, ``backward`` from that is timed too, unless ``f``
    did it; gradients are afterwards what they were.  ``with ad.profile() as report:`` takes the time of what happens
    inside, once: a training step with its optimizer.

    Parameters
    ----------
    f : callable, optional
    *args, **kwargs
        What it is called with.
    repeats : int
        How many calls the medians are taken of.  ``f`` is called twice as often, and two or three times before.
    memory : bool
        Also find out how much memory is in use at once.  In a block this makes all times longer.

    Returns
    -------
    Profile
        Print it, read its ``rows``, or ``save("trace.json")`` it to look at in Chrome.

    Raises
    ------
    KindError
        If ``f`` is no function.
    ArgumentError
        If ``repeats`` is less than 1, or something is given beside ``memory`` where there is no function.

    Notes
    -----
    The time of an op goes from when its arguments are unpacked to when its node is on the tape.  In the backward part
    it is the time of the op's derivatives, with all that they call, and of adding them up.  What is left is *outside*:
    your Python, the engine's own bookkeeping, forward-mode derivatives, and ops on plain arrays.  The clock stands
    still while the profile itself is at work, but to be watched makes what is small slower: compare both times above
    the table.  Other threads are not timed.

    A compiled function runs compiled.  There is a row for each statement of its source, and one for the call, which is
    what remains: finding the program, making the node, and, if it is the first call and in a block, compiling.
    Python's own tracing adds up to half a microsecond to each line, and to each Python function that is called; a
    debugger's breakpoints are passed over.  Arrays that are used again are not counted as made.  Where others watch
    too, as in ``ad.trace()``, it runs as it was written.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> w = ad.Tensor(np.ones((50, 50)))
    >>> report = ad.profile(lambda x: ad.tanh(x @ w).sum(), np.ones((20, 50)))
    >>> sorted({row.op for row in report.rows if row.part == "backward"})
    ['matmul', 'sum', 'tanh']
    >>> [row.bytes for row in report.rows if (row.part, row.op) == ("forward", "tanh")]
    [8000]
    """
    if repeats < 1:
        raise ArgumentError(f"profile got repeats={repeats}: a median is taken of at least 1 call.")
    if f is None:
        if args or kwargs:
            raise ArgumentError("profile got arguments and no function. Write ad.profile(f, x), or with ad.profile():.")
        return Profile(memory=memory)
    if not callable(f):
        raise KindError(
            f"profile was given a {type(f).__name__}; it takes a function and its arguments: ad.profile(f, x), "
            "not ad.profile(f(x))."
        )
    report = Profile(getattr(f, "__name__", type(f).__name__), memory)

    def call() -> None:
        _call_and_sweep(lambda: f(*args, **kwargs))

    call()
    with timed(lambda stretch: None):
        call()
    if memory:
        with PeakOf(report):
            call()
    plain: list[int] = []
    for _ in range(repeats):
        start = timing.clock()
        call()
        plain.append(timing.clock() - start)
        with timed(report._stretches.append):
            call()
    report.unwatched = median(plain) / 1e9
    return report


def _call_and_sweep(call: Callable[[], Any]) -> None:
    """Call, and differentiate a result that is a single tracked number; leave gradients as they were."""
    y = call()
    if not isinstance(y, Node) or not y.tracked or y.is_leaf or size_of(y) != 1 or y.grad is not None:
        return
    _, leaves = collect([y])
    before = [(leaf, leaf.grad) for leaf in leaves.values()]
    for leaf, _ in before:
        leaf.grad = None
    try:
        y.backward()  # type: ignore[attr-defined]
    finally:
        for leaf, g in before:
            leaf.grad = g
