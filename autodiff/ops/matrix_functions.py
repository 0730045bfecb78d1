"""Functions of square matrices: powers and the exponential."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from ..core.errors import KindError
from ..core.node import Array, ArrayLike, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import absolute
from .broadcast import is_plain
from .constant import stop_gradient
from .exponential import exp2, log2
from .extremum import maximum
from .joining import concatenate
from .matrices import adjoint, draw, square_samples
from .products import matmul
from .reduce import sum
from .rounding import rint
from .select import greater, where
from .solving import inv

__all__ = ["expm", "matrix_power"]


def matrix_power(a: ArrayLike, n: int) -> Array:
    """``a @ a @ ...``, ``n`` times; a negative ``n`` counts inverses.  By repeated squaring.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda a: ad.linalg.matrix_power(a, -1)[0, 0])(np.diag([2.0, 1.0]))
    array([[-0.25, -0.  ],
           [-0.  , -0.  ]])
    """
    if is_plain(a):
        return np.linalg.matrix_power(a, n)
    shape = shape_of(a)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise LinAlgError(f"matrix_power got shape {shape}; the last two axes must be of one length.")
    try:
        n = operator.index(n)
    except TypeError:
        raise KindError(f"matrix_power got the exponent {n!r}; it must be an integer.") from None
    if n == 0:
        return where(True, np.eye(shape[-1], dtype=a.dtype), a)
    square: Any = inv(a) if n < 0 else a
    n, y = abs(n), None
    if n == 3:
        return matmul(matmul(square, square), square)  # to the last digit what NumPy computes
    while True:
        if n % 2:
            y = square if y is None else matmul(y, square)
        n //= 2
        if not n:
            return y
        square = matmul(square, square)


PADE = (
    64764752532480000,
    32382376266240000,
    7771770303897600,
    1187353796428800,
    129060195264000,
    10559470521600,
    670442572800,
    33522128640,
    1323241920,
    40840800,
    960960,
    16380,
    182,
    1,
)
"""The coefficients of the numerator of the Padé approximant of order 13, up to a factor."""

ORDER = 13
LARGEST = 4.25
"""Up to what size of a matrix that approximant is exact to double precision: theta 13 of Al-Mohy and Higham."""


@primitive(
    formula=(
        r"Y = e^X, \quad "
        r"\bar X = \text{the top right of } "
        r"\exp \begin{pmatrix} X^{\mathsf H} & \bar Y \\ 0 & X^{\mathsf H} \end{pmatrix}"
    )
)
def expm(x: ArrayLike, /) -> Array:
    """Exponential of square matrices: scaling, a Padé approximant, squaring [1]_.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.expm(np.array([[0.0, 1.0], [0.0, 0.0]]))
    array([[1., 1.],
           [0., 1.]])

    References
    ----------
    .. [1] A. H. Al-Mohy and N. J. Higham, "A new scaling and squaring algorithm for the matrix exponential",
       SIAM J. Matrix Anal. Appl. 31 (2009) 970-989.
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise LinAlgError(f"expm got shape {x.shape}; the last two axes must be of one length.")
    dtype = np.result_type(x, np.float32) if x.dtype.kind in "fc" else np.dtype(float)
    if x.size == 0:
        return x.astype(dtype)
    with np.errstate(all="ignore"):
        a = x.astype(np.result_type(dtype, float))
        halvings = halvings_for(a)
        a = a * np.exp2(-halvings)
        y = pade(a)
        for i in range(int(halvings.max())):
            y = np.where(halvings > i, y @ y, y)
    return y.astype(dtype)


