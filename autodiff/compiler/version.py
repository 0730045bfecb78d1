"""Programs that were loaded, and the memory that they run in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from ..core.flat import room_for
from .capture import Capture
from .emit import Printer, rooms_of
from .load import load
from .owned import given_draws, own_outputs, showing_draws
from .passes import simplify
from .program import Program
from .scalar.version import LevelVersion

Runner = tuple[Callable[..., Any], ...]
"""The functions of a program, forward and backward, with buffers of their own."""


class Version:
    """Programs that were loaded, and the memory of calls that are over.

    Parameters
    ----------
    programs : sequence of Program
        One for each result that can be differentiated, or one that goes forward only.
    title : str
    reuse_outputs : bool
        Whether results are handed out in memory that the next call writes over.
    draws_given : bool
        Whether random numbers are inputs, instead of drawn.
    """

    def __init__(
        self, programs: Sequence[Program], title: str, reuse_outputs: bool = False, draws_given: bool = False
    ) -> None:
        programs = [simplify(p) for p in programs]
        self.draws = 0 if draws_given else len(programs[0].draws)
        programs = [own_outputs(given_draws(p) if draws_given else showing_draws(p)) for p in programs]
        self.sources: list[str] = []
        self.given: list[dict[str, Any]] = []
        self.makes: list[Callable[[], Runner]] = []
        for program in programs:
            source, given, make = self.printed(program, title, reuse_outputs)
            self.sources.append(source)
            self.given.append(given)
            self.makes.append(make)
        self.free: list[list[Runner]] = [[] for _ in programs]
        self.rooms = [Rooms(list(rooms_of(program).values())) for program in programs]

    def printed(self, program: Program, title: str, reuse_outputs: bool) -> tuple[str, dict[str, Any], Any]:
        """The source of a program, what it is given, and what makes its functions."""
        printer = Printer(program, title, reuse_outputs)
        source = printer.source()
        return source, printer.given, load(source, printer.given, title)["make"]

    @staticmethod
    def of_tape(found: LevelVersion) -> LevelVersion:
        """What runs a tape of single numbers."""
        return found

    def take(self, k: int) -> Runner:
        """Functions with buffers that nobody else uses."""
        try:
            return self.free[k].pop()
        except IndexError:
            return self.makes[k]()

    def give_back(self, k: int, runner: Runner) -> None:
        """Let others use them."""
        self.free[k].append(runner)


def version_of(
    found: Capture, title: str, reuse_outputs: bool, kind: type[Version] = Version
) -> Version | LevelVersion:
    """What runs what was captured."""
    if isinstance(found.forward, LevelVersion):
        return kind.of_tape(found.forward)
    return kind(found.backward or [found.forward], title, reuse_outputs)


class Rooms:
    """Finds arrays for gradients: beside those of the other parameters, if nobody holds what was put there last.

    Parameters
    ----------
    positions : list of int
        Which inputs get a gradient.
    """

    def __init__(self, positions: list[int]) -> None:
        self.positions = positions
        self.unheld = [2] * len(positions)
        self.first: Any = None
        self.found: list[tuple[list[Any], int, tuple[int, ...], Any]] = []
        self.whole: list[Any] = []

    def choose(self, data: list[Any]) -> list[Any]:
        """An array for each, given the data of the inputs."""
        # Nobody holds a room if there are two references: that of the list, and that of the argument.
        if data[self.positions[0]] is not self.first:
            self._find(data)
        if self.whole and list(map(getrefcount, self.whole)) == self.unheld:
            return self.whole
        return [rooms[k] if getrefcount(rooms[k]) == 2 else np.empty(shape, t) for rooms, k, shape, t in self.found]

    def _find(self, data: list[Any]) -> None:
        """Look where the parameters lie; if they are all that lies there, their rooms can be taken as they are."""
        self.found = [(*room_for(data[k]), data[k].shape, data[k].dtype) for k in self.positions]
        rooms = self.found[0][0]
        alone = [(id(rooms), k) for k in range(len(rooms))]
        self.whole = rooms if [(id(r), k) for r, k, _, _ in self.found] == alone else []
        self.first = data[self.positions[0]]
