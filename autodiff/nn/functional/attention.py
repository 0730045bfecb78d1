"""Attention in several heads, its masks, and positions for it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...core.errors import ArgumentError, ShapeError
from ...core.node import Array, ArrayLike, data_of, shape_of
from ...ops.attention import attention_weights
from ...ops.attention import scaled_dot_product_attention as op
from ...ops.dropout import dropout
from ...ops.products import matmul
from ...ops.select import logical_not, where
from ...ops.shape import reshape, swapaxes

__all__ = ["attention_in_heads", "scaled_dot_product_attention", "sinusoidal_positions"]


def attention_in_heads(
    query: Array,
    key: Array,
    value: Array,
    num_heads: int,
    mask: ArrayLike = None,
    *,
    is_causal: bool = False,
    dropout_p: float = 0.0,
    rng: Any = None,
) -> tuple[Array, Array]:
    """Attention on each part of the features by itself [1]_.

    Parameters
    ----------
    query, key, value : array, shapes (N, L, E), (N, S, E) and (N, S, E)
    num_heads : int
        Into how many parts E is cut.
    mask : array_like, optional
        Of a shape that broadcasts to ``(N, num_heads, L, S)``; see :func:`attention_weights`.
    is_causal : bool
    dropout_p : float
        Probability to drop a weight.
    rng : Generator, int or None

    Returns
    -------
    tuple of array
        The results, ``(N, L, E)``, and the weights, ``(N, num_heads, L, S)``.

    References
    ----------
    .. [1] A. Vaswani et al., NeurIPS (2017), arXiv:1706.03762.
    """
    q, k, v = (_in_heads(x, num_heads) for x in (query, key, value))
    weights = attention_weights(q, k, mask, is_causal=is_causal)
    if dropout_p:
        weights = dropout(weights, dropout_p, rng=rng)
    return reshape(swapaxes(matmul(weights, v), 1, 2), shape_of(query)), weights


def scaled_dot_product_attention(
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    attn_mask: ArrayLike = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    rng: Any = None,
) -> Array:
    """Means of values, as :func:`autodiff.scaled_dot_product_attention`, of which weights may be dropped.

    Parameters
    ----------
    query, key, value, attn_mask, is_causal, scale
        See there.
    dropout_p : float
        Probability to drop a weight, as if training.
    rng : Generator, int or None
    """
    if not dropout_p:
        return op(query, key, value, attn_mask, is_causal=is_causal, scale=scale)
    weights = attention_weights(query, key, attn_mask, is_causal=is_causal, scale=scale)
    return matmul(dropout(weights, dropout_p, rng=rng), value)


def _in_heads(x: Array, num_heads: int) -> Array:
    n, length, features = shape_of(x)
    return swapaxes(reshape(x, (n, length, num_heads, features // num_heads)), 1, 2)


def joint_mask(attn_mask: ArrayLike, key_padding_mask: ArrayLike, shape: tuple[int, int, int, int]) -> Array | None:
    """What PyTorch's layers are told not to look at, as one mask that broadcasts to ``shape``, (N, heads, L, S).

    Their truth values say what is left out; those of :func:`attention_weights` say what takes part.
    """
    n, heads, length, others = shape
    masks = []
    if attn_mask is not None:
        found = shape_of(attn_mask)
        if found not in ((length, others), (n * heads, length, others)):
            raise ShapeError(
                f"attn_mask of shape {found} was given; it is ({length}, {others}), or ({n * heads}, "
                f"{length}, {others}) for each head of each batch."
            )
        masks.append(reshape(attn_mask, (n, heads, length, others)) if len(found) == 3 else attn_mask)
    if key_padding_mask is not None:
        found = shape_of(key_padding_mask)
        if found not in ((n, others), (others,)):
            raise ShapeError(f"key_padding_mask of shape {found} was given; it is ({n}, {others}), one for each key.")
        masks.append(reshape(key_padding_mask, (-1, 1, 1, others)))
    added = [_to_add(mask) for mask in masks]
    if len(masks) == 1 and np.asarray(data_of(masks[0])).dtype.kind == "b":
        return logical_not(masks[0])
    return added[0] + added[1] if len(added) == 2 else added[0] if added else None


def _to_add(mask: ArrayLike) -> Array:
    """A mask as numbers to add: truth values leave out where they are true."""
    if np.asarray(data_of(mask)).dtype.kind == "b":
        return where(mask, -np.inf, 0.0)
    return mask if hasattr(mask, "shape") else np.asarray(mask)


def sinusoidal_positions(length: int, d_model: int, *, dtype: Any = float) -> Any:
    r"""Positions as waves: sines of :math:`t / 10000^{2i/d}` in even features, cosines in odd ones [1]_.

    Returns
    -------
    ndarray, shape (length, d_model)

    References
    ----------
    .. [1] A. Vaswani et al., NeurIPS (2017), arXiv:1706.03762, section 3.5.

    Examples
    --------
    >>> from autodiff.nn import functional
    >>> functional.sinusoidal_positions(2, 4).round(4)
    array([[0.    , 1.    , 0.    , 1.    ],
           [0.8415, 0.5403, 0.01  , 1.    ]])
    """
    if length < 0 or d_model < 1:
        raise ArgumentError(
            f"sinusoidal_positions got length={length} and d_model={d_model}; sizes are not below 0, 1."
        )
    even = np.arange(0, d_model, 2)
    angles = np.arange(length)[:, None] * np.exp(even * (-math.log(10000.0) / d_model))
    waves = np.empty((length, d_model), dtype)
    waves[:, 0::2] = np.sin(angles)
    waves[:, 1::2] = np.cos(angles[:, : d_model // 2])
    return waves
