"""The tape as a list that can be read: ``print(ad.Tape(loss))``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from operator import attrgetter
from types import FrameType
from typing import Any, overload

import numpy as np

from .checks import require_from_zero
from .comparing import TapeDiff
from .errors import ArgumentError, KindError, PositionError, ShapeError, TapeError
from .listing_table import FREE, LINE, MAX_WIDTH, Column, html_table, is_freed, line_of, op_of, text_table
from .names import find_names, name_of
from .node import Node, data_of, shape_of
from .origin import Call
from .summary import constant_text, data_text, kind_text, options_of, repr_text, shape_text, shorten, text_width
from .tape import FREED, collect, require_tracked
from .traced_names import traced_names

COLUMNS = (
    Column("index", 8, right=True),
    Column("name", 22),
    Column("op", 14),
    Column("arguments", 18),
    Column("shape", 10),
    Column("value", 17, right=True),
    Column("grad", 17, right=True),
)
MAX_ROWS = 200
"""Longer tapes are printed without their middle."""
ENDS = 25
"""How many rows are printed before and after what is left out."""
MAX_ARGUMENTS = 6
FREE_NOTE = f"{FREE}: backward(free=True) has let go of these ops and values"


class Tape(Sequence[Node]):
    """The nodes that some outputs depend on, oldest first: what a sweep walks (a Wengert list).

    Printed, it is a table: each node with its position on the tape, its name, the op that made it, the arguments of the
    op (``%3`` is the node at position 3), shape, value and gradient.  Names are those of the variables of the caller.
    Nodes made inside ``with ad.trace():`` also show the line of source that made them.

    Slices and what :meth:`find` and :meth:`where` return are tapes too: parts, with the positions of the whole.

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

    # Slots, so that a tape in a variable gives its nodes no names such as tape.nodes[3].
    __slots__ = ("__weakref__", "names", "nodes", "position")

    def __init__(self, *outputs: Node) -> None:
        self._record(outputs, sys._getframe(1), "Tape")

    def _record(self, outputs: Iterable[Any], frame: FrameType, what: str) -> None:
        given = [require_tracked(y, f"{what}()") for y in outputs]
        if not given:
            raise ArgumentError(f"{what}() was given nothing. Give it the result whose tape you want: {what}(loss).")
        nodes, leaves = collect(given, stale_allowed=True)
        self.nodes: list[Node] = sorted([*nodes, *leaves.values()], key=attrgetter("index"))
        self.position: dict[int, int] = {id(node): i for i, node in enumerate(self.nodes)}
        self.names: dict[int, str] = traced_names(self.nodes) | find_names(frame)

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
        try:
            return self._part(self.nodes[i]) if isinstance(i, slice) else self.nodes[i]
        except IndexError:
            there_are = f"it has {len(self)}, from 0 to {len(self) - 1}" if self.nodes else "it is empty"
            raise PositionError(f"tape[{i}]: this tape has no such node; {there_are}.") from None
        except (TypeError, ValueError):
            raise KindError(
                f"tape[{repr_text(i)}]: a tape takes a position, tape[3], or a slice, tape[3:9]. "
                "To find nodes by op or name use tape.find()."
            ) from None

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    # A Sequence looks for an equal entry; nodes compare entry by entry, and what is meant is the node itself.

    def __contains__(self, x: object) -> bool:
        return any(node is x for node in self.nodes)

    def count(self, value: object) -> int:
        """1 if the node is on the tape, else 0."""
        return int(value in self)

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """The position of a node in this list.

        Raises
        ------
        ArgumentError
            If it is not there.
        """
        for i in range(*slice(start, stop).indices(len(self))):
            if self.nodes[i] is value:
                return i
        raise ArgumentError("This node is not on the tape: the outputs do not depend on it.")

    def name_of(self, x: Any) -> str | None:
        """The name of a node or constant: the one it was given, or that of the caller's variable that holds it."""
        return name_of(x, self.names)

    def arguments_of(self, node: Node) -> list[str]:
        """The arguments of the op that made a node: positions on the tape, and constants.

        Raises
        ------
        KindError
            If ``node`` is something else.
        """
        if not isinstance(node, Node):
            raise KindError(
                f"tape.arguments_of got {kind_text(node)}; it takes a node, such as one of the tape: "
                "tape.arguments_of(tape[3])."
            )
        texts = [
            f"%{self.position[id(a)]}" if id(a) in self.position else constant_text(a, self.name_of(a))
            for a in node.args
        ]
        if len(texts) > MAX_ARGUMENTS:
            texts = [*texts[: MAX_ARGUMENTS - 2], f"… {len(texts) - MAX_ARGUMENTS + 1} more", texts[-1]]
        return texts

    # Filters

    def find(
        self,
        op: str | None = None,
        *,
        name: str | None = None,
        line: int | str | None = None,
        scope: str | None = None,
        shape: tuple[int | None, ...] | None = None,
    ) -> Tape:
        """The nodes that fit everything that is given.

        Parameters
        ----------
        op, name : str, optional
            Of the op that made a node (``"leaf"`` if none did) and of the node: patterns such as ``"*mul*"``.
        line : int or str, optional
            Of source, as ``12`` or ``"model.py:12"``, for nodes made inside ``with ad.trace():``.
        scope : str, optional
            The modules that a node was made in, as a pattern of their dotted names: ``"model.layers.0"``, ``"*.0"``.
            What was made in modules inside fits too.
        shape : tuple, optional
            With None for any length: ``(None, 10)``.

        Returns
        -------
        Tape

        Raises
        ------
        KindError
            If what is given is of another type.

        Examples
        --------
        >>> import numpy as np
        >>> import autodiff as ad
        >>> x, w = np.ones((5, 2)), ad.Tensor(np.ones((2, 3)))
        >>> tape = Tape(ad.tanh(x @ w).sum())
        >>> print(tape.find(shape=(5, None)))
        index  name  op      arguments   shape   value     grad
           %1        matmul  x(5, 2), %0  (5, 3)  all 2.0     -
           %2        tanh    %1           (5, 3)  all 0.964   -
        >>> [node.rule.name for node in tape.find("*m*")]
        ['matmul', 'sum']
        """
        for option, pattern in (("op", op), ("name", name), ("scope", scope)):
            if pattern is not None and not isinstance(pattern, str):
                raise KindError(
                    f"tape.find got {option}={repr_text(pattern)}; it is text that a name is or looks like, "
                    "such as 'matmul' or '*mul*'."
                )
        if line is not None and (isinstance(line, bool) or not isinstance(line, int | str)):
            raise KindError(
                f"tape.find got line={repr_text(line)}; it is a number, such as 12, or text, such as 'model.py:12'."
            )
        if shape is not None and not _is_shape(shape):
            raise KindError(
                f"tape.find got shape={repr_text(shape)}; it is a tuple, such as (None, 10): None fits any length."
            )

        def fits(node: Node) -> bool:
            return (
                (op is None or fnmatchcase(op_of(node), op))
                and (name is None or fnmatchcase(self.name_of(node) or "", name))
                and (shape is None or (not is_freed(node) and _fits_shape(shape_of(node), shape)))
                and (line is None or _is_at(node, line))
                and (scope is None or _is_inside(node, scope))
            )

        return self.where(fits)

    def where(self, predicate: Callable[[Node], Any]) -> Tape:
        """The nodes for which ``predicate(node)`` is true.

        Examples
        --------
        >>> import autodiff as ad
        >>> x = ad.Value(3.0)
        >>> y = (x - 5) * (x + 1)
        >>> len(Tape(y).where(lambda n: n.data < 0)), Tape(y).where(lambda n: n.grad is not None).nodes
        (2, [])

        Raises
        ------
        KindError
            If ``predicate`` is no function.
        ShapeError
            If its answer is neither true nor false, but an array of them.
        """
        if not callable(predicate):
            raise KindError(
                f"tape.where got {repr_text(predicate)}; it takes a function of a node, such as "
                "lambda node: node.grad is None."
            )
        return self._part([node for node in self.nodes if _is_true(predicate(node))])

    def diff(self, other: Tape, *, rtol: float = 1e-5, atol: float = 1e-8) -> TapeDiff:
        """Compare this run with another one of the same program, or of a similar one, node by node.

        Nodes are matched by what they are: the op, its arguments, the shape.  Where the programs differ, what only one
        of them has is left unmatched.  A leaf that both runs share holds what it holds now: an optimizer's step between
        the runs shows in what was computed from it.

        Parameters
        ----------
        other : Tape
        rtol, atol : float
            Values differ if ``|a - b| > atol + rtol * |b|`` in any entry, as for ``np.allclose``; nan equals nan.

        Returns
        -------
        TapeDiff
            Prints as a table; ``.first`` is the first row that differs, ``.same`` is True if none does.

        Raises
        ------
        KindError
            If ``other`` is no tape.
        TapeError
            If a tape was freed.
        ArgumentError
            If a tolerance is no finite number of at least 0.

        Examples
        --------
        >>> import autodiff as ad
        >>> def run(a):
        ...     x = ad.Value(a, name="x")
        ...     y = ad.exp(x * 0 + 1) + ad.sin(x)
        ...     y.backward()
        ...     return Tape(y)
        >>> print(run(1.0).diff(run(1.5)))
        3 of 6 nodes differ. The first is %0 x (leaf): 1.0 here, 1.5 there.
        here  there  name  op    value here  value there    |Δ|  relative  |Δ grad|
          %0     %0  x     leaf      1.0          1.5     0.5     0.3333     0.4696
          %4     %4        sin       0.8415       0.9975  0.156   0.1564     0.0
          %5     %5  y     add       3.56         3.716   0.156   0.04199    0.0
        """
        if not isinstance(other, Tape):
            raise KindError(f"tape.diff compares with another tape, got {kind_text(other)}: give it ad.Tape(loss).")
        if any(is_freed(node) for tape in (self, other) for node in tape):
            raise TapeError(
                "tape.diff compares values, and backward(free=True) has let go of them. Leave free=True away, or "
                "compare before."
            )
        require_from_zero("tape.diff", rtol=rtol, atol=atol)
        return TapeDiff(self, other, rtol, atol)

    # The table

    def __str__(self) -> str:
        shown, hidden = self._shown()
        columns = _columns(shown)
        for detail in (3, 1, 0):
            lines = text_table(columns, [self._row(node, columns, detail) for node in shown], narrow=detail == 0)
            if max(map(text_width, lines)) <= MAX_WIDTH:
                break
        if hidden:
            lines.insert(1 + ENDS, f"{'…':>5}  {hidden} more nodes, not printed")
        return "\n".join([*lines, *_notes(shown)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table for a notebook."""
        shown, hidden = self._shown()
        columns = _columns(shown)
        rows = [self._row(node, columns) for node in shown]
        if hidden:
            rows.insert(ENDS, (f"… {hidden} more nodes, not printed",))
        return html_table(columns, [*rows, *((note,) for note in _notes(shown))])

    def _shown(self) -> tuple[list[Node], int]:
        if len(self.nodes) <= MAX_ROWS:
            return self.nodes, 0
        return self.nodes[:ENDS] + self.nodes[-ENDS:], len(self.nodes) - 2 * ENDS

    def _row(self, node: Node, columns: Sequence[Column], detail: int = 3) -> tuple[str, ...]:
        name = self.name_of(node)
        options = [] if node.rule is FREED else options_of(node)
        freed = is_freed(node)
        cells = (
            f"%{self.position[id(node)]}",
            shorten(name, 32) if name else "",
            op_of(node),
            ", ".join([*self.arguments_of(node), *options]),
            "" if freed else shape_text(node),
            FREE if freed else data_text(node._data, detail),
            data_text(node.grad, detail),
            line_of(node),
        )
        return cells[: len(columns)]


def _columns(shown: Iterable[Node]) -> tuple[Column, ...]:
    return (*COLUMNS, LINE) if any(node.origin is not None for node in shown) else COLUMNS


def _notes(shown: Iterable[Node]) -> list[str]:
    return [FREE_NOTE] if any(node.rule is FREED for node in shown) else []


def _is_true(answer: Any) -> bool:
    data = data_of(answer)
    if isinstance(data, np.ndarray) and data.size != 1:
        raise ShapeError(
            f"tape.where got a function that answers with an array of shape {data.shape}; it should say one true or "
            "false for each node, such as lambda n: (n.data > 0).any()."
        )
    return bool(data)


def _is_shape(x: object) -> bool:
    return isinstance(x, tuple | list) and all(n is None or isinstance(n, int | np.integer) for n in x)


def _fits_shape(shape: tuple[int, ...], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(w is None or n == w for n, w in zip(shape, wanted, strict=True))


def _is_at(node: Node, line: int | str) -> bool:
    if node.origin is None:
        return False
    place = node.origin.place
    if isinstance(line, int):
        return place.line.number <= line <= place.last
    return line in (line_of(node), f"{place.line.filename}:{place.line.number}")


def _is_inside(node: Node, scope: str) -> bool:
    calls: tuple[Call, ...] = node.origin.scope if node.origin is not None else ()
    dotted = ""
    for call in calls:
        dotted = f"{dotted}.{call.step}" if dotted else call.step
        if fnmatchcase(dotted, scope):
            return True
    return False
