"""The second step: every link cut into pieces between neighbouring layers.

Where a link passes a layer it gets a *bend* (a "dummy node" in the literature), which takes part in everything that
boxes take part in: it has a place in the order of its layer, and room of its own, so that no box can stand on the link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .clusters import Tree

MOST_BENDS = 16_000
"""With more bends than this the longest links go round the outside instead."""


@dataclass(slots=True)
class Bundle:
    """The links from one box to another, side by side, in the order of their entries.

    Attributes
    ----------
    links : list of int
        By position among the links that were given.
    exits, entries : list of float
        Where each leaves the source and enters the target, from their middles.
    bends : list of int
        Nodes of the net.
    """

    source: int
    target: int
    links: list[int]
    exits: list[float]
    entries: list[float]
    bends: list[int] = field(default_factory=list)

    @property
    def entry(self) -> float:
        """Where the bundle as a whole enters its target."""
        return sum(self.entries) / len(self.entries)

    def spread(self, place: int, spacing: float) -> float:
        """How far a link lies from the middle of the bundle."""
        return (place - (len(self.links) - 1) / 2) * spacing


@dataclass(slots=True)
class Net:
    """Boxes and bends in layers.  Nodes are numbered, boxes first.

    Attributes
    ----------
    boxes : int
        How many of the nodes are boxes.
    before, after : list of float
        The room that each node needs across the layers, before and after the middle of its links.
    layer, home : list of int
        The layer and the cluster of each node.
    sources, targets : list of list of int
        The nodes that each is joined to in the layer before, and in the layer after.
    entry : dict of (int, int) to float
        Where a piece of a link enters its target, from the middle of that; only where it is not the middle.
    rows : list of list of int
        The nodes of each layer in order.
    """

    boxes: int
    before: list[float]
    after: list[float]
    layer: list[int]
    home: list[int]
    sources: list[list[int]] = field(default_factory=list)
    targets: list[list[int]] = field(default_factory=list)
    entry: dict[tuple[int, int], float] = field(default_factory=dict)
    rows: list[list[int]] = field(default_factory=list)

    def add(self, layer: int, home: int, room: float) -> int:
        """Add a node that is no box."""
        self.before.append(room / 2)
        self.after.append(room / 2)
        self.layer.append(layer)
        self.home.append(home)
        return len(self.layer) - 1


def bundles_of(ends: Sequence[tuple[int, int, float]], across: Sequence[float], spacing: float) -> list[Bundle]:
    """The bundles of links, each given by its source, its target and where it enters that, from its middle."""
    together: dict[tuple[int, int], list[int]] = {}
    for i, (source, target, _) in enumerate(ends):
        together.setdefault((source, target), []).append(i)
    bundles = []
    for (source, target), links in together.items():
        links.sort(key=lambda i: ends[i][2])
        bundle = Bundle(source, target, links, [0.0] * len(links), [ends[i][2] for i in links])
        same: dict[float, list[int]] = {}
        for k, entry in enumerate(bundle.entries):
            same.setdefault(entry, []).append(k)
        for entry, alike in same.items():
            fan_out(bundle.exits, alike, across[source] / 2, spacing)
            fan_out(bundle.entries, alike, across[target] / 2 - abs(entry), spacing)
        bundles.append(bundle)
    return bundles


def fan_out(offsets: list[float], alike: list[int], room: float, spacing: float) -> None:
    """Draw apart the ends of links that would end at one point, as far as there is room on either side."""
    step = min(spacing, 2 * room / (len(alike) + 1))
    for i, k in enumerate(alike):
        offsets[k] += (i - (len(alike) - 1) / 2) * step


def short_enough(bundles: Sequence[Bundle], layer: Sequence[int], most: int = MOST_BENDS) -> list[Bundle]:
    """The bundles that are led from layer to layer: the shorter ones, as long as they have few bends together."""
    forwards = [b for b in bundles if layer[b.source] < layer[b.target]]
    bends = 0
    chosen = set()
    for i in sorted(range(len(forwards)), key=lambda i: layer[forwards[i].target] - layer[forwards[i].source]):
        bends += layer[forwards[i].target] - layer[forwards[i].source] - 1
        if bends > most:
            break
        chosen.add(i)
    return [b for i, b in enumerate(forwards) if i in chosen]


def cut_into_pieces(net: Net, bundles: Sequence[Bundle], tree: Tree, spacing: float) -> None:
    """Give each bundle its bends, join the nodes of neighbouring layers, and fill the layers in any order."""
    pieces: list[tuple[int, int]] = []
    for bundle in bundles:
        passed = range(net.layer[bundle.source] + 1, net.layer[bundle.target])
        homes = tree.homes_between(net.home[bundle.source], net.home[bundle.target], passed)
        room = spacing * (len(bundle.links) - 1)
        bundle.bends = [net.add(i, home, room) for i, home in zip(passed, homes)]
        path = [bundle.source, *bundle.bends, bundle.target]
        pieces.extend(pairwise(path))
        if bundle.entry:
            net.entry[path[-2], bundle.target] = bundle.entry
    fill_gaps(net, tree)
    net.sources = [[] for _ in net.layer]
    net.targets = [[] for _ in net.layer]
    for u, v in pieces:
        net.sources[v].append(u)
        net.targets[u].append(v)
    net.rows = [[] for _ in range(max(net.layer, default=-1) + 1)]
    for v, i in enumerate(net.layer):
        net.rows[i].append(v)


def fill_gaps(net: Net, tree: Tree) -> None:
    """Add a node to every layer that a cluster spans without having anything there, to keep its place."""
    filled = {(c, i) for home, i in zip(net.home, net.layer) for c in tree.path_of(home)}
    for c in reversed(range(len(tree.clusters))):
        for i in range(tree.first[c], tree.last[c] + 1):
            if (c, i) not in filled:
                net.add(i, c, 0.0)
                filled.update((d, i) for d in tree.path[c])


def is_bend(net: Net, node: int) -> bool:
    """Whether a node of the net is no box."""
    return node >= net.boxes
