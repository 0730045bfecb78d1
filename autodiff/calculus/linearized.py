"""The derivatives of all steps of an explicit method at once, back and forth.

Where every stage of every step is known, the right-hand side can be recorded at all of them together, as a batch.  For
a system of few entries its Jacobians there give the matrix of each step, and a cotangent passes a step by one product
with a matrix.  For a larger one it passes stage by stage, over the part of the record that belongs to the stage.  What
the right-hand side closes over gets its cotangent from one sweep over the whole record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..core.node import Node
from ..core.tape import push_forward, silence
from ..tensor import Tensor
from ..transforms.composite import older
from ..transforms.vmap import CannotBatchError, batch_of, examples_of, inside_batch
from .dense import Step
from .ode_system import System
from .pullback import Pullback
from .recorded import Part, Recorded
from .runge_kutta import Explicit

log = logging.getLogger("autodiff.odeint")

FEW = 20
"""Systems of more entries have Jacobians that take longer than the stages one by one."""

LARGEST = 2**26
"""How many numbers may be kept of all stages together: the record of them, and their Jacobians where there are any."""

SMALL = 2**12
"""States of so few numbers together are recorded without asking how much that keeps."""

Inside = Sequence[Sequence[tuple[int, float]]]
"""For each step the rows of the result that lie in it or at its end, each with its share of the step."""


class Stages:
    """The right-hand side at all stages of some steps of an explicit method, recorded as a batch.

    Attributes
    ----------
    rates : Recorded or None
        What it gives there; None where it cannot be taken at many states together.
    """

    def __init__(self, method: Explicit, path: Sequence[Step], system: System) -> None:
        self.method = method
        self.system = system
        self.k = np.stack([step.memory for step in path])
        y, h = (np.array([getattr(step, name) for step in path], self.k.dtype) for name in ("y", "h"))
        self.h = h[:, None, None]
        self.count, self.s, self.n = self.k.shape
        self.points = (y[:, None] + self.h * (method.a @ self.k)).reshape(self.count * self.s, self.n)
        times = np.array([step.t for step in path])[:, None] + h[:, None] * np.array(method.c)
        self.times = times.ravel()
        self.rates: Recorded | None = None
        if self.points.size > LARGEST:
            return
        try:
            if self.points.size > SMALL and self._kept() > LARGEST:
                raise CannotBatchError("the record of all stages would be too large")
            self.rates = self._record(len(self.times))
        except Exception as error:  # if it is not the batch's fault, it is raised again where states come one by one
            log.debug("odeint: one stage after another, since %s: %s", type(error).__name__, error)

    def _kept(self) -> int:
        """How many numbers would be kept, judged by two states: what stands between can be far larger than these."""
        each = self._record(2).size // 2 + (2 * self.n**2 if self.n <= FEW else 0)
        return each * len(self.times)

    def _record(self, count: int) -> Recorded:
        """The record at the first so many stages."""
        leaf: Node = Tensor(batch_of(self.points[:count]))
        moments = Tensor(batch_of(self.times[:count]), requires_grad=False)
        with inside_batch():
            rates = self.system.record(moments, leaf)
        if not isinstance(rates, Node):
            raise CannotBatchError("the function is constant")
        k = self.k.reshape(self.points.shape)
        found = np.asarray(examples_of(rates._data, count))
        apart, size = (np.abs(x).max(0) for x in (found - k[:count], k))
        if not np.all(apart <= np.finfo(self.k.dtype).eps ** 0.5 * size):  # sums may be rounded otherwise
            raise CannotBatchError("the function gives something else for many states at once")
        return Recorded(leaf, rates, count)

    def inputs(self) -> tuple[Node, ...]:
        """The tensors from outside that the right-hand side uses."""
        if self.rates is not None:
            return older([self.rates.output], self.system.start)
        for t, y in zip(self.times.tolist(), self.points, strict=True):
            self.system.note(t, y)
        return self.system.inputs()

    @cached_property
    def slopes(self) -> Any:
        """The Jacobian of the rate of each stage by its state: shape (steps, stages, n, n)."""
        found = np.zeros((len(self.times), self.n, self.n), self.k.dtype)
        rates: Any = self.rates
        for i in range(self.n):
            unit = np.zeros((len(self.times), self.n), self.k.dtype)
            unit[:, i] = 1
            pushed = push_forward((rates.output,), (rates.leaf,), (batch_of(unit),))[0]
            if pushed is not None:
                found[:, :, i] = examples_of(pushed, len(self.times))
        return found.reshape(self.count, self.s, self.n, self.n)

    @cached_property
    def moved(self) -> Any:
        """The Jacobian of the rate of each stage by the state before its step."""
        moved = np.empty_like(self.slopes)
        eye = np.eye(self.n, dtype=self.k.dtype)
        for i in range(self.s):
            through = np.tensordot(moved[:, :i], self.method.a[i, :i], (1, 0))
            moved[:, i] = self.slopes[:, i] @ (eye + self.h * through)
        return moved

    def pull(self, inside: Inside, g: Any, at: Any, back: Pullback) -> Any:
        """The cotangent of the first state, given those ``g`` of the rows of the result and ``at`` of the last state.

        None where it is not to be had for all steps at once.
        """
        if self.rates is None:
            return None
        try:
            at, starts = (self._pull_by_matrices if self.n <= FEW else self._pull_by_stages)(inside, g, at)
            found = self.rates.pull_shared(starts.reshape(self.points.shape), back.wanted) if back.wanted else []
        except Exception as error:  # as above
            log.debug("odeint: one step back after another, since %s: %s", type(error).__name__, error)
            return None
        for x, c in found:  # only now: where the sweep fails, the steps one by one add up all of it
            back.add(x, c)
        return at

    def _pull_by_stages(self, inside: Inside, g: Any, at: Any) -> tuple[Any, Any]:
        """The cotangents of the first state and of all rates, over the part of the record of each stage."""
        part = Part(self.rates)  # type: ignore[arg-type]
        starts = np.empty_like(self.k)
        with silence(part.nodes):
            for j in reversed(range(self.count)):
                ends, inner = split(inside[j], g)

                def pull(i: int, c: Any, first: int = j * self.s) -> Any:
                    return part.pull(first + i, c)

                at, starts[j] = self.method.pull_stages(float(self.h[j, 0, 0]), sum(ends, at), inner, pull)
        return at, starts

    def _pull_by_matrices(self, inside: Inside, g: Any, at: Any) -> tuple[Any, Any]:
        """The same, by the matrix of each step, the Jacobian of its last state by its first."""
        method, h, moved = self.method, self.h, self.moved
        whole = np.eye(self.n, dtype=self.k.dtype) + h * np.tensordot(moved, method.b, (1, 0))
        starts = np.zeros_like(self.k)  # cotangents of the rates
        for j in reversed(range(self.count)):
            ends, inner = split(inside[j], g)
            at = sum(ends, at)
            before: Any = 0.0
            for share, c in inner:
                weights = h[j, 0] * method.weights(share)
                starts[j] += np.outer(weights, c)
                before = before + c + c @ np.tensordot(weights, moved[j], (0, 0))
            starts[j] += (h[j] * method.b).T * at
            at = at @ whole[j] + before
        for i in reversed(range(self.s)):
            c = (starts[:, i, None] @ self.slopes[:, i])[:, 0]
            starts[:, :i] += h * method.a[i, :i, None] * c[:, None]
        return at, starts

    def push(self, inside: Inside, at: Any, given: Sequence[Node], tangents: Sequence[Any]) -> Any:
        """The tangents of the last state and of the rows of the result, from that ``at`` of the first state and others.

        None where they are not to be had for all steps at once.
        """
        if self.rates is None:
            return None
        try:
            own = push_forward((self.rates.output,), given, tangents)[0] if given else None
            along = np.zeros(self.points.shape) if own is None else examples_of(own, len(self.times))
            return self._push(inside, at, np.array(along, self.k.dtype).reshape(self.k.shape))
        except Exception as error:  # as above
            log.debug("odeint: one step after another, since %s: %s", type(error).__name__, error)
            return None

    def _push(self, inside: Inside, at: Any, own: Any) -> tuple[Any, list[tuple[int, Any]]]:
        """The same, given the tangents of the rates at fixed states."""
        method, h = self.method, self.h
        rates: Callable[[int, Any], Any]
        if self.n <= FEW:
            for i in range(self.s):
                shift = h[:, 0] * np.tensordot(own[:, :i], method.a[i, :i], (1, 0))
                own[:, i] += (self.slopes[:, i] @ shift[..., None])[..., 0]

            def rates(j: int, at: Any) -> Any:
                return self.moved[j] @ at + own[j]

        else:
            part = Part(self.rates)  # type: ignore[arg-type]

            def rates(j: int, at: Any) -> Any:
                k = own[j]
                for i in range(self.s):
                    pushed = part.push(j * self.s + i, at + h[j, 0, 0] * (method.a[i, :i] @ k[:i]))
                    if pushed is not None:
                        k[i] += pushed
                return k

        rows: list[tuple[int, Any]] = []
        for j in range(self.count):
            k = rates(j, at)
            for row, share in inside[j]:
                weights = method.b if share == 1.0 else method.weights(share)
                rows.append((row, at + (h[j, 0, 0] * weights) @ k))
            at = at + (h[j, 0, 0] * method.b) @ k
        return at, rows


def split(inside: Sequence[tuple[int, float]], g: Any) -> tuple[list[Any], list[tuple[float, Any]]]:
    """The cotangents of the rows at the end of a step, and those of the rows within it with their shares of it."""
    return [g[row] for row, share in inside if share == 1.0], [(s, g[row]) for row, s in inside if s != 1.0]
