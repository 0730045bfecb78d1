"""The program: a recorded tape as a list of NumPy calls, each of which gives a new variable its value.

Everything between recording and printing is a function from :class:`Program` to :class:`Program`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..core.source import Place
from ..ops.into import INTO
from .arguments import leaves, mapped


@dataclass(eq=False, slots=True)
class Var:
    """A variable of a program: it gets its value once.

    Attributes
    ----------
    name : str
        What it is called where it is printed; made unique there.
    kind : type
        ``np.ndarray``, a NumPy scalar type, or any other class of Python's.
    shape, dtype
        Of an array or a number; ``()`` and None for anything else.
    order : tuple of int
        The axes of an array from the longest stride to the shortest, as a buffer for it should have them.
    named : bool
        Whether the user's program calls it so.
    cotangent_of : Var or None
        What it is the cotangent of, after which it is called then.
    """

    name: str
    kind: type
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] | None = None
    order: tuple[int, ...] = ()
    named: bool = False
    cotangent_of: Var | None = None

    @property
    def is_array(self) -> bool:
        """Whether it is an array that could be written into."""
        return self.kind is np.ndarray

    def __repr__(self) -> str:
        return self.name


def var_like(value: Any, name: str) -> Var:
    """A variable for values like ``value``."""
    if isinstance(value, np.ndarray):
        order = sorted(range(value.ndim), key=lambda axis: -abs(value.strides[axis]))
        contiguous = value.flags.c_contiguous
        return Var(name, np.ndarray, value.shape, value.dtype, tuple(range(value.ndim)) if contiguous else tuple(order))
    return Var(name, type(value), (), getattr(value, "dtype", None))


@dataclass(frozen=True, slots=True)
class Function:
    """What an instruction calls.

    Attributes
    ----------
    kind : str
        How it is written: ``"ufunc"`` as ``np.add(a, b)`` or ``a + b``, ``"reduce"`` as ``np.add.reduce(a)``,
        ``"numpy"`` as ``np.dot(a, b)``, ``"method"`` as ``a.dot(b)``, ``"attribute"`` as ``a.T``, ``"item"`` as
        ``a[k]``, ``"part"`` as the part ``a[k]`` of a tuple, ``"joined"`` as a statement for each part,
        ``"named"`` by its own name.
    name : str
    call : callable
        What it does: takes the arguments of the instruction.
    pure : bool
        Whether two calls with equal arguments give equal results: not where random numbers are drawn.
    """

    kind: str
    name: str
    call: Callable[..., Any]
    pure: bool = True

    @property
    def into(self) -> Callable[..., Any] | None:
        """The form of a named function that writes its result into an array, if it has one."""
        return INTO.get(self.call) if self.kind == "named" else None

    @property
    def fresh(self) -> bool:
        """Whether the result is certain to be memory of its own, and not a view of an argument."""
        if self.kind == "named":
            return self.into is not None
        return self.kind in ("ufunc", "reduce", "joined") or self.name in FRESH


FRESH = frozenset(["array", "concatenate", "copy", "dot", "matmul", "ones_like", "stack", "zeros_like"])


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """``out = function(*args, **options)``.

    Arguments are variables and constants, and tuples, lists and slices of them.  Where it is ``silent``, infinities and
    nan are answers, of which NumPy shall not warn.
    """

    function: Function
    args: tuple[Any, ...]
    options: dict[str, Any]
    out: Var
    place: Place | None = None
    silent: bool = False

    @property
    def reads(self) -> list[Var]:
        """The variables that it needs, in order; one that it needs twice comes twice."""
        return list(variables((self.args, self.options)))

    def compute(self, values: dict[Var, Any]) -> Any:
        """Its result, given the values of variables."""
        args, options = substitute((self.args, self.options), values.__getitem__)
        return self.function.call(*args, **options)

    def with_args(self, change: Callable[[Var], Any]) -> Instruction:
        """The same with every variable it reads replaced."""
        args, options = substitute((self.args, self.options), change)
        return replace(self, args=args, options=options)


@dataclass(slots=True)
class Program:
    """Straight-line code: instructions in order, from inputs to outputs.

    ``split`` is the number of instructions that run forward, where a backward part follows that runs later; its own
    inputs are ``cotangents``.  Of the outputs the first ``results`` are there after the forward part.
    """

    inputs: list[Var]
    instructions: list[Instruction]
    outputs: list[Any]
    cotangents: list[Var] = field(default_factory=list)
    split: int | None = None
    results: int | None = None
    sources: list[int] = field(default_factory=list)
    """Of the outputs after those, the gradients: the positions of the inputs that they belong to."""
    finite: list[Var] = field(default_factory=list)
    """Variables that the program was recorded on the promise of being finite: where one is not, it does not hold."""
    broken: bool = False
    """Whether it never holds, since one of them is a constant that is not finite."""

    @property
    def draws(self) -> list[Var]:
        """The random numbers that the forward part draws."""
        return [i.out for i in self.instructions[: self.split] if not i.function.pure]

    @property
    def needed_later(self) -> list[Var]:
        """What the backward part reads."""
        later = [] if self.split is None else self.instructions[self.split :]
        return list(dict.fromkeys(v for i in later for v in i.reads))

    def __str__(self) -> str:
        lines = [f"{i.out} = {i.function.name}{i.args!r} {i.options or ''}".rstrip() for i in self.instructions]
        return "\n".join([f"inputs {self.inputs + self.cotangents}", *lines, f"outputs {self.outputs}"])

    def run(self, *args: Any) -> list[Any]:
        """Interpret it, line by line."""
        values = dict(zip([*self.inputs, *self.cotangents], args, strict=True))
        for instruction in self.instructions:
            values[instruction.out] = instruction.compute(values)
        return [values[y] if isinstance(y, Var) else y for y in self.outputs]

    def rewritten(self, instructions: Sequence[Instruction | None], change: dict[Var, Any]) -> Program:
        """The program with other instructions, None where one is dropped, and outputs replaced by ``change``."""
        return self.replaced([[] if i is None else [i] for i in instructions], change)

    def replaced(self, blocks: Sequence[Sequence[Instruction]], change: dict[Var, Any]) -> Program:
        """The program with any number of instructions in the place of each, and outputs replaced by ``change``."""
        split = self.split if self.split is None else sum(map(len, blocks[: self.split]))
        new = replace(self, instructions=[i for block in blocks for i in block], split=split)
        new.outputs = substitute(self.outputs, lambda v: change.get(v, v))
        finite = [change.get(v, v) for v in self.finite]
        new.finite = list(dict.fromkeys([f for f in finite if isinstance(f, Var)]))
        new.broken = self.broken or not all(np.all(np.isfinite(f)) for f in finite if not isinstance(f, Var))
        return new


def variables(tree: Any) -> Iterator[Var]:
    """The variables in nested arguments."""
    return (x for x in leaves(tree) if isinstance(x, Var))


def substitute(tree: Any, change: Callable[[Var], Any]) -> Any:
    """Nested arguments with every variable replaced."""
    return mapped(lambda x: change(x) if isinstance(x, Var) else x, tree)
