"""Difference quotients against the derivative: what a limit looks like in numbers of finite length."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import numbers
from ..core.axes import MARKERS, ink, palette, tick_text
from ..core.errors import ArgumentError, AutodiffError, KindError, ShapeError
from ..core.figures import axes_for
from ..core.node import Node, data_of, is_complex, shape_of, size_of
from ..core.summary import kind_text, number_text, repr_text
from ..transforms.lift import require_function
from ..transforms.quotients import central_difference, complex_step, forward_difference, richardson_difference
from .spelling import only_own_keywords
from .taylor import finite_series, first_bad

Function = Callable[[Any], Any]

DECADES = 16
"""Steps go from 1/10 down to ten to the power of minus this."""

QUOTIENTS = {
    "forward": forward_difference,
    "central": central_difference,
    "Richardson": richardson_difference,
    "complex step": complex_step,
}


@dataclass(frozen=True)
class DifferenceTable:
    """What :func:`difference_table` returns: printed, it is a table.

    Attributes
    ----------
    x : number
        Where the function is differentiated.
    exact : number
        The derivative.
    steps : list
        The steps ``h``, in the kind of ``x``.
    values : dict of str to list
        The difference quotients of each method, one for each step; nan where the function has no value.
    errors : dict of str to list of float
        Their distances from ``exact``.
    coefficients : list
        The Taylor coefficients of the function up to order 3: of them the errors for small steps are made.
    note : str
        What is left out, and why.
    """

    x: Any
    exact: Any
    steps: list[Any]
    values: dict[str, list[Any]]
    errors: dict[str, list[float]]
    coefficients: list[Any]
    note: str = ""

    def best(self, method: str) -> tuple[Any, float]:
        """The largest step with the smallest error of a method, and that error."""
        errors = np.nan_to_num(self.errors[method], nan=np.inf)
        best = np.flatnonzero(errors == errors.min())
        k = max(best, key=lambda k: self.steps[k])
        return self.steps[k], float(errors[k])

    def __str__(self) -> str:
        lines = [f"derivative at x = {number_text(self.x, 6)}: {self.exact}"]
        lines.append(f"{'step':>8}" + "".join(f"{method:>14}{'error':>9}" for method in self.values))
        for k, h in enumerate(self.steps):
            cells = (f"{float(self.values[m][k]):>14.9g}{self.errors[m][k]:>9.1e}" for m in self.values)
            lines.append(f"{float(h):>8.0e}" + "".join(cells))
        best = [self.best(method) for method in self.values]
        lines.append(f"{'best h':>8}" + "".join(f"{float(h):>14.0e}{error:>9.1e}" for h, error in best))
        return "\n".join(lines + [self.note] * bool(self.note))

    def plot(self, ax: Any = None) -> Any:
        """Draw the errors over the steps, both by powers of ten, on Matplotlib axes (an extra).

        From the right they fall with the order of the method, along the dotted lines that the Taylor series of the
        function gives.  Where the difference of two almost equal numbers is all rounding they rise again, along the
        dashed line: the rounding of the function's value, divided by the step.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            New ones if left out.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtraError
            If Matplotlib is not installed.
        """
        ax = axes_for("DifferenceTable.plot", ax, 6.5, 4.2)
        h = np.array([float(step) for step in self.steps])
        rounding = np.finfo(float).eps if isinstance(self.x, float) else 0.0
        value, _, second, third = (abs(float(c)) for c in self.coefficients)
        shown = [error for errors in self.errors.values() for error in errors if error > 0 and math.isfinite(error)]
        lowest = 10.0 ** math.floor(
            math.log10(min([rounding * abs(float(self.exact)), *shown], default=1e-16) or 1e-16)
        )
        zero, top = lowest / 30, 10 * max(shown, default=1.0)
        ax.set(xscale="log", yscale="log", xlabel="step h", ylabel="error", ylim=(zero / 3, top))
        ax.set_yticks(10.0 ** np.arange(math.log10(lowest), math.log10(top), 2), minor=False)
        for line, style, text, beside in (
            (second * h, ":", "order 1", (6, -8)),
            (third * h**2, ":", "order 2", (6, -8)),
            (rounding * value / h, "--", "rounding / h", (10, -2)),
        ):
            inside = np.flatnonzero((line > lowest) & (line < top))
            if inside.size:
                ax.plot(h[inside], line[inside], style, color=ink(ax), linewidth=1, alpha=0.6, zorder=1)
                k = min(inside, key=lambda k: h[k])
                ax.annotate(text, (h[k], line[k]), beside, textcoords="offset points", fontsize=8, color=ink(ax))
        colors = palette(ax, len(self.errors))
        for i, (method, errors) in enumerate(self.errors.items()):
            drawn = [zero if error == 0 else error for error in errors]
            under = {"markersize": 3 + i, "zorder": 2.5 - i / 10}  # where curves meet, all of them are seen
            ax.plot(h, drawn, MARKERS[i], color=colors[i], linestyle="-", linewidth=1, label=method, **under)
        if any(error == 0 for errors in self.errors.values() for error in errors):
            ax.axhline(zero, color=ink(ax), linewidth=0.5, alpha=0.4, zorder=0)
            ax.annotate("0", (0, zero), (-4, 0), ("axes fraction", "data"), "offset points", ha="right", va="center")
        ax.legend(loc="upper center", fontsize=8)
        ax.set_title(f"derivative at x = {tick_text(float(self.x))}: {tick_text(float(self.exact))}")
        return ax


@only_own_keywords
def difference_table(f: Function, x: Any, steps: Sequence[Any] | None = None) -> DifferenceTable:
    r"""Compare difference quotients of ``f`` at many steps with its derivative: limits made visible.

    Parameters
    ----------
    f : callable
        Of one real number.
    x : number
        Real, of any kind.  Of a Fraction the quotients are exact, and have no rounding to stop at.
    steps : sequence of numbers, optional
        The steps ``h``, above 0, in units of ``x``; 0.1, 0.01 and so on to 1e-16 if left out.

    Returns
    -------
    DifferenceTable
        It prints as a table, and draws itself with ``.plot()``.

    Raises
    ------
    KindError
        If ``x`` is not one real number.
    ArgumentError
        If ``x`` is not finite, or a step is not above 0, or there is none.
    KindError, ShapeError
        If ``f`` does not return one real number.
    NotFiniteError
        If ``f`` or one of its first three derivatives is not finite at ``x``.

    Notes
    -----
    With the Taylor coefficients :math:`c_k` of ``f``, the error of the forward difference is :math:`c_2 h`, of the
    central one :math:`c_3 h^2` and of the complex step :math:`-c_3 h^2`, each up to higher powers; Richardson's
    combination is of order 4.  Rounding adds about :math:`\epsilon |f(x)| / h` to them, but not to the complex step
    [1]_, which is left out where ``f`` takes no complex numbers.

    References
    ----------
    .. [1] W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions",
       SIAM Review 40 (1998) 110-112.

    Examples
    --------
    >>> import autodiff as ad
    >>> print(difference_table(ad.exp, 0.0, steps=[0.1, 1e-5, 1e-10]))
    derivative at x = 0.0: 1.0
        step       forward    error       central    error    Richardson    error  complex step    error
       1e-01    1.05170918  5.2e-02     1.0016675  1.7e-03   0.999999792  2.1e-07   0.998334166  1.7e-03
       1e-05      1.000005  5.0e-06             1  1.2e-11             1  ...
    """
    require_function(f, "difference_table")
    x = data_of(x)
    x = x.item() if isinstance(x, np.generic | np.ndarray) and np.size(x) == 1 else x
    x = float(x) if type(x) is int else x
    if isinstance(x, bool) or not numbers.is_number(type(x)) or not numbers.is_ordered(x):
        raise KindError(f"difference_table got {kind_text(x)} as x; it takes one real number.")
    given = _steps(x, steps)
    coefficients = finite_series(lambda x: _one_number(f(x)), x, 3, "difference_table")
    if not isinstance(coefficients, list):  # what f returned was an array of one entry
        coefficients = list(coefficients.ravel())
    coefficients = [data_of(c) for c in coefficients]
    values: dict[str, list[Any]] = {}
    note = ""
    for method, quotient in QUOTIENTS.items():
        if quotient is complex_step:
            note = _why_not_complex(f, x)
            if note:
                continue
        values[method] = [_value(quotient, f, x, h) for h in given]
    exact = coefficients[1]
    errors = {method: [_distance(value, exact) for value in column] for method, column in values.items()}
    return DifferenceTable(x, exact, given, values, errors, coefficients, note)


def _steps(x: Any, steps: Any) -> list[Any]:
    """The steps, in the kind of ``x``."""
    if steps is None:
        one = numbers.like(x, 1)
        return [one / 10**k for k in range(1, DECADES + 1)]
    given = [data_of(h) for h in steps] if isinstance(steps, Iterable) else []
    if not given:
        raise ArgumentError(f"difference_table got steps={repr_text(steps)}; give a list of them, as [0.1, 0.01].")
    for h in given:
        if shape_of(h) or not numbers.is_ordered(h) or first_bad(h) is not None or not h > 0:
            raise ArgumentError(f"difference_table got a step {repr_text(h)}; each is a finite number above 0.")
    return [numbers.like(x, h) for h in given]


def _one_number(y: Any) -> Any:
    if isinstance(y, tuple | list | dict) or size_of(y) != 1 or is_complex(y):
        found = f"shape {shape_of(y)}" if isinstance(y, Node | np.ndarray) and shape_of(y) else kind_text(data_of(y))
        raise ShapeError(f"difference_table takes a function that returns one real number; it returned {found}.")
    return y


def _value(quotient: Callable[..., Any], f: Function, x: Any, h: Any) -> Any:
    """A difference quotient; nan where the function has no value beside ``x``, or a complex one."""
    try:
        with np.errstate(all="ignore"):
            y = quotient(lambda x: data_of(f(x)), x, h)
    except (ArithmeticError, ValueError):
        return math.nan
    return math.nan if is_complex(y) else y.item() if isinstance(y, np.generic | np.ndarray) else y


def _distance(value: Any, exact: Any) -> float:
    return math.nan if value != value else abs(float(value - exact))


def _why_not_complex(f: Function, x: Any) -> str:
    """Why the complex step is left out; empty if it is not."""
    if not isinstance(x, float):
        return f"complex step left out: it is for floats, and x is {kind_text(x)}."
    try:
        y = data_of(f(complex(x, 1e-8)))
    except (AutodiffError, TypeError, ValueError, ArithmeticError):
        return "complex step left out: the function takes no complex numbers."
    return "" if np.iscomplexobj(y) else "complex step left out: the function gives real numbers of complex ones."
