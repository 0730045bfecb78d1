"""Expressions are computed as Python would, and whatever is not one is refused with its place."""

import re
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff.cli.expression import compute, read_values
from autodiff.core.errors import AutodiffError


def value(expression, at="x=2,y=3"):
    return compute(expression, read_values([at]))[0].data


def refusal(expression, at="x=2,y=3", exact=False):
    with pytest.raises(AutodiffError) as raised:
        compute(expression, read_values([at], exact), exact)
    return str(raised.value)


def terms(inner):
    pairs = st.tuples(inner, inner)
    calls = st.sampled_from(["sin", "np.cos", "math.tanh", "ad.arctan", "np.linalg.norm", "expit"])
    return st.one_of(
        st.tuples(pairs, st.sampled_from("+-*")).map(lambda p: f"({p[0][0]} {p[1]} {p[0][1]})"),
        st.tuples(pairs, st.sampled_from("+-*")).map(lambda p: f"{p[0][0]}{p[1]}{p[0][1]}"),
        inner.map(lambda a: f"({a})/2.5"),
        inner.map(lambda a: f"-({a})"),
        inner.map(lambda a: f"+{a}" if a[0] not in "+-" else a),
        inner.map(lambda a: f"({a})**2"),
        st.tuples(calls.filter(lambda c: "norm" not in c), inner).map("{0[0]}({0[1]})".format),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "y", "3", "0.25", "1e-1", "pi", "np.pi", "math.e"]), terms, max_leaves=12
)


@given(EXPRESSIONS)
def test_values_and_gradients_are_those_of_python(expression):
    """The expression says the same to Python, where it is a function of x and y."""
    names = {"sin": ad.sin, "expit": ad.expit, "np": np, "math": ad, "ad": ad, "pi": np.pi}
    expression = f"{expression} + 0*x*y".replace("math.e", "2.718281828459045")
    f = eval(f"lambda x, y: {expression}", names)
    result, found = compute(expression, read_values(["x=0.7,y=-1.2"]))
    x, y = ad.Value(0.7), ad.Value(-1.2)
    expected = f(x, y)
    assert result.data == expected.data
    result.backward()
    expected.backward()
    assert found["x"].grad == x.grad
    assert found["y"].grad == y.grad


@pytest.mark.parametrize(
    ("expression", "at", "expected"),
    [
        ("-x**2", "x=3", -9),
        ("2**3**2 + 0*x", "x=3", 512),
        ("x - 1 - 2 - 3", "x=3", -3),
        ("x / 2 / 3", "x=3", 0.5),
        ("x ** -1", "x=4", 0.25),
        ("1j * x", "x=2", 2j),
        ("x", "x=1/3", 1 / 3),
        ("x", "x=-1e-3", -1e-3),
        ("x", "x=sqrt(2)/2", np.sqrt(2) / 2),
        ("x", "x=pi/2", np.pi / 2),
        ("x", "x=1+2j", 1 + 2j),
        ("x*e", "x=1, e=5", 5),
        ("x * 1_000", "x=2", 2000),
        ("sum(x)", "x=[1,2,3]", 6),
        ("sum(x)", "x=(1,2,3)", 6),
        ("sum(x, axis=0)[1]", "x=[[1,2],[3,4]]", 6),
        ("sum(x, 1, keepdims=True)[1, 0]", "x=[[1,2],[3,4]]", 7),
        ("x @ [1, 10]", "x=[1,2]", 21),
        ("([1, 2] * x)[1]", "x=[5,6]", 12),
        ("x[-1] * x[0]", "x=[5,6]", 30),
        ("sum(x[1:] * x[:-1])", "x=[1,2,3]", 8),
        ("sum(x[::2])", "x=[1,2,3]", 4),
        ("sum(x[[0, 0, 2]])", "x=[1,2,3]", 5),
        ("x[..., None][1, 0]", "x=[1,2]", 2),
        ("norm(stack([x, y]))", "x=3,y=4", 5),
        ("concatenate([x, y])[3]", "x=[1,2],y=[3,4]", 4),
        ("split(x, 2)[1][0]", "x=[1,2]", 2),
        ("einsum('i,i->', x, x)", "x=[3,4]", 25),
        ("where(greater(x, 1), x, 0) + relu(-x)", "x=2", 2),
        ("a = x*y; b = a + 1\na*b", "x=2,y=3", 42),
        ("  x\n", "x=2", 2),
        ("(x +\n y)", "x=2,y=3", 5),
        ("(x +\r\n y)", "x=2,y=3", 5),
        ("x  # the variable", "x=2", 2),
        ("ｓｉｎ(ｘ) ", "x=0", 0),  # full-width letters are the same to Python
        ("β * ħ", "β=2,ħ=3", 6),
        ("mean(x)", "x=[1,2,6]", 3),
        ("sum + sin(sum)*0", "sum=2", 2),  # variables and ops do not meet
    ],
)
def test_what_can_be_written(expression, at, expected):
    assert value(expression, at) == pytest.approx(expected, rel=1e-15)


