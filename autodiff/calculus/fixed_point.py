"""Fixed points: what a function leaves as it is, by iteration, themselves differentiable."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..core.checks import require_whole
from ..core.errors import ConvergenceError, DivergenceError, SolverError
from ..core.summary import data_text, number_text
from ..transforms.lift import require_function
from .implicit import implicit_result
from .iteration import Search, Tolerance, is_finite, not_finite, require_same_shape, size, start_of
from .solving import joined, refuse_compiling, require_choice, watching
from .spelling import only_own_keywords

FAR = 1e8
"""How many times ``|f(x) - x|`` may grow before the iteration counts as diverging."""


@only_own_keywords
def fixed_point(
    f: Callable[[Any], Any],
    x0: Any,
    *,
    method: str = "anderson",
    memory: int = 5,
    rtol: Any = None,
    atol: Any = None,
    max_steps: int = 1000,
    full_output: bool = False,
    progress: bool = False,
) -> Any:
    """Where ``f(x) = x``, by iteration from ``x0``.

    The answer can be differentiated by everything that ``f`` closes over, to any order and in both modes, by the
    implicit function theorem.

    Parameters
    ----------
    f : callable
        Of a number or an array; returns the same.  It may close over tensors.
    x0 : number or array_like
        Where to start.  Plain iteration takes any kind of number.
    method : {"anderson", "plain"}
        Plain iteration converges linearly, by a factor of the largest absolute eigenvalue of the Jacobian of ``f``, if
        that is below 1.  Anderson's combines the last few steps such that what is left is least [1]_: faster, and
        often where plain iteration diverges; for one number it is the secant method, of order 1.618.
    memory : int
        How many steps Anderson's method combines.
    rtol, atol : number
        At the end ``|f(x) - x| <= atol + rtol * |x|``, in the largest entry, or a few roundings of the largest point
        visited.  By default ``atol=0``, and ``rtol`` is four spacings of the kind of number.
    max_steps : int
    full_output : bool
        Return an :class:`~autodiff.calculus.iteration.Iteration`: the answer as ``value``, ``fun = f(value) - value``,
        ``rate``, ``path`` and more.
    progress : bool
        Show a bar.

    Raises
    ------
    DivergenceError, ConvergenceError
        If the points go away without bound; if ``max_steps`` are too few.  Both name the rate.
    NotFiniteError
        If ``f`` is not finite.
    SingularError
        When the answer is differentiated where the Jacobian of ``f`` has the eigenvalue 1.
    InterruptedSolverError
        On Ctrl-C.  All of these keep the way so far in ``reached``.

    References
    ----------
    .. [1] H. F. Walker and P. Ni, SIAM J. Numer. Anal. 49 (2011) 1715-1735.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff.calculus import fixed_point
    >>> fixed_point(ad.cos, 1.0)
    0.7390851332151...
    >>> a = ad.Value(2.0)
    >>> x = fixed_point(lambda x: (x + a / x) / 2, 1.0)
    >>> x.backward()
    >>> a.grad  # of the square root
    0.35355339...
    """
    require_function(f, "fixed_point")
    refuse_compiling("fixed_point")
    require_whole("fixed_point", 1, max_steps=max_steps, memory=memory)
    require_choice("fixed_point", method=(method, ("anderson", "plain")))
    x0 = start_of("fixed_point", x0)
    tolerance = Tolerance("fixed_point", x0, rtol, atol)
    if rtol is None:
        tolerance.rtol *= 3  # and one more spacing is in the tolerance itself
    search = _Iterate("fixed_point", f, x0, tolerance, memory if method == "anderson" else 0)
    with watching("fixed_point", max_steps, progress, search.account, search.state) as bar:
        search.run(max_steps, bar)
    x = implicit_result("fixed_point", lambda x: x - joined(f(x)), search.x)
    return search.account(x) if full_output else x


class _Iterate(Search):
    """An iteration, and the last remainders, which Anderson's method combines."""

    def __init__(self, what: str, f: Callable[[Any], Any], x: Any, tolerance: Tolerance, memory: int) -> None:
        super().__init__(what, f, x, tolerance)
        self.memory = memory
        self.gaps: list[Any] = []

    def run(self, max_steps: int, bar: Any) -> None:
        for step in range(max_steps + 1):
            y = self.call(self.x)
            require_same_shape("fixed_point", y, self.x, "It must return a number or array like the one it is given.")
            if not is_finite(y):
                if len(self.left) > 2 and self.left[-1] > 10 * min(self.left):
                    raise self.diverged(step)
                not_finite("fixed_point", y, f"x = {data_text(self.x)}", self.account())
            self.step = y - self.x
            self.arrive(self.x, self.step)
            if size(self.step) <= size(self.tolerance.at(self.x)):
                self.message = "f(x) - x is within the tolerance"
                return
            if self.left[-1] > FAR * self.left[0]:
                raise self.diverged(step)
            bar.advance(f"|f(x) - x| = {number_text(self.left[-1])}")
            self.gaps = [*self.gaps[-self.memory :], self.step]
            if step < max_steps:
                self.x = self.next(y)
        raise self.error(
            ConvergenceError,
            f"|f(x) - x| is still {number_text(self.left[-1])} after max_steps={max_steps}, at x = "
            f"{data_text(self.x)}; it changes by a factor of {number_text(self.account().rate)} a step. Allow more "
            "steps or a larger tolerance, or look for the root of f(x) - x with ad.root.",
        )

    def diverged(self, step: int) -> SolverError:
        return self.error(
            DivergenceError,
            f"the points go away without bound: |f(x) - x| grew from {number_text(min(self.left))} to "
            f"{number_text(self.left[-1])} in {step} steps, by a factor of {number_text(self.account().rate)} a step. "
            "Iteration needs a function that draws points together; try method='anderson', another start, or the root "
            "of f(x) - x with ad.root.",
        )

    def next(self, y: Any) -> Any:
        """The next point: ``y = f(x)``, or Anderson's combination of the last ones."""
        count = min(self.memory, len(self.gaps) - 1)
        if not count:
            return y
        gaps, points = self.gaps[-count - 1 :], self.path[-count - 1 :]
        if not isinstance(y, np.ndarray):
            turn = gaps[-1] - gaps[-2]
            if not abs(turn) > 0:
                return y
            return y - gaps[-1] / turn * (points[-1] - points[-2] + turn)
        turns = np.stack([(b - a).ravel() for a, b in pairwise(gaps)], axis=1)
        moves = np.stack([(b - a).ravel() for a, b in pairwise(points)], axis=1)
        weights = np.linalg.lstsq(turns, self.step.ravel(), rcond=None)[0]
        return y - ((moves + turns) @ weights).reshape(y.shape)
