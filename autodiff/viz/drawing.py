"""The picture that ``ad.draw`` returns."""

from __future__ import annotations

from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ArgumentError, MissingExtraError
from .printers import raster
from .printers.dot import GET_DOT, MissingProgramError, digraph_of, rendered, svg_by_dot
from .printers.html import html_of
from .printers.mermaid import mermaid_of
from .printers.svg import svg_of
from .printers.text import text_of
from .scene import Scene

if TYPE_CHECKING:
    from graphviz import Digraph

FORMATS = ("svg", "png", "pdf", "html", "dot", "mmd", "txt")


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

    @cached_property
    def dot(self) -> Digraph:
        """The drawing as a ``graphviz`` object, to change or to embed."""
        return digraph_of(self.scene)

    @property
    def svg(self) -> str:
        """The drawing as SVG."""
        if self._wants_dot:
            try:
                return svg_by_dot(self.dot, self.scene)
            except MissingProgramError:
                if self.engine == "dot":
                    raise
        return svg_of(self.scene)

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
        ArgumentError
            If the suffix is another one.
        MissingProgramError
            If a PNG or PDF was asked for, and neither the program ``dot`` nor matplotlib is installed.  The other
            formats need nothing, unless the drawing was made with ``engine="dot"``.
        """
        path = Path(path)
        format = path.suffix.lower().removeprefix(".")
        if format not in FORMATS:
            *most, last = (f".{known}" for known in FORMATS)
            raise ArgumentError(
                f"A drawing cannot be saved as {path.name!r}. The name can end in {', '.join(most)} or {last}."
            )
        if format in ("png", "pdf"):
            path.write_bytes(self._painted(format))
        else:
            texts = {"svg": "svg", "html": "html", "mmd": "mermaid", "txt": "text"}
            text = str(self) if format == "dot" else getattr(self, texts[format])
            path.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
        return path

    @property
    def _wants_dot(self) -> bool:
        return self.engine == "dot" or (self.engine == "auto" and self.scene.style == "graph")

    def _painted(self, format: str) -> bytes:
        """The bytes of a PNG or PDF."""
        if self._wants_dot:
            try:
                return rendered(self.dot, format, self.scene.size)
            except MissingProgramError:
                if self.engine == "dot":
                    raise
        try:
            return raster.rendered(self.scene, format)
        except MissingExtraError as error:
            raise MissingProgramError(
                f"Drawing as {format} needs the program dot of Graphviz or the package matplotlib, and neither is "
                f"installed. Get the one with: {GET_DOT}; or the other with: pip install 'autodiff-tape[plot]'. "
                ".svg and .html need neither."
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
        """The drawing for a notebook, and its text for who cannot see it."""
        return {"image/svg+xml": self.svg, "text/plain": self.text}
