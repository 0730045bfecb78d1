"""All partial derivatives at once: ``jacobian``."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core import numbers, tree
from ..core.errors import ArgumentError, KindError
from ..core.modes import compiler
from ..core.node import Node, data_of, is_complex, shape_of
from .first_order import ArgNums, Function
from .lift import ARRAYS, Call, positions, require_function, stack_up, zeros
from .vmap import batch_of, examples_of

log = logging.getLogger("autodiff.jacobian")

FEW = 4
"""So many plain sweeps take less time than one of a batch, whose every op takes about ten times as long."""
LARGEST = 2**21
"""How many entries the largest value of a chunk of sweeps may have, where its size is not given."""


def jacobian(f: Function, argnums: ArgNums = 0, *, chunk: Any = None) -> Function:
    """The function that computes every partial derivative of ``f``: shape ``y.shape + x.shape``.

    Forward or reverse, whichever takes fewer sweeps of the tape, which is recorded once.  Many sweeps go together.

    Parameters
    ----------
    f : callable
        Returns an array, or a nested structure of them.
    argnums : int or sequence of int
    chunk : int, optional
        How many sweeps at once: fewer take less memory.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.jacobian(lambda x: x[::-1] ** 2)(np.array([1.0, 2.0]))
    array([[0., 4.],
           [2., 0.]])
    """
    require_function(f, "jacobian")
    wanted = positions(argnums)
    if chunk is not None and (not isinstance(chunk, int | np.integer) or chunk < 1):
        raise ArgumentError(f"jacobian got chunk={chunk!r}; it is how many sweeps go together: 1, 2, 3, ...")

    @functools.wraps(f)
    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        call = Call(f, args, wanted, **kwargs)
        _require_numbers(call.outputs)
        record = call.must_record()
        columns = sum(_size(x) for x in call.inputs)
        rows = sum(_size(y) for y in call.outputs)
        in_plane = any(map(is_complex, [*call.inputs, *call.outputs]))  # where a pull gives a conjugate, or half of it
        sweeps = Sweeps(call, record, None if chunk is None else int(chunk))
        blocks = by_push(sweeps) if columns < rows or in_plane else _by_pull(sweeps)
        per_output = [tuple(tree.unflatten(args[k], blocks_of_y) for k in wanted) for blocks_of_y in map(iter, blocks)]
        chosen = iter([p if isinstance(argnums, Iterable) else p[0] for p in per_output])
        return tree.unflatten(call.result, chosen)

    return jacobian_of_f


def _require_numbers(outputs: list[Any]) -> None:
    for y in outputs:
        if not isinstance(y, Node | np.ndarray | np.generic) and not numbers.is_number(type(y)):
            raise KindError(
                f"jacobian needs a function that returns arrays or numbers, it returned a {type(y).__name__}."
            )


def _size(x: Any) -> int:
    return int(np.prod(shape_of(x)))


class Sweeps:
    """The sweeps of one recorded call, from many starting vectors at once where that is possible."""

    def __init__(self, call: Call, record: bool, chunk: int | None) -> None:
        self.call = call
        self.record = record
        sizes = [_size(x) for x in (*call.inputs, *call.outputs)]
        self.chunk = chunk or max(1, LARGEST // max(1, *sizes))
        # Derivatives that are recorded belong to the tape outside, where nobody knows of batches.
        arrays = all(isinstance(data_of(x), ARRAYS) for x in (*call.inputs, *call.outputs))
        self.together = arrays and (not record or (compiler() is not None and call.may_batch_compiled()))

    def pull(self, unit: Any, k: int) -> list[Any]:
        """The cotangents of the inputs from that of output ``k``."""
        starts = [unit if i == k else zeros(other) for i, other in enumerate(self.call.outputs)]
        return self.call.pull(starts, self.record)

    def push(self, unit: Any, k: int) -> list[Any]:
        """The tangents of the outputs from that of input ``k``; by a complex input the complex derivatives."""
        tangents = [unit if i == k else zeros(other) for i, other in enumerate(self.call.inputs)]
        along = self.call.push(tangents, self.record)
        if not is_complex(self.call.inputs[k]):
            return along
        tangents[k] = unit * 1j
        across = self.call.push(tangents, self.record)
        return [_in_plane(y, a, b) for y, a, b in zip(self.call.outputs, along, across, strict=True)]

    def over(self, sweep: Callable[[Any, int], list[Any]], k: int, x: Any) -> list[list[Any]]:
        """``sweep`` from every unit vector of the space of ``x``: for each of its results the list of rows."""
        data = data_of(x)
        if not isinstance(data, ARRAYS):
            return [[r] for r in sweep(numbers.like(data, 1), k)]
        units = np.eye(data.size, dtype=data.dtype).reshape(data.size, *data.shape)
        if self.together and data.size > (FEW if compiler() is None else 1):
            try:
                return self._together(sweep, k, units)
            except Exception as error:  # if it is not the batch's fault, the loop raises it again
                log.debug("jacobian: one sweep after another, since %s: %s", type(error).__name__, error)
        return [list(results) for results in zip(*(sweep(unit, k) for unit in units), strict=True)]

    def _together(self, sweep: Callable[[Any, int], list[Any]], k: int, units: Any) -> list[list[Any]]:
        rows: list[list[Any]] = []
        for start in range(0, len(units), self.chunk):
            chunk = units[start : start + self.chunk]
            compiling = compiler()
            batch = batch_of(chunk if compiling is None else compiling.constant(chunk))
            found = [examples_of(r, len(chunk)) for r in sweep(batch, k)]
            rows = [[*before, *now] for before, now in zip(rows or [[]] * len(found), found, strict=True)]
        return rows


def _by_pull(sweeps: Sweeps) -> list[list[Any]]:
    """One reverse sweep an output entry: blocks ``[output][input]``."""
    call, blocks = sweeps.call, []
    for k, y in enumerate(call.outputs):
        rows = sweeps.over(sweeps.pull, k, y) or [[] for _ in call.inputs]
        blocks.append([stack_up(r, shape_of(y) + shape_of(x), x) for r, x in zip(rows, call.inputs, strict=True)])
    return _unwrap(blocks, call)


def by_push(sweeps: Sweeps) -> list[list[Any]]:
    """One forward sweep an input entry: blocks ``[output][input]``."""
    call = sweeps.call
    columns = [sweeps.over(sweeps.push, k, x) or [[] for _ in call.outputs] for k, x in enumerate(call.inputs)]
    blocks = []
    for i, y in enumerate(call.outputs):
        row = []
        for x, pushed in zip(call.inputs, columns, strict=True):
            entries = stack_up(pushed[i], shape_of(x) + shape_of(y), y)
            n = len(shape_of(x))
            row.append(entries.transpose((*range(n, entries.ndim), *range(n))) if entries.ndim else entries)
        blocks.append(row)
    return _unwrap(blocks, call)


def _in_plane(y: Any, along: Any, across: Any) -> Any:
    """A derivative by a complex number, from those along its real and its imaginary axis.

    Of a real ``y`` it is the direction of steepest ascent, as everywhere; of a complex ``y`` it exists only if turning
    the direction by 90 degrees turns the derivative.
    """
    if not is_complex(y):
        return along + across * 1j
    turned, found = (np.asarray(data_of(d), complex) for d in (along * 1j, across))
    if not np.allclose(turned, found, rtol=1e-4, equal_nan=True):
        raise KindError(
            "jacobian of a function that is not holomorphic, such as one that takes abs, real or conj of a complex "
            "number: it has no complex derivative. Take x and y of x + 1j * y as two real arguments."
        )
    return along


def _unwrap(blocks: list[list[Any]], call: Call) -> list[list[Any]]:
    """The derivative of a number by a number is a number."""
    return [
        [
            b.item()
            if isinstance(b, np.ndarray) and not (hasattr(data_of(x), "dtype") or hasattr(data_of(y), "dtype"))
            else b
            for b, x in zip(row, call.inputs, strict=True)
        ]
        for row, y in zip(blocks, call.outputs, strict=True)
    ]
