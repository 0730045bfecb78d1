"""Ufuncs repeat their arguments themselves: what only repeats an argument of one is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..program import Instruction, Program, Var
from .calls import is_entrywise_ufunc, shape_of


def drop_broadcasts(program: Program) -> Program:
    """Write ``broadcast_to(g, x.shape) * x`` as ``g * x``."""
    makers: dict[Var, Instruction] = {}
    kept = []
    for i in program.instructions:
        if is_entrywise_ufunc(i) and len(i.args) == 2 and i.out.is_array and not i.options:
            i = replace(i, args=unrepeated(i, makers))
        makers[i.out] = i
        kept.append(i)
    return program.rewritten(kept, {})


def unrepeated(i: Instruction, makers: dict[Var, Instruction]) -> tuple[Any, ...]:
    """The arguments, without repetitions that the result does not need."""
    args = list(i.args)
    for k, other in ((0, 1), (1, 0)):
        x = source(args[k], makers)
        if x is not args[k] and np.broadcast_shapes(shape_of(x), shape_of(args[other])) == i.out.shape:
            args[k] = x
    return tuple(args)


def source(x: Any, makers: dict[Var, Instruction]) -> Any:
    """What an argument repeats, or itself."""
    while isinstance(x, Var) and x in makers:
        i = makers[x]
        before = i.args[0] if i.args else None
        same = isinstance(before, Var) and before.dtype == x.dtype and issubclass(before.kind, np.ndarray | np.generic)
        if not same or i.function.name not in ("broadcast_to", "asarray"):
            break
        x = before
    return x
