"""Data in small portions, and data held back for testing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from .checks import require_rows, require_whole


def batches(*arrays: Any, batch_size: int, shuffle: bool = True, rng: Any = None, drop_last: bool = False) -> Batches:
    """Cut arrays of equally many rows into batches; every pass over the result is one epoch.

    Parameters
    ----------
    *arrays : array_like
        Such as ``X, y``; rows along the first axis.
    batch_size : int
        Rows in a batch; the last has what is left.
    shuffle : bool
        Whether each epoch takes the rows in an order of its own.
    rng : Generator, int or None
        Source of that order, as for ``np.random.default_rng``.
    drop_last : bool
        Leave the last batch out if it is smaller than the others.

    Returns
    -------
    Batches
        Iterates over tuples with one array for each of ``arrays``; its length is the number of batches.  Without
        ``shuffle`` they are views: do not write to them.

    Raises
    ------
    ShapeError
        If the arrays have different numbers of rows, or none.
    ArgumentError
        If there are no arrays, ``batch_size`` is less than 1, or no batch would be left.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import data
    >>> X, y = np.zeros((10, 2)), np.arange(10)
    >>> portions = data.batches(X, y, batch_size=4, rng=0)
    >>> [len(x_batch) for x_batch, y_batch in portions]
    [4, 4, 2]
    """
    return Batches(arrays, batch_size, shuffle, np.random.default_rng(rng), drop_last)


class Batches:
    """What :func:`batches` returns: iterate over it once an epoch."""

    def __init__(
        self, arrays: tuple[Any, ...], batch_size: int, shuffle: bool, rng: np.random.Generator, drop_last: bool
    ) -> None:
        self.arrays = require_rows("batches", *arrays)
        require_whole("batches", batch_size=batch_size)
        self.rows = len(self.arrays[0])
        if drop_last and self.rows < batch_size:
            raise ArgumentError(
                f"batches got {self.rows} rows and batch_size={batch_size} with drop_last=True, which leaves no batch. "
                f"Use batch_size={self.rows} or drop_last=False."
            )
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.rng = rng
        self.drop_last = drop_last

    def __len__(self) -> int:
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        order = self.rng.permutation(self.rows) if self.shuffle else None
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            rows = slice(start, start + self.batch_size)
            if order is None:
                yield tuple(array[rows] for array in self.arrays)
            else:
                yield tuple(array.take(order[rows], axis=0) for array in self.arrays)


def train_test_split(X: Any, y: Any, test: float = 0.2, rng: Any = None) -> tuple[Any, Any, Any, Any]:
    """Hold back part of the rows for testing; each class is held back in its proportion.

    Parameters
    ----------
    X : array_like, shape (N, ...)
    y : array_like, shape (N, ...)
        If they are whole numbers or names of shape ``(N,)`` they count as classes.
    test : float
        The part of the rows that is held back.
    rng : Generator, int or None
        Source of the choice, as for ``np.random.default_rng``.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        In scikit-learn's order; copies, in random order.

    Raises
    ------
    ShapeError
        If ``X`` and ``y`` have different numbers of rows, or none.
    ArgumentError
        If ``test`` leaves no row on one of the sides.

    Examples
    --------
    >>> from autodiff import data
    >>> X, y = data.digits()
    >>> X_train, X_test, y_train, y_test = data.train_test_split(X, y, rng=0)
    >>> len(X_train), len(X_test)
    (1438, 359)
    """
    X, y = require_rows("train_test_split", X, y)
    n = len(X)
    held = round(n * test) if 0 < test < 1 else 0
    if not 0 < held < n:
        raise ArgumentError(
            f"train_test_split got test={test} for {n} rows; it is the part that is held back, between 0 and 1, "
            "and must leave a row on both sides."
        )
    rng = np.random.default_rng(rng)
    order = rng.permutation(n)
    if y.ndim == 1 and y.dtype.kind in "biuU":
        order = order[np.argsort(y[order], kind="stable")]
    passed = np.arange(n + 1) * held // n  # grows by 1 at evenly spaced rows, `held` times
    is_test = passed[1:] > passed[:-1]
    train_rows, test_rows = rng.permutation(order[~is_test]), rng.permutation(order[is_test])
    return X[train_rows], X[test_rows], y[train_rows], y[test_rows]
