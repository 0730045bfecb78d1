"""Activation functions, entry by entry.  (``softmax`` works along an axis: see ``reduce``.)"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike
from ..core.numbers import like
from ..core.op import primitive
from .exponential import exp, log1p
from .families import elementwise, elementwise_samples
from .select import where
from .special import erf
from .trigonometric import tanh

__all__ = ["elu", "expit", "gelu", "leaky_relu", "log_sigmoid", "relu", "sigmoid", "silu", "softplus"]


@elementwise(
    lambda x: x > 0,
    formula=r"y = \max(x, 0), \quad y' = [x > 0]",
    quiet=True,
    number=lambda x: x if x > 0 or x != x else like(x, 0),
)
def relu(x: ArrayLike, /) -> Array:
    """``max(x, 0)``, entry by entry.  Derivative 0 at 0."""
    return np.maximum(x, 0)


def _sigmoid_of_number(x: Any) -> Any:
    if isinstance(x, complex):
        return 1 / (1 + exp(-x))
    e = exp(-abs(x))
    return (1 if x >= 0 else e) / (1 + e)


@elementwise(
    lambda y: y * (1 - y),
    formula=r"y = \frac{1}{1 + e^{-x}}, \quad y' = y (1 - y)",
    quiet=True,
    number=_sigmoid_of_number,
    holomorphic=True,
)
def sigmoid(x: ArrayLike, /) -> Array:
    """Logistic function ``1 / (1 + e**-x)``, entry by entry.  Never overflows, exact in both tails."""
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(np.negative(x)))
    e = np.exp(-np.abs(x))
    return np.maximum(e, np.greater_equal(x, 0)) / (1 + e)


@elementwise(
    lambda x: sigmoid(-x),
    formula=r"y = -\ln(1 + e^{-x}), \quad y' = \sigma(-x)",
    quiet=True,
    number=lambda x: -softplus(-x),
)
def log_sigmoid(x: ArrayLike, /) -> Array:
    """Logarithm of the logistic function, entry by entry.  Never overflows."""
    return -np.logaddexp(0, np.negative(x))


@elementwise(
    lambda x: sigmoid(x),
    formula=r"y = \ln(1 + e^{x}), \quad y' = \sigma(x)",
    quiet=True,
    number=lambda x: max(x, 0) + log1p(exp(-abs(x))),
)
def softplus(x: ArrayLike, /) -> Array:
    """Smooth ramp ``ln(1 + e**x)``, entry by entry.  Never overflows."""
    return np.logaddexp(0, x)


@primitive(
    formula=r"y = x \text{ if } x > 0 \text{ else } a x, \quad y' = 1 \text{ or } a",
    entrywise=True,
    number=lambda x, negative_slope: x if x > 0 else negative_slope * x,
)
def leaky_relu(x: ArrayLike, /, negative_slope: float = 0.01) -> Array:
    """``x`` where positive, ``negative_slope * x`` elsewhere, entry by entry."""
    return np.where(np.greater(x, 0), x, np.multiply(negative_slope, x))


@leaky_relu.def_vjp
def leaky_relu_vjp(g: Array, x: Array, negative_slope: float) -> Array:
    return where(x > 0, g, g * negative_slope)  # choosing keeps single precision, a slope made of numbers would not


@leaky_relu.def_jvp
def leaky_relu_jvp(x_dot: Array, x: Array, negative_slope: float) -> Array:
    return leaky_relu_vjp(x_dot, x, negative_slope)


leaky_relu.def_samples(lambda rng: elementwise_samples(rng, [(-2, 2)]))


@elementwise(
    lambda x, y, alpha: where(x > 0, 1, y + alpha),
    formula=r"y = x \text{ if } x > 0 \text{ else } \alpha (e^x - 1), \quad y' = 1 \text{ or } y + \alpha",
    number=lambda x, alpha: x if x > 0 else alpha * (exp(x) - 1),
)
def elu(x: ArrayLike, /, alpha: float = 1.0) -> Array:
    """``x`` where positive, ``alpha * (e**x - 1)`` elsewhere, entry by entry.

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner and S. Hochreiter, arXiv:1511.07289 (2015).
    """
    return np.where(np.greater(x, 0), x, alpha * np.expm1(np.minimum(x, 0)))


@elementwise(
    lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
    formula=r"y = x\,\sigma(x), \quad y' = \sigma(x)\,(1 + x\,\sigma(-x))",
    number=lambda x: x * sigmoid(x),
    holomorphic=True,
)
def silu(x: ArrayLike, /) -> Array:
    """``x * sigmoid(x)``, entry by entry; also called swish.

    References
    ----------
    .. [1] S. Elfwing, E. Uchibe and K. Doya, arXiv:1702.03118 (2017).
    """
    return x * sigmoid(x)


_SQRT_HALF = math.sqrt(0.5)
_SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
_CUBIC = 0.044715  # from the paper


def _gelu_slope(x: Array, approximate: str) -> Array:
    if approximate == "none":
        return 0.5 * (1 + erf(x * _SQRT_HALF)) + x * exp(-0.5 * x * x) * (0.5 * _SQRT_2_OVER_PI)
    t = tanh(_SQRT_2_OVER_PI * (x + _CUBIC * x * x * x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (_SQRT_2_OVER_PI * (1 + 3 * _CUBIC * x * x))


def _gelu(x: Array, approximate: str) -> Array:
    if approximate == "none":
        return 0.5 * x * (1 + erf(x * _SQRT_HALF))
    if approximate == "tanh":
        return 0.5 * x * (1 + tanh(_SQRT_2_OVER_PI * (x + _CUBIC * x * x * x)))
    raise ArgumentError(f"gelu got approximate={approximate!r}; expected 'none' (exact) or 'tanh'.")


@elementwise(_gelu_slope, formula=r"y = x\,\Phi(x), \quad y' = \Phi(x) + x\,\varphi(x)", number=_gelu)
def gelu(x: ArrayLike, /, approximate: str = "none") -> Array:
    """``x`` times the normal distribution function at ``x``, entry by entry; ``approximate`` is "none" or "tanh".

    References
    ----------
    .. [1] D. Hendrycks and K. Gimpel, arXiv:1606.08415 (2016).
    """
    return _gelu(x, approximate)


expit = sigmoid


class ActivationMethods:
    """The rows of this file as methods."""

    __slots__ = ()

    relu = relu
    sigmoid = sigmoid
    log_sigmoid = log_sigmoid
    softplus = softplus
    leaky_relu = leaky_relu
    elu = elu
    silu = silu
    gelu = gelu
