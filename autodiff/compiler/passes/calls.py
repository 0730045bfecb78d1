"""The calls of NumPy that passes write themselves, and small questions that they ask."""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from ..program import Function, Instruction, Program, Var, variables

ADD = Function("ufunc", "add", np.add)
SUBTRACT = Function("ufunc", "subtract", np.subtract)
MULTIPLY = Function("ufunc", "multiply", np.multiply)
MATMUL = Function("ufunc", "matmul", np.matmul)
DOT = Function("method", "dot", lambda a, b: a.dot(b))  # the method takes three quarters of the function's time
TRANSPOSE = Function("attribute", "T", operator.attrgetter("T"))
ITEM = Function("item", "item", operator.getitem)
RESHAPE = Function("method", "reshape", lambda a, shape: a.reshape(shape))


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a variable or a constant."""
    return x.shape if isinstance(x, Var) else np.shape(x)


def dtype_of(x: Any) -> Any:
    """The dtype of a variable or a constant, None if it has none."""
    return getattr(x, "dtype", None)


def array_var(name: str, shape: tuple[int, ...], dtype: Any) -> Var:
    """A variable for an array that lies in C order."""
    return Var(name, np.ndarray, shape, dtype, tuple(range(len(shape))))


def in_c_order(v: Var) -> Var:
    """A variable like ``v`` for an array that lies in C order."""
    return replace(v, order=tuple(range(len(v.shape))))


def renamed(blocks: list[list[Instruction]], change: dict[Var, Any]) -> list[list[Instruction]]:
    """Instructions with other variables as arguments."""
    return [[i.with_args(lambda v: change.get(v, v)) for i in block] for block in blocks] if change else blocks


def counted_uses(program: Program) -> Counter[Var]:
    """How often each variable is needed, by instructions or as an output; what is only checked does not count."""
    uses = Counter(v for i in program.instructions for v in i.reads)
    uses.update(variables(program.outputs))
    return uses


def calls(instruction: Instruction | None, name: str) -> bool:
    """Whether an instruction is a plain call of NumPy's function ``name``."""
    return (
        instruction is not None
        and instruction.function.name == name
        and instruction.function.kind != "named"
        and not instruction.options
    )


def is_entrywise_ufunc(i: Instruction) -> bool:
    """Whether an instruction calls a ufunc that looks at one entry of each argument at a time."""
    return i.function.kind == "ufunc" and getattr(i.function.call, "signature", "") is None
