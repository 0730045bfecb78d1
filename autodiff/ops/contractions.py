"""Products over several axes or several matrices."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import refuse_out
from .arithmetic import multiply
from .diagonals import diagonal, trace
from .joining import stack
from .products import dot, matmul, outer
from .shape import moveaxis, reshape, transpose

__all__ = ["cross", "kron", "multi_dot", "tensordot"]


def tensordot(a: ArrayLike, b: ArrayLike, axes: Any = 2) -> Array:
    """Sum of products over several axes, as ``np.tensordot``.

    Parameters
    ----------
    a, b : array_like
    axes : int, or a pair of ints or of lists of int
        The last ``axes`` axes of ``a`` meet the first ones of ``b``; or which axes of ``a`` meet which of ``b``.

    Examples
    --------
    >>> import numpy as np
    >>> tensordot(np.ones((2, 3, 4)), np.ones((4, 3)), axes=([1, 2], [1, 0]))
    array([12., 12.])
    """
    shape_a, shape_b = shape_of(a), shape_of(b)
    over_a, over_b = _axes_that_meet(axes)
    for over in (over_a, over_b):
        if len(set(over)) != len(over):
            raise ArgumentError(f"tensordot got axes={axes}: an axis stands there twice.")
    if len(over_a) != len(over_b) or any(shape_a[i] != shape_b[j] for i, j in zip(over_a, over_b, strict=True)):
        raise ShapeError(
            f"tensordot got shapes {shape_a} and {shape_b} and axes={axes}: the lengths of the axes differ."
        )
    over_a, over_b = [i % len(shape_a) for i in over_a], [j % len(shape_b) for j in over_b]
    kept_a = [i for i in range(len(shape_a)) if i not in over_a]
    kept_b = [j for j in range(len(shape_b)) if j not in over_b]
    rows, columns, met = [shape_a[i] for i in kept_a], [shape_b[j] for j in kept_b], [shape_a[i] for i in over_a]
    y = matmul(
        reshape(transpose(a, kept_a + over_a), (math.prod(rows), math.prod(met))),
        reshape(transpose(b, over_b + kept_b), (math.prod(met), math.prod(columns))),
    )
    return reshape(y, (*rows, *columns))


def _axes_that_meet(axes: Any) -> tuple[list[int], list[int]]:
    if not np.iterable(axes):
        return list(range(-axes, 0)), list(range(axes))
    over_a, over_b = axes
    return list(over_a) if np.iterable(over_a) else [over_a], list(over_b) if np.iterable(over_b) else [over_b]


def multi_dot(arrays: Sequence[ArrayLike], *, out: None = None) -> Array:
    """Product of two or more matrices in the order that takes the fewest multiplications.

    Parameters
    ----------
    arrays : sequence of array_like
        Matrices; the first may be a vector (a row), the last too (a column).

    Raises
    ------
    ArgumentError
        If there are fewer than two.
    LinAlgError
        If one of several is not a matrix.
    """
    refuse_out("multi_dot", out)
    if len(arrays) < 2:
        raise ArgumentError(f"multi_dot got {len(arrays)} arrays; it takes two or more.")
    if len(arrays) == 2:
        return dot(*arrays)
    first, *inside, last = (shape_of(a) for a in arrays)
    for shape, allowed in ((first, (1, 2)), (last, (1, 2)), *((shape, (2,)) for shape in inside)):
        if len(shape) not in allowed:
            raise np.linalg.LinAlgError(f"multi_dot got shape {shape}; it takes matrices, and vectors at both ends.")
    ends = first[0] if len(first) == 2 else 1, last[1] if len(last) == 2 else 1
    split = _cheapest_splits([ends[0], first[-1], *(shape[1] for shape in inside), ends[1]])
    return _multiplied(arrays, 0, len(arrays) - 1, split)


def _cheapest_splits(lengths: list[int]) -> dict[tuple[int, int], int]:
    """Behind which matrix to split the product of the i-th to the j-th, whose sizes are neighbours in ``lengths``."""
    n = len(lengths) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            costs = [cost[i, k] + cost[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1] for k in range(i, j)]
            cost[i, j] = min(costs)
            split[i, j] = i + costs.index(cost[i, j])
    return split


def _multiplied(chain: Sequence[Array], i: int, j: int, split: dict[tuple[int, int], int]) -> Array:
    if i == j:
        return chain[i]
    k = split[i, j]
    return matmul(_multiplied(chain, i, k, split), _multiplied(chain, k + 1, j, split))


def kron(a: ArrayLike, b: ArrayLike) -> Array:
    """Kronecker product: every entry of ``a`` times all of ``b``, as blocks."""
    shape_a, shape_b = shape_of(a), shape_of(b)
    ndim = max(len(shape_a), len(shape_b))
    if not ndim:
        return multiply(a, b)
    shape_a, shape_b = ((1,) * (ndim - len(shape)) + shape for shape in (shape_a, shape_b))
    blocks = reshape(a, [n for m in shape_a for n in (m, 1)])
    entries = reshape(b, [n for m in shape_b for n in (1, m)])
    return reshape(multiply(blocks, entries), [m * n for m, n in zip(shape_a, shape_b, strict=True)])


def cross(
    a: ArrayLike, b: ArrayLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Array:
    """Vector product, as ``np.cross``.

    Parameters
    ----------
    a, b : array_like
        Vectors of three entries, or of two (which NumPy deprecates): then the third is 0, and of two such vectors the
        result is the third entry alone.
    axisa, axisb, axisc : int
        Along which axis the vectors lie, in ``a``, ``b`` and the result.
    axis : int, optional
        Stands for all three.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    ndim_a, ndim_b = len(shape_of(a)), len(shape_of(b))
    if not ndim_a or not ndim_b:
        raise ShapeError(f"cross got shapes {shape_of(a)} and {shape_of(b)}; it takes vectors.")
    a = moveaxis(a, normalize_axis_index(axisa, ndim_a, "axisa"), -1)
    b = moveaxis(b, normalize_axis_index(axisb, ndim_b, "axisb"), -1)
    n, m = shape_of(a)[-1], shape_of(b)[-1]
    if not {n, m} <= {2, 3}:
        raise ShapeError(f"cross got vectors of {n} and {m} entries; it takes vectors of 3.")
    if 2 in (n, m):
        warnings.warn("cross of vectors of two entries is deprecated by NumPy. Use three.", DeprecationWarning, 2)
    a0, a1, a2 = _entries(a)
    b0, b1, b2 = _entries(b)
    third = a0 * b1 - a1 * b0
    if n == m == 2:
        return third
    axisc = normalize_axis_index(axisc, len(shape_of(third)) + 1, "axisc")
    return stack([_minor(a1, b2, a2, b1), _minor(a2, b0, a0, b2), third], axis=axisc)


