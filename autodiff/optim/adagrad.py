"""Steps divided by the root of the sum of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer, State
from .settings import at_least_0


class Adagrad(Optimizer):
    r"""Steps that shrink with all that was learnt [1]_: rare features keep large ones.

    .. math:: s \leftarrow s + g^2, \qquad p \leftarrow p - \frac{\eta}{1 + (t - 1)\, \delta}\,
              \frac{g}{\sqrt s + \epsilon}.

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`.
    lr_decay : float
        :math:`\delta`.
    weight_decay : float
        Factor of an L2 penalty.
    initial_accumulator_value : float
        What :math:`s` starts at.
    eps : float
        :math:`\epsilon`.
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
    .. [1] J. Duchi, E. Hazan and Y. Singer, J. Mach. Learn. Res. 12 (2011) 2121-2159.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([1.0, 2.0])
    >>> opt = optim.Adagrad([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data.round(6)
    array([0.75, 1.75])
    """

    settings = Optimizer.settings | {
        "lr_decay": at_least_0,
        "weight_decay": at_least_0,
        "initial_accumulator_value": at_least_0,
        "eps": at_least_0,
    }
    entrywise = True
    real = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        self.lr_decay, self.weight_decay, self.eps = lr_decay, weight_decay, eps
        self.initial_accumulator_value = initial_accumulator_value
        super().__init__(params, lr, maximize)

    def fresh_state(self, p: Any) -> State:
        """The number of steps taken, and the sum of squares."""
        return {"t": 0, "s": np.full_like(p, self.initial_accumulator_value)}

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the sum in place."""
        state["t"] += 1
        s = state["s"]
        if self.weight_decay:
            g = g + self.weight_decay * p
        s += g * g
        p -= self.lr / (1 + (state["t"] - 1) * self.lr_decay) * g / (np.sqrt(s) + self.eps)
