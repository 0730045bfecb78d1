"""A SymPy expression as an op: evaluated with the ops of the package, so that every derivative follows."""

from __future__ import annotations

import functools
import importlib
import inspect
import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, UnsupportedError
from ..core.node import Node, data_of, shape_of
from ..core.numbers import is_foreign, like
from ..core.summary import kind_text, repr_text
from ..ops import (
    arithmetic,
    bessel,
    error_functions,
    exponential,
    extremum,
    gammas,
    incomplete,
    joining,
    rounding,
    select,
    special,
    trigonometric,
)
from ..ops.broadcast import broadcast_to
from ..ops.shape import astype
from .sympy_forms import sympy_for

Op = Callable[..., Any]

DIGITS = 30
"""To so many digits a constant is computed, before it is rounded to a float."""


def from_sympy(expr: Any, symbols: Any = None) -> Callable[..., Any]:
    """A SymPy expression as a function of tensors, Values, arrays and numbers.

    It is evaluated with the package's own ops, entry by entry over arrays that broadcast together, so that it has
    derivatives of any order in both modes, and can be compiled.

    Parameters
    ----------
    expr : Expr, Boolean, Matrix, or nested list of them
        A Matrix or list gives a tensor with its axes first.
    symbols : Symbol, str, or sequence of them, optional
        The arguments, in their order.  By default all symbols of the expression, by name.

    Returns
    -------
    callable
        With the attributes ``expr`` and ``symbols``.

    Raises
    ------
    UnsupportedError
        For a function that no op computes; it is named.
    ArgumentError
        If the expression has other symbols than those given.
    MissingExtraError
        If SymPy is not installed.

    Notes
    -----
    Of arrays the result has their common shape, also where the expression is a constant.  A function that no op
    computes is rewritten where SymPy knows how: ``jn`` as ``besselj``, ``harmonic`` as ``digamma``.

    Constants are taken in the kind of the arguments: pi, 1/3 and sin(1) are floats beside floats and arrays (float32
    stays float32), ``mpf`` of the working precision beside mpmath numbers, themselves beside SymPy's; 1/3 is a Fraction
    beside Fractions.  A Piecewise of numbers computes only the piece that holds; of tensors it computes all, and those
    not taken give the derivative 0.  A Matrix of results is an array of floats, whatever kind they had.

    Examples
    --------
    >>> import sympy as sp
    >>> import autodiff as ad
    >>> t, k = sp.symbols("t k")
    >>> decay = from_sympy(sp.exp(-k * t) * sp.cos(t), [t, k])
    >>> ad.grad(decay)(0.0, 0.5)
    -0.5
    >>> from fractions import Fraction
    >>> from_sympy(t**2 + sp.Rational(1, 3))(Fraction(1, 2))
    Fraction(7, 12)
    """
    sp = sympy_for("from_sympy")
    given = _sympified(expr)
    parts = list(given.flat) if isinstance(given, np.ndarray) else [given]
    free = {s for part in parts for s in part.free_symbols}
    names = [s.name for s in free if isinstance(s, sp.Symbol)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice and (symbols is None or isinstance(symbols, str)):
        raise ArgumentError(
            f"from_sympy got an expression with several symbols named {twice[0]}, which differ in what is assumed of "
            "them. Give the symbols themselves, in a list."
        )
    wanted = _chosen(sorted(free, key=str) if symbols is None else symbols, free, sp)
    missing = sorted(s.name for s in free - set(wanted))
    if missing:
        raise ArgumentError(
            f"from_sympy got an expression in {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"among the symbols [{', '.join(s.name for s in wanted)}]. Add them there, or put numbers in with subs."
        )
    for part in parts:
        _require_known(part, set(wanted))

    def evaluated(*args: Any) -> Any:
        if len(args) != len(wanted):
            names = ", ".join(s.name for s in wanted)
            raise ArgumentError(f"A SymPy expression in ({names}) was given {len(args)} arguments.")
        args = tuple(_admitted(a) for a in args)
        kind = next((data_of(a) for a in args if is_foreign(data_of(a))), None)
        known = dict(zip(wanted, args, strict=True))
        arrays = [data_of(a) for a in args if isinstance(data_of(a), np.ndarray | np.generic)]
        with np.errstate(all="ignore"):  # of the pieces that are not taken
            results = [_evaluate(part, known, kind) for part in parts]
        if arrays:
            results = [_spread(r, arrays) for r in results]
        if not isinstance(given, np.ndarray):
            return results[0]
        stacked = joining.stack(results)
        return stacked.reshape((*given.shape, *stacked.shape[1:]))

    evaluated.expr, evaluated.symbols = expr, tuple(wanted)  # type: ignore[attr-defined]
    if len({s.name for s in wanted if s.name.isidentifier()}) == len(wanted):
        positional = inspect.Parameter.POSITIONAL_ONLY
        evaluated.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(s.name, positional) for s in wanted]
        )
    evaluated.__name__ = evaluated.__qualname__ = "from_sympy"
    evaluated.__doc__ = f"{repr_text(expr)} of ({', '.join(s.name for s in wanted)})."
    return evaluated


