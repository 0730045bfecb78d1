"""Rows: variables that are ``x[0]``, ``x[1]``, ... of one array, as a loop over it makes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..joined import JOIN
from ..program import Instruction, Program, Var

FEWEST = 8
"""Fewer rows are not put together."""

Rows = dict[Any, tuple[Var, int]]
"""Of which array a variable is a row, and which; a constant goes by its identity."""


def name_of(x: Any) -> Any:
    """What a variable or constant goes by."""
    return x if isinstance(x, Var) else id(x)


def rows_in(instruction: Instruction) -> Rows:
    """The variables that an instruction makes rows of an array, by taking one or by joining them."""
    if instruction.function.kind == "item":
        whole, k = instruction.args
        if type(k) is tuple and len(k) == 1:
            (k,) = k
        known = isinstance(whole, Var) and whole.is_array and type(k) is int
        return {instruction.out: (whole, k % whole.shape[0])} if known else {}
    if instruction.function is JOIN:
        keys = instruction.options["keys"]
        if list(keys) == list(range(len(keys))):
            return {name_of(part): (instruction.out, k) for k, part in enumerate(instruction.args[0])}
    return {}


def rows_of(program: Program) -> Rows:
    """All rows of a program; a variable that is one of several arrays is counted to the first."""
    rows: Rows = {}
    for instruction in program.instructions:
        for row, place in rows_in(instruction).items():
            rows.setdefault(row, place)
    return rows


def run_of(parts: Sequence[Any], rows: Rows) -> tuple[Var, int] | None:
    """The array of which ``parts`` are rows that follow each other, and which of them is the first."""
    found = [rows.get(name_of(p)) for p in parts]
    if found[0] is None:
        return None
    whole, first = found[0]
    return (whole, first) if found == [(whole, first + k) for k in range(len(parts))] else None


def merged(sequences: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Sequences without repetition: those that go on where another ends, or inside of it, are made one."""
    after: dict[int, Any] = {}
    before: dict[int, Any] = {}
    known: dict[int, Any] = {}
    alone = []
    for parts in sequences:
        pairs = list(pairwise(parts))
        if any(after.get(id(a), b) is not b or before.get(id(b), a) is not a for a, b in pairs):
            alone.append(list(parts))  # it has the same rows in another order
            continue
        known |= {id(p): p for p in parts}
        after |= {id(a): b for a, b in pairs}
        before |= {id(b): a for a, b in pairs}
    chains = []
    for start in [p for i, p in known.items() if i not in before]:
        chain = [start]
        while id(chain[-1]) in after:
            chain.append(after[id(chain[-1])])
        chains.append(chain)
    return chains + alone
