"""What an integration found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.node import data_of
from ..core.summary import number_text


@dataclass(frozen=True)
class Integral:
    """What :func:`integrate` found; ``value, error = integral`` takes it apart.

    Attributes
    ----------
    value : number, ndarray or Node
    error : float or ndarray
        How far the value may be off in its largest entry; for Monte Carlo the standard error of each entry.
    evaluations : int
        How often the function was evaluated.
    intervals : int
        How many intervals or boxes the range was cut into.
    method : str
    """

    value: Any
    error: Any
    evaluations: int
    intervals: int
    method: str

    def __iter__(self) -> Iterator[Any]:
        return iter((self.value, self.error))

    def __str__(self) -> str:
        value = data_of(self.value)
        shown = (
            number_text(value.item() if isinstance(value, np.ndarray) else value, 12) if np.size(value) == 1 else value
        )
        error = number_text(float(np.max(self.error, initial=0.0)), 2)
        means = "standard error" if self.method == "monte carlo" else "error at most about"
        where = "" if self.method == "monte carlo" else f" on {self.intervals} intervals"
        return f"{shown}, {means} {error}: {self.evaluations} evaluations{where}"
