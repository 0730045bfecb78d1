"""Nested tuples, lists, dicts and dataclasses of arrays: taken apart into leaves and put together again."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from .errors import ShapeError


def flatten(tree: Any) -> list[Any]:
    """The leaves of ``tree``, in a fixed order: dicts in their own order of insertion.

    Examples
    --------
    >>> flatten({"w": [1.0, 2.0], "b": (3.0, None)})
    [1.0, 2.0, 3.0]
    """
    leaves: list[Any] = []
    tree_map(leaves.append, tree)
    return leaves


def unflatten(like: Any, leaves: Iterator[Any]) -> Any:
    """A tree of the structure of ``like`` with new ``leaves``."""
    return tree_map(lambda _: next(leaves), like)


def flatten_like(like: Any, tree: Any) -> list[Any]:
    """The leaves of ``tree`` in the order of those of ``like``, which must have the same structure.

    Raises
    ------
    ShapeError
        If a branch has another length or other keys.

    Examples
    --------
    >>> flatten_like({"w": None, "b": 0.0}, {"b": 2.0, "w": None})
    [2.0]
    """
    if dataclasses.is_dataclass(like) and type(tree) is type(like):
        like, tree = ({k.name: getattr(x, k.name) for k in dataclasses.fields(like)} for x in (like, tree))
    if isinstance(like, dict) and isinstance(tree, dict) and like.keys() == tree.keys():
        return [leaf for key in like for leaf in flatten_like(like[key], tree[key])]
    if isinstance(like, tuple | list) and isinstance(tree, tuple | list) and len(like) == len(tree):
        return [leaf for a, b in zip(like, tree, strict=True) for leaf in flatten_like(a, b)]
    if like is None and tree is None:
        return []
    if like is None or isinstance(like, tuple | list | dict) or dataclasses.is_dataclass(like):
        raise ShapeError(
            f"A tangent or cotangent of structure {_outline(tree)} was given for {_outline(like)}; they must agree."
        )
    return [tree]


def _outline(tree: Any) -> str:
    size = f" of {len(tree)}" if isinstance(tree, tuple | list) else ""
    keys = f" with keys {', '.join(map(repr, tree))}" if isinstance(tree, dict) else ""
    return f"a {type(tree).__name__}{size or keys}"


def tree_map(f: Callable[[Any], Any], tree: Any) -> Any:
    """Apply ``f`` to every leaf.  None is a tree without leaves.

    Examples
    --------
    >>> tree_map(lambda x: 2 * x, {"w": [1, 2], "b": 3})
    {'w': [2, 4], 'b': 6}
    """
    if tree is None:
        return None
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(tree_map(f, branch) for branch in tree))
    if isinstance(tree, tuple | list):
        return type(tree)(tree_map(f, branch) for branch in tree)
    if isinstance(tree, dict):
        mapped = {key: tree_map(f, branch) for key, branch in tree.items()}
        if type(tree) is dict:
            return mapped
        other = copy.copy(tree)  # an OrderedDict, a defaultdict
        other.update(mapped)
        return other
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return dataclasses.replace(
            tree, **{k.name: tree_map(f, getattr(tree, k.name)) for k in dataclasses.fields(tree)}
        )
    return f(tree)
