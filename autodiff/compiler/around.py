"""What stands around a function while it is being compiled: it may be used by ops, and in no other way."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core.errors import CompileError
from ..core.node import Node
from ..tensor import Tensor
from ..value import Value
from .guards import met_by
from .recorded import OutsideTensor, OutsideValue

GUARDED: dict[type[Node], type[Node]] = {Tensor: OutsideTensor, Value: OutsideValue}


@contextlib.contextmanager
def guarding(f: Callable[..., Any]) -> Iterator[None]:
    """Refuse, while ``f`` is recorded inside, that it reads the numbers of leaves or draws with generators of NumPy.

    Raises
    ------
    CompileError
        At the end, if random numbers were drawn that no op drew.
    """
    met = met_by(f)
    leaves = list({id(x): x for x in met if isinstance(x, Node) and x.__class__ in GUARDED}.values())
    for x in leaves:
        x.__class__ = GUARDED[x.__class__]
    before = states(met)
    try:
        yield
    except (TypeError, ValueError) as error:
        if isinstance(error.__cause__, CompileError):  # NumPy says no more than that a[0] = t did not work
            raise error.__cause__ from None
        raise
    finally:
        for x in leaves:
            x.__class__ = Tensor if isinstance(x, Tensor) else Value
    for (name, state), (_, found) in zip(before, states(met), strict=False):
        if state != found:
            raise CompileError(
                f"The function drew from {name} while it was compiled, and would go on with these numbers. Draw with "
                "ad.random, which takes the same rng=, or draw outside and pass the numbers as an argument."
            )


def states(met: list[Any]) -> list[tuple[str, Any]]:
    """The states of generators, and of the two that everybody shares unless another thread may be drawing from them."""
    found = [("a NumPy generator", str(x.bit_generator.state)) for x in met if isinstance(x, np.random.Generator)]
    if threading.active_count() > 1:
        return found
    shared = str(np.random.get_state(legacy=False))  # noqa: NPY002 - asked, not used
    return [*found, ("np.random", shared), ("Python's random", random.getstate())]
