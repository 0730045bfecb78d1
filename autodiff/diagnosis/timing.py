"""Taking the time of single ops, of their derivatives, and of the lines of compiled functions.

A watcher is told of an op when it is over.  To know when it began, three functions of the engine are exchanged for ones
that look at the clock, while somebody profiles and not longer: the look-up of what computes an op, the binding of its
options, and one step of a sweep.  Who does not profile, in this thread or in another, gets what he would have got.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from time import perf_counter_ns
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from ..core import modes, op, tape, tree
from ..core.dispatch import Forwards
from ..core.modes import Watcher, compiler, watchers, watching
from ..core.node import Node, data_of
from ..core.source import Line, user_line

clock: Callable[[], int] = perf_counter_ns
"""What time it is, in nanoseconds."""

COMPILED = "compiled_"
"""How the rules of compiled functions are called."""
PRINTED = "<compiled "
"""How the names of files begin that hold the source of compiled functions."""


class Event(NamedTuple):
    """Something that took time.

    Attributes
    ----------
    part : str
        ``"forward"``, ``"backward"`` or ``"optimizer"``.
    op : str
        The name of the op; of a compiled function, a line of its source.
    shape : tuple of int or None
        Of the result; None where there is none.
    line : Line or None
        Of the program, where the op was called.
    start, end : int
        In nanoseconds, on a clock that stands still while the profile itself is at work.
    inner : int
        How much of that other events took, which happened meanwhile.
    bytes : int
        The size of the arrays that it made and handed out.
    """

    part: str
    op: str
    shape: tuple[int, ...] | None
    line: Line | None
    start: int
    end: int
    inner: int
    bytes: int

    @property
    def own(self) -> int:
        """The time without that of other events, in nanoseconds."""
        return self.end - self.start - self.inner


class Open:
    """Something that has begun.

    Attributes
    ----------
    shown : bool
        Whether it will be an event.
    shows : bool
        Whether what happens inside makes events of its own.
    """

    __slots__ = ("inner", "shown", "shows", "start")

    def __init__(self, shown: bool, shows: bool) -> None:
        self.shown = shown
        self.shows = shown and shows
        self.inner = 0
        self.start = 0


class Timer(Watcher):
    """Collects events.  It holds no node and no array."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lost = 0
        self.began: dict[int, int] = {}
        """When ops began, by the ``id`` of the frame that runs them."""
        self.lines: dict[int, Line | None] = {}
        """Where nodes were made, by creation number."""
        self.open: list[Open] = []

    def now(self) -> int:
        """The time without what the profile itself has taken."""
        return clock() - self.lost

    def resume(self, since: int) -> int:
        """Take what has passed since the clock showed ``since`` for the profile's own; return the time."""
        t = clock()
        self.lost += t - since
        return t - self.lost

    def begin(self, frame: FrameType, since: int) -> None:
        """An op is about to compute in ``frame``."""
        self.began[id(frame)] = 0  # so that the dict has grown before the clock is looked at
        self.began[id(frame)] = self.resume(since)

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """An op is over."""
        since = clock()
        end = since - self.lost
        frame = sys._getframe(2)  # past record()
        start = self.began.pop(id(frame), None) if frame.f_code.co_filename == op.__file__ else None
        if compiler() is None:
            line = self.lines[node.index] = user_line()
            if start is not None and self.shows():
                rule: Any = node.rule
                self.add(Event("forward", rule.name, _shape(node), line, start, end, 0, made([node], args)))
        self.resume(since)

    def shows(self) -> bool:
        """Whether what happens now makes an event of its own."""
        return not self.open or self.open[-1].shows

    def add(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)
        if self.open:
            self.open[-1].inner += event.end - event.start

    def enter(self, since: int, shows: bool) -> Open:
        """Something begins that ends with :meth:`leave`; the profile itself is at work since ``since``."""
        this = Open(shown=self.shows(), shows=shows)
        self.open.append(this)
        this.start = self.resume(since)
        return this

    def leave(self, this: Open, about: Callable[[], tuple[Any, ...]]) -> None:
        """It has ended; ``about`` gives part, op, shape, line and bytes, if they are asked for."""
        since = clock()
        end = since - self.lost
        self.open.remove(this)
        if this.shown:
            part, name, shape, line, size = about()
            self.add(Event(part, name, shape, line, this.start, end, this.inner, size))
        self.resume(since)

    def pull(self, pull: Callable[..., None], since: int, g: Any, node: Node, pending: dict[int, Any]) -> None:
        """Do what ``pull`` does, and time it."""
        rule: Any = node.rule
        places = [x.index for x in node.args if isinstance(x, Node) and x.tracked]
        given = [g, node, *node.args, *[pending.get(i) for i in places]]

        def about() -> tuple[Any, ...]:
            size = made([pending.get(i) for i in places], given)
            return "backward", rule.name, _shape(node), self.line_of(node), size

        this = self.enter(since, shows=not rule.by_argument)
        try:
            if rule.name.startswith(COMPILED):
                tracing(self.traced, pull, g, node, pending)
            else:
                pull(g, node, pending)
        finally:
            self.leave(this, about)

    def line_of(self, node: Node) -> Line | None:
        """Where a node was made, if that is known."""
        return node.origin.place.line if node.origin is not None else self.lines.get(node.index)

    def stepped(self, optimizer: Any) -> None:
        """An optimizer is about to update its parameters: from now on its updates are timed."""
        owner = next(cls for cls in type(optimizer).__mro__ if "update" in vars(cls))
        plain = vars(owner)["update"]

        @functools.wraps(plain)
        def update(self: Any, *args: Any, **options: Any) -> Any:
            timer = active()
            if timer is None:
                return plain(self, *args, **options)
            this = timer.enter(clock(), shows=False)
            try:
                return plain(self, *args, **options)
            finally:
                timer.leave(this, lambda: ("optimizer", f"{type(self).__name__}.update", None, user_line(), 0))

        HOOKS.hang(owner, "update", update)

    def call_compiled(self, compiled: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a compiled function as it is called where nobody watches, and time the lines of its source."""
        since = clock()
        name = COMPILED + getattr(compiled, "__name__", type(compiled).__name__).strip("<>")
        line = user_line()
        results: list[Node] = []

        def about() -> tuple[Any, ...]:
            self.lines.update((y.index, line) for y in results)
            return "forward", name, _shape(results[0]) if len(results) == 1 else None, line, made(results, ())

        token = modes._recording.set(bool(modes.is_recording()))
        this = self.enter(since, shows=True)
        try:
            result = tracing(self.traced, compiled, *args, **kwargs)
            results += [y for y in tree.flatten(result) if isinstance(y, Node)]
        finally:
            self.leave(this, about)
            modes._recording.reset(token)
        return result

    def traced(self, frame: FrameType, event: str, arg: Any) -> Any:
        """What Python asks at each call: who is to be told of the lines in ``frame``."""
        since = clock()
        name, part = frame.f_code.co_filename, frame.f_code.co_name
        printed = name.startswith(PRINTED) and part in ("forward", "backward")  # and not a comprehension in them
        told = LineTimer(self, name, part).told if printed else None
        self.resume(since)
        return told


class LineTimer:
    """Times the statements of one call of a printed function."""

    def __init__(self, timer: Timer, filename: str, part: str) -> None:
        self.timer = timer
        self.filename = filename
        self.part = part
        self.first = statements(filename)
        self.at = 0
        self.start = 0

    def told(self, frame: FrameType, event: str, arg: Any) -> Any:
        """A line is about to run, or the last one has."""
        since = clock()
        timer, at = self.timer, 0 if event == "return" else self.first.get(frame.f_lineno, frame.f_lineno)
        if event == "exception" or at == self.at:
            timer.resume(since)
            return self.told
        if self.at and timer.shows():
            line = Line(self.filename, self.at)
            code = line.text.partition("  # ")[0]
            timer.add(Event(self.part, code, None, line, self.start, since - timer.lost, 0, 0))
        self.at = at
        self.start = timer.resume(since)
        return self.told


@functools.lru_cache(maxsize=64)
def statements(filename: str) -> dict[int, int]:
    """For each line of a source, the line where its statement begins."""
    first: dict[int, int] = {}
    for node in ast.walk(ast.parse("".join(linecache.getlines(filename)))):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            first.update(dict.fromkeys(range(node.lineno, last + 1), node.lineno))
    return first


def tracing(tracer: Any, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call, and let ``tracer`` be told of the lines; a debugger that is told of them otherwise is not."""
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        return call(*args, **kwargs)
    finally:
        sys.settrace(before)


def active() -> Timer | None:
    """Who takes the time here."""
    for watcher in watchers():
        if isinstance(watcher, Timer):
            return watcher
    return None


def _shape(node: Node) -> tuple[int, ...]:
    shape: tuple[int, ...] = getattr(node._data, "shape", ())
    return shape


def made(results: Any, given: Any) -> int:
    """The bytes of the arrays among ``results`` that lie in no memory of what was ``given``."""
    known = {id(_owner(x)) for x in given}
    owners = {id(owner): owner for owner in map(_owner, results) if isinstance(owner, np.ndarray)}
    return sum(owner.nbytes for key, owner in owners.items() if key not in known)


def _owner(x: Any) -> Any:
    """The array that owns the memory of ``x``."""
    x = data_of(x)
    while isinstance(x, np.ndarray) and x.base is not None:
        x = x.base
    return x


class Hooks:
    """Functions of the engine that are exchanged as long as somebody, in any thread, profiles."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users = 0
        self.before: dict[tuple[Any, str], Any] = {}

    def hang(self, owner: Any, name: str, function: Callable[..., Any]) -> None:
        """Exchange an attribute, unless it is exchanged already."""
        with self.lock:
            if self.users and (owner, name) not in self.before:
                self.before[owner, name] = vars(owner).get(name)
                setattr(owner, name, function)

    def enter(self) -> None:
        """Exchange what is not exchanged yet."""
        with self.lock:
            self.users += 1
            for owner, name, function in (
                (Forwards, "__getitem__", look_up),
                (op, "_bind", bind),
                (tape, "pull_watched", pull_timed),
            ):
                self.hang(owner, name, function)

    def leave(self) -> None:
        """Put everything back after the last."""
        with self.lock:
            self.users -= 1
            while not self.users and self.before:
                (owner, name), function = self.before.popitem()
                if function is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, function)


HOOKS = Hooks()
_bind, _pull_watched = op._bind, tape.pull_watched


def look_up(forwards: Forwards, key: Any) -> Any:
    """Hangs in the place of ``Forwards.__getitem__``: what an op does right before it computes."""
    since = clock()
    found = dict.__getitem__(forwards, key)
    timer = active()
    if timer is not None:
        timer.begin(sys._getframe(1), since)
    return found


def bind(*args: Any) -> Any:
    """Hangs in the place of ``_bind``: what an op of a list of arrays does before it computes."""
    since = clock()
    timer = active()
    if timer is not None:
        timer.begin(sys._getframe(1), since)
    return _bind(*args)


def pull_timed(watching: Any, pull: Any, g: Any, node: Node, pending: dict[int, Any]) -> None:
    """Hangs in the place of ``pull_watched``: one step of a sweep."""
    since = clock()
    timer = active()
    if timer is None:
        _pull_watched(watching, pull, g, node, pending)
    elif len(watching) == 1:  # nobody else is to be shown what was found, and it is added up as ever, to the last bit
        timer.pull(pull, since, g, node, pending)
    else:
        _pull_watched(watching, functools.partial(timer.pull, pull, since), g, node, pending)


class Stretch(NamedTuple):
    """What happened from ``start`` to ``end``."""

    events: list[Event]
    start: int
    end: int

    @property
    def outside(self) -> int:
        """The time in which there was no event, in nanoseconds."""
        return self.end - self.start - sum(event.own for event in self.events)


@contextlib.contextmanager
def timed(keep: Callable[[Stretch], None]) -> Iterator[None]:
    """Take the time of what happens inside, in this thread and task, and hand it to ``keep`` at the end."""
    timer = active()
    with contextlib.ExitStack() as stack:
        if timer is None:
            timer = Timer()
            HOOKS.enter()
            stack.callback(HOOKS.leave)
            stack.enter_context(watching(timer))
        first, start = len(timer.events), timer.now()
        try:
            yield
        finally:
            keep(Stretch(timer.events[first:], start, timer.now()))
