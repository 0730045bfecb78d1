"""Small parameters laid end to end in one array, so that a step is a few calls on one vector however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.node import next_index

PACK_BELOW = 16_384
"""Entries from which on a parameter is updated by itself: there the calls cost little beside the copying."""


class Arena:
    """Parameters of one dtype in one flat array, of which each parameter's data, and its state, becomes a view.

    Attributes
    ----------
    flat, gradient : ndarray
        The data of all parameters, and room for their gradients.
    state : dict
        What the optimizer remembers of ``flat``: one state for all.
    """

    def __init__(self, params: Sequence[Any], states: Sequence[dict[str, Any]]) -> None:
        self.params, self.states = params, states
        self.flat = np.concatenate([p._data.ravel() for p in params])
        self.gradient = np.empty_like(self.flat)
        self.views = self._cut(self.flat)
        for p, view in zip(params, self.views):
            p._data = view  # the same numbers in another place: no tape becomes stale
        self.state: dict[str, Any] = {}
        for key, first in states[0].items():
            parts = [s[key] for s in states]
            self.state[key] = np.concatenate([x.ravel() for x in parts]) if isinstance(first, np.ndarray) else first
        self._share()

    def _cut(self, flat: Any) -> list[Any]:
        ends = np.cumsum([p._data.size for p in self.params])
        return [part.reshape(p._data.shape) for p, part in zip(self.params, np.split(flat, ends[:-1]))]

    def _share(self) -> None:
        """Give each parameter's own state views of the common one, and the counters."""
        for key, common in self.state.items():
            parts = self._cut(common) if isinstance(common, np.ndarray) else [common] * len(self.params)
            for state, part in zip(self.states, parts):
                state[key] = part
        self.counters = [key for key, common in self.state.items() if not isinstance(common, np.ndarray)]
        self.keys = len(self.state)

    def gather(self) -> bool:
        """Lay the gradients end to end; False if one is missing, or a parameter was given other data since."""
        gradients = []
        for p, view in zip(self.params, self.views):
            g = p.grad
            if p._data is not view or g.__class__ is not np.ndarray:
                return False
            gradients.append(g)
        np.concatenate(gradients, None, out=self.gradient)
        return True

    def step(self, update: Callable[[Any, Any, dict[str, Any]], None]) -> None:
        """Update all parameters as one, by the gathered gradients."""
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
    """Arenas for the small parameters, and the positions of those to be updated one by one."""
    groups: dict[Any, list[int]] = {}
    alone: list[int] = []
    for i, (p, state) in enumerate(zip(params, states)):
        data = p._data
        if isinstance(data, np.ndarray) and 0 < data.size < PACK_BELOW and p.grad.__class__ is np.ndarray:
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
