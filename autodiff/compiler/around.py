"""What stands around a function while it is being compiled: it may be used by ops, and in no other way."""

from __future__ import annotations

import contextlib
import operator
import random
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..core.errors import CompileError
from ..core.modes import compiler
from ..core.node import Node
from ..core.source import Line, is_users
from ..tensor import Tensor
from ..value import Value
from .guards import met_by
from .recorded import OutsideTensor, OutsideValue, RecordedTensor, RecordedValue, is_alive

GUARDED: dict[type[Node], type[Node]] = {Tensor: OutsideTensor, Value: OutsideValue}


@contextlib.contextmanager
def guarding(f: Callable[..., Any], static: Iterable[Any] = ()) -> Iterator[None]:
    """Refuse, while ``f`` is recorded inside, that it reads the numbers of leaves or draws with generators of NumPy.

    Raises
    ------
    CompileError
        At the end, if random numbers were drawn that no op drew.
    """
    met, scopes = met_by(f, static)
    arrays = [x for x in met if isinstance(x, np.ndarray) and x.flags.writeable]
    leaves = list({id(x): x for x in met if isinstance(x, Node) and x.__class__ in GUARDED}.values())
    for x in leaves:
        x.__class__ = GUARDED[x.__class__]
    before = states(met)
    for array in arrays:
        array.flags.writeable = False
    scopes = [scope for scope in scopes if "isinstance" not in scope]
    for scope in scopes:
        scope["isinstance"] = is_of_kind
    try:
        yield
    except (TypeError, ValueError) as error:
        if isinstance(error.__cause__, CompileError):  # NumPy says no more than that a[0] = t did not work
            raise error.__cause__ from None
        if arrays and "read-only" in str(error):
            raise CompileError(WRITTEN.format(line_of(error))) from error
        raise
    finally:
        for array in sorted(arrays, key=lambda x: x.base is not None):  # what owns its memory first
            array.flags.writeable = True
        for x in leaves:
            x.__class__ = Tensor if isinstance(x, Tensor) else Value
        for scope in scopes:
            del scope["isinstance"]
    for (name, state), (_, found) in zip(before, states(met), strict=False):
        if state != found:
            raise CompileError((TAKEN if name.startswith("the iterator") else DRAWN).format(name))


def is_of_kind(x: Any, kinds: Any) -> bool:
    """``isinstance`` in what is compiled: a plain array is a tensor there, and shall not be found out to be one."""
    compiling = compiler()
    recorded = isinstance(x, RecordedTensor | RecordedValue)
    if compiling is not None and recorded and is_alive(x) and compiling.is_plain(x):
        x = x._data[()] if isinstance(x, Tensor) and not x.ndim else x._data
    return isinstance(x, kinds)


WRITTEN = (
    "A plain array from outside was written into while compiling ({}). The compiled function would not write into it. "
    "Write into a copy, or return the new array."
)
DRAWN = (
    "The function drew from {} while it was compiled, and would go on with these numbers. Draw with ad.random, which "
    "takes the same rng=, or draw outside and pass the numbers as an argument."
)
TAKEN = (
    "The function took what comes next from {} while it was compiled, and would go on with that. Take it outside and "
    "pass it as an argument."
)


def line_of(error: BaseException) -> Line:
    """The innermost line of the user's program that an error went through."""
    lines = [(frame, number) for frame, number in traceback.walk_tb(error.__traceback__) if is_users(frame)]
    frame, number = lines[-1]
    return Line(frame.f_code.co_filename, number)


def state_of(iterator: Any) -> str:
    """How far an iterator has come, as far as it can be told."""
    frame = getattr(iterator, "gi_frame", None)
    return f"{operator.length_hint(iterator, -1)} {iterator!r} {frame and frame.f_lasti}"


def states(met: list[Any]) -> list[tuple[str, Any]]:
    """The states of generators, and of the two that everybody shares unless another thread may be drawing from them."""
    found = [("a NumPy generator", str(x.bit_generator.state)) for x in met if isinstance(x, np.random.Generator)]
    found += [(f"the iterator {type(x).__name__}", state_of(x)) for x in met if isinstance(x, Iterator)]
    if threading.active_count() > 1:
        return found
    shared = str(np.random.get_state(legacy=False))  # noqa: NPY002 - asked, not used
    return [*found, ("np.random", shared), ("Python's random", random.getstate())]
