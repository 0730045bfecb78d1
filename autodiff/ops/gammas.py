"""The gamma function and its relatives.  Only ``zeta`` needs SciPy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core import numbers
from ..core.errors import ArgumentError, UnsupportedError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from . import gamma_values as values
from .checked import checked
from .double import in_double, of_numbers, refused, scipy_special
from .families import elementwise, elementwise_samples
from .select import greater

__all__ = [
    "beta",
    "betaln",
    "digamma",
    "gamma",
    "gammaln",
    "gammasgn",
    "multigammaln",
    "polygamma",
    "psi",
    "zeta",
]


def _log_gamma_of_number(x: Any) -> Any:
    log_gamma: Any = numbers.function_for(type(x), "loggamma")
    if log_gamma is None:
        raise numbers.lacks(type(x), "gammaln")
    y = log_gamma(x)
    return getattr(y, "real", y)


@elementwise(
    lambda x: digamma(x),
    formula=r"y = \ln |\Gamma(x)|, \quad y' = \psi(x)",
    domain=(0.3, 5),
    number=of_numbers("gammaln", values.gammaln, _log_gamma_of_number),
)
def gammaln(x: ArrayLike, /) -> Array:
    """Logarithm of the absolute value of the gamma function, entry by entry."""
    return in_double("gammaln", values.gammaln, x)


@elementwise(
    lambda x, y: y * digamma(x),
    formula=r"y = \Gamma(x), \quad y' = y\,\psi(x)",
    domain=(0.3, 4),
)
def gamma(x: ArrayLike, /) -> Array:
    """Gamma function, entry by entry: ``(n - 1)!`` at whole numbers."""
    return in_double("gamma", values.gamma, x)


def _gammasgn(x: Any) -> Any:
    beside_zero = np.where(x == 0, np.copysign(1, x), values.gamma_sign(x))
    return np.where((x < 0) & (x == np.floor(x)) | np.isnan(x), np.nan, beside_zero)


@elementwise(0, formula=r"y = \operatorname{sign} \Gamma(x), \quad y' = 0", domain=(0.3, 4))
def gammasgn(x: ArrayLike, /) -> Array:
    """Sign of the gamma function, entry by entry; nan at its poles.  Derivative 0."""
    return in_double("gammasgn", _gammasgn, x)


@elementwise(
    lambda x: polygamma(1, x),
    formula=r"y = \psi(x) = \frac{\Gamma'(x)}{\Gamma(x)}, \quad y' = \psi_1(x)",
    domain=(0.3, 4),
)
def digamma(x: ArrayLike, /) -> Array:
    """Derivative of the logarithm of the gamma function, entry by entry."""
    return in_double("digamma", values.digamma, x)


@elementwise(
    refused("polygamma", "the order", "it counts derivatives"),
    lambda order, x: polygamma(order + 1, x),
    formula=r"y = \psi_n(x) = \psi^{(n)}(x), \quad \bar x = \psi_{n+1}(x)\,\bar y",
)
def polygamma(order: ArrayLike, x: ArrayLike, /) -> Array:
    """Derivative of this order of ``digamma``, entry by entry, as ``scipy.special.polygamma``.

    The order is a whole number, or an array of them; a tracked one is refused when its derivative is asked for.
    """
    return in_double("polygamma", values.polygamma, order, x, narrow=True)


@polygamma.def_samples
def polygamma_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for order in (0, 1, 4):
        yield sample(np.int16(order), rng.uniform(0.5, 4, size=(2, 3)))
    yield sample(np.int16(2), np.asarray(rng.uniform(0.5, 4)))
    yield sample(np.int16(1), np.ones((0, 2)))
    yield sample(np.array([[1], [2]], np.int16), rng.uniform(0.5, 4, size=3))
    yield sample(np.array([[1, 3]], np.int16), rng.uniform(0.5, 4, size=(6, 4))[::-2, 1::2].T[:, 1:2])
    yield sample(np.int16(1), -rng.uniform(0.2, 0.8, size=3))


def _zeta(*args: Any) -> Any:
    return scipy_special("zeta")(*args)


@elementwise(
    refused("zeta", "x", "there is no formula for it"),
    lambda x, q: -x * hurwitz_zeta(x + 1, q),
    formula=r"y = \sum_{k \ge 0} (q + k)^{-x}, \quad \bar q = -x\,\zeta(x + 1, q)\,\bar y",
    number=of_numbers("zeta", _zeta, "zeta"),
)
def hurwitz_zeta(x: ArrayLike, q: ArrayLike, /) -> Array:
    """Sum of ``(q + k) ** -x`` over ``k`` from 0 up, entry by entry.  Differentiable in ``q``."""
    return in_double("zeta", _zeta, x, q, narrow=True)


@hurwitz_zeta.def_samples
def hurwitz_zeta_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(np.array([2, 5], np.int16), rng.uniform(0.5, 4, size=(3, 2)))
    yield sample(np.int16(3), np.asarray(rng.uniform(0.5, 4)))
    yield sample(np.int16(2), np.ones((0, 2)))
    yield sample(np.array([[2], [3]], np.int16), rng.uniform(0.5, 4, size=(6, 4))[::-2, 1::2].T)


@primitive(formula=r"y = \sum_k k^{-x}", entrywise=True, differentiable=False, number=of_numbers("zeta", _zeta))
def riemann_zeta(x: ArrayLike, /) -> Array:
    """Riemann's zeta function, entry by entry.  Never tracked."""
    return in_double("zeta", _zeta, x)


