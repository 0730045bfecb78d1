"""How a model is doing: ``ad.health(model, loss)``, a table of its layers with verdicts."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from ..core.checks import is_finite, require_from_zero
from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.names import named_in
from ..core.node import Array, Node, describe, size_of
from ..core.summary import align_points, kind_text, number_text, shorten, text_width
from ..core.tape import collect, pull_back, require_tracked
from ..node_methods import first_cotangent
from .health_plot import plot_health
from .layers import Layer, LayerReader, floats_of, pooled, saturated_share
from .verdicts import Case, Verdict, examine

WIDTH = 120
"""No line of the printed table is wider."""


@dataclass(frozen=True)
class Row:
    """The statistics of one layer; None for what cannot be known.

    Attributes
    ----------
    layer : str
        What the names of its parameters have in common.
    parameters : tuple of str
    activation : str or None
        Kind of what follows the layer; a layer with two kinds has a row for each.
    mean, std : float or None
        Of the results of the activation, or of the layer if none follows.
    saturated : float or None
        Which part of the results of a tanh or sigmoid is where its slope is nearly 0, or of the rows of a softmax.
    dead, units : int or None
        Units of a relu that are 0 for all examples, and all units.
    gradient : float or None
        Norm of the gradient with respect to all parameters of the layer.
    gradient_to_data, update_to_data : float or None
        That norm, and the norm of the next update, divided by the norm of the parameters.
    frozen : bool
        Whether the parameters want no gradient.
    """

    layer: str
    parameters: tuple[str, ...]
    activation: str | None
    mean: float | None
    std: float | None
    saturated: float | None
    dead: int | None
    units: int | None
    gradient: float | None
    gradient_to_data: float | None
    update_to_data: float | None
    frozen: bool


class Health:
    """What :func:`health` found.  Printed, it is a table with the verdicts below.

    Attributes
    ----------
    rows : list of Row
        The layers as the data passes them.
    verdicts : list of Verdict
        Illnesses, each with a repair.
    loss : float or None
    ok : bool
        True if there are no verdicts.
    """

    def __init__(self, rows: list[Row], verdicts: list[Verdict], loss: float | None) -> None:
        self.rows = rows
        self.verdicts = verdicts
        self.loss = loss

    @property
    def ok(self) -> bool:
        """True if there are no verdicts."""
        return not self.verdicts

    def __str__(self) -> str:
        head = "" if self.loss is None else f"loss {number_text(self.loss)}\n\n"
        said = [fill(f"! {v}", WIDTH, subsequent_indent="  ") for v in self.verdicts] or [HEALTHY]
        return head + "\n".join([*_aligned(self._cells()), "", *said])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table and the verdicts for a notebook."""
        from html import escape  # only a notebook needs it

        head, *rows = self._cells()
        style = [f' style="text-align: {"left" if name in LEFT else "right"}"' for name in head]
        lines = ["".join(f"<th{look}>{escape(text)}</th>" for look, text in zip(style, head))]
        lines += ["".join(f"<td{look}>{escape(text)}</td>" for look, text in zip(style, row)) for row in rows]
        said = "".join(f"<li>{escape(str(v))}</li>" for v in self.verdicts)
        loss = "" if self.loss is None else f"<p>loss {escape(number_text(self.loss))}</p>"
        table = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"{loss}<table>{table}</table>{f'<ul>{said}</ul>' if said else f'<p>{HEALTHY}</p>'}"

    def _cells(self) -> list[tuple[str, ...]]:
        """The table as text: a heading and the columns in which there is something."""
        columns = [("layer", [row.layer for row in self.rows])]
        columns.append(("activation", [row.activation or "" for row in self.rows]))
        for name, attribute in NUMBERS.items():
            columns.append((name, [_number(row, attribute) for row in self.rows]))
        columns.insert(4, ("dead", [f"{row.dead} of {row.units}" if row.units else "" for row in self.rows]))
        columns.insert(5, ("saturated", [_percent(row.saturated) for row in self.rows]))
        columns.append((SCALE, [_on_scale(row.update_to_data) for row in self.rows]))
        shown = [(name, cells) for name, cells in columns if name == "layer" or any(cells)]
        return [tuple(name for name, _ in shown), *zip(*(cells for _, cells in shown))]

    def plot(self, ax: Any = None) -> Any:
        """Draw the updates of the layers beside the line at 1e-3, and which part of each is dead or saturated.

        Without updates, gradients are drawn.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Divided into two panels.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        KindError
            If ``ax`` is something else.
        MissingExtraError
            If Matplotlib is not installed.
        """
        return plot_health(self.rows, ax)


