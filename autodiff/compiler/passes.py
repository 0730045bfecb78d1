"""Passes: each is a small function from a program to one that computes the same with less."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .program import Function, Instruction, Program, Var, variables

Pass = Callable[[Program], Program]


def drop_dead(program: Program) -> Program:
    """Drop what no output depends on."""
    needed = set(variables(program.outputs))
    kept: list[Instruction | None] = []
    for instruction in reversed(program.instructions):
        if instruction.out in needed:
            needed.update(instruction.reads)
            kept.append(instruction)
        else:
            kept.append(None)
    program = program.rewritten(kept[::-1], {})
    program.finite = [v for v in program.finite if v in needed]
    return program


def fold_constants(program: Program) -> Program:
    """Compute now what depends on constants alone."""
    change: dict[Var, Any] = {}
    kept: list[Instruction | None] = []
    for instruction in program.instructions:
        instruction = instruction.with_args(lambda v: change.get(v, v))
        if instruction.function.name == "power" and is_filled(instruction.args[1], 0):
            change[instruction.out] = np.ones(instruction.out.shape, instruction.out.dtype)[()]
            kept.append(None)
        elif instruction.function.name in FILLED and instruction.out.is_array:
            change[instruction.out] = filled(instruction)
            kept.append(None)
        elif instruction.reads or not instruction.function.pure:
            kept.append(instruction)
        else:
            change[instruction.out] = instruction.compute({})
            kept.append(None)
    return program.rewritten(kept, change)


FILLED = {"zeros_like": 0, "ones_like": 1}
"""What depends on the shape of its argument alone."""


def filled(instruction: Instruction) -> Any:
    """The constant that one of :data:`FILLED` gives, laid out as its argument is."""
    out = instruction.out
    shape = [out.shape[axis] for axis in out.order]
    array = np.full(shape, FILLED[instruction.function.name], out.dtype)
    return array.transpose([out.order.index(axis) for axis in range(len(out.order))])


def share_equal_lines(program: Program) -> Program:
    """Compute once what is computed twice."""
    change: dict[Var, Any] = {}
    first: dict[Any, Var] = {}
    kept: list[Instruction | None] = []
    for instruction in program.instructions:
        instruction = instruction.with_args(lambda v: change.get(v, v))
        function = instruction.function
        called = id(function.call) if function.kind == "named" else function.name
        key = (function.kind, called, identity((instruction.args, instruction.options)))
        same = first.setdefault(key, instruction.out) if function.pure else instruction.out
        if same is instruction.out:
            kept.append(instruction)
        else:
            change[instruction.out] = same
            kept.append(None)
    return program.rewritten(kept, change)


def identity(tree: Any) -> Any:
    """A key that is equal for arguments that are certain to be equal."""
    if isinstance(tree, tuple | list):
        return (type(tree), *map(identity, tree))
    if isinstance(tree, dict):
        return tuple([(key, identity(branch)) for key, branch in tree.items()])
    if isinstance(tree, slice):
        return (slice, identity(tree.start), identity(tree.stop), identity(tree.step))
    if isinstance(tree, int | float | complex | str | bytes | np.dtype | np.generic | None):
        return (type(tree), repr(tree))  # 0.0 and -0.0 are equal, and not the same
    return id(tree)


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
    elif name == "stack" and type(args[0]) in (tuple, list):
        axis = args[1] if len(args) > 1 else instruction.options.get("axis", 0)
        x = taken_apart(args[0], makers) if axis == 0 else None
    elif name == "transpose":
        x = x if len(args) > 1 and is_in_order(args[1]) else None
    elif name not in ("positive", "reshape", "ravel", "astype", "broadcast_to", "copy", "asarray"):
        return None
    if not isinstance(x, Var) or (x.kind, x.shape, x.dtype) != (out.kind, out.shape, out.dtype):
        return None
    if name == "copy" and x.order != out.order:
        return None
    return x


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


def is_filled(x: Any, number: int) -> bool:
    """Whether ``x`` is a constant that holds nothing but ``number``."""
    if isinstance(x, Var):
        return False
    return isinstance(x, int | float | np.ndarray | np.generic) and bool(np.size(x)) and bool(np.all(x == number))


def spell_plainly(program: Program) -> Program:
    """Call NumPy's reductions directly, without the Python functions around them."""
    return program.rewritten([plainly(i) for i in program.instructions], {})


