"""What no output depends on is dropped."""

from __future__ import annotations

from ..program import Instruction, Program, variables


def drop_dead(program: Program) -> Program:
    """Drop what no output depends on, but for draws: who draws next must find its generator as it would be."""
    needed = set(variables(program.outputs))
    kept: list[Instruction | None] = []
    for instruction in reversed(program.instructions):
        if instruction.out in needed or not instruction.function.pure:
            needed.update(instruction.reads)
            kept.append(instruction)
        else:
            kept.append(None)
    program = program.rewritten(kept[::-1], {})
    program.finite = [v for v in program.finite if v in needed]
    return program
