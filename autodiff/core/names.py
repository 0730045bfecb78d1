"""What the caller calls things.

A node has no name unless it was given one, but nearly always it sits in a variable, in a list, or in a model that sits
in a variable.  Looking there costs nothing while computing, and is only done when something is to be shown.
"""

from __future__ import annotations

import inspect
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from .errors import ArgumentError
from .node import Node
from .source import user_frame
from .summary import SHORT, kind_text

OBJECTS = 5_000
"""How many objects are looked at among the local variables, and again among the global ones."""
WIDTH = 1_000
"""How many entries of one container are looked at."""
DEPTH = 6
"""How far a name reaches: ``mlp.layers[0].neurons[1].w[0]``."""

OURS = f"{__name__.partition('.')[0]}."
NOTEBOOKS = frozenset({"In", "Out"})
"""Where notebooks keep what was typed and shown."""

_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None), range, slice})
_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, FrameType, partial)

Rank = tuple[bool, int, bool, int, int]
"""Smaller is better: not a parameter of a module, minus its steps inside the module, global, how deep, how long."""


def find_names(frame: FrameType) -> dict[int, str]:
    """Names of the nodes and arrays that can be reached from the variables of a frame, by ``id``.

    A parameter is called by the outermost module (``model.layers.0.weight``), anything else by the shortest way there
    from a local variable, or else from a global one: ``x``, ``w[0]``, ``batch["x"]``, ``neuron.bias``.  No method of a
    user's class is called, neither equality nor properties nor iteration, except ``named_parameters()``.

    Examples
    --------
    >>> import sys
    >>> import autodiff as ad
    >>> x, ws = ad.Value(2.0), [ad.Value(1.0), ad.Value(3.0)]
    >>> names = find_names(sys._getframe())
    >>> names[id(x)], names[id(ws[1])]
    ('x', 'ws[1]')
    """
    found: dict[int, tuple[Rank, str]] = {}
    seen: set[int] = set()
    _search(_local_variables(frame), False, found, seen)
    _search(frame.f_globals, True, found, seen)
    return {key: name for key, (_, name) in found.items()}


def name_of(x: Any, names: dict[int, str]) -> str | None:
    """The name that a node was given, or else the one that was found for it.

    A layer gives its parameters short names; a path that ends in the short name says more.
    """
    given = str(x.name) if isinstance(x, Node) and x.name else None
    found = names.get(id(x))
    return found if given is None or (found is not None and found.endswith(f".{given}")) else given


def named_in(doing: str, model: Any, kinds: type | tuple[type, ...] = Node) -> dict[str, Any]:
    """What a model holds by name: the parameters of a module, or what is in lists, tuples and dicts, nested at will.

    What has no name there is called by the caller's variables, or else by its place.

    Parameters
    ----------
    doing : str
        Who asks, for the error.
    model : Module, mapping, list, tuple or one node
        Pairs as of ``named_parameters()`` are names and what they name.
    kinds : type or tuple of type
        What is looked for.

    Raises
    ------
    ArgumentError
        If there is none.

    Examples
    --------
    >>> import autodiff as ad
    >>> w, b = ad.Value(1.0), ad.Value(0.0, name="bias")
    >>> list(named_in("health()", {"layer": [w, ad.Value(2.0)]})), list(named_in("health()", [w, b, ad.Value(3.0)]))
    (['layer.0', 'layer.1'], ['w', 'bias', '2'])
    """
    if not isinstance(model, type) and callable(getattr(model, "named_parameters", None)):
        found = {str(name): x for name, x in model.named_parameters() if isinstance(x, kinds)}
    else:
        if not isinstance(model, type) and callable(getattr(model, "parameters", None)):
            model = list(model.parameters())
        names = find_names(user_frame())
        found = {}
        for path, x in _members(model, "", kinds):
            called = name_of(x, names) if not path.strip("0123456789.") else path
            found[called if called and called not in found else path or "parameter"] = x
    if not found:
        what = "parameters" if kinds is Node else "arrays or parameters"
        raise ArgumentError(
            f"{doing} got {kind_text(model)} in which there are no {what}. Give it the model, a list of them, or "
            "a dict of them by name."
        )
    return found


