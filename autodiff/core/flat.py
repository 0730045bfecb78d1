"""Parameters that lie end to end in one array, and where their gradients are best put: in the same order in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Flat(np.ndarray[Any, Any]):
    """The memory of arrays that lie end to end in it: it is their ``base``.

    Attributes
    ----------
    rooms : list of ndarray
        For each of them an array of its shape for its gradient.  These lie end to end as well.
    places : dict of int to int
        The position of each, by ``id``.
    """

    rooms: list[np.ndarray[Any, Any]]
    places: dict[int, int]


def end_to_end(arrays: Sequence[np.ndarray[Any, Any]], into: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """Arrays of the shapes of ``arrays``, one after the other in the memory of ``into``."""
    views, offset = [], 0
    for a in arrays:
        views.append(np.ndarray(a.shape, a.dtype, into, offset))
        offset += a.nbytes
    return views


def lay_flat(arrays: Sequence[np.ndarray[Any, Any]]) -> tuple[Flat, list[np.ndarray[Any, Any]]]:
    """Copies of arrays of one dtype, end to end, and the memory that they lie in, with rooms for their gradients."""
    flat = Flat(sum(a.size for a in arrays), arrays[0].dtype)
    views = end_to_end(arrays, flat)
    for view, a in zip(views, arrays, strict=True):
        view[...] = a
    flat.rooms = end_to_end(arrays, np.empty(flat.size, flat.dtype))
    flat.places = {id(view): k for k, view in enumerate(views)}
    return flat, views


TAKEN = np.empty(0)
NO_ROOM = [TAKEN], 0
"""A list of one room that is always held by somebody, and its position."""


def room_for(data: Any) -> tuple[list[np.ndarray[Any, Any]], int]:
    """Where the gradient of a parameter with this data is best put: a list of rooms and a position in it.

    A gradient may be put there if nobody but the list holds the room.
    """
    flat = data.base
    return (flat.rooms, flat.places[id(data)]) if isinstance(flat, Flat) and id(data) in flat.places else NO_ROOM
