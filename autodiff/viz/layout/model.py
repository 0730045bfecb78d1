"""What a layout is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(slots=True)
class Box:
    """A box to be placed.

    ``ports`` are the offsets of its entries along the side where links enter, from the top (``"LR"``) or from the left
    (``"TB"``).  Without them all links enter in the middle.
    """

    id: str
    width: float
    height: float
    cluster: str | None = None
    ports: tuple[float, ...] = ()


@dataclass(slots=True)
class Link:
    """A link from one box to another, or to an entry of it.  There may be several between the same two boxes."""

    id: str
    source: str
    target: str
    port: int | None = None


@dataclass(slots=True)
class Cluster:
    """A frame around boxes and other clusters, with room for a title at its top."""

    id: str
    parent: str | None = None
    label_width: float = 0.0
    label_height: float = 0.0


class Point(NamedTuple):
    """A place in the picture; y grows downwards."""

    x: float
    y: float


class Rect(NamedTuple):
    """A rectangle; x and y are those of its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Layout:
    """Where everything goes, inside ``[0, width] × [0, height]``.

    Attributes
    ----------
    boxes, clusters : dict of str to Rect
        By id.  A cluster that holds no box is not drawn, and missing here.
    links : dict of str to list of Point
        By id: the control points of smooth cubic Bézier curves joined end to end, ``1 + 3 n`` of them.  The first is
        where the link leaves its source, the last where it enters its target.
    """

    width: float
    height: float
    boxes: dict[str, Rect]
    clusters: dict[str, Rect]
    links: dict[str, list[Point]]
