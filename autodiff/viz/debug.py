"""``ad.debug``: a page that steps through the computation and through backpropagation, forwards and back again."""

from __future__ import annotations

import sys
from os import PathLike
from typing import Any

from ..core.errors import KindError
from ..core.summary import repr_text
from .chain import start_of
from .json_form import as_json
from .page import SUFFIXES, Page, assemble, static
from .saving import writable
from .view import view_of

FOLDER = "debugger"
STYLES = ("style.css", "graph.css", "detail.css", "narrow.css")
SCRIPTS = (
    # what there is, and where we are in it
    *("numbers.js", "dom.js", "reading.js", "unpack.js", "model.js", "player.js", "places.js", "fold.js"),
    # the graph
    *("camera.js", "layout.js", "box.js", "wire.js", "graph.js"),
    # the chosen node
    *("heatmap.js", "lighting.js", "formula.js", "step.js", "detail.js"),
    # numbers that follow a dragged leaf
    *("kernels_elementwise.js", "kernels_arrays.js", "kernels.js", "whatif.js"),
    # the source, and ways to get around
    *("words.js", "source.js", "search.js", "jumps.js", "condition.js", "breakpoints.js"),
    *("transport.js", "shade.js", "keys.js", "main.js"),
)
"""In the order of their imports."""


def debug(
    loss: Any, path: str | PathLike[str] | None = None, *, gradient: Any = None, title: str | None = None
) -> Page:
    """Step through a computation and its backpropagation, one op at a time, and back again.

    The page shows the lines of your program, the graph, and of the chosen node its formula in symbols and in numbers:
    what comes from above times the local derivative is what goes on, and gradients add up where a node is used more
    than once.  It is one HTML file that needs nothing else and asks nothing of anybody, and a notebook shows it.

    Record the computation inside ``with ad.trace():``, and the page knows your lines and your modules.

    Parameters
    ----------
    loss : Value or Tensor
        What to differentiate.  The sweep is the page's own: nobody's ``.grad`` changes.
    path : path, optional
        Where to save the page, such as ``debug.html``; its name ends in ``.html`` or ``.htm``.
    gradient : array_like, optional
        Cotangent of ``loss``, of its shape.  May be left away if ``loss`` is a single number: then it is 1.
    title : str, optional
        Heading of the page; else the name of ``loss``.

    Returns
    -------
    Page
        Shows itself in a notebook; ``.save("debug.html")`` writes it to a file.

    Raises
    ------
    TapeError
        If ``loss`` was not recorded, or its tape was freed.
    ShapeError
        If ``loss`` is not a single number and no ``gradient`` was given, or one of another shape.
    KindError
        If ``gradient`` holds no numbers, or complex ones for a real ``loss``; if ``title`` is no text, or ``path`` is
        no path.
    ArgumentError
        If the name of the file ends otherwise.
    MissingFolderError
        If there is no folder to write it to.
    UnwritableError
        If it is a folder, or the system lets nobody write a file of that name there.

    Examples
    --------
    >>> import autodiff as ad
    >>> with ad.trace():
    ...     a, b = ad.Value(2.0), ad.Value(-3.0)
    ...     c = a * b + ad.sin(a)
    >>> ad.debug(c)
    <Page 'c': .save("page.html") writes it to a file, a notebook shows it>
    """
    if title is not None and not isinstance(title, str):
        raise KindError(
            f"debug(title={repr_text(title, 60)}): the title is of type {type(title).__name__}, and a text was "
            'expected, such as title="My net". Where the page is saved is the second argument, path.'
        )
    if path is not None:
        path = writable("page", path, SUFFIXES)
    view = view_of([loss], sys._getframe(1), "debug")
    data = as_json(view.sweep([start_of(loss, gradient, "debug")]))
    name = title or view.tape.name_of(loss) or "Backpropagation, step by step"
    html = assemble(
        name,
        static(f"{FOLDER}/body.html"),
        styles=[f"{FOLDER}/{file}" for file in STYLES],
        libraries=["dagre/dagre.min.js"],
        notices=["dagre/LICENSE"],
        modules=[f"{FOLDER}/{file}" for file in SCRIPTS],
        data={"view": data},
        deflate=True,
    )
    page = Page(name, html)
    if path is not None:
        page.save(path)
    return page
