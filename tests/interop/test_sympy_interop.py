"""SymPy both ways: expressions of tapes, and ops of expressions, against SymPy's own values and derivatives."""

import importlib
import math
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
from autodiff.core.errors import ArgumentError, KindError, MissingExtraError, ShapeError, TapeError, UnsupportedError
from autodiff.core.rule import TABLE
from autodiff.interop.sympy import OF_ORDER, compare_symbolic, from_sympy, leaf_symbols, to_sympy
from autodiff.interop.sympy_arrays import array_forms
from autodiff.interop.sympy_forms import entry_forms, expressions
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
    *(sp.binomial(x + 3, 2 * x), sp.betainc(2, 3, 0, x / 2), sp.betainc_regularized(2, 3, x / 3, x / 2)),
    *(sp.jn(2, x), sp.harmonic(x), sp.RisingFactorial(x, x / 2), sp.arg(x) + x),
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


UNKNOWN = sp.Mod, sp.frac, sp.floor, sp.ceiling, sp.zeta, sp.beta, sp.lowergamma, sp.RisingFactorial
"""Functions that SymPy, or the table, has no derivative of."""

SMOOTH = [e for e in OF_ONE if not e.doit().has(*UNKNOWN)]


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


@pytest.mark.parametrize(
    "expr",
    [sp.sin(1) * x, sp.zeta(3) * x, sp.sinc(x), x ** sp.sqrt(2), sp.betainc(2, 3, 0, x)],
    ids=str,
)
def test_constants_have_the_precision_of_the_arguments(expr):
    """To 40 digits beside mpf: a function of constants is not computed in floats."""
    with mpmath.workdps(40):
        found = from_sympy(expr, x)(mpmath.mpf(1) / 3)
        assert abs(found - mpmath.mpmathify(expr.subs(x, sp.Rational(1, 3)).evalf(50))) < mpmath.mpf(10) ** -38
    if not expr.has(sp.sinc, sp.betainc, sp.Pow):
        wanted = Decimal(str(expr.subs(x, 2).evalf(40)))
        assert abs(from_sympy(expr, x)(Decimal(2)) - wanted) < Decimal("1e-26")


def test_constants_that_no_op_computes():
    t = sp.Symbol("t")
    omega = float(sp.LambertW(1).evalf(30))
    area = mpmath.quad(lambda u: mpmath.sin(mpmath.sin(u)), [0, 1])
    for expr, factor in ((sp.LambertW(1), omega), (sp.Integral(sp.sin(sp.sin(t)), (t, 0, 1)), float(area))):
        np.testing.assert_allclose(from_sympy(expr * x, x)(np.array([1.0, 2.0])), [factor, 2 * factor], rtol=1e-15)
    assert from_sympy(sp.Min(x, sp.oo), x)(mpmath.mpf(2)) == 2
    assert from_sympy(sp.oo, [x])(Decimal(2)) == Decimal("Infinity")
    np.testing.assert_allclose(from_sympy(sp.erf2(x, 1), x)(-0.3), math.erf(1) - math.erf(-0.3), rtol=1e-15)


def test_shapes_and_dtypes_of_results():
    a, b = np.ones(2, np.float32), np.ones((3, 1), np.float32)
    steps = sp.Piecewise((1, x > 0), (0, True))
    for expr in (sp.Integer(3), x, x + y / 3, steps, sp.pi * x):
        found = from_sympy(expr, [x, y])(a, b)
        assert (found.shape, found.dtype) == ((3, 2), np.float32)
    assert from_sympy(sp.Matrix([x, 1]), [x])(a).dtype == np.float32
    np.testing.assert_array_equal(from_sympy(sp.true, [x])(a), [True, True])
    np.testing.assert_array_equal(from_sympy(x**-2, x)(np.array([1, 2])), [1, 0.25])
    np.testing.assert_array_equal(ad.grad(lambda v: from_sympy(3, [x])(v).sum())(np.ones(2)), [0, 0])
    assert from_sympy(sp.Array([[[x, 1]]]))(2.0).shape == (1, 1, 2)


