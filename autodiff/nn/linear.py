"""Affine layers, and the layers that only change shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..ops.shape import reshape
from .functional import linear
from .init import require_sizes, uniform
from .module import Module, shown


class Linear(Module):
    """Affine map of the last axis, ``y = x W^T + b``.

    Shape: input ``(..., in_features)``, output ``(..., out_features)``.

    Parameters
    ----------
    in_features, out_features : int
        Lengths of the last axis of input and output.
    bias : bool
        Whether ``b`` is added.
    dtype : dtype
        Of the parameters.
    rng : Generator, int or None
        Source of the first values, as for ``np.random.default_rng``.

    Attributes
    ----------
    weight : Tensor, shape (out_features, in_features)
        Starts uniform within ``1 / sqrt(in_features)`` of 0, as PyTorch's.
    bias : Tensor, shape (out_features,), or None
        Starts likewise.

    Raises
    ------
    ArgumentError
        If a size is not a whole number of at least 1.
    ShapeError
        When called with an input of another last axis.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> layer = nn.Linear(3, 2, rng=0)
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, *, dtype: Any = float, rng: Any = None
    ) -> None:
        require_sizes("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in_features)
        self.weight = uniform(bound, (out_features, in_features), dtype=dtype, rng=rng, name="weight")
        self.bias = uniform(bound, (out_features,), dtype=dtype, rng=rng, name="bias") if bias else None

    def forward(self, x: ArrayLike) -> Array:
        """Compute ``x W^T + b``."""
        try:
            return linear(x, self.weight, self.bias)
        except ValueError:  # NumPy compares the shapes before it works: a second check would only cost time
            self._refuse_width(x)
            raise

    def _refuse_width(self, x: ArrayLike) -> None:
        n_out, n_in = self.weight.shape
        shape = np.shape(x) if isinstance(x, list | tuple) else shape_of(x)
        if shape[-1:] == (n_in,):
            return
        if not shape:
            raise ShapeError(
                f"{self!r} got an input of shape (): it has no axis, the layer expects one of length {n_in}."
            )
        repair = f"Linear({shape[-1]}, {n_out})"
        if n_in == 1:
            repair = f"x.reshape({', '.join(map(str, shape))}, 1)"
        elif len(shape) > 2 and math.prod(shape[1:]) == n_in:
            repair = "to put nn.Flatten() before it"
        raise ShapeError(
            f"{self!r} got an input of shape {shape}: its last axis has length {shape[-1]}, the layer expects {n_in}.\n"
            f"Did you mean {repair}?"
        )

    def __repr__(self) -> str:
        n_out, n_in = self.weight.shape
        return shown(self, n_in, n_out, bias=True)


class Flatten(Module):
    """Merge all axes from ``start_dim`` to ``end_dim`` into one; by default all but the first.

    Shape: input ``(N, a, b, ...)``, output ``(N, a * b * ...)``.

    Parameters
    ----------
    start_dim, end_dim : int
        PyTorch's ``start_dim`` and ``end_dim``.

    Raises
    ------
    ShapeError
        When called with an input that has no such axes.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Flatten()(np.ones((5, 8, 8))).shape
    (5, 64)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: ArrayLike) -> Array:
        """Reshape."""
        shape = shape_of(x)
        axes = range(len(shape))
        try:
            start, end = axes[self.start_dim], axes[self.end_dim]
        except IndexError:
            raise ShapeError(
                f"{self!r} got an input of shape {shape}, which has {len(shape)} axes and none to flatten from. "
                "Give it a batch: x[None] for one image."
            ) from None
        if start > end:
            raise ArgumentError(f"{self!r} got an input of shape {shape}: there axis {start} comes after axis {end}.")
        return reshape(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))

    def __repr__(self) -> str:
        return shown(self, start_dim=1, end_dim=-1)


class Identity(Module):
    """Hand the input on as it is.  Arguments are accepted and ignored, so that it can stand in for any layer.

    Examples
    --------
    >>> from autodiff import nn
    >>> nn.Identity()(3.0)
    3.0
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: ArrayLike) -> Array:
        """``x``."""
        return x
