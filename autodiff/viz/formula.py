r"""The formula of a row taken apart: what it computes, and what each input gets back, with slots for names.

A row's formula names its inputs by one convention, so that nobody has to declare it again: an input of one letter is
that letter, or its capital where it is a matrix (``a`` is :math:`a` or :math:`A`); the others stand in :data:`SYMBOLS`.
Clauses are parted by ``, \quad`` or ``, \;``.  Those that begin with ``y' =`` or ``\bar x =`` are derivatives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from ..core.errors import ArgumentError
from ..core.rule import TABLE, Rule
from ..core.summary import number_text, shorten
from .latex import Accent, Atom, Fraction, Part, Row, Script, Slot, escaped, parse, rebuilt, write
from .mathml import core, roles, to_mathml

SYMBOLS = {
    "arrays": "x",
    "below": "s",
    "bias": "b",
    "bins": "b",
    "bound": "lh",
    "choices": "x",
    "condition": "c",
    "element": "x",
    "indices": "k",
    "labels": "t",
    "like": "l",
    "logits": "x",
    "mask": "m",
    "order": "n",
    "ranks": "r",
    "response": "r",
    "start": "a",
    "stop": "b",
    "test_elements": "b",
    "top": "m",
    "value": "v",
    "weight": "wW",
}
"""The letters that may stand for an input whose name is longer than one."""

LONGEST_NAME = 32
BAR = "_bar"
"""``x_bar`` is the slot of the cotangent of ``x``."""


@dataclass(frozen=True)
class Formula:
    r"""The formula of a row, in LaTeX.

    Attributes
    ----------
    forward : str
        What the row computes: ``Y = A B``.
    pulled : dict of str to str
        What each input gets back, by the input's name: ``\bar A = \bar Y B^{\mathsf{T}}``.
    local : dict of str to str or None
        The partial derivative with respect to each input where the row works entry by entry and it can be stated as a
        factor, else None: ``1 - y^2``.
    symbols : dict of str to str
        The letter of each input, and of ``y``.
    stated : bool
        False if the row has no formula that can be read; then all of this only says that there is a derivative.
    """

    forward: str
    pulled: dict[str, str]
    local: dict[str, str | None]
    symbols: dict[str, str]
    stated: bool

    def fill(self, latex: str, names: Mapping[str, Any]) -> str:
        r"""A part of this formula with the user's names, or numbers, in the place of its letters.

        Parameters
        ----------
        latex : str
            One of the texts above.
        names : mapping
            By slot, ``"y"`` or the name of an input, what is to stand there: any text as a name, anything else as a
            number.  ``"y_bar"`` and the like are the cotangents; they are the bars of what is put in for ``y`` unless
            they are given themselves.

        Examples
        --------
        >>> import autodiff as ad
        >>> tanh = formula_of(ad.tanh.rule)
        >>> tanh.fill(tanh.pulled["x"], {"x": "x_1", "y": "out"})
        '\\bar x_1 = \\overline{\\mathit{out}} \\cdot (1 - \\mathit{out}^2)'
        >>> tanh.fill(tanh.local["x"], {"y": -0.5})
        '1 - (-0.5)^2'
        """
        return write(self.filled(latex, names))

    def filled(self, latex: str, names: Mapping[str, Any]) -> Part:
        """The same as a tree that still has the slots."""
        return with_names(self.slotted(latex), names)

    def slotted(self, latex: str) -> Part:
        """The tree of a part of this formula, with slots around its letters."""
        slots = {symbol: name for name, symbol in self.symbols.items()}

        def mark(part: Part) -> Part:
            if isinstance(part, Atom) and part.kind == "identifier" and part.text in slots:
                return Slot(slots[part.text], part)
            if isinstance(part, Accent) and part.mark == "bar" and isinstance(part.body, Slot):
                return Slot(part.body.name + BAR, part)
            return part

        return rebuilt(parse(latex), mark)

    @cached_property
    def mathml(self) -> dict[str, str]:
        """The forward part under ``"y"``, and what each input gets back under its name, for a page.

        Around each letter stands ``<mrow data-slot="a">``, around each cotangent ``<mrow data-slot="a_bar">``.
        """
        return {name: to_mathml(self.slotted(latex)) for name, latex in {"y": self.forward, **self.pulled}.items()}


def formula_of(rule: Rule, real: bool = True) -> Formula:
    r"""The formula of a row taken apart.

    Parameters
    ----------
    rule : Rule
        Of the table, or the user's own.
    real : bool
        Whether it is about real numbers; then there is no conjugate in it, and the transpose is ``\mathsf{T}``.

    Examples
    --------
    >>> import autodiff as ad
    >>> matmul = formula_of(ad.matmul.rule)
    >>> matmul.forward
    'Y = A B'
    >>> matmul.pulled
    {'a': '\\bar A = \\bar Y B^{\\mathsf{T}}', 'b': '\\bar B = A^{\\mathsf{T}} \\bar Y'}
    >>> formula_of(ad.multiply.rule).local
    {'a': 'b', 'b': 'a'}
    """
    # The table stays; rules of the user's own come and go, with what they hold.
    return _of_table(rule, real) if TABLE.get(rule.name) is rule else _of(rule, real)


def _of(rule: Rule, real: bool) -> Formula:
    try:
        tree = parse(rule.formula)
    except ArgumentError:  # a user's rule, in LaTeX that is not read here
        tree = Row(())
    stated = bool(tree.parts)
    if not stated:
        inputs = ", ".join(write(name_part(name)) for name in rule.inputs)
        tree = parse(rf"y = \operatorname{{{escaped(rule.name)}}}({inputs})")
    simple = without_conjugates(tree)
    symbols = symbols_of(rule, tree)
    letters = {symbol: name for name, symbol in symbols.items()}
    forward: list[Part] = []
    said: dict[str, list[Row]] = {}
    about: str | None = None
    for comma, clause in clauses(simple if real else tree):
        slope = slope_of(clause)
        if slope is not None:
            about = rule.inputs[0]
            clause = as_pulled(slope, symbols[about], symbols["y"], real)
        elif (letter := accented(clause)) is not None:
            about = letters.get(letter, "")
        if about is None:
            forward += [*comma, *clause.parts]
        else:
            said.setdefault(about, []).append(clause)
    listed = TABLE.get(rule.name) is rule
    wanted = [name for name in (rule.vjps if listed else rule.inputs) if rule.differentiable]
    wanted = [name for name in wanted if not (listed and is_refused(rule.vjps[name].function))]
    pulled = {
        name: r", \; ".join(map(write, said[name])) if name in said else general(symbols[name], symbols["y"], real)
        for name in wanted
    }
    local: dict[str, str | None] = dict.fromkeys(wanted)
    if rule.entrywise:
        for _, clause in clauses(simple):
            slope = slope_of(clause)
            name = rule.inputs[0] if slope is not None else letters.get(accented(clause) or "", "")
            if name in local:
                local[name] = factor_of(clause, symbols["y"]) if slope is None else write(slope)
    return Formula(write(Row(tuple(forward))), pulled, local, symbols, stated)


_of_table = lru_cache(maxsize=None)(_of)


def is_refused(derivative: Any) -> bool:
    """Whether a row declares that it has no derivative here: see :func:`~autodiff.ops.double.refused`."""
    return getattr(derivative, "__name__", "") == "refuse"


def symbols_of(rule: Rule, tree: Part) -> dict[str, str]:
    """The letter of ``y`` and of each input in a formula."""
    seen: set[str] = set()

    def look(part: Part) -> Part:
        if isinstance(part, Atom) and part.kind == "identifier":
            seen.add(part.text)
        return part

    rebuilt(tree, look)
    symbols: dict[str, str] = {}
    for name in ("y", *rule.inputs):
        letters = SYMBOLS.get(name) or (name + name.upper() if len(name) == 1 else name[0])
        free = [letter for letter in letters if letter not in symbols.values()]
        symbols[name] = next((c for c in free if c in seen), name if name in seen or not free else free[0])
    return symbols


def clauses(tree: Row) -> list[tuple[tuple[Part, ...], Row]]:
    """The clauses of a formula, each with the comma and the space before it."""
    found: list[tuple[tuple[Part, ...], Row]] = []
    before: tuple[Part, ...] = ()
    start = depth = 0
    for k, (part, role) in enumerate(zip(tree.parts, roles(tree.parts), strict=True)):
        depth += (role == "open") - (role == "close")
        after = tree.parts[k + 1] if k + 1 < len(tree.parts) else None
        if depth == 0 and is_comma(part) and isinstance(after, Atom) and after.text in (r"\quad", r"\;"):
            found.append((before, Row(tree.parts[start:k])))
            before, start = tree.parts[k : k + 2], k + 2
    return [*found, (before, Row(tree.parts[start:]))]


def is_comma(part: Part) -> bool:
    """Whether a part is a comma."""
    return isinstance(part, Atom) and part.text == ","


def slope_of(clause: Row) -> Row | None:
    """The right side of a clause ``y' = ...``."""
    match clause.parts:
        case (Script(Atom("identifier", "y"), None, Atom(_, "′")), Atom(_, "="), *rest):
            return Row(tuple(rest))
    return None


