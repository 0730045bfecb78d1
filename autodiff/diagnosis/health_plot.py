"""The picture of a :class:`~autodiff.diagnosis.health.Health`, with Matplotlib (an extra)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.figures import axes_for, label_text

LINE = 1e-3
"""A step of this part of the data is usual."""
BAND = (1e-4, 1e-2)
"""Steps within this band are nothing to think about."""
# Okabe and Ito's colours, which the colour-blind can tell apart.
BLUE, GREEN, ORANGE = "#0072B2", "#009E73", "#D55E00"


def plot_health(rows: Sequence[Any], ax: Any = None) -> Any:
    """Two panels that share the layers: updates, or else gradients, beside the data; and what is dead or saturated."""
    ax = axes_for("health(...).plot()", ax, width=9, height=1.6 + 0.32 * len(rows))
    ax.set_axis_off()
    left, right = ax.inset_axes((0, 0, 0.58, 1)), ax.inset_axes((0.63, 0, 0.37, 1))
    _draw_ratios(left, rows)
    _draw_shares(right, rows)
    names = [label_text(row.layer) + (f" ({row.activation})" if row.activation else "") for row in rows]
    left.set_yticks(range(len(rows)), names)
    right.set_yticks(range(len(rows)), [])
    for panel in (left, right):
        panel.set_ylim(len(rows) - 0.4, -0.6)  # the first layer on top
        panel.tick_params(axis="y", length=0)
        panel.spines[["top", "right"]].set_visible(False)
    return ax


def _draw_ratios(ax: Any, rows: Sequence[Any]) -> None:
    what = "update" if any(row.update_to_data is not None for row in rows) else "gradient"
    ratios = [(i, getattr(row, f"{what}_to_data")) for i, row in enumerate(rows)]
    shown = [(i, ratio) for i, ratio in ratios if ratio]
    ax.set_xscale("log")
    ax.set_xlabel(f"{what} / data")
    edges = [ratio for _, ratio in shown] + ([*BAND] if what == "update" else [])
    low, high = min(edges, default=LINE) / 3, max(edges, default=LINE) * 3
    ax.set_xlim(low, high)
    ax.barh([i for i, _ in shown], [ratio - low for _, ratio in shown], 0.6, left=low, color=BLUE)
    if what == "update":
        ax.axvspan(*BAND, color=GREEN, alpha=0.2, linewidth=0, zorder=0)
        ax.axvline(LINE, color=GREEN, linewidth=2)
        ax.annotate("1e-3", (LINE, 1), (0, 4), ax.get_xaxis_transform(), "offset points", ha="center", color=GREEN)


def _draw_shares(ax: Any, rows: Sequence[Any]) -> None:
    dead = [row.dead / row.units if row.units else 0 for row in rows]
    saturated = [row.saturated or 0 for row in rows]
    places = range(len(rows))
    ax.barh(places, dead, 0.6, color=ORANGE, label="dead units")
    ax.barh(places, saturated, 0.6, color=BLUE, hatch="///", edgecolor="white", linewidth=0, label="saturated")
    for i, row in enumerate(rows):
        if row.units or row.saturated is not None:
            share = max(dead[i], saturated[i])
            place = {"x": share - 0.02, "ha": "right", "color": "white"} if share > 0.8 else {"x": share + 0.02}
            ax.text(y=i, s=f"{share:.0%}", va="center", **place)
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    ax.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1), borderaxespad=0.2, handlelength=1.2)