DOT = Function("method", "dot", lambda a, b: a.dot(b))  # the method takes three quarters of the function's time
MATMUL = Function("ufunc", "matmul", np.matmul)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a variable or a constant."""
    return x.shape if isinstance(x, Var) else np.shape(x)


def plainly(instruction: Instruction) -> Instruction:
    """``np.sum(x)`` as ``np.add.reduce(x)``, ``np.transpose(x)`` as ``x.T``, and so on.

    What the row of ``matmul`` adds to NumPy's are words for an error, which an eager call will find.
    """
    function, args = instruction.function, instruction.args
    if function.name == "transpose" and (args[1:] or tuple(instruction.options.values()) or (None,)) in (
        (None,),
        ((),),
    ):
        call = Function("attribute", "T", operator.attrgetter("T"))
        return replace(instruction, function=call, args=args[:1], options={})
    if function.name == "matmul" and not instruction.options:  # on small matrices dot takes half the time
        matrices = all(len(shape_of(x)) == 2 for x in args) and isinstance(args[0], Var | np.ndarray)
        return replace(instruction, function=DOT if matrices else MATMUL)
    if function.name == "dot" and isinstance(args[0], Var | np.ndarray):
        return replace(instruction, function=DOT)
    if function.kind == "reduce":
        return replace(
            instruction, options={k: v for k, v in instruction.options.items() if v is not None or k == "axis"}
        )
    if function.kind not in ("numpy", "method") or not args:
        return instruction
    reduced = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}.get(function.name)
    if reduced is None or not isinstance(args[0], Var) or args[0].dtype is None:
        return instruction
    options = {"axis": None, **instruction.options}
    options |= dict(zip(("axis",), args[1:2]))
    if args[2:] or not options.keys() <= {"axis", "keepdims"} or args[0].dtype.kind in "biu":
        return instruction
    options = {key: value for key, value in options.items() if key == "axis" or value is not False}
    call = Function("reduce", reduced.__name__, reduced.reduce)
    return replace(instruction, function=call, args=args[:1], options=options)


def promise_less(program: Program) -> Program:
    """Ask of fewer and smaller variables whether they are finite: what an infinity would have spread to says it too."""
    split = len(program.instructions) if program.split is None else program.split
    position = {i.out: k for k, i in enumerate(program.instructions)}
    says: dict[Var, Var] = {}
    """For each variable one that is sure not to be finite either."""

    def cheapest(v: Var, others: list[Var]) -> Var:
        return min([v, *others], key=lambda w: (math.prod(w.shape) // FEW, -position.get(w, -1)))

    reached: dict[Var, list[Var]] = {}
    for k, i in reversed(list(enumerate(program.instructions))):
        says[i.out] = cheapest(i.out, reached.get(i.out, []))
        for v in i.reads:
            # The forward part must find out for itself.
            if (position.get(v, -1) < split) == (k < split) and spreads(i, v):
                reached.setdefault(v, []).append(says[i.out])
    new = program.rewritten(program.instructions, {})
    new.finite = list(dict.fromkeys(says.get(v, v) for v in program.finite))
    return new


FEW = 64
"""Looking at so many numbers takes no longer than looking at one."""
LINEAR = frozenset(["add", "subtract", "multiply", "negative"])
SHAPES = frozenset(["reshape", "ravel", "T", "mT", "transpose", "broadcast_to", "copy"])


def spreads(instruction: Instruction, v: Var) -> bool:
    """Whether the result is sure to have an infinity or a nan if ``v`` has one anywhere."""
    function, args = instruction.function, instruction.args
    if 0 in instruction.out.shape:
        return False
    if function.kind == "reduce":
        return function.name == "add" and set(instruction.options) <= {"axis", "keepdims"}
    if function.kind == "ufunc" and function.name in LINEAR:
        return not instruction.options
    if function.name == "dot" and len(args) == 2 and args[1] is v and len(v.shape) == 2:
        return not isinstance(args[0], Var) and bool(np.all(args[0] != 0))
    if function.name in ("stack", "concatenate"):
        return any(a is v for a in variables(args))
    if function.name == "scatter_add":
        key = instruction.options["key"]
        return args[0] is v and all(isinstance(k, slice | int) for k in (key if type(key) is tuple else (key,)))
    return function.name in SHAPES and args[0] is v


PASSES: tuple[Pass, ...] = (
    drop_dead,
    fold_constants,
    drop_no_ops,
    share_equal_lines,
    spell_plainly,
    drop_dead,
    promise_less,
)


def simplify(program: Program) -> Program:
    """All passes, in order."""
    for change in PASSES:
        program = change(program)
    return program
