"""Powers of two and signs go to constants, or to the smaller factor, to the last bit.

``g * (2 * x)`` is ``(2 * g) * x``, and ``-(100 * x)`` is ``-100 * x``.  And what is added with a sign is subtracted.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ..program import Instruction, Program, Var
from .calls import MULTIPLY, SUBTRACT, calls, counted_uses, dtype_of, shape_of


def scale_the_smaller(program: Program) -> Program:
    """Scale numbers instead of arrays where a product is scaled by a power of two, or turned around."""
    makers: dict[Var, Instruction] = {}
    uses = counted_uses(program)
    blocks: list[list[Instruction]] = []
    says: dict[Var, Any] = {}
    for k, i in enumerate(program.instructions):
        if k == program.split:
            makers = {}  # a promise of the forward part stays there
        block: list[Instruction] = []
        pending = [i]
        while pending:
            i = pending.pop(0)
            found = next(filter(None, (change(i, makers, uses) for change in CHANGES)), None)
            if found:
                says |= {x: i.out for x in i.reads if uses[x] == 1}  # it is finite only if they are
                pending = found + pending
            else:
                block.append(i)
                makers[i.out] = i
        blocks.append(block)
    new = program.replaced(blocks, {})
    new.finite = list(dict.fromkeys([last(v, says) for v in program.finite]))
    return new


def last(v: Var, says: dict[Var, Any]) -> Var:
    """The variable that is promised in the place of ``v``, which may not be computed any more."""
    while v in says:
        v = says[v]
    return v


def moved(i: Instruction, makers: dict[Var, Instruction], uses: Any) -> list[Instruction] | None:
    """``small * (scale * x)`` as ``small * scale`` and the product of that and ``x``."""
    if not calls(i, "multiply"):
        return None
    for small, large in (i.args, i.args[::-1]):
        scaled = made_for_this(large, makers, uses)
        if scaled is None or not is_smaller(small, i.out):
            continue
        for scale, x in scales_of(scaled):
            if dtype_of(x) == i.out.dtype and shape_of(x) == shape_of(large):
                number = replace(small, name="scaled", named=False, cotangent_of=None)
                first = replace(i, function=MULTIPLY, args=(small, scale), out=number)
                return [first, replace(i, args=(number, x))]
    return None


def gathered(i: Instruction, makers: dict[Var, Instruction], uses: Any) -> list[Instruction] | None:
    """``scale * (small * x)`` likewise."""
    for scale, product in scales_of(i):
        factors = made_for_this(product, makers, uses)
        if factors is None or not calls(factors, "multiply") or product.dtype != i.out.dtype:
            continue
        for small, x in (factors.args, factors.args[::-1]):
            if not is_smaller(small, i.out) or dtype_of(x) != i.out.dtype or shape_of(x) != i.out.shape:
                continue
            number = replace(small, name="scaled", named=False, cotangent_of=None)
            return [
                replace(factors, args=(small, scale), out=number),
                replace(factors, args=(number, x), out=i.out),
            ]
    return None


def folded(i: Instruction, makers: dict[Var, Instruction], uses: Any) -> list[Instruction] | None:
    """``scale * (constant * x)`` and ``constant * (scale * x)`` as one product; the constant is scaled now."""
    for outer, product in constants_of(i):
        scaled = made_for_this(product, makers, uses)
        for inner, x in constants_of(scaled) if scaled else []:
            same = dtype_of(x) == product.dtype == i.out.dtype
            if not same or not (is_exact(outer) or is_exact(inner)):
                continue
            with np.errstate(over="ignore"):
                factor = outer * inner
            if np.all(np.isfinite(factor)):
                return [replace(i, function=MULTIPLY, args=(factor, x))]
    return None


def subtracted(i: Instruction, makers: dict[Var, Instruction], uses: Any) -> list[Instruction] | None:
    """``x + -y`` as ``x - y``."""
    if not calls(i, "add"):
        return None
    for x, y in (i.args, i.args[::-1]):
        turned = made_for_this(y, makers, uses)
        if calls(turned, "negative") and turned is not None and dtype_of(x) == dtype_of(y) == i.out.dtype:
            return [replace(i, function=SUBTRACT, args=(x, turned.args[0]))]
    return None


CHANGES = (folded, moved, gathered, subtracted)


def made_for_this(x: Any, makers: dict[Var, Instruction], uses: Any) -> Instruction | None:
    """What made ``x``, if nobody else needs it."""
    return makers.get(x) if isinstance(x, Var) and uses[x] == 1 else None


def is_smaller(x: Any, out: Var) -> bool:
    """Whether ``x`` is a variable for a real array, or number, of fewer entries than ``out`` and of its dtype."""
    if not isinstance(x, Var) or x.dtype is None or x.dtype != out.dtype or x.dtype.kind != "f":
        return False  # products of complex numbers are rounded as their places in memory have it
    return math.prod(x.shape) < math.prod(out.shape)


def scales_of(i: Instruction) -> list[tuple[Any, Any]]:
    """The exact scale and what it scales, if an instruction does no more than that."""
    if calls(i, "negative"):
        return [(-1, i.args[0])]
    if not calls(i, "multiply"):
        return []
    return [(scale, x) for scale, x in (i.args, i.args[::-1]) if is_exact(scale)]


def constants_of(i: Instruction) -> list[tuple[Any, Var]]:
    """The constant factor, and what it multiplies, if an instruction does no more with real arrays than that."""
    if calls(i, "negative"):
        pairs = [(-1, i.args[0])]
    elif calls(i, "multiply"):
        pairs = [(i.args[0], i.args[1]), (i.args[1], i.args[0])]
    else:
        return []
    if i.out.dtype is None or i.out.dtype.kind != "f":
        return []
    return [(c, x) for c, x in pairs if isinstance(x, Var) and (type(c) in (int, float) or is_constant_of(c, i.out))]


def is_constant_of(c: Any, out: Var) -> bool:
    """Whether ``c`` is a constant of the dtype of ``out``."""
    return isinstance(c, np.ndarray | np.generic) and c.dtype == out.dtype


def is_exact(scale: Any) -> bool:
    """Whether a product with ``scale`` is never rounded."""
    return isinstance(scale, int | float | np.generic) and scale in (2, 4, 8, -1)
