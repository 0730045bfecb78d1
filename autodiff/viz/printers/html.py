"""HTML: the drawing on a page of its own, or inside another, which needs no script and asks for nothing."""

from __future__ import annotations

import base64
import re

from ..page import assemble
from ..scene import Scene
from .svg import escaped
from .text import text_of

SMALLEST = 0.55
"""So far a drawing is scaled down to fit a page: its letters can still be read.  One that is wider is scrolled."""
FADE = 24
"""So many pixels at the right end of a notebook's cell fade out, which shows that there is more to scroll to."""


def html_of(scene: Scene, svg: str) -> str:
    """A page with the drawing, and its text for who cannot see it.

    Parameters
    ----------
    scene : Scene
    svg : str
        The drawing, by whichever engine.
    """
    tree = f"<details><summary>As text</summary><pre>{escaped(text_of(scene))}</pre></details>"
    scale = f"<style>figure svg {{ min-width: {_least_width(svg)}px; }}</style>"
    body = f'{scale}<main class="{scene.theme}"><figure tabindex="0">{svg}</figure>{tree}</main>'
    return assemble(scene.title, body, styles=["drawing.css"])


def embedded(scene: Scene, svg: str) -> str:
    """The drawing inside a page that is not ours, such as a notebook.

    It is an image, not elements of the page: those are taken out where a notebook is not trusted.
    """
    data = base64.b64encode(svg.encode()).decode()
    # What fits ends before the fading edge, by the padding.
    around = f"overflow-x:auto;padding-right:{FADE}px;mask-image:linear-gradient(to left,transparent,#000 {FADE}px)"
    look = f"max-width:100%;min-width:{_least_width(svg)}px;height:auto"
    image = f'<img alt="{escaped(scene.title)}" style="{look}" src="data:image/svg+xml;base64,{data}">'
    return f'<div style="{around}">{image}</div>'


def _least_width(svg: str) -> int:
    """How narrow a picture may become, in pixels."""
    width = re.search(r'viewBox="\S+ \S+ (\S+) ', svg)
    return round(SMALLEST * float(width[1])) if width else 0
