"""The op: the public function that is made from a rule.

It computes on plain data, and records if an argument is a node.  Ops are plain functions, in a few shapes by how many
arguments they take, since they run for every node of every tape.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

import numpy as np

from .batched import Batched, as_array
from .dispatch import NotYetArrays, as_arrays, holds_nodes, joined
from .errors import KindError, UnsupportedError
from .modes import compiler
from .node import Node, data_of, record
from .numbers import is_number, to_float
from .rule import Derivative, Rule, Sample

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class Op(Protocol, Generic[P, R_co]):
    """The type of an op: a plain function, with its rule on it and decorators that complete the rule."""

    __name__: str
    rule: Rule

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Compute, and record if an argument is a node."""
        ...

    def __get__(self, instance: Any, owner: Any = None) -> Callable[..., Any]: ...

    def def_vjp(self, function: Derivative | None = None, *, wrt: str | None = None) -> Derivative:
        """Declare the VJP, with respect to the input ``wrt`` if there are several."""
        ...

    def def_jvp(self, function: Derivative | None = None, *, wrt: str | None = None) -> Derivative:
        """Declare the JVP, with respect to the input ``wrt`` if there are several."""
        ...

    def def_samples(self, function: Callable[[np.random.Generator], Iterable[Sample]]) -> Any:
        """Declare the points at which the row is checked."""
        ...


def primitive(
    formula: str,
    *,
    entrywise: bool = False,
    differentiable: bool = True,
    fresh: bool = False,
    quiet: bool = False,
    random: bool = False,
    number: Callable[..., Any] | None = None,
) -> Callable[[Callable[P, R_co]], Op[P, R_co]]:
    """Declare a rule whose derivatives are written out with ``def_vjp`` and ``def_jvp``.

    Parameters
    ----------
    formula : str
        LaTeX, for people.
    entrywise : bool
        True if the op works entry by entry and broadcasts.
    differentiable : bool
        False if results are never tracked.
    fresh : bool
        True if each VJP makes a new array of the shape of its input.
    quiet : bool
        True if derivatives at finite points are finite.
    random : bool
        True if each call draws new numbers.
    number : callable, optional
        The forward function for single numbers of any kind; without it the number's own library is asked.
    """

    def declare(forward: Callable[P, R_co]) -> Op[P, R_co]:
        rule = Rule(
            forward,
            formula=formula,
            entrywise=entrywise,
            differentiable=differentiable,
            fresh=fresh,
            quiet=quiet,
            random=random,
            number=number,
        )
        return cast("Op[P, R_co]", make_op(rule))

    return declare


def make_op(rule: Rule) -> Any:
    """The public function of a rule: compute on plain data, and record if an argument is a node."""
    if rule.variadic:
        make = variadic_op
    elif rule.options or not rule.differentiable:
        make = general_op
    else:
        make = {1: unary_op, 2: binary_op, 3: ternary_op}.get(len(rule.inputs), general_op)
    op: Any = functools.update_wrapper(make(rule), rule.forward)
    op.rule = rule
    rule.op = op
    op.def_vjp = functools.partial(_declare, rule, "vjp")
    op.def_jvp = functools.partial(_declare, rule, "jvp")
    op.def_samples = functools.partial(setattr, rule, "samples")
    return op


def unary_op(rule: Rule) -> Callable[..., Any]:
    """An op of one input without options."""
    forwards = rule.forwards

    def op(x: Any, /, *rest: Any, **options: Any) -> Any:
        if rest or options:
            return with_ufunc_options(op, rule, (x,), rest, options)
        if isinstance(x, Node):
            data = x._data
            compute, cls = forwards[data.__class__]
            return record(cls, compute(data), rule, x, None, None, x.tracked)
        try:
            return forwards[x.__class__][0](x)
        except NotYetArrays:
            return op(*as_arrays([x]))

    return op


