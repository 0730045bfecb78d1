"""Formulas as MathML and as text: every row of the table, and what could break the page that holds them."""

import xml.etree.ElementTree as ET

import pytest

import autodiff as ad
from autodiff.core.errors import ArgumentError
from autodiff.core.rule import TABLE
from autodiff.viz.formula import formula_of
from autodiff.viz.latex import parse, write
from autodiff.viz.mathml import to_mathml, to_text

ad.ops.public.names()
ROWS = [r for r in TABLE.values() if r.forward.__module__.startswith("autodiff.ops")]
KNOWN = {"math", "mi", "mn", "mo", "mtext", "mspace", "mrow", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup"}
KNOWN |= {"munder", "munderover", "mover", "mtable", "mtr", "mtd"}
CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}


def check(mathml):
    """Parse what a browser will, and count the children that each element must have."""
    for element in ET.fromstring(mathml).iter():
        assert element.tag in KNOWN
        assert len(element) == CHILDREN.get(element.tag, len(element))
        assert len(element) == 0 or not (element.text or "").strip()


@pytest.mark.parametrize("rule", ROWS, ids=lambda r: r.name)
def test_each_row_is_read_written_and_printed(rule):
    assert parse(write(parse(rule.formula))) == parse(rule.formula)
    check(to_mathml(rule.formula))
    check(to_mathml(rule.formula, display=True))
    text = to_text(rule.formula)
    assert "\\" not in text
    assert "{}" not in text
    for mathml in formula_of(rule).mathml.values():
        check(mathml)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"y' = 1 - y^2", "y' = 1 - y²"),
        (r"\bar x_i = e^{x_i - y}\,\bar y", "x̄ᵢ = e^(xᵢ - y) ȳ"),
        (r"-Y^{\mathsf H} \bar Y Y^{\mathsf H}", "-Yᴴ Ȳ Yᴴ"),
        (r"\frac{1}{2 y} \bar y", "(1/(2y)) ȳ"),
        (r"\frac12 + \frac xa", "1/2 + x/a"),
        (r"\textstyle\sum \bar y\,w^*", "Σ ȳ w*"),
        (r"\sum_{i \le k} x_i", "Σ_(i≤k) xᵢ"),
        (r"\sqrt[3] x - \sqrt{1 - x^2}", "³√x - √(1 - x²)"),
        (r"[a > b] + \tfrac12 [a = b]", "[a > b] + (1/2)[a = b]"),
        (r"|x|^{q - 1} \lfloor a / b \rfloor", "|x|^(q - 1)⌊a/b⌋"),
        (r"y[k] \mathrel{+=} x, \; \#\{i : x_i \ne 0\}", "y[k] += x, #{i : xᵢ ≠ 0}"),
        (r"\ln(1 + x) \operatorname{sign} x", "ln(1 + x) sign x"),
        (r"\begin{pmatrix} X & \dot X \\ 0 & X \end{pmatrix}", "(X, Ẋ; 0, X)"),
        (r"\overline{\mathit{a\_b}} \cdot \mathit{\%7}", "∂L/∂a_b·%7"),
        (r"\mathit{a\backslash{}b\sim{}\hat{}\&{}<{}\{\}}", "a\\b~^&<{}"),
    ],
)
def test_text(latex, text):
    assert to_text(latex) == text


def test_signs_between_operands_and_before_one_are_told_apart():
    assert to_mathml("-x - y") == (
        '<math><mo form="prefix" stretchy="false">−</mo><mi>x</mi><mo>−</mo><mi>y</mi></math>'
    )


def test_names_that_are_markup_are_text():
    name = "<script>&\"'🙂"
    mathml = to_mathml(rf"\mathit{{{name.replace('&', chr(92) + '&')}}} + \text{{<b>}}")
    check(mathml)
    assert ET.fromstring(mathml)[0].text == name
    assert "<script>" not in mathml
    assert "<b>" not in mathml


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"y = \nonsense x", r"\\nonsense is a macro that is not known"),
        (r"y = {x", "it ends too early"),
        (r"y = x}", "'}' stands where it means nothing"),
        (r"x^2^3", r"two of \^ in a row"),
        (r"\frac1", "it ends too early"),
        (r"\begin{cases} x \end{cases}", "is an environment that is not known"),
        (r"\big x", "stands before what is no bracket"),
        ("x @ y", "'@' stands where it means nothing"),
    ],
)
def test_what_is_not_known_raises(latex, reason):
    with pytest.raises(ArgumentError, match=reason):
        to_mathml(latex)
