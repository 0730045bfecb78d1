"""A product with a column is a product with a vector: ``W @ v[:, None]`` without its last axis is ``W @ v``."""

from __future__ import annotations

from dataclasses import replace

from ..program import Instruction, Program, Var
from .calls import calls


def drop_columns(program: Program) -> Program:
    """Multiply matrices and vectors as such, to the last bit."""
    makers = {i.out: i for i in program.instructions}
    return program.rewritten([flattened(i, makers) for i in program.instructions], {})


def flattened(i: Instruction, makers: dict[Var, Instruction]) -> Instruction:
    """The product that an instruction takes the last axis of, if it is with a column that was a vector."""
    product = makers.get(i.args[0]) if takes_last_axis(i, "squeeze") else None
    if product is None or not calls(product, "dot") or len(i.out.shape) != 1:
        return i
    matrix, column = product.args
    before = makers.get(column) if isinstance(column, Var) else None
    if before is None or not takes_last_axis(before, "expand_dims"):
        return i
    return replace(product, args=(matrix, before.args[0]), out=i.out)


def takes_last_axis(i: Instruction, name: str) -> bool:
    """Whether an instruction does something with the last axis alone, which then goes or comes."""
    ranks = {len(x.shape) for x in (i.args[0], i.out)} if i.args and isinstance(i.args[0], Var) else set()
    axes = [*i.args[1:], *i.options.values()]
    return i.function.name == name and ranks == {1, 2} and len(axes) == 1 and axes[0] in (-1, 1, (-1,), (1,))