def _spread(y: Any, arrays: list[Any]) -> Any:
    """A result, also one that does not depend on the arrays, in the shape and the dtype that it has beside them."""
    shape, dtype = np.broadcast_shapes(*(a.shape for a in arrays)), np.result_type(*arrays)
    found = np.asarray(data_of(y)).dtype
    if found.kind == "b":
        return y if shape_of(y) == shape else broadcast_to(y, shape)
    if not isinstance(data_of(y), np.ndarray | np.generic) or shape_of(y) != shape:
        y = arithmetic.add(y, np.zeros(shape, dtype))
    return astype(y, dtype) if found.kind in "iuf" and dtype.kind == "f" and found != dtype else y


def _sympified(expr: Any) -> Any:
    """An expression, or an object array of them; integrals, derivatives and sums worked out where SymPy can."""
    import sympy as sp

    if isinstance(expr, sp.MatrixBase | sp.NDimArray | list | tuple | np.ndarray):
        array = np.array(expr.tolist() if hasattr(expr, "tolist") else expr, object)
        if not array.size:
            raise ArgumentError(f"from_sympy got {repr_text(expr)}, which holds no expression.")
        done = np.empty(array.shape, object)
        for index in np.ndindex(array.shape):
            done[index] = _sympified(array[index])
        return done
    try:
        found = sp.sympify(expr)
    except sp.SympifyError:
        found = None
    if not isinstance(found, sp.Expr | sp.logic.boolalg.Boolean):
        raise ArgumentError(f"from_sympy got {repr_text(expr)}, {kind_text(expr)}; it takes a SymPy expression.")
    unfinished = (sp.Derivative, sp.Integral, sp.Sum, sp.Product, sp.Limit, sp.Subs)
    return _rewritten(found.doit() if found.has(*unfinished) else found)


def _rewritten(expr: Any) -> Any:
    """The expression, with functions that no op computes written as others that have one, where SymPy knows how."""
    import sympy as sp

    ops = _ops()
    others = sp.erf, sp.besselj, sp.bessely, sp.gamma, sp.digamma, sp.zeta, sp.uppergamma, sp.atan2, sp.Piecewise

    def is_missing(e: Any) -> bool:
        return isinstance(e, sp.Function) and e.func not in ops and not isinstance(e, sp.Piecewise)

    def rewritten(e: Any) -> Any:
        if isinstance(e, sp.betainc):
            return sp.beta(*e.args[:2]) * sp.betainc_regularized(*e.args)
        for form in (e.rewrite(other) for other in others):
            if form != e and not form.has(sp.I) and not any(map(is_missing, form.atoms(sp.Function))):
                return form
        return e

    return expr.replace(is_missing, rewritten)


def _chosen(symbols: Any, free: set[Any], sp: Any) -> list[Any]:
    given = sp.symbols(symbols) if isinstance(symbols, str) and symbols.strip(" ,") else symbols
    given = list(given) if isinstance(given, Iterable) else [given]
    by_name = {s.name: s for s in free}
    found = [by_name.get(s, sp.Symbol(s)) if isinstance(s, str) else s for s in given]
    if isinstance(symbols, str):  # a name means the symbol of that name, whatever is assumed of it
        found = [by_name.get(s.name, s) for s in found]
    if not all(isinstance(s, sp.Symbol) for s in found) or len(set(found)) != len(found):
        raise ArgumentError(
            f"from_sympy got the symbols {repr_text(symbols)}; they are symbols, or names, all different."
        )
    return found


def _admitted(a: Any) -> Any:
    return np.asarray(a, float) if isinstance(a, list | tuple) and not any(isinstance(x, Node) for x in a) else a


def _is_number(e: Any) -> bool:
    """Whether an expression is a number that no op computes: an atom, or such as LambertW(1)."""
    import sympy as sp

    if e.is_Atom:
        return bool(e.is_Number or e.is_NumberSymbol or e is sp.I or isinstance(e, sp.logic.boolalg.BooleanAtom))
    return bool(isinstance(e, sp.Expr) and e.is_number and e.func not in _ops() and _digits(e, DIGITS) is not None)


@functools.lru_cache(maxsize=4096)
def _digits(e: Any, n: int) -> Any:
    """A constant to ``n`` digits; None if SymPy cannot compute it."""
    found = e.evalf(n)
    return found if all(part.is_Number for part in found.as_real_imag()) else None


