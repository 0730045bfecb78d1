"""Bessel functions.  The modified ones of the first kind and whole order need no SciPy, the others do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..core import numbers
from ..core.node import Array, ArrayLike
from ..core.rule import Sample, sample
from .arithmetic import sign
from .double import in_double, of_numbers, refused, scipy_special
from .exponential import exp
from .families import elementwise

__all__ = [
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kn",
    "kv",
    "kve",
    "y0",
    "y1",
    "yn",
    "yv",
]

Doubles = Any


def _bessel_ie(x: Doubles, order: Any) -> Doubles:
    """``exp(-|x|) I_n(x)`` for a whole order ``n`` from 0 up."""
    n, size = int(order), np.abs(x)
    edge = 25 + n * n / 2
    small, large = np.minimum(size, edge), np.maximum(size, edge)
    # The power series has positive terms only: nothing cancels (DLMF 10.25.2).
    term = total = (small / 2) ** n / math.factorial(n)
    k = 0
    while np.any(term > 1e-17 * total):
        k += 1
        term = term * (small * small / 4) / (k * (k + n))
        total = total + term
    # Hankel's expansion, as far as its terms show (DLMF 10.40.1).
    term = tail = np.ones_like(large)
    for k in range(1, 30):
        term = term * ((2 * k - 1) ** 2 - 4 * n * n) / (8 * k * large)
        tail = tail + term
    y = np.where(size <= edge, np.exp(-small) * total, tail / (math.sqrt(2 * math.pi) * np.sqrt(large)))
    y = np.where(np.isnan(x), x, y)
    return y if n % 2 == 0 else np.copysign(1, x) * y


def _bessel_i(x: Doubles, order: Any) -> Doubles:
    half = np.exp(np.abs(x) / 2)
    return np.where(np.isinf(half), half * np.sign(x) ** int(order), half * (half * _bessel_ie(x, order)))


def _of_library(name: str, *order: int) -> Callable[..., Any]:
    """The function of this name and order in the library of a number."""

    def compute(*args: Any) -> Any:
        function = numbers.function_for(type(args[-1]), name)
        if function is None:
            raise numbers.lacks(type(args[-1]), name)
        return function(*order, *args)

    return compute


@elementwise(
    lambda x: bessel_i(x, 1),
    formula=r"y = I_0(x), \quad y' = I_1(x)",
    number=of_numbers("i0", lambda x: _bessel_i(x, 0), _of_library("besseli", 0)),
)
def i0(x: ArrayLike, /) -> Array:
    """Modified Bessel function of the first kind of order 0, entry by entry."""
    return np.i0(x)


@elementwise(
    lambda x, order: (bessel_i(x, abs(order - 1)) + bessel_i(x, order + 1)) / 2,
    formula=r"y = I_n(x), \quad y' = \tfrac12 (I_{n-1}(x) + I_{n+1}(x))",
    number=of_numbers("bessel_i", _bessel_i, lambda x, order: _of_library("besseli")(order, x)),
)
def bessel_i(x: ArrayLike, /, order: int = 0) -> Array:
    """Modified Bessel function of the first kind, of a whole order from 0 up, entry by entry."""
    return in_double("bessel_i", _bessel_i, x, order)


@elementwise(
    lambda x, y, order: (bessel_ie(x, abs(order - 1)) + bessel_ie(x, order + 1)) / 2 - sign(x) * y,
    formula=r"y = e^{-|x|} I_n(x), \quad y' = \tfrac12 e^{-|x|} (I_{n-1}(x) + I_{n+1}(x)) - \operatorname{sign}(x)\,y",
    domain=(0.3, 4),
    number=of_numbers("bessel_ie", _bessel_ie, lambda x, order: exp(-abs(x)) * bessel_i(x, order)),
)
def bessel_ie(x: ArrayLike, /, order: int = 0) -> Array:
    """Modified Bessel function of the first kind of whole order, times ``exp(-|x|)``, entry by entry."""
    return in_double("bessel_ie", _bessel_ie, x, order)


def i1(x: ArrayLike, /) -> Array:
    """Modified Bessel function of the first kind of order 1, entry by entry."""
    return bessel_i(x, 1)


def i0e(x: ArrayLike, /) -> Array:
    """``exp(-|x|) * i0(x)``, entry by entry.  Derivative 0 at the kink at 0."""
    return bessel_ie(x, 0)


def i1e(x: ArrayLike, /) -> Array:
    """``exp(-|x|) * i1(x)``, entry by entry."""
    return bessel_ie(x, 1)


def _scipy(name: str) -> Callable[..., Any]:
    """SciPy's function of this name, imported when it is called."""
    return lambda *args: scipy_special(name)(*args)


