"""Printing a region: a function of loops over single entries."""

from __future__ import annotations

import itertools
import keyword
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..joined import writing
from ..naming import identifier
from ..passes.calls import shape_of
from ..program import Var
from .entries import SHORT, Text, cast, constant, repeats
from .functions import FORMATS, TEXTS, function_names, source_of
from .items import REDUCED, Item, place_of
from .places import Shown, index_texts, whole
from .regions import Nest, Region, loops_of, operands_of, same_place

if TYPE_CHECKING:
    from .printing import MachinePrinter

INDICES = "ijklmnpq"
MANY = 4096
"""So many float32 are added up as float64."""
SHORTEST = 4
"""Loops that run no more often than this are written out."""
LONGEST = 60
"""An expression of more characters is a line of its own."""
DECORATOR = '@njit(error_model="numpy", nogil=True, cache=True)'


class Printed(NamedTuple):
    """A function that was printed: its lines, what it is called with, and the numbers that it returns."""

    name: str
    lines: list[str]
    given: list[str]
    types: list[Any]
    returned: list[Var]


class Store(NamedTuple):
    """What is written at the end of a turn: the array, the entry of it, and the value."""

    array: str
    place: str
    value: Text
    sign: str = "="


class Written:
    """The lines of a nest of ``depth`` loops: in the innermost, and around those inside of each, from the outermost.

    Attributes
    ----------
    stores : list of Store
        What is written after the lines of a turn.
    """

    def __init__(self, depth: int) -> None:
        self.before: list[list[str]] = [[] for _ in range(depth + 1)]
        self.after: list[list[str]] = [[] for _ in range(depth + 1)]
        self.body: list[str] = []
        self.stores: list[Store] = []

    def nested(self, indices: Sequence[str], lengths: Sequence[str]) -> list[str]:
        """All of it with its loops."""
        lines = [*self.before[-1], *self.body, *self.after[-1]]
        for d in range(len(lengths) - 1, -1, -1):
            loop = f"for {indices[d]} in range({lengths[d]}):"
            lines = [*self.before[d], loop, *[f"    {line}" for line in lines], *self.after[d]]
        return lines


def print_region(printer: MachinePrinter, region: Region, name: str, wanted: set[Var]) -> Printed:
    """The function of a region; ``wanted`` are the variables that are read after it."""
    return _Region(printer, region).function(name, wanted)


