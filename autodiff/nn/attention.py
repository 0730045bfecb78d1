"""Attention: each position gathers from others what it asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..ops.activation import gelu, relu
from ..ops.dropout import require_probability
from ..ops.reduce import mean
from ..ops.shape import reshape, swapaxes
from ..tensor import Tensor
from .dropout import Dropout
from .functional import attention_in_heads, linear, sinusoidal_positions
from .functional.attention import joint_mask
from .init import filled, require_sizes, xavier_uniform_
from .linear import Linear
from .module import Module, shown
from .normalization import LayerNorm


class MultiheadAttention(Module):
    r"""Several attentions side by side, each on its own part of the features [1]_.

    Shape: queries ``(L, N, E)``, keys and values ``(S, N, E)``, or the batch first, or without a batch; returns that of
    the queries, and weights ``(N, L, S)``.

    Parameters
    ----------
    embed_dim : int
        E.
    num_heads : int
        Divides E.
    dropout : float
        Probability to drop a weight, while training.
    bias : bool
    kdim, vdim : int, optional
        Features of keys and of values, if not E.
    batch_first : bool
        Whether the batch comes before the positions.
    dtype, rng
        As for :class:`~autodiff.nn.Linear`.

    Attributes
    ----------
    in_proj_weight : Tensor, shape (3 E, E), or None
        Of queries, keys and values; starts by the scheme of Xavier.
    q_proj_weight, k_proj_weight, v_proj_weight : Tensor, shapes (E, E), (E, kdim) and (E, vdim), or None
        Instead, where keys or values have other features.
    in_proj_bias : Tensor, shape (3 E,), or None
        Starts at 0.
    out_proj : Linear
        Its bias starts at 0.

    Raises
    ------
    ArgumentError
        If an option cannot be used.
    ShapeError
        When called with inputs that do not fit each other.

    References
    ----------
    .. [1] A. Vaswani et al., NeurIPS (2017), arXiv:1706.03762.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> layer = nn.MultiheadAttention(8, 2, batch_first=True, rng=0)
    >>> x = np.ones((5, 7, 8))
    >>> y, weights = layer(x, x, x, is_causal=True)
    >>> y.shape, weights.shape
    ((5, 7, 8), (5, 7, 7))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        self.kdim, self.vdim = (embed_dim if n is None else n for n in (kdim, vdim))
        require_sizes("MultiheadAttention", embed_dim=embed_dim, num_heads=num_heads, kdim=self.kdim, vdim=self.vdim)
        require_probability(dropout, "MultiheadAttention")
        if embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention got embed_dim={embed_dim} and num_heads={num_heads}; each head gets an equal part."
            )
        self.embed_dim, self.num_heads, self.bias, self.batch_first = embed_dim, num_heads, bias, batch_first
        self.dropout = dropout
        self.rng = np.random.default_rng(rng)

        def weight(name: str, n_in: int, parts: int = 1) -> Tensor:
            return xavier_uniform_(filled(0, (parts * embed_dim, n_in), dtype=dtype, name=name), rng=self.rng)

        alike = self.kdim == self.vdim == embed_dim
        self.in_proj_weight = weight("in_proj_weight", embed_dim, 3) if alike else None
        self.q_proj_weight = None if alike else weight("q_proj_weight", embed_dim)
        self.k_proj_weight = None if alike else weight("k_proj_weight", self.kdim)
        self.v_proj_weight = None if alike else weight("v_proj_weight", self.vdim)
        self.in_proj_bias = filled(0, (3 * embed_dim,), dtype=dtype, name="in_proj_bias") if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, rng=self.rng)
        if bias:
            self.out_proj.bias = filled(0, (embed_dim,), dtype=dtype, name="bias")

    def forward(
        self,
        query: ArrayLike,
        key: ArrayLike,
        value: ArrayLike,
        key_padding_mask: ArrayLike = None,
        need_weights: bool = True,
        attn_mask: ArrayLike = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Array, Array | None]:
        """Attend.

        Parameters
        ----------
        query, key, value : array_like
            Shapes as above.
        key_padding_mask : array_like of bool, shape (N, S), optional
            True where a key is padding, and is not looked at; floats are added to the scores.
        need_weights : bool
            Whether the weights are returned; if not, None.
        attn_mask : array_like, shape (L, S) or (N * heads, L, S), optional
            True where a position must not look; floats are added to the scores.
        average_attn_weights : bool
            Whether the weights are averaged over the heads; if not, their shape is (N, heads, L, S).
        is_causal : bool
            Whether a position looks only at itself and at those before.
        """
        shapes = [shape_of(x) for x in (query, key, value)]
        batched = len(shapes[0]) == 3
        self._check(shapes)
        q, k, v = self._projected(query, key, value)
        whole = (shape_of(q)[0], self.num_heads, shape_of(q)[1], shape_of(k)[1])
        mask = joint_mask(attn_mask, key_padding_mask, whole)
        drop = self.dropout if self.training else 0.0
        y, weights = attention_in_heads(
            q, k, v, self.num_heads, mask, is_causal=is_causal, dropout_p=drop, rng=self.rng
        )
        y = self.out_proj(y)
        found = (mean(weights, 1) if average_attn_weights else weights) if need_weights else None
        if not batched:
            return y[0], None if found is None else found[0]
        return y if self.batch_first else swapaxes(y, 0, 1), found

    def _projected(self, query: Array, key: Array, value: Array) -> tuple[Array, Array, Array]:
        """Queries, keys and values: in one product where all come from the same."""
        n = self.embed_dim
        w, b = self.in_proj_weight, self.in_proj_bias
        parts = slice(n), slice(n, 2 * n), slice(2 * n, 3 * n)
        if w is not None and query is key and key is value:
            all_three = linear(self._batch_first(query), w, b)
            q, k, v = (all_three[..., part] for part in parts)
            return q, k, v
        weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight] if w is None else [w[p] for p in parts]
        biases = [b if b is None else b[part] for part in parts]
        q, k, v = map(linear, map(self._batch_first, (query, key, value)), weights, biases)
        return q, k, v

    def _batch_first(self, x: ArrayLike) -> Array:
        if len(shape_of(x)) == 2:
            return reshape(x, (1, *shape_of(x)))
        return x if self.batch_first else swapaxes(x, 0, 1)

    def _check(self, shapes: list[tuple[int, ...]]) -> None:
        q, k, v = shapes
        time, batch = (1, 0) if self.batch_first else (0, 1)
        features = self.embed_dim, self.kdim, self.vdim
        fits = len(q) in (2, 3) and len(q) == len(k) == len(v) and tuple(s[-1] for s in shapes) == features
        if fits and len(q) == 3:
            fits = q[batch] == k[batch] == v[batch] and k[time] == v[time]
        if not fits or k[:-1] != v[:-1]:
            order = "(N, L, E)" if self.batch_first else "(L, N, E)"
            others = "" if self.in_proj_weight is not None else f", or {self.kdim} in keys and {self.vdim} in values"
            raise ShapeError(
                f"{self!r} got queries, keys and values of shapes {q}, {k} and {v}; they are {order}, or (L, E), with "
                f"E = {self.embed_dim}{others}, and as many keys as values."
            )

    def __repr__(self) -> str:
        e = self.embed_dim
        return shown(self, e, self.num_heads, dropout=0.0, bias=True, kdim=e, vdim=e, batch_first=False)


