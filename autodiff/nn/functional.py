"""Layers and losses as functions: parameters are arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of, shape_of
from ..core.spelling import missing
from ..ops import fused
from ..ops.activation import elu, gelu, leaky_relu, log_sigmoid, relu, sigmoid, silu, softplus
from ..ops.arithmetic import absolute
from ..ops.checked import checked
from ..ops.dropout import dropout
from ..ops.fused import cross_entropy, one_hot
from ..ops.products import matmul
from ..ops.reduce import mean
from ..ops.select import equal, greater_equal, less_equal, logical_and
from ..ops.shape import astype
from ..ops.softmax import log_softmax, softmax
from ..ops.trigonometric import tanh

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "gelu",
    "hinge_loss",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mse_loss",
    "one_hot",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

_SPELLINGS = {
    "binary_cross_entropy": "nn.functional.binary_cross_entropy_with_logits, with no sigmoid before it",
    "nll_loss": "nn.functional.cross_entropy, with no log_softmax before it",
    "l1_loss": "ad.absolute(predictions - targets).mean()",
}


def __getattr__(name: str) -> Any:
    """Say what there is instead."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise missing("nn.functional", name, __all__, _SPELLINGS)


def linear(x: ArrayLike, weight: Array, bias: Array | None = None) -> Array:
    """Affine map of the last axis, ``x W^T + b``.

    Parameters
    ----------
    x : array_like, shape (..., n_in)
    weight : array, shape (n_out, n_in)
    bias : array, shape (n_out,), optional

    Returns
    -------
    Tensor or array, shape (..., n_out)

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> functional.linear(np.array([1.0, 2.0]), np.array([[3.0, 4.0]]))
    array([11.])
    """
    return matmul(x, weight.T) if bias is None else fused.linear(x, weight, bias)


def mse_loss(predictions: ArrayLike, targets: ArrayLike) -> Array:
    """Mean of the squared differences.

    Parameters
    ----------
    predictions, targets : array_like
        Of one shape.

    Returns
    -------
    Tensor or number
        In the square of their unit.

    Raises
    ------
    ShapeError
        If the shapes differ (nothing is broadcast: it would compare every prediction with every target), or are empty.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff.nn import functional
    >>> functional.mse_loss(ad.Tensor([1.0, 2.0]), np.array([1.0, 4.0])).item()
    2.0
    """
    try:
        return fused.mean_squared_error(predictions, targets)
    except (ShapeError, TypeError):  # the row compares the shapes: a second check on the good path would only cost time
        _of_one_shape("mse_loss", "predictions", predictions, targets)
        raise


def binary_cross_entropy_with_logits(logits: ArrayLike, targets: ArrayLike) -> Array:
    r"""Mean of :math:`-t \ln \sigma(z) - (1 - t) \ln(1 - \sigma(z))`, from logits :math:`z`: no sigmoid before this.

    Accurate in both tails, since :math:`1 - \sigma(z) = \sigma(-z)` and both logarithms are taken in one piece.

    Parameters
    ----------
    logits : array_like
        Logarithm of the odds of class 1, in nats.
    targets : array_like
        Probabilities of class 1, from 0 to 1; of the shape of ``logits``.

    Returns
    -------
    Tensor or number
        In nats.

    Raises
    ------
    ShapeError
        If the shapes differ, or are empty.
    ArgumentError
        If a target is not from 0 to 1.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff.nn import functional
    >>> functional.binary_cross_entropy_with_logits(ad.Tensor([0.0, 1000.0]), [1, 1]).item()
    0.34657359027997264
    """
    logits, targets = _of_one_shape("binary_cross_entropy_with_logits", "logits", logits, targets)
    t = data_of(targets)
    if not (np.min(t) >= 0 and np.max(t) <= 1):  # nan fails both
        raise ArgumentError(
            f"binary_cross_entropy_with_logits got {_first(t, np.less_equal(0, t) & np.less_equal(t, 1))}; "
            "targets are probabilities, from 0 to 1. For labels -1 and 1 use (targets + 1) / 2; for more than two "
            "classes use cross_entropy."
        )
    targets = checked(targets, lambda t: logical_and(greater_equal(t, 0), less_equal(t, 1)))
    t = _as_dtype_of(logits, targets)
    return -mean(t * log_sigmoid(logits) + (1 - t) * log_sigmoid(-logits))


def hinge_loss(scores: ArrayLike, targets: ArrayLike) -> Array:
    r"""Mean of :math:`\max(1 - t s, 0)`: the max-margin loss of support vector machines.

    Parameters
    ----------
    scores : array_like
        Positive where class 1 is predicted.
    targets : array_like
        -1 or 1; of the shape of ``scores``.

    Returns
    -------
    Tensor or number

    Raises
    ------
    ShapeError
        If the shapes differ, or are empty.
    ArgumentError
        If a target is neither -1 nor 1.

    References
    ----------
    .. [1] C. Cortes and V. Vapnik, Machine Learning 20 (1995) 273-297.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff.nn import functional
    >>> functional.hinge_loss(ad.Tensor([2.0, 0.5]), [1, -1]).item()
    0.75
    """
    scores, targets = _of_one_shape("hinge_loss", "scores", scores, targets)
    t = data_of(targets)
    signs = np.equal(t, 1) | np.equal(t, -1)
    if not np.all(signs):
        raise ArgumentError(
            f"hinge_loss got {_first(t, signs)}; targets are -1 or 1. For labels 0 and 1 use 2 * targets - 1."
        )
    targets = checked(targets, lambda t: equal(absolute(t), 1))
    return mean(relu(1 - _as_dtype_of(scores, targets) * scores))


def _of_one_shape(loss: str, what: str, predictions: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    """Both as nodes or arrays, if they have one shape that is not empty."""
    for called, x in ((what, predictions), ("targets", targets)):
        if x is None:
            raise KindError(f"{loss} got None as {called}. Does forward() end without a return?")
    predictions, targets = (x if hasattr(x, "shape") else np.asarray(x) for x in (predictions, targets))
    found, given = shape_of(predictions), shape_of(targets)
    if found != given:
        same_size = np.prod(found) == np.prod(given)
        repair = f"Did you mean targets.reshape({found})?" if same_size else f"Give one target for each of the {what}."
        raise ShapeError(
            f"{loss} got {what} of shape {found} and targets of shape {given}: they must be equal, for broadcasting "
            f"would pair each of the {what} with several targets. {repair}"
        )
    if 0 in found:
        raise ShapeError(
            f"{loss} got {what} of shape {found}: the mean over nothing is not defined. Skip empty batches."
        )
    return predictions, targets


def _as_dtype_of(scores: Array, targets: Array) -> Array:
    """Plain targets in the dtype of the scores, so that whole numbers do not promote single precision to double."""
    dtype = getattr(data_of(scores), "dtype", float)
    compiling = compiler()
    if isinstance(targets, Node) and compiling is not None and compiling.is_plain(targets):
        return astype(targets, dtype)
    return targets if isinstance(targets, Node) else np.asarray(targets, dtype=dtype)


def _first(t: Any, right: Any) -> str:
    """The first wrong target and where it stands."""
    where = np.unravel_index(int(np.argmin(right)), np.shape(t))
    return f"target {np.asarray(t)[where]}" + (f" at index {', '.join(map(str, where))}" if where else "")