NO_FORMULA = "there is no formula for how a Bessel function changes with its order"


def orders_samples(rng: np.random.Generator) -> Iterator[Sample]:
    """Whole orders, which are constants, and points where every function of this file is smooth."""
    yield sample(np.array([0, 1, 3], np.int16), rng.uniform(0.5, 5, size=(2, 3)))
    yield sample(np.int16(2), np.asarray(rng.uniform(0.5, 5)))
    yield sample(np.int16(1), np.ones((0, 2)))
    yield sample(np.array([[0], [2]], np.int16), rng.uniform(0.5, 5, size=(6, 4))[::-2, 1::2].T)


@elementwise(
    refused("jv", "the order", NO_FORMULA),
    lambda v, x: (jv(v - 1, x) - jv(v + 1, x)) / 2,
    formula=r"y = J_v(x), \quad \bar x = \tfrac12 \bar y\,(J_{v-1}(x) - J_{v+1}(x))",
    number=of_numbers("jv", _scipy("jv"), "besselj"),
)
def jv(v: ArrayLike, x: ArrayLike, /) -> Array:
    """Bessel function of the first kind, of any real order, entry by entry.  Differentiable in ``x``."""
    return in_double("jv", _scipy("jv"), v, x, narrow=True)


jv.def_samples(orders_samples)


@elementwise(
    refused("yv", "the order", NO_FORMULA),
    lambda v, x: (yv(v - 1, x) - yv(v + 1, x)) / 2,
    formula=r"y = Y_v(x), \quad \bar x = \tfrac12 \bar y\,(Y_{v-1}(x) - Y_{v+1}(x))",
    number=of_numbers("yv", _scipy("yv"), "bessely"),
)
def yv(v: ArrayLike, x: ArrayLike, /) -> Array:
    """Bessel function of the second kind, of any real order, entry by entry.  Differentiable in ``x``."""
    return in_double("yv", _scipy("yv"), v, x, narrow=True)


yv.def_samples(orders_samples)


@elementwise(
    refused("iv", "the order", NO_FORMULA),
    lambda v, x: (iv(v - 1, x) + iv(v + 1, x)) / 2,
    formula=r"y = I_v(x), \quad \bar x = \tfrac12 \bar y\,(I_{v-1}(x) + I_{v+1}(x))",
    number=of_numbers("iv", _scipy("iv"), "besseli"),
)
def iv(v: ArrayLike, x: ArrayLike, /) -> Array:
    """Modified Bessel function of the first kind, of any real order, entry by entry.  Differentiable in ``x``."""
    return in_double("iv", _scipy("iv"), v, x, narrow=True)


iv.def_samples(orders_samples)


@elementwise(
    refused("kv", "the order", NO_FORMULA),
    lambda v, x: -(kv(v - 1, x) + kv(v + 1, x)) / 2,
    formula=r"y = K_v(x), \quad \bar x = -\tfrac12 \bar y\,(K_{v-1}(x) + K_{v+1}(x))",
    number=of_numbers("kv", _scipy("kv"), "besselk"),
)
def kv(v: ArrayLike, x: ArrayLike, /) -> Array:
    """Modified Bessel function of the second kind, of any real order, entry by entry.  Differentiable in ``x``."""
    return in_double("kv", _scipy("kv"), v, x, narrow=True)


kv.def_samples(orders_samples)


@elementwise(
    refused("ive", "the order", NO_FORMULA),
    lambda v, x, y: (ive(v - 1, x) + ive(v + 1, x)) / 2 - sign(x) * y,
    formula=(
        r"y = e^{-|x|} I_v(x), \quad "
        r"\bar x = \bar y\,(\tfrac12 e^{-|x|} (I_{v-1}(x) + I_{v+1}(x)) - \operatorname{sign}(x)\,y)"
    ),
    number=of_numbers("ive", _scipy("ive"), lambda v, x: exp(-abs(x)) * iv(v, x)),
)
def ive(v: ArrayLike, x: ArrayLike, /) -> Array:
    """``exp(-|x|) * iv(v, x)``, of any real order, entry by entry.  Differentiable in ``x``."""
    return in_double("ive", _scipy("ive"), v, x, narrow=True)


ive.def_samples(orders_samples)


