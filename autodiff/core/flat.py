"""Parameters that lie end to end in one array, and where their gradients are best put: in the same order in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class Memory(np.ndarray[Any, Any]):
    """Memory that arrays lie in, end to end: it is their ``base``.

    It is a class of its own so that the base of a view of one of them is that array, not the memory: who holds such a
    view is seen to hold the array.
    """


class Flat(Memory):
    """The memory of parameters.

    Attributes
    ----------
    shapes : list of tuple
        Their shapes, in order.
    places : dict of int to int
        The position of each parameter's array, by ``id``.
    rooms : sequence of ndarray
        For each of them an array of its shape for its gradient.  These lie end to end as well; there are none until
        somebody asks for one.
    """

    shapes: list[tuple[int, ...]]
    places: dict[int, int]
    rooms: Sequence[np.ndarray[Any, Any]] = ()


def end_to_end(shapes: Sequence[tuple[int, ...]], into: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """Arrays of these shapes, one after the other in the memory of ``into`` and of its dtype."""
    views, offset = [], 0
    for shape in shapes:
        views.append(np.ndarray(shape, into.dtype, into, offset))
        offset += views[-1].nbytes
    return views


def lay_flat(arrays: Sequence[np.ndarray[Any, Any]]) -> tuple[Flat, list[np.ndarray[Any, Any]]]:
    """Copies of arrays of one dtype, end to end, and the memory that they lie in."""
    flat = Flat(sum(a.size for a in arrays), arrays[0].dtype)
    flat.shapes = [a.shape for a in arrays]
    views = end_to_end(flat.shapes, flat)
    for view, a in zip(views, arrays, strict=True):
        view[...] = a
    flat.places = {id(view): k for k, view in enumerate(views)}
    return flat, views


TAKEN = np.empty(0)
NO_ROOM = [TAKEN], 0
"""A list of one room that is always held by somebody, and its position."""


def room_for(data: Any) -> tuple[Any, int]:
    """Where the gradient of a parameter with this data is best put: a list of rooms and a position in it.

    A gradient may be put there if nobody but the list holds the room.
    """
    flat = data.base
    if not isinstance(flat, Flat) or id(data) not in flat.places:
        return NO_ROOM
    if not flat.rooms:  # setdefault: of two threads that come here at once, one lays them
        vars(flat).setdefault("rooms", end_to_end(flat.shapes, Memory(flat.size, flat.dtype)))
    return flat.rooms, flat.places[id(data)]
