"""A function compiled for one signature: its programs, and what it takes for granted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import CompileError
from ..core.node import Node, record
from .capture import Nature, capture
from .guards import LENGTH, Attribute, check_of, guards_of
from .machine.version import BACKENDS
from .program import Var
from .recorded import is_alive
from .results import RESULT, CompiledRule, CompiledTensor, CompiledValue, Run, logger
from .version import Version, version_of

ONE_AT_A_TIME = threading.RLock()
"""While a function is recorded: it guards the leaves around it, and Python's parser is not made for two threads."""


class Special:
    """One signature of a compiled function.

    Parameters
    ----------
    f, args, kwargs
        A call of it.
    leaves : sequence
        What of the arguments may differ from call to call.
    recording : bool
        Whether results are to be differentiated.
    reuse_outputs : bool
        Whether results are handed out in memory that the next call writes over.
    exact : bool
        Whether sums of single numbers keep their order.
    backend : str
        One of :data:`~autodiff.compiler.machine.version.BACKENDS`.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: Any,
        kwargs: Any,
        leaves: Sequence[Any],
        recording: bool,
        reuse_outputs: bool = False,
        exact: bool = True,
        backend: str = "numpy",
    ) -> None:
        self.f = f
        self.kind = BACKENDS[backend]
        self.exact = exact
        self.title = getattr(f, "__name__", type(f).__name__).strip("<>")
        self.recording = recording
        self.holes = _with_holes((args, kwargs))
        self.repeats = dict(repeats(leaves))
        leaves = self._once(leaves)
        self.names = list(self._once(_names(f, args, kwargs)))
        self.are_nodes = [isinstance(x, Node) for x in leaves]
        self.tracked = [isinstance(x, Node) and x.tracked for x in leaves]
        self.static = [x for x in tree.flatten((args, kwargs)) if not _is_dynamic(x)]
        found = self._capture_settled(leaves)
        self.outside, self.sources = found.outside, found.sources
        self.changing = found.changing
        guards = guards_of(f, self.static, self.outside)
        self.holds = check_of([*guards, *[(x, Attribute("tracked"), x.tracked) for x in self.outside]])
        self.fast = version_of(found, self.title, reuse_outputs, self.kind)
        self._careful: Version | None = None
        self.tracked_outputs = [k for k, n in enumerate(found.natures) if n.tracked and recording]
        self.rules = {y: CompiledRule(self, k) for k, y in enumerate(self.tracked_outputs)}
        self.usual = 0
        self.kinds = self._kinds(found.forward.outputs, found.natures)
        self.is_leaf = isinstance(found.result, Node)
        self.structure = tree.tree_map(lambda _: HOLE, found.result)  # without the tape that was recorded
        self.all_plain = not any(self.are_nodes)
        # Where no argument is differentiated, the nodes that are do not change from call to call.
        straight = bool(self.rules) and all(k >= len(leaves) for k in self.sources)
        self.inputs = tuple([self.outside[k - len(leaves)] for k in self.sources]) if straight else ()

    def _capture(self, leaves: Sequence[Any], promise: bool) -> Any:
        data = [_plain(x) for x in leaves]
        natures = [Nature(node, tracked) for node, tracked in zip(self.are_nodes, self.tracked, strict=True)]
        with ONE_AT_A_TIME:
            return capture(
                self.f, data, self.names, self._call, natures, self.recording, promise, self.exact, self.static
            )

    def _capture_settled(self, leaves: Sequence[Any]) -> Any:
        """Capture, again if something from outside was changed by that: it may have been prepared for the first time.

        Raises
        ------
        CompileError
            If it is changed each time.
        """
        for _ in range(2):
            before = guards_of(self.f, self.static)
            found = self._capture(leaves, promise=True)
            changed = [guard for guard in before if not check_of([guard])() and not is_left_behind(guard[2])]
            if not changed:
                return found
        _, key, thing = changed[0]
        what = f"a {type(changed[0][0]).__name__} in length" if key is LENGTH else f"{key!r}, which was {thing!r}"
        raise CompileError(
            f"{self.title} changes what it reads from outside: {what}. It would do so only while it is compiled. "
            "Pass it as an argument and return what it becomes, or change it outside of the function."
        )

    def _once(self, of_leaves: Sequence[Any]) -> Sequence[Any]:
        """Without what belongs to nodes that were given before: they are one input, so that what they get adds up as
        it does in the function itself.
        """
        return [x for k, x in enumerate(of_leaves) if k not in self.repeats] if self.repeats else of_leaves

    def _call(self, f: Callable[..., Any], inputs: Sequence[Any]) -> Any:
        args, kwargs = _filled(self.holes, self._again(inputs))
        return f(*args, **kwargs)

    def _again(self, inputs: Sequence[Any]) -> Iterator[Any]:
        """What goes into each hole."""
        once = iter(inputs)
        filled: list[Any] = []
        for k in range(len(inputs) + len(self.repeats)):
            filled.append(filled[self.repeats[k]] if k in self.repeats else next(once))
        return iter(filled)

    def eagerly(self, leaves: Sequence[Any]) -> Any:
        """Call the function itself."""
        return self._call(self.f, leaves)

    @property
    def source(self) -> str:
        """What runs."""
        return "\n\n".join(self.fast.sources)

    def careful(self, data: Sequence[Any]) -> Version:
        """The version that holds for infinities as well, and takes random numbers as inputs."""
        if self._careful is None:
            found = self._capture(data[: len(self.are_nodes)], promise=False)
            self._careful = self.kind(found.backward or [found.forward], self.title, draws_given=True)
        return self._careful

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run it."""
        leaves = self._once(leaves)
        data = leaves if self.all_plain else [x._data if node else x for x, node in zip(leaves, self.are_nodes)]
        run = Run(self, leaves, [*data, *[x._data for x in self.outside]])
        before = [thing.state for thing in self.changing] if self.changing else ()
        try:
            out = run.forward()
        except Exception as error:  # the function itself says best what is wrong
            logger.debug("%s is called as it is, since its program raised %r", self.title, error)
            out = None
            for thing, state in zip(self.changing, before):  # it draws and sets again
                thing.state = state
        if out is None:
            return self.eagerly(leaves)
        inputs: Any = ()
        if self.rules:
            inputs = self.inputs or tuple([[*leaves, *self.outside][k] for k in self.sources])
        else:
            run.done()
        if self.is_leaf:  # nearly always: a loss
            kind, rule = self.kinds[0]
            y = out[0]
            return y if kind is None else record(kind, y, rule, inputs, None, {"run": run}, rule is not RESULT)
        nodes = [
            y if kind is None else record(kind, y, rule, inputs, None, {"run": run}, rule is not RESULT)
            for y, (kind, rule) in zip(out, self.kinds)
        ]
        return tree.unflatten(self.structure, iter(nodes))

    def _kinds(self, outputs: Sequence[Any], natures: Sequence[Nature]) -> list[tuple[Any, Any]]:
        """What each result is handed out as: a class of nodes and a rule; the class is None if it is plain."""
        kinds: list[tuple[Any, Any]] = []
        for k, (y, nature) in enumerate(zip(outputs, natures, strict=True)):
            array = y.is_array if isinstance(y, Var) else isinstance(y, np.ndarray)
            if not nature.is_node:
                kinds.append((None, None))
            elif k in self.rules:
                kinds.append((CompiledTensor if array else CompiledValue, self.rules[k]))
            else:
                kinds.append((Node.for_arrays if array else Node.for_numbers, RESULT))
        return kinds


