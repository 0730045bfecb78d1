"""The backward part of a scalar tape: the cotangents of a whole group at once, from all that use it.

Every use of a node is an edge.  A node's cotangent is the sum of what its edges send back, and the engine's sweep adds
them up from the newest use to the oldest: so the edges of a group become the rows of a table, newest first, and the
table is added up row by row.  A node with one edge that hands its cotangent on as it is needs no work at all: its
cotangent lies where that of its user lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .bodies import Body
from .forward import gather_rows, one_for_all, operand
from .printing import Page, Places
from .units import Group, Units
from .views import Ints, in_order
from .vjps import vjp_body

START, NOTHING = 0, 1
"""Where the cotangent of the result lies, and a -0.0, which changes no sum."""

FEW = 4
SMALL = 32
"""More than so few kinds of nodes in a group, of so small a number of edges each, are dealt with together."""


class Source(NamedTuple):
    """One argument of a group, and what its rule sends back there."""

    group: Group
    s: int
    body: Body

    @property
    def hands_on(self) -> bool:
        """Whether it sends back its cotangent as it is."""
        return self.body.out is self.body.inputs[0]


class Edges(NamedTuple):
    """All uses, those of one node side by side, newest first: who is used, by which source, by which of its ops."""

    target: Ints
    source: Ints
    position: Ints


class Backward:
    """Prints the sweep from one result."""

    def __init__(self, page: Page, units: Units, y: int, exact: bool) -> None:
        self.page, self.units, self.exact = page, units, exact
        self.sources: list[Source] = []
        self.edges = self._edges(y)
        self.size = 2
        self.at = np.full(len(units.at), -1)
        """Where the cotangent of each node lies in the array of all of them, ``g``."""
        self.at[y] = START
        order = np.arange(len(units.at) + 1)
        self.first = np.searchsorted(self.edges.target, order)
        for group in reversed(units.groups):
            self._cotangents_of(group.members, f"g_{group.name}", f"{group.pattern.rule.name}, level {group.depth}")
            self._hand_down(group)
        self._cotangents_of(units.leaves, "g_inputs", "inputs")

    def _edges(self, y: int) -> Edges:
        """Every use of a node that the result depends on."""
        reached = np.zeros(len(self.units.at), bool)
        reached[y] = True
        targets, users, ranks, sources, positions = [], [], [], [], []
        for group in reversed(self.units.groups):
            chosen = np.flatnonzero(reached[group.members])
            if not len(chosen):
                continue
            rule = group.pattern.rule
            for s, (kind, arg) in enumerate(zip(group.pattern.slots, group.args, strict=True)):
                body = vjp_body(group.pattern, s, self.exact) if kind.node and kind.tracked else None
                if body is None:
                    continue
                rows = 1 if arg.ndim == 1 else len(arg)
                position = (np.arange(rows)[:, None] * len(group.members) + chosen).ravel()
                target = arg.reshape(rows, -1)[:, chosen].ravel()
                user = group.members[chosen] if group.terms is None else group.terms[:rows, chosen].ravel()
                reached[target] = True
                targets.append(target)
                users.append(user)
                ranks.append(np.full(len(target), list(rule.vjps).index(rule.inputs[s])))
                sources.append(np.full(len(target), len(self.sources)))
                positions.append(position)
                self.sources.append(Source(group, s, body))
        if not targets:
            return Edges(*[np.zeros(0, int)] * 3)
        target, user, rank, source, position = map(np.concatenate, (targets, users, ranks, sources, positions))
        order = np.lexsort((rank, -user, target))
        return Edges(target[order], source[order], position[order])

    def _hand_down(self, group: Group) -> None:
        """The sums on the way of a chain have the cotangent of its end."""
        if group.terms is not None:
            self.at[group.terms] = self.at[group.members]

    def _cotangents_of(self, nodes: Ints, name: str, what: str) -> None:
        """Print what the cotangents of a group add up to."""
        alike: dict[bytes, list[int]] = {}
        for node in nodes.tolist():
            a, b = self.first[node], self.first[node + 1]
            if a < b:
                alike.setdefault(self.edges.source[a:b].tobytes(), []).append(node)
        kinds = [np.array(found) for found in alike.values()]
        small = [k for k in kinds if len(k) * (self.first[k[0] + 1] - self.first[k[0]]) < SMALL]
        few = len(small) <= FEW
        for found in kinds if few else [k for k in kinds if not any(k is x for x in small)]:
            self._explained(found, name, what, self._alike)
        if not few:
            self._explained(np.concatenate(small), name, what, self._unlike)

    def _explained(self, nodes: Ints, name: str, what: str, write: Callable[[Ints, str], None]) -> None:
        """Print lines under a comment, if there is anything to do."""
        comment = len(self.page.lines)
        self.page.say(f"# Cotangents of {len(nodes):,} × {what}")
        write(nodes, name)
        if len(self.page.lines) == comment + 1:
            self.page.lines.pop()

    def _new(self, n: int, name: str) -> int:
        """So many places for cotangents."""
        start = self.size
        self.page.label("g", start, n, name)
        self.size += n
        return start

    def _table(self, nodes: Ints) -> Ints:
        """The edges of nodes that have equally many, one row an edge."""
        count = self.first[nodes[0] + 1] - self.first[nodes[0]]
        return self.first[nodes] + np.arange(count)[:, None]

    def _alike(self, nodes: Ints, name: str) -> None:
        """Cotangents of nodes that are used by the same sources."""
        table = self._table(nodes)
        count, n = table.shape
        of = self.edges.source[table[:, 0]]
        if count == 1:
            source = self.sources[of[0]]
            if source.hands_on:
                self.at[nodes] = self._handed(source, self.edges.position[table[0]])
                return
            start = self._new(n, name)
            self._send(source, self.edges.position[table[0]], "g", start)
        else:
            start = self._new(n, name)
            memory = self.page.name("sent")
            self.page.scratch[memory] = table.size
            row = 0
            while row < count:
                end = row + 1
                while end < count and of[end] == of[row]:
                    end += 1
                self._send(self.sources[of[row]], self.edges.position[table[row:end]].ravel(), memory, row * n, n)
                row = end
            self._add_up(memory, count, n, start)
        self.at[nodes] = np.arange(start, start + n)

    def _handed(self, source: Source, position: Ints) -> Ints:
        """Where the cotangents lie that a source hands on."""
        return self.at[source.group.members[position % len(source.group.members)]]

    def _send(self, source: Source, position: Ints, array: str, start: int, n: int = 0) -> None:
        """Print what a source sends back, of those of its ops, into an array."""
        if source.hands_on:
            part = Places("g", self._handed(source, position))
            gather_rows(
                self.page, part, array, start // (n or 1), len(position) // (n or len(position)), n or len(position)
            )
            return
        group = source.group
        assert group.terms is None
        operands: list[Any] = [Places("g", self.at[group.members[position]])]
        for kind, arg in zip(group.pattern.slots, group.args, strict=True):
            if kind.fixed is None:
                operands.append(operand(self.units, arg[position]) if kind.node else one_for_all(arg[position]))
        operands.append(Places("v", group.at + position))
        self.page.compute(source.body, operands, len(position), array, start)

    def _add_up(self, memory: str, count: int, n: int, start: int) -> None:
        """Print the sums of the columns of a table, from the first row to the last."""
        rows = self.page.view(memory, in_order(0, (count, n)))
        into = self.page.view("g", in_order(start, (n,)))
        if n == 1 and self.exact:  # NumPy adds a single column up in pairs
            self.page.say(f"{into}[...] = np.add.accumulate({rows})[-1]")
        else:
            self.page.say(f"np.add.reduce({rows}, axis=0, out={into}, initial=-0.0)")  # 0.0 would change a -0.0

    def _unlike(self, nodes: Ints, name: str) -> None:
        """Cotangents of nodes of which hardly two are used alike: everything is sent, then gathered and added up."""
        count = self.first[nodes + 1] - self.first[nodes]
        edges = (
            np.repeat(self.first[nodes], count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        )
        where = np.full(len(self.edges.target), NOTHING)
        of = self.edges.source[edges]
        for k in np.unique(of).tolist():
            mine, source = edges[of == k], self.sources[k]
            position = self.edges.position[mine]
            if source.hands_on:
                where[mine] = self._handed(source, position)
            else:
                start = self._new(len(mine), f"{name}_sent")
                self._send(source, position, "g", start)
                where[mine] = np.arange(start, start + len(mine))
        sizes = np.ceil(np.log2(count)).astype(int)
        for size in np.unique(sizes).tolist():
            some, often = nodes[sizes == size], count[sizes == size]
            longest = int(often.max())
            if longest == 1:
                self.at[some] = where[self.first[some]]
                continue
            table = np.full((longest, len(some)), NOTHING)
            for row in range(longest):
                has = often > row
                table[row, has] = where[self.first[some[has]] + row]
            start = self._new(len(some), name)
            memory = self.page.name("sent")
            self.page.scratch[memory] = table.size
            gather_rows(self.page, Places("g", table.ravel()), memory, 0, longest, len(some))
            self._add_up(memory, longest, len(some), start)
            self.at[some] = np.arange(start, start + len(some))
