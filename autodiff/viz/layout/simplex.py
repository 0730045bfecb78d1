"""Layers that make links short: the network simplex method [1]_.

A step is *tight* if it goes no further than it must.  Tight steps that hold all nodes together form a tree.  Take a
step out of the tree, and a branch of it comes loose.  If more weight pulls the branch one way than the other, it moves
that way, until the first step from it becomes tight and takes the other's place in the tree.  When no branch wants to
move, the steps are as short together as can be.

References
----------
.. [1] E. R. Gansner, E. Koutsofios, S. C. North, K.-P. Vo, "A Technique for Drawing Directed Graphs", IEEE Transactions
   on Software Engineering 19 (1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

MOST_VISITS = 300_000
"""Nodes of branches looked at, after which what has been reached is good enough."""


class Step(NamedTuple):
    """From one node to another over so many layers or more; the weight says how much it matters that it is short."""

    source: int
    target: int
    length: int = 1
    weight: int = 1


def make_short(layer: Sequence[int], steps: Sequence[Step]) -> list[int]:
    """Improve layers in which every step goes at least its length, so that the steps are as short together as can be.

    Examples
    --------
    >>> make_short([0, 1, 3, 0], [Step(0, 1), Step(1, 2), Step(3, 2)])
    [0, 1, 2, 1]
    """
    return Simplex(layer, steps).run()


class Simplex:
    """The tree of tight steps, and the layers that go with it.

    One more node, the root, has a step without weight to each node that no other step leads to, so that everything
    hangs together.

    Attributes
    ----------
    layer : list of int
    up : list of Step or None
        The step of the tree that joins each node to the one above it in the tree.
    below : list of dict of int to None
        The nodes right below each in the tree.
    pull : list of int
        The weight of the steps that lead out of each node's branch, less that of those that lead into it.  Steps inside
        the branch cancel, so this is the sum of a number for each of its nodes.
    """

    def __init__(self, layer: Sequence[int], steps: Sequence[Step]) -> None:
        root = len(layer)
        reached = {step.target for step in steps}
        steps = [*steps, *(Step(root, v, 0, 0) for v in range(root) if v not in reached)]
        self.layer = [*layer, min(layer, default=0)]
        self.behind: list[list[Step]] = [[] for _ in self.layer]
        self.ahead: list[list[Step]] = [[] for _ in self.layer]
        self.pull = [0] * len(self.layer)
        for step in steps:
            self.ahead[step.source].append(step)
            self.behind[step.target].append(step)
            self.pull[step.source] += step.weight
            self.pull[step.target] -= step.weight
        self.up: list[Step | None] = [None] * len(self.layer)
        self.below: list[dict[int, None]] = [{} for _ in self.layer]
        for v in reversed(self.grow(steps)):
            for w in self.below[v]:
                self.pull[v] += self.pull[w]

    def slack(self, step: Step) -> int:
        """How much longer a step is than it must be."""
        return self.layer[step.target] - self.layer[step.source] - step.length

    def grow(self, steps: Sequence[Step]) -> list[int]:
        """Grow the tree from the root along tight steps; where none leads on, move the tree until one does."""
        root = len(self.layer) - 1
        grown = [root]
        inside = [False] * len(self.layer)
        inside[root] = True
        done = 0
        while True:
            while done < len(grown):
                v = grown[done]
                done += 1
                for step in (*self.ahead[v], *self.behind[v]):
                    w = step.target if step.source == v else step.source
                    if not inside[w] and not self.slack(step):
                        inside[w] = True
                        self.hang(w, v, step)
                        grown.append(w)
            leaving = [step for step in steps if inside[step.source] != inside[step.target]]
            if not leaving:
                return grown
            nearest = min(leaving, key=self.slack)
            move = self.slack(nearest) if inside[nearest.source] else -self.slack(nearest)
            for v in grown:
                self.layer[v] += move
            done = grown.index(nearest.source if inside[nearest.source] else nearest.target)

    def hang(self, v: int, above: int, step: Step) -> None:
        """Join a node to the tree."""
        self.up[v] = step
        self.below[above][v] = None

    def above(self, v: int) -> int:
        """The node that a node hangs on; -1 for the root."""
        step = self.up[v]
        return -1 if step is None else step.source if step.target == v else step.target

    def branch(self, v: int) -> list[int]:
        """A node and all below it."""
        nodes = [v]
        for w in nodes:
            nodes.extend(self.below[w])
        return nodes

    def run(self) -> list[int]:
        """Move branches while one gains by it: the layers of all nodes but the root, from 0."""
        visits = 0
        moved = True
        while moved and visits < MOST_VISITS:
            moved = False
            for v in range(len(self.layer) - 1):
                step = self.up[v]
                if step is not None and (self.pull[v] < 0 if step.source == v else self.pull[v] > 0):
                    visits += self.move(v, later=step.target == v)
                    moved = True
        layer = self.layer[:-1]
        first = min(layer, default=0)
        return [i - first for i in layer]

    def move(self, v: int, later: bool) -> int:
        """Move the branch of a node until a step from it is tight, and hang it there: how many nodes it has."""
        branch = self.branch(v)
        inside = set(branch)
        if later:
            leaving = [step for w in branch for step in self.ahead[w] if step.target not in inside]
        else:
            leaving = [step for w in branch for step in self.behind[w] if step.source not in inside]
        tight = min(leaving, key=self.slack)
        distance = self.slack(tight) if later else -self.slack(tight)
        for w in branch:
            self.layer[w] += distance
        self.rehang(v, tight, *((tight.source, tight.target) if later else (tight.target, tight.source)))
        return len(branch)

    def rehang(self, v: int, step: Step, end: int, above: int) -> None:
        """Take the branch of a node off the tree, and hang it by another of its nodes on another place."""
        total = self.pull[v]
        w = self.above(v)
        del self.below[w][v]
        while w >= 0:
            self.pull[w] -= total
            w = self.above(w)
        path = [end]
        while path[-1] != v:
            path.append(self.above(path[-1]))
        for lower, upper in reversed(list(pairwise(path))):
            joint = self.up[lower]
            assert joint is not None
            del self.below[upper][lower]
            self.hang(upper, lower, joint)
            self.pull[upper] = total - self.pull[lower]
        self.pull[end] = total
        self.hang(end, above, step)
        w = above
        while w >= 0:
            self.pull[w] += total
            w = self.above(w)
