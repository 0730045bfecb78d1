"""Loading printed source, so that tracebacks and the debugger show its lines."""

from __future__ import annotations

import itertools
import linecache
import weakref
from typing import Any

_number = itertools.count(1).__next__


def load(source: str, constants: dict[str, Any], title: str) -> dict[str, Any]:
    """Run source with constants in its namespace; return the namespace."""
    filename = f"<compiled {title} {_number()}>"
    # The form of linecache's entries for source that has no file: size, no time of change, lines, name.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace = {"__name__": "autodiff.compiled", **constants}
    exec(compile(source, filename, "exec"), namespace)
    weakref.finalize(namespace["make"], linecache.cache.pop, filename, None)
    return namespace
