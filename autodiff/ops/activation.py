"""Activation functions, entry by entry.  (``softmax`` works along an axis: see ``reduce``.)"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError
from ..core.node import Array, ArrayLike, data_of
from ..core.numbers import is_foreign, is_ordered, lacks, like, whole
from ..core.op import primitive
from .arithmetic import sqrt
from .exponential import exp, expm1, log, log1p
from .families import elementwise, elementwise_samples, times
from .into import into
from .options import otherwise
from .rows import exp_into
from .select import equal, where
from .special import ndtr, normal_density
from .trigonometric import arctan, tanh

__all__ = ["elu", "expit", "gelu", "leaky_relu", "log_sigmoid", "mish", "relu", "sigmoid", "silu", "softplus"]


def _is_above(x: Any) -> bool:
    """Whether a number is greater than 0, in NumPy's order if it is complex."""
    return (x.real, x.imag) > (0, 0) if isinstance(x, complex) else bool(x > 0)


def _relu_of_number(x: Any) -> Any:
    try:
        positive = x > 0
    except TypeError:
        return x if _is_above(x) else 0j
    if positive is True or x != x:
        return x
    if positive is False:
        return like(x, 0)
    raise lacks(type(x), "relu")  # a statement of SymPy's, which is no factor


@elementwise(
    lambda y: y > 0,  # where x is, which then need not be kept
    formula=r"y = \max(x, 0), \quad y' = [x > 0]",
    quiet=True,
    number=_relu_of_number,
    holomorphic=True,
)
def relu(x: ArrayLike, /) -> Array:
    """``max(x, 0)``, entry by entry.  Derivative 0 at 0.

    Complex numbers are compared with 0 by their real parts, then by their imaginary parts, as everywhere in NumPy.
    """
    if x.dtype.kind != "f" or not x.ndim:
        return np.maximum(x, 0)
    zeros = np.zeros_like(x)
    return np.maximum(x, zeros, out=zeros)  # beside a single number NumPy takes three times as long


def _sigmoid_of_number(x: Any) -> Any:
    try:
        right = (x.real if isinstance(x, complex) else x) >= 0
        e = exp(-x if right else x)
    except TypeError:  # symbols
        return 1 / (1 + exp(-x))
    return (1 if right else e) / (1 + e)


@elementwise(
    lambda y: y * (1 - y),
    formula=r"y = \frac{1}{1 + e^{-x}}, \quad y' = y (1 - y)",
    quiet=True,
    number=_sigmoid_of_number,
    holomorphic=True,
)
def sigmoid(x: ArrayLike, /) -> Array:
    """Logistic function ``1 / (1 + e**-x)``, entry by entry.  Never overflows, exact in both tails."""
    kind = x.dtype.kind
    if kind == "c":
        left = np.real(x) < 0
        e = np.exp(np.where(left, x, -x))
        return np.where(left, e, 1) / (1 + e)
    e = -x if kind == "f" else -np.asarray(x, dtype=float)
    with np.errstate(over="ignore"):  # e**-x may be infinite: its reciprocal is the 0 that is meant
        e = exp_into(e)
    e += 1
    return np.divide(1, e, out=e) if e.ndim else 1 / e


def _softplus(x: Any) -> Any:
    with np.errstate(invalid="ignore"):  # np.logaddexp warns of nan
        return np.logaddexp(0, x)


@elementwise(
    lambda x: sigmoid(-x),
    formula=r"y = -\ln(1 + e^{-x}), \quad y' = \sigma(-x)",
    quiet=True,
    number=lambda x: -softplus(-x),
)
def log_sigmoid(x: ArrayLike, /) -> Array:
    """Logarithm of the logistic function, entry by entry.  Never overflows."""
    return -_softplus(np.subtract(0.0, x))


def _softplus_of_number(x: Any) -> Any:
    if is_ordered(x) or isinstance(x, complex):  # which max refuses, as NumPy does
        return max(x, 0) + log1p(exp(-abs(x)))
    return log(1 + exp(x))


@elementwise(
    lambda x: sigmoid(x),
    formula=r"y = \ln(1 + e^{x}), \quad y' = \sigma(x)",
    quiet=True,
    number=_softplus_of_number,
)
def softplus(x: ArrayLike, /) -> Array:
    """Smooth ramp ``ln(1 + e**x)``, entry by entry.  Never overflows."""
    return _softplus(x)


def _in_kind_of(x: Array, slope: Any) -> Any:
    """A slope that can be multiplied with numbers of the kind of ``x``."""
    data = data_of(x)
    if not is_foreign(data):
        return slope
    return whole(data, int(slope)) if slope == int(slope) else like(data, slope)


def _at_kink(x: Array, slope: Any, below: Array, factor: Array = 1) -> Array:
    """``below``, and at 0 what is of smallest size between ``slope`` and 1, times ``factor``."""
    if isinstance(slope, np.ndarray) or 0 <= slope <= 1:
        return below
    return where(equal(x, 0), factor if slope > 1 else 0, below)


