"""What a model is made of: shapes, parameters, multiply-adds and memory of every layer, from one call of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core import tree
from ..core.errors import ArgumentError
from ..core.modes import Watcher, no_grad, watching
from ..core.node import Node, shape_of
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


Shape = tuple[int, ...]


@dataclass
class Layer:
    """One call of one module: itself, without the modules that it calls.

    Attributes
    ----------
    name, kind : str
        Its dotted name, ``""`` for the model itself, and its class.
    depth : int
        How many modules it is in.
    shapes : list of tuple of int
        Of the arrays that it returned; none if it was not called.
    parameters : int
        How many numbers it trains itself, counted at its first call.
    frozen : int
        How many of its numbers want no gradient.
    products : int
        How often it multiplied two numbers to add the product to a sum, in products of matrices and convolutions.
    bytes : int
        What its ops made, and a backward pass keeps.
    """

    name: str
    kind: str
    depth: int
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    parameters: int = 0
    frozen: int = 0
    products: int = 0
    bytes: int = 0


@dataclass
class Summary:
    """What :meth:`Module.summary <autodiff.nn.Module.summary>` returns: prints as a table."""

    layers: list[Layer]
    parameter_bytes: int

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def frozen(self) -> int:
        """How many parameters want no gradient."""
        return sum(layer.frozen for layer in self.layers)

    @property
    def products(self) -> int:
        """Multiply-adds of one call."""
        return sum(layer.products for layer in self.layers)

    @property
    def bytes(self) -> int:
        """Of what the ops made."""
        return sum(layer.bytes for layer in self.layers)

    def __str__(self) -> str:
        rows = [("layer", "output", "parameters", "multiply-adds", "memory")]
        around = {0: ""}
        for layer in self.layers:
            around[layer.depth] = f"{layer.name}." if layer.name else ""
            called = layer.name.removeprefix(around[max(layer.depth - 1, 0)])
            name = "  " * layer.depth + (f"{called}: " if called else "") + layer.kind
            shapes = " ".join(map(str, layer.shapes)) or "not called"
            numbers = [f"{n:,}" if n else "" for n in (layer.parameters + layer.frozen, layer.products)]
            rows.append((name, shapes, numbers[0], numbers[1], memory(layer.bytes) if layer.bytes else ""))
        widths = [max(map(len, column)) for column in zip(*rows)]
        lines = [
            "  ".join([f"{a:<{widths[0]}}", f"{b:<{widths[1]}}", *map(str.rjust, rest, widths[2:])])
            for a, b, *rest in rows
        ]
        lines.insert(1, "-" * len(lines[0]))
        frozen = f", {self.frozen:,} frozen" if self.frozen else ""
        total = f"{self.parameters:,} trained parameters{frozen}, {memory(self.parameter_bytes)}; "
        total += f"{self.products:,} multiply-adds and {memory(self.bytes)} of results a call."
        return "\n".join([line.rstrip() for line in lines] + ["-" * len(lines[1]), total])

    __repr__ = __str__


def memory(n: int) -> str:
    """Bytes as people read them."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n} B"


def summarise(model: Module, *shapes: Any, dtype: Any = None) -> Summary:
    """See :meth:`Module.summary <autodiff.nn.Module.summary>`."""
    for shape in shapes:
        if not isinstance(shape, tuple | list) or not all(isinstance(n, int | np.integer) for n in shape):
            raise ArgumentError(
                f"summary of {type(model).__name__} got {shape!r}; it takes the shape of an input, batch and "
                "all, such as (32, 1, 28, 28)."
            )
    parameters = [p for p in model.parameters() if isinstance(p._data, np.ndarray)]
    dtype = dtype or next((p.dtype for p in parameters), float)
    counter = Counter()
    modules = list(model.named_modules())
    modes = [(module, module.training) for _, module in modules]
    with ExitStack() as around:
        for name, module in modules:
            around.enter_context(seen(module, name, counter))
        around.callback(put_back, modes)
        model.eval()  # so that running averages stay as they are
        with no_grad(), watching(counter):
            model(*[Tensor(np.zeros(shape, dtype), requires_grad=False) for shape in shapes])
    for name, module in modules:
        layer = counter.layer(module, name, 1)
        if layer.parameters + layer.frozen:  # nobody called it, but its parameters are there
            counter.layers.append(layer)
    return Summary(counter.layers, sum(p._data.nbytes for p in parameters))


def put_back(modes: list[tuple[Module, bool]]) -> None:
    """Let modules train, or not, as before."""
    for module, mode in modes:
        module.training = mode


class Counter(Watcher):
    """Sees every op, and in which module it runs."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.running: list[Layer] = []
        self.counted: set[int] = set()

    def enter(self, module: Module, name: str) -> Layer:
        """A module is called."""
        layer = self.layer(module, name, len(self.running))
        self.layers.append(layer)
        self.running.append(layer)
        return layer

    def layer(self, module: Module, name: str, depth: int) -> Layer:
        """A module with those of its own parameters that were not counted yet."""
        own = [p for p in module.own_parameters() if id(p) not in self.counted]
        self.counted |= {id(p) for p in own}
        sizes = [(np.size(p._data), p.requires_grad) for p in own]
        return Layer(
            name,
            type(module).__name__,
            depth,
            parameters=sum(size for size, trained in sizes if trained),
            frozen=sum(size for size, trained in sizes if not trained),
        )

    def recorded(self, node: Node, args: tuple[Any, ...]) -> None:
        """An op was done."""
        if not self.running or not isinstance(node._data, np.ndarray):
            return
        layer = self.running[-1]
        data, given = node._data, [a._data for a in args if isinstance(a, Node)]
        if not any(isinstance(a, np.ndarray) and np.may_share_memory(data, a) for a in given):  # no view of one
            layer.bytes += data.nbytes
        products = PRODUCTS.get(node.rule.name) if node.rule is not None else None
        if products is not None:
            layer.products += products(shape_of(node), [shape_of(a) for a in args])


@contextmanager
def seen(module: Module, name: str, counter: Counter) -> Iterator[None]:
    """Tell the counter of the calls of a module."""
    forward, own = module.forward, vars(module).get("forward")

    def counted(*args: Any, **kwargs: Any) -> Any:
        layer = counter.enter(module, name)
        try:
            result = forward(*args, **kwargs)
        finally:
            counter.running.pop()
        layer.shapes = [shape_of(x) for x in tree.flatten(result) if hasattr(x, "shape")]
        return result

    vars(module)["forward"] = counted
    try:
        yield
    finally:
        del vars(module)["forward"]
        if own is not None:
            vars(module)["forward"] = own


def _matmul(y: Shape, args: list[Shape]) -> int:
    return math.prod(y) * args[0][-1]


def _conv(y: Shape, args: list[Shape]) -> int:
    return math.prod(y) * math.prod(args[1][1:])


def _transposed(y: Shape, args: list[Shape]) -> int:
    return math.prod(args[0]) * math.prod(args[1][1:])


def _recurrence(y: Shape, args: list[Shape]) -> int:
    return math.prod(y) * args[1][-1]


PRODUCTS: dict[str, Callable[[Shape, list[Shape]], int]] = {
    "linear": _matmul,
    "matmul": _matmul,
    "dot": _matmul,
    "conv": _conv,
    "conv_layer": _conv,
    "conv_input": _transposed,
    "tanh_recurrence": _recurrence,
}
"""Multiply-adds of a rule, from the shapes of its result and its arguments."""
