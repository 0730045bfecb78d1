"""The picture that ``ad.draw`` returns."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import AutodiffError, MissingExtraError
from .printers import raster
from .printers.dot import GET_DOT, MissingProgramError, digraph_of, rendered, svg_by_dot
from .printers.html import embedded, html_of
from .printers.mermaid import mermaid_of
from .printers.svg import svg_of
from .printers.text import text_of
from .saving import writable
from .scene import Scene

if TYPE_CHECKING:
    from graphviz import Digraph

FORMATS = ("svg", "png", "pdf", "html", "dot", "mmd", "txt")
MOST_LINKS_FOR_DOT = 100
"""With more links than this ``engine="auto"`` does not ask the program ``dot``, which can take minutes for them."""


class Drawing:
    """A drawn tape.  It shows itself in a notebook, and saves itself to a file.

    Attributes
    ----------
    scene : Scene
        What is drawn, as text and numbers.

    Examples
    --------
    >>> import autodiff as ad
    >>> x = ad.Value(3.0)
    >>> drawing = ad.draw(x * x)
    >>> drawing
    <Drawing of 2 nodes: .save("graph.svg") writes it to a file, a notebook shows it>
    >>> drawing.save("graph.bmp")
    Traceback (most recent call last):
    ...
    autodiff.core.errors.ArgumentError: A drawing cannot be saved as 'graph.bmp'. ...
    """

    def __init__(self, scene: Scene, engine: str = "auto") -> None:
        self.scene = scene
        self.engine = engine
        self._dot_failed = False

    @cached_property
    def dot(self) -> Digraph:
        """The drawing as a ``graphviz`` object, to change or to embed."""
        return digraph_of(self.scene)

    @property
    def svg(self) -> str:
        """The drawing as SVG."""
        picture = self._by_dot("svg")
        return svg_of(self.scene) if picture is None else svg_by_dot(picture, self.scene)

    @property
    def text(self) -> str:
        """The drawing as a tree of text, for a terminal."""
        return text_of(self.scene)

    @property
    def mermaid(self) -> str:
        """The drawing as a Mermaid flowchart."""
        return mermaid_of(self.scene)

    @property
    def html(self) -> str:
        """The drawing on a page of its own, which needs nothing else."""
        return html_of(self.scene, self.svg)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the drawing to a file; the suffix says in which format.

        Parameters
        ----------
        path : path
            Ends in ``.svg``, ``.png``, ``.pdf``, ``.html``, ``.dot``, ``.mmd`` (Mermaid) or ``.txt``.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        KindError
            If ``path`` is no path.
        ArgumentError
            If the suffix is another one.
        MissingFolderError
            If there is no folder to write it to.
        UnwritableError
            If it is a folder, or the system lets nobody write a file of that name there.
        MissingProgramError
            If a PNG or PDF was asked for, and neither the program ``dot`` nor matplotlib can draw it.  The other
            formats need nothing, unless the drawing was made with ``engine="dot"``.
        SlowProgramError
            If the drawing was made with ``engine="dot"``, and the program takes more than 20 seconds.
        """
        path = writable("drawing", path, FORMATS)
        format = path.suffix.lower().removeprefix(".")
        if format in ("png", "pdf"):
            path.write_bytes(self._painted(format))
        else:
            texts = {"svg": "svg", "html": "html", "mmd": "mermaid", "txt": "text"}
            text = str(self) if format == "dot" else getattr(self, texts[format])
            path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
        return path

    def _by_dot(self, format: str) -> bytes | None:
        """The bytes of a picture by the program ``dot``; None where another is to draw it."""
        if self.engine == "dot":
            return rendered(self.dot, format, self.scene.size)
        suits_dot = self.scene.style == "graph" and len(self.scene.links) <= MOST_LINKS_FOR_DOT
        if self.engine == "auto" and suits_dot and not self._dot_failed:
            try:
                return rendered(self.dot, format, self.scene.size)
            except AutodiffError:
                self._dot_failed = True  # and is not waited for again
        return None

    def _painted(self, format: str) -> bytes:
        """The bytes of a PNG or PDF."""
        picture = self._by_dot(format)
        if picture is not None:
            return picture
        try:
            return raster.rendered(self.scene, format)
        except MissingExtraError as error:
            raise MissingProgramError(
                f"Drawing as {format} needs the package matplotlib, which is not installed, or with engine='dot' the "
                f"program dot of Graphviz. Get the one with: pip install 'autodiff-tape[plot]'; or the other with: "
                f"{GET_DOT}. .svg and .html need neither."
            ) from error

    def __str__(self) -> str:
        source: str = self.dot.source
        return source

    def __repr__(self) -> str:
        nodes = f"{self.scene.size:,} node{'s' if self.scene.size != 1 else ''}"
        return f'<Drawing of {nodes}: .save("graph.svg") writes it to a file, a notebook shows it>'

    def _repr_svg_(self) -> str:
        """The drawing for a notebook."""
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The drawing for a notebook, and its text for who cannot see it.

        The HTML fits the width of the notebook.  What cannot show HTML takes the SVG.
        """
        svg = self.svg
        return {"text/html": embedded(self.scene, svg), "image/svg+xml": svg, "text/plain": self.text}
