"""The way back over all steps of an explicit method at once, for systems of few entries.

Where every stage of every step is known, the right-hand side can be recorded at all of them together, as a batch.  Its
Jacobians there give the matrix of each step; the cotangents then pass the steps by one product with a matrix each.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.node import Node, size_of
from ..core.tape import pull_back, push_forward
from ..tensor import Tensor
from ..transforms.composite import older
from ..transforms.vmap import batch_of, examples_of, inside_batch
from .dense import Step
from .ode_system import System
from .pullback import Pullback
from .runge_kutta import Explicit

log = logging.getLogger("autodiff.odeint")

FEW = 12
"""Systems of more entries have Jacobians that take longer than the steps one by one."""

LARGEST = 2**24
"""How many numbers the derivatives of all stages may have together."""


class CannotLinearizeError(Exception):
    """The right-hand side cannot be taken at all states at once."""


class Stages:
    """The right-hand side at all stages of the steps of an explicit method, recorded as a batch.

    Attributes
    ----------
    rates : Tensor or None
        What it gives there; None where it cannot be taken at many states together.
    """

    def __init__(self, method: Explicit, path: Sequence[Step], system: System) -> None:
        self.method = method
        self.system = system
        self.k = np.stack([step.memory for step in path])
        y, h = (np.array([getattr(step, name) for step in path], self.k.dtype) for name in ("y", "h"))
        self.h = h[:, None, None]
        self.count, self.s, self.n = self.k.shape
        self.points = (y[:, None] + self.h * (method.a @ self.k)).reshape(-1, self.n)
        times = np.array([step.t for step in path])[:, None] + h[:, None] * np.array(method.c)
        self.times = times.ravel()
        self.rates: Any = None
        try:
            self._record()
        except Exception as error:  # if it is not the batch's fault, it is raised again where states come one by one
            log.debug("odeint: one stage after another, since %s: %s", type(error).__name__, error)

    def _record(self) -> None:
        self.leaf: Node = Tensor(batch_of(self.points))
        moments = Tensor(batch_of(self.times), requires_grad=False)
        with inside_batch():
            rates = self.system.record(moments, self.leaf)
        if not isinstance(rates, Node):
            raise CannotLinearizeError("the function is constant")
        found = np.asarray(examples_of(rates._data, len(self.times))).reshape(self.k.shape)
        if not np.allclose(found, self.k, rtol=1e3 * np.finfo(self.k.dtype).eps, atol=1e-30):
            raise CannotLinearizeError("the function gives something else for many states at once")
        self.rates = rates

    def inputs(self) -> tuple[Node, ...]:
        """The tensors from outside that the right-hand side uses."""
        if self.rates is not None:
            return older([self.rates], self.system.start)
        for t, y in zip(self.times.tolist(), self.points, strict=True):
            self.system.note(t, y)
        return self.system.inputs()

    def pull(self, inside: Sequence[Sequence[tuple[int, float]]], g: Any, back: Pullback) -> Any:
        """The cotangent of the first state, given those ``g`` of the states in and after the steps.

        None where it is not to be had for all steps at once.
        """
        if self.rates is None:
            return None
        if len(self.times) * max([self.n**2, *(size_of(x) for x in back.wanted)]) > LARGEST:
            return None
        try:
            return self._pull(inside, g, back)
        except Exception as error:  # as above
            log.debug("odeint: one step back after another, since %s: %s", type(error).__name__, error)
            return None

    def _pull(self, inside: Any, g: Any, back: Pullback) -> Any:
        method, s, n, h = self.method, self.s, self.n, self.h
        eye = np.eye(n, dtype=self.k.dtype)
        slopes = self._jacobians().reshape(self.count, s, n, n)
        moved = np.empty_like(slopes)  # how the rates of the stages depend on the state before their step
        for i in range(s):
            moved[:, i] = slopes[:, i] @ (eye + h * np.tensordot(moved[:, :i], method.a[i, :i], (1, 0)))
        whole = eye + h * np.tensordot(moved, method.b, (1, 0))

        starts = np.zeros_like(self.k)  # cotangents of the rates
        at: Any = np.zeros(n, self.k.dtype)
        for j in reversed(range(self.count)):
            before: Any = 0.0
            for row, share in inside[j]:
                if share == 1.0:
                    at = at + g[row]
                else:
                    weights = h[j, 0] * method.weights(share)
                    starts[j] += np.outer(weights, g[row])
                    before = before + g[row] + g[row] @ np.tensordot(weights, moved[j], (0, 0))
            starts[j] += (h[j] * method.b).T * at
            at = at @ whole[j] + before
        if back.wanted:
            for i in reversed(range(s)):
                c = (starts[:, i, None] @ slopes[:, i])[:, 0]
                starts[:, :i] += h * method.a[i, :i, None] * c[:, None]
            batch = batch_of(starts.reshape(-1, n))
            swept = pull_back((self.rates,), (batch,), (self.leaf, *back.wanted))
            found = [(x, examples_of(c, len(self.times)).sum(0)[()]) for x, c in swept if x.index in back.indices]
            for x, c in found:  # only now: where the sweep fails, the steps one by one add up all of it
                back.add(x, c)
        return at

    def _jacobians(self) -> Any:
        """The derivatives of the rates of each stage by its state."""
        found = np.zeros((len(self.times), self.n, self.n), self.k.dtype)
        for i in range(self.n):
            unit = np.zeros((len(self.times), self.n), self.k.dtype)
            unit[:, i] = 1
            pushed = push_forward((self.rates,), (self.leaf,), (batch_of(unit),))[0]
            if pushed is not None:
                found[:, :, i] = examples_of(pushed, len(self.times))
        return found
