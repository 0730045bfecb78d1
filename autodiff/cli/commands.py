"""What each command does."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

import autodiff as ad

from ..core.errors import ArgumentError
from ..core.node import Node, describe
from ..core.summary import data_text, repr_text, shorten
from ..training.demo import Demo
from ..training.demo import run as train
from ..viz.drawing import FORMATS
from ..viz.page import SUFFIXES
from ..viz.saving import writable
from .expression import compute, read_values
from .script import LastSteps, Variable, execute, in_place_of_main
from .text import did_you_mean

DEBUG_PAGE = Path("autodiff-debug.html")
"""Where the debugger is written if nobody says where."""
LOOKS = ("style", "theme", "direction", "engine", "show", "depth")
"""Options of a drawing."""
WRITTEN: dict[str, tuple[str, Sequence[str]]] = {"draw": ("drawing", FORMATS), "debug": ("page", SUFFIXES)}
"""What commands write that do not write text, and how the name of its file ends."""
REDUCED = "sum(...) or mean(...) around the expression"
"""How the result of an expression becomes a single number."""

Names = dict[str, Any]


def draw(given: Namespace) -> None:
    """``autodiff draw EXPRESSION``."""
    y, names = computed(given, traced=True)
    if np.size(y.data) == 1:
        y.backward()
    look("draw", y, names, given, given.expression)


def debug(given: Namespace) -> None:
    """``autodiff debug EXPRESSION``."""
    y, names = computed(given, traced=True)
    require_single(y, "The result", REDUCED)
    look("debug", y, names, given, given.expression)


def tape(given: Namespace) -> None:
    """``autodiff tape EXPRESSION``."""
    y, names = computed(given)
    if np.size(y.data) == 1:
        y.backward()
    look("tape", y, names, given, given.expression)


def derive(given: Namespace) -> None:
    """``autodiff derive EXPRESSION``."""
    y, names = computed(given)
    require_single(y, "The result", REDUCED)
    derivations = [called_from(names, ad.derive, y, wrt=x) for x in wanted(given.wrt, y, names)]
    put("\n\n".join([d.latex if given.latex else str(d) for d in derivations]), given.output)


def paths(given: Namespace) -> None:
    """``autodiff paths EXPRESSION``."""
    y, names = computed(given)
    require_single(y, "The result", REDUCED)
    found = [called_from(names, ad.paths, y, x) for x in wanted(given.wrt, y, names)]
    put("\n\n".join(map(str, found)), given.output)


def run(given: Namespace) -> int:
    """``autodiff run SCRIPT``; return the exit status."""
    kind = next(kind for kind in ("debug", "draw", "tape") if getattr(given, kind))
    variable: Variable = getattr(given, kind)
    if kind == "debug" and given.output is None:
        given.output = DEBUG_PAGE
    check_output(kind, given.output)
    to = given.output and given.output.absolute()  # the script may go elsewhere
    with in_place_of_main(given.script, given.arguments) as module:
        steps = LastSteps()
        ended = execute(module, given.script, steps)
        names = vars(module)
        if isinstance(ended, Exception):
            sys.excepthook(type(ended), ended, ended.__traceback__)
            return 1
        if ended is None or variable.name in names:
            y = variable.find(names, given.script.name)
            several = kind == "draw" and isinstance(y, list | tuple) and len(y) > 0
            for node in y if several else [y]:
                require_recorded(node, variable.text, given.script.name)
            if kind == "debug":
                require_single(y, variable.text, ".sum() or .mean()")
            steps.undo(y)
            look(kind, y, names, given, f"{variable.text} of {given.script.name}", to)
        if ended is not None:
            raise ended
    return 0


def demo(given: Namespace) -> None:
    """``autodiff demo``."""
    train(Demo(given.data, given.epochs, given.lr, given.hidden, given.seed), given.out)


def computed(given: Namespace, traced: bool = False) -> tuple[Any, Names]:
    """The result of the expression, and what it and its variables are called."""
    check_output(given.command, given.output)
    y, names = compute(given.expression, read_values(given.at, given.exact), given.exact, traced)
    if not isinstance(y.data, Fraction) and not np.isfinite(y.data).all():
        print(f"{given.parser.prog}: note: the result is {data_text(y)}", file=sys.stderr)
    return y, names


def wanted(name: str | None, y: Any, names: Names) -> list[Any]:
    """What to differentiate with respect to: the variable of this name, or each that ``y`` depends on."""
    tape = ad.Tape(y)
    if name is None:
        return [x for x in tape if x.is_leaf]
    if name not in names:
        hint = did_you_mean(name, names) or f" There {'is' if len(names) == 1 else 'are'} {', '.join(names)}."
        raise ArgumentError(f"--wrt {repr_text(name, 40)}: there is no such variable.{hint}")
    if names[name] not in tape:
        raise ArgumentError(f"--wrt {name}: the result does not depend on {name} in a way that has a derivative.")
    return [names[name]]


def require_single(y: Any, what: str, reduced: str) -> None:
    """Raise if a result is not a single number, which alone has a gradient."""
    if np.size(y.data) != 1:
        raise ArgumentError(
            f"{what} has the shape {y.shape}, and only a single number has a gradient. Reduce it first, with {reduced}."
        )


def require_recorded(y: Any, name: str, script: str) -> None:
    """Raise if what a script left under a name is not on a tape."""
    if not isinstance(y, Node) or not y.tracked:
        found = f"{describe(y)} with requires_grad=False" if isinstance(y, Node) else f"a plain {type(y).__name__}"
        raise ArgumentError(
            f"{script} left {found} in {name}, which no tape leads to. Name a Value or Tensor that was computed from "
            "what requires a gradient, outside no_grad()."
        )


def look(kind: str, y: Any, names: Names, given: Namespace, title: str, to: Path | None = None) -> None:
    """Draw, debug or print the tape of a node, and write that where it was asked for.

    ``to`` is the place of the file ``given.output``, if that may no longer be seen from here.
    """
    if kind == "tape":
        put(str(called_from(names, ad.Tape, y)), given.output, to)
    elif kind == "debug":
        page = called_from(names, ad.debug, y, title=shorten(title.strip(), 80))
        page.save(to or given.output)
        written(given.output)
    else:
        looks = {option: getattr(given, option) for option in LOOKS if getattr(given, option) is not None}
        drawing = called_from(names, ad.draw, y, **looks)
        if given.output is None:
            put(drawing.text, None)
        else:
            drawing.save(to or given.output)
            written(given.output)


def put(text: str, path: Path | None, to: Path | None = None) -> None:
    """Write a text to a file, which is found at ``to``, or to the terminal."""
    if path is not None:
        (to or path).write_text(f"{text}\n", encoding="utf-8")
        written(path)
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no signs for the lines still gets the words
    print(text)


def written(path: Path) -> None:
    """Say what was written, as it was asked for."""
    print(f"wrote {path}")


def check_output(command: str, path: Path | None) -> None:
    """Raise if a file of this kind cannot be written there, before any work is done."""
    if path is None:
        return
    suffix = path.suffix.lower().removeprefix(".")
    if command not in WRITTEN and suffix in FORMATS and suffix != "txt":
        raise ArgumentError(f"-o {path}: {command} writes text; a name for that is {path.with_suffix('.txt')}.")
    what, suffixes = WRITTEN.get(command, ("text", (suffix,)))
    writable(what, path, suffixes)


def _call(_function: Callable[..., Any], _given: tuple[Any, ...], _options: dict[str, Any]) -> Any:
    return _function(*_given, **_options)


def called_from(names: Names, function: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """Call a function as if from a program with these global variables: nodes are called as they are there.

    Examples
    --------
    >>> x = ad.Value(2.0)
    >>> called_from({"weight": x}, ad.Tape, x).name_of(x)
    'weight'
    """
    return FunctionType(_call.__code__, names)(function, given, options)
