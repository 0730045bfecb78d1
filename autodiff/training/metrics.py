"""How good predictions are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.checks import require_whole
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.summary import repr_text

MOST_CLASSES = 10_000
"""The table of more would need gigabytes."""
Array = np.ndarray[Any, np.dtype[Any]]


def accuracy(predicted: Any, labels: Any) -> float:
    """The share of predictions that are right, from 0 to 1.

    Parameters
    ----------
    predicted, labels : array_like
        Classes, of one shape that is not empty.

    Raises
    ------
    ShapeError
        If the shapes differ, or are empty.

    Examples
    --------
    >>> accuracy([0, 1, 1, 2], [0, 1, 2, 2])
    0.75
    """
    predicted, labels = _of_one_shape("accuracy", predicted, labels)
    return float(np.mean(predicted == labels))


def confusion_matrix(predicted: Any, labels: Any, classes: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Count predictions by true class (rows) and predicted class (columns): shape ``(classes, classes)``.

    Parameters
    ----------
    predicted, labels : array_like of int, shape (N,)
        From 0 to ``classes - 1``.
    classes : int
        At most 10,000.

    Raises
    ------
    ShapeError, KindError, ArgumentError
        If the shapes do not fit, a class is no whole number, or out of range.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2], 3)
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 1, 1]])
    """
    require_whole("confusion_matrix", classes=classes)
    if classes > MOST_CLASSES:
        raise ArgumentError(
            f"confusion_matrix got classes={repr_text(classes)}; it counts at most {MOST_CLASSES:,}, for the table has "
            "classes ** 2 entries."
        )
    predicted, labels = _of_one_shape("confusion_matrix", predicted, labels)
    for what, found in (("predictions", predicted), ("labels", labels)):
        if found.dtype.kind not in "iu" or found.ndim != 1:
            raise KindError(
                f"confusion_matrix got {what} of shape {found.shape} and dtype {found.dtype}; "
                "they are whole class numbers in one row. Use .astype(int)."
            )
        if found.min() < 0 or found.max() >= classes:
            wrong = found[(found < 0) | (found >= classes)][0]
            raise ArgumentError(
                f"confusion_matrix got class {wrong} among the {what}; with classes={classes} they run from 0 to "
                f"{classes - 1}."
            )
    pairs = labels.astype(np.int64) * classes + predicted.astype(np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def _of_one_shape(what: str, predicted: Any, labels: Any) -> tuple[Array, Array]:
    try:
        predicted, labels = np.asarray(predicted), np.asarray(labels)
    except ValueError:
        raise ShapeError(f"{what} got rows that differ in length; they make no array.") from None
    if predicted.shape != labels.shape or not labels.size:
        repair = "Take the most likely classes: .argmax(axis=1)." if predicted.ndim == labels.ndim + 1 else ""
        raise ShapeError(
            f"{what} got predictions of shape {predicted.shape} and labels of shape {labels.shape}; "
            f"they must be equal and not empty. {repair}".rstrip()
        )
    return predicted, labels
