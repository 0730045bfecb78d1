"""SymPy both ways: expressions of tapes, and ops of expressions, against SymPy's own values and derivatives."""

import importlib
import pkgutil
import sys
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
import autodiff.ops
from autodiff.core.errors import ArgumentError, MissingExtraError, ShapeError, TapeError, UnsupportedError
from autodiff.core.rule import TABLE
from autodiff.interop.sympy import compare_symbolic, from_sympy, leaf_symbols, to_sympy
from autodiff.interop.sympy_forms import array_forms, entry_forms, expressions
from autodiff.ops.families import draw_samples
from autodiff.testing import check_gradients
from autodiff.testing.compare import is_continuous

x, y = sp.symbols("x y", real=True)

OF_ONE = [
    *(x**3 - 2 * x + 1, 1 / x, x**-2, sp.sqrt(x), x ** sp.Rational(5, 3), x ** sp.Rational(-1, 2), 3**x, x**x),
    *(sp.exp(-(x**2)), sp.log(x), sp.log(x, 3), sp.sin(x), sp.cos(x) ** 2, sp.tan(x), sp.cot(x), sp.sec(x), sp.csc(x)),
    *(sp.asin(x / 2), sp.acos(x / 2), sp.atan(x), sp.acot(x), sp.asec(x + 1), sp.acsc(x + 1), sp.sinh(x), sp.cosh(x)),
    *(sp.tanh(x), sp.coth(x), sp.sech(x), sp.csch(x), sp.asinh(x), sp.acosh(x + 1), sp.atanh(x / 2), sp.acoth(x + 1)),
    *(sp.asech(x / 2), sp.acsch(x), sp.sinc(x), sp.Abs(x - 1), sp.sign(x) * x, sp.Max(x, 1, x**2), sp.Min(x, x**2)),
    *(
        sp.floor(x * 3) * x,
        sp.ceiling(x * 3) + x,
        sp.frac(3 * x) * x,
        sp.Mod(x, sp.Rational(1, 3)),
        sp.Heaviside(x),
    ),
    *(sp.erf(x), sp.erfc(x), sp.erfinv(x / 2), sp.gamma(x), sp.loggamma(x), sp.digamma(x), sp.polygamma(2, x)),
    *(sp.factorial(x), sp.beta(x, 2), sp.zeta(x + 2), sp.lowergamma(2, x), sp.uppergamma(2, x), sp.besselj(0, x)),
    *(sp.bessely(1, x), sp.besseli(2, x), sp.besselk(0, x), sp.pi * x + sp.E, sp.GoldenRatio * x, sp.EulerGamma * x),
    *(sp.Piecewise((x**2, x > 1), (sp.sqrt(x), x > sp.Rational(1, 2)), (0, True)), sp.Sum(x**2, (y, 1, 3))),
    *(sp.Derivative(sp.sin(x) * x, x), sp.Integral(sp.cos(y), (y, 0, x)), sp.exp(sp.sin(sp.cos(x))), (x + 1) ** -2 * x),
]


