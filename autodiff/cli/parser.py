"""What the command line understands."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

from autodiff import __version__

from ..core.errors import ArgumentError
from ..training.demo import TASKS
from ..viz.draw import DIRECTIONS, ENGINES, STYLES, THEMES
from ..viz.drawing import FORMATS
from ..viz.staging import SHOW
from .commands import DEBUG_PAGE, debug, demo, derive, draw, paths, run, tape
from .script import Variable

MOST = 1_000_000
EXPRESSION = "EXPRESSION --at NAME=VALUE,... [options]"


def whole(text: str) -> int:
    """Read a whole number from 1 up."""
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from 1 to {MOST:,}")
    return number


def seed(text: str) -> int:
    """Read a whole number from 0 up."""
    if not (text.isdecimal() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number of at least 0, and at most 18 digits")
    return int(text)


def rate(text: str) -> float:
    """Read a learning rate."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (number > 0 and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number above 0, such as 0.003")
    return number


def widths(text: str) -> tuple[int, ...]:
    """Read the widths of hidden layers, such as ``32,32``."""
    try:
        return tuple(whole(part.strip()) for part in text.split(","))
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; give the widths with commas between them, such as 32,32") from None


def folder(text: str) -> Path:
    """Read the path of a folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a folder")
    return Path(text)


def level(text: str) -> int:
    """Read how deep modules are unfolded: a whole number from 0 up."""
    return 0 if text == "0" else whole(text)


def facts(text: str) -> tuple[str, ...]:
    """Read what a drawing is to show: words with commas between them."""
    found = tuple(word.strip() for word in text.split(","))
    for word in found:
        if word not in SHOW:
            raise argparse.ArgumentTypeError(f"{word[:40]!r} is none of {', '.join(SHOW)}")
    return found


def file(text: str) -> Path:
    """Read the path of a file."""
    if not Path(text).name:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a file")
    return Path(text)


def suiting(setting: str) -> str:
    """The defaults of a setting, by data set."""
    values = {name: getattr(task, setting) for name, task in TASKS.items()}
    return ", ".join(f"{','.join(map(str, v)) if isinstance(v, tuple) else v} for {name}" for name, v in values.items())


def variable(text: str) -> Variable:
    """Read what a script calls something, such as ``loss`` or ``model.losses[0]``."""
    try:
        return Variable(text)
    except ArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    program = "python -m autodiff" if Path(sys.argv[0]).name == "__main__.py" else "autodiff"
    main = argparse.ArgumentParser(
        program,
        description="The automatic differentiation engine to see through.",
        epilog="example:\n  autodiff tape 'x*y + sin(x)' --at x=2,y=3\n\nautodiff COMMAND --help: what a command takes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main.add_argument("--version", action="version", version=f"autodiff {__version__}")
    commands = main.add_subparsers(dest="command", required=True, metavar="command")
    for add in (_add_draw, _add_debug, _add_derive, _add_paths, _add_tape, _add_run, _add_demo):
        add(commands)
    return main


def _add(commands: Any, name: str, act: Any, about: str, usage: str, example: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        usage=f"{commands._prog_prefix} {name} {usage}",
        description=f"{about.capitalize()}.",
        epilog=f"example:\n  autodiff {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(act=act, parser=command)
    return command


def _add_draw(commands: Any) -> None:
    about = "draw what an expression is computed from"
    command = _add(commands, "draw", draw, about, EXPRESSION, "draw 'x*y + sin(x)' --at x=2,y=3 -o graph.svg")
    _add_expression(command)
    _add_output(
        command, f"the picture: {', '.join(f'.{suffix}' for suffix in FORMATS)} (default: text in the terminal)"
    )
    _add_looks(command)


def _add_debug(commands: Any) -> None:
    about = "write a page that steps through an expression, forwards and backwards"
    command = _add(commands, "debug", debug, about, EXPRESSION, "debug 'x*y + sin(x)' --at x=2,y=3 -o page.html")
    _add_expression(command)
    _add_output(command, f"the page (default: {DEBUG_PAGE})", DEBUG_PAGE)


def _add_derive(commands: Any) -> None:
    about = "write out the derivative of an expression, step by step"
    command = _add(commands, "derive", derive, about, EXPRESSION, "derive 'x*y + sin(x)' --at x=2,y=3 --wrt x")
    _add_expression(command)
    _add_wrt(command)
    command.add_argument("--latex", action="store_true", help="as LaTeX")
    _add_output(command, "a text file (default: the terminal)")


def _add_paths(commands: Any) -> None:
    about = "print what each path through an expression adds to its derivative"
    command = _add(commands, "paths", paths, about, EXPRESSION, "paths 'a = x*y; a*a + x' --at x=2,y=3 --wrt x")
    _add_expression(command)
    _add_wrt(command)
    _add_output(command, "a text file (default: the terminal)")


def _add_tape(commands: Any) -> None:
    about = "print every step of an expression, with its value and its gradient"
    command = _add(commands, "tape", tape, about, EXPRESSION, "tape 'a = x*y; a*a' --at x=1/2,y=3 --exact")
    _add_expression(command)
    _add_output(command, "a text file (default: the terminal)")


def _add_run(commands: Any) -> None:
    about = "run a script, then look at one of its variables"
    usage = "SCRIPT (--debug | --draw | --tape) NAME [options] [-- arguments of the script]"
    command = _add(commands, "run", run, about, usage, "run train.py --debug loss -o page.html -- --epochs 3")
    command.add_argument("script", type=file, help="a Python file; what stands after -- is given to it")
    look = command.add_mutually_exclusive_group(required=True)
    for option, what in (("debug", "step through it on a page"), ("draw", "draw it"), ("tape", "print its tape")):
        look.add_argument(
            f"--{option}", type=variable, metavar="NAME", help=f"{what}; NAME is as in loss, losses[0] or model.loss"
        )
    _add_output(command, f"where to write it (default: {DEBUG_PAGE}, or the terminal)")
    _add_looks(command)


def _add_expression(command: argparse.ArgumentParser) -> None:
    command.add_argument("expression", help="such as 'x*y + sin(x)', or 'a = x*y; a*a' with an intermediate result")
    command.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="NAME=VALUE,...",
        help="the variables: x=2,y=1/3 or x=[1,2,3]; may be given several times",
    )
    command.add_argument("--exact", action="store_true", help="compute with fractions in place of floats")


def _add_wrt(command: argparse.ArgumentParser) -> None:
    command.add_argument("--wrt", metavar="NAME", help="with respect to this variable (default: to each of them)")


def _add_output(command: argparse.ArgumentParser, help: str, default: Path | None = None) -> None:
    command.add_argument("-o", "--output", type=file, default=default, metavar="FILE", help=help)


def _add_looks(command: argparse.ArgumentParser) -> None:
    looks = command.add_argument_group("how a drawing looks")
    looks.add_argument("--style", choices=STYLES, help="boxes with facts in them, or gates and wires (default: graph)")
    looks.add_argument("--theme", choices=THEMES, help="colours (default: auto, as the reader's screen is)")
    looks.add_argument("--direction", choices=DIRECTIONS, help="from left to right (default), or from top to bottom")
    looks.add_argument(
        "--engine", choices=ENGINES, help="who places the boxes (default: auto, dot where it is installed)"
    )
    looks.add_argument("--show", type=facts, metavar="FACT,...", help=f"what stands in the boxes, of {', '.join(SHOW)}")
    looks.add_argument("--depth", type=level, metavar="N", help="fold modules that lie inside N others")


def _add_demo(commands: Any) -> None:
    about = "train a small net and leave pictures of it in a folder"
    command = commands.add_parser("demo", help=about, description=f"{about.capitalize()}.")
    command.add_argument("--data", choices=list(TASKS), default="digits", help="what to learn (default: digits)")
    command.add_argument("--epochs", type=whole, help=f"passes over the data (default: {suiting('epochs')})")
    command.add_argument("--lr", type=rate, help=f"learning rate of Adam (default: {suiting('lr')})")
    command.add_argument("--hidden", type=widths, help=f"widths of the hidden layers (default: {suiting('hidden')})")
    command.add_argument("--seed", type=seed, default=0, help="of everything that is drawn at random (default: 0)")
    command.add_argument(
        "--out", type=folder, default=Path("autodiff-demo"), help="folder for pictures (default: autodiff-demo)"
    )
    command.set_defaults(act=demo, parser=command)
