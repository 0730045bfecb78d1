"""Scalar tapes as machine code: one function for all values, one for the sweep, whatever the number of ops.

The functions hold one loop for each kind of op; which ops there are, and what they read, stands in arrays of whole
numbers beside them.  So a longer tape takes no longer to compile.
"""

from __future__ import annotations

import logging
import math
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..program import Function, Instruction, Var
from ..scalar.backward import Backward
from ..scalar.bodies import Body, Each, forward_body
from ..scalar.printing import Page
from ..scalar.units import Group, NotScalarError
from ..scalar.version import Levels, LevelVersion, check
from .disk import loaded
from .entries import COMPARING, FLOATS, TRUTHS, Text, constant

logger = logging.getLogger("autodiff.compiler")

FLOAT, TRUTH = np.dtype(float), np.dtype(bool)
ASKING = frozenset([*COMPARING, "isnan", "isinf", "isfinite", "logical_not"])
POWERS = (operator.pow, pow, math.pow)


def machine_tape(found: LevelVersion) -> LevelVersion:
    """The same tape as machine code; as it is, if something in it has no such."""
    for damaged in (False, True):  # what is found on disk may be
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return MachineTape(found, damaged)
        except Exception as error:  # Numba has many of its own
            logger.debug("%s is not made machine code: %r", found.title, error)
            if isinstance(error, NotScalarError):
                break
    return found


class Sweep(Backward):
    """The uses of the nodes that a result depends on."""

    def __init__(self, levels: Levels, y: int) -> None:
        self.units, self.exact = levels.units, levels.exact
        self.sources = []
        self.edges = self._edges(y)


class MachineLevels(Levels):
    """The groups of a tape, printed as loops."""

    def __init__(self, levels: Levels) -> None:
        vars(self).update(vars(levels))

    def source_of(self, which: int, title: str) -> tuple[str, dict[str, Any]]:
        """The source, and its constants."""
        units, page = self.units, Page()
        k = self.swept[which] if self.swept else None
        tables = Tables(self)
        values = tables.values()
        lines = [f'"""{title}: {units.steps:,} ops on single numbers, in NumPy and Numba."""']
        lines += ["", "import math", "from math import isfinite", "", "import numpy as np", "from numba import njit"]
        lines += ["", "f64 = np.float64", "", "", *values]
        found: list[str] = []
        if k is not None:
            y = units.number[self.outputs[k].index]
            sweep, at = tables.sweep(y)
            lines += ["", "", *sweep]
            found = self._found(page, at[self.sources])
        n, at_y = len(units.leaves), 0 if k is None else int(units.at[units.number[self.outputs[k].index]])
        order = page.constant("order", units.leaves)
        lines += ["", "", "def make():"]
        lines += [f"    v = np.empty({units.size + len(tables.constants)})  # inputs, values, constants"]
        lines += [f"    v[{units.size}:] = constants"] if tables.constants else []
        lines += [f"    g = np.empty({units.size})  # cotangents"] if k is not None else []
        body = ["", "def forward(*given):", f"    check(given, {sorted(units.whole)})"]
        body += [f"    v[:{n}] = np.fromiter(given, float, {n})[{order}]"] if n else []
        body += [f"    values(v, {', '.join(tables.given['values'])})"]
        body += ["    if not (isfinite(v.dot(v)) or np.isfinite(v).all()):"]
        body += ['        raise ArithmeticError("an infinity or a nan, which Python and NumPy treat differently")']
        body += [f"    return {self._returned(page)}"]
        if k is not None:
            body += ["", "def backward(g_start, *given):", f"    g[{at_y}] = g_start"]
            body += [f"    sweep(v, g, {', '.join(tables.given['sweep'])})", *[f"    {text}" for text in found]]
        lines += [f"    {text}" if text else "" for text in body]
        lines += ["", f"    return forward,{' backward' if k is not None else ''}"]
        constants = {**page.constants, **tables.arrays, "check": check, "constants": np.array(tables.constants, float)}
        return "\n".join(lines) + "\n", constants


