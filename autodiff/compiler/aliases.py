"""Memory that several names share while a function is recorded, and what an assignment into it does to the others.

Plain arrays are nodes while compiling.  A node that is assigned into is another value from then on, and views of it
that were taken before keep the old one; views of a plain array do not.  So whoever uses one after that is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import CompileError
from ..core.node import Node, describe
from ..core.source import user_line


class Aliases:
    """Which plain arrays are views of which, by creation number, and which of them are out of date."""

    def __init__(self) -> None:
        self.root: dict[int, int] = {}
        self.members: dict[int, list[Node]] = {}
        self.taken: dict[int, tuple[int, Any]] = {}
        self.stale: dict[int, int] = {}

    def made(self, node: Node, args: Any) -> None:
        """Note that a plain array was made of ``args``: perhaps it is a view of one of them."""
        data = node._data
        for x in args:
            if isinstance(x, Node) and isinstance(x._data, np.ndarray) and np.may_share_memory(data, x._data):
                self.root[node.index] = root = self.root.get(x.index, x.index)
                self.members.setdefault(root, [x]).append(node)
                if node.rule is not None and node.rule.name == "getitem":
                    self.taken[node.index] = x.index, node.params
                return

    def root_of(self, node: Node) -> int:
        """The array that a view is of."""
        return self.root.get(node.index, node.index)

    def assigned(self, node: Node, new: int, key: Any) -> None:
        """Note that ``node`` was assigned into at ``key``, and is number ``new`` now."""
        root = self.root_of(node)
        others = self.members.get(root, [])
        for x in others:
            if x is not node and not self._apart(node, key, x):
                self.stale[x.index] = new
        self.root[new] = root
        if others:
            others.append(node)
        if node.index in self.taken:
            self.taken[new] = self.taken[node.index]

    @staticmethod
    def _apart(node: Node, key: Any, other: Node) -> bool:
        """Whether another view is certain to lie elsewhere than what is assigned."""
        if not np.may_share_memory(node._data, other._data):
            return False  # after an assignment one of them lies elsewhere than where it stands for
        try:
            part = node._data[key]
        except Exception:  # a key of nodes
            return False
        return np.may_share_memory(part, node._data) and not np.may_share_memory(part, other._data)

    def put_back(self, x: Any, value: Any, params: Any) -> None:
        """Let ``x[key] = value`` be, where ``value`` is ``x[key]``, changed in place: ``x[key] += 1`` does that."""
        if not isinstance(x, Node) or not isinstance(value, Node):
            return
        by = self.stale.get(x.index)
        if by == value.index and value.index in self.taken:
            index, key = self.taken[value.index]
            if index == x.index and repr(key) == repr(params):
                self.stale = {i: number for i, number in self.stale.items() if number != by}

    def check(self, x: Node) -> None:
        """Raise if ``x`` is used after something that it shares memory with was assigned into."""
        if x.index in self.stale:
            raise CompileError(
                f"{describe(x)} was used while compiling ({user_line()}), but it shares memory with an array that was "
                "assigned into since, and the compiled function keeps them apart. Take the view anew after the "
                "assignment, or write x[key] = value instead of assigning into a view of x."
            )
