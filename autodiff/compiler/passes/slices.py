"""Gradients of slices: zeros around each one, all added up, are one array into which every slice is written."""

from __future__ import annotations

from typing import Any

from ..joined import JOIN
from ..program import Program, Var
from .sums import Group, Sums, Term


def join_slices(program: Program) -> Program:
    """Write gradients of slices of one array into one array."""
    return SliceSums(program).rewritten()


class SliceSums(Sums):
    """Sums of arrays that are 0 but for one slice."""

    def term_of(self, v: Var) -> Term | None:
        """A slice: its key, and what is there."""
        i = self.makers.get(v)
        if i is None or self.uses[v] > 1 or i.function is not JOIN or len(i.options["keys"]) != 1:
            return None
        return Term(i.options["shape"], i.options["keys"][0], i.args[0][0])

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
