"""Arrays that are made of parts: the rows that a loop computes one by one, the pieces that gradients of slices fill.

Where each part has a place of its own, it is computed right there, and joining them takes no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .program import Function, Instruction, Var


def join(parts: Sequence[Any], keys: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Zeros, with each part added at its key."""
    whole = np.zeros(shape, np.result_type(*parts))
    for part, key in zip(parts, keys, strict=True):
        whole[key] += part
    return whole


JOIN = Function("joined", "join", join)


def is_basic(key: Any) -> bool:
    """Whether a key is made of integers and slices of constants, so that it selects no entry twice."""
    return all(
        type(k) is int or (isinstance(k, slice) and all(b is None or type(b) is int for b in (k.start, k.stop, k.step)))
        for k in (key if type(key) is tuple else (key,))
    )


def writing(keys: Sequence[Any], shape: tuple[int, ...]) -> tuple[list[str], bool]:
    """How each part is written, ``"="`` or ``"+="``, and whether zeros must be there before."""
    written = np.zeros(shape, bool)
    how, zeros = [], False
    for key in keys:
        before = written[key]
        how.append("+=" if np.any(before) else "=")
        zeros = zeros or bool(np.any(before) and not np.all(before))
        written[key] = True
    return how, zeros or not bool(np.all(written))


def is_puzzle(keys: Sequence[Any], shape: tuple[int, ...]) -> bool:
    """Whether keys cut an array into parts that fill it and do not overlap."""
    if all(type(k) is int for k in keys):
        return sorted(keys) == list(range(shape[0]))
    how, zeros = writing(keys, shape)
    return not zeros and set(how) == {"="}


def rows_joined(parts: Sequence[Any]) -> Instruction:
    """The instruction that makes an array whose rows are ``parts``, which are of one shape and dtype."""
    first = next(p for p in parts if isinstance(p, Var))
    name = first.name if first.cotangent_of is None else f"g_{first.cotangent_of.name}"
    shape = (len(parts), *first.shape)
    out = Var(f"{name}_rows", np.ndarray, shape, first.dtype, tuple(range(len(shape))))
    return Instruction(JOIN, (list(parts),), {"keys": tuple(range(len(parts))), "shape": shape}, out)
