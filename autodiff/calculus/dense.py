"""The solution of a differential equation between the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.figures import axes_for
from ..core.spelling import Misspelt
from ..core.summary import number_text
from ..core.tree import flatten
from ..ops.shape import reshape
from .brownian import draw_paths
from .solving import joined, plain_data, require_real


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


def places_of(path: list[Step], times: Any) -> list[tuple[int, float]]:
    """For each of the times the number of the step it lies in, and its share of that; -1 and 1 before the first."""
    starts = np.array([step.t for step in path])
    sign = 1.0 if path and path[0].h > 0 else -1.0
    found = np.searchsorted(sign * starts, sign * times, side="right") - 1
    return [
        (i, (at - path[i].t) / path[i].h) if i >= 0 else (-1, 1.0)
        for i, at in zip(found.tolist(), times.tolist(), strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What :func:`odeint` found, and how.  Called with a time, or an array of times, it gives the state there.

    The states between the steps come from the method's own interpolant, whose order is 4 for ``"dopri5"`` and 3 for
    the other methods.  They can be differentiated as those at ``times`` can.

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
    path: list[Step] = field(repr=False)
    states: Callable[[Any], Any] = field(repr=False)
    unpack: Callable[[Any], Any] = field(repr=False)

    sol = Misspelt("Trajectory", "sol", "a call with the times: trajectory(t)")
    times = Misspelt("Trajectory", "times", "trajectory.t")
    nfev = Misspelt("Trajectory", "nfev", "trajectory.evaluations")

    def __call__(self, t: Any) -> Any:
        """The state at one time, or along a leading axis at each time of an array.

        Raises
        ------
        ArgumentError
            Outside of what was solved, or if the steps were not kept.
        KindError
            If ``t`` is not made of real numbers.
        """
        t = joined(t)
        require_real("The trajectory", t=t)
        wanted = np.asarray(plain_data(t), float)
        low, high = sorted((float(self.mesh[0]), float(self.mesh[-1])))
        if wanted.size and not (low <= wanted.min() and wanted.max() <= high):
            raise ArgumentError(
                f"The trajectory was asked for t from {number_text(float(wanted.min()), 6)} to "
                f"{number_text(float(wanted.max()), 6)}; it was solved from {number_text(low, 6)} to "
                f"{number_text(high, 6)}."
            )
        if self.steps and not self.path:
            raise ArgumentError("This trajectory keeps no steps. Ask odeint for it with full_output=True.")
        rows = self.states(t)
        return self.unpack(reshape(rows, (*wanted.shape, rows.shape[-1])))

    def plot(self, ax: Any = None, points: int = 513) -> Any:
        """Draw the solution over time, one curve an entry, the first 50 if there are more; return the Matplotlib axes.

        Of a solution that broke off and kept no steps, the states at the times that it reached are joined.

        Parameters
        ----------
        ax : Matplotlib Axes, optional
        points : int
            At how many times to ask.
        """
        ax = axes_for("Trajectory.plot", ax)
        t = np.linspace(self.mesh[0], self.mesh[-1], points) if self.path else plain_data(self.t)
        entries = [np.reshape(plain_data(y), (len(t), -1)) for y in flatten(self(t) if self.path else self.y)]
        return draw_paths(ax, t, np.concatenate(entries, axis=1), "y")

    def __str__(self) -> str:
        def ends(x: Any) -> str:
            return f"{number_text(float(x[0]), 6)} to {number_text(float(x[-1]), 6)}"

        return (
            f"{self.method} from t = {ends(self.mesh)}: {self.steps} steps, {self.rejected} rejected, "
            f"{self.evaluations} evaluations"
        )
