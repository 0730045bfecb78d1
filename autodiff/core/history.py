"""What happened inside one ``with ad.trace():``, also off the tape."""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from .node import Node, data_of
from .source import Place

STEPS = 50_000
"""How many steps one ``with ad.trace():`` remembers."""


class Step(NamedTuple):
    """What is remembered of one op, without keeping its data alive, and also where nothing was recorded on the tape.

    ``number`` is the creation number, ``sources`` are those of its arguments, ``leaves`` the arguments that the user
    made.  ``mark`` tells the result again when it comes back as an array that has left the tape, ``constants`` are the
    marks of such arguments.
    """

    number: int
    op: str
    place: Place | None
    tracked: bool
    recording: bool
    differentiable: bool
    sources: tuple[int, ...]
    leaves: tuple[weakref.ref[Node], ...]
    mark: int | None
    constants: tuple[int, ...]


class History:
    """What happened inside one ``with ad.trace():``.  It is not copied along with nodes.

    Attributes
    ----------
    steps : deque of Step
        The last of them, oldest first.
    """

    def __init__(self) -> None:
        self.steps: deque[Step] = deque(maxlen=STEPS)
        self._names: dict[int, tuple[weakref.ref[Node], str]] = {}
        self._taken: dict[str, int] = {}

    def knows(self, leaf: Node) -> bool:
        """Whether a name was looked for already."""
        return id(leaf) in self._names

    def call(self, leaf: Node, name: str | None) -> None:
        """Remember what the program calls a leaf, as long as that lives."""
        key, names = id(leaf), self._names
        names[key] = (weakref.ref(leaf, lambda _: names.pop(key, None)), name or "")
        if name:
            first = self._taken.setdefault(name, key)
            if first != key and first in names:  # a variable that takes many in turn is the name of none
                for k in (first, key):
                    names[k] = (names[k][0], "")

    def name_of(self, leaf: Node) -> str | None:
        """What the program called a leaf where it was used first."""
        return self._names.get(id(leaf), (None, ""))[1] or None

    def __deepcopy__(self, memo: dict[int, Any]) -> History:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return History, ()  # references to leaves cannot be pickled

    def __repr__(self) -> str:
        return f"<history of {len(self.steps)} steps>"


TRIVIAL = (0, 1, -1)


def mark_of(data: Any) -> int | None:
    """A number that equal data has in common, of a sample of its entries; None for what many arrays have in common."""
    if isinstance(data, np.ndarray) and data.size and data.dtype.kind in "fc":
        if data.ndim == 0:
            return mark_of(data.item())
        entries = data[tuple([slice(None, None, -(-n // 16)) for n in data.shape])]
        first = entries.flat[0]
        if first in TRIVIAL and np.all(entries == first):
            return None
        return hash((data.shape, data.dtype.char, entries.tobytes()))
    return None if not isinstance(data, float | complex) or data in TRIVIAL else hash(data)


def step_of(node: Node, args: tuple[Any, ...], place: Place | None, recording: bool) -> Step:
    """What is to be remembered of an op that made ``node`` of ``args``."""
    rule: Any = node.rule
    nodes = [x for x in args if isinstance(x, Node)]
    marks = [mark_of(data_of(x)) for x in args if not (isinstance(x, Node) and x.tracked)]
    return Step(
        node.index,
        rule.name,
        place,
        node.tracked,
        recording,
        rule.differentiable,
        tuple([x.index for x in nodes]),
        tuple([weakref.ref(x) for x in nodes if x.rule is None]),
        mark_of(node._data),
        tuple([mark for mark in marks if mark is not None]),
    )
