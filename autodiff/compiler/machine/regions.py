"""A program in an order in which what can be loops stands together: calls of NumPy, and regions between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..program import Instruction, Program, Var, variables
from .items import Item
from .places import Shown, whole

Ranges = tuple[tuple[int, int], ...]
"""Loops from the outermost to the innermost: an axis, which is longer than 1, and its length."""


@dataclass(eq=False)
class Nest:
    """Loops, one inside the other, over all entries of a shape, and what is done at each."""

    lengths: tuple[int, ...]
    items: list[Item] = field(default_factory=list)

    def takes(self, item: Item, lengths: tuple[int, ...]) -> bool:
        """Whether an item can be done in these loops too; an array that is joined has loops of its own."""
        return self.lengths == lengths and item.kind != "join" and self.items[0].kind != "join"


@dataclass(eq=False)
class Region:
    """Nests of loops that become one function.

    Attributes
    ----------
    stored : set of Var
        The results that lie in memory: the others live in registers.
    """

    items: list[Item]
    nests: list[Nest] = field(default_factory=list)
    stored: set[Var] = field(default_factory=set)

    def nest_of(self, v: Var) -> int | None:
        """The position of the nest that makes a variable."""
        return next((k for k, nest in enumerate(self.nests) if any(item.out is v for item in nest.items)), None)


Unit = Instruction | Region

LARGEST = 64
"""So many instructions make a function that is compiled in a second or two."""


def loops_of(item: Item) -> Ranges:
    """The loops of an item."""
    return tuple([(axis, item.domain[axis]) for axis in item.order if item.domain[axis] != 1])


def units_of(
    instructions: Sequence[Instruction],
    given: Iterable[Var],
    items: dict[Var, Item],
    views: dict[Var, Shown],
) -> list[Unit]:
    """The instructions in another order: all calls that can be made, then all loops, and so on.

    Parameters
    ----------
    given : variables
        What is there at the start.
    items : dict
        The instructions that can be loops, by their results.
    views : dict
        What results show that are views.
    """
    ready = set(given)
    pending = list(instructions)
    units: list[Unit] = []
    while pending:
        drawing = False
        waiting = []
        for i in pending:
            drawing = drawing or not i.function.pure
            if i.out not in items and ready.issuperset(i.reads) and (i.function.pure or not drawing):
                units.append(i)
                ready.add(i.out)
            else:
                waiting.append(i)
        pending = waiting
        inside: list[Item] = []
        shown: list[Instruction] = []
        known, waiting = set(ready), []
        for i in pending:
            if known.issuperset(i.reads) and i.out in items:
                inside.append(items[i.out])
                known.add(i.out)
            elif known.issuperset(i.reads) and i.out in views and not ready.issuperset(i.reads):
                shown.append(i)
                known.add(i.out)
            else:
                waiting.append(i)
        parts = [inside[k : k + LARGEST] for k in range(0, len(inside), LARGEST)]
        units += [part[0].i if len(part) == 1 else Region(part) for part in parts]
        units += shown
        if not inside and len(waiting) == len(pending):
            units += waiting
            break
        pending, ready = waiting, known
    return units


def sink(units: list[Unit], program: Program, views: dict[Var, Shown], forward: set[Var]) -> list[Unit]:
    """Move what no call waits for into the region that reads it, where it need not be stored.

    ``forward`` is what the forward part makes, where it stays.
    """
    units = list(units)
    reading = readers_of(units, program, views)
    for k in range(len(units) - 1, -1, -1):
        region = units[k]
        if not isinstance(region, Region):
            continue
        for item in reversed(list(region.items)):
            readers = reading.get(item.out, {-1})
            inside = any(shown.of is item.out for other in region.items for _, shown in operands_of(other, views))
            waits = any(isinstance(units[r], Instruction) for r in readers) or -1 in readers
            if waits or inside or item.kind != "entry":
                continue
            to = units[min(readers)]
            if isinstance(to, Region) and (outs_of(to)[0] in forward) == (item.out in forward):
                region.items.remove(item)
                to.items.insert(0, item)
                left = set(reads_of(region, views))
                for _, shown in operands_of(item, views):
                    of = reading.setdefault(shown.of, set())
                    of.add(min(readers))
                    if shown.of not in left:
                        of.discard(k)
    called = {unit.out for unit in units if isinstance(unit, Instruction)}
    found: list[Unit] = []
    for unit in units:
        if isinstance(unit, Instruction) or len(unit.items) > 1:
            found.append(unit)
            continue
        for item in unit.items:  # a call of NumPy's, unless it reads a view that nobody makes
            indexed = any(v in views and v not in called for v in item.i.reads)
            found.append(unit if indexed else item.i)
    return found


def operands_of(item: Item, views: dict[Var, Shown]) -> Iterator[tuple[Var, Shown]]:
    """The variables that an item reads, and what each shows."""
    return ((v, views.get(v, whole(v))) for v in item.operands if isinstance(v, Var))


def reads_of(unit: Unit, views: dict[Var, Shown]) -> list[Var]:
    """The variables that a unit needs in memory: of a region those that its views show."""
    if isinstance(unit, Instruction):
        return unit.reads
    made = {item.out for item in unit.items}
    found = [shown.of for item in unit.items for _, shown in operands_of(item, views)]
    return list(dict.fromkeys(v for v in found if v not in made))


def outs_of(unit: Unit) -> list[Var]:
    """The variables that a unit makes for others to read."""
    return [unit.out] if isinstance(unit, Instruction) else [item.out for item in unit.items]


def unread_views(units: Sequence[Unit], program: Program, views: dict[Var, Shown]) -> set[Var]:
    """The views that no call needs: inside of regions they are indices."""
    needed = {*variables(program.outputs), *program.finite}
    unread = set()
    for unit in reversed(units):
        if isinstance(unit, Instruction) and unit.out in views and unit.out not in needed:
            unread.add(unit.out)
        else:
            needed.update(reads_of(unit, views))
    return unread


def readers_of(units: Sequence[Unit], program: Program, views: dict[Var, Shown]) -> dict[Var, set[int]]:
    """The positions of the units that read each variable; -1 stands for the end."""
    found: dict[Var, set[int]] = {v: {-1} for v in (*variables(program.outputs), *program.finite)}
    for k, unit in enumerate(units):
        for v in reads_of(unit, views):
            found.setdefault(v, set()).add(k)
    return found


def plan_nests(region: Region, views: dict[Var, Shown], outside: set[Var]) -> None:
    """Put items that can share loops into one nest.

    Parameters
    ----------
    outside : variables
        That are needed outside of the region.
    """
    made: dict[Var, tuple[int, Item]] = {}
    region.stored = {item.out for item in region.items if item.out in outside and item.out.shape}
    for item in region.items:
        lengths = tuple([n for _, n in loops_of(item)])
        first = 0
        for v in [v for v in item.operands if isinstance(v, Var)]:
            shown = views.get(v, whole(v))
            if shown.of not in made:
                continue
            k, maker = made[shown.of]
            at_once = maker.kind == "entry" and same_place(maker, item, v, shown)
            first = max(first, k if at_once else k + 1)
        shared = (k for k in range(first, len(region.nests)) if region.nests[k].takes(item, lengths))
        k = next(shared, len(region.nests))
        if k == len(region.nests):
            region.nests.append(Nest(lengths))
        region.nests[k].items.append(item)
        made[item.out] = k, item
    for item in region.items:
        for v in [v for v in item.operands if isinstance(v, Var)]:
            shown = views.get(v, whole(v))
            if shown.of in made and shown.of.shape:
                k, maker = made[shown.of]
                if k != made[item.out][0] or not same_place(maker, item, v, shown):
                    region.stored.add(shown.of)
    region.stored |= {item.out for item in region.items if item.kind != "entry" and item.out.shape}


def same_place(maker: Item, item: Item, v: Var, shown: Shown) -> bool:
    """Whether what ``item`` reads of ``v`` at each turn is what ``maker`` has just made there."""
    if not shown.of.shape:
        return True
    if [n for _, n in loops_of(maker)] != [n for _, n in loops_of(item)]:
        return False
    turn = {axis: k for k, (axis, _) in enumerate(loops_of(item))}
    shift = len(item.domain) - len(v.shape)
    mine = [turn.get(axis + shift) if n != 1 else None for axis, n in enumerate(v.shape)]
    its = {axis: k for k, (axis, _) in enumerate(loops_of(maker))}
    for axis, along in enumerate(shown.at):
        at = None if along.axis is None else mine[along.axis]
        if at != its.get(axis) or (at is not None and (along.start, along.step) != (0, 1)):
            return False
    return True
