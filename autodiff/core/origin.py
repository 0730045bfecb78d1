"""Where nodes come from: the line of source, and the calls of modules, that made each.

Nobody pays for it who does not ask: a watcher looks at the running frames, and only inside :func:`tracing`.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

from .history import History, step_of
from .modes import Watcher, is_recording, watching
from .node import Node
from .source import Line, Place, is_users

MODULE_CALLS: set[CodeType] = set()
"""The functions that call a module, which is their local variable ``self``."""


class Call(NamedTuple):
    """One call of a module: its name in the module around it, its class, and how many calls of it came before."""

    step: str
    kind: str
    number: int


class Origin(NamedTuple):
    """Where a node was made.

    Attributes
    ----------
    place : Place
        The expression of the user's program.
    via : tuple of Place
        The calls that led there, outermost first.
    scope : tuple of Call
        The calls of modules it was made in, outermost first.
    history : History
        What happened inside the same ``with ad.trace():``, also off the tape.
    """

    place: Place
    via: tuple[Place, ...]
    scope: tuple[Call, ...]
    history: History = History()


@contextlib.contextmanager
def tracing(outermost: FrameType | None = None) -> Iterator[None]:
    """Let nodes that are recorded inside remember the line of source, and the modules, that made them.

    What is further out than the frame ``outermost``, or else than who enters, does not belong to the program.
    """
    if outermost is None:
        outermost = sys._getframe(2)  # past contextlib's
        while outermost.f_back is not None and not is_users(outermost):
            outermost = outermost.f_back
    tracer = _Tracer(outermost)
    try:
        with watching(tracer):
            yield
    finally:
        tracer.outermost = None
        tracer.open.clear()


class _Tracer(Watcher):
    def __init__(self, outermost: FrameType | None) -> None:
        self.outermost = outermost
        self.places: dict[tuple[CodeType, int], Place] = {}
        self.calls: dict[tuple[tuple[Call, ...], str], int] = {}
        self.names: dict[int, tuple[Any, dict[int, str]]] = {}
        self.parameters: dict[int, tuple[Any, dict[int, str]]] = {}
        self.history = History()
        # The calls of modules that the last node was made in.  Holding their frames tells a second call from the first.
        self.open: list[tuple[FrameType, Call]] = []

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """Remember where the program is."""
        places: list[Place] = []
        modules: list[FrameType] = []
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            if code in MODULE_CALLS:
                modules.append(frame)
            elif is_users(frame):
                places.append(self._place(frame))
            if frame is self.outermost:
                break
            frame = frame.f_back
        for x in args:
            if isinstance(x, Node) and x.rule is None and not self.history.knows(x):
                self.history.call(x, self._name_of(x, modules[::-1]))
        self.history.steps.append(step_of(node, args, places[0] if places else None, bool(is_recording())))
        if places:
            node._origin = Origin(places[0], tuple(places[:0:-1]), self._scope(modules[::-1]), self.history)

    def _name_of(self, leaf: Node, modules: list[FrameType]) -> str | None:
        """What a leaf is called in the outermost module it belongs to, or else by a variable of the program."""
        for frame in modules:
            module = frame.f_locals["self"]
            if id(module) not in self.parameters:
                named = module.named_parameters() if hasattr(module, "named_parameters") else ()
                self.parameters[id(module)] = (module, {id(p): name for name, p in named})
            name = self.parameters[id(module)][1].get(id(leaf))
            if name is not None:
                return f"{self._step(module, None, frame)}.{name}"
        return _variable(leaf, sys._getframe(2), self.outermost)

    def _place(self, frame: FrameType) -> Place:
        code, at = frame.f_code, frame.f_lasti
        place = self.places.get((code, at))
        if place is None:
            first, last, column, end_column = list(code.co_positions())[at // 2]
            line = frame.f_lineno if first is None else first
            place = Place(Line(code.co_filename, line), code.co_qualname, last or line, column, end_column)
            self.places[code, at] = place
        return place

    def _scope(self, frames: list[FrameType]) -> tuple[Call, ...]:
        still = 0
        while still < min(len(frames), len(self.open)) and frames[still] is self.open[still][0]:
            still += 1
        del self.open[still:]
        for frame in frames[still:]:
            module = frame.f_locals["self"]
            around = self.open[-1][0].f_locals["self"] if self.open else None
            outer = tuple([call for _, call in self.open])
            step = self._step(module, around, frame)
            number = self.calls.get((outer, step), 0)
            self.calls[outer, step] = number + 1
            self.open.append((frame, Call(step, type(module).__name__, number)))
        return tuple([call for _, call in self.open])

    def _step(self, module: Any, around: Any, frame: FrameType) -> str:
        """What a module is called in the one around it, or in the program."""
        if around is not None:
            if id(around) not in self.names:
                named = around.named_modules() if hasattr(around, "named_modules") else ()
                self.names[id(around)] = (around, {id(m): name for name, m in named})
            name = self.names[id(around)][1].get(id(module))
        else:
            name = _variable(module, frame.f_back, self.outermost)
        return name or type(module).__name__


def _variable(thing: Any, frame: FrameType | None, outermost: FrameType | None) -> str | None:
    """The variable that holds ``thing``, in the outermost frame that has one: deeper down it is ``self``."""
    found = None
    while frame is not None:
        if is_users(frame):
            for variables in (frame.f_globals, frame.f_locals):
                for name, x in list(variables.items()):
                    if x is thing and not name.startswith("_") and name != "self":
                        found = name
        if frame is outermost:
            break
        frame = frame.f_back
    return found
