"""What plots are given: arrays by name, numbers, texts, functions, and what is raised if it is something else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...core.errors import ArgumentError, KindError, ShapeError
from ...core.names import named_in
from ...core.node import Array, Node, data_of
from ...core.numbers import to_float
from ...core.summary import kind_text, repr_text


def arrays_in(doing: str, model: Any) -> dict[str, Any]:
    """The parameters and arrays of a model by name; see :func:`~autodiff.core.names.named_in`.

    Raises
    ------
    ArgumentError
        If there are none.
    KindError
        If one does not hold numbers.
    """
    found = named_in(doing, model, (Node, np.ndarray))
    for name, x in found.items():
        dtype = getattr(data_of(x), "dtype", None)
        if dtype is not None and dtype.kind not in "biufc":
            raise KindError(f"{doing} got {repr_text(name)}, an array of {dtype}; it takes arrays of numbers.")
    return found


def entries_of(x: Any) -> Array:
    """All entries of an array, node or number as floats in one row; sizes of complex ones."""
    data = data_of(x)
    array = np.asarray(data if isinstance(data, np.ndarray) else to_float(data))
    return np.abs(array).ravel() if array.dtype.kind == "c" else array.ravel().astype(float)


def real_array(doing: str, what: str, x: Any) -> Array:
    """``x`` as an array of real numbers.

    Raises
    ------
    ShapeError
        If its rows differ in length.
    KindError
        If it holds something else.
    """
    try:
        array = np.asarray(x)
    except ValueError:
        raise ShapeError(f"{doing} got {what} whose rows differ in length; they make no array.") from None
    if array.dtype.kind not in "biuf":
        raise KindError(f"{doing} got {what} of dtype {array.dtype}; it takes real numbers.")
    return array


def require_counts(doing: str, what: str, array: Array, repair: str = "") -> None:
    """Raise if an entry is no whole number from 0 on."""
    wrong = array[~(np.isfinite(array) & (array >= 0) & (np.floor(array) == array))]
    if wrong.size:
        raise ArgumentError(f"{doing} got {wrong[0]} among {what}; they are whole numbers from 0 on.{repair}")


def texts_of(doing: str, what: str, given: Any) -> list[str]:
    """Labels or titles as a list of texts.

    Raises
    ------
    KindError
        If it is no collection of them.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise KindError(f"{doing} got {what}={repr_text(given)}; it takes a list of texts, one for each.")
    return [str(text) for text in given]


def require_function(doing: str, what: str, f: Any, example: str) -> None:
    """Raise unless ``f`` can be called."""
    if not callable(f):
        raise KindError(f"{doing} got {kind_text(f)} as {what}; it takes {example}.")
