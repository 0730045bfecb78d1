"""Passes: each is a small function from a program to one that computes the same with less.

They stand one to a file.  :data:`PASSES` says in which order they run.
"""

from __future__ import annotations

from collections.abc import Callable

from ..program import Program
from .batch import batch_rows
from .broadcasts import drop_broadcasts
from .columns import drop_columns
from .constants import fold_constants
from .dead import drop_dead
from .equal import share_equal_lines
from .first import rows_first
from .joining import join_parts
from .narrow import narrow_constants
from .no_ops import drop_no_ops
from .products import multiply_at_once
from .promises import promise_less
from .scaling import scale_the_smaller
from .slices import join_slices
from .spelling import spell_plainly
from .turned import turn_products

__all__ = [
    "PASSES",
    "batch_rows",
    "drop_broadcasts",
    "drop_columns",
    "drop_dead",
    "drop_no_ops",
    "fold_constants",
    "narrow_constants",
    "promise_less",
    "rows_first",
    "scale_the_smaller",
    "share_equal_lines",
    "simplify",
    "spell_plainly",
    "join_parts",
    "join_slices",
    "multiply_at_once",
    "turn_products",
]

Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (
    drop_dead,
    fold_constants,
    spell_plainly,
    drop_no_ops,
    drop_columns,
    drop_broadcasts,
    scale_the_smaller,
    turn_products,
    drop_no_ops,
    share_equal_lines,
    drop_dead,
    join_parts,
    join_slices,
    rows_first,
    multiply_at_once,
    batch_rows,
    drop_no_ops,
    share_equal_lines,
    drop_dead,
    narrow_constants,
    promise_less,
)


def simplify(program: Program) -> Program:
    """All passes, in order."""
    for change in PASSES:
        program = change(program)
    return program
