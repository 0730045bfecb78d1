"""Steps divided by the root of a running average of squared gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, State
from .settings import at_least_0, below_1, flag


class RMSprop(Optimizer):
    r"""Steps divided by the root of a running average of squared gradients [1]_.

    .. math:: s \leftarrow \alpha s + (1 - \alpha) g^2, \qquad v \leftarrow \mu v + \frac{g}{\sqrt s + \epsilon},
              \qquad p \leftarrow p - \eta v.

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`.
    alpha : float
        How much the average keeps in a step.
    eps : float
        :math:`\epsilon`.
    weight_decay : float
        Factor of an L2 penalty.
    momentum : float
        :math:`\mu`.
    centered : bool
        Whether the square of the averaged gradient is subtracted under the root, which makes it a variance [2]_.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ArgumentError
        If a number is out of its range, there are no parameters, or one of them was computed.
    KindError
        If a parameter is complex.

    References
    ----------
    .. [1] T. Tieleman and G. Hinton, Neural Networks for Machine Learning, lecture 6.5 (2012).
    .. [2] A. Graves (2013), arXiv:1308.0850.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([1.0, 2.0])
    >>> opt = optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data.round(6)
    array([0.8, 1.8])
    """

    settings = Optimizer.settings | {
        "alpha": below_1,
        "eps": at_least_0,
        "weight_decay": at_least_0,
        "momentum": at_least_0,
        "centered": flag,
    }
    entrywise = True
    real = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay
        self.momentum, self.centered = momentum, centered
        super().__init__(params, lr, maximize)

    def fresh_state(self, p: Any) -> State:
        """The running averages, and what the momentum keeps."""
        state = {"s": np.zeros_like(p)}
        if self.centered:
            state["m"] = np.zeros_like(p)
        if self.momentum:
            state["v"] = np.zeros_like(p)
        return state

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the averages in place."""
        s, alpha = state["s"], self.alpha
        if self.weight_decay:
            g = g + self.weight_decay * p
        s *= alpha
        s += (1 - alpha) * g * g
        spread = s
        if self.centered:
            m = state["m"]
            m += (1 - alpha) * (g - m)
            spread = np.maximum(s - m * m, 0)  # rounding must not make it negative
        step = g / (np.sqrt(spread) + self.eps)
        if self.momentum:
            v = state["v"]
            v *= self.momentum
            v += step
            step = v
        p -= self.lr * step
