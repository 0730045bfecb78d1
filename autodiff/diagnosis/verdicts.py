"""Illnesses of a model, each a check with its lines, its sentence and its repair."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..core.node import Array, Node, shape_of
from ..core.summary import number_text
from .anomaly import count
from .layers import Layer, LayerReader, floats_of, pooled, root_mean_square, saturated_share
from .signs import SATURATED_SOFTMAX, SQUASHED_BY, activation_name, by_unit, saturation, squashed_before

MOST_DEAD = 0.7
"""More of a layer's relu units than this must not be off for a whole batch; half are in a fresh narrow net."""
ENOUGH_UNITS, ENOUGH_EXAMPLES = 16, 8
"""In narrower layers, or with fewer examples, it is only told when all units are off."""
MOST_SATURATED = 0.8
"""More of a hidden layer's entries than this must not be saturated.  Half is common once a net has learnt its task."""
LEARNT = 0.5
"""A cross-entropy below this part of a guess's says that the net has learnt: saturated units are then its knowledge."""
FADES = 1e-5
"""A first layer whose gradient per entry is smaller than this, compared with a later layer's, does not learn."""
GROWS, GROWS_BACK = 1e3, 50.0
"""Results must not grow by more from the first layer to another, nor gradients on the way back.  4 is much there."""
STEEP = 1e4
"""A gradient this many times the data it belongs to."""
LONG_STEP = 1.0
"""A step must not be as long as what it changes."""
SHORT_STEP = 1e-6
"""A step shorter than this part of what it changes does nothing within an hour."""
NOT_DONE = 1e-3
"""A gradient larger than this part of the data says that there is something left to learn."""
LARGE_INPUT = 50.0
"""Root mean square of an input from which on it should be normalised."""
MOST_ALIKE = 3
"""So many verdicts of one kind are spelt out."""
SAME = 1e-9
"""Relative differences below this are rounding."""


@dataclass(frozen=True)
class Verdict:
    """An illness: its name, where it is, and a sentence with the repair.

    Attributes
    ----------
    sign : str
        Name of the illness: "nan", "not reached", "dead units", "saturated", ...
    where : str
        Layer or parameter.
    text : str
        What was found, and what to do.
    """

    sign: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass
class Case:
    """All that is known of a model."""

    reader: LayerReader
    parameters: dict[str, Node]
    gradients: dict[str, Array]
    """By parameter; those that none arrives at are absent."""
    updates: Mapping[str, Array | None] | None
    """What the optimizer would add, by parameter; None for one that it does not know."""
    loss: Node | None

    def __post_init__(self) -> None:
        self.layers = self.reader.in_order()

    @property
    def loss_value(self) -> float:
        """The loss as a number; nan if there is none."""
        return float(floats_of(self.loss).sum()) if self.loss is not None else math.nan

    def of(self, layer: Layer, things: Mapping[str, Any]) -> list[Any]:
        """What is known of the parameters of a layer."""
        return [things[name] for name in layer.parameters if things.get(name) is not None]

    def gradient_of(self, layer: Layer) -> float:
        """Root mean square of the gradient of a layer."""
        return root_mean_square(pooled(self.of(layer, self.gradients)))

    def place_of(self, node: Node) -> str:
        """The layer that a node belongs to."""
        owner = self.reader.owner.get(id(node))
        return owner.name if owner else "loss"

    def has_learnt(self) -> bool:
        """Whether there is a cross-entropy far below that of a guess."""
        return any(
            _cross_entropy(node) and float(node._data) < LEARNT * math.log(max(shape_of(node.args[0])[-1], 2))
            for node in self.reader.nodes
        )

    def learning_head(self) -> bool:
        """Whether there are weights that are all 0 and have a gradient: what they hide will show after one step."""
        return any(
            len(shape_of(p)) >= 2 and not np.any(p._data) and name in self.gradients and np.any(self.gradients[name])
            for name, p in self.parameters.items()
        )


def broken(case: Case) -> Iterator[Verdict]:
    """The first nan or infinite number: among parameters, inputs, results, or gradients of a finite loss."""
    for name, p in case.parameters.items():
        if _odd(p, inf=True):
            text = f"holds {_odd(p, inf=True)}. A bad gradient was added to it, or it was loaded so: start it anew."
            yield Verdict("nan", name, text)
            return
    for layer in case.layers:
        for x in layer.inputs:
            if _odd(x):
                yield Verdict(
                    "nan", layer.name, f"its input holds {_odd(x)}. Clean the data, or fill in what is missing."
                )
                return
    for node in case.reader.nodes:
        if _odd(node) and not any(_odd(a) for a in node.args):
            rule: Any = node.rule
            text = f"{rule.name} makes {_odd(node)}. ad.anomaly() around the program tells the line."
            yield Verdict("nan", case.place_of(node), text)
            return
    if case.loss is not None and _odd(case.loss, inf=True):
        text = (
            f"is {number_text(case.loss_value)}. Lower the learning rate, start with smaller weights, or keep what is "
        )
        yield Verdict("nan", "loss", text + "divided by, or what a logarithm is taken of, away from 0.")
        return
    for name, g in case.gradients.items():
        if _odd(g, inf=True):
            text = (
                f"its gradient holds {_odd(g, inf=True)}, though the loss is finite: a slope is infinite, as that of "
            )
            yield Verdict("nan", name, text + "sqrt at 0. ad.anomaly() around backward() tells the op.")
            return


