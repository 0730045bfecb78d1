"""Parameters laid end to end in one array, so that a step is a few calls on one vector however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..core.flat import end_to_end, lay_flat
from ..core.node import next_index

COPY_BELOW = 10_000
"""Entries of a parameter, on average, up to which gradients that lie elsewhere are copied together.

Beyond, that costs more than the calls that it spares.
"""

BLOCK = 131_072
"""Entries that are updated at a time: what the formula computes on the way is no larger."""

Update = Callable[[Any, Any, dict[str, Any]], None]


def update_by_blocks(update: Update, p: Any, g: Any, state: dict[str, Any]) -> None:
    """Call ``update``, which works entry by entry, on a large array part by part."""
    if p.size <= BLOCK:
        update(p, g, state)
        return
    arrays = {key: x for key, x in state.items() if isinstance(x, ndarray)}
    if not all([x.shape == p.shape and x.flags.c_contiguous for x in (p, g, *arrays.values())]):
        update(p, g, state)
        return
    part = state
    for start in range(0, p.size, BLOCK):
        cut = slice(start, start + BLOCK)
        part = state | {key: x.reshape(-1)[cut] for key, x in arrays.items()}
        update(p.reshape(-1)[cut], g.reshape(-1)[cut], part)
    state |= {key: x for key, x in part.items() if key not in arrays}


class Scratch:
    """Memory for what an update computes on the way, so that it makes no arrays."""

    def __init__(self) -> None:
        self.memory = np.empty(0, np.uint8)
        self.views: dict[Any, Any] = {}

    def __reduce__(self) -> Any:
        return Scratch, ()  # what is in it is worth nothing to a copy

    def like(self, p: Any) -> Any:
        """An array of the shape and dtype of ``p`` with anything in it; it lasts until the next one is asked for."""
        key = p.shape, p.dtype
        if key not in self.views:
            if p.nbytes > self.memory.nbytes:
                self.memory, self.views = np.empty(p.nbytes, np.uint8), {}
            self.views[key] = ndarray(p.shape, p.dtype, self.memory)
        return self.views[key]


class Arena:
    """Parameters of one dtype in one flat array, of which each parameter's data, and its state, becomes a view.

    Attributes
    ----------
    flat : ndarray
        The data of all parameters.
    gradient : ndarray or None
        The gradients of all parameters; None if they lie apart and are too large to be copied.
    state : dict
        What the optimizer remembers of ``flat``: one state for all.
    """

    def __init__(self, params: Sequence[Any], states: Sequence[dict[str, Any]]) -> None:
        self.params, self.states = params, states
        self.memory, self.views = lay_flat([p._data for p in params])
        self.flat = self.memory.view(ndarray)
        self.room: Any = None
        self.spare: list[Any] = []
        self.gradient: Any = None
        for p, view in zip(params, self.views):
            p._data = view  # the same numbers in another place: no tape becomes stale
        self.state: dict[str, Any] = {}
        self.counters: list[str] = []
        for key, first in states[0].items():
            if isinstance(first, ndarray):
                self.state[key] = np.concatenate([state[key].ravel() for state in states])
                for state, part in zip(states, end_to_end(self.memory.shapes, self.state[key])):
                    state[key] = part
            else:
                self.state[key] = first
                self.counters.append(key)

    def gather(self) -> bool:
        """Find the gradients, or lay them, end to end; False if one is missing, or a parameter has other data since."""
        rooms = self.memory.rooms
        if rooms and all([p.grad is room and p._data is view for p, view, room in zip(self.params, self.views, rooms)]):
            if self.room is None:
                self.room = rooms[0].base.view(ndarray)  # type: ignore[union-attr]
            self.gradient = self.room
        elif self.flat.size < COPY_BELOW * len(self.params):
            return self._copy()
        else:
            self.gradient = None
            return all([p._data is view and p.grad.__class__ is ndarray for p, view in zip(self.params, self.views)])
        return True

    def _copy(self) -> bool:
        if not self.spare:
            self.spare = end_to_end(self.memory.shapes, np.empty_like(self.flat))
        self.gradient = self.spare[0].base
        for p, view, room in zip(self.params, self.views, self.spare):
            g = p.grad
            if p._data is not view or g.__class__ is not ndarray:
                return False
            room[...] = g  # for a few small arrays faster than one call of concatenate
        return True

    def step(self, update: Update) -> None:
        """Update all parameters by the gradients that were gathered: as one, or one by one."""
        if self.gradient is None:
            for p, state in zip(self.params, self.states):
                update_by_blocks(update, p._data, p.grad, state)
            self.state |= {key: self.states[0][key] for key in self.counters}
        else:
            update_by_blocks(update, self.flat, self.gradient, self.state)
            for key in self.counters:
                count = self.state[key]
                for state in self.states:
                    state[key] = count
        for p in self.params:
            p.index = next_index()  # a new place in the creation order: what used the old data is stale


def pack(params: Sequence[Any], states: Sequence[dict[str, Any]]) -> tuple[list[Arena], list[int]]:
    """Arenas for parameters that can share one, and the positions of those to be updated one by one."""
    groups: dict[Any, list[int]] = {}
    alone: list[int] = []
    for i, (p, state) in enumerate(zip(params, states)):
        data = p._data
        if isinstance(data, ndarray) and data.size and p.grad.__class__ is ndarray:
            counts = tuple((key, x) for key, x in state.items() if not isinstance(x, ndarray))
            groups.setdefault((data.dtype, counts, tuple(state)), []).append(i)
        else:
            alone.append(i)
    arenas = []
    for members in groups.values():
        if len(members) == 1:
            alone += members
        else:
            arenas.append(Arena([params[i] for i in members], [states[i] for i in members]))
    return arenas, sorted(alone)
