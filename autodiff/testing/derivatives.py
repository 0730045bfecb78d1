"""One derivative computed in every way there is, in one table."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ..core.dispatch import joined as array_of
from ..core.errors import ArgumentError, KindError, NotFiniteError, ShapeError
from ..core.node import data_of, is_complex, shape_of, size_of
from ..core.numbers import is_number
from ..core.summary import kind_text, number_text, repr_text
from ..transforms.first_order import jvp, vjp
from ..transforms.lift import require_function
from ..transforms.no_value import where_finite
from ..transforms.quotients import central_difference, complex_step, richardson_difference
from ..value import Value

Function = Callable[..., Any]

DIGITS = 50
"""To so many digits SymPy and mpmath compute."""

EPS = sys.float_info.epsilon
STEPS = {"complex step": 1e-20, "central difference": EPS ** (1 / 3), "Richardson": EPS ** (1 / 5)}
"""Steps in units of the scale on which the function changes: where truncation and rounding balance."""

BEST_FIRST = ("mpmath", "SymPy", "analytic", "reverse", "forward", "complex step", "Richardson", "central difference")
"""Which answer the others are compared with: the first of these that there is."""


@dataclass(frozen=True)
class DerivativeTable:
    """What :func:`compare_derivatives` returns; prints as a table.

    Attributes
    ----------
    entries : list of str
        What is differentiated by: ``x``, or the entries ``x[0]``, ``x[1]``, ...
    values : dict of str to list
        The answers of each method, one an entry.
    missing : dict of str to str
        Why a method gives none.
    best : str
        The method that the others are compared with: the one with the most digits.
    errors : dict of str to list of float
        Distances from the best answer, relative to it (absolute where it is 0).
    """

    entries: list[str]
    values: dict[str, list[Any]]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """The method that the others are compared with: the one with the most digits."""
        return next(method for method in BEST_FIRST if method in self.values)

    @property
    def errors(self) -> dict[str, list[float]]:
        """Distances from the best answer, relative to it (absolute where it is 0)."""
        best = self.values[self.best]
        return {m: [_apart(a, b) for a, b in zip(found, best, strict=True)] for m, found in self.values.items()}

    def require(self, rtol: float = 1e-5) -> None:
        """Raise AssertionError if an answer is further than ``rtol`` from the best."""
        wrong = [method for method, errors in self.errors.items() if not all(error <= rtol for error in errors)]
        if wrong:
            raise AssertionError(f"Derivatives disagree: {', '.join(wrong)} and {self.best}.\n{self}")

    def __str__(self) -> str:
        width = max([len("derivative by"), *map(len, self.entries)])
        wide = max(map(len, self.values))
        lines = [f"{'derivative by':<{width}}  {'method':<{wide}}  {'answer':>23}  {'error':>8}"]
        errors = self.errors
        for k, entry in enumerate(self.entries):
            for method, found in self.values.items():
                error = "best" if method == self.best else f"{errors[method][k]:.1e}"
                named = entry if method == next(iter(self.values)) else ""
                text = number_text(float(found[k]), 17)
                lines.append(f"{named:<{width}}  {method:<{wide}}  {text:>23}  {error:>8}")
        lines += [f"no {method}: {why}" for method, why in self.missing.items()]
        return "\n".join(lines)


def compare_derivatives(f: Function, x: Any, analytic: Any = None) -> DerivativeTable:
    """The derivative of ``f`` at ``x`` in every way there is, in one table.

    Parameters
    ----------
    f : callable
        Of one argument; returns one real number.
    x : float or array_like
        Where; of an array the derivative by each entry.
    analytic : callable, number or array_like, optional
        What you believe the derivative to be: a formula of ``x``, or its value.

    Returns
    -------
    DerivativeTable
        ``.require()`` raises if the answers disagree.

    Raises
    ------
    ArgumentError, KindError, ShapeError
        If ``x`` or ``analytic`` is not real, ``f`` does not return one real number, or ``analytic`` is of another
        shape than ``x``.
    NotFiniteError
        If ``f`` is not finite at ``x``, or has no value there.

    Notes
    -----
    The methods: the tape in reverse and in forward mode (exact up to rounding); the complex step ``Im f(x + ih) / h``
    with h = 1e-20 of ``x`` (exact up to rounding, where ``f`` is analytic; wrong where it takes ``abs`` or a maximum);
    central differences (order 2, about 10 digits) and Richardson's combination of two (order 4, about 12 digits), with
    steps in units of what lies between ``x`` and 1, by tens, wherever the error looks least; SymPy's derivative of
    ``f`` of a symbol; and mpmath's numerical derivative with 50 digits.  What ``f`` cannot be given is left out, and
    the table says why.  An array is given to ``f`` as an object array of Values of symbols or of mpmath numbers, which
    indexing, arithmetic, sums, products and most functions of NumPy can take, but not linear algebra.

    Source of the complex step: Squire and Trapp, "Using complex variables to estimate derivatives of real functions",
    SIAM Review 40 (1998) 110-112.

    Examples
    --------
    >>> import math
    >>> import autodiff as ad
    >>> table = compare_derivatives(lambda x: ad.exp(x) / x, 2.0, lambda x: math.exp(x) / x - math.exp(x) / x**2)
    >>> table.best
    'mpmath'
    >>> max(table.errors["reverse"]) < 1e-15, max(table.errors["central difference"]) < 1e-9
    (True, True)
    """
    require_function(f, "compare_derivatives")
    point = _checked(x)
    single = not isinstance(data_of(x), np.ndarray | list | tuple | range)
    indices = list(np.ndindex(point.shape))
    entries = ["x" + (str(list(index)) if index else "") for index in indices]

    def along(index: tuple[int, ...], start: Any) -> Function:
        """``f`` as a function of how far one entry is moved."""

        def moved(t: Any) -> Any:
            if single:
                return _only(f(start[index] + t))
            at = start.astype(complex) if isinstance(t, complex) else start.copy()
            at[index] += t
            return _only(f(at))

        return moved

    with where_finite("compare_derivatives", x):
        y = f(float(point) if single else point.copy())
    _require_one(y)
    missing: dict[str, str] = {}
    values: dict[str, list[Any]] = {}
    if analytic is not None:
        given = analytic(float(point) if single else point.copy()) if callable(analytic) else analytic
        given = array_of(given) if isinstance(given, list | tuple) else given
        if shape_of(given) != point.shape:
            raise ShapeError(f"compare_derivatives: x has shape {point.shape}, analytic has shape {shape_of(given)}.")
        values["analytic"] = [np.asarray(data_of(given))[index] for index in indices]
        if not all(map(_is_real, values["analytic"])):
            raise KindError(f"compare_derivatives got analytic={repr_text(given)}; it is made of real numbers.")
    start = float(point) if single else point

    def differences(method: str, quotient: Function) -> Any:
        return [_at_best_step(quotient, along(i, point), STEPS[method], float(point[i])) for i in indices]

    def complex_steps() -> Any:
        steps = (STEPS["complex step"] * (abs(float(point[index])) or 1.0) for index in indices)
        return [float(_complex_step(along(index, point), 0.0, h)) for index, h in zip(indices, steps, strict=True)]

    def reverse() -> Any:
        y, pull = vjp(f, start)
        g = np.asarray(data_of(pull(np.ones(shape_of(y)) if shape_of(y) else 1.0)[0]))
        return [g[index] for index in indices]

    def forward() -> Any:
        units = np.eye(point.size).reshape(point.size, *point.shape)
        pushed = (jvp(f, (start,), (1.0 if single else unit,))[1] for unit in units)
        return [np.asarray(data_of(t)).item() for t in pushed]

    ways: dict[str, Function] = {
        "reverse": reverse,
        "forward": forward,
        "complex step": complex_steps,
        "central difference": lambda: differences("central difference", central_difference),
        "Richardson": lambda: differences("Richardson", richardson_difference),
        "SymPy": lambda: _by_sympy(f, point, single),
        "mpmath": lambda: _by_mpmath(along, point, indices),
    }
    for method, way in ways.items():
        try:
            values[method] = [data_of(d) for d in way()]
        except ImportError:
            missing[method] = f"the package {method.lower()} is not installed"
        except Exception as error:  # whatever f does with what it cannot take
            first = str(error).strip().split("\n")[0]
            missing[method] = f"{_REFUSED.get(method, 'f failed')} ({type(error).__name__}: {first[:90]})"
    return DerivativeTable(entries, values, missing)


_REFUSED = {
    "reverse": "f cannot be recorded",
    "forward": "f cannot be recorded",
    "complex step": "f takes no complex numbers",
    "SymPy": "f takes no symbols",
    "mpmath": "f takes no mpmath numbers",
}


def _checked(x: Any) -> Any:
    point = np.asarray(data_of(array_of(x) if isinstance(x, list | tuple) else x))
    if point.dtype.kind not in "fiu":
        raise KindError(f"compare_derivatives got x={repr_text(x)}; it takes a real number or an array of them.")
    if not np.all(np.isfinite(point)):
        raise ArgumentError(f"compare_derivatives got x={repr_text(x)}; every entry must be finite.")
    return point.astype(float)


def _require_one(y: Any) -> None:
    data = data_of(y)
    listed = isinstance(data, list | tuple)
    if listed or size_of(data) != 1 or not _is_real(data):
        found = kind_text(data) if listed or size_of(data) == 1 else f"shape {shape_of(data)}"
        raise ShapeError(f"compare_derivatives needs f to return one real number, it returned {found}.")
    if not math.isfinite(_only(data)):
        raise NotFiniteError(f"compare_derivatives: f is {_only(data)} at x. Give a point where it has a value.")


def _is_real(x: Any) -> bool:
    real = x.dtype.kind in "biuf" if isinstance(x, np.ndarray | np.generic) else is_number(type(x))
    return real and not is_complex(x)


def _at_best_step(quotient: Function, f: Function, step: float, x: float) -> float:
    """A difference quotient at 0 of ``f(t)``, the function at ``x + t``; ``step`` is in units of the scale of ``f``.

    That is unknown: ``1 / x`` changes on the scale of ``x``, and ``exp`` on that of 1.  Of the scales between, it is
    the one with the least relative error, as a quotient of half the step and the rounding of ``f`` and of ``x + t``
    tell.
    """
    scales, size = [max(1.0, abs(x))], abs(x)
    while scales[-1] > min(1.0, size) > 0:
        scales.append(max(scales[-1] / 10, min(1.0, size)))
    tried: list[tuple[float, float]] = []
    refused: Exception = ArithmeticError()
    for h in (step * scale for scale in scales):
        try:
            with np.errstate(all="ignore"):
                slope, again, y = (float(q) for q in (quotient(f, 0.0, h), quotient(f, 0.0, h / 2), f(h)))
            doubt = (abs(slope - again) + EPS * abs(y) / h) / abs(slope) + EPS * size / h if slope else math.inf
        except (ArithmeticError, ValueError) as error:  # beside x the function has no value
            refused = error
            continue
        tried.append((doubt if math.isfinite(doubt) else math.inf, slope))
    if not tried:
        raise refused
    return min(tried, key=lambda pair: pair[0])[1]


def _complex_step(f: Function, x: float, h: float) -> Any:
    def complex_f(z: complex) -> Any:
        y = f(z)
        if not isinstance(y, complex):
            raise KindError("it dropped the imaginary part")
        return y

    return complex_step(complex_f, x, h)


def _array_of(numbers: list[Any], shape: tuple[int, ...]) -> Any:
    """An object array of Values: of its entries NumPy's functions call the methods of that name."""
    array = np.empty(len(numbers), object)
    for k, x in enumerate(numbers):
        array[k] = Value(x)
    return array.reshape(shape)


