"""Steps from time to time: of a fixed size, or of sizes that an estimate of the error sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..core.errors import ConvergenceError, NotFiniteError, StepTooSmallError, StiffnessError
from ..core.summary import number_text
from .dense import Step
from .ode_system import System
from .solving import watching

SMALLEST = 16
"""A step is at least so many times the spacing of floats at its time."""
STIFF_EVERY, STIFF_SIGNS, CALM_SIGNS = 1000, 15, 6
"""The stiffness test begins every so many steps; so many signs for it, or in a row against it, decide."""
STABLE = 3.0
"""Steps of ``"dopri5"`` times a decay rate must stay below 3.3; the control of the error settles shortly before."""


class Method(Protocol):
    """One method on one system, step after step."""

    forgets: bool
    """Whether what is inside a step can be computed again, to the last digit."""
    error_order: int
    """Of the less accurate of the two results whose difference estimates the error."""

    def begin(self, t: float, y: Any) -> Any:
        """The rate of change at the start of a step."""

    def step(self, t: float, h: float, y: Any) -> Any:
        """The state after a step of size ``h``, tried."""

    def error(self, h: float) -> Any:
        """An estimate of its error."""

    def accept(self) -> None:
        """Go on from it."""

    def memory(self) -> Any:
        """What the way back needs to know of it."""

    def polynomial(self, h: float, memory: Any) -> Any:
        """What is added to the state within it, by powers of the share of the step."""

    def stretch(self, h: float, y1: Any) -> float:
        """An estimate of the step times the largest eigenvalue; 0 where no step is too long to be stable."""


class Walk:
    """A way through time on one system.

    Attributes
    ----------
    path : list of Step
        The accepted steps, if ``keep`` is set; with what the method remembers of each if ``inside``.
    rows : list of ndarray
        The states at the times passed.
    places : list of tuple
        For each time the number of the step it lies in, and its share of that; -1 and 1 at the start.
    t, y
        Where it stands.
    """

    def __init__(
        self, system: System, method: Any, y0: Any, times: Any, inside: bool, dense: bool, max_steps: int
    ) -> None:
        self.system = system
        self.method = method
        self.times: list[float] = times.tolist()
        self.t = self.times[0]
        self.y = y0
        self.keep = False
        self.inside = inside or not method.forgets
        self.dense = dense
        self.max_steps = max_steps
        self.path: list[Step] = []
        self.mesh = [self.t]
        self.rows = [y0]
        self.places: list[tuple[int, float]] = [(-1, 1.0)]
        self.steps = self.rejected = 0
        self.sign = 1.0 if self.times[-1] >= self.t else -1.0

    def run(self, what: str, progress: bool, reached: Callable[[], Any], go: Callable[[Any], None]) -> None:
        """Go, with a bar if there is to be one, and with what was found kept on Ctrl-C."""

        def state() -> str:
            return f"t = {number_text(self.t, 6)} of {number_text(self.times[-1], 6)}"

        with watching(what, 100, progress, reached, state) as bar, np.errstate(over="ignore", invalid="ignore"):
            self.shown = 0
            go(bar)

    def _show(self, bar: Any) -> None:
        """Move the bar to the part of the time that is covered, in percent."""
        covered = int(100 * (self.t - self.times[0]) / (self.times[-1] - self.times[0]))
        while self.shown < covered:
            self.shown += 1
            bar.advance(f"t = {number_text(self.t, 6)}")

    def _take(self, h: float, y1: Any, t1: float) -> None:
        """Accept the step tried last, and give out the states at the times within it."""
        method = self.method
        pending = len(self.rows) < len(self.times) and self.sign * self.times[len(self.rows)] <= self.sign * t1
        if self.keep or pending:
            memory = method.memory()
            polynomial = method.polynomial(h, memory) if self.dense or pending else None
            step = Step(self.t, h, self.y, memory, polynomial)
            if self.keep:
                self.path.append(step if self.inside else Step(self.t, h, self.y))
            while pending:
                at = self.times[len(self.rows)]
                share = 1.0 if at == t1 else (at - self.t) / h
                self.rows.append(y1 if share == 1.0 else step.at(share))
                self.places.append((self.steps, share))
                pending = len(self.rows) < len(self.times) and self.sign * self.times[len(self.rows)] <= self.sign * t1
        method.accept()
        self.steps += 1
        self.t, self.y = t1, y1
        self.mesh.append(t1)

    def _skip(self) -> None:
        """Give out the start again where it is asked for again."""
        while len(self.rows) < len(self.times) and self.times[len(self.rows)] == self.t:
            self.rows.append(self.y)
            self.places.append((-1, 1.0))

    def fixed(self, size: float, bar: Any, reached: Callable[[], Any]) -> None:
        """Steps of one size, or a little less: as many as fit from each time to the next."""
        self._skip()
        while len(self.rows) < len(self.times):
            start, end = self.t, self.times[len(self.rows)]
            count = abs(end - start) / size * (1 - 1e-12)
            if self.steps + count > self.max_steps:
                raise ConvergenceError(self._too_many(f"step={number_text(size, 6)}"), reached())
            n = max(1, math.ceil(count))
            h = (end - start) / n
            for i in range(1, n + 1):
                y1 = self.method.step(self.t, h, self.y)
                if not np.isfinite(y1).all():
                    self._require_finite(reached)
                self._take(h, y1, end if i == n else start + i * h)
                self._show(bar)

    def _require_finite(self, reached: Callable[[], Any]) -> None:
        raise NotFiniteError(
            f"odeint: the solution is not finite after t = {number_text(self.t, 6)}. Take a smaller step, or a method "
            "that sets its steps, 'dopri5'; the function may also return nan or infinite numbers there.",
            reached(),
        )

    def _too_many(self, held: str) -> str:
        return (
            f"odeint took {self.steps} steps to t = {number_text(self.t, 6)} of {number_text(self.times[-1], 6)}; "
            f"with {held}, max_steps={self.max_steps} do not reach the end. Allow more of them, or ask for less: a "
            "larger rtol or step. If the steps are tiny although the solution is smooth, the problem is stiff: take "
            "method='radau'."
        )

    def adaptive(self, rtol: float, atol: float, bar: Any, reached: Callable[[], Any]) -> None:
        """Steps whose estimated error is at most ``atol + rtol |y|``, as a root mean square over the entries."""
        self._skip()
        if len(self.rows) == len(self.times):
            return
        method, system, end = self.method, self.system, self.times[-1]
        power = -1 / (method.error_order + 1)

        def norm(x: Any, scale: Any) -> float:
            x = x / scale
            square = float(x.dot(x))
            if square == math.inf:  # which the entries are not
                return float(np.max(np.abs(x)))
            return math.sqrt(square / x.size) if x.size else 0.0

        first = method.begin(self.t, self.y)
        if not np.isfinite(first).all():
            system.require_finite(self.t, first, reached())
        h = first_step(system, self.t, self.y, first, end, method.error_order, norm, rtol, atol)
        growth, error_before, signs, calm, bad = 10.0, 1e-4, 0, 0, False
        size = np.abs(self.y)
        while len(self.rows) < len(self.times):
            if self.steps + self.rejected >= self.max_steps:
                raise ConvergenceError(self._too_many(f"rtol={rtol}, atol={atol}"), reached())
            smallest = min(SMALLEST * math.ulp(self.t), abs(end - self.t))
            if abs(h) < smallest:
                self._stuck(smallest, bad, reached)
            t1 = self.t + h
            if self.sign * (t1 + 0.01 * h - end) >= 0:
                t1 = end
                h = end - self.t
            y1 = method.step(self.t, h, self.y)
            if y1 is None:
                error, bad = math.inf, False
            else:
                size1 = np.abs(y1)
                error = norm(method.error(h), atol + rtol * np.maximum(size, size1))
                bad = not math.isfinite(error)
            if not error <= 1.0:  # nan too
                h *= max(0.2, 0.9 * error**power) if math.isfinite(error) else 0.2
                growth = 1.0
                self.rejected += 1
                continue
            if (signs or (self.steps + 1) % STIFF_EVERY == 0) and method.stretch(h, y1) > STABLE:
                signs, calm = signs + 1, 0
                if signs == STIFF_SIGNS:
                    self._stiff(h, reached)
            elif signs:
                calm += 1
                if calm == CALM_SIGNS:
                    signs = calm = 0
            self._take(h, y1, t1)
            self._show(bar)
            size = size1
            # A proportional-integral controller: the error before damps what this one asks for (Hairer and Wanner,
            # Solving Ordinary Differential Equations II, IV.2, with their exponents for order 5: 0.17 and 0.04).
            error = max(error, 1e-10)
            h *= min(growth, max(0.2, 0.9 * error ** (power * 0.85) * error_before ** (-power * 0.2)))
            error_before, growth, bad = max(error, 1e-4), 10.0, False

    def _stuck(self, smallest: float, bad: bool, reached: Callable[[], Any]) -> None:
        place = f"t = {number_text(self.t, 17)}"
        if bad:
            raise NotFiniteError(
                f"odeint: the function returns nan or infinite numbers right after {place}, however small the step; or "
                "'radau' finds its derivative to be. Is the equation defined beyond? End the times before, or mend the "
                "function there.",
                reached(),
            )
        raise StepTooSmallError(
            f"odeint: the step fell below {smallest:.1e}, the spacing of floats, at {place}, where the largest entry "
            f"of the state is {number_text(float(np.max(np.abs(self.y))), 6)}. The solution is singular there, or "
            "jumps, or t is too far from 0 for so fast a change. End the times before, or solve for something that "
            "stays finite, such as 1/y.",
            reached(),
        )

    def _stiff(self, h: float, reached: Callable[[], Any]) -> None:
        raise StiffnessError(
            f"odeint: the problem is stiff at t = {number_text(self.t, 6)}. After {self.steps} steps stability, not "
            f"accuracy, holds the step of 'dopri5' at {number_text(abs(h), 3)}. Take method='radau', which is stable "
            "at any step.",
            reached(),
        )


def first_step(
    system: System, t: float, y: Any, rate: Any, end: float, order: int, norm: Any, rtol: float, atol: float
) -> float:
    """A size for the first step, from the size of the state and how fast its rate changes [1]_.

    References
    ----------
    .. [1] E. Hairer, S. P. Nørsett and G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., II.4.
    """
    scale = atol + rtol * np.abs(y)
    d0, d1 = norm(y, scale), norm(rate, scale)
    h0 = min(1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1, abs(end - t))
    h0 = math.copysign(max(h0, math.ulp(t)), end - t)
    later = system(t + h0, y + h0 * rate)
    d2 = norm(later - rate, scale) / abs(h0)
    largest = max(d1, d2)
    if not math.isfinite(largest):
        return h0
    h1 = max(1e-6, abs(h0) * 1e-3) if largest <= 1e-15 else (0.01 / largest) ** (1 / (order + 1))
    return math.copysign(min(100 * abs(h0), h1, abs(end - t)), end - t)
