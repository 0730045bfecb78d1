"""NumPy speaks to nodes: ``np.sin(t)`` and ``np.concatenate([t, u])`` record the same rules as ``ad.sin(t)``.

NumPy hands a call that involves a node to ``__array_ufunc__`` or ``__array_function__``; both look the function up by
its name in the package's own namespace.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from .core import tree
from .core.errors import UnsupportedError
from .core.looking import numbers_of
from .core.node import Node, data_of, shape_of
from .core.op import UFUNC_OPTIONS
from .ops import public
from .ops.refused import REFUSED

WHOLE = {
    "reduce": {
        "add": "sum",
        "multiply": "prod",
        "maximum": "max",
        "minimum": "min",
        "logaddexp": "logsumexp",
        "logical_and": "all",
        "logical_or": "any",
    },
    "accumulate": {"add": "cumsum", "multiply": "cumprod"},
}
"""What a method of a ufunc is called as an op."""

NAMESPACES = {"numpy.linalg": "linalg", "numpy.fft": "fft"}
"""Where NumPy has a function of the same name in two modules, ours of each."""


def find(name: str, module: str = "numpy") -> Callable[..., Any] | None:
    """The op that stands for NumPy's function of this name in this module."""
    namespace = import_module(f"{__package__}.ops.{NAMESPACES[module]}") if module in NAMESPACES else public
    op: Callable[..., Any] | None = getattr(namespace, name, None)
    return op


IN_PLACE = frozenset(["fill_diagonal", "place", "put", "put_along_axis", "putmask"])
"""What writes into its first argument in NumPy: into a tensor it is recorded, and the tensor is returned too."""

QUESTIONS = frozenset(
    [
        "allclose",
        "array2string",
        "array_equal",
        "array_equiv",
        "array_repr",
        "array_str",
        "can_cast",
        "common_type",
        "einsum_path",
        "iscomplexobj",
        "isfortran",
        "isrealobj",
        "may_share_memory",
        "min_scalar_type",
        "ndim",
        "result_type",
        "shape",
        "shares_memory",
        "size",
    ]
)
"""What NumPy answers about the data of tensors with nothing that could be differentiated."""


ABOUT_NUMBERS = frozenset(["allclose", "array_equal", "array_equiv", "min_scalar_type"])
"""Those of them whose answer depends on more than shapes and dtypes."""


def refuse_numbers(doing: str, args: Any, kwargs: Any) -> None:
    """Raise while compiling, if the numbers in a tensor are about to be read."""
    for x in tree.flatten([args, kwargs]):
        numbers_of(x, doing, "Use an op that is recorded, or do this outside of the compiled function.")


class NumpyProtocol:
    """The two protocols, for both kinds of node."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__
        out = [o for o in kwargs.get("out", ()) if o is not None]
        if any(isinstance(o, Node) for o in out) or (out and any(isinstance(x, Node) and x.tracked for x in inputs)):
            raise UnsupportedError(
                f"np.{name} with a tensor as out=, or with an array to write into as in a += t, cannot be recorded. "
                "Use its result: a = a + t."
            )
        if out:
            refuse_numbers(f"writing what np.{name} makes into an array", inputs, {})
            return getattr(ufunc, method)(*map(data_of, inputs), **kwargs)  # nothing to lose
        kwargs.pop("out", None)
        if method in WHOLE and name in WHOLE[method]:
            if len(inputs) == 1:
                kwargs.setdefault("axis", 0)
            return _call(WHOLE[method][name], f"np.{name}.{method}", inputs, kwargs)
        if method == "outer":
            a, b = inputs
            apart = public.reshape(a, shape_of(a) + (1,) * len(shape_of(b)))
            return _call(name, f"np.{name}.outer", (apart, b), kwargs, original=ufunc)
        if method != "__call__":
            instead = "t + ad.scatter_add(values, t.shape, indices)" if method == "at" else "the ops of autodiff"
            raise UnsupportedError(f"np.{name}.{method} has no rule. Use {instead} instead.")
        return _call(name, f"np.{name}", inputs, kwargs, original=ufunc)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name: str = function.__name__
        if function.__module__.endswith("scimath"):
            name = f"emath.{name}"  # turns complex for negative numbers, which the op of that name does not
        if name == "where" and len(args) == 1:
            name = "nonzero"
        if name in IN_PLACE:
            return _write(name, function, *inputs_by_position(function, args, kwargs))
        if name in QUESTIONS:
            if name in ABOUT_NUMBERS:
                refuse_numbers(f"np.{name}", args, kwargs)
            return function(*tree.tree_map(data_of, args), **tree.tree_map(data_of, kwargs))
        return _call(name, f"np.{name}", args, kwargs, original=function)


def _write(name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """Write into the first argument."""
    target: Any = args[0]
    if isinstance(args[0], Node):
        target[...] = _call(name, f"np.{name}", args, kwargs, original=function)
        return target
    if any(isinstance(x, Node) and x.tracked for x in tree.flatten([args, kwargs])):
        raise UnsupportedError(
            f"np.{name} was to write a tensor into an array, which would lose its gradient. Write into a tensor, "
            f"ad.Tensor(array, requires_grad=False), or use what ad.{name} returns."
        )
    refuse_numbers(f"np.{name}, which writes into an array,", args, kwargs)
    return function(*tree.tree_map(data_of, args), **tree.tree_map(data_of, kwargs))


def _call(name: str, spelling: str, args: Any, kwargs: Any, original: Any = None) -> Any:
    op = find(name, getattr(original, "__module__", "numpy"))
    if op is not None:
        if kwargs and original is not None and not kwargs.keys() <= keywords(op):
            args, kwargs = inputs_by_position(original, args, kwargs)
        return op(*args, **kwargs)
    leaves = tree.flatten([args, kwargs])
    if original is not None and not any(isinstance(a, Node) and a.tracked for a in leaves):
        refuse_numbers(spelling, args, kwargs)
        return original(*tree.tree_map(data_of, args), **tree.tree_map(data_of, kwargs))  # nothing to lose
    if name in REFUSED:
        raise UnsupportedError(f"{spelling} of a tensor is refused: {REFUSED[name]}.")
    raise UnsupportedError(
        f"{spelling} has no rule, so its derivative is not known. Write it with ops that have one (dir(autodiff) lists "
        "them), or read the data with x.detach()."
    )


@cache
def keywords(op: Callable[..., Any]) -> frozenset[str]:
    """What an op takes by keyword."""
    parameters = inspect.signature(op).parameters.values()
    named = frozenset(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return named or frozenset(UFUNC_OPTIONS)


def inputs_by_position(function: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Arguments as an op takes them, whose inputs have no names: ``np.sum(a=t, axis=0)`` as ``(t,)`` and ``axis=0``."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # a ufunc has none, and no named inputs
        return args, kwargs
    args, kwargs = list(args), dict(kwargs)
    for p in list(signature.parameters.values())[len(args) :]:
        if p.name not in kwargs or p.kind is not p.POSITIONAL_OR_KEYWORD:
            break
        args.append(kwargs.pop(p.name))
    return args, kwargs
