"""Printing calls on slices of flat arrays: what is gathered, what is a view, what is computed into which memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..literals import literal, number
from ..naming import Names, identifier
from ..program import Function, Instruction, Var
from .bodies import Body, Each, name_of
from .views import Ints, View, in_order, views_of

RESERVED = "np v g make forward backward view check given g_start found finite isfinite term x0 x1 x2 x3 x4"


class Places(NamedTuple):
    """Numbers in a flat array: those at ``index`` of the array called ``array``."""

    array: str
    places: Ints


class Page:
    """Source that is being written: what is set up once, and the lines of a function.

    Attributes
    ----------
    setup : list of str
        Views and memory, made once for each caller.
    constants : dict
        What the source takes for granted: index arrays, constants, functions of numbers.
    """

    def __init__(self) -> None:
        self.setup: list[str] = []
        self.constants: dict[str, Any] = {}
        self.lines: list[str] = []
        self.names: dict[Any, str] = {}
        self.called = Names(RESERVED.split())
        self.scratch: dict[str, int] = {}
        self.used = 0
        self.labels: list[tuple[str, int, int, str]] = []

    def name(self, stem: str) -> str:
        """A name that nothing else has."""
        return self.called.unused(identifier(stem))

    def constant(self, stem: str, value: Any) -> str:
        """The name of something that is given to the source."""
        key: Any = ("constant", id(value))
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            key = (value.dtype.str, value.shape, value.tobytes())
        if key not in self.names:
            self.names[key] = self.name(stem)
            self.constants[self.names[key]] = value
        return self.names[key]

    def text(self, value: Any) -> str:
        """A constant as source: written out, or given beside it."""
        if value is None or type(value) in (bool, str):
            return repr(value)
        if type(value) in (int, float):
            return number(value)
        return literal(value) or self.constant("constant", value)

    def label(self, array: str, start: int, size: int, name: str) -> None:
        """Say what a stretch of a flat array holds."""
        self.labels.append((array, start, size, name))

    def view(self, array: str, view: View) -> str:
        """The name of a view of a flat array, which is set up once."""
        key = (array, view)
        if key not in self.names:
            size, run = int(np.prod(view.shape)), 1
            for length, stride in zip(view.shape[::-1], view.strides[::-1], strict=True):
                run = run * length if run and (stride == run or length == 1) else 0
            if run:
                text = f"{array}[{view.start}:{view.start + size}]"
                text += f".reshape{view.shape}" if len(view.shape) > 1 else ""
            elif len(view.shape) == 1 and view.strides[0] > 0:
                stop = view.start + (size - 1) * view.strides[0] + 1
                text = f"{array}[{view.start}:{stop}:{view.strides[0]}]"
            else:
                text = f"view({array}, {view.start}, {view.shape}, {view.strides})"
            self.names[key] = self.name(self._label_of(array, view, bool(run)))
            self.setup.append(f"{self.names[key]} = {text}")
        return self.names[key]

    def _label_of(self, array: str, view: View, contiguous: bool) -> str:
        for of, start, size, name in self.labels:
            if of == array and start <= view.start < start + size:
                whole = contiguous and view.start == start and np.prod(view.shape) == size
                return name if whole else f"{name}_part" if contiguous else f"{name}_spread"
        return array

    def memory(self, size: int, kind: str = "float") -> str:
        """The name of memory for numbers that are not kept."""
        self.used += 1
        array = f"scratch{self.used}" if kind == "float" else f"truth{self.used}"
        self.scratch[array] = max(size, self.scratch.get(array, 0))
        self.called.taken.add(array)
        return array

    def say(self, line: str) -> None:
        """Add a line to the function."""
        self.lines.append(line)

    def fetch(self, operands: Sequence[Any], n: int) -> tuple[list[str], tuple[int, ...]]:
        """Operands as source, all of one shape: views where they lie in order, else gathered.

        An operand is :class:`Places`, an array of constants, or a number.
        """
        alone = [x.places for x in operands if isinstance(x, Places) and views_of([x.places]) is not None]
        views = views_of([*alone, np.arange(n)])
        if views is None:
            alone = [index for index in alone if _is_slice(index)]
            views = views_of([*alone, np.arange(n)])
        assert views is not None
        shape = views[-1].shape
        viewed = dict(zip(map(id, alone), views, strict=False))
        texts: list[str] = []
        gathered: dict[Any, str] = {}
        for x in operands:
            key = (x.array, x.places.tobytes()) if isinstance(x, Places) else None
            if key in gathered:
                texts.append(gathered[key])
            elif isinstance(x, Places) and id(x.places) in viewed:
                texts.append(self.view(x.array, viewed[id(x.places)]))
            elif isinstance(x, Places):
                memory = self.memory(n)
                into = self.view(memory, in_order(0, (n,)))
                # With mode="clip" NumPy gathers straight into the memory; all indices are in range.
                self.say(f'{x.array}.take({self.constant("places", x.places)}, None, {into}, "clip")')
                texts.append(self.view(memory, in_order(0, shape)))
                gathered[key] = texts[-1]
            elif isinstance(x, np.ndarray):
                texts.append(self.constant("constants", x.reshape(shape)))
            else:
                texts.append(self.text(x))
        return texts, shape

    def fetch_views(self, index: Ints, array: str) -> tuple[str, tuple[int, ...]] | None:
        """Places as a view, if they lie in order."""
        views = views_of([index])
        return None if views is None else (self.view(array, views[0]), views[0].shape)

    def compute(self, body: Body, operands: Sequence[Any], n: int, array: str, start: int) -> None:
        """What a body makes of operands, into ``n`` places of a flat array."""
        used = {v for i in body.instructions for v in i.reads} | {body.out}
        wanted = [x for x, v in zip(operands, body.inputs, strict=True) if v in used]
        texts, shape = self.fetch(wanted, n)
        text = dict(zip([v for v in body.inputs if v in used], texts, strict=True))
        into = self.view(array, in_order(start, shape))
        kinds = _kinds(body)
        for i in body.instructions:
            final = i.out is body.out
            out = into if final else self.view(self.memory(n, kinds[i.out]), in_order(0, shape))
            text[i.out] = out
            self.say(self._call(i, text, out))
        if not body.instructions:
            self.say(f"{into}[...] = {text[body.out]}")
        self.used = 0

    def _call(self, i: Instruction, text: dict[Var, str], out: str) -> str:
        given = [text[a] if isinstance(a, Var) else self.text(a) for a in i.args]
        function: Function = i.function
        if function.kind == "ufunc":
            return f"np.{function.name}({', '.join(given)}, out={out})"
        if isinstance(function.call, Each):
            return f"{out}.flat = {self._entries(function.call, given)}"
        if function.kind == "operator":
            return f"{out}[...] = {f' {function.name} '.join(given)}"
        return f"{out}[...] = np.{function.name}({', '.join(given)})"

    def _entries(self, each: Each, given: list[str]) -> str:
        """A function of numbers, applied to entries one by one."""
        f = self.constant(name_of(each.f), each.f)
        arrays = [text for text in given if text.isidentifier()]
        lists = [f"{text}.ravel().tolist()" for text in arrays]
        if len(arrays) == len(given) and not each.fixed and not each.params:
            return f"list(map({f}, {', '.join(lists)}))"
        names = [f"x{k}" for k in range(len(arrays))]
        unnamed = iter(names)
        row = [next(unnamed) if text.isidentifier() else text for text in given]
        fixed = {k: self.text(x) for k, x in each.fixed.items()}
        filled = Each(each.f, fixed, [self.text(x) for x in each.params]).filled(row)
        if not names:  # of constants alone: one number, which fills all entries
            return f"{f}({', '.join(filled)})"
        rows = f"{names[0]} in {lists[0]}" if len(names) == 1 else f"{', '.join(names)} in zip({', '.join(lists)})"
        return f"[{f}({', '.join(filled)}) for {rows}]"


def _is_slice(index: Ints) -> bool:
    views = views_of([index])
    return views is not None and len(views[0].shape) == 1


def _kinds(body: Body) -> dict[Var, str]:
    """Whether each result of a body is an array of floats or of truths."""
    values: dict[Var, Any] = dict.fromkeys(body.inputs, np.full(1, 0.5))
    kinds = {}
    for i in body.instructions:
        try:
            with np.errstate(all="ignore"):
                values[i.out] = np.asarray(i.compute(values))
        except (ArithmeticError, ValueError):
            values[i.out] = np.full(1, 0.5)  # a loop that refuses one half
        kinds[i.out] = "truth" if values[i.out].dtype == bool else "float"
    return kinds
