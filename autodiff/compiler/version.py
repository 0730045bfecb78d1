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
        self.programs = [own_outputs(given_draws(p) if draws_given else showing_draws(p)) for p in programs]
        self.sources: list[str] = []
        self.given: list[dict[str, Any]] = []
        self.makes: list[Callable[[], Runner]] = []
        for program in self.programs:
            printer = Printer(program, title, reuse_outputs)
            source = printer.source()
            self.sources.append(source)
            self.given.append(printer.given)
            self.makes.append(load(source, printer.given, title)["make"])
        self.free: list[list[Runner]] = [[] for _ in self.programs]
        self.rooms = [Rooms(list(rooms_of(program).values())) for program in self.programs]

    def take(self, k: int) -> Runner:
        """Functions with buffers that nobody else uses."""
        try:
            return self.free[k].pop()
        except IndexError:
            return self.makes[k]()

    def give_back(self, k: int, runner: Runner) -> None:
        """Let others use them."""
        self.free[k].append(runner)


def version_of(found: Capture, title: str, reuse_outputs: bool) -> Version | LevelVersion:
    """What runs what was captured."""
    if isinstance(found.forward, LevelVersion):
        return found.forward
    return Version(found.backward or [found.forward], title, reuse_outputs)


class Rooms:
    """Finds arrays for gradients: beside those of the other parameters, if nobody holds what was put there last.

    Parameters
    ----------
    positions : list of int
        Which inputs get a gradient.
    """

    def __init__(self, positions: list[int]) -> None:
        self.positions = positions
        self.found: tuple[Any, list[tuple[list[Any], int, tuple[int, ...], Any]]] = (None, [])

    def choose(self, data: list[Any]) -> list[Any]:
        """An array for each, given the data of the inputs."""
        first, found = self.found
        if data[self.positions[0]] is not first:  # the parameters lie elsewhere by now
            found = [(*room_for(data[k]), data[k].shape, data[k].dtype) for k in self.positions]
            self.found = data[self.positions[0]], found
        # Nobody holds a room if there are two references: that of the list, and that of the argument.
        return [rooms[k] if getrefcount(rooms[k]) == 2 else np.empty(shape, t) for rooms, k, shape, t in found]
