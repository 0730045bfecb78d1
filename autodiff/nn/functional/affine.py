"""Products with a weight, and rows of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.errors import ArgumentError, KindError
from ...core.modes import compiler
from ...core.node import Array, ArrayLike, Node, data_of
from ...ops import fused
from ...ops.checked import from_zero_up
from ...ops.constant import stop_gradient
from ...ops.index import take
from ...ops.products import matmul
from ...ops.select import not_equal, where

__all__ = ["embedding", "linear"]


def linear(x: ArrayLike, weight: Array, bias: Array | None = None) -> Array:
    """Affine map of the last axis, ``x W^T + b``.

    Parameters
    ----------
    x : array_like, shape (..., n_in)
    weight : array, shape (n_out, n_in)
    bias : array, shape (n_out,), optional

    Returns
    -------
    Tensor or array, shape (..., n_out)

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> functional.linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]))
    array([11.])
    """
    return matmul(x, weight.T) if bias is None else fused.linear(x, weight, bias)


def embedding(indices: ArrayLike, weight: Array, padding_idx: int | None = None) -> Array:
    """The rows of ``weight`` at ``indices``.

    Parameters
    ----------
    indices : array_like of int
        From 0 to ``len(weight) - 1``.
    weight : array, shape (n, m)
    padding_idx : int, optional
        The index whose row gets no gradient.

    Returns
    -------
    Tensor or array, shape (*indices.shape, m)

    Raises
    ------
    KindError
        If indices are no whole numbers.
    IndexError
        If there is no such row.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff.nn import functional
    >>> table = ad.Tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> functional.embedding(np.array([1, 1]), table).sum().backward()
    >>> table.grad
    array([[0., 0.],
           [2., 2.]])
    """
    given: Any = np.asarray(data_of(indices))
    n = weight.shape[0]
    if given.dtype.kind not in "iu":
        raise KindError(
            f"embedding got indices of dtype {given.dtype}; they are whole numbers from 0 to {n - 1}. "
            "Use indices.astype(int), or number the tokens first."
        )
    if given.size and not (given.min() >= 0 and given.max() < n):
        wrong = given[(given < 0) | (given >= n)].flat[0]
        raise ArgumentError(f"embedding got index {wrong}; the table has {n} rows, 0 to {n - 1}.")
    if isinstance(indices, Node) and compiler() is not None:
        indices = from_zero_up(indices)  # NumPy would count others from the end
    elif not isinstance(indices, Node):
        indices = given
    rows = take(weight, indices, 0)
    if padding_idx is None:
        return rows
    return where(not_equal(indices, padding_idx)[..., None], rows, stop_gradient(rows))
