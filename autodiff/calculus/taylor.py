"""Taylor coefficients to any order, by one sweep of power series along the tape."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import numbers, tree
from ..core.dispatch import joined as array_of
from ..core.errors import ArgumentError, KindError, NotFiniteError
from ..core.node import Node, data_of, shape_of
from ..core.summary import kind_text, number_text, repr_text
from ..ops.arithmetic import multiply
from ..ops.joining import stack
from ..transforms.first_order import one_like
from ..transforms.lift import ARRAYS, Call, require_function, result, same_kind
from ..transforms.no_value import where_finite
from .series import Sweep
from .spelling import only_own_keywords


@only_own_keywords
def taylor(f: Callable[[Any], Any], x: Any, order: int) -> Any:
    r"""The Taylor coefficients of ``f`` at ``x``, :math:`c_k = f^{(k)}(x) / k!` for ``k`` from 0 to ``order``.

    Parameters
    ----------
    f : callable
        Of one number, or of an array, entry by entry.  It may close over tracked tensors: then the coefficients are
        recorded, and can be differentiated themselves.
    x : number or array_like
        A number of any kind; the coefficients are as exact as its arithmetic.  Python's ints count as floats.
    order : int

    Returns
    -------
    list or array
        The ``order + 1`` coefficients: a list of numbers, in the kind of ``x``, where ``f`` returns a number; where it
        returns an array, an array with one more axis, the first, along which ``k`` runs.  In units of ``f`` per unit of
        ``x`` to the power of ``k``.

    Raises
    ------
    ArgumentError
        If ``order`` is no whole number from 0 up, or ``x`` is not finite.
    KindError
        If ``x`` is not one number or array, or is one of whole numbers; if ``f`` returns anything but numbers.
    NotFiniteError
        If a coefficient is nan or infinite, or ``f`` of a Python number raises for want of a value: ``f`` has no power
        series at ``x``.

    Notes
    -----
    The coefficients of every node are computed from those of its arguments [1]_, by rules for products, quotients and
    powers, by the recurrences of ops that stand for loops, and by the JVP of every other rule, which is a differential
    equation for its series.  Up to order ``d`` this takes in the order of ``d**2`` products for each node, and ``d**3``
    where no two derivatives of a rule are alike; nested sweeps take ``2**d``.  Order ``k`` of an exponential of
    matrices is one of matrices ``k + 1`` times as long.

    Between jumps and kinks, floors and absolute values are the polynomials that they are on one side: at a kink the
    coefficients are those of the subgradient of smallest size.  Where a rate of 0 meets an infinite slope, nothing
    comes of it, as in every sweep: ``sqrt(x**4)`` has coefficients of 0 at 0, though it is ``x**2``.

    References
    ----------
    .. [1] A. Griewank and A. Walther, "Evaluating Derivatives", 2nd ed. (2008), chapter 13.

    Examples
    --------
    >>> import autodiff as ad
    >>> from fractions import Fraction
    >>> print(*taylor(lambda x: 1 / (1 - x), Fraction(1, 2), 4))
    2 4 8 16 32
    >>> taylor(ad.exp, 0.0, 3)
    [1.0, 1.0, 0.5, 0.16666666666666666]
    """
    require_order("taylor", order=order)
    return finite_series(f, as_point("taylor", x), order, "taylor")


def finite_series(f: Callable[[Any], Any], x: Any, order: int, what: str) -> Any:
    """What :func:`taylor` returns; errors say ``what`` asks."""
    require_finite_point(what, x)
    with where_finite(what, x), np.errstate(all="ignore"):  # what is not finite raises
        rows = along(f, x, one_like(x), order, what)
    for row in tree.flatten(rows):
        _require_series(row.coefficients, x, what)
    return tree.tree_map(lambda row: row.joined(), rows)


class Kept:
    """The coefficients of one output: one leaf of what ``f`` returned."""

    def __init__(self, coefficients: list[Any]) -> None:
        self.coefficients = coefficients

    def joined(self) -> Any:
        """As a list of numbers, or as an array with the coefficients along the first axis."""
        rows = self.coefficients
        if any(isinstance(c, Node) for c in rows):
            return stack(rows) if any(isinstance(data_of(c), ARRAYS) for c in rows) else rows
        return np.stack(rows) if isinstance(rows[0], np.ndarray) else rows


def along(f: Callable[[Any], Any], x: Any, v: Any, order: int, what: str, step: float = 1.0) -> Any:
    """The series of ``f(x + t step v)`` in ``t``: a :class:`Kept` in the place of each output of ``f``.

    Parameters
    ----------
    f : callable
    x, v : number, array or nested structure
        The point and the direction.
    order : int
    what : str
        Who asks.
    step : float
    """
    require_function(f, what)
    call = Call(f, (x,), (0,))
    require_numbers(call.result, what)
    record = call.must_record()
    directions = [v if step == 1 else multiply(v, step) for v in tree.flatten_like(x, v)]
    rows = expand(call, directions, order, record)
    call.close()
    scalar = len(call.inputs) == 1 and call.inputs[0].index in call.scalars
    kept = [Kept([c[()] if scalar and isinstance(c, np.ndarray) else c for c in row]) for row in rows]
    return tree.unflatten(call.result, iter(kept))


def expand(call: Call, directions: list[Any], order: int, record: bool) -> list[list[Any]]:
    """The coefficients of each output of a call along directions, one for each of its inputs."""
    again = record or (call.outer and any(isinstance(v, Node) and v.tracked for v in directions))
    with call.asking():
        sweep = Sweep(call.start, again)
        for node, v in zip(call.inputs, directions, strict=True):
            sweep.begin(node, same_kind(v, node, "direction"))
        rows = sweep.expand(call.outputs, order)
    return [
        [result(call.zeros(y) if c is None else c, again) for c in row]
        for row, y in zip(rows, call.outputs, strict=True)
    ]


def as_point(what: str, x: Any) -> Any:
    """``x`` as one number or array, of which lists are made; whole numbers in lists count as floats.

    Raises
    ------
    KindError
        If it is neither, or an array of whole numbers.
    """
    if isinstance(x, list | tuple):
        x = array_of(x)
        x = x.astype(float) if x.dtype.kind in "iu" else x
    data = data_of(x)
    dtype = getattr(data, "dtype", None) if isinstance(data, (*ARRAYS, np.generic)) else None
    if dtype.kind not in "fc" if dtype is not None else not numbers.is_number(type(data)) or isinstance(data, bool):
        found = f"an array of {dtype}" if dtype is not None else kind_text(x)
        raise KindError(
            f"{what} got {found} as x; it takes a number, or an array of floats. Convert it: x.astype(float)."
        )
    return x


def require_numbers(y: Any, what: str) -> None:
    """Raise unless all that a function returned is numbers and arrays of them.

    Raises
    ------
    KindError
    """
    for leaf in [None] if y is None else tree.flatten(y):
        data = data_of(leaf)
        if isinstance(data, (*ARRAYS, np.generic)) and data.dtype.kind in "biufc":
            continue
        if not numbers.is_number(type(data)):
            found = f"an array of {data.dtype}" if isinstance(data, np.ndarray) else kind_text(leaf)
            raise KindError(f"{what} needs f to return numbers or arrays of them; it returned {found}.")


def require_finite_point(what: str, x: Any) -> None:
    """Raise if ``x`` is infinite or nan."""
    if first_bad(data_of(x)) is not None:
        raise ArgumentError(
            f"{what} got x={repr_text(data_of(x))}, which is not finite. Give a point where the function has a value."
        )


def require_order(what: str, **settings: Any) -> None:
    """Raise unless each setting is a whole number, 0 or more."""
    for name, n in settings.items():
        try:
            fits = operator.index(n) >= 0 and not isinstance(n, bool)
        except TypeError:
            fits = False
        if not fits:
            raise ArgumentError(f"{what} got {name}={repr_text(n)}: how often to differentiate is 0, 1, 2, ...")


def first_bad(c: Any) -> tuple[int, ...] | None:
    """Where the first number that is not finite stands; None if there is none."""
    if isinstance(c, np.ndarray):
        bad = np.argwhere(~np.isfinite(c)) if c.dtype.kind in "fc" else np.empty((0, c.ndim))
        return tuple(map(int, bad[0])) if len(bad) else None
    finite = c == c and (not isinstance(c, float | complex | np.generic) or bool(np.isfinite(c)))
    return None if finite and str(c).lower() not in ("inf", "+inf", "-inf", "infinity", "-infinity") else ()


def _require_series(row: list[Any], x: Any, what: str) -> None:
    for k, c in enumerate(map(data_of, row)):
        place = first_bad(c)
        if place is None:
            continue
        where = f" in entry {list(place)}" if isinstance(c, np.ndarray) and c.ndim else ""
        value = number_text(np.asarray(c)[place], 6)
        point = "x" if shape_of(x) else f"x = {number_text(data_of(x), 6)}"
        raise NotFiniteError(
            f"{what}: coefficient {k} is {value}{where}, so the function has no power series of order {len(row) - 1} "
            f"at {point}. Expand it at another point, or to a lower order.",
            row[:k],
        )
