"""Fused rows: several operations that training runs together, with one derivative worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import compiler
from ..core.node import Array, ArrayLike, Node, data_of, shape_of, size_of
from ..core.op import primitive
from ..core.rule import Sample, sample
from .arithmetic import real
from .broadcast import sum_rows
from .checked import from_zero_up
from .families import conjugated
from .products import in_plane
from .reduce import mean, sum
from .rows import row_sums, row_tops
from .shape import reshape
from .softmax import softmax

__all__ = ["cross_entropy", "linear", "mean_squared_error", "one_hot"]


@primitive(
    formula=(
        r"y = x W^{\mathsf T} + b, \quad \bar x = \bar y W^*, \; \bar W = \bar y^{\mathsf T} x^*, \; "
        r"\bar b = \textstyle\sum \bar y"
    ),
    fresh=True,
    quiet=True,
)
def linear(x: ArrayLike, weight: ArrayLike, bias: ArrayLike, /) -> Array:
    """Affine map of the last axis, ``x @ weight.T + bias``: shapes ``(..., n_in)``, ``(n_out, n_in)``, ``(n_out,)``.

    Notes
    -----
    The hard zero stops at this row: an inf or nan in ``x`` or ``weight`` spoils the gradient even of rows that are not
    used, as it does in other libraries.  Written as ``x @ weight.T + bias`` it does not.  The check would be a tenth of
    the time of a small training step.
    """
    if bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"linear got a weight of shape {weight.shape} and a bias of shape {bias.shape}; they must be (n_out, n_in) "
            "and (n_out,)."
        )
    if x.ndim > 2:  # dot gives nothing but matrices to BLAS
        return linear.rule.forward(x.reshape(-1, x.shape[-1]), weight, bias).reshape(*x.shape[:-1], len(weight))
    # On matrices this small, dot takes half the time of @; but a single number it takes for a factor.
    y = x.dot(weight.T) if x.ndim else x @ weight.T
    return np.add(y, bias, y) if y.dtype is bias.dtype and y.ndim else y + bias


def product(a: Array, b: Array) -> Array:
    """Rows, however many axes they are counted by, times a matrix."""
    if a.ndim > 2:
        shape = shape_of(a)
        return reshape(product(reshape(a, (-1, shape[-1])), b), (*shape[:-1], shape_of(b)[-1]))
    return a.dot(b) if b.__class__ is np.ndarray else a @ b  # the dot of a plain array cannot take a node


@linear.def_vjp(wrt="x")
def linear_vjp_x(g: Array, weight: Array) -> Array:
    weight = conjugated(weight) if g.dtype.kind == "c" else weight
    return product(g, weight)


@linear.def_vjp(wrt="weight")
def linear_vjp_weight(g: Array, x: Array) -> Array:
    x = conjugated(x) if g.dtype.kind == "c" else x
    if x.ndim != 2:
        g, x = reshape(g, (-1, g.shape[-1])), reshape(x, (-1, x.shape[-1]))
    return product(g.T, x)


@linear.def_vjp(wrt="bias")
def linear_vjp_bias(g: Array) -> Array:
    if g.__class__ is not np.ndarray:
        return g  # a node is summed by the sweep
    return sum_rows(g if g.ndim == 2 else g.reshape(-1, g.shape[-1]))


@linear.def_jvp(wrt="x")
def linear_jvp_x(x_dot: Array, weight: Array) -> Array:
    return x_dot @ weight.T


@linear.def_jvp(wrt="weight")
def linear_jvp_weight(weight_dot: Array, x: Array) -> Array:
    return x @ weight_dot.T


@linear.def_jvp(wrt="bias")
def linear_jvp_bias(bias_dot: Array) -> Array:
    return bias_dot


@linear.def_samples
def linear_samples(rng: np.random.Generator) -> Iterator[Sample]:
    for lead in [(5,), (), (2, 4), (0,)]:
        yield sample(rng.normal(size=(*lead, 3)), rng.normal(size=(2, 3)), rng.normal(size=2))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, rng.normal(size=(3, 4)).T[:2], rng.normal(size=4)[::2])
    yield sample(in_plane(rng, 4, 3), in_plane(rng, 2, 3), in_plane(rng, 2))
    yield sample(rng.normal(size=(4, 3)), in_plane(rng, 1, 3), rng.normal(size=1))


@primitive(
    formula=(
        r"y = \frac{1}{n} \sum_i |a_i - b_i|^2, \quad \bar a_i = \frac{2}{n} (a_i - b_i)\,\bar y, \; "
        r"\bar b_i = \frac{2}{n} (b_i - a_i)\,\bar y"
    ),
    fresh=True,
    quiet=True,
)
def mean_squared_error(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Mean of the squared differences of two arrays of one shape."""
    if a.shape != b.shape:
        raise ShapeError(
            f"mean_squared_error got shapes {a.shape} and {b.shape}; they must agree, or every entry would be compared "
            "with several others. Reshape one of them, for example with x.reshape(y.shape)."
        )
    d = (a - b).ravel()
    if not d.size:
        raise ShapeError(f"mean_squared_error got no entries (shape {a.shape}): the mean over nothing is not defined.")
    return d.dot(d) / d.size if d.dtype.kind == "f" else np.mean(np.abs(d) ** 2)


