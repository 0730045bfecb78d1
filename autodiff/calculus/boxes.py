"""Adaptive integration over boxes of one to three axes: the worst boxes are halved until the error is small enough."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ConvergenceError, NotFiniteError
from ..core.progress import Progress
from ..core.summary import number_text
from .gauss_kronrod import G10K21, TINY, estimate, product
from .singular_ends import settle

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
NARROWEST = 1e-151
"""Nor are boxes that are narrower than this: the slope of the substitution for infinite ranges overflows there."""
BLIND = (1 - float(G10K21.nodes[-1])) / 2
"""This share of an interval is between its last node and its end."""
SMALLEST = 5e-324
"""The smallest float above 0: beside the end at infinity, which is 0 in ``t``."""


@dataclass(frozen=True)
class Ranges:
    """Where to integrate, and the substitution along each axis: infinite ranges become finite ones.

    Along an axis from ``c`` to infinity, ``t`` in ``[0, 1]`` is ``x = c + t``, and ``t`` in ``[-1, 0)`` all that is
    farther away, ``x = c + 1 / |t|``; both ends are near 0, where floats are dense.  Along an axis without ends,
    ``x = 2 / t - 2 t`` with ``t`` in ``[-1, 1]``, which suits bells whose width is around 1.

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
            if not (left or right) and math.isinf(q - p):
                raise ArgumentError(
                    f"integrate got limits {p} and {q}, which are farther apart than floats reach. Did you mean "
                    "infinite ones?"
                )
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
                s = t[:, i]
                if way:
                    slope = np.divide(-1, s, out=np.ones(len(t)), where=s < 0)
                    x[:, i] = end + way * np.where(s < 0, slope, s)
                    stretch *= slope * slope
                else:
                    x[:, i] = 2 / s - 2 * s
                    stretch *= 2 / s / s + 2
        return x, stretch

    def offset(self, axes: Any, t: Any) -> Any:
        """How far from 0 is what is at 0, where ``t`` is measured from another end along these axes."""
        return np.array([abs(side[0]) if side else 0.0 for side in self.sides])[axes] * (t > 0)

    def t(self, x: float, axis: int) -> float:
        """What is at ``x`` along an axis."""
        side = self.sides[axis]
        if side is None:
            return x
        away = abs(x - side[0])
        if not side[1]:
            return math.copysign(4 / (away + math.hypot(away, 4)), x)
        return away if away < 1 else -1 / away

    def edges(self, points: Sequence[float]) -> list[list[float]]:
        """The ends of the first boxes along each axis; ``points`` cut the first one."""
        found = []
        for i, (p, q, side) in enumerate(zip(self.lower, self.upper, self.sides, strict=True)):
            here = {self.t(x, i) for x in points if p < x < q} if i == 0 else set()
            found.append(sorted(here | ({p, q} if side is None else {-1.0, 0.0, 1.0})))
        return found

    @staticmethod
    def first(edges: list[list[float]]) -> tuple[Any, Any]:
        """The boxes between these ends, as their lower and upper corners."""
        cuts = [list(itertools.pairwise(along)) for along in edges]
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
        with np.errstate(all="ignore"):
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
    rims : ndarray or None
        Along one axis, what the function seems to be at both ends of each box, shape ``(boxes, 2, size)``.
    evaluations : int
    ends : list of float
        Where the function may be singular, along the first axis.
    settled : list of pairs
        Those of them, and on which side, at which a limit was taken.
    """

    def __init__(self, ranges: Ranges, points: Sequence[float] = (), mesh: Any = None) -> None:
        self.ranges = ranges
        edges = ranges.edges(points)
        self.low, self.high = ranges.first(edges) if mesh is None else (x.copy() for x in mesh)
        self.ends = edges[0]
        self.settled: list[tuple[float, int]] = []
        self.values: Any = None
        self.errors: Any = None
        self.axes: Any = None
        self.rims: Any = None
        self.evaluations = 0

    @property
    def value(self) -> Any:
        """The integral so far, its entries in one row."""
        return self.ranges.sign * self.values.sum(axis=0)

    def error(self) -> Any:
        """How far it may be off, for each part of the value."""
        return self.errors[:, 0].sum(axis=0)

    def gaps(self, largest: Callable[[Any], Any]) -> Any:
        """How far a box may be off because of a jump between its last node and its end, for each part.

        The polynomials of two neighbours do not meet then.
        """
        order = self.low[:, 0].argsort()
        left, right = order[:-1], order[1:]
        jumps = largest(self.rims[left, 1] - self.rims[right, 0])
        if len(self.ends) > 2:  # a jump at a point where the range is cut is no error
            jumps[(self.low[right] == self.ends).any(axis=1)] = 0
        found = np.zeros((len(order), jumps.shape[1]))
        found[left] = jumps
        found[right] += jumps
        return found * (BLIND * (self.high - self.low))

    def replace(self, chosen: Any, low: Any, high: Any, values: Any, errors: Any, axes: Any, rims: Any) -> None:
        """Put pieces in the places of the chosen boxes: first all first ones, then the others."""
        n = len(chosen)

        def replaced(old: Any, new: Any) -> Any:
            if n == len(old):
                return new
            old[chosen] = new[:n]
            return np.concatenate((old, new[n:]))

        self.low, self.high = replaced(self.low, low), replaced(self.high, high)
        self.values, self.errors = replaced(self.values, values), replaced(self.errors, errors)
        if axes is not None:
            self.axes = replaced(self.axes, axes)
        else:
            self.rims = replaced(self.rims, rims)


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

    def measure(self, sample: Callable[[Any], Any], boxes: Boxes, low: Any, high: Any) -> tuple[Any, ...]:
        """Integrate over the boxes with these corners: values, errors, axes and rims of them."""
        formula, d = product(low.shape[1]), low.shape[1]
        points = len(formula.weights)
        size = None if boxes.values is None else boxes.values.shape[1]  # is not known before the first box
        start, found = 0, []
        while start < len(low):
            chunk = 1 if size is None else max(1, ENTRIES // (points * max(size, 1)))
            lo, wide = low[start : start + chunk], (high - low)[start : start + chunk]
            t = lo[:, None] + wide[:, None] * formula.shares
            x, stretch = boxes.ranges.x(t.reshape(-1, d))
            y = sample(x)
            boxes.evaluations += len(x)
            if stretch is not None:
                y = y * stretch[:, None].astype(y.real.dtype)
            y = y.reshape(len(lo), points, y.shape[-1])
            with np.errstate(over="ignore", invalid="ignore"):  # sums that overflow are an error of their own
                values, errors, rims = estimate(formula, y, wide[:, 0] if d == 1 else wide.prod(axis=1))
            errors, axes = self.largest(errors), None
            if d > 1:
                axes = errors[:, :d].max(axis=2).argmax(axis=1)
                errors = np.stack([errors[:, :d].sum(axis=1), errors[:, d]], axis=1)
            found.append((values, errors, axes, rims))
            start, size = start + chunk, y.shape[2]
        if len(found) == 1:
            return found[0]
        return tuple(None if parts[0] is None else np.concatenate(parts) for parts in zip(*found, strict=True))

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
            If ``max_evaluations`` are too few, or a box cannot be halved any more.
        NotFiniteError
            If sums of the values overflow.
        """
        boxes.values, boxes.errors, boxes.axes, boxes.rims = self.measure(sample, boxes, boxes.low, boxes.high)
        d = boxes.low.shape[1]
        while True:
            error, rounding = np.add.reduce(boxes.errors)  # sum() would take twice as long, and so on: they are tiny
            if not np.add.reduce(error) < math.inf:
                raise NotFiniteError(
                    f"{self.what}: the function is finite, but its sums are too large for floats. Give it in larger "
                    "units.",
                    report(),
                )
            allowed = np.maximum(self.rtol * self.largest(np.add.reduce(boxes.values)), 2 * rounding)
            if self.atol:
                allowed = np.maximum(allowed, self.atol)
            errors = boxes.errors[:, 0]
            enough = np.logical_and.reduce(error <= allowed)
            if enough:
                if d == 1 and len(boxes.low) > 1:
                    errors = errors + boxes.gaps(self.largest)
                    error = errors.sum(axis=0)
                if (error <= allowed).all():
                    boxes.errors[:, 0] = errors
                    return
            shares = np.maximum.reduce((errors - boxes.errors[:, 1]) / allowed, axis=1)  # rounding does not get less
            chosen = _worst(shares)
            pieces = 4 if d == 1 and shares[chosen[0]] > STUBBORN else 2
            low, high, narrow = _cut(boxes, chosen, pieces)
            more = len(low) * len(product(d).weights)
            stuck = bool(np.logical_or.reduce(narrow))
            if stuck and enough:  # as far as floats tell, the jump is at the end itself
                boxes.errors[:, 0] = errors
                return
            if stuck and d == 1 and settle(boxes, chosen[narrow.argmax()], self.largest, allowed):
                continue
            if stuck or boxes.evaluations + more > self.max_evaluations:
                raise self._stopped(boxes, chosen[narrow.argmax()], stuck, error, allowed, report())
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
        edges = low + step * np.arange(pieces + 1)[:, None, None]
        edges[-1] = high
        return edges[:-1].reshape(-1, 1), edges[1:].reshape(-1, 1), _narrow(boxes, low[:, 0], high[:, 0], step[:, 0], 0)
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
        size = size + boxes.ranges.offset(axes, end)
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
