"""What a rule does to whole arrays, with the very bits that it gives number by number.

Python's numbers and NumPy's arrays agree on what IEEE 754 prescribes to the last bit: sums, products, quotients, roots,
comparisons.  They need not agree on ``exp``: one asks the C library, the other has loops of its own.  So a body is made
of the functions that must agree, and of Python loops over the entries for the others; and whatever was found is
compared with the row's own arithmetic on a thousand awkward numbers before it is believed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.node import Node
from ...core.numbers import function_for
from ...core.rule import TABLE, Rule
from ..follow import Followed, Writer
from ..program import Function, Instruction, Var

EXACT = """
absolute add ceil conjugate copysign divide equal floor floor_divide fmax fmin greater greater_equal isfinite
isinf isnan less less_equal logical_and logical_not logical_or logical_xor maximum minimum multiply negative
not_equal positive reciprocal remainder rint sign signbit sqrt square subtract trunc where
"""
ROUNDED_ALIKE = frozenset(EXACT.split())
"""NumPy's functions that give each entry the bits that Python gives a float."""


BY_LANE = frozenset(["maximum", "minimum", "fmax", "fmin"])
"""Those of them that may choose either of 0.0 and -0.0, by where in an array they stand."""


FILLED = {"zeros_like": 0.0, "ones_like": 1.0}


class Kind(NamedTuple):
    """What stands in one place among the arguments of an op.

    ``node`` says whether it is a node or a constant, ``kind`` is the type of the number.  A ``fixed`` constant is part
    of the pattern; ``text`` tells 0.0 from -0.0 there.
    """

    node: bool
    kind: type
    tracked: bool = False
    fixed: Any = None
    text: str = ""


def fixed_kind(value: Any) -> Kind:
    """A constant that is part of a pattern."""
    return Kind(False, type(value), False, value, repr(value))


class Pattern(NamedTuple):
    """Ops that compute alike: a rule, the kinds of its arguments, its options."""

    rule: Rule
    slots: tuple[Kind, ...]
    params: tuple[tuple[str, Any], ...]
    text: str = ""


def pattern_of(rule: Rule, slots: Sequence[Kind], params: dict[str, Any]) -> Pattern:
    """A pattern of options of which 0.0 is told from -0.0."""
    return Pattern(rule, tuple(slots), tuple(params.items()), repr(params))


class Body(NamedTuple):
    """Instructions on arrays of any shape, from ``inputs`` to ``out``, which may be one of them."""

    inputs: tuple[Var, ...]
    instructions: tuple[Instruction, ...]
    out: Any


class Each:
    """A function of numbers, applied to the entries of arrays one by one.

    Parameters
    ----------
    f : callable
    fixed : dict
        Arguments that are the same for all, by their places.
    params : sequence
        Arguments that follow.
    """

    def __init__(self, f: Callable[..., Any], fixed: dict[int, Any], params: Sequence[Any] = ()) -> None:
        self.f, self.fixed, self.params = f, fixed, params

    def __call__(self, *columns: Any) -> Any:
        """The results for whole arrays."""
        arrays = np.broadcast_arrays(*columns)
        rows = zip(*[a.ravel().tolist() for a in arrays], strict=True)
        return np.array([self.f(*self.filled(row)) for row in rows], float).reshape(arrays[0].shape)

    def filled(self, row: Sequence[Any]) -> list[Any]:
        """The arguments of one op, with what is fixed in its place."""
        args = list(row)
        for k, value in sorted(self.fixed.items()):
            args.insert(k, value)
        return [*args, *self.params]


class NoBodyError(Exception):
    """A function cannot be done on whole arrays."""


def compute_of(pattern: Pattern) -> Callable[..., Any]:
    """What computes a rule on single numbers."""
    kinds = [slot.kind for slot in pattern.slots]
    compute, cls = pattern.rule.forwards[kinds[0] if len(kinds) == 1 else tuple(kinds)]
    if cls is not Node.for_numbers:
        raise NoBodyError
    return compute


def fixed_of(pattern: Pattern) -> dict[int, Any]:
    """The constants that are part of a pattern, by their places."""
    return {k: slot.fixed for k, slot in enumerate(pattern.slots) if slot.fixed is not None}