riemann_zeta.def_samples(lambda rng: elementwise_samples(rng, [(1.5, 4.0)]))


def zeta(x: ArrayLike, q: ArrayLike = None) -> Array:
    """Riemann's zeta function of ``x``, or Hurwitz's with ``q`` too: the sum of ``(q + k) ** -x`` over ``k`` from 0 up.

    Differentiable in ``q``.  A tracked ``x`` is refused, since there is no formula for the derivative in ``x``.
    """
    if q is not None:
        return hurwitz_zeta(x, q)
    compiling = compiler() if isinstance(x, Node) else None
    if compiling is not None and not compiling.tracks(x):
        return riemann_zeta(x)
    if isinstance(x, Node) and x.tracked:
        raise UnsupportedError(
            "zeta of a tracked x: there is no formula for its derivative with respect to x. Use x.detach()."
        )
    return in_double("zeta", _zeta, data_of(x))


@elementwise(
    lambda a, b, order: polygamma_step(a, b, order + 1),
    lambda a, b, order: polygamma(order + 1, a + b),
    formula=(
        r"y = \psi_n(a + b) - \psi_n(a), \quad \bar a = \bar y\,(\psi_{n+1}(a + b) - \psi_{n+1}(a)), \; "
        r"\bar b = \bar y\,\psi_{n+1}(a + b)"
    ),
    domain=[(0.3, 4), (0.3, 4)],
    number=of_numbers(
        "polygamma_step", values.polygamma_step, lambda a, b, order: polygamma(order, a + b) - polygamma(order, a)
    ),
)
def polygamma_step(a: ArrayLike, b: ArrayLike, /, order: int = 0) -> Array:
    """``polygamma(order, a + b) - polygamma(order, a)``, entry by entry, exact where ``b`` is small next to ``a``."""
    return in_double("polygamma_step", values.polygamma_step, a, b, order)


@elementwise(
    lambda a, b, y: -y * polygamma_step(a, b),
    lambda a, b, y: -y * polygamma_step(b, a),
    formula=(
        r"y = \frac{\Gamma(a)\,\Gamma(b)}{\Gamma(a + b)}, \quad "
        r"\bar a = \bar y\,y\,(\psi(a) - \psi(a + b)), \; \bar b = \bar y\,y\,(\psi(b) - \psi(a + b))"
    ),
    domain=[(0.3, 4), (0.3, 4)],
)
def beta(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Beta function, entry by entry."""
    return in_double("beta", values.beta, a, b)


@elementwise(
    lambda a, b: -polygamma_step(a, b),
    lambda a, b: -polygamma_step(b, a),
    formula=(
        r"y = \ln |B(a, b)|, \quad \bar a = \bar y\,(\psi(a) - \psi(a + b)), \; "
        r"\bar b = \bar y\,(\psi(b) - \psi(a + b))"
    ),
    domain=[(0.3, 4), (0.3, 4)],
    number=of_numbers("betaln", values.betaln, lambda a, b: gammaln(a) + gammaln(b) - gammaln(a + b)),
)
def betaln(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Logarithm of the absolute value of the beta function, entry by entry."""
    return in_double("betaln", values.betaln, a, b)


def multigammaln(a: ArrayLike, d: int) -> Array:
    r"""Logarithm of the multivariate gamma function, entry by entry.

    .. math:: \ln \Gamma_d(a) = \tfrac14 d (d - 1) \ln\pi + \sum_{j=1}^d \ln\Gamma\bigl(a + \tfrac{1 - j}{2}\bigr)

    Raises
    ------
    ArgumentError
        If ``d`` is no whole number from 1 up, or an entry of ``a`` is not above ``(d - 1) / 2``.
    """
    if np.ndim(d) or d != int(d) or d < 1:
        raise ArgumentError(f"multigammaln got d={d}; it is a dimension, a whole number from 1 up.")
    if np.any(np.asarray(data_of(a)) <= 0.5 * (d - 1)):
        raise ArgumentError(f"multigammaln in {d} dimensions needs a > {0.5 * (d - 1)}, got {data_of(a)}.")
    a = a if isinstance(a, Node) else np.asarray(a)
    a = checked(a, lambda a: greater(a, 0.5 * (d - 1)))
    total = d * (d - 1) / 4 * math.log(math.pi)
    for step in range(int(d)):
        total = gammaln(a - step / 2) + total
    return total


psi = digamma
