"""Stochastic differential equations: Euler-Maruyama and Milstein on seeded Brownian paths."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.checks import is_finite, require_whole
from ..core.errors import ArgumentError, NotFiniteError, ShapeError
from ..core.figures import axes_for
from ..core.modes import is_recording
from ..core.node import Node, data_of, shape_of
from ..core.spelling import Misspelt
from ..core.summary import number_text, repr_text
from ..ops.joining import stack
from ..ops.reduce import sum as sum_of
from ..ops.shape import astype, reshape
from ..transforms.checkpoint import checkpoint
from ..transforms.first_order import linearize
from ..transforms.lift import require_function
from .brownian import BrownianPath, draw_paths, increasing
from .solving import joined, plain_data, refuse_compiling, require_choice, require_finite, require_real, watching
from .spelling import only_own_keywords

Function = Callable[[float, Any], Any]

METHODS = ("euler-maruyama", "milstein")
NOISES = ("diagonal", "general")
GRADIENTS = ("tape", "checkpoint")


@dataclass(frozen=True, eq=False)
class SdeSolution:
    """What :func:`sdeint` returns with ``full_output=True``.

    Attributes
    ----------
    times : ndarray
        Those reached: all that were asked for, unless somebody pressed Ctrl-C or the solution broke down.
    y : Tensor or ndarray
        The solution, the first axis over the times.
    path : BrownianPath
        What drove it; ``sdeint(..., path=solution.path)`` computes on the same path again.
    method : str
    steps : int
        Taken so far.
    evaluations : int
        Of ``drift``, and as many of ``diffusion``; Milstein's method asks that a few times more, to check it.
    """

    times: Any
    y: Any
    path: BrownianPath = field(repr=False)
    method: str
    steps: int
    evaluations: int

    t = Misspelt("SdeSolution", "t", "solution.times")

    def __str__(self) -> str:
        first, last = (number_text(float(t), 6) for t in self.times[[0, -1]])
        return (
            f"{self.method} from t = {first} to {last}: {self.steps:,} steps, {self.evaluations:,} evaluations, "
            f"{len(self.times):,} times of shape {tuple(shape_of(self.y)[1:])}"
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the solution over time, one curve an entry, the first 50 if there are more; return the axes."""
        return draw_paths(axes_for("SdeSolution.plot", ax), self.times, plain_data(self.y), "y")


