r"""The incomplete gamma and beta functions, which are distribution functions, and their densities.

How the incomplete gamma function changes with its parameter ``a`` is an integral,

.. math:: \partial_a P(a, x) = \int_0^x f_a(t)\,(\ln t - \psi(a))\,dt = -\int_x^\infty f_a(t)\,(\ln t - \psi(a))\,dt,

of which the one is taken that does not cross ``ln t = psi(a)``: nothing cancels there.  It is made of the moments
:func:`gamma_moment`, which are closed under differentiation, so that every order is right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core import numbers
from ..core.node import Array, ArrayLike
from ..core.rule import Sample, sample
from . import gamma_values as values
from .double import in_double, log_ratio, of_numbers, refused, scipy_special
from .exponential import exp, log, log1p
from .families import elementwise, elementwise_samples
from .gammas import digamma, polygamma_step
from .select import equal, greater, less, logical_and, logical_or, where

__all__ = ["betainc", "gammainc", "gammaincc"]

Doubles = Any


def _gamma_density(a: Doubles, x: Doubles) -> Doubles:
    near = np.minimum(x, 800)  # beyond, e**-x is 0
    small = np.power(near, np.minimum(a, values.LARGE) - 1) * np.exp(-near)
    inverse = values.reciprocal_gamma(np.minimum(a, values.LARGE))
    small = np.where(inverse == 0, 0, small * inverse)
    large = np.maximum(a, values.LARGE)
    # Stirling's formula divided by the power: no large numbers that cancel [1]_
    exponent = large * log_ratio(x, large) - (x - large) - values.stirling_rest(large)
    saddle = np.where(x == 0, 0, np.sqrt(large / (2 * math.pi)) / x * np.exp(exponent))
    return np.where(x < 0, np.nan, np.where(a < values.LARGE, small, saddle))


@elementwise(
    lambda a, x, y: y * (log(_inside(x)) - digamma(a)),
    lambda a, x, y: where(equal(x, 0), gamma_density(a - 1, x) - y, y * ((a - 1 - x) / _inside(x))),
    formula=(
        r"y = \frac{x^{a-1} e^{-x}}{\Gamma(a)}, \quad \bar a = \bar y\,y\,(\ln x - \psi(a)), \; "
        r"\bar x = \bar y\,y\,(\frac{a - 1}{x} - 1)"
    ),
    domain=[(0.5, 4), (0.3, 5)],
    number=of_numbers("gamma_density", _gamma_density),
)
def gamma_density(a: ArrayLike, x: ArrayLike, /) -> Array:
    """``x**(a - 1) * exp(-x) / Γ(a)``, entry by entry: the density of the gamma distribution.

    References
    ----------
    .. [1] C. Loader, "Fast and accurate computation of binomial probabilities" (2000).
    """
    return in_double("gamma_density", _gamma_density, a, x)


def _inside(x: Array) -> Array:
    """``x``, and 1 at the ends of its range, 0 and inf, where what is divided by it is known otherwise."""
    return where(logical_or(equal(x, 0), equal(x, math.inf)), 1, x)


STEP, FIRST, LAST = 1 / 16, -3.8, 5.2  # of the quadrature: relative errors near 1e-13


def _gamma_moment(a: Doubles, x: Doubles, below: Doubles, power: int, excess: int) -> Doubles:
    """Double exponential quadrature on a half line [1]_, scaled to the width of the integrand."""
    width = np.where(below, -1, 1) / (np.abs(a - x) + np.sqrt(np.maximum(a, x)))
    total = np.zeros_like(width)
    for tau in np.arange(FIRST, LAST, STEP):
        tail = math.exp(-tau)
        way = math.exp(tau - tail)
        u = width * way
        growth = np.expm1(u)
        term = np.exp(a * u - x * growth) * u**power * growth**excess
        total = total + np.where(np.isfinite(term), term, 0) * (way * (1 + tail))
    return total * STEP * np.abs(width) * x


@elementwise(
    lambda a, x, below, power, excess: gamma_moment(a, x, below, power + 1, excess),
    lambda a, x, y, below, power, excess: y / x - gamma_moment(a, x, below, power, excess + 1),
    0,
    formula=(
        r"y_{pq} = \int (t/x)^{a-1} e^{x-t}\,(\ln\tfrac{t}{x})^p\,(\tfrac{t}{x} - 1)^q\,dt, \; "
        r"t < x \text{ if } s \text{ else } t > x, \quad \bar a = \bar y\,y_{p+1,q}, \; "
        r"\bar x = \bar y\,(y_{pq} / x - y_{p,q+1}), \; \bar s = 0"
    ),
    number=of_numbers("gamma_moment", _gamma_moment),
)
def gamma_moment(a: ArrayLike, x: ArrayLike, below: ArrayLike, /, power: int = 0, excess: int = 0) -> Array:
    """Integral over ``t`` below or above ``x`` of the gamma density in units of its value at ``x``, times two powers.

    References
    ----------
    .. [1] H. Takahasi and M. Mori, Publ. RIMS Kyoto Univ. 9 (1974) 721-741.
    """
    below = np.asarray(below)
    return in_double("gamma_moment", lambda a, x: _gamma_moment(a, x, below, power, excess), a, x)


@gamma_moment.def_samples
def gamma_moment_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for below, domain in ((True, (0.3, 1.4)), (False, (2.0, 5.0))):
        for point in elementwise_samples(rng, [(2.0, 3.0), domain]):
            yield sample(*point.args, np.full(np.broadcast_shapes(*map(np.shape, point.args)), below))
    yield sample(np.array(2.5), np.array(1.5), np.array(True), power=1, excess=2)


def parameter_slope(a: Array, x: Array) -> tuple[Array, Array]:
    """Two factors of how fast ``gammainc(a, x)`` falls as ``a`` grows; the first is the ``a`` of the density to take.

    Where ``a`` is small, it is that of ``a + 1``, by ``P(a, x) = P(a + 1, x) + x**a * exp(-x) / Γ(a + 1)``.
    """
    small = logical_and(less(a, 1), less(x, exp(digamma(a + 1))))
    b = where(small, a + 1, a)
    above = digamma(b) - log(x)
    below = greater(above, 0)
    slope = above * gamma_moment(b, x, below) - gamma_moment(b, x, below, 1)
    return b, where(below, slope, -slope) + where(small, above, 0)


def _fall(a: Array, x: Array) -> Array:
    b, factor = parameter_slope(a, _inside(x))
    return where(logical_or(equal(x, 0), equal(x, math.inf)), 0, gamma_density(b, _inside(x)) * factor)


def _gamma_transport(x: Doubles, a: Doubles, b: Doubles) -> Doubles:
    """Newton's method in ``ln y``, on the side of ``x`` that holds less than the other."""
    x, a, b = np.broadcast_arrays(x, a, b)
    y = x.copy()
    if np.array_equal(a, b):
        return y
    below = x < np.exp(values.digamma(a))
    target = _gamma_density(a, x) * _gamma_moment(a, x, below, 0, 0)
    for _ in range(50):
        density = _gamma_density(b, y)
        lacks = target / density - _gamma_moment(b, y, below, 0, 0)
        step = np.clip(np.where(below, lacks, -lacks) / y, -1, 1)
        y = y * np.exp(step)
        if not np.any(np.abs(step) > 1e-15):
            break
    return np.where(a == b, x, y)


def _transport_slope(a: Array, y: Array) -> Array:
    """How fast ``y`` grows with the shape ``a`` if the probability below it stays: the implicit derivative."""
    inside = _inside(y)
    b, factor = parameter_slope(a, inside)
    return where(equal(y, 0), 0, factor * where(equal(a, b), 1, inside / a))


@elementwise(
    lambda x, a, b, y: gamma_density(a, x) / gamma_density(b, y),
    lambda x, a, b, y: -_transport_slope(a, x) * (gamma_density(a, x) / gamma_density(b, y)),
    lambda b, y: _transport_slope(b, y),
    formula=(
        r"P(b, y) = P(a, x), \quad \bar x = \bar y\,f_a(x) / f_b(y), \; "
        r"\bar a = \bar y\,\partial_a P(a, x) / f_b(y), \; \bar b = -\bar y\,\partial_b P(b, y) / f_b(y)"
    ),
    domain=[(0.5, 3), (1.5, 2.5), (1.5, 2.5)],
    number=of_numbers("gamma_transport", _gamma_transport),
)
def gamma_transport(x: ArrayLike, a: ArrayLike, b: ArrayLike, /) -> Array:
    """Carry draws ``x`` from the gamma distribution of shape ``a`` over to that of shape ``b``, entry by entry.

    With ``b`` equal to ``a`` it is ``x`` itself, as a differentiable function of the shape.

    References
    ----------
    .. [1] M. Figurnov, S. Mohamed and A. Mnih, "Implicit reparameterization gradients", NeurIPS (2018).
    """
    return in_double("gamma_transport", _gamma_transport, x, a, b)


