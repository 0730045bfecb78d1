"""The rule of an integral: Leibniz' rule, whose derivatives are integrals of their own.

y = ∫ f(x, w) dx from a to b:   dy = f(b) db - f(a) da + ∫ (∂f/∂w dw) dx
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import AutodiffError, NotFiniteError, StaleDataError, TapeError
from ..core.modes import enable_grad, no_grad
from ..core.node import Node, data_of, is_complex, next_index, shape_of, size_of
from ..core.tape import collect, pull_back, push_forward
from ..ops.arithmetic import conj, positive
from ..ops.joining import concatenate, stack
from ..ops.reduce import sum
from ..ops.shape import reshape
from ..transforms.composite import Composite
from ..value import Value
from .boxes import Boxes
from .sampling import Sampler
from .solving import plain_data

if TYPE_CHECKING:
    from .integrate import Problem

MOST = 256
"""On so many points the function is tried at once ..."""
WEIGHT = 2**16
"""... or on fewer, if its largest node would have more entries then: larger arrays are no quicker, and take room."""


class Leibniz(Composite):
    """The rule of one integral.

    Parameters
    ----------
    problem : Problem
    sampler : Sampler
        That has asked the function.
    boxes : Boxes
        The intervals that were good enough for the value; derivatives begin with them.
    """

    def __init__(self, problem: Problem, sampler: Sampler, boxes: Boxes) -> None:
        super().__init__("integrate", r"y = \int_a^b f(x, w)\,dx")
        self.problem = problem
        self.sampler = sampler
        self.mesh = boxes.low, boxes.high
        self.ranges = boxes.ranges
        self.batched = 0
        self.closed = [(i, x) for i, x in sampler.closed.items() if math.prod(shape_of(x))]

    def cotangents(self, g: Any, node: Node, create_graph: bool) -> Iterable[tuple[Node, Any]]:
        """Of the limits, and of what the function closes over."""
        found = [(x, np.zeros(shape_of(x))) for x in self.sampler.closed.values() if not math.prod(shape_of(x))]
        with self._again(create_graph):
            for x, sign in self._ends({x.index for x in node.args}):
                slopes = [sign * _dot(y, g) for y in self._values_at(x, create_graph)]
                found.append((x, stack(slopes) if self.problem.boxed else slopes[0]))
            if self.closed:
                starts = np.cumsum([0, *(math.prod(shape_of(x)) for _, x in self.closed)])
                together = self._inside(self._pulled(g, create_graph), create_graph, starts[:-1])
                for (_, x), p, q in zip(self.closed, starts[:-1], starts[1:], strict=True):
                    found.append((x, reshape(together[p:q], shape_of(x))))
        return found

    def tangent(self, tangents: dict[int, Any], node: Node, create_graph: bool) -> Any:
        """By the limits, and by what the function closes over."""
        found = []
        with self._again(create_graph):
            for x, sign in self._ends(tangents):
                t = tangents[x.index]
                steps = list(t) if self.problem.boxed else [t]
                values = self._values_at(x, create_graph)
                found += [y * (sign * step) for y, step in zip(values, steps, strict=True)]
            given = [(x, tangents[i]) for i, x in self.closed if i in tangents]
            if given:
                found.append(self._inside(self._pushed(given, create_graph), create_graph))
        return functools.reduce(operator.add, found)

    def _again(self, create_graph: bool) -> Any:
        """Where the function may be asked again: recording or not; unless it is another one by now."""
        if any(x.index != i for i, x in self.closed):
            raise StaleDataError(
                "integrate: what the function closes over was changed after the integral was computed. Compute it "
                "again after the change, or differentiate before it."
            )
        x, y = self.sampler.first
        with enable_grad():
            found = self.sampler.at(x if self.problem.boxed else float(x))
        now = plain_data(found)
        nodes = collect([found], self.sampler.closed)[0] if isinstance(found, Node) else []
        self.batched = min(MOST, WEIGHT // max([size_of(node) for node in nodes], default=1))
        if np.shape(now) != y.shape or np.any((now != y) & (y == y)):
            raise TapeError(
                f"integrate: the function gave another result at {self.sampler.place(x)} when it was asked again "
                "for the derivative. It may draw random numbers (seed them inside), or use what was changed since."
            )
        return enable_grad() if create_graph else no_grad()

    def _ends(self, wanted: Any) -> Iterator[tuple[Node, int]]:
        """The limits that are wanted, and the sign of the function there."""
        for x, sign in ((self.problem.b, 1), (self.problem.a, -1)):
            if isinstance(x, Node) and x.index in wanted:
                yield x, sign

    def _values_at(self, end: Node, create_graph: bool) -> list[Any]:
        """The function at a limit, or its integrals over the faces of a box that meet there; 0 if infinitely far."""
        where = end if create_graph else data_of(end)
        zero = np.zeros(self.sampler.shape)[()]
        if self.problem.boxed:
            far = np.isinf(end._data)
            return [zero if far[k] else self._face(where, k, create_graph) for k in range(len(far))]
        if math.isinf(end._data):
            return [zero]
        try:
            return [self._kept(self.sampler.at(where if create_graph else float(end._data)), create_graph)]
        except (ArithmeticError, ValueError) as error:  # math.log(0) raises the second
            if isinstance(error, AutodiffError):
                raise
            raise NotFiniteError(
                "integrate: the derivative by a limit is the value of the function there, which raised "
                f"{type(error).__name__} ({error}) at {self.sampler.place(float(end._data))}. Let the range end where "
                "the function is finite, or give a limit that is not tracked."
            ) from error

    def _face(self, corner: Any, axis: int, create_graph: bool) -> Any:
        """The integral over the face of a box where the coordinate along ``axis`` is that of ``corner``."""
        fixed = reshape(corner[axis], (1,))

        def on_face(x: Any) -> Any:
            return self.sampler.at(concatenate([x[:axis], fixed, x[axis:]]))

        others = [k for k in range(len(self.ranges.lower)) if k != axis]
        if not others:
            return self._kept(on_face(np.zeros(0)), create_graph)
        a, b = (x[others] for x in self._limits(create_graph))
        return self._solved(create_graph, f=on_face, a=a, b=b, mesh=None)

    def _inside(self, f: Callable[[Any], Any], create_graph: bool, parts: Any = None) -> Any:
        """The integral of a derivative of the function over the same range."""
        settings = self.problem.settings
        if parts is not None:
            settings = dataclasses.replace(settings, parts=parts)
        a, b = self._limits(create_graph)
        return self._solved(create_graph, f=f, a=a, b=b, mesh=self.mesh, settings=settings)

    def _limits(self, create_graph: bool) -> list[Any]:
        return [x if create_graph else data_of(x) for x in (self.problem.a, self.problem.b)]

    def _solved(self, create_graph: bool, **changes: Any) -> Any:
        batched = 0 if create_graph else self.batched
        problem = dataclasses.replace(self.problem, vectorized=False, batched=batched, progress=False, **changes)
        return self._kept(problem.solve()[0], create_graph)

    def _kept(self, y: Any, create_graph: bool) -> Any:
        return y if create_graph else plain_data(y)

    def _recorded_at(self, x: Any) -> tuple[Any, tuple[Node, ...]]:
        """The function at a point, recorded, and that point where it is a node: a sweep must stop there."""
        with enable_grad():
            if not isinstance(x, Node):
                return self.sampler.at(x), ()
            x = positive(x)  # a limit may be what the function closes over too, or be made of it
            return self.sampler.at(x), (x,)

    def _pulled(self, g: Any, create_graph: bool) -> Callable[[Any], Any]:
        """The function of ``x`` that gives the cotangents of what the function closes over, in one row."""
        inputs, known = [x for _, x in self.closed], self.sampler.closed
        places = {i: k for k, (i, _) in enumerate(self.closed)}
        zeros = [np.zeros(math.prod(shape_of(x))) for x in inputs]

        def cotangents(x: Any) -> Any:
            found: list[Any] = list(zeros)
            start = next_index()
            y, point = self._recorded_at(x)
            if isinstance(y, Node) and y.tracked:
                for node, c in pull_back((y,), (_for(y, g),), (*known.values(), *point), create_graph):
                    if node.index in places:
                        found[places[node.index]] = reshape(c, (-1,))
                    elif node.index < start and node.index not in known:
                        raise TapeError(
                            "integrate: in its derivative, the function uses a tracked value that it did not use "
                            "before. It may use a variable that means another tensor by now."
                        )
            return found[0] if len(found) == 1 else concatenate(found)

        return cotangents

    def _pushed(self, given: list[tuple[Node, Any]], create_graph: bool) -> Callable[[Any], Any]:
        """The function of ``x`` that gives the tangent of the function."""
        inputs, tangents = [x for x, _ in given], [t for _, t in given]
        zero = np.zeros(self.sampler.shape)[()]

        def tangent(x: Any) -> Any:
            y, point = self._recorded_at(x)
            if not isinstance(y, Node) or not y.tracked:
                return zero
            t = push_forward((y,), inputs, tangents, create_graph, {x.index for x in (*inputs, *point)})[0]
            return zero if t is None else y._fit_tangent(t)

        return tangent


def _for(y: Node, g: Any) -> Any:
    """The cotangent as one of ``y``, which may be a number where ``g`` is an array, or the other way round."""
    if isinstance(y, Value):
        g = g if isinstance(g, Node) else np.asarray(g).item()
    elif not isinstance(g, Node):
        g = np.asarray(g, dtype=None if is_complex(g) else y._data.dtype).view()
    return g.real if is_complex(g) and not is_complex(y) else g


def _dot(y: Any, g: Any) -> Any:
    """The cotangent of what ``y`` is multiplied by."""
    product = (conj(y) if is_complex(y) else y) * g
    return sum(product) if shape_of(product) else product
