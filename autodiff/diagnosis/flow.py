"""How a gradient gets from a loss to one node: the sweep taken apart, with the size of what flows along each edge."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..core.edges import Contribution, contributions, pull_apart
from ..core.errors import KindError
from ..core.listing import Tape
from ..core.node import Array, Node, data_of, shape_of
from ..core.numbers import like, to_float
from ..core.source import Line
from ..core.summary import constant_text, shorten


class Size(NamedTuple):
    """How large an array is, and how many of its entries are zero, nan and infinite."""

    total: int
    zeros: int
    nan: int
    infinite: int
    largest: float
    norm: float

    @property
    def is_zero(self) -> bool:
        """Whether all entries are 0; so are those of an empty array."""
        return self.zeros == self.total

    @property
    def is_finite(self) -> bool:
        """Whether no entry is nan or infinite."""
        return not self.nan and not self.infinite


def measure(x: Any) -> Size:
    """The size of the entries of a node, array or number; of the finite ones, where it says how large they are.

    Examples
    --------
    >>> measure(np.array([3.0, 0.0, -4.0, np.nan]))
    Size(total=4, zeros=1, nan=1, infinite=0, largest=4.0, norm=5.0)
    """
    if x.__class__ is float and x - x == 0:  # most of a long tape
        return Size(1, int(x == 0), 0, 0, abs(x), abs(x))
    if x.__class__ is np.ndarray and x.dtype.char == "d" and x.size:  # and nearly all of the rest
        entries = np.abs(x).ravel()
        largest = entries.item(entries.argmax())  # nan if there is one
        zeros = entries.size - int(np.count_nonzero(entries))
        if not largest:
            return Size(entries.size, zeros, 0, 0, 0.0, 0.0)
        if 1e-140 < largest < 1e140:  # the squares neither overflow nor vanish
            return Size(entries.size, zeros, 0, 0, largest, math.sqrt(entries.dot(entries)))
    with np.errstate(all="ignore"):
        entries = np.abs(as_floats(x))
        nan, infinite = int(np.count_nonzero(np.isnan(entries))), int(np.count_nonzero(np.isinf(entries)))
        finite = entries[np.isfinite(entries)] if nan or infinite else entries
        largest = float(finite.max()) if finite.size else 0.0
        # Scaled, so that the squares neither overflow nor vanish.
        norm = largest * math.sqrt(float(np.sum((finite / largest) ** 2, dtype=float))) if largest else 0.0
    return Size(entries.size, entries.size - int(np.count_nonzero(entries)), nan, infinite, largest, norm)


def as_floats(x: Any) -> Array:
    """The entries of a node, array or number, of any kind that has a size.

    Raises
    ------
    KindError
        If they are symbols.
    """
    data = np.asarray(data_of(x))
    if data.dtype.kind in "fc":
        return data
    if data.dtype.kind in "biu":
        return data.astype(float)
    try:
        return np.array([to_float(entry) for entry in data.ravel()]).reshape(data.shape)
    except (TypeError, ValueError):
        raise KindError(
            f"ad.why measures gradients, and {type(data_of(x)).__name__} {str(x)[:40]!r} has no size: it is a symbol. "
            "Put numbers in, or look at ad.derive(y, wrt=x)."
        ) from None


class Edge(NamedTuple):
    """One argument of one op on the way: the cotangent of the op, and the size of what the argument gets of it."""

    node: Node
    k: int
    g: Any
    before: Size
    after: Size

    @property
    def op(self) -> str:
        """The name of the op."""
        return self.node.rule.name  # type: ignore[union-attr]

    @property
    def argument(self) -> Any:
        """Which argument it is."""
        return self.node.args[self.k]

    @property
    def others(self) -> list[Any]:
        """The other arguments of the op."""
        return [a for k, a in enumerate(self.node.args) if k != self.k]

    @property
    def gain(self) -> float:
        """The size of what comes out, by the size of what goes in."""
        return self.after.norm / self.before.norm if self.before.norm else math.inf

    def contribution(self) -> Contribution:
        """What the argument gets."""
        found = contributions(self.node, self.g)[self.k]
        assert found is not None  # there is an edge only where there was one
        return found

    def arrives(self, where: Any) -> Array:
        """The entries of ``where``, an array that fits the shape of the result, that a cotangent reaches."""
        g = as_floats(self.g)
        return np.broadcast_to(as_floats(where), g.shape)[g != 0]


class Flow:
    """What a sweep from ``loss`` sends to ``p``, along every edge of the tape that leads there.  No ``.grad`` changes.

    Attributes
    ----------
    tape : Tape
        Of the loss.
    gradient : ndarray, number or None
        What arrives at ``p``; None if nothing does.
    edges : list of Edge
        Between nodes that depend on ``p``, newest first.
    cotangents : dict of int to array
        The finished cotangent of each of those nodes, by its creation number.
    """

    def __init__(self, tape: Tape, loss: Node, p: Node) -> None:
        self.tape, self.loss, self.p = tape, loss, p
        self.depending = depending_on(tape, [p])
        self.edges: list[Edge] = []
        self.cotangents: dict[int, Any] = {}
        self.into: dict[int, list[Edge]] = {}
        sizes: dict[int, tuple[Any, Size]] = {}  # of what was sent last: a single contribution is the cotangent
        for node, g, parts in pull_apart([loss], [ones_like(loss)], wanted=self.depending):
            self.cotangents[node.index] = g
            if node is p:
                continue
            sent, before = sizes.pop(node.index, (None, None))
            if before is None or sent is not g:
                before = measure(g)
            for k, (x, part) in enumerate(zip(node.args, parts)):
                if part is not None:
                    edge = Edge(node, k, g, before, measure(part.fitted))
                    self.edges.append(edge)
                    self.into.setdefault(x.index, []).append(edge)
                    sizes[x.index] = part.fitted, edge.after
        self.gradient = self.cotangents.get(p.index)

    def lost(self) -> list[Edge]:
        """Where a cotangent that is not zero becomes zero, the heaviest first."""
        found = [edge for edge in self.edges if edge.after.is_zero and not edge.before.is_zero]
        return sorted(found, key=lambda edge: -edge.before.norm)

    def behind(self, edge: Edge) -> Flow:
        """What a cotangent of ones at the argument of ``edge`` would send to ``p``."""
        return Flow(self.tape, edge.argument, self.p)

    def cancelled(self) -> tuple[Node, list[Edge]] | None:
        """A node whose contributions are not zero, and add up to nothing but rounding; the last on the way to it."""
        for index in sorted(self.into):
            uses, g = self.into[index], self.cotangents.get(index)
            parts = sum(edge.after.norm for edge in uses)
            if len(uses) > 1 and g is not None and measure(g).norm <= 1e-12 * parts and parts > 0:
                return uses[0].argument, uses
        return None

    def depends(self) -> bool:
        """Whether the loss changes at all if the data of ``p`` does: the tape is run again with other data."""
        rng = np.random.default_rng(0)
        data = np.asarray(data_of(self.p))
        values = {self.p.index: data + (0.1 + 0.1 * np.abs(data)) * rng.normal(size=data.shape)}
        try:
            with np.errstate(all="ignore"):
                for node in self.depending.values():
                    if node is not self.p and node.rule is not None:
                        args = [values.get(x.index, x._data) if isinstance(x, Node) else x for x in node.args]
                        values[node.index] = node.rule.forward(*args, **(node.params or {}))
            return not np.allclose(values[self.loss.index], self.loss._data, rtol=1e-9, atol=1e-12)
        except Exception:  # numbers of other kinds, indices that are nodes, options that are: then nobody knows
            return True

    @functools.cached_property
    def heaviest_path(self) -> list[Edge]:
        """From the loss to ``p`` by the largest contribution at each step, taken backwards."""
        path: list[Edge] = []
        index = self.p.index
        while uses := self.into.get(index):
            heaviest = uses[0]
            if len(uses) > 1:
                largest = max(edge.after.norm for edge in uses) * (1 - 1e-9)  # rounding decides nothing
                heaviest = next((edge for edge in reversed(uses) if edge.after.norm >= largest), heaviest)
            path.append(heaviest)
            index = heaviest.node.index
        return path[::-1]


def ones_like(node: Node) -> Any:
    """A cotangent of ones for a node."""
    data = node._data
    return np.ones_like(data) if isinstance(data, np.ndarray) else like(data, 1)


def depending_on(tape: Iterable[Node], sources: Iterable[Node]) -> dict[int, Node]:
    """The nodes of a tape, oldest first, that depend on one of ``sources``, with themselves, by creation number."""
    found = {x.index: x for x in sources}
    for node in tape:
        if node.index not in found and any(isinstance(x, Node) and x.index in found for x in node.args):
            found[node.index] = node
    return found


# How things are called in what is said about them.


def called(tape: Tape, x: Any) -> str:
    """What a node or constant is called: by its name, or by what made it."""
    name = tape.name_of(x)
    if name:
        return shorten(name, 40)
    if not isinstance(x, Node):
        return constant_text(x)
    if x.rule is not None:
        where = f" (%{tape.position[id(x)]})" if id(x) in tape.position else ""
        return f"the result of {x.rule.name}{where}"
    return f"a {type(x).__name__} of shape {shape_of(x)}"


def line_of(node: Any) -> Line | None:
    """The line of source that made a node, where that is known."""
    return node.origin.place.line if isinstance(node, Node) and node.origin is not None else None
