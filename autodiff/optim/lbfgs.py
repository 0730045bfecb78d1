"""L-BFGS: Newton's method, with curvature learnt from the last steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError, ShapeError
from ..core.node import data_of, describe, next_index
from ..core.wolfe import Point, search
from .optimizer import Optimizer, State, listed
from .settings import at_least_0, count

LEARNT = ("direction", "last_gradient")


class LBFGS(Optimizer):
    r"""Limited-memory BFGS [1]_, for full batches: each step is several iterations, and calls a closure for each.

    From the last steps and changes of the gradient follows an approximate inverse of the Hessian; the parameters move
    along minus this times the gradient.

    Parameters
    ----------
    params : list of Tensor
        Such as ``model.parameters()``; real, of one dtype.
    lr : float
        Length of a step, or first guess of it.
    max_iter : int
        Iterations a step.
    max_eval : int, optional
        Calls of the closure a step, after which no iteration begins and no search goes on; 1.25 times ``max_iter`` if
        not given.
    tolerance_grad, tolerance_change : float
        It stops where no entry of the gradient is larger, or where nothing changes by more.
    history_size : int
        How many steps are remembered.
    line_search_fn : "strong_wolfe" or None
        Whether the length of each step is searched for.

    Raises
    ------
    ArgumentError
        If a setting is out of its range, or ``step`` gets no closure.

    References
    ----------
    .. [1] D. C. Liu and J. Nocedal, Mathematical Programming 45 (1989) 503-528.

    Examples
    --------
    >>> import autodiff as ad
    >>> from autodiff import optim
    >>> w = ad.Tensor([-1.5, 2.0])
    >>> opt = optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(3):
    ...     _ = opt.step(closure)
    >>> w.data.round(3)
    array([1., 1.])
    """

    settings = {
        "lr": at_least_0,
        "max_iter": count,
        "max_eval": count,
        "tolerance_grad": at_least_0,
        "tolerance_change": at_least_0,
        "history_size": count,
    }

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if line_search_fn not in (None, "strong_wolfe"):
            raise ArgumentError(f"LBFGS got line_search_fn={line_search_fn!r}; it is None or 'strong_wolfe'.")
        self.line_search_fn = line_search_fn
        self.max_iter, self.history_size = max_iter, history_size
        self.max_eval = self.max_iter * 5 // 4 if max_eval is None else max_eval
        self.tolerance_grad, self.tolerance_change = tolerance_grad, tolerance_change
        super().__init__(params, lr)
        if self._groups:
            raise ArgumentError("LBFGS got groups of parameters; its direction is one for all. Give one list.")
        for p in self.params:
            if not isinstance(p._data, np.ndarray) or p._data.dtype.kind != "f":
                raise KindError(f"LBFGS got {describe(p)}; it takes Tensors of real numbers.")
        self.forget()

    def forget(self) -> None:
        """Start anew, without what was learnt of the curvature."""
        self.t = 0
        self.steps: list[Any] = []
        self.changes: list[Any] = []
        self.direction: Any = None
        self.length = 0.0
        self.last_gradient: Any = None

    def fresh_state(self, p: Any) -> State:
        """Nothing is remembered of a single parameter."""
        return {}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Do up to ``max_iter`` iterations.

        Parameters
        ----------
        closure : callable
            Forgets the gradients, computes the loss, calls its ``backward`` and returns it.

        Returns
        -------
        Tensor or number
            What the closure returned first: the loss before the step.

        Raises
        ------
        ArgumentError
            If there is no closure, it returns no loss, or leaves no gradient.
        """
        if closure is None:
            raise ArgumentError(
                "LBFGS.step got no closure; it computes the loss several times. Pass a function that calls "
                "zero_grad(), computes the loss, calls its backward() and returns it."
            )

        def evaluate() -> tuple[Any, float, Any]:
            loss = closure()
            if loss is None:
                raise ArgumentError("LBFGS.step got a closure that returned None; it returns the loss.")
            if all(p.grad is None for p in self.params):
                raise ArgumentError(
                    "LBFGS.step got a closure that left no parameter a gradient; it calls backward() on the loss, "
                    "after zero_grad()."
                )
            return loss, float(data_of(loss)), self._flat([p.grad for p in self.params])

        first, f, g = evaluate()
        self._announce()
        evaluations = 1
        if np.max(np.abs(g)) <= self.tolerance_grad:
            return first
        for k in range(1, self.max_iter + 1):
            self.t += 1
            d = self._direction(g)
            t = min(1.0, 1.0 / float(np.sum(np.abs(g)))) * self.lr if self.t == 1 else self.lr
            self.last_gradient, last_f = g, f
            slope = float(g.dot(d))
            self.direction, self.length = d, t
            if slope > -self.tolerance_change:
                break
            x = self._flat([p._data for p in self.params])
            if self.line_search_fn is not None:

                def look(t: float, x: Any = x, d: Any = d) -> Point:
                    self._move(x + t * d)
                    _, f, g = evaluate()
                    return Point(t, f, g, float(g.dot(d)))

                start, longest = Point(0.0, f, g, slope), float(np.max(np.abs(d)))
                found, looks = search(look, start, t, longest, max_looks=self.max_eval - evaluations)
                self.length, f, g = found.t, found.f, found.g
                self._move(x + found.t * d)
                evaluations += looks
            else:
                self._move(x + t * d)
                if k < self.max_iter:
                    _, f, g = evaluate()
                    evaluations += 1
            moved = float(np.max(np.abs(d * self.length)))
            flat = np.max(np.abs(g)) <= self.tolerance_grad
            if evaluations >= self.max_eval or flat or moved <= self.tolerance_change:
                break
            if abs(f - last_f) < self.tolerance_change:
                break
        return first

    def _direction(self, g: Any) -> Any:
        """Minus the gradient, times what is known of the inverse Hessian: the two loops of algorithm 7.4 of Nocedal."""
        if self.t == 1:
            return -g
        change, step = g - self.last_gradient, self.direction * self.length
        if float(change.dot(step)) > 1e-10:  # else the curvature would not be positive
            self.steps, self.changes = [*self.steps, step], [*self.changes, change]
            self.steps, self.changes = self.steps[-self.history_size :], self.changes[-self.history_size :]
        d = -g
        if not self.steps:
            return d
        weights = [1 / float(y.dot(s)) for s, y in zip(self.steps, self.changes, strict=True)]
        shares = []
        for s, y, rho in zip(self.steps[::-1], self.changes[::-1], weights[::-1], strict=True):
            shares.append(float(s.dot(d)) * rho)
            d = d - shares[-1] * y
        s, y = self.steps[-1], self.changes[-1]
        d = d * (float(y.dot(s)) / float(y.dot(y)))
        for s, y, rho in zip(self.steps, self.changes, weights, strict=True):
            d = d + (shares.pop() - float(y.dot(d)) * rho) * s
        return d

    def _flat(self, arrays: list[Any]) -> Any:
        """Arrays, or zeros where there is none, as one vector."""
        parts = [
            np.zeros(p._data.size, p._data.dtype) if a is None else np.ravel(data_of(a))
            for p, a in zip(self.params, arrays, strict=True)
        ]
        return np.concatenate(parts)

    def _move(self, x: Any) -> None:
        start = 0
        for p in self.params:
            n = p._data.size
            p._data[...] = x[start : start + n].reshape(p._data.shape)
            p.index = next_index()
            start += n

    def state_dict(self) -> dict[str, Any]:
        """The settings, and what was learnt: the last steps and changes of the gradient."""
        arrays = {
            **{name: np.array(getattr(self, name)) for name in (*self.settings, "t", "length")},
            **{f"step.{k}": s.copy() for k, s in enumerate(self.steps)},
            **{f"change.{k}": y.copy() for k, y in enumerate(self.changes)},
        }
        if self.direction is not None:
            arrays |= {name: getattr(self, name).copy() for name in LEARNT}
        return arrays

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where an optimizer of the same parameters stopped.

        Raises
        ------
        ArgumentError, ShapeError
            If names or shapes do not fit, or a setting is out of its range.  Nothing is changed then.
        """
        numbers = (*self.settings, "t", "length")
        n, kept = sum(p._data.size for p in self.params), 0
        while f"step.{kept}" in state:
            kept += 1
        expected = {*numbers, *[f"{what}.{k}" for what in ("step", "change") for k in range(kept)]}
        expected |= set(LEARNT) if any(name in state for name in LEARNT) else set()
        if expected != set(state):
            raise ArgumentError(
                f"load_state_dict of LBFGS got other names than it saves; missing: {listed(expected - set(state))}; "
                f"unexpected: {listed(set(state) - expected)}. Load what LBFGS saved."
            )
        for name, array in state.items():
            if np.shape(array) != (() if name in numbers else (n,)):
                raise ShapeError(
                    f"load_state_dict of LBFGS got an array of shape {np.shape(array)} for {name}; the parameters have "
                    f"{n} numbers."
                )
        settings = {name: self._setting(self, name, state[name]) for name in self.settings}
        vectors = {name: np.array(x, float) for name, x in state.items() if name not in numbers}
        t, length = int(state["t"]), float(state["length"])
        for name, setting in settings.items():
            setattr(self, name, setting)
        self.t, self.length = t, length
        self.steps = [vectors[f"step.{k}"] for k in range(kept)]
        self.changes = [vectors[f"change.{k}"] for k in range(kept)]
        self.direction, self.last_gradient = (vectors.get(name) for name in LEARNT)