def _regularized(name: str) -> Any:
    """The function of numbers of a library that has it unregularized under this name: MPmath's."""

    def compute(*args: Any) -> Any:
        kind = next((type(a) for a in args if not isinstance(a, int)), int)
        function = numbers.function_for(kind, name) if kind.__module__.startswith("mpmath") else None
        if function is None:
            raise numbers.lacks(kind, name)
        *parameters, x = args
        return function(*parameters, 0, x, regularized=True)

    return compute


def _gammainc(a: Doubles, x: Doubles) -> Doubles:
    return scipy_special("gammainc")(a, x)


def _gammaincc(a: Doubles, x: Doubles) -> Doubles:
    return scipy_special("gammaincc")(a, x)


def _betainc(a: Doubles, b: Doubles, x: Doubles) -> Doubles:
    return scipy_special("betainc")(a, b, x)


@elementwise(
    lambda a, x: -_fall(a, x),
    lambda a, x: gamma_density(a, x),
    formula=(
        r"y = P(a, x) = \frac{1}{\Gamma(a)} \int_0^x t^{a-1} e^{-t} dt, \quad "
        r"\bar a = \bar y\,\partial_a P(a, x), \; \bar x = \bar y\,\frac{x^{a-1} e^{-x}}{\Gamma(a)}"
    ),
    domain=[(0.5, 4), (0.3, 5)],
    number=of_numbers("gammainc", _gammainc, _regularized("gammainc")),
)
def gammainc(a: ArrayLike, x: ArrayLike, /) -> Array:
    """Regularized lower incomplete gamma function, entry by entry.  Differentiable in both arguments."""
    return in_double("gammainc", _gammainc, a, x)


@elementwise(
    lambda a, x: _fall(a, x),
    lambda a, x: -gamma_density(a, x),
    formula=(
        r"y = 1 - P(a, x), \quad \bar a = -\bar y\,\partial_a P(a, x), \; "
        r"\bar x = -\bar y\,\frac{x^{a-1} e^{-x}}{\Gamma(a)}"
    ),
    domain=[(0.5, 4), (0.3, 5)],
    number=of_numbers("gammaincc", _gammaincc, lambda a, x: 1 - gammainc(a, x)),
)
def gammaincc(a: ArrayLike, x: ArrayLike, /) -> Array:
    """Regularized upper incomplete gamma function, entry by entry.  Differentiable in both arguments."""
    return in_double("gammaincc", _gammaincc, a, x)


def _log_near(excess: Doubles, otherwise: Doubles) -> Doubles:
    """``log(1 + excess)``, which is ``otherwise`` too, and more exact so where the excess is large."""
    return np.where(np.abs(excess) < 0.5, np.log1p(excess), otherwise)


