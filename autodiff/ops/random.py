"""Random draws that are differentiable in the parameters of their distribution: what ``ad.random`` offers.

A draw is a smooth function of its parameters and of noise that does not depend on them, ``loc + scale * z``, so that
gradients go through it: the reparametrisation, or pathwise, derivative.  The noise is a row of its own in
:mod:`autodiff.ops.draws`.  Everything takes ``rng``, a Generator, an int or None, as ``np.random.default_rng`` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.errors import ArgumentError, AutodiffError, CompileError, KindError, UnsupportedError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of, shape_of
from ..core.numbers import is_number, to_float
from ..core.source import user_line
from ..core.spelling import missing
from . import draws
from .activation import sigmoid
from .arithmetic import power as to_power
from .arithmetic import sqrt
from .checked import checked
from .constant import stop_gradient
from .draws import generator
from .exponential import exp, expm1, log
from .incomplete import gamma_transport
from .index import array_of, take
from .reduce import argmax
from .select import (
    equal,
    greater_equal,
    isfinite,
    isnan,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    signbit,
    where,
)
from .shape import astype
from .softmax import softmax

__all__ = [
    "bernoulli",
    "beta",
    "chisquare",
    "choice",
    "dirichlet",
    "exponential",
    "gamma",
    "gumbel",
    "gumbel_softmax",
    "laplace",
    "logistic",
    "lognormal",
    "normal",
    "pareto",
    "permutation",
    "power",
    "random",
    "rayleigh",
    "standard_exponential",
    "standard_gamma",
    "standard_normal",
    "standard_t",
    "uniform",
    "weibull",
]


class RangeError(AutodiffError, OverflowError):
    """An interval too wide to draw from."""


def given(name: str, *parameters: ArrayLike) -> tuple[Any, ...]:
    """The parameters of a distribution as nodes, arrays and numbers, and last the dtype of what is drawn."""
    arrays = [p if isinstance(p, Node) or is_number(type(p)) else np.asarray(p) for p in parameters]
    typed = [data_of(a).dtype for a in arrays if hasattr(data_of(a), "dtype")]  # Python's numbers leave it open
    if any(np.iscomplexobj(data_of(a)) for a in arrays):
        raise KindError(f"{name} was given complex numbers; the parameters of a distribution are real.")
    dtype = np.result_type(*typed) if typed else np.dtype(float)
    return (*arrays, dtype if dtype.kind == "f" else np.dtype(float))


def numbers_in(x: Array) -> Any:
    """The data of a parameter as an array, to look at."""
    data = data_of(x)
    return data if isinstance(data, np.ndarray) else np.asarray(to_float(data))


def require_from_zero(name: str, **parameters: Array) -> None:
    """Raise if an entry is negative."""
    for parameter, x in parameters.items():
        data = numbers_in(x)
        if np.any(np.signbit(data) & ~np.isnan(data)):
            raise ArgumentError(f"random.{name} got {parameter}={data}: it must not be negative.")


def from_zero(z: Array, *parameters: Array) -> Array:
    """``z``, checked again by a compiled function: no parameter may be negative."""
    for x in parameters:
        z = checked(z, lambda x: logical_or(logical_not(signbit(x)), isnan(x)), of=x)
    return z


def above_zero(z: Array, *parameters: Array) -> Array:
    """``z``, checked again by a compiled function: no parameter may be 0 or negative."""
    for x in parameters:
        z = checked(z, lambda x: logical_not(less_equal(x, 0)), of=x)
    return z


def one_generator(name: str, rng: Any) -> np.random.Generator:
    """The generator for what draws twice."""
    if compiler() is not None and not isinstance(rng, np.random.Generator | np.random.BitGenerator | None):
        raise CompileError(
            f"random.{name} was given the seed {rng} while compiling ({user_line()}). It draws twice from one "
            "generator, which the compiled function would not start anew. "
            f"Make it outside of the function, rng = np.random.default_rng({rng}), and give it that."
        )
    return generator(rng)


def require_positive(name: str, **parameters: Array) -> None:
    """Raise if an entry is 0 or negative."""
    for parameter, x in parameters.items():
        data = numbers_in(x)
        if np.any(data <= 0):
            raise ArgumentError(f"random.{name} got {parameter}={data}: it must be above 0.")


def located(name: str, draw: Callable[..., Array], loc: ArrayLike, scale: ArrayLike, size: Any, rng: Any) -> Array:
    """``loc + scale * z`` with ``z`` from a standard distribution."""
    loc, scale, dtype = given(name, loc, scale)
    require_from_zero(name, scale=scale)
    return loc + scale * from_zero(draw(loc, scale, size, dtype, rng), scale)


def normal(loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw from normal distributions, differentiably in mean and standard deviation.

    Parameters
    ----------
    loc, scale : array_like
        Mean, and standard deviation from 0 up; they broadcast.
    size : int or tuple of int, optional
        Shape of the draws; that of the parameters if not given.
    rng : Generator, int or None
        Source of randomness, as for ``np.random.default_rng``.

    Raises
    ------
    ArgumentError
        If an entry of ``scale`` is negative.
    ShapeError
        If the parameters do not broadcast to ``size``.

    Examples
    --------
    >>> import autodiff as ad
    >>> mean, deviation = ad.Tensor([1.0, 2.0]), ad.Tensor([0.1, 0.2])
    >>> z = ad.random.normal(mean, deviation, rng=0)
    >>> z.sum().backward()
    >>> mean.grad
    array([1., 1.])
    >>> np.allclose(deviation.grad, np.random.default_rng(0).standard_normal(2))
    True

    References
    ----------
    .. [1] D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", arXiv:1312.6114 (2013).
    """
    return located("normal", draws.draw_normal, loc, scale, size, rng)


