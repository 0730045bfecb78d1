"""The layers of a model, found on the tape of its loss.

A tape knows ops, not layers.  Here a layer is what parameters of one name have in common: ``0.weight`` and ``0.bias``
are layer ``0``, and the activation that their result goes through is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np

from ..core.node import Array, Node, data_of, shape_of
from ..core.numbers import to_float
from .signs import CONVOLUTIONS, activation_name, is_activation, saturation, unit_axis, units_off

SUMS = frozenset({"add", "subtract"})
PRODUCTS = frozenset({"multiply", "matmul", "linear", "tensordot", "inner", "einsum"}) | CONVOLUTIONS
"""Rules that multiply an input with weights."""
SHAPES = frozenset({"reshape", "squeeze", "expand_dims", "transpose", "getitem"})


@dataclass(eq=False)
class Layer:
    """Parameters that belong together, and what the tape made of them.

    Attributes
    ----------
    name : str
    parameters : dict of str to Node
        By their full names.
    outputs : list of Node
        What ops made of a parameter and data, oldest first.
    activations : dict of str to list of Node
        The results of activations behind them, by kind.
    inputs : list of array
        The constant arrays and numbers that the parameters were applied to.
    """

    name: str
    parameters: dict[str, Node] = field(default_factory=dict)
    outputs: list[Node] = field(default_factory=list)
    activations: dict[str, list[Node]] = field(default_factory=dict)
    inputs: list[Any] = field(default_factory=list)

    @property
    def output(self) -> Node | None:
        """The newest array that ops made of the parameters and data; None for a layer of single numbers."""
        return self.outputs[-1] if self.outputs and shape_of(self.outputs[-1]) else None

    @property
    def frozen(self) -> bool:
        """Whether no parameter wants a gradient."""
        return not any(p.tracked for p in self.parameters.values())


class LayerReader:
    """Reads layers off a tape, oldest node first."""

    def __init__(self, parameters: Mapping[str, Node], nodes: Iterable[Node]) -> None:
        self.nodes = list(nodes)
        self.names = {id(p): name for name, p in parameters.items()}
        self.layers: dict[str, Layer] = {}
        self.made_of: dict[int, Layer] = {}
        """By id: parameters, and what was made of parameters alone, such as ``weight.T``."""
        self.owner: dict[int, Layer] = {}
        """By id: the layer whose result a node is, or was made of."""
        self.unit: dict[int, int] = {}
        """By id, of single numbers: the first parameter of the neuron that a node belongs to."""
        self.applied: set[int] = set()
        """The ids of nodes that ops made of a parameter and data."""
        self.plain: set[int] = set()
        """The ids of results of layers that nothing but biases, activations and changes of shape were applied to."""
        depths = self._depths()
        for name, p in parameters.items():
            key = _layer_name(name) if isinstance(p._data, np.ndarray) else f"\0{depths.get(id(p), 0)}"
            layer = self.layers.setdefault(key, Layer(key))
            layer.parameters[name] = p
            self.made_of[id(p)] = layer
        for node in self.nodes:
            self._read(node)
        self.hidden = self._hidden()
        self._find_activations()
        self._name_depths()

    def _depths(self) -> dict[int, int]:
        """For each parameter that is a single number, how many activations stand before it: the layer it is in."""
        depth: dict[int, int] = {}
        used_at: dict[int, int] = {}
        for node in self.nodes:
            if isinstance(node._data, np.ndarray):
                continue
            args = [a for a in node.args if isinstance(a, Node)]
            before = max([depth.get(id(a), 0) for a in args], default=0)
            for a in args:
                if id(a) in self.names:
                    used_at[id(a)] = max(used_at.get(id(a), 0), before)
            depth[id(node)] = before + is_activation(node)
        return used_at

    def _read(self, node: Node) -> None:
        """Find out what one node is to the layers."""
        if id(node) in self.made_of:
            return
        is_array = isinstance(node._data, np.ndarray)
        weights = [a for a in node.args if id(a) in self.made_of]
        direct = any(id(a) in self.names for a in weights)
        # A number is data only to a parameter that is a number: 2 * weight is still a weight.
        data = [
            a
            for a in (*node.args, *_indices(node))
            if id(a) not in self.made_of and (isinstance(a, Node) or shape_of(a) or (direct and not is_array))
        ]
        if weights and not data:
            self.made_of[id(node)] = self.made_of[id(weights[0])]
            return
        results = [a for a in data if isinstance(a, Node)]
        owner = self.owner.get(id(max(results, key=lambda a: a.index))) if results else None
        if weights and (shape_of(node) if is_array else direct):  # a penalty that is added to a loss is neither
            owner = self._layer_of(node, weights, owner)
            owner.outputs.append(node)
            if _rule_name(node) in PRODUCTS:
                owner.inputs += [data_of(a) for a in data if not isinstance(a, Node) or (a.is_leaf and not a.tracked)]
            self.applied.add(id(node))
        if owner is None:
            return
        self.owner[id(node)] = owner
        if id(node) in self.applied or (_is_plain(node) and all(id(a) in self.plain for a in results)):
            self.plain.add(id(node))
        if not is_array:
            near = [id(a) if id(a) in self.names else self.unit.get(id(a), 0) for a in node.args if not _acts(a)]
            self.unit[id(node)] = min([unit for unit in near if unit], default=0)

    def _layer_of(self, node: Node, weights: list[Node], before: Layer | None) -> Layer:
        """The layer of the first weight.  Biases whose names have no layer in them join the one they are added to."""
        layers = [self.made_of[id(weight)] for weight in weights]
        if before is not None and _rule_name(node) in SUMS:
            layers.insert(0, before)
        first, *others = layers
        for layer in others:
            if layer is not first and "." not in first.name and _is_bias(layer):
                first.parameters |= layer.parameters
                del self.layers[layer.name]
                self.made_of |= {key: first for key, owner in self.made_of.items() if owner is layer}
        return self.made_of[id(weights[0])]

    def _hidden(self) -> set[int]:
        """The ids of nodes that a parameter is applied to later on: they are not the output of the model."""
        hidden: set[int] = set()
        for node in reversed(self.nodes):
            if id(node) in hidden or id(node) in self.applied:
                hidden.update(id(a) for a in node.args if isinstance(a, Node))
        return hidden

    def _find_activations(self) -> None:
        """Give each layer the activations that follow it; one that is part of a loss, as in the hinge loss, is none."""
        for node in self.nodes:
            kind = activation_name(node)
            owner = self.owner.get(id(node))
            if kind and owner and (id(node) in self.hidden or id(node) in self.plain):
                owner.activations.setdefault(kind, []).append(node)

    def _name_depths(self) -> None:
        """Name layers of single numbers by what the names of their parameters have in common."""
        for depth, layer in enumerate([layer for key, layer in self.layers.items() if key[0] == "\0"]):
            steps = zip(*(name.split(".") for name in layer.parameters))
            common = takewhile(lambda step: len(set(step)) == 1, steps)
            layer.name = ".".join(step[0] for step in common) or f"layer {depth}"

    def in_order(self) -> list[Layer]:
        """The layers as the data passes them; those that the tape does not reach come last."""
        return sorted(self.layers.values(), key=lambda layer: layer.outputs[0].index if layer.outputs else float("inf"))

    def dead_units(self, nodes: list[Node]) -> tuple[int, int, int] | None:
        """Of results of one relu: units that are 0 for all examples, all units, and examples each has seen."""
        by_unit: dict[Any, list[Array]] = {}
        examples = 0
        for node in nodes:
            off = units_off(node)
            if off is None:
                continue
            axis = unit_axis(node)
            key = self.unit.get(id(node), 0) if axis is None else ("array", off.size)
            by_unit.setdefault(key, []).append(off)
            examples += 1 if axis is None else node._data.size // off.size
        if not by_unit:
            return None
        flags = [np.all(offs, axis=0) for offs in by_unit.values()]
        return sum(int(f.sum()) for f in flags), sum(f.size for f in flags), examples // len(by_unit)


def saturated_share(nodes: list[Node]) -> float | None:
    """Of results of one activation: which part is saturated; None if it cannot be."""
    counts = [count for count in map(saturation, nodes) if count is not None]
    return sum(n for n, _ in counts) / sum(total for _, total in counts) if counts else None


def _acts(x: Any) -> bool:
    return isinstance(x, Node) and activation_name(x) is not None


def _rule_name(node: Node) -> str:
    return node.rule.name if node.rule is not None else ""


def _is_plain(node: Node) -> bool:
    return _rule_name(node) in SUMS | SHAPES or is_activation(node)


def _is_bias(layer: Layer) -> bool:
    """Whether there is but one array in a layer, a row of numbers that no op was given yet."""
    (p, *more) = layer.parameters.values()
    data = p._data
    return (
        not (more or layer.outputs or "." in layer.name)
        and isinstance(data, np.ndarray)
        and data.size == max(data.shape, default=1)
    )


def _indices(node: Node) -> list[Array]:
    """The whole numbers that rows of a table are looked up by."""
    key = node.params.get("key") if node.params else None
    return [
        k
        for k in (key if isinstance(key, tuple) else (key,))
        if isinstance(k, np.ndarray) and k.ndim and k.dtype.kind in "iu"
    ]


def _layer_name(name: str) -> str:
    return name.rpartition(".")[0] or name


def floats_of(x: Any) -> Array:
    """Data as an array of floats: sizes of complex numbers, nan for what is no number."""
    data = data_of(x)
    if isinstance(data, np.ndarray):
        return np.abs(data) if data.dtype.kind == "c" else data
    try:
        return np.array(abs(data) if isinstance(data, complex) else to_float(data))
    except (TypeError, ValueError):
        return np.array(np.nan)


def pooled(nodes: Iterable[Any]) -> Array:
    """All entries of many nodes in one row."""
    parts = [floats_of(node).ravel() for node in nodes]
    return np.concatenate(parts) if parts else np.zeros(0)


def root_mean_square(x: Array) -> float:
    """The size of a typical entry; 0 of nothing."""
    return float(np.sqrt(np.mean(np.square(np.asarray(x, float))))) if np.size(x) else 0.0
