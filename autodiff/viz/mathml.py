r"""Formulas for a page, as MathML Core, which browsers draw themselves; and for a terminal, as one line of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from html import escape

from ..core.summary import printable
from .latex import (
    CLOSING,
    LIMITS,
    OPENING,
    SPACES,
    Accent,
    Atom,
    Fraction,
    Matrix,
    Part,
    Root,
    Row,
    Script,
    Sized,
    Slot,
    parse,
)

NOTHING = Row(())
MINUS = {"-": "−"}
NO_BREAK = "\u00a0"
THIN = '<mspace width="0.1667em"></mspace>'
MARKS = {"bar": "¯", "dot": "˙"}
COMBINING = {"bar": "\u0304", "dot": "\u0307", "overline": "\u0305"}
SUPERSCRIPTS = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW′*",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ'*",
        strict=True,
    )
)
SUBSCRIPTS = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
PARTIAL = "∂L/∂"
"""What a bar above a name of several letters becomes in a terminal; L is the result."""
LONGEST_SCRIPT = 4
"""Longer superscripts stand in brackets: small signs are hard to read."""


# On a page.


def to_mathml(latex: str | Part, display: bool = False) -> str:
    r"""A formula as MathML Core.

    Parameters
    ----------
    latex : str or Part
        In the part of LaTeX that the rows of the table are written in; or the tree of it.
    display : bool
        Set on a line of its own, with limits below large operators, rather than inside a line.

    Raises
    ------
    ArgumentError
        If there is a macro in it that is not known here.

    Examples
    --------
    >>> to_mathml("x^2")
    '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    attribute = ' display="block"' if display else ""
    tree = parse(latex) if isinstance(latex, str) else latex
    return f"<math{attribute}>{_row(tree.parts if isinstance(tree, Row) else (tree,))}</math>"


def _row(parts: Sequence[Part]) -> str:
    """Parts side by side, with the spaces that LaTeX puts around functions."""
    out = []
    kinds = roles(parts)
    for part, left, role, right in zip(parts, ["", *kinds], kinds, [*kinds[1:], ""], strict=False):
        if role == "function" and left in ("operand", "close"):
            out.append(THIN)
        if isinstance(part, Atom) and role in ("open", "close", "sign"):
            form = "postfix" if role == "close" else "prefix"
            out.append(_operator(escape(MINUS.get(part.text, part.text)), form=form, stretchy="false"))
        else:
            out.append(_part(part))
        if role == "function" and right not in ("open", "space", ""):
            out.append(THIN)
    return "".join(out)


def _grouped(part: Part) -> str:
    """A part as one element."""
    if isinstance(part, Row):
        return _part(part.parts[0]) if len(part.parts) == 1 else f"<mrow>{_row(part.parts)}</mrow>"
    return _part(part)


def _part(part: Part) -> str:
    match part:
        case Atom():
            return _atom(part)
        case Row(parts):
            return f"<mrow>{_row(parts)}</mrow>"
        case Slot(name, body):
            return f'<mrow data-slot="{escape(name)}">{_grouped(body)}</mrow>'
        case Fraction(top, bottom, small):
            style = ' displaystyle="false"' if small else ""
            return f"<mfrac{style}>{_grouped(top)}{_grouped(bottom)}</mfrac>"
        case Root(body, None):
            return f"<msqrt>{_grouped(body)}</msqrt>"
        case Root(body, degree):
            return f"<mroot>{_grouped(body)}{_grouped(degree or NOTHING)}</mroot>"
        case Accent("overline", body):  # few fonts have a bar that stretches
            return f'<mrow style="text-decoration: overline">{_grouped(body)}</mrow>'
        case Accent(mark, body):
            # Not marked as an accent: without a font for mathematics, that would touch the letter.
            return f"<mover>{_grouped(body)}{_operator(MARKS[mark], stretchy='false')}</mover>"
        case Sized(bracket, size):
            return _operator(bracket.text, stretchy="true", minsize=f"{size}em", maxsize=f"{size}em")
        case Matrix(rows):
            cells = ("".join(f"<mtd>{_grouped(cell)}</mtd>" for cell in row) for row in rows)
            return f"<mrow><mo>(</mo><mtable>{''.join(f'<mtr>{row}</mtr>' for row in cells)}</mtable><mo>)</mo></mrow>"
        case Script(base, sub, sup):
            kind = "under" if isinstance(base, Atom) and base.text in LIMITS else "sub"
            tag = {"sub": "msubsup", "under": "munderover"}[kind] if sub and sup else ""
            tag = tag or ("msup" if sup else "munder" if kind == "under" else "msub")
            return f"<{tag}>{''.join(_grouped(p) for p in (base, sub, sup) if p is not None)}</{tag}>"
    raise AssertionError(part)