def test_long_sums_are_not_deep():
    assert value("+".join(["x"] * 500)) == 1000
    assert value("1" + "*1" * 500 + "*x") == 2


def test_names_of_intermediate_results_and_of_the_result():
    result, names = compute("a = x*x; a*a", read_values(["x=3"]))
    assert names["a"].data == 9
    assert names["f"] is result
    assert [*names] == ["x", "a", "f"]
    assert [*compute("f*y", read_values(["f=1,y=2"]))[1]] == ["f", "y", "F"]
    assert [*compute("L = x*x", read_values(["x=1"]))[1]] == ["x", "L"]


def test_nodes_remember_the_part_of_the_expression():
    result, _ = compute("ä*x + mean([ä, x])", read_values(["ä=2,x=3"]), traced=True)
    line = "ä*x + mean([ä, x])".encode()
    places = {}
    for node in ad.Tape(result):
        if node.origin:
            place = node.origin.place
            assert place.line.text == line.decode()
            assert place.line.number == place.last == 1
            places.setdefault(node.rule.name, line[place.column : place.end_column].decode())
    assert places["multiply"] == "ä*x"
    assert places["add"] == line.decode()
    assert places["mean"] == "mean([ä, x])"


def test_exact():
    variables = read_values(["x=1/3,y=0.1", "z=1_0.5e-1"], exact=True)
    assert [v.data for v in variables.values()] == [Fraction(1, 3), Fraction(1, 10), Fraction(21, 20)]
    y, names = compute("1/3*x + 0.1*y", variables, exact=True)
    assert y.data == Fraction(1, 9) + Fraction(1, 100)
    y.backward()
    assert names["x"].grad == Fraction(1, 3)
    assert type(names["x"].grad) is Fraction
    assert "kind of number has no exp" in refusal("exp(x)", "x=1", exact=True)
    assert refusal("exp(x)", "x=1", exact=True).endswith("Or leave --exact away.")
    assert "x is a list, and --exact computes with single numbers" in refusal("x", "x=[1]", exact=True)


