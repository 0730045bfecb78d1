"""Losses as modules.  The formulas belong to the functions of :mod:`autodiff.nn.functional`."""

from __future__ import annotations

from ..core.node import Array, ArrayLike
from . import functional
from .module import Module


class CrossEntropyLoss(Module):
    """Mean cross-entropy of classes, in nats, from logits ``(N, C)`` and class numbers ``(N,)``.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.CrossEntropyLoss()(ad.Tensor([[0.0, 0.0]]), np.array([1])).item()
    0.6931471805599453
    """

    def forward(self, logits: ArrayLike, labels: ArrayLike) -> Array:
        """See :func:`autodiff.cross_entropy`."""
        return functional.cross_entropy(logits, labels)


class MSELoss(Module):
    """Mean of the squared differences of two arrays of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.MSELoss()(ad.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    2.0
    """

    def forward(self, predictions: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.mse_loss`."""
        return functional.mse_loss(predictions, targets)


class BCEWithLogitsLoss(Module):
    """Mean binary cross-entropy, in nats, from logits and targets from 0 to 1, of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.BCEWithLogitsLoss()(ad.Tensor([0.0]), np.array([1.0])).item()
    0.6931471805599453
    """

    def forward(self, logits: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.binary_cross_entropy_with_logits`."""
        return functional.binary_cross_entropy_with_logits(logits, targets)


class HingeLoss(Module):
    """Mean of ``max(1 - t s, 0)`` for scores ``s`` and targets ``t`` of -1 or 1, of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.HingeLoss()(ad.Tensor([2.0, 0.5]), np.array([1, -1])).item()
    0.75
    """

    def forward(self, scores: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.hinge_loss`."""
        return functional.hinge_loss(scores, targets)
