"""What a call of a compiled function leaves on the tape: a node for each result, and how to differentiate it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import tree
from ..core.errors import CompileError, KindError
from ..core.modes import enable_grad, is_recording
from ..core.node import Node, size_of
from ..core.rule import Rule
from ..core.tape import pull_back, push_forward
from ..node_methods import NodeMethods, first_cotangent
from ..tensor import Tensor
from ..value import Value
from .version import Runner

if TYPE_CHECKING:
    from .special import Special

logger = logging.getLogger("autodiff.compiler")


class Run:
    """One call: the numbers that it was made with, and the memory that it holds until it was differentiated."""

    __slots__ = ("data", "draws", "k", "leaves", "runner", "special", "version")

    def __init__(self, special: Special, leaves: Sequence[Any], data: list[Any]) -> None:
        self.special = special
        self.leaves = leaves
        self.data = data
        self.version = special.fast
        self.k = special.usual
        self.runner: Runner | None = None
        self.draws: Sequence[Any] = ()

    def forward(self) -> Any:
        """The results; the memory is held from here on."""
        version = self.version
        self.runner = runner = version.take(self.k)
        out = runner[0](*self.data, *(() if version.draws else self.draws))
        if out is None:
            return self._carefully()
        if version.draws and not self.draws:
            n = len(out) - version.draws
            self.draws, out = out[n:], out[:n]
        return out

    def _carefully(self) -> Any:
        """Go on with the program that holds for infinities as well."""
        self.done()
        self.version = self.special.careful(self.data)
        return self.forward()

    def backward(self, k: int, g: Any) -> Any:
        """The gradients of what the program reads, from a cotangent of its result ``k``."""
        if self.runner is None or k != self.k:
            self.done()
            self.special.usual = self.k = k
            if self.draws:
                self.version = self.special.careful(self.data)
            self.forward()
        found = self._pull(g)
        if found is None:
            self._carefully()
            found = self._pull(g)
        if not self.version.draws:  # what it drew is in its memory alone
            self.done()
        return found

    def _pull(self, g: Any) -> Any:
        version, data = self.version, self.data
        rooms = version.rooms[self.k]
        given = () if version.draws else self.draws
        if rooms.positions:
            return self.runner[1](g, *data, *given, rooms.choose(data))  # type: ignore[index]
        return self.runner[1](g, *data, *given)  # type: ignore[index]

    def done(self) -> None:
        """Let go of the memory: another call may use it."""
        if self.runner is not None:
            self.version.give_back(self.k, self.runner)
            self.runner = None

    def __del__(self) -> None:
        if self.runner is not None:
            self.done()

    def __reduce__(self) -> Any:
        raise KindError(
            f"A result of the compiled {self.special.title} was copied or pickled with its tape, which is memory that "
            "is in use. Copy y.detach(), or what the function itself returns."
        )


def compiled_function(x: Any, /) -> Any:
    """Stands for what was compiled, in messages."""
    raise NotImplementedError


RESULT = Rule(compiled_function, formula="y = f(x)", listed=False)


class CompiledRule(Rule):
    """The rule of one result of a compiled function."""

    by_argument = False

    def __init__(self, special: Special, k: int) -> None:
        def forward(*inputs: Any) -> Any:
            raise NotImplementedError

        forward.__name__ = f"compiled_{special.title}"
        super().__init__(forward, formula="y = f(x)", quiet=True, listed=False)
        self.many = True
        self.special = special
        self.k = k
        self.first: Any = None

    def pull(self, g: Any, node: Node, pending: dict[int, Any]) -> None:
        """Add the cotangents of the inputs to ``pending``."""
        for x, c in zip(node.args, self.gradients(g, node)):
            if c is not None:
                if c.__class__ is int:
                    c = x._fit_cotangent(c, g)  # a 0 of a branch that was not recorded
                i = x.index
                pending[i] = pending[i] + c if i in pending else c

    def first_cotangent(self, node: Node) -> Any:
        """What a sweep from a single number starts with; a NumPy scalar, which nobody can write into, is kept."""
        g = self.first
        if g is None:
            g = first_cotangent(node, None)
            self.first = g if isinstance(g, np.generic) else None
        return g

    def gradients(self, g: Any, node: Node) -> Sequence[Any]:
        """What each input gets of the cotangent ``g``; None for nothing."""
        run: Run = node.params["run"]  # type: ignore[index]
        try:
            return run.backward(self.k, g)  # type: ignore[no-any-return]
        except Exception as error:
            logger.debug("%s is swept as it is, since its program raised %r", self.special.title, error)
            return self._sweep_again(g, node, create_graph=False)

    def pull_nodes(self, g: Any, node: Node, pending: dict[int, Any]) -> None:
        """The same, recorded: by calling the function itself on the nodes."""
        for x, c in zip(node.args, self._sweep_again(g, node, create_graph=True)):
            if c is not None:
                pending[x.index] = pending[x.index] + c if x.index in pending else c

    def push(self, tangents: dict[int, Any], node: Node, create_graph: bool = False) -> Any:
        """The tangent of the result, from those of the inputs."""
        given = [x for x in node.args if x.index in tangents]
        if not given:
            return None
        y = self._call_again(node)
        return push_forward((y,), given, [tangents[x.index] for x in given], create_graph)[0]

    def push_nodes(self, tangents: dict[int, Any], node: Node) -> Any:
        """The same, recorded."""
        return self.push(tangents, node, create_graph=True)

    def _sweep_again(self, g: Any, node: Node, create_graph: bool) -> list[Any]:
        with enable_grad():
            swept = pull_back((self._call_again(node),), (g,), node.args, create_graph)
            found = {x.index: x._fit_cotangent(c, g) for x, c in swept}
        return [found.pop(x.index, None) for x in node.args]  # one that was given twice gets it once

    def _call_again(self, node: Node) -> Node:
        run: Run = node.params["run"]  # type: ignore[index]
        if run.draws:
            raise CompileError(
                f"{self.special.title} draws random numbers or sets buffers, and a derivative was asked for that it "
                "was not compiled for. Compile the derivative: ad.compile(ad.grad(f)), not ad.grad(ad.compile(f))."
            )
        with enable_grad():
            y: Node = tree.flatten(self.special.eagerly(run.leaves))[self.special.tracked_outputs[self.k]]
        return y


class Shortcut(NodeMethods):
    """What both kinds of result of a compiled function have in common: they know a short way back to the parameters."""

    __slots__ = ()

    def backward(self, gradient: Any = None, *, create_graph: bool = False, free: bool = False) -> None:
        """Fill in ``grad``, as every node does."""
        rule: Any = self.rule
        inputs = rule.special.inputs if rule.__class__ is CompiledRule else ()
        plainly = gradient is None and not create_graph and not free and is_recording() is True
        if not (plainly and inputs and size_of(self) == 1) or changed_since(self.index, inputs):
            super().backward(gradient, create_graph=create_graph, free=free)
            return
        g = rule.first_cotangent(self)
        for x, c in zip(inputs, rule.gradients(g, self)):
            if c is None:
                continue
            if c.__class__ is int:
                c = x._fit_cotangent(c, g)
            if x.grad is not None:
                c = x.grad + c
            x.grad = c if c.__class__ is np.ndarray else plain(c)
        self.grad = plain(g)


def changed_since(index: int, inputs: Sequence[Node]) -> bool:
    """Whether one of these was changed since the node of this creation number was made."""
    for x in inputs:  # noqa: SIM110 - any() takes three times as long
        if x.index > index:
            return True
    return False


def plain(g: Any) -> Any:
    """A gradient as it is handed out: an array also where NumPy made a scalar of it."""
    return np.array(g) if isinstance(g, np.generic) else g


class CompiledTensor(Shortcut, Tensor):
    """An array that a compiled function gave."""

    __slots__ = ()


class CompiledValue(Shortcut, Value):
    """A number that a compiled function gave."""

    __slots__ = ()


CompiledTensor.__name__, CompiledValue.__name__ = "Tensor", "Value"  # what they are to the reader of a message
