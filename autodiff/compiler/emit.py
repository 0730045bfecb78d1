"""Printing a program as Python source."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ..core.source import Place
from .buffers import Buffer, Plan, plan_buffers, shape_key, takes_out
from .joined import JOIN, writing
from .literals import dtype_text, kind_of, literal, number, stem_of
from .naming import Names
from .owned import COPY
from .program import Function, Instruction, Program, Var, variables
from .views import Views

INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "floor_divide": "//",
    "remainder": "%",
    "matmul": "@",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
WIDTH = 116


class Printer:
    """Prints one program.

    Attributes
    ----------
    given : dict of str to object
        Constants that are no text: the source has to be run with these in its namespace.
    """

    def __init__(self, program: Program, title: str, reuse_outputs: bool = False, plan: Plan | None = None) -> None:
        self.program = program
        self.title = title
        # What was drawn cannot be computed again, so a second sweep must find all that it needs.
        keep = program.needed_later if program.draws else ()
        self.plan = plan_buffers(program, keep, reuse_outputs) if plan is None else plan
        self.rooms = rooms_of(program)
        self.names = Names()
        self.constants: dict[str, Any] = {}
        self.given: dict[str, Any] = {}
        self._constant_ids: dict[int, str] = {}
        self.inline: dict[Var, Instruction] = {}
        self.hoisted: set[Var] = set()
        self.views = Views(self.plan)
        self.nested: dict[Var, Instruction] = {}
        self.uses = Counter(v for i in program.instructions for v in i.reads)
        self.uses.update(variables(program.outputs))
        self._choose_names()

    def _choose_names(self) -> None:
        program, plan = self.program, self.plan
        for i in program.instructions:
            if i.function.kind == "named":
                self.head(i.function, i.out in plan.place or i.out in self.rooms)
        self.names.assign([*program.inputs, *program.cotangents])
        for i in program.instructions:
            kind, name, single = i.function.kind, i.function.name, self.uses[i.out] == 1 and len(i.reads) == 1
            if self.views.take(i):
                self.hoisted.add(i.out)
            elif name in ("T", "mT") or (single and (kind == "item" or name == "array")):
                self.inline[i.out] = i
        split = len(program.instructions) if program.split is None else program.split
        early = {i.out for i in program.instructions[:split]}
        heads = {v: best_name(chain, early) for b in plan.buffers for chain in b.chains for v in chain}
        self.names.assign([i.out for i in program.instructions if i.out not in self.inline], heads)

    # Expressions.

    def text(self, tree: Any) -> str:
        """An argument as source."""
        if isinstance(tree, Var):
            if tree in self.inline:
                return self.expression(self.inline[tree])
            if tree in self.nested:
                return self.expression(self.nested[tree], self.names.of[tree] if tree in self.plan.place else None)
            return self.names.of[tree]
        if tree is None or tree is True or tree is False or isinstance(tree, str | bytes):
            return repr(tree)
        if tree is Ellipsis:
            return "..."
        if type(tree) in (int, float):
            return number(tree)
        if type(tree) is complex:
            plain = np.isfinite(tree) and "-0" not in repr(tree).replace("-0.", "")  # Python reads 1-0j as 1+0j
            return repr(tree) if plain else self.constant(tree)
        if isinstance(tree, np.dtype):
            return dtype_text(tree)
        if isinstance(tree, type) and issubclass(tree, np.generic):
            return f"np.{tree.__name__}"
        if type(tree) is tuple:
            return f"({', '.join(map(self.text, tree))}{',' * (len(tree) == 1)})"
        if type(tree) is list:
            return f"[{', '.join(map(self.text, tree))}]"
        if isinstance(tree, slice):
            return f"slice({', '.join(map(self.text, (tree.start, tree.stop, tree.step)))})"
        if isinstance(tree, np.ufunc):
            return f"np.{tree.__name__}"
        return self.constant(tree)

    def constant(self, value: Any) -> str:
        """The name of a constant that is defined above the functions."""
        name = self._constant_ids.get(id(value))
        if name is None:
            name = self.names.unused(stem_of(value))
            self._constant_ids[id(value)] = name
            self.constants[name] = value
        return name

    def operand(self, tree: Any) -> str:
        """An argument of an operator."""
        text = self.text(tree)
        return f"({text})" if (re.search(r"[ ]", text) and not text.endswith((")", "]"))) or text[0] == "-" else text

    def key(self, key: Any) -> str:
        """What stands between brackets."""
        parts = key if type(key) is tuple and key else (key,)
        text = ", ".join(self._slice(p) if isinstance(p, slice) else self.text(p) for p in parts)
        return f"{text}," if type(key) is tuple and len(key) == 1 else text

    def _slice(self, s: slice) -> str:
        start, stop, step = ("" if x is None else self.text(x) for x in (s.start, s.stop, s.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")

    def expression(self, i: Instruction, out: str | None = None) -> str:
        """The right-hand side of an instruction."""
        function, args = i.function, i.args
        if function.kind == "ufunc" and function.name in INFIX and out is None and not i.options and len(args) == 2:
            return f"{self.operand(args[0])} {INFIX[function.name]} {self.operand(args[1])}"
        if function.kind == "operator":
            if len(args) == 1:
                return f"{function.name}{self.operand(args[0])}"
            return f"{self.operand(args[0])} {function.name} {self.operand(args[1])}"
        if function.kind == "attribute":
            return f"{self.operand(args[0])}.{function.name}"
        if function.kind == "item":
            return f"{self.operand(args[0])}[{self.key(args[1])}]"
        if function.kind == "part":
            return f"{self.operand(args[0])}[{args[1]}]"
        head, rest = self.head(function, out is not None), args
        if function.kind == "method":
            head, rest = f"{self.operand(args[0])}.{function.name}", args[1:]
        given = [*map(self.text, rest), *(f"{key}={self.text(value)}" for key, value in i.options.items())]
        given += [] if out is None else [f"out={out}"]
        return f"{head}({', '.join(given)})"

    def head(self, function: Function, has_out: bool) -> str:
        """What is called."""
        if function.kind == "reduce":
            return f"np.{function.name}.reduce"
        if function.kind == "named":
            return self.constant(function.into if has_out else function.call)
        return f"np.{function.name}"

    # Lines.

    def lines(self, i: Instruction) -> list[str]:
        """The statements of an instruction; none where it is written elsewhere."""
        if i.out in self.inline or i.out in self.hoisted or i.out in self.nested:
            return []
        into = self.names.of[i.out]
        if i.function is JOIN:
            return self.joining(i, into)
        if i.out in self.rooms:
            return [f"np.copyto({into}, {self.text(i.args[0])})" if i.function is COPY else self.expression(i, into)]
        if i.out not in self.plan.place:
            return [f"{into} = {self.expression(i)}"]
        return [self.expression(i, into)]

    def joining(self, i: Instruction, into: str) -> list[str]:
        """The statements that write those parts of an array that were not computed in their places."""
        keys, shape, dtype = i.options["keys"], i.options["shape"], i.out.dtype
        assert dtype is not None
        how, zeros = writing(keys, shape)
        at_home = {id(v) for v in variables(i.args) if (home := self.plan.place.get(v)) and home.within is i.out}
        lines = [f"{into}.fill(0)"] if zeros else []
        if i.out not in self.plan.place and i.out not in self.rooms:
            lines = [f"{into} = np.{'zeros' if zeros else 'empty'}({shape}, {dtype_text(dtype)})"]
        parts = [*zip(i.args[0], keys, how, strict=True)]
        if i.out not in self.plan.place and i.out not in self.rooms and starts_as_copy(i):
            lines = [f"{into} = {self.operand(i.args[0][0])}.copy()"]
            parts = parts[1:]
        return lines + [
            f"{into}[{self.key(key)}] {way} {self.text(v)}" for v, key, way in parts if id(v) not in at_home
        ]

    def source(self) -> str:
        """The whole program."""
        program = self.program
        split = len(program.instructions) if program.split is None else program.split
        results = len(program.outputs) if program.results is None else program.results
        forward, backward = program.instructions[:split], program.instructions[split:]
        inputs = [self.names.of[v] for v in program.inputs]
        saved = self._saved(forward, backward)
        body = [f"def forward({', '.join(inputs)}):"]
        body += [f"    nonlocal {', '.join(saved)}"] if saved else []
        body += self.part(forward, program.outputs[:results])
        if program.split is not None:
            given = [self.names.of[v] for v in program.cotangents]
            rooms = [self.names.of[v] for v in self.rooms]
            body += ["", f"def backward({', '.join([*given, *inputs, *['rooms'] * bool(rooms)])}):"]
            body += [f"    {', '.join(rooms)}{',' * (len(rooms) == 1)} = rooms  # where gradients go"] if rooms else []
            body += self.part(backward, program.outputs[results:])
        lines = ["def make():", *[f"    {line}" for line in self._buffers(saved)]]
        lines += ["", *[f"    {line}" if line else "" for line in body]]
        lines += ["", f"    return forward,{' backward' if program.split is not None else ''}"]
        text = "\n".join(lines)
        return self._preamble() + text + "\n"

    def _preamble(self) -> str:
        both = ", forward and backward" if self.program.split is not None else ""
        lines = [f'"""{self.title}{both}, in NumPy."""', ""]
        lines += ["from math import isfinite", ""] if self.program.finite else []
        lines += ["import numpy as np", ""]
        defined = {name: literal(value) for name, value in self.constants.items()}
        lines += [f"{name} = {text}" for name, text in defined.items() if text is not None]
        self.given = {name: self.constants[name] for name, text in defined.items() if text is None}
        lines += [f"# {name} is given: {kind_of(value)}" for name, value in self.given.items()]
        return "\n".join(lines).rstrip() + "\n\n\n"

    def _buffers(self, saved: list[str]) -> list[str]:
        lines = []
        alike: dict[Any, list[Buffer]] = {}
        for buffer in self.plan.buffers:
            if buffer.offset is None:
                alike.setdefault(shape_key(buffer.like), []).append(buffer)
        for buffers in alike.values():
            for some in batched([self.names.of[b.like] for b in buffers], 8):
                lines.append(f"{', '.join(some)} = {empty(buffers[0].like, len(some))}")
        packed = [(b.offset, b.like) for b in self.plan.buffers if b.offset is not None]
        if packed:
            block = self.names.unused("memory")
            lines.append(f"{block} = np.empty({self.plan.block}, np.uint8)  # shared by what is needed at other times")
            lines += [f"{self.names.of[v]} = {within(block, offset, v)}" for offset, v in packed]
        for buffer in self.plan.buffers:
            first, *others = [self.names.of[chain[0]] for chain in buffer.chains]
            lines += [f"{' = '.join(others)} = {first}  # the same memory, one after the other"] if others else []
        lines += self.views.lines(self.names.of, self.key)
        if saved:
            lines.append(f"{' = '.join(saved)} = None")
        return lines

    def _saved(self, forward: list[Instruction], backward: list[Instruction]) -> list[str]:
        """What the backward part needs of the forward part, beside inputs and buffers."""
        made = {i.out for i in forward if i.out not in self.plan.place and i.out not in self.hoisted}
        needed = set()
        pending = self._read_later(backward)
        while pending:
            v = pending.pop()
            if v in self.inline:
                pending += self.inline[v].reads
            elif v in made:
                needed.add(self.names.of[v])
        return sorted(needed)

    def _read_later(self, backward: list[Instruction]) -> list[Var]:
        """The variables that the backward part needs in memory."""
        return [v for i in backward for v in i.reads]

    def part(self, instructions: list[Instruction], outputs: list[Any]) -> list[str]:
        """The body of a function."""
        lines = [*self.block(instructions), *self._check(instructions)]
        if lines and any(i.silent and i.function.kind not in ("item", "attribute", "part") for i in instructions):
            lines = ['    with np.errstate(all="ignore"):', *[f"    {line}" for line in lines]]
        return [*lines, f"    return {self._returned(outputs)}"]

    def block(self, instructions: list[Instruction]) -> list[str]:
        """Statements, each with its shape, under the lines of the user's program that they come from."""
        lines: list[str] = []
        place: Place | None = None
        self._nest(instructions)
        for i in instructions:
            texts = self.lines(i)
            if not texts:
                continue
            *first, text = texts
            lines += [f"    {line}" for line in first]
            notes = [str(i.out.shape)] if i.out.is_array else []
            if i.place is not None and (place is None or i.place.line != place.line):
                place = i.place
                notes.append(str(place.line))
            note = f"  # {'  '.join(notes)}" if notes and len(text) < WIDTH - 20 else ""
            lines.append(f"    {text}{note}"[: max(WIDTH, len(text) + 4)])
        return lines

    def _nest(self, instructions: list[Instruction]) -> None:
        """Write two instructions as one line where only the second needs the first: a number, or what it overwrites."""
        place, nested = self.plan.place, self.nested
        for a, b in pairwise([i for i in instructions if i.out not in self.inline and i.out not in self.hoisted]):
            alone = self.uses[a.out] == b.reads.count(a.out) == 1 and a.out not in self.program.finite
            over = a.out in place and place[a.out] is place.get(b.out) and a.function is not JOIN
            number = issubclass(a.out.kind, np.generic) and b.function.kind in ("ufunc", "operator")
            simple = a.silent == b.silent and on_one_line(a, b) and not any(v in nested for v in a.reads)
            if alone and (over or number) and simple:
                nested[a.out] = a

    def _check(self, instructions: list[Instruction]) -> list[str]:
        made = {i.out for i in instructions}
        checked = [v for v in self.program.finite if v in made]
        if self.program.broken and instructions is not self.program.instructions[:0]:
            return ["    return None  # a 0 may meet an infinity"]
        if not checked:
            return []
        squares = [square_sum(self.operand(v), v) for v in checked]
        condition = [f"    if not isfinite({' + '.join(squares)}):"]
        if len(condition[0]) > WIDTH - 20:
            # Python cannot read thousands of terms with + between them.
            condition = ["    if not isfinite(np.add.reduce([", *[f"        {s}," for s in squares], "    ])):"]
        return [*condition, "        return None  # a 0 may have met an infinity"]

    def _returned(self, outputs: list[Any]) -> str:
        texts = [self.text(y) for y in outputs]
        return ", ".join(texts) if len(texts) > 1 else f"({texts[0]},)" if texts else "()"