def binary_op(rule: Rule) -> Callable[..., Any]:
    """An op of two inputs without options."""
    forwards = rule.forwards

    def op(a: Any, b: Any, /, *rest: Any, **options: Any) -> Any:
        if rest or options:
            return with_ufunc_options(op, rule, (a, b), rest, options)
        noted = tracked = False
        x, y = a, b
        if isinstance(a, Node):
            x, noted, tracked = a._data, True, a.tracked
        if isinstance(b, Node):
            y, noted, tracked = b._data, True, b.tracked or tracked
        try:
            compute, cls = forwards[x.__class__, y.__class__]
        except NotYetArrays:
            return op(*as_arrays([a, b]))
        return record(cls, compute(x, y), rule, a, b, None, tracked) if noted else compute(x, y)

    return op


def ternary_op(rule: Rule) -> Callable[..., Any]:
    """An op of three inputs without options."""
    forwards = rule.forwards

    def op(a: Any, b: Any, c: Any, /, *rest: Any, **options: Any) -> Any:
        if rest or options:
            return with_ufunc_options(op, rule, (a, b, c), rest, options)
        noted = tracked = False
        x, y, z = a, b, c
        if isinstance(a, Node):
            x, noted, tracked = a._data, True, a.tracked
        if isinstance(b, Node):
            y, noted, tracked = b._data, True, b.tracked or tracked
        if isinstance(c, Node):
            z, noted, tracked = c._data, True, c.tracked or tracked
        try:
            compute, cls = forwards[x.__class__, y.__class__, z.__class__]
        except NotYetArrays:
            return op(*as_arrays([a, b, c]))
        return record(cls, compute(x, y, z), rule, (a, b, c), None, None, tracked) if noted else compute(x, y, z)

    return op


def general_op(rule: Rule) -> Callable[..., Any]:
    """An op of any number of inputs, with options by position or by keyword."""
    forwards, n = rule.forwards, len(rule.inputs)
    names, differentiable, many, single = tuple(rule.options), rule.differentiable, rule.many, n == 1
    defaults = None if inspect.Parameter.empty in rule.options.values() else rule.options

    def op(*args: Any, **options: Any) -> Any:
        inputs = args[:n]
        if len(inputs) < n:
            raise UnsupportedError(
                f"{rule.name} takes {n} arrays by position ({', '.join(rule.inputs)}), got {len(args)}."
            )
        if not names and (len(args) > n or options):
            return with_ufunc_options(op, rule, inputs, args[n:], options)
        if options or len(args) > n or defaults is None:
            params = _bind(rule, names, args[n:], options) if names else None
        else:
            params = defaults or None  # shared: nobody changes the options of a node
        data = [x._data if isinstance(x, Node) else x for x in inputs]
        try:
            compute, cls = forwards[data[0].__class__ if single else tuple([d.__class__ for d in data])]
        except NotYetArrays:
            return op(*as_arrays(inputs), *args[n:], **options)
        y = compute(*data, *params.values()) if params else compute(*data)
        nodes = [x for x in inputs if isinstance(x, Node)]
        if not nodes:
            if compiler() is None or not (rule.random or (params and holds_nodes(params.values()))):
                return y
        elif not differentiable and cls is Node.for_numbers and compiler() is None:
            return y  # a truth about a number is a plain bool, about a tensor an untracked tensor
        tracked = differentiable and any([x.tracked for x in nodes])
        if many:
            return record(cls, y, rule, inputs, None, params, tracked)
        return record(cls, y, rule, inputs[0], None if single else inputs[1], params, tracked)

    return op


def variadic_op(rule: Rule) -> Callable[..., Any]:
    """An op whose input is a sequence of arrays."""
    names = tuple(rule.options)

    def op(arrays: Iterable[Any], /, *args: Any, **options: Any) -> Any:
        arrays = tuple(a if isinstance(a, Node) else _as_array(a) for a in arrays)
        params = _bind(rule, names, args, options)
        data = [_as_array(a) for a in arrays]
        batch = next((d for d in data if isinstance(d, Batched)), None)
        y = batch.compute(rule, *data, *params.values()) if batch is not None else rule.forward(*data, **params)
        nodes = [a for a in arrays if isinstance(a, Node)]
        if not nodes and (compiler() is None or not holds_nodes(params.values())):
            return y
        return record(Node.for_arrays, y, rule, arrays, None, params, any([a.tracked for a in nodes]))

    return op


