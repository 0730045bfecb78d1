"""What lies between a result and one of the nodes it was computed from: the part of a tape that a chain rule walks."""

from __future__ import annotations

from collections import Counter
from types import FrameType
from typing import Any

import numpy as np

from ..core import numbers
from ..core.edges import contributions
from ..core.errors import KindError, ShapeError, TapeError
from ..core.listing import Tape
from ..core.node import Node, data_of, describe, shape_of
from ..core.summary import repr_text
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
    given : bool
        Whether the caller gave that.
    nodes : list of Node
        Oldest first: ``x``, what depends on it and leads to ``y``, and ``y``.
    uses : dict of int to list of (Node, int)
        By index of a node, where it is used on the way to ``y``: each node and argument position, latest first.
    beside : list of Node
        Oldest first: arrays without a name that were recorded, and are used on the way though they do not depend on
        ``x``.
    names : dict of int to str
        What each node of both lists is called, by its ``id``.
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
        self.given = gradient is not None
        try:
            made, _ = collect([y], stop={x.index})
            self.tape = Tape.seen_from(frame, [y], doing)
        except TapeError as error:  # freed, or overtaken by a change of its data
            raise type(error)(f"{doing}(): {error}") from None
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
        args = {id(a) for node in self.nodes[1:] for a in node.args}
        self.beside = [a for a in made if id(a) in args and a.index not in self.uses and self._is_nameless_array(a)]
        self.names = self._find_names()

    def _is_nameless_array(self, a: Node) -> bool:
        return a.rule is not None and not is_single(a) and not self.tape.name_of(a)

    def _find_names(self) -> dict[int, str]:
        """A name for each node by its ``id``: the user's where there is one, else v1, v2, ..., and u1, ... beside."""
        given = {id(node): self.tape.name_of(node) for node in self.nodes}
        args = {id(a): a for node in self.nodes[1:] for a in node.args if id(a) not in given}
        taken = {name for name in (*given.values(), *map(self.tape.name_of, args.values())) if name}
        for node, name in ((self.y, "y"), (self.x, "x")):
            if not given[id(node)] and name not in taken:
                given[id(node)] = name
                taken.add(name)
        free = [c for c in "vuzs" if not any(name[0] == c and name[1:].isdigit() for name in taken)]
        letter, other = [*free, "t", "r"][:2]
        names: dict[int, str] = {}
        met: Counter[str] = Counter()
        unnamed = 0
        for key, found in given.items():
            unnamed += not found
            name = found or f"{letter}{unnamed}"
            met[name] += 1
            names[key] = name if met[name] == 1 else f"{name}({met[name]})"
        return names | {id(a): f"{other}{k}" for k, a in enumerate(self.beside, 1)}

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
    shape, given = shape_of(y), data_of(gradient)
    if gradient is None and np.prod(shape) != 1:
        raise ShapeError(
            f"{doing}() of {describe(y)}: only a single number has a gradient. "
            f"Reduce it first, with .sum() or .mean(), or give {doing}(gradient=) an array of the same shape."
        )
    if gradient is None:
        return first_cotangent(y, None)
    what = f"{doing}(gradient=) of {describe(y)} got"
    try:
        entries = np.asarray(given)
    except ValueError:
        raise ShapeError(f"{what} lists of several lengths; it must have the shape {shape}.") from None
    if entries.dtype.kind not in "biufc" and not all(numbers.is_number(type(entry)) for entry in entries.flat):
        raise KindError(f"{what} {repr_text(given)}, which is no number; it must have the shape {shape}.")
    if entries.shape != shape:
        raise ShapeError(f"{what} a gradient of shape {entries.shape}; it must be {shape}.")
    if is_complex(entries) and not is_complex(data_of(y)):
        raise KindError(
            f"{what} {repr_text(given)}, which is complex, and the result is real: the imaginary part would "
            "be lost. Give its real part."
        )
    return first_cotangent(y, given)


def is_complex(data: Any) -> bool:
    """Whether a number of any kind, or one in an array, is complex."""
    entries = np.asarray(data)
    objects = entries.flat if entries.dtype.kind == "O" else ()
    return np.iscomplexobj(entries) or any(numbers.is_complex(type(entry)) for entry in objects)


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
