"""``ad.derive``: its steps add up to the gradient, and read well."""

import xml.etree.ElementTree as ET
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff.core.errors import KindError, ShapeError, StaleDataError, TapeError
from autodiff.core.summary import text_width
from autodiff.viz.derive import derive
from autodiff.viz.latex import parse
from autodiff.viz.mathml import to_text

UNARY = [ad.sin, ad.tanh, ad.exp, ad.sigmoid, lambda x: ad.sqrt(x * x + 1), ad.relu, lambda x: x**2, lambda x: -x]
BINARY = [ad.add, ad.subtract, ad.multiply, lambda a, b: a / (b * b + 1), ad.maximum]
MATRIX = [lambda a, b: a @ b.T @ a, lambda a, b: ad.softmax(a, axis=1), lambda a, b: a + ad.mean(b, axis=0)]
MATRIX.append(lambda a, b: a * ad.sum(b))


def scalar_program(choices, x):
    """A number made of ``x`` by ops that each use earlier results, bounded so that nothing overflows."""
    made = [x, x * 0.5]
    for op, i, j in choices:
        a, b = made[i % len(made)], made[j % len(made)]
        made.append(ad.tanh(UNARY[op](a) if op < len(UNARY) else BINARY[op - len(UNARY)](a, b)))
    return made[-1] + made[len(made) // 2] * made[0]


def array_program(choices, x):
    """A number made of a matrix by the same ops and some of matrices."""
    made = [x]
    for op, i, j in choices:
        a, b = made[i % len(made)], made[j % len(made)]
        if op < len(MATRIX):
            made.append(ad.tanh(MATRIX[op](a, b)))
        else:
            made.append(ad.tanh(UNARY[op](a) if op < len(UNARY) else BINARY[op - len(UNARY)](a, b)))
    return ad.sum(made[-1] * made[0])


PROGRAMS = st.lists(
    st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 9), st.integers(0, 9)), max_size=8
)


@settings(max_examples=80, deadline=None)
@given(PROGRAMS, st.floats(-2, 2))
def test_the_steps_of_a_scalar_program_multiply_and_add_up_to_the_gradient(choices, at):
    x = ad.Value(at)
    y = scalar_program(choices, x)
    derivation = derive(y, wrt=x)
    y.backward()
    assert derivation.value == pytest.approx(x.grad, rel=1e-12, abs=1e-300)
    assert derivation.steps[-1].node is x
    assert derivation.steps[0].node is y
    assert str(derivation)


@settings(max_examples=40, deadline=None)
@given(PROGRAMS, st.integers(0, 1000))
def test_the_steps_of_an_array_program_add_up_to_the_gradient(choices, seed):
    x = ad.Tensor(np.random.default_rng(seed).normal(size=(3, 2)))
    y = array_program(choices, x)
    derivation = derive(y, x)
    y.backward()
    np.testing.assert_allclose(derivation.value, x.grad, rtol=1e-9, atol=1e-12)
    assert derivation.value.dtype == x.dtype
    parse(
        derivation.latex.removeprefix("\\begin{aligned}")
        .removesuffix("\\end{aligned}")
        .replace("&", "")
        .replace("\\\\\n", "")
    )
    for math in derivation._repr_html_().split("<math")[1:]:
        ET.fromstring("<math" + math.split("</math>")[0] + "</math>")


def test_sympy_finds_the_same_derivative():
    x = ad.Value(0.7)
    y = ad.tanh(x * ad.exp(-x)) / (1 + x**2) + ad.log(x)
    t = sympy.symbols("t")
    expression = sympy.tanh(t * sympy.exp(-t)) / (1 + t**2) + sympy.log(t)
    assert derive(y, x).value == pytest.approx(float(expression.diff(t).subs(t, 0.7)), rel=1e-13)


def test_fractions_stay_exact():
    a, b = ad.Value(Fraction(1, 3)), ad.Value(Fraction(2, 7))
    assert derive(a * a * b + a / b, wrt=a).value == 2 * Fraction(1, 3) * Fraction(2, 7) + Fraction(7, 2)


