"""What a value is like: numbers that describe an array, and a bounded part of it to show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.summary import data_text, number_text

BINS = 12
"""Bars of a histogram."""
EXACT = 17
"""Digits that tell every number of double precision from its neighbours."""
SHOWN = 7
"""Digits of entries that are only to be looked at."""
OF_STATISTICS = 9
"""Digits of statistics where entries have fewer: all of single precision."""

Form = Any
"""What JSON can hold: here a number, a text or a dict."""


def number_form(x: Any, digits: int = EXACT) -> Form:
    """A number as JSON can hold it.

    A float is itself, rounded to so many digits; nan and the infinities are texts.  A number of another kind is a dict
    of its ``text`` and, if it is real, of its ``number``.

    Examples
    --------
    >>> from fractions import Fraction
    >>> [number_form(x, 7) for x in (1 / 3, float("-inf"), 2, Fraction(1, 4), 1 + 2j)]
    [0.3333333, '-inf', {'text': '2', 'number': 2.0}, {'text': '1/4', 'number': 0.25}, {'text': '1.0+2.0j'}]
    """
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, float):
        return _float_form(x, digits)
    text = number_text(x)
    if isinstance(x, complex):
        return {"text": text}
    try:
        return {"text": text, "number": _float_form(float(x), digits)}
    except Exception:  # a symbol, or a number kind of the user's own
        return {"text": text}


def _float_form(x: float, digits: int) -> Form:
    if not math.isfinite(x):
        return str(x)
    return x if digits >= EXACT else float(f"{x:.{digits}g}")


def array_form(data: np.ndarray[Any, Any], most: int, digits: int = EXACT, brief: bool = False) -> dict[str, Any]:
    """An array as JSON can hold it: what describes it, and of its entries as many as may be listed.

    Parameters
    ----------
    data : ndarray
    most : int
        How many entries may be listed.  A larger array is seen as a table whose rows lie along its last axis, and
        every so many rows and columns are listed.
    digits : int
    brief : bool
        Whether to leave out all but the extremes, and what is not finite.

    Returns
    -------
    dict
        ``shape``; ``min, max, mean, std`` of the finite entries, how many are zero (``zeros``), ``nan`` and infinite
        (``inf``), a ``histogram`` of the finite ones; ``kind``, if entries are no floats; and ``data``: the listed
        entries, row by row, of every ``step[0]``-th row and every ``step[1]``-th column.  Counts of 0, and steps of 1,
        are left out.

    Examples
    --------
    >>> import numpy as np
    >>> form = array_form(np.arange(6.0).reshape(2, 3), 4)
    >>> form["mean"], form["step"], form["data"]
    (2.5, [1, 2], [0.0, 2.0, 3.0, 5.0])
    """
    form: dict[str, Any] = {"shape": list(data.shape)}
    kind = data.dtype.kind
    if kind not in "biufc":
        return form | {"text": data_text(data)}
    if kind != "f":
        form["kind"] = {"b": "bool", "c": "complex"}.get(kind, "int")
    if not data.size:
        return form
    real = np.abs(data) if kind == "c" else data
    finite = np.isfinite(real)
    kept = real[finite].astype(float)
    nans = int(np.count_nonzero(np.isnan(real)))
    counts = {"nan": nans, "inf": data.size - kept.size - nans, "zeros": data.size - int(np.count_nonzero(data))}
    form |= {what: n for what, n in counts.items() if n}
    with np.errstate(all="ignore"):
        if kept.size:
            finer = max(digits, OF_STATISTICS)
            wanted = ("min", "max", "mean") if brief else ("min", "max", "mean", "std")
            form |= {what: _float_form(getattr(kept, what)().item(), finer) for what in wanted}
            if not brief:
                form["histogram"] = _histogram(kept)
        return form if brief else form | _listed(data, most, digits)


def _histogram(entries: np.ndarray[Any, Any]) -> list[int]:
    low, high = entries.min(), entries.max()
    width = high - low
    if not (width > 0 and math.isfinite(width)):
        return [entries.size]
    bins = np.minimum((entries - low) / width * BINS, BINS - 1).astype(int)
    counts: list[int] = np.bincount(bins, minlength=BINS).tolist()
    return counts


def steps_of(rows: int, columns: int, most: int) -> tuple[int, int]:
    """Every how many rows and columns of a table are listed, if so many entries may be.

    Examples
    --------
    >>> steps_of(1000, 10, 100), steps_of(1, 1000, 100), steps_of(4, 5, 100)
    ((100, 1), (1, 10), (1, 1))
    """
    if rows * columns <= most:
        return 1, 1
    side = max(1, math.isqrt(most))
    wide = min(columns, max(side, most // rows))
    high = min(rows, max(1, most // wide))
    return -(-rows // high), -(-columns // max(1, min(wide, most // high)))


def _listed(data: np.ndarray[Any, Any], most: int, digits: int) -> dict[str, Any]:
    table = data.reshape(-1, data.shape[-1])
    step = steps_of(*table.shape, most)
    kept = table[:: step[0], :: step[1]]
    form: dict[str, Any] = {} if step == (1, 1) else {"step": list(step)}
    if data.dtype.kind in "biu":
        return form | {"data": kept.astype(int).ravel().tolist()}
    if data.dtype.kind == "c":
        return form | {"data": [number_text(x) for x in kept.ravel().tolist()]}
    return form | {"data": [_float_form(x, digits) for x in kept.ravel().tolist()]}
