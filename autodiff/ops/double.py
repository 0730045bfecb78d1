"""Values of real functions that are computed in double precision, whatever precision came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import numbers
from ..core.errors import KindError, MissingExtraError, UnsupportedError
from ..core.node import Array, ArrayLike

Function = Callable[..., Any]


def in_double(name: str, compute: Function, *args: ArrayLike, narrow: bool = False) -> Array:
    """``compute(*args)`` on arrays of double precision; the result is single if all arrays are.

    As SciPy's functions do, it warns of nothing, refuses complex numbers, and returns double precision for half
    precision and whole numbers; with ``narrow``, single precision for those that single precision holds exactly.
    """
    arrays = [np.asarray(a) for a in args]
    for a in arrays:
        if a.dtype.kind not in "biuf":
            what = "complex numbers" if a.dtype.kind == "c" else f"data of dtype {a.dtype}"
            raise KindError(f"{name} was given {what}; it is computed for real ones only. Take x.real or abs(x) first.")
        if a.dtype.kind == "f" and a.itemsize > 8:
            raise KindError(f"{name} was given {a.dtype}; it is computed in double precision. Take x.astype(float).")
    typed = [a.dtype for a in args if hasattr(a, "dtype")]  # Python's numbers leave the precision open
    if narrow:
        common = np.result_type(*(getattr(a, "dtype", a) for a in args))
        single = np.result_type(common, np.float32) == np.float32
    else:
        single = all(d == np.float32 for d in typed)
    with np.errstate(all="ignore"):
        y = compute(*(np.asarray(a, dtype=float) for a in arrays))
        return y.astype(np.float32) if typed and single else y


def log_ratio(x: Array, a: Array) -> Array:
    """``log(x / a)`` in NumPy, exact where the two are close, without overflow."""
    ratio = x / a
    near = (ratio > 0.5) & (ratio < 2)
    fits = (ratio > np.finfo(float).tiny) & (ratio < np.inf)
    return np.where(near, np.log1p(np.where(near, x - a, 0) / a), np.where(fits, np.log(ratio), np.log(x) - np.log(a)))


def scipy_special(name: str) -> Any:
    """The function of this name in ``scipy.special``.

    Raises
    ------
    MissingExtraError
        If SciPy is not installed.
    """
    try:
        import scipy.special
    except ImportError as error:
        raise MissingExtraError(f"ad.{name}", "scipy", "scipy") from error
    return getattr(scipy.special, name)


def of_numbers(name: str, compute: Function, elsewhere: Function | str = "") -> Function:
    """The forward function of a row for single numbers: in double precision for Python's own.

    Parameters
    ----------
    name : str
        What the op is called.
    compute : callable
        Computes on arrays of double precision.
    elsewhere : str or callable
        For numbers of other libraries: the name of the function there, or a function of the numbers.
    """

    def number(*args: Any) -> Any:
        kind = numbers.leading(map(type, args))
        if issubclass(kind, int | float | complex):
            return in_double(name, compute, *args).item()
        function = numbers.function_for(kind, elsewhere) if isinstance(elsewhere, str) else elsewhere
        if function is None:
            raise numbers.lacks(kind, name)
        return function(*numbers.alike(args))

    return number


def refused(name: str, wrt: str, reason: str) -> Function:
    """A derivative that raises: with respect to an argument for which there is none."""

    def refuse() -> Array:
        raise UnsupportedError(
            f"{name} was to be differentiated with respect to {wrt}: {reason}. Give {wrt} as a plain number or array."
        )

    return refuse
