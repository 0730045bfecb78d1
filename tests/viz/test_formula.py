"""The formulas of the rows: complete, readable, and numerically right where they can be evaluated."""

import math

import numpy as np
import pytest
import scipy.special as special

import autodiff as ad
from autodiff.core.edges import contributions
from autodiff.core.rule import TABLE
from autodiff.viz.formula import SYMBOLS, formula_of, is_refused
from autodiff.viz.latex import Atom, Fraction, Part, Root, Row, Script, Sized, parse
from autodiff.viz.mathml import roles, to_mathml, to_text

ad.ops.public.names()
ROWS = [r for r in TABLE.values() if r.forward.__module__.startswith("autodiff.ops")]
DIFFERENTIABLE = [r for r in ROWS if r.differentiable]
BY_JVP_ONLY = {"eigh_parts", "eig_parts", "svd_parts", "svd_hermitian_parts", "cholesky", "qr_parts", "lstsq_parts"}
"""Factorisations that state how a tangent is pushed; pulling back is its adjoint."""


@pytest.mark.parametrize("rule", DIFFERENTIABLE, ids=lambda r: r.name)
def test_each_input_with_a_derivative_has_a_formula_of_what_it_gets_back(rule):
    formula = formula_of(rule)
    wanted = {name for name, vjp in rule.vjps.items() if not is_refused(vjp.function)}
    assert {*formula.pulled} == wanted
    assert formula.stated
    assert formula.forward
    general = [name for name, latex in formula.pulled.items() if "partial" in latex and "big" in latex]
    assert bool(general) == (rule.name in BY_JVP_ONLY)
    for name, latex in formula.pulled.items():
        assert latex.startswith(rf"\bar {formula.symbols[name]}")
        letter = formula.symbols["y"]
        assert rf"\bar {letter}" in latex or " 0" in latex or rule.name in ("slogdet_parts", "recurrence"), latex


@pytest.mark.parametrize("rule", ROWS, ids=lambda r: r.name)
def test_each_input_has_a_letter_of_its_own_and_what_is_differentiated_is_in_the_formula(rule):
    formula = formula_of(rule)
    assert len({*formula.symbols.values()}) == len(rule.inputs) + 1
    for name, symbol in formula.symbols.items():
        assert symbol in SYMBOLS.get(name, name + name.upper())
    for name in rule.inputs if rule.name not in ("max_spread", "max_pick", "extreme") else ():
        if name in formula.pulled:
            assert f'data-slot="{name}"' in "".join(formula.mathml.values())


def test_real_formulas_have_no_conjugates_and_others_keep_them():
    for rule in DIFFERENTIABLE:
        formula = formula_of(rule)
        assert "^*" not in "".join([formula.forward, *formula.pulled.values()])
        assert r"\mathsf{H}" not in "".join(formula.pulled.values())
    assert formula_of(TABLE["multiply"], real=False).pulled["a"] == r"\bar a = b^* \, \bar y"
    assert formula_of(TABLE["sin"], real=False).pulled["x"] == r"\bar x = \bar y \cdot (\cos x)^*"
    assert formula_of(TABLE["matmul"], real=False).pulled["a"] == r"\bar A = \bar Y B^{\mathsf{H}}"


def test_names_are_put_in_as_safe_latex_and_apart():
    f = formula_of(TABLE["multiply"])
    assert f.fill(f.forward, {"a": "w", "b": "x_1", "y": "v12"}) == "v_{12} = w x_1"
    assert f.fill(f.pulled["a"], {"a": "w", "b": "x_1", "y": "v2"}) == r"\bar w = x_1 \, \bar v_2"
    names = {"a": "model.fc1.weight", "b": "w[0]", "y": "loss"}
    assert f.fill(f.forward, names) == r"\mathit{loss} = \mathit{model.fc1.weight} \cdot \mathit{w[0]}"
    assert to_text(f.filled(f.pulled["b"], names)).startswith("∂L/∂w[0] = model.fc1.weight·∂L/∂loss")


@pytest.mark.parametrize(
    "name", ["<b>&\"'", "a_b", "%7", "x{y}", "\\input{x}", "~^$#", "🙂", "é", "two words", "a\nb", "z" * 10_000]
)
def test_any_text_can_be_a_name(name):
    f = formula_of(TABLE["power"])
    names = {"x": name, "p": "p", "y": name}
    for latex in (f.forward, *f.pulled.values()):
        filled = f.fill(latex, names)
        assert len(filled) < 600
        assert to_text(filled) == to_text(f.filled(latex, names))
        assert to_mathml(filled)
        assert "<b>" not in to_mathml(filled)
    if len(name) < 20 and name.isprintable():
        assert to_text(f.fill("x", names)) == name


