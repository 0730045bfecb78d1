"""Programs that were loaded as machine code."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ...core.errors import ArgumentError, MissingExtraError
from ..program import Program, Var
from ..scalar.version import LevelVersion
from ..version import Version
from .disk import loaded
from .printing import MachinePrinter
from .tape import machine_tape

logger = logging.getLogger("autodiff.compiler")


def check_backend(backend: str) -> None:
    """Raise unless there is such a back end, and what it needs is installed."""
    if backend not in BACKENDS:
        raise ArgumentError(
            f"compile got backend={backend!r}; there are two: 'numpy', source that runs with NumPy alone, and 'numba', "
            "loops that become machine code."
        )
    if backend == "numba":
        try:
            import_module("numba")
        except ImportError as error:
            raise MissingExtraError("compile(f, backend='numba')", "numba", "numba") from error


MOST = 24
"""More functions than so many would take too long to compile: the rest stays calls of NumPy's."""


class MachineVersion(Version):
    """A :class:`~autodiff.compiler.version.Version` whose small calls are loops."""

    @staticmethod
    def of_tape(found: LevelVersion) -> LevelVersion:
        """What runs a tape of single numbers."""
        return machine_tape(found)

    def printed(
        self, program: Program, title: str, reuse_outputs: bool
    ) -> tuple[str, dict[str, Any], Callable[..., Any]]:
        """Source, what it is given, and what makes its functions; without loops where none can be printed."""
        try:
            return self.looped(program, title, reuse_outputs)
        except Exception as error:  # a program of NumPy calls is right as well
            logger.debug("%s is not made machine code: %r", title, error)
            return super().printed(program, title, reuse_outputs)

    def looped(self, program: Program, title: str, reuse_outputs: bool) -> tuple[str, dict[str, Any], Any]:
        """The same with loops; what Numba refuses stays a call of NumPy's."""
        refused: frozenset[Var] = frozenset()
        while True:
            printer = MachinePrinter(program, title, reuse_outputs, refused)
            many = list(printer.functions.values())[MOST:]
            if many:
                refused = refused.union(*[outs for _, outs in many])
                continue
            source = printer.source()
            found: list[Var] = []
            for damaged in (False, True):  # what is found on disk may be
                namespace = loaded(source, printer.given, title, damaged)
                found = [v for name, types in printer.functions.items() for v in refusing(namespace[name], *types)]
                if not found:
                    return source, printer.given, namespace["make"]
            refused = refused.union(found)


BACKENDS: dict[str, type[Version]] = {"numpy": Version, "numba": MachineVersion}


def refusing(function: Any, types: list[Any], outs: list[Var]) -> list[Var]:
    """Compile a function for arguments like ``types``; ``outs`` if that is not possible."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function.compile(tuple([numba_type(x) for x in types]))
    except Exception as error:  # Numba has many, and some that are not its own
        logger.debug("%s is not made machine code: %s", function.__name__, str(error).partition("\n")[0])
        return outs
    return []


def numba_type(x: Any) -> Any:
    """What Numba calls a variable, or a constant array, as it is most likely to lie in memory."""
    import numba

    given: Any = numba
    from_dtype, typeof, types = given.from_dtype, given.typeof, given.types

    if not isinstance(x, Var):
        return types.intp if isinstance(x, int) else typeof(x)
    if not x.shape:
        return from_dtype(x.dtype) if x.dtype is not None else typeof(x.kind())
    return types.Array(from_dtype(x.dtype), len(x.shape), "C")