def _members(thing: Any, path: str, kinds: type | tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    """What there is of these kinds, with the dotted path there."""
    if isinstance(thing, kinds):
        yield path, thing
    elif isinstance(thing, tuple) and len(thing) == 2 and isinstance(thing[0], str):  # of named_parameters()
        yield from _members(thing[1], thing[0], kinds)
    elif isinstance(thing, Mapping | list | tuple):
        for key, inner in thing.items() if isinstance(thing, Mapping) else enumerate(thing):
            yield from _members(inner, f"{path}.{key}" if path else str(key), kinds)


def _local_variables(frame: FrameType) -> dict[str, Any]:
    namespace = frame.f_locals
    variables = {name: namespace[name] for name in namespace}
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED and sys.getrefcount(namespace) <= 3:
        # A snapshot that the frame keeps until the function returns: `del loss` would no longer free the tape.
        # Nobody else holds it, and Python fills it afresh when asked again.
        namespace.clear()
    return variables


def _search(variables: dict[str, Any], is_global: bool, found: dict[int, tuple[Rank, str]], seen: set[int]) -> None:
    """Visit what the variables hold, the nearest first."""

    def offer(x: Any, name: str, depth: int, steps: int = 0) -> None:
        rank = (not steps, -steps, is_global, depth, len(name))
        if id(x) not in found or rank < found[id(x)][0]:
            found[id(x)] = (rank, name)

    # One underscore is for what nobody wants to read; `_` and `_12` are also where notebooks keep their outputs.
    start = [(name, x, 0) for name, x in list(variables.items()) if name[:1] != "_" and name not in NOTEBOOKS]
    queue = deque(start)
    for _ in range(OBJECTS):
        if not queue:
            return
        name, x, depth = queue.popleft()
        kind = type(x)
        if issubclass(kind, Node | np.ndarray):
            offer(x, name, depth)
        if kind in _PLAIN or issubclass(kind, (Node, np.ndarray, *_CODE)) or id(x) in seen:
            continue
        seen.add(id(x))
        if str(kind.__module__).startswith(OURS) and not hasattr(kind, "named_parameters"):
            continue  # a derivation, a film or an optimizer holds nodes under names of its own
        try:
            for dotted, parameter in islice(_parameters(x), WIDTH):
                if isinstance(parameter, Node):
                    offer(parameter, f"{name}.{dotted}", depth, steps=1 + str(dotted).count("."))
        except Exception:
            pass  # a user's named_parameters() may do anything; it only costs us a name
        if depth < DEPTH:
            try:
                queue.extend((name + step, inner, depth + 1) for step, inner in islice(_inside(x), WIDTH))
            except Exception:
                continue  # changed by another thread while we look


def _parameters(x: Any) -> Iterable[tuple[str, Any]]:
    method = getattr(type(x), "named_parameters", None)
    return method(x) if callable(method) else ()


def _inside(x: Any) -> Iterator[tuple[str, Any]]:
    """How to step from a container or a plain object to what it holds, without calling a method of its class."""
    kind = type(x)
    if issubclass(kind, dict):
        for key, inner in islice(dict.items(x), WIDTH):
            if type(key) is int or (type(key) is str and len(key) <= SHORT):
                yield f"[{key!r}]", inner
    elif issubclass(kind, tuple | list):
        fields: Any = getattr(kind, "_fields", ())
        steps = [f".{field}" for field in fields] if type(fields) is tuple else []
        entries = tuple.__iter__(x) if issubclass(kind, tuple) else list.__iter__(x)
        for i, inner in enumerate(entries):
            yield steps[i] if i < len(steps) else f"[{i}]", inner
    else:
        try:
            attributes = object.__getattribute__(x, "__dict__")
        except Exception:
            return
        if issubclass(type(attributes), dict):
            for key, inner in islice(dict.items(attributes), WIDTH):
                if type(key) is str and not key.startswith("__"):
                    yield f".{key}", inner
