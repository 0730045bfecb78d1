"""Whether an assignment would be lost because nothing holds what is assigned into: ``t[0][1] = v``.

In NumPy ``t[0]`` is a view, and writing to it writes to ``t``.  Here it is a value of its own, so such a write must not
pass silently.  Python counts references; how many an object has that nothing holds is measured once, at import.
"""

from __future__ import annotations

import dis
import sys
from typing import Any

from .node import Node


class _References:
    """Counts who refers to an object while it is assigned into."""

    def __setitem__(self, counts: list[int], value: None) -> None:
        counts.append(sys.getrefcount(self))


def _references_if_unheld() -> int:
    """The number of references to an object that is assigned into and that nothing holds; -1 if it does not tell."""
    counts: list[int] = []
    held = _References()
    held[counts] = None
    _References()[counts] = None
    return counts[1] if counts[1] < counts[0] else -1


UNHELD = _references_if_unheld()


def uses_in(value: Any, node: Node) -> int:
    """How often the operands of ``value`` were computed from ``node``, as in ``t[0][1] += 5``."""
    operands = {id(x): x for x in value.args if isinstance(x, Node)} if isinstance(value, Node) else {}
    return sum([a is node for x in operands.values() for a in x.args])


def is_unheld(node: Node, references: int, value: Any) -> bool:
    """Whether nothing holds ``node``, of which its ``__setitem__`` counted so many references, at an assignment."""
    if references - uses_in(value, node) != UNHELD:
        return False
    frame = sys._getframe(2)  # a call of __setitem__ by its name has other references
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in ("STORE_SUBSCR", "STORE_SLICE")
