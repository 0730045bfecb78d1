"""Capturing a call: run the function on nodes of the given arguments, differentiate what it returns, make a program."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from types import CellType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from ..core import numbers, tree
from ..core.errors import CompileError
from ..core.modes import enable_grad, watching
from ..core.node import Node
from ..core.origin import tracing
from ..core.tape import pull_back
from ..core.traced_names import traced_names
from .around import guarding
from .build import Builder
from .program import Program, Var
from .record import Recorder, references
from .recorded import OutsideTensor, OutsideValue, Recorded
from .scalar.version import LevelVersion, scalar_version


class Nature(NamedTuple):
    """What a value is where the function is not compiled: a node or plain, and whether it is tracked.

    What a transform returns is an array ``from_node``, also of shape ``()``, where NumPy would give a scalar.
    """

    is_node: bool
    tracked: bool
    from_node: bool = False


PLAIN = Nature(False, False)
EMPTY = CellType()


class Capture(NamedTuple):
    """What one call of a function does.

    Attributes
    ----------
    forward : Program or LevelVersion
        From the inputs to the leaves of ``result``; a tape of floats is loaded already, backward part and all.
    backward : list of Program
        For each of them that can be differentiated, ``forward`` and what pulls a cotangent back to ``sources``.
    outside : list of Node
        The leaves that it reads beside its arguments, whose data are the last inputs of the programs.
    sources : list of int
        Which inputs get a gradient.
    result : nested structure
        What the function returned, with nodes as leaves.
    natures : list of Nature
        What the leaves of ``result`` are where the function is not compiled.
    changing : list of BitGenerator and Buffer
        What it draws from, and what it reads and sets.
    """

    forward: Program | LevelVersion
    backward: list[Program]
    outside: list[Node]
    sources: list[int]
    result: Any
    natures: list[Nature]
    changing: list[Any]


def input_node(data: Any) -> Any:
    """A fresh leaf for an argument: a view, so that the array is told from a constant that is the same one."""
    data = data.view() if isinstance(data, np.ndarray) else data
    kind = OutsideTensor if isinstance(data, np.ndarray) else OutsideValue
    node: Any = kind.__new__(kind)
    Node.__init__(node, data, not isinstance(data, np.ndarray) or data.dtype.kind in "fc", None)
    return node


def capture(
    f: Callable[..., Any],
    data: Sequence[Any],
    names: Sequence[str],
    call: Callable[[Callable[..., Any], Sequence[Node]], Any],
    natures: Sequence[Nature],
    differentiate: bool,
    promise: bool = True,
    exact: bool = True,
    static: Sequence[Any] = (),
) -> Capture:
    """Run ``f`` and write down what it does.

    Parameters
    ----------
    f : callable
    data, names : sequences
        What the inputs hold, and what they are called.
    call : callable
        Calls ``f`` with the inputs put in their places among its arguments.
    natures : sequence of Nature
        What the inputs are in the call; the tracked ones get a gradient.
    differentiate : bool
        Whether backward parts are added.
    promise : bool
        See :class:`~autodiff.compiler.record.Recorder`.
    exact : bool
        See :func:`~autodiff.compiler.scalar.version.scalar_version`.
    static : sequence
        What it is called with beside the inputs, and is compiled in.
    """
    inputs = [input_node(x) for x in data]
    recorder = Recorder(inputs, promise, [n.tracked for n in natures], [not n.is_node for n in natures])
    quiet = np.errstate(all="call", call=lambda *found: None)  # what there is to warn of, the program will warn of
    with enable_grad(), tracing(sys._getframe()), watching(recorder), quiet:
        with guarding(f, static):
            try:
                result = call(f, inputs)
            finally:
                recorder.put_back()
        if recorder.refusal is not None:  # the program caught it, and went another way than it would have
            raise recorder.refusal
        outputs = [recorder.node_of(require_result(y, recorder)) for y in tree.flatten(result)]
        start, changing = len(recorder.steps), [thing for thing, _ in recorder.changed.values()]
        known = _natures(recorder, inputs, natures)
        found = [known.get(y.index, Nature(True, False)) if isinstance(y, Node) else PLAIN for y in outputs]
        outside = list(recorder.outside.values())
        leaves = [*inputs, *outside]
        sources = [k for k, x in enumerate(leaves) if known[x.index].tracked]
        title = getattr(f, "__name__", type(f).__name__).strip("<>")
        if promise and (scalar := scalar_version(recorder, leaves, outputs, known, differentiate, exact, title)):
            recorder.leave_behind()
            return Capture(scalar, [], outside, sources, result, found, changing)
        sweeps = [_sweep(recorder, y) for y, n in zip(outputs, found, strict=True) if differentiate and n.tracked]
    called = traced_names([*outside, *[step.node for step in recorder.steps]])
    builder = Builder(recorder, called)
    given = [builder.input(x.index, x._data, name) for x, name in zip(inputs, names, strict=True)]
    given += [builder.input(x.index, x._data, x.name or called.get(id(x)) or "constant") for x in outside]
    builder.found |= recorder.constants
    builder.add(recorder.steps[:start])
    results = [_found(builder, y) for y in outputs]
    results = [
        builder.fit(x, y._data) if nature.is_node or nature.from_node else x
        for x, y, nature in zip(results, outputs, found, strict=True)
    ]
    forward = builder.program(given, results)
    backward = []
    for sweep in sweeps:
        g = builder.input(sweep.start.index, sweep.start._data, "g")
        builder.add(recorder.steps[start : sweep.end])
        start = sweep.end
        for index, c in sweep.found.items():
            var, of = _found(builder, c), builder.found.get(index)
            if isinstance(var, Var) and not var.named and isinstance(of, Var):
                var.cotangent_of, var.named = of, True
        cotangents = [sweep.found.get(leaves[k].index) for k in sources]
        pulled = [builder.fit(_found(builder, c), leaves[k]._data) for c, k in zip(cotangents, sources, strict=True)]
        joint = builder.program(given, [*results, *pulled])
        joint.cotangents, joint.split, joint.results = [g], len(forward.instructions), len(results)
        joint.sources = sources
        backward.append(joint)
    recorder.put_back()  # to find shapes the builder draws and sets too
    recorder.leave_behind()
    return Capture(forward, backward, outside, sources, result, found, changing)


def require_result(y: Any, recorder: Recorder) -> Any:
    """Return a leaf of what a function returned, if it can be computed again.

    Raises
    ------
    CompileError
        If it is something that computes when it is used, or a text with numbers in it.
    """
    if isinstance(y, str) and recorder.printed is not None:
        raise CompileError(
            f"A compiled function returned a text, and wrote out numbers ({recorder.printed}): it would return the "
            "same text for other numbers. Return the numbers, and write them out outside."
        )
    if isinstance(y, Node) or not (computes_later(y) or holds_recorded(y)):
        return y
    does = "computes" if computes_later(y) or isinstance(y, FunctionType) else "holds what was computed"
    raise CompileError(
        f"A compiled function returned a {type(y).__name__}, which {does} where it cannot be seen. Return arrays, or "
        "tuples, lists, dicts and dataclasses of them."
    )


def computes_later(y: Any) -> bool:
    """Whether something is an iterator or a coroutine."""
    return hasattr(y, "__next__") or hasattr(y, "__await__")


def holds_recorded(y: Any) -> bool:
    """Whether an object has nodes that were recorded in its attributes, variables or items."""
    cells = [c.cell_contents for c in getattr(y, "__closure__", None) or () if c != EMPTY]
    parts = [*getattr(y, "__dict__", {}).values(), *cells, *(y if isinstance(y, set | frozenset | deque) else ())]
    return any(isinstance(leaf, Recorded) for part in parts for leaf in tree.flatten(part))


def _found(builder: Builder, c: Any) -> Any:
    """What stands for a cotangent: a variable, or itself if it is a constant."""
    return builder.found.get(c.index, c._data) if isinstance(c, Node) else c  # a leaf that no op used is a constant


def _natures(recorder: Recorder, inputs: Sequence[Node], natures: Sequence[Nature]) -> dict[int, Nature]:
    """What every recorded node is where the function is not compiled."""
    known = {x.index: n for x, n in zip(inputs, natures, strict=True)}
    known |= {index: Nature(True, x.tracked) for index, x in recorder.outside.items()}
    # By the number that they had: one may have been assigned into since.
    known |= {i: Nature(i not in recorder.plain, i in recorder.tracking) for i in recorder.constants}
    for step in recorder.steps:
        of = [known[r.number] for r in references((step.args, step.params))]
        tracked = step.tracked and any(n.tracked for n in of)
        inputs_are = [known[r.number].is_node for r in references(step.args)]
        plain = step.number in recorder.plain
        is_node = tracked if step.number in recorder.lifted else any(inputs_are) and not plain
        from_node = step.number in recorder.lifted or any(known[r.number].from_node for r in references(step.args))
        known[step.number] = Nature(is_node, tracked, from_node)
    return known


class Sweep(NamedTuple):
    """A recorded sweep: the cotangent that it starts with, how many steps were recorded at its end, what it found."""

    start: Node
    end: int
    found: dict[int, Any]


def _sweep(recorder: Recorder, y: Node) -> Sweep:
    g = input_node(np.ones_like(y._data) if isinstance(y._data, np.ndarray) else numbers.like(y._data, 1))
    recorder.start_sweep(g)
    found = {node.index: c for node, c in pull_back((y,), (g,), create_graph=True)}
    return Sweep(g, len(recorder.steps), found)
