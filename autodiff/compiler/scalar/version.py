"""A scalar tape as source that is loaded and checked, in the place of a program of single lines."""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...core.node import Node
from ...core.tape import pull_back
from ..load import load
from ..record import Recorder
from .backward import NOTHING, START, Backward
from .forward import write_forward
from .printing import Page
from .units import NotScalarError, Units, units_of
from .views import Ints

T = TypeVar("T")

MANY = 300
"""How many steps a tape must have for levels to be worth their while."""


def scalar_version(
    recorder: Recorder,
    leaves: Sequence[Node],
    outputs: Sequence[Any],
    natures: dict[int, Any],
    differentiate: bool,
    exact: bool,
    title: str,
) -> LevelVersion | None:
    """What runs a recorded tape level by level, if it is a long one of floats; else None.

    Parameters
    ----------
    recorder : Recorder
    leaves : sequence of Node
        The inputs, and then what was read beside them.
    outputs : sequence
        What the function returned: nodes, and constants.
    natures : dict
        What every recorded node is where the function is not compiled, by creation number.
    differentiate : bool
        Whether results are to be differentiated.
    exact : bool
        Whether every bit must be what it is where the function is not compiled.
    title : str
    """
    if len(recorder.steps) < MANY:
        return None

    try:
        levels = apart(Levels, recorder, leaves, outputs, natures, differentiate, exact)
        return apart(LevelVersion, levels, title)
    except NotScalarError:
        return None


def apart(f: Callable[..., T], *args: Any) -> T:
    """Call ``f`` where nobody watches and NumPy warns of nothing: it tries rules at all kinds of numbers."""

    def quietly() -> T:
        with np.errstate(all="ignore"):
            return f(*args)

    return contextvars.Context().run(quietly)


class Levels:
    """A recorded tape of floats in groups, from which source is printed for each result."""

    def __init__(
        self,
        recorder: Recorder,
        leaves: Sequence[Node],
        outputs: Sequence[Any],
        natures: dict[int, Any],
        differentiate: bool,
        exact: bool,
    ) -> None:
        self.leaves, self.outputs, self.exact = leaves, outputs, exact
        made = {step.number for step in recorder.steps}
        for y in outputs:
            if isinstance(y, Node) and (type(y._data) not in (float, int) or y.index not in made):
                raise NotScalarError
        results = [y.index for y in outputs if isinstance(y, Node)]
        tracked = {index: nature.tracked for index, nature in natures.items()}
        self.units: Units = units_of(recorder.steps, leaves, recorder.constants, tracked, results)
        self.swept = [k for k, y in enumerate(outputs) if differentiate and isinstance(y, Node) and tracked[y.index]]
        self.sources = [k for k, x in enumerate(leaves) if tracked[x.index]]

    def source_of(self, which: int, title: str) -> tuple[str, dict[str, Any]]:
        """The source, and its constants, that computes all results, and the sweep from one that is differentiated."""
        units, page = self.units, Page()
        k = self.swept[which] if self.swept else None
        write_forward(page, units, self.exact)
        forward, page.lines = page.lines, []
        g_size, backward, found = 0, None, []
        if k is not None:
            sweep = Backward(page, units, units.number[self.outputs[k].index], self.exact)
            backward, g_size = page.lines, sweep.size
            at = sweep.at[self.sources]
            found = self._found(page, at)
        n = len(units.leaves)
        page.constants |= {"check": check, "view": view, "isfinite": math.isfinite}
        order = page.constant("order", units.leaves)
        lines = [f'"""{title}: {units.steps:,} ops on single numbers as {len(units.groups)} calls on arrays."""']
        lines += ["", "import numpy as np", "", "", "def make():"]
        lines += [f"    v = np.empty({units.size})  # all values: inputs, then level by level"]
        lines += (
            [f"    g = np.empty({g_size})  # cotangents", f"    g[{NOTHING}] = -0.0"] if backward is not None else []
        )
        for name, size in page.scratch.items():
            lines.append(f"    {name} = np.empty({size}{', bool' if name.startswith('truth') else ''})")
        lines += [f"    {text}" for text in page.setup]
        body = ["", "def forward(*given):", f"    check(given, {sorted(units.whole)})"]
        body += [f"    v[:{n}] = np.fromiter(given, float, {n})[{order}]"] if n else []
        body += ['    with np.errstate(all="ignore"):', *[f"        {text}" for text in forward]]
        body += ["        finite = isfinite(v.dot(v)) or np.isfinite(v).all()", "    if not finite:"]
        body += ['        raise ArithmeticError("an infinity or a nan, which Python and NumPy treat differently")']
        body += [f"    return {self._returned(page)}"]
        if backward is not None:
            body += ["", "def backward(g_start, *given):", f"    g[{START}] = g_start"]
            body += ['    with np.errstate(all="ignore"):', *[f"        {text}" for text in backward or ["pass"]]]
            body += [f"    {text}" for text in found]
        lines += [f"    {text}" if text else "" for text in body]
        lines += [f"    return forward,{' backward' if backward is not None else ''}"]
        return "\n".join(lines) + "\n", page.constants

    def _returned(self, page: Page) -> str:
        return "".join([f"{self._result(page, y)}, " for y in self.outputs]).rstrip()

    def _result(self, page: Page, y: Any) -> str:
        if isinstance(y, Node):
            return f"v.item({self.units.at[self.units.number[y.index]]})"
        return f"{page.constant('constant', y)}.copy()" if isinstance(y, np.ndarray) else page.text(y)

    def _found(self, page: Page, at: Ints) -> list[str]:
        """Lines that return the gradients, None where there is none."""
        there = at[at >= 0]
        lines = [f"found = g.take({page.constant('places', there)}).tolist()"]
        lines += ["if not all(map(isfinite, found)):"]
        lines += ['    raise ArithmeticError("an infinity or a nan: hard zeros may be needed")']
        if len(there) == len(at):
            return [*lines, "return found"]
        lines.append(f"found = dict(zip({page.constant('places', np.flatnonzero(at >= 0))}.tolist(), found))")
        return [*lines, f"return [found.get(k) for k in range({len(at)})]"]


