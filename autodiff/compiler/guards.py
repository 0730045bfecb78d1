"""What a compiled function takes for granted of the objects around it: which leaf stands where, which layer trains.

Whatever the code of a function, or of one that it calls, names and finds outside must be there as it was: variables,
default values, attributes of objects, classes and modules, and what stands in lists and dicts.  Libraries are taken to
stay as they are.
"""

from __future__ import annotations

import dis
import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..core.node import Node
from ..core.source import PACKAGE

Guard = tuple[Any, Any, Any]
"""A container, a key or an attribute, and what must stand there."""


class Attribute(str):
    """The name of an attribute, in the place of a key."""


LENGTH = Attribute("length")
"""In the place of a key: how many things a list, dict or set must hold."""

MISSING = object()
"""What stands where an attribute must not be."""

PLAIN = (bool, int, float, complex, np.generic, str, bytes, type(None))
"""What is as good as another object that is equal."""

FEW = 16
"""How many items of a list or dict are looked at for numbers: more are data, not settings."""

DEEP = 8
"""How many functions, called one inside the other, are looked into."""


def guards_of(f: Callable[..., Any], args: Iterable[Any] = (), leaves: Iterable[Node] = ()) -> list[Guard]:
    """Where the leaves that ``f`` reads are found, from its own variables down, and what else its code names.

    Parameters
    ----------
    f : callable
    args : iterable
        What it is called with and is compiled in.
    leaves : nodes
        That were read when it ran.
    """
    return _searched(f, args, {id(x) for x in leaves}).guards


class Met(NamedTuple):
    """What a function may reach: nodes, plain arrays, iterators and NumPy's generators; and where it asks for kinds.

    ``scopes`` are the variables of the modules whose functions call ``isinstance``.
    """

    things: list[Any]
    scopes: list[dict[str, Any]]


def met_by(f: Callable[..., Any], args: Iterable[Any] = ()) -> Met:
    """What ``f`` may reach, when it is called with ``args``."""
    search = _searched(f, args, set())
    return Met(search.met, list(search.scopes.values()))


def check_of(guards: Sequence[Guard]) -> Callable[[], bool]:
    """The function that says whether everything stands where it stood.

    It is called before every call of a compiled function, so it is written out: a loop would take three times as long.
    """
    lines = ["def holds():", "    try:", "        return (True"]
    scope: dict[str, Any] = {"same": same, "MISSING": MISSING}
    for k, (container, key, thing) in enumerate(guards):
        scope |= {f"c{k}": container, f"t{k}": thing, f"k{k}": key}
        where = f"c{k}.{key}" if isinstance(key, Attribute) else f"c{k}[k{k}]"
        check = f"({where} is t{k} or same({where}, t{k}))" if type(thing) in (*PLAIN, tuple) else f"{where} is t{k}"
        if thing is MISSING:
            check = f"getattr(c{k}, k{k}, MISSING) is MISSING"
        lines.append(f"            and len(c{k}) == t{k}" if key is LENGTH else f"            and {check}")
    lines += ["        )", "    except (LookupError, AttributeError, ValueError):", "        return False"]
    exec("\n".join(lines), scope)
    holds: Callable[[], bool] = scope["holds"]
    return holds


def same(found: Any, thing: Any) -> bool:
    """Whether two plain numbers or texts, or tuples of them, are alike to the last bit."""
    if type(found) is not type(thing):
        return False
    if isinstance(thing, tuple):
        return len(found) == len(thing) and all(a is b or same(a, b) for a, b in zip(found, thing, strict=True))
    return isinstance(thing, PLAIN) and repr(found) == repr(thing)  # 0.0 and -0.0 are equal, and nan is not


def _searched(f: Callable[..., Any], args: Iterable[Any], wanted: set[int]) -> _Search:
    """Walk as often as there are new names of attributes: what was passed before may have some of them."""
    args, names = list(args), set[str]()
    while True:
        known = len(names)
        search = _Search(wanted, names)
        search.function(f, DEEP)
        for thing in args:
            search.enter(thing, DEEP)
        if len(names) == known:
            return search


