"""Convolutions of sequences and images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import Array, ArrayLike, shape_of
from ..ops.convolution import borders, conv1d, conv2d, conv_transpose2d
from ..ops.padding import pad
from ..ops.windows import per_axis
from .init import require_sizes, uniform
from .module import Module, short, shown

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names for what stands beyond the border, and NumPy's."""


class Convolution(Module):
    """What the layers below have in common: their sizes and parameters."""

    ndim: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        dtype: Any,
        rng: Any,
    ) -> None:
        name = type(self).__name__
        require_sizes(name, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{name} got in_channels={in_channels}, out_channels={out_channels} and groups={groups}; both numbers "
                "of channels must be multiples of groups."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(kernel_size, self.ndim, "kernel_size", 1)
        self.stride = per_axis(stride, self.ndim, "stride", 1)
        self.dilation = per_axis(dilation, self.ndim, "dilation", 1)
        self.padding = padding if isinstance(padding, str) else per_axis(padding, self.ndim, "padding", 0)
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        rng = np.random.default_rng(rng)
        self.weight = uniform(bound, shape, dtype=dtype, rng=rng, name="weight")
        self.bias = uniform(bound, (out_channels,), dtype=dtype, rng=rng, name="bias") if bias else None

    def __repr__(self) -> str:
        given = self.in_channels, self.out_channels, short(self.kernel_size)
        own = {"output_padding": 0} if self.transposed else {"padding_mode": "zeros"}
        return shown(self, *given, stride=1, padding=0, dilation=1, groups=1, bias=True, **own)


class Correlation(Convolution):
    """What ``Conv1d`` and ``Conv2d`` have in common."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        if padding_mode not in MODES:
            raise ArgumentError(
                f"{type(self).__name__} got padding_mode={padding_mode!r}; there are {', '.join(MODES)}."
            )
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, dtype, rng)
        self.padding_mode = padding_mode
        # What does not fit is said now and not at the first call.
        self._borders = borders(type(self).__name__, self.padding, self.kernel_size, self.stride, self.dilation)

    def _respond(self, op: Any, x: ArrayLike) -> Array:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            lead = [(0, 0)] * (len(shape_of(x)) - self.ndim)
            x, padding = pad(x, [*lead, *self._borders], MODES[self.padding_mode]), 0
        return op(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(Correlation):
    """Convolution of sequences: each output sees ``kernel_size`` neighbouring steps of all channels.

    Shape: input ``(N, in_channels, L)`` or ``(in_channels, L)``, output ``(N, out_channels, L')``.  Parameters as those
    of :class:`Conv2d`, with one axis in place of two.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Conv1d(3, 8, 5, padding="same", rng=0)(np.ones((2, 3, 20))).shape
    (2, 8, 20)
    """

    ndim = 1

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.conv1d`."""
        return self._respond(conv1d, x)


class Conv2d(Correlation):
    """Convolution of images: each output sees a window of all channels.

    Shape: input ``(N, in_channels, H, W)`` or ``(in_channels, H, W)``, output ``(N, out_channels, H', W')``.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int or pair of int
        Height and width of the window.
    stride : int or pair of int
        Steps from one window to the next.
    padding : int, pair of int, "same" or "valid"
        Entries added before and after.
    dilation : int or pair of int
        Steps from one entry to the next within a window.
    groups : int
        Into how many groups both channels are cut; each group of outputs sees one group of inputs.
    bias : bool
    padding_mode : "zeros", "reflect", "replicate" or "circular"
        What is added.
    dtype, rng
        As for :class:`~autodiff.nn.Linear`.

    Attributes
    ----------
    weight : Tensor, shape (out_channels, in_channels / groups, *kernel_size)
        Starts uniform within ``1 / sqrt(n)`` of 0, where each output sees ``n`` numbers.
    bias : Tensor, shape (out_channels,), or None
        Starts likewise.

    Raises
    ------
    ArgumentError, KindError
        If an option cannot be used.
    ShapeError
        When called with an input that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> layer = nn.Conv2d(1, 8, 3, padding=1, rng=0)
    >>> layer(np.ones((5, 1, 28, 28))).shape
    (5, 8, 28, 28)
    >>> layer
    Conv2d(1, 8, 3, padding=1)
    """

    ndim = 2

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.conv2d`."""
        return self._respond(conv2d, x)


class ConvTranspose2d(Convolution):
    """The transpose of a :class:`Conv2d`: makes images larger.

    Shape: input ``(N, in_channels, H, W)`` or ``(in_channels, H, W)``, output ``(N, out_channels, H', W')``, with
    ``H' = (H - 1) * stride - 2 * padding + dilation * (height - 1) + output_padding + 1``.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, groups, bias, dilation, dtype, rng
        As for :class:`Conv2d`.
    output_padding : int or pair of int
        Entries more at the end, fewer than ``stride`` or ``dilation``.
    padding_mode : "zeros"

    Attributes
    ----------
    weight : Tensor, shape (in_channels, out_channels / groups, *kernel_size)
    bias : Tensor, shape (out_channels,), or None

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.ConvTranspose2d(8, 1, 2, stride=2, rng=0)(np.ones((5, 8, 7, 7))).shape
    (5, 1, 14, 14)
    """

    ndim = 2
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        *,
        dtype: Any = float,
        rng: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ArgumentError(
                f"ConvTranspose2d got padding_mode={padding_mode!r}; padding takes entries away here, so it is 'zeros'."
            )
        if isinstance(padding, str):
            raise ArgumentError(f"ConvTranspose2d got padding={padding!r}; it takes numbers: see output_padding.")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, dtype, rng)
        self.output_padding = per_axis(output_padding, self.ndim, "output_padding", 0)

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.conv_transpose2d`."""
        return conv_transpose2d(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )
