"""Taking plain arguments onto the tape, and results off it.

Every transform does the same three things: make fresh input nodes, call the function, sweep.  A fresh node for an
argument that is itself a node (of a transform further out) is recorded as a copy of it, so that the outer sweep can
walk on through, while the inner sweep stops where its own inputs are.  Nothing else is needed for nesting.
"""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..core import numbers, tree
from ..core.batched import Batched
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import compiler, enable_grad, is_recording, watchers
from ..core.node import Node, data_of, is_complex, next_index, shape_of
from ..core.summary import repr_text
from ..core.tape import collect, pull_back, push_forward
from ..ops.arithmetic import positive
from ..ops.joining import stack
from ..ops.shape import astype, reshape
from ..tensor import Tensor
from ..value import Value

ARRAYS = (np.ndarray, Batched)
"""What the data of a tensor is."""


def require_function(f: Any, what: str) -> None:
    """Raise unless ``f`` can be called."""
    if not callable(f):
        raise KindError(
            f"{what} was given a {type(f).__name__}; it takes a function. "
            "To differentiate a result that is recorded already call loss.backward(), then read w.grad."
        )


def positions(argnums: Any) -> tuple[int, ...]:
    """Which arguments ``argnums`` names."""
    try:
        return tuple(map(operator.index, argnums)) if isinstance(argnums, Iterable) else (operator.index(argnums),)
    except TypeError:
        raise KindError(
            f"argnums={argnums!r} was given; it says which arguments by their position: an int, or a sequence of ints."
        ) from None


def lift(leaf: Any) -> Node:
    """A fresh input node for one argument."""
    if isinstance(leaf, Node):
        compiling = compiler()
        if leaf.tracked or compiling is not None:
            fresh: Node = positive(leaf)
            if compiling is not None:
                compiling.lift(fresh)
            if not leaf.tracked:
                fresh.rule = None
            return fresh
        leaf = leaf._data
    if isinstance(leaf, bool | str | bytes) or leaf is None:
        raise KindError(f"A derivative was asked for with respect to {leaf!r}; it needs numbers or arrays.")
    if not isinstance(leaf, np.generic) and numbers.is_number(type(leaf)):
        return Value(float(leaf) if type(leaf) is int else leaf)
    return Tensor(leaf)


CLOSED: dict[str, Any] = {}
"""Stands in the place of the options of inputs that are of no concern to other transforms."""

_asked: ContextVar[frozenset[int]] = ContextVar("asked", default=frozenset())