def test_numbers_are_put_in_with_brackets_and_dots_where_they_need_them():
    def shown(name, which, **numbers):
        f = formula_of(TABLE[name])
        return to_text(f.filled(f.local[which], numbers))

    assert shown("tanh", "x", y=-0.5) == "1 - (-0.5)²"
    assert shown("square", "x", x=-3.0) == "2·(-3.0)"
    assert shown("power", "x", x=2.0, p=3) == "3·2.0²"
    assert shown("power", "x", x="x", p=2) == "2·x"
    assert shown("power", "x", x="x_1", p=2.0) == "2.0·x₁"
    assert shown("power", "x", x=-3.0, p=2) == "2·(-3.0)"
    assert shown("power", "x", x="x_1", p=-1) == "-1·x₁⁻²"
    assert shown("power", "x", x="x", p=0.5) == "0.5·x^(0.5 - 1)"
    assert shown("power", "x", x="x", p="p") == "p xᵖ⁻¹"
    assert shown("log", "x", x=1 + 2j) == "1/(1.0+2.0j)"
    assert shown("divide", "b", a=1, b=-2.0, y=-0.5) == "-(-0.5)/(-2.0)"
    assert shown("exp2", "x", y=4.0) == "4.0·ln 2"
    f = formula_of(TABLE["sin"])
    assert (
        f.fill(f.pulled["x"], {"x": 1.0, "x_bar": 0.5, "y_bar": 1.5e-7}) == r"0.5 = 1.5 \times 10^{-7} \cdot \cos 1.0"
    )


def test_a_rule_without_a_readable_formula_still_says_that_there_is_a_derivative():
    @ad.custom_rule(formula=r"y = \nonsense x")
    def odd_one(x, s):
        return s * x

    formula = formula_of(odd_one.rule)
    assert not formula.stated
    assert to_text(formula.forward) == "y = odd_one(x, s)"
    assert to_text(formula.pulled["x"]) == "x̄ = (∂y/∂x)ᵀ ȳ"


# What the local derivatives say, evaluated.

UNREAD = {
    "sinc_derivative": "an n-th derivative",
    "fmod": "q is defined in words",
    "gamma_moment": "an integral with other exponents",
    "gamma_transport": "a derivative of P by its parameter",
    "where": "a condition that is no number",
    "polygamma": "the order is no float",
    ("gammainc", "a"): "a derivative of P by its parameter",
    ("gammaincc", "a"): "a derivative of P by its parameter",
}
"""What the evaluator below does not read."""

SIGN = {"sign": np.sign, "trunc": np.trunc, "erf": special.erf, "erfc": special.erfc, "ln": np.log, "cos": np.cos}
FUNCTIONS = SIGN | {"sin": np.sin, "cosh": np.cosh, "sinh": np.sinh, "tanh": np.tanh}
GREEK = {
    "σ": special.expit,
    "Φ": special.ndtr,
    "φ": lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "Γ": special.gamma,
    "ψ": special.digamma,
    "ζ": special.zeta,
    "B": special.beta,
}
ORDERED = {
    "J": special.jv,
    "Y": special.yv,
    "I": special.iv,
    "K": special.kv,
    "ψ": lambda n, x: special.polygamma(int(n), x),
}


class UnreadableError(Exception):
    """The evaluator does not know what stands there."""


class Evaluator:
    """Evaluates a formula by recursive descent over the parts of its rows."""

    def __init__(self, values):
        self.values = values

    def value(self, part: Part) -> float:
        match part:
            case Atom("number", text):
                return float(text)
            case Atom("identifier", "π"):
                return math.pi
            case Atom("identifier", "∞"):
                return math.inf
            case Atom("identifier", text) if text in self.values:
                return self.values[text]
            case Row(parts):
                return Terms(self, parts).all()
            case Fraction(top, bottom):
                return self.value(top) / self.value(bottom)
            case Root(body, None):
                return math.sqrt(self.value(body))
            case Script(Atom("identifier", "e"), None, power):
                return math.exp(self.value(power))
            case Script(base, None, power) if power is not None:
                return self.value(base) ** self.value(power)
        raise UnreadableError(part)


