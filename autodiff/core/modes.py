"""Switching recording off and on, per thread and per asyncio task."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar, Token
from types import TracebackType

_recording: ContextVar[bool] = ContextVar("recording", default=True)

is_recording = _recording.get
"""True where operations on tracked nodes are being recorded."""


class _Switch(contextlib.ContextDecorator):
    """A context manager, and a decorator, that sets recording and puts back what was there."""

    _to: bool

    def __enter__(self) -> None:
        self._token: Token[bool] = _recording.set(self._to)

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
