"""What a training recorded: figures by epoch, which plot themselves."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from typing import Any

from ..core.errors import ArgumentError
from ..io import replacing
from ..viz.plots import loss_curve

Row = dict[str, float]


class History:
    """Figures by epoch: the mean loss, the learning rate, and whatever was asked for.

    Attributes
    ----------
    rows : list of dict
        One for each epoch, by name.
    stopped : str
        Why it ended before the last epoch; empty if it did not.

    Examples
    --------
    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"], len(history)
    ([0.5, 0.25], 2)
    """

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows: list[Row] = list(rows or [])
        self.stopped = ""

    @property
    def names(self) -> list[str]:
        """What was recorded."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.names:
            raise ArgumentError(f"The history has no {name!r}; it has {', '.join(self.names) or 'no epoch yet'}.")
        return [row.get(name, math.nan) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def best(self, name: str, mode: str = "min") -> Row:
        """The epoch where a figure was lowest, or with ``mode="max"`` highest; the first of several, and no nan."""
        values = [(-x if mode == "max" else x, k) for k, x in enumerate(self[name]) if not math.isnan(x)]
        if mode not in ("min", "max") or not values:
            raise ArgumentError(
                f"best got name={name!r} and mode={mode!r}; it takes a figure that is not always nan, "
                "and 'min' or 'max'."
            )
        return self.rows[min(values)[1]]

    def plot(self, *names: str, ax: Any = None) -> Any:
        """Plot figures by epoch; returns the axes.

        Parameters
        ----------
        *names : str
            Which; all losses, on a logarithmic scale, if none is given.
        ax : matplotlib Axes, optional

        Raises
        ------
        ArgumentError
            If there is no such figure, or no epoch yet.
        MissingExtraError
            If Matplotlib is not installed.
        """
        chosen = names or tuple(name for name in self.names if name.endswith("loss"))
        ax = loss_curve({name: self[name] for name in chosen}, ax=ax)
        if not all(name.endswith("loss") for name in chosen):
            ax.set(ylabel=chosen[0] if len(chosen) == 1 else "figure", yscale="linear")
        return ax

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figures as CSV, a row an epoch.

        Raises
        ------
        ArgumentError
            If no file can be written there.
        """
        target = Path(path)
        try:
            with replacing(target) as draft, draft.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, self.names, lineterminator="\n")
                writer.writeheader()
                writer.writerows(self.rows)
        except OSError as error:
            raise ArgumentError(f"save could not write {str(target)!r}: {error}.") from error
        return target

    def __str__(self) -> str:
        names = self.names
        cells = [names, *[[figure(row.get(name)) for name in names] for row in self.rows]]
        widths = [max(map(len, column)) for column in zip(*cells)]
        lines = ["  ".join(map(str.rjust, row, widths)).rstrip() for row in cells]
        return "\n".join([*lines, *([self.stopped] if self.stopped else [])])

    __repr__ = __str__


def figure(number: float | None) -> str:
    """A figure as it is printed."""
    if number is None:
        return ""
    return str(number) if isinstance(number, int) else f"{number:.4g}"
