"""Losses of classes: how improbable a model finds the right answer, in nats."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.errors import ArgumentError, KindError, ShapeError
from ...core.modes import compiler
from ...core.node import Array, ArrayLike, Node, data_of, shape_of
from ...ops import fused
from ...ops.activation import log_sigmoid, relu
from ...ops.arithmetic import absolute
from ...ops.checked import checked
from ...ops.entropy import xlogy
from ...ops.exponential import exp
from ...ops.index import take, take_along_axis
from ...ops.losses import binary_entropy
from ...ops.reduce import sum
from ...ops.select import equal, greater_equal, less_equal, logical_and, logical_or, not_equal, where
from ...ops.shape import reshape, squeeze
from ...ops.softmax import log_softmax
from .reduction import as_dtype_of, first_wrong, of_one_shape, reduced, require_reduction

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge_loss",
    "kl_div",
    "nll_loss",
]

IGNORED = -100
"""The label that PyTorch's losses leave out."""


def cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    weight: ArrayLike = None,
    *,
    ignore_index: int = IGNORED,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    r"""Mean cross-entropy of classes, from logits.

    Parameters
    ----------
    logits : array_like, shape (N, C), (N, C, ...) or (C,)
        Unnormalised log-probabilities, in nats: no softmax before this.
    labels : array_like
        The right classes, whole numbers from 0 to C - 1, in the shape of ``logits`` without the axis of classes; or
        probabilities of the classes, in the shape of ``logits``.
    weight : array_like, shape (C,), optional
        How much each class counts.
    ignore_index : int
        The label of points that do not count.
    reduction : "mean", "sum" or "none"
        The mean is over what counts, by its weights; with probabilities over the points.
    label_smoothing : float
        The part of the probability that is spread over all classes, from 0 to 1 [1]_.

    Returns
    -------
    Tensor or number
        In nats.

    Raises
    ------
    ShapeError, KindError, ArgumentError
        If the shapes do not fit, a class is out of range, or no point counts.

    References
    ----------
    .. [1] C. Szegedy et al., CVPR (2016), arXiv:1512.00567.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff.nn import functional
    >>> logits = ad.Tensor([[0.0, 0.0], [5.0, 0.0]])
    >>> functional.cross_entropy(logits, [1, 0]).item()
    0.34993126452453177
    >>> functional.cross_entropy(logits, [1, -100]).item()
    0.6931471805599453
    """
    shape = shape_of(logits)
    plain = weight is None and reduction == "mean" and label_smoothing == 0
    if plain and ignore_index < 0 and len(shape) == 2 and shape_of(labels) == shape[:1]:
        try:
            return fused.cross_entropy(logits, labels)
        except ArgumentError:  # of a class that there is not: it may be the one to ignore
            pass
    _require_given("cross_entropy", logits=logits, labels=labels)
    require_reduction("cross_entropy", reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy got label_smoothing={label_smoothing!r}; it is from 0 to 1.")
    targets = np.asarray(data_of(labels))
    if targets.shape == shape and shape and targets.dtype.kind == "f":
        return _soft(logits, labels, weight, reduction, label_smoothing)
    log_p = log_softmax(logits, _class_axis(shape)) if shape else logits
    return _negative("cross_entropy", log_p, labels, weight, ignore_index, reduction, label_smoothing)


def nll_loss(
    log_probabilities: ArrayLike,
    labels: ArrayLike,
    weight: ArrayLike = None,
    *,
    ignore_index: int = IGNORED,
    reduction: str = "mean",
) -> Array:
    """Mean of minus the log-probability of the right class: :func:`cross_entropy` of what was through ``log_softmax``.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> float(functional.nll_loss(np.log([[0.5, 0.5]]), [1]))
    0.6931471805599453
    """
    _require_given("nll_loss", log_probabilities=log_probabilities, labels=labels)
    require_reduction("nll_loss", reduction)
    return _negative("nll_loss", log_probabilities, labels, weight, ignore_index, reduction, 0)


def _require_given(loss: str, **inputs: Any) -> None:
    for called, x in inputs.items():
        if x is None:
            repair = "Give the right classes." if called == "labels" else "Does forward() end without a return?"
            raise KindError(f"{loss} got None as {called}. {repair}")


def _class_axis(shape: tuple[int, ...]) -> int:
    return 1 if len(shape) > 1 else 0


def _negative(
    loss: str,
    log_p: Array,
    labels: ArrayLike,
    weight: ArrayLike,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Array:
    """Minus the log-probabilities of the right classes, reduced."""
    shape = shape_of(log_p)
    axis = _class_axis(shape)
    classes, counts = _checked_labels(loss, shape, labels, ignore_index, reduction)
    n_classes = shape[axis]
    picked = squeeze(take_along_axis(log_p, np.expand_dims(classes, axis), axis), axis)
    weights = as_dtype_of(log_p, counts)
    if weight is not None:
        weight = as_dtype_of(log_p, _weights(loss, weight, n_classes))
        weights = where(counts, take(weight, classes), 0)
    losses = where(counts, -picked, 0) * weights  # what is ignored may be impossible: inf times 0 is none
    if smoothing:
        spread = log_p if weight is None else log_p * _along(weight, axis, len(shape))
        everywhere = where(counts, -sum(spread, axis), 0)
        losses = (1 - smoothing) * losses + (smoothing / n_classes) * everywhere
    if reduction == "mean":
        return sum(losses) / sum(weights)
    return reduced(losses, reduction)


def _soft(logits: ArrayLike, targets: ArrayLike, weight: ArrayLike, reduction: str, smoothing: float) -> Array:
    """Cross-entropy with probabilities as targets."""
    shape = shape_of(logits)
    axis = _class_axis(shape)
    if shape[axis] == 1:
        raise ShapeError(
            f"cross_entropy got logits of shape {shape} and targets of that shape: of one class the loss is always 0. "
            "For yes or no use binary_cross_entropy_with_logits."
        )
    targets = as_dtype_of(logits, _within_one("cross_entropy", "target", targets, "Class numbers have no such axis."))
    if smoothing:
        targets = targets * (1 - smoothing) + smoothing / shape[axis]
    terms = targets * log_softmax(logits, axis)
    if weight is not None:
        weight = as_dtype_of(logits, _weights("cross_entropy", weight, shape[axis]))
        terms = terms * _along(weight, axis, len(shape))
    losses = -sum(terms, axis)
    return reduced(losses, reduction)


def _along(weight: ArrayLike, axis: int, ndim: int) -> Array:
    return reshape(weight, (-1, *(1,) * (ndim - axis - 1)))


def _weights(loss: str, weight: ArrayLike, n_classes: int) -> Array:
    if shape_of(weight) != (n_classes,):
        raise ShapeError(
            f"{loss} got weight of shape {shape_of(weight)}; it takes one for each of {n_classes} classes."
        )
    return weight if isinstance(weight, Node) else np.asarray(weight)


def _checked_labels(
    loss: str, shape: tuple[int, ...], labels: ArrayLike, ignore_index: int, reduction: str
) -> tuple[Any, Any]:
    """Classes, 0 where they are ignored, and which points count."""
    classes: Any = np.asarray(data_of(labels))
    axis = _class_axis(shape)
    if not shape or classes.shape != shape[:axis] + shape[axis + 1 :]:
        raise ShapeError(
            f"{loss} got logits of shape {shape} and labels of shape {classes.shape}; "
            f"it takes logits (N, C, ...) and labels (N, ...). {fused.repair_of_labels(shape, classes)}"
        )
    fused.require_class_numbers(loss, classes)
    counts = classes != ignore_index
    if reduction == "mean" and not counts.any():
        found = f"only labels {ignore_index}, which are ignored" if classes.size else "no rows"
        raise ShapeError(f"{loss} got {found}: the mean over an empty batch is not defined. Skip such a batch.")
    n = shape[axis]
    wrong = counts & ((classes < 0) | (classes >= n))
    if wrong.any():
        place = np.argwhere(wrong)[0]
        at = f" {'in row' if len(place) == 1 else 'at index'} {', '.join(map(str, place))}" if len(place) else ""
        raise ArgumentError(
            f"{loss} got class {classes[tuple(place)]}{at}; the logits have {n} classes, 0 to {n - 1}, and what is "
            f"ignored is {ignore_index}."
        )
    if isinstance(labels, Node) and compiler() is not None:
        return where(
            not_equal(labels, ignore_index),
            checked(
                labels,
                lambda t: logical_or(equal(t, ignore_index), logical_and(greater_equal(t, 0), less_equal(t, n - 1))),
            ),
            0,
        ), not_equal(labels, ignore_index)
    return np.where(counts, classes, 0), counts


def binary_cross_entropy(
    probabilities: ArrayLike, targets: ArrayLike, weight: ArrayLike = None, *, reduction: str = "mean"
) -> Array:
    r"""Mean of :math:`-t \ln p - (1 - t) \ln(1 - p)`, with logarithms of at least -100, as PyTorch has them.

    Prefer :func:`binary_cross_entropy_with_logits`, with no sigmoid before it: it is exact in both tails.

    Parameters
    ----------
    probabilities, targets : array_like
        From 0 to 1, of one shape.
    weight : array_like, optional
        How much each entry counts; broadcast.
    reduction : "mean", "sum" or "none"

    Raises
    ------
    ShapeError
        If the shapes differ, or are empty.
    ArgumentError
        If a number is not from 0 to 1.

    Examples
    --------
    >>> from autodiff.nn import functional
    >>> round(float(functional.binary_cross_entropy([0.5], [1.0])), 6)
    0.693147
    """
    require_reduction("binary_cross_entropy", reduction)
    p, t = of_one_shape("binary_cross_entropy", "probabilities", probabilities, targets)
    p = _within_one("binary_cross_entropy", "probability", p, "Put a sigmoid before it, or use the form with logits.")
    t = as_dtype_of(p, _within_one("binary_cross_entropy", "target", t, REPAIR))
    losses = binary_entropy(p, t)
    return reduced(_weighted("binary_cross_entropy", losses, "weight", weight), reduction)


def _weighted(loss: str, x: Array, name: str, weight: ArrayLike) -> Array:
    """Entries times their weights, if there are any."""
    if weight is None:
        return x
    weight = as_dtype_of(x, weight)
    try:
        fits = np.broadcast_shapes(shape_of(x), shape_of(weight)) == shape_of(x)
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{loss} got {name} of shape {shape_of(weight)}; it must broadcast to {shape_of(x)}.")
    return x * weight


REPAIR = "For labels -1 and 1 use (targets + 1) / 2; for more than two classes use cross_entropy."


def _within_one(loss: str, what: str, x: Array, repair: str) -> Array:
    data = data_of(x)
    if not (np.min(data) >= 0 and np.max(data) <= 1):  # nan fails both
        found = first_wrong(data, np.less_equal(0, data) & np.less_equal(data, 1)).replace("target", what)
        takes = "targets are probabilities" if what == "target" else "they are"
        raise ArgumentError(f"{loss} got {found}; {takes}, from 0 to 1. {repair}")
    return checked(x, lambda t: logical_and(greater_equal(t, 0), less_equal(t, 1)))


def binary_cross_entropy_with_logits(
    logits: ArrayLike,
    targets: ArrayLike,
    weight: ArrayLike = None,
    *,
    reduction: str = "mean",
    pos_weight: ArrayLike = None,
) -> Array:
    r"""Mean of :math:`-w t \ln \sigma(z) - (1 - t) \ln(1 - \sigma(z))`, from logits :math:`z`: no sigmoid before this.

    Accurate in both tails, since :math:`1 - \sigma(z) = \sigma(-z)` and both logarithms are taken in one piece.

    Parameters
    ----------
    logits : array_like
        Logarithm of the odds of class 1, in nats.
    targets : array_like
        Probabilities of class 1, from 0 to 1; of the shape of ``logits``.
    weight : array_like, optional
        How much each entry counts; broadcast.
    reduction : "mean", "sum" or "none"
    pos_weight : array_like, optional
        How much more class 1 counts, :math:`w`; broadcast.

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
    require_reduction("binary_cross_entropy_with_logits", reduction)
    logits, targets = of_one_shape("binary_cross_entropy_with_logits", "logits", logits, targets)
    t = as_dtype_of(logits, _within_one("binary_cross_entropy_with_logits", "target", targets, REPAIR))
    positive = _weighted("binary_cross_entropy_with_logits", t, "pos_weight", pos_weight)
    losses = positive * log_sigmoid(logits) + (1 - t) * log_sigmoid(-logits)
    return -reduced(_weighted("binary_cross_entropy_with_logits", losses, "weight", weight), reduction)


def kl_div(log_p: ArrayLike, targets: ArrayLike, *, reduction: str = "mean", log_target: bool = False) -> Array:
    r"""Mean of :math:`t (\ln t - \ln p)`, entry by entry: the divergence of ``p`` from the targets, in nats.

    Parameters
    ----------
    log_p : array_like
        Logarithms of probabilities.
    targets : array_like
        Probabilities, of the same shape; their logarithms with ``log_target``.
    reduction : "mean", "batchmean", "sum" or "none"
        "batchmean" is the divergence itself: the sum over the first axis's number of entries.
    log_target : bool

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.nn import functional
    >>> p, t = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]])
    >>> float(functional.kl_div(np.log(p), t, reduction="batchmean"))
    0.6931471805599453
    """
    if reduction != "batchmean":
        require_reduction("kl_div", reduction)
    log_p, targets = of_one_shape("kl_div", "log-probabilities", log_p, targets)
    t = as_dtype_of(log_p, targets)
    losses = exp(t) * (t - log_p) if log_target else xlogy(t, t) - t * log_p
    if reduction == "batchmean":
        return sum(losses) / (shape_of(log_p) or (1,))[0]
    return reduced(losses, reduction)


def hinge_loss(scores: ArrayLike, targets: ArrayLike, *, reduction: str = "mean") -> Array:
    r"""Mean of :math:`\max(1 - t s, 0)`: the max-margin loss of support vector machines.

    Parameters
    ----------
    scores : array_like
        Positive where class 1 is predicted.
    targets : array_like
        -1 or 1; of the shape of ``scores``.
    reduction : "mean", "sum" or "none"

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
    require_reduction("hinge_loss", reduction)
    scores, targets = of_one_shape("hinge_loss", "scores", scores, targets)
    targets = signs("hinge_loss", targets)
    return reduced(relu(1 - as_dtype_of(scores, targets) * scores), reduction)


def signs(loss: str, targets: Array) -> Array:
    """Targets, if all of them are -1 or 1."""
    t = data_of(targets)
    right = np.equal(t, 1) | np.equal(t, -1)
    if not np.all(right):
        raise ArgumentError(
            f"{loss} got {first_wrong(t, right)}; targets are -1 or 1. For labels 0 and 1 use 2 * targets - 1."
        )
    return checked(targets, lambda t: equal(absolute(t), 1))
