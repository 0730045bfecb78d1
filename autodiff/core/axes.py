"""Colours that fit the axes, and plain numbers on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .summary import number_text

# Okabe and Ito's colours, which the colour-blind can tell apart; and shapes, for those who print in grey.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def is_dark(ax: Any) -> bool:
    """Whether the ground of the axes is dark."""
    from matplotlib.colors import to_rgb

    ground = ax.get_facecolor()
    if not ground[3]:
        ground = ax.figure.get_facecolor()
    return bool(np.dot(to_rgb(ground), (0.3, 0.6, 0.1)) < 0.5)


def ink(ax: Any) -> str:
    """The colour to write with on the axes."""
    return "white" if is_dark(ax) else "black"


def palette(ax: Any, n: int) -> list[str]:
    """Colours for ``n`` things; what would be black is white on a dark ground."""
    colors = [*COLORS[:-1], ink(ax)]
    return [colors[k % len(colors)] for k in range(n)]


def scale_by_powers(ax: Any, ratio: float) -> None:
    """Make the y axis logarithmic, and label it 0.1, 0.2, 0.5, 1 rather than by powers of ten.

    Parameters
    ----------
    ax : matplotlib Axes
    ratio : float
        Of the largest number to the smallest.
    """
    from matplotlib.ticker import AutoLocator, FuncFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(AutoLocator() if ratio <= 5 else LogLocator(subs=(1, 2, 5) if ratio <= 100 else (1,)))
    ax.yaxis.set_major_formatter(FuncFormatter(tick_text))
    ax.yaxis.set_minor_locator(NullLocator())


def tick_text(x: float, place: int | None = None) -> str:
    """A number beside an axis; ``place`` is what Matplotlib passes too."""
    return number_text(float(x), 6).removesuffix(".0")
