"""Roots of equations by Newton's method with exact derivatives, themselves differentiable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.checks import require_whole
from ..core.errors import ArgumentError, BracketError, ConvergenceError, DivergenceError, KindError, SingularError
from ..core.node import size_of
from ..core.summary import data_text, number_text, repr_text
from ..transforms.lift import require_function
from .implicit import implicit_result, value_and_jacobian
from .iteration import (
    Iteration,
    Tolerance,
    as_one,
    is_finite,
    not_finite,
    plain_call,
    require_same_shape,
    size,
    start_of,
)
from .solving import refuse_compiling, require_choice, watching

HALVINGS = 40
"""How often a step that makes things worse is cut in half."""
FAR = 1e12
"""How many times its start an iteration may grow."""


def root(
    f: Callable[[Any], Any],
    x0: Any = None,
    *,
    bracket: Any = None,
    method: str = "newton",
    rtol: Any = None,
    atol: Any = None,
    max_steps: int = 200,
    full_output: bool = False,
    progress: bool = False,
) -> Any:
    """Where ``f(x) = 0``: Newton's method with the exact Jacobian, or between two numbers of opposite sign.

    The answer can be differentiated by everything that ``f`` closes over, to any order and in both modes, by the
    implicit function theorem: nothing of the search is recorded.

    Parameters
    ----------
    f : callable
        Of a number or an array; returns as many numbers, in one array or a list.  It may close over tensors.
    x0 : number or array_like
        Where to start; with a ``bracket`` it may be left away.  A number may be of any kind: an ``mpf`` is found to
        all its digits, a ``Decimal`` to its context's.
    bracket : pair of numbers, optional
        Where ``f`` of one number has opposite signs.  Newton's steps that leave the bracket, or do not halve the one
        before the last, give way to halving it, so that the root is found in any case [1]_.
    method : {"newton", "bisection"}
        Newton's method has order 2 at a root where the Jacobian has an inverse, order 1 elsewhere.  A step that does
        not make ``|f|`` smaller is cut in half until it does.  Bisection, of order 1, halves a ``bracket``.
    rtol, atol : number
        The last step is at most ``atol + rtol * |x|``, in the largest entry, or a rounding of the largest point
        visited.  By default ``atol=0`` and ``rtol`` is the spacing of the kind of number to the power 2/3 (4e-11 for
        float64): what a step of second order leaves is then beyond the last digit.  For bisection it is the spacing.
    max_steps : int
    full_output : bool
        Return an :class:`~autodiff.calculus.iteration.Iteration`: the root as ``value``, ``fun`` there, ``error``,
        ``steps``, ``evaluations``, ``path``, and ``plot()``.
    progress : bool
        Show a bar.

    Returns
    -------
    number or ndarray, node or Iteration
        Of the kind of the start; a node if ``f`` closes over something that is tracked.

    Raises
    ------
    BracketError
        If the signs at its ends agree, or it encloses a pole or a jump.
    SingularError
        If the Jacobian has no inverse on the way; or at the root, when that is differentiated.
    ConvergenceError, DivergenceError
        If ``max_steps`` are too few or ``|f|`` has a minimum that is no root; if the points go away without bound.
    NotFiniteError
        If ``f`` is not finite at the start, or nowhere along a step.
    InterruptedSolverError
        On Ctrl-C.  All of these keep the way so far in ``reached``.

    References
    ----------
    .. [1] W. H. Press et al., "Numerical Recipes" (2007), section 9.4; J. E. Dennis and R. B. Schnabel, "Numerical
       Methods for Unconstrained Optimization and Nonlinear Equations" (1983), chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff.calculus import root
    >>> root(lambda x: ad.cos(x) - x, 1.0)
    0.739085133215160...
    >>> root(lambda x: [x[0] + x[1] - 3, x[0] * x[1] - 2], np.array([0.0, 5.0]))
    array([1., 2.])
    >>> ad.grad(lambda a: root(lambda x: x**3 - a, 1.0))(8.0)  # 1 / (3 * 2**2)
    0.0833333333333333...
    """
    require_function(f, "root")
    refuse_compiling("root")
    require_whole("root", 1, max_steps=max_steps)
    require_choice("root", method=(method, ("newton", "bisection")))
    if bracket is None:
        if x0 is None or method == "bisection":
            needed = "method='bisection' needs bracket=(a, b)" if x0 is not None else "it needs a start x0"
            raise ArgumentError(f"root: {needed}, or bracket=(a, b) where f(a) and f(b) have opposite signs.")
        search: Any = _Newton(f, start_of("root", x0), rtol, atol)
    else:
        search = _Bracketed(f, bracket, x0, method, rtol, atol)
    with watching("root", max_steps, progress, search.account, search.state) as bar:
        search.run(max_steps, bar)
    x = implicit_result("root", lambda x: as_one(f(x)), search.x)
    return search.account(x) if full_output else x


class _Search:
    """What both ways have in common: the point, the way to it, and the account of it."""

    def __init__(self, f: Callable[[Any], Any], x: Any, rtol: Any, atol: Any, power: float) -> None:
        self.f = f
        self.x = x
        self.y: Any = None
        self.tolerance = Tolerance("root", x, rtol, atol, power)
        self.path: list[Any] = []
        self.left: list[float] = []
        self.step: Any = None
        self.evaluations = 0
        self.message = "not done"

    def call(self, x: Any) -> Any:
        self.evaluations += 1
        return plain_call(self.f, x)

    def derivative(self) -> Any:
        self.evaluations += 1
        with np.errstate(all="ignore"):
            return value_and_jacobian(lambda x: as_one(self.f(x)), self.x)[1]

    def arrive(self, x: Any, y: Any) -> None:
        self.x, self.y = x, y
        self.path.append(x)
        self.left.append(float(size(y)))

    def account(self, value: Any = None) -> Iteration:
        error = 0.0 if self.step is None else float(size(self.step))
        value = self.x if value is None else value
        steps = max(0, len(self.path) - 1)
        return Iteration(value, self.y, error, steps, self.evaluations, self.message, self.path, self.left)

    def state(self) -> str:
        return f"step {len(self.path)}, x = {data_text(self.x)}"

    def refuse(self, kind: Any, text: str) -> None:
        raise kind(f"root: {text}", self.account())


class _Newton(_Search):
    """Newton's method with steps that are cut in half until they help."""

    def __init__(self, f: Callable[[Any], Any], x: Any, rtol: Any, atol: Any) -> None:
        super().__init__(f, x, rtol, atol, 2 / 3)

    def run(self, max_steps: int, bar: Any) -> None:
        y = self.call(self.x)
        require_same_shape("root", y, self.x, "It takes as many equations as unknowns; for more use ad.least_squares.")
        if not is_finite(y):
            not_finite("root", y, f"the start x = {data_text(self.x)}", None)
        self.arrive(self.x, y)
        scale = size(self.x)
        for _ in range(max_steps):
            if not size(self.y) > 0:
                self.message = "the equations hold exactly"
                return
            self.step = step = self.full_step(self.derivative())
            scale = scale if scale > 0 else size(step)
            if self.descend(step) or size(self.step) <= self.tolerance.at(self.x):
                self.message = "the step is within the tolerance"
                return
            if size(self.x) > FAR * float(scale):
                self.refuse(
                    DivergenceError,
                    f"the points go away without bound: x = {data_text(self.x)} after {len(self.path) - 1} steps, "
                    f"where |f| = {number_text(self.left[-1])}. Start nearer to the root, or give a bracket.",
                )
            bar.advance(f"|f| = {number_text(self.left[-1])}")
        self.refuse(
            ConvergenceError,
            f"no root within max_steps={max_steps}: x = {data_text(self.x)} with |f| = {number_text(self.left[-1])} "
            f"and a last step of {number_text(float(size(self.step)))}. Start nearer to the root, or allow more steps.",
        )

    def full_step(self, slope: Any) -> Any:
        """Newton's step; a damped one (Levenberg's) where the Jacobian has no inverse."""
        if not is_finite(slope):
            not_finite("root", slope, f"x = {data_text(self.x)}, as its derivative", self.account())
        if not isinstance(self.x, np.ndarray):
            slope = slope.item() if isinstance(slope, np.ndarray) else slope
            if not abs(slope) > 0:
                self.refuse(
                    SingularError,
                    f"the derivative of f is 0 at x = {data_text(self.x)}, where f = {data_text(self.y)}, so that "
                    "Newton's method has nowhere to go. Start elsewhere, or give a bracket.",
                )
            return -self.y / slope
        n = self.x.size
        matrix, y = slope.reshape(n, n), self.y.reshape(n)
        if np.linalg.cond(matrix) * np.finfo(matrix.dtype).eps < 1:
            return -np.linalg.solve(matrix, y).reshape(self.x.shape)
        downhill = matrix.conj().T @ y
        if not size(downhill) > 0:
            self.refuse(
                SingularError,
                f"the Jacobian has no inverse at x = {data_text(self.x)}, where |f| = {number_text(self.left[-1])}, "
                "and f does not get smaller in any direction. Start elsewhere.",
            )
        damped = matrix.conj().T @ matrix
        damped += np.eye(n) * np.trace(damped).real * np.finfo(matrix.dtype).eps ** 0.5
        return -np.linalg.solve(damped, downhill).reshape(self.x.shape)

    def descend(self, step: Any) -> bool:
        """Go along a step as far as it helps; true if nothing can, since only roundings are left."""
        whole = size(step)
        length = _norm(self.y)
        finite = False
        for k in range(HALVINGS):
            x = self.x + step
            y = self.call(x)
            if is_finite(y):
                finite = True
                if _norm(y) <= length * (1 - 2.0 ** -(k + 10)) if isinstance(length, float) else _norm(y) < length:
                    self.step = step
                    self.arrive(x, y)
                    return False
                if whole <= self.tolerance.at(self.x):
                    return True
            step = step / 2
        if whole <= float(self.tolerance.eps) ** 0.5 * float(self.tolerance.largest):
            return True
        if not finite:
            not_finite("root", y, f"x = {data_text(x)} and all along the step to it", self.account())
        self.refuse(
            ConvergenceError,
            f"|f| = {number_text(self.left[-1])} does not get smaller around x = {data_text(self.x)}: it may have a "
            "minimum there that is no root. Start elsewhere; check that there is a root and that f is smooth.",
        )
        return False


