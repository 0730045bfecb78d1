"""What lies between a result and one of the nodes it was computed from: the part of a tape that a chain rule walks."""

from __future__ import annotations

from collections import Counter
from types import FrameType
from typing import Any

import numpy as np

from ..core import numbers
from ..core.edges import contributions
from ..core.errors import ShapeError, TapeError
from ..core.listing import Tape
from ..core.node import Node, data_of, describe, shape_of
from ..core.tape import collect, require_tracked
from ..node_methods import first_cotangent

Use = tuple[Node, int]
"""A node and the position among its arguments at which another is used."""


class Chain:
    """The nodes through which ``x`` reaches ``y``.

    Attributes
    ----------
    y, x : Node
    start : ndarray or number
        The cotangent of ``y``.
    nodes : list of Node
        Oldest first: ``x``, what depends on it and leads to ``y``, and ``y``.
    uses : dict of int to list of (Node, int)
        By index of a node, where it is used on the way to ``y``: each node and argument position, latest first.
    """

    def __init__(self, y: Any, x: Any, gradient: Any, frame: FrameType, doing: str) -> None:
        require_tracked(y, f"{doing}()")
        if not isinstance(x, Node):
            raise TapeError(
                f"{doing}() was to differentiate with respect to a plain {type(x).__name__}, which no tape knows. "
                "Give it the Value or Tensor that the result was computed from."
            )
        if not x.tracked:
            raise TapeError(
                f"{doing}() was to differentiate with respect to {describe(x)}, which has requires_grad=False, so "
                "nothing was recorded of it. Make it with requires_grad=True, and compute the result again."
            )
        self.y: Node = y
        self.x = x
        self.start = start_of(y, gradient, doing)
        made, _ = collect([y], stop={x.index})
        reached = {x.index}
        for node in made:
            if node.index not in reached and any(isinstance(a, Node) and a.index in reached for a in node.args):
                reached.add(node.index)
        if y.index not in reached:
            raise TapeError(
                f"{doing}(): the result, {describe(y)}, does not depend on {describe(x)}, so there is no chain between "
                "them. Was it computed from another variable, from x.detach(), or inside no_grad()?"
            )
        self.nodes = [x, *(node for node in made if node.index in reached and node is not x)]
        self.uses: dict[int, list[Use]] = {node.index: [] for node in self.nodes}
        for node in reversed(self.nodes[1:]):
            for position, a in enumerate(node.args):
                if isinstance(a, Node) and a.tracked and a.index in self.uses:
                    self.uses[a.index].append((node, position))
        self.tape = Tape.seen_from(frame, [y], doing)
        self.names = self._find_names()

    def _find_names(self) -> dict[int, str]:
        """A name for each node by its ``id``: the user's where there is one, else v1, v2, ..."""
        given = {id(node): self.tape.name_of(node) for node in self.nodes}
        taken = {name for name in given.values() if name}
        for node, name in ((self.y, "y"), (self.x, "x")):
            if not given[id(node)] and name not in taken:
                given[id(node)] = name
                taken.add(name)
        letter = next(c for c in "vuzt" if c == "t" or not any(name[0] == c and name[1:].isdigit() for name in taken))
        names: dict[int, str] = {}
        met: Counter[str] = Counter()
        unnamed = 0
        for key, found in given.items():
            unnamed += not found
            name = found or f"{letter}{unnamed}"
            met[name] += 1
            names[key] = name if met[name] == 1 else f"{name}({met[name]})"
        return names

    def symbol(self, a: Any) -> Any:
        """What stands for an argument in a formula: its name, or the number that it is; None for the row's letter."""
        if id(a) in self.names:
            return self.names[id(a)]
        name = self.tape.name_of(a)
        if name:
            return name
        if is_single(a):
            return number_of(a)
        return f"array{shape_of(a)}" if np.asarray(data_of(a)).dtype.kind in "fc" else None


def start_of(y: Node, gradient: Any, doing: str) -> Any:
    """The cotangent of the result, by the rules of ``backward``."""
    shape = shape_of(y)
    if gradient is None and np.prod(shape) != 1:
        raise ShapeError(
            f"{doing}() of {describe(y)}: only a single number has a gradient. "
            f"Reduce it first, with .sum() or .mean(), or give {doing}(gradient=) an array of the same shape."
        )
    if gradient is not None and shape_of(gradient) != shape:
        raise ShapeError(
            f"{doing}(gradient=) of {describe(y)} got a gradient of shape {shape_of(gradient)}; it must be {shape}."
        )
    return first_cotangent(y, data_of(gradient))


def pulled(user: Node, position: int, g: Any) -> Any:
    """What one argument of a node gets back of its cotangent ``g``."""
    part = contributions(user, g)[position]
    assert part is not None
    return part.fitted


def slopes(user: Node) -> list[Any]:
    """The partial derivative of a node by each argument, where both are single real numbers; else None."""
    if not is_single(user) or isinstance(number_of(user), complex):
        return [None] * len(user.args)
    one = numbers.like(number_of(user), 1)
    data = data_of(user)
    parts = contributions(user, np.full((), 1, data.dtype) if isinstance(data, np.ndarray) else one)
    found = [number_of(part.fitted) if part and is_single(part.fitted) else None for part in parts]
    return [None if isinstance(number, complex) else number for number in found]


def is_single(a: Any) -> bool:
    """Whether this is one number without axes."""
    return not shape_of(a)


def number_of(a: Any) -> Any:
    """The plain number that a node, array or number without axes holds."""
    data = data_of(a)
    return data.item() if isinstance(data, np.ndarray | np.generic) else data


def times(g: Any, factor: Any) -> Any:
    """A product in which a zero cotangent is a hard zero, as in the sweep."""
    return g * 0 if not is_nan(g) and g == 0 and not is_finite(factor) else g * factor


def is_nan(x: Any) -> bool:
    """Whether a number of any kind is nan."""
    return bool(x != x)


def is_finite(x: Any) -> bool:
    """Whether a number of any kind is finite; of one that cannot tell, yes."""
    try:
        return bool(np.isfinite(float(x)))
    except (TypeError, ValueError, OverflowError):
        return True
