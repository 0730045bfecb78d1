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
        tracer.scope = ()


class _Code(NamedTuple):
    """What is known of the code of a frame, and the places in it by instruction.  Keeps the code, and so its ``id``."""

    code: CodeType
    calls_module: bool
    is_users: bool
    places: dict[int, Place]


class _Tracer(Watcher):
    def __init__(self, outermost: FrameType | None) -> None:
        self.outermost = outermost
        # By the id of code, which is quicker than by the code itself: what was found out about it.
        self.codes: dict[int, _Code] = {}
        self.calls: dict[tuple[tuple[Call, ...], str], int] = {}
        self.named: dict[tuple[int, str], tuple[Any, dict[int, str]]] = {}
        self.history = History()
        # The calls of modules that the last node was made in.  Holding their frames tells a second call from the first.
        self.open: list[tuple[FrameType, Call]] = []
        self.scope: tuple[Call, ...] = ()

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """Remember where the program is."""
        places: list[Place] = []
        modules: list[FrameType] = []
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            code = self.codes.get(id(frame.f_code)) or self._look_at(frame)
            if code.calls_module:
                modules.append(frame)
            elif code.is_users:
                places.append(code.places.get(frame.f_lasti) or _place(frame, code.places))
            if frame is self.outermost:
                break
            frame = frame.f_back
        modules.reverse()
        for x in args:
            if isinstance(x, Node) and x.rule is None and not self.history.knows(x):
                self.history.call(x, self._name_of(x, modules))
        self.history.steps.append(step_of(node, args, places[0] if places else None, bool(is_recording())))
        if places:
            node._origin = Origin(places[0], tuple(places[:0:-1]), self._scope(modules), self.history)

    def _name_of(self, leaf: Node, modules: list[FrameType]) -> str | None:
        """What a leaf is called in the outermost module it belongs to, or else by a variable of the program."""
        for frame in modules:
            module = frame.f_locals["self"]
            name = self._called(leaf, module, "named_parameters")
            if name is not None:
                return f"{self._step(module, None, frame)}.{name}"
        return _variable(leaf, sys._getframe(2), self.outermost)

    def _look_at(self, frame: FrameType) -> _Code:
        code = frame.f_code
        found = self.codes[id(code)] = _Code(code, code in MODULE_CALLS, is_users(frame), {})
        return found

    def _scope(self, frames: list[FrameType]) -> tuple[Call, ...]:
        if len(frames) == len(self.open) and all([a is b for a, (b, _) in zip(frames, self.open)]):
            return self.scope
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
        self.scope = tuple([call for _, call in self.open])
        return self.scope

    def _step(self, module: Any, around: Any, frame: FrameType) -> str:
        """What a module is called in the one around it, or in the program."""
        if around is not None:
            name = self._called(module, around, "named_modules")
        else:
            name = _variable(module, frame.f_back, self.outermost)
        return name or type(module).__name__

    def _called(self, thing: Any, module: Any, method: str) -> str | None:
        """What ``method`` of a module calls a thing inside it.  A module is asked once, and kept, so is its ``id``."""
        key = (id(module), method)
        if key not in self.named:
            self.named[key] = (module, {id(x): name for name, x in getattr(module, method)()})
        return self.named[key][1].get(id(thing))


def _place(frame: FrameType, places: dict[int, Place]) -> Place:
    """Where a frame is, for the first time."""
    code, at = frame.f_code, frame.f_lasti
    first, last, column, end_column = list(code.co_positions())[at // 2]
    line = frame.f_lineno if first is None else first
    places[at] = place = Place(Line(code.co_filename, line), code.co_qualname, last or line, column, end_column)
    return place


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
