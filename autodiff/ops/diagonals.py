"""Diagonals and triangles of matrices."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.dispatch import joined
from ..core.errors import ShapeError
from ..core.node import Array, ArrayLike, shape_of, size_of
from ..core.rule import Sample, sample
from .broadcast import broadcast_to, is_plain
from .families import linear
from .index import setitem
from .joining import lasting
from .rearranging import resize
from .shape import astype, dtype_of, ravel, reshape

__all__ = ["diag", "diagflat", "diagonal", "fill_diagonal", "trace", "tril", "triu"]


@linear(
    lambda g, x, offset, axis1, axis2: with_diagonal(g, shape_of(x), offset, axis1, axis2),
    formula=r"y_{\dots i} = x_{\dots i,\,i+k}, \quad \bar x_{\dots i,\,i+k} = \bar y_{\dots i}",
)
def diagonal(x: ArrayLike, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The diagonal of the matrices that lie in ``axis1`` and ``axis2``, as the last axis."""
    return x.diagonal(offset, axis1, axis2)


def diagonal_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(3, 3)))
    yield sample(rng.normal(size=(2, 4)), offset=1)
    yield sample(rng.normal(size=(4, 2)), offset=-3)
    yield sample(rng.normal(size=(2, 3)), offset=5)
    yield sample(rng.normal(size=(2, 3, 4)), offset=-1, axis1=-1, axis2=0)
    yield sample(rng.normal(size=(2, 3, 2, 3)), axis1=1, axis2=3)
    yield sample(rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, offset=1)


diagonal.def_samples(diagonal_samples)


@linear(
    lambda g, offset, axis1, axis2: diagonal(g, offset, axis1, axis2),
    formula=r"y_{\dots i,\,i+k} = x_{\dots i}, \; 0 \text{ elsewhere}, \quad \bar x = \text{the diagonal of } \bar y",
)
def with_diagonal(x: ArrayLike, /, shape: tuple[int, ...], offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """Zeros of ``shape`` with ``x`` on the diagonal: the transpose of ``diagonal``."""
    y = np.zeros(shape, x.dtype)
    view = y.diagonal(offset, axis1, axis2)
    view.flags.writeable = True
    view[...] = x
    return y


@with_diagonal.def_samples
def with_diagonal_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=3), shape=(3, 3))
    yield sample(rng.normal(size=(3, 2)), shape=(2, 3, 4), offset=-1, axis1=2, axis2=0)
    yield sample(rng.normal(size=0), shape=(0, 2))
    yield sample(rng.normal(size=6)[::-2], shape=(3, 5), offset=2)


def trace_vjp(g: Array, x: Array, offset: int, axis1: int, axis2: int) -> Array:
    shape = shape_of(x)
    n = np.broadcast_to(0, shape).diagonal(offset, axis1, axis2).shape[-1]
    repeated = broadcast_to(reshape(g, (*shape_of(g), 1)), (*shape_of(g), n))
    return with_diagonal(repeated, shape, offset, axis1, axis2)


@linear(trace_vjp, formula=r"y = \sum_i x_{i,\,i+k}, \quad \bar x_{i,\,i+k} = \bar y")
def trace(
    x: ArrayLike, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Array:
    """Sum of the diagonal of the matrices that lie in ``axis1`` and ``axis2``."""
    return lasting("trace", [x], x.trace(offset, axis1, axis2, dtype))


@trace.def_samples
def trace_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from diagonal_samples(rng)
    yield sample(rng.normal(size=(2, 3)), dtype=complex)


@linear(
    lambda g, k: tril(g, k), formula=r"y_{ij} = x_{ij} [j \le i + k], \quad \bar x_{ij} = \bar y_{ij} [j \le i + k]"
)
def tril(x: ArrayLike, /, k: int = 0) -> Array:
    """The lower triangle of matrices: zeros above the diagonal ``k``."""
    return np.tril(x, k)


@linear(
    lambda g, k: triu(g, k), formula=r"y_{ij} = x_{ij} [j \ge i + k], \quad \bar x_{ij} = \bar y_{ij} [j \ge i + k]"
)
def triu(x: ArrayLike, /, k: int = 0) -> Array:
    """The upper triangle of matrices: zeros below the diagonal ``k``."""
    return np.triu(x, k)


def triangle_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(3, 3)))
    yield sample(rng.normal(size=(2, 3, 4)), k=1)
    yield sample(rng.normal(size=(4, 2)), k=-2)
    yield sample(rng.normal(size=3))  # repeated as rows
    yield sample(rng.normal(size=(2, 0, 3)))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, k=9)


tril.def_samples(triangle_samples)
triu.def_samples(triangle_samples)


def diag(x: ArrayLike, k: int = 0) -> Array:
    """The matrix with the vector ``x`` on its diagonal ``k``; of a matrix ``x``, that diagonal."""
    shape = shape_of(x)
    if len(shape) == 2:
        return diagonal(x, k)
    if len(shape) != 1:
        raise ShapeError(f"diag got shape {shape}; it takes a vector or a matrix. For stacked matrices use diagonal.")
    n = shape[0] + abs(k)
    return with_diagonal(x, (n, n), k)


def diagflat(x: ArrayLike, k: int = 0) -> Array:
    """The matrix with the entries of ``x`` on its diagonal ``k``."""
    return diag(ravel(x), k)


def fill_diagonal(x: ArrayLike, val: ArrayLike, wrap: bool = False) -> Array:
    """``x`` with ``val`` on its main diagonal.  ``x`` itself stays as it is: NumPy writes into it instead.

    Parameters
    ----------
    x : array_like
        A matrix, or an array of more axes of one length.
    val : array_like
        Repeated, or cut off, to the length of the diagonal; in the dtype of ``x``.
    wrap : bool
        Whether the diagonal of a tall matrix starts again below, after a row left out.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda v: ad.fill_diagonal(np.ones((2, 2)), v)[0].sum())(np.array([5.0, 6.0]))
    array([1., 0.])
    """
    x = joined(x) if is_plain(x) else x
    shape = shape_of(x)
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ShapeError(f"fill_diagonal got shape {shape}; it takes a matrix, or three or more axes of one length.")
    step = 1 + sum([math.prod(shape[k:]) for k in range(1, len(shape))])
    stop = 0 if not size_of(val) else shape[1] ** 2 if len(shape) == 2 and not wrap else None
    places = slice(None, stop, step)
    values = resize(astype(val, dtype_of(x)), len(range(*places.indices(math.prod(shape)))))
    return reshape(setitem(ravel(x), values, places), shape)
