"""Random draws as recorded operations: the draw is a row, so that a replayed tape draws anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ArgumentError, UnsupportedError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of
from ..core.op import primitive
from .draws import generator

__all__ = ["dropout", "dropout_mask"]


@primitive(formula=r"m_i = [u_i \ge p] / (1 - p), \quad u_i \sim U(0, 1)", differentiable=False, random=True)
def dropout_mask(x: ArrayLike, /, p: float = 0.5, rng: Any = None) -> Array:
    """Draw an array like ``x`` that is 0 with probability ``p`` and ``1 / (1 - p)`` otherwise.  Never tracked."""
    require_probability(p, "dropout_mask")
    p = data_of(p)
    kept = generator(rng).random(x.shape) >= p
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(float)
    return kept.astype(dtype) * dtype.type(1 / (1 - p) if p < 1 else 0)


def require_probability(p: Any, name: str) -> None:
    """Raise if ``p`` is none, or one that wants a gradient."""
    compiling = compiler() if isinstance(p, Node) else None
    if isinstance(p, Node) and (p.tracked if compiling is None else compiling.tracks(p)):
        raise UnsupportedError(
            f"{name} got a probability that wants a gradient: what is dropped has no derivative. Give it p.item()."
        )
    if not 0 <= data_of(p) <= 1:
        raise ArgumentError(f"{name} got p={data_of(p)}; it is a probability, from 0 to 1.")


def dropout(x: ArrayLike, p: float = 0.5, *, training: bool = True, rng: Any = None) -> Array:
    """Set entries to 0 with probability ``p`` and scale up the rest, so that the expected value stays.

    Parameters
    ----------
    x : array_like
    p : float
        From 0 to 1.
    training : bool
        If False, ``x`` is returned as it is.
    rng : Generator, int or None
        Source of randomness, as for ``np.random.default_rng``.

    Raises
    ------
    ArgumentError
        If ``p`` is not a probability.

    References
    ----------
    .. [1] N. Srivastava et al., J. Mach. Learn. Res. 15 (2014) 1929-1958.
    """
    require_probability(p, "dropout")
    if isinstance(p, Node) and compiler() is not None:  # it may be 0 in one call and not in the next
        return x * dropout_mask(x, p, rng) if training else x
    p = data_of(p)
    return x * dropout_mask(x, p, rng) if training and p > 0 else x
