"""The rules of the table in SymPy's words: what :func:`~autodiff.interop.sympy.to_sympy` reads a tape with.

Every value is an object array of expressions, of shape ``()`` for a number.  A rule that works entry by entry has a
form of single expressions, which stands here; the others have one of whole arrays, in ``sympy_arrays.py``.  A rule that
stands in neither table is refused.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from ..core.errors import MissingExtraError

Form = Callable[..., Any]

SHORT = 2**10
"""A float that is a fraction with a denominator up to this is read as that fraction: 0.5 is meant as one half."""

LONG = 2**53
"""From here on whole floats lie further than 1 apart: they are not meant to the last digit."""


def sympy_for(what: str) -> Any:
    """The module ``sympy``, or the error that says who needs it."""
    try:
        import sympy
    except ImportError:
        raise MissingExtraError(what, "sympy", "sympy") from None
    return sympy


def boxed(expression: Any) -> Any:
    """An expression as an object array of shape ``()``."""
    box = np.empty((), object)
    box[()] = expression
    return box


def expressions(x: Any, exact: bool) -> Any:
    """An array or number as an object array of SymPy's numbers.

    Parameters
    ----------
    x : array_like
    exact : bool
        Read every float as the fraction that it is, also 0.1.
    """
    data = np.asarray(x)
    if data.ndim == 0:
        return boxed(one_number(data.item() if data.dtype != object else data[()], exact))
    found = np.empty(data.shape, object)
    for index in np.ndindex(data.shape):
        found[index] = one_number(data[index] if data.dtype == object else data[index].item(), exact)
    return found


def one_number(x: Any, exact: bool) -> Any:
    """A number of any kind as one of SymPy's."""
    import sympy as sp

    if isinstance(x, complex):
        return one_number(x.real, exact) + sp.I * one_number(x.imag, exact)
    if isinstance(x, float) and math.isfinite(x):
        fraction = Fraction(x)
        short = exact or (fraction.denominator <= SHORT and abs(x) < LONG)
        return sp.Rational(fraction.numerator, fraction.denominator) if short else sp.Float(x)
    if isinstance(x, Fraction) or (exact and isinstance(x, Decimal) and x.is_finite()):
        return sp.Rational(*x.as_integer_ratio())
    return sp.sympify(x)


def is_statement(x: Any) -> bool:
    """Whether an expression is true or false, rather than a number; SymPy counts symbols as both."""
    import sympy as sp

    return isinstance(x, sp.logic.boolalg.Boolean) and not isinstance(x, sp.Expr)


def as_statement(x: Any) -> Any:
    """A statement as it is, a number as whether it is not 0."""
    import sympy as sp

    return x if is_statement(x) else sp.Ne(x, 0)


def as_number(x: Any) -> Any:
    """A number as it is, a statement as 1 where it is true and 0 elsewhere."""
    import sympy as sp

    return _chosen(x, sp.S.One, sp.S.Zero) if is_statement(x) else x


def _chosen(condition: Any, a: Any, b: Any) -> Any:
    import sympy as sp

    condition = as_statement(condition)
    if is_statement(a) and is_statement(b):
        return sp.ITE(condition, a, b)
    return sp.Piecewise((as_number(a), condition), (as_number(b), True))


def greatest(*entries: Any, skip_nan: bool = False) -> Any:
    """The largest of some expressions; a nan among them is what is returned, or with ``skip_nan`` takes no part."""
    import sympy as sp

    return _extreme(sp.Max, entries, skip_nan)


def least(*entries: Any, skip_nan: bool = False) -> Any:
    """The smallest of some expressions, as in :func:`greatest`."""
    import sympy as sp

    return _extreme(sp.Min, entries, skip_nan)


def _extreme(f: Form, entries: Any, skip_nan: bool) -> Any:
    import sympy as sp

    known = [x for x in entries if x is not sp.nan]
    return f(*known) if known and (skip_nan or len(known) == len(entries)) else sp.nan


