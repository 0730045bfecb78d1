"""A real set of images, small enough to be part of the package."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np


def digits(scale: bool = True) -> tuple[np.ndarray[Any, np.dtype[Any]], np.ndarray[Any, np.dtype[Any]]]:
    """1,797 handwritten digits, as images of 8 x 8 grey values.

    The test part of "Optical Recognition of Handwritten Digits" [1]_, the same as ``sklearn.datasets.load_digits()``:
    each grey value is the number of dark pixels, 0 to 16, in a square of 4 x 4.

    Parameters
    ----------
    scale : bool
        Whether to divide the grey values by 16, so that they run from 0 to 1.

    Returns
    -------
    X : ndarray of float, shape (1797, 64)
        Row by row; ``X.reshape(-1, 8, 8)`` gives the images.
    y : ndarray of int, shape (1797,)
        The digit, 0 to 9.

    References
    ----------
    .. [1] E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository
       (1998), https://doi.org/10.24432/C50P49, licensed CC BY 4.0.

    Examples
    --------
    >>> from autodiff import data
    >>> X, y = data.digits()
    >>> X.shape, X.max().item()
    ((1797, 64), 1.0)
    >>> y[:5].tolist()
    [0, 1, 2, 3, 4]
    """
    with files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file) as stored:
        images, labels = stored["images"], stored["labels"]
    return images.reshape(-1, 64) / (16.0 if scale else 1.0), labels.astype(np.int64)
