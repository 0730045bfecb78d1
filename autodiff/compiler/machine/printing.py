"""Printing a program whose regions are functions of loops."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from ..emit import WIDTH, Printer, empty
from ..literals import dtype_text
from ..program import Instruction, Program, Var
from .convolution import Loop, looped
from .items import Item, item_of
from .loops import RESERVED, Printed, outline, preamble, print_region
from .memory import plan_memory
from .places import views_in
from .regions import Region, Unit, outs_of, plan_nests, readers_of, reads_of, sink, units_of, unread_views


class MachinePrinter(Printer):
    """Prints one program; ``refused`` are results of which no loops shall be made.

    Attributes
    ----------
    shows : dict of Var to Shown
        What results show that are views.
    forward, backward : list of Unit
        Calls of NumPy and regions of loops, in order.
    unread : set of Var
        The views that no call needs.
    functions : dict of str to pair of list
        By name the functions of loops: what each is called with, and the results that it computes.
    """

    def __init__(
        self, program: Program, title: str, reuse_outputs: bool = False, refused: frozenset[Var] = frozenset()
    ) -> None:
        program = replace(program, instructions=[i if i.out in refused else looped(i) for i in program.instructions])
        self.shows = views_in(program.instructions)
        units = self._ordered(program, refused)
        self.wanted: dict[Region, set[Var]] = {}
        readers = readers_of(units, program, self.shows)
        for k, unit in enumerate(units):
            if isinstance(unit, Region):
                self.wanted[unit] = {v for v in outs_of(unit) if readers.get(v, set()) - {k}}
                plan_nests(unit, self.shows, self.wanted[unit])
        program = self._in_order(program)
        later = program.needed_later if program.draws else []
        keep = [*later, *[self.shows[v].of for v in later if v in self.shows]]
        plan = plan_memory(units, program, keep, reuse_outputs, self.shows)
        self.loops: dict[Region, Printed] = {}
        self.printed: list[list[str]] = []
        self.functions: dict[str, tuple[list[Any], list[Var]]] = {}
        self.convolutions: dict[str, str] = {}
        super().__init__(program, title, reuse_outputs, plan)
        self._print_regions()
        for i in program.instructions:
            loop = i.options.get("loop")
            if isinstance(loop, Loop):
                self.convolutions[loop.source] = self._convolution(loop, i.out)
        self._forget_unused()

    def _ordered(self, program: Program, refused: frozenset[Var]) -> list[Unit]:
        """Put what can be loops into regions, and find the views that are indices there."""
        makers = {i.out: i for i in program.instructions}
        asked = [i for i in program.instructions if i.out not in self.shows and i.out not in refused]
        items: dict[Var, Item] = {i.out: item for i in asked if (item := item_of(i, makers)) is not None}
        split = len(program.instructions) if program.split is None else program.split
        forward, backward = program.instructions[:split], program.instructions[split:]
        given, ahead = [*program.inputs, *program.cotangents], {i.out for i in forward}
        units = units_of(forward, given, items, self.shows)
        units += units_of(backward, [*given, *ahead], items, self.shows)
        self.unread = unread_views(units, program, self.shows)
        units = [u for u in units if isinstance(u, Region) or u.out not in self.unread]
        units = sink(units, program, self.shows, ahead)
        self.forward = [u for u in units if ahead.issuperset(outs_of(u))]
        self.backward = [u for u in units if not ahead.issuperset(outs_of(u))]
        return units

    def _in_order(self, program: Program) -> Program:
        """The program with its instructions in the order of the units."""
        forward, backward = (
            [i for u in units for i in ([u] if isinstance(u, Instruction) else [item.i for item in u.items])]
            for units in (self.forward, self.backward)
        )
        split = None if program.split is None else len(forward)
        return replace(program, instructions=forward + backward, split=split)

    def _print_regions(self) -> None:
        """Print a function for each region; those that are the same but for names share one."""
        shapes: dict[str, str] = {}
        for region, wanted in self.wanted.items():
            loops = print_region(self, region, "loop", wanted)
            name = shapes.get(outline(loops))
            if name is None:
                last = [v for v in outs_of(region) if v in region.stored or not v.shape][-1]
                name = shapes[outline(loops)] = self.names.unused(f"{self.names.of[last]}_loop")
                self.printed.append([line.replace("def loop(", f"def {name}(", 1) for line in loops.lines])
            self.loops[region] = loops._replace(name=name)
            _, outs = self.functions.get(name, ([], []))
            self.functions[name] = loops.types, [*outs, *outs_of(region)]

    def _choose_names(self) -> None:
        self.names.taken |= RESERVED
        super()._choose_names()
        for unit in (*self.forward, *self.backward):
            for v in reads_of(unit, self.shows) if isinstance(unit, Region) else ():
                if self.inline.pop(v, None) is not None:
                    self.names.assign([v])

    def _convolution(self, loop: Loop, out: Var) -> str:
        """The name of loops over windows, which several layers may share."""
        name = self.convolutions.get(loop.source) or self.names.unused(loop.name)
        types = [Var("", np.ndarray, (2,) * rank, loop.dtype, tuple(range(rank))) if rank else 2 for rank in loop.ranks]
        _, outs = self.functions.get(name, (types, []))
        self.functions[name] = types, [*outs, out]
        return name

    def text(self, tree: Any) -> str:
        """An argument as source."""
        return self.convolutions[tree.source] if isinstance(tree, Loop) else super().text(tree)

    def _forget_unused(self) -> None:
        """Functions that no call needs any more are not given to the source."""
        called = {id(u.function.call) for u in (*self.forward, *self.backward) if isinstance(u, Instruction)}
        named = {id(i.function.call) for i in self.program.instructions if i.function.kind == "named"} - called
        self.constants = {name: value for name, value in self.constants.items() if id(value) not in named}

    def line_of(self, region: Region) -> list[str]:
        """The call of a region's function."""
        found = self.loops[region]
        made = [item.out for item in region.items if item.out in region.stored]
        lines = [
            f"{self.names.of[v]} = {empty(v, 1)}" for v in made if v not in self.plan.place and v not in self.rooms
        ]
        call = f"{found.name}({', '.join(map(self._argument, found.given, found.types))})"
        results = [self.names.of[v] for v in found.returned]
        kinds = [f"np.{v.kind.__name__}" for v in found.returned]
        if len(results) == 1:
            call = f"{results[0]} = {kinds[0]}({call})"
        elif results:
            call = f"{', '.join(results)} = {call}"
        lines.append(call)
        if len(results) > 1:
            lines.append(f"{', '.join(results)} = {', '.join(f'{k}({r})' for k, r in zip(kinds, results))}")
        return lines

    def _argument(self, name: str, x: Any) -> str:
        """An argument of a loop: single numbers come as arrays or not, and go in as numbers."""
        single = isinstance(x, Var) and not x.shape and x.dtype is not None
        if isinstance(x, Var) and x.order != tuple(range(len(x.shape))):
            return f"{name}.transpose({', '.join(map(str, x.order))})"
        return f"{dtype_text(x.dtype)}({name})" if single and (x.is_array or x in self.program.inputs) else name

    def block(self, instructions: list[Instruction]) -> list[str]:
        """Statements: calls of NumPy, and of the functions that are made of loops."""
        ahead = {v for unit in self.forward for v in outs_of(unit)}
        units: list[Unit] = self.forward if instructions and instructions[0].out in ahead else self.backward
        lines: list[str] = []
        calls: list[Instruction] = []
        for unit in units if instructions else []:
            if isinstance(unit, Instruction):
                calls += [] if unit.out in self.unread else [unit]
                continue
            lines += super().block(calls)
            calls = []
            places = list(dict.fromkeys(str(x.i.place.line) for x in unit.items if x.i.place is not None))
            *first, call = self.line_of(unit)
            note = f"  # {places[0]}" if places and len(call) < WIDTH - 20 else ""
            lines += [*[f"    {text}" for text in first], f"    {call}{note}"[: max(WIDTH, len(call) + 4)]]
        return [*lines, *super().block(calls)]

    def _nest(self, instructions: list[Instruction]) -> None:
        """Nothing: what could be nested is in regions."""

    def part(self, instructions: list[Instruction], outputs: list[Any]) -> list[str]:
        """The body of a function; loops warn of nothing."""
        looped = {
            item.out for f in (self.forward, self.backward) for u in f if isinstance(u, Region) for item in u.items
        }
        lines = [*self.block(instructions), *self._check(instructions)]
        called = [i for i in instructions if i.out not in looped]
        if lines and any(i.silent and i.function.kind not in ("item", "attribute", "part") for i in called):
            lines = ['    with np.errstate(all="ignore"):', *[f"    {line}" for line in lines]]
        return [*lines, f"    return {self._returned(outputs)}"]

    def _read_later(self, backward: list[Instruction]) -> list[Var]:
        return [v for u in self.backward for v in reads_of(u, self.shows)]

    def _preamble(self) -> str:
        text = super()._preamble().rstrip().replace("in NumPy.", "in NumPy and Numba.", 1)
        loops = [*self.printed]
        loops += [
            source.replace(re.findall(r"def (\w+)\(", source)[0], name).split("\n")
            for source, name in self.convolutions.items()
        ]
        if not loops:
            return text + "\n\n\n"
        imports, functions = preamble(loops)
        body = "\n\n\n".join("\n".join(lines) for lines in loops)
        text = text.replace("import numpy as np", "import numpy as np\nfrom numba import njit", 1)
        if imports and "from math import" in text:
            text = text.replace("from math import", f"from math import {imports},", 1)
        elif imports:
            text = text.replace("import numpy", f"from math import {imports}\n\nimport numpy", 1)
        return "\n\n\n".join(filter(None, [text.rstrip(), functions, body])) + "\n\n\n"
