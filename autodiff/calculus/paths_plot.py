"""Paths of searches for a minimum, over contours of the function."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.axes import MARKERS, ink, palette
from ..core.errors import ArgumentError, KindError
from ..core.figures import axes_for, literal
from ..core.summary import kind_text, repr_text

GRID = 120
LEVELS = 8
MARGIN = 0.15


def plot_paths(*results: Any, ax: Any = None, labels: Any = None) -> Any:
    """Draw the paths of one or several searches over contours of their function; returns the axes.

    Parameters
    ----------
    *results : Minimum
        Of one function of two unknowns.
    ax : matplotlib Axes, optional
    labels : sequence of str, optional
        For the legend; the methods and their numbers of steps, if left away.

    Raises
    ------
    ArgumentError, KindError
        If there is no result, or one is none of ``minimize`` or has not two unknowns.
    MissingExtraError
        If Matplotlib is not installed.
    """
    if not results:
        raise ArgumentError("plot_paths got no result; it draws those of minimize.")
    for result in results:
        if not hasattr(result, "path") or not hasattr(result, "value"):
            raise KindError(f"plot_paths got {kind_text(result)}; it draws results of minimize.")
        if result.path.shape[1] != 2:
            raise ArgumentError(
                f"plot_paths got a search among {result.path.shape[1]} unknowns; contours are drawn of two. Draw its "
                "result.path by other means."
            )
    labels = [f"{r.method}, {r.nit} steps" for r in results] if labels is None else labels
    if not isinstance(labels, list | tuple):
        raise KindError(f"plot_paths got labels={repr_text(labels)}; it takes a list of them.")
    if len(labels) != len(results):
        raise ArgumentError(f"plot_paths got {len(labels)} labels for {len(results)} results; they must agree.")
    ax = axes_for("plot_paths", ax)
    points = np.concatenate([r.path for r in results])
    low, high = points.min(0), points.max(0)
    margin = MARGIN * np.maximum(high - low, 0.25 * (float((high - low).max()) or 1.0))
    low, high = low - margin, high + margin
    x, y = (np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True))
    z = np.array([[results[0].value(np.array([a, b])) for a in x] for b in y])
    above = z - min(
        float(np.nanmin(np.where(np.isfinite(z), z, np.nan))), *(float(r.value(r.path[-1])) for r in results)
    )
    known = above[np.isfinite(above) & (above > 0)]
    if known.size:
        levels = np.unique(np.geomspace(np.quantile(known, 0.003), known.max(), LEVELS))
        ax.contour(x, y, above, levels=levels, colors=ink(ax), alpha=0.3, linewidths=0.8)
    for k, (r, color) in enumerate(zip(results, palette(ax, len(results)), strict=True)):
        marker = {"marker": MARKERS[k % len(MARKERS)], "markersize": 3.5} if len(r.path) < 100 else {}
        ax.plot(*r.path.T, color=color, linewidth=1.4, label=literal(labels[k]), zorder=3 + k, **marker)
    for r in results:
        ax.plot(*r.path[0], "o", color=ink(ax), zorder=20)
        ax.plot(*r.path[-1], "*", color=ink(ax), markersize=11, zorder=20)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.set_xlabel("x[0]", color=ink(ax))
    ax.set_ylabel("x[1]", color=ink(ax))
    ax.legend(fontsize="small")
    return ax
