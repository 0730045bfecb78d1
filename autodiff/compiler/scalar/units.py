"""From a recorded tape of floats to groups: ops of one rule, equally far from the inputs, that are done at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...core.node import Node
from ...core.rule import Rule
from ...value import Value
from ..record import Ref, Step
from .bodies import Kind, Pattern, fixed_kind, pattern_of
from .views import Ints
from .vjps import Wholes, is_sum, wants_values, wholes

SPECIAL = frozenset(["bessel", "entropy", "error_functions", "gammas", "incomplete"])
"""Topics whose functions take so long that comparing them with their array forms would take seconds."""


def topic_of(rule: Rule) -> str:
    """The file that a row stands in."""
    return str(rule.forward.__module__.rpartition(".")[2])


class NotScalarError(Exception):
    """What was recorded is no tape of floats, or one that arrays would not make faster."""


@dataclass(eq=False)
class Group:
    """Ops that are one call on arrays.

    Attributes
    ----------
    pattern : Pattern
        The rule, its options, and what kind of argument stands where.
    members : array of int
        The nodes that the ops make, by number, in the order in which they are laid out.
    args : list
        For each argument the numbers of the nodes, or an array of constants.
    terms : array of int, optional
        For a chain of sums ``((start + t1) + t2) + ...``: the sums on the way, one row a term.  The second argument
        then has such rows as well.
    at : int
        Where the results begin in the array of all values.
    """

    pattern: Pattern
    depth: int
    members: Ints
    args: list[Any]
    terms: Ints | None = None
    at: int = 0
    lines: list[str] = field(default_factory=list)
    name: str = ""

    def part(self, chosen: Ints) -> Group:
        """Some of the ops."""
        part = replace(self)
        part.reorder(chosen)
        return part

    def reorder(self, order: Ints) -> None:
        """Lay the ops out in another order."""
        self.members = self.members[order]
        self.args = [a if np.ndim(a) == 0 else a[..., order] for a in self.args]
        if self.terms is not None:
            self.terms = self.terms[:, order]


@dataclass(eq=False)
class Units:
    """A tape in groups.

    Attributes
    ----------
    leaves : array of int
        The numbers of the inputs, in the order in which they are laid out.
    groups : list of Group
        Each after those that it needs.
    at : array of int
        Where the value of each node lies in the array of all values; -1 for sums on the way of a chain.
    size : int
        The length of that array.
    tracked : array of bool
    number : dict
        From creation number to node number.
    whole : set of int
        The leaves that may hold ints.
    """

    leaves: Ints
    groups: list[Group]
    at: Ints
    size: int
    tracked: np.ndarray[Any, np.dtype[np.bool_]]
    number: dict[int, int]
    steps: int
    whole: set[int]


PER_GROUP = 8
"""How many ops a group must have on average for arrays to be worth it."""


def units_of(
    steps: Sequence[Step],
    leaves: Sequence[Node],
    constants: dict[int, Any],
    tracked: dict[int, bool],
    outputs: Sequence[int],
) -> Units:
    """Group the steps of a tape of floats.

    Parameters
    ----------
    steps : sequence of Step
    leaves : sequence of Node
        What the steps read and did not make.
    constants : dict
        Numbers by the creation numbers of nodes that the function made of them.
    tracked : dict
        Whether each node is differentiated, by creation number.
    outputs : sequence of int
        Creation numbers of results.

    Raises
    ------
    NotScalarError
        If there is something else than floats, or hardly anything to be done at once.
    """
    number = {x.index: k for k, x in enumerate(leaves)}
    for k, step in enumerate(steps):
        number[step.number] = len(leaves) + k
    if not all(isinstance(x, Value) and type(x._data) in (float, int) for x in leaves):
        raise NotScalarError
    for step in steps:
        if type(step.data) not in (float, bool, int) or not isinstance(step.node, Value) or not step.rule.entrywise:
            raise NotScalarError
        if topic_of(step.rule) in SPECIAL:
            raise NotScalarError
    if 2 * sum(type(step.data) is int for step in steps) > len(steps):
        raise NotScalarError
    flags = np.array([tracked[i] for i in number], bool)
    whole = [type(x._data) is int for x in leaves]
    tape = _Tape(list(steps), number, constants, flags, whole)
    try:
        patterns = tape.patterns()
    except NotScalarError:
        if not any(whole):
            raise
        tape.whole = []  # they will be floats when they have been updated: until then, let the tape itself compute
        patterns = tape.patterns()
    if any(tape.gives[number[y]] for y in outputs):
        raise NotScalarError
    uses = np.zeros(len(number), int)
    for found in tape.args:
        for k in found:
            if k >= 0:
                uses[k] += 1
    for y in outputs:
        uses[number[y]] += 2  # a result must not vanish in a chain
    groups = tape.grouped(patterns, tape.chains(patterns, uses))
    if len(groups) * PER_GROUP > len(steps):
        raise NotScalarError
    return _laid_out(groups, len(leaves), flags, number, tape)


class _Tape:
    """A recorded tape by node number: leaves first."""

    def __init__(
        self, steps: list[Step], number: dict[int, int], constants: Any, tracked: Any, whole: list[bool]
    ) -> None:
        self.steps, self.constants, self.tracked, self.whole = steps, constants, tracked, whole
        self.n_leaves = len(number) - len(steps)
        self.gives: list[bool] = []
        self.args: list[tuple[int, ...]] = [()] * self.n_leaves
        for step in steps:
            self.args.append(tuple([number.get(a.number, -1) if type(a) is Ref else -1 for a in step.args]))

    def step(self, k: int) -> Step:
        return self.steps[k - self.n_leaves]

    def constant(self, value: Any) -> Any:
        """An argument that is no node, or one that the function made of a number."""
        return self.constants[value.number] if type(value) is Ref else value

    def patterns(self) -> list[Any]:
        """What kind of op made each node; None for leaves."""
        patterns: list[Any] = [None] * self.n_leaves
        gives = [*self.whole, *[False] * (self.n_leaves - len(self.whole))]  # which nodes may hold ints
        known: dict[Any, tuple[Pattern, bool]] = {}
        same: dict[Pattern, Pattern] = {}
        for k, step in enumerate(self.steps):
            slots: list[tuple[Any, ...]] = []
            for a, value in zip(self.args[self.n_leaves + k], step.args, strict=True):
                if a >= 0:
                    truth = a >= self.n_leaves and type(self.step(a).data) is bool
                    slots.append((bool if truth else int if gives[a] else float, bool(self.tracked[a]), None))
                else:
                    constant, s = self.constant(value), len(slots)
                    told = type(constant) in (int, bool) or wants_values(step.rule, len(step.args), s)
                    slots.append((type(constant), None, constant if told else None))
            key = (id(step.rule), repr(slots), tuple(slots), repr(step.params), tuple(step.params.items()))
            try:
                found = known.get(key)
            except TypeError as error:  # an option that is no plain number or word
                raise NotScalarError from error
            if found is None:
                pattern, whole = _pattern(step.rule, slots, step.params)
                known[key] = found = same.setdefault(pattern, pattern), whole
            if type(step.data) is int and not found[1] and self.whole:
                raise NotScalarError
            patterns.append(found[0])
            gives.append(found[1])
        self.gives = gives
        return patterns

    def chains(self, patterns: list[Any], uses: Any) -> dict[int, list[int]]:
        """Sums of which each is only used by the next, by the number of the last."""
        into: dict[int, list[int]] = {}
        for k in range(self.n_leaves, len(self.args)):
            if not is_sum(self.step(k).rule):
                continue
            first = self.args[k][0]
            chain = into.get(first)
            if chain is not None and uses[first] == 1 and _continues(patterns[chain[-1]], patterns[k]):
                del into[first]
                into[k] = [*chain, k] if len(chain) == 1 else _extended(chain, k)
            else:
                into[k] = [k]
        return {k: chain for k, chain in into.items() if len(chain) > 1}

    def grouped(self, patterns: list[Any], chains: dict[int, list[int]]) -> list[Group]:
        """The groups, those near the inputs first."""
        inner = {k for chain in chains.values() for k in chain[:-1]}
        depth = [0] * len(self.args)
        found: dict[Any, list[int]] = {}
        for k in range(self.n_leaves, len(self.args)):
            if k in inner:
                # What a sum on the way needs, the end of its chain needs as well.
                depth[k] = max([depth[a] for a in self.args[k] if a >= 0], default=0)
                continue
            depth[k] = 1 + max([depth[a] for a in self.args[k] if a >= 0], default=0)
            chain = chains.get(k)
            pattern = patterns[chain[0] if chain else k]
            key = (depth[k], id(pattern), len(chain) if chain else 0, patterns[k].slots[1] if chain else None)
            found.setdefault(key, []).append(k)
        groups = []
        for key, members in sorted(found.items(), key=lambda item: item[0][0]):
            chain = chains.get(members[0])
            pattern = patterns[chain[0] if chain else members[0]]
            make = self._chained if chain else self._plain
            groups.append(make(pattern, members, chains, key[0]))
        return groups

    def _plain(self, pattern: Pattern, members: list[int], chains: Any, depth: int) -> Group:
        args = [self._column(pattern, s, members) for s in range(len(pattern.slots))]
        return Group(pattern, depth, np.array(members), args, lines=self._lines(members))

    def _chained(self, pattern: Pattern, members: list[int], chains: dict[int, list[int]], depth: int) -> Group:
        rows = np.array([chains[k] for k in members]).T
        start = self._column(pattern, 0, rows[0].tolist())
        terms = [self._column(pattern, 1, row.tolist()) for row in rows]
        second = terms[0] if np.ndim(terms[0]) == 0 else np.array(terms)
        return Group(pattern, depth, np.array(members), [start, second], rows, lines=self._lines(members))

    def _column(self, pattern: Pattern, s: int, members: list[int]) -> Any:
        """One argument of many ops: nodes, constants, or one number for all."""
        kind = pattern.slots[s]
        if kind.node:
            return np.array([self.args[k][s] for k in members])
        if kind.fixed is not None:
            return kind.fixed
        return np.array([float(self.constant(self.step(k).args[s])) for k in members])

    def _lines(self, members: list[int]) -> list[str]:
        places = dict.fromkeys(self.step(k).place for k in members)
        return list(dict.fromkeys(str(p.line) for p in places if p is not None))


def _extended(chain: list[int], k: int) -> list[int]:
    chain.append(k)
    return chain


def _continues(a: Pattern, b: Pattern) -> bool:
    """Whether a sum adds the same kind of thing as the one before."""
    return b.slots[0].node and a.slots[1] == b.slots[1] and a.rule is b.rule


def _pattern(rule: Rule, given: Sequence[tuple[Any, ...]], params: dict[str, Any]) -> tuple[Pattern, bool]:
    """A pattern, and whether its results may be ints.

    Ints are floats like others unless that would show; then constants are part of the pattern, and so they are where a
    VJP can be done on arrays for a given constant only.
    """
    places = frozenset([k for k, (kind, _, _) in enumerate(given) if kind is int])
    plain = [Kind(True, float if kind is int else kind) for kind, _, _ in given]
    pattern = pattern_of(rule, plain, params)
    huge = any(type(fixed) is int and abs(fixed) > 2**53 for _, _, fixed in given)
    found = Wholes(True, True) if huge else wholes(pattern, places)
    slots = []
    for kind, tracked, fixed in given:
        if tracked is not None:
            if kind is int and found.matter:
                raise NotScalarError
            slots.append(Kind(True, float if kind is int else kind, tracked))
        elif kind is bool or (kind is int and found.matter) or wants_values(rule, len(given), len(slots)):
            slots.append(fixed_kind(fixed))
        elif kind in (float, int, np.float64):
            slots.append(Kind(False, float if kind is int else kind))
        else:
            raise NotScalarError
    return pattern_of(rule, slots, params), found.give_wholes and not found.matter


LARGE = 64
"""How many ops a group must have to be split off another."""


def _split(group: Group, owner: Ints) -> list[Group]:
    """A group in parts that are used by different groups: within each the arguments are likely to lie in order."""
    owners, sizes = np.unique(owner[group.members], return_counts=True)
    large = owners[sizes >= LARGE]
    if len(large) < 2:
        return [group]
    rest = ~np.isin(owner[group.members], large[:-1])
    return [
        group.part(np.flatnonzero(rest)),
        *[group.part(np.flatnonzero(owner[group.members] == k)) for k in large[:-1]],
    ]


def _laid_out(groups: list[Group], n_leaves: int, tracked: Any, number: dict[int, int], tape: _Tape) -> Units:
    """Number the nodes within each group as the groups that use them come to them."""
    count = len(number)
    first_use = np.full(count, np.iinfo(np.intp).max)
    clock = 0
    owner = np.full(count, -1)
    parts: list[Group] = []
    for group in reversed(groups):
        for part in reversed(_split(group, owner)):
            parts.append(part)
            part.reorder(np.argsort(first_use[part.members], kind="stable"))
            for s, (kind, arg) in enumerate(zip(part.pattern.slots, part.args, strict=True)):
                if kind.node:
                    nodes = arg.ravel()[::-1]
                    new = first_use[nodes] == np.iinfo(np.intp).max
                    first_use[nodes[new]] = (clock + np.arange(arg.size)[::-1])[new]
                    owner[nodes[new]] = 4 * len(parts) + min(s, 3)
                    clock += arg.size
    groups = parts[::-1]
    for k, group in enumerate(groups):
        group.name = f"{group.pattern.rule.name}{k + 1}"
    leaves = np.argsort(first_use[:n_leaves], kind="stable")
    at = np.full(count, -1)
    at[leaves] = np.arange(n_leaves)
    size = n_leaves
    for group in groups:
        group.at = size
        size += len(group.members)
        at[group.members] = np.arange(group.at, size)
    whole = {k for k, is_whole in enumerate(tape.whole) if is_whole}
    return Units(leaves, groups, at, size, tracked, number, len(tape.steps), whole)