class _Search:
    """Walks from a function to all that it may read, and notes the way."""

    def __init__(self, wanted: set[int], names: set[str]) -> None:
        self.wanted = wanted
        self.names = names
        self.guards: list[Guard] = []
        self.met: list[Any] = []
        self.entered: dict[int, bool] = {}
        self.alive: list[Any] = []
        self.scopes: dict[int, dict[str, Any]] = {}
        self.texts: set[str] = set()

    def reads(self, function: Any) -> None:
        """Take in the names that the code of a function looks up."""
        code = getattr(function, "__code__", None)
        if "isinstance" in names_in(code) and is_users_own(function):
            self.scopes[id(function.__globals__)] = function.__globals__
        self.names |= names_in(code)
        self.texts |= texts_in(code)

    def function(self, f: Any, depth: int) -> bool:
        """Look at the variables that a function may use."""
        self.reads(getattr(f, "__func__", f))
        return any([self.named(*variable, depth) for variable in variables_of(f)])

    def named(self, container: Any, key: Any, thing: Any, depth: int) -> bool:
        """Look at what code names: it must be this, unless it is a library's under its own name."""
        found = self.enter(thing, depth)
        if is_fixed(key, thing):
            return found
        self.guards.append((container, key, thing))
        return True

    def item(self, container: Any, key: Any, thing: Any, depth: int) -> bool:
        """Look at what stands in a list or dict: plain numbers too, unless there are so many that they are data."""
        found = self.enter(thing, depth)
        if found or callable(thing) or (len(container) <= FEW and isinstance(thing, (*PLAIN, np.ndarray))):
            self.guards.append((container, key, thing))
            return True
        return False

    def attributes(self, thing: Any, depth: int) -> bool:
        """Look at the attributes of an object, its own and those of its class; of a module's at those that are named.

        A leaf or a layer may be found by other ways than its name.
        """
        here = vars(thing) if hasattr(thing, "__dict__") else {}
        found = []
        for key, branch in list(here.items()):
            if key in self.names:
                found.append(self.named(here, key, branch, depth))
            elif not isinstance(thing, ModuleType | type) and self.enter(branch, depth):
                self.guards.append((here, key, branch))
                found.append(True)
        for name in self.names.difference(here) if not isinstance(thing, ModuleType | FunctionType) else ():
            found.append(self.inherited(thing, name, depth))
        return any(found)

    def inherited(self, thing: Any, name: str, depth: int) -> bool:
        """Look at an attribute that is not in the object's own dictionary."""
        kinds = (thing if isinstance(thing, type) else type(thing)).__mro__
        kind = next((k for k in kinds if name in vars(k)), None)
        if kind is None:
            if name in self.texts and is_users_own(thing):  # what getattr or hasattr may ask for
                self.guards.append((thing, Attribute(name), MISSING))
            return False
        inside = vars(kind)[name]
        if is_library(sys.modules.get(kind.__module__)):
            return False
        for function in (inside, *[getattr(inside, part, None) for part in ("fget", "func", "__func__")]):
            if isinstance(function, FunctionType):
                return self.enter(function, depth)
        if hasattr(inside, "__set__") and type(inside).__name__ != "member_descriptor":  # what it gives is computed
            return False
        try:
            return self.named(thing, Attribute(name), getattr(thing, name), depth)
        except AttributeError:
            return False  # a slot that was not filled

    def enter(self, thing: Any, depth: int) -> bool:
        """Look into an object: whether a wanted leaf, or something else that may be replaced, is in it."""
        if isinstance(thing, PLAIN):
            return False
        if isinstance(thing, Node | np.random.Generator | np.ndarray | Iterator):
            self.met.append(thing)
            return id(thing) in self.wanted
        if id(thing) in self.entered or depth == 0:
            return self.entered.get(id(thing), False)
        self.entered[id(thing)] = False
        self.alive.append(thing)  # a bound method is made anew, perhaps where another was
        found = self._look_into(thing, depth)
        if isinstance(thing, list | dict | set) and (found or len(thing) <= FEW):
            self.guards.append((thing, LENGTH, len(thing)))
            found = True
        self.entered[id(thing)] = found
        return found

    def _look_into(self, thing: Any, depth: int) -> bool:
        if isinstance(thing, dict):
            return any([self.item(thing, key, branch, depth) for key, branch in list(thing.items())])
        if isinstance(thing, list | tuple):
            return any([self.item(thing, k, branch, depth) for k, branch in enumerate(thing)])
        if hasattr(thing, "named_modules") and not isinstance(thing, type):
            thing = getattr(thing, "__wrapped__", thing)  # one that is compiled
            forward = type(thing).forward
            if is_users_own(forward):
                self.enter(forward, depth - 1)
            else:
                self.reads(forward)
            if asks_for_training(type(thing)):
                self.guards.append((thing, Attribute("training"), thing.training))
            return self.attributes(thing, depth) or asks_for_training(type(thing))
        if isinstance(thing, ModuleType):
            return not is_library(thing) and self.attributes(thing, depth - 1)
        if not is_users_own(thing) and callable(thing):
            return not isinstance(thing, type) and self.function(thing, depth - 1)
        if isinstance(thing, FunctionType):
            return any([self.function(thing, depth - 1), self.attributes(thing, depth - 1)])
        if is_users_own(thing):
            kind = thing if isinstance(thing, type) else type(thing)
            for name in ("__init__", "__call__", "__post_init__"):
                if isinstance(getattr(kind, name, None), FunctionType):
                    self.enter(getattr(kind, name), depth - 1)
            return self.attributes(thing, depth - 1)
        return False


