"""Integrals that grow with their upper limit: of functions, with error control, and of samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Node, data_of, shape_of
from ..core.summary import repr_text
from ..ops.differences import diff
from ..ops.joining import concatenate, stack
from ..ops.scan import cumsum
from ..ops.shape import moveaxis, reshape
from ..transforms.lift import require_function
from .integrate import ATOL, MAX_EVALUATIONS, RTOL, integrate
from .solving import joined, plain_data, refuse_compiling, require_real
from .spelling import only_own_keywords


@only_own_keywords
def cumulative_integral(
    f: Callable[[Any], Any],
    a: Any,
    times: Any,
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
    points: Sequence[float] = (),
    vectorized: bool = False,
    max_evaluations: int = MAX_EVALUATIONS,
) -> Any:
    r"""The integrals of ``f`` from ``a`` to each of ``times``: :math:`F_k = \int_a^{t_k} f(x)\,dx`, differentiably.

    Parameters
    ----------
    f : callable
        Of one number, as :func:`integrate` takes it.
    a : number
        Where all begin.
    times : sequence of numbers
        Where they end, in any order; shape ``(n,)``.
    rtol, atol, points, vectorized, max_evaluations
        As in :func:`integrate`, for each of the integrals between neighbours; their errors add up.

    Returns
    -------
    ndarray or Tensor
        Shape ``(n, *shape of f(x))``; differentiable in ``a``, ``times`` and what ``f`` closes over.

    Raises
    ------
    ShapeError
        If ``times`` is not a sequence.
    ConvergenceError, NotFiniteError
        As :func:`integrate` does.

    Examples
    --------
    >>> import numpy as np
    >>> cumulative_integral(lambda x: 3 * x**2, 0, [1, 2, 3]).round(12)
    array([ 1.,  8., 27.])
    """
    require_function(f, "cumulative_integral")
    refuse_compiling("cumulative_integral")
    times = joined(times)
    require_real("cumulative_integral", a=a, times=times)
    if len(shape_of(times)) != 1 or shape_of(a):
        raise ShapeError(
            f"cumulative_integral got a of shape {shape_of(a)} and times of shape {shape_of(times)}; a is one number "
            "and times a sequence of numbers."
        )
    tracked = isinstance(times, Node)
    ends = list(times) if tracked else np.asarray(times, float).tolist()
    pieces = [
        integrate(f, p, q, rtol=rtol, atol=atol, points=points, vectorized=vectorized, max_evaluations=max_evaluations)
        for p, q in zip([a, *ends], ends or [a], strict=False)
    ]
    return cumsum(stack(pieces), axis=0)[: len(ends)]


@only_own_keywords
def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: float | None = None) -> Any:
    """The integral of samples up to each of them, by the trapezoidal rule, as SciPy's of the same name.

    Parameters
    ----------
    y : array
        Samples along ``axis``.
    x : array, optional
        Where they were taken: one number for each sample along ``axis``, or the shape of ``y``.
    dx : number
        The distance between neighbours, without ``x``.
    axis : int
    initial : 0, optional
        Put zeros in front, so that the result has the shape of ``y``; else it is one shorter.

    Returns
    -------
    ndarray or Tensor
        Differentiable in ``y``, ``x`` and ``dx``.  The error is of second order in the distances.

    Raises
    ------
    ArgumentError
        If ``initial`` is something else.
    ShapeError
        If ``x`` does not fit ``y``.

    Examples
    --------
    >>> cumulative_trapezoid([0.0, 1.0, 4.0], initial=0)
    array([0. , 0.5, 3. ])
    """
    if initial is not None and (np.ndim(initial) or data_of(initial) != 0):
        raise ArgumentError(f"cumulative_trapezoid got initial={repr_text(initial)}; it is 0, or left away.")
    y = _samples(y)
    shape = shape_of(y)
    if not isinstance(axis, int | np.integer):
        raise ArgumentError(f"cumulative_trapezoid got axis={repr_text(axis)}; it is the number of an axis.")
    if not shape or not -len(shape) <= axis < len(shape) or not shape[axis]:
        raise ShapeError(f"cumulative_trapezoid got samples of shape {shape}; it needs at least one along axis {axis}.")
    y = moveaxis(y, axis, 0)
    steps = dx
    if x is not None:
        x = _samples(x)
        if shape_of(x) == (shape[axis],):
            steps = reshape(diff(x), (-1, *[1] * (len(shape) - 1)))
        elif shape_of(x) == shape:
            steps = diff(moveaxis(x, axis, 0), axis=0)
        else:
            raise ShapeError(
                f"cumulative_trapezoid got samples of shape {shape} at places of shape {shape_of(x)}; x has shape "
                f"({shape[axis]},), or that of y."
            )
    total = cumsum(steps * (y[1:] + y[:-1]) / 2.0, axis=0)
    if initial is not None:
        total = concatenate([np.zeros((1, *shape_of(total)[1:]), plain_data(total).dtype), total])
    return moveaxis(total, 0, axis)


def _samples(x: Any) -> Any:
    """An array or a node, not of whole numbers: those of few bits have no sums."""
    x = joined(x)
    x = x if isinstance(x, Node) else np.asarray(x)
    return x * 1.0 if plain_data(x).dtype.kind in "biu" else x