@only_own_keywords
def sdeint(
    drift: Function,
    diffusion: Function,
    y0: Any,
    times: Any,
    *,
    method: str = "euler-maruyama",
    noise: str = "diagonal",
    step: float | None = None,
    max_steps: int = 1_000_000,
    rng: Any = None,
    path: BrownianPath | None = None,
    gradient: str = "tape",
    progress: bool = False,
    full_output: bool = False,
) -> Any:
    r"""Solve the stochastic differential equation :math:`dy = a(t, y)\,dt + b(t, y)\,dW`, in the sense of Itô.

    One step of length :math:`h`, in which the Brownian path moves by :math:`\Delta W` [1]_:

    - ``"euler-maruyama"``: :math:`y + a h + b \Delta W`.  Strong order 1/2 (the mean distance from the exact solution
      on the same path shrinks as :math:`\sqrt h`), weak order 1 (errors of expectations shrink as :math:`h`).  Where
      the noise is additive, with :math:`b` independent of :math:`y`, the strong order is 1 too.
    - ``"milstein"``: adds :math:`\tfrac12 b b' (\Delta W^2 - h)`, with :math:`b'` from the engine.  Strong and weak
      order 1.

    The solution can be differentiated along each path, in both modes and to any order, by ``y0`` and by all that the
    two functions close over: these pathwise gradients are those of the discrete solution, exactly.

    Parameters
    ----------
    drift, diffusion : callable
        The functions :math:`a` and :math:`b` of ``(t, y)``, ``t`` a float and ``y`` of the shape of ``y0``.  ``drift``
        returns that shape; ``diffusion`` too, or what broadcasts to it, unless ``noise="general"``.
    y0 : number or array_like
        The start.  Leading axes hold many paths at once.
    times : sequence of two or more increasing numbers
        Where the solution is wanted, in the unit of time that ``drift`` is a rate per; starts at the first.
    method : {"euler-maruyama", "milstein"}
    noise : {"diagonal", "general"}
        Diagonal: each entry of ``y`` has its own Brownian motion.  General: ``y`` has shape ``(..., n)`` and
        ``diffusion`` returns ``(..., n, m)`` or ``(n, m)``, the effects of ``m`` Brownian motions on the ``n`` entries.
    step : float, optional
        The longest step.  Each range between two times is cut into 1, 2, 4, 8, ... equal steps, as few as are short
        enough.  Without it, one step each.
    max_steps : int
        More are refused before the first.
    rng : None, int or Generator
        The seed of the Brownian path: the same seed and ``times`` give the same path, whatever the step.
    path : BrownianPath, optional
        The Brownian path itself, in place of ``rng``.
    gradient : {"tape", "checkpoint"}
        Whether all steps stay on the tape, or are computed again when differentiated: the memory of about twice the
        root of their number, for one more solution.
    progress : bool
        Show a bar.
    full_output : bool
        Return a :class:`SdeSolution`.

    Returns
    -------
    Tensor, ndarray or SdeSolution
        The solution at ``times``, which are its first axis; the first entry is ``y0``.

    Raises
    ------
    NotFiniteError
        If a function returns nan or an infinite number, or the solution overflows; ``reached`` holds the times before.
    ArgumentError, ShapeError, KindError
        If an argument cannot be used.  Milstein's method refuses general noise, and diagonal noise whose strength in
        one entry depends on another entry: there it would need more than the increments of the path.
    InterruptedSolverError
        On Ctrl-C; ``reached`` holds the times before.

    References
    ----------
    .. [1] P. E. Kloeden and E. Platen, Numerical Solution of Stochastic Differential Equations, Springer (1992),
       sections 10.2 and 10.3.

    Examples
    --------
    The mean of 10,000 paths that drift at 5 % a year and end after a year, and its derivative by that drift:

    >>> import numpy as np
    >>> import autodiff as ad
    >>> from autodiff.calculus import sdeint
    >>> def mean(mu):
    ...     y = sdeint(lambda t, y: mu * y, lambda t, y: 0.2 * y, np.ones(10_000), [0, 1], step=1 / 16, rng=0)
    ...     return y[-1].mean()
    >>> value, slope = ad.value_and_grad(mean)(0.05)
    >>> np.round([value, slope, np.exp(0.05)], 2)
    array([1.05, 1.05, 1.05])
    """
    refuse_compiling("sdeint")
    require_function(drift, "sdeint")
    require_function(diffusion, "sdeint")
    require_choice("sdeint", method=(method, METHODS), noise=(noise, NOISES), gradient=(gradient, GRADIENTS))
    if method == "milstein" and noise == "general":
        raise ArgumentError(
            "sdeint got method='milstein' with noise='general'; it needs noise='diagonal'. Use 'euler-maruyama'."
        )
    t = increasing("sdeint", times)
    if step is not None and (not is_finite(step) or step <= 0):
        raise ArgumentError(f"sdeint got step={repr_text(step)}; it is a finite number above 0, or None.")
    require_whole("sdeint", max_steps=max_steps)
    with np.errstate(over="ignore"):
        cuts = np.ones(len(t) - 1) if step is None else np.maximum(np.diff(t) / float(step), 1)
        halved = np.exp2(np.ceil(np.log2(cuts) - 1e-9))
    if halved.sum() > max_steps:
        raise ArgumentError(
            f"sdeint would take {halved.sum():,.7g} steps, more than max_steps={max_steps:,}. Take a longer step."
        )
    parts = [int(n) for n in halved]
    y0 = _start(y0)
    stepper = _Stepper(drift, diffusion, method, noise)
    shape = stepper.prepare(float(t[0]), y0)
    if path is None:
        path = BrownianPath(t, shape, rng)
    else:
        _require_path(path, rng, t, shape)
    found = [y0]

    def reached() -> SdeSolution:
        return SdeSolution(t[: len(found)], stack(found), path, method, stepper.steps, stepper.steps + 1)

    piece = math.isqrt(sum(parts)) + 1 if gradient == "checkpoint" and is_recording() else None
    with watching("sdeint", sum(parts), progress, reached, lambda: f"t = {number_text(stepper.t, 6)}") as bar:
        stepper.reached, stepper.advance = reached, bar.advance
        y = y0
        for a, b, n in zip(t[:-1].tolist(), t[1:].tolist(), parts, strict=True):
            for grid in _pieces(a, b, n, piece or n):
                y = checkpoint(stepper.run)(path, grid, y) if piece else stepper.run(path, grid, y)
            found.append(y)
        stepper.advance = lambda: None  # what a checkpoint computes again is no progress
        solution = reached()
    return solution if full_output else solution.y


