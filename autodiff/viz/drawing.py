"""The picture that ``ad.draw`` returns."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import ArgumentError, AutodiffError

if TYPE_CHECKING:
    from graphviz import Digraph

FORMATS = ("svg", "png", "pdf")
GET_DOT = "apt install graphviz, brew install graphviz or conda install graphviz"


class MissingProgramError(AutodiffError, OSError):
    """A feature that needs a program which is not installed."""


class Drawing:
    """A drawn tape.  It shows itself in a notebook, and saves itself to a file.

    Attributes
    ----------
    dot : graphviz.Digraph
        The drawing as a ``graphviz`` object, to change or to embed.

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

    def __init__(self, dot: Digraph, size: int) -> None:
        self.dot = dot
        self.size = size

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the drawing to a file; the suffix says in which format.

        Parameters
        ----------
        path : path
            Ends in ``.svg``, ``.png``, ``.pdf`` or ``.dot``.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        ArgumentError
            If the suffix is another one.
        MissingProgramError
            If the format needs the program ``dot`` and it is not installed.  ``.dot`` never does.
        """
        path = Path(path)
        format = path.suffix.lower().removeprefix(".")
        if format not in (*FORMATS, "dot"):
            raise ArgumentError(
                f"A drawing cannot be saved as {path.name!r}. The name can end in .svg, .png, .pdf or .dot."
            )
        if format == "dot":
            path.write_text(str(self), encoding="utf-8")
        else:
            path.write_bytes(self._render(format))
        return path

    def _render(self, format: str) -> bytes:
        """The bytes of the picture, drawn by the program ``dot``."""
        import graphviz

        try:
            dot = self.dot.copy()
            if format == "png" and "dpi=" not in dot.source:
                dot.attr("graph", dpi="144")  # sharp when projected
            picture: bytes = dot.pipe(format=format, quiet=True)
        except graphviz.ExecutableNotFound:
            raise MissingProgramError(
                f"Drawing as {format} needs the program dot of Graphviz, which is not installed. "
                f"Get it with: {GET_DOT}; or save as .dot, which does without."
            ) from None
        except graphviz.CalledProcessError as error:
            reason = " ".join((error.stderr or b"").decode(errors="replace").split())
            raise AutodiffError(
                f"The program dot could not draw this tape of {self.size} nodes as {format}: {reason or error}. "
                "Draw a smaller part of it, or save as .dot."
            ) from None
        return picture

    def __str__(self) -> str:
        source: str = self.dot.source
        return source

    def __repr__(self) -> str:
        nodes = f"{self.size} node{'s' if self.size != 1 else ''}"
        return f'<Drawing of {nodes}: .save("graph.svg") writes it to a file, a notebook shows it>'

    def _repr_svg_(self) -> str | None:
        """The drawing for a notebook; None without the program ``dot``."""
        try:
            return self._render("svg").decode()
        except AutodiffError:
            return None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The drawing for a notebook; its source, and how to get ``dot``, without the program."""
        try:
            return {"image/svg+xml": self._render("svg").decode(), "text/plain": repr(self)}
        except AutodiffError as error:
            return {"text/plain": f"// {error}\n{self}"}