def _atom(atom: Atom) -> str:
    text = escape(printable(atom.text))
    match atom.kind:
        case "identifier":
            return f"<mi>{text}</mi>"
        case "upright":
            return f'<mi mathvariant="normal">{text}</mi>'
        case "number":
            return f"<mn>{text.replace('-', '−')}</mn>"
        case "function":
            limits = ' movablelimits="true"' if atom.text in LIMITS else ""
            return f'<mo{limits} lspace="0" rspace="0">{text}</mo>' if limits else f"<mi>{text}</mi>"
        case "text":
            return f"<mtext>{text.replace(' ', NO_BREAK)}</mtext>"
        case "space":
            width = SPACES[atom.text[1:]]
            return f'<mspace width="{width:g}em"></mspace>'
        case "large":
            small = {"largeop": "false"} if atom.latex.startswith(r"\textstyle") else {}
            return _operator(text, **{"movablelimits": "true"} if atom.text in LIMITS else {}, **small)
        case "operator" if atom.text in "/!":
            return _operator(text, lspace="0", rspace="0")
        case "operator" if atom.text == "mod":
            return '<mspace width="0.2222em"></mspace><mi>mod</mi><mspace width="0.2222em"></mspace>'
        case "bracket":
            return _operator(text, stretchy="false")
        case "operator" | "relation":
            return _operator(MINUS.get(text, text))
    raise AssertionError(atom)


def _operator(text: str, **attributes: str) -> str:
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<mo{written}>{text}</mo>"


# What each part is for those beside it.


def core(part: Part) -> Part:
    """What a part is without its scripts, accents and slots."""
    while isinstance(part, Script | Slot | Accent):
        part = part.base if isinstance(part, Script) else part.body
    return part.bracket if isinstance(part, Sized) else part


def roles(parts: Sequence[Part]) -> list[str]:
    """What each of some parts side by side is for its neighbours.

    One of operand, function, large, open, close, sign (a minus that belongs to what follows), operator, tight (an
    operator without spaces around it), comma, text and space.
    """
    found: list[str] = []
    bars = 0
    for part in parts:
        role = _role(core(part))
        if role == "bar":
            bars += 1
            role = "open" if bars % 2 else "close"
        elif role == "plus":
            before = next((r for r in reversed(found) if r != "space"), "")
            role = "operator" if before in ("operand", "close", "function", "text") else "sign"
        found.append(role)
    return found


def _role(inner: Part) -> str:
    if not isinstance(inner, Atom):
        return "operand"
    text = inner.text
    match inner.kind:
        case "identifier" | "number" | "upright":
            return "operand"
        case "bracket":
            return "open" if text in OPENING else "close" if text in CLOSING else "bar"
        case "operator":
            if text in "+-±∓":
                return "plus"
            if text in "¬∂":
                return "sign"
            return "tight" if text in "/·!" else "comma" if text in ",;" else "operator"
        case "relation":
            return "operator"
    return inner.kind


# In a terminal.


def to_text(latex: str | Part) -> str:
    r"""A formula as one line of Unicode text.

    Examples
    --------
    >>> print(to_text(r"y = \tanh x, \quad y' = 1 - y^2"))
    y = tanh x,  y' = 1 - y²
    >>> print(to_text(r"\bar A = \bar Y B^{\mathsf T}, \; \bar x_i = \frac{1}{2 y} \bar y"))
    Ā = Ȳ Bᵀ, x̄ᵢ = (1/(2y)) ȳ

    A bar fits on one letter.  That on a longer name is written as the derivative it stands for, of the result ``L``.

    >>> print(to_text(r"\bar b = \overline{\mathit{loss}}"))
    b̄ = ∂L/∂loss
    """
    tree = parse(latex) if isinstance(latex, str) else latex
    return unicodedata.normalize("NFC", _text(tree)).strip()


