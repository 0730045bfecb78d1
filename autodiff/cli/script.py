"""Running a script as Python would, and finding what one of its variables holds."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import autodiff as ad

from ..core.errors import ArgumentError
from ..core.modes import Watcher, watching
from ..core.node import Node
from ..core.origin import tracing
from .text import Text, did_you_mean

MOST_LISTED = 8
"""How many variables are listed where one was not found."""


@contextlib.contextmanager
def in_place_of_main(script: Path, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """An empty ``__main__`` for a script, with ``sys.argv`` and ``sys.path`` as Python would set them."""
    module = ModuleType("__main__")
    module.__file__ = str(script.absolute())
    before = sys.argv, sys.path, sys.modules["__main__"]
    sys.argv, sys.path = [str(script), *arguments], [str(script.resolve().parent), *sys.path]
    sys.modules["__main__"] = module
    try:
        yield module
    finally:
        sys.argv, sys.path, sys.modules["__main__"] = before


class LastSteps(Watcher):
    """Keeps the parameters as they were before the last step of each optimizer.

    A training loop ends with such a step, and the last loss would be out of date when it is looked at.
    """

    def __init__(self) -> None:
        self.before: dict[int, tuple[Node, int, Any]] = {}

    def stepped(self, optimizer: Any) -> None:
        """Remember what is about to be changed in place."""
        for p in optimizer.params:
            self.before[id(p)] = p, p.index, p.numpy().copy() if isinstance(p, ad.Tensor) else p.data

    def undo(self, y: Any) -> None:
        """Give the parameters back what they were when ``y`` was computed, where that was kept."""
        if not isinstance(y, Node) or not y.tracked:
            return
        uses: dict[int, list[int]] = {}
        for node in ad.Tape(y):
            for x in node.args:
                uses.setdefault(id(x), []).append(node.index)
        for p, index, data in self.before.values():
            if id(p) in uses and all(index < use < p.index for use in uses[id(p)]):
                p._data, p.index = data, index


def execute(module: ModuleType, script: Path, steps: LastSteps) -> BaseException | None:
    """Run a script as a module, inside ``ad.trace()``; return what it ended with: an error, a ``SystemExit`` or None.

    Ctrl-C, and a reader of the output who has gone, are left to the command line.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    source = script.read_bytes()
    with watching(steps), tracing(outermost=sys._getframe()):
        try:
            exec(compile(source, str(module.__file__), "exec", dont_inherit=True), vars(module))
        except (KeyboardInterrupt, BrokenPipeError):
            raise
        except BaseException as error:
            trace = error.__traceback__
            return error.with_traceback(trace and trace.tb_next)  # without our own frame
    return None


class Variable:
    """What the user calls something: a name, then attributes and entries.

    Examples
    --------
    >>> Variable("model.losses[-1]").find({"model": type("Model", (), {"losses": [1, 2]})}, "train.py")
    2
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps: list[tuple[str, Any]] = []
        typed = Text(text, "variable")
        match typed.parse().body:
            case [ast.Expr(value=node)]:
                pass
            case _:
                raise ArgumentError(f"{text[:40]!r} is not a variable, such as loss, losses[0] or model.loss.")
        while not isinstance(node, ast.Name):
            match node:
                case ast.Attribute(attr=name) if not name.startswith("__"):
                    self.steps.insert(0, (f".{name}", name))
                case ast.Subscript(slice=ast.Constant(value=int() | str() as key)):
                    self.steps.insert(0, (f"[{key!r}]", key))
                case ast.Subscript(slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as key))):
                    self.steps.insert(0, (f"[-{key}]", -key))
                case _:
                    raise typed.refuse(
                        "A variable is a name, with attributes and entries: loss, model.losses[0].", node
                    )
            node = node.value
        self.name = node.id

    def find(self, namespace: Mapping[str, Any], script: str) -> Any:
        """What the variable holds after ``script`` has left these global variables.

        Raises
        ------
        ArgumentError
            If there is no such variable, attribute or entry.
        """
        if self.name not in namespace:
            own = [name for name in namespace if not name.startswith("_")]
            nodes = [name for name in own if isinstance(namespace[name], Node)]
            hint = did_you_mean(self.name, own) or f" It has {', '.join(nodes[:MOST_LISTED]) or 'no nodes at all'}."
            raise ArgumentError(f"{script} left no variable {self.name}.{hint}")
        x, path = namespace[self.name], self.name
        for step, key in self.steps:
            try:
                x = getattr(x, key) if step.startswith(".") else x[key]
            except Exception as error:  # a property of the user's class may raise anything
                what = f"{type(error).__name__}: {error}"
                raise ArgumentError(f"{path}{step} cannot be read after {script}: {what}") from error
            path += step
        return x
