"""Layers that bring their input to mean 0 and variance 1, and then scale and shift it by parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.node import Array, ArrayLike, shape_of
from ..ops.buffer import Buffer
from .functional import batch_norm, group_norm, layer_norm, rms_norm
from .init import filled, require_sizes
from .module import Module, shown


class BatchNorm(Module):
    """What ``BatchNorm1d`` and ``BatchNorm2d`` have in common."""

    lengths: tuple[int, ...]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        dtype: Any = float,
    ) -> None:
        require_sizes(type(self).__name__, num_features=num_features)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = filled(1, (num_features,), dtype=dtype, name="weight") if affine else None
        self.bias = filled(0, (num_features,), dtype=dtype, name="bias") if affine and bias else None
        self.running_mean = Buffer(np.zeros(num_features, dtype)) if track_running_stats else None
        self.running_var = Buffer(np.ones(num_features, dtype)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.array(0)) if track_running_stats else None

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.batch_norm`."""
        self._check(shape_of(x))
        mean, var, count = self.running_mean, self.running_var, self.num_batches_tracked
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and count is not None:
            count.data = count.data + 1
            momentum = 1 / count.data if self.momentum is None else momentum  # of all batches so far alike
        return batch_norm(x, mean, var, self.weight, self.bias, self.training or mean is None, momentum, self.eps)

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) in self.lengths and shape[1] == self.num_features:
            return
        takes = " or ".join(f"(N, {self.num_features}{('', '', '', ', L', ', H, W')[n]})" for n in self.lengths)
        raise ShapeError(f"{self!r} got an input of shape {shape}; it takes {takes}.")

    def __repr__(self) -> str:
        return shown(
            self, self.num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, bias=self.affine
        )


class BatchNorm1d(BatchNorm):
    """Each feature, or channel of sequences, standardised over the batch [1]_.

    Shape: ``(N, C)`` or ``(N, C, L)``.  Parameters as those of :class:`BatchNorm2d`.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, ICML (2015), arXiv:1502.03167.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> layer = nn.BatchNorm1d(2)
    >>> layer(np.array([[1.0, 0.0], [3.0, 0.0]])).numpy().round(2)
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> layer.running_mean.data  # a tenth of the way from 0 to the mean of the batch
    array([0.2, 0. ])
    """

    lengths = (2, 3)


class BatchNorm2d(BatchNorm):
    """Each channel of images standardised over the batch and the pixels [1]_.

    While training, mean and variance are those of the batch; running averages of both are kept, and used after
    ``eval()``.

    Shape: ``(N, C, H, W)``.

    Parameters
    ----------
    num_features : int
        C.
    eps : float
        Added to the variance.
    momentum : float or None
        How far the running averages go towards those of a batch; None for the plain average of all batches.
    affine, bias : bool
        Whether there are ``weight`` and, with it, ``bias``.
    track_running_stats : bool
        Whether running averages are kept; if not, those of the batch are used after ``eval()`` too.
    dtype : dtype

    Attributes
    ----------
    weight, bias : Tensor, shape (C,), or None
        Start at 1 and 0.
    running_mean, running_var : Buffer, shape (C,), or None
        The variance is divided by one less than the number of entries.
    num_batches_tracked : Buffer, shape (), or None

    Raises
    ------
    ShapeError
        When called with an input of other axes, or, while training, with a single entry a channel.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, ICML (2015), arXiv:1502.03167.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.BatchNorm2d(8)(np.ones((5, 8, 4, 4))).shape
    (5, 8, 4, 4)
    """

    lengths = (4,)