def check(inputs: tuple[Any, ...], whole: list[int]) -> None:
    """Raise unless the inputs are Python floats, or whole numbers that a float can hold where those were recorded."""
    if {float}.issuperset(map(type, inputs)):
        return
    for k, x in enumerate(inputs):
        if type(x) is not float and not (k in whole and type(x) is int and abs(x) <= 2**53):
            raise TypeError(f"{x!r} where a float was recorded")


def view(array: Any, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """A strided view of a flat array of floats, in entries instead of bytes."""
    return as_strided(array[start:], shape, [8 * stride for stride in strides])


class NoRooms:
    """Gradients that are numbers lie nowhere."""

    positions = ()

    def choose(self, data: list[Any]) -> list[Any]:
        """No array."""
        return []


NO_ROOMS = NoRooms()


class LevelVersion:
    """What :class:`~autodiff.compiler.version.Version` is, for a tape of floats."""

    draws = 0

    def __init__(self, levels: Levels, title: str) -> None:
        self.levels, self.title = levels, title
        self.outputs = [y._data if isinstance(y, Node) else y for y in levels.outputs]
        count = max(len(levels.swept), 1)
        self.makes: list[Callable[[], Any] | None] = [None] * count
        self.free: list[list[Any]] = [[] for _ in range(count)]
        self.rooms = [NO_ROOMS] * count
        self.written: dict[int, tuple[str, dict[str, Any]]] = {}
        runner = self.take(0)
        if levels.exact:
            self._compare(runner)
        self.give_back(0, runner)

    @property
    def sources(self) -> list[str]:
        """What was printed: a sweep is when it is first asked for."""
        return [source for source, _ in self.written.values()]

    @property
    def given(self) -> list[dict[str, Any]]:
        """What each source takes for granted."""
        return [constants for _, constants in self.written.values()]

    def take(self, k: int) -> Any:
        """Functions with memory that nobody else uses."""
        try:
            return self.free[k].pop()
        except IndexError:
            make = self.makes[k]
            if make is None:
                source, constants = apart(self.levels.source_of, k, self.title)
                self.written[k] = source, constants
                self.makes[k] = make = load(source, constants, self.title)["make"]
            return make()

    def give_back(self, k: int, runner: Any) -> None:
        """Let others use them."""
        self.free[k].append(runner)

    def _compare(self, runner: Any) -> None:
        """Run what was recorded: every bit must be what it was."""
        levels = self.levels
        data = [float(x._data) for x in levels.leaves]
        try:
            found = list(runner[0](*data))
            if levels.swept:
                found += runner[1](1.0, *data)
        except (ArithmeticError, ValueError):
            return  # infinities, and what has no value, are left to the tape itself
        expected = [float(y._data) if isinstance(y, Node) else y for y in levels.outputs]
        if levels.swept:
            swept = {x.index: float(c) for x, c in pull_back((levels.outputs[levels.swept[0]],), (1.0,))}
            expected += [swept.get(levels.leaves[j].index) for j in levels.sources]
        if list(map(repr, found)) != list(map(repr, expected)):
            raise NotScalarError