def not_reached(case: Case) -> Iterator[Verdict]:
    """Parameters that want a gradient and that the loss does not depend on."""
    absent = [name for name, p in case.parameters.items() if p.tracked and name not in case.gradients]
    if absent and (case.gradients or case.loss is not None):
        if not case.gradients:
            text = "the loss depends on none of the parameters. Was it computed with this model, with nothing detached?"
            yield Verdict("not reached", "loss", text)
            return
        for layer in case.layers:
            some = [name for name in layer.parameters if name in absent]
            if some:
                it = "it" if len(some) == 1 else "them"
                text = (
                    f"the loss does not depend on {it}. Use {it} in forward() and detach nothing on the way, or freeze "
                )
                yield Verdict("not reached", _some(some), f"{text}{it}: requires_grad = False.")


def symmetric(case: Case) -> Iterator[Verdict]:
    """Weights whose units are copies of each other, and stay so because their gradients are too."""
    names, units = [], 0
    for name, p in case.parameters.items():
        g = case.gradients.get(name)
        if g is not None and len(shape_of(p)) >= 2:
            axes = [axis for axis in (0, 1) if _alike(p._data, axis) and _alike(g, axis)]
            if axes:
                names.append(name)
                units = max(units, shape_of(p)[axes[0]])
    if names:
        text = f"{units} units are alike and get the same gradient, so they will stay copies of one. Start with random "
        yield Verdict("symmetric", _some(names), text + "weights.")


def dead_units(case: Case) -> Iterator[Verdict]:
    """Relu units that are 0 for all examples: most of a hidden layer, or all results of the model."""
    for layer in case.layers:
        nodes = layer.activations.get("relu", [])
        hidden = [n for n in nodes if id(n) in case.reader.hidden]
        counts = case.reader.dead_units(hidden or nodes)
        if not hidden and counts is not None and (counts[0] < counts[1] or case.loss_value == 0):
            continue  # some results of a model may be 0
        if counts is None:
            continue
        dead, units, examples = counts
        if dead == units or (dead > MOST_DEAD * units and units >= ENOUGH_UNITS and examples >= ENOUGH_EXAMPLES):
            yield Verdict(
                "dead units",
                layer.name,
                f"{dead} of {units} relu units are 0 for all {examples} examples (dead). Lower the "
                "learning rate, or start with smaller weights and biases of 0; leaky_relu keeps a slope.",
            )


def saturated(case: Case) -> Iterator[Verdict]:
    """Hidden tanh and sigmoid units that are flat for most examples of a net that has not learnt yet."""
    if case.has_learnt():
        return
    for layer in case.layers:
        for kind in ("tanh", "sigmoid"):
            nodes = [n for n in layer.activations.get(kind, ()) if id(n) in case.reader.hidden]
            share = saturated_share(nodes)
            if share is not None and share > MOST_SATURATED:
                yield Verdict(
                    "saturated",
                    layer.name,
                    f"{share:.0%} of the results of {kind} are saturated, where its slope is nearly 0. "
                    "Start with smaller weights, normalise the inputs, or lower the learning rate.",
                )


def squashed_twice(case: Case) -> Iterator[Verdict]:
    """Probabilities where logits belong: the loss can get nowhere near 0."""
    for node in case.reader.nodes:
        before = squashed_before(node)
        if before is not None:
            rule: Any = before.rule
            yield Verdict(
                "squashed twice",
                case.place_of(before),
                f"its {rule.name} gives probabilities, and {SQUASHED_BY[node.rule.name][0]}: "  # type: ignore[union-attr]
                f"squashed twice, the loss cannot get near 0. Leave the first {rule.name} out of the model: the loss "
                "wants the logits.",
            )
            return


