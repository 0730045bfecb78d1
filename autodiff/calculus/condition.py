"""How much a function enlarges relative errors: its condition number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dispatch import joined
from ..core.errors import ArgumentError, NotFiniteError, ShapeError
from ..core.node import Node, data_of, shape_of, size_of
from ..core.summary import number_text, repr_text
from ..ops import linalg
from ..ops.select import equal, where
from ..ops.shape import reshape
from ..transforms.first_order import jvp, one_like
from ..transforms.jacobian import jacobian
from ..transforms.lift import require_function
from ..transforms.no_value import where_finite
from .solving import plain_data, refuse_compiling
from .spelling import only_own_keywords
from .taylor import as_point, first_bad, require_numbers

NORMS = (1, 2, math.inf, "fro", None)


@only_own_keywords
def condition_number(f: Callable[[Any], Any], x: Any, *, norm: Any = 2) -> Any:
    """The relative condition number of ``f`` at ``x``: by what factor it can enlarge small relative errors of ``x``.

    Parameters
    ----------
    f : callable
        Of one argument.
    x : number or array_like
        Where; of a number kind of any precision, or real or complex arrays.  Python's ints count as floats.
    norm : 1, 2, inf, "fro" or None
        In which norm errors of arrays are measured: the norm of vectors of all entries, and the norm of matrices that
        belongs to it ("fro" bounds the one of 2 from above).  None gives the factor of each entry by each entry.

    Returns
    -------
    float, or a number of the kind of ``x``, or ndarray
        ``abs(x f'(x) / f(x))`` of numbers; ``norm(J) norm(x) / norm(f(x))`` of arrays; with ``norm=None`` an array of
        shape ``f(x).shape + x.shape`` with ``abs(x_j J_ij / f_i)``.  If ``x`` is tracked, or what ``f`` closes over, it
        is recorded, and can be differentiated itself.

    Raises
    ------
    ArgumentError
        If ``norm`` is not one of those.
    KindError, ShapeError
        If ``x`` is not one number or array, or is one of whole numbers; if ``f`` does not return one.
    NotFiniteError
        If ``f`` or its derivative is not finite at ``x``.
    CompileError
        While :func:`autodiff.compile` records.

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
    x = as_point("condition_number", x)
    if isinstance(plain_data(x), np.ndarray):
        return _of_array(f, x, norm)
    with where_finite("condition_number", x):
        y, slope = jvp(f, (x,), (one_like(x),))
    require_numbers(y, "condition_number")
    _require_finite(x, y, slope)
    above, below = abs(slope * x), abs(y)
    if shape_of(y):
        return _ratio(above, below)
    if data_of(below) == 0:
        return math.inf if data_of(above) != 0 else 0.0
    return above / below


def _of_array(f: Callable[[Any], Any], x: Any, norm: Any) -> Any:
    with np.errstate(all="ignore"):  # what is not finite raises
        y = f(x)
        require_numbers(y, "condition_number")
        made: list[Any] = [a if isinstance(a, Node) else joined(a) for a in (y, jacobian(f)(x))]
    y, slopes = made
    if shape_of(slopes) != shape_of(y) + shape_of(x):
        raise ShapeError(f"condition_number needs f to return one array, it returned {repr_text(data_of(y))}.")
    _require_finite(x, y, slopes)
    if norm is None:
        return _ratio(abs(slopes) * abs(x), reshape(abs(y), shape_of(y) + (1,) * len(shape_of(x))))
    if not size_of(slopes):
        return 0.0
    entries = 2 if norm == "fro" else norm
    steepest = linalg.norm(reshape(slopes, (size_of(y), size_of(x))), norm)
    sizes = [linalg.norm(reshape(a, (-1,)), entries) for a in (x, y)]
    found = _ratio(steepest * sizes[0], sizes[1])
    return found if isinstance(found, Node) else float(found)


def _require_finite(x: Any, y: Any, slopes: Any) -> None:
    for found, part in ((y, ""), (slopes, ", in its derivative")):
        data = plain_data(found)
        place = first_bad(data)
        if place is not None:
            raise NotFiniteError(
                f"condition_number: the function returned {number_text(np.asarray(data)[place], 6)} at "
                f"x = {repr_text(data_of(x))}{part}. Ask at a point where both are finite."
            )


def _ratio(above: Any, below: Any) -> Any:
    """``above / below``; where the second is 0, inf, or 0 if the first is too."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return where(equal(above, 0), 0.0, above / below)
