"""Which function computes a rule on data of given types: NumPy's on arrays, the number's own library's on numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import numbers
from .batched import Batched
from .errors import KindError, ShapeError
from .node import Node

if TYPE_CHECKING:
    from .rule import Rule


class NotYetArrays(Exception):  # noqa: N818 - a signal to the op, never seen outside
    """An argument is a list or another library's array, which an op turns into an array first."""


class NotAnArray(Exception):  # noqa: N818 - as above
    """What stands for an array, so that a compiler sees what is done with it, was asked for its numbers."""


def is_array_like(kind: type) -> bool:
    """Whether values of this type become arrays, and are not arrays or NumPy scalars yet."""
    if issubclass(kind, np.generic | Batched):
        return False
    return issubclass(kind, np.ndarray | list | tuple | range) or hasattr(kind, "__array__")


def as_arrays(args: Iterable[Any]) -> list[Any]:
    """Arguments of an op with lists and other libraries' arrays turned into arrays, or into nodes."""
    return [joined(a) if not isinstance(a, Node) and is_array_like(type(a)) else a for a in args]


def joined(a: Any) -> Any:
    """An array of what is given; of a list with nodes in it a node."""
    refuse_masked(a)
    a = gathered(a)
    try:
        return a if isinstance(a, Node) else np.asarray(a)
    except ValueError:
        raise ShapeError("A list was given with rows of different lengths; an array has rows of one.") from None


def gathered(a: Any) -> Any:
    """A list with nodes in it, however deep, as one node; anything else as it is."""
    return Node.stacked(a) if isinstance(a, list | tuple) and holds_nodes(a) else a


def holds_nodes(a: Iterable[Any]) -> bool:
    """Whether a node stands in a list, or in one of the lists in it."""
    return any(isinstance(x, Node) or (isinstance(x, list | tuple) and holds_nodes(x)) for x in a)


def refuse_masked(a: Any) -> None:
    """Raise for one of NumPy's masked arrays."""
    if hasattr(a, "_mask") and isinstance(a, np.ndarray):
        raise KindError(
            "A masked array was given, and its mask would be lost. Fill it, x.filled(0), and give the mask to where= "
            "or ad.where."
        )


class Forwards(dict[Any, tuple[Callable[..., Any], type[Node]]]):
    """Which function computes a rule on arguments of given types, and which class of node holds the result.

    Looked up by the type of the data (by a tuple of types where there are several inputs), worked out on first sight.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule

    def __missing__(self, key: Any) -> tuple[Callable[..., Any], type[Node]]:
        kinds = key if isinstance(key, tuple) else (key,)
        rule = self.rule
        batch = next((kind for kind in kinds if issubclass(kind, Batched)), None)
        if batch is not None:
            self[key] = (partial(batch.compute, rule), Node.for_arrays)
            return self[key]
        if any(kind is not np.ndarray and is_array_like(kind) for kind in kinds):
            raise NotYetArrays
        are_numbers = [numbers.is_number(kind) for kind in kinds]
        scalar = [is_number or issubclass(kind, np.generic) for kind, is_number in zip(kinds, are_numbers, strict=True)]
        if rule.entrywise and all(scalar) and any(are_numbers):
            converters: list[Any] = []
            if all(are_numbers) or not all(issubclass(k, np.generic | int | float | complex) for k in kinds):
                converters = [np.generic.item if issubclass(k, np.generic) else None for k in kinds]
                function, cls = self._for_numbers([k for k, number in zip(kinds, are_numbers, strict=True) if number])
            else:  # NumPy's scalars beside Python's numbers: NumPy's arithmetic, which never raises
                function, cls = self._by_numpy(), Node.for_numbers
        else:
            converters = [self._converter(kind) for kind in kinds]
            function = rule.forward if rule.positional == len(rule.options) else rule.compute
            cls = Node.for_arrays
        if any(converters):
            function = _converted(function, converters)
        self[key] = (function, cls)
        return function, cls

    def _for_numbers(self, kinds: list[type]) -> tuple[Callable[..., Any], type[Node]]:
        rule = self.rule
        if rule.number is not None:
            return rule.number, Node.for_numbers
        kind = numbers.leading(kinds)
        function = numbers.function_for(kind, rule.name)
        if function is None:
            if not issubclass(kind, int | float | complex):
                raise numbers.lacks(kind, rule.name)
            function = self._by_numpy()
        return function, Node.for_numbers

    def _by_numpy(self) -> Callable[..., Any]:
        forward = self.rule.forward
        return lambda *args: forward(*args).item()

    def _converter(self, kind: type) -> Callable[[Any], Any] | None:
        """What makes an argument of this type one that the NumPy forward function takes; None if it is one already."""
        if kind is np.ndarray:
            return None
        if issubclass(kind, int | float | complex | np.generic | type(None)):
            return None if self.rule.entrywise else np.asarray
        if numbers.is_number(kind):
            return numbers.to_float if self.rule.entrywise else lambda x: np.asarray(numbers.to_float(x))
        raise KindError(
            f"{self.rule.name} was given a {kind.__name__}; it takes tensors, arrays, numbers and lists of numbers."
        )


def _converted(function: Callable[..., Any], converters: list[Any]) -> Callable[..., Any]:
    def convert_first(*args: Any) -> Any:
        inputs = [a if c is None else c(a) for a, c in zip(args, converters, strict=False)]
        return function(*inputs, *args[len(converters) :])

    return convert_first