def _require_known(expr: Any, symbols: set[Any]) -> None:
    """Raise unless there is an op for each part of an expression."""
    import sympy as sp

    ops = _ops()
    pieces = sp.Piecewise, sp.functions.elementary.piecewise.ExprCondPair
    stack = [expr]
    seen = set()
    while stack:
        e = stack.pop()
        if e in seen or e in symbols:
            continue
        seen.add(e)
        if _is_number(e) and e is not sp.zoo:
            continue
        if e is sp.zoo or not (e.func in ops or isinstance(e, pieces)):
            raise UnsupportedError(
                f"from_sympy: no op computes {e.func.__name__}, in {repr_text(e)}. Write it with functions that have "
                "one, or make it an op with ad.custom_rule."
            )
        stack.extend(e.args)


def _evaluate(expr: Any, known: dict[Any, Any], kind: Any) -> Any:
    """The value of an expression, each part computed once; ``known`` is what has been computed."""
    import sympy as sp

    ops = _ops()
    stack = [expr]
    while stack:
        e = stack[-1]
        if e in known:
            stack.pop()
        elif _is_number(e) or (kind is not None and isinstance(e, sp.Expr) and e.is_number):
            known[e] = _number(e, kind)  # also sin(1), to the precision of that kind
        elif isinstance(e, sp.Piecewise):
            known[e] = _piecewise(e, known, kind)
        else:
            parts = _parts(e)
            missing = [a for a in parts if a not in known]
            if missing:
                stack.extend(missing)
                continue
            known[e] = (
                _sum_or_product(e, known)
                if e.is_Add or e.is_Mul or _divides(e)
                else ops[e.func](*(known[a] for a in parts))
            )
    return known[expr]


def _parts(e: Any) -> tuple[Any, ...]:
    """What is evaluated for ``e``: its arguments, but of a quotient those of its numerator and of its denominator."""
    if e.is_Mul or _divides(e):
        above, below = _fraction(e)
        return (*above, *below)
    return tuple(e.args)


def _divides(e: Any) -> bool:
    """Whether a factor is a power with a negative exponent."""
    return bool(e.is_Pow and e.exp.is_Rational and e.exp.is_negative)


@functools.lru_cache(maxsize=4096)
def _fraction(e: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The factors of a product, and those that it is divided by: x * y**-2 is x / y**2, with one rounding less."""
    factors = e.args if e.is_Mul else (e,)
    return tuple(a for a in factors if not _divides(a)), tuple(a.base**-a.exp for a in factors if _divides(a))


def _sum_or_product(e: Any, known: dict[Any, Any]) -> Any:
    if e.is_Add:
        return functools.reduce(arithmetic.add, (known[a] for a in e.args))
    above, below = _fraction(e)
    sign = bool(above) and above[0].is_Integer and int(above[0]) == -1 and len(above) > 1
    y: Any = functools.reduce(arithmetic.multiply, (known[a] for a in above[sign:])) if above else 1
    y = arithmetic.negative(y) if sign else y
    return arithmetic.divide(y, functools.reduce(arithmetic.multiply, (known[a] for a in below))) if below else y


def _piecewise(e: Any, known: dict[Any, Any], kind: Any) -> Any:
    """The first piece whose condition holds, nan where none does."""
    chosen: list[tuple[Any, Any]] = []
    y: Any = float("nan")
    for piece, condition in e.args:
        holds = _evaluate(condition, known, kind)
        if np.ndim(data_of(holds)) or isinstance(holds, Node):  # of a tensor it may hold elsewhere, or in another call
            chosen.append((holds, piece))
        elif holds:
            y = _evaluate(piece, known, kind)
            break
    for holds, piece in reversed(chosen):
        y = select.where(holds, _evaluate(piece, known, kind), y)
    return y


def _number(e: Any, kind: Any) -> Any:
    """A number of SymPy's in the kind of ``kind``, or as an int, float or complex."""
    import sympy as sp

    if e.is_Boolean:
        return bool(e)
    module = type(kind).__module__.partition(".")[0]
    if module == "sympy":
        return e
    if e.is_Integer:
        return int(e)
    if e in (sp.oo, -sp.oo, sp.nan):
        return float(e) if kind is None or module == "fractions" else like(kind, float(e))
    if module == "mpmath":
        import mpmath

        real, imag = (mpmath.mpmathify(part) for part in _digits(e, mpmath.mp.dps + 5).as_real_imag())
        return mpmath.mpc(real, imag) if imag != 0 else +real
    if kind is not None and e.is_Rational and not hasattr(kind, "adjusted"):
        return like(kind, Fraction(int(e.p), int(e.q)))
    context = importlib.import_module("decimal").getcontext() if hasattr(kind, "adjusted") else None
    found = _digits(e, context.prec + 2 if context else DIGITS)
    if found.is_real is False:
        return complex(found)
    return type(kind)(str(found)) if context else float(found)


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, float) and exponent == 0.5:
        return arithmetic.sqrt(base)
    return arithmetic.power(base, exponent)


