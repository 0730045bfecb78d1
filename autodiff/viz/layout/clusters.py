"""The tree of clusters: who holds whom, over which layers, and the rectangles drawn around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.errors import ArgumentError
from .model import Box, Cluster

NOWHERE = -1
"""The parent of the outermost clusters, and the cluster of boxes that stand in none."""


class Tree:
    """The clusters by number, parents before children.

    Attributes
    ----------
    number : dict of str to int
    clusters : list of Cluster
    parent : list of int
    path : list of tuple of int
        Each cluster's ancestors from the outside in, and itself.
    first, last : list of int
        The layers that each spans; none (``first > last``) if it holds no box.
    """

    def __init__(self, clusters: Sequence[Cluster]) -> None:
        self.clusters = outside_in(clusters)
        self.number = {c.id: i for i, c in enumerate(self.clusters)}
        self.parent = [NOWHERE if c.parent is None else self.number[c.parent] for c in self.clusters]
        self.path: list[tuple[int, ...]] = []
        for i, parent in enumerate(self.parent):
            self.path.append((*self.path_of(parent), i))
        self.first = [0] * len(self.clusters)
        self.last = [-1] * len(self.clusters)

    def path_of(self, cluster: int) -> tuple[int, ...]:
        """The clusters around what stands in a cluster, from the outside in."""
        return () if cluster == NOWHERE else self.path[cluster]

    def span(self, homes: Sequence[int], layer: Sequence[int]) -> None:
        """Note the layers that each cluster spans, from the cluster and the layer of each box."""
        empty = [True] * len(self.clusters)
        for home, i in zip(homes, layer):
            for c in self.path_of(home):
                self.first[c] = i if empty[c] else min(self.first[c], i)
                self.last[c] = i if empty[c] else max(self.last[c], i)
                empty[c] = False

    def shared(self, a: int, b: int) -> int:
        """How many clusters hold both of two."""
        count = 0
        for c, d in zip(self.path_of(a), self.path_of(b)):
            if c != d:
                break
            count += 1
        return count

    def homes_between(self, source: int, target: int, layers: range) -> list[int]:
        """The cluster for each bend of a link: the source's while that lasts, then the target's once that has begun."""
        behind, ahead = self.path_of(source), self.path_of(target)
        shared = self.shared(source, target)
        common = behind[shared - 1] if shared else NOWHERE
        homes = []
        for i in layers:
            lasting = [c for c in behind[shared:] if self.last[c] >= i]
            begun = [c for c in ahead[shared:] if self.first[c] <= i]
            homes.append((lasting or begun or [common])[-1])
        return homes


@dataclass(slots=True)
class Sides:
    """The room that a frame leaves between itself and what it holds, and its least size across the layers."""

    before: float
    after: float
    above: float
    below: float
    least: float


def sides_of(cluster: Cluster, padding: float, sideways: bool) -> Sides:
    """The room in a frame: padding, and the title at the top of the picture."""
    high, wide = padding + cluster.label_height, 2 * padding + cluster.label_width
    return Sides(padding, padding, high, padding, 0.0) if sideways else Sides(high, padding, padding, padding, wide)


def refuse_repeated(what: str, ids: Sequence[str]) -> None:
    """Refuse ids that are not distinct."""
    known: set[str] = set()
    for id in ids:
        if id in known:
            raise ArgumentError(f"Two {what} have the id {id!r}; give each its own.")
        known.add(id)


def outside_in(clusters: Sequence[Cluster]) -> list[Cluster]:
    """The clusters with parents before children."""
    known = {c.id: c for c in clusters}
    refuse_repeated("clusters", [c.id for c in clusters])
    placed: dict[str, Cluster] = {}
    for cluster in clusters:
        chain: list[Cluster] = []
        while cluster.id not in placed:
            if cluster in chain:
                raise ArgumentError(f"The cluster {cluster.id!r} lies inside itself; parents must form a tree.")
            chain.append(cluster)
            if cluster.parent is None:
                break
            if cluster.parent not in known:
                raise ArgumentError(
                    f"The parent of the cluster {cluster.id!r} is {cluster.parent!r}, which is not among the clusters."
                )
            cluster = known[cluster.parent]
        placed.update((c.id, c) for c in reversed(chain))
    return list(placed.values())


def home_of(box: Box, tree: Tree) -> int:
    """The number of the cluster that a box stands in."""
    if box.cluster is None:
        return NOWHERE
    if box.cluster not in tree.number:
        raise ArgumentError(f"The box {box.id!r} stands in {box.cluster!r}, which is not among the clusters.")
    return tree.number[box.cluster]
