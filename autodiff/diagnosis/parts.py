"""Parts of a gradient that are zero, and units that all learn the same, in a gradient that is fine as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.node import Node, data_of
from .answer import Reason
from .causes_by_rule import REVIVE
from .flow import Edge, Flow, as_floats, called
from .signs import examples_of, units_off

MANY = 0.9
"""The share of units that must be dead before they are an illness of the layer."""
ENOUGH = 8
"""How many examples a unit must have missed before it is called dead."""


def part_reason(flow: Flow, name: str) -> tuple[Edge | None, Reason] | None:
    """What is to be said of parts of a gradient that arrives; None if nothing."""
    return _never_looked_up(flow, name) or _symmetric(flow, name) or _dead_units(flow)


def _never_looked_up(flow: Flow, name: str) -> tuple[Edge | None, Reason] | None:
    uses = flow.into.get(flow.p.index, [])
    g = as_floats(flow.gradient)
    if not uses or not g.ndim or any(edge.op != "getitem" for edge in uses):
        return None
    used = np.zeros(g.shape, bool)
    for edge in uses:
        used[data_of_key((edge.node.params or {}).get("key"))] = True
    missed = ~np.any(used.reshape(len(used), -1), axis=1)
    n, total = int(np.count_nonzero(missed)), len(missed)
    if not n:
        return None
    what = "rows" if g.ndim > 1 else "entries"
    return uses[0], Reason(
        "rows never looked up",
        f"{n} of {total} {what} of {name} were never looked up, and so their gradient is 0",
        share=n / total,
        healthy=True,
    )


def data_of_key(key: Any) -> Any:
    """An index with the data of the nodes in it."""
    if isinstance(key, tuple):
        return tuple(data_of_key(part) for part in key)
    return np.asarray(data_of(key)) if isinstance(key, Node | list) else key


def _symmetric(flow: Flow, name: str) -> tuple[Edge | None, Reason] | None:
    """Whether all rows, or all columns, are equal and get equal gradients, and so stay equal."""
    g, x = as_floats(flow.gradient), as_floats(flow.p)
    if g.ndim != 2:
        return None
    for axis, what in ((0, "rows"), (1, "columns")):
        if g.shape[axis] > 1 and g.shape[1 - axis] > 1 and _alike(x, axis) and _alike(g, axis):
            return None, Reason(
                "symmetric",
                f"all {g.shape[axis]} {what} of {name} are equal and get equal gradients: the units will stay the same "
                "for ever, and do the work of one",
                "Draw the weights at random.",
                1.0,
            )
    return None


def _alike(x: Any, axis: int) -> bool:
    first = np.take(x, [0], axis=axis)
    return bool(np.allclose(x, first, rtol=1e-10, atol=1e-12 * (np.max(np.abs(x)) + 1e-300)))


def _dead_units(flow: Flow) -> tuple[Edge | None, Reason] | None:
    """Whether units of a relu on the way are 0 for every example: a few are nothing odd."""
    found: tuple[int, int, Edge] | None = None
    for edge in flow.edges:
        off = units_off(edge.node)
        n = int(np.count_nonzero(off)) if off is not None and examples_of(edge.node) >= ENOUGH else 0
        if off is not None and n and (found is None or n * found[1] > found[0] * off.size):
            found = n, off.size, edge
    if found is None:
        return None
    n, total, edge = found
    units = f"{n} of {total} units of {called(flow.tape, edge.node)}"
    what = f"{edge.op} is 0 in {units} for all {examples_of(edge.node)} examples"
    if n < MANY * total:
        return edge, Reason("nothing is odd", f"{what}: no gradient comes through those", share=n / total, healthy=True)
    return edge, Reason(
        "dead relu",
        f"it comes through {'few' if n < total else 'none of the'} units: {what}, they are dead",
        REVIVE,
        n / total,
    )