@pytest.mark.parametrize("take", [lambda f: f, ad.grad], ids=["values", "slopes"])
def test_a_compiled_piecewise_follows_its_argument(take):
    f = take(from_sympy(sp.Piecewise((x**3, x > 0), (2 * x, True)), x))
    for kind in (float, np.array):
        compiled = ad.compile(f)
        for at in (1.0, 2.0, -3.0, -3.0, 4.0):
            assert compiled(kind(at)) == f(at)


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
    with pytest.raises(ArgumentError, match="several symbols named x, which differ in what is assumed"):
        from_sympy(x + sp.Symbol("x"))
    with pytest.raises(ArgumentError, match="holds no expression"):
        from_sympy(sp.Matrix(0, 0, []))
    with pytest.raises(ArgumentError, match=r"among the symbols \[\]"):
        from_sympy(x, "")
    with pytest.raises(ArgumentError, match="got the symbols"):
        from_sympy(sp.IndexedBase("a")[1])


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
    "masks": lambda x: (x**2 * (x > 0.5)).sum() / (x > 0.5).sum() + (x * np.array([True, False, True])).sum(),
    "conditions": lambda x: ad.where((x > 0.5).any() & ~ad.all(x > 0.5), x**2, x).sum(),
    "convolution": lambda x: (ad.conv1d(x[None, None], np.array([[[1.0, -2.0]]]), padding=1) ** 2).sum(),
    "pooling": lambda x: ad.max_pool1d(x[None, None], 2, stride=1).sum() * ad.avg_pool1d(x[None, None], 2).sum(),
    "spectrum": lambda x: (abs(ad.fft.rfft(x)) ** 2).sum() + ad.fft.irfft(ad.fft.rfft(x) ** 2, 3)[1],
    "standardize": lambda x: (ad.standardize(x) ** 3).sum() + ad.linalg.norm(x, 3) + ad.linalg.norm(x, np.inf),
    "stacked": lambda x: ad.linalg.det(ad.stack([ad.outer(x, x) + np.eye(3), np.eye(3) * x])).sum(),
    "slogdet": lambda x: ad.linalg.slogdet(ad.outer(x, x) + np.eye(3))[1],
    "checkpoints": lambda x: ad.checkpoint(lambda z: ad.sin(z) * ad.checkpoint(ad.exp)(z * x[0]))(x).sum(),
    "steps": lambda x: (ad.floor(2 * x) * x + x % 0.4 + ad.fmod(x, 0.4) + ad.sign(x) * x).sum(),
}


def sum_of_loop(x):
    for _ in range(5):
        x = ad.sin(x) + x / 2
    return x.sum()


def assigned(x):
    z = x * 2
    z[1] = z[0] * z[2]
    w = z * 1
    w[2] = z[1]
    return (ad.arctan2(w, 2.0) * z).sum()


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
    """Whether a sample is small, and of finite numbers."""
    arrays = [np.asarray(a) for a in point.args]
    return all(0 < a.size <= 60 and np.all(np.isfinite(a)) for a in arrays)


PARTLY = {"norm": "of matrices", "cast": "to", **dict.fromkeys(OF_ORDER, "puts complex numbers in order")}
"""Rows that have a form at some samples only, and what the error says at the others."""