class Tables:
    """The ops of a tape as arrays of whole numbers, and the functions that walk through them."""

    def __init__(self, levels: Levels) -> None:
        self.levels, self.units = levels, levels.units
        self.constants: list[float] = []
        self.places: dict[str, int] = {}
        self.arrays: dict[str, Any] = {}
        self.given: dict[str, list[str]] = {"values": [], "sweep": []}
        self.at = self.units.at.copy()
        for group in self.units.groups:
            if group.terms is not None:
                self.at[group.terms] = self.at[group.members]

    def give(self, to: str, name: str, entries: Any) -> None:
        """Hand an array of whole numbers to a function."""
        self.arrays[name] = np.asarray(entries, np.int32)
        self.given[to].append(name)

    def operand(self, arg: Any, n: int) -> Any:
        """Where the numbers of an argument lie: among the values, or among the constants after them."""
        if np.ndim(arg) and arg.dtype.kind == "i":
            return self.at[arg.ravel()]
        found = np.broadcast_to(np.asarray(arg, float), (n,)) if np.ndim(arg) == 0 else arg.ravel()
        return np.array([self.constant(x) for x in found.tolist()])

    def constant(self, x: float) -> int:
        """The place of a constant."""
        key = repr(x)
        if key not in self.places:
            self.places[key] = self.units.size + len(self.constants)
            self.constants.append(x)
        return self.places[key]

    def columns(self, group: Group) -> list[Any]:
        """The arguments of a group that are not part of its kind."""
        kept = [a for a, kind in zip(group.args, group.pattern.slots, strict=True) if kind.fixed is None]
        return [self.operand(a, len(group.members)) for a in kept]

    def values(self) -> list[str]:
        """The function of all values."""
        kinds: dict[str, tuple[int, list[str]]] = {}
        kind: list[int] = []
        first, terms = [0], list[Any]()
        reads: list[list[Any]] = []
        for group in self.units.groups:
            loop = self.loop(group, forward_body(group.pattern, self.levels.exact))
            key, n = "\n".join(loop), len(group.members)
            kinds.setdefault(key, (len(kinds), loop))
            columns = self.columns(group)
            if group.terms is not None:
                length = len(group.terms)
                more = columns[1] if np.ndim(group.args[1]) > 1 else np.tile(columns[1], length)
                begin = sum([len(t) for t in terms])
                terms.append(more.reshape(length, n).T.ravel())
                columns = [columns[0], begin + length * np.arange(n), begin + length * np.arange(1, n + 1)]
            kind.append(kinds[key][0])
            first.append(first[-1] + n)
            reads.append([*columns, *[np.zeros(n, int)] * (3 - len(columns))])
        if any(len(r) > 3 for r in reads):
            raise NotScalarError
        self.give("values", "kind", kind)
        self.give("values", "first", first)
        for name, column in zip("abc", zip(*reads, strict=True), strict=True):
            self.give("values", name, np.concatenate(column))
        self.give("values", "terms", np.concatenate(terms) if terms else [])
        lines = [f"def values(v, {', '.join(self.given['values'])}):"]
        lines += ['    """Every op, in groups of one kind: op ``k`` gives ``v[start + k]``."""']
        lines += [f"    start = {len(self.units.leaves)}", "    for m in range(len(kind)):"]
        for number, (_, loop) in enumerate(kinds.values()):
            lines += [
                f"        {'el' * (number > 0)}if kind[m] == {number}:",
                *[f"            {line}" for line in loop],
            ]
        return ['@njit(error_model="numpy", nogil=True, cache=True)', *lines]

    def loop(self, group: Group, body: Body) -> list[str]:
        """The loop over one group."""
        turn = "for k in range(first[m], first[m + 1]):"
        if group.terms is None:
            texts = [f"v[{name}[k]]" for name in "abc"]
            lines, result = written(body, texts[: len(body.inputs)])
            return [turn, *[f"    {line}" for line in lines], f"    v[start + k] = {result}"]
        lines, result = written(body, ["total", "v[terms[e]]"])
        inner = [*lines, f"total = {result}"]
        return [
            turn,
            "    total = v[a[k]]",
            "    for e in range(b[k], c[k]):",
            *[f"        {line}" for line in inner],
            "    v[start + k] = total",
        ]

    def sweep(self, y: int) -> tuple[list[str], Any]:
        """The function of all cotangents, and where those of the leaves lie; -1 where there is none."""
        sweep = Sweep(self.levels, y)
        edges = sweep.edges
        bounds = np.searchsorted(edges.target, np.arange(len(self.units.at) + 1))
        kind, user, reads, loops = self.edges(sweep)
        at, reached = self.at.copy(), bounds[1:] > bounds[:-1]
        reached[y] = True
        runs: list[tuple[int, int, Any]] = []
        for group in [*[group.members for group in reversed(self.units.groups)], self.units.leaves]:
            alike: dict[bytes, list[int]] = {}
            for t in group.tolist():
                if bounds[t] < bounds[t + 1]:
                    alike.setdefault(kind[bounds[t] : bounds[t + 1]].tobytes(), []).append(t)
            for found in alike.values():
                nodes = np.array(found)
                how = kind[bounds[nodes[0]] : bounds[nodes[0] + 1]]
                if len(how) == 1 and loops[how[0]] == [HANDED]:  # it is that of its user
                    at[nodes] = at[user[bounds[nodes]]]
                else:
                    runs += [
                        (int(how[r[0]]), len(r), (nodes, r))
                        for r in np.split(np.arange(len(how)), np.flatnonzero(np.diff(how)) + 1)
                    ]
        for chain in self.units.groups:
            if chain.terms is not None:
                at[chain.terms] = at[chain.members]
        which = [(bounds[nodes][:, None] + r).ravel() for _, _, (nodes, r) in runs]
        edge = np.concatenate([np.zeros(0, int), *which])
        self.give("sweep", "how", [how for how, _, _ in runs])
        self.give("sweep", "often", [often for _, often, _ in runs])
        self.give("sweep", "more", [r[0] > 0 for _, _, (_, r) in runs])
        self.give("sweep", "last", np.cumsum([len(nodes) for _, _, (nodes, _) in runs]))
        self.give("sweep", "node", np.concatenate([np.zeros(0, int), *[at[nodes] for _, _, (nodes, _) in runs]]))
        self.give("sweep", "user", at[user[edge]])
        for name, column in zip(("a_", "b_", "c_", "d_"), reads, strict=True):
            self.give("sweep", name, column[edge])
        names = [name.rstrip("_") for name in self.given["sweep"]]
        lines = [f"def sweep(v, g, {', '.join(names)}):"]
        lines += ['    """The cotangent of each node: the sum of what its uses send back, newest first."""']
        lines += ["    n = e = 0", "    for m in range(len(how)):"]
        for number, lines_of in enumerate(loops):
            lines += [f"        {'el' * (number > 0)}if how[m] == {number}:", "            while n < last[m]:"]
            lines += [
                "                total = g[node[n]] if more[m] else -0.0",
                "                for _ in range(often[m]):",
            ]
            lines += [*[f"                    {line}" for line in lines_of], "                    e += 1"]
            lines += ["                g[node[n]] = total", "                n += 1"]
        lines += [] if loops else ["        pass"]
        return ['@njit(error_model="numpy", nogil=True, cache=True)', *lines], np.where(reached, at, -1)

    def edges(self, sweep: Sweep) -> tuple[Any, Any, Any, list[list[str]]]:
        """Of all edges the kind, the user by number, what they read; and of each kind the lines that add it up."""
        size = len(sweep.edges.target)
        kinds: dict[str, tuple[int, list[str]]] = {}
        kind, user, reads = np.zeros(size, int), np.zeros(size, int), np.zeros((4, size), int)
        for s in np.unique(sweep.edges.source).tolist():
            mine = sweep.edges.source == s
            source, position = sweep.sources[s], sweep.edges.position[mine]
            group = source.group
            user[mine] = group.members[position % len(group.members)]
            columns: list[Any] = []
            if not source.hands_on:
                columns = [c[position] for c in self.columns(group)] + [group.at + position]
                if len(columns) > len(reads):
                    raise NotScalarError
                for n, column in enumerate(columns):
                    reads[n, mine] = column
            texts = ["g[user[e]]", *[f"v[{name}[e]]" for name in "abcd"[: len(columns)]]]
            lines, result = written(source.body, texts) if columns else ([], "g[user[e]]")
            lines = [*lines, f"total += {result}"]
            kind[mine] = kinds.setdefault("\n".join(lines), (len(kinds), lines))[0]
        return kind, user, reads, [lines for _, lines in kinds.values()]


