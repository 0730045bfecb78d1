"""What Matplotlib (an extra) draws: on the caller's axes or new ones that a notebook shows, names to the letter."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Any

from .checks import is_finite
from .errors import ArgumentError, KindError, MissingExtraError
from .summary import kind_text, repr_text, shorten

SHARP = 2
"""Pixels of a screen that a notebook's picture is drawn with for each that it takes up."""
WIDEST = 28
"""Longer names are shortened in their middle."""


def axes_for(doing: str, ax: Any, width: float = 6.0, height: float = 4.0) -> Any:
    """The axes that were given, or new ones if there are none.

    Raises
    ------
    KindError
        If something else was given.
    MissingExtraError
        If Matplotlib is not installed.
    """
    if ax is None:
        return new_axes(width, height)
    kind, _ = _matplotlib()
    if not isinstance(ax, kind):
        raise KindError(
            f"{doing} got {kind_text(ax)} as ax; it is one Matplotlib Axes to draw on, such as "
            "plt.subplots()[1], or left away."
        )
    return ax


def new_axes(width: float = 6.0, height: float = 4.0) -> Any:
    """Axes on a new figure that belongs to no window.  A notebook shows the figure, or its axes, that a cell ends with.

    Parameters
    ----------
    width, height : float
        In inches.

    Raises
    ------
    ArgumentError
        If a size is no number above 0.
    MissingExtraError
        If Matplotlib is not installed.
    """
    for name, size in (("width", width), ("height", height)):
        if not is_finite(size) or size <= 0:
            raise ArgumentError(f"new_axes got {name}={repr_text(size)}; it is a number of inches above 0.")
    _, kind = _matplotlib()
    figure = kind(figsize=(width, height), layout="constrained")
    ax = figure.add_subplot()
    # What IPython asks an object for.  A figure of pyplot would be shown too, but be kept until somebody closes it.
    ax._repr_png_ = figure._repr_png_ = partial(_png, figure)
    return ax


def literal(text: str) -> str:
    r"""A text that Matplotlib draws as it is: between two ``$`` it would read a formula.

    Examples
    --------
    >>> print(literal("from $1 to $2"))
    from \$1 to \$2
    """
    return text.replace("$", r"\$")


def label_text(name: Any) -> str:
    """A name on one line, not too long, that Matplotlib draws as it is."""
    return literal(shorten(name, WIDEST))


def _matplotlib() -> tuple[Any, Any]:
    """The classes ``Axes`` and ``Figure``."""
    try:
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("Plotting", "matplotlib", "plot") from error
    return Axes, Figure


def _png(figure: Any) -> tuple[bytes, dict[str, int]]:
    """The figure as a PNG, and how large to show it."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=SHARP * figure.dpi)
    return file.getvalue(), {"width": round(figure.bbox.width), "height": round(figure.bbox.height)}
