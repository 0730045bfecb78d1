"""Integrals with an error estimate, differentiable in their limits and in what the function closes over."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.modes import sealing
from ..core.node import Node, data_of, shape_of
from ..core.summary import repr_text
from ..ops.broadcast import broadcast_to
from ..tensor import Tensor
from ..transforms.lift import require_function
from ..value import Value
from .boxes import Adaptive, Boxes, Ranges
from .integral import Integral
from .leibniz import Leibniz
from .monte_carlo import monte_carlo
from .sampling import Sampler
from .solving import joined, plain_data, refuse_compiling, require_choice, require_real, watching
from .spelling import only_own_keywords

RTOL = 1e-8
ATOL = 0.0
MAX_EVALUATIONS = 3_000_000
DRAWS = 10_000
PLAIN = (int, float)


@dataclass
class Problem:
    """An integral to be found: the function, the limits as they were given, and how well.

    Attributes
    ----------
    f : callable
    a, b : float, ndarray or Node
        Single numbers, or rows of one for each axis.
    boxed, vectorized : bool
        What the function takes: rows or numbers; many or one.
    settings : Adaptive
    mesh : pair of ndarray, optional
        The boxes to begin with.
    points : list of float
        Where to cut the first axis otherwise.
    progress : bool
    batched : int
        On how many points to try the function at once, as ``vmap`` does.
    """

    f: Callable[..., Any]
    a: Any
    b: Any
    boxed: bool
    vectorized: bool
    settings: Adaptive
    mesh: Any = None
    points: Sequence[float] = ()
    progress: bool = False
    batched: int = 0

    def solve(self) -> tuple[Any, Boxes]:
        """The value, recorded where it depends on tracked nodes, and the boxes."""
        low, high = (np.array(data_of(x), float, ndmin=1).tolist() for x in (self.a, self.b))
        ranges = Ranges.between(low, high)
        sampler = Sampler(self.f, self.boxed, self.vectorized, self.settings.what, self.batched)
        mesh = self.mesh
        if ranges.empty:
            mesh = [np.array([[x if math.isfinite(x) else 0.0 for x in ranges.lower]])] * 2
        boxes = Boxes(ranges, self.points, mesh)
        with sealing(sampler.start):
            if ranges.empty:
                boxes.values, boxes.errors = np.zeros_like(sampler(boxes.low, ends=True)), np.zeros((1, 2, 1))
                boxes.evaluations = 1
            else:
                self._run(sampler, boxes)
        return self._recorded(sampler, boxes), boxes

    def _run(self, sampler: Sampler, boxes: Boxes) -> None:
        def report() -> Integral | None:
            return None if boxes.values is None else summary(self._shaped(sampler, boxes), boxes)

        def state() -> str:
            return f"{boxes.evaluations} evaluations, with {len(boxes.low)} intervals"

        sampler.report = report
        with watching(self.settings.what, None, self.progress, report, state) as bar:
            self.settings.run(sampler, boxes, bar, report)

    def _shaped(self, sampler: Sampler, boxes: Boxes) -> Any:
        value = boxes.value.reshape(sampler.shape).astype(sampler.dtype, copy=False)
        if sampler.shape or sampler.tensors or isinstance(self.a, Tensor) or isinstance(self.b, Tensor):
            return value
        return value.item() if sampler.dtype in (np.float64, np.complex128) else value[()]

    def _recorded(self, sampler: Sampler, boxes: Boxes) -> Any:
        value = self._shaped(sampler, boxes)
        limits = [x for x in (self.a, self.b) if isinstance(x, Node)]
        if not (sampler.nodes or limits):
            return value[()] if isinstance(value, np.ndarray) else value
        inputs = sampler.closed | {x.index: x for x in limits if x.tracked}
        if not inputs:
            if isinstance(value, np.ndarray):
                return Tensor(value, requires_grad=False)
            y = Value(value)
            y.requires_grad = False
            return y
        rule = Leibniz(self, sampler, boxes)
        return rule.result(value, tuple(inputs.values()))


def summary(value: Any, boxes: Boxes) -> Integral:
    """What is known of an integral."""
    error = float(boxes.error().max(initial=0.0))
    return Integral(value, error, boxes.evaluations, len(boxes.low), "adaptive")


@only_own_keywords
def integrate(
    f: Callable[..., Any],
    a: Any,
    b: Any,
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
    points: Sequence[float] = (),
    vectorized: bool = False,
    method: str = "adaptive",
    n: int = DRAWS,
    rng: Any = None,
    max_evaluations: int = MAX_EVALUATIONS,
    progress: bool = False,
    full_output: bool = False,
) -> Any:
    r"""The integral of ``f`` from ``a`` to ``b``, or over a box: :math:`\int_a^b f(x)\,dx`, differentiably.

    Parameters
    ----------
    f : callable
        ``f(x)`` of one number returns a number or an array of any shape, always the same.  Over a box, ``x`` is an
        array of shape ``(axes,)``.  It may close over tensors and values, and is asked at plain numbers, but for its
        derivatives.  It is never asked at the ends, but for the derivative in a limit.
    a, b : number, or sequence of 1 to 3 numbers
        The limits, in the units of ``x``; ``inf`` and ``-inf`` too, and fractions, which count as floats.  Sequences
        are opposite corners of a box.  With ``a > b`` the integral changes sign.
    rtol, atol : float
        How large the error may be, in the largest entry: ``max(atol, rtol * |integral|)``.  ``atol`` is in units of
        ``f`` times those of ``x``.  An error of which half is rounding is accepted.
    points : sequence of float
        Where ``f`` has kinks, jumps or singularities between the limits; it is not asked there.  For single numbers.
    vectorized : bool
        ``f`` takes many points at once: an array of shape ``(n,)``, over a box ``(n, axes)``, and returns shape
        ``(n, ...)``.  That is faster.
    method : {"adaptive", "monte carlo"}
        For Monte Carlo the limits are finite, and there may be any number of axes.
    n : int
        How many points Monte Carlo draws.
    rng : Generator or seed, optional
        As for ``np.random.default_rng``.
    max_evaluations : int
        How often ``f`` is evaluated at most.
    progress : bool
        Show a bar.
    full_output : bool
        Return an :class:`Integral`, with the error estimate.

    Returns
    -------
    number, ndarray or Node
        Of the shape of ``f(x)``; recorded if a limit, or what ``f`` closes over, is tracked.

    Raises
    ------
    ConvergenceError
        If ``max_evaluations`` is met, or an interval cannot be halved any more.
    NotFiniteError
        If ``f`` returns nan or an infinite number, or its sums overflow.
    InterruptedSolverError
        On Ctrl-C.
    ArgumentError, ShapeError, KindError, CompileError
        Before any work.

    Notes
    -----
    Gauss-Kronrod of 21 points, of 15 along each axis of a box, in intervals that are halved where the error is largest
    [1]_: of order 32 and 24 in the length of an interval, if ``f`` is that smooth.  Infinite ranges are made finite by
    ``x = c + 1 / t``, those without ends by ``x = 2 / t - 2 t``.  The error counts a jump between a node and the end,
    where the polynomials of neighbours do not meet.  A narrow peak between the nodes may be missed, and its error too:
    tell where it is with ``points``.  Near a singular end, or one of ``points``, where floats are not dense enough to
    come nearer by halves, the limit is taken by Wynn's epsilon algorithm.  The standard error of Monte Carlo falls as
    ``n**-0.5``.

    The derivative in a limit is the value of ``f`` there (over a box: its integral over that face), by Leibniz' rule;
    that in what ``f`` closes over is the integral of the derivative of ``f``, with the same tolerances, on intervals
    that are halved further where that needs it.  Each tensor's derivative meets them by itself.  For it ``f`` is tried
    at many points at once first, as in :func:`autodiff.vmap`, which is several times faster: write ``ad.sqrt(x)``, not
    ``math.sqrt(x)``.  Kinks that move with a tensor are not followed: give two integrals that meet there, or the
    derivative lacks that part.  Monte Carlo is differentiated along its points, which move with the limits.

    References
    ----------
    .. [1] R. Piessens, E. de Doncker-Kapenga, C. Überhuber and D. Kahaner, QUADPACK (1983), Springer.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> round(integrate(lambda x: np.exp(-x * x), -np.inf, np.inf) ** 2, 10)
    3.1415926536
    >>> w, b = ad.Value(3.0), ad.Value(1.0)
    >>> y = integrate(lambda x: ad.sin(w * x), 0.0, b)
    >>> y.backward()
    >>> round(b.grad, 10), round(w.grad, 10)  # sin(3), and (3 sin 3 + cos 3 - 1) / 9
    (0.1411200081, -0.1740702747)
    >>> print(integrate(lambda x: x[0] * x[1], [0, 0], [1, 2], full_output=True))
    1.0, error at most about ...e-14: 225 evaluations on 1 intervals
    """
    require_function(f, "integrate")
    refuse_compiling("integrate")
    require_choice("integrate", method=(method, ("adaptive", "monte carlo")))
    a, b, boxed = limits(a, b)
    if boxed:
        _require_one_argument(f)
    require_tolerances("integrate", rtol, atol, max_evaluations)
    if method == "monte carlo":
        value, error = monte_carlo(f, a, b, boxed, vectorized, n, rng, progress)
        return Integral(value, error, n, 1, method) if full_output else value
    axes = shape_of(a)[0] if boxed else 1
    if axes > 3:
        raise ArgumentError(
            f"integrate got a box of {axes} axes; adaptive integration takes up to 3, for it asks 15 times more often "
            'for each. Use method="monte carlo".'
        )
    settings = Adaptive("integrate", rtol, atol, max_evaluations)
    problem = Problem(f, a, b, boxed, vectorized, settings, None, kinks(points, boxed), progress)
    value, boxes = problem.solve()
    return summary(value, boxes) if full_output else value


def _require_one_argument(f: Callable[..., Any]) -> None:
    """Raise if ``f`` takes the coordinates of a point in a box one after another."""
    try:
        inspect.signature(f).bind(None)
    except ValueError:  # some functions of C have no signature
        pass
    except TypeError as error:
        raise ArgumentError(
            f"integrate calls the function with one array, the coordinates of a point in the box: {error}. "
            "Write it as lambda x: f(x[0], x[1])."
        ) from None


def limits(a: Any, b: Any) -> tuple[Any, Any, bool]:
    """Both limits, as floats, rows or nodes of the same shape, and whether they are rows."""
    if type(a) in PLAIN and type(b) in PLAIN and a == a and b == b:  # nearly always
        return float(a), float(b), False
    ends = []
    for name, x in (("a", a), ("b", b)):
        x = joined(x)
        data = floats(name, plain_data(x))
        if np.isnan(data).any():
            raise ArgumentError(f"integrate got {name}={repr_text(data_of(x))}; a limit is a number, or infinite.")
        ends.append(x if isinstance(x, Node) else data)
    shapes = [shape_of(x) for x in ends]
    if shapes == [(), ()]:
        a, b = (x if isinstance(x, Node) else float(x) for x in ends)
        return a, b, False
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        shape = ()
    if len(shape) != 1 or not shape[0]:
        raise ShapeError(
            f"integrate got limits of shapes {shapes[0]} and {shapes[1]}; they are two numbers, or two sequences of "
            "one number for each axis."
        )
    low, high = (x if s == shape else broadcast_to(x, shape) for x, s in zip(ends, shapes, strict=True))
    return low, high, True


def floats(name: str, x: Any) -> Any:
    """A limit as an array of floats."""
    if isinstance(x, Decimal) or type(x).__module__.startswith("mpmath"):
        raise KindError(
            f"integrate got {name}={repr_text(x)}; it computes with floats, of 16 digits. Give float({name}), or take "
            "mpmath.quad for more digits."
        )
    if not isinstance(x, Fraction):
        require_real("integrate", **{name: x})
    return np.asarray(x, float)


def require_tolerances(what: str, rtol: Any, atol: Any, max_evaluations: Any) -> None:
    """Raise unless these can be met."""
    for name, x in (("rtol", rtol), ("atol", atol)):
        if not isinstance(x, float | int | np.number) or not 0 <= x < math.inf:
            raise ArgumentError(f"{what} got {name}={repr_text(x)}; it is a number, 0 or above.")
    if not isinstance(max_evaluations, int | np.integer) or max_evaluations < 1:
        raise ArgumentError(f"{what} got max_evaluations={repr_text(max_evaluations)}; it is 1, 2, 3, ...")


def kinks(points: Sequence[float], boxed: bool) -> list[float]:
    """Where to cut the range, as floats."""
    try:
        given = list(points)  # once: it may be a generator
        found = [float(plain_data(x)) for x in given]
    except (TypeError, ValueError):
        given, found = [], [math.nan]
    if any(isinstance(x, Node) and x.tracked for x in given):
        raise ArgumentError(
            "integrate got points=[...] with a tracked one, by which it has no derivative: a jump that moves with it "
            "would be left out. Give two integrals that meet there; where the function is continuous, give its .item()."
        )
    if any(map(math.isnan, found)):
        raise ArgumentError(f"integrate got points={repr_text(points)}; they are a sequence of numbers, such as [0.5].")
    if boxed and found:
        raise ArgumentError(
            "integrate got points=[...] for a box; they cut the range of a single number. Integrate over several boxes."
        )
    return found