def _only(y: Any) -> Any:
    """The one number of a result."""
    return data_of(np.asarray(data_of(y), object).item())


def _by_sympy(f: Function, point: Any, single: bool) -> list[Any]:
    import sympy as sp

    symbols = [sp.Symbol("_".join(["x", *map(str, index)]), real=True) for index in np.ndindex(point.shape)]
    expression = sp.sympify(_only(f(symbols[0] if single else _array_of(symbols, point.shape))))
    at = {s: sp.Rational(float(v)).evalf(DIGITS + 10) for s, v in zip(symbols, point.ravel(), strict=True)}
    found = [sp.diff(expression, s).xreplace(at).evalf(DIGITS) for s in symbols]
    if not all(d.is_number and d.is_real for d in found):
        raise ArithmeticError("its symbolic derivative has no real value there")
    return found


def _by_mpmath(along: Function, point: Any, indices: list[Any]) -> list[Any]:
    import mpmath

    def kept(moved: Function, t: Any) -> Any:
        y = moved(t)
        if isinstance(y, mpmath.mpc):
            raise ArithmeticError("beside x it is complex")
        if not isinstance(y, mpmath.mpf):
            raise KindError("it turned them into floats")
        return y

    def slope(index: tuple[int, ...]) -> Any:
        size = mpmath.mpf(abs(float(point[index])) or 1)
        moved = along(index, start)
        return mpmath.diff(lambda t: kept(moved, size * t), mpmath.mpf(0)) / size

    least = min((abs(float(v)) for v in point.ravel() if v), default=1.0)
    with mpmath.workdps(DIGITS + max(0, -math.floor(math.log10(least)))):  # 1 + x keeps so many digits of x
        start = _array_of([mpmath.mpf(float(v)) for v in point.ravel()], point.shape)
        return [slope(index) for index in indices]


def _apart(found: Any, best: Any) -> float:
    """The distance of two real numbers of any kinds, relative to the second."""
    if not (np.isfinite(float(found)) and np.isfinite(float(best))):
        return 0.0 if str(float(found)) == str(float(best)) else float("inf")
    a, b = as_fraction(found), as_fraction(best)
    return float(abs(a - b) / abs(b)) if b else float(abs(a - b))


def as_fraction(x: Any) -> Fraction:
    """A finite real number of any kind, exactly: those of mpmath and SymPy are whole numbers times powers of two."""
    parts = getattr(x, "_mpf_", None)
    if parts is None:
        return Fraction(x.item() if isinstance(x, np.generic) else x if isinstance(x, int | Fraction) else float(x))
    sign, mantissa, exponent, _ = parts
    return Fraction(-1 if sign else 1) * int(mantissa) * Fraction(2) ** int(exponent)
