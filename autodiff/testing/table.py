"""A table of the derivative by each entry: numeric against both modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..core.node import data_of
from ..transforms.first_order import linearize, vjp
from .compare import (
    NUMERIC_TOLERANCE,
    SINGLE_STEP,
    SINGLE_TOLERANCE,
    STEP,
    central_difference,
    draw_like,
    inner,
    is_continuous,
    is_single,
    scaled,
)

SHOWN = 20
"""How many rows are printed: the worst ones if there are more."""


class Row(NamedTuple):
    """The derivative of the sum of all results, each times a random weight, by one entry."""

    entry: str
    numeric: float
    reverse: float
    forward: float

    @property
    def error(self) -> float:
        """The larger of the two differences from the numeric derivative."""
        differences = abs(self.reverse - self.numeric), abs(self.forward - self.numeric)
        return float(np.max(np.nan_to_num(differences, nan=np.inf)))


class GradientTable:
    """What :func:`gradient_table` returns: its rows, printed as a table."""

    def __init__(self, rows: list[Row], tolerance: float) -> None:
        self.rows = rows
        self.tolerance = tolerance

    @property
    def wrong(self) -> list[Row]:
        """The rows that disagree."""
        size = max((abs(row.numeric) for row in self.rows), default=0.0)
        return [row for row in self.rows if not row.error <= self.tolerance * (1 + size)]

    def require(self, what: str) -> None:
        """Raise AssertionError if a row disagrees."""
        if self.wrong:
            raise AssertionError(f"{what}: {len(self.wrong)} of {len(self.rows)} derivatives are wrong.\n{self}")

    def __str__(self) -> str:
        rows = self.rows if len(self.rows) <= SHOWN else sorted(self.rows, key=lambda row: -row.error)[:SHOWN]
        wrong = self.wrong
        width = max([len("derivative by"), *(len(row.entry) for row in rows)])
        heads = "".join(f"{head:>10}" for head in ("numeric", "reverse", "forward", "error"))
        lines = [f"{'derivative by':<{width}}{heads}"]
        for row in rows:
            numbers = "".join(f"{x:>10.4g}" for x in (row.numeric, row.reverse, row.forward))
            lines.append(f"{row.entry:<{width}}{numbers}{row.error:>10.1e}" + "  wrong" * (row in wrong))
        if len(self.rows) > SHOWN:
            lines.append(f"... and {len(self.rows) - SHOWN} more, with smaller errors")
        return "\n".join(lines)


def gradient_table(f: Callable[..., Any], *args: Any, names: Sequence[str] = ()) -> GradientTable:
    """Differentiate ``f`` by each entry of its arguments in three ways: numerically, in reverse and in forward mode.

    If ``f`` returns more than one number, it is their sum that is differentiated, each times a random weight.  Of a
    complex entry there are two rows, for its real and its imaginary part.

    Parameters
    ----------
    f : callable
        Takes and returns arrays or numbers.
    *args
        The point; whole numbers and truth values are constants.
    names : sequence of str
        What the arguments are called.

    Examples
    --------
    >>> import autodiff as ad
    >>> print(gradient_table(lambda x: (x**2).sum(), np.array([1.0, 2.0])))
    derivative by   numeric   reverse   forward     error
    argument 0[0]   ...
    argument 0[1]   ...
    """
    wanted = [i for i, a in enumerate(args) if is_continuous(a)]
    xs = [np.asarray(data_of(args[i])) for i in wanted]

    def of_chosen(*chosen: Any) -> list[Any]:
        filled = list(args)
        for i, x in zip(wanted, chosen, strict=True):
            filled[i] = x
        return tree.flatten(f(*filled))

    y, pull = vjp(of_chosen, *xs)
    weights = [draw_like(data_of(value), np.random.default_rng(0)) for value in y]
    pulled = pull(weights)
    push = linearize(of_chosen, *xs)[1]
    wide = [x.astype(complex if x.dtype.kind == "c" else float) for x in xs]
    single = is_single(of_chosen(*wide))
    step = SINGLE_STEP if single else STEP
    rows = []
    for k, x in enumerate(xs):
        for index in np.ndindex(x.shape):
            for unit in (1, 1j) if x.dtype.kind == "c" else (1,):
                along = [np.zeros_like(other) for other in xs]
                along[k][index] = unit
                steps = [scaled(t.astype(w.dtype), w) for t, w in zip(along, wide, strict=True)]
                numeric = inner(weights, central_difference(of_chosen, wide, steps, step))[0] / abs(steps[k][index])
                reverse = np.real(np.conj(unit) * np.asarray(data_of(pulled[k]))[index])
                forward = inner(weights, push(*along))[0]
                entry = names[wanted[k]] if names else f"argument {wanted[k]}"
                entry += (str(list(index)) if index else "") + " (imaginary)" * (unit == 1j)
                rows.append(Row(entry, float(numeric), float(reverse), float(forward)))
    narrow = single or any(x.dtype.itemsize < (16 if x.dtype.kind == "c" else 8) for x in xs)
    return GradientTable(rows, SINGLE_TOLERANCE if narrow else NUMERIC_TOLERANCE)
