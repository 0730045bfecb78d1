"""Discrete Fourier transforms: what ``ad.fft`` offers, with the names, signatures and results of ``np.fft``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, Axis, shape_of
from ..core.op import primitive, refuse_out
from ..core.rule import Sample, sample
from ..core.spelling import missing
from .arithmetic import conj
from .families import linear
from .index import array_of, getitem, scatter_add

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Norm = Literal["backward", "ortho", "forward"] | None

TRANSPOSED: dict[Norm, Norm] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""Which normalisation the transpose of a transform has: the factor stays, the direction turns."""


def fitted(x: Array, n: int, axis: int) -> Array:
    """``x`` cut off, or filled up with zeros, to the length ``n`` along ``axis``."""
    shape = shape_of(x)
    axis %= len(shape)
    key = (*(slice(None),) * axis, slice(min(n, shape[axis])))
    if n < shape[axis]:
        return getitem(x, key)
    return scatter_add(x, (*shape[:axis], n, *shape[axis + 1 :]), key) if n > shape[axis] else x


@linear(
    formula=r"y_k = s \sum_j a_j e^{\mp 2 \pi i j k / n}, \quad \bar a_j = s \sum_k \bar y_k e^{\pm 2 \pi i j k / n}"
)
def fourier(a: ArrayLike, /, n: Any = None, axis: int = -1, norm: Norm = None, inverse: bool = False) -> Array:
    """The transform along ``axis``, forward or inverse; ``a`` is cut off or filled up with zeros to length ``n``."""
    return (np.fft.ifft if inverse else np.fft.fft)(a, n, axis, norm)


@fourier.def_vjp
def fourier_vjp(g: Array, a: Array, axis: int, norm: Norm, inverse: bool) -> Array:
    return fitted(fourier(g, None, axis, TRANSPOSED[norm], not inverse), shape_of(a)[axis], axis)


