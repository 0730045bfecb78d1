"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from .optimizer import ByDtype, Optimizer, State, require_at_least_0


class SGD(Optimizer):
    r"""Gradient descent, with momentum if wanted.

    .. math:: v \leftarrow \mu v + g, \qquad p \leftarrow p - \eta v, \qquad \text{Nesterov's: }
              p \leftarrow p - \eta (g + \mu v).

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`, in units of parameter squared per unit of loss.
    momentum : float
        :math:`\mu`.
    nesterov : bool
        Look ahead by one step of momentum.
    weight_decay : float
        Factor of an L2 penalty: ``weight_decay * p`` is added to the gradient.

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

    settings = ("lr", "momentum", "nesterov", "weight_decay")
    entrywise = True
    _momentum: float = 0

    def __init__(
        self, params: Iterable[Any], lr: Any, momentum: float = 0, *, nesterov: bool = False, weight_decay: float = 0
    ) -> None:
        require_at_least_0("SGD", momentum=momentum, weight_decay=weight_decay)
        if nesterov and not momentum:
            raise ArgumentError("SGD got nesterov=True without momentum; give it some: momentum=0.9.")
        super().__init__(params, lr)
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay

    def fresh_state(self, p: Any) -> State:
        """One velocity for each parameter, if there is momentum."""
        return {"v": np.zeros_like(p)} if self.momentum else {}

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and its velocity in place."""
        lr = self.rates[p.dtype]
        if self.weight_decay:
            g = g + self.weight_decay * p
        if self.momentum:
            v, momentum = state["v"], self.momenta[p.dtype]
            v *= momentum
            v += g
            g = g + momentum * v if self.nesterov else v
        p -= lr * g

    @property
    def momentum(self) -> float:
        """The share of the velocity that is kept."""
        return self._momentum

    @momentum.setter
    def momentum(self, momentum: float) -> None:
        self._momentum = momentum
        self.momenta = ByDtype(momentum)
        for p, state in zip(self.params, self.state):
            if momentum and "v" not in state:
                state |= self.fresh_state(self.storage(p))
                self._packed = False
