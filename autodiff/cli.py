"""The command line: ``python -m autodiff demo``."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from autodiff import __version__

from .core.errors import AutodiffError
from .training.demo import TASKS, Demo, run

MOST = 1_000_000


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


def suiting(setting: str) -> str:
    """The defaults of a setting, by data set."""
    values = {name: getattr(task, setting) for name, task in TASKS.items()}
    return ", ".join(f"{','.join(map(str, v)) if isinstance(v, tuple) else v} for {name}" for name, v in values.items())


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    program = "python -m autodiff" if Path(sys.argv[0]).name == "__main__.py" else "autodiff"
    main = argparse.ArgumentParser(program, description="The automatic differentiation engine to see through.")
    main.add_argument("--version", action="version", version=f"autodiff {__version__}")
    commands = main.add_subparsers(dest="command", required=True, metavar="command")
    about = "train a small net and leave pictures of it in a folder"
    demo = commands.add_parser("demo", help=about, description=f"{about.capitalize()}.")
    demo.add_argument("--data", choices=list(TASKS), default="digits", help="what to learn (default: digits)")
    demo.add_argument("--epochs", type=whole, help=f"passes over the data (default: {suiting('epochs')})")
    demo.add_argument("--lr", type=rate, help=f"learning rate of Adam (default: {suiting('lr')})")
    demo.add_argument("--hidden", type=widths, help=f"widths of the hidden layers (default: {suiting('hidden')})")
    demo.add_argument("--seed", type=seed, default=0, help="of everything that is drawn at random (default: 0)")
    demo.add_argument(
        "--out", type=folder, default=Path("autodiff-demo"), help="folder for pictures (default: autodiff-demo)"
    )
    demo.set_defaults(parser=demo)
    return main


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    given = parser().parse_args(arguments)
    try:
        demo = Demo(given.data, given.epochs, given.lr, given.hidden, given.seed)
        run(demo, given.out)
        sys.stdout.flush()
    except AutodiffError as error:
        given.parser.error(str(error))
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{given.parser.prog}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; nothing more was written", file=sys.stderr)
        return 130
    return 0
