"""Two tapes side by side: which nodes are the same, and the first whose values differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .listing_table import LINE, MAX_WIDTH, Column, html_table, line_of, op_of, text_table
from .node import Node, data_of, shape_of
from .summary import data_text, number_text, shape_text, shorten, text_width

if TYPE_CHECKING:
    from .listing import Tape

MAX_ROWS = 20
"""How many rows that differ are printed."""
WINDOW = 100
"""How many nodes are looked at at once where two programs differ: with more the time would grow with their square."""


COLUMNS = (
    Column("here", 7, right=True),
    Column("there", 7, right=True),
    Column("name", 16),
    Column("op", 14),
    Column("value here", 17, right=True),
    Column("value there", 17, right=True),
    Column("|Δ|", 8, right=True),
    Column("relative", 8, right=True),
    Column("|Δ grad|", 8, right=True),
)


class Difference(NamedTuple):
    """How far two arrays are apart: the largest absolute and relative difference, and whether that is too much."""

    absolute: float
    relative: float
    differs: bool


NONE = Difference(0.0, 0.0, False)


class DiffRow(NamedTuple):
    """A node of one tape and its match on the other; None on one side if it has none.

    Attributes
    ----------
    here, there : Node or None
    value, gradient : Difference or None
        None if there is nothing to compare: a match is missing, shapes differ, or one has no gradient.
    differs : bool
        Whether anything does.
    """

    here: Node | None
    there: Node | None
    value: Difference | None
    gradient: Difference | None
    differs: bool

    @property
    def node(self) -> Node:
        """The node, of this tape if it has one."""
        node = self.here if self.here is not None else self.there
        assert node is not None
        return node


class TapeDiff:
    """The rows of two tapes, matched.  Printed, it is a table of those that differ, with the first one in words.

    Attributes
    ----------
    rows : list of DiffRow
        In the order of the tapes.
    first : DiffRow or None
        The first row whose values differ, or that only one tape has; if there is none, the newest whose gradients
        differ, for gradients are computed from the end.  None if all is the same.
    same : bool
        Whether no row differs.
    """

    __slots__ = ("different", "first", "here", "rows", "same", "there")  # no names for nodes, as in a tape

    def __init__(self, here: Tape, there: Tape, rtol: float, atol: float) -> None:
        self.here, self.there = here, there
        self.rows = [_compare(a, b, rtol, atol) for a, b in match(here.nodes, there.nodes)]
        self.different = [row for row in self.rows if row.differs]
        by_value = next((row for row in self.different if row.value is None or row.value.differs), None)
        self.first = by_value or next(reversed(self.different), None)
        self.same = not self.different

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[DiffRow]:
        return iter(self.rows)

    def __str__(self) -> str:
        shown = self._shown()
        if not shown:
            return self._headline()
        columns = _columns(shown)
        for detail in (3, 1, 0):
            lines = text_table(columns, [self._cells(row, columns, detail) for row in shown], narrow=detail == 0)
            if max(map(text_width, lines)) <= MAX_WIDTH:
                break
        hidden = len(self.different) - len(shown)
        return "\n".join([self._headline(), *lines, *([f"… {hidden} more that differ"] if hidden else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The headline and the table for a notebook."""
        from html import escape  # only a notebook needs it

        shown = self._shown()
        columns = _columns(shown)
        table = html_table(columns, [self._cells(row, columns) for row in shown]) if shown else ""
        return f"<p>{escape(self._headline())}</p>{table}"

    def _shown(self) -> list[DiffRow]:
        """The first rows that differ, and the first one by the order of the sweep."""
        shown = self.different[:MAX_ROWS]
        if self.first is not None and not any(row is self.first for row in shown):
            shown = [*shown[:-1], self.first]
        return shown

    def _headline(self) -> str:
        total = len(self.rows)
        if self.first is None:
            largest = max((row.value for row in self.rows if row.value is not None), default=NONE)
            return f"All {total} nodes are the same; values differ by {number_text(largest.absolute)} at most."
        several = "nodes differ" if len(self.different) > 1 else "nodes differs"
        text = f"{len(self.different)} of {total} {several}. The first is {self._called(self.first)}"
        return f"{text}: {self._in_words(self.first)}."

    def _called(self, row: DiffRow) -> str:
        tape = self.here if row.here is not None else self.there
        name, made = tape.name_of(row.node), op_of(row.node)
        return f"%{tape.position[id(row.node)]} {f'{shorten(name, 32)} ' if name else ''}({made})"

    def _in_words(self, row: DiffRow) -> str:
        if row.here is None or row.there is None:
            return "it is only on the other tape" if row.here is None else "it is only on this tape"
        if row.value is None:
            return f"shape {shape_text(row.here)} here, {shape_text(row.there)} there"
        if row.value.differs:
            return f"{data_text(row.here)} here, {data_text(row.there)} there" + (
                f", which differ by up to {number_text(row.value.absolute)}" if shape_of(row.here) else ""
            )
        return (
            f"its value is the same, its gradient is {data_text(row.here.grad)} here, {data_text(row.there.grad)} there"
        )

    def _cells(self, row: DiffRow, columns: Sequence[Column], detail: int = 3) -> tuple[str, ...]:
        here, there = row.here, row.there
        name = (self.here if here is not None else self.there).name_of(row.node)
        shapes_differ = here is not None and there is not None and row.value is None
        texts = [shape_text(x) if shapes_differ else data_text(x, detail) for x in (here, there)]
        cells = (
            f"%{self.here.position[id(here)]}" if here is not None else "-",
            f"%{self.there.position[id(there)]}" if there is not None else "-",
            shorten(name, 32) if name else "",
            op_of(row.node),
            *texts,
            number_text(row.value.absolute) if row.value is not None else "-",
            number_text(row.value.relative) if row.value is not None else "-",
            number_text(row.gradient.absolute) if row.gradient is not None else "-",
            line_of(row.node),
        )
        return cells[: len(columns)]


