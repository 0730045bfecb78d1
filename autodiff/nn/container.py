"""Layers one after the other."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self, overload

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike
from .activation import ReLU
from .init import require_sizes
from .linear import Linear
from .module import Module, tree


class Layers(Module):
    """What ``Sequential`` and ``ModuleList`` have in common: layers in a list."""

    layers: list[Any]

    def members(self) -> Iterable[tuple[str, Any]]:
        """The layers by position, and whatever other attributes there are."""
        yield from ((str(i), layer) for i, layer in enumerate(self.layers))
        yield from ((name, thing) for name, thing in vars(self).items() if name != "layers")

    def append(self, module: Any) -> Self:
        """Add a layer at the end."""
        self.layers.append(module)
        return self

    def extend(self, modules: Iterable[Any]) -> Self:
        """Add layers at the end."""
        self.layers.extend(modules)
        return self

    def __setitem__(self, i: int, module: Any) -> None:
        self.layers[i] = module

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)


class Sequential(Layers):
    """Layers one after the other, each fed with what the one before returns.

    Parameters
    ----------
    *layers : callable
        Modules and ops (``ad.tanh``), by position, as one list, or as one dict with a name for each.

    Attributes
    ----------
    layers : list of callable
        May be changed; its parameters are named by position, ``0.weight``, as in PyTorch, or as the dict says.

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
    >>> list(nn.Sequential({"hidden": nn.Linear(2, 3), "ramp": nn.ReLU()}).state_dict())
    ['hidden.weight', 'hidden.bias']
    """

    def __init__(self, *layers: Any) -> None:
        self.names: list[str] = []
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            self.names, layers = list(layers[0]), tuple(layers[0].values())
        elif len(layers) == 1 and isinstance(layers[0], list | tuple):
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
        self.layers = list(layers)

    def members(self) -> Iterable[tuple[str, Any]]:
        """The layers by name or position, and whatever other attributes a subclass has."""
        named = min(len(self.names), len(self.layers))
        for i, (name, thing) in enumerate(super().members()):
            yield (self.names[i] if i < named else name), thing

    def forward(self, x: ArrayLike) -> Array:
        """Apply every layer in turn."""
        for layer in self.layers:
            x = layer(x)
        return x

    @overload
    def __getitem__(self, i: int) -> Any: ...
    @overload
    def __getitem__(self, i: slice) -> Sequential: ...
    def __getitem__(self, i: int | slice) -> Any:
        return Sequential(*self.layers[i]) if isinstance(i, slice) else self.layers[i]

    def __getattr__(self, name: str) -> Any:
        names = vars(self).get("names", ())
        return self.layers[names.index(name)] if name in names else super().__getattribute__(name)  # which says why not

    def __bool__(self) -> bool:
        return True  # an empty one is still a model

    @reprlib.recursive_repr()
    def __repr__(self) -> str:
        return tree(self, list(self.members())[: len(self)])


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


class ModuleList(Layers):
    """Layers in a list, for a ``forward`` of your own.  A plain list in an attribute does as well.

    Examples
    --------
    >>> from autodiff import nn
    >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    >>> len(layers), list(layers.state_dict())[:2]
    (3, ['0.weight', '0.bias'])
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        self.layers = [] if modules is None else list(modules)

    def insert(self, i: int, module: Any) -> None:
        """Put a layer before the i-th."""
        self.layers.insert(i, module)

    def pop(self, i: int = -1) -> Any:
        """Take a layer out."""
        return self.layers.pop(i)

    def __getitem__(self, i: int | slice) -> Any:
        return ModuleList(self.layers[i]) if isinstance(i, slice) else self.layers[i]

    def __delitem__(self, i: int | slice) -> None:
        del self.layers[i]


class ModuleDict(Module):
    """Layers by name, for a ``forward`` of your own.  A plain dict in an attribute does as well.

    Examples
    --------
    >>> from autodiff import nn
    >>> heads = nn.ModuleDict({"mean": nn.Linear(2, 1), "scale": nn.Linear(2, 1, bias=False)})
    >>> list(heads.state_dict())
    ['mean.weight', 'mean.bias', 'scale.weight']
    """

    def __init__(self, modules: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        self.layers: dict[str, Any] = dict(() if modules is None else modules)

    def members(self) -> Iterable[tuple[str, Any]]:
        """The layers by name, and whatever other attributes there are."""
        yield from self.layers.items()
        yield from ((name, thing) for name, thing in vars(self).items() if name != "layers")

    def update(self, modules: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add layers, or replace those of the same names."""
        self.layers.update(modules)

    def pop(self, name: str) -> Any:
        """Take a layer out."""
        return self.layers.pop(name)

    def __getitem__(self, name: str) -> Any:
        return self.layers[name]

    def __setitem__(self, name: str, module: Any) -> None:
        self.layers[name] = module

    def __delitem__(self, name: str) -> None:
        del self.layers[name]

    def __contains__(self, name: object) -> bool:
        return name in self.layers

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def keys(self) -> Iterable[str]:
        """The names."""
        return self.layers.keys()

    def values(self) -> Iterable[Any]:
        """The layers."""
        return self.layers.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and layers."""
        return self.layers.items()