def test_a_derivation_reads_as_text():
    x, w = ad.Value(2.0), ad.Value(-3.0)
    v = x * w
    loss = v * x + ad.sin(v)
    assert str(derive(loss, wrt=x)) == (
        "d loss / d x by the chain rule. L is loss. A bar marks a derivative of L: x̄ is ∂L/∂x.\n"
        "\n"
        "Forward\n"
        "      x               2.0\n"
        "      v = x w         -6.0\n"
        "      v₁ = v x        -12.0\n"
        "      v₂ = sin v      0.2794\n"
        "      loss = v₁ + v₂  -11.72\n"
        "\n"
        "Backward\n"
        "   1  ∂L/∂loss                                        = 1.0\n"
        "   2  v̄₂ = ∂L/∂loss                                   = 1.0\n"
        "   3  v̄₁ = ∂L/∂loss                                   = 1.0\n"
        "   4  v̄ = v̄₂·cos v + x v̄₁  = 1.0·cos(-6.0) + 2.0·1.0  = 2.96\n"
        "   5  x̄ = v v̄₁ + w v̄       = -6.0·1.0 + (-3.0)·2.96   = -14.88\n"
        "\n"
        "d loss / d x = x̄ = -14.88"
    )


def test_numbers_that_are_the_result_are_not_said_twice():
    x = ad.Value(2.0)
    y = -x
    assert "   2  x̄ = -ȳ    = -1.0\n" in str(derive(y, x))


def test_a_bar_stands_above_one_letter_only():
    x, weight = ad.Tensor([1.0, 2.0]), ad.Tensor([3.0, 4.0], name="net.weight")
    y = ad.mean(x * weight)
    lines = str(derive(y, weight)).splitlines()
    assert lines[0] == "d y / d net.weight by the chain rule. L is y. A bar marks a derivative of L: v̄₁ is ∂L/∂v₁."
    assert lines[-3].split() == ["3", "∂L/∂net.weight", "=", "x", "v̄₁", "(2,)", "[0.5,", "1.0]"]
    assert lines[-1] == "d y / d net.weight = [0.5, 1.0]"
    assert r"\overline{\mathit{net.weight}} &= x \, \bar v_1" in derive(y, weight).latex
    given = derive(weight * 2.0, weight, gradient=[1.0, 1.0])
    assert str(given).startswith("The gradient given for y, that of some L, pulled back to net.weight by the chain")
    assert str(given).endswith("∂L/∂net.weight = [2.0, 2.0]")
    loss = weight[0]
    assert str(derive(loss, weight)).startswith("d loss / d net.weight by the chain rule. L is loss.\n")
    L = ad.sum(weight)
    assert str(derive(L, weight)).startswith(
        "d L / d net.weight by the chain rule. A bar marks a derivative of L: L̄ is ∂L/∂L.\n"
    )


def test_what_is_used_besides_has_a_name_and_says_what_made_it():
    x, b = ad.Tensor([1.0, 2.0], name="x"), ad.Tensor([0.5, 0.5])
    y = ad.sum(ad.tanh(x) * b + ad.exp(x))
    derivation = derive(y, b)
    assert [other for step in derivation.steps for other in step.beside] == [
        ("u2", "exp", "[2.718, 7.389]"),
        ("u1", "tanh", "[0.7616, 0.964]"),
    ]
    assert str(derivation).splitlines()[2:8] == [
        "Forward",
        "      b             [0.5, 0.5]",
        "      u₁ = tanh(…)  [0.7616, 0.964]",
        "      v₁ = u₁ b     [0.3808, 0.482]",
        "      u₂ = exp(…)   [2.718, 7.389]",
        "      v₂ = v₁ + u₂  [3.099, 7.871]",
    ]
    assert derivation.latex.startswith("\\begin{aligned}\nu_1 &= \\operatorname{tanh}")
    assert derivation._repr_html_().count("<tr>") == 1 + 4 + 2
    assert "u₁" not in str(derive(y, x))


