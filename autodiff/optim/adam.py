"""Adam and its kin: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError
from ..core.node import Node, describe
from .arena import Scratch
from .optimizer import Optimizer, State, require_at_least_0, require_below_1


class RunningMoments(Optimizer):
    """What Adam and AdamW share: their settings, and the running averages that they keep."""

    settings = ("lr", "betas", "eps", "weight_decay")

    def __init__(
        self, params: Iterable[Any], lr: float, betas: tuple[float, float], eps: float, weight_decay: float
    ) -> None:
        name = type(self).__name__
        if not hasattr(betas, "__len__") or len(betas) != 2:
            raise ArgumentError(f"{name} got betas={betas!r}; it takes two numbers, such as betas=(0.9, 0.999).")
        require_below_1(name, **{f"betas[{i}]": beta for i, beta in enumerate(betas)})
        require_at_least_0(name, eps=eps, weight_decay=weight_decay)
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self._scales: dict[Any, tuple[Any, ...]] = {}
        self._filled: dict[Any, int] = {}
        self.scratch = Scratch()
        super().__init__(params, lr)

    def storage(self, p: Node) -> Any:
        """The data, in double precision for a Value of any kind: there is a root to take."""
        data = p._data
        if np.iscomplexobj(data):
            raise KindError(
                f"{type(self).__name__} got {describe(p)} of complex numbers, for which it is not defined. "
                "Use SGD, or two real parameters: re + 1j * im."
            )
        return data if isinstance(data, np.ndarray) else np.array(data, float)

    def fresh_state(self, p: Any) -> State:
        """The number of steps taken, the running mean of the gradient, and that of its square."""
        return {"t": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)}

    def step(self) -> None:
        """Update every parameter that has a gradient, in place."""
        self._filled.clear()
        super().step()

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

    def descend(self, p: Any, g: Any, state: State) -> None:
        """The lines that both papers share.  They make no arrays: what they compute goes through ``a``."""
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

        # p -= lr * m / (sqrt(v) + eps)
        np.sqrt(v, out=a)
        a += eps
        np.divide(m, a, out=a)
        a *= lr
        p -= a


class Adam(RunningMoments):
    r"""Adam: steps scaled by running averages of the gradient and of its square.

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

    Raises
    ------
    ArgumentError
        If a number is out of its range, there are no parameters, or one of them was computed.
    KindError
        If a parameter is complex.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR (2015), arXiv:1412.6980.

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
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    entrywise = True

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the averages in place."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        self.descend(p, g, state)


class AdamW(RunningMoments):
    r"""Adam with the decay of the weights taken out of the gradient: it is not scaled by the averages.

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

    Raises
    ------
    ArgumentError
        If a number is out of its range, there are no parameters, or one of them was computed.
    KindError
        If a parameter is complex.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR (2019), arXiv:1711.05101.

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
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    entrywise = True

    def update(self, p: Any, g: Any, state: State) -> None:
        """Change ``p`` and the averages in place."""
        *_, decay = self.scales(state["t"] + 1, p.dtype)
        p -= decay * p
        self.descend(p, g, state)
