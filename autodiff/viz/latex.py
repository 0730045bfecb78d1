r"""Reading and writing the LaTeX of formulas: from text to a small tree and back.

It knows the part of LaTeX that the rows of the table are written in.  :mod:`.mathml` prints the tree for pages and for
terminals, :mod:`.formula` puts names and numbers into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from ..core.errors import ArgumentError
from ..core.summary import shorten


class Atom(NamedTuple):
    """One sign: an identifier, number, operator, relation, bracket, function, large operator, text or space."""

    kind: str
    text: str
    latex: str = ""
    """How it is written in LaTeX, where that is not its text."""


class Row(NamedTuple):
    """Parts side by side."""

    parts: tuple[Part, ...]


class Script(NamedTuple):
    """A base with what is below and above it."""

    base: Part
    sub: Part | None
    sup: Part | None


class Fraction(NamedTuple):
    """``top`` over ``bottom``."""

    top: Part
    bottom: Part
    small: bool


class Root(NamedTuple):
    """A square root, or one of another degree."""

    body: Part
    degree: Part | None


class Accent(NamedTuple):
    """A mark above: ``bar``, ``dot`` or ``overline``."""

    mark: str
    body: Part


class Sized(NamedTuple):
    """A bracket of a fixed size, in em."""

    bracket: Atom
    size: float


class Matrix(NamedTuple):
    """Rows of cells in round brackets."""

    rows: tuple[tuple[Part, ...], ...]


class Slot(NamedTuple):
    """A sign in the place of an input or result of an op, for which other names can be put in."""

    name: str
    body: Part


Part = Atom | Row | Script | Fraction | Root | Accent | Sized | Matrix | Slot

TOKEN = re.compile(r"\\[A-Za-z]+|\\[^A-Za-z]|\s+|\d+(?:\.\d+)?|.", re.DOTALL)

SPACES = {",": 0.1667, ":": 0.2222, ";": 0.2778, " ": 0.25, "quad": 1.0, "qquad": 2.0, "!": -0.1667}
"""Widths in em."""
GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ"}
GREEK |= {"eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ"}
GREEK |= {"pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ"}
GREEK |= {"psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π"}
GREEK |= {"Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω"}
IDENTIFIERS = GREEK | {"infty": "∞", "dots": "…", "cdots": "⋯", "#": "#", "ell": "ℓ"}
OPERATORS = {"cdot": "·", "circ": "∘", "times": "×", "pm": "±", "mp": "∓", "oplus": "⊕", "wedge": "∧", "vee": "∨"}
OPERATORS |= {"neg": "¬", "partial": "∂", "mid": "|", "odot": "⊙", "langle": "⟨", "rangle": "⟩", "&": "&"}
RELATIONS = {"le": "≤", "ge": "≥", "ne": "≠", "in": "∈", "sim": "∼", "mapsto": "↦", "to": "→", "approx": "≈"}
BRACKETS = {"{": "{", "}": "}", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "lVert": "‖", "rVert": "‖"}
LARGE = {"sum": "∑", "prod": "∏", "int": "∫", "bigvee": "⋁", "bigwedge": "⋀"}
TRIGONOMETRIC = {"sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"}
FUNCTIONS = {"ln", "log", "exp", "max", "min", "arg", "det", "gcd"} | TRIGONOMETRIC
LIMITS = {"max", "min", "∑", "∏", "⋁", "⋀"}
"""What takes its subscript below itself where there is room."""
SIZES = {"big": 1.2, "Big": 1.8, "bigl": 1.2, "bigr": 1.2}
MACROS_OF_SIGNS = {"\\": r"\backslash", "~": r"\sim", "^": r"\hat"}
"""How names are written that hold signs which a backslash in front does not tame."""
SIGNS_OF_MACROS = {macro: sign for sign, macro in MACROS_OF_SIGNS.items()}
OPENING, CLOSING = "([{⌊⌈⟨", ")]}⌋⌉⟩"


def tokens(latex: str) -> list[str]:
    r"""The signs and macros of a formula, white space included.

    Examples
    --------
    >>> tokens(r"\frac12 x_i")
    ['\\frac', '12', ' ', 'x', '_', 'i']
    """
    return TOKEN.findall(latex)


@lru_cache(maxsize=1024)
def parse(latex: str) -> Row:
    r"""The tree of a formula.

    Raises
    ------
    ArgumentError
        If there is a macro in it that is not known here, or its braces do not match.

    Examples
    --------
    >>> parse("x^2").parts[0].base
    Atom(kind='identifier', text='x', latex='')
    """
    return _Reader(latex).row(None)


class _Reader:
    """Reads a formula from left to right."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.left = tokens(latex)[::-1]  # the next token is the last one

    def wrong(self, what: str) -> ArgumentError:
        return ArgumentError(
            f"The LaTeX {shorten(self.latex, 60)!r} was to be read, but {what}. "
            "Formulas are written in the part of LaTeX that autodiff/viz/latex.py lists; add to it what is missing."
        )

    def next(self) -> str:
        if not self.left:
            raise self.wrong("it ends too early: an argument or a closing brace is missing")
        return self.left.pop()

    def skip_space(self) -> None:
        while self.left and self.left[-1].isspace():
            self.left.pop()

    def row(self, end: str | None) -> Row:
        """Everything up to the token ``end``, or up to the end of the formula."""
        parts: list[Part] = []
        while True:
            self.skip_space()
            if not self.left and end is None:
                return Row(tuple(parts))
            token = self.next()
            if token == end:
                return Row(tuple(parts))
            if token in ("_", "^", "'"):
                self.left.append(token)
                parts.append(self.scripts(parts.pop() if parts else Row(())))
            else:
                parts.append(self.part(token))

    def scripts(self, base: Part) -> Part:
        """The base with all scripts that follow it."""
        sub: Part | None = None
        sup: Part | None = None
        while self.left and self.left[-1] in ("_", "^", "'"):
            sign = self.left.pop()
            if sign == "_" and sub is None:
                sub = self.argument()
            elif sign == "'" and sup is None:
                sup = Atom("operator", "′", "'")
            elif sign == "^" and sup is None:
                sup = self.argument()
            else:
                raise self.wrong(f"there are two of {sign} in a row")
            self.skip_space()
        return Script(base, sub, sup)

    def argument(self) -> Part:
        """One sign, one macro with its arguments, or what braces hold."""
        self.skip_space()
        token = self.next()
        if token[0].isdigit() and len(token) > 1:  # as in \frac12
            self.left.append(token[1:])
            token = token[0]
        part = self.part(token)
        return part.parts[0] if isinstance(part, Row) and len(part.parts) == 1 else part

    def verbatim(self) -> tuple[str, str]:
        r"""What stands as text, in braces or as one sign: as it is read, and as it is written (``_`` as ``\_``)."""
        self.skip_space()
        token = self.next()
        if token != "{":
            return token, token
        text = written = ""
        while (token := self.next()) != "}":
            written += token
            text += SIGNS_OF_MACROS.get(token) or (token[1:] if token[0] == "\\" else token)
            if self.left[-2:] == ["}", "{"]:  # see escaped()
                del self.left[-2:]
                written += "{}"
        return text, written

    def part(self, token: str) -> Part:
        if token == "{":
            return self.row("}")
        if token[0] != "\\":
            return self.sign(token)
        name = token[1:]
        for kind, known in (("identifier", IDENTIFIERS), ("operator", OPERATORS), ("relation", RELATIONS)):
            if name in known:
                return Atom(kind, known[name], token)
        if name in BRACKETS:
            return Atom("bracket", BRACKETS[name], token)
        if name in LARGE:
            return Atom("large", LARGE[name], token)
        if name in FUNCTIONS:
            return Atom("function", name, token)
        if name in SPACES:
            return Atom("space", token)
        return self.macro(name)

    def sign(self, token: str) -> Part:
        if token[0].isdigit():
            return Atom("number", token)
        if token in "()[]|":
            return Atom("bracket", token)
        if token in "<>=:":
            return Atom("relation", token)
        if token in "+-/,*.!;":
            return Atom("operator", token)
        if token.isalpha() or token in "…−%":
            return Atom("identifier", token)
        raise self.wrong(f"{token!r} stands where it means nothing")

    def macro(self, name: str) -> Part:
        if name in ("bar", "dot", "overline"):
            return Accent(name, self.argument())
        if name in ("frac", "tfrac"):
            return Fraction(self.argument(), self.argument(), small=name == "tfrac")
        if name == "sqrt":
            self.skip_space()
            degree = None
            if self.left and self.left[-1] == "[":
                self.left.pop()
                degree = self.row("]")
            return Root(self.argument(), degree)
        if name in ("operatorname", "text", "mathit", "mathrm", "mathsf"):
            kind = {"operatorname": "function", "text": "text", "mathsf": "upright"}.get(name, "identifier")
            text, written = self.verbatim()
            return Atom(kind, text, rf"\{name}{{{written}}}")
        if name in ("mathrel", "mathbin"):
            inside = self.argument()
            parts = inside.parts if isinstance(inside, Row) else (inside,)
            text = "".join(p.text for p in parts if isinstance(p, Atom))
            kind = "relation" if name == "mathrel" else "operator"
            return Atom(kind, text, rf"\{name}{{{write(inside)}}}")
        if name == "textstyle":
            self.skip_space()
            operator = self.part(self.next())
            if not isinstance(operator, Atom) or operator.kind != "large":
                raise self.wrong(r"\textstyle stands before what is no large operator")
            return Atom("large", operator.text, r"\textstyle" + operator.latex)
        if name == "bmod":
            return Atom("operator", "mod", r"\bmod")
        if name in SIZES:
            bracket = self.argument()
            if not isinstance(bracket, Atom) or bracket.kind != "bracket":
                raise self.wrong(f"\\{name} stands before what is no bracket")
            return Sized(bracket, SIZES[name])
        if name == "begin":
            return self.matrix()
        raise self.wrong(f"\\{name} is a macro that is not known here")

    def matrix(self) -> Matrix:
        if (kind := self.verbatim()[0]) != "pmatrix":
            raise self.wrong(f"\\begin{{{kind}}} is an environment that is not known here")
        rows: list[tuple[Part, ...]] = []
        row: list[Part] = []
        cell: list[str] = []
        while True:
            token = self.next()
            if token not in ("&", r"\\", r"\end"):
                cell.append(token)
                continue
            row.append(parse("".join(cell)))
            cell = []
            if token != "&":
                rows.append(tuple(row))
                row = []
            if token == r"\end":
                self.verbatim()
                return Matrix(tuple(rows))


