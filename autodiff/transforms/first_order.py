"""First derivatives of functions: ``grad``, ``vjp``, ``jvp``, ``linearize``.

All take and return plain numbers and arrays, or nested tuples, lists, dicts and dataclasses of them; inside, the
function sees nodes.  They nest to any depth.  If the function also depends on tracked nodes from outside, the results
are nodes, so that nothing is lost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..core import numbers, tree
from ..core.errors import ShapeError, TapeError
from ..core.node import Node, describe, is_complex, shape_of
from .lift import ARRAYS, Call, plain, positions, require_function, same_kind

Function = Callable[..., Any]
ArgNums = int | Sequence[int]


def grad(f: Function, argnums: ArgNums = 0, has_aux: bool = False) -> Function:
    """The function that computes the gradient of ``f``.

    Parameters
    ----------
    f : callable
        Returns a single real number; with ``has_aux`` a pair of it and anything else.
    argnums : int or sequence of int
        Which positional arguments to differentiate with respect to.  Each may be nested.
    has_aux : bool
        Return ``(gradient, aux)``.

    Returns
    -------
    callable
        Takes what ``f`` takes; returns the gradient in the structure of the argument, a tuple of them for several.

    Raises
    ------
    ShapeError
        If ``f`` does not return a single number.
    TapeError
        If ``f`` returns a complex number, or something that is not a number.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.grad(lambda x: x**3)(2.0)
    12.0
    >>> ad.grad(lambda p: (p["w"] * p["b"]).sum())({"w": np.array([1.0, 2.0]), "b": 3.0})
    {'w': array([3., 3.]), 'b': 3.0}
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def value_and_grad(f: Function, argnums: ArgNums = 0, has_aux: bool = False) -> Function:
    """The function that computes ``f`` and its gradient in one go: returns ``(value, gradient)``.

    Parameters and errors are those of :func:`grad`.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """
    require_function(f, "grad")
    wanted = positions(argnums)

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        aux: list[Any] = []

        def main(*args: Any, **kwargs: Any) -> Any:
            y = f(*args, **kwargs)
            if has_aux:
                y, rest = pair(y, f)
                aux.append(rest)
            return y

        call = Call(main, args, wanted, **kwargs)
        y = require_scalar(call.result, f)
        record = call.must_record()
        g = iter(call.pull([one(y)], record))
        gradients = tuple(tree.unflatten(args[k], g) for k in wanted)
        value = call.values(record)
        if has_aux:
            value = (value, aux[0] if record else tree.tree_map(_plain_node, aux[0]))
        return value, gradients if isinstance(argnums, Iterable) else gradients[0]

    return value_and_gradient


def pair(y: Any, f: Function) -> Any:
    """What a function returned with ``has_aux``."""
    if not isinstance(y, tuple | list) or len(y) != 2:
        found = f"{len(y)} values" if isinstance(y, tuple | list) else f"a {type(y).__name__}"
        raise TapeError(
            f"grad with has_aux=True needs {getattr(f, '__name__', 'the function')} to return a pair, "
            f"(number, anything else); it returned {found}."
        )
    return y


def _plain_node(x: Any) -> Any:
    return plain(x) if isinstance(x, Node) else x


def one(y: Any) -> Any:
    """The cotangent that the gradient of a single number starts with."""
    if not isinstance(y, Node):
        return 1.0
    return np.ones(y._data.shape, y._data.dtype) if isinstance(y._data, ARRAYS) else numbers.like(y._data, 1)


def require_scalar(y: Any, f: Function) -> Any:
    """``y`` if it is a single real number, else an error that says what to do."""
    name = getattr(f, "__name__", "the function")
    if isinstance(y, tuple | list | dict) or not (
        isinstance(y, Node | np.ndarray | np.generic) or numbers.is_number(type(y))
    ):
        raise TapeError(
            f"grad needs {name} to return one number, it returned a {type(y).__name__}. "
            "For extra results use has_aux=True; for several outputs use ad.jacobian or ad.vjp."
        )
    if int(np.prod(shape_of(y))) != 1:
        raise ShapeError(
            f"grad needs {name} to return one number, it returned shape {shape_of(y)}. "
            "Reduce it, for example with .sum(), or use ad.jacobian."
        )
    if is_complex(y):
        raise TapeError(
            f"grad needs {name} to return a real number, it returned "
            f"{describe(y) if isinstance(y, Node) else 'a number'} that is complex. Take its real part or its size."
        )
    return y


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Evaluate ``f`` and return ``(y, pull)``, where ``pull(g)`` pulls a cotangent of ``y`` back to the arguments.

    Parameters
    ----------
    f : callable
    *primals
        Its arguments.

    Returns
    -------
    y
        What ``f`` returned.
    pull : callable
        Takes a cotangent of the structure of ``y``; returns a tuple, one cotangent an argument.  May be called again.

    Examples
    --------
    >>> import autodiff as ad
    >>> y, pull = ad.vjp(lambda a, b: a * b, 3.0, 4.0)
    >>> pull(1.0)
    (4.0, 3.0)
    """
    require_function(f, "vjp")
    call = Call(f, primals, range(len(primals)))
    record = call.must_record()
    call.close()

    def pull(cotangent: Any) -> tuple[Any, ...]:
        given = tree.flatten_like(call.result, cotangent)
        fitted = [
            same_kind(g, y, "cotangent") if isinstance(y, Node) else g for g, y in zip(given, call.outputs, strict=True)
        ]
        g = iter(call.pull(fitted, record or any(isinstance(g, Node) and g.tracked for g in given)))
        return tuple(tree.unflatten(primal, g) for primal in primals)

    return call.values(record), pull


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Evaluate ``f`` and its derivative along ``tangents``: returns ``(y, y_dot)``.

    Parameters
    ----------
    f : callable
    primals, tangents : sequences
        The arguments, and their rates of change, of the same structure and shapes.

    Examples
    --------
    >>> import autodiff as ad
    >>> ad.jvp(lambda x: x**2, (3.0,), (1.0,))
    (9.0, 6.0)
    """
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise TapeError("jvp takes its arguments and tangents as tuples: jvp(f, (x,), (v,)).")
    y, push = linearize(f, *primals)
    return y, push(*tangents)


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Evaluate ``f`` and return ``(y, push)``, where ``push(*tangents)`` is its derivative along them.

    The tape is recorded once, and pushed through as often as asked.

    Parameters
    ----------
    f : callable
    *primals
        Its arguments.

    Examples
    --------
    >>> import autodiff as ad
    >>> y, push = ad.linearize(lambda a, b: a * b, 3.0, 4.0)
    >>> push(1.0, 0.0), push(0.0, 1.0)
    (4.0, 3.0)
    """
    require_function(f, "linearize")
    call = Call(f, primals, range(len(primals)))
    record = call.must_record()
    call.close()

    def push(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise ShapeError(f"jvp got {len(tangents)} tangents for {len(primals)} inputs; the structures must agree.")
        given = tree.flatten_like(primals, tangents)
        fitted = [same_kind(t, x, "tangent") for t, x in zip(given, call.inputs, strict=True)]
        again = record or (call.outer and any(isinstance(t, Node) and t.tracked for t in given))
        return tree.unflatten(call.result, iter(call.push(fitted, again)))

    return call.values(record), push


def one_like(x: Any) -> Any:
    """A one of the kind and shape of ``x``."""
    data = x._data if isinstance(x, Node) else x
    if isinstance(data, (*ARRAYS, np.generic)):
        return np.ones(data.shape)
    return numbers.like(data, 1)
