"""Stacks, concatenations, and zeros around a slice: arrays into which their parts are written, or computed."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

from ..joined import JOIN, is_basic
from ..program import Instruction, Program, Var
from .calls import dtype_of, shape_of


def join_parts(program: Program) -> Program:
    """Join what is computed part by part in one memory, where the parts may be computed right in their places."""
    fresh = {i.out for i in program.instructions if i.function.fresh}
    return program.rewritten([in_one_memory(i, fresh) for i in program.instructions], {})


def in_one_memory(i: Instruction, fresh: set[Var]) -> Instruction:
    """A stack, a concatenation or a scattered slice as a join; other instructions as they are."""
    kind, name = i.function.kind, i.function.name
    if (kind, name) == ("named", "scatter_add"):
        return joined(i, i.args, [i.options["key"]]) if is_basic(i.options["key"]) else i
    if kind != "numpy" or name not in ("stack", "concatenate") or type(i.args[0]) not in (list, tuple):
        return i
    # Of arrays that are given NumPy keeps the order of the axes in memory.
    if i.args[2:] or not i.options.keys() <= {"axis"} or not all(x in fresh for x in i.args[0] if isinstance(x, Var)):
        return i
    axis = i.args[1] if len(i.args) > 1 else i.options.get("axis", 0)
    return i if axis is None else joined(i, i.args[0], keys_of(name, i.args[0], int(axis) % len(i.out.shape)))


def keys_of(name: str, parts: Any, axis: int) -> list[Any]:
    """Where the parts go."""
    if name == "stack":
        places: list[Any] = list(range(len(parts)))
    else:
        places = [slice(a, b) for a, b in pairwise(accumulate([shape_of(x)[axis] for x in parts], initial=0))]
    return [(*[slice(None)] * axis, place) if axis else place for place in places]


def joined(i: Instruction, parts: Any, keys: list[Any]) -> Instruction:
    """An array that is joined of parts, if all are numbers of its dtype."""
    dtype = i.out.dtype
    alike = dtype is not None and dtype.kind in "biufc" and all(dtype_of(x) == dtype for x in parts)
    if not alike or not i.out.is_array or i.out.order != tuple(range(len(i.out.shape))):
        return i
    keys = [key[0] if type(key) is tuple and len(key) == 1 else key for key in keys]
    return replace(i, function=JOIN, args=(list(parts),), options={"keys": tuple(keys), "shape": i.out.shape})