@primitive(
    formula=r"y = x \text{ if } x > 0 \text{ else } a x, \quad y' = [x > 0] + a\,[x \le 0]",
    entrywise=True,
    quiet=True,
    number=lambda x, negative_slope: x if _is_above(x) else _in_kind_of(x, negative_slope) * x,
)
def leaky_relu(x: ArrayLike, /, negative_slope: float = 0.01) -> Array:
    """``x`` where positive, ``negative_slope * x`` elsewhere, entry by entry.

    At 0 the derivative is the one of smallest size between ``negative_slope`` and 1.
    """
    return np.where(np.greater(x, 0), x, np.multiply(negative_slope, x))


@leaky_relu.def_vjp
def leaky_relu_vjp(g: Array, x: Array, negative_slope: float) -> Array:
    # Choosing keeps single precision, a slope made of numbers would not.
    return where(x > 0, g, _at_kink(x, negative_slope, g * _in_kind_of(x, negative_slope), g))


@leaky_relu.def_jvp
def leaky_relu_jvp(x_dot: Array, x: Array, negative_slope: float) -> Array:
    return leaky_relu_vjp(x_dot, x, negative_slope)


leaky_relu.def_samples(lambda rng: elementwise_samples(rng, [(-2, 2)], holomorphic=True))


def _elu_slope(x: Array, alpha: float) -> Array:
    return where(x > 0, 1, _at_kink(x, alpha, _in_kind_of(x, alpha) * exp(where(x > 0, whole(data_of(x), 0), x))))


@elementwise(
    _elu_slope,
    formula=r"y = x \text{ if } x > 0 \text{ else } \alpha (e^x - 1), \quad y' = [x > 0] + \alpha e^x\,[x \le 0]",
    quiet=True,
    number=lambda x, alpha: x if _is_above(x) else _in_kind_of(x, alpha) * expm1(x),
    holomorphic=True,
)
def elu(x: ArrayLike, /, alpha: float = 1.0) -> Array:
    """``x`` where positive, ``alpha * (e**x - 1)`` elsewhere, entry by entry.

    At 0 the derivative is the one of smallest size between ``alpha`` and 1.

    References
    ----------
    .. [1] D.-A. Clevert, T. Unterthiner and S. Hochreiter, arXiv:1511.07289 (2015).
    """
    return np.where(np.greater(x, 0), x, alpha * np.expm1(np.minimum(x, 0)))


FAR_BELOW = -6e4  # both functions that follow are 0 there in every precision, and half precision has such numbers


def _finite_below(x: Any) -> Any:
    """``x``, but not -inf, which would make nan of 0."""
    if hasattr(x, "dtype"):
        return np.maximum(x, FAR_BELOW)
    return x if x != -math.inf else FAR_BELOW


def _silu(x: Any) -> Any:
    return _finite_below(x) * sigmoid(x)


@elementwise(
    lambda x: times(sigmoid(x), 1 + times(sigmoid(-x), x)),
    formula=r"y = x\,\sigma(x), \quad y' = \sigma(x)\,(1 + x\,\sigma(-x))",
    number=_silu,
    holomorphic=True,
)
def silu(x: ArrayLike, /) -> Array:
    """``x * sigmoid(x)``, entry by entry; also called swish.

    References
    ----------
    .. [1] S. Elfwing, E. Uchibe and K. Doya, arXiv:1702.03118 (2017).
    """
    return _silu(x)


def _mish(x: Any) -> Any:
    return _finite_below(x) * tanh(softplus(x))


def _mish_slope(x: Array) -> Array:
    t = tanh(softplus(x))
    return t + times(sigmoid(x) * (1 - t * t), x)


@elementwise(
    _mish_slope,
    formula=r"y = x \tanh \ln(1 + e^x), \quad "
    r"y' = \tanh \ln(1 + e^x) + x\,\sigma(x)\,(1 - (\tanh \ln(1 + e^x))^2)",
    number=_mish,
)
def mish(x: ArrayLike, /) -> Array:
    """``x * tanh(softplus(x))``, entry by entry.

    References
    ----------
    .. [1] D. Misra, BMVC (2020), arXiv:1908.08681.
    """
    return _mish(x)


ROOT, CUBIC = math.sqrt(2 / math.pi), 0.044715


def _gelu_constants(x: Array) -> Any:
    """``sqrt(2 / pi)`` and the cubic coefficient from the paper, in the kind of ``x``."""
    data = data_of(x)
    if not is_foreign(data):
        return ROOT, CUBIC
    one = whole(data, 1)
    return 1 / sqrt(2 * arctan(one)), 44715 * one / 10**6


def _logit_of_gelu(x: Array) -> Array:
    """That of which the logistic function is the factor of ``x``: twice what the paper takes the tanh of."""
    root, cubic = _gelu_constants(x)
    return 2 * (root * (x + cubic * x * x * x))


def _in_floats(function: Callable[..., Array], x: Array, out: Array | None = None) -> Array:
    """A function of arrays in single precision or more, of any: halves are taken in single precision."""
    if x.dtype.char in "fdg" and x.ndim:
        return function(x, out)
    if x.dtype.kind == "c":
        raise KindError("gelu got complex numbers; the normal distribution that it comes from is of real ones.")
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    y = function(x.reshape(-1).astype(np.float32 if dtype.char == "e" else dtype), None)
    y = y.astype(dtype).reshape(x.shape)
    if out is None:
        return y[()]
    out[...] = y
    return out