def _text_of_row(parts: Sequence[Part]) -> str:
    text = ""
    before: Part | None = None
    kinds = roles(parts)
    sides = ["", *kinds], kinds, [*kinds[1:], ""]
    for part, after, left, role, right in zip(parts, [*parts[1:], None], *sides, strict=False):
        piece = _text(part)
        factor = left in FACTORS - {"open"} or right in FACTORS - {"close"}
        if factor and isinstance(core(part), Fraction):
            piece = f"({piece})"
        divided = [core(p) for p in (before, after) if p is not None]
        if piece.startswith(PARTIAL) and any(isinstance(p, Atom) and p.text == "/" for p in divided):
            piece = f"({piece})"
        gap = _apart(left, role) or (role == "text" and left == "operator")
        if left == "function" and piece[:1] == "(":
            gap = False
        if isinstance(before, Atom) and before.kind == "number":
            inner = core(part)  # 2x
            gap = gap and not (role == "operand" and isinstance(inner, Atom) and inner.kind == "identifier")
        text += " " * gap + piece
        before = part
    return text


FACTORS = {"operand", "open", "close", "function", "large", "tight"}
"""What a neighbour is that is multiplied by, or applied to, a fraction."""


def _apart(left: str, right: str) -> bool:
    """Whether neighbours of these roles are printed with a space between them."""
    if left in ("", "open", "sign", "tight", "text", "space") or right in ("close", "comma", "tight", "text", "space"):
        return False
    return right != "open" or left not in ("operand", "function", "close")


def _text(part: Part) -> str:
    match part:
        case Atom("space", text):
            return {"quad": "  ", "qquad": "   ", "!": ""}.get(text[1:], " ")
        case Atom(_, text, _):
            return {"∑": "Σ", "∏": "Π", "↦": "->"}.get(text, printable(text))
        case Row(parts):
            return _text_of_row(parts)
        case Slot(_, body):
            return _text(body)
        case Fraction(top, bottom, _):
            return f"{_bracketed(top)}/{_bracketed(bottom)}"
        case Root(body, None):
            return f"√{_bracketed(body)}"
        case Root(body, degree):
            return f"{_raised(degree or NOTHING)}√{_bracketed(body)}"
        case Accent(mark, body):
            return _marked(body, mark)
        case Sized(bracket, _):
            return bracket.text
        case Matrix(rows):
            return f"({'; '.join(', '.join(map(_text, row)) for row in rows)})"
        case Script(base, sub, sup):
            text = _text(base)
            if (isinstance(base, Row | Fraction) and text[:1] != "(") or text.startswith(PARTIAL):
                text = f"({text})"
            return text + ("" if sub is None else _lowered(sub)) + ("" if sup is None else _raised(sup))
    raise AssertionError(part)


def _marked(body: Part, mark: str) -> str:
    """Text with a mark above: above one letter, as a derivative, or above every letter of a long name."""
    if isinstance(body, Slot) or (isinstance(body, Row) and len(body.parts) == 1):
        return _marked(body.body if isinstance(body, Slot) else body.parts[0], mark)
    if isinstance(body, Script):
        return _text(body._replace(base=Atom("identifier", _marked(body.base, mark))))
    text = _text(body)
    if mark == "overline" and len(text) > 1:
        return f"{PARTIAL}{text}"
    return "".join(c + COMBINING["bar" if len(text) == 1 and mark == "overline" else mark] for c in text)


def _bracketed(part: Part) -> str:
    """Text in brackets if it is more than one thing."""
    inner = part.parts[0] if isinstance(part, Row) and len(part.parts) == 1 else part
    text = _text(inner)
    several = (isinstance(inner, Row | Fraction) and not re.fullmatch(r"∂\w", text)) or text.startswith(PARTIAL)
    return f"({text})" if several or re.fullmatch(r"(-|\d.*[-+/]).*", text) else text


def _raised(part: Part) -> str:
    text = _text(part)
    small = text.replace(" ", "")
    if len(small) <= LONGEST_SCRIPT and all(c in SUPERSCRIPTS for c in small):
        return "".join(SUPERSCRIPTS[c] for c in small)
    return f"^{text}" if len(text) == 1 or (text[0] == "(" and text.find(")") == len(text) - 1) else f"^({text})"


def _lowered(part: Part) -> str:
    small = _text(part).replace(" ", "")
    if all(c in SUBSCRIPTS for c in small):
        return "".join(SUBSCRIPTS[c] for c in small)
    return f"_{small}" if small.isalnum() else f"_({small})"
