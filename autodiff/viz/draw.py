"""``ad.draw``: the tape as a picture."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ..core.checks import require_whole
from ..core.errors import ArgumentError, KindError
from ..core.summary import repr_text
from .drawing import Drawing
from .folding import fold, plan_of
from .layout import layered
from .staging import SHOW, Look, stage
from .view import ones_of, view_of

DIRECTIONS = layered.DIRECTIONS
THEMES = ("light", "dark", "auto")
STYLES = ("graph", "circuit")
ENGINES = ("auto", "dot", "builtin")
LONGEST_GIVEN = 60
"""Longest repr of an argument in an error message."""


def draw(
    x: Any,
    *,
    show: str | Iterable[str] = ("shape", "value", "grad", "constants"),
    collapse: str | Iterable[str] | None = "auto",
    depth: int | None = None,
    direction: str = "LR",
    theme: str = "auto",
    style: str = "graph",
    engine: str = "auto",
) -> Drawing:
    """Draw what a result was computed from: a box for every node of the tape, an arrow for every argument.

    Leaves are blue, results of ops grey, what was asked for orange; constants have round corners.  Nodes are called by
    their names, or by the caller's variables that hold them.  What belongs to one module stands in a frame.

    Parameters
    ----------
    x : Value, Tensor, or list or tuple of them
        What to draw.
    show : str or sequence of str
        What stands in the boxes: any of ``"index"`` (the position on the tape), ``"shape"``, ``"dtype"``, ``"value"``,
        ``"grad"`` (once it was computed), ``"line"`` (of source, if recorded inside ``with ad.trace():``).  And what
        stands beside: ``"constants"``, and ``"flow"``, which gives every arrow the width and colour of what flows back
        along it, on a logarithmic scale.
    collapse : str, sequence of str or None
        What is folded into one box: titles of modules, in which ``*`` stands for anything, ``"model.layers.*"``;
        ``"repeats"`` for blocks of one structure, which are drawn once; None for nothing.  ``"auto"`` folds only
        drawings of more than 60 boxes: repeated blocks first, then the deepest modules, and so on until it fits.
    depth : int, optional
        Fold modules that lie inside this many others: 0 draws a model as one box, 1 its layers.
    direction : str
        ``"LR"``, from left to right, or ``"TB"``, from top to bottom.
    theme : str
        ``"light"``, ``"dark"``, or ``"auto"``: light, and dark where the reader's screen is.
    style : str
        ``"graph"``, boxes with facts in them; or ``"circuit"``, round gates and wires between them, with the value
        above each wire and the gradient below.
    engine : str
        Who places the boxes: ``"dot"``, the program; ``"builtin"``, which needs nothing; or ``"auto"``: the program
        where it is installed and quick enough, which is for graphs of at most 100 links, in at most 20 seconds.

    Returns
    -------
    Drawing
        Shows itself in a notebook; ``.save("graph.svg")`` writes it to a file.

    Raises
    ------
    TapeError
        If ``x`` was not recorded, or its tape was freed.
    ArgumentError
        If there is no such thing to show, module, depth, direction, theme, style or engine.
    KindError
        If ``show`` or ``collapse`` is neither text nor a sequence of texts.
    StaleDataError
        If ``show`` has ``"flow"`` and data was changed after it was used.

    Examples
    --------
    >>> import autodiff as ad
    >>> a, b = ad.Value(2.0), ad.Value(-3.0)
    >>> c = a * b + ad.sin(a)
    >>> c.backward()
    >>> print(ad.draw(c).text)
                          value    grad
    c  add              -5.091    1.0
    ├─ a: multiply      -6.0      1.0
    │  ├─ a: a  leaf     2.0     -3.416
    │  └─ b: b  leaf    -3.0      2.0
    └─ b: sin            0.9093   1.0
       of a, see above
    """
    shown = _texts("show", show, "'value' or ['value', 'grad']")
    for word in shown:
        _check("show", word, SHOW, "words")
    _check("direction", direction, DIRECTIONS, "directions")
    _check("theme", theme, THEMES, "themes")
    _check("style", style, STYLES, "styles")
    _check("engine", engine, ENGINES, "engines")
    if depth is not None:
        require_whole("draw()", least=0, depth=depth)
    if collapse is not None and not isinstance(collapse, str):
        collapse = _texts("collapse", collapse, "'repeats', 'model.layers.*' or ['model.0', 'model.1']")
    outputs = list(x) if isinstance(x, list | tuple) else [x]
    view = view_of(outputs, sys._getframe(1), "draw")
    if "flow" in shown:
        view.sweep([_cotangent(y) for y in outputs])
    folded = fold(view, plan_of(view, collapse, depth), constants="constants" in shown)
    return Drawing(stage(view, folded, Look(frozenset(shown), direction, theme, style)), engine)


def _cotangent(y: Any) -> Any:
    """What flows back from an output: the gradient that it has, or else ones."""
    return ones_of(y._data) if y.grad is None else getattr(y.grad, "_data", y.grad)


def _given(x: Any) -> str:
    """What was given, in an error message."""
    return repr_text(x, LONGEST_GIVEN)


def _texts(what: str, given: Any, examples: str) -> list[str]:
    """One text or several, as a list."""
    try:
        texts = [given] if isinstance(given, str) else list(given)
    except TypeError:  # it cannot be iterated over
        texts = [given]
    for text in texts:
        if not isinstance(text, str):
            found = type(given).__name__ + ("" if text is given else f" with {type(text).__name__} in it")
            raise KindError(f"draw({what}={_given(given)}): found {found}, expected such as {examples}.")
    return texts


def _check(what: str, given: Any, known: Sequence[str], those: str) -> None:
    if isinstance(given, str) and given in known:
        return
    import difflib

    near = difflib.get_close_matches(given, known, 1) if isinstance(given, str) else []
    raise ArgumentError(
        f"draw({what}={_given(given)}): the {those} are {', '.join(map(repr, known[:-1]))} and {known[-1]!r}."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )
