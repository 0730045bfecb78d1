"""The command line: ``autodiff draw "x*y + sin(x)" --at x=2,y=3``, and others like it."""

from __future__ import annotations

import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence

from ..core.errors import AutodiffError
from .parser import parser

LIKE_AN_OPTION = re.compile(r"-(?!-|[oh]?$)")
"""What argparse would take for an option, though it may be an expression: ``-x**2``."""


def read(arguments: Sequence[str]) -> Namespace:
    """Read the arguments of the command line."""
    own, script_s = [*arguments], list[str]()
    if own[:1] == ["run"] and "--" in own:
        end = own.index("--")
        own, script_s = own[:end], own[end + 1 :]
    if own[:1] and own[0] in ("draw", "debug", "derive", "paths", "tape"):
        own = [f" {a}" if LIKE_AN_OPTION.match(a) else a for a in own]
    given, unknown = parser().parse_known_args(own)
    if unknown:
        hint = "; what the script is to get stands after --" if given.command == "run" else ""
        given.parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    given.arguments = script_s
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    given = read(sys.argv[1:] if arguments is None else arguments)
    try:
        status: int | None = given.act(given)
        sys.stdout.flush()
    except AutodiffError as error:
        given.parser.exit(2, f"{given.parser.prog}: error: {error}\n")  # without the usage, which was right
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        what = ": ".join(map(str, filter(None, (error.filename, error.strerror)))) or error
        print(f"{given.parser.prog}: error: {what}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; nothing more was written", file=sys.stderr)
        return 130
    return status or 0