@pytest.mark.parametrize("expr", OF_ONE, ids=str)
@pytest.mark.parametrize("at", [0.7, 1.3])
def test_an_expression_as_an_op(expr, at):
    """Values and first derivatives of floats and of arrays are SymPy's own, to 12 and to 10 digits."""
    f = from_sympy(expr, x)
    several = np.array([[at], [at + 0.1]])
    value = float(sp.sympify(expr.doit()).subs(x, sp.Rational(at)).evalf(30))
    np.testing.assert_allclose(f(at), value, rtol=1e-12)
    assert f(several).shape == (2, 1)
    np.testing.assert_allclose(f(several)[0, 0], value, rtol=1e-12)
    slope = sp.diff(expr.doit(), x)
    if not slope.has(sp.Derivative, sp.Subs):
        slope = float(slope.subs(x, sp.Rational(at)).evalf(30))
        np.testing.assert_allclose(ad.grad(f)(at), slope, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(ad.grad(lambda v: f(v).sum())(several)[0, 0], slope, rtol=1e-10, atol=1e-13)


SMOOTH = [e for e in OF_ONE if not e.doit().has(sp.Mod, sp.frac, sp.floor, sp.ceiling, sp.zeta, sp.beta, sp.lowergamma)]


@pytest.mark.parametrize("expr", SMOOTH, ids=str)
def test_round_trip(expr):
    """There and back: the expression of the tape of the op of an expression has its values, and its slopes."""
    back = to_sympy(from_sympy(expr, x), 1.3)
    (symbol,) = back.free_symbols
    at = sp.Float("1.3", 30)
    for e, again in ((expr.doit(), back), (sp.diff(expr.doit(), x), sp.diff(back, symbol))):
        want, found = (float(sp.sympify(z).subs(s, at).evalf(20)) for z, s in ((e, x), (again, symbol)))
        assert found == pytest.approx(want, rel=1e-11, abs=1e-14)
    compare_symbolic(from_sympy(expr, x), 1.3).require(1e-9)


atoms = st.sampled_from([x, y, sp.Integer(2), sp.Rational(1, 3), sp.pi, x * y])
random_expressions = st.recursive(
    atoms,
    lambda e: st.one_of(
        st.tuples(e, e).map(lambda p: p[0] + p[1]),
        st.tuples(e, e).map(lambda p: p[0] * p[1]),
        e.map(sp.sin),
        e.map(lambda z: sp.exp(-(z**2))),
        e.map(lambda z: 1 / (1 + z**2)),
        e.map(sp.tanh),
        e.map(lambda z: sp.sqrt(1 + z**2)),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(random_expressions, st.floats(0.25, 2), st.floats(-2, 2))
def test_random_expressions(expr, a, b):
    """Values, gradients and second derivatives of random expressions of two symbols."""
    f = from_sympy(expr, [x, y])
    at = {x: sp.Rational(a), y: sp.Rational(b)}

    def exact(e):
        return float(sp.sympify(e).subs({s: sp.Float(v, 40) for s, v in at.items()}).evalf(25))

    size = 1 + abs(exact(expr))
    assert float(f(a, b)) == pytest.approx(exact(expr), rel=1e-11, abs=1e-11 * size)
    if expr.free_symbols:
        found = ad.grad(lambda u, v: f(u, v) + 0 * u * v, argnums=(0, 1))(a, b)
        for slope, s in zip(found, (x, y), strict=True):
            assert slope == pytest.approx(exact(sp.diff(expr, s)), rel=1e-9, abs=1e-9 * size)
        compare_symbolic(lambda x, y: f(x, y) + 0 * x * y, a, b)


def test_every_derivative_follows():
    f = from_sympy(sp.exp(-x * y) * sp.cos(x) / (1 + y**2), [x, y])
    a, b = np.array([0.3, 0.8, 1.4]), np.array([[0.5], [1.5]])
    assert f(a, b).shape == (2, 3)
    check_gradients(f, a, b)
    np.testing.assert_allclose(ad.compile(lambda u: f(u, 2.0).sum())(a), f(a, 2.0).sum())


def test_a_matrix_of_expressions():
    f = from_sympy(sp.Matrix([[x, x * y], [1, y**2]]), "x y")
    np.testing.assert_array_equal(f(2.0, 3.0), [[2, 6], [1, 9]])
    assert f(np.ones(4), 3.0).shape == (2, 2, 4)
    np.testing.assert_allclose(ad.jacobian(f)(2.0, 3.0), [[1, 3], [0, 0]])
    np.testing.assert_array_equal(from_sympy([x, x**2])(np.array([2.0, 3.0])), [[2, 3], [4, 9]])


def slope_of(f, at):
    return ad.jvp(f, (at,), (at / at,))[1]


def test_numbers_of_every_kind():
    f = from_sympy(x**2 / 3 + sp.Rational(1, 7), x)
    assert f(Fraction(1, 2)) == Fraction(1, 12) + Fraction(1, 7)
    assert slope_of(f, Fraction(1, 2)) == Fraction(1, 3)
    assert abs(f(Decimal(2)) - (Decimal(4) / 3 + Decimal(1) / 7)) < Decimal("1e-26")
    assert from_sympy(sp.pi * x, x)(sp.Integer(2)) == 2 * sp.pi
    with mpmath.workdps(50):
        g = from_sympy(sp.sin(sp.pi * x) + sp.E, x)
        assert abs(g(mpmath.mpf(1) / 3) - (mpmath.sin(mpmath.pi / 3) + mpmath.e)) < mpmath.mpf(10) ** -48
        assert abs(slope_of(g, mpmath.mpf(1) / 3) - mpmath.pi / 2) < mpmath.mpf(10) ** -48
    assert f(np.ones(2, np.float32)).dtype == np.float32


def test_pieces_not_taken_do_no_harm():
    f = from_sympy(sp.Piecewise((sp.log(x), x > 0), (sp.S.Zero, True)), x)
    assert f(-1.0) == 0
    assert f(2.0) == np.log(2)
    np.testing.assert_array_equal(f(np.array([-1.0, 0.0, 1.0])), [0, 0, 0])
    np.testing.assert_array_equal(ad.grad(lambda v: f(v).sum())(np.array([-1.0, 0.0, 2.0])), [0, 0, 0.5])
    assert np.isnan(from_sympy(sp.Piecewise((x, x > 0)), x)(-1.0))


def test_errors_of_from_sympy():
    with pytest.raises(UnsupportedError, match=r"from_sympy: no op computes LambertW, in LambertW\(x\)"):
        from_sympy(sp.sin(sp.LambertW(x)))
    with pytest.raises(UnsupportedError, match="no op computes h"):
        from_sympy(sp.Function("h")(x))
    with pytest.raises(ArgumentError, match=r"an expression in y, which is not among the symbols \[x\]"):
        from_sympy(x + y, x)
    with pytest.raises(ArgumentError, match=r"expression in \(x, y\) was given 1 arguments"):
        from_sympy(x + y)(1.0)
    with pytest.raises(ArgumentError, match="it takes a SymPy expression"):
        from_sympy(object())
    with pytest.raises(ArgumentError, match="all different"):
        from_sympy(x, [x, x])


PROGRAMS = {
    "reductions": lambda x: (x * x).mean() + x.sum() * ad.prod(x) + ad.std(x) + ad.var(x, ddof=1),
    "extremes": lambda x: x.max() * x.min() + ad.maximum(x, 0.5).sum() + ad.clip(x, 0.2, 0.9).sum(),
    "shapes": lambda x: (ad.reshape(x, (3, 1)) * x[::-1] + ad.stack([x, x**2, x**3]).T)[1:, [0, 2]].sum(),
    "linear algebra": lambda x: (ad.linalg.inv(ad.outer(x, x) + np.eye(3)) @ x).sum() + ad.linalg.norm(x),
    "determinant": lambda x: ad.linalg.det(ad.outer(x, x) + np.diag([1.0, 2.0, 3.0])),
    "solve": lambda x: ad.linalg.solve(np.diag([1.0, 2.0, 3.0]) + ad.outer(x, x), x)[0],
    "softmax": lambda x: ad.logsumexp(x) + (ad.softmax(x) * x).sum() + ad.log_softmax(x)[1],
    "cross entropy": lambda x: ad.cross_entropy(ad.outer(x, x), np.array([0, 2, 1])),
    "einsum": lambda x: ad.einsum("i,ij,j->", x, np.arange(9.0).reshape(3, 3), x),
    "activations": lambda x: (ad.relu(x) + ad.gelu(x) + ad.silu(x) + ad.softplus(x) + ad.mish(x) + ad.elu(x)).sum(),
    "where": lambda x: ad.where(x > 0.5, x**2, ad.exp(x)).sum(),
    "loop": lambda x: sum_of_loop(x),
    "assignment": lambda x: assigned(x),
    "cumulative": lambda x: (ad.cumsum(x) * ad.cumprod(x)).sum(),
}


def sum_of_loop(x):
    for _ in range(5):
        x = ad.sin(x) + x / 2
    return x.sum()


def assigned(x):
    z = x * 2
    z[1] = z[0] * z[2]
    return (z**2).sum()


@pytest.mark.parametrize("name", PROGRAMS)
def test_tapes_as_expressions(name):
    """The gradient of the tape is SymPy's derivative of its expression, to 12 digits."""
    at = np.array([0.3, 0.7, 1.2])
    table = compare_symbolic(PROGRAMS[name], at)
    table.require(1e-12)
    assert list(table.tape) == ["x_0", "x_1", "x_2"]
    np.testing.assert_allclose([table.tape[n] for n in table.tape], ad.grad(PROGRAMS[name])(at))
    found = to_sympy(PROGRAMS[name], at)
    assert float(found.subs({s: at[int(s.name[-1])] for s in found.free_symbols})) == pytest.approx(
        float(PROGRAMS[name](at)), rel=1e-12
    )


def rows_with_forms():
    for module in pkgutil.iter_modules(autodiff.ops.__path__):
        importlib.import_module(f"autodiff.ops.{module.name}")
    known = entry_forms() | array_forms()
    return [rule for name, rule in TABLE.items() if name in known and rule.differentiable and rule.samples]


def is_plain(point):
    """Whether a sample is small, and of finite real numbers."""
    arrays = [np.asarray(a) for a in point.args]
    return all(a.dtype.kind in "fiu" and 0 < a.size <= 30 and np.all(np.isfinite(a)) for a in arrays)


@pytest.mark.parametrize("rule", rows_with_forms(), ids=lambda rule: rule.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_form_is_its_row(rule):
    """At every sample of a row its SymPy form has the row's value, to 8 digits."""
    for point in filter(is_plain, draw_samples(rule)):
        inputs = [ad.Tensor(a, requires_grad=is_continuous(a)) for a in point.args]
        y = rule.op(inputs, **point.params) if rule.variadic else rule.op(*inputs, **point.params)
        if not y.tracked:
            continue
        try:
            found = np.asarray(to_sympy(y, exact=True), object)
        except UnsupportedError:
            assert rule.name in {"det", "inv", "solve", "norm", "vector_norm"}  # stacked matrices, odd norms
            continue
        at = {}
        for name, symbols in leaf_symbols(y).items():
            leaf = next(x for k, x in enumerate(t for t in inputs if t.tracked) if name == f"x{k}")
            at |= dict(zip(np.ravel(symbols), expressions(leaf.data, exact=True).ravel(), strict=True))
        at = {s: v if v.is_Integer else v.evalf(30) for s, v in at.items()}
        assert found.shape == y.shape
        values = [complex(sp.sympify(e).xreplace(at).evalf(25)) for e in found.ravel()]
        np.testing.assert_allclose(values, y.data.ravel(), rtol=1e-8, atol=1e-12, err_msg=str(point.params))


def test_names_and_symbols():
    w = ad.Tensor([[1.0, 2.0]], name="w")
    b = ad.Value(3.0)
    assert str(to_sympy((w * b).sum())) == "w_0_0*x1 + w_0_1*x1"
    assert leaf_symbols((w * b).sum())["w"].shape == (1, 2)
    assert to_sympy(w * b).shape == (1, 2)
    t = sp.Symbol("t")
    assert to_sympy(ad.Value(2.0, name="x") ** 2, symbols={"x": t}) == t**2
    twins = ad.Value(2.0, name="x") * ad.Value(3.0, name="x")
    assert {s.name for s in to_sympy(twins).free_symbols} == {"x", "x2"}
    assert to_sympy(ad.Value(2.0, name="x") * 0.1, exact=True).args[0] == sp.Rational(0.1)
    assert to_sympy(lambda x: ad.where(x > 1, x, 2 * x), np.array(3.0)).has(sp.Piecewise)


def test_errors_of_to_sympy():
    with pytest.raises(UnsupportedError, match="the op sort has no SymPy form"):
        to_sympy(ad.sort(ad.Tensor([2.0, 1.0])))
    with pytest.raises(UnsupportedError, match="the op checkpoint_sin has no SymPy form"):
        to_sympy(ad.checkpoint(ad.sin)(ad.Value(2.0)))
    with pytest.raises(TapeError, match="it reads a result computed from Values or tensors"):
        to_sympy(3.0)
    with pytest.raises(ArgumentError, match="arguments beside a result"):
        to_sympy(ad.Value(3.0) * 2, 1.0)
    with pytest.raises(ArgumentError, match="a symbol for 'z'; the leaves are x"):
        to_sympy(ad.Value(3.0, name="x") * 2, symbols={"z": x})
    with pytest.raises(ShapeError, match=r"symbols of shape \(\) for 'w', which has shape \(2,\)"):
        to_sympy(ad.Tensor([1.0, 2.0], name="w") * 2, symbols={"w": x})
    with pytest.raises(ShapeError, match=r"compare_symbolic needs a single number, got shape \(2,\)"):
        compare_symbolic(ad.Tensor([1.0, 2.0]) * 2)


def test_a_tape_too_deep_for_sympy():
    y = ad.Value(0.5)
    for _ in range(600):
        y = ad.sin(y) + 1
    with pytest.raises(UnsupportedError, match=r"SymPy cannot hold an expression as deep as this tape, 1200 nodes"):
        to_sympy(y)


def test_a_wrong_derivative_is_seen():
    table = compare_symbolic(lambda x: ad.sin(x) * x, 2.0)
    table.tape["x"] += 1e-6
    with pytest.raises(AssertionError, match=r"(?s)disagree on the derivative by x.*error"):
        table.require()


def test_without_sympy(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    for call in (lambda: to_sympy(ad.Value(2.0) * 2), lambda: from_sympy("x"), lambda: compare_symbolic(ad.sin, 2.0)):
        with pytest.raises(MissingExtraError, match=r"pip install 'autodiff-tape\[sympy\]'"):
            call()
