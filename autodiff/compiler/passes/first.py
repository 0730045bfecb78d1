"""The axis along which a loop goes comes first: ``x[:, t]`` is row ``t`` of ``x`` with its axes moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..joined import JOIN
from ..program import Function, Instruction, Program, Var
from .calls import array_var
from .rows import FEWEST

MOVEAXIS = Function("numpy", "moveaxis", np.moveaxis)


def rows_first(program: Program) -> Program:
    """Take eight or more slices along a later axis, and join them, as rows of an array with that axis in front."""
    often = Counter((i.args[0], axis_of(i.args[1])) for i in program.instructions if is_slice(i))
    fronts: dict[tuple[Var, int], Var] = {}
    blocks = [list(with_rows(i, often, fronts)) for i in program.instructions]
    return program.replaced(blocks, {})


def axis_of(key: Any) -> int | None:
    """The axis on which a key takes a number, after taking all of one or more others; None for other keys."""
    if type(key) is not tuple or len(key) < 2 or type(key[-1]) is not int:
        return None
    return len(key) - 1 if all(isinstance(k, slice) and k == slice(None) for k in key[:-1]) else None


def is_slice(i: Instruction) -> bool:
    """Whether an instruction takes a slice along a later axis."""
    return i.function.kind == "item" and isinstance(i.args[0], Var) and axis_of(i.args[1]) is not None


def with_rows(i: Instruction, often: Counter[Any], fronts: dict[tuple[Var, int], Var]) -> Iterator[Instruction]:
    """An instruction with rows in the place of slices."""
    if is_slice(i):
        x, key = i.args
        at = x, len(key) - 1
        if often[at] >= FEWEST:
            if at not in fronts:
                fronts[at] = moved(x, at[1], 0)
                yield replace(i, function=MOVEAXIS, args=(x, at[1], 0), out=fronts[at])
            yield replace(i, args=(fronts[at], key[-1]))
            return
    if i.function is JOIN and len(i.options["keys"]) >= FEWEST:
        axes = {axis_of(key) for key in i.options["keys"]}
        axis = axes.pop()
        numbers = [key[-1] for key in i.options["keys"]] if axis and not axes else []
        if axis and sorted(numbers) == list(range(i.out.shape[axis])):
            parts = [part for _, part in sorted(zip(numbers, i.args[0], strict=True), key=lambda pair: pair[0])]
            whole = array_var(f"{i.out.name}_rows", (len(parts), *np.delete(i.out.shape, axis).tolist()), i.out.dtype)
            yield replace(i, args=(parts,), options={"keys": tuple(range(len(parts))), "shape": whole.shape}, out=whole)
            yield replace(i, function=MOVEAXIS, args=(whole, 0, axis), options={})
            return
    yield i


def moved(x: Var, axis: int, to: int) -> Var:
    """A variable for ``x`` with an axis moved."""
    axes = list(range(len(x.shape)))
    axes.insert(to, axes.pop(axis))
    return replace(
        x,
        shape=tuple([x.shape[a] for a in axes]),
        order=tuple([axes.index(a) for a in x.order]),
        named=False,
        cotangent_of=None,
    )