def _beta_density(a: Doubles, b: Doubles, x: Doubles) -> Doubles:
    total = values.beta(a, b)
    small = np.power(x, a - 1) * np.exp(np.where(b == 1, 0, (b - 1) * np.log1p(-x))) / total
    small = np.where(np.isinf(total), 0, small)
    p, q = a / (a + b), b / (a + b)
    apart = np.where(x > 0.5, q - (1 - x), x - p)  # both differences are exact where they are taken
    exponent = a * _log_near(apart / p, np.log(x) - np.log(p)) + b * _log_near(-apart / q, np.log1p(-x) - np.log(q))
    exponent = exponent + values.stirling_rest(a + b) - values.stirling_rest(a) - values.stirling_rest(b)
    saddle = np.sqrt(a * b / (2 * math.pi * (a + b))) / (x * (1 - x)) * np.exp(exponent)
    large = (np.minimum(a, b) >= 1) & (a + b >= values.LARGE) & (x > 0) & (x < 1)
    y = np.where(large, saddle, small)
    return np.where((x < 0) | (x > 1), np.nan, y)


@elementwise(
    lambda a, b, x, y: y * (log(x) + polygamma_step(a, b)),
    lambda a, b, x, y: y * (log1p(-x) + polygamma_step(b, a)),
    lambda a, b, x, y: where(equal(x * (1 - x), 0), _slope_at_end(a, b, x), y * ((a - 1) / x - (b - 1) / (1 - x))),
    formula=(
        r"y = \frac{x^{a-1} (1-x)^{b-1}}{B(a, b)}, \quad "
        r"\bar a = \bar y\,y\,(\ln x + \psi(a + b) - \psi(a)), \; "
        r"\bar b = \bar y\,y\,(\ln(1 - x) + \psi(a + b) - \psi(b)), \; "
        r"\bar x = \bar y\,y\,(\frac{a-1}{x} - \frac{b-1}{1-x})"
    ),
    domain=[(0.5, 4), (0.5, 4), (0.1, 0.9)],
    number=of_numbers("beta_density", _beta_density),
)
def beta_density(a: ArrayLike, b: ArrayLike, x: ArrayLike, /) -> Array:
    """``x**(a - 1) * (1 - x)**(b - 1) / B(a, b)``, entry by entry: the density of the beta distribution."""
    return in_double("beta_density", _beta_density, a, b, x, narrow=True)


def _slope_at_end(a: Array, b: Array, x: Array) -> Array:
    """The slope of the density as a difference of densities, which holds at 0 and 1 too."""
    return (a + b - 1) * (beta_density(a - 1, b, x) - beta_density(a, b - 1, x))


NO_FORMULA = "there is no formula for how the incomplete beta function changes with its parameters"


@elementwise(
    refused("betainc", "a", NO_FORMULA),
    refused("betainc", "b", NO_FORMULA),
    lambda a, b, x: beta_density(a, b, x),
    formula=(
        r"y = I_x(a, b) = \frac{1}{B(a, b)} \int_0^x t^{a-1} (1-t)^{b-1} dt, \quad "
        r"\bar x = \bar y\,\frac{x^{a-1} (1-x)^{b-1}}{B(a, b)}"
    ),
    number=of_numbers("betainc", _betainc, _regularized("betainc")),
)
def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike, /) -> Array:
    """Regularized incomplete beta function, entry by entry.

    Differentiable in ``x``; a derivative with respect to ``a`` or ``b`` is refused, since there is no formula for it.
    """
    return in_double("betainc", _betainc, a, b, x, narrow=True)


@betainc.def_samples
def betainc_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for point in elementwise_samples(rng, [(1, 5), (1, 5), (0.1, 0.9)]):
        a, b, x = point.args
        yield sample(a.astype(np.int16), b.astype(np.int16), x)
