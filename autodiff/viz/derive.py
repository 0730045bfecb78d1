r"""The chain rule written out for the user's own tape: ``ad.derive(y, wrt=x)``."""

from __future__ import annotations

import sys
import textwrap
from html import escape
from typing import Any

import numpy as np

from ..core.node import data_of
from ..core.summary import align_points, shorten, text_width
from .chain import Chain, is_single
from .formula import name_part
from .latex import Atom, Part, Row, parse, write
from .mathml import PARTIAL, to_mathml, to_text
from .steps import EQUALS, Beside, Step, steps_of

WIDTH = 100
MAX_STEPS = 40
"""Longer derivations are printed without their middle."""
ENDS = 12
"""How many steps are printed before and after what is left out."""
WIDEST = {"symbols": 44, "numbers": 34}
"""Columns; a text that is wider takes a line of its own."""


class Derivation:
    """The chain rule from a result back to one node, step by step, in symbols and in numbers.

    ``print`` shows it as text, a notebook as formulas.

    Attributes
    ----------
    steps : list of Step
        From the result back to the node, one step for each node between them.
    value : ndarray or number
        The derivative, computed anew from the steps.
    """

    def __init__(self, chain: Chain) -> None:
        self._given = chain.given
        self.steps = steps_of(chain)
        self.value = added_up(self.steps)

    @property
    def latex(self) -> str:
        r"""The steps, all of them, as a LaTeX ``aligned`` environment."""
        lines = []
        for other in (other for step in reversed(self.steps) for other in step.beside):
            lines.append(write(other.forward).replace("=", "&=", 1))
        for step in self.steps:
            right = [part for part in (step.symbols, step.numbers, step.result) if part is not None]
            lines.append(f"{write(step.left)} &= {' = '.join(map(write, right))}")
        if not self._given:
            end = self.steps[-1]
            lines.append(f"{write(self._derivative())} &= {write(end.bar)} = {write(end.result)}")
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def _names(self) -> tuple[str, str]:
        return self.steps[0].name, self.steps[-1].name

    def _derivative(self) -> Row:
        y, x = (write(name_part(name)) for name in self._names())
        d = r"d\," if is_single(self.steps[0].value) and is_single(self.steps[-1].value) else r"\partial"
        return parse(rf"\frac{{{d} {y}}}{{{d} {x}}}")

    def _title(self) -> str:
        """What this is, and what a bar marks where all names have one."""
        y, x = self._names()
        if self._given:
            return f"The gradient given for {y}, pulled back to {x} by the chain rule."
        bar = to_text(self.steps[-1].bar)
        example = "" if bar.startswith(PARTIAL) else f": {bar} is {_d(y, x)}"
        return f"{_d(y, x)} by the chain rule. A bar marks a derivative of {y}{example}."

    def _title_text(self) -> str:
        """The same for a terminal, where a long name has no bar, but stands in ``∂L/∂name``."""
        bars = {step.name: to_text(step.bar) for step in reversed(self.steps)}
        short = next((name for name, bar in bars.items() if not bar.startswith(PARTIAL)), None)
        if not any(bar.startswith(PARTIAL) for bar in bars.values()):
            return self._title()
        y, x = self._names()
        if self._given:
            what = f"The gradient given for {y}, that of some L, pulled back to {x} by the chain rule."
        else:
            what = f"{_d(y, x)} by the chain rule."
            what += f" L is {y}." if y != "L" else ""
        if short is not None:
            what += f" A bar marks a derivative of L: {bars[short]} is {PARTIAL}{to_text(name_part(short))}."
        return what

    def _shown(self) -> tuple[list[Step], list[int]]:
        """The steps that are printed, and their numbers."""
        every = list(range(1, len(self.steps) + 1))
        if len(every) <= MAX_STEPS:
            return self.steps, every
        return self.steps[:ENDS] + self.steps[-ENDS:], every[:ENDS] + every[-ENDS:]

    def __str__(self) -> str:
        shown, numbers = self._shown()
        hidden = len(self.steps) - len(shown)
        note = [f"      … {hidden} more, not printed"]
        used: list[Step | Beside] = []
        for step in shown:
            used += [step, *reversed(step.beside)]
        values = align_points([row.data for row in used])
        made = [shorten(to_text(row.forward), WIDTH - 8 - max(map(text_width, values))) for row in used]
        width = max(map(text_width, made))
        forward = [f"      {_padded(text, width)}  {value}".rstrip() for text, value in zip(made, values, strict=True)]
        backward = _lines(shown, numbers)
        if hidden:
            forward.insert(sum(1 + len(step.beside) for step in shown[:ENDS]), *note)
            backward.insert(ENDS, note)
        back = [line for step in backward for line in step]
        bar = to_text(self.steps[-1].bar)
        left = [] if self._given else [_d(*self._names())]
        left += [] if left and bar.startswith(PARTIAL) else [bar]
        end = " = ".join([*left, to_text(self.steps[-1].result)])
        title = textwrap.fill(self._title_text(), WIDTH)
        return "\n".join([title, "", "Forward", *forward[::-1], "", "Backward", *back, "", end])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The steps as a table of formulas, for a notebook."""
        shown, numbers = self._shown()
        rows = []
        for n, step in zip(numbers, shown, strict=True):
            others = [
                f"<td>{to_mathml(other.forward)}</td><td>{escape(other.data)}</td>" for other in reversed(step.beside)
            ]
            middle = [to_mathml(step.left), _equation(step.symbols), _equation(step.numbers), _equation(step.result)]
            cells = "".join(f"<td>{cell}</td>" for cell in (n, *middle, to_mathml(step.forward), escape(step.data)))
            rows.append("".join([f"<tr>{cells}</tr>", *(f'<tr><td colspan="5"></td>{other}</tr>' for other in others)]))
        if len(shown) < len(self.steps):
            rows.insert(
                ENDS, f'<tr><td></td><td colspan="6">… {len(self.steps) - len(shown)} more, not shown</td></tr>'
            )
        parts = () if self._given else (*self._derivative().parts, EQUALS)
        last = to_mathml(Row((*parts, self.steps[-1].bar, EQUALS, self.steps[-1].result)), display=True)
        table = f'<div><table class="ad-derivation">{HEAD}{"".join(rows)}</table></div>'
        return f'{STYLE}<div class="ad-derived"><p>{escape(self._title())}</p>{table}<p>{last}</p></div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/html": self._repr_html_(), "text/plain": str(self)}
        if len(self.steps) <= MAX_STEPS:
            bundle["text/latex"] = f"$${self.latex}$$"
        return bundle


def added_up(steps: list[Step]) -> Any:
    """The derivative computed from the steps alone: local derivatives multiplied and added up."""
    found: dict[int, Any] = {id(steps[0].node): steps[0].value}
    with np.errstate(all="ignore"):
        for step in steps:
            for term in step.terms:
                part, key = term.again(found[id(term.user)]), id(step.node)
                found[key] = found[key] + part if key in found else part
    total, data = found[id(steps[-1].node)], data_of(steps[-1].node)
    return np.asarray(total, data.dtype) if isinstance(data, np.ndarray) else total


HEAD = '<tr><th></th><th colspan="4">Backward: read down</th><th colspan="2">Forward: read up</th></tr>'
STYLE = """<style>
table.ad-derivation, table.ad-derivation :is(tr, th, td) { border: 0; background: none; color: inherit }
table.ad-derivation :is(th, td) { padding: 0.3em 0.6em; text-align: left; white-space: nowrap; vertical-align: middle }
table.ad-derivation td:first-child { opacity: 0.65; text-align: right }
table.ad-derivation td:nth-child(2):not(:nth-last-child(2)) { text-align: right; padding-right: 0 }
table.ad-derivation td:nth-child(3):not(:last-child) { padding-left: 0 }
table.ad-derivation td:nth-last-child(-n+2) { opacity: 0.75 }
table.ad-derivation :is(td:nth-last-child(2), th:last-child) { padding-left: 2.5em }
div.ad-derived > div { overflow-x: auto }
div.ad-derived math { font-size: 1.15em; display: inline math }
</style>"""


def derive(y: Any, wrt: Any, gradient: Any = None) -> Derivation:
    r"""Write out the chain rule from ``y`` back to ``wrt``, for the tape as it is.

    Parameters
    ----------
    y : Value or Tensor
        A single number, unless ``gradient`` is given.
    wrt : Value or Tensor
        What ``y`` was computed from: a leaf, or any node between.
    gradient : array_like, optional
        Cotangent of ``y``, of its shape, as in ``backward``.

    Returns
    -------
    Derivation
        Prints as text, shows itself in a notebook as formulas; ``.steps``, ``.latex``, and ``.value``: the derivative
        computed anew from the steps.  Nobody's ``.grad`` is read or changed.

    Raises
    ------
    TapeError
        If ``y`` was not recorded, does not depend on ``wrt``, or its tape was freed.
    ShapeError
        If ``y`` is not a single number and no gradient was given, or one of another shape.
    KindError
        If the gradient is not made of numbers, or is complex and ``y`` is real.
    StaleDataError
        If data was changed since it was used.

    Examples
    --------
    >>> import autodiff as ad
    >>> x, w = ad.Value(2.0), ad.Value(-3.0)
    >>> y = ad.tanh(x * w + 7)
    >>> print(ad.derive(y, wrt=x))
    dy/dx by the chain rule. A bar marks a derivative of y: x̄ is dy/dx.
    <BLANKLINE>
    Forward
          x            2.0
          v₁ = x w     -6.0
          v₂ = v₁ + 7  1.0
          y = tanh v₂  0.7616
    <BLANKLINE>
    Backward
       1  ȳ                                     = 1.0
       2  v̄₂ = ȳ·(1 - y²)  = 1.0·(1 - 0.7616²)  = 0.42
       3  v̄₁ = v̄₂                               = 0.42
       4  x̄ = w v̄₁         = -3.0·0.42          = -1.26
    <BLANKLINE>
    dy/dx = x̄ = -1.26
    """
    return Derivation(Chain(y, wrt, gradient, sys._getframe(1), "derive"))


# Lines of text.


def _d(y: str, x: str) -> str:
    """The derivative of one name by another."""
    short = len(y) == len(x) == 1
    y, x = (to_text(name_part(name)) for name in (y, x))
    return f"d{y}/d{x}" if short else f"d {y} / d {x}"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - text_width(text))


def _is_shape(part: Part | None) -> bool:
    """Whether a text, of shapes or of a range, stands for the numbers."""
    return isinstance(part, Atom) and part.kind == "text"


def _lines(steps: list[Step], numbers: list[int]) -> list[list[str]]:
    """Each step as one line, or as two where that would be too wide."""
    symbols, middles = [], []
    for step in steps:
        right = f" = {to_text(step.symbols)}" if step.symbols is not None else ""
        symbols.append(to_text(step.left) + right)
        middle = "" if step.numbers is None else to_text(step.numbers)
        middles.append(middle if _is_shape(step.numbers) else f"= {middle}" if middle else "")
    results = align_points([to_text(step.result) for step in steps])
    results = [f"{' ' if _is_shape(step.result) else '='} {text}" for step, text in zip(steps, results, strict=True)]
    w1 = max([w for w in map(text_width, symbols) if w <= WIDEST["symbols"]], default=0)
    room = min(WIDEST["numbers"], WIDTH - 10 - w1 - max(map(text_width, results)))
    w2 = max([w for w in map(text_width, middles) if w <= room], default=0)
    lines = []
    for n, symbol, middle, result in zip(numbers, symbols, middles, results, strict=True):
        head, blank = f"{n:>4}  ", " " * 6
        if text_width(symbol) <= w1 and text_width(middle) <= w2:
            lines.append([f"{head}{_padded(symbol, w1)}  {_padded(middle, w2)}  {result}".rstrip()])
        else:
            own = [blank + "    " + shorten(middle, WIDTH - 10)] if middle else []
            end = f"{blank}{' ' * (w1 + w2 + 4)}{result}".rstrip()
            lines.append([head + shorten(symbol, WIDTH - 6), *own, end])
    return lines


def _equation(part: Part | None) -> str:
    """A cell ``= part``; shapes stand without the sign."""
    if part is None:
        return ""
    if _is_shape(part):
        return f"<span>{escape(to_text(part))}</span>"
    return to_mathml(Row((EQUALS, part)))