def rebuilt(part: Part, change: Callable[[Part], Part]) -> Part:
    """The tree with ``change`` applied to every part of it, the inner ones first."""

    def inside(child: Any) -> Any:
        if isinstance(child, Part):
            return rebuilt(child, change)
        return tuple(map(inside, child)) if isinstance(child, tuple) else child

    return change(part if isinstance(part, Atom) else type(part)(*map(inside, part)))


def write(part: Part) -> str:
    r"""The LaTeX of a tree.

    Examples
    --------
    >>> print(write(parse(r"\frac1n x_i")))
    \frac{1}{n} x_i
    """
    match part:
        case Atom("text", text, ""):
            return rf"\text{{{escaped(text)}}}"
        case Atom(_, text, latex):
            return latex or text
        case Row(parts):
            return side_by_side([write(p) for p in parts])
        case Slot(_, body):
            return write(body)
        case Script(base, sub, sup):
            text = f"{{{write(base)}}}" if isinstance(base, Row | Script) else write(base)
            if isinstance(sup, Atom) and sup.text == "′":
                text, sup = text + "'", None
            return text + _script("_", sub) + _script("^", sup)
        case Fraction(top, bottom, small):
            return rf"\{'t' * small}frac{{{write(top)}}}{{{write(bottom)}}}"
        case Root(body, degree):
            return rf"\sqrt{f'[{write(degree)}]' if degree else ''}{{{write(body)}}}"
        case Accent(mark, body):
            text = write(body)
            return rf"\{mark} {text}" if len(text) == 1 else rf"\{mark}{{{text}}}"
        case Sized(bracket, size):
            return rf"\{'Big' if size > SIZES['big'] else 'big'}{write(bracket)}"
        case Matrix(rows):
            cells = r" \\ ".join(" & ".join(map(write, row)) for row in rows)
            return rf"\begin{{pmatrix}} {cells} \end{{pmatrix}}"
    raise AssertionError(part)


def escaped(text: str) -> str:
    r"""A name as it must be written in the braces of ``\mathit`` and its like.

    Empty braces end the macros.  They also make the LaTeX safe inside a page, where nobody may escape it again: after
    ``<`` and ``&`` they let no tag and no entity begin.

    Examples
    --------
    >>> print(escaped("a_b <i> &lt;"))
    a\_b\ <{}i>\ \&{}lt;
    """
    special = {sign: macro + "{}" for sign, macro in MACROS_OF_SIGNS.items()} | {"<": "<{}", "&": r"\&{}"}
    return "".join(special.get(c) or (f"\\{c}" if c in "_%#${} " else c) for c in text)


def _script(sign: str, part: Part | None) -> str:
    if part is None:
        return ""
    text = write(part)
    return f"{sign}{text}" if len(text) == 1 else f"{sign}{{{text}}}"


def side_by_side(pieces: Iterable[str]) -> str:
    """Pieces of LaTeX one after the other, apart where they would run into each other or are easier to read."""
    text = ""
    for piece in pieces:
        tight = not text or text[-1] in "([" or piece[:1] in tuple(")],;'")
        text += piece if tight and not re.search(r"\\[A-Za-z]+$", text) else f" {piece}"
    return text