LEFT = ("layer", "activation", "1e-6   1e-3     1")
SCALE = LEFT[2]
"""The heading of the column in which each update is a point on a logarithmic scale."""
NUMBERS = {
    "mean": "mean",
    "std": "std",
    "grad norm": "gradient",
    "grad/data": "gradient_to_data",
    "update/data": "update_to_data",
}
HEALTHY = "No sign of illness."


def _number(row: Row, attribute: str) -> str:
    x = getattr(row, attribute)
    if attribute == "gradient" and row.frozen:
        return "frozen"
    return "" if x is None else number_text(x, 3)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _on_scale(x: float | None) -> str:
    if not x or not math.isfinite(x):
        return ""
    marks = list("────────┼────────")
    place = round((math.log10(x) + 6) / 6 * (len(marks) - 1))
    end = min(max(place, 0), len(marks) - 1)
    marks[end] = "●" if place == end else "◀" if place < end else "▶"
    return "".join(marks)


def _aligned(cells: list[tuple[str, ...]]) -> list[str]:
    columns = [list(column) for column in zip(*cells)]
    widths = []
    for column in columns:
        if column[0] not in LEFT:
            column[1:] = align_points(column[1:])
        widths.append(max(map(text_width, column)))
    widths[0] = max(min(widths[0], WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1)), 5)
    for column, width in zip(columns, widths):
        for i, text in enumerate(column):
            text = shorten(text, width)
            pad = " " * (width - text_width(text))
            column[i] = text + pad if column[0].rstrip() in LEFT else pad + text
    return ["  ".join(line).rstrip() for line in zip(*columns)]


def health(model: Any, loss: Node | None = None, *, optimizer: Any = None, lr: float | None = None) -> Health:
    """Statistics of every layer, with verdicts and repairs: is this model in a state to learn?

    Everything is read off the tape of ``loss``, where all results still are: nothing has to be prepared, and nothing is
    changed.  Gradients are those that ``backward`` left; if it was not called, they are computed and not kept.

    Parameters
    ----------
    model : Module, or list or dict of Tensors and Values
        Whose parameters are looked at.
    loss : Tensor or Value, optional
        A loss of one batch, recorded.  Without it only parameters and their gradients are looked at.
    optimizer : Optimizer, optional
        Its next update is computed, on copies, and compared with the data.
    lr : float, optional
        Instead of an optimizer: the update is ``lr`` times the gradient.

    Returns
    -------
    Health

    Raises
    ------
    ArgumentError
        If there are no parameters, ``lr`` is no finite number of at least 0, or both it and an optimizer are given.
    KindError
        If ``optimizer`` is something else.
    ShapeError
        If the loss is no single number, and ``backward`` was not called.
    TapeError
        If the loss was not recorded, or its tape was freed.
    StaleDataError
        If parameters were updated since the loss was recorded, and ``backward`` was not called before.

    Notes
    -----
    A layer is what parameters of one name have in common; single numbers are grouped by how many activations stand
    before them.  Updates of 1e-4 to 1e-2 of the data are usual, with 1e-3 the line to steer by [1]_.  A verdict takes
    much more than an unusual number: the lines are the constants of ``autodiff.diagnosis.verdicts`` and ``signs``.

    References
    ----------
    .. [1] A. Karpathy, "A recipe for training neural networks" (2019).

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff import data, nn
    >>> X, y = data.moons(100, rng=0)
    >>> model = nn.MLP([2, 16, 2], rng=0)
    >>> model[0].bias.data = np.full(16, -100.0)
    >>> report = health(model, nn.functional.cross_entropy(model(X), y), lr=0.1)
    >>> report.ok
    False
    >>> print(report.verdicts[0])
    0: 16 of 16 relu units are 0 for all 100 examples (dead). Lower the learning rate, or start with smaller weights and
    biases of 0; leaky_relu keeps a slope.
    """
    parameters = named_in("health()", model)
    _check_step(optimizer, lr)
    nodes: list[Node] = []
    if loss is not None:
        nodes, _ = collect([require_tracked(loss, "health()")], stale_allowed=True)
    gradients = _gradients(parameters, loss)
    updates = None if optimizer is None and lr is None else _updates(parameters, gradients, optimizer, lr)
    case = Case(LayerReader(parameters, nodes), parameters, gradients, updates, loss)
    with np.errstate(all="ignore"):
        rows = [row for layer in case.layers for row in _rows(case, layer)]
    return Health(rows, examine(case), None if loss is None else case.loss_value)