@pytest.mark.parametrize(
    ("expression", "message", "marked"),
    [
        ("x < y", "A comparison cannot be used here.", "x < y"),
        ("x and y", "'and' or 'or' cannot be used here.", "x and y"),
        ("not x", "'not' cannot be used here.", "not x"),
        ("1 + x^2", "^ cannot be used here. A power is written **.", "1 + x^2"),
        ("x // y", "// cannot be used here.", "x // y"),
        ("x % y", "% cannot be used here.", "x % y"),
        ("x + ~y", "~ cannot be used here.", "~y"),
        ("sin(lambda: x)", "A lambda cannot be used here.", "lambda: x"),
        ("sum([a for a in x])", "A comprehension cannot be used here.", "[a for a in x]"),
        ("sum(a for a in x)", "A comprehension cannot be used here.", "(a for a in x)"),
        ("x + {1: 2}", "A dictionary cannot be used here.", "{1: 2}"),
        ("x + {1}", "A set cannot be used here.", "{1}"),
        ("f'{x}'", "An f-string cannot be used here.", "f'{x}'"),
        ("(a := x)", "An assignment by := cannot be used here.", "a := x"),
        ("sum(*x)", "A starred argument cannot be used here.", "*x"),
        ("sum(**x)", "A starred argument cannot be used here.", "**x"),
        ("x if y else 1", "A condition cannot be used here.", "x if y else 1"),
        ("x + y.sum()", "An attribute cannot be used here. Write sum(x) for x.sum.", "y.sum"),
        ("x + y.T", "An attribute cannot be used here. Write transpose(x) for x.T.", "y.T"),
        ("x.data", "An attribute cannot be used here.", "x.data"),
        ("np.random.rand(3)", "An attribute cannot be used here.", "np.random.rand"),
        ("().__class__", "An attribute cannot be used here.", "().__class__"),
        ("b'x' + x", "A byte string cannot be used here.", "b'x'"),
        ("import os", "A statement cannot be used here.", "import os"),
        ("a += x", "An updating assignment cannot be used here.", "a += x"),
        ("x + 'a'", "'a' is no number.", "'a'"),
        ("x + True", "True is no number.", "True"),
        ("x + None", "None is no number.", "None"),
        ("sinn(x) + y", "There is no op sinn. Did you mean sin?", "sinn"),
        ("x + ln(y)", "There is no op ln. Did you mean log?", "ln"),
        ("open('x')", "There is no op open.", "open"),
        ("x + np.sine(y)", "There is no op sine. Did you mean sin?", "np.sine"),
        ("x(y + 1)", "There is no op x. Write x*(...) to multiply.", "x"),
        ("2(x)", "Only ops can be called. Write a * in between to multiply.", "2(x)"),
        ("(x)(y)(x)", "Only ops can be called.", "(x)(y)(x)"),
        ("sin + x", "sin is an op. Write its arguments in parentheses, as in sin(x).", "sin"),
        ("np + x", "np is the name of a library. Write np.sin(x), or just sin(x).", "np"),
        ("X + y", "There is no value for X. Did you mean x?", "X"),
        ("x + w", "There is no value for w. Add: --at w=1.0", "w"),
        ("x*w + v*u*w", "There is no value for w, v and u. Add: --at w=1.0,v=1.0,u=1.0", "w"),
        ("х + y", "There is no value for х (CYRILLIC SMALL LETTER HA). Add: --at х=1.0", "х"),
        ("a = b; b = x; a", "b gets its value only further on. Write that part first.", "b"),
        ("x; y", "Only the last part may be without a name. Write a = ... for this one.", "x"),
        ("x = y", "x has a value already. Choose another name.", "x"),
        ("a, b = x, y", "An intermediate result is one name with one value: a = x*y.", "a, b = x, y"),
        ("x[0]", "This is a single number; only lists have entries.", "x[0]"),
        ("sum([x, y])[0]", "This is a single number; only lists have entries.", "sum([x, y])[0]"),
        ("stack([x, y])[x]", "An index is a whole number, such as the 0 of x[0].", "x"),
        ("stack([x, y])[0:1.5]", "An index is a whole number, such as the 0 of x[0].", "1.5"),
        ("y + stack([x, y])[7]", "stack([x, y])[7] cannot be computed: index 7 is out of bounds", None),
        ("x + sin(x, x, y)", "sin takes 1 argument, and 3 stand here.", "sin(x, x, y)"),
        ("add(x, y, x)", "add takes 2 arguments, and 3 stand here.", "add(x, y, x)"),
        ("sin(x, foo=2)", "sin takes 1 argument, and no foo=.", "foo=2"),
        ("stack([x, y])[1,\n2]", "stack([x, y])[1,… cannot be computed: too many indices", None),
        ("x + 1/(y - 3)", "1 / 0.0 cannot be computed: it is a division by zero.", "1/(y - 3)"),
        ("x + log(-y)", "log(-3.0) cannot be computed: math domain error.", "log(-y)"),
        ("x + exp(1000*y)", "exp(3000.0) cannot be computed: the result is too large.", "exp(1000*y)"),
        ("x @ y", "matmul got shapes () and ()", "x @ y"),
        ("sum(x, acis=0)", "sum got the keyword acis=", "sum(x, acis=0)"),
        ("sum(x, axis=0, axis=1)", "axis stands here twice.", "axis=1"),
        ("x + 1e999", "This is outside the range of floats", "1e999"),
        ("x + 1e-999", "This is outside the range of floats", "1e-999"),
        ("3 + 4", "The result, 7, does not depend on a variable", "3 + 4"),
        ("greater(x, y)", "The result, False, does not depend on a variable", "greater(x, y)"),
        ("stop_gradient(x)", "The result, 2.0, does not depend on a variable", "stop_gradient(x)"),
        ("split(stack([x, y]), 2)", "The result is a list of 2 entries. Take one of them, with [0] at the end.", None),
        ("x + (y", "The expression cannot be read: '(' was never closed.", "("),
        ("x + y)", "The expression cannot be read: unmatched ')'.", ")"),
        ("x y", "The expression cannot be read: invalid syntax.", None),
        ("x +", "The expression cannot be read: invalid syntax.", None),
        ("2x", "Write 2*x for 2 times x; a name begins with a letter.", "2"),
        ("x × y", "Write * for ×.", "×"),
        ("x·y", "Write * for ·.", "x·y"),
        ("x − y", "Write - for −.", "−"),
        ("x²", "Write **2 for ².", "²"),
    ],
)
def test_what_is_refused(expression, message, marked):
    """The message names the construct, and the signs below the expression stand below the place."""
    text = refusal(expression)
    assert message in text
    if marked is not None:
        shown, signs = text.splitlines()[1:3]
        assert shown.strip() == expression
        start = signs.index("^")
        assert shown[start : len(signs)].strip() == marked
        assert set(signs[start:]) == {"^"}