@functools.cache
def entry_forms() -> dict[str, Form]:
    """The rules that work entry by entry, as functions of expressions."""
    import sympy as sp

    two = sp.Integer(2)
    chosen = _chosen

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + sp.exp(-x))

    def ndtr(x: Any) -> Any:
        return sp.erfc(-x / sp.sqrt(2)) / 2

    def gammaln(x: Any) -> Any:
        return chosen(x > 0, sp.loggamma(x), sp.log(sp.Abs(sp.gamma(x))))

    def softplus(x: Any) -> Any:
        return sp.log(1 + sp.exp(x))

    def xlogy(x: Any, a: Any) -> Any:
        return chosen(sp.Eq(x, 0), sp.S.Zero, x * sp.log(a))

    def rel_entr(x: Any, a: Any) -> Any:
        return chosen(sp.Eq(x, 0), sp.S.Zero, x * sp.log(x / a))

    def trunc(x: Any) -> Any:
        return sp.sign(x) * sp.floor(sp.Abs(x))

    forms: dict[str, Form] = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b,
        "negative": lambda x: -x,
        "positive": lambda x: x,
        "power": lambda x, p: x**p,
        "square": lambda x: x**2,
        "reciprocal": lambda x: 1 / x,
        "remainder": sp.Mod,
        "floor_divide": lambda a, b: sp.floor(a / b),
        "fmod": lambda a, b: sp.sign(a) * sp.Mod(sp.Abs(a), sp.Abs(b)),
        "sqrt": sp.sqrt,
        "cbrt": lambda x: sp.sign(x) * sp.Abs(x) ** sp.Rational(1, 3),
        "exp": sp.exp,
        "exp2": lambda x: two**x,
        "expm1": lambda x: sp.exp(x) - 1,
        "log": sp.log,
        "log2": lambda x: sp.log(x) / sp.log(2),
        "log10": lambda x: sp.log(x) / sp.log(10),
        "log1p": lambda x: sp.log(1 + x),
        "logaddexp": lambda a, b: sp.log(sp.exp(a) + sp.exp(b)),
        "logaddexp2": lambda a, b: sp.log(two**a + two**b) / sp.log(2),
        "xlogy": xlogy,
        "xlog1py": lambda x, a: xlogy(x, 1 + a),
        "entr": lambda x: -xlogy(x, x),
        "rel_entr": rel_entr,
        "kl_div": lambda x, a: rel_entr(x, a) - x + a,
        "log_quotient": lambda x, a: sp.log(x / a),
        "logit": lambda x: sp.log(x / (1 - x)),
        "absolute": sp.Abs,
        "fabs": sp.Abs,
        "sign": sp.sign,
        "real": sp.re,
        "imag": sp.im,
        "conj": sp.conjugate,
        "copysign": lambda a, b: chosen(b >= 0, sp.Abs(a), -sp.Abs(a)),
        "heaviside": sp.Heaviside,
        "floor": sp.floor,
        "ceil": sp.ceiling,
        "trunc": trunc,
        "whole_part": trunc,
        "fraction": lambda x: x - trunc(x),
        "hypot": lambda a, b: sp.sqrt(a**2 + b**2),
        "arctan2": sp.atan2,
        "deg2rad": lambda x: x * sp.pi / 180,
        "rad2deg": lambda x: x * 180 / sp.pi,
        "one_minus_square": lambda x: 1 - x**2,
        "sinc": lambda x: sp.sinc(sp.pi * x),
        "erf": sp.erf,
        "erfc": sp.erfc,
        "erfcx": lambda x: sp.exp(x**2) * sp.erfc(x),
        "erfinv": sp.erfinv,
        "erfcinv": lambda x: sp.erfinv(1 - x),
        "ndtr": ndtr,
        "log_ndtr": lambda x: sp.log(ndtr(x)),
        "ldexp": lambda x, n: x * two**n,
        "signed_power": lambda x, q: chosen(sp.Eq(x, 0), sp.S.Zero, sp.sign(x) * sp.Abs(x) ** q),
        "ndtri": lambda x: sp.sqrt(2) * sp.erfinv(2 * x - 1),
        "relu": lambda x: chosen(x > 0, x, sp.S.Zero),
        "leaky_relu": lambda x, negative_slope: chosen(x > 0, x, negative_slope * x),
        "elu": lambda x, alpha: chosen(x > 0, x, alpha * (sp.exp(x) - 1)),
        "sigmoid": sigmoid,
        "log_sigmoid": lambda x: -softplus(-x),
        "softplus": softplus,
        "silu": lambda x: x * sigmoid(x),
        "mish": lambda x: x * sp.tanh(softplus(x)),
        "gelu": lambda x: x * ndtr(x),
        "gelu_tanh": lambda x: x * sigmoid(2 * sp.sqrt(2 / sp.pi) * (x + sp.Rational(44715, 10**6) * x**3)),
        "gamma": sp.gamma,
        "gammaln": gammaln,
        "digamma": sp.digamma,
        "polygamma": sp.polygamma,
        "beta": sp.beta,
        "betaln": lambda a, b: gammaln(a) + gammaln(b) - gammaln(a + b),
        "riemann_zeta": sp.zeta,
        "hurwitz_zeta": sp.zeta,
        "gammainc": lambda a, x: sp.lowergamma(a, x) / sp.gamma(a),
        "gammaincc": lambda a, x: sp.uppergamma(a, x) / sp.gamma(a),
        "betainc": lambda a, b, x: sp.betainc_regularized(a, b, 0, x),
        "jv": sp.besselj,
        "yv": sp.bessely,
        "iv": sp.besseli,
        "kv": sp.besselk,
        "bessel_i": lambda x, order: sp.besseli(order, x),
        "bessel_ie": lambda x, order: sp.besseli(order, x) * sp.exp(-sp.Abs(x)),
        "where": chosen,
        "greater": sp.Gt,
        "greater_equal": sp.Ge,
        "less": sp.Lt,
        "less_equal": sp.Le,
        "equal": sp.Eq,
        "not_equal": sp.Ne,
        "logical_and": lambda a, b: sp.And(as_statement(a), as_statement(b)),
        "logical_or": lambda a, b: sp.Or(as_statement(a), as_statement(b)),
        "logical_xor": lambda a, b: sp.Xor(as_statement(a), as_statement(b)),
        "logical_not": lambda x: sp.Not(as_statement(x)),
        "bitwise_and": lambda a, b: sp.And(a, b),
        "bitwise_or": lambda a, b: sp.Or(a, b),
        "invert": lambda x: sp.Not(x),
        "signbit": lambda x: x < 0,
    }
    forms |= dict.fromkeys(("maximum", "clip_below"), greatest) | dict.fromkeys(("minimum", "clip_above"), least)
    forms |= {"fmax": functools.partial(greatest, skip_nan=True), "fmin": functools.partial(least, skip_nan=True)}
    for ours, theirs in (("arc", "a"), ("", "")):
        for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh"):
            forms[ours + name] = getattr(sp, theirs + name)
    for order, names in ((0, ("i0", "j0", "y0", "k0")), (1, ("j1", "y1", "k1"))):
        for name in names:
            bessel = getattr(sp, f"bessel{name[0]}")
            forms[name] = functools.partial(bessel, order)
    forms["ive"] = lambda v, x: sp.besseli(v, x) * sp.exp(-sp.Abs(x))
    forms["kve"] = lambda v, x: sp.besselk(v, x) * sp.exp(x)
    forms["k0e"] = lambda x: sp.besselk(0, x) * sp.exp(x)
    forms["k1e"] = lambda x: sp.besselk(1, x) * sp.exp(x)
    return forms
