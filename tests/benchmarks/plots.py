"""The pictures of the page, on a clear ground and in colours that read on white and on black."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .growth import Grown
from .harness import Result

GREY = "#808080"
STYLES = {
    "NumPy by hand": (GREY, "o"),
    "NumPy, buffers": ("#CC79A7", "D"),
    "autodiff": ("#D55E00", "s"),
    "autodiff, free=True": ("#E69F00", "s"),
    "autodiff compiled": ("#E69F00", "P"),
    "PyTorch": ("#56B4E9", "^"),
    "torch.compile": ("#0072B2", "v"),
    "jax.jit": ("#009E73", "X"),
}
"""Colours, after Okabe and Ito, and markers: those who do not tell colours apart have the markers."""


def figure(width: float, height: float, panels: int) -> tuple[Any, Any]:
    """A figure, and its panels side by side."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "autodiff", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
        matplotlib.rcParams[part] = GREY
    import matplotlib.pyplot as plt

    return plt.subplots(1, panels, figsize=(width, height), layout="constrained", squeeze=False)


def save(drawn: Any, path: Path) -> None:
    """Save and close a figure."""
    import matplotlib.pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(path, transparent=True, metadata={"Date": None})
    plt.close(drawn)


def draw_curve(grown: Grown, path: Path) -> None:
    """Time and memory side by side, both axes logarithmic."""
    drawn, [[left, right]] = figure(7.2, 3.0, 2)
    panels = [(left, grown.seconds, 1e3, "milliseconds a step"), (right, grown.bytes, 1e-6, "peak megabytes")]
    for panel, found, unit, label in panels:
        for name, values in found.items():
            at = [(n, v * unit) for n, v in zip(grown.curve.sizes, values) if v is not None]
            color, marker = STYLES[name]
            panel.plot(*zip(*at), color=color, marker=marker, markersize=4, linewidth=1.5, label=name)
        panel.set(xscale="log", yscale="log", xlabel=grown.curve.along, ylabel=label)
        panel.set_xticks(grown.curve.sizes, [f"{n:,}" for n in grown.curve.sizes])
        panel.yaxis.set_major_formatter("{x:g}")
        panel.minorticks_off()
        panel.grid(color=GREY, alpha=0.25, linewidth=0.5)
    left.legend(frameon=False, fontsize=8)
    save(drawn, path)


def draw_rows(results: Sequence[Result], path: Path) -> None:
    """A line for every row, and on it every contestant: its time in units of NumPy by hand."""
    drawn, [[panel]] = figure(7.2, 0.45 * len(results) + 1.2, 1)
    seen: set[str] = set()
    for k, result in enumerate(results):
        panel.axhline(-k, color=GREY, alpha=0.25, linewidth=0.5, zorder=0)
        for name, (color, marker) in STYLES.items():
            if name in result.ratios:
                label = None if name in seen else name
                seen.add(name)
                panel.plot(result.ratios[name], -k, marker, color=color, markersize=6, label=label, linestyle="none")
    panel.axvline(1, color=GREY, linewidth=0.8)
    panel.set(xscale="log", xlabel="time of a step, × NumPy by hand (less is better)")
    panel.xaxis.set_major_formatter("{x:g}")
    panel.set_yticks([-k for k in range(len(results))], [result.row.name for result in results])
    panel.tick_params(axis="y", length=0)
    panel.legend(frameon=False, fontsize=8, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    save(drawn, path)
