"""What the options of a reduction mean: masks, dtypes, and values that may be recorded themselves.

An option of a row cannot carry a derivative, nor follow new data on a tape that is replayed.  So a mask, and whatever
else may be recorded, is not one: a call that gives it is composed of rows that take it as an input.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn, cast

import numpy as np

from ..core.errors import KindError, ShapeError, UnsupportedError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of, describe, shape_of
from ..core.op import FOREIGN_KEYWORDS, Op
from .shape import astype, dtype_of

NOT_GIVEN: Any = np._NoValue
"""The default of an option for which None means something."""

NUMPY: Any = np
"""NumPy without its stubs, which take no variable for ``keepdims`` and the like."""


def otherwise(composed: Callable[..., Any]) -> Callable[[Any], Op[..., Any]]:
    """Decorate an op: a call with an option that the row lacks and ``composed`` has is left to that."""
    code = composed.__code__
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    def decorate(op: Any) -> Op[..., Any]:
        inputs, own = len(op.rule.inputs), frozenset(op.rule.options)
        options = named[inputs:]
        shared = [a == b for a, b in zip(op.rule.options, options)]
        most = inputs + (shared.index(False) if False in shared else len(shared))

        @functools.wraps(op)
        def call(*args: Any, **given: Any) -> Any:
            if len(args) <= most and own.issuperset(given):
                return op(*args, **given)
            for name in given:
                if name not in options:
                    refuse_keyword(op.rule.name, name, options)
            return composed(*args, **given)

        call.__wrapped__ = composed  # whose signature is the whole one
        return cast("Op[..., Any]", call)

    return decorate


def refuse_keyword(op: str, name: str, has: tuple[str, ...]) -> NoReturn:
    """Say what a keyword is called here, or what there is."""
    ours = FOREIGN_KEYWORDS.get(name)
    repair = f"here it is {ours}=" if ours in has else f"it takes {', '.join(has)}"
    raise UnsupportedError(f"{op} got the keyword {name}=, which it does not have: {repair}.")


def is_plain(*args: Any) -> bool:
    """Whether no argument is a node, so that there is nothing to record."""
    return not any([isinstance(a, Node) for a in args])


def mask_for(x: Array, where: ArrayLike) -> Array:
    """The mask ``where=``, checked: truth values of a shape that broadcasts to that of ``x``."""
    mask: Any = where if isinstance(where, Node) else np.asarray(where)
    if mask.dtype.kind != "b":
        raise KindError(f"where= takes truth values, got {mask.dtype}. Compare first, as in x > 0.")
    shape = shape_of(x)
    if len(mask.shape) > len(shape) or np.broadcast_shapes(mask.shape, shape) != shape:
        raise ShapeError(f"where= of shape {mask.shape} does not broadcast to the shape {shape} of what it masks.")
    return mask


def constant(value: Any, name: str) -> Any:
    """The data of an argument that has no derivative here, while compiling a node; raise if one would be lost."""
    compiling = compiler() if isinstance(value, Node) else None
    if compiling is not None and not compiling.tracks(value):
        return value
    if isinstance(value, Node) and value.tracked:
        raise UnsupportedError(
            f"{name} was given {describe(value)}; it is a constant here and the gradient would be lost. "
            f"Pass its data, with .detach()."
        )
    return data_of(value)


def real_dtype(x: Array) -> np.dtype[Any]:
    """The dtype of the parts of ``x``."""
    dtype = dtype_of(x)
    return np.finfo(dtype).dtype if dtype.kind == "c" else dtype


def as_dtype(x: Array, dtype: Any) -> Array:
    """``x`` converted as the option ``dtype=`` has it; ``x`` itself if it is None."""
    return x if dtype is None or dtype_of(x) == np.dtype(dtype) else astype(x, np.dtype(dtype))