def accented(clause: Row) -> str | None:
    """The letter of a clause that begins with a cotangent or a tangent; of a tangent it is no letter."""
    first = clause.parts[0] if clause.parts else None
    first = first.base if isinstance(first, Script) else first
    first = first.top if isinstance(first, Fraction) else first
    if isinstance(first, Accent) and isinstance(first.body, Atom):
        return first.body.text if first.mark == "bar" else ""
    return None


def as_pulled(slope: Row, x: str, y: str, real: bool) -> Row:
    r"""The clause ``\bar x = \bar y \cdot y'`` of a derivative ``y'``, whose conjugate it is if it is not real."""
    text = write(slope)
    if text.replace(" ", "") in ("0", "1", "-1"):
        factor = "0" if text == "0" else text.replace("1", rf"\bar {y}")
    elif not real:
        factor = rf"\bar {y} \cdot ({text})^*"
    elif {"operator", "sign", "text"} & {*outer_roles(slope.parts)}:
        factor = rf"\bar {y} \cdot ({text})"
    else:
        factor = rf"\bar {y} \cdot {text}"
    return parse(rf"\bar {x} = {factor}")


def outer_roles(parts: Sequence[Part]) -> list[str]:
    """The roles of those parts that stand in no brackets."""
    outer, depth = [], 0
    for role in roles(parts):
        depth -= role == "close"
        if depth == 0:
            outer.append(role)
        depth += role == "open"
    return outer