def sure_and_wrong(case: Case) -> Iterator[Verdict]:
    """Probabilities that are nearly 0 or 1 while the loss is worse than that of a guess."""
    for node in case.reader.nodes:
        if id(node) in case.reader.hidden:
            continue
        name = node.rule.name if node.rule is not None else ""
        if _cross_entropy(node):
            logits = floats_of(node.args[0])
            e = np.exp(logits - logits.max(axis=-1, keepdims=True))
            share, classes, loss = (
                float(np.mean(1 / e.sum(axis=-1) > SATURATED_SOFTMAX)),
                logits.shape[-1],
                float(node._data),
            )
        elif activation_name(node) in ("softmax", "sigmoid") and shape_of(node):
            count = saturation(node)
            classes = shape_of(node)[-1] if activation_name(node) == "softmax" else 2
            share, loss = (count[0] / count[1] if count else 0.0), case.loss_value
        else:
            continue
        if classes > 1 and share > MOST_SATURATED and loss > math.log(classes):
            owner = case.reader.owner.get(id(node))
            yield Verdict(
                "sure and wrong",
                owner.name if owner else name,
                f"{share:.0%} of the probabilities are nearly 0 or 1, and yet the "
                f"loss, {number_text(loss)}, is above the {number_text(math.log(classes))} of a guess among {classes} "
                "classes. Start the last layer with smaller weights.",
            )


def large_input(case: Case) -> Iterator[Verdict]:
    """Inputs that are not normalised."""
    for layer in case.layers:
        inputs = pooled(layer.inputs)
        size = root_mean_square(inputs[np.isfinite(inputs)])
        if size > LARGE_INPUT:
            yield Verdict(
                "large input",
                layer.name,
                f"its inputs are about {_about(size)} in size. Normalise them: subtract the mean and "
                "divide by the standard deviation of the training set.",
            )


def growing(case: Case) -> Iterator[Verdict]:
    """Results that explode from layer to layer."""
    sizes = [(layer, root_mean_square(pooled([layer.output]))) for layer in case.layers if layer.output is not None]
    sizes = [(layer, size) for layer, size in sizes if size > 0]
    if len(sizes) < 2:
        return
    (first, start), (last, top) = sizes[0], max(sizes[1:], key=lambda s: s[1])
    if top > GROWS * max(start, 1e-2):
        yield Verdict(
            "exploding",
            last.name,
            f"results grow from {_about(start)} in layer {first.name} to {_about(top)} here. "
            "Start with smaller weights, about 1/sqrt(inputs) in size, or normalise between the layers.",
        )


def steep(case: Case) -> Iterator[Verdict]:
    """Gradients that are enormous beside the data they belong to."""
    ratios = []
    for layer in case.layers:
        g, size = case.gradient_of(layer), _usual_size(layer)
        if g > STEEP * size:
            ratios.append((g / size, layer))
    if ratios:
        ratio, layer = max(ratios, key=lambda r: r[0])
        yield Verdict(
            "exploding",
            layer.name,
            f"its gradient is {_about(ratio)} times its weights. Start with smaller weights, "
            "normalise inputs and targets, or clip the gradient.",
        )


def uneven(case: Case) -> Iterator[Verdict]:
    """Gradients that fade or explode on the way back to the first layers."""
    sizes = [(layer.name, case.gradient_of(layer)) for layer in case.layers if layer.outputs]
    sizes = [(name, size) for name, size in sizes if size > 0]
    if len(sizes) < 3:
        return
    (first, at_first), (last, at_last) = sizes[0], max(sizes[1:], key=lambda s: s[1])
    if at_first < FADES * at_last:
        text = (
            f"the gradient fades from {_about(at_last)} in layer {last} to {_about(at_first)} here. Use relu, larger "
        )
        yield Verdict("vanishing", first, text + "first weights, fewer layers, or paths around them (x + f(x)).")
    last, at_last = sizes[-1]
    if at_first > GROWS_BACK * at_last:
        text = (
            f"the gradient grows from {_about(at_last)} in layer {last} to {_about(at_first)} here. Start with smaller "
        )
        yield Verdict("exploding", first, text + "weights, use fewer layers, or clip the gradient.")


def no_gradient(case: Case) -> Iterator[Verdict]:
    """Gradients that are exactly 0 though there is something to learn."""
    if (case.loss_value == 0 and not _multiplied_by_zero(case)) or case.learning_head():
        return
    gradients = {layer.name: case.of(layer, case.gradients) for layer in case.layers}
    none = [name for name, gs in gradients.items() if gs and not any(np.any(g) for g in gs)]
    if none:
        text = "the gradient is exactly 0: something behind multiplies it by 0, cuts it off or rounds. ad.why of a "
        yield Verdict("zero gradient", _some(none), text + "parameter tells where.")


def _multiplied_by_zero(case: Case) -> bool:
    """Whether a mask or factor that is 0 everywhere stands on the tape."""
    products = [node for node in case.reader.nodes if node.rule is not None and node.rule.name == "multiply"]
    factors = [a for node in products for a in node.args if not isinstance(a, Node)]
    return any(not np.any(factor) for factor in factors)