def _as_array(x: Any) -> Any:
    data = data_of(x)
    if isinstance(data, list | tuple):
        return joined(data)
    return data if data.__class__ is np.ndarray else as_array(to_float(data) if is_number(type(data)) else data)


UFUNC_OPTIONS = ("out", "where", "casting", "order", "dtype", "subok", "signature")
"""What NumPy's ufuncs take beyond their inputs."""


def with_ufunc_options(op: Any, rule: Rule, inputs: Any, rest: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call an op that has no options of its own with those of NumPy's ufuncs: ``dtype`` is the one with a use."""
    if len(rest) == 1 and "out" not in options:
        options = {"out": rest[0], **options}  # the one option that ufuncs take by position
    elif rest:
        _refuse(rule, options, rest)
    if not options.keys() <= set(UFUNC_OPTIONS):
        _refuse(rule, options, ())
    refuse_out(rule.name, options.pop("out", None))
    where = options.pop("where", True)
    ufunc = getattr(np, rule.name, None)
    if isinstance(ufunc, np.ufunc):
        with np.errstate(all="ignore"):
            y = ufunc(*map(data_of, inputs), **options)  # NumPy says what is wrong with them
            np.broadcast_shapes(np.shape(where), np.shape(y))
    if where is not True:
        raise UnsupportedError(
            f"{rule.name} got where=: what NumPy leaves elsewhere is not defined, and has no derivative. "
            f"Use ad.where(mask, {rule.name}(...), other)."
        )
    if options.get("signature") is not None:
        raise UnsupportedError(f"{rule.name} got signature=, which is not supported. Give a dtype, or use astype.")
    if options.get("dtype") is not None:
        dtype = np.dtype(options["dtype"])
        inputs = [x.astype(dtype) if hasattr(x, "astype") else np.asarray(x, dtype) for x in inputs]
    return op(*inputs)


def refuse_out(name: str, out: Any) -> None:
    """Raise if an array to write into was given."""
    if out is not None and not (isinstance(out, tuple) and all(o is None for o in out)):
        raise UnsupportedError(
            f"{name} got out=: writing a result into an array cannot be recorded. Use what {name} returns."
        )


def _bind(rule: Rule, names: tuple[str, ...], positional: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    """The options of a call, in the order of the signature."""
    params = rule.options.copy()
    params.update(zip(names, positional))
    params.update(options)
    missing = [value is inspect.Parameter.empty for value in params.values()]  # by identity: a key may be an array
    if len(params) != len(names) or len(positional) > rule.positional or any(missing):
        _refuse(rule, params, positional)
    if "out" in params:
        refuse_out(rule.name, params["out"])
    return params


FOREIGN_KEYWORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "correction": "ddof", "axes": "axis"}


def _refuse(rule: Rule, params: dict[str, Any], positional: tuple[Any, ...]) -> None:
    """Say which keyword is foreign, missing, or one too many."""
    has = rule.options or UFUNC_OPTIONS
    takes = f"it takes {', '.join(has)}"
    for name, value in params.items():
        if name not in has:
            ours = FOREIGN_KEYWORDS.get(name)
            repair = f"here it is {ours}=" if ours in has else takes
            raise UnsupportedError(f"{rule.name} got the keyword {name}=, which it does not have: {repair}.")
        if value is inspect.Parameter.empty:
            raise UnsupportedError(f"{rule.name} was called without {name}=: {takes}.")
    inputs = f"{len(rule.inputs)} array{'s' * (len(rule.inputs) > 1)} ({', '.join(rule.inputs)})"
    raise UnsupportedError(f"{rule.name} got {len(positional)} options by position after {inputs}: {takes}.")


def _declare(rule: Rule, direction: str, function: Derivative | None = None, *, wrt: str | None = None) -> Any:
    """``@op.def_vjp`` for a rule of one input, ``@op.def_vjp(wrt="a")`` for one of several."""
    if function is None:
        return functools.partial(_declare, rule, direction, wrt=wrt)
    if wrt is None and len(rule.inputs) != 1:
        raise KindError(
            f"def_{direction} of {rule.name} needs wrt=, one of {rule.inputs}: a rule has one derivative per input."
        )
    rule.set_derivative(direction, wrt or rule.inputs[0], function)
    return function
