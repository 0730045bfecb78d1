"""Recording: run a function once, and write down every op in it and in the sweeps that it, or its caller, makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.batched import Batched
from ..core.errors import CompileError
from ..core.modes import Watcher
from ..core.node import Node, describe, next_index
from ..core.rule import Rule
from ..core.source import Place, user_line
from ..ops.buffer import Buffer
from ..transforms.checkpoint import Checkpoint
from ..value import Value
from .aliases import Aliases
from .arguments import leaves, mapped
from .recorded import RecordedTensor, RecordedValue, is_alive, leave_behind


class Ref(NamedTuple):
    """Stands for a node in what was recorded, by its creation number."""

    number: int


class Step(NamedTuple):
    """One op: ``rule`` made ``data`` of ``args`` and options, in which nodes are :class:`Ref`.

    ``node`` was its node, of creation number ``number``, which may have been assigned into since.  ``silent`` says
    whether NumPy was kept from warning.
    """

    rule: Rule
    args: tuple[Any, ...]
    params: dict[str, Any]
    node: Node
    number: int
    data: Any
    tracked: bool
    silent: bool
    place: Place | None


class Recorder(Watcher):
    """Writes down every op, on the tape or not.

    Parameters
    ----------
    promise : bool
        What is answered where a derivative asks whether an array is finite.  If True the answer is a promise that the
        program must check when it runs; if False everything is computed in the way that holds for infinities too.
    tracked, plain : sequences of bool
        Which inputs are tracked, and which are no nodes, where nobody compiles.

    Attributes
    ----------
    steps : list of Step
    constants : dict of int to array or number
        What tensors hold that the function makes of constants, by creation number.
    outside : dict of int to Node
        The leaves that were used and are no inputs, such as parameters, by creation number, in the order of first use.
    """

    compiles = True

    def __init__(
        self, inputs: Sequence[Node], promise: bool, tracked: Sequence[bool] = (), plain: Sequence[bool] = ()
    ) -> None:
        self.given = list(inputs)
        self.promise = promise
        self.started = next_index()
        self.constants: dict[int, Any] = {}
        self.changed: dict[int, tuple[Any, Any]] = {}
        self.tracking = {x.index for x, so in zip(inputs, tracked) if so}
        self.plain = {x.index for x, so in zip(inputs, plain) if so}
        self.promised: list[int] = []
        self.steps: list[Step] = []
        self.outside: dict[int, Node] = {}
        self.known: dict[int, Node] = {}
        self.arrays: dict[int, int] = {}
        self.lifted: set[int] = set()
        self.pulled_to = 0
        self.aliases = Aliases()
        self.copied: dict[int, tuple[Any, Any]] = {}
        self.refusal: CompileError | None = None
        self.printed: str | None = None
        for x in inputs:
            self.know(x)

    def know(self, node: Node) -> None:
        """Take in a node that later steps may use."""
        self.known[node.index] = node
        if isinstance(node._data, np.ndarray):
            self.arrays[id(node._data)] = node.index

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """Write down one op."""
        if isinstance(node._data, Batched):
            return  # what computes on the whole batch is recorded for itself
        node.__class__ = RecordedValue if isinstance(node, Value) else RecordedTensor
        rule: Any = node.rule
        if rule.refuses is not None:
            rule.refuses(*args, **(node.params or {}))
        if isinstance(rule, Checkpoint):  # the same value was recorded when it was computed
            self._refer(args)  # a leaf that no op used is one of them
            same = rule.packed
            self.known[node.index] = self.known[same]
            self.steps.append(Step(SAME, (Ref(same),), {}, node, node.index, node._data, node.tracked, False, None))
            self._follow_nature(node, [same])
            return
        place = None if node.origin is None else node.origin.place
        handling = np.geterr()
        if "raise" in handling.values():
            raise CompileError(
                f"np.errstate was set to raise while compiling ({user_line()}). A compiled function would not raise "
                "there. Set it around the call of the compiled function."
            )
        silent = "ignore" in (handling["invalid"], handling["divide"])
        if rule.name == "setitem":
            x, value = args
            self.aliases.put_back(x, value, node.params)
        given = self._refer(args), self._refer(node.params or {})
        step = Step(rule, *given, node, node.index, node._data, node.tracked, silent, place)
        self.know(node)
        self.steps.append(step)
        self._follow_nature(node, [r.number for r in references(given)])
        if node.index in self.plain and node._data.__class__ is np.ndarray and node._data.ndim:
            self.aliases.made(node, args)

    def _follow_nature(self, node: Node, of: Sequence[int]) -> None:
        if node.tracked and not self.tracking.isdisjoint(of):
            self.tracking.add(node.index)
        untracked = isinstance(node, Value) and not node.rule.differentiable  # type: ignore[union-attr]
        if untracked or self.plain.issuperset(of):  # what is asked of a number is a plain answer
            self.plain.add(node.index)

    def lift(self, node: Node) -> None:
        """A transform has made ``node`` its own input: what comes of it is a node only as far as that is tracked."""
        self.lifted.add(node.index)
        self.tracking.add(node.index)
        self.plain.discard(node.index)

    def tracks(self, node: Node) -> bool:
        """Whether a node is tracked where nobody compiles."""
        return node.index in self.tracking if node.index in self.known else node.tracked

    def is_plain(self, node: Node) -> bool:
        """Whether a node is a plain array or number where nobody compiles."""
        return node.index in self.plain

    def changes(self, thing: Any) -> None:
        """Remember the state of a generator that an op is about to draw from, or of a buffer."""
        thing = getattr(thing, "bit_generator", thing)
        if isinstance(thing, np.random.BitGenerator | Buffer):
            self.changed.setdefault(id(thing), (thing, thing.state))

    def put_back(self) -> None:
        """Set generators and buffers back: what was done to record is not a call."""
        for thing, state in self.changed.values():
            thing.state = state

    def assigned(self, node: Node) -> None:
        """Raise if the node that is about to be assigned into must not be: it was made outside, or is sealed."""
        plain = node.index in self.plain
        if node.index < self.started or (plain and self.aliases.root_of(node) < self.started):
            raise CompileError(
                f"{describe(node)} was assigned into while compiling ({user_line()}), but it was made outside of the "
                "function, and the compiled function would not assign into it. Assign into a copy, y = x.copy(), and "
                "return it."
            )
        if plain and not node._data.flags.writeable:
            raise ValueError("assignment destination is read-only")  # as NumPy does where nobody compiles
        if plain:
            new = self.steps[-1]
            self.aliases.assigned(node, new.number, new.node.params.get("key") if new.node.params else ...)

    def node_of(self, y: Any) -> Any:
        """The node that holds ``y``, if it is an array that one holds; else ``y``."""
        if isinstance(y, Node):
            self._reference(y)  # it may be a leaf that no op used
        index = self.arrays.get(id(y)) if isinstance(y, np.ndarray) else None
        return y if index is None else self.known[index]

    def leave_behind(self) -> None:
        """Take all that was recorded its numbers, once it is compiled: who kept some of it must not use them."""
        for node in [*self.given, *[self.known[i] for i in self.constants], *[step.node for step in self.steps]]:
            if is_alive(node):
                leave_behind(node)

    def pulled(self, node: Node, g: Any, found: dict[int, Any]) -> None:
        """What was recorded since the last node belongs to where ``node`` was made."""
        place = None if node.origin is None else node.origin.place
        for k in range(self.pulled_to, len(self.steps)):
            self.steps[k] = self.steps[k]._replace(place=place)
        self.pulled_to = len(self.steps)

    def start_sweep(self, cotangent: Node) -> int:
        """What is recorded from here on belongs to a sweep from this cotangent."""
        self.know(cotangent)
        self.pulled_to = len(self.steps)
        return self.pulled_to

    def constant(self, array: Any) -> Node:
        """A node for a constant, which is plain where nobody compiles."""
        node: Any = RecordedTensor.__new__(RecordedTensor)
        Node.__init__(node, array, False, None)
        self.constants[node.index] = array
        self.plain.add(node.index)
        self.know(node)
        return node  # type: ignore[no-any-return]

    def finite(self, node: Node) -> bool:
        """Whether all entries of a node may be taken for finite."""
        data: Any = node._data
        while isinstance(data, Batched):
            if not isinstance(data.array, Node):
                return bool(np.isfinite(data.array).all())
            node, data = data.array, data.array._data
        if self.promise:
            self.promised.append(node.index)
        return self.promise

    def _refer(self, tree: Any) -> Any:
        """Arguments with a reference in the place of every node, and of every array that a node holds."""
        return mapped(self._reference, tree)

    def _reference(self, x: Any) -> Any:
        if isinstance(x, Node):
            if x.index not in self.known:
                self._enter(x)
            self.aliases.check(x)
            return Ref(x.index)
        if not isinstance(x, np.ndarray):
            return x
        index = self.arrays.get(id(x))
        return self._as_it_is(x) if index is None else Ref(index)

    def _as_it_is(self, array: Any) -> Any:
        """A constant as it is now: who made it may write into it later.  The same object as long as it is the same."""
        if not array.flags.writeable or array.dtype.hasobject:
            return array
        _, copy = self.copied.get(id(array), (None, None))
        if copy is None or copy.tobytes() != array.tobytes():
            copy = array.copy(order="K")
            self.copied[id(array)] = array, copy
        return copy

    def _enter(self, node: Node) -> None:
        """Take in a node from outside: a parameter, or a tensor that is a constant."""
        if node.rule is not None and node.tracked:
            raise CompileError(
                f"{describe(node)} was computed outside of the function that is being compiled. Its value now would be "
                "taken for good. Pass it as an argument."
            )
        if node.index > self.started:  # made in the function itself, of a constant
            self.constants[node.index] = node._data
            node.__class__ = RecordedValue if isinstance(node, Value) else RecordedTensor
        else:
            self.outside[node.index] = node
        if node.tracked:
            self.tracking.add(node.index)
        self.know(node)


def references(tree: Any) -> Iterator[Ref]:
    """The references in nested arguments."""
    return (x for x in leaves(tree) if isinstance(x, Ref))


def _same(x: Any, /) -> Any:
    return x


SAME = Rule(_same, formula="y = x", listed=False)
"""The rule of a node that is another one under a new number."""