def _entries(a: Array) -> list[Any]:
    """The three entries of vectors along the last axis; the third is None where there are two."""
    return [a[..., i] if i < shape_of(a)[-1] else None for i in range(3)]


def _minor(a: Array, b: Array, c: Array, d: Array) -> Array:
    """``a * b - c * d``, where a product with None is 0."""
    if a is None or b is None:
        return -(c * d)
    return a * b if c is None or d is None else a * b - c * d


# What np.linalg has under the names of functions of np that do more.


def cross_of_triples(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """Vector product, as ``np.linalg.cross``: of vectors of three entries along ``axis``."""
    n, m = shape_of(x1)[axis], shape_of(x2)[axis]
    if n != 3 or m != 3:
        raise ShapeError(f"linalg.cross got vectors of {n} and {m} entries; it takes vectors of 3.")
    return cross(x1, x2, axis=axis)


def outer_of_vectors(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Every product of an entry of one vector with an entry of another, as ``np.linalg.outer``."""
    if len(shape_of(x1)) != 1 or len(shape_of(x2)) != 1:
        raise ShapeError(
            f"linalg.outer got shapes {shape_of(x1)} and {shape_of(x2)}; it takes two vectors. "
            "ad.outer flattens what it is given."
        )
    return outer(x1, x2)


def diagonal_of_matrices(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """The diagonals of the matrices in the last two axes, as ``np.linalg.diagonal``."""
    return diagonal(x, offset, -2, -1)


def trace_of_matrices(x: ArrayLike, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of the diagonals of the matrices in the last two axes, as ``np.linalg.trace``."""
    return trace(x, offset, -2, -1, dtype)