class _Region:
    def __init__(self, printer: MachinePrinter, region: Region) -> None:
        self.printer, self.region, self.shows = printer, region, printer.shows
        self.given: dict[str, Any] = {}
        self.made = {item.out: (k, item) for k, nest in enumerate(region.nests) for item in nest.items}
        self.local: dict[Var, Text] = {}
        arrays = [shown.of for item in region.items for _, shown in operands_of(item, self.shows)]
        self.taken = {printer.names.of[v] for v in [*arrays, *region.stored] if v in printer.names.of}
        constants = [x for item in region.items for x in item.operands if not isinstance(x, Var)]
        self.taken |= {*RESERVED, *[printer.constant(x) for x in constants if filling(x) is None]}
        depth = max(len(loops_of(item)) for item in region.items)
        self.indices = [self.name(c) for c, _ in zip(itertools.cycle(INDICES), range(depth))]

    def name(self, stem: str) -> str:
        """A name for a number in a register."""
        stem, k = identifier(stem), 1
        name = stem
        while name in self.taken:
            k += 1
            name = f"{stem}{'_' * stem[-1].isdigit()}{k}"
        self.taken.add(name)
        return name

    def array(self, v: Var) -> str:
        """The name of an array or number that the function is given."""
        name = self.printer.names.of[v]
        self.given.setdefault(name, v)
        return name

    def function(self, name: str, wanted: set[Var]) -> Printed:
        lines: list[str] = []
        for k, nest in enumerate(self.region.nests):
            lines += self.nest(k, nest)
        returned = [item.out for item in self.region.items if not item.out.shape and item.out in wanted]
        if returned:
            lines.append(f"return {', '.join(self.local[v].source for v in returned)}")
        head = [DECORATOR, f"def {name}({', '.join(self.given)}):"]
        lines = [*head, *[f"    {line}" for line in lines]]
        return Printed(name, lines, list(self.given), list(self.given.values()), returned)

    # One nest.

    def joined(self, k: int, item: Item) -> list[str]:
        """Loops that fill an array, part by part."""
        keys, out = item.i.options["keys"], item.out
        how, zeros = writing(keys, out.shape)
        array = self.array(out)
        lines = [f"{array}[:] = 0"] if zeros else []
        for x, key, way in zip(item.operands, keys, how, strict=True):
            shape = shape_of(x)
            order = x.order if isinstance(x, Var) else tuple(range(len(shape)))
            part = item._replace(operands=[x], domain=shape, order=order)
            at = place_of(out, key)
            assert at is not None
            texts = self.turns(part)
            store = f"{entry_of(out, array, index_texts(at.at, texts))} {way} {self.value(part, texts, k).source}"
            written = Written(len(loops_of(part)))
            written.body.append(store)
            lines += written.nested(self.indices, self.lengths([part]))
        return lines

    def nest(self, k: int, nest: Nest) -> list[str]:
        if nest.items[0].kind == "join":
            return self.joined(k, nest.items[0])
        written = Written(len(nest.lengths))
        uses: Counter[Var] = Counter()
        for item in nest.items:
            for _, shown in operands_of(item, self.shows):
                if shown.of in self.made and self.made[shown.of][0] == k:
                    uses[shown.of] += 2 if repeats(item.i) else 1
        for item in nest.items:
            texts = self.turns(item)
            value = self.value(item, texts, k)
            if item.kind == "entry":
                self.entry(item, value, uses[item.out], texts, written)
            elif item.kind == "place":
                assert item.at is not None
                array = self.array(item.out)
                written.before[0].append(f"{array}[:] = 0")
                written.stores.append(Store(array, entry_of(item.out, array, index_texts(item.at.at, texts)), value))
            else:
                self.reduce(item, value, texts, written)
        written.body += self.stored(written.stores)
        return written.nested(self.indices, self.lengths(nest.items))

    def stored(self, stores: list[Store]) -> list[str]:
        """Lines that store what was computed: nothing is read where another of them has written."""
        early, late = [], []
        for k, store in enumerate(stores):
            others = {other.array for other in stores[:k]}
            text = store.value.source
            if any(f"{array}[" in text for array in others):
                name = self.name("entry")
                early.append(f"{name} = {text}")
                text = name
            late.append(f"{store.place} {store.sign} {text}")
        return early + late

    def lengths(self, items: list[Item]) -> list[str]:
        """How often each loop runs: asked of an array, since a short loop of known length is not made parallel."""
        texts = [str(n) for _, n in loops_of(items[0])]
        for item in items:
            turn = {axis: k for k, (axis, _) in enumerate(loops_of(item))}
            arrays = [(item.out, whole(item.out), item.out.shape)] if item.kind == "entry" else []
            arrays += [(v, shown, v.shape) for v, shown in operands_of(item, self.shows)]
            for _, shown, shape in arrays:
                if shown.of in self.local and shown.of not in self.region.stored:
                    continue
                shift = len(item.domain) - len(shape)
                for axis, along in enumerate(shown.at):
                    k = None if along.axis is None or shape[along.axis] == 1 else turn.get(along.axis + shift)
                    if k is None or not texts[k].isdigit() or shown.of.shape[axis] != int(texts[k]):
                        continue
                    if self.printer.names.of[shown.of] in self.given and int(texts[k]) > SHORTEST:
                        texts[k] = f"{self.printer.names.of[shown.of]}.shape[{shown.of.order.index(axis)}]"
        return texts

    def turns(self, item: Item) -> list[str]:
        """The index along each axis of the domain of an item."""
        texts = ["0"] * len(item.domain)
        for k, (axis, _) in enumerate(loops_of(item)):
            texts[axis] = self.indices[k]
        return texts

    def value(self, item: Item, texts: list[str], k: int) -> Text:
        """What an item computes at each turn."""
        operands = [
            cast(self.operand(item, x, texts, k, dtype), dtype)
            for x, dtype in zip(item.operands, item.dtypes, strict=False)
        ]
        return Text(item.make(*operands), item.dtypes[-1])

    def operand(self, item: Item, x: Any, texts: list[str], k: int, dtype: Any) -> Text:
        if not isinstance(x, Var):
            return self.constant(x, item, texts, dtype)
        shown: Shown = self.shows.get(x, whole(x))
        of = shown.of
        assert of.dtype is not None
        mine = of in self.local and (not of.shape or self.made[of][0] == k)
        if mine and (not of.shape or same_place(self.made[of][1], item, x, shown)):
            return self.local[of]
        name = self.array(of)
        if not of.shape:
            return Text(name, of.dtype)
        return Text(entry_of(of, name, index_texts(shown.at, self.aligned(item, x.shape, texts))), of.dtype)

    @staticmethod
    def aligned(item: Item, shape: tuple[int, ...], texts: list[str]) -> list[str]:
        """The indices of an operand that is broadcast to the domain."""
        shift = len(item.domain) - len(shape)
        return ["0" if n == 1 else texts[axis + shift] for axis, n in enumerate(shape)]

    def constant(self, x: Any, item: Item, texts: list[str], dtype: Any) -> Text:
        entry = filling(x)
        if entry is not None:
            return constant(entry, dtype)
        name = self.printer.constant(x)
        self.given.setdefault(name, x)
        return Text(f"{name}[{', '.join(self.aligned(item, x.shape, texts))}]", x.dtype)

    def entry(self, item: Item, value: Text, uses: int, texts: list[str], written: Written) -> None:
        """Write an entry of a result: into its array, or as a register, or where it is used."""
        out = item.out
        stored = out in self.region.stored
        if out.shape and not stored and uses == 1 and len(value.source) <= LONGEST:
            self.local[out] = value
            return
        if not stored or uses or value.source.isidentifier():
            name = self.name(out.name)
            written.body.append(f"{name} = {value.source}")
            value = self.local[out] = Text(name, value.dtype)
        if stored:
            written.stores.append(Store(self.array(out), entry_of(out, self.array(out), texts), value))

    def reduce(self, item: Item, value: Text, texts: list[str], written: Written) -> None:
        """Add entries up: in a register if those loops are the innermost, and in the array of the result if not."""
        out, loops = item.out, loops_of(item)
        assert out.dtype is not None
        function = "add" if item.i.function.name == "dot" else item.i.function.name
        start = constant({"add": 0, "maximum": -np.inf, "minimum": np.inf}[function], out.dtype)
        added = [k for k, (axis, _) in enumerate(loops) if axis in item.reduced]
        kept = [t for axis, t in enumerate(texts) if axis not in item.reduced]
        if len(out.shape) == len(item.domain):
            kept = ["0" if axis in item.reduced else t for axis, t in enumerate(texts)]
        first = len(loops) - len(added)
        if added != list(range(first, len(loops))):
            place = entry_of(out, self.array(out), kept)
            written.before[0].append(f"{self.array(out)}[:] = {start.source}")
            if function != "add":
                value = Text(REDUCED[function].format(place, value.source), value.dtype)
            written.stores.append(Store(self.array(out), place, value, "+=" if function == "add" else "="))
            return
        count = int(np.prod([n for _, n in loops[first:]], dtype=int))
        total = start
        if function == "add" and out.dtype.name == "float32" and count > MANY:
            total, value = constant(0, np.dtype(float)), cast(value, np.dtype(float))
        name = self.name(item.i.function.name if function != "add" else "total")
        written.before[first].append(f"{name} = {total.source}")
        written.body.append(f"{name} = {REDUCED[function].format(name, value.source)}")
        result = cast(Text(name, total.dtype), out.dtype)
        if out.shape:
            written.after[first].append(f"{entry_of(out, self.array(out), kept)} = {result.source}")
        else:
            if result.source != name:
                rounded = self.name(name)
                written.after[first].append(f"{rounded} = {result.source}")
                result = Text(rounded, out.dtype)
            self.local[out] = result


