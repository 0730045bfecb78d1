"""Losses of numbers: how far predictions are from targets."""

from __future__ import annotations

from ...core.errors import ArgumentError, ShapeError
from ...core.node import Array, ArrayLike
from ...ops import fused
from ...ops.arithmetic import absolute, square
from ...ops.select import less, where
from .reduction import of_one_shape, reduced, require_reduction

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def mse_loss(predictions: ArrayLike, targets: ArrayLike, *, reduction: str = "mean") -> Array:
    """Mean of the squared differences.

    Parameters
    ----------
    predictions, targets : array_like
        Of one shape.
    reduction : "mean", "sum" or "none"
        What becomes of the losses of all entries.

    Returns
    -------
    Tensor or number
        In the square of their unit.

    Raises
    ------
    ShapeError
        If the shapes differ (nothing is broadcast: it would compare every prediction with every target), or are empty.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff.nn import functional
    >>> functional.mse_loss(ad.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    2.0
    """
    if reduction != "mean":
        require_reduction("mse_loss", reduction)
        predictions, targets = of_one_shape("mse_loss", "predictions", predictions, targets)
        return reduced(square(predictions - targets), reduction)
    try:
        return fused.mean_squared_error(predictions, targets)
    except (ShapeError, TypeError):  # the row compares the shapes: a second check on the good path would only cost time
        of_one_shape("mse_loss", "predictions", predictions, targets)
        raise


def l1_loss(predictions: ArrayLike, targets: ArrayLike, *, reduction: str = "mean") -> Array:
    """Mean of the absolute differences; parameters and errors as of :func:`mse_loss`.

    Examples
    --------
    >>> from autodiff.nn import functional
    >>> float(functional.l1_loss([1.0, 2.0], [1.0, 4.0]))
    1.0
    """
    require_reduction("l1_loss", reduction)
    predictions, targets = of_one_shape("l1_loss", "predictions", predictions, targets)
    return reduced(absolute(predictions - targets), reduction)


def huber_loss(predictions: ArrayLike, targets: ArrayLike, reduction: str = "mean", delta: float = 1.0) -> Array:
    r"""Mean of :math:`d^2 / 2` where the difference :math:`|d| < \delta`, else :math:`\delta (|d| - \delta / 2)`.

    Outliers pull no harder than ``delta`` does [1]_.

    Parameters
    ----------
    predictions, targets, reduction
        As for :func:`mse_loss`.
    delta : float
        Above 0; in the unit of the differences.

    References
    ----------
    .. [1] P. J. Huber, Ann. Math. Statist. 35 (1964) 73-101.

    Examples
    --------
    >>> from autodiff.nn import functional
    >>> float(functional.huber_loss([0.0, 0.0], [1.0, 3.0]))
    1.5
    """
    require_reduction("huber_loss", reduction)
    if not delta > 0:
        raise ArgumentError(f"huber_loss got delta={delta!r}; it is above 0. For absolute differences use l1_loss.")
    predictions, targets = of_one_shape("huber_loss", "predictions", predictions, targets)
    d = predictions - targets
    size = absolute(d)
    return reduced(where(less(size, delta), 0.5 * (d * d), delta * (size - 0.5 * delta)), reduction)


def smooth_l1_loss(predictions: ArrayLike, targets: ArrayLike, *, reduction: str = "mean", beta: float = 1.0) -> Array:
    r"""Mean of :math:`d^2 / (2 \beta)` where the difference :math:`|d| < \beta`, and :math:`|d| - \beta / 2` elsewhere.

    Parameters
    ----------
    predictions, targets, reduction
        As for :func:`mse_loss`.
    beta : float
        From 0 up, where this is :func:`l1_loss`; in the unit of the differences.

    Examples
    --------
    >>> from autodiff.nn import functional
    >>> float(functional.smooth_l1_loss([0.0, 0.0], [1.0, 3.0]))
    1.5
    """
    require_reduction("smooth_l1_loss", reduction)
    if not beta >= 0:
        raise ArgumentError(f"smooth_l1_loss got beta={beta!r}; it is from 0 up.")
    if beta == 0:
        return l1_loss(predictions, targets, reduction=reduction)
    predictions, targets = of_one_shape("smooth_l1_loss", "predictions", predictions, targets)
    d = predictions - targets
    size = absolute(d)
    return reduced(where(less(size, beta), d * d * (0.5 / beta), size - 0.5 * beta), reduction)
