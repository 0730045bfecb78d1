"""Draws of random numbers as recorded operations: each is a row, so that a replayed tape draws anew.

A row draws from a standard distribution, in the shape that parameters give it, and is never tracked.  What a location
and a scale do to it is plain arithmetic, and so is differentiable: the reparametrisation of :mod:`autodiff.ops.random`.
Numbers are drawn in double precision and then rounded, so that a seed gives the same numbers in any, and as in NumPy.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike
from ..core.op import Op, primitive
from ..core.summary import repr_text

__all__: list[str] = []

Draw = Callable[..., Any]


def generator(rng: Any) -> np.random.Generator:
    """What ``np.random.default_rng`` makes of ``rng``; who compiles is told, and puts back what recording draws."""
    compiling = compiler()
    if compiling is not None:
        compiling.changes(rng)
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        kind = KindError if isinstance(error, TypeError) else ArgumentError
        raise kind(
            f"rng={repr_text(rng)} was given; it is a Generator, a seed, which is a whole number from 0 up, or None."
        ) from None


def drawing(name: str, formula: str, draw: Draw, top: float | None = None) -> Op[..., Any]:
    """Declare the row of a standard distribution: ``draw(rng, shape, a, b)`` in the shape of ``a``, ``b`` and ``size``.

    Draws stay below ``top``, rounding or not.
    """

    def row(a: ArrayLike, b: ArrayLike, /, size: Any = None, dtype: Any = float, rng: Any = None) -> Array:
        a, b = np.asarray(a), np.asarray(b)
        shape = shape_of_draws(size, a.shape, b.shape)
        z = draw(generator(rng), shape, a, b)
        z = np.asarray(z, dtype=float).astype(dtype)
        return z if top is None else np.minimum(z, np.nextafter(z.dtype.type(top), z.dtype.type(0)))

    row.__name__ = f"draw_{name}"
    row.__doc__ = f"Draw from the standard {name} distribution.  Never tracked."
    return primitive(formula=formula, differentiable=False, random=True)(row)


def shape_of_draws(size: Any, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape ``size``, if parameters of these shapes broadcast to it; theirs if it is None."""
    shape = np.broadcast_shapes(*shapes)
    if size is None:
        return shape
    wanted = tuple(map(operator.index, size)) if np.iterable(size) else (operator.index(size),)
    if min(wanted, default=0) < 0:
        raise ArgumentError(f"size={size} was asked for: negative dimensions are not allowed.")
    if np.broadcast_shapes(shape, wanted) != wanted:
        raise ShapeError(f"Draws of size={size} were asked for with parameters that broadcast to {shape}.")
    return wanted


draw_uniform = drawing("uniform", r"u_i \sim U(0, 1)", lambda rng, shape, a, b: rng.random(shape), top=1)
draw_normal = drawing("normal", r"z_i \sim N(0, 1)", lambda rng, shape, a, b: rng.standard_normal(shape))
draw_exponential = drawing("exponential", r"e_i \sim e^{-x}", lambda rng, shape, a, b: rng.standard_exponential(shape))
draw_laplace = drawing("laplace", r"z_i \sim \tfrac12 e^{-|x|}", lambda rng, shape, a, b: rng.laplace(size=shape))
draw_gumbel = drawing("gumbel", r"P(z_i < x) = e^{-e^{-x}}", lambda rng, shape, a, b: rng.gumbel(size=shape))
draw_logistic = drawing("logistic", r"P(z_i < x) = \sigma(x)", lambda rng, shape, a, b: rng.logistic(size=shape))
draw_gamma = drawing(
    "gamma",
    r"z_i \sim x^{a_i-1} e^{-x} / \Gamma(a_i)",
    lambda rng, shape, a, b: rng.standard_gamma(np.broadcast_to(a, shape)),
)
draw_bernoulli = drawing("bernoulli", r"P(z_i = 1) = a_i", lambda rng, shape, a, b: rng.random(shape) < a)


@primitive(formula=r"y = \text{positions in a population of the length of } x", differentiable=False, random=True)
def draw_positions(
    x: ArrayLike,
    p: ArrayLike,
    /,
    size: Any = None,
    replace: bool = True,
    axis: int = 0,
    shuffle: bool = True,
    rng: Any = None,
) -> Array:
    """Draw positions along an axis of ``x``, with probabilities ``p`` unless it is nan.  Never tracked."""
    p = None if p.ndim == 0 else p
    return generator(rng).choice(x.shape[axis], size, replace, p, shuffle=shuffle)


@primitive(
    formula=r"y = \text{the positions along an axis of } x \text{ in random order}", differentiable=False, random=True
)
def draw_order(x: ArrayLike, /, axis: int = 0, rng: Any = None) -> Array:
    """Draw an order of what stands along an axis of ``x``.  Never tracked."""
    return generator(rng).permutation(x.shape[axis])