def filling(x: Any) -> Any:
    """The number that a constant is, or that all its entries are; None if they differ."""
    if not isinstance(x, np.ndarray):
        return x
    entry = x.flat[0]
    return entry if x.tobytes() == entry.tobytes() * x.size else None


def entry_of(v: Var, name: str, index: Sequence[str]) -> str:
    """An entry of an array, which is handed over with its axes as they lie in memory."""
    return f"{name}[{', '.join(index[axis] for axis in v.order)}]"


def outline(loops: Printed) -> str:
    """What functions have in common that are the same but for names."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        word = found[0]
        fixed = word in FIXED or found.string[found.start() - 1] == "."
        return word if fixed else numbers.setdefault(word, f"_{len(numbers)}")

    kinds = [f"{getattr(x, 'dtype', None)} {len(shape_of(x))}" for x in loops.types]
    return re.sub(r"\b[^\W\d]\w*", number, "\n".join(loops.lines)) + " ".join(kinds)


SERIES = [f"{name}_{form.name}" for name in (*TEXTS, "power_of_two") for form in FORMATS.values()]
RESERVED = frozenset(["np", "range", "abs", "complex", "njit", "copysign", "plus", *SHORT.values(), *SERIES])
"""What printed loops call, after which nothing else may be called."""
FIXED = RESERVED | set(keyword.kwlist)


def preamble(loops: list[list[str]]) -> list[str]:
    """What the lines of printed functions use: of Python's ``math``, and functions."""
    text = "\n".join(line for lines in loops for line in lines)
    made = [(name, dtype) for name in TEXTS for dtype in FORMATS if f"{name}_{FORMATS[dtype].name}(" in text]
    functions = dict.fromkeys(f for name, dtype in made for f in function_names(name, dtype))
    sources = [f'@njit(error_model="numpy")\n{source_of(f)}' for f in functions]
    if "plus(" in text:
        sources.insert(0, PLUS)
    text += "\n".join(sources)
    lines = [f"{short} = np.{name}" for name, short in SHORT.items() if re.search(rf"\b{short}\b", text)]
    return ["copysign" * ("copysign(" in text), "\n\n\n".join(["\n".join(lines), *sources]).strip()]


PLUS = """@njit(fastmath={"reassoc"})
def plus(a, b):
    \"\"\"Added up in whatever order is fastest.\"\"\"
    return a + b"""
