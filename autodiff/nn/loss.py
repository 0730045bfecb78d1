"""Losses as modules.  The formulas belong to the functions of :mod:`autodiff.nn.functional`.

Options that stand elsewhere in PyTorch, behind two that are out of use there, are given by name.
"""

from __future__ import annotations

import inspect

from ..core.node import Array, ArrayLike
from . import functional
from .functional.classification import IGNORED
from .functional.reduction import require_reduction
from .module import Module, shown


class Loss(Module):
    """What losses have in common: what becomes of the losses of all entries, "mean", "sum" or "none"."""

    def __init__(self, *, reduction: str = "mean") -> None:
        require_reduction(type(self).__name__, reduction)
        self.reduction = reduction

    def __repr__(self) -> str:
        options = inspect.signature(type(self).__init__).parameters.items()
        return shown(self, **{name: p.default for name, p in options if name != "self"})


class MSELoss(Loss):
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
        return functional.mse_loss(predictions, targets, reduction=self.reduction)


class L1Loss(Loss):
    """Mean of the absolute differences of two arrays of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.L1Loss()(ad.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    1.0
    """

    def forward(self, predictions: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.l1_loss`."""
        return functional.l1_loss(predictions, targets, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """Mean of a loss that is quadratic in differences below ``beta`` and linear above.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.SmoothL1Loss()(ad.Tensor([0.0, 0.0]), np.array([1.0, 3.0])).item()
    1.5
    """

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, predictions: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.smooth_l1_loss`."""
        return functional.smooth_l1_loss(predictions, targets, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """Mean of a loss that is quadratic in differences below ``delta`` and linear, of slope ``delta``, above.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.HuberLoss(delta=2.0)(ad.Tensor([0.0, 0.0]), np.array([1.0, 3.0])).item()
    2.25
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, predictions: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.huber_loss`."""
        return functional.huber_loss(predictions, targets, reduction=self.reduction, delta=self.delta)


class CrossEntropyLoss(Loss):
    """Mean cross-entropy, in nats, from logits ``(N, C, ...)`` and class numbers ``(N, ...)`` or probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.CrossEntropyLoss()(ad.Tensor([[0.0, 0.0]]), np.array([1])).item()
    0.6931471805599453
    """

    def __init__(
        self,
        weight: ArrayLike = None,
        *,
        ignore_index: int = IGNORED,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        self.weight, self.ignore_index, self.label_smoothing = weight, ignore_index, label_smoothing

    def forward(self, logits: ArrayLike, labels: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.cross_entropy`."""
        return functional.cross_entropy(
            logits,
            labels,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Loss):
    """Mean of minus the log-probability of the right class: what follows ``LogSoftmax``.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.NLLLoss()(ad.Tensor(np.log([[0.5, 0.5]])), np.array([1])).item()
    0.6931471805599453
    """

    def __init__(self, weight: ArrayLike = None, *, ignore_index: int = IGNORED, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight, self.ignore_index = weight, ignore_index

    def forward(self, log_probabilities: ArrayLike, labels: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.nll_loss`."""
        return functional.nll_loss(
            log_probabilities, labels, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class BCELoss(Loss):
    """Mean binary cross-entropy, in nats, from probabilities: what follows ``Sigmoid``.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> round(nn.BCELoss()(ad.Tensor([0.5]), np.array([1.0])).item(), 6)
    0.693147
    """

    def __init__(self, weight: ArrayLike = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = weight

    def forward(self, probabilities: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.binary_cross_entropy`."""
        return functional.binary_cross_entropy(probabilities, targets, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Mean binary cross-entropy, in nats, from logits and targets from 0 to 1, of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.BCEWithLogitsLoss()(ad.Tensor([0.0]), np.array([1.0])).item()
    0.6931471805599453
    """

    def __init__(self, weight: ArrayLike = None, *, reduction: str = "mean", pos_weight: ArrayLike = None) -> None:
        super().__init__(reduction=reduction)
        self.weight, self.pos_weight = weight, pos_weight

    def forward(self, logits: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.binary_cross_entropy_with_logits`."""
        return functional.binary_cross_entropy_with_logits(
            logits, targets, weight=self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(Loss):
    """Mean divergence, in nats, of log-probabilities from target probabilities; ``reduction`` may be "batchmean".

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.KLDivLoss(reduction="batchmean")(ad.Tensor(np.log([[0.5, 0.5]])), np.array([[1.0, 0.0]])).item()
    0.6931471805599453
    """

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        if reduction != "batchmean":
            require_reduction("KLDivLoss", reduction)
        self.reduction = reduction
        self.log_target = log_target

    def forward(self, log_p: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.kl_div`."""
        return functional.kl_div(log_p, targets, reduction=self.reduction, log_target=self.log_target)


class HingeLoss(Loss):
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
        return functional.hinge_loss(scores, targets, reduction=self.reduction)


class CosineEmbeddingLoss(Loss):
    """Mean loss of pairs of vectors that should point alike, target 1, or should not, target -1.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> nn.CosineEmbeddingLoss()(ad.Tensor([[1.0, 0.0]]), np.array([[0.0, 2.0]]), np.array([1])).item()
    1.0
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, x1: ArrayLike, x2: ArrayLike, targets: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.cosine_embedding_loss`."""
        return functional.cosine_embedding_loss(x1, x2, targets, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """Mean loss of vectors that should be nearer to their like than to another, by ``margin``.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff import nn
    >>> round(nn.TripletMarginLoss()(ad.Tensor([[0.0]]), np.array([[1.0]]), np.array([[1.5]])).item(), 5)
    0.5
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: ArrayLike, positive: ArrayLike, negative: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.triplet_margin_loss`."""
        return functional.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )
