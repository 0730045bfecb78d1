"""Losses by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.errors import ArgumentError
from .axes import new_axes, palette


def loss_curve(losses: Mapping[str, Sequence[float]], ax: Any = None) -> Any:
    """Plot losses by epoch, on a logarithmic scale.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        A value for each epoch, by the name of the curve.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError
        If there is no loss to plot.
    MissingExtraError
        If Matplotlib is not installed.
    """
    if not any(len(values) for values in losses.values()):
        raise ArgumentError('loss_curve got no losses; give it a list for each curve: {"train": [0.9, 0.5]}.')
    ax = new_axes() if ax is None else ax
    for color, (name, values) in zip(palette(ax, len(losses)), losses.items()):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, color=color, linewidth=2, label=name, marker="o" if len(values) < 2 else None)
    seen = [loss for values in losses.values() for loss in values]
    if min(seen) > 0 and np.isfinite(seen).all():
        _scale_by_powers(ax, max(seen) / min(seen))
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel="loss")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def _scale_by_powers(ax: Any, ratio: float) -> None:
    """A logarithmic axis that is labelled 0.1, 0.2, 0.5, 1 rather than by powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if ratio > 5 else range(1, 10)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