def _columns(shown: Sequence[DiffRow]) -> tuple[Column, ...]:
    return (*COLUMNS, LINE) if any(row.node.origin is not None for row in shown) else COLUMNS


def _compare(here: Node | None, there: Node | None, rtol: float, atol: float) -> DiffRow:
    if here is None or there is None:
        return DiffRow(here, there, None, None, True)
    value = difference(here._data, there._data, rtol, atol)
    one_sided = (here.grad is None) != (there.grad is None)
    gradient = None
    if here.grad is not None and there.grad is not None:
        gradient = difference(data_of(here.grad), data_of(there.grad), rtol, atol)
    differs = one_sided or value is None or value.differs or (gradient is not None and gradient.differs)
    return DiffRow(here, there, value, gradient, differs)


def difference(a: Any, b: Any, rtol: float, atol: float) -> Difference | None:
    """How far the data of two nodes is apart; None if their shapes differ.

    Examples
    --------
    >>> difference(np.array([1.0, np.nan]), np.array([1.5, np.nan]), 1e-5, 1e-8)
    Difference(absolute=0.5, relative=0.3333333333333333, differs=True)
    """
    if a is b:
        return NONE
    if a.__class__ is float and b.__class__ is float:  # most nodes of a long tape
        gap = abs(a - b)
        if gap == 0:
            return NONE
        if gap - gap == 0:
            return Difference(gap, gap / abs(b) if b else float("inf"), gap > atol + rtol * abs(b))
    if shape_of(a) != shape_of(b):
        return None
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype.kind not in "biufc" or y.dtype.kind not in "biufc":
        return NONE if bool(np.all(x == y)) else Difference(float("nan"), float("nan"), True)
    return _of_arrays(x * 1.0, y * 1.0, rtol, atol)  # truth values cannot be subtracted


def _of_arrays(x: Any, y: Any, rtol: float, atol: float) -> Difference:
    with np.errstate(all="ignore"):
        equal = (x == y) | (np.isnan(x) & np.isnan(y))
        if equal.all():
            return NONE
        gap = np.where(equal, 0, np.abs(x - y))
        size = np.abs(y)
        relative = np.where(equal, 0, gap / size)
        differs = bool(np.any(~equal & ~((gap <= atol + rtol * size) & np.isfinite(size))))
        return Difference(float(np.max(gap)), float(np.max(relative)), differs)


def match(here: Sequence[Node], there: Sequence[Node]) -> Iterator[tuple[Node | None, Node | None]]:
    """Pairs of nodes that are the same op at the same place, oldest first; None beside what has no match."""
    if _structure(here) == _structure(there):
        yield from zip(here, there, strict=True)
        return
    a, b = ([(op_of(node), shape_of(node)) for node in nodes] for nodes in (here, there))
    head = _common(a, b)
    tail = _common(a[head:][::-1], b[head:][::-1])
    yield from zip(here[:head], there[:head], strict=True)
    end_a, end_b = len(a) - tail, len(b) - tail
    for i, j in _aligned(a, b, head, end_a, head, end_b):
        yield here[i] if i is not None else None, there[j] if j is not None else None
    yield from zip(here[end_a:], there[end_b:], strict=True)


def _structure(nodes: Sequence[Node]) -> list[tuple[Any, ...]]:
    """Each node by its op and where its arguments stand."""
    position = {node.index: i for i, node in enumerate(nodes)}
    return [
        (node.rule, *[position.get(x.index, -1) if isinstance(x, Node) else None for x in node.args]) for node in nodes
    ]


def _common(a: Sequence[Any], b: Sequence[Any]) -> int:
    """How many entries at the beginning agree."""
    for n, (x, y) in enumerate(zip(a, b)):
        if x != y:
            return n
    return min(len(a), len(b))


def _aligned(
    a: list[Any], b: list[Any], i: int, end_i: int, j: int, end_j: int
) -> Iterator[tuple[int | None, int | None]]:
    """Positions in ``a`` and ``b`` that match, in order, a window at a time."""
    from difflib import SequenceMatcher

    while i < end_i or j < end_j:
        stop_i, stop_j = min(i + WINDOW, end_i), min(j + WINDOW, end_j)
        last = stop_i == end_i and stop_j == end_j
        blocks = SequenceMatcher(None, a[i:stop_i], b[j:stop_j], autojunk=False).get_matching_blocks()
        at_i, at_j = i, j
        for block in blocks[:-1]:
            yield from ((k, None) for k in range(at_i, i + block.a))
            yield from ((None, k) for k in range(at_j, j + block.b))
            at_i, at_j = i + block.a + block.size, j + block.b + block.size
            yield from zip(range(i + block.a, at_i), range(j + block.b, at_j), strict=True)
        if last or (at_i == i and at_j == j):  # the end, or a window in which nothing matches
            yield from ((k, None) for k in range(at_i, stop_i))
            yield from ((None, k) for k in range(at_j, stop_j))
            at_i, at_j = stop_i, stop_j
        i, j = at_i, at_j
