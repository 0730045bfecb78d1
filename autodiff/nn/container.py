"""Layers one after the other."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, overload

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike
from .activation import ReLU
from .init import require_sizes
from .linear import Linear
from .module import Module, tree


class Sequential(Module):
    """Layers one after the other, each fed with what the one before returns.

    Parameters
    ----------
    *layers : callable
        Modules and ops (``ad.tanh``), by position or as one list.

    Attributes
    ----------
    layers : list of callable
        May be changed; its parameters are named by position: ``0.weight``, as in PyTorch.

    Raises
    ------
    ArgumentError
        If a layer cannot be called.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> model(np.ones((5, 2))).shape
    (5, 1)
    >>> model
    Sequential(
      (0): Linear(2, 3)
      (1): Tanh()
      (2): Linear(3, 1)
    )
    """

    def __init__(self, *layers: Any) -> None:
        if len(layers) == 1 and isinstance(layers[0], list | tuple):
            layers = tuple(layers[0])
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise ArgumentError(
                    f"{type(self).__name__} got {layer!r} as layer {i}, which cannot be called. "
                    "Give it modules such as nn.Tanh() or functions such as ad.tanh, one by one or in one list."
                )
            if isinstance(layer, type):
                raise ArgumentError(
                    f"{type(self).__name__} got the class {layer.__name__} as layer {i}. "
                    f"Give it an instance: nn.{layer.__name__}(...)."
                )
        self.layers: list[Callable[..., Any]] = list(layers)

    def members(self) -> Iterable[tuple[str, Any]]:
        """The layers by position, and whatever other attributes a subclass has."""
        yield from ((str(i), layer) for i, layer in enumerate(self.layers))
        yield from ((name, thing) for name, thing in vars(self).items() if name != "layers")

    def forward(self, x: ArrayLike) -> Array:
        """Apply every layer in turn."""
        for layer in self.layers:
            x = layer(x)
        return x

    def append(self, layer: Callable[..., Any]) -> Sequential:
        """Add a layer at the end."""
        self.layers.append(layer)
        return self

    @overload
    def __getitem__(self, i: int) -> Any: ...
    @overload
    def __getitem__(self, i: slice) -> Sequential: ...
    def __getitem__(self, i: int | slice) -> Any:
        return Sequential(*self.layers[i]) if isinstance(i, slice) else self.layers[i]

    def __len__(self) -> int:
        return len(self.layers)

    def __bool__(self) -> bool:
        return True  # an empty one is still a model

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        return tree(self, ((str(i), layer) for i, layer in enumerate(self.layers)))


class MLP(Sequential):
    """Multi-layer perceptron: linear layers with an activation between every two.

    Shape: input ``(..., sizes[0])``, output ``(..., sizes[-1])``.  Nothing follows the last linear layer: its results
    are plain numbers, or logits for :func:`~autodiff.nn.functional.cross_entropy`.

    Parameters
    ----------
    sizes : list of int
        Widths from input to output, such as ``[784, 128, 10]``.
    activation : class of module, module or op
        What stands between: ``nn.Tanh``, ``nn.LeakyReLU(0.2)`` or ``ad.tanh``.
    bias : bool
        Whether the linear layers add a bias.
    dtype, rng
        As for :class:`~autodiff.nn.Linear`.

    Raises
    ------
    ArgumentError
        If ``sizes`` is not a list of at least two whole numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> model = nn.MLP([2, 16, 1], nn.Tanh, rng=0)
    >>> model(np.zeros((100, 2))).shape
    (100, 1)
    >>> list(model.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(
        self, sizes: Sequence[int], activation: Any = ReLU, *, bias: bool = True, dtype: Any = float, rng: Any = None
    ) -> None:
        if not hasattr(sizes, "__len__") or len(sizes) < 2:
            raise ArgumentError(
                f"MLP got sizes={sizes!r}; it takes one list of the widths from input to output: MLP([784, 128, 10])."
            )
        require_sizes("MLP", **{f"sizes[{i}]": size for i, size in enumerate(sizes)})
        rng = np.random.default_rng(rng)
        layers: list[Any] = []
        for n_in, n_out in pairwise(sizes):
            layers += [Linear(n_in, n_out, bias, dtype=dtype, rng=rng)]
            layers += [activation() if isinstance(activation, type) else activation]
        super().__init__(*layers[:-1])