def test_the_table_of_a_notebook_has_a_heading_and_scrolls():
    html = (lambda x: derive(x * x, x))(ad.Value(2.0))._repr_html_()
    assert '<th colspan="4">Backward: read down</th><th colspan="2">Forward: read up</th>' in html
    assert "div.ad-derived > div { overflow-x: auto }" in html
    assert '<div><table class="ad-derivation">' in html


def test_matrix_steps_show_shapes():
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(32, 10)), ad.Tensor(rng.normal(size=(10, 64))), ad.Tensor(np.zeros(64))
    h = ad.tanh(X @ W + b)
    loss = ad.mean(h**2)
    text = str(derive(loss, wrt=W))
    assert "W̄ = Xᵀ v̄" in text
    assert "(10, 32) @ (32, 64)" in text
    assert "(32, 64), summed to (64,)" in str(derive(loss, wrt=b))
    assert "h" in text


def test_only_what_lies_between_appears():
    x, w = ad.Value(2.0), ad.Value(3.0)
    aside = ad.exp(w)
    y = x * aside + w
    assert [step.node for step in derive(y, x).steps] == [y, y.args[0], x]
    assert "aside =" not in str(derive(y, x))


def test_any_node_can_be_asked_for_and_the_result_itself():
    x = ad.Value(2.0)
    v = x * x
    y = ad.sin(v)
    assert derive(y, wrt=v).value == pytest.approx(np.cos(4.0))
    assert derive(y, wrt=y).value == 1.0
    assert "dy/dy = ȳ = 1.0" in str(derive(y, wrt=y))


def test_a_gradient_may_be_given():
    x = ad.Tensor([1.0, 2.0])
    y = x**2
    np.testing.assert_allclose(derive(y, x, gradient=[1.0, 10.0]).value, [2.0, 40.0])
    assert str(derive(y, x, gradient=[1.0, 10.0])).startswith("The gradient given for y, pulled back to x")


@pytest.mark.parametrize(("shape", "result"), [((), "12.0"), ((2,), "[12.0, 12.0]")])
def test_what_is_pulled_back_from_a_given_gradient_is_not_called_a_derivative(shape, result):
    x = ad.Tensor(np.full(shape, 2.0), name="x")
    y = x * x
    derivation = derive(y, x, gradient=np.full(shape, 3.0))
    assert (derivation.value == 12.0).all()
    assert "dy/dx" not in str(derivation)
    assert str(derivation).splitlines()[-1] == f"x̄ = {result}"
    assert "frac" not in derivation.latex
    assert "mfrac" not in derivation._repr_html_()


def test_no_gradient_is_read_or_changed():
    x = ad.Value(2.0)
    y = x * x
    y.backward()
    x.grad = 100.0
    assert derive(y, x).value == 4.0
    assert x.grad == 100.0


def test_a_derivation_does_not_change_when_its_leaves_do():
    x, w = ad.Tensor([1.0, 2.0]), ad.Value(3.0)
    derivation = derive(ad.sum(x * x) * w, wrt=x)
    text, number = str(derive(ad.sum(x * x) * w, wrt=x)), derivation.value
    x.data = [5.0, 6.0]
    w.data = 7.0
    assert str(derivation).replace("y", "") == text.replace("y", "")
    assert derivation.value is number


def test_complex_numbers_and_infinite_slopes():
    z = ad.Value(1 + 2j)
    y = ad.absolute(z * z)
    derivation = derive(y, z)
    y.backward()
    assert derivation.value == pytest.approx(z.grad)
    assert "()" not in str(derivation)  # the shape of a single number says nothing
    x = ad.Value(0.0)
    y = ad.sqrt(x) * 0.0
    assert derive(y, x).value == 0.0


