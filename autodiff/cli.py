"""The command line: ``python -m autodiff demo``."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from .core.errors import AutodiffError
from .training.demo import TASKS, Demo, run


def whole(text: str) -> int:
    """Read a whole number from 1 up."""
    number = int(text) if text.lstrip("+-").isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def seed(text: str) -> int:
    """Read a whole number from 0 up."""
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def rate(text: str) -> float:
    """Read a learning rate."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (number > 0 and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, such as 0.003")
    return number


def widths(text: str) -> tuple[int, ...]:
    """Read the widths of hidden layers, such as ``32,32``."""
    return tuple(whole(part.strip()) for part in text.split(","))


def suiting(setting: str) -> str:
    """The defaults of a setting, by data set."""
    values = {name: getattr(task, setting) for name, task in TASKS.items()}
    return ", ".join(f"{','.join(map(str, v)) if isinstance(v, tuple) else v} for {name}" for name, v in values.items())


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    main = argparse.ArgumentParser(prog="autodiff", description="The automatic differentiation engine to see through.")
    commands = main.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="train a small net and leave pictures of it in a folder")
    demo.add_argument("--data", choices=list(TASKS), default="digits", help="what to learn (default: digits)")
    demo.add_argument("--epochs", type=whole, help=f"passes over the data (default: {suiting('epochs')})")
    demo.add_argument("--lr", type=rate, help=f"learning rate of Adam (default: {suiting('lr')})")
    demo.add_argument("--hidden", type=widths, help=f"widths of the hidden layers (default: {suiting('hidden')})")
    demo.add_argument("--seed", type=seed, default=0, help="of everything that is drawn at random (default: 0)")
    demo.add_argument("--out", type=Path, default=Path("autodiff-demo"), help="folder for pictures (autodiff-demo)")
    return main


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    interface = parser()
    given = interface.parse_args(arguments)
    if given.out.exists() and not given.out.is_dir():
        interface.error(f"--out {given.out} is a file; give a folder")
    try:
        run(Demo(given.data, given.epochs, given.lr, given.hidden, given.seed), given.out)
    except (AutodiffError, OSError) as error:
        interface.error(str(error))
    except KeyboardInterrupt:
        print("\nstopped")
        return 130
    return 0
