"""Layers that drop at random."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike
from ..ops.dropout import dropout
from .module import Module


class Dropout(Module):
    """While training, set entries to 0 with probability ``p`` and divide the rest by ``1 - p``; else do nothing.

    Parameters
    ----------
    p : float
        From 0 to 1.
    rng : Generator, int or None
        As for ``np.random.default_rng``.  The generator belongs to the layer: no global state is read or changed, and
        several threads may draw from it.

    Raises
    ------
    ArgumentError
        If ``p`` is not a probability.

    References
    ----------
    .. [1] N. Srivastava et al., J. Mach. Learn. Res. 15 (2014) 1929-1958.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> layer = nn.Dropout(0.5, rng=0)
    >>> layer(np.ones(4))
    array([2., 0., 0., 0.])
    >>> layer.eval()(np.ones(4))
    array([1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, *, rng: Any = None) -> None:
        if not (isinstance(p, Real) and 0 <= p <= 1):
            raise ArgumentError(f"Dropout got p={p!r}; it is the probability to drop an entry, from 0 to 1.")
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, x: ArrayLike) -> Array:
        """Drop, while training."""
        return dropout(x, self.p, training=self.training, rng=self.rng)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