LIBRARIES = (PACKAGE, str(Path(os.__file__).parent))


def is_library(module: Any) -> bool:
    """Whether a module is not of the user's program, and so is taken to stay as it is."""
    file = getattr(module, "__file__", None)
    if file is None:  # built in, or made by hand
        return getattr(module, "__name__", "") in sys.builtin_module_names
    return file.startswith(LIBRARIES) or "site-packages" in file


def is_users_own(thing: Any) -> bool:
    """Whether an object, or its class, is of the user's program, and may keep things in its attributes."""
    if isinstance(thing, FunctionType):
        file = thing.__code__.co_filename  # what is wrapped has the module of what it wraps
        return not file.startswith(LIBRARIES) and "site-packages" not in file
    kind = thing if isinstance(thing, type) else type(thing)
    return not is_library(sys.modules.get(kind.__module__))


def is_fixed(key: Any, thing: Any) -> bool:
    """Whether something is taken to stay: a module, and what a library calls as it is called here."""
    if isinstance(thing, ModuleType):
        return True
    if not isinstance(thing, type | FunctionType | BuiltinFunctionType | np.ufunc):
        return False
    return thing.__name__ == key and is_library(sys.modules.get(getattr(thing, "__module__", None) or "numpy"))


def variables_of(f: Any) -> Iterator[Guard]:
    """What a function uses from outside: globals, variables of functions around it, defaults, its own object."""
    if hasattr(f, "func"):  # a partial
        yield from variables_of(f.func)
        yield from ((f, Attribute(name), getattr(f, name)) for name in ("args", "keywords") if hasattr(f, name))
    if hasattr(f, "__wrapped__"):
        yield from variables_of(f.__wrapped__)
    owner = getattr(f, "__self__", None if isinstance(f, FunctionType) else f)
    if owner is not None and not isinstance(owner, ModuleType):
        yield {"self": owner}, "self", owner
    function = getattr(f, "__func__", f)
    if not isinstance(function, FunctionType):
        return
    cells = Cells(function.__closure__ or ())
    for k, cell in enumerate(cells.cells):
        try:
            thing = cell.cell_contents
        except ValueError:
            continue  # not assigned yet
        if is_users_own(function) or (callable(thing) and hasattr(thing, "__dict__")):
            yield cells, k, thing
    if not is_users_own(function):
        return
    for name in ("__defaults__", "__kwdefaults__"):
        if getattr(function, name):
            yield function, Attribute(name), getattr(function, name)
    for name in names_in(function.__code__):
        if name in function.__globals__:
            yield function.__globals__, name, function.__globals__[name]


class Cells:
    """The variables of a function from the functions around it, by position."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells

    def __getitem__(self, k: int) -> Any:
        return self.cells[k].cell_contents


@functools.lru_cache(1000)
def names_in(code: CodeType | None) -> frozenset[str]:
    """The names that code may look up, also in functions inside."""
    if code is None:
        return frozenset()
    read = {i.argval for i in dis.get_instructions(code) if i.opname.startswith("LOAD_") and i.opcode in dis.hasname}
    inner = [names_in(c) for c in code.co_consts if isinstance(c, CodeType)]
    return frozenset(read).union(texts_in(code), *inner)


def texts_in(code: CodeType | None) -> set[str]:
    """The texts in code, also in functions inside, that may be names for ``getattr``."""
    if code is None:
        return set()
    texts = {c for c in code.co_consts if isinstance(c, str) and c.isidentifier()}
    return texts.union(*[texts_in(c) for c in code.co_consts if isinstance(c, CodeType)])


def asks_for_training(kind: type) -> bool:
    """Whether ``forward`` of a class of modules asks whether it is training."""
    forward = getattr(kind, "forward", None)
    return isinstance(forward, FunctionType) and "training" in names_in(forward.__code__)
