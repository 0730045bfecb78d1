"""Sums of many terms, as the gradients of what a loop uses at each step, and how they are written anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..program import Function, Instruction, Program, Var
from .calls import ADD, array_var, calls, counted_uses, in_c_order, renamed


class Term(NamedTuple):
    """A summand made of two things, or one.  Terms of one ``kind`` can be put together.

    One that is not ``consumed`` is still computed itself.
    """

    kind: tuple[Any, ...]
    left: Any
    right: Any
    consumed: bool = True


class Group(NamedTuple):
    """Terms of one kind in the sum that instruction ``position`` completes."""

    position: int
    terms: list[Term]


class Sums:
    """Finds the sums in a program, and writes those anew that become shorter.

    A subclass says which terms can be put together, and into what.
    """

    fewest = 2
    """How many terms of one kind are worth it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.makers = {i.out: i for i in program.instructions}
        self.position = {i.out: k for k, i in enumerate(program.instructions)}
        self.uses = counted_uses(program)
        self.first_read: dict[Var, int] = {}
        for k, i in enumerate(program.instructions):
            for v in i.reads:
                self.first_read.setdefault(v, k)
        self.after: dict[int, list[Instruction]] = {}
        """What is inserted behind an instruction."""
        self.instead: dict[int, list[Instruction]] = {}
        self.moved: dict[int, int] = {}
        """Where a sum is computed now, if not in its old place."""
        self.change: dict[Var, Any] = {}
        """For what is no longer computed, the sum that it was added to, which is finite only if it was."""

    def term_of(self, v: Var) -> Term | None:
        """What a summand is, if it can be put together with others."""
        raise NotImplementedError

    def in_one(self, group: Group) -> Var:
        """The sum of a group."""
        raise NotImplementedError

    def prepared(self, groups: list[Group]) -> list[Group]:
        """The groups in the order in which they are to be written."""
        return groups

    def rewritten(self) -> Program:
        """The program with shorter sums."""
        groups: list[Group] = []
        rest: dict[int, list[Any]] = {}
        for k, inner, summands in self.sums():
            joined, rest[k], gone = self.grouped(k, summands)
            groups += joined
            if joined:
                old = self.program.instructions[k].out
                self.change[old] = new = in_c_order(old)
                gone += inner
                self.change |= dict.fromkeys(gone, new)
                self.instead |= {self.position[v]: [] for v in gone}
        made: dict[int, list[Var]] = {}
        for group in self.prepared(groups):
            made.setdefault(group.position, []).append(self.in_one(group))
        for k, sums in made.items():
            total = self.added(k, [*rest[k], *sums])
            out = self.change[self.program.instructions[k].out]
            self.instead[k] = [replace(i, out=out) if i.out is total else i for i in self.instead[k]]
        blocks = [self.instead.get(k, [i]) for k, i in enumerate(self.program.instructions)]
        for k, to in self.moved.items():
            self.after.setdefault(to, []).extend(blocks[k])
            blocks[k] = []
        blocks = [[*block, *self.after.get(k, [])] for k, block in enumerate(blocks)]
        return self.program.replaced(renamed(blocks, self.change), self.change)

    def sums(self) -> Iterator[tuple[int, list[Var], list[Any]]]:
        """The last addition of each sum, the sums that it completes, and all its summands in order."""
        seen: set[Var] = set()
        for k in range(len(self.program.instructions) - 1, -1, -1):
            last = self.program.instructions[k]
            if last.out in seen or not is_sum(last):
                continue
            inner: list[Var] = []
            summands: list[Any] = []
            pending = list(last.args)
            while pending:
                v = pending.pop()
                if self.is_inner(v) and self.side(v) == self.side(last.out):
                    inner.append(v)
                    pending += self.makers[v].args
                else:
                    summands.append(v)
            seen.update(inner)
            yield k, inner, summands[::-1]

    def is_inner(self, v: Any) -> bool:
        """Whether a summand is a sum that nothing else needs."""
        return isinstance(v, Var) and self.uses[v] == 1 and is_sum(self.makers.get(v))

    def side(self, v: Var) -> bool:
        """Whether a variable is computed in the backward part."""
        return self.program.split is not None and self.position.get(v, -1) >= self.program.split

    def grouped(self, k: int, summands: Sequence[Any]) -> tuple[list[Group], list[Any], list[Var]]:
        """The summands that can be put together, by kind, the others, and those that are gone then."""
        terms = [self.term_of(v) if isinstance(v, Var) else None for v in summands]
        kinds: dict[Any, list[Term]] = {}
        for term in terms:
            if term is not None:
                kinds.setdefault(term.kind, []).append(term)
        many = {kind: found for kind, found in kinds.items() if len(found) >= self.fewest}
        used = [term is not None and term.kind in many for term in terms]
        rest = [v for v, so in zip(summands, used, strict=True) if not so]
        gone = [v for v, term, so in zip(summands, terms, used, strict=True) if so and term and term.consumed]
        return [Group(k, found) for found in many.values()], rest, gone

    def write(self, k: int, function: Function, args: tuple[Any, ...], options: Any, shape: Any, name: str = "") -> Var:
        """Add an instruction in the place of instruction ``k``."""
        i = self.program.instructions[k]
        out = array_var(name or function.name, tuple(shape), i.out.dtype)
        self.instead.setdefault(k, []).append(replace(i, function=function, args=args, options=options, out=out))
        return out

    def added(self, k: int, summands: Sequence[Any]) -> Any:
        """Add arrays in the place of instruction ``k``."""
        total, *others = summands
        for v in others:
            total = self.write(k, ADD, (total, v), {}, v.shape)
        return total


def is_sum(i: Instruction | None) -> bool:
    """Whether an instruction adds two arrays of one shape and dtype."""
    return (
        i is not None
        and calls(i, "add")
        and i.out.is_array
        and all(isinstance(x, Var | np.ndarray) and (x.shape, x.dtype) == (i.out.shape, i.out.dtype) for x in i.args)
    )
