"""Training pictures, with Matplotlib (an extra).  Each function takes the axes to draw on and returns them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import MissingExtraError

# Okabe and Ito's colours, which the colour-blind can tell apart.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")


def new_axes(width: float = 5.0, height: float = 3.6) -> Any:
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
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


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
    """
    ax = new_axes() if ax is None else ax
    for color, (name, values) in zip(COLORS, losses.items()):
        epochs = np.arange(1, len(values) + 1)
        ax.plot(epochs, values, color=color, label=name, marker="o" if len(values) < 2 else None)
    if all(np.min(values) > 0 for values in losses.values() if len(values)):
        ax.set_yscale("log")
    ax.set(xlabel="epoch", ylabel="loss")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return ax


def image_grid(images: Any, titles: Sequence[str], columns: int = 8, ax: Any = None) -> Any:
    """Show small grey images side by side, each under its title.

    Parameters
    ----------
    images : array_like, shape (n, height, width)
    titles : sequence of str
    columns : int
    ax : matplotlib Axes, optional
        Divided among the images.

    Returns
    -------
    matplotlib Axes
    """
    images = np.asarray(images)
    columns = max(1, min(columns, len(images)))
    rows = max(1, -(-len(images) // columns))
    ax = new_axes(1.1 * columns, 1.45 * rows) if ax is None else ax
    ax.set_axis_off()
    for k, (image, title) in enumerate(zip(images, titles)):
        row, column = divmod(k, columns)
        cell = ax.inset_axes((column / columns, 1 - (row + 1) / rows, 0.9 / columns, 0.74 / rows))
        cell.imshow(image, cmap="gray_r")
        cell.set_title(title, fontsize=9, pad=3)
        cell.set(xticks=[], yticks=[])
    return ax


def decision_regions(predict: Callable[[Any], Any], X: Any, y: Any, ax: Any = None) -> Any:
    """Colour the plane by predicted class, with the points on it; wrong ones are crossed.

    Parameters
    ----------
    predict : callable
        Takes points of shape ``(n, 2)``; returns whole class numbers, shape ``(n,)``.
    X, y : array_like, shapes (n, 2) and (n,)
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    ax = new_axes(4.8, 4.2) if ax is None else ax
    X, y = np.asarray(X), np.asarray(y)
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.1 * (high - low)
    xs, ys = (np.linspace(a, b, 200) for a, b in zip(low - margin, high + margin))
    plane = np.stack(np.meshgrid(xs, ys), axis=-1)
    classes = np.asarray(predict(plane.reshape(-1, 2))).reshape(plane.shape[:2])
    wrong = np.asarray(predict(X)) != y
    n = int(y.max()) + 1
    ax.contourf(xs, ys, classes, levels=np.arange(n + 1) - 0.5, colors=COLORS[:n], alpha=0.25)
    for k in range(n):
        ax.scatter(*X[y == k].T, s=14, color=COLORS[k], edgecolors="white", linewidths=0.4, label=f"class {k}")
    ax.scatter(*X[wrong].T, s=40, color="black", marker="x", linewidths=1, label="wrong" if wrong.any() else None)
    ax.legend(frameon=False, fontsize=8, loc="upper right")
    ax.set_aspect("equal")
    return ax
