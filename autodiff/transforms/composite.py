"""Composite rules: a single node stands on the tape for a whole computation.

A checkpoint, an integral, a root and the solution of a differential equation have this in common: what happens inside
is not kept, the inputs may be tensors that a function closes over, and the derivatives are those of another
computation.  A subclass of :class:`Composite` says which; the sweeps, the recording of what they do and the search for
the inputs stand here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.modes import enable_grad
from ..core.node import Node, record
from ..core.rule import Rule
from ..core.tape import collect
from ..tensor import Tensor
from ..value import Value


def older(outputs: Iterable[Any], start: int) -> tuple[Node, ...]:
    """The tracked nodes with a number below ``start`` that ``outputs`` depend on: what a function closed over.

    Parameters
    ----------
    outputs : iterable
        Results of a call; what is no tracked node depends on nothing.
    start : int
        :func:`~autodiff.core.node.next_index` from before the call.
    """
    _, leaves = collect([y for y in outputs if isinstance(y, Node) and y.tracked], range(start))
    return tuple(x for i, x in sorted(leaves.items()) if i < start)


class Composite(Rule):
    """The rule of one node that stands for a whole computation of its arguments.

    A subclass defines :meth:`cotangents` and :meth:`tangent`.  With ``create_graph`` they must compute on nodes, with
    the package's own ops: on ``node`` itself where they need the result, on its arguments and on the derivatives given.
    Then the computation can be differentiated again, to any order.

    Parameters
    ----------
    name : str
        What the tape calls it.
    formula : str
        In LaTeX, of the result ``y`` and what it depends on, ``w``.
    """

    by_argument = False

    def __init__(self, name: str, formula: str) -> None:
        def forward(*w: Any) -> Any:
            raise NotImplementedError

        forward.__name__ = name
        super().__init__(forward, formula=formula, listed=False)

    def cotangents(self, g: Any, node: Node, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        """Pairs of a node and its cotangent, given that of ``node``; those of nodes that are no arguments are left."""
        raise NotImplementedError

    def tangent(self, tangents: dict[int, Any], node: Node, create_graph: bool) -> Any:
        """The tangent of ``node``, given those of its arguments by index; at least one is given."""
        raise NotImplementedError

    def result(self, data: Any, inputs: tuple[Node, ...]) -> Node:
        """The node with this value, as a function of ``inputs``; recorded where recording is on."""
        kind: Any = Tensor if isinstance(data, np.ndarray | np.generic) else Value
        node: Node = record(kind, data, self, inputs, None, None, True)
        return node

    def pull(self, g: Any, node: Node, pending: dict[int, Any], create_graph: bool = False) -> None:
        """Add the cotangents of the arguments to ``pending``."""
        wanted = {x.index for x in node.args}
        with enable_grad():
            for x, c in self.cotangents(g, node, create_graph):
                if x.index in wanted:
                    c = x._fit_cotangent(c, g)
                    pending[x.index] = pending[x.index] + c if x.index in pending else c

    def pull_nodes(self, g: Any, node: Node, pending: dict[int, Any]) -> None:
        """The same, recorded."""
        self.pull(g, node, pending, create_graph=True)

    def push(self, tangents: dict[int, Any], node: Node, create_graph: bool = False) -> Any:
        """The tangent of the result, from those of the arguments."""
        if not any(x.index in tangents for x in node.args):
            return None
        with enable_grad():
            return self.tangent(tangents, node, create_graph)

    def push_nodes(self, tangents: dict[int, Any], node: Node) -> Any:
        """The same, recorded."""
        return self.push(tangents, node, create_graph=True)
