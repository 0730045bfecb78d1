"""How weights, activations and gradients are distributed, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.axes import COLORS, ink
from ...core.errors import ArgumentError
from ...core.figures import axes_for, label_text
from ...core.node import Array
from ...core.summary import align_points, number_text
from .given import arrays_in, entries_of

BINS = 80
SHOWN = 0.998
"""Part of the entries that lies within the axis; the rest would only squeeze it."""


def weight_histograms(model: Any, ax: Any = None) -> Any:
    """Show how the entries of each parameter are distributed: one ridge for each, the first on top.

    Parameters
    ----------
    model : Module, dict or list
        Anything with ``named_parameters()``, or arrays and tensors by name, or in a list.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, KindError
        If there are no parameters, or one does not hold numbers.
    MissingExtraError
        If Matplotlib is not installed.
    """
    return _ridges("weight_histograms", model, "weight", COLORS[0], ax)


def activation_histograms(activations: Any, ax: Any = None) -> Any:
    """Show how the results of each layer are distributed, and which part of them is exactly 0.

    Parameters
    ----------
    activations : dict or list
        Tensors or arrays by name.  A tape has them: ``{"tanh 1": node}`` for a node of ``ad.Tape(loss)``.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, KindError
        If there are no activations, or one does not hold numbers.
    MissingExtraError
        If Matplotlib is not installed.
    """
    return _ridges("activation_histograms", activations, "activation", COLORS[2], ax, zeros=True)


def gradient_flow(model: Any, ax: Any = None) -> Any:
    """Show the sizes of the gradients of each parameter, mean and largest, on a logarithmic scale.

    Parameters
    ----------
    model : Module, dict or list
        Anything with ``named_parameters()``, or tensors by name, after ``backward``.  A parameter without a gradient
        is marked "none", one whose gradient is exactly 0 is marked "0".
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, KindError
        If there are no parameters, or none has a gradient, or one does not hold numbers.
    MissingExtraError
        If Matplotlib is not installed.
    """
    gradients = {name: getattr(p, "grad", None) for name, p in arrays_in("gradient_flow", model).items()}
    sizes = {name: None if g is None else np.abs(entries_of(g)) for name, g in gradients.items()}
    if all(g is None for g in sizes.values()):
        raise ArgumentError("gradient_flow got parameters without gradients; call backward() on the loss first.")
    ax = axes_for("gradient_flow", ax, 7, _height(len(sizes)))
    shown = [
        (i, float(g.mean()), float(g.max()))
        for i, g in enumerate(sizes.values())
        if g is not None and g.size and np.isfinite(g).all() and g.any()
    ]
    ax.set_xscale("log")
    if shown:
        places, means, largest = zip(*shown)
        low = min(means) / 3
        ax.set_xlim(low, max(largest) * 3)
        ax.barh(places, [m - low for m in means], 0.55, left=low, color=COLORS[0], label="mean")
        ax.hlines(places, means, largest, color=COLORS[1], linewidth=1.5)
        ax.scatter(largest, places, s=36, marker="D", color=COLORS[1], label="largest", zorder=3)
        ax.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)
    for i, g in enumerate(sizes.values()):
        if i not in [place for place, *_ in shown]:
            text = "none" if g is None else "0" if not g.any() else "nan or inf"
            ax.text(0.01, i, text, transform=ax.get_yaxis_transform(), va="center", style="italic")
    ax.set_xlabel("size of the gradient")
    ax.grid(axis="x", alpha=0.3)
    _name_rows(ax, list(sizes), -0.6)
    return ax


def _ridges(doing: str, things: Any, what: str, color: str, ax: Any, zeros: bool = False) -> Any:
    """A filled histogram in a row for each array, with its standard deviation to the right."""
    arrays = {name: entries_of(x) for name, x in arrays_in(doing, things).items()}
    finite = {name: x[np.isfinite(x)] for name, x in arrays.items()}
    ax = axes_for(doing, ax, 7, _height(len(arrays)))
    low, high = _range_of(list(finite.values()))
    edges = np.linspace(low, high, BINS + 1)
    for i, x in enumerate(finite.values()):
        counts = np.histogram(x, edges)[0].astype(float)
        tops = i + 0.3 - 0.75 * counts / max(counts.max(), 1)
        ax.fill_between(edges, np.append(tops, tops[-1]), i + 0.3, step="post", color=color, alpha=0.85, linewidth=0)
        ax.axhline(i + 0.3, color=color, linewidth=0.8)
    _name_rows(ax, list(arrays), -0.7)
    ax.set_xlim(low, high)
    ax.set_xlabel(what)
    stds = align_points([number_text(float(x.std()), 3) if x.size else "-" for x in finite.values()])
    columns = [("std", stds)]
    if zeros:
        columns.append(("zero", [f"{np.mean(x == 0):.0%}" if x.size else "-" for x in arrays.values()]))
    if any(len(finite[name]) < len(x) for name, x in arrays.items()):
        columns.append(("nan, inf", [str(len(x) - len(finite[name])) for name, x in arrays.items()]))
    _write_columns(ax, columns)
    return ax


def _range_of(arrays: list[Array]) -> tuple[float, float]:
    """From where to where nearly all entries of every array lie."""
    ends = [np.quantile(x, [(1 - SHOWN) / 2, (1 + SHOWN) / 2]) for x in arrays if x.size]
    low, high = (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _height(rows: int) -> float:
    return 1.2 + 0.42 * max(rows, 2)


def _name_rows(ax: Any, names: list[str], top: float) -> None:
    ax.set_yticks(range(len(names)), list(map(label_text, names)))
    ax.set_ylim(len(names) - 0.4, top)  # the first on top
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)


def _write_columns(ax: Any, columns: list[tuple[str, list[str]]]) -> None:
    """Numbers to the right of the rows, their decimal points below each other."""
    style: dict[str, Any] = {"family": "monospace", "fontsize": 9, "ha": "right", "color": ink(ax)}
    right = 0.0
    for heading, texts in columns:
        right += 12 + 5.5 * max(map(len, [heading, *texts]))  # points
        ax.annotate(heading, (1, 1), (right, 0), "axes fraction", "offset points", va="bottom", **style)
        for i, text in enumerate(texts):
            ax.annotate(text, (1, i), (right, 0), ax.get_yaxis_transform(), "offset points", va="center", **style)