class LayerNorm(Module):
    """The last axes of each row standardised on their own [1]_.

    Shape: ``(..., *normalized_shape)``.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        Lengths of the last axes.
    eps : float
        Added to the variance.
    elementwise_affine, bias : bool
        Whether there are ``weight`` and, with it, ``bias``.
    dtype : dtype

    Attributes
    ----------
    weight, bias : Tensor, shape normalized_shape, or None
        Start at 1 and 0.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros and G. E. Hinton (2016), arXiv:1607.06450.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.LayerNorm(2)(np.array([[1.0, 3.0], [5.0, 5.0]])).numpy().round(2)
    array([[-1.,  1.],
           [ 0.,  0.]])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = float,
    ) -> None:
        self.normalized_shape = _lengths("LayerNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        affine = elementwise_affine
        self.weight = filled(1, self.normalized_shape, dtype=dtype, name="weight") if affine else None
        self.bias = filled(0, self.normalized_shape, dtype=dtype, name="bias") if affine and bias else None

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.layer_norm`."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def __repr__(self) -> str:
        affine = self.elementwise_affine
        return shown(self, _one_or_all(self.normalized_shape), eps=1e-5, elementwise_affine=True, bias=affine)


class RMSNorm(Module):
    """The last axes of each row divided by the root of their mean square [1]_: a layer norm that leaves the mean.

    Shape: ``(..., *normalized_shape)``.

    Parameters
    ----------
    normalized_shape : int or tuple of int
    eps : float, optional
        Added to the mean square; the spacing of the dtype at 1 if not given.
    elementwise_affine : bool
        Whether there is ``weight``.
    dtype : dtype

    References
    ----------
    .. [1] B. Zhang and R. Sennrich, NeurIPS (2019), arXiv:1910.07467.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.RMSNorm(2)(np.array([[3.0, 3.0]])).numpy().round(6)
    array([[1., 1.]])
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = float,
    ) -> None:
        self.normalized_shape = _lengths("RMSNorm", normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = filled(1, self.normalized_shape, dtype=dtype, name="weight") if elementwise_affine else None

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.rms_norm`."""
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def __repr__(self) -> str:
        return shown(self, _one_or_all(self.normalized_shape), eps=None, elementwise_affine=True)


class GroupNorm(Module):
    """Groups of channels standardised on their own, over the pixels too [1]_.

    Shape: ``(N, num_channels, ...)``.

    Parameters
    ----------
    num_groups, num_channels : int
        The second is a multiple of the first.
    eps : float
        Added to the variance.
    affine, bias : bool
        Whether there are ``weight`` and, with it, ``bias``.
    dtype : dtype

    Attributes
    ----------
    weight, bias : Tensor, shape (num_channels,), or None
        Start at 1 and 0.

    References
    ----------
    .. [1] Y. Wu and K. He, ECCV (2018), arXiv:1803.08494.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.GroupNorm(2, 4)(np.ones((5, 4, 3, 3))).shape
    (5, 4, 3, 3)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        dtype: Any = float,
    ) -> None:
        require_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm got num_groups={num_groups} and num_channels={num_channels}; groups must be equally large."
            )
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.weight = filled(1, (num_channels,), dtype=dtype, name="weight") if affine else None
        self.bias = filled(0, (num_channels,), dtype=dtype, name="bias") if affine and bias else None

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.group_norm`."""
        if shape_of(x)[1:2] != (self.num_channels,):
            raise ShapeError(f"{self!r} got an input of shape {shape_of(x)}; it takes (N, {self.num_channels}, ...).")
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def __repr__(self) -> str:
        return shown(self, self.num_groups, self.num_channels, eps=1e-5, affine=True, bias=self.affine)


def _lengths(layer: str, normalized_shape: Any) -> tuple[int, ...]:
    lengths = tuple(normalized_shape) if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
    require_sizes(layer, **{f"normalized_shape[{k}]": n for k, n in enumerate(lengths)})
    if not lengths:
        raise ArgumentError(f"{layer} got normalized_shape=(); it needs the length of at least one axis.")
    return lengths


def _one_or_all(lengths: tuple[int, ...]) -> Any:
    return lengths[0] if len(lengths) == 1 else lengths
