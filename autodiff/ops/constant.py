"""What has no derivative because it is a constant: gradients stopped on purpose, and arrays like another."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dispatch import gathered
from ..core.node import Array, ArrayLike, Node, data_of, shape_of
from ..core.op import primitive
from .broadcast import broadcast_to
from .options import NUMPY
from .shape import astype

__all__ = ["empty_like", "full_like", "ones_like", "stop_gradient", "zeros_like"]


@primitive(formula=r"y = x, \quad \bar x = 0", entrywise=True, differentiable=False, number=lambda x: x)
def stop_gradient(x: ArrayLike, /) -> Array:
    """``x`` as a constant: what is computed from it sends no gradient back.  Never tracked.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: x * ad.stop_gradient(x))(3.0)
    3.0
    """
    return np.asarray(x)


def zeros_like(
    a: ArrayLike, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Array:
    """Zeros in the shape and dtype of ``a``: a plain array."""
    return full_like(a, 0, dtype, order, subok, shape, device=device)


def ones_like(
    a: ArrayLike, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Array:
    """Ones in the shape and dtype of ``a``: a plain array."""
    return full_like(a, 1, dtype, order, subok, shape, device=device)


empty_like = zeros_like


def full_like(
    a: ArrayLike,
    fill_value: ArrayLike,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Array:
    """``fill_value`` broadcast to the shape of ``a``, in its dtype; differentiable in ``fill_value``."""
    a, fill_value = gathered(a), gathered(fill_value)
    like = np.empty(shape_of(a), np.result_type(data_of(a)))
    frame = NUMPY.zeros_like(like, dtype, order, subok, shape, device=device)  # which checks the options
    filled = broadcast_to(fill_value if isinstance(fill_value, Node) else np.asarray(fill_value), frame.shape)
    return astype(filled, frame.dtype)
