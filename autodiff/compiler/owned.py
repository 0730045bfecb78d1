"""What a compiled function hands out is the caller's own: no input, no constant, no view, and nothing twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from .program import Function, Instruction, Program, Var, var_like, variables

COPY = Function("method", "copy", lambda array: array.copy())


def own_outputs(program: Program) -> Program:
    """Copy outputs that share memory with something else."""
    fresh = {i.out for i in program.instructions if i.function.fresh}
    viewed = {v for i in program.instructions if not i.function.fresh for v in i.reads}
    split = len(program.instructions) if program.split is None else program.split
    results = len(program.outputs) if program.results is None else program.results
    forward, backward = program.instructions[:split], program.instructions[split:]
    needed_later = {v for i in backward for v in i.reads}
    out: list[Any] = []
    seen: set[Var] = set()
    for k, y in enumerate(program.outputs):
        array = isinstance(y, np.ndarray) or (isinstance(y, Var) and y.is_array)
        own = isinstance(y, Var) and y in fresh and y not in viewed and y not in seen
        if k < results and own and y in needed_later:
            own = False  # the caller may write into it before the backward part reads it
        if not array or own:
            seen.update(variables(y))
            out.append(y)
            continue
        copied = (
            var_like(y, "constant")
            if isinstance(y, np.ndarray)
            else Var(y.name, y.kind, y.shape, y.dtype, y.order, y.named, y.cotangent_of)
        )
        (forward if k < results else backward if program.split is not None else forward).append(
            Instruction(COPY, (y,), {}, copied)
        )
        out.append(copied)
    new = program.rewritten([*forward, *backward], {})
    new.outputs, new.split = out, None if program.split is None else len(forward)
    return new


def given_draws(program: Program) -> Program:
    """The program with random numbers as inputs, after the others, instead of drawn anew."""
    draws = set(program.draws)
    new = program.rewritten([None if i.out in draws else i for i in program.instructions], {})
    new.inputs = [*program.inputs, *program.draws]
    return new


def showing_draws(program: Program) -> Program:
    """The program with the random numbers that it draws as results more."""
    results = len(program.outputs) if program.results is None else program.results
    new = program.rewritten(program.instructions, {})
    new.outputs = [*program.outputs[:results], *program.draws, *program.outputs[results:]]
    new.results = results + len(program.draws)
    return new
