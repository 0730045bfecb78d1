"""How parameters start."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..tensor import Tensor


def uniform(
    bound: float, shape: tuple[int, ...], *, dtype: Any = float, rng: Any = None, name: str | None = None
) -> Tensor:
    """A parameter drawn evenly from ``-bound`` to ``bound``.

    Parameters
    ----------
    bound : float
    shape : tuple of int
    dtype : dtype
        Drawn in double precision and then rounded, so that the same seed gives the same numbers in any.
    rng : Generator, int or None
        As for ``np.random.default_rng``.
    name : str, optional
    """
    return Tensor(np.random.default_rng(rng).uniform(-bound, bound, shape), dtype=dtype, name=name)


def require_sizes(layer: str, **sizes: Any) -> None:
    """Raise if a size is not a whole number of at least 1."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or size < 1:
            raise ArgumentError(f"{layer} got {name}={size!r}; it is a whole number of at least 1.")
