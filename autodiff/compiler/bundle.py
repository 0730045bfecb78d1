"""A printed program as a module that runs with NumPy alone: the functions that it calls by name, with all they need."""

from __future__ import annotations

import ast
import base64
import inspect
import sys
import textwrap
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ..core.errors import CompileError
from ..core.rule import Rule
from .literals import literal


def bundled(source: str, given: dict[str, Any]) -> str:
    """The source with what it is given written out above it.

    Raises
    ------
    CompileError
        If something that it is given cannot be written down: a function without source, a random generator.
    """
    if not given:
        return source
    bundle = _Bundle()
    for name, value in given.items():
        bundle.add(name, value)
    tree = ast.parse(source)
    after = tree.body[0].end_lineno or 1  # the docstring stays first
    lines = source.splitlines()
    kept = [line for line in lines[after:] if not line.startswith("# ") or " is given: " not in line]
    imports = sorted(bundle.imports)
    return "\n".join([*lines[:after], "", *imports, "", *bundle.parts, *kept]) + "\n"


IMPORTED = {"numpy", "scipy", *sys.stdlib_module_names}
"""What a module may import; functions of others, the user's own among them, are written out."""


class _Bundle:
    """Collects definitions, each after what it needs."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.parts: list[str] = []
        self.defined: dict[str, Any] = {}

    def add(self, name: str, value: Any) -> None:
        """Define a global name."""
        value = value.rule.forward if isinstance(getattr(value, "rule", None), Rule) else value
        if name in self.defined:
            if self.defined[name] is not value:
                raise CompileError(f"Two things called {name} are needed in one module. Save a smaller function.")
            return
        self.defined[name] = value
        bare = inspect.unwrap(value) if callable(value) else value  # without a cache
        if isinstance(value, ModuleType):
            self.imports.add(f"import {value.__name__} as {name}" if name != value.__name__ else f"import {name}")
        elif isinstance(bare, FunctionType) and bare.__module__.partition(".")[0] not in IMPORTED:
            self._function(name, bare)
        elif isinstance(value, type) and value.__module__.partition(".")[0] == "autodiff":
            self._class(name, value)
        elif callable(value) and getattr(value, "__module__", None) and hasattr(value, "__name__"):
            self.imports.add(f"from {value.__module__} import {value.__name__} as {name}")
        else:
            self.parts.append(f"{name} = {self._constant(name, value)}\n")

    def _function(self, name: str, function: FunctionType) -> None:
        wrapped = inspect.unwrap(function)
        if function.__closure__ and any(c.cell_contents is not function for c in function.__closure__):
            raise CompileError(
                f"{name} cannot be written into a module of its own: it is made by another function. "
                "Use the compiled function inside Python, or print its source."
            )
        for used in sorted(_names_in(wrapped.__code__)):
            if used in wrapped.__globals__:
                self.add(used, wrapped.__globals__[used])
        definition = without_annotations(wrapped)
        definition.decorator_list = []
        definition.name = name
        self.parts.append(f"\n{ast.unparse(definition)}\n")

    def _class(self, name: str, kind: type) -> None:
        """A class is only needed to be raised or asked for: one of its name does, but if it is a tuple of options."""
        if hasattr(kind, "_fields"):
            for part in vars(kind).values():
                code = getattr(getattr(part, "fget", part), "__code__", None)
                around = vars(sys.modules[kind.__module__])
                for used in sorted(_names_in(code) & around.keys()) if code is not None else ():
                    self.add(used, around[used])
            self.imports.add("from typing import NamedTuple")
            self.parts.append(f"\n{ast.unparse(without_annotations(kind))}\n")
            return
        base = next(b for b in kind.__mro__ if b.__module__ == "builtins")
        self.parts.append(f"\nclass {name}({base.__name__}):\n    pass\n")

    def _constant(self, name: str, value: Any) -> str:
        written = literal(value)
        ufunc = getattr(value, "__self__", None)
        if isinstance(ufunc, np.ufunc):  # its method
            written = f"np.{ufunc.__name__}.{value.__name__}"
        if written is not None:
            self.imports.add("import numpy as np")
            return written
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
            self.imports |= {"import base64", "import numpy as np"}
            text = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
            return f"np.frombuffer(base64.b64decode({text!r}), {value.dtype.str!r}).reshape({value.shape})"
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            kind = type(value)
            self.add(kind.__name__, kind)
            return f"{kind.__name__}({', '.join(self._constant(name, part) for part in value)})"
        if isinstance(value, type) and value.__module__ in ("builtins", "numpy"):
            self.imports.add("import numpy as np")
            return f"np.{value.__name__}" if value.__module__ == "numpy" else value.__name__
        if type(value) is tuple and any(isinstance(part, type) for part in value):
            return f"({', '.join(self._constant(name, part) for part in value)},)"
        try:
            if ast.literal_eval(repr(value)) == value:
                return repr(value)
        except (ValueError, SyntaxError):
            pass
        raise CompileError(
            f"{name}, a {type(value).__name__}, cannot be written into a module of its own. "
            "Use the compiled function inside Python, or print its source."
        )


def without_annotations(thing: Any) -> Any:
    """The definition of a function or a class without its types, which would have to be imported."""
    definition: Any = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    for part in ast.walk(definition):
        if isinstance(part, ast.arg):
            part.annotation = None
        elif isinstance(part, ast.AnnAssign):
            part.annotation = ast.Name("object")
        elif isinstance(part, ast.FunctionDef):
            part.returns = None
    return definition


def _names_in(code: CodeType) -> set[str]:
    names = {name for name in code.co_names if not name.startswith("__")}
    return names.union(*(_names_in(c) for c in code.co_consts if isinstance(c, CodeType)))
