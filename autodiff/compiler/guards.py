"""What a compiled function takes for granted of the objects around it: which leaf stands where, which layer trains."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ..core.node import Node
from ..core.source import PACKAGE

Guard = tuple[Any, Any, Any]
"""A container, a key or an attribute, and what must stand there."""


class Attribute(str):
    """The name of an attribute, in the place of a key."""


LENGTH = Attribute("length")
"""In the place of a key: how many things a list or dict must hold."""

SWITCHES = (bool, int, float, complex, str, type(None), np.ndarray, np.generic)
"""What is compiled in where a variable holds it."""

FEW = 16
"""How many items of a list or dict are looked at for numbers: more are data, not settings."""

DEEP = 8
"""How many functions, called one inside the other, are looked into."""


def guards_of(f: Callable[..., Any], args: Any, leaves: Iterable[Node]) -> list[Guard]:
    """Where the leaves that ``f`` reads are found, from its own variables down, and the switches that it may ask.

    Parameters
    ----------
    f : callable
    args : nested structure
        What it is called with.
    leaves : nodes
        That were read when it ran.
    """
    search = _Search({id(x) for x in leaves})
    search.function(f, DEEP)
    search.enter(args, DEEP)
    return search.guards


def met_by(f: Callable[..., Any]) -> list[Any]:
    """The nodes and NumPy's generators that ``f`` may reach."""
    search = _Search(set())
    search.function(f, DEEP)
    return search.met


def check_of(guards: Sequence[Guard]) -> Callable[[], bool]:
    """The function that says whether everything stands where it stood.

    It is called before every call of a compiled function, so it is written out: a loop would take three times as long.
    """
    lines = ["def holds():", "    try:", "        return (True"]
    scope: dict[str, Any] = {}
    for k, (container, key, thing) in enumerate(guards):
        scope |= {f"c{k}": container, f"t{k}": thing, f"k{k}": key}
        where = f"c{k}.{key}" if isinstance(key, Attribute) else f"c{k}[k{k}]"
        lines.append(f"            and len(c{k}) == t{k}" if key is LENGTH else f"            and {where} is t{k}")
    lines += ["        )", "    except (LookupError, AttributeError, ValueError):", "        return False"]
    exec("\n".join(lines), scope)
    check: Callable[[], bool] = scope["holds"]
    return check


class _Search:
    """Walks from a function to the leaves that it reads, and notes the way."""

    def __init__(self, wanted: set[int]) -> None:
        self.wanted = wanted
        self.guards: list[Guard] = []
        self.met: list[Any] = []
        self.entered: dict[int, bool] = {}
        self.names: set[str] = set()

    def function(self, f: Any, depth: int) -> bool:
        """Look at the variables that a function may use."""
        self.names |= names_in(getattr(getattr(f, "__func__", f), "__code__", None))
        return any([self.place(*variable, depth) or self.switch(*variable) for variable in variables_of(f)])

    def attributes(self, thing: Any, depth: int) -> bool:
        """Look at the attributes of an object; those that no function names are no switches."""
        found = [self.place(vars(thing), key, branch, depth) for key, branch in list(vars(thing).items())]
        named = [(key, branch) for key, branch in vars(thing).items() if key in self.names]
        return any(found + [self.switch(vars(thing), key, branch) for key, branch in named])

    def switch(self, container: Any, key: Any, thing: Any) -> bool:
        """Note a plain number, text or array, which is taken as it is."""
        found = isinstance(thing, SWITCHES)
        if found:
            self.guards.append((container, key, thing))
        return found

    def item(self, container: Any, key: Any, thing: Any, depth: int) -> bool:
        """Look at what stands in a list or dict: a plain number too, unless there are so many that it is data."""
        few = len(container) <= FEW and not isinstance(container, tuple)
        return self.place(container, key, thing, depth) or (few and self.switch(container, key, thing))

    def place(self, container: Any, key: Any, thing: Any, depth: int) -> bool:
        """Look at what stands in one place; the way there is noted if there is something to find."""
        found = self.enter(thing, depth)
        if found:
            self.guards.append((container, key, thing))
        return found

    def enter(self, thing: Any, depth: int) -> bool:
        """Look into an object: whether a wanted leaf, or a switch, stands in it."""
        if isinstance(thing, Node | np.random.Generator):
            self.met.append(thing)
            return id(thing) in self.wanted
        if id(thing) in self.entered or depth == 0:
            return self.entered.get(id(thing), False)
        self.entered[id(thing)] = False
        if isinstance(thing, dict):
            found = [self.item(thing, key, branch, depth) for key, branch in list(thing.items())]
        elif isinstance(thing, list | tuple):
            found = [self.item(thing, k, branch, depth) for k, branch in enumerate(thing)]
        elif hasattr(thing, "named_modules") and not isinstance(thing, type):
            self.names |= names_in(getattr(type(thing).forward, "__code__", None))
            found = [self.attributes(thing, depth)]
            if asks_for_training(type(thing)):
                self.guards.append((thing, Attribute("training"), thing.training))
                found.append(True)
        elif isinstance(thing, FunctionType) and not thing.__code__.co_filename.startswith(PACKAGE):
            found = [self.function(thing, depth - 1)]
        elif is_users_own(thing):
            self.names |= names_in(getattr(type(thing).__call__, "__code__", None) if callable(thing) else None)
            found = [self.attributes(thing, depth - 1)]
        else:
            found = []
        if any(found) and isinstance(thing, list | dict):
            self.guards.append((thing, LENGTH, len(thing)))
        self.entered[id(thing)] = any(found)
        return any(found)


LIBRARIES = (PACKAGE, str(Path(os.__file__).parent))


def is_users_own(thing: Any) -> bool:
    """Whether an object is of a class of the user's program, which may keep leaves in its attributes."""
    file = getattr(sys.modules.get(type(thing).__module__), "__file__", None) or ""
    attributes = None if isinstance(thing, type | ModuleType | FunctionType) else getattr(thing, "__dict__", None)
    return isinstance(attributes, dict) and not file.startswith(LIBRARIES) and "site-packages" not in file


def variables_of(f: Any) -> Iterator[Guard]:
    """The variables from outside that a function uses: globals, those of functions around it, its own object."""
    if hasattr(f, "func"):
        yield from variables_of(f.func)  # a partial
    if hasattr(f, "__wrapped__"):
        yield from variables_of(f.__wrapped__)
    owner = getattr(f, "__self__", None if isinstance(f, FunctionType) else f)
    if owner is not None:
        yield {"self": owner}, "self", owner
    function = getattr(f, "__func__", f)
    if not isinstance(function, FunctionType):
        return
    cells = Cells(function.__closure__ or ())
    for k, cell in enumerate(cells.cells):
        try:
            yield cells, k, cell.cell_contents
        except ValueError:
            continue  # not assigned yet
    for name in names_in(function.__code__):
        if name in function.__globals__:
            yield function.__globals__, name, function.__globals__[name]


class Cells:
    """The variables of a function from the functions around it, by position."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells

    def __getitem__(self, k: int) -> Any:
        return self.cells[k].cell_contents


def names_in(code: CodeType | None) -> set[str]:
    """The names that code may look up, also in functions inside."""
    if code is None:
        return set()
    inner = [names_in(c) for c in code.co_consts if isinstance(c, CodeType)]
    return set(code.co_names).union(*inner)


def asks_for_training(kind: type) -> bool:
    """Whether ``forward`` of a class of modules asks whether it is training."""
    forward = getattr(kind, "forward", None)
    return isinstance(forward, FunctionType) and "training" in names_in(forward.__code__)
