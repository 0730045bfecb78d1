"""What things are called in printed source."""

from __future__ import annotations

import itertools
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .program import Var

RESERVED = ("np", "isfinite", "forward", "backward", "make", "rooms", "abs", "slice")
"""What names in printed source must not hide."""


class Names:
    """Gives every variable and constant a name of its own."""

    def __init__(self, taken: Iterable[str] = RESERVED) -> None:
        self.taken = set(taken)
        self.of: dict[Any, str] = {}
        self.numbers: dict[tuple[str, bool], Iterator[int]] = {}

    def assign(self, variables: Iterable[Var], heads: Mapping[Var, Var] | None = None) -> None:
        """Name variables: those that share a name are numbered, those with a head are called like it."""
        heads = heads or {}
        wanted = [v for v in dict.fromkeys(heads.get(v, v) for v in variables) if v not in self.of]
        often = Counter(identifier(v.name) for v in wanted if v.cotangent_of is None)
        for v in wanted:
            if v.cotangent_of is None:
                stem = identifier(v.name)
                self.of[v] = self.unused(stem, numbered=often[stem] > 1)
        self.of |= {v: self.of[head] for v, head in heads.items() if head in self.of}
        for v in wanted:
            if v.cotangent_of is not None:
                of = v.cotangent_of
                self.of[v] = self.unused(f"g_{self.of.get(of) or identifier(of.name)}")
        self.of |= {v: self.of[head] for v, head in heads.items()}

    def unused(self, stem: str, numbered: bool = False) -> str:
        """A name that is not taken yet, and is from now on."""
        between = "_" if stem[-1].isdigit() else ""
        numbers = self.numbers.setdefault((stem, numbered), itertools.count(1 if numbered else 2))
        name = f"{stem}{between}{next(numbers)}" if numbered else stem
        while name in self.taken:
            name = f"{stem}{between}{next(numbers)}"
        self.taken.add(name)
        return name


def identifier(name: str) -> str:
    """The last part of a dotted name as a name in Python."""
    part = next((p for p in reversed(name.split(".")) if re.search(r"[^\W\d]", p)), "value")
    part = "".join([c if f"a{c}".isidentifier() else "_" for c in unicodedata.normalize("NFKC", part)])
    part = part if part.isidentifier() else f"_{part}"
    return f"{part}_" if keyword.iskeyword(part) else part