def constant_output(case: Case) -> Iterator[Verdict]:
    """Results that are the same for all examples."""
    if case.learning_head():
        return
    for layer in case.layers:
        results = [layer.output, *(n for nodes in layer.activations.values() for n in nodes[-1:])]
        for node in results:
            if node is not None and len(shape_of(node)) >= 2 and _alike(by_unit(node), 0):
                n = len(by_unit(node))
                yield Verdict(
                    "constant output",
                    layer.name,
                    f"all {n} examples give the same result. Look at its inputs: are they all alike, or averaged over "
                    "the wrong axis? A softmax needs more than one column.",
                )
                return


def step_length(case: Case) -> Iterator[Verdict]:
    """Steps that are longer than what they change, or too short to change anything."""
    if case.updates is None:
        return
    forgotten = [name for name, u in case.updates.items() if u is None and case.parameters[name].tracked]
    if forgotten:
        yield Verdict(
            "not optimized",
            _some(forgotten),
            "the optimizer was not given it. Make the optimizer after the model is whole.",
        )
    steps = []
    for layer in case.layers:
        changes = case.of(layer, case.updates)
        if changes:
            steps.append((root_mean_square(pooled(changes)) / _usual_size(layer), layer))
    if not steps:
        return
    longest, layer = max(steps, key=lambda s: s[0])
    if longest > LONG_STEP:
        yield Verdict(
            "long step",
            layer.name,
            f"one step changes the parameters by {_about(longest)} times their size; 1e-3 is usual. "
            "Lower the learning rate, or clip the gradient.",
        )
    learning = max(case.gradient_of(layer) / _usual_size(layer) for _, layer in steps)
    if 0 < longest < SHORT_STEP and learning > NOT_DONE:
        yield Verdict(
            "short step",
            "all layers",
            f"one step changes no layer by more than {_about(longest)} of its size; 1e-3 is usual. "
            "Raise the learning rate.",
        )


class Check(NamedTuple):
    """A check, and the illnesses that would explain what it finds."""

    find: Callable[[Case], Iterator[Verdict]]
    unless: frozenset[str] = frozenset({"nan"})


def _unless(*signs: str) -> frozenset[str]:
    return frozenset({"nan", *signs})


CHECKS = (
    Check(broken, frozenset()),
    Check(not_reached),
    Check(large_input),
    Check(symmetric),
    Check(dead_units, _unless("symmetric")),
    Check(squashed_twice),
    Check(saturated),
    Check(growing),
    Check(steep, _unless("exploding", "large input")),
    Check(sure_and_wrong, _unless("exploding", "large input", "saturated", "squashed twice")),
    Check(uneven, _unless("dead units", "saturated", "large input", "exploding", "symmetric")),
    Check(no_gradient, _unless("dead units", "saturated", "symmetric", "vanishing")),
    Check(constant_output, _unless("dead units", "saturated", "symmetric", "large input", "vanishing")),
    Check(step_length, _unless("exploding", "large input")),
)
"""In the order in which verdicts are given; causes stand before what they cause."""


def examine(case: Case) -> list[Verdict]:
    """Every illness that no other explains."""
    verdicts: list[Verdict] = []
    with np.errstate(all="ignore"):
        for check in CHECKS:
            if not check.unless & {verdict.sign for verdict in verdicts}:
                found = list(check.find(case))
                if len(found) > MOST_ALIKE:
                    where = _some([verdict.where for verdict in found[MOST_ALIKE:]])
                    found[MOST_ALIKE:] = [Verdict(found[0].sign, where, "the same.")]
                verdicts += found
    return verdicts


def _cross_entropy(node: Node) -> bool:
    return node.rule is not None and node.rule.name == "softmax_cross_entropy"


def _odd(x: Any, inf: bool = False) -> str:
    """How many entries are nan, or infinite if that is asked for; empty if none is."""
    nans, infinite = count(floats_of(x))
    return " and ".join(f"{n} {what}" for n, what in ((nans, "nan"), (infinite if inf else 0, "inf")) if n)


def _alike(x: Array, axis: int) -> bool:
    """Whether there is more than one slice along an axis, and all are equal."""
    x = np.asarray(x)
    if x.shape[axis] < 2:
        return False
    first = np.take(x, [0], axis)
    return bool(np.max(np.abs(x - first), initial=0) <= SAME * np.max(np.abs(x), initial=0))


def _usual_size(layer: Layer) -> float:
    """The size of a layer's entries, or the one that they should start with if that is larger: of none is 0."""
    widths = [max(shape_of(p), default=1) for p in layer.parameters.values()]
    widest = max(*widths, len(widths))
    return max(root_mean_square(pooled(layer.parameters.values())), 1 / math.sqrt(max(widest, 1)))


def _about(x: float) -> str:
    """A number with two digits; whole if it is above 10."""
    rounded = float(f"{x:.2g}")
    return f"{rounded:.0f}" if 10 <= abs(rounded) < 1e6 else number_text(rounded, 2)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + f" and {len(names) - 3} more" * (len(names) > 3)