def rooms_of(program: Program) -> dict[Var, int]:
    """The gradients that can be written into given arrays, and the positions of the inputs that they belong to."""
    if program.split is None:
        return {}
    makers = {i.out: i for i in program.instructions[program.split :]}
    gradients = zip(program.outputs[program.results :], program.sources, strict=True)
    return {
        y: k
        for y, k in gradients
        if isinstance(y, Var) and y in makers and y.is_array and y.order == tuple(range(len(y.shape)))
        if makers[y].function in (COPY, JOIN) or takes_out(makers[y])
    }


def on_one_line(a: Instruction, b: Instruction) -> bool:
    """Whether two instructions come of one line of the user's program."""
    return (a.place and a.place.line) == (b.place and b.place.line)


def batched(names: list[str], n: int) -> Iterator[list[str]]:
    """Lists of at most ``n`` names."""
    return (names[k : k + n] for k in range(0, len(names), n))


def best_name(chain: list[Var], early: set[Var]) -> Var:
    """Whose name a buffer bears: what the user calls so, or the last result of the forward part, or the last."""
    forward = [v for v in chain if v in early] or chain
    return next((v for v in reversed(forward) if v.named), forward[-1])


def starts_as_copy(i: Instruction) -> bool:
    """Whether the first part of a joined array is of its size, so that the rest is added to a copy of that."""
    part, key = i.args[0][0], i.options["keys"][0]
    if key != slice(None) or (part.shape, part.dtype) != (i.out.shape, i.out.dtype):
        return False
    return part.order == i.out.order if isinstance(part, Var) else bool(part.flags.c_contiguous)


