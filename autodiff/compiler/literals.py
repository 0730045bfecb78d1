"""Constants as they are written in source."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .naming import identifier

MOST_WRITTEN = 12
"""How many entries of an array are written out; a larger one is given beside the source."""


def number(x: float) -> str:
    """A Python number as it is written."""
    return repr(x) if math.isfinite(x) else {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}[repr(x)]


def dtype_text(dtype: np.dtype[Any]) -> str:
    """A dtype as it is written."""
    return f"np.{dtype.name}" if dtype.isnative and hasattr(np, dtype.name) else f"np.dtype({dtype.str!r})"


def literal(value: Any) -> str | None:
    """The source of a constant; None if it is not written out.

    Examples
    --------
    >>> literal(np.ones((2, 3), np.float32)), literal(np.array([1, 2])), literal(np.float32(0.5))
    ('np.ones((2, 3), np.float32)', 'np.array([1, 2], np.int64)', 'np.float32(0.5)')
    """
    if type(value) is np.ndarray and value.dtype.kind in "biufc" and value.dtype.isnative:
        dtype = dtype_text(value.dtype)
        entry: Any = value.flat[0] if value.size else None
        if value.size > 1 and value.flags.c_contiguous and value.tobytes() == entry.tobytes() * value.size:
            filled = {"1": "ones", "0": "zeros"}.get(f"{entry:g}" if value.dtype.kind in "iuf" else "")
            if filled is not None and not (filled == "zeros" and np.signbit(entry)):
                return f"np.{filled}({value.shape}, {dtype})"
            return f"np.full({value.shape}, {_entry(entry.item())}, {dtype})"
        if value.size <= MOST_WRITTEN and 0 not in value.shape:
            return f"np.array({_nested(value.tolist())}, {dtype})"
        return None
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return f"np.{value.dtype.name}({_entry(value.item())})"
    return _entry(value) if type(value) is complex else None


def _nested(entries: Any) -> str:
    return f"[{', '.join(map(_nested, entries))}]" if isinstance(entries, list) else _entry(entries)


def _entry(x: Any) -> str:
    return f"complex({number(x.real)}, {number(x.imag)})" if isinstance(x, complex) else number(x)


def stem_of(value: Any) -> str:
    """What a constant is called."""
    if callable(value) and hasattr(value, "__name__"):
        return identifier(value.__name__)
    text = literal(value) or ""
    filled = next((stem for stem in ("ones", "zeros") if text.startswith(f"np.{stem}(")), None)
    return filled or ("rng" if isinstance(value, np.random.Generator) else "constant")


def kind_of(value: Any) -> str:
    """What a constant is, in a comment."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, {value.dtype}"
    if callable(value) and hasattr(value, "__module__"):
        return f"the function of that name in {value.__module__}"
    return f"a {type(value).__name__}"