def _norm(y: Any) -> Any:
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(y.ravel())) if isinstance(y, np.ndarray) else abs(y)


class _Bracketed(_Search):
    """Newton's method inside a bracket, which is halved where that does better."""

    def __init__(self, f: Callable[[Any], Any], bracket: Any, x0: Any, method: str, rtol: Any, atol: Any) -> None:
        if not isinstance(bracket, tuple | list | np.ndarray) or len(bracket) != 2:
            raise ArgumentError(f"root got bracket={repr_text(bracket)}; it is a pair of numbers.")
        self.ends = [start_of("root", end, "bracket") for end in bracket]
        if x0 is not None:
            x0 = start_of("root", x0)
        for x in (*self.ends, *([] if x0 is None else [x0])):
            if isinstance(x, np.ndarray | complex):
                raise KindError(f"root got {repr_text(x)} beside or in a bracket; a bracket is for one real number.")
        low, high = sorted(self.ends)
        middle = low + (high - low) / 2
        if x0 is not None and not low <= x0 <= high:
            raise ArgumentError(f"root got x0={repr_text(x0)}, which is not inside of bracket={repr_text(bracket)}.")
        super().__init__(f, middle if x0 is None else x0, rtol, atol, 1.0 if method == "bisection" else 2 / 3)
        self.tolerance.largest = max(map(abs, self.ends))
        self.halving = Tolerance("root", self.tolerance.largest, rtol, atol)
        self.newton = method == "newton"

    def run(self, max_steps: int, bar: Any) -> None:
        ends, values = self.ends, []
        for end in ends:
            y = self.call(end)
            if size_of(y) != 1:
                require_same_shape("root", y, end, "A bracket is for one equation.")
            if not is_finite(y):
                not_finite("root", y, f"x = {data_text(end)}, an end of the bracket", None)
            values.append(y)
            if y == 0:
                self.arrive(end, y)
                self.message = "the equations hold exactly"
                return
        if (values[0] > 0) == (values[1] > 0):
            raise BracketError(
                f"root: f has the same sign at both ends of the bracket: f({number_text(ends[0], 6)}) = "
                f"{number_text(values[0], 6)} and f({number_text(ends[1], 6)}) = {number_text(values[1], 6)}. Take "
                "ends where the signs differ, or a start x0 without a bracket."
            )
        below, above = ends if values[0] < 0 else ends[::-1]
        smallest = min(map(abs, values))
        before = older = abs(above - below)
        sides: list[Any] = sorted(values)
        for _ in range(max_steps):
            y = self.call(self.x)
            if not is_finite(y):
                not_finite("root", y, f"x = {data_text(self.x)}", self.account())
            self.arrive(self.x, y)
            if y == 0:
                self.message = "the equations hold exactly"
                return
            if y < 0:
                below, sides[0] = self.x, y
            else:
                above, sides[1] = self.x, y
            slope = self.derivative() if self.newton else 0
            slope = slope.item() if isinstance(slope, np.ndarray) else slope
            low, high = min(below, above), max(below, above)
            step = -y / slope if slope and is_finite(slope) else None
            tolerance = self.tolerance.at(self.x)
            if step is None or not low < self.x + step < high or 2 * abs(step) > older:
                step = low + (high - low) / 2 - self.x
                tolerance = self.halving.at(self.x)  # no step of second order is to follow
            older, before = before, abs(step)
            self.step = step
            if abs(step) <= tolerance:
                if min(map(abs, sides)) > smallest / 2:
                    self.refuse(
                        BracketError,
                        f"f changes its sign at x = {number_text(self.x, 6)}, but it is no root: f jumps from "
                        f"{number_text(sides[0])} to {number_text(sides[1])} there. Take a bracket without the pole or "
                        "jump.",
                    )
                self.message = "the step is within the tolerance"
                x = self.x + step
                if abs(y := self.call(x)) <= abs(self.y):
                    self.arrive(x, y)
                return
            self.x = self.x + step
            bar.advance(f"|f| = {number_text(self.left[-1])}")
        self.refuse(
            ConvergenceError,
            f"no root within max_steps={max_steps}: it is between {number_text(low, 6)} and {number_text(high, 6)}. "
            "Allow more steps, or a larger tolerance.",
        )
