"""Where printed source is kept, so that Numba can keep beside it what it made of that.

A file is named after all that it depends on, and written at once: a second process finds all of it, or nothing.  What
was not used for longest goes when the folder is full.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..load import load
from ..naming import identifier

logger = logging.getLogger("autodiff.compiler")

VARIABLE = "AUTODIFF_CACHE"
CACHED = ", cache=True"
LARGEST = 512 * 2**20
"""So many bytes may lie in the folder before a program is added to it."""


def folder() -> Path:
    """The folder for compiled programs: what the variable ``AUTODIFF_CACHE`` says, or where the system has caches."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "autodiff" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "autodiff"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autodiff"


def file_of(source: str, title: str) -> Path:
    """The file for ``source``, whether it is there or not."""
    versions = f"{platform.python_version()} {np.__version__} {metadata.version('numba')}"
    digest = hashlib.sha256(f"{versions}\n{source}".encode()).hexdigest()[:20]
    return folder() / f"{identifier(title)}_{digest}.py"


def keep_source(path: Path, source: str) -> None:
    """See to it that a file holds ``source``, and note that it was used."""
    text = source.encode()
    if path.exists() and path.read_bytes() == text:
        with suppress(OSError):  # the time of change is part of what Numba's files are valid for
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_room(path.parent)
    handle, name = tempfile.mkstemp(".tmp", f"{path.stem}.", path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(text)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def files_in(place: Path) -> dict[str, list[Path]]:
    """The files of each program in a folder: its source, and what Numba keeps of it."""
    found: dict[str, list[Path]] = {}
    for path in (*place.glob("*.*"), *place.glob("__pycache__/*.*")):
        stem = path.name.partition(".")[0]
        if re.fullmatch(r"\w+_[0-9a-f]{20}", stem):  # somebody may keep other things there
            found.setdefault(stem, []).append(path)
    return found


def make_room(place: Path) -> None:
    """Remove the programs that were not used for longest, until no more than ``LARGEST`` bytes are left."""
    programs = []
    for paths in files_in(place).values():
        with suppress(OSError):  # another process may be removing it
            states = [path.stat() for path in paths]
            programs.append((max(s.st_atime_ns for s in states), sum(s.st_size for s in states), paths))
    left = sum(size for _, size, _ in programs)
    for _, size, paths in sorted(programs):
        if left <= LARGEST:
            return
        remove(paths)
        left -= size


def remove(paths: Iterable[Path]) -> None:
    """Remove files; where one cannot be, another process has it open, or has removed it."""
    for path in paths:
        with suppress(OSError):
            path.unlink()


def loaded(source: str, constants: dict[str, Any], title: str, damaged: bool = False) -> dict[str, Any]:
    """Run source with constants in its namespace, from a file if it can be kept in one; return the namespace.

    Where what was found on disk is ``damaged``, it is removed, and nothing is kept this time.
    """
    try:
        path = file_of(source, title)
        if not damaged:
            keep_source(path, source)
            return run_file(path, source, constants)
        remove(files_in(path.parent).get(path.stem, ()))
    except (OSError, RuntimeError) as error:  # a RuntimeError if there is no home, or nowhere that Numba can write
        logger.debug("%s is compiled anew by each process, since it cannot be kept: %s", title, error)
    return load(source.replace(CACHED, ""), constants, title)


def run_file(path: Path, source: str, constants: dict[str, Any]) -> dict[str, Any]:
    """Run source that lies in a file."""
    name = f"autodiff_{path.stem}"
    # Numba imports the module of what it finds on disk, but needs nothing of it.
    sys.modules.setdefault(name, ModuleType(name))
    namespace: dict[str, Any] = {"__name__": name, "__file__": str(path)}
    exec(compile(source, path, "exec"), namespace)
    # Numba keeps its functions for long, and they their globals: those of ``make`` alone hold the constants.
    make = FunctionType(namespace["make"].__code__, {**namespace, **constants})
    return {**namespace, "make": make}
