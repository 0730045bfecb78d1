"""How much a function enlarges relative errors: its condition number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import numbers
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import enable_grad
from ..core.node import data_of, shape_of
from ..core.summary import repr_text
from ..transforms.first_order import jvp
from ..transforms.jacobian import jacobian
from ..transforms.lift import require_function
from .solving import plain_data, refuse_compiling, require_finite

NORMS = (1, 2, math.inf, "fro", None)


def condition_number(f: Callable[[Any], Any], x: Any, *, norm: Any = 2) -> Any:
    """The relative condition number of ``f`` at ``x``: by what factor it can enlarge small relative errors of ``x``.

    Parameters
    ----------
    f : callable
        Of one argument.
    x : number or array_like
        Where; of a number kind of any precision, or real or complex arrays.
    norm : 1, 2, inf, "fro" or None
        In which norm errors of arrays are measured: the norm of vectors of all entries, and the norm of matrices that
        belongs to it ("fro" bounds the one of 2 from above).  None gives the factor of each entry by each entry.

    Returns
    -------
    float, or a number of the kind of ``x``, or ndarray
        ``abs(x f'(x) / f(x))`` of numbers; ``norm(J) norm(x) / norm(f(x))`` of arrays; with ``norm=None`` an array of
        shape ``f(x).shape + x.shape`` with ``abs(x_j J_ij / f_i)``.

    Raises
    ------
    ArgumentError
        If ``norm`` is not one of those.
    NotFiniteError
        If ``f`` or its derivative is not finite at ``x``.

    Notes
    -----
    A float has a relative error of up to 1.1e-16, so a result is uncertain by the condition number times that, however
    it is computed: it loses ``log10(condition_number)`` digits.  A number near 1 is good, 1e16 leaves no digit.  If
    ``f(x)`` is 0 the number is infinite, or 0 if ``x`` or the derivative is 0 too and nothing is enlarged.

    The condition is that of the problem, not of the program: 1 - cos x near 0 has condition 2, and a program that loses
    all digits there is unstable.  See the guide on stability.

    Source: Trefethen and Bau, "Numerical Linear Algebra" (SIAM 1997), lecture 12.  The Jacobian is exact.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> condition_number(ad.sqrt, 4.0)
    0.5
    >>> round(condition_number(lambda x: x - 1, 1.001))
    1001
    >>> A = np.array([[1.0, 2.0], [2.0, 4.001]])
    >>> round(condition_number(lambda b: ad.linalg.solve(A, b), np.array([3.0, 6.001])))
    23724
    """
    require_function(f, "condition_number")
    refuse_compiling("condition_number")
    if not isinstance(norm, int | float | str | None) or norm not in NORMS:
        raise ArgumentError(f"condition_number got norm={repr_text(norm)}; there are {', '.join(map(str, NORMS))}.")
    at = plain_data(x)
    if numbers.is_number(type(at)) and not isinstance(at, bool):
        return _of_number(f, at)
    at = np.asarray(at)
    if at.dtype.kind not in "fciu":
        raise KindError(f"condition_number got x={repr_text(x)}; it takes a number or an array of them.")
    at = at.astype(float) if at.dtype.kind in "iu" else at
    with np.errstate(all="ignore"):  # what is not finite raises
        y = np.asarray(plain_data(f(at)))
        slopes = np.asarray(plain_data(jacobian(f)(at)))
    require_finite("condition_number", y, f"x = {repr_text(at)}")
    require_finite("condition_number", slopes, f"x = {repr_text(at)}, in its derivative,")
    if slopes.shape != y.shape + at.shape:
        raise ShapeError(f"condition_number needs f to return one array, it returned {repr_text(y)}.")
    if norm is None:
        above = np.abs(slopes) * np.abs(at)
        return _ratio(above, np.broadcast_to(np.abs(y).reshape(y.shape + (1,) * at.ndim), above.shape))
    order: Any = norm
    vector: Any = 2 if norm == "fro" else norm
    sizes = [np.linalg.norm(a.ravel(), vector) if a.size else 0.0 for a in (at, y)]
    steepest = np.linalg.norm(slopes.reshape(y.size, at.size), order) if slopes.size else 0.0
    return float(_ratio(np.asarray(steepest * sizes[0]), np.asarray(sizes[1])))


def _of_number(f: Callable[[Any], Any], x: Any) -> Any:
    x = numbers.like(x, x) if not isinstance(x, int) else float(x)
    with enable_grad():
        y, slope = (data_of(v) for v in jvp(f, (x,), (numbers.like(x, 1),)))
    if shape_of(y):
        return _ratio(np.abs(np.asarray(slope) * x), np.abs(np.asarray(y)))
    if isinstance(y, float | complex | np.generic | np.ndarray):
        require_finite("condition_number", y, f"x = {x}")
        require_finite("condition_number", slope, f"x = {x}, in its derivative,")
    above, below = abs(x * slope), abs(y)
    if below == 0:
        return math.inf if above != 0 else 0.0
    found = above / below
    return found.item() if isinstance(found, np.generic | np.ndarray) else found


def _ratio(above: Any, below: Any) -> Any:
    """``above / below``; where the second is 0, inf, or 0 if the first is too."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(above == 0, 0.0, above / below)