def square_sum(name: str, v: Var) -> str:
    """A sum that is finite only if every entry of an array is."""
    order = "" if v.order == tuple(range(len(v.shape))) else '"K"'
    flat = name if len(v.shape) == 1 else f"{name}.ravel({order})"
    total = f"{flat}.dot({flat})" if v.shape else name
    return total if v.shape and v.dtype is not None and v.dtype.kind != "c" else f"abs({total})"


def empty(v: Var, n: int) -> str:
    """The allocation of ``n`` buffers; taken apart it gives one after the other."""
    assert v.dtype is not None
    many, shift = ((n,), 1) if n > 1 else ((), 0)
    laid = (*many, *[v.shape[a] for a in v.order])
    return turned(f"np.empty({laid}, {dtype_text(v.dtype)})", v, shift)


def within(block: str, offset: int, v: Var) -> str:
    """An array in a block of bytes."""
    assert v.dtype is not None
    laid = tuple([v.shape[a] for a in v.order])
    return turned(f"np.ndarray({laid}, {dtype_text(v.dtype)}, {block}, {offset})", v)


def turned(text: str, v: Var, shift: int = 0) -> str:
    """An array whose axes lie as those of ``v`` do in memory, after ``shift`` others, with its axes in order."""
    if v.order == tuple(range(len(v.shape))):
        return text
    back = (*range(shift), *[v.order.index(a) + shift for a in range(len(v.shape))])
    return f"{text}.transpose({back})"
