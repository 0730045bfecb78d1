"""Sums of products over the steps of a loop become one product of all rows.

A loop over ``x[t]`` leaves ``g[0].T @ x[0] + g[1].T @ x[1] + ...`` as the gradient of its weights.  That is the product
of two taller matrices, ``G.T @ X``, and each step computes its rows of these in their places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..joined import rows_joined
from ..program import Instruction, Program, Var
from .calls import DOT, ITEM, RESHAPE, TRANSPOSE, calls, dtype_of, shape_of
from .rows import FEWEST, merged, name_of, rows_of, run_of
from .sums import Group, Sums, Term


def multiply_at_once(program: Program) -> Program:
    """Make one product of eight or more that are added up."""
    return ProductSums(program).rewritten()


def adds_axis(i: Instruction, axis: int) -> bool:
    """Whether an instruction makes a column, for axis -1, or a row, for -2, of a vector."""
    axes = [*i.args[1:], *i.options.values()]
    return i.function.name == "expand_dims" and len(shape_of(i.args[0])) == 1 and axes in ([axis], [axis + 2])


class ProductSums(Sums):
    """Sums of ``left.T @ right``, or of ``left @ right`` for constant vectors."""

    fewest = FEWEST

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.rows = rows_of(program)
        columns = [i for i in program.instructions if i.function.name == "expand_dims" and adds_axis(i, -1)]
        self.vectors = {*self.rows, *[i.args[0] for i in columns if isinstance(i.args[0], Var)]}
        """What may be rows of one array."""

    def term_of(self, v: Var) -> Term | None:
        """The factors of a product; else a vector by itself."""
        i = self.makers.get(v)
        if i is not None and self.uses[v] == 1:
            term = self.product(i) if calls(i, "dot") else self.outer_product(i)
            if term is not None:
                return term
        is_row = len(v.shape) == 1 and v in self.vectors
        return Term(("row", v.shape), None, v, consumed=False) if is_row else None

    def outer_product(self, i: Instruction) -> Term | None:
        """The vectors that an outer product is made of, ``left[:, None] * right``, or its transpose."""
        if calls(i, "T") and self.uses[i.args[0]] == 1 and i.args[0] in self.makers:
            turned = self.outer_product(self.makers[i.args[0]])
            return turned and Term(("product", *turned.kind[:0:-1]), turned.right, turned.left)
        if not calls(i, "multiply"):
            return None
        left, right = [self.vector(x, axis) for x, axis in zip(i.args, (-1, -2))]
        if left is None or right is None or {dtype_of(left), dtype_of(right)} != {i.out.dtype}:
            return None
        return Term(("product", shape_of(right), shape_of(left)), left, right)

    def vector(self, x: Any, axis: int) -> Any:
        """The vector that an argument is, with or without another axis; None if it is something else."""
        before = self.makers.get(x) if isinstance(x, Var) else None
        if before is not None and adds_axis(before, axis):
            return before.args[0]
        return x if axis == -2 and len(shape_of(x)) == 1 else None

    def product(self, i: Instruction) -> Term | None:
        """The factors of a product of matrices, or of a constant vector and a matrix."""
        left, right = i.args
        if len(shape_of(right)) != 2 or dtype_of(left) != dtype_of(right):
            return None
        if not isinstance(left, Var):
            vector = left.ndim == 1
            return Term(("vector" if vector else "product", right.shape, left.shape), left if vector else left.T, right)
        turned = self.makers.get(left)
        if turned is None or not calls(turned, "T") or len(left.shape) != 2:
            return None
        return Term(("product", shape_of(right), left.shape), turned.args[0], right)

    def prepared(self, groups: list[Group]) -> list[Group]:
        """The groups, first those that know in which order time went; what they read as rows is joined."""
        wanted = []
        for group in groups:
            if group.terms[0].kind[0] == "product":
                terms = self.in_order(group.terms)
                wanted += [[t.left for t in terms], [t.right for t in terms]]
        for parts in merged([parts for parts in wanted if run_of(parts, self.rows) is None]):
            self.make_rows(parts)
        return sorted(groups, key=lambda group: group.terms[0].kind[0])

    def in_one(self, group: Group) -> Var:
        """The product of all rows."""
        k = group.position
        terms = self.in_order(group.terms)
        if terms[0].kind[0] == "row":
            return self.sum_of_rows(k, [t.right for t in terms])
        right = self.flat(k, [t.right for t in terms])
        if terms[0].kind[0] == "vector":
            return self.write(k, DOT, (np.concatenate([t.left for t in terms]), right), {}, right.shape[1:])
        left = self.flat(k, [t.left for t in terms])
        turned = self.write(k, TRANSPOSE, (left,), {}, left.shape[::-1])
        return self.write(k, DOT, (turned, right), {}, (left.shape[1], right.shape[1]))

    def sum_of_rows(self, k: int, rows: Sequence[Var]) -> Var:
        """The sum of vectors: at once if they are rows of one array."""
        if run_of(rows, self.rows) is None:
            total: Var = self.added(k, rows)
            return total
        ones = np.ones(len(rows), rows[0].dtype)
        return self.write(k, DOT, (ones, self.stacked(k, rows)), {}, rows[0].shape)

    def in_order(self, terms: list[Term]) -> list[Term]:
        """The terms in the order in which their rows lie, or are computed forward."""
        for parts in ([t.left for t in terms], [t.right for t in terms]):
            if run_of(parts, self.rows):
                return terms
            if run_of(parts[::-1], self.rows):
                return terms[::-1]
        when = [min(self.when(t.left), self.when(t.right)) for t in terms if t.kind[0] == "product"]
        earlier = sum(a > b for a, b in pairwise(when))
        return terms[::-1] if 2 * earlier > len(when) else terms

    def when(self, x: Any) -> float:
        """When a factor is computed."""
        return self.position.get(x, -1) if isinstance(x, Var) else math.inf

    def make_rows(self, parts: Sequence[Any]) -> Var:
        """A new array with these rows."""
        made = rows_joined(parts)
        last = max(self.position.get(p, -1) for p in parts if isinstance(p, Var))
        self.after.setdefault(last, []).append(made)
        self.position[made.out] = last
        for n, part in enumerate(parts):
            self.rows.setdefault(name_of(part), (made.out, n))
        return made.out

    def flat(self, k: int, parts: Sequence[Any]) -> Var:
        """The rows of all matrices below each other."""
        whole = self.stacked(k, parts)
        shape = (math.prod(whole.shape[:-1]), whole.shape[-1])
        return self.write(k, RESHAPE, (whole, shape), {}, shape, f"flat_{whole.name}")

    def stacked(self, k: int, parts: Sequence[Any]) -> Var:
        """An array with these rows: the one that has them, or a new one."""
        run = run_of(parts, self.rows)
        if run is None or not self.can_wait(k, self.position.get(run[0], -1)):
            return self.make_rows(parts)
        whole, first = run
        if len(parts) == whole.shape[0]:
            return whole
        rows = slice(first, first + len(parts))
        return self.write(k, ITEM, (whole, rows), {}, (len(parts), *whole.shape[1:]))

    def can_wait(self, k: int, ready: int) -> bool:
        """Whether the sum ``k`` can be computed as late as something is ready; from now on it is."""
        if ready <= k:
            return True
        if self.first_read.get(self.program.instructions[k].out, ready + 1) <= ready:
            return False
        self.moved[k] = max(ready, self.moved.get(k, k))
        return True
