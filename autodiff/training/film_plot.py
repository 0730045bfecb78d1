"""The film as one picture: loss, gradients and updates over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.axes import ink, scale_by_powers
from ..core.figures import axes_for, label_text
from ..viz.plots import COLORS

if TYPE_CHECKING:
    from .film import Frame, Sighting

PANELS = (("loss", "loss"), ("gradient", "gradient norm"), ("update_to_data", "update / data"))
DASHES = ("-", "--", ":", "-.")
MOST_LAYERS = 8
"""More layers than this are thinned out, or nobody could tell the lines apart."""
GAP = 0.12
"""Between two panels, as a part of the height of one."""
WIDTH = 0.78
"""Of the panels, as a part of all; the rest is for the names of the layers."""


def plot(frames: list[Frame], sightings: list[Sighting], ax: Any = None) -> Any:
    """Plot frames on panels inside ``ax``; return it."""
    kept = [(key, label) for key, label in PANELS if key == "loss" or _is_kept(frames, key)]
    ax = axes_for("film.plot", ax, 7.0, 2.2 * len(kept) + 0.6)
    ax.set_axis_off()
    layers = list(dict.fromkeys(name for f in frames for name in f.layers))
    layers = layers if len(layers) <= MOST_LAYERS else layers[:: -(-len(layers) // MOST_LAYERS)]
    height = 1 / (len(kept) + GAP * (len(kept) - 1))
    panels = [ax.inset_axes((0, 1 - height - k * (1 + GAP) * height, WIDTH, height)) for k in range(len(kept))]
    lines: dict[str, Any] = {}
    for panel, (key, label) in zip(panels, kept):
        if key == "loss":
            _draw_line(panel, [(f.step, f.loss) for f in frames if f.loss == f.loss], color=ink(panel))
        for i, name in enumerate(layers if key != "loss" else []):
            sizes = [(f.step, f.layers.get(name, {}).get(key)) for f in frames]
            known = [(step, x) for step, x in sizes if x is not None and x > 0]
            if line := _draw_line(panel, known, color=COLORS[i % 7], ls=DASHES[i // 7 % 4]):
                lines.setdefault(name, line)
        _scale(panel)
        panel.set_ylabel(label)
        panel.grid(alpha=0.3)
        panel.set_xlim(frames[0].step, max(frames[-1].step, frames[0].step + 1))
        panel.tick_params(labelbottom=panel is panels[-1])
        for s in sightings:
            panel.axvline(s.step, color=COLORS[1], lw=1, alpha=0.8)
        if key == "update_to_data":
            panel.axhline(1e-3, color="0.5", lw=1, ls=(0, (4, 3)))
            panel.annotate(" 1e-3", (1.0, 1e-3), xycoords=("axes fraction", "data"), va="center", color="0.5")
    if lines:
        names = list(map(label_text, lines))
        panels[1].legend(
            lines.values(), names, loc="upper left", bbox_to_anchor=(1.02, 1.02), frameon=False, fontsize=9
        )
    _name_sightings(panels[0], sightings, (frames[0].step + frames[-1].step) / 2)
    panels[-1].set_xlabel("step")
    return ax


def _is_kept(frames: list[Frame], key: str) -> bool:
    return any(key in row for f in frames for row in f.layers.values())


def _draw_line(panel: Any, points: list[tuple[int, float]], **look: Any) -> Any:
    """A line through the points; None if there are none."""
    return panel.plot(*zip(*points), lw=1.6, **look)[0] if points else None


def _scale(panel: Any) -> None:
    """Make the axis logarithmic where all that is drawn has a logarithm."""
    drawn = [x for line in panel.lines for x in line.get_ydata()]
    if drawn and min(drawn) > 0 and max(drawn) < float("inf"):
        scale_by_powers(panel, max(drawn) / min(drawn))


def _name_sightings(panel: Any, sightings: list[Sighting], middle: float) -> None:
    """Write what was found beside its line, on the side where there is room."""
    for row, s in enumerate(sightings):
        panel.annotate(
            f" {s.verdict.sign} ",
            (s.step, 0.96 - 0.13 * (row % 6)),
            xycoords=("data", "axes fraction"),
            color=COLORS[1],
            va="top",
            ha="right" if s.step > middle else "left",
            fontsize=9,
        )
