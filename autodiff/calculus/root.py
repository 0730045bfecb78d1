"""Roots of equations by Newton's method with exact derivatives, themselves differentiable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.checks import require_whole
from ..core.errors import ArgumentError, BracketError, ConvergenceError, DivergenceError, KindError, SingularError
from ..core.node import is_complex
from ..core.summary import data_text, number_text, repr_text
from ..transforms.lift import require_function
from .implicit import implicit_result, in_units, is_singular, units_of, value_and_jacobian
from .iteration import Search, Tolerance, is_finite, not_finite, require_same_shape, size, start_of
from .solving import joined, refuse_compiling, require_choice, watching
from .spelling import only_own_keywords

HALVINGS = 40
"""How often a step that makes things worse is cut in half."""
FAR = 1e12
"""How many times its start an iteration may grow."""
JUMP = 10_000
"""How many times less than at the ends of the bracket is left at a change of sign that is no jump."""


@only_own_keywords
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
        Of a number or an array; returns as many numbers, in one array or a list.  It may close over tensors.  Of
        complex numbers it must be holomorphic.
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
        visited; and such changes of the unknowns, each of its own size, make up for what is left of each equation.  By
        default ``atol=0`` and ``rtol`` is the spacing of the kind of number to the power 2/3 (4e-11 for
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
        If the signs at its ends agree, or it encloses a pole, or a jump of at least 1e-4 of ``|f|`` at its ends.
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
        x0 = start_of("root", x0)
        search: Any = _Newton("root", f, x0, Tolerance("root", x0, rtol, atol, 2 / 3))
    else:
        search = _Bracketed(f, bracket, x0, method, rtol, atol)
    with watching("root", max_steps, progress, search.account, search.state) as bar:
        search.run(max_steps, bar)
    x = implicit_result("root", lambda x: joined(f(x)), search.x)
    return search.account(x) if full_output else x


class _Search(Search):
    """An iteration that asks for derivatives."""

    def derivative(self) -> Any:
        self.evaluations += 1
        with np.errstate(all="ignore"):
            return value_and_jacobian(lambda x: joined(self.f(x)), self.x)[1]


class _Newton(_Search):
    """Newton's method with steps that are cut in half until they help."""

    units: Any = 1.0  # of the equations: in them what is left of one can be compared with what is left of another
    damped = False

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
            slope = self.slope()
            self.step = step = self.full_step(slope)
            scale = scale if scale > 0 else size(step)
            if self.descend(step, slope):
                self.message = "the step is within the tolerance"
                return
            if size(self.x) > FAR * float(scale):
                raise self.error(
                    DivergenceError,
                    f"the points go away without bound: x = {data_text(self.x)} after {len(self.path) - 1} steps, "
                    f"where |f| = {number_text(self.left[-1])}. Start nearer to the root, or give a bracket.",
                )
            bar.advance(f"|f| = {number_text(self.left[-1])}")
        raise self.error(
            ConvergenceError,
            f"no root within max_steps={max_steps}: x = {data_text(self.x)} with |f| = {number_text(self.left[-1])} "
            f"and a last step of {number_text(float(size(self.step)))}. Start nearer to the root, or allow more steps.",
        )

    def slope(self) -> Any:
        """The derivative as a square matrix, or as a number where the unknown is one."""
        slope = self.derivative()
        if not is_finite(slope):
            not_finite("root", slope, f"x = {data_text(self.x)}, as its derivative", self.account())
        if not isinstance(self.x, np.ndarray):
            return slope.item() if isinstance(slope, np.ndarray) else slope
        matrix = slope.reshape(self.x.size, self.x.size)
        if len(self.path) == 1:
            self.units = units_of(matrix, 1)
        return matrix

    def full_step(self, slope: Any) -> Any:
        """Newton's step; a damped one (Levenberg's) where the Jacobian has no inverse."""
        if not isinstance(self.x, np.ndarray):
            if not abs(slope) > 0:
                raise self.error(
                    SingularError,
                    f"the derivative of f is 0 at x = {data_text(self.x)}, where f = {data_text(self.y)}, so that "
                    "Newton's method has nowhere to go. Start elsewhere, or give a bracket.",
                )
            return -self.y / slope
        even, rows, columns = in_units(slope)
        self.damped = is_singular(even)
        if not self.damped:
            return -(np.linalg.solve(even, self.y.ravel() / rows) / columns).reshape(self.x.shape)
        even = slope / self.units[:, None] / columns
        downhill = even.conj().T @ (self.y.ravel() / self.units)
        if not size(downhill) > 0:
            raise self.error(
                SingularError,
                f"the Jacobian has no inverse at x = {data_text(self.x)}, where |f| = {number_text(self.left[-1])}, "
                "and f does not get smaller in any direction. Start elsewhere.",
            )
        square = even.conj().T @ even
        square += np.eye(len(square)) * np.trace(square).real * np.finfo(square.dtype).eps ** 0.5
        return -(np.linalg.solve(square, downhill) / columns).reshape(self.x.shape)

    def descend(self, step: Any, slope: Any) -> bool:
        """Go along a step as far as it helps; true if it is short enough, or if only roundings are left."""
        whole, length, finite = step, self.length(self.y), False
        for k in range(HALVINGS):
            x = self.x + step
            y = self.call(x)
            if is_finite(y):
                finite = True
                after = self.length(y)
                if after <= length * (1 - 2.0 ** -(k + 10)) if isinstance(length, float) else after < length:
                    short = not self.damped and self.is_short(whole, slope, self.tolerance.at(x))
                    self.step = step
                    self.arrive(x, y)
                    return short
                if not self.damped and self.is_short(whole, slope, self.tolerance.at(self.x)):
                    return True
            step = step / 2
        if self.is_short(whole, slope, self.tolerance.half * self.tolerance.largest):
            return True
        if not finite:
            not_finite("root", y, f"x = {data_text(x)} and all along the step to it", self.account())
        raise self.error(
            ConvergenceError,
            f"|f| = {number_text(self.left[-1])} does not get smaller around x = {data_text(self.x)}: it may have a "
            "minimum there that is no root. Start elsewhere; check that there is a root and that f is smooth.",
        )

    def is_short(self, step: Any, slope: Any, allowed: Any) -> bool:
        """Whether the largest entry of a step is allowed, and such changes make up for what is left of each equation.

        The second asks of a small unknown beside a large one that it be found too.
        """
        if not isinstance(step, np.ndarray):
            return bool(abs(step) <= allowed)
        made_up = np.abs(self.y.ravel()) <= np.abs(slope) @ allowed.ravel()
        return size(step) <= size(allowed) and bool(made_up.all())

    def length(self, y: Any) -> Any:
        """How much is left of the equations, in their units."""
        with np.errstate(over="ignore"):
            return float(np.linalg.norm(y.ravel() / self.units)) if isinstance(y, np.ndarray) else abs(y)


