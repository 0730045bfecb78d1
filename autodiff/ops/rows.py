"""Sums and largest entries along the last axis, of plain arrays, in the ways that are fast on short rows.

NumPy's reductions pay for every row: of 4,096 rows of ten numbers a sum takes nine times as long as a product with a
vector of ones, a maximum nine times as long as one over the first axis of the transposed array; of rows of 64 numbers a
maximum takes twice as long as finding out where it stands, and fetching it from there.
"""

from __future__ import annotations

import numpy as np

from ..core.node import Array
from .broadcast import ones
from .reduce import add_reduce, maximum_reduce

SHORT = 32
"""Up to this length of rows, transposing costs less than it saves."""


def in_rows(x: Array) -> Array:
    """An array that is not empty as a matrix with the same rows."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def row_sums(x: Array) -> Array:
    """The sum over the last axis, which stays, of length 1."""
    n = x.shape[-1]
    if x.dtype.char not in "fd" or not x.size:
        return add_reduce(x, axis=-1, keepdims=True)
    return in_rows(x).dot(ones(n, x.dtype.char)).reshape(*x.shape[:-1], 1)


def row_tops(x: Array) -> Array:
    """The largest entry along the last axis, which stays, of length 1."""
    if x.ndim < 2 or not x.size or x.dtype.kind not in "fiu":
        return maximum_reduce(x, axis=-1, keepdims=True)
    rows, n = in_rows(x), x.shape[-1]
    if n <= SHORT:
        tops = maximum_reduce(rows.T.copy(), axis=0)
    else:
        tops = rows.ravel().take(rows.argmax(axis=-1) + np.arange(0, x.size, n))
    return tops.reshape(*x.shape[:-1], 1)


def exp_into(x: Array) -> Array:
    """``e**x`` of an array that nobody else needs: in its memory, where that is possible."""
    return np.exp(x, out=x) if x.ndim and x.dtype.kind in "fc" else np.exp(x)
