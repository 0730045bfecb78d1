"""Data held back for testing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from .checks import require_rows

Array = Any


def train_test_split(X: Any, y: Any, test: float = 0.2, rng: Any = None) -> tuple[Array, Array, Array, Array]:
    """Hold back part of the rows for testing; each class is held back in its proportion.

    Parameters
    ----------
    X : array_like, shape (N, ...)
    y : array_like, shape (N, ...)
        If they are whole numbers, of any dtype, or names of shape ``(N,)`` or ``(N, 1)`` they count as classes.
    test : float
        The part of the rows that is held back.
    rng : Generator, int or None
        Source of the choice, as for ``np.random.default_rng``.

    Returns
    -------
    X_train, X_test, y_train, y_test : ndarray
        In scikit-learn's order; copies, in random order.  The number of test rows of a class is its share, rounded up
        or down; so a class of one row is on one side only.

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
    classes = _classes(y)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    passed = np.arange(n + 1) * held // n  # grows by 1 at evenly spaced rows, `held` times
    is_test = passed[1:] > passed[:-1]
    train_rows, test_rows = rng.permutation(order[~is_test]), rng.permutation(order[is_test])
    return X[train_rows], X[test_rows], y[train_rows], y[test_rows]


def _classes(y: Array) -> Array | None:
    """Targets that can be told apart by class, if they can."""
    if y.shape not in ((len(y),), (len(y), 1)):
        return None
    y = y.reshape(-1)
    if y.dtype.kind == "O":
        return y.astype(str)
    whole = y.dtype.kind == "f" and np.isfinite(y).all() and (y == np.round(y)).all()
    return y if whole or y.dtype.kind in "biuU" else None
