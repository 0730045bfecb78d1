"""What losses have in common: shapes that must agree, and how the losses of all entries become one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.errors import ArgumentError, KindError, ShapeError
from ...core.modes import compiler
from ...core.node import Array, ArrayLike, Node, data_of, shape_of
from ...ops.reduce import mean, sum
from ...ops.shape import astype


def reduced(losses: Array, reduction: str) -> Array:
    """The mean of the losses of all entries, their sum, or themselves."""
    return _how("a loss", reduction)(losses)


def require_reduction(loss: str, reduction: str) -> None:
    """Raise for a reduction that does not exist."""
    _how(loss, reduction)


def _how(loss: str, reduction: str) -> Callable[[Array], Array]:
    try:
        return REDUCTIONS[reduction]
    except KeyError:
        raise ArgumentError(
            f"{loss} got reduction={reduction!r}; it is 'mean', 'sum', or 'none' for the loss of every entry."
        ) from None


REDUCTIONS: dict[str, Callable[[Array], Array]] = {"mean": mean, "sum": sum, "none": lambda losses: losses}


def of_one_shape(loss: str, what: str, predictions: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    """Both as nodes or arrays, if they have one shape that is not empty."""
    for called, x in ((what, predictions), ("targets", targets)):
        if x is None:
            raise KindError(f"{loss} got None as {called}. Does forward() end without a return?")
    predictions, targets = (x if hasattr(x, "shape") else np.asarray(x) for x in (predictions, targets))
    found, given = shape_of(predictions), shape_of(targets)
    if found != given:
        same_size = np.prod(found) == np.prod(given)
        repair = f"Did you mean targets.reshape({found})?" if same_size else f"Give one target for each of the {what}."
        raise ShapeError(
            f"{loss} got {what} of shape {found} and targets of shape {given}: they must be equal, for broadcasting "
            f"would pair each of the {what} with several targets. {repair}"
        )
    if 0 in found:
        raise ShapeError(
            f"{loss} got {what} of shape {found}: the mean over nothing is not defined. Skip empty batches."
        )
    return predictions, targets


def as_dtype_of(scores: Array, targets: Array) -> Array:
    """Plain targets in the dtype of the scores, so that whole numbers do not promote single precision to double."""
    dtype = getattr(data_of(scores), "dtype", float)
    compiling = compiler()
    if isinstance(targets, Node) and compiling is not None and compiling.is_plain(targets):
        return astype(targets, dtype)
    return targets if isinstance(targets, Node) else np.asarray(targets, dtype=dtype)


def first_wrong(t: Any, right: Any) -> str:
    """The first wrong target and where it stands."""
    where = np.unravel_index(int(np.argmin(right)), np.shape(t))
    return f"target {np.asarray(t)[where]}" + (f" at index {', '.join(map(str, where))}" if where else "")
