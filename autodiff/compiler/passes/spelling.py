"""The same calls of NumPy in the way that takes least time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..program import Function, Instruction, Program, Var
from .calls import DOT, MATMUL, TRANSPOSE, dtype_of, shape_of


def spell_plainly(program: Program) -> Program:
    """Call NumPy's functions directly, without the Python functions around them."""
    return program.rewritten([plainly(i) for i in program.instructions], {})


def plainly(i: Instruction) -> Instruction:
    """An instruction as it is best written."""
    spellings = NAMED if i.function.kind == "named" else SPELLINGS
    spell = spellings.get(i.function.name)
    return i if spell is None else spell(i)


def turned(i: Instruction) -> Instruction:
    """``np.transpose(x)`` and ``x.swapaxes(0, 1)`` as ``x.T``."""
    given = (*i.args[1:], *i.options.values())
    if i.function.name == "transpose":
        turns = given in ((), (None,), ((),))
    else:
        turns = len(shape_of(i.args[0])) == 2 and {axis % 2 for axis in given} == {0, 1}
    return replace(i, function=TRANSPOSE, args=i.args[:1], options={}) if turns else i


def product(i: Instruction) -> Instruction:
    """``np.matmul(a, b)`` of small matrices as ``a.dot(b)``, which takes half the time.

    What the row of ``matmul`` adds to NumPy's are words for an error, which an eager call will find.
    """
    is_method = isinstance(i.args[0], Var | np.ndarray)
    if i.function.name == "dot":
        return replace(i, function=DOT) if is_method else i
    if i.options:
        return i
    ranks = [len(shape_of(x)) for x in i.args]
    return replace(i, function=DOT if is_method and ranks in ([2, 2], [1, 2], [2, 1]) else MATMUL)


def reduction(i: Instruction) -> Instruction:
    """``np.sum(x)`` as ``np.add.reduce(x)``, without options that say nothing."""
    ufunc = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}.get(i.function.name)
    dtype = dtype_of(i.args[0])
    options = {"axis": None, **dict(zip(("axis",), i.args[1:2])), **i.options}
    plain = options.keys() <= {"axis", "keepdims"} and not i.args[2:] and dtype is not None and dtype.kind not in "biu"
    if i.function.kind == "reduce":
        options = {k: v for k, v in i.options.items() if k == "axis" or (v is not None and v is not False)}
        return replace(i, options=options)
    if not plain or ufunc is None or not isinstance(i.args[0], Var):
        return i
    options = {key: value for key, value in options.items() if key == "axis" or value is not False}
    return replace(i, function=Function("reduce", ufunc.__name__, ufunc.reduce), args=i.args[:1], options=options)


def item(i: Instruction) -> Instruction:
    """``x[1, :]`` as ``x[1]``."""
    if i.function.kind != "item" or type(i.args[1]) is not tuple:
        return i
    x, key = i.args
    if all(type(k) is int or isinstance(k, slice) for k in key):
        while len(key) > 1 and key[-1] == slice(None):
            key = key[:-1]
    return replace(i, args=(x, key[0] if len(key) == 1 else key))


SPELLINGS: dict[str, Callable[[Instruction], Instruction]] = {
    **dict.fromkeys(["transpose", "swapaxes"], turned),
    **dict.fromkeys(["matmul", "dot"], product),
    **dict.fromkeys(["sum", "prod", "max", "min", "add", "multiply", "maximum", "minimum"], reduction),
    "item": item,
}
"""How calls of NumPy are written, by their names."""
NAMED = {name: SPELLINGS[name] for name in ("transpose", "swapaxes", "matmul", "dot")}
"""How calls of rows are written that are called by name; rows of the user's own have other names."""
