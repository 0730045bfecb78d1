"""The film as one picture: loss, gradients and updates over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..viz.plots import COLORS, new_axes

if TYPE_CHECKING:
    from .film import Frame, Sighting

PANELS = (("loss", "loss"), ("gradient", "gradient norm"), ("update_to_data", "update / data"))
DASHES = ("-", "--", ":", "-.")
MOST_LAYERS = 8
"""More layers than this are thinned out, or nobody could tell the lines apart."""


def plot(frames: list[Frame], sightings: list[Sighting], ax: Any = None) -> Any:
    """Plot frames on panels inside ``ax``; return it."""
    panels = [(key, label) for key, label in PANELS if any(_series(frames, key))]
    ax = new_axes(7.0, 2.2 * len(panels) + 0.6) if ax is None else ax
    ax.set_axis_off()
    layers = list(dict.fromkeys(name for f in frames for name in f.layers))
    layers = layers if len(layers) <= MOST_LAYERS else layers[:: -(-len(layers) // MOST_LAYERS)]
    for k, (key, label) in enumerate(panels):
        height = 1 / len(panels)
        panel = ax.inset_axes((0, 1 - (k + 1) * height + 0.06, 0.78, height - 0.1))
        lines = [("", COLORS[7])] if key == "loss" else [(name, COLORS[i % 7]) for i, name in enumerate(layers)]
        for i, (name, color) in enumerate(lines):
            points = [(f.step, f.loss if key == "loss" else f.layers.get(name, {}).get(key)) for f in frames]
            known = [(step, x) for step, x in points if x is not None and (x > 0 or (key == "loss" and x == x))]
            if known:
                color = panel.xaxis.label.get_color() if key == "loss" else color
                panel.plot(*zip(*known), color=color, ls=DASHES[i // 7 % 4], lw=1.6, label=name)
        drawn = [x for line in panel.lines for x in line.get_ydata()]
        if drawn and min(drawn) > 0:
            panel.set_yscale("log")
        if key == "update_to_data":
            panel.axhline(1e-3, color="0.5", lw=1, ls=(0, (4, 3)))
            panel.annotate("1e-3", (1.0, 1e-3), xycoords=("axes fraction", "data"), va="center", color="0.5")
        if key == "gradient":
            panel.legend(loc="upper left", bbox_to_anchor=(1.02, 1.02), frameon=False, fontsize=9)
        for row, s in enumerate(sightings):
            panel.axvline(s.step, color=COLORS[1], lw=1, alpha=0.8)
            if k == 0:
                late = s.step > (frames[0].step + frames[-1].step) / 2
                panel.annotate(
                    f" {s.verdict.sign} ",
                    (s.step, 0.96 - 0.13 * (row % 6)),
                    xycoords=("data", "axes fraction"),
                    color=COLORS[1],
                    va="top",
                    ha="right" if late else "left",
                    fontsize=9,
                )
        panel.set_ylabel(label)
        panel.grid(alpha=0.3)
        panel.set_xlim(frames[0].step, max(frames[-1].step, frames[0].step + 1))
        panel.tick_params(labelbottom=k == len(panels) - 1)
    panel.set_xlabel("step")
    return ax


def _series(frames: list[Frame], key: str) -> list[bool]:
    return [key == "loss" or key in row for f in frames for row in f.layers.values()]
