"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from .optimizer import ByDtype, Optimizer, State
from .settings import at_least_0, finite, flag


class SGD(Optimizer):
    r"""Gradient descent, with momentum if wanted.

    .. math:: v \leftarrow \mu v + (1 - \tau) g, \qquad p \leftarrow p - \eta v, \qquad \text{Nesterov's: }
              p \leftarrow p - \eta (g + \mu v).

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`, in units of parameter squared per unit of loss.
    momentum : float
        :math:`\mu`.
    dampening : float
        :math:`\tau`: which part of a gradient the momentum leaves out; of the first it leaves out none.
    weight_decay : float
        Factor of an L2 penalty: ``weight_decay * p`` is added to the gradient.
    nesterov : bool
        Look ahead by one step of momentum.
    maximize : bool
        Go up instead of down.

    Raises
    ------
    ArgumentError
        If a number is out of its range, there are no parameters, or one of them was computed.

    References
    ----------
    .. [1] B. T. Polyak, USSR Comp. Math. and Math. Phys. 4 (1964) 1-17.
    .. [2] I. Sutskever, J. Martens, G. Dahl and G. Hinton, ICML (2013): the form of Nesterov's momentum used here.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([1.0, 2.0])
    >>> opt = optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data
    array([0.5, 1. ])
    """

    settings = Optimizer.settings | {
        "momentum": at_least_0,
        "dampening": finite,
        "weight_decay": at_least_0,
        "nesterov": flag,
    }
    entrywise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        self.momentum, self.dampening = momentum, dampening
        self.weight_decay, self.nesterov = weight_decay, nesterov
        super().__init__(params, lr, maximize)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "momentum":
            self.momenta = ByDtype(value)

    def check(self) -> None:
        """Nesterov's look ahead is one step of an undampened momentum."""
        if self.nesterov and not self.momentum:
            raise ArgumentError("SGD got nesterov=True without momentum; give it some: momentum=0.9.")
        if self.nesterov and self.dampening:
            raise ArgumentError(f"SGD got nesterov=True with dampening={self.dampening!r}; leave one of them out.")

    def fresh_state(self, p: Any) -> State:
        """One velocity for each parameter, if there is momentum; how many steps it took, if that matters."""
        state: State = {"v": np.zeros_like(p)} if self.momentum else {}
        return state | {"t": 0} if self.momentum and self.dampening else state

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and its velocity in place."""
        lr = self.rates[p.dtype]
        if self.weight_decay:
            g = g + self.weight_decay * p
        if self.momentum:
            v, momentum = state["v"], self.momenta[p.dtype]
            v *= momentum
            if self.dampening:
                state["t"] += 1
                v += g if state["t"] == 1 else (1 - self.dampening) * g
            else:
                v += g
            g = g + momentum * v if self.nesterov else v
        p -= lr * g
