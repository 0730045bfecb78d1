"""Reading drawings: what the tests of them share."""

import re
import xml.etree.ElementTree as ET
from collections import Counter

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"

NASTY = [
    '<b>&amp;"quoted"</b>',
    'it\'s `quoted` "too"',
    "a\nb\r\tc",
    r"back\slash \N \G \L \E \l \r \n",
    "\\",
    "émoji 🙂 👨‍👩‍👧",
    "日本語の名前",
    "  two  spaces ",
    " ",
    "{a|b} <p0>",
    "%s %(x)s ${x} {x} $$x$$ %%{init}%%",
    "\x00\x07\x1b[31m\x7f",
    "\ud800",
    "\u202eright to left",
    "שלום עולם",
    "&#60;&lt;&nbsp;#quot;",
    "-->]]>",
    "<i>all</i>",
    "<>",
    ">",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"]); click n0 "javascript:alert(1)"',
    "style n0 fill:#f00;",
    "end",
    "x" * 10_000,
    "<" * 10_000,
    "&" * 10_000,
    "\\" * 10_000,
]


def parsed(drawing):
    """The picture as the package draws it, parsed: it is well-formed XML if this succeeds."""
    drawing.engine = "builtin"
    return ET.fromstring(drawing.svg)


def by_dot(drawing):
    """The picture as ``dot`` draws it, parsed."""
    drawing.engine = "dot"
    return ET.fromstring(drawing.svg)


def groups(svg, kind):
    """The drawn nodes, edges or clusters, by id, or by title if ``dot`` drew them."""
    found = [g for g in svg.iter(f"{SVG}g") if g.get("class") == kind]
    return [(g.get("data-id") or g.find(f"{SVG}title").text, g) for g in found]


def words(element):
    """What can be read in part of a picture, line by line."""
    return [t.text for t in element.iter(f"{SVG}text")]


def text_of(element):
    return " ".join(" ".join(words(element)).split())  # without the spaces that align


def nodes_of(drawing):
    return dict(groups(parsed(drawing), "node"))


def ends_of(drawing):
    """How many links there are between which boxes."""
    return Counter((link.source, link.target) for link in drawing.scene.links)


def members(drawing):
    """The boxes inside each frame, frames inside it included, by the title of the frame."""
    frames = {frame.id: frame for frame in drawing.scene.frames}
    inside = {frame.title: set() for frame in frames.values()}
    for box in drawing.scene.boxes:
        around = frames.get(box.frame)
        while around is not None:
            inside[around.title].add(box.id)
            around = frames.get(around.parent)
    return inside


def corners(element):
    """Left, top, right and bottom of a drawn shape."""
    if element.tag == f"{SVG}rect":
        x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
        return x, y, x + width, y + height
    numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", element.get("points") or element.get("d"))]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def extent(group):
    """The same of all shapes of a group together."""
    tags = [f"{SVG}{tag}" for tag in ("polygon", "path", "rect")]
    shapes = [corners(e) for e in group.iter() if e.tag in tags]
    return tuple(pick(shape[i] for shape in shapes) for i, pick in enumerate((min, min, max, max)))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
