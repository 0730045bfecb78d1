"""Attention: means of values, weighted by how well their keys match a query."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.errors import KindError, ShapeError
from ..core.node import Array, ArrayLike, data_of, shape_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import add, multiply
from .index import array_of
from .products import matmul
from .rows import exp_into, in_rows, row_sums, row_tops
from .select import where
from .softmax import through_share

__all__ = ["attention_weights", "scaled_dot_product_attention"]


@lru_cache(maxsize=8)
def from_later(n: int, m: int, char: str) -> np.ndarray[Any, Any]:
    """What is added to ``n`` rows of ``m`` entries so that row i has nothing from those after the i-th."""
    mask = np.triu(np.full((n, m), -np.inf, char), 1)
    mask.flags.writeable = False
    return mask


@primitive(
    formula=(
        r"y_{ij} = \frac{e^{x_{ij}}}{\sum_k e^{x_{ik}}}, \; 0 \text{ where } x = -\infty, \quad "
        r"\bar x_{ij} = y_{ij} \big(\bar y_{ij} - \sum_k \bar y_{ik} y_{ik}\big)"
    )
)
def masked_softmax(x: ArrayLike, /, causal: bool = False) -> Array:
    """The softmax along the last axis, where an entry of -inf takes no part; 0 all along a row where none does.

    With ``causal`` the entries after the i-th take no part in row i.
    """
    if x.dtype.kind == "c":
        raise KindError("masked_softmax got complex numbers; weights are of real ones.")
    if x.ndim < 1 + causal:
        raise ShapeError(f"masked_softmax got shape {x.shape}; it needs {'rows and ' * causal}entries along an axis.")
    shape = x.shape
    if causal:
        x = x + from_later(*shape[-2:], x.dtype.char if x.dtype.kind == "f" else "d")
    if not x.size:
        return np.exp(x)
    x = in_rows(x)
    top = row_tops(x)
    y = exp_into(x - np.where(top == -np.inf, 0, top))  # a row of nothing but -inf must not meet itself: inf - inf
    total = row_sums(y)
    y /= total + (total == 0)
    return y.reshape(shape)


@masked_softmax.def_vjp
def masked_softmax_vjp(g: Array, y: Array) -> Array:
    return through_share(g, y, -1)


@masked_softmax.def_jvp
def masked_softmax_jvp(x_dot: Array, y: Array) -> Array:
    return through_share(x_dot, y, -1)  # the matrix diag(y) - y y^T is its own transpose


@masked_softmax.def_samples
def masked_softmax_samples(rng: np.random.Generator) -> Iterator[Sample]:
    gone = -np.inf
    yield sample(rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(4,)))
    yield sample(np.array([[gone, 1.0, 2.0], [gone, gone, gone], [0.5, gone, gone]]))  # masked, all along one row
    yield sample(rng.normal(size=(2, 3, 3)), causal=True)
    yield sample(rng.normal(size=(2, 4)), causal=True)
    yield sample(rng.normal(size=(4, 2)), causal=True)
    yield sample(np.array([[gone, 1.0], [2.0, 3.0]]), causal=True)  # nothing is left of the first row
    yield sample(1e3 + rng.normal(size=(2, 3)))
    yield sample(rng.normal(size=(0, 3)), causal=True)
    yield sample(rng.normal(size=(3, 0)))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, causal=True)


def attention_weights(
    query: ArrayLike,
    key: ArrayLike,
    attn_mask: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
) -> Array:
    """How much each query attends to each key: ``softmax(scale * query @ key.T)``, along the keys.

    Parameters
    ----------
    query, key : array_like, shapes (..., L, E) and (..., S, E)
        What stands before the last two axes is broadcast.
    attn_mask : array_like, optional
        Of a shape that broadcasts to ``(..., L, S)``: truth values, True where a key takes part; or numbers, which are
        added to the scaled products, -inf where a key takes no part.
    is_causal : bool
        Whether query i attends to no key after the i-th.
    scale : float, optional
        ``1 / sqrt(E)`` if it is not given.

    Returns
    -------
    Array, shape (..., L, S)
        Rows that sum to 1; a query that no key is left for has a row of zeros, and a gradient of zero.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> attention_weights(np.zeros((2, 4)), np.ones((2, 4)), is_causal=True)
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    query, key = array_of(query), array_of(key)
    shapes = shape_of(query), shape_of(key)
    if min(map(len, shapes)) < 2 or shapes[0][-1] != shapes[1][-1]:
        raise ShapeError(
            f"Attention got queries of shape {shapes[0]} and keys of shape {shapes[1]}; they must be (..., L, E) and "
            "(..., S, E). One query is query[None]."
        )
    if scale is None:
        scale = 1 / math.sqrt(shapes[0][-1] or 1)
    scores = matmul(multiply(query, scale), key.mT)
    if attn_mask is not None:
        scores = masked(scores, array_of(attn_mask))
    return masked_softmax(scores, causal=bool(is_causal))


def masked(scores: Array, mask: Array) -> Array:
    """Scores with -inf, or whatever the mask adds, where a key takes no part."""
    whole, part = shape_of(scores), shape_of(mask)
    try:
        fits = np.broadcast_shapes(whole, part) == whole
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"Attention got attn_mask of shape {part}, which does not broadcast to {whole}, (..., L, S).")
    kind = np.asarray(data_of(mask)).dtype.kind if not hasattr(mask, "dtype") else mask.dtype.kind
    if kind == "b":
        return where(mask, scores, -np.inf)
    if kind != "f":
        raise KindError(
            "Attention got attn_mask of whole numbers, which could mean either. For truth values write mask != 0 or "
            "mask.astype(bool); numbers to add are floats."
        )
    return add(scores, mask)


def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
) -> Array:
    """Means of values, weighted by how well their keys match each query: ``softmax(scale * Q @ K.T) @ V``.

    Parameters
    ----------
    query, key, value : array_like, shapes (..., L, E), (..., S, E) and (..., S, F)
        What stands before the last two axes, such as batch and heads, is broadcast.
    attn_mask, is_causal, scale
        See :func:`attention_weights`, which has the weights themselves.

    Returns
    -------
    Array, shape (..., L, F)
        0 for a query that no key is left for.

    Raises
    ------
    ShapeError
        If the shapes do not fit.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention is all you need", NeurIPS (2017), arXiv:1706.03762.

    Examples
    --------
    >>> import numpy as np
    >>> scaled_dot_product_attention(np.zeros((2, 4)), np.ones((2, 4)), [[1.0], [3.0]], is_causal=True)
    array([[1.],
           [2.]])
    """
    value = array_of(value)
    if len(shape_of(value)) < 2 or shape_of(key)[-2:-1] != shape_of(value)[-2:-1]:
        raise ShapeError(
            f"Attention got keys of shape {shape_of(key)} and values of shape {shape_of(value)}; they must be "
            "(..., S, E) and (..., S, F)."
        )
    return matmul(attention_weights(query, key, attn_mask, is_causal=is_causal, scale=scale), value)
