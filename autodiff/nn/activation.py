"""Activation functions as modules, for use between layers.  The formulas belong to the ops of the same names."""

from __future__ import annotations

from ..core.node import Array, ArrayLike
from ..ops import activation as ops
from ..ops.softmax import log_softmax, softmax
from ..ops.trigonometric import tanh
from .functional.activation import softplus
from .module import Module, shown


class ReLU(Module):
    """``max(x, 0)``, entry by entry.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.ReLU()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.relu`."""
        return ops.relu(x)


class LeakyReLU(Module):
    """``x`` where positive, ``negative_slope * x`` elsewhere, entry by entry.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.LeakyReLU(0.5)(np.array([-1.0, 2.0]))
    array([-0.5,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.leaky_relu`."""
        return ops.leaky_relu(x, self.negative_slope)

    def __repr__(self) -> str:
        return shown(self, self.negative_slope)


class ELU(Module):
    """``x`` where positive, ``alpha * (e**x - 1)`` elsewhere, entry by entry.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.ELU()(np.array([0.0, 2.0]))
    array([0., 2.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.elu`."""
        return ops.elu(x, self.alpha)

    def __repr__(self) -> str:
        return shown(self, self.alpha)


class GELU(Module):
    """``x`` times the normal distribution function at ``x``, entry by entry; ``approximate`` is "none" or "tanh".

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.GELU()(np.array([0.0]))
    array([0.])
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.gelu`."""
        return ops.gelu(x, self.approximate)

    def __repr__(self) -> str:
        return shown(self, approximate="none")


class SiLU(Module):
    """``x * sigmoid(x)``, entry by entry; also called swish.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.SiLU()(np.array([0.0]))
    array([0.])
    """

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.silu`."""
        return ops.silu(x)


class Mish(Module):
    """``x * tanh(softplus(x))``, entry by entry.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Mish()(np.array([0.0]))
    array([0.])
    """

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.mish`."""
        return ops.mish(x)


class Tanh(Module):
    """Hyperbolic tangent, entry by entry.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Tanh()(np.array([0.0]))
    array([0.])
    """

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.tanh`."""
        return tanh(x)


class Sigmoid(Module):
    """Logistic function ``1 / (1 + e**-x)``, entry by entry.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Sigmoid()(np.array([0.0]))
    array([0.5])
    """

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.sigmoid`."""
        return ops.sigmoid(x)


class LogSigmoid(Module):
    """Logarithm of the logistic function, entry by entry.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.LogSigmoid()(np.array([-1000.0]))
    array([-1000.])
    """

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.log_sigmoid`."""
        return ops.log_sigmoid(x)


class Softplus(Module):
    """Smooth ramp ``ln(1 + e**(beta x)) / beta``, entry by entry; ``x`` itself where ``beta x`` is above ``threshold``.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Softplus()(np.array([1000.0]))
    array([1000.])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.softplus`."""
        return softplus(x, self.beta, self.threshold)

    def __repr__(self) -> str:
        return shown(self, beta=1.0, threshold=20.0)


class Softmax(Module):
    """Exponentials scaled to sum to 1 along the axis ``dim``.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Softmax()(np.zeros((1, 2)))
    array([[0.5, 0.5]])
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.softmax`."""
        return softmax(x, self.dim)

    def __repr__(self) -> str:
        return shown(self, dim=None)


class LogSoftmax(Module):
    """Logarithm of the softmax along the axis ``dim``.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.LogSoftmax()(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """

    def __init__(self, dim: int = -1) -> None:
        self.dim = dim

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.log_softmax`."""
        return log_softmax(x, self.dim)

    def __repr__(self) -> str:
        return shown(self, dim=None)
