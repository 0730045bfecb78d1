"""Adam and its kin: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .arena import Scratch
from .optimizer import Optimizer, State
from .settings import at_least_0, betas_below_1, flag


class RunningMoments(Optimizer):
    """What Adam and its kin share: their settings, and the running averages that they keep."""

    settings = Optimizer.settings | {"betas": betas_below_1, "eps": at_least_0, "weight_decay": at_least_0}
    real = True
    _filled: dict[Any, int]

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
        maximize: bool,
    ) -> None:
        self._scales: dict[Any, tuple[Any, ...]] = {}
        self.scratch = Scratch()
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        super().__init__(params, lr, maximize)

    def fresh_state(self, p: Any) -> State:
        """The number of steps taken, the running mean of the gradient, and that of its square."""
        return {"t": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)}

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in self.settings:
            self._filled = {}  # what was computed from the old one is no longer right

    def scales(self, t: int, dtype: Any) -> tuple[Any, ...]:
        r"""The numbers in the update lines of step ``t``, as 0-d arrays: beside small arrays they cost half as much.

        The averages start at 0, so that after ``t`` steps their expectations lack a factor :math:`1 - \beta^t`.  As in
        section 2 of the paper, both corrections go into the learning rate and ``eps``, which spares two divisions.

        Returns
        -------
        tuple
            :math:`1 - \beta_1`, :math:`1 - \beta_2`, the corrected ``lr`` and ``eps``, and ``lr * weight_decay``.
        """
        if dtype not in self._scales:
            self._scales[dtype] = tuple([np.empty((), dtype) for _ in range(5)])
        scales = self._scales[dtype]
        if self._filled.get(dtype) != t:
            beta1, beta2 = self.betas
            unbias1, unbias2 = 1 - beta1**t, 1 - beta2**t
            root = math.sqrt(unbias2)
            numbers = (1 - beta1, 1 - beta2, self.lr * root / unbias1, self.eps * root, self.lr * self.weight_decay)
            for scale, number in zip(scales, numbers):
                scale[()] = number
            self._filled[dtype] = t
        return scales


class AdamMoments(RunningMoments):
    """The lines that the papers on Adam and AdamW share."""

    settings = RunningMoments.settings | {"amsgrad": flag}
    amsgrad: bool

    def fresh_state(self, p: Any) -> State:
        """The averages, and with ``amsgrad`` the largest that the second has been."""
        state = super().fresh_state(p)
        return state | {"top": np.zeros_like(p)} if self.amsgrad else state

    def descend(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the averages.  It makes no arrays: what it computes on the way goes through ``a``."""
        state["t"] += 1
        m, v, a = state["m"], state["v"], self.scratch.like(p)
        one_minus_beta1, one_minus_beta2, lr, eps, _ = self.scales(state["t"], p.dtype)

        # m += (1 - beta1) * (g - m)
        np.subtract(g, m, out=a)
        a *= one_minus_beta1
        m += a

        # v += (1 - beta2) * (g * g - v)
        np.multiply(g, g, out=a)
        a -= v
        a *= one_minus_beta2
        v += a

        if self.amsgrad:
            v = np.maximum(state["top"], v, out=state["top"])

        # p -= lr * m / (sqrt(v) + eps)
        np.sqrt(v, out=a)
        a += eps
        np.divide(m, a, out=a)
        a *= lr
        p -= a


class Adam(AdamMoments):
    r"""Adam: steps scaled by running averages of the gradient and of its square [1]_.

    .. math:: m &\leftarrow m + (1 - \beta_1)(g - m), \qquad v \leftarrow v + (1 - \beta_2)(g^2 - v), \\
              p &\leftarrow p - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}.

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`: about how far a parameter moves in one step, in its own unit.
    betas : pair of float
        How much the averages keep in a step.
    eps : float
        Keeps the division defined, in the unit of the gradient.
    weight_decay : float
        Factor of an L2 penalty: ``weight_decay * p`` is added to the gradient.  See :class:`AdamW` for decay proper.
    amsgrad : bool
        Divide by the root of the largest :math:`v` so far, so that steps never grow again [2]_.
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
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR (2015), arXiv:1412.6980.
    .. [2] S. J. Reddi, S. Kale and S. Kumar, "On the convergence of Adam and beyond", ICLR (2018), arXiv:1904.09237.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([1.0, 2.0])
    >>> opt = optim.Adam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data.round(6)
    array([0.75, 1.75])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        self.amsgrad = amsgrad
        super().__init__(params, lr, betas, eps, weight_decay, maximize)

    entrywise = True

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the averages in place."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        self.descend(p, g, state)


class AdamW(AdamMoments):
    r"""Adam with the decay of the weights taken out of the gradient: it is not scaled by the averages [1]_.

    .. math:: p &\leftarrow (1 - \eta \lambda)\, p, \\
              m &\leftarrow m + (1 - \beta_1)(g - m), \qquad v \leftarrow v + (1 - \beta_2)(g^2 - v), \\
              p &\leftarrow p - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}.

    Parameters
    ----------
    params : list of Tensor and Value
        Such as ``model.parameters()``.
    lr : float
        Learning rate :math:`\eta`: about how far a parameter moves in one step, in its own unit.
    betas : pair of float
        How much the averages keep in a step.
    eps : float
        Keeps the division defined, in the unit of the gradient.
    weight_decay : float
        :math:`\lambda`.
    amsgrad : bool
        Divide by the root of the largest :math:`v` so far, so that steps never grow again [2]_.
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
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR (2019), arXiv:1711.05101.
    .. [2] S. J. Reddi, S. Kale and S. Kumar, "On the convergence of Adam and beyond", ICLR (2018), arXiv:1904.09237.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([1.0, 2.0])
    >>> opt = optim.AdamW([w], lr=0.25, weight_decay=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w.data.round(6)
    array([0.725, 1.7  ])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        self.amsgrad = amsgrad
        super().__init__(params, lr, betas, eps, weight_decay, maximize)

    entrywise = True

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the averages in place."""
        *_, decay = self.scales(state["t"] + 1, p.dtype)
        p -= decay * p
        self.descend(p, g, state)
