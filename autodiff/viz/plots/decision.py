"""What a net takes each point of the plane for, at one time and while it learns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import Any

import numpy as np

from ...core.axes import MARKERS, ink, palette
from ...core.checks import is_finite, require_whole
from ...core.errors import ArgumentError, KindError, ShapeError
from ...core.figures import axes_for, literal
from ...core.node import Array
from ...core.summary import kind_text, repr_text
from .given import real_array, require_counts, require_function, texts_of

FINE = 500
"""Points along each side of the plane that is coloured."""
COARSE = 200
"""The same in a film, of which there are many."""

MOST_POINTS = 5_000
"""More would need gigabytes."""

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
    ShapeError, ArgumentError, KindError
        If the points are not in the plane, or have not one class each, or ``predict`` is no function to classes.
    MissingExtraError
        If Matplotlib is not installed.
    """
    X, y = _labelled("decision_regions", X, y)
    classes = decision_grid(predict, X, FINE)
    wrong = np.asarray(predict(X)) != y
    ax = _plane("decision_regions", ax, X)
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
        Along each side, at most 5,000.

    Returns
    -------
    ndarray of int, shape (points, points)
        The first row is the lowest.

    Raises
    ------
    ShapeError, ArgumentError, KindError
        If the points of ``X`` are not in the plane, those of the grid too many, or ``predict`` is no function to
        classes.

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
    require_function("decision_grid", "predict", predict, "a function from points to classes")
    require_whole("decision_grid", points=points)
    if points > MOST_POINTS:
        raise ArgumentError(
            f"decision_grid got points={repr_text(points)} along each side; it takes at most {MOST_POINTS:,}, "
            "and a few hundred are enough for a picture."
        )
    left, right, bottom, top = _extent(_points("decision_grid", X))
    plane = np.stack(np.meshgrid(np.linspace(left, right, points), np.linspace(bottom, top, points)), axis=-1)
    classes = real_array("decision_grid", "predictions", predict(plane.reshape(-1, 2)))
    if classes.shape != (points * points,):
        raise ShapeError(
            f"predict got {points * points} points and returned an array of shape {classes.shape}; it should return a "
            "class number for each point, such as model(points).numpy().argmax(axis=1)."
        )
    require_counts("decision_grid", "predictions", classes, " A class is the place of the largest: .argmax(axis=1).")
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
        them.  Grids may differ in size, for each is of the same plane.  A function that asks a model asks it now: of
        one that goes on learning take grids.
    X, y : array_like, shapes (n, 2) and (n,)
    ax : matplotlib Axes, optional
    titles : sequence of str, optional
        One for each snapshot; else they are counted.
    interval : float
        Milliseconds between two pictures.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        ``.save("film.gif", writer="pillow")`` writes it; a notebook shows it with buttons.

    Raises
    ------
    ArgumentError, KindError
        If there are no snapshots, or not as many titles, or an entry is no class.
    ShapeError
        If the points are not in the plane or have not one class each, or a grid is not two-dimensional.
    MissingExtraError
        If Matplotlib is not installed.
    """
    X, y = _labelled("decision_animation", X, y)
    if not is_finite(interval) or interval <= 0:
        raise ArgumentError(
            f"decision_animation got interval={repr_text(interval)}; it is a number of milliseconds above 0."
        )
    grids = _grids(snapshots, X)
    counted = [f"{i + 1} of {len(grids)}" for i in range(len(grids))]
    texts = counted if titles is None else texts_of("decision_animation", "titles", titles)
    if len(texts) != len(grids):
        raise ArgumentError(
            f"decision_animation got {len(grids)} snapshots and {len(texts)} titles; give one for each."
        )
    ax = _plane("decision_animation", ax, X)
    from matplotlib.animation import FuncAnimation

    image = _paint(ax, grids[0], X, y, int(max(y.max(), *(grid.max() for grid in grids))) + 1)
    _add_legend(ax)
    title = ax.set_title(literal(texts[0]))

    def show(i: int) -> list[Any]:
        image.set_data(grids[i])
        title.set_text(literal(texts[i]))
        return [image, title]

    film: Any = FuncAnimation(ax.figure, show, frames=len(grids), interval=interval)
    film._repr_html_ = film.to_jshtml  # Matplotlib's own shows nothing in a notebook unless it is told to
    return film


def _grids(snapshots: Any, X: Array) -> list[Array]:
    """The classes of each snapshot."""
    doing = "decision_animation"
    if not isinstance(snapshots, Iterable):
        raise KindError(f"{doing} got {kind_text(snapshots)} as snapshots; it takes a list: see decision_grid.")
    grids = [
        decision_grid(s, X) if callable(s) else real_array(doing, f"snapshot {i}", s) for i, s in enumerate(snapshots)
    ]
    if not grids:
        raise ArgumentError(f"{doing} got no snapshots; give it a grid for each picture: see decision_grid.")
    for i, grid in enumerate(grids):
        if grid.ndim != 2 or not grid.size:
            raise ShapeError(f"{doing} got snapshot {i} of shape {grid.shape}; it takes grids (rows, columns).")
        require_counts(doing, f"the classes of snapshot {i}", grid)
    return grids


def _labelled(doing: str, X: Any, y: Any) -> tuple[Array, Array]:
    """Points and their classes as arrays."""
    X, y = _points(doing, X), real_array(doing, "y", y)
    if y.shape != X.shape[:1]:
        raise ShapeError(f"{doing} got X of shape {X.shape} and y of shape {y.shape}; it takes a class for each point.")
    require_counts(doing, "y", y)
    return X, y


def _points(doing: str, X: Any) -> Array:
    X = real_array(doing, "X", X)
    if X.ndim != 2 or X.shape[1] != 2 or not X.size:
        raise ShapeError(f"{doing} got X of shape {X.shape}; it takes points (n, 2), at least one.")
    if not np.isfinite(X).all():
        raise ArgumentError(f"{doing} got X with nan or inf in it; the plane around the points is drawn to scale.")
    return X


def _extent(X: Array) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of the plane around the points."""
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.1 * (high - low) + 1e-3
    (left, bottom), (right, top) = low - margin, high + margin
    return left, right, bottom, top


def _plane(doing: str, ax: Any, X: Array) -> Any:
    """The axes that were given, or new ones of the shape of the plane."""
    left, right, bottom, top = _extent(X)
    return axes_for(doing, ax, 6.4, 1 + 5 * min(max((top - bottom) / (right - left), 0.4), 1.6))


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