@mean_squared_error.def_vjp(wrt="a")
def mean_squared_error_vjp_a(g: Array, a: Array, b: Array) -> Array:
    return (a - b) * (g * (2 / size_of(a)))


@mean_squared_error.def_vjp(wrt="b")
def mean_squared_error_vjp_b(g: Array, a: Array, b: Array) -> Array:
    return (b - a) * (g * (2 / size_of(a)))


@mean_squared_error.def_jvp(wrt="a")
def mean_squared_error_jvp_a(a_dot: Array, a: Array, b: Array) -> Array:
    return 2 * mean(real(conjugated(a - b) * a_dot))


@mean_squared_error.def_jvp(wrt="b")
def mean_squared_error_jvp_b(b_dot: Array, a: Array, b: Array) -> Array:
    return 2 * mean(real(conjugated(b - a) * b_dot))


@mean_squared_error.def_samples
def mean_squared_error_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(4, 3)), rng.normal(size=(4, 3)))
    yield sample(rng.normal(size=()), rng.normal(size=()))
    yield sample(rng.normal(size=(6, 4))[::-2, 1::2].T, rng.normal(size=(2, 3)))
    yield sample(in_plane(rng, 4, 3), in_plane(rng, 4, 3))
    yield sample(rng.normal(size=3), in_plane(rng, 3))


@primitive(formula=r"y_{nc} = [c = t_n]", differentiable=False)
def one_hot(labels: ArrayLike, like: ArrayLike, /) -> Array:
    """An array like ``like`` with 1 at the class of each row and 0 elsewhere.  Never tracked."""
    hot = np.zeros(like.shape, like.dtype)
    hot[np.arange(len(labels)), labels] = 1
    return hot


@primitive(
    formula=(
        r"y = -\frac{1}{N} \sum_n \ln p_{n t_n}, \; p = \operatorname{softmax}(x), \quad "
        r"\bar x_{nc} = (p_{nc} - [c = t_n])\,\bar y / N"
    ),
    fresh=True,
    quiet=True,
)
def softmax_cross_entropy(logits: ArrayLike, labels: ArrayLike, /) -> Array:
    """Mean of minus the log-probability of the right class: logits of shape ``(N, C)``, labels of shape ``(N,)``."""
    if logits.dtype.kind == "c":
        raise KindError("softmax_cross_entropy got complex logits; probabilities are of real ones.")
    top = row_tops(logits)  # as softmax does, so that a compiler shares it
    total = row_sums(np.exp(logits - top))
    return mean.rule.forward((np.log(total) + top)[:, 0] - logits[np.arange(len(labels)), labels])


@softmax_cross_entropy.def_vjp(wrt="logits")
def softmax_cross_entropy_vjp(g: Array, logits: Array, labels: Array) -> Array:
    return (softmax(logits) - one_hot(labels, logits)) * (g / shape_of(labels)[0])


