"""Bringing data into a form that nets train well on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from .checks import require_rows, require_whole

Array = Any


class Standardizer:
    """Brings each feature to mean 0 and standard deviation 1, by those of the data that it is made of.

    Make it of the training part, and use it on all parts: what is measured on the test part must not be trained on.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Rows along the first axis.

    Attributes
    ----------
    mean, std : ndarray, shape (...)
        In the dtype of ``X``, if it is a floating one.  The deviation of a feature that is constant is 1.

    Raises
    ------
    ShapeError
        If there are no rows, or later rows of another shape.
    ArgumentError
        If a number is nan or infinite: it says where.

    Examples
    --------
    >>> from autodiff import data
    >>> standardize = data.Standardizer([[1.0, 5.0], [3.0, 5.0]])
    >>> standardize([[2.0, 5.0], [5.0, 6.0]]).tolist()
    [[0.0, 0.0], [3.0, 1.0]]
    >>> standardize.inverse([[3.0, 1.0]]).tolist()
    [[5.0, 6.0]]
    """

    def __init__(self, X: Any) -> None:
        (X,) = require_rows("Standardizer", X)
        if X.dtype.kind not in "biuf":
            raise KindError(f"Standardizer got an array of dtype {X.dtype}; it takes numbers.")
        pieces = range(0, len(X), 1024)  # in double precision, without a copy of all

        def sum_over(f: Callable[[Array], Array]) -> Array:
            return sum((f(X[k : k + 1024].astype(float)).sum(axis=0) for k in pieces), start=0.0)

        mean = sum_over(lambda x: x) / len(X)
        if not np.isfinite(mean).all():
            _refuse_missing(X)
        std = np.sqrt(sum_over(lambda x: np.square(x - mean)) / len(X))
        constant = X.max(axis=0) == X.min(axis=0)  # whose deviation may come out as a rounding error
        dtype = X.dtype if X.dtype.kind == "f" else float
        self.mean = np.asarray(mean, dtype)
        self.std = np.where(constant, 1.0, std).astype(dtype)

    def __call__(self, X: Any) -> Array:
        """``(X - mean) / std``."""
        return (self._fitting(X) - self.mean) / self.std

    def inverse(self, X: Any) -> Array:
        """``X * std + mean``."""
        return self._fitting(X) * self.std + self.mean

    def _fitting(self, X: Any) -> Array:
        X = np.asarray(X)
        if X.shape[1:] != self.mean.shape:
            raise ShapeError(
                f"Standardizer got an array of shape {X.shape}; it was made of rows of shape {self.mean.shape}."
            )
        return X

    def __repr__(self) -> str:
        return f"Standardizer(rows of shape {self.mean.shape})"


def _refuse_missing(X: Array) -> None:
    wrong = np.argwhere(~np.isfinite(X))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        raise ArgumentError(
            f"Standardizer got {X[place]} at index {', '.join(map(str, place))}. Leave out such rows, or fill them: "
            "np.where(np.isfinite(X), X, np.nanmedian(X, axis=0))."
        )


def one_hot(labels: Any, n_classes: int | None = None, dtype: Any = float) -> Array:
    """1 at the class of each label, 0 elsewhere.

    Parameters
    ----------
    labels : array_like of int
        From 0 up.
    n_classes : int, optional
        One more than the largest label if not given.
    dtype : dtype

    Returns
    -------
    ndarray, shape (*labels.shape, n_classes)

    Raises
    ------
    KindError, ArgumentError
        If labels are no whole numbers, or out of range.

    Examples
    --------
    >>> from autodiff import data
    >>> data.one_hot([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu" and labels.size:
        raise KindError(f"one_hot got labels of dtype {labels.dtype}; they are whole numbers. Use labels.astype(int).")
    if n_classes is None:
        n_classes = int(labels.max()) + 1 if labels.size else 0
    else:
        require_whole("one_hot", n_classes=n_classes)
    n = n_classes
    if labels.size and not (labels.min() >= 0 and labels.max() < n):
        raise ArgumentError(f"one_hot got labels from {labels.min()} to {labels.max()}; they are from 0 to {n - 1}.")
    hot = np.zeros((*labels.shape, n), dtype)
    np.put_along_axis(hot, labels.astype(int)[..., None], 1, axis=-1)
    return hot


def shifted(images: Any, by: int = 1, rng: Any = None) -> Array:
    """Each image moved by up to ``by`` pixels in both directions, at random; what comes in at the border is 0.

    Parameters
    ----------
    images : array_like, shape (n, ..., height, width)
    by : int
        0 leaves them as they are.
    rng : Generator, int or None

    Returns
    -------
    ndarray
        A copy, of the same shape and dtype.

    Raises
    ------
    ShapeError, ArgumentError
        If these are no images, or ``by`` is no whole number.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import data
    >>> data.shifted(np.arange(1.0, 10.0).reshape(1, 3, 3), rng=3)[0]
    array([[0., 4., 5.],
           [0., 7., 8.],
           [0., 0., 0.]])
    """
    images = _images("shifted", images)
    if by != 0:
        require_whole("shifted", by=by)
    rng = np.random.default_rng(rng)
    height, width = images.shape[-2:]
    around = np.pad(images, [(0, 0)] * (images.ndim - 2) + [(by, by)] * 2)
    moved = np.empty_like(images)
    for k, (down, right) in enumerate(rng.integers(0, 2 * by + 1, (len(images), 2))):
        moved[k] = around[k, ..., down : down + height, right : right + width]
    return moved


def flipped(images: Any, p: float = 0.5, rng: Any = None) -> Array:
    """Each image mirrored left to right with probability ``p``.

    Parameters
    ----------
    images : array_like, shape (n, ..., height, width)
    p : float
        From 0 to 1.
    rng : Generator, int or None

    Returns
    -------
    ndarray
        A copy, of the same shape and dtype.

    Raises
    ------
    ShapeError, ArgumentError
        If these are no images, or ``p`` is no probability.

    Examples
    --------
    >>> from autodiff import data
    >>> data.flipped([[[1.0, 2.0]]], p=1)
    array([[[2., 1.]]])
    """
    images = _images("flipped", images)
    if not 0 <= p <= 1:
        raise ArgumentError(f"flipped got p={p!r}; it is a probability, from 0 to 1.")
    chosen = np.random.default_rng(rng).random(len(images)) < p
    return np.where(chosen.reshape(-1, *(1,) * (images.ndim - 1)), images[..., ::-1], images)


def _images(name: str, images: Any) -> Array:
    images = np.asarray(images)
    if images.ndim < 3:
        raise ShapeError(f"{name} got images of shape {images.shape}; it takes (n, ..., height, width).")
    return images
