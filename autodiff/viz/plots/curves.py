"""Losses by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.axes import palette, scale_by_powers
from ...core.errors import ArgumentError, KindError, ShapeError
from ...core.figures import axes_for, label_text
from ...core.node import Array
from ...core.summary import kind_text, repr_text
from .given import real_array

EXPECTED = 'it takes a list of numbers for each curve, by name: {"train": [0.9, 0.5]}'


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
    ArgumentError, KindError, ShapeError
        If there is no loss to plot, or a curve is no list of numbers.
    MissingExtraError
        If Matplotlib is not installed.
    """
    curves = _curves(losses)
    ax = axes_for("loss_curve", ax)
    lines, labels = ax.get_legend_handles_labels()  # what the caller has drawn there before
    for color, (name, values) in zip(palette(ax, len(curves)), curves.items()):
        epochs, label = np.arange(1, len(values) + 1), label_text(name)
        marker = "o" if len(values) < 2 else None
        lines += ax.plot(epochs, values, color=color, linewidth=2, label=label, marker=marker)
        labels.append(label)
    seen = np.concatenate(list(curves.values()))
    if seen.min() > 0 and np.isfinite(seen).all():
        scale_by_powers(ax, seen.max() / seen.min())
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="epoch", ylabel="loss")
    ax.grid(alpha=0.3)
    ax.legend(lines, labels, frameon=False)  # given like this, it does not leave out names that begin with _
    return ax


def _curves(losses: Any) -> dict[str, Array]:
    """The losses of each curve as an array."""
    if not isinstance(losses, Mapping):
        raise KindError(f"loss_curve got {kind_text(losses)}; {EXPECTED}.")
    curves = {
        str(name): real_array("loss_curve", f"losses {repr_text(name)}", values) for name, values in losses.items()
    }
    for name, values in curves.items():
        if values.ndim != 1:
            raise ShapeError(f"loss_curve got losses {repr_text(name)} of shape {values.shape}; {EXPECTED}.")
    if not any(values.size for values in curves.values()):
        raise ArgumentError(f"loss_curve got no losses; {EXPECTED}.")
    return curves