def test_long_tapes_are_shortened_and_lines_fit():
    x = ad.Value(1.0)
    y = x
    for _ in range(2000):
        y = ad.sin(y) + x
    derivation = derive(y, x)
    text = str(derivation)
    assert text.count("\n") < 70
    assert "… 3977 more, not printed" in text
    assert "x̄ = ȳ + v̄₃₉₉₈ + v̄₃₉₉₆ + v̄₃₉₉₄ + v̄₃₉₉₂ + v̄₃₉₉₀ + … + v̄₁·cos x" in text
    assert max(map(text_width, text.splitlines())) <= 100
    assert len(derivation.steps) == 4001
    assert "3977 more" in derivation._repr_html_()
    assert {*derivation._repr_mimebundle_()} == {"text/html", "text/plain"}  # a page need not hold 4,000 formulas
    assert derivation.latex.count("&=") == 4002


def test_formulas_that_are_longer_than_a_line_are_shortened():
    x = ad.Tensor(np.random.default_rng(0).normal(size=(3, 3)) + 3 * np.eye(3))
    q, r = ad.linalg.qr(x)
    u, s, vh = ad.linalg.svd(r)
    derivation = derive(ad.sum(q) + ad.sum(u @ vh) + s[0], wrt=x)
    assert max(map(text_width, str(derivation).splitlines())) <= 100
    assert "…" in str(derivation)


def test_a_derivation_does_not_change_when_its_tape_is_freed():
    def shown(derivation):
        return str(derivation), derivation.latex, derivation._repr_html_()

    x, t = ad.Value(2.0), ad.Tensor([1.0, 2.0])
    middle = x * x
    y = ad.sin(middle) * ad.sum(ad.stack([t, t]))
    printed, kept = ([derive(y, wrt) for wrt in (x, middle, t)] for _ in range(2))
    texts = [*map(shown, printed)]
    y.backward(free=True)
    assert [*map(shown, kept)] == texts


@pytest.mark.parametrize("name", ["<script>", 'a"b', "model.layers[0].weight", "🙂", "x" * 1000, "%7", "\\frac"])
def test_names_of_all_kinds_are_shown_and_are_no_markup(name):
    x = ad.Value(2.0, name=name)
    y = x * x + ad.exp(x)
    derivation = derive(y, x)
    assert max(map(text_width, str(derivation).splitlines())) <= 100
    assert "<script>" not in derivation._repr_html_()
    assert tags_in(derivation.latex) == []
    assert {*derivation._repr_mimebundle_()} == {"text/html", "text/latex", "text/plain"}


def tags_in(page):
    """The tags, entities and comments that a browser would find."""
    found = []
    parser = HTMLParser(convert_charrefs=False)
    for handler in ("starttag", "endtag", "startendtag", "comment", "decl", "pi", "entityref", "charref"):
        setattr(parser, f"handle_{handler}", lambda *what: found.append(what))
    parser.feed(page)
    parser.close()
    return found


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("a_b", r"\mathit{a\_b}"),
        ("<b>x</b>", r"\mathit{<{}b>x<{}/b>}"),
        ("</script>", r"\mathit{<{}/script>}"),
        ("<!--", r"\mathit{<{}!--}"),
        ("&lt;", r"\mathit{\&{}lt;}"),
        ("\\input{x}", r"\mathit{\backslash{}input\{x\}}"),
        ("~^$#%", r"\mathit{\sim{}\hat{}\$\#\%}"),
        ("<img src=x onerror=alert(1)>", r"\mathit{<{}img\ src=x\ onerror=alert(1)>}"),
    ],
)
def test_the_latex_of_a_name_is_valid_and_no_markup(name, latex):
    x = ad.Value(2.0, name=name)
    derivation = derive(x * ad.exp(x), x)
    assert rf"\overline{{{latex}}} &= " in derivation.latex
    assert tags_in(derivation.latex) == []
    assert to_text(latex) == name  # what is written is read


def test_the_latex_of_a_symbolic_number_is_no_markup():
    x = ad.Value(sympy.Symbol("<b>_1_2"))
    derivation = derive(x * x, x)
    assert r"\mathit{<{}b>\_1\_2}" in derivation.latex
    assert tags_in(derivation.latex) == []


