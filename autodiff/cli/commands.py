"""What each command does."""

from __future__ import annotations

import errno
import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

import autodiff as ad

from ..core.errors import ArgumentError
from ..core.summary import data_text, shorten
from ..training.demo import Demo
from ..training.demo import run as train
from ..viz.drawing import FORMATS
from .expression import compute, read_values
from .script import LastSteps, Variable, execute, in_place_of_main
from .text import did_you_mean

DEBUG_PAGE = Path("autodiff-debug.html")
"""Where the debugger is written if nobody says where."""
LOOKS = ("style", "theme", "direction", "engine", "show", "depth")
"""Options of a drawing."""

Names = dict[str, Any]


def draw(given: Namespace) -> None:
    """``autodiff draw EXPRESSION``."""
    y, names = computed(given, traced=True)
    if not np.ndim(y.data):
        y.backward()
    look("draw", y, names, given, given.expression)


def debug(given: Namespace) -> None:
    """``autodiff debug EXPRESSION``."""
    y, names = computed(given, traced=True)
    look("debug", y, names, given, given.expression)


def tape(given: Namespace) -> None:
    """``autodiff tape EXPRESSION``."""
    y, names = computed(given)
    if not np.ndim(y.data):
        y.backward()
    look("tape", y, names, given, given.expression)


def derive(given: Namespace) -> None:
    """``autodiff derive EXPRESSION``."""
    y, names = computed(given)
    derivations = [called_from(names, ad.derive, y, wrt=x) for x in wanted(given.wrt, y, names)]
    put("\n\n".join([d.latex if given.latex else str(d) for d in derivations]), given.output)


def paths(given: Namespace) -> None:
    """``autodiff paths EXPRESSION``."""
    y, names = computed(given)
    found = [called_from(names, ad.paths, y, x) for x in wanted(given.wrt, y, names)]
    put("\n\n".join(map(str, found)), given.output)


def run(given: Namespace) -> int:
    """``autodiff run SCRIPT``; return the exit status."""
    kind = next(kind for kind in ("debug", "draw", "tape") if getattr(given, kind))
    variable: Variable = getattr(given, kind)
    if kind == "debug" and given.output is None:
        given.output = DEBUG_PAGE
    check_output(kind, given.output)
    given.output = given.output and given.output.absolute()  # the script may go elsewhere
    with in_place_of_main(given.script, given.arguments) as module:
        steps = LastSteps()
        ended = execute(module, given.script, steps)
        names = vars(module)
        if isinstance(ended, Exception):
            sys.excepthook(type(ended), ended, ended.__traceback__)
            return 1
        if ended is None or variable.name in names:
            y = variable.find(names, given.script.name)
            steps.undo(y)
            look(kind, y, names, given, f"{variable.text} of {given.script.name}")
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
    if name is None:
        return [x for x in ad.Tape(y) if x.is_leaf]
    if name not in names:
        raise ArgumentError(f"--wrt {name}: there is no such variable.{did_you_mean(name, names)}")
    return [names[name]]


def look(kind: str, y: Any, names: Names, given: Namespace, title: str) -> None:
    """Draw, debug or print the tape of a node, and write that where it was asked for."""
    if kind == "tape":
        put(str(called_from(names, ad.Tape, y)), given.output)
    elif kind == "debug":
        page = called_from(names, ad.debug, y, title=shorten(title.strip(), 80))
        written(page.save(given.output))
    else:
        looks = {option: getattr(given, option) for option in LOOKS if getattr(given, option) is not None}
        drawing = called_from(names, ad.draw, y, **looks)
        if given.output is None:
            put(drawing.text, None)
        else:
            written(drawing.save(given.output))


def put(text: str, path: Path | None) -> None:
    """Write a text to a file, or to the terminal."""
    if path is not None:
        path.write_text(f"{text}\n", encoding="utf-8")
        written(path)
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has no signs for the lines still gets the words
    print(text)


def written(path: Path) -> None:
    """Say what was written."""
    print(f"wrote {path}")


def check_output(command: str, path: Path | None) -> None:
    """Raise if a file of this kind cannot be written there, before any work is done."""
    if path is None:
        return
    suffixes = {"draw": FORMATS, "debug": ("html",)}.get(command, ())
    if suffixes and path.suffix.lower().removeprefix(".") not in suffixes:
        ends = " or ".join(f".{suffix}" for suffix in suffixes)
        raise ArgumentError(f"-o {path}: the name of what {command} writes ends in {ends}.")
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


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
