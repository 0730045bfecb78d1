"""Whether all is finite is asked of few and small variables."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from ..program import Instruction, Program, Var, variables
from .rows import rows_of


def promise_less(program: Program) -> Program:
    """Ask of fewer and smaller variables whether they are finite: what an infinity would have spread to says it too."""
    split = len(program.instructions) if program.split is None else program.split
    position = {i.out: k for k, i in enumerate(program.instructions)}
    says: dict[Var, Var] = {}
    """For each variable one that is sure not to be finite either."""

    def cheapest(v: Var, others: list[Var]) -> Var:
        return min([v, *others], key=lambda w: (math.prod(w.shape) // FEW, -position.get(w, -1)))

    def passing(k: int, i: Instruction) -> list[Var]:
        """What has its infinities seen in the result; the forward part must find out for itself."""
        return [v for v in i.reads if (position.get(v, -1) < split) == (k < split) and spreads(i, v)]

    reached: dict[Var, list[Var]] = {}
    for k, i in reversed(list(enumerate(program.instructions))):
        says[i.out] = cheapest(i.out, reached.get(i.out, []))
        for v in passing(k, i):
            reached.setdefault(v, []).append(says[i.out])
    new = program.rewritten(program.instructions, {})
    makers = {i.out: i for i in program.instructions}
    wholes = [base_of(v, makers, split, position) for v in program.finite]
    asked = dict.fromkeys(says.get(v, v) for v in wholes)
    told: set[Var] = set()
    """What an infinity in it would reach that is asked of as well."""
    for k, i in reversed(list(enumerate(program.instructions))):
        if i.out in asked or i.out in told:
            told |= {*passing(k, i)}
    asked = {v: None for v in asked if v not in told}
    rows = {
        v: whole
        for v, (whole, _) in rows_of(program).items()
        if v in position and whole in position and (position[v] < split) == (position[whole] < split)
    }
    often = Counter(rows.get(v) for v in asked)
    new.finite = list(dict.fromkeys(rows[v] if v in rows and often[rows[v]] > 1 else v for v in asked))
    return new


def base_of(v: Var, makers: dict[Var, Instruction], split: int, position: dict[Var, int]) -> Var:
    """What has the same numbers as ``v`` in another shape, and is computed in the same part."""
    while v in makers and makers[v].function.name in ("T", "mT", "transpose", "reshape", "ravel"):
        x = makers[v].args[0]
        if x not in position or (position[x] < split) != (position[v] < split):
            break
        v = x
    return v


FEW = 64
"""Looking at so many numbers takes no longer than looking at one."""
LINEAR = frozenset(["add", "subtract", "multiply", "negative"])
SHAPES = frozenset(["reshape", "ravel", "T", "mT", "transpose", "broadcast_to", "copy"])


def spreads(instruction: Instruction, v: Var) -> bool:
    """Whether the result is sure to have an infinity or a nan if ``v`` has one anywhere."""
    function, args = instruction.function, instruction.args
    if 0 in instruction.out.shape:
        return False
    if function.kind == "reduce":
        return function.name == "add" and set(instruction.options) <= {"axis", "keepdims"}
    if function.kind == "ufunc" and function.name in LINEAR:
        return not instruction.options
    if function.name == "dot" and len(args) == 2 and args[1] is v and len(v.shape) == 2:
        return not isinstance(args[0], Var) and bool(np.all(args[0] != 0))
    if function.name in ("stack", "concatenate", "join"):
        return any(a is v for a in variables(args))
    if function.name == "scatter_add":
        key = instruction.options["key"]
        return args[0] is v and all(isinstance(k, slice | int) for k in (key if type(key) is tuple else (key,)))
    return function.name in SHAPES and args[0] is v
