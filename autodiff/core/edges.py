"""What flows along the edges of a tape: the sweep taken apart, argument by argument.

The engine's own sweep adds cotangents up as it goes.  Who wants to show or to explain it needs them before that: what
each use of a node sends back, also where one op uses a node twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .node import Node
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
        # Only what a pull asks for: there is an entry for every argument on the tape.
        self._data = argument._data
        self.tracked = True
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
    with np.errstate(all="ignore"):
        return _pull_alone(node, g)


def _pull_alone(node: Node, g: Any, wanted: Collection[int] | None = None) -> list[Contribution | None]:
    """What :func:`contributions` returns, of the arguments that are wanted; NumPy may warn of infinite slopes."""
    rule: Any = node.rule
    args: list[Any] = list(node.args)
    parts: list[Contribution | None] = [None] * len(args)
    found: dict[int, Any] = {}
    if not rule.by_argument:  # a whole function: what a node gets is not told apart by argument
        rule.pull(g, node, found)
        for k, a in enumerate(args):
            if isinstance(a, Node) and a.index in found and (wanted is None or a.index in wanted):
                c = found.pop(a.index)
                parts[k] = Contribution(c, c)
        return parts
    for k, a in enumerate(args):
        if isinstance(a, Node):
            args[k] = Entry(a, k) if a.tracked and (wanted is None or a.index in wanted) else a._data
    alone = Node.__new__(Node)  # the same op, applied to the entries
    alone._data, alone.rule, alone.params, alone.tracked = node._data, rule, node.params, True
    alone._a, alone._b = (tuple(args), None) if rule.many else (*args, None)[:2]
    rule.pull(g, alone, found)
    for k, c in found.items():
        raw = args[k].raw
        parts[k] = Contribution(c if raw is None else raw, c)
    return parts


class Pulled(NamedTuple):
    """One node passed by a sweep: its finished cotangent, and what its arguments get of it."""

    node: Node
    g: Any
    contributions: list[Contribution | None]


def pull_apart(
    outputs: Sequence[Node], cotangents: Sequence[Any], wanted: Collection[int] | None = None
) -> Iterator[Pulled]:
    """Walk the tape backwards as :func:`~autodiff.core.tape.pull_back` does, and yield the contributions unadded.

    Nodes come newest first, leaves last with no contributions; what no cotangent reaches does not come.  Given
    creation numbers that are ``wanted``, only those nodes get anything.  Nobody's ``.grad`` changes.
    """
    nodes, leaves = collect(outputs)
    pending: dict[int, Any] = {}
    for y, g in zip(outputs, cotangents, strict=True):
        pending[y.index] = pending[y.index] + g if y.index in pending else g
    with np.errstate(all="ignore"):  # once for all: infinite slopes are answers
        for node in reversed(nodes):
            g = pending.pop(node.index, None)
            if g is None:
                continue
            parts = _pull_alone(node, g, wanted)
            yield Pulled(node, g, parts)
            for x, part in zip(node.args, parts, strict=True):
                if part is not None:
                    c, i = part.fitted, x.index
                    pending[i] = pending[i] + c if i in pending else c
    for i, leaf in leaves.items():
        if i in pending:
            yield Pulled(leaf, pending[i], [])
