"""``with ad.trace():`` nodes remember what made them; ``ad.trace(x)`` is the sum of a diagonal."""

from __future__ import annotations

import functools
from typing import Any

from ..core.origin import tracing
from ..ops import diagonals


@functools.wraps(diagonals.trace, assigned=("__module__", "__name__", "__qualname__"))
def trace(*args: Any, **options: Any) -> Any:
    """Without arguments, remember where nodes come from; of an array, the sum of a diagonal, as ``np.trace``.

    Inside ``with ad.trace():`` every node that is recorded gets an ``origin``: the expression of your program that made
    it, the lines that led there, and the calls of modules it was made in.  Drawings, the debugger and diagnoses show
    them.  Outside it costs nothing.

    Parameters
    ----------
    *args, **options
        None, or those of ``np.trace``: an array, ``offset``, ``axis1``, ``axis2``, ``dtype``.

    Returns
    -------
    context manager, or array
        See above.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> x = ad.Value(2.0)
    >>> with ad.trace():
    ...     y = ad.sin(x) * x
    >>> y.origin.place.function, (x * x).origin
    ('<module>', None)
    >>> ad.trace(ad.Tensor(np.eye(3))).item()
    3.0
    """
    return diagonals.trace(*args, **options) if args or options else tracing()
