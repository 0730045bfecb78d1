"""SVG: a picture that needs no script, no font and no id."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..layout import Point
from ..scene import Scene
from ..theme import FONT, THEMES
from .fonts import is_certain, width_of
from .picture import picture_of
from .shapes import Group, Path, Picture, Rect, Shape, Text

CLASS = "autodiff-drawing"
"""Of the drawing itself; styles name it, so that they reach nothing else on a page."""


def svg_of(scene: Scene) -> str:
    """The drawing as SVG, placed by the package itself."""
    return svg_of_picture(scene, picture_of(scene))


def svg_of_picture(scene: Scene, picture: Picture) -> str:
    """A picture as SVG."""
    page = scene.look.page
    width, height = _number(picture.width), _number(picture.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes(scene)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{FONT}" role="img" aria-label="{escaped(scene.title)}">',
        styles(scene),
        _shape(Rect(0, 0, picture.width, picture.height, fill=page)),
        *(_group(group) for group in picture.groups),
        "</svg>\n",
    ]
    return "\n".join(filter(None, lines))


def classes(scene: Scene) -> str:
    """The classes of the drawing: one for those that change with the reader's screen."""
    return f"{CLASS} {CLASS}-auto" if scene.theme == "auto" else CLASS


def styles(scene: Scene) -> str:
    """Rules that change light colours into dark ones, where the reader's screen is dark."""
    if scene.theme != "auto":
        return ""
    pairs = zip(THEMES["light"].colours(), THEMES["dark"].colours(), strict=True)
    rules = [
        f".{CLASS}-auto [{what}='{light}']{{{what}:{dark}}}"
        for light, dark in dict(pairs).items()
        for what in ("fill", "stroke")
    ]
    return f"<style>@media (prefers-color-scheme:dark){{{' '.join(rules)}}}</style>"


def escaped(text: str) -> str:
    """Text that can stand between tags or in an attribute of XML."""
    from html import escape

    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", escape(text))


def _group(group: Group) -> str:
    tip = f"<title>{escaped(group.tip)}</title>" if group.tip else ""
    return f'<g class="{group.kind}" data-id="{group.id}">{tip}{"".join(map(_shape, group.shapes))}</g>'


def _shape(shape: Shape) -> str:
    if isinstance(shape, Text):
        return _text(shape)
    if isinstance(shape, Path):
        return _path(shape)
    radius = f' rx="{_number(shape.radius)}"' if shape.radius else ""
    place = " ".join(f'{name}="{_number(getattr(shape, name))}"' for name in ("x", "y", "width", "height"))
    return f'<rect {place}{radius} fill="{shape.fill}"{_stroke(shape.stroke)}/>'


def _path(path: Path) -> str:
    data = "".join(command + _points(points) for command, points in path.steps)
    width = f' stroke-width="{_number(path.width)}"' if path.stroke != "none" else ""
    dashes = ' stroke-dasharray="4 3"' if path.dashed else ""
    return f'<path d="{data}" fill="{path.fill}"{_stroke(path.stroke)}{width}{dashes}/>'


def _text(text: Text) -> str:
    weight = ' font-weight="bold"' if text.bold else ""
    anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    # Where the width had to be guessed the reader's program is told to keep to it.
    length = "" if is_certain(text.text) else f' textLength="{_number(width_of(text.text, text.size, text.bold))}"'
    if length:
        length += ' lengthAdjust="spacingAndGlyphs"'
    words = re.sub(r"^ | $|(?<= ) ", "\u00a0", text.text)  # spaces that XML would swallow
    return (
        f'<text x="{_number(text.x)}" y="{_number(text.y)}" font-size="{_number(text.size)}"{weight}{anchor}{length} '
        f'fill="{text.fill}">{escaped(words)}</text>'
    )


def _stroke(colour: str) -> str:
    return f' stroke="{colour}"' if colour != "none" else ""


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(p.x)},{_number(p.y)}" for p in points)


def _number(x: float) -> str:
    return f"{x:.2f}".rstrip("0").rstrip(".")
