"""Views of buffers: parts, rows and reshapes, which are made once, before the first call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .buffers import Plan
from .joined import is_basic
from .program import Instruction, Var

MOST = 8
"""How many views one line makes."""


class Views:
    """The views of buffers in one program.

    Parameters
    ----------
    plan : Plan
        Where the buffers are.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.made: dict[Var, tuple[Var, Any]] = {v: (b.within, b.key) for v, b in plan.place.items() if b.within}
        """For each view what it is a view of, and its key; a key of None is a reshape."""

    def take(self, i: Instruction) -> bool:
        """Whether an instruction makes a view that can be made once; from now on it is one of these."""
        if len(i.reads) != 1 or not i.out.is_array:
            return False
        (x,) = i.reads
        if x not in self.plan.place and x not in self.made:
            return False
        if i.function.kind == "item" and is_basic(i.args[1]):
            self.made[i.out] = x, i.args[1]
        elif i.function.name in ("reshape", "ravel") and in_c_order(i) and self.is_one_piece(x):
            self.made[i.out] = x, None
        else:
            return False
        return True

    def is_one_piece(self, v: Var) -> bool:
        """Whether the memory of a buffer or view has no gaps, and its axes are in C order."""
        while v in self.made:
            v, key = self.made[v]
            steady = key is None or type(key) is int or (isinstance(key, slice) and key.step in (None, 1))
            if not steady:
                return False
        return v.order == tuple(range(len(v.shape)))

    def lines(self, names: Mapping[Var, str], text: Callable[[Any], str]) -> Iterator[str]:
        """The statements that make them: rows of one array together."""
        views = sorted(self.made.items(), key=lambda view: self.depth(view[0]))
        while views:
            v, (x, key) = views.pop(0)
            if key is None:
                yield f"{names[v]} = {names[x]}.reshape({v.shape})"
            elif type(key) is not int:
                yield f"{names[v]} = {names[x]}[{text(key)}]"
            else:
                rows = {k: w for w, (y, k) in [(v, (x, key)), *views] if y is x and type(k) is int}
                views = [view for view in views if view[0] not in rows.values()]
                yield from unpacked(names[x], {k: names[w] for k, w in rows.items()}, x.shape[0])

    def depth(self, v: Var) -> int:
        """How many views stand between a view and its buffer."""
        depth = 0
        while v in self.made:
            v, depth = self.made[v][0], depth + 1
        return depth


def in_c_order(i: Instruction) -> bool:
    """Whether a reshape reads its argument in C order."""
    return [x for x in (*i.args[1:], *i.options.values()) if isinstance(x, str)] in ([], ["C"])


def unpacked(whole: str, rows: dict[int, str], length: int) -> Iterator[str]:
    """Statements that name rows of an array, those that follow each other in one."""
    run: list[int] = []
    for k in [*sorted(rows), None]:
        if run and (k is None or k != run[-1] + 1 or len(run) == MOST):
            names = [rows[j] for j in run]
            part = "" if len(run) == length else f"[{run[0]}:{run[-1] + 1}]"
            yield f"{names[0]} = {whole}[{run[0]}]" if len(run) == 1 else f"{', '.join(names)} = {whole}{part}"
            run = []
        if k is not None:
            run.append(k)
