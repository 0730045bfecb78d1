"""What the solvers share: checks of arguments and of what functions return, progress, and work kept on Ctrl-C."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.batched import Batched
from ..core.errors import ArgumentError, CompileError, InterruptedSolverError, KindError, NotFiniteError, ShapeError
from ..core.modes import compiler
from ..core.node import Node, data_of
from ..core.progress import Progress
from ..core.summary import number_text, repr_text
from ..ops.joining import stack
from ..transforms.vmap import CannotBatchError
from .spelling import meant


def refuse_compiling(what: str) -> None:
    """Raise while :func:`autodiff.compile` records: how often a solver goes round depends on the numbers."""
    if compiler() is not None:
        raise CompileError(
            f"{what} cannot be compiled, since how many steps it takes depends on the numbers. Leave it outside of the "
            "function given to ad.compile; the function that it solves for may be compiled."
        )


def plain_data(x: Any) -> Any:
    """The array or number of a node, or of a plain result; a batch of ``vmap`` makes it take one after another."""
    data = data_of(x)
    if isinstance(data, Batched):
        raise CannotBatchError
    return data


def joined(x: Any) -> Any:
    """An array, or a recorded one, of nested lists of numbers and nodes; anything else as it is."""
    if not isinstance(x, list | tuple):
        return x
    parts = [joined(part) for part in x]
    if any(isinstance(part, Node) for part in parts):
        return stack(parts)
    try:
        return np.asarray(parts)
    except ValueError:
        raise ShapeError(f"{repr_text(x)} has rows of different lengths; an array has rows of one.") from None


def require_choice(what: str, **settings: tuple[Any, tuple[Any, ...]]) -> None:
    """Raise unless each setting, a pair of what was given and of what there is, is one of those there are.

    Examples
    --------
    >>> require_choice("odeint", method=("euler", ("rk4", "leapfrog")))
    Traceback (most recent call last):
    autodiff.core.errors.ArgumentError: odeint got method='euler'; there are 'rk4', 'leapfrog'.
    """
    for name, (given, known) in settings.items():
        if not any(given is k or (isinstance(given, str) and given == k) for k in known):
            there = ", ".join(map(repr, known))
            raise ArgumentError(f"{what} got {name}={repr_text(given)}; there are {there}.{meant(given, known)}")


def require_real(what: str, **values: Any) -> None:
    """Raise unless each value is made of real numbers."""
    for name, x in values.items():
        try:
            kind = np.asarray(plain_data(x)).dtype.kind
        except ValueError:  # rows of different lengths
            kind = "O"
        if kind not in "fiub":
            raise KindError(f"{what} got {name}={repr_text(data_of(x))}; it is made of real numbers.")


def require_finite(what: str, y: Any, place: str, reached: object = None) -> None:
    """Raise if the result ``y`` of a function holds a nan or an infinite number; ``place`` tells where, as "x = 3"."""
    if not np.all(np.isfinite(y)):
        bad = np.asarray(y).ravel()
        raise NotFiniteError(
            f"{what}: the function returned {number_text(bad[~np.isfinite(bad)][0], 6)} at {place}. Give it "
            "values that are finite where it is asked: another start, a smaller range, a substitution.",
            reached,
        )


@contextlib.contextmanager
def watching(
    what: str, total: int | None, progress: bool, reached: Callable[[], Any], state: Callable[[], str]
) -> Iterator[Progress]:
    """Run a long computation inside: with a bar if there is to be one, and with the work so far kept on Ctrl-C.

    Parameters
    ----------
    what : str
        Who runs, such as ``"odeint"``.
    total : int or None
        Steps of the bar; :meth:`~autodiff.core.progress.Progress.advance` counts them.
    progress : bool
    reached : callable
        Gives what is kept: the result so far.
    state : callable
        Says how far that is, such as ``"t = 3 of 10"``.

    Raises
    ------
    InterruptedSolverError
        On Ctrl-C, in place of ``KeyboardInterrupt``, of which it is one.
    """
    with Progress(total, what, progress) as bar:
        try:
            yield bar
        except KeyboardInterrupt as stop:  # also that of a solver inside, which knows of its own work only
            kept = reached()
            raise InterruptedSolverError(
                f"{what} was interrupted at {state()}. What it found so far is in the error's .reached.", kept
            ) from stop