@pytest.mark.parametrize("rule", rows_with_forms(), ids=lambda rule: rule.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_form_is_its_row(rule):
    """At every sample of a row its SymPy form has the row's value, to 8 digits."""
    for point in filter(is_plain, draw_samples(rule)):
        inputs = [ad.Tensor(a, requires_grad=is_continuous(a)) for a in point.args]
        y = rule.op(inputs, **point.params) if rule.variadic else rule.op(*inputs, **point.params)
        if not y.tracked or not np.all(np.isfinite(y.data)):
            continue
        try:
            found = np.asarray(to_sympy(y, exact=True), object)
        except UnsupportedError as error:
            refused = str(error)
        else:
            refused = ""
        if refused:
            assert PARTLY.get(rule.name, "never") in refused
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
    apart = to_sympy((ad.Tensor([1.0, 2.0], name="x") * ad.Value(5.0, name="x_0")).sum())
    assert str(to_sympy(ad.Value(1.0) - ad.Value(2.0, name="x0"))) == "-x0 + x02"  # the name that was given is kept
    assert len(apart.free_symbols) == 3  # the first entry of x is no other leaf
    assert str(to_sympy(lambda a, b: a * b, ad.Value(2.0, name="p"), ad.Tensor(3.0))) == "a*b"
    assert str(to_sympy(from_sympy(sp.sin(x) * y, [x, y]), 1.0, 2.0)) == "y*sin(x)"


def test_numbers_on_a_tape():
    x = ad.Value(2.0, name="x")
    read = {0.5: "x/2", 0.1: "0.1*x", 1e300: "1.0e+300*x", Fraction(1, 3): "x/3", True: "x", 1 + 2j: "x*(1 + 2*I)"}
    assert {c: str(to_sympy(x * c)) for c in read} == read
    assert to_sympy(ad.maximum(ad.Tensor([1.0]), np.nan))[0] is sp.nan
    assert compare_symbolic(lambda x: x**3 / 3, Decimal("0.1")).errors["x"] < 1e-27


def test_errors_of_to_sympy():
    with pytest.raises(UnsupportedError, match="the op sort has no SymPy form"):
        to_sympy(ad.sort(ad.Tensor([2.0, 1.0])))
    with pytest.raises(TapeError, match="it reads a result computed from Values or tensors"):
        to_sympy(3.0)
    with pytest.raises(ArgumentError, match="arguments beside a result"):
        to_sympy(ad.Value(3.0) * 2, 1.0)
    with pytest.raises(ArgumentError, match="a symbol for 'z'; the leaves are x"):
        to_sympy(ad.Value(3.0, name="x") * 2, symbols={"z": x})
    with pytest.raises(KindError, match=r"got 't' for 'z'; it takes SymPy's symbols"):
        to_sympy(ad.Value(3.0, name="z") * 2, symbols={"z": "t"})
    with pytest.raises(KindError, match=r"symbols=\[x\]; they are a dict"):
        to_sympy(ad.Value(3.0, name="z") * 2, symbols=[x])
    with pytest.raises(ShapeError, match=r"symbols of shape \(\) for 'w', which has shape \(2,\)"):
        to_sympy(ad.Tensor([1.0, 2.0], name="w") * 2, symbols={"w": x})
    with pytest.raises(ShapeError, match=r"compare_symbolic needs a single number, got shape \(2,\)"):
        compare_symbolic(ad.Tensor([1.0, 2.0]) * 2)
    with pytest.raises(KindError, match=r"z is complex. Let its parts be the arguments"):
        compare_symbolic(lambda z: abs(z), 3 + 4j)
    with pytest.raises(KindError, match="got a complex result"):
        compare_symbolic(lambda z: z * 1j, 3.0)
    with pytest.raises(KindError, match=r"z is x\. Give it a number"):
        compare_symbolic(lambda z: ad.sin(z), x)
    with pytest.raises(UnsupportedError, match="the op maximum puts complex numbers in order"):
        to_sympy(ad.maximum(ad.Tensor([1.0 + 2j]), 0.0))


@pytest.mark.parametrize(("f", "at"), [(ad.sqrt, 0.0), (lambda x: abs(x) * x, 0.0), (ad.floor, 2.0), (ad.exp, np.inf)])
def test_slopes_at_the_edge_agree(f, at):
    """Where the slope is infinite, or that of the conventions."""
    table = compare_symbolic(lambda x: f(x) + 0 * x, at)
    table.require()
    assert "0.0e+00" in str(table)


def test_a_tape_too_deep_for_sympy():
    y = ad.Value(0.5)
    for _ in range(600):
        y = ad.sin(y) + 1
    with pytest.raises(UnsupportedError, match=r"SymPy cannot hold an expression as deep as this tape, 1200 nodes"):
        to_sympy(y)


@pytest.mark.parametrize("at", [2.0, np.array([2.0])], ids=["Value", "Tensor"])
def test_a_wrong_derivative_is_seen(monkeypatch, at):
    """Off by a part in a thousand million, planted in the row."""
    rule = ad.tanh.rule
    ad.grad(lambda x: ad.tanh(x).sum())(np.ones(1))  # what fetches the derivatives is written at the first sweep
    right = rule.pull_on
    monkeypatch.setattr(rule, "pull_on", lambda g, node, pending: right(g * (1 + 1e-9), node, pending))
    table = compare_symbolic(lambda x: ad.sum(ad.tanh(x) * x), at)
    with pytest.raises(AssertionError, match=r"(?s)disagree on the derivative by x.*error"):
        table.require()


def test_without_sympy(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    for call in (lambda: to_sympy(ad.Value(2.0) * 2), lambda: from_sympy("x"), lambda: compare_symbolic(ad.sin, 2.0)):
        with pytest.raises(MissingExtraError, match=r"pip install 'autodiff-tape\[sympy\]'"):
            call()