def general(x: str, y: str, real: bool) -> str:
    """What can be said of any derivative."""
    turned = r"\mathsf{T}" if real else r"\mathsf{H}"
    return rf"\bar {x} = \big(\tfrac{{\partial {y}}}{{\partial {x}}}\big)^{{{turned}}} \bar {y}"


def without_conjugates(tree: Row) -> Row:
    """A formula for real numbers."""

    def simpler(part: Part) -> Part:
        match part:
            case Atom("upright", "H"):
                return Atom("upright", "T", r"\mathsf{T}")
            case Script(base, sub, Atom(_, "*")):
                return Script(base, sub, None) if sub is not None else base
        return part

    simple = rebuilt(tree, simpler)
    assert isinstance(simple, Row)
    return simple


def is_round(part: Part) -> bool:
    """Whether a part is a round bracket without a script."""
    return isinstance(part, Atom) and part.text in "()"


def factor_of(clause: Row, y: str) -> str | None:
    r"""What ``\bar y`` is multiplied by on the right of a clause; None if that is no product with it."""
    right = [p for p in clause.parts[2:] if not (isinstance(p, Atom) and p.kind == "space")]
    if write(Row(tuple(right))) == "0":
        return "0"
    depth, at = 0, -1
    for k, (part, role) in enumerate(zip(right, roles(right), strict=True)):
        depth += (role == "open") - (role == "close")
        if depth == 0 and role in ("operator", "text", "comma", "large"):
            return None
        if depth == 0 and isinstance(part, Accent) and write(part) == rf"\bar {y}":
            at = k
    if at < 0:
        return None
    left, rest = right[:at], right[at + 1 :]
    if left and is_dot(left[-1]):
        left = left[:-1]
    if rest and is_dot(rest[0]):
        rest = rest[1:]
    if roles(left) in ([], ["sign"]) and (not rest or roles(rest)[0] == "tight"):
        left = [*left, Atom("number", "1")]
    return write(Row(tuple(unbracketed([*left, *rest]))))


def is_dot(part: Part) -> bool:
    """Whether a part is the dot of a product."""
    return isinstance(part, Atom) and part.text == "·"


def unbracketed(parts: list[Part]) -> list[Part]:
    """Parts without one pair of brackets around all of them."""
    if len(parts) < 2 or not (is_round(parts[0]) and is_round(parts[-1])):
        return parts
    depth = 0
    for role in roles(parts)[:-1]:
        depth += (role == "open") - (role == "close")
        if depth == 0:
            return parts
    return parts[1:-1]


# Putting in names and numbers.


def name_part(name: str) -> Part:
    """A name as a sign of a formula: ``x``, ``x_1`` with a subscript, or the name in full."""
    if re.fullmatch("[A-Za-z]", name):
        return Atom("identifier", name)
    if short := re.fullmatch(r"([A-Za-z])_?(\d{1,4})", name):
        return Script(Atom("identifier", short[1]), Atom("number", short[2]), None)
    text = shorten(name, LONGEST_NAME)
    return Atom("identifier", text, rf"\mathit{{{escaped(text)}}}")


