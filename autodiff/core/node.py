"""The node: one recorded value.

A node is pure data, and it is the value itself.  Its arguments point to the nodes and constants it was computed from;
nothing points back and nothing holds a closure, so a tape has no reference cycles and vanishes with its last holder.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import numbers
from .batched import Batched, as_array
from .errors import KindError, LeavingTapeError, TapeError
from .modes import compiler, is_recording, sealed

if TYPE_CHECKING:
    from .origin import Origin
    from .rule import Rule

Array = Any
"""What an op computes with: an ndarray, a number, a Tensor or a Value.  Rules are written once for all four."""
ArrayLike = Any
"""An :data:`Array`, or nested lists of numbers."""
Axis = Any
"""An int, a tuple of int or None; NumPy's stubs take no union of them."""

next_index = itertools.count().__next__
"""Creation order is topological order: every node takes the next number."""


class Node:
    """One recorded value: its data, the rule that made it, the rule's arguments and options.

    Attributes
    ----------
    data : ndarray or number
        The value.  Assigning to it is allowed on leaves only.
    grad : ndarray, number, node or None
        Derivative of what ``backward`` was called on, of the same kind as ``data``; None until computed.
    rule : Rule or None
        The row of the table that made this node; None for what the user made.
    args : tuple
        What the rule was applied to: nodes, arrays and numbers.  Empty where nothing was recorded.  Kept as ``_a`` and
        ``_b``, and as a tuple in ``_a`` only where there may be more than two: each object that the garbage collector
        must look at makes a long tape slower, and a tuple is one.
    params : dict or None
        The rule's options, such as ``axis``.
    index : int
        Creation number, growing along every path of the tape.
    name : str or None
        What drawings and messages call it.
    """

    __slots__ = ("__weakref__", "_a", "_b", "_data", "_origin", "grad", "index", "name", "params", "rule", "tracked")

    _data: Any
    _a: Any
    _b: Any
    _origin: Origin | None
    grad: Any
    index: int
    name: str | None
    params: dict[str, Any] | None
    rule: Rule | None
    tracked: bool

    for_arrays: type[Node]
    """The subclass that holds arrays."""
    for_numbers: type[Node]
    """The subclass that holds single numbers."""
    stacked: Callable[[Sequence[Any]], Node]
    """Makes one node of a list that has nodes in it."""

    def __init__(self, data: Any, requires_grad: bool, name: str | None) -> None:
        self._data = data
        self.grad = None
        self.rule = None
        self._a = self._b = None
        self.params = None
        self.index = next_index()
        self.name = name
        self.tracked = requires_grad

    @property
    def args(self) -> tuple[Any, ...]:
        """What the rule was applied to; empty where nothing was recorded."""
        if self.rule is None or not self.tracked:
            return ()
        many: tuple[Any, ...] = self._a
        return many if self.rule.many else (self._a,) if len(self.rule.inputs) == 1 else (self._a, self._b)

    def _set_data(self, data: Any) -> None:
        if self.rule is not None and self.tracked:
            raise TapeError(
                f"The data of {describe(self)} was assigned to, but it was computed, and its arguments would no longer "
                "give it. Assign to a leaf, or to x.detach()."
            )
        self._data = self._admit(data)
        # A new place in the creation order: nodes recorded from the old data are now older than their argument,
        # which is how a sweep notices that they are stale.
        self.index = next_index()

    data = property(attrgetter("_data"), _set_data)  # a getter written in C: half the price of a Python one

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this node are recorded."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.rule is not None and self.tracked:
            raise TapeError(
                f"requires_grad of {describe(self)} was set, but it was computed. "
                "Set it on the leaves it was computed from, or use x.detach()."
            )
        if wanted:
            self._refuse_discrete(self._data)
            self.rule = None  # nothing was recorded of how it came about: it is a leaf
        self.tracked = bool(wanted)

    @property
    def origin(self) -> Origin | None:
        """The line of source and the modules that made the node, if it was recorded inside ``with ad.trace():``."""
        # The slot is left empty otherwise: filling it would cost every op.
        return getattr(self, "_origin", None)

    @property
    def is_leaf(self) -> bool:
        """True for what the user made, False for what a rule made."""
        return self.rule is None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """What ``copy.deepcopy`` and ``pickle`` read: arguments that were assigned into since as they were."""
        state = {slot: getattr(self, slot) for slot in SLOTS} | {"_origin": self.origin}
        if any(isinstance(x, Node) and x.index > self.index for x in self.args):
            meant = tuple([version_meant(self, x) for x in self.args])
            state["_a"], state["_b"] = (meant, None) if self.rule.many else (*meant, None)[:2]  # type: ignore[union-attr]
        return None, state

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Take over what was read from a node, under a creation number of its own."""
        for name, value in state[1].items():
            setattr(self, name, value)
        if self.index != GONE:
            self.index = next_index()

    # What a subclass knows about its kind of data.

    def _admit(self, data: Any) -> Any:
        """Check and convert data that is assigned to this node."""
        raise NotImplementedError

    @staticmethod
    def _refuse_discrete(data: Any) -> None:
        """Raise if data of this kind cannot have a derivative."""
        raise NotImplementedError

    def _fit_cotangent(self, c: Any, source: Any) -> Any:
        """Bring a cotangent to the shape and kind of this node's data: sum what was broadcast, cast what was promoted.

        A leaf will hand it out as its gradient, so there it is copied if it shares memory with ``source`` (the
        cotangent that it was made from) or with anything else.
        """
        raise NotImplementedError

    def _fit_tangent(self, t: Any) -> Any:
        """Bring a tangent to the shape and kind of this node's data: broadcast what a constant argument broadcast."""
        raise NotImplementedError