def laplace(loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw from Laplace distributions, differentiably in both parameters."""
    return located("laplace", draws.draw_laplace, loc, scale, size, rng)


def gumbel(loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw from Gumbel distributions, differentiably in both parameters."""
    return located("gumbel", draws.draw_gumbel, loc, scale, size, rng)


def logistic(loc: ArrayLike = 0.0, scale: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw from logistic distributions, differentiably in both parameters."""
    return located("logistic", draws.draw_logistic, loc, scale, size, rng)


def lognormal(mean: ArrayLike = 0.0, sigma: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw numbers whose logarithm is normal, differentiably in its mean and standard deviation."""
    mean, sigma, dtype = given("lognormal", mean, sigma)
    require_from_zero("lognormal", sigma=sigma)
    return exp(mean + sigma * from_zero(draws.draw_normal(mean, sigma, size, dtype, rng), sigma))


def uniform(low: ArrayLike = 0.0, high: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw evenly from intervals, differentiably in both ends."""
    low, high, dtype = given("uniform", low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        width = numbers_in(high) - numbers_in(low)
    if not np.all(np.isfinite(width)):
        raise RangeError(f"random.uniform got low={data_of(low)} and high={data_of(high)}: that is no finite interval.")
    require_from_zero("uniform", **{"high - low": width})
    z = draws.draw_uniform(low, high, size, dtype, rng)
    if compiler() is not None:
        z = checked(from_zero(z, high - low), isfinite, of=high - low)
    return low + (high - low) * z


def exponential(scale: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw from exponential distributions, differentiably in their mean ``scale``."""
    scale, dtype = given("exponential", scale)
    require_from_zero("exponential", scale=scale)
    return scale * from_zero(draws.draw_exponential(scale, 0, size, dtype, rng), scale)


def rayleigh(scale: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw from Rayleigh distributions, differentiably in ``scale``."""
    scale, dtype = given("rayleigh", scale)
    require_from_zero("rayleigh", scale=scale)
    return scale * sqrt(2 * from_zero(draws.draw_exponential(scale, 0, size, dtype, rng), scale))


def weibull(a: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw from Weibull distributions of scale 1, differentiably in their shape ``a``."""
    a, dtype = given("weibull", a)
    require_from_zero("weibull", a=a)
    noise = from_zero(draws.draw_exponential(a, 0, size, dtype, rng), a)
    return where(equal(a, 0), 0, to_power(noise, 1 / where(equal(a, 0), 1, a)))


def pareto(a: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw from Pareto distributions of the second kind (Lomax), differentiably in their shape ``a``."""
    a, dtype = given("pareto", a)
    require_positive("pareto", a=a)
    return expm1(above_zero(draws.draw_exponential(a, 0, size, dtype, rng), a) / a)


def power(a: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw from distributions of density ``a * x**(a - 1)`` on 0 to 1, differentiably in ``a``."""
    a, dtype = given("power", a)
    require_positive("power", a=a)
    return to_power(-expm1(-above_zero(draws.draw_exponential(a, 0, size, dtype, rng), a)), 1 / a)


def gamma(shape: ArrayLike, scale: ArrayLike = 1.0, size: Any = None, rng: Any = None) -> Array:
    """Draw from gamma distributions, differentiably in shape and scale.

    The derivative in the shape is the implicit one [1]_, to an accuracy of 12 digits, and can be differentiated again.

    Parameters
    ----------
    shape, scale : array_like
        From 0 up; they broadcast.
    size : int or tuple of int, optional
        Shape of the draws; that of the parameters if not given.
    rng : Generator, int or None
        Source of randomness, as for ``np.random.default_rng``.

    Raises
    ------
    ArgumentError
        If an entry of ``shape`` or ``scale`` is negative.

    References
    ----------
    .. [1] M. Figurnov, S. Mohamed and A. Mnih, "Implicit reparameterization gradients", NeurIPS (2018).
    """
    shape, scale, dtype = given("gamma", shape, scale)
    require_from_zero("gamma", shape=shape, scale=scale)
    return scale * from_zero(gamma_draws(shape, scale, size, dtype, rng), shape, scale)


def gamma_draws(a: Array, beside: Array, size: Any, dtype: Any, rng: Any) -> Array:
    """Draw from gamma distributions of shape ``a`` and scale 1, in the shape of ``a``, ``beside`` and ``size``."""
    z = draws.draw_gamma(a, beside, size, dtype, rng)
    return gamma_transport(z, stop_gradient(a), a) if isinstance(a, Node) else z


def standard_gamma(shape: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw from gamma distributions of scale 1, differentiably in their shape."""
    return gamma(shape, 1, size, rng)


def chisquare(df: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw from chi-square distributions, differentiably in the degrees of freedom."""
    df, dtype = given("chisquare", df)
    require_positive("chisquare", df=df)
    return 2 * above_zero(gamma_draws(df / 2, 0, size, dtype, rng), df)


def standard_t(df: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw from Student's t distributions, differentiably in the degrees of freedom."""
    rng = one_generator("standard_t", rng)
    df, dtype = given("standard_t", df)
    require_positive("standard_t", df=df)
    z = above_zero(draws.draw_normal(df, 0, size, dtype, rng), df)
    return z * sqrt(df / 2 / gamma_draws(df / 2, 0, size, dtype, rng))


def log_gamma_draws(a: Array, beside: Array, size: Any, dtype: Any, rng: Any) -> Array:
    """Logarithms of gamma draws, which do not underflow for small shapes: ``Γ(a) ~ Γ(a + 1) u**(1/a)``."""
    return log(gamma_draws(a + 1, beside, size, dtype, rng)) - draws.draw_exponential(a, beside, size, dtype, rng) / a


def beta(a: ArrayLike, b: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw from beta distributions, differentiably in both parameters: as the share of one gamma draw in two."""
    rng = one_generator("beta", rng)
    a, b, dtype = given("beta", a, b)
    require_positive("beta", a=a, b=b)
    one = above_zero(log_gamma_draws(a, b, size, dtype, rng), a, b)
    return sigmoid(one - log_gamma_draws(b, a, size, dtype, rng))


def dirichlet(alpha: ArrayLike, size: Any = None, rng: Any = None) -> Array:
    """Draw shares that sum to 1 along the last axis from a Dirichlet distribution, differentiably in ``alpha``.

    Parameters
    ----------
    alpha : array_like of one axis
        From 0 up.
    size : int or tuple of int, optional
        How many draws; the result has one axis more.
    rng : Generator, int or None
        Source of randomness, as for ``np.random.default_rng``.
    """
    rng = one_generator("dirichlet", rng)
    alpha, dtype = given("dirichlet", alpha)
    require_from_zero("dirichlet", alpha=alpha)
    if len(shape_of(alpha)) != 1:
        raise ArgumentError(f"random.dirichlet got alpha of shape {shape_of(alpha)}: it has one axis.")
    shape = (*draws.shape_of_draws(() if size is None else size), *shape_of(alpha))
    with np.errstate(divide="ignore"):  # no share for an alpha of 0
        return softmax(from_zero(log_gamma_draws(alpha, 0, shape, dtype, rng), alpha), -1)


def bernoulli(p: ArrayLike, straight_through: bool = True, size: Any = None, rng: Any = None) -> Array:
    """Draw 1 with probability ``p``, else 0.

    Parameters
    ----------
    p : array_like
        From 0 to 1.
    straight_through : bool
        If True, gradients pass to ``p`` as if the draw were ``p`` itself [1]_: on average that is the slope of the mean
        of a linear function.  If False the draw is a constant.
    size : int or tuple of int, optional
        Shape of the draws; that of ``p`` if not given.
    rng : Generator, int or None
        Source of randomness, as for ``np.random.default_rng``.

    References
    ----------
    .. [1] Y. Bengio, N. Léonard and A. Courville, arXiv:1308.3432 (2013).
    """
    p, dtype = given("bernoulli", p)
    data = numbers_in(p)
    if not np.all((data >= 0) & (data <= 1)):
        raise ArgumentError(f"random.bernoulli got p={data}: probabilities are from 0 to 1.")
    z = draws.draw_bernoulli(p, 0, size, dtype, rng)
    z = checked(z, lambda p: logical_and(greater_equal(p, 0), less_equal(p, 1)), of=p)
    return z + (p - stop_gradient(p)) if straight_through and isinstance(p, Node) else z


def gumbel_softmax(
    logits: ArrayLike, tau: ArrayLike = 1.0, hard: bool = False, axis: int = -1, rng: Any = None
) -> Array:
    """Draw smoothly from categories: a softmax of ``logits`` with noise, close to one-hot where ``tau`` is small.

    Parameters
    ----------
    logits : array_like
        Logarithms of probabilities, up to a constant, along ``axis``.
    tau : float
        Temperature, above 0.
    hard : bool
        If True the result is one-hot, with the gradient of the smooth draw.
    axis : int
    rng : Generator, int or None
        Source of randomness, as for ``np.random.default_rng``.

    References
    ----------
    .. [1] E. Jang, S. Gu and B. Poole, arXiv:1611.01144 (2016).
    .. [2] C. Maddison, A. Mnih and Y. W. Teh, arXiv:1611.00712 (2016).
    """
    logits, dtype = given("gumbel_softmax", logits)
    require_positive("gumbel_softmax", tau=tau)
    shape = shape_of(logits)
    axis = normalize_axis_index(axis, len(shape))
    y = softmax((logits + above_zero(draws.draw_gumbel(logits, 0, None, dtype, rng), tau)) / tau, axis)
    if not hard:
        return y
    places = np.arange(shape[axis]).reshape((-1, *(1,) * (len(shape) - 1 - axis)))
    one_hot = astype(equal(argmax(y, axis, keepdims=True), places), dtype)
    return one_hot + (y - stop_gradient(y)) if isinstance(y, Node) else one_hot


def random(size: Any = None, dtype: Any = float, rng: Any = None) -> Array:
    """Draw evenly from 0 to 1."""
    return draws.draw_uniform(0.0, 0.0, size, dtype, rng)


def standard_normal(size: Any = None, dtype: Any = float, rng: Any = None) -> Array:
    """Draw from the normal distribution of mean 0 and standard deviation 1."""
    return draws.draw_normal(0.0, 0.0, size, dtype, rng)


def standard_exponential(size: Any = None, dtype: Any = float, rng: Any = None) -> Array:
    """Draw from the exponential distribution of mean 1."""
    return draws.draw_exponential(0.0, 0.0, size, dtype, rng)


def choice(
    a: ArrayLike,
    size: Any = None,
    replace: bool = True,
    p: ArrayLike = None,
    axis: int = 0,
    shuffle: bool = True,
    rng: Any = None,
) -> Array:
    """Draw from what stands along ``axis`` of ``a``, or from the whole numbers below ``a``, as NumPy's Generator does.

    Gradients go to the entries that were drawn; which these are has no derivative, and a tracked ``p`` is refused.
    """
    compiling = compiler()
    if isinstance(p, Node) and (p.tracked if compiling is None else compiling.tracks(p)):
        raise UnsupportedError(
            "random.choice got probabilities that want a gradient: which entry is drawn has no derivative. "
            "Use random.gumbel_softmax, or p.detach()."
        )
    if compiling is not None:
        a = population(a)
    elif not isinstance(a, Node):
        return np.random.default_rng(rng).choice(a, size, replace, data_of(p), axis, shuffle)
    axis = normalize_axis_index(axis, len(shape_of(a)))
    positions = draws.draw_positions(a, math.nan if p is None else p, size, replace, axis, shuffle, rng)
    return take(a, positions, axis)


def population(x: ArrayLike) -> Array:
    """What is drawn from: an array, or the whole numbers below one."""
    return np.arange(x) if isinstance(x, int | np.integer) else array_of(x)


def permutation(x: ArrayLike, axis: int = 0, rng: Any = None) -> Array:
    """What stands along ``axis`` of ``x`` in random order, or the whole numbers below ``x``; as NumPy's Generator."""
    if compiler() is not None:
        x = population(x)
    elif not isinstance(x, Node):
        return np.random.default_rng(rng).permutation(x, axis)
    axis = normalize_axis_index(axis, len(shape_of(x)))
    return take(x, draws.draw_order(x, axis, rng), axis)


def __getattr__(name: str) -> Any:
    """Say what is close to a name that does not exist."""
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("ad.random", name, __all__, {})