class TransformerEncoderLayer(Module):
    """Attention of a sequence to itself, then a small net for each position; around both a shortcut and a norm [1]_.

    Shape: ``(L, N, d_model)``, or the batch first, or without a batch.

    Parameters
    ----------
    d_model, nhead, dim_feedforward : int
        Features, heads, and width of the small net.
    dropout : float
        Probability to drop, while training: weights, and results of each part.
    activation : "relu", "gelu" or callable
        Of the small net.
    layer_norm_eps : float
    batch_first : bool
        Whether the batch comes before the positions.
    norm_first : bool
        Whether the norms come before attention and net, which trains more steadily [2]_, and not after the shortcuts.
    bias : bool
    dtype, rng
        As for :class:`~autodiff.nn.Linear`.

    Attributes
    ----------
    self_attn : MultiheadAttention
    linear1, linear2 : Linear
    norm1, norm2 : LayerNorm

    References
    ----------
    .. [1] A. Vaswani et al., NeurIPS (2017), arXiv:1706.03762.
    .. [2] R. Xiong et al., ICML (2020), arXiv:2002.04745.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, rng=0)(np.ones((5, 7, 8))).shape
    (5, 7, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Any = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        named = {"relu": relu, "gelu": gelu}
        if activation not in named and not callable(activation):
            raise ArgumentError(
                f"TransformerEncoderLayer got activation={activation!r}; it is 'relu', 'gelu' or a function."
            )
        rng = np.random.default_rng(rng)
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype, rng=rng
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype, rng=rng)
        self.dropout = Dropout(dropout, rng=rng)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype, rng=rng)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1 = Dropout(dropout, rng=rng)
        self.dropout2 = Dropout(dropout, rng=rng)
        self.activation = named.get(activation, activation)

    def forward(
        self,
        src: ArrayLike,
        src_mask: ArrayLike = None,
        src_key_padding_mask: ArrayLike = None,
        is_causal: bool = False,
    ) -> Array:
        """Masks as those of :class:`MultiheadAttention`."""

        def attended(x: Array) -> Array:
            y, _ = self.self_attn(
                x, x, x, src_key_padding_mask, need_weights=False, attn_mask=src_mask, is_causal=is_causal
            )
            return self.dropout1(y)

        def net(x: Array) -> Array:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = src
        if self.norm_first:
            x = x + attended(self.norm1(x))
            return x + net(self.norm2(x))
        x = self.norm1(x + attended(x))
        return self.norm2(x + net(x))


class SinusoidalPositions(Module):
    """Positions as waves of many lengths, added to the features [1]_.

    Shape: ``(L, N, d_model)``, or the batch first, or ``(L, d_model)``.

    Parameters
    ----------
    d_model : int
    dropout : float
        Probability to drop an entry of the sum, while training.
    batch_first : bool
    rng
        As for :class:`~autodiff.nn.Dropout`.

    References
    ----------
    .. [1] A. Vaswani et al., NeurIPS (2017), arXiv:1706.03762.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.SinusoidalPositions(2)(np.zeros((2, 2))).round(3)
    array([[0.   , 1.   ],
           [0.841, 0.54 ]])
    """

    def __init__(self, d_model: int, dropout: float = 0.0, batch_first: bool = False, *, rng: Any = None) -> None:
        require_sizes("SinusoidalPositions", d_model=d_model)
        self.d_model, self.batch_first = d_model, batch_first
        self.dropout = Dropout(dropout, rng=rng)

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.sinusoidal_positions`."""
        shape = shape_of(x)
        if len(shape) not in (2, 3) or shape[-1] != self.d_model:
            raise ShapeError(f"{self!r} got an input of shape {shape}; its last axis has length {self.d_model}.")
        time_first = len(shape) == 3 and not self.batch_first
        length = shape[0] if time_first or len(shape) == 2 else shape[1]
        waves = sinusoidal_positions(length, self.d_model, dtype=np.result_type(np.float16, getattr(x, "dtype", float)))
        return self.dropout(x + (waves[:, None] if time_first else waves))

    def __repr__(self) -> str:
        return shown(self, self.d_model, batch_first=False)