def forward_body(pattern: Pattern, exact: bool) -> Body:
    """What a rule does to the arguments that are not fixed."""
    slots = [slot._replace(node=slot.fixed is None, tracked=False) for slot in pattern.slots]
    return _forward_body(pattern._replace(slots=tuple(slots)), exact)


@functools.lru_cache(maxsize=1024)
def _forward_body(pattern: Pattern, exact: bool) -> Body:
    compute, fixed, params = compute_of(pattern), fixed_of(pattern), dict(pattern.params)
    loop = Each(compute, fixed, tuple(params.values()))
    rows = probes([slot for slot in pattern.slots if slot.fixed is None])
    expected = np.array([_number(compute, loop.filled(row)) for row in rows])

    def by_number(*args: Any) -> Any:
        return compute(*loop.filled(args))

    def by_array(*args: Any) -> Any:
        return pattern.rule.forward(*Each(compute, fixed).filled(args), **params)

    def without_sign(*args: Any) -> Any:
        return by_array(*args) + 0.0  # of a zero

    for f in (by_number, by_array, without_sign) if exact else (by_array,):
        body = _followed(f, len(pattern.slots) - len(fixed), exact)
        if body is None or (f is by_number and loops(body)) or not agrees(body, rows, expected, exact):
            continue  # a function of numbers may well take stand-ins for a foreign kind and ask another library
        if exact and f is not by_number:  # another formula than the numbers have: x * x is not always pow(x, 2)
            rows = ordinary([slot for slot in pattern.slots if slot.fixed is None], 30_000)
            expected = np.array([_number(compute, loop.filled(row)) for row in rows])
            if not agrees(body, rows, expected, exact):
                continue
        return body
    return loop_body(loop, len(pattern.slots) - len(fixed))


def _number(f: Callable[..., Any], args: Sequence[Any]) -> float:
    """The result of a function of numbers; nan where it raises, or gives what is no float."""
    try:
        y = f(*args)
        return float(y) if isinstance(y, int | float) else np.nan
    except (ArithmeticError, TypeError, ValueError):
        return np.nan


def loops(body: Body) -> bool:
    """Whether a body goes through the entries of arrays one by one."""
    return any(i.function.kind == "each" for i in body.instructions)


def name_of(f: Any) -> str:
    """What to call a function of numbers."""
    return getattr(f, "__name__", "f").strip("<>_")


def loop_body(loop: Each, n: int) -> Body:
    """A function of ``n`` numbers as a body."""
    inputs = tuple([Var(f"x{k}", np.ndarray) for k in range(n)])
    out = Var("y", np.ndarray)
    return Body(inputs, (Instruction(Function("each", name_of(loop.f), loop), inputs, {}, out),), out)


def _followed(f: Callable[..., Any], n: int, exact: bool) -> Body | None:
    """What a function does to arrays, if it is nothing but calls that may be trusted."""
    writer = Writer()
    inputs = tuple([writer.input(np.array([0.7, 1.3]) + k, f"x{k}") for k in range(n)])
    try:
        with np.errstate(all="ignore"):
            result = f(*[Followed(writer, x) for x in inputs])
        if type(result) is not Followed:
            return None
        filled = {i.out: FILLED[i.function.name] for i in writer.instructions if i.function.name in FILLED}
        made = [i.with_args(lambda v: filled.get(v, v)) for i in writer.instructions if i.out not in filled]
        return Body(inputs, tuple([_trusted(i, exact) for i in made]), result.var)
    except Exception:  # anything may be wrong with a function of numbers that is given arrays
        return None