class Terms:
    """Reads sums of products from left to right."""

    def __init__(self, evaluator, parts):
        self.evaluator = evaluator
        self.parts = [p for p in parts if not (isinstance(p, Atom) and p.kind == "space")]
        self.roles = roles(self.parts)
        self.k = 0

    def peek(self, *texts):
        part = self.parts[self.k] if self.k < len(self.parts) else None
        return isinstance(part, Atom) and part.text in texts

    def role(self):
        return self.roles[self.k] if self.k < len(self.roles) else ""

    def all(self):
        total = self.sum()
        if self.k < len(self.parts):
            raise UnreadableError(self.parts[self.k :])
        return total

    def sum(self):
        total = self.product()
        while self.peek("+", "-"):
            sign = 1 if self.parts[self.k].text == "+" else -1
            self.k += 1
            total += sign * self.product()
        return total

    def product(self):
        if self.peek("-"):
            self.k += 1
            return -self.product()
        total = self.factor()
        while self.role() in ("operand", "open", "function") or self.peek("/", "·"):
            over = self.peek("/")
            self.k += self.peek("/", "·")
            total = total / self.factor() if over else total * self.factor()
        return total

    def arguments(self):
        """What stands in the brackets that begin here."""
        self.k += 1
        found = [self.sum()]
        while self.peek(","):
            self.k += 1
            found.append(self.sum())
        self.k += 1
        return found

    def factor(self):
        part = self.parts[self.k]
        if self.role() == "open":
            return self.brackets(part)
        self.k += 1
        if isinstance(part, Atom) and part.kind == "function" and part.text in FUNCTIONS:
            return FUNCTIONS[part.text](self.arguments()[0] if self.role() == "open" else self.function_argument())
        if self.peek("("):
            if isinstance(part, Atom) and part.text in GREEK:
                return float(GREEK[part.text](*self.arguments()))
            if isinstance(part, Script) and isinstance(part.base, Atom) and part.base.text in ORDERED and part.sub:
                order = self.evaluator.value(part.sub)
                return float(ORDERED[part.base.text](order, *self.arguments()))
        return self.evaluator.value(part)

    def function_argument(self):
        total = self.factor()
        while self.role() == "operand":
            total *= self.factor()
        return total

    def brackets(self, part):
        text = part.bracket.text if isinstance(part, Sized) else part.text
        start = self.k
        if text == "[":
            self.k += 1
            left = self.sum()
            relation = self.parts[self.k].text
            self.k += 1
            right = self.sum()
            self.k += 1
            return float(
                {">": left > right, "<": left < right, "≤": left <= right, "≥": left >= right, "=": left == right}[
                    relation
                ]
            )
        inside = self.arguments()
        closing = self.parts[self.k - 1]
        value = {"|": abs, "⌊": math.floor}.get(text, float)(inside[0])
        if len(inside) != 1:
            raise UnreadableError(self.parts[start:])
        return value ** self.evaluator.value(closing.sup) if isinstance(closing, Script) and closing.sup else value


def evaluate(latex: str, values) -> float:
    return Evaluator(values).value(parse(latex))


OPTIONS = {
    "leaky_relu": ("a", "negative_slope"),
    "elu": ("α", "alpha"),
    "bessel_i": ("n", "order"),
    "bessel_ie": ("n", "order"),
    "polygamma_step": ("n", "order"),
}
OPTIONS |= {"ldexp": ("n", None)}


def points(rule):
    """Scalar points of a row: one entry of each of its samples."""
    for point in rule.samples(np.random.default_rng(5)):
        arrays = [np.asarray(a) for a in point.args]
        if point.order and all(a.size and a.dtype.kind in "fiu" and np.all(np.isfinite(a)) for a in arrays):
            arrays = np.broadcast_arrays(*arrays)
            yield [a.ravel()[0].item() for a in arrays], point.params


def check_locals(rule):
    """The number of points at which the stated local derivatives were compared with the engine's."""
    formula = formula_of(rule)
    compared = 0
    for args, params in points(rule):
        tracked = [ad.Value(float(a)) if n in formula.pulled else a for n, a in zip(rule.inputs, args, strict=True)]
        y = rule.op(*tracked, **params)
        values = {formula.symbols[n]: float(a) for n, a in zip(rule.inputs, args, strict=True)}
        values[formula.symbols["y"]] = float(ad.core.node.data_of(y))
        if rule.name in OPTIONS and OPTIONS[rule.name][1]:
            letter, option = OPTIONS[rule.name]
            values[letter] = float(params.get(option, rule.options[option]))
        for name, got in zip(rule.inputs, contributions(y, 1.0), strict=True):
            latex = formula.local.get(name)
            if latex is None or got is None or (rule.name, name) in UNREAD:
                continue
            stated = evaluate(latex, values)
            assert stated == pytest.approx(got.fitted, rel=1e-7, abs=1e-9), (name, latex, values)
            compared += 1
    return compared


ENTRYWISE = [r for r in DIFFERENTIABLE if r.entrywise and r.name not in ("real", "imag", "conj", "sign")]


@pytest.mark.parametrize("rule", ENTRYWISE, ids=lambda r: r.name)
def test_the_stated_local_derivative_is_the_number_that_the_engine_computes(rule):
    formula = formula_of(rule)
    assert all(latex is not None for latex in formula.local.values())
    if rule.name not in UNREAD:
        assert check_locals(rule) > 0


def test_the_evaluator_reads_nearly_every_row():
    assert len([rule for rule in ENTRYWISE if rule.name not in UNREAD]) == 117, "rows whose derivative was evaluated"