def number_part(x: Any) -> Atom:
    """A number as a sign of a formula."""
    text = number_text(x)
    if power := re.fullmatch(r"(-?[\d.]+)e(-?\d+)", text):
        return Atom("number", text, rf"{power[1]} \times 10^{{{power[2]}}}")
    plain = re.fullmatch(r"[A-Za-z0-9.+\-*/() ]*", text)  # what is not is an expression, or a kind of the user's own
    return Atom("number", text, text if plain else rf"\mathit{{{escaped(text)}}}")


def with_names(tree: Part, names: Mapping[str, Any]) -> Part:
    """A tree with names and numbers in its slots; see :meth:`Formula.fill`."""

    def put(part: Part) -> Part:
        part = with_power(part) if isinstance(part, Script) else part
        match part:
            case Slot(name, Accent("bar", Slot(_, body))) if name not in names:
                return Slot(name, barred(body))
            case Slot(name, body) if name in names:
                value = names[name]
                return Slot(name, name_part(value) if isinstance(value, str) else number_part(value))
            case Script(Slot(name, Atom("number", text) as number) as base, sub, sup) if not text.isdigit():
                plain = re.fullmatch(r"\d+(\.\d+)?", text)
                return Script(base if plain else Slot(name, bracketed(number)), sub, sup)
            case Script(Slot(_, Script(base, inner, None)) as name, sub, sup):  # a name with a subscript of its own
                return Script(base, inner, sup) if sub is None else Script(bracketed(name), sub, sup)
            case Row(parts):
                return Row(tuple(apart(parts)))
        return part

    return rebuilt(tree, put)


def with_power(part: Script) -> Part:
    """A part with the power computed where that is a whole number less another: ``x^2`` for ``x^{3 - 1}``."""
    match part.sup:
        case Row((Slot(_, Atom("number", power)), Atom(_, "-"), Atom("number", less))):
            if not re.fullmatch(r"-?\d+(\.0)?", power):
                return part
            n = int(float(power)) - int(less)
            if n == 1 and part.sub is None:
                return part.base
            return part._replace(sup=None if n == 1 else Atom("number", str(n)))
    return part


def barred(body: Part) -> Part:
    """A name with a bar above it, as long as the name; a subscript stands beside it."""
    if isinstance(body, Script):
        return Script(barred(body.base), body.sub, body.sup)
    return Accent("bar" if len(write(body)) == 1 else "overline", body)


def bracketed(part: Part) -> Row:
    """A part in round brackets."""
    return Row((Atom("bracket", "("), part, Atom("bracket", ")")))


def apart(parts: tuple[Part, ...]) -> list[Part]:
    """Parts side by side, with dots between factors, and brackets around numbers, that would run into each other."""
    out: list[Part] = []
    kinds = roles(parts)
    last: Part | None = None
    left, spaced = "", False
    for part, role, right in zip(parts, kinds, [*kinds, ""][1:], strict=True):
        if role == "space":
            out.append(part)
            spaced = True
            continue
        index = isinstance(part, Atom) and part.text == "[" and not spaced
        factors = left in ("operand", "close") and role in ("operand", "open", "function") and not index
        if factors and last is not None and (is_long(last) or is_long(part)):
            while isinstance(out[-1], Atom) and out[-1].kind == "space":
                out.pop()
            out.append(Atom("operator", "·", r"\cdot"))
            left = "tight"
        if isinstance(part, Slot) and isinstance(part.body, Atom) and part.body.kind == "number":
            first = left in ("", "open", "comma") or (isinstance(last, Atom) and last.kind == "relation")
            if not stands(part.body.text, first, first and right in ("", "comma")):
                part = Slot(part.name, bracketed(part.body))
        out.append(part)
        last, left, spaced = part, role, False
    return out


def stands(number: str, first: bool, alone: bool) -> bool:
    """Whether a number needs no brackets, at the start of an expression or as all of it."""
    return alone or (bool(re.fullmatch(r"-?[\d.]+(e-?\d+)?|nan|-?inf", number)) and (first or number[0] != "-"))


def is_long(part: Part) -> bool:
    """Whether a part is a number that was put in, or a name of several letters."""
    while isinstance(part, Script | Accent):
        part = part.base if isinstance(part, Script) else part.body
    if not isinstance(part, Slot):
        return False
    inner = core(part)
    return isinstance(inner, Row) or (isinstance(inner, Atom) and (inner.kind == "number" or len(inner.text) > 1))