@softmax_cross_entropy.def_jvp(wrt="logits")
def softmax_cross_entropy_jvp(logits_dot: Array, logits: Array, labels: Array) -> Array:
    return mean(sum((softmax(logits) - one_hot(labels, logits)) * logits_dot, 1))


@softmax_cross_entropy.def_samples
def softmax_cross_entropy_samples(rng: np.random.Generator) -> Iterator[Sample]:
    yield sample(rng.normal(size=(4, 3)), np.array([0, 2, 1, 1]))
    yield sample(1e3 * rng.normal(size=(2, 3)), np.array([0, 2]))
    yield sample(rng.normal(size=(6, 6))[::-2, 1::2].T, np.array([0, 2, 1]))


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> Array:
    """Mean cross-entropy of classes, from logits.

    Parameters
    ----------
    logits : array_like, shape (N, C)
        Unnormalised log-probabilities, in nats: no softmax before this.
    labels : array_like of int, shape (N,)
        The right class of each row, from 0 to C - 1.

    Returns
    -------
    Tensor or number
        In nats.

    Raises
    ------
    ShapeError, KindError, ArgumentError
        If the shapes do not fit, a label is no whole number, or a class is out of range.
    """
    if logits is None:
        raise KindError("cross_entropy got None as logits. Does forward() end without a return?")
    shape = shape_of(logits)
    classes: Any = np.asarray(data_of(labels))
    if len(shape) != 2 or classes.shape != shape[:1]:
        raise ShapeError(
            f"cross_entropy got logits of shape {shape} and labels of shape {classes.shape}; "
            f"it takes logits (N, C) and labels (N,). {repair_of_labels(shape, classes)}"
        )
    require_class_numbers("cross_entropy", classes)
    if shape[0] == 0:
        raise ShapeError("cross_entropy got no rows: the mean over an empty batch is not defined.")
    low, high = np.minimum.reduce(classes), np.maximum.reduce(classes)
    if low < 0 or high >= shape[1]:
        found = low if low < 0 else high
        raise ArgumentError(
            f"cross_entropy got class {found} in row {int(np.argmax(classes == found))}; the logits have "
            f"{shape[1]} classes, 0 to {shape[1] - 1}."
        )
    if isinstance(labels, Node) and compiler() is not None:
        labels = from_zero_up(labels)  # NumPy would count others from the end
    return softmax_cross_entropy(logits, labels if isinstance(labels, Node) else classes)


def require_class_numbers(loss: str, classes: Any) -> None:
    """Raise unless labels are whole numbers."""
    if classes.dtype.kind in "iu":
        return
    if classes.dtype.kind == "f" and np.isnan(classes).any():
        place = ", ".join(map(str, np.argwhere(np.isnan(classes))[0]))
        bad = f"nan at {'row' if classes.ndim == 1 else 'index'} {place}"
        repair = "Leave out the rows without a label."
    elif classes.dtype.kind in "US":
        bad, repair = f"dtype {classes.dtype}", "Number them: np.unique(labels, return_inverse=True)[1]."
    else:
        bad, repair = f"dtype {classes.dtype}", "Use labels.astype(int)."
    raise KindError(f"{loss} got labels with {bad}; they are whole class numbers. {repair}")


def repair_of_labels(shape: tuple[int, ...], classes: Any) -> str:
    """What is likely to be wrong with labels of another shape than logits of ``shape`` ask for."""
    if classes.ndim == 2 and classes.shape == shape:
        return "Labels are class numbers, not one-hot rows: labels.argmax(axis=1)."
    if len(shape) == 1 and classes.ndim == 2:
        return "Did you swap them?"
    if len(shape) == 2 and classes.shape == (shape[0], 1):
        return "Did you mean labels[:, 0]?"
    if len(shape) == 1 and classes.ndim == 0:
        return "For one point give logits[None] and [label]."
    return "Give a row of logits and one class number for each point."
