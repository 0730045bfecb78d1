"""Planning memory: which results are written into buffers that every call uses again, and which of them share one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .joined import JOIN, is_puzzle
from .packing import LARGE, WORTH, Span, bytes_of, lay_out
from .program import Instruction, Program, Var, variables


@dataclass(eq=False, slots=True)
class Buffer:
    """Memory that is allocated once.

    ``chains`` are the variables that live in it one after the other; those of one chain are written over each other.
    A part of an array that is joined of parts is ``within`` that, at ``key``.  An ``offset`` says where it lies in the
    block of its plan; without one it has memory of its own.
    """

    chains: list[list[Var]] = field(default_factory=list)
    within: Var | None = None
    key: Any = None
    offset: int | None = None

    @property
    def like(self) -> Var:
        """A variable of its shape and dtype."""
        return self.chains[0][0]

    @property
    def size(self) -> int:
        """Its bytes."""
        return bytes_of(self.like)


@dataclass(slots=True)
class Plan:
    """Where the results of instructions go: into a buffer, or, if absent, into new memory."""

    buffers: list[Buffer]
    place: dict[Var, Buffer]

    @property
    def block(self) -> int:
        """Bytes of the block that some buffers lie in."""
        return max([b.offset + b.size for b in self.buffers if b.offset is not None], default=0)

    @property
    def parts(self) -> list[Buffer]:
        """The places of parts of arrays, in the order in which they are computed."""
        return [b for b in self.place.values() if b.within is not None]


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
    homes = homes_of(program, escaping)
    plan = Plan([], {})
    free: dict[object, list[Buffer]] = {}
    dying: dict[int, list[Var]] = {}
    needed: dict[Var, tuple[int, int]] = {}

    def settle(v: Var) -> None:
        if free.get(shape_key(v)):
            buffer = free[shape_key(v)].pop()
        else:
            buffer = Buffer()
            plan.buffers.append(buffer)
        buffer.chains.append([v])
        plan.place[v] = buffer
        needed[v] = k, k

    for k, instruction in enumerate(program.instructions):
        out = instruction.out
        if out in homes:
            home = plan.place[out] = homes[out]
            if home.within is not None and home.within not in plan.place:
                settle(home.within)
        elif takes_out(instruction) and out not in escaping:
            over = next((v for v in instruction.reads if may_overwrite(v, k, instruction, last, plan)), None)
            if over is None:
                settle(out)
            else:
                plan.place[over].chains[-1].append(out)
                plan.place[out] = plan.place[over]
        elif instruction.function is JOIN and out not in escaping and out not in plan.place:
            settle(out)
        until = max(k, last.get(out, -1))
        needed[out] = needed.get(out, (k, k))[0], until
        dying.setdefault(until, []).append(out)
        for v in dying.pop(k, ()):
            held = plan.place.get(v)
            if held is not None and held.within is None and held.chains[-1][-1] is v:
                free.setdefault(shape_key(v), []).append(held)
    pack(plan, needed)
    return plan


def pack(plan: Plan, needed: Mapping[Var, tuple[int, int]]) -> None:
    """Lay the large buffers of a plan out in one block, if that saves enough.

    Parameters
    ----------
    needed : dict of Var to pair of int
        The first instruction that needs the memory of each variable, and the last.
    """
    large = [b for b in plan.buffers if b.size >= LARGE]
    chains = [chain for b in large for chain in b.chains]
    spans = [Span(bytes_of(c[0]), needed[c[0]][0], max(needed[v][1] for v in c)) for c in chains]
    offsets = lay_out(spans)
    block = max([offset + span.size for offset, span in zip(offsets, spans)], default=0)
    if sum(b.size for b in large) - block < WORTH:
        return
    plan.buffers = [b for b in plan.buffers if b.size < LARGE]
    found: dict[object, Buffer] = {}
    for _, offset, chain in sorted(zip(spans, offsets, chains), key=lambda each: each[0].first):
        buffer = found.setdefault((offset, shape_key(chain[0])), Buffer(offset=offset))
        buffer.chains.append(chain)
        plan.place.update(dict.fromkeys(chain, buffer))
    plan.buffers += found.values()


def homes_of(program: Program, escaping: set[Var]) -> dict[Var, Buffer]:
    """Where parts of joined arrays are computed: in their places, if those do not overlap and leave nothing out."""
    makers = {i.out: i for i in program.instructions}
    homes: dict[Var, Buffer] = {}
    for join in program.instructions:
        if join.function is not JOIN or join.out in escaping or not is_puzzle(join.options["keys"], join.out.shape):
            continue
        for part, key in zip(join.args[0], join.options["keys"], strict=True):
            maker = makers.get(part) if isinstance(part, Var) else None
            if maker is None or part in homes or part in escaping or not takes_out(maker):
                continue
            if sum(p is part for p in join.args[0]) > 1:  # it has one place of its own, and is copied to the other
                continue
            whole_rows = type(key) is int  # a product has to be written into memory in one piece
            if part.dtype == join.out.dtype and (whole_rows or maker.function.name not in ("dot", "matmul")):
                homes[part] = Buffer([[part]], join.out, key)
    return homes


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
    return function.kind in ("ufunc", "reduce", "named") and "dtype" not in instruction.options


def may_overwrite(v: Var, k: int, instruction: Instruction, last: dict[Var, int], plan: Plan) -> bool:
    """Whether the result of instruction ``k`` may be written over its argument ``v``."""
    function = instruction.function
    elementwise = function.kind == "ufunc" and getattr(function.call, "signature", "") is None
    mine = v in plan.place and plan.place[v].within is None
    return elementwise and mine and last[v] == k and shape_key(v) == shape_key(instruction.out)


def last_uses(program: Program, keep: Iterable[Var] = ()) -> dict[Var, int]:
    """The position of the last instruction that needs each variable, or a view of it."""
    end = len(program.instructions)
    last: dict[Var, int] = {}
    for v in [*variables(program.outputs), *keep, *program.finite]:
        last[v] = end
    for k in range(end - 1, -1, -1):
        instruction = program.instructions[k]
        until = max(k, last.get(instruction.out, k)) if not instruction.function.fresh else k
        if instruction.function is JOIN:  # in its memory are its parts
            until = max(until, last.get(instruction.out, k), *[last.get(v, k) for v in instruction.reads])
            last[instruction.out] = until
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