HANDED = "total += g[user[e]]"


def written(body: Body, columns: Sequence[str]) -> tuple[list[str], str]:
    """A body as lines for one entry, and its result."""
    texts: dict[Var, Text] = {v: Text(c, FLOAT) for v, c in zip(body.inputs, columns, strict=False)}
    lines: list[str] = []
    for n, i in enumerate(body.instructions):
        text, dtype = one(i, [texts[a] if isinstance(a, Var) else given(a) for a in i.args])
        if i.out is not body.out:
            lines.append(f"x{n} = {text}")
            text = f"x{n}"
        texts[i.out] = Text(text, dtype)
    result = texts[body.out]
    return lines, f"f64({result.source})" if result.dtype == TRUTH else result.source


def given(x: Any) -> Text:
    """A constant in a body."""
    if isinstance(x, bool | np.bool_):
        return Text(repr(bool(x)), TRUTH)
    return constant(float(x), FLOAT)


def one(i: Instruction, args: list[Text]) -> tuple[str, Any]:
    """One instruction of a body as an expression, and its dtype."""
    function: Function = i.function
    name = function.name
    if isinstance(function.call, Each):
        return each(function.call, args), FLOAT
    if name == "where":
        asked, a, b = args
        condition = asked.operand() if asked.dtype == TRUTH else f"({asked.source} != 0)"
        a, b = (a, b) if a.dtype == b.dtype else (numeric(a), numeric(b))
        return f"{a.operand()} if {condition} else {b.operand()}", a.dtype
    if args[0].dtype == TRUTH and all(a.dtype == TRUTH for a in args) and name in TRUTHS:
        return TRUTHS[name](*args), TRUTH
    if name not in FLOATS or i.options:
        raise NotScalarError
    return FLOATS[name](*map(numeric, args)), TRUTH if name in ASKING else FLOAT


