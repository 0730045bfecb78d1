"""Integrals by Monte Carlo: the mean of the function at random points, and its standard error."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.node import Node, data_of
from ..core.summary import repr_text
from ..ops.draws import generator
from ..ops.reduce import prod, sum
from ..transforms.checkpoint import checkpoint
from .integral import Integral
from .sampling import Sampler
from .solving import plain_data, watching

AT_ONCE = 1000
"""So many points are recorded at once, and then forgotten until they are differentiated."""


class Spread:
    """Mean and squared deviations of rows that come in portions, after Chan, Golub and LeVeque (1983)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, y: Any) -> None:
        """Take in a portion, along the first axis."""
        n, mean = len(y), y.mean(axis=0)
        step, total = mean - self.mean, self.count + n
        self.squares = (
            self.squares + np.sum(np.abs(y - mean) ** 2, axis=0) + np.abs(step) ** 2 * (self.count * n / total)
        )
        self.mean = self.mean + step * (n / total)
        self.count = total

    def standard_error(self) -> Any:
        """Of the mean."""
        return np.sqrt(self.squares / max(self.count - 1, 1) / max(self.count, 1))


def monte_carlo(
    f: Callable[..., Any], a: Any, b: Any, boxed: bool, vectorized: bool, n: Any, rng: Any, progress: bool
) -> tuple[Any, Any]:
    """The volume times the mean of ``f`` at ``n`` points drawn between ``a`` and ``b``; and its standard error."""
    _require_sizes(a, b, n)
    low, width = a, b - a
    volume = prod(width) if boxed else width
    size = abs(float(np.prod(plain_data(width))))
    draws = generator(rng).random((n, len(plain_data(a))) if boxed else n)
    spread = Spread()

    def report() -> Integral | None:
        if not spread.count:
            return None
        return Integral(
            plain_data(volume) * spread.mean, size * spread.standard_error(), spread.count, 1, "monte carlo"
        )

    sampler = Sampler(f, boxed, vectorized, "integrate")
    sampler.report = report

    def portion(u: Any) -> Any:
        """The sum of the function over some points."""
        points = data_of(low) + data_of(width) * u
        if vectorized:
            found, y = sampler.many(low + width * u)
        else:
            found, y = sampler.each([low + width * c for c in (u if boxed else u.tolist())], points)
        values = sampler.checked(y, points)
        if first:
            spread.add(values)
        if y is not values or not any(isinstance(row, Node) for row in found):  # True + True is True in NumPy
            return values.sum(axis=0)
        return sum(found[0], axis=0) if vectorized else functools.reduce(operator.add, found)

    total, first = None, True
    with watching("integrate", n, progress, report, lambda: f"{spread.count} of {n} points") as bar:
        for start in range(0, n, AT_ONCE):
            y = checkpoint(portion)(draws[start : start + AT_ONCE])
            total = y if total is None else total + y
            bar.advance()
    first = False
    value = volume * (total / n)
    error = size * spread.standard_error()
    if not isinstance(value, Node) and not np.ndim(value):
        value = value.item() if isinstance(value, np.float64 | np.complex128) else value
    return value, float(error) if not np.ndim(error) else error


def _require_sizes(a: Any, b: Any, n: Any) -> None:
    if not isinstance(n, int | np.integer) or n < 2:
        raise ArgumentError(f"integrate got n={repr_text(n)}; it is how many points Monte Carlo draws: 2, 3, ...")
    for name, x in (("a", a), ("b", b)):
        if not all(map(math.isfinite, np.ravel(plain_data(x)))):
            raise ArgumentError(
                f"integrate got {name}={repr_text(data_of(x))}; Monte Carlo needs finite limits. Substitute, for "
                "example x = t / (1 - t), dx = dt / (1 - t)**2, with t from 0 to 1."
            )
