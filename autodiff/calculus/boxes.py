"""Adaptive integration over boxes of one to three axes: the worst boxes are halved until the error is small enough."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ConvergenceError
from ..core.progress import Progress
from ..core.summary import number_text
from .gauss_kronrod import TINY, estimate, product

ENTRIES = 2**21
"""So many values of the function are held at once, or those of one box."""
TOGETHER = 128
"""So many boxes are halved in one go."""
ROOM = 0.125
"""Boxes are halved in one go until the others have this share of the error that is allowed."""
STUBBORN = 10.0
"""Intervals whose error is so many times what is allowed are cut into four: that is quicker."""
NARROW = 2.0**-42
"""Boxes are not halved that are narrower in units of their distance from 0: their nodes would meet the ends."""
SMALLEST = 5e-324
NARROWEST = 1e-151
"""Nor are narrower ones: the slope of the substitution for infinite ranges overflows there."""


@dataclass(frozen=True)
class Ranges:
    """Where to integrate, and the substitution along each axis: infinite ranges become finite ones.

    Along an axis from ``c`` to infinity, ``t`` in ``[0, 1]`` is ``x = c + t``, and ``t`` in ``[-1, 0)`` all that is
    farther away, ``x = c + 1 / |t|``; both ends are near 0, where floats are dense.  Along an axis without ends,
    ``|x| = (1 - |t|) / |t|`` with the sign of ``t`` in ``[-1, 1]``.

    Attributes
    ----------
    lower, upper : tuple of float
        The ends, the smaller one first.
    sign : int
        -1 if an odd number of axes is run through from right to left.
    sides : tuple of (float, int) or None
        For each axis the finite end and which way the infinite one is; ``(0, 0)`` without ends, None with both.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    sign: int
    sides: tuple[tuple[float, int] | None, ...]

    @classmethod
    def between(cls, a: list[float], b: list[float]) -> Ranges:
        """From ``a`` to ``b``."""
        sides: list[tuple[float, int] | None] = []
        for p, q in zip(map(min, a, b), map(max, a, b), strict=True):
            left, right = math.isinf(p), math.isinf(q)
            sides.append((0.0, 0) if left and right else (p, 1) if right else (q, -1) if left else None)
        backwards = sum(p > q for p, q in zip(a, b, strict=True)) % 2
        return cls(tuple(map(min, a, b)), tuple(map(max, a, b)), -1 if backwards else 1, tuple(sides))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to integrate over."""
        return any(p == q for p, q in zip(self.lower, self.upper, strict=True))

    def x(self, t: Any) -> Any:
        """Where ``t``, of shape ``(n, axes)``, is; and by how much it is stretched there, or None if not at all."""
        if self.sides.count(None) == len(self.sides):
            return t, None
        x, stretch = t.copy(), np.ones(len(t))
        for i, side in enumerate(self.sides):
            if side is not None:
                end, way = side
                s, size = t[:, i], np.abs(t[:, i])
                far = s < 0 if way else size > 0
                slope = np.divide(1, size, out=np.ones(len(t)), where=far)
                x[:, i] = end + way * np.where(far, slope, s) if way else np.sign(s) * (slope - 1)
                stretch *= slope * slope
        return x, stretch

    def offset(self, axes: Any) -> Any:
        """How far from 0 is what is at ``t = 0`` along each of these axes, on its near side."""
        return np.array([abs(side[0]) if side else 0.0 for side in self.sides])[axes]

    def t(self, x: float, axis: int) -> float:
        """What is at ``x`` along an axis."""
        side = self.sides[axis]
        if side is None:
            return x
        away = abs(x - side[0])
        if not side[1]:
            return math.copysign(1 / (1 + away), x)
        return away if away < 1 else -1 / away

    def first(self, points: list[float]) -> tuple[Any, Any]:
        """The boxes to begin with, as their lower and upper corners; ``points`` cut the first axis."""
        cuts = []
        for i, (p, q, side) in enumerate(zip(self.lower, self.upper, self.sides, strict=True)):
            here = {self.t(x, i) for x in points if p < x < q} if i == 0 else set()
            edges = sorted(here | ({p, q} if side is None else {-1.0, 0.0, 1.0}))
            cuts.append(list(itertools.pairwise(edges)))
        if len(cuts) == 1:
            corners = np.array(cuts[0])
            return corners[:, :1], corners[:, 1:]
        grid = np.stack(np.meshgrid(*[np.arange(len(c)) for c in cuts], indexing="ij"), -1).reshape(-1, len(cuts))
        corners = np.stack([np.array(c)[grid[:, i]] for i, c in enumerate(cuts)], axis=1)
        return corners[:, :, 0], corners[:, :, 1]

    def describe(self, low: Any, high: Any) -> str:
        """A box in a message, in terms of ``x``."""
        far = [side is not None for side in self.sides]
        both = [side == (0.0, 0) for side in self.sides]
        high = np.where((high == 0) & (low < 0) & far, -SMALLEST, high)
        low = np.where((low == 0) & both, SMALLEST, low)
        with np.errstate(over="ignore"):
            ends = np.sort(np.stack([self.x(low[None])[0][0], self.x(high[None])[0][0]], axis=1))
        return " × ".join(f"[{number_text(float(p), 8)}, {number_text(float(q), 8)}]" for p, q in ends)


class Boxes:
    """What is known of an integral so far.

    Attributes
    ----------
    ranges : Ranges
    low, high : ndarray
        Corners of the boxes, shape ``(boxes, axes)``.
    values : ndarray or None
        Integrals over the boxes, shape ``(boxes, size)``.
    errors : ndarray
        Shape ``(boxes, 2, parts)``: the error of each part, and how much of it is rounding.
    axes : ndarray or None
        The axis along which each box is to be halved, if there are several.
    evaluations : int
    """

    def __init__(self, ranges: Ranges, low: Any = None, high: Any = None) -> None:
        self.ranges = ranges
        self.low, self.high = low, high
        self.values: Any = None
        self.errors: Any = None
        self.axes: Any = None
        self.evaluations = 0

    @property
    def value(self) -> Any:
        """The integral so far, its entries in one row."""
        return self.ranges.sign * self.values.sum(axis=0)

    def error(self) -> Any:
        """How far it may be off, for each part of the value."""
        return self.errors[:, 0].sum(axis=0)

    def replace(self, chosen: Any, low: Any, high: Any, values: Any, errors: Any, axes: Any) -> None:
        """Put pieces in the places of the chosen boxes: first all first ones, then the others."""
        n = len(chosen)

        def replaced(old: Any, new: Any) -> Any:
            old[chosen] = new[:n]
            return np.concatenate((old, new[n:]))

        self.low, self.high = replaced(self.low, low), replaced(self.high, high)
        self.values, self.errors = replaced(self.values, values), replaced(self.errors, errors)
        if axes is not None:
            self.axes = replaced(self.axes, axes)


@dataclass
class Adaptive:
    """The settings of an integration.

    Attributes
    ----------
    what : str
        Who asks, for messages.
    rtol, atol : float
        An error of ``max(atol, rtol * |integral|)`` is small enough, or one that is half rounding.
    max_evaluations : int
    parts : ndarray of int
        Where, in the row of values, each part begins that must meet the tolerance by itself, in its largest entry.
    """

    what: str
    rtol: float
    atol: float
    max_evaluations: int
    parts: Any = (0,)

    def largest(self, x: Any) -> Any:
        """The size of the largest entry of each part, along the last axis."""
        if len(self.parts) > 1:
            return np.maximum.reduceat(np.abs(x), self.parts, axis=-1)
        return np.abs(x) if x.shape[-1] == 1 else np.abs(x).max(axis=-1, keepdims=True, initial=0)

    def measure(self, sample: Callable[[Any], Any], boxes: Boxes, low: Any, high: Any) -> tuple[Any, Any, Any]:
        """Integrate over the boxes with these corners: values, errors and axes of them."""
        formula, d = product(low.shape[1]), low.shape[1]
        points = len(formula.weights)
        size = 1 if boxes.values is None else max(boxes.values.shape[1], 1)
        chunk = max(1, ENTRIES // (points * size))
        found = []
        for start in range(0, len(low), chunk):
            lo, wide = low[start : start + chunk], (high - low)[start : start + chunk]
            t = (lo + 0.5 * wide)[:, None] + (0.5 * wide)[:, None] * formula.nodes
            x, stretch = boxes.ranges.x(t.reshape(-1, d))
            y = sample(x)
            boxes.evaluations += len(x)
            if stretch is not None:
                y = y * stretch[:, None].astype(y.real.dtype)
            y = y.reshape(len(lo), points, y.shape[-1])
            values, errors = estimate(formula, y, wide[:, 0] if d == 1 else wide.prod(axis=1))
            errors = self.largest(errors)
            axes = None
            if d > 1:
                axes = errors[:, :d].max(axis=2).argmax(axis=1)
                errors = np.stack([errors[:, :d].sum(axis=1), errors[:, d]], axis=1)
            found.append((values, errors, axes))
        if len(found) == 1:
            return found[0]
        values, errors, axes = zip(*found, strict=True)
        return np.concatenate(values), np.concatenate(errors), None if d == 1 else np.concatenate(axes)

    def run(self, sample: Callable[[Any], Any], boxes: Boxes, bar: Progress, report: Callable[[], Any]) -> None:
        """Halve boxes until the error is small enough.

        Parameters
        ----------
        sample : callable
            Values of the function at points of shape ``(n, axes)``: an array of shape ``(n, size)``, not empty.
        boxes : Boxes
            The boxes to begin with; holds what is known at any time.
        bar : Progress
        report : callable
            What an error keeps.

        Raises
        ------
        ConvergenceError
        """
        boxes.values, boxes.errors, boxes.axes = self.measure(sample, boxes, boxes.low, boxes.high)
        d = boxes.low.shape[1]
        while True:
            error, rounding = boxes.errors.sum(axis=0)
            allowed = np.maximum(self.rtol * self.largest(boxes.values.sum(axis=0)), 2 * rounding)
            if self.atol:
                allowed = np.maximum(allowed, self.atol)
            if (error <= allowed).all():
                return
            shares = ((boxes.errors[:, 0] - boxes.errors[:, 1]) / allowed).max(axis=1)  # rounding does not get less
            chosen = _worst(shares)
            pieces = 4 if d == 1 and shares[chosen[0]] > STUBBORN else 2
            low, high, narrow = _cut(boxes, chosen, pieces)
            more = len(low) * len(product(d).weights)
            if narrow.any() or boxes.evaluations + more > self.max_evaluations:
                raise self._stopped(boxes, chosen[narrow.argmax()], bool(narrow.any()), error, allowed, report())
            found = self.measure(sample, boxes, low, high)  # before anything is replaced: it may be interrupted
            boxes.replace(chosen, low, high, *found)
            if bar.live:
                bar.advance(f"error {number_text(float(error.max()), 2)}")

    def _stopped(
        self, boxes: Boxes, worst: int, narrow: bool, error: Any, allowed: Any, reached: Any
    ) -> ConvergenceError:
        """The error for boxes that cannot be halved, or not within the limit of evaluations."""
        part = int(np.argmax(error / np.maximum(allowed, TINY)))
        place = boxes.ranges.describe(boxes.low[worst], boxes.high[worst])
        found, asked = (number_text(float(x[part]), 3) for x in (error, allowed))
        sizes = f"its error is estimated as {found}, where {asked} is allowed"
        if narrow:
            return ConvergenceError(
                f"{self.what} cannot halve the range {place} any more, and {sizes}. The function may not be integrable "
                "there; if it is singular at a point that is no end of the range, give points=[...]. Or ask for less, "
                "with rtol or atol.",
                reached,
            )
        return ConvergenceError(
            f"{self.what} has evaluated the function {boxes.evaluations} times, of {self.max_evaluations} allowed by "
            f"max_evaluations, and {sizes}. Most of it comes from {place}. Cut the range where the function has a kink "
            "or jump, with points=[...]; ask for less, with rtol or atol; or allow more evaluations.",
            reached,
        )


def _cut(boxes: Boxes, chosen: Any, pieces: int) -> tuple[Any, Any, Any]:
    """Boxes cut into equal pieces along an axis each, all first pieces first; and which of them are too narrow."""
    low, high, n = boxes.low[chosen], boxes.high[chosen], len(chosen)
    if low.shape[1] == 1:
        step = (high - low) / pieces
        edges = [low + k * step for k in range(1, pieces)]
        lower, upper = np.concatenate([low, *edges]), np.concatenate([*edges, high])
        return lower, upper, _narrow(boxes, low[:, 0], high[:, 0], step[:, 0], 0)
    axes, rows = boxes.axes[chosen], np.arange(n)
    begin, end = low[rows, axes], high[rows, axes]
    step = (end - begin) / pieces
    lower, upper = np.concatenate([low] * pieces), np.concatenate([high] * pieces)
    for k in range(1, pieces):
        upper[(k - 1) * n + rows, axes] = lower[k * n + rows, axes] = begin + k * step
    return lower, upper, _narrow(boxes, begin, end, step, axes)


def _narrow(boxes: Boxes, begin: Any, end: Any, step: Any, axes: Any) -> Any:
    """Which steps between these ends are too small for floats."""
    size = np.maximum(abs(begin), abs(end))
    if boxes.ranges.sides.count(None) < len(boxes.ranges.sides):
        size = size + boxes.ranges.offset(axes) * (end > 0)
    return step < np.maximum(NARROW * size, NARROWEST)


def _worst(shares: Any) -> Any:
    """The boxes without which the error would be well below what is allowed, worst first."""
    total = shares.sum()
    worst = shares.argmax()
    if total - shares[worst] <= ROOM or len(shares) == 1:
        return np.array([worst])
    order = shares.argsort()[::-1]
    count = int(shares[order].cumsum().searchsorted(total - ROOM)) + 1
    return order[: min(count, TOGETHER)]
