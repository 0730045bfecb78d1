"""Signs of illness that show in one node of a tape: what ``ad.health`` counts and ``ad.why`` blames.

A node keeps its data, so nothing has to be hooked in while computing: units that are off and entries that are saturated
are read off the tape afterwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.node import Array, Node, data_of, shape_of

SATURATED_TANH = 0.97
"""A tanh beyond this, on either side, hands on less than 6 % of a gradient: its slope is ``1 - y**2``."""
SATURATED_SIGMOID = 0.03
"""A sigmoid within this of 0 or 1 hands on less than 3 % of a gradient: its slope is ``y * (1 - y)``."""
SATURATED_SOFTMAX = 0.97
"""A row of a softmax whose largest entry is above this is nearly one-hot: all its slopes are below 3 %."""

ACTIVATIONS = frozenset(
    {"relu", "leaky_relu", "elu", "gelu", "gelu_tanh", "silu", "softplus", "sigmoid", "log_sigmoid", "tanh", "softmax"}
)
"""Rules that stand between layers.  A maximum with 0 counts as a relu."""
SATURATING = frozenset({"tanh", "sigmoid", "softmax"})
"""Activations that are flat at both ends."""
CONVOLUTIONS = frozenset({"conv", "conv_layer", "conv_input", "transposed_layer"})
"""Rules whose results have their channels on axis 1, shape ``(N, C, ...)``."""
KEEP_AXES = ACTIVATIONS | {"add", "subtract", "multiply", "divide", "max_pool", "window_sum", "maximum", "clip_below"}
"""Rules that leave the channels where they were."""

SQUASHED_BY = {
    "softmax_cross_entropy": ("cross_entropy takes a softmax itself", frozenset({"softmax", "sigmoid"})),
    "log_softmax": ("log_softmax takes a softmax itself", frozenset({"softmax", "sigmoid"})),
    "softmax": ("another softmax follows", frozenset({"softmax"})),
    "log_sigmoid": ("the loss takes a sigmoid itself", frozenset({"softmax", "sigmoid"})),
}
"""Rules that squash logits, what is to be said of that, and what must not have squashed them before."""
ARRANGING = frozenset({"reshape", "squeeze", "expand_dims", "transpose", "getitem", "negative"})
"""Rules that leave probabilities probabilities, or turn their sign."""


def activation_name(node: Node) -> str | None:
    """What kind of activation made a node; None if it was something else."""
    name = node.rule.name if node.rule is not None else ""
    if name in ACTIVATIONS:
        return name
    return "relu" if name in ("maximum", "clip_below") and any(_is_zero(a) for a in node.args) else None


def is_activation(node: Node) -> bool:
    """Whether an activation made a node."""
    return activation_name(node) is not None


def _is_zero(x: Any) -> bool:
    return not isinstance(x, Node) and shape_of(x) == () and bool(x == 0)


def unit_axis(node: Node) -> int | None:
    """The axis along which the units of a layer lie: channels after a convolution, else the last; None for a number.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> images, weight = np.ones((2, 1, 8, 8)), ad.Tensor(np.ones((3, 1, 3, 3)))
    >>> unit_axis(ad.relu(ad.conv2d(images, weight)))
    1
    """
    ndim = len(shape_of(node))
    if ndim < 3:
        return ndim - 1 if ndim else None
    made: Any = node
    while isinstance(made, Node) and made.rule is not None and made.rule.name not in CONVOLUTIONS:
        if made.rule.name not in KEEP_AXES or not made.args:
            return ndim - 1
        made = max(made.args, key=lambda a: (len(shape_of(a)), isinstance(a, Node)))
    return 1 if isinstance(made, Node) and made.rule is not None else ndim - 1


def by_unit(node: Node) -> Array:
    """The data of a node as a table: a row for each example, pixel or time, a column for each unit."""
    axis = unit_axis(node)
    data = np.asarray(data_of(node))
    if axis is None:
        return data.reshape(1, 1)
    units = data.shape[axis]
    return np.moveaxis(data, axis, -1).reshape(data.size // max(units, 1), units)


def units_off(node: Node) -> Array | None:
    """Which units of a relu are 0 for every example, shape ``(units,)``; None if the node is no relu, or is empty."""
    if activation_name(node) != "relu" or 0 in shape_of(node):
        return None
    return np.all(by_unit(node) == 0, axis=0)


def dead_units(node: Node) -> tuple[int, int] | None:
    """How many units of a relu are 0 for every example, of how many; None if the node is no relu, or is empty.

    A vector is one example of many units, a number is one example of one unit.  Being 0 for a few examples is nothing:
    ask :func:`examples_of` before calling a unit dead.

    Examples
    --------
    >>> import autodiff as ad
    >>> dead_units(ad.relu(ad.Tensor([[1.0, -1.0, -2.0], [-3.0, -4.0, 2.0]])))
    (1, 3)
    """
    off = units_off(node)
    return None if off is None else (int(np.count_nonzero(off)), off.size)


def examples_of(node: Node) -> int:
    """How many examples, pixels or times each unit of a node has seen."""
    return len(by_unit(node))


def saturation(node: Node) -> tuple[int, int] | None:
    """How many entries of a tanh or sigmoid are saturated, or rows of a softmax nearly one-hot, of how many.

    None if the node is none of them, holds complex numbers or is empty.

    Examples
    --------
    >>> import autodiff as ad
    >>> saturation(ad.tanh(ad.Tensor([0.0, 1.0, 3.0])))
    (1, 3)
    >>> saturation(ad.softmax(ad.Tensor([[0.0, 9.0], [0.0, 1.0]])))
    (1, 2)
    """
    name = activation_name(node)
    y = np.asarray(data_of(node))
    if name not in SATURATING or y.dtype.kind != "f" or not y.size:
        return None
    if name == "tanh":
        flat = np.abs(y) > SATURATED_TANH
    elif name == "sigmoid":
        flat = np.abs(y - 0.5) > 0.5 - SATURATED_SIGMOID
    else:
        axis = node.params["axis"] if node.params else -1
        flat = np.max(y, axis=axis) > SATURATED_SOFTMAX
    return int(np.count_nonzero(flat)), flat.size


def squashed_before(node: Node) -> Node | None:
    """The softmax or sigmoid whose result the op that made a node squashes again; None if there is none.

    Examples
    --------
    >>> import autodiff as ad
    >>> p = ad.softmax(ad.Tensor([[0.0, 9.0]]))
    >>> squashed_before(ad.cross_entropy(p, [1])) is p
    True
    """
    name = node.rule.name if node.rule is not None else ""
    if name not in SQUASHED_BY or not node.args:
        return None
    made = node.args[0]
    while isinstance(made, Node) and made.rule is not None and made.rule.name in ARRANGING and made.args:
        made = made.args[0]
    is_squashed = isinstance(made, Node) and made.rule is not None and made.rule.name in SQUASHED_BY[name][1]
    return made if is_squashed else None