def _trusted(i: Instruction, exact: bool) -> Instruction:
    """An instruction that gives the bits of Python's floats, as it is or by a loop over the entries."""
    name = i.function.name
    plain = i.function.kind == "ufunc" or name == "where"
    if plain and not i.options and (not exact or name in ROUNDED_ALIKE):
        return i
    if i.function.kind == "operator" and not exact:
        return i
    rule = TABLE.get({"**": "power"}.get(name, name))
    if i.function.kind not in ("ufunc", "operator") or i.options or rule is None or len(rule.inputs) != len(i.args):
        raise NoBodyError
    fixed = {k: a for k, a in enumerate(i.args) if not isinstance(a, Var)}
    kinds = [type(fixed.get(k, 0.0)) for k in range(len(i.args))]
    compute, _ = rule.forwards[kinds[0] if len(kinds) == 1 else tuple(kinds)]
    if compute is not function_for(float, rule.name):
        raise NoBodyError  # only the C library's own functions are what a formula on numbers would call as well
    loop = Function("each", rule.name, Each(compute, fixed))
    return Instruction(loop, tuple([a for a in i.args if isinstance(a, Var)]), {}, i.out)


def run(body: Body, columns: Sequence[Any]) -> Any:
    """Interpret a body."""
    values = dict(zip(body.inputs, columns, strict=True))
    for i in body.instructions:
        values[i.out] = i.compute(values)
    return values[body.out]


def results(body: Body, columns: Sequence[Any]) -> Any:
    """What a body gives at every probe; nan where it raises, as the libraries of numbers do."""
    try:
        with np.errstate(all="ignore"):
            return np.array(np.broadcast_to(np.asarray(run(body, columns), float), columns[0].shape))
    except (ArithmeticError, TypeError, ValueError):
        if len(columns[0]) == 1:
            return np.array([np.nan])
        return np.concatenate([results(body, [c[k : k + 1] for c in columns]) for k in range(len(columns[0]))])


def same_bits(a: Any, b: Any) -> Any:
    """Where two arrays of floats hold the same bits."""
    return a.view(np.int64) == b.view(np.int64)


def agrees(body: Body, rows: Any, expected: Any, exact: bool) -> bool:
    """Whether a body gives the expected bits, or nothing finite where nothing finite is expected."""
    if not rows:
        return True
    found = results(body, [np.array([float(row[k]) for row in rows]) for k in range(len(rows[0]))])
    finite = np.isfinite(found)
    if exact and any(i.function.name in BY_LANE for i in body.instructions):
        columns = [np.array([float(row[k]) for row in rows[:300]]) for k in range(len(rows[0]))]
        wide = results(body, [np.repeat(c, 16) for c in columns]).reshape(-1, 16)
        alone = [results(body, [c[k : k + 1] for c in columns]) for k in range(len(columns[0]))]
        if not same_bits(np.hstack([wide, alone]), found[:300, None])[finite[:300]].all():
            return False
    if exact:
        return bool(same_bits(found, expected)[finite].all())
    near = np.isclose(found, expected, rtol=1e-9, atol=1e-300)
    return bool(near[finite & np.isfinite(expected)].all())


AWKWARD = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e-300, -5e-324, 1e300, 1e-8, 40.0, -745.2, 0.1, -1 / 3]


def probes(slots: Sequence[Kind]) -> list[tuple[Any, ...]]:
    """Points at which bits are compared: edge cases in every combination, and numbers of every size."""
    rng = np.random.default_rng(0)
    awkward = np.array(AWKWARD)
    near = rng.normal(size=(120, len(slots)))
    table = [
        *awkward[np.indices([len(awkward)] * min(len(slots), 2)).reshape(min(len(slots), 2), -1).T].tolist(),
        *near.tolist(),
        *(near * 10.0 ** rng.integers(-12, 12, size=near.shape)).tolist(),
        *np.abs(near % 1).tolist(),
        *rng.choice(awkward, size=(200, len(slots))).tolist(),
    ]
    table = [row for row in table if len(row) == len(slots)]
    return [tuple([x > 0 if slot.kind is bool else x for x, slot in zip(row, slots, strict=True)]) for row in table]


def ordinary(slots: Sequence[Kind], n: int) -> list[tuple[Any, ...]]:
    """So many points of ordinary size: two good implementations of a function differ in one of a thousand."""
    rows = np.random.default_rng(1).normal(size=(n, len(slots))) * 3
    return [
        tuple([x > 0 if slot.kind is bool else x for x, slot in zip(row, slots, strict=True)]) for row in rows.tolist()
    ]
