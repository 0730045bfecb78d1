"""What is computed twice is computed once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Instruction, Program, Var


def share_equal_lines(program: Program) -> Program:
    """Compute once what is computed twice."""
    change: dict[Var, Any] = {}
    first: dict[Any, Var] = {}
    kept: list[Instruction | None] = []
    for instruction in program.instructions:
        instruction = instruction.with_args(lambda v: change.get(v, v))
        function = instruction.function
        called = id(function.call) if function.kind == "named" else function.name
        key = (function.kind, called, identity((instruction.args, instruction.options)))
        same = first.setdefault(key, instruction.out) if function.pure else instruction.out
        if same is instruction.out:
            kept.append(instruction)
        else:
            change[instruction.out] = same
            kept.append(None)
    return program.rewritten(kept, change)


def identity(tree: Any) -> Any:
    """A key that is equal for arguments that are certain to be equal."""
    if isinstance(tree, tuple | list):
        return (type(tree), *map(identity, tree))
    if isinstance(tree, dict):
        return tuple([(key, identity(branch)) for key, branch in tree.items()])
    if isinstance(tree, slice):
        return (slice, identity(tree.start), identity(tree.stop), identity(tree.step))
    if isinstance(tree, int | float | complex | str | bytes | np.dtype | np.generic | None):
        return (type(tree), repr(tree))  # 0.0 and -0.0 are equal, and not the same
    return id(tree)
