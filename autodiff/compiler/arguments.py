"""Nested arguments of a call: tuples, lists, dicts and slices, with whatever stands for arrays as leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """The same arguments with every leaf changed.

    Examples
    --------
    >>> mapped(lambda x: x and 2 * x, ([1, 2], slice(3, None)))
    ([2, 4], slice(6, None, None))
    """
    if type(tree) in (tuple, list):
        return type(tree)([mapped(change, branch) for branch in tree])
    if isinstance(tree, dict):
        return {key: mapped(change, branch) for key, branch in tree.items()}
    if isinstance(tree, slice):
        return slice(*[mapped(change, part) for part in (tree.start, tree.stop, tree.step)])
    return change(tree)


def leaves(tree: Any) -> Iterator[Any]:
    """Every leaf, in order."""
    if type(tree) in (tuple, list):
        for branch in tree:
            yield from leaves(branch)
    elif isinstance(tree, dict):
        yield from leaves(tuple(tree.values()))
    elif isinstance(tree, slice):
        yield from leaves((tree.start, tree.stop, tree.step))
    else:
        yield tree
