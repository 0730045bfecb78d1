"""What flows along the edges of a tape: the sweep taken apart, argument by argument.

The engine's own sweep adds cotangents up as it goes.  Who wants to show or to explain it needs them before that: what
each use of a node sends back, also where one op uses a node twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .node import Node, twin
from .tape import collect


class Contribution(NamedTuple):
    """What one argument of one op gets back.

    ``raw`` is what the rule's VJP makes of the cotangent; ``fitted`` is that in the shape and kind of the argument:
    what broadcasting repeated is summed, what was promoted is cast.  Where there is nothing to fit they are one object.
    """

    raw: Any
    fitted: Any


class Entry(Node):
    """Stands for one argument of one node in a pull of its own."""

    __slots__ = ("argument", "raw")

    argument: Node
    raw: Any

    def __init__(self, argument: Node, position: int) -> None:
        super().__init__(argument._data, argument.tracked, argument.name)
        self.argument = argument
        self.index = position
        self.raw = None

    def _fit_cotangent(self, c: Any, source: Any) -> Any:
        self.raw = c
        return self.argument._fit_cotangent(c, source)


def contributions(node: Node, g: Any) -> list[Contribution | None]:
    """What each argument of ``node`` gets back if the node's cotangent is ``g``; None for constants.

    Parameters
    ----------
    node : Node
        On a tape, and not a leaf.
    g : ndarray or number
        Of the shape and kind of the node's data.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.Value(3.0)
    >>> [c.fitted for c in contributions(x * x, 10.0)]
    [30.0, 30.0]
    """
    rule: Any = node.rule
    if not rule.by_argument:  # a whole function: what a node gets is not told apart by argument
        whole: dict[int, Any] = {}
        with np.errstate(all="ignore"):
            rule.pull(g, node, whole)
        given = [whole.pop(a.index, None) if isinstance(a, Node) else None for a in node.args]
        return [None if c is None else Contribution(c, c) for c in given]
    entries = [Entry(a, k) if isinstance(a, Node) and a.tracked else a for k, a in enumerate(node.args)]
    alone = twin(node)
    alone._a, alone._b = (tuple(entries), None) if rule.many else (*entries, None)[:2]
    found: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        rule.pull(g, alone, found)
    return [
        Contribution(found[k] if entry.raw is None else entry.raw, found[k]) if k in found else None
        for k, entry in enumerate(entries)
    ]


class Pulled(NamedTuple):
    """One node passed by a sweep: its finished cotangent, and what its arguments get of it."""

    node: Node
    g: Any
    contributions: list[Contribution | None]


def pull_apart(outputs: Sequence[Node], cotangents: Sequence[Any]) -> Iterator[Pulled]:
    """Walk the tape backwards as :func:`~autodiff.core.tape.pull_back` does, and yield the contributions unadded.

    Nodes come newest first, leaves last with no contributions; what no cotangent reaches does not come.  Nobody's
    ``.grad`` changes.
    """
    nodes, leaves = collect(outputs)
    pending: dict[int, Any] = {}
    for y, g in zip(outputs, cotangents, strict=True):
        pending[y.index] = pending[y.index] + g if y.index in pending else g
    for node in reversed(nodes):
        g = pending.pop(node.index, None)
        if g is None:
            continue
        parts = contributions(node, g)
        yield Pulled(node, g, parts)
        with np.errstate(all="ignore"):
            for x, part in zip(node.args, parts, strict=True):
                if part is not None:
                    c, i = part.fitted, x.index
                    pending[i] = pending[i] + c if i in pending else c
    for i, leaf in leaves.items():
        if i in pending:
            yield Pulled(leaf, pending[i], [])
