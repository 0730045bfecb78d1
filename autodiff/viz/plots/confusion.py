"""What a classifier takes for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.axes import ink, is_dark
from ...core.errors import ShapeError
from ...core.figures import axes_for, label_text
from .given import real_array, require_counts, texts_of


def confusion_matrix(counts: Any, labels: Sequence[Any] | None = None, ax: Any = None) -> Any:
    """Show a table of true classes (rows) and predicted ones (columns), with counts and percentages of each row.

    Parameters
    ----------
    counts : array_like of int, shape (n, n)
        Such as ``training.metrics.confusion_matrix(predicted, labels)``.
    labels : sequence, optional
        A name for each class; else they are numbered.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        If the table is not square, or there is not a label for each class.
    ArgumentError, KindError
        If a count is negative or no whole number, or ``labels`` is no list.
    MissingExtraError
        If Matplotlib is not installed.
    """
    table = real_array("confusion_matrix", "counts", counts)
    numbers = range(table.shape[0] if table.ndim else 0)
    names = texts_of("confusion_matrix", "labels", numbers if labels is None else labels)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size or len(names) != len(table):
        raise ShapeError(
            f"confusion_matrix got counts of shape {table.shape} and {len(names)} labels; it takes a square table, a "
            "row for each true class and a column for each predicted one, and a label for each class."
        )
    require_counts("confusion_matrix", "counts", table, " Give it counts, not shares.")
    n, names = len(table), list(map(label_text, names))
    longest = max(map(len, names))
    side = 1.6 + 0.62 * max(n, 3) + 0.08 * max(longest - 4, 0)
    ax = axes_for("confusion_matrix", ax, side, side)
    from matplotlib.colors import LinearSegmentedColormap

    totals = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    ends = ("#000000", "#0072B2") if is_dark(ax) else ("#FFFFFF", "#0072B2")
    ax.imshow(shares, LinearSegmentedColormap.from_list("share", ends), vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        if table[row, column]:
            color = "white" if share > 0.45 else ink(ax)
            ax.annotate(
                f"{table[row, column]:.0f}", (column, row), (0, 5), "data", "offset points", color=color, **CELL
            )
            small = CELL | {"fontsize": 7.5}
            ax.annotate(_percent(share), (column, row), (0, -7), "data", "offset points", color=color, **small)
    ax.set_xticks(range(n), names)
    ax.set_yticks(range(n), names)
    if longest > 4:
        ax.tick_params(axis="x", rotation=45)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    ax.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#999999", linewidth=0.5)
    ax.grid(which="major", visible=False)
    ax.tick_params(which="both", length=0)
    ax.set(xlabel="predicted", ylabel="true")
    return ax


CELL: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 10}


def _percent(share: float) -> str:
    """Whole percent, but never 0% or 100% of what is not."""
    return "<1%" if share < 0.005 else ">99%" if 0.995 < share < 1 else f"{share:.0%}"
