"""The same line for every row of an array becomes one line for the whole array, outside of the loop.

What does not wait for the step before it, such as ``x[t] @ W.T``, is computed for all steps at once, before them; what
no step waits for, such as the outputs that are read off the states, after them.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...core.rule import TABLE
from ..joined import JOIN
from ..program import Instruction, Program, Var
from .calls import ITEM, RESHAPE, TRANSPOSE, array_var, calls, is_entrywise_ufunc, shape_of
from .equal import identity
from .rows import FEWEST, rows_of

LARGEST = 1 << 14
"""Rows of more entries are not worth the memory of all of them at once."""


def batch_rows(program: Program) -> Program:
    """Compute for all rows at once what eight or more of them ask for one by one."""
    tried: set[int] = set()
    while True:
        batches = [b for b in batches_of(program) if id(b.lines[0].instruction) not in tried]
        if not batches:
            return program
        together = rewritten(program, batches)
        if together is None:  # some wait for others: one after the other then
            together, batches = rewritten(program, batches[:1]), batches[:1]
        tried |= {id(b.lines[0].instruction) for b in batches}
        program = together or program


class Line(NamedTuple):
    """An instruction, where it stands, and the row that it is for."""

    k: int
    position: int
    instruction: Instruction


class Batch(NamedTuple):
    """Lines for rows that follow each other, of the arrays that stand for some of their arguments.

    ``wholes`` has for each argument the array whose rows it is, and how many rows after those of the first one.
    """

    lines: list[Line]
    wholes: tuple[tuple[Var, int] | None, ...]


def batches_of(program: Program) -> list[Batch]:
    """Lines that can be computed at once, none of which waits for another."""
    rows = {v: place for v, place in rows_of(program).items() if place[0].shape[0] >= FEWEST}
    before = Ancestors(program)
    found: defaultdict[Any, dict[int, Line]] = defaultdict(dict)
    split = program.split or 0
    for position, i in enumerate(program.instructions):
        places = [rows.get(x) if isinstance(x, Var) else None for x in i.args]
        if not any(places) or not is_rowwise(i, places):
            continue
        if any(place and before.has(i.out, place[0]) for place in places):
            continue
        start = next(place[1] for place in places if place)
        wholes = tuple([place and (place[0], place[1] - start) for place in places])
        rest = identity(([None if place else x for x, place in zip(i.args, places)], i.options))
        key = position < split, i.function.kind, i.function.name, wholes, rest, i.out.shape, i.out.dtype
        found[key][start] = Line(start, position, i)
    return [Batch(run, key[3]) for key, lines in found.items() for run in runs(lines)]


class Ancestors:
    """What is needed to compute an array that is joined of rows."""

    def __init__(self, program: Program) -> None:
        self.makers = {i.out: i for i in program.instructions}
        self.known: dict[Var, set[Var]] = {}

    def has(self, v: Var, whole: Var) -> bool:
        """Whether ``whole`` waits for ``v``."""
        if whole not in self.makers or self.makers[whole].function is not JOIN:
            return False
        if whole not in self.known:
            seen: set[Var] = set()
            self.known[whole] = seen
            pending = [whole]
            while pending:
                maker = self.makers.get(pending.pop())
                new = set(maker.reads) - seen if maker else set()
                seen |= new
                pending += new
        return v in self.known[whole]


def runs(lines: dict[int, Line]) -> Iterator[list[Line]]:
    """Lines for rows that follow each other, if they are enough."""
    run: list[Line] = []
    for k in [*sorted(lines), None]:
        if run and (k is None or k != run[-1].k + 1):
            if len(run) >= FEWEST:
                yield run
            run = []
        if k is not None:
            run.append(lines[k])


def is_rowwise(i: Instruction, places: Sequence[Any]) -> bool:
    """Whether an instruction does with an array of rows what it does with each row."""
    function, out = i.function, i.out
    if not out.is_array or not out.shape or math.prod(out.shape) > LARGEST:
        return False
    if function.kind == "operator":
        return bool(places[0]) and not any(places[1:]) and all(not shape_of(x) for x in i.args[1:])
    if is_entrywise_ufunc(i) or is_entrywise_row(i):
        same = [shape_of(x) for x, place in zip(i.args, places) if not place]
        whole = [shape_of(x) for x, place in zip(i.args, places) if place]
        n = len(out.shape)
        return not i.options and all(len(s) == n for s in whole) and all(len(s) <= n for s in same)
    if not calls(i, "dot"):
        return False
    rows_left = bool(places[0]) and not places[1] and len(shape_of(i.args[1])) == 2
    return rows_left or (not places[0] and len(shape_of(i.args[0])) == 2 and len(out.shape) == 1)


def is_entrywise_row(i: Instruction) -> bool:
    """Whether an instruction calls the forward function of an elementwise row."""
    rule = TABLE.get(i.function.name) if i.function.kind == "named" else None
    return rule is not None and rule.entrywise and rule.forward is i.function.call and i.function.pure


def rewritten(program: Program, batches: list[Batch]) -> Program | None:
    """The program with one line for each batch, in an order in which none comes too early; None if there is none."""
    before: defaultdict[int, list[Instruction]] = defaultdict(list)
    instead: dict[int, Instruction] = {}
    for batch in batches:
        lines = list(at_once(batch))
        before[min(line.position for line in batch.lines)] += lines
        whole = lines[-1].out
        for n, line in enumerate(batch.lines):
            instead[line.position] = replace(line.instruction, function=ITEM, args=(whole, n), options={})
    blocks = [[*before.get(k, []), instead.get(k, i)] for k, i in enumerate(program.instructions)]
    new = program.replaced(blocks, {})
    split = len(new.instructions) if new.split is None else new.split
    halves = [in_time(new.instructions[:split]), in_time(new.instructions[split:])]
    if None in halves:
        return None
    new.instructions = [i for half in halves if half for i in half]
    return new


def in_time(instructions: list[Instruction]) -> list[Instruction] | None:
    """The instructions in their order, but each after those whose results it reads; None if they wait in a circle."""
    position = {i.out: k for k, i in enumerate(instructions)}
    waits = [{position[v] for v in i.reads if v in position} for i in instructions]
    readers: defaultdict[int, list[int]] = defaultdict(list)
    for k, others in enumerate(waits):
        for other in others:
            readers[other].append(k)
    ready = [k for k, others in enumerate(waits) if not others]
    done: list[Instruction] = []
    while ready:
        k = heapq.heappop(ready)
        done.append(instructions[k])
        for reader in readers[k]:
            waits[reader].discard(k)
            if not waits[reader]:
                heapq.heappush(ready, reader)
    return done if len(done) == len(instructions) else None


def at_once(batch: Batch) -> Iterator[Instruction]:
    """What computes the results of all lines, one below the other."""
    n, first = len(batch.lines), batch.lines[0]
    i = first.instruction
    args = list(i.args)
    for a, place in enumerate(batch.wholes):
        if place is not None:
            whole, shift = place
            args[a] = whole
            if n < whole.shape[0]:
                start = first.k + shift
                args[a] = array_var(whole.name, (n, *whole.shape[1:]), whole.dtype)
                yield replace(i, function=ITEM, args=(whole, slice(start, start + n)), options={}, out=args[a])
    out = array_var(f"{i.out.name}_rows", (n, *i.out.shape), i.out.dtype)
    if i.function.name == "dot" and batch.wholes[0] is None:  # W @ x[t] is x[t] @ W.T
        turned = array_var("T", args[0].shape[::-1], out.dtype)
        yield replace(i, function=TRANSPOSE, args=(args[0],), options={}, out=turned)
        args = [args[1], turned]
    if i.function.name != "dot" or len(i.out.shape) == 1:
        yield replace(i, args=tuple(args), out=out)
        return
    flat = [(math.prod(v.shape[:-1]), v.shape[-1]) for v in (args[0], out)]
    left, product = [array_var(f"flat_{v.name}", shape, out.dtype) for v, shape in zip((args[0], out), flat)]
    yield replace(i, function=RESHAPE, args=(args[0], flat[0]), options={}, out=left)
    yield replace(i, args=(left, args[1]), out=product)
    yield replace(i, function=RESHAPE, args=(product, out.shape), options={}, out=out)
