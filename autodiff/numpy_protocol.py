"""NumPy speaks to nodes: ``np.sin(t)`` and ``np.concatenate([t, u])`` record the same rules as ``ad.sin(t)``.

NumPy hands a call that involves a node to ``__array_ufunc__`` or ``__array_function__``; both look the function up by
its name in the package's own namespace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .core import tree
from .core.errors import UnsupportedError
from .core.node import Node, data_of, shape_of
from .ops import public

# What the reduce method of a ufunc is called as an op.
REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}

# Names under which NumPy or SciPy has a function that is called differently here.
ALIASES = {
    "amax": "max",
    "amin": "min",
    "abs": "absolute",
    "expit": "sigmoid",
    "permute_dims": "transpose",
    "concat": "concatenate",
    "conjugate": "conj",
    "pow": "power",
}

IGNORED = {
    "order": ("K", "C"),
    "casting": ("same_kind",),
    "subok": (True,),
    "where": (True,),
    "dtype": (None,),
    "out": (None,),
}


def find(name: str) -> Callable[..., Any] | None:
    """The op that stands for NumPy's function of this name."""
    op: Callable[..., Any] | None = getattr(public, ALIASES.get(name, name), None)
    return op


class NumpyProtocol:
    """The two protocols, for both kinds of node."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__
        out = [o for o in kwargs.get("out", ()) if o is not None]
        if any(isinstance(o, Node) for o in out) or (out and any(isinstance(x, Node) and x.tracked for x in inputs)):
            raise UnsupportedError(
                f"np.{name} with a tensor as out= (or an array {name}ed in place by a tensor) cannot be recorded. "
                "Use its result: a = a + t instead of a += t."
            )
        if out:
            return getattr(ufunc, method)(*map(data_of, inputs), **kwargs)  # nothing to lose
        kwargs = {
            k: v for k, v in kwargs.items() if k not in IGNORED or isinstance(v, np.ndarray) or v not in IGNORED[k]
        }
        if method == "reduce" and name in REDUCTIONS:
            kwargs.setdefault("axis", 0)
            return _call(REDUCTIONS[name], f"np.{name}.reduce", inputs, kwargs)
        if method != "__call__":
            raise UnsupportedError(f"np.{name}.{method} has no rule. Use the ops of autodiff instead.")
        return _call(name, f"np.{name}", inputs, kwargs, original=ufunc)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if function.__module__.endswith("scimath"):
            name = f"emath.{name}"  # turns complex for negative numbers, which the op of that name does not
        if name == "where" and len(args) == 1:
            name = "nonzero"
        if name in WITHOUT_DERIVATIVE:
            return WITHOUT_DERIVATIVE[name](*args, **kwargs)
        return _call(name, f"np.{name}", args, kwargs, original=function)


def _call(name: str, spelling: str, args: Any, kwargs: Any, original: Any = None) -> Any:
    op = find(name)
    if op is not None:
        return op(*args, **kwargs)
    leaves = tree.flatten([args, kwargs])
    if original is not None and not any(isinstance(a, Node) and a.tracked for a in leaves):
        return original(*tree.tree_map(data_of, args), **tree.tree_map(data_of, kwargs))  # nothing to lose
    raise UnsupportedError(
        f"{spelling} has no rule, so its derivative is not known. Write it with ops that have one (dir(autodiff) lists "
        "them), or read the data with x.detach()."
    )


def _like(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *args, **kwargs: make(data_of(x), *args, **kwargs)


WITHOUT_DERIVATIVE: dict[str, Callable[..., Any]] = {
    "shape": shape_of,
    "ndim": lambda x: len(shape_of(x)),
    "size": lambda x, axis=None: np.size(data_of(x), axis),
    "zeros_like": _like(np.zeros_like),
    "ones_like": _like(np.ones_like),
    "empty_like": _like(np.empty_like),
    "full_like": _like(np.full_like),
    "result_type": lambda *args: np.result_type(*map(data_of, args)),
    "iscomplexobj": lambda x: np.iscomplexobj(data_of(x)),
    "isrealobj": lambda x: np.isrealobj(data_of(x)),
    "can_cast": lambda x, *args, **kwargs: np.can_cast(data_of(x), *args, **kwargs),
    "array_equal": lambda a, b, **kwargs: np.array_equal(data_of(a), data_of(b), **kwargs),
    "allclose": lambda a, b, *args, **kwargs: np.allclose(data_of(a), data_of(b), *args, **kwargs),
    "array_repr": lambda x, *args, **kwargs: repr(x),
    "array_str": lambda x, *args, **kwargs: str(x),
}