def test_the_same_name_twice_and_names_like_ours():
    def layer(x):
        h = x * 2.0
        h.name = "h"
        return h

    v1 = ad.Value(1.0)
    y = layer(ad.sin(layer(v1)))
    text = str(derive(y, v1))
    assert "h(2)" in text
    assert "u₁ = sin h" in text
    x, v1 = ad.Value(2.0), ad.Value(3.0)  # beside the way
    text = str(derive(ad.sin(ad.sin(x)) * v1, x))
    assert "u₁ = sin x" in text
    assert "y = u₂·v₁" in text or "y = u₂ v₁" in text


def test_errors_say_what_to_do():
    x, y, w = ad.Value(2.0), ad.Value(3.0), ad.Tensor([1.0, 2.0])
    with pytest.raises(TapeError, match="does not depend on Value 'b', so there is no chain"):
        derive(x * y, wrt=ad.Value(1.0, name="b"))
    with pytest.raises(TapeError, match=r"derive\(\) needs a result that was recorded, got a plain float"):
        derive(2.0, wrt=x)
    with pytest.raises(TapeError, match="with respect to a plain float, which no tape knows"):
        derive(x * y, wrt=3.0)
    with pytest.raises(TapeError, match="which has requires_grad=False"):
        derive(x * y, wrt=y.detach())
    with pytest.raises(ShapeError, match=r"derive\(\) of .* only a single number has a gradient"):
        derive(w * 2, wrt=w)
    with pytest.raises(ShapeError, match=r"got a gradient of shape \(3,\); it must be \(2,\)"):
        derive(w * 2, wrt=w, gradient=np.ones(3))
    z = w * w
    s = ad.sum(z)
    w.data = [5.0, 6.0]
    with pytest.raises(StaleDataError, match=r"derive\(\): The data of .* was changed after multiply used it"):
        derive(s, wrt=w)
    y = ad.sin(x * x)
    y.backward(free=True)
    for wrt in (x, y):
        with pytest.raises(TapeError, match=r"derive\(\): This tape was freed by backward\(free=True\)"):
            derive(y, wrt=wrt)


@pytest.mark.parametrize("gradient", ["q", "3", object(), {}, [None, None], ["a", "b"], np.array(["a", "b"])])
def test_a_gradient_that_is_no_number(gradient):
    x, t = ad.Value(2.0), ad.Tensor([1.0, 2.0])
    for y, wrt in ((x * x, x), (t * t, t)):
        with pytest.raises(
            KindError, match=r"derive\(gradient=\) of a .* \(made by multiply\) got .* is no number; it must"
        ):
            derive(y, wrt, gradient=gradient)


@pytest.mark.parametrize("gradient", [2j, np.array(2j), np.complex64(1), [1j, 0.0], [Fraction(1, 2), 1j]])
@pytest.mark.parametrize("look", [ad.derive, ad.paths, lambda y, x, gradient: ad.debug(y, gradient=gradient)])
def test_a_complex_gradient_of_a_real_result_is_refused(look, gradient):
    x = ad.Tensor([1.0, 2.0]) if isinstance(gradient, list) else ad.Value(2.0)
    with pytest.raises(KindError, match=r"which is complex, and the result is real: .* Give its real part"):
        look(x * x, x, gradient=gradient)


def test_gradients_of_all_kinds_of_numbers_are_taken():
    z = ad.Value(1j)
    assert derive(z * z, z, gradient=2j).value == 4
    x, t = ad.Value(Fraction(1, 2)), ad.Tensor([1.0, 2.0])
    assert derive(x * x, x, gradient=Fraction(1, 3)).value == Fraction(1, 3)
    assert derive(x * x, x, gradient=np.float32(2)).value == 2
    for gradient in ([1, Fraction(1, 2)], (1, 0.5), ad.Tensor([1.0, 0.5]), np.array([2, 1], object) / 2):
        np.testing.assert_array_equal(derive(t * t, t, gradient=gradient).value, [2.0, 2.0])
    with pytest.raises(
        ShapeError, match=r"derive\(gradient=\) .* got lists of several lengths; it must have the shape"
    ):
        derive(t * t, t, gradient=[[1], [2, 3]])