class Hole:
    """Stands where an argument goes that may differ from call to call."""


HOLE = Hole()


def repeats(leaves: Sequence[Any]) -> tuple[tuple[int, int], ...]:
    """Which leaves are nodes that were given before, each with the position where it was."""
    if len({*map(id, leaves)}) == len(leaves):  # nearly always
        return ()
    first: dict[int, int] = {}
    places = [(k, first.setdefault(id(x), k)) for k, x in enumerate(leaves) if isinstance(x, Node)]
    return tuple([(k, j) for k, j in places if j != k])


def is_left_behind(thing: Any) -> bool:
    """Whether something is a node that a function kept: it may keep another one, and nobody can use them."""
    return isinstance(thing, Node) and not is_alive(thing)


def _is_dynamic(x: Any) -> bool:
    return isinstance(x, Node | np.ndarray | np.number) or type(x) in (float, complex)


def _with_holes(args: Any) -> Any:
    return tree.tree_map(lambda x: HOLE if _is_dynamic(x) else x, args)


def _filled(holes: Any, inputs: Iterator[Any]) -> Any:
    return tree.tree_map(lambda x: next(inputs) if x is HOLE else x, holes)


def _plain(x: Any) -> Any:
    data = x._data if isinstance(x, Node) else x
    return np.asarray(data) if isinstance(data, np.generic) else data


def _names(f: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """What each leaf of the arguments is called."""
    code = getattr(f, "__code__", None)
    formal = list(code.co_varnames[: code.co_argcount]) if code is not None else []
    names: list[str] = []
    for k, a in enumerate(args):
        name = formal[k] if k < len(formal) else "x"
        names += [name] * sum(map(_is_dynamic, tree.flatten(a)))
    for name, a in kwargs.items():
        names += [name] * sum(map(_is_dynamic, tree.flatten(a)))
    return names
