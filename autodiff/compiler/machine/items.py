"""The instructions of which loops can be made."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...ops.index import scatter_add
from ..joined import JOIN
from ..passes.calls import shape_of
from ..passes.constants import is_filled
from ..program import Function, Instruction, Var
from .entries import SUPPORTED, DType, template
from .places import Shown, shown_by

FEW = 32
"""So many calls of the C library's functions take no longer than one of NumPy's."""


class Item(NamedTuple):
    """One instruction as a loop over the entries of ``domain``.

    Attributes
    ----------
    kind : str
        ``"entry"`` computes each entry of the result, ``"reduce"`` adds each into one of the result, ``"place"`` puts
        each at a place of a result that is zero elsewhere.
    domain : tuple of int
        The shape that is looped over.
    order : tuple of int
        Its axes from the outermost loop to the innermost.
    operands : list
        What is read at each entry: variables and constants, broadcast to the domain.
    make : callable
        The expression for an entry, of those of the operands.
    dtypes : list
        Those of the operands and of the expression.
    reduced : tuple of int
        The axes that are added up.
    at : Shown, optional
        The places of a ``"place"``.
    """

    i: Instruction
    kind: str
    domain: tuple[int, ...]
    order: tuple[int, ...]
    operands: list[Any]
    make: Callable[..., str]
    dtypes: list[DType]
    reduced: tuple[int, ...] = ()
    at: Shown | None = None

    @property
    def out(self) -> Var:
        """The variable that it gives a value."""
        return self.i.out


def item_of(i: Instruction, makers: dict[Var, Instruction]) -> Item | None:
    """An instruction as a loop; None if it is none."""
    if 0 in i.out.shape or any(0 in shape_of(v) for v in i.reads):
        return None
    found = _reduction(i, makers) or _placing(i) or _joining(i) or _entries(i)
    return found if found is not None and all(map(_is_known, found.operands)) else None


def _is_known(x: Any) -> bool:
    if isinstance(x, Var):
        return x.dtype is not None and x.dtype.name in SUPPORTED and x.dtype.isnative
    return isinstance(x, bool | int | float | complex | np.ndarray | np.generic)


def _entries(i: Instruction) -> Item | None:
    out = i.out
    if not (out.is_array or issubclass(out.kind, np.generic)) or (out.is_array and not out.shape):
        return None
    found = template(i, math.prod(out.shape) <= FEW)
    if found is None:
        return None
    make, dtypes = found
    order = out.order if out.is_array else ()
    return Item(i, "entry", out.shape, order, list(i.args[: len(dtypes) - 1]), make, dtypes)


def _placing(i: Instruction) -> Item | None:
    """``scatter_add`` at slices: zeros, and something put into a part of them."""
    x = i.args[0] if i.args else None
    if i.function.call is not scatter_add.rule.forward or not isinstance(x, Var) or i.out.dtype != x.dtype:
        return None
    at = place_of(i.out, i.options.get("key", i.args[-1]))
    if at is None or i.out.dtype is None or _ndim(at) != len(x.shape):
        return None
    order = x.order if x.is_array else ()
    return Item(i, "place", x.shape, order, [x], lambda a: a.source, [i.out.dtype, i.out.dtype], (), at)


def _ndim(shown: Shown) -> int:
    return len([a for a in shown.at if a.axis is not None])


def place_of(v: Var, key: Any) -> Shown | None:
    """What ``v[key]`` shows of ``v``, which may be an array that is still to be made."""
    return shown_by(Instruction(ITEM, (Var("", np.ndarray, v.shape), key), {}, Var("", np.ndarray)))


ITEM = Function("item", "item", operator.getitem)


def _joining(i: Instruction) -> Item | None:
    """An array that is joined of parts."""
    if i.function is not JOIN or i.out.dtype is None or any(place_of(i.out, key) is None for key in i.options["keys"]):
        return None
    dtypes = [i.out.dtype, i.out.dtype]
    return Item(i, "join", i.out.shape, i.out.order, list(i.args[0]), lambda a: a.source, dtypes)


REDUCED = {"add": "plus({}, {})", "maximum": "np.maximum({}, {})", "minimum": "np.minimum({}, {})"}


def _reduction(i: Instruction, makers: dict[Var, Instruction]) -> Item | None:
    x, name, out = i.args[0] if i.args else None, i.function.name, i.out
    if out.dtype is None or out.dtype.kind != "f" or (isinstance(x, Var) and not x.shape):
        return None
    if i.function.kind == "reduce" and isinstance(x, Var) and x.dtype == out.dtype and name in REDUCED:
        if not i.options.keys() <= {"axis", "keepdims"} or i.args[1:]:
            return None
        axis = i.options.get("axis", 0)
        ndim = len(x.shape)
        axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        return _reduce(i, x, tuple(sorted(a % ndim for a in axes)), [x])
    if name != "dot" or len(i.args) != 2 or any(isinstance(a, Var) and a.dtype != out.dtype for a in i.args):
        return None
    a, b = i.args
    ones = [isinstance(y, np.ndarray) and y.ndim == 1 and is_filled(y, 1) and y.dtype == out.dtype for y in (a, b)]
    if ones[0] and isinstance(b, Var):
        return _reduce(i, b, (0,), [b])
    if ones[1] and isinstance(a, Var):
        return _reduce(i, a, (len(a.shape) - 1,), [a])
    if isinstance(a, Var) and isinstance(b, Var) and len(a.shape) == len(b.shape) == 1:
        a, b = _unravelled(a, makers), _unravelled(b, makers)
        if a.shape == b.shape and a.order == b.order:
            return _reduce(i, a, tuple(range(len(a.shape))), [a, b])
    return None


def _unravelled(v: Var, makers: dict[Var, Instruction]) -> Var:
    """What a vector was before it was made one: for a sum over all entries their order does not matter."""
    i = makers.get(v)
    return i.args[0] if i is not None and i.function.name == "ravel" and i.args[0].is_array else v


def _reduce(i: Instruction, x: Var, axes: tuple[int, ...], operands: list[Any]) -> Item:
    assert i.out.dtype is not None
    make = (lambda a: a.source) if len(operands) == 1 else (lambda a, b: f"{a.operand()} * {b.operand()}")
    return Item(i, "reduce", x.shape, x.order, operands, make, [i.out.dtype] * (len(operands) + 1), axes)
