"""Activation functions with options that the ops of their names do not have."""

from __future__ import annotations

from ...core.errors import ArgumentError
from ...core.node import Array, ArrayLike
from ...ops import activation as ops
from ...ops.select import greater, where

__all__ = ["softplus"]


def softplus(x: ArrayLike, beta: float = 1.0, threshold: float = 20.0) -> Array:
    r"""Smooth ramp :math:`\ln(1 + e^{\beta x}) / \beta`, and ``x`` itself where ``beta * x`` is above ``threshold``.

    Parameters
    ----------
    x : array_like
    beta : float
        How sharp the bend is, above 0.
    threshold : float
        Where PyTorch lets the ramp be straight.  It is as exact without: ``float("inf")``.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> functional.softplus(np.array([0.0, 3.0]), beta=10.0).round(4)
    array([0.0693, 3.    ])
    """
    if not beta > 0:
        raise ArgumentError(f"softplus got beta={beta!r}; it is above 0.")
    z = x if beta == 1 else x * beta
    y = ops.softplus(z) if beta == 1 else ops.softplus(z) / beta
    return y if threshold == float("inf") else where(greater(z, threshold), x, y)
