"""Two frames of a film side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..core.summary import align_points, number_text, shorten, text_width

if TYPE_CHECKING:
    from .film import Frame

HEADING = ("layer", "statistic", "then", "now", "factor")


class FilmDiff:
    """What changed between two steps.  Printed, it is a table.

    Attributes
    ----------
    before, after : Frame
    rows : list of tuple
        Layer, statistic, its value before and after; the loss comes first, under the layer ``""``.
    appeared, gone : list of str
        Verdicts that only the later, or only the earlier, frame has.
    """

    def __init__(self, before: Frame, after: Frame) -> None:
        self.before = before
        self.after = after
        self.rows: list[tuple[str, str, float, float]] = [("", "loss", before.loss, after.loss)]
        for layer, now in after.layers.items():
            then = before.layers.get(layer, {})
            self.rows += [(layer, name, then[name], x) for name, x in now.items() if name in then]
        was, is_ = ([str(v) for v in frame.verdicts] for frame in (before, after))
        self.appeared = [v for v in is_ if v not in was]
        self.gone = [v for v in was if v not in is_]

    def __str__(self) -> str:
        cells = [
            (shorten(layer, 32), name.replace("_to_", "/"), number_text(a), number_text(b), _factor(a, b))
            for layer, name, a, b in self.rows
        ]
        columns = [list(column) for column in zip(HEADING, *cells)]
        for column in columns[2:]:
            column[1:] = align_points(column[1:])
        widths = [max(map(text_width, column)) for column in columns]
        lines = [f"step {self.before.step} → step {self.after.step}"]
        for row in zip(*columns):
            texts = [
                text + pad if k < 2 else pad + text
                for k, (text, pad) in enumerate((t, " " * (w - text_width(t))) for t, w in zip(row, widths))
            ]
            lines.append("  ".join(texts).rstrip())
        lines += [f"+ {v}" for v in self.appeared] + [f"- {v}" for v in self.gone]
        return "\n".join(lines)

    __repr__ = __str__


def _factor(a: float, b: float) -> str:
    """How many times ``a`` is ``b``; empty where that says nothing."""
    return f"× {number_text(b / a, 3)}" if a and math.isfinite(a) and math.isfinite(b) else ""