def pade(a: Any) -> Any:
    """The Padé approximant of the exponential, for plain matrices of moderate size."""
    c, one = [k / PADE[0] for k in PADE], np.eye(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a2 @ a4
    odd = a @ (a6 @ (c[13] * a6 + c[11] * a4 + c[9] * a2) + c[7] * a6 + c[5] * a4 + c[3] * a2 + c[1] * one)
    even = a6 @ (c[12] * a6 + c[10] * a4 + c[8] * a2) + c[6] * a6 + c[4] * a4 + c[2] * a2 + c[0] * one
    return np.linalg.solve(even - odd, even + odd)


def halvings_for(a: Any) -> Any:
    """How often each plain matrix must be halved, judged by its powers, which may be much smaller than its norm."""

    def norm(x: Any) -> Any:
        return np.abs(x).sum(-2, keepdims=True).max(-1, keepdims=True)

    size = norm(a)
    b = a / np.where(size > 0, size, 1)
    b2 = b @ b
    b4 = b2 @ b2
    d6, d8, d10 = (norm(b2 @ b4) ** (1 / 6), norm(b4 @ b4) ** (1 / 8), norm(b2 @ b4 @ b4) ** (1 / 10))
    eta = size * np.minimum(np.maximum(d6, d8), np.maximum(d8, d10))
    halvings = np.maximum(np.ceil(np.log2(eta / LARGEST)), 0)
    # and for the rounding of what cancels in the powers: the first neglected term, of absolute values
    row = np.ones((*a.shape[:-2], 1, a.shape[-1]))
    for _ in range(2 * ORDER + 1):
        row = row @ np.abs(b)
    first = math.log2(math.comb(2 * ORDER, ORDER) * math.factorial(2 * ORDER + 1))
    alpha = np.log2(row.max(-1, keepdims=True)) + 2 * ORDER * (np.log2(size) - halvings) - first
    halvings = halvings + np.maximum(np.ceil((alpha + 53) / (2 * ORDER)), 0)
    return np.where(np.isfinite(halvings), halvings, 0)


def exponential_coefficient(xs: list[Any]) -> Array | None:
    """The last coefficient of the exponential of the matrices ``xs[0] + xs[1] t + xs[2] t**2 + ...``, None being 0.

    It is a corner of the exponential of a block matrix, in which block (i, j) is ``xs[j - i]`` [1]_.

    References
    ----------
    .. [1] A. H. Al-Mohy and N. J. Higham, "Computing the Fréchet derivative of the matrix exponential",
       SIAM J. Matrix Anal. Appl. 30 (2009) 1639-1657.
    """
    k = len(xs) - 1
    x = xs[0]
    # t is measured in a power of 2 in which no matrix is large, so that they have no say in how often x is halved
    logs = []
    for j, c in enumerate(xs):
        if j and c is not None:
            size = stop_gradient(sum(absolute(c), (-2, -1), keepdims=True))
            logs.append(log2(where(greater(size, 0), size, np.finfo(x.dtype).tiny)) / j)
    if not logs:
        return None
    scale = exp2(rint(functools.reduce(maximum, logs)))
    n, zeros = shape_of(x)[-1], np.zeros(shape_of(x), x.dtype)
    blocks = [x, *(zeros if c is None else c / scale**j for j, c in enumerate(xs) if j)]
    rows = [concatenate([zeros] * i + blocks[: k + 1 - i], -1) for i in range(k + 1)]
    return expm(concatenate(rows, -2))[..., :n, -n:] * scale**k


def frechet(x: Array, e: Array) -> Any:
    """The derivative of the exponential at ``x`` along ``e``."""
    return exponential_coefficient([x, e])


@expm.def_vjp
def expm_vjp(g: Array, x: Array) -> Array:
    return frechet(adjoint(x), g)


@expm.def_jvp
def expm_jvp(x_dot: Array, x: Array) -> Array:
    return frechet(x, x_dot)


@expm.def_samples
def expm_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield from square_samples(rng)
    yield sample(np.zeros((2, 2)))
    yield sample(np.array([[1.0, 50.0], [0.0, -1.0]]))  # far from normal
    yield sample(10 * draw(rng, 2, 2))
