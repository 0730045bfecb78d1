"""One batch and its loss: what it may be, how much it counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import AnomalyError, KindError, ShapeError
from ..core.node import Node, data_of
from ..core.summary import kind_text, repr_text


def as_batch(batch: Any) -> Sequence[Any]:
    """A batch as inputs and target; a single array is both."""
    if isinstance(batch, dict):
        raise KindError(f"fit got a batch that is a dict of {repr_text(list(batch))}; it takes (x, y).")
    return batch if isinstance(batch, tuple | list) else (batch,)


def rows_in(batch: Sequence[Any]) -> int:
    """How many rows a batch has: those of the target."""
    target = batch[-1]
    shape = target.shape if isinstance(target, np.ndarray) else np.shape(data_of(target))
    return shape[0] if shape else 1


def require_loss(loss: Any, batch: Sequence[Any], params: Sequence[Any], where: str) -> float:
    """The loss as a number, if parameters can learn from it.

    Raises
    ------
    KindError, ShapeError, AnomalyError
        If it is no node, not one number, or not finite.
    """
    if not isinstance(loss, Node):
        raise KindError(
            f"The loss returned {kind_text(loss)}, which has no gradient; it must be computed from tensors, "
            "without .data, .numpy() or float()."
        )
    data = data_of(loss)
    if np.size(data) != 1:
        raise ShapeError(
            f"The loss returned shape {np.shape(data)}; it must be one number, the mean over the batch. Use "
            "reduction='mean'."
        )
    if np.iscomplexobj(data):
        raise KindError("The loss returned a complex number; it must be real. Take ad.abs(loss), or its .real.")
    value = float(data)
    if not math.isfinite(value):
        raise AnomalyError(f"fit got a loss of {value} in {where}. {_origin(batch, params)}")
    return value


def _origin(batch: Sequence[Any], params: Sequence[Any]) -> str:
    """Where a nan may have come from."""
    if not rows_in(batch):
        return "The batch has no rows."
    if not all(map(_is_finite, batch)):
        return "The batch itself holds nan or infinite numbers: look at the data."
    bad = sum(not _is_finite(p) for p in params)
    if bad:
        return (
            f"{bad} of {len(params)} parameters were nan or infinite before it: the steps were too long. Make the "
            "model anew, and use a smaller lr or clip_norm=1.0."
        )
    largest = max([float(np.max(np.abs(data_of(p)), initial=0)) for p in params])
    return (
        "The batch and the parameters are finite, and the parameters are as they were before it; the largest is "
        f"{largest:.3g}. If that is large, the steps were too long: use a smaller lr or clip_norm=1.0. Else, inside "
        "'with ad.anomaly():' the error names the line that made it."
    )


def _is_finite(thing: Any) -> bool:
    array = np.asarray(data_of(thing))
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


class Means:
    """Means over rows, from means over batches, by name."""

    def __init__(self) -> None:
        self.sums: dict[str, tuple[float, int]] = {}

    def add(self, name: str, mean: float, rows: int) -> None:
        """Take in the mean of so many rows."""
        total, n = self.sums.get(name, (0.0, 0))
        self.sums[name] = total + mean * rows, n + rows

    def __getitem__(self, name: str) -> float:
        total, n = self.sums[name]
        return total / n if n else math.nan

    def all(self) -> dict[str, float]:
        """All of them."""
        return {name: self[name] for name in self.sums}
