"""Differential equations: ``odeint``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from copy import copy
from typing import Any

import numpy as np

from ..core.checks import is_finite, require_whole
from ..core.errors import ArgumentError
from ..core.modes import is_recording, no_grad
from ..core.node import Node, data_of
from ..core.summary import repr_text
from ..ops.joining import stack
from ..ops.shape import reshape
from ..transforms.lift import require_function
from .adjoint import Adjoint
from .dense import Trajectory, places_of
from .leapfrog import Leapfrog
from .linearized import Stages
from .ode_gradients import Solved
from .ode_system import System, one_state
from .radau import Radau
from .runge_kutta import DOPRI5, RK4, Explicit
from .solving import plain_data, refuse_compiling, require_choice, require_finite, require_real
from .spelling import only_own_keywords
from .stepping import Walk

METHODS: dict[str, Callable[..., Any]] = {
    "dopri5": lambda system, rtol, atol: Explicit(DOPRI5, system),
    "rk4": lambda system, rtol, atol: Explicit(RK4, system),
    "leapfrog": lambda system, rtol, atol: Leapfrog(system),
    "radau": Radau,
}
GRADIENTS = ("tape", "checkpoint", "adjoint")
STAGED = ("dopri5", "rk4")
"""The methods of which every stage is known from the states and the rates kept."""
FIXED = ("rk4", "leapfrog")
"""The methods whose steps have one size, which must be given."""


@only_own_keywords
def odeint(
    f: Callable[..., Any],
    y0: Any,
    times: Any,
    *,
    method: str = "dopri5",
    rtol: float = 1e-6,
    atol: float = 1e-9,
    step: float | None = None,
    gradient: str = "tape",
    max_steps: int = 100_000,
    progress: bool = False,
    full_output: bool = False,
) -> Any:
    """Solve the differential equation ``dy/dt = f(t, y)`` from ``y0`` at ``times[0]``; return ``y`` at all ``times``.

    The result can be differentiated, to any order and in both modes, by ``y0``, by ``times`` and by whatever ``f``
    closes over, such as parameters.  The derivative by a time is ``f`` there, exact up to the fifth order.

    Parameters
    ----------
    f : callable
        Takes a number ``t`` and a state like ``y0``; returns its rate of change, in the structure and shapes of ``y0``,
        where lists of numbers do for arrays, and in units of the state per unit of time.  It may be written with NumPy;
        to be differentiated by what it closes over it must compute the same when called again.
    y0 : number, array or nested structure of them
        The state at the first time: an array, or a list of numbers, which counts as one; or any tuple, list or dict of
        arrays, as which ``f`` sees it and the solution is built.  The precision of arrays is kept, from float32 up; all
        else is computed in float64.
    times : array_like
        At least one, going up or down.  The solution steps past them and interpolates: many times cost little.
    method : {"dopri5", "rk4", "leapfrog", "radau"}
        ``"dopri5"``: explicit, of order 5, its steps set by an embedded method of order 4 [1]_; between the steps an
        interpolant of order 4.
        ``"rk4"``: explicit, of order 4, with fixed steps.
        ``"leapfrog"``: symplectic, of order 2, with fixed steps, for motion over long times: the energy errs, but does
        not drift.  ``y0`` is a pair (positions, velocities), and of the pair that ``f`` returns the first depends on
        the velocities only, the second on the positions only.
        ``"radau"``: implicit, of order 5, L-stable, for stiff problems, its steps set by an embedded method of
        order 3 [2]_; between the steps a polynomial of order 3.  It takes the Jacobian of ``f`` from the tape, so ``f``
        must be one that can be differentiated.
    rtol, atol : float
        A step is accepted if its estimated error is at most ``atol + rtol |y|``, as a root mean square over the entries
        of the state.  What errors of steps add up to depends on the equation.  For the methods that set their steps.
    step : float, optional
        The largest step of the fixed-step methods, in units of time; each interval of ``times`` is cut evenly.
    gradient : {"tape", "checkpoint", "adjoint"}
        ``"tape"``: the exact derivative of the steps that were taken, whose inside is kept: fastest.
        ``"checkpoint"``: the same numbers; one state is kept for each step (with ``"radau"`` its stages too), and what
        is inside is computed again.
        ``"adjoint"``: the adjoint equation, solved backwards by the same method [3]_.  Nothing is kept of the steps;
        the gradient errs as the solution does.  Not for ``"leapfrog"``.
        The sizes of the steps are not differentiated.
    max_steps : int
        Of steps tried, also those of which the error was too large.
    progress : bool
        Show a bar of the time covered, in percent.
    full_output : bool
        Return a :class:`Trajectory`, which can be called with any time between.  All steps are kept for it.

    Returns
    -------
    array or nested structure of arrays
        The states, along a leading axis; or a :class:`Trajectory`.

    Raises
    ------
    ArgumentError, KindError, ShapeError
        If an argument cannot be used, or ``f`` returns what is not built as ``y0``.
    StepTooSmallError
        Where the step falls to 16 times the spacing of floats: the solution is singular, or jumps.
    StiffnessError
        If an explicit method is held by stability: of 1000 steps, 15 in near succession were at its bound.
    NotFiniteError
        If ``f`` returns nan or infinite numbers, however small the step; with ``"radau"`` its derivative too.
    ConvergenceError
        If ``max_steps`` do not reach the last time.
    InterruptedSolverError
        On Ctrl-C.  All of these but the first keep the solution so far, a :class:`Trajectory`, in ``reached``.
    TapeError
        When differentiated, if ``f`` gives other rates when it is called again than it did.

    References
    ----------
    .. [1] J. R. Dormand and P. J. Prince, J. Comp. Appl. Math. 6 (1980) 19-26.
    .. [2] E. Hairer and G. Wanner, Solving Ordinary Differential Equations II, 2nd ed. (1996), IV.8.
    .. [3] R. T. Q. Chen et al., Neural Ordinary Differential Equations, NeurIPS 2018.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff.calculus import odeint
    >>> odeint(lambda t, y: -2 * y, 1.0, [0.0, 0.5, 1.0])  # exp(-2 t)
    array([1.        , 0.367879..., 0.135335...])
    >>> ad.grad(lambda rate: odeint(lambda t, y: -rate * y, 1.0, [0.0, 1.0])[-1])(2.0)  # -exp(-2)
    -0.135335...
    """
    refuse_compiling("odeint")
    require_function(f, "odeint")
    require_choice("odeint", method=(method, tuple(METHODS)), gradient=(gradient, GRADIENTS))
    _require_options(method, gradient, rtol, atol, step, max_steps)
    moments = _moments(times)
    if method != "leapfrog":  # there a list is a pair
        y0 = one_state(y0)
    system = System(f, y0)
    atol = max(float(atol), float(np.finfo(system.dtype).tiny))  # an entry of 0 has a scale too
    first = start = system.pack(y0)
    plain_start = np.array(plain_data(start), system.dtype)
    require_finite("odeint", plain_start, "y0")

    nodes: Any = times if isinstance(times, list | tuple | Node) else moments
    if _tracked(nodes[0]):
        start = _move(system, nodes[0], moments[0] - nodes[0], start)
    recording = bool(is_recording())
    wanted = recording and _tracked(start)
    inputs: tuple[Node, ...] = ()
    stages = None
    at_once = gradient == "tape" and method in STAGED
    walk: Walk

    def again(f: Callable[..., Any], y0: Any, times: Any) -> Any:
        options: Any = {"method": method, "rtol": rtol, "atol": atol, "step": step, "max_steps": max_steps}
        return odeint(f, y0, times, gradient="adjoint", **options)

    def reached() -> Trajectory:
        return trajectory(np.array([*moments[: len(walk.rows)], walk.t]), np.stack([*walk.rows, walk.y]))

    def trajectory(t: Any, rows: Any) -> Trajectory:
        return Trajectory(
            t,
            system.unpack(rows),
            method,
            walk.steps,
            walk.rejected,
            system.evaluations,
            np.array(walk.mesh),
            walk.path if full_output else [],
            states,
            system.unpack,
        )

    def differentiable(rows: Any, way: Walk) -> Any:
        """The states at the times of ``way`` as a function of all that they depend on."""
        if not (wanted or inputs):
            return rows
        rule: Solved | Adjoint
        if gradient == "adjoint":
            rule = Adjoint(system, way.times, start, rows[-1], again)
        else:
            rule = Solved(system, way.method, way, start, stages, gradient == "checkpoint")
        return rule.result(rows, (start, *inputs) if wanted else inputs)

    def states(t: Any) -> Any:
        """The states at any times within the steps."""
        asked = np.asarray(data_of(t), float).ravel()
        along, back = np.unique(walk.sign * asked, return_inverse=True)
        way = copy(walk)
        way.times = [moments[0], *(walk.sign * along)]
        way.places = places_of(walk.path, np.array(way.times))
        rows = np.stack([plain_start if i < 0 else walk.path[i].at(share) for i, share in way.places])
        return _at_nodes(system, asked, reshape(t, -1), differentiable(rows, way)[1:][back])

    def needs_steps() -> bool:
        """Whether the steps are to be kept, as far as is known yet of what ``f`` closes over."""
        return full_output or (recording and gradient != "adjoint" and (wanted or system.met))

    def go(bar: Any) -> None:
        walk.method.begin(walk.t, walk.y)
        walk.keep = needs_steps()
        # At once: what f closes over is looked for afterwards.  Where it returns a plain number, leaving the tape is
        # still to be an error.
        with no_grad() if at_once and system.met else nullcontext():
            if step is not None:
                walk.fixed(step, bar, reached)
            else:
                walk.adaptive(rtol, atol, bar, reached)

    for _ in range(2):
        stepper = METHODS[method](system, rtol, atol)
        inside = full_output or gradient == "tape"
        walk = Walk(system, stepper, plain_start, moments, inside, dense=full_output, max_steps=max_steps)
        walk.run("odeint", progress, reached, go)
        if walk.keep or not needs_steps():  # else f used a tensor only later on
            break

    if at_once and recording and walk.path and (wanted or system.met):
        stages = Stages(walk.method, walk.path, system)
    inputs = system.inputs() if stages is None else stages.inputs() if system.met else ()
    rows = differentiable(np.stack(walk.rows), walk)
    if _any_tracked(nodes):
        rows = stack([first, *_at_nodes(system, moments[1:], nodes[1:], rows[1:])])
    return trajectory(moments, rows) if full_output else system.unpack(rows)


def _tracked(x: Any) -> bool:
    return isinstance(x, Node) and bool(x.tracked)


def _any_tracked(times: Any) -> bool:
    return _tracked(times) or (isinstance(times, list | tuple) and any(_tracked(t) for t in times))


def _at_nodes(system: System, moments: Any, times: Any, rows: Any) -> Any:
    """The states at ``moments``, also as a function of ``times``, of which those are the numbers."""
    if not len(moments) or not _any_tracked(times):
        return rows
    return stack([_move(system, t, times[k] - t, rows[k]) for k, t in enumerate(moments)])


def _move(system: System, t: Any, h: Any, y: Any) -> Any:
    """The state after a step of size zero: the derivatives by its ends are those of the solution, up to order 5."""
    return Explicit(DOPRI5, system).record(t, h, y)[0]


def _require_options(method: str, gradient: str, rtol: Any, atol: Any, step: Any, max_steps: Any) -> None:
    for name, x in (("rtol", rtol), ("atol", atol)):
        if not is_finite(x) or x < 0 or (rtol == 0 and atol == 0):
            raise ArgumentError(
                f"odeint got {name}={repr_text(x)}; tolerances are numbers of at least 0, one of them above."
            )
    require_whole("odeint", max_steps=max_steps)
    if (step is None) == (method in FIXED):
        raise ArgumentError(
            f"odeint got no step; method={method!r} takes steps of one size: give it as step=."
            if step is None
            else f"odeint got step={repr_text(step)}; method={method!r} sets its own by rtol and atol. Leave it away."
        )
    if method == "leapfrog" and gradient == "adjoint":
        raise ArgumentError(
            "odeint got gradient='adjoint' with method='leapfrog', but the adjoint equation is not separable. "
            "Take gradient='checkpoint', or method='dopri5'."
        )
    if step is not None and (not is_finite(step) or step <= 0):
        raise ArgumentError(f"odeint got step={repr_text(step)}; it is a size of time above 0.")


def _moments(times: Any) -> Any:
    """The times as plain numbers."""
    if isinstance(times, list | tuple):
        times = [plain_data(t) for t in times]
    require_real("odeint", times=times)
    moments = np.asarray(plain_data(times), float)
    if moments.ndim != 1 or not moments.size:
        raise ArgumentError(
            f"odeint got times of shape {moments.shape}; they are a list of at least one time, the first that of y0."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.diff(moments, append=moments[:1])  # the last: back to the start
    one_way = np.all(gaps[:-1] >= 0) or np.all(gaps[:-1] <= 0)
    if not one_way or not np.all(np.isfinite(gaps)):
        raise ArgumentError(
            f"odeint got times={repr_text(moments)}; they are finite, and go one way: up, or down. Sort them."
        )
    return moments
