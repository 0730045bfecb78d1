"""The first step: which layer each box stands in, so that links point from lower layers to higher ones.

Links that close a cycle are set aside.  Links into a cluster come from layers before it, and links out of it lead to
layers after it, as long as that makes no cycle.  Then the links are made as short as they can be together.

References
----------
.. [1] R. E. Tarjan, "Depth-First Search and Linear Graph Algorithms", SIAM Journal on Computing 1 (1972).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized

from .clusters import NOWHERE, Tree
from .simplex import Step, make_short

Pair = tuple[int, int]
"""A source and a target."""


def neighbours(count: int, pairs: Sequence[Pair]) -> tuple[list[list[int]], list[list[int]]]:
    """The sources of each node, and the targets of each."""
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        sources[target].append(source)
        targets[source].append(target)
    return sources, targets


def closing_pairs(count: int, pairs: Sequence[Pair]) -> set[Pair]:
    """The pairs that close a cycle: without them there is none.

    A depth-first walk meets a node that it has entered but not yet left exactly when it follows such a pair.

    Examples
    --------
    >>> sorted(closing_pairs(3, [(0, 1), (1, 2), (2, 0), (0, 2), (1, 1)]))
    [(1, 1), (2, 0)]
    """
    sources, targets = neighbours(count, pairs)
    entered, left = [False] * count, [False] * count
    closing: set[Pair] = set()
    starts = [v for v in range(count) if not sources[v]]
    for start in [*starts, *range(count)]:
        if entered[start]:
            continue
        entered[start] = True
        path = [(start, iter(targets[start]))]
        while path:
            node, rest = path[-1]
            for target in rest:
                if not entered[target]:
                    entered[target] = True
                    path.append((target, iter(targets[target])))
                    break
                if not left[target]:
                    closing.add((node, target))
            else:
                left[node] = True
                path.pop()
    return closing


def knots(count: int, pairs: Sequence[Pair]) -> list[int]:
    """For each node a number that it shares with the nodes that it lies on a cycle with, and no others.

    The strongly connected components, by the method of Tarjan [1]_.

    Examples
    --------
    >>> knots(4, [(0, 1), (1, 2), (2, 1), (2, 3)])
    [2, 1, 1, 0]
    """
    _, targets = neighbours(count, pairs)
    met: dict[int, int] = {}
    lowest = [0] * count
    knot = [-1] * count
    open_nodes: list[int] = []
    found = 0
    for start in range(count):
        path = [] if start in met else [(start, iter(targets[start]))]
        while path:
            node, rest = path[-1]
            if node not in met:
                met[node] = lowest[node] = len(met)
                open_nodes.append(node)
            for target in rest:
                if target not in met:
                    path.append((target, iter(targets[target])))
                    break
                if knot[target] < 0:
                    lowest[node] = min(lowest[node], lowest[target])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == met[node]:
                    while knot[node] < 0:
                        knot[open_nodes.pop()] = found
                    found += 1
    return knot


def frame_steps(homes: Sequence[int], pairs: Sequence[Pair], tree: Tree) -> list[Step]:
    """Steps that let links enter a cluster from the layer before it and leave to the layer after it.

    Two more nodes stand for the beginning and the end of each cluster.  Steps on a cycle are left out: there a link
    leaves the cluster and comes back, and what lies on its way stands beside the cluster.
    """
    count = len(homes)
    steps: dict[Step, None] = {}
    for v, home in enumerate(homes):
        if home != NOWHERE:
            steps[Step(count + 2 * home, v, 0, 0)] = steps[Step(v, count + 2 * home + 1, 0, 0)] = None
    for c, parent in enumerate(tree.parent):
        if parent != NOWHERE:
            steps[Step(count + 2 * parent, count + 2 * c, 0, 0)] = None
            steps[Step(count + 2 * c + 1, count + 2 * parent + 1, 0, 0)] = None
    crossing: dict[Step, None] = {}
    for u, v in pairs:
        shared = tree.shared(homes[u], homes[v])
        ends = [count + 2 * c + 1 for c in tree.path_of(homes[u])[shared:]]
        starts = [count + 2 * c for c in tree.path_of(homes[v])[shared:]]
        crossing.update((Step(end, v, 1, 0), None) for end in ends)
        crossing.update((Step(u, start, 1, 0), None) for start in starts)
        if ends and starts:
            crossing[Step(ends[0], starts[0], 1, 0)] = None
    every = [*pairs, *((s.source, s.target) for s in (*steps, *crossing))]
    knot = knots(count + 2 * len(tree.parent), every)
    return [*steps, *(s for s in crossing if knot[s.source] != knot[s.target])]


def in_order(behind: Mapping[int, Sized], ahead: Mapping[int, Iterable[int]]) -> list[int]:
    """The nodes of a graph without cycles in an order in which every link points forwards."""
    missing = {v: len(near) for v, near in behind.items()}
    order = [v for v, count in missing.items() if not count]
    for node in order:
        for target in ahead[node]:
            missing[target] -= 1
            if not missing[target]:
                order.append(target)
    return order


def as_late_as_can_be(count: int, steps: Sequence[Step]) -> list[int]:
    """A layer for each node, so that every step goes at least its length; the last layer is 0."""
    ahead: list[list[Step]] = [[] for _ in range(count)]
    for step in steps:
        ahead[step.source].append(step)
    layer = [0] * count
    sources, targets = neighbours(count, [(step.source, step.target) for step in steps])
    for v in reversed(in_order(dict(enumerate(sources)), dict(enumerate(targets)))):
        layer[v] = min([layer[step.target] - step.length for step in ahead[v]], default=0)
    return layer


def assign_layers(homes: Sequence[int], pairs: Sequence[Pair], tree: Tree) -> list[int]:
    """The layer of each node, from the cluster of each and the links: these point forwards, and are short together.

    Examples
    --------
    >>> assign_layers([NOWHERE] * 4, [(0, 1), (1, 2), (3, 2)], Tree([]))
    [0, 1, 2, 1]
    """
    count = len(homes)
    steps = [Step(*pair) for pair in pairs] + frame_steps(homes, pairs, tree)
    layer = make_short(as_late_as_can_be(count + 2 * len(tree.parent), steps), steps)[:count]
    number = {i: k for k, i in enumerate(sorted(set(layer)))}  # no layer is empty
    return [number[i] for i in layer]
