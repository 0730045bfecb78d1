"""What depends on constants alone is computed while compiling."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Instruction, Program, Var


def fold_constants(program: Program) -> Program:
    """Compute now what depends on constants alone."""
    change: dict[Var, Any] = {}
    kept: list[Instruction | None] = []
    for instruction in program.instructions:
        instruction = instruction.with_args(lambda v: change.get(v, v))
        if instruction.function.name == "power" and is_filled(instruction.args[1], 0):
            change[instruction.out] = np.ones(instruction.out.shape, instruction.out.dtype)[()]
            kept.append(None)
        elif instruction.function.name in FILLED and instruction.out.is_array:
            change[instruction.out] = filled(instruction)
            kept.append(None)
        elif instruction.reads or not instruction.function.pure:
            kept.append(instruction)
        else:
            change[instruction.out] = instruction.compute({})
            kept.append(None)
    return program.rewritten(kept, change)


FILLED = {"zeros_like": 0, "ones_like": 1}
"""What depends on the shape of its argument alone."""


def filled(instruction: Instruction) -> Any:
    """The constant that one of :data:`FILLED` gives, laid out as its argument is."""
    out = instruction.out
    shape = [out.shape[axis] for axis in out.order]
    array = np.full(shape, FILLED[instruction.function.name], out.dtype)
    return array.transpose([out.order.index(axis) for axis in range(len(out.order))])


def is_filled(x: Any, number: int) -> bool:
    """Whether ``x`` is a constant that holds nothing but ``number``."""
    if isinstance(x, Var):
        return False
    return isinstance(x, int | float | np.ndarray | np.generic) and bool(np.size(x)) and bool(np.all(x == number))
