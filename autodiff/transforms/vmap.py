"""``vmap``: a function of one example, applied to many at once.

The examples travel together as a :class:`Batch`, which stands in the place of an array: rules compute on it as on any
other kind of data, and what records and sweeps tapes does not notice.  So it nests with every transform.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NoReturn

import numpy as np

from ..core import tree
from ..core.batched import Batched
from ..core.errors import ArgumentError, ShapeError
from ..core.modes import sealing
from ..core.node import Node, data_of, next_index, shape_of
from ..core.op import make_op
from ..core.rule import Rule
from ..numpy_protocol import find
from ..ops.activation import ActivationMethods
from ..ops.arithmetic import ArithmeticMethods
from ..ops.broadcast import BroadcastMethods, broadcast_to
from ..ops.exponential import ExponentialMethods
from ..ops.extremum import ExtremumMethods
from ..ops.index import IndexMethods, getitem
from ..ops.joining import stack
from ..ops.products import ProductMethods
from ..ops.reduce import ReduceMethods
from ..ops.select import SelectMethods
from ..ops.shape import ShapeMethods, moveaxis
from ..ops.trigonometric import TrigonometricMethods
from ..tensor import Tensor
from .batching import BATCHED_FORMS, entry_by_entry
from .lift import require_function

log = logging.getLogger("autodiff.vmap")

_depth: ContextVar[int] = ContextVar("depth", default=0)


class CannotBatchError(Exception):
    """Something was asked of a batch that only a single example can answer; ``vmap`` then takes one after another."""


class Batch(
    ArithmeticMethods,
    ExponentialMethods,
    TrigonometricMethods,
    ActivationMethods,
    ExtremumMethods,
    SelectMethods,
    BroadcastMethods,
    ReduceMethods,
    ShapeMethods,
    IndexMethods,
    ProductMethods,
    Batched,
):
    """The examples of one ``vmap`` in place of an array.

    Attributes
    ----------
    array : ndarray or Tensor
        The examples along its first axis, or a single one (of length 1) that all share.
    level : int
        How many ``vmap`` are around it: where two meet, the inner one's is the batch, the other a constant.
    """

    def __init__(self, array: Any, level: int) -> None:
        self.array = array
        self.level = level

    @classmethod
    def compute(cls, rule: Rule, *args: Any) -> Any:
        """A rule on all examples at once if it has a batched form, else on one after another."""
        n = len(args) - len(rule.options)
        inputs, params = args[:n], dict(zip(rule.options, args[n:], strict=True))
        chosen = [data_of(x) for x in tree.flatten(args[n:])]  # an index may be another one in every example
        level = max(x.level for x in (*inputs, *chosen) if isinstance(x, Batch))
        form = entry_by_entry if rule.entrywise else BATCHED_FORMS.get(rule.name)
        if form is None or any(isinstance(x, Batch) for x in chosen):
            return Batch(_one_by_one(rule, inputs, params, (*inputs, *chosen), level), level)
        y = form(rule, [_at(level, x) for x in inputs], inputs, params)
        return Batch(_one_by_one(rule, inputs, params, inputs, level) if y is None else y, level)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        op = find(ufunc.__name__)
        if op is None or method != "__call__" or kwargs:
            raise CannotBatchError(f"np.{ufunc.__name__}.{method} of a batch")
        return op(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if name in ("iscomplexobj", "isrealobj"):
            return (self.dtype.kind == "c") == (name == "iscomplexobj")
        op = find(name, function.__module__)
        if op is None:
            raise CannotBatchError(f"np.{name} of a batch")
        return op(*args, **kwargs)

    def __len__(self) -> int:
        return self.shape[0]

    def _only_one(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise CannotBatchError("the value of a batch was asked for as if it were one example")

    __array__ = __bool__ = __float__ = __int__ = __complex__ = __index__ = __iter__ = __contains__ = _only_one


def _at(level: int, x: Any) -> Any:
    """The array of a batch of this level, None for what is the same for all examples."""
    return x.array if isinstance(x, Batch) and x.level == level else None


def _one_by_one(rule: Rule, inputs: Sequence[Any], params: dict[str, Any], given: Sequence[Any], level: int) -> Any:
    """Apply a rule to one example after another; ``given`` is all that may differ between them."""
    lengths = {len(x.array) for x in given if isinstance(x, Batch) and x.level == level}
    count = max(lengths - {1}, default=1)  # what is the same for all has length 1
    log.debug("vmap: %s has no batched form for these arguments, so it is looped over %d examples", rule.name, count)
    op = getattr(rule, "op", None) or make_op(rule)

    def example(x: Any, i: int) -> Any:
        data = x._data if isinstance(x, Node) else x
        array = _at(level, data)
        return x if array is None else getitem(array, min(i, len(array) - 1))

    def result(i: int) -> Any:
        chosen = [example(x, i) for x in inputs]
        options = {name: tree.tree_map(lambda x: example(x, i), value) for name, value in params.items()}
        return op(chosen, **options) if rule.variadic else op(*chosen, **options)

    return stack([result(i) for i in range(count)]) if count else _empty(rule, inputs, params, level, op)


def _empty(rule: Rule, inputs: Sequence[Any], params: dict[str, Any], level: int, op: Callable[..., Any]) -> Any:
    """The result for no examples: shape and dtype are those of an example of ones."""
    one = [np.ones(x.shape, x.dtype) if _at(level, x) is not None else x for x in inputs]
    y = op(one, **params) if rule.variadic else op(*one, **params)
    return np.zeros((0, *shape_of(y)), np.asarray(y).dtype)


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """The function that applies ``f`` to every example along an axis of its arguments, all at once.

    Parameters
    ----------
    f : callable
        Of one example: tensors without the mapped axis.  Returns a tensor, or a nested structure of them.
    in_axes : int, None, or a sequence of them
        Which axis of each argument counts the examples; None for an argument that all examples share.  An entry may be
        nested as its argument is.  Keyword arguments are mapped along their first axis.
    out_axes : int, or a structure of them
        Where the axis goes in the results.

    Returns
    -------
    callable
        Takes what ``f`` takes, with an axis more.

    Raises
    ------
    ShapeError
        If the mapped axes differ in length, or nothing is mapped.

    Notes
    -----
    Ops that work entry by entry, reductions, products and changes of shape are computed for all examples in one go.  An
    op that has no such form is applied to one example after another; a function that asks for a single value
    (``if x > 0``), that assigns into tensors from outside or closes over tracked ones is called once an example.  Both
    are logged, at level DEBUG, to ``autodiff.vmap``.

    So side effects may happen once, or once an example after a first attempt; and what is drawn at random inside may be
    the same for all.  Draw outside, and map over the draws.

    Examples
    --------
    >>> import numpy as np
    >>> import autodiff as ad
    >>> f = lambda w, x: ad.tanh(w @ x).sum()
    >>> w, xs = np.ones((2, 3)), np.zeros((5, 3))
    >>> ad.vmap(ad.grad(f), in_axes=(None, 0))(w, xs).shape  # a gradient for each example
    (5, 2, 3)
    """
    require_function(f, "vmap")

    @functools.wraps(f)
    def vmapped(*args: Any, **kwargs: Any) -> Any:
        leaves, axes = _leaves_and_axes(args, kwargs, in_axes)
        count = _count(leaves, axes)
        mapped = [x if axis is None else _in_front(x, axis) for x, axis in zip(leaves, axes, strict=True)]
        try:
            outputs, result = _all_at_once(f, args, kwargs, mapped, axes, count)
        except Exception as error:  # whatever it is: if it is not the batch's fault, the loop raises it again
            log.debug("vmap: %s is called once an example, since %s: %s", f, type(error).__name__, error)
            outputs, result = _in_a_loop(f, args, kwargs, mapped, axes, count)
        places = _spread(out_axes, result, "out_axes")
        if None in places:
            raise ArgumentError("vmap got out_axes=None for a result. Every result has an axis of examples: say where.")
        moved = [y if axis == 0 else moveaxis(y, 0, axis) for y, axis in zip(outputs, places, strict=True)]
        return tree.unflatten(result, iter(moved))

    return vmapped


def _leaves_and_axes(args: Any, kwargs: Any, in_axes: Any) -> tuple[list[Any], list[Any]]:
    if isinstance(in_axes, tuple | list) and len(in_axes) != len(args):
        raise ArgumentError(f"vmap has in_axes for {len(in_axes)} arguments, and got {len(args)}.")
    each = in_axes if isinstance(in_axes, tuple | list) else [in_axes] * len(args)
    axes = [axis for spec, arg in zip(each, args, strict=True) for axis in _spread(spec, arg, "in_axes")]
    leaves = tree.flatten([list(args), kwargs])
    return leaves, axes + [0] * (len(leaves) - len(axes))


def _spread(spec: Any, structure: Any, what: str) -> list[Any]:
    """The axis of each leaf of a structure, from one for all or a structure of them."""
    if spec is None or isinstance(spec, int | np.integer):
        return [spec] * len(tree.flatten(structure))
    if isinstance(spec, dict) and isinstance(structure, dict) and spec.keys() == structure.keys():
        return [axis for key in structure for axis in _spread(spec[key], structure[key], what)]
    both_rows = isinstance(spec, tuple | list) and isinstance(structure, tuple | list)
    if not both_rows or len(spec) != len(structure):
        raise ArgumentError(
            f"vmap got {what}={spec!r} for a {type(structure).__name__}: it is an int, None for what is not mapped, or "
            "nested as that is, with an int or None for each part."
        )
    return [axis for s, branch in zip(spec, structure, strict=True) for axis in _spread(s, branch, what)]


def _count(leaves: list[Any], axes: list[Any]) -> int:
    """How many examples there are."""
    lengths = set()
    for x, axis in zip(leaves, axes, strict=True):
        if axis is not None:
            shape = shape_of(x) or np.shape(x)
            if not -len(shape) <= axis < len(shape):
                raise ShapeError(
                    f"vmap maps axis {axis} of an argument of shape {shape}, which has no such axis. "
                    "Say in_axes=None for an argument that all examples share."
                )
            lengths.add(shape[axis])
    if len(lengths) != 1:
        found = f"lengths {sorted(lengths)}" if lengths else "no mapped argument"
        raise ShapeError(f"vmap needs one number of examples, got {found}. Check in_axes.")
    return int(lengths.pop())


def _in_front(x: Any, axis: int) -> Any:
    return moveaxis(x if isinstance(x, Node | Batched) else np.asarray(x), axis, 0)


def batch_of(array: Any) -> Batch:
    """Examples along the first axis as a batch for whoever computes outside of any ``vmap`` of its own."""
    return Batch(array, _depth.get() + 1)


def examples_of(y: Any, count: int) -> Any:
    """The examples of a result of such a batch, along the first axis."""
    array = _at(_depth.get() + 1, y._data if isinstance(y, Node) else y)
    array = getitem(y if isinstance(y, Node | Batched) else np.asarray(y), None) if array is None else array
    return array if len(array) == count else broadcast_to(array, (count, *array.shape[1:]))


@contextlib.contextmanager
def inside_batch() -> Iterator[None]:
    """Call a function on batches from :func:`batch_of` inside: it may use ``vmap`` itself."""
    token = _depth.set(_depth.get() + 1)
    try:
        yield
    finally:
        _depth.reset(token)


def _is_tracked(x: Any) -> bool:
    return isinstance(x, Tensor) and x.tracked


def _batch(array: Any, level: int) -> Tensor:
    return Tensor(Batch(array, level), requires_grad=False)


def _all_at_once(f: Any, args: Any, kwargs: Any, mapped: Any, axes: Any, count: int) -> tuple[list[Any], Any]:
    """Call ``f`` on batches; what it returned as arrays with the examples in front, and its structure."""
    level = _depth.get() + 1
    token = _depth.set(level)
    try:
        given = [
            x if axis is None and not _is_tracked(x) else _batch(x if axis is not None else x[None], level)
            for x, axis in zip(mapped, axes, strict=True)
        ]
        args, kwargs = tree.unflatten([list(args), kwargs], iter(given))
        with sealing(next_index()):
            result = f(*args, **kwargs)
    finally:
        _depth.reset(token)
    outputs = []
    for y in tree.flatten(result):
        if isinstance(y, Node) and y.tracked:
            raise CannotBatchError("it closes over tracked tensors")
        outputs.append(examples_of(y, count))
    return outputs, result


def _in_a_loop(f: Any, args: Any, kwargs: Any, mapped: Any, axes: Any, count: int) -> tuple[list[Any], Any]:
    """Call ``f`` once an example; the same results as :func:`_all_at_once`."""
    if count == 0:
        raise ShapeError(
            "vmap got no examples, and a function that must be called once for each. Give it at least one."
        )
    rows = []
    for i in range(count):
        given = [x if axis is None else _example(x, i) for x, axis in zip(mapped, axes, strict=True)]
        chosen, named = tree.unflatten([list(args), kwargs], iter(given))
        result = f(*chosen, **named)
        rows.append(tree.flatten(result))
    first, *others = ([shape_of(y) or np.shape(y) for y in row] for row in rows)
    for other in others:
        if other != first:
            raise ShapeError(f"vmap: results of shapes {first} and {other} for two examples cannot be stacked.")
    return [_stacked([row[k] for row in rows]) for k in range(len(rows[0]))], result


def _example(x: Any, i: int) -> Any:
    return getitem(x, i) if isinstance(x, Node | Batched) else Tensor(x[i], requires_grad=False)


def _stacked(ys: list[Any]) -> Any:
    y = stack(ys)
    return y._data if isinstance(y, Node) and not y.tracked and isinstance(y._data, np.ndarray) else y
