"""What can be updated: a list of leaves, each once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, KindError
from ..core.node import Node, describe


def as_list(params: Any) -> Any:
    """What can be gone through as a list; else itself, to be refused."""
    if hasattr(params, "parameters") or isinstance(params, Node) or callable(params):
        return params
    return list(params) if isinstance(params, Iterable) else params


def require_leaves(owner: str, params: Any) -> list[Any]:
    """The parameters as a list, each once; raise if one of them cannot be updated."""
    if hasattr(params, "parameters"):
        raise ArgumentError(
            f"{owner} got a {type(params).__name__}; it takes a list of parameters: model.parameters()."
        )
    if isinstance(params, Node):
        raise ArgumentError(f"{owner} got {describe(params)}; it takes a list of parameters: [w] for one.")
    if callable(params):
        raise ArgumentError(f"{owner} got a function; call it: model.parameters().")
    if not isinstance(params, Iterable):
        raise ArgumentError(f"{owner} got {params!r} as parameters; it takes a list of them first: model.parameters().")
    params = list(params)
    if not params:
        raise ArgumentError(
            f"{owner} got no parameters. A model's parameters are Tensors in its attributes, lists or dicts; "
            "a layer kept elsewhere, or a NumPy array, is not found."
        )
    for i, p in enumerate(params):
        _require_leaf(owner, i, p)
    return list({id(p): p for p in params}.values())


def _require_leaf(owner: str, i: int, p: Any) -> None:
    if isinstance(p, tuple) and len(p) == 2 and isinstance(p[1], Node):
        raise KindError(f"{owner} got a name with parameter {i}, {p[0]!r}; give model.parameters(), without names.")
    if hasattr(p, "parameters"):
        raise KindError(
            f"{owner} got a {type(p).__name__} as parameter {i}; give its parameters: "
            "[*a.parameters(), *b.parameters()]."
        )
    if not isinstance(p, Node):
        raise KindError(f"{owner} got a {type(p).__name__} as parameter {i}; parameters are Tensors and Values.")
    if not p.is_leaf:
        raise ArgumentError(
            f"{owner} got {describe(p)} as parameter {i}, which was computed. Only what was made can be "
            "updated: pass the tensors that it was computed from."
        )
    if isinstance(p._data, np.ndarray) and p._data.dtype.kind not in "fcO":
        raise KindError(
            f"{owner} got {describe(p)} as parameter {i}, of dtype {p._data.dtype}, which never has a gradient. "
            "Make it of floats: ad.Tensor(x, dtype=float)."
        )
