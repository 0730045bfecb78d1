"""Where printed source is kept, so that Numba can keep beside it what it made of that.

A file is named after all that it depends on, and written at once: a second process finds all of it, or nothing.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import sys
import tempfile
from importlib import metadata
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from ..load import load
from ..naming import identifier

logger = logging.getLogger("autodiff.compiler")

VARIABLE = "AUTODIFF_CACHE"
CACHED = ", cache=True"


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


def kept(source: str, title: str) -> Path | None:
    """The file that holds ``source``; None if it cannot be written."""
    versions = f"{platform.python_version()} {np.__version__} {metadata.version('numba')}"
    digest = hashlib.sha256(f"{versions}\n{source}".encode()).hexdigest()[:20]
    try:
        path = folder() / f"{identifier(title)}_{digest}.py"
        if path.exists() and path.read_text(encoding="utf-8") == source:
            return path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(".tmp", path.stem, path.parent)
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(source)
        os.replace(name, path)
    except (OSError, RuntimeError) as error:  # a RuntimeError if there is no home
        logger.debug("%s is compiled anew by each process, since it cannot be kept: %s", title, error)
        return None
    return path


def loaded(source: str, constants: dict[str, Any], title: str, keep: bool = True) -> dict[str, Any]:
    """Run source with constants in its namespace, from a file if it can be kept in one; return the namespace."""
    path = kept(source, title) if keep else None
    if path is None:
        return load(source.replace(CACHED, ""), constants, title)
    spec = spec_from_file_location(f"autodiff_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    vars(module).update(constants)
    sys.modules[module.__name__] = module  # where Numba looks for what it finds on disk
    spec.loader.exec_module(module)
    return vars(module)
