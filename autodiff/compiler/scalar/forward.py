"""The forward part of a scalar tape: every group is one call on slices of one array of all values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .bodies import forward_body
from .printing import Page, Places
from .units import Group, Units
from .views import View, in_order


def write_forward(page: Page, units: Units, exact: bool) -> None:
    """Print what computes all values ``v`` from the leaves, which are its first entries."""
    page.label("v", 0, len(units.leaves), "inputs")
    for group in units.groups:
        page.label("v", group.at, len(group.members), group.name)
        page.say(headline(group))
        if group.terms is None:
            operands = [
                operand(units, a) for a, k in zip(group.args, group.pattern.slots, strict=True) if k.fixed is None
            ]
            page.compute(forward_body(group.pattern, exact), operands, len(group.members), "v", group.at)
        else:
            _write_chain(page, units, group, exact)


def operand(units: Units, arg: Any) -> Any:
    """An argument of a group: places among the values, or constants."""
    if np.ndim(arg) == 0 or arg.dtype.kind != "i":
        return one_for_all(arg)
    return Places("v", units.at[arg.ravel()])


def one_for_all(constants: Any) -> Any:
    """Constants as a single number where they are all the same."""
    if np.ndim(constants) == 0:
        return constants
    bits = constants.view(np.int64)
    return float(constants.flat[0]) if (bits == bits.flat[0]).all() else constants.ravel()


def headline(group: Group) -> str:
    """A comment: what is computed, how often, and where the user's program says so."""
    n, rule = len(group.members), group.pattern.rule.name
    what = f"{n:,} × {rule}" if group.terms is None else f"{n:,} × {rule} of {len(group.terms) + 1:,}"
    lines = group.lines
    more = f", and {len(lines) - 1} lines more" if len(lines) > 1 else ""
    return f"# Level {group.depth}: {what}. {lines[0] if lines else ''}{more}"[:118].rstrip(" .")


def _write_chain(page: Page, units: Units, group: Group, exact: bool) -> None:
    """Sums of many terms, one term after the other, as the tape has it."""
    assert group.terms is not None
    ufunc = forward_body(group.pattern, exact).instructions[0].function.name
    length, n = group.terms.shape
    start, terms = (operand(units, a) for a in group.args)
    into = page.view("v", in_order(group.at, (n,)))
    if n == 1 or (not exact and length > n):
        rows = _gathered(page, [start, terms], length + 1, n)
        how = f"np.{ufunc}.accumulate({rows}, 0)[-1]" if exact else f"np.{ufunc}.reduce({rows}, 0)"
        page.say(f"{into}[...] = {how}")
        page.used = 0
        return
    if isinstance(terms, Places):
        rows = _table(page, terms, length, n)
    elif isinstance(terms, np.ndarray):
        rows = page.constant("constants", terms.reshape(length, n))
    else:
        rows = page.constant("constants", np.full((length, 1), terms))
    gather_rows(page, start, "v", 0, 1, n, group.at)
    page.say(f"for term in {rows}:")
    page.say(f"    np.{ufunc}({into}, term, out={into})")
    page.used = 0


def _table(page: Page, places: Places, length: int, n: int) -> str:
    """Rows of numbers: a view if they lie so, else gathered."""
    index = places.places.reshape(length, n)
    across, down = np.diff(index, axis=1), np.diff(index[:, :1], axis=0)
    if n > 1 and (across == across[0, 0]).all() and (length == 1 or (down == down[0]).all()):
        stride = int(down[0, 0]) if length > 1 else n
        return page.view(places.array, View(int(index[0, 0]), (length, n), (stride, int(across[0, 0]))))
    return _gathered(page, [places], length, n)


def _gathered(page: Page, parts: Sequence[Any], rows: int, n: int) -> str:
    """Memory of so many rows, filled from parts: places, constants, or one number for a row."""
    memory = page.memory(rows * n)
    row = 0
    for k, part in enumerate(parts):
        size = part.places.size if isinstance(part, Places) else part.size if isinstance(part, np.ndarray) else 0
        count = size // n if size else 1 if k == 0 and len(parts) > 1 else rows - row
        gather_rows(page, part, memory, row, count, n)
        row += count
    return page.view(memory, in_order(0, (rows, n)))


def gather_rows(page: Page, part: Any, memory: str, row: int, rows: int, n: int, start: int = 0) -> None:
    """Fill rows of memory."""
    size, start = rows * n, start + row * n
    if isinstance(part, Places):
        found = page.fetch_views(part.places, part.array)
        if found is not None:
            text, shape = found
            page.say(f"np.copyto({page.view(memory, in_order(start, shape))}, {text})")
        else:
            into = page.view(memory, in_order(start, (size,)))
            page.say(f'{part.array}.take({page.constant("places", part.places)}, None, {into}, "clip")')
    else:
        into = page.view(memory, in_order(start, (size,)))
        page.say(
            f"{into}[...] = {page.constant('constants', part) if isinstance(part, np.ndarray) else page.text(part)}"
        )
