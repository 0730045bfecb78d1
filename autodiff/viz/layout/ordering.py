"""The third step: the order inside each layer, chosen so that few links cross.

Layers are swept in turn, down and up: each is sorted by the mean place of the neighbours in the layer before it, the
barycentre method of Sugiyama, Tagawa and Toda [1]_.  After each sweep neighbours change places where that removes
crossings.  In the best order that was met single nodes then move further, as long as that removes more.

Clusters stay together, and never change sides from one layer to the next: a cluster is sorted as one item, by its mean.

References
----------
.. [1] K. Sugiyama, S. Tagawa, M. Toda, "Methods for Visual Understanding of Hierarchical System Structures", IEEE
   Transactions on Systems, Man, and Cybernetics 11 (1981).
.. [2] W. Barth, P. Mutzel, M. Jünger, "Simple and Efficient Bilayer Cross Counting", Journal of Graph Algorithms and
   Applications 8 (2004).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Sequence

from .clusters import NOWHERE, Tree
from .net import Net

PATIENCE = 4
"""Rounds of sweeps without a better order after which sweeping ends."""
MOST_ROUNDS = 24
MOST_PIECES = 40_000
"""Pieces of links that are looked at in all, over the rounds."""
SMALL = 1_500
"""With fewer pieces more is tried."""
LONGEST_MOVE = 60
"""Places that a single node may move at once; fewer where there are many nodes."""
MOST_LOOKS = 60_000
"""Places that nodes may try in all, after the sweeps."""

Row = list[int]


class Order:
    """The order of every layer, and the place of every node in it.

    At first nodes stand as they were met, and clusters as the first of theirs was met.
    """

    def __init__(self, net: Net, tree: Tree, met: Sequence[int]) -> None:
        self.net = net
        self.tree = tree
        self.clustered = any([home != NOWHERE for home in net.home])
        self.shift = {(u, v): entry / (net.before[v] + net.after[v]) for (u, v), entry in net.entry.items()}
        self.place = [0.0] * len(net.layer)
        first: dict[int, int] = {}
        for v in sorted(range(len(met)), key=met.__getitem__):
            for c in tree.path_of(net.home[v]):
                first.setdefault(c, met[v])
        around = {home: [(first[c], c) for c in tree.path_of(home)] for home in dict.fromkeys(net.home)}
        self.rows = [sorted(row, key=lambda v: [*around[net.home[v]], (met[v], len(around))]) for row in net.rows]
        self.set_rows(self.rows)

    def copy_rows(self) -> list[Row]:
        """The order as it is now."""
        return [row[:] for row in self.rows]

    def set_rows(self, rows: list[Row]) -> None:
        """Take an order."""
        self.rows = rows
        for row in rows:
            self.number(row)

    def number(self, row: Row) -> None:
        """Note the places of a row."""
        for i, v in enumerate(row):
            self.place[v] = i

    def places_before(self, v: int) -> list[float]:
        """The places of a node's sources."""
        place = self.place
        return [place[u] for u in self.net.sources[v]]

    def places_after(self, v: int) -> list[float]:
        """The places of a node's targets, at the entries that its links go to."""
        place = self.place
        if not self.shift:
            return [place[w] for w in self.net.targets[v]]
        shift = self.shift
        return [place[w] + shift.get((v, w), 0.0) for w in self.net.targets[v]]