def _start(y0: Any) -> Any:
    """The start, as a tensor if it is tracked, else as an array of floats."""
    y0 = joined(y0)
    require_real("sdeint", y0=y0)
    data = np.array(plain_data(y0))
    if not np.all(np.isfinite(data)):
        raise ArgumentError(f"sdeint got y0={repr_text(data)}; it is made of finite numbers.")
    y = reshape(y0, data.shape) if isinstance(y0, Node) and y0.tracked and is_recording() else data
    return y if data.dtype.kind == "f" else astype(y, float)


def _require_path(path: Any, rng: Any, t: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(path, BrownianPath):
        raise ArgumentError(f"sdeint got path={repr_text(path)}; it is a BrownianPath.")
    if rng is not None:
        raise ArgumentError("sdeint got both a path and rng; the path has its own seed. Leave rng away.")
    if path.shape != shape:
        raise ShapeError(f"sdeint got a path of shape {path.shape}, but the noise has shape {shape}. Make it of that.")
    if not (path.times[0] <= t[0] and t[-1] <= path.times[-1]):
        raise ArgumentError(f"sdeint got times from {t[0]:g} to {t[-1]:g}, but {path!r}. Give one that encloses them.")


def _pieces(a: float, b: float, n: int, most: int) -> Iterator[list[float]]:
    """The times of ``n`` equal steps from ``a`` to ``b``, in pieces of at most so many steps."""
    for first in range(0, n, most):
        last = min(first + most, n)
        yield [a + (b - a) * (k / n) for k in range(first, last)] + [b if last == n else a + (b - a) * (last / n)]


class _Stepper:
    """One equation and the method that solves it."""

    def __init__(self, drift: Function, diffusion: Function, method: str, noise: str) -> None:
        self.drift: Function = lambda t, y: joined(drift(t, _own(y)))
        self.diffusion: Function = lambda t, y: joined(diffusion(t, _own(y)))
        self.milstein = method == "milstein"
        self.general = noise == "general"
        self.steps = 0
        self.t = 0.0
        self.reached: Callable[[], Any] = lambda: None
        self.advance: Callable[[], None] = lambda: None

    def prepare(self, t: float, y: Any) -> tuple[int, ...]:
        """The shape of the noise; what the functions return at the start is checked."""
        self.t = t
        shape = shape_of(y)
        a, b = plain_data(self.drift(t, y)), plain_data(self.diffusion(t, y))
        require_real("sdeint", drift=a, diffusion=b)
        self._require_finite(t, a, b)
        if not _fits(np.shape(a), shape):
            raise ShapeError(f"sdeint: drift returned shape {np.shape(a)} for y of shape {shape}. Return that shape.")
        if self.general:
            if not shape:
                raise ShapeError("sdeint got noise='general' with a single number as y0; give it an axis, as [y0].")
            if np.ndim(b) < 2 or np.shape(b)[-2] != shape[-1] or not _fits(np.shape(b)[:-2], shape[:-1]):
                raise ShapeError(
                    f"sdeint: diffusion returned shape {np.shape(b)} for y of shape {shape}. With noise='general' it "
                    f"is {(*shape, 'm')} for m Brownian motions."
                )
            return (*shape[:-1], np.shape(b)[-1])
        if not _fits(np.shape(b), shape):
            raise ShapeError(
                f"sdeint: diffusion returned shape {np.shape(b)} for y of shape {shape}. Return that shape, or pass "
                "noise='general' for a matrix of effects."
            )
        return shape

    def _require_own_noise(self, t: float, y: Any) -> None:
        """Raise if the strength of the noise of an entry is seen to depend on another entry of ``y``."""
        _, push = self._linearized(t, y)
        v = np.random.default_rng(0).uniform(1, 2, y.shape).astype(y.dtype)
        own, mixed = plain_data(push(np.ones_like(y))) * v, plain_data(push(v))
        if not np.allclose(own, mixed, rtol=1e-4, atol=0):
            raise ArgumentError(
                "sdeint got method='milstein' with noise of one entry that depends on another entry of y, as at t = "
                f"{number_text(t, 6)}; there its correction is not enough. Use method='euler-maruyama'."
            )

    def run(self, path: BrownianPath, grid: list[float], y: Any) -> Any:
        """The solution at the end of ``grid``, whose steps it takes from ``y``."""
        shape, dtype = shape_of(y), data_of(y).dtype
        before = path(grid[0])
        for t, after in itertools.pairwise(grid):
            self.t = t
            if self.milstein and self.steps & (self.steps - 1) == 0:  # after 0, 1, 2, 4, 8, ... steps
                self._require_own_noise(t, plain_data(y))
            h, w = after - t, path(after)
            dw = (w - before).astype(dtype)
            before = w
            a = self.drift(t, y)
            b, push = self._linearized(t, y) if self.milstein else (self.diffusion(t, y), None)
            with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is an error of its own
                change = sum_of(b * dw[..., None, :], axis=-1) if self.general else b * dw
                if push is not None:
                    along = b if shape_of(b) == shape else b + np.zeros(shape, dtype)
                    change = change + 0.5 * push(along) * (dw * dw - dtype.type(h))
                new = y + a * h + change
            data = plain_data(new)
            if not np.isfinite(data).all():
                self._require_finite(t, plain_data(a), plain_data(b))
                raise NotFiniteError(
                    f"sdeint: the solution overflowed in the step from t = {number_text(t, 6)}. Take a shorter step, "
                    "or an equation whose solution stays finite.",
                    self.reached(),
                )
            if data.shape != shape:
                raise ShapeError(
                    f"sdeint: the functions returned shapes {shape_of(a)} and {shape_of(b)} at t = "
                    f"{number_text(t, 6)} for y of shape {shape}. Return the same shapes at all times."
                )
            y = new if isinstance(new, Node) and new.tracked else data
            if data.dtype != dtype:
                require_real("sdeint", y=data)
                y = astype(y, dtype)
            self.steps += 1
            self.advance()
        return y

    def _linearized(self, t: float, y: Any) -> tuple[Any, Any]:
        """The diffusion, and its derivative as a function of a direction."""
        return linearize(lambda y: self.diffusion(t, y), y)

    def _require_finite(self, t: float, a: Any, b: Any) -> None:
        for name, x in (("drift", a), ("diffusion", b)):
            require_finite(f"sdeint, {name}", x, f"t = {number_text(t, 6)}", self.reached())


def _own(y: Any) -> Any:
    """A state that a function may write into."""
    return y.copy() if isinstance(y, np.ndarray) else y


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False
