"""Large constants that hold one number become narrow: broadcasting repeats them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..program import Instruction, Program, Var

MOST = 3 * 2**16
"""Bytes up to which a constant stays as it is: a core's own cache holds it."""
LEAST = 2**8
"""Numbers that stay side by side: beside fewer NumPy is slow, and beside a single one slower."""


def narrow_constants(program: Program) -> Program:
    """Give large constants that hold one number a length of 1 along their outer axes, where entries meet entries."""
    return program.rewritten([narrowed(i) for i in program.instructions], {})


def narrowed(i: Instruction) -> Instruction:
    """An instruction with narrow constants."""
    entrywise = i.function.kind == "ufunc" and getattr(i.function.call, "signature", "") is None
    if not entrywise or not any(isinstance(a, Var) and a.shape == i.out.shape for a in i.args):
        return i
    return replace(i, args=tuple([narrow(a, i.out) if isinstance(a, np.ndarray) else a for a in i.args]))


def narrow(a: Any, out: Var) -> Any:
    """A constant, if it is large and holds one number, without more of it than the inner axes of ``out`` need."""
    if a.shape != out.shape or a.nbytes <= MOST or a.tobytes() != a[(0,) * a.ndim].tobytes() * a.size:
        return a
    for axis in out.order:
        inner = a[(slice(None),) * axis + (slice(1),)]
        if a.nbytes <= MOST or inner.size < LEAST:
            break
        a = inner
    return a.copy("K")
