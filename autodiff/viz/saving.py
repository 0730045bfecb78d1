"""Where drawings and pages are saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ..core.errors import ArgumentError, AutodiffError, KindError
from ..core.summary import repr_text

LONGEST_PATH = 120
"""Longest path in an error message."""


class MissingFolderError(AutodiffError, FileNotFoundError):
    """A file was to be written to a folder that does not exist."""


class UnwritableError(AutodiffError, OSError):
    """A file was to be written where none can be."""


def writable(what: str, path: Any, formats: Sequence[str]) -> Path:
    """The path to save something at, if it can be written there.

    Parameters
    ----------
    what : str
        What is saved, for messages: ``"drawing"`` or ``"page"``.
    path : str or path
    formats : sequence of str
        The suffixes that its name can have, without their points.

    Raises
    ------
    KindError
        If it is no path.
    ArgumentError
        If it has another suffix.
    MissingFolderError
        If its folder does not exist.
    UnwritableError
        If it is a folder, or the system lets nobody write a file of that name there.

    Examples
    --------
    >>> writable("drawing", "graph.SVG", ["svg", "png"]).name
    'graph.SVG'
    >>> writable("drawing", "graph.bmp", ["svg", "png"])
    Traceback (most recent call last):
    ...
    autodiff.core.errors.ArgumentError: A drawing cannot be saved as 'graph.bmp'. The name can end in .svg or .png.
    """
    if not isinstance(path, str | PathLike):
        raise KindError(
            f"A {what} cannot be saved as {repr_text(path, 60)}, which is of type {type(path).__name__}. Give the "
            f"name of a file, such as {f'{what}.{formats[0]}'!r}."
        )
    place = Path(path)
    if place.suffix.lower().removeprefix(".") not in formats:
        *most, last = (f".{known}" for known in formats)
        endings = f"{', '.join(most)} or {last}" if most else last
        raise ArgumentError(f"A {what} cannot be saved as {_named(Path(place.name))}. The name can end in {endings}.")
    try:
        folder_is_there, is_folder = place.parent.is_dir(), place.is_dir()
        if folder_is_there and not is_folder:
            _try_to_write(place)
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, "strerror", None) or error
        raise UnwritableError(
            f"A {what} cannot be saved as {_named(place)}: the system says {reason}. Give it another name, or save it "
            "elsewhere."
        ) from None
    if not folder_is_there:
        raise MissingFolderError(
            f"A {what} cannot be saved as {_named(place)}: there is no folder {_named(place.parent)}. Make it first, "
            "or save it elsewhere."
        )
    if is_folder:
        raise UnwritableError(f"A {what} cannot be saved as {_named(place)}: this is a folder; name a file in it.")
    return place


def _try_to_write(place: Path) -> None:
    """Raise what writing there would raise, and leave everything as it was."""
    is_new = not os.path.lexists(place)
    place.open("ab").close()
    if is_new:
        place.unlink()


def _named(path: Path) -> str:
    """A path in an error message."""
    return repr_text(str(path), LONGEST_PATH)
