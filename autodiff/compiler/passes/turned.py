"""Products are not transposed: ``(a.T @ b).T`` is ``b.T @ a``, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..program import Instruction, Program, Var
from .calls import DOT, array_var, calls, counted_uses, in_c_order, renamed, shape_of


def turn_products(program: Program) -> Program:
    """Write the transpose of a product as the product of the transposes, so that it lies in memory as it is needed."""
    makers = {i.out: i for i in program.instructions}
    uses = counted_uses(program)
    blocks: list[list[Instruction]] = []
    change: dict[Var, Any] = {}
    for i in program.instructions:
        product = makers.get(i.args[0]) if calls(i, "T") else None
        if (
            product is not None
            and calls(product, "dot")
            and uses[product.out] == 1
            and all(len(shape_of(x)) == 2 for x in product.args)
        ):
            blocks.append(list(turned(product, i)))
            change[i.out] = change[product.out] = blocks[-1][-1].out
        else:
            blocks.append([i])
    return program.replaced(renamed(blocks, change), change)


def turned(product: Instruction, transpose: Instruction) -> Iterator[Instruction]:
    """What gives the transpose of a product without making the product."""
    factors: list[Any] = []
    for x in reversed(product.args):
        if isinstance(x, Var):
            view = array_var("T", x.shape[::-1], x.dtype)
            view.order = tuple([len(x.order) - 1 - axis for axis in x.order])
            yield replace(transpose, args=(x,), out=view)
            factors.append(view)
        else:
            factors.append(x.T)
    yield replace(product, function=DOT, args=tuple(factors), out=in_c_order(transpose.out))
