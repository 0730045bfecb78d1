"""The last step: the curve of each link.

In a layer a link runs straight along its own room; between layers, where no box is, it swings from one place to the
next.  So it meets no box on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .alignment import LEVEL
from .columns import Placed
from .model import Point
from .net import Bundle, Net

Curve = list[Point]
"""Here x runs along the layers' direction and y across, whichever way the drawing is turned."""


def swing(curve: Curve, x: float, y: float) -> None:
    """Lead a curve on to a place, level at both ends."""
    x0, y0 = curve[-1]
    if abs(y - y0) < LEVEL:
        if x != x0:
            curve += [Point(x0 + (x - x0) / 3, y0), Point(x - (x - x0) / 3, y0), Point(x, y0)]
    else:
        middle = (x0 + x) / 2
        curve += [Point(middle, y0), Point(middle, y), Point(x, y)]


def turn_back(curve: Curve, y: float, reach: float) -> None:
    """Lead a curve round to the place beside it, heading back."""
    x0, y0 = curve[-1]
    curve += [Point(x0 + reach, y0), Point(x0 + reach, y), Point(x0, y)]


@dataclass(slots=True)
class Router:
    """Draws curves from one end of a bundle to the other."""

    net: Net
    placed: Placed
    y: Sequence[float]
    spacing: float
    reach: float

    def draw(self, bundles: Sequence[Bundle], led: Sequence[Bundle]) -> dict[int, Curve]:
        """The curve of each link, by its position among those given."""
        bottom = max([y + after for y, after in zip(self.y, self.net.after)], default=0.0)
        bottom = max([bottom, *(rect.y + rect.height for rect in self.placed.clusters.values())])
        through = {id(bundle) for bundle in led}
        lanes: dict[int, float] = {}
        curves: dict[int, Curve] = {}
        for bundle in bundles:
            source, target = bundle.source, bundle.target
            if source != target and id(bundle) not in through:
                lanes.setdefault(source, bottom + self.spacing * (len(lanes) + 2))
            for k, link in enumerate(bundle.links):
                if source == target:
                    below = self.placed.boxes[source].y + self.placed.boxes[source].height + (k + 1) * self.spacing
                    curve = self.loop(bundle, k, below)
                elif id(bundle) in through:
                    curve = self.lead(bundle, k)
                else:
                    curve = self.lead_round(bundle, k, lanes[source])
                curves[link] = curve
        return curves

    def leave(self, bundle: Bundle, k: int) -> Curve:
        """The beginning of a curve, at the middle of the side of its source."""
        box = self.placed.boxes[bundle.source]
        return [Point(box.x + box.width, self.y[bundle.source] + bundle.exits[k])]

    def enter(self, curve: Curve, bundle: Bundle, k: int) -> Curve:
        """Lead a curve to its entry, from just before the layer."""
        y = self.y[bundle.target] + bundle.entries[k]
        swing(curve, self.placed.columns.start[self.net.layer[bundle.target]], y)
        swing(curve, self.placed.boxes[bundle.target].x, y)
        return curve

    def lead(self, bundle: Bundle, k: int) -> Curve:
        """From layer to layer, along the bends."""
        curve = self.leave(bundle, k)
        swing(curve, self.placed.columns.end[self.net.layer[bundle.source]], curve[0].y)
        for bend in bundle.bends:
            layer, y = self.net.layer[bend], self.y[bend] + bundle.spread(k, self.spacing)
            swing(curve, self.placed.columns.start[layer], y)
            swing(curve, self.placed.columns.end[layer], y)
        return join_level(self.enter(curve, bundle, k))

    def lead_round(self, bundle: Bundle, k: int, lane: float) -> Curve:
        """Past everything in a lane below the drawing; with two turns where the link points backwards."""
        first, last = self.net.layer[bundle.source], self.net.layer[bundle.target]
        curve = self.leave(bundle, k)
        swing(curve, self.placed.columns.end[first], curve[0].y)
        if first < last:
            swing(curve, self.placed.columns.start[first + 1], lane)
            swing(curve, self.placed.columns.end[last - 1], lane)
            return join_level(self.enter(curve, bundle, k))
        turn_back(curve, lane, self.reach)
        swing(curve, self.placed.columns.start[last], lane)
        turn_back(curve, self.y[bundle.target] + bundle.entries[k], -self.reach)
        return join_level(self.enter(curve, bundle, k))

    def loop(self, bundle: Bundle, k: int, below: float) -> Curve:
        """Round below the box and back to it."""
        box = self.placed.boxes[bundle.source]
        curve = self.leave(bundle, k)
        turn_back(curve, below, self.reach / 2)
        swing(curve, box.x, below)
        turn_back(curve, self.y[bundle.target] + bundle.entries[k], -self.reach / 2)
        return curve


def join_level(curve: Curve) -> Curve:
    """The same curve, where pieces that go on level are one."""
    joined = curve[:1]
    for i in range(1, len(curve), 3):
        first, _, last = curve[i : i + 3]
        if not first.y == last.y == joined[-1].y:
            joined += curve[i : i + 3]
            continue
        if (
            len(joined) > 1
            and joined[-4].y == joined[-2].y == last.y
            and (joined[-4].x < joined[-1].x) == (joined[-1].x < last.x)
        ):
            del joined[-3:]
        swing(joined, last.x, last.y)
    return joined
