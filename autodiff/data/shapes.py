"""Generated sets of points in the plane that a straight line cannot tell apart, and blobs, which it can."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from .checks import require_whole

Array = np.ndarray[Any, np.dtype[Any]]


def moons(n: int = 200, noise: float = 0.1, rng: Any = None) -> tuple[Array, Array]:
    """Two half circles of radius 1 that reach into each other.

    Class 0 is the upper half of the circle around (0, 0), class 1 the lower half of the circle around (1, 0.5).

    Parameters
    ----------
    n : int
        Number of points; the classes get equally many, or class 0 one more.
    noise : float
        Standard deviation of what is added to both coordinates.
    rng : Generator, int or None
        As for ``np.random.default_rng``.

    Returns
    -------
    X : ndarray, shape (n, 2)
    y : ndarray of int, shape (n,)
        In random order.

    Raises
    ------
    ArgumentError
        If there are fewer points than classes, or ``noise`` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import data
    >>> X, y = data.moons(100, rng=0)
    >>> X.shape, np.bincount(y).tolist()
    ((100, 2), [50, 50])
    """
    sizes = _sizes("moons", n, 2, noise)
    upper, lower = (np.linspace(0, np.pi, size) for size in sizes)
    points = [_pairs(np.cos(upper), np.sin(upper)), _pairs(1 - np.cos(lower), 0.5 - np.sin(lower))]
    return _mixed(points, noise, rng)


def circles(n: int = 200, noise: float = 0.05, factor: float = 0.5, rng: Any = None) -> tuple[Array, Array]:
    """A circle of radius ``factor`` (class 1) within a circle of radius 1 (class 0).

    Parameters
    ----------
    n, noise, rng
        As for :func:`moons`.
    factor : float
        Radius of the inner circle, between 0 and 1.

    Returns
    -------
    X : ndarray, shape (n, 2)
    y : ndarray of int, shape (n,)
        In random order.

    Raises
    ------
    ArgumentError
        If there are fewer points than classes, ``noise`` is negative, or ``factor`` not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import data
    >>> X, y = data.circles(100, noise=0, rng=0)
    >>> np.unique(np.hypot(*X.T).round(6)).tolist()
    [0.5, 1.0]
    """
    if not 0 < factor < 1:
        raise ArgumentError(f"circles got factor={factor}; it is the radius of the inner circle, between 0 and 1.")
    points = []
    for radius, size in zip((1, factor), _sizes("circles", n, 2, noise)):
        angle = np.linspace(0, 2 * np.pi, size, endpoint=False)
        points.append(radius * _pairs(np.cos(angle), np.sin(angle)))
    return _mixed(points, noise, rng)


def spirals(
    n: int = 300, noise: float = 0.02, arms: int = 3, turns: float = 0.75, rng: Any = None
) -> tuple[Array, Array]:
    """Spiral arms that wind out from the middle to radius 1; each is a class.

    Parameters
    ----------
    n, noise, rng
        As for :func:`moons`.
    arms : int
        Number of classes.
    turns : float
        How often an arm goes round.

    Returns
    -------
    X : ndarray, shape (n, 2)
    y : ndarray of int, shape (n,)
        In random order.

    Raises
    ------
    ArgumentError
        If there are fewer points than classes, or ``noise`` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import data
    >>> X, y = data.spirals(300, rng=0)
    >>> np.bincount(y).tolist()
    [100, 100, 100]
    """
    points = []
    for arm, size in enumerate(_sizes("spirals", n, arms, noise)):
        radius = (1 + np.arange(size)) / size
        angle = 2 * np.pi * (turns * radius + arm / arms)
        points.append(_pairs(radius * np.cos(angle), radius * np.sin(angle)))
    return _mixed(points, noise, rng)


def blobs(n: int = 300, noise: float = 1.0, centers: int = 3, rng: Any = None) -> tuple[Array, Array]:
    """Round clouds, each a class, around centers drawn evenly from the square of -10 to 10.

    Parameters
    ----------
    n, noise, rng
        As for :func:`moons`.
    centers : int
        Number of classes.

    Returns
    -------
    X : ndarray, shape (n, 2)
    y : ndarray of int, shape (n,)
        In random order.

    Raises
    ------
    ArgumentError
        If there are fewer points than classes, or ``noise`` is negative.

    Examples
    --------
    >>> from autodiff import data
    >>> X, y = data.blobs(300, rng=0)
    >>> X.shape
    (300, 2)
    """
    rng = np.random.default_rng(rng)
    sizes = _sizes("blobs", n, centers, noise)
    points = [np.tile(rng.uniform(-10, 10, size=2), (size, 1)) for size in sizes]
    return _mixed(points, noise, rng)


def _sizes(what: str, n: int, classes: int, noise: float) -> list[int]:
    """How many points each class gets."""
    require_whole(what, n=n, classes=classes)
    if n < classes:
        raise ArgumentError(f"{what} got n={n} points for {classes} classes; give each class at least one.")
    if not (isinstance(noise, Real) and 0 <= noise < np.inf):
        raise ArgumentError(f"{what} got noise={noise!r}; it is a standard deviation, at least 0.")
    return [int(n) // classes + (label < n % classes) for label in range(classes)]


def _pairs(x: Array, y: Array) -> Array:
    return np.stack([x, y], axis=1)


def _mixed(points: list[Array], noise: float, rng: Any) -> tuple[Array, Array]:
    """The points of all classes with noise added, in random order, and their classes."""
    rng = np.random.default_rng(rng)
    X = np.concatenate(points)
    y = np.repeat(np.arange(len(points)), [len(p) for p in points])
    order = rng.permutation(len(X))
    return X[order] + noise * rng.normal(size=X.shape), y[order]
