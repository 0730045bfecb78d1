"""What all plots share: axes, colours, and arrays by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...core.errors import ArgumentError, MissingExtraError
from ...core.node import Array, Node, data_of
from ...core.numbers import to_float

# Okabe and Ito's colours, which the colour-blind can tell apart; and shapes, for those who print in grey.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def new_axes(width: float = 6.0, height: float = 4.0) -> Any:
    """Axes on a new figure that belongs to no window.

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("Plotting", "matplotlib", "plot") from error
    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def is_dark(ax: Any) -> bool:
    """Whether the ground of the axes is dark."""
    from matplotlib.colors import to_rgb

    ground = ax.get_facecolor()
    if not ground[3]:
        ground = ax.figure.get_facecolor()
    return bool(np.dot(to_rgb(ground), (0.3, 0.6, 0.1)) < 0.5)


def ink(ax: Any) -> str:
    """The colour to write with on the axes."""
    return "white" if is_dark(ax) else "black"


def palette(ax: Any, n: int) -> list[str]:
    """Colours for ``n`` things; what would be black is white on a dark ground."""
    colors = [*COLORS[:-1], ink(ax)]
    return [colors[k % len(colors)] for k in range(n)]


def named_nodes(doing: str, model: Any) -> dict[str, Any]:
    """Nodes and arrays by name, of anything with ``named_parameters()``, a dict, or a list.

    Raises
    ------
    ArgumentError
        If there are none.
    """
    if callable(getattr(model, "named_parameters", None)):
        model = dict(model.named_parameters())
    found = dict(_inside(model, ""))
    if not found:
        raise ArgumentError(f"{doing} got a {type(model).__name__} in which there are no arrays or parameters.")
    return found


def _inside(thing: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, Node):
        yield path or thing.name or "0", thing
    elif isinstance(thing, np.ndarray):
        yield path or "0", thing
    elif isinstance(thing, Mapping | list | tuple):
        if isinstance(thing, tuple) and len(thing) == 2 and isinstance(thing[0], str):
            thing = {thing[0]: thing[1]}  # a pair of named_parameters()
            path = ""
        for key, inner in thing.items() if isinstance(thing, Mapping) else enumerate(thing):
            yield from _inside(inner, f"{path}.{key}" if path else str(key))


def entries_of(x: Any) -> Array:
    """All entries of an array, node or number as floats in one row; sizes of complex ones."""
    data = data_of(x)
    array = np.asarray(data if isinstance(data, np.ndarray) else to_float(data))
    return np.abs(array).ravel() if array.dtype.kind == "c" else array.ravel().astype(float)
