"""Brownian motion: one path, or many at once, that can be asked at any time and always answers the same."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.axes import COLORS, ink
from ..core.errors import ArgumentError, KindError
from ..core.figures import axes_for
from ..core.node import Node
from ..core.summary import number_text, repr_text
from ..ops.draws import generator
from .solving import joined, plain_data, require_real

MOST_DRAWN = 50
"""Paths in one picture; more would be one blot."""
FEW = 7
"""As many paths have a colour each."""


class BrownianPath:
    r"""A path of Brownian motion (a Wiener process), as a function of time that a seed determines.

    :math:`W(t_0) = 0`, and increments over ranges that do not overlap are independent and normal, with mean 0 and
    variance the length of the range.  Between two known times the path is drawn from the law of a Brownian bridge [1]_:
    halfway from :math:`s` to :math:`t` it is :math:`\tfrac12 (W_s + W_t)` plus a normal number of variance
    :math:`(t - s) / 4`.  Each such number has a seed of its own, from the place in the tree of halvings.  So the answer
    does not depend on what was asked before, a finer step sees the same path, and nothing has to be kept.

    Parameters
    ----------
    times : sequence of two or more increasing numbers
        The path starts at the first and ends at the last.  Times that halve the gaps between these, however often, are
        reached quickest; any other is reached to the spacing of floats, in about 50 draws.
    shape : tuple of int or int
        Of what the path is made of: independent paths, or components, or both.
    rng : None, int or Generator
        The seed, or what to draw it from.

    Raises
    ------
    ArgumentError
        If the times do not increase or are not finite, or the shape has a negative size.

    References
    ----------
    .. [1] X. Li, T.-K. L. Wong, R. T. Q. Chen and D. Duvenaud, "Scalable gradients for stochastic differential
       equations", AISTATS (2020): the virtual Brownian tree.

    Examples
    --------
    >>> import numpy as np
    >>> from autodiff.calculus import BrownianPath
    >>> path = BrownianPath([0.0, 1.0], shape=3, rng=0)
    >>> path(0.25).shape
    (3,)
    >>> again = BrownianPath([0.0, 1.0], shape=3, rng=0)
    >>> bool(np.all(again(0.75) != path(0.25)) and np.all(again(0.25) == path(0.25)))
    True
    """

    def __init__(self, times: Any, shape: int | tuple[int, ...] = (), rng: Any = None) -> None:
        self.times = increasing("BrownianPath", times)
        try:
            self.shape = np.broadcast_shapes(shape)
        except (TypeError, ValueError):
            raise ArgumentError(
                f"BrownianPath got shape={repr_text(shape)}; it is a tuple of sizes, whole numbers of at least 0."
            ) from None
        key = generator(rng).integers(0, 2**64, 2, dtype=np.uint64)
        self._bits = np.random.Philox(key=key)
        self._state: Any = self._bits.state
        self._generator = np.random.Generator(self._bits)
        start = np.zeros(self.shape)
        start.setflags(write=False)
        self._known: list[Any] = [start]
        """The path at the given times, as far as it was asked."""
        self._gap = -1
        self._descent: list[tuple[float, float, Any, Any, int]] = []
        """The halvings that led to the last answer: the next one is mostly near."""
        last = float(np.abs(self.times).max())
        self._spacing = 4 * float(np.spacing(last))

    def __repr__(self) -> str:
        first, last = (number_text(float(t), 6) for t in self.times[[0, -1]])
        return f"BrownianPath of shape {self.shape} from t = {first} to {last}"

    def __call__(self, t: Any) -> Any:
        """The path at time ``t``, an array of the shape of the path (its own: do not change it).

        An array of times, in any order, gives it along leading axes.

        Raises
        ------
        ArgumentError
            If the path does not reach to ``t``.
        KindError
            If ``t`` is tracked, or no real number.
        """
        if not isinstance(t, float):
            t = untracked("BrownianPath", "t", t)
            if t.ndim:
                return np.array([self(x) for x in t.ravel().tolist()]).reshape(t.shape + self.shape)
            t = float(t)
        times = self.times
        if not times[0] <= t <= times[-1]:
            first, last = (number_text(float(x), 6) for x in times[[0, -1]])
            raise ArgumentError(
                f"BrownianPath was asked at t = {number_text(float(t), 6)}, but goes from {first} to {last}. "
                "Give it times that enclose all that is asked."
            )
        gap = min(int(np.searchsorted(times, t, "right")) - 1, times.size - 2)
        if gap != self._gap:
            left, right = self._at(gap), self._at(gap + 1)
            self._gap, self._descent = gap, [(float(times[gap]), float(times[gap + 1]), left, right, 0)]
        descent = self._descent
        while not descent[-1][0] <= t <= descent[-1][1]:
            descent.pop()
        while True:
            a, b, left, right, place = descent[-1]
            if min(t - a, b - t) <= self._spacing or b - a <= 4 * self._spacing:
                return left if t - a <= b - t else right
            middle = 0.5 * (a + b)
            between = self._normal(gap, len(descent), place)
            between *= 0.5 * math.sqrt(b - a)
            between += 0.5 * left
            between += 0.5 * right
            between.setflags(write=False)
            descent.append(
                (a, middle, left, between, 2 * place) if t <= middle else (middle, b, between, right, 2 * place + 1)
            )

    def _at(self, k: int) -> Any:
        """The path at the time number ``k`` of those given."""
        known, times = self._known, self.times
        while len(known) <= k:
            i = len(known) - 1
            step = self._normal(i, 0, 0) * math.sqrt(times[i + 1] - times[i])
            value = np.asarray(known[i] + step)
            value.setflags(write=False)
            known.append(value)
        return known[k]

    def _normal(self, gap: int, level: int, place: int) -> Any:
        """The normal numbers that belong to one place of the tree: the counter of the generator says which."""
        state = self._state
        state["state"]["counter"] = np.array([0, place, level, gap], np.uint64)
        self._bits.state = state
        return np.asarray(self._generator.standard_normal(self.shape))

    def plot(self, ax: Any = None, points: int = 513) -> Any:
        """Draw the paths, the first 50 if there are more; return the Matplotlib axes.

        Parameters
        ----------
        ax : Matplotlib Axes, optional
        points : int
            At how many times to ask.
        """
        ax = axes_for("BrownianPath.plot", ax)
        first, last = self.times[[0, -1]]
        t = first + (last - first) * np.linspace(0, 1, points)
        t[-1] = last
        return draw_paths(ax, t, self(t), "W")


def draw_paths(ax: Any, t: Any, values: Any, name: str) -> Any:
    """Curves over time, and where there are many their mean and the range of the middle 90 %."""
    curves = np.reshape(np.asarray(values, float), (len(t), -1))
    count = curves.shape[1]
    many = count > FEW
    for k, curve in enumerate(curves.T[:MOST_DRAWN]):
        ax.plot(t, curve, lw=0.6 if many else 1.2, alpha=0.5 if many else 1, color=COLORS[0 if many else k])
    if many:
        low, high = np.quantile(curves, [0.05, 0.95], axis=1)
        ax.plot(t, curves.mean(1), color=ink(ax), lw=1.6, label=f"mean of {count:,}")
        ax.plot(t, low, color=ink(ax), lw=1, ls="--", label="90 % lie between")
        ax.plot(t, high, color=ink(ax), lw=1, ls="--")
        ax.legend()
    ax.set(xlabel="t", ylabel=name)
    ax.margins(x=0.01)
    return ax


def increasing(what: str, times: Any) -> Any:
    """The times as an array of floats, checked."""
    t = untracked(what, "times", times)
    if t.ndim != 1 or t.size < 2 or not np.all(np.isfinite(t)) or not np.all(t[:-1] < t[1:]):
        raise ArgumentError(f"{what} got times={repr_text(times)}; they are two or more finite numbers that increase.")
    if not math.isfinite(float(t[-1]) - float(t[0])):
        raise ArgumentError(f"{what} got times={repr_text(times)}; they are too far apart for floats. Scale them down.")
    return t


def untracked(what: str, name: str, t: Any) -> Any:
    """Times as an array of floats of their own, checked to be real numbers that want no gradient."""
    t = joined(t)
    if isinstance(t, Node) and t.tracked:
        raise KindError(f"{what} got tracked {name}, but a path of chance has no slope in time. Give plain numbers.")
    require_real(what, **{name: t})
    return np.array(plain_data(t), float)
