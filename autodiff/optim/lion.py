"""Steps of one size: only the sign of an averaged gradient counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, State
from .settings import at_least_0, betas_below_1


class Lion(Optimizer):
    r"""Evolved sign momentum [1]_.

    .. math:: p \leftarrow p - \eta\,\big(\operatorname{sign}(\beta_1 m + (1 - \beta_1) g) + \lambda p\big), \qquad
              m \leftarrow \beta_2 m + (1 - \beta_2) g.

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`: how far every entry moves; three to ten times smaller than for Adam.
    betas : pair of float
        :math:`\beta_1`, the share of the mean in what gives the sign; and :math:`\beta_2`, how much the mean keeps in a
        step.
    weight_decay : float
        :math:`\lambda`: larger than for :class:`AdamW` by the factor by which ``lr`` is smaller.
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
    .. [1] X. Chen et al., NeurIPS (2023), arXiv:2302.06675.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([1.0, 2.0])
    >>> opt = optim.Lion([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data
    array([0.75, 1.75])
    """

    settings = Optimizer.settings | {"betas": betas_below_1, "weight_decay": at_least_0}
    entrywise = True
    real = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        self.betas, self.weight_decay = betas, weight_decay
        super().__init__(params, lr, maximize)

    def fresh_state(self, p: Any) -> State:
        """The running mean of the gradient."""
        return {"m": np.zeros_like(p)}

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the mean in place."""
        m, (beta1, beta2) = state["m"], self.betas
        p *= 1 - self.lr * self.weight_decay
        p -= self.lr * np.sign(beta1 * m + (1 - beta1) * g)
        m *= beta2
        m += (1 - beta2) * g