class _Bracketed(_Search):
    """Newton's method inside a bracket, which is halved where that does better."""

    def __init__(self, f: Callable[[Any], Any], bracket: Any, x0: Any, method: str, rtol: Any, atol: Any) -> None:
        if not isinstance(bracket, tuple | list | np.ndarray) or len(bracket) != 2:
            raise ArgumentError(f"root got bracket={repr_text(bracket)}; it is a pair of numbers.")
        self.ends = [start_of("root", end, "bracket") for end in bracket]
        if x0 is not None:
            x0 = start_of("root", x0)
        for x in (*self.ends, *([] if x0 is None else [x0])):
            if isinstance(x, np.ndarray) or is_complex(x):
                raise KindError(f"root got {repr_text(x)} beside or in a bracket; a bracket is for one real number.")
            if not is_finite(x):
                raise ArgumentError(f"root got {repr_text(x)} beside or in a bracket; take numbers that are finite.")
        low, high = sorted(self.ends)
        middle = low / 2 + high / 2
        if x0 is not None and not low <= x0 <= high:
            raise ArgumentError(f"root got x0={repr_text(x0)}, which is not inside of bracket={repr_text(bracket)}.")
        start = middle if x0 is None else x0
        super().__init__("root", f, start, Tolerance("root", start, rtol, atol, 1 if method == "bisection" else 2 / 3))
        self.tolerance.largest = max(map(abs, self.ends))
        self.halving = Tolerance("root", self.tolerance.largest, rtol, atol)
        self.newton = method == "newton"

    def run(self, max_steps: int, bar: Any) -> None:
        ends, values = self.ends, []
        for end in ends:
            y = self.call(end)
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
        jumps: list[tuple[Any, Any]] = []  # how wide the bracket was, and how far apart the values at its ends
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
            jumps.append((high - low, sides[1] - sides[0]))
            step = -y / slope if slope and is_finite(slope) else None
            tolerance = self.tolerance.at(self.x)
            if step is None or not low < self.x + step < high or 2 * abs(step) > older:
                step = low / 2 + high / 2 - self.x
                tolerance = self.halving.at(self.x)  # no step of second order is to follow
            older, before = before, abs(step)
            self.step = step
            if abs(step) <= tolerance:
                if JUMP * min(map(abs, sides)) > smallest and _has_jump(jumps):
                    raise self.error(
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
        raise self.error(
            ConvergenceError,
            f"no root within max_steps={max_steps}: it is between {number_text(low, 6)} and {number_text(high, 6)}. "
            "Allow more steps, or a larger tolerance.",
        )


def _has_jump(jumps: list[tuple[Any, Any]]) -> bool:
    """Whether the values at the ends of a bracket stay apart while it gets a thousand times narrower."""
    width, apart = jumps[-1]
    wider = [before for was, before in jumps if was >= 1000 * width]
    return bool(wider) and apart > wider[-1] / 2
