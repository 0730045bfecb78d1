"""``ad.derive``: its steps add up to the gradient, and read well."""

import xml.etree.ElementTree as ET
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
from autodiff.core.errors import ShapeError, StaleDataError, TapeError
from autodiff.core.summary import text_width
from autodiff.viz.derive import derive
from autodiff.viz.latex import parse

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
        "d loss / d x by the chain rule. A bar marks a derivative of loss: x̄ is d loss / d x.\n"
        "\n"
        "Forward\n"
        "      x               2.0\n"
        "      v = x w         -6.0\n"
        "      v₁ = v x        -12.0\n"
        "      v₂ = sin v      0.2794\n"
        "      loss = v₁ + v₂  -11.72\n"
        "\n"
        "Backward\n"
        "   1  l̅o̅s̅s̅                                            = 1.0\n"
        "   2  v̄₂ = l̅o̅s̅s̅                                       = 1.0\n"
        "   3  v̄₁ = l̅o̅s̅s̅                                       = 1.0\n"
        "   4  v̄ = v̄₂·cos v + x v̄₁  = 1.0·cos(-6.0) + 2.0·1.0  = 2.96\n"
        "   5  x̄ = v v̄₁ + w v̄       = -6.0·1.0 + (-3.0)·2.96   = -14.88\n"
        "\n"
        "d loss / d x = x̄ = -14.88"
    )


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


def test_formulas_that_are_longer_than_a_line_are_shortened():
    x = ad.Tensor(np.random.default_rng(0).normal(size=(3, 3)) + 3 * np.eye(3))
    q, r = ad.linalg.qr(x)
    u, s, vh = ad.linalg.svd(r)
    derivation = derive(ad.sum(q) + ad.sum(u @ vh) + s[0], wrt=x)
    assert max(map(text_width, str(derivation).splitlines())) <= 100
    assert "…" in str(derivation)


@pytest.mark.parametrize("name", ["<script>", 'a"b', "model.layers[0].weight", "🙂", "x" * 1000, "%7", "\\frac"])
def test_names_of_all_kinds_are_shown_and_are_no_markup(name):
    x = ad.Value(2.0, name=name)
    y = x * x + ad.exp(x)
    derivation = derive(y, x)
    assert max(map(text_width, str(derivation).splitlines())) <= 100
    assert "<script>" not in derivation._repr_html_()
    assert {*derivation._repr_mimebundle_()} == {"text/html", "text/latex", "text/plain"}


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
    with pytest.raises(StaleDataError):
        derive(s, wrt=w)
