"""Networks of single numbers: micrograd's ``nn``, on :class:`~autodiff.Value`.

Code written for micrograd [1]_ runs once its imports read::

    from autodiff import Value
    from autodiff.nn.scalar import Neuron, Layer, MLP

and draws the same numbers from the same ``random.seed``.

References
----------
.. [1] A. Karpathy, micrograd, https://github.com/karpathy/micrograd (2020), MIT licence.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from ..value import Value
from . import module


class Module(module.Module):
    """A module of Values, whose ``zero_grad`` sets gradients to 0, as micrograd's."""

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to 0, so that they may be used before any ``backward``."""
        for p in self.parameters():
            p.grad = 0


class Neuron(Module):
    """``w . x + b`` for ``nin`` inputs, and its positive part if ``nonlin``.

    Examples
    --------
    >>> from autodiff import nn
    >>> neuron = nn.scalar.Neuron(2)
    >>> neuron
    ReLUNeuron(2)
    >>> len(neuron.parameters())
    3
    """

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def forward(self, x: Sequence[Any]) -> Value:
        """Weigh, add up and, if ``nonlin``, cut off below 0."""
        act: Any = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)
        return act.relu() if self.nonlin else act  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """``nout`` neurons that see the same ``nin`` inputs; a list of numbers, or the number if there is one.

    Examples
    --------
    >>> from autodiff import nn
    >>> nn.scalar.Layer(2, 3, nonlin=False)
    Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def forward(self, x: Sequence[Any]) -> Any:
        """Ask every neuron."""
        out = [n(x) for n in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(str(n) for n in self.neurons)}]"


class MLP(Module):
    """Layers of ``nouts`` neurons one after the other; all but the last cut off below 0.

    Examples
    --------
    >>> from autodiff import nn
    >>> model = nn.scalar.MLP(2, [16, 16, 1])
    >>> len(model.parameters())
    337
    >>> type(model([1.0, -2.0])).__name__
    'Value'
    """

    def __init__(self, nin: int, nouts: list[int]) -> None:
        sz = [nin, *nouts]
        self.layers = [Layer(sz[i], sz[i + 1], nonlin=i != len(nouts) - 1) for i in range(len(nouts))]

    def forward(self, x: Sequence[Any]) -> Any:
        """Pass through every layer in turn."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(str(layer) for layer in self.layers)}]"
