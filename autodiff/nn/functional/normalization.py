"""Standardising, then scaling and shifting by parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.errors import ArgumentError, KindError, ShapeError
from ...core.node import Array, ArrayLike, shape_of
from ...ops.arithmetic import sqrt, square
from ...ops.buffer import Buffer
from ...ops.constant import stop_gradient
from ...ops.normalization import mean_over, standardize
from ...ops.reduce import mean
from ...ops.shape import reshape
from ...ops.statistics import var

__all__ = ["batch_norm", "group_norm", "layer_norm", "rms_norm"]


def batch_norm(
    x: ArrayLike,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    r"""Each channel standardised, by statistics of the batch while training, else by running averages.

    Parameters
    ----------
    x : array_like, shape (N, C, ...)
    running_mean, running_var : Buffer or array, shape (C,), optional
        While training they are buffers, and move towards the mean and the variance, with divisor ``n - 1``, of the
        batch; else they are what is subtracted, and divided by the root of.
    weight, bias : array, shape (C,), optional
    training : bool
    momentum : float
        How far the buffers go: to ``(1 - momentum) * old + momentum * new``.
    eps : float
        Added to the variance.

    Raises
    ------
    ShapeError
        If, while training, there is one entry a channel: its variance is 0 whatever it is.
    ArgumentError, KindError
        If running averages are missing that should be used, or are plain arrays that should change.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, ICML (2015), arXiv:1502.03167.
    """
    shape = shape_of(x)
    channel = (-1, *(1,) * (len(shape) - 2))
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm got training=False and no running averages to use. Give both of them.")
        centre, spread = (b.data if isinstance(b, Buffer) else b for b in (running_mean, running_var))
        y = (x - reshape(centre, channel)) / sqrt(reshape(spread, channel) + eps)
        return _scaled(y, weight, bias, channel)
    axes = (0, *range(2, len(shape)))
    n = np.prod([shape[axis] for axis in axes])
    if n <= 1:
        raise ShapeError(
            f"batch_norm got an input of shape {shape} while training: of {n} entries a channel there is no variance. "
            "Give a larger batch, or call eval() first."
        )
    if running_mean is not None and running_var is not None:
        if not (isinstance(running_mean, Buffer) and isinstance(running_var, Buffer)):
            raise KindError(
                "batch_norm got running averages in plain arrays while training, where they are brought up to date. "
                "Keep them in nn.Buffer(array)."
            )
        plain = stop_gradient(x)
        _approach(running_mean, mean(plain, axes), momentum)
        _approach(running_var, var(plain, axes, ddof=1), momentum)
    return _scaled(standardize(x, axes, eps), weight, bias, channel)


def _approach(buffer: Buffer, found: Array, momentum: Any) -> None:
    buffer.data = (1 - momentum) * buffer.data + momentum * found


def _scaled(y: Array, weight: Array | None, bias: Array | None, shape: tuple[int, ...]) -> Array:
    if weight is not None:
        y = y * reshape(weight, shape)
    return y if bias is None else y + reshape(bias, shape)


def layer_norm(
    x: ArrayLike,
    normalized_shape: Any,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """The last axes, of lengths ``normalized_shape``, standardised on their own; then scaled and shifted.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros and G. E. Hinton (2016), arXiv:1607.06450.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> functional.layer_norm(np.array([[1.0, 3.0]]), (2,)).round(2)
    array([[-1.,  1.]])
    """
    lengths = _last_axes("layer_norm", x, normalized_shape)
    axes = tuple(range(-len(lengths), 0))
    return _scaled(standardize(x, axes[0] if len(axes) == 1 else axes, eps), weight, bias, lengths)


def rms_norm(x: ArrayLike, normalized_shape: Any, weight: Array | None = None, eps: float | None = None) -> Array:
    """The last axes divided by the root of their mean square, and scaled.

    References
    ----------
    .. [1] B. Zhang and R. Sennrich, NeurIPS (2019), arXiv:1910.07467.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> functional.rms_norm(np.array([[3.0, 4.0]]), (2,)).round(3)
    array([[0.849, 1.131]])
    """
    lengths = _last_axes("rms_norm", x, normalized_shape)
    if eps is None:
        eps = float(np.finfo(np.result_type(np.float16, getattr(x, "dtype", float))).eps)
    return _scaled(x / sqrt(mean_over(square(x), tuple(range(-len(lengths), 0))) + eps), weight, None, lengths)


def group_norm(
    x: ArrayLike, num_groups: int, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> Array:
    """Groups of channels standardised on their own, over all axes that follow; then scaled and shifted by channel.

    References
    ----------
    .. [1] Y. Wu and K. He, ECCV (2018), arXiv:1803.08494.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> functional.group_norm(np.array([[1.0, 3.0, 0.0, 0.0]]), 2).round(2)
    array([[-1.,  1.,  0.,  0.]])
    """
    shape = shape_of(x)
    if len(shape) < 2 or shape[1] % num_groups:
        raise ShapeError(
            f"group_norm got an input of shape {shape} and num_groups={num_groups}; it takes (N, C, ...), with C a "
            "multiple of num_groups."
        )
    y = reshape(standardize(reshape(x, (shape[0], num_groups, -1)), -1, eps), shape)
    return _scaled(y, weight, bias, (-1, *(1,) * (len(shape) - 2)))


def _last_axes(name: str, x: ArrayLike, normalized_shape: Any) -> tuple[int, ...]:
    lengths = tuple(normalized_shape) if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
    shape = shape_of(x)
    if shape[len(shape) - len(lengths) :] != lengths:
        raise ShapeError(
            f"{name} got an input of shape {shape} and normalized_shape={lengths}: these must be its last axes."
        )
    return lengths