def test_what_is_allowed_is_listed():
    assert refusal("x < 1").splitlines()[-1].startswith("What may stand in an expression: numbers, names with values")


@pytest.mark.parametrize(
    "expression",
    [
        "",
        " ",
        "\n",
        "# x",
        "\\",
        "\0",
        "\ud800",
        "x\0",
        "'",
        "\x0c",
        "(",
        "x if",
        "..",
        "...",
        "None",
        "[]",
        "()",
        "x\n y",
    ],
)
def test_what_does_not_read(expression):
    assert refusal(expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("(" * 4_000 + "x" + ")" * 4_000, "cannot be read: too many nested parentheses"),
        ("(" * 10_000, "cannot be read"),
        ("-" * 9_999 + "x", "too long or nested too deeply to be read"),
        ("sin(" * 150 + "x" + ")" * 150, "is nested more than 100 deep"),
        ("stack([x])" + "[0:1]" * 110, "is nested more than 100 deep"),
        ("x**" * 110 + "x", "is nested more than 100 deep"),
        ("x" * 10_001, "has 10,001 characters; at most 10,000 are read"),
        ("x + " + "9" * 5_000, "cannot be read"),
        ("[" * 150 + "]" * 150, "is nested more than 100 deep"),
    ],
)
def test_what_is_too_large_to_read(expression, message):
    text = refusal(expression)
    assert message in text
    assert len(text) < 500


@pytest.mark.parametrize("expression", ["x" + "[0]" * 3_000, "x" + ".a" * 4_000, "not " * 2_000 + "x"])
def test_what_only_some_pythons_read(expression):
    assert len(refusal(expression)) < 800


@pytest.mark.parametrize(
    "expression",
    [
        "9**9**9 + x",
        "x + (9**999)**999",
        "x * power(9, 10**12)",
        "x + pow(2, -10**9)",
        "left_shift(1, 10**12) + x",
        "square(" * 30 + "9**99" + ")" * 30 + " + x",
        "(" * 30 + "9**99" + ")**9" * 30 + " + x",
        "; ".join(["a0 = 9**9 + 0", *(f"a{i} = a{i - 1}*a{i - 1}" for i in range(1, 60)), "a59*x"]),
    ],
)
def test_numbers_too_long_are_refused_before_they_fill_the_memory(expression):
    before = time.perf_counter()
    assert "would have more than 1,000 digits" in refusal(expression)
    assert time.perf_counter() - before < 5


@pytest.mark.parametrize(
    "expression",
    [
        "x**9**9",
        "x**-9**9",
        "(2/3)**10**9 + x",
        "; ".join(["a0 = x", *(f"a{i} = a{i - 1}*a{i - 1}" for i in range(1, 60)), "a59*x"]),
    ],
)
def test_fractions_too_long_are_refused(expression):
    assert "would have more than 1,000 digits" in refusal(expression, "x=2/3", exact=True)


