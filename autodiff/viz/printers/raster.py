"""PNG and PDF by matplotlib, from the same coordinates as the SVG."""

from __future__ import annotations

import io
import warnings
from typing import Any

from ...core.errors import MissingExtraError
from ..scene import Scene
from ..theme import FONT
from .fonts import width_of
from .picture import picture_of
from .shapes import Group, Path, Rect

DPI = 144
"""Sharp when projected."""
POINT = 72 / 96
"""An unit of the picture, in points."""
SAMPLE = "0123456789 abcdefgh [-1.5 .. 2.5]"


def rendered(scene: Scene, format: str) -> bytes:
    """The bytes of a picture.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError(f"Drawing as {format} without the program dot", "matplotlib", "plot") from None
    picture = picture_of(scene)
    figure = Figure(figsize=(picture.width / 96, picture.height / 96), facecolor=scene.look.page)
    FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0, 0, 1, 1), xlim=(0, picture.width), ylim=(picture.height, 0))
    axes.axis("off")
    font, scale = _font()
    for group in picture.groups:
        for artist in _artists(group, font, scale):
            axes.add_artist(artist)
    bytes_ = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for what the font lacks
        metadata = {"CreationDate": None} if format == "pdf" else {"Software": None}
        figure.savefig(bytes_, format=format, dpi=DPI, facecolor=scene.look.page, metadata=metadata)
    return bytes_.getvalue()


def _font() -> tuple[list[str], float]:
    """The fonts that are there, and by how much they must be smaller to be no wider than Helvetica."""
    from matplotlib.font_manager import FontProperties, fontManager
    from matplotlib.textpath import TextPath

    known = {entry.name for entry in fontManager.ttflist}
    fonts = [name for name in FONT.split(",") if name in known] + ["DejaVu Sans"]
    width = TextPath((0, 0), SAMPLE, size=10, prop=FontProperties(family=fonts[0])).get_extents().width
    return fonts, min(1.0, width_of(SAMPLE, 10) / width)


def _artists(group: Group, font: list[str], scale: float) -> Any:
    from matplotlib.patches import FancyBboxPatch, PathPatch
    from matplotlib.path import Path as Curve
    from matplotlib.text import Text as Words

    anchors: Any = {"start": "left", "middle": "center", "end": "right"}
    codes = {"M": Curve.MOVETO, "L": Curve.LINETO, "C": Curve.CURVE4}
    for shape in group.shapes:
        if isinstance(shape, Rect):
            style = f"round,pad=0,rounding_size={shape.radius}" if shape.radius else "square,pad=0"
            yield FancyBboxPatch(
                (shape.x, shape.y),
                shape.width,
                shape.height,
                boxstyle=style,
                mutation_aspect=1,
                facecolor=shape.fill,
                edgecolor=shape.stroke,
                linewidth=POINT,
            )
        elif isinstance(shape, Path):
            corners = [point for _, points in shape.steps for point in points]
            kinds = [codes[command] for command, points in shape.steps for _ in points]
            yield PathPatch(
                Curve(corners, kinds),
                facecolor=shape.fill,
                edgecolor=shape.stroke,
                linewidth=shape.width * POINT if shape.stroke != "none" else 0,
                linestyle=(0, (4 / shape.width, 3 / shape.width)) if shape.dashed else "solid",
            )
        else:
            yield Words(
                shape.x,
                shape.y,
                shape.text.replace("$", r"\$"),
                color=shape.fill,
                fontsize=shape.size * POINT * scale,
                fontfamily=font,
                fontweight="bold" if shape.bold else "normal",
                horizontalalignment=anchors[shape.anchor],
                verticalalignment="baseline",
                parse_math=False,
            )
