"""HTML: the drawing on a page of its own, which needs no script and asks for nothing."""

from __future__ import annotations

from ..page import assemble
from ..scene import Scene
from .svg import escaped
from .text import text_of


def html_of(scene: Scene, svg: str) -> str:
    """A page with the drawing, and its text for who cannot see it.

    Parameters
    ----------
    scene : Scene
    svg : str
        The drawing, by whichever engine.
    """
    tree = f"<details><summary>As text</summary><pre>{escaped(text_of(scene))}</pre></details>"
    body = f'<main class="{scene.theme}"><figure>{svg}</figure>{tree}</main>'
    return assemble(scene.title, body, styles=["drawing.css"])