def test_whole_numbers_that_fit_are_exact():
    assert value("x*0 + 2**1000 / 2**1000") == 1
    assert value("0**9**9 + 1**9**9 + x") == 3
    assert value("(-1)**9**9 + x") == 1


def test_a_long_expression_is_shown_around_the_place():
    text = refusal("x+" * 400 + "nö" + "+x" * 200).splitlines()
    assert text[1].strip().startswith("…")
    assert text[1].endswith("…")
    assert len(text[1]) < 120
    assert text[1][text[2].index("^") :].startswith("nö")


def test_odd_letters_do_not_shift_the_signs():
    """Wide letters take two columns, and what cannot be printed is written out."""
    shown, signs = refusal("'漢字' + x").splitlines()[1:3]
    assert shown.strip() == "'漢字' + x"
    assert signs == "    " + "^" * 6
    shown, signs = refusal("'\x1b[31m' + x").splitlines()[1:3]
    assert "\x1b" not in shown
    assert signs.strip() == "^" * len(r"'\x1b[31m'")


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("", "Expected a name with a value, such as x=2."),
        ("2", "Expected a name with a value, such as x=2."),
        ("x", "Expected a name with a value, such as x=2."),
        ("x=2,3", "The value of --at cannot be read: positional argument follows keyword argument"),
        ("x==2", "Expected a name with a value, such as x=2."),
        ("x=", "The value of --at cannot be read: "),
        ("2=x", "The value of --at cannot be read: "),
        ("x=2,x=3", "x stands here twice."),
        ("x=2)+at(y=3", "expected names with values, such as x=2,y=3."),
        ("x=2)(y=3", "expected names with values, such as x=2,y=3."),
        ("x=2);at(y=3", "expected names with values, such as x=2,y=3."),
        ("x=2).__class__(y=1", "expected names with values, such as x=2,y=3."),
        ("x=2)", "The value of --at cannot be read: unmatched ')'."),
        ("x=[1,2", "The value of --at cannot be read: "),
        ("x=y", "A value is made of numbers, and y is a name."),
        ("x=1,y=x", "A value is made of numbers, and x is a name."),
        ("_x=1", "A name begins with a letter, which _x does not."),
        ("__class__=1", "A name begins with a letter, which __class__ does not."),
        ("x='a'", "'a' is no number."),
        ("x=None", "None is no number."),
        ("x=True", "True is no number."),
        ("x=['a']", "'a' is no number."),
        ("x=[1,[2,3]]", "The value of x is neither a number nor a list of numbers."),
        ("x=10**400", "The value of x is neither a number nor a list of numbers."),
        ("x=lambda: 1", "A lambda cannot be used here."),
        ("x=(y:=1)", "An assignment by := cannot be used here."),
        ("x=__import__('os')", "There is no op __import__."),
        ("**x", "A starred argument cannot be used here."),
        ("*x", "Expected a name with a value, such as x=2."),
        ("x=9**9**9", "would have more than 1,000 digits"),
        ("x=1/0", "1 / 0 cannot be computed: it is a division by zero."),
        ("x=" + "1" * 10_000, "The value of --at has 10,002 characters"),
    ],
)
def test_values_that_are_refused(at, message):
    with pytest.raises(AutodiffError, match=re.escape(message)):
        read_values([at])


def test_a_name_given_twice_in_two_places():
    with pytest.raises(AutodiffError, match="x is given a value twice"):
        read_values(["x=1", "y=2,x=3"])


def test_kinds_of_values():
    variables = read_values(["x=2,z=1j", "a=[1,2],b=[[1,2j]],n=inf,t=(1,)"])
    assert [type(v) for v in variables.values()] == [ad.Value, ad.Value, ad.Tensor, ad.Tensor, ad.Value, ad.Tensor]
    assert type(variables["x"].data) is float
    assert variables["z"].data == 1j
    assert variables["a"].dtype == float
    assert variables["b"].dtype == complex
    assert variables["n"].data == np.inf
    assert [v.name for v in variables.values()] == [*"xzabnt"]