def _inverse_of(op: Op) -> Op:
    return lambda x: op(arithmetic.divide(1, x))


def _one_over(op: Op) -> Op:
    return lambda x: arithmetic.divide(1, op(x))


def _folded(op: Op) -> Op:
    return lambda *args: functools.reduce(op, args)


@functools.cache
def _ops() -> dict[Any, Op]:
    """Which op computes which class of SymPy's."""
    import sympy as sp

    t, a, g = trigonometric, arithmetic, gammas

    def heaviside(x: Any, at_zero: Any = 0.5) -> Any:
        return rounding.heaviside(x, at_zero)

    def sinc(x: Any) -> Any:
        data = data_of(x)
        return t.sinc(a.divide(x, _number(sp.pi, data if is_foreign(data) else None)))

    def loggamma(x: Any) -> Any:
        return g.gammaln(x)

    def zeta(x: Any, q: Any = 1) -> Any:
        return g.hurwitz_zeta(x, q)

    def binomial(n: Any, k: Any) -> Any:
        return a.divide(1, a.multiply(a.add(n, 1), g.beta(a.add(a.subtract(n, k), 1), a.add(k, 1))))

    def betainc(p: Any, q: Any, x1: Any, x2: Any) -> Any:
        return a.subtract(incomplete.betainc(p, q, x2), incomplete.betainc(p, q, x1))

    def log(x: Any, base: Any = None) -> Any:
        return exponential.log(x) if base is None else a.divide(exponential.log(x), exponential.log(base))

    ops: dict[Any, Op] = {
        sp.Add: _folded(a.add),
        sp.Mul: _folded(a.multiply),
        sp.Pow: _power,
        sp.exp: exponential.exp,
        sp.log: log,
        sp.cot: _one_over(t.tan),
        sp.sec: _one_over(t.cos),
        sp.csc: _one_over(t.sin),
        sp.coth: _one_over(t.tanh),
        sp.sech: _one_over(t.cosh),
        sp.csch: _one_over(t.sinh),
        sp.acot: _inverse_of(t.arctan),
        sp.asec: _inverse_of(t.arccos),
        sp.acsc: _inverse_of(t.arcsin),
        sp.acoth: _inverse_of(t.arctanh),
        sp.asech: _inverse_of(t.arccosh),
        sp.acsch: _inverse_of(t.arcsinh),
        sp.atan2: t.arctan2,
        sp.sinc: sinc,
        sp.Abs: a.absolute,
        sp.sign: a.sign,
        sp.re: a.real,
        sp.im: a.imag,
        sp.conjugate: a.conj,
        sp.floor: rounding.floor,
        sp.ceiling: rounding.ceil,
        sp.frac: lambda x: a.subtract(x, rounding.floor(x)),
        sp.Mod: a.remainder,
        sp.Max: _folded(extremum.maximum),
        sp.Min: _folded(extremum.minimum),
        sp.Heaviside: heaviside,
        sp.erf: special.erf,
        sp.erfc: special.erfc,
        sp.erfinv: error_functions.erfinv,
        sp.erfcinv: error_functions.erfcinv,
        sp.gamma: g.gamma,
        sp.factorial: lambda n: g.gamma(a.add(n, 1)),
        sp.loggamma: loggamma,
        sp.digamma: g.digamma,
        sp.polygamma: g.polygamma,
        sp.beta: g.beta,
        sp.binomial: binomial,
        sp.betainc_regularized: betainc,
        sp.zeta: zeta,
        sp.lowergamma: lambda s, x: a.multiply(incomplete.gammainc(s, x), g.gamma(s)),
        sp.uppergamma: lambda s, x: a.multiply(incomplete.gammaincc(s, x), g.gamma(s)),
        sp.besselj: bessel.jv,
        sp.bessely: bessel.yv,
        sp.besseli: bessel.iv,
        sp.besselk: bessel.kv,
        sp.Gt: select.greater,
        sp.Ge: select.greater_equal,
        sp.Lt: select.less,
        sp.Le: select.less_equal,
        sp.Eq: select.equal,
        sp.Ne: select.not_equal,
        sp.And: _folded(_logical(select.logical_and, operator.and_)),
        sp.Or: _folded(_logical(select.logical_or, operator.or_)),
        sp.Xor: _folded(_logical(select.logical_xor, operator.xor)),
        sp.Not: lambda x: (not x) if isinstance(x, bool) else select.logical_not(x),
        sp.ITE: select.where,
    }
    for theirs, ours in (("a", "arc"), ("", "")):
        for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh"):
            ops[getattr(sp, theirs + name)] = getattr(t, ours + name)
    return ops


def _logical(op: Op, of_bools: Op) -> Op:
    return lambda a, b: of_bools(a, b) if isinstance(a, bool) and isinstance(b, bool) else op(a, b)
