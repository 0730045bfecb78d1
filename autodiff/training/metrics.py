"""How good predictions are."""

from __future__ import annotations

from typing import Any

import numpy as np


def accuracy(predicted: Any, labels: Any) -> float:
    """The share of predictions that are right, from 0 to 1.

    Examples
    --------
    >>> accuracy([0, 1, 1, 2], [0, 1, 2, 2])
    0.75
    """
    return float(np.mean(np.asarray(predicted) == np.asarray(labels)))


def confusion_matrix(predicted: Any, labels: Any, classes: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Count predictions by true class (rows) and predicted class (columns): shape ``(classes, classes)``.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2], 3)
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """
    pairs = np.asarray(labels) * classes + np.asarray(predicted)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
