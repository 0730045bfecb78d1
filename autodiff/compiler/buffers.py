"""Planning memory: which results are written into buffers that every call uses again, and which of them share one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .program import Instruction, Program, Var, variables


@dataclass(eq=False, slots=True)
class Buffer:
    """Memory that is allocated once.

    ``chains`` are the variables that live in it one after the other; those of one chain are written over each other.
    """

    chains: list[list[Var]] = field(default_factory=list)

    @property
    def like(self) -> Var:
        """A variable of its shape and dtype."""
        return self.chains[0][0]


@dataclass(slots=True)
class Plan:
    """Where the results of instructions go: into a buffer, or, if absent, into new memory."""

    buffers: list[Buffer]
    place: dict[Var, Buffer]


def plan_buffers(program: Program, keep: Iterable[Var] = (), reuse_outputs: bool = False) -> Plan:
    """Give a buffer to every result that can be written into one, and use it again when what it held is dead.

    Parameters
    ----------
    keep : variables
        Must last to the end.
    reuse_outputs : bool
        Whether results may be handed out in buffers, which the next call writes over.
    """
    last = last_uses(program, keep)
    handed_out = program.outputs[program.results or len(program.outputs) :] if reuse_outputs else program.outputs
    escaping = whole_families(program, variables(handed_out))
    plan = Plan([], {})
    free: dict[object, list[Buffer]] = {}
    dying: dict[int, list[Var]] = {}
    for k, instruction in enumerate(program.instructions):
        out = instruction.out
        if takes_out(instruction) and out not in escaping:
            over = next((v for v in instruction.reads if may_overwrite(v, k, instruction, last, plan)), None)
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
        if last.get(out, -1) <= k:
            dying.setdefault(k, []).append(out)
        else:
            dying.setdefault(last[out], []).append(out)
        for v in dying.pop(k, ()):
            held = plan.place.get(v)
            if held is not None and held.chains[-1][-1] is v:
                free.setdefault(shape_key(v), []).append(held)
    return plan


def shape_key(v: Var) -> object:
    """What buffers must have in common to stand for each other."""
    return v.shape, v.dtype, v.order


def takes_out(instruction: Instruction) -> bool:
    """Whether NumPy can write the result into a given array."""
    function, out = instruction.function, instruction.out
    if not out.is_array or not out.shape or not function.fresh or "where" in instruction.options:
        return False
    if function.name in ("dot", "matmul"):
        return out.order == tuple(range(len(out.shape)))
    return function.kind in ("ufunc", "reduce") and "dtype" not in instruction.options


def may_overwrite(v: Var, k: int, instruction: Instruction, last: dict[Var, int], plan: Plan) -> bool:
    """Whether the result of instruction ``k`` may be written over its argument ``v``."""
    function = instruction.function
    elementwise = function.kind == "ufunc" and getattr(function.call, "signature", "") is None
    return elementwise and v in plan.place and last[v] == k and shape_key(v) == shape_key(instruction.out)


def last_uses(program: Program, keep: Iterable[Var] = ()) -> dict[Var, int]:
    """The position of the last instruction that needs each variable, or a view of it."""
    end = len(program.instructions)
    last: dict[Var, int] = {}
    for v in [*variables(program.outputs), *keep, *program.finite]:
        last[v] = end
    for k in range(end - 1, -1, -1):
        instruction = program.instructions[k]
        until = max(k, last.get(instruction.out, k)) if not instruction.function.fresh else k
        for v in instruction.reads:
            last[v] = max(last.get(v, -1), until)
    return last


def whole_families(program: Program, chosen: Iterable[Var]) -> set[Var]:
    """The chosen variables, and what they are views of."""
    family = set(chosen)
    for instruction in reversed(program.instructions):
        if instruction.out in family and not instruction.function.fresh:
            family.update(instruction.reads)
    return family