@elementwise(
    refused("kve", "the order", NO_FORMULA),
    lambda v, x, y: y - (kve(v - 1, x) + kve(v + 1, x)) / 2,
    formula=r"y = e^x K_v(x), \quad \bar x = \bar y\,(y - \tfrac12 e^x (K_{v-1}(x) + K_{v+1}(x)))",
    number=of_numbers("kve", _scipy("kve"), lambda v, x: exp(x) * kv(v, x)),
)
def kve(v: ArrayLike, x: ArrayLike, /) -> Array:
    """``exp(x) * kv(v, x)``, of any real order, entry by entry.  Differentiable in ``x``."""
    return in_double("kve", _scipy("kve"), v, x, narrow=True)


kve.def_samples(orders_samples)


@elementwise(
    lambda x: -j1(x),
    formula=r"y = J_0(x), \quad y' = -J_1(x)",
    domain=(-5, 5),
    number=of_numbers("j0", _scipy("j0"), _of_library("besselj", 0)),
)
def j0(x: ArrayLike, /) -> Array:
    """Bessel function of the first kind of order 0, entry by entry."""
    return in_double("j0", _scipy("j0"), x)


@elementwise(
    lambda x: (j0(x) - jv(2, x)) / 2,
    formula=r"y = J_1(x), \quad y' = \tfrac12 (J_0(x) - J_2(x))",
    domain=(-5, 5),
    number=of_numbers("j1", _scipy("j1"), _of_library("besselj", 1)),
)
def j1(x: ArrayLike, /) -> Array:
    """Bessel function of the first kind of order 1, entry by entry."""
    return in_double("j1", _scipy("j1"), x)


@elementwise(
    lambda x: -y1(x),
    formula=r"y = Y_0(x), \quad y' = -Y_1(x)",
    domain=(0.5, 5),
    number=of_numbers("y0", _scipy("y0"), _of_library("bessely", 0)),
)
def y0(x: ArrayLike, /) -> Array:
    """Bessel function of the second kind of order 0, entry by entry."""
    return in_double("y0", _scipy("y0"), x)


@elementwise(
    lambda x: (y0(x) - yv(2, x)) / 2,
    formula=r"y = Y_1(x), \quad y' = \tfrac12 (Y_0(x) - Y_2(x))",
    domain=(0.5, 5),
    number=of_numbers("y1", _scipy("y1"), _of_library("bessely", 1)),
)
def y1(x: ArrayLike, /) -> Array:
    """Bessel function of the second kind of order 1, entry by entry."""
    return in_double("y1", _scipy("y1"), x)


@elementwise(
    lambda x: -k1(x),
    formula=r"y = K_0(x), \quad y' = -K_1(x)",
    domain=(0.5, 5),
    number=of_numbers("k0", _scipy("k0"), _of_library("besselk", 0)),
)
def k0(x: ArrayLike, /) -> Array:
    """Modified Bessel function of the second kind of order 0, entry by entry."""
    return in_double("k0", _scipy("k0"), x)


@elementwise(
    lambda x, y: -k0(x) - y / x,
    formula=r"y = K_1(x), \quad y' = -K_0(x) - K_1(x) / x",
    domain=(0.5, 5),
    number=of_numbers("k1", _scipy("k1"), _of_library("besselk", 1)),
)
def k1(x: ArrayLike, /) -> Array:
    """Modified Bessel function of the second kind of order 1, entry by entry."""
    return in_double("k1", _scipy("k1"), x)


@elementwise(
    lambda x, y: y - k1e(x),
    formula=r"y = e^x K_0(x), \quad y' = y - e^x K_1(x)",
    domain=(0.5, 5),
    number=of_numbers("k0e", _scipy("k0e"), lambda x: exp(x) * _of_library("besselk", 0)(x)),
)
def k0e(x: ArrayLike, /) -> Array:
    """``exp(x) * k0(x)``, entry by entry."""
    return in_double("k0e", _scipy("k0e"), x)


@elementwise(
    lambda x, y: y - (k0e(x) + kve(2, x)) / 2,
    formula=r"y = e^x K_1(x), \quad y' = y - \tfrac12 e^x (K_0(x) + K_2(x))",
    domain=(0.5, 5),
    number=of_numbers("k1e", _scipy("k1e"), lambda x: exp(x) * _of_library("besselk", 1)(x)),
)
def k1e(x: ArrayLike, /) -> Array:
    """``exp(x) * k1(x)``, entry by entry."""
    return in_double("k1e", _scipy("k1e"), x)


jn = jv
yn = yv
kn = kv
