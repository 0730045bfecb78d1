"""Layers that make sequences and images smaller, or larger, without parameters."""

from __future__ import annotations

from typing import Any

from ..core.errors import UnsupportedError
from ..core.node import Array, ArrayLike
from ..ops.pooling import adaptive_avg_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from ..ops.windows import per_axis
from .functional import interpolate
from .functional.resampling import require_nearest
from .module import Module, short, shown


class Pooling(Module):
    """What the layers below have in common: windows."""

    ndim: int

    def __init__(self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool) -> None:
        self.kernel_size = per_axis(kernel_size, self.ndim, "kernel_size", 1)
        self.stride = self.kernel_size if stride is None else per_axis(stride, self.ndim, "stride", 1)
        self.padding = per_axis(padding, self.ndim, "padding", 0)
        self.ceil_mode = ceil_mode

    def _shown(self, **usual: Any) -> str:
        kernel = short(self.kernel_size)
        return shown(self, kernel, stride=kernel, padding=0, **usual, ceil_mode=False)


class MaxPooling(Pooling):
    """What ``MaxPool1d`` and ``MaxPool2d`` have in common."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        if return_indices is not False:
            raise UnsupportedError(
                f"{type(self).__name__} got return_indices={return_indices!r}; it returns the largest entries alone. "
                "Where they stand is not kept. For ceil_mode write ceil_mode=True."
            )
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.dilation = per_axis(dilation, self.ndim, "dilation", 1)

    def __repr__(self) -> str:
        return self._shown(dilation=1)


class AvgPooling(Pooling):
    """What ``AvgPool1d`` and ``AvgPool2d`` have in common."""

    divisor_override: int | None = None

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad

    def __repr__(self) -> str:
        return self._shown(count_include_pad=True, divisor_override=None)


class MaxPool1d(MaxPooling):
    """The largest entry of each window of sequences.

    Shape: input ``(N, C, L)`` or ``(C, L)``, output ``(N, C, L')``.  Parameters as those of :class:`MaxPool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.MaxPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]]))
    array([[3., 2.]])
    """

    ndim = 1

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.max_pool1d`."""
        return max_pool1d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool2d(MaxPooling):
    """The largest entry of each window of images.

    Shape: input ``(N, C, H, W)`` or ``(C, H, W)``, output ``(N, C, H', W')``.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        See :func:`autodiff.max_pool2d`.
    return_indices : False
        It keeps the place that it has in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.MaxPool2d(2)(np.ones((5, 8, 28, 28))).shape
    (5, 8, 14, 14)
    """

    ndim = 2

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.max_pool2d`."""
        return max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class AvgPool1d(AvgPooling):
    """The mean of each window of sequences.

    Shape: input ``(N, C, L)`` or ``(C, L)``, output ``(N, C, L')``.  Parameters as those of :class:`AvgPool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.AvgPool1d(2)(np.array([[1.0, 3.0, 2.0, 0.0]]))
    array([[2., 1.]])
    """

    ndim = 1

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.avg_pool1d`."""
        return avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(AvgPooling):
    """The mean of each window of images.

    Shape: input ``(N, C, H, W)`` or ``(C, H, W)``, output ``(N, C, H', W')``.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        See :func:`autodiff.avg_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.AvgPool2d(2)(np.ones((5, 8, 28, 28))).shape
    (5, 8, 14, 14)
    """

    ndim = 2

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.avg_pool2d`."""
        return avg_pool2d(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AdaptiveAvgPool2d(Module):
    """Means of equal parts of images, however large these are.

    Shape: input ``(N, C, H, W)`` or ``(C, H, W)``, output ``(N, C, *output_size)``.

    Parameters
    ----------
    output_size : int or pair of int or None
        None keeps the length.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.AdaptiveAvgPool2d(1)(np.ones((5, 8, 7, 9))).shape
    (5, 8, 1, 1)
    """

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.adaptive_avg_pool2d`."""
        return adaptive_avg_pool2d(x, self.output_size)

    def __repr__(self) -> str:
        return shown(self, short(self.output_size))


class Upsample(Module):
    """Sequences and images made larger by repeating their entries.

    Shape: input ``(N, C, L)`` or ``(N, C, H, W)``, output the same with longer last axes.

    Parameters
    ----------
    size : int or tuple of int, optional
        Lengths of the last axes of the result.
    scale_factor : number or tuple, optional
        How many times as long they are; instead of ``size``.
    mode : "nearest"
    recompute_scale_factor : bool, optional
        As for :func:`autodiff.nn.functional.interpolate`.

    Raises
    ------
    ArgumentError
        If not one of ``size`` and ``scale_factor`` is given, or for another mode.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import nn
    >>> nn.Upsample(scale_factor=2)(np.array([[[1.0, 2.0]]]))
    array([[[1., 1., 2., 2.]]])
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        *,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        require_nearest("Upsample", size, scale_factor, mode)
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: ArrayLike) -> Array:
        """See :func:`autodiff.nn.functional.interpolate`."""
        return interpolate(
            x, self.size, self.scale_factor, self.mode, recompute_scale_factor=self.recompute_scale_factor
        )

    def __repr__(self) -> str:
        return shown(self, size=None, scale_factor=None, recompute_scale_factor=None)
