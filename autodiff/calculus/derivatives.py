"""Derivatives of any order, along directions, and what vector calculus makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import tree
from ..core.errors import KindError, ShapeError
from ..core.node import data_of, shape_of
from ..core.summary import kind_text, repr_text
from ..ops.diagonals import trace
from ..ops.reduce import sum
from ..ops.shape import reshape
from ..transforms.first_order import jvp, one_like
from ..transforms.jacobian import jacobian
from ..transforms.lift import ARRAYS, require_function, zeros
from ..transforms.no_value import where_finite
from ..transforms.vmap import vmap
from .objective import is_array_like
from .solving import joined
from .spelling import only_own_keywords
from .taylor import along, as_point, require_numbers, require_order

Function = Callable[[Any], Any]

AT_ONCE = 64
"""How many directions of a Laplacian go along the tape together."""


@only_own_keywords
def derivative(f: Function, x: Any, n: Any = 1) -> Any:
    """The ``n``-th derivative at ``x`` of a function of one number, of any number kind.

    An array ``x`` is taken entry by entry: ``f`` must then work entry by entry too.

    Parameters
    ----------
    f : callable
        It may close over tracked tensors: then the derivative is recorded, and can be differentiated itself.
    x : number or array_like
        The derivative is as exact as the arithmetic of its kind.  Python's ints count as floats.
    n : int
        How often to differentiate: once by a forward sweep, more often by a sweep of power series, see
        :func:`~autodiff.calculus.taylor`, in time of order ``n**2``; 0 gives ``f(x)``.

    Returns
    -------
    number or array
        In units of ``f`` per unit of ``x`` to the power of ``n``.

    Raises
    ------
    ArgumentError
        If ``n`` is no whole number from 0 up.
    KindError
        If ``x`` is not one number or array, or is one of whole numbers; if ``f`` returns anything but numbers.
    NotFiniteError
        If ``f`` of Python's numbers has no value at ``x`` and raises, as ``1 / x`` does at 0.

    Examples
    --------
    >>> import autodiff as ad
    >>> from fractions import Fraction
    >>> ad.derivative(lambda x: x**3, Fraction(1, 2), n=2)
    Fraction(3, 1)
    >>> import numpy as np
    >>> ad.derivative(ad.sin, np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    require_function(f, "derivative")
    require_order("derivative", n=n)
    x = as_point("derivative", x)
    return _along(f, x, one_like(x), n, "derivative")


def _along(f: Function, x: Any, v: Any, n: int, what: str) -> Any:
    """The ``n``-th derivative of ``f(x + t v)`` by ``t`` at 0."""
    if n == 1:

        def of_numbers(x: Any) -> Any:
            y = f(x)
            require_numbers(y, what)
            return y

        with where_finite(what, x):
            slope = jvp(of_numbers, (x,), (v,))[1]
        return tree.tree_map(lambda c: c[()] if isinstance(x, np.generic) and isinstance(c, np.ndarray) else c, slope)
    bits = _bits(n) if all(map(_is_of_floats, tree.flatten(x))) else 0
    factor = math.factorial(n) / 2 ** (bits * n) if bits else math.factorial(n)
    with where_finite(what, x):
        rows = along(f, x, v, n, what, 2.0**bits)
    return tree.tree_map(lambda row: _times(row.coefficients[n], factor), rows)


def _bits(n: int) -> int:
    """Of the power of two next to the ``n``-th root of ``n!``: steps of it keep coefficients in the range of floats."""
    return round(math.log2(math.factorial(n)) / max(n, 1))


def _is_of_floats(x: Any) -> bool:
    return isinstance(data_of(x), (*ARRAYS, np.generic, int, float, complex))


def _times(c: Any, factor: float) -> Any:
    if factor == 1:
        return c
    y = c * (float(factor) if _is_of_floats(c) else factor)
    return np.asarray(y) if isinstance(c, np.ndarray) else y


@only_own_keywords
def directional_derivative(f: Function, x: Any, v: Any, n: Any = 1) -> Any:
    r"""The ``n``-th derivative of ``f`` at ``x`` along ``v``: that of :math:`f(x + t v)` by :math:`t`, at 0.

    Parameters
    ----------
    f : callable
        Of one argument; returns numbers or arrays.
    x, v : number, array_like, or nested structure of them
        The point, and a direction of the same structure and shapes.  It is not scaled to length 1.  A list of numbers
        counts as an array.
    n : int
        How often to differentiate.

    Returns
    -------
    number, array or nested structure
        In the structure and shapes of what ``f`` returns, in units of ``f`` per unit of ``t`` to the power of ``n``.

    Raises
    ------
    ArgumentError
        If ``n`` is no whole number from 0 up.
    ShapeError
        If ``v`` has another structure or shape than ``x``.
    KindError
        If ``x`` or what ``f`` returns is anything but numbers.
    NotFiniteError
        If ``f`` of Python's numbers has no value at ``x`` and raises, as ``1 / x`` does at 0.

    Examples
    --------
    >>> import numpy as np
    >>> x, v = np.array([1.0, 2.0]), np.array([3.0, 0.0])
    >>> directional_derivative(lambda x: x[0] ** 2 * x[1], x, v), directional_derivative(lambda x: x[0] ** 2, x, v, n=2)
    (12.0, 18.0)
    """
    require_function(f, "directional_derivative")
    require_order("directional_derivative", n=n)
    if x is None or not tree.flatten(x):
        raise KindError(f"directional_derivative got {repr_text(x)} as x; it takes numbers or arrays.")
    if isinstance(x, list) and is_array_like(x):
        x = as_point("directional_derivative", x)
    if isinstance(data_of(x), np.ndarray) and isinstance(v, list | tuple):
        v = np.asarray(v, float)
    return tree.tree_map(_number, _along(f, x, v, n, "directional_derivative"))


@only_own_keywords
def divergence(f: Function, x: Any) -> Any:
    r"""The divergence of a vector field, :math:`\sum_i \partial f_i / \partial x_i`: the trace of its Jacobian.

    Parameters
    ----------
    f : callable
        Takes an array and returns one of the same shape.
    x : array_like

    Returns
    -------
    number
        In units of ``f`` per unit of ``x``.

    Raises
    ------
    KindError
        If ``x`` is not an array, or is one of whole numbers.
    ShapeError
        If ``f`` returns another shape than that of ``x``.

    Examples
    --------
    >>> divergence(lambda x: x**2, [1.0, 2.0, 3.0])
    12.0
    """
    require_function(f, "divergence")
    x = as_point("divergence", x)
    if not isinstance(data_of(x), ARRAYS):
        raise KindError(f"divergence got {kind_text(x)} as x; it takes an array. Of a number: ad.derivative(f, x).")
    shape, size = shape_of(x), math.prod(shape_of(x))

    def field(x: Any) -> Any:
        y = joined(f(x))
        if shape_of(y) != shape:
            raise ShapeError(
                f"divergence got a function that takes shape {shape} and returns shape {shape_of(y)}; they must agree."
            )
        return y

    return _number(trace(reshape(jacobian(field)(x), (size, size))))


def _number(y: Any) -> Any:
    return y.item() if isinstance(y, np.ndarray | np.generic) and not shape_of(y) else y


@only_own_keywords
def laplacian(f: Function, x: Any) -> Any:
    r"""The Laplacian of ``f`` at ``x``: :math:`\sum_i \partial^2 f / \partial x_i^2`, the trace of its Hessian.

    Parameters
    ----------
    f : callable
        Takes an array and returns a number, or an array, of which the Laplacian is taken entry by entry.
    x : array_like

    Returns
    -------
    number or array
        Of the shape of what ``f`` returns, in units of ``f`` per squared unit of ``x``.

    Raises
    ------
    KindError
        If ``x`` is not an array, or is one of whole numbers; if ``f`` returns anything but numbers.

    Notes
    -----
    One series to order 2 for each entry of ``x``, many of them in one sweep: no Hessian is stored.

    Examples
    --------
    >>> laplacian(lambda x: (x**3).sum(), [1.0, 2.0])
    18.0
    """
    require_function(f, "laplacian")
    x = as_point("laplacian", x)
    data = data_of(x)
    if not isinstance(data, ARRAYS):
        raise KindError(
            f"laplacian got {kind_text(x)} as x; it takes an array. Of one number it is ad.derivative(f, x, 2)."
        )
    shape, size = shape_of(x), math.prod(shape_of(x))
    if not size:
        return tree.tree_map(lambda y: _number(zeros(y)), f(x))
    second = vmap(lambda x, v: _along(f, x, v, 2, "laplacian"), (None, 0))
    total = None
    for start in range(0, size, AT_ONCE):
        units = np.eye(min(AT_ONCE, size - start), size, start, dtype=data.dtype)
        rows = second(x, units.reshape(-1, *shape))
        found = tree.flatten(tree.tree_map(lambda row: sum(row, 0), rows))
        total = found if total is None else [a + b for a, b in zip(total, found, strict=True)]
    return tree.unflatten(rows, iter([_number(y) for y in total or ()]))