def _check_step(optimizer: Any, lr: Any) -> None:
    """Raise unless there is at most one of an optimizer and a learning rate, and it is one."""
    if optimizer is not None and lr is not None:
        raise ArgumentError("health() got an optimizer and lr; give one of them: the optimizer has a learning rate.")
    if lr is not None:
        require_from_zero("health()", lr=lr)
    was_made = hasattr(optimizer, "params") and not isinstance(optimizer, type)
    if optimizer is not None and not was_made and not is_finite(getattr(optimizer, "lr", None)):
        raise KindError(
            f"health() got {kind_text(optimizer)} as optimizer; it is one that was made, such as "
            "optim.SGD(model.parameters(), lr=0.1). A learning rate alone is lr=0.1."
        )


def _gradients(parameters: Mapping[str, Node], loss: Node | None) -> dict[str, Array]:
    """The gradients that backward left, or else those of a sweep of our own."""
    left = {name: floats_of(p.grad) for name, p in parameters.items() if p.grad is not None and p.tracked}
    if loss is None or (loss.grad is not None and any(np.any(g) for g in left.values())):  # not zeroed since
        return left
    if size_of(loss) != 1:
        raise ShapeError(
            f"health() got {describe(loss)} as the loss, which has {size_of(loss)} entries; a loss is a single number. "
            "Reduce it first, with .mean() or .sum()."
        )
    names = {id(p): name for name, p in parameters.items() if p.tracked}
    sweep = pull_back([loss], [first_cotangent(loss, None)], inputs=list(parameters.values()))
    return {names[id(node)]: floats_of(g) for node, g in sweep if id(node) in names}


def _updates(
    parameters: Mapping[str, Node], gradients: Mapping[str, Array], optimizer: Any, lr: float | None
) -> dict[str, Array | None]:
    """What the next step adds to each parameter that has a gradient; None for one that the optimizer does not have."""
    if not hasattr(optimizer, "params"):
        lr = optimizer.lr if lr is None else lr
        return {name: -float(lr) * g for name, g in gradients.items()}
    place = {id(p): i for i, p in enumerate(optimizer.params)}
    return {
        name: _next_update(optimizer, place[id(parameters[name])], g) if id(parameters[name]) in place else None
        for name, g in gradients.items()
    }


def _next_update(optimizer: Any, i: int, g: Array) -> Array:
    """What the optimizer would add to its parameter ``i``, computed on copies."""
    before = np.array(optimizer.storage(optimizer.params[i]))
    after = before.copy()
    with np.errstate(all="ignore"):
        optimizer.update(after, np.asarray(g, before.dtype), copy.deepcopy(optimizer.state[i]))
    return floats_of(after - before)


def _rows(case: Case, layer: Layer) -> list[Row]:
    """A row for each kind of activation that follows a layer; the first has the gradients."""
    data, g = _norm(layer.parameters.values()), case.of(layer, case.gradients)
    update = case.of(layer, case.updates) if case.updates is not None else []
    gradient = _norm(g) if g else None
    ratios = [_norm(xs) / data if xs and data else None for xs in (g, update)]
    results: list[tuple[str | None, list[Node]]] = [*layer.activations.items()]
    rows: list[Row] = []
    for kind, nodes in results or [(None, [layer.output] if layer.output is not None else [])]:
        entries = pooled(nodes)
        dead = case.reader.dead_units(nodes)
        rows.append(
            Row(
                layer=layer.name,
                parameters=tuple(layer.parameters),
                activation=kind,
                mean=float(entries.mean()) if entries.size else None,
                std=float(entries.std()) if entries.size else None,
                saturated=saturated_share(nodes),
                dead=dead[0] if dead else None,
                units=dead[1] if dead else None,
                gradient=gradient if not rows else None,
                gradient_to_data=ratios[0] if not rows else None,
                update_to_data=ratios[1] if not rows else None,
                frozen=layer.frozen,
            )
        )
    return rows


def _norm(xs: Iterable[Any]) -> float:
    return float(np.linalg.norm(pooled(xs).astype(float)))
