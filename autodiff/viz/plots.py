"""Training pictures, with Matplotlib (an extra).  Each function takes the axes to draw on and returns them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, MissingExtraError, ShapeError

# Okabe and Ito's colours, which the colour-blind can tell apart; and shapes, for those who print in grey.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
FINE = 500
"""Points along each side of the plane that is coloured."""


def new_axes(width: float = 6.0, height: float = 4.0) -> Any:
    """Axes on a new figure that belongs to no window.

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("Plotting", "matplotlib", "plot") from error
    return Figure(figsize=(width, height), layout="constrained", facecolor="white").add_subplot(facecolor="white")


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
    for color, (name, values) in zip(cycle(COLORS), losses.items()):
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


def image_grid(images: Any, titles: Sequence[str], columns: int = 8, ax: Any = None) -> Any:
    """Show small grey images side by side, each under its title.

    Parameters
    ----------
    images : array_like, shape (n, height, width)
    titles : sequence of str
        One for each image.
    columns : int
        At most so many stand in a row; rows are made equally long.
    ax : matplotlib Axes, optional
        Divided among the images.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        If there are no images, or not as many titles.
    MissingExtraError
        If Matplotlib is not installed.
    """
    images = np.asarray(images)
    if images.ndim != 3 or not images.size or len(images) != len(titles):
        raise ShapeError(
            f"image_grid got images of shape {images.shape} and {len(titles)} titles; "
            "it takes images (n, height, width), at least one, and a title for each."
        )
    rows = -(-len(images) // columns)
    columns = -(-len(images) // rows)
    ax = new_axes(1.25 * max(columns, 3), 1.5 * rows + 0.35) if ax is None else ax
    ax.set_axis_off()
    for k, (image, title) in enumerate(zip(images, titles)):
        row, column = divmod(k, columns)
        cell = ax.inset_axes(((column + 0.05) / columns, 1 - (row + 0.95) / rows, 0.9 / columns, 0.74 / rows))
        cell.imshow(image, cmap="gray_r")
        cell.set_title(title, fontsize=10, pad=3)
        cell.set(xticks=[], yticks=[])
    return ax


def decision_regions(predict: Callable[[Any], Any], X: Any, y: Any, ax: Any = None) -> Any:
    """Colour the plane by predicted class, with the points on it; a ring is around each that is predicted wrongly.

    Parameters
    ----------
    predict : callable
        Takes points of shape ``(n, 2)``; returns whole class numbers, shape ``(n,)``.
    X, y : array_like, shapes (n, 2) and (n,)
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        If the points are not in the plane, or have not one label each.
    MissingExtraError
        If Matplotlib is not installed.
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1] or not y.size:
        raise ShapeError(
            f"decision_regions got X of shape {X.shape} and y of shape {y.shape}; it takes points (n, 2) and labels "
            "(n,), at least one."
        )
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.1 * (high - low) + 1e-3
    low, high = low - margin, high + margin
    xs, ys = (np.linspace(a, b, FINE) for a, b in zip(low, high))
    plane = np.stack(np.meshgrid(xs, ys), axis=-1)
    classes = np.asarray(predict(plane.reshape(-1, 2))).reshape(FINE, FINE)
    wrong = np.asarray(predict(X)) != y
    n = int(max(y.max(), classes.max())) + 1
    colors = [color for color, _ in zip(cycle(COLORS), range(n))]
    if ax is None:
        wide, tall = high - low
        ax = new_axes(6.4, 1 + 5 * min(max(tall / wide, 0.4), 1.6))
    from matplotlib.colors import ListedColormap

    extent = (low[0], high[0], low[1], high[1])
    ax.imshow(
        classes,
        ListedColormap(colors),
        vmin=-0.5,
        vmax=n - 0.5,
        origin="lower",
        extent=extent,
        alpha=0.25,
        interpolation="nearest",
    )
    for k, color, marker in zip(range(n), colors, cycle(MARKERS)):
        points = X[y == k].T
        ax.scatter(*points, s=22, color=color, marker=marker, edgecolors="white", linewidths=0.5, label=f"class {k}")
    if wrong.any():
        ax.scatter(*X[wrong].T, s=90, facecolors="none", edgecolors="black", linewidths=1.5, label="wrong")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    ax.set(xlabel="x[0]", ylabel="x[1]", aspect="equal")
    return ax
