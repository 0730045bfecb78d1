"""The loss around the present weights, along two directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...core.axes import COLORS
from ...core.checks import is_finite
from ...core.errors import ArgumentError, KindError, ShapeError
from ...core.figures import axes_for
from ...core.modes import no_grad
from ...core.node import Array, Node, data_of, describe
from ...core.numbers import like, to_float
from ...core.summary import kind_text, number_text, repr_text
from .given import arrays_in, real_array

MOST_STEPS = 1_000
"""Even of the fastest loss, a million of them takes minutes."""


def loss_landscape(
    loss: Callable[[], Any],
    parameters: Any,
    directions: tuple[Sequence[Any], Sequence[Any]] | None = None,
    *,
    rng: Any = 0,
    span: float = 1.0,
    steps: Any = 25,
    ax: Any = None,
) -> Any:
    """Draw contours of the loss over a plane through the present parameters, which a cross marks.

    The parameters are moved while it draws, and are afterwards what they were, also if an error or Ctrl-C interrupts.

    Parameters
    ----------
    loss : callable
        Computes the loss anew from the parameters: ``lambda: cross_entropy(model(X), y)``.  Called ``steps ** 2`` times
        without recording.  What draws at random, such as dropout, should be switched off: ``model.eval()``.
    parameters : Module, dict or list of Tensors and Values
    directions : pair of sequences of array_like, optional
        Two directions, each an array for each parameter.  Random ones by default, each filter (a row of a weight) as
        long as that of the parameter, and biases at rest [1]_.
    rng : Generator, int or None
        Source of the directions, as for ``np.random.default_rng``.
    span : float
        How far to go to either side; 1 is as far as the weights are from 0.
    steps : int
        Points along each direction, at most 1,000; an odd number has the present point among them.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError
        If there are no parameters, or ``steps``, ``span`` or ``rng`` are out of range.
    ShapeError
        If the directions do not have the shapes of the parameters.
    KindError
        If ``loss`` is no function to a number, directions are no numbers, ``rng`` is no seed, or a parameter is complex
        or was computed.
    MissingExtraError
        If Matplotlib is not installed.

    References
    ----------
    .. [1] H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein, "Visualizing the loss landscape of neural nets",
       NeurIPS (2018), arXiv:1712.09913.
    """
    if not callable(loss):
        raise KindError(
            "loss_landscape got a loss that is no function; it has to be computed anew for each point: "
            "lambda: cross_entropy(model(X), y)."
        )
    params = [_require_real_leaf(p) for p in arrays_in("loss_landscape", parameters).values()]
    whole = isinstance(steps, int | np.integer) and not isinstance(steps, bool)
    if not whole or not 3 <= steps <= MOST_STEPS or not is_finite(span) or span <= 0:
        raise ArgumentError(
            f"loss_landscape got steps={repr_text(steps)} and span={repr_text(span)}; it takes at least 3 steps and a "
            f"span above 0, and at most {MOST_STEPS} steps, for it computes the loss steps ** 2 times."
        )
    arrays = [np.asarray(p._data, float) for p in params]
    first, second = _random_directions(arrays, rng) if directions is None else _given_directions(arrays, directions)
    ax = axes_for("loss_landscape", ax, 6.4, 5)
    along = np.linspace(-span, span, int(steps))
    with restored(params), no_grad(), np.errstate(all="ignore"):
        here = _number(loss())
        heights = np.empty((len(along), len(along)))
        for (i, j), _ in np.ndenumerate(heights):
            for p, x, d, e in zip(params, arrays, first, second):
                _put(p, x + along[j] * d + along[i] * e)
            heights[i, j] = _number(loss())
    _draw(ax, along, heights, here)
    return ax


@contextmanager
def restored(params: Sequence[Node]) -> Iterator[None]:
    """Whatever happens inside, the parameters hold the same arrays again afterwards, and their tapes stay valid."""
    kept = [(p._data, p.index) for p in params]
    try:
        yield
    finally:
        for p, (data, index) in zip(params, kept):
            p._data, p.index = data, index


def _put(p: Node, array: Array) -> None:
    """Give a parameter other data; its own array is left alone, for it comes back."""
    p._data = array.astype(p._data.dtype) if isinstance(p._data, np.ndarray) else like(p._data, array)


def _require_real_leaf(p: Any) -> Node:
    if not isinstance(p, Node) or not p.is_leaf or np.asarray(p._data).dtype.kind == "c":
        found = describe(p) if isinstance(p, Node) else kind_text(p)
        raise KindError(f"loss_landscape got {found}; it moves real parameters: Tensors and Values that were made.")
    return p


def _generator(rng: Any) -> np.random.Generator:
    expected = f"loss_landscape got rng={repr_text(rng)}; it takes a Generator, a whole number of at least 0, or None."
    try:
        return np.random.default_rng(rng)
    except TypeError:
        raise KindError(expected) from None
    except ValueError:
        raise ArgumentError(expected) from None


def _random_directions(arrays: Sequence[Array], rng: Any) -> tuple[list[Array], list[Array]]:
    """Two random directions, scaled filter by filter."""
    generator = _generator(rng)
    biases_rest = any(x.ndim > 1 for x in arrays)

    def scaled(x: Array) -> Array:
        d = generator.normal(size=x.shape)
        if x.ndim < 2 and biases_rest:
            return 0 * d
        axes = tuple(range(1, x.ndim)) if biases_rest else None
        length = np.sqrt(np.sum(d * d, axis=axes, keepdims=True))
        return d * np.sqrt(np.sum(x * x, axis=axes, keepdims=True)) / np.where(length > 0, length, 1)

    return [scaled(x) for x in arrays], [scaled(x) for x in arrays]


def _given_directions(arrays: Sequence[Array], directions: Any) -> tuple[list[Array], list[Array]]:
    shapes = [x.shape for x in arrays]
    if not isinstance(directions, tuple | list) or not all(isinstance(d, tuple | list) for d in directions):
        raise KindError(
            f"loss_landscape got {kind_text(directions)} as directions; it takes a pair of lists, each with "
            "an array for each parameter."
        )
    pair = [[real_array("loss_landscape", "directions", data_of(d)) for d in direction] for direction in directions]
    found = [[d.shape for d in direction] for direction in pair]
    if len(pair) != 2 or any(f != shapes for f in found):
        raise ShapeError(
            f"loss_landscape got directions of shapes {found}; it takes two, each with an array for each parameter, of "
            f"shapes {shapes}."
        )
    return pair[0], pair[1]


def _number(x: Any) -> float:
    data = data_of(x)
    if np.size(data) != 1:
        raise ShapeError(
            f"loss_landscape got a loss of shape {np.shape(data)}; it takes a single number, such as a mean."
        )
    try:
        return float(to_float(np.asarray(data).item()))
    except (TypeError, ValueError):
        raise KindError(f"loss_landscape got a loss that is {repr_text(data)}; it takes a real number.") from None


def _level_text(x: float, place: int | None = None) -> str:
    """A level beside the bar; ``place`` is what Matplotlib passes too."""
    return number_text(float(x), 3)


def _draw(ax: Any, along: Array, heights: Array, here: float) -> None:
    from matplotlib.ticker import FuncFormatter

    finite = heights[np.isfinite(heights)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if high <= low:
        high = low + 1
    wide = low > 0 and high > 20 * low  # a valley in a mountain range: each line is so many times the one before
    levels = np.geomspace(low, high, 15) if wide else np.linspace(low, high, 15)
    shown = np.ma.masked_invalid(np.clip(heights, low, high))
    norm = None
    if wide:
        from matplotlib.colors import LogNorm

        norm = LogNorm(low, high)
    filled = ax.contourf(along, along, shown, levels=levels, cmap="cividis", norm=norm)
    ax.contour(along, along, shown, levels=levels, colors="white", linewidths=0.5, alpha=0.6)
    ax.plot(0, 0, marker="X", markersize=12, color=COLORS[1], markeredgecolor="white", linestyle="none")
    ax.annotate(
        number_text(here, 3),
        (0, 0),
        (10, 8),
        textcoords="offset points",
        color="white",
        fontweight="bold",
        bbox={"boxstyle": "round,pad=0.25", "facecolor": "black", "alpha": 0.65, "linewidth": 0},
    )
    bar = ax.figure.colorbar(filled, cax=ax.inset_axes((1.04, 0, 0.05, 1)), ticks=levels[::2])
    bar.ax.yaxis.set_major_formatter(FuncFormatter(_level_text))
    bar.ax.minorticks_off()
    bar.set_label("loss")
    ax.set(xlabel="first direction", ylabel="second direction", aspect="equal")
