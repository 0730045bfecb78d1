"""Switching recording off and on, per thread and per asyncio task."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .node import Node


class Watcher:
    """Somebody who is told what happens on the tape: the base of the diagnoses, which override what they need."""

    compiles = False
    """Whether what is recorded will be run again on other numbers."""
    call_compiled: Callable[..., Any] | None = None
    """Calls a compiled function for who wants to see it run compiled; others see the function itself."""

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """An op made ``node`` of ``args``, which the node itself may not remember."""

    def swept(self, outputs: Any, leaves: Any) -> None:
        """``backward`` from ``outputs`` is about to reach ``leaves``, a dict by index."""

    def pulled(self, node: Node, g: Any, found: dict[int, Any]) -> None:
        """The sweep passed ``node`` with cotangent ``g`` and found the cotangents ``found`` of its arguments."""

    def unreached(self, inputs: list[Any]) -> None:
        """A transform found that its result does not depend on ``inputs``."""

    def graded(self, output: Any) -> None:
        """``backward`` from ``output`` has left its gradients."""

    def stepped(self, optimizer: Any) -> None:
        """An optimizer is about to update its ``params``."""

    def lift(self, node: Node) -> None:
        """A transform has made ``node`` of one of its arguments."""

    def constant(self, array: Any) -> Node:
        """A node for a constant, for who compiles, so that what is done with it is recorded."""
        raise NotImplementedError

    def finite(self, node: Node) -> bool:
        """Whether who compiles lets a derivative take all entries of ``node`` for finite."""
        raise NotImplementedError

    def tracks(self, node: Node) -> bool:
        """Whether ``node`` is tracked where nobody compiles; what is compiled takes every argument for tracked."""
        raise NotImplementedError

    def is_plain(self, node: Node) -> bool:
        """Whether ``node`` is a plain array or number where nobody compiles."""
        raise NotImplementedError

    def assigned(self, node: Node) -> None:
        """``node`` is about to be assigned into."""

    def changes(self, thing: Any) -> None:
        """The ``state`` of ``thing`` is about to change: a generator that is drawn from, or a buffer."""


class Watched:
    """The recording switch where somebody watches: true or false as the plain one is."""

    __slots__ = ("recording", "watchers")

    def __init__(self, recording: bool, watchers: tuple[Watcher, ...]) -> None:
        self.recording = recording
        self.watchers = watchers

    def __bool__(self) -> bool:
        return self.recording


_recording: ContextVar[bool | Watched] = ContextVar("recording", default=True)

is_recording: Callable[[], Any] = _recording.get
"""True where operations on tracked nodes are being recorded; a :class:`Watched` where somebody wants to be told."""


def watchers() -> tuple[Watcher, ...]:
    """Who is to be told of what happens here."""
    mode = _recording.get()
    return mode.watchers if mode is not True and mode is not False else ()


def compiler() -> Watcher | None:
    """Who compiles what is being recorded here."""
    mode = _recording.get()
    if mode is True or mode is False:  # nearly always, and asked often
        return None
    return next((watcher for watcher in mode.watchers if watcher.compiles), None)


_sealed: ContextVar[int] = ContextVar("sealed", default=0)

sealed: Callable[[], int] = _sealed.get
"""Nodes of a smaller creation number than this must not be assigned into."""


@contextlib.contextmanager
def sealing(index: int) -> Iterator[None]:
    """Refuse assignments into what is older than ``index``: what is done inside may be done again."""
    token = _sealed.set(index)
    try:
        yield
    finally:
        _sealed.reset(token)


@contextlib.contextmanager
def watching(watcher: Watcher) -> Any:
    """Tell ``watcher`` what happens inside, in this thread and task."""
    token = _recording.set(Watched(bool(_recording.get()), (*watchers(), watcher)))
    try:
        yield watcher
    finally:
        _recording.reset(token)


class _Switch(contextlib.ContextDecorator):
    """A context manager, and a decorator, that sets recording and puts back what was there."""

    _to: bool

    def __enter__(self) -> None:
        inside = watchers()
        self._token: Token[Any] = _recording.set(Watched(self._to, inside) if inside else self._to)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _recording.reset(self._token)

    def _recreate_cm(self) -> _Switch:
        return type(self)()  # a decorated function may run in many threads: each call holds a token of its own


class no_grad(_Switch):
    """Record nothing inside: results are untracked.  Also a decorator: ``@ad.no_grad()``.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.Value(3.0)
    >>> with ad.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    _to = False


class enable_grad(_Switch):
    """Record inside, even within :class:`no_grad`.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.Value(3.0)
    >>> with ad.no_grad(), ad.enable_grad():
    ...     y = x * x
    >>> y.requires_grad
    True
    """

    _to = True
