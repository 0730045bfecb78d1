"""Small images side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.checks import require_whole
from ...core.errors import ShapeError
from ...core.figures import axes_for, literal
from .given import real_array, texts_of


def image_grid(images: Any, titles: Sequence[str], columns: int = 8, ax: Any = None) -> Any:
    """Show small grey images side by side, each under its title.

    Parameters
    ----------
    images : array_like, shape (n, height, width)
    titles : sequence of str
        One for each image.
    columns : int
        At most so many stand in a row; rows are made equally long.
    ax : matplotlib Axes, optional
        Divided among the images.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        If there are no images, or not as many titles.
    KindError, ArgumentError
        If they are no numbers, ``titles`` is no list, or ``columns`` no whole number.
    MissingExtraError
        If Matplotlib is not installed.
    """
    images, texts = real_array("image_grid", "images", images), texts_of("image_grid", "titles", titles)
    if images.ndim != 3 or not images.size or len(images) != len(texts):
        raise ShapeError(
            f"image_grid got images of shape {images.shape} and {len(texts)} titles; "
            "it takes images (n, height, width), at least one, and a title for each."
        )
    require_whole("image_grid", columns=columns)
    rows = -(-len(images) // columns)
    columns = -(-len(images) // rows)
    ax = axes_for("image_grid", ax, 1.25 * max(columns, 3), 1.5 * rows + 0.35)
    ax.set_axis_off()
    for k, (image, title) in enumerate(zip(images, texts)):
        row, column = divmod(k, columns)
        cell = ax.inset_axes(((column + 0.05) / columns, 1 - (row + 0.95) / rows, 0.9 / columns, 0.74 / rows))
        cell.imshow(image, cmap="gray_r")
        cell.set_title(literal(title), fontsize=10, pad=3)
        cell.set(xticks=[], yticks=[])
    return ax
