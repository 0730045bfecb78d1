"""Sequences and images of other sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...core.errors import ArgumentError, ShapeError
from ...core.node import Array, ArrayLike, shape_of
from ...ops.index import take
from ...ops.shape import repeat

__all__ = ["interpolate"]


def interpolate(
    x: ArrayLike,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    *,
    recompute_scale_factor: bool | None = None,
) -> Array:
    """Sequences, or images, brought to another size: each entry of the result is that of ``x`` where it stands.

    Parameters
    ----------
    x : array_like, shape (N, C, L) or (N, C, H, W)
    size : int or tuple of int, optional
        Lengths of the last axes of the result.
    scale_factor : number or tuple, optional
        How many times as long they are, rounded down; instead of ``size``.
    mode : "nearest"
    recompute_scale_factor : bool, optional
        Whether the entries are spread by the lengths of the result, and not by ``scale_factor``, which may say a
        little more than these.

    Raises
    ------
    ArgumentError
        If not one of ``size`` and ``scale_factor`` is given, or for another mode.
    ShapeError
        If there are no axes to resize.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> functional.interpolate(np.array([[[1.0, 2.0]]]), size=3)
    array([[[1., 1., 2.]]])
    """
    require_nearest("interpolate", size, scale_factor, mode)
    shape = shape_of(x)
    if len(shape) < 3:
        raise ShapeError(f"interpolate got an input of shape {shape}; it takes (N, C, L) or (N, C, H, W).")
    lengths = shape[2:]
    factors = _for_each(scale_factor, len(lengths))
    sizes = [math.floor(n * f) for n, f in zip(lengths, factors)] if size is None else _for_each(size, len(lengths))
    if min(*lengths, *sizes) < 1:
        raise ArgumentError(f"interpolate got an input of shape {shape} to bring to lengths {tuple(sizes)}: below 1.")
    kind = np.result_type(np.float32, getattr(x, "dtype", float))
    for axis, (old, new) in enumerate(zip(lengths, sizes), 2):
        given = size is None and not recompute_scale_factor
        places = nearest(old, new, 1 / factors[axis - 2] if given else old / new, kind)
        if new % old or np.any(places != np.arange(new) // (new // old)):
            x = take(x, places, axis)
        elif new != old:
            x = repeat(x, new // old, axis)
    return x


def nearest(old: int, new: int, scale: float, kind: Any) -> Any:
    """Which of ``old`` entries each of ``new`` is, in the precision of the data and rounded as PyTorch does it."""
    places = np.arange(new, dtype=kind) * kind.type(scale)
    return np.minimum(np.floor(places.astype(np.float32)).astype(int), old - 1)


def require_nearest(name: str, size: Any, scale_factor: Any, mode: str) -> None:
    """Raise for options that cannot be used."""
    if mode != "nearest":
        raise ArgumentError(f"{name} got mode={mode!r}; there is 'nearest'.")
    if (size is None) == (scale_factor is None):
        raise ArgumentError(
            f"{name} got {'neither' if size is None else 'both'} of size= and scale_factor=; it takes one of them."
        )


def _for_each(value: Any, n: int) -> list[Any]:
    values = list(value) if isinstance(value, tuple | list) else [value] * n
    if len(values) != n:
        raise ArgumentError(f"interpolate got {value!r} for {n} axes: give one number, or one for each.")
    return values