class Call:
    """One call of ``f`` with chosen arguments on the tape, ready to be swept.

    Attributes
    ----------
    inputs : list of Node
        The fresh input nodes.
    outputs : list
        The leaves of what ``f`` returned: nodes, or plain constants.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], **kwargs: Any) -> None:
        self.outer = bool(is_recording())
        given = list(args)
        self.start = next_index()
        self.inputs: list[Node] = []
        self.scalars: set[int] = set()
        for i, k in enumerate(argnums):
            if not -len(given) <= k < len(given):
                raise ShapeError(
                    f"argnums={k}, but the function was called with {len(given)} positional arguments. "
                    "Pass what you differentiate with respect to by position."
                )
            if any(j % len(given) == k % len(given) for j in argnums[:i]):
                raise ArgumentError(f"argnums names argument {k} twice, in {tuple(argnums)}. Name each once.")
            given[k] = tree.tree_map(self._lift, given[k])
        self.before = range(next_index())  # past these no sweep need go: the inputs, and what depends on none of them
        with enable_grad():
            self.result = f(*given, **kwargs)
        self.outputs = tree.flatten(self.result)

    def _lift(self, leaf: Any) -> Node:
        with enable_grad():
            fresh = lift(leaf)
        fresh.tracked = True
        self.inputs.append(fresh)
        if isinstance(leaf, np.generic):
            self.scalars.add(fresh.index)
        return fresh

    def must_record(self) -> bool:
        """Whether derivatives must be nodes: something outside this call may want to differentiate them again."""
        if compiler() is not None:
            return True
        if not self.outer:
            return False
        if any(x.args for x in self.inputs):
            return True
        _, leaves = collect([y for y in self.outputs if isinstance(y, Node)], {x.index for x in self.inputs})
        asked = _asked.get()
        return any(i < self.start and (leaf.params is not CLOSED or i in asked) for i, leaf in leaves.items())

    def may_batch_compiled(self) -> bool:
        """While compiling, whether sweeps of this call may start from many vectors at once.

        Not if somebody further out may differentiate what they find; nor if a number takes part, which a batch would
        take for a constant: only arrays are known again by who compiles.
        """
        tracks: Any = compiler().tracks  # type: ignore[union-attr]
        nodes, leaves = collect([y for y in self.outputs if isinstance(y, Node)], {x.index for x in self.inputs})
        watched = any(tracks(a) for x in self.inputs for a in x.args) or any(
            i < self.start and tracks(leaf) for i, leaf in leaves.items()
        )
        return not watched and not any(isinstance(a, Value) for node in nodes for a in node.args)

    def close(self) -> None:
        """Say that nobody will ask for derivatives by the inputs but sweeps of this call."""
        for x in self.inputs:
            if x.rule is None:
                x.params = CLOSED

    @contextlib.contextmanager
    def asking(self) -> Iterator[set[int]]:
        """Sweep inside; what is recorded anew there, in checkpoints, must not be cut off from the inputs."""
        wanted = {x.index for x in self.inputs}
        token = _asked.set(_asked.get() | wanted)
        try:
            with enable_grad():
                yield wanted
        finally:
            _asked.reset(token)

    def pull(self, cotangents: Sequence[Any], create_graph: bool) -> list[Any]:
        """The cotangent of every input, zeros where the outputs do not depend on it."""
        pairs = [(y, g) for y, g in zip(self.outputs, cotangents, strict=True) if isinstance(y, Node) and y.tracked]
        outputs, starts = [y for y, _ in pairs], [g for _, g in pairs]
        with self.asking() as wanted:
            found = {
                node.index: g
                for node, g in pull_back(outputs, starts, self.inputs, create_graph, self.before)
                if node.index in wanted
            }
        for watcher in watchers() if len(found) < len(self.inputs) else ():
            watcher.unreached([x for x in self.inputs if x.index not in found])
        results = [result(found[x.index] if x.index in found else zeros(x), create_graph) for x in self.inputs]
        return [g[()] if x.index in self.scalars else g for x, g in zip(self.inputs, results, strict=True)]

    def push(self, tangents: Sequence[Any], create_graph: bool) -> list[Any]:
        """The tangent of every output, zeros where it does not depend on the inputs."""
        nodes = [y for y in self.outputs if isinstance(y, Node)]
        with self.asking():
            older = range(self.start)  # depends on no input
            pushed = iter(push_forward(nodes, self.inputs, tangents, create_graph, older))
        found = [next(pushed) if isinstance(y, Node) else None for y in self.outputs]
        return [
            result(self.zeros(y) if t is None else t, create_graph) for y, t in zip(self.outputs, found, strict=True)
        ]

    def zeros(self, y: Any) -> Any:
        """The tangent of an output that does not change: of a whole number in the kind of the inputs."""
        foreign = next((x._data for x in self.inputs if numbers.is_foreign(x._data)), None)
        return numbers.like(foreign, 0) if foreign is not None and isinstance(data_of(y), int) else zeros(y)

    def values(self, create_graph: bool) -> Any:
        """What ``f`` returned, as nodes if something outside may differentiate it, else as plain data."""
        return self.result if create_graph else tree.tree_map(plain, self.result)


def plain(y: Any) -> Any:
    """The data of a result, as the caller's own array."""
    data = data_of(y)
    return data.copy() if isinstance(data, np.ndarray) else data


def result(g: Any, create_graph: bool) -> Any:
    """A derivative as it is handed out: the caller's own."""
    if isinstance(g, Node):
        return g if create_graph else plain(g)
    return plain(g)


def zeros(x: Any) -> Any:
    """A zero of the kind and shape of ``x``, of floats where that is whole numbers or truth values."""
    data = data_of(x)
    if isinstance(data, int):
        return 0.0
    if not isinstance(data, (*ARRAYS, np.generic)):
        return numbers.like(data, 0)
    return np.zeros(data.shape, data.dtype if data.dtype.kind in "fc" else float)


def same_kind(g: Any, x: Node, what: str) -> Any:
    """A given tangent or cotangent, checked against the node that it belongs to and brought to its kind."""
    data = x._data
    if is_complex(g) and not is_complex(x):
        raise KindError(f"A complex {what} was given for a value that is real. Take its real part.")
    if not isinstance(data, ARRAYS):
        if shape_of(g):
            raise ShapeError(f"A {what} of shape {shape_of(g)} was given for a single number; they must agree.")
        if not isinstance(g, Node | np.ndarray | np.generic) and not numbers.is_number(type(g)):
            raise KindError(f"A {what} {repr_text(g)} was given for a number; it must be a number too.")
        return g if isinstance(g, Node) else numbers.like(data, g)
    if isinstance(g, Value):
        g = reshape(g, ())
    array = (
        g if isinstance(g, Tensor | Batched) else np.asarray(g).view()
    )  # a sweep may make it read-only: not the user's own
    if array.shape != data.shape:
        raise ShapeError(
            f"A {what} of shape {array.shape} was given for a value of shape {data.shape}; they must agree."
        )
    return astype(array, data.dtype) if array.dtype != data.dtype else array


def stack_up(rows: list[Any], shape: tuple[int, ...], like: Any) -> Any:
    """Join derivatives row by row, each of the kind of ``like``, and give the rows a shape; numbers make an array."""
    if not rows:
        return np.zeros(shape, zeros(like).dtype)
    return reshape(stack(rows) if any(isinstance(r, Node | Batched) for r in rows) else np.stack(rows), shape)
