"""Nested tuples, lists, dicts and dataclasses of arrays: taken apart into leaves and put together again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any


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
        return {key: tree_map(f, branch) for key, branch in tree.items()}
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return dataclasses.replace(
            tree, **{k.name: tree_map(f, getattr(tree, k.name)) for k in dataclasses.fields(tree)}
        )
    return f(tree)
