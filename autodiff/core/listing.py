"""The tape as a list that can be read: ``print(ad.Tape(loss))``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from types import FrameType
from typing import Any, overload

from .errors import ArgumentError
from .names import find_names, name_of
from .node import Node
from .summary import align_points, constant_text, data_text, options_of, shape_text, shorten, text_width
from .tape import collect, require_tracked

COMFORTABLE = {"index": 8, "name": 22, "op": 14, "arguments": 18, "shape": 10, "value": 17, "grad": 17}
"""The columns, and how wide each may be before it has to give way to the others."""
COLUMNS = tuple(COMFORTABLE)
RIGHT = {"index", "value", "grad"}
MAX_WIDTH = 120
MAX_ROWS = 200
"""Longer tapes are printed without their middle."""
ENDS = 25
"""How many rows are printed before and after what is left out."""
MAX_ARGUMENTS = 6


class Tape(Sequence[Node]):
    """The nodes that some outputs depend on, oldest first: what a sweep walks (a Wengert list).

    Printed, it is a table: each node with its position on the tape, its name, the op that made it, the arguments of the
    op (``%3`` is the node at position 3), shape, value and gradient.  Names are those of the variables of the caller.

    Parameters
    ----------
    *outputs : Node
        What the tape should lead to.

    Raises
    ------
    TapeError
        If an output was not recorded, or the tape was freed.
    StaleDataError
        If the data of a node was changed after it was used.

    Examples
    --------
    >>> import autodiff as ad
    >>> x, w = ad.Value(2.0), ad.Value(-3.0)
    >>> y = ad.tanh(x * w + 7)
    >>> y.backward()
    >>> print(ad.Tape(y))
    index  name  op        arguments  shape    value     grad
       %0  x     leaf                 ()      2.0     -1.26
       %1  w     leaf                 ()     -3.0      0.8399
       %2        multiply  %0, %1     ()     -6.0      0.42
       %3        add       %2, 7      ()      1.0      0.42
       %4  y     tanh      %3         ()      0.7616   1.0
    """

    def __init__(self, *outputs: Node) -> None:
        self._record(outputs, sys._getframe(1), "Tape")

    def _record(self, outputs: Iterable[Any], frame: FrameType, what: str) -> None:
        given = [require_tracked(y, f"{what}()") for y in outputs]
        if not given:
            raise ArgumentError(f"{what}() was given nothing. Give it the result whose tape you want: {what}(loss).")
        nodes, leaves = collect(given, stale_allowed=True)
        self.nodes: list[Node] = sorted([*nodes, *leaves.values()], key=attrgetter("index"))
        self.position: dict[int, int] = {id(node): i for i, node in enumerate(self.nodes)}
        self.names: dict[int, str] = find_names(frame)

    @classmethod
    def seen_from(cls, frame: FrameType, outputs: Iterable[Any], what: str) -> Tape:
        """The tape of ``outputs`` with the names that the variables of ``frame`` give; errors speak of ``what``."""
        tape = object.__new__(cls)
        tape._record(outputs, frame, what)
        return tape

    def _part(self, nodes: list[Node]) -> Tape:
        part = object.__new__(type(self))
        part.nodes, part.position, part.names = nodes, self.position, self.names
        return part

    def __len__(self) -> int:
        return len(self.nodes)

    @overload
    def __getitem__(self, i: int) -> Node: ...
    @overload
    def __getitem__(self, i: slice) -> Tape: ...
    def __getitem__(self, i: int | slice) -> Node | Tape:
        return self._part(self.nodes[i]) if isinstance(i, slice) else self.nodes[i]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    # A Sequence looks for an equal entry; nodes compare entry by entry, and what is meant is the node itself.

    def __contains__(self, x: object) -> bool:
        return any(node is x for node in self.nodes)

    def count(self, value: object) -> int:
        """1 if the node is on the tape, else 0."""
        return int(value in self)

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """The position of a node in this list."""
        for i, node in enumerate(self.nodes[start:stop], start):
            if node is value:
                return i
        raise ArgumentError("This node is not on the tape: the outputs do not depend on it.")

    def name_of(self, x: Any) -> str | None:
        """The name of a node or constant: the one it was given, or that of the caller's variable that holds it."""
        return name_of(x, self.names)

    def arguments_of(self, node: Node) -> list[str]:
        """The arguments of the op that made a node: positions on the tape, and constants."""
        texts = [
            f"%{self.position[id(a)]}" if id(a) in self.position else constant_text(a, self.name_of(a))
            for a in node.args
        ]
        if len(texts) > MAX_ARGUMENTS:
            texts = [*texts[: MAX_ARGUMENTS - 2], f"… {len(texts) - MAX_ARGUMENTS + 1} more", texts[-1]]
        return texts

    def __str__(self) -> str:
        shown, hidden = self._shown()
        for detail in (3, 1, 0):
            lines = _table([COLUMNS, *(self._row(node, detail) for node in shown)], narrow=detail == 0)
            if max(map(text_width, lines)) <= MAX_WIDTH:
                break
        if hidden:
            lines.insert(1 + ENDS, f"{'…':>5}  {hidden} more nodes, not printed")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table for a notebook."""
        shown, hidden = self._shown()
        rows = [_html_row("th", COLUMNS), *(_html_row("td", self._row(node)) for node in shown)]
        if hidden:
            rows.insert(1 + ENDS, f'<tr><td></td><td colspan="6">… {hidden} more nodes, not printed</td></tr>')
        return f"<table>{''.join(rows)}</table>"

    def _shown(self) -> tuple[list[Node], int]:
        if len(self.nodes) <= MAX_ROWS:
            return self.nodes, 0
        return self.nodes[:ENDS] + self.nodes[-ENDS:], len(self.nodes) - 2 * ENDS

    def _row(self, node: Node, detail: int = 3) -> tuple[str, ...]:
        name = self.name_of(node)
        return (
            f"%{self.position[id(node)]}",
            shorten(name, 32) if name else "",
            node.rule.name if node.rule is not None else "leaf",
            ", ".join([*self.arguments_of(node), *options_of(node)]),
            shape_text(node),
            data_text(node._data, detail),
            data_text(node.grad, detail),
        )


def _table(rows: Sequence[tuple[str, ...]], narrow: bool) -> list[str]:
    """Rows as aligned lines; columns are narrowed on request until the lines fit."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    for heading, column in zip(COLUMNS, columns, strict=True):
        if heading in RIGHT:
            column[1:] = align_points(column[1:])
    widths = [max(map(text_width, column)) for column in columns]
    while narrow and sum(widths) + 2 * (len(widths) - 1) > MAX_WIDTH:
        excess = [width - wanted for width, wanted in zip(widths, COMFORTABLE.values(), strict=True)]
        widths[excess.index(max(excess))] -= 1
    for heading, column, width in zip(COLUMNS, columns, widths, strict=True):
        for i, text in enumerate(column):
            if text_width(text) > width:
                text = shorten(text.rstrip(), width)
            pad = " " * (width - text_width(text))
            column[i] = pad + text if heading in RIGHT else text + pad
    return ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]


def _html_row(tag: str, cells: Iterable[str]) -> str:
    from html import escape  # only a notebook needs it

    styled = (
        f'<{tag} style="text-align: {"right" if heading in RIGHT else "left"}">{escape(text)}</{tag}>'
        for heading, text in zip(COLUMNS, cells, strict=True)
    )
    return f"<tr>{''.join(styled)}</tr>"
