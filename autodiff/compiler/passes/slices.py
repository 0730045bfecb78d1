"""Gradients of slices: zeros around each one, all added up, are one array into which every slice is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..joined import JOIN
from ..program import Program, Var
from .sums import Group, Sums, Term

WHOLE = slice(None)


def join_slices(program: Program) -> Program:
    """Write gradients of slices of one array into one array, with what else is added to them."""
    return SliceSums(program).rewritten()


class SliceSums(Sums):
    """Sums in which there are arrays that are 0 but for one slice."""

    def term_of(self, v: Var) -> Term | None:
        """A slice: its key, and what is there."""
        i = self.makers.get(v)
        if i is None or self.uses[v] > 1 or i.function is not JOIN or len(i.options["keys"]) != 1:
            return None
        return Term(i.options["shape"], i.options["keys"][0], i.args[0][0])

    def grouped(self, k: int, summands: Sequence[Any]) -> tuple[list[Group], list[Any], list[Var]]:
        """Everything as one group, if there is a slice: the other summands are slices that take all."""
        terms = [self.term_of(v) if isinstance(v, Var) else None for v in summands]
        if not any(terms):
            return [], list(summands), []
        shape = self.program.instructions[k].out.shape
        every = [term or Term(shape, WHOLE, v) for v, term in zip(summands, terms, strict=True)]
        if terms[0] and not terms[1]:
            every[:2] = every[1::-1]  # to start with all saves the zeros, and two numbers are added in either order
        return [Group(k, every)], [], [v for v, term in zip(summands, terms, strict=True) if term]

    def in_one(self, group: Group) -> Var:
        """One array with all slices; what has the same key is added up before."""
        k, terms = group
        keys = {repr(t.left): t.left for t in terms}
        at: dict[str, list[Any]] = {key: [] for key in keys}
        for t in terms:
            at[repr(t.left)].append(t.right)
        parts = [self.added(k, found) for found in at.values()]
        shape = terms[0].kind
        return self.write(k, JOIN, (parts,), {"keys": tuple(keys.values()), "shape": shape}, shape)