def _one_and_exp(x: Array, squares: Array, out: Array | None) -> Array:
    """``1 + e**-a`` for that logit a, of arrays, in the memory ``out``: to make more would take longer than it does."""
    e = np.multiply(squares, -2 * ROOT * CUBIC, out=out)
    e -= 2 * ROOT
    e *= x
    np.exp(e, out=e)  # may be infinite: its reciprocal is the 0 that is meant
    e += 1
    return e


def _gelu_tanh(x: Array, out: Array | None) -> Array:
    x = x.clip(FAR_BELOW, np.inf)
    y = np.multiply(x, x, out=out)
    return np.divide(x, _one_and_exp(x, y, y), out=y)


def _gelu_tanh_slope(x: Array, out: Array | None) -> Array:
    x = x.clip(FAR_BELOW, -FAR_BELOW)  # farther out slopes are 0 and 1
    slope = np.multiply(x, x, out=out)
    s = _one_and_exp(x, slope, None)
    np.divide(1, s, out=s)
    slope *= 6 * ROOT * CUBIC
    slope += 2 * ROOT
    slope *= x
    slope *= np.subtract(1, s, out=x)
    slope += 1
    slope *= s
    return slope


def _gelu_tanh_slope_of_number(x: Any) -> Any:
    root, cubic = _gelu_constants(x)
    a = _logit_of_gelu(x)
    return sigmoid(a) * (1 + times(sigmoid(-a), x * (2 * root * (1 + 3 * cubic * x * x))))


def _gelu_tanh_curvature(x: Array) -> Array:
    root, cubic = _gelu_constants(x)
    a = _logit_of_gelu(x)
    a_slope, a_curvature = 2 * root * (1 + 3 * cubic * x * x), 12 * root * cubic * x
    share = sigmoid(a) * sigmoid(-a)
    return times(share, 2 * a_slope + x * (a_curvature + a_slope * a_slope * (sigmoid(-a) - sigmoid(a))))


LOGIT = r"\sqrt{8/\pi}\,(x + 0.044715\,x^3)"
RISE, BEND = r"\sqrt{8/\pi}\,(1 + 0.134145\,x^2)", r"0.26829\,\sqrt{8/\pi}\,x"
SHARE, OTHER = rf"\sigma({LOGIT})", rf"\sigma(-{LOGIT})"
GELU_TANH_SLOPE = rf"{SHARE} + x\,{SHARE}\,{OTHER}\,{RISE}"


@elementwise(
    _gelu_tanh_curvature,
    formula=(
        rf"y = {GELU_TANH_SLOPE}, \quad y' = {SHARE}\,{OTHER}\,"
        rf"\big(2\,{RISE} + x\,\big({BEND} + \big({RISE}\big)^2\,\big({OTHER} - {SHARE}\big)\big)\big)"
    ),
    number=_gelu_tanh_slope_of_number,
)
def gelu_tanh_slope(x: ArrayLike, /) -> Array:
    """The slope of ``gelu(x, "tanh")``, entry by entry."""
    with np.errstate(over="ignore"):
        return _in_floats(_gelu_tanh_slope, x)


@into(gelu_tanh_slope)
def gelu_tanh_slope_into(x: Array, out: Array) -> Array:
    """Write it into ``out``."""
    with np.errstate(over="ignore"):
        return _in_floats(_gelu_tanh_slope, x, out)


@elementwise(
    lambda x: gelu_tanh_slope(x),
    formula=rf"y = x\,{SHARE}, \quad y' = {GELU_TANH_SLOPE}",
    number=lambda x: _finite_below(x) * sigmoid(_logit_of_gelu(x)),
)
def gelu_tanh(x: ArrayLike, /) -> Array:
    """``gelu(x, "tanh")``, entry by entry."""
    with np.errstate(over="ignore"):
        return _in_floats(_gelu_tanh, x)


@into(gelu_tanh)
def gelu_tanh_into(x: Array, out: Array) -> Array:
    """Write it into ``out``."""
    with np.errstate(over="ignore"):
        return _in_floats(_gelu_tanh, x, out)


def _gelu_as_given(x: ArrayLike, approximate: str = "none") -> Array:
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu got approximate={approximate!r}; expected 'none' (exact) or 'tanh'.")
    return gelu(x) if approximate == "none" else gelu_tanh(x)


@otherwise(_gelu_as_given)
@elementwise(
    lambda x: ndtr(x) + times(normal_density(x), x),
    formula=r"y = x\,\Phi(x), \quad y' = \Phi(x) + x\,\varphi(x)",
    number=lambda x: _finite_below(x) * ndtr(x),
)
def gelu(x: ArrayLike, /) -> Array:
    """``x`` times the normal distribution function at ``x``, entry by entry; ``approximate`` is "none" or "tanh".

    References
    ----------
    .. [1] D. Hendrycks and K. Gimpel, arXiv:1606.08415 (2016).
    """
    return _finite_below(x) * ndtr(x)


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
    mish = mish
