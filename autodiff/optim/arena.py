"""Parameters laid end to end in one array, so that a step is a few calls on one vector however many there are."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.flat import end_to_end, lay_flat
from ..core.node import next_index

COPY_BELOW = 16_384
"""Entries up to which gradients that lie elsewhere are copied together: beyond, that costs more than calls do."""


class Arena:
    """Parameters of one dtype in one flat array, of which each parameter's data, and its state, becomes a view.

    Attributes
    ----------
    flat : ndarray
        The data of all parameters.
    rooms : list of ndarray
        Where gradients are best put: these lie end to end too, and :func:`~autodiff.core.flat.room_for` finds them.
    gradient : ndarray or None
        The gradients of all parameters; None if they lie apart and are too large to be copied.
    state : dict
        What the optimizer remembers of ``flat``: one state for all.
    """

    def __init__(self, params: Sequence[Any], states: Sequence[dict[str, Any]]) -> None:
        self.params, self.states = params, states
        flat, self.views = lay_flat([p._data for p in params])
        self.flat = flat.view(np.ndarray)
        self.rooms = flat.rooms
        self.room: Any = self.rooms[0].base
        self.spare: Any = None
        self.gradient: Any = None
        for p, view in zip(params, self.views):
            p._data = view  # the same numbers in another place: no tape becomes stale
        self.state: dict[str, Any] = {}
        self.counters: list[str] = []
        self.keys = 0
        self._join_states()

    def _join_states(self) -> None:
        """Take over from the states of the parameters what the common one lacks, and the counters."""
        lacking = [key for key in self.states[0] if key not in self.state]
        for key, first in self.states[0].items():
            if not isinstance(first, np.ndarray):
                self.state[key] = first
            elif key in lacking:
                self.state[key] = np.concatenate([s[key].ravel() for s in self.states])
        if lacking:
            self._share()

    def _share(self) -> None:
        """Give each parameter's own state views of the common one, and the counters."""
        for key, common in self.state.items():
            apart = [common] * len(self.params)
            parts = end_to_end(self.views, common) if isinstance(common, np.ndarray) else apart
            for state, part in zip(self.states, parts):
                state[key] = part
        self.counters = [key for key, common in self.state.items() if not isinstance(common, np.ndarray)]
        self.keys = len(self.state)

    def gather(self) -> bool:
        """Find the gradients, or lay them, end to end; False if one is missing, or a parameter has other data since."""
        gradients = []
        for p, view in zip(self.params, self.views):
            g = p.grad
            if p._data is not view or g.__class__ is not np.ndarray:
                return False
            gradients.append(g)
        if gradients[0] is self.rooms[0] and all(map(operator.is_, gradients, self.rooms)):
            self.gradient = self.room
        elif self.flat.size < COPY_BELOW:
            if self.spare is None:
                self.spare = np.empty_like(self.flat)
            self.gradient = np.concatenate(gradients, None, out=self.spare)
        else:
            self.gradient = None
        return True

    def step(self, update: Callable[[Any, Any, dict[str, Any]], None]) -> None:
        """Update all parameters by the gradients that were gathered: as one, or one by one."""
        if self.gradient is None:
            for p, state in zip(self.params, self.states):
                update(p._data, p.grad, state)
            self._join_states()
        else:
            update(self.flat, self.gradient, self.state)
            if len(self.state) != self.keys:
                self._share()
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
        if isinstance(data, np.ndarray) and data.size and p.grad.__class__ is np.ndarray:
            counts = tuple((key, x) for key, x in state.items() if not isinstance(x, np.ndarray))
            groups.setdefault((data.dtype, counts, len(state)), []).append(i)
        else:
            alone.append(i)
    arenas = []
    for members in groups.values():
        if len(members) == 1:
            alone += members
        else:
            arenas.append(Arena([params[i] for i in members], [states[i] for i in members]))
    return arenas, sorted(alone)
