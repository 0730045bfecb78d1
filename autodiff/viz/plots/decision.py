"""What a net takes each point of the plane for, at one time and while it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from ...core.errors import ArgumentError, ShapeError
from ...core.node import Array
from .axes import MARKERS, ink, new_axes, palette

FINE = 500
"""Points along each side of the plane that is coloured."""
COARSE = 200
"""The same in a film, of which there are many."""

Predict = Callable[[Any], Any]


def decision_regions(predict: Predict, X: Any, y: Any, ax: Any = None) -> Any:
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
    X, y = _points("decision_regions", X, y)
    classes = decision_grid(predict, X, FINE)
    wrong = np.asarray(predict(X)) != y
    ax = _new_plane(X) if ax is None else ax
    _paint(ax, classes, X, y, int(max(y.max(), classes.max())) + 1)
    if wrong.any():
        ax.scatter(*X[wrong].T, s=90, facecolors="none", edgecolors=ink(ax), linewidths=1.5, label="wrong")
    _add_legend(ax)
    return ax


def decision_grid(predict: Predict, X: Any, points: int = COARSE) -> Array:
    """The predicted classes on a grid over the points ``X``: one picture of :func:`decision_animation`.

    Parameters
    ----------
    predict : callable
        Takes points of shape ``(n, 2)``; returns whole class numbers, shape ``(n,)``.
    X : array_like, shape (n, 2)
    points : int
        Along each side.

    Returns
    -------
    ndarray of int, shape (points, points)
        The first row is the lowest.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[-1.0, 0.0], [1.0, 2.0]])
    >>> decision_grid(lambda points: (points[:, 0] > 0).astype(int), X, points=4)
    array([[0, 0, 1, 1],
           [0, 0, 1, 1],
           [0, 0, 1, 1],
           [0, 0, 1, 1]])
    """
    X = np.asarray(X)
    left, right, bottom, top = _extent(X)
    plane = np.stack(np.meshgrid(np.linspace(left, right, points), np.linspace(bottom, top, points)), axis=-1)
    classes = np.asarray(predict(plane.reshape(-1, 2)))
    if classes.shape != (points * points,):
        raise ShapeError(
            f"predict got {points * points} points and returned an array of shape {classes.shape}; it should return a "
            "class number for each point, such as model(points).numpy().argmax(axis=1)."
        )
    return classes.reshape(points, points).astype(int)


def decision_animation(
    snapshots: Sequence[Any],
    X: Any,
    y: Any,
    ax: Any = None,
    *,
    titles: Sequence[str] | None = None,
    interval: float = 120,
) -> Any:
    """A film of :func:`decision_regions`, a picture for each snapshot.

    Parameters
    ----------
    snapshots : sequence
        Grids of class numbers that :func:`decision_grid` made while the model was learning, or functions as it takes
        them.  A function that asks a model asks it now: of one that goes on learning take grids.
    X, y : array_like, shapes (n, 2) and (n,)
    ax : matplotlib Axes, optional
    titles : sequence of str, optional
        One for each snapshot; else they are counted.
    interval : float
        Milliseconds between two pictures.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        ``.save("film.gif", writer="pillow")`` writes it.

    Raises
    ------
    ArgumentError
        If there are no snapshots, or not as many titles.
    ShapeError
        If the points are not in the plane or have not one label each, or a grid is not two-dimensional.
    MissingExtraError
        If Matplotlib is not installed.
    """
    X, y = _points("decision_animation", X, y)
    grids = [decision_grid(s, X) if callable(s) else np.asarray(s) for s in snapshots]
    if not grids:
        raise ArgumentError("decision_animation got no snapshots; give it a grid for each picture: see decision_grid.")
    for i, grid in enumerate(grids):
        if grid.ndim != 2 or not grid.size:
            raise ShapeError(
                f"decision_animation got snapshot {i} of shape {grid.shape}; it takes grids (rows, columns)."
            )
    texts = [f"{i + 1} of {len(grids)}" for i in range(len(grids))] if titles is None else list(titles)
    if len(texts) != len(grids):
        raise ArgumentError(
            f"decision_animation got {len(grids)} snapshots and {len(texts)} titles; give one for each."
        )
    ax = _new_plane(X) if ax is None else ax
    from matplotlib.animation import FuncAnimation

    image = _paint(ax, grids[0], X, y, int(max(y.max(), *(grid.max() for grid in grids))) + 1)
    _add_legend(ax)
    title = ax.set_title(texts[0])

    def show(i: int) -> list[Any]:
        image.set_data(grids[i])
        title.set_text(texts[i])
        return [image, title]

    return FuncAnimation(ax.figure, show, frames=len(grids), interval=interval)


def _points(doing: str, X: Any, y: Any) -> tuple[Array, Array]:
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1] or not y.size:
        raise ShapeError(
            f"{doing} got X of shape {X.shape} and y of shape {y.shape}; it takes points (n, 2) and labels "
            "(n,), at least one."
        )
    return X, y


def _extent(X: Array) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of the plane around the points."""
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.1 * (high - low) + 1e-3
    (left, bottom), (right, top) = low - margin, high + margin
    return left, right, bottom, top


def _new_plane(X: Array) -> Any:
    left, right, bottom, top = _extent(X)
    return new_axes(6.4, 1 + 5 * min(max((top - bottom) / (right - left), 0.4), 1.6))


def _paint(ax: Any, classes: Array, X: Array, y: Array, n: int) -> Any:
    """Colour the plane and put the points on it."""
    from matplotlib.colors import ListedColormap

    colors = palette(ax, n)
    image = ax.imshow(
        classes,
        ListedColormap(colors),
        vmin=-0.5,
        vmax=n - 0.5,
        origin="lower",
        extent=_extent(X),
        alpha=0.25,
        interpolation="nearest",
    )
    for k, color, marker in zip(range(n), colors, cycle(MARKERS)):
        points = X[y == k].T
        ax.scatter(*points, s=22, color=color, marker=marker, edgecolors="white", linewidths=0.5, label=f"class {k}")
    ax.set(xlabel="x[0]", ylabel="x[1]", aspect="equal")
    return image


def _add_legend(ax: Any) -> None:
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
