"""Planning memory for regions: what of a region is stored, and over what it may be written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..buffers import Buffer, Plan, may_overwrite, shape_key, takes_out
from ..joined import JOIN
from ..program import Instruction, Program, Var, variables
from .places import Shown
from .regions import Region, Unit, operands_of, outs_of, reads_of, same_place


def plan_memory(
    units: Sequence[Unit], program: Program, keep: Iterable[Var], reuse_outputs: bool, views: dict[Var, Shown]
) -> Plan:
    """Buffers, as :func:`~autodiff.compiler.buffers.plan_buffers` gives them, for units in the place of instructions.

    ``program`` has its instructions in the order of the units.
    """
    last = last_units(units, program, keep, views)
    handed_out = program.outputs[program.results or len(program.outputs) :] if reuse_outputs else program.outputs
    escaping = families_of(program, variables(handed_out))
    viewed = {v for unit in units if isinstance(unit, Instruction) and is_view(unit) for v in unit.reads}
    plan = Plan([], {})
    free: dict[object, list[Buffer]] = {}
    dying: dict[int, list[Var]] = {}
    for k, unit in enumerate(units):
        outs = outs_of(unit)
        if isinstance(unit, Region):
            stored = [v for v in outs if v in unit.stored and v not in escaping]
        else:
            stored = [unit.out] if takes_out(unit) and unit.out not in escaping else []
        for out in stored:
            over = _overwritten(out, k, unit, last, plan, views, viewed)
            if over is not None:
                buffer = plan.place[over]
                buffer.chains[-1].append(out)
            elif free.get(shape_key(out)):
                buffer = free[shape_key(out)].pop()
                buffer.chains.append([out])
            else:
                buffer = Buffer([[out]])
                plan.buffers.append(buffer)
            plan.place[out] = buffer
        for out in outs:
            dying.setdefault(max(last.get(out, -1), k), []).append(out)
        for v in dying.pop(k, ()):
            held = plan.place.get(v)
            if held is not None and held.chains[-1][-1] is v:
                free.setdefault(shape_key(v), []).append(held)
    return plan


def is_view(i: Instruction) -> bool:
    """Whether the result may share memory with an argument."""
    return not i.function.fresh and i.function is not JOIN


def families_of(program: Program, chosen: Iterable[Var]) -> set[Var]:
    """The chosen variables, and what they are views of."""
    family = set(chosen)
    for i in reversed(program.instructions):
        if i.out in family and is_view(i):
            family.update(i.reads)
    return family


def last_units(units: Sequence[Unit], program: Program, keep: Iterable[Var], views: dict[Var, Shown]) -> dict[Var, int]:
    """The position of the last unit that needs each variable, or a view of it."""
    last = dict.fromkeys([*variables(program.outputs), *keep, *program.finite], len(units))
    for k in range(len(units) - 1, -1, -1):
        unit = units[k]
        views_on = isinstance(unit, Instruction) and is_view(unit)
        until = max([k, *[last.get(v, k) for v in outs_of(unit)]]) if views_on else k
        for v in reads_of(unit, views):
            last[v] = max(last.get(v, -1), until)
    return last


def _overwritten(
    out: Var,
    k: int,
    unit: Unit,
    last: dict[Var, int],
    plan: Plan,
    views: dict[Var, Shown],
    viewed: set[Var],
) -> Var | None:
    """A variable over which a result may be written."""
    if isinstance(unit, Instruction):
        return next((v for v in unit.reads if may_overwrite(v, k, unit, last, plan)), None)
    candidates = dict.fromkeys([*reads_of(unit, views), *[v for v in outs_of(unit) if v in unit.stored]])
    for v in candidates:
        buffer = plan.place.get(v)
        if buffer is None or buffer.chains[-1][-1] is not v or v is out or v in viewed:
            continue
        if last.get(v, k) <= k and shape_key(v) == shape_key(out) and _is_read_before(v, out, unit, views):
            return v
    return None


def _is_read_before(v: Var, out: Var, region: Region, views: dict[Var, Shown]) -> bool:
    """Whether every entry of ``v`` is read, and made, by the time that ``out`` is written over it."""
    stores = {item.out: (k, item) for k, nest in enumerate(region.nests) for item in nest.items}
    at, maker = stores[out]
    if maker.kind != "entry" or (v in stores and stores[v][0] >= at):
        return False
    for k, nest in enumerate(region.nests):
        for item in nest.items:
            for x, shown in operands_of(item, views):
                if shown.of is v and (k > at or (k == at and not same_place(maker, item, x, shown))):
                    return False
    return True