def record(cls: type[Node], data: Any, rule: Rule, a: Any, b: Any, params: Any, tracked: bool) -> Any:
    """Make the node for ``data``, the result of ``rule``.  It remembers its arguments only if it is tracked."""
    node = cls.__new__(cls)
    # A ufunc of a 0-d array returns a NumPy scalar; a Tensor always holds an array.
    node._data = data if data.__class__ is np.ndarray or cls is not Node.for_arrays else as_array(data)
    node.grad = None
    node.rule = rule
    mode = is_recording()
    if tracked and mode:
        node._a = a
        node._b = b
        node.tracked = True
    else:
        node._a = node._b = None
        node.tracked = False
    node.params = params
    node.index = next_index()
    node.name = None
    if mode is not True and mode is not False:  # somebody watches
        for watcher in mode.watchers:
            watcher.recorded(node, a if rule.many else (a, b)[: len(rule.inputs)])
    return node


def rebind(node: Node, new: Node) -> None:
    """Let ``node`` be ``new`` from now on, as ``t[key] = v`` asks for: the same object, with another past.

    ``new`` must have been made of ``node`` itself.  What that was lives on as the first argument of ``new``.  Ops that
    used ``node`` before still point to it, and are now older than their argument; that is how a sweep finds the version
    that they meant: see :func:`version_before`.
    """
    compiling = compiler()
    if compiling is not None:
        compiling.assigned(node)
    if node.index < sealed() and (new.tracked or isinstance(new._data, Batched)):
        raise TapeError(
            f"{describe(node)} was assigned into inside checkpoint(), which will call the function again, but it was "
            "made outside. Assign into a copy, y = x.copy(), and return it."
        )
    if new.tracked and node._data.dtype.kind not in "fc":
        raise KindError(
            f"{describe(node)}, which holds {node._data.dtype}, was assigned a tracked value, whose gradient would be "
            "lost silently. Convert one of them: x.astype(float), or value.detach()."
        )
    if node.tracked and not is_recording():
        raise TapeError(
            f"{describe(node)} was assigned into inside no_grad(), which would cut it off its tape silently. "
            "Assign outside no_grad(), or into x.detach()."
        )
    if node.tracked and node.rule is None:
        raise TapeError(
            f"{describe(node)} was assigned into, but it is a leaf: its gradient would belong to numbers that are "
            "gone. Assign into a copy, y = x.copy(), or give the leaf new numbers with x.data = array."
        )
    old = twin(node)
    for slot in SLOTS:
        setattr(node, slot, getattr(new, slot))
    node._origin = new.origin
    node.name = old.name
    if not node.tracked:
        node.rule = None
    elif node.rule.many:  # type: ignore[union-attr]
        node._a = tuple([old if x is node else x for x in node._a])
    else:
        node._a, node._b = (old if x is node else x for x in (node._a, node._b))


SLOTS = [slot for slot in Node.__slots__ if slot not in ("__weakref__", "_origin")]

GONE = 2**62
"""The creation number, later than any, of what stands in a copied tape for data that was lost to a change."""


def twin(node: Node) -> Node:
    """Another node with all that is in this one."""
    twin = node.__class__.__new__(node.__class__)
    for slot in SLOTS:
        setattr(twin, slot, getattr(node, slot))
    twin._origin = node.origin
    return twin


def version_before(parent: Node, index: int) -> Node | None:
    """What ``parent`` was when the node of creation number ``index`` used it; None if that is gone."""
    while parent.index > index:
        before = parent.args
        if not before:
            return None
        parent = before[0]
    return parent


def version_meant(node: Node, x: Any) -> Any:
    """The argument ``x`` of ``node`` as that used it; if that is gone, what shows a sweep of a copy that it is."""
    if not isinstance(x, Node) or x.index < node.index:
        return x
    meant = version_before(x, node.index)
    if meant is None:
        meant = twin(x)
        meant.index = GONE
    return meant


def describe(node: Node) -> str:
    """A node in an error message: its name, or the op that made it and its shape."""
    kind = type(node).__name__
    if node.name:
        return f"{kind} {node.name!r}"
    made = f"made by {node.rule.name}" if node.rule is not None else "leaf"
    shape = f" of shape {node._data.shape}" if isinstance(node._data, np.ndarray) else ""
    return f"a {kind}{shape} ({made})"


def data_of(x: Any) -> Any:
    """The plain array or number of ``x``, node or not."""
    return x._data if isinstance(x, Node) else x


def is_complex(x: Any) -> bool:
    """Whether a node, array or number of any kind is complex."""
    data = data_of(x)
    return bool(np.iscomplexobj(data)) or numbers.is_complex(type(data))


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a node, array or number."""
    x = data_of(x)
    if not isinstance(x, (list, tuple, range)):
        shape: tuple[int, ...] = getattr(x, "shape", ())
        return shape
    try:
        return np.shape(x)
    except LeavingTapeError:
        return (len(x), *shape_of(x[0]))


def size_of(x: Any) -> int:
    """The number of entries of a node, array or number."""
    if isinstance(x, Node):
        x = x._data
    return x.size if isinstance(x, np.ndarray | Batched) else math.prod(shape_of(x))


def refuse_untrackable(what: str, found: str) -> KindError:
    """The error for data that cannot have a derivative."""
    return KindError(
        f"{what} was asked to track {found}, which has no derivative: gradients need floating-point or complex data. "
        "Write 2.0 instead of 2, pass dtype=float, or pass requires_grad=False."
    )
