"""What the VJPs of a rule do to whole arrays, with the very bits that the sweep of a tape gives number by number.

A VJP is recorded on one op, as everything that is compiled is, and every step of it becomes what its rule does to
arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.edges import contributions
from ...core.modes import enable_grad, watching
from ...core.node import Node, data_of
from ...core.rule import Rule
from ...value import Value
from ..passes import drop_dead, share_equal_lines
from ..program import Instruction, Program, Var, substitute
from ..record import Recorder, Ref, Step
from ..recorded import RecordedValue
from .bodies import (
    AWKWARD,
    Body,
    Each,
    Kind,
    NoBodyError,
    Pattern,
    agrees,
    compute_of,
    fixed_kind,
    fixed_of,
    forward_body,
    loop_body,
    loops,
    ordinary,
    pattern_of,
    probes,
)


def vjp_body(pattern: Pattern, s: int, exact: bool) -> Body | None:
    """What a rule's VJP sends back to argument ``s``; None if nothing.

    Its inputs are the cotangent, the arguments that are not fixed, and the result.
    """
    slots = [slot._replace(tracked=k == s) for k, slot in enumerate(pattern.slots)]
    return _vjp_body(pattern._replace(slots=tuple(slots)), s, exact)


@functools.lru_cache(maxsize=1024)
def _vjp_body(pattern: Pattern, s: int, exact: bool) -> Body | None:
    rule = pattern.rule
    if not rule.differentiable or rule.inputs[s] not in rule.vjps:
        return None
    pulled = _Pulled(pattern, s)
    slots = [Kind(True, float), *[slot for slot in pattern.slots if slot.fixed is None]]
    try:
        body = _recorded(pattern, s, exact)
    except Exception:  # what cannot be recorded of one op is done op by op
        body = None
    if body is not None and all(
        agrees(body, *pulled.table(points), exact)
        for points in (probes(slots), ordinary(slots, 400 if exact and loops(body) else 30))
    ):
        return body
    return loop_body(Each(pulled, {}), len(slots) + 1)


class _Pulled:
    """The VJP of a rule as a function of single numbers, as the sweep of the tape computes it."""

    def __init__(self, pattern: Pattern, s: int) -> None:
        self.pattern, self.s, self.fixed = pattern, s, Each(compute_of(pattern), fixed_of(pattern))

    def __call__(self, g: float, *row: float) -> float:
        found = self.contribution(g, self.node(row[:-1]))
        return 0.0 if found is None else float(found)

    def node(self, row: Sequence[Any]) -> Any:
        """A tape of one op."""
        args = []
        for k, x in enumerate(self.fixed.filled(row)):
            slot = self.pattern.slots[k]
            x = x if slot.fixed is not None else slot.kind(x)
            if slot.node:
                x = _leaf(Value, x, k == self.s)
            args.append(x)
        with enable_grad():
            return self.pattern.rule.op(*args, **dict(self.pattern.params))

    def gives_whole(self, row: Sequence[Any]) -> bool:
        """Whether the result is an int."""
        try:
            return type(data_of(self.node(row))) is int
        except (ArithmeticError, TypeError, ValueError):
            return False

    def contribution(self, g: float, node: Any) -> Any:
        found = contributions(node, g)[self.s]
        return None if found is None else found.fitted

    def table(self, points: Sequence[tuple[Any, ...]]) -> tuple[list[Any], Any]:
        """Points with the results there, and what is sent back, where the op is defined."""
        rows, expected = [], []
        for row in points:
            y, c = self.at(row)
            if y is not None:
                rows.append((*row, y))
                expected.append(c)
        return rows, np.array(expected)

    def at(self, row: Sequence[Any]) -> tuple[float | None, float]:
        """The result, and what is sent back, at one point; None where the op itself does not give a finite number."""
        g, *args = row
        try:
            node = self.node(args)
            y = data_of(node)
            if not isinstance(y, int | float) or not np.isfinite(y):
                return None, np.nan
            if not isinstance(node, Node) or not node.tracked:
                return float(y), np.nan
            c = self.contribution(g, node)
            return float(y), float(c) if isinstance(c, int | float) else np.nan
        except (ArithmeticError, TypeError, ValueError):
            return None, np.nan


def _leaf(cls: Any, data: Any, tracked: bool) -> Any:
    node = cls.__new__(cls)
    Node.__init__(node, data, tracked, None)
    return node


def _recorded(pattern: Pattern, s: int, exact: bool) -> Body:
    """The VJP as it is recorded on one op, every step of it done on arrays."""
    args: list[Any] = []
    for k, slot in enumerate(pattern.slots):
        args.append(_leaf(RecordedValue, slot.kind(0.6 + 0.1 * k), k == s) if slot.fixed is None else slot.fixed)
    g = _leaf(RecordedValue, 0.8, False)
    given = [x for x in args if isinstance(x, Node)]
    recorder = Recorder([g, *given], promise=True)
    found: dict[int, Any] = {}
    with enable_grad(), watching(recorder):
        y = pattern.rule.op(*args, **dict(pattern.params))
        start = len(recorder.steps)
        pattern.rule.pull_nodes(g, y, found)
    c = found[args[s].index]
    inputs = {x.index: Var(name, np.ndarray) for name, x in [("g", g), *[("x", x) for x in given], ("y", y)]}
    vars: dict[int, Any] = dict(inputs)
    instructions: list[Instruction] = []
    for step in recorder.steps[start:]:
        vars[step.number] = _inlined(step, recorder, vars, instructions, exact)
    return _tidy(Body(tuple(inputs.values()), tuple(instructions), vars[c.index]))


def _tidy(body: Body) -> Body:
    """Do once what is done twice, and nothing that is not asked for."""
    program = Program(list(body.inputs), list(body.instructions), [body.out])
    program = drop_dead(share_equal_lines(program))
    return Body(body.inputs, tuple(program.instructions), program.outputs[0])


def _inlined(step: Step, recorder: Recorder, vars: dict[int, Any], instructions: list[Instruction], exact: bool) -> Var:
    """Append what one step does to arrays; the variable of its result."""
    if not isinstance(step.node, Value):
        raise NoBodyError
    slots, columns = [], []
    for a in step.args:
        if type(a) is Ref:
            slots.append(Kind(True, type(recorder.known[a.number]._data)))
            columns.append(vars[a.number])
        else:
            slots.append(fixed_kind(a))
    body = forward_body(pattern_of(step.rule, slots, step.params), exact)
    change = dict(zip(body.inputs, columns, strict=True))
    for i in body.instructions:
        change[i.out] = Var(i.out.name, np.ndarray)
        instructions.append(Instruction(i.function, substitute(i.args, change.__getitem__), i.options, change[i.out]))
    return change[body.out]  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=256)
def is_sum(rule: Rule) -> bool:
    """Whether a rule hands its cotangent on to both arguments as it is, and is one call: then chains of it can be
    done as one.
    """
    if len(rule.inputs) != 2 or rule.options or not rule.entrywise or len(rule.vjps) != 2:
        return False
    pattern = Pattern(rule, (Kind(True, float, True), Kind(True, float, True)), ())
    if [i.function.kind for i in forward_body(pattern, True).instructions] != ["ufunc"]:
        return False
    bodies = [vjp_body(pattern, s, True) for s in (0, 1)]
    return all(b is not None and b.out is b.inputs[0] for b in bodies)


@functools.lru_cache(maxsize=256)
def wants_values(rule: Rule, n: int, s: int) -> bool:
    """Whether a VJP must know the constant in place ``s`` to be done on arrays, as that of a power its exponent."""
    slots = tuple([Kind(k != s, float, k != s) for k in range(n)])
    if n != len(rule.inputs) or n < 2 or rule.options:
        return False
    bodies = [vjp_body(Pattern(rule, slots, ()), k, True) for k in range(n) if k != s]
    return any(body is not None and is_op_by_op(body) for body in bodies)


def is_op_by_op(body: Body) -> bool:
    """Whether a VJP is done by the tape itself."""
    return any(isinstance(getattr(i.function.call, "f", None), _Pulled) for i in body.instructions)


class Wholes(NamedTuple):
    """What comes of ints among the arguments: whether floats would give other bits, and whether results are ints."""

    matter: bool
    give_wholes: bool


@functools.lru_cache(maxsize=1024)
def wholes(pattern: Pattern, places: frozenset[int]) -> Wholes:
    """What it means for a rule, and its derivatives, that the arguments in some places are ints instead of floats."""
    rng = np.random.default_rng(0)
    awkward = [x for x in AWKWARD if 1e-9 < abs(x) < 1e9 or x == 0]
    as_floats = pattern._replace(slots=tuple([slot._replace(node=True, tracked=True) for slot in pattern.slots]))
    as_ints = as_floats._replace(
        slots=tuple([slot._replace(kind=int) if k in places else slot for k, slot in enumerate(as_floats.slots)])
    )
    gives = False
    if not places:
        return Wholes(False, any(_Pulled(as_floats, 0).gives_whole(row) for row in probes(as_floats.slots)[::3]))
    for s in range(len(pattern.slots)):
        ints, floats = _Pulled(as_ints, s), _Pulled(as_floats, s)
        for _ in range(150):
            row = [rng.integers(-3, 8) if k in places else rng.choice(awkward) for k in range(len(pattern.slots))]
            row = [slot.kind(x) for slot, x in zip(as_ints.slots, row, strict=True)]
            for g in (0.7, -0.3):
                found, expected = ints.at((g, *row)), floats.at((g, *row))
                if repr(found) != repr(expected):
                    return Wholes(True, True)
            gives = gives or ints.gives_whole(row)
    return Wholes(False, gives)
