"""``r_`` and ``c_``: arrays put together between brackets."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dispatch import gathered
from ..core.errors import UnsupportedError
from ..core.node import Array, Node, data_of, shape_of
from .joining import concatenate
from .shape import astype, reshape, transpose


class Concatenator:
    """What ``np.r_`` and ``np.c_`` are, also for tensors: joins what stands between the brackets.

    Arrays, numbers, tensors, and slices that count as in ``np.r_``; first there may be a string
    ``"axis,ndmin,trans1d"``, as NumPy takes it.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.jacobian(lambda x: ad.r_[x, 0, 1:3])(np.array([5.0]))
    array([[1.],
           [0.],
           [0.],
           [0.]])
    """

    __slots__ = ("numbers", "numpys")

    def __init__(self, axis: int, ndmin: int, trans1d: int, numpys: Any) -> None:
        self.numbers = axis, ndmin, trans1d
        self.numpys = numpys

    def __getitem__(self, key: Any) -> Array:
        parts = [gathered(part) for part in (key if isinstance(key, tuple) else (key,))]
        if not any(isinstance(part, Node) for part in parts):
            return self.numpys[key]
        axis, ndmin, trans1d = self.numbers
        if isinstance(parts[0], str):
            try:
                given = [int(n) for n in parts.pop(0).split(",")]
            except ValueError:
                raise UnsupportedError('r_ and c_ of a tensor take a string of numbers first, as in "0,2".') from None
            axis, ndmin, trans1d = (*given, *self.numbers[len(given) :])
        parts = [np.r_[part] if isinstance(part, slice | list | tuple) else part for part in parts]
        dtype = np.result_type(*(data_of(part) for part in parts))
        return concatenate([astype(in_axes(part, ndmin, trans1d), dtype, copy=False) for part in parts], axis)


def in_axes(part: Array, ndmin: int, trans1d: int) -> Array:
    """``part`` with ``ndmin`` axes or more; its own begin at ``trans1d``, or stand last if that is -1."""
    shape = shape_of(part if isinstance(part, Node) else np.asarray(part))
    extra = ndmin - len(shape)
    if extra < 0:
        return part
    part = reshape(part, (1,) * extra + shape)
    start = trans1d if trans1d >= 0 else trans1d + extra + 1
    axes = list(range(ndmin))
    return part if trans1d == -1 else transpose(part, axes[:start] + axes[extra:] + axes[start:extra])


r_ = Concatenator(0, 1, -1, np.r_)
c_ = Concatenator(-1, 2, 0, np.c_)
