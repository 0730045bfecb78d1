"""Adam that looks ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .adam import RunningMoments
from .optimizer import State
from .settings import at_least_0, flag


class NAdam(RunningMoments):
    r"""Adam with Nesterov's momentum [1]_: part of each step is that of the gradient itself.

    .. math:: \mu_t = \beta_1 (1 - \tfrac12\, 0.96^{t \psi}), \qquad
              p \leftarrow p - \eta\, \frac{\frac{1 - \mu_t}{1 - \prod \mu_i}\, g
              + \frac{\mu_{t+1}}{1 - \mu_{t+1} \prod \mu_i}\, m}{\sqrt{v / (1 - \beta_2^t)} + \epsilon},

    with ``m`` and ``v`` as in :class:`Adam`.

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`.
    betas : pair of float
        How much the averages keep in a step.
    eps : float
        :math:`\epsilon`: keeps the division defined, in the unit of the gradient.
    weight_decay : float
        Factor of an L2 penalty; of the decay proper with ``decoupled_weight_decay``.
    momentum_decay : float
        :math:`\psi`.
    decoupled_weight_decay : bool
        Whether weights decay as in :class:`AdamW`.
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
    .. [1] T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop (2016).

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([1.0, 2.0])
    >>> opt = optim.NAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data.round(3)
    array([0.736, 1.736])
    """

    settings = RunningMoments.settings | {"momentum_decay": at_least_0, "decoupled_weight_decay": flag}
    entrywise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        self.momentum_decay, self.decoupled_weight_decay = momentum_decay, decoupled_weight_decay
        super().__init__(params, lr, betas, eps, weight_decay, maximize)

    def fresh_state(self, p: Any) -> State:
        """As of Adam, and the product of all momenta."""
        return {**super().fresh_state(p), "product": 1.0}

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the averages in place."""
        state["t"] += 1
        t, m, v, (beta1, beta2) = state["t"], state["m"], state["v"], self.betas
        now, after = (beta1 * (1 - 0.5 * 0.96 ** (k * self.momentum_decay)) for k in (t, t + 1))
        state["product"] *= now
        if self.decoupled_weight_decay:
            p *= 1 - self.lr * self.weight_decay
        elif self.weight_decay:
            g = g + self.weight_decay * p
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        size = np.sqrt(v / (1 - beta2**t)) + self.eps
        p -= self.lr * (1 - now) / (1 - state["product"]) * g / size
        p -= self.lr * after / (1 - state["product"] * after) * m / size