def numeric(x: Text) -> Text:
    """A truth value as a number."""
    return Text(f"f64({x.source})", FLOAT) if x.dtype == TRUTH else x


def each(loop: Each, args: list[Text]) -> str:
    """A function of Python's numbers: one that Numba has too."""
    texts = [a if isinstance(a, Text) else given(a) for a in loop.filled([numeric(a) for a in args])]
    f: Callable[..., Any] = loop.f
    if any(f is p for p in POWERS) and len(texts) == 2:
        return f"{texts[0].operand()} ** {texts[1].operand()}"
    if getattr(math, getattr(f, "__name__", ""), None) is f:
        return f"math.{f.__name__}({', '.join(t.source for t in texts)})"
    raise NotScalarError


class MachineTape(LevelVersion):
    """What runs a scalar tape as machine code."""

    def __init__(self, found: LevelVersion, damaged: bool) -> None:
        self.damaged = damaged
        self.levels, self.title, self.outputs = MachineLevels(found.levels), found.title, found.outputs
        self.makes, self.free = [None] * len(found.makes), [[] for _ in found.free]
        self.rooms, self.written = found.rooms, {}
        rng = np.random.default_rng(0)
        data = [float(x) for x in rng.normal(size=len(self.levels.leaves))]
        mine, theirs = results_of(self, data), results_of(found, data)
        if theirs is not None and (mine is None or not np.allclose(mine, theirs, rtol=1e-9, atol=1e-300)):
            raise NotScalarError

    def take(self, k: int) -> Any:
        """Functions with memory that nobody else uses."""
        if not self.free[k] and self.makes[k] is None:
            source, constants = self.levels.source_of(k, self.title)
            self.written[k] = source, constants
            self.makes[k] = loaded(source, constants, self.title, self.damaged)["make"]
        return super().take(k)


def results_of(version: LevelVersion, data: Sequence[float]) -> list[float] | None:
    """The results and gradients of a tape; None where it has none."""
    runner = version.take(0)
    try:
        found = [*runner[0](*data), *(runner[1](1.0, *data) if len(runner) > 1 else [])]
    except (ArithmeticError, ValueError):
        return None
    finally:
        version.give_back(0, runner)
    return [0.0 if x is None else float(x) for x in found]