def order_layers(net: Net, tree: Tree) -> None:
    """Sort every layer of a net so that few links cross."""
    pieces = sum(map(len, net.targets))
    small = pieces < SMALL
    orders = [Order(net, tree, walk(net, in_width)) for in_width in ((False, True) if small else (False,))]
    for order in orders:
        sweep_often(order, min(max(MOST_PIECES // (pieces + 1), 3), MOST_ROUNDS))
        move_often(order)
        if small:
            shake(order)
    net.rows = min(orders, key=crossings).rows


def sweep_often(order: Order, rounds: int) -> None:
    """Sweep while that helps, and keep the best order."""
    best, fewest, waited = order.copy_rows(), crossings(order), 0
    for _ in range(rounds):
        if not fewest or waited == PATIENCE:
            break
        sweep(order, downwards=True)
        sweep(order, downwards=False)
        move_nodes(order, 1)
        count = crossings(order)
        waited += 1
        if count < fewest:
            best, fewest, waited = order.copy_rows(), count, 0
    order.set_rows(best)


def move_often(order: Order) -> None:
    """Move single nodes while that helps."""
    reach = min(max(MOST_LOOKS // (16 * len(order.place) + 1), 1), LONGEST_MOVE)
    looks = 0
    while looks < MOST_LOOKS:
        gained, looked = move_nodes(order, reach)
        looks += looked
        if not gained:
            break


def shake(order: Order) -> None:
    """Sweep once more either way, and move single nodes again: that leads out of many a dead end."""
    best, fewest = order.copy_rows(), crossings(order)
    for downwards in (True, False):
        if fewest:
            sweep(order, downwards=downwards)
            move_often(order)
            count = crossings(order)
            if count < fewest:
                best, fewest = order.copy_rows(), count
    order.set_rows(best)


def walk(net: Net, in_width: bool) -> list[int]:
    """When a walk along the links meets each node: to the neighbours of all that it has met, or of the newest first."""
    met: dict[int, int] = {}
    for start in (v for row in net.rows for v in row):
        waiting = deque([start])
        while waiting:
            v = waiting.popleft() if in_width else waiting.pop()
            if v not in met:
                met[v] = len(met)
                near = [*net.sources[v], *net.targets[v]]
                waiting.extend(w for w in (near if in_width else reversed(near)) if w not in met)
    return [met[v] for v in range(len(met))]


def sweep(order: Order, *, downwards: bool) -> None:
    """Sort each layer by the one before it, from the first to the last or the other way."""
    rows = order.rows
    layers = range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1)
    for i in layers:
        places = order.places_before if downwards else order.places_after
        values = barycentres(rows[i], places)
        if order.clustered:
            sort_with_clusters(order, rows[i], values, i - 1 if downwards else i + 1)
        else:
            rows[i].sort(key=values.__getitem__)
        order.number(rows[i])


def barycentres(row: Row, places: Callable[[int], list[float]]) -> dict[int, float]:
    """The mean place of each node's neighbours; a node without any goes with the one before it."""
    values: dict[int, float] = {}
    last = -1.0
    for v in row:
        near = places(v)
        if near:
            last = sum(near) / len(near)
        values[v] = last
    return values


def sort_with_clusters(order: Order, row: Row, values: dict[int, float], fixed: int) -> None:
    """Sort a layer by values, where clusters stay together, and keep the order that they have in the fixed layer."""
    net, tree = order.net, order.tree
    members: dict[int, list[int]] = {}
    for v in row:
        for c in tree.path_of(net.home[v]):
            members.setdefault(c, []).append(v)
    place = order.place
    keys = {c: (sum([values[v] for v in held]) / len(held), place[held[0]], -1 - c) for c, held in members.items()}
    settled: dict[int, dict[int, None]] = {}
    for u in order.rows[fixed]:
        for c in tree.path_of(net.home[u]):
            if c in keys:
                settled.setdefault(tree.parent[c], {})[c] = None
    for siblings in settled.values():
        for c, (value, at, _) in zip(siblings, sorted(keys[c] for c in siblings)):
            keys[c] = value, at, -1 - c
    prefix = {c: [keys[d] for d in tree.path[c]] for c in keys}
    prefix[NOWHERE] = []
    row.sort(key=lambda v: [*prefix[net.home[v]], (values[v], place[v], v)])


def move_nodes(order: Order, reach: int) -> tuple[int, int]:
    """Move each node up to so many places along its layer, inside its cluster, where that removes most crossings.

    Returns how many crossings are gone, and how many places were tried.
    """
    gained = looked = 0
    for row in order.rows:
        before = {v: sorted(order.places_before(v)) for v in row}
        after = {v: sorted(order.places_after(v)) for v in row}
        for v in [v for v in row if before[v] or after[v]]:
            start = row.index(v)
            fewest, best = 0, start
            for step in (-1, 1):
                count = 0
                i = start + step
                while abs(i - start) <= reach and 0 <= i < len(row) and order.net.home[row[i]] == order.net.home[v]:
                    w = row[i]
                    count += step * (gain(before[v], before[w]) + gain(after[v], after[w]))
                    if count < fewest:
                        fewest, best = count, i
                    i += step
                looked += abs(i - start)
            if fewest:
                row.insert(best, row.pop(start))
                gained -= fewest
        order.number(row)
    return gained, looked


def gain(left: Sequence[float], right: Sequence[float]) -> int:
    """How many crossings more there would be if two nodes, whose links lead to these sorted places, changed places."""
    if not left or not right:
        return 0
    if len(left) == len(right) == 1:
        return (left[0] < right[0]) - (left[0] > right[0])
    return sum([len(right) - bisect_right(right, place) - bisect_left(right, place) for place in left])


def crossings(order: Order) -> int:
    """How often links cross: the inversions of their ends, when they are sorted by their starts [2]_."""
    count = 0
    for row in order.rows:
        ends: list[float] = []
        for v in row:
            near = sorted(order.places_after(v))
            if ends and near and near[0] < ends[-1]:
                count += sum([len(ends) - bisect_right(ends, place) for place in near])
            for end in near:
                insort(ends, end)
    return count
