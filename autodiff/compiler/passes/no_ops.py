"""What changes nothing is left out."""

from __future__ import annotations

from typing import Any

from ..joined import JOIN, is_basic
from ..program import Instruction, Program, Var
from .constants import is_filled


def drop_no_ops(program: Program) -> Program:
    """Drop what changes nothing: ``x * 1``, ``x + 0``, ``+x``, ``x.T.T``, reshapes and casts to what it is."""
    change: dict[Var, Any] = {}
    makers: dict[Var, Instruction] = {}
    kept: list[Instruction | None] = []
    for instruction in program.instructions:
        instruction = instruction.with_args(lambda v: change.get(v, v))
        same = unchanged(instruction, makers)
        if same is None:
            makers[instruction.out] = instruction
            kept.append(instruction)
        else:
            change[instruction.out] = same
            kept.append(None)
    return program.rewritten(kept, change)


def unchanged(instruction: Instruction, makers: dict[Var, Instruction]) -> Var | None:
    """The variable that an instruction gives back as it is, if it does."""
    name, args, out = instruction.function.name, instruction.args, instruction.out
    if not args or instruction.options.get("where", True) is not True:
        return None
    x = args[0]
    if instruction.function.kind == "ufunc" and len(args) == 2:
        if name in ("multiply", "add") and not isinstance(x, Var):
            x, args = args[1], args[::-1]
        neutral = {"multiply": 1, "divide": 1, "add": 0, "subtract": 0}.get(name)
        if neutral is None or not is_filled(args[1], neutral):
            return None
    elif name in ("T", "mT") and isinstance(x, Var) and x in makers:
        before = makers[x]
        x = before.args[0] if before.function.name == name else None
    elif instruction.function.kind == "item":
        x = x if is_all(args[1]) else None
    elif instruction.function is JOIN:
        keys = instruction.options["keys"]
        in_order = list(keys) == list(range(len(keys)))
        x = taken_apart(args[0], makers) if in_order else x[0] if len(keys) == 1 and is_all(keys[0]) else None
    elif name == "stack" and type(args[0]) in (tuple, list):
        axis = args[1] if len(args) > 1 else instruction.options.get("axis", 0)
        x = taken_apart(args[0], makers) if axis == 0 else None
    elif name == "transpose":
        x = x if len(args) > 1 and is_in_order(args[1]) else None
    elif name == "real":
        x = x if out.dtype is not None and out.dtype.kind == "f" else None
    elif name not in ("positive", "reshape", "ravel", "astype", "broadcast_to", "copy", "asarray"):
        return None
    if not isinstance(x, Var) or (x.kind, x.shape, x.dtype) != (out.kind, out.shape, out.dtype):
        return None
    if name == "copy" and x.order != out.order:
        return None
    return x


def is_all(key: Any) -> bool:
    """Whether a key takes slices in their order, so that it takes everything if the shape stays the same."""
    keys = key if type(key) is tuple else (key,)
    return is_basic(key) and all(isinstance(k, slice) and (k.step is None or k.step > 0) for k in keys)


def taken_apart(parts: Any, makers: dict[Var, Instruction]) -> Any:
    """The array that ``parts`` are all the rows of, in order; None if there is none."""
    rows = [makers.get(p) if isinstance(p, Var) else None for p in parts]
    if any(row is None or row.function.kind != "item" for row in rows):
        return None
    whole = {row.args[0] for row in rows if row is not None}
    keys = [row.args[1] for row in rows if row is not None]
    keys = [key[0] if type(key) is tuple and len(key) == 1 else key for key in keys]
    (x, *others) = whole
    return x if not others and keys == list(range(x.shape[0])) else None


def is_in_order(axes: Any) -> bool:
    """Whether a transposition leaves every axis where it is."""
    return isinstance(axes, tuple | list) and list(axes) == list(range(len(axes)))
