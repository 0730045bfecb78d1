"""A function of a state, recorded at many states at once, and parts of that record.

The record is one tape whose values are batches.  A part of it is the same tape with the values of one state: the
derivatives there need no other call of the function.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import tree
from ..core.node import Node, data_of, record
from ..core.placed import Placed
from ..core.tape import collect, pull_back, push_forward
from ..tensor import Tensor
from ..transforms.composite import Composite
from ..transforms.vmap import Batch, CannotBatchError, batch_of, examples_of, inside_batch


class Recorded:
    """A record at many states.

    Parameters
    ----------
    leaf : Node
        The states, a batch.
    output : Node
        What was computed of them: a batch, if it depends on anything that differs.
    count : int
        How many there are.

    Attributes
    ----------
    size : int
        How many numbers its nodes hold.

    Raises
    ------
    CannotBatchError
        If an op took another option for each state, or values of another ``vmap``, or is no op but a computation that
        stands on the tape as one node.
    """

    def __init__(self, leaf: Node, output: Node, count: int) -> None:
        self.leaf = leaf
        self.output = output
        self.count = count
        nodes, _ = collect((output,), {leaf.index})
        self.nodes = [node for node in nodes if isinstance(node._data, Batch)]
        if any(isinstance(node.rule, Composite) for node in self.nodes):
            raise CannotBatchError("a computation that knows its own arguments only")
        if any(isinstance(x, Batch) for node in self.nodes for x in tree.flatten(node.params or {})):
            raise CannotBatchError("an option that is another one for each state")
        values: list[Any] = [data_of(x) for node in self.nodes for x in (node, *node.args)]
        if any(isinstance(x, Batch) and x.level != leaf._data.level for x in values):
            raise CannotBatchError("a batch of another vmap")
        self.size = sum(int(node._data.array.size) for node in self.nodes)
        reached = {leaf.index}
        for node in self.nodes:
            if any(isinstance(x, Node) and x.index in reached for x in node.args):
                reached.add(node.index)
        self.of_state = [node for node in self.nodes if node.index in reached]
        own = {leaf.index, *(node.index for node in self.nodes)}
        args = {x.index: x for node in self.nodes for x in node.args if isinstance(x, Node) and x.tracked}
        self.shared = [x for i, x in args.items() if i not in own]
        if not isinstance(output._data, Batch):  # the same at all states
            self.shared.append(output)

    def pull_shared(self, g: Any, wanted: tuple[Node, ...]) -> list[tuple[Node, Any]]:
        """The cotangents of the tensors ``wanted``, from outside, given those of all that was computed.

        What all states share would get a cotangent from each of them.  So the ops are run again on tensors that have
        the states along an axis: there the sum over the states is part of the derivatives.
        """
        if not self.shared:
            return []
        twins = [Tensor(np.asarray(x._data)) for x in self.shared]
        made: dict[int, Any] = {
            x.index: Tensor(batch_of(twin[None]), requires_grad=False)
            for x, twin in zip(self.shared, twins, strict=True)
        }

        def argument(x: Any) -> Any:
            return made.get(x.index, x._data) if isinstance(x, Node) else x

        with inside_batch():
            for node in self.nodes:
                args = [argument(x) for x in node.args]
                if any(isinstance(x, Node) for x in args):
                    rule: Any = node.rule
                    made[node.index] = rule.op(*([args] if rule.variadic else args), **(node.params or {}))
        y = examples_of(made[self.output.index], self.count)
        if not (isinstance(y, Node) and y.tracked):
            raise CannotBatchError("an op that does not record what it does to a batch")
        places = {twin.index: x for x, twin in zip(self.shared, twins, strict=True)}
        found = {places[x.index]: c for x, c in pull_back((y,), (g,), twins) if x.index in places}
        ends = {x.index for x in wanted}
        return [(x, c) for x, c in pull_back([*found], [*found.values()], wanted) if x.index in ends]


class Part:
    """What was recorded at one state of many, as a function of the state alone.

    Its tape is made once, and given the values of the state that is asked for.
    """

    def __init__(self, whole: Recorded) -> None:
        self.nodes: list[Node] = []
        self.values: list[tuple[Node, Any]] = []
        twins: dict[int, Node] = {}

        def valued(node: Node, batch: Batch) -> Node:
            self.values.append((node, np.broadcast_to(batch.array, (whole.count, *batch.shape))))
            return node

        def argument(x: Any) -> Any:
            if isinstance(x, Node):
                if x.index in twins:
                    return twins[x.index]
                x = x._data
            return valued(Tensor(0.0, requires_grad=False), x) if isinstance(x, Batch) else x

        self.leaf = twins[whole.leaf.index] = valued(Tensor(0.0), whole.leaf._data)
        for node in whole.of_state:
            if node.rule.many:  # type: ignore[union-attr]
                a, b = tuple([argument(x) for x in node._a]), None
            else:
                a, b = argument(node._a), argument(node._b)
            twin: Node = record(type(node), np.zeros(()), node.rule, a, b, node.params, True)  # type: ignore[arg-type]
            twins[node.index] = valued(twin, node._data)
            self.nodes.append(twin)
        self.output = twins.get(whole.output.index)

    def _move(self, i: int) -> None:
        for node, array in self.values:
            node._data = array[i, ...]

    def pull(self, i: int, g: Any) -> Any:
        """The cotangent of state number ``i`` from that of what was computed of it; None if that is constant."""
        self._move(i)
        pending = {} if self.output is None else {self.output.index: g}
        for node in reversed(self.nodes):  # pull_back, without finding the same nodes again for every state
            c = pending.pop(node.index, None)
            if c is not None:
                node.rule.pull_on(written_out(c), node, pending)  # type: ignore[union-attr]
        return written_out(pending.get(self.leaf.index))

    def push(self, i: int, t: Any) -> Any:
        """The tangent of what was computed of state number ``i`` from that of the state; None if that is constant."""
        self._move(i)
        return None if self.output is None else push_forward((self.output,), (self.leaf,), (t,))[0]


def written_out(c: Any) -> Any:
    """A cotangent as an array, also if it was that of slices."""
    return c.written_out() if c.__class__ is Placed else c