@primitive(
    formula=(
        r"y_k = s \sum_j a_j e^{-2 \pi i j k / n}, \; 2 k \le n, \quad "
        r"\bar a_j = s \operatorname{Re} \sum_k \bar y_k e^{2 \pi i j k / n}"
    )
)
def rfft(a: ArrayLike, /, n: Any = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """The transform of real numbers: its first half, since the second is the conjugate."""
    return np.fft.rfft(a, n, axis, norm)


@linear(
    formula=(
        r"y_j = s \sum_{|k| \le n/2} a_k e^{2 \pi i j k / n}, \; a_{-k} = a_k^*, \quad "
        r"\bar a_k = m_k s \sum_j \bar y_j e^{-2 \pi i j k / n}, \; m_k = 1 \text{ at the ends, 2 between}"
    )
)
def irfft(a: ArrayLike, /, n: Any = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """The real numbers, ``n`` of them, whose transform begins with ``a``; even many if ``n`` is not given."""
    y = np.fft.irfft(a, n, axis, norm)
    return y if a.size else np.zeros_like(y)  # NumPy 2.4 does not write to the result for an empty ``a``


def halves(g: Array, n: int, axis: int, inside: float) -> Any:
    """Factors for the first half of a transform of length ``n``: 1 at its own mirror images, else ``inside``."""
    factors = np.full(n // 2 + 1, inside, np.finfo(g.dtype).dtype)
    factors[0] = 1
    if n % 2 == 0:
        factors[-1] = 1
    return factors.reshape(-1, *(1,) * (-1 - axis if axis < 0 else g.ndim - 1 - axis))


@rfft.def_vjp
def rfft_vjp(g: Array, a: Array, n: Any, axis: int, norm: Norm) -> Array:
    length = shape_of(a)[axis]
    n = length if n is None else n
    return fitted(irfft(g * halves(g, n, axis, 0.5), n, axis, TRANSPOSED[norm]), length, axis)


@rfft.def_jvp
def rfft_jvp(a_dot: Array, n: Any, axis: int, norm: Norm) -> Array:
    return rfft(a_dot, n, axis, norm)


@irfft.def_vjp
def irfft_vjp(g: Array, a: Array, axis: int, norm: Norm) -> Array:
    half = rfft(g, None, axis, TRANSPOSED[norm])
    return fitted(half * halves(half, shape_of(g)[axis], axis, 2), shape_of(a)[axis], axis)


def lengths_and_axes(rng: np.random.Generator) -> Iterator[Sample]:
    """Even and odd lengths, kept, cut off and filled up; every axis and normalisation."""
    for length in (4, 5):
        for n in (None, 2, 3, 6, 7):
            yield sample(rng.normal(size=length), n=n)
    for norm in ("backward", "ortho", "forward"):
        yield sample(rng.normal(size=(4, 2)), axis=0, norm=norm)
    yield sample(rng.normal(size=(2, 1)), n=1)
    yield sample(rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(6, 8))[::-2, 1::2].T, axis=-2, n=5)


@fourier.def_samples
def fourier_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from lengths_and_axes(rng)
    for length, n in [(4, None), (5, 3), (3, 4)]:
        for inverse in (False, True):
            a = rng.normal(size=(2, length)) + 1j * rng.normal(size=(2, length))
            yield sample(a, n=n, inverse=inverse)


rfft.def_samples(lengths_and_axes)


@irfft.def_samples
def irfft_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for point in lengths_and_axes(rng):
        if point.args[0].shape[-1] > 1:
            yield point
            yield point._replace(args=(point.args[0] * (0.5 - 2j),))


@linear(
    lambda g, axes: ifftshift(g, axes),
    formula=r"y_{(k + \lfloor n/2 \rfloor) \bmod n} = x_k, \quad \bar x_k = \bar y_{(k + \lfloor n/2 \rfloor) \bmod n}",
)
def fftshift(x: ArrayLike, /, axes: Axis = None) -> Array:
    """The frequency 0 moved from the start to the middle, as ``np.fft.fftshift``."""
    return np.fft.fftshift(x, axes)


@linear(
    lambda g, axes: fftshift(g, axes),
    formula=r"y_k = x_{(k + \lfloor n/2 \rfloor) \bmod n}, \quad \bar x_{(k + \lfloor n/2 \rfloor) \bmod n} = \bar y_k",
)
def ifftshift(x: ArrayLike, /, axes: Axis = None) -> Array:
    """The frequency 0 moved from the middle back to the start: undoes ``fftshift``."""
    return np.fft.ifftshift(x, axes)


def shift_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(3, 4)))
    yield sample(rng.normal(size=(3, 5)), axes=-1)
    yield sample(rng.normal(size=(3, 4, 5)), axes=(0, 2))
    yield sample(rng.normal(size=(3, 5)), axes=(1, 1))  # twice
    yield sample(rng.normal(size=(0, 3)))
    yield sample(rng.normal(size=(6, 8))[::-2, 1::2].T, axes=0)


fftshift.def_samples(shift_samples)
ifftshift.def_samples(shift_samples)


fftfreq = np.fft.fftfreq
rfftfreq = np.fft.rfftfreq


def fft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Discrete Fourier transform along an axis, as ``np.fft.fft``.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.fft.fft([1.0, 0.0, 0.0, 0.0])
    array([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j])
    """
    refuse_out("fft", out)
    return fourier(a, n, axis, norm)


def ifft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Inverse of ``fft``, as ``np.fft.ifft``."""
    refuse_out("ifft", out)
    return fourier(a, n, axis, norm, inverse=True)


def hfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Transform of numbers whose second half is the conjugate of the first, ``a``, as ``np.fft.hfft``: real."""
    n = (shape_of(a)[axis] - 1) * 2 if n is None else n
    return irfft(conj(a), n, axis, turned(norm), out)


def ihfft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None, out: None = None) -> Array:
    """Inverse of ``hfft``, as ``np.fft.ihfft``."""
    n = shape_of(a)[axis] if n is None else n
    return conj(rfft(a, n, axis, turned(norm), out))


def fftn(a: ArrayLike, s: Any = None, axes: Any = None, norm: Norm = None, out: None = None) -> Array:
    """Discrete Fourier transform along several axes, as ``np.fft.fftn``."""
    return along_all(fft, a, s, axes, norm, out)


def ifftn(a: ArrayLike, s: Any = None, axes: Any = None, norm: Norm = None, out: None = None) -> Array:
    """Inverse of ``fftn``, as ``np.fft.ifftn``."""
    return along_all(ifft, a, s, axes, norm, out)


def rfftn(a: ArrayLike, s: Any = None, axes: Any = None, norm: Norm = None, out: None = None) -> Array:
    """Transform of real numbers along several axes, its first half along the last, as ``np.fft.rfftn``."""
    s, axes = lengths(a, s, axes)
    half = rfft(a, s[-1], axes[-1], norm, out)
    return along_all(fft, half, s[:-1], axes[:-1], norm, out)


def irfftn(a: ArrayLike, s: Any = None, axes: Any = None, norm: Norm = None, out: None = None) -> Array:
    """Inverse of ``rfftn``, as ``np.fft.irfftn``."""
    s, axes = lengths(a, s, axes, half=True)
    for n, axis in zip(s[:-1], axes[:-1]):
        a = ifft(a, n, axis, norm)
    return irfft(a, s[-1], axes[-1], norm, out)


def fft2(a: ArrayLike, s: Any = None, axes: Any = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """``fftn`` along two axes, as ``np.fft.fft2``."""
    return fftn(a, s, axes, norm, out)


def ifft2(a: ArrayLike, s: Any = None, axes: Any = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """Inverse of ``fft2``, as ``np.fft.ifft2``."""
    return ifftn(a, s, axes, norm, out)


def rfft2(a: ArrayLike, s: Any = None, axes: Any = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """``rfftn`` along two axes, as ``np.fft.rfft2``."""
    return rfftn(a, s, axes, norm, out)


def irfft2(a: ArrayLike, s: Any = None, axes: Any = (-2, -1), norm: Norm = None, out: None = None) -> Array:
    """Inverse of ``rfft2``, as ``np.fft.irfft2``."""
    return irfftn(a, s, axes, norm, out)


def turned(norm: Norm) -> Norm:
    """The normalisation of the other direction."""
    if norm not in TRANSPOSED:
        raise ArgumentError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return TRANSPOSED[norm]


def along_all(transform: Callable[..., Array], a: ArrayLike, s: Any, axes: Any, norm: Norm, out: None) -> Array:
    """One transform after the other, along the last axis first."""
    s, axes = lengths(a, s, axes)
    y = array_of(a)
    for n, axis in zip(reversed(s), reversed(axes)):
        y = transform(y, n, axis, norm, out)
    return y


def lengths(a: ArrayLike, s: Any, axes: Any, half: bool = False) -> tuple[list[Any], Any]:
    """The length of each transform and its axis; the last length is doubled if ``a`` is half of its input."""
    shape = shape_of(a)
    whole = s is None
    if whole:
        s = shape if axes is None else np.take(shape, axes)
    elif axes is None:
        deprecated("`axes` should not be None if `s` is not None")
    s = list(s)
    axes = list(range(-len(s), 0)) if axes is None else axes
    if len(s) != len(axes):
        raise ShapeError(f"Shape and axes have different lengths: {s} and {axes}.")
    if half and whole:
        s[-1] = (shape[axes[-1]] - 1) * 2
    if None in s:
        deprecated("None in `s` should be the length that is meant, or -1")
    return [shape[axis] if n == -1 else n for n, axis in zip(s, axes)], axes


def deprecated(what: str) -> None:
    """Warn of what NumPy will no longer take."""
    warnings.warn(
        f"{what}: deprecated in NumPy 2.0, and an error in a future version.", DeprecationWarning, stacklevel=4
    )


def __getattr__(name: str) -> Any:
    """Say what is close to a name that does not exist."""
    if name.startswith("__"):
        raise AttributeError(name)
    raise missing("ad.fft", name, __all__, {})
