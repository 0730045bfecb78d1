"""The solution of a differential equation between the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import data_of
from ..core.summary import number_text


@dataclass(frozen=True)
class Step:
    """One accepted step: from the vector ``y`` at ``t``, of size ``h``.

    Attributes
    ----------
    memory : object
        What the method wants to know of it on the way back.
    polynomial : ndarray or None
        Coefficients of the powers 1, 2, ... of ``(t - t_n) / h`` of what is added to ``y`` within the step.
    """

    t: float
    h: float
    y: Any
    memory: Any = None
    polynomial: Any = None

    def at(self, share: float) -> Any:
        """The vector at ``t + share * h``."""
        return self.y + share ** np.arange(1, len(self.polynomial) + 1) @ self.polynomial


@dataclass(frozen=True)
class Trajectory:
    """What :func:`odeint` found, and how.  Called with a time, or an array of times, it gives the state there.

    The states between the steps come from the method's own interpolant, whose order is 4 for ``"dopri5"`` and 3 for
    the other methods.  They are plain arrays; to differentiate a state, have its time among ``times``.

    Attributes
    ----------
    t : ndarray
        The times asked for; of a solution that broke off, those it reached, and the one where it stopped.
    y : array or nested structure of arrays
        The states there, along the leading axis.
    method : str
    steps, rejected : int
        Steps taken, and steps tried again since their error was too large.
    evaluations : int
        How often the function was called.
    mesh : ndarray
        The times between which it stepped.
    """

    t: Any
    y: Any
    method: str
    steps: int
    rejected: int
    evaluations: int
    mesh: Any
    path: list[Step] = field(repr=False, compare=False)
    unpack: Callable[[Any], Any] = field(repr=False, compare=False)

    def __call__(self, t: Any) -> Any:
        """The state at one time, or along a leading axis at each time of an array.

        Raises
        ------
        ArgumentError
            Outside of what was solved, or if the steps were not kept.
        """
        wanted = np.asarray(data_of(t), float)
        low, high = sorted((float(self.mesh[0]), float(self.mesh[-1])))
        if wanted.size and not (low <= wanted.min() and wanted.max() <= high):
            raise ArgumentError(
                f"The trajectory was asked for t from {number_text(float(wanted.min()), 6)} to "
                f"{number_text(float(wanted.max()), 6)}; it was solved from {number_text(low, 6)} to "
                f"{number_text(high, 6)}."
            )
        if not self.path:
            raise ArgumentError("This trajectory keeps no steps. Ask odeint for it with full_output=True.")
        sign = 1.0 if self.path[0].h > 0 else -1.0
        starts = np.array([step.t for step in self.path])
        found = np.searchsorted(sign * starts, sign * wanted.ravel(), side="right") - 1
        rows = [
            self.path[i].at((at - self.path[i].t) / self.path[i].h)
            for i, at in zip(found.tolist(), wanted.ravel().tolist(), strict=True)
        ]
        if not wanted.ndim:
            return self.unpack(rows[0])
        found_rows = np.stack(rows) if rows else np.zeros((0, self.path[0].y.size))
        return self.unpack(found_rows.reshape(*wanted.shape, self.path[0].y.size))

    def __str__(self) -> str:
        def ends(x: Any) -> str:
            return f"{number_text(float(x[0]), 6)} to {number_text(float(x[-1]), 6)}"

        return (
            f"{self.method} from t = {ends(self.mesh)}: {self.steps} steps, {self.rejected} rejected, "
            f"{self.evaluations} evaluations"
        )
